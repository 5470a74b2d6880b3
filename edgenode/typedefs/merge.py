"""What a store of types, such as an archive's, adds to the types known here.

Definitions come at the version at which they were first written, with patches that lead
to the present one. The types known here may already be at that version, without the
descriptions; then the patches are applied to the store's own statements, and what these
say at the present version completes the known ones.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from edgenode.errors import (
    InvalidTypeDefError,
    OMRSError,
    TypeDefConflictError,
    TypeDefMissingError,
)
from edgenode.typedefs.attributes import AttributeTypeDef
from edgenode.typedefs.descriptions import ContradictionError, completed
from edgenode.typedefs.model import TypeDef, TypeDefPatch
from edgenode.typedefs.patch import apply_patch, check_patch
from edgenode.typedefs.registry import Definition, TypeRegistry
from edgenode.typedefs.verify import (
    Verdict,
    fault_of,
    verify_attribute_type_def,
    verify_type_def,
)


@dataclass(frozen=True, slots=True)
class MergedTypes:
    """The outcome of a merge.

    Attributes:
        changed: The definitions to store and to make known, as they are in the end.
        added: Those that were unknown, as the store first tells them.
        patches: Those that changed a known definition.
        refused: What could not be taken over, and why.
    """

    changed: tuple[Definition, ...]
    added: tuple[Definition, ...]
    patches: tuple[TypeDefPatch, ...]
    refused: tuple[OMRSError, ...]


def merge_types(
    registry: TypeRegistry,
    attribute_type_defs: Iterable[AttributeTypeDef],
    type_defs: Iterable[TypeDef],
    patches: Iterable[TypeDefPatch],
    repository: str,
) -> MergedTypes:
    """Work out what a store of types changes; the registry stays as it is.

    Args:
        registry: The types known here.
        attribute_type_defs: The store's attribute types.
        type_defs: The store's types.
        patches: The store's patches, to its own types and to those known here.
        repository: For the messages of errors.
    """
    merge = _Merge(registry, repository)
    for attribute_type_def in attribute_type_defs:
        merge.attribute_type(attribute_type_def)
    for type_def in type_defs:
        merge.type_def(type_def)
    for patch in patches:
        merge.patch(patch)
    return merge.result()


class _Merge:
    """A merge on its way: the types as they would be, and how they came to that."""

    def __init__(self, registry: TypeRegistry, repository: str) -> None:
        self._known = registry.copy()
        self._repository = repository
        self._told: dict[str | None, TypeDef] = {}
        self._changed: dict[str | None, Definition] = {}
        self._added: list[Definition] = []
        self._patches: list[TypeDefPatch] = []
        self._refused: list[OMRSError] = []

    def attribute_type(self, told: AttributeTypeDef) -> None:
        verdict = verify_attribute_type_def(self._known, told)
        if verdict is Verdict.UNKNOWN:
            self._add(told)
        elif verdict is Verdict.CONFLICT:
            self._refuse_conflict(told)
        else:
            self._complete(self._known.attribute_type_def(told.name), told)

    def type_def(self, told: TypeDef) -> None:
        verdict = verify_type_def(self._known, told)
        if verdict is Verdict.KNOWN:
            self._told[told.name] = told
        elif verdict is Verdict.CONFLICT:
            self._refuse_conflict(told)
        elif self._is_sound(told, "newTypeDef", "addTypeDef"):
            self._add(told)

    def patch(self, patch: TypeDefPatch) -> None:
        try:
            check_patch(patch, "updateTypeDef", self._repository)
            told = self._told.get(patch.type_def_name)
            if told is not None:
                self._told[told.name] = apply_patch(told, patch, {}, self._repository)
            self._patch_known(patch)
        except OMRSError as error:
            self._refused.append(error)

    def result(self) -> MergedTypes:
        for told in self._told.values():
            self._complete(self._known.type_def(told.name), told)
        return MergedTypes(
            tuple(self._changed.values()),
            tuple(self._added),
            tuple(self._patches),
            tuple(self._refused),
        )

    def _patch_known(self, patch: TypeDefPatch) -> None:
        known = self._known.type_def(patch.type_def_name)
        if known is None:
            raise TypeDefMissingError("originalTypeDef", "applyPatch", self._repository)
        inherited = self._known.attributes(str(known.name))
        patched = apply_patch(known, patch, inherited, self._repository)
        if patched is not known and self._is_sound(patched, "patch", "applyPatch"):
            self._put(patched)
            self._patches.append(patch)

    def _add(self, told: Definition) -> None:
        self._put(told)
        self._added.append(told)

    def _put(self, definition: Definition) -> None:
        self._known.put(definition)
        self._changed[definition.guid] = definition

    def _complete(self, known: Definition | None, told: Definition) -> None:
        try:
            complete = completed(known, told)
        except ContradictionError:
            return  # another version, or changed on the way: what is known stays
        if complete is not None and complete is not known:
            self._put(complete)

    def _is_sound(self, told: TypeDef, parameter: str, operation: str) -> bool:
        fault = fault_of(self._known, told)
        if fault is None:
            return True
        identity = (told.name, told.guid, parameter, operation, self._repository)
        self._refused.append(InvalidTypeDefError(*identity, fault))
        return False

    def _refuse_conflict(self, told: Definition) -> None:
        self._refused.append(
            TypeDefConflictError(told.guid, told.name, self._repository)
        )
