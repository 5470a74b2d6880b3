"""Accepts connections of other nodes: the one place where anybody can knock.

asyncio's own TLS servers drop a connection whose handshake fails without a word. Here
connections are accepted one by one, because it has to be known of each, before anybody
has proven anything, where it comes from and how many there are.
"""

import asyncio
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from typing import Any

from edgenode.errors import EdgeNodeError
from edgenode.limits import (
    ACCEPT_PAUSE_SECONDS,
    HANDSHAKE_SECONDS,
    MAX_HANDSHAKES,
    MAX_HANDSHAKES_OF_AN_ADDRESS,
    TLS_GOODBYE_SECONDS,
)
from edgenode.security.trust import Refusal

logger = logging.getLogger(__name__)

NewContext = Callable[[], ssl.SSLContext | None]
"""Gives TLS for the next connection; None where the cohort is open."""

Refused = Callable[[Refusal, str, str], None]
"""Told why a connection is cut: the reason, the address that it came from, and what was
wrong in words. Strangers decide how often."""

_ANY_V6 = "::"
_BACKLOG = 128


class NotWelcomeError(EdgeNodeError):
    """Whoever is at the other end of a connection is not let in.

    Attributes:
        reason: What it is counted as; None for what is no offence.
        detail: What is wrong, in words.
    """

    def __init__(self, reason: Refusal | None, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class Arrival:
    """A connection that has just come in.

    Attributes:
        address: Where it came from, without the port.
        has_spoken: Whether anything came, where there has to be TLS.
        is_begun: Whether there is TLS on it, where there has to be.
    """

    def __init__(
        self, connection: socket.socket, address: str, context: ssl.SSLContext | None
    ) -> None:
        self.address = address
        self.has_spoken = False
        self.is_begun = False
        self._connection = connection
        self._context = context

    async def begin(self, protocol: asyncio.Protocol) -> asyncio.Transport:
        """Agree on TLS, and hand the connection over to a protocol.

        Raises:
            OSError: There is no agreement.
        """
        is_secure = self._context is not None
        if is_secure:
            await self._spoken_to()
        transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
            lambda: protocol,
            self._connection,
            ssl=self._context,
            ssl_shutdown_timeout=TLS_GOODBYE_SECONDS if is_secure else None,
        )
        self.is_begun = True
        return transport

    async def _spoken_to(self) -> None:
        """Wait for the first byte, and leave it where it is.

        Raises:
            OSError: None came.
        """
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(self._connection, readable.set)
        try:
            await readable.wait()
            if not self._connection.recv(1, socket.MSG_PEEK):
                raise ConnectionAbortedError("nothing was said")
            self.has_spoken = True
        finally:
            loop.remove_reader(self._connection)
            if not self.has_spoken:
                self._connection.close()


Welcome = Callable[[Arrival], Awaitable[None]]
"""Begins with a connection and finds out whose it is; raises NotWelcomeError for whoever
isn't let in. After ``begin`` the connection is its own to close."""


class Doorkeeper:
    """Accepts connections, and has a bounded number of them welcomed at a time.

    Args:
        context: Asked anew for each connection.
        refused: Told of those that come to nothing.
        welcome: What is done with each.
        seconds: How long that may take.
    """

    def __init__(
        self,
        context: NewContext,
        refused: Refused,
        welcome: Welcome,
        *,
        seconds: float | None = None,
    ) -> None:
        self._context = context
        self._refused = refused
        self._welcome = welcome
        self._seconds = HANDSHAKE_SECONDS if seconds is None else seconds
        self._beginning: set[asyncio.Task[None]] = set()
        self._from: Counter[str] = Counter()

    @property
    def beginning(self) -> int:
        """How many connections are being welcomed."""
        return len(self._beginning)

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
            self._accepted(connection, plain_address(peername))

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
            self._refused(Refusal.BUSY, address, "too many connections at a time")
            return
        self._from[address] += 1
        task = asyncio.create_task(
            self._begin(Arrival(connection, address, self._context())),
            name=f"connection of {address}",
        )
        self._beginning.add(task)
        task.add_done_callback(lambda done: self._begun(done, address))

    def _begun(self, task: asyncio.Task[None], address: str) -> None:
        self._beginning.discard(task)
        self._from[address] -= 1
        if not self._from[address]:
            del self._from[address]

    async def _begin(self, arrival: Arrival) -> None:
        address = arrival.address
        try:
            async with asyncio.timeout(self._seconds):
                await self._welcome(arrival)
        except NotWelcomeError as error:
            if error.reason is not None:
                self._refused(error.reason, address, error.detail)
        except TimeoutError:
            reason = Refusal.MALFORMED if arrival.is_begun else Refusal.CERTIFICATE
            self._refused(reason, address, "did not say in time who it is")
        except ssl.SSLError as error:
            self._refused(Refusal.CERTIFICATE, address, _fault(error))
        except (OSError, EOFError) as error:
            if arrival.has_spoken and not arrival.is_begun:
                self._refused(Refusal.UNFINISHED, address, "")
            else:
                logger.debug("%s went away: %s", address, error)


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        host: The numeric address; ``::`` means all there are, those of IPv4 too.
        port: The port; 0 for any.

    Raises:
        OSError: The address can't be listened on.
    """
    bare = host.strip("[]")
    is_everything = bare == _ANY_V6 and _has_ipv6()
    if bare == _ANY_V6 and not is_everything:
        bare = "0.0.0.0"  # noqa: S104 - what :: means without IPv6
    family, address = _socket_address(bare, port)
    # But for that one, of IPv6 alone: each kind can have a socket of its own.
    listener = socket.create_server(
        address, family=family, backlog=_BACKLOG, dualstack_ipv6=is_everything
    )
    listener.setblocking(False)
    return listener


def _socket_address(host: str, port: int) -> tuple[socket.AddressFamily, Any]:
    bare, _, scope = host.partition("%")
    if ip_address(bare).version == 4:
        return socket.AF_INET, (bare, port)
    index = int(scope) if scope.isdigit() else 0
    if scope and not scope.isdigit():
        index = socket.if_nametoindex(scope)
    return socket.AF_INET6, (bare, port, 0, index)


def _has_ipv6() -> bool:
    with suppress(OSError), socket.socket(socket.AF_INET6):
        return True
    return False


def plain_address(peername: Any) -> str:
    """A peer's address without its port, as people know it; nothing of one that is gone."""
    if not peername:
        return ""
    address = ip_address(peername[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


def _fault(error: ssl.SSLError) -> str:
    """What is wrong with a handshake, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(getattr(error, "verify_message", None) or error.strerror)
    return (error.reason or str(error)).lower().replace("_", " ")
