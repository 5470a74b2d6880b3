"""An origin and a follower's member in memory, for tests of following."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from edgenode.cohort.follower import Outcome
from edgenode.cohort.model import (
    EndFrame,
    EventFrame,
    Exchange,
    HistoryFrame,
    ResetFrame,
    StateFrame,
)
from edgenode.cohort.peer import CohortPeer
from edgenode.errors import PeerUnavailableError
from edgenode.events.streams import Position, Step, Sum
from edgenode.security.cohorts import ToldKey


@dataclass
class Origin:
    """A member whose things are named numbers, each set by events ``name=version``."""

    incarnation: str = "i"
    log: list[tuple[int, bytes]] = field(default_factory=list)
    forgotten: int = 0
    is_reachable: bool = True
    breaks_after: int | None = None
    holds: dict[str, int] = field(default_factory=dict)
    sequence: int = 0
    others: tuple[str, ...] = ()

    def change(self, name: str) -> tuple[Step, bytes]:
        """A change, and the message about it."""
        self.holds[name] = self.holds.get(name, 0) + 1
        after, self.sequence = self.sequence, self.sequence + 1
        event = f"{name}={self.holds[name]}".encode()
        self.log.append((self.sequence, event))
        return Step(self.incarnation, after, self.sequence), event

    def forget(self) -> None:
        """The history so far is left out."""
        self.forgotten = self.sequence
        self.log.clear()

    # CohortPeer

    def _check(self) -> None:
        if not self.is_reachable:
            raise PeerUnavailableError("origin", "it is cut off")

    async def key(self) -> ToldKey:
        raise AssertionError("no follower asks for that")

    async def exchange(self, half: Exchange) -> Exchange:
        raise NotImplementedError

    async def events(
        self, collection_id: str, after: Position
    ) -> AsyncIterator[HistoryFrame]:
        self._check()
        is_kept = self.forgotten <= after.sequence <= self.sequence
        if after.incarnation != self.incarnation or not is_kept:
            yield ResetFrame(self.incarnation, self.sequence)
            return
        last, end = after.sequence, self.sequence
        for count, (sequence, event) in enumerate(list(self.log)):
            if self.breaks_after is not None and count >= self.breaks_after:
                raise PeerUnavailableError("origin", "it broke off")
            if sequence > after.sequence:
                yield EventFrame(last, sequence, event)
                last = sequence
                await asyncio.sleep(0)
        yield EndFrame(end)

    async def owners(self, collection_id: str) -> Collection[str]:
        return ["o", *self.others]

    async def group_sums(self, collection_id: str, owner: str) -> Mapping[str, Sum]:
        self._check()
        return sums(self.holds)

    async def bucket_sums(
        self, collection_id: str, owner: str, group: str
    ) -> Mapping[int, Sum]:
        return {0: next(iter(sums(self.holds).values()))} if self.holds else {}

    async def bucket_items(
        self, collection_id: str, owner: str, group: str, buckets: Sequence[int]
    ) -> Mapping[str, int]:
        return dict(self.holds)

    async def states(
        self, collection_id: str, guids: Sequence[str]
    ) -> AsyncIterator[StateFrame]:
        self._check()
        for guid in guids:
            version = self.holds.get(guid)
            document = b"" if version is None else b"%d" % version
            yield StateFrame(guid, "EntityDetail", document)

    async def type_digest(self, collection_id: str) -> Mapping[str, int]:
        return {}

    async def type_defs(self, collection_id: str, guids: Sequence[str]) -> list[bytes]:
        return []


@dataclass
class Member:
    """A follower's member: what it holds, and how far it followed."""

    holds: dict[str, int] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)
    applied: list[bytes] = field(default_factory=list)
    knows_types: bool = True

    def position(self, origin: str) -> Position | None:
        return self.positions.get(origin)

    async def apply(
        self, origin: str, step: Step, event: bytes, *, last_try: bool = False
    ) -> Outcome:
        await asyncio.sleep(0)
        position = self.positions.get(origin)
        if position is None or position.incarnation != step.incarnation:
            return Outcome.GAP
        if step.sequence <= position.sequence:
            return Outcome.APPLIED
        if step.after > position.sequence:
            return Outcome.GAP
        if not self.knows_types and not last_try:
            return Outcome.UNKNOWN_TYPE
        name, version = event.decode().split("=")
        self.holds[name] = int(version)
        self.applied.append(event)
        self.positions[origin] = Position(step.incarnation, step.sequence)
        return Outcome.APPLIED

    async def move_to(self, origin: str, position: Position) -> None:
        self.positions[origin] = position

    async def learn_types(self, origin: str, peer: CohortPeer) -> None:
        await peer.type_digest(origin)
        self.knows_types = True

    async def adopt(
        self, origin: str, owner: str, states: Sequence[StateFrame]
    ) -> None:
        for state in states:
            if state.document:
                self.holds[state.guid] = int(state.document)
            else:
                self.holds.pop(state.guid, None)

    def is_wanted(self, group: str) -> bool:
        return True

    def is_member(self, owner: str) -> bool:
        return owner == "o"

    # what it holds

    async def group_sums(self, owner: str) -> Mapping[str, Sum]:
        return sums(self.holds)

    async def bucket_sums(self, owner: str, group: str) -> Mapping[int, Sum]:
        return dict(enumerate(sums(self.holds).values()))

    async def bucket_items(
        self, owner: str, group: str, buckets: Sequence[int]
    ) -> Mapping[str, int]:
        return dict(self.holds)


def sums(holds: Mapping[str, int]) -> dict[str, Sum]:
    """What is held, as one group."""
    if not holds:
        return {}
    digest = sum(hash((name, version)) % 2**40 for name, version in holds.items())
    return {"Thing": Sum(len(holds), digest)}
