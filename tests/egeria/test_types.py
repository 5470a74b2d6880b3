"""Types that are added and changed on one member are known to the others, with instances."""

from pathlib import Path
from uuid import uuid4

from tests.egeria.conftest import Pair, Sides
from tests.egeria.harness.broker import Broker
from tests.egeria.harness.member import Member
from tests.egeria.harness.node import NO_COHORT, Node, kafka_node, running
from tests.egeria.harness.platform import Platform
from tests.egeria.harness.server import metadata_server, started
from tests.egeria.metadata import Json, Metadata, fresh_name, until

ORIGIN = str(uuid4())
MADE_AT = 1_795_000_000_000
REFERENCEABLE = {
    "guid": "a32316b8-dc8c-48c5-b12b-71c1b2a080bf",
    "name": "Referenceable",
    "status": "ACTIVE_TYPEDEF",
}


def enum_def() -> Json:
    """A new set of words."""
    return {
        "class": "EnumDef",
        "version": 1,
        "versionName": "1.0",
        "category": "ENUM_DEF",
        "guid": str(uuid4()),
        "name": fresh_name("Weather"),
        "elementDefs": [
            {"ordinal": number, "value": word, "description": word}
            for number, word in enumerate(("Dry", "Wet"))
        ],
    }


def entity_def(*attributes: Json) -> Json:
    """A new kind of entity."""
    return {
        "class": "EntityDef",
        "guid": str(uuid4()),
        "name": fresh_name("Field"),
        "status": "ACTIVE_TYPEDEF",
        "version": 1,
        "versionName": "1.0",
        "category": "ENTITY_DEF",
        "superType": REFERENCEABLE,
        "description": "a field in the rain",
        "origin": ORIGIN,
        "createdBy": "erin",
        "createTime": MADE_AT,
        "validInstanceStatusList": ["ACTIVE", "DELETED"],
        "initialStatus": "ACTIVE",
        "propertiesDefinition": list(attributes),
    }


def attribute(name: str, kind: Json) -> Json:
    """An attribute that an instance may have."""
    return {
        "attributeName": name,
        "attributeType": kind,
        "attributeStatus": "ACTIVE_ATTRIBUTE",
        "valuesMinCount": 0,
        "valuesMaxCount": 1,
        "attributeCardinality": "AT_MOST_ONE",
    }


def text() -> Json:
    return {
        "class": "PrimitiveDef",
        "version": 1,
        "versionName": "1.0",
        "category": "PRIMITIVE",
        "guid": "b34a64b9-554a-42b1-8f8a-7d5c2339f9c4",
        "name": "string",
        "primitiveDefCategory": "OM_PRIMITIVE_TYPE_STRING",
    }


def patch_of(kind: Json) -> Json:
    """A patch to the next version of a type, which has an attribute more."""
    return {
        "typeDefGUID": kind["guid"],
        "typeDefName": kind["name"],
        "applyToVersion": kind["version"],
        "updateToVersion": kind["version"] + 1,
        "newVersionName": "2.0",
        "updatedBy": "erin",
        "updateTime": MADE_AT + 1,
        "propertyDefinitions": [attribute("soil", text())],
    }


def knows(member: Member, kind: str, name: str) -> Json:
    """A type as a member knows it, its attributes in a fixed order."""
    found: Json = member.omrs("GET", f"types/{kind}/name/{name}")
    if attributes := found.get("typeDef", {}).get("propertiesDefinition"):
        attributes.sort(key=lambda each: each["attributeName"])
    return found


def test_added_types_are_known_everywhere(sides: Sides) -> None:
    home, other = (side.member for side in sides)
    words, kind = enum_def(), entity_def(attribute("crop", text()))
    kind["propertiesDefinition"].append(attribute("weather", words))
    home.omrs("POST", "types/attribute-typedef", words)
    home.omrs("POST", "types/typedef", kind)
    for at in (("attribute-typedef", words["name"]), ("typedef", kind["name"])):
        until(lambda: knows(other, *at) == knows(home, *at))  # noqa: B023
    entity = sides.home.add(
        (kind["guid"], kind["name"]), qualifiedName=fresh_name("field"), crop="rye"
    )
    until(lambda: sides.other.entity(entity["guid"]) == entity)


def test_a_node_takes_an_instance_that_comes_before_its_type(pair: Pair) -> None:
    genuine, node = Metadata(pair.genuine), Metadata(pair.node)
    kind = entity_def(attribute("crop", text()))
    pair.genuine.omrs("POST", "types/typedef", kind)
    entity = genuine.add(
        (kind["guid"], kind["name"]), qualifiedName=fresh_name("field"), crop="rye"
    )
    until(lambda: node.entity(entity["guid"]) == entity)


def test_a_patched_type_is_patched_everywhere(sides: Sides) -> None:
    home, other = (side.member for side in sides)
    kind = entity_def(attribute("crop", text()))
    home.omrs("POST", "types/typedef", kind)
    home.omrs("POST", "types/typedef/update", patch_of(kind))
    patched = knows(home, "typedef", kind["name"])
    assert patched["typeDef"]["version"] == 2
    until(lambda: knows(other, "typedef", kind["name"]) == patched)
    entity = sides.home.add(
        (kind["guid"], kind["name"]), qualifiedName=fresh_name("field"), soil="sand"
    )
    until(lambda: sides.other.entity(entity["guid"]) == entity)


def test_what_a_node_patched_before_it_joined_is_patched_on_a_genuine_server(
    kafka: Broker, egeria: Platform, tmp_path: Path
) -> None:
    cohort, name = fresh_name("cohort"), fresh_name("edge")
    with running(Node(tmp_path, name, [NO_COHORT])) as node:
        kind = knows(node, "typedef", "Meeting")["typeDef"]
        node.omrs("POST", "types/typedef/update", patch_of(kind))
    genuine = metadata_server(egeria, fresh_name("hub"), cohort, kafka.address)
    with started(genuine), kafka_node(tmp_path, name, cohort, kafka.address) as node:
        until(
            lambda: knows(genuine, "typedef", kind["name"])["typeDef"]["version"] == 2
        )
        entity = Metadata(node).add((kind["guid"], kind["name"]), soil="sand")
        until(lambda: Metadata(genuine).entity(entity["guid"]) == entity)
