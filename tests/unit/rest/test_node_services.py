"""The node's own services take nothing from strangers, and leave nothing behind."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from http.client import HTTPConnection
from pathlib import Path

import pytest
from aiohttp import web

from edgenode.config import load_config
from edgenode.node import running_node, store_path
from edgenode.repository import backup
from edgenode.rest import adapter, node_services
from edgenode.rest.streams import StreamOperation
from tests.wire.http import Client, Connection, request_text

BASE = "/edgenode/servers/pi"
ARCHIVE, BACKUPS = BASE + "/archive", BASE + "/backups"
EMPTY = {
    "class": "OpenMetadataArchive",
    "archiveProperties": {
        "class": "OpenMetadataArchiveProperties",
        "archiveGUID": "empty",
        "archiveName": "empty",
    },
}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return store_path(tmp_path, "pi")


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """Talks to a node with one server."""
    environment = {
        "EDGENODE_DATA_DIRECTORY": str(tmp_path),
        "EDGENODE_COHORT_MODE": "none",
        "EDGENODE_LISTEN": "127.0.0.1:0",
        "EDGENODE_SERVER_NAME": "pi",
    }
    async with running_node(load_config(None, environment)) as node:
        port = node.port
        yield Client(port)


async def told(client: Client, method: str, path: str, body: object = None) -> object:
    """The last of the lines that an operation tells."""

    def ask() -> bytes:
        connection = HTTPConnection("127.0.0.1", client.port)
        text = None if body is None else json.dumps(body).encode()
        connection.request(method, path, text)
        answer = connection.getresponse().read()
        connection.close()
        return answer

    return json.loads((await asyncio.to_thread(ask)).splitlines()[-1])


def left_in(store: Path) -> list[Path]:
    """What stays of what was passed on."""
    directory = store.parent / "transfers"
    return list(directory.iterdir()) if directory.exists() else []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://127.0.0.1"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ARCHIVE),
        ("POST", ARCHIVE),
        ("POST", BACKUPS),
        ("POST", BACKUPS + "/download"),
    ],
)
async def test_only_programs_on_this_machine_are_served(
    client: Client, store: Path, method: str, path: str, headers: Mapping[str, str]
) -> None:
    reply = await client.request(method, path, headers=headers)
    assert reply.status == 403
    assert "message" in reply.body
    assert not (store.parent / "backups").exists()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/edgenode/servers/other/archive", 404),
        ("POST", "/edgenode/servers/other/backups", 404),
        ("POST", "/edgenode/servers/..%2Fpi/backups", 404),
        ("POST", BACKUPS + "/%2Fetc%2Fpasswd", 404),
        ("GET", BACKUPS, 405),
        ("DELETE", ARCHIVE, 405),
        ("GET", ARCHIVE + "?kind=other", 400),
        ("POST", BACKUPS + "?keep=0", 400),
        ("POST", BACKUPS + "?keep=all", 400),
        ("POST", BACKUPS + "?ifChanged=perhaps", 400),
    ],
)
async def test_what_is_not_there_is_refused(
    client: Client, method: str, path: str, status: int
) -> None:
    assert (await client.request(method, path)).status == status


async def test_who_names_no_server_that_is_here_hears_of_those(client: Client) -> None:
    reply = await client.get("/edgenode/servers/other/archive")
    assert reply.body["mend"] == "name one of pi"


# What arrives


async def begun(connection: Connection, size: int, part: bytes) -> None:
    """Send the beginning of an archive."""
    head = request_text("POST", ARCHIVE, headers={"Content-Length": str(size)})
    await connection.send(head + part)


async def test_one_archive_is_loaded_at_a_time(client: Client, store: Path) -> None:
    async with client.connected() as slow:
        await begun(slow, 100, b"{")
        while not left_in(store):
            await client.get("/health/live")
        reply = await client.request("POST", ARCHIVE, b"{}")
        assert reply.status == 409
        assert reply.body["mend"].startswith("wait")
    # The slow one has gone: others get their turn, and what it sent has gone, too.
    answer = ""
    while "report" not in answer:
        answer = str(await told(client, "POST", ARCHIVE, EMPTY))
        assert "report" in answer or "another archive" in answer
    assert left_in(store) == []


async def test_an_archive_that_is_announced_too_large_is_refused_at_once(
    client: Client, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_services, "MAX_ARCHIVE_BYTES", 1_000)
    async with client.connected() as connection:
        await begun(connection, 1_001, b"")
        reply = await connection.reply()
        await connection.send(b"x" * 1_001)
    assert reply.status == 413
    assert left_in(store) == []


async def test_an_archive_that_grows_too_large_is_dropped(
    client: Client, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_services, "MAX_ARCHIVE_BYTES", 1_000)
    chunk = b"3e8\r\n" + b"x" * 1_000 + b"\r\n"
    async with client.connected() as connection:
        await connection.send(
            request_text("POST", ARCHIVE, headers={"Transfer-Encoding": "chunked"})
            + chunk * 2
            + b"0\r\n\r\n"
        )
        reply = await connection.reply()
    assert reply.status == 413
    assert left_in(store) == []


async def test_some_room_is_left_on_the_disk(
    client: Client, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (node_services, backup):
        monkeypatch.setattr(module, "LOW_DISK_BYTES", 2**62)
    reply = await client.request("POST", ARCHIVE, b"{}")
    assert reply.status == 507
    assert "edgenode doctor" in reply.body["mend"]
    reply = await client.request("POST", BACKUPS + "/download")
    assert reply.status == 507
    assert "room" in reply.body["message"]
    error = await told(client, "POST", BACKUPS)
    assert "could not be written" in str(error)
    assert list((store.parent / "backups").iterdir()) == []
    assert left_in(store) == []


async def test_what_is_no_archive_is_told(client: Client, store: Path) -> None:
    answer = await told(client, "POST", ARCHIVE, {"class": "Other"})
    assert "this is no open metadata archive" in str(answer)
    assert left_in(store) == []


async def test_what_a_crash_left_is_gone_after_the_start(
    tmp_path: Path, store: Path
) -> None:
    left = store.parent / "transfers" / "left"
    left.parent.mkdir(parents=True)
    left.touch()
    environment = {
        "EDGENODE_DATA_DIRECTORY": str(tmp_path),
        "EDGENODE_COHORT_MODE": "none",
        "EDGENODE_LISTEN": "127.0.0.1:0",
        "EDGENODE_SERVER_NAME": "pi",
    }
    async with running_node(load_config(None, environment)):
        assert left_in(store) == []


# What is given


async def test_backups_stay_where_they_are_looked_for(
    client: Client, store: Path
) -> None:
    answer = await told(client, "POST", BACKUPS + "?file=/tmp/other.db")
    assert isinstance(answer, dict)
    made = Path(answer["backup"]["file"])
    assert made.parent == store.parent / "backups"
    assert await asyncio.to_thread(backup.newest_usable, store) == made


async def test_calls_are_counted(client: Client) -> None:
    await told(client, "POST", ARCHIVE, {"class": "Other"})
    text = (await client.get("/metrics")).text.decode()
    assert 'operation="loadArchive"' in text


# Failing


async def fail_at_once(
    request: web.BaseRequest, path: dict[str, str]
) -> tuple[web.StreamResponse, bool]:
    raise RuntimeError("at once")


async def fail_midway(
    request: web.BaseRequest, path: dict[str, str]
) -> tuple[web.StreamResponse, bool]:
    response = web.StreamResponse()
    response.content_length = 100
    await response.prepare(request)
    await response.write(b"some of it")
    raise RuntimeError("midway")


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    operations = (
        StreamOperation("GET", "/at-once", "failAtOnce", fail_at_once),
        StreamOperation("GET", "/midway", "failMidway", fail_midway),
    )
    monkeypatch.setattr(adapter, "stream_operations", lambda *_: operations)


@pytest.mark.usefixtures("failing")
async def test_the_unexpected_is_logged_and_answered(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        assert (await client.get("/at-once")).status == 500
    assert "failAtOnce failed unexpectedly" in caplog.text


@pytest.mark.usefixtures("failing")
async def test_what_breaks_midway_is_seen_to_be_broken(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await client.get("/midway")
        assert (await client.get("/health/live")).status == 200
    assert "failMidway failed unexpectedly" in caplog.text
