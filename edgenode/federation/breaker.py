"""Whether a member is asked at all: a state machine without clock or I/O.

Closed, everything is asked. After some failures in a row it is open and nothing is, so
that nobody waits for a member that is off. Then one question is let through to try it;
the pause doubles with each try that fails.
"""

from dataclasses import dataclass
from enum import Enum

from edgenode.limits import (
    FIRST_MEMBER_PAUSE_SECONDS,
    LONGEST_MEMBER_PAUSE_SECONDS,
    TOLERATED_MEMBER_FAILURES,
)


class BreakerState(Enum):
    """Whether questions pass."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(slots=True)
class Breaker:
    """The state for one member; times are seconds that never go back.

    Attributes:
        state: Whether questions pass; HALF_OPEN while one is let through as a try.
        failures: How many there were in a row.
        until: When the next try may be made, while it is open.
    """

    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    until: float = 0.0

    def admits(self, now: float) -> bool:
        """Whether a question may be asked; whoever asks it reports how it went."""
        match self.state:
            case BreakerState.CLOSED:
                return True
            case BreakerState.HALF_OPEN:
                return False
            case BreakerState.OPEN:
                if now < self.until:
                    return False
                self.state = BreakerState.HALF_OPEN
                return True

    def succeeded(self) -> None:
        """A question was answered."""
        self.state, self.failures = BreakerState.CLOSED, 0

    def failed(self, now: float) -> None:
        """A question wasn't answered."""
        was_open = self.state is BreakerState.OPEN
        self.failures += not was_open  # those that were under way count for one
        if self.failures < TOLERATED_MEMBER_FAILURES or was_open:
            return
        self.state = BreakerState.OPEN
        self.until = now + self.pause

    def returned(self) -> None:
        """The member's node is there again: it is asked again, and one failure is enough."""
        if self.state is not BreakerState.CLOSED:
            self.state = BreakerState.CLOSED
            self.failures = TOLERATED_MEMBER_FAILURES - 1

    def gave_up(self, now: float) -> None:
        """The asker lost interest before anything could be told about the member."""
        if self.state is BreakerState.HALF_OPEN:
            self.state, self.until = BreakerState.OPEN, now

    @property
    def pause(self) -> float:
        """How long nothing is asked after so many failures."""
        doublings = min(max(self.failures - TOLERATED_MEMBER_FAILURES, 0), _MANY)
        return min(
            FIRST_MEMBER_PAUSE_SECONDS * (1 << doublings), LONGEST_MEMBER_PAUSE_SECONDS
        )


_MANY = 30
"""Doublings beyond which a power of two is only a large number."""
