"""What is known of types, and what follows from their inheritance."""

from dataclasses import replace
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.typedefs.model import (
    ClassificationDef,
    RelationshipDef,
    RelationshipEndDef,
    TypeDefLink,
)
from edgenode.typedefs.registry import Definition, TypeRegistry
from tests.unit.typedefs.samples import (
    COLOUR,
    INT,
    STRING,
    attribute,
    entity_def,
    link,
)

THING = entity_def(
    "Thing", properties_definition=(attribute("name", unique=True), attribute("size"))
)
BOOK = entity_def(
    "Book",
    THING,
    properties_definition=(attribute("size", INT), attribute("cover", COLOUR)),
)
NOVEL = entity_def("Novel", BOOK)
SHELF = entity_def("Shelf")


@pytest.fixture
def registry() -> TypeRegistry:
    return TypeRegistry([STRING, COLOUR, NOVEL, THING, BOOK, SHELF])


def test_definitions_are_found_by_guid_and_by_name(registry: TypeRegistry) -> None:
    assert registry.type_def("Book") is BOOK
    assert registry.type_def_by_guid("guid-Book") is BOOK
    assert registry.attribute_type_def("Colour") is COLOUR
    assert registry.attribute_type_def_by_guid("enum-colour") is COLOUR


@pytest.mark.parametrize("nothing", [None, "", "nope", "Colour", "enum-colour"])
def test_what_is_no_type_is_not_found(
    registry: TypeRegistry, nothing: str | None
) -> None:
    assert registry.type_def(nothing) is None
    assert registry.type_def_by_guid(nothing) is None


def test_a_type_is_no_attribute_type(registry: TypeRegistry) -> None:
    assert registry.attribute_type_def("Book") is None
    assert registry.attribute_type_def_by_guid("guid-Book") is None


def test_listings_keep_the_order_of_arrival(registry: TypeRegistry) -> None:
    assert registry.type_defs == (NOVEL, THING, BOOK, SHELF)
    assert registry.attribute_type_defs == (STRING, COLOUR)


def test_a_lineage_leads_up_from_the_type_itself(registry: TypeRegistry) -> None:
    assert registry.lineage("Novel") == ("Novel", "Book", "Thing")
    assert registry.lineage("nope") == ()


def test_inheritance_works_upwards_only(registry: TypeRegistry) -> None:
    assert registry.is_a("Novel", "Thing")
    assert registry.is_a("Novel", "Novel")
    assert not registry.is_a("Thing", "Novel")
    assert not registry.is_a("Shelf", "Thing")


def test_subtypes_are_found_at_every_level(registry: TypeRegistry) -> None:
    assert registry.with_subtypes("Thing") == {"Thing", "Book", "Novel"}
    assert registry.with_subtypes("Novel") == {"Novel"}


def test_attributes_are_inherited_and_the_nearest_definition_counts(
    registry: TypeRegistry,
) -> None:
    attributes = registry.attributes("Novel")
    assert list(attributes) == ["name", "size", "cover"]
    assert attributes["size"].attribute_type is INT


def test_unique_attributes_are_inherited(registry: TypeRegistry) -> None:
    assert registry.unique_attributes("Novel") == {"name"}
    assert registry.unique_attributes("Shelf") == frozenset()


def test_classifications_are_for_the_types_they_name_and_their_subtypes(
    registry: TypeRegistry,
) -> None:
    registry.put(
        ClassificationDef(guid="c1", name="Read", valid_entity_defs=(link(BOOK),)),
        ClassificationDef(guid="c2", name="Heavy", valid_entity_defs=(link(SHELF),)),
        ClassificationDef(guid="c3", name="Anything"),
    )
    assert registry.classifications_of("Novel") == {"Read", "Anything"}
    assert registry.classifications_of("Thing") == {"Anything"}
    assert registry.classifications_of("Read") == frozenset()


