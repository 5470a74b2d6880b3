"""The operations of a metadata collection, as OMRS defines them.

Local, remote and enterprise collections answer alike, so nobody above asks where an
instance lives. Names and parameters are those of Java's OMRSMetadataCollection in
snake_case; every operation raises the ``OMRSError`` subclass that its Java counterpart
documents. Where the API has two forms of one operation (now and as of a time), here it
is one with ``as_of_time``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from edgenode.clock import EpochMillis
from edgenode.instances.conditions import (
    MatchCriteria,
    Paging,
    SearchClassifications,
    SearchProperties,
)
from edgenode.instances.document import Document
from edgenode.instances.model import (
    Classification,
    ClassificationOrigin,
    EntityDetail,
    EntityProxy,
    EntitySummary,
    Relationship,
)
from edgenode.instances.properties import InstanceProperties
from edgenode.instances.status import InstanceStatus
from edgenode.repository.base import Graph, HistoryRange
from edgenode.typedefs.attributes import AttributeTypeDef, AttributeTypeDefCategory
from edgenode.typedefs.model import (
    TypeDef,
    TypeDefCategory,
    TypeDefGallery,
    TypeDefPatch,
    TypeDefSummary,
)

Guids = Sequence[str] | None
Statuses = Sequence[InstanceStatus] | None


@dataclass(frozen=True, slots=True)
class ExternalSource:
    """The metadata collection of a source outside the cohort."""

    metadata_collection_id: str | None
    metadata_collection_name: str | None


@dataclass(frozen=True, slots=True)
class ClassificationSource:
    """Where a classification came from; ``external`` for one owned outside the cohort."""

    origin: ClassificationOrigin = ClassificationOrigin.ASSIGNED
    origin_guid: str | None = None
    external: ExternalSource | None = None


class TypeOperations(Protocol):
    """Groups 1 and 2 of OMRS: the collection's identity and its types."""

    def get_metadata_collection_id(self, user_id: str) -> str: ...

    def get_all_types(self, user_id: str) -> TypeDefGallery: ...

    def find_types_by_name(self, user_id: str, name: str) -> TypeDefGallery: ...

    def find_type_defs_by_category(
        self, user_id: str, category: TypeDefCategory
    ) -> tuple[TypeDef, ...]: ...

    def find_attribute_type_defs_by_category(
        self, user_id: str, category: AttributeTypeDefCategory
    ) -> tuple[AttributeTypeDef, ...]: ...

    def find_type_defs_by_property(
        self, user_id: str, match_criteria: Mapping[str, object] | None
    ) -> tuple[TypeDef, ...]: ...

    def find_types_by_external_id(
        self,
        user_id: str,
        standard: str | None,
        organization: str | None,
        identifier: str | None,
    ) -> tuple[TypeDef, ...]: ...

    def search_for_type_defs(
        self, user_id: str, search_criteria: str
    ) -> tuple[TypeDef, ...]: ...

    def get_type_def_by_guid(self, user_id: str, guid: str) -> TypeDef: ...

    def get_attribute_type_def_by_guid(
        self, user_id: str, guid: str
    ) -> AttributeTypeDef: ...

    def get_type_def_by_name(self, user_id: str, name: str) -> TypeDef: ...

    def get_attribute_type_def_by_name(
        self, user_id: str, name: str
    ) -> AttributeTypeDef: ...

    async def add_type_def_gallery(
        self, user_id: str, gallery: TypeDefGallery
    ) -> None: ...

    async def add_type_def(self, user_id: str, type_def: TypeDef) -> None: ...

    async def add_attribute_type_def(
        self, user_id: str, attribute_type_def: AttributeTypeDef
    ) -> None: ...

    def verify_type_def(self, user_id: str, type_def: TypeDef) -> bool: ...

    def verify_attribute_type_def(
        self, user_id: str, attribute_type_def: AttributeTypeDef
    ) -> bool: ...

    async def update_type_def(self, user_id: str, patch: TypeDefPatch) -> TypeDef: ...

    async def delete_type_def(
        self, user_id: str, guid: str, name: str | None
    ) -> None: ...

    async def delete_attribute_type_def(
        self, user_id: str, guid: str, name: str | None
    ) -> None: ...

    async def re_identify_type_def(
        self,
        user_id: str,
        original_guid: str,
        original_name: str | None,
        new_guid: str | None,
        new_name: str | None,
    ) -> TypeDef: ...

    async def re_identify_attribute_type_def(
        self,
        user_id: str,
        original_guid: str,
        original_name: str | None,
        new_guid: str | None,
        new_name: str | None,
    ) -> AttributeTypeDef: ...


