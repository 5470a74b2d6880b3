"""What monitoring sees of a server that works, and of one that can't."""

import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

from edgenode.clock import SystemClock
from edgenode.observability.audit_log import (
    AuditMessage,
    OMRSAuditingComponent,
    OMRSAuditLogRecordSeverity,
)
from edgenode.repository.connections import connect
from edgenode.rest.hosting import Server
from tests.model.house import CODEC, properties, type_guid
from tests.wire.http import Client, Reply
from tests.wire.serving import BASE, SERVER, serving, stored

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)")
ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}
TERM = type_guid("GlossaryTerm")
Labels = frozenset[tuple[str, str]]


# The text format of Prometheus, version 0.0.4, read as strictly as it is written


@dataclass
class Family:
    """One metric family."""

    kind: str
    samples: dict[tuple[str, Labels], float] = field(default_factory=dict)

    def value(self, suffix: str = "", **labels: str) -> float:
        return self.samples.get((suffix, frozenset(labels.items())), 0)


def parsed(text: str) -> dict[str, Family]:
    """The metric families of a text; asserts that every line is as it should be."""
    assert text.endswith("\n")
    families: dict[str, Family] = {}
    lines = iter(text.splitlines())
    name, helped = "", ""
    for line in lines:
        if line.startswith("# HELP "):
            helped, _, told = line.removeprefix("# HELP ").partition(" ")
            assert told
        elif line.startswith("# TYPE "):
            name, kind = line.removeprefix("# TYPE ").split(" ")
            assert name == helped
            assert name not in families, "the samples of a family stand together"
            assert kind in {"counter", "gauge", "histogram"}
            families[name] = Family(kind)
        else:
            sample = SAMPLE.fullmatch(line)
            assert sample, line
            assert sample[1].startswith(name)
            labels = frozenset(
                (label, re.sub(r"\\.", lambda of: ESCAPES[of[0]], value))
                for label, value in re.findall(LABEL, sample[2] or "")
            )
            key = (sample[1].removeprefix(name), labels)
            assert key not in families[name].samples
            families[name].samples[key] = float(sample.groups()[-1])
    for family in families.values():
        check(family)
    return families


def check(family: Family) -> None:
    """A family's samples are those of its kind."""
    suffixes = {suffix for suffix, _ in family.samples}
    if family.kind != "histogram":
        assert suffixes <= {""}
        return
    assert suffixes <= {"_bucket", "_sum", "_count"}
    counts = {
        labels: value
        for (suffix, labels), value in family.samples.items()
        if suffix == "_count"
    }
    for labels, count in counts.items():
        buckets = sorted(
            (float(dict(each)["le"]), value)
            for (suffix, each), value in family.samples.items()
            if suffix == "_bucket"
            and {part for part in each if part[0] != "le"} == labels
        )
        values = [value for _, value in buckets]
        assert values == sorted(values), "buckets hold what is in the smaller ones too"
        assert buckets[-1] == (inf, count)
        assert ("_sum", labels) in family.samples


async def metrics(client: Client) -> dict[str, Family]:
    reply = await client.get("/metrics")
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return parsed(reply.text.decode())


async def add_term(client: Client, name: str) -> Reply:
    request = {
        "class": "EntityCreateRequest",
        "entityTypeGUID": TERM,
        "initialProperties": CODEC.to_object(properties(qualifiedName=name)),
    }
    return await client.post(BASE + "/instances/entity", request)


async def test_metrics_count_what_was_done(client: Client) -> None:
    fresh = await metrics(client)
    for name in ("one", "two", "three"):
        await add_term(client, name)
    for _ in range(2):
        await client.get(BASE + "/instances/entity/unknown")
    await client.post(BASE + "/instances/entity", {"class": "Nothing"})
    await client.get(BASE + "/nothing")
    found = await client.post(
        BASE + "/instances/entities", {"class": "EntityFindRequest"}
    )
    assert len(found.body["entities"]) == 3
    now = await metrics(client)

    def more(family: str, suffix: str = "", **labels: str) -> float:
        before = fresh[family].value(suffix, **labels) if family in fresh else 0
        return now[family].value(suffix, **labels) - before

    requests, failures = "edgenode_requests_total", "edgenode_request_failures_total"
    assert more(requests, operation="addEntity") == 4
    assert more(failures, operation="addEntity") == 1
    assert more(requests, operation="getEntityDetail") == 2
    assert more(failures, operation="getEntityDetail") == 2
    assert more(requests, operation="findEntities") == 1
    assert more(failures, operation="findEntities") == 0
    assert more(requests, operation="unbound") == 1
    seconds = "edgenode_request_seconds"
    assert more(seconds, "_count", operation="addEntity") == 4
    assert more(seconds, "_sum", operation="addEntity") > 0
    assert more("edgenode_store_changes_total", server=SERVER) == 3
    commits = more("edgenode_store_commits_total", server=SERVER)
    assert commits >= 3
    assert more("edgenode_store_commit_seconds", "_count", server=SERVER) == commits
    assert more("edgenode_instances", server=SERVER, type="GlossaryTerm") == 3
    depths = now["edgenode_store_queue_depth"].samples
    assert depths.keys() == {("", frozenset({("server", SERVER)}))}
    assert now["edgenode_store_wal_bytes"].value(server=SERVER) > 0
    assert more("edgenode_process_cpu_seconds_total") > 0


