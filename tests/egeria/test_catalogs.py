"""Four catalogs on two genuine servers, an edge node and a bridge answer as one.

A term of the governance catalog is what columns, parameters and event fields mean that
stand in the other three: nobody alone has the whole answer.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from edgenode.bus.topics import OmrsTopic
from tests.conftest import SHARED
from tests.egeria.harness.broker import Broker
from tests.egeria.harness.member import Member
from tests.egeria.harness.node import Node, kafka_cohort, node_cohort, running
from tests.egeria.harness.platform import Platform
from tests.egeria.harness.ports import free_port
from tests.egeria.harness.server import metadata_server, started
from tests.egeria.metadata import Json, Metadata, fresh_name, plain, until
from tests.egeria.outsider import Outsider

CATALOGS = SHARED / "data" / "4.2"
TERM = "4eecca25-b8b8-4d87-9f0d-31f8255b6c96"


def archive(of: str) -> Path:
    path = CATALOGS / f"Simple{of}Catalog.json"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path


def content(of: str) -> Any:
    return json.loads(archive(of).read_bytes())["archiveInstanceStore"]


@pytest.fixture(scope="module")
def outsider(kafka: Broker) -> Outsider:
    """Somebody who hears all that is said among the platforms."""
    return Outsider(kafka.address, fresh_name("cohort"))


@pytest.fixture(scope="module")
def members(
    kafka: Broker,
    egeria: Platform,
    outsider: Outsider,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Mapping[str, Member]]:
    """Each with one catalog, by the catalogs' names."""
    cohort, nodes = outsider.cohort, fresh_name("nodes")
    edge_port, bridge_port = free_port(), free_port()
    directory = tmp_path_factory.mktemp("catalogs")
    edge = Node(
        directory / "edge",
        fresh_name("edge"),
        [node_cohort(nodes, edge_port, [bridge_port])],
    )
    bridge = Node(
        directory / "bridge",
        fresh_name("bridge"),
        [
            node_cohort(nodes, bridge_port, [edge_port]),
            kafka_cohort(cohort, kafka.address),
        ],
    )
    genuine = {
        of: metadata_server(egeria, fresh_name(of.lower()), cohort, kafka.address)
        for of in ("Governance", "Data")
    }
    for of, server in genuine.items():
        server.load_at_start(
            content(of)["entities"][0]["metadataCollectionId"], archive(of)
        )
    with ExitStack() as stack:
        for of, node in (("API", edge), ("Event", bridge)):
            stack.enter_context(running(node))
            node.command("archive", "load", "--server", node.name, str(archive(of)))
        stack.enter_context(started(*genuine.values()))
        names = {each.name for each in (edge, bridge, *genuine.values())}
        for member, of in (
            (edge, nodes),
            *((each, cohort) for each in genuine.values()),
        ):
            until(
                lambda: names == {member.name, *member.cohort_members(of)},  # noqa: B023
                f"at {member.name}",
            )
        yield {"API": edge, "Event": bridge, **genuine}


@pytest.mark.parametrize("of", ["Governance", "Data", "API", "Event"])
def test_each_answers_in_full(of: str, members: Mapping[str, Member]) -> None:
    whole = Metadata(members[of], "enterprise/")
    catalogs = {
        each["guid"]: each for name in members for each in content(name)["entities"]
    }
    meanings = {each["guid"]: each for each in content("Governance")["relationships"]}
    until(lambda: whole.relationships(TERM).keys() == meanings.keys(), f"at {of}")
    found = whole.relationships(TERM)
    meant = {ends_of(each) for each in found.values()}
    assert meant == {ends_of(each) for each in meanings.values()}
    for guid in {guid for ends in meant for guid in ends}:
        entity = whole.entity(guid)
        assert entity is not None
        assert entity["type"]["typeDefName"] == catalogs[guid]["type"]["typeDefName"]
        assert plain(entity) == plain(catalogs[guid])


def ends_of(relationship: Json) -> tuple[str, str]:
    one, two = relationship["entityOneProxy"], relationship["entityTwoProxy"]
    return one["guid"], two["guid"]


def test_an_edge_node_and_a_platform_change_what_is_the_others(
    members: Mapping[str, Member], outsider: Outsider
) -> None:
    edge, genuine = members["API"], members["Data"]
    made = {}
    for home, other in ((edge, genuine), (genuine, edge)):
        entity = Metadata(home).add(qualifiedName=fresh_name("term"), summary="first")
        guid = entity["guid"]
        until(lambda: Metadata(other).entity(guid) == entity, f"at {other.name}")  # noqa: B023
        changed = Metadata(other, "enterprise/").change(guid, summary="second")
        assert changed["metadataCollectionId"] == home.collection_id
        assert Metadata(home).entity(guid) == changed
        until(lambda: Metadata(other).entity(guid) == changed, f"at {other.name}")  # noqa: B023
        made[guid] = home.collection_id
    # Each change is told the platforms once, and in the name of its home.
    for guid, home_id in made.items():
        once = [(home_id, "NEW_ENTITY_EVENT"), (home_id, "UPDATED_ENTITY_EVENT")]
        until(lambda: sorted(_told(outsider, guid)) == once)  # noqa: B023


def _told(outsider: Outsider, guid: str) -> list[tuple[str, str]]:
    """Who told what of an instance."""
    events = [
        (each["originator"]["metadataCollectionId"], each["instanceEventSection"])
        for each in outsider.heard(OmrsTopic.INSTANCES)
    ]
    return [
        (origin, section["eventType"])
        for origin, section in events
        if section["instanceGUID"] == guid
    ]
