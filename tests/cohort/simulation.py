"""Whole nodes of a cohort in one process, over a network and a clock that tests move.

Only time, the bus and the connections between nodes are made up; stores, collections and
everything that the cohort does are the real ones.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

from edgenode.bus.base import Message
from edgenode.bus.memory import MemoryNetwork
from edgenode.codec.codec import Codec
from edgenode.codec.json import dumps
from edgenode.cohort.envelope import Header, TopicKind, Topics, wrap
from edgenode.cohort.guests import Guests
from edgenode.cohort.member import CohortMember, MemberParts
from edgenode.cohort.model import Exchange, NodeInfo
from edgenode.cohort.node import CohortNode
from edgenode.cohort.peer import DialledPeer
from edgenode.cohort.service import PeerService
from edgenode.cohort.speech import Session
from edgenode.collection.local import LocalMetadataCollection
from edgenode.collection.local_base import LocalCollectionParts
from edgenode.errors import PeerRefusedError, PeerUnavailableError, StoreFullError
from edgenode.events.exchange import ExchangeRules
from edgenode.events.frames import HistoryFrame, StateFrame
from edgenode.events.registration import MemberRegistration
from edgenode.events.streams import Position, Sum
from edgenode.federation.members import FederationMembers
from edgenode.instances.provenance import Home
from edgenode.kafka_cohort.member import KafkaCohortMember
from edgenode.limits import MAX_ADDRESSES_TRIED
from edgenode.node.bridge import Bridge
from edgenode.observability.audit_log import AuditLog
from edgenode.releases import SERVED
from edgenode.releases.shipped_types import load_release_types
from edgenode.repository.connections import Connect, connect
from edgenode.repository.sqlite import SqliteRepository
from edgenode.security.cohorts import ToldKey
from edgenode.security.trust import Trust
from edgenode.typedefs.registry import TypeRegistry
from tests.cohort.topics import (
    MemoryTopics,
    SimulatedPlatform,
    connection_at,
    holdings,
    kafka_member,
    wake,
)
from tests.unit.cohort.clocks import FakeClock

if TYPE_CHECKING:
    from edgenode.node.servers import Membership

CODEC = Codec(SERVED)
TOPICS = Topics("edgenode/test/00/")
BUS_KEY = b"k" * 32
PORT = 9444
TURNS = 30
NOWHERE = "nowhere"


@cache
def release_types() -> TypeRegistry:
    return load_release_types(SERVED)


@dataclass
class SkewedClock:
    """One node's clock: the common one, as wrong as it is."""

    common: FakeClock
    offset: float = 0.0

    def now(self) -> int:
        return self.common.now() + int(self.offset * 1000)

    def monotonic(self) -> float:
        return self.common.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self.common.sleep(seconds)


@dataclass
class World:
    """All nodes, and what joins them."""

    directory: Path
    random: Random
    clock: FakeClock = field(default_factory=FakeClock)
    network: MemoryNetwork = field(default_factory=MemoryNetwork)
    nodes: dict[str, "SimulatedNode"] = field(default_factory=dict)
    platforms: dict[str, SimulatedPlatform] = field(default_factory=dict)
    questions: int = 0
    refusing: dict[str, PeerRefusedError | PeerUnavailableError] = field(
        default_factory=dict
    )
    delay: float = 0.0
    """Seconds that the answer to an exchange takes."""

    def everybody(self) -> "list[SimulatedNode | SimulatedPlatform]":
        """The nodes, and the platforms of another cohort."""
        return [*self.nodes.values(), *self.platforms.values()]

    async def settle(self, *, deliver: bool = True) -> None:
        """Let everything happen that can without time passing."""
        while True:
            if deliver:
                self.network.deliver_all()
            for node in self.everybody():
                node.check()
            await asyncio.sleep(0)
            is_busy = any(node.is_busy for node in self.everybody())
            if not is_busy and not (deliver and self.network.pending):
                # What the stores answered is told in the next turns.
                before = self.activity()
                for node in self.everybody():
                    with suppress(StoreFullError):  # that is an answer, too
                        await node.repository.change(lambda tx: None)
                for _ in range(TURNS):
                    await asyncio.sleep(0)
                is_busy = any(node.is_busy for node in self.everybody())
                if not is_busy and self.activity() == before:
                    return
            elif is_busy:
                await asyncio.sleep(0.0005)  # threads of stores are at work

    def is_at(self, node_id: str, host: str) -> bool:
        """Whether a node, or its copy, runs at an address."""
        node = self.nodes.get(host)
        return node is not None and node.cohort.info.node_id == node_id

    def activity(self) -> tuple[object, ...]:
        return (
            self.questions,
            len(self.network.pending),
            *(
                (
                    name,
                    tuple(sorted(node.repository.positions().items())),
                    node.repository.last_sequence(),
                    tuple(node.member.records().values()),
                )
                for name, node in self.nodes.items()
            ),
            *(platform.activity() for platform in self.platforms.values()),
        )

    async def pass_time(self, seconds: float, step: float = 1.0) -> None:
        """Let time pass, and everything that comes of it."""
        left = seconds
        while left > 0:
            self.clock.advance(min(step, left))
            left -= step
            await self.settle()

    @asynccontextmanager
    async def node(self, name: str, **fields: Any) -> AsyncIterator["SimulatedNode"]:
        """A node that runs until the end of the block."""
        async with AsyncExitStack() as stack:
            node = await SimulatedNode.started(self, name, stack, **fields)
            self.nodes[name] = node
            try:
                yield node
            finally:
                self.nodes.pop(name, None)

    @asynccontextmanager
    async def platform(
        self, name: str, topics: MemoryTopics
    ) -> AsyncIterator[SimulatedPlatform]:
        """A server of another cohort that runs until the end of the block."""
        async with AsyncExitStack() as stack:
            platform = await SimulatedPlatform.started(
                self.directory, name, self.clock, topics, stack
            )
            self.platforms[name] = platform
            try:
                yield platform
            finally:
                self.platforms.pop(name, None)


