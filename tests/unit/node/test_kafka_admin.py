"""What a node tells of its cohort of platforms."""

from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from edgenode.config import HostPort, KafkaCohortConfig
from edgenode.connectors.repository import remote_connection
from edgenode.events.registration import MemberRegistration
from edgenode.federation.members import FederationMembers
from edgenode.node.kafka_admin import KafkaAdmin
from edgenode.rest.cohort_admin import AdminRefusedError
from tests.cohort.topics import MemoryTopics
from tests.model.house import START, SetClock
from tests.unit.kafka_cohort.test_member import Server, server

CONFIG = KafkaCohortConfig(
    name="platforms",
    brokers=(HostPort("kafka.plant", 9092),),
    admit=(ip_network("10.1.2.0/24"),),
)
SENSOR = MemberRegistration(
    metadata_collection_id="sensor-id",
    server_name="sensor",
    registration_time=START,
    repository_connection=remote_connection("http://pi/servers/s", "me", "secret"),
)


def admin_of(one: Server) -> KafkaAdmin:
    asked = FederationMembers(lambda _: None, SetClock())
    return KafkaAdmin(CONFIG, {"pi": one.member}, {"pi": asked})


async def test_members_and_those_it_speaks_for_are_told(tmp_path: Path) -> None:
    hub = MemoryTopics()
    async with (
        server(tmp_path, "pi", hub) as pi,
        server(tmp_path, "coco", hub) as coco,
    ):
        await pi.member.speak_for([SENSOR])
        await pi.until(lambda: coco.member.collection_id in pi.member.remote)
        await coco.until(lambda: "sensor-id" in coco.member.remote)
        told = admin_of(pi).platforms(None)
        assert [each["name"] for each in told["members"]] == ["coco"]
        assert told["members"][0]["address"] == "https://coco/servers/coco"
        assert "queries" not in told["members"][0], "nobody asks it here"
        (sensor,) = told["spokenFor"]
        assert sensor == {
            "metadataCollectionId": "sensor-id",
            "metadataCollectionName": None,
            "name": "sensor",
            "organizationName": None,
            "address": "http://pi/servers/s",
            "registeredSince": START,
        }
        assert admin_of(pi).summary()["members"] == 1


async def test_members_that_are_not_asked_are_told(tmp_path: Path) -> None:
    hub = MemoryTopics()
    async with (
        server(tmp_path, "pi", hub) as pi,
        server(tmp_path, "coco", hub) as coco,
    ):
        lost = replace(SENSOR, server_name="nowhere")
        others = [replace(lost, metadata_collection_id=f"lost {n}") for n in range(2)]
        await coco.member.speak_for([lost, *others])
        await pi.until(lambda: len(pi.member.remote) == 4)
        faults = {
            each["name"]: each["fault"]
            for each in admin_of(pi).platforms(None)["members"]
        }
        assert faults == {"coco": None, "nowhere": "nobody can go there"}
        troubles = [each["reason"] for each in admin_of(pi).summary()["troubles"]]
        assert troubles[-1] == (
            "member nowhere isn't asked: nobody can go there; nor are 2 more"
        )
        await pi.member.disconnect()
        assert len(admin_of(pi).summary()["troubles"]) == 1


async def test_a_member_that_is_gone_for_good_is_forgotten(tmp_path: Path) -> None:
    hub = MemoryTopics()
    async with server(tmp_path, "pi", hub) as pi:
        async with server(tmp_path, "coco", hub) as coco:
            namesake = replace(SENSOR, metadata_collection_id="seldom")
            await coco.member.speak_for([SENSOR, namesake])
            await pi.until(lambda: len(pi.member.remote) == 3)
        admin = admin_of(pi)
        refusals = {
            "pi": "no member pi is known here",
            "se": "se may be any of seldom, sensor-id",
            "sensor": "sensor may be any of seldom, sensor-id",
        }
        for text, reason in refusals.items():
            with pytest.raises(AdminRefusedError, match=reason):
                await admin.forget(text)
        assert len(pi.member.remote) == 3
        assert await admin.forget("coco") == {
            "metadataCollectionId": "coco-id",
            "name": "coco",
        }
        assert (await admin.forget("sel"))["metadataCollectionId"] == "seldom"
        assert set(pi.member.remote) == {"sensor-id"}
        assert set(pi.repository.kafka_cohort.members) == {"sensor-id"}
        assert pi.messages.count("EDGENODE-AUDIT-0011") == 2
    async with server(tmp_path, "pi", hub) as pi:
        assert set(pi.member.remote) == {"sensor-id"}
        # It was gone for a while only.
        async with server(tmp_path, "coco", hub):
            await pi.until(lambda: "coco-id" in pi.member.remote)


async def test_servers_of_the_node_are_not_forgotten(tmp_path: Path) -> None:
    hub = MemoryTopics()
    async with (
        server(tmp_path, "pi", hub) as pi,
        server(tmp_path, "attic", hub) as attic,
    ):
        await pi.until(lambda: pi.member.remote)
        asked = FederationMembers(lambda _: None, SetClock())
        own = {"pi": pi.member, "attic": attic.member}
        admin = KafkaAdmin(CONFIG, own, {"pi": asked, "attic": asked})
        with pytest.raises(AdminRefusedError, match="attic is a server of this node"):
            await admin.forget("attic")
        assert set(pi.member.remote) == {"attic-id"}


async def test_what_keeps_a_server_from_the_cohort_is_told(tmp_path: Path) -> None:
    hub = MemoryTopics()
    async with server(tmp_path, "pi", hub) as pi:
        admin = admin_of(pi)
        await pi.until(lambda: pi.member.local.registration_time)
        (found,) = admin.summary()["troubles"]
        assert found["server"] == "pi"
        assert found["reason"].startswith("no connection to Kafka at kafka.plant:9092")
        pi.member.trouble = "the disk is full"
        assert admin.platforms("pi")["trouble"]["reason"] == "the disk is full"
        await pi.member.disconnect()
        assert admin.platforms("pi")["trouble"] == {
            "reason": "this server is disconnected from cohort platforms",
            "mend": "'edgenode cohort connect --server pi --cohort platforms' brings it "
            "back",
        }
        with pytest.raises(AdminRefusedError, match="there is no server attic here"):
            admin.platforms("attic")


async def test_topics_are_named_as_they_are_configured(tmp_path: Path) -> None:
    async with server(tmp_path, "pi", MemoryTopics()) as pi:
        asked = FederationMembers(lambda _: None, SetClock())
        single = replace(CONFIG, topics="single", topic_root="plant")
        told = KafkaAdmin(single, {"pi": pi.member}, {"pi": asked}).platforms("pi")
    assert told["topics"]["names"] == [
        "plant.openmetadata.repositoryservices.cohort.platforms.OMRSTopic"
    ]
