"""A server with all its parts as they are in use, and what it may never do."""

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from edgenode.clock import SystemClock
from edgenode.rest.hosting import Server
from tests.wire.http import Client
from tests.wire.serving import SERVER, serving, stored


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with stored(tmp_path / "metadata.db", SystemClock()) as opened:
        yield opened


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with serving(SystemClock(), {SERVER: server}) as client:
        yield client


@pytest.fixture
def nothing_unforeseen(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test whose requests were more than refused: nothing is to be logged."""
    yield
    logged = caplog.get_records("call")
    assert [each for each in logged if each.levelno >= logging.WARNING] == []
