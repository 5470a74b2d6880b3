"""What a node knows of the cohort, and how two nodes bring each other up to date.

Pure. Each of nodes, members and removals has a revision that only rises; who has the
higher one tells the other. After enough exchanges everybody knows what anybody knew.

What a node says of itself and its own members holds. What it tells of others is taken only
where they can't be asked themselves, and is an occasion to ask them. Of nodes that were
never met nothing is told on, so that whatever somebody makes up ends with who hears it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from edgenode.clock import EpochMillis
from edgenode.cohort.model import Exchange, Known, Mark, MemberRecord, NodeInfo
from edgenode.cohort.peers import PeerTable
from edgenode.security.trust import Trust


@dataclass(frozen=True, slots=True)
class News:
    """What an exchange brought.

    Attributes:
        own: The sender's own members; they are still to be judged.
        own_ids: All that the sender has, by collection id.
        told: Other members that weren't known, or not so; likewise.
        nodes: Nodes that are to be asked, because something new was told of them.
        marks: How far the events of members go, as the other knows.
    """

    own: tuple[MemberRecord, ...]
    own_ids: frozenset[str]
    told: tuple[MemberRecord, ...]
    nodes: frozenset[str]
    marks: tuple[Mark, ...]


class KnownMembers(Protocol):
    """The members, as far as they are known here."""

    @property
    def ids(self) -> frozenset[str]:
        """The collection ids of this node's own."""
        ...

    def records(self) -> Mapping[str, MemberRecord]:
        """All of them by collection id, own ones and those only told of included."""
        ...

    def met_records(self) -> Mapping[str, MemberRecord]:
        """Those that their nodes have told of themselves, own ones included."""
        ...

    def is_first_hand(self, collection_id: str) -> bool:
        """Whether what is known of another member is what its node said last itself."""
        ...

    def marks(self) -> Iterable[Mark]:
        """How far the events of own members go, and how far those followed are known."""
        ...


