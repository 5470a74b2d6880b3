"""Entities, relationships and classifications, named and nested as on the wire."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from edgenode.clock import EpochMillis
from edgenode.instances.properties import InstanceProperties
from edgenode.typedefs.model import TypeDefCategory
from edgenode.typedefs.status import InstanceStatus


class InstanceProvenanceType(Enum):
    """Where an instance comes from, which decides who may change it."""

    UNKNOWN = 0
    LOCAL_COHORT = 1
    EXPORT_ARCHIVE = 2
    CONTENT_PACK = 3
    DEREGISTERED_REPOSITORY = 4
    CONFIGURATION = 5
    EXTERNAL_SOURCE = 6


class ClassificationOrigin(Enum):
    """Whether a classification was given or flowed over a relationship."""

    ASSIGNED = 0
    PROPAGATED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceType:
    """The type of an instance at the version it was last written with."""

    header_version: int = 1
    type_def_category: TypeDefCategory = TypeDefCategory.UNKNOWN_DEF
    type_def_guid: str | None = None
    type_def_name: str | None = None
    type_def_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceAuditHeader:
    """Type, provenance, history and status; shared by instances and classifications.

    ``maintained_by`` holds the users who updated, without the creator and without
    repetition; ``version`` counts from 1.
    """

    header_version: int = 1
    type: InstanceType | None = None
    instance_provenance_type: InstanceProvenanceType | None = None
    metadata_collection_id: str | None = None
    metadata_collection_name: str | None = None
    replicated_by: str | None = None
    instance_license: str | None = None
    created_by: str | None = None
    updated_by: str | None = None
    maintained_by: tuple[str, ...] | None = None
    create_time: EpochMillis | None = None
    update_time: EpochMillis | None = None
    version: int = 0
    status_on_delete: InstanceStatus | None = None
    mapping_properties: Mapping[str, object] | None = None
    status: InstanceStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification(InstanceAuditHeader):
    """A classification of an entity, homed and versioned on its own."""

    classification_origin: ClassificationOrigin | None = ClassificationOrigin.ASSIGNED
    classification_origin_guid: str | None = None
    name: str | None = None
    properties: InstanceProperties | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceHeader(InstanceAuditHeader):
    """The header of an instance that has a GUID."""

    guid: str | None = None
    instance_url: str | None = None
    re_identified_from_guid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitySummary(InstanceHeader):
    """An entity without its properties."""

    classifications: tuple[Classification, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityDetail(EntitySummary):
    """An entity."""

    properties: InstanceProperties | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityProxy(EntitySummary):
    """What is known of an entity without a copy of it: its header and unique properties."""

    unique_properties: InstanceProperties | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Relationship(InstanceHeader):
    """A relationship; its proxies are snapshots of its ends."""

    entity_one_proxy: EntityProxy | None = None
    entity_two_proxy: EntityProxy | None = None
    properties: InstanceProperties | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceGraph:
    """Entities and the relationships between them."""

    header_version: int = 1
    entities: tuple[EntityDetail, ...] | None = None
    relationships: tuple[Relationship, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationEntityExtension:
    """A classification for an entity that lives elsewhere, as archives carry it."""

    header_version: int = 1
    classification: Classification | None = None
    entity_to_classify: EntityProxy | None = None
