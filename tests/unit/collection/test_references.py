"""Copies of other members' instances: kept, replaced, never put over what is ours."""

from dataclasses import replace
from typing import Any

import pytest

from edgenode.collection.base import ClassificationSource
from edgenode.events.model import InstanceEvent
from edgenode.events.model import OMRSInstanceEventType as Event
from edgenode.instances.lifecycle import MAX_VERSION, classification_of
from edgenode.instances.model import (
    ClassificationEntityExtension,
    EntityDetail,
    InstanceProvenanceType,
    InstanceType,
)
from edgenode.instances.provenance import Home
from edgenode.limits import MAX_FRAME_TEXT_BYTES
from edgenode.typedefs.status import InstanceStatus
from tests.model.house import (
    LOCAL,
    REMOTE,
    START,
    USER,
    House,
    instance_type,
    number,
    properties,
    remote_classification,
    remote_entity,
    remote_proxy,
    remote_relationship,
    type_guid,
)
from tests.unit.collection.conftest import Glossary
from tests.unit.collection.refusals import refusal, refusal_of

TERM = type_guid("GlossaryTerm")
TYPE = type_guid("TermCategorization")


def stored(house: House, guid: str = "remote-1") -> EntityDetail:
    """The entity as it is, with the provenance as its home wrote it."""
    house.known_collections |= {REMOTE.id, "third-id"}
    known = house.collection.is_entity_known(USER, guid)
    assert known is not None
    return known.value


async def save(house: House, entity: EntityDetail) -> None:
    await house.collection.save_entity_reference_copy(USER, entity)


@pytest.mark.parametrize("name", ["guid", "metadata_collection_id", "replicated_by"])
async def test_no_copy_is_kept_that_nodes_could_not_tell_each_other(
    house: House, name: str
) -> None:
    changes: dict[str, Any] = {name: "x" * (MAX_FRAME_TEXT_BYTES + 1)}
    copy = replace(remote_entity(), **changes)
    assert (await refusal(save(house, copy)))[1] == "InvalidParameterException"
    assert house.collection.is_entity_known(USER, str(copy.guid)) is None


async def test_a_copy_is_kept_as_it_comes(
    house: House, new_events: list[InstanceEvent]
) -> None:
    copy = remote_entity(mapping_properties={"a": [1, "b"]})
    await save(house, copy)
    assert stored(house) == copy
    assert new_events == []


async def test_a_copy_is_in_force_since_its_home_wrote_it(house: House) -> None:
    await save(house, remote_entity(update_time=START - 1_000))
    get = house.collection.get_entity_detail
    assert get(USER, "remote-1", START - 1_000).value.guid == "remote-1"
    assert refusal_of(lambda: get(USER, "remote-1", START - 1_001))[0] == (
        "REPOSITORY-400-051"
    )


async def test_a_copy_from_a_clock_ahead_is_in_force_now(house: House) -> None:
    await save(house, remote_entity(update_time=START + 60_000))
    found = house.collection.get_entity_detail(USER, "remote-1", START)
    assert found.value.guid == "remote-1"


async def test_changes_made_here_are_not_dated_by_a_clock_ahead_elsewhere(
    house: House,
) -> None:
    await save(house, remote_entity(update_time=START + 60_000))
    house.clock.time += 1
    await house.collection.classify_entity(
        USER, "remote-1", "Retention", ClassificationSource(), None
    )
    house.clock.time += 1
    await save(house, remote_entity(version=4, update_time=START + 61_000))
    found = house.collection.get_entity_detail(USER, "remote-1", house.clock.time)
    assert found.value.version == 4
    given = classification_of(found.value, "Retention")
    assert given is not None
    assert given.create_time == START + 1


@pytest.mark.parametrize(("version", "kept"), [(2, False), (3, True), (4, True)])
async def test_the_higher_version_wins(house: House, version: int, kept: bool) -> None:
    await save(house, remote_entity(version=3))
    newer = remote_entity(version=version, properties=properties(displayName="other"))
    await save(house, newer)
    assert (stored(house) == newer) is kept


