"""Listens for the other nodes of the cohort: TLS with certificates on both sides."""

import asyncio
import logging
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from edgenode.codec.json import dumps
from edgenode.errors import NodeRemovedError
from edgenode.limits import (
    IDLE_SECONDS,
    MAX_CONNECTIONS_OF_A_NODE,
    MAX_MEMBER_CONNECTIONS,
    MAX_REMOVED_CONNECTIONS,
    REMOVED_SECONDS,
    TLS_GOODBYE_SECONDS,
)
from edgenode.rest.adapter import Adapter
from edgenode.rest.browsers import Handler, without_pages
from edgenode.rest.callers import CALLER, Caller
from edgenode.rest.server import is_worth_a_line
from edgenode.rest.streams import finishing
from edgenode.security.listening import (
    Arrival,
    Doorkeeper,
    NewContext,
    Refused,
    plain_address,
)
from edgenode.security.trust import Refusal

logger = logging.getLogger(__name__)

_REMOVED = dumps({"message": NodeRemovedError.REASON})


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Who is let in by the listener for members.

    Attributes:
        context: TLS as it is to be agreed on with the next connection; None where the
            cohort is open, and everybody is let in.
        identify: The id of the node at the other end of a connection, by its
            certificate; None for one that was removed from the cohort, which is told
            so and nothing else.
        refused: Told of each connection that isn't let in.
    """

    context: NewContext
    identify: Callable[[ssl.SSLObject], str | None]
    refused: Refused


@asynccontextmanager
async def listening_for_members(
    adapter: Adapter, listener: socket.socket, door: Door
) -> AsyncIterator["MemberServer"]:
    """Serve other nodes until the end of the block.

    Args:
        adapter: Answers the requests.
        listener: The socket that listens. It is closed at the end.
        door: Who is let in.
    """
    logger.addFilter(is_worth_a_line)
    server = MemberServer(adapter.handle, door)
    runner = web.ServerRunner(server, shutdown_timeout=5)
    await runner.setup()

    async def welcome(arrival: Arrival) -> None:
        await arrival.begin(server())

    doorkeeper = Doorkeeper(door.context, door.refused, welcome)
    accepting = asyncio.create_task(doorkeeper.accept(listener), name="members")
    try:
        yield server
    finally:
        accepting.cancel()
        await asyncio.gather(accepting, return_exceptions=True)
        listener.close()
        await doorkeeper.close()
        await runner.cleanup()
        await server.ended()


class MemberServer(web.Server):
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
        self._removed: set[web.RequestHandler] = set()
        self._lost = asyncio.Event()

    async def ended(self) -> None:
        """Wait until the connections that were told to end have done so."""
        with suppress(TimeoutError):
            async with asyncio.timeout(TLS_GOODBYE_SECONDS):
                while self._nodes or self._removed:
                    self._lost.clear()
                    await self._lost.wait()

    def disconnect(self, node_id: str | None = None) -> None:
        """Cut the connections of a node, or all, with whatever is under way on them."""
        for handler, node in list(self._nodes.items()):
            if node_id in (None, node) and handler.transport is not None:
                handler.transport.abort()

    def connection_made(
        self, handler: web.RequestHandler, transport: asyncio.Transport
    ) -> None:
        """Take a connection, or cut it."""
        super().connection_made(handler, transport)
        caller = _caller(self._door, transport)
        loop = asyncio.get_running_loop()
        if caller is None:
            self._refuse(Refusal.REMOVED, transport)
            # It has a moment to ask, and to be told why nobody speaks with it.
            has_room = len(self._removed) < MAX_REMOVED_CONNECTIONS
            loop.call_later(REMOVED_SECONDS if has_room else 0, transport.abort)
            self._removed.add(handler)
        elif self._is_busy(caller.who):
            self._refuse(Refusal.BUSY, transport)
            # A turn later, because aiohttp still has to begin with it.
            loop.call_soon(transport.abort)
        else:
            self._nodes[handler] = caller.who
            self._open[caller.who] += 1

    def _refuse(self, reason: Refusal, transport: asyncio.BaseTransport) -> None:
        address = plain_address(transport.get_extra_info("peername"))
        self._door.refused(reason, address, "")

    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        """Count one less."""
        super().connection_lost(handler, exc)
        self._lost.set()
        self._removed.discard(handler)
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
            caller = None if transport is None else _caller(self._door, transport)
            if caller is None or request.protocol not in self._nodes:
                answer = web.Response(status=HTTPStatus.FORBIDDEN, body=_REMOVED)
                answer.force_close()
                return answer
            request[CALLER] = caller
            return await handler(request)

        return handle


def _caller(door: Door, transport: asyncio.BaseTransport) -> Caller | None:
    """Who is at the other end; None for whoever isn't let in."""
    address = plain_address(transport.get_extra_info("peername"))
    ssl_object = transport.get_extra_info("ssl_object")
    if ssl_object is None:
        return Caller("", address)
    node_id = door.identify(ssl_object)
    return None if node_id is None else Caller(node_id, address)
