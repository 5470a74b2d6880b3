"""A bridge between nodes and platforms: everybody knows of everybody, as from home."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from edgenode.bus.topics import OmrsTopic
from edgenode.collection.base import ClassificationSource
from edgenode.typedefs.model import EntityDef, TypeDefCategory, TypeDefLink
from tests.cohort.simulation import SimulatedNode, World
from tests.cohort.topics import MemoryTopics, SimulatedPlatform
from tests.model.house import properties, type_guid

USER = "erin"

Server = SimulatedNode | SimulatedPlatform


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, Random(7))  # noqa: S311


async def add_term(server: Server, name: str) -> str:
    document = await server.collection.add_entity(
        USER, type_guid("GlossaryTerm"), properties(qualifiedName=name), None, None
    )
    return str(document.value.guid)


async def purge_term(server: Server, guid: str) -> None:
    term_type = type_guid("GlossaryTerm")
    collection = server.collection
    await collection.delete_entity(USER, term_type, "GlossaryTerm", guid)
    await collection.purge_entity(USER, term_type, "GlossaryTerm", guid)


@asynccontextmanager
async def running(
    world: World, topics: MemoryTopics
) -> AsyncIterator[tuple[SimulatedNode, SimulatedNode, SimulatedPlatform]]:
    """A bridge, an edge node, and a platform."""
    async with AsyncExitStack() as stack:
        platform = await stack.enter_async_context(world.platform("hub", topics))
        bridge = await stack.enter_async_context(world.node("b", topics=topics))
        edge = await stack.enter_async_context(world.node("a", peers=["b"]))
        await world.settle()
        yield bridge, edge, platform


async def test_a_node_is_a_member_among_platforms_by_its_own_name(world: World) -> None:
    async with running(world, MemoryTopics()) as (bridge, edge, platform):
        assert set(platform.kafka.remote) == {bridge.id, edge.id}
        told = platform.kafka.remote[edge.id]
        assert (told.server_name, told.metadata_collection_name) == ("a", "a")
        connection = told.repository_connection
        assert connection is not None
        assert connection.endpoint is not None
        assert connection.endpoint.address == f"https://b/servers/{edge.id}"


async def test_platforms_know_what_changes_at_a_node(world: World) -> None:
    async with running(world, MemoryTopics()) as (bridge, edge, platform):
        guid = await add_term(edge, "t")
        await edge.collection.classify_entity(
            USER, guid, "Confidentiality", ClassificationSource(), None
        )
        await world.settle()
        assert (await platform.holdings())[guid] == (await edge.holdings())[guid]
        await purge_term(edge, guid)
        await world.settle()
        assert await platform.holdings() == await bridge.holdings() == {}


async def test_platforms_are_told_of_a_node_that_had_something_before(
    world: World,
) -> None:
    topics = MemoryTopics()
    async with world.node("a") as edge:
        for number in range(30):
            await add_term(edge, f"t{number}")
        async with (
            world.platform("hub", topics) as platform,
            world.node("b", peers=["a"], topics=topics),
        ):
            await world.settle()
            assert await platform.holdings() == await edge.holdings()


async def test_what_was_missed_is_made_good_among_platforms(world: World) -> None:
    async with running(world, MemoryTopics()) as (_, edge, platform):
        world.network.part(["a"], ["b"])
        gone = await add_term(edge, "gone")
        kept = await add_term(edge, "kept")
        await purge_term(edge, gone)
        await world.settle()
        assert await platform.holdings() == {}
        world.network.join_all()
        await world.pass_time(60)
        assert set(await platform.holdings()) == {kept}


async def test_types_of_a_node_are_known_among_platforms(world: World) -> None:
    async with running(world, MemoryTopics()) as (_, edge, platform):
        added = EntityDef(
            guid="11111111-2222-4333-8444-555555555555",
            name="Pump",
            version=1,
            version_name="1.0",
            category=TypeDefCategory.ENTITY_DEF,
            super_type=TypeDefLink(
                guid=edge.collection.get_type_def_by_name(USER, "Asset").guid,
                name="Asset",
            ),
        )
        await edge.collection.add_type_def(USER, added)
        await world.settle()
        known = platform.collection.get_type_def_by_name(USER, "Pump")
        assert known.guid == added.guid


async def test_a_node_that_leaves_leaves_the_platforms(world: World) -> None:
    async with running(world, MemoryTopics()) as (bridge, edge, platform):
        edge.member.unregister()
        await world.settle()
        assert set(platform.kafka.remote) == {bridge.id}


async def test_nothing_is_told_again_after_a_restart(world: World) -> None:
    topics = MemoryTopics()
    async with world.platform("hub", topics), world.node("a") as edge:
        async with world.node("b", peers=["a"], topics=topics):
            await add_term(edge, "t")
            await world.pass_time(60)
        told = topics.count(OmrsTopic.INSTANCES)
        assert told
        async with world.node("b", peers=["a"], topics=topics) as bridge:
            await world.pass_time(60)
            assert bridge.kafka is not None
            assert set(bridge.kafka.spoken_for) == {edge.id}
        assert topics.count(OmrsTopic.INSTANCES) == told


async def test_who_is_no_bridge_passes_nothing_on(world: World) -> None:
    async with world.node("b") as one, world.node("a", peers=["b"]) as other:
        await world.settle()
        await add_term(other, "t")
        await world.settle()
        assert one.repository.last_sequence() == 0
