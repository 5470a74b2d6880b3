"""Whatever is killed under load has lost nothing that it acknowledged.

EDGENODE_KILLS sets how often a repository is killed, and a node a third as often.
"""

import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest

from edgenode.repository.recovery import FileCheck
from edgenode.repository.sqlite import SqliteRepository
from tests.acceptance.commands import SERVER, RunningNode, running
from tests.conftest import ROOT
from tests.model.house import type_guid
from tests.unit.repository.samples import CODEC, SetClock
from tests.wire.http import Client, Connection

KILLS = int(os.environ.get("EDGENODE_KILLS", "12"))
NODE_KILLS = max(1, KILLS // 3)
"""A node takes longer to start than a repository alone."""
SEED = 20_261_121
MOST_LINES = 1_500
"""The process is killed after so many acknowledgements at most."""
NUMBERS = 1_000_000
"""How many entities a process may store before the next one's numbers begin."""
BASE = f"/servers/{SERVER}/open-metadata/repository-services/users/me"
GONE = (ConnectionError, asyncio.IncompleteReadError)


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


# A whole node, over HTTP

CLIENTS = 8
MOST_ANSWERS = 400
GLOSSARY_TERM = type_guid("GlossaryTerm")
SYNONYM = type_guid("Synonym")


class Load:
    """Clients that change a node until it is gone, and what it has acknowledged."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, int] = {}
        self.relationships: set[str] = set()
        self.answers = 0

    async def until_killed(self, node: RunningNode, answers: int) -> None:
        """Load a node, and kill it after so many answers."""
        enough = self.answers + answers
        port = urlsplit(node.url).port
        assert port is not None

        async def client() -> None:
            async with Client(port).connected() as connection:
                last: str | None = None
                while True:
                    last = await self._changes(connection, last)
                    if self.answers >= enough:
                        node.process.kill()

        found = await asyncio.gather(
            *(client() for _ in range(CLIENTS)), return_exceptions=True
        )
        # The node being gone is all that ends a client.
        wrong = [each for each in found if not isinstance(each, GONE)]
        assert wrong == []

    async def _changes(self, connection: Connection, last: str | None) -> str:
        """Add a term, change it, and link it to the one before."""
        body = {
            "class": "EntityCreateRequest",
            "entityTypeGUID": GLOSSARY_TERM,
            "initialProperties": properties(f"term {self.answers}"),
            "initialStatus": "ACTIVE",
        }
        term = await self._change(connection, "entity", body)
        change = {
            "class": "InstancePropertiesRequest",
            "instanceProperties": properties(f"changed {self.answers}"),
        }
        await self._change(connection, f"entity/{term}/properties", change)
        if last is not None:
            link = {
                "class": "RelationshipCreateRequest",
                "relationshipTypeGUID": SYNONYM,
                "entityOneGUID": last,
                "entityTwoGUID": term,
                "initialStatus": "ACTIVE",
            }
            self.relationships.add(await self._change(connection, "relationship", link))
        return term

    async def _change(self, connection: Connection, path: str, body: Any) -> str:
        reply = await connection.request("POST", f"{BASE}/instances/{path}", body)
        told = reply.body
        assert told["relatedHTTPCode"] == 200, told
        changed = told.get("entity") or told["relationship"]
        self.acknowledged[changed["guid"]] = changed["version"]
        self.answers += 1
        return str(changed["guid"])


def properties(name: str) -> Any:
    value = {
        "class": "PrimitivePropertyValue",
        "instancePropertyCategory": "PRIMITIVE",
        "primitiveDefCategory": "OM_PRIMITIVE_TYPE_STRING",
        "primitiveValue": name,
    }
    return {
        "class": "InstanceProperties",
        "instanceProperties": {"qualifiedName": value},
    }


def test_a_node_that_is_killed_under_load_loses_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random = Random(SEED)  # noqa: S311 - repeatable, not secret
    load = Load()
    for _ in range(NODE_KILLS):
        with running(tmp_path / "data") as node:
            store = node.store
            answers = random.randrange(1, MOST_ANSWERS)
            asyncio.run(load.until_killed(node, answers))
            assert node.process.wait() == -9
        assert lost(store, load.acknowledged) == []
    with capsys.disabled():
        print(  # noqa: T201 - the counts are asked for
            f"\nkill -9 of a node: {NODE_KILLS} kills, "
            f"{load.answers} changes acknowledged, none lost"
        )
    with running(tmp_path / "data") as node:
        asyncio.run(ask_again(node, load))


async def ask_again(node: RunningNode, load: Load) -> None:
    """The node itself has everything."""
    port = urlsplit(node.url).port
    assert port is not None
    async with Client(port).connected() as connection:
        for guid, version in load.acknowledged.items():
            kind = "relationship" if guid in load.relationships else "entity"
            reply = await connection.request("GET", f"{BASE}/instances/{kind}/{guid}")
            assert reply.body[kind]["version"] >= version
        find = {
            "class": "EntityPropertyFindRequest",
            "typeGUID": GLOSSARY_TERM,
            "pageSize": 0,
        }
        reply = await connection.request(
            "POST", f"{BASE}/instances/entities/by-property", find
        )
        found = {each["guid"] for each in reply.body["entities"]}
        assert load.acknowledged.keys() - load.relationships <= found
