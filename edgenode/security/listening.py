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
from edgenode.hosts import socket_address
from edgenode.limits import (
    ACCEPT_PAUSE_SECONDS,
    HANDSHAKE_SECONDS,
    MAX_HANDSHAKES,
    MAX_HANDSHAKES_OF_A_NETWORK,
    MAX_HANDSHAKES_OF_AN_ADDRESS,
    MAX_KNOWN_ADDRESSES,
    MAX_KNOWN_HANDSHAKES,
    SILENT_SECONDS,
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
_BUSY = "too many connections at a time"
_ELSEWHERE = "no address where a platform may be"
_BROKEN_OFF = "breaks off the handshake: another key, or none"


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
        self._is_handed_over = False

    @property
    def is_secure(self) -> bool:
        """Whether there has to be TLS."""
        return self._context is not None

    @property
    def is_silent(self) -> bool:
        """Whether it takes a place without having asked for anything."""
        return self.is_secure and not self.has_spoken

    def close(self) -> None:
        """Cut a connection that nothing came of, unless it is a protocol's."""
        if not self._is_handed_over:
            self._connection.close()

    async def begin(self, protocol: asyncio.Protocol) -> asyncio.Transport:
        """Agree on TLS, and hand the connection over to a protocol.

        Raises:
            OSError: There is no agreement.
            TimeoutError: Nothing was said.
        """
        is_secure = self.is_secure
        if is_secure:
            await self._spoken_to()
        self._is_handed_over = True
        try:
            transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
                lambda: protocol,
                self._connection,
                ssl=self._context,
                ssl_shutdown_timeout=TLS_GOODBYE_SECONDS if is_secure else None,
            )
        except asyncio.CancelledError:
            # Where TLS has just begun, asyncio would wait for both sides to end it.
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
            raise
        self.is_begun = True
        return transport

    async def _spoken_to(self) -> None:
        """Wait for the first byte, and leave it where it is.

        Raises:
            OSError: None came.
            TimeoutError: Nor did an end.
        """
        async with asyncio.timeout(SILENT_SECONDS):
            await _readable(self._connection)
        if not self._connection.recv(1, socket.MSG_PEEK):
            raise ConnectionAbortedError("nothing was said")
        self.has_spoken = True


Welcome = Callable[[Arrival], Awaitable[None]]
"""Begins with a connection and finds out whose it is; raises NotWelcomeError for whoever
isn't let in. After ``begin`` the connection is its own to close."""


