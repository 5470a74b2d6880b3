"""The versions of an instance."""

from edgenode.instances.conditions import HistorySequencingOrder
from edgenode.limits import FEW_VERSIONS
from edgenode.repository.base import HistoryRange
from edgenode.repository.database import Database
from edgenode.repository.instances import Kind
from edgenode.repository.statements import load

_SQL = load("history")


async def versions(
    database: Database, guid: str, kind: Kind, span: HistoryRange
) -> list[bytes]:
    """One document for each version of an instance: the last of its states in the range."""
    sql = _SQL["versions"]
    parameters = {
        "guid": guid,
        "kind": int(kind),
        "from_time": span.from_time,
        "to_time": span.to_time,
        "offset": span.offset,
        "page_size": span.page_size or -1,  # without a limit
        "backwards": span.order is HistorySequencingOrder.BACKWARDS,
    }
    (count,) = database.row(_SQL["count"], (guid, FEW_VERSIONS))
    if count < FEW_VERSIONS:
        rows = database.rows(sql, parameters)
    else:
        async with database.reading(indexed=False) as reader:
            rows = list(await reader.execute_fetchall(sql, parameters))
    return [row[0] for row in rows]
