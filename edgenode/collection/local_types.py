"""The types of this server: finding them, and changing them for good.

Changes run one after the other. Each is checked against the registry, stored together
with its event, and put into the registry once it is on the disk, so that nothing is
built on a type that a power cut may take away. Removing a type is the other way round:
it leaves the registry first, so that no instance of it can be created while the
repository is looked through for one, and comes back when one is found.

A type that comes with the release can be patched, but neither deleted nor re-identified:
it counts as used by the release itself.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from edgenode.collection.local_base import LocalCollectionParts, LocalOperations
from edgenode.errors import (
    AttributeTypeDefIdMissingError,
    AttributeTypeDefInUseError,
    AttributeTypeDefKnownError,
    AttributeTypeDefNameMissingError,
    AttributeTypeDefToChangeNotKnownError,
    ExternalIdMissingError,
    InvalidTypeDefError,
    MatchCriteriaMissingError,
    OMRSError,
    SearchCriteriaMissingError,
    SearchTimeoutError,
    TypeDefConflictError,
    TypeDefIdMissingError,
    TypeDefIdNotKnownError,
    TypeDefInUseError,
    TypeDefKnownError,
    TypeDefMissingError,
    TypeDefNameMissingError,
    TypeDefNameNotKnownError,
    TypeDefToChangeNotKnownError,
    UnexpectedError,
    UnsupportedTypeHeaderVersionError,
)
from edgenode.events import outbound
from edgenode.events.model import OMRSTypeDefEventType, TypeDefEvent
from edgenode.instances.patterns import (
    PatternKind,
    PatternSyntaxError,
    matches,
    parse_pattern,
)
from edgenode.limits import TYPE_SEARCH_SECONDS
from edgenode.repository.base import Transaction
from edgenode.typedefs.attributes import AttributeTypeDef, AttributeTypeDefCategory
from edgenode.typedefs.merge import MergedTypes, merge_types
from edgenode.typedefs.model import (
    ExternalStandardMapping,
    TypeDef,
    TypeDefCategory,
    TypeDefGallery,
    TypeDefPatch,
)
from edgenode.typedefs.patch import apply_patch, check_patch, patches_to
from edgenode.typedefs.registry import Definition, TypeRegistry
from edgenode.typedefs.verify import (
    Verdict,
    fault_of,
    verify_attribute_type_def,
    verify_type_def,
)

D = TypeVar("D", TypeDef, AttributeTypeDef)

_HEADER_VERSION = 1
_JAVA_PATTERN_ERROR = "java.util.regex.PatternSyntaxException"


class LocalTypeOperations(LocalOperations):
    """The type operations of the collection that lives in this server's repository."""

    def __init__(self, parts: LocalCollectionParts) -> None:
        """Lay the stored definitions over the registry, which has the release's types."""
        super().__init__(parts)
        self._registry = parts.types
        release: list[Definition] = [*self._registry.type_defs]
        release += self._registry.attribute_type_defs
        self._shipped = {known.guid: known for known in release}
        self._changing = asyncio.Lock()
        # A newer release knows better what was stored of an earlier one.
        self._registry.put(
            *(
                stored
                for stored in self._repository.types()
                if stored.version >= self._shipped.get(stored.guid, stored).version
            )
        )

    # Identity

    def get_metadata_collection_id(self, user_id: str) -> str:
        """The id under which the instances created here are known everywhere."""
        return self._local_id

    def is_of_release(self, known: Definition) -> bool:
        """Whether a definition is one that comes with the release, as it is there.

        It may have got descriptions since.
        """
        shipped = self._shipped.get(known.guid)
        return shipped is not None and shipped.version == known.version

    def patches_beyond_release(
        self, definitions: Iterable[Definition]
    ) -> Iterator[TypeDefPatch]:
        """What brings those up to date who know types at an earlier version.

        Genuine members take no definition of a type that they know, only a patch for the
        version they have (events.md, inbound handling of types).
        """
        for known in definitions:
            if isinstance(known, TypeDef):
                yield from patches_to(self._as_shipped(known), known)

    def _as_shipped(self, known: TypeDef) -> TypeDef:
        """A type as the release has it; with nothing in it if it doesn't.

        A patch to the release's has only what is new: genuine members refuse one with an
        attribute whose type they describe otherwise.
        """
        shipped = self._shipped.get(known.guid)
        if isinstance(shipped, TypeDef):
            return shipped
        return replace(known, version=1, properties_definition=None)

    # Looking up

    def get_all_types(self, user_id: str) -> TypeDefGallery:
        """Every type."""
        self._check_user(user_id, "getAllTypes")
        return TypeDefGallery(
            attribute_type_defs=self._registry.attribute_type_defs,
            type_defs=self._registry.type_defs,
        )

    def get_type_def_by_guid(self, user_id: str, guid: str) -> TypeDef:
        """The type with this GUID.

        Raises:
            TypeDefIdNotKnownError: There is none.
        """
        operation = "getTypeDefByGUID"
        self._check_user(user_id, operation)
        known = self._registry.type_def_by_guid(guid)
        if known is None:
            raise TypeDefIdNotKnownError(guid, "guid", operation, self._name)
        return known

    def get_attribute_type_def_by_guid(
        self, user_id: str, guid: str
    ) -> AttributeTypeDef:
        """The attribute type with this GUID.

        Raises:
            TypeDefIdNotKnownError: There is none.
        """
        operation = "getAttributeTypeDefByGUID"
        self._check_user(user_id, operation)
        known = self._registry.attribute_type_def_by_guid(guid)
        if known is None:
            raise TypeDefIdNotKnownError(guid, "guid", operation, self._name)
        return known

    def get_type_def_by_name(self, user_id: str, name: str) -> TypeDef:
        """The type of this name.

        Raises:
            TypeDefNameNotKnownError: There is none.
        """
        operation = "getTypeDefByName"
        self._check_user(user_id, operation)
        known = self._registry.type_def(name)
        if known is None:
            raise TypeDefNameNotKnownError(name, operation, self._name)
        return known

    def get_attribute_type_def_by_name(
        self, user_id: str, name: str
    ) -> AttributeTypeDef:
        """The attribute type of this name.

        Raises:
            TypeDefNameNotKnownError: There is none.
        """
        operation = "getAttributeTypeDefByName"
        self._check_user(user_id, operation)
        known = self._registry.attribute_type_def(name)
        if known is None:
            raise TypeDefNameNotKnownError(name, operation, self._name)
        return known

    # Finding

    def find_types_by_name(self, user_id: str, name: str) -> TypeDefGallery:
        """The types and attribute types whose name the pattern matches in full."""
        operation = "findTypesByName"
        self._check_user(user_id, operation)
        registry = self._registry
        return TypeDefGallery(
            attribute_type_defs=self._named(
                name, registry.attribute_type_defs, operation
            ),
            type_defs=self._named(name, registry.type_defs, operation),
        )

    def search_for_type_defs(
        self, user_id: str, search_criteria: str
    ) -> tuple[TypeDef, ...]:
        """The types whose name the pattern matches in full.

        Raises:
            SearchCriteriaMissingError: The pattern is empty.
        """
        operation = "searchForTypeDefs"
        self._check_user(user_id, operation)
        if not search_criteria:
            raise SearchCriteriaMissingError("searchCriteria", operation, self._name)
        return self._named(search_criteria, self._registry.type_defs, operation)

    def _named(
        self, source: str, definitions: Sequence[D], operation: str
    ) -> tuple[D, ...]:
        try:
            pattern = parse_pattern(source)
            if pattern.kind is not PatternKind.REGEX:
                return tuple(
                    known
                    for known in definitions
                    if matches(pattern, str(known.name), TYPE_SEARCH_SECONDS)
                )
            deadline = self._parts.clock.monotonic() + TYPE_SEARCH_SECONDS
            return tuple(
                known
                for known in definitions
                if matches(
                    pattern,
                    str(known.name),
                    max(0.0, deadline - self._parts.clock.monotonic()),
                )
            )
        except PatternSyntaxError as error:
            raise UnexpectedError(java_class=_JAVA_PATTERN_ERROR) from error
        except TimeoutError as error:
            raise SearchTimeoutError(
                operation, TYPE_SEARCH_SECONDS, self._name
            ) from error

    def find_type_defs_by_category(
        self, user_id: str, category: TypeDefCategory
    ) -> tuple[TypeDef, ...]:
        """The types of a category."""
        self._check_user(user_id, "findTypeDefsByCategory")
        return tuple(
            known for known in self._registry.type_defs if known.category is category
        )

    def find_attribute_type_defs_by_category(
        self, user_id: str, category: AttributeTypeDefCategory
    ) -> tuple[AttributeTypeDef, ...]:
        """The attribute types of a category."""
        self._check_user(user_id, "findAttributeTypeDefsByCategory")
        return tuple(
            known
            for known in self._registry.attribute_type_defs
            if known.category is category
        )

    def find_type_defs_by_property(
        self, user_id: str, match_criteria: Mapping[str, object] | None
    ) -> tuple[TypeDef, ...]:
        """The types that have, or inherit, all the named attributes; values don't matter.

        Raises:
            MatchCriteriaMissingError: No attribute is named.
        """
        operation = "findTypeDefsByProperty"
        self._check_user(user_id, operation)
        if not match_criteria:
            raise MatchCriteriaMissingError("matchCriteria", operation, self._name)
        wanted = match_criteria.keys()
        return tuple(
            known
            for known in self._registry.type_defs
            if wanted <= self._registry.attributes(str(known.name)).keys()
        )

    def find_types_by_external_id(
        self,
        user_id: str,
        standard: str | None,
        organization: str | None,
        identifier: str | None,
    ) -> tuple[TypeDef, ...]:
        """The types that, or an attribute of which, one mapping to a standard describes.

        The mapping has to bear all that is given.

        Raises:
            ExternalIdMissingError: Nothing is given.
        """
        operation = "findTypesByExternalID"
        self._check_user(user_id, operation)
        if standard is None and organization is None and identifier is None:
            raise ExternalIdMissingError(operation, self._name)
        wanted = {
            "standard_name": standard,
            "standard_organization": organization,
            "standard_type_name": identifier,
        }
        asked = {name: text for name, text in wanted.items() if text is not None}
        return tuple(
            known
            for known in self._registry.type_defs
            if any(
                all(getattr(mapping, name) == text for name, text in asked.items())
                for mapping in _standards(known)
            )
        )

    # Verifying

    def verify_type_def(self, user_id: str, type_def: TypeDef) -> bool:
        """Whether the type is known.

        Raises:
            TypeDefConflictError: Its GUID or its name is known for another type.
        """
        operation = "verifyTypeDef"
        self._check_user(user_id, operation)
        self._check_type_def(type_def, "typeDef", operation)
        return self._is_known(type_def, verify_type_def(self._registry, type_def))

    def verify_attribute_type_def(
        self, user_id: str, attribute_type_def: AttributeTypeDef
    ) -> bool:
        """Whether the attribute type is known.

        Raises:
            TypeDefConflictError: Its GUID or its name is known for another one.
        """
        operation = "verifyAttributeTypeDef"
        self._check_user(user_id, operation)
        self._check_attribute_type_def(
            attribute_type_def, "attributeTypeDef", operation
        )
        verdict = verify_attribute_type_def(self._registry, attribute_type_def)
        return self._is_known(attribute_type_def, verdict)

    def _is_known(self, definition: Definition, verdict: Verdict) -> bool:
        if verdict is Verdict.CONFLICT:
            raise TypeDefConflictError(definition.guid, definition.name, self._name)
        return verdict is Verdict.KNOWN

    # Adding

    async def add_type_def_gallery(self, user_id: str, gallery: TypeDefGallery) -> None:
        """Add all types of a gallery, or none of them.

        Raises:
            TypeDefKnownError: One of them is known, or its name or GUID is.
            InvalidTypeDefError: One of them contradicts itself or its supertypes.
        """
        self._check_user(user_id, "addTypeDefGallery")
        new: list[Definition] = [*(gallery.attribute_type_defs or ())]
        new += gallery.type_defs or ()
        async with self._changing:
            known = self._registry.copy()
            for definition in new:
                if isinstance(definition, TypeDef):
                    self._check_new_type_def(known, definition)
                else:
                    self._check_new_attribute_type_def(known, definition)
                known.put(definition)
            await self._save(new, map(outbound.new_type, new))

    async def add_type_def(self, user_id: str, type_def: TypeDef) -> None:
        """Add a type.

        Raises:
            TypeDefKnownError: It is known, or its name or GUID is.
            InvalidTypeDefError: It contradicts itself or its supertypes.
        """
        self._check_user(user_id, "addTypeDef")
        async with self._changing:
            self._check_new_type_def(self._registry, type_def)
            await self._save([type_def], [outbound.new_type(type_def)])

    async def add_attribute_type_def(
        self, user_id: str, attribute_type_def: AttributeTypeDef
    ) -> None:
        """Add an attribute type.

        Raises:
            AttributeTypeDefKnownError: It is known.
            TypeDefKnownError: Its name or GUID is.
        """
        self._check_user(user_id, "addAttributeTypeDef")
        async with self._changing:
            self._check_new_attribute_type_def(self._registry, attribute_type_def)
            await self._save(
                [attribute_type_def], [outbound.new_type(attribute_type_def)]
            )

    async def merge_types(
        self,
        attribute_type_defs: Iterable[AttributeTypeDef],
        type_defs: Iterable[TypeDef],
        patches: Iterable[TypeDefPatch],
    ) -> MergedTypes:
        """Take over a whole store of types, as far as it agrees with what is known."""

        def work(transaction: Transaction) -> MergedTypes:
            merged = merge_types(
                self._registry, attribute_type_defs, type_defs, patches, self._name
            )
            for definition in merged.changed:
                transaction.save_type(definition)
            for event in (
                *map(outbound.new_type, merged.added),
                *map(outbound.updated_type, merged.patches),
            ):
                transaction.queue_event(event)
            return merged

        async with self._changing:
            merged = await self._repository.change(work)
            self._registry.put(*merged.changed)
        return merged

    def _check_new_type_def(self, registry: TypeRegistry, new: TypeDef) -> None:
        operation = "addTypeDef"
        self._check_type_def(new, "newTypeDef", operation)
        if verify_type_def(registry, new) is not Verdict.UNKNOWN:
            raise TypeDefKnownError(new.name, new.guid, self._name)
        self._check_sound(registry, new, "newTypeDef", operation)

    def _check_new_attribute_type_def(
        self, registry: TypeRegistry, new: AttributeTypeDef
    ) -> None:
        parameter, operation = "newAttributeTypeDef", "addAttributeTypeDef"
        self._check_attribute_type_def(new, parameter, operation)
        if verify_attribute_type_def(registry, new) is Verdict.UNKNOWN:
            return
        known = registry.attribute_type_def_by_guid(new.guid)
        if known is not None and known.name == new.name:
            raise AttributeTypeDefKnownError(new.name, new.guid, self._name)
        raise TypeDefKnownError(new.name, new.guid, self._name)

    # Patching

    async def update_type_def(self, user_id: str, patch: TypeDefPatch) -> TypeDef:
        """Apply a patch; one that is in the definition already changes nothing.

        Raises:
            TypeDefMissingError: The type isn't known.
            InvalidPatchVersionError: The patch doesn't lead to a later version.
            PatchFieldMissingError: It lacks a mandatory field.
            IncompatiblePatchVersionError: It is for a version that isn't known yet.
            IncompatiblePropertyPatchError: A known property would get another type.
            InvalidTypeDefError: The outcome contradicts itself or its supertypes.
        """
        operation = "updateTypeDef"
        self._check_user(user_id, operation)
        check_patch(patch, operation, self._name)
        async with self._changing:
            known = self._registry.type_def(patch.type_def_name)
            if known is None or patch.type_def_guid not in (None, known.guid):
                raise TypeDefMissingError("originalTypeDef", "applyPatch", self._name)
            inherited = self._registry.attributes(str(known.name))
            patched = apply_patch(known, patch, inherited, self._name)
            if patched is not known:
                self._check_sound(self._registry, patched, "patch", "applyPatch")
                await self._save([patched], [outbound.updated_type(patch)])
        return patched

    # Removing and re-identifying

    async def delete_type_def(self, user_id: str, guid: str, name: str | None) -> None:
        """Delete a type that nothing uses.

        Raises:
            TypeDefToChangeNotKnownError: No type has the GUID.
            TypeDefIdNotKnownError: The type has another name.
            TypeDefInUseError: It has instances, or other types build on it.
        """
        operation = "deleteTypeDef"
        self._check_user(user_id, operation)
        parameter = "obsoleteTypeDefName"
        if name is None:
            raise TypeDefNameMissingError(parameter, operation, self._name)
        async with self._changing:
            known = self._type_def_to_change(guid, "obsoleteTypeDef", operation)
            if known.name != name:
                raise TypeDefIdNotKnownError(guid, name, operation, self._name)
            event = TypeDefEvent(
                type_def_event_type=OMRSTypeDefEventType.DELETED_TYPEDEF_EVENT,
                type_def_guid=guid,
                type_def_name=name,
            )
            await self._withdraw(known, event)

    async def delete_attribute_type_def(
        self, user_id: str, guid: str, name: str | None
    ) -> None:
        """Delete an attribute type that no type uses.

        Raises:
            AttributeTypeDefToChangeNotKnownError: None has this GUID and name.
            AttributeTypeDefInUseError: A type has an attribute of it.
        """
        operation = "deleteAttributeTypeDef"
        self._check_user(user_id, operation)
        if name is None:
            parameter = "obsoleteTypeDefName"
            raise AttributeTypeDefNameMissingError(parameter, operation, self._name)
        async with self._changing:
            known = self._attribute_type_def_to_change(
                guid, name, "obsoleteTypeDef", operation
            )
            event = TypeDefEvent(
                type_def_event_type=OMRSTypeDefEventType.DELETED_ATTRIBUTE_TYPEDEF_EVENT,
                type_def_guid=guid,
                type_def_name=name,
            )
            await self._withdraw(known, event)

    async def re_identify_type_def(
        self,
        user_id: str,
        original_guid: str,
        original_name: str | None,
        new_guid: str | None,
        new_name: str | None,
    ) -> TypeDef:
        """Give a type that nothing uses another GUID and name.

        Raises:
            TypeDefToChangeNotKnownError: No type has the original GUID and name.
            TypeDefKnownError: The new GUID or name is taken.
            TypeDefInUseError: It has instances, or other types build on it.
        """
        operation = "reIdentifyTypeDef"
        self._check_user(user_id, operation)
        if original_name is None:
            parameter = "originalTypeDefName"
            raise TypeDefNameMissingError(parameter, operation, self._name)
        if new_guid is None:
            raise TypeDefIdMissingError("newTypeDefGUID", operation, self._name)
        if new_name is None:
            raise TypeDefNameMissingError("newTypeDefName", operation, self._name)
        async with self._changing:
            known = self._type_def_to_change(
                original_guid, "originalTypeDef", operation, original_name
            )
            new = replace(
                known, guid=new_guid, name=new_name, version=known.version + 1
            )
            event = TypeDefEvent(
                type_def_event_type=OMRSTypeDefEventType.RE_IDENTIFIED_TYPEDEF_EVENT,
                original_type_def_summary=known.summary,
                type_def=new,
            )
            await self._withdraw(known, event, new)
        return new

    async def re_identify_attribute_type_def(
        self,
        user_id: str,
        original_guid: str,
        original_name: str | None,
        new_guid: str | None,
        new_name: str | None,
    ) -> AttributeTypeDef:
        """Give an attribute type that no type uses another GUID and name.

        Raises:
            AttributeTypeDefToChangeNotKnownError: None has the original GUID and name.
            TypeDefKnownError: The new GUID or name is taken.
            AttributeTypeDefInUseError: A type has an attribute of it.
        """
        operation = "reIdentifyAttributeTypeDef"
        self._check_user(user_id, operation)
        if original_name is None:
            parameter = "originalAttributeTypeDefName"
            raise AttributeTypeDefNameMissingError(parameter, operation, self._name)
        async with self._changing:
            known = self._attribute_type_def_to_change(
                original_guid, original_name, "originalAttributeTypeDef", operation
            )
            if new_guid is None:
                parameter = "newAttributeTypeDefGUID"
                raise AttributeTypeDefIdMissingError(parameter, operation, self._name)
            if new_name is None:
                parameter = "newAttributeTypeDefName"
                raise AttributeTypeDefNameMissingError(parameter, operation, self._name)
            new = replace(
                known, guid=new_guid, name=new_name, version=known.version + 1
            )
            event = TypeDefEvent(
                type_def_event_type=(
                    OMRSTypeDefEventType.RE_IDENTIFIED_ATTRIBUTE_TYPEDEF_EVENT
                ),
                original_attribute_type_def=known,
                attribute_type_def=new,
            )
            await self._withdraw(known, event, new)
        return new

    def _type_def_to_change(
        self, guid: str, parameter: str, operation: str, name: str | None = None
    ) -> TypeDef:
        known = self._registry.type_def_by_guid(guid)
        if known is None or (name is not None and known.name != name):
            raise TypeDefToChangeNotKnownError(
                guid,
                f"{parameter}GUID",
                operation,
                self._name,
                parameter_name=f"{parameter}GUID or {parameter}Name",
            )
        return known

    def _attribute_type_def_to_change(
        self, guid: str, name: str, parameter: str, operation: str
    ) -> AttributeTypeDef:
        known = self._registry.attribute_type_def_by_guid(guid)
        if known is None or known.name != name:
            raise AttributeTypeDefToChangeNotKnownError(
                "getAttributeTypeDef",
                guid,
                self._name,
                operation,
                parameter_name=f"{parameter}GUID or {parameter}Name",
            )
        return known

    # What all changes share

    def _check_type_def(
        self, type_def: TypeDef, parameter: str, operation: str
    ) -> None:
        self._check_header(type_def, operation)
        if type_def.guid is None:
            raise TypeDefIdMissingError(f"{parameter}.getGUID", operation, self._name)
        if not type_def.name:
            raise TypeDefNameMissingError(f"{parameter}.getName", operation, self._name)

    def _check_attribute_type_def(
        self, attribute_type_def: AttributeTypeDef, parameter: str, operation: str
    ) -> None:
        self._check_header(attribute_type_def, operation)
        if attribute_type_def.guid is None:
            parameter += ".getGUID"
            raise AttributeTypeDefIdMissingError(parameter, operation, self._name)
        if not attribute_type_def.name:
            parameter += ".getName"
            raise AttributeTypeDefNameMissingError(parameter, operation, self._name)

    def _check_header(self, definition: Definition, operation: str) -> None:
        version = definition.header_version
        if version > _HEADER_VERSION:
            raise UnsupportedTypeHeaderVersionError(
                operation, self._name, definition.name, version, version
            )

    def _check_sound(
        self, registry: TypeRegistry, type_def: TypeDef, parameter: str, operation: str
    ) -> None:
        fault = fault_of(registry, type_def)
        if fault is not None:
            identity = (type_def.name, type_def.guid, parameter, operation, self._name)
            raise InvalidTypeDefError(*identity, fault)

    async def _save(
        self, definitions: Sequence[Definition], events: Iterable[TypeDefEvent]
    ) -> None:
        queued = tuple(events)

        def work(transaction: Transaction) -> None:
            for definition in definitions:
                transaction.save_type(definition)
            for event in queued:
                transaction.queue_event(event)

        await self._repository.change(work)
        self._registry.put(*definitions)

    async def _withdraw(
        self, known: D, event: TypeDefEvent, successor: D | None = None
    ) -> None:
        """Remove a definition that nothing uses, or put its successor in its place."""
        guid, name = str(known.guid), str(known.name)
        if guid in self._shipped or self._registry.is_referred_to(known):
            raise self._in_use(known)
        if successor is not None:
            self._check_free(known, successor)

        def work(transaction: Transaction) -> None:
            if isinstance(known, TypeDef) and transaction.is_type_used(name):
                raise self._in_use(known)
            transaction.remove_type(guid)
            if successor is not None:
                transaction.save_type(successor)
            transaction.queue_event(event)

        self._registry.remove(guid)
        try:
            await self._repository.change(work)
        except OMRSError:
            self._registry.put(known)
            raise
        if successor is not None:
            self._registry.put(successor)

    def _check_free(self, known: Definition, successor: Definition) -> None:
        registry = self._registry.copy()
        registry.remove(str(known.guid))
        verdict = (
            verify_type_def(registry, successor)
            if isinstance(successor, TypeDef)
            else verify_attribute_type_def(registry, successor)
        )
        if verdict is not Verdict.UNKNOWN:
            raise TypeDefKnownError(successor.name, successor.guid, self._name)

    def _in_use(self, known: Definition) -> OMRSError:
        if isinstance(known, TypeDef):
            return TypeDefInUseError(known.name, known.guid, self._name)
        return AttributeTypeDefInUseError(known.name, known.guid, self._name)


def _standards(type_def: TypeDef) -> Iterator[ExternalStandardMapping]:
    yield from type_def.external_standard_mappings or ()
    for attribute in type_def.properties_definition or ():
        yield from attribute.external_standard_mappings or ()
