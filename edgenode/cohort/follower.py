"""Keeps up with the events of one other member.

Events come over the bus, each with its place. What fits behind the place reached is
applied; where something is missing, the events in between are fetched from the origin;
where its history doesn't go back that far, or is another one, what both hold is compared.
So it doesn't matter what the bus loses, who starts first, or how long one was away.

On the bus whoever has the cohort's key can speak for others. So an event that says to be
far ahead isn't believed, and where the origin itself says that it isn't as far as the
place reached, it is asked: then what both hold is compared, and its place holds.

All of it happens in one task, one thing after the other: an event that arrives while
others are fetched waits, and is passed over if it was among them.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Protocol

from edgenode.clock import Clock
from edgenode.cohort.comparison import Holdings, differences, fetched
from edgenode.cohort.inbox import Inbox, InboxRoom
from edgenode.cohort.model import EndFrame, EventFrame, ResetFrame, StateFrame
from edgenode.cohort.peer import CohortPeer
from edgenode.errors import EdgeNodeError, PeerUnavailableError
from edgenode.events.streams import Position, Step
from edgenode.limits import (
    APPLIED_TOGETHER,
    FIRST_RETRY_SECONDS,
    LONGEST_RETRY_SECONDS,
    MAX_COMPARED_OWNERS,
    MAX_PASSED_NUMBERS,
    MAX_WAITING_EVENT_BYTES,
)

logger = logging.getLogger(__name__)


class Outcome(Enum):
    """What came of an event."""

    APPLIED = 0
    GAP = 1
    UNKNOWN_TYPE = 2


class Applier(Protocol):
    """The local member, as far as it takes in what others have."""

    def position(self, origin: str) -> Position | None:
        """How far an origin was followed."""
        ...

    async def apply(
        self, origin: str, step: Step, event: bytes, *, last_try: bool = False
    ) -> Outcome:
        """Apply an event if it fits behind the position, and move that.

        With ``last_try`` an event of an unknown type is refused and passed over.
        """
        ...

    async def move_to(self, origin: str, position: Position) -> None:
        """Everything up to there has been applied, or compared."""
        ...

    async def learn_types(self, origin: str, peer: CohortPeer) -> None:
        """Take over the types that the origin has and we lack."""
        ...

    async def adopt(
        self, origin: str, owner: str, states: Sequence[StateFrame]
    ) -> None:
        """Hold what an origin holds of an owner's, which is itself or an archive."""
        ...

    def is_wanted(self, group: str) -> bool:
        """Whether a group of instances is kept here at all."""
        ...

    def is_member(self, owner: str) -> bool:
        """Whether an owner is or was a member: of an archive's anybody may tell."""
        ...


@dataclass(slots=True)
class FollowerFigures:
    """What a follower counts.

    Attributes:
        copied: What was taken over when the origin was followed for the first time.
        mended: What was found different later on.
    """

    applied: int = 0
    gaps: int = 0
    fetched_events: int = 0
    comparisons: int = 0
    copied: int = 0
    mended: int = 0
    failures: int = 0
    dropped: int = 0


