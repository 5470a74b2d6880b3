"""The type operations: what they answer, refuse, store and announce."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from edgenode.errors import OMRSError, SearchTimeoutError, StoreFullError
from edgenode.events.model import OMRSTypeDefEventType, TypeDefEvent
from edgenode.limits import TYPE_SEARCH_SECONDS
from edgenode.repository.base import Transaction
from edgenode.typedefs.attributes import AttributeTypeDef, AttributeTypeDefCategory
from edgenode.typedefs.model import (
    ClassificationDef,
    ExternalStandardMapping,
    RelationshipDef,
    RelationshipEndDef,
    TypeDef,
    TypeDefCategory,
    TypeDefGallery,
    TypeDefPatch,
)
from tests.model.house import CODEC, USER, House, properties
from tests.model.memory import MemoryRepository
from tests.unit.collection.refusals import Refusal, refusal, refusal_of
from tests.unit.typedefs.samples import (
    COLOUR,
    INT,
    STRING,
    attribute,
    entity_def,
    link,
    patch_of,
)

REFERENCEABLE = "a32316b8-dc8c-48c5-b12b-71c1b2a080bf"
BOOK = entity_def("Book", properties_definition=(attribute("title"),))
EventType = OMRSTypeDefEventType


def names(found: tuple[TypeDef | AttributeTypeDef, ...] | None) -> set[str | None]:
    return {known.name for known in found or ()}


@pytest.fixture
async def with_book(house: House, memory: MemoryRepository) -> House:
    await house.collection.add_type_def(USER, BOOK)
    await house.collection.add_attribute_type_def(USER, COLOUR)
    memory.events.clear()
    return house


# Looking up and finding


def test_all_types_are_listed(house: House) -> None:
    gallery = house.collection.get_all_types(USER)
    assert len(gallery.type_defs or ()) == 667
    assert len(gallery.attribute_type_defs or ()) == 63


def test_types_are_read_by_guid_and_by_name(house: House) -> None:
    collection = house.collection
    by_guid = collection.get_type_def_by_guid(USER, REFERENCEABLE)
    assert by_guid is collection.get_type_def_by_name(USER, "Referenceable")
    kind = collection.get_attribute_type_def_by_name(USER, "string")
    assert kind is collection.get_attribute_type_def_by_guid(USER, str(STRING.guid))


@pytest.mark.parametrize(
    ("operation", "method"),
    [
        ("getTypeDefByGUID", "get_type_def_by_guid"),
        ("getAttributeTypeDefByGUID", "get_attribute_type_def_by_guid"),
    ],
)
def test_an_unknown_guid_is_told(house: House, operation: str, method: str) -> None:
    ask = getattr(house.collection, method)
    assert refusal_of(lambda: ask(USER, "nope")) == (
        "REPOSITORY-404-007",
        "TypeDefNotKnownException",
        operation,
        ("nope", "guid", operation, "node"),
        None,
    )


@pytest.mark.parametrize(
    ("operation", "method"),
    [
        ("getTypeDefByName", "get_type_def_by_name"),
        ("getAttributeTypeDefByName", "get_attribute_type_def_by_name"),
    ],
)
def test_an_unknown_name_is_told(house: House, operation: str, method: str) -> None:
    ask = getattr(house.collection, method)
    assert refusal_of(lambda: ask(USER, "nope")) == (
        "REPOSITORY-404-009",
        "TypeDefNotKnownException",
        operation,
        ("nope", operation, "node"),
        None,
    )


@pytest.mark.parametrize(
    ("pattern", "types", "attribute_types"),
    [
        ("Glossary", {"Glossary"}, set()),
        (
            "Gloss.*",
            {
                "Glossary",
                "GlossaryTerm",
                "GlossaryCategory",
                "GlossaryTermEvolution",
                "GlossaryProject",
            },
            set(),
        ),
        ("string", set(), {"string"}),
        ("int|string", set(), {"int", "string"}),
        ("map<string,string>", set(), {"map<string,string>"}),
        (r"\QGlossary\E", {"Glossary"}, set()),
        (r"\QGloss\E", set(), set()),
        ("glossary", set(), set()),
        ("", set(), set()),
    ],
)
def test_types_are_found_by_a_pattern_that_their_name_matches_in_full(
    house: House, pattern: str, types: set[str], attribute_types: set[str]
) -> None:
    gallery = house.collection.find_types_by_name(USER, pattern)
    assert names(gallery.type_defs) == types
    assert names(gallery.attribute_type_defs) == attribute_types
    if pattern:
        assert names(house.collection.search_for_type_defs(USER, pattern)) == types


def test_a_search_for_nothing_is_refused(house: House) -> None:
    assert refusal_of(lambda: house.collection.search_for_type_defs(USER, "")) == (
        "REPOSITORY-400-013",
        "InvalidParameterException",
        "searchForTypeDefs",
        ("searchCriteria", "searchForTypeDefs", "node"),
        "searchCriteria",
    )


@pytest.mark.parametrize("method", ["find_types_by_name", "search_for_type_defs"])
def test_a_broken_pattern_is_told_as_java_does(house: House, method: str) -> None:
    with pytest.raises(OMRSError) as raised:
        getattr(house.collection, method)(USER, "[")
    assert raised.value.java_class == "java.util.regex.PatternSyntaxException"
    assert raised.value.message_id == "OMRS-REPOSITORY-400-062"


class HurryingClock:
    """A clock on which every question finds the time for a search just over."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> int:
        return 0

    def monotonic(self) -> float:
        self.seconds += TYPE_SEARCH_SECONDS
        return self.seconds