async def test_a_copy_keeps_the_classifications_given_here(house: House) -> None:
    await save(house, remote_entity(classifications=(remote_classification(),)))
    await house.collection.classify_entity(
        USER, "remote-1", "Retention", ClassificationSource(), None
    )
    await save(house, remote_entity(version=4))
    given = stored(house).classifications or ()
    assert [classification.name for classification in given] == ["Retention"]


async def test_a_full_copy_takes_the_place_of_a_proxy(house: House) -> None:
    await house.collection.classify_entity_by_proxy(
        USER, remote_proxy(version=9), "Retention", ClassificationSource(), None
    )
    await save(house, remote_entity(version=1))
    found = stored(house)
    assert found.version == 1
    assert classification_of(found, "Retention") is not None


@pytest.mark.parametrize(
    "conflicting",
    [
        remote_entity(version=4, create_time=START),
        remote_entity(version=4, home=Home("third-id", "third")),
        remote_entity(
            version=4, type=replace(instance_type("GlossaryTerm"), type_def_version=1)
        ),
    ],
    ids=["create time", "home", "type version"],
)
async def test_two_instances_with_one_guid_conflict(
    house: House, conflicting: EntityDetail
) -> None:
    await save(house, remote_entity(version=3))
    assert (await refusal(save(house, conflicting)))[1] == "EntityConflictException"
    assert stored(house).version == 3


async def test_what_is_ours_is_never_replaced(house: House, glossary: Glossary) -> None:
    ours = house.collection.get_entity_detail(USER, glossary.term).value
    expected = (
        "REPOSITORY-400-063", "HomeEntityException", "saveEntityReferenceCopy",
        ("saveEntityReferenceCopy", glossary.term, LOCAL.id, "node"), None,
    )  # fmt: skip
    for copy in (
        replace(ours, version=9),
        replace(ours, version=9, metadata_collection_id=REMOTE.id),
    ):
        assert await refusal(save(house, copy)) == expected
    claimed = remote_entity("new", metadata_collection_id=LOCAL.id)
    assert (await refusal(save(house, claimed)))[1] == "HomeEntityException"
    assert stored(house, glossary.term) == ours


@pytest.mark.parametrize(
    ("copy", "expected"),
    [
        (None, ("REPOSITORY-400-041", ("node", "saveEntityReferenceCopy", "entity"))),
        (
            remote_entity(metadata_collection_id=None),
            ("METADATA-COLLECTION-500-004",
             ("entity", "saveEntityReferenceCopy", "node")),
        ),
        (
            remote_entity(type=None),
            ("METADATA-COLLECTION-500-013", ("validateInstanceType", "node")),
        ),
        (
            remote_entity(type=InstanceType(type_def_guid=TERM, type_def_name="Glossary")),
            ("METADATA-COLLECTION-500-014",
             ("validateInstanceType", "node", "remote-1", "Glossary", TERM)),
        ),
        (
            replace(remote_entity(), guid=None),
            ("REPOSITORY-400-014", ("entity", "saveEntityReferenceCopy", "node")),
        ),
    ],
)  # fmt: skip
async def test_a_copy_says_what_it_is(
    house: House, copy: Any, expected: tuple[Any, ...]
) -> None:
    assert (await refusal(save(house, copy)))[::3] == expected


async def test_a_deleted_copy_can_be_seen_as_deleted(
    house: House, glossary: Glossary
) -> None:
    await save(house, remote_entity(version=3))
    await house.collection.add_relationship(
        USER, TYPE, None, glossary.category, "remote-1", None
    )
    await house.collection.delete_entity_reference_copy(USER, remote_entity(version=4))
    found = stored(house)
    assert (found.status, found.version) == (InstanceStatus.DELETED, 4)
    assert found.status_on_delete is InstanceStatus.ACTIVE
    ours = house.collection.is_relationship_known(USER, "guid-4")
    assert ours is not None
    assert ours.value.status is InstanceStatus.DELETED


