"""A bus without sockets or time: what arrives, and when, is decided from outside.

Nodes are linked as in the mesh: each publishes on its own broker and hears those of its
neighbours. Nothing is heard by itself; whoever holds the network lets it happen, loses
or repeats it, in any order, and parts and joins nodes.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from edgenode.bus.base import Address, BusListener, BusStatistics, Message


@dataclass(frozen=True, slots=True)
class Happening:
    """What a node is about to hear.

    Attributes:
        node_id: Who hears it.
        link: The neighbour from whose broker it comes, or whose connection changed.
        message: What arrives; None where the connection changed.
        is_linked: To what it changed.
    """

    node_id: str
    link: str
    message: Message | None = None
    is_linked: bool = False


class MemoryNetwork:
    """Where the buses of all nodes meet."""

    def __init__(self) -> None:
        self._buses: dict[str, MemoryBus] = {}
        self._pending: list[Happening] = []
        self._parted: set[frozenset[str]] = set()
        self._paused: set[str] = set()
        self._up: set[tuple[str, str]] = set()

    def bus(self, node_id: str, will: Message | None = None) -> "MemoryBus":
        """A node's bus; one that is made again takes the place of the former.

        Args:
            node_id: The node.
            will: What neighbours publish when the connection of the node breaks off.
        """
        former = self._buses.get(node_id)
        if former is not None:
            former.stop()
        bus = MemoryBus(self, node_id, will)
        self._buses[node_id] = bus
        return bus

    @property
    def pending(self) -> tuple[Happening, ...]:
        """What can happen next; what concerns paused nodes can't."""
        return tuple(self._pending[index] for index in self._possible())

    def _possible(self) -> Sequence[int]:
        if not self._paused:
            return range(len(self._pending))
        return [
            index
            for index, each in enumerate(self._pending)
            if each.node_id not in self._paused
            and (each.message is None or each.link not in self._paused)
        ]

    def deliver(self, index: int = 0) -> None:
        """Let one of what is pending happen.

        Messages may be taken in any order; how a connection changes is heard in order,
        so the oldest change of the same connection happens instead of a later one.
        """
        place = self._possible()[index]
        happening = self._pending[place]
        if happening.message is None:
            place = next(
                older
                for older, each in enumerate(self._pending)
                if each.message is None
                and (each.node_id, each.link) == (happening.node_id, happening.link)
            )
        happening = self._pending.pop(place)
        bus = self._buses.get(happening.node_id)
        if bus is not None:
            bus.hear(happening)

    def deliver_all(self, most: int = 100_000) -> int:
        """Let everything happen, and what comes of it; how much that was.

        Raises:
            RuntimeError: It doesn't come to an end.
        """
        for count in range(most):
            if not self._possible():
                return count
            self.deliver()
        raise RuntimeError(f"more than {most} messages")

    def lose(self, index: int = 0) -> None:
        """Let one of what is pending never happen; changes of a connection can't."""
        place = self._possible()[index]
        if self._pending[place].message is not None:
            del self._pending[place]

    def repeat(self, index: int = 0) -> None:
        """Let a message happen once more than it would."""
        happening = self._pending[self._possible()[index]]
        if happening.message is not None:
            self._pending.append(happening)

    def part(self, one: Iterable[str], other: Iterable[str]) -> None:
        """Cut all connections between two groups of nodes, until they are joined."""
        others = list(other)
        self._parted |= {frozenset((a, b)) for a in one for b in others if a != b}
        self.settle()

    def join(self, one: Iterable[str], other: Iterable[str]) -> None:
        """Undo parting them."""
        others = list(other)
        self._parted -= {frozenset((a, b)) for a in one for b in others}
        self.settle()

    def join_all(self) -> None:
        """Undo all parting and pausing."""
        self._parted.clear()
        self._paused.clear()
        self.settle()

    def pause(self, node_id: str) -> None:
        """Let a node hear and be heard no more for now; its connections stay."""
        self._paused.add(node_id)

    def resume(self, node_id: str) -> None:
        """Let it go on; it hears what happened meanwhile."""
        self._paused.discard(node_id)

    def is_reachable(self, one: str, other: str) -> bool:
        """Whether two nodes aren't parted; for what tests let them do beside the bus."""
        return frozenset((one, other)) not in self._parted

    def settle(self) -> None:
        """Make and break connections as they have to be by now."""
        wanted = {
            (node_id, neighbour)
            for node_id, bus in self._buses.items()
            if bus.is_running
            for neighbour in bus.neighbours
            if self._is_running(neighbour) and self.is_reachable(node_id, neighbour)
        }
        for node_id, neighbour in sorted(self._up - wanted):
            self._break(node_id, neighbour)
        for node_id, neighbour in sorted(wanted - self._up):
            self._connect(node_id, neighbour)

    def spread(self, node_id: str, message: Message) -> int:
        """Send to all who are connected to a node's broker; how many that are."""
        subscribers = sorted(a for a, b in self._up if b == node_id)
        for each in subscribers:
            # Only who subscribes later gets it as one that was kept.
            fresh = replace(message, retained=False)
            self._pending.append(Happening(each, node_id, fresh))
        return len(subscribers)

    def disconnect(self, one: str, other: str) -> None:
        """Break the connections of two nodes; whoever may connects again."""
        for link in ((one, other), (other, one)):
            if link in self._up:
                self._break(*link)

    def forget(self, node_id: str) -> None:
        """Let nothing of what is pending for a node happen."""
        self._pending = [each for each in self._pending if each.node_id != node_id]

    def count_links(self, node_id: str) -> tuple[int, int]:
        """How many brokers a node is subscribed to, and how many nodes to its own."""
        to = sum(a == node_id for a, _ in self._up)
        return to, sum(b == node_id for _, b in self._up)

    def _is_running(self, node_id: str) -> bool:
        bus = self._buses.get(node_id)
        return bus is not None and bus.is_running

    def _connect(self, node_id: str, neighbour: str) -> None:
        self._up.add((node_id, neighbour))
        self._pending.append(Happening(node_id, neighbour, is_linked=True))
        for message in self._buses[neighbour].retained:
            self._pending.append(Happening(node_id, neighbour, message))

    def _break(self, node_id: str, neighbour: str) -> None:
        """What is under way is lost; both ends hear of it, and the will is published."""
        self._up.discard((node_id, neighbour))
        self._pending = [
            each
            for each in self._pending
            if each.message is None or (each.node_id, each.link) != (node_id, neighbour)
        ]
        if self._is_running(node_id):
            self._pending.append(Happening(node_id, neighbour))
        if self._is_running(neighbour):
            self._pending.append(Happening(neighbour, node_id))
            will = self._buses[node_id].will
            if will is not None and neighbour in self._buses[node_id].neighbours:
                self.spread(neighbour, will)


