"""Every captured event is read, and written again byte for byte.

The captures are records of genuine members' topics, their JSON put into lines for people;
what is compared is the compact form, with the order of the fields. The one event that was
written by hand has another order and leaves out defaults; it is read alike.
"""

import json
from typing import Any

import pytest

from edgenode.bus.topics import OmrsTopic, topic_names
from edgenode.codec.codec import Codec
from edgenode.codec.json import dumps
from edgenode.connectors.repository import remote_connection
from edgenode.connectors.topics import topic_connection
from edgenode.events.model import OMRSEventV1
from edgenode.events.registration import MemberRegistration
from edgenode.events.wrapping import EventBuilder
from edgenode.releases import SERVED
from tests.conftest import SHARED
from tests.wire.captures import SAMPLES, without

CODEC = Codec(SERVED)
BY_HAND = "event-BATCH_INSTANCES_EVENT-injected-and-accepted"
EVENTS = sorted(path.stem for path in (SHARED / SAMPLES).glob("event-*.json"))
GENUINE = [name for name in EVENTS if name != BY_HAND]

needs_captures = pytest.mark.skipif(
    not EVENTS, reason="captures are absent: there is no ../shared beside the project"
)


def captured(name: str) -> Any:
    text = (SHARED / SAMPLES / f"{name}.json").read_text(encoding="utf-8")
    return json.loads(text)


@needs_captures
@pytest.mark.parametrize("name", GENUINE)
def test_an_event_is_written_as_it_was_read(name: str) -> None:
    text = dumps(captured(name)["value"])
    event = CODEC.decode_event(text)
    assert CODEC.encode_event(event) == text


@needs_captures
@pytest.mark.parametrize("name", GENUINE)
def test_an_event_survives_the_form_that_the_store_keeps(name: str) -> None:
    event = CODEC.decode_event(dumps(captured(name)["value"]))
    assert CODEC.decode(OMRSEventV1, CODEC.encode(event)) == event


@needs_captures
def test_an_event_by_hand_is_read_with_its_defaults() -> None:
    event = CODEC.decode_event(dumps(captured(BY_HAND)["value"]))
    again = CODEC.encode_event(event)
    assert CODEC.encode_event(CODEC.decode_event(again)) == again
    section = event.instance_event_section
    assert section is not None
    assert section.instance_batch is not None
    entities = section.instance_batch.entities or ()
    assert [entity.guid for entity in entities] == [
        "55555555-0000-4000-8000-00000000000b",
        "55555555-0000-4000-8000-00000000000c",
    ]
    assert all(entity.header_version == 1 for entity in entities)


@needs_captures
def test_our_connection_is_the_genuine_one_but_for_descriptions() -> None:
    value = captured("event-registry-REGISTRATION_EVENT")["value"]
    theirs = value["registryEventSection"]["remoteConnection"]
    del theirs["connectorType"]["description"]
    del theirs["connectorType"]["type"]["typeDescription"]
    ours = remote_connection("http://localhost:9443/servers/cocoMDS1")
    assert dumps(CODEC.event_object(ours)) == dumps(theirs)


@needs_captures
def test_our_topics_are_described_as_genuine_ones_but_for_descriptions() -> None:
    body = captured("88-highway-cohort-descriptions")["response"]["body"]
    (cohort,) = without(body["cohorts"], frozenset({"description", "typeDescription"}))
    topics = topic_names("egeria", "cocoCohort", dedicated=True)
    for kind, what in (
        (OmrsTopic.REGISTRATION, "registrations"),
        (OmrsTopic.TYPES, "types"),
        (OmrsTopic.INSTANCES, "instances"),
    ):
        theirs = cohort[f"{kind}TopicConnection"]
        (embedded,) = theirs["embeddedConnections"]
        client = embedded["embeddedConnection"]["configurationProperties"]
        ours = topic_connection(
            f"cocoCohort OMRS Topic for {what}",
            topics[kind],
            client["local.server.id"],
            client["producer"],
        )
        assert dumps(CODEC.to_object(ours)) == dumps(theirs)


@needs_captures
@pytest.mark.parametrize(
    "name",
    [
        "event-registry-REGISTRATION_EVENT",
        "event-registry-RE_REGISTRATION_EVENT",
        "event-registry-REFRESH_REGISTRATION_REQUEST",
        "event-NEW_ENTITY_EVENT",
        "event-typedef-NEW_TYPEDEF_EVENT-EntityDef",
    ],
)
def test_a_member_builds_what_a_genuine_one_sends(name: str) -> None:
    event = CODEC.decode_event(dumps(captured(name)["value"]))
    assert event.originator is not None
    assert event.timestamp is not None
    section = (
        event.instance_event_section
        or event.type_def_event_section
        or event.registry_event_section
    )
    assert section is not None
    assert EventBuilder(event.originator).event(section, event.timestamp) == event


@needs_captures
@pytest.mark.parametrize(
    "name",
    ["88-highway-local-registration", "88-highway-cohorts-cocoCohort-remote-members"],
)
def test_a_registration_is_written_as_it_was_answered(name: str) -> None:
    body = captured(name)["response"]["body"]
    for answer in body.get("cohortMembers") or [body["cohortMember"]]:
        registration = CODEC.from_object(MemberRegistration, answer)
        assert CODEC.encode(registration) == dumps(answer)
