"""Files are checked when need be, set aside when damaged, and refused when not ours."""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from edgenode.errors import StoreUnavailableError
from edgenode.repository import recovery
from edgenode.repository.backup import back_up, default_target
from edgenode.repository.connections import PAGE_SIZE
from edgenode.repository.health import store_health
from edgenode.repository.migrations import (
    APPLICATION_ID,
    ForeignStoreError,
    NewerStoreError,
    newest_version,
    steps,
)
from edgenode.repository.recovery import FileCheck, make_ready
from edgenode.repository.sqlite import SqliteRepository
from tests.unit.repository.conftest import Opener
from tests.unit.repository.samples import (
    CODEC,
    START,
    SetClock,
    content,
    copy_as_after_a_crash,
    files,
    guid,
    saving,
)

NEWEST = newest_version()
TIMER = "time of the check"


async def fill(repository: SqliteRepository, count: int = 50) -> None:
    for number in range(count):
        await repository.change(saving(number))


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def damage(path: Path) -> None:
    """Overwrite what is behind the first page."""
    content = bytearray(path.read_bytes())
    content[2_048:] = b"\xff" * (len(content) - 2_048)
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-6_000])


def overwrite(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"this is no database" * 1_000)


async def test_a_new_file_is_reported_as_new(
    opener: Opener, path: Path, tmp_path: Path
) -> None:
    async with opener() as repository:
        assert repository.report.is_new
        assert repository.report.check is FileCheck.NOT_NEEDED
        assert mode(path) == 0o600
    assert files(path.parent) == {"server.db"}
    async with opener() as repository:
        assert not repository.report.is_new
        assert repository.report.was_closed
        assert repository.report.migrated_from is None


async def test_a_file_that_was_not_closed_is_checked(
    opener: Opener, path: Path, tmp_path: Path, clock: SetClock
) -> None:
    async with opener() as repository:
        await fill(repository)
        crashed = copy_as_after_a_crash(path, tmp_path / "crashed")
    again = SqliteRepository.opened(crashed, CODEC, clock, name="again")
    async with again as repository:
        assert not repository.report.was_closed
        assert repository.report.check is FileCheck.PASSED
        assert repository.counts() == {"GlossaryTerm": 50}


