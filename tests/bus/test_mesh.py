"""The mesh: real brokers and real TLS on the loopback interface."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from edgenode.bus.base import Address, Message
from edgenode.bus.mesh import MeshBus
from edgenode.bus.packets import (
    Refusal,
    connack_packet,
    publish_packet,
    suback_packet,
)
from edgenode.limits import MAX_MESSAGE_BYTES
from tests.bus.certificates import Authority, Refusals, no_trust, trust_of
from tests.bus.client import Listener, RawClient, until

PREFIX = "edgenode/cohort/tag/"


class Node:
    """A bus that runs, with who listens to it."""

    def __init__(self, mesh: "Mesh", node_id: str, port: int = 0) -> None:
        self.mesh = mesh
        self.node_id = node_id
        self.listener = Listener()
        trust = (
            no_trust(mesh.refusals)
            if mesh.authority is None
            else trust_of(mesh.authority, node_id, mesh.refusals)
        )
        self.bus = MeshBus(
            node_id,
            PREFIX,
            Message(f"{PREFIX}lost/{node_id}", b"lost " + node_id.encode()),
            trust,
            first_retry_seconds=0.05,
        )
        self.port = self.bus.listen(["127.0.0.1", "::1"], port)
        self.task = asyncio.create_task(self.bus.run(self.listener))

    @property
    def addresses(self) -> tuple[Address, ...]:
        return (Address("127.0.0.1", self.port), Address("::1", self.port))

    def link(self, *others: "Node") -> None:
        self.bus.link({other.node_id: other.addresses for other in others})

    async def linked(self, *others: "Node") -> None:
        """Link to other nodes, and wait until that is so."""
        self.link(*others)
        await self.is_linked(*others)

    async def is_linked(self, *others: "Node") -> None:
        wanted = {(other.node_id, True) for other in others}
        await self.listener.until(lambda: wanted <= set(self.listener.changes))

    async def has_heard(self, count: int, topic: str) -> None:
        await self.listener.until(
            lambda: len(self.listener.payloads(PREFIX + topic)) == count
        )

    async def started(self) -> "Node":
        await until(lambda: self.bus._listener is not None)
        return self

    def publish(self, topic: str, payload: bytes, *, retained: bool = False) -> None:
        self.bus.publish(Message(PREFIX + topic, payload, retained))

    async def stop(self) -> None:
        self.task.cancel()
        (outcome,) = await asyncio.gather(self.task, return_exceptions=True)
        assert isinstance(outcome, asyncio.CancelledError)

    def cut_transports(self) -> None:
        """Break all connections to its broker, as pulling a cable does."""
        for gate in list(self.bus._broker._gates.values()):
            gate.cut()


class Mesh:
    def __init__(self, authority: Authority | None) -> None:
        self.authority = authority
        self.refusals = Refusals()
        self.nodes: list[Node] = []

    def node(self, node_id: str, port: int = 0) -> Node:
        node = Node(self, node_id, port)
        self.nodes.append(node)
        return node


@asynccontextmanager
async def mesh(directory: Path | None) -> AsyncIterator[Mesh]:
    """A mesh with TLS where there is a directory for its certificates."""
    it = Mesh(None if directory is None else Authority(directory))
    try:
        yield it
    finally:
        for node in it.nodes:
            node.task.cancel()
        await asyncio.gather(*(node.task for node in it.nodes), return_exceptions=True)


async def test_200_messages_a_second_arrive_all_and_in_order(tmp_path: Path) -> None:
    async with mesh(tmp_path) as it:
        one, two, three = (it.node(name) for name in ("n1", "n2", "n3"))
        await two.linked(one)
        await three.linked(one, two)
        loop = asyncio.get_running_loop()
        start = loop.time()
        payloads = [b"%d" % number + bytes(2000) for number in range(200)]
        for number, payload in enumerate(payloads):
            await asyncio.sleep(start + number / 200 - loop.time())
            one.publish("instances/m", payload)
        for node in (two, three):
            await node.has_heard(200, "instances/m")
            assert node.listener.payloads(f"{PREFIX}instances/m") == payloads
            assert {link for link, _ in node.listener.messages} == {"n1"}
        assert it.refusals == []
        told = one.bus.statistics()
        assert (told.sent, told.dropped, told.peers, told.links) == (400, 0, 2, 0)
        told = three.bus.statistics()
        assert (told.received, told.links, told.peers) == (200, 2, 0)
        assert told.received_bytes == sum(map(len, payloads))


async def test_what_is_retained_reaches_who_is_linked_later(tmp_path: Path) -> None:
    async with mesh(tmp_path) as it:
        one, two = it.node("n1"), it.node("n2")
        one.publish("node/n1", b"I am n1", retained=True)
        await until(lambda: not one.bus._broker._waiting._messages)
        two.link(one)
        await two.listener.until(lambda: bool(two.listener.messages))
        assert two.listener.messages == [
            ("n1", Message(f"{PREFIX}node/n1", b"I am n1", True))
        ]
        assert two.listener.changes == [("n1", True)]


async def test_a_broker_that_comes_back_is_found_again(tmp_path: Path) -> None:
    async with mesh(tmp_path) as it:
        one, two = it.node("n1"), it.node("n2")
        await two.linked(one)
        await one.stop()
        await two.listener.until(lambda: ("n1", False) in two.listener.changes)
        again = it.node("n1", one.port)
        await two.listener.until(lambda: two.listener.changes[-1] == ("n1", True))
        again.publish("instances/m", b"back")
        await two.listener.until(lambda: bool(two.listener.messages))
        assert two.listener.changes == [("n1", True), ("n1", False), ("n1", True)]
        assert two.bus.statistics().reconnects == 1


async def test_a_node_whose_connection_breaks_is_told_of(tmp_path: Path) -> None:
    async with mesh(tmp_path) as it:
        one, two, three = (it.node(name) for name in ("n1", "n2", "n3"))
        await two.linked(one)
        await three.linked(one)
        # Once it is cut off it isn't to come back before all has been told.
        two.bus._wanted.clear()
        one.bus._broker.disconnect("n2")
        await one.listener.until(lambda: ("n2", False) in one.listener.changes)
        await three.listener.until(lambda: bool(three.listener.messages))
        assert three.listener.messages == [
            ("n1", Message(f"{PREFIX}lost/n2", b"lost n2"))
        ]
        await two.listener.until(lambda: ("n1", False) in two.listener.changes)


async def test_who_takes_leave_has_no_last_will(tmp_path: Path) -> None:
    async with mesh(tmp_path) as it:
        one, two, three = (it.node(name) for name in ("n1", "n2", "n3"))
        await two.linked(one)
        await three.linked(one)
        two.link()
        await one.listener.until(lambda: ("n2", False) in one.listener.changes)
        await three.stop()
        await one.listener.until(lambda: ("n3", False) in one.listener.changes)
        assert three.listener.messages == []
        assert two.listener.messages == []
        # Who ends is told nothing any more.
        assert three.listener.changes == [("n1", True)]


async def test_links_are_made_broken_and_moved_as_told(tmp_path: Path) -> None:
    async with mesh(tmp_path) as it:
        one, two = it.node("n1"), it.node("n2")
        await one.started()
        dead = (Address("127.0.0.1", 1),)
        one.bus.link({"n1": one.addresses, "n2": dead})
        link = one.bus._neighbours["n2"].link
        assert list(one.bus._neighbours) == ["n2"]
        one.bus.link({"n2": two.addresses})
        await one.listener.until(lambda: ("n2", True) in one.listener.changes)
        assert one.bus._neighbours["n2"].link is link
        # What works stays, whatever other addresses there are.
        one.bus.link({"n2": dead + two.addresses})
        two.publish("instances/m", b"1")
        await one.listener.until(lambda: bool(one.listener.messages))
        assert one.listener.changes == [("n2", True)]
        one.bus.link({})
        await one.listener.until(lambda: ("n2", False) in one.listener.changes)
        await until(lambda: two.bus.statistics().peers == 0)
        # What went over a link that is no more is still counted.
        assert one.bus.statistics().received == 1


async def test_a_link_follows_the_order_of_the_addresses(tmp_path: Path) -> None:
    async with mesh(tmp_path) as it:
        one, two, three = it.node("n1"), it.node("n2"), it.node("n3")
        await one.started()
        # Another node is where somebody announced this one.
        one.bus.link({"n2": three.addresses + two.addresses})
        await until(lambda: one.bus.statistics().refused > 0)
        one.bus.link({"n2": two.addresses + three.addresses})
        await one.listener.until(lambda: ("n2", True) in one.listener.changes)


async def test_links_that_are_told_before_it_runs_are_made_then() -> None:
    async with mesh(None) as it:
        one, two = it.node("n1"), it.node("n2")
        two.link(one)
        await two.listener.until(lambda: ("n1", True) in two.listener.changes)


async def test_another_node_at_the_address_is_not_subscribed_to(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="edgenode.bus.mqtt")
    async with mesh(tmp_path) as it:
        one, two = it.node("n1"), it.node("n2")
        two.bus.link({"n9": one.addresses})
        await until(lambda: two.bus.statistics().refused > 2)
        # Told once, not with each try.
        assert caplog.text.count("another node answers there") == 1
        assert two.listener.changes == []
        assert one.bus.statistics().peers == 0


async def test_a_broker_of_another_cohort_is_not_subscribed_to(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    async with mesh(tmp_path) as it, mesh(other) as foreign:
        one, two = foreign.node("n1"), it.node("n2")
        two.link(one)
        await until(lambda: len(foreign.refusals) > 1)
        assert two.listener.changes == []


async def test_a_node_that_is_not_trusted_any_more_is_left(tmp_path: Path) -> None:
    async with mesh(tmp_path) as it:
        one, two = it.node("n1"), it.node("n2")
        await two.linked(one)
        await one.linked(two)
        two.bus._wanted.clear()
        one.bus.disconnect("n2")
        await until(
            lambda: (one.bus.statistics().links, one.bus.statistics().peers) == (0, 0)
        )


def link_frames(node: Node, other: str) -> list[str]:
    """What the link to another node is doing."""
    coroutine: Any = node.bus._neighbours[other].task.get_coro()
    names = []
    while coroutine is not None and hasattr(coroutine, "cr_code"):
        names.append(coroutine.cr_code.co_name)
        coroutine = coroutine.cr_await
    return names


async def test_a_peer_that_comes_is_tried_at_once() -> None:
    async with mesh(None) as it:
        one, two = it.node("n1"), it.node("n2")
        await two.started()
        two.bus._first_retry_seconds = 3600.0
        two.bus.link({"n1": (Address("127.0.0.1", 1),)})
        link = two.bus._neighbours["n1"].link
        await until(lambda: "_pause" in str(link_frames(two, "n1")))
        link.addresses = one.addresses
        one.link(two)
        await two.listener.until(lambda: ("n1", True) in two.listener.changes)


async def test_cables_are_pulled_again_and_again(tmp_path: Path) -> None:
    async with mesh(tmp_path) as it:
        nodes = [it.node(f"n{number}") for number in range(3)]
        for node in nodes:
            await node.linked(*(other for other in nodes if other is not node))
        for round_number in range(3):
            for node in nodes:
                node.listener.changes.clear()
                node.cut_transports()
            for node in nodes:
                await node.is_linked(*(other for other in nodes if other is not node))
            topic = f"instances/{round_number}"
            for node in nodes:
                node.publish(topic, node.node_id.encode())
            for node in nodes:
                await node.has_heard(2, topic)
        assert it.refusals == []


async def test_a_large_message_passes() -> None:
    async with mesh(None) as it:
        one, two = it.node("n1"), it.node("n2")
        await two.linked(one)
        payload = bytes(MAX_MESSAGE_BYTES)
        one.publish("instances/m", payload)
        await two.listener.until(lambda: bool(two.listener.messages))
        assert two.listener.messages[0][1].payload == payload


# Brokers that don't behave


@asynccontextmanager
async def false_broker(
    *answers: bytes,
) -> AsyncIterator[tuple[Address, list[RawClient]]]:
    """Accepts, subscribes, and then sends what it likes."""
    clients: list[RawClient] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = RawClient(reader, writer)
        clients.append(client)
        await client.packet()
        client.send(b"\x20\x02\0\0")
        await client.packet()
        client.send(suback_packet(1, b"\0"))
        for answer in answers:
            client.send(answer)
        await client.hung_up()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Address("127.0.0.1", server.sockets[0].getsockname()[1]), clients
    finally:
        server.close()
        for client in clients:
            client.cut()
        await server.wait_closed()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x30\xff\xff\xff\x7f" + bytes(100),
        b"\x30\xff\xff\xff\xff\xff",
        b"\x30\x00",
        b"\x30\x03\0\x09a",
        b"\x30\x05\0\x01\xffxx",
        b"\x34\x07\0\x01a\0\x01xx",
        b"\xf0\x00",
        b"\x20\x00",
        b"\x90\x01\x00",
        b"\x62\x01\x00",
    ],
)
async def test_nonsense_of_a_broker_ends_the_connection(nonsense: bytes) -> None:
    async with mesh(None) as it, false_broker(nonsense) as (address, clients):
        one = it.node("n1")
        one.bus.link({"n2": (address,)})
        await one.listener.until(lambda: ("n2", False) in one.listener.changes)
        # And it is tried again.
        await until(lambda: len(clients) > 1)
        assert one.listener.messages == []


async def test_a_fault_of_ours_does_not_end_the_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    packets = [publish_packet("a", payload, retained=False) for payload in (b"1", b"2")]
    async with mesh(None) as it, false_broker(*packets) as (address, clients):
        one = it.node("n1")
        whole = one.listener.received

        def fails_once(message: Message, link: str | None) -> None:
            if message.payload == b"1":
                raise ZeroDivisionError
            whole(message, link)

        one.listener.received = fails_once  # type: ignore[method-assign]
        one.bus.link({"n2": (address,)})
        await one.listener.until(lambda: bool(one.listener.messages))
        assert len(clients) == 1
        assert "could not be taken in" in caplog.text


async def test_a_broker_that_never_answers_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edgenode.bus.mqtt.CONNECT_SECONDS", 0.1)
    silent = asyncio.Event()
    count = 0

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        await silent.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with mesh(None) as it:
        one = it.node("n1")
        port = server.sockets[0].getsockname()[1]
        one.bus.link({"n2": (Address("127.0.0.1", port),)})
        await until(lambda: count > 1)
        assert one.listener.changes == []
    silent.set()
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0.01)


async def test_a_broker_that_falls_silent_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As one does whose cable is pulled: nothing ends the connection."""
    keepalive = 1
    monkeypatch.setattr("edgenode.bus.mqtt.BUS_KEEPALIVE_SECONDS", keepalive)
    monkeypatch.setattr("edgenode.bus.mqtt.BUS_CHECK_SECONDS", 0.05)
    time = asyncio.get_running_loop().time
    async with false_broker() as (address, _), mesh(None) as it:
        one = it.node("n1")
        one.bus.link({"n2": (address,)})
        await one.listener.until(lambda: ("n2", True) in one.listener.changes)
        linked = time()
        await one.listener.until(lambda: ("n2", False) in one.listener.changes)
        # It is asked for a sign of life first, and has as long again to give one.
        assert time() - linked > keepalive


async def test_a_refused_connection_is_tried_again() -> None:
    count = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        await RawClient(reader, writer).packet()
        writer.write(connack_packet(Refusal.UNAVAILABLE))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with mesh(None) as it:
        one = it.node("n1")
        port = server.sockets[0].getsockname()[1]
        one.bus.link({"n2": (Address("127.0.0.1", port),)})
        await until(lambda: count > 1)
        assert one.listener.changes == []
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0.01)
