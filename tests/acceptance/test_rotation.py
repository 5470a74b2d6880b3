"""Three nodes of a cohort on one machine: their key is rotated, and one is removed."""

import asyncio
import json
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import SystemRandom
from time import monotonic
from typing import Any

import pytest

from edgenode.cohort.peers import PeerState
from edgenode.config import load_config
from edgenode.node import running_node
from edgenode.node.cohort import NodeCohort
from edgenode.security.cohorts import Cohort
from edgenode.security.directory import CohortDirectory
from edgenode.security.identity import IdentityFiles, NodeIdentity, make_identity
from edgenode.security.keys import CohortKey
from tests.conftest import ROOT
from tests.model.house import CODEC, properties
from tests.unit.security.samples import COHORT, FOREIGN_KEY, KEY, issued
from tests.wire.http import Client, Reply, request_text
from tests.wire.test_observability import TERM

HOST = "127.0.0.1"
NAMES = ("one", "two", "three")
SECONDS = 10.0
A_SECOND_OF_DAYS = 1 / 86_400
CONFIG = """
[node]
listen = "127.0.0.1:{users}"
data_directory = "{data}"
[[server]]
name = "{name}"
[cohort]
listen = "127.0.0.1:{nodes}"
bus_listen = "127.0.0.1:{bus}"
peers = [{peers}]
discovery = false
"""


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait for something that nobody tells of."""
    async with asyncio.timeout(SECONDS):
        while True:
            met = condition()
            if met if isinstance(met, bool) else await met:
                return
            await asyncio.sleep(0.02)


def free_port() -> int:
    """One that stays free: the system gives none of these to connections that go out."""
    while True:
        port = SystemRandom().randrange(15_000, 32_000)
        with suppress(OSError), socket.create_server((HOST, port)):
            return port


@dataclass
class Machine:
    """One node, and what is where on it."""

    name: str
    path: Path
    users: int = field(default_factory=free_port)
    nodes: int = field(default_factory=free_port)
    bus: int = field(default_factory=free_port)
    running: NodeCohort | None = None

    @property
    def directory(self) -> CohortDirectory:
        return CohortDirectory(self.path / "data")

    @property
    def config(self) -> Path:
        return self.path / "edgenode.toml"

    @property
    def cohort(self) -> NodeCohort:
        assert self.running is not None
        return self.running

    @property
    def node_id(self) -> str:
        return self.cohort.node.info.node_id

    def set_up(self, cohort: Cohort, others: list["Machine"]) -> None:
        self.path.mkdir()
        peers = ", ".join(f'"{HOST}:{each.nodes}"' for each in others)
        ports = {"users": self.users, "nodes": self.nodes, "bus": self.bus}
        text = CONFIG.format(
            **ports, name=self.name, peers=peers, data=self.path / "data"
        )
        self.config.write_text(text, encoding="utf-8")
        self.directory.save(cohort)

    @asynccontextmanager
    async def up(self) -> AsyncIterator[None]:
        config = await asyncio.to_thread(load_config, self.config)
        async with running_node(config) as node:
            self.running = node.cohort
            try:
                yield
            finally:
                self.running = None

    def tag(self) -> str:
        return self.cohort.cohort.key.tag

    def trusts(self) -> frozenset[str]:
        return self.cohort.keys.trusted_tags

    def links(self) -> int:
        statistics = self.cohort.node.bus_statistics()
        return 0 if statistics is None else statistics.links

    def peers_here(self) -> int:
        statistics = self.cohort.node.bus_statistics()
        return 0 if statistics is None else statistics.peers

    def state_of(self, node_id: str) -> PeerState | None:
        """How it sees another node."""
        peer = self.cohort.node.peers.get(node_id)
        return None if peer is None else peer.state

    def knows(self) -> int:
        records = self.cohort.node.records().values()
        return sum(record.is_registered for record in records)

    async def request(self, method: str, path: str, body: Any = None) -> Reply:
        base = f"/servers/{self.name}/open-metadata/repository-services/users/erin"
        return await Client(self.users).request(method, base + path, body)

    async def add_term(self, name: str) -> str:
        request = {
            "class": "EntityCreateRequest",
            "entityTypeGUID": TERM,
            "initialProperties": CODEC.to_object(properties(qualifiedName=name)),
        }
        reply = await self.request("POST", "/instances/entity", request)
        return str(reply.body["entity"]["guid"])

    async def has(self, guid: str) -> bool:
        reply = await self.request("GET", f"/instances/entity/{guid}")
        return bool(reply.body["relatedHTTPCode"] == 200)

    async def refuses_keys(self) -> bool:
        """Whether somebody with another key came: either side may end the handshake."""
        return bool({"certificate", "key"} & (await self.refusals()).keys())

    async def has_refused(self, **counts: int) -> bool:
        return await self.refusals() == counts

    async def refusals(self) -> dict[str, float]:
        reply = await Client(self.users).get("/metrics")
        found = {}
        for line in reply.text.decode().splitlines():
            if line.startswith("edgenode_refusals_total{"):
                labels, _, value = line.rpartition(" ")
                found[labels.split('"')[1]] = float(value)
        return found

    async def command(self, *arguments: str) -> Any:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "edgenode", *arguments),
            *("--config", str(self.config), "--json"),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        return json.loads(out)


@pytest.fixture
def machines(tmp_path: Path) -> list[Machine]:
    """Three machines in one cohort; nothing runs yet."""
    made = [Machine(name, tmp_path / name) for name in NAMES]
    for number, machine in enumerate(made):
        others = [each for each in made if each is not machine]
        machine.set_up(Cohort(key=KEY, number=int(not number)), others)
    return made


async def together(*machines: Machine) -> None:
    """Wait until all are linked with all, and know each other's members."""
    count = len(machines)
    await until(lambda: all(each.links() == count - 1 for each in machines))
    await until(lambda: all(each.knows() >= count for each in machines))


