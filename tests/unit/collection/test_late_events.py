"""What arrives after an event that it was sent before, on a bus that keeps no order."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from edgenode.collection.endings import Endings
from edgenode.collection.received import Outcome, Received
from edgenode.events import outbound
from edgenode.events.model import InstanceEvent, OMRSEventErrorCode
from edgenode.events.model import OMRSInstanceEventType as Event
from edgenode.events.streams import Position, Step
from edgenode.instances import lifecycle
from edgenode.instances.lifecycle import Edit
from edgenode.instances.model import EntityDetail, Relationship
from edgenode.limits import CLAIM_SECONDS
from edgenode.typedefs.status import InstanceStatus
from tests.model.house import (
    REMOTE,
    START,
    USER,
    instance_type,
    properties,
    remote_classification,
    remote_entity,
    remote_proxy,
    remote_relationship,
    type_guid,
)
from tests.unit.collection.members import THIRD, Member

TERM = "GlossaryTerm"
LATER = Edit("remote user", START - 1_000)
GONE = lifecycle.deleted(remote_entity(), LATER)
AT_IT = remote_relationship(remote_proxy("remote-1"), remote_proxy("other"))
GIVEN = remote_classification()


def by_ids(event_type: Event, guid: str) -> InstanceEvent:
    """A purge that carries nothing."""
    return InstanceEvent(
        event_type=event_type,
        type_def_guid=type_guid(TERM),
        type_def_name=TERM,
        instance_guid=guid,
    )


async def hear(
    here: Member, event: InstanceEvent, origin: str = REMOTE.id, at: int | None = None
) -> Received:
    return await here.collection.receive_instance_event(
        origin, None, event, here.rules, at=at
    )


async def hear_all(here: Member, events: Iterable[InstanceEvent]) -> None:
    for event in events:
        assert (await hear(here, event)).outcome is not Outcome.REFUSED


def entity(here: Member, guid: str = "remote-1") -> EntityDetail | None:
    stored = here.repository.entity(guid)
    if stored is None or stored.is_proxy:
        return None
    assert isinstance(stored.document.value, EntityDetail)
    return stored.document.value


def relationship(here: Member, guid: str = "remote-r") -> Relationship | None:
    stored = here.repository.relationship(guid)
    return None if stored is None else stored.document.value


# What is gone for good

PURGES = [
    outbound.purged(GONE),
    replace(outbound.purged(GONE), event_type=Event.DELETE_PURGED_ENTITY_EVENT),
    by_ids(Event.PURGED_ENTITY_EVENT, "remote-1"),
]


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize("purge", PURGES, ids=["entity", "delete-purge", "ids"])
async def test_nothing_brings_back_what_was_purged(
    here: Member, purge: InstanceEvent, is_known: bool
) -> None:
    if is_known:
        await hear_all(
            here, [outbound.created(remote_entity()), outbound.deleted(GONE)]
        )
    await hear(here, purge, at=START)
    classified = lifecycle.with_classification(remote_entity(), GIVEN)
    for event in (
        outbound.created(remote_entity()),
        outbound.deleted(GONE),
        outbound.refreshed(remote_entity()),
        outbound.classified(classified, GIVEN),
        outbound.classified(remote_proxy(), GIVEN),
        outbound.created(AT_IT),
    ):
        assert (await hear(here, event)).outcome is Outcome.IGNORED
    by_third = replace(GIVEN, metadata_collection_id=THIRD.id)
    told = outbound.classified(remote_proxy(), by_third)
    assert (await hear(here, told, THIRD.id)).outcome is Outcome.IGNORED
    assert await here.holdings() == {}
    assert here.repository.entity("remote-1") is None
    # Another one may have its GUID later.
    again = remote_entity(create_time=START + 5, version=1)
    assert (await hear(here, outbound.created(again))).outcome is Outcome.SAVED


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "unknown"])
async def test_a_purged_relationship_stays_away(here: Member, is_known: bool) -> None:
    if is_known:
        await hear_all(here, [outbound.created(AT_IT)])
    await hear(here, by_ids(Event.PURGED_RELATIONSHIP_EVENT, "remote-r"), at=START)
    assert (await hear(here, outbound.created(AT_IT))).outcome is Outcome.IGNORED
    assert relationship(here) is None


async def test_nobody_purges_in_anothers_name(here: Member) -> None:
    await hear(here, by_ids(Event.PURGED_ENTITY_EVENT, "remote-1"), THIRD.id)
    await hear(here, outbound.purged(GONE), THIRD.id)
    assert (
        await hear(here, outbound.created(remote_entity()))
    ).outcome is Outcome.SAVED


async def test_a_purge_by_ids_leaves_what_was_created_since(here: Member) -> None:
    await hear_all(here, [outbound.created(remote_entity())])
    purge = by_ids(Event.PURGED_ENTITY_EVENT, "remote-1")
    assert (await hear(here, purge, at=START - 6_000)).outcome is Outcome.IGNORED
    assert entity(here) is not None


async def test_in_an_order_that_is_kept_what_was_purged_can_come_back(
    here: Member,
) -> None:
    await here.repository.change(lambda tx: tx.move_to(REMOTE.id, Position("life", 0)))
    for number, event in enumerate(
        (
            outbound.created(remote_entity()),
            outbound.purged(remote_entity()),
            outbound.created(remote_entity()),
        )
    ):
        step = Step("life", number, number + 1)
        received = await here.hear(REMOTE.id, event, step)
        assert received.outcome is Outcome.SAVED


def test_the_oldest_ends_make_room() -> None:
    endings = Endings(limit=2)
    for name in ("a", "b", "c"):
        endings.purged(name, START)
    gone = [endings.is_purged(remote_entity(name)) for name in ("a", "b", "c")]
    assert gone == [False, True, True]


# Two instances of one owner


def test_of_a_deletion_no_more_is_kept_than_has_to_be() -> None:
    endings = Endings()
    large = "x" * 100_000
    endings.deleted(replace(GONE, instance_license=large, maintained_by=(large,)))
    kept = endings.deletion_of(GONE)
    assert kept is not None
    assert (kept.updated_by, lifecycle.last_change(kept)) == (LATER.user_id, LATER.time)
    assert large not in repr(kept)
    endings.deleted(replace(GONE, updated_by=large, update_time=LATER.time + 1))
    kept = endings.deletion_of(GONE)
    assert kept is not None
    assert lifecycle.last_change(kept) == LATER.time + 1
    assert large not in repr(kept)


async def test_of_two_with_one_guid_their_owners_later_one_holds(here: Member) -> None:
    later = remote_entity(create_time=START - 1_000, version=1)
    await hear_all(here, [outbound.created(remote_entity()), outbound.created(AT_IT)])
    assert (await hear(here, outbound.created(later))).outcome is Outcome.SAVED
    assert entity(here) == later
    assert relationship(here) is None
    stale = outbound.updated(remote_entity(), remote_entity(version=9))
    assert (await hear(here, stale)).outcome is Outcome.IGNORED
    assert entity(here) == later
    # A purge of the later one takes the earlier one along.
    await hear_all(here, [outbound.created(AT_IT)])
    other = replace(AT_IT, create_time=START)
    assert (await hear(here, outbound.purged(other))).outcome is Outcome.SAVED
    assert relationship(here) is None


# Deletions


async def test_relationships_go_with_an_entity_that_lives_again(here: Member) -> None:
    back = lifecycle.restored(GONE, Edit("x", START - 500))
    since = replace(AT_IT, guid="since", create_time=START - 400)
    other = replace(AT_IT, guid="late")
    await hear_all(
        here,
        [
            outbound.created(remote_entity()),
            outbound.created(AT_IT),
            outbound.restored(back),
            outbound.created(since),
        ],
    )
    known = relationship(here)
    assert known is not None
    assert known.status is InstanceStatus.ACTIVE
    assert (await hear(here, outbound.deleted(GONE))).outcome is Outcome.SAVED
    await hear_all(here, [outbound.created(other)])
    assert entity(here) == back
    for guid, status in (
        ("remote-r", InstanceStatus.DELETED),
        ("late", InstanceStatus.DELETED),
        ("since", InstanceStatus.ACTIVE),
    ):
        known = relationship(here, guid)
        assert known is not None
        assert known.status is status


# GUIDs that were given up


def moved(guid: str, old: EntityDetail, time: int) -> EntityDetail:
    return lifecycle.re_identified(old, guid, Edit("remote user", time))


async def test_relationships_follow_to_the_newest_guid(here: Member) -> None:
    second = moved("second", remote_entity(), START - 900)
    third = moved("third", second, START - 800)
    await hear_all(
        here,
        [
            outbound.created(AT_IT),
            outbound.re_identified(third, "second"),
            outbound.re_identified(second, "remote-1"),
            outbound.created(replace(AT_IT, guid="late")),
            outbound.created(remote_entity()),
        ],
    )
    for guid in ("remote-r", "late"):
        known = relationship(here, guid)
        assert known is not None
        assert known.status is InstanceStatus.ACTIVE
        assert known.entity_one_proxy is not None
        assert known.entity_one_proxy.guid == "third"
    assert entity(here, "third") == third
    for guid in ("remote-1", "second"):
        left = entity(here, guid)
        assert left is not None
        assert left.status is InstanceStatus.DELETED


async def test_relationships_follow_into_a_deletion_and_a_purge(here: Member) -> None:
    new = moved("new", remote_entity(), START - 900)
    gone = lifecycle.deleted(new, Edit("x", START - 800))
    follows = outbound.re_identified(new, "remote-1")
    await hear_all(here, [outbound.created(AT_IT), outbound.deleted(gone), follows])
    known = relationship(here)
    assert known is not None
    assert known.status is InstanceStatus.DELETED
    new = replace(new, guid="newer", re_identified_from_guid="other")
    gone = lifecycle.deleted(new, Edit("x", START - 800))
    follows = outbound.re_identified(new, "other")
    await hear_all(here, [outbound.purged(gone), follows])
    assert relationship(here) is None
    assert entity(here, "newer") is None


# Classifications


@pytest.mark.parametrize("form", ["entity", "proxy"])
async def test_a_classification_that_was_taken_away_stays_away(
    here: Member, form: str
) -> None:
    known: Any = remote_entity() if form == "entity" else remote_proxy(version=3)
    with_it = lifecycle.with_classification(known, GIVEN)
    changed = replace(GIVEN, version=2, properties=properties(notes="x"))
    await hear_all(
        here,
        [
            outbound.declassified(known, changed),
            outbound.classified(with_it, GIVEN),
            outbound.re_classified(with_it, GIVEN, changed),
            outbound.created(remote_entity(classifications=(GIVEN,))),
        ],
    )
    assert entity(here) == remote_entity()
    again = replace(GIVEN, create_time=START)
    await hear_all(here, [outbound.classified(known, again)])
    assert entity(here) == remote_entity(classifications=(again,))


async def test_a_classification_overtakes_the_state_before(here: Member) -> None:
    await hear_all(
        here,
        [
            outbound.created(remote_entity()),
            outbound.classified(remote_proxy(version=4), GIVEN),
        ],
    )
    state = remote_entity(version=4, update_time=START - 3_500)
    await hear_all(here, [outbound.updated(state, state)])
    assert entity(here) == replace(state, classifications=(GIVEN,))
    # What is told later without it says that it is gone.
    await hear(here, outbound.refreshed(state), at=START)
    assert entity(here) == state


# Answers to a refresh


async def test_an_answer_of_the_version_that_is_known_mends_the_copy(
    here: Member,
) -> None:
    await hear_all(here, [outbound.created(remote_entity())])
    changed = remote_entity(properties=properties(qualifiedName="other"))
    event = outbound.refreshed(changed)
    assert (await hear(here, event)).outcome is Outcome.SAVED
    assert entity(here) == changed
    assert (await hear(here, event)).outcome is Outcome.IGNORED
    await hear_all(here, [outbound.created(AT_IT)])
    other = replace(AT_IT, properties=properties(description="x"))
    assert (await hear(here, outbound.refreshed(other))).outcome is Outcome.SAVED
    assert (await hear(here, outbound.refreshed(other))).outcome is Outcome.IGNORED
    known = relationship(here)
    assert known is not None
    assert known.properties == other.properties


async def test_of_two_states_with_one_version_the_later_holds(here: Member) -> None:
    one = remote_entity(version=4, update_time=START - 2_000)
    other = remote_entity(
        version=4,
        update_time=START - 1_000,
        properties=properties(qualifiedName="other"),
    )
    for events in ((one, other), (other, one)):
        await hear_all(here, [outbound.updated(each, each) for each in events])
        assert entity(here) == other


async def test_an_undoing_brings_back_an_older_version_of_the_type(
    here: Member,
) -> None:
    await hear_all(here, [outbound.created(remote_entity())])
    before = replace(instance_type(TERM), type_def_version=1)
    back = remote_entity(version=4, type=before)
    assert (await hear(here, outbound.undone(back))).outcome is Outcome.SAVED
    assert entity(here) == back


# A new home


async def test_a_new_home_is_asked_for_what_it_told_before_it_was_one(
    here: Member,
) -> None:
    made = await here.collection.add_entity(
        USER, type_guid(TERM), properties(qualifiedName="ours"), None, None
    )
    await hear_all(here, [outbound.created(remote_entity())])
    count = len(await here.told())
    for known in (made.value, remote_entity()):
        taken = replace(
            known,
            version=known.version + 1,
            metadata_collection_id=THIRD.id,
            metadata_collection_name=THIRD.name,
        )
        newer = replace(taken, version=taken.version + 1)
        guid = str(known.guid)
        received = await hear(here, outbound.updated(taken, newer), THIRD.id)
        assert received.outcome is Outcome.REFUSED
        assert received.report is None
        assert entity(here, guid) == known
        taking = outbound.re_homed(taken, THIRD.id)
        assert (await hear(here, taking, THIRD.id)).outcome is Outcome.SAVED
        assert entity(here, guid) == taken
        asked = outbound.refresh_entity_requested(guid, type_guid(TERM), TERM, THIRD.id)
        assert (await here.instance_events())[count:] == [asked]
        count += 1
        answer = outbound.refreshed(newer)
        assert (await hear(here, answer, THIRD.id)).outcome is Outcome.SAVED
        assert entity(here, guid) == newer


async def test_a_claim_that_goes_on_is_complained_of(here: Member) -> None:
    await hear_all(here, [outbound.created(remote_entity())])
    claim = outbound.created(remote_entity(version=4, home=THIRD))
    received = await hear(here, claim, THIRD.id)
    assert received.report is None
    # A classification that comes along holds, whosever the entity is.
    mine = replace(GIVEN, metadata_collection_id=THIRD.id)
    told = lifecycle.with_classification(remote_entity(version=4, home=THIRD), mine)
    given = outbound.classified(told, mine)
    assert (await hear(here, given, THIRD.id)).outcome is Outcome.SAVED
    here.clock.time += int(CLAIM_SECONDS * 1000)
    received = await hear(here, claim, THIRD.id)
    assert received.report is not None
    assert received.code is OMRSEventErrorCode.CONFLICTING_INSTANCES
    assert entity(here) == remote_entity(classifications=(mine,))
