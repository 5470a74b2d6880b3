"""Walks over the graph: neighbours, paths between two entities, all that is reachable.

A walk goes breadth first, one statement for each step outwards; which relationships it
may use, and at which entities it may end, is decided in SQL.
"""

import json
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import aiosqlite

from edgenode.instances.conditions import Classified, Combined, MatchCriteria, Paging
from edgenode.repository.base import GraphQuery
from edgenode.repository.criteria import ALWAYS, NEVER, Criteria, all_of
from edgenode.repository.instances import Kind
from edgenode.repository.names import NameReader
from edgenode.repository.paths import on_simple_paths
from edgenode.repository.statements import load
from edgenode.repository.states import (
    documents,
    has_status,
    has_type,
    limits,
    order_by,
    order_needs_index,
    states,
)

_SQL = load("graph")

Relationships = list[tuple[bytes, bool]]


def needs_index(query: GraphQuery, paging: Paging | None = None) -> bool:
    """Whether a walk, or the order of what it finds, looks at the index."""
    return query.classification_names is not None or (
        paging is not None and order_needs_index(paging)
    )


async def relationships_of(
    reader: aiosqlite.Connection,
    names: NameReader,
    guid: str,
    query: GraphQuery,
    paging: Paging,
) -> Relationships:
    """The relationships at an entity, and whether an end of each was stored after it."""
    walk = _Walk(reader, names, query)
    return await walk.relationships(
        "at", {"guid": guid}, walk.order(paging), limits(paging)
    )


async def neighborhood(
    reader: aiosqlite.Connection,
    names: NameReader,
    guid: str,
    query: GraphQuery,
    levels: int,
) -> tuple[list[bytes], Relationships]:
    """The entities up to so many relationships away, and those relationships."""
    walk = _Walk(reader, names, query)
    root = await walk.id_of(guid)
    if root is None:
        return [], []
    entities, frontier = {root}, {root}
    used: set[int] = set()
    for _ in range(levels):
        hops = await walk.hops(frontier, only_passing=True)
        used.update(hop.relationship for hop in hops)
        frontier = {hop.far for hop in hops} - entities
        if not frontier:
            break
        entities |= frontier
    return await walk.graph(entities, used)


async def linking(
    reader: aiosqlite.Connection,
    names: NameReader,
    start_guid: str,
    end_guid: str,
    query: GraphQuery,
) -> tuple[list[bytes], Relationships]:
    """The entities and relationships on paths from one entity to another."""
    walk = _Walk(reader, names, query)
    start, end = await walk.id_of(start_guid), await walk.id_of(end_guid)
    if start is None or end is None:
        return [], []
    hops = [] if start == end else await walk.everywhere({start})
    entities = on_simple_paths(((hop.near, hop.far) for hop in hops), start, end)
    used = {
        hop.relationship
        for hop in hops
        if hop.near != hop.far and hop.near in entities and hop.far in entities
    }
    return await walk.graph(entities, used)


async def related(
    reader: aiosqlite.Connection,
    names: NameReader,
    guid: str,
    query: GraphQuery,
    paging: Paging,
) -> list[bytes]:
    """The start and the entities reachable from it, as far as they pass the filters."""
    walk = _Walk(reader, names, query)
    root = await walk.id_of(guid)
    if root is None:
        return []
    reached = {hop.far for hop in await walk.everywhere({root})}
    return await walk.entities(
        reached | {root}, walk.passing, walk.order(paging), limits(paging)
    )


class _Hop(NamedTuple):
    """A relationship that leads from one entity to another; all are ids of rows."""

    near: int
    relationship: int
    far: int


