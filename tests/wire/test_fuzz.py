"""Bodies of any shape, sent to every operation: answered, never more than refused.

Bodies follow the beans that the operations take, so that they get past the binding as
often as not; then any field may be missing, odd, or something else altogether. The
server starts with instances of each kind and keeps what the requests make of them.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgenode.codec.beans import wire_name
from edgenode.rest.mounts import Mounted
from tests.model import house
from tests.model.house import CODEC, type_guid
from tests.wire.calls import operations
from tests.wire.http import Client
from tests.wire.serving import BASE, SERVER

pytestmark = pytest.mark.usefixtures("nothing_unforeseen")

EXAMPLES = 300
Json = dict[str, Any]
DEPTH = 5
"""How many beans stand in each other."""

GUIDS = ("one", "two", "linked", "gone", "copy", "proxy", "unknown", "")
TYPES = ("GlossaryTerm", "GlossaryCategory", "TermCategorization", "Confidentiality")
NAMES = (
    "qualifiedName",
    "additionalProperties",
    "confidence",
    "level",
    "typeName",
    "createTime",
    "x",
)
TYPE_GUIDS = st.sampled_from([type_guid(name) for name in TYPES])
TEXTS = st.sampled_from(
    (
        *GUIDS,
        *TYPES,
        *(type_guid(name) for name in TYPES),
        *NAMES,
        "local-id",
        "remote-id",
        ".*",
        "(?i)\\Qo\\E.*",
        "[a-",
        "\0",
        "\U0001f9ed",
        "x" * 3_000,
    )
) | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
NUMBERS = st.sampled_from(
    (0, 1, 2, 5, -1, 2**31 - 1, -(2**31), 2**31, 2**63 - 1, -(2**63), 2**64 - 1)
)
DATES = st.sampled_from(
    (0, -1, 1_600_000_000_000, 253_402_300_799_999, "2020-01-01T00:00:00Z", "soon")
)
SCALARS = (
    st.none()
    | st.booleans()
    | NUMBERS
    | TEXTS
    | st.floats(allow_nan=False, allow_infinity=False)
)
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
    ),
    max_leaves=6,
)


def one_in(
    times: int, odd: st.SearchStrategy[Any], usual: st.SearchStrategy[Any]
) -> st.SearchStrategy[Any]:
    """Something odd now and then."""
    numbers = st.integers(1, times)
    return numbers.flatmap(lambda number: odd if number == times else usual)


def of_hint(hint: Any, name: str, depth: int) -> st.SearchStrategy[Any]:
    """JSON for a field."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        kinds = [each for each in arguments if each is not type(None)]
        return st.none() | st.one_of([of_hint(each, name, depth) for each in kinds])
    if origin is tuple:
        return st.lists(of_hint(arguments[0], name, depth), max_size=3)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        values = of_hint(arguments[1], name, depth)
        return st.dictionaries(st.sampled_from(NAMES) | TEXTS, values, max_size=3)
    if hint is str:
        return one_in(4, TEXTS, fitting_text(name))
    if hint is int:
        return DATES if name.endswith(("_time", "_date")) else NUMBERS
    if hint is bool:
        return st.booleans()
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from([member.name for member in hint])
    if isinstance(hint, type) and is_dataclass(hint):
        return beans(hint, depth - 1) if depth else st.none()
    return SCALARS


def fitting_text(name: str) -> st.SearchStrategy[str]:
    """Text that means something in a field of this name."""
    if "type" in name:
        return TYPE_GUIDS if "guid" in name else st.sampled_from(TYPES)
    if "collection" in name:
        return st.sampled_from(("local-id", "remote-id"))
    return st.sampled_from(GUIDS if "guid" in name else NAMES)


