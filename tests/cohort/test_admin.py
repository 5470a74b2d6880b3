"""What people on a node's machine ask about the cohort, and have done in it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from edgenode.cli.main import main
from edgenode.cli.outcome import ExitCode
from edgenode.clock import SystemClock
from edgenode.codec.json import dumps
from edgenode.cohort.model import Standing
from edgenode.errors import NodeRemovedError, OtherKeyError, PeerRefusedError
from edgenode.federation.members import FederationMembers
from edgenode.limits import (
    COPY_SHOWN_SECONDS,
    EXCHANGE_SECONDS,
    LOSS_TOLD_SECONDS,
    SKEW_TOLD_SECONDS,
)
from edgenode.node.admin import NodeAdmin
from edgenode.observability.audit_messages import (
    NODE_BACK,
    NODE_COPIED,
    NODE_LOST,
    NODE_READMITTED,
    NODE_REMOVED,
)
from edgenode.repository.backup import back_up, default_target, restore
from edgenode.rest.cohort_admin import admin_operations
from edgenode.security.directory import CohortDirectory
from edgenode.security.keyholder import KeyHolder
from tests.cohort.simulation import SimulatedNode, World
from tests.cohort.test_simulated import add_term
from tests.unit.security.samples import COHORT, NEXT_KEY
from tests.wire.http import Client
from tests.wire.serving import serving

HALL, ATTIC, CELLAR = ("ab" + digit * 30 for digit in "123")
BASE = "/edgenode/cohort/admin"


@dataclass
class House:
    """A cohort of three nodes, and the services of the first one."""

    world: World
    hall: SimulatedNode
    attic: SimulatedNode
    cellar: SimulatedNode
    client: Client
    admin: NodeAdmin

    async def members(self) -> dict[str, Any]:
        reply = await self.client.request("GET", f"{BASE}/members")
        assert reply.status == 200
        told = reply.body
        assert isinstance(told, dict)
        return told

    async def states(self) -> dict[str, str]:
        told = await self.members()
        return {each["nodeId"]: each["state"] for each in told["members"]}

    async def post(self, what: str, node: object, by: object = "erin") -> Any:
        body = dumps({"node": node, "by": by})
        return await self.client.request("POST", f"{BASE}/{what}", body)

    def recorded(self, message_id: str) -> list[str]:
        return [
            record.text
            for record in self.hall.audit_log.records()
            if record.message_id == message_id
        ]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    world = World(tmp_path, Random(3))  # noqa: S311
    async with AsyncExitStack() as stack:
        hall, attic, cellar = [
            await stack.enter_async_context(
                world.node(name, peers=() if name == HALL else [HALL])
            )
            for name in (HALL, ATTIC, CELLAR)
        ]
        await world.pass_time(3)
        async with served(hall, tmp_path) as (client, admin):
            yield House(world, hall, attic, cellar, client, admin)


@asynccontextmanager
async def served(
    node: SimulatedNode, path: Path
) -> AsyncIterator[tuple[Client, NodeAdmin]]:
    keys = await KeyHolder.opened(
        CohortDirectory(path), COHORT, node.trust.is_removed, SystemClock()
    )
    admin = NodeAdmin(
        keys,
        node.cohort,
        node.trust,
        {node.name: node.member},
        {node.name: FederationMembers(lambda registration: None, node.clock)},
        node.clock,
    )
    async with serving(SystemClock(), {}, admin_operations(admin)) as client:
        yield client, admin


async def test_a_restored_member_says_so_until_it_has_caught_up(tmp_path: Path) -> None:
    world = World(tmp_path, Random(3))  # noqa: S311
    store = tmp_path / HALL / "metadata.db"
    async with world.node(HALL), world.node(ATTIC, peers=[HALL]):
        await world.pass_time(3)
    await asyncio.to_thread(back_up, store, tmp_path / "copy.db")
    await asyncio.to_thread(restore, tmp_path / "copy.db", store, world.clock.now())
    async with world.node(HALL) as hall, served(hall, tmp_path) as (_, admin):
        own, _ = admin.members(None)["members"]
        assert own["trouble"] == "restored, not caught up yet"
        async with world.node(ATTIC, peers=[HALL]):
            await world.pass_time(90, step=5)
            own, _ = admin.members(None)["members"]
            assert "trouble" not in own


async def test_a_restored_member_goes_on_alone_with_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(tmp_path / "servers", Random(3))  # noqa: S311
    store = tmp_path / "servers" / HALL / "metadata.db"
    monkeypatch.setenv("EDGENODE_DATA_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("EDGENODE_SERVER_NAME", HALL)

    async def command(*arguments: str) -> tuple[int, str]:
        code = await asyncio.to_thread(main, ["restore", *arguments])
        return code, "".join(capsys.readouterr())

    async with world.node(HALL) as hall, world.node(ATTIC, peers=[HALL]):
        await world.pass_time(3)
        before = default_target(store, world.clock.now())
        await asyncio.to_thread(back_up, store, before)
        guid = (await add_term(hall, "newer")).guid
    code, told = await command("--alone")
    assert (code, "waits for no other" in told) == (ExitCode.REFUSED, True)
    newer = tmp_path / "newer.db"
    await asyncio.to_thread(back_up, store, newer)
    assert (await command(str(newer)))[0] == ExitCode.OK
    async with world.node(HALL) as hall:
        assert hall.member.is_put_back

    code, told = await command("--alone")
    assert (code, "nothing was restored" in told) == (ExitCode.OK, True)
    async with world.node(HALL) as hall:
        assert not hall.member.is_put_back
        assert hall.repository.entity(str(guid)) is not None, "newer than any backup"


async def test_members_as_a_server_sees_them(house: House) -> None:
    told = await house.members()
    assert (told["server"], told["nodeId"], told["removed"]) == (HALL, HALL, [])
    assert told["cohort"] == COHORT.key.name
    own, attic, cellar = told["members"]
    assert own["state"] == "this node"
    assert "lag" not in own
    assert {attic["state"], cellar["state"]} == {"alive"}
    assert (attic["nodeId"], attic["node"]) == (ATTIC, ATTIC)
    assert (attic["lag"], attic["trouble"], attic["isComparing"]) == (0, "", False)
    assert attic["metadataCollectionId"] == house.attic.id
    assert abs(attic["skew"]) < 0.01
    summary = house.admin.summary()
    states = {"alive": 2, "lost": 0, "silent": 0, "unknown": 0}
    assert (summary["members"], summary["worstLag"]) == (states, 0)
    assert summary["busLinks"] == 2
    reply = await house.client.request("GET", f"{BASE}/members?server=shed")
    assert reply.status == 409
    assert "no server shed" in reply.body["message"]


async def test_losses_are_told_and_recorded(house: House) -> None:
    house.world.network.part([HALL, CELLAR], [ATTIC])
    await house.world.pass_time(LOSS_TOLD_SECONDS + 5)
    assert await house.states() == {HALL: "this node", ATTIC: "lost", CELLAR: "alive"}
    assert house.admin.summary()["members"]["lost"] == 1
    (text,) = house.recorded(NODE_LOST.message_id)
    assert ATTIC in text
    assert house.recorded(NODE_BACK.message_id) == []
    house.world.network.join_all()
    await house.world.pass_time(3 * EXCHANGE_SECONDS)
    assert (await house.states())[ATTIC] == "alive"
    assert len(house.recorded(NODE_BACK.message_id)) == 1


async def test_a_node_is_removed_by_any_of_its_names_everywhere_at_once(
    house: House,
) -> None:
    for unclear in ("ab", "shed", HALL):
        reply = await house.post("remove", unclear)
        assert reply.status == 409
        assert reply.body["message"]
        assert reply.body["mend"]
    reply = await house.post("remove", ATTIC[:3])
    assert reply.body == {
        "nodeId": ATTIC,
        "node": ATTIC,
        "members": [ATTIC],
        "isKnown": True,
        "mode": "keyed",
        "toldNodes": 1,
    }
    await house.world.settle()
    assert await house.states() == {HALL: "this node", CELLAR: "alive"}
    (removed,) = (await house.members())["removed"]
    assert (removed["nodeId"], removed["by"]) == (ATTIC, "erin")
    assert removed["node"] == ATTIC
    assert house.cellar.trust.is_removed(ATTIC), "without waiting for an exchange"
    assert house.cellar.cohort.peers.get(ATTIC) is None
    (text,) = house.recorded(NODE_REMOVED.message_id)
    assert ATTIC in text
    assert "erin" in text

    assert (await house.post("readmit", CELLAR)).status == 409
    assert (await house.post("readmit", "ab2")).body["nodeId"] == ATTIC
    await house.world.settle()
    assert not house.cellar.trust.is_removed(ATTIC)
    assert (await house.members())["removed"] == []
    assert len(house.recorded(NODE_READMITTED.message_id)) == 1


@pytest.mark.parametrize(
    ("error", "reason", "mend"),
    [
        (
            NodeRemovedError(ATTIC),
            "this node was removed from the cohort",
            "readmit ab1",
        ),
        (OtherKeyError(ATTIC, "unknown ca"), "another key than this", "join TOKEN"),
        (PeerRefusedError(ATTIC, "a whim"), "a whim", "log"),
    ],
)
async def test_who_refuses_this_node_is_told_with_what_helps(
    house: House, error: PeerRefusedError, reason: str, mend: str
) -> None:
    house.world.refusing[ATTIC] = error
    house.hall.cohort.conversations.speak_with_all()
    await house.world.settle()
    told = {each["nodeId"]: each for each in (await house.members())["members"]}
    assert reason in told[ATTIC]["refusal"]["reason"]
    assert mend in told[ATTIC]["refusal"]["mend"]
    assert "refusal" not in told[CELLAR]
    (only,) = house.admin.summary()["refusals"]
    assert (only["nodes"], reason in only["reason"]) == (1, True)

    house.world.refusing.clear()
    house.hall.cohort.conversations.speak_with_all()
    await house.world.settle()
    assert house.admin.summary()["refusals"] == []


async def test_who_rotated_the_key_alone_is_not_told_to_take_the_old_one_back(
    house: House, tmp_path: Path
) -> None:
    house.world.refusing[ATTIC] = OtherKeyError(ATTIC, "unknown ca")
    house.hall.cohort.conversations.speak_with_all()
    await house.world.settle()
    (only,) = house.admin.summary()["refusals"]
    assert "on each that still has the old one, here or there" in only["mend"]

    directory = CohortDirectory(tmp_path)
    rotated = COHORT.rotated(NEXT_KEY, house.hall.clock.now(), 0)
    await asyncio.to_thread(directory.save, rotated)
    assert (await house.client.request("POST", f"{BASE}/reload", b"{}")).status == 200
    house.hall.cohort.conversations.speak_with_all()
    await house.world.settle()
    (only,) = house.admin.summary()["refusals"]
    assert "the others still have the old one" in only["reason"]
    assert "on each of them" in only["mend"]
    assert "here" not in only["mend"].partition("which")[0]


async def test_what_was_before_is_no_news_to_who_joins(house: House) -> None:
    await house.post("remove", ATTIC)
    await house.world.pass_time(3)
    async with house.world.node("study", peers=[HALL]) as study:
        await house.world.pass_time(3)
        assert study.trust.is_removed(ATTIC)
        await house.post("remove", CELLAR)
        await house.world.pass_time(3)
        assert study.trust.is_removed(CELLAR)
        (text,) = [
            record.text
            for record in study.audit_log.records()
            if record.message_id == NODE_REMOVED.message_id
        ]
        assert CELLAR in text


async def test_the_others_are_told_who_leaves(house: House) -> None:
    body = dumps({"cohort": "another"})
    refused = await house.client.request("POST", f"{BASE}/leave", body)
    assert refused.status == 409
    assert house.hall.member.standing is Standing.CONNECTED
    body = dumps({"cohort": COHORT.id})
    left = await house.client.request("POST", f"{BASE}/leave", body)
    assert left.body == {"others": 2, "toldNodes": 2}
    await house.world.pass_time(3)
    for other in (house.attic, house.cellar):
        record = other.member.records()[house.hall.id]
        assert not record.is_registered
    assert house.hall.member.records().keys() == {house.hall.id}


async def test_a_copied_card_is_told_on_other_machines(
    house: House, tmp_path: Path
) -> None:
    assert house.admin.summary()["copies"] == []
    async with house.world.node(
        "copy", peers=[HALL], node_id=ATTIC, collection_id=house.attic.id
    ):
        await house.world.pass_time(10 * EXCHANGE_SECONDS, step=EXCHANGE_SECONDS)
        (copy,) = house.admin.summary()["copies"]
        assert copy["nodeId"] == ATTIC
        assert copy["seconds"] < 10 * EXCHANGE_SECONDS
        assert "two machines" in copy["reason"]
        assert f"{ATTIC} at {ATTIC}, port 9444" in copy["reason"]
        assert "copy at copy, port 9444" in copy["reason"]
        assert "archive export" in copy["mend"]
        assert "remove its data directory" in copy["mend"]
        told = {each["nodeId"]: each for each in (await house.members())["members"]}
        assert told[ATTIC]["copy"] == {key: copy[key] for key in ("reason", "mend")}
        assert "copy" not in told[CELLAR]
        (text,) = house.recorded(NODE_COPIED.message_id)
        assert f"{ATTIC} at {ATTIC}, port 9444" in text
    house.world.clock.advance(COPY_SHOWN_SECONDS)
    assert house.admin.summary()["copies"] == [], "it is gone"


async def test_a_clock_that_is_far_off_is_told(house: House) -> None:
    assert house.admin.summary()["clocks"] == []
    async with house.world.node("shed", peers=[HALL], skew=-SKEW_TOLD_SECONDS - 2):
        await house.world.pass_time(3)
        (clock,) = house.admin.summary()["clocks"]
        assert (clock["nodeId"], round(clock["skew"])) == ("shed", -62)
        assert clock["reason"] == "its clock is 62 s behind this one's"
        told = {each["nodeId"]: each for each in (await house.members())["members"]}
        assert told["shed"]["clock"]["reason"] == clock["reason"]
        assert "clock" not in told[CELLAR]
    async with house.world.node("barn", peers=[HALL], skew=SKEW_TOLD_SECONDS - 2):
        await house.world.pass_time(3)
        assert house.admin.summary()["clocks"] == []


async def test_a_removed_node_is_let_in_again_by_its_name(house: House) -> None:
    info = house.attic.cohort.info
    named = replace(info, name="attic", revision=info.revision + 1)
    house.hall.cohort.peers.said(named)
    assert (await house.post("remove", "attic")).body["nodeId"] == ATTIC
    (removed,) = (await house.members())["removed"]
    assert removed["node"] == "attic"
    reply = await house.post("readmit", "attic")
    assert (reply.body["nodeId"], reply.body["node"]) == (ATTIC, "attic")
    assert (await house.members())["removed"] == []


async def test_a_node_that_nobody_has_heard_of_is_removed_by_its_whole_id(
    house: House,
) -> None:
    stranger = "c" * 32
    reply = await house.post("remove", stranger)
    assert (reply.body["nodeId"], reply.body["members"]) == (stranger, [])
    assert (reply.body["isKnown"], reply.body["mode"]) == (False, "keyed")
    assert house.hall.trust.is_removed(stranger)
    assert (await house.post("remove", stranger)).body["isKnown"], "it was removed"
    assert (await house.post("remove", CELLAR)).body["isKnown"]


@pytest.mark.parametrize(
    ("node", "by"), [("", "erin"), (7, "erin"), (ATTIC, None), (ATTIC, "er\nin")]
)
async def test_what_makes_no_sense_is_refused(
    house: House, node: object, by: object
) -> None:
    assert (await house.post("remove", node, by)).status == 400
    assert not house.hall.trust.removals()


async def test_it_is_for_this_machine_alone(house: House) -> None:
    headers = {"X-Forwarded-For": "192.168.1.7"}
    for method, path in (("GET", "members"), ("POST", "remove"), ("POST", "readmit")):
        reply = await house.client.request(
            method, f"{BASE}/{path}", b"{}", headers=headers
        )
        assert reply.status == 403
