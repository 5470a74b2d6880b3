"""What members compare: sums over what is stored, by owner, type and bucket.

Each state is saved with what it counts for (``instances.digests``), in columns of its
own; there is no index over them, which would cost every change a page. A comparison is
rare and goes through all rows, in a thread for long reads.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import aiosqlite

from edgenode.codec.codec import Codec
from edgenode.codec.json import dumps, loads
from edgenode.events.streams import Sum
from edgenode.instances.digests import SUM_MODULUS, Held, held
from edgenode.repository.base import StoredDocument
from edgenode.repository.connections import Connection
from edgenode.repository.instances import BEANS, Kind
from edgenode.repository.names import Names
from edgenode.repository.statements import load

_SQL = load("digests")

_FILLED_AT_A_TIME = 500

_CLASSIFICATION = "#"
"""What the groups of classifications begin with."""


class Columns(NamedTuple):
    """What a row of ``instance`` has of ``Held``."""

    owner_id: int
    digest: int
    bucket: int


def columns(connection: Connection, names: Names, what: Held) -> Columns:
    """What to store in the row of an instance; a proxy has no owner there."""
    if what.digest is None:
        return Columns(0, 0, what.bucket)
    return Columns(names.id_of(connection, what.owner), what.digest, what.bucket)


def save_classifications(
    connection: Connection, names: Names, instance_id: int, what: Held
) -> None:
    """Store what the classifications of other owners count for, which are new there."""
    for (owner, name), digest in what.others.items():
        owner_id = names.id_of(connection, owner)
        name_id = names.id_of(connection, name)
        row = (instance_id, owner_id, name_id, digest, what.bucket)
        connection.execute(_SQL["add_classification"], row)


def remove_classifications(connection: Connection, instance_id: int) -> None:
    """Forget what the classifications of other owners counted for."""
    connection.execute(_SQL["remove_classifications"], (instance_id,))


def fill(connection: Connection, codec: Codec) -> None:
    """Store what everything counts for that was stored before it was counted."""
    names = Names()
    last = 0
    while rows := connection.execute(
        _SQL["unfilled"], (last, _FILLED_AT_A_TIME)
    ).fetchall():
        for instance_id, kind, text in rows:
            what = held(codec.from_object(BEANS[Kind(kind)], _header(text)))
            connection.execute(
                _SQL["replace"], (*columns(connection, names, what), instance_id)
            )
            save_classifications(connection, names, instance_id, what)
        last = rows[-1][0]


def _header(text: bytes) -> Any:
    """A stored document without what doesn't count, which is most of it."""
    document = loads(text)
    for part in (document, *document.get("classifications", ())):
        for name in (
            "properties",
            "uniqueProperties",
            "entityOneProxy",
            "entityTwoProxy",
        ):
            part.pop(name, None)
    return document


async def group_sums(reader: aiosqlite.Connection, owner: str) -> dict[str, Sum]:
    """The sums of what an owner answers for, by type, or ``#`` and classification."""
    rows = await reader.execute_fetchall(_SQL["group_sums"], {"owner": owner})
    return _sums(rows)


async def bucket_sums(
    reader: aiosqlite.Connection, owner: str, group: str
) -> dict[int, Sum]:
    """The same within a group, by bucket."""
    sql, parameters = _within("bucket_sums", owner, group)
    return _sums(await reader.execute_fetchall(sql, parameters))


async def bucket_items(
    reader: aiosqlite.Connection, owner: str, group: str, buckets: Sequence[int]
) -> dict[str, int]:
    """The digest of each thing in some buckets, by the GUID of its instance."""
    sql, parameters = _within("bucket_items", owner, group)
    parameters["buckets"] = dumps(list(buckets)).decode()
    rows = await reader.execute_fetchall(sql, parameters)
    return {row[0]: row[1] for row in rows}


async def owners(reader: aiosqlite.Connection) -> set[str]:
    """Everybody who answers for something that is stored."""
    return {row[0] for row in await reader.execute_fetchall(_SQL["owners"])}


async def documents(
    reader: aiosqlite.Connection, guids: Sequence[str]
) -> list[StoredDocument]:
    """The current states of some instances; those that aren't stored are missing."""
    rows = await reader.execute_fetchall(
        _SQL["documents"], (dumps(list(guids)).decode(),)
    )
    return [
        StoredDocument(row[0], BEANS[Kind(row[1])].__name__, row[2]) for row in rows
    ]


def _within(statement: str, owner: str, group: str) -> tuple[str, dict[str, str]]:
    name = group.removeprefix(_CLASSIFICATION)
    if name != group:
        statement += "_of_classifications"
    return _SQL[statement], {"owner": owner, "name": name}


def _sums(rows: Iterable[Any]) -> dict[Any, Sum]:
    return {key: Sum(count, total % SUM_MODULUS) for key, count, total in rows}