class QueryOperations(Protocol):
    """Group 3 of OMRS: reading and finding instances."""

    def is_entity_known(
        self, user_id: str, guid: str
    ) -> Document[EntityDetail] | None: ...

    def get_entity_summary(
        self, user_id: str, guid: str
    ) -> Document[EntitySummary]: ...

    def get_entity_detail(
        self, user_id: str, guid: str, as_of_time: EpochMillis | None = None
    ) -> Document[EntityDetail]: ...

    async def get_entity_detail_history(
        self, user_id: str, guid: str, span: HistoryRange
    ) -> list[Document[EntityDetail]]: ...

    async def get_relationships_for_entity(
        self,
        user_id: str,
        entity_guid: str,
        relationship_type_guid: str | None,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[Relationship]]: ...

    async def find_entities(
        self,
        user_id: str,
        entity_type_guid: str | None,
        entity_subtype_guids: Guids,
        match_properties: SearchProperties | None,
        limit_results_by_status: Statuses,
        match_classifications: SearchClassifications | None,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[EntityDetail]]: ...

    async def find_entities_by_property(
        self,
        user_id: str,
        entity_type_guid: str | None,
        match_properties: InstanceProperties | None,
        match_criteria: MatchCriteria | None,
        limit_results_by_status: Statuses,
        limit_results_by_classification: Guids,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[EntityDetail]]: ...

    async def find_entities_by_classification(
        self,
        user_id: str,
        entity_type_guid: str | None,
        classification_name: str,
        match_properties: InstanceProperties | None,
        match_criteria: MatchCriteria | None,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[EntityDetail]]: ...

    async def find_entities_by_property_value(
        self,
        user_id: str,
        entity_type_guid: str | None,
        search_criteria: str | None,
        limit_results_by_status: Statuses,
        limit_results_by_classification: Guids,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[EntityDetail]]: ...

    def is_relationship_known(
        self, user_id: str, guid: str
    ) -> Document[Relationship] | None: ...

    def get_relationship(
        self, user_id: str, guid: str, as_of_time: EpochMillis | None = None
    ) -> Document[Relationship]: ...

    async def get_relationship_history(
        self, user_id: str, guid: str, span: HistoryRange
    ) -> list[Document[Relationship]]: ...

    async def find_relationships(
        self,
        user_id: str,
        relationship_type_guid: str | None,
        relationship_subtype_guids: Guids,
        match_properties: SearchProperties | None,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[Relationship]]: ...

    async def find_relationships_by_property(
        self,
        user_id: str,
        relationship_type_guid: str | None,
        match_properties: InstanceProperties | None,
        match_criteria: MatchCriteria | None,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[Relationship]]: ...

    async def find_relationships_by_property_value(
        self,
        user_id: str,
        relationship_type_guid: str | None,
        search_criteria: str | None,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[Relationship]]: ...

    async def get_linking_entities(
        self,
        user_id: str,
        start_entity_guid: str,
        end_entity_guid: str,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
    ) -> Graph: ...

    async def get_entity_neighborhood(
        self,
        user_id: str,
        entity_guid: str,
        entity_type_guids: Guids,
        relationship_type_guids: Guids,
        limit_results_by_status: Statuses,
        limit_results_by_classification: Guids,
        as_of_time: EpochMillis | None,
        level: int,
    ) -> Graph: ...

    async def get_related_entities(
        self,
        user_id: str,
        start_entity_guid: str,
        entity_type_guids: Guids,
        limit_results_by_status: Statuses,
        limit_results_by_classification: Guids,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[EntityDetail]]: ...

    def get_home_classifications(
        self, user_id: str, entity_guid: str, as_of_time: EpochMillis | None = None
    ) -> tuple[Classification, ...]: ...


