"""Index rows are written later, many at a time, and never lost."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edgenode.instances.conditions import InstanceQuery
from edgenode.limits import MAX_INDEX_BACKLOG
from edgenode.repository import backlog, writer
from edgenode.repository.base import Transaction
from edgenode.repository.index import IndexWriter
from edgenode.repository.sqlite import SqliteRepository
from tests.unit.repository.conftest import Opener
from tests.unit.repository.samples import (
    CODEC,
    START,
    SetClock,
    classified,
    copy_as_after_a_crash,
    entity,
    guid,
    proxy,
    relationship,
    until,
)


async def save(repository: SqliteRepository, first: int, count: int) -> None:
    def work(change: Transaction) -> None:
        for number in range(first, first + count):
            change.save_entity(entity(number), START)

    await repository.change(work)


def waiting(repository: SqliteRepository) -> int:
    return repository.statistics().index_backlog


def mark_and_last(path: Path) -> tuple[int, int]:
    """How far the index rows are, and the newest state."""
    with closing(sqlite3.connect(path)) as connection:
        (mark,) = connection.execute("SELECT indexed_through FROM store").fetchone()
        (last,) = connection.execute("SELECT max(seq) FROM version").fetchone()
    return mark, last


async def test_index_rows_wait_for_company(repository: SqliteRepository) -> None:
    await save(repository, 0, MAX_INDEX_BACKLOG - 1)
    assert waiting(repository) == MAX_INDEX_BACKLOG - 1
    await save(repository, 1_000, 1)
    await until(lambda: waiting(repository) == 0)
    figures = repository.statistics()
    assert (figures.index_flushes, figures.indexed_changes) == (1, MAX_INDEX_BACKLOG)


async def test_closing_writes_what_waits(opener: Opener, path: Path) -> None:
    async with opener() as repository:
        await save(repository, 0, 3)
        await repository.change(lambda change: change.save_proxy(proxy(9), START))
    assert mark_and_last(path) == (4, 4)


async def test_a_quiet_moment_is_used_when_it_pays(
    monkeypatch: pytest.MonkeyPatch, opener: Opener
) -> None:
    monkeypatch.setattr(writer, "QUIET_SECONDS", 0.01)
    monkeypatch.setattr(writer, "QUIET_INDEX_BACKLOG", 5)
    async with opener() as repository:
        await save(repository, 0, 4)
        await until(lambda: repository._database._writer._is_tidy)
        assert waiting(repository) == 4
        await save(repository, 4, 1)
        await until(lambda: waiting(repository) == 0)


async def test_a_quiet_moment_gives_memory_back(
    monkeypatch: pytest.MonkeyPatch, opener: Opener
) -> None:
    given: list[bool] = []
    monkeypatch.setattr(writer, "QUIET_SECONDS", 0.01)
    monkeypatch.setattr(writer, "give_back", lambda: given.append(True))
    async with opener() as repository:
        await save(repository, 0, 1)
        await until(lambda: bool(given))


async def test_what_a_purge_left_behind_goes_in_a_quiet_moment(
    monkeypatch: pytest.MonkeyPatch, opener: Opener, path: Path
) -> None:
    async with opener() as repository:
        await repository.change(lambda c: c.save_entity(entity(1, version=1), START))
        await repository.change(lambda c: c.save_entity(entity(1, version=2), START))
        await save(repository, 2, 1)
        monkeypatch.setattr(writer, "QUIET_SECONDS", 0.01)
        await repository.change(lambda c: c.purge_entity(guid(1)))
        await until(lambda: waiting(repository) == 0)
        with closing(sqlite3.connect(path)) as connection:
            for table in ("version", "superseded", "property", "purged"):
                query = f"SELECT count(*) FROM {table} WHERE instance_id = 1"  # noqa: S608
                assert connection.execute(query).fetchone() == (0,), table


async def test_what_a_crash_left_unwritten_is_made_again(
    opener: Opener, path: Path, tmp_path: Path, clock: SetClock
) -> None:
    async with opener() as repository:
        await save(repository, 0, 3)
        await repository.flush()
        await save(repository, 3, 4)
        await repository.change(lambda c: c.save_entity(entity(1, version=2), START))
        await repository.change(lambda c: c.save_proxy(proxy(77), START))
        await repository.change(
            lambda c: c.save_relationship(relationship(99, 1, 2), START)
        )
        await repository.change(lambda c: c.purge_entity(guid(4)))
        crashed = copy_as_after_a_crash(path, tmp_path / "crashed")
    assert mark_and_last(crashed) == (3, 10)
    again = SqliteRepository.opened(crashed, CODEC, clock, name="again")
    async with again as repository:
        assert waiting(repository) == 8  # the purge, and what it purged
        await repository.flush()
        assert waiting(repository) == 0
        assert repository.statistics().indexed_changes == 8
    assert mark_and_last(crashed) == (10, 10)


async def test_made_again_batch_by_batch(
    opener: Opener,
    path: Path,
    tmp_path: Path,
    clock: SetClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opener() as repository:
        await save(repository, 0, 10)
        crashed = copy_as_after_a_crash(path, tmp_path / "crashed")
    monkeypatch.setattr(backlog, "MAX_INDEX_BACKLOG", 3)
    again = SqliteRepository.opened(crashed, CODEC, clock, name="again")
    async with again as repository:
        await repository.flush()
        assert repository.statistics().indexed_changes == 10


async def test_rows_that_cannot_be_written_stop_no_change(
    repository: SqliteRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index fails for a while; every change is kept and indexed in the end."""
    fault = sqlite3.OperationalError("the index can't be written")

    def fail(*_: object) -> None:
        raise fault

    monkeypatch.setattr(writer, "MAX_INDEX_BACKLOG", 5)
    monkeypatch.setattr(backlog, "MAX_LOST_BACKLOG", 7)
    with monkeypatch.context() as broken:
        broken.setattr(IndexWriter, "apply", fail)
        for number in range(12):
            await save(repository, number, 1)
        with pytest.raises(sqlite3.OperationalError):
            await repository.flush()
        assert waiting(repository) == 12
    assert repository.counts() == {"GlossaryTerm": 12}
    await repository.flush()
    assert waiting(repository) == 0
    assert repository.statistics().indexed_changes == 12


