"""The power may fail at any sync: the file is sound and has all that was acknowledged."""

import asyncio
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from edgenode.repository import checkpoints, writer
from edgenode.repository.connections import Connection, set_up_writer
from edgenode.repository.sqlite import SqliteRepository
from tests.crash.apsw_driver import connect_over
from tests.crash.images import Files, images, outages
from tests.crash.judge import faults
from tests.crash.recording import Noted, Recording, RecordingVFS
from tests.crash.workload import run
from tests.unit.repository.samples import CODEC, SetClock

SEED = 20_261_121
CLIENTS = 4
ROUNDS = 60
REOPENED_EVERY = 20
"""Every so many images the repository itself opens one too."""


@pytest.fixture
def recording() -> Iterator[Recording]:
    made = Recording()
    vfs = RecordingVFS("recording", made)
    yield made
    vfs.unregister()


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let checkpoints and index flushes happen often enough to be hit."""
    monkeypatch.setattr(checkpoints, "WAL_CHECKPOINT_BYTES", 60_000)
    monkeypatch.setattr(checkpoints, "WAL_STOP_BYTES", 200_000)
    monkeypatch.setattr(writer, "MAX_INDEX_BACKLOG", 30)


async def record(path: Path, recording: Recording) -> None:
    async with SqliteRepository.opened(
        path,
        CODEC,
        SetClock(),
        name="recorded",
        keep_events=True,
        connect=connect_over("recording"),
    ) as repository:
        await run(repository, recording.add, clients=CLIENTS, rounds=ROUNDS, seed=SEED)


def laid_out(directory: Path, files: Files) -> Path:
    directory.mkdir()
    for name, content in files.items():
        (directory / name).write_bytes(content)
    return directory / "server.db"


async def reopened(path: Path) -> str:
    """What the repository says of a file that a crash left."""
    async with SqliteRepository.opened(
        path, CODEC, SetClock(), name="again", keep_events=True
    ) as repository:
        if repository.report.set_aside:
            return f"{path} was set aside: {repository.report.damage}"
        await repository.flush()
        events = await repository.events_after(0, 10_000)
        numbers = [event.sequence for event in events]
        if numbers != sorted(set(numbers)):
            return f"events out of order: {numbers}"
        return ""


def judged(
    recording: Recording, directory: Path
) -> tuple[int, Counter[str], list[str]]:
    """How many moments there were, how many images of each kind, and what was wrong."""
    random = Random(SEED)  # noqa: S311 - repeatable, not secret
    counts: Counter[str] = Counter()
    found: list[str] = []
    moments = 0
    for moment in outages(recording.steps):
        moments += 1
        for how, files in images(moment, random):
            place = directory / f"{moment.step}-{counts.total()}"
            path = laid_out(place, files)
            wrong = faults(path, moment.notes)
            if not wrong and counts.total() % REOPENED_EVERY == 0:
                counts["opened by the repository"] += 1
                wrong = [text] if (text := asyncio.run(reopened(path))) else []
            found += [f"at step {moment.step}, {how}: {text}" for text in wrong]
            counts[how] += 1
            shutil.rmtree(place)
    return moments, counts, found


def test_the_power_may_fail_at_any_sync(
    tmp_path: Path, recording: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(record(tmp_path / "recorded" / "server.db", recording))
    moments, counts, found = judged(recording, tmp_path)
    changes = sum(isinstance(step, Noted) for step in recording.steps) // 2
    with capsys.disabled():
        print(  # noqa: T201 - the counts are asked for
            f"\npower loss: {changes} changes, {len(recording.steps)} steps, "
            f"{moments} moments; images: {dict(counts)}; faults: {len(found)}"
        )
    assert found == []
    assert changes == CLIENTS * ROUNDS
    assert min(moments, counts["torn"], counts["some"]) > 100


def test_a_store_that_does_not_sync_would_be_found_out(
    tmp_path: Path, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    def set_up(connection: Connection) -> None:
        set_up_writer(connection)
        connection.execute("PRAGMA synchronous = NORMAL")

    monkeypatch.setattr(writer, "set_up_writer", set_up)
    asyncio.run(record(tmp_path / "recorded" / "server.db", recording))
    _, _, found = judged(recording, tmp_path)
    assert any("was acknowledged" in fault for fault in found)
