"""A run that has ended never comes back."""

from edgenode.cohort.model import NodeInfo
from edgenode.cohort.runs import Copied, Copies, Runs
from edgenode.limits import COPY_SHOWN_SECONDS, MAX_COPY_ADDRESSES, MAX_NODES


def said(node_id: str, run_id: str) -> NodeInfo:
    hosts = tuple(f"{run_id}{number}" for number in range(MAX_COPY_ADDRESSES + 1))
    return NodeInfo(node_id=node_id, run_id=run_id, revision=0, addresses=hosts)


def test_a_node_may_start_again_as_often_as_it_likes() -> None:
    runs = Runs()
    for run in ("a", "a", "b", "c", "c", "d", "e"):
        assert not runs.has_come_back(said("x", run))


def test_two_that_take_turns_are_noticed() -> None:
    runs = Runs()
    assert [runs.has_come_back(said("x", run)) for run in "abaab"] == [
        False,
        False,
        True,
        False,
        True,
    ]
    assert not runs.has_come_back(said("y", "a"))


def test_not_all_nodes_are_remembered_for_ever() -> None:
    runs = Runs()
    for run in "ab":
        runs.has_come_back(said("x", run))
    for number in range(MAX_NODES):
        runs.has_come_back(said(f"n{number}", "a"))
    assert not runs.has_come_back(said("x", "a"))


def test_a_copy_is_news_once_and_shows_for_a_while() -> None:
    copies = Copies("own")
    assert copies.notice("x", 10.0)
    assert not copies.notice("x", 20.0)
    assert copies.lately(25.0) == {"x": Copied(5.0)}
    assert copies.lately(20.0 + COPY_SHOWN_SECONDS) == {}
    assert not copies.notice("x", 20.0 + COPY_SHOWN_SECONDS)
    copies.forget("x")
    assert copies.lately(20.0 + COPY_SHOWN_SECONDS) == {}
    assert copies.notice("x", 0.0), "the node was let in again"


def test_not_all_copies_are_remembered_for_ever() -> None:
    copies = Copies("own")
    for number in range(MAX_NODES + 1):
        assert copies.notice(f"n{number}", 0.0)
    assert len(copies.lately(0.0)) == MAX_NODES
    assert "n0" not in copies.lately(0.0)


def test_a_node_is_told_of_its_copy_until_that_is_gone() -> None:
    runs, copies = Runs(), Copies("own")
    for run in "aba":
        runs.has_come_back(said("own", run))
    both = runs.last("own")
    assert [each.run_id for each in both] == ["b", "a"]
    assert {len(each.addresses) for each in both} == {MAX_COPY_ADDRESSES}
    assert copies.told("hub", 10.0, both)
    assert not copies.told("attic", 12.0, both), "it is no news any more"
    assert not copies.notice("own", 13.0)
    assert copies.lately(15.0) == {"own": Copied(2.0, both)}
    assert copies.noticed("own", 15.0) == (), "what is told isn't told on"
    copies.forget("own")
    copies.forget("attic")
    assert copies.lately(15.0) == {"own": Copied(5.0, both)}
    assert not copies.told("hub", 16.0, ())
    assert copies.lately(16.0) == {}


def test_what_was_noticed_of_another_is_told_for_a_while() -> None:
    copies, both = Copies("own"), (said("x", "a"), said("x", "b"))
    copies.notice("x", 10.0, both)
    copies.notice("x", 20.0)
    assert copies.noticed("x", 21.0) == both
    assert copies.noticed("x", 20.0 + COPY_SHOWN_SECONDS) == ()
    assert copies.noticed("y", 21.0) == ()
