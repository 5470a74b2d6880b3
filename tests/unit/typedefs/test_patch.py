"""Patches: every field, the order of versions, and what they may not do."""

from dataclasses import replace
from typing import Any

import pytest

from edgenode.errors import (
    IncompatiblePatchVersionError,
    IncompatiblePropertyPatchError,
    InvalidPatchVersionError,
    PatchFieldMissingError,
)
from edgenode.limits import MAX_PATCHED_VERSIONS
from edgenode.typedefs.model import (
    ClassificationDef,
    ExternalStandardMapping,
    RelationshipDef,
    RelationshipEndCardinality,
    RelationshipEndDef,
    TypeDef,
    TypeDefLink,
    TypeDefPatch,
    TypeDefStatus,
)
from edgenode.typedefs.patch import apply_patch, check_patch, patches_to
from edgenode.typedefs.status import InstanceStatus
from tests.unit.typedefs.samples import (
    COLOUR,
    INT,
    STRING,
    attribute,
    entity_def,
    patch_of,
)

BOOK = entity_def(
    "Book",
    version=3,
    properties_definition=(attribute("title"), attribute("size", INT)),
    options={"old": "1"},
)
BOOK_1 = replace(BOOK, version=1, properties_definition=(attribute("title"),))
LINK = TypeDefLink(guid="guid-Thing", name="Thing")
END = RelationshipEndDef(
    entity_type=LINK,
    attribute_name="things",
    attribute_cardinality=RelationshipEndCardinality.ANY_NUMBER,
)
MAPPING = ExternalStandardMapping(standard_name="S")


def patched(type_def: TypeDef, **changes: Any) -> TypeDef:
    patch = patch_of(type_def, **changes)
    check_patch(patch, "updateTypeDef", "node")
    return apply_patch(type_def, patch, {}, "node")


def test_every_patch_sets_the_version_and_who_made_it() -> None:
    assert patched(BOOK) == replace(
        BOOK,
        version=4,
        version_name="4.0",
        updated_by="ann",
        update_time=1_700_000_000_000,
    )


@pytest.mark.parametrize(
    ("field", "value", "of_type"),
    [
        ("description", "What people read.", "description"),
        ("description_guid", "d", "description_guid"),
        ("description_wiki", "w", "description_wiki"),
        ("super_type", LINK, "super_type"),
        ("type_def_status", TypeDefStatus.DEPRECATED_TYPEDEF, "status"),
        ("type_def_options", {"new": "2"}, "options"),
        ("external_standard_mappings", (MAPPING,), "external_standard_mappings"),
        (
            "valid_instance_status_list",
            (InstanceStatus.DRAFT,),
            "valid_instance_status_list",
        ),
        ("initial_status", InstanceStatus.DRAFT, "initial_status"),
    ],
)
def test_a_field_of_the_patch_replaces_that_of_the_type(
    field: str, value: object, of_type: str
) -> None:
    changed = patched(BOOK, **{field: value})
    assert getattr(changed, of_type) == value
    assert replace(changed, **{of_type: getattr(BOOK, of_type)}) == patched(BOOK)


def test_properties_are_merged_by_name_and_keep_their_places() -> None:
    title = attribute("title", attribute_description="What is on the cover.")
    cover = attribute("cover", COLOUR)
    changed = patched(BOOK, property_definitions=(cover, title))
    assert changed.properties_definition == (title, attribute("size", INT), cover)


def test_the_first_properties_of_a_type_come_from_a_patch() -> None:
    changed = patched(entity_def("Empty"), property_definitions=(attribute("a"),))
    assert changed.properties_definition == (attribute("a"),)


def test_a_property_without_a_name_is_skipped() -> None:
    nameless = replace(attribute("x"), attribute_name=None)
    changed = patched(BOOK, property_definitions=(nameless,))
    assert changed.properties_definition == BOOK.properties_definition


def test_a_described_property_type_is_the_same_type() -> None:
    described = attribute("size", replace(INT, description="A whole number."))
    changed = patched(BOOK, property_definitions=(described,))
    assert changed.properties_definition == (attribute("title"), described)


@pytest.mark.parametrize(
    "kind",
    [
        STRING,
        replace(INT, guid="other"),
        replace(INT, name="other"),
        replace(INT, version=2),
    ],
)
def test_a_property_cannot_get_another_type(kind: Any) -> None:
    with pytest.raises(IncompatiblePropertyPatchError) as raised:
        patched(BOOK, property_definitions=(attribute("size", kind),))
    assert raised.value.parameters[:3] == ("applyPatch", "node", "size")
    assert raised.value.reporting_operation == "applyPatch"


def test_an_inherited_property_cannot_get_another_type() -> None:
    patch = patch_of(BOOK, property_definitions=(attribute("owner", INT),))
    with pytest.raises(IncompatiblePropertyPatchError):
        apply_patch(BOOK, patch, {"owner": attribute("owner")}, "node")
    assert apply_patch(BOOK, patch, {"owner": attribute("owner", INT)}, "node") != BOOK


