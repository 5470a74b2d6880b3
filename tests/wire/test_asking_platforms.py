"""Questions to genuine members: where they may be, who they are, and bad answers."""

import asyncio
import re
import socket
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from edgenode.connectors.connection import Connection, Endpoint, VirtualConnection
from edgenode.errors import PeerRefusedError, PeerUnavailableError
from edgenode.federation import http as federation_http
from edgenode.federation.platform_http import (
    PlatformCaller,
    PlatformHttp,
    platform_http,
    resolving,
)
from edgenode.rest.hosting import Server
from edgenode.security.platforms import UnusableFileError
from tests.wire.platforms import certified, kafka_cohort, platform_listener
from tests.wire.serving import SERVER

HOST = "127.0.0.1"
SECONDS = 30.0
SERVICES = "/open-metadata/repository-services/users/me"
SECRET = "secret: one"  # noqa: S105 - of this test alone
CLOSE = {"Connection": "close"}


def connection(address: str | None) -> Connection:
    return Connection(endpoint=Endpoint(address=address))


def at(port: int, host: str = HOST, scheme: str = "http") -> Connection:
    return connection(f"{scheme}://{host}:{port}/servers/{SERVER}")


async def ask(http: PlatformHttp, told: Connection) -> tuple[int, bytes]:
    """The status and body of a member's answer to who it is."""
    caller = PlatformCaller(http, "mds", told)
    path = f"{caller.prefix}{SERVICES}/metadata-collection-id"
    status, _, body = await caller.request("GET", path, None, CLOSE)
    return status, body


