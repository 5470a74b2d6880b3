"""Entities of the local collection: what changes, what is announced, what is refused."""

from typing import Any

import pytest

from edgenode.collection.base import ExternalSource
from edgenode.events.model import InstanceEvent
from edgenode.events.model import OMRSInstanceEventType as Event
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    InstanceProvenanceType,
    Relationship,
)
from edgenode.instances.properties import (
    EnumPropertyValue,
    InstanceProperties,
    MapPropertyValue,
    PrimitivePropertyValue,
)
from edgenode.limits import MAX_FRAME_TEXT_BYTES
from edgenode.typedefs.model import TypeDefSummary
from edgenode.typedefs.status import InstanceStatus
from tests.model.house import (
    LOCAL,
    REMOTE,
    START,
    USER,
    House,
    number,
    properties,
    remote_entity,
    remote_proxy,
    remote_relationship,
    type_guid,
)
from tests.model.memory import MemoryRepository
from tests.unit.collection.conftest import Glossary
from tests.unit.collection.refusals import refusal, refusal_of

TERM = type_guid("GlossaryTerm")
CATEGORY = type_guid("GlossaryCategory")
CATEGORIZATION = type_guid("TermCategorization")
SUBTYPE = type_guid("ControlledGlossaryTerm")

BAD = properties(nope="x")
MISSING = ("REPOSITORY-404-002", "EntityNotKnownException")
DELETED = ("REPOSITORY-404-013", "EntityNotKnownException")
NOT_OURS = ("LOCAL-REPOSITORY-503-009", "InvalidParameterException")


def named(*names: str) -> list[Classification]:
    return [Classification(name=name) for name in names]


async def delete(house: House, guid: str) -> EntityDetail:
    known = house.collection.get_entity_detail(USER, guid).value
    assert known.type is not None
    document = await house.collection.delete_entity(
        USER, known.type.type_def_guid, known.type.type_def_name, guid
    )
    return document.value


# Creating


async def test_a_new_entity_is_the_first_state_at_home_here(
    house: House, memory: MemoryRepository
) -> None:
    document = await house.collection.add_entity(
        USER, TERM, properties(qualifiedName="a"), None, None
    )
    entity = document.value
    assert entity.guid == "guid-0"
    assert (entity.version, entity.status) == (1, InstanceStatus.ACTIVE)
    assert (entity.created_by, entity.create_time) == (USER, START)
    assert (entity.updated_by, entity.maintained_by) == (None, None)
    assert entity.metadata_collection_id == LOCAL.id
    assert entity.instance_provenance_type is InstanceProvenanceType.LOCAL_COHORT
    assert house.collection.get_entity_detail(USER, "guid-0").json == document.json
    assert memory.events == [
        InstanceEvent(
            event_type=Event.NEW_ENTITY_EVENT,
            type_def_guid=TERM,
            type_def_name="GlossaryTerm",
            instance_guid="guid-0",
            entity=entity,
        )
    ]


async def test_what_is_mandatory_or_unique_is_not_enforced(
    house: House, glossary: Glossary
) -> None:
    twin = await house.collection.add_entity(
        USER, TERM, properties(qualifiedName="term"), None, None
    )
    bare = await house.collection.add_entity(USER, TERM, None, None, None)
    assert twin.value.guid != glossary.term
    assert bare.value.properties is None


async def test_the_time_that_properties_are_meant_for_is_kept(house: House) -> None:
    values = InstanceProperties(effective_from_time=0)
    document = await house.collection.add_entity(USER, TERM, values, None, None)
    guid = str(document.value.guid)
    assert house.collection.get_entity_detail(USER, guid).value.properties == values


async def test_initial_classifications_stay_as_sent_with_a_home(house: House) -> None:
    sent = Classification(name="Retention", metadata_collection_id="x", version=7)
    document = await house.collection.add_entity(
        USER, TERM, None, [Classification(name="Confidentiality"), sent], None
    )
    bare, foreign = document.value.classifications or ()
    assert (bare.version, bare.type, bare.status) == (0, None, None)
    assert bare.metadata_collection_id == LOCAL.id
    assert bare.instance_provenance_type is InstanceProvenanceType.LOCAL_COHORT
    assert (foreign.version, foreign.metadata_collection_id) == (7, "x")
    assert foreign.metadata_collection_name is None


