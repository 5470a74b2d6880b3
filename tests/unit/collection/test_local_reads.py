"""Reading single instances: now, as of a time, and their versions."""

from functools import partial
from typing import Any

import pytest

from edgenode.collection.base import ClassificationSource
from edgenode.instances.conditions import HistorySequencingOrder
from edgenode.repository.base import HistoryRange
from tests.model.house import (
    START,
    USER,
    House,
    properties,
    remote_proxy,
    type_guid,
)
from tests.unit.collection.conftest import Glossary
from tests.unit.collection.refusals import refusal, refusal_of

FUTURE = 4_070_908_800_000
FUTURE_TEXT = "Thu Jan 01 00:00:00 UTC 2099"
TERM = type_guid("GlossaryTerm")


@pytest.fixture
async def versions(house: House, glossary: Glossary) -> Glossary:
    """The term and the relationship at versions 1 to 4, ten milliseconds apart."""
    collection = house.collection
    for name in ("two", "three", "four"):
        house.clock.time += 10
        await collection.update_entity_properties(
            USER, glossary.term, properties(qualifiedName=name)
        )
        await collection.update_relationship_properties(
            USER, glossary.placed, properties(description=name)
        )
    house.clock.time += 10
    return glossary


def reads(house: House, kind: str) -> dict[str, Any]:
    collection = house.collection
    if kind == "entity":
        return {
            "get": collection.get_entity_detail,
            "history": collection.get_entity_detail_history,
            "operation": "getEntityDetail",
            "history operation": "getEntityDetailHistory",
        }
    return {
        "get": collection.get_relationship,
        "history": collection.get_relationship_history,
        "operation": "getRelationship",
        "history operation": "getRelationshipHistory",
    }


def guid_of(glossary: Glossary, kind: str) -> str:
    return glossary.term if kind == "entity" else glossary.placed


KINDS = pytest.mark.parametrize("kind", ["entity", "relationship"])


@KINDS
@pytest.mark.parametrize(
    ("time", "version"),
    [(START, 1), (START + 9, 1), (START + 10, 2), (START + 39, 4), (None, 4)],
)
async def test_the_state_that_was_in_force(
    house: House, versions: Glossary, kind: str, time: int | None, version: int
) -> None:
    get = reads(house, kind)["get"]
    assert get(USER, guid_of(versions, kind), time).value.version == version


@KINDS
@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (HistoryRange(), [4, 3, 2, 1]),
        (HistoryRange(order=HistorySequencingOrder.FORWARDS), [1, 2, 3, 4]),
        (HistoryRange(offset=1, page_size=2), [3, 2]),
        (HistoryRange(from_time=START + 10), [4, 3, 2]),
        (HistoryRange(from_time=START + 11, to_time=START + 25), [3, 2]),
        (HistoryRange(to_time=START), [1]),
        (HistoryRange(offset=9), []),
    ],
)
async def test_the_versions_of_an_instance(
    house: House, versions: Glossary, kind: str, span: HistoryRange, expected: list[int]
) -> None:
    history = reads(house, kind)["history"]
    found = await history(USER, guid_of(versions, kind), span)
    assert [document.value.version for document in found] == expected


async def test_a_version_is_told_once_as_it_was_last(
    house: House, glossary: Glossary
) -> None:
    await house.collection.classify_entity(
        USER, glossary.term, "Confidentiality", ClassificationSource(), None
    )
    [only] = await house.collection.get_entity_detail_history(
        USER, glossary.term, HistoryRange()
    )
    assert only.value.classifications is not None


@KINDS
async def test_nobody_sees_the_future(
    house: House, versions: Glossary, kind: str
) -> None:
    read = reads(house, kind)
    expected = (
        "REPOSITORY-400-038", "InvalidParameterException", read["operation"],
        (FUTURE_TEXT, "asOfTime", read["operation"], "node"), "asOfTime",
    )  # fmt: skip
    assert refusal_of(lambda: read["get"](USER, "nope", FUTURE)) == expected
    for parameter, span in (
        ("fromTime", HistoryRange(from_time=FUTURE)),
        ("toTime", HistoryRange(to_time=FUTURE)),
    ):
        found = await refusal(read["history"](USER, "nope", span))
        assert found[3] == (
            FUTURE_TEXT, parameter, read["history operation"], "node",
        )  # fmt: skip
        assert found[4] == parameter


