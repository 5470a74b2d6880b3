"""Going back to a version takes its copies of the stores, and loses nothing."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from deploy.raspberrypi.installer.stores import ChangedSinceError, bring_back
from edgenode.node import store_path
from edgenode.repository.base import Transaction
from edgenode.repository.migrations import newest_version
from edgenode.repository.sqlite import SqliteRepository
from tests.unit.repository.samples import CODEC, SetClock, guid, saving

KNOWN = newest_version()
SERVERS = ("attic", "hall")


class PowerCutError(Exception):
    """The machine is off."""


async def stored(path: Path, *changes: Callable[[Transaction], object]) -> None:
    """Change something, as a node does."""
    opened = SqliteRepository.opened(path, CODEC, SetClock(), name="pi")
    async with opened as repository:
        for change in changes:
            await repository.change(change)


def set_schema(path: Path, version: int) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")


def schema(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def copy_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.version-{KNOWN}")


@pytest.fixture
async def state(tmp_path: Path) -> Path:
    """Two servers whose stores a newer version has changed."""
    for server in SERVERS:
        path = store_path(tmp_path, server)
        await asyncio.to_thread(path.parent.mkdir, parents=True)
        await stored(path, saving(1), saving(2))
        await asyncio.to_thread(shutil.copyfile, path, copy_of(path))
        await asyncio.to_thread(set_schema, path, KNOWN + 1)
    return tmp_path


def files(state: Path) -> dict[str, bytes]:
    return {
        str(each.relative_to(state)): each.read_bytes()
        for each in sorted(state.rglob("metadata*"))
    }


async def test_the_copies_take_the_place_of_what_is_newer(state: Path) -> None:
    await asyncio.to_thread(bring_back, state, KNOWN)
    for server in SERVERS:
        path = store_path(state, server)
        assert await asyncio.to_thread(schema, path) == KNOWN
        aside = path.with_name(f"{path.name}.version-{KNOWN + 1}")
        assert await asyncio.to_thread(schema, aside) == KNOWN + 1
        assert not copy_of(path).exists()
        await stored(path, saving(3))


@pytest.mark.parametrize("done", range(len(SERVERS)))
async def test_a_power_cut_leaves_each_store_in_its_place(
    state: Path, done: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    renames = 0
    rename = Path.replace

    def renamed(path: Path, target: Path) -> Path:
        nonlocal renames
        if renames == done:
            raise PowerCutError
        renames += 1
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", renamed)
        with pytest.raises(PowerCutError):
            await asyncio.to_thread(bring_back, state, KNOWN)
    found = [
        await asyncio.to_thread(schema, path)
        for server in SERVERS
        if (path := store_path(state, server)).exists()
    ]
    assert found == [KNOWN] * done + [KNOWN + 1] * (len(SERVERS) - done)
    await asyncio.to_thread(bring_back, state, KNOWN)
    for server in SERVERS:
        path = store_path(state, server)
        aside = path.with_name(f"{path.name}.version-{KNOWN + 1}")
        assert await asyncio.to_thread(schema, path) == KNOWN
        assert await asyncio.to_thread(schema, aside) == KNOWN + 1


async def test_what_a_version_can_read_stays_as_it_is(state: Path) -> None:
    before = await asyncio.to_thread(files, state)
    await asyncio.to_thread(bring_back, state, KNOWN + 1)
    assert await asyncio.to_thread(files, state) == before


@pytest.mark.parametrize(
    "change",
    [saving(3), saving(1), lambda tx: tx.purge_entity(guid(1))],
    ids=["new", "changed", "purged"],
)
async def test_where_one_store_was_changed_since_none_is_brought_back(
    state: Path, change: Callable[[Transaction], object]
) -> None:
    path = store_path(state, SERVERS[1])
    await asyncio.to_thread(set_schema, path, KNOWN)
    await stored(path, change)
    await asyncio.to_thread(set_schema, path, KNOWN + 1)
    before = await asyncio.to_thread(files, state)
    with pytest.raises(ChangedSinceError, match="hall"):
        await asyncio.to_thread(bring_back, state, KNOWN)
    assert await asyncio.to_thread(files, state) == before


async def test_without_its_copy_a_store_is_not_brought_back(state: Path) -> None:
    await asyncio.to_thread(copy_of(store_path(state, SERVERS[0])).unlink)
    before = await asyncio.to_thread(files, state)
    with pytest.raises(ChangedSinceError, match="attic"):
        await asyncio.to_thread(bring_back, state, KNOWN)
    assert await asyncio.to_thread(files, state) == before
