"""What one cohort tells is queued for the other one, as whose event it is."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from edgenode.collection.passing_on import State, differences
from edgenode.events import outbound
from edgenode.events.frames import StateFrame
from edgenode.events.model import (
    InstanceEvent,
    OMRSTypeDefEventType,
    TypeDefEvent,
)
from edgenode.events.model import OMRSInstanceEventType as Event
from edgenode.events.streams import Position, Step
from edgenode.instances.model import Classification, EntityDetail
from edgenode.typedefs.model import EntityDef, TypeDefCategory, TypeDefLink
from edgenode.typedefs.status import InstanceStatus
from tests.model.house import (
    CODEC,
    REMOTE,
    properties,
    remote_classification,
    remote_entity,
    remote_proxy,
    type_guid,
)
from tests.unit.collection.members import THIRD, Member, cohort
from tests.unit.collection.test_replicas import RELATIONSHIP

ENTITY = remote_entity()
CHANGED = remote_entity(version=4, properties=properties(qualifiedName="else"))
DELETED = replace(ENTITY, version=4, status=InstanceStatus.DELETED)
GIVEN = remote_classification()
OTHERS = remote_classification("Retention", metadata_collection_id=THIRD.id)
PUMP = EntityDef(
    guid="11111111-2222-4333-8444-555555555555",
    name="Pump",
    version=1,
    version_name="1.0",
    category=TypeDefCategory.ENTITY_DEF,
    super_type=TypeDefLink(guid=type_guid("Asset"), name="Asset"),
)


@pytest.fixture
async def bridge(tmp_path: Path) -> AsyncIterator[Member]:
    async with cohort(tmp_path, "here") as [member]:
        member.known_collections |= {REMOTE.id, THIRD.id}
        yield replace(member, passes_on=True)


async def queued(member: Member) -> list[tuple[str | None, object]]:
    return [
        (each.origin, each.event)
        for each in await member.repository.events_after(0, 100)
    ]


async def test_what_is_news_is_queued_once_as_who_told_it(bridge: Member) -> None:
    created = outbound.created(ENTITY)
    await bridge.hear(REMOTE.id, created)
    await bridge.hear(REMOTE.id, created)
    await bridge.hear(THIRD.id, created)
    assert await queued(bridge) == [(REMOTE.id, created)]


async def test_what_comes_in_order_is_queued_though_it_is_no_news(
    bridge: Member,
) -> None:
    created = outbound.created(ENTITY)
    await bridge.hear(REMOTE.id, created)
    await bridge.repository.change(lambda tx: tx.move_to(REMOTE.id, Position("l", 0)))
    await bridge.hear(REMOTE.id, created, Step("l", 0, 1))
    await bridge.hear(REMOTE.id, created, Step("l", 0, 1))
    assert await queued(bridge) == [(REMOTE.id, created)] * 2


async def test_that_something_is_gone_is_queued_though_it_was_gone(
    bridge: Member,
) -> None:
    gone = [
        outbound.purged(ENTITY),
        outbound.purged(RELATIONSHIP),
        outbound.declassified(ENTITY, GIVEN),
    ]
    for event in gone:
        await bridge.hear(REMOTE.id, event)
    await bridge.hear(REMOTE.id, outbound.deleted(DELETED))
    assert await queued(bridge) == [(REMOTE.id, event) for event in gone]


async def test_types_are_queued_once(bridge: Member) -> None:
    told = TypeDefEvent(
        type_def_event_type=OMRSTypeDefEventType.NEW_TYPEDEF_EVENT, type_def=PUMP
    )
    for origin in (REMOTE.id, THIRD.id):
        await bridge.collection.receive_type_def_event(origin, None, told)
    assert await queued(bridge) == [(REMOTE.id, told)]


async def test_types_that_grew_are_queued_as_patches(bridge: Member) -> None:
    grown = replace(PUMP, version=2, version_name="2.0", description="It pumps.")
    await bridge.collection.adopt_type_defs((), [PUMP], REMOTE.id)
    for _ in range(2):
        await bridge.collection.adopt_type_defs((), [grown], REMOTE.id)
    ((origin, told),) = await queued(bridge)
    assert origin == REMOTE.id
    assert isinstance(told, TypeDefEvent)
    assert told.type_def_event_type is OMRSTypeDefEventType.UPDATED_TYPEDEF_EVENT
    assert told.type_def_patch is not None
    assert told.type_def_patch.update_to_version == 2
    assert told.type_def_patch.description == "It pumps."


async def test_who_asks_for_a_copy_is_answered_in_the_name_of_its_home(
    bridge: Member,
) -> None:
    created = outbound.created(ENTITY)
    await bridge.hear(REMOTE.id, created)
    term = type_guid("GlossaryTerm")
    asked = outbound.refresh_entity_requested("remote-1", term, "GlossaryTerm", "")
    for origin in (THIRD.id, REMOTE.id):
        await bridge.hear(origin, asked)
    assert await queued(bridge) == [
        (REMOTE.id, created),
        (REMOTE.id, outbound.refreshed(ENTITY)),
    ]


async def test_what_comparing_shows_is_queued(bridge: Member) -> None:
    frame = StateFrame("remote-1", "EntityDetail", CODEC.encode(ENTITY))
    for _ in range(2):
        await bridge.collection.adopt_states(REMOTE.id, REMOTE.id, [frame])
    await bridge.collection.adopt_states(
        REMOTE.id, REMOTE.id, [StateFrame("remote-1")] * 2
    )
    assert await queued(bridge) == [
        (REMOTE.id, outbound.refreshed(ENTITY)),
        (REMOTE.id, outbound.purged(ENTITY)),
    ]


def with_given(*given: Classification) -> EntityDetail:
    return replace(ENTITY, classifications=given or None)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, ENTITY, [outbound.refreshed(ENTITY)]),
        (ENTITY, CHANGED, [outbound.refreshed(CHANGED)]),
        (ENTITY, DELETED, [outbound.deleted(DELETED)]),
        (ENTITY, ENTITY, []),
        (ENTITY, None, [outbound.purged(ENTITY)]),
        (RELATIONSHIP, None, [outbound.purged(RELATIONSHIP)]),
        (None, RELATIONSHIP, [outbound.refreshed(RELATIONSHIP)]),
        (None, remote_entity(home=THIRD), []),
        (remote_entity(home=THIRD), None, []),
        (remote_proxy(), None, []),
        (None, None, []),
        (ENTITY, with_given(GIVEN), [outbound.classified(with_given(GIVEN), GIVEN)]),
        (with_given(GIVEN), ENTITY, [outbound.declassified(ENTITY, GIVEN)]),
        (with_given(GIVEN, OTHERS), with_given(GIVEN), []),
        (ENTITY, with_given(OTHERS), []),
    ],
)
def test_it_tells_what_its_owner_did(
    before: State | None, after: State | None, told: list[InstanceEvent]
) -> None:
    assert list(differences(before, after, REMOTE.id)) == told


def test_what_was_given_to_an_entity_of_others_is_told_by_whoever_gave_it() -> None:
    after = replace(remote_proxy(), classifications=(GIVEN, OTHERS))
    (told,) = differences(None, after, THIRD.id)
    assert (told.event_type, told.classification) == (
        Event.CLASSIFIED_ENTITY_EVENT,
        OTHERS,
    )
