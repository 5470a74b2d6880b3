"""Rows of ``instance`` and ``version``: the states of entities, proxies and relationships."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from edgenode.clock import EpochMillis
from edgenode.codec.codec import Codec
from edgenode.instances.document import Document
from edgenode.instances.model import EntityDetail, EntityProxy, Relationship
from edgenode.repository.base import StoredEntity, StoredRelationship
from edgenode.repository.connections import Connection
from edgenode.repository.statements import load
from edgenode.typedefs.status import InstanceStatus

SQL = load("instances")

Instance = EntityDetail | EntityProxy | Relationship


class Kind(IntEnum):
    """What an instance is stored as."""

    KNOWN = 0
    """Relationships mention its GUID; there is no state of it."""
    ENTITY = 1
    PROXY = 2
    RELATIONSHIP = 3


BEANS: dict[Kind, type[Instance]] = {
    Kind.ENTITY: EntityDetail,
    Kind.PROXY: EntityProxy,
    Kind.RELATIONSHIP: Relationship,
}


@dataclass(frozen=True, slots=True)
class State:
    """One stored state of an instance."""

    instance_id: int
    seq: int
    kind: Kind
    type_name: str
    status: InstanceStatus
    version: int
    metadata_collection_id: str
    from_time: EpochMillis
    document: Document[Any]
    ends: tuple[int, int] | None = None
    """The instances at the ends of a relationship; states of former times have none."""

    @property
    def entity(self) -> StoredEntity | None:
        """The state as of an entity; None for a relationship."""
        if self.kind is Kind.RELATIONSHIP:
            return None
        return StoredEntity(
            self.document,
            self.kind is Kind.PROXY,
            self.type_name,
            self.status,
            self.metadata_collection_id,
        )

    @property
    def relationship(self) -> StoredRelationship | None:
        """The state as of a relationship; None for an entity."""
        if self.kind is not Kind.RELATIONSHIP:
            return None
        return StoredRelationship(
            self.document, self.type_name, self.status, self.metadata_collection_id
        )


def read_state(row: Any, text_of: Callable[[int], str], codec: Codec) -> State | None:
    """The state in a row of ``state`` or ``state_as_of``."""
    if row is None:
        return None
    instance_id, seq, kind, type_id, status, version, home_id, from_time = row[:8]
    end1_id, end2_id, ends_changed, text = row[8:]
    kind = Kind(kind)
    return State(
        instance_id,
        seq,
        kind,
        text_of(type_id),
        InstanceStatus(status),
        version,
        text_of(home_id),
        from_time,
        codec.stored_document(BEANS[kind], text, ends_changed=bool(ends_changed)),
        None if end1_id is None else (end1_id, end2_id),
    )


def write_state(
    connection: Connection,
    state: State,
    before: State | None,
    *,
    type_id: int,
    home_id: int,
    counted: tuple[int, int, int],
    is_new: bool,
) -> None:
    """Store a state and make it the current one.

    Args:
        connection: The writer's, inside a transaction.
        state: The new state.
        before: The current one until now, None where there is none.
        type_id: The name of the state's type.
        home_id: The name of its metadata collection.
        counted: Its owner, digest and bucket (``digests.columns``).
        is_new: Whether ``instance`` has no row of it yet.
    """
    bean = state.document.value
    if before is not None:
        connection.execute(
            SQL["supersede"], (before.instance_id, before.from_time, before.seq)
        )
    header = (
        int(state.kind),
        type_id,
        state.status.value,
        state.version,
        home_id,
    )
    connection.execute(
        SQL["add_version"],
        (
            state.seq,
            state.instance_id,
            *header,
            state.from_time,
            state.document.json,
        ),
    )
    current = (
        *header,
        *(state.ends or (None, None)),
        bean.create_time,
        bean.update_time,
        state.from_time,
        state.seq,
        *counted,
    )
    if is_new:
        connection.execute(SQL["add"], (*current, bean.guid, state.instance_id))
    else:
        connection.execute(SQL["replace"], (*current, state.instance_id))
