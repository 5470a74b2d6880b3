"""Which part of a graph lies on paths between two of its vertices."""

from collections import defaultdict
from collections.abc import Iterable, Iterator


def on_simple_paths(edges: Iterable[tuple[int, int]], start: int, end: int) -> set[int]:
    """The vertices on paths from start to end that pass no vertex twice.

    With one more edge from start to end, these are the vertices of the biconnected
    component which that edge belongs to: there any two edges are on a common cycle
    (Tarjan, "Depth-first search and linear graph algorithms", 1972).
    """
    if start == end:
        return {start}
    neighbors: defaultdict[int, set[int]] = defaultdict(set)
    is_linked = False
    for one, other in edges:
        if one != other:
            neighbors[one].add(other)
            neighbors[other].add(one)
            is_linked = is_linked or {one, other} == {start, end}
    neighbors[start].add(end)
    neighbors[end].add(start)
    found = _component(neighbors, start, end)
    return found if is_linked or len(found) > 2 else set()


def _component(neighbors: dict[int, set[int]], start: int, end: int) -> set[int]:
    """The vertices of the biconnected component with the edge from start to end."""
    number = {start: 0, end: 1}
    lowest = {start: 0, end: 0}
    visited = [end]
    # Going to the end first makes that edge the first of the walk, so its component is
    # what is left when the walk is back at the start.
    path: list[tuple[int, int, Iterator[int]]] = [(end, start, iter(neighbors[end]))]
    while path:
        vertex, parent, rest = path[-1]
        following = next(rest, None)
        if following is None:
            path.pop()
            if not path:
                break
            above = path[-1][0]
            lowest[above] = min(lowest[above], lowest[vertex])
            if lowest[vertex] >= number[above]:  # above cuts off all behind it
                while visited.pop() != vertex:
                    pass
        elif following not in number:
            number[following] = lowest[following] = len(number)
            visited.append(following)
            path.append((following, vertex, iter(neighbors[following])))
        elif following != parent:
            lowest[vertex] = min(lowest[vertex], number[following])
    return {start, *visited}