async def test_an_older_deletion_is_ignored(house: House) -> None:
    await save(house, remote_entity(version=3))
    await house.collection.delete_entity_reference_copy(USER, remote_entity(version=2))
    assert stored(house).status is InstanceStatus.ACTIVE


async def test_what_was_never_here_can_be_deleted_and_purged(house: House) -> None:
    await house.collection.delete_entity_reference_copy(USER, remote_entity())
    await house.collection.purge_entity_reference_copy(USER, remote_entity())
    assert house.collection.is_entity_known(USER, "remote-1") is None


@pytest.mark.parametrize("form", ["bean", "guid"])
async def test_a_purged_copy_is_gone(house: House, form: str) -> None:
    await save(house, remote_entity())
    if form == "bean":
        await house.collection.purge_entity_reference_copy(USER, remote_entity())
    else:
        await house.collection.purge_entity_reference_copy_by_guid(
            USER, "remote-1", TERM, "GlossaryTerm", REMOTE.id
        )
    assert house.collection.is_entity_known(USER, "remote-1") is None


async def test_ours_is_not_purged_or_deleted_as_a_copy(
    house: House, glossary: Glossary
) -> None:
    ours = house.collection.get_entity_detail(USER, glossary.term).value
    collection = house.collection
    for call in (
        collection.purge_entity_reference_copy(USER, ours),
        collection.delete_entity_reference_copy(USER, ours),
        collection.purge_entity_reference_copy_by_guid(
            USER, glossary.term, TERM, "GlossaryTerm", REMOTE.id
        ),
    ):
        assert (await refusal(call))[1] == "HomeEntityException"
    assert stored(house, glossary.term) == ours


async def test_what_moved_here_is_no_copy_of_its_former_home_any_more(
    house: House, glossary: Glossary
) -> None:
    ours = house.collection.get_entity_detail(USER, glossary.term).value
    placed = house.collection.get_relationship(USER, glossary.placed).value
    await house.collection.purge_entity_reference_copy(
        USER, replace(ours, metadata_collection_id=REMOTE.id, version=1)
    )
    await house.collection.purge_relationship_reference_copy(
        USER, replace(placed, metadata_collection_id=REMOTE.id, version=1)
    )
    assert stored(house, glossary.term) == ours
    assert house.collection.get_relationship(USER, glossary.placed).value == placed


async def test_a_purge_by_guid_needs_something_to_purge(house: House) -> None:
    def call(type_guid: Any, guid: str) -> Any:
        return house.collection.purge_entity_reference_copy_by_guid(
            USER, guid, type_guid, "GlossaryTerm", REMOTE.id
        )

    assert (await refusal(call(None, "x")))[::3] == (
        "REPOSITORY-400-007", ("typeDefName", "purgeEntityReferenceCopy", "node"),
    )  # fmt: skip
    assert (await refusal(call(TERM, "x")))[::3] == (
        "REPOSITORY-404-002", ("x", "purgeEntityReferenceCopy", "node"),
    )  # fmt: skip


async def test_a_refresh_asks_the_home(
    house: House, new_events: list[InstanceEvent]
) -> None:
    await house.collection.refresh_entity_reference_copy(
        USER, "anything", TERM, "GlossaryTerm", REMOTE.id
    )
    assert new_events == [
        InstanceEvent(
            event_type=Event.REFRESH_ENTITY_REQUEST,
            type_def_guid=TERM,
            type_def_name="GlossaryTerm",
            instance_guid="anything",
            home_metadata_collection_id=REMOTE.id,
        )
    ]


async def test_ours_needs_no_refresh(
    house: House, glossary: Glossary, new_events: list[InstanceEvent]
) -> None:
    call = house.collection.refresh_entity_reference_copy(
        USER, glossary.term, TERM, "GlossaryTerm", REMOTE.id
    )
    assert (await refusal(call))[::3] == (
        "REPOSITORY-400-063",
        ("refreshEntityReferenceCopy", glossary.term, LOCAL.id, "node"),
    )
    assert new_events == []


