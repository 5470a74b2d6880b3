"""Walks over a graph of which every member knows a part: pure functions.

A member walks as far as it knows the way. Members with copies of everything all find the
same. One that joined late, as genuine members may, knows its own entities and what it was
told since: there another one's walk ends at an entity whose home would know on.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from edgenode.codec.headers import header_of
from edgenode.federation.merge import owner_of
from edgenode.instances.document import Document
from edgenode.instances.model import EntityProxy, Relationship
from edgenode.repository.base import Graph


class Walk(NamedTuple):
    """What a member found around an entity.

    Attributes:
        member: Who walked.
        guid: Where it began.
        distance: How far that is from where all began.
        graph: What it found.
    """

    member: str
    guid: str
    distance: int
    graph: Graph


class Onward(NamedTuple):
    """An entity from which its home may know on.

    Attributes:
        guid: The entity.
        owner: Its home.
        distance: How far it is from where all began.
    """

    guid: str
    owner: str
    distance: int


_Ways = Mapping[str, Iterable[str]]


def onward(
    walks: Sequence[Walk], root: str, levels: int, answering: Collection[str]
) -> list[Onward]:
    """The entities whose homes didn't get to them, or by a longer way; nearest first.

    Args:
        walks: What the members found.
        root: Where all began.
        levels: How far to go.
        answering: The members that can be asked, those that found nothing, too.
    """
    if _all_alike(walks) and {walk.member for walk in walks} >= set(answering):
        return []
    graph = _Reader()
    of_all: dict[str, set[str]] = {}
    reached: dict[tuple[str, str], int] = {}
    for walk in walks:
        ways = graph.ways(walk.graph)
        for guid, others in ways.items():
            of_all.setdefault(guid, set()).update(others)
        for guid, distance in _distances(walk.guid, ways, walk.distance).items():
            key = walk.member, guid
            reached[key] = min(distance, reached.get(key, distance))
    return [
        Onward(guid, owner, distance)
        for guid, distance in _distances(root, of_all).items()
        if distance <= levels
        and (owner := graph.owners.get(guid, "")) in answering
        and reached.get((owner, guid), levels + 1) > distance
    ]


def _all_alike(walks: Sequence[Walk]) -> bool:
    """Whether all found the same, which is seen without decoding anything."""
    found = {
        (
            frozenset(header_of(each).guid for each in walk.graph.entities),
            frozenset(header_of(each).guid for each in walk.graph.relationships),
        )
        for walk in walks
    }
    return len(found) <= 1


class _Reader:
    """Reads graphs; copies that are alike are decoded once.

    Attributes:
        owners: The homes of the entities that were met.
    """

    def __init__(self) -> None:
        self.owners: dict[str, str] = {}
        self._ends: dict[bytes, tuple[str, str]] = {}

    def ways(self, graph: Graph) -> dict[str, set[str]]:
        """Where relationships lead from each entity."""
        ways: dict[str, set[str]] = {}
        for entity in graph.entities:
            header = header_of(entity)
            self.owners[header.guid] = header.owner
        for relationship in graph.relationships:
            one, two = self._of(relationship)
            ways.setdefault(one, set()).add(two)
            ways.setdefault(two, set()).add(one)
        return ways

    def _of(self, relationship: Document[Relationship]) -> tuple[str, str]:
        known = self._ends.get(relationship.json)
        if known is None:
            value = relationship.value
            known = self._end(value.entity_one_proxy), self._end(value.entity_two_proxy)
            self._ends[relationship.json] = known
        return known

    def _end(self, proxy: EntityProxy | None) -> str:
        if proxy is None or proxy.guid is None:
            return ""
        self.owners.setdefault(proxy.guid, owner_of(proxy) or "")
        return proxy.guid


def _distances(root: str, ways: _Ways, distance: int = 0) -> dict[str, int]:
    """How far it is to each entity, nearest first."""
    found = {root: distance}
    waiting = deque([root])
    while waiting:
        guid = waiting.popleft()
        for other in ways.get(guid, ()):
            if other not in found:
                found[other] = found[guid] + 1
                waiting.append(other)
    return found
