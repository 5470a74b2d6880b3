"""What a request needs to reach its operation, and the bare statuses of those that don't.

The statuses are those of a genuine 4.2 server that was asked the same.
"""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from edgenode.limits import MAX_BODY_BYTES, MAX_REASON_LENGTH
from edgenode.observability.audit_log import AuditLog
from tests.model.house import CODEC, House, SetClock, remote_entity
from tests.model.memory import MemoryRepository
from tests.wire.http import JSON_TYPE, Client, request_text
from tests.wire.serving import SERVER, hosted, serving

BASE = f"/servers/{SERVER}/open-metadata/repository-services/users/me"
ENTITY = BASE + "/instances/entity"
ENTITIES = BASE + "/instances/entities"
DECLASSIFY = ENTITY + "/x/classification/Retention/delete"
NEIGHBORHOOD = ENTITIES + "/from-entity/x/by-neighborhood"
BY_NAME = BASE + "/types/by-name"
STATUS = ENTITY + "/x/status"
AS_OF = ENTITY + "/x/history"
CREATE = {"class": "EntityCreateRequest", "entityTypeGUID": "nope"}
COPY = remote_entity()
NEIGHBORS = {"class": "EntityNeighborhoodFindRequest"}


@pytest.fixture
def house() -> House:
    return House(MemoryRepository(CODEC))


@pytest.fixture
async def client(house: House) -> AsyncIterator[Client]:
    clock = SetClock()
    async with serving(clock, {SERVER: hosted(house.collection, clock)}) as client:
        yield client


# Paths


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", ENTITY, "POST"),
        ("PUT", ENTITY, "POST"),
        ("DELETE", ENTITY + "/x", "GET"),
        ("PATCH", BASE + "/metadata-collection-id", "GET"),
        ("HEAD", ENTITY, "POST"),
    ],
)
async def test_a_method_that_is_not_there_is_told_which_are(
    client: Client, method: str, path: str, allow: str
) -> None:
    reply = await client.request(method, path)
    assert (reply.status, reply.headers["allow"]) == (405, allow)


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        (BASE + "/metadata-collection-id", "GET,HEAD,OPTIONS"),
        (ENTITY, "POST,OPTIONS"),
    ],
)
async def test_options_tells_the_methods(client: Client, path: str, allow: str) -> None:
    reply = await client.request("OPTIONS", path)
    assert (reply.status, reply.headers["allow"], reply.text) == (200, allow, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nothing",
        BASE,
        BASE + "/nothing",
        BASE + "/metadata-collection-id/",
        BASE + "/instances/entity/",
        BASE + "/Instances/entity/x",
        BASE + "/instances/./entity/x",
        BASE + "/instances/entity/../entity/x",
        BASE.replace("/users/", "//users/") + "/metadata-collection-id",
        BASE.removesuffix("me") + "/metadata-collection-id",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
async def test_an_unknown_path_is_not_found(
    client: Client, method: str, path: str
) -> None:
    reply = await client.request(method, path)
    assert reply.status == 404
    assert reply.headers["content-type"] == JSON_TYPE
    assert reply.body == {
        "timestamp": "2027-01-15T08:00:00.000+00:00",
        "status": 404,
        "error": "Not Found",
        "path": path,
    }


@pytest.mark.parametrize(
    ("segment", "guid"),
    [
        ("a%20b", "a b"),
        ("a+b", "a+b"),
        ("a%2Fb", "a/b"),
        ("%C3%A9", "é"),
        ("a%25b", "a%b"),
        ("%2E%2E", ".."),
        ("a%0Ab", "a\nb"),
        ("%20", " "),
        ("existence", "existence"),
        ("a;b", "a;b"),
    ],
)
async def test_a_name_in_the_path_is_decoded(
    client: Client, segment: str, guid: str
) -> None:
    reply = await client.get(f"{ENTITY}/{segment}")
    assert reply.body["exceptionErrorMessageParameters"][0] == guid


async def test_a_fixed_part_of_the_path_may_be_encoded(client: Client) -> None:
    reply = await client.get(BASE + "/types/typedef/name/Glossary%54erm")
    assert reply.body["typeDef"]["name"] == "GlossaryTerm"
    reply = await client.get(BASE + "/types/%74ypedef/name/GlossaryTerm")
    assert reply.body["typeDef"]["name"] == "GlossaryTerm"


@pytest.mark.parametrize("segment", ["%FF%FE", "a%00b"])
async def test_a_path_that_is_no_text_is_refused(client: Client, segment: str) -> None:
    reply = await client.get(f"{ENTITY}/{segment}")
    assert (reply.status, reply.body["path"]) == (400, f"{ENTITY}/{segment}")


# Query


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("?other=1", 400),
        ("?name=", 200),
        ("?name", 200),
        ("?name=Glossary", 200),
        ("?name=Glossary&other=1", 200),
        ("?name=%FF", 200),
        ("?name=%ZZ", 200),
    ],
)
async def test_a_parameter_of_the_query_is_needed(
    client: Client, query: str, status: int
) -> None:
    assert (await client.get(BY_NAME + query)).status == status


