"""Operations that change relationships of the local collection."""

from dataclasses import replace
from typing import cast

from edgenode.collection.base import ExternalSource
from edgenode.collection.local_base import LocalOperations
from edgenode.errors import (
    GuidInUseError,
    HomeIdMissingError,
    NotForLocalCollectionError,
    RelationshipCanNotBeUpdatedError,
    RelationshipHomeIsLocalError,
    RelationshipNotDeletedError,
    RelationshipNotKnownError,
    RelationshipSoftDeletedError,
)
from edgenode.events import outbound
from edgenode.instances import lifecycle
from edgenode.instances.document import Document
from edgenode.instances.lifecycle import Edit
from edgenode.instances.model import Relationship
from edgenode.instances.properties import InstanceProperties
from edgenode.instances.provenance import (
    Home,
    external_provenance,
    is_at_home,
    local_provenance,
    may_update,
)
from edgenode.instances.validate import type_name
from edgenode.repository.base import Transaction
from edgenode.typedefs.model import RelationshipDef, TypeDefCategory, TypeDefSummary
from edgenode.typedefs.status import InstanceStatus


class LocalRelationshipOperations(LocalOperations):
    """Creating, updating, deleting relationships and moving them."""

    async def add_relationship(
        self,
        user_id: str,
        relationship_type_guid: str | None,
        initial_properties: InstanceProperties | None,
        entity_one_guid: str | None,
        entity_two_guid: str | None,
        initial_status: InstanceStatus | None,
        external: ExternalSource | None = None,
    ) -> Document[Relationship]:
        operation = "addRelationship" if external is None else "addExternalRelationship"
        self._check_user(user_id, operation)
        provenance = local_provenance(self._parts.home)
        if external is not None:
            # Genuine servers name the type's parameter here, not the collection's.
            source_id = self._given(
                external.metadata_collection_id, "relationshipTypeGUID", operation
            )
            source = Home(source_id, external.metadata_collection_name)
            provenance = external_provenance(source, self._parts.home)
        type_def = self._validate.type_by_guid(
            relationship_type_guid, "relationshipTypeGUID", operation
        )
        guids = (
            self._given(entity_one_guid, "entityOneGUID", operation),
            self._given(entity_two_guid, "entityTwoGUID", operation),
        )
        self._validate.properties(
            type_def, initial_properties, "initialProperties", operation
        )
        self._validate.initial_status(type_def, initial_status, operation)
        self._validate.category(
            type_def, TypeDefCategory.RELATIONSHIP_DEF, "getSkeletonRelationship"
        )
        relationship_def = cast("RelationshipDef", type_def)

        def work(tx: Transaction) -> Document[Relationship]:
            one, two = (
                self._known_entity(tx, guid, "getEntitySummary").document.value
                for guid in guids
            )
            self._validate.ends(relationship_def, one, two, operation)
            edit = Edit(user_id, self._parts.clock.now())
            relationship = lifecycle.new_relationship(
                type_def,
                self._new_guid(str(type_def.name)),
                provenance,
                edit,
                (self._proxy_of(one), self._proxy_of(two)),
                properties=initial_properties,
                status=initial_status,
            )
            document = tx.save_relationship(relationship, edit.time)
            tx.queue_event(outbound.created(relationship))
            return self._relationship_seen(tx, document)

        return await self._change_own(work)

    async def update_relationship_status(
        self, user_id: str, relationship_guid: str, new_status: InstanceStatus | None
    ) -> Document[Relationship]:
        operation = "updateRelationshipStatus"
        self._check_user(user_id, operation)

        def work(tx: Transaction) -> Document[Relationship]:
            current = self._own_relationship(tx, relationship_guid, operation)
            type_def = self._validate.recorded_type(current)
            status = self._validate.new_status(type_def, new_status, operation)
            edit = self._edit(tx, user_id, current)
            updated = lifecycle.with_status(current, status, edit)
            return self._updated_relationship(tx, current, updated, edit)

        return await self._change_own(work)

    async def update_relationship_properties(
        self,
        user_id: str,
        relationship_guid: str,
        properties: InstanceProperties | None,
    ) -> Document[Relationship]:
        operation = "updateRelationshipProperties"
        self._check_user(user_id, operation)

        def work(tx: Transaction) -> Document[Relationship]:
            current = self._own_relationship(tx, relationship_guid, operation)
            type_def = self._validate.recorded_type(current)
            new = self._validate.new_properties(type_def, properties, operation)
            edit = self._edit(tx, user_id, current)
            updated = lifecycle.with_properties(current, new, edit)
            return self._updated_relationship(tx, current, updated, edit)

        return await self._change_own(work)

    async def undo_relationship_update(
        self, user_id: str, relationship_guid: str
    ) -> Document[Relationship] | None:
        operation = "undoRelationshipUpdate"
        self._check_user(user_id, operation)

        def work(tx: Transaction) -> Document[Relationship] | None:
            current = self._own_relationship(tx, relationship_guid, operation)
            previous = tx.previous_relationship(relationship_guid)
            if previous is None:
                return None
            if previous.status is InstanceStatus.DELETED:
                raise RelationshipSoftDeletedError(
                    type_name(previous), relationship_guid, operation, self._name
                )
            edit = self._edit(tx, user_id, current)
            undone = lifecycle.undone(current, previous, edit)
            document = tx.save_relationship(undone, edit.time)
            tx.queue_event(outbound.undone(undone))
            return self._relationship_seen(tx, document)

        return await self._change_own(work)

    async def delete_relationship(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        obsolete_relationship_guid: str,
    ) -> Document[Relationship]:
        operation = "deleteRelationship"
        self._check_user(user_id, operation)
        names = self._validate.type_names(type_def_guid, type_def_name, operation)

        def work(tx: Transaction) -> Document[Relationship]:
            current = self._own_relationship(tx, obsolete_relationship_guid, operation)
            self._validate.type_of(current, *names, operation)
            edit = self._edit(tx, user_id, current)
            deleted = lifecycle.deleted(current, edit)
            document = tx.save_relationship(deleted, edit.time)
            tx.queue_event(outbound.deleted(deleted))
            return self._relationship_seen(tx, document)

        return await self._change_own(work)

    async def purge_relationship(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        deleted_relationship_guid: str,
    ) -> None:
        operation = "purgeRelationship"
        self._check_user(user_id, operation)
        names = self._validate.type_names(type_def_guid, type_def_name, operation)

        def work(tx: Transaction) -> None:
            guid = deleted_relationship_guid
            relationship = self._stored_relationship(tx, guid, operation)
            if not may_update(relationship, self._local_id):
                raise RelationshipCanNotBeUpdatedError(self._name, guid, operation)
            self._validate.type_of(relationship, *names, operation)
            self._check_relationship_deleted(relationship, operation)
            tx.queue_event(outbound.purged(relationship))
            tx.purge_relationship(guid)

        await self._change_own(work)

    async def restore_relationship(
        self, user_id: str, deleted_relationship_guid: str
    ) -> Document[Relationship]:
        operation = "restoreRelationship"
        self._check_user(user_id, operation)

        def work(tx: Transaction) -> Document[Relationship]:
            guid = deleted_relationship_guid
            relationship = self._stored_relationship(tx, guid, operation)
            self._check_relationship_deleted(relationship, operation)
            if not may_update(relationship, self._local_id):
                raise RelationshipCanNotBeUpdatedError(self._name, guid, operation)
            edit = self._edit(tx, user_id, relationship)
            restored = lifecycle.restored(relationship, edit)
            document = tx.save_relationship(restored, edit.time)
            tx.queue_event(outbound.restored(restored))
            return self._relationship_seen(tx, document)

        return await self._change_own(work)

    async def re_identify_relationship(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        relationship_guid: str,
        new_relationship_guid: str | None,
    ) -> Document[Relationship]:
        operation, parameter = "reIdentifyRelationship", "newRelationshipGUID"
        self._check_user(user_id, operation)
        self._validate.type_names(type_def_guid, type_def_name, operation)
        new_guid = self._given(new_relationship_guid or None, parameter, operation)

        def work(tx: Transaction) -> Document[Relationship]:
            current = self._own_relationship(tx, relationship_guid, operation)
            if tx.relationship(new_guid) or tx.entity(new_guid):
                raise GuidInUseError(new_guid, parameter, operation, self._name)
            edit = self._edit(tx, user_id, current)
            tx.save_relationship(lifecycle.deleted(current, edit), edit.time)
            moved = lifecycle.re_identified(current, new_guid, edit)
            document = tx.save_relationship(moved, edit.time)
            tx.queue_event(outbound.re_identified(moved, relationship_guid))
            return self._relationship_seen(tx, document)

        return await self._change_own(work)

    async def re_type_relationship(
        self,
        user_id: str,
        relationship_guid: str,
        current_type_def: TypeDefSummary | None,
        new_type_def: TypeDefSummary | None,
    ) -> Document[Relationship]:
        operation = "reTypeRelationship"
        self._check_user(user_id, operation)
        original = self._validate.type_summary(
            current_type_def, "currentTypeDefSummary", operation
        )
        type_def = self._validate.type_summary(
            new_type_def, "newTypeDefSummary", operation
        )
        self._validate.category(type_def, TypeDefCategory.RELATIONSHIP_DEF, operation)
        relationship_def = cast("RelationshipDef", type_def)

        def work(tx: Transaction) -> Document[Relationship]:
            current = self._own_relationship(tx, relationship_guid, operation)
            self._validate.type_of(
                current, str(original.guid), str(original.name), operation
            )
            self._validate.properties(
                type_def, current.properties, "newTypeDefSummary", operation
            )
            one, two = current.entity_one_proxy, current.entity_two_proxy
            if one is not None and two is not None:
                self._validate.ends(relationship_def, one, two, operation)
            edit = self._edit(tx, user_id, current)
            re_typed = lifecycle.re_typed(current, type_def, edit)
            document = tx.save_relationship(re_typed, edit.time)
            before = replace(self._validate.recorded_type(current).summary, status=None)
            tx.queue_event(outbound.re_typed(re_typed, before))
            return self._relationship_seen(tx, document)

        return await self._change_own(work)

    async def re_home_relationship(
        self,
        user_id: str,
        relationship_guid: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        home_metadata_collection_id: str | None,
        new_home_metadata_collection_id: str | None,
        new_home_metadata_collection_name: str | None,
    ) -> Document[Relationship]:
        operation = "reHomeRelationship"
        self._check_user(user_id, operation)
        names = self._validate.type_names(type_def_guid, type_def_name, operation)
        for parameter, home_id in (
            ("homeMetadataCollectionId", home_metadata_collection_id),
            ("newHomeMetadataCollectionId", new_home_metadata_collection_id),
        ):
            if home_id is None:
                raise HomeIdMissingError(parameter, operation, self._name)
        if new_home_metadata_collection_id != self._local_id:
            raise NotForLocalCollectionError(
                relationship_guid,
                type_def_name,
                type_def_guid,
                new_home_metadata_collection_id,
                self._local_id,
                reporting_operation=operation,
            )

        def work(tx: Transaction) -> Document[Relationship]:
            document = self._known_relationship(
                tx, relationship_guid, "getRelationship"
            )
            current = self._with_current_ends(tx, document)
            if is_at_home(current, self._local_id):
                raise RelationshipHomeIsLocalError(
                    current.metadata_collection_id,
                    operation,
                    relationship_guid,
                    self._local_id,
                    self._name,
                )
            self._validate.type_of(current, *names, operation)
            edit = self._edit(tx, user_id, current)
            name = new_home_metadata_collection_name or self._parts.home.name
            provenance = local_provenance(Home(self._local_id, name))
            re_homed = lifecycle.re_homed(current, provenance, edit)
            document = tx.save_relationship(re_homed, edit.time)
            tx.queue_event(outbound.re_homed(re_homed, current.metadata_collection_id))
            return self._relationship_seen(tx, document)

        return await self._change_own(work)

    # Parts of the above

    def _own_relationship(
        self, tx: Transaction, guid: str, operation: str
    ) -> Relationship:
        """A relationship that this member may change, its ends as they are now."""
        document = self._known_relationship(tx, guid, "getRelationship")
        if not may_update(document.value, self._local_id):
            raise RelationshipCanNotBeUpdatedError(self._name, guid, operation)
        return self._with_current_ends(tx, document)

    def _stored_relationship(
        self, tx: Transaction, guid: str, operation: str
    ) -> Relationship:
        """A relationship, deleted or not, its ends as they are now."""
        stored = tx.relationship(guid)
        if stored is None:
            raise RelationshipNotKnownError(guid, operation, self._name)
        return self._with_current_ends(tx, stored.document)

    def _check_relationship_deleted(
        self, relationship: Relationship, operation: str
    ) -> None:
        if relationship.status is not InstanceStatus.DELETED:
            raise RelationshipNotDeletedError(operation, self._name, relationship.guid)

    def _updated_relationship(
        self,
        tx: Transaction,
        original: Relationship,
        updated: Relationship,
        edit: Edit,
    ) -> Document[Relationship]:
        document = tx.save_relationship(updated, edit.time)
        tx.queue_event(outbound.updated(original, updated))
        return self._relationship_seen(tx, document)
