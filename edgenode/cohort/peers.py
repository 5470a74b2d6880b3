"""The nodes of the cohort: where they are, and whether they live.

Pure: what is heard goes in with its time, what is known comes out. What a node says of
itself over its own connection holds; what others tell of it counts only until it does, or
where it is gone. Addresses at which a node answered come first, and nothing but others like
them takes their place; then those at which it was seen, because they are near, if they
aren't made up; then those that it names itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from edgenode.cohort.model import NodeInfo
from edgenode.limits import (
    FORGOTTEN_AFTER_SECONDS,
    FULL_MESH_NODES,
    MAX_ADDRESSES,
    MAX_NODES,
    MAX_PROVEN_ADDRESSES,
    MAX_SEEN_ADDRESSES,
    MAX_TOLD_ADDRESSES,
    SILENT_AFTER_SECONDS,
    SILENT_SECONDS_A_NODE,
)


class PeerState(Enum):
    """Whether a node lives, as far as is known here."""

    UNKNOWN = "unknown"
    ALIVE = "alive"
    SILENT = "silent"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One node as it is known here.

    Attributes:
        info: How it describes itself; of one that was never met, how others do.
        is_met: Whether it ever spoke for itself; of others nothing is told on or kept.
        is_hearsay: Whether it hasn't spoken for itself since this process started.
        rumour: What others told since it was lost; no more than a place to look for it.
        told: When others told of it first (monotonic seconds).
        proven_at: Addresses at which it answered, the last one first.
        seen_at: Addresses at which it was seen, newest first.
        heard: When it was last heard of, by itself (monotonic seconds); None if never.
        lost: When its connection broke off, or it couldn't be reached; None if it
            has been heard of since.
        is_linked: Whether there is a connection to its broker.
        is_silent: Whether it owes an answer, or should have spoken long ago.
        skew: How far its clock is ahead, in seconds; None before the first exchange.
    """

    info: NodeInfo
    is_met: bool = False
    is_hearsay: bool = True
    rumour: NodeInfo | None = None
    told: float = 0.0
    proven_at: tuple[str, ...] = ()
    seen_at: tuple[str, ...] = ()
    heard: float | None = None
    lost: float | None = None
    is_linked: bool = False
    is_silent: bool = False
    skew: float | None = None

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where to reach it, best first."""
        everywhere = (*self.proven_at, *self.seen_at, *self.info.addresses)
        return tuple(dict.fromkeys(everywhere))

    @property
    def rest_addresses(self) -> list[tuple[str, int]]:
        """Where to ask it something, best first."""
        told: list[tuple[str, int]] = []
        if self.rumour is not None:
            port = self.rumour.rest_port
            told = [(host, port) for host in self.rumour.addresses[:MAX_TOLD_ADDRESSES]]
        found = (*self.rest_at(self.proven_at), *told, *self.rest_at(self.addresses))
        return list(dict.fromkeys(found))

    def rest_at(self, hosts: Sequence[str]) -> list[tuple[str, int]]:
        """The same at some of its hosts."""
        return [(host, self.info.rest_port) for host in hosts]

    @property
    def state(self) -> PeerState:
        """Whether it lives."""
        if self.lost is not None and not self.is_linked:
            return PeerState.LOST
        if self.is_silent:
            return PeerState.SILENT
        if self.is_linked:
            return PeerState.ALIVE
        return PeerState.UNKNOWN if self.heard is None else PeerState.ALIVE


@dataclass(slots=True)
class PeerTable:
    """All other nodes that are known, by node id."""

    own_id: str
    _peers: dict[str, Peer] = field(default_factory=dict)

    def __contains__(self, node_id: str) -> bool:
        return node_id in self._peers

    def __len__(self) -> int:
        return len(self._peers)

    def get(self, node_id: str) -> Peer | None:
        """A node, if it is known."""
        return self._peers.get(node_id)

    def all(self) -> tuple[Peer, ...]:
        """All nodes that are known."""
        return tuple(self._peers.values())

    def said(self, info: NodeInfo) -> bool:
        """Take what a node says of itself; False when it isn't news.

        It replaces what others told, and what an earlier run said, whatever the revision.
        """
        known = self._peers.get(info.node_id)
        if info.node_id == self.own_id:
            return False
        if (
            known is not None
            and not known.is_hearsay
            and info.run_id == known.info.run_id
            and info.revision <= known.info.revision
        ):
            return False
        if known is None:
            self._make_room()
            known = Peer(info=info)
        # It speaks again: whatever was lost of it belongs to an earlier time.
        self._peers[info.node_id] = replace(
            known,
            info=_bounded(info),
            is_met=True,
            is_hearsay=False,
            rumour=None,
            lost=None,
            is_silent=False,
        )
        return True

    def told(self, info: NodeInfo, now: float) -> bool:
        """Take what others tell of a node; False when it is of no use.

        That is where the node speaks for itself, where what is known is as new, and
        where there is no room for one that hasn't been met.
        """
        known = self._peers.get(info.node_id)
        if info.node_id == self.own_id:
            return False
        if known is None:
            if len(self._peers) >= MAX_NODES and not self._forget_unmet():
                return False
            self._peers[info.node_id] = Peer(info=_bounded(info), told=now)
            return True
        info = _bounded(info)
        if not known.is_met:
            # Of those who tell it otherwise each has its turn.
            self._peers[info.node_id] = replace(known, info=info)
            return info != known.info
        if info.revision <= known.info.revision or self.speaks_for_itself(info.node_id):
            return False
        self._peers[info.node_id] = replace(known, rumour=info)
        return info != known.rumour

    def remembered(self, info: NodeInfo) -> None:
        """A node was met before this one was started."""
        if self.told(info, 0.0):
            self._peers[info.node_id] = replace(self._peers[info.node_id], is_met=True)

    def speaks_for_itself(self, node_id: str) -> bool:
        """Whether a node has been met and lives: then it can be asked itself."""
        known = self._peers.get(node_id)
        return (
            known is not None
            and not known.is_hearsay
            and known.state is PeerState.ALIVE
        )

    def tick(self, now: float) -> None:
        """Time has passed: some are silent, and those that were only told of forgotten.

        Nodes without a connection to this one are spoken with at random: the more there
        are, the longer they may have nothing to say.
        """
        met = sum(peer.is_met for peer in self._peers.values())
        silent_after = max(SILENT_AFTER_SECONDS, SILENT_SECONDS_A_NODE * met)
        for node_id, peer in list(self._peers.items()):
            if not peer.is_met:
                if now - peer.told >= FORGOTTEN_AFTER_SECONDS:
                    del self._peers[node_id]
            elif (
                peer.state is PeerState.ALIVE
                and not peer.is_linked
                and now - (peer.heard or 0) > silent_after
            ):
                self._peers[node_id] = replace(peer, is_silent=True)

    def seen(self, node_id: str, addresses: Iterable[str]) -> bool:
        """A node that is known was seen on the network; False when that is no news.

        Nobody gets into the table by being seen: that anybody can pretend.
        """
        known = self._peers.get(node_id)
        if known is None:
            return False
        merged = tuple(dict.fromkeys((*addresses, *known.seen_at)))
        seen_at = merged[:MAX_SEEN_ADDRESSES]
        self._peers[node_id] = replace(known, seen_at=seen_at)
        return seen_at != known.seen_at

    def proven(self, node_id: str, address: str) -> None:
        """A node answered at an address: nobody else has its certificate."""
        known = self._peers.get(node_id)
        if known is not None:
            merged = tuple(dict.fromkeys((address, *known.proven_at)))
            self._peers[node_id] = replace(
                known, proven_at=merged[:MAX_PROVEN_ADDRESSES]
            )

    def heard(self, node_id: str, now: float, *, skew: float | None = None) -> None:
        """A node was heard of, by itself; one that was never met may be made up."""
        known = self._peers.get(node_id)
        if known is not None and known.is_met:
            skew = known.skew if skew is None else skew
            self._peers[node_id] = replace(
                known, heard=now, lost=None, is_silent=False, skew=skew
            )

    def linked(self, node_id: str, now: float) -> None:
        """The connection to a node's broker stands."""
        known = self._peers.get(node_id)
        if known is not None:
            self._peers[node_id] = replace(
                known, is_linked=True, heard=now, lost=None, is_silent=False
            )

    def unanswered(self, node_id: str) -> None:
        """A node left something unanswered."""
        known = self._peers.get(node_id)
        if known is not None:
            self._peers[node_id] = replace(known, is_silent=True)

    def lost(self, node_id: str, now: float) -> None:
        """A connection to a node broke off, or it couldn't be reached."""
        known = self._peers.get(node_id)
        if known is not None:
            self._peers[node_id] = replace(known, is_linked=False, lost=now)

    def removed(self, node_id: str) -> None:
        """A node isn't one of the cohort any more."""
        self._peers.pop(node_id, None)

    def alive(self, now: float) -> tuple[str, ...]:
        """The ids of nodes that are worth a connection.

        A lost node stays for a while, so that it is connected to as soon as it is back.
        Of nodes that were never met some are among them, no more than of the others:
        a node that joins knows most by hearsay at first, but they may be made up.
        """
        met, told = [], []
        for node_id, peer in self._peers.items():
            if not peer.is_met:
                if peer.lost is None:
                    told.append(node_id)
            elif peer.lost is None or now - peer.lost < FORGOTTEN_AFTER_SECONDS:
                met.append(node_id)
        return (*met, *told[: max(FULL_MESH_NODES, len(met))])

    def _make_room(self) -> None:
        """Forget whoever was heard of longest ago, where there are too many.

        Those whose brokers are subscribed to stay: identities are cheap to whoever has
        the key, and shan't part those that know each other.
        """
        if len(self._peers) >= MAX_NODES and not self._forget_unmet():
            oldest = min(
                self._peers.values(), key=lambda peer: (peer.is_linked, peer.heard or 0)
            )
            del self._peers[oldest.info.node_id]

    def _forget_unmet(self) -> bool:
        """Make room by forgetting a node that was never met; False if there is none."""
        unmet = (each for each, peer in self._peers.items() if not peer.is_met)
        oldest = next(unmet, None)
        if oldest is not None:
            del self._peers[oldest]
        return oldest is not None


def _bounded(info: NodeInfo) -> NodeInfo:
    return replace(info, addresses=info.addresses[:MAX_ADDRESSES])
