"""A node that is killed under load has lost nothing that it acknowledged.

EDGENODE_KILLS sets how often it is killed.
"""

import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from edgenode.repository.recovery import FileCheck
from edgenode.repository.sqlite import SqliteRepository
from tests.conftest import ROOT
from tests.unit.repository.samples import CODEC, SetClock

KILLS = int(os.environ.get("EDGENODE_KILLS", "20"))
SEED = 20_261_121
MOST_LINES = 1_500
"""The process is killed after so many acknowledgements at most."""
NUMBERS = 1_000_000
"""How many entities a process may store before the next one's numbers begin."""


def killed_under_load(path: Path, first: int, lines: int) -> list[str]:
    """What a process acknowledged until it was killed, some lines after so many."""
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "tests.crash.under_load", str(path), str(first)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        read = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        read += process.stdout.readlines()
    assert process.returncode == -9, "it was to be killed, and ended by itself"
    return [line.decode().rstrip() for line in read if line.endswith(b"\n")]


def lost(path: Path, acknowledged: dict[str, int]) -> list[str]:
    # Only reading, which leaves the write-ahead log to the process that comes next.
    address = f"file:{path}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = connection.execute("SELECT guid, version FROM instance WHERE kind <> 0")
        stored = dict(rows.fetchall())
    return [
        f"{guid}: version {version} was acknowledged, {stored.get(guid)} is stored"
        for guid, version in acknowledged.items()
        if stored.get(guid, 0) < version
    ]


def test_a_kill_under_load_loses_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "server.db"
    random = Random(SEED)  # noqa: S311 - repeatable, not secret
    acknowledged: dict[str, int] = {}
    changes = 0
    for kill in range(KILLS):
        count = random.randrange(1, MOST_LINES)
        for line in killed_under_load(path, kill * NUMBERS, count):
            guid, version = line.split()
            acknowledged[guid] = max(int(version), acknowledged.get(guid, 0))
            changes += 1
        assert lost(path, acknowledged) == []
    with capsys.disabled():
        print(  # noqa: T201 - the counts are asked for
            f"\nkill -9: {KILLS} kills, {changes} changes acknowledged, none lost"
        )
    assert changes > KILLS
    asyncio.run(read_again(path, acknowledged))


async def read_again(path: Path, acknowledged: dict[str, int]) -> None:
    """The repository itself has everything, and indexes what it had no time for."""
    async with SqliteRepository.opened(
        path, CODEC, SetClock(), name="after"
    ) as repository:
        assert repository.report.check is FileCheck.PASSED
        for guid, version in acknowledged.items():
            found = repository.entity(guid) or repository.relationship(guid)
            assert found is not None
            assert found.document.value.version >= version
        await repository.flush()
        assert repository.statistics().index_backlog == 0
