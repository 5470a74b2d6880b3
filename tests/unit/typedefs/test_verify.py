"""Known, new, or in conflict; and definitions that can't be used at all."""

from dataclasses import replace

import pytest

from edgenode.typedefs.attributes import AttributeTypeDef, EnumElementDef
from edgenode.typedefs.model import (
    ClassificationDef,
    RelationshipDef,
    RelationshipEndDef,
    TypeDef,
    TypeDefLink,
)
from edgenode.typedefs.registry import TypeRegistry
from edgenode.typedefs.verify import (
    Verdict,
    fault_of,
    verify_attribute_type_def,
    verify_type_def,
)
from tests.unit.typedefs.samples import (
    COLOUR,
    INT,
    STRING,
    attribute,
    entity_def,
    link,
)

THING = entity_def("Thing")
BOOK = entity_def("Book", THING)
TAG = ClassificationDef(guid="guid-Tag", name="Tag")
REGISTRY = TypeRegistry([STRING, COLOUR, THING, BOOK, TAG])


@pytest.mark.parametrize(
    ("type_def", "verdict"),
    [
        (BOOK, Verdict.KNOWN),
        (replace(BOOK, version=9, super_type=None, description="x"), Verdict.KNOWN),
        (replace(BOOK, properties_definition=(attribute("a"),)), Verdict.KNOWN),
        (entity_def("Letter"), Verdict.UNKNOWN),
        (replace(BOOK, guid="other"), Verdict.CONFLICT),
        (replace(BOOK, name="Other"), Verdict.CONFLICT),
        (replace(BOOK, guid=THING.guid), Verdict.CONFLICT),
        (replace(TAG, guid=BOOK.guid, name=BOOK.name), Verdict.CONFLICT),
        (entity_def("Letter", guid=STRING.guid), Verdict.CONFLICT),
        (entity_def("string"), Verdict.UNKNOWN),
    ],
)
def test_types(type_def: TypeDef, verdict: Verdict) -> None:
    assert verify_type_def(REGISTRY, type_def) is verdict


RED_AND_BLUE = COLOUR.element_defs or ()
DESCRIBED = replace(
    COLOUR,
    description="Of the cover.",
    description_guid="d",
    element_defs=(
        EnumElementDef(ordinal=0, value="RED", description="Like a rose."),
        EnumElementDef(ordinal=1, value="BLUE"),
    ),
)


@pytest.mark.parametrize(
    ("attribute_type_def", "verdict"),
    [
        (COLOUR, Verdict.KNOWN),
        (DESCRIBED, Verdict.KNOWN),
        (replace(COLOUR, header_version=0), Verdict.KNOWN),
        (INT, Verdict.UNKNOWN),
        (replace(COLOUR, version=2), Verdict.CONFLICT),
        (replace(COLOUR, element_defs=RED_AND_BLUE[:1]), Verdict.CONFLICT),
        (replace(COLOUR, element_defs=RED_AND_BLUE[::-1]), Verdict.CONFLICT),
        (replace(COLOUR, default_value=EnumElementDef(ordinal=0)), Verdict.CONFLICT),
        (replace(COLOUR, guid="other"), Verdict.CONFLICT),
        (replace(COLOUR, name="Other"), Verdict.CONFLICT),
        (replace(INT, guid=COLOUR.guid, name=COLOUR.name), Verdict.CONFLICT),
        (replace(INT, guid=BOOK.guid), Verdict.CONFLICT),
    ],
)  # fmt: skip
def test_attribute_types(
    attribute_type_def: AttributeTypeDef, verdict: Verdict
) -> None:
    assert verify_attribute_type_def(REGISTRY, attribute_type_def) is verdict


END = RelationshipEndDef(entity_type=link(BOOK))


@pytest.mark.parametrize(
    ("type_def", "fault"),
    [
        (
            entity_def("New", properties_definition=(attribute("a"), attribute("a"))),
            "attribute a is there twice",
        ),
        (
            entity_def(
                "New",
                properties_definition=(replace(attribute("a"), attribute_name=None),),
            ),
            "an attribute has no name",
        ),
        (
            entity_def(
                "New",
                properties_definition=(replace(attribute("a"), attribute_type=None),),
            ),
            "attribute a has no type",
        ),
        (
            entity_def("New", super_type=TypeDefLink(guid=BOOK.guid)),
            "its supertype has no name",
        ),
        (
            entity_def("New", super_type=TypeDefLink(guid="guid-New", name="New")),
            "it inherits from itself",
        ),
        (replace(THING, super_type=link(BOOK)), "it inherits from itself"),
        (
            entity_def("New", super_type=TypeDefLink(guid=TAG.guid, name="Tag")),
            "its supertype Tag is a ClassificationDef",
        ),
        (
            RelationshipDef(guid="r", name="Owns", end_def1=END),
            "an end has no entity type",
        ),
        (
            RelationshipDef(
                guid="r", name="Owns", end_def1=RelationshipEndDef(), end_def2=END
            ),
            "an end has no entity type",
        ),
    ],
)
def test_a_broken_definition_is_told_why(type_def: TypeDef, fault: str) -> None:
    assert fault_of(REGISTRY, type_def) == fault


def test_types_that_come_one_by_one_make_no_circle() -> None:
    links = [TypeDefLink(guid=f"guid-{name}", name=name) for name in "ABC"]
    a, b, c = (
        entity_def(name, super_type=links[number - 2])
        for number, name in enumerate("ABC")
    )
    registry = TypeRegistry([a])  # below B
    assert fault_of(registry, b) is None
    registry.put(b)  # below C
    assert fault_of(registry, c) == "it inherits from itself"


@pytest.mark.parametrize(
    "type_def",
    [
        BOOK,
        entity_def("New", BOOK, properties_definition=(attribute("a"),)),
        entity_def("New", super_type=TypeDefLink(guid="later", name="Later")),
        RelationshipDef(guid="r", name="Owns", end_def1=END, end_def2=END),
        TAG,
    ],
)
def test_a_sound_definition_has_no_fault(type_def: TypeDef) -> None:
    assert fault_of(REGISTRY, type_def) is None
