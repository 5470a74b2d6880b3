"""A bridge between nodes and platforms: everybody knows of everybody, as from home."""

import json
from collections.abc import AsyncIterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    suppress,
)
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from edgenode.bus.topics import OmrsTopic
from edgenode.collection.base import ClassificationSource
from edgenode.connectors.repository import remote_connection
from edgenode.errors import EntityAlreadyClassifiedError, EntityNotKnownError
from edgenode.events import outbound
from edgenode.events.model import OMRSEventOriginator
from edgenode.events.registration import MemberRegistration
from edgenode.events.wrapping import EventBuilder, originator_of
from edgenode.instances.model import InstanceProvenanceType
from edgenode.instances.provenance import Home
from edgenode.limits import COMPARE_SECONDS, GUEST_SECONDS, MAX_TOLD_RECORD_BYTES
from edgenode.typedefs.model import EntityDef, TypeDefCategory, TypeDefLink
from tests.cohort.simulation import PORT, SimulatedNode, World
from tests.cohort.topics import MemoryTopics, SimulatedPlatform, connection_at
from tests.model.house import CODEC, START, properties, remote_entity, type_guid

USER = "erin"
PUMP = EntityDef(
    guid="11111111-2222-4333-8444-555555555555",
    name="Pump",
    version=1,
    version_name="1.0",
    category=TypeDefCategory.ENTITY_DEF,
    super_type=TypeDefLink(guid=type_guid("Asset"), name="Asset"),
)

GIVEN = {
    "hub": "Confidentiality",
    "mart": "Criticality",
    "a": "Retention",
    "d": "Impact",
}
"""Which classification each server gives: two of one name at once are another story."""

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
        await world.pass_time(GUEST_SECONDS + 1)
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
            await world.pass_time(GUEST_SECONDS + 1)
            assert await platform.holdings() == await edge.holdings()


async def test_platforms_are_told_of_what_a_node_had_of_an_archive(
    world: World,
) -> None:
    topics = MemoryTopics()
    packed = remote_entity(
        "packed",
        home=Home("archive-id", "pack"),
        instance_provenance_type=InstanceProvenanceType.CONTENT_PACK,
    )
    async with world.node("a") as edge:
        await edge.collection.save_archive_instances(USER, [packed])
        async with (
            world.platform("hub", topics) as platform,
            world.node("b", peers=["a"], topics=topics),
        ):
            await world.pass_time(GUEST_SECONDS + 1)
            assert await platform.holdings() == await edge.holdings() != {}


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
        await edge.collection.add_type_def(USER, PUMP)
        await world.settle()
        known = platform.collection.get_type_def_by_name(USER, "Pump")
        assert known.guid == PUMP.guid


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


async def test_nobody_else_speaks_for_a_node_among_platforms(world: World) -> None:
    topics = MemoryTopics()
    async with running(world, topics) as (bridge, edge, _):
        guid = await add_term(edge, "t")
        await world.settle()
        before = await bridge.holdings()
        known = edge.collection.get_entity_detail(USER, guid).value
        forged = replace(known, version=99, properties=properties(qualifiedName="x"))
        sender = OMRSEventOriginator(metadata_collection_id=edge.id)
        event = EventBuilder(sender).event(outbound.updated(known, forged), START)
        topics.put(OmrsTopic.INSTANCES, CODEC.encode_event(event))
        await world.settle()
        assert await bridge.holdings() == before == await edge.holdings()


# platforms among nodes


async def test_a_platform_is_a_member_among_nodes_by_its_own_name(world: World) -> None:
    async with running(world, MemoryTopics()) as (bridge, edge, platform):
        assert set(edge.member.records()) == {bridge.id, edge.id, platform.id}
        record = edge.member.records()[platform.id]
        told = record.registration
        assert record.node_id == "b"
        assert (told.server_name, told.metadata_collection_name) == ("hub", "hub")
        assert told.registration_time == platform.kafka.local.registration_time
        connection = told.repository_connection
        assert connection is not None
        assert connection.endpoint is not None
        assert connection.endpoint.address == f"https://b/servers/{platform.id}"
        assert edge.member.is_known(platform.id)


