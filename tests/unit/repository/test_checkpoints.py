"""The write-ahead log is copied into the file before it grows for ever."""

from itertools import pairwise

import pytest

from edgenode.repository import checkpoints, connections, writer
from edgenode.repository.connections import Connection
from edgenode.repository.sqlite import SqliteRepository
from tests.unit.repository.conftest import Opener
from tests.unit.repository.samples import saving, until


async def save(repository: SqliteRepository, count: int) -> None:
    for number in range(count):
        await repository.change(saving(number))


@pytest.fixture
def small_log(monkeypatch: pytest.MonkeyPatch) -> int:
    """Let the log be copied from 100 KB on and by the writer itself from 400 KB on."""
    monkeypatch.setattr(checkpoints, "WAL_CHECKPOINT_BYTES", 100_000)
    monkeypatch.setattr(connections, "WAL_KEPT_BYTES", 200_000)
    monkeypatch.setattr(checkpoints, "WAL_STOP_BYTES", 400_000)
    return 400_000


async def test_the_log_is_copied_in_the_background(
    repository: SqliteRepository, small_log: int
) -> None:
    await save(repository, 20)
    assert 100_000 < repository.statistics().wal_bytes < small_log
    await until(lambda: repository.statistics().checkpoints == 1)


async def test_the_log_is_copied_after_many_commits(
    repository: SqliteRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "CHECKPOINT_COMMITS", 10)
    await save(repository, 9)
    assert repository.statistics().checkpoints == 0
    await save(repository, 1)
    await until(lambda: repository.statistics().checkpoints == 1)


async def test_a_copied_log_is_begun_again_in_its_file(
    repository: SqliteRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "CHECKPOINT_COMMITS", 10)
    await save(repository, 10)
    await until(lambda: repository.statistics().checkpoints == 1)
    size = repository.statistics().wal_bytes
    await save(repository, 5)
    assert repository.statistics().wal_bytes == size


async def test_a_busy_writer_copies_the_log_itself(
    repository: SqliteRepository, small_log: int
) -> None:
    sizes = []
    for _ in range(100):
        await save(repository, 2)
        sizes.append(repository.statistics().wal_bytes)
    assert max(sizes) < small_log + 100_000
    assert any(later < earlier for earlier, later in pairwise(sizes))


async def test_a_long_read_keeps_the_log_and_stops_no_change(
    repository: SqliteRepository, small_log: int
) -> None:
    async with repository._database.reading() as reader:
        await save(repository, 200)
        assert repository.statistics().wal_bytes > small_log
        (row,) = await reader.execute_fetchall("SELECT count(*) FROM version")
        assert row[0] == 0
    await save(repository, 30)
    assert repository.statistics().wal_bytes < small_log


async def test_a_quiet_moment_copies_the_log(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "QUIET_SECONDS", 0.01)
    monkeypatch.setattr(checkpoints, "CHECKPOINT_COMMITS", 40)
    async with opener() as repository:
        await save(repository, 9)
        await until(lambda: repository._database._writer._is_tidy)
        assert repository.statistics().checkpoints == 0
        await save(repository, 10)
        await until(lambda: repository.statistics().checkpoints == 1)


async def test_nothing_is_copied_in_the_background_that_is_copied_already(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else SQLite before 3.51.3 may forget pages when the log is begun again meanwhile."""
    monkeypatch.setattr(checkpoints, "CHECKPOINT_COMMITS", 3)
    monkeypatch.setattr(checkpoints, "WAL_CHECKPOINT_BYTES", 30_000)
    commits: list[int] = []
    too_early: list[int] = []
    finish = checkpoints.Checkpoints._finish
    copy = checkpoints.Checkpoints._copy

    def finished(self: checkpoints.Checkpoints, connection: Connection) -> None:
        finish(self, connection)
        commits.append(0)

    def copied(self: checkpoints.Checkpoints) -> None:
        if commits and not commits[-1]:
            too_early.append(len(commits))
        copy(self)

    watch = checkpoints.Checkpoints.watch

    def watched(
        self: checkpoints.Checkpoints, connection: Connection, size: int
    ) -> None:
        if commits:
            commits[-1] += 1
        watch(self, connection, size)

    monkeypatch.setattr(checkpoints.Checkpoints, "_finish", finished)
    monkeypatch.setattr(checkpoints.Checkpoints, "_copy", copied)
    monkeypatch.setattr(checkpoints.Checkpoints, "watch", watched)
    async with opener() as repository:
        await save(repository, 200)
        assert repository.statistics().failed_changes == 0
    assert len(commits) > 3
    assert not too_early
