"""What the cohort needs from an event bus.

The bus only notifies. It may lose, repeat and reorder messages, and is trusted with
nothing: whoever receives one checks it, and what doesn't arrive is fetched from its
origin.

Two buses there are: a mesh, in which each node publishes on the broker that it embeds
and subscribes to those of its neighbours, and a broker that all share.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


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

    An empty payload removes what is retained on a topic.
    """

    topic: str
    payload: bytes
    retained: bool = False


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

    async def run(self, listener: BusListener) -> None:
        """Keep connected until cancelled."""
        ...
