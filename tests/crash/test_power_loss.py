"""The power may fail at any sync: files are sound and have all that was acknowledged.

What the repository does is recorded below SQLite; then the files are rebuilt as a disk
may have them at each sync: with the writes since lost, there in part, or in another
order. EDGENODE_POWER_CUTS makes the work longer and the images more by that factor.
"""

import asyncio
import os
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    closing,
    contextmanager,
)
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from edgenode.repository import backup, checkpoints, migrations, writer
from edgenode.repository.connections import (
    Connect,
    Connection,
    connect,
    set_up_writer,
)
from edgenode.repository.migrations import newest_version
from edgenode.repository.sqlite import SqliteRepository
from tests.crash.apsw_driver import connect_over
from tests.crash.images import images, moments
from tests.crash.judge import faults, index_faults
from tests.crash.recording import Noted, Recording, RecordingVFS
from tests.crash.workload import Client, Expected, expected, run
from tests.unit.repository.samples import (
    CODEC,
    START,
    SetClock,
    copy_as_after_a_crash,
)

FACTOR = int(os.environ.get("EDGENODE_POWER_CUTS", "1"))
SEED = 20_261_121
CLIENTS = 4
ROUNDS = 80
OPENED_EVERY = 25
"""Every so many images the repository itself opens one, and its index is compared."""
MEMORY = Path("/dev/shm")  # noqa: S108 - a file system, and not a file's name

MORE = 3
"""How many images of each kind that is chosen at random."""
FILE = Path("data") / "server.db"


@dataclass(slots=True)
class Tally:
    """What was looked at, and what was wrong."""

    moments: int = 0
    images: Counter[str] = field(default_factory=Counter)
    opened: int = 0
    found: list[str] = field(default_factory=list)

    def tell(self, what: str, capsys: pytest.CaptureFixture[str]) -> None:
        with capsys.disabled():
            print(  # noqa: T201 - the counts are asked for
                f"\n{what}: {self.moments} moments, {self.images.total()} images "
                f"({', '.join(f'{n} {how}' for how, n in self.images.items())}), "
                f"{self.opened} of them opened by the repository, "
                f"{len(self.found)} faults"
            )


Notes = tuple[Noted, ...]
Judge = Callable[[Path, Notes, Tally], list[str]]
"""Says what is wrong with the files in a directory, given what was noted."""
Recorded = Callable[[], AbstractContextManager[Recording]]


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory in memory, if there is one: thousands of files are made in it."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        yield Path(name)


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let checkpoints and index flushes happen often enough to be hit."""
    monkeypatch.setattr(checkpoints, "WAL_CHECKPOINT_BYTES", 60_000)
    monkeypatch.setattr(checkpoints, "WAL_STOP_BYTES", 200_000)
    monkeypatch.setattr(writer, "MAX_INDEX_BACKLOG", 30)


@pytest.fixture
def recorded(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], AbstractContextManager[Recording]]:
    """Records what is done in the directory ``recorded``."""

    @contextmanager
    def recording() -> Iterator[Recording]:
        made = Recording(place / "recorded")
        layer = RecordingVFS("recording", made)
        with monkeypatch.context() as patch:
            made.watch(patch)
            patch.setattr(backup, "connect", connect_over("recording"))
            yield made
        layer.unregister()

    (place / "recorded").mkdir()
    return recording


@pytest.fixture
def path(place: Path) -> Path:
    return place / "recorded" / FILE


def opened(
    path: Path, connect: Connect = connect
) -> AbstractAsyncContextManager[SqliteRepository]:
    return SqliteRepository.opened(
        path, CODEC, SetClock(), name="recorded", keep_events=True, connect=connect
    )


def clients() -> list[Client]:
    return [Client(name, SEED) for name in range(CLIENTS)]


def judged(recording: Recording, place: Path, judge: Judge) -> Tally:
    """Rebuild the files at every moment and judge them."""
    random = Random(SEED)  # noqa: S311 - repeatable, not secret
    tally = Tally()
    for moment in moments(recording):
        tally.moments += 1
        for how, disk in images(moment, random, MORE * FACTOR):
            tally.images[how] += 1
            with tempfile.TemporaryDirectory(dir=place) as name:
                disk.lay_out(Path(name))
                wrong = judge(Path(name), moment.notes, tally)
            tally.found += [f"at step {moment.step}, {how}: {each}" for each in wrong]
    return tally


def judge_file(
    root: Path,
    wanted: Mapping[str, Expected],
    tally: Tally,
    versions: Container[int] = (newest_version(),),
) -> list[str]:
    """Judge the repository's file, and now and then open it by the repository."""
    path = root / FILE
    if tally.images.total() % OPENED_EVERY or not path.exists():
        return faults(path, wanted, versions)
    tally.opened += 1
    wrong = asyncio.run(index_faults(path))
    return wrong or faults(path, wanted, (newest_version(),))


