"""Topics of a cohort of platforms in memory, and the servers that meet on them."""

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Mapping,
    Sequence,
)
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from edgenode.bus.topics import (
    Batch,
    BusUnavailableError,
    OmrsTopic,
    Partition,
    Position,
    Record,
    TopicsListener,
    TopicsStatistics,
)
from edgenode.clock import Clock
from edgenode.collection.local import LocalMetadataCollection
from edgenode.collection.local_base import LocalCollectionParts
from edgenode.connectors.connection import Connection
from edgenode.connectors.repository import remote_connection
from edgenode.events.exchange import ExchangeRules
from edgenode.events.registration import MemberRegistration
from edgenode.instances.model import EntityDetail, Relationship
from edgenode.instances.provenance import Home
from edgenode.kafka_cohort.member import KafkaCohortMember, KafkaMemberParts
from edgenode.kafka_cohort.receiver import AskTypes
from edgenode.node.servers import Membership
from edgenode.observability.audit_log import AuditLog
from edgenode.releases import SERVED
from edgenode.repository.sqlite import SqliteRepository
from edgenode.typedefs.model import TypeDef
from edgenode.typedefs.registry import TypeRegistry
from tests.model.house import CODEC
from tests.unit.collection.members import SHIPPED

KINDS: Mapping[str, OmrsTopic] = {kind.value: kind for kind in OmrsTopic}


@dataclass
class MemoryTopics:
    """What is on the topics, one partition each; one order of all for simplicity's sake.

    Attributes:
        log: Every record, with its sender.
        cut_off: Who doesn't reach the brokers.
    """

    log: list[tuple[str, Record]] = field(default_factory=list)
    cut_off: set[str] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self) -> None:
        """There is something new, or somebody is cut off or back."""
        self.changed.set()
        self.changed = asyncio.Event()

    def count(self, kind: OmrsTopic) -> int:
        """How many records of a kind there are."""
        return sum(record.partition.topic == kind for _, record in self.log)

    @asynccontextmanager
    async def opened(
        self, server_id: str, positions: Sequence[Position], listener: TopicsListener
    ) -> AsyncIterator["MemoryCohortTopics"]:
        """One member's part in them; see ``kafka_cohort.member.OpenTopics``."""
        next_offset = max([0, *(each.offset for each in positions)])
        if not positions:
            next_offset = len(self.log)
        yield MemoryCohortTopics(self, server_id, next_offset, listener)

    def put(self, topic: OmrsTopic, event: bytes, sender: str = "somebody") -> None:
        """Send as any program may."""
        at = Partition(topic.value, 0)
        record = Record(at, len(self.log), sender.encode(), event)
        self.log.append((sender, record))
        self.tell()

    def sent(self, topic: OmrsTopic, sender: str) -> list[bytes]:
        """What somebody has sent so far."""
        return [
            record.value
            for key, record in self.log
            if key == sender and record.partition.topic == topic
        ]


@dataclass
class MemoryCohortTopics:
    """See ``CohortTopics``."""

    shared: MemoryTopics
    server_id: str
    next_offset: int
    listener: TopicsListener

    @property
    def kinds(self) -> Mapping[str, OmrsTopic | None]:
        return KINDS

    async def records(self) -> AsyncGenerator[Batch, None]:
        self.listener.connected()
        place = Position(Partition(OmrsTopic.INSTANCES, 0), self.next_offset)
        yield Batch((), (place,))
        while True:
            changed = self.shared.changed
            log = self.shared.log
            if self.server_id in self.shared.cut_off or len(log) == self.next_offset:
                await changed.wait()
                continue
            sender, record = log[self.next_offset]
            self.next_offset += 1
            heard = () if sender == self.server_id else (record,)
            place = Position(record.partition, self.next_offset)
            yield Batch(heard, (place,))

    def applied(self, positions: Sequence[Position]) -> None:
        pass

    async def send(self, topic: OmrsTopic, events: Sequence[bytes]) -> None:
        if self.server_id in self.shared.cut_off:
            raise BusUnavailableError("it is cut off")
        for event in events:
            self.shared.put(topic, event, self.server_id)

    def statistics(self) -> TopicsStatistics:
        return TopicsStatistics()


def wake(members: Sequence[Membership]) -> None:
    """There are new events."""
    for member in members:
        member.wake()


def connection_at(name: str) -> Callable[[str], Connection]:
    """How others reach what a node answers for."""
    return lambda path: remote_connection(f"https://{name}/servers/{path}")


def fault_of(member: MemberRegistration) -> str:
    """What is wrong with the connection of a member: who is called nowhere is there."""
    return "nobody can go there" if member.server_name == "nowhere" else ""


