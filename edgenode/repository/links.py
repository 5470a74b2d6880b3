"""Which relationships stand at which entities."""

from collections.abc import Iterable

from edgenode.clock import EpochMillis
from edgenode.repository.connections import Connection
from edgenode.repository.statements import load

_SQL = load("links")


def guids_at(connection: Connection, guid: str) -> list[str]:
    """The relationships that stand at an entity now, oldest first."""
    return [row[0] for row in connection.execute(_SQL["at"], (guid,)).fetchall()]


def relink(
    connection: Connection,
    relationship_id: int,
    before: tuple[int, int] | None,
    after: tuple[int, int],
    from_time: EpochMillis,
) -> None:
    """Put a relationship between two entities, in force from ``from_time``."""
    if before == after:
        return
    for position, entity_id in enumerate(before or (), start=1):
        connection.execute(
            _SQL["end"], (from_time, entity_id, relationship_id, position)
        )
    for position, (entity_id, other_id) in enumerate((after, after[::-1]), start=1):
        connection.execute(
            _SQL["add"], (entity_id, relationship_id, position, from_time, other_id)
        )


def unlink_relationship(
    connection: Connection, relationship_id: int, ends: Iterable[int]
) -> None:
    """Forget where a relationship stands and ever stood."""
    for entity_id in ends:
        connection.execute(_SQL["remove"], (entity_id, relationship_id))
        connection.execute(_SQL["forget_end"], {"id": entity_id})


def unlink_entity(connection: Connection, entity_id: int) -> None:
    """Forget the relationships that once stood at an entity and stand elsewhere now."""
    connection.execute(_SQL["remove_others"], {"id": entity_id})
    connection.execute(_SQL["remove_own"], (entity_id,))
