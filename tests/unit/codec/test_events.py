"""Every kind of event there is survives its JSON; what is none is refused."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from edgenode.codec.codec import Codec
from edgenode.codec.json import dumps, loads
from edgenode.connectors.connection import Connection, VirtualConnection
from edgenode.errors import BadRequestError
from edgenode.events.model import (
    EventError,
    InstanceEvent,
    OMRSEventCategory,
    OMRSEventErrorCode,
    OMRSEventOriginator,
    OMRSEventV1,
    OMRSInstanceEventType,
    OMRSRegistryEventType,
    OMRSTypeDefEventType,
    RegistryEvent,
    TypeDefEvent,
)
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntityProxy,
    Relationship,
)
from edgenode.limits import MAX_FRAME_TEXT_BYTES
from edgenode.releases import SERVED
from tests.unit.codec.strategies import beans

CODEC = Codec(SERVED)
ORIGINATOR = OMRSEventOriginator(metadata_collection_id="m", server_name="s")
BARE = OMRSEventV1(timestamp=1, originator=ORIGINATOR)
few = settings(
    max_examples=3,
    deadline=None,
    phases=(Phase.reuse, Phase.generate),  # beans are big: to shrink one takes minutes
    suppress_health_check=list(HealthCheck),
)


def comes_back(event: OMRSEventV1) -> None:
    text = CODEC.encode_event(event)
    again = CODEC.decode_event(text)
    assert again == event
    assert CODEC.encode_event(again) == text


@pytest.mark.parametrize("kind", OMRSInstanceEventType)
@few
@given(section=beans(InstanceEvent))
def test_instance_events(kind: OMRSInstanceEventType, section: InstanceEvent) -> None:
    comes_back(
        replace(
            BARE,
            event_category=OMRSEventCategory.INSTANCE,
            instance_event_section=replace(section, event_type=kind),
        )
    )


@pytest.mark.parametrize("kind", OMRSTypeDefEventType)
@few
@given(section=beans(TypeDefEvent))
def test_type_events(kind: OMRSTypeDefEventType, section: TypeDefEvent) -> None:
    comes_back(
        replace(
            BARE,
            event_category=OMRSEventCategory.TYPEDEF,
            type_def_event_section=replace(section, type_def_event_type=kind),
        )
    )


@pytest.mark.parametrize("kind", OMRSRegistryEventType)
@few
@given(section=beans(RegistryEvent))
def test_registry_events(kind: OMRSRegistryEventType, section: RegistryEvent) -> None:
    comes_back(
        replace(
            BARE,
            event_category=OMRSEventCategory.REGISTRY,
            registry_event_section=replace(section, registry_event_type=kind),
        )
    )


@pytest.mark.parametrize("code", OMRSEventErrorCode)
@few
@given(section=beans(EventError))
def test_errors(code: OMRSEventErrorCode, section: EventError) -> None:
    comes_back(replace(BARE, error_section=replace(section, error_code=code)))


def test_only_dates_are_written_otherwise_than_in_answers() -> None:
    section = RegistryEvent(
        registry_event_type=OMRSRegistryEventType.REGISTRATION_EVENT,
        registration_timestamp=1_795_226_772_501,
        remote_connection=VirtualConnection(guid="g"),
    )
    event = replace(BARE, registry_event_section=section)
    sent, answered = loads(CODEC.encode_event(event)), CODEC.to_object(event)
    assert sent["timestamp"] == 1
    assert answered["timestamp"] == "1970-01-01T00:00:00.001+00:00"
    sent_section = sent["registryEventSection"]
    assert sent_section.pop("registrationTimestamp") == 1_795_226_772_501
    answered_section = answered["registryEventSection"]
    at = answered_section.pop("registrationTimestamp")
    assert at == "2026-11-21T02:06:12.501+00:00"
    assert sent_section == answered_section
    assert sent_section["remoteConnection"]["class"] == "VirtualConnection"


def valid() -> dict[str, Any]:
    value = loads(
        CODEC.encode_event(
            replace(
                BARE,
                event_category=OMRSEventCategory.REGISTRY,
                registry_event_section=RegistryEvent(
                    registry_event_type=OMRSRegistryEventType.REGISTRATION_EVENT,
                    remote_connection=Connection(),
                ),
            )
        )
    )
    assert isinstance(value, dict)
    return value


def test_unknown_fields_are_passed_over() -> None:
    value = valid()
    plain = CODEC.decode_event(dumps(value))
    told = {"edgenode": {"node": "n"}, **value, "later": [1]}
    told["registryEventSection"]["later"] = {"class": "Later"}
    assert CODEC.decode_event(dumps(told)) == plain


@pytest.mark.parametrize(
    ("fault", "where"),
    [
        ({"class": "OMRSEventV2"}, "event"),
        ({"eventCategory": "NEWS"}, "event.eventCategory"),
        ({"eventCategory": ""}, "event.eventCategory"),
        ({"timestamp": "yesterday"}, "event.timestamp"),
        ({"originator": []}, "event.originator"),
        ({"registryEventSection": {}}, "event.registryEventSection"),
        (
            {"registryEventSection": {"registryEventType": "OTHER"}},
            "event.registryEventSection.registryEventType",
        ),
        ({"errorSection": {"errorCode": 31}}, "event.errorSection.errorCode"),
        (
            {"errorSection": {"targetRemoteConnection": {"displayName": "x"}}},
            "event.errorSection.targetRemoteConnection",
        ),
    ],
)
def test_what_is_no_event_is_refused(fault: dict[str, Any], where: str) -> None:
    with pytest.raises(BadRequestError) as refused:
        CODEC.decode_event(dumps(valid() | fault))
    assert refused.value.where == where


@given(text=st.binary(max_size=64) | st.text(max_size=64).map(str.encode))
def test_any_bytes_are_refused(text: bytes) -> None:
    with pytest.raises(BadRequestError):
        CODEC.decode_event(text)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(BadRequestError, match="deep"):
        CODEC.decode_event(b'{"class":' + b"[" * 500 + b"]" * 500 + b"}")


LONG = "ö" * (MAX_FRAME_TEXT_BYTES // 2 + 1)


@pytest.mark.parametrize(
    "told",
    [
        {"entity": EntityDetail(guid=LONG)},
        {"entity": EntityDetail(metadata_collection_id=LONG)},
        {"entity": EntityDetail(classifications=(Classification(replicated_by=LONG),))},
        {"entity_proxy": EntityProxy(re_identified_from_guid=LONG)},
        {"relationship": Relationship(entity_one_proxy=EntityProxy(guid=LONG))},
        {"instance_guid": LONG},
        {"original_instance_guid": LONG},
    ],
)
def test_ids_that_nodes_could_not_tell_each_other_are_refused(
    told: dict[str, Any],
) -> None:
    kind = OMRSInstanceEventType.NEW_ENTITY_EVENT
    section = InstanceEvent(event_type=kind, **told)
    event = replace(
        BARE,
        event_category=OMRSEventCategory.INSTANCE,
        instance_event_section=section,
    )
    with pytest.raises(BadRequestError, match="an id of more than"):
        CODEC.decode_event(CODEC.encode_event(event))
    # What is stored already can be read, to be removed.
    assert CODEC.decode(InstanceEvent, CODEC.encode(section)) == section
    nobody = replace(BARE, originator=OMRSEventOriginator(metadata_collection_id=LONG))
    with pytest.raises(BadRequestError, match="an id of more than"):
        CODEC.decode_event(CODEC.encode_event(nobody))
