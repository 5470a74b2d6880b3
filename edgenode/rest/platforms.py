"""Listens for genuine members of a Kafka cohort: by address, TLS or not, and a log-in."""

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import hdrs, web

from edgenode.clock import Clock
from edgenode.config import KafkaCohortConfig
from edgenode.limits import (
    IDLE_SECONDS,
    MAX_CONNECTIONS_OF_A_PLATFORM,
    MAX_PLATFORM_CONNECTIONS,
)
from edgenode.rest.adapter import Adapter
from edgenode.rest.browsers import Handler, without_pages
from edgenode.rest.refusals import RefusalError, bare_status
from edgenode.rest.server import is_worth_a_line
from edgenode.rest.streams import finishing
from edgenode.security.listening import (
    Arrival,
    Doorkeeper,
    NewContext,
    Refused,
    plain_address,
)
from edgenode.security.platforms import (
    Admission,
    Login,
    UnusableFileError,
    read_login,
    server_context,
)
from edgenode.security.trust import Refusal

logger = logging.getLogger(__name__)

_CHALLENGE = 'Basic realm="edgenode", charset="UTF-8"'


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformDoor:
    """Who is let in by the listener for genuine members.

    Attributes:
        context: TLS for the next connection; None where it is plain HTTP.
        admits: Whether they may be at an address.
        login: What they log in with; None where they don't have to.
        refused: Told of each connection that isn't let in, and of each wrong log-in.
    """

    context: NewContext
    admits: Callable[[str], bool]
    login: Login | None
    refused: Refused


def platform_door(config: KafkaCohortConfig, refused: Refused) -> PlatformDoor:
    """The door that the configuration describes; it reads files, which may block.

    Raises:
        UnusableFileError: One of them can't be used.
    """
    context = login = None
    if config.certificate_file is not None and config.key_file is not None:
        context = server_context(config.certificate_file, config.key_file)
    if config.user is not None and config.password_file is not None:
        login = read_login(config.user, config.password_file)
        if not login.password.isascii():
            # Java's clients write other characters as question marks.
            why = "there is more than ASCII in the password"
            raise UnusableFileError(config.password_file, why)
    return PlatformDoor(
        context=lambda: context,
        admits=Admission(config.admit).admits,
        login=login,
        refused=refused,
    )


@asynccontextmanager
async def listening_for_platforms(
    adapter: Adapter, listener: socket.socket, door: PlatformDoor, clock: Clock
) -> AsyncIterator[None]:
    """Serve genuine members until the end of the block.

    Args:
        adapter: Answers the requests.
        listener: The socket that listens. It is closed at the end.
        door: Who is let in.
        clock: The time.
    """
    logger.addFilter(is_worth_a_line)
    server = _PlatformServer(_logged_in(adapter.handle, door, clock), door.refused)
    runner = web.ServerRunner(server, shutdown_timeout=5)
    await runner.setup()

    async def welcome(arrival: Arrival) -> None:
        await arrival.begin(server())

    doorkeeper = Doorkeeper(
        door.context,
        door.refused,
        welcome,
        # Each thread of a platform opens a connection, maybe all at once.
        of_an_address=MAX_CONNECTIONS_OF_A_PLATFORM,
        of_a_network=MAX_CONNECTIONS_OF_A_PLATFORM,
        admits=door.admits,
    )
    accepting = asyncio.create_task(doorkeeper.accept(listener), name="platforms")
    try:
        yield
    finally:
        accepting.cancel()
        await asyncio.gather(accepting, return_exceptions=True)
        listener.close()
        await doorkeeper.close()
        await runner.cleanup()


class _PlatformServer(web.Server):
    """Has a bounded number of connections, in all and from each address."""

    def __init__(self, handler: Handler, refused: Refused) -> None:
        # Bodies stay as they are: unpacking one could make gigabytes of it.
        super().__init__(
            finishing(without_pages(handler)),
            access_log=None,
            logger=logger,
            keepalive_timeout=IDLE_SECONDS,
            auto_decompress=False,
        )
        self._refused = refused
        self._open: Counter[str] = Counter()
        self._addresses: dict[web.RequestHandler, str] = {}

    def connection_made(
        self, handler: web.RequestHandler, transport: asyncio.Transport
    ) -> None:
        """Take a connection, or cut it where there are too many."""
        super().connection_made(handler, transport)
        address = plain_address(transport.get_extra_info("peername"))
        if (
            len(self._addresses) >= MAX_PLATFORM_CONNECTIONS
            or self._open[address] >= MAX_CONNECTIONS_OF_A_PLATFORM
        ):
            self._refused(Refusal.BUSY, address, "")
            # A turn later, because aiohttp still has to begin with it.
            asyncio.get_running_loop().call_soon(transport.abort)
            return
        self._addresses[handler] = address
        self._open[address] += 1

    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        """Count one less."""
        super().connection_lost(handler, exc)
        address = self._addresses.pop(handler, None)
        if address is not None:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]


def _logged_in(handler: Handler, door: PlatformDoor, clock: Clock) -> Handler:
    """A handler that answers nobody who doesn't log in, where that has to be."""
    login = door.login
    if login is None:
        return handler

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        told = request.headers.get(hdrs.AUTHORIZATION)
        if told is not None and login.is_in(told):
            return await handler(request)
        transport = request.transport
        peer = None if transport is None else transport.get_extra_info("peername")
        why = "no log-in" if told is None else "another user or password"
        door.refused(Refusal.LOGIN, plain_address(peer), why)
        refusal = RefusalError(HTTPStatus.UNAUTHORIZED)
        answer = bare_status(request.rel_url.raw_path, refusal, clock.now())
        answer.headers[hdrs.WWW_AUTHENTICATE] = _CHALLENGE
        return answer

    return handle
