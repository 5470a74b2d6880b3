"""Relationships of the local collection: their ends, their changes, their refusals."""

from typing import Any

import pytest

from edgenode.collection.base import ExternalSource
from edgenode.events.model import InstanceEvent
from edgenode.events.model import OMRSInstanceEventType as Event
from edgenode.instances.model import InstanceProvenanceType, Relationship
from edgenode.typedefs.model import TypeDefSummary
from edgenode.typedefs.status import InstanceStatus
from tests.model.house import (
    LOCAL,
    REMOTE,
    START,
    USER,
    House,
    properties,
    remote_proxy,
    remote_relationship,
    type_guid,
)
from tests.model.memory import MemoryRepository
from tests.unit.collection.conftest import Glossary
from tests.unit.collection.refusals import refusal, refusal_of

TERM = type_guid("GlossaryTerm")
TYPE = type_guid("TermCategorization")
NAME = "TermCategorization"
BAD = properties(nope="x")

MISSING = ("REPOSITORY-404-011", "RelationshipNotKnownException")
DELETED = ("REPOSITORY-404-012", "RelationshipNotKnownException")


def relationship(house: House, guid: str) -> Relationship:
    return house.collection.get_relationship(USER, guid).value


async def delete(house: House, guid: str) -> Relationship:
    document = await house.collection.delete_relationship(USER, TYPE, NAME, guid)
    return document.value


async def copied(house: House) -> str:
    """A relationship of another member."""
    await house.collection.save_relationship_reference_copy(
        USER, remote_relationship(remote_proxy("c"), remote_proxy("t"))
    )
    return "remote-r"


async def test_a_new_relationship_carries_proxies_of_its_ends(
    house: House, glossary: Glossary, memory: MemoryRepository
) -> None:
    found = relationship(house, glossary.placed)
    one, two = found.entity_one_proxy, found.entity_two_proxy
    assert one is not None
    assert two is not None
    assert (one.guid, two.guid) == (glossary.category, glossary.term)
    assert one.unique_properties == properties(qualifiedName="category")
    assert (found.version, found.status, found.create_time) == (
        1,
        InstanceStatus.ACTIVE,
        START,
    )
    assert memory.events[-1] == InstanceEvent(
        event_type=Event.NEW_RELATIONSHIP_EVENT,
        type_def_guid=TYPE,
        type_def_name=NAME,
        instance_guid=glossary.placed,
        relationship=found,
    )


async def test_an_external_relationship_belongs_to_its_source(
    house: House, glossary: Glossary
) -> None:
    document = await house.collection.add_relationship(
        USER,
        TYPE,
        None,
        glossary.category,
        glossary.term,
        None,
        ExternalSource("ext", "external"),
    )
    found = document.value
    assert found.instance_provenance_type is InstanceProvenanceType.EXTERNAL_SOURCE
    assert (found.metadata_collection_id, found.replicated_by) == ("ext", LOCAL.id)


