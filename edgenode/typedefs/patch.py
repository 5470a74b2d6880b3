"""A type definition and a patch to it make the next version of the definition.

A patch made for an earlier version than the known one has been applied already and
changes nothing, so the same patches may arrive any number of times.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from edgenode.errors import (
    IncompatiblePatchVersionError,
    IncompatiblePropertyPatchError,
    InvalidPatchVersionError,
    PatchFieldMissingError,
)
from edgenode.limits import MAX_PATCHED_VERSIONS
from edgenode.typedefs.descriptions import same_apart_from_descriptions
from edgenode.typedefs.model import (
    ClassificationDef,
    RelationshipDef,
    TypeDef,
    TypeDefAttribute,
    TypeDefPatch,
)

_MANDATORY = {
    "new_version_name": "newVersionName",
    "updated_by": "updatedBy",
    "update_time": "updatedTime",
}
"""With the names that Egeria gives them in its answers."""


def check_patch(patch: TypeDefPatch, operation: str, repository: str) -> None:
    """Refuse a patch that can't be applied to any definition.

    Raises:
        InvalidPatchVersionError: It doesn't lead to a later version.
        PatchFieldMissingError: A mandatory field is missing.
    """
    if patch.update_to_version <= patch.apply_to_version:
        raise InvalidPatchVersionError(
            operation,
            repository,
            patch.apply_to_version,
            patch.update_to_version,
            _short(patch),
        )
    for name, field in _MANDATORY.items():
        if getattr(patch, name) is None:
            raise PatchFieldMissingError(operation, repository, field, _short(patch))


def apply_patch(
    type_def: TypeDef,
    patch: TypeDefPatch,
    inherited: Mapping[str, TypeDefAttribute],
    repository: str,
) -> TypeDef:
    """The definition after the patch; itself when the patch is in it already.

    Args:
        type_def: The definition as known.
        patch: One that ``check_patch`` lets pass.
        inherited: All known attributes of the type by name, inherited ones included.
        repository: For the messages of errors.

    Raises:
        IncompatiblePatchVersionError: The patch is for a version that isn't known yet.
        IncompatiblePropertyPatchError: A known property would get another type.
    """
    if patch.apply_to_version < type_def.version:
        return type_def
    if patch.apply_to_version > type_def.version:
        raise IncompatiblePatchVersionError(
            "applyPatch",
            repository,
            patch.apply_to_version,
            type_def.version,
            _short(patch),
        )
    changes: dict[str, Any] = {
        "status": patch.type_def_status,
        "version_name": patch.new_version_name,
        "updated_by": patch.updated_by,
        "update_time": patch.update_time,
        "description": patch.description,
        "description_guid": patch.description_guid,
        "description_wiki": patch.description_wiki,
        "super_type": patch.super_type,
        "options": patch.type_def_options,
        "external_standard_mappings": patch.external_standard_mappings,
        "valid_instance_status_list": patch.valid_instance_status_list,
        "initial_status": patch.initial_status,
    }
    if isinstance(type_def, ClassificationDef):
        changes["valid_entity_defs"] = patch.valid_entity_defs
    if isinstance(type_def, RelationshipDef):
        changes["end_def1"] = patch.end_def1
        changes["end_def2"] = patch.end_def2
        if patch.update_multi_link:
            changes["multi_link"] = patch.multi_link
    if patch.property_definitions:
        changes["properties_definition"] = _with_properties(
            type_def, patch, inherited, repository
        )
    said = {name: value for name, value in changes.items() if value is not None}
    return replace(type_def, version=patch.update_to_version, **said)


def patch_between(earlier: TypeDef, later: TypeDef) -> TypeDefPatch:
    """A patch that makes a later version of a definition of an earlier one.

    It says all that a patch can say, and has what a patch must have; what only
    descriptions of attributes say, or who first wrote the type, is not part of it.
    """
    known = {
        attribute.attribute_name: attribute
        for attribute in earlier.properties_definition or ()
    }
    changes: dict[str, Any] = {}
    if isinstance(later, ClassificationDef):
        changes["valid_entity_defs"] = later.valid_entity_defs
    if isinstance(later, RelationshipDef):
        changes["end_def1"] = later.end_def1
        changes["end_def2"] = later.end_def2
        changes["update_multi_link"] = True
        changes["multi_link"] = later.multi_link
    return TypeDefPatch(
        type_def_guid=later.guid,
        type_def_name=later.name,
        type_def_status=later.status,
        apply_to_version=earlier.version,
        update_to_version=later.version,
        new_version_name=later.version_name or f"{later.version}",
        updated_by=later.updated_by or later.created_by or "",
        update_time=later.update_time or later.create_time or 0,
        description=later.description,
        description_guid=later.description_guid,
        description_wiki=later.description_wiki,
        super_type=later.super_type,
        property_definitions=tuple(
            attribute
            for attribute in later.properties_definition or ()
            if attribute != known.get(attribute.attribute_name)
        ),
        type_def_options=later.options,
        external_standard_mappings=later.external_standard_mappings,
        valid_instance_status_list=later.valid_instance_status_list,
        initial_status=later.initial_status,
        **changes,
    )


def patches_to(earlier: TypeDef, later: TypeDef) -> Iterator[TypeDefPatch]:
    """Patches for those who know a definition at an earlier version or one in between.

    What those in between said isn't kept, so each patch is the one from the earlier version;
    of very many only the last are made.
    """
    first = max(earlier.version, later.version - MAX_PATCHED_VERSIONS)
    for version in range(first, later.version):
        yield patch_between(replace(earlier, version=version), later)


def _with_properties(
    type_def: TypeDef,
    patch: TypeDefPatch,
    inherited: Mapping[str, TypeDefAttribute],
    repository: str,
) -> tuple[TypeDefAttribute, ...]:
    """The type's own attributes, those of the patch in their place or at the end."""
    own = {
        known.attribute_name: known for known in type_def.properties_definition or ()
    }
    for new in patch.property_definitions or ():
        name = new.attribute_name
        if name is None:  # genuine members skip it too
            continue
        known = own.get(name) or inherited.get(name)
        if known is not None and not same_apart_from_descriptions(
            known.attribute_type, new.attribute_type
        ):
            raise IncompatiblePropertyPatchError(
                "applyPatch",
                repository,
                name,
                _type_name(known),
                _type_name(new),
                _short(patch),
            )
        own[name] = new
    return tuple(own.values())


def _type_name(attribute: TypeDefAttribute) -> str:
    kind = attribute.attribute_type
    return "no type" if kind is None else f"{kind.name} ({kind.guid}, {kind.version})"


def _short(patch: TypeDefPatch) -> str:
    return (
        f"{patch.type_def_name} ({patch.type_def_guid}) "
        f"{patch.apply_to_version} -> {patch.update_to_version}"
    )
