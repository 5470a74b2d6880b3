"""Operations that change instances."""

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
from edgenode.instances.model import ClassificationOrigin, EntityProxy
from edgenode.rest.operations import Call, Fields, Operation, Query
from edgenode.typedefs.status import InstanceStatus

_ASSIGNED = ClassificationSource()


def _external(
    request: EntityCreateRequest | RelationshipCreateRequest,
) -> ExternalSource:
    return ExternalSource(
        request.metadata_collection_id, request.metadata_collection_name
    )


def _source(request: ClassificationRequest) -> ClassificationSource:
    external = None
    if request.metadata_collection_id is not None:
        external = ExternalSource(
            request.metadata_collection_id, request.metadata_collection_name
        )
    return ClassificationSource(
        request.classification_origin or ClassificationOrigin.ASSIGNED,
        request.classification_origin_guid,
        external,
    )


async def _add_entity(call: Call, external: ExternalSource | None) -> Fields:
    request: EntityCreateRequest = call.body
    entity = await call.collection.add_entity(
        call.user_id,
        request.entity_type_guid,
        request.initial_properties,
        request.initial_classifications,
        request.initial_status,
        external,
    )
    return {"entity": entity}


async def add_entity(call: Call) -> Fields:
    return await _add_entity(call, None)


async def add_external_entity(call: Call) -> Fields:
    return await _add_entity(call, _external(call.body))


async def add_entity_proxy(call: Call) -> Fields:
    await call.collection.add_entity_proxy(call.user_id, call.body)
    return {}


async def update_entity_status(call: Call) -> Fields:
    entity = await call.collection.update_entity_status(
        call.user_id, call.path["entityGUID"], call.body
    )
    return {"entity": entity}


async def update_entity_properties(call: Call) -> Fields:
    entity = await call.collection.update_entity_properties(
        call.user_id, call.path["entityGUID"], call.body.instance_properties
    )
    return {"entity": entity}


async def undo_entity_update(call: Call) -> Fields:
    entity = await call.collection.undo_entity_update(
        call.user_id, call.path["entityGUID"]
    )
    return {"entity": entity}


async def delete_entity(call: Call) -> Fields:
    entity = await call.collection.delete_entity(
        call.user_id,
        call.body.type_def_guid,
        call.body.type_def_name,
        call.path["obsoleteEntityGUID"],
    )
    return {"entity": entity}


async def purge_entity(call: Call) -> Fields:
    await call.collection.purge_entity(
        call.user_id,
        call.body.type_def_guid,
        call.body.type_def_name,
        call.path["deletedEntityGUID"],
    )
    return {}


async def restore_entity(call: Call) -> Fields:
    entity = await call.collection.restore_entity(
        call.user_id, call.path["deletedEntityGUID"]
    )
    return {"entity": entity}


async def classify_entity(call: Call) -> Fields:
    entity = await call.collection.classify_entity(
        call.user_id,
        call.path["entityGUID"],
        call.path["classificationName"],
        _ASSIGNED,
        call.body.instance_properties,
    )
    return {"entity": entity}


async def classify_entity_detailed(call: Call) -> Fields:
    request: ClassificationRequest = call.body
    entity = await call.collection.classify_entity(
        call.user_id,
        call.path["entityGUID"],
        call.path["classificationName"],
        _source(request),
        request.classification_properties,
    )
    return {"entity": entity}


async def classify_entity_by_proxy(call: Call) -> Fields:
    classification = await call.collection.classify_entity_by_proxy(
        call.user_id,
        call.body.entity_proxy,
        call.path["classificationName"],
        _ASSIGNED,
        call.body.instance_properties,
    )
    return {"classification": classification}


async def classify_entity_by_proxy_detailed(call: Call) -> Fields:
    request: ClassificationProxyRequest = call.body
    classification = await call.collection.classify_entity_by_proxy(
        call.user_id,
        request.entity_proxy,
        call.path["classificationName"],
        _source(request),
        request.classification_properties,
    )
    return {"classification": classification}


async def declassify_entity(call: Call) -> Fields:
    entity = await call.collection.declassify_entity(
        call.user_id, call.path["entityGUID"], call.path["classificationName"]
    )
    return {"entity": entity}


async def declassify_entity_by_proxy(call: Call) -> Fields:
    classification = await call.collection.declassify_entity_by_proxy(
        call.user_id, call.body, call.path["classificationName"]
    )
    return {"classification": classification}


async def update_entity_classification(call: Call) -> Fields:
    entity = await call.collection.update_entity_classification(
        call.user_id,
        call.path["entityGUID"],
        call.path["classificationName"],
        call.body.instance_properties,
    )
    return {"entity": entity}


async def update_entity_classification_by_proxy(call: Call) -> Fields:
    classification = await call.collection.update_entity_classification_by_proxy(
        call.user_id,
        call.body.entity_proxy,
        call.path["classificationName"],
        call.body.instance_properties,
    )
    return {"classification": classification}


