"""Callers who stand still are let go, and hold nobody up meanwhile.

The times that a caller is given are short here. Nothing sleeps: others ask on until the
server has lost patience, which the slow caller's own socket tells.
"""

import asyncio
import gc
import select
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing

import pytest

from edgenode.limits import LARGE_BODIES, LARGE_BODY_BYTES, MAX_BODY_BYTES
from edgenode.rest import bodies, server, streams
from tests.wire.http import JSON_TYPE, Client, Connection, request_text
from tests.wire.serving import BASE

pytestmark = pytest.mark.usefixtures("nothing_unforeseen")

PATIENCE = 0.2
ENTITY = BASE + "/instances/entity"
ALL_TYPES = BASE + "/types/all"
LONG_ANSWERS, SHORT_ANSWERS = 16, 20_000
"""More of them than the system keeps on the way to somebody who doesn't read."""
ONE_TYPE = BASE + "/types/typedef/name/GlossaryTerm"


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "PEER_SECONDS", PATIENCE)
    monkeypatch.setattr(streams, "PEER_SECONDS", PATIENCE)
    monkeypatch.setattr(server, "IDLE_SECONDS", PATIENCE)


@pytest.fixture
async def connection(client: Client) -> AsyncIterator[Connection]:
    async with client.connected() as connection:
        yield connection


async def others_are_answered(client: Client) -> None:
    assert (await client.get("/health/live")).status == 200


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"GET",
        b"GET / HTTP/1.1\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: x\r\nA: ",
        request_text("GET", "/health/live")[:-2],
    ],
)
async def test_half_a_head_is_not_waited_for(
    client: Client, connection: Connection, text: bytes
) -> None:
    await connection.send(text)
    await others_are_answered(client)
    assert await connection.is_closed()


async def test_an_idle_connection_is_closed(
    client: Client, connection: Connection
) -> None:
    assert (await connection.request("GET", "/health/live")).status == 200
    await others_are_answered(client)
    assert await connection.is_closed()


@pytest.mark.parametrize("sent", [b"", b'{"class":"Entity'])
async def test_half_a_body_is_not_waited_for(
    client: Client, connection: Connection, sent: bytes
) -> None:
    headers = {"Content-Length": "100"}
    await connection.send(
        request_text("POST", ENTITY, content_type=JSON_TYPE, headers=headers) + sent
    )
    await others_are_answered(client)
    reply = await connection.reply()
    assert (reply.status, reply.body["error"]) == (408, "Request Timeout")
    assert reply.body["path"] == ENTITY
    await connection.send(b" " * (100 - len(sent)))
    assert await connection.is_closed()


async def test_a_body_that_trickles_is_not_waited_for(
    client: Client, connection: Connection
) -> None:
    headers = {"Transfer-Encoding": "chunked"}
    await connection.send(
        request_text("POST", ENTITY, content_type=JSON_TYPE, headers=headers)
    )
    answer = asyncio.create_task(connection.reply())
    while not answer.done():
        await connection.send(b"1\r\n \r\n")
        await others_are_answered(client)
    assert (await answer).status == 408
    await connection.send(b"0\r\n\r\n")
    assert await connection.is_closed()


async def test_large_bodies_wait_for_their_turn(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = {"Content-Length": str(LARGE_BODY_BYTES)}
    head = request_text("POST", ENTITY, content_type=JSON_TYPE, headers=large)
    monkeypatch.setattr(bodies, "PEER_SECONDS", 30)
    async with AsyncExitStack() as stack:
        for _ in range(LARGE_BODIES):
            slow = await stack.enter_async_context(client.connected())
            await slow.send(head + b" ")
            await others_are_answered(client)
        monkeypatch.setattr(bodies, "PEER_SECONDS", PATIENCE)
        one_more = await stack.enter_async_context(client.connected())
        await one_more.send(head + b" ")
        reply = await one_more.reply()
        assert reply.status == 503
        assert reply.body["message"] == "too many large bodies at a time"
        await one_more.send(b" " * (LARGE_BODY_BYTES - 1))
        small = {"class": "EntityCreateRequest"}
        assert (await client.post(ENTITY, small)).status == 200
    large_body = {"class": "EntityCreateRequest", "unknown": " " * LARGE_BODY_BYTES}
    assert (await client.post(ENTITY, large_body)).status == 200


def held_pieces() -> int:
    """Bytes in lists of pieces, those that nobody can reach any more as well."""
    return sum(
        len(piece)
        for each in gc.get_objects()
        if type(each) is list
        for piece in each
        if type(piece) is bytes and len(piece) > 1_000 and piece.isspace()
    )


async def test_a_large_body_that_breaks_off_is_not_kept(client: Client) -> None:
    large = {"Content-Length": str(MAX_BODY_BYTES)}
    head = request_text("POST", ENTITY, content_type=JSON_TYPE, headers=large)
    sent = MAX_BODY_BYTES // 2
    gc.disable()
    try:
        async with client.connected() as broken:
            await broken.send(head + b" " * sent)
            while held_pieces() < sent // 2:
                await others_are_answered(client)
        for _ in range(50):
            await others_are_answered(client)
        assert held_pieces() == 0
    finally:
        gc.enable()


# Answers that nobody reads


@asynccontextmanager
async def deaf(client: Client) -> AsyncIterator[socket.socket]:
    """A connection whose answers aren't read, with little room for them on the way."""
    with closing(socket.socket()) as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        caller.setblocking(False)
        await asyncio.get_running_loop().sock_connect(
            caller, ("127.0.0.1", client.port)
        )
        yield caller


async def let_go(client: Client, caller: socket.socket) -> None:
    """Ask on until the server has cut a connection."""
    poll = select.poll()
    poll.register(caller, 0)  # hanging up and errors are always told
    while not poll.poll(0):
        await others_are_answered(client)


async def test_long_answers_that_nobody_reads_are_given_up(client: Client) -> None:
    async with deaf(client) as caller:
        requests = request_text("GET", ALL_TYPES) * LONG_ANSWERS
        await asyncio.get_running_loop().sock_sendall(caller, requests)
        counted = 'edgenode_request_failures_total{operation="getAllTypes"} 1'
        while counted not in (await client.get("/metrics")).text.decode():
            await others_are_answered(client)


@pytest.mark.parametrize("path", [ONE_TYPE, "/metrics"])
async def test_many_short_answers_that_nobody_reads_are_given_up(
    client: Client, path: str
) -> None:
    async with deaf(client) as caller:
        requests = request_text("GET", path) * SHORT_ANSWERS
        sending = asyncio.create_task(
            asyncio.get_running_loop().sock_sendall(caller, requests)
        )
        await let_go(client, caller)
        await asyncio.wait({sending})
