"""What members put on the wire, beside what genuine ones do."""

from typing import Any

import pytest

from edgenode.codec.codec import Codec
from edgenode.codec.json import loads
from edgenode.connectors.connection import Connection
from edgenode.connectors.repository import remote_connection
from edgenode.events.exchange import ExchangeRules
from edgenode.events.model import (
    InstanceEvent,
    OMRSEventV1,
    OMRSInstanceEventType,
    TypeDefEvent,
)
from edgenode.events.model import OMRSTypeDefEventType as TypeDefEventType
from edgenode.events.registration import MemberRegistration
from edgenode.events.wrapping import EventBuilder, originator_of
from edgenode.instances.model import (
    EntityDetail,
    InstanceProvenanceType,
    InstanceType,
    Relationship,
)
from edgenode.releases import SERVED
from edgenode.typedefs.attributes import EnumDef, PrimitiveDef
from edgenode.typedefs.model import EntityDef, TypeDefCategory

CODEC = Codec(SERVED)
MEMBER = MemberRegistration(
    metadata_collection_id="m",
    metadata_collection_name="kitchen",
    server_name="pi",
    server_type="Test",
    organization_name="home",
    registration_time=5,
    repository_connection=remote_connection("https://pi:9443/servers/pi"),
)
BUILDER = EventBuilder(originator_of(MEMBER))
WHO = {
    "metadataCollectionId": "m",
    "serverName": "pi",
    "serverType": "Test",
    "organizationName": "home",
}


def sent(event: OMRSEventV1) -> dict[str, Any]:
    text = CODEC.encode_event(event)
    assert CODEC.decode_event(text) == event
    told = loads(text)
    assert isinstance(told, dict)
    assert told.pop("class") == "OMRSEventV1"
    assert told.pop("protocolVersionId") == "OMRS V1.0"
    assert told.pop("timestamp") == 9
    return told


def test_each_kind_of_section_has_its_place() -> None:
    instance = InstanceEvent(event_type=OMRSInstanceEventType.PURGED_ENTITY_EVENT)
    of_type = TypeDefEvent(type_def_event_type=TypeDefEventType.NEW_TYPEDEF_EVENT)
    assert sent(BUILDER.event(instance, 9)) == {
        "originator": WHO,
        "eventCategory": "INSTANCE",
        "instanceEventSection": {"eventType": "PURGED_ENTITY_EVENT"},
    }
    assert sent(BUILDER.event(of_type, 9)) == {
        "originator": WHO,
        "eventCategory": "TYPEDEF",
        "typeDefEventSection": {"typeDefEventType": "NEW_TYPEDEF_EVENT"},
    }


@pytest.mark.parametrize("again", [False, True])
def test_a_registration_says_all_of_a_member(again: bool) -> None:
    told = sent(BUILDER.registered(MEMBER, 9, again=again))
    kind = "RE_REGISTRATION_EVENT" if again else "REGISTRATION_EVENT"
    assert told == {
        "originator": WHO,
        "eventCategory": "REGISTRY",
        "registryEventSection": {
            "registryEventType": kind,
            "registrationTimestamp": 5,
            "metadataCollectionName": "kitchen",
            "remoteConnection": CODEC.to_object(MEMBER.repository_connection),
        },
    }


def test_a_request_to_refresh_names_no_collection() -> None:
    assert sent(BUILDER.refresh_requested(9)) == {
        "originator": {key: WHO[key] for key in WHO if key != "metadataCollectionId"},
        "eventCategory": "REGISTRY",
        "registryEventSection": {"registryEventType": "REFRESH_REGISTRATION_REQUEST"},
    }


def test_whoever_leaves_says_its_name() -> None:
    assert sent(BUILDER.unregistered(MEMBER, 9)) == {
        "originator": WHO,
        "eventCategory": "REGISTRY",
        "registryEventSection": {
            "registryEventType": "UN_REGISTRATION_EVENT",
            "metadataCollectionName": "kitchen",
        },
    }


# Errors

