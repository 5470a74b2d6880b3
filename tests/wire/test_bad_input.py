"""What callers can get wrong is answered in the form of a genuine server's refusals.

Every operation is asked, over real HTTP. That nothing is logged, as it would be for an
error that nobody foresaw, holds for every test here by itself.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import fields
from typing import Any, get_type_hints
from urllib.parse import quote

import pytest

from edgenode.codec.beans import wire_name
from edgenode.limits import MAX_JSON_DEPTH, MAX_REASON_LENGTH
from edgenode.releases import SERVED
from tests.model.house import type_guid
from tests.wire.calls import Example, example, operations
from tests.wire.http import Client, Connection, Reply
from tests.wire.serving import BASE

pytestmark = pytest.mark.usefixtures("nothing_unforeseen")

UNTAGGED = {"TypeDefGallery", "TypeDefPatch", "TypeDefProperties"}
"""Bodies that need no class, because nothing else may stand in their place."""

TERM = type_guid("GlossaryTerm")
Json = dict[str, Any]


@pytest.fixture
async def connection(client: Client) -> AsyncIterator[Connection]:
    async with client.connected() as connection:
        yield connection


def refused(reply: Reply, path: str, status: int = 400) -> None:
    """Hold a reply to the form of a refusal."""
    assert reply.status == status, path
    told = reply.body
    assert len(told.pop("message", "")) <= MAX_REASON_LENGTH
    assert told.pop("timestamp").endswith("+00:00")
    assert told.pop("error")
    assert told == {"status": status, "path": path.partition("?")[0]}


def failed(reply: Reply, response: str, message_id: str) -> None:
    """Hold a reply to the form of a failed operation."""
    assert reply.status == 200
    told = reply.body
    assert told["class"] == response
    assert told["exceptionErrorMessageId"] == message_id
    assert told["exceptionErrorMessage"].startswith(message_id + " ")
    assert told["exceptionClassName"].startswith("org.odpi.openmetadata.")
    assert told["relatedHTTPCode"] >= 400
    assert {"exceptionSystemAction", "exceptionUserAction"} <= told.keys()


def with_bodies() -> Iterator[Example]:
    for mounted in operations():
        call = example(mounted)
        if call.body is not None:
            yield call


def bodies() -> Iterator[Example]:
    """One operation for each class that a body may have."""
    calls = {call.operation.body: call for call in with_bodies() if call.takes_a_bean}
    yield from calls.values()


# Bodies


@pytest.mark.parametrize(
    "text",
    [
        b'{"class":',
        b'{"class":"\xff\xfe"}',
        b'{"class":"\x00"}',
        b"tru",
        b"[]",
        b"5",
        b"NaN",
        b"[" * 100_000,
        b'{"a":' * (MAX_JSON_DEPTH + 1) + b"1" + b"}" * (MAX_JSON_DEPTH + 1),
    ],
)
async def test_no_operation_takes_what_is_not_its_json(
    connection: Connection, text: bytes
) -> None:
    for call in with_bodies():
        reply = await connection.request(call.method, call.path, text)
        refused(reply, call.path)


@pytest.mark.parametrize("category", [None, "OM_PRIMITIVE_TYPE_UNKNOWN"])
@pytest.mark.parametrize(
    ("number", "status"),
    [
        (2**63 - 1, 200),
        (-(2**63), 200),
        (2**63, 400),
        (2**64, 400),
        (-(2**63) - 1, 400),
        (10**29, 400),
    ],
)
async def test_no_number_loses_its_digits(
    client: Client, category: str | None, number: int, status: int
) -> None:
    value = {
        "class": "PrimitivePropertyValue",
        "primitiveDefCategory": category,
        "primitiveValue": number,
    }
    free = {
        "class": "MapPropertyValue",
        "mapValues": properties(large=value),
    }
    entity = await create(client, "q7")
    path = f"{BASE}/instances/entity/{entity['guid']}"
    body = {
        "class": "InstancePropertiesRequest",
        "instanceProperties": properties(additionalProperties=free),
    }
    reply = await client.post(f"{path}/properties", body)
    assert reply.status == status
    found = await client.get(path)
    stored = found.body["entity"]["properties"]["instanceProperties"]
    is_stored = "additionalProperties" in stored
    assert is_stored is (status == 200)
    if is_stored:
        held = stored["additionalProperties"]["mapValues"]["instanceProperties"]
        assert held["large"]["primitiveValue"] == number


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"class": None},
        {"class": 5},
        {"class": "Nothing"},
        {"class": "InstanceType"},
    ],
)
async def test_every_bean_says_what_it_is(connection: Connection, body: Json) -> None:
    for call in with_bodies():
        if call.takes_a_bean and call.body["class"] not in UNTAGGED:
            reply = await connection.request(call.method, call.path, body)
            refused(reply, call.path)


async def test_unknown_fields_change_nothing(connection: Connection) -> None:
    unknown = {"x": [{"class": 5}], "Class": "y", "": None, "a.b": 1e300}
    for call in with_bodies():
        if call.takes_a_bean:
            plain = await connection.request(call.method, call.path, call.body)
            more = await connection.request(call.method, call.path, unknown | call.body)
            assert more.status == plain.status == 200
            assert more.body == plain.body


async def test_every_field_has_its_json_type(connection: Connection) -> None:
    tried = 0
    for call in bodies():
        for name, value in misfits(call.operation.body):
            body = call.body | {name: value}
            reply = await connection.request(call.method, call.path, body)
            refused(reply, call.path)
            assert name in reply.body["message"]
            tried += 1
    assert tried > 100


def misfits(cls: Any) -> Iterator[tuple[str, Any]]:
    """The fields of a bean, each with a value that can't be its."""
    absent = frozenset[str]().union(
        *(SERVED.absent_fields.get(base.__name__, ()) for base in cls.__mro__)
    )
    hints = get_type_hints(cls)
    for field in fields(cls):
        name = wire_name(field.name)
        if name not in absent and hints[field.name] is not object:
            is_list = "tuple" in str(hints[field.name])
            yield name, {"a": 1} if is_list else [[]]


