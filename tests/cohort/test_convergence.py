"""Whatever happens to nodes and what is between them: in the end all hold the same.

Random histories of changes, partitions, lost, repeated and reordered messages, pauses,
restarts and wrong clocks, over whole nodes with real stores.
"""

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgenode.collection.base import ClassificationSource
from edgenode.errors import EdgeNodeError, OMRSError
from edgenode.instances.model import EntityDetail, Relationship
from tests.cohort.simulation import PORT, SimulatedNode, World
from tests.model.house import properties

USER = "erin"
NAMES = ("a", "b", "c", "d", "e")
CLASSIFICATION = "Confidentiality"


@dataclass
class Play:
    """A cohort, and what can happen to it; choices are made by numbers."""

    world: World
    count: int
    stacks: dict[str, AsyncExitStack] = field(default_factory=dict)
    nodes: dict[str, SimulatedNode] = field(default_factory=dict)
    skews: dict[str, float] = field(default_factory=dict)
    versions: dict[tuple[str, str], int] = field(default_factory=dict)
    accepted: int = 0
    refused: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        return NAMES[: self.count]

    async def start(self, name: str) -> None:
        stack = AsyncExitStack()
        peers = [each for each in self.names if each != name]
        self.nodes[name] = await stack.enter_async_context(
            self.world.node(name, peers=peers, skew=self.skews.get(name, 0.0))
        )
        self.stacks[name] = stack

    async def stop(self, name: str) -> None:
        self.nodes.pop(name, None)
        stack = self.stacks.pop(name, None)
        if stack is not None:
            await stack.aclose()

    async def close(self) -> None:
        for name in list(self.stacks):
            await self.stop(name)

    def node(self, choice: int) -> SimulatedNode | None:
        running = sorted(self.nodes)
        return self.nodes[running[choice % len(running)]] if running else None

    async def entities(self, node: SimulatedNode) -> list[EntityDetail]:
        newest = await node.repository.newest_state()
        found = await node.repository.states_until(EntityDetail, newest, "", 1000)
        return [document.value for document in found]

    async def relationships(self, node: SimulatedNode) -> list[Relationship]:
        newest = await node.repository.newest_state()
        found = await node.repository.states_until(Relationship, newest, "", 1000)
        return [document.value for document in found]

    # changes by users

    async def change(self, what: str, choice: int, other: int) -> None:
        node = self.node(choice)
        if node is None:
            return
        try:
            await _CHANGES[what](self, node, other)
            self.accepted += 1
        except OMRSError:
            self.refused += 1
        await self.check_versions()

    async def check_versions(self) -> None:
        """No version of an instance goes back at any node while it is held."""
        for node in self.nodes.values():
            held = {}
            for instance in [
                *await self.entities(node),
                *await self.relationships(node),
            ]:
                key = (node.name, str(instance.guid))
                held[key] = instance.version
                assert instance.version >= self.versions.get(key, 0), key
            self.versions = {
                key: version
                for key, version in self.versions.items()
                if key[0] != node.name
            } | held

    # what happens to the network

    async def part(self, choice: int, other: int) -> None:
        names = self.names
        one = {name for place, name in enumerate(names) if choice >> place & 1}
        self.world.network.part(one, set(names) - one)

    async def join(self, choice: int, other: int) -> None:
        self.world.network.join_all()

    async def some(self, choice: int, other: int) -> None:
        """Some of what is under way happens, in another order."""
        random = Random(choice)  # noqa: S311
        for _ in range(other % 8):
            count = len(self.world.network.pending)
            if not count:
                return
            index = random.randrange(count)
            fate = random.random()
            if fate < 0.2:
                self.world.network.lose(index)
            elif fate < 0.4:
                self.world.network.repeat(index)
            else:
                self.world.network.deliver(index)
        await self.world.settle(deliver=False)

    async def pause(self, choice: int, other: int) -> None:
        self.world.network.pause(self.names[choice % self.count])

    async def resume(self, choice: int, other: int) -> None:
        self.world.network.resume(self.names[choice % self.count])

    async def restart(self, choice: int, other: int) -> None:
        name = self.names[choice % self.count]
        self.skews[name] = (other % 5 - 2) * 1800.0
        await self.stop(name)
        await self.start(name)

    async def halt(self, choice: int, other: int) -> None:
        await self.stop(self.names[choice % self.count])

    async def wait(self, choice: int, other: int) -> None:
        await self.world.pass_time(1.0 + choice % 30, step=5.0)

    async def settle(self, choice: int, other: int) -> None:
        await self.world.settle()

    # the end

    async def heal(self) -> None:
        self.world.network.join_all()
        for name in self.names:
            if name not in self.nodes:
                await self.start(name)
        for name, node in self.nodes.items():
            for other in self.names:  # as a node does every while
                if other != name:
                    node.cohort.conversations.found([(other, PORT)])
        await self.world.pass_time(150, step=5.0)
        for node in self.nodes.values():
            for follower in node.member.followers().values():
                follower.compare()  # as happens every while
        await self.world.settle()

    async def check_equal(self) -> None:
        held = {name: await node.holdings() for name, node in self.nodes.items()}
        first = held[self.names[0]]
        for name in self.names[1:]:
            missing = set(first.keys() ^ held[name].keys())
            assert not missing, f"{name} differs by {missing}"
            for guid, state in held[name].items():
                assert _seen(state) == _seen(first[guid]), f"{name}: {guid}"