async def test_the_date_of_an_initial_classification_does_not_date_the_entity(
    house: House,
) -> None:
    sent = Classification(name="Retention", create_time=START + 10**12)
    document = await house.collection.add_entity(USER, TERM, None, [sent], None)
    house.clock.time += 5
    updated = await house.collection.update_entity_properties(
        USER, str(document.value.guid), properties(qualifiedName="b")
    )
    assert updated.value.update_time == START + 5


async def test_an_external_entity_belongs_to_its_source(house: House) -> None:
    source = ExternalSource("source-id", "source")
    document = await house.collection.add_entity(USER, TERM, None, None, None, source)
    entity = document.value
    assert entity.metadata_collection_id == "source-id"
    assert entity.replicated_by == LOCAL.id
    assert entity.instance_provenance_type is InstanceProvenanceType.EXTERNAL_SOURCE
    updated = await house.collection.update_entity_properties(
        USER, str(entity.guid), properties(qualifiedName="b")
    )
    assert updated.value.version == 2


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(
            (None, None, None, None),
            ("REPOSITORY-400-022", "InvalidParameterException", "addEntity",
             ("entityTypeGUID", "addEntity", "node"), "entityTypeGUID"),
            id="no type",
        ),
        pytest.param(
            ("x", None, None, InstanceStatus.DELETED),
            ("REPOSITORY-404-007", "TypeErrorException", "addEntity",
             ("x", "entityTypeGUID", "addEntity", "node"), None),
            id="unknown type comes first",
        ),
        pytest.param(
            (TERM, BAD, named("Nope"), InstanceStatus.DRAFT),
            ("REPOSITORY-400-005", "InvalidParameterException", "addEntity",
             ("Nope", "node"), "initialClassifications"),
            id="classifications come before properties",
        ),
        pytest.param(
            (TERM, None, [Classification()], None),
            ("REPOSITORY-400-026", "InvalidParameterException", "addEntity",
             ("initialClassifications", "addEntity", "node"),
             "initialClassifications"),
            id="nameless classification",
        ),
        pytest.param(
            (TERM, None, named("CanonicalVocabulary"), None),
            ("REPOSITORY-400-006", "ClassificationErrorException", "addEntity",
             ("node", "CanonicalVocabulary", "GlossaryTerm"), None),
            id="classification of another type",
        ),
        pytest.param(
            (TERM, None, [Classification(name="Confidentiality", properties=BAD)], None),
            ("REPOSITORY-400-028", "PropertyErrorException", "addEntity",
             ("nope", "ClassificationDef", "Confidentiality", "node"), None),
            id="property of a classification",
        ),
        pytest.param(
            (TERM, BAD, None, InstanceStatus.DRAFT),
            ("REPOSITORY-400-028", "PropertyErrorException", "addEntity",
             ("nope", "EntityDef", "GlossaryTerm", "node"), None),
            id="unknown property, before the status",
        ),
        pytest.param(
            (TERM, properties(qualifiedName=number(3)), None, None),
            ("REPOSITORY-400-030", "PropertyErrorException", "addEntity",
             ("qualifiedName", "int", "EntityDef", "GlossaryTerm", "string", "node"),
             None),
            id="another primitive type",
        ),
        pytest.param(
            (TERM, None, None, InstanceStatus.DRAFT),
            ("REPOSITORY-400-035", "StatusNotSupportedException", "addEntity",
             ("Draft", "initialStatus", "addEntity", "node", "GlossaryTerm"), None),
            id="status that the type lacks",
        ),
        pytest.param(
            (CATEGORIZATION, None, None, InstanceStatus.DELETED),
            ("REPOSITORY-400-058", "StatusNotSupportedException", "addEntity",
             ("Deleted", "initialStatus", "addEntity", "node"), None),
            id="status DELETED, before the category",
        ),
        pytest.param(
            (CATEGORIZATION, None, None, None),
            ("CONTENT-MANAGER-500-004", "TypeErrorException", "getSkeletonEntity",
             ("node", "TermCategorization", "EntityDef"), None),
            id="relationship type",
        ),
    ],
)  # fmt: skip
async def test_a_new_entity_is_refused(
    house: House,
    memory: MemoryRepository,
    arguments: tuple[Any, ...],
    expected: tuple[Any, ...],
) -> None:
    assert await refusal(house.collection.add_entity(USER, *arguments)) == expected
    assert memory.events == []


