"""Operations that change instances of another member."""

from collections.abc import Mapping, Sequence
from typing import Any

from edgenode.codec.requests import (
    ClassificationProxyRequest,
    ClassificationRequest,
    EntityCreateRequest,
    InstancePropertiesRequest,
    OMRSAPIRequest,
    ProxyClassificationRequest,
    RelationshipCreateRequest,
    TypeDefChangeRequest,
    TypeDefValidationForRequest,
)
from edgenode.collection.base import ClassificationSource, ExternalSource
from edgenode.federation.remote_base import RemoteOperations, asking, at
from edgenode.instances.document import Document
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntityProxy,
    Relationship,
)
from edgenode.instances.properties import InstanceProperties
from edgenode.typedefs.model import TypeDefSummary
from edgenode.typedefs.status import InstanceStatus


def _entity_path(guid: str, *rest: str) -> str:
    return at("instances", "entity", guid, *rest)


def _relationship_path(guid: str, *rest: str) -> str:
    return at("instances", "relationship", guid, *rest)


def _owned(external: ExternalSource | None) -> dict[str, str | None]:
    """The source outside the cohort, as requests name it."""
    if external is None:
        return {}
    return {
        "metadata_collection_id": external.metadata_collection_id,
        "metadata_collection_name": external.metadata_collection_name,
    }


def _of_type(guid: str | None, name: str | None) -> TypeDefValidationForRequest:
    return TypeDefValidationForRequest(type_def_guid=guid, type_def_name=name)


def _origin(
    source: ClassificationSource, properties: InstanceProperties | None
) -> dict[str, Any]:
    return {
        "classification_origin": source.origin,
        "classification_origin_guid": source.origin_guid,
        "classification_properties": properties,
        **_owned(source.external),
    }


class RemoteEntityOperations(RemoteOperations):
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
        request = EntityCreateRequest(
            entity_type_guid=entity_type_guid,
            initial_properties=initial_properties,
            initial_classifications=tuple(initial_classifications or ()),
            initial_status=initial_status,
            **_owned(external),
        )
        path = "/instances/entity" + ("" if external is None else "/external")
        return self._entity(await self._post(user_id, path, request))

    async def add_entity_proxy(self, user_id: str, proxy: EntityProxy) -> None:
        await self._post(user_id, "/instances/entity-proxy", proxy)

    async def update_entity_status(
        self, user_id: str, entity_guid: str, new_status: InstanceStatus | None
    ) -> Document[EntityDetail]:
        path = _entity_path(entity_guid, "status")
        return self._entity(await self._post(user_id, path, new_status))

    async def update_entity_properties(
        self, user_id: str, entity_guid: str, properties: InstanceProperties | None
    ) -> Document[EntityDetail]:
        request = InstancePropertiesRequest(instance_properties=properties)
        path = _entity_path(entity_guid, "properties")
        return self._entity(await self._post(user_id, path, request))

    async def undo_entity_update(
        self, user_id: str, entity_guid: str
    ) -> Document[EntityDetail] | None:
        told = await self._get(user_id, _entity_path(entity_guid, "previous"))
        return self._optional(told.get("entity"), EntityDetail)

    async def delete_entity(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        obsolete_entity_guid: str,
    ) -> Document[EntityDetail]:
        request = _of_type(type_def_guid, type_def_name)
        path = _entity_path(obsolete_entity_guid, "delete")
        return self._entity(await self._post(user_id, path, request))

    async def purge_entity(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        deleted_entity_guid: str,
    ) -> None:
        request = _of_type(type_def_guid, type_def_name)
        await self._post(user_id, _entity_path(deleted_entity_guid, "purge"), request)

    async def restore_entity(
        self, user_id: str, deleted_entity_guid: str
    ) -> Document[EntityDetail]:
        path = _entity_path(deleted_entity_guid, "restore")
        return self._entity(await self._get(user_id, path))

    async def re_identify_entity(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        entity_guid: str,
        new_entity_guid: str | None,
    ) -> Document[EntityDetail]:
        request = _of_type(type_def_guid, type_def_name)
        path = _entity_path(entity_guid, "identity") + asking(
            newEntityGUID=new_entity_guid
        )
        return self._entity(await self._post(user_id, path, request))

    async def re_type_entity(
        self,
        user_id: str,
        entity_guid: str,
        current_type_def: TypeDefSummary | None,
        new_type_def: TypeDefSummary | None,
    ) -> Document[EntityDetail]:
        request = TypeDefChangeRequest(
            current_type_def=current_type_def, new_type_def=new_type_def
        )
        path = _entity_path(entity_guid, "type")
        return self._entity(await self._post(user_id, path, request))

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
        request = _of_type(type_def_guid, type_def_name)
        path = _entity_path(entity_guid, "home", home_metadata_collection_id or "")
        path += asking(
            newHomeMetadataCollectionId=new_home_metadata_collection_id,
            newHomeMetadataCollectionName=new_home_metadata_collection_name,
        )
        return self._entity(await self._post(user_id, path, request))

    def _entity(self, told: Mapping[str, Any]) -> Document[EntityDetail]:
        return self._document(told.get("entity"), EntityDetail)


