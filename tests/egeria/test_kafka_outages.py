"""Members whose Kafka comes late, is killed or moves."""

import asyncio
import logging
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from edgenode.bus.topics import BusUnavailableError, OmrsTopic
from tests.egeria.harness.broker import Broker
from tests.egeria.reader import Reader, fresh_names

INSTANCES = OmrsTopic.INSTANCES


@pytest.fixture
def resting(genuine: None, tmp_path: Path) -> Iterator[Broker]:
    """A broker that isn't started yet."""
    made = Broker(tmp_path)
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Members try often and wait for long: how fast a broker starts is not tested."""
    limits = {
        "KAFKA_SEND_SECONDS": 300.0,
        "LONGEST_RECONNECT_SECONDS": 0.5,
        "LONGEST_READY_SECONDS": 0.5,
    }
    for name, seconds in limits.items():
        monkeypatch.setattr(f"edgenode.bus.cohort_topics.{name}", seconds)


async def test_a_broker_that_comes_late_dies_and_moves(
    resting: Broker, patient: None, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.INFO, "edgenode")
    later = Broker(tmp_path)  # the same one at another port
    names = fresh_names()
    one, other = Reader(names), Reader(names)
    addresses = (resting.address, later.address)
    numbers = iter(range(1_000_000))
    sent: list[bytes] = []

    async def send(count: int) -> None:
        events = [b"%d" % next(numbers) for _ in range(count)]
        sent.extend(events)
        await one.topics.send(INSTANCES, events)

    async with (
        one.reading(*addresses, waits=False),
        other.reading(*addresses, waits=False),
    ):
        first = asyncio.create_task(send(10))
        await one.until(lambda: one.heard)
        assert one.topics.statistics().last_error is not None

        # It comes: what waited is sent.
        await asyncio.to_thread(resting.start)
        await first
        await other.until_read(*sent)

        # It is killed while something is on its way to it, which arrives once.
        sending = [asyncio.create_task(send(2_000)) for _ in range(5)]
        await other.until(lambda: len(other.records) > 10)
        await asyncio.to_thread(resting.kill)
        await one.until(lambda: one.topics.statistics().connected_since is None)
        await asyncio.to_thread(resting.start)
        await asyncio.gather(*sending)
        await other.until_read(*sent)

        # It moves.
        await asyncio.to_thread(resting.stop)
        try:
            await asyncio.to_thread(later.start)
            await send(10)
            await other.until_read(*sent)
        finally:
            await asyncio.to_thread(later.stop)

    told = [each.getMessage() for each in caplog.records]
    assert told.count("connected to Kafka") == 2 * 3
    # One line for each reason, however often it was tried.
    assert len(told) < 2 * 3 * 8
    reasons = [each[1] for each in one.heard if each[0] == "disconnected"]
    assert all(a != b for a, b in pairwise(reasons))


async def test_who_sends_is_told_when_the_broker_stays_away(
    monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setattr("edgenode.bus.cohort_topics.KAFKA_SEND_SECONDS", 0.2)
    one = Reader(fresh_names())
    async with one.reading(f"127.0.0.1:{unused_tcp_port}", waits=False):
        await one.until(lambda: one.heard)
        with pytest.raises(BusUnavailableError, match=str(unused_tcp_port)):
            await one.topics.send(INSTANCES, [b"event"])


async def test_where_brokers_say_that_they_are_is_told(
    genuine: None, tmp_path: Path, unused_tcp_port: int
) -> None:
    elsewhere = f"127.0.0.1:{unused_tcp_port}"
    broker = Broker(
        tmp_path, properties=[f"advertised.listeners=PLAINTEXT://{elsewhere}"]
    )
    try:
        await asyncio.to_thread(broker.start)
        one = Reader(fresh_names())
        async with one.reading(broker.address, waits=False):
            await one.until(lambda: one.heard)
    finally:
        await asyncio.to_thread(broker.stop)
    said = f"the brokers' advertised.listeners lead to {elsewhere}, and there: "
    assert said in str(one.heard[0])


async def test_who_is_no_broker_is_told(unused_tcp_port: int) -> None:
    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read(1)
        writer.write(b"\0\0\0\x08\0\0\0\x01\xff\xff\xff\xff")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", unused_tcp_port):
        one = Reader(fresh_names())
        async with one.reading(f"127.0.0.1:{unused_tcp_port}", waits=False):
            await one.until(lambda: one.heard)
    assert one.heard[0][0] == "disconnected"
