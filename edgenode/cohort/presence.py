"""Which nodes were lost and came back, as people want to hear of it.

Pure. Connections break and come again in no time when a node is started anew, and a bad
cable does so all day long: what is told is a loss that lasts, each node's now and then.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from edgenode.cohort.peers import Peer, PeerState
from edgenode.limits import LOSS_PAUSE_SECONDS, LOSS_TOLD_SECONDS

_GONE = (PeerState.LOST, PeerState.SILENT)


@dataclass(frozen=True, slots=True)
class Change:
    """A node that is gone, or is there again after it was told to be gone."""

    peer: Peer
    is_lost: bool


class Presence:
    """Remembers since when nodes are gone, and what was told."""

    def __init__(self) -> None:
        self._gone_since: dict[str, float] = {}
        self._told_at: dict[str, float] = {}
        self._told: set[str] = set()

    def changes(self, peers: Iterable[Peer], now: float) -> list[Change]:
        """What is to be told by now.

        Args:
            peers: All nodes that are known.
            now: Monotonic seconds.
        """
        found = []
        known = set()
        for peer in peers:
            node_id = peer.info.node_id
            known.add(node_id)
            state = peer.state
            if state in _GONE:
                if self._is_to_be_told(node_id, now):
                    self._told.add(node_id)
                    self._told_at[node_id] = now
                    found.append(Change(peer, is_lost=True))
            else:
                self._gone_since.pop(node_id, None)
                if state is PeerState.ALIVE and node_id in self._told:
                    self._told.discard(node_id)
                    found.append(Change(peer, is_lost=False))
        self._forget_all_but(known)
        return found

    def _is_to_be_told(self, node_id: str, now: float) -> bool:
        since = self._gone_since.setdefault(node_id, now)
        told_at = self._told_at.get(node_id)
        return (
            node_id not in self._told
            and now - since >= LOSS_TOLD_SECONDS
            and (told_at is None or now - told_at >= LOSS_PAUSE_SECONDS)
        )

    def _forget_all_but(self, known: set[str]) -> None:
        if not self._gone_since.keys() <= known or not self._told_at.keys() <= known:
            self._told &= known
            for remembered in (self._gone_since, self._told_at):
                for node_id in remembered.keys() - known:
                    del remembered[node_id]