@pytest.mark.parametrize(
    ("level", "status"),
    [
        ("1", 200),
        ("-1", 200),
        ("%2B1", 200),
        ("010", 200),
        ("2147483647", 200),
        ("-2147483648", 200),
        ("2147483648", 400),
        ("9" * 5000, 400),
        ("", 400),
        ("abc", 400),
        ("1.0", 400),
        ("1e1", 400),
        ("-", 400),
        ("²", 400),
    ],
)
async def test_a_number_in_the_query_is_a_java_int(
    client: Client, level: str, status: int
) -> None:
    reply = await client.post(f"{NEIGHBORHOOD}?level={level}", NEIGHBORS)
    assert reply.status == status


async def test_a_plus_in_the_query_is_a_blank(client: Client) -> None:
    reply = await client.get(BASE + "/instances/entity/x/existence?a+b=c+d")
    assert reply.status == 200
    reply = await client.get(BASE + "/types/typedefs/by-external-id?standard=a+b")
    assert reply.body == {"class": "TypeDefListResponse", "relatedHTTPCode": 200}


# Content types


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("APPLICATION/JSON", 200),
        ("application/json; charset=utf-8", 200),
        ("application/json;charset=ISO-8859-1", 200),
        ("application/json; charset=UTF-16", 200),
        ("application/vnd.egeria+json", 200),
        ("application/problem+json", 200),
        ("application/json; charset=nonsense", 415),
        ("application/json; charset=hex", 415),
        ("text/plain", 415),
        ("text/json", 415),
        ("application/xml", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/octet-stream", 415),
        ("*/*", 415),
        ("nonsense", 415),
        ("", 415),
        (None, 415),
    ],
)
async def test_a_body_says_that_it_is_json(
    client: Client, content_type: str | None, status: int
) -> None:
    reply = await client.request("POST", ENTITY, CREATE, content_type=content_type)
    assert reply.status == status


async def test_a_latin_body_is_read_as_such(client: Client) -> None:
    body = '{"class":"EntityCreateRequest","entityTypeGUID":"\xe9"}'.encode("latin-1")
    reply = await client.request(
        "POST", ENTITY, body, content_type="application/json;charset=iso-8859-1"
    )
    assert reply.body["exceptionErrorMessageParameters"][0] == "é"
    assert (await client.request("POST", ENTITY, body)).status == 400


