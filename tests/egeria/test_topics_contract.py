"""The topics that tests have in memory do what those on a Kafka broker do."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass, field

import pytest

from edgenode.bus.cohort_topics import KafkaCohortTopics
from edgenode.bus.topics import (
    Batch,
    CohortTopics,
    KafkaBroker,
    OmrsTopic,
    Partition,
    Position,
    TopicsListener,
)
from edgenode.clock import SystemClock
from tests.cohort.topics import MemoryTopics
from tests.egeria.reader import SECONDS, Reader, address_of, fresh_names

Open = Callable[
    [str, Sequence[Position], TopicsListener],
    AbstractAsyncContextManager[CohortTopics],
]

REGISTRATION, TYPES, INSTANCES = OmrsTopic


@pytest.fixture(params=["kafka", "memory"])
def opened(request: pytest.FixtureRequest) -> Open:
    """Opens the topics of a cohort that nobody else is in."""
    if request.param == "memory":
        return MemoryTopics().opened
    kafka = request.getfixturevalue("kafka")
    broker = KafkaBroker(addresses=(address_of(kafka.address),))
    names = fresh_names()
    return lambda server_id, positions, listener: KafkaCohortTopics(
        broker, names, server_id, positions, listener, SystemClock()
    )


@dataclass
class Member:
    """Reads batch by batch, and keeps how far it got where it deals with them."""

    opened: Open
    name: str
    positions: dict[Partition, Position] = field(default_factory=dict)
    listener: Reader = field(default_factory=lambda: Reader({}))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator["Reading"]:
        """From the first batch on, until the end of the block."""
        positions = list(self.positions.values())
        async with (
            self.opened(self.name, positions, self.listener) as topics,
            aclosing(topics.records()) as batches,
        ):
            first = await anext(batches)
            assert not first.records
            self.keep(first)
            yield Reading(self, topics, batches)

    def keep(self, batch: Batch) -> None:
        self.positions |= {each.partition: each for each in batch.positions}


@dataclass
class Reading:
    """One time that a member reads."""

    member: Member
    topics: CohortTopics
    batches: AsyncIterator[Batch]

    async def read(self, count: int, *, keeps: bool = True) -> list[tuple[str, bytes]]:
        """So many records, each with what its topic is for."""
        found: list[tuple[str, bytes]] = []
        async with asyncio.timeout(SECONDS):
            while len(found) < count:
                batch = await anext(self.batches)
                for each in batch.records:
                    kind = self.topics.kinds[each.partition.topic]
                    assert kind is not None
                    found.append((kind, each.value))
                if keeps:
                    self.member.keep(batch)
        return found


async def test_all_but_the_sender_read_what_it_sends_in_order(opened: Open) -> None:
    one, two, three = (Member(opened, name) for name in ("one", "two", "three"))
    async with one.reading() as first, two.reading() as second, three.reading() as last:
        await first.topics.send(INSTANCES, [b"1", b"2"])
        await first.topics.send(INSTANCES, [b"3"])
        expected = [("instances", b"1"), ("instances", b"2"), ("instances", b"3")]
        assert await second.read(3) == expected
        await second.topics.send(INSTANCES, [b"4"])
        assert await last.read(4) == [*expected, ("instances", b"4")]
        assert await first.read(1) == [("instances", b"4")]
    for member in (one, two, three):
        assert member.listener.heard[-1] == ("connected",)


async def test_each_kind_is_read_as_what_it_is(opened: Open) -> None:
    one, two = Member(opened, "one"), Member(opened, "two")
    async with one.reading() as first, two.reading() as second:
        for kind in OmrsTopic:
            await first.topics.send(kind, [kind.encode()])
        told = sorted((kind.value, kind.encode()) for kind in OmrsTopic)
        assert sorted(await second.read(3)) == told


async def test_who_is_new_reads_what_comes_and_not_what_was(opened: Open) -> None:
    one, two = Member(opened, "one"), Member(opened, "two")
    async with one.reading() as first:
        await first.topics.send(TYPES, [b"before"])
        async with two.reading() as second:
            await first.topics.send(TYPES, [b"after"])
            assert await second.read(1) == [("types", b"after")]


async def test_who_was_away_reads_on_where_it_was(opened: Open) -> None:
    one, two = Member(opened, "one"), Member(opened, "two")
    async with one.reading() as first:
        async with two.reading() as second:
            await first.topics.send(TYPES, [b"1"])
            assert await second.read(1) == [("types", b"1")]
        await first.topics.send(TYPES, [b"2", b"3"])
        async with two.reading() as second:
            assert await second.read(2) == [("types", b"2"), ("types", b"3")]


async def test_what_nobody_dealt_with_comes_again(opened: Open) -> None:
    one, two = Member(opened, "one"), Member(opened, "two")
    async with one.reading() as first:
        async with two.reading() as second:
            await first.topics.send(REGISTRATION, [b"1"])
            await second.read(1)
            await first.topics.send(REGISTRATION, [b"2"])
            assert await second.read(1, keeps=False) == [("registration", b"2")]
        async with two.reading() as second:
            assert await second.read(1) == [("registration", b"2")]
