"""Each event of another member: what it changes here, and who may send it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgenode.collection.base import ClassificationSource
from edgenode.collection.received import Outcome, Received
from edgenode.events import outbound
from edgenode.events.exchange import (
    ExchangeRule,
    ExchangeRules,
    OpenMetadataExchangeRule,
)
from edgenode.events.model import EventError, InstanceEvent, OMRSEventErrorCode
from edgenode.events.model import OMRSInstanceEventType as Event
from edgenode.events.streams import Position, Step
from edgenode.instances import lifecycle
from edgenode.instances.lifecycle import Edit, classification_of
from edgenode.instances.model import (
    EntityDetail,
    EntityProxy,
    InstanceGraph,
    InstanceProvenanceType,
    Relationship,
)
from edgenode.instances.provenance import Home, external_provenance
from edgenode.typedefs.status import InstanceStatus
from tests.model.house import (
    REMOTE,
    START,
    USER,
    instance_type,
    properties,
    remote_classification,
    remote_entity,
    remote_proxy,
    remote_relationship,
    type_guid,
)
from tests.unit.collection.members import THIRD, Member, cohort

ARCHIVE = Home("archive-id", "pack")
TERM = "GlossaryTerm"
LATER = Edit("remote user", START + 10)
RELATIONSHIP = remote_relationship(
    remote_proxy("category", type=instance_type("GlossaryCategory")),
    remote_proxy("term"),
)


def entity(member: Member, guid: str = "remote-1") -> EntityDetail:
    stored = member.repository.entity(guid)
    assert stored is not None
    assert isinstance(stored.document.value, EntityDetail)
    return stored.document.value


def relationship(member: Member, guid: str = "remote-r") -> Relationship:
    stored = member.repository.relationship(guid)
    assert stored is not None
    return stored.document.value


def holds(member: Member, guid: str = "remote-1") -> bool:
    repository = member.repository
    return bool(repository.entity(guid) or repository.relationship(guid))


async def own_term(member: Member) -> EntityDetail:
    made = await member.collection.add_entity(
        USER, type_guid(TERM), properties(qualifiedName="ours"), None, None
    )
    return made.value


def of_type(event: InstanceEvent, event_type: Event) -> InstanceEvent:
    return replace(event, event_type=event_type)


def error_of(received: Received) -> EventError:
    assert received.outcome is Outcome.REFUSED
    assert received.report is not None
    section = received.report.section
    assert isinstance(section, InstanceEvent)
    assert section.event_type is Event.INSTANCE_ERROR_EVENT
    assert section.type_def_name is not None
    return received.report.error


# Places

STEP = Step("life", 4, 5)


@pytest.mark.parametrize(
    ("position", "outcome"),
    [
        (None, Outcome.GAP),
        (Position("other life", 4), Outcome.GAP),
        (Position("life", 3), Outcome.GAP),
        (Position("life", 4), Outcome.SAVED),
        (Position("life", 5), Outcome.DUPLICATE),
        (Position("life", 9), Outcome.DUPLICATE),
    ],
)
async def test_an_event_is_applied_at_its_place_only(
    here: Member, position: Position | None, outcome: Outcome
) -> None:
    if position is not None:
        at = position
        await here.repository.change(lambda tx: tx.move_to(REMOTE.id, at))
    received = await here.hear(REMOTE.id, outbound.created(remote_entity()), STEP)
    assert received.outcome is outcome
    assert holds(here) is (outcome is Outcome.SAVED)
    moved = Position("life", 5) if outcome is Outcome.SAVED else position
    assert here.position(REMOTE.id) == moved


@pytest.mark.parametrize(
    "event",
    [
        outbound.created(remote_entity(home=THIRD)),
        InstanceEvent(event_type=Event.NEW_ENTITY_EVENT),
        outbound.created(remote_entity("")),
    ],
    ids=["refused", "not wanted", "without a guid"],
)
async def test_what_is_not_applied_is_passed_over(
    here: Member, event: InstanceEvent
) -> None:
    await here.repository.change(lambda tx: tx.move_to(REMOTE.id, Position("life", 4)))
    await here.hear(REMOTE.id, event, STEP)
    assert here.position(REMOTE.id) == Position("life", 5)


async def test_an_event_of_an_unknown_type_can_come_again(here: Member) -> None:
    await here.repository.change(lambda tx: tx.move_to(REMOTE.id, Position("life", 4)))
    strange = replace(instance_type(TERM), type_def_name="Strange", type_def_guid="x")
    event = outbound.created(remote_entity(type=strange))
    received = await here.hear(REMOTE.id, event, STEP)
    assert received.outcome is Outcome.UNKNOWN_TYPE
    assert received.unknown_types == ("Strange",)
    assert here.position(REMOTE.id) == Position("life", 4)
    received = await here.hear(REMOTE.id, event, STEP, last_try=True)
    assert received.outcome is Outcome.REFUSED
    assert here.position(REMOTE.id) == Position("life", 5)


# States

ENTITY_STATES = [
    Event.NEW_ENTITY_EVENT,
    Event.UPDATED_ENTITY_EVENT,
    Event.UNDONE_ENTITY_EVENT,
    Event.RESTORED_ENTITY_EVENT,
    Event.RETYPED_ENTITY_EVENT,
    Event.RE_HOMED_ENTITY_EVENT,
    Event.REFRESHED_ENTITY_EVENT,
    Event.DELETED_ENTITY_EVENT,
    Event.RE_IDENTIFIED_ENTITY_EVENT,
]
RELATIONSHIP_STATES = [
    Event[each.name.replace("ENTITY", "RELATIONSHIP")] for each in ENTITY_STATES
]


@pytest.mark.parametrize("event_type", ENTITY_STATES)
async def test_each_state_of_an_entity_is_kept_once(
    here: Member, event_type: Event
) -> None:
    for version, outcome, kept in (
        (3, Outcome.SAVED, 3),
        (2, Outcome.IGNORED, 3),
        (3, Outcome.IGNORED, 3),
        (4, Outcome.SAVED, 4),
    ):
        told = remote_entity(version=version)
        event = of_type(outbound.created(told), event_type)
        assert (await here.hear(REMOTE.id, event)).outcome is outcome
        assert entity(here) == remote_entity(version=kept)
    assert await here.told() == []


@pytest.mark.parametrize("event_type", RELATIONSHIP_STATES)
async def test_each_state_of_a_relationship_is_kept_once(
    here: Member, event_type: Event
) -> None:
    for version, outcome in (
        (3, Outcome.SAVED),
        (2, Outcome.IGNORED),
        (3, Outcome.IGNORED),
        (4, Outcome.SAVED),
    ):
        told = replace(RELATIONSHIP, version=version)
        event = of_type(outbound.created(told), event_type)
        assert (await here.hear(REMOTE.id, event)).outcome is outcome
    assert relationship(here).version == 4
    stored = here.repository.entity("term")
    assert stored is not None
    assert stored.is_proxy
    assert await here.told() == []


async def test_what_is_not_kept_is_not_wanted(here: Member) -> None:
    nothing = ExchangeRule(OpenMetadataExchangeRule.JUST_TYPEDEFS)
    here.rules = ExchangeRules(save=nothing)
    received = await here.hear(REMOTE.id, outbound.created(remote_entity()))
    assert received.outcome is Outcome.NOT_WANTED
    classified = outbound.classified(remote_entity(), remote_classification())
    assert (await here.hear(REMOTE.id, classified)).outcome is Outcome.NOT_WANTED
    here.rules = ExchangeRules(process=nothing)
    received = await here.hear(REMOTE.id, outbound.created(remote_entity()))
    assert received.outcome is Outcome.NOT_WANTED
    assert not holds(here)


async def test_a_copy_that_is_no_longer_wanted_is_deleted_all_the_same(
    here: Member,
) -> None:
    await here.hear(REMOTE.id, outbound.created(remote_entity()))
    here.rules = ExchangeRules(
        save=ExchangeRule(OpenMetadataExchangeRule.JUST_TYPEDEFS)
    )
    gone = lifecycle.deleted(remote_entity(), LATER)
    await here.hear(REMOTE.id, outbound.deleted(gone))
    assert entity(here).status is InstanceStatus.DELETED


# Who may tell what


@pytest.mark.parametrize(
    "told",
    [
        remote_entity(home=THIRD),
        remote_entity(
            instance_provenance_type=InstanceProvenanceType.EXTERNAL_SOURCE,
            replicated_by=THIRD.id,
        ),
        remote_entity(
            home=THIRD, instance_provenance_type=InstanceProvenanceType.CONTENT_PACK
        ),
        remote_entity(
            home=THIRD,
            replicated_by=REMOTE.id,
        ),
    ],
    ids=["another member's", "another's replica", "a pack of a member", "replicated"],
)
async def test_nobody_tells_what_others_answer_for(
    here: Member, told: EntityDetail
) -> None:
    received = await here.hear(REMOTE.id, outbound.created(told))
    assert received.outcome is Outcome.REFUSED
    assert not holds(here)


@pytest.mark.parametrize(
    "told",
    [
        remote_entity(
            home=ARCHIVE, instance_provenance_type=InstanceProvenanceType.CONTENT_PACK
        ),
        remote_entity(home=Home("gone-id", "gone"), replicated_by=REMOTE.id),
        remote_entity(
            home=Home("source-id", "source"),
            instance_provenance_type=InstanceProvenanceType.EXTERNAL_SOURCE,
            replicated_by=REMOTE.id,
        ),
    ],
    ids=["content pack", "export", "external source"],
)
async def test_members_tell_what_they_loaded_or_replicate(
    here: Member, told: EntityDetail
) -> None:
    received = await here.hear(REMOTE.id, outbound.created(told))
    assert received.outcome is Outcome.SAVED
    assert entity(here) == told


@pytest.mark.parametrize("event_type", ENTITY_STATES)
async def test_what_is_at_home_here_stays_as_it_is(
    here: Member, event_type: Event
) -> None:
    ours = await own_term(here)
    told = replace(ours, version=99)
    event = of_type(outbound.created(told), event_type)
    error = error_of(await here.hear(REMOTE.id, event))
    assert error.error_code is OMRSEventErrorCode.CONFLICTING_INSTANCES
    assert error.target_metadata_collection_id == REMOTE.id
    assert error.target_instance_guid == error.other_instance_guid == ours.guid
    assert error.other_metadata_collection_id == here.id
    assert entity(here, str(ours.guid)) == ours


async def test_another_member_with_the_guid_of_ours_is_told(here: Member) -> None:
    ours = await own_term(here)
    told = remote_entity(str(ours.guid), version=99, create_time=ours.create_time)
    error = error_of(await here.hear(REMOTE.id, outbound.updated(told, told)))
    assert error.target_metadata_collection_id == REMOTE.id
    assert entity(here, str(ours.guid)) == ours


async def test_a_new_home_takes_an_instance_over_from_here(here: Member) -> None:
    ours = await own_term(here)
    moved = replace(
        ours,
        version=2,
        metadata_collection_id=REMOTE.id,
        metadata_collection_name=REMOTE.name,
    )
    event = outbound.re_homed(moved, here.id)
    assert (await here.hear(THIRD.id, event)).outcome is Outcome.REFUSED
    assert (await here.hear(REMOTE.id, event)).outcome is Outcome.SAVED
    assert entity(here, str(ours.guid)) == moved


async def test_nobody_takes_over_for_an_archive(here: Member) -> None:
    ours = await own_term(here)
    moved = replace(
        ours,
        version=2,
        metadata_collection_id=ARCHIVE.id,
        instance_provenance_type=InstanceProvenanceType.CONTENT_PACK,
    )
    received = await here.hear(REMOTE.id, outbound.re_homed(moved, here.id))
    assert received.outcome is Outcome.REFUSED
    assert entity(here, str(ours.guid)) == ours


@pytest.mark.parametrize(
    ("changes", "origin", "code"),
    [
        (
            {"home": THIRD, "create_time": START},
            THIRD,
            OMRSEventErrorCode.CONFLICTING_INSTANCES,
        ),
        (
            {"home": THIRD, "created_by": "somebody"},
            THIRD,
            OMRSEventErrorCode.CONFLICTING_INSTANCES,
        ),
        (
            {"type": replace(instance_type(TERM), type_def_version=1)},
            REMOTE,
            OMRSEventErrorCode.CONFLICTING_TYPE,
        ),
    ],
    ids=["create time", "home", "type version"],
)
async def test_contradictions_are_reported(
    here: Member, changes: Any, origin: Home, code: OMRSEventErrorCode
) -> None:
    await here.hear(REMOTE.id, outbound.created(remote_entity()))
    told = remote_entity(version=4, **changes)
    received = await here.hear(origin.id, outbound.updated(told, told))
    error = error_of(received)
    assert received.code is error.error_code is code
    assert error.target_metadata_collection_id == origin.id
    assert error.target_type_def_summary is not None
    assert error.other_origin is InstanceProvenanceType.LOCAL_COHORT
    assert entity(here) == remote_entity()


@pytest.mark.parametrize(
    "event",
    [
        outbound.created(remote_entity(metadata_collection_id=None)),
        outbound.created(remote_entity(type=instance_type("TermCategorization"))),
        outbound.created(remote_entity(create_time=None)),
        of_type(outbound.created(remote_entity()), Event.NEW_RELATIONSHIP_EVENT),
        outbound.created(replace(RELATIONSHIP, entity_two_proxy=None)),
        outbound.created(replace(RELATIONSHIP, entity_two_proxy=remote_proxy(""))),
        outbound.created(
            replace(RELATIONSHIP, entity_two_proxy=remote_proxy(type=None))
        ),
        outbound.created(
            replace(RELATIONSHIP, entity_two_proxy=remote_proxy("remote-r"))
        ),
    ],
    ids=[
        "no home", "category", "no time", "no payload", "one end", "no guid", "no type", "itself"
    ],
)  # fmt: skip
async def test_broken_events_are_refused(here: Member, event: InstanceEvent) -> None:
    received = await here.hear(REMOTE.id, event)
    assert received.outcome is Outcome.REFUSED
    assert received.code is OMRSEventErrorCode.INVALID_INSTANCE_EVENT
    assert received.reason
    assert await here.holdings() == {}


async def test_a_guid_is_of_one_kind(here: Member) -> None:
    await here.hear(REMOTE.id, outbound.created(remote_entity()))
    told = replace(RELATIONSHIP, guid="remote-1")
    error_of(await here.hear(REMOTE.id, outbound.created(told)))
    await here.hear(REMOTE.id, outbound.created(RELATIONSHIP))
    error_of(await here.hear(REMOTE.id, outbound.created(remote_entity("remote-r"))))
    with_it = replace(
        RELATIONSHIP, guid="r2", entity_two_proxy=remote_proxy("remote-r")
    )
    received = await here.hear(REMOTE.id, outbound.created(with_it))
    assert received.outcome is Outcome.REFUSED


# What goes with an entity


async def test_relationships_of_a_deleted_entity_follow_as_at_its_home(
    tmp_path: Path,
) -> None:
    async with cohort(tmp_path, "a", "b") as (home, other):
        one, two = await own_term(home), await own_term(home)
        made = await home.collection.add_relationship(
            USER, type_guid("RelatedTerm"), None, one.guid, two.guid, None
        )
        home.clock.time += 5
        await home.collection.delete_entity(USER, type_guid(TERM), TERM, str(one.guid))
        await other.follow(home)
        gone = relationship(other, str(made.value.guid))
        assert gone.status is InstanceStatus.DELETED
        assert await other.holdings() == await home.holdings()
        assert await other.told() == []


async def test_our_relationships_at_a_deleted_entity_are_deleted_with_an_event(
    here: Member,
) -> None:
    ours = await own_term(here)
    await here.hear(REMOTE.id, outbound.created(remote_entity()))
    made = await here.collection.add_relationship(
        USER, type_guid("RelatedTerm"), None, ours.guid, "remote-1", None
    )
    gone = lifecycle.deleted(remote_entity(), LATER)
    await here.hear(REMOTE.id, outbound.deleted(gone))
    known = relationship(here, str(made.value.guid))
    assert known.status is InstanceStatus.DELETED
    events = await here.instance_events()
    assert events[-1] == outbound.deleted(known)
    await here.hear(REMOTE.id, outbound.purged(gone))
    assert not holds(here)
    assert not holds(here, str(made.value.guid))
    assert (await here.instance_events())[-1] == outbound.purged(known)


async def test_relationships_of_third_members_are_left_to_them(here: Member) -> None:
    await here.hear(REMOTE.id, outbound.created(remote_entity()))
    theirs = remote_relationship(
        remote_proxy("category"),
        remote_proxy(),
        metadata_collection_id=THIRD.id,
    )
    await here.hear(THIRD.id, outbound.created(theirs))
    gone = lifecycle.deleted(remote_entity(), LATER)
    await here.hear(REMOTE.id, outbound.deleted(gone))
    assert relationship(here).status is InstanceStatus.ACTIVE


async def test_a_late_relationship_of_a_deleted_entity_is_deleted(here: Member) -> None:
    gone = lifecycle.deleted(remote_entity("term"), LATER)
    await here.hear(REMOTE.id, outbound.deleted(gone))
    await here.hear(REMOTE.id, outbound.created(RELATIONSHIP))
    assert relationship(here).status is InstanceStatus.DELETED
    restored = lifecycle.restored(relationship(here), Edit("x", START + 20))
    await here.hear(REMOTE.id, outbound.restored(restored))
    assert relationship(here).status is InstanceStatus.ACTIVE


async def test_a_deletion_that_was_told_holds_against_one_that_was_inferred(
    here: Member,
) -> None:
    await here.hear(REMOTE.id, outbound.created(RELATIONSHIP))
    gone = lifecycle.deleted(remote_entity("term"), LATER)
    await here.hear(REMOTE.id, outbound.deleted(gone))
    told = lifecycle.deleted(RELATIONSHIP, Edit("bob", START + 5))
    await here.hear(REMOTE.id, outbound.deleted(told))
    assert relationship(here).update_time == START + 5


# The end of an instance


@pytest.mark.parametrize(
    "event_type", [Event.PURGED_ENTITY_EVENT, Event.DELETE_PURGED_ENTITY_EVENT]
)
async def test_a_purge_removes_the_copy_that_was_told_as_deleted(
    here: Member, event_type: Event
) -> None:
    gone = lifecycle.deleted(remote_entity(), LATER)
    await here.hear(REMOTE.id, outbound.deleted(gone))
    event = of_type(outbound.purged(gone), event_type)
    assert (await here.hear(THIRD.id, event)).outcome is Outcome.REFUSED
    assert holds(here)
    assert (await here.hear(REMOTE.id, event)).outcome is Outcome.SAVED
    assert not holds(here)
    assert (await here.hear(REMOTE.id, event)).outcome is Outcome.IGNORED


async def test_a_purge_by_ids_alone(here: Member) -> None:
    await here.hear(REMOTE.id, outbound.created(RELATIONSHIP))
    for event_type, guid in (
        (Event.PURGED_RELATIONSHIP_EVENT, "remote-r"),
        (Event.PURGED_ENTITY_EVENT, "term"),
    ):
        event = InstanceEvent(
            event_type=event_type,
            type_def_guid=type_guid(TERM),
            type_def_name=TERM,
            instance_guid=guid,
        )
        assert (await here.hear(REMOTE.id, event)).outcome is Outcome.SAVED
        assert not holds(here, guid)


async def test_an_old_purge_removes_nothing_newer(here: Member) -> None:
    await here.hear(REMOTE.id, outbound.created(remote_entity(version=5)))
    await here.hear(REMOTE.id, outbound.purged(remote_entity(version=4)))
    another = remote_entity(version=5, create_time=1)
    await here.hear(REMOTE.id, outbound.purged(another))
    assert holds(here)


async def test_nobody_purges_what_is_at_home_here(here: Member) -> None:
    ours = await own_term(here)
    error_of(await here.hear(REMOTE.id, outbound.purged(ours)))
    assert holds(here, str(ours.guid))


async def test_a_re_identified_entity_takes_its_relationships_along(
    here: Member,
) -> None:
    old = remote_entity("term")
    await here.hear(REMOTE.id, outbound.created(old))
    await here.hear(REMOTE.id, outbound.created(RELATIONSHIP))
    moved = lifecycle.re_identified(old, "new", LATER)
    event = outbound.re_identified(moved, "term")
    assert (await here.hear(REMOTE.id, event)).outcome is Outcome.SAVED
    assert (await here.hear(REMOTE.id, event)).outcome is Outcome.IGNORED
    assert entity(here, "new") == moved
    assert entity(here, "term") == lifecycle.deleted(old, LATER)
    end = relationship(here).entity_two_proxy
    assert end is not None
    assert end.guid == "new"
    assert relationship(here).status is InstanceStatus.ACTIVE


async def test_a_re_identified_relationship_leaves_a_deleted_one(here: Member) -> None:
    await here.hear(REMOTE.id, outbound.created(RELATIONSHIP))
    moved = lifecycle.re_identified(RELATIONSHIP, "new", LATER)
    await here.hear(REMOTE.id, outbound.re_identified(moved, "remote-r"))
    assert relationship(here, "new") == moved
    assert relationship(here) == lifecycle.deleted(RELATIONSHIP, LATER)


async def test_a_re_identified_entity_says_itself_what_it_was(here: Member) -> None:
    old = remote_entity()
    await here.hear(REMOTE.id, outbound.created(old))
    moved = lifecycle.re_identified(old, "new", LATER)
    event = replace(
        outbound.re_identified(moved, "remote-1"), original_instance_guid=None
    )
    await here.hear(REMOTE.id, event)
    assert entity(here, "new") == moved
    assert entity(here).status is InstanceStatus.DELETED


async def test_re_identifying_does_not_reach_what_is_others(here: Member) -> None:
    ours = await own_term(here)
    moved = lifecycle.re_identified(
        remote_entity(str(ours.guid), version=90), "new", LATER
    )
    await here.hear(REMOTE.id, outbound.re_identified(moved, str(ours.guid)))
    assert entity(here, str(ours.guid)) == ours


# Classifications


def given(member: Member, name: str = "Confidentiality") -> Any:
    return classification_of(entity(member), name)


def forms(told: EntityDetail) -> list[EntityDetail | EntityProxy]:
    proxy = lifecycle.entity_proxy(told, frozenset())
    return [told, proxy]


@pytest.mark.parametrize("form", [0, 1], ids=["entity", "proxy"])
async def test_a_third_member_classifies_by_either_form(
    here: Member, form: int
) -> None:
    await here.hear(REMOTE.id, outbound.created(remote_entity()))
    mine = remote_classification(metadata_collection_id=THIRD.id)
    again = replace(mine, version=2, properties=properties(notes="x"))
    told = forms(lifecycle.with_classification(remote_entity(), mine))[form]
    for event, kept in (
        (outbound.classified(told, mine), mine),
        (outbound.re_classified(told, mine, again), again),
        (outbound.classified(told, mine), again),
    ):
        await here.hear(THIRD.id, event)
        assert given(here) == kept
        assert entity(here).version == 3
    # Neither its home nor somebody else takes it away again.
    await here.hear(
        REMOTE.id, outbound.updated(remote_entity(), remote_entity(version=4))
    )
    assert entity(here).version == 4
    gone = outbound.declassified(forms(remote_entity())[form], again)
    assert (await here.hear(REMOTE.id, gone)).outcome is Outcome.REFUSED
    assert given(here) == again
    await here.hear(THIRD.id, gone)
    assert given(here) is None


async def test_a_classification_brings_an_entity_of_nobody_in_the_cohort(
    here: Member,
) -> None:
    mine = remote_classification(metadata_collection_id=THIRD.id)
    foreign = remote_entity(home=Home("export", "export"), replicated_by=THIRD.id)
    told = lifecycle.with_classification(foreign, mine)
    await here.hear(THIRD.id, outbound.classified(told, mine))
    assert entity(here) == told


async def test_a_classification_comes_before_its_entity(here: Member) -> None:
    mine = remote_classification(metadata_collection_id=THIRD.id)
    told = lifecycle.with_classification(remote_entity(), mine)
    await here.hear(THIRD.id, outbound.classified(told, mine))
    stored = here.repository.entity("remote-1")
    assert stored is not None
    assert stored.is_proxy  # what it is, its home tells, if it isn't gone there
    proxied = forms(replace(told, guid="p"))[1]
    await here.hear(THIRD.id, outbound.classified(proxied, mine))
    stored = here.repository.entity("p")
    assert stored is not None
    assert stored.is_proxy
    await here.hear(REMOTE.id, outbound.created(remote_entity("p")))
    assert classification_of(entity(here, "p"), "Confidentiality") == mine


async def test_a_classification_does_not_bring_others_entities_later(
    here: Member,
) -> None:
    await here.hear(REMOTE.id, outbound.created(remote_entity()))
    mine = remote_classification(metadata_collection_id=THIRD.id)
    await here.hear(THIRD.id, outbound.classified(remote_entity(version=99), mine))
    assert entity(here).version == 3
    assert given(here) == mine


async def test_a_home_brings_its_entity_with_a_classification(here: Member) -> None:
    mine = remote_classification()
    await here.hear(REMOTE.id, outbound.created(remote_entity()))
    newer = lifecycle.with_classification(remote_entity(version=4), mine)
    await here.hear(REMOTE.id, outbound.classified(newer, mine))
    assert entity(here) == newer
    # What it told before that is no news.
    stale = remote_entity(version=3)
    gone = outbound.declassified(stale, mine)
    assert (await here.hear(REMOTE.id, gone)).outcome is Outcome.IGNORED
    await here.hear(REMOTE.id, outbound.declassified(remote_entity(version=5), mine))
    assert entity(here) == remote_entity(version=5)
    event = outbound.classified(newer, mine)
    assert (await here.hear(REMOTE.id, event)).outcome is Outcome.IGNORED


async def test_classifications_given_here_stay(here: Member) -> None:
    await here.hear(REMOTE.id, outbound.created(remote_entity()))
    await here.collection.classify_entity(
        USER, "remote-1", "Confidentiality", ClassificationSource(), None
    )
    ours = given(here)
    assert ours is not None
    theirs = remote_classification(version=9, metadata_collection_id=THIRD.id)
    theirs = replace(theirs, create_time=(ours.create_time or 0) + 1)
    told = lifecycle.with_classification(remote_entity(version=9), theirs)
    await here.hear(THIRD.id, outbound.classified(told, theirs))
    await here.hear(REMOTE.id, outbound.updated(told, told))
    assert entity(here).version == 9
    await here.hear(THIRD.id, outbound.declassified(remote_entity(version=9), theirs))
    forged = replace(theirs, metadata_collection_id=here.id)
    received = await here.hear(THIRD.id, outbound.declassified(told, forged))
    assert received.outcome is Outcome.REFUSED
    assert given(here) == ours


async def test_a_classification_given_here_yields_to_an_earlier_one(
    here: Member,
) -> None:
    await here.hear(REMOTE.id, outbound.created(remote_entity()))
    await here.collection.classify_entity(
        USER, "remote-1", "Confidentiality", ClassificationSource(), None
    )
    ours = given(here)
    assert ours is not None
    theirs = remote_classification(metadata_collection_id=THIRD.id)
    theirs = replace(theirs, create_time=(ours.create_time or 0) - 1)
    told = lifecycle.with_classification(remote_entity(), theirs)
    await here.hear(THIRD.id, outbound.classified(told, theirs))
    assert given(here) == theirs
    last = (await here.repository.events_after(0, 100))[-1].event
    assert isinstance(last, InstanceEvent)
    assert last.event_type is Event.DECLASSIFIED_ENTITY_EVENT
    assert last.original_classification == ours


@pytest.mark.parametrize("created", [None, 1, START])
async def test_what_the_home_of_an_entity_gave_yields_to_nobody(
    here: Member, created: int | None
) -> None:
    ours = await own_term(here)
    guid = str(ours.guid)
    await here.collection.classify_entity(
        USER, guid, "Confidentiality", ClassificationSource(), None
    )
    classified = entity(here, guid)
    count = len(await here.told())
    theirs = replace(remote_classification(version=9), create_time=created)
    for told in (ours, replace(ours, metadata_collection_id=REMOTE.id)):
        await here.hear(REMOTE.id, outbound.classified(told, theirs))
    assert entity(here, guid) == classified
    assert len(await here.told()) == count
    # What others give to a third one's entity goes by the same rule.
    of_home = remote_classification()
    await here.hear(
        REMOTE.id, outbound.created(remote_entity(classifications=(of_home,)))
    )
    forged = replace(theirs, metadata_collection_id=THIRD.id)
    await here.hear(THIRD.id, outbound.classified(remote_entity(), forged))
    assert given(here) == of_home


async def test_nothing_is_given_before_there_is_the_entity(here: Member) -> None:
    """Neither of two comes first then by making up an earlier time."""
    of_fourth = remote_entity(home=Home("fourth-id", "fourth"))
    times = ((1, 0), (0, 1), (of_fourth.create_time, 1))
    for number, (first, second) in enumerate(times):
        known = replace(of_fourth, guid=f"e{number}")
        await here.repository.change(lambda tx, e=known: tx.save_entity(e, START))  # type: ignore[misc]
        one = remote_classification(create_time=first)
        other = remote_classification(
            create_time=second, metadata_collection_id=THIRD.id
        )
        for given_now in (other, one, other):
            origin = str(given_now.metadata_collection_id)
            await here.hear(origin, outbound.classified(known, given_now))
        named = classification_of(entity(here, str(known.guid)), "Confidentiality")
        assert named == one  # of the lower id


async def test_what_a_member_gave_that_left_yields_to_what_others_give(
    here: Member,
) -> None:
    await here.hear(REMOTE.id, outbound.created(remote_entity()))
    theirs = remote_classification(metadata_collection_id=THIRD.id)
    await here.hear(THIRD.id, outbound.classified(remote_entity(), theirs))
    assert given(here) == theirs
    here.known_collections.discard(THIRD.id)
    here.known_collections.add("fourth-id")
    later = replace(
        remote_classification(metadata_collection_id="fourth-id"),
        create_time=(theirs.create_time or 0) + 1,
    )
    await here.hear("fourth-id", outbound.classified(remote_entity(), later))
    assert given(here) == later
    await here.hear(THIRD.id, outbound.classified(remote_entity(), theirs))
    assert given(here) == later


async def test_a_classification_given_anew_is_not_taken_away_late(
    here: Member,
) -> None:
    await here.hear(REMOTE.id, outbound.created(remote_entity()))
    old = remote_classification(version=7)
    new = replace(old, version=1, create_time=START)
    for event in (
        outbound.classified(remote_entity(), new),
        outbound.declassified(remote_entity(), old),
        outbound.classified(remote_entity(), old),
    ):
        await here.hear(REMOTE.id, event)
    assert given(here) == new


async def test_our_entities_are_classified_by_others(here: Member) -> None:
    ours = await own_term(here)
    theirs = remote_classification()
    told = lifecycle.with_classification(replace(ours, version=99), theirs)
    await here.hear(REMOTE.id, outbound.classified(told, theirs))
    assert entity(here, str(ours.guid)) == lifecycle.with_classification(ours, theirs)
    purged = replace(told, guid="purged here")
    received = await here.hear(REMOTE.id, outbound.classified(purged, theirs))
    assert received.outcome is Outcome.IGNORED
    assert not holds(here, "purged here")


async def test_classifications_of_another_entity_are_refused(here: Member) -> None:
    await here.hear(REMOTE.id, outbound.created(remote_entity()))
    mine = remote_classification(metadata_collection_id=THIRD.id)
    another = remote_entity(create_time=1)
    for event in (
        outbound.classified(another, mine),
        outbound.declassified(another, mine),
    ):
        error_of(await here.hear(THIRD.id, event))
    await here.hear(REMOTE.id, outbound.created(RELATIONSHIP))
    error_of(
        await here.hear(THIRD.id, outbound.classified(remote_entity("remote-r"), mine))
    )
    for broken in (
        outbound.classified(remote_entity(""), mine),
        outbound.classified(remote_entity(), replace(mine, name=None)),
    ):
        received = await here.hear(THIRD.id, broken)
        assert received.outcome in (Outcome.REFUSED, Outcome.UNKNOWN_TYPE)


# Requests, batches, complaints


async def test_a_refresh_is_answered_by_the_home(here: Member) -> None:
    ours, other = await own_term(here), await own_term(here)
    made = await here.collection.add_relationship(
        USER, type_guid("RelatedTerm"), None, ours.guid, other.guid, None
    )
    await here.hear(REMOTE.id, outbound.created(remote_entity()))
    count = len(await here.told())
    ask = outbound.refresh_entity_requested
    ask_relationship = outbound.refresh_relationship_requested
    for event, outcome in (
        (ask(str(ours.guid), type_guid(TERM), TERM, here.id), Outcome.ANSWERED),
        (
            ask_relationship(str(made.value.guid), type_guid(TERM), TERM, here.id),
            Outcome.ANSWERED,
        ),
        (ask("remote-1", type_guid(TERM), TERM, REMOTE.id), Outcome.IGNORED),
        (ask("unknown", type_guid(TERM), TERM, here.id), Outcome.IGNORED),
    ):
        assert (await here.hear(THIRD.id, event)).outcome is outcome
    answers = (await here.instance_events())[count:]
    assert answers == [outbound.refreshed(ours), outbound.refreshed(made.value)]


async def test_a_replicator_refreshes_what_it_replicates(here: Member) -> None:
    source = Home("source-id", "source")
    provenance = external_provenance(source, here.home)
    told = replace(
        remote_entity(home=source),
        instance_provenance_type=provenance.type,
        replicated_by=provenance.replicated_by,
    )
    await here.repository.change(lambda tx: tx.save_entity(told, START))
    ask = outbound.refresh_entity_requested(
        "remote-1", type_guid(TERM), TERM, "source-id"
    )
    assert (await here.hear(THIRD.id, ask)).outcome is Outcome.ANSWERED


def batch(*instances: EntityDetail | Relationship) -> InstanceEvent:
    return InstanceEvent(
        event_type=Event.BATCH_INSTANCES_EVENT,
        instance_batch=InstanceGraph(
            entities=tuple(i for i in instances if isinstance(i, EntityDetail)),
            relationships=tuple(i for i in instances if isinstance(i, Relationship)),
        ),
    )


async def test_a_batch_is_taken_one_by_one(here: Member) -> None:
    ours = await own_term(here)
    await here.hear(THIRD.id, outbound.created(remote_entity("t1", home=THIRD)))
    event = batch(
        remote_entity(),
        remote_entity("t1", home=THIRD, version=99),
        remote_entity("t2", home=THIRD),
        replace(ours, version=99),
        RELATIONSHIP,
    )
    received = await here.hear(REMOTE.id, event)
    assert received.outcome is Outcome.SAVED
    assert received.report is not None
    assert received.report.error.target_instance_guid == ours.guid
    assert entity(here) == remote_entity()
    assert entity(here, "t1").version == 3
    assert holds(here, "t2")
    assert entity(here, str(ours.guid)) == ours
    assert relationship(here) == RELATIONSHIP
    assert (await here.hear(REMOTE.id, batch(RELATIONSHIP))).outcome is Outcome.IGNORED


async def test_unknown_types_of_a_batch_are_left_out_in_the_end(here: Member) -> None:
    strange = replace(instance_type(TERM), type_def_name="Strange", type_def_guid="x")
    event = batch(remote_entity(type=strange, guid="x"), remote_entity())
    assert (await here.hear(REMOTE.id, event)).outcome is Outcome.UNKNOWN_TYPE
    assert not holds(here)
    received = await here.hear(REMOTE.id, event, last_try=True)
    assert received.outcome is Outcome.SAVED
    assert holds(here)
    assert not holds(here, "x")


def complaint(
    target: str, guid: str, code: OMRSEventErrorCode, other: str = THIRD.id
) -> tuple[InstanceEvent, EventError]:
    section = InstanceEvent(
        event_type=Event.INSTANCE_ERROR_EVENT,
        type_def_guid=type_guid(TERM),
        type_def_name=TERM,
    )
    error = EventError(
        error_code=code,
        target_metadata_collection_id=target,
        target_instance_guid=guid,
        other_metadata_collection_id=other,
    )
    return section, error


CONFLICT = OMRSEventErrorCode.CONFLICTING_INSTANCES
CONFLICTING_TYPE = OMRSEventErrorCode.CONFLICTING_TYPE


async def test_a_complaint_has_the_other_member_asked(here: Member) -> None:
    ours, other = await own_term(here), await own_term(here)
    made = await here.collection.add_relationship(
        USER, type_guid("RelatedTerm"), None, ours.guid, other.guid, None
    )
    before, count = await here.holdings(), len(await here.told())
    for guid in (str(ours.guid), str(made.value.guid)):
        section, error = complaint(here.id, guid, CONFLICT)
        received = await here.hear(THIRD.id, section, error=error)
        assert received.outcome is Outcome.IGNORED
        assert received.compare_with == THIRD.id
    assert await here.holdings() == before
    assert len(await here.told()) == count


async def test_complaints_of_which_nothing_comes(here: Member) -> None:
    ours = await own_term(here)
    await here.hear(REMOTE.id, outbound.created(remote_entity()))
    for section, error in (
        complaint(here.id, str(ours.guid), CONFLICT, other=here.id),
        complaint(here.id, str(ours.guid), CONFLICT, other=""),
        complaint(here.id, str(ours.guid), CONFLICTING_TYPE),
        complaint(here.id, "remote-1", CONFLICT),
        complaint(REMOTE.id, "remote-1", CONFLICT),
        complaint(REMOTE.id, "remote-1", CONFLICTING_TYPE),
        complaint(REMOTE.id, str(ours.guid), CONFLICT),
        complaint(THIRD.id, "remote-1", CONFLICT),
        complaint(here.id, "unknown", CONFLICT),
        complaint(here.id, "", CONFLICT),
        complaint(REMOTE.id, "remote-1", OMRSEventErrorCode.NOT_IN_USE),
    ):
        received = await here.hear(THIRD.id, section, error=error)
        assert received.outcome is Outcome.IGNORED
        assert received.compare_with == ""
    received = await here.hear(THIRD.id, section)
    assert received.outcome is Outcome.IGNORED
    assert holds(here)


async def test_what_a_member_told_that_left_stands_in_nobodys_way(
    here: Member,
) -> None:
    claimed = remote_entity(home=THIRD, version=2**31 - 1, create_time=1)
    await here.hear(THIRD.id, outbound.created(claimed))
    event = outbound.created(remote_entity())
    assert error_of(await here.hear(REMOTE.id, event)).error_code is CONFLICT
    here.known_collections.discard(THIRD.id)
    await here.repository.remove_member(THIRD.id)
    # Who isn't in the cohort any more doesn't come by it again.
    for teller in (THIRD, REMOTE):
        await here.hear(teller.id, outbound.updated(claimed, claimed))
    assert (await here.hear(REMOTE.id, event)).outcome is Outcome.SAVED
    assert entity(here) == remote_entity()


async def test_nobody_complains_for_what_no_member_has(here: Member) -> None:
    packed = InstanceProvenanceType.CONTENT_PACK
    kept = remote_entity(home=ARCHIVE, instance_provenance_type=packed)
    await here.hear(REMOTE.id, outbound.created(kept))
    received = await here.hear(
        THIRD.id, outbound.created(remote_entity(home=THIRD, version=9))
    )
    assert received.outcome is Outcome.REFUSED
    assert received.report is None
    assert entity(here) == kept


async def test_nobody_purges_what_is_an_archives(here: Member) -> None:
    """Not even a member that calls itself as the archive is called."""
    packed = InstanceProvenanceType.CONTENT_PACK
    told = remote_entity(instance_provenance_type=packed)
    await here.hear(REMOTE.id, outbound.created(told))
    received = await here.hear(REMOTE.id, outbound.purged(told))
    assert received.outcome is Outcome.REFUSED
    assert holds(here)


async def test_of_who_left_batches_bring_nothing(here: Member) -> None:
    await here.hear(REMOTE.id, outbound.created(remote_entity("told")))
    here.known_collections.discard(REMOTE.id)
    await here.repository.remove_member(REMOTE.id)
    received = await here.hear(THIRD.id, batch(remote_entity(), RELATIONSHIP))
    assert received.outcome is Outcome.REFUSED
    assert not holds(here)
    assert not holds(here, "remote-r")


async def test_events_of_other_kinds_are_passed_over(here: Member) -> None:
    event = of_type(outbound.created(remote_entity()), Event.UNKNOWN_INSTANCE_EVENT)
    assert (await here.hear(REMOTE.id, event)).outcome is Outcome.IGNORED
    assert not holds(here)
