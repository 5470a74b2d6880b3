"""The bus without a centre: each node publishes on its own broker."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgenode.bus.base import Address, BusListener, BusStatistics, Message, Trust
from edgenode.bus.mqtt import LinkSettings, MqttLink
from edgenode.limits import FIRST_RECONNECT_SECONDS

if TYPE_CHECKING:
    from edgenode.bus.broker import EmbeddedBroker


@dataclass(frozen=True, slots=True)
class _Neighbour:
    """A node whose broker this one stays subscribed to."""

    link: MqttLink
    task: asyncio.Task[None]


class MeshBus:
    """Publishes on the broker that it embeds, subscribes to those of its neighbours.

    Args:
        node_id: This node.
        prefix: What all topics begin with.
        will: What neighbours publish when the connection to this node breaks off.
        trust: How connections are secured.
        first_retry_seconds: The shortest pause before a neighbour is tried again.
    """

    def __init__(
        self,
        node_id: str,
        prefix: str,
        will: Message,
        trust: Trust,
        *,
        first_retry_seconds: float = FIRST_RECONNECT_SECONDS,
    ) -> None:
        self._node_id = node_id
        self._prefix = prefix
        self._will = will
        self._trust = trust
        self._first_retry_seconds = first_retry_seconds
        self._wanted: dict[str, tuple[Address, ...]] = {}
        self._neighbours: dict[str, _Neighbour] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._past = BusStatistics()
        self._listener: BusListener | None = None
        self._broker = self._embedded()

    def _embedded(self) -> "EmbeddedBroker":
        # Not before there is a mesh: amqtt takes 8 MB.
        from edgenode.bus.broker import EmbeddedBroker

        return EmbeddedBroker(
            self._prefix, self._trust, came=self._peer_came, went=self._peer_went
        )

    def listen(self, hosts: Sequence[str], port: int) -> int:
        """Take numeric addresses for the broker; gives the port. To be called first.

        Raises:
            OSError: An address can't be listened on.
        """
        return self._broker.listen(hosts, port)

    def close(self) -> None:
        """Give the addresses back, where it comes to nothing after ``listen``."""
        self._broker.close()

    def publish(self, message: Message) -> None:
        """Send to all peers that are connected."""
        self._broker.publish(message)

    def link(self, neighbours: Mapping[str, tuple[Address, ...]]) -> None:
        """Which nodes' brokers to stay subscribed to; replaces the former."""
        self._wanted = dict(neighbours)
        self._wanted.pop(self._node_id, None)
        self._follow()

    def disconnect(self, node_id: str) -> None:
        """Break off what there is with a node that isn't trusted any more."""
        self._wanted.pop(node_id, None)
        self._follow()
        self._broker.disconnect(node_id)

    async def run(self, listener: BusListener) -> None:
        """Serve and stay subscribed until cancelled; from then on nothing is told."""
        self._listener = listener
        self._follow()
        serving = asyncio.create_task(self._broker.run(), name="bus: broker")
        try:
            await asyncio.wait([serving])
            serving.result()
        finally:
            self._listener = None
            for node_id in list(self._neighbours):
                self._leave(node_id)
            serving.cancel()
            await asyncio.gather(serving, *self._ending, return_exceptions=True)

    def statistics(self) -> BusStatistics:
        """What it did so far."""
        total = self._past
        for neighbour in self._neighbours.values():
            total = _with_link(total, neighbour.link)
        traffic = self._broker.traffic
        return BusStatistics(
            received=total.received,
            received_bytes=total.received_bytes,
            sent=traffic.sent,
            sent_bytes=traffic.sent_bytes,
            dropped=traffic.dropped,
            links=sum(each.link.is_up for each in self._neighbours.values()),
            peers=self._broker.peers,
            reconnects=total.reconnects,
            refused=self._broker.refused + total.refused,
        )

    def _follow(self) -> None:
        """Make the links those that are wanted, while it runs."""
        if self._listener is None:
            return
        for node_id in self._neighbours.keys() - self._wanted.keys():
            self._leave(node_id)
        for node_id, addresses in self._wanted.items():
            neighbour = self._neighbours.get(node_id)
            if neighbour is None:
                self._neighbours[node_id] = self._joined(node_id, addresses)
            elif neighbour.link.addresses != addresses:
                neighbour.link.addresses = addresses
                neighbour.link.hurry()

    def _joined(self, node_id: str, addresses: tuple[Address, ...]) -> _Neighbour:
        settings = LinkSettings(
            client_id=self._node_id,
            topics=f"{self._prefix}#",
            will=self._will,
            tls=self._trust.client,
            accepts=lambda secure: self._trust.identify(secure) == node_id,
            first_retry_seconds=self._first_retry_seconds,
        )
        link = MqttLink(
            node_id, settings, _Heard(node_id, lambda: self._listener), addresses
        )
        task = asyncio.create_task(link.run(), name=f"bus: link to {node_id}")
        return _Neighbour(link, task)

    def _leave(self, node_id: str) -> None:
        neighbour = self._neighbours.pop(node_id)
        self._past = _with_link(self._past, neighbour.link)
        neighbour.task.cancel()
        self._ending.add(neighbour.task)
        neighbour.task.add_done_callback(self._ending.discard)

    def _peer_came(self, node_id: str) -> None:
        neighbour = self._neighbours.get(node_id)
        if neighbour is not None:
            neighbour.link.hurry()

    def _peer_went(self, node_id: str) -> None:
        if self._listener is not None:
            self._listener.unlinked(node_id)


def _with_link(total: BusStatistics, link: MqttLink) -> BusStatistics:
    counts = link.counts
    return BusStatistics(
        received=total.received + counts.received,
        received_bytes=total.received_bytes + counts.received_bytes,
        reconnects=total.reconnects + max(counts.connections - 1, 0),
        refused=total.refused + counts.refused,
    )


@dataclass(frozen=True, slots=True)
class _Heard:
    """Tells the listener of the bus, while there is one, what is heard on one link."""

    node_id: str
    listener: Callable[[], BusListener | None]

    def received(self, message: Message) -> None:
        if (listener := self.listener()) is not None:
            listener.received(message, self.node_id)

    def up(self) -> None:
        if (listener := self.listener()) is not None:
            listener.linked(self.node_id)

    def down(self) -> None:
        if (listener := self.listener()) is not None:
            listener.unlinked(self.node_id)
