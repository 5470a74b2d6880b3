"""Listens for HTTP and hands every request to the adapter."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from edgenode.limits import IDLE_SECONDS, MAX_CONNECTIONS
from edgenode.rest.adapter import Adapter
from edgenode.rest.browsers import without_browsers
from edgenode.rest.streams import finishing

logger = logging.getLogger(__name__)


def is_worth_a_line(record: logging.LogRecord) -> bool:
    """Whether a record tells of more than a caller who doesn't speak HTTP."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


class _Server(web.Server):
    """The plain server without aiohttp's router: paths are resolved by the adapter."""

    def connection_made(
        self, handler: web.RequestHandler, transport: asyncio.Transport
    ) -> None:
        """Take a connection, or cut it where there are too many."""
        super().connection_made(handler, transport)
        if len(self.connections) > MAX_CONNECTIONS:
            # A turn later, because aiohttp still has to begin with it.
            asyncio.get_running_loop().call_soon(transport.abort)


@asynccontextmanager
async def listening(adapter: Adapter, host: str, port: int) -> AsyncIterator[int]:
    """Serve until the end of the block; gives the port that is listened on.

    Requests under way get a few seconds to finish when the block ends.

    Raises:
        OSError: The address can't be listened on.
    """
    logger.addFilter(is_worth_a_line)
    # Bodies stay as they are: unpacking one could make gigabytes of it.
    server = _Server(
        finishing(without_browsers(adapter.handle, host)),
        access_log=None,
        logger=logger,
        keepalive_timeout=IDLE_SECONDS,
        auto_decompress=False,
    )
    runner = web.ServerRunner(server, shutdown_timeout=5)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=128)
        await site.start()
        bound: int = runner.addresses[0][1]
        yield bound
    finally:
        await runner.cleanup()