async def test_an_external_entity_needs_its_source(house: House) -> None:
    call = house.collection.add_entity(
        USER, TERM, None, None, None, ExternalSource(None, None)
    )
    assert await refusal(call) == (
        "REPOSITORY-400-014", "InvalidParameterException", "addExternalEntity",
        ("entityTypeGUID", "addExternalEntity", "node"), "entityTypeGUID",
    )  # fmt: skip


@pytest.mark.parametrize("user", [None, "", " "])
async def test_nobody_is_refused(house: House, user: Any) -> None:
    call = house.collection.add_entity(user, TERM, None, None, None)
    assert await refusal(call) == (
        "REPOSITORY-400-027", "InvalidParameterException", "addEntity",
        ("userId", "addEntity", "node"), "userId",
    )  # fmt: skip


# Updating


async def test_an_update_replaces_all_properties(
    house: House, glossary: Glossary, new_events: list[InstanceEvent]
) -> None:
    house.clock.time += 50
    original = house.collection.get_entity_detail(USER, glossary.term).value
    document = await house.collection.update_entity_properties(
        "ann", glossary.term, properties(displayName="new")
    )
    updated = document.value
    assert updated.properties == properties(displayName="new")
    assert (updated.version, updated.updated_by) == (2, "ann")
    assert (updated.update_time, updated.maintained_by) == (START + 50, ("ann",))
    assert new_events == [
        InstanceEvent(
            event_type=Event.UPDATED_ENTITY_EVENT,
            type_def_guid=TERM,
            type_def_name="GlossaryTerm",
            instance_guid=glossary.term,
            original_entity=original,
            entity=updated,
        )
    ]


async def test_an_update_to_the_same_properties_is_a_new_version(
    house: House, glossary: Glossary, new_events: list[InstanceEvent]
) -> None:
    known = house.collection.get_entity_detail(USER, glossary.term).value
    document = await house.collection.update_entity_properties(
        USER, glossary.term, known.properties
    )
    assert document.value.version == known.version + 1
    assert document.value.properties == known.properties
    assert len(new_events) == 1


@pytest.mark.parametrize("step", [0, -10_000])
async def test_a_later_state_has_a_later_time_whatever_the_clock_says(
    house: House, glossary: Glossary, step: int
) -> None:
    times = [house.collection.get_entity_detail(USER, glossary.term).value.create_time]
    for _ in range(3):
        house.clock.time += step
        document = await house.collection.update_entity_properties(
            USER, glossary.term, properties(qualifiedName="a")
        )
        times.append(document.value.update_time)
    assert times == [START, START + 1, START + 2, START + 3]


async def test_a_user_who_updates_twice_is_named_once(
    house: House, glossary: Glossary
) -> None:
    for user in ("ann", "bob", "ann"):
        await house.collection.update_entity_status(
            user, glossary.term, InstanceStatus.ACTIVE
        )
    entity = house.collection.get_entity_detail(USER, glossary.term).value
    assert (entity.maintained_by, entity.version) == (("ann", "bob"), 4)


async def test_undo_brings_back_the_version_before_and_again(
    house: House, glossary: Glossary, new_events: list[InstanceEvent]
) -> None:
    one = properties(qualifiedName="term")
    two = properties(qualifiedName="two")
    await house.collection.update_entity_properties(USER, glossary.term, two)
    found = []
    for _ in range(3):
        document = await house.collection.undo_entity_update("ann", glossary.term)
        assert document is not None
        found.append((document.value.version, document.value.properties))
    assert found == [(3, one), (4, two), (5, one)]
    assert [event.event_type for event in new_events[1:]] == [
        Event.UNDONE_ENTITY_EVENT
    ] * 3


async def test_there_is_nothing_to_undo_of_a_new_entity(
    house: House, glossary: Glossary, new_events: list[InstanceEvent]
) -> None:
    assert await house.collection.undo_entity_update(USER, glossary.term) is None
    assert new_events == []