async def _add_relationship(call: Call, external: ExternalSource | None) -> Fields:
    request: RelationshipCreateRequest = call.body
    relationship = await call.collection.add_relationship(
        call.user_id,
        request.relationship_type_guid,
        request.initial_properties,
        request.entity_one_guid,
        request.entity_two_guid,
        request.initial_status,
        external,
    )
    return {"relationship": relationship}


async def add_relationship(call: Call) -> Fields:
    return await _add_relationship(call, None)


async def add_external_relationship(call: Call) -> Fields:
    return await _add_relationship(call, _external(call.body))


async def update_relationship_status(call: Call) -> Fields:
    relationship = await call.collection.update_relationship_status(
        call.user_id, call.path["relationshipGUID"], call.body
    )
    return {"relationship": relationship}


async def update_relationship_properties(call: Call) -> Fields:
    relationship = await call.collection.update_relationship_properties(
        call.user_id, call.path["relationshipGUID"], call.body.instance_properties
    )
    return {"relationship": relationship}


async def undo_relationship_update(call: Call) -> Fields:
    relationship = await call.collection.undo_relationship_update(
        call.user_id, call.path["relationshipGUID"]
    )
    return {"relationship": relationship}


async def delete_relationship(call: Call) -> Fields:
    relationship = await call.collection.delete_relationship(
        call.user_id,
        call.body.type_def_guid,
        call.body.type_def_name,
        call.path["obsoleteRelationshipGUID"],
    )
    return {"relationship": relationship}


async def purge_relationship(call: Call) -> Fields:
    await call.collection.purge_relationship(
        call.user_id,
        call.body.type_def_guid,
        call.body.type_def_name,
        call.path["deletedRelationshipGUID"],
    )
    return {}


async def restore_relationship(call: Call) -> Fields:
    relationship = await call.collection.restore_relationship(
        call.user_id, call.path["deletedRelationshipGUID"]
    )
    return {"relationship": relationship}


async def re_identify_entity(call: Call) -> Fields:
    entity = await call.collection.re_identify_entity(
        call.user_id,
        call.body.type_def_guid,
        call.body.type_def_name,
        call.path["entityGUID"],
        call.query["newEntityGUID"],
    )
    return {"entity": entity}


async def re_type_entity(call: Call) -> Fields:
    entity = await call.collection.re_type_entity(
        call.user_id,
        call.path["entityGUID"],
        call.body.current_type_def,
        call.body.new_type_def,
    )
    return {"entity": entity}


async def re_home_entity(call: Call) -> Fields:
    entity = await call.collection.re_home_entity(
        call.user_id,
        call.path["entityGUID"],
        call.body.type_def_guid,
        call.body.type_def_name,
        call.path["homeMetadataCollectionId"],
        call.query["newHomeMetadataCollectionId"],
        call.query.get("newHomeMetadataCollectionName"),
    )
    return {"entity": entity}


async def re_identify_relationship(call: Call) -> Fields:
    relationship = await call.collection.re_identify_relationship(
        call.user_id,
        call.body.type_def_guid,
        call.body.type_def_name,
        call.path["relationshipGUID"],
        call.query["newRelationshipGUID"],
    )
    return {"relationship": relationship}


async def re_type_relationship(call: Call) -> Fields:
    relationship = await call.collection.re_type_relationship(
        call.user_id,
        call.path["relationshipGUID"],
        call.body.current_type_def,
        call.body.new_type_def,
    )
    return {"relationship": relationship}


async def re_home_relationship(call: Call) -> Fields:
    relationship = await call.collection.re_home_relationship(
        call.user_id,
        call.path["relationshipGUID"],
        call.body.type_def_guid,
        call.body.type_def_name,
        call.path["homeMetadataCollectionId"],
        call.query["newHomeMetadataCollectionId"],
        call.query.get("newHomeMetadataCollectionName"),
    )
    return {"relationship": relationship}


_ENTITY = "/instances/entity/{entityGUID}"
_BY_PROXY = "/instances/entity/classification/{classificationName}"
_CLASSIFICATION = _ENTITY + "/classification/{classificationName}"
_RELATIONSHIP = "/instances/relationship/{relationshipGUID}"
_NEW_HOME = (
    Query(name="newHomeMetadataCollectionId"),
    Query(name="newHomeMetadataCollectionName", required=False),
)

