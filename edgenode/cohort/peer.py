"""One node as its peers see it: what they can ask it, beside its REST API.

This node answers these questions (``cohort.service``), and asks them of others over
HTTP (``federation.peers``); tests join the two directly.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Protocol

from edgenode.cohort.model import Exchange, HistoryFrame, StateFrame
from edgenode.events.streams import Position, Sum
from edgenode.security.cohorts import ToldKey


class CohortPeer(Protocol):
    """What one node can be asked by another.

    Every question raises PeerUnavailableError where the node can't be reached or
    doesn't answer, and PeerRefusedError where it won't.
    """

    async def key(self) -> ToldKey:
        """The current key of the cohort."""
        ...

    async def exchange(self, half: Exchange) -> Exchange:
        """Tell what is known, and hear what the other knows and the asker lacks."""
        ...

    def events(
        self, collection_id: str, after: Position
    ) -> AsyncIterator[HistoryFrame]:
        """The events of one of its members behind a place, oldest first.

        The last frame is an EndFrame, or the only one a ResetFrame.
        """
        ...

    async def type_digest(self, collection_id: str) -> Mapping[str, int]:
        """A digest of each type definition that the member has, by GUID."""
        ...

    async def type_defs(self, collection_id: str, guids: Sequence[str]) -> list[bytes]:
        """Some of the member's type definitions, as JSON."""
        ...

    async def owners(self, collection_id: str) -> Collection[str]:
        """Everybody who answers for something that the member holds."""
        ...

    async def group_sums(self, collection_id: str, owner: str) -> Mapping[str, Sum]:
        """The sums of what a member holds that an owner answers for, by group.

        A group is a type's name, or ``#`` and a classification's.
        """
        ...

    async def bucket_sums(
        self, collection_id: str, owner: str, group: str
    ) -> Mapping[int, Sum]:
        """The same within a group, by bucket."""
        ...

    async def bucket_items(
        self, collection_id: str, owner: str, group: str, buckets: Sequence[int]
    ) -> Mapping[str, int]:
        """The digest of each thing in some buckets, by the GUID of its instance."""
        ...

    def states(
        self, collection_id: str, guids: Sequence[str]
    ) -> AsyncIterator[StateFrame]:
        """Instances as the member has them now, one frame each."""
        ...


class DialledPeer(CohortPeer, Protocol):
    """A node that is asked over the network."""

    @property
    def reached_at(self) -> str | None:
        """The host at which it was found to be itself last; None before."""
        ...


class Dialer(Protocol):
    """Makes the other end of questions."""

    def peer(
        self, node_id: str | None, addresses: Sequence[tuple[str, int]]
    ) -> DialledPeer:
        """A node to be asked; nothing is connected before it is.

        Args:
            node_id: Whose certificate it must have; None takes whoever of the cohort
                is there, and checks that it describes itself by its own id.
            addresses: Hosts and ports, best first.
        """
        ...
