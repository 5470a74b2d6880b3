"""Events go out in order; each names the one before it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from edgenode.cohort.publisher import Publisher
from edgenode.events.model import InstanceEvent, OMRSInstanceEventType
from edgenode.events.streams import Step
from edgenode.limits import FIRST_RETRY_SECONDS, MAX_SINGLE_EVENTS
from edgenode.repository.outbox import QueuedEvent
from tests.unit.cohort.clocks import FakeClock

TURNS = 20


class Outbox:
    """Events in memory; the repository's own is tried in the tests of nodes."""

    def __init__(self, last: int = 0) -> None:
        self.events: list[QueuedEvent] = []
        self.last = last
        self.is_failing = False

    def add(self, sequence: int) -> None:
        event = InstanceEvent(event_type=OMRSInstanceEventType.NEW_ENTITY_EVENT)
        self.events.append(QueuedEvent(sequence, 0, event, self.last))
        self.last = sequence

    def incarnation(self) -> str:
        return "i"

    def last_sequence(self) -> int:
        return self.last

    async def events_after(self, sequence: int, limit: int) -> list[QueuedEvent]:
        if self.is_failing:
            raise sqlite3.OperationalError("disk I/O error")
        return [event for event in self.events if event.sequence > sequence][:limit]


@asynccontextmanager
async def publishing(
    outbox: Outbox,
    *,
    unsent: frozenset[int] = frozenset(),
    unspeakable: frozenset[int] = frozenset(),
    clock: FakeClock | None = None,
) -> AsyncIterator[tuple[Publisher, asyncio.Queue[Step]]]:
    steps: asyncio.Queue[Step] = asyncio.Queue()

    def publish(step: Step, event: QueuedEvent) -> bool:
        if event.sequence in unspeakable:
            raise ValueError("nothing to be said")
        if event.sequence in unsent:
            return False
        steps.put_nowait(step)
        return True

    publisher = Publisher(outbox, publish, clock or FakeClock())
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(publisher.run())
        yield publisher, steps
        running.cancel()


async def test_each_event_names_the_one_before() -> None:
    outbox = Outbox(last=7)
    async with publishing(outbox) as (publisher, steps):
        outbox.add(8)
        outbox.add(11)
        publisher.wake()
        assert await steps.get() == Step("i", 7, 8)
        assert await steps.get() == Step("i", 8, 11)
        outbox.add(12)
        publisher.wake()
        assert await steps.get() == Step("i", 11, 12)


async def test_what_is_not_sent_is_not_missed() -> None:
    outbox = Outbox()
    async with publishing(outbox, unsent=frozenset({2, 3})) as (publisher, steps):
        for sequence in (1, 2, 3, 4):
            outbox.add(sequence)
        publisher.wake()
        assert await steps.get() == Step("i", 0, 1)
        assert await steps.get() == Step("i", 1, 4)


async def test_of_a_long_row_the_newest_is_sent() -> None:
    outbox = Outbox()
    count = 2 * MAX_SINGLE_EVENTS
    async with publishing(outbox) as (publisher, steps):
        for sequence in range(1, count + 1):
            outbox.add(sequence)
        publisher.wake()
        assert await steps.get() == Step("i", count - 1, count)
        assert steps.empty()


async def tried_again(clock: FakeClock) -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)
    clock.advance(FIRST_RETRY_SECONDS)


async def test_a_disk_that_fails_is_read_again() -> None:
    outbox, clock = Outbox(), FakeClock()
    async with publishing(outbox, clock=clock) as (publisher, steps):
        outbox.add(1)
        outbox.is_failing = True
        publisher.wake()
        await tried_again(clock)
        outbox.is_failing = False
        assert await steps.get() == Step("i", 0, 1)


async def test_what_cannot_be_sent_is_missed_and_the_rest_goes_on() -> None:
    outbox, clock = Outbox(), FakeClock()
    two, three = frozenset({2}), frozenset({3})
    async with publishing(outbox, unsent=two, unspeakable=three, clock=clock) as (
        publisher,
        steps,
    ):
        for sequence in (1, 2, 3, 4):
            outbox.add(sequence)
        publisher.wake()
        assert await steps.get() == Step("i", 0, 1)
        await tried_again(clock)
        assert await steps.get() == Step("i", 3, 4)
