"""Servers in a cohort over Kafka, on stores of their own and topics of the test."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from edgenode.clock import Clock, SystemClock
from edgenode.collection.local import LocalMetadataCollection
from edgenode.collection.local_base import LocalCollectionParts
from edgenode.connectors.repository import remote_connection
from edgenode.events.exchange import ExchangeRules
from edgenode.events.registration import MemberRegistration
from edgenode.instances.provenance import Home
from edgenode.kafka_cohort.member import (
    KafkaCohortMember,
    KafkaMemberParts,
    OpenTopics,
)
from edgenode.kafka_cohort.receiver import AskTypes
from edgenode.observability.audit_log import AuditLog
from edgenode.releases import SERVED
from edgenode.repository.sqlite import SqliteRepository
from edgenode.typedefs.model import TypeDef
from edgenode.typedefs.registry import TypeRegistry
from tests.model.house import CODEC, properties, type_guid, types

SHIPPED = types()
"""Read from their file before any event loop runs."""
COHORT = "plant"
SECONDS = 30.0
USER = "erin"


class Impatient(SystemClock):
    """The machine's clock, on which nobody has to wait."""

    async def sleep(self, seconds: float) -> None:
        """Let others have their turn."""
        await asyncio.sleep(0)


async def no_types(collection_id: str, names: Sequence[str]) -> Sequence[TypeDef]:
    """What members that nobody reaches answer when they are asked for types."""
    return ()


@dataclass
class KafkaServer:
    """One server: its store, its collection, and it as a member."""

    name: str
    repository: SqliteRepository
    collection: LocalMetadataCollection
    types: TypeRegistry
    audit_log: AuditLog
    member: KafkaCohortMember

    @property
    def id(self) -> str:
        return self.member.collection_id

    @property
    def messages(self) -> list[str]:
        """The ids of the audit records."""
        return [record.message_id for record in self.audit_log.records()]

    async def add(self, name: str, kind: str = "GlossaryTerm") -> str:
        """Add an entity; its GUID."""
        added = await self.collection.add_entity(
            USER, type_guid(kind), properties(qualifiedName=name), None, None
        )
        return str(added.value.guid)

    def holds(self, guid: str) -> bool:
        return self.repository.entity(guid) is not None

    async def until(self, is_so: Callable[[], object]) -> None:
        """Wait for something, while events go to and fro."""
        async with asyncio.timeout(SECONDS):
            while not is_so():  # noqa: ASYNC110
                await asyncio.sleep(0.002)


@asynccontextmanager
async def kafka_server(
    path: Path,
    name: str,
    open_topics: OpenTopics,
    *,
    clock: Clock | None = None,
    ask_types: AskTypes = no_types,
) -> AsyncIterator[KafkaServer]:
    """A server that takes part until the end of the block.

    Args:
        path: The directory of its store, which outlives it.
        name: The server's.
        open_topics: Opens the cohort's topics.
        clock: The time.
        ask_types: Asks members for types.
    """
    clock = clock or SystemClock()
    woken: list[KafkaCohortMember] = []
    async with SqliteRepository.opened(
        path / name / "server.db",
        CODEC,
        clock,
        name=name,
        keep_events=True,
        events_queued=lambda _: _wake(woken),
    ) as repository:
        known = SHIPPED.copy()
        home = Home(f"{name}-id", name)
        numbers = count()
        started = clock.now()
        collection = LocalMetadataCollection(
            LocalCollectionParts(
                home=home,
                repository=repository,
                types=known,
                codec=CODEC,
                release=SERVED,
                clock=clock,
                random_uuid=lambda: f"{name}-{started}-{next(numbers)}",
                is_known_collection=lambda asked: (
                    asked == home.id or any(each.is_known(asked) for each in woken)
                ),
            )
        )
        audit_log = AuditLog(name, clock)
        member = KafkaCohortMember(
            KafkaMemberParts(
                cohort_name=COHORT,
                standing=await repository.kafka_cohort.enter(COHORT, f"{name}-on-bus"),
                registration=MemberRegistration(
                    metadata_collection_id=home.id,
                    metadata_collection_name=name,
                    server_name=name,
                    server_type="Test",
                    repository_connection=remote_connection(
                        f"http://{name}/servers/{name}"
                    ),
                ),
                collection=collection,
                repository=repository,
                types=known,
                codec=CODEC,
                rules=ExchangeRules(),
                audit_log=audit_log,
                clock=clock,
                open_topics=open_topics,
                ask_types=ask_types,
            )
        )
        woken.append(member)
        made = KafkaServer(name, repository, collection, known, audit_log, member)
        task = asyncio.create_task(member.run(), name=name)
        try:
            yield made
        finally:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.result()


def _wake(members: list[KafkaCohortMember]) -> None:
    for member in members:
        member.wake()
