"""What a store of types adds to the known ones."""

from dataclasses import replace

from edgenode.errors import (
    IncompatiblePatchVersionError,
    InvalidPatchVersionError,
    InvalidTypeDefError,
    TypeDefConflictError,
    TypeDefMissingError,
)
from edgenode.typedefs.merge import merge_types
from edgenode.typedefs.patch import apply_patch
from edgenode.typedefs.registry import TypeRegistry
from tests.unit.typedefs.samples import (
    COLOUR,
    STRING,
    attribute,
    entity_def,
    link,
    patch_of,
)

FIRST = entity_def(
    "Book",
    description="Bound pages.",
    properties_definition=(attribute("title", attribute_description="Its name."),),
)
TO_SECOND = patch_of(FIRST, property_definitions=(attribute("pages"),))
SECOND = apply_patch(FIRST, TO_SECOND, {}, "node")
TO_THIRD = patch_of(SECOND, description="Bound leaves.")
THIRD = apply_patch(SECOND, TO_THIRD, {}, "node")
BARE = replace(
    THIRD,
    description=None,
    properties_definition=(attribute("pages"), attribute("title")),
)


def test_unknown_types_are_added_and_patched() -> None:
    merged = merge_types(
        TypeRegistry(), [STRING], [FIRST], [TO_SECOND, TO_THIRD], "node"
    )
    assert merged.changed == (STRING, THIRD)
    assert merged.added == (STRING, FIRST)
    assert merged.patches == (TO_SECOND, TO_THIRD)
    assert merged.refused == ()


def test_a_known_type_is_completed_with_what_the_patches_come_to() -> None:
    registry = TypeRegistry([STRING, BARE])
    merged = merge_types(registry, [STRING], [FIRST], [TO_SECOND, TO_THIRD], "node")
    (complete,) = merged.changed
    assert complete == replace(
        THIRD, properties_definition=(THIRD.properties_definition or ())[::-1]
    )
    assert (merged.added, merged.patches, merged.refused) == ((), (), ())
    assert registry.type_def("Book") is BARE  # the caller changes it


def test_a_known_attribute_type_is_completed() -> None:
    told = replace(COLOUR, description="Of the cover.")
    merged = merge_types(TypeRegistry([COLOUR]), [told], [], [], "node")
    assert merged.changed == (told,)
    assert merged.added == ()


def test_merging_again_changes_nothing() -> None:
    registry = TypeRegistry([BARE])
    store = ([STRING, COLOUR], [FIRST], [TO_SECOND, TO_THIRD])
    registry.put(*merge_types(registry, *store, "node").changed)
    again = merge_types(registry, *store, "node")
    assert [*again.changed, *again.added, *again.patches, *again.refused] == []


def test_a_type_known_at_an_earlier_version_is_patched() -> None:
    merged = merge_types(
        TypeRegistry([SECOND]), [], [FIRST], [TO_SECOND, TO_THIRD], "node"
    )
    assert merged.changed == (THIRD,)
    assert merged.patches == (TO_THIRD,)


def test_a_type_known_at_a_later_version_stays() -> None:
    later = replace(THIRD, version=7)
    merged = merge_types(
        TypeRegistry([later]), [], [FIRST], [TO_SECOND, TO_THIRD], "node"
    )
    assert [*merged.changed, *merged.patches, *merged.refused] == []


def test_a_patch_of_a_type_that_only_the_server_knows_is_applied() -> None:
    merged = merge_types(TypeRegistry([SECOND]), [], [], [TO_THIRD], "node")
    assert merged.changed == (THIRD,)


def test_a_type_that_differs_here_stays_as_it_is() -> None:
    ours = replace(BARE, description="Our own words.")
    merged = merge_types(
        TypeRegistry([ours]), [], [FIRST], [TO_SECOND, TO_THIRD], "node"
    )
    assert [*merged.changed, *merged.refused] == []


def test_what_cannot_be_taken_over_is_refused_and_the_rest_goes_on() -> None:
    other_book = replace(FIRST, guid="other")
    other_colour = replace(COLOUR, version=9)
    twice = entity_def("Twice", properties_definition=(attribute("a"), attribute("a")))
    merged = merge_types(
        TypeRegistry([THIRD, COLOUR]),
        [other_colour, STRING],
        [other_book, twice, entity_def("Letter", THIRD)],
        [
            patch_of(replace(THIRD, version=8)),
            patch_of(entity_def("Nobody")),
            patch_of(THIRD, update_to_version=1),
            patch_of(THIRD, super_type=link(entity_def("Letter"))),
        ],
        "node",
    )
    assert merged.changed == (STRING, entity_def("Letter", THIRD))
    assert [type(error) for error in merged.refused] == [
        TypeDefConflictError,
        TypeDefConflictError,
        InvalidTypeDefError,
        IncompatiblePatchVersionError,
        TypeDefMissingError,
        InvalidPatchVersionError,
        InvalidTypeDefError,
    ]
