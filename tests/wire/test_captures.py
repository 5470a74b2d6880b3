"""Every captured request is answered as the genuine server answered it.

The state that a capture presupposes is stored first, the clock stands at the capture's
time and the next GUID is the capture's, so that whole answers are compared; only texts
for people are our own. Where we answer otherwise on purpose, the table says why, and our
own answer is held instead.
"""

import fnmatch
import json
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from edgenode.codec.beans import parse_time
from edgenode.collection.local import LocalMetadataCollection
from edgenode.collection.local_base import LocalCollectionParts
from edgenode.instances.provenance import Home
from edgenode.releases import SERVED
from edgenode.releases.shipped_types import load_release_types
from edgenode.repository.sqlite import SqliteRepository
from edgenode.typedefs.registry import TypeRegistry
from tests.conftest import SHARED
from tests.model.house import CODEC, SetClock
from tests.wire.captures import (
    PROSE,
    SAMPLES,
    TYPE_PROSE,
    Capture,
    load_captures,
    without,
)
from tests.wire.http import Client
from tests.wire.seeds import SEEDS, Instance, Past, plant
from tests.wire.serving import hosted, serving

HOMES = {
    "cocoMDS1": Home("333112d7-2fe5-4597-a8ed-2b1e3d3a3b52", "cocoMDS1"),
    "cocoMDS2": Home("e39ab175-fe1a-4c1c-8c0d-4b00ad823aa0", "cocoMDS2"),
}
"""The servers that were captured; each knows the other."""

TIME = re.compile(r"2026-11-21T\d\d:\d\d:\d\d\.\d{3}\+00:00")
DESCRIBED = frozenset(
    {"typeDef", "typeDefs", "attributeTypeDef", "attributeTypeDefs", "severities"}
)
LATER = parse_time("2026-11-21T04:00:00Z")

NEEDS_OTHERS: Mapping[str, str] = {
    "15[0-9]-enterprise-*": "two members of a cohort answer together",
    "16[01]-enterprise-*": "two members of a cohort answer together",
    "88-highway-*": "the server was in a cohort with another member",
    "event-*": "sent by one member of a cohort to the others",
}
"""Captures that no single server can answer, by pattern, and what else there was."""

CAPTURES = load_captures(SHARED, leaving_out=NEEDS_OTHERS) if SHARED.is_dir() else {}


@dataclass(frozen=True)
class Difference:
    """Why we answer otherwise, and what; ``told`` picks what is held of an answer."""

    reason: str
    answer: Callable[[Past], Any]
    status: int = 200
    told: Callable[[Any], Any] = lambda answer: answer


def _refusal(
    response: str, code: int, name: str, message_id: str, *parameters: str
) -> Any:
    return {
        "class": response,
        "relatedHTTPCode": code,
        "exceptionClassName": "org.odpi.openmetadata.repositoryservices.ffdc.exception."
        + name,
        "exceptionErrorMessageId": message_id,
        "exceptionErrorMessageParameters": list(parameters),
    }


def _types_with(attribute: str) -> list[str]:
    """The types of the facts that have an attribute, or inherit it."""
    facts = SHARED / "facts" / "open-metadata-types-4.2.json"
    content = json.loads(facts.read_text(encoding="utf-8"))
    types = {
        each["name"]: each
        for kind in ("entities", "relationships", "classifications")
        for each in content[kind]
    }

    def has(name: str | None) -> bool:
        if name is None:
            return False
        own = types[name].get("propertiesDefinition", ())
        return any(each["attributeName"] == attribute for each in own) or has(
            types[name].get("superType")
        )

    return sorted(filter(has, types))


def _versions(past: Past) -> Mapping[str, Any]:
    rows = past.answer("45")["entities"]
    newest = [
        rows[0],
        rows[1],
        past.answer("42")["entity"],
        past.answer("13")["entity"],
    ]
    return {**past.answer("45"), "entities": newest}


