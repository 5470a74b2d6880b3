"""Cohorts of any size in one process, in which nothing happens: what do nodes say?

Nodes, members and their protocol are the real ones. Time, the bus and the connections
between nodes are made up, and stores are empty ones in memory, so that an hour of a
hundred nodes passes in seconds.
"""

import asyncio
import heapq
import itertools
import tempfile
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from bench.harness import BenchError, Json
from edgenode.bus.base import Message
from edgenode.bus.memory import MemoryNetwork
from edgenode.codec.codec import Codec
from edgenode.codec.json import dumps
from edgenode.cohort.envelope import Header, TopicKind, Topics, wrap
from edgenode.cohort.member import CohortMember, MemberParts
from edgenode.cohort.model import Exchange, NodeInfo
from edgenode.cohort.node import CohortNode
from edgenode.cohort.peer import DialledPeer
from edgenode.cohort.service import PeerService
from edgenode.cohort.speech import Session
from edgenode.events.exchange import ExchangeRules
from edgenode.events.frames import HistoryFrame, StateFrame
from edgenode.events.registration import MemberRegistration
from edgenode.events.streams import Position, Sum
from edgenode.limits import BUS_KEEPALIVE_SECONDS
from edgenode.observability.audit_log import AuditLog
from edgenode.releases import SERVED
from edgenode.repository.base import MemberRow
from edgenode.repository.outbox import QueuedEvent
from edgenode.security.cohorts import ToldKey
from edgenode.security.trust import Trust
from edgenode.typedefs.registry import TypeRegistry

if TYPE_CHECKING:
    from edgenode.collection.local import LocalMetadataCollection
    from edgenode.repository.sqlite import SqliteRepository

T = TypeVar("T")

CODEC = Codec(SERVED)
TOPICS = Topics("edgenode/bench/00/")
KEY = b"k" * 32
PORT = 9444
TURNS = 8
STARTED_TOGETHER = 5
WEIGHED = 10
"""Of so many exchanges the size of one is looked at."""

SETTLING_SECONDS = 60
"""How long a cohort has to come together before it counts as idle."""


@dataclass(frozen=True, slots=True)
class IdleCohort:
    """What the nodes of an idle cohort sent, each in a minute.

    Attributes:
        nodes: How many there are.
        links: The brokers that a node subscribes to.
        bus: Messages on the bus, each time that one is sent to one subscriber.
        questions: Questions by HTTP, and their answers.
        keepalive: Packets that keep the links alive, where nothing else is sent.
        question_bytes: The size of the questions and answers as JSON.
    """

    nodes: int
    links: float
    bus: float
    questions: float
    keepalive: float
    question_bytes: float

    @property
    def messages(self) -> float:
        """All of it."""
        return self.bus + self.questions + self.keepalive

    def cells(self) -> tuple[str, ...]:
        """It in a table."""
        return (
            str(self.nodes),
            f"{self.links:.1f}",
            f"{self.bus:.2f}",
            f"{self.questions:.2f}",
            f"{self.keepalive:.2f}",
            f"{self.messages:.2f}",
            f"{self.question_bytes / 1000:.1f}",
        )

    def json(self) -> Json:
        """It as JSON."""
        return {
            "nodes": self.nodes,
            "links a node": self.links,
            "bus messages": self.bus,
            "questions and answers": self.questions,
            "keepalive": self.keepalive,
            "messages": self.messages,
            "question bytes": self.question_bytes,
        }


def idle_cohort(nodes: int, minutes: int) -> IdleCohort:
    """Let a cohort come together, and count what its nodes send from then on.

    Raises:
        BenchError: It doesn't come together.
    """
    return asyncio.run(_idle_cohort(nodes, minutes))


async def _idle_cohort(count: int, minutes: int) -> IdleCohort:
    world = _World()
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for number in range(count):
            node_id = f"{world.random.getrandbits(128):032x}"
            await _start(world, node_id, directory / str(number), stack)
            if number % STARTED_TOGETHER == 0:
                await world.second()
        for _ in range(SETTLING_SECONDS):
            await world.second()
        for node in world.nodes.values():
            if len(node.member.records()) != count:
                raise BenchError(f"of {count} nodes one knows {len(node.cohort.peers)}")
        world.sent, world.questions, world.question_bytes = 0, 0, 0
        for _ in range(60 * minutes):
            await world.second()
        per_node = count * minutes
        links = sum(
            statistics.links
            for node in world.nodes.values()
            if (statistics := node.cohort.bus_statistics()) is not None
        )
        return IdleCohort(
            nodes=count,
            links=links / count,
            bus=world.sent / per_node,
            # A question and its answer.
            questions=2 * world.questions / per_node,
            # The same of a sign of life.
            keepalive=2 * links / count * 60 / BUS_KEEPALIVE_SECONDS,
            question_bytes=world.question_bytes / per_node,
        )


