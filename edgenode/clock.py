"""The only reader of time."""

import time
from typing import Protocol

EpochMillis = int
"""Whole milliseconds since 1970-01-01T00:00:00Z, the precision of the wire's dates."""


class Clock(Protocol):
    """What the house asks for the time."""

    def now(self) -> EpochMillis:
        """The wall clock."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, for durations and deadlines."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> EpochMillis:
        """The wall clock."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()
