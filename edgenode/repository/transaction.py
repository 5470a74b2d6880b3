"""One change's view of the repository."""

from collections import Counter
from collections.abc import Iterator
from typing import TypeVar

from edgenode.clock import EpochMillis
from edgenode.errors import InvalidInstanceError
from edgenode.events.model import InstanceEvent, TypeDefEvent
from edgenode.events.streams import Position
from edgenode.instances.digests import held
from edgenode.instances.document import Document
from edgenode.instances.model import EntityDetail, EntityProxy, Relationship
from edgenode.repository import digests, links, members, outbox, typedefs
from edgenode.repository.backlog import Indexed, Removed
from edgenode.repository.base import MemberRow, StoredEntity, StoredRelationship
from edgenode.repository.connections import Connection
from edgenode.repository.instances import (
    SQL,
    Instance,
    Kind,
    State,
    read_state,
    write_state,
)
from edgenode.repository.kafka_cohort import KafkaCohortChange
from edgenode.repository.outbox import QueuedEvent
from edgenode.repository.statements import load
from edgenode.repository.writing import Writing
from edgenode.typedefs.attributes import AttributeTypeDef
from edgenode.typedefs.model import TypeDef
from edgenode.typedefs.status import InstanceStatus

T = TypeVar("T")


class SqliteTransaction:
    """Reads and writes inside the writer's transaction; used by one change only.

    Attributes:
        effects: What the index must follow once the change is committed.
        counts: How many instances there are more, or fewer, by type name.
        events: The events that were queued, with the bytes each has as text.
        event_bytes: How much the events took beyond the states they refer to.
    """

    def __init__(self, connection: Connection, writing: Writing) -> None:
        self._connection = connection
        self._writing = writing
        self._codec = writing.codec
        self._states: dict[str, State | None] = {}
        self._seen: dict[str, list[State]] = {}
        self.effects: list[Indexed | Removed] = []
        self.counts: Counter[str] = Counter()
        self.events: list[tuple[QueuedEvent, int]] = []
        self.event_bytes = 0

    # reading

    def entity(self, guid: str) -> StoredEntity | None:
        """The entity's current state, deleted or not, proxy or full."""
        state = self._state(guid)
        return None if state is None else state.entity

    def relationship(self, guid: str) -> StoredRelationship | None:
        """The relationship's current state, deleted or not."""
        state = self._state(guid)
        return None if state is None else state.relationship

    def began(self, guid: str) -> EpochMillis | None:
        """When the instance's current state came into force; None where there is none."""
        state = self._state(guid)
        return None if state is None else state.from_time

    def previous_entity(self, guid: str) -> EntityDetail | None:
        """The newest stored state whose version is lower than the current one."""
        return self._previous(guid, Kind.ENTITY, EntityDetail)

    def previous_relationship(self, guid: str) -> Relationship | None:
        """The newest stored state whose version is lower than the current one."""
        return self._previous(guid, Kind.RELATIONSHIP, Relationship)

    def relationships_of(self, guid: str) -> Iterator[StoredRelationship]:
        """All current relationships with this entity at either end, deleted ones too."""
        for relationship_guid in links.guids_at(self._connection, guid):
            relationship = self.relationship(relationship_guid)
            if relationship is not None:
                yield relationship

    # writing

    def save_entity(
        self, entity: EntityDetail, at: EpochMillis
    ) -> Document[EntityDetail]:
        """Store a new state of an entity, in force from ``at``; earlier ones stay as history.

        Raises:
            InvalidInstanceError: The GUID is missing, or a relationship's.
        """
        return self._save(entity, Kind.ENTITY, at).document

    def save_proxy(self, proxy: EntityProxy, at: EpochMillis) -> None:
        """Store a proxy; where the full entity is known nothing changes.

        Raises:
            InvalidInstanceError: The GUID is missing, or a relationship's.
        """
        before = self._state(_guid(proxy))
        if before is not None:
            if before.kind is Kind.ENTITY:
                return
            if before.kind is Kind.PROXY and before.document.value == proxy:
                return
        self._save(proxy, Kind.PROXY, at)

    def save_relationship(
        self, relationship: Relationship, at: EpochMillis
    ) -> Document[Relationship]:
        """Store a new state of a relationship, in force from ``at``.

        Raises:
            InvalidInstanceError: The GUID is missing, or an entity's; or an end has none.
        """
        before = self._state(_guid(relationship))
        ends = self._ends(relationship)
        state = self._save(relationship, Kind.RELATIONSHIP, at, ends)
        links.relink(
            self._connection,
            state.instance_id,
            None if before is None else before.ends,
            ends,
            state.from_time,
        )
        return state.document

    def purge_entity(self, guid: str) -> None:
        """Remove an entity, its history and the relationships at it."""
        state = self._state(guid)
        if state is None or state.kind is Kind.RELATIONSHIP:
            return
        for relationship_guid in links.guids_at(self._connection, guid):
            self.purge_relationship(relationship_guid)
        links.unlink_entity(self._connection, state.instance_id)
        self._purge(guid, state)

    def purge_relationship(self, guid: str) -> None:
        """Remove a relationship and its history."""
        state = self._state(guid)
        if state is None or state.ends is None:
            return
        former = self._connection.execute(SQL["documents"], (state.instance_id,))
        ends = set(state.ends).union(
            *(
                self._ends(self._codec.decode(Relationship, text))
                for (text,) in former.fetchall()
            )
        )
        links.unlink_relationship(self._connection, state.instance_id, ends)
        self._purge(guid, state)

    # types and events

    def save_type(self, type_def: TypeDef | AttributeTypeDef) -> None:
        """Store a type definition, replacing the one with its GUID."""
        typedefs.save_type(self._connection, self._codec, type_def)

    def remove_type(self, guid: str) -> None:
        """Forget a stored type definition."""
        typedefs.remove_type(self._connection, guid)

    def types_bytes(self) -> int:
        """The JSON of all stored type definitions, in bytes."""
        return typedefs.types_bytes(self._connection)

    def is_type_used(self, type_name: str) -> bool:
        """Whether any instance or classification of the type, deleted or not, is stored."""
        type_id = self._writing.names.id_of(self._connection, type_name)
        used = self._connection.execute(SQL["is_type_used"], (type_id,)).fetchone()[0]
        return bool(used) or self._is_classification_used(type_name)

    def queue_event(
        self, event: InstanceEvent | TypeDefEvent, origin: str | None = None
    ) -> None:
        """Put an event in the outbox, to be sent after this change is committed.

        Args:
            event: The event.
            origin: The member whose event is passed on; None for one of our own.
        """
        if not self._writing.keeps_events:
            return
        queued = QueuedEvent(
            self._writing.next_sequence(),
            self._writing.clock.now(),
            event,
            origin=origin,
        )
        size = outbox.queue(self._connection, self._codec, queued, self._stored)
        self.events.append((queued, sum(size)))
        self.event_bytes += size.own

    # the cohort

    def position(self, origin: str) -> Position | None:
        """How far the events of a member are applied here; None where none is."""
        return members.position(self._connection, origin)

    def move_to(self, origin: str, position: Position) -> None:
        """The events of a member are applied up to here, with this change."""
        members.move_to(self._connection, origin, position)

    def was_member(self, collection_id: str) -> bool:
        """Whether a metadata collection is another member's, or was one's."""
        return members.was_member(self._connection, collection_id)

    def save_member(self, row: MemberRow) -> None:
        """Store how a member announced itself, in place of what was known."""
        members.save(self._connection, row)

    def remove_member(self, collection_id: str) -> None:
        """Forget a member, and how far its events are applied."""
        members.remove(self._connection, collection_id)

    def enter_cohort(self, cohort_id: str, *, adopts: bool) -> None:
        """Forget the members of another cohort."""
        members.enter(self._connection, cohort_id, adopts=adopts)

    @property
    def kafka_cohort(self) -> KafkaCohortChange:
        """What is remembered of a cohort over Kafka."""
        return KafkaCohortChange(self._connection)

    def save_local_registration(self, document: bytes) -> None:
        """Store what this server itself is registered as."""
        members.save_local_registration(self._connection, document)

    def metadata_collection_id(self, new: str) -> str:
        """The id of the collection this file holds, which is the given one if new."""
        statements = load("store")
        row = self._connection.execute(statements["collection_id"]).fetchone()
        if row[0] is None:
            self._connection.execute(statements["set_collection_id"], (new,))
            return new
        return str(row[0])

    # how

    def _state(self, guid: str) -> State | None:
        if guid not in self._states:
            row = self._connection.execute(SQL["state"], (guid,)).fetchone()
            state = read_state(row, self._text_of, self._codec)
            self._states[guid] = state
            if state is not None:
                self._seen.setdefault(guid, []).append(state)
        return self._states[guid]

    def _text_of(self, name_id: int) -> str:
        return self._writing.names.text_of(self._connection, name_id)

    def _save(
        self,
        instance: Instance,
        kind: Kind,
        at: EpochMillis,
        ends: tuple[int, int] | None = None,
    ) -> State:
        guid = _guid(instance)
        before = self._state(guid)
        if before is not None and not _may_follow(before.kind, kind):
            raise InvalidInstanceError(f"save {kind.name.lower()}", guid)
        instance_id, is_new = self._instance_id(guid, before)
        state = State(
            instance_id,
            self._writing.next_seq(),
            kind,
            _type_name(instance),
            instance.status or InstanceStatus.UNKNOWN,
            instance.version,
            instance.metadata_collection_id or "",
            at if before is None else max(at, before.from_time),
            self._codec.document(instance),
            ends,
        )
        names = self._writing.names
        what = held(instance)
        write_state(
            self._connection,
            state,
            before,
            type_id=names.id_of(self._connection, state.type_name),
            home_id=names.id_of(self._connection, state.metadata_collection_id),
            counted=digests.columns(self._connection, names, what),
            is_new=is_new,
        )
        if not is_new:
            digests.remove_classifications(self._connection, instance_id)
        digests.save_classifications(self._connection, names, instance_id, what)
        if not isinstance(instance, EntityProxy):
            self._writing.index.name(self._connection, instance)
        self._index(state, before)
        if before is not None:
            self._count(before, -1)
        self._count(state, 1)
        self._remember(guid, state)
        return state

    def _instance_id(self, guid: str, before: State | None) -> tuple[int, bool]:
        """The instance's id, and whether its row is still to be made."""
        if before is not None:
            return before.instance_id, False
        row = self._connection.execute(SQL["id"], (guid,)).fetchone()
        return (self._writing.next_id(), True) if row is None else (row[0], False)

    def _ends(self, relationship: Relationship) -> tuple[int, int]:
        one, two = (
            self._end(relationship, proxy)
            for proxy in (relationship.entity_one_proxy, relationship.entity_two_proxy)
        )
        return one, two

    def _end(self, relationship: Relationship, proxy: EntityProxy | None) -> int:
        """The id of an end; its GUID is stored if nothing is known of it yet."""
        if proxy is None or proxy.guid is None:
            raise InvalidInstanceError("save relationship", relationship.guid)
        instance_id, is_new = self._instance_id(proxy.guid, self._state(proxy.guid))
        if is_new:
            self._connection.execute(SQL["add_known"], (instance_id, proxy.guid))
        return instance_id

    def _index(self, state: State, before: State | None) -> None:
        is_full = state.kind is not Kind.PROXY
        follows = is_full and before is not None and before.kind is state.kind
        self.effects.append(
            Indexed(
                state.seq,
                state.instance_id,
                state.from_time,
                before.document if before is not None and follows else None,
                state.document if is_full else None,
            )
        )

    def _count(self, state: State, difference: int) -> None:
        if state.kind is Kind.PROXY or state.status is InstanceStatus.DELETED:
            return
        self.counts[state.type_name] += difference

    def _remember(self, guid: str, state: State) -> None:
        if state.kind is not Kind.RELATIONSHIP:
            # Relationships read before may have it as their end.
            self._states = {
                guid: other
                for guid, other in self._states.items()
                if other is None or other.kind is not Kind.RELATIONSHIP
            }
        self._states[guid] = state
        self._seen.setdefault(guid, []).append(state)

    def _previous(self, guid: str, kind: Kind, cls: type[T]) -> T | None:
        state = self._state(guid)
        if state is None or state.kind is not kind:
            return None
        row = self._connection.execute(
            SQL["previous"],
            {"id": state.instance_id, "version": state.version, "kind": int(kind)},
        ).fetchone()
        return None if row is None else self._codec.decode(cls, row[0])

    def _purge(self, guid: str, state: State) -> None:
        self._connection.execute(SQL["purge_instance"], (state.instance_id,))
        digests.remove_classifications(self._connection, state.instance_id)
        self._writing.backlog.remove(self._connection, state.instance_id, state.seq)
        self.effects.append(Removed(state.instance_id))
        self._count(state, -1)
        self._states[guid] = None
        self._seen.pop(guid, None)

    def _stored(self, instance: Instance) -> State | None:
        """The stored state that is equal to an instance, among those this change saw."""
        guid = _guid(instance)
        self._state(guid)
        for state in reversed(self._seen.get(guid, [])):
            if state.version == instance.version and state.document.value == instance:
                return state
        return None

    def _is_classification_used(self, name: str) -> bool:
        """Whether an entity has it: in the index, or stored since that was written."""
        if self._writing.index.is_classification_used(self._connection, name):
            return True
        rows = self._connection.execute(SQL["documents_behind_mark"]).fetchall()
        return any(
            classification.name == name
            for (text,) in rows
            for classification in self._codec.decode(EntityDetail, text).classifications
            or ()
        )


def _guid(instance: Instance) -> str:
    if instance.guid is None:
        raise InvalidInstanceError("save", type(instance).__name__)
    return instance.guid


def _type_name(instance: Instance) -> str:
    return (instance.type and instance.type.type_def_name) or ""


def _may_follow(before: Kind, kind: Kind) -> bool:
    """An entity may follow a proxy; otherwise the kind of a GUID stays."""
    return before is kind or (before is Kind.PROXY and kind is Kind.ENTITY)
