"""MQTT 3.1.1 as any client may expect it, of the embedded broker and of mosquitto.

The same cases that the interoperability tests of the Paho project have. Where a client
can't publish, as on the embedded broker, the broker's own process does. Mosquitto takes
six seconds to miss a sign of life, and refuses no subscription; these two cases are tried
on the embedded broker alone.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edgenode.bus.base import Address, Message
from edgenode.bus.broker import EmbeddedBroker
from edgenode.bus.packets import Connect, Will, connect_packet, publish_packet
from tests.bus.certificates import (
    Authority,
    Refusals,
    client_context,
    no_trust,
    trust_of,
)
from tests.bus.client import PINGREQ, HungUpError, RawClient
from tests.bus.mosquitto import mosquitto, needs_mosquitto

PREFIX = "edgenode/cohort/tag/"
ACCEPTED = b"\x20\x02\x00\x00"


@dataclass
class Subject:
    """A broker to be tried out."""

    address: Address
    publish: Callable[[Message], Awaitable[None]]
    is_embedded: bool
    clients: list[RawClient] = field(default_factory=list)

    async def client(self, client_id: str, will: Will | None = None) -> RawClient:
        client = await RawClient.open(self.address)
        self.clients.append(client)
        assert await client.connect(client_id, will=will) == ACCEPTED
        return client

    async def say(self, topic: str, payload: bytes, *, retained: bool = False) -> None:
        await self.publish(Message(PREFIX + topic, payload, retained))


@asynccontextmanager
async def embedded() -> AsyncIterator[Subject]:
    broker = EmbeddedBroker(
        PREFIX, no_trust(Refusals()), came=lambda _: None, went=lambda _: None
    )
    port = broker.listen(["127.0.0.1"], 0)
    task = asyncio.create_task(broker.run())

    async def publish(message: Message) -> None:
        broker.publish(message)
        await broker._waiting.empty()

    subject = Subject(Address("127.0.0.1", port), publish, is_embedded=True)
    try:
        yield subject
    finally:
        for client in subject.clients:
            client.cut()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def debians(directory: Path) -> AsyncIterator[Subject]:
    async with mosquitto(directory, "allow_anonymous true") as address:
        publisher = await RawClient.open(address)
        assert await publisher.connect("publisher") == ACCEPTED

        async def publish(message: Message) -> None:
            publisher.send(
                publish_packet(
                    message.topic, message.payload, retained=message.retained
                )
            )
            assert await publisher.is_at_rest()

        subject = Subject(address, publish, is_embedded=False)
        try:
            yield subject
        finally:
            for client in (publisher, *subject.clients):
                client.cut()
            await asyncio.sleep(0)


@pytest.fixture
async def ours() -> AsyncIterator[Subject]:
    async with embedded() as it:
        yield it


@pytest.fixture(params=["embedded", pytest.param("mosquitto", marks=needs_mosquitto)])
async def subject(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Subject]:
    opened = embedded() if request.param == "embedded" else debians(tmp_path)
    async with opened as it:
        yield it


async def test_basic(subject: Subject) -> None:
    """Connect, subscribe, receive, leave; a second CONNECT ends a connection."""
    client = await subject.client("one")
    assert await client.subscribe(f"{PREFIX}topic/a") in (b"\0",)
    for number in range(3):
        await subject.say("topic/a", b"message %d" % number)
        assert await client.message() == Message(
            f"{PREFIX}topic/a", b"message %d" % number
        )
    await subject.say("topic/b", b"for nobody")
    assert await client.is_at_rest()
    await client.close()
    again = await subject.client("one")
    again.send(connect_packet(Connect("one")))
    await again.hung_up()


async def test_retained_messages(subject: Subject) -> None:
    await subject.say("kept/a", b"a", retained=True)
    await subject.say("kept/b", b"b", retained=True)
    await subject.say("other/c", b"c", retained=True)
    client = await subject.client("one")
    await client.subscribe(f"{PREFIX}kept/+")
    got = [await client.message() for _ in range(2)]
    assert sorted(got, key=lambda each: each.topic) == [
        Message(f"{PREFIX}kept/a", b"a", True),
        Message(f"{PREFIX}kept/b", b"b", True),
    ]
    assert await client.is_at_rest()
    for topic in ("kept/a", "kept/b", "other/c"):
        await subject.say(topic, b"", retained=True)
    late = await subject.client("two")
    await late.subscribe(f"{PREFIX}#")
    assert await late.is_at_rest()


async def test_retained_messages_come_with_each_subscription(subject: Subject) -> None:
    await subject.say("kept/a", b"a", retained=True)
    client = await subject.client("one")
    for number in (1, 2):
        await client.subscribe(f"{PREFIX}kept/a", number=number)
        assert await client.message() == Message(f"{PREFIX}kept/a", b"a", True)


async def test_will_message(subject: Subject) -> None:
    watcher = await subject.client("two")
    await watcher.subscribe(f"{PREFIX}lost/+")
    dying = await subject.client("one", Will(f"{PREFIX}lost/one", b"broke off"))
    dying.cut()
    assert await watcher.message() == Message(f"{PREFIX}lost/one", b"broke off")
    polite = await subject.client("one", Will(f"{PREFIX}lost/one", b"never said"))
    await polite.close()
    assert await watcher.is_at_rest()


async def test_keepalive(ours: Subject) -> None:
    watcher = await ours.client("two")
    await watcher.subscribe(f"{PREFIX}lost/+")
    quiet = await RawClient.open(ours.address)
    ours.clients.append(quiet)
    will = Will(f"{PREFIX}lost/one", b"silent")
    assert await quiet.connect("one", will=will, keepalive=1) == ACCEPTED
    for _ in range(3):
        assert await quiet.is_at_rest()
    # It sends no more, though its connection stays.
    assert await watcher.message() == Message(f"{PREFIX}lost/one", b"silent")
    await quiet.hung_up()


async def test_zero_length_client_id(subject: Subject) -> None:
    client = await RawClient.open(subject.address)
    subject.clients.append(client)
    if subject.is_embedded:
        # An open cohort knows nodes by their names alone.
        assert await client.connect("") == b"\x20\x02\x00\x02"
        await client.hung_up()
    else:
        assert await client.connect("") == ACCEPTED


async def test_zero_length_client_id_with_a_lasting_session(subject: Subject) -> None:
    client = await RawClient.open(subject.address)
    subject.clients.append(client)
    client.send(b"\x10\x0c\0\x04MQTT\x04\x00\0\x3c\0\0")
    assert await client.packet() == b"\x20\x02\x00\x02"
    await client.hung_up()


async def test_zero_length_client_id_of_who_has_a_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    broker = EmbeddedBroker(
        PREFIX,
        trust_of(authority, "n1", Refusals()),
        came=lambda _: None,
        went=lambda _: None,
    )
    address = Address("127.0.0.1", broker.listen(["127.0.0.1"], 0))
    task = asyncio.create_task(broker.run())
    own = client_context(authority.path, authority.issue("n2"))
    client = await RawClient.open(address, own)
    assert await client.connect("") == ACCEPTED
    assert await client.is_at_rest()
    client.cut()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_overlapping_subscriptions(subject: Subject) -> None:
    """A message may come once, or once for each filter; it comes."""
    client = await subject.client("one")
    codes = await client.subscribe(f"{PREFIX}topic/#", f"{PREFIX}topic/+")
    assert codes == b"\0\0"
    await subject.say("topic/a", b"twice?")
    got = [await client.message()]
    client.send(PINGREQ)
    while (packet := await client.packet()) != b"\xd0\x00":
        got.append(Message(f"{PREFIX}topic/a", packet[-6:]))
    assert 1 <= len(got) <= 2
    assert {each.payload for each in got} == {b"twice?"}


@pytest.mark.parametrize(
    ("topic_filter", "expected"),
    [
        ("#", ["t", "t/a", "t/a/b", "u/a", "/t", "t/"]),
        ("t/#", ["t", "t/a", "t/a/b", "t/"]),
        ("t/+", ["t/a", "t/"]),
        ("+/a", ["t/a", "u/a"]),
        ("+/+", ["t/a", "u/a", "/t", "t/"]),
        ("+", ["t"]),
        ("t/+/b", ["t/a/b"]),
        ("/+", ["/t"]),
        ("+/a/#", ["t/a", "t/a/b", "u/a"]),
    ],
)
async def test_topic_wildcards(
    subject: Subject, topic_filter: str, expected: list[str]
) -> None:
    client = await subject.client("one")
    await client.subscribe(PREFIX + topic_filter)
    for topic in ("t", "t/a", "t/a/b", "u/a", "/t", "t/"):
        await subject.say(topic, b"x")
    got = [await client.message() for _ in expected]
    assert [each.topic for each in got] == [PREFIX + topic for topic in expected]
    assert await client.is_at_rest()


async def test_unsubscribe(subject: Subject) -> None:
    client = await subject.client("one")
    await client.subscribe(*(f"{PREFIX}topic/{name}" for name in "abc"))
    await client.unsubscribe(f"{PREFIX}topic/a", f"{PREFIX}topic/never")
    for name in "abc":
        await subject.say(f"topic/{name}", b"x")
    got = [(await client.message()).topic[-1] for _ in range(2)]
    assert got == ["b", "c"]
    assert await client.is_at_rest()


async def test_dollar_topics(subject: Subject) -> None:
    """What begins with a dollar sign is not taken in by a wildcard."""
    client = await subject.client("one")
    codes = await client.subscribe("#", "+/topic")
    await subject.publish(Message("$secret/topic", b"x"))
    assert codes == (b"\x80\x80" if subject.is_embedded else b"\0\0")
    await subject.publish(Message("open/topic", b"y"))
    if not subject.is_embedded:
        assert (await client.message()).topic == "open/topic"
        await client.unsubscribe("#", "+/topic")
    else:
        assert await client.is_at_rest()


async def test_subscribe_failure(ours: Subject) -> None:
    """What isn't allowed is refused, and the rest of the same request granted."""
    client = await ours.client("one")
    codes = await client.subscribe("nosubscribe", f"{PREFIX}fine", "test/nosubscribe")
    assert codes == b"\x80\0\x80"
    await ours.publish(Message("nosubscribe", b"no"))
    await ours.say("fine", b"yes")
    assert (await client.message()).payload == b"yes"


async def test_half_a_packet_is_waited_for(subject: Subject) -> None:
    client = await RawClient.open(subject.address)
    subject.clients.append(client)
    for byte in connect_packet(Connect("one")) + PINGREQ:
        client.send(bytes((byte,)))
        await client.writer.drain()
        await asyncio.sleep(0)
    assert await client.packet() == ACCEPTED
    assert await client.packet() == b"\xd0\x00"


async def test_a_wrong_filter_ends_or_is_refused(subject: Subject) -> None:
    client = await subject.client("one")
    try:
        assert await client.subscribe(f"{PREFIX}a/#/b") == b"\x80"
    except HungUpError:
        assert not subject.is_embedded
