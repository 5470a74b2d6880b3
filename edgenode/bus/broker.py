"""The broker that a node embeds: only this node publishes on it, its peers subscribe.

MQTT 3.1.1 by amqtt, to which each connection is handed over once it is known whose it
is. Import this module where a broker is started, and not before: amqtt takes 8 MB.
"""

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from amqtt.adapters import ReaderAdapter, WriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig
from amqtt.mqtt.constants import QOS_0
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import Session

from edgenode.bus.base import Message, Trust
from edgenode.bus.gate import Gate, GateBounds, OtherKeyError, Traffic
from edgenode.bus.packets import Connect, PacketError, Refusal
from edgenode.bus.sockets import listening_sockets
from edgenode.limits import (
    BUS_GOODBYE_SECONDS,
    HANDSHAKE_SECONDS,
    MAX_BUS_CONNECTIONS,
    MAX_BUS_CONNECTIONS_OF_A_NODE,
    MAX_BUS_WAITING,
    MAX_BUS_WAITING_BYTES,
    MAX_MESSAGE_BYTES,
)
from edgenode.security.listening import Arrival, Doorkeeper, NotWelcomeError
from edgenode.security.trust import Refusal as Reason

if TYPE_CHECKING:
    import socket

logger = logging.getLogger(__name__)

# Turns of the event loop that amqtt takes to distribute a message, and one more: so
# paced, its own queue, which has no bound, stays empty.
_TURNS_OF_A_MESSAGE = 4

_LISTENER = "default"


