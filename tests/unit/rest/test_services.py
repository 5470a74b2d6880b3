"""What is answered besides the repository's operations: platform, probes, audit, cohorts."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from edgenode.observability.audit_log import (
    AuditLog,
    AuditMessage,
    OMRSAuditingComponent,
    OMRSAuditLogRecordSeverity,
)
from edgenode.observability.health import Check, Health
from edgenode.rest.hosting import Server
from tests.model.house import CODEC, House, SetClock
from tests.model.memory import MemoryRepository
from tests.wire.http import Client
from tests.wire.serving import hosted, serving

PLATFORM = "/open-metadata/platform-services/users/me/server-platform"
OMRS = "/servers/{}/open-metadata/repository-services"
STARTED = AuditMessage("X-1", OMRSAuditLogRecordSeverity.STARTUP, "{0} has started")
BROKEN = AuditMessage("X-2", OMRSAuditLogRecordSeverity.ERROR, "it is broken")


@pytest.fixture
def servers() -> dict[str, Server]:
    clock = SetClock()
    audit_log = AuditLog("one", clock)
    audit_log.record(OMRSAuditingComponent.OPERATIONAL_SERVICES, STARTED, "one")
    audit_log.record(OMRSAuditingComponent.LOCAL_REPOSITORY, BROKEN)
    audit_log.record(OMRSAuditingComponent.LOCAL_REPOSITORY, BROKEN)
    one = House(MemoryRepository(CODEC)).collection
    two = House(MemoryRepository(CODEC)).collection
    return {
        "two": hosted(two, clock, name="two"),
        "one": hosted(one, clock, name="one", audit_log=audit_log),
    }


@pytest.fixture
async def client(servers: dict[str, Server]) -> AsyncIterator[Client]:
    async with serving(SetClock(), servers) as client:
        yield client


async def test_the_origin_is_plain_text(client: Client) -> None:
    reply = await client.get(PLATFORM + "/origin")
    assert (reply.status, reply.text) == (200, b"edgenode for tests\n")
    assert reply.headers["content-type"] == "text/plain;charset=UTF-8"


@pytest.mark.parametrize("path", ["/servers", "/servers/active"])
async def test_the_servers_are_listed(client: Client, path: str) -> None:
    reply = await client.get(PLATFORM + path)
    assert reply.body == {
        "class": "ServerListResponse",
        "relatedHTTPCode": 200,
        "serverList": ["one", "two"],
    }


async def test_a_server_tells_its_status(client: Client) -> None:
    reply = await client.get(PLATFORM + "/servers/two/status")
    assert reply.body == {
        "class": "ServerStatusResponse",
        "relatedHTTPCode": 200,
        "serverName": "two",
        "serverType": "Metadata Access Store",
        "serverStartTime": "2027-01-15T08:00:00.000+00:00",
        "active": True,
    }


async def test_an_unknown_server_has_no_status(client: Client) -> None:
    reply = await client.get(PLATFORM + "/servers/three/status")
    answer = reply.body
    assert answer["relatedHTTPCode"] == 404
    assert answer["exceptionErrorMessageId"] == "OMAG-MULTI-TENANT-404-001"
    assert answer["exceptionErrorMessageParameters"] == ["three", "me"]


async def test_the_services_are_listed(client: Client) -> None:
    reply = await client.get(PLATFORM + "/registered-services")
    markers = [service["serviceURLMarker"] for service in reply.body["services"]]
    assert markers == ["repository-services", "platform-services"]


async def test_each_server_has_its_own_metadata(client: Client) -> None:
    term = {
        "class": "EntityCreateRequest",
        "entityTypeGUID": "0db3e6ec-f5ef-4d75-ae38-b7ee6fd6ec0a",
    }
    reply = await client.post(OMRS.format("one") + "/users/me/instances/entity", term)
    guid = reply.body["entity"]["guid"]
    path = f"/users/me/instances/entity/{guid}/existence"
    assert "entity" in (await client.get(OMRS.format("one") + path)).body
    assert "entity" not in (await client.get(OMRS.format("two") + path)).body


async def test_members_learn_the_collection_without_a_user(client: Client) -> None:
    reply = await client.get(OMRS.format("one") + "/metadata-collection-id")
    assert reply.body == {
        "class": "MetadataCollectionIdResponse",
        "relatedHTTPCode": 200,
        "metadataCollectionId": "local-id",
    }


@pytest.mark.parametrize("path", ["/instances/entity/x", "/instances/relationship/x"])
async def test_instances_are_not_read_without_a_user(client: Client, path: str) -> None:
    reply = await client.get(OMRS.format("one") + path)
    assert reply.body["exceptionErrorMessageId"] == "OMRS-REPOSITORY-400-027"


@pytest.mark.parametrize(
    ("path", "operation", "response"),
    [
        ("/cohort-descriptions", "getCohortList", "CohortListResponse"),
        ("/local-registration", "getLocalRegistration", "CohortMembershipResponse"),
        (
            "/cohorts/c/local-registration",
            "getLocalRegistration (cohort version)",
            "CohortMembershipResponse",
        ),
        ("/cohorts/c/connect", "connectToCohort", "BooleanResponse"),
        (
            "/cohorts/c/remote-members",
            "getRemoteRegistrations",
            "CohortMembershipListResponse",
        ),
        ("/cohorts/c/disconnect", "disconnectFromCohort", "BooleanResponse"),
        ("/cohorts/c/unregister", "unregisterFromCohort", "BooleanResponse"),
    ],
)
async def test_a_server_in_no_cohort_has_no_highway(
    client: Client, path: str, operation: str, response: str
) -> None:
    reply = await client.get(OMRS.format("one") + "/users/me/metadata-highway" + path)
    answer = reply.body
    assert answer["class"] == response
    assert answer["relatedHTTPCode"] == 503
    assert answer["exceptionErrorMessageId"] == "OMRS-REST-API-503-003"
    assert answer["exceptionErrorMessageParameters"] == [operation]


async def test_a_server_in_no_cohort_answers_for_nobody_else(client: Client) -> None:
    path = OMRS.format("one") + "/users/me/enterprise/instances/entity/x"
    answer = (await client.get(path)).body
    assert answer["relatedHTTPCode"] == 503
    assert answer["exceptionErrorMessageId"] == "OMRS-REST-API-503-002"
    assert answer["exceptionErrorMessageParameters"] == ["getEntityDetail"]


async def test_the_audit_log_reports_what_it_counted(client: Client) -> None:
    path = OMRS.format("one") + "/users/me/audit-log/report"
    report = (await client.get(path)).body["report"]
    assert report["originatorProperties"] == {
        "serverName": "one",
        "serverType": "Metadata Access Store",
        "metadataCollectionId": "local-id",
    }
    children = {
        child["reportingComponent"]["componentName"]: child
        for child in report["childAuditLogReports"]
    }
    # The server's own records are the report's, the other parts' its children's.
    assert report["reportingComponent"]["componentName"] == "Operational Services"
    assert report["severityCount"] == {"8": 1}
    assert report["severityIdentification"] == {"8": ["Startup"]}
    assert list(children) == ["Local Repository Connector"]
    assert children["Local Repository Connector"]["severityCount"] == {"5": 2}
    assert children["Local Repository Connector"]["severityIdentification"] == {
        "5": ["Error"]
    }


async def test_the_organization_is_told(servers: dict[str, Server]) -> None:
    told = {"one": replace(servers["one"], organization_name="Coco")}
    async with serving(SetClock(), told) as client:
        path = OMRS.format("one") + "/users/me/audit-log/report"
        report = (await client.get(path)).body["report"]
    assert report["originatorProperties"]["organizationName"] == "Coco"


# Probes


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
async def test_a_probe_is_only_read(client: Client, path: str) -> None:
    assert (await client.request("HEAD", path)).status == 200
    assert (await client.request("POST", path, {})).status == 404
    assert (await client.get(path + "/")).status == 404


async def test_a_process_that_answers_is_alive(client: Client) -> None:
    assert (await client.get("/health/live")).body == {"status": "live"}


async def test_servers_are_ready_when_all_their_checks_are(client: Client) -> None:
    reply = await client.get("/health/ready")
    assert reply.status == 200
    well = [{"check": "writes", "ok": True, "detail": "3 commits", "mend": ""}]
    assert reply.body == {"status": "ready", "servers": {"one": well, "two": well}}


async def test_a_server_that_can_not_work_says_what_to_do(
    servers: dict[str, Server],
) -> None:
    full = Check("space", ok=False, detail="0 MB free", mend="free some")
    servers["two"] = replace(servers["two"], health=lambda: Health((full,)))
    async with serving(SetClock(), servers) as client:
        reply = await client.get("/health/ready")
        assert (await client.get("/health/live")).status == 200
    assert (reply.status, reply.body["status"]) == (503, "not ready")
    assert reply.body["servers"]["two"] == [
        {"check": "space", "ok": False, "detail": "0 MB free", "mend": "free some"}
    ]


async def test_metrics_count_calls_by_operation(client: Client) -> None:
    for guid in ("x", "y"):
        await client.get(OMRS.format("one") + f"/users/me/instances/entity/{guid}")
    await client.get("/nothing")
    reply = await client.get("/metrics")
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = reply.text.decode().splitlines()
    assert 'edgenode_requests_total{operation="getEntityDetail"} 2' in lines
    assert 'edgenode_request_failures_total{operation="getEntityDetail"} 2' in lines
    assert 'edgenode_requests_total{operation="unbound"} 1' in lines
    assert lines.count("# TYPE edgenode_example gauge") == 1
    assert [line for line in lines if line.startswith("edgenode_process_cpu")]
