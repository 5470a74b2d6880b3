"""The embedded broker, at the wire: who is let in, what is let through, what is kept."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random

import pytest

from edgenode.bus.base import Address, Message, Trust
from edgenode.bus.broker import EmbeddedBroker
from edgenode.bus.gate import GateBounds
from edgenode.bus.packets import (
    Connect,
    Request,
    Will,
    connect_packet,
    publish_packet,
    subscribe_packet,
)
from edgenode.limits import (
    MAX_BUS_CONNECTIONS_OF_A_NODE,
    MAX_FILTERS,
    MAX_HANDSHAKES_OF_AN_ADDRESS,
    MAX_MESSAGE_BYTES,
)
from tests.bus.certificates import (
    Authority,
    Refusals,
    client_context,
    no_trust,
    trust_of,
)
from tests.bus.client import PINGREQ, HungUpError, RawClient, until

PREFIX = "edgenode/cohort/tag/"
ACCEPTED = b"\x20\x02\x00\x00"


def refused(code: int) -> bytes:
    return bytes((0x20, 2, 0, code))


@dataclass
class Running:
    """A broker, where it is, and what it told."""

    broker: EmbeddedBroker
    address: Address
    refusals: Refusals
    came: list[str] = field(default_factory=list)
    went: list[str] = field(default_factory=list)
    clients: list[RawClient] = field(default_factory=list)

    async def open(self, context: ssl.SSLContext | None = None) -> RawClient:
        client = await RawClient.open(self.address, context)
        self.clients.append(client)
        return client

    async def client(self, client_id: str, will: Will | None = None) -> RawClient:
        """A client that is let in."""
        client = await self.open()
        assert await client.connect(client_id, will=will) == ACCEPTED
        return client

    async def subscriber(self, client_id: str, *filters: str) -> RawClient:
        client = await self.client(client_id)
        wanted = filters or (f"{PREFIX}#",)
        assert await client.subscribe(*wanted) == bytes(len(wanted))
        return client

    def publish(self, topic: str, payload: bytes, *, retained: bool = False) -> None:
        self.broker.publish(Message(PREFIX + topic, payload, retained))


@asynccontextmanager
async def running(
    trust: Trust | None = None,
    refusals: Refusals | None = None,
    **options: float | GateBounds,
) -> AsyncIterator[Running]:
    refusals = Refusals() if refusals is None else refusals
    came: list[str] = []
    went: list[str] = []
    broker = EmbeddedBroker(
        PREFIX,
        trust or no_trust(refusals),
        came=came.append,
        went=went.append,
        **options,  # type: ignore[arg-type]
    )
    port = broker.listen(["127.0.0.1"], 0)
    task = asyncio.create_task(broker.run())
    await asyncio.sleep(0)
    it = Running(broker, Address("127.0.0.1", port), refusals, came, went)
    try:
        yield it
    finally:
        for client in it.clients:
            client.cut()
        task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(outcome, asyncio.CancelledError)


# Who is let in


async def test_a_node_with_a_certificate_is_let_in(tmp_path: Path) -> None:
    authority, refusals = Authority(tmp_path), Refusals()
    async with running(trust_of(authority, "n1", refusals), refusals) as it:
        own = client_context(authority.path, authority.issue("n2"))
        client = await it.open(own)
        assert await client.connect("n2") == ACCEPTED
        assert await client.subscribe(f"{PREFIX}#") == b"\0"
        assert it.came == ["n2"]
        it.publish("instances/m", b"news")
        assert await client.message() == Message(f"{PREFIX}instances/m", b"news")
        await client.close()
        await until(lambda: it.went == ["n2"])
    assert refusals == []


async def test_who_has_no_fit_certificate_is_refused(tmp_path: Path) -> None:
    authority, refusals = Authority(tmp_path), Refusals()
    other = Authority(tmp_path, "other")
    expired = authority.issue("n2", timedelta(seconds=-1))
    async with running(trust_of(authority, "n1", refusals), refusals) as it:
        for own, reason in (
            (None, "peer did not return a certificate"),
            (other.issue("n2"), "unable to get local issuer certificate"),
            (expired, "certificate has expired"),
            (authority.issue("x1"), "removed"),
        ):
            client = await it.open(client_context(authority.path, own))
            with pytest.raises(HungUpError):
                await client.connect("n2")
            await until(partial(refusals.last_says, reason))
        plain = await it.open()
        with pytest.raises(HungUpError):
            await plain.connect("n2")
        await until(lambda: len(refusals) == 5)
        assert {address for address, _ in refusals} == {"127.0.0.1"}
        assert it.broker.refused == 5
        assert it.came == []


async def test_a_node_speaks_for_itself_only(tmp_path: Path) -> None:
    authority, refusals = Authority(tmp_path), Refusals()
    async with running(trust_of(authority, "n1", refusals), refusals) as it:
        own = client_context(authority.path, authority.issue("n2"))
        forged = await it.open(own)
        assert await forged.connect("n3") == refused(2)
        await forged.hung_up()
        will = Will(f"{PREFIX}lost/n3", b"")
        forged = await it.open(own)
        assert await forged.connect("n2", will=will) == refused(5)
        await forged.hung_up()
        nameless = await it.open(own)
        assert await nameless.connect("") == ACCEPTED
        another = await it.open(own)
        assert await another.connect("n2-doctor") == ACCEPTED
        assert it.came == ["n2"]
        assert refusals.reasons == [
            "the name of another node",
            "a will for another node",
        ]


async def test_in_an_open_cohort_the_name_is_the_node() -> None:
    async with running() as it:
        nameless = await it.open()
        assert await nameless.connect("") == refused(2)
        talkative = await it.open()
        assert await talkative.connect("n" * 200) == refused(2)
        await it.client("n2", Will(f"{PREFIX}lost/n2", b"gone"))
        assert it.came == ["n2"]


async def test_a_node_with_another_key_is_no_offender() -> None:
    async with running() as it:
        other = await it.open()
        will = Will("edgenode/cohort/other/lost/n2", b"")
        assert await other.connect("n2", will=will) == refused(3)
        await other.hung_up()
        assert it.refusals == []
        foreign = await it.open()
        will = Will("edgenode/elsewhere/tag/lost/n2", b"")
        assert await foreign.connect("n2", will=will) == refused(5)
        await foreign.hung_up()
        assert it.refusals.reasons == ["a will for another node"]


async def test_other_versions_of_mqtt_are_refused() -> None:
    async with running() as it:
        five = await it.open()
        five.send(b"\x10\x10\0\x04MQTT\x05\x02\0\x3c\0\0\x02n2\0")
        assert await five.packet() == refused(1)
        await five.hung_up()


async def test_a_node_that_comes_again_takes_its_own_place() -> None:
    async with running() as it:
        watcher = await it.subscriber("n3")
        first = await it.client("n2", Will(f"{PREFIX}lost/n2", b"broke off"))
        again = await it.subscriber("n2")
        await first.hung_up()
        assert await watcher.message() == Message(f"{PREFIX}lost/n2", b"broke off")
        it.publish("instances/m", b"news")
        assert (await again.message()).payload == b"news"
        assert it.came == ["n3", "n2", "n2"]


async def test_connections_of_one_node_are_bounded(tmp_path: Path) -> None:
    authority, refusals = Authority(tmp_path), Refusals()
    async with running(trust_of(authority, "n1", refusals), refusals) as it:
        own = client_context(authority.path, authority.issue("n2"))
        for number in range(MAX_BUS_CONNECTIONS_OF_A_NODE):
            client = await it.open(own)
            assert await client.connect(f"n2-{number}") == ACCEPTED
        one_more = await it.open(own)
        assert await one_more.connect("n2-more") == refused(3)
        other = client_context(authority.path, authority.issue("n3"))
        assert await (await it.open(other)).connect("n3") == ACCEPTED
        assert refusals.reasons == ["too many connections"]


async def test_who_does_not_say_who_it_is_is_cut_off() -> None:
    async with running(handshake_seconds=0.2) as it:
        silent = await it.open()
        half = await it.open()
        half.send(connect_packet(Connect("n2"))[:5])
        await silent.hung_up()
        await half.hung_up()
        assert it.refusals.reasons == ["did not say in time who it is"] * 2


async def test_connections_that_say_nothing_are_bounded() -> None:
    async with running() as it:
        silent = [await it.open() for _ in range(MAX_HANDSHAKES_OF_AN_ADDRESS)]
        await until(lambda: it.broker.beginning == len(silent))
        one_more = await it.open()
        await one_more.hung_up()
        assert it.refusals.reasons == ["too many connections at a time"]
        silent[0].cut()
        await until(lambda: it.broker.beginning < len(silent))
        await it.client("n2")


# What is let through


async def test_nobody_but_this_node_publishes() -> None:
    async with running() as it:
        watcher = await it.subscriber("n3")
        forger = await it.client("n2")
        forger.send(publish_packet(f"{PREFIX}instances/m", b"forged", retained=True))
        await forger.hung_up()
        await until(lambda: it.refusals.reasons == ["a peer may not send PUBLISH"])
        it.publish("instances/m", b"true")
        assert (await watcher.message()).payload == b"true"
        late = await it.subscriber("n4")
        assert await late.is_at_rest()


async def test_only_topics_of_the_cohort_are_subscribed_to() -> None:
    async with running() as it:
        client = await it.client("n2")
        codes = await client.subscribe(
            "#",
            "+/#",
            "edgenode/#",
            "$SYS/#",
            f"{PREFIX}#/more",
            f"{PREFIX}a+",
            f"{PREFIX}{'x' * 1000}",
            f"{PREFIX}instances/+",
        )
        assert codes == b"\x80" * 7 + b"\0"
        it.publish("types/m", b"no")
        it.publish("instances/m", b"yes")
        assert (await client.message()).payload == b"yes"
        assert await client.is_at_rest()


async def test_the_number_of_filters_is_bounded() -> None:
    async with running() as it:
        client = await it.client("n2")
        codes = b""
        for number in range(1, 4):
            filters = [f"{PREFIX}{number}/{i}" for i in range(20)]
            codes = await client.subscribe(*filters, number=number)
        assert codes == b"\x80" * 20
        (gate,) = it.broker._gates.values()
        assert len(gate._filters) == MAX_FILTERS
        # To subscribe to the same once more is no more.
        assert await client.subscribe(f"{PREFIX}1/1") == b"\0"


async def test_what_is_too_large_is_not_even_read() -> None:
    async with running() as it:
        for head in (
            b"\x10\xff\xff\xff\x7f",
            b"\x10\x81\x80\x01",
            b"\x10\xff\xff\xff\xff",
        ):
            client = await it.open()
            client.send(head)
            await client.hung_up()
        assert set(it.refusals.reasons) == {"a packet is too large"}


async def test_a_second_connect_is_refused() -> None:
    async with running() as it:
        client = await it.client("n2")
        client.send(connect_packet(Connect("n2")))
        await client.hung_up()
        await until(lambda: it.refusals.reasons == ["a peer may not send CONNECT"])


async def test_nonsense_ends_the_connection_and_nothing_else() -> None:
    random = Random(4)  # noqa: S311
    sound = [
        connect_packet(Connect("n2", 60, Will(f"{PREFIX}lost/n2", b"x"))),
        subscribe_packet(Request(1, (f"{PREFIX}#", "a/b"))),
        PINGREQ,
        b"\xa2\x05\0\x02\0\x01a",
        publish_packet("a/b", b"x", retained=False),
    ]

    def nonsense() -> bytes:
        data = bytearray(b"".join(random.choices(sound, k=3)))
        for _ in range(random.randint(1, 6)):
            data[random.randrange(len(data))] = random.randrange(256)
        return bytes(data[: random.randint(1, len(data))])

    async def say(number: int) -> None:
        client = await RawClient.open(it.address)
        if number % 2:
            client.send(connect_packet(Connect(f"f{number}")))
        client.send(nonsense())
        client.writer.write_eof()
        await client.hung_up()
        client.cut()

    async with running() as it:
        watcher = await it.subscriber("n3")
        for start in range(0, 2000, 5):
            await asyncio.gather(*(say(start + number) for number in range(5)))
        it.publish("instances/m", b"still here")
        message = await watcher.message()
        while message.topic.startswith(f"{PREFIX}lost/"):
            message = await watcher.message()
        assert message.payload == b"still here"
        await until(lambda: it.broker.peers == 1)
        assert it.broker.beginning == 0


# What is kept and what is dropped


async def test_messages_arrive_all_and_in_order() -> None:
    async with running() as it:
        clients = [await it.subscriber(f"n{number}") for number in range(2, 6)]
        sent = [b"%d" % number for number in range(2000)]
        for payload in sent:
            it.publish("instances/m", payload)
        for client in clients:
            assert [(await client.message()).payload for _ in sent] == sent


async def test_amqtt_never_has_more_than_one_message_to_send() -> None:
    """Its queue has no bound, so ours has to be the one that fills up."""
    async with running() as it:
        clients = [await it.subscriber(f"n{number}") for number in range(2, 5)]
        (task,) = [
            each for each in asyncio.all_tasks() if each.get_name() == "bus: publishing"
        ]
        frame = task.get_stack()[0]
        broker = frame.f_locals["broker"]
        for number in range(300):
            it.publish("instances/m", b"%d" % number)
        longest = 0
        while it.broker._waiting._messages:
            longest = max(longest, broker._broadcast_queue.qsize())
            await asyncio.sleep(0)
        assert longest <= 1
        for client in clients:
            for _ in range(300):
                await client.message()


async def test_what_is_retained_is_given_to_who_subscribes_later() -> None:
    async with running() as it:
        it.publish("node/n1", b"old", retained=True)
        it.publish("node/n1", b"new", retained=True)
        it.publish("node/n9", b"gone", retained=True)
        it.publish("node/n9", b"", retained=True)
        await until(lambda: not it.broker._waiting._messages)
        client = await it.subscriber("n2", f"{PREFIX}node/+")
        assert await client.message() == Message(f"{PREFIX}node/n1", b"new", True)
        it.publish("node/n1", b"newer", retained=True)
        assert await client.message() == Message(f"{PREFIX}node/n1", b"newer", False)
        # Nobody is given what it hasn't subscribed to, amqtt's way.
        other = await it.client("n3")
        assert await other.is_at_rest()


async def test_messages_that_wait_are_bounded() -> None:
    async with running() as it:
        it.publish("instances/m", bytes(MAX_MESSAGE_BYTES + 1))
        assert it.broker.traffic.dropped == 1
        for _ in range(6):
            it.publish("instances/m", bytes(1024 * 1024))
        assert it.broker.traffic.dropped == 3


async def test_a_subscriber_that_does_not_read_loses_messages_and_is_cut_off() -> None:
    bounds = GateBounds(backlog_bytes=256 * 1024, stuck_seconds=0.3)
    async with running(bounds=bounds) as it:
        slow = await it.subscriber("n2")
        slow.writer.transport.pause_reading()  # type: ignore[attr-defined]
        fast = await it.subscriber("n3")
        (gate, _) = it.broker._gates.values()
        transport = gate._writer.transport
        payload = bytes(64 * 1024)
        most = 0
        while "n2" not in it.went:
            it.publish("instances/m", payload)
            assert len((await fast.message()).payload) == len(payload)
            most = max(most, transport.get_write_buffer_size())
        assert most <= bounds.backlog_bytes + 2 * len(payload)
        assert it.broker.traffic.dropped > 0
        assert it.refusals.reasons == ["takes nothing of what is sent to it"]


async def test_a_peer_that_falls_silent_is_cut_off_and_its_will_published() -> None:
    async with running() as it:
        watcher = await it.subscriber("n3")
        client = await it.open()
        will = Will(f"{PREFIX}lost/n2", b"silent")
        assert await client.connect("n2", will=will, keepalive=1) == ACCEPTED
        assert (await watcher.message()).payload == b"silent"
        await until(lambda: it.went == ["n2"])
        assert it.refusals.reasons == [], "silence is no offence"


async def test_a_will_is_published_when_the_connection_breaks_only() -> None:
    async with running() as it:
        watcher = await it.subscriber("n3")
        polite = await it.client("n2", Will(f"{PREFIX}lost/n2", b"never"))
        await polite.close()
        await until(lambda: it.went == ["n2"])
        dying = await it.client("n4", Will(f"{PREFIX}lost/n4", b"gone"))
        dying.cut()
        assert await watcher.message() == Message(f"{PREFIX}lost/n4", b"gone")
        assert await watcher.is_at_rest()


async def test_a_node_that_is_not_trusted_any_more_is_cut_off() -> None:
    async with running() as it:
        client = await it.client("n2")
        it.broker.disconnect("n2")
        it.broker.disconnect("unknown")
        await client.hung_up()
        await until(lambda: it.went == ["n2"])


# How it ends


async def test_what_was_published_last_is_still_sent() -> None:
    async with running() as it:
        client = await it.subscriber("n2")
        it.clients.remove(client)
        for number in range(100):
            it.publish("instances/m", b"%d" % number)
    for number in range(100):
        assert (await client.message()).payload == b"%d" % number
    await client.hung_up()
    client.cut()


async def test_an_end_is_no_break_of_the_peers() -> None:
    async with running() as it:
        watcher = await it.subscriber("n3")
        peer = await it.client("n2", Will(f"{PREFIX}lost/n2", b"never"))
        del it.clients[:]
    with pytest.raises(HungUpError):
        await watcher.packet()
    watcher.cut()
    peer.cut()


async def test_the_port_must_be_free() -> None:
    async with running() as it:
        other = EmbeddedBroker(
            PREFIX, no_trust(Refusals()), came=lambda _: None, went=lambda _: None
        )
        with pytest.raises(OSError, match="in use"):
            other.listen(["::1", "127.0.0.1"], it.address.port)


async def test_addresses_are_given_back_by_a_broker_that_never_runs() -> None:
    broker = EmbeddedBroker(
        PREFIX, no_trust(Refusals()), came=lambda _: None, went=lambda _: None
    )
    port = broker.listen(["127.0.0.1"], 0)
    broker.close()
    assert broker.listen(["127.0.0.1"], port) == port
    broker.close()


async def test_amqtt_says_nothing_of_what_it_carries(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG", "edgenode")
    async with running() as it:
        client = await it.subscriber("n2")
        it.publish("instances/m", b"secret")
        await client.message()
        client.cut()
        await until(lambda: it.went == ["n2"])
    assert [each for each in caplog.records if each.levelname != "DEBUG"] == []
    assert "secret" not in caplog.text