async def test_an_end_may_be_known_by_a_proxy_only(
    house: House, glossary: Glossary
) -> None:
    house.known_collections.add(REMOTE.id)
    await house.collection.add_entity_proxy(USER, remote_proxy("far"))
    document = await house.collection.add_relationship(
        USER, TYPE, None, glossary.category, "far", None
    )
    assert document.value.entity_two_proxy == remote_proxy("far")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            {"type": None},
            ("REPOSITORY-400-022", "InvalidParameterException", "addRelationship",
             ("relationshipTypeGUID", "addRelationship", "node"),
             "relationshipTypeGUID"),
            id="no type",
        ),
        pytest.param(
            {"type": "x"},
            ("REPOSITORY-404-007", "TypeErrorException", "addRelationship",
             ("x", "relationshipTypeGUID", "addRelationship", "node"), None),
            id="unknown type",
        ),
        pytest.param(
            {"type": TERM},
            ("CONTENT-MANAGER-500-004", "TypeErrorException",
             "getSkeletonRelationship", ("node", "GlossaryTerm", "RelationshipDef"),
             None),
            id="entity type",
        ),
        pytest.param(
            {"one": None},
            ("REPOSITORY-400-014", "InvalidParameterException", "addRelationship",
             ("entityOneGUID", "addRelationship", "node"), "entityOneGUID"),
            id="no end",
        ),
        pytest.param(
            {"two": "x", "values": BAD, "status": InstanceStatus.DRAFT},
            ("REPOSITORY-400-028", "PropertyErrorException", "addRelationship",
             ("nope", "RelationshipDef", "TermCategorization", "node"), None),
            id="property, before status and ends",
        ),
        pytest.param(
            {"two": "x", "status": InstanceStatus.DRAFT},
            ("REPOSITORY-400-035", "StatusNotSupportedException", "addRelationship",
             ("Draft", "initialStatus", "addRelationship", "node",
              "TermCategorization"), None),
            id="status, before ends",
        ),
        pytest.param(
            {"two": "x"},
            ("REPOSITORY-404-002", "EntityNotKnownException", "getEntitySummary",
             ("x", "getEntitySummary", "node"), None),
            id="unknown end",
        ),
    ],
)  # fmt: skip
async def test_a_new_relationship_is_refused(
    house: House,
    glossary: Glossary,
    changes: dict[str, Any],
    expected: tuple[Any, ...],
) -> None:
    given: dict[str, Any] = {
        "type": TYPE,
        "values": None,
        "one": glossary.category,
        "two": glossary.term,
        "status": None,
    } | changes
    assert await refusal(house.collection.add_relationship(USER, *given.values())) == (
        expected
    )


async def test_the_ends_have_an_order(house: House, glossary: Glossary) -> None:
    call = house.collection.add_relationship(
        USER, TYPE, None, glossary.term, glossary.category, None
    )
    assert await refusal(call) == (
        "REPOSITORY-400-047", "InvalidParameterException", "addRelationship",
        ("addRelationship", "node", "TermCategorization", glossary.term,
         "GlossaryTerm", "GlossaryCategory", glossary.category, "GlossaryCategory",
         "GlossaryTerm"),
        "relationship.End",
    )  # fmt: skip


async def test_how_many_there_may_be_is_not_enforced(
    house: House, glossary: Glossary
) -> None:
    again = await house.collection.add_relationship(
        USER, TYPE, None, glossary.category, glossary.term, None
    )
    assert again.value.guid != glossary.placed
    assert relationship(house, glossary.placed).status is InstanceStatus.ACTIVE


async def test_the_ends_of_a_stored_state_are_as_they_were(
    house: House, glossary: Glossary
) -> None:
    house.clock.time += 10
    await house.collection.update_entity_properties(
        USER, glossary.term, properties(qualifiedName="renamed")
    )
    house.clock.time += 10
    then = house.collection.get_relationship(USER, glossary.placed, START).value
    assert then.entity_two_proxy is not None
    assert then.entity_two_proxy.unique_properties == properties(qualifiedName="term")
    now = relationship(house, glossary.placed).entity_two_proxy
    assert now is not None
    assert now.unique_properties == properties(qualifiedName="renamed")


async def test_an_update_replaces_all_properties_and_renews_the_ends(
    house: House, glossary: Glossary, new_events: list[InstanceEvent]
) -> None:
    await house.collection.update_entity_properties(USER, glossary.term, properties())
    original = relationship(house, glossary.placed)
    document = await house.collection.update_relationship_properties(
        "ann", glossary.placed, properties(description="new")
    )
    updated = document.value
    assert updated.properties == properties(description="new")
    assert (updated.version, updated.updated_by) == (2, "ann")
    assert updated.entity_two_proxy is not None
    assert updated.entity_two_proxy.version == 2
    event = new_events[-1]
    assert event.event_type is Event.UPDATED_RELATIONSHIP_EVENT
    assert (event.original_relationship, event.relationship) == (original, updated)


