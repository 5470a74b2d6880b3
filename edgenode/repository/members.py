"""The other members of the cohort: who they are, and how far their events are applied.

What they say of themselves is stored as it is; the cohort reads it.
"""

from collections.abc import Mapping

from edgenode.events.streams import Position
from edgenode.repository.base import MemberRow
from edgenode.repository.connections import Connection
from edgenode.repository.statements import load

_SQL = load("members")


def position(connection: Connection, origin: str) -> Position | None:
    """How far the events of a member are applied here; None where none is."""
    row = connection.execute(_SQL["position"], (origin,)).fetchone()
    return None if row is None else Position(*row)


def positions(connection: Connection) -> Mapping[str, Position]:
    """How far the events of every member are applied, by its id."""
    rows = connection.execute(_SQL["positions"]).fetchall()
    return {origin: Position(*place) for origin, *place in rows}


def move_to(connection: Connection, origin: str, place: Position) -> None:
    """Remember that the events of a member are applied up to a place."""
    connection.execute(_SQL["move_to"], (origin, place.incarnation, place.sequence))


def save(connection: Connection, row: MemberRow) -> None:
    """Store how a member announced itself."""
    connection.execute(_SQL["save"], row)


def remove(connection: Connection, collection_id: str) -> None:
    """Forget a member, and how far its events are applied.

    That it was one is remembered; see ``remember_origin``.
    """
    connection.execute(_SQL["remove"], (collection_id,))
    connection.execute(_SQL["forget_position"], (collection_id,))
    remember_origin(connection, collection_id)


def remember_origin(connection: Connection, collection_id: str) -> None:
    """Remember that a metadata collection was a member's: nobody else tells of its own.

    It is, if anything was ever stored that names it.
    """
    connection.execute(_SQL["remember_origin"], (collection_id,))


def was_member(connection: Connection, collection_id: str) -> bool:
    """Whether a metadata collection is a member's, or was one's."""
    row = connection.execute(_SQL["was_member"], {"id": collection_id}).fetchone()
    return bool(row[0])


def forget_members(connection: Connection) -> None:
    """Forget all members, but not how far their events are applied."""
    connection.execute(_SQL["forget_members"])


def awaits_others(connection: Connection) -> bool:
    """Whether the store was put back, and others may hold newer states of its own."""
    return bool(connection.execute(_SQL["awaits_others"]).fetchone()[0])


def cohort(connection: Connection) -> str | None:
    """Of which cohort the members are; None where that isn't known."""
    row = connection.execute(_SQL["cohort"]).fetchone()
    return None if row[0] is None else str(row[0])


def enter(connection: Connection, cohort_id: str, *, adopts: bool) -> None:
    """Forget the members of another cohort, and that this server was one of them."""
    before = cohort(connection)
    if before == cohort_id:
        return
    if before is not None or not adopts:
        for row in stored(connection):
            remove(connection, row.collection_id)
        connection.execute(_SQL["forget_registration"])
    connection.execute(_SQL["set_cohort"], (cohort_id,))


def forget_cohort(connection: Connection) -> None:
    """Let the members be of the cohort in which the store is used next."""
    connection.execute(_SQL["set_cohort"], (None,))


def stored(connection: Connection) -> list[MemberRow]:
    """All members, in the order of their ids."""
    return [
        MemberRow(collection_id, node_id, revision, bool(is_registered), document)
        for collection_id, node_id, revision, is_registered, document in (
            connection.execute(_SQL["all"]).fetchall()
        )
    ]


def save_local_registration(connection: Connection, document: bytes) -> None:
    """Store what this server itself is registered as."""
    connection.execute(_SQL["save_local_registration"], (document,))


def local_registration(connection: Connection) -> bytes | None:
    """What this server itself is registered as; None before it ever was."""
    row = connection.execute(_SQL["local_registration"]).fetchone()
    return None if row is None else bytes(row[0])