def test_a_pattern_that_takes_for_ever_is_stopped(memory: MemoryRepository) -> None:
    house = House(memory, clock=HurryingClock())  # type: ignore[arg-type]
    with pytest.raises(SearchTimeoutError):
        house.collection.search_for_type_defs(USER, "(a|b|ab)*c")


@pytest.mark.parametrize(
    ("category", "count"),
    [
        (TypeDefCategory.ENTITY_DEF, 301),
        (TypeDefCategory.RELATIONSHIP_DEF, 245),
        (TypeDefCategory.CLASSIFICATION_DEF, 121),
        (TypeDefCategory.UNKNOWN_DEF, 0),
    ],
)
def test_types_are_found_by_category(
    house: House, category: TypeDefCategory, count: int
) -> None:
    found = house.collection.find_type_defs_by_category(USER, category)
    assert [known.category for known in found] == [category] * count


@pytest.mark.parametrize(
    ("category", "count"),
    [
        (AttributeTypeDefCategory.PRIMITIVE, 13),
        (AttributeTypeDefCategory.COLLECTION, 7),
        (AttributeTypeDefCategory.ENUM_DEF, 43),
        (AttributeTypeDefCategory.UNKNOWN_DEF, 0),
    ],
)
def test_attribute_types_are_found_by_category(
    house: House, category: AttributeTypeDefCategory, count: int
) -> None:
    found = house.collection.find_attribute_type_defs_by_category(USER, category)
    assert [known.category for known in found] == [category] * count


async def test_types_are_found_by_the_names_of_their_properties(
    with_book: House,
) -> None:
    collection = with_book.collection
    novel = entity_def("Novel", BOOK, properties_definition=(attribute("hero"),))
    await collection.add_type_def(USER, novel)
    both = {"title": None, "hero": "any value"}
    assert names(collection.find_type_defs_by_property(USER, both)) == {"Novel"}
    inherited = names(collection.find_type_defs_by_property(USER, {"title": 1}))
    assert {"Book", "Novel"} <= inherited
    assert collection.find_type_defs_by_property(USER, {"no such": None}) == ()


@pytest.mark.parametrize("nothing", [None, {}])
def test_a_search_by_property_needs_one(
    house: House, nothing: dict[str, object] | None
) -> None:
    ask = house.collection.find_type_defs_by_property
    assert refusal_of(lambda: ask(USER, nothing))[:3] == (
        "REPOSITORY-400-011",
        "InvalidParameterException",
        "findTypeDefsByProperty",
    )


