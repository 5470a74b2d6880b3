"""A server that is told to leave its cohort of platforms, and to come back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from edgenode.bus.topics import OmrsTopic, topic_names
from edgenode.cli.main import main
from edgenode.codec.codec import Codec
from edgenode.config import load_config
from edgenode.connectors.repository import remote_connection
from edgenode.events.model import OMRSEventV1, OMRSRegistryEventType
from edgenode.events.registration import MemberRegistration
from edgenode.events.wrapping import EventBuilder, originator_of
from edgenode.federation import breaker
from edgenode.kafka_cohort.member import KafkaCohortMember
from edgenode.limits import TOLERATED_MEMBER_FAILURES
from edgenode.node import running_node
from edgenode.releases import SERVED
from tests.egeria.harness.broker import Broker
from tests.egeria.reader import RETRY_SECONDS, SECONDS, Reader, put
from tests.model.house import properties, type_guid
from tests.wire.http import Client
from tests.wire.test_observability import TERM, parsed

CODEC = Codec(SERVED)
Kind = OMRSRegistryEventType
BASE = "/servers/pi/open-metadata/repository-services/users/erin"
CONFIG = """
[node]
listen = "127.0.0.1:0"
data_directory = "{data}"
[[server]]
name = "pi"
[cohort]
name = "house"
listen = "127.0.0.1:0"
bus_listen = "127.0.0.1:0"
discovery = false
[kafka_cohort]
name = "{name}"
brokers = ["{brokers}"]
transport = "http"
listen = "127.0.0.1:0"
admit = ["127.0.0.0/8"]
{more}
"""
HUB_ID = str(uuid4())
HUB = MemberRegistration(
    metadata_collection_id=HUB_ID,
    metadata_collection_name="hub",
    server_name="hub",
    server_type="Metadata Access Store",
    repository_connection=remote_connection("http://192.0.2.1:9443/servers/hub"),
)


@asynccontextmanager
async def node(
    path: Path, cohort: str, brokers: str, more: str = ""
) -> AsyncIterator[tuple[Client, KafkaCohortMember]]:
    """A node in a cohort of platforms, until the end of the block."""
    config = path / "edgenode.toml"
    text = CONFIG.format(data=path / "data", name=cohort, brokers=brokers, more=more)
    await asyncio.to_thread(config.write_text, text, encoding="utf-8")
    loaded = await asyncio.to_thread(load_config, config)
    async with running_node(loaded) as running:
        assert running.kafka_cohort is not None
        yield Client(running.port), running.kafka_cohort.members["pi"]


class Onlooker(Reader):
    """Reads what the members of a cohort say."""

    @property
    def events(self) -> list[OMRSEventV1]:
        return [CODEC.decode_event(each) for each in self.values]

    @property
    def registry(self) -> list[Kind | None]:
        """What pi said of who is in the cohort."""
        return [
            event.registry_event_section.registry_event_type
            for event in self.events
            if event.originator is not None
            and event.originator.server_name == "pi"
            and event.registry_event_section is not None
        ]

    @property
    def terms(self) -> list[str]:
        """Of which terms somebody told, by their names."""
        names = []
        for event in self.events:
            section = event.instance_event_section
            if section is not None and section.entity is not None:
                told = CODEC.event_object(section.entity)["properties"]
                values = told["instanceProperties"]
                names.append(values["qualifiedName"]["primitiveValue"])
        return names


async def add_term(client: Client, name: str) -> None:
    await add(client, TERM, name)


async def add(client: Client, guid: str, name: str) -> None:
    request = {
        "class": "EntityCreateRequest",
        "entityTypeGUID": guid,
        "initialProperties": CODEC.to_object(properties(qualifiedName=name)),
    }
    assert (await client.post(BASE + "/instances/entity", request)).status == 200


async def highway(client: Client, path: str) -> Any:
    return (await client.get(f"{BASE}/metadata-highway{path}")).body


async def members(client: Client, cohort: str) -> list[str]:
    told = await highway(client, f"/cohorts/{cohort}/remote-members")
    return [each["serverName"] for each in told.get("cohortMembers", [])]


async def described(client: Client, cohort: str) -> Any:
    """The cohort, of the two that the server is in."""
    told = (await highway(client, "/cohort-descriptions"))["cohorts"]
    assert [each["cohortName"] for each in told] == ["house", cohort]
    return told[1]


async def status(client: Client, cohort: str) -> str:
    return str((await described(client, cohort))["connectionStatus"])


async def missing(client: Client) -> dict[str, str]:
    """Whom an answer of all cohorts lacks, and why."""
    path = f"{BASE}/enterprise/instances/entities"
    reply = await client.post(path, {"class": "EntityFindRequest"})
    told = reply.body["edgenode"]
    assert "alone" not in told
    return {
        each["metadataCollectionId"]: each["reason"] for each in told["missingMembers"]
    }


async def shown_to_people(client: Client) -> None:
    """What the commands show while the platform is a member."""
    told = (await client.get("/edgenode/kafka-cohort/admin/platforms")).body
    (member,) = told["members"]
    assert (member["name"], member["address"], member["fault"]) == (
        "hub",
        "http://192.0.2.1:9443/servers/hub",
        "it is told to be at 192.0.2.1, which kafka_cohort.admit doesn't have",
    )
    assert told["trouble"] is None
    assert told["registeredSince"] < told["topics"]["connectedSince"]
    ready = (await client.get("/health/ready")).body["kafkaCohort"]
    (trouble,) = ready["troubles"]
    assert (ready["members"], trouble["server"], trouble["reason"]) == (
        1,
        "pi",
        f"member hub isn't asked: {member['fault']}",
    )
    found = parsed((await client.get("/metrics")).text.decode())
    assert found["edgenode_kafka_connected"].value(server="pi") == 1
    assert found["edgenode_kafka_members"].value(server="pi") == 1
    assert found["edgenode_kafka_sent_total"].value(server="pi") > 0


async def is_answered(client: Client, cohort: str) -> bool:
    """Whether platforms are answered where the server is registered."""
    told = await highway(client, f"/cohorts/{cohort}/local-registration")
    endpoint = told["cohortMember"]["repositoryConnection"]["endpoint"]
    door = Client(int(urlsplit(endpoint["address"]).port or 0))
    reply = await door.get(f"{BASE}/metadata-collection-id")
    return bool(reply.body["relatedHTTPCode"] == 200)


async def command(
    client: Client, capsys: pytest.CaptureFixture[str], *arguments: str
) -> str:
    """What a command prints on this machine."""
    url = f"http://127.0.0.1:{client.port}"
    capsys.readouterr()
    typed = [*arguments, "--url", url, "--server", "pi"]
    assert await asyncio.to_thread(main, typed) == 0
    return capsys.readouterr().out


async def test_a_server_goes_and_comes_back(
    kafka: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cohort = uuid4().hex
    names = topic_names("egeria", cohort, dedicated=True)
    onlooker = Onlooker(names)
    hub = CODEC.encode_event(
        EventBuilder(originator_of(HUB)).registered(HUB, 1, again=False)
    )
    async with (
        onlooker.reading(kafka.address),
        node(tmp_path, cohort, kafka.address) as (client, member),
    ):
        path = f"/cohorts/{cohort}"
        await onlooker.until(lambda: Kind.REGISTRATION_EVENT in onlooker.registry)
        await add_term(client, "before")
        await onlooker.until(lambda: "before" in onlooker.terms)
        assert await status(client, cohort) == "CONNECTED"
        assert await is_answered(client, cohort)

        assert (await highway(client, f"{path}/disconnect"))["flag"]
        assert await status(client, cohort) == "DISCONNECTED"
        assert not await is_answered(client, cohort)
        await add_term(client, "meanwhile")
        await put(kafka.address, names[OmrsTopic.REGISTRATION], hub)
        assert member.backlog == 1
        assert await members(client, cohort) == []

        is_followed = asyncio.Event()
        member.on_change(lambda: is_followed.set() if member.remote else None)
        await highway(client, f"{path}/connect")
        await onlooker.until(lambda: "meanwhile" in onlooker.terms)
        assert Kind.RE_REGISTRATION_EVENT in onlooker.registry
        await is_followed.wait()
        assert await members(client, cohort) == ["hub"]
        await shown_to_people(client)
        shown = await command(client, capsys, "cohort", "platforms")
        for part in (
            f"hub   {HUB_ID}",
            "isn't asked",
            "which kafka_cohort.admit doesn't have",
            "pi is registered since 20",
            "topics are read since 20",
        ):
            assert part in shown
        assert ": 1 other member; " in await command(client, capsys, "status")
        # It isn't where platforms may be.
        assert "192.0.2.1" in (await missing(client))[HUB_ID]

        for first in ("", "disconnect"):
            if first:  # it comes back to say that it leaves
                await put(kafka.address, names[OmrsTopic.REGISTRATION], hub)
                await onlooker.until(lambda: member.remote)
                await highway(client, f"{path}/{first}")
                gone = f"this server is disconnected from cohort {cohort}"
                assert gone in (await missing(client))[HUB_ID]
            onlooker.records.clear()
            await highway(client, f"{path}/unregister")
            await onlooker.until(
                lambda: Kind.UN_REGISTRATION_EVENT in onlooker.registry
            )
            told = await highway(client, f"{path}/local-registration")
            assert "cohortMember" not in told
            assert (await members(client, cohort), await status(client, cohort)) == (
                [],
                "DISCONNECTED",
            )
            onlooker.records.clear()
            await highway(client, f"{path}/connect")
            await onlooker.until(lambda: Kind.REGISTRATION_EVENT in onlooker.registry)
            told = await highway(client, f"{path}/local-registration")
            assert told["cohortMember"]["registrationTime"]


async def test_who_has_its_address_or_other_topics_is_told_of(
    kafka: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cohort = uuid4().hex
    names = topic_names("egeria", cohort, dedicated=True)
    onlooker = Onlooker(names)
    async with (
        onlooker.reading(kafka.address),
        node(tmp_path, cohort, kafka.address) as (client, member),
    ):
        await onlooker.until(lambda: member.registered_since)
        shown = await command(client, capsys, "cohort", "platforms")
        assert "nobody else has registered" in shown
        assert all(name in shown for name in names.values())
        own = member.registration.repository_connection
        assert own is not None
        assert own.endpoint is not None
        root = str(own.endpoint.address).removesuffix("/servers/pi")
        attic = replace(
            HUB,
            server_name="attic",
            repository_connection=remote_connection(f"{root}/servers/attic"),
        )
        event = EventBuilder(originator_of(attic)).registered(attic, 1, again=False)
        await put(
            kafka.address, names[OmrsTopic.REGISTRATION], CODEC.encode_event(event)
        )
        await onlooker.until(lambda: Kind.REGISTRATION_ERROR_EVENT in onlooker.registry)
        shown = await command(client, capsys, "cohort", "platforms")
        assert f"{root} is the address of server pi, too" in shown
        assert "nobody else" not in shown
        shown = await command(client, capsys, "cohort", "forget", "attic")
        assert f"member attic ({HUB_ID}) is forgotten here" in shown
        assert "nobody else" in await command(client, capsys, "cohort", "platforms")


async def test_a_platform_that_says_that_it_is_there_is_asked_at_once(
    kafka: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FIRST_MEMBER_PAUSE_SECONDS", "LONGEST_MEMBER_PAUSE_SECONDS"):
        monkeypatch.setattr(breaker, name, 3_600.0)
    cohort = uuid4().hex
    topic = topic_names("egeria", cohort, dedicated=True)[OmrsTopic.REGISTRATION]
    build = EventBuilder(originator_of(HUB))
    hub = CODEC.encode_event(build.registered(HUB, 1, again=True))
    onlooker = Onlooker({})
    async with node(tmp_path, cohort, kafka.address) as (client, member):
        is_followed = asyncio.Event()
        member.on_change(lambda: is_followed.set() if member.remote else None)
        await onlooker.until(lambda: member.statistics().connected_since)
        await put(kafka.address, topic, hub)
        await is_followed.wait()
        for _ in range(TOLERATED_MEMBER_FAILURES):
            assert "isn't asked for now" not in (await missing(client))[HUB_ID]
        assert "isn't asked for now" in (await missing(client))[HUB_ID]
        await put(kafka.address, topic, hub)  # as it does when it is started again
        async with asyncio.timeout(SECONDS):
            while "isn't asked for now" in (await missing(client))[HUB_ID]:  # noqa: ASYNC110
                await asyncio.sleep(RETRY_SECONDS)


async def test_the_highway_shows_topics_and_no_passwords(
    kafka: Broker, tmp_path: Path
) -> None:
    cohort = uuid4().hex
    password = tmp_path / "password"
    password.write_text("secret\n")
    more = f'user = "hub"\npassword_file = "{password}"\ntopics = "single"'
    async with node(tmp_path, cohort, kafka.address, more) as (client, member):
        for path in (
            "/cohort-descriptions",
            "/local-registration",
            f"/cohorts/{cohort}/local-registration",
        ):
            assert "secret" not in str(await highway(client, path))
        told = await described(client, cohort)
        assert told["topicConnection"] == told["singleTopicConnection"]
        (embedded,) = told["topicConnection"]["embeddedConnections"]
        topic = embedded["embeddedConnection"]
        assert (
            topic["endpoint"]["address"]
            == topic_names("egeria", cohort, dedicated=False)[OmrsTopic.INSTANCES]
        )
        assert topic["configurationProperties"] == {
            "producer": {"bootstrap.servers": kafka.address},
            "local.server.id": member.server_id,
            "consumer": {"bootstrap.servers": kafka.address},
            "eventDirection": "inOut",
        }
        connection = member.registration.repository_connection
        assert connection is not None
        assert connection.clear_password == "secret"  # noqa: S105 - platforms are told


async def test_what_is_sent_follows_the_rules_of_the_configuration(
    kafka: Broker, tmp_path: Path
) -> None:
    cohort = uuid4().hex
    onlooker = Onlooker(topic_names("egeria", cohort, dedicated=True))
    rule = 'events_to_send = "DESELECTED_TYPES"\nevents_to_send_types = ["Glossary"]'
    async with (
        onlooker.reading(kafka.address),
        node(tmp_path, cohort, kafka.address, rule) as (client, _),
    ):
        await add(client, type_guid("Glossary"), "not for platforms")
        await add_term(client, "for platforms")
        await onlooker.until(lambda: onlooker.terms)
        assert onlooker.terms == ["for platforms"]
