"""What this node answers when another asks; the other half of ``CohortPeer``."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import Protocol

from edgenode.cohort.member import CohortMember
from edgenode.cohort.model import Exchange, Standing
from edgenode.cohort.node import CohortNode
from edgenode.errors import (
    MemberElsewhereError,
    PeerRefusedError,
    PeerUnavailableError,
)
from edgenode.events.frames import HistoryFrame, StateFrame
from edgenode.events.streams import Position, Sum
from edgenode.repository.base import StoredDocument
from edgenode.security.cohorts import ToldKey


class Holdings(Protocol):
    """What a member stores, for whoever compares."""

    async def owners(self) -> Collection[str]:
        """Everybody who answers for something of it."""
        ...

    async def group_sums(self, owner: str) -> Mapping[str, Sum]:
        """Sums by group."""
        ...

    async def bucket_sums(self, owner: str, group: str) -> Mapping[int, Sum]:
        """Sums by bucket."""
        ...

    async def bucket_items(
        self, owner: str, group: str, buckets: Sequence[int]
    ) -> Mapping[str, int]:
        """Digests by GUID."""
        ...

    async def documents(self, guids: Sequence[str]) -> Sequence[StoredDocument]:
        """Instances as they are now."""
        ...


class AskedMember(Protocol):
    """A member of this node, or a guest, as far as others ask it."""

    @property
    def standing(self) -> Standing:
        """Whether it takes part."""
        ...

    @property
    def holdings(self) -> Holdings:
        """What it stores."""
        ...

    def holdings_of(self, owner: str) -> Holdings:
        """The same for whoever compares what an owner answers for."""
        ...

    def history(self, after: Position) -> AsyncIterator[HistoryFrame]:
        """Its events behind a place."""
        ...

    def is_sent(self, group: str) -> bool:
        """Whether the cohort is told of a group of instances at all."""
        ...

    def type_versions(self) -> Mapping[str, int]:
        """The version of each type definition, by GUID."""
        ...

    def type_texts(self, guids: Sequence[str]) -> list[bytes]:
        """Definitions, as the sections of the events that announce them."""
        ...


class PeerService:
    """Answers for the node and its members; the asker's id comes first."""

    def __init__(
        self,
        node: CohortNode,
        members: Mapping[str, CohortMember],
        key: Callable[[], ToldKey | None],
    ) -> None:
        """Take who answers.

        Args:
            node: Answers exchanges.
            members: This node's, by collection id.
            key: The current key; None in an open cohort.
        """
        self._node = node
        self._members = members
        self._key = key
        node.itself = LocalPeer(self, node.info.node_id)

    async def key(self, node_id: str) -> ToldKey:
        """The current key of the cohort."""
        told = self._key()
        if told is None:
            raise PeerRefusedError(self._node.info.node_id, "the cohort has no key")
        if self._node.is_removed(node_id):
            raise PeerRefusedError(node_id, "it was removed from the cohort")
        return told

    async def exchange(self, node_id: str, half: Exchange) -> Exchange:
        """Hear what the other knows, and tell what it lacks."""
        return await self._node.conversations.exchange(node_id, half)

    async def events(
        self, node_id: str, collection_id: str, after: Position
    ) -> AsyncIterator[HistoryFrame]:
        """The events of a member behind a place; the last frame ends it."""
        async for frame in self._member(collection_id).history(after):
            yield frame

    async def type_digest(self, node_id: str, collection_id: str) -> Mapping[str, int]:
        """The version of each type definition, by GUID."""
        return self._member(collection_id).type_versions()

    async def type_defs(
        self, node_id: str, collection_id: str, guids: Sequence[str]
    ) -> list[bytes]:
        """Some type definitions; those that aren't there are left out."""
        return self._member(collection_id).type_texts(guids)

    async def owners(self, node_id: str, collection_id: str) -> Collection[str]:
        """Everybody who answers for something that the member holds."""
        return await self._member(collection_id).holdings.owners()

    async def group_sums(
        self, node_id: str, collection_id: str, owner: str
    ) -> Mapping[str, Sum]:
        """Sums by group."""
        member = self._member(collection_id)
        sums = await member.holdings_of(owner).group_sums(owner)
        return {group: held for group, held in sums.items() if member.is_sent(group)}

    async def bucket_sums(
        self, node_id: str, collection_id: str, owner: str, group: str
    ) -> Mapping[int, Sum]:
        """Sums by bucket."""
        return await self._member(collection_id).holdings.bucket_sums(owner, group)

    async def bucket_items(
        self,
        node_id: str,
        collection_id: str,
        owner: str,
        group: str,
        buckets: Sequence[int],
    ) -> Mapping[str, int]:
        """Digests by GUID."""
        holdings = self._member(collection_id).holdings
        return await holdings.bucket_items(owner, group, buckets)

    async def states(
        self, node_id: str, collection_id: str, guids: Sequence[str]
    ) -> AsyncIterator[StateFrame]:
        """Instances as they are now, one frame each."""
        holdings = self._member(collection_id).holdings
        stored = {each.guid: each for each in await holdings.documents(guids)}
        for guid in guids:
            known = stored.get(guid)
            if known is None:
                yield StateFrame(guid)
            else:
                yield StateFrame(guid, known.kind, known.json)

    def _member(self, collection_id: str) -> AskedMember:
        member: AskedMember | None = self._members.get(collection_id)
        if member is None:
            member = self._node.guest(collection_id)
        if member is None:
            raise MemberElsewhereError(collection_id)
        if member.standing.is_away:
            raise PeerUnavailableError(
                collection_id, "its server takes no part in the cohort"
            )
        return member