# Provenance as readers see it


@pytest.mark.parametrize(
    ("provenance", "seen"),
    [
        (
            InstanceProvenanceType.LOCAL_COHORT,
            InstanceProvenanceType.DEREGISTERED_REPOSITORY,
        ),
        (InstanceProvenanceType.CONTENT_PACK, InstanceProvenanceType.CONTENT_PACK),
        (
            InstanceProvenanceType.EXTERNAL_SOURCE,
            InstanceProvenanceType.EXTERNAL_SOURCE,
        ),
        (None, None),
    ],
)
async def test_only_a_cohort_members_home_is_deregistered(
    house: House, provenance: Any, seen: Any
) -> None:
    classified = (remote_classification(instance_provenance_type=provenance),)
    await save(
        house,
        remote_entity(instance_provenance_type=provenance, classifications=classified),
    )
    found = house.collection.get_entity_detail(USER, "remote-1").value
    summary = house.collection.get_entity_summary(USER, "remote-1").value
    for entity in (found, summary):
        assert entity.instance_provenance_type is seen
        assert entity.classifications is not None
        assert entity.classifications[0].instance_provenance_type is seen


async def test_registering_a_member_shows_its_instances_as_they_are(
    house: House,
) -> None:
    await save(house, remote_entity())
    house.known_collections.add(REMOTE.id)
    found = house.collection.get_entity_detail(USER, "remote-1").value
    assert found == remote_entity()


async def test_each_home_in_an_instance_is_seen_as_it_is(house: House) -> None:
    house.known_collections.add(REMOTE.id)
    given = [
        remote_classification(metadata_collection_id="third-id"),
        remote_classification("Retention"),
    ]
    # The name of a provenance, but nobody's.
    named = properties(qualifiedName="LOCAL_COHORT")
    for guid, values in (("remote-1", None), ("remote-2", named)):
        copy = remote_entity(guid, classifications=tuple(given), properties=values)
        await save(house, copy)
        found = house.collection.get_entity_detail(USER, guid).value
        unknown = replace(
            given[0],
            instance_provenance_type=InstanceProvenanceType.DEREGISTERED_REPOSITORY,
        )
        assert found == replace(copy, classifications=(unknown, given[1]))


async def test_copies_from_members_are_told_in_the_text_that_is_stored(
    house: House,
) -> None:
    house.known_collections.add(REMOTE.id)
    await save(house, remote_entity(classifications=(remote_classification(),)))
    once, again = (
        house.collection.get_entity_detail(USER, "remote-1").json for _ in range(2)
    )
    assert once is again, "nobody had to write it anew"


# Classifications


async def test_a_copy_of_a_classification_joins_our_entity(
    house: House, glossary: Glossary, new_events: list[InstanceEvent]
) -> None:
    ours = house.collection.get_entity_detail(USER, glossary.term).value
    given = remote_classification()
    await house.collection.save_classification_reference_copy(USER, ours, given)
    found = stored(house, glossary.term)
    assert found == replace(ours, classifications=(given,))
    assert new_events == []
    await house.collection.purge_classification_reference_copy(USER, ours, given)
    assert stored(house, glossary.term) == ours


async def test_a_copy_of_a_classification_brings_its_entity(house: House) -> None:
    given = remote_classification()
    await house.collection.save_classification_reference_copy(
        USER, remote_entity(), given
    )
    assert stored(house) == remote_entity(classifications=(given,))
    await house.collection.save_classification_reference_copy(
        USER, remote_proxy("only-a-proxy"), given
    )
    summary = house.collection.get_entity_summary(USER, "only-a-proxy").value
    assert summary.classifications == (given,)


async def test_a_classification_of_the_highest_version_can_be_changed_and_read(
    house: House, glossary: Glossary
) -> None:
    ours = house.collection.get_entity_detail(USER, glossary.term).value
    given = remote_classification(version=MAX_VERSION)
    await house.collection.save_classification_reference_copy(USER, ours, given)
    await house.collection.update_entity_classification(
        USER, glossary.term, str(given.name), properties(level=number(1))
    )
    changed = classification_of(stored(house, glossary.term), str(given.name))
    assert changed is not None
    assert changed.version == MAX_VERSION