async def test_undo_never_brings_back_a_deletion(
    house: House, glossary: Glossary
) -> None:
    await delete(house, glossary.term)
    await house.collection.restore_entity(USER, glossary.term)
    call = house.collection.undo_entity_update(USER, glossary.term)
    assert await refusal(call) == (
        *DELETED, "undoEntityUpdate",
        ("GlossaryTerm", glossary.term, "undoEntityUpdate", "node"), None,
    )  # fmt: skip


# Deleting


async def test_deleting_hides_an_entity_and_its_relationships(
    house: House, glossary: Glossary, new_events: list[InstanceEvent]
) -> None:
    deleted = await delete(house, glossary.term)
    assert (deleted.status, deleted.version) == (InstanceStatus.DELETED, 2)
    assert deleted.status_on_delete is InstanceStatus.ACTIVE
    known = house.collection.is_entity_known(USER, glossary.term)
    assert known is not None
    assert known.value == deleted
    placed = house.collection.is_relationship_known(USER, glossary.placed)
    assert placed is not None
    assert placed.value.status is InstanceStatus.DELETED
    assert placed.value.version == 2
    assert [event.event_type for event in new_events] == [Event.DELETED_ENTITY_EVENT]
    get = house.collection.get_entity_detail
    assert refusal_of(lambda: get(USER, glossary.term)) == (
        *DELETED, "getEntityDetail",
        ("GlossaryTerm", glossary.term, "getEntityDetail", "node"), None,
    )  # fmt: skip


async def test_deleting_forgets_copies_of_relationships(
    house: House, glossary: Glossary
) -> None:
    await house.collection.save_entity_reference_copy(USER, remote_entity("t2"))
    ends = [
        house.collection.get_relationship(USER, glossary.placed).value.entity_one_proxy,
        remote_proxy("t2"),
    ]
    assert ends[0] is not None
    assert ends[1] is not None
    await house.collection.save_relationship_reference_copy(
        USER, remote_relationship(ends[0], ends[1])
    )
    await delete(house, glossary.category)
    assert house.collection.is_relationship_known(USER, "remote-r") is None


async def test_a_restored_entity_is_as_before_without_its_relationships(
    house: House, glossary: Glossary, new_events: list[InstanceEvent]
) -> None:
    await delete(house, glossary.term)
    document = await house.collection.restore_entity("ann", glossary.term)
    restored = document.value
    assert (restored.status, restored.status_on_delete) == (InstanceStatus.ACTIVE, None)
    assert restored.version == 3
    assert restored.maintained_by == (USER, "ann")
    assert restored.properties == properties(qualifiedName="term")
    placed = house.collection.is_relationship_known(USER, glossary.placed)
    assert placed is not None
    assert placed.value.status is InstanceStatus.DELETED
    assert new_events[-1].event_type is Event.RESTORED_ENTITY_EVENT


async def test_purging_removes_an_entity_for_good(
    house: House, glossary: Glossary, new_events: list[InstanceEvent]
) -> None:
    deleted = await delete(house, glossary.term)
    await house.collection.purge_entity(USER, TERM, "GlossaryTerm", glossary.term)
    assert house.collection.is_entity_known(USER, glossary.term) is None
    assert house.collection.is_relationship_known(USER, glossary.placed) is None
    assert new_events[-1].event_type is Event.PURGED_ENTITY_EVENT
    assert new_events[-1].entity == deleted


async def test_the_supertype_may_be_named(house: House, glossary: Glossary) -> None:
    referenceable = type_guid("Referenceable")
    document = await house.collection.delete_entity(
        USER, referenceable, "Referenceable", glossary.term
    )
    assert document.value.status is InstanceStatus.DELETED


@pytest.mark.parametrize(
    ("guid", "name", "fault"),
    [
        (CATEGORY, "GlossaryCategory", "type"),
        (CATEGORIZATION, "TermCategorization", "type"),
        (SUBTYPE, "ControlledGlossaryTerm", "type"),
        ("x", "GlossaryTerm", "typeDefGUID"),
        (TERM, "Glossary", "typeDefGUID"),
        (TERM, "Nope", "typeDefName"),
    ],
)
async def test_deleting_needs_the_right_type(
    house: House, glossary: Glossary, guid: str, name: str, fault: str
) -> None:
    call = house.collection.delete_entity(USER, guid, name, glossary.term)
    assert await refusal(call) == (
        "REPOSITORY-400-039", "InvalidParameterException", "deleteEntity",
        (name, guid, "deleteEntity", glossary.term, "node"), fault,
    )  # fmt: skip


