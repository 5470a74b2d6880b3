"""Whatever genuine members send and in whatever order it comes: copies end as at home.

The events go through the codec, as they come from a bus that numbers nothing.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from edgenode.collection.received import Outcome
from edgenode.events.model import OMRSInstanceEventType as Type
from edgenode.instances.model import EntityDetail, Relationship
from tests.model.genuine_cohort import (
    CHANGES,
    DELETED,
    GenuineCohort,
    Sent,
    ends_of,
    home_of,
    is_live,
)
from tests.model.house import CODEC, START
from tests.unit.collection.members import Member, cohort

HOMES: dict[str, tuple[str, ...]] = {
    "a": ("Confidentiality", "Retention"),
    "b": ("Criticality", "Impact"),
}
WINDOW = 6
"""How many events another one may overtake."""

quick = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def run(work: Callable[[Member], Awaitable[None]]) -> None:
    """Do something with a new member that knows the genuine ones."""

    async def with_member() -> None:
        with tempfile.TemporaryDirectory() as directory:
            async with cohort(Path(directory), "local") as (here,):
                here.known_collections |= {f"{name}-id" for name in HOMES}
                here.clock.time = START
                await work(here)

    asyncio.run(with_member())


async def hear(here: Member, sent: Sent) -> None:
    """Take an event in, as a bus brings it."""
    event = CODEC.decode_event(CODEC.encode_event(sent.event))
    assert event.instance_event_section is not None
    received = await here.collection.receive_instance_event(
        sent.origin, None, event.instance_event_section, here.rules, at=event.timestamp
    )
    note(f"{told(sent)}: {received.outcome.name} {received.reason}")
    assert received.outcome is not Outcome.UNKNOWN_TYPE
    assert received.report is None, received


def told(sent: Sent) -> str:
    """An event in short."""
    section = sent.event.instance_event_section
    assert section is not None
    about = section.entity or section.relationship or section.entity_proxy
    given = section.classification or section.original_classification
    parts: list[Any] = [sent.origin, section.event_type.name, section.instance_guid]
    if about is not None:
        parts += [about.version, about.status and about.status.name]
    if isinstance(about, Relationship):
        parts += ends_of(about)
    else:
        parts += [
            f"{each.name} {each.version}"
            for each in (about and about.classifications) or ()
        ]
    if given is not None:
        parts += [f"({given.name} {given.version})"]
    return " ".join(map(str, (sent.event.timestamp, *parts)))


def shuffled(draw: Callable[..., Any], sent: list[Sent]) -> list[Sent]:
    """Events that overtake each other; some come again, any time later."""
    arrivals = [
        (place + draw(st.integers(0, WINDOW)), each) for place, each in enumerate(sent)
    ]
    for place, each in (
        draw(st.lists(st.sampled_from(arrivals), max_size=8)) if sent else ()
    ):
        arrivals.append((draw(st.integers(place, len(sent) + WINDOW)), each))
    return [each for _, each in sorted(arrivals, key=lambda arrival: arrival[0])]


def entity_at_home(cohort: GenuineCohort, guid: str) -> Any:
    known = cohort.entities[guid]
    given = list(cohort.given[guid].values())
    if guid in cohort.re_identified:
        given = [each for each in given if home_of(each) == home_of(known)]
    return known, sorted(given, key=lambda each: str(each.name))


def copies(here: Member, guids: Iterable[str]) -> dict[str, Any]:
    """The live copies of entities that are known in full."""
    found = {}
    for guid in guids:
        stored = here.repository.entity(guid)
        if stored is not None and not stored.is_proxy:
            found[guid] = stored.document.value
    return found


async def held(here: Member, kind: Any) -> dict[str, Any]:
    repository = here.repository
    newest = await repository.newest_state()
    documents = await repository.states_until(kind, newest, "", 10_000)
    return {str(each.value.guid): each.value for each in documents}


async def check_equal(here: Member, cohort: GenuineCohort) -> None:
    """Check that the copies are what the homes have, and nothing else lives."""
    entities = await held(here, EntityDetail)
    for guid, known in cohort.entities.items():
        copy = entities.pop(guid)
        state, given = entity_at_home(cohort, guid)
        told = copy.classifications or ()
        if guid in cohort.re_identified:
            told = [each for each in told if home_of(each) == home_of(known)]
        assert sorted(told, key=lambda each: each.name) == given, guid
        assert (copy.version, copy.properties) == (state.version, state.properties)
        assert (copy.status, copy.type, home_of(copy)) == (
            state.status,
            state.type,
            home_of(state),
        )
    # What gave up its GUID leaves a deleted one there.
    assert {each.status for each in entities.values()} <= {DELETED}
    relationships = await held(here, Relationship)
    for guid, relationship in cohort.relationships.items():
        copy = relationships.pop(guid)
        assert (copy.version, copy.status) == (
            relationship.version,
            relationship.status,
        ), guid
        assert ends_of(copy) == ends_of(relationship)
    assert relationships == {}


async def answered(here: Member, cohort: GenuineCohort) -> None:
    """Let the homes answer what the member asks of them; it tells nothing else."""
    for event in await here.instance_events():
        assert event.event_type is Type.REFRESH_ENTITY_REQUEST
        known = cohort.entities.get(str(event.instance_guid))
        if known is not None and home_of(known) == event.home_metadata_collection_id:
            cohort.refreshed(known)
            await hear(here, cohort.sent.pop())


@quick
@given(st.data())
def test_events_that_overtake_each_other_or_come_again(data: Any) -> None:
    async def work(here: Member) -> None:
        cohort = GenuineCohort(data.draw, HOMES)
        for name in data.draw(st.lists(st.sampled_from(CHANGES), max_size=40)):
            cohort.does(name)
        for sent in shuffled(data.draw, cohort.sent):
            await hear(here, sent)
        await answered(here, cohort)
        await check_equal(here, cohort)

    run(work)


@quick
@given(st.data())
def test_after_losses_the_next_state_puts_a_copy_right(data: Any) -> None:
    """What ended meanwhile nobody can know of; what lives ends as it is at home."""

    async def work(here: Member) -> None:
        cohort = GenuineCohort(data.draw, HOMES)
        names = [name for name in CHANGES if name != "re_home"]
        for name in data.draw(st.lists(st.sampled_from(names), max_size=30)):
            cohort.does(name)
        sent = [each for each in cohort.sent if data.draw(st.integers(0, 4))]
        for each in shuffled(data.draw, sent):
            await hear(here, each)
        live = [known for known in cohort.entities.values() if is_live(known)]
        links = [known for known in cohort.relationships.values() if is_live(known)]
        for known in live:
            cohort.time += 1
            cohort.touch(known)
        for link in links:
            cohort.time += 1
            cohort.touch_relationship(link)
        for each in cohort.sent[-(len(live) + len(links)) :] if live or links else ():
            await hear(here, each)
        found = await held(here, EntityDetail)
        for known in live:
            guid = str(known.guid)
            state, given = entity_at_home(cohort, guid)
            copy = found[guid]
            own = [
                each
                for each in copy.classifications or ()
                if home_of(each) == home_of(state)
            ]
            assert sorted(own, key=lambda each: str(each.name)) == [
                each for each in given if home_of(each) == home_of(state)
            ]
            assert (copy.version, copy.properties) == (state.version, state.properties)
        relationships = await held(here, Relationship)
        for link in links:
            guid = str(link.guid)
            at_home = cohort.relationships[guid]
            copied = relationships[guid]
            assert (copied.version, copied.status) == (at_home.version, at_home.status)
            assert ends_of(copied) == ends_of(at_home)

    run(work)