async def test_what_nodes_would_not_heed_of_a_platform_they_are_not_told(
    world: World,
) -> None:
    topics = MemoryTopics()
    async with world.node("b", topics=topics), world.node("a", peers=["b"]) as edge:
        usual = MemberRegistration(
            metadata_collection_id="mart-id",
            server_name="mart",
            registration_time=world.clock.now(),
            repository_connection=remote_connection("https://mart/servers/mart"),
        )
        large = replace(usual, server_name="x" * MAX_TOLD_RECORD_BYTES)
        told = []
        for registration in (large, usual, large):
            build = EventBuilder(originator_of(registration))
            event = build.registered(registration, world.clock.now(), again=True)
            topics.put(OmrsTopic.REGISTRATION, CODEC.encode_event(event), "mart")
            await world.pass_time(GUEST_SECONDS + 1)
            known = edge.member.records().get("mart-id")
            told.append(known and known.registration.server_name)
        assert told == [None, "mart", "mart"]


async def test_nodes_know_what_changes_at_a_platform(world: World) -> None:
    async with running(world, MemoryTopics()) as (bridge, edge, platform):
        guid = await add_term(platform, "t")
        await platform.collection.classify_entity(
            USER, guid, "Confidentiality", ClassificationSource(), None
        )
        await world.settle()
        assert (await edge.holdings())[guid] == (await platform.holdings())[guid]
        assert edge.member.followers()[platform.id].figures.copied == 0
        await purge_term(platform, guid)
        await world.settle()
        assert await edge.holdings() == await bridge.holdings() == {}


async def test_nodes_are_told_of_a_platform_that_had_something_before(
    world: World,
) -> None:
    topics = MemoryTopics()
    async with (
        world.platform("hub", topics) as platform,
        world.node("b", topics=topics),
    ):
        for number in range(30):
            await add_term(platform, f"t{number}")
        await world.pass_time(GUEST_SECONDS + 1)
        async with world.node("a", peers=["b"]) as edge:
            await world.settle()
            assert await edge.holdings() == await platform.holdings()


async def test_what_nodes_missed_of_a_platform_is_made_good(world: World) -> None:
    async with running(world, MemoryTopics()) as (_, edge, platform):
        gone = await add_term(platform, "gone")
        await world.settle()
        world.network.part(["a"], ["b"])
        kept = await add_term(platform, "kept")
        await purge_term(platform, gone)
        await world.pass_time(5)
        assert set(await edge.holdings()) == {gone}
        world.network.join_all()
        await world.pass_time(60)
        assert set(await edge.holdings()) == {kept}


async def test_types_of_a_platform_are_known_among_nodes(world: World) -> None:
    async with running(world, MemoryTopics()) as (_, edge, platform):
        await platform.collection.add_type_def(USER, PUMP)
        await world.settle()
        known = edge.collection.get_type_def_by_name(USER, "Pump")
        assert known.guid == PUMP.guid


async def test_a_platform_that_leaves_leaves_the_nodes(world: World) -> None:
    async with running(world, MemoryTopics()) as (_, edge, platform):
        guid = await add_term(platform, "t")
        await world.settle()
        await platform.kafka.unregister()
        await world.settle()
        assert not edge.member.records()[platform.id].is_registered
        assert set(await edge.holdings()) == {guid}


async def test_a_platform_that_is_forgotten_leaves_the_nodes(world: World) -> None:
    async with running(world, MemoryTopics()) as (bridge, edge, platform):
        assert bridge.kafka is not None
        await bridge.kafka.forget(platform.id)
        await world.settle()
        assert not edge.member.records()[platform.id].is_registered
        await platform.kafka.disconnect()
        await platform.kafka.connect()
        await world.pass_time(60)
        assert edge.member.records()[platform.id].is_registered


