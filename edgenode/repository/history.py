"""The versions of an instance."""

import aiosqlite

from edgenode.instances.conditions import HistorySequencingOrder
from edgenode.repository.base import HistoryRange
from edgenode.repository.instances import Kind
from edgenode.repository.statements import load

_SQL = load("history")


async def versions(
    reader: aiosqlite.Connection, guid: str, kind: Kind, span: HistoryRange
) -> list[bytes]:
    """One document for each version of an instance: the last of its states in the range."""
    rows = await reader.execute_fetchall(
        _SQL["versions"],
        {
            "guid": guid,
            "kind": int(kind),
            "from_time": span.from_time,
            "to_time": span.to_time,
            "offset": span.offset,
            "page_size": span.page_size or -1,  # without a limit
            "backwards": span.order is HistorySequencingOrder.BACKWARDS,
        },
    )
    return [row[0] for row in rows]
