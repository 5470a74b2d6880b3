"""Egeria 4.2."""

from edgenode.releases.release import Release
from edgenode.typedefs.status import InstanceStatus

EGERIA_4_2 = Release(
    name="4.2",
    types_resource="open-metadata-types-4.2.json",
    instance_guid=lambda type_name, uuid: uuid,
    statuses=frozenset(InstanceStatus) - {InstanceStatus.INVALID},
    platform_origin="Egeria OMAG Server Platform (version 4.2)\n",
    rest_dialect="4.2",
    event_protocol_version="OMRS V1.0",
    search_dialect="4.2",
    absent_fields={
        "TypeDef": frozenset({"descriptionWiki"}),
        "TypeDefPatch": frozenset({"descriptionWiki"}),
        "AttributeTypeDef": frozenset({"descriptionWiki"}),
    },
)