async def test_a_bridge_that_leaves_one_cohort_takes_its_members_along(
    world: World,
) -> None:
    async with running(world, MemoryTopics()) as (bridge, edge, platform):
        assert bridge.kafka is not None
        bridge.member.unregister()
        await world.settle()
        assert set(platform.kafka.remote) == {bridge.id}
        assert not edge.member.records()[platform.id].is_registered
        bridge.member.connect()
        await world.pass_time(60)
        assert set(platform.kafka.remote) == {bridge.id, edge.id}
        assert edge.member.records()[platform.id].is_registered
        await bridge.kafka.unregister()
        await world.settle()
        assert not platform.kafka.remote
        assert not edge.member.records()[platform.id].is_registered


async def test_while_a_bridge_takes_no_part_its_guests_dont(world: World) -> None:
    async with running(world, MemoryTopics()) as (bridge, edge, platform):
        bridge.member.disconnect()
        guid = await add_term(platform, "t")
        await world.settle()
        assert await edge.holdings() == {}
        assert edge.member.records()[platform.id].is_registered
        bridge.member.connect()
        await world.pass_time(60)
        assert set(await edge.holdings()) == {guid}


async def test_a_bridge_that_is_started_again_has_its_guests_at_once(
    world: World,
) -> None:
    topics = MemoryTopics()
    async with world.platform("hub", topics) as platform, world.node("a") as edge:
        async with world.node("b", peers=["a"], topics=topics):
            await world.pass_time(GUEST_SECONDS + 1)
            guid = await add_term(platform, "t")
            await world.settle()
        later = await add_term(platform, "later")
        async with world.node("b", peers=["a"], topics=topics):
            await world.settle()
            assert edge.member.records()[platform.id].is_registered
            assert set(await edge.holdings()) == {guid, later}
            assert edge.member.followers()[platform.id].figures.copied == 0


# two bridges


async def test_of_two_bridges_one_speaks_for_each_member(world: World) -> None:
    topics = MemoryTopics()
    async with (
        world.platform("hub", topics) as platform,
        world.node("a") as edge,
        world.node("b", peers=["a"], topics=topics) as one,
        world.node("c", peers=["a"], topics=topics) as other,
    ):
        await world.pass_time(120)
        assert one.kafka is not None
        assert other.kafka is not None
        assert set(platform.kafka.remote) == {one.id, other.id, edge.id}
        spoken_for = (*one.kafka.spoken_for, *other.kafka.spoken_for)
        assert spoken_for == (edge.id,)
        records = edge.member.records()
        assert set(records) == {one.id, other.id, edge.id, platform.id}
        assert [records[each.id].node_id for each in (one, other)] == ["b", "c"]
        guests = [node.cohort.guest(platform.id) for node in (one, other)]
        assert sum(guest is not None for guest in guests) == 1


async def test_two_bridges_that_register_a_node_at_once_agree(world: World) -> None:
    topics = MemoryTopics()
    async with (
        world.platform("hub", topics) as platform,
        world.node("b", topics=topics) as one,
        world.node("c", peers=["b"], topics=topics) as other,
    ):
        await world.pass_time(60)
        topics.cut_off |= {"b", "c"}  # neither hears of the other's registration
        async with world.node("a", peers=["b", "c"]) as edge:
            await world.pass_time(60)
            topics.cut_off.clear()
            topics.tell()
            await world.pass_time(60)
            assert one.kafka is not None
            assert other.kafka is not None
            assert set(one.kafka.spoken_for) == {edge.id}
            assert set(other.kafka.spoken_for) == set()
            told = platform.kafka.remote[edge.id].repository_connection
            assert told == connection_at("b")(edge.id)
            guid = await add_term(edge, "t")
            await world.settle()
            assert set(await platform.holdings()) == {guid}


async def test_two_bridges_that_bring_in_one_at_once_agree(world: World) -> None:
    topics = MemoryTopics()
    async with (
        world.platform("hub", topics) as platform,
        world.node("b", topics=topics) as one,
        world.node("c", topics=topics) as other,
        world.node("a") as edge,
    ):
        await world.pass_time(GUEST_SECONDS + 1)  # neither has met anybody
        guests = [node.cohort.guest(platform.id) for node in (one, other)]
        assert all(guests)
        for host in ("b", "c"):
            edge.cohort.conversations.found([(host, PORT)])
        await world.pass_time(120)
        assert one.cohort.guest(platform.id) is not None
        assert other.cohort.guest(platform.id) is None
        for node in (edge, other):
            record = node.member.records()[platform.id]
            assert (record.node_id, record.is_registered) == ("b", True)


