"""The only reader of time."""

import time
from typing import Protocol

EpochMillis = int
"""Whole milliseconds since 1970-01-01T00:00:00Z, the precision of the wire's dates."""

BUILD_TIME: EpochMillis = 1_788_220_800_000
"""2026-09-01, before this version was made: no clock that is right tells less."""

FOLLOWED_SECONDS = 600.0
"""How long a clock has to run without a jump for the floor to follow it, and how often
that is looked at: a power loss costs ten minutes of the floor at most."""

GIVEN_UP_SECONDS = 86_400.0
GIVEN_UP_MILLIS: EpochMillis = 365 * 86_400_000
"""A floor that is further ahead than a year of a clock that ran a day without a jump is
wrong itself. A machine without a clock starts with a time that is hours or weeks old,
and gets the right one within a day if there is anybody to ask."""

_JUMP_MILLIS = 60_000


class Clock(Protocol):
    """What the house asks for the time."""

    def now(self) -> EpochMillis:
        """The wall clock."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, for durations and deadlines."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait so long."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> EpochMillis:
        """The wall clock."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait so long."""
        # Imported here: it takes long to load, and commands don't wait.
        import asyncio

        await asyncio.sleep(seconds)


class FlooredClock:
    """A clock for machines that start without the time: it tells none before its floor.

    The floor moves on with the time that passes. Where the wall clock is behind it, the
    floor is what is told. It follows the wall clock forward only to times that lasted,
    ten minutes without a jump, so that a clock which is wrong for a moment leaves no
    trace. If it was led astray all the same it is given up for a wall clock that has
    run steadily for a day and is more than a year behind.
    """

    def __init__(self, clock: Clock, floor: EpochMillis = 0) -> None:
        """Put a floor below a clock.

        Args:
            clock: The machine's.
            floor: The floor that was kept last; the time of the build if it is less.
        """
        self._clock = clock
        self._floor = max(floor, BUILD_TIME)
        self._floor_at = self._steady_since = clock.monotonic()
        self._offset = self._present_offset()

    def now(self) -> EpochMillis:
        """The wall clock, or the floor where that is later."""
        return max(self._clock.now(), self.floor())

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait so long."""
        await self._clock.sleep(seconds)

    def floor(self) -> EpochMillis:
        """The time that it is at least; to be kept for the next start."""
        passed = self._clock.monotonic() - self._floor_at
        return self._floor + int(passed * 1000)

    def follow(self) -> None:
        """Look at the wall clock; once in ten minutes, and before the floor is kept."""
        present, before = self._present_offset(), self._offset
        self._offset = present
        if abs(present - before) > _JUMP_MILLIS:
            self._steady_since = self._clock.monotonic()
        lasted = self._clock.monotonic() - self._steady_since
        now = self._clock.now()
        lead = self.floor() - now
        if (lead < 0 and lasted >= FOLLOWED_SECONDS) or (
            lead > GIVEN_UP_MILLIS and lasted >= GIVEN_UP_SECONDS and now >= BUILD_TIME
        ):
            self._floor, self._floor_at = now, self._clock.monotonic()

    def _present_offset(self) -> EpochMillis:
        """What the wall clock tells beyond the time that passed."""
        return self._clock.now() - int(self._clock.monotonic() * 1000)