async def test_undo_brings_back_the_version_before(
    house: House, glossary: Glossary, new_events: list[InstanceEvent]
) -> None:
    update = house.collection.update_relationship_properties
    await update(USER, glossary.placed, properties(description="new"))
    document = await house.collection.undo_relationship_update(USER, glossary.placed)
    assert document is not None
    assert document.value.properties == properties(description="placed")
    assert document.value.version == 3
    assert new_events[-1].event_type is Event.UNDONE_RELATIONSHIP_EVENT


async def test_deleted_restored_purged(
    house: House, glossary: Glossary, new_events: list[InstanceEvent]
) -> None:
    guid = glossary.placed
    deleted = await delete(house, guid)
    assert (deleted.status, deleted.version) == (InstanceStatus.DELETED, 2)
    assert deleted.status_on_delete is InstanceStatus.ACTIVE
    known = house.collection.is_relationship_known(USER, guid)
    assert known is not None
    assert known.value == deleted
    get = house.collection.get_relationship
    assert refusal_of(lambda: get(USER, guid)) == (
        *DELETED, "getRelationship", (NAME, guid, "getRelationship", "node"), None,
    )  # fmt: skip
    restored = await house.collection.restore_relationship(USER, guid)
    assert (restored.value.status, restored.value.version) == (InstanceStatus.ACTIVE, 3)
    deleted = await delete(house, guid)
    await house.collection.purge_relationship(USER, TYPE, NAME, guid)
    assert house.collection.is_relationship_known(USER, guid) is None
    assert refusal_of(lambda: get(USER, guid))[:2] == MISSING
    assert [event.event_type for event in new_events] == [
        Event.DELETED_RELATIONSHIP_EVENT,
        Event.RESTORED_RELATIONSHIP_EVENT,
        Event.DELETED_RELATIONSHIP_EVENT,
        Event.PURGED_RELATIONSHIP_EVENT,
    ]
    assert new_events[-1].relationship == deleted


async def test_what_is_not_deleted_is_neither_restored_nor_purged(
    house: House, glossary: Glossary
) -> None:
    collection = house.collection
    for operation, call in (
        ("restoreRelationship", collection.restore_relationship(USER, glossary.placed)),
        ("purgeRelationship",
         collection.purge_relationship(USER, TYPE, NAME, glossary.placed)),
    ):  # fmt: skip
        assert await refusal(call) == (
            "REPOSITORY-400-046", "RelationshipNotDeletedException", operation,
            (operation, "node", glossary.placed), None,
        )  # fmt: skip


async def test_a_deleted_copy_is_neither_restored_nor_purged(house: House) -> None:
    collection = house.collection
    copy = remote_relationship(
        remote_proxy("c"),
        remote_proxy("t"),
        status=InstanceStatus.DELETED,
        status_on_delete=InstanceStatus.ACTIVE,
    )
    await collection.save_relationship_reference_copy(USER, copy)
    for operation, call in (
        ("restoreRelationship", collection.restore_relationship(USER, "remote-r")),
        ("purgeRelationship",
         collection.purge_relationship(USER, TYPE, NAME, "remote-r")),
    ):  # fmt: skip
        assert await refusal(call) == (
            "LOCAL-REPOSITORY-503-010", "InvalidParameterException", operation,
            ("node", "remote-r", operation), "relationshipGUID",
        )  # fmt: skip


async def test_another_guid(
    house: House, glossary: Glossary, new_events: list[InstanceEvent]
) -> None:
    document = await house.collection.re_identify_relationship(
        USER, TYPE, NAME, glossary.placed, "new-guid"
    )
    assert document.value.guid == "new-guid"
    assert document.value.re_identified_from_guid == glossary.placed
    get = house.collection.get_relationship
    assert refusal_of(lambda: get(USER, glossary.placed))[:2] == DELETED
    assert new_events[0].original_instance_guid == glossary.placed
    call = house.collection.re_identify_relationship(
        USER, TYPE, NAME, "new-guid", glossary.term
    )
    assert (await refusal(call))[3] == (
        glossary.term, "newRelationshipGUID", "reIdentifyRelationship", "node",
    )  # fmt: skip