@dataclass
class Dialer:
    """Joins a node to the others directly, as far as the network lets it."""

    world: World
    own: str
    node_id: str

    def peer(
        self, node_id: str | None, addresses: Sequence[tuple[str, int]]
    ) -> DialledPeer:
        hosts = [host for host, _ in addresses[:MAX_ADDRESSES_TRIED]]
        if node_id is not None:
            hosts = [host for host in hosts if self.world.is_at(node_id, host)]
        other = hosts[0] if hosts else NOWHERE
        return DirectPeer(self.world, self.own, self.node_id, other)


@dataclass
class DirectPeer:
    """Another node, asked without a network in between."""

    world: World
    own: str
    node_id: str
    other: str

    def _service(self) -> PeerService:
        self.world.questions += 1
        node = self.world.nodes.get(self.other)
        if node is None or not self.world.network.is_reachable(self.own, self.other):
            raise PeerUnavailableError(self.other, "it isn't reachable")
        if self.other in self.world.refusing:
            raise self.world.refusing[self.other]
        return node.service

    @property
    def reached_at(self) -> str | None:
        return self.other

    async def key(self) -> ToldKey:
        return await self._service().key(self.node_id)

    async def exchange(self, half: Exchange) -> Exchange:
        text = CODEC.event_object(half)
        answer = await self._service().exchange(
            self.node_id, CODEC.from_object(Exchange, text)
        )
        self.world.clock.advance(self.world.delay)
        return CODEC.from_object(Exchange, CODEC.event_object(answer))

    async def events(
        self, collection_id: str, after: Position
    ) -> AsyncIterator[HistoryFrame]:
        async for frame in self._service().events(self.node_id, collection_id, after):
            self._check()
            yield frame

    def _check(self) -> None:
        if not self.world.network.is_reachable(self.own, self.other):
            raise PeerUnavailableError(self.other, "it broke off")

    async def type_digest(self, collection_id: str) -> Mapping[str, int]:
        return await self._service().type_digest(self.node_id, collection_id)

    async def type_defs(self, collection_id: str, guids: Sequence[str]) -> list[bytes]:
        return await self._service().type_defs(self.node_id, collection_id, guids)

    async def owners(self, collection_id: str) -> Collection[str]:
        return await self._service().owners(self.node_id, collection_id)

    async def group_sums(self, collection_id: str, owner: str) -> Mapping[str, Sum]:
        return await self._service().group_sums(self.node_id, collection_id, owner)

    async def bucket_sums(
        self, collection_id: str, owner: str, group: str
    ) -> Mapping[int, Sum]:
        return await self._service().bucket_sums(
            self.node_id, collection_id, owner, group
        )

    async def bucket_items(
        self, collection_id: str, owner: str, group: str, buckets: Sequence[int]
    ) -> Mapping[str, int]:
        return await self._service().bucket_items(
            self.node_id, collection_id, owner, group, buckets
        )

    async def states(
        self, collection_id: str, guids: Sequence[str]
    ) -> AsyncIterator[StateFrame]:
        async for frame in self._service().states(self.node_id, collection_id, guids):
            self._check()
            yield frame


