"""Operations on reference copies."""

from edgenode.codec.requests import (
    ClassificationWithEntityRequest,
    InstanceGraphRequest,
    TypeDefValidationForRequest,
)
from edgenode.instances.model import EntityDetail, EntityProxy, Relationship
from edgenode.rest.operations import Call, Fields, Operation, Query


async def save_entity_reference_copy(call: Call) -> Fields:
    await call.collection.save_entity_reference_copy(call.user_id, call.body)
    return {}


async def delete_entity_reference_copy(call: Call) -> Fields:
    await call.collection.delete_entity_reference_copy(call.user_id, call.body)
    return {}


async def purge_entity_reference_copy(call: Call) -> Fields:
    await call.collection.purge_entity_reference_copy(call.user_id, call.body)
    return {}


async def purge_entity_reference_copy_by_guid(call: Call) -> Fields:
    await call.collection.purge_entity_reference_copy_by_guid(
        call.user_id,
        call.path["entityGUID"],
        call.body.type_def_guid,
        call.body.type_def_name,
        call.query["homeMetadataCollectionId"],
    )
    return {}


async def refresh_entity_reference_copy(call: Call) -> Fields:
    await call.collection.refresh_entity_reference_copy(
        call.user_id,
        call.path["entityGUID"],
        call.body.type_def_guid,
        call.body.type_def_name,
        call.query["homeMetadataCollectionId"],
    )
    return {}


def _entity(
    request: ClassificationWithEntityRequest,
) -> EntityDetail | EntityProxy | None:
    return request.entity or request.entity_proxy


async def save_classification_reference_copy(call: Call) -> Fields:
    await call.collection.save_classification_reference_copy(
        call.user_id, _entity(call.body), call.body.classification
    )
    return {}


async def purge_classification_reference_copy(call: Call) -> Fields:
    await call.collection.purge_classification_reference_copy(
        call.user_id, _entity(call.body), call.body.classification
    )
    return {}


async def save_relationship_reference_copy(call: Call) -> Fields:
    await call.collection.save_relationship_reference_copy(call.user_id, call.body)
    return {}


async def delete_relationship_reference_copy(call: Call) -> Fields:
    await call.collection.delete_relationship_reference_copy(call.user_id, call.body)
    return {}


async def purge_relationship_reference_copy(call: Call) -> Fields:
    await call.collection.purge_relationship_reference_copy(call.user_id, call.body)
    return {}


async def purge_relationship_reference_copy_by_guid(call: Call) -> Fields:
    await call.collection.purge_relationship_reference_copy_by_guid(
        call.user_id,
        call.path["relationshipGUID"],
        call.body.type_def_guid,
        call.body.type_def_name,
        call.query["homeMetadataCollectionId"],
    )
    return {}


async def refresh_relationship_reference_copy(call: Call) -> Fields:
    await call.collection.refresh_relationship_reference_copy(
        call.user_id,
        call.path["relationshipGUID"],
        call.body.type_def_guid,
        call.body.type_def_name,
        call.query["homeMetadataCollectionId"],
    )
    return {}


async def save_instance_reference_copies(call: Call) -> Fields:
    await call.collection.save_instance_reference_copies(
        call.user_id,
        call.body.entity_element_list,
        call.body.relationship_element_list,
    )
    return {}


_HOME = (Query(name="homeMetadataCollectionId"),)
_ENTITIES = "/instances/entities/reference-copy"
_CLASSIFICATIONS = "/instances/entities/classifications/reference-copy"
_RELATIONSHIPS = "/instances/relationships/reference-copy"

OPERATIONS = (
    Operation("POST", _ENTITIES, "saveEntityReferenceCopy",
              save_entity_reference_copy, "VoidResponse", EntityDetail,
              enterprise=False),
    Operation("POST", _ENTITIES + "/delete", "deleteEntityReferenceCopy",
              delete_entity_reference_copy, "VoidResponse", EntityDetail,
              enterprise=False),
    Operation("POST", _ENTITIES + "/purge", "purgeEntityReferenceCopy",
              purge_entity_reference_copy, "VoidResponse", EntityDetail,
              enterprise=False),
    Operation("POST", _ENTITIES + "/{entityGUID}/purge", "purgeEntityReferenceCopy",
              purge_entity_reference_copy_by_guid, "VoidResponse",
              TypeDefValidationForRequest, query=_HOME, enterprise=False),
    Operation("POST", _ENTITIES + "/{entityGUID}/refresh",
              "refreshEntityReferenceCopy", refresh_entity_reference_copy,
              "VoidResponse", TypeDefValidationForRequest, query=_HOME,
              enterprise=False),
    Operation("POST", _CLASSIFICATIONS, "saveClassificationReferenceCopy",
              save_classification_reference_copy, "VoidResponse",
              ClassificationWithEntityRequest, enterprise=False),
    Operation("POST", _CLASSIFICATIONS + "/purge", "purgeClassificationReferenceCopy",
              purge_classification_reference_copy, "VoidResponse",
              ClassificationWithEntityRequest, enterprise=False),
    Operation("POST", _RELATIONSHIPS, "saveRelationshipReferenceCopy",
              save_relationship_reference_copy, "VoidResponse", Relationship,
              enterprise=False),
    Operation("POST", _RELATIONSHIPS + "/delete", "deleteRelationshipReferenceCopy",
              delete_relationship_reference_copy, "VoidResponse", Relationship,
              enterprise=False),
    Operation("POST", _RELATIONSHIPS + "/purge", "purgeRelationshipReferenceCopy",
              purge_relationship_reference_copy, "VoidResponse", Relationship,
              enterprise=False),
    Operation("POST", _RELATIONSHIPS + "/{relationshipGUID}/purge",
              "purgeRelationshipReferenceCopy",
              purge_relationship_reference_copy_by_guid, "VoidResponse",
              TypeDefValidationForRequest, query=_HOME, enterprise=False),
    Operation("POST", _RELATIONSHIPS + "/{relationshipGUID}/refresh",
              "refreshRelationshipReferenceCopy", refresh_relationship_reference_copy,
              "VoidResponse", TypeDefValidationForRequest, query=_HOME,
              enterprise=False),
    Operation("POST", "/instances", "saveInstanceReferenceCopies",
              save_instance_reference_copies, "VoidResponse", InstanceGraphRequest,
              enterprise=False),
)  # fmt: skip
