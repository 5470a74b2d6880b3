"""What two members of a genuine cohort answered together, two of ours answer alike.

Each has at first what the captures show as its own, and no copies of the other's, so that
whatever comes from the other has been asked for.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from edgenode.codec.beans import parse_time
from edgenode.instances.lifecycle import entity_proxy
from edgenode.instances.model import EntityDetail
from edgenode.instances.provenance import Home
from tests.conftest import SHARED
from tests.contract.cohorts import enterprise_of, member
from tests.model.house import SetClock, types
from tests.wire.captures import (
    PROSE,
    SAMPLES,
    TYPE_PROSE,
    Capture,
    load_capture,
    without,
)
from tests.wire.http import Client
from tests.wire.seeds import Instance, Past, as_created
from tests.wire.serving import hosted, serving
from tests.wire.test_captures import TIME, number_of

F_A = Home("a2dd6957-36f0-4442-88fa-728e0bbe6b73", "fA")
F_B = Home("2f953710-8eef-470e-8abb-232fde35faf0", "fB")
LATER = parse_time("2026-11-21T05:00:00Z")

CAPTURES = {
    path.stem: load_capture(path)
    for path in sorted((SHARED / SAMPLES).glob("1[56][0-9]-enterprise-*.json"))
}
PAST = Past(CAPTURES)

pytestmark = pytest.mark.skipif(
    not CAPTURES, reason="captures are absent: there is no ../shared beside the project"
)


@dataclass(frozen=True)
class Stored:
    """What the two have."""

    f_a: Iterable[Instance] = ()
    f_b: Iterable[Instance] = ()


def _first() -> Stored:
    first, other, second = (PAST.entity("151", place) for place in range(3))
    return Stored([first, second], [other])


def _related() -> Stored:
    stored = _first()
    relationship = PAST.relationship("153")
    unique = types().unique_attributes("GlossaryTerm")
    proxy = entity_proxy(PAST.entity("151", 0), unique)
    return Stored(stored.f_a, [*stored.f_b, proxy, relationship])


def _with_first(*states: EntityDetail) -> Stored:
    stored = _related()
    return Stored([*stored.f_a, *states], stored.f_b)


STORED: Mapping[str, Callable[[], Stored]] = {
    "150": _first,
    "151": _first,
    "152": _first,
    "153": _first,
    "154": _related,
    "155": _related,
    "156": lambda: _with_first(PAST.entity("155")),
    "157": lambda: _with_first(PAST.entity("155"), PAST.entity("156")),
    "158": _related,
    "159": _first,
    "160": lambda: Stored([as_created(PAST.entity("160"))]),
    "161": Stored,
}


@dataclass(frozen=True)
class Difference:
    """Why we answer otherwise, and what."""

    reason: str
    answer: Callable[[], Any]


def _first_in_order(number: str, count: int) -> Any:
    everything = PAST.answer("151")["entities"]
    in_order = sorted(everything, key=lambda each: str(each["guid"]))
    return {**PAST.answer(number), "entities": in_order[:count]}


DIFFERENCES: Mapping[str, Difference] = {
    "151": Difference(
        "genuine servers put results together as they come; ours are in an order, by "
        "GUID where none is asked for, so that pages join",
        lambda: _first_in_order("151", 10),
    ),
    "152": Difference(
        "so the first page of one is another one", lambda: _first_in_order("152", 1)
    ),
    "157": Difference(
        "a genuine server loses the origin of a classification when it merges",
        lambda: {**PAST.answer("157"), "entity": PAST.answer("156")["entity"]},
    ),
}
"""Captures whose outcome we don't copy."""


@asynccontextmanager
async def replaying(capture: Capture, directory: Path) -> AsyncIterator[Client]:
    """Both members, as they were at a capture's time."""
    times = [parse_time(text) for text in TIME.findall(str(capture.answer))]
    clock = SetClock(max(times, default=LATER))
    created = capture.answer.get("relationship") or {}
    known = (F_A, F_B)
    async with (
        member(F_A, directory / "a.db", clock, known) as f_a,
        member(
            F_B, directory / "b.db", clock, known, lambda: str(created["guid"])
        ) as f_b,
    ):
        stored = STORED[number_of(capture.name)]()
        await f_a.has(*stored.f_a)
        await f_b.has(*stored.f_b)
        servers = {
            str(asked.home.name): replace(
                hosted(asked.collection, clock, name=str(asked.home.name)),
                enterprise=enterprise_of(asked, {other.home: other.collection}, clock)[
                    0
                ],
            )
            for asked, other in ((f_a, f_b), (f_b, f_a))
        }
        async with serving(clock, servers) as client:
            yield client


def compared(answer: Any) -> Any:
    """What of an answer is held: all but the prose, and the order of graphs."""
    told = without(answer, PROSE | TYPE_PROSE if "typeDef" in answer else PROSE)
    for elements in told.keys() & {"entityElementList", "relationshipElementList"}:
        told[elements] = sorted(told[elements], key=lambda each: str(each["guid"]))
    return told


@pytest.mark.parametrize("name", CAPTURES.keys())
async def test_two_members_answer_as_genuine_ones(name: str, tmp_path: Path) -> None:
    capture = CAPTURES[name]
    async with replaying(capture, tmp_path) as client:
        reply = await client.request(capture.method, capture.path, capture.body)
    assert reply.status == capture.status
    ours, theirs = compared(reply.body), compared(capture.answer)
    difference = DIFFERENCES.get(number_of(name))
    if difference is None:
        assert ours == theirs
    else:
        assert ours != theirs, "there is no difference"
        assert ours == compared(difference.answer())


def test_every_capture_has_its_state() -> None:
    assert {number_of(name) for name in CAPTURES} == STORED.keys()
    assert DIFFERENCES.keys() <= STORED.keys()


async def test_what_was_changed_elsewhere_is_read_at_once(tmp_path: Path) -> None:
    """The story of captures 155 to 157, in one go."""
    update, classify, read = (
        next(each for each in CAPTURES.values() if number_of(each.name) == number)
        for number in ("155", "156", "157")
    )
    async with replaying(update, tmp_path) as client:
        for capture in (update, classify):
            reply = await client.request(capture.method, capture.path, capture.body)
            assert reply.body["relatedHTTPCode"] == 200
        seen = await client.request(read.method, read.path.replace("/fA/", "/fB/"))
    times = frozenset({"createTime", "updateTime"})
    expected = {**read.answer, "entity": classify.answer["entity"]}
    assert without(seen.body, times) == without(expected, times)