def mapping(standard: str, organization: str, name: str) -> ExternalStandardMapping:
    return ExternalStandardMapping(
        standard_name=standard,
        standard_organization=organization,
        standard_type_name=name,
    )


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (("ISBN", None, None), {"Book"}),
        ((None, "ISO", None), {"Book", "Page"}),
        ((None, None, "sheet"), {"Page"}),
        (("ISBN", "ISO", "volume"), {"Book"}),
        (("ISBN", "ISO", "leaf"), set()),  # one mapping has to bear them all
        (("isbn", None, None), set()),
    ],
)
async def test_types_are_found_by_external_standard(
    house: House, asked: tuple[str | None, str | None, str | None], found: set[str]
) -> None:
    standards = (mapping("ISBN", "ISO", "volume"), mapping("DIN", "DIN", "leaf"))
    sheet = attribute(
        "size", external_standard_mappings=(mapping("A4", "ISO", "sheet"),)
    )
    await house.collection.add_type_def_gallery(
        USER,
        TypeDefGallery(
            type_defs=(
                replace(BOOK, external_standard_mappings=standards),
                entity_def("Page", properties_definition=(sheet,)),
            )
        ),
    )
    assert names(house.collection.find_types_by_external_id(USER, *asked)) == found


def test_a_search_by_external_standard_needs_one(house: House) -> None:
    ask = house.collection.find_types_by_external_id
    assert refusal_of(lambda: ask(USER, None, None, None)) == (
        "REPOSITORY-400-012",
        "InvalidParameterException",
        "findTypesByExternalID",
        ("findTypesByExternalID", "node"),
        "externalId",
    )


# Verifying


async def test_a_known_type_is_verified(with_book: House) -> None:
    collection = with_book.collection
    assert collection.verify_type_def(USER, replace(BOOK, version=7))
    assert not collection.verify_type_def(USER, entity_def("Letter"))
    assert collection.verify_attribute_type_def(USER, COLOUR)
    assert not collection.verify_attribute_type_def(
        USER, replace(COLOUR, guid="other", name="Other")
    )


async def test_a_conflict_is_told(with_book: House) -> None:
    collection = with_book.collection
    other_book = replace(BOOK, guid="other")
    assert refusal_of(lambda: collection.verify_type_def(USER, other_book)) == (
        "REPOSITORY-400-059",
        "TypeDefConflictException",
        "",
        ("other", "Book", "node"),
        None,
    )
    other_colour = replace(COLOUR, version=2)
    assert refusal_of(lambda: collection.verify_attribute_type_def(USER, other_colour))[
        :2
    ] == ("REPOSITORY-400-059", "TypeDefConflictException")


Faulty = tuple[Any, Refusal]
TYPE_FAULTS: list[tuple[dict[str, Any], str, str, str]] = [
    ({"guid": None}, "REPOSITORY-400-022", "InvalidParameterException", "getGUID"),
    ({"name": None}, "REPOSITORY-400-007", "InvalidParameterException", "getName"),
    ({"name": ""}, "REPOSITORY-400-007", "InvalidParameterException", "getName"),
]
ATTRIBUTE_TYPE_FAULTS: list[tuple[dict[str, Any], str, str, str]] = [
    ({"guid": None}, "REPOSITORY-400-024", "InvalidParameterException", "getGUID"),
    ({"name": None}, "REPOSITORY-400-008", "InvalidParameterException", "getName"),
]


@pytest.mark.parametrize(("change", "id_", "java", "getter"), TYPE_FAULTS)
async def test_a_type_needs_guid_and_name(
    house: House, change: dict[str, Any], id_: str, java: str, getter: str
) -> None:
    broken = replace(BOOK, **change)
    for operation, parameter, said in (
        (
            "verifyTypeDef",
            f"typeDef.{getter}",
            refusal_of(lambda: house.collection.verify_type_def(USER, broken)),
        ),
        (
            "addTypeDef",
            f"newTypeDef.{getter}",
            await refusal(house.collection.add_type_def(USER, broken)),
        ),
    ):
        assert said == (id_, java, operation, (parameter, operation, "node"), parameter)


@pytest.mark.parametrize(("change", "id_", "java", "getter"), ATTRIBUTE_TYPE_FAULTS)
async def test_an_attribute_type_needs_guid_and_name(
    house: House, change: dict[str, Any], id_: str, java: str, getter: str
) -> None:
    broken = replace(COLOUR, **change)
    collection = house.collection
    for operation, parameter, said in (
        (
            "verifyAttributeTypeDef",
            f"attributeTypeDef.{getter}",
            refusal_of(lambda: collection.verify_attribute_type_def(USER, broken)),
        ),
        (
            "addAttributeTypeDef",
            f"newAttributeTypeDef.{getter}",
            await refusal(collection.add_attribute_type_def(USER, broken)),
        ),
    ):
        assert said == (id_, java, operation, (parameter, operation, "node"), parameter)