OPERATIONS = (
    Operation("POST", "/instances/entity", "addEntity",
              add_entity, "EntityDetailResponse", EntityCreateRequest),
    Operation("POST", "/instances/entity/external", "addExternalEntity",
              add_external_entity, "EntityDetailResponse", EntityCreateRequest),
    Operation("POST", "/instances/entity-proxy", "addEntityProxy",
              add_entity_proxy, "VoidResponse", EntityProxy),
    Operation("POST", _ENTITY + "/status", "updateEntityStatus",
              update_entity_status, "EntityDetailResponse", InstanceStatus),
    Operation("POST", _ENTITY + "/properties", "updateEntityProperties",
              update_entity_properties, "EntityDetailResponse",
              InstancePropertiesRequest),
    Operation("GET", _ENTITY + "/previous", "undoEntityUpdate",
              undo_entity_update, "EntityDetailResponse"),
    Operation("POST", "/instances/entity/{obsoleteEntityGUID}/delete", "deleteEntity",
              delete_entity, "EntityDetailResponse", TypeDefValidationForRequest),
    Operation("POST", "/instances/entity/{deletedEntityGUID}/purge", "purgeEntity",
              purge_entity, "VoidResponse", TypeDefValidationForRequest),
    Operation("GET", "/instances/entity/{deletedEntityGUID}/restore", "restoreEntity",
              restore_entity, "EntityDetailResponse"),
    Operation("POST", _CLASSIFICATION, "classifyEntity",
              classify_entity, "EntityDetailResponse", InstancePropertiesRequest),
    Operation("POST", _BY_PROXY, "classifyEntity",
              classify_entity_by_proxy, "ClassificationResponse",
              ProxyClassificationRequest),
    Operation("POST", _CLASSIFICATION + "/detailed", "classifyEntity",
              classify_entity_detailed, "EntityDetailResponse", ClassificationRequest),
    Operation("POST", _BY_PROXY + "/detailed", "classifyEntity",
              classify_entity_by_proxy_detailed, "ClassificationResponse",
              ClassificationProxyRequest),
    Operation("POST", _CLASSIFICATION + "/delete", "declassifyEntity",
              declassify_entity, "EntityDetailResponse", OMRSAPIRequest,
              body_required=False),
    Operation("POST", _BY_PROXY + "/delete", "declassifyEntity",
              declassify_entity_by_proxy, "ClassificationResponse", EntityProxy),
    Operation("POST", _CLASSIFICATION + "/properties", "updateEntityClassification",
              update_entity_classification, "EntityDetailResponse",
              InstancePropertiesRequest),
    Operation("POST", _BY_PROXY + "/properties", "updateEntityClassification",
              update_entity_classification_by_proxy, "ClassificationResponse",
              ProxyClassificationRequest),
    Operation("POST", "/instances/relationship", "addRelationship",
              add_relationship, "RelationshipResponse", RelationshipCreateRequest),
    Operation("POST", "/instances/relationship/external", "addExternalRelationship",
              add_external_relationship, "RelationshipResponse",
              RelationshipCreateRequest),
    Operation("POST", _RELATIONSHIP + "/status", "updateRelationshipStatus",
              update_relationship_status, "RelationshipResponse", InstanceStatus),
    Operation("POST", _RELATIONSHIP + "/properties", "updateRelationshipProperties",
              update_relationship_properties, "RelationshipResponse",
              InstancePropertiesRequest),
    Operation("GET", _RELATIONSHIP + "/previous", "undoRelationshipUpdate",
              undo_relationship_update, "RelationshipResponse"),
    Operation("POST", "/instances/relationship/{obsoleteRelationshipGUID}/delete",
              "deleteRelationship", delete_relationship, "RelationshipResponse",
              TypeDefValidationForRequest),
    Operation("POST", "/instances/relationship/{deletedRelationshipGUID}/purge",
              "purgeRelationship", purge_relationship, "VoidResponse",
              TypeDefValidationForRequest),
    Operation("GET", "/instances/relationship/{deletedRelationshipGUID}/restore",
              "restoreRelationship", restore_relationship, "RelationshipResponse"),
    Operation("POST", _ENTITY + "/identity", "reIdentifyEntity",
              re_identify_entity, "EntityDetailResponse", TypeDefValidationForRequest,
              query=(Query(name="newEntityGUID"),), enterprise=False),
    Operation("POST", _ENTITY + "/type", "reTypeEntity",
              re_type_entity, "EntityDetailResponse", TypeDefChangeRequest,
              enterprise=False),
    Operation("POST", _ENTITY + "/home/{homeMetadataCollectionId}", "reHomeEntity",
              re_home_entity, "EntityDetailResponse", TypeDefValidationForRequest,
              query=_NEW_HOME, enterprise=False),
    Operation("POST", _RELATIONSHIP + "/identity", "reIdentifyRelationship",
              re_identify_relationship, "RelationshipResponse",
              TypeDefValidationForRequest,
              query=(Query(name="newRelationshipGUID"),), enterprise=False),
    Operation("POST", _RELATIONSHIP + "/type", "reTypeRelationship",
              re_type_relationship, "RelationshipResponse", TypeDefChangeRequest,
              enterprise=False),
    Operation("POST", _RELATIONSHIP + "/home/{homeMetadataCollectionId}",
              "reHomeRelationship", re_home_relationship, "RelationshipResponse",
              TypeDefValidationForRequest, query=_NEW_HOME, enterprise=False),
)  # fmt: skip
