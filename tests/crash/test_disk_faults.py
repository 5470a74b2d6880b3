"""A disk that is full, read-only or failing is answered with an error, until it recovers."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import apsw
import pytest

from edgenode.errors import OMRSError, StoreFullError, StoreUnavailableError
from edgenode.instances.conditions import (
    Classified,
    Equals,
    InstanceQuery,
    Property,
)
from edgenode.repository import checkpoints
from edgenode.repository.base import HistoryRange
from edgenode.repository.connections import Connect, connect
from edgenode.repository.health import store_health
from edgenode.repository.sqlite import SqliteRepository
from tests.conftest import fill
from tests.crash.apsw_driver import connect_over
from tests.crash.faulty import Fault, FaultyVFS
from tests.unit.repository.samples import (
    CODEC,
    START,
    SetClock,
    classified,
    entity,
    guid,
    saving,
    text,
    until,
)


@pytest.fixture
def fault() -> Iterator[Fault]:
    made = Fault()
    vfs = FaultyVFS("faulty", made)
    yield made
    vfs.unregister()


@asynccontextmanager
async def opened(
    path: Path, connect: Connect = connect
) -> AsyncIterator[SqliteRepository]:
    async with SqliteRepository.opened(
        path, CODEC, SetClock(), name="pi", keep_events=True, connect=connect
    ) as repository:
        yield repository


def known(repository: SqliteRepository, count: int) -> list[int]:
    return [n for n in range(count) if repository.entity(guid(n))]


async def writes_are_well(repository: SqliteRepository, path: Path) -> bool:
    """What the server's health says of writing."""
    health = await asyncio.to_thread(store_health, repository, path)
    (check,) = (each for each in health.checks if each.name == "writes")
    return check.ok