def test_a_change_shows_in_all_that_follows_from_it(registry: TypeRegistry) -> None:
    assert "pages" not in registry.attributes("Novel")
    registry.put(
        replace(THING, properties_definition=(attribute("pages", INT),)),
        entity_def("Poem", BOOK),
    )
    assert list(registry.attributes("Novel")) == ["pages", "size", "cover"]
    assert "Poem" in registry.with_subtypes("Thing")
    assert registry.unique_attributes("Novel") == frozenset()


def test_a_definition_takes_the_place_of_the_one_with_its_guid(
    registry: TypeRegistry,
) -> None:
    renamed = replace(BOOK, name="Volume")
    registry.put(renamed)
    assert registry.type_def("Book") is None
    assert registry.type_defs == (NOVEL, THING, renamed, SHELF)


def test_a_removed_type_is_gone_and_ends_the_chain(registry: TypeRegistry) -> None:
    registry.remove("guid-Book")
    assert registry.type_def("Book") is None
    assert registry.lineage("Novel") == ("Novel",)
    assert registry.with_subtypes("Thing") == {"Thing"}


def test_removing_what_is_not_there_changes_nothing(registry: TypeRegistry) -> None:
    before = registry.type_defs
    registry.remove("nope")
    assert registry.type_defs == before


def test_a_copy_changes_on_its_own(registry: TypeRegistry) -> None:
    copy = registry.copy()
    copy.remove("guid-Book")
    assert registry.type_def("Book") is BOOK


def test_inheritance_that_runs_in_a_circle_ends() -> None:
    egg = entity_def("Egg", super_type=TypeDefLink(guid="guid-Hen", name="Hen"))
    hen = entity_def("Hen", egg)
    registry = TypeRegistry([egg, hen])
    assert registry.lineage("Egg") == ("Egg", "Hen")
    assert registry.with_subtypes("Hen") == {"Egg", "Hen"}


def test_types_refer_to_supertypes_ends_classified_and_attribute_types() -> None:
    relationship = RelationshipDef(
        guid="r",
        name="StandsOn",
        end_def1=RelationshipEndDef(entity_type=link(NOVEL)),
        end_def2=RelationshipEndDef(entity_type=link(SHELF)),
    )
    classification = ClassificationDef(
        guid="c", name="Read", valid_entity_defs=(link(entity_def("Letter")),)
    )
    letter = entity_def("Letter")
    definitions: list[Definition] = [STRING, INT, COLOUR, THING, BOOK, NOVEL, SHELF]
    definitions += [letter, relationship, classification]
    registry = TypeRegistry(definitions)
    referred = {
        str(known.name) for known in definitions if registry.is_referred_to(known)
    }
    assert referred == {
        "Thing", "Book", "Novel", "Shelf", "Letter", "string", "int", "Colour"
    }  # fmt: skip


@given(st.lists(st.integers(0, 11), min_size=12, max_size=12))
def test_lineage_and_subtypes_agree_for_any_tree(parents: list[int]) -> None:
    # Type 0 is the root; every other inherits from one with a lower number.
    types = [entity_def("T0")]
    for number in range(1, 12):
        types.append(entity_def(f"T{number}", types[parents[number] % number]))
    registry = TypeRegistry(reversed(types))
    names = [str(known.name) for known in types]
    for above in names:
        expected = {name for name in names if above in registry.lineage(name)}
        assert registry.with_subtypes(above) == expected
        assert {name for name in names if registry.is_a(name, above)} == expected


def test_a_reader_in_another_thread_sees_types_before_or_after_a_change() -> None:
    registry = TypeRegistry([THING, BOOK])
    seen: set[frozenset[str]] = set()
    done = False

    def look() -> None:
        while not done:
            seen.add(registry.with_subtypes("Thing"))

    reader = Thread(target=look)
    reader.start()
    try:
        for _ in range(300):
            registry.put(NOVEL)
            registry.remove("guid-Novel")
    finally:
        done = True
        reader.join()
    assert seen <= {frozenset({"Thing", "Book"}), frozenset({"Thing", "Book", "Novel"})}