async def test_a_definition_in_a_newer_form_is_refused(house: House) -> None:
    newer = replace(BOOK, header_version=2, guid=None)
    assert await refusal(house.collection.add_type_def(USER, newer)) == (
        "REPOSITORY-400-065",
        "InvalidTypeDefException",
        "addTypeDef",
        ("addTypeDef", "node", "Book", "2", "2"),
        None,
    )
    newer_colour = replace(COLOUR, header_version=2)
    ask = house.collection.verify_attribute_type_def
    assert refusal_of(lambda: ask(USER, newer_colour))[:3] == (
        "REPOSITORY-400-065",
        "InvalidTypeDefException",
        "verifyAttributeTypeDef",
    )


# Adding


async def test_a_new_type_is_known_stored_and_announced(
    house: House, memory: MemoryRepository
) -> None:
    await house.collection.add_type_def(USER, BOOK)
    assert house.collection.get_type_def_by_name(USER, "Book") == BOOK
    assert list(memory.types()) == [BOOK]
    assert memory.events == [
        TypeDefEvent(type_def_event_type=EventType.NEW_TYPEDEF_EVENT, type_def=BOOK)
    ]


async def test_a_new_attribute_type_is_known_stored_and_announced(
    house: House, memory: MemoryRepository
) -> None:
    await house.collection.add_attribute_type_def(USER, COLOUR)
    assert house.collection.get_attribute_type_def_by_name(USER, "Colour") == COLOUR
    assert list(memory.types()) == [COLOUR]
    assert memory.events == [
        TypeDefEvent(
            type_def_event_type=EventType.NEW_ATTRIBUTE_TYPEDEF_EVENT,
            attribute_type_def=COLOUR,
        )
    ]


@pytest.mark.parametrize(
    "taken",
    [
        BOOK,
        replace(BOOK, guid="other"),
        replace(BOOK, name="Other"),
        entity_def("Glossary"),
        entity_def("Mine", guid=REFERENCEABLE),
    ],
)
async def test_a_taken_name_or_guid_is_told(
    with_book: House, memory: MemoryRepository, taken: TypeDef
) -> None:
    assert await refusal(with_book.collection.add_type_def(USER, taken)) == (
        "REPOSITORY-400-003",
        "TypeDefKnownException",
        "",
        (taken.name, taken.guid, "node"),
        None,
    )
    assert memory.events == []


@pytest.mark.parametrize(
    ("taken", "id_"),
    [
        (COLOUR, "REPOSITORY-400-004"),
        (replace(COLOUR, version=2), "REPOSITORY-400-004"),
        (replace(COLOUR, guid="other"), "REPOSITORY-400-003"),
        (replace(COLOUR, name="Other"), "REPOSITORY-400-003"),
    ],
)
async def test_a_taken_attribute_type_is_told(
    with_book: House, taken: AttributeTypeDef, id_: str
) -> None:
    said = await refusal(with_book.collection.add_attribute_type_def(USER, taken))
    assert said[:2] == (id_, "TypeDefKnownException")
    assert said[3] == (taken.name, taken.guid, "node")


async def test_a_type_that_contradicts_itself_is_refused(house: House) -> None:
    twice = replace(BOOK, properties_definition=(attribute("a"), attribute("a")))
    assert await refusal(house.collection.add_type_def(USER, twice)) == (
        "REPOSITORY-400-017",
        "InvalidTypeDefException",
        "addTypeDef",
        (
            "Book",
            "guid-Book",
            "newTypeDef",
            "addTypeDef",
            "node",
            "attribute a is there twice",
        ),
        None,
    )


