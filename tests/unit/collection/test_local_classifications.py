"""Classifications: homed on their own, given to entities and to proxies of them."""

from typing import Any

import pytest

from edgenode.collection.base import ClassificationSource, ExternalSource
from edgenode.events.model import InstanceEvent
from edgenode.events.model import OMRSInstanceEventType as Event
from edgenode.instances.lifecycle import classification_of
from edgenode.instances.model import (
    ClassificationOrigin,
    EntityDetail,
    InstanceProvenanceType,
)
from edgenode.typedefs.status import InstanceStatus
from tests.model.house import (
    LOCAL,
    START,
    USER,
    House,
    properties,
    remote_classification,
    remote_entity,
    remote_proxy,
    type_guid,
)
from tests.unit.collection.conftest import Glossary
from tests.unit.collection.refusals import refusal

TERM = type_guid("GlossaryTerm")
ASSIGNED = ClassificationSource()
STEWARD = properties(steward="ann")
OTHER = properties(steward="bob")
BAD = properties(nope="x")


def entity(house: House, guid: str) -> EntityDetail:
    return house.collection.get_entity_detail(USER, guid).value


async def classify(
    house: House, guid: str, name: str = "Confidentiality", values: Any = STEWARD
) -> EntityDetail:
    document = await house.collection.classify_entity(
        USER, guid, name, ASSIGNED, values
    )
    return document.value


async def test_classifying_leaves_the_entitys_header_alone(
    house: House, glossary: Glossary, new_events: list[InstanceEvent]
) -> None:
    before = entity(house, glossary.term)
    house.clock.time += 20
    after = await classify(house, glossary.term)
    assert (after.version, after.update_time, after.updated_by) == (
        before.version,
        before.update_time,
        before.updated_by,
    )
    given = classification_of(after, "Confidentiality")
    assert given is not None
    assert (given.version, given.created_by, given.status) == (
        1,
        USER,
        InstanceStatus.ACTIVE,
    )
    assert given.create_time == START + 20
    assert given.properties == STEWARD
    assert given.metadata_collection_id == LOCAL.id
    assert new_events == [
        InstanceEvent(
            event_type=Event.CLASSIFIED_ENTITY_EVENT,
            type_def_guid=TERM,
            type_def_name="GlossaryTerm",
            instance_guid=glossary.term,
            entity=after,
            classification=given,
        )
    ]


async def test_a_state_before_a_classification_is_still_read(
    house: House, glossary: Glossary
) -> None:
    await classify(house, glossary.term)  # in the same millisecond, by the clock
    house.clock.time += 10
    then = house.collection.get_entity_detail(USER, glossary.term, START).value
    assert then.classifications is None
    now = house.collection.get_entity_detail(USER, glossary.term, START + 1).value
    assert classification_of(now, "Confidentiality") is not None


async def test_the_same_classification_again_changes_nothing(
    house: House, glossary: Glossary, new_events: list[InstanceEvent]
) -> None:
    first = await classify(house, glossary.term)
    assert await classify(house, glossary.term) == first
    assert len(new_events) == 1


async def test_the_same_classification_with_other_properties_is_refused(
    house: House, glossary: Glossary
) -> None:
    await classify(house, glossary.term)
    assert await refusal(classify(house, glossary.term, values=OTHER)) == (
        "REPOSITORY-400-081", "ClassificationErrorException", "classifyEntity",
        ("classifyEntity", "node", "Confidentiality", glossary.term), None,
    )  # fmt: skip


async def test_an_external_source_owns_its_classification(
    house: House, glossary: Glossary
) -> None:
    source = ClassificationSource(
        ClassificationOrigin.PROPAGATED, "origin", ExternalSource("ext", "external")
    )
    document = await house.collection.classify_entity(
        USER, glossary.term, "Retention", source, None
    )
    given = classification_of(document.value, "Retention")
    assert given is not None
    assert given.classification_origin is ClassificationOrigin.PROPAGATED
    assert given.classification_origin_guid == "origin"
    assert given.instance_provenance_type is InstanceProvenanceType.EXTERNAL_SOURCE
    assert (given.metadata_collection_id, given.replicated_by) == ("ext", LOCAL.id)