# Bodies that can't be bound


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"null",
        b"{}",
        b"[]",
        b'"x"',
        b"1",
        b"true",
        b'{"class":',
        b'{"class":"EntityCreateRequest"}xx',
        b'/* */{"class":"EntityCreateRequest"}',
        b"{'class':'EntityCreateRequest'}",
        b'{"class":"EntityCreateRequest","x":NaN}',
        b'{"class":null}',
        b'{"class":1}',
        b'{"class":{}}',
        b'{"class":[]}',
        b'{"class":"HistoryRequest"}',
        b'{"class":"OMRSAPIRequest"}',
        b'{"class":"Foo"}',
        b'{"class":"InstanceProperties"}',
        b'{"class":"EntityCreateRequest","entityTypeGUID":{}}',
        b'{"class":"EntityCreateRequest","entityTypeGUID":["a"]}',
        b'{"class":"EntityCreateRequest","initialProperties":[]}',
        b'{"class":"EntityCreateRequest","initialProperties":""}',
        b'{"class":"EntityCreateRequest","initialProperties":{}}',
        b'{"class":"EntityCreateRequest","initialClassifications":{}}',
        b'{"class":"EntityCreateRequest","initialStatus":"FOO"}',
        b'{"class":"EntityCreateRequest","initialStatus":""}',
        b'{"class":"EntityCreateRequest","initialStatus":"active"}',
        b'{"class":"EntityCreateRequest","x":"\xff"}',
        b'{"class":"EntityCreateRequest","x":"\x01"}',
        b'{"class":"EntityCreateRequest","entityTypeGUID":"\\ud800"}',
        b'{"class":"EntityCreateRequest","x":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        b'{"class":"EntityCreateRequest","x":' + b'{"a":' * 200 + b"1" + b"}" * 201,
        b"[" * 100_000,
    ],
)
async def test_a_body_that_can_not_be_bound_is_refused(
    client: Client, body: bytes
) -> None:
    reply = await client.request("POST", ENTITY, body)
    assert reply.status == 400
    answer = reply.body
    assert len(answer.pop("message")) <= MAX_REASON_LENGTH
    assert answer == {
        "timestamp": "2027-01-15T08:00:00.000+00:00",
        "status": 400,
        "error": "Bad Request",
        "path": ENTITY,
    }


@pytest.mark.parametrize(
    "body",
    [
        b'{"class":"EntityCreateRequest","entityTypeGUID":"nope"}',
        b'\xef\xbb\xbf{"class":"EntityCreateRequest","entityTypeGUID":"nope"}',
        b' \n{"entityTypeGUID":"nope","class":"EntityCreateRequest"}\n',
        b'{"class":"EntityCreateRequest","entityTypeGUID":"a","entityTypeGUID":"nope"}',
        b'{"class":"EntityCreateRequest","x":{"class":"y"},"entityTypeGUID":"nope"}',
        b'{"class":"EntityCreateRequest","entityTypeGUID":"nope","initialStatus":null}',
        b'{"class":"EntityCreateRequest","entityTypeGUID":"nope","x":'
        + b"[" * 50
        + b"]" * 50
        + b"}",
        b'{"class":"EntityCreateRequest","entityTypeGUID":"nope","x":1%s}'
        % (b"0" * 300),
        b'{"class":"EntityCreateRequest","entityTypeGUID":"nope","%s":1}'
        % (b"k" * 100_000),
    ],
)
async def test_a_body_that_can_be_bound_reaches_the_operation(
    client: Client, body: bytes
) -> None:
    reply = await client.request("POST", ENTITY, body)
    assert reply.status == 200
    assert reply.body["exceptionErrorMessageId"] == "OMRS-REPOSITORY-404-007"
    assert reply.body["exceptionErrorMessageParameters"][0] == "nope"


