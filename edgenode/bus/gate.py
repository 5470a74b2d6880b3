"""What stands between a peer's connection and the embedded broker.

Everything that peers send is checked here: the broker behind sees a connection that
introduces itself, subscribes to everything and says goodbye. What a peer has subscribed
to, what is kept for it and how much may wait for it is known here alone.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace

from edgenode.bus.packets import (
    DISCONNECT,
    PING_RESPONSE,
    REFUSED_FILTER,
    Connect,
    PacketError,
    PacketType,
    Refusal,
    RefusedConnectError,
    Request,
    connack_packet,
    connect_packet,
    is_filter,
    matches,
    parse_connect,
    parse_empty,
    parse_subscribe,
    parse_unsubscribe,
    publish_packet,
    published_topic,
    suback_packet,
    subscribe_packet,
    unsuback_packet,
)
from edgenode.limits import (
    MAX_BUS_BACKLOG_BYTES,
    MAX_CLIENT_ID_LENGTH,
    MAX_CLIENT_PACKET_BYTES,
    MAX_FILTER_LENGTH,
    MAX_FILTERS,
    MAX_KEEPALIVE_SECONDS,
    PEER_SECONDS,
)

_EVERYTHING = subscribe_packet(Request(1, ("#",)))


class OtherKeyError(RefusedConnectError):
    """A node of this cohort has another key than this one, older or newer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateBounds:
    """What one peer may hold of this node's memory and time."""

    packet_bytes: int = MAX_CLIENT_PACKET_BYTES
    backlog_bytes: int = MAX_BUS_BACKLOG_BYTES
    stuck_seconds: float = PEER_SECONDS
    idle_seconds: float = MAX_KEEPALIVE_SECONDS


@dataclass(slots=True)
class Traffic:
    """Counts of what went out to all peers."""

    sent: int = 0
    sent_bytes: int = 0
    dropped: int = 0