async def test_a_gallery_is_added_as_a_whole(
    house: House, memory: MemoryRepository
) -> None:
    novel = entity_def("Novel", BOOK)
    gallery = TypeDefGallery(attribute_type_defs=(COLOUR,), type_defs=(BOOK, novel))
    await house.collection.add_type_def_gallery(USER, gallery)
    assert house.types.lineage("Novel") == ("Novel", "Book")
    assert list(memory.types()) == [COLOUR, BOOK, novel]
    assert [event.type_def_event_type for event in type_events(memory)] == [
        EventType.NEW_ATTRIBUTE_TYPEDEF_EVENT,
        EventType.NEW_TYPEDEF_EVENT,
        EventType.NEW_TYPEDEF_EVENT,
    ]


def type_events(memory: MemoryRepository) -> list[TypeDefEvent]:
    return [event for event in memory.events if isinstance(event, TypeDefEvent)]


@pytest.mark.parametrize(
    "second",
    [BOOK, entity_def("Glossary"), entity_def("Novel", guid=None)],
    ids=["twice", "known", "broken"],
)
async def test_one_bad_type_keeps_the_whole_gallery_out(
    house: House, memory: MemoryRepository, second: TypeDef
) -> None:
    gallery = TypeDefGallery(attribute_type_defs=(COLOUR,), type_defs=(BOOK, second))
    await refusal(house.collection.add_type_def_gallery(USER, gallery))
    assert house.types.type_def("Book") is None
    assert house.types.attribute_type_def("Colour") is None
    assert list(memory.types()) == []
    assert memory.events == []


async def test_an_empty_gallery_adds_nothing(
    house: House, memory: MemoryRepository
) -> None:
    await house.collection.add_type_def_gallery(USER, TypeDefGallery())
    assert memory.events == []


class FullRepository(MemoryRepository):
    """A repository on a disk that has just become full."""

    async def change(self, work: Callable[[Transaction], Any]) -> Any:
        await super().change(lambda transaction: None)
        raise StoreFullError("change", "node", "no space")


@pytest.fixture
def full_house() -> House:
    return House(FullRepository(CODEC))


async def test_what_could_not_be_stored_is_not_known(full_house: House) -> None:
    with pytest.raises(StoreFullError):
        await full_house.collection.add_type_def(USER, BOOK)
    assert full_house.types.type_def("Book") is None


async def test_a_type_that_could_not_be_deleted_stays_known(full_house: House) -> None:
    full_house.types.put(BOOK)
    with pytest.raises(StoreFullError):
        await full_house.collection.delete_type_def(USER, "guid-Book", "Book")
    assert full_house.types.type_def("Book") == BOOK


# Patching


async def test_a_patched_type_is_known_stored_and_announced(
    with_book: House, memory: MemoryRepository
) -> None:
    patch = patch_of(BOOK, description="Bound pages.")
    patched = await with_book.collection.update_type_def(USER, patch)
    assert (patched.version, patched.description) == (2, "Bound pages.")
    assert with_book.types.type_def("Book") is patched
    assert patched in list(memory.types())
    assert memory.events == [
        TypeDefEvent(
            type_def_event_type=EventType.UPDATED_TYPEDEF_EVENT, type_def_patch=patch
        )
    ]


async def test_a_type_of_the_release_can_be_patched(
    house: House, memory: MemoryRepository
) -> None:
    term = house.collection.get_type_def_by_name(USER, "GlossaryTerm")
    patch = patch_of(term, property_definitions=(attribute("mood"),))
    await house.collection.update_type_def(USER, patch)
    assert "mood" in house.types.attributes("GlossaryTerm")


async def test_an_old_patch_changes_nothing(
    with_book: House, memory: MemoryRepository
) -> None:
    patch = patch_of(BOOK, description="Bound pages.")
    patched = await with_book.collection.update_type_def(USER, patch)
    memory.events.clear()
    assert await with_book.collection.update_type_def(USER, patch) is patched
    assert memory.events == []


@pytest.mark.parametrize(
    "change", [{"type_def_name": "nope"}, {"type_def_guid": "nope"}]
)
async def test_a_patch_of_an_unknown_type_is_told(
    with_book: House, change: dict[str, Any]
) -> None:
    patch = patch_of(BOOK, **change)
    assert await refusal(with_book.collection.update_type_def(USER, patch)) == (
        "REPOSITORY-400-019",
        "InvalidParameterException",
        "applyPatch",
        ("originalTypeDef", "applyPatch", "node"),
        "originalTypeDef",
    )


