"""Walks in SQL come to where the plain reference comes by looking at everything."""

import os
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgenode.instances.conditions import Paging, SequencingOrder
from edgenode.instances.document import Document
from edgenode.instances.model import EntityDetail, EntityProxy, Relationship
from edgenode.repository.base import Graph, GraphQuery, Transaction
from edgenode.repository.sqlite import SqliteRepository
from edgenode.typedefs.model import TypeDefCategory
from edgenode.typedefs.status import InstanceStatus
from tests.model.memory import MemoryRepository
from tests.unit.repository.samples import (
    CODEC,
    START,
    SetClock,
    classified,
    entity,
    guid,
    instance_type,
    proxy,
    relationship,
)

EXAMPLES = int(os.environ.get("EDGENODE_MODEL_EXAMPLES", "60"))
VERTICES = st.integers(1, 6)
TYPES = ["GlossaryTerm", "Asset"]
CLASSIFICATIONS = ["Confidentiality", "Retention"]
KINDS = ["Synonym", "Antonym"]

Bean = EntityDetail | EntityProxy | Relationship


@st.composite
def beans(draw: st.DrawFn) -> Bean:
    status = draw(st.sampled_from([InstanceStatus.ACTIVE, InstanceStatus.DELETED]))
    carried = draw(st.lists(st.sampled_from(CLASSIFICATIONS), unique=True, max_size=1))
    kind = draw(st.integers(0, 5))
    number = draw(VERTICES)
    if kind == 0:
        known = classified(entity(number), *carried)
        return replace(proxy(number), classifications=known.classifications or None)
    if kind == 1:
        made = entity(number, type_name=draw(st.sampled_from(TYPES)), status=status)
        return replace(made, classifications=classified(made, *carried).classifications)
    link = relationship(
        100 + draw(st.integers(0, 9)), number, draw(VERTICES), status=status
    )
    type_name = draw(st.sampled_from(KINDS))
    kind_of = instance_type(type_name, TypeDefCategory.RELATIONSHIP_DEF)
    return replace(link, type=kind_of)


def _some(names: list[str]) -> st.SearchStrategy[frozenset[str] | None]:
    return st.none() | st.frozensets(st.sampled_from(names), min_size=1)


queries = st.builds(
    GraphQuery,
    entity_type_names=_some([*TYPES, "Unknown"]),
    relationship_type_names=_some(KINDS),
    statuses=st.none() | st.just(frozenset({InstanceStatus.DELETED})),
    classification_names=_some(CLASSIFICATIONS),
    as_of_time=st.none() | st.integers(START, START + 4),
)
pagings = st.builds(
    Paging,
    offset=st.integers(0, 1),
    page_size=st.sampled_from([0, 2]),
    sequencing_order=st.sampled_from(
        [SequencingOrder.GUID, SequencingOrder.CREATION_DATE_RECENT]
    ),
)


@given(
    history=st.lists(st.tuples(beans(), st.booleans()), max_size=18),
    asked=st.lists(
        st.tuples(queries, pagings, VERTICES, VERTICES), min_size=3, max_size=6
    ),
)
@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
async def test_sql_walks_as_the_reference_walks(
    history: list[tuple[Bean, bool]],
    asked: list[tuple[GraphQuery, Paging, int, int]],
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "server.db"
        clock = SetClock()
        async with SqliteRepository.opened(path, CODEC, clock, name="pi") as real:
            plain = MemoryRepository(CODEC)
            for bean, is_later in history:
                clock.time += is_later
                await _both(real, plain, bean, clock.time)
            for query, paging, one, two in asked:
                answers = [
                    await _asked(repository, query, paging, guid(one), guid(two))
                    for repository in (real, plain)
                ]
                assert answers[0] == answers[1]


async def _both(
    real: SqliteRepository, plain: MemoryRepository, bean: Bean, at: int
) -> None:
    def work(change: Transaction) -> None:
        match bean:
            case EntityDetail():
                change.save_entity(bean, at)
            case EntityProxy():
                change.save_proxy(bean, at)
            case Relationship():
                change.save_relationship(bean, at)

    await real.change(work)
    await plain.change(work)


async def _asked(
    repository: SqliteRepository | MemoryRepository,
    query: GraphQuery,
    paging: Paging,
    one: str,
    two: str,
) -> list[object]:
    by_guid = replace(paging, sequencing_order=SequencingOrder.GUID)
    pages: list[Document[Any]] = [
        *await repository.relationships_for_entity(one, query, by_guid),
        *await repository.related_entities(one, query, by_guid),
    ]
    unpaged = replace(paging, offset=0, page_size=0)
    in_some_order: list[Document[Any]] = [
        *await repository.relationships_for_entity(one, query, unpaged),
        *await repository.related_entities(one, query, unpaged),
    ]
    return [
        told(pages),
        Counter(told(in_some_order)),
        *[
            told_graph(await repository.neighborhood(one, query, levels))
            for levels in (0, 1, 2, 5)
        ],
        told_graph(await repository.linking_entities(one, two, query)),
    ]


def told(documents: Iterable[Document[Any]]) -> list[tuple[bytes, bool]]:
    return [(document.json, document.ends_changed) for document in documents]


def told_graph(graph: Graph) -> tuple[Counter[Any], Counter[Any]]:
    return Counter(told(graph.entities)), Counter(told(graph.relationships))


async def test_relationships_come_as_this_store_came_to_know_them(
    repository: SqliteRepository,
) -> None:
    def work(change: Transaction) -> None:
        for number in (9, 7, 8):
            change.save_relationship(relationship(number, 1, 2), START)

    await repository.change(work)
    found = await repository.relationships_for_entity(guid(1), GraphQuery(), Paging())
    assert [each.value.guid for each in found] == [guid(9), guid(7), guid(8)]


async def test_a_walk_from_what_nobody_knows_ends_at_once(
    repository: SqliteRepository,
) -> None:
    nowhere = await repository.neighborhood(guid(1), GraphQuery(), 3)
    assert nowhere == Graph([], [])
    assert await repository.related_entities(guid(1), GraphQuery(), Paging()) == []