async def no_types(collection_id: str, names: Sequence[str]) -> Sequence[TypeDef]:
    """What members that nobody reaches say when they are asked for types."""
    return ()


async def kafka_member(
    topics: MemoryTopics,
    name: str,
    clock: Clock,
    collection: LocalMetadataCollection,
    repository: SqliteRepository,
    types: TypeRegistry,
    audit_log: AuditLog,
    ask_types: AskTypes = no_types,
    rules: ExchangeRules | None = None,
) -> KafkaCohortMember:
    """A server as a member of the cohort on some topics."""
    return KafkaCohortMember(
        KafkaMemberParts(
            cohort_name="platforms",
            standing=await repository.kafka_cohort.enter("platforms", name),
            registration=MemberRegistration(
                metadata_collection_id=collection.get_metadata_collection_id(name),
                metadata_collection_name=name,
                server_name=name,
                server_type="Metadata Access Store",
                repository_connection=connection_at(name)(name),
            ),
            collection=collection,
            repository=repository,
            types=types,
            codec=CODEC,
            rules=rules or ExchangeRules(),
            audit_log=audit_log,
            clock=clock,
            open_topics=topics.opened,
            ask_types=ask_types,
            fault_of=fault_of,
            pause_seconds=0.0,
        )
    )


@dataclass
class SimulatedPlatform:
    """A server in no other cohort than that on the topics."""

    name: str
    repository: SqliteRepository
    collection: LocalMetadataCollection
    types: TypeRegistry
    audit_log: AuditLog
    kafka: KafkaCohortMember
    task: "asyncio.Task[None]"

    @classmethod
    async def started(
        cls,
        directory: Path,
        name: str,
        clock: Clock,
        topics: MemoryTopics,
        stack: AsyncExitStack,
        ask_types: AskTypes = no_types,
        rules: ExchangeRules | None = None,
    ) -> "SimulatedPlatform":
        """One that runs until the end of the stack."""
        members: list[KafkaCohortMember] = []
        audit_log = AuditLog(name, clock)
        repository = await stack.enter_async_context(
            SqliteRepository.opened(
                directory / name / "metadata.db",
                CODEC,
                clock,
                name=name,
                keep_events=True,
                events_queued=lambda _: wake(members),
            )
        )
        collection_id = await repository.metadata_collection_id(f"{name}-id")
        registry = SHIPPED.copy()
        registry.put(*repository.types())
        collection = LocalMetadataCollection(
            LocalCollectionParts(
                home=Home(collection_id, name),
                repository=repository,
                types=registry,
                codec=CODEC,
                release=SERVED,
                clock=clock,
                random_uuid=lambda: str(uuid4()),
                is_known_collection=lambda known: members[0].is_known(known),
            )
        )
        kafka = await kafka_member(
            topics,
            name,
            clock,
            collection,
            repository,
            registry,
            audit_log,
            ask_types,
            rules,
        )
        members.append(kafka)
        task = asyncio.create_task(kafka.run(), name=f"{name} on topics")

        async def stop() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        stack.push_async_callback(stop)
        return cls(name, repository, collection, registry, audit_log, kafka, task)

    @property
    def id(self) -> str:
        return self.kafka.collection_id

    @property
    def is_busy(self) -> bool:
        return self.kafka.is_busy

    def check(self) -> None:
        """Make sure that it still runs."""
        if self.task.done():
            self.task.result()

    def activity(self) -> object:
        """Another one whenever something has happened."""
        remote, heard = tuple(self.kafka.remote), sum(self.kafka.outcomes.values())
        return self.repository.last_sequence(), remote, heard

    async def holdings(self) -> dict[str, tuple[str, str, str]]:
        """Everything stored, as that of nodes."""
        return await holdings(self.repository)


async def holdings(repository: SqliteRepository) -> dict[str, tuple[str, str, str]]:
    """Everything stored, by GUID: kind, home and the document's text."""
    newest = await repository.newest_state()
    entities = await repository.states_until(EntityDetail, newest, "", 100_000)
    links = await repository.states_until(Relationship, newest, "", 100_000)
    found: dict[str, tuple[str, str, str]] = {}
    for entity in entities:
        found[str(entity.value.guid)] = _held(entity.value, entity.json)
    for link in links:
        found[str(link.value.guid)] = _held(link.value, link.json)
    return found


def _held(instance: EntityDetail | Relationship, text: bytes) -> tuple[str, str, str]:
    home = str(instance.metadata_collection_id)
    return type(instance).__name__, home, text.decode()
