"""Where other nodes are is known again after a restart."""

from pathlib import Path
from random import Random

import pytest

from edgenode.node.known_nodes import remembering
from tests.cohort.simulation import CODEC, World


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
