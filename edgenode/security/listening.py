"""Listeners for mutual TLS that know whom they refuse.

asyncio's own TLS servers drop a connection whose handshake fails without a word. Here a
connection comes first, its handshake after, so that a refusal has an address.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable
from typing import cast

from edgenode.limits import HANDSHAKE_SECONDS, MAX_HANDSHAKES
from edgenode.security.tls import Credentials, RemovedPeerError
from edgenode.security.trust import Refusal, Trust

logger = logging.getLogger(__name__)

ProtocolFactory = Callable[[], asyncio.Protocol]


class Doorkeeper:
    """Lets connections of the cohort's nodes through to a protocol, and no others.

    ``asyncio.loop.create_server`` takes ``admit`` as its factory, without TLS of its
    own. ``close`` ends the handshakes that go on.
    """

    def __init__(
        self, factory: ProtocolFactory, credentials: Credentials, trust: Trust
    ) -> None:
        self._factory = factory
        self._credentials = credentials
        self._trust = trust
        self._handshakes: set[asyncio.Task[None]] = set()

    def admit(self) -> asyncio.Protocol:
        """The protocol of one new connection."""
        return _Arrival(self._arrived)

    async def close(self) -> None:
        """Break off the handshakes that go on."""
        tasks = list(self._handshakes)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _arrived(self, transport: asyncio.Transport) -> None:
        if len(self._handshakes) >= MAX_HANDSHAKES:
            self._trust.refused(Refusal.BUSY, _address(transport))
            transport.abort()
            return
        transport.pause_reading()  # what comes is for TLS, as soon as that is there
        task = asyncio.get_running_loop().create_task(
            self._shake_hands(transport), name="handshake"
        )
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)

    async def _shake_hands(self, transport: asyncio.Transport) -> None:
        address, early = _address(transport), _Early()
        try:
            secured = await asyncio.get_running_loop().start_tls(
                transport,
                early,
                self._credentials.server_context(),
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
            )
        except RemovedPeerError:
            self._trust.refused(Refusal.REMOVED, address)
        except (ssl.SSLError, ConnectionAbortedError):  # the latter: it took too long
            self._trust.refused(Refusal.CERTIFICATE, address)
        except OSError:
            logger.debug("%s went away before the handshake was done", address)
        else:
            if secured is not None:  # None: it was lost meanwhile
                early.hand_over(secured, self._factory())
                return
        transport.abort()


class _Arrival(asyncio.Protocol):
    """A connection before TLS."""

    def __init__(self, arrived: Callable[[asyncio.Transport], None]) -> None:
        self._arrived = arrived

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._arrived(cast("asyncio.Transport", transport))


class _Early(asyncio.Protocol):
    """Keeps what a peer sends together with the end of its handshake."""

    def __init__(self) -> None:
        self._data: list[bytes] = []
        self._has_ended = self._is_lost = False

    def data_received(self, data: bytes) -> None:
        self._data.append(data)

    def eof_received(self) -> bool:
        self._has_ended = True
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self._is_lost = True

    def hand_over(
        self, transport: asyncio.Transport, protocol: asyncio.Protocol
    ) -> None:
        """Give the connection, and what came already, to its protocol."""
        if self._is_lost:
            return
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        for data in self._data:
            protocol.data_received(data)
        if self._has_ended and not protocol.eof_received():
            transport.close()


def _address(transport: asyncio.BaseTransport) -> str:
    """The peer's address, without its port."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) and peer else ""