class RemoteClassificationOperations(RemoteOperations):
    """Classifications."""

    async def classify_entity(
        self,
        user_id: str,
        entity_guid: str,
        classification_name: str,
        source: ClassificationSource,
        properties: InstanceProperties | None,
    ) -> Document[EntityDetail]:
        path = _entity_path(entity_guid, "classification", classification_name)
        if source == ClassificationSource():
            request: OMRSAPIRequest = InstancePropertiesRequest(
                instance_properties=properties
            )
        else:
            path += "/detailed"
            request = ClassificationRequest(**_origin(source, properties))
        return self._entity(await self._post(user_id, path, request))

    async def classify_entity_by_proxy(
        self,
        user_id: str,
        entity_proxy: EntityProxy | None,
        classification_name: str,
        source: ClassificationSource,
        properties: InstanceProperties | None,
    ) -> Classification:
        path = at("instances", "entity", "classification", classification_name)
        if source == ClassificationSource():
            request: OMRSAPIRequest = ProxyClassificationRequest(
                entity_proxy=entity_proxy, instance_properties=properties
            )
        else:
            path += "/detailed"
            request = ClassificationProxyRequest(
                entity_proxy=entity_proxy, **_origin(source, properties)
            )
        return self._classification(await self._post(user_id, path, request))

    async def declassify_entity(
        self, user_id: str, entity_guid: str, classification_name: str
    ) -> Document[EntityDetail]:
        path = _entity_path(
            entity_guid, "classification", classification_name, "delete"
        )
        return self._entity(await self._post(user_id, path, OMRSAPIRequest()))

    async def declassify_entity_by_proxy(
        self, user_id: str, entity_proxy: EntityProxy | None, classification_name: str
    ) -> Classification:
        path = at("instances", "entity", "classification", classification_name)
        told = await self._post(user_id, path + "/delete", entity_proxy)
        return self._classification(told)

    async def update_entity_classification(
        self,
        user_id: str,
        entity_guid: str,
        classification_name: str,
        properties: InstanceProperties | None,
    ) -> Document[EntityDetail]:
        request = InstancePropertiesRequest(instance_properties=properties)
        path = _entity_path(entity_guid, "classification", classification_name)
        told = await self._post(user_id, path + "/properties", request)
        return self._entity(told)

    async def update_entity_classification_by_proxy(
        self,
        user_id: str,
        entity_proxy: EntityProxy | None,
        classification_name: str,
        properties: InstanceProperties | None,
    ) -> Classification:
        request = ProxyClassificationRequest(
            entity_proxy=entity_proxy, instance_properties=properties
        )
        path = at("instances", "entity", "classification", classification_name)
        told = await self._post(user_id, path + "/properties", request)
        return self._classification(told)

    def _entity(self, told: Mapping[str, Any]) -> Document[EntityDetail]:
        return self._document(told.get("entity"), EntityDetail)

    def _classification(self, told: Mapping[str, Any]) -> Classification:
        return self._bean(told.get("classification"), Classification)


class RemoteRelationshipOperations(RemoteOperations):
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
        request = RelationshipCreateRequest(
            relationship_type_guid=relationship_type_guid,
            initial_properties=initial_properties,
            entity_one_guid=entity_one_guid,
            entity_two_guid=entity_two_guid,
            initial_status=initial_status,
            **_owned(external),
        )
        path = "/instances/relationship" + ("" if external is None else "/external")
        return self._relationship(await self._post(user_id, path, request))

    async def update_relationship_status(
        self, user_id: str, relationship_guid: str, new_status: InstanceStatus | None
    ) -> Document[Relationship]:
        path = _relationship_path(relationship_guid, "status")
        return self._relationship(await self._post(user_id, path, new_status))

    async def update_relationship_properties(
        self,
        user_id: str,
        relationship_guid: str,
        properties: InstanceProperties | None,
    ) -> Document[Relationship]:
        request = InstancePropertiesRequest(instance_properties=properties)
        path = _relationship_path(relationship_guid, "properties")
        return self._relationship(await self._post(user_id, path, request))

    async def undo_relationship_update(
        self, user_id: str, relationship_guid: str
    ) -> Document[Relationship] | None:
        told = await self._get(
            user_id, _relationship_path(relationship_guid, "previous")
        )
        return self._optional(told.get("relationship"), Relationship)

    async def delete_relationship(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        obsolete_relationship_guid: str,
    ) -> Document[Relationship]:
        request = _of_type(type_def_guid, type_def_name)
        path = _relationship_path(obsolete_relationship_guid, "delete")
        return self._relationship(await self._post(user_id, path, request))

    async def purge_relationship(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        deleted_relationship_guid: str,
    ) -> None:
        request = _of_type(type_def_guid, type_def_name)
        path = _relationship_path(deleted_relationship_guid, "purge")
        await self._post(user_id, path, request)

    async def restore_relationship(
        self, user_id: str, deleted_relationship_guid: str
    ) -> Document[Relationship]:
        path = _relationship_path(deleted_relationship_guid, "restore")
        return self._relationship(await self._get(user_id, path))

    async def re_identify_relationship(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        relationship_guid: str,
        new_relationship_guid: str | None,
    ) -> Document[Relationship]:
        request = _of_type(type_def_guid, type_def_name)
        path = _relationship_path(relationship_guid, "identity")
        path += asking(newRelationshipGUID=new_relationship_guid)
        return self._relationship(await self._post(user_id, path, request))

    async def re_type_relationship(
        self,
        user_id: str,
        relationship_guid: str,
        current_type_def: TypeDefSummary | None,
        new_type_def: TypeDefSummary | None,
    ) -> Document[Relationship]:
        request = TypeDefChangeRequest(
            current_type_def=current_type_def, new_type_def=new_type_def
        )
        path = _relationship_path(relationship_guid, "type")
        return self._relationship(await self._post(user_id, path, request))

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
        request = _of_type(type_def_guid, type_def_name)
        home = home_metadata_collection_id or ""
        path = _relationship_path(relationship_guid, "home", home)
        path += asking(
            newHomeMetadataCollectionId=new_home_metadata_collection_id,
            newHomeMetadataCollectionName=new_home_metadata_collection_name,
        )
        return self._relationship(await self._post(user_id, path, request))

    def _relationship(self, told: Mapping[str, Any]) -> Document[Relationship]:
        return self._document(told.get("relationship"), Relationship)
