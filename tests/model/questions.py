"""Everything that asks a collection and changes nothing, by chance."""

from operator import methodcaller
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from edgenode.instances.conditions import (
    ClassificationCondition,
    HistorySequencingOrder,
    MatchCriteria,
    Paging,
    PropertyComparisonOperator,
    PropertyCondition,
    SearchClassifications,
    SearchProperties,
    SequencingOrder,
)
from edgenode.instances.document import Document
from edgenode.instances.properties import ArrayPropertyValue, InstanceProperties
from edgenode.repository.base import HistoryRange
from tests.model.house import START, properties, text, type_guid
from tests.model.twins import (
    CLASSIFICATIONS,
    LIMITS,
    RELATIONSHIPS,
    TYPES,
    Twins,
    classifications,
    data,
    date,
    dates,
    limits,
    maps,
    names,
    numbers,
    patterns,
    plain,
    symbols,
    type_names,
)

OPERATORS = st.sampled_from(PropertyComparisonOperator)
MATCH = st.sampled_from(MatchCriteria)
ORDERS = st.sampled_from(SequencingOrder)
BY_GUID = Paging(sequencing_order=SequencingOrder.GUID)
PROPERTIES = st.sampled_from(
    ["qualifiedName", "description", "additionalProperties", "startDate", "status"]
)
CLASSIFIED_BY = st.sampled_from(
    ["notes", "confidence", "status", "deleteAfter", "scope"]
)
ORDERED_BY = st.sampled_from(["qualifiedName", "startDate", "status", "missing", None])

types_asked = st.none() | st.sampled_from([*TYPES, "Referenceable"])
relationship_types = st.none() | st.sampled_from([*RELATIONSHIPS, "Synonym"])
values = st.one_of(names.map(text), patterns.map(text), numbers, dates, maps, symbols)
lists = st.lists(values, max_size=3).map(
    lambda entries: ArrayPropertyValue(
        array_count=len(entries),
        array_values=InstanceProperties(
            instance_properties={str(i): entry for i, entry in enumerate(entries)}
        ),
    )
)
comparands: Any = {
    PropertyComparisonOperator.LIKE: patterns.map(text),
    PropertyComparisonOperator.IN: lists,
    PropertyComparisonOperator.LT: numbers | dates,
    PropertyComparisonOperator.LTE: numbers | dates,
    PropertyComparisonOperator.GT: numbers | dates,
    PropertyComparisonOperator.GTE: numbers | dates,
}

PLAIN_SEARCHES = [
    SearchProperties(
        conditions=(PropertyCondition(property=name, operator=operator, value=value),)
    )
    for name, operator, value in (
        ("qualifiedName", PropertyComparisonOperator.EQ, text("alpha")),
        ("description", PropertyComparisonOperator.EQ, text("beta")),
        ("description", PropertyComparisonOperator.NEQ, text("beta")),
        ("description", PropertyComparisonOperator.IS_NULL, None),
        ("additionalProperties", PropertyComparisonOperator.NOT_NULL, None),
        ("description", PropertyComparisonOperator.LIKE, text("[ab].*")),
        ("startDate", PropertyComparisonOperator.LT, date(START)),
        ("startDate", PropertyComparisonOperator.LTE, date(START)),
        ("startDate", PropertyComparisonOperator.GT, date(START)),
        ("startDate", PropertyComparisonOperator.GTE, date(START)),
    )
]


@st.composite
def conditions(draw: st.DrawFn, named: Any) -> PropertyCondition:
    """One comparison; seldom one that isn't allowed."""
    operator = draw(OPERATORS)
    fitting = comparands.get(operator, values)
    odd = draw(st.integers(0, 19)) == 19
    return PropertyCondition(
        property=draw(named),
        operator=operator,
        value=draw(st.none() | values | lists if odd else fitting),
    )


def searches(named: Any) -> st.SearchStrategy[SearchProperties]:
    """Conditions in conditions."""

    def levels(inner: Any) -> Any:
        nested = inner.map(lambda of: PropertyCondition(nested_conditions=of))
        listed = st.lists(conditions(named) | nested, max_size=3).map(tuple)
        return st.builds(SearchProperties, conditions=listed, match_criteria=MATCH)

    return st.recursive(levels(st.nothing()), levels, max_leaves=3)


