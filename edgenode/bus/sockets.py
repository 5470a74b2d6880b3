"""Sockets of the bus: one to listen with, one that is connected, and TLS on it."""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import chain, zip_longest
from typing import Any

from edgenode.bus.base import Address
from edgenode.hosts import SocketAddress, is_numeric, socket_address
from edgenode.limits import ADDRESS_STAGGER_SECONDS, MAX_ADDRESSES_TRIED
from edgenode.security.listening import bound

_PORT_TRIES = 20
_LAST_PORT = 65_535


def listening_sockets(hosts: Sequence[str], port: int) -> list[socket.socket]:
    """Sockets that listen on numeric addresses, all on one port; 0 for any.

    ``::`` means all addresses there are, those of IPv4 too.

    Raises:
        OSError: An address can't be listened on.
    """
    for last_try in (*[False] * (_PORT_TRIES - 1), True):
        try:
            return _listening(hosts, port)
        except OSError:
            # Another program may have the free port of one address on another.
            if port or len(hosts) == 1 or last_try:
                raise
    raise AssertionError("the last try returns or raises")


def _listening(hosts: Sequence[str], port: int) -> list[socket.socket]:
    listeners: list[socket.socket] = []
    try:
        for host in hosts:
            listeners.append(bound(host, port))
            port = listeners[0].getsockname()[1]
    except BaseException:
        for each in listeners:
            each.close()
        raise
    return listeners


async def connected(
    addresses: Iterable[Address],
) -> tuple[socket.socket, Address]:
    """A socket to the address that answers first, and which one that is.

    Each gets a head start on the next one; the first one's family and the other one, of
    IPv4 and IPv6, take turns.

    Raises:
        OSError: None can be connected to.
    """
    targets, errors = await _targets(addresses)
    attempts: set[asyncio.Task[tuple[socket.socket, Address]]] = set()
    try:
        while targets or attempts:
            if targets:
                attempts.add(asyncio.create_task(_attempt(*targets.popleft())))
            done, attempts = await asyncio.wait(
                attempts,
                timeout=ADDRESS_STAGGER_SECONDS if targets else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            while done:
                attempt = done.pop()
                if (error := attempt.exception()) is None:
                    attempts |= done
                    return attempt.result()
                errors.append(error)
    finally:
        await _abandon(attempts)
    if not errors:
        raise OSError("no address is known")
    raise OSError("; ".join(dict.fromkeys(map(str, errors))))


async def _targets(
    addresses: Iterable[Address],
) -> tuple[deque[tuple[Address, socket.AddressFamily, SocketAddress]], list[Any]]:
    found: dict[tuple[socket.AddressFamily, SocketAddress], Address] = {}
    errors: list[BaseException] = []
    for address in addresses:
        try:
            for family, target in await _resolved(address):
                found.setdefault((family, target), address)
        except (OSError, ValueError) as error:  # peers tell of them, and may err
            errors.append(error)
    first = next((family for family, _ in found), None)
    alike = [each for each in found.items() if each[0][0] == first]
    others = [each for each in found.items() if each[0][0] != first]
    in_turn = chain.from_iterable(zip_longest(alike, others))
    return deque(
        [(each[1], *each[0]) for each in in_turn if each][:MAX_ADDRESSES_TRIED]
    ), errors


async def _resolved(
    address: Address,
) -> list[tuple[socket.AddressFamily, SocketAddress]]:
    if not 0 < address.port <= _LAST_PORT:
        raise OSError(f"there is no port {address.port}")
    if is_numeric(address.host):
        return [socket_address(address.host, address.port)]
    found = await asyncio.get_running_loop().getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM
    )
    return [
        (family, (target[0], target[1], *target[2:]))
        for family, _, _, _, target in found
    ]


async def _attempt(
    address: Address, family: socket.AddressFamily, target: SocketAddress
) -> tuple[socket.socket, Address]:
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        # Small messages are what there is; none waits for the answer to another.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(connection, target)
    except BaseException:
        connection.close()
        raise
    return connection, address


async def _abandon(
    attempts: set[asyncio.Task[tuple[socket.socket, Address]]],
) -> None:
    """Close what came too late."""
    for attempt in attempts:
        attempt.cancel()
    for result in await asyncio.gather(*attempts, return_exceptions=True):
        if not isinstance(result, BaseException):
            result[0].close()


async def secured(
    connection: socket.socket, context: ssl.SSLContext, host: str
) -> ssl.SSLSocket:
    """Agree on TLS as the client; the event loop has its turns meanwhile.

    Args:
        connection: Connected; belongs to the result from now on.
        context: What is agreed on.
        host: What the certificate has to be made out to, where the context checks it.

    Raises:
        OSError: There is no agreement.
    """
    loop = asyncio.get_running_loop()
    try:
        connection.getpeername()
    except OSError:
        # Reset meanwhile: wrapping would fail, and leave the socket to nobody.
        connection.close()
        raise
    secure = context.wrap_socket(
        connection,
        server_hostname=host if context.check_hostname else None,
        do_handshake_on_connect=False,
    )
    try:
        while True:
            try:
                secure.do_handshake()
            except ssl.SSLWantReadError:
                await _until(secure, loop.add_reader, loop.remove_reader)
            except ssl.SSLWantWriteError:
                await _until(secure, loop.add_writer, loop.remove_writer)
            else:
                return secure
    except BaseException:
        secure.close()
        raise


async def _until(
    connection: socket.socket,
    add: Callable[..., None],
    remove: Callable[[socket.socket], object],
) -> None:
    ready = asyncio.get_running_loop().create_future()

    def is_ready() -> None:
        if not ready.done():
            ready.set_result(None)

    add(connection, is_ready)
    try:
        await ready
    finally:
        with suppress(OSError):
            remove(connection)