class Doorkeeper:
    """Accepts connections, and has a bounded number of them welcomed at a time.

    Whoever keeps the places taken keeps nobody out for long: who says nothing makes room
    for those who come later, and some places are for addresses that a node of the cohort
    came from before.

    Args:
        context: Asked anew for each connection.
        refused: Told of those that come to nothing.
        welcome: What is done with each.
        seconds: How long that may take.
        of_an_address: How many of one address are welcomed at a time.
        of_a_network: And of one network, see ``network_of``.
        admits: Whether anybody may be at an address; who comes from another one is cut
            before anything is read.
    """

    def __init__(
        self,
        context: NewContext,
        refused: Refused,
        welcome: Welcome,
        *,
        seconds: float | None = None,
        of_an_address: int | None = None,
        of_a_network: int | None = None,
        admits: Callable[[str], bool] = lambda address: True,
    ) -> None:
        self._context = context
        self._refused = refused
        self._welcome = welcome
        self._admits = admits
        self._seconds = HANDSHAKE_SECONDS if seconds is None else seconds
        self._of_an_address = of_an_address or MAX_HANDSHAKES_OF_AN_ADDRESS
        self._of_a_network = of_a_network or MAX_HANDSHAKES_OF_A_NETWORK
        self._beginning: dict[asyncio.Task[None], Arrival] = {}
        self._from: Counter[str] = Counter()
        self._from_network: Counter[str] = Counter()
        self._known: dict[str, None] = {}

    @property
    def beginning(self) -> int:
        """How many connections are being welcomed."""
        return len(self._beginning)

    async def accept(self, listener: socket.socket) -> None:
        """Accept until cancelled."""
        while True:
            # asyncio loses a connection that it accepts when it is cancelled.
            await _readable(listener)
            try:
                connection, peername = listener.accept()
            except BlockingIOError:
                continue
            except OSError as error:
                logger.warning("no connection can be accepted: %s", error)
                await asyncio.sleep(ACCEPT_PAUSE_SECONDS)
                continue
            connection.setblocking(False)
            self._accepted(connection, plain_address(peername))

    async def close(self) -> None:
        """Cut what hasn't come to an agreement yet."""
        tasks = list(self._beginning)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _accepted(self, connection: socket.socket, address: str) -> None:
        if not self._admits(address):
            connection.close()
            self._refused(Refusal.ADDRESS, address, _ELSEWHERE)
            return
        if not self._has_place(address):
            connection.close()
            self._refused(Refusal.BUSY, address, _BUSY)
            return
        self._from[address] += 1
        self._from_network[network_of(address)] += 1
        arrival = Arrival(connection, address, self._context())
        task = asyncio.create_task(
            self._begin(arrival), name=f"connection of {address}"
        )
        self._beginning[task] = arrival
        task.add_done_callback(lambda done: self._ended(done, arrival))

    def _has_place(self, address: str) -> bool:
        """Whether there is a place, or somebody silent has just made room."""
        if self._from[address] >= self._of_an_address:
            return False
        if address in self._known:
            most = MAX_HANDSHAKES + MAX_KNOWN_HANDSHAKES
            return len(self._beginning) < most or self._drop_silent()
        network = network_of(address)
        if self._from_network[network] >= self._of_a_network:
            return self._drop_silent(network)
        return len(self._beginning) < MAX_HANDSHAKES or self._drop_silent()

    def _drop_silent(self, network: str | None = None) -> bool:
        """Cut the connection that has been silent for longest, if there is one."""
        for task, arrival in self._beginning.items():
            if arrival.is_silent and network in (None, network_of(arrival.address)):
                task.cancel()
                self._begun(task)
                self._refused(Refusal.BUSY, arrival.address, _BUSY)
                return True
        return False

    def _ended(self, task: asyncio.Task[None], arrival: Arrival) -> None:
        self._begun(task)
        arrival.close()

    def _begun(self, task: asyncio.Task[None]) -> None:
        arrival = self._beginning.pop(task, None)
        if arrival is not None:
            _count_less(self._from, arrival.address)
            _count_less(self._from_network, network_of(arrival.address))

    def _remember(self, address: str) -> None:
        """A node of the cohort has come from there."""
        self._known.pop(address, None)
        self._known[address] = None
        if len(self._known) > MAX_KNOWN_ADDRESSES:
            del self._known[next(iter(self._known))]

    async def _begin(self, arrival: Arrival) -> None:
        address = arrival.address
        try:
            async with asyncio.timeout(self._seconds):
                await self._welcome(arrival)
            if arrival.is_secure:
                self._remember(address)
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
                self._refused(Refusal.KEY, address, _BROKEN_OFF)
            else:
                logger.debug("%s went away: %s", address, error)


async def _readable(connection: socket.socket) -> None:
    """Wait until there is something to be read, or accepted."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(connection, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(connection)


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
    family, address = socket_address(bare, port)
    # But for that one, of IPv6 alone: each kind can have a socket of its own.
    listener = socket.create_server(
        address, family=family, backlog=_BACKLOG, dualstack_ipv6=is_everything
    )
    listener.setblocking(False)
    return listener


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


def network_of(address: str) -> str:
    """What one host may have all addresses of: 64 bits of IPv6, or the address itself."""
    parsed = ip_address(address) if address else None
    if isinstance(parsed, IPv6Address):
        return parsed.packed[:8].hex()
    return address


def _count_less(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]


def _fault(error: ssl.SSLError) -> str:
    """What is wrong with a handshake, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(getattr(error, "verify_message", None) or error.strerror)
    return (error.reason or str(error)).lower().replace("_", " ")
