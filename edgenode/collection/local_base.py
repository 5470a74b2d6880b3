"""What the groups of operations on the local collection share."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar, cast

from edgenode.clock import Clock, EpochMillis
from edgenode.codec.codec import Codec, StoredEnd
from edgenode.errors import (
    AsOfTimeInFutureError,
    EntityNotKnownError,
    EntityProxyOnlyError,
    EntitySoftDeletedError,
    GuidMissingError,
    InvalidTimeRangeError,
    NegativePageSizeError,
    RelationshipNotKnownError,
    RelationshipSoftDeletedError,
    StorePutBackError,
    UserIdMissingError,
)
from edgenode.instances.conditions import Paging
from edgenode.instances.document import Document
from edgenode.instances.ids import is_id
from edgenode.instances.lifecycle import (
    Edit,
    deleted,
    deletion_with_end,
    entity_proxy,
    next_time,
    with_end,
)
from edgenode.instances.model import (
    EntityDetail,
    EntityProxy,
    InstanceAuditHeader,
    InstanceHeader,
    Relationship,
)
from edgenode.instances.provenance import (
    Home,
    entity_as_seen,
    may_tell,
    may_update,
    relationship_as_seen,
)
from edgenode.instances.validate import InstanceValidator, type_name
from edgenode.releases.release import Release
from edgenode.repository.base import (
    HistoryRange,
    Repository,
    StoredEntity,
    StoredRelationship,
    Transaction,
)
from edgenode.typedefs.registry import TypeRegistry
from edgenode.typedefs.status import InstanceStatus

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = -62_135_596_800_000, 253_402_300_799_999
"""The years 1 to 9999 in milliseconds, which is how far dates go here."""

_HOMES = re.compile(rb'"LOCAL_COHORT","metadataCollectionId":"([^"\\]*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCollectionParts:
    """What a local metadata collection works with.

    Attributes:
        home: The collection's own id and name; the name is the server's.
        repository: Where instances are stored.
        types: The types that are known.
        codec: The wire form of instances.
        release: What the collection must know about its release.
        clock: The time.
        random_uuid: Makes the UUID of a new instance.
        is_known_collection: Whether an id is this collection's or that of a
            registered member of a cohort; the homes of other instances are seen as
            deregistered.
        is_put_back: Whether the store was put back to an earlier state, and lacks what
            others may hold of it.
        passes_on: Whether what members tell is queued as their event, too: then the
            server is in two cohorts, and the members of one are told of the other's.
    """

    home: Home
    repository: Repository
    types: TypeRegistry
    codec: Codec
    release: Release
    clock: Clock
    random_uuid: Callable[[], str]
    is_known_collection: Callable[[str], bool]
    is_put_back: Callable[[], bool] = lambda: False
    passes_on: bool = False


class InstanceReader(Protocol):
    """The point reads that a repository and a transaction have in common."""

    def entity(self, guid: str) -> StoredEntity | None:
        """An entity's current state, deleted or not, proxy or full."""
        ...

    def relationship(self, guid: str) -> StoredRelationship | None:
        """A relationship's current state, deleted or not."""
        ...


class _OnceReader:
    """Reads each entity once, for answers with many relationships."""

    def __init__(self, reader: InstanceReader) -> None:
        self._reader = reader
        self._entities: dict[str, StoredEntity | None] = {}

    def entity(self, guid: str) -> StoredEntity | None:
        """An entity's state when it was first asked for."""
        if guid not in self._entities:
            self._entities[guid] = self._reader.entity(guid)
        return self._entities[guid]

    def relationship(self, guid: str) -> StoredRelationship | None:
        """A relationship's current state."""
        return self._reader.relationship(guid)


