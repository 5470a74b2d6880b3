"""Operations on copies of instances whose home is elsewhere.

Copies are kept as they come, without events; which of them are kept is decided in
``instances.provenance``.
"""

from collections.abc import Sequence
from dataclasses import replace

from edgenode.collection.local_base import LocalOperations
from edgenode.errors import (
    EntityConflictError,
    EntityNotKnownError,
    EntityProxyMissingError,
    HomeEntityError,
    HomeIdMissingError,
    HomeRelationshipError,
    InvalidEntityError,
    InvalidRelationshipError,
    OMRSError,
    ReferenceInstanceMissingError,
    RelationshipConflictError,
    RelationshipNotKnownError,
    TypeDefNameMissingError,
)
from edgenode.events import outbound
from edgenode.instances import lifecycle
from edgenode.instances.ids import is_id
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntityProxy,
    InstanceHeader,
    Relationship,
)
from edgenode.instances.provenance import (
    CopyVerdict,
    is_at_home,
    judge_copy,
    with_home_classifications,
)
from edgenode.repository.base import StoredEntity, StoredRelationship, Transaction
from edgenode.typedefs.status import InstanceStatus


class CopyOperations(LocalOperations):
    """What the operations on copies of either kind share."""

    def _has_moved_here(
        self, stored: StoredEntity | StoredRelationship, copy: InstanceHeader
    ) -> bool:
        """Whether the instance was re-homed to this member since the copy was made.

        Then nothing is left here of which the copy's home could want to have it removed.
        """
        return is_at_home(stored.document.value, self._local_id) and not is_at_home(
            copy, self._local_id
        )

    def _check_copy(self, copy: InstanceHeader, parameter: str, operation: str) -> None:
        """Check that a copy says what every copy must say."""
        if not is_id(copy.metadata_collection_id) or not is_id(
            copy.replicated_by or ""
        ):
            raise HomeIdMissingError(parameter, operation, self._name)
        self._validate.recorded_type(copy)
        self._given(copy.guid, parameter, operation)

    def _check_relationship(self, relationship: Relationship, operation: str) -> None:
        """Check that a copy of a relationship names its ends as well."""
        self._check_copy(relationship, "relationship", operation)
        for end, parameter in (
            (relationship.entity_one_proxy, "entityOneProxy"),
            (relationship.entity_two_proxy, "entityTwoProxy"),
        ):
            if end is None:
                raise EntityProxyMissingError(self._name, parameter, operation)
            self._given(end.guid, parameter, operation)
            self._validate.recorded_type(end)

    def _check_named(
        self,
        type_def_guid: str | None,
        type_def_name: str | None,
        home_id: str | None,
        operation: str,
    ) -> tuple[str, str, str]:
        # Genuine servers speak of the name whichever of the two is missing.
        if type_def_guid is None or type_def_name is None:
            raise TypeDefNameMissingError("typeDefName", operation, self._name)
        if home_id is None:
            raise HomeIdMissingError("homeMetadataCollectionId", operation, self._name)
        return type_def_guid, type_def_name, home_id

    def _save_entity_copy(
        self,
        tx: Transaction,
        entity: EntityDetail,
        user_id: str,
        operation: str,
        *,
        from_archive: bool = False,
    ) -> bool:
        """Save a copy of an entity; False when what is stored is as good."""
        stored = tx.entity(str(entity.guid))
        known = None if stored is None else stored.document.value
        # Nobody has to know an entity better than by a proxy to send all of it.
        full = known if isinstance(known, EntityDetail) else None
        verdict = judge_copy(full, entity, self._local_id, from_archive=from_archive)
        self._refuse_entity(verdict, entity, operation)
        new = with_home_classifications(entity, known, self._local_id)
        if verdict is CopyVerdict.IGNORE or new == known:
            return False
        tx.save_entity(new, lifecycle.copy_time(new, self._parts.clock.now()))
        if new.status is InstanceStatus.DELETED:
            self._delete_relationships(tx, new, user_id)
        return True

    def _save_relationship_copy(
        self,
        tx: Transaction,
        relationship: Relationship,
        operation: str,
        *,
        from_archive: bool = False,
    ) -> bool:
        """Save a copy of a relationship; False when what is stored is as good."""
        stored = tx.relationship(str(relationship.guid))
        known = None if stored is None else stored.document.value
        verdict = judge_copy(
            known, relationship, self._local_id, from_archive=from_archive
        )
        self._refuse_relationship(verdict, relationship, operation)
        relationship = self._with_known_ends(tx, relationship)
        # An end may have changed since it was stored.
        if verdict is CopyVerdict.IGNORE or (
            known is not None and relationship == self._with_known_ends(tx, known)
        ):
            return False
        now = self._parts.clock.now()
        for end in (relationship.entity_one_proxy, relationship.entity_two_proxy):
            if (
                end is not None
                and end.guid is not None
                and not is_at_home(end, self._local_id)
                and tx.entity(end.guid) is None
            ):
                tx.save_proxy(end, lifecycle.copy_time(end, now))
        tx.save_relationship(relationship, lifecycle.copy_time(relationship, now))
        return True

    def _refuse_entity(
        self, verdict: CopyVerdict, entity: InstanceHeader, operation: str
    ) -> None:
        if verdict is CopyVerdict.AT_HOME:
            raise HomeEntityError(operation, entity.guid, self._local_id, self._name)
        if verdict is CopyVerdict.CONFLICT:
            raise EntityConflictError(operation, entity.guid, self._name)

    def _refuse_relationship(
        self, verdict: CopyVerdict, relationship: InstanceHeader, operation: str
    ) -> None:
        if verdict is CopyVerdict.AT_HOME:
            raise HomeRelationshipError(
                operation, relationship.guid, self._local_id, self._name
            )
        if verdict is CopyVerdict.CONFLICT:
            raise RelationshipConflictError(operation, relationship.guid, self._name)

    def _save_classification_copy(
        self,
        tx: Transaction,
        entity: EntityDetail | EntityProxy,
        classification: Classification,
        operation: str,
    ) -> bool:
        """Add a copy of a classification to an entity that may be known by a proxy only.

        Returns:
            False when what is stored is as good.
        """
        guid = str(entity.guid)
        stored = tx.entity(guid)
        if stored is None and is_at_home(entity, self._local_id):
            raise EntityNotKnownError(guid, operation, self._name)
        known = entity if stored is None else stored.document.value
        present = lifecycle.classification_of(known, str(classification.name))
        if present is not None and stored is not None:
            if is_at_home(present, self._local_id):
                raise HomeEntityError(operation, guid, self._local_id, self._name)
            if present == classification or present.version > classification.version:
                return False
        new = lifecycle.with_classification(known, classification)
        self._save_known(tx, new)
        return True

    def _save_known(self, tx: Transaction, entity: EntityDetail | EntityProxy) -> None:
        """Save what is known of an entity, whose classifications changed."""
        time = self._next_time(tx, entity)
        if isinstance(entity, EntityProxy):
            tx.save_proxy(entity, time)
        else:
            tx.save_entity(entity, time)


