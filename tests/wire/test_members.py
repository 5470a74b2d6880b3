"""The listener for members: who is let in, for what, and what strangers can't do to it."""

import asyncio
import json
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from edgenode.clock import SystemClock
from edgenode.errors import PeerRefusedError, PeerUnavailableError
from edgenode.limits import MAX_CONNECTIONS_OF_A_NODE, MAX_HANDSHAKES_OF_AN_ADDRESS
from edgenode.rest import members
from edgenode.rest.callers import Audience
from edgenode.rest.cohort_services import cohort_operations
from edgenode.rest.hosting import Server
from edgenode.rest.streams import Answer, StreamOperation
from edgenode.security import listening
from edgenode.security.tls import Credentials
from edgenode.security.trust import Refusal
from tests.conftest import ROOT
from tests.model.house import CODEC
from tests.unit.security.samples import issued
from tests.wire.answering import Shelf
from tests.wire.http import Client, request_text
from tests.wire.nodes import PAST, Authority, Gate, Identity, asker, member_listener
from tests.wire.serving import BASE, SERVER, serving

HOST = "127.0.0.1"
CLOSE = {"Connection": "close"}
ORIGIN = "/open-metadata/platform-services/users/me/server-platform"
ANONYMOUS = f"/servers/{SERVER}/open-metadata/repository-services"
HIGHWAY = BASE + "/metadata-highway"
COHORT = "/edgenode/cohort"


@dataclass
class Stage:
    """A node that listens for members, and others that aren't there yet."""

    authority: Authority
    path: Path
    identity: Identity
    gate: Gate
    port: int = 0

    def other(self) -> Identity:
        return self.authority.node(self.path)

    async def connected(
        self, context: ssl.SSLContext | None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        name = None if context is None else ""
        return await asyncio.open_connection(
            HOST, self.port, ssl=context, server_hostname=name
        )


async def _told(request: object, path: dict[str, str]) -> Answer:
    raise AssertionError("nobody may get here")


OWN = StreamOperation("GET", COHORT + "/admin/members", "listMembers", _told)


@pytest.fixture
async def stage(tmp_path: Path, server: Server) -> AsyncIterator[Stage]:
    authority = Authority("cohort")
    stage = Stage(authority, tmp_path / "keys", authority.node(tmp_path), Gate())
    services = [*cohort_operations(Shelf(), CODEC), OWN]
    async with member_listener(
        stage.identity.server(), stage.gate, servers={SERVER: server}, services=services
    ) as stage.port:
        yield stage


async def test_a_node_of_the_cohort_asks_the_servers(stage: Stage) -> None:
    async with asker(stage.other().client(), lambda _: [(HOST, stage.port)]) as http:
        path = BASE + "/metadata-collection-id"
        status, headers, text = await http.request(stage.identity.node_id, "GET", path)
    assert status == 200
    assert headers["Content-Type"] == "application/json"
    assert b"MetadataCollectionIdResponse" in text
    assert stage.gate.refusals == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health/live", 200),
        ("GET", ORIGIN + "/origin", 200),
        ("GET", ANONYMOUS + "/metadata-collection-id", 200),
        ("GET", BASE + "/types/all", 200),
        ("GET", BASE + "/enterprise/types/all", 200),
        ("GET", HIGHWAY + "/cohort-descriptions", 200),
        ("GET", HIGHWAY + "/cohorts/c/remote-members", 200),
        ("GET", HIGHWAY + "/cohorts/c/connect", 403),
        ("GET", HIGHWAY + "/cohorts/c/disconnect", 403),
        ("GET", HIGHWAY + "/cohorts/c/unregister", 403),
        ("GET", "/health/ready", 403),
        ("GET", "/metrics", 403),
        ("GET", ORIGIN + "/servers", 403),
        ("GET", BASE + "/audit-log/report", 403),
        ("GET", ANONYMOUS + "/instances/entity/x", 403),
        ("GET", f"/edgenode/servers/{SERVER}/archive", 403),
        ("POST", f"/edgenode/servers/{SERVER}/archive", 403),
        ("POST", f"/edgenode/servers/{SERVER}/backups", 403),
        ("POST", f"/edgenode/servers/{SERVER}/backups/download", 403),
        ("GET", COHORT + "/admin/members", 403),
        ("GET", COHORT + "/nothing", 404),
        ("GET", COHORT + "/exchange", 405),
    ],
)
async def test_a_node_gets_what_is_for_nodes(
    stage: Stage, method: str, path: str, status: int
) -> None:
    async with asker(stage.other().client(), lambda _: [(HOST, stage.port)]) as http:
        answer = await http.request(stage.identity.node_id, method, path)
    assert answer.status == status


@pytest.mark.parametrize(
    ("path", "status"), [("/metadata-collection-id", 200), ("/types/all", 503)]
)
async def test_a_server_that_is_away_says_no_more_than_who_it_is(
    tmp_path: Path, server: Server, path: str, status: int
) -> None:
    authority = Authority("cohort")
    identity, other = authority.node(tmp_path), authority.node(tmp_path)
    away = replace(server, is_away=lambda: True)
    async with (
        member_listener(identity.server(), Gate(), servers={SERVER: away}) as port,
        asker(other.client(), lambda _: [(HOST, port)]) as http,
    ):
        answer = await http.request(identity.node_id, "GET", BASE + path)
    assert json.loads(answer.body)["relatedHTTPCode"] == status