def test_a_classification_gets_other_entity_types() -> None:
    tag = ClassificationDef(guid="c", name="Tag", version=1)
    assert patched(tag, valid_entity_defs=(LINK,)) == replace(
        patched(tag),
        valid_entity_defs=(LINK,),  # type: ignore[call-arg]
    )


def test_a_relationship_gets_other_ends() -> None:
    owns = RelationshipDef(guid="r", name="Owns", version=1, end_def2=END)
    changed = patched(owns, end_def1=END)
    assert isinstance(changed, RelationshipDef)
    assert (changed.end_def1, changed.end_def2) == (END, END)
    other = patched(owns, end_def2=replace(END, attribute_name="others"))
    assert isinstance(other, RelationshipDef)
    assert other.end_def2 == replace(END, attribute_name="others")


@pytest.mark.parametrize(
    ("update", "value", "expected"),
    [(True, True, True), (False, True, False), (True, False, False)],
)
def test_multi_link_changes_only_where_the_patch_says_so(
    update: bool, value: bool, expected: bool
) -> None:
    owns = RelationshipDef(guid="r", name="Owns", version=1)
    changed = patched(owns, update_multi_link=update, multi_link=value)
    assert isinstance(changed, RelationshipDef)
    assert changed.multi_link is expected


def test_multi_link_can_be_taken_away() -> None:
    owns = RelationshipDef(guid="r", name="Owns", version=1, multi_link=True)
    changed = patched(owns, update_multi_link=True, multi_link=False)
    assert isinstance(changed, RelationshipDef)
    assert changed.multi_link is False


@pytest.mark.parametrize(
    "changes",
    [
        {"valid_entity_defs": (LINK,)},
        {"end_def1": END},
        {"update_multi_link": True, "multi_link": True},
    ],
)
def test_an_entity_type_has_no_use_for_fields_of_other_kinds(
    changes: dict[str, Any],
) -> None:
    assert patched(BOOK, **changes) == patched(BOOK)


def test_a_patch_may_skip_versions() -> None:
    assert patched(BOOK, update_to_version=9).version == 9


@pytest.mark.parametrize("versions", [(2, 3), (1, 2), (2, 4), (0, 1)])
def test_an_older_patch_is_in_the_type_already(versions: tuple[int, int]) -> None:
    apply_to, update_to = versions
    same = patched(
        BOOK, apply_to_version=apply_to, update_to_version=update_to, description="x"
    )
    assert same is BOOK


def test_a_patch_for_a_later_version_is_refused() -> None:
    with pytest.raises(IncompatiblePatchVersionError) as raised:
        patched(BOOK, apply_to_version=4, update_to_version=5)
    assert raised.value.parameters[:4] == ("applyPatch", "node", "4", "3")


@pytest.mark.parametrize("update_to", [3, 2])
def test_a_patch_has_to_lead_to_a_later_version(update_to: int) -> None:
    with pytest.raises(InvalidPatchVersionError) as raised:
        patched(BOOK, update_to_version=update_to)
    assert raised.value.parameters[:4] == ("updateTypeDef", "node", "3", str(update_to))


def test_an_empty_patch_leads_nowhere() -> None:
    with pytest.raises(InvalidPatchVersionError):
        check_patch(TypeDefPatch(), "updateTypeDef", "node")


@pytest.mark.parametrize(
    ("field", "named"),
    [
        ("new_version_name", "newVersionName"),
        ("updated_by", "updatedBy"),
        ("update_time", "updatedTime"),
    ],
)
def test_a_mandatory_field_is_missed(field: str, named: str) -> None:
    with pytest.raises(PatchFieldMissingError) as raised:
        patched(BOOK, **{field: None})
    assert raised.value.parameters[:3] == ("updateTypeDef", "node", named)


@pytest.mark.parametrize("known", [1, 2])
def test_who_has_an_earlier_version_is_brought_up_to_date(known: int) -> None:
    earlier: TypeDef = replace(BOOK_1, version=known)
    for patch in patches_to(BOOK_1, BOOK):
        assert patch.property_definitions == (attribute("size", INT),)
        check_patch(patch, "updateTypeDef", "node")
        if patch.apply_to_version == earlier.version:
            earlier = apply_patch(earlier, patch, {}, "node")
    assert earlier.version == BOOK.version
    assert earlier.properties_definition == BOOK.properties_definition


def test_nothing_leads_to_what_is_known() -> None:
    assert not list(patches_to(BOOK, BOOK))


def test_of_many_versions_the_last_are_patched() -> None:
    changed = replace(BOOK, version=10**12)
    versions = [each.apply_to_version for each in patches_to(BOOK_1, changed)]
    assert len(versions) == MAX_PATCHED_VERSIONS
    assert versions[-1] == 10**12 - 1