class LocalEntityCopyOperations(CopyOperations):
    """Copies of entities and of their classifications."""

    async def save_entity_reference_copy(
        self, user_id: str, entity: EntityDetail | None
    ) -> None:
        operation = "saveEntityReferenceCopy"
        copy = self._entity_copy(user_id, entity, operation)
        await self._change(
            lambda tx: self._save_entity_copy(tx, copy, user_id, operation)
        )

    async def delete_entity_reference_copy(
        self, user_id: str, entity: EntityDetail | None
    ) -> None:
        operation = "deleteEntityReferenceCopy"
        copy = self._entity_copy(user_id, entity, operation)
        if copy.status is not InstanceStatus.DELETED:
            copy = replace(
                copy, status=InstanceStatus.DELETED, status_on_delete=copy.status
            )

        def work(tx: Transaction) -> None:
            if tx.entity(str(copy.guid)) is not None:
                self._save_entity_copy(tx, copy, user_id, operation)

        await self._change(work)

    async def purge_entity_reference_copy(
        self, user_id: str, entity: EntityDetail | None
    ) -> None:
        operation = "purgeEntityReferenceCopy"
        copy = self._entity_copy(user_id, entity, operation)

        def work(tx: Transaction) -> None:
            stored = tx.entity(str(copy.guid))
            if stored is not None and not self._has_moved_here(stored, copy):
                self._purge_entity_copy(tx, str(copy.guid), operation)

        await self._change(work)

    async def purge_entity_reference_copy_by_guid(
        self,
        user_id: str,
        entity_guid: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        home_metadata_collection_id: str | None,
    ) -> None:
        operation = "purgeEntityReferenceCopy"
        self._check_user(user_id, operation)
        self._check_named(
            type_def_guid, type_def_name, home_metadata_collection_id, operation
        )
        await self._change(
            lambda tx: self._purge_entity_copy(tx, entity_guid, operation)
        )

    async def refresh_entity_reference_copy(
        self,
        user_id: str,
        entity_guid: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        home_metadata_collection_id: str | None,
    ) -> None:
        operation = "refreshEntityReferenceCopy"
        self._check_user(user_id, operation)
        type_guid, type_name, home_id = self._check_named(
            type_def_guid, type_def_name, home_metadata_collection_id, operation
        )

        def work(tx: Transaction) -> None:
            stored = tx.entity(entity_guid)
            if home_id == self._local_id or (
                stored is not None and is_at_home(stored.document.value, self._local_id)
            ):
                raise HomeEntityError(
                    operation, entity_guid, self._local_id, self._name
                )
            tx.queue_event(
                outbound.refresh_entity_requested(
                    entity_guid, type_guid, type_name, home_id
                )
            )

        await self._change(work)

    async def save_classification_reference_copy(
        self,
        user_id: str,
        entity: EntityDetail | EntityProxy | None,
        classification: Classification | None,
    ) -> None:
        operation = "saveClassificationReferenceCopy"
        known, copy = self._classification_copy(
            user_id, entity, classification, operation
        )
        if is_at_home(copy, self._local_id):
            raise HomeEntityError(operation, known.guid, self._local_id, self._name)

        def work(tx: Transaction) -> None:
            stored = tx.entity(str(known.guid))
            if isinstance(known, EntityDetail) and (
                stored is None or not is_at_home(stored.document.value, self._local_id)
            ):
                self._save_entity_copy(tx, known, user_id, operation)
            self._save_classification_copy(tx, known, copy, operation)

        await self._change(work)

    async def purge_classification_reference_copy(
        self,
        user_id: str,
        entity: EntityDetail | EntityProxy | None,
        classification: Classification | None,
    ) -> None:
        operation = "purgeClassificationReferenceCopy"
        sent, copy = self._classification_copy(
            user_id, entity, classification, operation
        )

        def work(tx: Transaction) -> None:
            stored = tx.entity(str(sent.guid))
            if stored is None:
                return
            known = stored.document.value
            present = lifecycle.classification_of(known, str(copy.name))
            if present is None:
                return
            if is_at_home(present, self._local_id):
                raise HomeEntityError(operation, sent.guid, self._local_id, self._name)
            self._save_known(
                tx, lifecycle.without_classification(known, str(copy.name))
            )

        await self._change(work)

    # Parts of the above

    def _entity_copy(
        self, user_id: str, entity: EntityDetail | None, operation: str
    ) -> EntityDetail:
        self._check_user(user_id, operation)
        if entity is None:
            raise ReferenceInstanceMissingError(self._name, operation, "entity")
        self._check_copy(entity, "entity", operation)
        return entity

    def _purge_entity_copy(self, tx: Transaction, guid: str, operation: str) -> None:
        stored = tx.entity(guid)
        if stored is None:
            raise EntityNotKnownError(guid, operation, self._name)
        if is_at_home(stored.document.value, self._local_id):
            raise HomeEntityError(operation, guid, self._local_id, self._name)
        tx.purge_entity(guid)

    def _classification_copy(
        self,
        user_id: str,
        entity: EntityDetail | EntityProxy | None,
        classification: Classification | None,
        operation: str,
    ) -> tuple[EntityDetail | EntityProxy, Classification]:
        self._check_user(user_id, operation)
        if entity is None:
            raise ReferenceInstanceMissingError(self._name, operation, "entity")
        if classification is None:
            raise ReferenceInstanceMissingError(self._name, operation, "classification")
        self._check_copy(entity, "entity", operation)
        self._validate.classification_type(
            classification.name, operation, "classification"
        )
        if classification.metadata_collection_id is None:
            raise HomeIdMissingError("classification", operation, self._name)
        return entity, classification