def judge_changes(root: Path, notes: Notes, tally: Tally) -> list[str]:
    return judge_file(root, expected(notes), tally)


async def change(
    path: Path,
    connect: Connect,
    note: Callable[[Noted], None],
    rounds: int,
    clients: list[Client],
) -> int:
    """Let clients make changes; returns how often the log was copied meanwhile."""
    async with opened(path, connect) as repository:
        await run(repository, note, clients=clients, rounds=rounds)
        return repository.statistics().checkpoints


def test_the_power_may_fail_at_any_sync(
    place: Path, path: Path, recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    rounds = ROUNDS * FACTOR
    with recorded() as recording:
        connect = connect_over("recording")
        checkpoints = asyncio.run(
            change(path, connect, recording.add, rounds, clients())
        )
    tally = judged(recording, place, judge_changes)
    tally.tell(f"power loss in {CLIENTS * rounds} changes", capsys)
    assert tally.found == []
    assert checkpoints > 2
    assert tally.moments > 100
    assert tally.opened > 50


def test_the_power_may_fail_again_after_it_failed(
    place: Path, path: Path, recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    before: list[Noted] = []
    own = clients()

    async def crash() -> None:
        elsewhere = place / "first" / path.name
        async with opened(elsewhere) as repository:
            await run(repository, before.append, clients=own, rounds=15)
            await asyncio.to_thread(copy_as_after_a_crash, elsewhere, path.parent)

    asyncio.run(crash())
    with recorded() as recording:
        for note in before:
            recording.add(note)
        connect = connect_over("recording")
        asyncio.run(change(path, connect, recording.add, 5 * FACTOR, own))
    tally = judged(recording, place, judge_after(before))
    tally.tell("power loss after a crash", capsys)
    assert tally.found == []
    assert tally.moments > 10
    assert tally.opened > 5


def judge_after(before: list[Noted]) -> Judge:
    def judge(root: Path, notes: Notes, tally: Tally) -> list[str]:
        return judge_file(root, expected(notes or before), tally)

    return judge


def test_the_power_may_fail_during_a_migration(
    place: Path,
    path: Path,
    recorded: Recorded,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    notes: list[Noted] = []
    asyncio.run(change(path, connect, notes.append, 20, clients()))
    wanted = expected(notes)
    oldest = newest_version()
    steps = migrations.steps() | {
        oldest + 1: "CREATE TABLE more (guid TEXT) STRICT;\n"
        "INSERT INTO more SELECT guid FROM instance;\n",
        oldest + 2: "DELETE FROM more;\nALTER TABLE more ADD COLUMN other TEXT;\n"
        "INSERT INTO more SELECT guid, guid FROM instance;\n",
    }
    monkeypatch.setattr(migrations, "steps", lambda: steps)
    with recorded() as recording:
        asyncio.run(change(path, connect_over("recording"), recording.add, 0, []))
    columns = {oldest: None, oldest + 1: 1, oldest + 2: 2}
    seen: Counter[int] = Counter()

    def judge(root: Path, _: Notes, tally: Tally) -> list[str]:
        if wrong := faults(root / FILE, wanted, columns):
            return wrong
        version, width = migrated(root / FILE)
        seen[version] += 1
        if width != columns[version]:
            return [f"version {version} is half done: {width} columns"]
        copy = root / f"{FILE}.version-{oldest}"
        if version > oldest and not copy.exists():
            return ["there is no copy of the file as it was"]
        if copy.exists() and (wrong := faults(copy, wanted, (oldest,))):
            return wrong
        return judge_file(root, wanted, tally, columns)

    tally = judged(recording, place, judge)
    tally.tell(f"power loss in a migration {dict(seen)}", capsys)
    assert tally.found == []
    assert seen.keys() == columns.keys()
    assert tally.opened > 0


def migrated(path: Path) -> tuple[int, int | None]:
    """The schema's version, and how wide the table is that was added; None without."""
    with closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        columns = connection.execute("PRAGMA table_info(more)").fetchall()
        if not columns:
            return version, None
        every = "SELECT (SELECT count(*) FROM more) = (SELECT count(*) FROM instance)"
        (has_all,) = connection.execute(every).fetchone()
        return version, len(columns) if has_all else -1


BACKUP = Noted(True, "backup", 1)
BACKED_UP = Noted(False, "backup", 1)


def test_the_power_may_fail_during_a_backup(
    place: Path,
    path: Path,
    recorded: Recorded,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backup, "_PAGES_AT_A_TIME", 20)
    target = backup.default_target(path, START)

    async def work(recording: Recording) -> None:
        async with opened(path, connect_over("recording")) as repository:
            own = clients()
            await run(repository, recording.add, clients=own, rounds=10)
            recording.add(BACKUP)
            copying = asyncio.to_thread(backup.back_up, path, target)
            changing = run(repository, recording.add, clients=own, rounds=5)
            await asyncio.gather(copying, changing)
            recording.add(BACKED_UP)

    with recorded() as recording:
        asyncio.run(work(recording))
    copies = 0

    def judge(root: Path, notes: Notes, tally: Tally) -> list[str]:
        nonlocal copies
        others = [each for each in notes if each not in (BACKUP, BACKED_UP)]
        wrong = judge_file(root, expected(others), tally)
        copy = root / target.relative_to(path.parents[1])
        if copy.exists():
            copies += 1
            mark = notes.index(BACKUP)
            wrong += faults(copy, expected(notes[:mark], others[mark:]))
        elif BACKED_UP in notes:
            wrong.append("the backup is lost")
        return wrong

    tally = judged(recording, place, judge)
    tally.tell(f"power loss in a backup, there in {copies} images", capsys)
    assert tally.found == []
    assert 0 < copies < tally.images.total()


def test_the_power_may_fail_during_a_restore(
    place: Path, path: Path, recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    notes: list[Noted] = []
    own = clients()
    elsewhere = place / "first" / path.name
    asyncio.run(change(elsewhere, connect, notes.append, 10, own))
    copy = backup.back_up(elsewhere, place / "backup.db").path
    wanted = {"restored": expected(notes)}

    async def crash() -> None:
        async with opened(elsewhere) as repository:
            await run(repository, notes.append, clients=own, rounds=2)
            await asyncio.to_thread(copy_as_after_a_crash, elsewhere, path.parent)

    asyncio.run(crash())
    wanted["former"] = expected(notes)
    assert path.with_name(path.name + "-wal").stat().st_size > 0
    with recorded() as recording:
        backup.restore(copy, path, START)
        recording.add(Noted(False, "restored", 1))
    seen: Counter[str] = Counter()

    def judge(root: Path, notes: Notes, tally: Tally) -> list[str]:
        asyncio.run(change(root / FILE, connect, recording.add, 0, []))
        tally.opened += 1
        wrong = {name: faults(root / FILE, each) for name, each in wanted.items()}
        found = [name for name, each in wrong.items() if not each]
        if not found or (notes and found != ["restored"]):
            return [f"neither the former nor the restored file: {wrong}"]
        seen[found[0]] += 1
        aside = list((root / FILE).parent.glob("*.replaced-*Z"))
        if found == ["restored"]:
            return [each for one in aside for each in faults(one, wanted["former"])]
        return [f"{aside} are there"] if aside else []

    tally = judged(recording, place, judge)
    tally.tell(f"power loss in a restore {dict(seen)}", capsys)
    assert tally.found == []
    assert seen.keys() == wanted.keys()


def test_a_store_that_does_not_sync_would_be_found_out(
    place: Path,
    path: Path,
    recorded: Recorded,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def set_up(connection: Connection) -> None:
        set_up_writer(connection)
        connection.execute("PRAGMA synchronous = NORMAL")

    monkeypatch.setattr(writer, "set_up_writer", set_up)
    with recorded() as recording:
        connect = connect_over("recording")
        asyncio.run(change(path, connect, recording.add, ROUNDS, clients()))
    tally = judged(recording, place, judge_changes)
    assert any("acknowledged was" in fault for fault in tally.found)
