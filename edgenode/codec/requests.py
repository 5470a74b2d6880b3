"""The bodies of requests, one dataclass each, under the wire's own names."""

from dataclasses import dataclass

from edgenode.clock import EpochMillis
from edgenode.instances.conditions import (
    HistorySequencingOrder,
    MatchCriteria,
    SearchClassifications,
    SearchProperties,
    SequencingOrder,
)
from edgenode.instances.model import (
    Classification,
    ClassificationOrigin,
    EntityDetail,
    EntityProxy,
    Relationship,
)
from edgenode.instances.properties import InstanceProperties
from edgenode.typedefs.model import TypeDefSummary
from edgenode.typedefs.status import InstanceStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class OMRSAPIRequest:
    """Base of all request bodies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OMRSAPIFindRequest(OMRSAPIRequest):
    """A search, limited by status."""

    limit_results_by_status: tuple[InstanceStatus, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OMRSAPIHistoricalFindRequest(OMRSAPIFindRequest):
    """A search at a time."""

    as_of_time: EpochMillis | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OMRSAPIPagedFindRequest(OMRSAPIFindRequest):
    """A search whose result is paged."""

    sequencing_property: str | None = None
    sequencing_order: SequencingOrder | None = None
    offset: int = 0
    page_size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeLimitedFindRequest(OMRSAPIPagedFindRequest):
    """A search within a type."""

    type_guid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeLimitedHistoricalFindRequest(TypeLimitedFindRequest):
    """A search within a type, at a time."""

    as_of_time: EpochMillis | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtypeLimitedFindRequest(TypeLimitedFindRequest):
    """A search within some subtypes."""

    subtype_guids: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceFindRequest(SubtypeLimitedFindRequest):
    """A search by conditions on properties."""

    match_properties: SearchProperties | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceHistoricalFindRequest(InstanceFindRequest):
    """A search by conditions, at a time."""

    as_of_time: EpochMillis | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityFindRequest(InstanceFindRequest):
    """A search by conditions on properties and classifications."""

    match_classifications: SearchClassifications | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityHistoricalFindRequest(EntityFindRequest):
    """A search by conditions on properties and classifications, at a time."""

    as_of_time: EpochMillis | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyMatchFindRequest(TypeLimitedFindRequest):
    """A search by example properties."""

    match_properties: InstanceProperties | None = None
    match_criteria: MatchCriteria | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyMatchHistoricalFindRequest(PropertyMatchFindRequest):
    """A search by example properties, at a time."""

    as_of_time: EpochMillis | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityPropertyFindRequest(PropertyMatchFindRequest):
    """A search for entities by example properties."""

    limit_results_by_classification: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityPropertyHistoricalFindRequest(EntityPropertyFindRequest):
    """A search for entities by example properties, at a time."""

    as_of_time: EpochMillis | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityNeighborhoodFindRequest(OMRSAPIFindRequest):
    """Which part of an entity's neighbourhood."""

    entity_type_guids: tuple[str, ...] | None = None
    relationship_type_guids: tuple[str, ...] | None = None
    limit_results_by_classification: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityNeighborhoodHistoricalFindRequest(EntityNeighborhoodFindRequest):
    """Which part of an entity's neighbourhood, at a time."""

    as_of_time: EpochMillis | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedEntitiesFindRequest(OMRSAPIPagedFindRequest):
    """Which related entities."""

    entity_type_guids: tuple[str, ...] | None = None
    limit_results_by_classification: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedEntitiesHistoricalFindRequest(RelatedEntitiesFindRequest):
    """Which related entities, at a time."""

    as_of_time: EpochMillis | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRequest(OMRSAPIRequest):
    """A read at a time."""

    as_of_time: EpochMillis | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRangeRequest(OMRSAPIRequest):
    """Which versions of an instance."""

    from_time: EpochMillis | None = None
    to_time: EpochMillis | None = None
    offset: int = 0
    page_size: int = 0
    sequencing_order: HistorySequencingOrder = HistorySequencingOrder.BACKWARDS


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityCreateRequest(OMRSAPIRequest):
    """A new entity; the collection fields are for external ones."""

    entity_type_guid: str | None = None
    initial_properties: InstanceProperties | None = None
    initial_classifications: tuple[Classification, ...] | None = None
    initial_status: InstanceStatus | None = None
    metadata_collection_id: str | None = None
    metadata_collection_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationshipCreateRequest(OMRSAPIRequest):
    """A new relationship; the collection fields are for external ones."""

    relationship_type_guid: str | None = None
    initial_properties: InstanceProperties | None = None
    entity_one_guid: str | None = None
    entity_two_guid: str | None = None
    initial_status: InstanceStatus | None = None
    metadata_collection_id: str | None = None
    metadata_collection_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstancePropertiesRequest(OMRSAPIRequest):
    """Properties to set."""

    instance_properties: InstanceProperties | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyClassificationRequest(InstancePropertiesRequest):
    """Properties of a classification, and the entity it belongs to."""

    entity_proxy: EntityProxy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationRequest(OMRSAPIRequest):
    """A classification with its origin; the collection fields are for external ones."""

    classification_origin: ClassificationOrigin | None = None
    classification_origin_guid: str | None = None
    classification_properties: InstanceProperties | None = None
    metadata_collection_id: str | None = None
    metadata_collection_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationProxyRequest(ClassificationRequest):
    """A classification with its origin, and the entity it belongs to."""

    entity_proxy: EntityProxy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationWithEntityRequest(OMRSAPIRequest):
    """A copy of a classification, and the entity it belongs to in either form."""

    classification: Classification | None = None
    entity: EntityDetail | None = None
    entity_proxy: EntityProxy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceGraphRequest(OMRSAPIRequest):
    """Copies of instances."""

    entity_element_list: tuple[EntityDetail, ...] | None = None
    relationship_element_list: tuple[Relationship, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataCollectionIdRequest(OMRSAPIRequest):
    """A metadata collection."""

    metadata_collection_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDefChangeRequest(OMRSAPIRequest):
    """The type an instance has and the one it shall have."""

    current_type_def: TypeDefSummary | None = None
    new_type_def: TypeDefSummary | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDefDeleteRequest(OMRSAPIRequest):
    """The name of a type to delete."""

    obsolete_type_def_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDefReIdentifyRequest(OMRSAPIRequest):
    """The new identifiers of a type."""

    original_type_def_name: str | None = None
    new_type_def_guid: str | None = None
    new_type_def_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDefValidationForRequest(OMRSAPIRequest):
    """The type that the caller believes an instance to have."""

    type_def_guid: str | None = None
    type_def_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDefProperties:
    """Names of properties; the values aren't looked at."""

    type_def_properties: dict[str, object] | None = None
