"""What a server must know about the Egeria release it speaks.

A server runs one release. Codec, operation tables and validation ask this object;
nothing else knows that releases differ, and no other module names one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from edgenode.typedefs.status import InstanceStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One release of the open metadata protocols.

    Attributes:
        name: The release's number as configuration files say it.
        types_resource: File name of the shipped type set under ``releases/data``.
        instance_guid: Makes the GUID of a new instance from its type's name and a
            random UUID (some releases put the type's name in front).
        statuses: The instance states that exist on this release's wire.
        platform_origin: The answer of the platform's ``origin`` operation.
        rest_dialect: Which operation table serves this release's paths.
        event_protocol_version: The ``protocolVersionId`` of its events.
        search_dialect: Which reading of search requests applies.
        absent_fields: Wire names of bean fields that this release doesn't have,
            by bean class name.
    """

    name: str
    types_resource: str
    instance_guid: Callable[[str, str], str]
    statuses: frozenset[InstanceStatus]
    platform_origin: str
    rest_dialect: str
    event_protocol_version: str
    search_dialect: str
    absent_fields: dict[str, frozenset[str]] = field(default_factory=dict)
