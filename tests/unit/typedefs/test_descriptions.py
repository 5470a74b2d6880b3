"""Two statements of one definition: completing one with the other."""

from dataclasses import replace

import pytest

from edgenode.typedefs.attributes import EnumElementDef
from edgenode.typedefs.descriptions import (
    ContradictionError,
    completed,
    described,
    same_apart_from_descriptions,
)
from edgenode.typedefs.model import RelationshipEndDef
from tests.unit.typedefs.samples import COLOUR, INT, STRING, attribute, entity_def

BARE = entity_def(
    "Book",
    properties_definition=(attribute("cover", COLOUR), attribute("title", STRING)),
)
TOLD = replace(
    BARE,
    description="Bound pages.",
    created_by="ann",
    create_time=1_600_000_000_000,
    properties_definition=(
        attribute("title", STRING, attribute_description="What it is called."),
        attribute(
            "cover", replace(COLOUR, description="Of what is seen of it on a shelf.")
        ),
    ),
)


def test_what_is_open_is_taken_over_and_the_order_stays() -> None:
    assert completed(BARE, TOLD) == replace(
        TOLD, properties_definition=(TOLD.properties_definition or ())[::-1]
    )


def test_a_statement_that_adds_nothing_leaves_the_very_object() -> None:
    full = completed(BARE, TOLD)
    assert completed(full, TOLD) is full
    assert completed(full, BARE) is full


def test_enum_values_are_matched_where_ordinals_repeat() -> None:
    values = (
        EnumElementDef(ordinal=1, value="Process"),
        EnumElementDef(ordinal=1, value="Project"),
    )
    told = tuple(replace(value, description=value.value) for value in values)
    bare_enum = replace(COLOUR, element_defs=values)
    told_enum = replace(COLOUR, element_defs=told[::-1])
    assert completed(bare_enum, told_enum).element_defs == told


@pytest.mark.parametrize(
    "other",
    [
        replace(BARE, version=2),
        replace(BARE, properties_definition=(attribute("title"),)),
        replace(
            BARE,
            properties_definition=(attribute("cover", INT), attribute("title")),
        ),
        COLOUR,
    ],
)
def test_a_contradiction_is_refused(other: object) -> None:
    with pytest.raises(ContradictionError):
        completed(BARE, other)


def test_a_description_that_differs_contradicts() -> None:
    with pytest.raises(ContradictionError):
        completed(replace(BARE, description="Something else."), TOLD)


def test_descriptions_make_no_difference() -> None:
    ordered = replace(
        TOLD,
        created_by=None,
        create_time=None,
        properties_definition=(TOLD.properties_definition or ())[::-1],
    )
    assert same_apart_from_descriptions(BARE, ordered)
    end = RelationshipEndDef(attribute_name="a", attribute_description="b")
    assert same_apart_from_descriptions(end, replace(end, attribute_description=None))


@pytest.mark.parametrize(
    "other",
    [
        replace(BARE, name="Other"),
        replace(BARE, properties_definition=(BARE.properties_definition or ())[::-1]),
        replace(BARE, properties_definition=None),
        COLOUR,
    ],
)
def test_anything_else_makes_a_difference(other: object) -> None:
    assert not same_apart_from_descriptions(BARE, other)


def test_descriptions_are_taken_from_any_version_of_a_definition() -> None:
    told = replace(
        TOLD,
        version=2,
        version_name="2.0",
        properties_definition=(
            *(TOLD.properties_definition or ()),
            attribute("isbn", STRING, attribute_description="Its number."),
        ),
    )
    full = described(BARE, told)
    cover, title = full.properties_definition or ()
    assert (
        replace(
            full, description=None, properties_definition=BARE.properties_definition
        )
        == BARE
    )
    assert full.description == "Bound pages."
    assert title.attribute_description == "What it is called."
    assert cover.attribute_type is COLOUR
    assert described(full, replace(told, description="Other words.")) is full
    assert described(BARE, COLOUR) is BARE
    told_enum = replace(
        COLOUR,
        element_defs=(
            EnumElementDef(ordinal=1, value="BLUE", description="The sea's."),
        ),
    )
    red, blue = described(COLOUR, told_enum).element_defs or ()
    assert (red.description, blue.description) == (None, "The sea's.")


def test_names_of_versions_say_nothing_of_a_definition() -> None:
    assert same_apart_from_descriptions(STRING, replace(STRING, version_name="6.0"))
