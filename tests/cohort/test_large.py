"""A cohort in which not everybody hears everybody: messages are passed on."""

from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

from edgenode.cohort.peers import PeerState
from edgenode.limits import FULL_MESH_NODES
from tests.cohort.simulation import SimulatedNode, World
from tests.cohort.test_simulated import add_term

COUNT = FULL_MESH_NODES + 4


async def test_a_change_reaches_everybody_over_others(tmp_path: Path) -> None:
    world = World(tmp_path, Random(7))  # noqa: S311
    async with AsyncExitStack() as stack:
        nodes: list[SimulatedNode] = []
        for number in range(COUNT):
            peers = ["n00"] if number else []
            node = world.node(f"n{number:02}", peers=peers)
            nodes.append(await stack.enter_async_context(node))
            await world.settle()
        await world.pass_time(60, step=5)
        ids = {node.id for node in nodes}
        assert all(set(node.member.records()) == ids for node in nodes)
        links = [world.network.count_links(node.name) for node in nodes]
        assert all(0 < to < COUNT - 1 for to, _ in links)

        term = await add_term(nodes[3], "t")
        await world.settle()
        assert all(node.repository.entity(str(term.guid)) for node in nodes)
        fetched = [
            follower.figures.fetched_events
            for node in nodes
            for follower in node.member.followers().values()
        ]
        assert sum(fetched) == 0  # the bus alone brought it


async def test_those_that_have_nothing_to_say_live(tmp_path: Path) -> None:
    """Nodes beyond the neighbours are spoken with now and then only."""
    world = World(tmp_path, Random(7))  # noqa: S311
    async with AsyncExitStack() as stack:
        nodes: list[SimulatedNode] = []
        for number in range(COUNT):
            peers = ["n00"] if number else []
            made = world.node(f"n{number:02}", peers=peers)
            nodes.append(await stack.enter_async_context(made))
        for _ in range(20):
            await world.pass_time(60, step=10)
            for node in nodes:
                states = {peer.state for peer in node.cohort.peers.all()}
                assert states == {PeerState.ALIVE}
        async with world.node("gone", peers=["n00"]):
            await world.pass_time(60, step=10)
        await world.pass_time(10)
        for node in nodes:
            gone = node.cohort.peers.get("gone")
            assert gone is not None
            assert gone.state is PeerState.LOST
