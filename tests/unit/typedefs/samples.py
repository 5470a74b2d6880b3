"""Definitions that tests build on."""

from typing import Any

from edgenode.typedefs.attributes import (
    AttributeTypeDef,
    EnumDef,
    EnumElementDef,
    PrimitiveDef,
    PrimitiveDefCategory,
)
from edgenode.typedefs.model import (
    EntityDef,
    TypeDef,
    TypeDefAttribute,
    TypeDefLink,
    TypeDefPatch,
)
from edgenode.typedefs.status import InstanceStatus


def primitive(category: PrimitiveDefCategory, **changes: Any) -> PrimitiveDef:
    values: dict[str, Any] = {
        "guid": category.type_guid,
        "name": category.type_name,
        "version": 1,
        "version_name": "1.0",
        "primitive_def_category": category,
    }
    return PrimitiveDef(**values | changes)


STRING = primitive(PrimitiveDefCategory.OM_PRIMITIVE_TYPE_STRING)
INT = primitive(PrimitiveDefCategory.OM_PRIMITIVE_TYPE_INT)
COLOUR = EnumDef(
    guid="enum-colour",
    name="Colour",
    version=1,
    element_defs=(
        EnumElementDef(ordinal=0, value="RED"),
        EnumElementDef(ordinal=1, value="BLUE"),
    ),
)


def attribute(
    name: str, kind: AttributeTypeDef = STRING, **changes: Any
) -> TypeDefAttribute:
    return TypeDefAttribute(attribute_name=name, attribute_type=kind, **changes)


def link(type_def: TypeDef) -> TypeDefLink:
    return TypeDefLink(guid=type_def.guid, name=type_def.name)


def entity_def(name: str, above: TypeDef | None = None, **changes: Any) -> EntityDef:
    values: dict[str, Any] = {
        "guid": f"guid-{name}",
        "name": name,
        "version": 1,
        "version_name": "1.0",
        "super_type": None if above is None else link(above),
        "valid_instance_status_list": (InstanceStatus.ACTIVE, InstanceStatus.DELETED),
        "initial_status": InstanceStatus.ACTIVE,
    }
    return EntityDef(**values | changes)


def patch_of(type_def: TypeDef, **changes: Any) -> TypeDefPatch:
    """A patch from the definition's version to the next."""
    values: dict[str, Any] = {
        "type_def_guid": type_def.guid,
        "type_def_name": type_def.name,
        "apply_to_version": type_def.version,
        "update_to_version": type_def.version + 1,
        "new_version_name": f"{type_def.version + 1}.0",
        "updated_by": "ann",
        "update_time": 1_700_000_000_000,
    }
    return TypeDefPatch(**values | changes)
