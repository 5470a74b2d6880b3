"""The local collection over SQLite, held against itself over the model, by chance.

Hypothesis makes up a history of operations; both collections perform it. Every answer
and every refusal must be the same, and so must all that can be read afterwards: the
states as of any time, the versions, what searches find, the graph and the events.

``EDGENODE_MODEL_EXAMPLES`` sets how many histories are tried, 20 if it isn't set.
"""

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from inspect import isawaitable
from itertools import count
from operator import methodcaller
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from edgenode.collection.base import ClassificationSource
from edgenode.collection.local import LocalMetadataCollection
from edgenode.errors import OMRSError
from edgenode.instances.conditions import (
    HistorySequencingOrder,
    MatchCriteria,
    Paging,
    PropertyComparisonOperator,
    PropertyCondition,
    SearchProperties,
    SequencingOrder,
)
from edgenode.instances.document import Document
from edgenode.instances.matching import sort_key
from edgenode.instances.status import InstanceStatus
from edgenode.repository.base import Graph, HistoryRange
from edgenode.repository.sqlite import SqliteRepository
from edgenode.typedefs.model import TypeDefSummary
from tests.model.house import (
    CODEC,
    LOCAL,
    START,
    House,
    SetClock,
    properties,
    remote_classification,
    remote_entity,
    remote_proxy,
    remote_relationship,
    text,
    type_guid,
)
from tests.model.memory import MemoryRepository

EXAMPLES = int(os.environ.get("EDGENODE_MODEL_EXAMPLES", "20"))
STEPS = 40

TYPES = ("GlossaryTerm", "ControlledGlossaryTerm", "GlossaryCategory", "Glossary")
CLASSIFICATIONS = ("Confidentiality", "Retention", "CanonicalVocabulary")
RELATIONSHIP = "TermCategorization"
COPIES = ("copy-1", "copy-2")
RELATIONSHIP_COPY = "copied-relationship"

Call = Callable[[LocalMetadataCollection], Any]

data = st.data()
type_names = st.sampled_from(TYPES)
names = st.sampled_from(["alpha", "Alpha One", "beta"])
users = st.sampled_from(["ann", "bob"])
statuses = st.sampled_from([InstanceStatus.ACTIVE, InstanceStatus.DRAFT, None])
classifications = st.sampled_from(CLASSIFICATIONS)
versions = st.integers(1, 4)
limits = st.sampled_from(
    [None, [InstanceStatus.DELETED], [InstanceStatus.ACTIVE, InstanceStatus.DRAFT]]
)
patterns = st.sampled_from([r"\Qalpha\E", r"\QAl\E.*", r"(?i).*\Qo\E.*", "[ab].*", "x"])


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