class Names:
    """Looks names up in a list of answers, the last of which holds on."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.asked: list[str] = []
        self._answers = list(answers)

    async def resolve(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@asynccontextmanager
async def scripted(answer: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A port where every request gets one answer; gives the heads of those, too."""
    heads: list[bytes] = []

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        await reader.readexactly(int(length[1]) if length else 0)
        heads.append(head)
        with suppress(ConnectionError):
            writer.write(answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(reply, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1], heads
    finally:
        server.close()
        await server.wait_closed()


async def test_a_member_is_asked_in_plain_http(server: Server) -> None:
    config = kafka_cohort()
    async with (
        platform_listener(config, {SERVER: server}) as port,
        platform_http(config) as http,
    ):
        status, body = await ask(http, at(port))
        assert status == 200
        assert b"MetadataCollectionIdResponse" in body
        caller = PlatformCaller(http, "mds", at(port))
        status, _, body = await caller.request(
            "POST",
            f"{caller.prefix}{SERVICES}/instances/entities",
            b'{"class":"EntityFindRequest"}',
            {"Content-Type": "application/json"},
        )
    assert (status, body[:29]) == (200, b'{"class":"EntityListResponse"')


async def test_https_leads_to_whom_the_authority_vouches_for(
    server: Server, tmp_path: Path
) -> None:
    ours, others = (
        certified(tmp_path / "a", "pi.plant"),
        certified(tmp_path / "b", HOST),
    )
    config = kafka_cohort(
        transport="https", certificate_file=ours.certificate, key_file=ours.key
    )
    names = Names([HOST])
    async with platform_listener(config, {SERVER: server}) as port:
        trusting = kafka_cohort(transport="https", ca_file=ours.ca)
        async with platform_http(trusting, names.resolve) as http:
            assert (await ask(http, at(port, "pi.plant", "https")))[0] == 200
            with pytest.raises(PeerRefusedError, match=r"certificate.*mismatch"):
                await ask(http, at(port, "other.plant", "https"))
            with pytest.raises(PeerRefusedError, match=r"certificate.*mismatch"):
                await ask(http, at(port, HOST, "https"))
        doubting = kafka_cohort(transport="https", ca_file=others.ca)
        async with platform_http(doubting, names.resolve) as http:
            with pytest.raises(PeerRefusedError, match="certificate"):
                await ask(http, at(port, "pi.plant", "https"))


async def test_an_authority_that_is_not_there_is_named(tmp_path: Path) -> None:
    config = kafka_cohort(transport="https", ca_file=tmp_path / "ca.pem")
    with pytest.raises(UnusableFileError, match=r"ca\.pem"):
        async with platform_http(config):
            raise AssertionError("nobody gets here")


async def test_what_the_registration_tells_is_what_is_logged_in_with(
    server: Server, tmp_path: Path
) -> None:
    password = tmp_path / "password"
    password.write_text(SECRET)
    config = kafka_cohort(user="platform", password_file=password)
    async with (
        platform_listener(config, {SERVER: server}) as port,
        platform_http(config) as http,
    ):
        nobody = at(port)
        somebody = replace(nobody, user_id="platform")
        right = replace(somebody, clear_password=SECRET)
        wrong = replace(somebody, clear_password="")
        told = [(await ask(http, each))[0] for each in (nobody, somebody, right, wrong)]
    assert told == [401, 401, 200, 401]


# Where a member may be


async def test_addresses_elsewhere_are_not_asked() -> None:
    async with (
        scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as (port, heads),
        platform_http(kafka_cohort(["10.1.2.0/24"])) as http,
    ):
        with pytest.raises(
            PeerRefusedError, match=r"127\.0\.0\.1.*kafka_cohort\.admit"
        ):
            await ask(http, at(port))
        with pytest.raises(PeerRefusedError, match=r"::1.*kafka_cohort\.admit"):
            await ask(http, at(port, "[::1]"))
        with pytest.raises(PeerRefusedError, match=r"kafka_cohort\.admit"):
            await ask(http, at(port, "[::ffff:127.0.0.1]"))
        # What is nearly one would be connected to as it stands.
        for host in ("127.1", "2130706433", "[::ffff:127.0.0.1%0000000000000001]"):
            with pytest.raises(PeerRefusedError, match="no address"):
                await ask(http, at(port, host))
        with pytest.raises(PeerRefusedError, match=r"kafka_cohort\.admit"):
            await ask(http, at(port, "localhost"))
    assert heads == []


async def test_names_are_checked_by_what_they_stand_for(server: Server) -> None:
    names = Names(["10.9.9.9", HOST], [HOST], ["10.9.9.9"], ["10.9.9.9", "fd00::1"])
    async with (
        platform_listener(kafka_cohort(), {SERVER: server}) as port,
        platform_http(kafka_cohort(["127.0.0.1"]), names.resolve) as http,
    ):
        told = at(port, "mds.plant")
        assert (await ask(http, told))[0] == 200
        assert (await ask(http, told))[0] == 200
        # What it stood for before doesn't count any more, nor what it may stand for later.
        with pytest.raises(PeerRefusedError, match=r"mds.plant \(10\.9\.9\.9\)"):
            await ask(http, told)
        with pytest.raises(PeerRefusedError, match=r"\(10\.9\.9\.9, fd00::1\)"):
            await ask(http, told)
    assert names.asked == ["mds.plant"] * 4


async def test_a_name_is_looked_up_once_for_a_connection(server: Server) -> None:
    """So that what is connected to is what was checked."""
    names = Names([HOST], ["127.0.0.2"])
    async with (
        platform_listener(kafka_cohort(["127.0.0.1"]), {SERVER: server}) as port,
        platform_http(kafka_cohort(), names.resolve) as http,
    ):
        assert (await ask(http, at(port, "mds.plant")))[0] == 200
    assert names.asked == ["mds.plant"]


async def test_names_are_looked_up_by_the_system() -> None:
    async with resolving() as resolve:
        assert set(await resolve("localhost")) <= {HOST, "::1"}


async def test_names_that_nobody_answers_for_hold_up_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop, is_over, busy = asyncio.get_running_loop(), threading.Event(), asyncio.Event()

    def unanswered(*_: object, **__: object) -> list[object]:
        loop.call_soon_threadsafe(busy.set)
        is_over.wait()
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", unanswered)
    async with platform_http(kafka_cohort()) as http:
        asking = [
            asyncio.create_task(ask(http, at(80, f"mds{each}.plant")))
            for each in range(100)
        ]
        async with asyncio.timeout(SECONDS):
            await busy.wait()
            assert await asyncio.to_thread(str, "done") == "done"
        for task in asking:
            task.cancel()
        is_over.set()
        await asyncio.gather(*asking, return_exceptions=True)


async def test_a_name_that_is_not_known_is_told() -> None:
    async def unknown(host: str) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async with platform_http(kafka_cohort(), unknown) as http:
        with pytest.raises(PeerUnavailableError):
            await ask(http, at(80, "mds.plant"))


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (Connection(), "tells no address"),
        (connection(None), "tells no address"),
        (connection("mds"), "no address"),
        (connection("http://"), "no address"),
        (connection("http://mds:99999/servers/mds"), "no address"),
        (connection("http://[::1/servers/mds"), "no address"),
        (connection("http://me:secret@127.0.0.1/servers/mds"), "no address"),
        (connection("http://127.0.0.1/servers/mds?x=1"), "no address"),
        (connection("http://127.0.0.1/servers/mds#x"), "no address"),
        (connection("https://127.0.0.1/servers/mds"), "kafka_cohort.transport, http"),
        (connection("file:///etc/passwd"), "no address"),
        (connection("http://192.0.2.1/servers/mds"), "kafka_cohort.admit"),
    ],
)
async def test_a_member_that_can_not_be_asked_says_why(
    told: Connection, reason: str
) -> None:
    async with platform_http(kafka_cohort()) as http:
        with pytest.raises(PeerRefusedError, match=reason):
            await ask(http, told)


