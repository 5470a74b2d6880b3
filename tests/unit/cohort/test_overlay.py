"""Everybody hears everybody, over few connections."""

from hypothesis import given
from hypothesis import strategies as st

from edgenode.cohort.overlay import is_partial, neighbours
from edgenode.limits import FULL_MESH_NODES

node_ids = st.sets(st.text("0123456789abcdef", min_size=1, max_size=6), min_size=1)


def steps_to_all(nodes: set[str], start: str) -> int:
    """In how many steps what one node publishes has reached all."""
    subscribers = {
        node: {other for other in nodes if node in neighbours(other, nodes)}
        for node in nodes
    }
    reached, steps = {start}, 0
    while reached != nodes:
        more = set().union(*(subscribers[node] for node in reached)) - reached
        assert more, f"{nodes - reached} hear nothing from {start}"
        reached |= more
        steps += 1
    return steps


@given(node_ids)
def test_everybody_hears_everybody(nodes: set[str]) -> None:
    longest = max(steps_to_all(nodes, start) for start in nodes)
    assert longest <= max(1, len(nodes).bit_length())


def test_a_small_cohort_is_a_full_mesh() -> None:
    nodes = {f"{number:02}" for number in range(FULL_MESH_NODES)}
    assert all(neighbours(node, nodes) == nodes - {node} for node in nodes)
    assert not is_partial(len(nodes))


def test_connections_of_a_large_cohort_hardly_grow() -> None:
    nodes = {f"{number:03}" for number in range(500)}
    assert is_partial(len(nodes))
    assert {len(neighbours(node, nodes)) for node in nodes} == {9}


def test_a_node_is_not_its_own_neighbour() -> None:
    assert neighbours("a", []) == frozenset()
    assert neighbours("a", ["a", "b"]) == {"b"}
