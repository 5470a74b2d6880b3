"""What one member makes and changes is seen on the other through its reference copies.

Each test runs both ways round: with a genuine server as the home, and with a node.
"""

from uuid import uuid4

import pytest

from tests.egeria.conftest import Pair, Sides
from tests.egeria.harness.errors import EgeriaError
from tests.egeria.metadata import (
    CONTROLLED_TERM,
    TERM,
    Json,
    Metadata,
    classifications,
    fresh_name,
    plain,
    until,
)


def made(sides: Sides, **more: str) -> Json:
    """A term that both have."""
    entity = sides.home.add(qualifiedName=fresh_name("term"), **more)
    sees(sides.other, entity)
    return entity


def related(sides: Sides) -> Json:
    """A relationship that both have."""
    one, two = made(sides), made(sides)
    relationship = sides.home.relate(one["guid"], two["guid"], description="near")
    until(lambda: sides.other.relationship(relationship["guid"]) == relationship)
    return relationship


def sees(member: Metadata, entity: Json) -> None:
    """Wait until a member has a copy, or doesn't have it any more."""
    until(lambda: member.known(entity["guid"]) == entity, f"for {entity}")


def confidence(member: Metadata, guid: str) -> int | None:
    """What an entity's classification says at a member."""
    given = classifications(member.known(guid) or {}).get("Confidence")
    return None if given is None else plain(given)["confidence"]


def test_an_entity_is_found_and_read(sides: Sides) -> None:
    name = fresh_name("term")
    entity = sides.home.add(qualifiedName=name, displayName="Grüße")
    sees(sides.other, entity)
    assert sides.other.entity(entity["guid"]) == entity
    assert sides.other.named(name) == {entity["guid"]: entity}


def test_a_copy_is_changed_at_its_home_alone(sides: Sides) -> None:
    entity = made(sides, summary="first")
    with pytest.raises(EgeriaError) as refused:
        sides.other.change(entity["guid"], qualifiedName="other")
    assert refused.value.message_id == "OMRS-LOCAL-REPOSITORY-503-009"
    for text in ("second", "third"):
        sees(sides.other, sides.home.change(entity["guid"], summary=text))
    undone = sides.home.undo(entity["guid"])
    assert plain(undone) == {"summary": "second"}
    sees(sides.other, undone)


def test_a_deleted_entity_comes_back_and_goes_for_good(sides: Sides) -> None:
    entity = made(sides)
    guid = entity["guid"]
    sees(sides.other, sides.home.delete(guid))
    assert sides.other.entity(guid) is None
    sees(sides.other, sides.home.restore(guid))
    assert sides.other.entity(guid)
    deleted = sides.home.delete(guid)
    sees(sides.other, deleted)
    sides.home.purge(guid)
    assert sides.home.known(guid) is None


def test_a_purged_entity_is_gone_from_the_node(pair: Pair) -> None:
    genuine, node = Metadata(pair.genuine), Metadata(pair.node)
    sides = Sides(genuine, node)
    guid = made(sides)["guid"]
    genuine.delete(guid)
    genuine.purge(guid)
    until(lambda: node.known(guid) is None)


def test_a_relationship_follows_its_home(sides: Sides) -> None:
    relationship = related(sides)
    guid, end = relationship["guid"], relationship["entityOneProxy"]["guid"]
    home, other = sides

    def follows(state: Json) -> None:
        until(lambda: other.known_relationship(guid) == state)

    assert other.relationships(end) == {guid: relationship}
    with pytest.raises(EgeriaError):
        other.change_relationship(guid, description="far")
    follows(home.change_relationship(guid, description="far"))
    follows(home.undo_relationship(guid))
    follows(home.delete_relationship(guid))
    assert other.relationship(guid) is None
    assert other.relationships(end) == {}
    follows(home.restore_relationship(guid))
    assert other.relationships(end)
    home.delete_relationship(guid)
    home.purge_relationship(guid)
    until(lambda: other.relationship(guid) is None)


def test_relationships_go_with_a_deleted_entity(pair: Pair) -> None:
    # A genuine server tells nobody of them, and keeps its copies of such ones.
    genuine, node = sides = Sides(Metadata(pair.genuine), Metadata(pair.node))
    relationship = related(sides)
    one, two = (relationship[f"entity{end}Proxy"]["guid"] for end in ("One", "Two"))
    sees(node, genuine.delete(one))
    for member in sides:
        assert member.relationship(relationship["guid"]) is None
        assert member.relationships(two) == {}


def test_an_own_classification_follows_its_entity(sides: Sides) -> None:
    guid = made(sides)["guid"]
    sees(sides.other, sides.home.classify(guid, "Confidence", confidence=50))
    sees(sides.other, sides.home.reclassify(guid, "Confidence", confidence=90))
    bare = sides.home.declassify(guid, "Confidence")
    assert not classifications(bare)
    sees(sides.other, bare)


