"""Either member answers for the whole cohort, and passes changes on to the home.

Each test runs both ways round: a genuine server asks a node, and a node a genuine server.
Whoever is asked needs no copy: questions come at once, before events do.
"""

from typing import NamedTuple

import pytest

from tests.egeria.conftest import Sides
from tests.egeria.metadata import (
    TERM,
    Json,
    Metadata,
    classifications,
    fresh_name,
    plain,
    until,
)


class Asked(NamedTuple):
    """Whose the metadata is, and who is asked about the whole cohort's."""

    home: Metadata
    whole: Metadata
    other: Metadata


@pytest.fixture
def asked(sides: Sides) -> Asked:
    return Asked(sides.home, Metadata(sides.other.member, "enterprise/"), sides.other)


def term(of: Metadata, **more: str) -> Json:
    return of.add(qualifiedName=fresh_name("term"), **more)


def test_an_entity_is_found_and_read(asked: Asked) -> None:
    name = fresh_name("term")
    entity = asked.home.add(qualifiedName=name)
    assert asked.whole.entity(entity["guid"]) == entity
    assert asked.whole.named(name) == {entity["guid"]: entity}
    assert asked.whole.entity("unknown") is None


def test_what_both_have_is_found_together(asked: Asked) -> None:
    name = fresh_name("term")
    found = [member.add(qualifiedName=name) for member in (asked.home, asked.other)]
    assert asked.whole.named(name) == {each["guid"]: each for each in found}


def test_an_entity_is_changed_at_its_home(asked: Asked) -> None:
    entity = term(asked.home, summary="first")
    guid = entity["guid"]
    changed = asked.whole.change(guid, summary="second")
    assert changed["metadataCollectionId"] == asked.home.member.collection_id
    assert changed["version"] == entity["version"] + 1
    assert asked.home.entity(guid) == changed
    undone = asked.whole.undo(guid)
    assert plain(undone)["summary"] == "first"
    assert asked.home.entity(guid) == undone == asked.whole.entity(guid)


def test_an_entity_is_deleted_and_restored_at_its_home(asked: Asked) -> None:
    guid = term(asked.home)["guid"]
    asked.whole.delete(guid)
    assert asked.home.entity(guid) is None
    assert asked.whole.entity(guid) is None
    restored = asked.whole.restore(guid)
    assert asked.home.entity(guid) == restored == asked.whole.entity(guid)
    asked.whole.delete(guid)
    asked.whole.purge(guid)
    assert asked.home.known(guid) is None
    assert asked.whole.entity(guid) is None


def around(whole: Metadata, guid: str) -> set[str]:
    """An entity and those that are related to it, by their ids."""
    path = f"entities/from-entity/{guid}/by-neighborhood?level=1"
    graph = whole.ask("POST", path, {"class": "EntityNeighborhoodFindRequest"})
    return {each["guid"] for each in graph["entityElementList"]}


def test_entities_of_both_are_related(asked: Asked) -> None:
    one, two = term(asked.home), term(asked.other)
    relationship = asked.whole.relate(one["guid"], two["guid"], description="near")
    guid = relationship["guid"]
    assert asked.whole.relationship(guid) == relationship
    for end in (one, two):
        assert asked.whole.relationships(end["guid"]) == {guid: relationship}
        # A genuine server has an entity there once there is a copy beside the proxy.
        until(lambda: around(asked.whole, end["guid"]) == {one["guid"], two["guid"]})  # noqa: B023
    changed = asked.whole.change_relationship(guid, description="far")
    assert asked.whole.relationship(guid) == changed
    asked.whole.delete_relationship(guid)
    assert asked.whole.relationship(guid) is None
    asked.whole.restore_relationship(guid)
    assert asked.whole.relationships(one["guid"])


def test_a_relationship_is_changed_at_its_home(asked: Asked) -> None:
    one, two = term(asked.home), term(asked.home)
    guid = asked.home.relate(one["guid"], two["guid"], description="near")["guid"]
    changed = asked.whole.change_relationship(guid, description="far")
    assert asked.home.relationship(guid) == changed == asked.whole.relationship(guid)
    undone = asked.whole.undo_relationship(guid)
    assert plain(undone) == {"description": "near"}
    assert asked.home.relationship(guid) == undone
    asked.whole.delete_relationship(guid)
    assert asked.home.relationship(guid) is None
    asked.whole.purge_relationship(guid)
    assert asked.home.known_relationship(guid) is None


def test_an_entity_is_classified_at_its_home(asked: Asked) -> None:
    guid = term(asked.home)["guid"]
    asked.whole.classify(guid, "Confidence", confidence=50)
    given = classifications(asked.home.entity(guid) or {})["Confidence"]
    assert given["metadataCollectionId"] == asked.home.member.collection_id
    asked.whole.reclassify(guid, "Confidence", confidence=90)
    for member in (asked.home, asked.whole):
        given = classifications(member.entity(guid) or {})["Confidence"]
        assert plain(given) == {"confidence": 90}
    asked.whole.declassify(guid, "Confidence")
    for member in (asked.home, asked.whole):
        assert not classifications(member.entity(guid) or {})


def test_what_the_asked_one_makes_is_its_own(asked: Asked) -> None:
    entity = asked.whole.add(TERM, qualifiedName=fresh_name("term"))
    assert entity["metadataCollectionId"] == asked.other.member.collection_id
    assert asked.other.entity(entity["guid"]) == entity