async def test_an_older_classification_is_ignored(house: House) -> None:
    save_classification = house.collection.save_classification_reference_copy
    for version in (5, 4):
        await save_classification(
            USER, remote_proxy(), remote_classification(version=version)
        )
    house.known_collections.add(REMOTE.id)
    found = house.collection.get_entity_summary(USER, "remote-1").value.classifications
    assert found == (remote_classification(version=5),)


async def test_a_classification_given_here_is_ours(
    house: House, glossary: Glossary
) -> None:
    await house.collection.classify_entity(
        USER, glossary.term, "Confidentiality", ClassificationSource(), None
    )
    ours = house.collection.get_entity_detail(USER, glossary.term).value
    collection = house.collection
    for call in (
        collection.save_classification_reference_copy(
            USER, ours, remote_classification(version=9)
        ),
        collection.purge_classification_reference_copy(
            USER, ours, remote_classification()
        ),
    ):
        assert (await refusal(call))[1] == "HomeEntityException"


# Relationships


async def test_a_copy_of_a_relationship_brings_proxies_of_its_ends(
    house: House, new_events: list[InstanceEvent]
) -> None:
    copy = remote_relationship(remote_proxy("c"), remote_proxy("t"))
    await house.collection.save_relationship_reference_copy(USER, copy)
    house.known_collections.add(REMOTE.id)
    assert house.collection.get_relationship(USER, "remote-r").value == copy
    assert house.collection.get_entity_summary(USER, "c").value.guid == "c"
    assert new_events == []


async def test_a_copy_of_a_relationship_follows_the_same_rules(house: House) -> None:
    one, two = remote_proxy("c"), remote_proxy("t")
    save_relationship = house.collection.save_relationship_reference_copy
    await save_relationship(USER, remote_relationship(one, two, version=3))
    await save_relationship(USER, remote_relationship(one, two, version=2))
    found = house.collection.get_relationship(USER, "remote-r").value
    assert found.version == 3
    conflicting = remote_relationship(one, two, version=4, create_time=START)
    assert (await refusal(save_relationship(USER, conflicting)))[1] == (
        "RelationshipConflictException"
    )
    await house.collection.delete_relationship_reference_copy(
        USER, remote_relationship(one, two, version=4)
    )
    known = house.collection.is_relationship_known(USER, "remote-r")
    assert known is not None
    assert known.value.status is InstanceStatus.DELETED
    await house.collection.purge_relationship_reference_copy_by_guid(
        USER, "remote-r", TYPE, "TermCategorization", REMOTE.id
    )
    assert house.collection.is_relationship_known(USER, "remote-r") is None
    await house.collection.purge_relationship_reference_copy(USER, known.value)


async def test_our_relationships_are_no_copies(
    house: House, glossary: Glossary, new_events: list[InstanceEvent]
) -> None:
    ours = house.collection.get_relationship(USER, glossary.placed).value
    collection = house.collection
    for call in (
        collection.save_relationship_reference_copy(USER, replace(ours, version=9)),
        collection.delete_relationship_reference_copy(USER, ours),
        collection.purge_relationship_reference_copy(USER, ours),
        collection.refresh_relationship_reference_copy(
            USER, glossary.placed, TYPE, "TermCategorization", REMOTE.id
        ),
    ):
        assert (await refusal(call))[1] == "HomeRelationshipException"
    assert new_events == []
    await collection.refresh_relationship_reference_copy(
        USER, "another", TYPE, "TermCategorization", REMOTE.id
    )
    assert new_events[0].event_type is Event.REFRESH_RELATIONSHIP_REQUEST
    assert new_events[0].instance_guid == "another"


