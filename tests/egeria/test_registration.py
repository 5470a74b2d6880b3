"""A genuine server and a node register with each other, whoever or whatever comes late."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from aiokafka import TopicPartition

from edgenode.bus.topics import OmrsTopic, topic_names
from tests.egeria.harness.broker import Broker
from tests.egeria.harness.member import Member
from tests.egeria.harness.node import Node, kafka_node
from tests.egeria.harness.platform import Platform, platform
from tests.egeria.harness.server import (
    TOPIC_ROOT,
    Server,
    metadata_server,
    started,
)
from tests.egeria.metadata import Json, Metadata, fresh_name, plain, until
from tests.egeria.reader import admin


def know_each_other(genuine: Server, node: Node, cohort: str) -> None:
    """Wait until each has the other as a member, and its events."""
    until(lambda: node.name in genuine.cohort_members(cohort))
    until(lambda: genuine.name in node.cohort_members(cohort))
    for one, other in ((genuine, node), (node, genuine)):
        sees(other, new_term(one))


def new_term(member: Member) -> Json:
    return Metadata(member).add(qualifiedName=fresh_name("term"))


def sees(member: Member, entity: Json) -> None:
    until(lambda: Metadata(member).entity(entity["guid"]) == entity)


async def readers(brokers: str, cohort: str) -> int:
    """How many members have told Kafka how far they have read the instances' topic."""
    topic = topic_names(TOPIC_ROOT, cohort, dedicated=True)[OmrsTopic.INSTANCES]
    partition = TopicPartition(topic, 0)
    async with admin(brokers) as manager:
        told = [
            await manager.list_consumer_group_offsets(group)
            for group, _ in await manager.list_consumer_groups()
        ]
    return sum(partition in offsets for offsets in told)


@pytest.mark.parametrize("first", ["genuine", "node"])
def test_either_comes_first(
    first: str, kafka: Broker, egeria: Platform, tmp_path: Path
) -> None:
    cohort = fresh_name("cohort")
    genuine = metadata_server(egeria, fresh_name("hub"), cohort, kafka.address)
    joining = kafka_node(tmp_path, fresh_name("edge"), cohort, kafka.address)
    with ExitStack() as stack:
        if first == "genuine":
            stack.enter_context(started(genuine))
            before = new_term(genuine)
            node = stack.enter_context(joining)
        else:
            node = stack.enter_context(joining)
            before = new_term(node)
            stack.enter_context(started(genuine))
        know_each_other(genuine, node, cohort)
        for one, other in ((genuine, node), (node, genuine)):
            record = one.cohort_members(cohort)[other.name]
            assert record["metadataCollectionId"] == other.collection_id
        # Whoever comes late finds what was there before.
        late = node if first == "genuine" else genuine
        whole, name = Metadata(late, "enterprise/"), str(plain(before)["qualifiedName"])
        assert whole.entity(before["guid"]) == before
        assert whole.named(name) == {before["guid"]: before}
        # Its home is asked for a copy: by a node that reads, by a genuine server that finds.
        sees(late, before)


def test_kafka_comes_late_and_is_killed(egeria: Platform, tmp_path: Path) -> None:
    cohort, broker = fresh_name("cohort"), Broker(tmp_path / "kafka")
    genuine = metadata_server(egeria, fresh_name("hub"), cohort, broker.address)
    with ExitStack() as stack:
        stack.callback(broker.stop)
        node = stack.enter_context(
            kafka_node(tmp_path / "node", fresh_name("edge"), cohort, broker.address)
        )
        starter = stack.enter_context(ThreadPoolExecutor(1))
        starting = starter.submit(genuine.start)  # it waits for Kafka
        stack.callback(genuine.stop)
        until(lambda: "can't be read" in node.log)
        broker.start()
        starting.result()
        know_each_other(genuine, node, cohort)
        broker.kill()
        meanwhile = new_term(genuine), new_term(node)
        broker.start()
        sees(node, meanwhile[0])
        sees(genuine, meanwhile[1])


def test_each_is_killed_and_comes_back(
    genuine: None, kafka: Broker, tmp_path: Path
) -> None:
    cohort = fresh_name("cohort")
    with (
        platform(tmp_path / "egeria") as egeria,
        kafka_node(
            tmp_path / "node", fresh_name("edge"), cohort, kafka.address
        ) as node,
    ):
        server = metadata_server(egeria, fresh_name("hub"), cohort, kafka.address)
        server.start()
        know_each_other(server, node, cohort)
        node.kill()
        meanwhile = new_term(server)
        node.start()
        sees(node, meanwhile)
        know_each_other(server, node, cohort)
        # A genuine server that hasn't told it yet misses what is sent meanwhile.
        until(
            lambda: asyncio.run(readers(kafka.address, cohort)) == len((server, node))
        )
        egeria.kill()
        meanwhile = new_term(node)
        egeria.start()
        server.start()
        sees(server, meanwhile)
        know_each_other(server, node, cohort)
