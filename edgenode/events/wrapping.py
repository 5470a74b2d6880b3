"""What a member puts on the wire: its events with their sender and time.

Error events say what receivers need before they look at them: those about instances name
the type in their section, because receivers pass over what doesn't.
"""

from dataclasses import dataclass, replace

from edgenode.clock import EpochMillis
from edgenode.connectors.connection import Connection
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
from edgenode.events.registration import MemberRegistration
from edgenode.instances.model import InstanceHeader
from edgenode.typedefs.attributes import AttributeTypeDef
from edgenode.typedefs.model import TypeDef, TypeDefSummary

Section = InstanceEvent | TypeDefEvent | RegistryEvent


def originator_of(member: MemberRegistration) -> OMRSEventOriginator:
    """A member as the sender of events."""
    return OMRSEventOriginator(
        metadata_collection_id=member.metadata_collection_id,
        server_name=member.server_name,
        server_type=member.server_type,
        organization_name=member.organization_name,
    )


@dataclass(frozen=True, slots=True)
class EventBuilder:
    """Makes the events of one sender."""

    originator: OMRSEventOriginator

    def event(
        self, section: Section, at: EpochMillis, error: EventError | None = None
    ) -> OMRSEventV1:
        """An event of any kind."""
        event = OMRSEventV1(
            timestamp=at, originator=self.originator, error_section=error
        )
        match section:
            case InstanceEvent():
                return replace(
                    event,
                    event_category=OMRSEventCategory.INSTANCE,
                    instance_event_section=section,
                )
            case TypeDefEvent():
                return replace(
                    event,
                    event_category=OMRSEventCategory.TYPEDEF,
                    type_def_event_section=section,
                )
            case RegistryEvent():
                return replace(
                    event,
                    event_category=OMRSEventCategory.REGISTRY,
                    registry_event_section=section,
                )

    # registration

    def registered(
        self, member: MemberRegistration, at: EpochMillis, *, again: bool
    ) -> OMRSEventV1:
        """The member says who it is, for the first time or again."""
        kinds = OMRSRegistryEventType
        kind = kinds.RE_REGISTRATION_EVENT if again else kinds.REGISTRATION_EVENT
        section = RegistryEvent(
            registry_event_type=kind,
            registration_timestamp=member.registration_time,
            metadata_collection_name=member.metadata_collection_name,
            remote_connection=member.repository_connection,
        )
        return self.event(section, at)

    def refresh_requested(self, at: EpochMillis) -> OMRSEventV1:
        """The member asks all others to say who they are; it names no collection."""
        anonymous = replace(self.originator, metadata_collection_id=None)
        kind = OMRSRegistryEventType.REFRESH_REGISTRATION_REQUEST
        section = RegistryEvent(registry_event_type=kind)
        return EventBuilder(anonymous).event(section, at)

    def unregistered(self, member: MemberRegistration, at: EpochMillis) -> OMRSEventV1:
        """The member leaves the cohort."""
        section = RegistryEvent(
            registry_event_type=OMRSRegistryEventType.UN_REGISTRATION_EVENT,
            metadata_collection_name=member.metadata_collection_name,
        )
        return self.event(section, at)

    # errors

    def bad_remote_connection(
        self,
        target_id: str,
        connection: Connection | None,
        reason: str,
        at: EpochMillis,
    ) -> OMRSEventV1:
        """A member can't be reached by the connection that it registered with."""
        code = OMRSEventErrorCode.BAD_REMOTE_CONNECTION
        return self._registry_error(code, target_id, connection, reason, at)

    def conflicting_collection_id(
        self,
        target_id: str,
        connection: Connection | None,
        reason: str,
        at: EpochMillis,
    ) -> OMRSEventV1:
        """Two servers claim the same collection id; the connection is the second's."""
        code = OMRSEventErrorCode.CONFLICTING_COLLECTION_ID
        return self._registry_error(code, target_id, connection, reason, at)

    def _registry_error(
        self,
        code: OMRSEventErrorCode,
        target_id: str,
        connection: Connection | None,
        reason: str,
        at: EpochMillis,
    ) -> OMRSEventV1:
        kind = OMRSRegistryEventType.REGISTRATION_ERROR_EVENT
        error = EventError(
            error_code=code,
            error_message=reason,
            target_metadata_collection_id=target_id,
            target_remote_connection=connection,
        )
        return self.event(RegistryEvent(registry_event_type=kind), at, error)

    def conflicting_type_defs(
        self,
        target_id: str | None,
        target: TypeDefSummary,
        other: TypeDef,
        reason: str,
        at: EpochMillis,
    ) -> OMRSEventV1:
        """A member's type contradicts the one that is known here."""
        code = OMRSEventErrorCode.CONFLICTING_TYPEDEFS
        return self._type_error(code, target_id, target, other, reason, at)

    def type_def_patch_mismatch(
        self,
        target_id: str | None,
        target: TypeDefSummary,
        other: TypeDef,
        reason: str,
        at: EpochMillis,
    ) -> OMRSEventV1:
        """A member's patch isn't for the version that is known here."""
        code = OMRSEventErrorCode.TYPEDEF_PATCH_MISMATCH
        return self._type_error(code, target_id, target, other, reason, at)

    def _type_error(
        self,
        code: OMRSEventErrorCode,
        target_id: str | None,
        target: TypeDefSummary,
        other: TypeDef,
        reason: str,
        at: EpochMillis,
    ) -> OMRSEventV1:
        section = TypeDefEvent(
            type_def_event_type=OMRSTypeDefEventType.TYPEDEF_ERROR_EVENT,
            type_def_guid=target.guid,
            type_def_name=target.name,
        )
        error = EventError(
            error_code=code,
            error_message=reason,
            target_metadata_collection_id=target_id,
            target_type_def_summary=target,
            other_metadata_collection_id=self.originator.metadata_collection_id,
            other_type_def=other,
        )
        return self.event(section, at, error)

    def conflicting_attribute_type_defs(
        self,
        target_id: str | None,
        target: AttributeTypeDef,
        other: AttributeTypeDef,
        reason: str,
        at: EpochMillis,
    ) -> OMRSEventV1:
        """A member's attribute type contradicts the one that is known here."""
        section = TypeDefEvent(
            type_def_event_type=OMRSTypeDefEventType.TYPEDEF_ERROR_EVENT,
            type_def_guid=target.guid,
            type_def_name=target.name,
        )
        error = EventError(
            error_code=OMRSEventErrorCode.CONFLICTING_ATTRIBUTE_TYPEDEFS,
            error_message=reason,
            target_metadata_collection_id=target_id,
            target_attribute_type_def=target,
            other_metadata_collection_id=self.originator.metadata_collection_id,
            other_attribute_type_def=other,
        )
        return self.event(section, at, error)

    def conflicting_instances(
        self,
        target: InstanceHeader,
        other: InstanceHeader,
        reason: str,
        at: EpochMillis,
    ) -> OMRSEventV1:
        """Two instances have one GUID; the target's home is asked to change its own."""
        error = EventError(
            error_code=OMRSEventErrorCode.CONFLICTING_INSTANCES,
            other_origin=other.instance_provenance_type,
            other_instance_guid=other.guid,
        )
        return self._instance_error(error, target, other, reason, at)

    def conflicting_type(
        self,
        target: InstanceHeader,
        other: InstanceHeader,
        reason: str,
        at: EpochMillis,
    ) -> OMRSEventV1:
        """The target was written with another version of its type than is known here."""
        error = EventError(error_code=OMRSEventErrorCode.CONFLICTING_TYPE)
        return self._instance_error(error, target, other, reason, at)

    def _instance_error(
        self,
        error: EventError,
        target: InstanceHeader,
        other: InstanceHeader,
        reason: str,
        at: EpochMillis,
    ) -> OMRSEventV1:
        known = _type_of(target) or _type_of(other) or TypeDefSummary()
        section = InstanceEvent(
            event_type=OMRSInstanceEventType.INSTANCE_ERROR_EVENT,
            type_def_guid=known.guid,
            type_def_name=known.name,
            instance_guid=target.guid,
        )
        error = replace(
            error,
            error_message=reason,
            target_metadata_collection_id=target.metadata_collection_id,
            target_type_def_summary=_type_of(target),
            target_instance_guid=target.guid,
            other_metadata_collection_id=other.metadata_collection_id,
            other_type_def_summary=_type_of(other),
        )
        return self.event(section, at, error)


def _type_of(header: InstanceHeader) -> TypeDefSummary | None:
    known = header.type
    if known is None:
        return None
    return TypeDefSummary(
        guid=known.type_def_guid,
        name=known.type_def_name,
        version=known.type_def_version,
        category=known.type_def_category,
    )
