"""The listener for genuine members: who is let in, how, and what is answered there."""

import asyncio
import ssl
from base64 import b64encode
from contextlib import suppress
from pathlib import Path

import pytest

from edgenode.rest import platforms
from edgenode.rest.hosting import Server
from edgenode.rest.mounts import member_operations
from edgenode.security.platforms import UnusableFileError
from edgenode.security.trust import Refusal
from tests.wire.calls import example, operations
from tests.wire.http import Client, Connection, request_text
from tests.wire.platforms import certified, kafka_cohort, platform_listener
from tests.wire.serving import BASE, SERVER

HOST = "127.0.0.1"
OTHER_HOST = "127.0.0.2"
ASKED = BASE + "/metadata-collection-id"
REPOSITORY = "/servers/{serverName}/open-metadata/repository-services"


def basic(text: str, scheme: str = "Basic") -> dict[str, str]:
    return {"Authorization": f"{scheme} {b64encode(text.encode()).decode()}"}


class Complaints:
    """What was refused, with whoever waits for it."""

    def __init__(self) -> None:
        self.all: list[tuple[Refusal, str]] = []
        self._more = asyncio.Event()

    def refused(self, reason: Refusal, address: str, detail: str) -> None:
        self.all.append((reason, address))
        self._more.set()

    async def first(self, count: int = 1) -> list[tuple[Refusal, str]]:
        while len(self.all) < count:
            self._more.clear()
            await self._more.wait()
        return self.all


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", ASKED, 200),
        (
            "GET",
            f"/servers/{SERVER}/open-metadata/repository-services/metadata-collection-id",
            200,
        ),
        ("GET", BASE + "/types/all", 200),
        ("GET", BASE + "/instances/entity/x/home-classifications", 200),
        ("GET", BASE + "/instances/entity", 405),
        ("GET", BASE + "/enterprise/types/all", 404),
        ("GET", BASE + "/metadata-highway/cohort-descriptions", 404),
        ("GET", BASE + "/audit-log/report", 404),
        (
            "GET",
            f"/servers/{SERVER}/open-metadata/repository-services/instances/entity/x",
            404,
        ),
        (
            "GET",
            "/open-metadata/platform-services/users/me/server-platform/origin",
            404,
        ),
        ("GET", f"/edgenode/servers/{SERVER}/archive", 404),
        ("GET", "/edgenode/cohort/key", 404),
        ("GET", "/health/live", 404),
        ("GET", "/metrics", 404),
    ],
)
async def test_a_platform_gets_repositories_and_nothing_else(
    server: Server, method: str, path: str, status: int
) -> None:
    async with platform_listener(kafka_cohort(), {SERVER: server}) as port:
        assert (await Client(port).request(method, path)).status == status


def test_all_that_a_genuine_member_calls_is_there() -> None:
    repository = {
        (each.operation.method, each.template)
        for each in operations()
        if each.template.startswith(REPOSITORY)
        and not any(
            part in each.template for part in ("/enterprise", "-log", "highway")
        )
    }
    served = {
        (each.operation.method, each.template)
        for each in member_operations(lambda name: None)
    }
    assert repository - served == {
        ("GET", REPOSITORY + "/instances/entity/{guid}"),
        ("GET", REPOSITORY + "/instances/relationship/{guid}"),
    }
    assert served <= repository


async def test_servers_are_looked_up_at_each_request(server: Server) -> None:
    servers: dict[str, Server] = {}
    async with platform_listener(kafka_cohort(), servers) as port:
        gone = (await Client(port).get(ASKED)).body
        assert gone["exceptionErrorMessageId"] == "OMAG-MULTI-TENANT-404-001"
        servers[SERVER] = server
        assert (await Client(port).get(ASKED)).body["relatedHTTPCode"] == 200
        elsewhere = ASKED.replace(f"/{SERVER}/", "/attic/")
        servers["attic"] = server
        assert (await Client(port).get(elsewhere)).body["relatedHTTPCode"] == 200


async def test_who_is_elsewhere_is_cut_before_anything_is_read(server: Server) -> None:
    complaints = Complaints()
    config = kafka_cohort(["127.0.0.1", "10.1.2.0/24"])
    async with platform_listener(config, {SERVER: server}, complaints.refused) as port:
        reader, writer = await asyncio.open_connection(
            HOST, port, local_addr=(OTHER_HOST, 0)
        )
        with suppress(ConnectionResetError):
            writer.write(request_text("GET", ASKED))
            assert await reader.read() == b""
        writer.transport.abort()
        assert await complaints.first() == [(Refusal.ADDRESS, OTHER_HOST)]
        assert (await Client(port).get(ASKED)).status == 200
    assert len(complaints.all) == 1


