"""The type sets that ship: complete, sound, made from the facts, and apart from each other."""

import json
from collections import Counter
from pathlib import Path

import pytest

from edgenode.releases import EGERIA_4_2, EGERIA_6_1, RELEASES, Release
from edgenode.releases.build_types import build_type_set
from edgenode.releases.shipped_types import load_release_types, type_set_file
from edgenode.typedefs.model import (
    ClassificationDef,
    RelationshipDef,
    TypeDefLink,
    TypeDefStatus,
)
from edgenode.typedefs.registry import TypeRegistry
from edgenode.typedefs.verify import fault_of

COUNTS = {
    EGERIA_4_2.name: (301, 245, 121, 63),
    EGERIA_6_1.name: (340, 196, 84, 50),
}


@pytest.fixture(params=list(RELEASES.values()), ids=list(RELEASES))
def release(request: pytest.FixtureRequest) -> Release:
    found: Release = request.param
    return found


@pytest.fixture
def types(release: Release) -> TypeRegistry:
    return load_release_types(release)


def test_every_definition_is_there(release: Release, types: TypeRegistry) -> None:
    kinds = Counter(type(known).__name__ for known in types.type_defs)
    assert (
        kinds["EntityDef"],
        kinds["RelationshipDef"],
        kinds["ClassificationDef"],
        len(types.attribute_type_defs),
    ) == COUNTS[release.name]


def test_the_set_is_what_the_facts_say(release: Release, shared: Path) -> None:
    facts = json.loads((shared / "facts" / release.types_resource).read_text())
    assert type_set_file(release).read_text("utf-8") == build_type_set(facts)


def test_every_definition_is_sound(types: TypeRegistry) -> None:
    assert [fault_of(types, known) for known in types.type_defs] == [None] * len(
        types.type_defs
    )


def test_every_type_referred_to_is_known_and_was_active(types: TypeRegistry) -> None:
    links: list[TypeDefLink | None] = []
    for known in types.type_defs:
        links.append(known.super_type)
        if isinstance(known, RelationshipDef):
            ends = filter(None, (known.end_def1, known.end_def2))
            links += [end.entity_type for end in ends]
        elif isinstance(known, ClassificationDef):
            links += known.valid_entity_defs or ()
    for link in filter(None, links):
        target = types.type_def_by_guid(link.guid)
        assert target is not None
        assert target.name == link.name
        assert link.status is TypeDefStatus.ACTIVE_TYPEDEF


def test_attribute_types_are_the_registered_objects(types: TypeRegistry) -> None:
    for known in types.type_defs:
        for attribute in known.properties_definition or ():
            kind = attribute.attribute_type
            assert kind is not None
            assert types.attribute_type_def(kind.name) is kind


def test_each_server_has_a_registry_of_its_own(release: Release) -> None:
    one, other = load_release_types(release), load_release_types(release)
    one.remove(str(one.type_defs[0].guid))
    assert len(other.type_defs) == len(one.type_defs) + 1


def test_the_releases_give_the_same_name_to_different_types() -> None:
    older, newer = map(load_release_types, (EGERIA_4_2, EGERIA_6_1))
    one, other = older.type_def("CloudProvider"), newer.type_def("CloudProvider")
    assert one is not None
    assert other is not None
    assert one.guid != other.guid
    assert newer.type_def_by_guid(one.guid) is None


def test_a_term_inherits_as_its_release_says() -> None:
    older, newer = map(load_release_types, (EGERIA_4_2, EGERIA_6_1))
    assert older.lineage("GlossaryTerm") == (
        "GlossaryTerm",
        "Referenceable",
        "OpenMetadataRoot",
    )
    assert newer.is_a("Glossary", "Collection")
    assert not older.is_a("Glossary", "Collection")
    assert older.unique_attributes("GlossaryTerm") == {"qualifiedName"}