def beans(cls: type, depth: int = DEPTH) -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects for a class, or one of those that inherit from it."""
    return st.sampled_from(family(cls)).flatmap(lambda member: _bean(member, depth))


def family(cls: type) -> list[type]:
    subclasses: list[type] = cls.__subclasses__()
    return [cls, *(each for sub in subclasses for each in family(sub))]


def _bean(cls: type, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    hints = get_type_hints(cls)
    optional = {
        wire_name(field.name): one_in(
            12, ANYTHING, of_hint(hints[field.name], field.name, depth)
        )
        for field in fields(cls)
    }
    tag = one_in(30, ANYTHING, st.just(cls.__name__))
    return st.fixed_dictionaries({"class": tag}, optional=optional)


def body_of(cls: type) -> st.SearchStrategy[Any]:
    if issubclass(cls, Enum):
        usual: st.SearchStrategy[Any] = st.sampled_from([each.name for each in cls])
    else:
        usual = beans(cls)
    return one_in(20, ANYTHING, usual)


# What is there


async def populate(client: Client) -> None:
    """Store an instance of each kind, under the names that the requests ask for."""

    async def asked(path: str, body: Json) -> Json:
        reply = await client.post(BASE + "/instances" + path, body)
        answer: Json = reply.body
        assert answer["relatedHTTPCode"] == 200, answer
        return answer

    def validation(type_name: str) -> Json:
        return {
            "class": "TypeDefValidationForRequest",
            "typeDefGUID": type_guid(type_name),
            "typeDefName": type_name,
        }

    async def named(kind: str, name: str, type_name: str, request: Json) -> None:
        request |= {f"{kind}TypeGUID": type_guid(type_name)}
        guid = (await asked(f"/{kind}", request))[kind]["guid"]
        identity = f"/{kind}/{guid}/identity?new{kind.title()}GUID={name}"
        await asked(identity, validation(type_name))

    for name, type_name in (
        ("one", "GlossaryTerm"),
        ("gone", "GlossaryTerm"),
        ("two", "GlossaryCategory"),
    ):
        properties = CODEC.to_object(house.properties(qualifiedName=name))
        request = {"class": "EntityCreateRequest", "initialProperties": properties}
        await named("entity", name, type_name, request)
    ends = {"entityOneGUID": "two", "entityTwoGUID": "one"}
    request = {"class": "RelationshipCreateRequest"} | ends
    await named("relationship", "linked", "TermCategorization", request)
    await asked("/entity/gone/delete", validation("GlossaryTerm"))
    copy, proxy = house.remote_entity("copy"), house.remote_proxy("proxy")
    await asked("/entities/reference-copy", CODEC.to_object(copy))
    await asked("/entity-proxy", CODEC.to_object(proxy))


@pytest.fixture
async def populated(client: Client) -> Client:
    await populate(client)
    return client


# What is asked


CALLS = [
    mounted
    for mounted in operations()
    if mounted.operation.body is not None and "/enterprise/" not in mounted.template
]


@st.composite
def requests(draw: st.DrawFn) -> tuple[Mounted, str, Any]:
    mounted = draw(st.sampled_from(CALLS))
    segments = [
        SERVER
        if segment == "{serverName}"
        else quote(draw(st.sampled_from((*GUIDS[:-1], *TYPES))))
        if segment.startswith("{")
        else segment
        for segment in mounted.template.split("/")
    ]
    query = "&".join(
        f"{each.name}={draw(st.integers(-1, 3)) if each.number else quote(draw(TEXTS))}"
        for each in mounted.operation.query
    )
    assert mounted.operation.body is not None
    body = draw(body_of(mounted.operation.body))
    return mounted, "/".join(segments) + (f"?{query}" if query else ""), body


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(request=requests())
async def test_any_body_is_answered(
    populated: Client,
    caplog: pytest.LogCaptureFixture,
    request: tuple[Mounted, str, Any],
) -> None:
    mounted, path, body = request
    reply = await populated.request(mounted.operation.method, path, body)
    assert [record.getMessage() for record in caplog.records] == []
    answer = reply.body
    if reply.status == 200:
        assert answer["class"] == mounted.operation.response
        assert ("exceptionErrorMessageId" in answer) == (
            answer["relatedHTTPCode"] != 200
        )
    else:
        assert (reply.status, answer["status"]) == (400, 400)
        assert answer["path"] == path.partition("?")[0]
