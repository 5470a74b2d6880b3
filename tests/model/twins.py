"""Two collections that live the same life, one over SQLite and one over the model."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from inspect import isawaitable
from itertools import count
from operator import methodcaller
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from edgenode.collection.local import LocalMetadataCollection
from edgenode.errors import OMRSError
from edgenode.instances.conditions import SequencingOrder
from edgenode.instances.document import Document
from edgenode.instances.matching import sort_key
from edgenode.instances.properties import (
    EnumPropertyValue,
    InstanceProperties,
    MapPropertyValue,
)
from edgenode.instances.provenance import may_update
from edgenode.repository.base import Graph, HistoryRange
from edgenode.repository.sqlite import SqliteRepository
from edgenode.typedefs.attributes import PrimitiveDefCategory
from edgenode.typedefs.status import InstanceStatus
from tests.model.house import (
    CODEC,
    LOCAL,
    START,
    House,
    SetClock,
    number,
    primitive,
    properties,
)
from tests.model.memory import MemoryRepository

TYPES = (
    "GlossaryTerm",
    "ControlledGlossaryTerm",
    "GlossaryCategory",
    "Glossary",
    "Project",
)
CLASSIFICATIONS = ("Confidentiality", "Retention", "CanonicalVocabulary")
CATEGORIZATION, RELATED = "TermCategorization", "RelatedTerm"
RELATIONSHIPS = (CATEGORIZATION, RELATED)
COPIES = ("copy-1", "copy-2")
RELATIONSHIP_COPY = "copied-relationship"
LIMITS = (
    None,
    [InstanceStatus.DELETED],
    [InstanceStatus.ACTIVE, InstanceStatus.DRAFT],
)

Call = Callable[[Any], Any]

Fits = Callable[[Any], bool]
"""Whether a stored state is one for a rule to work on."""

answered: Counter[str] = Counter()
refused: Counter[str] = Counter()
"""How many calls that the rules made were answered and refused, by operation."""


def is_live(state: Any) -> bool:
    return state.status is not InstanceStatus.DELETED


def is_ours(state: Any) -> bool:
    """It is there, and this member may change it."""
    return is_live(state) and may_update(state.document.value, LOCAL.id)


def is_deleted(state: Any) -> bool:
    """It may be restored or purged."""
    return not is_live(state) and may_update(state.document.value, LOCAL.id)


def carries(name: str) -> Fits:
    """It has the classification."""

    def fits(state: Any) -> bool:
        given = state.document.value.classifications or ()
        return is_live(state) and name in {each.name for each in given}

    return fits


class Asked:
    """A collection that notes which operation a call asks for."""

    def __init__(self, collection: LocalMetadataCollection) -> None:
        self.collection = collection
        self.operation = ""

    def __getattr__(self, operation: str) -> Any:
        self.operation = operation
        return getattr(self.collection, operation)


def date(millis: int) -> Any:
    return primitive(PrimitiveDefCategory.OM_PRIMITIVE_TYPE_DATE, millis)


def mapped(**entries: str) -> MapPropertyValue:
    return MapPropertyValue(
        type_name="map<string,string>", map_values=properties(**entries)
    )


def symbol(ordinal: int, name: str) -> EnumPropertyValue:
    return EnumPropertyValue(
        type_name="GovernanceClassificationStatus", ordinal=ordinal, symbolic_name=name
    )


data = st.data()
type_names = st.sampled_from(TYPES)
names = st.sampled_from(["alpha", "Alpha One", "beta"])
users = st.sampled_from(["ann", "bob"])
statuses = st.sampled_from(
    [*[InstanceStatus.ACTIVE] * 3, InstanceStatus.DRAFT, InstanceStatus.DELETED, None]
)
classifications = st.sampled_from(CLASSIFICATIONS)
versions = st.integers(1, 4)
limits = st.sampled_from(LIMITS)
patterns = st.sampled_from([r"\Qalpha\E", r"\QAl\E.*", r"(?i).*\Qo\E.*", "[ab].*", "x"])
numbers = st.integers(0, 3).map(number)
dates = st.sampled_from([date(START), date(START + 10), date(-1)])
maps = st.sampled_from([mapped(a="alpha"), mapped(a="alpha", b="beta"), mapped()])
symbols = st.sampled_from([symbol(0, "Discovered"), symbol(1, "Proposed")])


@st.composite
def entity_properties(draw: st.DrawFn, type_name: str) -> InstanceProperties:
    """Properties of an entity of the type, of every kind that it has; seldom a fault."""
    values: dict[str, Any] = {"qualifiedName": draw(names)}
    if draw(st.booleans()):
        values["description"] = draw(names)
    if draw(st.booleans()):
        values["additionalProperties"] = draw(maps)
    if type_name == "Project" and draw(st.booleans()):
        values["startDate"] = draw(dates)
    if draw(st.integers(0, 19)) == 19:
        values["description"] = draw(st.none() | numbers | maps)
    return dated(draw, properties(**values))


@st.composite
def classification_properties(draw: st.DrawFn, name: str) -> InstanceProperties | None:
    """Properties of a classification, of every kind that it has, or none."""
    if name == "CanonicalVocabulary":
        return draw(st.none() | st.just(properties(scope="alpha")))
    values: dict[str, Any] = {"notes": draw(names)}
    if draw(st.booleans()):
        values["confidence"] = draw(numbers)
    if draw(st.booleans()):
        values["status"] = draw(symbols)
    if name == "Retention" and draw(st.booleans()):
        values["deleteAfter"] = draw(dates)
    return draw(st.none() | st.just(properties(**values)))


def dated(draw: st.DrawFn, bare: InstanceProperties) -> InstanceProperties:
    """The properties, at times with the time for which they are meant."""
    start = draw(st.sampled_from([None, None, 0, START]))
    end = draw(st.sampled_from([None, None, START + 50]))
    return InstanceProperties(
        effective_from_time=start,
        effective_to_time=end,
        instance_properties=bare.instance_properties,
    )


async def awaited(answer: Awaitable[Any]) -> Any:
    return await answer


def plain(answer: Any) -> Any:
    """An answer as something to compare."""
    match answer:
        case Document():
            return answer.json
        case Graph():
            return (sorted(plain(answer.entities)), sorted(plain(answer.relationships)))
        case list():
            return [plain(found) for found in answer]
        case OMRSError():
            return (
                type(answer).__name__,
                answer.parameters,
                answer.reporting_operation,
                answer.properties,
            )
        case _:
            return answer


class Twins(RuleBasedStateMachine):
    """What all rules work with."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.directory = tempfile.TemporaryDirectory()
        self.clock = SetClock()
        self.model = MemoryRepository(CODEC)
        self.memory_house = House(self.model, self.clock)
        self.uuids = count()
        self.sqlite_house = self.opened()
        self.terms: list[str] = [COPIES[0]]
        self.others: list[str] = [COPIES[1]]
        self.relationships: list[str] = [RELATIONSHIP_COPY]

    # Parts

    def opened(self) -> House:
        async def enter() -> SqliteRepository:
            path = Path(self.directory.name) / "store"
            return await self.stack.enter_async_context(
                SqliteRepository.opened(
                    path, CODEC, self.clock, name=str(LOCAL.name), keep_events=True
                )
            )

        house = House(self.runner.run(enter()), self.clock)
        house.uuids = self.uuids
        return house

    def close(self) -> None:
        self.runner.run(self.stack.aclose())
        self.stack = AsyncExitStack()

    def teardown(self) -> None:
        try:
            self.compare()
        finally:
            self.close()
            self.runner.close()
            self.directory.cleanup()

    def outcome(self, house: House, call: Call) -> Any:
        return self.outcome_of(lambda: call(house.collection))

    def outcome_of(self, call: Callable[[], Any]) -> Any:
        try:
            answer = call()
            return self.runner.run(awaited(answer)) if isawaitable(answer) else answer
        except OMRSError as error:
            return error

    def both(self, call: Call) -> Any:
        """Let both do the same; the answer, or the refusal, is the model's."""
        asked = Asked(self.memory_house.collection)
        expected = self.outcome_of(lambda: call(asked))
        self.count(asked.operation, expected)
        assert plain(self.outcome(self.sqlite_house, call)) == plain(expected)
        return expected

    def same(self, call: Call) -> None:
        """Let both answer the same, without counting it."""
        expected = self.outcome(self.memory_house, call)
        assert plain(self.outcome(self.sqlite_house, call)) == plain(expected)

    def count(self, operation: str, answer: Any) -> None:
        kind = refused if isinstance(answer, OMRSError) else answered
        kind[operation] += 1

    def found(
        self, call: Call, order: SequencingOrder, name: str | None = None
    ) -> None:
        """Let both search; what an order doesn't tell apart may come in any order."""
        asked = Asked(self.memory_house.collection)
        expected = self.outcome_of(lambda: call(asked))
        found = self.outcome(self.sqlite_house, call)
        self.count(asked.operation, expected)
        if isinstance(expected, OMRSError):
            assert plain(found) == plain(expected)
            return
        assert sorted(plain(found)) == sorted(plain(expected))
        assert [sort_key(document.value, order, name) for document in found] == [
            sort_key(document.value, order, name) for document in expected
        ]

    def entity(self, draw: Any, fits: Fits | None = None) -> str:
        """An entity; mostly one that fits, where there is one."""
        return self.chosen(draw, [*self.others, *self.terms], self.model.entity, fits)

    def relationship(self, draw: Any, fits: Fits | None = None) -> str:
        """A relationship; mostly one that fits, where there is one."""
        return self.chosen(draw, self.relationships, self.model.relationship, fits)

    def chosen(
        self,
        draw: Any,
        known: list[str],
        stored: Callable[[str], Any],
        fits: Fits | None,
    ) -> str:
        wanted = fits or is_live
        states = [(guid, stored(guid)) for guid in known]
        fitting = [guid for guid, state in states if state and wanted(state)]
        if fitting and draw.draw(st.integers(0, 5)) < 5:
            known = fitting
        guid: str = draw.draw(st.sampled_from(known))
        return guid

    def moment(self, draw: Any) -> int | None:
        """Now, or a time between the beginning and a little ahead."""
        ago = draw.draw(st.none() | st.integers(-3, self.clock.time - START + 3))
        return None if ago is None else self.clock.time - ago

    def compare(self) -> None:
        """What a history ends with: all that it left behind."""
        self.compare_events()
        self.the_store_is_opened_again()
        self.compare_events()  # as the file has them
        self.compare_histories()
        self.compare_holdings()

    def compare_events(self) -> None:
        repository = self.sqlite_house.repository
        assert isinstance(repository, SqliteRepository)
        queued = self.runner.run(repository.events_after(0, 10_000))
        assert [one.event for one in queued] == self.model.events

    def compare_holdings(self) -> None:
        """What members of a cohort would compare, of everything that is here."""
        owners = self.runner.run(self.model.owners())
        stored = self.sqlite_house.repository
        assert self.runner.run(stored.owners()) == owners
        for owner in owners:
            sums = self.runner.run(self.model.group_sums(owner))
            assert self.runner.run(stored.group_sums(owner)) == sums

    def compare_histories(self) -> None:
        """All that can be read of what happened; the rules look at it here and there."""
        span = HistoryRange()
        times = range(START - 100, self.clock.time + 1, 3)
        for guid in {*self.others, *self.terms}:
            self.same(methodcaller("is_entity_known", "ann", guid))
            self.same(methodcaller("get_entity_summary", "ann", guid))
            self.same(methodcaller("get_entity_detail_history", "ann", guid, span))
            for time in times:
                self.same(methodcaller("get_entity_detail", "ann", guid, time))
        for guid in set(self.relationships):
            self.same(methodcaller("is_relationship_known", "ann", guid))
            self.same(methodcaller("get_relationship_history", "ann", guid, span))
            for time in times:
                self.same(methodcaller("get_relationship", "ann", guid, time))

    # Time

    @rule(step=st.sampled_from([1, 5, 20, -7]))
    def time_passes(self, step: int) -> None:
        self.clock.time = max(START, self.clock.time + step)

    @precondition(lambda self: len(self.model.events) % 5 == 4)
    @rule()
    def the_store_is_opened_again(self) -> None:
        self.compare_events()
        self.close()
        self.sqlite_house = self.opened()

    def same_guid(self) -> None:
        """Let both collections make the same next GUID, and a new one each time."""
        number = next(self.uuids)
        self.memory_house.uuids = count(number)
        self.sqlite_house.uuids = count(number)
