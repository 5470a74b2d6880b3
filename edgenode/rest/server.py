"""Listens for HTTP and hands every request to the adapter."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from edgenode.rest.adapter import Adapter


@asynccontextmanager
async def listening(adapter: Adapter, host: str, port: int) -> AsyncIterator[int]:
    """Serve until the end of the block; gives the port that is listened on.

    Requests under way get a few seconds to finish when the block ends.

    Raises:
        OSError: The address can't be listened on.
    """
    # The plain server without aiohttp's router: paths are resolved by the adapter.
    runner = web.ServerRunner(
        web.Server(adapter.handle, access_log=None), shutdown_timeout=5
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=128)
        await site.start()
        bound: int = runner.addresses[0][1]
        yield bound
    finally:
        await runner.cleanup()
