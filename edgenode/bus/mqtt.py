"""The client of one broker, by paho, in the event loop and without a thread.

The connection is made here, without holding up the loop, and paho is given the socket.
"""

import asyncio
import logging
import random
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edgenode.bus.base import Address, Message
from edgenode.bus.sockets import connected, secured
from edgenode.limits import (
    BUS_CHECK_SECONDS,
    BUS_GOODBYE_SECONDS,
    BUS_KEEPALIVE_SECONDS,
    CONNECT_SECONDS,
    FIRST_RECONNECT_SECONDS,
    LONGEST_RECONNECT_SECONDS,
    MAX_BUS_WAITING,
    MAX_BUS_WAITING_BYTES,
    MAX_MESSAGE_BYTES,
    PACKETS_PER_TURN,
    STEADY_LINK_SECONDS,
)

logger = logging.getLogger(__name__)

_READ_BYTES = 64 * 1024
_PACKET_HEAD_BYTES = 1024
"""What a packet has beside its payload: a topic, a number, properties."""

_SUCCESS = MQTTErrorCode.MQTT_ERR_SUCCESS


class LinkError(OSError):
    """A broker doesn't do what it should, or isn't the one that it should be."""


class LinkListener(Protocol):
    """Hears what happens on a connection; called in the event loop, returns at once."""

    def received(self, message: Message) -> None:
        """A message arrived."""
        ...

    def up(self) -> None:
        """The topics are subscribed to."""
        ...

    def down(self) -> None:
        """The connection, which was up, broke off or was ended."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """How a connection is made.

    Attributes:
        client_id: The name of this client.
        topics: The topic filter that is subscribed to.
        will: What the broker publishes when the connection breaks off.
        qos: The quality of service of subscription, will and retained messages.
        is_shared: Whether it may be any broker: MQTT 5 is tried there, too.
        username: Who it is, where the broker asks for that.
        password: And the proof.
        tls: TLS for the next connection; None for none.
        accepts: Whether the broker at the other end is the right one; asked with TLS.
        first_retry_seconds: The shortest pause before another try.
    """

    client_id: str
    topics: str
    will: Message
    qos: int = 0
    is_shared: bool = False
    username: str | None = None
    password: str | None = None
    tls: Callable[[], ssl.SSLContext | None] = lambda: None
    accepts: Callable[[ssl.SSLSocket], bool] = lambda _: True
    first_retry_seconds: float = FIRST_RECONNECT_SECONDS


@dataclass(slots=True)
class LinkCounts:
    """What went over a link so far."""

    received: int = 0
    received_bytes: int = 0
    sent: int = 0
    sent_bytes: int = 0
    dropped: int = 0
    connections: int = 0
    refused: int = 0


class MqttLink:
    """Stays connected to one broker.

    Args:
        name: What the log calls it.
        settings: How to connect.
        listener: Hears what happens.
        addresses: Where the broker is; may be replaced at any time.
    """

    def __init__(
        self,
        name: str,
        settings: LinkSettings,
        listener: LinkListener,
        addresses: tuple[Address, ...] = (),
    ) -> None:
        self.addresses = addresses
        self.counts = LinkCounts()
        self._name = name
        self._settings = settings
        self._listener = listener
        self._connection: _Connection | None = None
        self._hurry = asyncio.Event()
        self._is_mqtt5 = settings.is_shared

    @property
    def is_up(self) -> bool:
        """Whether the topics are subscribed to now."""
        return self._connection is not None and self._connection.is_up

    def publish(self, message: Message) -> None:
        """Send a message; drop it while there is no connection or too much waits."""
        connection = self._connection
        if connection is None or not connection.publish(message):
            self.counts.dropped += 1

    def hurry(self) -> None:
        """Try at once, if it waits: the broker is said to be there."""
        self._hurry.set()

    async def run(self) -> None:
        """Stay connected until cancelled."""
        loop = asyncio.get_running_loop()
        tries = 0
        told = ""
        while True:
            start = loop.time()
            try:
                await self._stay_connected()
            except (OSError, TimeoutError) as error:
                reason = str(error) or "no answer in time"
                if reason != told:  # once until it changes
                    logger.info("no connection to %s: %s", self._name, reason)
                told = reason
            else:
                told = ""
            tries = 0 if loop.time() - start > STEADY_LINK_SECONDS else tries + 1
            await self._pause(tries)

    async def _pause(self, tries: int) -> None:
        """Wait longer each time, and not all at once."""
        longest = min(
            self._settings.first_retry_seconds * 2 ** min(tries, 16),
            LONGEST_RECONNECT_SECONDS,
        )
        self._hurry.clear()
        try:
            async with asyncio.timeout(longest * random.uniform(0.5, 1)):  # noqa: S311
                await self._hurry.wait()
        except TimeoutError:
            return

    async def _stay_connected(self) -> None:
        connection = None
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                prepared = await self._prepared()
                connection = _Connection(
                    prepared, self._settings, self._listener, self.counts, self._version
                )
                self._connection = connection
                await connection.subscribed()
            await connection.lost()
        finally:
            self._connection = None
            if connection is not None:
                await connection.close()
                if not connection.was_accepted:
                    # Some brokers hang up on a version that they don't speak.
                    self._is_mqtt5 = self._settings.is_shared and not self._is_mqtt5

    @property
    def _version(self) -> MQTTProtocolVersion:
        if self._is_mqtt5:
            return MQTTProtocolVersion.MQTTv5
        return MQTTProtocolVersion.MQTTv311

    async def _prepared(self) -> socket.socket:
        """A socket to the right broker."""
        connection, address = await connected(self.addresses)
        context = self._settings.tls()
        if context is None:
            return connection
        secure = await secured(connection, context, address.host)
        if not self._settings.accepts(secure):
            secure.close()
            self.counts.refused += 1
            raise LinkError("another node answers there")
        return secure


class _Client(paho.Client):
    """Speaks over a socket that is connected already, and reads only what is fit."""

    def __init__(
        self,
        prepared: socket.socket,
        settings: LinkSettings,
        version: MQTTProtocolVersion,
    ) -> None:
        is_mqtt5 = version == MQTTProtocolVersion.MQTTv5
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            clean_session=None if is_mqtt5 else True,
            protocol=version,
            reconnect_on_failure=False,
        )
        self._prepared = prepared

    def _create_socket(self) -> socket.socket:
        return self._prepared

    def _sock_recv(self, bufsize: int) -> bytes:
        # Paho asks for all of a packet at once, as large as its sender says it is.
        if bufsize > MAX_MESSAGE_BYTES + _PACKET_HEAD_BYTES:
            raise LinkError("a message is too large")
        return super()._sock_recv(min(bufsize, _READ_BYTES))

    def _handle_publish(self) -> MQTTErrorCode:
        if self._in_packet["command"] & 0x04:  # nobody asked for twice acknowledged
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        return super()._handle_publish()

    def cut(self) -> None:
        """Close the socket as it is."""
        self._sock_close()
        self._prepared.close()


class _Connection:
    """One connection, from its CONNECT to its end."""

    def __init__(
        self,
        prepared: socket.socket,
        settings: LinkSettings,
        listener: LinkListener,
        counts: LinkCounts,
        version: MQTTProtocolVersion,
    ) -> None:
        self.is_up = False
        self.was_accepted = False
        self._settings = settings
        self._listener = listener
        self._counts = counts
        self._loop = asyncio.get_running_loop()
        self._subscribed: asyncio.Future[None] = self._loop.create_future()
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self._waiting: dict[int, int] = {}
        self._waiting_bytes = 0
        self._client = self._prepare(prepared, version)
        self._check = self._loop.call_later(BUS_CHECK_SECONDS, self._look_after)
        self._connect(version)

    def _prepare(
        self, prepared: socket.socket, version: MQTTProtocolVersion
    ) -> _Client:
        settings = self._settings
        client = _Client(prepared, settings, version)
        if settings.username is not None:
            client.username_pw_set(settings.username, settings.password)
        client.will_set(settings.will.topic, settings.will.payload, settings.qos)
        loop = self._loop
        client.on_socket_open = lambda *_: loop.add_reader(prepared, self._readable)
        client.on_socket_close = lambda *_: _done(loop.remove_reader(prepared))
        client.on_socket_register_write = lambda *_: loop.add_writer(
            prepared, self._writable
        )
        client.on_socket_unregister_write = lambda *_: _done(
            loop.remove_writer(prepared)
        )
        client.on_connect = lambda _, __, ___, reason, ____: self._connected(reason)
        client.on_subscribe = lambda _, __, ___, codes, ____: self._granted(codes)
        client.on_disconnect = lambda _, __, flags, reason, ____: self._ended(
            f"ended by the broker: {reason}"
            if flags.is_disconnect_packet_from_server
            else "broken off"
        )
        client.on_message = lambda _, __, message: self._received(message)
        client.on_publish = lambda _, __, number, ___, ____: self._sent(number)
        return client

    def _connect(self, version: MQTTProtocolVersion) -> None:
        properties = None
        if version == MQTTProtocolVersion.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.MaximumPacketSize = MAX_MESSAGE_BYTES + _PACKET_HEAD_BYTES
        # The host is for paho's eyes only: the socket is there.
        self._client.connect(
            "broker", keepalive=BUS_KEEPALIVE_SECONDS, properties=properties
        )

    async def subscribed(self) -> None:
        """Wait until the topics are subscribed to."""
        await asyncio.wait([self._subscribed])  # who waits may be cancelled, it not
        self._subscribed.result()

    async def lost(self) -> None:
        """Wait until the connection breaks off, and raise why."""
        await asyncio.wait([self._lost])
        self._lost.result()

    def publish(self, message: Message) -> bool:
        """Send; False where it can't be or too much waits."""
        if (
            not self.is_up
            or len(message.payload) > MAX_MESSAGE_BYTES
            or len(self._waiting) >= MAX_BUS_WAITING
            or self._waiting_bytes >= MAX_BUS_WAITING_BYTES
        ):
            return False
        info = self._client.publish(
            message.topic,
            message.payload,
            self._settings.qos if message.retained else 0,
            retain=message.retained,
        )
        if info.rc != _SUCCESS:
            return False
        size = len(message.payload)
        self._waiting[info.mid] = size
        self._waiting_bytes += size
        self._counts.sent += 1
        self._counts.sent_bytes += size
        return True

    async def close(self) -> None:
        """Take leave, where there is somebody to take leave from."""
        self._check.cancel()
        if self.is_up:
            try:
                async with asyncio.timeout(BUS_GOODBYE_SECONDS):
                    await self._take_leave()
            except TimeoutError:
                logger.info("the last messages could not be sent")
        self._ended("closed")
        self._client.cut()
        # Told to whoever waited for them; nobody else has to ask.
        self._lost.exception()
        self._subscribed.exception()

    async def _take_leave(self) -> None:
        # The answer says that the broker has read all that was sent before. Without it,
        # closing while something is still to be read would let the system throw away
        # what is under way, and the goodbye with it.
        left = asyncio.Event()
        self._client.on_unsubscribe = lambda *_: left.set()
        self._lost.add_done_callback(lambda _: left.set())
        self._client.unsubscribe(self._settings.topics)
        await left.wait()
        self._client.disconnect()
        await asyncio.wait([self._lost])

    def _readable(self) -> None:
        for _ in range(PACKETS_PER_TURN):
            if not self._guarded(self._client.loop_read):
                return
            sock = self._client.socket()
            # What TLS has decrypted already, the event loop doesn't know of.
            if not isinstance(sock, ssl.SSLSocket) or not sock.pending():
                return
        self._loop.call_soon(self._readable)

    def _writable(self) -> None:
        self._guarded(self._client.loop_write)

    def _look_after(self) -> None:
        self._check = self._loop.call_later(BUS_CHECK_SECONDS, self._look_after)
        self._guarded(self._client.loop_misc)

    def _guarded(self, step: Callable[[], MQTTErrorCode]) -> bool:
        """Let paho work; whether the connection goes on."""
        try:
            if step() == _SUCCESS:
                return not self._lost.done()
            self._ended("broken off")
        except Exception as error:  # noqa: BLE001 - what a broker sends may raise any
            self._ended(f"not understood: {type(error).__name__}")
        self._client.cut()
        return False

    def _connected(self, reason: ReasonCode) -> None:
        if reason.is_failure:
            self._ended(f"refused: {reason}")
            return
        self.was_accepted = True
        self._client.subscribe(self._settings.topics, self._settings.qos)

    def _granted(self, codes: list[ReasonCode]) -> None:
        if not codes or any(code.is_failure for code in codes):
            self._ended("the subscription is refused")
            return
        if self.is_up or self._lost.done():
            return
        self.is_up = True
        self._counts.connections += 1
        if not self._subscribed.done():
            self._subscribed.set_result(None)
        self._listener.up()

    def _received(self, arrived: paho.MQTTMessage) -> None:
        self._counts.received += 1
        self._counts.received_bytes += len(arrived.payload)
        message = Message(arrived.topic, bytes(arrived.payload), arrived.retain)
        try:
            self._listener.received(message)
        except Exception:
            # A fault of ours must not look as if the broker had spoken nonsense.
            logger.exception("a message could not be taken in")

    def _sent(self, number: int) -> None:
        self._waiting_bytes -= self._waiting.pop(number, 0)

    def _ended(self, reason: str) -> None:
        if self._lost.done():
            return
        error = LinkError(reason)
        self._lost.set_exception(error)
        if not self._subscribed.done():
            self._subscribed.set_exception(error)
        if self.is_up:
            self.is_up = False
            self._listener.down()


def _done(_: bool) -> None:
    """Callbacks of paho's give nothing back."""
