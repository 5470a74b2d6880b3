"""Places in the events of a member, and sums over what a member holds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the events of a member: behind ``sequence``, in one incarnation."""

    incarnation: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Step:
    """One event's place: it follows the one numbered ``after``.

    Numbers between the two belong to events that this cohort isn't sent.
    """

    incarnation: str
    after: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Sum:
    """How many things there are in a group, and the sum of their digests."""

    count: int
    digest: int