class LocalPeer:
    """This node, asked by its own members about each other; see ``CohortPeer``."""

    def __init__(self, service: PeerService, node_id: str) -> None:
        self._service = service
        self._node_id = node_id

    async def key(self) -> ToldKey:
        """Nobody asks itself for the key."""
        raise PeerRefusedError(self._node_id, "this is the same node")

    async def exchange(self, half: Exchange) -> Exchange:
        """Nobody exchanges anything with itself."""
        raise PeerRefusedError(self._node_id, "this is the same node")

    def events(
        self, collection_id: str, after: Position
    ) -> AsyncIterator[HistoryFrame]:
        """The events of one of the members behind a place."""
        return self._service.events(self._node_id, collection_id, after)

    async def type_digest(self, collection_id: str) -> Mapping[str, int]:
        """The version of each type definition, by GUID."""
        return await self._service.type_digest(self._node_id, collection_id)

    async def type_defs(self, collection_id: str, guids: Sequence[str]) -> list[bytes]:
        """Some type definitions."""
        return await self._service.type_defs(self._node_id, collection_id, guids)

    async def owners(self, collection_id: str) -> Collection[str]:
        """Everybody who answers for something that a member holds."""
        return await self._service.owners(self._node_id, collection_id)

    async def group_sums(self, collection_id: str, owner: str) -> Mapping[str, Sum]:
        """Sums by group."""
        return await self._service.group_sums(self._node_id, collection_id, owner)

    async def bucket_sums(
        self, collection_id: str, owner: str, group: str
    ) -> Mapping[int, Sum]:
        """Sums by bucket."""
        return await self._service.bucket_sums(
            self._node_id, collection_id, owner, group
        )

    async def bucket_items(
        self, collection_id: str, owner: str, group: str, buckets: Sequence[int]
    ) -> Mapping[str, int]:
        """Digests by GUID."""
        return await self._service.bucket_items(
            self._node_id, collection_id, owner, group, buckets
        )

    def states(
        self, collection_id: str, guids: Sequence[str]
    ) -> AsyncIterator[StateFrame]:
        """Instances as they are now."""
        return self._service.states(self._node_id, collection_id, guids)
