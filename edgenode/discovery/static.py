"""Peers whose addresses stand in the configuration, where there is no multicast."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence

from edgenode.bus.base import Address
from edgenode.hosts import is_numeric


async def resolved(peers: Sequence[Address]) -> AsyncIterator[Address]:
    """The numeric addresses of configured peers, each once.

    Names are looked up anew each time, in a thread and one at a time: a resolver that
    hangs must not take all threads. What can't be looked up now is left out; numeric
    addresses come first, so that they wait for no resolver.
    """
    told: set[Address] = set()
    for peer in sorted(peers, key=lambda peer: not is_numeric(peer.host)):
        for address in [peer] if is_numeric(peer.host) else await _looked_up(peer):
            if address not in told:
                told.add(address)
                yield address


async def _looked_up(peer: Address) -> list[Address]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(peer.host, peer.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # no such name for now, or never a name
        return []
    return [Address(_numeric_host(*place), peer.port) for *_, place in found]


def _numeric_host(host: str | int, *rest: int | bytes) -> str:
    """The host in a socket address, with the scope that stands behind port and flow."""
    scope = rest[2] if len(rest) > 2 else 0
    return f"{host}%{socket.if_indextoname(int(scope))}" if scope else str(host)
