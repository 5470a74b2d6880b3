"""The nodes of the cohort: where they are, and whether they live."""

from dataclasses import replace

from edgenode.cohort.model import NodeInfo
from edgenode.cohort.peers import PeerState, PeerTable
from edgenode.limits import (
    FORGOTTEN_AFTER_SECONDS,
    FULL_MESH_NODES,
    MAX_ADDRESSES,
    MAX_ADDRESSES_TRIED,
    MAX_NODES,
    MAX_PROVEN_ADDRESSES,
    MAX_SEEN_ADDRESSES,
    SILENT_AFTER_SECONDS,
    SILENT_SECONDS_A_NODE,
)


def info(node_id: str, revision: int = 1, **fields: object) -> NodeInfo:
    return NodeInfo(node_id=node_id, run_id="r", revision=revision, **fields)  # type: ignore[arg-type]


def test_the_higher_revision_holds() -> None:
    table = PeerTable("me")
    assert table.said(info("a", 2, name="two"))
    assert not table.said(info("a", 2, name="again"))
    assert not table.said(info("a", 1, name="one"))
    assert table.said(info("a", 3, name="three"))
    (peer,) = table.all()
    assert peer.info.name == "three"


def test_a_node_does_not_know_itself() -> None:
    table = PeerTable("me")
    assert not table.said(info("me"))
    assert "me" not in table


def test_being_seen_is_not_being_known() -> None:
    table = PeerTable("me")
    assert not table.seen("a", ["10.0.0.1"])
    assert table.get("a") is None


def test_where_a_node_was_seen_comes_first() -> None:
    table = PeerTable("me")
    table.said(info("a", addresses=("10.0.0.1", "fe80::1")))
    assert table.seen("a", ["192.168.0.7"])
    assert table.seen("a", ["fe80::1%eth0"])
    assert not table.seen("a", ["fe80::1%eth0"])
    peer = table.get("a")
    assert peer is not None
    assert peer.addresses == ("fe80::1%eth0", "192.168.0.7", "10.0.0.1", "fe80::1")


def test_where_a_node_answered_comes_before_where_it_was_seen() -> None:
    table = PeerTable("me")
    table.proven("a", "192.168.0.7")
    assert "a" not in table
    table.said(info("a", addresses=("10.0.0.1", "192.168.0.7")))
    table.proven("a", "192.168.0.7")
    table.seen("a", ["192.168.0.8"])
    peer = table.get("a")
    assert peer is not None
    assert peer.addresses == ("192.168.0.7", "192.168.0.8", "10.0.0.1")


def test_made_up_addresses_leave_room_for_the_good_ones() -> None:
    table = PeerTable("me")
    own = tuple(f"10.0.0.{number}" for number in range(MAX_ADDRESSES))
    table.said(info("a", addresses=own))
    for number in range(20):
        table.seen("a", [f"192.168.1.{number}"])
    peer = table.get("a")
    assert peer is not None
    half = MAX_ADDRESSES_TRIED // 2
    assert set(own[:half]) < set(peer.addresses[:MAX_ADDRESSES_TRIED])
    table.proven("a", own[-1])
    for number in range(20):
        table.seen("a", [f"192.168.2.{number}"])
    peer = table.get("a")
    assert peer is not None
    assert peer.addresses[0] == own[-1]


def test_a_node_can_not_name_addresses_without_end() -> None:
    table = PeerTable("me")
    table.said(info("a", addresses=tuple(map(str, range(99)))))
    table.seen("a", [f"b{number}" for number in range(99)])
    for number in range(99):
        table.proven("a", f"c{number}")
    peer = table.get("a")
    assert peer is not None
    bounds = MAX_PROVEN_ADDRESSES, MAX_SEEN_ADDRESSES, MAX_ADDRESSES
    assert len(peer.addresses) == sum(bounds)
    assert peer.addresses[0] == "c98"


def test_states_follow_what_is_heard() -> None:
    table = PeerTable("me")
    table.said(info("a"))

    def state(now: float) -> PeerState:
        peer = table.get("a")
        assert peer is not None
        table.tick(now)
        peer = table.get("a")
        assert peer is not None
        return peer.state

    assert state(0) is PeerState.UNKNOWN
    table.heard("a", 10)
    assert state(10) is PeerState.ALIVE
    assert state(11 + SILENT_AFTER_SECONDS) is PeerState.SILENT
    table.lost("a", 20)
    assert state(20) is PeerState.LOST
    table.linked("a", 30)
    assert state(31 + SILENT_AFTER_SECONDS) is PeerState.ALIVE
    table.unanswered("a")
    assert state(32) is PeerState.SILENT
    table.heard("a", 33)
    assert state(33) is PeerState.ALIVE
    table.lost("a", 40)
    assert state(40) is PeerState.LOST
    table.said(info("a", 2))
    assert state(41) is PeerState.ALIVE


