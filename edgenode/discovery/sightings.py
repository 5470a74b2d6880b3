"""Which nodes of the cohort were seen on the local network, and where.

A sighting is a hint, for anybody can announce anything: it says where to try, and the
connection tells who is there. Nor does it say that a node lives; so a goodbye takes
nothing away, and an address is forgotten only when another one takes its place or when
it is very old.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from ipaddress import IPv6Address, ip_address
from typing import Protocol

from edgenode.discovery.records import PROTOCOL, Announcement
from edgenode.limits import (
    MAX_SIGHTED_ADDRESSES,
    MAX_SIGHTED_NODES,
    SIGHTING_SECONDS,
)


class Reach(IntEnum):
    """How an address is reached; the lower are tried first."""

    SUBNET = 0
    LINK_LOCAL = 1
    ROUTED = 2


@dataclass(frozen=True, slots=True)
class Place:
    """One address of a node.

    Attributes:
        host: Numeric; a link-local one of IPv6 with its scope: ``fe80::1%eth0``.
        interface: The interface of this machine through which it is reached directly;
            empty where there is none.
    """

    host: str
    interface: str

    @property
    def reach(self) -> Reach:
        """How it is reached."""
        if _is_link_local(self.host):
            return Reach.LINK_LOCAL
        return Reach.SUBNET if self.interface else Reach.ROUTED

    @property
    def kind(self) -> tuple[str, bool, Reach]:
        """What a later address must be like to take this one's place."""
        return self.interface, ":" in self.host, self.reach


@dataclass(frozen=True, slots=True)
class Sighting:
    """A node and its addresses, the most promising first."""

    announcement: Announcement
    addresses: tuple[str, ...]

    @property
    def node_id(self) -> str:
        """Which node."""
        return self.announcement.node_id


@dataclass(frozen=True, slots=True)
class Gone:
    """No address of a node is known any more."""

    node_id: str


Change = Sighting | Gone


class SightingListener(Protocol):
    """Hears of nodes on the local network; called in the event loop, returns at once."""

    def seen(self, sighting: Sighting) -> None:
        """A node was seen for the first time, in another way, or after a goodbye.

        It is told again every while, though nothing changed.
        """
        ...

    def gone(self, node_id: str) -> None:
        """Nothing was heard of a node for very long; whether it lives isn't said."""
        ...


def tell(listener: SightingListener, change: Change) -> None:
    """Pass a change on."""
    match change:
        case Sighting():
            listener.seen(change)
        case Gone():
            listener.gone(change.node_id)


@dataclass(slots=True)
class _Node:
    announcement: Announcement
    places: dict[Place, float] = field(default_factory=dict)
    told: Sighting | None = None

    @property
    def last_seen(self) -> float:
        return max(self.places.values())

    def sighting(self) -> Sighting:
        def promise(place: Place) -> tuple[int, float]:
            return place.reach, -self.places[place]

        ordered = sorted(self.places, key=promise)
        return Sighting(self.announcement, tuple(place.host for place in ordered))


class Sightings:
    """All nodes of the cohort that were seen.

    Attributes:
        other_cohorts: How many announcements had another tag.
        other_protocols: How many were of this cohort, with another protocol.
    """

    def __init__(self, own: Announcement, tags: Collection[str] = ()) -> None:
        """Nothing is seen yet.

        Args:
            own: This node's announcement, which the others are told apart from.
            tags: The cohort's tags beside the one that is announced: that of the key
                before, while a rotation lasts.
        """
        self._own = own
        self._tags = frozenset((own.tag, *tags))
        self._nodes: dict[str, _Node] = {}
        self.other_cohorts = 0
        self.other_protocols = 0

    def __len__(self) -> int:
        return len(self._nodes)

    def saw(
        self, announcement: Announcement, places: Collection[Place], now: float
    ) -> list[Change]:
        """Take in an announcement and the addresses that came with it.

        Args:
            announcement: What the node says of itself.
            places: Its addresses; of those alike the more promising first.
            now: Seconds on a clock that never goes back.
        """
        if announcement.node_id == self._own.node_id:
            return []
        if announcement.tag not in self._tags:
            self.other_cohorts += 1
            return []
        if announcement.protocol != PROTOCOL:
            self.other_protocols += 1
            return []
        if not places:
            return []
        changes: list[Change] = []
        node = self._nodes.get(announcement.node_id)
        if node is None:
            if len(self._nodes) >= MAX_SIGHTED_NODES:
                changes.append(self._forget_oldest())
            node = self._nodes[announcement.node_id] = _Node(announcement)
        node.announcement = announcement
        node.places = _merged(node.places, places, now)
        changes.extend(_news(node))
        return changes

    def left(self, node_id: str) -> None:
        """A node said goodbye; when it is seen again that is told in any case."""
        if node := self._nodes.get(node_id):
            node.told = None

    def told(self) -> list[Change]:
        """All nodes as they were told last, for whoever didn't get round to them."""
        return [node.told for node in self._nodes.values() if node.told is not None]

    def forget_old(self, now: float) -> list[Change]:
        """Let go of what was seen too long ago."""
        changes: list[Change] = []
        for node_id, node in list(self._nodes.items()):
            young = {
                place: seen
                for place, seen in node.places.items()
                if now - seen <= SIGHTING_SECONDS
            }
            if not young:
                del self._nodes[node_id]
                changes.append(Gone(node_id))
            elif len(young) < len(node.places):
                node.places = young
                changes.extend(_news(node))
        return changes

    def _forget_oldest(self) -> Gone:
        oldest = min(self._nodes, key=lambda node_id: self._nodes[node_id].last_seen)
        del self._nodes[oldest]
        return Gone(oldest)


def _merged(
    known: dict[Place, float], places: Collection[Place], now: float
) -> dict[Place, float]:
    """The addresses of a node with those just seen, which replace what is like them."""
    merged = dict.fromkeys(places, now)
    replaced = {place.kind for place in places}
    merged.update(
        (place, seen) for place, seen in known.items() if place.kind not in replaced
    )
    best = sorted(merged, key=lambda place: (-merged[place], place.reach))
    return {place: merged[place] for place in best[:MAX_SIGHTED_ADDRESSES]}


def _news(node: _Node) -> Iterator[Sighting]:
    sighting = node.sighting()
    if sighting != node.told:
        node.told = sighting
        yield sighting


def _is_link_local(host: str) -> bool:
    address = ip_address(host)
    return isinstance(address, IPv6Address) and address.is_link_local
