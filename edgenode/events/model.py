"""Instance and type events, as the outbox keeps them until they are sent."""

from dataclasses import dataclass
from enum import Enum

from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntityProxy,
    InstanceGraph,
    Relationship,
)
from edgenode.typedefs.attributes import AttributeTypeDef
from edgenode.typedefs.model import TypeDef, TypeDefPatch, TypeDefSummary


class OMRSInstanceEventType(Enum):
    """What happened to an instance."""

    UNKNOWN_INSTANCE_EVENT = 0
    NEW_ENTITY_EVENT = 1
    UPDATED_ENTITY_EVENT = 2
    UNDONE_ENTITY_EVENT = 3
    CLASSIFIED_ENTITY_EVENT = 4
    DECLASSIFIED_ENTITY_EVENT = 5
    RECLASSIFIED_ENTITY_EVENT = 6
    DELETED_ENTITY_EVENT = 7
    PURGED_ENTITY_EVENT = 8
    RESTORED_ENTITY_EVENT = 9
    RE_IDENTIFIED_ENTITY_EVENT = 10
    RETYPED_ENTITY_EVENT = 11
    RE_HOMED_ENTITY_EVENT = 12
    REFRESH_ENTITY_REQUEST = 13
    REFRESHED_ENTITY_EVENT = 14
    NEW_RELATIONSHIP_EVENT = 15
    UPDATED_RELATIONSHIP_EVENT = 16
    UNDONE_RELATIONSHIP_EVENT = 17
    DELETED_RELATIONSHIP_EVENT = 18
    PURGED_RELATIONSHIP_EVENT = 19
    RESTORED_RELATIONSHIP_EVENT = 20
    RE_IDENTIFIED_RELATIONSHIP_EVENT = 21
    RETYPED_RELATIONSHIP_EVENT = 22
    RE_HOMED_RELATIONSHIP_EVENT = 23
    REFRESH_RELATIONSHIP_REQUEST = 24
    REFRESHED_RELATIONSHIP_EVENT = 25
    BATCH_INSTANCES_EVENT = 26
    DELETE_PURGED_ENTITY_EVENT = 27
    DELETE_PURGED_RELATIONSHIP_EVENT = 28
    INSTANCE_ERROR_EVENT = 99


class OMRSTypeDefEventType(Enum):
    """What happened to a type definition."""

    UNKNOWN_TYPEDEF_EVENT = 0
    NEW_TYPEDEF_EVENT = 1
    NEW_ATTRIBUTE_TYPEDEF_EVENT = 2
    UPDATED_TYPEDEF_EVENT = 3
    DELETED_TYPEDEF_EVENT = 4
    DELETED_ATTRIBUTE_TYPEDEF_EVENT = 5
    RE_IDENTIFIED_TYPEDEF_EVENT = 6
    RE_IDENTIFIED_ATTRIBUTE_TYPEDEF_EVENT = 7
    TYPEDEF_ERROR_EVENT = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceEvent:
    """The instance section of an event; which fields are set depends on the type."""

    event_type: OMRSInstanceEventType
    type_def_guid: str | None = None
    type_def_name: str | None = None
    instance_guid: str | None = None
    original_entity: EntityDetail | None = None
    entity: EntityDetail | None = None
    entity_proxy: EntityProxy | None = None
    original_relationship: Relationship | None = None
    relationship: Relationship | None = None
    original_classification: Classification | None = None
    classification: Classification | None = None
    instance_batch: InstanceGraph | None = None
    home_metadata_collection_id: str | None = None
    original_home_metadata_collection_id: str | None = None
    original_type_def_summary: TypeDefSummary | None = None
    original_instance_guid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDefEvent:
    """The type section of an event; which fields are set depends on the type."""

    type_def_event_type: OMRSTypeDefEventType
    type_def_guid: str | None = None
    type_def_name: str | None = None
    attribute_type_def: AttributeTypeDef | None = None
    type_def: TypeDef | None = None
    type_def_patch: TypeDefPatch | None = None
    original_type_def_summary: TypeDefSummary | None = None
    original_attribute_type_def: AttributeTypeDef | None = None