def _one_is_classified(past: Past) -> Mapping[str, Any]:
    classifications = past.answer("13")["entity"]["classifications"]
    found = past.answer("70")["entities"][0] | {"classifications": classifications}
    return {**past.answer("70"), "entities": [found]}


DIFFERENCES: Mapping[str, Difference] = {
    "09": Difference(
        "the genuine server fails on types without attributes of their own; we list the "
        "types that have all of the attributes, or inherit them",
        lambda past: _types_with("displayName"),
        told=lambda answer: sorted(each["name"] for each in answer.get("typeDefs", ())),
    ),
    "27": Difference(
        "the genuine in-memory repository doesn't offer the operation",
        lambda past: {
            "class": "EntityListResponse",
            "relatedHTTPCode": 200,
            "offset": 0,
            "pageSize": 10,
            "entities": past.answer("26")["entityElementList"][::-1],
        },
    ),
    "28": Difference(
        "the genuine in-memory repository doesn't offer the operation",
        lambda past: {**past.answer("26"), "class": "InstanceGraphResponse"},
    ),
    "45": Difference(
        "the genuine in-memory repository lists a version again for each classification "
        "change, and the undone ones twice; a version is listed once, as it was last",
        _versions,
    ),
    "67": Difference(
        "never works on the genuine server, which swaps the arguments; we don't offer it",
        lambda past: {
            "status": 404,
            "error": "Not Found",
            "path": CAPTURES["67-enterprise-remote-topic-connection"].path,
        },
        status=404,
    ),
    "72": Difference(
        "a pattern is read before any value is compared with it, so none is named; what "
        "is wrong with it is said in our own words",
        lambda past: {
            **past.answer("72"),
            "exceptionErrorMessageParameters": [
                "java.util.regex.PatternSyntaxException",
                "[unclosed",
                "",
                "unclosed character class near index 9",
                "countMatchingPropertyValues",
            ],
        },
    ),
    "78": Difference(
        "the genuine in-memory repository fails on entities without classifications",
        _one_is_classified,
    ),
    "90": Difference(
        "the genuine server's own parts and what they had done until then; the shape is "
        "the same",
        lambda past: {
            "class": "AuditLogReportResponse",
            "relatedHTTPCode": 200,
            "report": {
                "childAuditLogReports",
                "destinationsReport",
                "originatorProperties",
                "reportingComponent",
            },
        },
        told=lambda answer: {**answer, "report": set(answer["report"])},
    ),
    "97": Difference(
        "the genuine server lets its own instance be purged as if it were a copy",
        lambda past: (
            _refusal(
                "VoidResponse",
                400,
                "HomeEntityException",
                "OMRS-REPOSITORY-400-063",
                "purgeEntityReferenceCopy",
                past.new_term.guid or "",
                HOMES["cocoMDS1"].id,
                "cocoMDS1",
            )
            | {"actionDescription": "purgeEntityReferenceCopy"}
        ),
    ),
    "A8": Difference(
        "the genuine in-memory repository ignores new properties of a classification "
        "that is there already; we refuse them, as the enterprise repository does",
        lambda past: (
            _refusal(
                "EntityDetailResponse",
                400,
                "ClassificationErrorException",
                "OMRS-REPOSITORY-400-081",
                "classifyEntity",
                "cocoMDS1",
                "Confidence",
                past.entity("A8").guid or "",
            )
            | {"actionDescription": "classifyEntity"}
        ),
    ),
}
"""Captures whose outcome we don't copy, by number."""


def number_of(name: str) -> str:
    return name.partition("-")[0]


DIFFERENT = {name for name in CAPTURES if number_of(name) in DIFFERENCES}
REPLAYED = CAPTURES.keys() - DIFFERENT

needs_captures = pytest.mark.skipif(
    not CAPTURES, reason="captures are absent: there is no ../shared beside the project"
)


