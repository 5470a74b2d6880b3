"""Somebody who puts anything on the topics of a cohort, right or wrong."""

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import uuid4

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from edgenode.bus.topics import OmrsTopic, topic_names
from tests.egeria.metadata import TERM, Json, fresh_name, properties
from tests.egeria.reader import put

READ_MILLIS = 1_000


@dataclass(frozen=True, slots=True)
class Outsider:
    """A member by its own word alone: there is no server.

    Attributes:
        brokers: Kafka's address.
        cohort: The cohort's name.
        name: What it calls itself.
        collection_id: What it says its metadata collection is.
    """

    brokers: str
    cohort: str
    name: str = field(default_factory=lambda: fresh_name("outsider"))
    collection_id: str = field(default_factory=lambda: str(uuid4()))

    def topic(self, kind: OmrsTopic) -> str:
        """A topic of the cohort."""
        return topic_names("egeria", self.cohort, dedicated=True)[kind]

    def put(self, kind: OmrsTopic, *values: Json | bytes) -> None:
        """Put records on a topic."""
        records = [
            each if isinstance(each, bytes) else json.dumps(each).encode()
            for each in values
        ]
        key = self.name.encode()
        asyncio.run(put(self.brokers, self.topic(kind), *records, key=key))

    def event(self, category: str, **sections: Json) -> Json:
        """An event as it sends them."""
        return {
            "class": "OMRSEventV1",
            "protocolVersionId": "OMRS V1.0",
            "timestamp": time.time_ns() // 1_000_000,
            "originator": {
                "metadataCollectionId": self.collection_id,
                "serverName": self.name,
                "serverType": "Metadata Server",
            },
            "eventCategory": category,
            **sections,
        }

    def registration(self) -> Json:
        """That it is a member."""
        section = {
            "registryEventType": "REGISTRATION_EVENT",
            "registrationTimestamp": time.time_ns() // 1_000_000,
            "metadataCollectionName": self.name,
        }
        return self.event("REGISTRY", registryEventSection=section)

    def term(self, version: int = 1, **more: object) -> Json:
        """A term of its own."""
        guid, kind = TERM
        return {
            "class": "EntityDetail",
            "headerVersion": 1,
            "type": {
                "class": "InstanceType",
                "headerVersion": 1,
                "typeDefCategory": "ENTITY_DEF",
                "typeDefGUID": guid,
                "typeDefName": kind,
                "typeDefVersion": 1,
            },
            "instanceProvenanceType": "LOCAL_COHORT",
            "metadataCollectionId": self.collection_id,
            "metadataCollectionName": self.name,
            "createdBy": "erin",
            "createTime": 1_795_000_000_000,
            "version": version,
            "guid": str(uuid4()),
            "properties": properties(qualifiedName=fresh_name("term")),
            "status": "ACTIVE",
            **more,
        }

    def told(self, entity: Json, event_type: str = "NEW_ENTITY_EVENT") -> Json:
        """What it says of an entity."""
        section = {
            "eventType": event_type,
            "typeDefGUID": TERM[0],
            "typeDefName": TERM[1],
            "instanceGUID": entity["guid"],
            "entity": entity,
        }
        return self.event("INSTANCE", instanceEventSection=section)

    def heard(self, kind: OmrsTopic) -> list[Json]:
        """All that anybody has put on a topic."""
        return asyncio.run(_read(self.brokers, self.topic(kind)))


async def _read(brokers: str, topic: str) -> list[Json]:
    partition = TopicPartition(topic, 0)
    async with AIOKafkaConsumer(  # type: ignore[no-untyped-call]
        bootstrap_servers=brokers, auto_offset_reset="earliest"
    ) as consumer:
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        events: list[Json] = []
        while await consumer.position(partition) < end:
            batch = await consumer.getmany(partition, timeout_ms=READ_MILLIS)
            for record in batch.get(partition, ()):
                with suppress(ValueError):  # not everything there is JSON
                    events.append(json.loads(record.value))
        return events
