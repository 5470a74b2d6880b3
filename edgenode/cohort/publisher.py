"""Sends the events of one member from its outbox, in order, after their commit.

Nothing waits for the bus, and nothing has to arrive: each event names the number of the
one before it, so whoever misses one sees the gap and fetches what is missing. When more
has piled up than is worth sending one by one (an archive was loaded), only the newest
event is sent; it shows everybody the gap, and the rest is fetched in bulk.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from edgenode.clock import Clock
from edgenode.events.streams import Step
from edgenode.limits import (
    FIRST_RETRY_SECONDS,
    LONGEST_RETRY_SECONDS,
    MAX_SINGLE_EVENTS,
)
from edgenode.repository.outbox import QueuedEvent

logger = logging.getLogger(__name__)


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
        self,
        outbox: Outbox,
        publish: Callable[[Step, QueuedEvent], bool],
        clock: Clock,
    ) -> None:
        """Begin behind what is there: that is fetched by whoever misses it.

        Args:
            outbox: The member's.
            publish: Puts an event on the bus; False when this cohort isn't sent it.
            clock: Times retries.
        """
        self._outbox = outbox
        self._publish = publish
        self._clock = clock
        self._read = outbox.last_sequence()
        self._steps = Steps(outbox.incarnation())
        self._woken = asyncio.Event()
        self._is_draining = False

    @property
    def is_busy(self) -> bool:
        """Whether there is something to send."""
        return self._is_draining or self._woken.is_set()

    def wake(self) -> None:
        """There is something new in the outbox."""
        self._woken.set()

    def repeat_newest(self) -> None:
        """Send the newest event once more: whoever missed what was before sees the gap."""
        self._read = max(0, min(self._read, self._outbox.last_sequence() - 1))
        self._steps = Steps(self._outbox.incarnation())
        self._woken.set()

    async def run(self) -> None:
        """Send what is there, and then whatever comes, until cancelled."""
        wait = FIRST_RETRY_SECONDS
        while True:
            await self._woken.wait()
            self._woken.clear()
            if await self._is_drained():
                wait = FIRST_RETRY_SECONDS
            else:
                await self._clock.sleep(wait)
                wait = min(2 * wait, LONGEST_RETRY_SECONDS)
                self._woken.set()

    async def _is_drained(self) -> bool:
        """Send what is there; False when that failed, and is to be tried again."""
        self._is_draining = True
        try:
            await self._drain()
        except Exception:
            # Neither a disk that fails nor what is wrong with one event ends the others.
            logger.exception("the newest events couldn't be sent")
            # An event that was passed over is missed, and so it has to show.
            self._steps = Steps(self._outbox.incarnation())
            return False
        finally:
            self._is_draining = False
        return True

    async def _drain(self) -> None:
        while self._read < (last := self._outbox.last_sequence()):
            # Numbers have gaps: this is the most there can be, not what there is.
            if last - self._read > MAX_SINGLE_EVENTS:
                self._read = last - 1
                self._steps = Steps(self._outbox.incarnation())
            events = await self._outbox.events_after(self._read, MAX_SINGLE_EVENTS)
            if not events:
                return
            for event in events:
                self._read = event.sequence
                self._steps.passed(self._publish(self._steps.step(event), event))
            # Others have a turn, and so has the bus.
            await asyncio.sleep(0)


class Steps:
    """The places of events, for a cohort that isn't sent all of them.

    What isn't sent can't be missed: the next event that is sent follows the last one
    that was.
    """

    def __init__(self, incarnation: str) -> None:
        self._incarnation = incarnation
        self._unsent: int | None = None
        self._after = 0

    def step(self, event: QueuedEvent) -> Step:
        """The place of the next event in the outbox."""
        self._after = event.after
        if self._unsent is not None:
            self._after = min(self._after, self._unsent)
        return Step(self._incarnation, self._after, event.sequence)

    def passed(self, is_sent: bool) -> None:
        """The event was sent, or is one that the cohort isn't sent."""
        self._unsent = None if is_sent else self._after