@pytest.mark.parametrize("path", ["/exchange", "/key", "/members/x/types"])
async def test_users_learn_nothing_of_what_is_for_nodes(
    server: Server, path: str
) -> None:
    services = [*cohort_operations(Shelf(), CODEC), OWN]
    async with serving(SystemClock(), {SERVER: server}, services) as client:
        for method in ("GET", "POST", "OPTIONS"):
            assert (await client.request(method, COHORT + path)).status == 404


async def test_own_machine_only_is_not_for_proxies(server: Server) -> None:
    async with serving(SystemClock(), {SERVER: server}, [OWN]) as client:
        for path in (COHORT + "/admin/members", HIGHWAY + "/cohorts/c/unregister"):
            reply = await client.request(
                "GET", path, headers={"X-Forwarded-For": "192.0.2.1"}
            )
            assert reply.status == 403


def test_what_is_added_is_for_the_own_machine_unless_said() -> None:
    assert OWN.audience is Audience.OWN_MACHINE


@pytest.mark.parametrize("how", ["none", "foreign", "expired"])
async def test_no_good_certificate_is_refused_and_told(stage: Stage, how: str) -> None:
    match how:
        case "none":
            context = stage.other().client(certificate=False)
        case "foreign":
            stranger = Authority("cohort").node(stage.path)
            context = Identity(
                stranger.node_id, stranger.file, stage.identity.trusted
            ).client()
        case _:
            context = stage.authority.node(stage.path, ends=PAST).client()
    async with asker(context, lambda _: [(HOST, stage.port)]) as http:
        # Where the handshake fails on the other side, it shows as a lost connection.
        with pytest.raises((PeerRefusedError, PeerUnavailableError)):
            await http.request(stage.identity.node_id, "GET", "/health/live")
    assert set(await stage.gate.told(1)) == {Refusal.CERTIFICATE}


async def test_the_certificates_of_a_cohort_are_what_lets_nodes_in() -> None:
    one, two = [await asyncio.to_thread(issued, name) for name in ("one", "two")]
    removed: set[str] = set()
    gate = Gate(removed)
    ours, theirs = [
        await Credentials.opened(each.files, gone.__contains__)
        for each, gone in ((one, removed), (two, set[str]()))
    ]
    async with (
        member_listener(ours.server_context(), gate) as port,
        asker(theirs.client_context(), lambda _: [(HOST, port)]) as http,
    ):
        answer = await http.request(one.node_id, "GET", "/health/live", headers=CLOSE)
        assert answer.status == 200
        removed.add(two.node_id)
        answer = await http.request(one.node_id, "GET", "/health/live")
        assert answer.status == 403
        assert b"this node was removed from the cohort" in answer.body
    assert await gate.told(1) == [Refusal.REMOVED]


async def test_plain_http_is_refused(stage: Stage) -> None:
    reader, writer = await stage.connected(None)
    writer.write(request_text("GET", "/health/live"))
    assert b"live" not in await reader.read()
    writer.close()
    assert await stage.gate.told(1) == [Refusal.CERTIFICATE]


async def test_a_removed_node_is_told_so_and_nothing_else(stage: Stage) -> None:
    other, gate = stage.other(), stage.gate
    async with asker(other.client(), lambda _: [(HOST, stage.port)]) as http:
        node_id = stage.identity.node_id
        assert (await http.request(node_id, "GET", "/health/live")).status == 200
        gate.removed.add(other.node_id)
        for _ in range(2):  # on the old connection, and on a new one
            answer = await http.request(node_id, "POST", COHORT + "/exchange")
            assert answer.status == 403
            assert b"this node was removed from the cohort" in answer.body
    assert await stage.gate.told(1) == [Refusal.REMOVED]


async def test_a_removed_node_that_asks_nothing_is_cut(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "REMOVED_SECONDS", 0.0)
    other = stage.other()
    stage.gate.removed.add(other.node_id)
    reader, writer = await stage.connected(other.client())
    with suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()


async def test_removed_nodes_take_no_room(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "MAX_REMOVED_CONNECTIONS", 1)
    other = stage.other()
    stage.gate.removed.add(other.node_id)
    first, second = [await stage.connected(other.client()) for _ in range(2)]
    with suppress(ConnectionResetError):
        assert await second[0].read() == b""
    first[1].write(request_text("GET", "/health/live"))
    assert (await first[0].readline()).startswith(b"HTTP/1.1 403 ")
    for _, writer in (first, second):
        writer.transport.abort()