async def test_what_is_purged_before_it_is_indexed_leaves_no_rows(
    repository: SqliteRepository, path: Path
) -> None:
    await save(repository, 0, 2)
    await repository.change(lambda change: change.purge_entity(guid(1)))
    await repository.flush()
    assert repository.statistics().indexed_changes == 2
    assert mark_and_last(path) == (1, 1)


def index_rows(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM property").fetchone()
        return int(count)


async def test_rows_of_the_purged_are_removed_later_together(
    opener: Opener, path: Path, tmp_path: Path, clock: SetClock
) -> None:
    async with opener() as repository:
        await save(repository, 0, 2)
        await repository.flush()
        before = index_rows(path)
        await repository.change(lambda change: change.purge_entity(guid(1)))
        assert index_rows(path) == before
        crashed = copy_as_after_a_crash(path, tmp_path / "crashed")
        await repository.flush()
        assert index_rows(path) == before / 2
    again = SqliteRepository.opened(crashed, CODEC, clock, name="again")
    async with again as repository:
        # Another instance doesn't get the rows of the one that is gone.
        await save(repository, 2, 1)
        await repository.flush()
        assert index_rows(crashed) == before
        found = await repository.find_entities(InstanceQuery())
        assert [each.value.guid for each in found] == [guid(0), guid(2)]


async def test_a_purged_entity_uses_no_classification(
    repository: SqliteRepository,
) -> None:
    bean = classified(entity(1), "Retention")
    await repository.change(lambda change: change.save_entity(bean, START))
    await repository.flush()
    assert await repository.change(lambda change: change.is_type_used("Retention"))
    await repository.change(lambda change: change.purge_entity(guid(1)))
    assert not await repository.change(lambda change: change.is_type_used("Retention"))