@KINDS
async def test_a_span_of_time_has_an_order(house: House, kind: str) -> None:
    read = reads(house, kind)
    operation = read["history operation"]
    span = HistoryRange(from_time=FUTURE, to_time=1)
    assert await refusal(read["history"](USER, "nope", span)) == (
        "REPOSITORY-400-083", "InvalidParameterException", operation,
        (operation, FUTURE_TEXT, "Thu Jan 01 00:00:00 UTC 1970"), "fromTime/toTime",
    )  # fmt: skip


@KINDS
@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (HistoryRange(page_size=-1), ("-1", "pageSize")),
        (HistoryRange(offset=-2), ("-2", "offset")),
    ],
)
async def test_a_page_has_a_place_and_a_size(
    house: House, versions: Glossary, kind: str, span: HistoryRange, expected: Any
) -> None:
    read = reads(house, kind)
    found = await refusal(read["history"](USER, guid_of(versions, kind), span))
    assert found[0] == "REPOSITORY-400-050"
    assert found[3] == (*expected, read["history operation"], "node")


@pytest.mark.parametrize(
    ("kind", "missing", "before"),
    [
        ("entity", "REPOSITORY-404-002", "REPOSITORY-400-051"),
        ("relationship", "REPOSITORY-404-011", "REPOSITORY-404-011"),
    ],
)
async def test_what_is_not_there(
    house: House, glossary: Glossary, kind: str, missing: str, before: str
) -> None:
    read, guid = reads(house, kind), guid_of(glossary, kind)
    for time in (None, START):
        assert refusal_of(partial(read["get"], USER, "nope", time)) == (
            missing, f"{kind.capitalize()}NotKnownException", read["operation"],
            ("nope", read["operation"], "node"), None,
        )  # fmt: skip
    assert refusal_of(lambda: read["get"](USER, guid, START - 1))[0] == before
    for span, what in ((HistoryRange(), "nope"), (HistoryRange(to_time=1), guid)):
        assert await refusal(read["history"](USER, what, span)) == (
            missing, f"{kind.capitalize()}NotKnownException",
            read["history operation"], (what, read["history operation"], "node"), None,
        )  # fmt: skip


async def test_a_deleted_entity_is_there_as_of_before(
    house: House, glossary: Glossary
) -> None:
    house.clock.time += 10
    await house.collection.delete_entity(USER, TERM, "GlossaryTerm", glossary.term)
    house.clock.time += 10
    get = house.collection.get_entity_detail
    assert get(USER, glossary.term, START + 9).value.version == 1
    assert refusal_of(lambda: get(USER, glossary.term, START + 10))[0] == (
        "REPOSITORY-404-013"
    )


async def test_a_summary_has_no_properties(house: House, glossary: Glossary) -> None:
    entity = house.collection.get_entity_detail(USER, glossary.term).value
    summary = house.collection.get_entity_summary(USER, glossary.term).value
    assert not hasattr(summary, "properties")
    assert (summary.guid, summary.version, summary.type) == (
        entity.guid,
        entity.version,
        entity.type,
    )
    get = house.collection.get_entity_summary
    assert refusal_of(lambda: get(USER, "nope"))[::3] == (
        "REPOSITORY-404-002", ("nope", "getEntitySummary", "node"),
    )  # fmt: skip


async def test_existence_says_nothing_of_the_unknown(house: House) -> None:
    await house.collection.add_entity_proxy(USER, remote_proxy())
    assert house.collection.is_entity_known(USER, "nope") is None
    assert house.collection.is_entity_known(USER, "remote-1") is None
    assert house.collection.is_relationship_known(USER, "nope") is None
