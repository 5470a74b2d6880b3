"""Events that nobody looks into, and by which of the protocol's codes that is told."""

from dataclasses import replace
from typing import Any

import pytest

from edgenode.events.checks import fault_of_event
from edgenode.events.model import (
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

Code = OMRSEventErrorCode

INSTANCE = OMRSEventV1(
    originator=OMRSEventOriginator(metadata_collection_id="remote-id"),
    event_category=OMRSEventCategory.INSTANCE,
    instance_event_section=InstanceEvent(
        event_type=OMRSInstanceEventType.NEW_ENTITY_EVENT
    ),
)
TYPE = replace(
    INSTANCE,
    event_category=OMRSEventCategory.TYPEDEF,
    type_def_event_section=TypeDefEvent(
        type_def_event_type=OMRSTypeDefEventType.NEW_TYPEDEF_EVENT
    ),
)
REGISTRY = replace(
    INSTANCE,
    event_category=OMRSEventCategory.REGISTRY,
    registry_event_section=RegistryEvent(
        registry_event_type=OMRSRegistryEventType.REGISTRATION_EVENT
    ),
)
REQUEST = replace(
    REGISTRY,
    originator=OMRSEventOriginator(server_name="hub"),
    registry_event_section=RegistryEvent(
        registry_event_type=OMRSRegistryEventType.REFRESH_REGISTRATION_REQUEST
    ),
)
NAMELESS = {"originator": OMRSEventOriginator(server_name="hub")}


@pytest.mark.parametrize("event", [INSTANCE, TYPE, REGISTRY, REQUEST])
def test_events_as_they_should_be(event: OMRSEventV1) -> None:
    assert fault_of_event(event) is None


@pytest.mark.parametrize(
    ("event", "changes", "code"),
    [
        (INSTANCE, {"protocol_version_id": "OMRS V2.0"}, Code.INVALID_EVENT_FORMAT),
        (INSTANCE, {"originator": None}, Code.INVALID_EVENT_FORMAT),
        (INSTANCE, {"event_category": None}, Code.INVALID_EVENT_FORMAT),
        (
            INSTANCE,
            {"event_category": OMRSEventCategory.UNKNOWN},
            Code.INVALID_EVENT_FORMAT,
        ),
        (
            INSTANCE,
            {"event_category": OMRSEventCategory.GENERIC},
            Code.INVALID_EVENT_FORMAT,
        ),
        (INSTANCE, {"instance_event_section": None}, Code.INVALID_INSTANCE_EVENT),
        (INSTANCE, NAMELESS, Code.INVALID_INSTANCE_EVENT),
        (
            INSTANCE,
            {
                "instance_event_section": InstanceEvent(
                    event_type=OMRSInstanceEventType.UNKNOWN_INSTANCE_EVENT
                )
            },
            Code.INVALID_INSTANCE_EVENT,
        ),
        (TYPE, {"type_def_event_section": None}, Code.INVALID_TYPEDEF_EVENT),
        (TYPE, NAMELESS, Code.INVALID_TYPEDEF_EVENT),
        (REGISTRY, {"registry_event_section": None}, Code.INVALID_REGISTRY_EVENT),
        (REGISTRY, NAMELESS, Code.INVALID_REGISTRY_EVENT),
    ],
)
def test_what_is_wrong_has_a_code(
    event: OMRSEventV1, changes: dict[str, Any], code: OMRSEventErrorCode
) -> None:
    fault = fault_of_event(replace(event, **changes))
    assert fault is not None
    assert fault.code is code
    assert fault.reason
