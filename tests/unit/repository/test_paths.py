"""What lies on paths between two vertices."""

from hypothesis import given
from hypothesis import strategies as st

from edgenode.repository.paths import on_simple_paths

VERTICES = st.integers(0, 6)
EDGES = st.lists(st.tuples(VERTICES, VERTICES), max_size=12)


def by_walking(edges: list[tuple[int, int]], start: int, end: int) -> set[int]:
    """The vertices on all paths, found by walking each of them."""
    found: set[int] = set()

    def walk(path: list[int]) -> None:
        if path[-1] == end:
            found.update(path)
            return
        for one, other in edges:
            if path[-1] in (one, other):
                far = other if one == path[-1] else one
                if far not in path:
                    walk([*path, far])

    walk([start])
    return found


@given(EDGES, VERTICES, VERTICES)
def test_all_paths_and_nothing_else(
    edges: list[tuple[int, int]], start: int, end: int
) -> None:
    assert on_simple_paths(edges, start, end) == by_walking(edges, start, end)


def test_a_long_chain_is_walked_without_recursion() -> None:
    chain = [(vertex, vertex + 1) for vertex in range(20_000)]
    assert len(on_simple_paths(chain, 0, 20_000)) == 20_001


def test_a_dead_end_is_on_no_path() -> None:
    assert on_simple_paths([(1, 2), (2, 3), (2, 4), (4, 5), (5, 4)], 1, 3) == {1, 2, 3}


def test_without_a_path_there_is_nothing() -> None:
    assert on_simple_paths([(1, 2), (3, 4)], 1, 4) == set()