def _seen(state: tuple[str, str, str]) -> object:
    """A state without the proxies in it: readers get those as the ends are now."""
    document = json.loads(state[2])
    for end in ("entityOneProxy", "entityTwoProxy"):
        if end in document:
            document[end] = document[end]["guid"]
    return document


def _pick(found: list, choice: int) -> object | None:  # type: ignore[type-arg]
    return found[choice % len(found)] if found else None


async def _add(play: Play, node: SimulatedNode, choice: int) -> None:
    term = str(node.collection.get_type_def_by_name(USER, "GlossaryTerm").guid)
    await node.collection.add_entity(
        USER, term, properties(qualifiedName=f"t{choice}"), None, None
    )


async def _link(play: Play, node: SimulatedNode, choice: int) -> None:
    entities = [e for e in await play.entities(node) if e.status_on_delete is None]
    one, other = _pick(entities, choice), _pick(entities, choice // 3)
    if isinstance(one, EntityDetail) and isinstance(other, EntityDetail):
        link = str(node.collection.get_type_def_by_name(USER, "RelatedTerm").guid)
        await node.collection.add_relationship(
            USER, link, properties(description="x"), one.guid, other.guid, None
        )


async def _update(play: Play, node: SimulatedNode, choice: int) -> None:
    entity = _pick(await play.entities(node), choice)
    if isinstance(entity, EntityDetail):
        is_home = entity.metadata_collection_id == node.id
        await node.collection.update_entity_properties(
            USER, str(entity.guid), properties(qualifiedName=f"u{choice}")
        )
        assert is_home, "a change was accepted away from home"


async def _delete(play: Play, node: SimulatedNode, choice: int) -> None:
    entity = _pick(await play.entities(node), choice)
    if isinstance(entity, EntityDetail) and entity.type is not None:
        await node.collection.delete_entity(
            USER, entity.type.type_def_guid, entity.type.type_def_name, str(entity.guid)
        )


async def _restore(play: Play, node: SimulatedNode, choice: int) -> None:
    entities = [e for e in await play.entities(node) if e.status_on_delete is not None]
    entity = _pick(entities, choice)
    if isinstance(entity, EntityDetail):
        await node.collection.restore_entity(USER, str(entity.guid))


async def _purge(play: Play, node: SimulatedNode, choice: int) -> None:
    entities = [e for e in await play.entities(node) if e.status_on_delete is not None]
    entity = _pick(entities, choice)
    if isinstance(entity, EntityDetail) and entity.type is not None:
        await node.collection.purge_entity(
            USER, entity.type.type_def_guid, entity.type.type_def_name, str(entity.guid)
        )


async def _classify(play: Play, node: SimulatedNode, choice: int) -> None:
    entity = _pick(await play.entities(node), choice)
    if isinstance(entity, EntityDetail):
        await node.collection.classify_entity(
            USER, str(entity.guid), CLASSIFICATION, ClassificationSource(), None
        )


async def _declassify(play: Play, node: SimulatedNode, choice: int) -> None:
    entities = [e for e in await play.entities(node) if e.classifications]
    entity = _pick(entities, choice)
    if isinstance(entity, EntityDetail):
        await node.collection.declassify_entity(USER, str(entity.guid), CLASSIFICATION)


async def _unlink(play: Play, node: SimulatedNode, choice: int) -> None:
    found = _pick(await play.relationships(node), choice)
    if isinstance(found, Relationship) and found.type is not None:
        await node.collection.delete_relationship(
            USER, found.type.type_def_guid, found.type.type_def_name, str(found.guid)
        )


_CHANGES: dict[str, Callable[[Play, SimulatedNode, int], Awaitable[None]]] = {
    "add": _add,
    "link": _link,
    "update": _update,
    "delete": _delete,
    "restore": _restore,
    "purge": _purge,
    "classify": _classify,
    "declassify": _declassify,
    "unlink": _unlink,
}
_EVENTS = (
    "part",
    "join",
    "some",
    "pause",
    "resume",
    "restart",
    "halt",
    "wait",
    "settle",
)

numbers = st.integers(0, 1000)
steps = st.one_of(
    st.tuples(st.sampled_from(sorted(_CHANGES)), numbers, numbers),
    st.tuples(st.just("add"), numbers, numbers),
    st.tuples(st.just("some"), numbers, numbers),
    st.tuples(st.sampled_from(_EVENTS), numbers, numbers),
)


async def play_out(count: int, plan: list[tuple[str, int, int]], seed: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        world = World(Path(directory), Random(seed))  # noqa: S311
        play = Play(world, count)
        try:
            for name in play.names:
                await play.start(name)
            await world.settle()
            for what, choice, other in plan:
                if what in _CHANGES:
                    await play.change(what, choice, other)
                else:
                    await getattr(play, what)(choice, other)
            await play.heal()
            await play.check_equal()
        except EdgeNodeError as error:
            raise AssertionError(str(error)) from error
        finally:
            await play.close()


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.integers(3, 5), st.lists(steps, max_size=40), st.integers(0, 99))
def test_all_hold_the_same_in_the_end(
    count: int, plan: list[tuple[str, int, int]], seed: int
) -> None:
    asyncio.run(play_out(count, plan, seed))
