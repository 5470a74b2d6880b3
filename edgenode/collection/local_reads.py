"""Operations that read single instances of the local collection."""

from edgenode.clock import EpochMillis
from edgenode.collection.local_base import LocalOperations, full_document
from edgenode.errors import (
    EntityNotKnownError,
    EntityProxyOnlyError,
    EntitySoftDeletedError,
    RelationshipNotKnownError,
    RelationshipSoftDeletedError,
)
from edgenode.instances.document import Document
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntitySummary,
    Relationship,
)
from edgenode.instances.provenance import as_seen, entity_as_seen, is_at_home
from edgenode.repository.base import HistoryRange
from edgenode.typedefs.status import InstanceStatus


class LocalReadOperations(LocalOperations):
    """Instances by GUID, now and then."""

    def is_entity_known(self, user_id: str, guid: str) -> Document[EntityDetail] | None:
        self._check_user(user_id, "isEntityKnown")
        stored = self._repository.entity(guid)
        if stored is None or stored.is_proxy:
            return None
        return self._entity_seen(full_document(stored))

    def get_entity_summary(self, user_id: str, guid: str) -> Document[EntitySummary]:
        operation = "getEntitySummary"
        self._check_user(user_id, operation)
        stored = self._known_entity(self._repository, guid, operation)
        summary = self._parts.codec.summary(stored.document)
        if self._is_seen_as_stored(summary.json):
            return summary
        seen = entity_as_seen(summary.value, self._parts.is_known_collection)
        return self._parts.codec.document(seen)

    def get_entity_detail(
        self, user_id: str, guid: str, as_of_time: EpochMillis | None = None
    ) -> Document[EntityDetail]:
        operation = "getEntityDetail"
        self._check_user(user_id, operation)
        self._check_time(as_of_time, "asOfTime", operation)
        if as_of_time is None:
            return self._entity_seen(
                self._full_entity(self._repository, guid, operation)
            )
        if self._repository.entity(guid) is None:
            raise EntityNotKnownError(guid, operation, self._name)
        stored = self._repository.entity_as_of(guid, as_of_time)
        if stored is None or stored.is_proxy:
            # Genuine servers answer so, too, for a time before the entity was there.
            raise EntityProxyOnlyError(guid, self._name, "guid", operation)
        if stored.status is InstanceStatus.DELETED:
            raise EntitySoftDeletedError(stored.type_name, guid, operation, self._name)
        return self._entity_seen(full_document(stored))

    async def get_entity_detail_history(
        self, user_id: str, guid: str, span: HistoryRange
    ) -> list[Document[EntityDetail]]:
        operation = "getEntityDetailHistory"
        self._check_user(user_id, operation)
        self._check_span(span, operation)
        stored = self._repository.entity(guid)
        versions = []
        if stored is not None and not stored.is_proxy:
            versions = await self._repository.entity_history(guid, span)
        if stored is None or stored.is_proxy or not (versions or span.offset):
            raise EntityNotKnownError(guid, operation, self._name)
        return [self._entity_seen(version) for version in versions]

    def is_relationship_known(
        self, user_id: str, guid: str
    ) -> Document[Relationship] | None:
        self._check_user(user_id, "isRelationshipKnown")
        stored = self._repository.relationship(guid)
        if stored is None:
            return None
        return self._relationship_seen(self._repository, stored.document)

    def get_relationship(
        self, user_id: str, guid: str, as_of_time: EpochMillis | None = None
    ) -> Document[Relationship]:
        operation = "getRelationship"
        self._check_user(user_id, operation)
        self._check_time(as_of_time, "asOfTime", operation)
        if as_of_time is None:
            document = self._known_relationship(self._repository, guid, operation)
            return self._relationship_seen(self._repository, document)
        stored = self._repository.relationship_as_of(guid, as_of_time)
        if stored is None:
            raise RelationshipNotKnownError(guid, operation, self._name)
        if stored.status is InstanceStatus.DELETED:
            raise RelationshipSoftDeletedError(
                stored.type_name, guid, operation, self._name
            )
        return self._relationship_seen(self._repository, stored.document)

    async def get_relationship_history(
        self, user_id: str, guid: str, span: HistoryRange
    ) -> list[Document[Relationship]]:
        operation = "getRelationshipHistory"
        self._check_user(user_id, operation)
        self._check_span(span, operation)
        versions = []
        known = self._repository.relationship(guid) is not None
        if known:
            versions = await self._repository.relationship_history(guid, span)
        if not known or not (versions or span.offset):
            raise RelationshipNotKnownError(guid, operation, self._name)
        return [self._relationship_seen(self._repository, known) for known in versions]

    def get_home_classifications(
        self, user_id: str, entity_guid: str, as_of_time: EpochMillis | None = None
    ) -> tuple[Classification, ...]:
        operation = "getHomeClassifications"
        self._check_user(user_id, operation)
        self._check_time(as_of_time, "asOfTime", operation)
        if as_of_time is None:
            stored = self._repository.entity(entity_guid)
        else:
            stored = self._repository.entity_as_of(entity_guid, as_of_time)
        # Members ask each other this about entities they may not know.
        if stored is None or stored.status is InstanceStatus.DELETED:
            return ()
        return tuple(
            as_seen(classification, self._parts.is_known_collection)
            for classification in stored.document.value.classifications or ()
            if is_at_home(classification, self._local_id)
        )
