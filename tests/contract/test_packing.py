"""Lists of instances as members give them to each other."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from edgenode.clock import SystemClock
from edgenode.codec.packed import PACKED_TYPE, read_documents
from tests.contract.cohorts import HOMES, LoopbackCaller, member, served
from tests.model.house import CODEC, remote_entity

ALDER, BIRCH, _ = HOMES
OURS, THEIRS = remote_entity("ours", home=ALDER), remote_entity("theirs", home=BIRCH)
FIND = b'{"class":"EntityFindRequest","sequencingOrder":"GUID"}'
BASE = f"/servers/{ALDER.name}/open-metadata/repository-services/users/erin/instances"


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[LoopbackCaller]:
    clock = SystemClock()
    async with member(ALDER, tmp_path / "alder.db", clock) as alder:
        await alder.has(OURS, THEIRS)
        async with served([alder], clock) as client:
            yield LoopbackCaller(client)


PACKED: Mapping[str, str] = {"Accept": f"{PACKED_TYPE}, application/json;q=0.9"}


async def test_members_get_lists_packed(caller: LoopbackCaller) -> None:
    _, headers, body = await caller.request("POST", f"{BASE}/entities", FIND, PACKED)
    assert headers["content-type"] == PACKED_TYPE
    assert [
        (row.guid, row.version, row.home_id, row.document)
        for row in read_documents(body)
    ] == [
        (each.guid, each.version, each.metadata_collection_id, CODEC.encode(each))
        for each in (OURS, THEIRS)
    ]


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("POST", "/entities", FIND, {}),
        ("POST", "/entities", FIND, {"Accept": "*/*"}),
        ("GET", "/entity/ours", None, PACKED),
        ("POST", "/entities/by-classification/None", FIND, PACKED),
        ("POST", "/entity/nobody/relationships", FIND, PACKED),
    ],
    ids=["nothing wanted", "all wanted", "no list", "wrong body", "a failure"],
)
async def test_all_else_is_json(
    caller: LoopbackCaller,
    method: str,
    path: str,
    body: bytes | None,
    headers: Mapping[str, str],
) -> None:
    _, told, _ = await caller.request(method, BASE + path, body, headers)
    assert told["content-type"] == "application/json"