@pytest.mark.parametrize(
    ("patch", "id_", "operation"),
    [
        (TypeDefPatch(), "REPOSITORY-400-067", "updateTypeDef"),
        (patch_of(BOOK, updated_by=None), "REPOSITORY-400-069", "updateTypeDef"),
        (patch_of(replace(BOOK, version=2)), "REPOSITORY-400-068", "applyPatch"),
        (
            patch_of(BOOK, property_definitions=(attribute("title", INT),)),
            "REPOSITORY-400-070",
            "applyPatch",
        ),
    ],
)
async def test_a_patch_that_does_not_fit_is_told(
    with_book: House, patch: TypeDefPatch, id_: str, operation: str
) -> None:
    said = await refusal(with_book.collection.update_type_def(USER, patch))
    assert said[:3] == (id_, "PatchErrorException", operation)
    assert with_book.types.type_def("Book") == BOOK


async def test_a_patch_cannot_close_a_circle(with_book: House) -> None:
    await with_book.collection.add_type_def(USER, entity_def("Novel", BOOK))
    patch = patch_of(BOOK, super_type=link(entity_def("Novel")))
    said = await refusal(with_book.collection.update_type_def(USER, patch))
    assert said[:3] == ("REPOSITORY-400-017", "InvalidTypeDefException", "applyPatch")


# Deleting


async def test_an_unused_type_is_deleted(
    with_book: House, memory: MemoryRepository
) -> None:
    await with_book.collection.delete_type_def(USER, "guid-Book", "Book")
    assert with_book.types.type_def("Book") is None
    assert list(memory.types()) == [COLOUR]
    assert memory.events == [
        TypeDefEvent(
            type_def_event_type=EventType.DELETED_TYPEDEF_EVENT,
            type_def_guid="guid-Book",
            type_def_name="Book",
        )
    ]


async def test_an_unused_attribute_type_is_deleted(
    with_book: House, memory: MemoryRepository
) -> None:
    await with_book.collection.delete_attribute_type_def(USER, "enum-colour", "Colour")
    assert with_book.types.attribute_type_def("Colour") is None
    assert list(memory.types()) == [BOOK]
    assert memory.events == [
        TypeDefEvent(
            type_def_event_type=EventType.DELETED_ATTRIBUTE_TYPEDEF_EVENT,
            type_def_guid="enum-colour",
            type_def_name="Colour",
        )
    ]


BOTH = "obsoleteTypeDefGUID or obsoleteTypeDefName"


@pytest.mark.parametrize(
    ("guid", "name", "said"),
    [
        (
            "nope",
            "Book",
            (
                "REPOSITORY-404-007",
                "InvalidParameterException",
                "deleteTypeDef",
                ("nope", "obsoleteTypeDefGUID", "deleteTypeDef", "node"),
                BOTH,
            ),
        ),
        (
            "guid-Book",
            "nope",
            (
                "REPOSITORY-404-007",
                "TypeDefNotKnownException",
                "deleteTypeDef",
                ("guid-Book", "nope", "deleteTypeDef", "node"),
                None,
            ),
        ),
        (
            "guid-Book",
            None,
            (
                "REPOSITORY-400-007",
                "InvalidParameterException",
                "deleteTypeDef",
                ("obsoleteTypeDefName", "deleteTypeDef", "node"),
                "obsoleteTypeDefName",
            ),
        ),
    ],
)
async def test_guid_and_name_of_a_type_to_delete_have_to_go_together(
    with_book: House, guid: str, name: str | None, said: Refusal
) -> None:
    call = with_book.collection.delete_type_def(USER, guid, name)
    assert await refusal(call) == said
    assert with_book.types.type_def("Book") == BOOK


@pytest.mark.parametrize(
    ("guid", "name"), [("nope", "Colour"), ("enum-colour", "nope")]
)
async def test_guid_and_name_of_an_attribute_type_have_to_go_together(
    with_book: House, guid: str, name: str
) -> None:
    operation = "deleteAttributeTypeDef"
    call = with_book.collection.delete_attribute_type_def(USER, guid, name)
    assert await refusal(call) == (
        "CONTENT-MANAGER-500-001",
        "InvalidParameterException",
        operation,
        ("getAttributeTypeDef", guid, "node", operation),
        BOTH,
    )


