"""Whether an incoming definition is known, new, contradicts a known one or itself."""

from enum import Enum

from edgenode.typedefs.attributes import AttributeTypeDef
from edgenode.typedefs.descriptions import same_apart_from_descriptions
from edgenode.typedefs.model import RelationshipDef, TypeDef
from edgenode.typedefs.registry import TypeRegistry


class Verdict(Enum):
    """What a registry says of a definition."""

    KNOWN = 0
    UNKNOWN = 1
    CONFLICT = 2


def verify_type_def(registry: TypeRegistry, type_def: TypeDef) -> Verdict:
    """KNOWN when GUID and name are known together for a type of this category.

    Another version or other properties are no conflict: patches tell them.
    """
    by_guid = registry.type_def_by_guid(type_def.guid)
    by_name = registry.type_def(type_def.name)
    if by_guid is None and by_name is None:
        taken = registry.attribute_type_def_by_guid(type_def.guid)
        return Verdict.UNKNOWN if taken is None else Verdict.CONFLICT
    if by_guid is not by_name or type(by_guid) is not type(type_def):
        return Verdict.CONFLICT
    return Verdict.KNOWN


def verify_attribute_type_def(
    registry: TypeRegistry, attribute_type_def: AttributeTypeDef
) -> Verdict:
    """KNOWN when an equal one is known, descriptions apart: there are no patches for them."""
    by_guid = registry.attribute_type_def_by_guid(attribute_type_def.guid)
    by_name = registry.attribute_type_def(attribute_type_def.name)
    if by_guid is None and by_name is None:
        taken = registry.type_def_by_guid(attribute_type_def.guid)
        return Verdict.UNKNOWN if taken is None else Verdict.CONFLICT
    if by_guid is not by_name:
        return Verdict.CONFLICT
    same = same_apart_from_descriptions(by_guid, attribute_type_def)
    return Verdict.KNOWN if same else Verdict.CONFLICT


def fault_of(registry: TypeRegistry, type_def: TypeDef) -> str | None:
    """Why a definition can't be used together with those known; None when it can.

    A supertype may be unknown: the types of an archive or a cohort come in any order.
    """
    seen = set()
    for attribute in type_def.properties_definition or ():
        name = attribute.attribute_name
        if name is None:
            return "an attribute has no name"
        if attribute.attribute_type is None or attribute.attribute_type.name is None:
            return f"attribute {name} has no type"
        if name in seen:
            return f"attribute {name} is there twice"
        seen.add(name)
    if isinstance(type_def, RelationshipDef):
        for end in (type_def.end_def1, type_def.end_def2):
            if end is None or end.entity_type is None or end.entity_type.name is None:
                return "an end has no entity type"
    above = type_def.super_type
    return None if above is None else _supertype_fault(registry, type_def, above.name)


def _supertype_fault(
    registry: TypeRegistry, type_def: TypeDef, above: str | None
) -> str | None:
    if above is None:
        return "its supertype has no name"
    if type_def.name in (above, *_names_above(registry, above)):
        return "it inherits from itself"
    known = registry.type_def(above)
    if known is not None and type(known) is not type(type_def):
        return f"its supertype {above} is a {type(known).__name__}"
    return None


def _names_above(registry: TypeRegistry, name: str) -> tuple[str | None, ...]:
    """A type and all that it names above it, the last of which may be unknown."""
    lineage = registry.lineage(name)
    last = registry.type_def(lineage[-1]) if lineage else None
    if last is None or last.super_type is None:
        return lineage
    return (*lineage, last.super_type.name)