@st.composite
def examples(draw: st.DrawFn, named: Any) -> InstanceProperties:
    """Properties that instances may be like; header fields are among the names."""
    found: dict[str, Any] = draw(st.dictionaries(named, values, max_size=2))
    if draw(st.booleans()):
        header = st.sampled_from(["updatedBy", "typeName", "metadataCollectionId"])
        found[draw(header)] = text(draw(st.sampled_from(["ann", ".*o.*", ".*Term"])))
    if draw(st.integers(0, 5)) == 5:
        times = st.sampled_from(["createTime", "updateTime", "effectiveFrom"])
        found[draw(times)] = draw(dates)
    return properties(**found)


classified = st.builds(
    SearchClassifications,
    conditions=st.lists(
        st.builds(
            ClassificationCondition,
            name=classifications,
            match_properties=st.none() | searches(CLASSIFIED_BY),
        ),
        max_size=2,
    ).map(tuple),
    match_criteria=MATCH,
)


class Reading(Twins):
    """One instance at a time."""

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


class Searching(Twins):
    """All kinds of find."""

    @rule(
        draw=data,
        type_name=types_asked,
        limit=limits,
        criteria=MATCH,
        match=examples(PROPERTIES),
        carried=st.none() | classifications.map(lambda name: [name]),
    )
    def search_by_property(
        self,
        draw: Any,
        type_name: str | None,
        limit: Any,
        criteria: MatchCriteria,
        match: InstanceProperties,
        carried: Any,
    ) -> None:
        time, order = self.moment(draw), draw.draw(ORDERS)
        by = draw.draw(ORDERED_BY)
        wanted = type_name and type_guid(type_name)
        paging = Paging(sequencing_order=order, sequencing_property=by)
        self.found(
            lambda c: c.find_entities_by_property(
                "ann", wanted, match, criteria, limit, carried, time, paging
            ),
            order,
            by,
        )
        related = draw.draw(relationship_types)
        guid = related and type_guid(related)
        self.found(
            lambda c: c.find_relationships_by_property(
                "ann", guid, match, criteria, limit, time, paging
            ),
            order,
            by,
        )

    @rule(draw=data, type_name=types_asked, pattern=patterns, limit=limits)
    def search_by_value(
        self, draw: Any, type_name: str | None, pattern: str, limit: Any
    ) -> None:
        time, order = self.moment(draw), SequencingOrder.GUID
        wanted = type_name and type_guid(type_name)
        carried = draw.draw(st.none() | classifications.map(lambda name: [name]))
        paging = Paging(sequencing_order=order)
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

    @rule(draw=data, name=classifications, match=st.none() | examples(CLASSIFIED_BY))
    def search_by_classification(
        self, draw: Any, name: str, match: InstanceProperties | None
    ) -> None:
        time, order = self.moment(draw), SequencingOrder.GUID
        criteria = None if match is None else draw.draw(MATCH)
        paging = Paging(sequencing_order=order)
        self.found(
            lambda c: c.find_entities_by_classification(
                "ann", None, name, match, criteria, None, time, paging
            ),
            order,
        )

    @rule(
        draw=data,
        search=st.none() | searches(PROPERTIES),
        carried=st.none() | classified,
        type_name=types_asked,
        order=ORDERS,
        by=ORDERED_BY,
        limit=limits,
    )
    def search_entities(
        self,
        draw: Any,
        search: SearchProperties | None,
        carried: SearchClassifications | None,
        type_name: str | None,
        order: SequencingOrder,
        by: str | None,
        limit: Any,
    ) -> None:
        time, wanted = self.moment(draw), type_name and type_guid(type_name)
        below = draw.draw(st.none() | type_names.map(lambda name: [type_guid(name)]))
        paging = Paging(sequencing_order=order, sequencing_property=by)
        self.found(
            lambda c: c.find_entities(
                "ann", wanted, below, search, limit, carried, time, paging
            ),
            order,
            by,
        )

    @rule(
        draw=data,
        search=searches(PROPERTIES),
        type_name=relationship_types,
        order=ORDERS,
        by=ORDERED_BY,
        limit=limits,
    )
    def search_relationships(
        self,
        draw: Any,
        search: SearchProperties,
        type_name: str | None,
        order: SequencingOrder,
        by: str | None,
        limit: Any,
    ) -> None:
        time, wanted = self.moment(draw), type_name and type_guid(type_name)
        paging = Paging(sequencing_order=order, sequencing_property=by)
        self.found(
            lambda c: c.find_relationships(
                "ann", wanted, None, search, limit, time, paging
            ),
            order,
            by,
        )

    def compare(self) -> None:
        """Ask for everything, by state and time, and for what each condition finds."""
        super().compare()
        chains = self.model._contents.chains.values()
        began = {state.from_time for chain in chains for state in chain}
        # The moments at which one state makes room for the next, and one before all.
        times = [time for time in sorted(began) if time <= self.clock.time][-6:]
        for time in (None, START - 200, *times):
            for limit in LIMITS:
                self.find("find_entities", None, None, None, limit, None, time)
                self.find("find_relationships", None, None, None, limit, time)
            for search in PLAIN_SEARCHES:
                self.find("find_entities", None, None, search, None, None, time)
                self.find("find_relationships", None, None, search, None, time)
            for name in CLASSIFICATIONS:
                self.find(
                    "find_entities_by_classification",
                    None,
                    name,
                    None,
                    None,
                    None,
                    time,
                )

    def find(self, operation: str, *given: object) -> None:
        """Let both search; by GUID there is but one order."""
        self.same(methodcaller(operation, "ann", *given, BY_GUID))

    # Pages

    @rule(size=st.integers(1, 3), order=ORDERS, by=ORDERED_BY)
    def pages_join(self, size: int, order: SequencingOrder, by: str | None) -> None:
        """The pages of a search are its whole result, each instance once."""
        whole = self.page(0, 0, order, by)
        pages: list[Document[Any]] = []
        for offset in range(0, len(whole) + size, size):
            pages += self.page(offset, size, order, by)
        assert plain(pages) == plain(whole)

    @rule(draw=data, size=st.integers(1, 3))
    def pages_join_while_writes_go_on(self, draw: Any, size: int) -> None:
        """What is there all the time is on one page, whatever is added or updated."""
        there = [found.value.guid for found in self.page(0, 0)]
        pages: list[str] = []
        offset = 0
        while found := self.page(offset, size):
            pages += [str(document.value.guid) for document in found]
            offset += size
            if offset < len(there):
                self.write_between(draw)
        assert pages[: len(there)] == there
        assert len(pages) == len(set(pages))

    def write_between(self, draw: Any) -> None:
        values = properties(qualifiedName=draw.draw(names))
        if draw.draw(st.booleans()):
            guid = self.entity(draw)
            self.both(lambda c: c.update_entity_properties("bob", guid, values))
            return
        self.same_guid()
        added = self.both(
            lambda c: c.add_entity("bob", type_guid("GlossaryTerm"), values, None, None)
        )
        self.terms.append(added.value.guid)

    def page(
        self,
        offset: int,
        size: int,
        order: SequencingOrder = SequencingOrder.ANY,
        by: str | None = None,
    ) -> list[Document[Any]]:
        paging = Paging(
            offset=offset,
            page_size=size,
            sequencing_order=order,
            sequencing_property=by,
        )
        found: list[Document[Any]] = self.outcome(
            self.sqlite_house,
            lambda c: c.find_entities(
                "ann", None, None, None, None, None, None, paging
            ),
        )
        return found


class Walking(Twins):
    """From entity to entity."""

    @rule(draw=data, limit=limits, levels=st.integers(0, 3))
    def walk(self, draw: Any, limit: Any, levels: int) -> None:
        guid, end, time = self.entity(draw), self.entity(draw), self.moment(draw)
        types = draw.draw(st.none() | st.just([type_guid("GlossaryTerm")]))
        related = draw.draw(relationship_types)
        over = related and type_guid(related)
        carried = draw.draw(st.none() | st.just(["Confidentiality", "Retention"]))
        order = SequencingOrder.GUID
        paging = Paging(sequencing_order=order)
        self.found(
            lambda c: c.get_relationships_for_entity(
                "ann", guid, over, limit, time, paging
            ),
            order,
        )
        self.both(
            lambda c: c.get_entity_neighborhood(
                "ann", guid, types, over and [over], limit, carried, time, levels
            )
        )
        self.found(
            lambda c: c.get_related_entities(
                "ann", guid, types, limit, carried, time, paging
            ),
            order,
        )
        self.both(lambda c: c.get_linking_entities("ann", guid, end, limit, time))