async def test_another_bridge_takes_over_when_one_leaves(world: World) -> None:
    topics = MemoryTopics()
    async with (
        world.platform("hub", topics) as platform,
        world.node("a") as edge,
        world.node("b", peers=["a"], topics=topics) as one,
        world.node("c", peers=["a"], topics=topics) as other,
    ):
        await world.pass_time(120)
        guid = await add_term(edge, "t")
        theirs = await add_term(platform, "theirs")
        await world.settle()
        assert one.kafka is not None
        await one.kafka.unregister()
        one.member.unregister()
        await world.pass_time(120)
        assert set(platform.kafka.remote) == {other.id, edge.id}
        record = edge.member.records()[platform.id]
        assert (record.node_id, record.is_registered) == ("c", True)
        later = await add_term(platform, "later")
        latest = await add_term(edge, "latest")
        await world.settle()
        for server in (edge, platform):
            assert set(await server.holdings()) == {guid, theirs, later, latest}


async def test_who_leaves_is_brought_back_by_no_other_bridge(world: World) -> None:
    topics = MemoryTopics()
    async with (
        world.platform("hub", topics) as platform,
        world.platform("mart", topics) as other,
        world.node("a") as edge,
        world.node("d", peers=["a"]) as neighbour,
        world.node("b", peers=["a"], topics=topics) as one,
        world.node("c", peers=["a"], topics=topics) as another,
    ):
        await world.pass_time(120)
        # The bridge that doesn't speak for the node hears later that it is gone.
        assert one.kafka is not None
        topics.cut_off.add("c" if edge.id in one.kafka.spoken_for else "b")
        await platform.kafka.unregister()
        edge.member.unregister()
        await world.pass_time(60)
        assert not neighbour.member.records()[edge.id].is_registered
        topics.cut_off.clear()
        topics.tell()
        await world.pass_time(60)
        assert set(other.kafka.remote) == {one.id, another.id, neighbour.id}
        assert not neighbour.member.records()[platform.id].is_registered
    for bridge in ("b", "c"):
        events = map(CODEC.decode_event, topics.sent(OmrsTopic.REGISTRATION, bridge))
        told = {
            each.originator and each.originator.metadata_collection_id
            for each in events
        }
        assert platform.id not in told


async def test_a_node_that_comes_back_is_told_of_anew(world: World) -> None:
    async with running(world, MemoryTopics()) as (_, edge, platform):
        edge.member.unregister()
        await world.settle()
        guid = await add_term(edge, "meanwhile")
        edge.member.connect()
        await world.pass_time(60)
        assert set(await platform.holdings()) == {guid}


# all at once


@dataclass
class Fleet:
    """Servers that are stopped and started again, on the stores they had.

    Attributes:
        bridges: The names of those that are in both cohorts.
        running: The servers that run, by name.
    """

    world: World
    topics: MemoryTopics
    bridges: str
    running: dict[str, Server] = field(default_factory=dict)
    _stacks: dict[str, AsyncExitStack] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return ["hub", "mart", "a", "d", *self.bridges]

    @property
    def users(self) -> list[str]:
        """Where people change something, of those that run."""
        return [name for name in ("hub", "mart", "a", "d") if name in self.running]

    async def start(self) -> None:
        """Have all of them run."""
        for name in self.names:
            if name in self.running:
                continue
            stack = self._stacks[name] = AsyncExitStack()
            server: AbstractAsyncContextManager[Server]
            if name in {"hub", "mart"}:
                server = self.world.platform(name, self.topics)
            elif name in self.bridges:
                server = self.world.node(name, peers=["a"], topics=self.topics)
            else:
                server = self.world.node(name, peers=["a"] if name == "d" else [])
            self.running[name] = await stack.enter_async_context(server)

    async def stop(self, *names: str) -> None:
        """Have some of them stop."""
        for name in names:
            if self.running.pop(name, None) is not None:
                await self._stacks.pop(name).aclose()

    async def mend(self) -> None:
        """Have all of them run and reach each other."""
        await self.start()
        self.world.network.join_all()
        self.topics.cut_off.clear()
        self.topics.tell()


