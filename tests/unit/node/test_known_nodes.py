"""Where other nodes are is known again after a restart."""

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from edgenode.codec.json import dumps, loads
from edgenode.cohort.model import NodeInfo
from edgenode.limits import MAX_KEPT_NODES_BYTES, MAX_NODES, MAX_TOLD_TEXT_LENGTH
from edgenode.node.known_nodes import remembering
from tests.cohort.simulation import CODEC, PORT, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, Random(7))  # noqa: S311


async def test_others_are_found_without_being_told_again(
    world: World, tmp_path: Path
) -> None:
    path = tmp_path / "nodes.json"
    async with world.node("a") as one:
        async with (
            world.node("b", peers=["a"]) as other,
            remembering(path, other.cohort, CODEC, world.clock),
        ):
            await world.settle()
        assert path.stat().st_mode & 0o077 == 0
        async with (
            world.node("b") as other,
            remembering(path, other.cohort, CODEC, world.clock),
        ):
            await world.settle()
            assert one.cohort.peers.get("b") is not None
            assert other.cohort.peers.get("a") is not None
            assert other.member.followers()[one.id].lag == 0


async def test_where_others_were_seen_is_not_kept(world: World, tmp_path: Path) -> None:
    path = tmp_path / "nodes.json"
    async with (
        world.node("a"),
        world.node("b", peers=["a"]) as other,
        remembering(path, other.cohort, CODEC, world.clock),
    ):
        await world.settle()
        other.cohort.peers.proven("a", "192.168.0.7")
        other.cohort.conversations.seen("a", [("192.168.0.8", PORT)])
    (kept,) = loads(path.read_bytes())
    assert kept["addresses"] == ["192.168.0.7", "a"]


@pytest.mark.parametrize("content", [b"", b"[{", b"{}", b'[{"nodeId":7}]', b"\xff"])
async def test_a_damaged_file_costs_nothing_else(
    world: World, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "nodes.json"
    path.write_bytes(content)
    async with world.node("a") as one:
        async with remembering(path, one.cohort, CODEC, world.clock):
            assert one.cohort.peers.all() == ()
        assert path.read_bytes() == b"[]"


async def test_what_can_be_no_node_is_passed_over(world: World, tmp_path: Path) -> None:
    path = tmp_path / "nodes.json"
    good = NodeInfo(node_id="b" * 32, run_id="r", revision=1)
    bad = replace(good, node_id="c" * 32, rest_port=70_000)
    told = [CODEC.event_object(each) for each in (bad, good)]
    path.write_bytes(dumps([{"nodeId": 7}, *told]))
    async with (
        world.node("a") as one,
        remembering(path, one.cohort, CODEC, world.clock),
    ):
        assert [peer.info for peer in one.cohort.peers.all()] == [good]


async def test_the_file_grows_no_larger_than_it_is_read(
    world: World, tmp_path: Path
) -> None:
    path = tmp_path / "nodes.json"
    wordy = NodeInfo(
        node_id="",
        run_id="r",
        revision=1,
        name="\x01" * MAX_TOLD_TEXT_LENGTH,
        addresses=tuple("a" * 60 + f".{'b' * 60}.{'c' * 60}.d{n}" for n in range(16)),
    )
    nodes = [replace(wordy, node_id=f"{n:032x}") for n in range(MAX_NODES)]
    async with world.node("a") as one:
        one.cohort.conversations.remember(nodes)
        async with remembering(path, one.cohort, CODEC, world.clock):
            pass
        assert len(one.cohort.peers) == MAX_NODES
    assert path.stat().st_size <= MAX_KEPT_NODES_BYTES
    async with (
        world.node("b") as other,
        remembering(path, other.cohort, CODEC, world.clock),
    ):
        assert len(other.cohort.peers) > 0
