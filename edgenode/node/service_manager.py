"""Tells systemd that the node is ready, that it is at work, and that it stops.

The protocol is sd_notify(3): each message is a datagram of ``NAME=value`` lines to the
socket that the variable ``NOTIFY_SOCKET`` names. Where it names none, as in a terminal,
nobody is told.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress

from edgenode.clock import Clock

logger = logging.getLogger(__name__)

_PARTS = 3
"""How often life is told within the time after which systemd takes a node for dead: one
message that comes late, because the disk is slow, kills nobody."""


class ServiceManager:
    """What systemd wants to be told; see the module."""

    def __init__(self, address: str | None, watchdog_seconds: float | None) -> None:
        """Nothing is told yet.

        Args:
            address: The socket, a path or with ``@`` an abstract name; None for nobody.
            watchdog_seconds: After which time of silence systemd takes the node for
                dead; None for never.
        """
        self._address = address
        self._watchdog_seconds = watchdog_seconds

    @classmethod
    def named_by(cls, environ: Mapping[str, str], process: int) -> "ServiceManager":
        """The one that an environment names.

        Args:
            environ: The environment.
            process: This one's id: a watchdog may be meant for another one.
        """
        meant = environ.get("WATCHDOG_PID", str(process)) == str(process)
        micros = environ.get("WATCHDOG_USEC", "") if meant else ""
        seconds = int(micros) / 1e6 if micros.isdecimal() else 0.0
        return cls(environ.get("NOTIFY_SOCKET") or None, seconds or None)

    @asynccontextmanager
    async def told_of_work(
        self, works: Callable[[], Awaitable[None]], clock: Clock
    ) -> AsyncIterator[None]:
        """The node is ready, and at work until the end of the block, where it stops.

        Args:
            works: Returns if it does its work. As long as it doesn't, systemd isn't told
                of life.
            clock: Measures.
        """
        self._tell("READY=1")
        telling = asyncio.create_task(self._tell_of_life(works, clock), name="watchdog")
        try:
            yield
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling
            self._tell("STOPPING=1")

    async def _tell_of_life(
        self, works: Callable[[], Awaitable[None]], clock: Clock
    ) -> None:
        if self._address is None or self._watchdog_seconds is None:
            return
        while True:
            await works()
            self._tell("WATCHDOG=1")
            await clock.sleep(self._watchdog_seconds / _PARTS)

    def _tell(self, message: str) -> None:
        if self._address is None:
            return
        name = self._address
        if name.startswith("@"):
            name = "\0" + name[1:]
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
                sending.setblocking(False)
                sending.sendto(message.encode(), name)
        except OSError as error:
            logger.warning("systemd can't be told %s: %s", message, error)