class Follower:
    """Follows one origin for one member; see the module.

    Attributes:
        figures: What happened so far.
        trouble: Why it doesn't get on, or an empty text.
    """

    def __init__(
        self,
        origin: str,
        applier: Applier,
        holdings: Holdings,
        peer: Callable[[], CohortPeer],
        clock: Clock,
        mended: Callable[[int], None] = lambda count: None,
        copied: Callable[[int], None] = lambda count: None,
        room: InboxRoom | None = None,
    ) -> None:
        """Begin where the member left off.

        Args:
            origin: The metadata collection to follow.
            applier: Takes in what comes.
            holdings: What the member holds, for comparing.
            peer: The node of the origin, as it is to be reached now.
            clock: Times retries.
            mended: Told how many things a comparison put right.
            copied: Told how many things were taken over from an origin that is new.
            room: What the node has for events that wait; None for room of its own.
        """
        self.origin = origin
        self.figures = FollowerFigures()
        self.trouble = ""
        self._applier = applier
        self._holdings = holdings
        self._peer = peer
        self._clock = clock
        self._tell_mended = mended
        self._tell_copied = copied
        self._inbox = Inbox(room or InboxRoom())
        self._known = Position("", 0)
        self._woken = asyncio.Event()
        self._is_following = False
        self._must_compare = False
        self._must_ask = False
        self._retry_at: float | None = None
        self._retry_after = FIRST_RETRY_SECONDS

    # called from outside, returning at once

    @property
    def known(self) -> Position:
        """How far the origin is known to be."""
        return self._known

    @property
    def is_busy(self) -> bool:
        """Whether something is being applied, fetched or compared, or about to be."""
        return self._is_following or self._woken.is_set()

    @property
    def lag(self) -> int:
        """How many numbers behind the origin the member is, as far as is known."""
        position = self._applier.position(self.origin)
        if position is None or position.incarnation != self._known.incarnation:
            return self._known.sequence
        return max(0, self._known.sequence - position.sequence)

    @property
    def is_comparing(self) -> bool:
        """Whether what both hold is compared, or will be as soon as may be."""
        return self._must_compare

    def offer(self, step: Step, event: bytes) -> None:
        """An event came over the bus."""
        if step.sequence - step.after > MAX_PASSED_NUMBERS:
            self.ask()
            return
        self.figures.dropped += self._inbox.put(step, event)
        self._learn(Position(step.incarnation, step.sequence))
        if self._retry_at is None:
            self._woken.set()

    def mark(self, position: Position, *, is_own: bool = False) -> None:
        """The origin is known to be at a place.

        With ``is_own`` it says so itself. It may have got on since then, so that it is
        asked where it seems to be behind.
        """
        self._learn(position)
        if is_own and self._is_beyond(position):
            self.ask()
        if self._is_behind() and self._retry_at is None:
            self._woken.set()

    def ask(self) -> None:
        """Ask the origin what is behind the place reached, as soon as may be."""
        self._must_ask = True
        if self._retry_at is None:
            self._woken.set()

    def compare(self) -> None:
        """Compare what both hold, as soon as may be."""
        self._must_compare = True
        if self._retry_at is None:
            self._woken.set()

    def reachable(self) -> None:
        """The origin's node is there again: don't wait for the next try."""
        self._retry_at = None
        self._retry_after = FIRST_RETRY_SECONDS
        must_act = self._must_ask or self._must_compare
        if self.trouble or self._inbox or must_act or self._is_behind():
            self._woken.set()

    def close(self) -> None:
        """The task has ended: nothing waits any more."""
        self._inbox.clear()

    def tick(self, now: float) -> None:
        """Time has passed (monotonic seconds)."""
        if self._retry_at is not None and now >= self._retry_at:
            self._retry_at = None
            self._woken.set()

    # the task

    async def run(self) -> None:
        """Follow until cancelled."""
        self._woken.set()
        while True:
            await self._woken.wait()
            self._woken.clear()
            self._is_following = True
            try:
                await self._follow()
            except Exception as error:
                # What the origin says may be wrong in ways that nobody thought of, and
                # the disk may be full.
                if not isinstance(error, EdgeNodeError):
                    logger.exception("following %s failed", self.origin)
                self._fail(error)
            else:
                self.trouble = ""
                self._retry_after = FIRST_RETRY_SECONDS
            finally:
                self._is_following = False

    def _fail(self, error: Exception) -> None:
        """Try again later; nothing is lost, because the position didn't move."""
        self.figures.failures += 1
        self.trouble = str(error) or type(error).__name__
        self._retry_at = self._clock.monotonic() + self._retry_after
        self._retry_after = min(2 * self._retry_after, LONGEST_RETRY_SECONDS)

    async def _follow(self) -> None:
        if self._applier.position(self.origin) is None:
            await self._catch_up()
        while self._inbox:
            with self._inbox.portion() as portion:
                fits = await self._apply(portion)
            if not fits:
                self.figures.gaps += 1
                await self._catch_up()
        if self._must_ask or self._is_behind():
            await self._catch_up()
        if self._must_compare:
            await self._compare()

    async def _apply(self, portion: Sequence[tuple[Step, bytes]]) -> bool:
        """Apply events, together in one commit; False when there is a gap."""
        # All are waited for, also when one fails: none shall come late.
        results = await asyncio.gather(
            *(self._applier.apply(self.origin, step, event) for step, event in portion),
            return_exceptions=True,
        )
        outcomes = []
        for result in results:
            if isinstance(result, BaseException):
                raise result
            outcomes.append(result)
        unknown = Outcome.UNKNOWN_TYPE in outcomes
        if unknown:
            await self._applier.learn_types(self.origin, self._peer())
            for step, event in portion:
                # In order, and those that were applied are passed over.
                await self._applier.apply(self.origin, step, event, last_try=True)
        self.figures.applied += outcomes.count(Outcome.APPLIED)
        return unknown or Outcome.GAP not in outcomes

    async def _catch_up(self) -> None:
        """Fetch what is missing, event by event."""
        position = self._applier.position(self.origin) or Position("", 0)
        told = self._known
        portion: list[tuple[Step, bytes]] = []
        size = 0
        async for frame in self._peer().events(self.origin, position):
            match frame:
                case EventFrame():
                    step = Step(position.incarnation, frame.after, frame.sequence)
                    portion.append((step, frame.event))
                    self.figures.fetched_events += 1
                    size += len(frame.event)
                    if len(portion) < APPLIED_TOGETHER and (
                        size < MAX_WAITING_EVENT_BYTES
                    ):
                        continue
                    await self._apply_fetched(portion)
                    portion, size = [], 0
                case EndFrame():
                    await self._apply_fetched(portion)
                    end = Position(position.incarnation, frame.sequence)
                    await self._applier.move_to(self.origin, end)
                    self._must_ask = False
                    if self._known == told:
                        self._known = end  # the origin's word, whatever others told
                    self._learn(end)
                    return
                case ResetFrame():
                    await self._compare()
                    end = Position(frame.incarnation, frame.sequence)
                    await self._applier.move_to(self.origin, end)
                    self._must_ask = False
                    self._known = end
                    return
        raise PeerUnavailableError(self.origin, "its events broke off")

    async def _apply_fetched(self, portion: Sequence[tuple[Step, bytes]]) -> None:
        if not await self._apply(portion):
            raise PeerUnavailableError(self.origin, "its events have a gap")

    async def _compare(self) -> None:
        """Find and mend what is held differently.

        Of an origin that was never followed nothing can be held yet that could be wrong.
        """
        self._must_compare = True
        is_first = self._applier.position(self.origin) is None
        peer = self._peer()
        await self._applier.learn_types(self.origin, peer)
        count = await self._mend(peer, self.origin)
        others = (
            owner
            for owner in dict.fromkeys(await peer.owners(self.origin))
            if owner != self.origin and not self._applier.is_member(owner)
        )
        for owner in islice(others, MAX_COMPARED_OWNERS):
            count += await self._mend(peer, owner)
        self.figures.comparisons += 1
        self._must_compare = False
        if is_first:
            self.figures.copied += count
        else:
            self.figures.mended += count
        if count:
            (self._tell_copied if is_first else self._tell_mended)(count)

    async def _mend(self, peer: CohortPeer, owner: str) -> int:
        """Hold of an owner what the origin holds; how many differed.

        What an archive brought has no home in the cohort: whoever has it tells it, and
        nobody says that it is gone.
        """
        guids = await differences(
            self._holdings, peer, self.origin, owner, self._applier.is_wanted
        )
        count = 0
        async for states in fetched(peer, self.origin, guids):
            if owner != self.origin:
                states = [state for state in states if state.document]
            await self._applier.adopt(self.origin, owner, states)
            count += len(states)
        return count

    # what is known of the origin

    def _learn(self, position: Position) -> None:
        known = self._known
        if (
            position.incarnation != known.incarnation
            or position.sequence > known.sequence
        ):
            self._known = position

    def _is_beyond(self, place: Position) -> bool:
        """Whether more than there was up to a place is taken to have been applied."""
        position = self._applier.position(self.origin)
        return (
            position is not None
            and position.incarnation == place.incarnation
            and position.sequence > place.sequence
        )

    def _is_behind(self) -> bool:
        if not self._known.incarnation:
            return False
        position = self._applier.position(self.origin)
        return (
            position is None
            or position.incarnation != self._known.incarnation
            or position.sequence < self._known.sequence
        )
