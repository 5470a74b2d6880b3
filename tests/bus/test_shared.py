"""The bus over a shared broker: a real mosquitto."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from edgenode.bus.base import Address, BusStatistics, Message
from edgenode.bus.packets import Refusal, connack_packet
from edgenode.bus.shared import SharedBroker, SharedBus
from edgenode.limits import MAX_MESSAGE_BYTES
from tests.bus.certificates import Authority, client_context
from tests.bus.client import Listener, RawClient, until
from tests.bus.mosquitto import free_port, mosquitto, needs_mosquitto

PREFIX = "edgenode/cohort/tag/"


class Node:
    """A bus that runs, with who listens to it."""

    def __init__(self, node_id: str, broker: SharedBroker) -> None:
        self.listener = Listener()
        self.returns: list[int] = []
        self.bus = SharedBus(
            node_id,
            PREFIX,
            Message(f"{PREFIX}lost/{node_id}", b"lost " + node_id.encode()),
            broker,
            came_back=lambda: self.returns.append(self.bus.statistics().reconnects),
            first_retry_seconds=0.05,
        )
        self.task = asyncio.create_task(self.bus.run(self.listener))

    async def is_up(self) -> None:
        await until(lambda: self.bus.statistics().links == 1)

    def publish(self, topic: str, payload: bytes, *, retained: bool = False) -> None:
        self.bus.publish(Message(PREFIX + topic, payload, retained))

    async def has_heard(self, topic: str, *payloads: bytes) -> None:
        await self.listener.until(
            lambda: self.listener.payloads(PREFIX + topic) == list(payloads)
        )

    def cut(self) -> None:
        """Break the connection as it is."""
        connection = self.bus._link._connection
        assert connection is not None
        connection._client.cut()
        connection._ended("cut by the test")


@asynccontextmanager
async def nodes(broker: SharedBroker, *names: str) -> AsyncIterator[list[Node]]:
    its = [Node(name, broker) for name in names]
    try:
        for node in its:
            await node.is_up()
        yield its
    finally:
        for node in its:
            node.task.cancel()
        await asyncio.gather(*(node.task for node in its), return_exceptions=True)


@needs_mosquitto
async def test_what_one_publishes_all_hear(tmp_path: Path) -> None:
    async with (
        mosquitto(tmp_path, "allow_anonymous true") as address,
        nodes(SharedBroker(address=address), "n1", "n2") as (one, two),
    ):
        payloads = [b"%d" % number for number in range(300)]
        for payload in payloads:
            one.publish("instances/m", payload)
        await two.has_heard("instances/m", *payloads)
        await one.has_heard("instances/m", *payloads)
        assert {link for link, _ in two.listener.messages} == {None}
        told = one.bus.statistics()
        assert told == BusStatistics(
            received=300,
            received_bytes=sum(map(len, payloads)),
            sent=300,
            sent_bytes=sum(map(len, payloads)),
            links=1,
        )
        assert one.bus._link._version == 5


@needs_mosquitto
async def test_a_broker_with_a_password_and_a_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    own = authority.issue("broker")
    passwords = tmp_path / "passwords"
    passwords.write_text("node:secret\n")
    passwords.chmod(0o600)
    hashing = await asyncio.create_subprocess_exec(
        "mosquitto_passwd", "-U", str(passwords)
    )
    assert await hashing.wait() == 0
    lines = [
        f"password_file {passwords}",
        f"cafile {authority.path}",
        f"certfile {own}",
        f"keyfile {own}",
    ]
    context = client_context(authority.path, None)
    async with mosquitto(tmp_path, *lines) as address:
        known = SharedBroker(
            address=address,
            tls=lambda: context,
            username="node",
            password="secret",  # noqa: S106
        )
        async with nodes(known, "n1", "n2") as (one, two):
            one.publish("instances/m", b"x")
            await two.has_heard("instances/m", b"x")
            stranger = Node("n3", SharedBroker(address=address, tls=lambda: context))
            await until(lambda: stranger.bus._link._is_mqtt5 is False)
            assert stranger.bus.statistics().links == 0
            stranger.task.cancel()
            await asyncio.gather(stranger.task, return_exceptions=True)


@needs_mosquitto
async def test_a_broken_connection_has_a_will_and_is_made_again(tmp_path: Path) -> None:
    async with (
        mosquitto(tmp_path, "allow_anonymous true") as address,
        nodes(SharedBroker(address=address), "n1", "n2") as (one, two),
    ):
        assert one.returns == []
        one.cut()
        await two.has_heard("lost/n1", b"lost n1")
        await one.is_up()
        assert one.returns == [1]
        assert two.returns == []
        one.publish("instances/m", b"back")
        await two.has_heard("instances/m", b"back")
        assert one.bus.statistics().reconnects == 1
        assert one.bus._link._version == 5


@needs_mosquitto
async def test_who_takes_leave_has_no_will_and_sends_what_it_has(
    tmp_path: Path,
) -> None:
    async with (
        mosquitto(tmp_path, "allow_anonymous true") as address,
        nodes(SharedBroker(address=address), "n1", "n2") as (one, two),
    ):
        for number in range(100):
            one.publish("instances/m", b"%d" % number)
        one.task.cancel()
        await asyncio.gather(one.task, return_exceptions=True)
        await two.has_heard("instances/m", *(b"%d" % number for number in range(100)))
        two.publish("instances/n", b"x")
        await two.has_heard("instances/n", b"x")
        assert two.listener.payloads(f"{PREFIX}lost/n1") == []


@needs_mosquitto
async def test_a_broker_that_begins_anew_is_told_what_is_retained(
    tmp_path: Path,
) -> None:
    port = free_port()
    broker = SharedBroker(address=Address("127.0.0.1", port))
    node = Node("n1", broker)
    node.publish("node/n1", b"before there is a broker", retained=True)
    node.publish("instances/m", b"lost")
    assert node.bus.statistics().dropped == 2
    try:
        for _ in range(2):
            async with mosquitto(tmp_path, "allow_anonymous true", port=port):
                await node.is_up()
                async with nodes(broker, "n2") as (late,):
                    await late.has_heard("node/n1", b"before there is a broker")
                    assert late.listener.payloads(f"{PREFIX}instances/m") == []
            await until(lambda: node.bus.statistics().links == 0)
    finally:
        node.task.cancel()
        await asyncio.gather(node.task, return_exceptions=True)


@needs_mosquitto
async def test_what_waits_for_a_broker_is_bounded(tmp_path: Path) -> None:
    async with (
        mosquitto(tmp_path, "allow_anonymous true") as address,
        nodes(SharedBroker(address=address), "n1") as (one,),
    ):
        one.publish("instances/m", bytes(MAX_MESSAGE_BYTES + 1))
        assert one.bus.statistics().dropped == 1
        for _ in range(6):
            one.publish("instances/m", bytes(1024 * 1024))
        assert one.bus.statistics().dropped == 3
        await until(lambda: not one.bus._link._connection._waiting)  # type: ignore[union-attr]
        assert one.bus._link._connection._waiting_bytes == 0  # type: ignore[union-attr]


async def test_a_broker_without_mqtt_5_is_spoken_to_in_3() -> None:
    levels: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = RawClient(reader, writer)
        connect = await client.packet()
        levels.append(connect[8])
        if levels[-1] == 5:
            client.send(connack_packet(Refusal.PROTOCOL_VERSION))
        else:
            client.send(b"\x20\x02\0\0")
            await client.packet()
            client.send(b"\x90\x03\0\x01\x01")
            await client.hung_up()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = Address("127.0.0.1", server.sockets[0].getsockname()[1])
    async with nodes(SharedBroker(address=address), "n1") as (one,):
        assert levels == [5, 4]
        one.cut()
        await until(lambda: len(levels) == 3)
        # What worked is kept to.
        assert levels == [5, 4, 4]
        await one.is_up()
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0.01)


async def test_neighbours_are_of_no_use_to_it() -> None:
    bus = SharedBus(
        "n1",
        PREFIX,
        Message("lost", b""),
        SharedBroker(address=Address("127.0.0.1", 1)),
    )
    bus.link({"n2": ()})
    assert bus.statistics() == BusStatistics()
