"""Long reads see one fully indexed state, and end at their deadline or with their caller."""

import asyncio

import aiosqlite
import pytest

from edgenode.errors import SearchTimeoutError, StoreUnavailableError
from edgenode.instances.conditions import HistorySequencingOrder
from edgenode.limits import LONG_READERS
from edgenode.repository import readers
from edgenode.repository.base import HistoryRange
from edgenode.repository.database import Database
from edgenode.repository.sqlite import SqliteRepository
from tests.unit.repository.conftest import Opener
from tests.unit.repository.samples import guid, saving

COUNT = "SELECT count(*) FROM version"
MARK = "SELECT indexed_through FROM store"
ENDLESS = """WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
             SELECT count(*) FROM n"""


@pytest.fixture
def database(repository: SqliteRepository) -> Database:
    return repository._database


async def first(reader: aiosqlite.Connection, sql: str) -> int:
    (row,) = await reader.execute_fetchall(sql)
    return int(row[0])


async def test_a_snapshot_is_indexed_and_stays_as_it_is(
    repository: SqliteRepository, database: Database
) -> None:
    for number in range(3):
        await repository.change(saving(number))
    assert repository.statistics().index_backlog == 3
    async with database.reading() as reader:
        assert await first(reader, COUNT) == await first(reader, MARK) == 3
        await repository.change(saving(4))
        assert await first(reader, COUNT) == await first(reader, MARK) == 3
    async with database.reading() as reader:
        assert await first(reader, COUNT) == await first(reader, MARK) == 4
    assert repository.statistics().index_backlog == 0


async def test_snapshots_are_indexed_while_changes_go_on(
    repository: SqliteRepository, database: Database
) -> None:
    async def write() -> None:
        for number in range(200):
            await repository.change(saving(number))

    task = asyncio.create_task(write())
    seen = set()
    while not task.done():
        async with database.reading() as reader:
            count = await first(reader, COUNT)
            assert await first(reader, MARK) == count
            seen.add(count)
    await task
    assert len(seen) > 1


async def test_history_needs_no_index(repository: SqliteRepository) -> None:
    await repository.change(saving(1))
    span = HistoryRange(order=HistorySequencingOrder.FORWARDS)
    assert len(await repository.entity_history(guid(1), span)) == 1
    assert repository.statistics().index_backlog == 1


async def test_a_read_ends_at_its_deadline(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "LONG_READ_SECONDS", 0.05)
    with pytest.raises(SearchTimeoutError):
        async with database.reading() as reader:
            await reader.execute_fetchall(ENDLESS)


async def test_the_connection_of_a_stopped_read_serves_the_next(
    repository: SqliteRepository, database: Database
) -> None:
    async def read_for_ever() -> None:
        async with database.reading() as reader:
            await reader.execute_fetchall(ENDLESS)

    for _ in range(LONG_READERS + 1):
        task = asyncio.create_task(read_for_ever())
        for _ in range(10):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await repository.change(saving(1))
    async with database.reading() as one, database.reading() as two:
        assert await first(one, COUNT) == await first(two, COUNT) == 1


async def test_a_read_that_was_cancelled_while_the_index_was_written(
    repository: SqliteRepository, database: Database
) -> None:
    async def read() -> int:
        async with database.reading() as reader:
            return await first(reader, COUNT)

    for turns in range(8):
        await repository.change(saving(turns))
        task = asyncio.create_task(read())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
    assert sum(await asyncio.gather(read(), read(), read())) == 24


async def test_an_exception_in_a_read_frees_its_snapshot(
    repository: SqliteRepository, database: Database
) -> None:
    async def fail() -> None:
        async with database.reading() as reader:
            await first(reader, COUNT)
            raise KeyError

    for _ in range(LONG_READERS + 1):
        with pytest.raises(KeyError):
            await fail()
    assert not any(reader._raw.in_transaction for reader in database._readers._idle)


async def test_there_are_only_so_many_long_reads_at_once(database: Database) -> None:
    async with database.reading(), database.reading():
        third = asyncio.create_task(database.reading().__aenter__())
        await asyncio.sleep(0)
        assert not third.done()
        third.cancel()
        await asyncio.wait({third})


async def test_a_read_does_not_wait_for_its_turn_for_ever(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.reading(), database.reading():
        monkeypatch.setattr(readers, "LONG_READ_SECONDS", 0.05)
        with pytest.raises(SearchTimeoutError):
            async with database.reading():
                pass


async def test_a_closed_repository_reads_no_more(opener: Opener) -> None:
    async with opener() as repository:
        pass
    with pytest.raises(StoreUnavailableError, match="closed"):
        await repository.entity_history(guid(1), HistoryRange())