@pytest.fixture(scope="module")
def registry() -> TypeRegistry:
    return load_release_types(SERVED)


@pytest.fixture
async def repository(tmp_path: Path) -> AsyncIterator[SqliteRepository]:
    path = tmp_path / "metadata.db"
    async with SqliteRepository.opened(path, CODEC, SetClock(), name="mds") as opened:
        yield opened


def _nothing(past: Past) -> Iterable[Instance]:
    return ()


@asynccontextmanager
async def replaying(
    capture: Capture, repository: SqliteRepository, registry: TypeRegistry
) -> AsyncIterator[Client]:
    """The server of a capture, at its time and before its next new instance."""
    name = capture.server if capture.server in HOMES else "cocoMDS1"
    times = [parse_time(text) for text in TIME.findall(str(capture.answer))]
    if "asOfTime" in str(capture.body):
        times = [LATER]
    clock = SetClock(max(times, default=LATER))
    created = capture.answer.get("entity") or capture.answer.get("relationship") or {}
    collection = LocalMetadataCollection(
        LocalCollectionParts(
            home=HOMES[name],
            repository=repository,
            types=registry,
            codec=CODEC,
            release=SERVED,
            clock=clock,
            random_uuid=lambda: str(created["guid"]),
            is_known_collection={each.id for each in HOMES.values()}.__contains__,
        )
    )
    seed = SEEDS.get(number_of(capture.name), _nothing)
    await plant(repository, seed(Past(CAPTURES)))
    server = hosted(collection, clock, name=name)
    async with serving(clock, {name: server}) as client:
        yield client


def compared(answer: Any) -> Any:
    """What of an answer is held: all but the prose, and the fields of ours beyond it."""
    told = without(answer, PROSE)
    if not isinstance(told, dict):
        return told
    if DESCRIBED & told.keys():
        told = without(told, TYPE_PROSE)
    if "status" in told and "path" in told:  # a bare status: ours tells the reason too
        told = {key: told[key] for key in told.keys() - {"timestamp", "message"}}
    # The elements of a graph are in no order.
    for elements in told.keys() & {"entityElementList", "relationshipElementList"}:
        told[elements] = sorted(told[elements], key=itemgetter("guid"))
    return told


@needs_captures
@pytest.mark.parametrize("name", sorted(REPLAYED))
async def test_a_capture_is_answered_alike(
    name: str, repository: SqliteRepository, registry: TypeRegistry
) -> None:
    capture = CAPTURES[name]
    async with replaying(capture, repository, registry) as client:
        reply = await client.request(capture.method, capture.path, capture.body)
    assert reply.status == capture.status
    assert compared(reply.body) == compared(capture.answer)


@needs_captures
@pytest.mark.parametrize("name", sorted(DIFFERENT))
async def test_a_difference_is_the_one_we_mean(
    name: str, repository: SqliteRepository, registry: TypeRegistry
) -> None:
    capture = CAPTURES[name]
    difference = DIFFERENCES[number_of(name)]
    async with replaying(capture, repository, registry) as client:
        reply = await client.request(capture.method, capture.path, capture.body)
    assert reply.status == difference.status
    ours, theirs = compared(reply.body), compared(capture.answer)
    assert difference.told(ours) == compared(difference.answer(Past(CAPTURES)))
    assert ours != theirs, "there is no difference"


@needs_captures
def test_every_capture_is_accounted_for() -> None:
    samples = {path.stem for path in (SHARED / SAMPLES).glob("*.json")}
    others = {
        pattern: set(fnmatch.filter(samples, pattern)) for pattern in NEEDS_OTHERS
    }
    assert all(others.values()), "a pattern is for nothing"
    assert samples == REPLAYED | DIFFERENT | set().union(*others.values())
    assert {number_of(name) for name in DIFFERENT} == DIFFERENCES.keys()
    assert SEEDS.keys() <= {number_of(name) for name in CAPTURES}