# Paths


async def test_every_operation_looks_for_its_server(connection: Connection) -> None:
    for mounted in operations():
        if "{serverName}" in mounted.template:
            call = example(mounted, server="nobody")
            reply = await connection.request(call.method, call.path, call.body)
            failed(reply, call.operation.response, "OMAG-MULTI-TENANT-404-001")
            assert reply.body["exceptionProperties"] == {"parameterName": "serverName"}


async def test_every_path_has_its_methods(connection: Connection) -> None:
    offered: dict[str, set[str]] = {}
    for mounted in operations():
        call = example(mounted)
        offered.setdefault(call.path.partition("?")[0], set()).add(call.method)
    for path, methods in offered.items():
        for method in {"GET", "POST", "PUT", "DELETE", "PATCH"} - methods:
            reply = await connection.request(method, path)
            refused(reply, path, 405)
            assert reply.headers["allow"] == ",".join(sorted(methods))


async def test_every_needed_parameter_is_asked_for(connection: Connection) -> None:
    needed = [
        example(mounted)
        for mounted in operations()
        if any(each.required for each in mounted.operation.query)
    ]
    assert needed
    for call in needed:
        path = call.path.partition("?")[0]
        reply = await connection.request(call.method, path, call.body)
        refused(reply, path)


@pytest.mark.parametrize(
    "name",
    ["'; DROP TABLE instance; --", "../../etc/passwd", "%", "{0}", "\U0001f9ed" * 100],
)
async def test_a_strange_name_is_only_unknown(
    connection: Connection, name: str
) -> None:
    for mounted in operations():
        call = example(mounted, at=name, query=quote(name))
        reply = await connection.request(call.method, call.path, call.body)
        if any(each.number for each in call.operation.query):
            refused(reply, call.path)
        else:
            assert reply.status == 200
            assert b"Traceback" not in reply.text


# Pages


async def test_pages_have_a_size_and_a_start(
    connection: Connection,
) -> None:
    tried = 0
    for call in with_bodies():
        is_of_cohort = "/enterprise/" in call.path or "/cohort/" in call.path
        if is_of_cohort or "page_size" not in call.fields:
            continue
        for name in ("offset", "pageSize"):
            body = call.body | {name: -1}
            reply = await connection.request(call.method, call.path, body)
            failed(reply, call.operation.response, "OMRS-REPOSITORY-400-050")
            assert reply.body["exceptionErrorMessageParameters"][:2] == ["-1", name]
            tried += 1
    assert tried >= 2 * 20


async def test_a_page_may_be_huge_or_far_away(
    client: Client, connection: Connection
) -> None:
    term = await create(client, "Alpha")
    most = 2**31 - 1
    for path in (
        "/instances/entities",
        f"/instances/entity/{term['guid']}/history/all",
    ):
        cls = "EntityFindRequest" if "entities" in path else "HistoryRangeRequest"
        for page, found in (
            ({"pageSize": most}, [term]),
            ({"offset": most}, None),
            ({"offset": most, "pageSize": most}, None),
        ):
            reply = await connection.request("POST", BASE + path, {"class": cls} | page)
            assert reply.body.get("entities") == found


# Searches that would take long


def text_value(text: str) -> Json:
    return {
        "class": "PrimitivePropertyValue",
        "primitiveDefCategory": "OM_PRIMITIVE_TYPE_STRING",
        "primitiveValue": text,
    }


def properties(**values: Json) -> Json:
    return {"class": "InstanceProperties", "instanceProperties": values}


async def create(client: Client, name: str) -> Json:
    """A glossary term with a name."""
    request = {
        "class": "EntityCreateRequest",
        "entityTypeGUID": TERM,
        "initialProperties": properties(qualifiedName=text_value(name)),
    }
    reply = await client.post(BASE + "/instances/entity", request)
    entity: Json = reply.body["entity"]
    return entity


