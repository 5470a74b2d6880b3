"""Two nodes that exchange what they know end up knowing the same."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edgenode.cohort.knowledge import Knowledge
from edgenode.cohort.model import Exchange, MemberRecord, NodeInfo
from edgenode.cohort.peers import PeerTable
from edgenode.events.registration import MemberRegistration
from edgenode.security.trust import Trust

revisions = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 3))


class Side:
    """One node and what it knows."""

    def __init__(
        self, name: str, nodes: dict[str, int], members: dict[str, int]
    ) -> None:
        self.info = NodeInfo(node_id=name, run_id="r", revision=9)
        self.peers = PeerTable(name)
        self.records = {
            member: MemberRecord(
                node_id="n",
                revision=revision,
                registration=MemberRegistration(metadata_collection_id=member),
            )
            for member, revision in members.items()
        }
        self.knowledge = Knowledge(
            self.peers,
            Trust(Path("unused")),
            lambda: self.records,
            list,
            lambda: (0, ""),
        )
        for node, revision in nodes.items():
            info = NodeInfo(node_id=node, run_id="r", revision=revision)
            self.peers.described(info)

    def half(self, other: Exchange | None = None) -> Exchange:
        return self.knowledge.half(self.info, 0, other)

    def merge(self, other: Exchange) -> None:
        for record in self.knowledge.merge(other).records:
            self.records[str(record.registration.metadata_collection_id)] = record

    def known(self) -> tuple[dict[str, int], dict[str, int]]:
        nodes = {peer.info.node_id: peer.info.revision for peer in self.peers.all()}
        members = {name: record.revision for name, record in self.records.items()}
        return nodes | {self.info.node_id: self.info.revision}, members


@given(revisions, revisions, revisions, revisions)
def test_two_questions_are_enough(
    nodes: dict[str, int],
    members: dict[str, int],
    other_nodes: dict[str, int],
    other_members: dict[str, int],
) -> None:
    one, other = Side("one", nodes, members), Side("other", other_nodes, other_members)
    question = one.half()
    other.merge(question)
    answer = other.half(question)
    one.merge(answer)
    second = one.half(answer)
    other.merge(second)
    one.merge(other.half(second))
    assert one.known() == other.known()
    for name in nodes.keys() | other_nodes.keys():
        best = max(nodes.get(name, 0), other_nodes.get(name, 0))
        assert one.known()[0][name] == best
    for name in members.keys() | other_members.keys():
        best = max(members.get(name, 0), other_members.get(name, 0))
        assert one.known()[1][name] == best


def test_who_knows_the_same_says_little() -> None:
    one, other = Side("one", {"a": 1}, {"m": 1}), Side("other", {"a": 1}, {"m": 1})
    for side, met in ((one, other), (other, one)):
        side.peers.described(met.info)
    answer = other.half(one.half())
    assert answer.nodes == ()
    assert answer.members == ()
    assert not one.knowledge.lacks(answer)
