"""What the metadata collection needs from storage.

Changes run as functions on a ``Transaction``, one after the other, in the writer's
thread; everything that waits is committed as one group, and a change is acknowledged
only after the commit is on the disk. A change that raises is undone alone. Point
reads are synchronous and quick enough for the event loop; everything longer is
awaited and runs off it.

A relationship is stored with proxies of its ends as they are then. Whoever reads it as
it is now, from a transaction or a search, gets a document that says by ``ends_changed``
whether an end (a full entity or a proxy) was stored after it; a state asked for as of a
time, or from the history, stays as it was stored.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

from edgenode.clock import EpochMillis
from edgenode.events.model import InstanceEvent, TypeDefEvent
from edgenode.events.streams import Position, Sum
from edgenode.instances.conditions import (
    HistorySequencingOrder,
    InstanceQuery,
    Paging,
)
from edgenode.instances.document import Document
from edgenode.instances.model import EntityDetail, EntityProxy, Relationship
from edgenode.typedefs.attributes import AttributeTypeDef
from edgenode.typedefs.model import TypeDef
from edgenode.typedefs.status import InstanceStatus

T = TypeVar("T")
Instance = TypeVar("Instance", EntityDetail, EntityProxy, Relationship)


@dataclass(frozen=True, slots=True)
class StoredEntity:
    """An entity as stored; ``is_proxy`` says that only a proxy of it is known."""

    document: Document[EntityDetail] | Document[EntityProxy]
    is_proxy: bool
    type_name: str
    status: InstanceStatus
    metadata_collection_id: str


@dataclass(frozen=True, slots=True)
class StoredRelationship:
    """A relationship as stored."""

    document: Document[Relationship]
    type_name: str
    status: InstanceStatus
    metadata_collection_id: str


@dataclass(frozen=True, slots=True)
class HistoryRange:
    """Which versions: those in force between the two times, both inclusive; None is open."""

    from_time: EpochMillis | None = None
    to_time: EpochMillis | None = None
    offset: int = 0
    page_size: int = 0
    order: HistorySequencingOrder = HistorySequencingOrder.BACKWARDS


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQuery:
    """Which relationships and entities a walk over the graph may use.

    ``entity_type_names`` and ``relationship_type_names`` include subtypes already;
    None means all. ``statuses`` None means every state but DELETED. An entity
    qualifies with at least one of ``classification_names``; None means no filter.
    """

    entity_type_names: frozenset[str] | None = None
    relationship_type_names: frozenset[str] | None = None
    statuses: frozenset[InstanceStatus] | None = None
    classification_names: frozenset[str] | None = None
    as_of_time: EpochMillis | None = None


@dataclass(frozen=True, slots=True)
class Graph:
    """The entities and relationships that a walk found."""

    entities: list[Document[EntityDetail]]
    relationships: list[Document[Relationship]]


class StoredDocument(NamedTuple):
    """An instance's current state as other members are sent it.

    Attributes:
        guid: The instance's.
        kind: The bean's class name: EntityDetail, EntityProxy or Relationship.
        json: The document.
    """

    guid: str
    kind: str
    json: bytes


class MemberRow(NamedTuple):
    """A member of the cohort as stored; ``document`` is what it announced, all of it."""

    collection_id: str
    node_id: str
    revision: int
    is_registered: bool
    document: bytes


class Transaction(Protocol):
    """One change's view of the repository: reads see what it and its group wrote."""

    def entity(self, guid: str) -> StoredEntity | None:
        """The entity's current state, deleted or not, proxy or full."""
        ...

    def relationship(self, guid: str) -> StoredRelationship | None:
        """The relationship's current state, deleted or not."""
        ...

    def began(self, guid: str) -> EpochMillis | None:
        """When the instance's current state came into force; None where there is none."""
        ...

    def previous_entity(self, guid: str) -> EntityDetail | None:
        """The newest stored state whose version is lower than the current one."""
        ...

    def previous_relationship(self, guid: str) -> Relationship | None:
        """The newest stored state whose version is lower than the current one."""
        ...

    def relationships_of(self, guid: str) -> Iterator[StoredRelationship]:
        """All current relationships with this entity at either end, deleted ones too."""
        ...

    def save_entity(
        self, entity: EntityDetail, at: EpochMillis
    ) -> Document[EntityDetail]:
        """Store a new state of an entity, in force from ``at``; earlier ones stay as history."""
        ...

    def save_proxy(self, proxy: EntityProxy, at: EpochMillis) -> None:
        """Store a proxy; where the full entity is known nothing changes."""
        ...

    def save_relationship(
        self, relationship: Relationship, at: EpochMillis
    ) -> Document[Relationship]:
        """Store a new state of a relationship, in force from ``at``."""
        ...

    def purge_entity(self, guid: str) -> None:
        """Remove an entity, its history and the relationships at it."""
        ...

    def purge_relationship(self, guid: str) -> None:
        """Remove a relationship and its history."""
        ...

    def save_type(self, type_def: TypeDef | AttributeTypeDef) -> None:
        """Store a type definition, replacing the one with its GUID."""
        ...

    def remove_type(self, guid: str) -> None:
        """Forget a stored type definition."""
        ...

    def types_bytes(self) -> int:
        """The JSON of all stored type definitions, in bytes."""
        ...

    def is_type_used(self, type_name: str) -> bool:
        """Whether any instance or classification of the type, deleted or not, is stored."""
        ...

    def queue_event(
        self, event: InstanceEvent | TypeDefEvent, origin: str | None = None
    ) -> None:
        """Put an event in the outbox, to be sent after this change is committed.

        Args:
            event: The event.
            origin: The member whose event is passed on; None for one of our own.
        """
        ...

    def position(self, origin: str) -> Position | None:
        """How far the events of a member are applied here; None where none is."""
        ...

    def move_to(self, origin: str, position: Position) -> None:
        """The events of a member are applied up to here, with this change."""
        ...

    def was_member(self, collection_id: str) -> bool:
        """Whether a metadata collection is another member's, or was one's."""
        ...


