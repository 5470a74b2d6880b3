"""Attribute types: what a property's value may be."""

from dataclasses import dataclass
from enum import Enum


class PrimitiveDefCategory(Enum):
    """The primitive types, by the wire's symbols; the value is the type's name and GUID."""

    OM_PRIMITIVE_TYPE_UNKNOWN = ("object", "1c4b21f4-0b67-41a7-a6ed-2af185eb9b3b")
    OM_PRIMITIVE_TYPE_BOOLEAN = ("boolean", "3863f010-611c-41fe-aaae-5d4d427f863b")
    OM_PRIMITIVE_TYPE_BYTE = ("byte", "6b7d410a-2e8a-4d12-981a-a806449f9bdb")
    OM_PRIMITIVE_TYPE_CHAR = ("char", "b0abebe5-cf85-4065-86ad-f3c6360ed9c7")
    OM_PRIMITIVE_TYPE_SHORT = ("short", "8e95b966-ab60-46d4-a03f-40c5a1ba6c2a")
    OM_PRIMITIVE_TYPE_INT = ("int", "7fc49104-fd3a-46c8-b6bf-f16b6074cd35")
    OM_PRIMITIVE_TYPE_LONG = ("long", "33a91510-92ee-4825-9f49-facd7a6f9db6")
    OM_PRIMITIVE_TYPE_FLOAT = ("float", "52aeb769-37b7-4b30-b949-ddc7dcebcfa2")
    OM_PRIMITIVE_TYPE_DOUBLE = ("double", "e13572e8-25c3-4994-acb6-2ea66c95812e")
    OM_PRIMITIVE_TYPE_BIGINTEGER = (
        "biginteger",
        "8aa56e52-1076-4e0d-9b66-3873a1ed7392",
    )
    OM_PRIMITIVE_TYPE_BIGDECIMAL = (
        "bigdecimal",
        "d5c8ad9f-8fee-4a64-80b3-63ce1e47f6bb",
    )
    OM_PRIMITIVE_TYPE_STRING = ("string", "b34a64b9-554a-42b1-8f8a-7d5c2339f9c4")
    OM_PRIMITIVE_TYPE_DATE = ("date", "1bef35ca-d4f9-48db-87c2-afce4649362d")

    @property
    def type_name(self) -> str:
        """The primitive type's name, such as ``string``."""
        return self.value[0]

    @property
    def type_guid(self) -> str:
        """The primitive type's GUID."""
        return self.value[1]


class CollectionDefCategory(Enum):
    """The kinds of collection."""

    OM_COLLECTION_UNKNOWN = 0
    OM_COLLECTION_MAP = 1
    OM_COLLECTION_ARRAY = 2
    OM_COLLECTION_STRUCT = 3


class AttributeTypeDefCategory(Enum):
    """The kinds of attribute type."""

    UNKNOWN_DEF = 0
    PRIMITIVE = 1
    COLLECTION = 2
    ENUM_DEF = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumElementDef:
    """One valid value of an enum."""

    header_version: int = 1
    ordinal: int = 99
    value: str | None = None
    description: str | None = None
    description_guid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeTypeDef:
    """What the three kinds of attribute type share."""

    header_version: int = 1
    version: int = 0
    version_name: str | None = None
    category: AttributeTypeDefCategory = AttributeTypeDefCategory.UNKNOWN_DEF
    guid: str | None = None
    name: str | None = None
    description: str | None = None
    description_guid: str | None = None
    description_wiki: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimitiveDef(AttributeTypeDef):
    """A primitive attribute type."""

    category: AttributeTypeDefCategory = AttributeTypeDefCategory.PRIMITIVE
    primitive_def_category: PrimitiveDefCategory | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionDef(AttributeTypeDef):
    """A map, array or struct of primitives."""

    category: AttributeTypeDefCategory = AttributeTypeDefCategory.COLLECTION
    collection_def_category: CollectionDefCategory | None = None
    argument_count: int = 0
    argument_types: tuple[PrimitiveDefCategory, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumDef(AttributeTypeDef):
    """An enum attribute type."""

    category: AttributeTypeDefCategory = AttributeTypeDefCategory.ENUM_DEF
    element_defs: tuple[EnumElementDef, ...] | None = None
    default_value: EnumElementDef | None = None
