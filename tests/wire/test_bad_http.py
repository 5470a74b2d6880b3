"""Requests that are no good HTTP, too large, or many at once: the server goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from edgenode.limits import MAX_BODY_BYTES, MAX_DISCARDED_BYTES
from edgenode.rest import server
from tests.wire.http import JSON_TYPE, Client, Connection, request_text
from tests.wire.serving import BASE

pytestmark = pytest.mark.usefixtures("nothing_unforeseen")

ENTITY = BASE + "/instances/entity"
POST = f"POST {ENTITY} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON_TYPE}\r\n"
GET = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n"
PIECE = b" " * (1024 * 1024)


@pytest.fixture
async def connection(client: Client) -> AsyncIterator[Connection]:
    async with client.connected() as connection:
        yield connection


async def goes_on(client: Client) -> None:
    reply = await client.get(BASE + "/metadata-collection-id")
    assert reply.body["metadataCollectionId"] == "local-id"


@pytest.mark.parametrize(
    "text",
    [
        "\r\n\r\n\r\njunk\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/1.1\nHost: x\n\n",
        "GET / HTTP/7.0\r\nHost: localhost\r\n\r\n",
        "GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        f"GET /{'a' * 100_000} HTTP/1.1\r\nHost: localhost\r\n\r\n",
        GET + "A: b\r\n" * 5_000 + "\r\n",
        GET + f"A: {'b' * 100_000}\r\n\r\n",
        GET + f"{'a' * 100_000}: b\r\n\r\n",
        GET + "A: b\x00\r\n\r\n",
        GET + "A b\r\n\r\n",
        GET + " A: b\r\n\r\n",
        GET + "A : b\r\n\r\n",
        POST + "Content-Length: ten\r\n\r\n",
        POST + "Content-Length: -1\r\n\r\n",
        POST + "Content-Length: +5\r\n\r\n",
        POST + "Content-Length: 5, 5\r\n\r\n",
        POST + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        POST + f"Content-Length: {'9' * 10_000}\r\n\r\n",
        POST + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        POST + "Transfer-Encoding: gzip\r\n\r\n",
        POST + "Transfer-Encoding: chunked, chunked\r\n\r\n",
    ],
)
async def test_what_is_not_http_ends_the_connection(
    client: Client, connection: Connection, text: str
) -> None:
    await connection.send(text.encode("latin-1"))
    reply = await connection.reply()
    assert reply.status == 400
    assert b"Traceback" not in reply.text
    assert await connection.is_closed()
    await goes_on(client)


@pytest.mark.parametrize(
    "chunks",
    [
        b"zz\r\n",
        b"-1\r\n",
        b"ffffffffffffffffffff\r\n",
        b"5\r\nabc\r\n0\r\n\r\nxx",
    ],
)
async def test_a_broken_body_is_refused(
    client: Client, connection: Connection, chunks: bytes
) -> None:
    head = POST + "Transfer-Encoding: chunked\r\n\r\n"
    await connection.send(head.encode() + chunks)
    assert (await connection.reply()).status == 400
    await goes_on(client)


async def test_large_bodies_are_refused_while_others_are_answered(
    client: Client,
) -> None:
    body = b'{"class":"EntityCreateRequest","x":"%b"}' % (b"x" * 10_000_000)
    uploads = [asyncio.create_task(client.post(ENTITY, body)) for _ in range(4)]
    answered = 0
    while not all(upload.done() for upload in uploads):
        await goes_on(client)
        answered += 1
    assert answered > 1
    for upload in uploads:
        reply = upload.result()
        assert reply.status == 413
        assert reply.body["error"] == "Request Entity Too Large"
        assert reply.body["path"] == ENTITY


async def test_a_body_without_end_is_not_read_to_its_end(
    client: Client, connection: Connection
) -> None:
    await connection.send((POST + "Transfer-Encoding: chunked\r\n\r\n").encode())
    answer = asyncio.create_task(connection.reply())
    sent = 0
    while not answer.done():
        await connection.send(b"%x\r\n%b\r\n" % (len(PIECE), PIECE))
        await asyncio.sleep(0)
        sent += len(PIECE)
        assert sent < 4 * MAX_DISCARDED_BYTES
    assert (await answer).status == 413
    assert sent > MAX_BODY_BYTES
    await connection.send(b"0\r\n\r\n")
    await goes_on(client)


async def test_good_and_bad_requests_in_a_row_are_answered_in_order(
    client: Client, connection: Connection
) -> None:
    kinds = (
        (request_text("GET", ENTITY + "/x"), 200),
        (request_text("POST", ENTITY, b"{", content_type=JSON_TYPE), 400),
        (request_text("PUT", ENTITY), 405),
        (request_text("GET", "/nothing"), 404),
        (request_text("POST", ENTITY, b"x", content_type="text/plain"), 415),
        (request_text("GET", BASE + "/types/all"), 200),
    )
    rounds = 20
    texts = b"".join(text for text, _ in kinds) * rounds

    async def statuses() -> list[int]:
        return [(await connection.reply()).status for _ in range(rounds * len(kinds))]

    _, told = await asyncio.gather(connection.send(texts), statuses())
    assert told == [status for _, status in kinds] * rounds
    await goes_on(client)


async def test_many_callers_at_once_are_all_answered(client: Client) -> None:
    replies = await asyncio.gather(
        *(client.post(ENTITY, {"class": "EntityCreateRequest"}) for _ in range(200))
    )
    assert {reply.body["exceptionErrorMessageId"] for reply in replies} == {
        "OMRS-REPOSITORY-400-022"
    }


async def test_callers_who_hang_up_harm_nobody(client: Client) -> None:
    for text in (POST, POST + "Content-Length: 100\r\n\r\n{", GET + "\r\n", ""):
        async with client.connected() as connection:
            await connection.send(text.encode())
    await goes_on(client)


async def test_callers_beyond_the_bound_are_cut_off(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 2)
    async with client.connected() as first, client.connected() as second:
        for connection in (first, second):
            assert (await connection.request("GET", "/health/live")).status == 200
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await client.get("/health/live")
        assert (await first.request("GET", "/health/live")).status == 200
    while True:  # until the server has seen them go
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await goes_on(client)
            return