class LocalOperations:
    """Base of the groups of operations."""

    def __init__(self, parts: LocalCollectionParts) -> None:
        self._parts = parts
        self._repository = parts.repository
        self._name = str(parts.home.name)
        self._local_id = parts.home.id
        self._validate = InstanceValidator(parts.types, self._name)
        self._local_mark = b'"LOCAL_COHORT","metadataCollectionId":"%s"' % (
            parts.home.id.encode()
        )

    # Parameters

    def _check_user(self, user_id: str | None, operation: str) -> None:
        if user_id is None or not user_id.strip():
            raise UserIdMissingError("userId", operation, self._name)

    def _given(self, guid: str | None, parameter: str, operation: str) -> str:
        if guid is None or not is_id(guid):
            raise GuidMissingError(parameter, operation, self._name)
        return guid

    def _check_time(
        self, time: EpochMillis | None, parameter: str, operation: str
    ) -> None:
        if time is not None and time > self._parts.clock.now():
            raise AsOfTimeInFutureError(
                _java_date(time), parameter, operation, self._name
            )

    def _check_span(self, span: HistoryRange, operation: str) -> None:
        """Check which versions are asked for."""
        start, end = span.from_time, span.to_time
        if start is not None and end is not None and start > end:
            raise InvalidTimeRangeError(operation, _java_date(start), _java_date(end))
        self._check_time(start, "fromTime", operation)
        self._check_time(end, "toTime", operation)
        self._check_page(span.offset, span.page_size, operation)

    def _check_paging(self, paging: Paging, operation: str) -> None:
        self._check_page(paging.offset, paging.page_size, operation)

    def _check_page(self, offset: int, page_size: int, operation: str) -> None:
        for value, parameter in ((page_size, "pageSize"), (offset, "offset")):
            if value < 0:
                raise NegativePageSizeError(value, parameter, operation, self._name)

    def _type_names(
        self, guid: str | None, parameter: str, operation: str
    ) -> frozenset[str] | None:
        """A type and its subtypes, for a search; None, without a GUID, means all."""
        if guid is None:
            return None
        known = self._validate.type_by_guid(guid, parameter, operation)
        return self._parts.types.with_subtypes(str(known.name))

    def _many_type_names(
        self, guids: Sequence[str] | None, parameter: str, operation: str
    ) -> frozenset[str] | None:
        """Types and their subtypes, for a search; None, without GUIDs, means all."""
        names: frozenset[str] = frozenset()
        for guid in guids or ():
            names |= self._type_names(guid, parameter, operation) or frozenset()
        return names if guids else None

    # Stored instances

    def _known_entity(
        self, reader: InstanceReader, guid: str, operation: str
    ) -> StoredEntity:
        """An entity that is not deleted, in full or as a proxy."""
        return self._check_known(reader.entity(guid), guid, operation)

    def _check_known(
        self, stored: StoredEntity | None, guid: str, operation: str
    ) -> StoredEntity:
        """An entity's state, if there is one and it isn't deleted."""
        if stored is None:
            raise EntityNotKnownError(guid, operation, self._name)
        if stored.status is InstanceStatus.DELETED:
            raise EntitySoftDeletedError(stored.type_name, guid, operation, self._name)
        return stored

    def _full_entity(
        self, reader: InstanceReader, guid: str, operation: str
    ) -> Document[EntityDetail]:
        """An entity that is neither deleted nor known by a proxy only."""
        stored = self._known_entity(reader, guid, operation)
        if stored.is_proxy:
            raise EntityProxyOnlyError(guid, self._name, "guid", operation)
        return full_document(stored)

    def _known_relationship(
        self, reader: InstanceReader, guid: str, operation: str
    ) -> Document[Relationship]:
        """A relationship that is not deleted."""
        stored = reader.relationship(guid)
        if stored is None:
            raise RelationshipNotKnownError(guid, operation, self._name)
        if stored.status is InstanceStatus.DELETED:
            raise RelationshipSoftDeletedError(
                stored.type_name, guid, operation, self._name
            )
        return stored.document

    # Changes

    def _next_time(self, tx: Transaction, instance: InstanceHeader) -> EpochMillis:
        """When the next state of a stored instance begins."""
        return next_time(tx.began(str(instance.guid)), self._parts.clock.now())

    def _edit(self, tx: Transaction, user_id: str, instance: InstanceHeader) -> Edit:
        """A change of a stored instance, later than the one before."""
        return Edit(user_id, self._next_time(tx, instance))

    def _new_guid(self, type_name: str) -> str:
        return self._parts.release.instance_guid(type_name, self._parts.random_uuid())

    def _proxy_of(self, entity: EntityDetail | EntityProxy) -> EntityProxy:
        unique = self._parts.types.unique_attributes(type_name(entity))
        return entity_proxy(entity, unique)

    def _with_current_ends(
        self, reader: InstanceReader, document: Document[Relationship]
    ) -> Relationship:
        """A relationship with its proxies as the ends are now."""
        relationship = document.value
        if not document.ends_changed:
            return relationship
        for end in (relationship.entity_one_proxy, relationship.entity_two_proxy):
            guid = None if end is None else end.guid
            stored = None if guid is None else reader.entity(guid)
            if guid is not None and stored is not None:
                proxy = self._proxy_of(stored.document.value)
                relationship = with_end(relationship, guid, proxy)
        return relationship

    def _with_known_ends(
        self, reader: InstanceReader, told: Relationship
    ) -> Relationship:
        """A relationship from elsewhere, with its proxies as the ends are known here.

        So it is the same in every store, whichever of them came first. An end that is
        told in a newer version than is known stays as it is told.
        """
        relationship = told
        for end in (told.entity_one_proxy, told.entity_two_proxy):
            stored = None if end is None or not end.guid else reader.entity(end.guid)
            if end is None or stored is None or stored.is_proxy:
                continue
            known = stored.document.value
            if known.version >= end.version:
                proxy = self._proxy_of(known)
                relationship = with_end(relationship, str(end.guid), proxy)
        return relationship

    def _delete_relationships(
        self, tx: Transaction, entity: EntityDetail, user_id: str
    ) -> None:
        """Delete an entity's relationships that are at home here, forget the copies."""
        for stored in list(tx.relationships_of(str(entity.guid))):
            if stored.status is InstanceStatus.DELETED:
                continue
            relationship = self._with_current_ends(tx, stored.document)
            if may_update(relationship, self._local_id):
                edit = self._edit(tx, user_id, relationship)
                began = edit.time
                if may_update(entity, self._local_id):
                    edit = deletion_with_end(relationship, entity, user_id)
                tx.save_relationship(deleted(relationship, edit), max(began, edit.time))
            else:
                tx.purge_relationship(str(relationship.guid))

    def _point_relationships(
        self, tx: Transaction, old_guid: str, entity: EntityDetail
    ) -> None:
        """Make an entity's relationships point to it under its new GUID."""
        proxy = self._proxy_of(entity)
        for stored in list(tx.relationships_of(old_guid)):
            relationship = stored.document.value
            time = self._next_time(tx, relationship)
            tx.save_relationship(with_end(relationship, old_guid, proxy), time)

    # Answers

    def _entity_seen(self, document: Document[EntityDetail]) -> Document[EntityDetail]:
        """An entity as readers see it."""
        if self._is_seen_as_stored(document.json):
            return document
        seen = entity_as_seen(document.value, self._parts.is_known_collection)
        return self._parts.codec.document(seen)

    def _relationship_seen(
        self, reader: InstanceReader, document: Document[Relationship]
    ) -> Document[Relationship]:
        """A relationship as readers see it, its ends as they are now if they changed."""
        current = document
        if document.ends_changed:
            found = partial(self._found_end, reader)
            current = self._parts.codec.with_ends(document, found)
        if self._is_seen_as_stored(current.json):
            return current
        seen = relationship_as_seen(current.value, self._parts.is_known_collection)
        return self._parts.codec.document(seen)

    def _found_end(
        self, reader: InstanceReader, guid: str
    ) -> tuple[StoredEnd, frozenset[str]] | None:
        """What is stored of an end of a relationship, and the attributes that identify it."""
        stored = reader.entity(guid)
        if stored is None:
            return None
        return stored.document, self._parts.types.unique_attributes(stored.type_name)

    def _relationships_seen(
        self, documents: Iterable[Document[Relationship]]
    ) -> list[Document[Relationship]]:
        """Relationships as readers see them; an end they share is read once."""
        reader = _OnceReader(self._repository)
        return [self._relationship_seen(reader, document) for document in documents]

    def _is_seen_as_stored(self, json: bytes) -> bool:
        """Whether every home in the text is known, told without decoding it.

        The text is as the codec writes it, where the two fields are neighbours and
        a quote inside a value has a backslash before it.
        """
        count = json.count(b'"LOCAL_COHORT"')
        if count == json.count(self._local_mark):
            return True
        homes = _HOMES.findall(json)
        return len(homes) == count and all(
            self._parts.is_known_collection(home.decode()) for home in set(homes)
        )

    # Who may tell what

    def _may_be_told(
        self, tx: Transaction, teller: str, told: InstanceAuditHeader
    ) -> bool:
        """Whether a member may say what an instance or classification is."""
        return may_tell(
            teller,
            told,
            lambda owner: (
                self._parts.is_known_collection(owner) or tx.was_member(owner)
            ),
        )

    async def _change(self, work: Callable[[Transaction], T]) -> T:
        return await self._repository.change(work)

    async def _change_own(self, work: Callable[[Transaction], T]) -> T:
        """Change what is this collection's own.

        Others may hold newer states of it than a store that was put back: a change of
        an older one would be acknowledged, and give way to them later.

        Raises:
            StorePutBackError: They haven't been asked yet.
        """
        if self._parts.is_put_back():
            raise StorePutBackError(self._name)
        return await self._change(work)


def _java_date(time: EpochMillis) -> str:
    """A time as genuine errors show it: ``Thu Jan 01 00:00:00 UTC 2099``."""
    moment = _EPOCH + timedelta(milliseconds=max(_FIRST, min(time, _LAST)))
    return f"{moment.ctime()[:-4]}UTC {moment.year}".replace("  ", " 0")


def full_document(stored: StoredEntity) -> Document[EntityDetail]:
    """The document of an entity that is known in full."""
    return cast("Document[EntityDetail]", stored.document)