def sound(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        found: object = connection.execute("PRAGMA integrity_check").fetchone()
        return found == ("ok",)


EVERYTHING = InstanceQuery()
WRITE_FAULTS = [
    ("grow", apsw.FullError, StoreFullError),
    ("write", apsw.FullError, StoreFullError),
    ("write", apsw.IOError, StoreUnavailableError),
    ("write", apsw.ReadOnlyError, StoreUnavailableError),
    ("sync", apsw.IOError, StoreUnavailableError),
    ("sync", apsw.FullError, StoreFullError),
]


@pytest.mark.parametrize(("operation", "error", "answer"), WRITE_FAULTS)
async def test_a_change_the_disk_refuses_is_answered_and_not_stored(
    tmp_path: Path,
    fault: Fault,
    operation: str,
    error: type[apsw.Error],
    answer: type[OMRSError],
) -> None:
    path = tmp_path / "server.db"
    async with opened(path, connect_over("faulty")) as repository:
        assert await repository.change(saving(0)) == 0
        fault.begins(operation, error, "-wal")
        for number in (1, 2):
            with pytest.raises(answer, match="pi"):
                await repository.change(saving(number))
        assert known(repository, 3) == [0]
        assert not await writes_are_well(repository, path)
        fault.passes()
        assert await repository.change(saving(3)) == 3
        assert await writes_are_well(repository, path)
        assert known(repository, 4) == [0, 3]
        assert repository.counts() == {"GlossaryTerm": 2}
        figures = repository.statistics()
        assert (figures.failed_commits, figures.last_commit_failed) == (2, False)
    assert sound(path)
    async with opened(path) as repository:
        assert known(repository, 4) == [0, 3]


@pytest.mark.parametrize(("operation", "error", "answer"), WRITE_FAULTS)
async def test_all_changes_of_a_refused_group_fail(
    tmp_path: Path,
    fault: Fault,
    operation: str,
    error: type[apsw.Error],
    answer: type[OMRSError],
) -> None:
    path = tmp_path / "server.db"
    async with opened(path, connect_over("faulty")) as repository:
        fault.begins(operation, error, "-wal")
        changes = [repository.change(saving(number)) for number in range(20)]
        answers = await asyncio.gather(*changes, return_exceptions=True)
        assert {type(each) for each in answers} == {answer}
        fault.passes()
        again = [repository.change(saving(number)) for number in range(20)]
        assert await asyncio.gather(*again) == list(range(20))
        events = await repository.events_after(0, 100)
        assert len(known(repository, 20)) == 20
        assert events == []
    assert sound(path)


async def test_a_disk_that_cannot_be_read_is_answered(
    tmp_path: Path, fault: Fault
) -> None:
    async with opened(tmp_path / "server.db", connect_over("faulty")) as repository:
        await repository.change(saving(1))
        fault.begins("read", ending="-wal")
        with pytest.raises(StoreUnavailableError):
            repository.entity(guid(1))
        fault.passes()
        assert repository.entity(guid(1)) is not None
        assert await repository.change(saving(2)) == 2


async def test_a_change_that_cannot_read_fails_with_its_group(
    tmp_path: Path, fault: Fault
) -> None:
    path = tmp_path / "server.db"
    async with opened(path, connect_over("faulty")) as repository:
        for number in range(50):
            await repository.change(saving(number))
    async with opened(path, connect_over("faulty")) as repository:
        fault.begins("read", ending=".db")
        with pytest.raises(StoreUnavailableError):
            await repository.change(saving(7))
        fault.passes()
        assert await repository.change(saving(51)) == 51
        assert len(known(repository, 60)) == 51
    assert sound(path)


async def test_a_search_that_cannot_write_its_index_says_so(
    tmp_path: Path, fault: Fault
) -> None:
    async with opened(tmp_path / "server.db", connect_over("faulty")) as repository:
        await repository.change(saving(1))
        fault.begins("write", apsw.FullError, "-wal")
        with pytest.raises(StoreFullError):
            await repository.flush()
        assert repository.statistics().index_backlog == 1
        fault.passes()
        await repository.flush()
        assert repository.statistics().index_backlog == 0


async def test_a_disk_that_became_read_only_is_still_read(
    tmp_path: Path, fault: Fault
) -> None:
    """No file can be written or opened anew; what is open can be read."""
    path = tmp_path / "server.db"
    async with opened(path, connect_over("faulty")) as repository:
        for number in range(5):
            await repository.change(saving(number))
        await repository.flush()
        for operation, error in (
            ("write", apsw.ReadOnlyError),
            ("open", apsw.CantOpenError),
        ):
            fault.begins(operation, error)
            with pytest.raises(StoreUnavailableError):
                await repository.change(saving(5))
            assert known(repository, 6) == list(range(5))
            assert len(await repository.find_entities(EVERYTHING)) == 5
            assert len(await repository.entity_history(guid(3), HistoryRange())) == 1
        fault.passes()
        assert await repository.change(saving(5)) == 5
        assert len(await repository.find_entities(EVERYTHING)) == 6
    assert sound(path)


async def test_changes_go_on_while_the_file_cannot_be_written(
    tmp_path: Path, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write-ahead log grows; it is copied when the fault has passed."""
    monkeypatch.setattr(checkpoints, "WAL_CHECKPOINT_BYTES", 50_000)
    monkeypatch.setattr(checkpoints, "WAL_STOP_BYTES", 200_000)
    path = tmp_path / "server.db"
    async with opened(path, connect_over("faulty")) as repository:
        fault.begins("write", ending=".db")
        for number in range(60):
            await repository.change(saving(number))
        await until(lambda: fault.hits > 1)
        grown = repository.statistics().wal_bytes
        assert grown > 200_000
        fault.passes()
        for number in range(60, 240):
            await repository.change(saving(number))
        # It was begun again: three times as many changes found room in the same file.
        assert repository.statistics().wal_bytes < 2 * grown
        assert len(known(repository, 240)) == 240
    assert sound(path)


# real file systems


async def test_a_full_disk_recovers_when_there_is_room_again(small_disk: Path) -> None:
    path = small_disk / "server.db"
    stored: list[int] = []
    async with opened(path) as repository:
        stored.append(await repository.change(saving(0)))
        filler = await asyncio.to_thread(fill, small_disk)
        refused = 0
        for number in range(1, 60):
            try:
                stored.append(await repository.change(saving(number)))
            except StoreFullError:
                refused += 1
        assert refused > 50
        assert known(repository, 60) == stored
        filler.unlink()
        again = [n for n in range(60) if n not in stored]
        for number in again:
            assert await repository.change(saving(number)) == number
        assert known(repository, 60) == list(range(60))
    assert sound(path)


async def test_a_full_disk_at_the_end_loses_nothing(small_disk: Path) -> None:
    path = small_disk / "server.db"
    async with opened(path) as repository:
        for number in range(60):
            await repository.change(saving(number))
        filler = await asyncio.to_thread(fill, small_disk)
    filler.unlink()
    async with opened(path) as repository:
        assert known(repository, 60) == list(range(60))
        await repository.flush()
    assert sound(path)


async def refused_at_last(repository: SqliteRepository, numbers: Iterable[int]) -> None:
    changes = (repository.change(saving(number)) for number in numbers)
    answers = await asyncio.gather(*changes, return_exceptions=True)
    assert isinstance(answers[-1], StoreFullError)


async def test_a_full_disk_is_searched_and_opened(small_disk: Path) -> None:
    path = small_disk / "server.db"
    async with opened(path) as repository:
        await repository.change(saving(0))
        await repository.flush()
        for number in range(1, 10):
            await repository.change(saving(number))
        filler = await asyncio.to_thread(fill, small_disk)
        for _ in range(3):  # also when all connections were used
            for search in await asyncio.gather(
                *(repository.find_entities(EVERYTHING) for _ in range(5))
            ):
                assert len(search) == 10
        assert repository.statistics().index_backlog == 9
        await refused_at_last(repository, range(10, 60))
        stored = len(known(repository, 60))
        assert len(await repository.find_entities(EVERYTHING)) == stored
    async with opened(path) as repository:
        assert len(known(repository, 60)) == stored
        assert len(await repository.find_entities(EVERYTHING)) == stored
        await refused_at_last(repository, range(60, 120))
        filler.unlink()
        await repository.change(saving(120))
        assert len(known(repository, 121)) > stored
        await repository.flush()
    assert sound(path)


async def test_a_disk_that_is_full_from_the_start_is_searched(
    small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing was indexed yet, so that no name was known but those of the changes."""
    caplog.set_level("INFO", logger="edgenode.repository.writer")
    path = small_disk / "server.db"
    display_name = text("term 2 at version 1")
    named = InstanceQuery(condition=Property("displayName", Equals(display_name)))
    held = InstanceQuery(condition=Classified("Confidentiality"))
    async with opened(path) as repository:
        for number in range(3):
            await repository.change(saving(number))
        bean = classified(entity(1, version=2), "Confidentiality")
        await repository.change(lambda change: change.save_entity(bean, START))
        filler = await asyncio.to_thread(fill, small_disk)
        assert len(await repository.find_entities(EVERYTHING)) == 3
        assert len(await repository.find_entities(named)) == 1
        assert len(await repository.find_entities(held)) == 1
    assert [each.levelname for each in caplog.records] == ["WARNING"]  # one for all
    caplog.clear()
    async with opened(path) as repository:
        assert len(await repository.find_entities(named)) == 1
        assert "the disk is full" in caplog.text
        filler.unlink()
        await repository.change(saving(3))
        assert [each.levelname for each in caplog.records] == ["WARNING", "INFO"]
        assert len(await repository.find_entities(EVERYTHING)) == 4
    assert sound(path)


async def test_a_disk_without_room_to_open_the_file_is_called_full(
    small_disk: Path,
) -> None:
    """SQLite needs a little for the index of its log, which goes when it is closed."""
    path = small_disk / "server.db"
    async with opened(path) as repository:
        await repository.change(saving(0))
    await asyncio.to_thread(fill, small_disk)
    with pytest.raises(StoreFullError):
        async with opened(path):
            pass


async def test_a_read_only_disk_is_named_at_the_start(small_disk: Path) -> None:
    path = small_disk / "server.db"
    async with opened(path) as repository:
        await repository.change(saving(0))

    async def remount(how: str) -> None:
        process = await asyncio.create_subprocess_exec(
            "mount", "-o", f"remount,{how}", str(small_disk)
        )
        assert await process.wait() == 0

    await remount("ro")
    try:
        with pytest.raises(StoreUnavailableError, match="pi"):
            await opened(path).__aenter__()
    finally:
        await remount("rw")
    async with opened(path) as repository:
        assert known(repository, 1) == [0]
