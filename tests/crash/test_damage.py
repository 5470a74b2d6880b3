"""A damaged file is set aside and told of, and the node runs; its backup brings it back."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from edgenode.cli.doctor import store as looked_at
from edgenode.cli.findings import Verdict
from edgenode.clock import SystemClock
from edgenode.config import NodeConfig, load_config
from edgenode.node import running_node, store_path
from edgenode.repository import backup
from edgenode.repository.connections import PAGE_SIZE
from edgenode.repository.migrations import NewerStoreError, newest_version
from edgenode.repository.sqlite import SqliteRepository
from tests.crash.judge import faults
from tests.crash.workload import Client, expected, run
from tests.unit.repository.samples import (
    CODEC,
    SetClock,
    content,
    copy_as_after_a_crash,
    guid,
    saving,
)
from tests.wire import http

if TYPE_CHECKING:
    from tests.crash.recording import Noted

NEWEST = newest_version()
COUNT = 200
SEED = 20_261_121
BACKED_UP = 150
Ruin = Callable[[Path], None]


def overwritten(start: int, length: int, value: bytes = b"\xff") -> Ruin:
    def ruin(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(start)
            file.write(value * length)

    return ruin


def ruined_page(path: Path) -> None:
    """A page in the middle, with documents that nobody reads at the start."""
    place = path.read_bytes().index(b'"term 77 at version 1"')
    overwritten(place // PAGE_SIZE * PAGE_SIZE, PAGE_SIZE)(path)


def swapped_pages(path: Path) -> None:
    """Two pages in each other's place, each of them sound."""
    text = bytearray(path.read_bytes())
    one, two = (
        text.index(f'"term {number} at version 1"'.encode()) // PAGE_SIZE * PAGE_SIZE
        for number in (20, 120)
    )
    page = text[one : one + PAGE_SIZE]
    text[one : one + PAGE_SIZE] = text[two : two + PAGE_SIZE]
    text[two : two + PAGE_SIZE] = page
    path.write_bytes(text)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: -path.stat().st_size // 3])