@pytest.mark.parametrize(
    ("given", "guid"), [("5", "5"), ("5.0", "5.0"), ("true", "true")]
)
async def test_a_scalar_is_read_as_text(client: Client, given: str, guid: str) -> None:
    body = f'{{"class":"EntityCreateRequest","entityTypeGUID":{given}}}'.encode()
    reply = await client.request("POST", ENTITY, body)
    assert reply.body["exceptionErrorMessageParameters"][0] == guid


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ('"offset":1', 200),
        ('"offset":"1"', 200),
        ('"offset":1.5', 200),
        ('"offset":null', 200),
        ('"offset":-1', 200),
        ('"pageSize":-5', 200),
        ('"pageSize":2147483647', 200),
        ('"offset":2147483648', 400),
        ('"offset":99999999999999999999', 400),
        ('"offset":1e999', 400),
        ('"offset":"x"', 400),
        ('"offset":true', 400),
        ('"pageSize":[]', 400),
        ('"limitResultsByStatus":[]', 200),
        ('"limitResultsByStatus":"ACTIVE"', 400),
        ('"limitResultsByStatus":["FOO"]', 400),
        ('"sequencingOrder":"FOO"', 400),
        ('"matchProperties":{}', 200),
        ('"matchProperties":{"conditions":null}', 200),
        ('"matchProperties":[]', 400),
        ('"matchProperties":{"conditions":{}}', 400),
        ('"matchProperties":{"conditions":[{"value":{"class":"Foo"}}]}', 400),
        ('"subtypeGUIDs":[1]', 200),
        ('"subtypeGUIDs":{}', 400),
        ('"asOfTime":5', 200),
    ],
)
async def test_a_field_has_the_json_type_of_its_bean(
    client: Client, fields: str, status: int
) -> None:
    body = f'{{"class":"EntityFindRequest","typeGUID":"nope",{fields}}}'.encode()
    assert (await client.request("POST", ENTITIES, body)).status == status


@pytest.mark.parametrize(
    ("time", "status"),
    [
        ('"2020-01-01T00:00:00.000+00:00"', 200),
        ('"2020-01-01T00:00:00Z"', 200),
        ('"2020-01-01T00:00"', 200),
        ('"2020-01-01T00:00:00+0100"', 200),
        ('"2020-01-01"', 200),
        ("1577836800000", 200),
        ("-99999999999", 200),
        ("null", 200),
        ('"2020-01-01 00:00"', 400),
        ('"2020-01-01t00:00:00z"', 400),
        ('"x"', 400),
        ("true", 400),
        ("[]", 400),
        ("1577836800000.5", 400),
        ("99999999999999999999", 400),
        ("9223372036854775807", 400),
        ("-9223372036854775808", 400),
        ('"10000-01-01T00:00:00Z"', 400),
        ('"0001-01-01T00:00:00+14:00"', 400),
    ],
)
async def test_a_date_is_iso_text_or_milliseconds(
    client: Client, time: str, status: int
) -> None:
    body = f'{{"class":"HistoryRequest","asOfTime":{time}}}'.encode()
    assert (await client.request("POST", AS_OF, body)).status == status


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (STATUS, b'"ACTIVE"', 200),
        (STATUS, b' "ACTIVE" ', 200),
        (STATUS, b'"DELETED"', 200),
        (STATUS, b"ACTIVE", 400),
        (STATUS, b'"FOO"', 400),
        (STATUS, b'"INVALID"', 400),
        (STATUS, b'["ACTIVE"]', 400),
        (STATUS, b'{"x":1}', 400),
        (STATUS, b"null", 400),
        (BASE + "/types/typedefs/by-category", b'"ENTITY_DEF"', 200),
        (BASE + "/types/typedefs/by-category", b'"FOO"', 400),
        (BASE + "/types/typedefs/by-category", b"null", 400),
        (BASE + "/types/typedef", b'{"class":"EntityDef"}', 200),
        (BASE + "/types/typedef", b"{}", 400),
        (BASE + "/types/typedef", b'{"class":"TypeDef"}', 400),
        (BASE + "/types/typedef", b'{"class":"PrimitiveDef"}', 400),
        (BASE + "/types/attribute-typedef", b"{}", 400),
        (BASE + "/types/typedef/update", b"{}", 200),
        (BASE + "/types", b"{}", 200),
        (BASE + "/instances", b"{}", 400),
        (BASE + "/instances", b'{"class":"InstanceGraphRequest"}', 200),
        (BASE + "/instances/entity-proxy", b"{}", 400),
        (ENTITIES + "/reference-copy", b'{"class":"EntityDetail"}', 200),
        (ENTITIES + "/reference-copy", b'{"class":"EntitySummary"}', 400),
    ],
)
async def test_bare_enums_and_beans_are_bound(
    client: Client, path: str, body: bytes, status: int
) -> None:
    assert (await client.request("POST", path, body)).status == status


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (None, None, 200),
        (b"", None, 200),
        (b"", JSON_TYPE, 200),
        (b"null", JSON_TYPE, 200),
        (b'{"class":"OMRSAPIRequest"}', JSON_TYPE, 200),
        (b"{}", JSON_TYPE, 400),
        (b'{"class":"Foo"}', JSON_TYPE, 400),
        (b"hello", "text/plain", 415),
        (b"", "text/plain", 415),
    ],
)
async def test_a_body_may_be_left_out_where_it_says_nothing(
    client: Client, body: bytes | None, content_type: str | None, status: int
) -> None:
    reply = await client.request("POST", DECLASSIFY, body, content_type=content_type)
    assert reply.status == status
    if status == 200:
        assert reply.body["exceptionErrorMessageId"] == "OMRS-REPOSITORY-404-002"


