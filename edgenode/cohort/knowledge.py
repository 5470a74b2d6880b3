"""What a node knows of the cohort, and how two nodes bring each other up to date.

Pure. Each of nodes, members and removals has a revision that only rises; who has the
higher one tells the other. After enough exchanges everybody knows what anybody knew.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from edgenode.clock import EpochMillis
from edgenode.cohort.model import Exchange, Known, Mark, MemberRecord, NodeInfo
from edgenode.cohort.peers import PeerTable
from edgenode.limits import MAX_TOLD_RECORDS
from edgenode.security.trust import Trust


@dataclass(frozen=True, slots=True)
class News:
    """What an exchange brought.

    Attributes:
        nodes: Nodes that weren't known, or not so.
        records: Members that weren't known, or not so; they are still to be judged.
        marks: How far the events of members go, as the other knows.
    """

    nodes: tuple[NodeInfo, ...]
    records: tuple[MemberRecord, ...]
    marks: tuple[Mark, ...]


class Knowledge:
    """Puts together what is told, and sorts out what is heard."""

    def __init__(
        self,
        peers: PeerTable,
        trust: Trust,
        records: Callable[[], Mapping[str, MemberRecord]],
        marks: Callable[[], Iterable[Mark]],
        key: Callable[[], tuple[int, str]],
    ) -> None:
        """Begin with what is known.

        Args:
            peers: The nodes; descriptions that are heard are put in.
            trust: Who isn't let in.
            records: The members, own ones included, by collection id.
            marks: How far the events of own members go, and of those followed.
            key: The number and tag of the cohort's key.
        """
        self._peers = peers
        self._trust = trust
        self._records = records
        self._marks = marks
        self._key = key

    def half(
        self, own: NodeInfo, time: EpochMillis, other: Exchange | None = None
    ) -> Exchange:
        """What this node says, in answer to the other's half if there is one."""
        nodes = (own, *(peer.info for peer in self._peers.all() if peer.info.revision))
        records = self._records()
        key_number, key_tag = self._key()
        has_node = _revisions(other.known_nodes if other else ())
        has_record = _revisions(other.known_members if other else ())
        return Exchange(
            sender=own,
            time=time,
            known_nodes=tuple(Known(id=n.node_id, revision=n.revision) for n in nodes),
            known_members=tuple(
                Known(id=collection_id, revision=record.revision)
                for collection_id, record in records.items()
            ),
            marks=tuple(self._marks()),
            nodes=()
            if other is None
            else tuple(
                node
                for node in nodes
                if node.revision > has_node.get(node.node_id, -1)
                and node.node_id != other.sender.node_id
            )[:MAX_TOLD_RECORDS],
            members=()
            if other is None
            else tuple(
                record
                for collection_id, record in records.items()
                if record.revision > has_record.get(collection_id, -1)
            )[:MAX_TOLD_RECORDS],
            removals=self._trust.removals(),
            key_number=key_number,
            key_tag=key_tag,
        )

    def lacks(self, other: Exchange) -> bool:
        """Whether the other knows of a member something that it hasn't told us yet."""
        told = {record.registration.metadata_collection_id for record in other.members}
        records = self._records()
        return any(
            known.id not in told
            and (known.id not in records or records[known.id].revision < known.revision)
            for known in other.known_members
        )

    def merge(self, other: Exchange) -> News:
        """Take in what the other says of nodes, and sort out the rest."""
        nodes = tuple(
            node
            for node in (other.sender, *other.nodes)
            if not self._trust.is_removed(node.node_id) and self._peers.described(node)
        )
        records = self._records()
        members = tuple(
            record
            for record in other.members
            if not self._trust.is_removed(record.node_id) and _is_news(record, records)
        )
        return News(nodes, members, other.marks)


def _revisions(known: Iterable[Known]) -> dict[str, int]:
    return {each.id: each.revision for each in known}


def _is_news(record: MemberRecord, records: Mapping[str, MemberRecord]) -> bool:
    collection_id = record.registration.metadata_collection_id
    if collection_id is None:
        return False
    known = records.get(collection_id)
    return known is None or record.revision > known.revision
