"""The types a server knows, by GUID and name, and what follows from their inheritance.

One registry is shared by every part of a server. Only the event loop changes it, one
definition at a time; any thread may read it. A change makes new tables and puts them
in place by a single assignment, so a reader sees the types before it or after it,
and what was worked out from the old tables (supertypes, attributes) goes with them.
Types arrive in any order: a supertype that isn't known yet ends the chain.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeVar

from edgenode.typedefs.attributes import AttributeTypeDef
from edgenode.typedefs.model import (
    ClassificationDef,
    EntityDef,
    RelationshipDef,
    TypeDef,
    TypeDefAttribute,
    TypeDefLink,
)

T = TypeVar("T")
Definition = TypeDef | AttributeTypeDef


class TypeRegistry:
    """Known types; the order of all listings is that in which they became known."""

    __slots__ = ("_types",)

    def __init__(self, definitions: Iterable[Definition] = ()) -> None:
        self._types = _Types({str(known.guid): known for known in definitions})

    # Definitions

    @property
    def type_defs(self) -> tuple[TypeDef, ...]:
        """All entity, relationship and classification types."""
        return tuple(self._types.type_defs.values())

    @property
    def attribute_type_defs(self) -> tuple[AttributeTypeDef, ...]:
        """All attribute types."""
        return tuple(self._types.attribute_type_defs.values())

    @property
    def definitions(self) -> tuple[TypeDef | AttributeTypeDef, ...]:
        """All of both kinds, each after those that it refers to."""
        return (*self.attribute_type_defs, *self.type_defs)

    def type_def(self, name: str | None) -> TypeDef | None:
        """The type of this name."""
        return self._types.type_defs.get(name)  # type: ignore[arg-type]

    def type_def_by_guid(self, guid: str | None) -> TypeDef | None:
        """The type with this GUID."""
        known = self._types.by_guid.get(guid)  # type: ignore[arg-type]
        return known if isinstance(known, TypeDef) else None

    def attribute_type_def(self, name: str | None) -> AttributeTypeDef | None:
        """The attribute type of this name."""
        return self._types.attribute_type_defs.get(name)  # type: ignore[arg-type]

    def attribute_type_def_by_guid(self, guid: str | None) -> AttributeTypeDef | None:
        """The attribute type with this GUID."""
        known = self._types.by_guid.get(guid)  # type: ignore[arg-type]
        return known if isinstance(known, AttributeTypeDef) else None

    # Inheritance

    def lineage(self, name: str) -> tuple[str, ...]:
        """The type and its supertypes, nearest first; empty when it isn't known."""
        types = self._types
        return types.once("lineage", name, types.lineage)

    def is_a(self, name: str, ancestor: str) -> bool:
        """Whether the type is this ancestor or inherits from it."""
        return name == ancestor or ancestor in self.lineage(name)

    def with_subtypes(self, name: str) -> frozenset[str]:
        """The type and everything that inherits from it."""
        types = self._types
        return types.once("with_subtypes", name, types.with_subtypes)

    def attributes(self, name: str) -> Mapping[str, TypeDefAttribute]:
        """A type's attributes by name, inherited ones first."""
        types = self._types
        return types.once("attributes", name, types.attributes)

    def unique_attributes(self, name: str) -> frozenset[str]:
        """The names of the attributes that identify an entity, as proxies carry them."""
        types = self._types
        return types.once("unique_attributes", name, types.unique_attributes)

    def classifications_of(self, entity_type: str) -> frozenset[str]:
        """The classifications that an entity of this type may carry."""
        types = self._types
        return types.once("classifications", entity_type, types.classifications_of)

    def is_referred_to(self, known: Definition) -> bool:
        """Whether another type is built on this one."""
        return any(
            other is not known
            and any(known.guid == each.guid for each in _references(other))
            for other in self._types.type_defs.values()
        )

    def unknown_names(self, new: Definition) -> tuple[str, ...]:
        """The names of those that a definition is built on and that aren't known."""
        if not isinstance(new, TypeDef):
            return ()
        types = self._types
        names = dict.fromkeys(each.name for each in _references(new))
        return tuple(
            name
            for name in names
            if name
            and name != new.name
            and name not in types.type_defs
            and name not in types.attribute_type_defs
        )

    # Changes, from the event loop only

    def put(self, *definitions: Definition) -> None:
        """Add definitions, each in the place of the one with its GUID if there is one."""
        known = dict(self._types.by_guid)
        known.update((str(added.guid), added) for added in definitions)
        self._types = _Types(known)

    def remove(self, guid: str) -> None:
        """Forget the definition with this GUID, if there is one."""
        known = dict(self._types.by_guid)
        known.pop(guid, None)
        self._types = _Types(known)

    def copy(self) -> "TypeRegistry":
        """A registry that knows the same and changes on its own."""
        return TypeRegistry(self._types.by_guid.values())