async def test_who_is_removed_loses_what_is_under_way(stage: Stage) -> None:
    other, another = stage.other(), stage.other()
    streams = [await stage.connected(each.client()) for each in (other, another)]
    for reader, writer in streams:
        writer.write(request_text("GET", "/health/live"))
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    assert stage.gate.server is not None
    stage.gate.server.disconnect(other.node_id)
    with suppress(ConnectionResetError):
        await streams[0][0].read()
    assert streams[0][0].at_eof() or streams[0][0].exception()
    reader, writer = streams[1]
    writer.write(request_text("GET", "/health/live"))
    await reader.readuntil(b"live")
    assert b"HTTP/1.1 200" in await reader.readuntil(b"\r\n") + await reader.read(64)
    for _, writer in streams:
        writer.transport.abort()


async def test_web_pages_are_refused_and_any_host_is_right(stage: Stage) -> None:
    async with asker(stage.other().client(), lambda _: [(HOST, stage.port)]) as http:
        node_id = stage.identity.node_id
        named = {"Host": "pi.local:9443"}
        paged = {"Sec-Fetch-Site": "cross-site"}
        answers = [
            await http.request(node_id, "GET", "/health/live", headers=headers)
            for headers in (named, paged)
        ]
    assert [answer.status for answer in answers] == [200, 403]


async def test_handshakes_that_stand_still_end(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "HANDSHAKE_SECONDS", 0.05)
    reader, writer = await stage.connected(None)
    writer.write(b"\x16\x03\x01")  # the beginning of a hello
    assert await reader.read() == b""
    writer.close()
    assert await stage.gate.told(1) == [Refusal.CERTIFICATE]


async def test_one_address_can_not_take_all_handshakes(stage: Stage) -> None:
    held = [
        await stage.connected(None) for _ in range(MAX_HANDSHAKES_OF_AN_ADDRESS + 1)
    ]
    reader, _ = held[-1]
    assert await reader.read() == b""
    assert await stage.gate.told(1) == [Refusal.BUSY]
    for _, writer in held:
        writer.write(b"no TLS\r\n\r\n")
    await stage.gate.told(1 + MAX_HANDSHAKES_OF_AN_ADDRESS)
    for _, writer in held:
        writer.close()
    async with asker(stage.other().client(), lambda _: [(HOST, stage.port)]) as http:
        answer = await http.request(stage.identity.node_id, "GET", "/health/live")
    assert answer.status == 200


async def test_one_node_can_not_take_all_connections(stage: Stage) -> None:
    context = stage.other().client()
    held = [await stage.connected(context) for _ in range(MAX_CONNECTIONS_OF_A_NODE)]
    for reader, writer in held:
        writer.write(request_text("GET", "/health/live"))
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    reader, writer = await stage.connected(context)
    with suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()
    assert await stage.gate.told(1) == [Refusal.BUSY]
    async with asker(stage.other().client(), lambda _: [(HOST, stage.port)]) as http:
        answer = await http.request(stage.identity.node_id, "GET", "/health/live")
        assert answer.status == 200
    for _, writer in held:
        writer.transport.abort()


async def test_an_open_cohort_lets_everybody_in(server: Server) -> None:
    async with member_listener(None, Gate(), servers={SERVER: server}) as port:
        client = Client(port)
        assert (await client.get(BASE + "/metadata-collection-id")).status == 200
        assert (await client.get("/metrics")).status == 403


async def test_leaving_ends_what_is_under_way(stage: Stage) -> None:
    gate = Gate()
    async with member_listener(stage.identity.server(), gate) as port:
        stage.port = port
        standing = await stage.connected(None)
        open_one = await stage.connected(stage.other().client())
    for reader, writer in (standing, open_one):
        assert await reader.read() == b""
        writer.close()
    with pytest.raises(OSError, match=r"[Cc]onnect"):
        await stage.connected(None)


async def test_ipv6_is_listened_on(stage: Stage) -> None:
    context = stage.identity.server()
    if not socket.has_ipv6:
        pytest.skip("there is no IPv6 here")
    async with (
        member_listener(context, Gate(), host="[::1]") as port,
        asker(stage.other().client(), lambda _: [("::1", port)]) as http,
    ):
        answer = await http.request(stage.identity.node_id, "GET", "/health/live")
    assert answer.status == 200


def test_all_addresses_of_a_machine_are_listened_on(tmp_path: Path) -> None:
    """In a network of its own, because no test may open a socket to others."""
    command = [
        "unshare",
        "--net",
        sys.executable,
        "-m",
        "tests.wire.alone",
        str(tmp_path),
    ]
    probe = subprocess.run(["unshare", "--net", "true"], check=False)  # noqa: S607
    if probe.returncode:
        pytest.skip("this machine forbids network namespaces")
    done = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["127.0.0.1", "::1", "scoped", "late"]


async def test_a_stop_waits_for_the_end_of_tls(tmp_path: Path) -> None:
    identity = Authority("cohort").node(tmp_path)
    async with member_listener(identity.server(), Gate()) as port:
        reader, writer = await asyncio.open_connection(
            HOST, port, ssl=identity.client(), server_hostname=""
        )
        writer.write(request_text("GET", "/health/live"))
        await reader.readline()
        transport = writer.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        asyncio.get_running_loop().call_later(0.2, transport.resume_reading)
    assert writer.is_closing()
