"""Where a member goes on in a topic."""

import asyncio

import pytest

from edgenode.bus.base import Address
from edgenode.bus.cohort_topics import KafkaCohortTopics, Resumption, resumption
from edgenode.bus.kafka.records import Fetched, RawRecord
from edgenode.bus.topics import (
    BusUnavailableError,
    KafkaBroker,
    Partition,
    Position,
    topic_names,
)
from edgenode.clock import Clock, SystemClock
from edgenode.limits import KAFKA_READY_SECONDS
from tests.egeria.reader import Reader
from tests.model.house import SetClock

HERE = Partition("topic", 0)
NAMES = topic_names("egeria", "cohort", dedicated=False)


def position(offset: int, topic_id: str = "a") -> Position:
    return Position(HERE, offset, topic_id)


def topics_of(reader: Reader, clock: Clock | None = None) -> KafkaCohortTopics:
    """What a member reads whose brokers are given by the test, if there are any."""
    broker = KafkaBroker(addresses=())
    clock = clock or SystemClock()
    return KafkaCohortTopics(
        broker, NAMES, "one", (), reader, clock, first_retry_seconds=0.001
    )


@pytest.mark.parametrize(
    ("known", "goes_on"),
    [
        ((), None),
        ((position(15),), Resumption(15)),
        ((position(20),), Resumption(20)),
        # What is kept counts, though the brokers were told more before a restoration.
        ((position(12), position(15)), Resumption(12)),
        # It may have been off for longer than the topic keeps anything.
        ((position(7),), Resumption(10, expired=3)),
        ((position(7), position(9)), Resumption(10, expired=1)),
        ((position(7), position(15)), Resumption(10)),
        # A topic that ends sooner, or is another one, is a new one.
        ((position(21),), Resumption(10, is_recreated=True)),
        ((position(15, "b"),), Resumption(10, is_recreated=True)),
        ((position(15, "b"), position(12)), Resumption(12)),
        # Old brokers don't tell which it is.
        ((position(15, ""),), Resumption(15)),
    ],
)
def test_reading_goes_on(
    known: tuple[Position, ...], goes_on: Resumption | None
) -> None:
    assert resumption(known, "a", 10, 20) == goes_on


def test_a_broker_that_does_not_tell_the_topic_is_believed() -> None:
    assert resumption([position(15)], "", 10, 20) == Resumption(15)


class Unready:
    """A session whose brokers answer that they aren't ready."""

    begun = 0

    def __init__(self, broker: KafkaBroker, group: str) -> None:
        self.addresses: tuple[Address, ...] = ()

    async def open(self, addresses: object) -> None:
        self.addresses = (Address("kafka", 9092),)
        Unready.begun += 1
        raise BusUnavailableError(f"no leader, {Unready.begun}")

    async def close(self) -> None:
        pass


async def test_brokers_that_need_a_moment_are_no_news(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edgenode.bus.cohort_topics.KafkaSession", Unready)
    reader, clock = Reader(NAMES), SetClock()
    async with topics_of(reader, clock) as topics:
        reading = asyncio.ensure_future(anext(topics.records()))
        await reader.until(lambda: Unready.begun >= 3)
        assert reader.heard == []
        await clock.sleep(KAFKA_READY_SECONDS)
        await reader.until(lambda: reader.heard)
        (told,) = reader.heard
        assert told[0] == "disconnected"
        reading.cancel()
        await asyncio.wait([reading])


async def test_somebody_else_with_its_key_is_heard() -> None:
    async with topics_of(Reader(NAMES)) as topics:
        topics._places[HERE] = topics._kept[HERE] = position(0)
        topics._producer_ids.append(7)
        records = [
            RawRecord(offset, b"one", value, producer_id)
            for offset, (value, producer_id) in enumerate(
                [(b"of a former life", 6), (b"own", 7), (b"of a copy", 8), (b"own", 7)]
            )
        ]
        answer = Fetched(offset=0, high_watermark=4, next_offset=4, records=records)
        handed_on = topics._taken({HERE: answer}).records
        assert [each.value for each in handed_on] == [b"of a copy"]
        assert topics.statistics().echoes == 3


async def test_what_two_brokers_answer_is_handed_on_once() -> None:
    reader = Reader(NAMES)
    async with topics_of(reader) as topics:
        topics._places[HERE] = topics._kept[HERE] = position(5)
        records = [RawRecord(5, b"other", b"event")]
        answer = Fetched(offset=5, high_watermark=6, next_offset=6, records=records)
        handed_on = [topics._taken({HERE: answer}).records for _ in range(2)]
        assert [len(each) for each in handed_on] == [1, 0]
        assert topics._places[HERE] == position(6)


async def test_what_can_not_be_handed_on_is_told_once_for_each_answer() -> None:
    reader = Reader(NAMES)
    async with topics_of(reader) as topics:
        topics._places[HERE] = topics._kept[HERE] = position(5)
        records = [RawRecord(5 + each, None, None) for each in range(1_000)]
        answer = Fetched(5, high_watermark=1_005, next_offset=1_005, records=records)
        assert topics._taken({HERE: answer}).records == ()
        assert reader.heard == [("dropped", 5, 1_000, "it has no value")]
        assert topics.statistics().dropped == 1_000