BAD = Connection(display_name="bad")
TARGET_DEF = EntityDef(guid="t", name="Thing", version=2, version_name="2.0")
OTHER_DEF = EntityDef(guid="t", name="Thing", version=1)
SUMMARY = CODEC.to_object(TARGET_DEF.summary)


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (BUILDER.bad_remote_connection("x", BAD, "why", 9), "BAD_REMOTE_CONNECTION"),
        (
            BUILDER.conflicting_collection_id("x", BAD, "why", 9),
            "CONFLICTING_COLLECTION_ID",
        ),
    ],
    ids=["bad connection", "conflicting id"],
)
def test_complaints_about_members(event: OMRSEventV1, code: str) -> None:
    assert sent(event) == {
        "originator": WHO,
        "eventCategory": "REGISTRY",
        "registryEventSection": {"registryEventType": "REGISTRATION_ERROR_EVENT"},
        "errorSection": {
            "errorCode": code,
            "errorMessage": "why",
            "targetMetadataCollectionId": "x",
            "targetRemoteConnection": CODEC.to_object(BAD),
        },
    }


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (
            BUILDER.conflicting_type_defs("x", TARGET_DEF.summary, OTHER_DEF, "why", 9),
            "CONFLICTING_TYPEDEFS",
        ),
        (
            BUILDER.type_def_patch_mismatch(
                "x", TARGET_DEF.summary, OTHER_DEF, "why", 9
            ),
            "TYPEDEF_PATCH_MISMATCH",
        ),
    ],
    ids=["types", "patch"],
)
def test_complaints_about_types(event: OMRSEventV1, code: str) -> None:
    assert sent(event) == {
        "originator": WHO,
        "eventCategory": "TYPEDEF",
        "typeDefEventSection": {
            "typeDefEventType": "TYPEDEF_ERROR_EVENT",
            "typeDefGUID": "t",
            "typeDefName": "Thing",
        },
        "errorSection": {
            "errorCode": code,
            "errorMessage": "why",
            "targetMetadataCollectionId": "x",
            "targetTypeDefSummary": SUMMARY,
            "otherMetadataCollectionId": "m",
            "otherTypeDef": CODEC.to_object(OTHER_DEF),
        },
    }


def test_complaints_about_attribute_types() -> None:
    target, other = EnumDef(guid="a", name="Kind"), PrimitiveDef(guid="a", name="Kind")
    event = BUILDER.conflicting_attribute_type_defs("x", target, other, "why", 9)
    assert sent(event) == {
        "originator": WHO,
        "eventCategory": "TYPEDEF",
        "typeDefEventSection": {
            "typeDefEventType": "TYPEDEF_ERROR_EVENT",
            "typeDefGUID": "a",
            "typeDefName": "Kind",
        },
        "errorSection": {
            "errorCode": "CONFLICTING_ATTRIBUTE_TYPEDEFS",
            "errorMessage": "why",
            "targetMetadataCollectionId": "x",
            "targetAttributeTypeDef": CODEC.to_object(target),
            "otherMetadataCollectionId": "m",
            "otherAttributeTypeDef": CODEC.to_object(other),
        },
    }


def of_version(version: int) -> InstanceType:
    return InstanceType(
        type_def_category=TypeDefCategory.ENTITY_DEF,
        type_def_guid="t",
        type_def_name="Thing",
        type_def_version=version,
    )


TARGET = EntityDetail(guid="g", type=of_version(2), metadata_collection_id="x")
OTHER = EntityDetail(
    guid="g",
    type=of_version(1),
    metadata_collection_id="y",
    instance_provenance_type=InstanceProvenanceType.LOCAL_COHORT,
)
INSTANCE_ERROR = {
    "errorMessage": "why",
    "targetMetadataCollectionId": "x",
    "targetTypeDefSummary": {
        "headerVersion": 1,
        "guid": "t",
        "name": "Thing",
        "version": 2,
        "category": "ENTITY_DEF",
    },
    "targetInstanceGUID": "g",
    "otherMetadataCollectionId": "y",
    "otherTypeDefSummary": {
        "headerVersion": 1,
        "guid": "t",
        "name": "Thing",
        "version": 1,
        "category": "ENTITY_DEF",
    },
}


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (
            BUILDER.conflicting_instances(TARGET, OTHER, "why", 9),
            {
                "errorCode": "CONFLICTING_INSTANCES",
                "otherOrigin": "LOCAL_COHORT",
                "otherInstanceGUID": "g",
            },
        ),
        (
            BUILDER.conflicting_type(TARGET, OTHER, "why", 9),
            {"errorCode": "CONFLICTING_TYPE"},
        ),
    ],
    ids=["instances", "type"],
)
def test_complaints_about_instances(event: OMRSEventV1, error: dict[str, Any]) -> None:
    assert sent(event) == {
        "originator": WHO,
        "eventCategory": "INSTANCE",
        "instanceEventSection": {
            "eventType": "INSTANCE_ERROR_EVENT",
            "typeDefGUID": "t",
            "typeDefName": "Thing",
            "instanceGUID": "g",
        },
        "errorSection": INSTANCE_ERROR | error,
    }
    section = event.instance_event_section
    assert section is not None
    assert ExchangeRules().processed(section) == section


def test_the_type_of_the_other_helps_where_the_target_has_none() -> None:
    bare = Relationship(guid="g", metadata_collection_id="x")
    event = BUILDER.conflicting_instances(bare, OTHER, "why", 9)
    section = event.instance_event_section
    assert section is not None
    assert (section.type_def_guid, section.type_def_name) == ("t", "Thing")