class EmbeddedBroker:
    """A broker in this process.

    Args:
        prefix: What all topics begin with.
        trust: How connections are secured.
        came: Told of a node whose first connection is accepted.
        went: Told of a node whose last connection ended.
        bounds: What each peer may use.
        handshake_seconds: How long a connection may take to say whose it is.
    """

    def __init__(
        self,
        prefix: str,
        trust: Trust,
        *,
        came: Callable[[str], None],
        went: Callable[[str], None],
        bounds: GateBounds | None = None,
        handshake_seconds: float = HANDSHAKE_SECONDS,
    ) -> None:
        self.traffic = Traffic()
        self.refused = 0
        self._prefix = prefix
        self._trust = trust
        self._came = came
        self._went = went
        self._bounds = bounds or GateBounds()
        self._handshake_seconds = handshake_seconds
        self._listeners: list[socket.socket] = []
        self._retained: dict[str, bytes] = {}
        self._waiting = _Waiting()
        self._serving: set[asyncio.Task[None]] = set()
        self._doorkeeper: Doorkeeper | None = None
        self._gates: dict[str, Gate] = {}
        self._of_node: dict[str, set[Gate]] = {}

    @property
    def peers(self) -> int:
        """How many nodes are connected."""
        return len(self._of_node)

    @property
    def beginning(self) -> int:
        """How many connections have yet to say whose they are."""
        return 0 if self._doorkeeper is None else self._doorkeeper.beginning

    def listen(self, hosts: Sequence[str], port: int) -> int:
        """Take numeric addresses, and give the port; connections wait until it runs.

        Raises:
            OSError: An address can't be listened on.
        """
        self._listeners = listening_sockets(hosts, port)
        return int(self._listeners[0].getsockname()[1])

    def publish(self, message: Message) -> None:
        """Send to whoever is subscribed, in order, and keep what is retained."""
        if len(message.payload) > MAX_MESSAGE_BYTES:
            self.traffic.dropped += 1
            return
        if message.retained:
            self._retained[message.topic] = message.payload
        if not self._waiting.put(message):
            self.traffic.dropped += 1

    def disconnect(self, node_id: str) -> None:
        """Cut off a node that is not to be connected any more."""
        for gate in self._of_node.get(node_id, ()):
            gate.cut()

    def close(self) -> None:
        """Give the addresses back; a broker that runs does so at its end."""
        for listener in self._listeners:
            listener.close()

    async def run(self) -> None:
        """Serve until cancelled; what is published by then is still sent."""
        _quieten()
        try:
            broker = Broker(_config(), plugin_namespace="amqtt.edgenode")
            await broker.start()
            try:
                await self._run(broker)
            finally:
                await broker.shutdown()
        finally:
            self.close()

    async def _run(self, broker: Broker) -> None:
        doorkeeper = self._doorkeeper = Doorkeeper(
            self._trust.server,
            self._refused,
            lambda arrival: self._welcome(broker, arrival),
            seconds=self._handshake_seconds,
        )
        accepting = [
            asyncio.create_task(doorkeeper.accept(each), name="bus: accepting")
            for each in self._listeners
        ]
        publishing = asyncio.create_task(self._publish(broker), name="bus: publishing")
        try:
            done, _ = await asyncio.wait(
                (*accepting, publishing), return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:  # none ends by itself
                task.result()
        finally:
            for task in accepting:
                task.cancel()
            await asyncio.gather(*accepting, return_exceptions=True)
            self.close()
            await doorkeeper.close()
            await self._send_the_rest()
            publishing.cancel()
            await asyncio.gather(publishing, return_exceptions=True)
            await self._end_connections()

    async def _publish(self, broker: Broker) -> None:
        while True:
            message = await self._waiting.next()
            await broker.internal_message_broadcast(
                message.topic, _Payload(message.payload), QOS_0
            )
            for _ in range(_TURNS_OF_A_MESSAGE):
                await asyncio.sleep(0)
            self._waiting.sent(message)

    async def _send_the_rest(self) -> None:
        try:
            async with asyncio.timeout(BUS_GOODBYE_SECONDS):
                await self._waiting.empty()
        except TimeoutError:
            logger.warning("the last messages could not be sent")

    async def _end_connections(self) -> None:
        for gate in self._gates.values():
            gate.close()
        if self._serving:
            await asyncio.wait(self._serving, timeout=BUS_GOODBYE_SECONDS)
        for gate in self._gates.values():
            gate.cut()
        # Never cancelled: amqtt would leave a task behind.
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _welcome(self, broker: Broker, arrival: Arrival) -> None:
        """Find out who it is, and let it in or not."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=self._bounds.packet_bytes, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport = await arrival.begin(protocol)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        try:
            node_id = self._identified(writer)
            gate = Gate(
                reader,
                writer,
                prefix=self._prefix,
                retained=self._retained,
                traffic=self.traffic,
                bounds=self._bounds,
            )
            connect = await gate.introduction(node_id)
            owner = node_id or connect.client_id
            await self._make_room(gate, owner, connect)
        except OtherKeyError as error:
            writer.close()
            raise NotWelcomeError(None, str(error)) from error
        except PacketError as error:
            writer.close()
            raise NotWelcomeError(Reason.MALFORMED, str(error)) from error
        except asyncio.CancelledError:
            transport.abort()  # nobody would wait for the end of TLS
            raise
        except BaseException:
            writer.close()
            raise
        self._let_in(broker, gate, owner, connect, arrival.address)

    def _identified(self, writer: asyncio.StreamWriter) -> str | None:
        """Which node it is by its certificate; None where there is none."""
        ssl_object = writer.get_extra_info("ssl_object")
        if ssl_object is None:
            return None
        node_id = self._trust.identify(ssl_object)
        if node_id is None:
            raise NotWelcomeError(Reason.REMOVED)
        return node_id

    async def _make_room(self, gate: Gate, owner: str, connect: Connect) -> None:
        """End a former connection of the same name, and see whether there is room."""
        while (former := self._gates.get(connect.client_id)) is not None:
            former.cut()
            await former.finished.wait()
        if (
            len(self._gates) >= MAX_BUS_CONNECTIONS
            or len(self._of_node.get(owner, ())) >= MAX_BUS_CONNECTIONS_OF_A_NODE
        ):
            gate.refuse(Refusal.UNAVAILABLE)
            raise NotWelcomeError(Reason.BUSY, "too many connections")

    def _let_in(
        self, broker: Broker, gate: Gate, owner: str, connect: Connect, address: str
    ) -> None:
        self._gates[connect.client_id] = gate
        gates = self._of_node.setdefault(owner, set())
        gates.add(gate)
        task = asyncio.create_task(
            self._serve(broker, gate, owner, connect, address), name=f"bus: {owner}"
        )
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        if len(gates) == 1:
            self._came(owner)

    async def _serve(
        self, broker: Broker, gate: Gate, owner: str, connect: Connect, address: str
    ) -> None:
        packets = gate.packets(connect)
        try:
            await broker.external_connected(
                _Reader(packets), _Writer(gate, address), _LISTENER
            )
        except Exception:  # whatever amqtt didn't expect ends this connection only
            logger.exception("the broker failed on a connection")
            gate.cut()
        finally:
            gate.leave()
            with suppress(RuntimeError):  # what still reads of it comes to the end
                await packets.aclose()
            del self._gates[connect.client_id]
            gates = self._of_node[owner]
            gates.discard(gate)
            gate.finished.set()
            if isinstance(gate.fault, PacketError):
                self._refused(Reason.MALFORMED, address, str(gate.fault))
            if not gates:
                del self._of_node[owner]
                self._went(owner)

    def _refused(self, reason: Reason, address: str, detail: str) -> None:
        self.refused += 1
        self._trust.refused(reason, address, detail)


class _Waiting:
    """Messages that are to be published."""

    def __init__(self) -> None:
        self._messages: deque[Message] = deque()
        self._bytes = 0
        self._has_some = asyncio.Event()
        self._has_none = asyncio.Event()
        self._has_none.set()

    def put(self, message: Message) -> bool:
        """Add one; False where there is no room."""
        if (
            len(self._messages) >= MAX_BUS_WAITING
            or self._bytes >= MAX_BUS_WAITING_BYTES
        ):
            return False
        self._messages.append(message)
        self._bytes += len(message.payload)
        self._has_some.set()
        self._has_none.clear()
        return True

    async def next(self) -> Message:
        """The one that is due."""
        await self._has_some.wait()
        return self._messages[0]

    def sent(self, message: Message) -> None:
        """The one that was due is done with."""
        self._messages.popleft()
        self._bytes -= len(message.payload)
        if not self._messages:
            self._has_some.clear()
            self._has_none.set()

    async def empty(self) -> None:
        """Wait until there is none."""
        await self._has_none.wait()


class _Payload(bytes):
    """A payload that shows only its size: amqtt writes it out for a log nobody reads."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


class _Reader(ReaderAdapter):
    """Lets amqtt read what a gate lets through."""

    def __init__(self, packets: AsyncIterator[bytes]) -> None:
        self._packets = packets
        self._rest = b""

    async def read(self, n: int = -1) -> bytes:
        """The next bytes of a packet; none at the end."""
        if not self._rest:
            self._rest = await anext(self._packets, b"")
        size = len(self._rest) if n < 0 else n
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece

    def feed_eof(self) -> None:
        """Nothing to do: the gate ends by itself."""


class _Writer(WriterAdapter):
    """Lets amqtt write to a gate; never makes it wait."""

    def __init__(self, gate: Gate, address: str) -> None:
        self._gate = gate
        self._address = address

    def write(self, data: bytes) -> None:
        """Send a whole packet."""
        self._gate.pass_on(data)

    async def drain(self) -> None:
        """Nothing to wait for: what is too much is dropped by the gate."""

    def get_peer_info(self) -> tuple[str, int]:
        """The peer's address."""
        return self._address, 0

    def get_ssl_info(self) -> ssl.SSLObject | None:
        """Nothing: whose the connection is, is known already."""
        return None

    async def close(self) -> None:
        """End the connection."""
        self._gate.leave()


class Admission(BaseAuthPlugin):
    """Lets everybody in: whoever comes as far as amqtt has been checked."""

    async def authenticate(self, *, session: Session) -> bool | None:
        """Say yes."""
        return True


def _config() -> BrokerConfig:
    return BrokerConfig.from_dict(
        {
            "listeners": {_LISTENER: {"type": "external", "bind": "edgenode"}},
            "plugins": {f"{__name__}.{Admission.__name__}": {}},
        }
    )


def _quieten() -> None:
    """Leave amqtt's faults in the log; what peers do is told by this module."""
    logging.getLogger("amqtt").setLevel(logging.ERROR)
    logging.getLogger("transitions").setLevel(logging.ERROR)
