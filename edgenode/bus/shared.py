"""The bus over one broker that all nodes share."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edgenode.bus.base import Address, BusListener, BusStatistics, Message
from edgenode.bus.mqtt import LinkSettings, MqttLink
from edgenode.limits import FIRST_RECONNECT_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedBroker:
    """Where the broker is, and how to be let in.

    ``tls`` gives the context for the next connection, None for none.
    """

    address: Address
    tls: Callable[[], ssl.SSLContext | None] = lambda: None
    username: str | None = None
    password: str | None = None


class SharedBus:
    """Publishes and subscribes on a broker that isn't ours.

    Args:
        node_id: This node.
        prefix: What all topics begin with.
        will: What the broker publishes when the connection of this node breaks off.
        broker: The broker.
        came_back: Called when it is connected to once more after it was lost.
        first_retry_seconds: The shortest pause before it is tried again.
    """

    def __init__(
        self,
        node_id: str,
        prefix: str,
        will: Message,
        broker: SharedBroker,
        *,
        came_back: Callable[[], None] = lambda: None,
        first_retry_seconds: float = FIRST_RECONNECT_SECONDS,
    ) -> None:
        self._retained: dict[str, Message] = {}
        self._came_back = came_back
        self._heard = _Heard(self._connected)
        settings = LinkSettings(
            client_id=node_id,
            topics=f"{prefix}#",
            will=will,
            qos=1,
            is_shared=True,
            username=broker.username,
            password=broker.password,
            tls=broker.tls,
            first_retry_seconds=first_retry_seconds,
        )
        self._link = MqttLink(
            broker.address.host, settings, self._heard, (broker.address,)
        )

    def publish(self, message: Message) -> None:
        """Send to all; lost while there is no connection, but for what is retained."""
        if message.retained:
            self._retained[message.topic] = message
        self._link.publish(message)

    def _connected(self) -> None:
        """Say again what is to be known: the broker may have begun anew."""
        for message in self._retained.values():
            self._link.publish(message)
        if self._link.counts.connections > 1:
            self._came_back()

    def link(self, neighbours: Mapping[str, tuple[Address, ...]]) -> None:
        """Nothing to do: all meet at the broker."""

    def disconnect(self, node_id: str) -> None:
        """Whom the broker serves is not for this node to say."""

    async def run(self, listener: BusListener) -> None:
        """Stay connected until cancelled."""
        self._heard.listener = listener
        await self._link.run()

    def statistics(self) -> BusStatistics:
        """What it did so far."""
        counts = self._link.counts
        return BusStatistics(
            received=counts.received,
            received_bytes=counts.received_bytes,
            sent=counts.sent,
            sent_bytes=counts.sent_bytes,
            dropped=counts.dropped,
            links=int(self._link.is_up),
            reconnects=max(counts.connections - 1, 0),
        )


class _Heard:
    """Tells the listener of the bus what is heard; nobody is a neighbour there."""

    def __init__(self, connected: Callable[[], None]) -> None:
        self.listener: BusListener | None = None
        self._connected = connected

    def received(self, message: Message) -> None:
        if self.listener is not None:
            self.listener.received(message, None)

    def up(self) -> None:
        self._connected()

    def down(self) -> None:
        """Nothing is told: who can't be reached is found out otherwise."""