async def test_an_operation_without_a_body_ignores_one(client: Client) -> None:
    reply = await client.request(
        "GET", BASE + "/metadata-collection-id", b"junk", content_type="text/plain"
    )
    assert reply.body["metadataCollectionId"] == "local-id"


async def test_binding_comes_before_the_server_is_looked_for(client: Client) -> None:
    other = ENTITY.replace(SERVER, "nobody")
    assert (await client.post(other, {})).status == 400
    reply = await client.post(other, CREATE)
    assert reply.status == 200
    answer = reply.body
    assert answer["exceptionErrorMessageId"] == "OMAG-MULTI-TENANT-404-001"
    assert answer["exceptionErrorMessageParameters"] == ["nobody", "me"]
    assert answer["exceptionProperties"] == {"parameterName": "serverName"}
    assert answer["actionDescription"] == "addEntity"


# HTTP itself


async def test_head_answers_like_get_without_a_body(client: Client) -> None:
    path = BASE + "/types/all"
    got = await client.get(path)
    head = await client.request("HEAD", path)
    assert head.status == 200
    assert head.headers["content-length"] == str(len(got.text))
    assert len(got.text) > 1_000_000, "long enough to be sent in pieces"


async def test_requests_in_a_row_are_answered_in_order(client: Client) -> None:
    async with client.connected() as connection:
        await connection.send(
            request_text("GET", f"{ENTITY}/one")
            + request_text("GET", BASE + "/nothing")
            + request_text(
                "POST", ENTITY, json.dumps(CREATE).encode(), content_type=JSON_TYPE
            )
            + request_text("GET", f"{ENTITY}/two")
        )
        replies = [await connection.reply() for _ in range(4)]
    assert [reply.status for reply in replies] == [200, 404, 200, 200]
    texts = [reply.body.get("exceptionErrorMessageParameters") for reply in replies]
    assert [text and text[0] for text in texts] == ["one", None, "nope", "two"]


async def test_a_body_may_come_in_chunks(client: Client) -> None:
    async with client.connected() as connection:
        head = request_text(
            "POST",
            ENTITY,
            content_type=JSON_TYPE,
            headers={"Transfer-Encoding": "chunked"},
        )
        await connection.send(head)
        for piece in (b'{"class":"EntityCreate', b'Request","entityTypeGUID":"nope"}'):
            await connection.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        await connection.send(b"0\r\n\r\n")
        reply = await connection.reply()
    assert reply.body["exceptionErrorMessageId"] == "OMRS-REPOSITORY-404-007"


async def test_a_caller_who_waits_for_leave_to_send_gets_it(client: Client) -> None:
    text = json.dumps(CREATE).encode()
    async with client.connected() as connection:
        asking = request_text(
            "POST",
            ENTITY,
            content_type=JSON_TYPE,
            headers={"Expect": "100-continue", "Content-Length": str(len(text))},
        )
        await connection.send(asking)
        assert (await connection.reply()).status == 100
        await connection.send(text)
        reply = await connection.reply()
    assert reply.body["exceptionErrorMessageId"] == "OMRS-REPOSITORY-404-007"


