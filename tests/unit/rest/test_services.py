"""What is answered besides the repository's operations: platform, probes, audit, cohorts."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import cast

import pytest

from edgenode.collection import participation
from edgenode.collection.base import MetadataCollection
from edgenode.connectors.connection import Connection, ConnectorType, Endpoint
from edgenode.events.registration import MemberRegistration
from edgenode.observability.audit_log import (
    AuditLog,
    AuditMessage,
    OMRSAuditingComponent,
    OMRSAuditLogRecordSeverity,
)
from edgenode.observability.health import Check, Health
from edgenode.rest.answers import missing_members
from edgenode.rest.hosting import (
    CohortConnectionStatus,
    CohortDescription,
    Server,
)
from tests.model.house import CODEC, START, House, SetClock
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


class OneCohort:
    """A highway with one cohort, of which the server is a member, as another is."""

    def __init__(self) -> None:
        self.changes: list[str] = []

    def cohorts(self) -> list[CohortDescription]:
        topic = Connection(endpoint=Endpoint(address="edgenode/home/0123/"))
        status = CohortConnectionStatus.CONNECTED
        return [
            CohortDescription(
                cohort_name="home", connection_status=status, topic_connection=topic
            )
        ]

    def local_member(self) -> MemberRegistration:
        return registered("one", 5_000)

    def local_registration(self, cohort_name: str) -> MemberRegistration | None:
        return registered("one", START) if cohort_name == "home" else None

    def remote_members(self, cohort_name: str) -> list[MemberRegistration]:
        return [registered("two", START)] if cohort_name == "home" else []

    async def connect(self, cohort_name: str) -> bool:
        return self._changed("connect", cohort_name)

    async def disconnect(self, cohort_name: str) -> bool:
        return self._changed("disconnect", cohort_name)

    async def unregister(self, cohort_name: str) -> bool:
        return self._changed("unregister", cohort_name)

    def _changed(self, how: str, cohort_name: str) -> bool:
        self.changes.append(how)
        return cohort_name == "home"


def registered(name: str, at: int) -> MemberRegistration:
    return MemberRegistration(
        metadata_collection_id=f"{name}-id",
        server_name=name,
        registration_time=at,
        repository_connection=Connection(
            connector_type=ConnectorType(qualified_name="REST"),
            endpoint=Endpoint(address=f"https://{name}/servers/{name}"),
        ),
    )


def as_captured(name: str) -> dict[str, object]:
    """The member, with the fields that the captures of a genuine server have."""
    return {
        "metadataCollectionId": f"{name}-id",
        "serverName": name,
        "repositoryConnection": {
            "class": "Connection",
            "headerVersion": 0,
            "connectorType": {
                "class": "ConnectorType",
                "headerVersion": 0,
                "qualifiedName": "REST",
            },
            "endpoint": {
                "class": "Endpoint",
                "headerVersion": 0,
                "address": f"https://{name}/servers/{name}",
            },
        },
    }


@pytest.fixture
def highway() -> OneCohort:
    return OneCohort()


@pytest.fixture
async def member(
    servers: dict[str, Server], highway: OneCohort
) -> AsyncIterator[Client]:
    servers["one"] = replace(servers["one"], highway=highway)
    async with serving(SetClock(), servers) as client:
        yield client


REGISTERED_AT = {"registrationTime": "2027-01-15T08:00:00.000+00:00"}


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (
            "/cohort-descriptions",
            {
                "class": "CohortListResponse",
                "offset": 0,
                "pageSize": 0,
                "cohorts": [
                    {
                        "class": "CohortDescription",
                        "cohortName": "home",
                        "connectionStatus": "CONNECTED",
                        "topicConnection": {
                            "class": "Connection",
                            "headerVersion": 0,
                            "endpoint": {
                                "class": "Endpoint",
                                "headerVersion": 0,
                                "address": "edgenode/home/0123/",
                            },
                        },
                    }
                ],
            },
        ),
        (
            "/local-registration",
            {"class": "CohortMembershipResponse", "cohortMember": as_captured("one")},
        ),
        (
            "/cohorts/home/local-registration",
            {
                "class": "CohortMembershipResponse",
                "cohortMember": as_captured("one") | REGISTERED_AT,
            },
        ),
        ("/cohorts/nope/local-registration", {"class": "CohortMembershipResponse"}),
        (
            "/cohorts/home/remote-members",
            {
                "class": "CohortMembershipListResponse",
                "offset": 0,
                "pageSize": 0,
                "cohortMembers": [as_captured("two") | REGISTERED_AT],
            },
        ),
        (
            "/cohorts/nope/remote-members",
            {"class": "CohortMembershipListResponse", "offset": 0, "pageSize": 0},
        ),
    ],
)
async def test_the_highway_tells_of_cohorts(
    member: Client, path: str, answer: dict[str, object]
) -> None:
    base = OMRS.format("one") + "/users/me/metadata-highway"
    assert (await member.get(base + path)).body == answer | {"relatedHTTPCode": 200}


@pytest.mark.parametrize("how", ["connect", "disconnect", "unregister"])
async def test_a_server_leaves_its_cohort_and_comes_back(
    member: Client, highway: OneCohort, how: str
) -> None:
    base = OMRS.format("one") + "/users/me/metadata-highway/cohorts/"
    answers = [(await member.get(f"{base}{name}/{how}")).body for name in ("home", "x")]
    boolean = {"class": "BooleanResponse", "relatedHTTPCode": 200}
    assert answers == [boolean | {"flag": True}, boolean | {"flag": False}]
    assert highway.changes == [how, how]


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://localhost"}, {"Forwarded": "for=192.0.2.1"}]
)
async def test_only_programs_of_this_machine_make_a_server_leave(
    member: Client, highway: OneCohort, headers: dict[str, str]
) -> None:
    base = OMRS.format("one") + "/users/me/metadata-highway/cohorts/home/"
    reply = await member.request("GET", base + "unregister", headers=headers)
    assert (reply.status, highway.changes) == (403, [])


# Who took part


class PartOfACohort:
    """A collection of a cohort in which one member doesn't answer."""

    def __init__(self, collection: MetadataCollection) -> None:
        self._collection = collection
        self.seconds: list[float | None] = []

    def __getattr__(self, name: str) -> object:
        cohort = participation.current.get()
        assert cohort is not None
        self.seconds.append(cohort.seconds)
        cohort.answered.add("one-id")
        cohort.missing["gone/id\r\nX: y"] = "no answer in time"
        cohort.copies["a-guid"] = "gone-id"
        return getattr(self._collection, name)