async def test_other_kinds_of_connections_and_paths_are_taken() -> None:
    async with platform_http(kafka_cohort()) as http:
        told = VirtualConnection(
            endpoint=Endpoint(address="http://127.0.0.1/egeria/servers/a%20b/")
        )
        assert PlatformCaller(http, "mds", told).prefix == "/egeria/servers/a%20b"


# Bad answers


async def test_redirections_are_not_followed() -> None:
    async with (
        scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as (port, heads),
        scripted(
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/\r\n"
            b"Content-Length: 0\r\n\r\n" % port
        ) as (redirecting, _),
        platform_http(kafka_cohort()) as http,
    ):
        assert (await ask(http, at(redirecting)))[0] == 302
    assert heads == []


@pytest.mark.parametrize(
    "answer",
    [
        b"Content-Length: 100\r\n\r\n" + b"x" * 100,
        b"Transfer-Encoding: chunked\r\n\r\n64\r\n" + b"x" * 100 + b"\r\n0\r\n\r\n",
    ],
)
async def test_an_answer_that_is_too_large_is_not_taken(
    answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(federation_http, "MAX_PEER_ANSWER_BYTES", 99)
    answer = b"HTTP/1.1 200 OK\r\n" + answer
    async with (
        scripted(answer) as (port, _),
        platform_http(kafka_cohort()) as http,
    ):
        with pytest.raises(PeerUnavailableError, match="too large"):
            await ask(http, at(port))


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200", b"SSH-2.0-x\r\n\r\n"])
async def test_a_member_that_speaks_no_http_is_not_there(answer: bytes) -> None:
    async with (
        scripted(answer) as (port, _),
        platform_http(kafka_cohort()) as http,
    ):
        with pytest.raises(PeerUnavailableError):
            await ask(http, at(port))


async def test_nothing_is_sent_but_what_has_to_be() -> None:
    async with (
        scripted(
            b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
        ) as (port, heads),
        platform_http(kafka_cohort()) as http,
    ):
        for _ in range(2):
            await ask(http, at(port))
    names = [
        {line.split(b":")[0].lower() for line in head.split(b"\r\n")[1:] if line}
        for head in heads
    ]
    assert names == [{b"host", b"accept", b"connection"}] * 2
