"""Searches find in SQL what the plain reference finds by looking at every instance."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgenode.errors import SearchTimeoutError
from edgenode.instances.conditions import (
    AnyText,
    Classified,
    Combined,
    Compares,
    Condition,
    Contains,
    Equals,
    Header,
    HeaderField,
    InstanceQuery,
    MatchCriteria,
    Matches,
    OneOf,
    Paging,
    Present,
    Property,
    PropertyComparisonOperator,
    SequencingOrder,
)
from edgenode.instances.document import Document
from edgenode.instances.model import Classification, EntityDetail, Relationship
from edgenode.instances.patterns import parse_pattern
from edgenode.instances.properties import (
    ArrayPropertyValue,
    EnumPropertyValue,
    InstanceProperties,
    InstancePropertyValue,
    MapPropertyValue,
    PrimitivePropertyValue,
    StructPropertyValue,
)
from edgenode.repository import sampling
from edgenode.repository.base import Transaction
from edgenode.repository.candidates import CandidateFinder
from edgenode.repository.connections import connect
from edgenode.repository.criteria import Criteria
from edgenode.repository.instances import Kind
from edgenode.repository.names import NameReader
from edgenode.repository.sampling import TextSample
from edgenode.repository.search import Search, prepare
from edgenode.repository.sqlite import SqliteRepository
from edgenode.typedefs.attributes import PrimitiveDefCategory as Primitive
from edgenode.typedefs.model import TypeDefCategory
from edgenode.typedefs.status import InstanceStatus
from tests.model.memory import MemoryRepository
from tests.unit.repository.conftest import Opener
from tests.unit.repository.samples import (
    CODEC,
    START,
    SetClock,
    classified,
    entity,
    guid,
    instance_type,
    relationship,
    text,
)

EXAMPLES = int(os.environ.get("EDGENODE_MODEL_EXAMPLES", "60"))
NAMES = ["alpha", "beta"]
TYPES = ["GlossaryTerm", "Asset", "Synonym"]
CLASSIFICATIONS = ["Confidentiality", "Retention"]
ENTITIES = 6
TIMES = st.integers(START, START + 4)

texts = st.one_of(
    st.sampled_from(
        ["", "a", "ab", "abc", "abcd", "ABCD", "a\nb", "xabcx", "İı", "naïve", "a\0b"]
    ),
    st.sampled_from(["\U0001f600", "\uff5e", "a\uff5e", "a\U0001f600"]),
    st.text("abC\"'%_ß", max_size=5),
    st.sampled_from(["abcd" * 20, "abcd" * 12, "abcd" * 12 + "e", "abcd" * 12 + "E"]),
)


def primitive(category: Primitive | None, value: Any) -> PrimitivePropertyValue:
    return PrimitivePropertyValue(
        primitive_def_category=category,
        type_name=category and category.type_name,
        primitive_value=value,
    )


scalars = st.one_of(
    texts.map(lambda value: primitive(Primitive.OM_PRIMITIVE_TYPE_STRING, value)),
    texts.map(lambda value: primitive(None, value)),
    st.sampled_from([1, 2, -3, 2**62, 2**63 - 1]).map(
        lambda value: primitive(Primitive.OM_PRIMITIVE_TYPE_LONG, value)
    ),
    st.sampled_from([1.0, 2.5, -3.0]).map(
        lambda value: primitive(Primitive.OM_PRIMITIVE_TYPE_DOUBLE, value)
    ),
    st.sampled_from([True, False, None]).map(
        lambda value: primitive(Primitive.OM_PRIMITIVE_TYPE_BOOLEAN, value)
    ),
    st.builds(
        EnumPropertyValue,
        type_name=st.just("Kind"),
        ordinal=st.integers(0, 2),
        symbolic_name=st.sampled_from(["abc", "xyz", None]),
    ),
)


def _collections(
    inner: st.SearchStrategy[InstancePropertyValue],
) -> st.SearchStrategy[InstancePropertyValue]:
    values = st.dictionaries(st.sampled_from(["0", "1", "k"]), inner, max_size=2).map(
        lambda held: InstanceProperties(instance_properties=held) if held else None
    )
    return st.one_of(
        st.builds(MapPropertyValue, type_name=st.just("map"), map_values=values),
        st.builds(ArrayPropertyValue, array_values=values),
        st.builds(StructPropertyValue, attributes=values),
    )


property_values = st.recursive(scalars, _collections, max_leaves=3)


@st.composite
def held(draw: st.DrawFn) -> InstanceProperties:
    return InstanceProperties(
        effective_from_time=draw(st.sampled_from([None, START])),
        instance_properties=draw(
            st.dictionaries(st.sampled_from(NAMES), property_values, max_size=2)
        ),
    )


@st.composite
def beans(draw: st.DrawFn) -> EntityDetail | Relationship:
    number = draw(st.integers(1, ENTITIES))
    status = draw(st.sampled_from([InstanceStatus.ACTIVE, InstanceStatus.DELETED]))
    header: dict[str, Any] = {
        "properties": draw(held()),
        "update_time": draw(st.sampled_from([None, START + 1, START + 2])),
        "updated_by": draw(st.sampled_from([None, "ann", "bob"])),
        "version": draw(st.integers(1, 3)),
    }
    if draw(st.booleans()):
        return replace(relationship(100 + number, number, 1, status=status), **header)
    name = draw(st.sampled_from(TYPES[:2]))
    bean = replace(entity(number, type_name=name, status=status), **header)
    given_names = draw(st.lists(st.sampled_from(CLASSIFICATIONS), unique=True))
    return replace(
        bean,
        classifications=tuple(
            Classification(
                name=each,
                type=instance_type(each, TypeDefCategory.CLASSIFICATION_DEF),
                properties=draw(held()),
                updated_by=draw(st.sampled_from([None, "ann", "bob"])),
                update_time=draw(st.sampled_from([None, START, START + 1])),
            )
            for each in given_names
        )
        or None,
    )


patterns = st.sampled_from(
    [
        *(r"\Qabc\E", r"\Qab\E.*", r".*\Qbcd\E", r".*\Qbc\E.*", r".*\Qb\E.*"),
        *(r".*\Qcdab\E.*", r"(?i).*\QbCd\E.*", r"(?i)abc", "[ax]bc.*", ".*", ""),
        *(r".*(abc|xyz)+.*", rf"\Q{'abcd' * 12}\E.*", rf"\Q{'abcd' * 20}\E"),
        *(r".*\Qİ\E.*", "naïve", r"a\nb", r"\Qabcd\E"),
    ]
).map(parse_pattern)

tests = st.one_of(
    property_values.map(Equals),
    st.lists(property_values, max_size=3).map(lambda each: OneOf(tuple(each))),
    st.builds(
        Compares,
        st.sampled_from(
            [
                PropertyComparisonOperator.LT,
                PropertyComparisonOperator.LTE,
                PropertyComparisonOperator.GT,
                PropertyComparisonOperator.GTE,
            ]
        ),
        st.sampled_from([1, 2, 1.0, 2.5, -3, 2**62, 2**64]),
    ),
    patterns.map(Matches),
    property_values.map(Contains),
    st.just(Present()),
)

headers = st.one_of(
    st.builds(
        Header,
        st.sampled_from([HeaderField.TYPE_NAME, HeaderField.UPDATED_BY]),
        st.sampled_from(["ann", "bob", "Asset", ".*n.*"]).map(parse_pattern),
    ),
    st.builds(
        Header,
        st.sampled_from([HeaderField.UPDATE_TIME, HeaderField.EFFECTIVE_FROM]),
        st.sampled_from([START, START + 1]),
    ),
)
leaves: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Property, st.sampled_from([*NAMES, "unknown"]), tests),
    st.builds(AnyText, patterns),
    st.builds(Classified, st.sampled_from(CLASSIFICATIONS)),
    st.builds(
        Classified,
        st.sampled_from(CLASSIFICATIONS),
        st.builds(Property, st.sampled_from(NAMES), tests)
        | st.builds(AnyText, patterns)
        | headers,
    ),
    headers,
)
conditions = st.recursive(
    leaves,
    lambda inner: st.builds(
        Combined,
        st.sampled_from(MatchCriteria),
        st.lists(inner, max_size=3).map(tuple),
    ),
    max_leaves=4,
)
queries = st.builds(
    InstanceQuery,
    type_names=st.none()
    | st.frozensets(st.sampled_from([*TYPES, "Unknown"]), max_size=2),
    statuses=st.none() | st.just(frozenset({InstanceStatus.DELETED})),
    condition=st.none() | conditions,
    as_of_time=st.none() | TIMES,
    paging=st.builds(
        Paging,
        offset=st.integers(0, 2),
        page_size=st.sampled_from([0, 0, 2]),
        sequencing_order=st.sampled_from(SequencingOrder),
        sequencing_property=st.sampled_from([None, *NAMES]),
    ),
)


@given(
    history=st.lists(st.tuples(beans(), st.booleans(), st.booleans()), max_size=14),
    asked=st.lists(queries, min_size=4, max_size=8),
)
@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
async def test_sql_finds_what_the_reference_finds(
    history: list[tuple[EntityDetail | Relationship, bool, bool]],
    asked: list[InstanceQuery],
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "server.db"
        clock = SetClock()
        async with SqliteRepository.opened(path, CODEC, clock, name="pi") as real:
            plain = MemoryRepository(CODEC)
            # Ids follow the order in which a store comes to know GUIDs.
            await _both(real, plain, *(entity(each) for each in range(1, ENTITIES + 1)))
            for bean, is_later, is_flushed in history:
                clock.time += is_later
                await _both(real, plain, bean, at=clock.time)
                if is_flushed:
                    await real.flush()
            for query in asked:
                entities = told(await real.find_entities(query))
                assert entities == told(await plain.find_entities(query))
                relationships = told(await real.find_relationships(query))
                assert relationships == told(await plain.find_relationships(query))


def told(documents: Iterable[Document[Any]]) -> list[tuple[bytes, bool]]:
    return [(document.json, document.ends_changed) for document in documents]


async def _both(
    real: SqliteRepository,
    plain: MemoryRepository,
    *saved: EntityDetail | Relationship,
    at: int = START,
) -> None:
    def work(change: Transaction) -> None:
        for bean in saved:
            if isinstance(bean, EntityDetail):
                change.save_entity(bean, at)
            else:
                change.save_relationship(bean, at)

    await real.change(work)
    await plain.change(work)


# What a purge takes away


async def test_a_purged_entity_is_found_no_more(repository: SqliteRepository) -> None:
    await repository.change(lambda change: change.save_entity(entity(1), START))
    wanted = AnyText(parse_pattern(r".*\Qterm 1\E.*"))
    query = InstanceQuery(condition=wanted)
    assert len(await repository.find_entities(query)) == 1
    await repository.change(lambda change: change.purge_entity(guid(1)))
    assert await repository.find_entities(query) == []
    await repository.change(lambda change: change.save_entity(entity(2), START))
    assert len(await repository.find_entities(InstanceQuery())) == 1


async def test_proxies_are_never_found(repository: SqliteRepository) -> None:
    def work(change: Transaction) -> None:
        change.save_relationship(relationship(3, 1, 2), START)
        one = relationship(3, 1, 2).entity_one_proxy
        assert one is not None
        change.save_proxy(one, START)

    await repository.change(work)
    assert await repository.find_entities(InstanceQuery()) == []


# Pages


async def test_pages_stay_the_same_while_others_write(
    repository: SqliteRepository,
) -> None:
    def adding(first: int, last: int) -> Any:
        def work(change: Transaction) -> None:
            for number in range(first, last):
                change.save_entity(entity(number), START)

        return work

    await repository.change(adding(1, 21))
    seen: list[str | None] = []
    for offset in range(0, 20, 5):
        paging = Paging(offset=offset, page_size=5)
        page = await repository.find_entities(InstanceQuery(paging=paging))
        seen += [found.value.guid for found in page]
        await repository.change(adding(100 + offset, 103 + offset))
        await repository.change(adding(offset + 1, offset + 2))
    assert seen == [guid(number) for number in range(1, 21)]


# Bounds


async def test_a_pattern_without_end_is_stopped(repository: SqliteRepository) -> None:
    bean = entity(1, name="a" * 5_000 + "!b")
    await repository.change(lambda change: change.save_entity(bean, START))
    hostile = AnyText(parse_pattern("(a|a?)+(a|aa)*b"))
    with pytest.raises(SearchTimeoutError):
        await repository.find_entities(InstanceQuery(condition=hostile))
    assert len(await repository.find_entities(InstanceQuery())) == 1


# What searches read


@dataclass(frozen=True, slots=True)
class Reader:
    """A connection for searches, and the names that they look up."""

    connection: aiosqlite.Connection
    names: NameReader


@pytest.fixture
async def reader(path: Path, repository: SqliteRepository) -> AsyncIterator[Reader]:
    """A connection to a repository with some contents."""

    def work(change: Transaction) -> None:
        for number in range(1, 300):
            change.save_entity(classified(entity(number), "Retention"), START)

    await repository.change(work)
    await repository.flush()

    def opened() -> Any:
        raw = connect(path)
        prepare(raw)
        return raw

    with closing(connect(path)) as names:
        async with aiosqlite.Connection(opened, iter_chunk_size=64) as connection:
            yield Reader(connection, NameReader(names))


NARROWED: dict[str, tuple[Condition, str]] = {
    "exact": (
        Property("qualifiedName", Equals(text("GlossaryTerm.7"))),
        "property_content",
    ),
    "exact pattern": (
        Property("qualifiedName", Matches(parse_pattern(r"\QGlossaryTerm.7\E"))),
        "property_content",
    ),
    "starts with": (
        Property("qualifiedName", Matches(parse_pattern(r"\QGlossaryTerm.29\E.*"))),
        "property_content",
    ),
    "starts with few letters": (
        Property("displayName", Matches(parse_pattern(r"\Qx\E.*"))),
        "property_text",
    ),
    "contains": (AnyText(parse_pattern(r".*\Qterm 17 at\E.*")), "property_text"),
    "regular expression": (
        AnyText(parse_pattern(r".*(x|y)?term 1[78] at.*")),
        "property_text",
    ),
    "one of": (
        Property(
            "qualifiedName",
            OneOf((text("GlossaryTerm.7"), text("GlossaryTerm.8"))),
        ),
        "property_content",
    ),
    "any of": (
        Combined(
            MatchCriteria.ANY,
            (
                Property("qualifiedName", Equals(text("GlossaryTerm.7"))),
                Property("displayName", Equals(text("GlossaryTerm.8"))),
            ),
        ),
        "property_content",
    ),
    "the most selective of all": (
        Combined(
            MatchCriteria.ALL,
            (Classified("Retention"), AnyText(parse_pattern(r".*\Qterm 17 at\E.*"))),
        ),
        "property_text",
    ),
    "classification": (Classified("Retention"), "property_content"),
}


@pytest.mark.parametrize("name", NARROWED)
@pytest.mark.parametrize("time", [None, START + 5])
async def test_a_search_goes_through_an_index(
    reader: Reader, name: str, time: int | None
) -> None:
    condition, index = NARROWED[name]
    criteria = Criteria(reader.names.id_of, time)
    lists = CandidateFinder(criteria, reader.names, TextSample()).lists(condition)
    plans = [await _explained(reader, each.sql, criteria) for each in lists]
    assert any(index in step for plan in plans for step in plan)
    steps = [*await _plan(reader, InstanceQuery(condition=condition, as_of_time=time))]
    assert not {"SCAN i", "SCAN p"}.intersection(steps, *plans)


@pytest.mark.parametrize("name", NARROWED)
async def test_documents_are_read_for_the_page_alone(reader: Reader, name: str) -> None:
    query = InstanceQuery(condition=NARROWED[name][0], paging=Paging(page_size=3))
    plan = await _plan(reader, query)
    (document,) = [at for at, step in enumerate(plan) if "SEARCH v " in step]
    assert plan.index("SCAN found") < document
    assert "INTEGER PRIMARY KEY" in plan[document]


async def _plan(reader: Reader, query: InstanceQuery) -> list[str]:
    sample = TextSample()
    search = Search(reader.connection, reader.names, sample, query, Kind.ENTITY)
    return await _explained(reader, await search.statement(), search.criteria)


async def _explained(reader: Reader, sql: str, criteria: Criteria) -> list[str]:
    rows = await reader.connection.execute_fetchall(
        f"EXPLAIN QUERY PLAN {sql}", criteria.parameters
    )
    return [row[3] for row in rows]


# Rare letters


async def test_what_is_rare_is_known_from_a_sample(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "WORTH_SAMPLING", 10)
    monkeypatch.setattr(sampling, "SAMPLED_INSTANCES", 10)
    sampled: list[list[str]] = []
    rarest = TextSample.rarest

    def watched(sample: TextSample, pieces: list[str]) -> list[str]:
        sampled.append(rarest(sample, pieces))
        return sampled[-1]

    monkeypatch.setattr(TextSample, "rarest", watched)
    async with opener() as repository:

        def work(change: Transaction) -> None:
            for number in range(1, 21):
                change.save_entity(entity(number), START)

        await repository.change(work)
        wanted = AnyText(parse_pattern(r".*\QTerm 17 at version\E.*"))
        ignoring_case = AnyText(parse_pattern(r"(?i).*\QTerm 17 at version\E.*"))
        assert await repository.find_entities(InstanceQuery(condition=wanted)) == []
        found = await repository.find_entities(InstanceQuery(condition=ignoring_case))
        assert [each.value.guid for each in found] == [guid(17)]
    assert len(sampled[-1]) == 4
    assert {" 17", "17 "} <= set(sampled[-1])
