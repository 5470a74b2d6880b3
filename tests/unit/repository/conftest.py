"""Repositories on real files."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import pytest

from edgenode.repository.connections import Connect, connect
from edgenode.repository.sqlite import SqliteRepository
from tests.unit.repository.samples import CODEC, SetClock


class Opener(Protocol):
    """Opens the test's repository; may be called again after it is closed."""

    def __call__(
        self, *, keep_events: bool = False, connect: Connect = connect
    ) -> AbstractAsyncContextManager[SqliteRepository]: ...


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "server.db"


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def events_from_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no event kept in memory."""
    monkeypatch.setattr("edgenode.repository.recent.MAX_RECENT_EVENT_BYTES", 0)


@pytest.fixture
def opener(path: Path, clock: SetClock) -> Opener:
    def opened(
        *, keep_events: bool = False, connect: Connect = connect
    ) -> AbstractAsyncContextManager[SqliteRepository]:
        return SqliteRepository.opened(
            path, CODEC, clock, name="pi", keep_events=keep_events, connect=connect
        )

    return opened


@pytest.fixture
async def repository(opener: Opener) -> AsyncIterator[SqliteRepository]:
    async with opener() as opened:
        yield opened