def _references(type_def: TypeDef) -> Iterator[TypeDefLink | AttributeTypeDef]:
    """The types that a type is built on."""
    links = [type_def.super_type]
    if isinstance(type_def, ClassificationDef):
        links.extend(type_def.valid_entity_defs or ())
    elif isinstance(type_def, RelationshipDef):
        ends = (type_def.end_def1, type_def.end_def2)
        links.extend(end.entity_type for end in ends if end is not None)
    yield from (link for link in links if link is not None)
    for attribute in type_def.properties_definition or ():
        if attribute.attribute_type is not None:
            yield attribute.attribute_type


class _Types:
    """One state of the registry; never changed, only what follows from it is added."""

    __slots__ = ("_worked_out", "attribute_type_defs", "by_guid", "type_defs")

    def __init__(self, by_guid: dict[str, Definition]) -> None:
        self.by_guid = by_guid
        self.type_defs: dict[str, TypeDef] = {}
        self.attribute_type_defs: dict[str, AttributeTypeDef] = {}
        for known in by_guid.values():
            if isinstance(known, TypeDef):
                self.type_defs[str(known.name)] = known
            else:
                self.attribute_type_defs[str(known.name)] = known
        self._worked_out: dict[tuple[str, str], object] = {}

    def once(self, question: str, name: str, answer: Callable[[str], T]) -> T:
        """The answer for a type, worked out the first time it is asked for.

        Two threads may both work it out; they come to the same.
        """
        key = (question, name)
        known = self._worked_out.get(key)
        if known is None:
            known = answer(name)
            if name in self.type_defs:  # unknown names are without number
                self._worked_out[key] = known
        return known  # type: ignore[return-value]

    def lineage(self, name: str) -> tuple[str, ...]:
        chain: dict[str, None] = {}
        known = self.type_defs.get(name)
        while known is not None and known.name not in chain:
            chain[str(known.name)] = None
            above = known.super_type
            known = None if above is None else self.type_defs.get(str(above.name))
        return tuple(chain)

    def with_subtypes(self, name: str) -> frozenset[str]:
        return frozenset(
            known
            for known in self.type_defs
            if name in self.once("lineage", known, self.lineage)
        )

    def attributes(self, name: str) -> Mapping[str, TypeDefAttribute]:
        return MappingProxyType(
            {
                str(attribute.attribute_name): attribute
                for ancestor in reversed(self.lineage(name))
                for attribute in self.type_defs[ancestor].properties_definition or ()
            }
        )

    def unique_attributes(self, name: str) -> frozenset[str]:
        return frozenset(
            attribute_name
            for attribute_name, attribute in self.attributes(name).items()
            if attribute.unique
        )

    def classifications_of(self, entity_type: str) -> frozenset[str]:
        lineage = frozenset(self.lineage(entity_type))
        if not isinstance(self.type_defs.get(entity_type), EntityDef):
            return frozenset()
        return frozenset(
            str(known.name)
            for known in self.type_defs.values()
            if isinstance(known, ClassificationDef)
            and (
                known.valid_entity_defs is None
                or any(link.name in lineage for link in known.valid_entity_defs)
            )
        )
