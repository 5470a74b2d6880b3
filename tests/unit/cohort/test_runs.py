"""A run that has ended never comes back."""

from edgenode.cohort.runs import Runs
from edgenode.limits import MAX_NODES


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