async def test_a_packed_body_is_not_unpacked(client: Client) -> None:
    text = gzip.compress(json.dumps(CREATE).encode())
    reply = await client.request(
        "POST", ENTITY, text, headers={"Content-Encoding": "gzip"}
    )
    assert reply.status == 400


async def test_a_body_that_is_too_large_is_refused(client: Client) -> None:
    text = b'{"class":"EntityCreateRequest","x":"%b"}' % (b"x" * 10_000_000)
    reply = await client.request("POST", ENTITY, text)
    assert (reply.status, reply.body["error"]) == (413, "Request Entity Too Large")


async def test_a_body_that_grows_too_large_is_refused(client: Client) -> None:
    async with client.connected() as connection:
        await connection.send(
            request_text(
                "POST",
                ENTITY,
                content_type=JSON_TYPE,
                headers={"Transfer-Encoding": "chunked"},
            )
        )
        piece = b" " * (1024 * 1024)
        for _ in range(MAX_BODY_BYTES // len(piece) + 1):
            await connection.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        await connection.send(b"0\r\n\r\n")
        assert (await connection.reply()).status == 413


@pytest.mark.parametrize(
    "text",
    [
        b"junk\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 500 + b"\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked"
        b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
async def test_what_is_not_http_is_refused_without_ado(
    client: Client, text: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with client.connected() as connection:
        await connection.send(text)
        assert (await connection.reply()).status == 400
        assert await connection.is_closed()
    assert caplog.records == []
    assert (await client.get(BASE + "/metadata-collection-id")).status == 200


async def test_a_broken_chunk_is_refused(client: Client) -> None:
    async with client.connected() as connection:
        head = request_text(
            "POST",
            ENTITY,
            content_type=JSON_TYPE,
            headers={"Transfer-Encoding": "chunked"},
        )
        await connection.send(head + b"zz\r\n")
        assert (await connection.reply()).status == 400
    assert (await client.get(BASE + "/metadata-collection-id")).status == 200


async def test_a_caller_who_hangs_up_harms_nobody(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    async with client.connected() as connection:
        await connection.send(
            request_text(
                "POST",
                ENTITY,
                content_type=JSON_TYPE,
                headers={"Content-Length": "100"},
            )
        )
    assert (await client.get(BASE + "/metadata-collection-id")).status == 200
    assert caplog.records == []


async def test_a_large_body_is_decoded_while_others_are_answered(
    client: Client, house: House
) -> None:
    copies = [replace(COPY, guid=f"copy-{number}") for number in range(2_000)]
    request = {
        "class": "InstanceGraphRequest",
        "entityElementList": [CODEC.to_object(copy) for copy in copies],
    }
    large = asyncio.create_task(client.post(BASE + "/instances", request))
    answered = 0
    while not large.done():
        assert (await client.get("/health/live")).status == 200
        answered += 1
    reply = await large
    assert reply.body == {"class": "VoidResponse", "relatedHTTPCode": 200}
    assert answered > 1
    assert house.repository.entity("copy-1999") is not None


async def test_an_unforeseen_failure_is_an_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = SetClock()
    audit_log = AuditLog(SERVER, clock)
    server = hosted(None, clock, audit_log=audit_log)  # type: ignore[arg-type]
    async with serving(clock, {SERVER: server}) as client:
        reply = await client.get(f"{ENTITY}/x")
    assert reply.status == 200
    assert reply.body["relatedHTTPCode"] == 400
    assert reply.body["exceptionErrorMessageId"] == "OMRS-REPOSITORY-400-062"
    assert "actionDescription" not in reply.body
    assert "Traceback" not in reply.text.decode()
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    (record,) = audit_log.records()
    assert (record.message_id, record.parameters) == (
        "EDGENODE-AUDIT-0006",
        ("getEntityDetail", "AttributeError"),
    )
