"""Instances as a search sees them: in their state at its time, filtered and in order."""

import json
from collections.abc import Collection

from edgenode.instances.conditions import Paging, SequencingOrder
from edgenode.repository.criteria import NEVER, Criteria
from edgenode.repository.index import HEADER_SCOPE, OWN_SCOPE, Field
from edgenode.repository.instances import Kind
from edgenode.repository.names import NameReader
from edgenode.repository.statements import load
from edgenode.repository.values import Content
from edgenode.typedefs.status import InstanceStatus

_SQL = load("search")

_DESCENDING = frozenset(
    {
        SequencingOrder.CREATION_DATE_RECENT,
        SequencingOrder.LAST_UPDATE_RECENT,
        SequencingOrder.PROPERTY_DESCENDING,
    }
)
_BY_CODE_UNIT = (
    # Only other texts than plain ASCII need Python's help.
    "CASE WHEN typeof({0}) = 'text' AND length({0}) <> length(CAST({0} AS BLOB))"
    " THEN in_code_units({0}) ELSE {0} END"
)
_SORT_HEAD = (
    f"CASE p.shape_id & 7 WHEN {Content.ENUM:d}"
    " THEN (SELECT ordinal FROM shape WHERE id = p.shape_id)"
    f" ELSE {_BY_CODE_UNIT.format('p.head')} END"
)
_SORT_TAIL = (
    f"CASE WHEN p.shape_id & 7 <> {Content.ENUM:d} AND p.head IS NOT NULL"
    f" THEN {_BY_CODE_UNIT.format('p.tail')} END"
)


def states(criteria: Criteria) -> str:
    """All instances, as they were or are at the time of the search."""
    return _SQL["past" if criteria.is_past else "present"]


def documents(criteria: Criteria, kind: Kind, page: str) -> str:
    """The statement that reads the documents of these states, in their order.

    For relationships each row also says whether an end was stored after it.
    """
    name = "documents"
    if kind is Kind.RELATIONSHIP:
        name = "documents_and_no_ends" if criteria.is_past else "documents_and_ends"
    return _SQL[name].replace(":page", page)


def has_status(statuses: Collection[InstanceStatus] | None) -> str:
    """The state is one of these; without any, all but deleted ones."""
    if statuses is None:
        return f"i.status <> {InstanceStatus.DELETED.value}"
    values = ", ".join(str(status.value) for status in statuses)
    return f"i.status IN ({values})"


def has_type(criteria: Criteria, names: NameReader, wanted: Collection[str]) -> str:
    """The type is one of these."""
    ids = sorted(filter(None, map(names.id_of, wanted)))
    if not ids:
        return NEVER
    if len(ids) == 1:
        return f"i.type_id = {ids[0]}"
    listed = criteria.bind(json.dumps(ids))
    return f"i.type_id IN (SELECT value FROM json_each({listed}))"


def limits(paging: Paging) -> str:
    """The part of the results that is wanted."""
    return f"LIMIT {paging.page_size or -1} OFFSET {paging.offset}"


def order_needs_index(paging: Paging) -> bool:
    """Whether an order looks at what the index alone has, now or in the past."""
    return paging.sequencing_order not in {SequencingOrder.ANY, SequencingOrder.GUID}


def order_by(criteria: Criteria, names: NameReader, paging: Paging) -> str:
    """The order of ``i``; what it doesn't tell apart is in the order of GUIDs.

    That is the same in every store, so that pages of several members fit together.
    """
    order = paging.sequencing_order
    place: tuple[int, int]
    current = ""  # the column of the instance's own row, which has its times of now
    match order:
        case SequencingOrder.ANY:
            return "i.id"
        case SequencingOrder.GUID:
            return "i.guid"
        case (
            SequencingOrder.CREATION_DATE_RECENT | SequencingOrder.CREATION_DATE_OLDEST
        ):
            current, place = "create_time", (HEADER_SCOPE, Field.CREATE_TIME)
        case SequencingOrder.LAST_UPDATE_RECENT | SequencingOrder.LAST_UPDATE_OLDEST:
            current, place = "update_time", (HEADER_SCOPE, Field.UPDATE_TIME)
        case _:
            key = names.id_of(paging.sequencing_property or "")
            if key is None:
                return "i.guid"
            place = OWN_SCOPE, key
    direction = "DESC" if order in _DESCENDING else "ASC"
    if current and not criteria.is_past:
        return f"i.{current} {direction}, i.guid"
    keys = (_content(criteria, place, column) for column in (_SORT_HEAD, _SORT_TAIL))
    return ", ".join((*(f"{key} {direction}" for key in keys), "i.guid"))


def _content(criteria: Criteria, place: tuple[int, int], column: str) -> str:
    """What stands in a place of ``i``, NULL where nothing does."""
    scope, key = place
    found = [
        f"(SELECT {column} FROM property p WHERE p.instance_id = i.id AND {span}"
        f" AND p.scope_id = {scope:d} AND p.key_id = {key:d})"
        for span in criteria.spans()
    ]
    return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"
