"""An MQTT 3.1.1 client that sends whatever bytes a test wants, and listeners."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from edgenode.bus.base import Address, Message
from edgenode.bus.packets import (
    DISCONNECT,
    Connect,
    Request,
    Will,
    connect_packet,
    published_topic,
    subscribe_packet,
)

SECONDS = 10.0
"""How long what has to come may take, on a machine that has other work to do."""

PINGREQ = b"\xc0\x00"


class HungUpError(Exception):
    """The broker closed the connection."""


class RawClient:
    """Speaks MQTT packet by packet."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(
        cls, address: Address, context: ssl.SSLContext | None = None
    ) -> "RawClient":
        reader, writer = await asyncio.open_connection(
            address.host, address.port, ssl=context
        )
        return cls(reader, writer)

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def packet(self) -> bytes:
        """The next packet as a whole."""
        try:
            async with asyncio.timeout(SECONDS):
                return await self._packet()
        except (asyncio.IncompleteReadError, OSError) as error:
            if isinstance(error, TimeoutError):
                raise
            raise HungUpError from error

    async def _packet(self) -> bytes:
        head = await self.reader.readexactly(2)
        size, shift = head[1] & 0x7F, 7
        while head[-1] & 0x80:
            head += await self.reader.readexactly(1)
            size |= (head[-1] & 0x7F) << shift
            shift += 7
        return head + await self.reader.readexactly(size)

    async def connect(
        self, client_id: str, *, will: Will | None = None, keepalive: int = 60
    ) -> bytes:
        """Send CONNECT; gives the answer."""
        self.send(connect_packet(Connect(client_id, keepalive, will)))
        return await self.packet()

    async def subscribe(self, *filters: str, number: int = 1) -> bytes:
        """Send SUBSCRIBE; gives the codes of the answer."""
        self.send(subscribe_packet(Request(number, filters)))
        answer = await self.packet()
        assert answer[0] == 0x90
        assert answer[2:4] == number.to_bytes(2, "big")
        return answer[4:]

    async def unsubscribe(self, *filters: str, number: int = 2) -> None:
        body = number.to_bytes(2, "big") + b"".join(
            len(each.encode()).to_bytes(2, "big") + each.encode() for each in filters
        )
        self.send(bytes((0xA2, len(body))) + body)
        assert await self.packet() == b"\xb0\x02" + number.to_bytes(2, "big")

    async def message(self) -> Message:
        """The next message."""
        packet = await self.packet()
        assert packet[0] & 0xF6 == 0x30, packet
        topic = published_topic(packet)
        at = packet.index(topic.encode()) + len(topic.encode())
        return Message(topic, packet[at:], bool(packet[0] & 1))

    async def is_at_rest(self) -> bool:
        """Whether nothing more comes before the answer to a ping."""
        self.send(PINGREQ)
        return await self.packet() == b"\xd0\x00"

    async def hung_up(self) -> None:
        """Wait until the broker has closed the connection."""
        while True:
            try:
                await self.packet()
            except HungUpError:
                return

    async def close(self) -> None:
        """Take leave."""
        self.send(DISCONNECT)
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except OSError:
            return

    def cut(self) -> None:
        """Break the connection, as a machine that dies does."""
        self.writer.transport.abort()


@dataclass
class Listener:
    """Writes down what a bus tells, and waits for it."""

    messages: list[tuple[str | None, Message]] = field(default_factory=list)
    changes: list[tuple[str, bool]] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def received(self, message: Message, link: str | None) -> None:
        self.messages.append((link, message))
        self._changed.set()

    def linked(self, node_id: str) -> None:
        self.changes.append((node_id, True))
        self._changed.set()

    def unlinked(self, node_id: str) -> None:
        self.changes.append((node_id, False))
        self._changed.set()

    def payloads(self, topic: str) -> list[bytes]:
        return [each.payload for _, each in self.messages if each.topic == topic]

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for something to be told."""
        async with asyncio.timeout(SECONDS):
            while not is_so():
                self._changed.clear()
                await self._changed.wait()


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for a state that nobody tells of."""
    async with asyncio.timeout(SECONDS):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