async def test_an_attribute_type_to_delete_needs_its_name(with_book: House) -> None:
    call = with_book.collection.delete_attribute_type_def(USER, "enum-colour", None)
    assert (await refusal(call))[0] == "REPOSITORY-400-008"


async def add_a_book(house: House) -> None:
    await house.collection.add_entity(
        USER, "guid-Book", properties(title="a book"), None, None
    )


async def add_a_subtype(house: House) -> None:
    await house.collection.add_type_def(USER, entity_def("Novel", BOOK))


async def add_a_relationship_type(house: House) -> None:
    end = RelationshipEndDef(entity_type=link(BOOK))
    owns = RelationshipDef(guid="r", name="Owns", end_def1=end, end_def2=end)
    await house.collection.add_type_def(USER, owns)


async def add_a_classification_type(house: House) -> None:
    tag = ClassificationDef(guid="c", name="Tag", valid_entity_defs=(link(BOOK),))
    await house.collection.add_type_def(USER, tag)


@pytest.mark.parametrize(
    "use",
    [add_a_book, add_a_subtype, add_a_relationship_type, add_a_classification_type],
)
async def test_a_type_in_use_stays(
    with_book: House,
    memory: MemoryRepository,
    use: Callable[[House], Awaitable[None]],
) -> None:
    await use(with_book)
    memory.events.clear()
    in_use = (
        "REPOSITORY-400-001",
        "TypeDefInUseException",
        "",
        ("Book", "guid-Book", "node"),
        None,
    )
    collection = with_book.collection
    delete = collection.delete_type_def(USER, "guid-Book", "Book")
    assert await refusal(delete) == in_use
    rename = collection.re_identify_type_def(USER, "guid-Book", "Book", "new", "New")
    assert await refusal(rename) == in_use
    assert with_book.types.type_def("Book") == BOOK
    assert memory.events == []


async def test_an_attribute_type_in_use_stays(with_book: House) -> None:
    colourful = entity_def("Bird", properties_definition=(attribute("plume", COLOUR),))
    await with_book.collection.add_type_def(USER, colourful)
    call = with_book.collection.delete_attribute_type_def(USER, "enum-colour", "Colour")
    assert (await refusal(call))[:2] == ("REPOSITORY-400-002", "TypeDefInUseException")


async def test_the_types_of_the_release_stay(house: House) -> None:
    collection = house.collection
    unused = collection.get_type_def_by_name(USER, "ControlPointDefinition")
    delete = collection.delete_type_def(USER, str(unused.guid), unused.name)
    assert (await refusal(delete))[1] == "TypeDefInUseException"
    rename = collection.re_identify_type_def(
        USER, str(unused.guid), unused.name, "new", "New"
    )
    assert (await refusal(rename))[1] == "TypeDefInUseException"


# Re-identifying


async def test_an_unused_type_gets_another_guid_and_name(
    with_book: House, memory: MemoryRepository
) -> None:
    collection = with_book.collection
    volume = await collection.re_identify_type_def(
        USER, "guid-Book", "Book", "guid-Volume", "Volume"
    )
    assert volume == replace(BOOK, guid="guid-Volume", name="Volume", version=2)
    assert with_book.types.type_def("Book") is None
    assert with_book.types.type_def_by_guid("guid-Volume") is volume
    assert list(memory.types()) == [COLOUR, volume]
    assert memory.events == [
        TypeDefEvent(
            type_def_event_type=EventType.RE_IDENTIFIED_TYPEDEF_EVENT,
            original_type_def_summary=BOOK.summary,
            type_def=volume,
        )
    ]


async def test_a_type_may_keep_its_guid_or_name(with_book: House) -> None:
    collection = with_book.collection
    renamed = await collection.re_identify_type_def(
        USER, "guid-Book", "Book", "guid-Book", "Volume"
    )
    assert with_book.types.type_def("Volume") is renamed
    moved = await collection.re_identify_type_def(
        USER, "guid-Book", "Volume", "guid-Volume", "Volume"
    )
    assert with_book.types.type_def_by_guid("guid-Volume") is moved


