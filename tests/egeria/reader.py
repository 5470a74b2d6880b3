"""A member that reads a cohort's topics, and those who look on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from edgenode.bus.base import Address
from edgenode.bus.cohort_topics import KafkaCohortTopics
from edgenode.bus.topics import (
    KafkaBroker,
    OmrsTopic,
    Partition,
    Position,
    Record,
    topic_names,
)
from edgenode.clock import SystemClock

SECONDS = 120.0
RETRY_SECONDS = 0.05


def fresh_names(*, dedicated: bool = True) -> dict[OmrsTopic, str]:
    """The topics of a cohort that nobody else has."""
    return topic_names("egeria", uuid4().hex, dedicated=dedicated)


@dataclass
class Reader:
    """What a member read and heard; it keeps its positions as it would in its store.

    Attributes:
        local_server_id: Its id on the bus.
        names: The cohort's topics.
        topics: Its part in them, while it takes part.
        records: What it read, in all its lives.
        batches: In how many batches, some of which have nothing in them.
        positions: Where it goes on.
        heard: What it was told of its topics, each with its first argument.
        keeps: Whether it says what it has dealt with.
    """

    names: dict[OmrsTopic, str]
    local_server_id: str = field(default_factory=lambda: str(uuid4()))
    records: list[Record] = field(default_factory=list)
    batches: int = 0
    positions: dict[Partition, Position] = field(default_factory=dict)
    heard: list[tuple[object, ...]] = field(default_factory=list)
    keeps: bool = True
    _topics: KafkaCohortTopics | None = None
    _began: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def topics(self) -> KafkaCohortTopics:
        assert self._topics is not None
        return self._topics

    @property
    def values(self) -> list[bytes]:
        return [each.value for each in self.records]

    def connected(self) -> None:
        self.heard.append(("connected",))

    def disconnected(self, reason: str) -> None:
        self.heard.append(("disconnected", reason))

    def dropped(self, partition: Partition, offset: int, count: int, why: str) -> None:
        self.heard.append(("dropped", offset, count, why))

    def expired(self, partition: Partition, count: int) -> None:
        self.heard.append(("expired", partition.topic, count))

    def recreated(self, partition: Partition) -> None:
        self.heard.append(("recreated", partition.topic))

    def refused(self, topic: str, event: bytes, why: str) -> None:
        self.heard.append(("refused", topic, event))

    @asynccontextmanager
    async def reading(
        self,
        *addresses: str,
        broker: KafkaBroker | None = None,
        waits: bool = True,
        positions: Iterable[Position] | None = None,
    ) -> AsyncIterator[KafkaCohortTopics]:
        """Take part until the end of the block.

        Args:
            addresses: The brokers.
            broker: The brokers where there is more to say of them.
            waits: Whether to wait until it reads.
            positions: Where to go on; None for where it was.
        """
        self._began.clear()
        if positions is None:
            positions = self.positions.values()
        async with KafkaCohortTopics(
            broker or KafkaBroker(addresses=tuple(map(address_of, addresses))),
            self.names,
            self.local_server_id,
            positions,
            self,
            SystemClock(),
            first_retry_seconds=RETRY_SECONDS,
        ) as self._topics:
            task = asyncio.create_task(self._read(self._topics))
            try:
                if waits:
                    async with asyncio.timeout(SECONDS):
                        await self._began.wait()
                yield self._topics
            finally:
                task.cancel()
                await asyncio.wait([task])
                if not task.cancelled():
                    task.result()

    async def _read(self, topics: KafkaCohortTopics) -> None:
        async for batch in topics.records():
            self._began.set()
            self.records.extend(batch.records)
            self.batches += 1
            if self.keeps:
                self.positions.update(
                    (each.partition, each) for each in batch.positions
                )
                topics.applied(batch.positions)

    async def until(self, is_so: Callable[[], object]) -> None:
        """Wait for something."""
        async with asyncio.timeout(SECONDS):
            while not is_so():  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def until_read(self, *values: bytes) -> None:
        """Wait until it has read as many, and see that it read just these."""
        try:
            await self.until(lambda: len(self.records) >= len(values))
        finally:
            assert self.values == list(values)


def address_of(text: str) -> Address:
    """An address told as host:port."""
    host, _, port = text.rpartition(":")
    return Address(host, int(port))


async def put(
    address: str,
    topic: str,
    *values: bytes | None,
    key: bytes | None = b"other",
    compression: str | None = None,
) -> None:
    """Send records as any program may."""
    async with AIOKafkaProducer(  # type: ignore[no-untyped-call]
        bootstrap_servers=address,
        compression_type=compression,
        max_request_size=64 * 1024 * 1024,
    ) as producer:
        for value in values:
            await producer.send_and_wait(topic, value, key=key)


@asynccontextmanager
async def admin(address: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """Somebody who manages the broker."""
    client = AIOKafkaAdminClient(bootstrap_servers=address)
    await client.start()  # type: ignore[no-untyped-call]
    try:
        yield client
    finally:
        await client.close()  # type: ignore[no-untyped-call]


async def create(address: str, topic: str, partitions: int = 1, **config: str) -> None:
    """Create a topic of more partitions than one, or with settings of its own."""
    named = {name.replace("_", "."): value for name, value in config.items()}
    async with admin(address) as manager:
        new = NewTopic(  # type: ignore[no-untyped-call]
            topic, partitions, 1, topic_configs=named
        )
        await manager.create_topics([new])
