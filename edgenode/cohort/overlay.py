"""Which brokers a node subscribes to, so that everybody hears everybody.

Up to a small number of nodes all subscribe to all. Beyond that connections, and what
they cost while nothing happens, would grow with the square of the nodes; so each
subscribes to those that follow it at distances 1, 2, 4, 8, ... in the circle of sorted
node ids, and passes on what it hears for the first time. Everything then reaches
everybody in at most as many steps as the number of nodes has binary digits.
"""

from collections.abc import Iterable

from edgenode.limits import FULL_MESH_NODES


def neighbours(own: str, nodes: Iterable[str]) -> frozenset[str]:
    """The nodes whose brokers a node subscribes to.

    Args:
        own: The node's id.
        nodes: The ids of all nodes that live; its own may be among them.
    """
    circle = sorted({own, *nodes})
    if len(circle) <= FULL_MESH_NODES:
        return frozenset(circle) - {own}
    place = circle.index(own)
    found, distance = set(), 1
    while distance < len(circle):
        found.add(circle[(place + distance) % len(circle)])
        distance *= 2
    return frozenset(found)


def is_partial(count: int) -> bool:
    """Whether some of that many nodes hear others by way of third ones only."""
    return count > FULL_MESH_NODES