async def share(*machines: Machine) -> None:
    """Add something everywhere, and wait until it is everywhere."""
    for adding in machines:
        guid = await adding.add_term(f"of {adding.name}")
        for machine in machines:
            await until(partial(machine.has, guid))


async def test_a_rotation_reaches_all_who_run_and_who_come_back(
    machines: list[Machine], tmp_path: Path
) -> None:
    one, two, three = machines
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(one.up())
        await stack.enter_async_context(two.up())
        async with three.up():
            await together(*machines)
        overlap = 9 * A_SECOND_OF_DAYS
        rotated = await one.command("cohort", "rotate", "--overlap", str(overlap))
        assert not rotated["restartNeeded"]
        assert rotated["keyNumber"] == 2
        assert one.tag() == rotated["tag"] != KEY.tag
        await until(lambda: two.tag() == rotated["tag"])
        await together(one, two)

        # One that was off meanwhile still finds the others, and learns the key.
        await stack.enter_async_context(three.up())
        await until(lambda: three.tag() == rotated["tag"])
        await together(*machines)
        await share(*machines)
        for machine in machines:
            kept = await asyncio.to_thread(machine.directory.load)
            assert kept is not None
            assert (kept.number, kept.key.tag) == (2, rotated["tag"])
            assert await machine.refusals() == {}

        # When the overlap is over the old token is of no use.
        newcomer = Machine("old", tmp_path / "old")
        await asyncio.to_thread(newcomer.set_up, Cohort(key=KEY, number=0), machines)
        await until(lambda: all(each.trusts() == {rotated["tag"]} for each in machines))
        await together(*machines)
        async with newcomer.up():
            await until(one.refuses_keys)
            assert newcomer.knows() == 1
        kept = await asyncio.to_thread(newcomer.directory.load)
        assert kept == Cohort(key=KEY, number=0)
        joined = Cohort(key=CohortKey.from_token(rotated["token"]), number=0)
        await asyncio.to_thread(newcomer.directory.save, joined)
        async with newcomer.up():
            await together(*machines, newcomer)