async def test_what_is_not_deleted_is_neither_restored_nor_purged(
    house: House, glossary: Glossary
) -> None:
    collection = house.collection
    for operation, call in (
        ("restoreEntity", collection.restore_entity(USER, glossary.term)),
        ("purgeEntity",
         collection.purge_entity(USER, TERM, "GlossaryTerm", glossary.term)),
    ):  # fmt: skip
        assert await refusal(call) == (
            "REPOSITORY-400-046", "EntityNotDeletedException", operation,
            (operation, "node", glossary.term), None,
        )  # fmt: skip


async def test_a_deleted_copy_is_neither_restored_nor_purged(house: House) -> None:
    collection = house.collection
    copy = remote_entity(
        status=InstanceStatus.DELETED, status_on_delete=InstanceStatus.ACTIVE
    )
    await collection.save_entity_reference_copy(USER, copy)
    for operation, call in (
        ("restoreEntity", collection.restore_entity(USER, "remote-1")),
        ("purgeEntity",
         collection.purge_entity(USER, TERM, "GlossaryTerm", "remote-1")),
    ):  # fmt: skip
        assert await refusal(call) == (
            *NOT_OURS, operation, ("node", "remote-1", operation), "entityGUID",
        )  # fmt: skip


async def test_what_replicates_an_external_source_goes_through_its_whole_life(
    house: House,
) -> None:
    collection, source = house.collection, ExternalSource("source-id", "source")
    document = await collection.add_entity(USER, TERM, None, None, None, source)
    guid = str(document.value.guid)
    await collection.update_entity_properties(USER, guid, properties(summary="a"))
    await collection.undo_entity_update(USER, guid)
    await delete(house, guid)
    restored = (await collection.restore_entity(USER, guid)).value
    assert (restored.version, restored.metadata_collection_id) == (5, "source-id")
    assert restored.instance_provenance_type is InstanceProvenanceType.EXTERNAL_SOURCE
    await delete(house, guid)
    await collection.purge_entity(USER, TERM, "GlossaryTerm", guid)
    assert collection.is_entity_known(USER, guid) is None


# Moving


async def test_another_guid_takes_the_relationships_along(
    house: House, glossary: Glossary, new_events: list[InstanceEvent]
) -> None:
    document = await house.collection.re_identify_entity(
        "ann", TERM, "GlossaryTerm", glossary.term, "new-guid"
    )
    moved = document.value
    assert (moved.guid, moved.version) == ("new-guid", 2)
    assert moved.re_identified_from_guid == glossary.term
    old = house.collection.is_entity_known(USER, glossary.term)
    assert old is not None
    assert (old.value.status, old.value.version) == (InstanceStatus.DELETED, 2)
    placed = house.collection.get_relationship(USER, glossary.placed).value
    assert placed.entity_two_proxy is not None
    assert placed.entity_two_proxy.guid == "new-guid"
    assert (placed.version, placed.status) == (1, InstanceStatus.ACTIVE)
    assert [event.event_type for event in new_events] == [
        Event.RE_IDENTIFIED_ENTITY_EVENT
    ]
    assert new_events[0].instance_guid == "new-guid"
    assert new_events[0].original_instance_guid == glossary.term


@pytest.mark.parametrize("taken", ["other_term", "placed"])
async def test_a_guid_in_use_is_not_given_again(
    house: House, glossary: Glossary, taken: str
) -> None:
    guid = getattr(glossary, taken)
    call = house.collection.re_identify_entity(
        USER, TERM, "GlossaryTerm", glossary.term, guid
    )
    assert (await refusal(call))[3] == (
        guid,
        "newEntityGUID",
        "reIdentifyEntity",
        "node",
    )


async def test_no_guid_is_given_that_nodes_could_not_tell_each_other(
    house: House, glossary: Glossary
) -> None:
    long = "x" * (MAX_FRAME_TEXT_BYTES + 1)
    call = house.collection.re_identify_entity(
        USER, TERM, "GlossaryTerm", glossary.term, long
    )
    assert (await refusal(call))[3] == ("newEntityGUID", "reIdentifyEntity", "node")
    relationship = house.collection.re_identify_relationship(
        USER, CATEGORIZATION, "TermCategorization", glossary.placed, long
    )
    operation = "reIdentifyRelationship"
    assert (await refusal(relationship))[3] == (
        "newRelationshipGUID",
        operation,
        "node",
    )