async def test_another_type_must_join_the_same_ends(
    house: House, glossary: Glossary
) -> None:
    document = await house.collection.update_relationship_properties(
        USER, glossary.placed, properties()
    )
    assert document.value.properties is None
    anchor = TypeDefSummary(guid=type_guid("TermAnchor"), name="TermAnchor")
    call = house.collection.re_type_relationship(
        USER, glossary.placed, TypeDefSummary(guid=TYPE, name=NAME), anchor
    )
    found = await refusal(call)
    assert found[:3] == (
        "REPOSITORY-400-047", "InvalidParameterException", "reTypeRelationship",
    )  # fmt: skip
    assert found[3][2] == "TermAnchor"


async def test_the_same_type_again_is_a_new_state(
    house: House, glossary: Glossary, new_events: list[InstanceEvent]
) -> None:
    summary = TypeDefSummary(guid=TYPE, name=NAME)
    document = await house.collection.re_type_relationship(
        USER, glossary.placed, summary, summary
    )
    assert document.value.version == 2
    assert new_events[0].event_type is Event.RETYPED_RELATIONSHIP_EVENT


async def test_a_new_home_is_this_one(
    house: House, glossary: Glossary, new_events: list[InstanceEvent]
) -> None:
    def call(guid: str, new_home: str) -> Any:
        return house.collection.re_home_relationship(
            USER, guid, TYPE, NAME, REMOTE.id, new_home, "renamed"
        )

    document = await call(await copied(house), LOCAL.id)
    moved = document.value
    assert (moved.metadata_collection_id, moved.metadata_collection_name) == (
        LOCAL.id,
        "renamed",
    )
    assert new_events[0].event_type is Event.RE_HOMED_RELATIONSHIP_EVENT
    assert new_events[0].original_home_metadata_collection_id == REMOTE.id
    assert (await refusal(call("remote-r", LOCAL.id)))[0] == (
        "METADATA-COLLECTION-500-017"
    )
    assert (await refusal(call("remote-r", "x")))[0] == "LOCAL-REPOSITORY-400-002"


@pytest.mark.parametrize(
    "operation",
    [
        "updateRelationshipStatus",
        "updateRelationshipProperties",
        "undoRelationshipUpdate",
        "deleteRelationship",
        "reIdentifyRelationship",
        "reTypeRelationship",
    ],
)
@pytest.mark.parametrize("case", ["unknown", "deleted", "copy"])
async def test_only_its_home_changes_what_is_there(
    house: House, glossary: Glossary, operation: str, case: str
) -> None:
    placed = glossary.placed
    await delete(house, placed)
    copy = await copied(house)
    guid, expected = {
        "unknown": ("nope", (*MISSING, "getRelationship",
                             ("nope", "getRelationship", "node"), None)),
        "deleted": (placed, (*DELETED, "getRelationship",
                             (NAME, placed, "getRelationship", "node"), None)),
        "copy": (copy, ("LOCAL-REPOSITORY-503-010", "InvalidParameterException",
                        operation, ("node", copy, operation), "relationshipGUID")),
    }[case]  # fmt: skip
    collection = house.collection
    summary = TypeDefSummary(guid=TYPE, name=NAME)
    calls: dict[str, Any] = {
        "updateRelationshipStatus": lambda: collection.update_relationship_status(
            USER, guid, None
        ),
        "updateRelationshipProperties": lambda: (
            collection.update_relationship_properties(USER, guid, None)
        ),
        "undoRelationshipUpdate": lambda: collection.undo_relationship_update(
            USER, guid
        ),
        "deleteRelationship": lambda: collection.delete_relationship(
            USER, TERM, "GlossaryTerm", guid
        ),
        "reIdentifyRelationship": lambda: collection.re_identify_relationship(
            USER, TYPE, NAME, guid, "new"
        ),
        "reTypeRelationship": lambda: collection.re_type_relationship(
            USER, guid, summary, summary
        ),
    }
    assert await refusal(calls[operation]()) == expected
