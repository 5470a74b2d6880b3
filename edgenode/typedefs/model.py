"""Type definitions of entities, relationships and classifications."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from edgenode.clock import EpochMillis
from edgenode.typedefs.attributes import AttributeTypeDef
from edgenode.typedefs.status import InstanceStatus


class TypeDefCategory(Enum):
    """The kinds of type definition."""

    UNKNOWN_DEF = 0
    CLASSIFICATION_DEF = 5
    ENTITY_DEF = 6
    RELATIONSHIP_DEF = 8

    @property
    def display_name(self) -> str:
        """The kind's bean class, as errors name it (``EntityDef``)."""
        return {5: "ClassificationDef", 6: "EntityDef", 8: "RelationshipDef"}.get(
            self.value, "Unknown"
        )


class TypeDefStatus(Enum):
    """Whether a type may still be used."""

    ACTIVE_TYPEDEF = 1
    RENAMED_TYPEDEF = 2
    DEPRECATED_TYPEDEF = 3


class TypeDefAttributeStatus(Enum):
    """Whether an attribute may still be used."""

    ACTIVE_ATTRIBUTE = 1
    RENAMED_ATTRIBUTE = 2
    DEPRECATED_ATTRIBUTE = 3


class AttributeCardinality(Enum):
    """How many values an attribute may have."""

    UNKNOWN = 0
    AT_MOST_ONE = 1
    ONE_ONLY = 2
    AT_LEAST_ONE_ORDERED = 3
    AT_LEAST_ONE_UNORDERED = 4
    ANY_NUMBER_ORDERED = 5
    ANY_NUMBER_UNORDERED = 6


class RelationshipEndCardinality(Enum):
    """How many relationships may sit at one end."""

    UNKNOWN = 0
    AT_MOST_ONE = 1
    ANY_NUMBER = 2


class ClassificationPropagationRule(Enum):
    """Which way classifications flow over a relationship."""

    NONE = 0
    ONE_TO_TWO = 1
    TWO_TO_ONE = 2
    BOTH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDefLink:
    """A reference to a type definition."""

    header_version: int = 1
    guid: str | None = None
    name: str | None = None
    status: TypeDefStatus | None = None
    replaced_by_type_guid: str | None = None
    replaced_by_type_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDefSummary(TypeDefLink):
    """A reference that says which version is meant."""

    version: int = 0
    version_name: str | None = None
    category: TypeDefCategory = TypeDefCategory.UNKNOWN_DEF


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalStandardMapping:
    """The element of another standard that a type or attribute stands for."""

    header_version: int = 1
    standard_name: str | None = None
    standard_organization: str | None = None
    standard_type_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDefAttribute:
    """One attribute that a type adds to those it inherits."""

    header_version: int = 1
    attribute_name: str | None = None
    attribute_type: AttributeTypeDef | None = None
    attribute_status: TypeDefAttributeStatus | None = None
    replaced_by_attribute: str | None = None
    attribute_description: str | None = None
    attribute_description_guid: str | None = None
    values_min_count: int = 0
    values_max_count: int = 1
    default_value: str | None = None
    external_standard_mappings: tuple[ExternalStandardMapping, ...] | None = None
    unique: bool = False
    attribute_cardinality: AttributeCardinality = AttributeCardinality.UNKNOWN
    indexable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationshipEndDef:
    """One end of a relationship."""

    header_version: int = 1
    entity_type: TypeDefLink | None = None
    attribute_name: str | None = None
    attribute_description: str | None = None
    attribute_description_guid: str | None = None
    attribute_cardinality: RelationshipEndCardinality = (
        RelationshipEndCardinality.UNKNOWN
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDef(TypeDefSummary):
    """What the three kinds of type definition share."""

    super_type: TypeDefLink | None = None
    description: str | None = None
    description_guid: str | None = None
    description_wiki: str | None = None
    origin: str | None = None
    created_by: str | None = None
    updated_by: str | None = None
    create_time: EpochMillis | None = None
    update_time: EpochMillis | None = None
    options: Mapping[str, str] | None = None
    external_standard_mappings: tuple[ExternalStandardMapping, ...] | None = None
    valid_instance_status_list: tuple[InstanceStatus, ...] | None = None
    initial_status: InstanceStatus | None = None
    properties_definition: tuple[TypeDefAttribute, ...] | None = None

    @property
    def summary(self) -> TypeDefSummary:
        """This definition as others refer to it."""
        return TypeDefSummary(
            guid=self.guid,
            name=self.name,
            status=self.status,
            version=self.version,
            version_name=self.version_name,
            category=self.category,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityDef(TypeDef):
    """An entity type."""

    category: TypeDefCategory = TypeDefCategory.ENTITY_DEF


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationshipDef(TypeDef):
    """A relationship type."""

    category: TypeDefCategory = TypeDefCategory.RELATIONSHIP_DEF
    propagation_rule: ClassificationPropagationRule = ClassificationPropagationRule.NONE
    end_def1: RelationshipEndDef | None = None
    end_def2: RelationshipEndDef | None = None
    multi_link: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationDef(TypeDef):
    """A classification type."""

    category: TypeDefCategory = TypeDefCategory.CLASSIFICATION_DEF
    valid_entity_defs: tuple[TypeDefLink, ...] | None = None
    propagatable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDefPatch:
    """A change from one version of a type definition to a later one."""

    header_version: int = 1
    type_def_guid: str | None = None
    type_def_name: str | None = None
    type_def_status: TypeDefStatus | None = None
    apply_to_version: int = 0
    update_to_version: int = 0
    new_version_name: str | None = None
    updated_by: str | None = None
    update_time: EpochMillis | None = None
    description: str | None = None
    description_guid: str | None = None
    description_wiki: str | None = None
    super_type: TypeDefLink | None = None
    property_definitions: tuple[TypeDefAttribute, ...] | None = None
    type_def_options: Mapping[str, str] | None = None
    external_standard_mappings: tuple[ExternalStandardMapping, ...] | None = None
    valid_instance_status_list: tuple[InstanceStatus, ...] | None = None
    initial_status: InstanceStatus | None = None
    valid_entity_defs: tuple[TypeDefLink, ...] | None = None
    end_def1: RelationshipEndDef | None = None
    end_def2: RelationshipEndDef | None = None
    update_multi_link: bool = False
    multi_link: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDefGallery:
    """A set of type definitions."""

    header_version: int = 1
    attribute_type_defs: tuple[AttributeTypeDef, ...] | None = None
    type_defs: tuple[TypeDef, ...] | None = None