class Knowledge:
    """Puts together what is told, and sorts out what is heard."""

    def __init__(
        self,
        peers: PeerTable,
        trust: Trust,
        members: KnownMembers,
        key: Callable[[], tuple[int, str]],
    ) -> None:
        """Begin with what is known.

        Args:
            peers: The nodes; descriptions that are heard are put in.
            trust: Who isn't let in.
            members: The members.
            key: The number and tag of the cohort's key.
        """
        self._peers = peers
        self._trust = trust
        self._members = members
        self._key = key

    def half(
        self,
        own: NodeInfo,
        time: EpochMillis,
        node_id: str | None,
        other: Exchange | None = None,
    ) -> Exchange:
        """What this node says.

        Args:
            own: This node.
            time: Its clock.
            node_id: Whom it speaks with, if that is known. What isn't that one's own word
                isn't said to be known of it, so that it tells.
            other: What that one said, if this is the answer.
        """
        peers = {peer.info.node_id: peer for peer in self._peers.all() if peer.is_met}
        records = self._sound_records()
        key_number, key_tag = self._key()
        return Exchange(
            sender=own,
            time=time,
            known_nodes=(
                Known(id=own.node_id, revision=own.revision),
                *(
                    Known(id=each, revision=peer.info.revision)
                    for each, peer in peers.items()
                    if each != node_id or not peer.is_hearsay
                ),
            ),
            known_members=tuple(
                Known(id=collection_id, revision=record.revision)
                for collection_id, record in records.items()
                if record.node_id != node_id
                or self._members.is_first_hand(collection_id)
            ),
            told_nodes=tuple(
                peer.info.node_id
                for peer in self._peers.all()
                if not peer.is_met and peer.info.node_id != node_id
            ),
            told_members=tuple(
                Known(id=collection_id, revision=record.revision)
                for collection_id, record in self._told_records().items()
                if record.node_id != node_id
            ),
            marks=tuple(self._members.marks()),
            nodes=()
            if other is None
            else _lacking_nodes(other, [peer.info for peer in peers.values()]),
            members=() if other is None else _lacking_members(other, own, records),
            removals=self._trust.removals(),
            key_number=key_number,
            key_tag=key_tag,
        )

    def _sound_records(self) -> Mapping[str, MemberRecord]:
        """The members that there are others to be told of.

        Those of this node are its own: of one whose store was lost it doesn't tell.
        """
        return {
            collection_id: record
            for collection_id, record in self._members.met_records().items()
            if record.node_id != self._peers.own_id
            or collection_id in self._members.ids
        }

    def _told_records(self) -> Mapping[str, MemberRecord]:
        """The members that only others have told of."""
        met = self._members.met_records()
        return {
            collection_id: record
            for collection_id, record in self._members.records().items()
            if collection_id not in met
        }

    def lacks(self, other: Exchange) -> bool:
        """Whether the other knows of a member something that it hasn't told us yet."""
        told = {record.registration.metadata_collection_id for record in other.members}
        records = self._members.records()

        def is_lacking(known: Known) -> bool:
            record = records.get(known.id)
            return record is None or (
                record.revision < known.revision
                and not self._peers.speaks_for_itself(record.node_id)
            )

        return any(
            known.id not in told and is_lacking(known) for known in other.known_members
        )

    def merge(self, other: Exchange, now: float) -> News:
        """Take in what the other says of nodes, and sort out the rest.

        Args:
            other: What it says.
            now: Monotonic seconds.
        """
        sender = other.sender.node_id
        if not self._trust.is_removed(sender):
            self._peers.said(other.sender)
        doubtful = {
            node.node_id
            for node in other.nodes
            if node.node_id != sender and self._is_news_of_node(node, now)
        }
        records = self._members.records()
        own, told = [], []
        for record in other.members:
            if record.node_id == sender:
                if not self._trust.is_removed(sender):
                    own.append(record)
            elif self._is_news_of_member(record, records):
                if not self._peers.speaks_for_itself(record.node_id):
                    told.append(record)
                doubtful.add(record.node_id)
        return News(
            own=tuple(own),
            own_ids=frozenset(known.id for known in other.known_members)
            | {str(record.registration.metadata_collection_id) for record in own},
            told=tuple(told),
            nodes=frozenset(each for each in doubtful if each in self._peers),
            marks=other.marks,
        )

    def _is_news_of_node(self, node: NodeInfo, now: float) -> bool:
        if self._trust.is_removed(node.node_id):
            return False
        known = self._peers.get(node.node_id)
        is_newer = known is not None and node.revision > known.info.revision
        return self._peers.told(node, now) or is_newer

    def _is_news_of_member(
        self, record: MemberRecord, records: Mapping[str, MemberRecord]
    ) -> bool:
        collection_id = record.registration.metadata_collection_id
        if collection_id is None or self._trust.is_removed(record.node_id):
            return False
        if record.node_id == self._peers.own_id:
            return collection_id in self._members.ids
        known = records.get(collection_id)
        return known is None or record.revision > known.revision


def _lacking_nodes(other: Exchange, nodes: Iterable[NodeInfo]) -> tuple[NodeInfo, ...]:
    """Nodes of which the other knows less."""
    known = _revisions(other.known_nodes)
    return tuple(
        node
        for node in nodes
        if node.revision > known.get(node.node_id, -1)
        and node.node_id != other.sender.node_id
    )


def _lacking_members(
    other: Exchange, own: NodeInfo, records: Mapping[str, MemberRecord]
) -> tuple[MemberRecord, ...]:
    """Members of which the other knows less, and own ones that it knows otherwise."""
    known = _revisions(other.known_members)
    heard_of = _revisions(other.told_members) | known

    def is_lacking(collection_id: str, record: MemberRecord) -> bool:
        if record.node_id == own.node_id:
            return record.revision != known.get(collection_id)
        return record.revision > heard_of.get(collection_id, -1)

    return tuple(record for key, record in records.items() if is_lacking(key, record))


def _revisions(known: Iterable[Known]) -> dict[str, int]:
    return {each.id: each.revision for each in known}