class Gate:
    """One connection of a peer.

    Args:
        reader: What the peer sends.
        writer: Where answers and messages go.
        prefix: Only topics that begin with it may be subscribed to.
        retained: The messages that are kept, by topic.
        traffic: Counts what goes out.
        bounds: What the peer may use.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        prefix: str,
        retained: Mapping[str, bytes],
        traffic: Traffic,
        bounds: GateBounds,
    ) -> None:
        self.finished = asyncio.Event()
        self.fault: Exception | None = None
        self._reader = reader
        self._writer = writer
        self._prefix = prefix
        self._retained = retained
        self._traffic = traffic
        self._bounds = bounds
        self._filters: set[str] = set()
        self._subscribed = asyncio.Event()
        self._is_left = asyncio.Event()
        self._says_goodbye = False
        self._idle_seconds = bounds.idle_seconds
        self._stuck_since: float | None = None

    async def introduction(self, node_id: str | None) -> Connect:
        """Read the peer's CONNECT and see whether it may say that.

        Args:
            node_id: Which node it is by its certificate; None where it says so itself.

        Raises:
            PacketError: It may not; it has been told so where there is a way to.
            OSError: The connection broke.
        """
        try:
            packet_type, flags, body = await self._packet()
            if packet_type is not PacketType.CONNECT:
                raise PacketError("the first packet is no CONNECT")
            connect = self._permitted(parse_connect(flags, body), node_id)
        except RefusedConnectError as error:
            self.refuse(error.refusal)
            raise
        if connect.keepalive:
            # The protocol's own measure: half as long again as the peer announced.
            announced = connect.keepalive * 1.5
            self._idle_seconds = min(announced, self._bounds.idle_seconds)
        return connect

    def _permitted(self, connect: Connect, node_id: str | None) -> Connect:
        owner = node_id or connect.client_id
        if not owner:
            raise RefusedConnectError(Refusal.IDENTIFIER, "a client without a name")
        client_id = connect.client_id or owner
        if len(client_id) > MAX_CLIENT_ID_LENGTH:
            raise RefusedConnectError(Refusal.IDENTIFIER, "too long a name")
        if not client_id.startswith(owner):
            raise RefusedConnectError(Refusal.IDENTIFIER, "the name of another node")
        will = connect.will
        if will is not None and will.topic != f"{self._prefix}lost/{owner}":
            if self._has_other_key(will.topic, owner):
                raise OtherKeyError(Refusal.UNAVAILABLE, "another key of the cohort")
            raise RefusedConnectError(Refusal.NOT_AUTHORIZED, "a will for another node")
        return replace(connect, client_id=client_id)

    def _has_other_key(self, topic: str, owner: str) -> bool:
        """Whether a will differs in the cohort's tag alone, as while a rotation lasts."""
        cohort, _, _ = self._prefix.removesuffix("/").rpartition("/")
        tag, _, rest = topic.removeprefix(f"{cohort}/").partition("/")
        return topic == f"{cohort}/{tag}/{rest}" and rest == f"lost/{owner}"

    def refuse(self, refusal: Refusal) -> None:
        """Answer that the connection isn't accepted."""
        self._writer.write(connack_packet(refusal))

    async def packets(self, connect: Connect) -> AsyncGenerator[bytes, None]:
        """What the broker gets to read; ends with the connection.

        A peer that is served until its own goodbye, or until ours, takes its leave from
        the broker, too; with others the broker sees the connection break.
        """
        yield connect_packet(replace(connect, keepalive=0))
        yield _EVERYTHING
        await self._subscribed.wait()
        try:
            while await self._serve_one():
                pass
            self._says_goodbye = True
        except TimeoutError as error:  # a cable that was pulled is no offence
            self.fault = self.fault or error
        except (OSError, EOFError, PacketError) as error:
            self.fault = self.fault or error
        if self._says_goodbye:
            yield DISCONNECT
            # Amqtt would take an end right behind it for a connection that broke.
            await self._is_left.wait()

    async def _serve_one(self) -> bool:
        """Answer the peer's next packet; False if it was its last."""
        packet_type, flags, body = await self._packet()
        if packet_type is PacketType.DISCONNECT:
            parse_empty(flags, body)
            return False
        if packet_type is PacketType.SUBSCRIBE:
            await self._subscribe(parse_subscribe(flags, body))
        elif packet_type is PacketType.UNSUBSCRIBE:
            request = parse_unsubscribe(flags, body)
            self._filters.difference_update(request.filters)
            self._writer.write(unsuback_packet(request.packet_id))
        elif packet_type is PacketType.PINGREQ:
            parse_empty(flags, body)
            self._writer.write(PING_RESPONSE)
        else:
            raise PacketError(f"a peer may not send {packet_type.name}")
        return True

    async def _packet(self) -> tuple[PacketType, int, bytes]:
        """The next packet: its type, its flags and the rest, once it has a fit size."""
        async with asyncio.timeout(self._idle_seconds):
            first = (await self._reader.readexactly(1))[0]
        try:
            packet_type = PacketType(first >> 4)
        except ValueError as error:
            raise PacketError("a packet of no type that peers send") from error
        if packet_type is PacketType.PUBLISH:
            raise PacketError("a peer may not send PUBLISH")
        async with asyncio.timeout(self._bounds.stuck_seconds):
            size = await self._size()
            return packet_type, first & 0x0F, await self._reader.readexactly(size)

    async def _size(self) -> int:
        size = 0
        for shift in (0, 7, 14, 21):
            digit = (await self._reader.readexactly(1))[0]
            size |= (digit & 0x7F) << shift
            if size > self._bounds.packet_bytes:
                raise PacketError("a packet is too large")
            if not digit & 0x80:
                return size
        raise PacketError("a packet's length never ends")

    async def _subscribe(self, request: Request) -> None:
        granted: set[str] = set()
        codes = bytearray()
        for each in request.filters:
            if self._may_have(each):
                self._filters.add(each)
                granted.add(each)
                codes.append(0)
            else:
                codes.append(REFUSED_FILTER)
        self._writer.write(suback_packet(request.packet_id, bytes(codes)))
        await self._send_retained(granted)

    def _may_have(self, topic_filter: str) -> bool:
        return (
            topic_filter.startswith(self._prefix)
            and len(topic_filter) <= MAX_FILTER_LENGTH
            and (len(self._filters) < MAX_FILTERS or topic_filter in self._filters)
            and is_filter(topic_filter)
        )

    async def _send_retained(self, filters: set[str]) -> None:
        """Send what is kept of some topics, as fast as it is taken."""
        for topic in list(self._retained):
            payload = self._retained.get(topic)
            if payload and any(matches(topic, each) for each in filters):
                self._send(publish_packet(topic, payload, retained=True))
                async with asyncio.timeout(self._bounds.stuck_seconds):
                    await self._writer.drain()

    def pass_on(self, packet: bytes) -> None:
        """Take what the broker sends, and send on what concerns the peer."""
        packet_type = packet[0] >> 4
        if packet_type == PacketType.CONNACK:
            self._writer.write(packet)
        elif packet_type == PacketType.SUBACK:
            self._subscribed.set()
        elif packet_type == PacketType.PUBLISH:
            topic = published_topic(packet)
            if any(matches(topic, each) for each in self._filters):
                self._send_unless_stuck(packet)

    def _send_unless_stuck(self, packet: bytes) -> None:
        """Send, or drop where too much waits; cut off who doesn't take anything."""
        if self._writer.is_closing():
            return
        transport = self._writer.transport
        if transport.get_write_buffer_size() <= self._bounds.backlog_bytes:
            self._stuck_since = None
            self._send(packet)
            return
        self._traffic.dropped += 1
        now = asyncio.get_running_loop().time()
        if self._stuck_since is None:
            self._stuck_since = now
        elif now - self._stuck_since >= self._bounds.stuck_seconds:
            self.fault = PacketError("takes nothing of what is sent to it")
            self.cut()

    def _send(self, packet: bytes) -> None:
        if self._writer.is_closing():
            return
        self._writer.write(packet)
        self._traffic.sent += 1
        self._traffic.sent_bytes += len(packet)

    def close(self) -> None:
        """End the connection once everything is sent; the peer needs no last will."""
        self._says_goodbye = True
        self._close()

    def leave(self) -> None:
        """The broker is done with the connection: end it once everything is sent."""
        self._is_left.set()
        self._close()

    def cut(self) -> None:
        """End the connection at once."""
        self._writer.transport.abort()

    def _close(self) -> None:
        # Closed twice, asyncio's TLS can't be aborted any more.
        if not self._writer.is_closing():
            self._writer.close()