def test_skew_stays_until_it_is_measured_again() -> None:
    table = PeerTable("me")
    table.said(info("a"))
    table.heard("a", 1, skew=2.5)
    table.heard("a", 2)
    peer = table.get("a")
    assert peer is not None
    assert peer.skew == 2.5


def test_a_lost_node_keeps_its_place_for_a_while() -> None:
    table = PeerTable("me")
    table.said(info("a"))
    table.lost("a", 100)
    assert table.alive(100 + FORGOTTEN_AFTER_SECONDS - 1) == ("a",)
    assert table.alive(100 + FORGOTTEN_AFTER_SECONDS) == ()


def test_there_is_room_for_so_many() -> None:
    table = PeerTable("me")
    for number in range(MAX_NODES):
        table.said(info(f"n{number}"))
        table.heard(f"n{number}", number + 1)
    table.heard("n0", MAX_NODES + 1)
    table.said(info("one more"))
    assert len(table) == MAX_NODES
    assert "one more" in table
    assert "n0" in table
    assert "n1" not in table  # heard of longest ago


def test_a_removed_node_is_gone() -> None:
    table = PeerTable("me")
    table.said(info("a"))
    table.removed("a")
    assert table.all() == ()


def test_what_others_tell_of_a_lost_node_is_only_a_place_to_look() -> None:
    table = PeerTable("me")
    said = replace(info("a", addresses=("10.0.0.1",)), rest_port=9444)
    table.said(said)
    table.proven("a", "10.0.0.1")
    lie = replace(info("a", 2**62, addresses=("10.6.6.6",)), rest_port=1)
    table.heard("a", 1)
    assert not table.told(lie, 1)
    table.lost("a", 2)
    assert table.told(lie, 2)
    assert not table.told(lie, 2)
    peer = table.get("a")
    assert peer is not None
    assert peer.info == said
    assert peer.rest_addresses == [("10.0.0.1", 9444), ("10.6.6.6", 1)]
    moved = replace(info("a", 2, addresses=("10.0.0.9",)), rest_port=9444)
    assert table.told(moved, 3)
    peer = table.get("a")
    assert peer is not None
    assert peer.rest_addresses == [("10.0.0.1", 9444), ("10.0.0.9", 9444)]
    assert table.said(moved)
    peer = table.get("a")
    assert peer is not None
    assert peer.info == moved
    assert peer.rumour is None


def test_of_who_was_never_met_each_teller_has_its_turn() -> None:
    table = PeerTable("me")
    for told in (info("a", 2**62, name="lie"), info("a", 1, name="a")):
        assert table.told(told, 1)
        peer = table.get("a")
        assert peer is not None
        assert peer.info == told
        assert not table.told(told, 1)


def test_who_was_never_met_is_not_heard_of() -> None:
    table = PeerTable("me")
    table.told(info("a"), 1)
    table.heard("a", 1)
    peer = table.get("a")
    assert peer is not None
    assert peer.heard is None


def test_who_is_linked_makes_no_room() -> None:
    table = PeerTable("me")
    for number in range(MAX_NODES):
        table.said(info(f"n{number}"))
        table.heard(f"n{number}", number + 1)
    table.linked("n0", 1)
    table.said(info("one more"))
    assert "n0" in table
    assert "n1" not in table


def test_who_was_never_met_makes_room_first_and_is_forgotten() -> None:
    table = PeerTable("me")
    table.told(info("told"), 5)
    for number in range(MAX_NODES):
        table.said(info(f"n{number}"))
    assert "told" not in table
    assert not table.told(info("told"), 5)
    table.removed("n0")
    assert table.told(info("told"), 5)
    table.tick(5 + FORGOTTEN_AFTER_SECONDS - 1)
    assert "told" in table
    table.tick(5 + FORGOTTEN_AFTER_SECONDS)
    assert "told" not in table


def test_of_those_who_were_never_met_few_are_linked_with() -> None:
    table = PeerTable("me")
    for number in range(50):
        table.told(info(f"t{number}"), 1)
    assert len(table.alive(1)) == FULL_MESH_NODES
    table.lost("t0", 1)
    assert "t0" not in table.alive(1)
    for number in range(20):
        table.said(info(f"n{number}"))
    assert len(table.alive(1)) == 40


def test_the_more_nodes_there_are_the_longer_they_may_say_nothing() -> None:
    table = PeerTable("me")
    for number in range(20):
        table.said(info(f"n{number}"))
        table.heard(f"n{number}", 0)
    for number in range(50):
        table.told(info(f"t{number}"), 0)
    for now, state in (
        (20 * SILENT_SECONDS_A_NODE, PeerState.ALIVE),
        (20 * SILENT_SECONDS_A_NODE + 1, PeerState.SILENT),
    ):
        table.tick(now)
        assert {peer.state for peer in table.all() if peer.is_met} == {state}
