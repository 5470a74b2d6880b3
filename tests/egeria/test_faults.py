"""What no member should say, and what no broker should do: told in the log, and survived."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import RecordsToDelete
from aiokafka.structs import TopicPartition

from edgenode.bus.topics import OmrsTopic
from tests.egeria.harness.broker import Broker
from tests.egeria.harness.node import Node, kafka_node
from tests.egeria.metadata import (
    TERM,
    Json,
    Metadata,
    fresh_name,
    plain,
    properties,
    until,
)
from tests.egeria.outsider import Outsider
from tests.egeria.reader import admin

REGISTRATION, TYPES, INSTANCES = OmrsTopic
ERROR = "5"  # the severity's number on the wire
REGISTERED = {"REGISTRATION_EVENT", "RE_REGISTRATION_EVENT"}
MANY = 1_000
REMOVED = 300


@pytest.fixture(scope="module")
def attacked(
    kafka: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Node, Outsider]]:
    """A node, and who tells it anything; the node goes through all of it."""
    cohort = fresh_name("cohort")
    directory = tmp_path_factory.mktemp("attacked")
    with kafka_node(directory, fresh_name("edge"), cohort, kafka.address) as node:
        outsider = Outsider(kafka.address, cohort)
        outsider.put(REGISTRATION, outsider.registration())
        until(lambda: outsider.name in node.cohort_members(cohort))
        yield node, outsider


def arrives(node: Node, outsider: Outsider) -> None:
    """Wait until a node has what is put on the topic now, and so all before it."""
    term = outsider.term()
    outsider.put(INSTANCES, outsider.told(term))
    until(lambda: Metadata(node).entity(term["guid"]), "for what came last")


def refusals(node: Node) -> int:
    """How many complaints its audit log has; its log has the first of a kind alone."""
    report = node.omrs("GET", "audit-log/report")["report"]
    return sum(
        int(part["severityCount"].get(ERROR, 0))
        for part in report["childAuditLogReports"]
    )


def test_what_nobody_can_make_sense_of_is_logged_and_passed_over(
    attacked: tuple[Node, Outsider],
) -> None:
    node, outsider = attacked
    terms = [outsider.term() for _ in range(6)]
    good = [outsider.told(term) for term in terms]
    whole = json.dumps(good[5]).encode()
    bad: list[Json | bytes] = [
        {**good[0], "protocolVersionId": "OMRS V9.9"},
        {**good[1], "eventCategory": "GENERIC"},
        {**good[2], "originator": None},
        outsider.event("INSTANCE"),
        outsider.told({**terms[3], "type": None}),
        {**good[4], "eventCategory": "SOMETHING_ELSE"},
        outsider.event("INSTANCE", instanceEventSection={"eventType": "NO_EVENT"}),
        whole[: len(whole) // 2],
        b"\xff\xfe{}",
        b"{" * 10_000,
    ]
    before = refusals(node)
    outsider.put(INSTANCES, *bad)
    arrives(node, outsider)
    assert not [term for term in terms if Metadata(node).known(term["guid"])]
    assert refusals(node) == before + len(bad)
    for said in (
        "INVALID_EVENT_FORMAT: it is of protocol OMRS V9.9",
        "INVALID_EVENT_FORMAT: its category is GENERIC",
        "INVALID_EVENT_FORMAT: it names no originator",
        "INVALID_INSTANCE_EVENT: ",
    ):
        assert said in node.log


def test_a_large_event_is_taken_and_one_that_is_nothing_is_not(
    attacked: tuple[Node, Outsider],
) -> None:
    node, outsider = attacked
    large = outsider.term(properties=properties(qualifiedName="x" * 900_000))
    outsider.put(INSTANCES, outsider.told(large), b"y" * 900_000)
    arrives(node, outsider)
    entity = Metadata(node).entity(large["guid"])
    assert entity is not None
    assert plain(entity) == plain(large)


def test_nobody_else_speaks_for_a_member(attacked: tuple[Node, Outsider]) -> None:
    node, outsider = attacked
    own = Metadata(node).add(qualifiedName=fresh_name("term"))
    theirs = outsider.term()
    outsider.put(INSTANCES, outsider.told(theirs))
    third = replace(outsider, name=fresh_name("third"), collection_id=str(uuid4()))
    forged = {"version": 99, "properties": properties(qualifiedName="forged")}
    third.put(REGISTRATION, third.registration())
    before = refusals(node)
    third.put(
        INSTANCES,
        third.told({**own, **forged}, "UPDATED_ENTITY_EVENT"),
        third.told({**theirs, **forged}, "UPDATED_ENTITY_EVENT"),
        third.told({**theirs, **forged, "status": "DELETED"}, "DELETED_ENTITY_EVENT"),
        third.told(theirs, "PURGED_ENTITY_EVENT"),
    )
    arrives(node, third)
    assert Metadata(node).entity(own["guid"]) == own
    kept = Metadata(node).entity(theirs["guid"])
    assert kept is not None
    assert plain(kept) == plain(theirs)
    assert refusals(node) >= before + 3
    # Who told of the node's own is told that it is the node's.
    until(lambda: "CONFLICTING_INSTANCES" in complaints(node, outsider, INSTANCES))


def complaints(node: Node, outsider: Outsider, kind: OmrsTopic) -> list[str]:
    """The codes of all errors that a node has told the cohort."""
    return [
        each["errorSection"]["errorCode"]
        for each in outsider.heard(kind)
        if "errorSection" in each and each["originator"]["serverName"] == node.name
    ]


def test_a_claim_to_its_collection_is_refused_by_the_node(
    attacked: tuple[Node, Outsider],
) -> None:
    node, outsider = attacked
    own = Metadata(node).add(qualifiedName=fresh_name("term"))
    impostor = replace(
        outsider, name=fresh_name("impostor"), collection_id=node.collection_id
    )
    impostor.put(REGISTRATION, impostor.registration())
    until(lambda: "EDGENODE-AUDIT-0037" in node.log)
    before = refusals(node)
    changed = {**own, "version": 99, "status": "DELETED"}
    impostor.put(INSTANCES, impostor.told(changed, "DELETED_ENTITY_EVENT"))
    arrives(node, outsider)
    assert Metadata(node).entity(own["guid"]) == own
    assert refusals(node) == before + 1
    assert impostor.name not in node.cohort_members(outsider.cohort)

    until(
        lambda: "CONFLICTING_COLLECTION_ID" in complaints(node, outsider, REGISTRATION)
    )
    # Genuine members know by now of the impostor's address, unless this is said last.
    newest = [
        each["originator"]["serverName"]
        for each in outsider.heard(REGISTRATION)
        if each["registryEventSection"]["registryEventType"] in REGISTERED
    ]
    assert newest[-1] == node.name


def test_a_type_that_is_another_elsewhere_is_a_conflict(
    attacked: tuple[Node, Outsider],
) -> None:
    node, outsider = attacked
    known = node.omrs("GET", f"types/typedef/name/{TERM[1]}")["typeDef"]
    other = {**known, "guid": str(uuid4())}
    section = {"typeDefEventType": "NEW_TYPEDEF_EVENT", "typeDef": other}
    outsider.put(TYPES, outsider.event("TYPEDEF", typeDefEventSection=section))
    until(lambda: "CONFLICTING_TYPEDEFS" in complaints(node, outsider, TYPES))
    assert node.omrs("GET", f"types/typedef/name/{TERM[1]}")["typeDef"] == known
    arrives(node, outsider)


def test_a_topic_that_is_made_anew_is_read_on(
    attacked: tuple[Node, Outsider],
) -> None:
    node, outsider = attacked
    asyncio.run(_delete(outsider.brokers, outsider.topic(INSTANCES)))
    until(lambda: "EDGENODE-AUDIT-0034" in node.log)
    arrives(node, outsider)
    own = Metadata(node).add(qualifiedName=fresh_name("term"))
    until(lambda: own["guid"] in _guids(outsider))


async def _delete(brokers: str, topic: str) -> None:
    async with admin(brokers) as manager:
        await manager.delete_topics([topic])


def _guids(outsider: Outsider) -> set[str]:
    """Of which instances anybody has told."""
    return {
        each["instanceEventSection"]["instanceGUID"]
        for each in outsider.heard(INSTANCES)
    }


def test_a_node_that_was_off_for_long_has_what_is_left(
    attacked: tuple[Node, Outsider],
) -> None:
    node, outsider = attacked
    arrives(node, outsider)
    node.stop()
    name = fresh_name("term")
    terms = [
        outsider.term(properties=properties(qualifiedName=f"{name} {number}"))
        for number in range(MANY)
    ]
    outsider.put(INSTANCES, *map(outsider.told, terms))
    asyncio.run(_expire(outsider.brokers, outsider.topic(INSTANCES), MANY - REMOVED))
    node.start()
    until(lambda: Metadata(node).entity(terms[-1]["guid"]), "for the newest")
    assert "EDGENODE-AUDIT-0033" in node.log
    here = Metadata(node).named(f"{name}.*")
    assert here.keys() == {term["guid"] for term in terms[REMOVED:]}


async def _expire(brokers: str, topic: str, left: int) -> None:
    """Remove all but so many records, as brokers do with old ones."""
    partition = TopicPartition(topic, 0)
    async with AIOKafkaConsumer(bootstrap_servers=brokers) as reader:  # type: ignore[no-untyped-call]
        end = (await reader.end_offsets([partition]))[partition]
    async with admin(brokers) as manager:
        upto = RecordsToDelete(end - left)  # type: ignore[no-untyped-call]
        await manager.delete_records({partition: upto})
