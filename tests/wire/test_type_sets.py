"""All types, as shipped and as completed by the release's own archive, field for field."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from edgenode.codec.codec import Codec
from edgenode.releases import EGERIA_4_2, EGERIA_6_1, Release
from edgenode.releases.shipped_types import load_release_types
from edgenode.typedefs.attributes import AttributeTypeDef
from edgenode.typedefs.merge import MergedTypes, merge_types
from edgenode.typedefs.model import TypeDef, TypeDefPatch
from edgenode.typedefs.registry import Definition, TypeRegistry
from tests.genuine import GenuineTypes, genuine_types
from tests.wire.http import Client
from tests.wire.serving import BASE

Json = dict[str, Any]
Definitions = Mapping[str | None, Json]
Compare = Callable[[Definitions, Definitions], None]

DESCRIPTIVE = {
    "description",
    "descriptionGUID",
    "descriptionWiki",
    "attributeDescription",
    "attributeDescriptionGUID",
}


def undescribed(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: undescribed(inner)
            for key, inner in value.items()
            if key not in DESCRIPTIVE
        }
    return [*map(undescribed, value)] if isinstance(value, list) else value


def values_within(value: Any) -> int:
    """How many single values a JSON value holds."""
    if isinstance(value, dict):
        return sum(map(values_within, value.values()))
    return sum(map(values_within, value)) if isinstance(value, list) else 1


@pytest.fixture
def compare(record_property: Callable[[str, object], None]) -> Compare:
    """Compares definitions by GUID; the summary of the run says how much that was."""

    def equal(found: Definitions, expected: Definitions) -> None:
        assert found.keys() == expected.keys()
        differ = [guid for guid in expected if found[guid] != expected[guid]]
        assert [(found[guid], expected[guid]) for guid in differ] == []
        values = sum(map(values_within, expected.values()))
        record_property("compared", f"{len(expected)} definitions, {values} values")

    return equal


def definitions(types: TypeRegistry) -> list[Definition]:
    return [*types.type_defs, *types.attribute_type_defs]


def merged(release: Release, archive: Json) -> tuple[TypeRegistry, MergedTypes]:
    """The release's types after its archive has been loaded over them."""
    codec, types = Codec(release), load_release_types(release)
    store = archive["archiveTypeStore"]
    outcome = merge_types(
        types,
        [codec.from_object(AttributeTypeDef, of) for of in store["attributeTypeDefs"]],
        [codec.from_object(TypeDef, of) for of in store["newTypeDefs"]],
        [codec.from_object(TypeDefPatch, of) for of in store["typeDefPatches"]],
        "node",
    )
    types.put(*outcome.changed)
    return types, outcome


# The release that is served: a genuine server says what its types are


@pytest.fixture(scope="module")
def genuine(pytestconfig: pytest.Config) -> GenuineTypes:
    cache = pytestconfig.cache
    assert cache is not None
    return genuine_types(cache.mkdir("genuine"))


def by_guid(gallery: Json) -> dict[str | None, Json]:
    found: dict[str | None, Json] = {
        known["guid"]: known for known in gallery["typeDefs"]
    }
    return found | {known["guid"]: known for known in gallery["attributeTypeDefs"]}


def test_shipped_types_equal_the_genuine_ones_but_for_descriptions(
    genuine: GenuineTypes, compare: Compare
) -> None:
    expected: Definitions = {
        guid: undescribed(known) for guid, known in by_guid(genuine.gallery).items()
    }
    codec, types = Codec(EGERIA_4_2), load_release_types(EGERIA_4_2)
    shipped = {known.guid: codec.to_object(known) for known in definitions(types)}
    assert len(shipped) == 667 + 63
    compare(shipped, expected)


def test_after_the_archive_the_types_equal_the_genuine_ones(
    genuine: GenuineTypes, compare: Compare
) -> None:
    codec = Codec(EGERIA_4_2)
    types, outcome = merged(EGERIA_4_2, genuine.archive)
    complete = {known.guid: codec.to_object(known) for known in definitions(types)}
    assert len(complete) == 667 + 63
    compare(complete, by_guid(genuine.gallery))
    assert (outcome.added, outcome.patches, outcome.refused) == ((), (), ())


