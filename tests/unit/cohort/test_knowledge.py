"""Two nodes that exchange what they know end up knowing the same."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edgenode.cohort.knowledge import Knowledge, News
from edgenode.cohort.model import Exchange, Mark, MemberRecord, NodeInfo
from edgenode.cohort.peers import PeerTable
from edgenode.events.registration import MemberRegistration
from edgenode.security.trust import Trust

NOW = 100.0

revisions = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 3))


def record(name: str, revision: int, *, node: str = "n") -> MemberRecord:
    return MemberRecord(
        node_id=node,
        revision=revision,
        registration=MemberRegistration(metadata_collection_id=name),
    )


class Side:
    """One node and what it knows."""

    def __init__(
        self, name: str, nodes: dict[str, int], members: dict[str, int]
    ) -> None:
        self.info = NodeInfo(node_id=name, run_id="r", revision=9)
        self.peers = PeerTable(name)
        self.met = {each: record(each, revision) for each, revision in members.items()}
        self.told: dict[str, MemberRecord] = {}
        self.first_hand: set[str] = set()
        self.ids = frozenset({f"{name}'s"})
        own = record(f"{name}'s", 5, node=name)
        self.met[f"{name}'s"] = own
        self.knowledge = Knowledge(
            self.peers, Trust(Path("unused")), self, lambda: (0, "")
        )
        for node, revision in nodes.items():
            self.peers.remembered(NodeInfo(node_id=node, run_id="r", revision=revision))

    def records(self) -> Mapping[str, MemberRecord]:
        return self.told | self.met

    def met_records(self) -> Mapping[str, MemberRecord]:
        return self.met

    def is_first_hand(self, collection_id: str) -> bool:
        return collection_id in self.first_hand

    def marks(self) -> Sequence[Mark]:
        return []

    def half(self, node_id: str, other: Exchange | None = None) -> Exchange:
        return self.knowledge.half(self.info, 0, node_id, other)

    def merge(self, other: Exchange) -> News:
        news = self.knowledge.merge(other, NOW)
        for each in news.own:
            self.met[str(each.registration.metadata_collection_id)] = each
            self.first_hand.add(str(each.registration.metadata_collection_id))
        for each in news.told:
            collection_id = str(each.registration.metadata_collection_id)
            place = self.met if collection_id in self.met else self.told
            place[collection_id] = each
        return news

    def speak(self, other: "Side") -> None:
        """Two questions and their answers."""
        answer = other.answer(self.half(other.info.node_id))
        self.merge(answer)
        self.merge(other.answer(self.half(other.info.node_id, answer)))

    def answer(self, question: Exchange) -> Exchange:
        self.merge(question)
        return self.half(question.sender.node_id, question)

    def known(self) -> tuple[dict[str, int], dict[str, int]]:
        nodes = {
            peer.info.node_id: (peer.rumour or peer.info).revision
            for peer in self.peers.all()
        }
        members = {name: each.revision for name, each in self.records().items()}
        return nodes | {self.info.node_id: self.info.revision}, members


@given(revisions, revisions, revisions, revisions)
def test_two_questions_are_enough(
    nodes: dict[str, int],
    members: dict[str, int],
    other_nodes: dict[str, int],
    other_members: dict[str, int],
) -> None:
    one, other = Side("one", nodes, members), Side("other", other_nodes, other_members)
    one.speak(other)
    assert one.known() == other.known()
    for name in nodes.keys() | other_nodes.keys():
        best = max(nodes.get(name, 0), other_nodes.get(name, 0))
        assert one.known()[0][name] == best
    for name in members.keys() | other_members.keys():
        best = max(members.get(name, 0), other_members.get(name, 0))
        assert one.known()[1][name] == best


def test_who_knows_the_same_says_little() -> None:
    one, other = Side("one", {"a": 1}, {"m": 1}), Side("other", {"a": 1}, {"m": 1})
    one.speak(other)
    answer = other.answer(one.half("other"))
    assert answer.nodes == ()
    assert answer.members == ()
    assert not one.knowledge.lacks(answer)


def test_what_a_node_says_of_itself_holds_whatever_others_told() -> None:
    one, other = Side("one", {}, {}), Side("other", {}, {})
    one.peers.told(replace(other.info, name="lie", revision=2**62), NOW)
    one.met["other's"] = record("other's", 2**62, node="other")
    one.speak(other)
    peer = one.peers.get("other")
    assert peer is not None
    assert peer.info == other.info
    assert one.met["other's"] == other.met["other's"]


def test_of_who_can_be_asked_others_are_not_believed() -> None:
    one, other, liar = Side("one", {}, {}), Side("other", {}, {}), Side("liar", {}, {})
    one.speak(other)
    one.peers.heard("other", NOW)
    liar.met["other's"] = record("other's", 2**62, node="other")
    liar.met["more"] = record("more", 1, node="other")
    liar.peers.said(replace(other.info, name="lie", revision=2**62))
    before = one.known()
    news = one.merge(liar.half("one", one.half("liar")))
    assert news.told == ()
    assert news.nodes == {"other"}  # but it is asked
    nodes, members = one.known()
    assert nodes == before[0] | {"liar": liar.info.revision}
    assert members == before[1] | {"liar's": 5}


def test_of_who_was_never_met_nothing_is_told_on() -> None:
    one, other, third = Side("one", {}, {}), Side("other", {}, {}), Side("3", {}, {})
    other.peers.said(third.info)
    other.met["3's"] = third.met["3's"]
    one.speak(other)
    assert "3" in one.peers
    assert "3's" in one.records()
    fourth = Side("4", {}, {})
    fourth.speak(one)
    assert "3" not in fourth.peers
    assert "3's" not in fourth.records()
    fourth.speak(other)
    assert "3's" in fourth.records()


def test_what_is_known_by_hearsay_is_not_told_again() -> None:
    one, other = Side("one", {}, {}), Side("other", {}, {"m": 3})
    other.peers.said(NodeInfo(node_id="n", run_id="r", revision=3))
    one.peers.told(NodeInfo(node_id="n", run_id="r", revision=3), NOW)
    one.told["m"] = record("m", 3)
    half = one.half("other")
    assert "n" not in {each.id for each in half.known_nodes}
    assert half.told_nodes == ("n",)
    assert [each.id for each in half.told_members] == ["m"]
    answer = other.half("one", half)
    assert answer.members == (other.met["other's"],)
    # It says nothing of what the sender has, nor of what it could tell.
    assert other.merge(half).own_ids == {"one's"}
    assert not Side("third", {}, {}).knowledge.lacks(replace(half, known_members=()))
    # What is newer is told all the same.
    other.met["m"] = record("m", 4)
    assert other.met["m"] in other.half("one", half).members


def test_a_node_tells_its_own_members_whatever_others_told() -> None:
    one, other = Side("one", {}, {}), Side("other", {}, {})
    one.told["other's"] = record("other's", 2**62, node="n")
    assert other.half("one", one.half("other")).members == (other.met["other's"],)


def test_a_node_tells_all_members_that_it_has() -> None:
    one, other = Side("one", {}, {}), Side("other", {}, {})
    # Of a member whose store was lost others still know.
    other.met["lost"] = record("lost", 7, node="other")
    news = one.merge(other.answer(one.half("other")))
    assert "other's" in news.own_ids
    assert "lost" not in news.own_ids
    assert news.own == (other.met["other's"],)