class MemoryBus:
    """One node's bus; made by the network."""

    def __init__(
        self, network: MemoryNetwork, node_id: str, will: Message | None
    ) -> None:
        self.will = will
        self.neighbours: frozenset[str] = frozenset()
        self._network = network
        self._node_id = node_id
        self._listener: BusListener | None = None
        self._retained: dict[str, Message] = {}
        self._statistics = BusStatistics()

    @property
    def is_running(self) -> bool:
        """Whether somebody listens."""
        return self._listener is not None

    @property
    def retained(self) -> tuple[Message, ...]:
        """What is kept for who subscribes later."""
        return tuple(self._retained.values())

    def publish(self, message: Message) -> None:
        """Send to all who are connected, once the network lets it happen."""
        if message.retained:
            self._retained.pop(message.topic, None)
            if message.payload:
                self._retained[message.topic] = message
        count = self._network.spread(self._node_id, message) if self.is_running else 0
        self._statistics = replace(
            self._statistics,
            sent=self._statistics.sent + count,
            sent_bytes=self._statistics.sent_bytes + count * len(message.payload),
        )

    def link(self, neighbours: Mapping[str, tuple[Address, ...]]) -> None:
        """Which nodes' brokers to stay subscribed to."""
        self.neighbours = frozenset(neighbours) - {self._node_id}
        self._network.settle()

    def disconnect(self, node_id: str) -> None:
        """Break off what there is with a node that isn't trusted any more."""
        self._network.disconnect(self._node_id, node_id)

    async def run(self, listener: BusListener) -> None:
        """Stay connected until cancelled."""
        self.start(listener)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.stop()

    def start(self, listener: BusListener) -> None:
        """Begin to listen; for tests without an event loop."""
        self._listener = listener
        self._network.settle()

    def stop(self) -> None:
        """Listen no more: all connections break off, as if the node had died."""
        self._listener = None
        self._network.forget(self._node_id)
        self._network.settle()

    def hear(self, happening: Happening) -> None:
        """Let something happen to this node."""
        if self._listener is None:
            return
        if happening.message is not None:
            self._statistics = replace(
                self._statistics,
                received=self._statistics.received + 1,
                received_bytes=self._statistics.received_bytes
                + len(happening.message.payload),
            )
            self._listener.received(happening.message, happening.link)
        elif happening.is_linked:
            self._listener.linked(happening.link)
        else:
            self._listener.unlinked(happening.link)

    def statistics(self) -> BusStatistics:
        """What it did so far."""
        links, peers = self._network.count_links(self._node_id)
        return replace(self._statistics, links=links, peers=peers)