async def test_another_type_keeps_the_properties(
    house: House, glossary: Glossary, new_events: list[InstanceEvent]
) -> None:
    document = await house.collection.re_type_entity(
        USER,
        glossary.term,
        TypeDefSummary(guid=TERM, name="GlossaryTerm"),
        TypeDefSummary(guid=SUBTYPE, name="ControlledGlossaryTerm"),
    )
    moved = document.value
    assert moved.type is not None
    assert moved.type.type_def_name == "ControlledGlossaryTerm"
    assert moved.properties == properties(qualifiedName="term")
    assert moved.version == 2
    [event] = new_events
    assert event.event_type is Event.RETYPED_ENTITY_EVENT
    assert event.type_def_guid == SUBTYPE
    assert event.original_type_def_summary is not None
    assert event.original_type_def_summary.guid == TERM
    assert event.original_type_def_summary.status is None


@pytest.mark.parametrize(
    ("current", "new", "expected"),
    [
        pytest.param(
            None, (SUBTYPE, "ControlledGlossaryTerm"),
            ("REPOSITORY-400-019", "InvalidParameterException", "reTypeEntity",
             ("currentTypeDefSummary", "reTypeEntity", "node"),
             "currentTypeDefSummary"),
            id="no current type",
        ),
        pytest.param(
            (TERM, "GlossaryTerm"), (SUBTYPE, "GlossaryTerm"),
            ("REPOSITORY-404-004", "TypeErrorException", "reTypeEntity",
             ("GlossaryTerm", SUBTYPE, "newTypeDefSummary", "reTypeEntity", "node"),
             None),
            id="names that don't belong together",
        ),
        pytest.param(
            (TERM, "GlossaryTerm"), (CATEGORIZATION, "TermCategorization"),
            ("CONTENT-MANAGER-500-004", "TypeErrorException", "reTypeEntity",
             ("node", "TermCategorization", "EntityDef"), None),
            id="relationship type",
        ),
        pytest.param(
            (TERM, "GlossaryTerm"),
            (type_guid("OpenMetadataRoot"), "OpenMetadataRoot"),
            ("REPOSITORY-400-028", "PropertyErrorException", "reTypeEntity",
             ("qualifiedName", "EntityDef", "OpenMetadataRoot", "node"), None),
            id="properties that the type lacks",
        ),
    ],
)  # fmt: skip
async def test_another_type_is_refused(
    house: House,
    glossary: Glossary,
    current: tuple[str, str] | None,
    new: tuple[str, str],
    expected: tuple[Any, ...],
) -> None:
    def summary(names: tuple[str, str] | None) -> TypeDefSummary | None:
        return names and TypeDefSummary(guid=names[0], name=names[1])

    call = house.collection.re_type_entity(
        USER, glossary.term, summary(current), summary(new)
    )
    assert await refusal(call) == expected


async def test_a_new_home_is_this_one(
    house: House, glossary: Glossary, new_events: list[InstanceEvent]
) -> None:
    await house.collection.save_entity_reference_copy(USER, remote_entity())
    document = await house.collection.re_home_entity(
        USER, "remote-1", TERM, "GlossaryTerm", REMOTE.id, LOCAL.id, None
    )
    moved = document.value
    assert (moved.metadata_collection_id, moved.metadata_collection_name) == (
        LOCAL.id,
        LOCAL.name,
    )
    assert moved.instance_provenance_type is InstanceProvenanceType.LOCAL_COHORT
    assert moved.version == 4
    [event] = new_events
    assert event.event_type is Event.RE_HOMED_ENTITY_EVENT
    assert event.original_home_metadata_collection_id == REMOTE.id


async def test_a_home_needs_more_than_a_proxy(house: House) -> None:
    await house.collection.add_entity_proxy(USER, remote_proxy())
    call = house.collection.re_home_entity(
        USER, "remote-1", TERM, "GlossaryTerm", REMOTE.id, LOCAL.id, None
    )
    assert (await refusal(call))[:2] == (
        "REPOSITORY-400-051", "EntityProxyOnlyException",
    )  # fmt: skip