async def test_reclassifying_replaces_the_properties(
    house: House, glossary: Glossary, new_events: list[InstanceEvent]
) -> None:
    old = classification_of(await classify(house, glossary.term), "Confidentiality")
    document = await house.collection.update_entity_classification(
        "ann", glossary.term, "Confidentiality", OTHER
    )
    new = classification_of(document.value, "Confidentiality")
    assert new is not None
    assert (new.version, new.updated_by, new.maintained_by) == (2, "ann", ("ann",))
    assert new.properties == OTHER
    assert document.value.version == 1
    assert new_events[1].event_type is Event.RECLASSIFIED_ENTITY_EVENT
    assert new_events[1].original_classification == old
    assert new_events[1].classification == new


async def test_a_classification_sent_without_version_becomes_the_second(
    house: House,
) -> None:
    document = await house.collection.add_entity(
        USER, TERM, None, [remote_classification(version=0)], None
    )
    guid = str(document.value.guid)
    updated = await house.collection.update_entity_classification(
        USER, guid, "Confidentiality", OTHER
    )
    found = classification_of(updated.value, "Confidentiality")
    assert found is not None
    assert found.version == 2


async def test_declassifying_takes_one_classification_away(
    house: House, glossary: Glossary, new_events: list[InstanceEvent]
) -> None:
    await classify(house, glossary.term, "Retention", None)
    given = classification_of(await classify(house, glossary.term), "Confidentiality")
    document = await house.collection.declassify_entity(
        USER, glossary.term, "Confidentiality"
    )
    left = document.value.classifications or ()
    assert [classification.name for classification in left] == ["Retention"]
    assert new_events[-1].event_type is Event.DECLASSIFIED_ENTITY_EVENT
    assert new_events[-1].original_classification == given
    assert new_events[-1].classification is None
    assert new_events[-1].entity == document.value


def by_guid(house: House, guid: str, name: str, values: Any) -> dict[str, Any]:
    collection = house.collection
    return {
        "classifyEntity": lambda: collection.classify_entity(
            USER, guid, name, ASSIGNED, values
        ),
        "updateEntityClassification": lambda: collection.update_entity_classification(
            USER, guid, name, values
        ),
        "declassifyEntity": lambda: collection.declassify_entity(USER, guid, name),
    }


@pytest.mark.parametrize(
    "operation", ["classifyEntity", "updateEntityClassification", "declassifyEntity"]
)
async def test_classifying_needs_a_classification_and_an_entity(
    house: House, glossary: Glossary, operation: str
) -> None:
    unknown = by_guid(house, "nope", "Nope", BAD)[operation]()
    assert await refusal(unknown) == (
        "REPOSITORY-400-005", "InvalidParameterException", operation,
        ("Nope", "node"), "classificationName",
    )  # fmt: skip
    nobody = by_guid(house, "nope", "Confidentiality", None)[operation]()
    assert await refusal(nobody) == (
        "REPOSITORY-404-002", "EntityNotKnownException", "getEntitySummary",
        ("nope", "getEntitySummary", "node"), None,
    )  # fmt: skip
    await house.collection.delete_entity(USER, TERM, "GlossaryTerm", glossary.term)
    deleted = by_guid(house, glossary.term, "Confidentiality", None)[operation]()
    assert await refusal(deleted) == (
        "REPOSITORY-404-013", "EntityNotKnownException", "getEntitySummary",
        ("GlossaryTerm", glossary.term, "getEntitySummary", "node"), None,
    )  # fmt: skip


@pytest.mark.parametrize("operation", ["classifyEntity", "updateEntityClassification"])
async def test_properties_are_checked_before_the_entity(
    house: House, operation: str
) -> None:
    call = by_guid(house, "nope", "Confidentiality", BAD)[operation]()
    assert await refusal(call) == (
        "REPOSITORY-400-028", "PropertyErrorException", operation,
        ("nope", "ClassificationDef", "Confidentiality", "node"), None,
    )  # fmt: skip


@pytest.mark.parametrize(
    "operation", ["updateEntityClassification", "declassifyEntity"]
)
async def test_what_is_not_classified_stays_so(
    house: House, glossary: Glossary, operation: str
) -> None:
    call = by_guid(house, glossary.term, "Confidentiality", None)[operation]()
    assert await refusal(call) == (
        "REPOSITORY-400-048", "ClassificationErrorException", operation,
        (operation, "node", "Confidentiality", glossary.term), None,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["CanonicalVocabulary", "Glossary"])
