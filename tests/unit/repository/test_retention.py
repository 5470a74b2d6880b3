"""Backups that are made again and again: how many stay, and when none is made."""

import asyncio
import os
from pathlib import Path

import pytest

from edgenode.errors import EdgeNodeError
from edgenode.repository.backup import default_target, newest_usable
from edgenode.repository.retention import (
    BackupRules,
    OldBackupStaysError,
    save_among_backups,
)
from tests.unit.repository.conftest import Opener
from tests.unit.repository.samples import START, saving
from tests.unit.repository.test_backup import ruined

DAY = 86_400_000
IF_CHANGED = BackupRules(if_changed=True)


def backups(path: Path) -> list[str]:
    directory = path.parent / "backups"
    return sorted(each.name for each in directory.iterdir())


def name_of(path: Path, day: int) -> str:
    return default_target(path, START + day * DAY).name


@pytest.fixture
async def stored(opener: Opener, path: Path) -> Path:
    """The file of a repository that nobody uses."""
    async with opener() as repository:
        await repository.change(saving(1))
    return path


async def test_the_newest_stay(stored: Path) -> None:
    for day in range(5):
        await asyncio.to_thread(
            save_among_backups, stored, START + day * DAY, BackupRules(keep=3)
        )
    assert backups(stored) == [name_of(stored, day) for day in (2, 3, 4)]


async def test_without_a_number_all_stay(stored: Path) -> None:
    for day in range(3):
        await asyncio.to_thread(
            save_among_backups, stored, START + day * DAY, BackupRules()
        )
    assert len(backups(stored)) == 3


async def test_the_new_one_stays_whatever_the_clock_told_before(stored: Path) -> None:
    for day in (700, 800, 1):
        made = await asyncio.to_thread(
            save_among_backups, stored, START + day * DAY, BackupRules(keep=2)
        )
        assert made.path.name == name_of(stored, day)
    assert backups(stored) == [name_of(stored, day) for day in (1, 800)]


async def test_files_of_other_names_stay(stored: Path) -> None:
    directory = stored.parent / "backups"
    directory.mkdir()
    others = [
        f"{stored.stem}-before{stored.suffix}",
        f"{stored.stem}-20200101T000000Z{stored.suffix}.old",
        f"other-20200101T000000Z{stored.suffix}",
    ]
    for each in others:
        (directory / each).touch()
    await asyncio.to_thread(save_among_backups, stored, START, BackupRules(keep=1))
    assert set(others) < set(backups(stored))


async def test_nothing_is_copied_twice_and_every_change_is_copied(
    opener: Opener, path: Path
) -> None:
    def save(day: int) -> bool:
        return save_among_backups(path, START + day * DAY, IF_CHANGED).is_new

    async with opener() as repository:
        await repository.change(saving(1))
        assert await asyncio.to_thread(save, 0)
        assert not await asyncio.to_thread(save, 1)
        await repository.change(saving(2))
        assert await asyncio.to_thread(save, 2)
        assert not await asyncio.to_thread(save, 3)
    assert backups(path) == [name_of(path, 0), name_of(path, 2)]


async def test_the_one_that_is_as_good_as_new_is_told(stored: Path) -> None:
    first = await asyncio.to_thread(save_among_backups, stored, START, IF_CHANGED)
    again = await asyncio.to_thread(save_among_backups, stored, START + DAY, IF_CHANGED)
    assert first.is_new
    assert not again.is_new
    assert (again.path, again.size) == (first.path, first.size)
    assert again.schema_version == first.schema_version


async def test_one_that_is_not_sound_any_more_is_made_anew(stored: Path) -> None:
    first = await asyncio.to_thread(save_among_backups, stored, START, IF_CHANGED)
    times = first.path.stat()
    ruined(first.path)
    os.utime(first.path, ns=(times.st_atime_ns, times.st_mtime_ns))
    again = await asyncio.to_thread(save_among_backups, stored, START + DAY, IF_CHANGED)
    assert again.is_new
    assert await asyncio.to_thread(newest_usable, stored) == again.path


async def test_an_old_one_that_stays_is_told_when_the_new_one_is_there(
    stored: Path,
) -> None:
    # Nobody, root included, removes a directory as if it were a file.
    old = default_target(stored, START)
    old.mkdir(parents=True)
    with pytest.raises(OldBackupStaysError, match="is made, but") as raised:
        await asyncio.to_thread(
            save_among_backups, stored, START + DAY, BackupRules(keep=1)
        )
    assert raised.value.made.is_file()
    assert raised.value.old == old
    assert isinstance(raised.value, EdgeNodeError)
