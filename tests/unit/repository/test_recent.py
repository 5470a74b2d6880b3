"""The newest events are told from memory just as from the file."""

from dataclasses import replace

import pytest

from edgenode.errors import EntityNotKnownError
from edgenode.events.model import InstanceEvent, OMRSInstanceEventType
from edgenode.repository.base import Transaction
from edgenode.repository.outbox import QueuedEvent
from edgenode.repository.recent import RecentEvents
from edgenode.repository.sqlite import SqliteRepository
from tests.unit.repository.conftest import Opener
from tests.unit.repository.samples import START, entity

BYTES = "edgenode.repository.recent.MAX_RECENT_EVENT_BYTES"


NEW = InstanceEvent(event_type=OMRSInstanceEventType.NEW_RELATIONSHIP_EVENT)


def told(change: Transaction, number: int) -> None:
    """An entity, an event that refers to it, and another one that doesn't."""
    new = entity(number)
    change.save_entity(new, START)
    event = InstanceEvent(
        event_type=OMRSInstanceEventType.NEW_ENTITY_EVENT,
        instance_guid=new.guid,
        entity=new,
    )
    change.queue_event(event)
    change.queue_event(replace(event, entity=entity(number, name="?")), "another")


async def fill(repository: SqliteRepository, count: int) -> None:
    for number in range(1, count + 1):
        await repository.change(lambda change: told(change, number))  # noqa: B023
        with pytest.raises(EntityNotKnownError):
            await repository.change(fail)


def fail(change: Transaction) -> None:
    change.queue_event(NEW)
    raise EntityNotKnownError("nobody", "test", "pi")


async def all_of(repository: SqliteRepository) -> list[list[QueuedEvent]]:
    """What is behind each number."""
    last = repository.last_sequence()
    return [await repository.events_after(each, 1_000) for each in range(last + 1)]


@pytest.mark.parametrize("kept", [0, 5_000, 1_000_000])
async def test_they_are_those_in_the_file(
    opener: Opener, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BYTES, kept)
    async with opener(keep_events=True) as repository:
        await fill(repository, 3)
    async with opener(keep_events=True) as repository:
        await repository.change(lambda change: told(change, 8))
        from_memory = await all_of(repository)
    async with opener(keep_events=True) as repository:
        assert await all_of(repository) == from_memory
    assert [len(each) for each in from_memory[:2]] == [8, 7]


async def test_no_question_goes_to_the_file_for_what_is_kept(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opener(keep_events=True) as repository:
        await fill(repository, 2)
        monkeypatch.delattr("edgenode.repository.outbox.events_after")
        (first, *_) = await repository.events_after(0, 1)
        assert first.event == (await repository.events_after(0, 10))[0].event
        assert await repository.events_after(repository.last_sequence(), 10) == []


def queued(sequence: int) -> QueuedEvent:
    return QueuedEvent(sequence, START, NEW)


def test_each_has_the_number_of_the_one_before_it() -> None:
    recent = RecentEvents(4)
    assert recent.after(4, 10) == []
    assert recent.after(3, 10) is None
    recent.add([(queued(7), 1), (queued(8), 1)])
    recent.add([(queued(12), 1)])
    behind = recent.after(5, 10)
    assert behind is not None
    assert [(each.after, each.sequence) for each in behind] == [(4, 7), (7, 8), (8, 12)]
    assert recent.after(7, 1) == behind[1:2]
    assert recent.after(3, 10) is None
    assert recent.last_sequence == 12


def test_they_are_kept_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BYTES, 10)
    recent = RecentEvents(0)
    recent.add([(queued(1), 6), (queued(2), 6)])
    assert recent.after(0, 10) is None
    assert [each.sequence for each in recent.after(1, 10) or ()] == [2]
    recent.add([(queued(3), 11)])
    assert recent.after(2, 10) is None
    assert recent.after(3, 10) == []
    recent.add([(queued(4), 4)])
    assert [each.sequence for each in recent.after(3, 10) or ()] == [4]
