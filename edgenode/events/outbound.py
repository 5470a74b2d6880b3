"""Which event a change of an instance causes, or a new type.

No event comes of relationships that are deleted or purged with an entity or follow one
that is re-identified, of proxies, or of copies of other members' instances.
"""

from dataclasses import replace
from typing import Any

from edgenode.events.model import InstanceEvent, OMRSTypeDefEventType, TypeDefEvent
from edgenode.events.model import OMRSInstanceEventType as Type
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntityProxy,
    InstanceHeader,
    Relationship,
)
from edgenode.typedefs.attributes import AttributeTypeDef
from edgenode.typedefs.model import TypeDef, TypeDefPatch, TypeDefSummary

Instance = EntityDetail | Relationship


def _about(header: InstanceHeader, event_type: Type, **payload: Any) -> InstanceEvent:
    known = header.type
    return InstanceEvent(
        event_type=event_type,
        # Receivers drop events that don't name the type.
        type_def_guid=None if known is None else known.type_def_guid,
        type_def_name=None if known is None else known.type_def_name,
        instance_guid=header.guid,
        **payload,
    )


def _of(
    instance: Instance, for_entity: Type, for_relationship: Type, **payload: Any
) -> InstanceEvent:
    if isinstance(instance, EntityDetail):
        return _about(instance, for_entity, entity=instance, **payload)
    return _about(instance, for_relationship, relationship=instance, **payload)


def created(instance: Instance) -> InstanceEvent:
    """A new instance."""
    return _of(instance, Type.NEW_ENTITY_EVENT, Type.NEW_RELATIONSHIP_EVENT)


def updated(original: Instance, instance: Instance) -> InstanceEvent:
    """Other properties or another status."""
    event = _of(instance, Type.UPDATED_ENTITY_EVENT, Type.UPDATED_RELATIONSHIP_EVENT)
    if isinstance(original, EntityDetail):
        return replace(event, original_entity=original)
    return replace(event, original_relationship=original)


def undone(instance: Instance) -> InstanceEvent:
    """An earlier content brought back."""
    return _of(instance, Type.UNDONE_ENTITY_EVENT, Type.UNDONE_RELATIONSHIP_EVENT)


def deleted(instance: Instance) -> InstanceEvent:
    """Soft deletion; the instance is in its deleted state."""
    return _of(instance, Type.DELETED_ENTITY_EVENT, Type.DELETED_RELATIONSHIP_EVENT)


def purged(instance: Instance) -> InstanceEvent:
    """Removal for good; the instance is as last stored."""
    return _of(instance, Type.PURGED_ENTITY_EVENT, Type.PURGED_RELATIONSHIP_EVENT)


def restored(instance: Instance) -> InstanceEvent:
    """A deletion taken back."""
    return _of(instance, Type.RESTORED_ENTITY_EVENT, Type.RESTORED_RELATIONSHIP_EVENT)


def re_identified(instance: Instance, original_guid: str) -> InstanceEvent:
    """Another GUID, which the instance has already."""
    return _of(
        instance,
        Type.RE_IDENTIFIED_ENTITY_EVENT,
        Type.RE_IDENTIFIED_RELATIONSHIP_EVENT,
        original_instance_guid=original_guid,
    )


def re_typed(instance: Instance, original_type: TypeDefSummary) -> InstanceEvent:
    """Another type, which the instance has already."""
    return _of(
        instance,
        Type.RETYPED_ENTITY_EVENT,
        Type.RETYPED_RELATIONSHIP_EVENT,
        original_type_def_summary=original_type,
    )


def re_homed(instance: Instance, original_home_id: str | None) -> InstanceEvent:
    """Another home, which the instance has already.

    Egeria puts the new home's id in the field of the original one; this puts what the
    field's name says, and no receiver is known to look.
    """
    return _of(
        instance,
        Type.RE_HOMED_ENTITY_EVENT,
        Type.RE_HOMED_RELATIONSHIP_EVENT,
        original_home_metadata_collection_id=original_home_id,
    )


# Classifications. The entity is in its new state; the proxy form says that the caller
# named the entity by a proxy.


def classified(
    entity: EntityDetail | EntityProxy, classification: Classification
) -> InstanceEvent:
    """A new classification."""
    return _about(
        entity,
        Type.CLASSIFIED_ENTITY_EVENT,
        **_classified_entity(entity),
        classification=classification,
    )


def re_classified(
    entity: EntityDetail | EntityProxy,
    original: Classification,
    classification: Classification,
) -> InstanceEvent:
    """Other properties of a classification."""
    return _about(
        entity,
        Type.RECLASSIFIED_ENTITY_EVENT,
        **_classified_entity(entity),
        original_classification=original,
        classification=classification,
    )


def declassified(
    entity: EntityDetail | EntityProxy, original: Classification
) -> InstanceEvent:
    """A classification taken away."""
    return _about(
        entity,
        Type.DECLASSIFIED_ENTITY_EVENT,
        **_classified_entity(entity),
        original_classification=original,
    )


def _classified_entity(entity: EntityDetail | EntityProxy) -> dict[str, Any]:
    name = "entity" if isinstance(entity, EntityDetail) else "entity_proxy"
    return {name: entity}


# Copies


def refreshed(instance: Instance) -> InstanceEvent:
    """An instance sent again, because somebody asked for it."""
    return _of(instance, Type.REFRESHED_ENTITY_EVENT, Type.REFRESHED_RELATIONSHIP_EVENT)


def refresh_entity_requested(
    guid: str, type_guid: str, type_name: str, home_id: str
) -> InstanceEvent:
    """A request that an entity's home send it again."""
    return InstanceEvent(
        event_type=Type.REFRESH_ENTITY_REQUEST,
        type_def_guid=type_guid,
        type_def_name=type_name,
        instance_guid=guid,
        home_metadata_collection_id=home_id,
    )


def refresh_relationship_requested(
    guid: str, type_guid: str, type_name: str, home_id: str
) -> InstanceEvent:
    """A request that a relationship's home send it again."""
    return replace(
        refresh_entity_requested(guid, type_guid, type_name, home_id),
        event_type=Type.REFRESH_RELATIONSHIP_REQUEST,
    )


# Types


def new_type(definition: TypeDef | AttributeTypeDef) -> TypeDefEvent:
    """A type that others may not know."""
    if isinstance(definition, TypeDef):
        return TypeDefEvent(
            type_def_event_type=OMRSTypeDefEventType.NEW_TYPEDEF_EVENT,
            type_def=definition,
        )
    return TypeDefEvent(
        type_def_event_type=OMRSTypeDefEventType.NEW_ATTRIBUTE_TYPEDEF_EVENT,
        attribute_type_def=definition,
    )


def updated_type(patch: TypeDefPatch) -> TypeDefEvent:
    """A patch to a type that others may know at an earlier version."""
    return TypeDefEvent(
        type_def_event_type=OMRSTypeDefEventType.UPDATED_TYPEDEF_EVENT,
        type_def_patch=patch,
    )
