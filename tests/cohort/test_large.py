"""A cohort in which not everybody hears everybody: messages are passed on."""

from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from edgenode.bus.base import Message
from edgenode.bus.memory import MemoryBus
from edgenode.codec.json import dumps
from edgenode.cohort.envelope import Header, TopicKind, wrap
from edgenode.cohort.model import NodeInfo
from edgenode.cohort.peers import PeerState
from edgenode.events.wrapping import EventBuilder, originator_of
from edgenode.limits import FULL_MESH_NODES
from tests.cohort.simulation import BUS_KEY, CODEC, TOPICS, SimulatedNode, World
from tests.cohort.test_simulated import add_term

COUNT = FULL_MESH_NODES + 4


async def together(world: World, stack: AsyncExitStack) -> list[SimulatedNode]:
    nodes: list[SimulatedNode] = []
    for number in range(COUNT):
        peers = ["n00"] if number else []
        node = world.node(f"n{number:02}", peers=peers)
        nodes.append(await stack.enter_async_context(node))
        await world.settle()
    await world.pass_time(60, step=5)
    return nodes


async def test_a_change_reaches_everybody_over_others(tmp_path: Path) -> None:
    world = World(tmp_path, Random(7))  # noqa: S311
    async with AsyncExitStack() as stack:
        nodes = await together(world, stack)
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
        nodes = await together(world, stack)
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


async def test_what_is_made_up_is_passed_on_but_stays_nowhere(tmp_path: Path) -> None:
    world = World(tmp_path, Random(7))  # noqa: S311
    async with AsyncExitStack() as stack:
        nodes = await together(world, stack)
        ids = {node.id for node in nodes}
        kept = [retained(node) for node in nodes]
        made_up = NodeInfo(node_id="f" * 32, run_id="r", revision=1)
        described = dumps({"info": CODEC.event_object(made_up)})
        registration = replace(
            nodes[0].member.registration, metadata_collection_id="made-up"
        )
        build = EventBuilder(originator_of(registration))
        registered = build.registered(registration, 0, again=False)
        for kind, about, body in (
            (TopicKind.NODE, made_up.node_id, described),
            (TopicKind.REGISTRATION, "made-up", CODEC.encode_event(registered)),
            # A member that there is; its own node's broker keeps what that says of it.
            (TopicKind.REGISTRATION, nodes[3].id, CODEC.encode_event(registered)),
        ):
            topic = TOPICS.name(kind, about)
            header = Header(node=made_up.node_id, run="r", revision=1)
            world.network.spread(
                "n00", Message(topic, wrap(BUS_KEY, topic, header, body))
            )
        await world.settle()
        assert all("made-up" in node.member.records() for node in nodes[1:])
        assert [retained(node) for node in nodes] == kept

        late = await stack.enter_async_context(world.node("late", peers=["n05"]))
        await world.pass_time(60, step=5)
        assert set(late.member.records()) == ids | {late.id}
        assert made_up.node_id not in late.cohort.peers


async def test_nothing_goes_round_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where more is under way than anybody remembers."""
    world = World(tmp_path, Random(7))  # noqa: S311
    async with AsyncExitStack() as stack:
        nodes = await together(world, stack)
        monkeypatch.setattr("edgenode.cohort.passing.MAX_REMEMBERED_MESSAGES", 20)
        asking = EventBuilder(originator_of(nodes[0].member.registration))
        body = CODEC.encode_event(asking.refresh_requested(0))
        for number in range(60):
            topic = TOPICS.name(TopicKind.REQUESTS, f"m{number}")
            payload = wrap(BUS_KEY, topic, Header(node="f" * 32, run="r"), body)
            world.network.spread("n00", Message(topic, payload))
        world.network.deliver_all(20_000)

        await world.pass_time(60, step=5)
        term = await add_term(nodes[3], "t")
        await world.settle()
        assert all(node.repository.entity(str(term.guid)) for node in nodes)


def retained(node: SimulatedNode) -> dict[str, bytes]:
    """What a node's broker keeps for who comes later."""
    session = node.cohort._speech.session
    assert session is not None
    assert isinstance(session.bus, MemoryBus)
    return {message.topic: message.payload for message in session.bus.retained}