# The world


class _Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self._seconds = 1_000_000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def now(self) -> int:
        """Milliseconds since some day."""
        return int(self._seconds * 1000)

    def monotonic(self) -> float:
        """Seconds."""
        return self._seconds

    async def sleep(self, seconds: float) -> None:
        """Wait until it was moved so far."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        due = self._seconds + seconds
        heapq.heappush(self._sleepers, (due, next(self._numbers), woken))
        await woken

    def advance(self, seconds: float) -> None:
        """Move it, and wake whoever waited for that."""
        self._seconds += seconds
        while self._sleepers and self._sleepers[0][0] <= self._seconds:
            woken = heapq.heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)


@dataclass(slots=True)
class _World:
    """All nodes, and what joins them."""

    random: Random = field(default_factory=lambda: Random(4))
    clock: _Clock = field(default_factory=_Clock)
    network: MemoryNetwork = field(default_factory=MemoryNetwork)
    nodes: "dict[str, _Node]" = field(default_factory=dict)
    sent: int = 0
    questions: int = 0
    question_bytes: int = 0

    async def second(self) -> None:
        """Let a second pass, and all that comes of it."""
        self.clock.advance(1.0)
        await self.settle()

    async def settle(self) -> None:
        """Let everything happen that can without time passing."""
        quiet = 0
        while quiet < 2:
            before = self.questions
            for _ in range(TURNS):
                await asyncio.sleep(0)
            messages = sum(1 for each in self.network.pending if each.message)
            self.sent += messages
            delivered = self.network.deliver_all()
            is_quiet = not delivered and before == self.questions
            quiet = quiet + 1 if is_quiet else 0


@dataclass(frozen=True, slots=True)
class _Node:
    cohort: CohortNode
    member: CohortMember
    service: PeerService


async def _start(
    world: _World, node_id: str, directory: Path, stack: AsyncExitStack
) -> None:
    """Start a node with a server, which finds one of those that are there."""
    collection_id = str(UUID(int=world.random.getrandbits(128), version=4))
    member = CohortMember(
        MemberParts(
            node_id=node_id,
            registration=MemberRegistration(
                metadata_collection_id=collection_id,
                metadata_collection_name=node_id,
                server_name=node_id,
                server_type="Metadata Access Store",
            ),
            # Neither is asked for anything while there are no instances.
            collection=cast("LocalMetadataCollection", None),
            repository=cast("SqliteRepository", _EmptyStore()),
            types=TypeRegistry(),
            codec=CODEC,
            rules=ExchangeRules(),
            audit_log=AuditLog(node_id, world.clock),
            clock=world.clock,
        )
    )
    run_id = f"{world.random.getrandbits(128):032x}"
    cohort = CohortNode(
        info=NodeInfo(
            node_id=node_id,
            run_id=run_id,
            revision=world.clock.now(),
            name=node_id,
            addresses=(node_id,),
            rest_port=PORT,
            bus_port=PORT + 1,
        ),
        members=[member],
        dialer=_Dialer(world, node_id),
        trust=await Trust.opened(directory / "removals.json"),
        codec=CODEC,
        clock=world.clock,
        random=Random(world.random.getrandbits(64)),
    )
    known = next(iter(world.nodes), None)
    world.nodes[node_id] = _Node(
        cohort, member, PeerService(cohort, {collection_id: member}, lambda: None)
    )
    lost = TOPICS.name(TopicKind.LOST, node_id)
    header = Header(node=node_id, run=run_id)
    will = Message(lost, wrap(KEY, lost, header, dumps({"lost": node_id})))
    session = Session(world.network.bus(node_id, will), TOPICS, KEY)
    tasks = [
        asyncio.create_task(cohort.run()),
        asyncio.create_task(cohort.use(session)),
    ]
    if known is not None:
        cohort.conversations.found([(known, PORT)])

    async def stop() -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    stack.push_async_callback(stop)


@dataclass(frozen=True, slots=True)
class _Dialer:
    world: _World
    own: str

    def peer(
        self, node_id: str | None, addresses: Sequence[tuple[str, int]]
    ) -> DialledPeer:
        """Another node, asked without a network in between."""
        return _Peer(self.world, self.own, node_id or addresses[0][0])


@dataclass(frozen=True, slots=True)
class _Peer:
    """Another node; each question to it is counted."""

    world: _World
    own: str
    other: str

    def _asked(self) -> PeerService:
        self.world.questions += 1
        return self.world.nodes[self.other].service

    @property
    def reached_at(self) -> str | None:
        """Where it is, which is called as it is."""
        return self.other

    async def key(self) -> ToldKey:
        """The key of the cohort."""
        return await self._asked().key(self.own)

    async def exchange(self, half: Exchange) -> Exchange:
        """Tell each other what is known."""
        theirs = await self._asked().exchange(self.own, half)
        if self.world.questions % WEIGHED == 0:
            # Halves never change, so they needn't be written for their own sake.
            for each in (half, theirs):
                text = dumps(CODEC.event_object(each))
                self.world.question_bytes += WEIGHED * len(text)
        return theirs

    def events(
        self, collection_id: str, after: Position
    ) -> AsyncIterator[HistoryFrame]:
        """Events behind a place."""
        return self._asked().events(self.own, collection_id, after)

    async def type_digest(self, collection_id: str) -> Mapping[str, int]:
        """What types there are."""
        return await self._asked().type_digest(self.own, collection_id)

    async def type_defs(self, collection_id: str, guids: Sequence[str]) -> list[bytes]:
        """Some of them."""
        return await self._asked().type_defs(self.own, collection_id, guids)

    async def owners(self, collection_id: str) -> Collection[str]:
        """Who owns something."""
        return await self._asked().owners(self.own, collection_id)

    async def group_sums(self, collection_id: str, owner: str) -> Mapping[str, Sum]:
        """Sums by group."""
        return await self._asked().group_sums(self.own, collection_id, owner)

    async def bucket_sums(
        self, collection_id: str, owner: str, group: str
    ) -> Mapping[int, Sum]:
        """Sums by bucket."""
        return await self._asked().bucket_sums(self.own, collection_id, owner, group)

    async def bucket_items(
        self, collection_id: str, owner: str, group: str, buckets: Sequence[int]
    ) -> Mapping[str, int]:
        """Digests."""
        return await self._asked().bucket_items(
            self.own, collection_id, owner, group, buckets
        )

    def states(
        self, collection_id: str, guids: Sequence[str]
    ) -> AsyncIterator[StateFrame]:
        """Instances."""
        return self._asked().states(self.own, collection_id, guids)


class _EmptyStore:
    """What the cohort asks of a store without any instance; remembers what it must."""

    def __init__(self) -> None:
        self._positions: dict[str, Position] = {}
        self._members: dict[str, MemberRow] = {}
        self._local: bytes | None = None

    async def change(self, work: Callable[[Any], T]) -> T:
        """Change something; only positions can be."""
        return work(self)

    def position(self, origin: str) -> Position | None:
        """How far an origin was followed."""
        return self._positions.get(origin)

    def move_to(self, origin: str, position: Position) -> None:
        """Remember how far an origin was followed."""
        self._positions[origin] = position

    def positions(self) -> Mapping[str, Position]:
        """The same of all."""
        return dict(self._positions)

    def members(self) -> list[MemberRow]:
        """The members that were saved."""
        return list(self._members.values())

    async def save_member(self, row: MemberRow) -> None:
        """Remember a member."""
        self._members[row.collection_id] = row

    async def remove_member(self, collection_id: str) -> None:
        """Forget a member."""
        self._members.pop(collection_id, None)

    def local_registration(self) -> bytes | None:
        """How the server is registered."""
        return self._local

    async def save_local_registration(self, document: bytes) -> None:
        """Remember how it is."""
        self._local = document

    def incarnation(self) -> str:
        """Which life this is."""
        return "1"

    def last_sequence(self) -> int:
        """There was no event."""
        return 0

    async def events_after(self, sequence: int, limit: int) -> list[QueuedEvent]:
        """None."""
        return []

    async def owners(self) -> Collection[str]:
        """Nobody owns anything."""
        return ()

    async def group_sums(self, owner: str) -> Mapping[str, Sum]:
        """None."""
        return {}

    async def bucket_sums(self, owner: str, group: str) -> Mapping[int, Sum]:
        """None."""
        return {}

    async def bucket_items(
        self, owner: str, group: str, buckets: Sequence[int]
    ) -> Mapping[str, int]:
        """None."""
        return {}
