"""Events are written with their change, mostly by reference, and read as they were."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from edgenode.errors import EntityNotKnownError
from edgenode.events.model import (
    InstanceEvent,
    OMRSInstanceEventType,
    OMRSTypeDefEventType,
    TypeDefEvent,
)
from edgenode.instances.model import EntityDetail
from edgenode.repository import outbox
from edgenode.repository.base import Transaction
from edgenode.repository.sqlite import SqliteRepository
from edgenode.typedefs.model import EntityDef, TypeDefSummary
from tests.unit.repository.conftest import Opener
from tests.unit.repository.samples import (
    HOME,
    START,
    SetClock,
    classified,
    entity,
    guid,
    proxy,
    relationship,
)

NEW = InstanceEvent(
    event_type=OMRSInstanceEventType.NEW_ENTITY_EVENT,
    type_def_guid="guid-of-GlossaryTerm",
    type_def_name="GlossaryTerm",
    instance_guid=guid(1),
    entity=entity(1),
)
UPDATED = replace(
    NEW,
    event_type=OMRSInstanceEventType.UPDATED_ENTITY_EVENT,
    original_entity=entity(1),
    entity=entity(1, version=2),
)


pytestmark = pytest.mark.usefixtures("events_from_the_file")


def add(change: Transaction) -> None:
    change.save_entity(entity(1), START)
    change.queue_event(NEW)


def update(change: Transaction) -> None:
    found = change.entity(guid(1))
    assert found is not None
    original = found.document.value
    assert isinstance(original, EntityDetail)
    change.save_entity(entity(1, version=2), START + 1)
    change.queue_event(replace(UPDATED, original_entity=original))


async def events(repository: SqliteRepository) -> list[InstanceEvent | TypeDefEvent]:
    return [queued.event for queued in await repository.events_after(0, 1_000)]


def stored_bytes(path: Path) -> list[int]:
    """How much each event takes beyond the states it refers to."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT length(detail) FROM outbox ORDER BY 1")
        return [length for (length,) in rows.fetchall()]


async def test_events_refer_to_stored_states(opener: Opener, path: Path) -> None:
    async with opener(keep_events=True) as repository:
        await repository.change(add)
        await repository.change(update)
        assert await events(repository) == [NEW, UPDATED]
        assert max(stored_bytes(path)) < 200


async def test_every_kind_of_event_is_read_as_it_was_queued(
    opener: Opener, path: Path
) -> None:
    tagged = classified(entity(1), "Retention")
    assert tagged.classifications
    queued: list[InstanceEvent | TypeDefEvent] = [
        NEW,
        replace(
            NEW,
            event_type=OMRSInstanceEventType.CLASSIFIED_ENTITY_EVENT,
            entity=None,
            entity_proxy=proxy(2),
            classification=tagged.classifications[0],
        ),
        InstanceEvent(
            event_type=OMRSInstanceEventType.NEW_RELATIONSHIP_EVENT,
            type_def_name="Synonym",
            relationship=relationship(9, 1, 2),
        ),
        InstanceEvent(
            event_type=OMRSInstanceEventType.UPDATED_RELATIONSHIP_EVENT,
            original_relationship=relationship(9, 1, 2),
            relationship=relationship(9, 1, 2, version=2),
        ),
        replace(
            NEW,
            event_type=OMRSInstanceEventType.RETYPED_ENTITY_EVENT,
            original_type_def_summary=TypeDefSummary(guid="t", name="Referenceable"),
        ),
        InstanceEvent(
            event_type=OMRSInstanceEventType.REFRESH_ENTITY_REQUEST,
            instance_guid=guid(77),
            home_metadata_collection_id=HOME,
        ),
        TypeDefEvent(
            type_def_event_type=OMRSTypeDefEventType.NEW_TYPEDEF_EVENT,
            type_def=EntityDef(guid="t9", name="Sensor", version=1),
        ),
    ]

    def work(change: Transaction) -> None:
        change.save_entity(entity(1), START)
        change.save_proxy(proxy(2), START)
        change.save_relationship(relationship(9, 1, 2), START)
        change.save_relationship(relationship(9, 1, 2, version=2), START)
        for event in queued:
            change.queue_event(event)

    async with opener(keep_events=True) as repository:
        await repository.change(work)
        assert await events(repository) == queued


async def test_an_instance_that_is_not_stored_travels_in_the_event(
    opener: Opener,
) -> None:
    unstored = replace(NEW, entity=entity(1, name="as somebody else sees it"))

    def work(change: Transaction) -> None:
        add(change)
        change.queue_event(unstored)

    async with opener(keep_events=True) as repository:
        await repository.change(work)
        assert await events(repository) == [NEW, unstored]


@pytest.mark.parametrize("purges_first", [True, False])
async def test_events_outlive_what_they_tell_of(
    opener: Opener, *, purges_first: bool
) -> None:
    purged = replace(
        NEW,
        event_type=OMRSInstanceEventType.PURGED_ENTITY_EVENT,
        entity=entity(1, version=2),
    )

    def purge(change: Transaction) -> None:
        if purges_first:
            change.purge_entity(guid(1))
        change.queue_event(purged)
        if not purges_first:
            change.purge_entity(guid(1))

    async with opener(keep_events=True) as repository:
        await repository.change(add)
        await repository.change(update)
        await repository.change(purge)
        assert await events(repository) == [NEW, UPDATED, purged]
    async with opener(keep_events=True) as repository:
        assert await events(repository) == [NEW, UPDATED, purged]


async def test_an_undone_change_sends_nothing(opener: Opener) -> None:
    def fail(change: Transaction) -> None:
        add(change)
        raise EntityNotKnownError(guid(1), "test", "pi")

    async with opener(keep_events=True) as repository:
        with pytest.raises(EntityNotKnownError):
            await repository.change(fail)
        assert await events(repository) == []
        await repository.change(add)
        assert await events(repository) == [NEW]


async def test_sequence_numbers_rise_and_are_never_given_twice(
    opener: Opener, clock: SetClock
) -> None:
    numbers: list[int] = []
    for _ in range(3):
        async with opener(keep_events=True) as repository:
            clock.time += 5
            await repository.change(add)
            await repository.change(add)
            last = numbers[-1] if numbers else 0
            queued = await repository.events_after(last, 10)
            assert [event.at for event in queued] == [clock.time] * 2
            numbers += [event.sequence for event in queued]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 6


async def test_events_are_read_in_portions(opener: Opener) -> None:
    async with opener(keep_events=True) as repository:
        for _ in range(5):
            await repository.change(add)
        first = await repository.events_after(0, 2)
        rest = await repository.events_after(first[-1].sequence, 10)
    assert [(each.after, each.sequence) for each in first] == [(0, 1), (1, 2)]
    assert [(each.after, each.sequence) for each in rest] == [(2, 3), (3, 4), (4, 5)]


async def test_a_portion_is_not_too_large(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opener(keep_events=True) as repository:
        for _ in range(4):
            await repository.change(add)
        monkeypatch.setattr(outbox, "MAX_OUTBOX_PAGE_BYTES", 1_500)
        pairs = [each.sequence for each in await repository.events_after(0, 100)]
        monkeypatch.setattr(outbox, "MAX_OUTBOX_PAGE_BYTES", 10)
        single = [each.sequence for each in await repository.events_after(2, 100)]
    assert (pairs, single) == ([1, 2], [3])


async def test_without_anybody_to_send_them_to_events_are_not_kept(
    opener: Opener,
) -> None:
    async with opener(keep_events=False) as repository:
        await repository.change(add)
        assert await events(repository) == []