async def test_ours_is_purged_like_a_copy_once_it_is_deleted(
    house: House, glossary: Glossary, new_events: list[InstanceEvent]
) -> None:
    def purge() -> Any:
        return house.collection.purge_relationship_reference_copy_by_guid(
            USER, glossary.placed, TYPE, "TermCategorization", LOCAL.id
        )

    assert (await refusal(purge()))[1] == "HomeRelationshipException"
    await house.collection.delete_relationship(
        USER, TYPE, "TermCategorization", glossary.placed
    )
    await purge()
    assert house.collection.is_relationship_known(USER, glossary.placed) is None
    assert new_events[-1].event_type is Event.PURGED_RELATIONSHIP_EVENT


async def test_a_copy_of_a_relationship_names_its_ends(house: House) -> None:
    copy = replace(
        remote_relationship(remote_proxy("c"), remote_proxy("t")), entity_two_proxy=None
    )
    call = house.collection.save_relationship_reference_copy(USER, copy)
    assert (await refusal(call))[::3] == (
        "REPOSITORY-400-043",
        ("node", "entityTwoProxy", "saveRelationshipReferenceCopy"),
    )


# Many at once


async def test_a_graph_is_kept_all_or_not_at_all(
    house: House, glossary: Glossary
) -> None:
    ours = house.collection.get_entity_detail(USER, glossary.term).value
    save_all = house.collection.save_instance_reference_copies
    found = await refusal(save_all(USER, [remote_entity(), ours], None))
    assert found[:3] == (
        "REPOSITORY-400-073", "InvalidEntityException", "saveInstanceReferenceCopies",
    )  # fmt: skip
    assert found[3][0].endswith(".HomeEntityException")
    assert house.collection.is_entity_known(USER, "remote-1") is None
    half = replace(
        remote_relationship(remote_proxy("c"), remote_proxy("t")), entity_one_proxy=None
    )
    found = await refusal(save_all(USER, [remote_entity()], [half]))
    assert found[1] == "InvalidRelationshipException"
    whole = remote_relationship(remote_proxy("c"), remote_proxy("remote-1"))
    await save_all(USER, [remote_entity()], [whole])
    assert stored(house) == remote_entity()
    assert house.collection.is_relationship_known(USER, "remote-r") is not None


async def test_an_archive_is_taken_in_once(
    house: House, new_events: list[InstanceEvent]
) -> None:
    house.known_collections.add(REMOTE.id)
    packed = remote_entity(
        instance_provenance_type=InstanceProvenanceType.CONTENT_PACK,
        metadata_collection_id="pack",
        replicated_by=LOCAL.id,
    )
    placed = remote_relationship(remote_proxy("c"), remote_proxy("remote-1"))
    extension = ClassificationEntityExtension(
        classification=remote_classification("Retention"),
        entity_to_classify=remote_proxy(),
    )
    outcomes = [
        await house.collection.save_archive_instances(
            USER, [packed], [placed], [extension]
        )
        for _ in range(2)
    ]
    assert [(outcome.saved, outcome.unchanged) for outcome in outcomes] == [
        (3, 0),
        (0, 3),
    ]
    found = stored(house)
    assert found == replace(
        packed, classifications=(remote_classification("Retention"),)
    )
    # The others belong to another member, which tells of them.
    assert [event.event_type for event in new_events] == [Event.NEW_ENTITY_EVENT]


async def test_an_archive_brings_back_what_is_ours_and_missing(
    house: House, glossary: Glossary
) -> None:
    ours = house.collection.get_entity_detail(USER, glossary.term).value
    update = house.collection.update_entity_properties
    await update(USER, glossary.term, properties(qualifiedName="newer"))
    lost = remote_entity("lost", home=LOCAL)
    outcome = await house.collection.save_archive_instances(
        USER, [ours, lost, replace(ours, version=9, metadata_collection_id=REMOTE.id)]
    )
    assert (outcome.saved, outcome.unchanged) == (1, 1)
    [(position, refused)] = outcome.refused
    assert (position, refused.exception_class_name) == (2, "HomeEntityException")
    assert stored(house, "lost") == lost
    assert stored(house, glossary.term).version == 2
