"""The repository's contract in the plainest Python: what SQLite is compared with.

Everything is kept as lists of states and looked through for each question. Documents
go through the codec as in the real repository, so that what is read is what was stored.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from edgenode.clock import EpochMillis
from edgenode.codec.codec import Codec
from edgenode.errors import InvalidInstanceError
from edgenode.events.model import InstanceEvent, TypeDefEvent
from edgenode.events.streams import Position, Sum
from edgenode.instances.conditions import (
    HistorySequencingOrder,
    InstanceQuery,
    Paging,
)
from edgenode.instances.digests import SUM_MODULUS, held
from edgenode.instances.document import Document
from edgenode.instances.matching import matches_query, sequenced
from edgenode.instances.model import EntityDetail, EntityProxy, Relationship
from edgenode.instances.validate import type_name
from edgenode.repository.base import (
    Graph,
    GraphQuery,
    HistoryRange,
    Instance,
    StoredDocument,
    StoredEntity,
    StoredRelationship,
    Transaction,
)
from edgenode.typedefs.attributes import AttributeTypeDef
from edgenode.typedefs.model import TypeDef
from edgenode.typedefs.status import InstanceStatus

T = TypeVar("T")
Bean = EntityDetail | EntityProxy | Relationship

PATTERN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class State:
    """A stored state; ``number`` counts all states in the order of storing."""

    number: int
    from_time: EpochMillis
    text: bytes
    bean: Bean

    @property
    def version(self) -> int:
        return self.bean.version

    @property
    def status(self) -> InstanceStatus:
        return self.bean.status or InstanceStatus.UNKNOWN


class Thing(NamedTuple):
    """An instance or classification as it counts in a comparison."""

    owner: str
    group: str
    bucket: int
    guid: str
    digest: int


K = TypeVar("K")


def summed(digests: Iterable[tuple[K, int]]) -> dict[K, Sum]:
    """The sums of digests by their keys."""
    sums: dict[K, Sum] = {}
    for key, digest in digests:
        known = sums.get(key, Sum(0, 0))
        sums[key] = Sum(known.count + 1, (known.digest + digest) % SUM_MODULUS)
    return sums


@dataclass(slots=True)
class Contents:
    """Everything a repository holds."""

    chains: dict[str, list[State]] = field(default_factory=dict)
    types: dict[str, TypeDef | AttributeTypeDef] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)

    def copy(self) -> "Contents":
        chains = {guid: list(chain) for guid, chain in self.chains.items()}
        return Contents(chains, dict(self.types), dict(self.positions))


class MemoryRepository:
    """Storage in memory; satisfies ``Repository`` and, inside a change, ``Transaction``.

    Attributes:
        events: All queued events, oldest first; a test may clear the list.
    """

    def __init__(self, codec: Codec) -> None:
        self.events: list[InstanceEvent | TypeDefEvent] = []
        self._codec = codec
        self._contents = Contents()
        self._number = 0

    async def change(self, work: Callable[[Transaction], T]) -> T:
        """Run a change; one that raises leaves nothing behind."""
        before, announced = self._contents.copy(), len(self.events)
        try:
            return work(self)
        except BaseException:
            self._contents = before
            del self.events[announced:]
            raise

    # States

    def _current(self, guid: str) -> State | None:
        chain = self._contents.chains.get(guid)
        return chain[-1] if chain else None

    def began(self, guid: str) -> EpochMillis | None:
        state = self._current(guid)
        return None if state is None else state.from_time

    def _as_of(self, guid: str, time: EpochMillis | None) -> State | None:
        if time is None:
            return self._current(guid)
        chain = self._contents.chains.get(guid, [])
        return next(
            (state for state in reversed(chain) if state.from_time <= time), None
        )

    def _states(self, time: EpochMillis | None, kind: type[Bean]) -> list[State]:
        """The states in force at a time of all instances of a kind, oldest GUID first."""
        states = (self._as_of(guid, time) for guid in self._contents.chains)
        return [known for known in states if known and isinstance(known.bean, kind)]

    def _save(self, bean: Bean, at: EpochMillis) -> State:
        if bean.guid is None:
            raise InvalidInstanceError("save", type(bean).__name__)
        before = self._current(bean.guid)
        if before is not None:
            same = type(before.bean) is type(bean)
            grows = isinstance(before.bean, EntityProxy) and isinstance(
                bean, EntityDetail
            )
            if not (same or grows):
                raise InvalidInstanceError("save", bean.guid)
            at = max(at, before.from_time)
        self._number += 1
        text = self._codec.encode(bean)
        # As the wire has it: empty lists and properties are gone.
        state = State(self._number, at, text, self._codec.decode(type(bean), text))
        self._contents.chains.setdefault(bean.guid, []).append(state)
        return state

    # Documents

    def _document(self, state: State, kind: type[T], *, now: bool) -> Document[T]:
        changed = now and any(
            end.number > state.number
            for end in map(self._current, ends_of(state.bean))
            if end is not None
        )
        return self._codec.stored_document(kind, state.text, ends_changed=changed)

    def _entity(self, state: State | None) -> StoredEntity | None:
        if state is None or isinstance(state.bean, Relationship):
            return None
        document: Document[Any] = self._document(state, type(state.bean), now=False)
        return StoredEntity(
            document,
            isinstance(state.bean, EntityProxy),
            type_name(state.bean),
            state.status,
            state.bean.metadata_collection_id or "",
        )

    def _relationship(
        self, state: State | None, *, now: bool
    ) -> StoredRelationship | None:
        if state is None or not isinstance(state.bean, Relationship):
            return None
        return StoredRelationship(
            self._document(state, Relationship, now=now),
            type_name(state.bean),
            state.status,
            state.bean.metadata_collection_id or "",
        )

    def _entities(self, states: Iterable[State]) -> list[Document[EntityDetail]]:
        return [self._document(state, EntityDetail, now=False) for state in states]

    def _relationships(
        self, states: Iterable[State], time: EpochMillis | None
    ) -> list[Document[Relationship]]:
        return [
            self._document(state, Relationship, now=time is None) for state in states
        ]

    # Transaction

    def entity(self, guid: str) -> StoredEntity | None:
        return self._entity(self._current(guid))

    def relationship(self, guid: str) -> StoredRelationship | None:
        return self._relationship(self._current(guid), now=True)

    def previous_entity(self, guid: str) -> EntityDetail | None:
        previous = self._previous(guid)
        return previous if isinstance(previous, EntityDetail) else None

    def previous_relationship(self, guid: str) -> Relationship | None:
        previous = self._previous(guid)
        return previous if isinstance(previous, Relationship) else None

    def _previous(self, guid: str) -> Bean | None:
        current = self._current(guid)
        if current is None:
            return None
        for state in reversed(self._contents.chains[guid]):
            if state.version < current.version and type(state.bean) is type(
                current.bean
            ):
                return state.bean
        return None

    def relationships_of(self, guid: str) -> Iterator[StoredRelationship]:
        for state in self._states(None, Relationship):
            if guid in ends_of(state.bean):
                stored = self._relationship(state, now=True)
                if stored is not None:
                    yield stored

    def save_entity(
        self, entity: EntityDetail, at: EpochMillis
    ) -> Document[EntityDetail]:
        return self._document(self._save(entity, at), EntityDetail, now=False)

    def save_proxy(self, proxy: EntityProxy, at: EpochMillis) -> None:
        before = self._current(proxy.guid or "")
        if before is None or (
            not isinstance(before.bean, EntityDetail) and before.bean != proxy
        ):
            self._save(proxy, at)

    def save_relationship(
        self, relationship: Relationship, at: EpochMillis
    ) -> Document[Relationship]:
        return self._document(self._save(relationship, at), Relationship, now=True)

    def purge_entity(self, guid: str) -> None:
        state = self._current(guid)
        if state is None or isinstance(state.bean, Relationship):
            return
        for relationship in list(self.relationships_of(guid)):
            self.purge_relationship(str(relationship.document.value.guid))
        del self._contents.chains[guid]

    def purge_relationship(self, guid: str) -> None:
        state = self._current(guid)
        if state is not None and isinstance(state.bean, Relationship):
            del self._contents.chains[guid]

    def save_type(self, type_def: TypeDef | AttributeTypeDef) -> None:
        self._contents.types[str(type_def.guid)] = type_def

    def remove_type(self, guid: str) -> None:
        self._contents.types.pop(guid, None)

    def types_bytes(self) -> int:
        return sum(
            len(self._codec.encode(each)) for each in self._contents.types.values()
        )

    def is_type_used(self, type_name: str) -> bool:
        return any(
            type_name in used_types(chain[-1].bean)
            for chain in self._contents.chains.values()
        )

    def queue_event(
        self, event: InstanceEvent | TypeDefEvent, origin: str | None = None
    ) -> None:
        self.events.append(event)

    def position(self, origin: str) -> Position | None:
        return self._contents.positions.get(origin)

    def move_to(self, origin: str, position: Position) -> None:
        self._contents.positions[origin] = position

    def was_member(self, collection_id: str) -> bool:
        return collection_id in self._contents.positions

    # The cohort

    def positions(self) -> Mapping[str, Position]:
        return dict(self._contents.positions)

    def _things(self) -> Iterator[Thing]:
        """Everything that counts when members compare what they hold."""
        for guid in self._contents.chains:
            state = self._current(guid)
            if state is None:
                continue
            what = held(state.bean)
            if what.digest is not None:
                yield Thing(
                    what.owner, type_name(state.bean), what.bucket, guid, what.digest
                )
            for (owner, name), digest in what.others.items():
                yield Thing(owner, f"#{name}", what.bucket, guid, digest)

    async def group_sums(self, owner: str) -> Mapping[str, Sum]:
        return summed(
            (each.group, each.digest) for each in self._things() if each.owner == owner
        )

    async def bucket_sums(self, owner: str, group: str) -> Mapping[int, Sum]:
        return summed(
            (each.bucket, each.digest)
            for each in self._things()
            if (each.owner, each.group) == (owner, group)
        )

    async def bucket_items(
        self, owner: str, group: str, buckets: Sequence[int]
    ) -> Mapping[str, int]:
        return {
            each.guid: each.digest
            for each in self._things()
            if (each.owner, each.group) == (owner, group) and each.bucket in buckets
        }

    async def owners(self) -> set[str]:
        return {each.owner for each in self._things()}

    async def documents(self, guids: Sequence[str]) -> list[StoredDocument]:
        states = ((guid, self._current(guid)) for guid in guids)
        return [
            StoredDocument(guid, type(state.bean).__name__, state.text)
            for guid, state in states
            if state is not None
        ]

    # Reading

    def entity_as_of(self, guid: str, time: EpochMillis) -> StoredEntity | None:
        return self._entity(self._as_of(guid, time))

    def relationship_as_of(
        self, guid: str, time: EpochMillis
    ) -> StoredRelationship | None:
        return self._relationship(self._as_of(guid, time), now=False)

    async def entity_history(
        self, guid: str, span: HistoryRange
    ) -> list[Document[EntityDetail]]:
        return self._entities(self._history(guid, EntityDetail, span))

    async def relationship_history(
        self, guid: str, span: HistoryRange
    ) -> list[Document[Relationship]]:
        return self._relationships(self._history(guid, Relationship, span), time=0)

    def _history(self, guid: str, kind: type[Bean], span: HistoryRange) -> list[State]:
        chain = self._contents.chains.get(guid, [])
        untils: list[EpochMillis | None] = [state.from_time for state in chain[1:]]
        last_of_version: dict[int, State] = {}
        for state, until in zip(chain, [*untils, None], strict=True):
            began = span.to_time is None or state.from_time <= span.to_time
            goes_on = span.from_time is None or until is None or until > span.from_time
            if began and goes_on and isinstance(state.bean, kind):
                last_of_version[state.version] = state
        versions = sorted(last_of_version.values(), key=lambda state: state.number)
        if span.order is HistorySequencingOrder.BACKWARDS:
            versions.reverse()
        return page(versions, span.offset, span.page_size)

    async def find_entities(self, query: InstanceQuery) -> list[Document[EntityDetail]]:
        return self._entities(self._found(query, EntityDetail))

    async def find_relationships(
        self, query: InstanceQuery
    ) -> list[Document[Relationship]]:
        found = self._found(query, Relationship)
        return self._relationships(found, query.as_of_time)

    def _found(self, query: InstanceQuery, kind: type[Any]) -> list[State]:
        found = [
            state
            for state in self._states(query.as_of_time, kind)
            if not isinstance(state.bean, EntityProxy)
            and matches_query(query, state.bean, PATTERN_SECONDS)
        ]
        return in_sequence(found, query.paging)

    # Walking

    async def relationships_for_entity(
        self, guid: str, query: GraphQuery, paging: Paging
    ) -> list[Document[Relationship]]:
        found = in_sequence(self._at(guid, query), paging)
        return self._relationships(found, query.as_of_time)

    async def neighborhood(self, guid: str, query: GraphQuery, levels: int) -> Graph:
        entities, relationships = {guid}, {}
        frontier = {guid}
        for _ in range(levels):
            reached = set()
            for near in frontier:
                for state in self._at(near, query):
                    far = other_end(state.bean, near)
                    if self._passes(far, query):
                        relationships[str(state.bean.guid)] = state
                        reached.add(far)
            frontier = reached - entities
            entities |= reached
        return self._graph(entities, relationships, query)

    async def linking_entities(
        self, start_guid: str, end_guid: str, query: GraphQuery
    ) -> Graph:
        entities: set[str] = set()
        relationships: dict[str, State] = {}

        def walk(path: list[str], used: list[State]) -> None:
            if path[-1] == end_guid:
                entities.update(path)
                relationships.update({str(state.bean.guid): state for state in used})
                return
            for state in self._at(path[-1], query):
                far = other_end(state.bean, path[-1])
                if far not in path:
                    walk([*path, far], [*used, state])

        walk([start_guid], [])
        return self._graph(entities, relationships, query)

    async def related_entities(
        self, guid: str, query: GraphQuery, paging: Paging
    ) -> list[Document[EntityDetail]]:
        reached, frontier = {guid}, {guid}
        while frontier:
            frontier = {
                other_end(state.bean, near)
                for near in frontier
                for state in self._at(near, query)
            } - reached
            reached |= frontier
        found = [
            state
            for state in self._states(query.as_of_time, EntityDetail)
            if state.bean.guid in reached and self._passes(str(state.bean.guid), query)
        ]
        return self._entities(in_sequence(found, paging))

    def _at(self, guid: str, query: GraphQuery) -> list[State]:
        """The relationships at an entity that a walk may use."""
        return [
            state
            for state in self._states(query.as_of_time, Relationship)
            if guid in ends_of(state.bean)
            and _is_one_of(type_name(state.bean), query.relationship_type_names)
            and (
                state.status in query.statuses
                if query.statuses is not None
                else state.status is not InstanceStatus.DELETED
            )
        ]

    def _passes(self, guid: str, query: GraphQuery) -> bool:
        """Whether a walk may end at what is known of an entity."""
        state = self._as_of(guid, query.as_of_time)
        if state is None or not isinstance(state.bean, EntityDetail | EntityProxy):
            return (
                query.entity_type_names is None and query.classification_names is None
            )
        carried = {given.name for given in state.bean.classifications or ()}
        return _is_one_of(type_name(state.bean), query.entity_type_names) and (
            query.classification_names is None
            or not carried.isdisjoint(query.classification_names)
        )

    def _graph(
        self, guids: set[str], relationships: dict[str, State], query: GraphQuery
    ) -> Graph:
        full = [
            state
            for state in self._states(query.as_of_time, EntityDetail)
            if state.bean.guid in guids
        ]
        return Graph(
            self._entities(full),
            self._relationships(relationships.values(), query.as_of_time),
        )

    # Exports

    async def newest_state(self) -> int:
        return self._number

    async def states_until(
        self, kind: type[Instance], newest: int, after_guid: str, limit: int
    ) -> list[Document[Instance]]:
        found = []
        for guid, chain in sorted(self._contents.chains.items()):
            states = [state for state in chain if state.number <= newest]
            if guid > after_guid and states and type(states[-1].bean) is kind:
                found.append(self._document(states[-1], kind, now=True))
        return found[:limit]

    # Types and figures

    def types(self) -> Iterable[TypeDef | AttributeTypeDef]:
        return list(self._contents.types.values())

    def counts(self) -> Mapping[str, int]:
        return Counter(
            type_name(chain[-1].bean)
            for chain in self._contents.chains.values()
            if not isinstance(chain[-1].bean, EntityProxy)
            and chain[-1].status is not InstanceStatus.DELETED
        )


def ends_of(bean: Bean) -> tuple[str, ...]:
    """The GUIDs of a relationship's ends; none for anything else."""
    if not isinstance(bean, Relationship):
        return ()
    ends = (bean.entity_one_proxy, bean.entity_two_proxy)
    return tuple(str(end.guid) for end in ends if end is not None)


def other_end(bean: Bean, guid: str) -> str:
    one, two = ends_of(bean)
    return two if one == guid else one


def used_types(bean: Bean) -> set[str | None]:
    if isinstance(bean, Relationship):
        return {type_name(bean)}
    return {type_name(bean)} | {given.name for given in bean.classifications or ()}


def page(states: list[T], offset: int, page_size: int) -> list[T]:
    return states[offset : offset + page_size if page_size else None]


def in_sequence(states: list[State], paging: Paging) -> list[State]:
    """States in the order and within the page that is asked for."""
    by_guid = {str(state.bean.guid): state for state in states}
    beans: list[Any] = [state.bean for state in states]
    ordered = sequenced(beans, paging.sequencing_order, paging.sequencing_property)
    return page(
        [by_guid[str(bean.guid)] for bean in ordered], paging.offset, paging.page_size
    )


def _is_one_of(name: str, wanted: frozenset[str] | None) -> bool:
    return wanted is None or name in wanted