class Repository(Protocol):
    """Storage of one server's metadata."""

    async def change(self, work: Callable[[Transaction], T]) -> T:
        """Run a change and return its result once it is durable.

        Raises:
            StoreFullError: The disk is full; nothing of the change is stored.
            StoreUnavailableError: The disk refuses writes; nothing of it is stored.
        """
        ...

    def entity(self, guid: str) -> StoredEntity | None:
        """An entity's current state, deleted or not, proxy or full (point read)."""
        ...

    def relationship(self, guid: str) -> StoredRelationship | None:
        """A relationship's current state, deleted or not (point read)."""
        ...

    def entity_as_of(self, guid: str, time: EpochMillis) -> StoredEntity | None:
        """The state that was in force at a time, deleted or not; None before the first."""
        ...

    def relationship_as_of(
        self, guid: str, time: EpochMillis
    ) -> StoredRelationship | None:
        """The state that was in force at a time, deleted or not; None before the first."""
        ...

    async def entity_history(
        self, guid: str, span: HistoryRange
    ) -> list[Document[EntityDetail]]:
        """The versions of an entity, one document each (its last state)."""
        ...

    async def relationship_history(
        self, guid: str, span: HistoryRange
    ) -> list[Document[Relationship]]:
        """The versions of a relationship."""
        ...

    async def find_entities(self, query: InstanceQuery) -> list[Document[EntityDetail]]:
        """Search entities; proxies are never found."""
        ...

    async def find_relationships(
        self, query: InstanceQuery
    ) -> list[Document[Relationship]]:
        """Search relationships."""
        ...

    async def relationships_for_entity(
        self, guid: str, query: GraphQuery, paging: Paging
    ) -> list[Document[Relationship]]:
        """The relationships with the entity at either end."""
        ...

    async def neighborhood(self, guid: str, query: GraphQuery, levels: int) -> Graph:
        """Breadth-first from the entity, up to ``levels`` relationships away.

        The root is always in the result; ends known only as proxies are not listed
        as entities, though the relationship to them is.
        """
        ...

    async def linking_entities(
        self, start_guid: str, end_guid: str, query: GraphQuery
    ) -> Graph:
        """Everything that lies on a path between two entities."""
        ...

    async def related_entities(
        self, guid: str, query: GraphQuery, paging: Paging
    ) -> list[Document[EntityDetail]]:
        """The start, and the entities reachable over any number of relationships."""
        ...

    async def newest_state(self) -> int:
        """A mark that stands for all states stored until now."""
        ...

    async def states_until(
        self, kind: type[Instance], newest: int, after_guid: str, limit: int
    ) -> list[Document[Instance]]:
        """All instances of a kind, deleted ones too, as they were at a mark.

        Args:
            kind: ``EntityDetail``, ``EntityProxy`` or ``Relationship``.
            newest: The mark. What was purged since is missing.
            after_guid: Only those with GUIDs behind it; they come in this order.
            limit: How many at most.
        """
        ...

    def types(self) -> Iterable[TypeDef | AttributeTypeDef]:
        """The stored type definitions: those added to or changed from the shipped set."""
        ...

    def counts(self) -> Mapping[str, int]:
        """How many current instances there are, by type name, deleted ones apart."""
        ...

    def positions(self) -> Mapping[str, Position]:
        """How far the events of other members are applied here, by their ids (point read)."""
        ...

    async def group_sums(self, owner: str) -> Mapping[str, Sum]:
        """The sums of the digests of what an owner answers for, deleted ones too, by group.

        A group is a type's name, or ``#`` and a classification's; see
        ``instances.digests``. Groups without anything are missing.
        """
        ...

    async def bucket_sums(self, owner: str, group: str) -> Mapping[int, Sum]:
        """The same within a group, by bucket; empty buckets are missing."""
        ...

    async def bucket_items(
        self, owner: str, group: str, buckets: Sequence[int]
    ) -> Mapping[str, int]:
        """The digest of each thing in some buckets, by the GUID of its instance."""
        ...

    async def owners(self) -> set[str]:
        """Everybody who answers for something that is stored."""
        ...

    async def documents(self, guids: Sequence[str]) -> list[StoredDocument]:
        """The current states of some instances, deleted ones and proxies too.

        Those that aren't stored are missing; the order is none.
        """
        ...
