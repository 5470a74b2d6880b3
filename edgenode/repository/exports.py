"""Everything that is stored, page by page, as it was at one moment.

A page is a short read of its own, so that an export of whatever length does not keep
the write-ahead log from being emptied. States are numbered in the order of storing; those
that came behind the number at which the export began are passed over.
"""

import aiosqlite

from edgenode.instances.model import EntityDetail, EntityProxy, Relationship
from edgenode.repository.instances import Kind
from edgenode.repository.statements import load

_SQL = load("exports")
_KINDS: dict[type, Kind] = {
    EntityDetail: Kind.ENTITY,
    EntityProxy: Kind.PROXY,
    Relationship: Kind.RELATIONSHIP,
}


async def newest_state(reader: aiosqlite.Connection) -> int:
    """The number of the newest state."""
    ((newest,),) = await reader.execute_fetchall(_SQL["newest_state"])
    return int(newest)


async def states_until(
    reader: aiosqlite.Connection, kind: type, newest: int, after_guid: str, limit: int
) -> list[tuple[bytes, bool]]:
    """Documents in the order of GUIDs, and whether an end was stored after them."""
    rows = await reader.execute_fetchall(
        _SQL["states_until"],
        {
            "kind": int(_KINDS[kind]),
            "relationship": int(Kind.RELATIONSHIP),
            "newest": newest,
            "after_guid": after_guid,
            "limit": limit,
        },
    )
    return [(row[0], bool(row[1])) for row in rows]