def test_an_empty_server_learns_all_types_from_the_archive(
    genuine: GenuineTypes,
) -> None:
    codec = Codec(EGERIA_4_2)
    store = genuine.archive["archiveTypeStore"]
    told = merge_types(
        TypeRegistry(),
        [codec.from_object(AttributeTypeDef, of) for of in store["attributeTypeDefs"]],
        [codec.from_object(TypeDef, of) for of in store["newTypeDefs"]],
        [codec.from_object(TypeDefPatch, of) for of in store["typeDefPatches"]],
        "node",
    )
    assert told.refused == ()
    assert len(told.patches) == 296
    # A genuine server's order of patched attributes is that of a hash table.
    learnt = {
        known.guid: sorted_attributes(codec.to_object(known)) for known in told.changed
    }
    expected = by_guid(genuine.gallery).values()
    assert learnt == {known["guid"]: sorted_attributes(known) for known in expected}


def sorted_attributes(definition: Json) -> Json:
    attributes = definition.get("propertiesDefinition", [])
    return definition | {
        "propertiesDefinition": sorted(attributes, key=lambda of: of["attributeName"])
    }


# Over REST


async def test_the_gallery_equals_the_genuine_one_but_for_descriptions(
    genuine: GenuineTypes, client: Client
) -> None:
    gallery = (await client.get(BASE + "/types/all")).body
    assert gallery.pop("class") == "TypeDefGalleryResponse"
    assert gallery.pop("relatedHTTPCode") == 200
    assert gallery.keys() == {"typeDefs", "attributeTypeDefs"}
    assert by_guid(gallery) == {
        guid: undescribed(known) for guid, known in by_guid(genuine.gallery).items()
    }


async def test_the_gallery_holds_every_fact_of_the_release(
    shared: Path, client: Client
) -> None:
    facts = json.loads((shared / "facts" / "open-metadata-types-4.2.json").read_bytes())
    kinds = ("entities", "relationships", "classifications", "attributeTypes")
    wanted = {known["guid"]: known for kind in kinds for known in facts[kind]}
    gallery = (await client.get(BASE + "/types/all")).body
    told = by_guid(gallery)
    assert told.keys() == wanted.keys()
    assert [of["name"] for guid, of in wanted.items() if not says(told[guid], of)] == []


def says(told: Any, fact: Any) -> bool:
    """Whether a definition says what the facts do, which only name others in it."""
    if isinstance(fact, dict):
        return all(says(told.get(field), value) for field, value in fact.items())
    if isinstance(fact, list):
        return len(told) == len(fact) and all(map(says, told, fact))
    if isinstance(told, dict):
        return bool(told["name"] == fact)
    return bool(told == fact)


# The other release: its archive, patched in the test's own plain way


@pytest.fixture(scope="module")
def newer_archive(shared: Path) -> Json:
    text = (shared / "data" / "6.1" / "OpenMetadataTypes.omarchive").read_bytes()
    archive: Json = json.loads(text)
    return archive


def patched_plainly(store: Json) -> dict[str | None, Json]:
    """The archive's definitions by GUID with its patches in them."""
    found: dict[str | None, Json] = {
        known["guid"]: dict(known) for known in store["newTypeDefs"]
    }
    for patch in store["typeDefPatches"]:
        known = found[patch["typeDefGUID"]]
        known["version"] = patch["updateToVersion"]
        known["versionName"] = patch["newVersionName"]
        for name in ("updatedBy", "updateTime", "superType"):
            if name in patch:
                known[name] = patch[name]
        if "typeDefStatus" in patch:
            known["status"] = patch["typeDefStatus"]
        if "propertyDefinitions" in patch:
            own = {
                of["attributeName"]: of for of in known.get("propertiesDefinition", [])
            }
            own |= {of["attributeName"]: of for of in patch["propertyDefinitions"]}
            known["propertiesDefinition"] = list(own.values())
    return found | {known["guid"]: known for known in store["attributeTypeDefs"]}


def test_after_its_archive_the_other_release_equals_it_too(
    newer_archive: Json, compare: Compare
) -> None:
    codec = Codec(EGERIA_6_1)
    types, outcome = merged(EGERIA_6_1, newer_archive)
    complete = {known.guid: codec.event_object(known) for known in definitions(types)}
    assert len(complete) == 620 + 50
    compare(complete, patched_plainly(newer_archive["archiveTypeStore"]))
    assert (outcome.added, outcome.patches, outcome.refused) == ((), (), ())


def test_the_other_release_ships_what_its_archive_says(
    newer_archive: Json, compare: Compare
) -> None:
    codec, types = Codec(EGERIA_6_1), load_release_types(EGERIA_6_1)
    shipped = {known.guid: codec.event_object(known) for known in definitions(types)}
    told = patched_plainly(newer_archive["archiveTypeStore"])
    compare(shipped, {guid: undescribed(known) for guid, known in told.items()})