class _Walk:
    """What one walk may use.

    Attributes:
        passing: That an entity, or what is known of it, passes the query's filters.
    """

    def __init__(
        self, reader: aiosqlite.Connection, names: NameReader, query: GraphQuery
    ) -> None:
        self._reader = reader
        self._names = names
        self._criteria = criteria = Criteria(names.id_of, query.as_of_time)
        self._states = states(criteria)
        self._linked = _SQL["linked_then" if criteria.is_past else "linked"]
        tests = [has_status(query.statuses)]
        if query.relationship_type_names is not None:
            tests.append(has_type(criteria, names, query.relationship_type_names))
        self._usable = all_of(tests)
        self.passing = self._passing(query)

    def _passing(self, query: GraphQuery) -> str:
        tests = []
        if query.entity_type_names is not None:
            tests.append(has_type(self._criteria, self._names, query.entity_type_names))
        if query.classification_names is not None:
            tests.append(self._carries(query.classification_names))
        return all_of(tests)

    def _carries(self, classification_names: Collection[str]) -> str:
        """One of the classifications is there."""
        carries = Combined(
            MatchCriteria.ANY, tuple(Classified(name) for name in classification_names)
        )
        names = self._criteria.bind(json.dumps(sorted(classification_names)))
        return _SQL["carries"].format(
            indexed=self._criteria.holds(carries), names=names
        )

    def order(self, paging: Paging) -> str:
        """The order of results."""
        return order_by(self._criteria, self._names, paging)

    async def id_of(self, guid: str) -> int | None:
        """The id of a row, whatever is known of it."""
        rows = await self._rows(_SQL["id"], {"guid": guid})
        return int(rows[0][0]) if rows else None

    async def hops(
        self, near: Collection[int], *, only_passing: bool = False
    ) -> list[_Hop]:
        """Where one more relationship leads.

        Args:
            near: From where.
            only_passing: Whether what is there must pass the filters for entities.
        """
        far = ALWAYS
        if only_passing and self.passing != ALWAYS:
            far = _SQL["far"].format(states=self._states, passing=self.passing)
        sql = _SQL["hops"].format(
            linked=self._linked, states=self._states, usable=self._usable, far=far
        )
        rows = await self._rows(sql, {"near": _listed(near)})
        return [_Hop(*row) for row in rows]

    async def everywhere(self, frontier: set[int]) -> list[_Hop]:
        """All that can be reached from some entities."""
        reached, found = set(frontier), []
        while frontier:
            hops = await self.hops(frontier)
            found += hops
            frontier = {hop.far for hop in hops} - reached
            reached |= frontier
        return found

    async def graph(
        self, entities: Collection[int], relationships: Collection[int]
    ) -> tuple[list[bytes], Relationships]:
        """The documents of all of these."""
        found = await self.relationships("these", {"ids": _listed(relationships)})
        return await self.entities(entities), found

    async def entities(
        self,
        ids: Collection[int],
        passing: str = ALWAYS,
        order: str = "i.id",
        page: str = "",
    ) -> list[bytes]:
        """The documents of those that are known in full."""
        if not ids or passing == NEVER:
            return []
        sql = _SQL["entities"].format(
            states=self._states, passing=passing, order=order, page=page
        )
        statement = documents(self._criteria, Kind.ENTITY, sql)
        rows = await self._rows(statement, {"ids": _listed(ids)})
        return [row[0] for row in rows]

    async def relationships(
        self, name: str, parameters: dict[str, str], order: str = "i.id", page: str = ""
    ) -> Relationships:
        """The documents of relationships, and whether an end was stored later."""
        sql = _SQL[name].format(
            linked=self._linked,
            states=self._states,
            usable=self._usable,
            order=order,
            page=page,
        )
        statement = documents(self._criteria, Kind.RELATIONSHIP, sql)
        rows = await self._rows(statement, parameters)
        return [(document, bool(ends_changed)) for document, ends_changed in rows]

    async def _rows(self, sql: str, parameters: dict[str, str]) -> list[Any]:
        bound = self._criteria.parameters | parameters
        return list(await self._reader.execute_fetchall(sql, bound))


def _listed(ids: Iterable[int]) -> str:
    return json.dumps(sorted(ids))