async def test_https_is_spoken_with_the_certificate_given(
    server: Server, tmp_path: Path
) -> None:
    ours, theirs = certified(tmp_path / "a", HOST), certified(tmp_path / "b", HOST)
    config = kafka_cohort(
        transport="https", certificate_file=ours.certificate, key_file=ours.key
    )
    complaints = Complaints()
    async with platform_listener(config, {SERVER: server}, complaints.refused) as port:
        context = ssl.create_default_context(cafile=ours.ca)
        reader, writer = await asyncio.open_connection(HOST, port, ssl=context)
        reply = await Connection(reader, writer).request("GET", ASKED)
        assert reply.status == 200
        writer.close()
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection(
                HOST, port, ssl=ssl.create_default_context(cafile=theirs.ca)
            )
        reader, writer = await asyncio.open_connection(HOST, port)
        with suppress(ConnectionResetError):
            writer.write(request_text("GET", ASKED))
            assert b"200" not in await reader.read()
        writer.transport.abort()
        refused = await complaints.first(2)
    assert {reason for reason, _ in refused} == {Refusal.KEY, Refusal.CERTIFICATE}


async def test_a_platform_may_open_all_its_connections_at_once(
    server: Server, tmp_path: Path
) -> None:
    ours = certified(tmp_path / "a", HOST)
    config = kafka_cohort(
        transport="https", certificate_file=ours.certificate, key_file=ours.key
    )
    context = ssl.create_default_context(cafile=ours.ca)

    async def ask() -> int:
        reader, writer = await asyncio.open_connection(HOST, port, ssl=context)
        status = (await Connection(reader, writer).request("GET", ASKED)).status
        writer.close()
        return status

    async with platform_listener(config, {SERVER: server}) as port:
        asked = await asyncio.gather(*(ask() for _ in range(30)))
    assert asked == [200] * 30


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        (basic("platform:wrong"), 401),
        (basic("other:secret: one"), 401),
        ({"Authorization": "Basic !"}, 401),
        ({"Authorization": "Basic"}, 401),
        (basic("platform:secret: one", "Bearer"), 401),
        (basic("platform:secret: one"), 200),
    ],
)  # fmt: skip
async def test_a_platform_logs_in_where_it_has_to(
    server: Server, tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    password = tmp_path / "password"
    password.write_text("secret: one\nof the plant\n", encoding="utf-8")
    config = kafka_cohort(user="platform", password_file=password)
    complaints = Complaints()
    async with platform_listener(config, {SERVER: server}, complaints.refused) as port:
        reply = await Client(port).request("GET", ASKED, headers=headers)
    assert reply.status == status
    if status == 200:
        assert complaints.all == []
        return
    assert reply.headers["www-authenticate"].startswith("Basic realm=")
    assert reply.body["status"] == 401
    assert reply.body["error"] == "Unauthorized"
    assert reply.body["path"] == ASKED
    assert complaints.all == [(Refusal.LOGIN, HOST)]


async def test_a_password_that_genuine_members_can_not_tell_is_refused(
    tmp_path: Path,
) -> None:
    password = tmp_path / "password"
    password.write_text("Schlüssel", encoding="utf-8")
    config = kafka_cohort(user="platform", password_file=password)
    with pytest.raises(UnusableFileError, match="ASCII"):
        async with platform_listener(config, {}):
            raise AssertionError("nobody gets here")


async def test_nothing_is_told_that_a_genuine_member_remembers(server: Server) -> None:
    """It never calls again what it heard to be not supported, until it starts anew."""
    async with platform_listener(kafka_cohort(), {SERVER: server}) as port:
        client = Client(port)
        for mounted in member_operations(lambda name: None):
            call = example(mounted)
            reply = await client.request(call.method, call.path, call.body)
            told = str(reply.body.get("exceptionClassName"))
            assert reply.status == 200, call
            assert "FunctionNotSupported" not in told, call


async def test_connections_are_bounded(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platforms, "MAX_CONNECTIONS_OF_A_PLATFORM", 2)
    monkeypatch.setattr(platforms, "MAX_PLATFORM_CONNECTIONS", 3)
    complaints = Complaints()

    async def asking(source: str) -> asyncio.StreamWriter | None:
        reader, writer = await asyncio.open_connection(
            HOST, port, local_addr=(source, 0)
        )
        with suppress(ConnectionResetError):
            writer.write(request_text("GET", ASKED))
            if await reader.readline():
                return writer
        writer.transport.abort()
        return None

    async with platform_listener(
        kafka_cohort(), {SERVER: server}, complaints.refused
    ) as port:
        held = [await asking(HOST) for _ in range(2)]
        assert all(held)
        assert await asking(HOST) is None
        held.append(await asking(OTHER_HOST))
        assert held[-1] is not None
        assert await asking(OTHER_HOST) is None
        for writer in held:
            if writer is not None:
                writer.close()
                await writer.wait_closed()
    assert complaints.all == [(Refusal.BUSY, HOST), (Refusal.BUSY, OTHER_HOST)]


async def test_web_pages_are_refused(server: Server) -> None:
    paged = {"Sec-Fetch-Site": "cross-site"}
    async with platform_listener(kafka_cohort(), {SERVER: server}) as port:
        assert (await Client(port).request("GET", ASKED, headers=paged)).status == 403