def test_anybody_classifies_a_copy(sides: Sides) -> None:
    guid = made(sides)["guid"]
    sides.other.classify(guid, "Confidence", confidence=50)
    given = until(lambda: classifications(sides.home.known(guid) or {}))["Confidence"]
    assert given["metadataCollectionId"] == sides.other.member.collection_id
    assert plain(given) == {"confidence": 50}
    # What happens to the entity doesn't touch what somebody else has given it.
    sees(sides.other, sides.home.change(guid, summary="changed"))
    assert confidence(sides.other, guid) == 50
    sides.other.reclassify(guid, "Confidence", confidence=90)
    until(lambda: confidence(sides.home, guid) == 90)
    sides.other.declassify(guid, "Confidence")
    until(lambda: not classifications(sides.home.known(guid) or {}))


def test_anybody_classifies_what_is_known_by_a_proxy(sides: Sides) -> None:
    entity = made(sides)
    given = sides.other.classify_by_proxy(entity, "Confidence", confidence=50)
    assert given["metadataCollectionId"] == sides.other.member.collection_id
    for member in sides:
        whole = Metadata(member.member, "enterprise/")
        until(lambda: confidence(whole, entity["guid"]) == 50)  # noqa: B023


def test_an_entity_gets_another_id(sides: Sides) -> None:
    entity = made(sides)
    old, new = entity["guid"], str(uuid4())
    renamed = sides.home.re_identify(old, new)
    assert renamed["reIdentifiedFromGUID"] == old
    sees(sides.other, renamed)


def test_an_entity_with_another_id_is_gone_from_the_node_under_its_old_one(
    pair: Pair,
) -> None:
    # A genuine server goes on with its copy as if nothing had happened.
    genuine, node = sides = Sides(Metadata(pair.genuine), Metadata(pair.node))
    relationship = related(sides)
    old, new = relationship["entityOneProxy"]["guid"], str(uuid4())
    genuine.re_identify(old, new)
    until(lambda: node.entity(new))
    assert node.entity(old) is None
    assert relationship["guid"] in node.relationships(new)


def test_a_relationship_gets_another_id(sides: Sides) -> None:
    old, new = related(sides)["guid"], str(uuid4())
    renamed = sides.home.re_identify_relationship(old, new)
    assert renamed["reIdentifiedFromGUID"] == old
    until(lambda: sides.other.relationship(new) == renamed)


def test_an_entity_gets_another_type(sides: Sides) -> None:
    # A genuine repository in memory tells it, and keeps the former type itself.
    guid = made(sides)["guid"]
    sees(sides.other, sides.home.re_type(guid, TERM, CONTROLLED_TERM))


def test_a_type_that_the_home_forgets_is_followed_by_what_it_has(pair: Pair) -> None:
    genuine, node = Metadata(pair.genuine), Metadata(pair.node)
    guid = made(Sides(genuine, node))["guid"]
    retyped = genuine.re_type(guid, TERM, CONTROLLED_TERM)
    sees(node, retyped)
    changed = genuine.change(guid, summary="changed")
    assert changed["version"] == retyped["version"]
    sees(node, changed)


def test_an_entity_gets_another_home(sides: Sides) -> None:
    entity = made(sides)
    guid = entity["guid"]
    moved = sides.other.re_home(entity)
    assert moved["metadataCollectionId"] == sides.other.member.collection_id
    sees(sides.home, moved)
    sees(sides.home, sides.other.change(guid, summary="changed at its new home"))
    with pytest.raises(EgeriaError):
        sides.home.change(guid, summary="changed at its former home")


def test_a_relationship_gets_another_home(sides: Sides) -> None:
    relationship = related(sides)
    guid = relationship["guid"]
    moved = sides.other.re_home_relationship(relationship)
    assert moved["metadataCollectionId"] == sides.other.member.collection_id
    until(lambda: sides.home.relationship(guid) == moved)
    changed = sides.other.change_relationship(guid, description="at its new home")
    until(lambda: sides.home.relationship(guid) == changed)


def test_what_belongs_to_an_external_source_is_its_replicators(sides: Sides) -> None:
    source = str(uuid4())
    entity = sides.home.add_external(source, qualifiedName=fresh_name("term"))
    guid = entity["guid"]
    sees(sides.other, entity)
    assert entity["metadataCollectionId"] == source
    with pytest.raises(EgeriaError):
        sides.other.change(guid, summary="changed elsewhere")
    sees(sides.other, sides.home.change(guid, summary="changed"))
    sees(sides.other, sides.home.delete(guid))
