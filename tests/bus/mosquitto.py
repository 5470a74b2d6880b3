"""A mosquitto of a test's own."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edgenode.bus.base import Address
from tests.bus.client import SECONDS

BINARY = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")

needs_mosquitto = pytest.mark.skipif(
    BINARY is None, reason="Debian's package mosquitto is needed"
)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@asynccontextmanager
async def mosquitto(
    directory: Path, *lines: str, port: int = 0
) -> AsyncIterator[Address]:
    """Run one with some lines of configuration until the end of the block."""
    address = Address("127.0.0.1", port or free_port())
    configuration = directory / "mosquitto.conf"
    head = [f"listener {address.port} {address.host}", "user root"]
    configuration.write_text("\n".join([*head, *lines]) + "\n")
    process = await asyncio.create_subprocess_exec(
        str(BINARY),
        "-c",
        str(configuration),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _listens(address)
        yield address
    finally:
        process.kill()
        await process.wait()


async def _listens(address: Address) -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection(address.host, address.port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                await writer.wait_closed()
                return
