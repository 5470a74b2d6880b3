"""Operations that change entities and relationships of the whole cohort.

What is new is made by this member, and is at home here: an entity never gets another home
because a disk is full. What there is already is changed by whoever owns it.
"""

from collections.abc import Sequence

from edgenode.collection.base import ExternalSource, answered
from edgenode.errors import (
    OMRSError,
    RelationshipNotKnownError,
)
from edgenode.federation.enterprise_base import (
    REPOSITORY,
    EnterpriseOperations,
    Question,
    T,
)
from edgenode.federation.merge import owner_of
from edgenode.instances.document import Document
from edgenode.instances.lifecycle import entity_proxy
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntityProxy,
    Relationship,
)
from edgenode.instances.properties import InstanceProperties
from edgenode.instances.validate import type_name
from edgenode.typedefs.status import InstanceStatus


class EnterpriseEntityOperations(EnterpriseOperations):
    """Entities."""

    async def add_entity(
        self,
        user_id: str,
        entity_type_guid: str | None,
        initial_properties: InstanceProperties | None,
        initial_classifications: Sequence[Classification] | None,
        initial_status: InstanceStatus | None,
        external: ExternalSource | None = None,
    ) -> Document[EntityDetail]:
        return await self._local.add_entity(
            user_id,
            entity_type_guid,
            initial_properties,
            initial_classifications,
            initial_status,
            external,
        )

    async def add_entity_proxy(self, user_id: str, proxy: EntityProxy) -> None:
        await self._local.add_entity_proxy(user_id, proxy)

    async def update_entity_status(
        self, user_id: str, entity_guid: str, new_status: InstanceStatus | None
    ) -> Document[EntityDetail]:
        return await self._change_entity(
            "updateEntityStatus",
            user_id,
            entity_guid,
            lambda asked: asked.update_entity_status(user_id, entity_guid, new_status),
        )

    async def update_entity_properties(
        self, user_id: str, entity_guid: str, properties: InstanceProperties | None
    ) -> Document[EntityDetail]:
        return await self._change_entity(
            "updateEntityProperties",
            user_id,
            entity_guid,
            lambda asked: asked.update_entity_properties(
                user_id, entity_guid, properties
            ),
        )

    async def undo_entity_update(
        self, user_id: str, entity_guid: str
    ) -> Document[EntityDetail] | None:
        return await self._change_entity(
            "undoEntityUpdate",
            user_id,
            entity_guid,
            lambda asked: asked.undo_entity_update(user_id, entity_guid),
        )

    async def delete_entity(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        obsolete_entity_guid: str,
    ) -> Document[EntityDetail]:
        return await self._change_entity(
            "deleteEntity",
            user_id,
            obsolete_entity_guid,
            lambda asked: asked.delete_entity(
                user_id, type_def_guid, type_def_name, obsolete_entity_guid
            ),
        )

    async def purge_entity(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        deleted_entity_guid: str,
    ) -> None:
        return await self._change_entity(
            "purgeEntity",
            user_id,
            deleted_entity_guid,
            lambda asked: asked.purge_entity(
                user_id, type_def_guid, type_def_name, deleted_entity_guid
            ),
        )

    async def restore_entity(
        self, user_id: str, deleted_entity_guid: str
    ) -> Document[EntityDetail]:
        return await self._change_entity(
            "restoreEntity",
            user_id,
            deleted_entity_guid,
            lambda asked: asked.restore_entity(user_id, deleted_entity_guid),
        )

    async def _change_entity(
        self, operation: str, user_id: str, guid: str, question: Question[T]
    ) -> T:
        entity = await self._known_entity(operation, user_id, guid)
        owner = owner_of(entity.value)
        return await self._ask_owner(operation, user_id, guid, owner, question)


class EnterpriseRelationshipOperations(EnterpriseOperations):
    """Relationships."""

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
        for guid in (entity_one_guid, entity_two_guid):
            if guid is not None:
                await self._make_known(user_id, guid)
        return await self._local.add_relationship(
            user_id,
            relationship_type_guid,
            initial_properties,
            entity_one_guid,
            entity_two_guid,
            initial_status,
            external,
        )

    async def _make_known(self, user_id: str, guid: str) -> None:
        """Let this member know an entity of another one by a proxy."""
        try:
            await answered(self._local.get_entity_summary(user_id, guid))
        except OMRSError:
            entity = await self._entity("addRelationship", user_id, guid)
            if entity is None or entity.value.status is InstanceStatus.DELETED:
                return  # this member says what is wrong
            unique = self._parts.types.unique_attributes(type_name(entity.value))
            proxy = entity_proxy(entity.value, unique)
            await self._local.add_entity_proxy(user_id, proxy)

    async def update_relationship_status(
        self, user_id: str, relationship_guid: str, new_status: InstanceStatus | None
    ) -> Document[Relationship]:
        return await self._change_relationship(
            "updateRelationshipStatus",
            user_id,
            relationship_guid,
            lambda asked: asked.update_relationship_status(
                user_id, relationship_guid, new_status
            ),
        )

    async def update_relationship_properties(
        self,
        user_id: str,
        relationship_guid: str,
        properties: InstanceProperties | None,
    ) -> Document[Relationship]:
        return await self._change_relationship(
            "updateRelationshipProperties",
            user_id,
            relationship_guid,
            lambda asked: asked.update_relationship_properties(
                user_id, relationship_guid, properties
            ),
        )

    async def undo_relationship_update(
        self, user_id: str, relationship_guid: str
    ) -> Document[Relationship] | None:
        return await self._change_relationship(
            "undoRelationshipUpdate",
            user_id,
            relationship_guid,
            lambda asked: asked.undo_relationship_update(user_id, relationship_guid),
        )

    async def delete_relationship(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        obsolete_relationship_guid: str,
    ) -> Document[Relationship]:
        return await self._change_relationship(
            "deleteRelationship",
            user_id,
            obsolete_relationship_guid,
            lambda asked: asked.delete_relationship(
                user_id, type_def_guid, type_def_name, obsolete_relationship_guid
            ),
        )

    async def purge_relationship(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        deleted_relationship_guid: str,
    ) -> None:
        return await self._change_relationship(
            "purgeRelationship",
            user_id,
            deleted_relationship_guid,
            lambda asked: asked.purge_relationship(
                user_id, type_def_guid, type_def_name, deleted_relationship_guid
            ),
        )

    async def restore_relationship(
        self, user_id: str, deleted_relationship_guid: str
    ) -> Document[Relationship]:
        return await self._change_relationship(
            "restoreRelationship",
            user_id,
            deleted_relationship_guid,
            lambda asked: asked.restore_relationship(
                user_id, deleted_relationship_guid
            ),
        )

    async def _change_relationship(
        self, operation: str, user_id: str, guid: str, question: Question[T]
    ) -> T:
        self._check_user(user_id, operation)
        known = await answered(self._local.is_relationship_known(user_id, guid))
        if known is None:
            known = await self._relationship(operation, user_id, guid)
        if known is None:
            raise RelationshipNotKnownError(guid, operation, REPOSITORY)
        owner = owner_of(known.value)
        return await self._ask_owner(operation, user_id, guid, owner, question)
