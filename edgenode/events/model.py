"""The events of a cohort: what members tell each other, and how it is wrapped.

The sections are kept in the outbox by themselves; ``OMRSEventV1`` is what travels.
"""

from dataclasses import dataclass
from enum import Enum

from edgenode.clock import EpochMillis
from edgenode.connectors.connection import Connection
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntityProxy,
    InstanceGraph,
    InstanceProvenanceType,
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


class OMRSRegistryEventType(Enum):
    """What a member says of its membership."""

    UNKNOWN_REGISTRY_EVENT = 0
    REGISTRATION_EVENT = 1
    REFRESH_REGISTRATION_REQUEST = 2
    RE_REGISTRATION_EVENT = 3
    UN_REGISTRATION_EVENT = 4
    REGISTRATION_ERROR_EVENT = 99


class OMRSEventCategory(Enum):
    """Which section an event has."""

    UNKNOWN = 0
    REGISTRY = 1
    TYPEDEF = 2
    INSTANCE = 3
    GENERIC = 99


class OMRSEventErrorCode(Enum):
    """What is wrong, in an error event."""

    NOT_IN_USE = 0
    INVALID_EVENT_FORMAT = 1
    INVALID_REGISTRY_EVENT = 2
    INVALID_TYPEDEF_EVENT = 3
    INVALID_INSTANCE_EVENT = 4
    CONFLICTING_COLLECTION_ID = 11
    BAD_REMOTE_CONNECTION = 12
    CONFLICTING_TYPEDEFS = 21
    CONFLICTING_ATTRIBUTE_TYPEDEFS = 22
    TYPEDEF_PATCH_MISMATCH = 23
    CONFLICTING_INSTANCES = 31
    CONFLICTING_TYPE = 32
    UNKNOWN_ERROR_CODE = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryEvent:
    """The registry section of an event; a request to refresh has the type alone."""

    registry_event_type: OMRSRegistryEventType
    registration_timestamp: EpochMillis | None = None
    metadata_collection_name: str | None = None
    remote_connection: Connection | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventError:
    """The error section of an event: whose what is at odds with whose other."""

    error_code: OMRSEventErrorCode | None = None
    error_message: str | None = None
    target_metadata_collection_id: str | None = None
    target_remote_connection: Connection | None = None
    target_type_def_summary: TypeDefSummary | None = None
    target_attribute_type_def: AttributeTypeDef | None = None
    target_instance_guid: str | None = None
    other_origin: InstanceProvenanceType | None = None
    other_metadata_collection_id: str | None = None
    other_type_def_summary: TypeDefSummary | None = None
    other_type_def: TypeDef | None = None
    other_attribute_type_def: AttributeTypeDef | None = None
    other_instance_guid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OMRSEventOriginator:
    """Who sends an event; a request to refresh registrations names no collection."""

    metadata_collection_id: str | None = None
    server_name: str | None = None
    server_type: str | None = None
    organization_name: str | None = None


PROTOCOL_VERSION = "OMRS V1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class OMRSEventV1:
    """An event as it travels: one section, and who sent it when."""

    protocol_version_id: str = PROTOCOL_VERSION
    timestamp: EpochMillis | None = None
    originator: OMRSEventOriginator | None = None
    event_category: OMRSEventCategory | None = None
    registry_event_section: RegistryEvent | None = None
    type_def_event_section: TypeDefEvent | None = None
    instance_event_section: InstanceEvent | None = None
    error_section: EventError | None = None