@dataclass
class SimulatedNode:
    """One node with one server."""

    name: str
    clock: SkewedClock
    repository: SqliteRepository
    collection: LocalMetadataCollection
    member: CohortMember
    cohort: CohortNode
    service: PeerService
    audit_log: AuditLog
    trust: Trust
    tasks: "list[asyncio.Task[None]]"
    kafka: KafkaCohortMember | None = None

    def check(self) -> None:
        """Make sure that all of it still runs."""
        for task in self.tasks:
            if task.done():
                task.result()

    @classmethod
    async def started(
        cls,
        world: World,
        name: str,
        stack: AsyncExitStack,
        *,
        peers: Sequence[str] = (),
        rules: ExchangeRules | None = None,
        skew: float = 0.0,
        collection_id: str | None = None,
        node_id: str | None = None,
        connect: Connect = connect,
        topics: MemoryTopics | None = None,
    ) -> "SimulatedNode":
        """``node_id`` is the name unless the node is a copy of another one.

        With ``topics`` it is a bridge to the cohort there.
        """
        node_id = node_id or name
        clock = SkewedClock(world.clock, skew)
        members: list[Membership] = []
        repository = await stack.enter_async_context(
            SqliteRepository.opened(
                world.directory / name / "metadata.db",
                CODEC,
                clock,
                name=name,
                keep_events=True,
                connect=connect,
                events_queued=lambda _: wake(members),
            )
        )
        new_id = str(UUID(int=world.random.getrandbits(128), version=4))
        collection_id = await repository.metadata_collection_id(collection_id or new_id)
        types = (await asyncio.to_thread(release_types)).copy()
        types.put(*repository.types())
        audit_log = AuditLog(name, clock)
        collection = LocalMetadataCollection(
            LocalCollectionParts(
                home=Home(collection_id, name),
                repository=repository,
                types=types,
                codec=CODEC,
                release=SERVED,
                clock=clock,
                random_uuid=lambda: str(
                    UUID(int=world.random.getrandbits(128), version=4)
                ),
                is_known_collection=lambda known: any(
                    each.is_known(known) for each in members
                ),
                is_put_back=lambda: any(each.is_put_back for each in members),
                passes_on=topics is not None,
            )
        )
        registration = MemberRegistration(
            metadata_collection_id=collection_id,
            metadata_collection_name=name,
            server_name=name,
            server_type="Metadata Access Store",
        )
        parts = MemberParts(
            node_id=node_id,
            registration=registration,
            collection=collection,
            repository=repository,
            types=types,
            codec=CODEC,
            rules=rules or ExchangeRules(),
            audit_log=audit_log,
            clock=clock,
        )
        member = CohortMember(parts)
        members.append(member)
        guests = Guests(parts, member, Random(name))  # noqa: S311
        run_id = f"run{world.random.getrandbits(32):x}"
        revision = clock.now()
        lost = TOPICS.name(TopicKind.LOST, node_id)
        header = Header(node=node_id, run=run_id)
        will = wrap(BUS_KEY, lost, header, dumps({"lost": node_id}))
        trust = await Trust.opened(world.directory / name / "removals.json")
        node = CohortNode(
            info=NodeInfo(
                node_id=node_id,
                run_id=run_id,
                revision=revision,
                name=name,
                addresses=(name,),
                rest_port=PORT,
                bus_port=PORT + 1,
            ),
            members=[member],
            dialer=Dialer(world, name, node_id),
            trust=trust,
            codec=CODEC,
            clock=clock,
            random=Random(world.random.getrandbits(64)),  # noqa: S311
            guests=guests,
        )
        service = PeerService(node, {collection_id: member}, lambda: None)
        bus = world.network.bus(name, Message(lost, will))
        session = Session(bus, TOPICS, BUS_KEY)
        kafka = bridge = None
        if topics is not None:
            kafka = await kafka_member(
                topics, name, clock, collection, repository, types, audit_log
            )
            members.append(kafka)
            bridge = Bridge(
                node_id=node_id,
                nodes=member,
                platforms=kafka,
                guests=guests,
                members=FederationMembers(lambda _: None, clock),
                for_nodes=connection_at(name),
                for_platforms=connection_at(name),
                clock=clock,
            )
            members.append(bridge)
            await bridge.begin()
        tasks = [
            asyncio.create_task(node.run(), name=f"node {name}"),
            asyncio.create_task(node.use(session), name=f"bus of {name}"),
        ]
        for peer in peers:
            node.conversations.found([(peer, PORT)])
        if kafka is not None and bridge is not None:
            tasks += [
                asyncio.create_task(kafka.run(), name=f"{name} on topics"),
                asyncio.create_task(bridge.run(), name=f"bridge {name}"),
            ]

        async def stop() -> None:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        stack.push_async_callback(stop)
        return cls(
            name,
            clock,
            repository,
            collection,
            member,
            node,
            service,
            audit_log,
            trust,
            tasks,
            kafka,
        )

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way that needn't wait for others."""
        return self.cohort.is_busy or (self.kafka is not None and self.kafka.is_busy)

    @property
    def id(self) -> str:
        return self.member.collection_id

    async def holdings(self) -> dict[str, tuple[str, str, str]]:
        """Everything stored, by GUID: kind, home and the document's text."""
        return await holdings(self.repository)
