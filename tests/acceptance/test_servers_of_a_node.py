"""Two servers of one node are members of its cohort like those of two nodes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from edgenode.config import load_config
from edgenode.node import running_node
from edgenode.node.cohort import NodeCohort
from tests.acceptance.test_rotation import HOST, until
from tests.model.house import CODEC, properties
from tests.wire.http import Client
from tests.wire.test_observability import TERM

NAMES = ("hall", "attic")
CONFIG = """
[node]
listen = "127.0.0.1:0"
data_directory = "{data}"
[[server]]
name = "hall"
[[server]]
name = "attic"
[cohort]
listen = "{host}:0"
bus_listen = "{host}:0"
discovery = false
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "edgenode.toml"
    path.write_text(CONFIG.format(data=tmp_path / "data", host=HOST), encoding="utf-8")
    return path


@asynccontextmanager
async def node_of(config: Path) -> AsyncIterator[tuple[Client, NodeCohort]]:
    loaded = await asyncio.to_thread(load_config, config)
    async with running_node(loaded) as node:
        assert node.cohort is not None
        yield Client(node.port), node.cohort


async def add_term(client: Client, server: str, name: str) -> str:
    request = {
        "class": "EntityCreateRequest",
        "entityTypeGUID": TERM,
        "initialProperties": CODEC.to_object(properties(qualifiedName=name)),
    }
    reply = await client.post(_base(server) + "/instances/entity", request)
    return str(reply.body["entity"]["guid"])


async def has(client: Client, server: str, guid: str) -> bool:
    reply = await client.get(f"{_base(server)}/instances/entity/{guid}")
    return bool(reply.body["relatedHTTPCode"] == 200)


def _base(server: str) -> str:
    return f"/servers/{server}/open-metadata/repository-services/users/erin"


def is_even(cohort: NodeCohort) -> bool:
    """Whether each server knows both, without a lag and without trouble."""
    told = [cohort.admin.members(name)["members"] for name in NAMES]
    return all(
        (len(members), each.get("lag", 0), each.get("trouble", ""))
        == (len(NAMES), 0, "")
        for members in told
        for each in members
    )


async def test_what_one_server_is_given_the_other_has(config: Path) -> None:
    async with node_of(config) as (client, cohort):
        await until(lambda: is_even(cohort))
        for server, other in (NAMES, NAMES[::-1]):
            for name in ("first", "second"):
                guid = await add_term(client, server, f"{name} of {server}")
                await until(partial(has, client, other, guid))
        assert is_even(cohort)
