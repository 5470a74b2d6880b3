"""Whether an event can be looked into at all, before anybody does."""

from dataclasses import dataclass

from edgenode.events.model import (
    PROTOCOL_VERSION,
    OMRSEventCategory,
    OMRSEventErrorCode,
    OMRSEventV1,
    OMRSInstanceEventType,
    OMRSRegistryEventType,
    OMRSTypeDefEventType,
)

_Category = OMRSEventCategory
_Code = OMRSEventErrorCode

_UNKNOWN = {
    OMRSRegistryEventType.UNKNOWN_REGISTRY_EVENT,
    OMRSTypeDefEventType.UNKNOWN_TYPEDEF_EVENT,
    OMRSInstanceEventType.UNKNOWN_INSTANCE_EVENT,
}


@dataclass(frozen=True, slots=True)
class EventFault:
    """Why an event is refused.

    Attributes:
        code: What the protocol calls it.
        reason: The reason for people.
    """

    code: OMRSEventErrorCode
    reason: str


def fault_of_event(event: OMRSEventV1) -> EventFault | None:
    """What is wrong with an event of another member; None where nothing is.

    Genuine members pass over such events, too; that one names no originator stops theirs
    with an exception.
    """
    if event.protocol_version_id != PROTOCOL_VERSION:
        reason = f"it is of protocol {event.protocol_version_id}"
        return EventFault(_Code.INVALID_EVENT_FORMAT, reason)
    if event.originator is None:
        return EventFault(_Code.INVALID_EVENT_FORMAT, "it names no originator")
    match event.event_category:
        case _Category.REGISTRY:
            section = event.registry_event_section
            event_type = None if section is None else section.registry_event_type
            return _section_fault(event, _Code.INVALID_REGISTRY_EVENT, event_type)
        case _Category.TYPEDEF:
            types = event.type_def_event_section
            of_types = None if types is None else types.type_def_event_type
            return _section_fault(event, _Code.INVALID_TYPEDEF_EVENT, of_types)
        case _Category.INSTANCE:
            instances = event.instance_event_section
            of_instances = None if instances is None else instances.event_type
            return _section_fault(event, _Code.INVALID_INSTANCE_EVENT, of_instances)
        case _:
            category = event.event_category
            name = "none" if category is None else category.name
            reason = f"its category is {name}"
            return EventFault(_Code.INVALID_EVENT_FORMAT, reason)


def _section_fault(
    event: OMRSEventV1,
    code: OMRSEventErrorCode,
    event_type: OMRSRegistryEventType
    | OMRSTypeDefEventType
    | OMRSInstanceEventType
    | None,
) -> EventFault | None:
    if event_type is None:
        return EventFault(code, "it lacks the section of its category")
    if event_type in _UNKNOWN:
        return EventFault(code, f"it is of type {event_type.name}")
    sender = event.originator
    if event_type is not OMRSRegistryEventType.REFRESH_REGISTRATION_REQUEST and not (
        sender and sender.metadata_collection_id
    ):
        return EventFault(code, "its originator names no metadata collection")
    return None