class CollectionMachine(RuleBasedStateMachine):
    """Two collections that live the same life."""

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
            self.compare_events()
            self.compare_histories()
        finally:
            self.close()
            self.runner.close()
            self.directory.cleanup()

    def outcome(self, house: House, call: Call) -> Any:
        try:
            answer = call(house.collection)
            return self.runner.run(awaited(answer)) if isawaitable(answer) else answer
        except OMRSError as error:
            return error

    def both(self, call: Call) -> Any:
        """Let both do the same; the answer, or the refusal, is the model's."""
        expected = self.outcome(self.memory_house, call)
        found = self.outcome(self.sqlite_house, call)
        assert plain(found) == plain(expected)
        return expected

    def found(
        self, call: Call, order: SequencingOrder, name: str | None = None
    ) -> None:
        """Let both search; what an order doesn't tell apart may come in any order."""
        expected = self.outcome(self.memory_house, call)
        found = self.outcome(self.sqlite_house, call)
        if isinstance(expected, OMRSError):
            assert plain(found) == plain(expected)
            return
        assert sorted(plain(found)) == sorted(plain(expected))
        assert [sort_key(document.value, order, name) for document in found] == [
            sort_key(document.value, order, name) for document in expected
        ]

    def entity(self, draw: Any) -> str:
        """An entity; the newest ones, which are mostly still there, come most."""
        known = [*self.others, *self.terms]
        guid: str = draw.draw(st.sampled_from([*known, *known[-3:], *known[-3:]]))
        return guid

    def relationship(self, draw: Any) -> str:
        known = self.relationships
        guid: str = draw.draw(st.sampled_from([*known, *known[-2:], *known[-2:]]))
        return guid

    def moment(self, draw: Any) -> int | None:
        """Now, or a time between the beginning and a little ahead."""
        ago = draw.draw(st.none() | st.integers(-3, self.clock.time - START + 3))
        return None if ago is None else self.clock.time - ago

    def compare_events(self) -> None:
        repository = self.sqlite_house.repository
        assert isinstance(repository, SqliteRepository)
        queued = self.runner.run(repository.events_after(0, 10_000))
        assert [one.event for one in queued] == self.model.events

    def compare_histories(self) -> None:
        """All that can be read of what happened; the rules look at it here and there."""
        span = HistoryRange()
        times = range(START - 100, self.clock.time + 1, 3)
        for guid in {*self.others, *self.terms}:
            self.both(methodcaller("is_entity_known", "ann", guid))
            self.both(methodcaller("get_entity_summary", "ann", guid))
            self.both(methodcaller("get_entity_detail_history", "ann", guid, span))
            for time in times:
                self.both(methodcaller("get_entity_detail", "ann", guid, time))
        for guid in set(self.relationships):
            self.both(methodcaller("is_relationship_known", "ann", guid))
            self.both(methodcaller("get_relationship_history", "ann", guid, span))
            for time in times:
                self.both(methodcaller("get_relationship", "ann", guid, time))

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

    # Entities

    @initialize()
    def begin(self) -> None:
        """Something for the first rules to work on."""
        for type_name in ("GlossaryCategory", "GlossaryTerm", "GlossaryTerm"):
            self.add_entity("ann", type_name, "alpha", None, other=False)
        self.link("ann", "alpha", self.others[-1], self.terms[-1])
        self.save_copy(COPIES[0], 2, "alpha")

    @rule(
        user=users,
        type_name=type_names,
        name=names,
        status=statuses,
        other=st.booleans(),
    )
    def add_entity(
        self, user: str, type_name: str, name: str, status: Any, other: bool
    ) -> None:
        with_it = [remote_classification(version=0)] if other else None
        self.same_guid()
        added = self.both(
            lambda collection: collection.add_entity(
                user,
                type_guid(type_name),
                properties(qualifiedName=name),
                with_it,
                status,
            )
        )
        if isinstance(added, Document):
            known = self.terms if "Term" in type_name else self.others
            known.append(added.value.guid)

    def same_guid(self) -> None:
        """Let both collections make the same next GUID, and a new one each time."""
        number = next(self.uuids)
        self.memory_house.uuids = count(number)
        self.sqlite_house.uuids = count(number)

    @rule(draw=data, user=users, name=names)
    def update_entity_properties(self, draw: Any, user: str, name: str) -> None:
        guid = self.entity(draw)
        self.both(
            lambda collection: collection.update_entity_properties(
                user, guid, properties(qualifiedName=name, description=user)
            )
        )

    @rule(draw=data, user=users, status=statuses)
    def update_entity_status(self, draw: Any, user: str, status: Any) -> None:
        guid = self.entity(draw)
        self.both(lambda c: c.update_entity_status(user, guid, status))

    @rule(draw=data, user=users)
    def undo_entity_update(self, draw: Any, user: str) -> None:
        guid = self.entity(draw)
        self.both(lambda c: c.undo_entity_update(user, guid))

    @rule(draw=data, user=users)
    def delete_entity(self, draw: Any, user: str) -> None:
        guid = self.entity(draw)
        of = "Referenceable"
        self.both(lambda c: c.delete_entity(user, type_guid(of), of, guid))

    @rule(draw=data, user=users)
    def restore_entity(self, draw: Any, user: str) -> None:
        guid = self.entity(draw)
        self.both(lambda c: c.restore_entity(user, guid))

    @rule(draw=data, user=users)
    def purge_entity(self, draw: Any, user: str) -> None:
        guid = self.entity(draw)
        of = "Referenceable"
        self.both(lambda c: c.purge_entity(user, type_guid(of), of, guid))

    @rule(draw=data, user=users)
    def re_identify_entity(self, draw: Any, user: str) -> None:
        guid, new = self.entity(draw), f"moved-{next(self.uuids)}"
        of = "Referenceable"
        moved = self.both(
            lambda c: c.re_identify_entity(user, type_guid(of), of, guid, new)
        )
        if isinstance(moved, Document):
            known = self.terms if guid in self.terms else self.others
            known.append(new)

    @rule(draw=data, user=users, type_name=type_names)
    def re_type_entity(self, draw: Any, user: str, type_name: str) -> None:
        guid = self.entity(draw)
        of = "Referenceable"
        old = TypeDefSummary(guid=type_guid(of), name=of)
        new = TypeDefSummary(guid=type_guid(type_name), name=type_name)
        self.both(lambda c: c.re_type_entity(user, guid, old, new))

    @rule(draw=data, user=users, name=classifications, steward=names)
    def classify(self, draw: Any, user: str, name: str, steward: str) -> None:
        guid, source = self.entity(draw), ClassificationSource()
        values = None if name == "CanonicalVocabulary" else properties(notes=steward)
        self.both(lambda c: c.classify_entity(user, guid, name, source, values))

    @rule(draw=data, user=users, name=classifications, steward=names)
    def reclassify(self, draw: Any, user: str, name: str, steward: str) -> None:
        guid = self.entity(draw)
        values = None if name == "CanonicalVocabulary" else properties(notes=steward)
        self.both(lambda c: c.update_entity_classification(user, guid, name, values))

    @rule(draw=data, user=users, name=classifications)
    def declassify(self, draw: Any, user: str, name: str) -> None:
        guid = self.entity(draw)
        self.both(lambda c: c.declassify_entity(user, guid, name))

    # Relationships

    @rule(draw=data, user=users, name=names)
    def add_relationship(self, draw: Any, user: str, name: str) -> None:
        one = draw.draw(st.sampled_from(self.others))
        self.link(user, name, one, draw.draw(st.sampled_from(self.terms)))

    @rule(draw=data, user=users, name=names)
    def add_any_relationship(self, draw: Any, user: str, name: str) -> None:
        self.link(user, name, self.entity(draw), self.entity(draw))

    def link(self, user: str, name: str, one: str, two: str) -> None:
        self.same_guid()
        added = self.both(
            lambda c: c.add_relationship(
                user,
                type_guid(RELATIONSHIP),
                properties(description=name),
                one,
                two,
                None,
            )
        )
        if isinstance(added, Document):
            self.relationships.append(added.value.guid)

    @rule(draw=data, user=users, name=names)
    def update_relationship(self, draw: Any, user: str, name: str) -> None:
        guid = self.relationship(draw)
        values = properties(description=name)
        self.both(lambda c: c.update_relationship_properties(user, guid, values))

    @rule(draw=data, user=users)
    def undo_relationship_update(self, draw: Any, user: str) -> None:
        guid = self.relationship(draw)
        self.both(lambda c: c.undo_relationship_update(user, guid))

    @rule(draw=data, user=users)
    def delete_relationship(self, draw: Any, user: str) -> None:
        guid, of = self.relationship(draw), RELATIONSHIP
        self.both(lambda c: c.delete_relationship(user, type_guid(of), of, guid))

    @rule(draw=data, user=users)
    def restore_relationship(self, draw: Any, user: str) -> None:
        guid = self.relationship(draw)
        self.both(lambda c: c.restore_relationship(user, guid))

    @rule(draw=data, user=users)
    def purge_relationship(self, draw: Any, user: str) -> None:
        guid, of = self.relationship(draw), RELATIONSHIP
        self.both(lambda c: c.purge_relationship(user, type_guid(of), of, guid))

    # Copies

    @rule(guid=st.sampled_from(COPIES), version=versions, name=names)
    def save_copy(self, guid: str, version: int, name: str) -> None:
        copy = remote_entity(
            guid, version=version, properties=properties(qualifiedName=name)
        )
        copy = replace(copy, update_time=START - 100 + version)
        self.both(lambda c: c.save_entity_reference_copy("ann", copy))

    @rule(guid=st.sampled_from(COPIES), version=versions)
    def save_proxy(self, guid: str, version: int) -> None:
        proxy = remote_proxy(guid, version=version)
        self.both(lambda c: c.add_entity_proxy("ann", proxy))

    @rule(guid=st.sampled_from(COPIES), version=versions)
    def delete_copy(self, guid: str, version: int) -> None:
        copy = remote_entity(guid, version=version)
        self.both(lambda c: c.delete_entity_reference_copy("ann", copy))

    @rule(guid=st.sampled_from(COPIES))
    def purge_copy(self, guid: str) -> None:
        copy = remote_entity(guid)
        self.both(lambda c: c.purge_entity_reference_copy("ann", copy))

    @rule(draw=data, version=versions)
    def save_classification_copy(self, draw: Any, version: int) -> None:
        proxy = remote_proxy(self.entity(draw))
        given = remote_classification("Retention", version=version)
        self.both(lambda c: c.save_classification_reference_copy("ann", proxy, given))

    @rule(draw=data, version=versions)
    def save_relationship_copy(self, draw: Any, version: int) -> None:
        one, two = (remote_proxy(self.entity(draw)) for _ in range(2))
        copy = remote_relationship(one, two, RELATIONSHIP_COPY, version=version)
        self.both(lambda c: c.save_relationship_reference_copy("ann", copy))

    # Reading

    @rule(draw=data)
    def read_an_entity(self, draw: Any) -> None:
        guid, time = self.entity(draw), self.moment(draw)
        self.both(lambda c: c.is_entity_known("ann", guid))
        self.both(lambda c: c.get_entity_summary("ann", guid))
        self.both(lambda c: c.get_entity_detail("ann", guid, time))
        self.both(lambda c: c.get_home_classifications("ann", guid, time))

    @rule(draw=data)
    def read_a_relationship(self, draw: Any) -> None:
        guid, time = self.relationship(draw), self.moment(draw)
        self.both(lambda c: c.is_relationship_known("ann", guid))
        self.both(lambda c: c.get_relationship("ann", guid, time))

    @rule(draw=data, order=st.sampled_from(HistorySequencingOrder))
    def read_versions(self, draw: Any, order: HistorySequencingOrder) -> None:
        span = HistoryRange(
            self.moment(draw),
            self.moment(draw),
            draw.draw(st.integers(0, 2)),
            draw.draw(st.integers(0, 3)),
            order,
        )
        guid = self.entity(draw)
        self.both(lambda c: c.get_entity_detail_history("ann", guid, span))
        other = self.relationship(draw)
        self.both(lambda c: c.get_relationship_history("ann", other, span))

    # Searching

    @rule(
        draw=data,
        type_name=st.none() | st.sampled_from([*TYPES, "Referenceable"]),
        pattern=patterns,
        limit=limits,
        criteria=st.sampled_from(MatchCriteria),
        classified=st.none() | classifications,
    )
    def search_by_property(
        self,
        draw: Any,
        type_name: str | None,
        pattern: str,
        limit: Any,
        criteria: MatchCriteria,
        classified: str | None,
    ) -> None:
        time, order = self.moment(draw), SequencingOrder.GUID
        wanted = type_name and type_guid(type_name)
        match = properties(qualifiedName=pattern, updatedBy="ann")
        carried = classified and [classified]
        paging = Paging(sequencing_order=order)
        self.found(
            lambda c: c.find_entities_by_property(
                "ann", wanted, match, criteria, limit, carried, time, paging
            ),
            order,
        )
        self.found(
            lambda c: c.find_entities_by_property_value(
                "ann", wanted, pattern, limit, carried, time, paging
            ),
            order,
        )
        self.found(
            lambda c: c.find_relationships_by_property_value(
                "ann", None, pattern, limit, time, paging
            ),
            order,
        )

    @rule(draw=data, name=classifications, pattern=patterns)
    def search_by_classification(self, draw: Any, name: str, pattern: str) -> None:
        time, order = self.moment(draw), SequencingOrder.GUID
        match = draw.draw(st.none() | st.just(properties(notes=pattern)))
        criteria = match and MatchCriteria.ALL
        paging = Paging(sequencing_order=order)
        self.found(
            lambda c: c.find_entities_by_classification(
                "ann", None, name, match, criteria, None, time, paging
            ),
            order,
        )

    @rule(
        draw=data,
        operator=st.sampled_from(
            [
                PropertyComparisonOperator.EQ,
                PropertyComparisonOperator.NEQ,
                PropertyComparisonOperator.LIKE,
                PropertyComparisonOperator.IS_NULL,
            ]
        ),
        name=names,
        order=st.sampled_from(SequencingOrder),
    )
    def search_in_order(
        self,
        draw: Any,
        operator: PropertyComparisonOperator,
        name: str,
        order: SequencingOrder,
    ) -> None:
        time = self.moment(draw)
        condition = PropertyCondition(
            property="description", operator=operator, value=text(name)
        )
        search = SearchProperties(conditions=(condition,))
        paging = Paging(sequencing_order=order, sequencing_property="qualifiedName")
        self.found(
            lambda c: c.find_entities(
                "ann", None, None, search, None, None, time, paging
            ),
            order,
            "qualifiedName",
        )
        self.found(
            lambda c: c.find_relationships(
                "ann", None, None, search, None, time, paging
            ),
            order,
            "qualifiedName",
        )

    @rule(size=st.integers(1, 3), order=st.sampled_from(SequencingOrder))
    def pages_join(self, size: int, order: SequencingOrder) -> None:
        """The pages of a search are its whole result, each instance once."""
        whole = self.page(Paging(sequencing_order=order))
        pages: list[bytes] = []
        for offset in range(0, len(whole) + size, size):
            paging = Paging(offset=offset, page_size=size, sequencing_order=order)
            pages += self.page(paging)
        assert pages == whole

    def page(self, paging: Paging) -> list[bytes]:
        found: list[bytes] = plain(
            self.outcome(
                self.sqlite_house,
                lambda c: c.find_entities(
                    "ann", None, None, None, None, None, None, paging
                ),
            )
        )
        return found

    # Walking

    @rule(draw=data, limit=limits, levels=st.integers(0, 3))
    def walk(self, draw: Any, limit: Any, levels: int) -> None:
        guid, end, time = self.entity(draw), self.entity(draw), self.moment(draw)
        types = draw.draw(st.none() | st.just([type_guid("GlossaryTerm")]))
        carried = draw.draw(st.none() | st.just(["Confidentiality", "Retention"]))
        order = SequencingOrder.GUID
        paging = Paging(sequencing_order=order)
        self.found(
            lambda c: c.get_relationships_for_entity(
                "ann", guid, None, limit, time, paging
            ),
            order,
        )
        self.both(
            lambda c: c.get_entity_neighborhood(
                "ann", guid, types, None, limit, carried, time, levels
            )
        )
        self.found(
            lambda c: c.get_related_entities(
                "ann", guid, types, limit, carried, time, paging
            ),
            order,
        )
        self.both(lambda c: c.get_linking_entities("ann", guid, end, limit, time))


@pytest.mark.usefixtures("no_leaked_thread")
def test_sqlite_does_as_the_model_does() -> None:
    run_state_machine_as_test(
        CollectionMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