async def test_an_unused_attribute_type_gets_another_guid_and_name(
    with_book: House, memory: MemoryRepository
) -> None:
    paint = await with_book.collection.re_identify_attribute_type_def(
        USER, "enum-colour", "Colour", "enum-paint", "Paint"
    )
    assert paint == replace(COLOUR, guid="enum-paint", name="Paint", version=2)
    assert with_book.types.attribute_type_def("Colour") is None
    assert with_book.types.attribute_type_def("Paint") is paint
    assert memory.events == [
        TypeDefEvent(
            type_def_event_type=EventType.RE_IDENTIFIED_ATTRIBUTE_TYPEDEF_EVENT,
            original_attribute_type_def=COLOUR,
            attribute_type_def=paint,
        )
    ]


@pytest.mark.parametrize(
    ("guid", "name"), [("guid-Volume", "Glossary"), (REFERENCEABLE, "Volume")]
)
async def test_a_new_identity_has_to_be_free(
    with_book: House, guid: str, name: str
) -> None:
    call = with_book.collection.re_identify_type_def(
        USER, "guid-Book", "Book", guid, name
    )
    said = await refusal(call)
    assert said[:2] == ("REPOSITORY-400-003", "TypeDefKnownException")
    assert with_book.types.type_def("Book") == BOOK


@pytest.mark.parametrize(
    ("arguments", "id_", "parameter"),
    [
        (("guid-Book", None, "g", "n"), "REPOSITORY-400-007", "originalTypeDefName"),
        (("guid-Book", "Book", None, "n"), "REPOSITORY-400-022", "newTypeDefGUID"),
        (("guid-Book", "Book", "g", None), "REPOSITORY-400-007", "newTypeDefName"),
        (
            ("guid-Book", "nope", "g", "n"),
            "REPOSITORY-404-007",
            "originalTypeDefGUID or originalTypeDefName",
        ),
        (
            ("nope", "Book", "g", "n"),
            "REPOSITORY-404-007",
            "originalTypeDefGUID or originalTypeDefName",
        ),
    ],
)
async def test_a_new_identity_needs_all_its_parts(
    with_book: House, arguments: tuple[Any, ...], id_: str, parameter: str
) -> None:
    said = await refusal(with_book.collection.re_identify_type_def(USER, *arguments))
    assert said[:3] == (id_, "InvalidParameterException", "reIdentifyTypeDef")
    assert said[4] == parameter


@pytest.mark.parametrize(
    ("arguments", "id_"),
    [
        (("enum-colour", None, "g", "n"), "REPOSITORY-400-008"),
        (("enum-colour", "Colour", None, "n"), "REPOSITORY-400-024"),
        (("enum-colour", "Colour", "g", None), "REPOSITORY-400-008"),
        (("enum-colour", "nope", "g", "n"), "CONTENT-MANAGER-500-001"),
    ],
)
async def test_a_new_identity_of_an_attribute_type_needs_all_its_parts(
    with_book: House, arguments: tuple[Any, ...], id_: str
) -> None:
    call = with_book.collection.re_identify_attribute_type_def(USER, *arguments)
    said = await refusal(call)
    assert said[:3] == (id_, "InvalidParameterException", "reIdentifyAttributeTypeDef")


# Merging a store of types


async def test_a_store_of_types_is_merged_stored_and_announced(
    with_book: House, memory: MemoryRepository
) -> None:
    told = replace(BOOK, description="Bound pages.")
    novel = entity_def("Novel", BOOK)
    patch = patch_of(novel, description="An invented story.")
    merged = await with_book.collection.merge_types([COLOUR], [told, novel], [patch])
    assert with_book.types.type_def("Book") == told
    known_novel = with_book.types.type_def("Novel")
    assert known_novel is not None
    assert (known_novel.version, known_novel.description) == (2, "An invented story.")
    assert set(merged.changed) == {told, known_novel}
    assert {told, known_novel} <= set(memory.types())
    assert [event.type_def_event_type for event in type_events(memory)] == [
        EventType.NEW_TYPEDEF_EVENT,
        EventType.UPDATED_TYPEDEF_EVENT,
    ]


# Users


def test_every_question_needs_a_user(house: House) -> None:
    assert refusal_of(lambda: house.collection.get_all_types(" ")) == (
        "REPOSITORY-400-027",
        "InvalidParameterException",
        "getAllTypes",
        ("userId", "getAllTypes", "node"),
        "userId",
    )