@pytest.mark.parametrize(
    ("seed", "bridges"), [(0, "b"), (1, "b"), (2, "b"), (0, "bc"), (1, "bc")]
)
async def test_all_hold_the_same_whatever_happens(
    tmp_path: Path, seed: int, bridges: str
) -> None:
    random = Random(seed)  # noqa: S311
    world, topics = World(tmp_path, random), MemoryTopics()
    fleet = Fleet(world, topics, bridges)
    await fleet.start()
    await world.pass_time(60)
    homes: dict[str, str] = {}
    for _ in range(60):
        await change_something(random, fleet, homes)
        await disturb(random, fleet)
    await fleet.mend()
    await world.pass_time(4 * COMPARE_SECONDS, step=20)
    wanted = await held(fleet.running["b"])
    assert set(homes) <= set(wanted)
    for name in fleet.users:
        assert await held(fleet.running[name]) == wanted, name
    for guid, home in homes.items():
        assert wanted[guid]["metadataCollectionId"] == fleet.running[home].id
    # Every change is told once, and all that was stored after some of the cuts.
    assert topics.count(OmrsTopic.INSTANCES) < 60 * 4 * len(bridges)
    before = topics.count(OmrsTopic.INSTANCES)
    await world.pass_time(4 * COMPARE_SECONDS, step=20)
    assert topics.count(OmrsTopic.INSTANCES) == before
    await fleet.stop(*reversed(fleet.names))


async def disturb(random: Random, fleet: Fleet) -> None:
    """Cut or mend a connection, stop or start servers, or let time pass."""
    match random.randrange(12):
        case 0:
            fleet.world.network.part(["b"], ["a", "d"])
        case 1:
            fleet.topics.cut_off.add("b")
        case 2:
            await fleet.mend()
        case 3:
            await fleet.stop(*fleet.bridges)
        case 4:
            await fleet.stop(random.choice(fleet.names))
        case 5 | 6:
            await fleet.world.pass_time(random.randrange(30))
        case 7:
            await fleet.start()
        case _:
            await fleet.world.settle()


async def held(server: Server) -> dict[str, Any]:
    """What a server holds; classifications are in no order, ends are shown otherwise."""
    found = {}
    for guid, (_, _, text) in (await server.holdings()).items():
        instance = found[guid] = json.loads(text)
        for end in ("entityOneProxy", "entityTwoProxy"):
            if end in instance:
                instance[end] = instance[end]["guid"]
        given = instance.pop("classifications", [])
        instance["given"] = {each["name"]: each for each in given}
    return found


async def change_something(random: Random, fleet: Fleet, homes: dict[str, str]) -> None:
    """Make an instance, change one at home, or classify one wherever it is known."""
    if not fleet.users:
        return
    here = {guid: home for guid, home in homes.items() if home in fleet.running}
    if not here or random.random() < 0.3:
        name = random.choice(fleet.users)
        guid = await add_term(fleet.running[name], f"t{len(homes)}")
        homes[guid] = name
        return
    guid = random.choice(list(here))
    home = fleet.running[here[guid]]
    match random.randrange(5):
        case 0:
            await purge_term(home, guid)
            del homes[guid]
        case 1 | 2:
            name = random.choice(fleet.users)
            with suppress(EntityNotKnownError, EntityAlreadyClassifiedError):
                await fleet.running[name].collection.classify_entity(
                    USER, guid, GIVEN[name], ClassificationSource(), None
                )
        case 3:
            other = random.choice(list(homes))
            with suppress(EntityNotKnownError):
                await home.collection.add_relationship(
                    USER, type_guid("RelatedTerm"), None, guid, other, None
                )
        case _:
            named = properties(qualifiedName=f"x{random.random()}")
            await home.collection.update_entity_properties(USER, guid, named)
