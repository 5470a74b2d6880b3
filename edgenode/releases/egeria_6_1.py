"""Egeria 6.1: its type set ships; its wire follows on the same seams."""

from edgenode.releases.release import Release
from edgenode.typedefs.status import InstanceStatus

EGERIA_6_1 = Release(
    name="6.1",
    types_resource="open-metadata-types-6.1.json",
    instance_guid=lambda type_name, uuid: f"{type_name}-{uuid}",
    statuses=frozenset(
        {
            InstanceStatus.UNKNOWN,
            InstanceStatus.ACTIVE,
            InstanceStatus.INVALID,
            InstanceStatus.OTHER,
            InstanceStatus.DELETED,
        }
    ),
    platform_origin="Egeria OMAG Server Platform (version 6.1-SNAPSHOT)\n",
    rest_dialect="6.1",
    event_protocol_version="OMRS V2.0",
    search_dialect="6.1",
    absent_fields={
        "InstanceHeader": frozenset({"instanceURL"}),
        "TypeDefAttribute": frozenset({"replacedByAttribute"}),
    },
)