async def test_without_an_overlap_nobody_is_told(machines: list[Machine]) -> None:
    one, two, _ = machines
    async with one.up(), two.up():
        await together(one, two)
        rotated = await one.command("cohort", "rotate", "--overlap", "0")
        assert one.tag() == rotated["tag"]
        await until(lambda: one.links() == two.links() == 0)
        await until(one.refuses_keys)
        assert two.tag() == KEY.tag


async def test_a_node_that_stops_is_lost_at_once(machines: list[Machine]) -> None:
    one, two, _ = machines
    async with one.up():
        async with two.up():
            await together(one, two)
            node_id = two.node_id
        stopped = monotonic()
        await until(lambda: one.state_of(node_id) is PeerState.LOST)
        assert monotonic() - stopped < 2


def stranger(tmp_path: Path, kind: str) -> ssl.SSLContext:
    """TLS as somebody would speak it who isn't let in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    made: NodeIdentity | None = None
    match kind:
        case "expired":
            made = make_identity(tmp_path / kind, COHORT, 0)
        case "foreign authority":
            made = issued("one", Cohort(key=FOREIGN_KEY))
        case "wrong key":
            made = issued("one", Cohort(key=CohortKey("home", bytes(32))))
        case _:
            assert kind == "no certificate"
    if made is not None:
        context.load_cert_chain(made.files.certificate, made.files.key)
    return context


async def test_strangers_are_refused_counted_and_named(
    machines: list[Machine], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = machines[0]
    kinds = ("expired", "foreign authority", "wrong key", "no certificate")
    async with one.up():
        count = 0
        for kind in kinds:
            context = await asyncio.to_thread(stranger, tmp_path, kind)
            for port in (one.nodes, one.bus):
                reader, writer = await asyncio.open_connection(HOST, port, ssl=context)
                with suppress(OSError):
                    assert await reader.read() == b""
                writer.transport.abort()
                count += 1
                await until(partial(one.has_refused, certificate=count))
    assert "127.0.0.1 is refused (certificate, certificate has expired)" in caplog.text


async def test_a_removed_node_is_cut_off_within_a_second(
    machines: list[Machine], caplog: pytest.LogCaptureFixture
) -> None:
    one, two, three = machines
    files = IdentityFiles(three.directory.path)
    async with one.up(), two.up(), three.up():
        await together(*machines)
        removed = three.node_id
        guid = await three.add_term("before")
        await until(partial(one.has, guid))
        begun = monotonic()
        await one.cohort.node.remove(removed, "erin")
        await until(
            lambda: all(each.cohort.trust.is_removed(removed) for each in (one, two))
        )
        await until(lambda: three.links() == 0 and three.peers_here() == 0)
        await until(lambda: one.knows() == two.knows() == 2)
        assert monotonic() - begun < 1

        # It can't read, publish or ask any more, and is told why.
        after = await three.add_term("after")
        context = await asyncio.to_thread(as_itself, files)
        reader, writer = await asyncio.open_connection(HOST, one.nodes, ssl=context)
        collection = one.cohort.node.records()
        own = next(
            key for key, each in collection.items() if each.node_id == one.node_id
        )
        path = f"/edgenode/cohort/members/{own}/types"
        writer.write(request_text("GET", path))
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 403 ")
        assert b"this node was removed from the cohort" in answer
        writer.transport.abort()
        await until(lambda: "no conversation with" in caplog.text)
        assert "this node was removed from the cohort" in caplog.text
        await share(one, two)
        assert not await one.has(after)
        assert (await one.refusals())["removed"] >= 1

        # Let in again it is there by itself, with all that it did meanwhile.
        await one.cohort.node.readmit(removed, "erin")
        await together(*machines)
        await until(partial(two.has, after))
        await share(*machines)


def as_itself(files: IdentityFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(files.authorities)
    context.load_cert_chain(files.certificate, files.key)
    return context
