"""Listens for the other nodes of the cohort: TLS with certificates on both sides.

Connections are accepted here one by one, because it has to be known of each, before
anybody has proven anything, where it comes from and how many there are.
"""

import asyncio
import logging
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address

from aiohttp import web

from edgenode.limits import (
    ACCEPT_PAUSE_SECONDS,
    HANDSHAKE_SECONDS,
    IDLE_SECONDS,
    MAX_CONNECTIONS_OF_A_NODE,
    MAX_HANDSHAKES,
    MAX_HANDSHAKES_OF_AN_ADDRESS,
    MAX_MEMBER_CONNECTIONS,
    TLS_GOODBYE_SECONDS,
)
from edgenode.rest.adapter import Adapter
from edgenode.rest.browsers import Handler, without_pages
from edgenode.rest.callers import CALLER, Caller
from edgenode.rest.server import is_worth_a_line
from edgenode.rest.streams import finishing
from edgenode.security.tls import RemovedPeerError
from edgenode.security.trust import Refusal

logger = logging.getLogger(__name__)

_ANY_V6 = "::"


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Who is let in by the listener for members.

    Attributes:
        context: TLS as it is to be agreed on with the next connection; None where the
            cohort is open, and everybody is let in.
        identify: The id of the node at the other end of a connection, by its
            certificate; None for one that is not let in. Asked for each request, so
            that a node that is removed is out at once.
        refused: Told why a connection is cut, and the address it came from. Strangers
            decide how often.
    """

    context: Callable[[], ssl.SSLContext | None]
    identify: Callable[[ssl.SSLObject], str | None]
    refused: Callable[[Refusal, str], None]


@asynccontextmanager
async def listening_for_members(
    adapter: Adapter, listener: socket.socket, door: Door
) -> AsyncIterator[None]:
    """Serve other nodes until the end of the block.

    Args:
        adapter: Answers the requests.
        listener: The socket that listens; see ``bound``. It is closed at the end.
        door: Who is let in.
    """
    logger.addFilter(is_worth_a_line)
    server = _MemberServer(adapter.handle, door)
    runner = web.ServerRunner(server, shutdown_timeout=5)
    await runner.setup()
    acceptor = _Acceptor(server, door)
    accepting = asyncio.create_task(acceptor.accept(listener), name="members")
    try:
        yield
    finally:
        accepting.cancel()
        await asyncio.gather(accepting, return_exceptions=True)
        listener.close()
        await acceptor.close()
        await runner.cleanup()


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        host: The numeric address; ``::`` means all there are, those of IPv4 too.
        port: The port; 0 for any.

    Raises:
        OSError: The address can't be listened on.
    """
    bare = host.strip("[]")
    if bare == _ANY_V6:
        try:
            listener = socket.create_server(
                (bare, port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=128
            )
        except OSError:
            if _has_ipv6():
                raise
            listener = socket.create_server(("0.0.0.0", port), backlog=128)  # noqa: S104
    else:
        is_v6 = ip_address(bare).version == 6
        family = socket.AF_INET6 if is_v6 else socket.AF_INET
        listener = socket.create_server(
            _sockaddr(bare, port), family=family, backlog=128
        )
    listener.setblocking(False)
    return listener


def _sockaddr(host: str, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    bare, _, scope = host.partition("%")
    if not scope:
        return (host, port)
    return (
        bare,
        port,
        0,
        int(scope) if scope.isdigit() else socket.if_nametoindex(scope),
    )


def _has_ipv6() -> bool:
    with suppress(OSError), socket.socket(socket.AF_INET6):
        return True
    return False


class _MemberServer(web.Server):
    """Knows of each connection which node is at its other end."""

    def __init__(self, handler: Handler, door: Door) -> None:
        # Bodies stay as they are: unpacking one could make gigabytes of it.
        super().__init__(
            finishing(without_pages(self._identified(handler))),
            access_log=None,
            logger=logger,
            keepalive_timeout=IDLE_SECONDS,
            auto_decompress=False,
        )
        self._door = door
        self._open: Counter[str] = Counter()
        self._nodes: dict[web.RequestHandler, str] = {}

    def connection_made(
        self, handler: web.RequestHandler, transport: asyncio.Transport
    ) -> None:
        """Take a connection, or cut it."""
        super().connection_made(handler, transport)
        caller = _caller(self._door, transport)
        if caller is None:
            reason = Refusal.REMOVED
        elif self._is_busy(caller.who):
            reason = Refusal.BUSY
        else:
            self._nodes[handler] = caller.who
            self._open[caller.who] += 1
            return
        # A turn later, because aiohttp still has to begin with it.
        asyncio.get_running_loop().call_soon(transport.abort)
        self._door.refused(reason, _address(transport.get_extra_info("peername")))

    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        """Count one less."""
        super().connection_lost(handler, exc)
        node = self._nodes.pop(handler, None)
        if node is not None:
            self._open[node] -= 1
            if not self._open[node]:
                del self._open[node]

    def _is_busy(self, who: str) -> bool:
        """Whether there are too many connections, in all or of one node."""
        return (
            len(self.connections) > MAX_MEMBER_CONNECTIONS
            or self._open[who] >= MAX_CONNECTIONS_OF_A_NODE
        )

    def _identified(self, handler: Handler) -> Handler:
        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            transport = request.transport
            if transport is None or request.protocol not in self._nodes:
                return web.Response(status=HTTPStatus.FORBIDDEN)
            caller = _caller(self._door, transport)
            if caller is None:
                transport.abort()
                address = _address(transport.get_extra_info("peername"))
                self._door.refused(Refusal.REMOVED, address)
                return web.Response(status=HTTPStatus.FORBIDDEN)
            request[CALLER] = caller
            return await handler(request)

        return handle


def _caller(door: Door, transport: asyncio.BaseTransport) -> Caller | None:
    """Who is at the other end; None for whoever isn't let in."""
    address = _address(transport.get_extra_info("peername"))
    ssl_object = transport.get_extra_info("ssl_object")
    if ssl_object is None:
        return Caller("", address)
    node_id = door.identify(ssl_object)
    return None if node_id is None else Caller(node_id, address)


def _address(peername: tuple[str, int] | None) -> str:
    """The address of a peer, as people know it; nothing of one that is gone."""
    if not peername:
        return ""
    address = ip_address(peername[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


class _Acceptor:
    """Accepts connections and agrees on TLS, a bounded number at a time."""

    def __init__(self, server: web.Server, door: Door) -> None:
        self._server = server
        self._door = door
        self._beginning: set[asyncio.Task[None]] = set()
        self._from: Counter[str] = Counter()

    async def accept(self, listener: socket.socket) -> None:
        """Accept until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, peername = await loop.sock_accept(listener)
            except OSError as error:
                logger.warning("no connection can be accepted: %s", error)
                await asyncio.sleep(ACCEPT_PAUSE_SECONDS)
                continue
            self._accepted(connection, _address(peername))

    async def close(self) -> None:
        """Cut what hasn't come to an agreement yet."""
        for task in self._beginning:
            task.cancel()
        await asyncio.gather(*self._beginning, return_exceptions=True)

    def _accepted(self, connection: socket.socket, address: str) -> None:
        if (
            len(self._beginning) >= MAX_HANDSHAKES
            or self._from[address] >= MAX_HANDSHAKES_OF_AN_ADDRESS
        ):
            connection.close()
            self._door.refused(Refusal.BUSY, address)
            return
        self._from[address] += 1
        beginning = asyncio.create_task(
            self._begin(connection, address), name=f"connection of {address}"
        )
        self._beginning.add(beginning)
        beginning.add_done_callback(lambda task: self._begun(task, address))

    def _begun(self, task: asyncio.Task[None], address: str) -> None:
        self._beginning.discard(task)
        self._from[address] -= 1
        if not self._from[address]:
            del self._from[address]

    async def _begin(self, connection: socket.socket, address: str) -> None:
        context = self._door.context()
        is_secure = context is not None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._server,
                connection,
                ssl=context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS if is_secure else None,
                ssl_shutdown_timeout=TLS_GOODBYE_SECONDS if is_secure else None,
            )
        except RemovedPeerError:
            self._door.refused(Refusal.REMOVED, address)
        except (ssl.SSLError, ConnectionAbortedError) as error:
            # The latter: it took too long.
            logger.debug("no TLS with %s: %s", address, error)
            self._door.refused(Refusal.CERTIFICATE, address)
        except OSError as error:
            logger.debug("%s went away: %s", address, error)
