"""Property values of instances."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from edgenode.clock import EpochMillis
from edgenode.typedefs.attributes import PrimitiveDefCategory

JsonScalar = str | int | float | bool | None
"""A primitive value on the wire; a date is epoch milliseconds, a char one letter."""


class InstancePropertyCategory(Enum):
    """The kinds of property value."""

    UNKNOWN = 0
    PRIMITIVE = 1
    ENUM = 2
    STRUCT = 3
    MAP = 4
    ARRAY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class InstancePropertyValue:
    """What all property values share; type GUID and name stay as the caller sent them."""

    header_version: int = 1
    instance_property_category: InstancePropertyCategory | None = None
    type_guid: str | None = None
    type_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimitivePropertyValue(InstancePropertyValue):
    """A primitive value."""

    instance_property_category: InstancePropertyCategory | None = (
        InstancePropertyCategory.PRIMITIVE
    )
    primitive_def_category: PrimitiveDefCategory | None = None
    primitive_value: JsonScalar = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumPropertyValue(InstancePropertyValue):
    """An enum's value."""

    instance_property_category: InstancePropertyCategory | None = (
        InstancePropertyCategory.ENUM
    )
    ordinal: int = 99
    symbolic_name: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceProperties:
    """The properties of an instance and the time they are meant for."""

    header_version: int = 1
    effective_from_time: EpochMillis | None = None
    effective_to_time: EpochMillis | None = None
    instance_properties: Mapping[str, InstancePropertyValue] = field(
        default_factory=dict
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayPropertyValue(InstancePropertyValue):
    """An array; its values are keyed ``"0"``, ``"1"`` and so on."""

    instance_property_category: InstancePropertyCategory | None = (
        InstancePropertyCategory.ARRAY
    )
    array_count: int = 0
    array_values: InstanceProperties | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MapPropertyValue(InstancePropertyValue):
    """A map; its count on the wire is computed."""

    instance_property_category: InstancePropertyCategory | None = (
        InstancePropertyCategory.MAP
    )
    map_values: InstanceProperties | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StructPropertyValue(InstancePropertyValue):
    """A struct."""

    instance_property_category: InstancePropertyCategory | None = (
        InstancePropertyCategory.STRUCT
    )
    attributes: InstanceProperties | None = None
