"""Backups are complete, checked, made while changes go on, and lead back."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from edgenode.repository import backup
from edgenode.repository.backup import (
    UnusableBackupError,
    back_up,
    check,
    default_target,
    newest_usable,
    restore,
)
from edgenode.repository.migrations import ForeignStoreError, newest_version
from tests.unit.repository.conftest import Opener
from tests.unit.repository.samples import START, content, files, guid, saving

NEWEST = newest_version()


async def test_a_backup_is_made_while_changes_go_on(
    opener: Opener, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "_PAGES_AT_A_TIME", 5)
    target = default_target(path, START)
    portions: list[tuple[int, int]] = []
    async with opener() as repository:
        for number in range(100):
            await repository.change(saving(number))
        copying = asyncio.create_task(
            asyncio.to_thread(
                back_up, path, target, lambda *portion: portions.append(portion)
            )
        )
        number = 100
        while not copying.done():
            await repository.change(saving(number))
            number += 1
        made = await copying
    assert made.path == target
    assert made.size == target.stat().st_size
    assert made.schema_version == NEWEST
    assert portions[-1][0] == portions[-1][1] > 5
    assert files(target.parent) == {target.name}
    with closing(sqlite3.connect(target)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM version").fetchone()
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert 100 <= count <= number


async def test_a_restored_backup_is_the_repository_again(
    opener: Opener, path: Path
) -> None:
    async with opener() as repository:
        await repository.change(saving(1))
    made = await asyncio.to_thread(back_up, path, default_target(path, START))
    async with opener() as repository:
        await repository.change(saving(2))
    restored = await asyncio.to_thread(restore, made.path, path, START)
    assert restored.set_aside == path.with_name("server.db.replaced-20260921T141320Z")
    async with opener() as repository:
        assert repository.entity(guid(1)) is not None
        assert repository.entity(guid(2)) is None
        await repository.change(saving(3))
    assert await asyncio.to_thread(check, restored.set_aside) == NEWEST
    assert files(path.parent) == {
        "backups",
        "server.db",
        restored.set_aside.name,
    }


async def test_a_backup_is_restored_where_nothing_is(
    opener: Opener, path: Path, tmp_path: Path
) -> None:
    async with opener() as repository:
        await repository.change(saving(1))
    made = await asyncio.to_thread(back_up, path, tmp_path / "elsewhere" / "copy.db")
    removed(path)
    restored = await asyncio.to_thread(restore, made.path, path, START)
    assert restored.set_aside is None
    async with opener() as repository:
        assert repository.entity(guid(1)) is not None


def ruined(path: Path) -> Path:
    content = bytearray(path.read_bytes())
    content[4_096:8_192] = b"\x00" * 4_096
    path.write_bytes(content)
    return path


def emptied(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def removed(path: Path) -> Path:
    path.unlink()
    return path


@pytest.mark.parametrize("ruin", [ruined, emptied, removed])
async def test_an_unsound_backup_is_refused(
    opener: Opener, path: Path, ruin: Callable[[Path], Path]
) -> None:
    async with opener() as repository:
        for number in range(20):
            await repository.change(saving(number))
    made = await asyncio.to_thread(back_up, path, default_target(path, START))
    before = content(path)
    with pytest.raises(UnusableBackupError, match=str(made.path)):
        await asyncio.to_thread(restore, ruin(made.path), path, START)
    assert content(path) == before
    assert await asyncio.to_thread(newest_usable, path) is None


def test_another_program_s_file_is_no_backup(path: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.db"
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE something (a)")
    with pytest.raises(ForeignStoreError):
        restore(foreign, path, START)
    assert not path.exists()


async def test_what_cannot_be_copied_leaves_no_file(
    opener: Opener, path: Path, tmp_path: Path
) -> None:
    async with opener() as repository:
        await repository.change(saving(1))
    ruined(path)
    target = tmp_path / "backups" / "server.db"
    with pytest.raises((UnusableBackupError, sqlite3.DatabaseError)):
        await asyncio.to_thread(back_up, path, target)
    assert files(target.parent) == set()


async def test_the_newest_usable_backup_is_found(opener: Opener, path: Path) -> None:
    async with opener() as repository:
        await repository.change(saving(1))
    made = [
        await asyncio.to_thread(
            back_up, path, default_target(path, START + hours * 3_600_000)
        )
        for hours in range(3)
    ]
    assert await asyncio.to_thread(newest_usable, path) == made[2].path
    ruined(made[2].path)
    assert await asyncio.to_thread(newest_usable, path) == made[1].path
