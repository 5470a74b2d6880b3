"""Operations that change entities of the local collection."""

from collections.abc import Sequence
from dataclasses import replace

from edgenode.collection.base import ExternalSource
from edgenode.collection.local_base import LocalOperations, full_document
from edgenode.errors import (
    EntityCanNotBeUpdatedError,
    EntityHomeIsLocalError,
    EntityNotDeletedError,
    EntityNotKnownError,
    EntityProxyInHomeError,
    EntityProxyMissingError,
    EntitySoftDeletedError,
    GuidInUseError,
    HomeIdMissingError,
    LocalEntityProxyError,
    NotForLocalCollectionError,
    UnsupportedInstanceHeaderVersionError,
)
from edgenode.events import outbound
from edgenode.instances import lifecycle
from edgenode.instances.document import Document
from edgenode.instances.lifecycle import Edit
from edgenode.instances.model import Classification, EntityDetail, EntityProxy
from edgenode.instances.properties import InstanceProperties
from edgenode.instances.provenance import (
    Home,
    external_provenance,
    is_at_home,
    local_provenance,
    may_update,
    with_home_classifications,
)
from edgenode.instances.validate import type_name
from edgenode.repository.base import Transaction
from edgenode.typedefs.model import TypeDefCategory, TypeDefSummary
from edgenode.typedefs.status import InstanceStatus

SUPPORTED_HEADER_VERSION = 1