async def test_an_entity_at_home_here_gets_no_other_home(
    house: House, glossary: Glossary
) -> None:
    def call(new_home: str) -> Any:
        return house.collection.re_home_entity(
            USER, glossary.term, TERM, "GlossaryTerm", LOCAL.id, new_home, None
        )

    assert await refusal(call(REMOTE.id)) == (
        "LOCAL-REPOSITORY-400-002", "InvalidParameterException", "reHomeEntity",
        (glossary.term, "GlossaryTerm", TERM, REMOTE.id, LOCAL.id),
        "newHomeMetadataCollectionId",
    )  # fmt: skip
    assert await refusal(call(LOCAL.id)) == (
        "METADATA-COLLECTION-500-016", "InvalidParameterException", "reHomeEntity",
        (LOCAL.id, "reHomeEntity", glossary.term, LOCAL.id, "node"), "instance",
    )  # fmt: skip


# What all changes refuse


def changes(house: House, guid: str) -> dict[str, Any]:
    """A change of each kind that only the home may make, by operation."""
    collection = house.collection
    summary = TypeDefSummary(guid=TERM, name="GlossaryTerm")
    return {
        "updateEntityStatus": collection.update_entity_status(
            USER, guid, InstanceStatus.DELETED
        ),
        "updateEntityProperties": collection.update_entity_properties(USER, guid, None),
        "undoEntityUpdate": collection.undo_entity_update(USER, guid),
        "deleteEntity": collection.delete_entity(
            USER, CATEGORY, "GlossaryCategory", guid
        ),
        "reIdentifyEntity": collection.re_identify_entity(
            USER, TERM, "GlossaryTerm", guid, "new"
        ),
        "reTypeEntity": collection.re_type_entity(USER, guid, summary, summary),
    }


@pytest.mark.parametrize(
    "operation",
    [
        "updateEntityStatus",
        "updateEntityProperties",
        "undoEntityUpdate",
        "deleteEntity",
        "reIdentifyEntity",
        "reTypeEntity",
    ],
)
@pytest.mark.parametrize("case", ["unknown", "deleted", "copy", "proxy"])
async def test_only_its_home_changes_what_is_there(
    house: House, glossary: Glossary, operation: str, case: str
) -> None:
    guid, expected = {
        "unknown": ("nope", (*MISSING, "getEntityDetail",
                             ("nope", "getEntityDetail", "node"), None)),
        "deleted": (glossary.term, (*DELETED, "getEntityDetail",
                                    ("GlossaryTerm", glossary.term,
                                     "getEntityDetail", "node"), None)),
        "copy": ("remote-1", (*NOT_OURS, operation,
                              ("node", "remote-1", operation), "entityGUID")),
        "proxy": ("remote-2", ("LOCAL-REPOSITORY-503-007",
                               "InvalidParameterException", operation,
                               ("node", "remote-2", operation), "entityGUID")),
    }[case]  # fmt: skip
    await delete(house, glossary.term)
    await house.collection.save_entity_reference_copy(USER, remote_entity("remote-1"))
    await house.collection.add_entity_proxy(USER, remote_proxy("remote-2"))
    calls = changes(house, guid)
    call = calls.pop(operation)
    for unused in calls.values():
        unused.close()
    assert await refusal(call) == expected


@pytest.mark.parametrize(
    "provenance",
    [
        InstanceProvenanceType.CONTENT_PACK,
        InstanceProvenanceType.EXPORT_ARCHIVE,
        InstanceProvenanceType.CONFIGURATION,
        InstanceProvenanceType.UNKNOWN,
        InstanceProvenanceType.EXTERNAL_SOURCE,
    ],
)
async def test_no_other_provenance_can_be_updated(
    house: House, provenance: InstanceProvenanceType
) -> None:
    copy = remote_entity(instance_provenance_type=provenance, replicated_by="another")
    await house.collection.save_entity_reference_copy(USER, copy)
    call = house.collection.update_entity_status(
        USER, "remote-1", InstanceStatus.ACTIVE
    )
    assert (await refusal(call))[:2] == NOT_OURS