class SlowConnection(sqlite3.Connection):
    """A check on it goes on until it is told to stop."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, isolation_level=None, check_same_thread=False)
        self._was_told = threading.Event()
        self.set_progress_handler(self._wait, 1)

    def interrupt(self) -> None:
        super().interrupt()
        self._was_told.set()

    def _wait(self) -> None:
        if any(each.name == TIMER for each in threading.enumerate()):
            self._was_told.wait(30)  # so that a test that fails ends, too


@pytest.mark.parametrize("was_closed", [True, False])
async def test_the_check_does_not_hold_up_the_start_for_ever(
    opener: Opener,
    path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    was_closed: bool,
) -> None:
    async with opener() as repository:
        await fill(repository)
        crashed = copy_as_after_a_crash(path, tmp_path / "crashed")
    limit = "BRIEF_CHECK_SECONDS" if was_closed else "CHECK_SECONDS"
    monkeypatch.setattr(recovery, limit, 0.0)
    found = path if was_closed else crashed
    ready = await asyncio.to_thread(
        make_ready, found, SlowConnection, SetClock(), "pi", CODEC, lambda _: None
    )
    assert ready.report.was_closed is was_closed
    assert ready.report.check is FileCheck.UNFINISHED
    assert ready.counts == {"GlossaryTerm": 50}


def ruin_a_page(path: Path, holding: bytes) -> None:
    """Overwrite the first page that has something in it."""
    content = path.read_bytes()
    start = content.index(holding) // PAGE_SIZE * PAGE_SIZE
    path.write_bytes(
        content[:start] + b"\xff" * PAGE_SIZE + content[start + PAGE_SIZE :]
    )


async def test_damage_that_is_met_late_has_the_file_checked_to_its_end(
    opener: Opener, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opener() as repository:
        await fill(repository)
    ruin_a_page(path, b'"term 20 at version 1"')
    monkeypatch.setattr(recovery, "BRIEF_CHECK_SECONDS", 0.0)
    async with opener(connect=SlowConnection) as repository:
        assert repository.report.check is FileCheck.UNFINISHED
        assert repository.statistics().damage is None
        met = 0
        for number in range(50):
            try:
                repository.entity(guid(number))
            except StoreUnavailableError:
                met += 1
        assert 0 < met < 50
        assert repository.statistics().damage
        health = await asyncio.to_thread(store_health, repository, path)
        check = health.checks[-1]
        assert (check.name, check.ok) == ("file", False)
        assert "restart" in check.mend
    async with opener() as repository:
        assert repository.report.set_aside
        assert repository.report.damage
    left = files(path.parent)
    assert {path.name, repository.report.set_aside.name} < left
    assert "server.db.suspect" not in left


@pytest.mark.parametrize("ruin", [damage, truncate, overwrite])
async def test_a_damaged_file_is_set_aside_and_the_backup_named(
    opener: Opener,
    path: Path,
    ruin: Callable[[Path], None],
    clock: SetClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with opener() as repository:
        await fill(repository)
    older = default_target(path, START)
    newer = default_target(path, START + 3_600_000)
    await asyncio.to_thread(back_up, path, older)
    await asyncio.to_thread(back_up, path, newer)
    overwrite(newer)
    ruin(path)
    ruined = content(path)
    with caplog.at_level(logging.ERROR):
        async with opener() as repository:
            report = repository.report
            assert repository.counts() == {}
            await fill(repository, 1)
            assert repository.entity(guid(0)) is not None
    assert report.is_new
    assert report.set_aside == path.with_name("server.db.corrupt-20260921T141320Z")
    assert report.set_aside.read_bytes() == ruined
    assert report.newest_backup == older
    assert report.damage
    assert str(older) in caplog.text
    async with opener() as repository:
        assert repository.report.set_aside is None


async def test_a_damaged_file_goes_aside_with_its_log(
    opener: Opener, path: Path, tmp_path: Path, clock: SetClock
) -> None:
    async with opener() as repository:
        await fill(repository)
    async with opener() as repository:
        await fill(repository)
        crashed = copy_as_after_a_crash(path, tmp_path / "crashed")
    overwrite(crashed)
    again = SqliteRepository.opened(crashed, CODEC, clock, name="again")
    async with again as repository:
        assert repository.report.set_aside
        assert repository.report.newest_backup is None
        aside = repository.report.set_aside.name
    assert {aside, f"{aside}-wal", "server.db"} <= files(crashed.parent)
    log = crashed.with_name(f"{aside}-wal")
    assert log.stat().st_size > 0


async def test_two_damaged_files_of_one_second_are_both_kept(
    opener: Opener, path: Path
) -> None:
    names = set()
    for _ in range(2):
        overwrite(path)
        async with opener() as repository:
            assert repository.report.set_aside
            names.add(repository.report.set_aside.name)
    assert names < files(path.parent)
    assert len(names) == 2


def make(path: Path, application_id: int, version: int) -> None:
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE something (a)")
        connection.execute(f"PRAGMA application_id = {application_id}")
        connection.execute(f"PRAGMA user_version = {version}")
        connection.commit()


@pytest.mark.parametrize(
    ("application_id", "version", "error", "says"),
    [
        (APPLICATION_ID, NEWEST + 1, NewerStoreError, "install the newer"),
        (0, 0, ForeignStoreError, "no repository of edgenode"),
        (0, 1, ForeignStoreError, "no repository of edgenode"),
        (7, 1, ForeignStoreError, "no repository of edgenode"),
    ],
)
async def test_files_that_are_not_ours_are_left_alone(
    opener: Opener,
    path: Path,
    application_id: int,
    version: int,
    error: type[Exception],
    says: str,
) -> None:
    make(path, application_id, version)
    before = content(path)
    with pytest.raises(error, match=says) as caught:
        await opener().__aenter__()
    assert str(path) in str(caught.value)
    assert content(path) == before
    assert files(path.parent) == {"server.db"}


@pytest.fixture
def next_step(monkeypatch: pytest.MonkeyPatch) -> dict[int, str]:
    """One more step than there is; the test gives its SQL."""
    known = steps()
    monkeypatch.setattr("edgenode.repository.migrations.steps", lambda: known)
    return known


async def test_an_older_file_is_copied_and_migrated(
    opener: Opener, path: Path, next_step: dict[int, str]
) -> None:
    async with opener() as repository:
        await fill(repository, 3)
    next_step[NEWEST + 1] = (
        "-- a comment; with a semicolon\nCREATE TABLE extra (a) STRICT;\n"
        "INSERT INTO extra VALUES ('x;y');\n"
    ).replace("(a)", "(a TEXT)")
    async with opener() as repository:
        report = repository.report
        assert repository.counts() == {"GlossaryTerm": 3}
    assert report.migrated_from == NEWEST
    assert report.copy_before == path.with_name(f"server.db.version-{NEWEST}")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT a FROM extra").fetchone() == ("x;y",)
        assert connection.execute("PRAGMA user_version").fetchone() == (NEWEST + 1,)
    with closing(sqlite3.connect(report.copy_before)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (NEWEST,)
        assert connection.execute("SELECT count(*) FROM version").fetchone() == (3,)


async def test_a_step_that_fails_changes_nothing(
    opener: Opener, path: Path, next_step: dict[int, str]
) -> None:
    async with opener() as repository:
        await fill(repository, 3)
    next_step[NEWEST + 1] = "CREATE TABLE extra (a);\nCREATE TABLE extra (a);\n"
    with pytest.raises(StoreUnavailableError, match="already exists"):
        await opener().__aenter__()
    del next_step[NEWEST + 1]
    async with opener() as repository:
        assert repository.counts() == {"GlossaryTerm": 3}


def test_the_steps_are_numbered_without_a_gap() -> None:
    assert list(steps()) == list(range(1, NEWEST + 1))
