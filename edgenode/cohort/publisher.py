"""Sends the events of one member from its outbox, in order, after their commit.

Nothing waits for the bus, and nothing has to arrive: each event names the number of the
one before it, so whoever misses one sees the gap and fetches what is missing. When more
has piled up than is worth sending one by one (an archive was loaded), only the newest
event is sent; it shows everybody the gap, and the rest is fetched in bulk.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from edgenode.events.streams import Position, Step
from edgenode.limits import MAX_SINGLE_EVENTS
from edgenode.repository.outbox import QueuedEvent


class Outbox(Protocol):
    """What is sent from."""

    def incarnation(self) -> str:
        """Which life of the store this is."""
        ...

    def last_sequence(self) -> int:
        """The number of the newest event; 0 before the first."""
        ...

    async def events_after(self, sequence: int, limit: int) -> list[QueuedEvent]:
        """The events behind a number, oldest first, at most so many."""
        ...


class Publisher:
    """Follows one outbox."""

    def __init__(
        self, outbox: Outbox, publish: Callable[[Step, QueuedEvent], bool]
    ) -> None:
        """Begin behind what is there: that is fetched by whoever misses it.

        Args:
            outbox: The member's.
            publish: Puts an event on the bus; False when this cohort isn't sent it.
        """
        self._outbox = outbox
        self._publish = publish
        self._read = outbox.last_sequence()
        self._sent = self._read
        self._woken = asyncio.Event()

    @property
    def sent(self) -> Position:
        """How far the cohort has been told, of what it is sent."""
        return Position(self._outbox.incarnation(), self._sent)

    def wake(self) -> None:
        """There is something new in the outbox."""
        self._woken.set()

    async def run(self) -> None:
        """Send what is there, and then whatever comes, until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            await self._drain()

    async def _drain(self) -> None:
        while self._read < (last := self._outbox.last_sequence()):
            # Numbers have gaps: this is the most there can be, not what there is.
            if last - self._read > MAX_SINGLE_EVENTS:
                self._read = last - 1
                self._sent = self._read
            events = await self._outbox.events_after(self._read, MAX_SINGLE_EVENTS)
            if not events:
                return
            for event in events:
                step = Step(self._outbox.incarnation(), self._sent, event.sequence)
                self._read = event.sequence
                if self._publish(step, event):
                    self._sent = event.sequence
            # Others have a turn, and so has the bus.
            await asyncio.sleep(0)