class LocalRelationshipCopyOperations(CopyOperations):
    """Copies of relationships."""

    async def save_relationship_reference_copy(
        self, user_id: str, relationship: Relationship | None
    ) -> None:
        operation = "saveRelationshipReferenceCopy"
        copy = self._relationship_copy(user_id, relationship, operation)
        await self._change(lambda tx: self._save_relationship_copy(tx, copy, operation))

    async def delete_relationship_reference_copy(
        self, user_id: str, relationship: Relationship | None
    ) -> None:
        operation = "deleteRelationshipReferenceCopy"
        copy = self._relationship_copy(user_id, relationship, operation)
        if copy.status is not InstanceStatus.DELETED:
            copy = replace(
                copy, status=InstanceStatus.DELETED, status_on_delete=copy.status
            )

        def work(tx: Transaction) -> None:
            if tx.relationship(str(copy.guid)) is not None:
                self._save_relationship_copy(tx, copy, operation)

        await self._change(work)

    async def purge_relationship_reference_copy(
        self, user_id: str, relationship: Relationship | None
    ) -> None:
        operation = "purgeRelationshipReferenceCopy"
        copy = self._relationship_copy(user_id, relationship, operation)

        def work(tx: Transaction) -> None:
            stored = tx.relationship(str(copy.guid))
            if stored is not None and not self._has_moved_here(stored, copy):
                self._purge_relationship_copy(tx, str(copy.guid), operation)

        await self._change(work)

    async def purge_relationship_reference_copy_by_guid(
        self,
        user_id: str,
        relationship_guid: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        home_metadata_collection_id: str | None,
    ) -> None:
        operation = "purgeRelationshipReferenceCopy"
        self._check_user(user_id, operation)
        self._check_named(
            type_def_guid, type_def_name, home_metadata_collection_id, operation
        )

        def work(tx: Transaction) -> None:
            stored = tx.relationship(relationship_guid)
            if stored is None or not self._is_ours_and_deleted(stored):
                self._purge_relationship_copy(tx, relationship_guid, operation)
                return
            # Genuine servers purge their own through this as well; Egeria's conformance
            # suite so clears away what it has re-homed to a member and deleted there.
            tx.queue_event(outbound.purged(stored.document.value))
            tx.purge_relationship(relationship_guid)

        await self._change(work)

    async def refresh_relationship_reference_copy(
        self,
        user_id: str,
        relationship_guid: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        home_metadata_collection_id: str | None,
    ) -> None:
        operation = "refreshRelationshipReferenceCopy"
        self._check_user(user_id, operation)
        type_guid, type_name, home_id = self._check_named(
            type_def_guid, type_def_name, home_metadata_collection_id, operation
        )

        def work(tx: Transaction) -> None:
            stored = tx.relationship(relationship_guid)
            if home_id == self._local_id or (
                stored is not None and is_at_home(stored.document.value, self._local_id)
            ):
                raise HomeRelationshipError(
                    operation, relationship_guid, self._local_id, self._name
                )
            tx.queue_event(
                outbound.refresh_relationship_requested(
                    relationship_guid, type_guid, type_name, home_id
                )
            )

        await self._change(work)

    # Parts of the above

    def _relationship_copy(
        self, user_id: str, relationship: Relationship | None, operation: str
    ) -> Relationship:
        self._check_user(user_id, operation)
        if relationship is None:
            raise ReferenceInstanceMissingError(self._name, operation, "relationship")
        self._check_relationship(relationship, operation)
        return relationship

    def _is_ours_and_deleted(self, stored: StoredRelationship) -> bool:
        return stored.status is InstanceStatus.DELETED and is_at_home(
            stored.document.value, self._local_id
        )

    def _purge_relationship_copy(
        self, tx: Transaction, guid: str, operation: str
    ) -> None:
        stored = tx.relationship(guid)
        if stored is None:
            raise RelationshipNotKnownError(guid, operation, self._name)
        if is_at_home(stored.document.value, self._local_id):
            raise HomeRelationshipError(operation, guid, self._local_id, self._name)
        tx.purge_relationship(guid)


class LocalGraphCopyOperations(CopyOperations):
    """Copies of many instances at once."""

    async def save_instance_reference_copies(
        self,
        user_id: str,
        entities: Sequence[EntityDetail] | None,
        relationships: Sequence[Relationship] | None,
    ) -> None:
        """Save copies, all of them or none."""
        operation = "saveInstanceReferenceCopies"
        self._check_user(user_id, operation)

        def work(tx: Transaction) -> None:
            for entity in entities or ():
                try:
                    self._check_copy(entity, "instances", operation)
                    self._save_entity_copy(tx, entity, user_id, operation)
                except OMRSError as error:
                    raise InvalidEntityError(
                        error.java_class, error, reporting_operation=operation
                    ) from error
            for relationship in relationships or ():
                try:
                    self._check_relationship(relationship, operation)
                    self._save_relationship_copy(tx, relationship, operation)
                except OMRSError as error:
                    raise InvalidRelationshipError(
                        error.java_class, error, reporting_operation=operation
                    ) from error

        await self._change(work)
