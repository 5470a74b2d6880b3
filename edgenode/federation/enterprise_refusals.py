"""What nobody may ask of the whole cohort, because it is one member's own business."""

from collections.abc import Callable, Coroutine
from typing import Any, Never

from edgenode.errors import FunctionNotSupportedError
from edgenode.federation.enterprise_base import REPOSITORY, EnterpriseOperations

Refusal = Callable[..., Coroutine[Any, Any, Never]]


def _not_offered(operation: str) -> Refusal:
    async def refuse(*asked: object, **named: object) -> Never:
        raise FunctionNotSupportedError(
            operation, "EnterpriseMetadataCollection", REPOSITORY
        )

    return refuse


class EnterpriseRefusals(EnterpriseOperations):
    """Operations that are mounted for a member alone; none of them comes through."""

    # Types are changed at a member, which tells the others.
    add_type_def_gallery = _not_offered("addTypeDefGallery")
    add_type_def = _not_offered("addTypeDef")
    add_attribute_type_def = _not_offered("addAttributeTypeDef")
    update_type_def = _not_offered("updateTypeDef")
    delete_type_def = _not_offered("deleteTypeDef")
    delete_attribute_type_def = _not_offered("deleteAttributeTypeDef")
    re_identify_type_def = _not_offered("reIdentifyTypeDef")
    re_identify_attribute_type_def = _not_offered("reIdentifyAttributeTypeDef")

    get_home_classifications = _not_offered("getHomeClassifications")

    # These change what an instance is, or whose, so the right member must be meant.
    re_identify_entity = _not_offered("reIdentifyEntity")
    re_type_entity = _not_offered("reTypeEntity")
    re_home_entity = _not_offered("reHomeEntity")
    re_identify_relationship = _not_offered("reIdentifyRelationship")
    re_type_relationship = _not_offered("reTypeRelationship")
    re_home_relationship = _not_offered("reHomeRelationship")

    # Copies are what one member has of the others.
    save_entity_reference_copy = _not_offered("saveEntityReferenceCopy")
    delete_entity_reference_copy = _not_offered("deleteEntityReferenceCopy")
    purge_entity_reference_copy = _not_offered("purgeEntityReferenceCopy")
    purge_entity_reference_copy_by_guid = _not_offered("purgeEntityReferenceCopy")
    refresh_entity_reference_copy = _not_offered("refreshEntityReferenceCopy")
    save_classification_reference_copy = _not_offered("saveClassificationReferenceCopy")
    purge_classification_reference_copy = _not_offered(
        "purgeClassificationReferenceCopy"
    )
    save_relationship_reference_copy = _not_offered("saveRelationshipReferenceCopy")
    delete_relationship_reference_copy = _not_offered("deleteRelationshipReferenceCopy")
    purge_relationship_reference_copy = _not_offered("purgeRelationshipReferenceCopy")
    purge_relationship_reference_copy_by_guid = _not_offered(
        "purgeRelationshipReferenceCopy"
    )
    refresh_relationship_reference_copy = _not_offered(
        "refreshRelationshipReferenceCopy"
    )
    save_instance_reference_copies = _not_offered("saveInstanceReferenceCopies")