@pytest.mark.parametrize(
    ("given", "kind", "attribute", "wanted"),
    [
        (EnumPropertyValue(), "Enum", "qualifiedName", "Primitive"),
        (MapPropertyValue(), "Map", "qualifiedName", "Primitive"),
        (PrimitivePropertyValue(), "Primitive", "additionalProperties", "Collection"),
    ],
)
async def test_an_update_is_validated(
    house: House, glossary: Glossary, given: Any, kind: str, attribute: str, wanted: str
) -> None:
    call = house.collection.update_entity_properties(
        USER, glossary.term, properties(**{attribute: given})
    )
    assert await refusal(call) == (
        "REPOSITORY-400-030", "PropertyErrorException", "updateEntityProperties",
        (attribute, kind, "EntityDef", "GlossaryTerm", wanted, "node"), None,
    )  # fmt: skip


async def test_an_update_needs_values(house: House, glossary: Glossary) -> None:
    null: Any = None
    no_value = InstanceProperties(instance_properties={"qualifiedName": null})
    update = house.collection.update_entity_properties
    assert (await refusal(update(USER, glossary.term, None)))[::3] == (
        "REPOSITORY-400-037", ("properties", "updateEntityProperties", "node"),
    )  # fmt: skip
    assert (await refusal(update(USER, glossary.term, no_value)))[::3] == (
        "REPOSITORY-400-032", ("properties", "updateEntityProperties", "node"),
    )  # fmt: skip


async def test_an_update_needs_a_status_of_the_type(
    house: House, glossary: Glossary
) -> None:
    update = house.collection.update_entity_status
    assert (await refusal(update(USER, glossary.term, InstanceStatus.DRAFT)))[::3] == (
        "REPOSITORY-400-035",
        ("Draft", "newStatus", "updateEntityStatus", "node", "GlossaryTerm"),
    )
    assert (await refusal(update(USER, glossary.term, InstanceStatus.DELETED)))[
        ::3
    ] == (
        "REPOSITORY-400-058",
        ("Deleted", "newStatus", "updateEntityStatus", "node"),
    )
    assert (await refusal(update(USER, glossary.term, None)))[0] == "REPOSITORY-400-036"


# Proxies


async def test_a_proxy_is_known_without_being_an_entity(
    house: House, new_events: list[InstanceEvent]
) -> None:
    await house.collection.add_entity_proxy(USER, remote_proxy())
    assert house.collection.is_entity_known(USER, "remote-1") is None
    assert (
        house.collection.get_entity_summary(USER, "remote-1").value.guid == "remote-1"
    )
    assert new_events == []
    get = house.collection.get_entity_detail
    assert refusal_of(lambda: get(USER, "remote-1")) == (
        "REPOSITORY-400-051", "EntityProxyOnlyException", "getEntityDetail",
        ("remote-1", "node", "guid", "getEntityDetail"), None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("proxy", "expected"),
    [
        (None, ("REPOSITORY-400-043", ("node", "entityProxy", "addEntityProxy"))),
        (
            remote_proxy(metadata_collection_id=LOCAL.id),
            ("REPOSITORY-400-044", ("node", "entityProxy", "addEntityProxy")),
        ),
        (
            remote_proxy(metadata_collection_id=None),
            ("METADATA-COLLECTION-500-004", ("entityProxy", "addEntityProxy", "node")),
        ),
        (
            remote_proxy(header_version=2),
            (
                "REPOSITORY-400-066",
                ("addEntityProxy", "EntityProxy", "node", "remote-1", "GlossaryTerm",
                 "2", "1"),
            ),
        ),
    ],
)  # fmt: skip
async def test_a_proxy_is_refused(
    house: House, proxy: Any, expected: tuple[Any, ...]
) -> None:
    call = house.collection.add_entity_proxy(USER, proxy)
    assert (await refusal(call))[::3] == expected


async def test_a_relationship_shows_its_ends_as_they_are_now(
    house: House, glossary: Glossary
) -> None:
    house.clock.time += 10
    before = house.clock.time
    house.clock.time += 10
    await house.collection.update_entity_properties(
        USER, glossary.term, properties(qualifiedName="renamed")
    )

    def name(relationship: Relationship) -> Any:
        proxy = relationship.entity_two_proxy
        assert proxy is not None
        return proxy.unique_properties

    get = house.collection.get_relationship
    assert name(get(USER, glossary.placed).value) == properties(qualifiedName="renamed")
    then = get(USER, glossary.placed, before).value
    assert name(then) == properties(qualifiedName="term")
