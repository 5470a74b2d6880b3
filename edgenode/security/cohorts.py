"""Which cohort a node is in: pure data, and how it changes."""

from dataclasses import dataclass, field, replace

from edgenode.clock import EpochMillis
from edgenode.errors import EdgeNodeError
from edgenode.limits import (
    MAX_FORMER_KEYS,
    MAX_KEY_JUMP,
    MAX_KEY_NUMBER,
    MAX_OVERLAP_DAYS,
    ROTATION_TOLD_DAYS,
)
from edgenode.security.keys import CohortKey

DAY_MILLIS = 86_400_000
_TOLD_MILLIS = ROTATION_TOLD_DAYS * DAY_MILLIS


def latest_overlap(now: EpochMillis) -> EpochMillis:
    """When the overlap of a rotation that is made now ends at the latest."""
    return now + int(MAX_OVERLAP_DAYS * DAY_MILLIS)


class RotationError(EdgeNodeError):
    """The key can't be rotated now; the message says what to do instead."""


@dataclass(frozen=True, slots=True)
class ToldKey:
    """What a node tells another of the cohort's key.

    Attributes:
        token: The current key, as join token.
        number: Its number.
        overlap_ends: When the one before isn't trusted any more.
    """

    token: str = field(repr=False)
    number: int
    overlap_ends: EpochMillis


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """A cohort as one of its nodes knows it.

    Attributes:
        key: The current key.
        number: Rises with each rotation; 0 after joining, until a member told it.
        previous: The key before, while it is trusted.
        overlap_ends: When it isn't any more.
        is_open: Whether it is in open mode, where the key is no secret.
        former: The tags of keys that were rotated away here without an overlap, because
            others may have them; the last one last.
        rotated_at: When that was done last, since this node joined.
        first_tag: The tag of the key with which this node came into it; empty while that
            is the current one.
    """

    key: CohortKey
    number: int = 1
    previous: CohortKey | None = None
    overlap_ends: EpochMillis = 0
    is_open: bool = False
    former: tuple[str, ...] = ()
    rotated_at: EpochMillis = 0
    first_tag: str = ""

    @property
    def id(self) -> str:
        """What this node tells it by from others it is, or was, in.

        A rotation makes no other one. Nodes that came into it with different keys have
        different ids for it.
        """
        if self.is_open:
            return f"open-{self.key.name}"
        return self.first_tag or self.key.tag

    def trusted(self, now: EpochMillis) -> tuple[CohortKey, ...]:
        """The keys whose certificates are good, the current one first."""
        if self.previous is None or now >= self.overlap_ends:
            return (self.key,)
        return (self.key, self.previous)

    def rotated(
        self, key: CohortKey, now: EpochMillis, overlap_days: float
    ) -> "Cohort":
        """The cohort with a new key.

        Without an overlap nobody hears of it from this node: each machine joins again.
        That keeps out whoever took the old key; with an overlap it could ask for the
        new one.

        Raises:
            RotationError: Some members would lose touch.
        """
        if self.number >= MAX_KEY_NUMBER:
            raise RotationError(
                "the key's number can't rise any more: make a new cohort with "
                "'edgenode cohort create --replace', and join each other machine to it"
            )
        if overlap_days <= 0:
            gone = [each.tag for each in (self.previous, self.key) if each is not None]
            return replace(
                self,
                key=key,
                number=self.number + 1,
                previous=None,
                overlap_ends=0,
                former=(*self.former, *gone)[-MAX_FORMER_KEYS:],
                rotated_at=now,
                first_tag=self.id,
            )
        if self.number == 0:
            raise RotationError(
                "this node has not met the cohort yet: rotate the key on another one, "
                "or run this one until it has met a member, or rotate without an overlap"
            )
        if len(self.trusted(now)) > 1:
            raise RotationError(
                "the last rotation's overlap goes on: wait for its end, "
                "or rotate without an overlap"
            )
        return replace(
            self,
            key=key,
            number=self.number + 1,
            previous=self.key,
            overlap_ends=now + int(overlap_days * DAY_MILLIS),
            first_tag=self.id,
        )

    def taught(
        self, key: CohortKey, number: int, overlap_ends: EpochMillis
    ) -> "Cohort":
        """The cohort after a member told its current key; the same if that isn't newer.

        Where two were made at once all settle for the same one.
        """
        if not self.may_rise_to(number):
            return self
        if key.name != self.key.name or (number, key.tag) < (self.number, self.key.tag):
            return self
        if key == self.key:
            return replace(self, number=number)
        # Of two that were made at once, neither is the one before.
        before = self.previous if number == self.number else None
        return replace(
            self,
            key=key,
            number=number,
            previous=before or self.key,
            overlap_ends=overlap_ends,
            first_tag=self.id,
        )

    def joined(self, key: CohortKey) -> "Cohort":
        """The cohort of another key, which this node enters by its token."""
        return Cohort(key=key, number=0, former=self.former)

    def was_rotated_lately(self, now: EpochMillis) -> bool:
        """Whether others have the old key yet, as they were not told of this one."""
        return self.rotated_at > 0 and now < self.rotated_at + _TOLD_MILLIS

    def may_rise_to(self, number: int) -> bool:
        """Whether a number can be true that somebody tells; lower ones can, too."""
        return 0 <= number <= min(self.number + MAX_KEY_JUMP, MAX_KEY_NUMBER)

    def told(self) -> ToldKey:
        """What this node tells others of the key."""
        return ToldKey(self.key.token, self.number, self.overlap_ends)
