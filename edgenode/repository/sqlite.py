"""The repository of one server in one SQLite file."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from edgenode.clock import Clock, EpochMillis
from edgenode.codec.codec import Codec
from edgenode.events.streams import Position, Sum
from edgenode.instances.conditions import InstanceQuery, Paging
from edgenode.instances.document import Document
from edgenode.instances.model import EntityDetail, Relationship
from edgenode.repository import (
    digests,
    exports,
    graph,
    history,
    members,
    outbox,
    search,
    typedefs,
)
from edgenode.repository.base import (
    Graph,
    GraphQuery,
    HistoryRange,
    Instance,
    MemberRow,
    StoredDocument,
    StoredEntity,
    StoredRelationship,
    Transaction,
)
from edgenode.repository.connections import Connect, Faults, connect
from edgenode.repository.database import Database, DatabaseStatistics
from edgenode.repository.instances import SQL, Kind, State, read_state
from edgenode.repository.kafka_cohort import KafkaCohortChange, KafkaCohortStore
from edgenode.repository.names import NameReader
from edgenode.repository.outbox import QueuedEvent
from edgenode.repository.recent import RecentEvents
from edgenode.repository.recovery import OpenReport, make_ready, mark_suspect
from edgenode.repository.sampling import TextSample
from edgenode.repository.writer import Events
from edgenode.repository.writing import Writing
from edgenode.typedefs.attributes import AttributeTypeDef
from edgenode.typedefs.model import TypeDef

T = TypeVar("T")


class _Committed:
    """What the event loop knows of the commits: figures that each of them changes."""

    def __init__(
        self,
        counts: Mapping[str, int],
        recent: RecentEvents,
        events_queued: Callable[[int], None],
    ) -> None:
        self.counts = Counter(counts)
        self.recent = recent
        self._events_queued = events_queued

    def follow(self, counts: Counter[str], events: Events) -> None:
        """Follow a commit."""
        self.counts.update(counts)
        if events:
            self.recent.add(events)
            self._events_queued(self.recent.last_sequence)


async def _kafka_change(
    database: Database, work: Callable[[KafkaCohortChange], T], /
) -> T:
    return await database.change(lambda change: work(change.kafka_cohort))


class SqliteRepository:
    """Storage of one server's metadata; the contract is ``Repository``.

    Attributes:
        report: How the file was found and what was done to it.
        kafka_cohort: What is remembered of a cohort over Kafka.
    """

    def __init__(
        self,
        database: Database,
        codec: Codec,
        report: OpenReport,
        committed: "_Committed",
        incarnation: str,
    ) -> None:
        self.report = report
        self._database = database
        self._codec = codec
        self._committed = committed
        self._incarnation = incarnation
        self._names = NameReader(database.point)
        self._sample = TextSample()
        self.kafka_cohort = KafkaCohortStore(
            lambda: database.point,
            partial(_kafka_change, database),
        )

    @classmethod
    @asynccontextmanager
    async def opened(
        cls,
        path: Path,
        codec: Codec,
        clock: Clock,
        *,
        name: str,
        keep_events: bool = False,
        events_queued: Callable[[int], None] = lambda _: None,
        connect: Connect = connect,
    ) -> AsyncIterator["SqliteRepository"]:
        """Open a file, which is made when it isn't there; leaving closes it.

        Whoever opens it has the directory for itself (``lock.locked``).

        Args:
            path: The file.
            codec: Reads and writes the stored documents.
            clock: Dates events, and measures.
            name: What errors call the repository: the server's name.
            keep_events: Whether changes leave events in the outbox; without anybody to
                send them to they would only grow.
            events_queued: Called in the event loop once after each commit with events,
                before its changes are acknowledged, with the newest one's number.
            connect: Opens connections.

        Raises:
            NewerStoreError: A newer edgenode has written the file.
            ForeignStoreError: The file is another program's.
            StoreUnavailableError: The disk refuses to read or write it.
        """
        writing = Writing(codec, clock, keep_events=keep_events)
        ready = await asyncio.to_thread(
            make_ready, path, connect, clock, name, codec, writing.opened
        )
        recent = RecentEvents(writing.last_sequence)
        committed = _Committed(ready.counts, recent, events_queued)
        faults = Faults(name)
        try:
            async with Database.opened(
                path,
                connect,
                writing,
                clock,
                faults=faults,
                prepare=search.prepare,
                committed=committed.follow,
            ) as database:
                yield cls(database, codec, ready.report, committed, writing.incarnation)
        finally:
            if faults.damage is not None:
                await asyncio.to_thread(mark_suspect, path)

    async def change(self, work: Callable[[Transaction], T]) -> T:
        """Run a change and return its result once it is durable.

        Raises:
            StoreFullError: The disk is full; nothing of the change is stored.
            StoreUnavailableError: The disk refuses writes; nothing of it is stored.
        """
        return await self._database.change(work)

    async def metadata_collection_id(self, new: str) -> str:
        """The id of the collection this file holds, which is the given one if new."""
        return await self._database.change(
            lambda change: change.metadata_collection_id(new)
        )

    # point reads

    def entity(self, guid: str) -> StoredEntity | None:
        """An entity's current state, deleted or not, proxy or full."""
        state = self._state(SQL["state"], (guid,))
        return None if state is None else state.entity

    def relationship(self, guid: str) -> StoredRelationship | None:
        """A relationship's current state, deleted or not."""
        state = self._state(SQL["state"], (guid,))
        return None if state is None else state.relationship

    def entity_as_of(self, guid: str, time: EpochMillis) -> StoredEntity | None:
        """The state that was in force at a time, deleted or not; None before the first."""
        state = self._state(SQL["state_as_of"], {"guid": guid, "time": time})
        return None if state is None else state.entity

    def relationship_as_of(
        self, guid: str, time: EpochMillis
    ) -> StoredRelationship | None:
        """The state that was in force at a time, deleted or not; None before the first."""
        state = self._state(SQL["state_as_of"], {"guid": guid, "time": time})
        return None if state is None else state.relationship

    def _state(self, sql: str, parameters: Any) -> State | None:
        row = self._database.row(sql, parameters)
        return read_state(row, self._names.text_of, self._codec)

    # history

    async def entity_history(
        self, guid: str, span: HistoryRange
    ) -> list[Document[EntityDetail]]:
        """The versions of an entity, one document each: the last state in the range."""
        found = await history.versions(self._database, guid, Kind.ENTITY, span)
        return [self._codec.stored_document(EntityDetail, text) for text in found]

    async def relationship_history(
        self, guid: str, span: HistoryRange
    ) -> list[Document[Relationship]]:
        """The versions of a relationship, one document each: the last state in the range."""
        found = await history.versions(self._database, guid, Kind.RELATIONSHIP, span)
        return [self._codec.stored_document(Relationship, text) for text in found]

    # searches

    async def find_entities(self, query: InstanceQuery) -> list[Document[EntityDetail]]:
        """Search entities; proxies are never found."""
        async with self._database.reading() as reader:
            await self._sample.refresh(reader, self._size())
            found = await search.find_entities(reader, self._names, self._sample, query)
        return self._entities(found)

    async def find_relationships(
        self, query: InstanceQuery
    ) -> list[Document[Relationship]]:
        """Search relationships."""
        async with self._database.reading() as reader:
            await self._sample.refresh(reader, self._size())
            found = await search.find_relationships(
                reader, self._names, self._sample, query
            )
        return self._relationships(found)

    def _size(self) -> int:
        """About how many instances there are, deleted ones too."""
        return int(self._database.row(SQL["last_id"], ())[0])

    async def relationships_for_entity(
        self, guid: str, query: GraphQuery, paging: Paging
    ) -> list[Document[Relationship]]:
        """The relationships with the entity at either end."""
        indexed = graph.needs_index(query, paging)
        async with self._database.reading(indexed=indexed) as reader:
            found = await graph.relationships_of(
                reader, self._names, guid, query, paging
            )
        return self._relationships(found)

    async def neighborhood(self, guid: str, query: GraphQuery, levels: int) -> Graph:
        """Breadth-first from the entity, up to ``levels`` relationships away."""
        indexed = graph.needs_index(query)
        async with self._database.reading(indexed=indexed) as reader:
            entities, relationships = await graph.neighborhood(
                reader, self._names, guid, query, levels
            )
        return Graph(self._entities(entities), self._relationships(relationships))

    async def linking_entities(
        self, start_guid: str, end_guid: str, query: GraphQuery
    ) -> Graph:
        """Everything that lies on a path between two entities."""
        indexed = graph.needs_index(query)
        async with self._database.reading(indexed=indexed) as reader:
            entities, relationships = await graph.linking(
                reader, self._names, start_guid, end_guid, query
            )
        return Graph(self._entities(entities), self._relationships(relationships))

    async def related_entities(
        self, guid: str, query: GraphQuery, paging: Paging
    ) -> list[Document[EntityDetail]]:
        """The entities reachable over any number of relationships, without the start."""
        indexed = graph.needs_index(query, paging)
        async with self._database.reading(indexed=indexed) as reader:
            found = await graph.related(reader, self._names, guid, query, paging)
        return self._entities(found)

    def _entities(self, found: Iterable[bytes]) -> list[Document[EntityDetail]]:
        return [self._codec.stored_document(EntityDetail, text) for text in found]

    def _relationships(
        self, found: Iterable[tuple[bytes, bool]]
    ) -> list[Document[Relationship]]:
        return [
            self._codec.stored_document(Relationship, text, ends_changed=changed)
            for text, changed in found
        ]

    # exports

    async def newest_state(self) -> int:
        """A mark that stands for all states stored until now."""
        async with self._database.reading(indexed=False) as reader:
            return await exports.newest_state(reader)

    async def states_until(
        self, kind: type[Instance], newest: int, after_guid: str, limit: int
    ) -> list[Document[Instance]]:
        """All instances of a kind, deleted ones too, as they were at a mark."""
        async with self._database.reading(indexed=False) as reader:
            found = await exports.states_until(reader, kind, newest, after_guid, limit)
        return [
            self._codec.stored_document(kind, text, ends_changed=changed)
            for text, changed in found
        ]

    # types, events and figures

    def types(self) -> Iterable[TypeDef | AttributeTypeDef]:
        """The stored type definitions: those added to or changed from the shipped set."""
        return typedefs.stored_types(self._database.point, self._codec)

    def counts(self) -> Mapping[str, int]:
        """How many current instances there are, by type name, deleted ones apart."""
        return {name: count for name, count in self._committed.counts.items() if count}

    def incarnation(self) -> str:
        """Which life of the store this is; empty where events aren't kept."""
        return self._incarnation

    def last_sequence(self) -> int:
        """The number of the newest event that is committed; 0 before the first."""
        return self._committed.recent.last_sequence

    async def events_after(self, sequence: int, limit: int) -> list[QueuedEvent]:
        """The events in the outbox behind a number, oldest first.

        They are at most so many, and of a megabyte together unless the first one is
        larger; none only if there are none. Where the first one's ``after`` is higher
        than the number, what came between is forgotten.
        """
        recent = self._committed.recent.after(sequence, limit)
        if recent is not None:
            return recent
        async with self._database.reading(indexed=False) as reader:
            return await outbox.events_after(reader, self._codec, sequence, limit)

    # the cohort

    def positions(self) -> Mapping[str, Position]:
        """How far the events of other members are applied here, by their ids."""
        return members.positions(self._database.point)

    async def enter_cohort(self, cohort_id: str, *, adopts: bool) -> None:
        """See to it that all members that are stored are of this cohort.

        Those of another one are forgotten, as by ``remove_member``, and how this server
        was registered there.

        Args:
            cohort_id: Which one.
            adopts: Whether members are taken to be of it where nothing is known of that.
        """
        if members.cohort(self._database.point) != cohort_id:
            await self._database.change(
                lambda change: change.enter_cohort(cohort_id, adopts=adopts)
            )

    def members(self) -> list[MemberRow]:
        """The members of the cohort that were saved, in the order of their ids."""
        return members.stored(self._database.point)

    def was_member(self, collection_id: str) -> bool:
        """Whether a metadata collection is another member's, or was one's."""
        return members.was_member(self._database.point, collection_id)

    async def save_member(self, row: MemberRow) -> None:
        """Store how a member announced itself, in place of what was known."""
        await self._database.change(lambda change: change.save_member(row))

    async def remove_member(self, collection_id: str) -> None:
        """Forget a member and how far its events are applied; see ``was_member``."""
        await self._database.change(lambda change: change.remove_member(collection_id))

    def local_registration(self) -> bytes | None:
        """What this server itself is registered as; None before it ever was."""
        return members.local_registration(self._database.point)

    async def save_local_registration(self, document: bytes) -> None:
        """Store what this server itself is registered as."""
        await self._database.change(
            lambda change: change.save_local_registration(document)
        )

    async def group_sums(self, owner: str) -> Mapping[str, Sum]:
        """The sums of what an owner answers for, by type, or ``#`` and classification."""
        async with self._database.reading(indexed=False) as reader:
            return await digests.group_sums(reader, owner)

    async def bucket_sums(self, owner: str, group: str) -> Mapping[int, Sum]:
        """The same within a group, by bucket; empty buckets are missing."""
        async with self._database.reading(indexed=False) as reader:
            return await digests.bucket_sums(reader, owner, group)

    async def bucket_items(
        self, owner: str, group: str, buckets: Sequence[int]
    ) -> Mapping[str, int]:
        """The digest of each thing in some buckets, by the GUID of its instance."""
        async with self._database.reading(indexed=False) as reader:
            return await digests.bucket_items(reader, owner, group, buckets)

    async def owners(self) -> set[str]:
        """Everybody who answers for something that is stored."""
        async with self._database.reading(indexed=False) as reader:
            return await digests.owners(reader)

    async def documents(self, guids: Sequence[str]) -> list[StoredDocument]:
        """The current states of some instances, deleted ones and proxies too."""
        async with self._database.reading(indexed=False) as reader:
            return await digests.documents(reader, guids)

    async def flush(self) -> None:
        """Write the index rows that wait, which a search would do as well."""
        await self._database.flush()

    async def drain(self) -> None:
        """Return once all changes until now are done, on the disk or refused by it.

        Nothing is written for that.
        """
        await self._database.drain()

    def statistics(self) -> DatabaseStatistics:
        """The figures since the file was opened."""
        return self._database.statistics()