async def answer_while_others_ask(client: Client, path: str, body: Json) -> Json:
    """The answer to a long search; others are answered before it."""
    search = asyncio.create_task(client.post(BASE + path, body))
    answered = 0
    while not search.done():
        assert (await client.get("/health/live")).status == 200
        answered += 1
    assert answered > 1
    answer: Json = (await search).body
    return answer


async def test_a_pattern_without_end_is_given_up(client: Client) -> None:
    pattern = "(a|aa)+$"
    await create(client, "a" * 5_000 + "!")
    example_search = {
        "class": "EntityPropertyFindRequest",
        "matchCriteria": "ALL",
        "matchProperties": properties(qualifiedName=text_value(pattern)),
    }
    condition = {
        "property": "qualifiedName",
        "operator": "LIKE",
        "value": text_value(pattern),
    }
    condition_search = {
        "class": "EntityFindRequest",
        "matchProperties": {"matchCriteria": "ALL", "conditions": [condition]},
    }
    any_text = f"?searchCriteria={quote(pattern, safe='')}"
    for path, search in (
        ("/instances/entities/by-property", example_search),
        ("/instances/entities", condition_search),
        (
            "/instances/entities/by-property-value" + any_text,
            {"class": "EntityPropertyFindRequest"},
        ),
    ):
        answer = await answer_while_others_ask(client, path, search)
        assert answer["relatedHTTPCode"] == 503
        assert answer["exceptionErrorMessageId"] == "EDGENODE-REPOSITORY-503-002"
    reasonable = example_search | {
        "matchProperties": properties(qualifiedName=text_value("a+!"))
    }
    reply = await client.post(BASE + "/instances/entities/by-property", reasonable)
    assert len(reply.body["entities"]) == 1


@pytest.mark.parametrize(
    "pattern",
    ["[", "(" * 10_000, "a{1000000}", "((a{100}){100}){100}", "\\", "*", "a" * 100_001],
)
async def test_a_pattern_that_is_none_or_too_large_is_refused(
    connection: Connection, pattern: str
) -> None:
    search = {
        "class": "EntityPropertyFindRequest",
        "matchCriteria": "ALL",
        "matchProperties": properties(qualifiedName=text_value(pattern)),
    }
    path = BASE + "/instances/entities/by-property"
    reply = await connection.request("POST", path, search)
    failed(reply, "EntityListResponse", "OMRS-PROPERTIES-400-006")


@pytest.mark.parametrize(
    "path",
    ["/types/by-name?name=", "/types/typedefs/by-property-value?searchCriteria="],
)
async def test_names_of_types_are_searched_in_bounded_time(
    connection: Connection, path: str
) -> None:
    pattern = quote(r"(\w|\w\w)+\W")
    reply = await connection.request("GET", BASE + path + pattern)
    assert reply.body["exceptionErrorMessageId"] == "EDGENODE-REPOSITORY-503-002"


async def test_a_search_with_very_many_conditions_holds_nobody_up(
    client: Client,
) -> None:
    term = await create(client, "q7")
    conditions = [
        {
            "property": "qualifiedName",
            "operator": "EQ",
            "value": text_value(f"q{number}"),
        }
        for number in range(2_000)
    ]
    search = {
        "class": "EntityFindRequest",
        "matchProperties": {"matchCriteria": "ANY", "conditions": conditions},
    }
    answer = await answer_while_others_ask(client, "/instances/entities", search)
    assert answer["entities"] == [term]


async def test_a_search_with_too_many_conditions_is_refused(client: Client) -> None:
    await create(client, "q7")
    conditions = [
        {"property": f"property {number}", "operator": "IS_NULL"}
        for number in range(50)
    ] + [
        {
            "property": "qualifiedName",
            "operator": "LIKE",
            "value": text_value(f"q{number}"),
        }
        for number in range(6_000)
    ]
    search = {
        "class": "EntityFindRequest",
        "matchProperties": {"matchCriteria": "ANY", "conditions": conditions},
    }
    answer = await answer_while_others_ask(client, "/instances/entities", search)
    assert answer["relatedHTTPCode"] == 400
    assert answer["exceptionErrorMessageId"] == "EDGENODE-REPOSITORY-400-003"


async def test_a_search_for_one_of_very_many_values_holds_nobody_up(
    client: Client,
) -> None:
    term = await create(client, "q7")
    values = {str(number): text_value(f"q{number}") for number in range(20_000)}
    listed = {
        "class": "ArrayPropertyValue",
        "arrayCount": len(values),
        "arrayValues": {"class": "InstanceProperties", "instanceProperties": values},
    }
    condition = {"property": "qualifiedName", "operator": "IN", "value": listed}
    search = {
        "class": "EntityFindRequest",
        "matchProperties": {"matchCriteria": "ALL", "conditions": [condition]},
    }
    answer = await answer_while_others_ask(client, "/instances/entities", search)
    assert answer["entities"] == [term]
