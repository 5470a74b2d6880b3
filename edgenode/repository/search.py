"""Searches: which instances pass a query's conditions, in what order, which page of them.

The instances that may pass come from the shortest list that the index has for one of
the conditions; the others are then looked up for each of them. Without an order of its
own a search answers in the order in which this store came to know the instances, so
pages stay the same while writes go on. Documents are read only for the page.
"""

import json

import aiosqlite

from edgenode.instances.conditions import InstanceQuery, SequencingOrder
from edgenode.limits import FEW_CANDIDATES, MANY_CANDIDATES
from edgenode.repository.candidates import CandidateFinder, Candidates
from edgenode.repository.criteria import Criteria, all_of, prepare
from edgenode.repository.instances import Kind
from edgenode.repository.names import NameReader
from edgenode.repository.sampling import TextSample
from edgenode.repository.statements import load
from edgenode.repository.states import (
    documents,
    has_status,
    has_type,
    limits,
    order_by,
    states,
)

__all__ = ["find_entities", "find_relationships", "prepare"]

_SQL = load("candidates")


async def find_entities(
    reader: aiosqlite.Connection,
    names: NameReader,
    sample: TextSample,
    query: InstanceQuery,
) -> list[bytes]:
    """The documents of the entities that a query finds."""
    rows = await Search(reader, names, sample, query, Kind.ENTITY).rows()
    return [row[0] for row in rows]


async def find_relationships(
    reader: aiosqlite.Connection,
    names: NameReader,
    sample: TextSample,
    query: InstanceQuery,
) -> list[tuple[bytes, bool]]:
    """The documents of the relationships that a query finds, and if ends have changed."""
    rows = await Search(reader, names, sample, query, Kind.RELATIONSHIP).rows()
    return [(document, bool(ends_changed)) for document, ends_changed in rows]


class Search:
    """One search on a connection.

    Attributes:
        criteria: Has the parameters of the statement.
    """

    def __init__(
        self,
        reader: aiosqlite.Connection,
        names: NameReader,
        sample: TextSample,
        query: InstanceQuery,
        kind: Kind,
    ) -> None:
        self._reader = reader
        self._names = names
        self._sample = sample
        self._query = query
        self._kind = kind
        self.criteria = Criteria(names.id_of, query.as_of_time)

    async def rows(self) -> list[tuple[bytes, int]]:
        """The document of each instance, and of a relationship if its ends changed."""
        statement = await self.statement()
        rows = await self._reader.execute_fetchall(statement, self.criteria.parameters)
        return list(rows)  # type: ignore[arg-type]

    async def statement(self) -> str:
        """The SQL that goes through the shortest list of candidates."""
        candidates = await self._candidates()
        query, criteria = self._query, self.criteria
        tests = [f"i.kind = {self._kind:d}", has_status(query.statuses)]
        if query.type_names is not None:
            tests.append(has_type(criteria, self._names, query.type_names))
        if query.condition is not None:
            tests.append(criteria.holds(query.condition))
        source = f"{states(criteria)} i"
        order = order_by(criteria, self._names, query.paging)
        if candidates is not None:
            source = f"({candidates.sql}) c CROSS JOIN {source} ON i.id = c.id"
            if query.paging.sequencing_order is SequencingOrder.ANY:
                order = "c.id"  # SQLite doesn't see that this is the same
        page = (
            f"SELECT i.* FROM {source} WHERE {all_of(tests)}"
            f" ORDER BY {order} {limits(query.paging)}"
        )
        return documents(criteria, self._kind, page)

    async def _candidates(self) -> Candidates | None:
        """The shortest list, or none where all instances are as good a one."""
        finder = CandidateFinder(self.criteria, self._names, self._sample)
        lists = finder.lists(self._query.condition)
        if self._query.type_names is not None:
            of_types = finder.of_types(self._query.type_names)
            lists += [] if of_types is None else [of_types]
        if len(lists) == 1 and lists[0].is_ordered:
            return lists[0]
        shortest: list[int] | None = None
        length = self._bearable_count()
        for candidates in lists:
            ids = await self._first(candidates, length)
            if len(ids) < length:
                shortest, length = ids, len(ids)
        if shortest is not None:
            listed = self.criteria.bind(json.dumps(sorted(shortest)))
            return Candidates(_SQL["listed"].format(ids=listed), True)
        ordered = next((each for each in lists if each.is_ordered), None)
        if ordered is None and lists and not self._is_page:
            return lists[0]
        return ordered

    @property
    def _is_page(self) -> bool:
        paging = self._query.paging
        in_order_of_ids = paging.sequencing_order is SequencingOrder.ANY
        return paging.page_size > 0 and in_order_of_ids

    def _bearable_count(self) -> int:
        """How many candidates may be looked at and sorted before the first is shown.

        A page in the order of ids can also be had from any list that is in that order,
        by going through it until the page is full.
        """
        return FEW_CANDIDATES if self._is_page else MANY_CANDIDATES

    async def _first(self, candidates: Candidates, limit: int) -> list[int]:
        """The candidates, as far as it matters how many they are."""
        sql = _SQL["first"].format(candidates=candidates.sql, limit=limit)
        rows = await self._reader.execute_fetchall(sql, self.criteria.parameters)
        return [row[0] for row in rows]