async def test_metrics_bear_any_name_of_a_type(client: Client) -> None:
    name = 'odd "name"\\ of\na type'
    await client.post(
        BASE + "/types/typedef",
        {
            "class": "EntityDef",
            "guid": "odd",
            "name": name,
            "version": 1,
            "versionName": "1.0",
            "validInstanceStatusList": ["ACTIVE", "DELETED"],
            "initialStatus": "ACTIVE",
        },
    )
    request = {"class": "EntityCreateRequest", "entityTypeGUID": "odd"}
    reply = await client.post(BASE + "/instances/entity", request)
    assert reply.body["relatedHTTPCode"] == 200
    instances = (await metrics(client))["edgenode_instances"]
    assert instances.value(server=SERVER, type=name) == 1


# Health


async def checks(client: Client, status: int) -> dict[str, Any]:
    """The checks of the server by name."""
    assert (await client.get("/health/live")).status == 200
    reply = await client.get("/health/ready")
    assert reply.status == status
    told = reply.body
    assert told["status"] == ("ready" if status == 200 else "not ready")
    return {check["check"]: check for check in told["servers"][SERVER]}


async def test_a_server_that_can_work_is_ready(client: Client) -> None:
    well = await checks(client, 200)
    assert {name: check["ok"] for name, check in well.items()} == {
        "writes": True,
        "space": True,
        "file": True,
    }


class Disk:
    """Opens connections to a file that may be kept from growing."""

    def __init__(self) -> None:
        self._connections: list[sqlite3.Connection] = []

    def connect(self, path: Path) -> sqlite3.Connection:
        self._connections.append(connect(path))
        return self._connections[-1]

    def let_grow_to(self, pages: int) -> None:
        for connection in self._connections:
            with suppress(sqlite3.ProgrammingError):  # it is closed by now
                connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()


@asynccontextmanager
async def on_disk(path: Path, disk: Disk) -> AsyncIterator[Client]:
    clock = SystemClock()
    async with (
        stored(path, clock, connect=disk.connect) as server,
        serving(clock, {SERVER: server}) as client,
    ):
        yield client


async def test_a_full_disk_is_told_until_there_is_room(tmp_path: Path) -> None:
    disk = Disk()
    async with on_disk(tmp_path / "metadata.db", disk) as client:
        await add_term(client, "one")
        disk.let_grow_to(1)
        full = (await add_term(client, "x" * 100_000)).body
        assert full["relatedHTTPCode"] == 500
        assert full["exceptionErrorMessageId"] == "EDGENODE-REPOSITORY-507-001"
        writes = (await checks(client, 503))["writes"]
        assert not writes["ok"]
        assert "edgenode doctor" in writes["mend"]
        store = await metrics(client)
        assert store["edgenode_store_failed_commits_total"].value(server=SERVER) == 1
        disk.let_grow_to(1_000_000)
        assert (await add_term(client, "two")).body["relatedHTTPCode"] == 200
        assert (await checks(client, 200))["writes"]["ok"]


async def test_a_damaged_file_is_told_with_its_mend(tmp_path: Path) -> None:
    path = tmp_path / "metadata.db"
    path.write_bytes(b"SQLite format 3\0" + b"damage" * 1_000)
    async with on_disk(path, Disk()) as client:
        file = (await checks(client, 503))["file"]
        assert not file["ok"]
        assert "the damaged file is kept as" in file["detail"]
        assert file["mend"] == "there is no backup; load the archives again"
        assert (await add_term(client, "one")).body["relatedHTTPCode"] == 200


# The audit log

STARTED = AuditMessage("X-1", OMRSAuditLogRecordSeverity.STARTUP, "{0} has started")
BROKEN = AuditMessage("X-2", OMRSAuditLogRecordSeverity.ERROR, "it is broken")


async def test_the_audit_log_tells_its_severities(client: Client) -> None:
    reply = await client.get(BASE + "/audit-log/severity-definitions")
    severities = reply.body["severities"]
    assert reply.body["class"] == "AuditLogSeveritiesResponse"
    assert [each["ordinal"] for each in severities] == list(range(15))
    assert all(each["name"] and each["description"] for each in severities)


async def test_the_audit_log_counts_what_is_recorded(
    client: Client, server: Server
) -> None:
    log, part = server.audit_log, OMRSAuditingComponent
    log.record(part.OPERATIONAL_SERVICES, STARTED, SERVER)
    for _ in range(2):
        log.record(part.LOCAL_REPOSITORY, BROKEN)
    reply = await client.get(BASE + "/audit-log/report")
    report = reply.body["report"]
    assert reply.body["class"] == "AuditLogReportResponse"
    assert report["severityCount"] == {"8": 1}
    (child,) = report["childAuditLogReports"]
    assert child["reportingComponent"]["componentName"] == "Local Repository Connector"
    assert (child["severityCount"], child["severityIdentification"]) == (
        {"5": 2},
        {"5": ["Error"]},
    )