async def test_not_every_type_classifies_a_term(
    house: House, glossary: Glossary, name: str
) -> None:
    assert await refusal(classify(house, glossary.term, name, None)) == (
        "REPOSITORY-400-006", "ClassificationErrorException", "classifyEntity",
        ("node", name, "GlossaryTerm"), None,
    )  # fmt: skip


# Entities of others


async def test_a_copy_is_classified_here(house: House) -> None:
    await house.collection.save_entity_reference_copy(USER, remote_entity())
    found = await classify(house, "remote-1")
    given = classification_of(found, "Confidentiality")
    assert given is not None
    assert given.metadata_collection_id == LOCAL.id
    assert house.collection.get_home_classifications(USER, "remote-1") == (given,)


async def test_a_proxy_is_classified_by_proxy(
    house: House, new_events: list[InstanceEvent]
) -> None:
    proxy = remote_proxy()
    given = await house.collection.classify_entity_by_proxy(
        USER, proxy, "Confidentiality", ASSIGNED, STEWARD
    )
    summary = house.collection.get_entity_summary(USER, "remote-1").value
    assert summary.classifications == (given,)
    [event] = new_events
    assert event.event_type is Event.CLASSIFIED_ENTITY_EVENT
    assert (event.entity, event.entity_proxy) == (None, proxy)
    assert event.type_def_guid == TERM
    updated = await house.collection.update_entity_classification_by_proxy(
        USER, proxy, "Confidentiality", OTHER
    )
    assert (updated.version, updated.properties) == (2, OTHER)
    removed = await house.collection.declassify_entity_by_proxy(
        USER, proxy, "Confidentiality"
    )
    assert removed == updated
    assert (
        house.collection.get_entity_summary(USER, "remote-1").value.classifications
        is None
    )
    assert [event.event_type for event in new_events[1:]] == [
        Event.RECLASSIFIED_ENTITY_EVENT,
        Event.DECLASSIFIED_ENTITY_EVENT,
    ]


async def test_the_proxy_form_reaches_an_entity_that_is_known(
    house: House, glossary: Glossary
) -> None:
    proxy = remote_proxy(glossary.term, metadata_collection_id=LOCAL.id)
    await house.collection.classify_entity_by_proxy(
        USER, proxy, "Confidentiality", ASSIGNED, None
    )
    found = entity(house, glossary.term)
    assert classification_of(found, "Confidentiality") is not None


async def test_the_guid_form_needs_more_than_a_proxy(house: House) -> None:
    await house.collection.add_entity_proxy(USER, remote_proxy())
    assert await refusal(classify(house, "remote-1")) == (
        "REPOSITORY-404-002", "EntityNotKnownException", "classifyEntity",
        ("remote-1", "classifyEntity", "node"), None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("proxy", "expected"),
    [
        (None, ("REPOSITORY-400-043", ("node", "entityProxy", "classifyEntity"))),
        (
            remote_proxy(metadata_collection_id=None),
            ("METADATA-COLLECTION-500-004", ("entityProxy", "classifyEntity", "node")),
        ),
        (
            remote_proxy(metadata_collection_id=LOCAL.id),
            (
                "REPOSITORY-404-002",
                ("remote-1", "classifyEntity (EntityProxy)", "node"),
            ),
        ),
    ],
)
async def test_the_proxy_form_is_refused(
    house: House, proxy: Any, expected: tuple[Any, ...]
) -> None:
    call = house.collection.classify_entity_by_proxy(
        USER, proxy, "Confidentiality", ASSIGNED, None
    )
    assert (await refusal(call))[::3] == expected


async def test_home_classifications_are_those_given_here(house: House) -> None:
    copy = remote_entity(classifications=(remote_classification("Retention"),))
    await house.collection.save_entity_reference_copy(USER, copy)
    await classify(house, "remote-1")
    house.clock.time += 10
    found = house.collection.get_home_classifications(USER, "remote-1")
    assert [classification.name for classification in found] == ["Confidentiality"]
    assert house.collection.get_home_classifications(USER, "remote-1", START - 1) == ()
    assert house.collection.get_home_classifications(USER, "nope") == ()