def cut_off_between_pages(path: Path) -> None:
    pages = path.stat().st_size // PAGE_SIZE
    path.write_bytes(path.read_bytes()[: pages // 2 * PAGE_SIZE])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def something_else(path: Path) -> None:
    path.write_bytes(b"This was a database once. " * 1_000)


def replaced(path: Path, text: bytes) -> None:
    path.write_bytes(text)


def lost(path: Path) -> None:
    path.unlink()


def all_zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


RUINS = {
    "its first bytes": overwritten(0, 16),
    "its header": overwritten(0, 100),
    "its page size": overwritten(16, 2),
    "its schema": overwritten(100, 50),
    "all zeros": all_zeros,
    "a page": ruined_page,
    "swapped pages": swapped_pages,
    "cut off": cut_off,
    "cut off between pages": cut_off_between_pages,
    "empty": emptied,
    "something else": something_else,
}


@pytest.fixture
def config(tmp_path: Path) -> NodeConfig:
    return replace(
        load_config(
            None, {"EDGENODE_SERVER_NAME": "pi", "EDGENODE_COHORT_MODE": "none"}
        ),
        data_directory=tmp_path / "data",
        port=0,
    )


@pytest.fixture
def path(config: NodeConfig) -> Path:
    return store_path(config.data_directory, "pi")


async def fill(path: Path, first: int, count: int) -> None:
    async with SqliteRepository.opened(path, CODEC, SetClock(), name="pi") as opened:
        for number in range(first, count):
            await opened.change(saving(number))


@pytest.fixture
async def copy(path: Path) -> Path:
    """A backup of the file, which has changed since."""
    await fill(path, 0, BACKED_UP)
    target = backup.default_target(path, SystemClock().now())
    made = await asyncio.to_thread(backup.back_up, path, target)
    await fill(path, BACKED_UP, COUNT)
    return made.path


class Node:
    """A running node, over HTTP."""

    def __init__(self, port: int) -> None:
        self._client = http.Client(port)
        self._base = "/servers/pi/open-metadata/repository-services/users/me"

    async def known(self) -> int:
        """How many of the entities there are."""
        answers = [
            (
                await self._client.request(
                    "GET", f"{self._base}/instances/entity/{each}"
                )
            ).body
            for each in map(guid, range(COUNT))
        ]
        codes = [answer["relatedHTTPCode"] for answer in answers]
        assert set(codes) <= {200, 404}
        return codes.count(200)

    async def add_glossary(self) -> None:
        body = {
            "class": "EntityCreateRequest",
            "entityTypeGUID": "36f66863-9726-4b41-97ee-714fd0dc6fe4",
            "initialStatus": "ACTIVE",
        }
        reply = await self._client.request(
            "POST", f"{self._base}/instances/entity", body
        )
        assert reply.body["relatedHTTPCode"] == 200, reply.body

    async def file_check(self) -> tuple[int, dict[str, Any]]:
        """What the node's health says of the file."""
        reply = await self._client.request("GET", "/health/ready")
        checks = reply.body["servers"]["pi"]
        (found,) = (each for each in checks if each["check"] == "file")
        return reply.status, found


async def kept_aside(path: Path) -> list[Path]:
    return await asyncio.to_thread(backup.kept_aside, path, "corrupt")


@asynccontextmanager
async def node(config: NodeConfig) -> AsyncIterator[Node]:
    async with running_node(config) as node:
        port = node.port
        yield Node(port)


@pytest.mark.parametrize("ruin", RUINS.values(), ids=RUINS.keys())
async def test_a_damaged_file_is_set_aside_and_its_backup_offered(
    config: NodeConfig,
    path: Path,
    copy: Path,
    ruin: Ruin,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ruin(path)
    damaged = content(path)
    with caplog.at_level(logging.ERROR):
        async with node(config) as running:
            status, check = await running.file_check()
            assert await running.known() == 0
            await running.add_glossary()
    (aside,) = await kept_aside(path)
    assert content(aside) == damaged
    assert (status, check["ok"]) == (503, False)
    assert str(aside) in check["detail"]
    assert check["mend"] == f"edgenode restore {copy}"
    assert str(aside) in caplog.text
    assert str(copy) in caplog.text
    finding = await asyncio.to_thread(looked_at, path)
    assert finding.verdict is Verdict.WARN
    assert str(aside) in finding.found
    assert str(copy) in finding.mend
    await asyncio.to_thread(backup.restore, copy, path, SystemClock().now())
    async with node(config) as running:
        assert await running.known() == BACKED_UP
        assert (await running.file_check())[0] == 200


async def test_a_damaged_log_is_set_aside_and_the_file_used(
    config: NodeConfig, path: Path, copy: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = path.with_name(path.name + "-wal")
    random = Random(1)  # noqa: S311 - repeatable, not secret
    garbage = random.randbytes(50_000)
    log.write_bytes(garbage)
    with caplog.at_level(logging.ERROR):
        async with node(config) as running:
            status, check = await running.file_check()
            assert await running.known() == COUNT
            await running.add_glossary()
    (aside,) = await kept_aside(path)
    assert content(aside) == garbage
    assert status == 503
    assert "last changes" in check["mend"]
    assert str(aside) in check["detail"]
    assert str(aside) in caplog.text
    assert str(copy) in caplog.text


async def test_damage_within_the_log_is_told_and_what_is_before_is_used(
    config: NodeConfig, path: Path, copy: Path, tmp_path: Path
) -> None:
    notes: list[Noted] = []
    elsewhere = tmp_path / "first" / path.name
    async with SqliteRepository.opened(
        elsewhere, CODEC, SetClock(), name="pi", keep_events=True
    ) as opened:
        await run(opened, notes.append, clients=[Client(1, SEED)], rounds=40)
        crashed = copy_as_after_a_crash(elsewhere, tmp_path / "crashed")
    for part in ("", "-wal"):
        text = content(crashed.with_name(crashed.name + part))
        replaced(path.with_name(path.name + part), text)
    log = path.with_name(path.name + "-wal")
    overwritten(len(content(log)) // 2, 100)(log)
    damaged = content(log)
    async with node(config) as running:
        status, check = await running.file_check()
    (aside,) = await kept_aside(path)
    assert content(aside) == damaged
    assert status == 503
    assert "commits in its log are unreadable" in check["detail"]
    assert "last changes" in check["mend"]
    # What is there is whole changes, in their order, but not all.
    assert await asyncio.to_thread(faults, path, expected((), notes)) == []
    assert await asyncio.to_thread(faults, path, expected(notes)) != []
    async with node(config) as running:
        assert (await running.file_check())[0] == 200


async def test_a_file_that_is_lost_is_told_of_while_its_log_is_there(
    config: NodeConfig, path: Path, copy: Path
) -> None:
    log = path.with_name(path.name + "-wal")
    async with SqliteRepository.opened(path, CODEC, SetClock(), name="pi") as opened:
        await opened.change(saving(COUNT))
        kept = content(log)
    lost(path)
    log.write_bytes(kept)
    async with node(config) as running:
        status, check = await running.file_check()
    (aside,) = await kept_aside(path)
    assert content(aside) == kept
    assert status == 503
    assert check["mend"] == f"edgenode restore {copy}"


async def test_a_newer_file_is_refused_and_left_as_it_is(
    config: NodeConfig, path: Path, copy: Path
) -> None:
    overwritten(60, 1, (NEWEST + 1).to_bytes(4, "big"))(path)
    before = content(path)
    with pytest.raises(NewerStoreError, match=str(path)):
        async with node(config):
            pass
    assert content(path) == before
    assert await kept_aside(path) == []
    finding = await asyncio.to_thread(looked_at, path)
    assert finding.verdict is Verdict.OK


async def test_signs_of_damage_are_told_by_the_doctor(path: Path, copy: Path) -> None:
    path.with_name(path.name + ".suspect").touch()
    finding = await asyncio.to_thread(looked_at, path)
    assert finding.verdict is Verdict.FAIL
    assert str(path) in finding.found
    assert "start the node" in finding.mend