def in_part_of_a_cohort(server: Server) -> tuple[Server, PartOfACohort]:
    collection = PartOfACohort(server.collection)
    # It has what the other has.
    enterprise = cast("MetadataCollection", collection)
    return replace(server, enterprise=enterprise), collection


@pytest.mark.parametrize(
    ("path", "code"), [("/types/all", 200), ("/instances/entity/unknown", 404)]
)
async def test_an_answer_says_who_did_not_take_part(
    servers: dict[str, Server], path: str, code: int
) -> None:
    servers["one"], _ = in_part_of_a_cohort(servers["one"])
    users = OMRS.format("one") + "/users/me"
    async with (
        serving(SetClock(), servers) as client,
        client.connected() as connection,
    ):
        reply = await connection.request("GET", f"{users}/enterprise{path}")
        local = await connection.request("GET", users + path)
    assert reply.body["relatedHTTPCode"] == code
    assert reply.headers["edgenode-missing-members"] == "gone/id%0D%0AX%3A%20y"
    assert reply.body["edgenode"] == {
        "missingMembers": [
            {
                "metadataCollectionId": "gone/id\r\nX: y",
                "reason": "no answer in time",
            }
        ],
        "copies": [{"guid": "a-guid", "metadataCollectionId": "gone-id"}],
    }
    assert "edgenode-missing-members" not in local.headers
    assert "edgenode" not in local.body


@pytest.mark.parametrize(("said", "seconds"), [(None, None), ("0", 0.0), ("2.5", 2.5)])
async def test_a_caller_says_how_long_members_may_take(
    servers: dict[str, Server], said: str | None, seconds: float | None
) -> None:
    servers["one"], collection = in_part_of_a_cohort(servers["one"])
    headers = {} if said is None else {"Edgenode-Cohort-Seconds": said}
    path = OMRS.format("one") + "/users/me/enterprise/types/all"
    async with serving(SetClock(), servers) as client:
        await client.request("GET", path, headers=headers)
    assert set(collection.seconds) == {seconds}


@pytest.mark.parametrize("said", ["", "-1", "nan", "1e9", "soon", "1" * 99])
async def test_a_time_that_is_none_is_refused(client: Client, said: str) -> None:
    path = OMRS.format("one") + "/users/me/types/all"
    headers = {"Edgenode-Cohort-Seconds": said}
    assert (await client.request("GET", path, headers=headers)).status == 400


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


def test_the_header_of_missing_members_is_short() -> None:
    cohort = participation.Participation()
    cohort.missing["a"] = "gone"
    cohort.missing["x" * 70_000] = "gone"
    cohort.missing["b"] = "gone"
    assert missing_members(cohort) == {"Edgenode-Missing-Members": "a, ... (2 more)"}
