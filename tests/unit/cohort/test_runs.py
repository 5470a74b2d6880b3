"""A run that has ended never comes back."""

from edgenode.cohort.runs import Copies, Runs
from edgenode.limits import COPY_SHOWN_SECONDS, MAX_NODES


def test_a_node_may_start_again_as_often_as_it_likes() -> None:
    runs = Runs()
    for run in ("a", "a", "b", "c", "c", "d", "e"):
        assert not runs.has_come_back("x", run)


def test_two_that_take_turns_are_noticed() -> None:
    runs = Runs()
    assert [runs.has_come_back("x", run) for run in "abaab"] == [
        False,
        False,
        True,
        False,
        True,
    ]
    assert not runs.has_come_back("y", "a")


def test_not_all_nodes_are_remembered_for_ever() -> None:
    runs = Runs()
    for run in "ab":
        runs.has_come_back("x", run)
    for number in range(MAX_NODES):
        runs.has_come_back(f"n{number}", "a")
    assert not runs.has_come_back("x", "a")


def test_a_copy_is_news_once_and_shows_for_a_while() -> None:
    copies = Copies()
    assert copies.notice("x", 10.0)
    assert not copies.notice("x", 20.0)
    assert copies.lately(25.0) == {"x": 5.0}
    assert copies.lately(20.0 + COPY_SHOWN_SECONDS) == {}
    assert not copies.notice("x", 20.0 + COPY_SHOWN_SECONDS)
    copies.forget("x")
    assert copies.lately(20.0 + COPY_SHOWN_SECONDS) == {}
    assert copies.notice("x", 0.0), "the node was let in again"


def test_not_all_copies_are_remembered_for_ever() -> None:
    copies = Copies()
    for number in range(MAX_NODES + 1):
        assert copies.notice(f"n{number}", 0.0)
    assert len(copies.lately(0.0)) == MAX_NODES
    assert "n0" not in copies.lately(0.0)
