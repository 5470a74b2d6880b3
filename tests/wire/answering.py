"""A node that answers the questions of others from what a test puts on its shelf."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from edgenode.cohort.model import Exchange
from edgenode.errors import BadRequestError, MemberElsewhereError, PeerRefusedError
from edgenode.events.frames import HistoryFrame, StateFrame
from edgenode.events.streams import Position, Sum
from edgenode.security.cohorts import ToldKey

MEMBER = "member/ä?"
"""A collection id that only fits into a path when it is encoded."""

KEY = ToldKey("edgenode-token", 3, 1_700_000_000_000)


@dataclass
class Shelf:
    """What one member has, and what was asked for."""

    half: Exchange | None = None
    frames: list[HistoryFrame] = field(default_factory=list)
    types: dict[str, bytes] = field(default_factory=dict)
    sums: dict[str, Sum] = field(default_factory=dict)
    buckets: dict[int, Sum] = field(default_factory=dict)
    digests: dict[str, int] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[object, ...]] = field(default_factory=list)
    told: int = 0
    closed: int = 0
    closed_once: asyncio.Event = field(default_factory=asyncio.Event)

    def _note(self, node_id: str, collection_id: str, *question: object) -> None:
        self.asked.append((node_id, *question))
        if collection_id != MEMBER:
            raise MemberElsewhereError(collection_id)

    async def key(self, node_id: str) -> ToldKey:
        self.asked.append((node_id,))
        if not self.sums:
            raise PeerRefusedError(node_id, "it has left")
        return KEY

    async def exchange(self, node_id: str, half: Exchange) -> Exchange:
        self.asked.append((node_id, half))
        assert self.half is not None
        return self.half

    async def events(
        self, node_id: str, collection_id: str, after: Position
    ) -> AsyncIterator[HistoryFrame]:
        self._note(node_id, collection_id, after)
        try:
            for frame in self.frames:
                if frame.sequence > after.sequence or frame is self.frames[-1]:
                    self.told += 1
                    yield frame
        finally:
            self.closed += 1
            self.closed_once.set()

    async def type_digest(self, node_id: str, collection_id: str) -> Mapping[str, int]:
        self._note(node_id, collection_id)
        return self.digests

    async def type_defs(
        self, node_id: str, collection_id: str, guids: Sequence[str]
    ) -> list[bytes]:
        self._note(node_id, collection_id, len(guids))
        return [self.types[guid] for guid in guids if guid in self.types]

    async def owners(self, node_id: str, collection_id: str) -> set[str]:
        return set(self.sums)

    async def group_sums(
        self, node_id: str, collection_id: str, owner: str
    ) -> Mapping[str, Sum]:
        self._note(node_id, collection_id, owner)
        return self.sums

    async def bucket_sums(
        self, node_id: str, collection_id: str, owner: str, group: str
    ) -> Mapping[int, Sum]:
        self._note(node_id, collection_id, owner, group)
        if group == "nonsense":
            raise BadRequestError("no such group", "group")
        return self.buckets

    async def bucket_items(
        self,
        node_id: str,
        collection_id: str,
        owner: str,
        group: str,
        buckets: Sequence[int],
    ) -> Mapping[str, int]:
        self._note(node_id, collection_id, owner, group, tuple(buckets))
        return self.digests

    async def states(
        self, node_id: str, collection_id: str, guids: Sequence[str]
    ) -> AsyncIterator[StateFrame]:
        self._note(node_id, collection_id, len(guids))
        for guid in guids:
            document = self.documents.get(guid)
            kind = "EntityDetail" if document else ""
            yield StateFrame(guid, kind, document or b"")