class InstanceOperations(Protocol):
    """Groups 4 and 5 of OMRS: maintaining instances and who they belong to."""

    async def add_entity(
        self,
        user_id: str,
        entity_type_guid: str | None,
        initial_properties: InstanceProperties | None,
        initial_classifications: Sequence[Classification] | None,
        initial_status: InstanceStatus | None,
        external: ExternalSource | None = None,
    ) -> Document[EntityDetail]: ...

    async def add_entity_proxy(self, user_id: str, proxy: EntityProxy) -> None: ...

    async def update_entity_status(
        self, user_id: str, entity_guid: str, new_status: InstanceStatus | None
    ) -> Document[EntityDetail]: ...

    async def update_entity_properties(
        self, user_id: str, entity_guid: str, properties: InstanceProperties | None
    ) -> Document[EntityDetail]: ...

    async def undo_entity_update(
        self, user_id: str, entity_guid: str
    ) -> Document[EntityDetail] | None: ...

    async def delete_entity(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        obsolete_entity_guid: str,
    ) -> Document[EntityDetail]: ...

    async def purge_entity(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        deleted_entity_guid: str,
    ) -> None: ...

    async def restore_entity(
        self, user_id: str, deleted_entity_guid: str
    ) -> Document[EntityDetail]: ...

    async def classify_entity(
        self,
        user_id: str,
        entity_guid: str,
        classification_name: str,
        source: ClassificationSource,
        properties: InstanceProperties | None,
    ) -> Document[EntityDetail]: ...

    async def classify_entity_by_proxy(
        self,
        user_id: str,
        entity_proxy: EntityProxy | None,
        classification_name: str,
        source: ClassificationSource,
        properties: InstanceProperties | None,
    ) -> Classification: ...

    async def declassify_entity(
        self, user_id: str, entity_guid: str, classification_name: str
    ) -> Document[EntityDetail]: ...

    async def declassify_entity_by_proxy(
        self, user_id: str, entity_proxy: EntityProxy | None, classification_name: str
    ) -> Classification: ...

    async def update_entity_classification(
        self,
        user_id: str,
        entity_guid: str,
        classification_name: str,
        properties: InstanceProperties | None,
    ) -> Document[EntityDetail]: ...

    async def update_entity_classification_by_proxy(
        self,
        user_id: str,
        entity_proxy: EntityProxy | None,
        classification_name: str,
        properties: InstanceProperties | None,
    ) -> Classification: ...

    async def add_relationship(
        self,
        user_id: str,
        relationship_type_guid: str | None,
        initial_properties: InstanceProperties | None,
        entity_one_guid: str | None,
        entity_two_guid: str | None,
        initial_status: InstanceStatus | None,
        external: ExternalSource | None = None,
    ) -> Document[Relationship]: ...

    async def update_relationship_status(
        self, user_id: str, relationship_guid: str, new_status: InstanceStatus | None
    ) -> Document[Relationship]: ...

    async def update_relationship_properties(
        self,
        user_id: str,
        relationship_guid: str,
        properties: InstanceProperties | None,
    ) -> Document[Relationship]: ...

    async def undo_relationship_update(
        self, user_id: str, relationship_guid: str
    ) -> Document[Relationship] | None: ...

    async def delete_relationship(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        obsolete_relationship_guid: str,
    ) -> Document[Relationship]: ...

    async def purge_relationship(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        deleted_relationship_guid: str,
    ) -> None: ...

    async def restore_relationship(
        self, user_id: str, deleted_relationship_guid: str
    ) -> Document[Relationship]: ...

    async def re_identify_entity(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        entity_guid: str,
        new_entity_guid: str | None,
    ) -> Document[EntityDetail]: ...

    async def re_type_entity(
        self,
        user_id: str,
        entity_guid: str,
        current_type_def: TypeDefSummary | None,
        new_type_def: TypeDefSummary | None,
    ) -> Document[EntityDetail]: ...

    async def re_home_entity(
        self,
        user_id: str,
        entity_guid: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        home_metadata_collection_id: str | None,
        new_home_metadata_collection_id: str | None,
        new_home_metadata_collection_name: str | None,
    ) -> Document[EntityDetail]: ...

    async def re_identify_relationship(
        self,
        user_id: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        relationship_guid: str,
        new_relationship_guid: str | None,
    ) -> Document[Relationship]: ...

    async def re_type_relationship(
        self,
        user_id: str,
        relationship_guid: str,
        current_type_def: TypeDefSummary | None,
        new_type_def: TypeDefSummary | None,
    ) -> Document[Relationship]: ...

    async def re_home_relationship(
        self,
        user_id: str,
        relationship_guid: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        home_metadata_collection_id: str | None,
        new_home_metadata_collection_id: str | None,
        new_home_metadata_collection_name: str | None,
    ) -> Document[Relationship]: ...


class ReferenceOperations(Protocol):
    """Group 6 of OMRS: copies of instances whose home is elsewhere."""

    async def save_entity_reference_copy(
        self, user_id: str, entity: EntityDetail | None
    ) -> None: ...

    async def delete_entity_reference_copy(
        self, user_id: str, entity: EntityDetail | None
    ) -> None: ...

    async def purge_entity_reference_copy(
        self, user_id: str, entity: EntityDetail | None
    ) -> None: ...

    async def purge_entity_reference_copy_by_guid(
        self,
        user_id: str,
        entity_guid: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        home_metadata_collection_id: str | None,
    ) -> None: ...

    async def refresh_entity_reference_copy(
        self,
        user_id: str,
        entity_guid: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        home_metadata_collection_id: str | None,
    ) -> None: ...

    async def save_classification_reference_copy(
        self,
        user_id: str,
        entity: EntityDetail | EntityProxy | None,
        classification: Classification | None,
    ) -> None: ...

    async def purge_classification_reference_copy(
        self,
        user_id: str,
        entity: EntityDetail | EntityProxy | None,
        classification: Classification | None,
    ) -> None: ...

    async def save_relationship_reference_copy(
        self, user_id: str, relationship: Relationship | None
    ) -> None: ...

    async def delete_relationship_reference_copy(
        self, user_id: str, relationship: Relationship | None
    ) -> None: ...

    async def purge_relationship_reference_copy(
        self, user_id: str, relationship: Relationship | None
    ) -> None: ...

    async def purge_relationship_reference_copy_by_guid(
        self,
        user_id: str,
        relationship_guid: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        home_metadata_collection_id: str | None,
    ) -> None: ...

    async def refresh_relationship_reference_copy(
        self,
        user_id: str,
        relationship_guid: str,
        type_def_guid: str | None,
        type_def_name: str | None,
        home_metadata_collection_id: str | None,
    ) -> None: ...

    async def save_instance_reference_copies(
        self,
        user_id: str,
        entities: Sequence[EntityDetail] | None,
        relationships: Sequence[Relationship] | None,
    ) -> None: ...


class MetadataCollection(
    TypeOperations, QueryOperations, InstanceOperations, ReferenceOperations, Protocol
):
    """All operations."""