class LocalEntityOperations(LocalOperations):
    """Creating, updating, deleting entities and moving them."""

    async def add_entity(
        self,
        user_id: str,
        entity_type_guid: str | None,
        initial_properties: InstanceProperties | None,
        initial_classifications: Sequence[Classification] | None,
        initial_status: InstanceStatus | None,
        external: ExternalSource | None = None,
    ) -> Document[EntityDetail]:
        operation = "addEntity" if external is None else "addExternalEntity"
        local = local_provenance(self._parts.home)
        self._check_user(user_id, operation)
        provenance = local
        if external is not None:
            # Genuine servers name the type's parameter here, not the collection's.
            source_id = self._given(
                external.metadata_collection_id, "entityTypeGUID", operation
            )
            source = Home(source_id, external.metadata_collection_name)
            provenance = external_provenance(source, self._parts.home)
        type_def = self._validate.type_by_guid(
            entity_type_guid, "entityTypeGUID", operation
        )
        classifications = [
            lifecycle.initial_classification(classification, local)
            for classification in self._validate.initial_classifications(
                type_def, initial_classifications or (), operation
            )
        ]
        self._validate.properties(
            type_def, initial_properties, "initialProperties", operation
        )
        self._validate.initial_status(type_def, initial_status, operation)
        self._validate.category(
            type_def, TypeDefCategory.ENTITY_DEF, "getSkeletonEntity"
        )

        def work(tx: Transaction) -> Document[EntityDetail]:
            edit = Edit(user_id, self._parts.clock.now())
            entity = lifecycle.new_entity(
                type_def,
                self._new_guid(str(type_def.name)),
                provenance,
                edit,
                properties=initial_properties,
                classifications=classifications,
                status=initial_status,
            )
            document = tx.save_entity(entity, edit.time)
            tx.queue_event(outbound.created(entity))
            return self._entity_seen(document)

        return await self._change_own(work)

    async def add_entity_proxy(self, user_id: str, proxy: EntityProxy | None) -> None:
        operation, parameter = "addEntityProxy", "entityProxy"
        self._check_user(user_id, operation)
        if proxy is None:
            raise EntityProxyMissingError(self._name, parameter, operation)
        if proxy.metadata_collection_id is None:
            raise HomeIdMissingError(parameter, operation, self._name)
        if proxy.header_version > SUPPORTED_HEADER_VERSION:
            raise UnsupportedInstanceHeaderVersionError(
                operation,
                "EntityProxy",
                self._name,
                proxy.guid,
                type_name(proxy),
                proxy.header_version,
                SUPPORTED_HEADER_VERSION,
                parameter_name=parameter,
            )
        if is_at_home(proxy, self._local_id):
            raise LocalEntityProxyError(self._name, parameter, operation)
        guid = self._given(proxy.guid, parameter, operation)
        self._validate.recorded_type(proxy)

        def work(tx: Transaction) -> None:
            stored = tx.entity(guid)
            new = proxy
            if stored is not None:
                known = stored.document.value
                if not stored.is_proxy or known.version > proxy.version:
                    return
                new = with_home_classifications(proxy, known, self._local_id)
                if new == known:
                    return
            tx.save_proxy(new, lifecycle.copy_time(new, self._parts.clock.now()))

        await self._change_own(work)

    async def update_entity_status(
        self, user_id: str, entity_guid: str, new_status: InstanceStatus | None
    ) -> Document[EntityDetail]:
        operation = "updateEntityStatus"
        self._check_user(user_id, operation)

        def work(tx: Transaction) -> Document[EntityDetail]:
            current = self._own_entity(tx, entity_guid, operation)
            type_def = self._validate.recorded_type(current)
            status = self._validate.new_status(type_def, new_status, operation)
            edit = self._edit(tx, user_id, current)
            updated = lifecycle.with_status(current, status, edit)
            return self._updated_entity(tx, current, updated, edit)

        return await self._change_own(work)

    async def update_entity_properties(
        self, user_id: str, entity_guid: str, properties: InstanceProperties | None
    ) -> Document[EntityDetail]:
        operation = "updateEntityProperties"
        self._check_user(user_id, operation)

        def work(tx: Transaction) -> Document[EntityDetail]:
            current = self._own_entity(tx, entity_guid, operation)
            type_def = self._validate.recorded_type(current)
            new = self._validate.new_properties(type_def, properties, operation)
            edit = self._edit(tx, user_id, current)
            updated = lifecycle.with_properties(current, new, edit)
            return self._updated_entity(tx, current, updated, edit)

        return await self._change_own(work)

    async def undo_entity_update(
        self, user_id: str, entity_guid: str
    ) -> Document[EntityDetail] | None:
        operation = "undoEntityUpdate"
        self._check_user(user_id, operation)

        def work(tx: Transaction) -> Document[EntityDetail] | None:
            current = self._own_entity(tx, entity_guid, operation)
            previous = tx.previous_entity(entity_guid)
            if previous is None:
                return None
            if previous.status is InstanceStatus.DELETED:
                raise EntitySoftDeletedError(
                    type_name(previous), entity_guid, operation, self._name
                )
            edit = self._edit(tx, user_id, current)
            undone = lifecycle.undone(current, previous, edit)
            document = tx.save_entity(undone, edit.time)
            tx.queue_event(outbound.undone(undone))
            return self._entity_seen(document)

        return await self._change_own(work)

    async def delete_entity(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        obsolete_entity_guid: str,
    ) -> Document[EntityDetail]:
        operation = "deleteEntity"
        self._check_user(user_id, operation)
        names = self._validate.type_names(type_def_guid, type_def_name, operation)

        def work(tx: Transaction) -> Document[EntityDetail]:
            current = self._own_entity(tx, obsolete_entity_guid, operation)
            self._validate.type_of(current, *names, operation)
            edit = self._edit(tx, user_id, current)
            deleted = lifecycle.deleted(current, edit)
            document = tx.save_entity(deleted, edit.time)
            self._delete_relationships(tx, deleted, user_id)
            tx.queue_event(outbound.deleted(deleted))
            return self._entity_seen(document)

        return await self._change_own(work)

    async def purge_entity(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        deleted_entity_guid: str,
    ) -> None:
        operation = "purgeEntity"
        self._check_user(user_id, operation)
        names = self._validate.type_names(type_def_guid, type_def_name, operation)

        def work(tx: Transaction) -> None:
            entity = self._stored_entity(tx, deleted_entity_guid, operation)
            if not may_update(entity, self._local_id):
                raise EntityCanNotBeUpdatedError(self._name, entity.guid, operation)
            self._validate.type_of(entity, *names, operation)
            self._check_entity_deleted(entity, operation)
            tx.queue_event(outbound.purged(entity))
            tx.purge_entity(deleted_entity_guid)

        await self._change_own(work)

    async def restore_entity(
        self, user_id: str, deleted_entity_guid: str
    ) -> Document[EntityDetail]:
        operation = "restoreEntity"
        self._check_user(user_id, operation)

        def work(tx: Transaction) -> Document[EntityDetail]:
            entity = self._stored_entity(tx, deleted_entity_guid, operation)
            self._check_entity_deleted(entity, operation)
            if not may_update(entity, self._local_id):
                raise EntityCanNotBeUpdatedError(self._name, entity.guid, operation)
            edit = self._edit(tx, user_id, entity)
            restored = lifecycle.restored(entity, edit)
            document = tx.save_entity(restored, edit.time)
            tx.queue_event(outbound.restored(restored))
            return self._entity_seen(document)

        return await self._change_own(work)

    async def re_identify_entity(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        entity_guid: str,
        new_entity_guid: str | None,
    ) -> Document[EntityDetail]:
        operation, parameter = "reIdentifyEntity", "newEntityGUID"
        self._check_user(user_id, operation)
        self._validate.type_names(type_def_guid, type_def_name, operation)
        new_guid = self._given(new_entity_guid or None, parameter, operation)

        def work(tx: Transaction) -> Document[EntityDetail]:
            current = self._own_entity(tx, entity_guid, operation)
            if tx.entity(new_guid) or tx.relationship(new_guid):
                raise GuidInUseError(new_guid, parameter, operation, self._name)
            edit = self._edit(tx, user_id, current)
            moved = lifecycle.re_identified(current, new_guid, edit)
            document = tx.save_entity(moved, edit.time)
            self._point_relationships(tx, entity_guid, moved)
            tx.save_entity(lifecycle.deleted(current, edit), edit.time)
            tx.queue_event(outbound.re_identified(moved, entity_guid))
            return self._entity_seen(document)

        return await self._change_own(work)

    async def re_type_entity(
        self,
        user_id: str,
        entity_guid: str,
        current_type_def: TypeDefSummary | None,
        new_type_def: TypeDefSummary | None,
    ) -> Document[EntityDetail]:
        operation = "reTypeEntity"
        self._check_user(user_id, operation)
        original = self._validate.type_summary(
            current_type_def, "currentTypeDefSummary", operation
        )
        type_def = self._validate.type_summary(
            new_type_def, "newTypeDefSummary", operation
        )
        self._validate.category(type_def, TypeDefCategory.ENTITY_DEF, operation)

        def work(tx: Transaction) -> Document[EntityDetail]:
            current = self._own_entity(tx, entity_guid, operation)
            self._validate.type_of(
                current, str(original.guid), str(original.name), operation
            )
            self._validate.properties(
                type_def, current.properties, "newTypeDefSummary", operation
            )
            for classification in current.classifications or ():
                self._validate.classifies(
                    self._validate.classification_type(classification.name, operation),
                    str(type_def.name),
                    operation,
                )
            edit = self._edit(tx, user_id, current)
            re_typed = lifecycle.re_typed(current, type_def, edit)
            document = tx.save_entity(re_typed, edit.time)
            before = replace(self._validate.recorded_type(current).summary, status=None)
            tx.queue_event(outbound.re_typed(re_typed, before))
            return self._entity_seen(document)

        return await self._change_own(work)

    async def re_home_entity(
        self,
        user_id: str,
        entity_guid: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        home_metadata_collection_id: str | None,
        new_home_metadata_collection_id: str | None,
        new_home_metadata_collection_name: str | None,
    ) -> Document[EntityDetail]:
        operation = "reHomeEntity"
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
                entity_guid,
                type_def_name,
                type_def_guid,
                new_home_metadata_collection_id,
                self._local_id,
                reporting_operation=operation,
            )

        def work(tx: Transaction) -> Document[EntityDetail]:
            current = self._full_entity(tx, entity_guid, "getEntityDetail").value
            if is_at_home(current, self._local_id):
                raise EntityHomeIsLocalError(
                    current.metadata_collection_id,
                    operation,
                    entity_guid,
                    self._local_id,
                    self._name,
                )
            self._validate.type_of(current, *names, operation)
            edit = self._edit(tx, user_id, current)
            name = new_home_metadata_collection_name or self._parts.home.name
            provenance = local_provenance(Home(self._local_id, name))
            re_homed = lifecycle.re_homed(current, provenance, edit)
            document = tx.save_entity(re_homed, edit.time)
            tx.queue_event(outbound.re_homed(re_homed, current.metadata_collection_id))
            return self._entity_seen(document)

        return await self._change_own(work)

    # Parts of the above

    def _own_entity(self, tx: Transaction, guid: str, operation: str) -> EntityDetail:
        """An entity that this member may change."""
        stored = self._known_entity(tx, guid, "getEntityDetail")
        if stored.is_proxy:
            raise EntityProxyInHomeError(self._name, guid, operation)
        entity = full_document(stored).value
        if not may_update(entity, self._local_id):
            raise EntityCanNotBeUpdatedError(self._name, guid, operation)
        return entity

    def _stored_entity(
        self, tx: Transaction, guid: str, operation: str
    ) -> EntityDetail:
        """An entity that is known in full, deleted or not."""
        stored = tx.entity(guid)
        if stored is None or stored.is_proxy:
            raise EntityNotKnownError(guid, operation, self._name)
        return full_document(stored).value

    def _check_entity_deleted(self, entity: EntityDetail, operation: str) -> None:
        if entity.status is not InstanceStatus.DELETED:
            raise EntityNotDeletedError(operation, self._name, entity.guid)

    def _updated_entity(
        self, tx: Transaction, original: EntityDetail, updated: EntityDetail, edit: Edit
    ) -> Document[EntityDetail]:
        document = tx.save_entity(updated, edit.time)
        tx.queue_event(outbound.updated(original, updated))
        return self._entity_seen(document)
