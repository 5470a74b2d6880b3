"""What the cohort needs from an event bus.

The bus only notifies. It may lose, repeat and reorder messages, and is trusted with
nothing: whoever receives one checks it, and what doesn't arrive is fetched from its
origin.

Two buses there are: a mesh, in which each node publishes on the broker that it embeds
and subscribes to those of its neighbours, and a broker that all share.
"""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from edgenode.security.listening import NewContext, Refused


@dataclass(frozen=True, slots=True)
class Address:
    """Where a broker listens.

    ``host`` is a name or numeric; a link-local address has its scope: ``fe80::1%eth0``.
    """

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Message:
    """One message on a topic; ``retained`` ones are given to whoever subscribes later.

    Those are the node's own, so they are few. An empty payload removes what is retained
    on a topic.
    """

    topic: str
    payload: bytes
    retained: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BusStatistics:
    """What a bus did since it was made, and who is connected now.

    Attributes:
        received: Messages that arrived, and how many bytes they had.
        sent: Messages on their way to a broker, or to each peer of the own one.
        dropped: Messages that weren't sent, to nobody or not to a slow peer.
        links: Brokers that are subscribed to.
        peers: Nodes that are connected to the own broker.
        reconnects: How often a broker was connected to once more.
        refused: Connections that were cut for what their other end was or said.
    """

    received: int = 0
    received_bytes: int = 0
    sent: int = 0
    sent_bytes: int = 0
    dropped: int = 0
    links: int = 0
    peers: int = 0
    reconnects: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """How connections of the bus are secured, asked anew for each of them.

    Attributes:
        server: TLS for a connection to the own broker; None where the cohort is open.
        client: TLS for a connection to another broker; None where it speaks none.
        identify: The id of the node at the other end, by its certificate; None for one
            that is not let in.
        refused: Told of each connection to the own broker that is cut for what its
            other end was or said.
    """

    server: NewContext
    client: NewContext
    identify: Callable[[ssl.SSLObject | ssl.SSLSocket], str | None]
    refused: Refused


class BusListener(Protocol):
    """Hears what happens on the bus; called in the event loop, returns at once."""

    def received(self, message: Message, link: str | None) -> None:
        """A message arrived.

        Args:
            message: The message; a node's own come back to it from a shared broker.
            link: The node whose broker it came from; None for a shared one.
        """
        ...

    def linked(self, node_id: str) -> None:
        """The broker of a neighbour is subscribed to."""
        ...

    def unlinked(self, node_id: str) -> None:
        """The connection to a neighbour's broker, or from it to ours, broke off."""
        ...


class EventBus(Protocol):
    """Publishes and subscribes within one cohort."""

    def publish(self, message: Message) -> None:
        """Send a message to whoever is subscribed; never waits, may lose it."""
        ...

    def link(self, neighbours: Mapping[str, tuple[Address, ...]]) -> None:
        """Which nodes' brokers to stay subscribed to, by node id; replaces the former.

        A bus with a shared broker has no use for it.
        """
        ...

    def disconnect(self, node_id: str) -> None:
        """Break off what there is with a node that isn't trusted any more.

        On a shared broker that is for the broker to do.
        """
        ...

    async def run(self, listener: BusListener) -> None:
        """Keep connected until cancelled."""
        ...

    def statistics(self) -> BusStatistics:
        """What it did so far."""
        ...
