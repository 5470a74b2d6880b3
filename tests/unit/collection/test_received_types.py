"""Types of other members: added, patched, removed; or the cohort hears why not."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from edgenode.collection.received import Outcome, Received
from edgenode.events import outbound
from edgenode.events.model import (
    EventError,
    InstanceEvent,
    OMRSEventErrorCode,
    OMRSTypeDefEventType,
    TypeDefEvent,
)
from edgenode.events.streams import Position, Step
from edgenode.instances import lifecycle
from edgenode.limits import (
    MAX_TYPE_BYTES,
    MAX_TYPE_CONFLICTS,
    MAX_TYPES,
    MAX_TYPES_BYTES,
)
from edgenode.releases import SERVED
from edgenode.releases.egeria_6_1 import EGERIA_6_1
from edgenode.releases.shipped_types import load_release_types
from edgenode.typedefs.model import EntityDef
from edgenode.typedefs.registry import TypeRegistry
from tests.model.house import REMOTE, USER, properties, remote_entity
from tests.unit.collection.members import Member
from tests.unit.typedefs.samples import (
    COLOUR,
    INT,
    attribute,
    entity_def,
    link,
    patch_of,
)

Type = OMRSTypeDefEventType
Code = OMRSEventErrorCode

BOOK = entity_def("Book", properties_definition=(attribute("title"),))
NOVEL = entity_def("Novel", BOOK)
REFERENCEABLE = "a32316b8-dc8c-48c5-b12b-71c1b2a080bf"


def new(told: Any) -> TypeDefEvent:
    if isinstance(told, EntityDef):
        return TypeDefEvent(type_def_event_type=Type.NEW_TYPEDEF_EVENT, type_def=told)
    return TypeDefEvent(
        type_def_event_type=Type.NEW_ATTRIBUTE_TYPEDEF_EVENT, attribute_type_def=told
    )


def updated(**changes: Any) -> TypeDefEvent:
    known = changes.pop("known", BOOK)
    return TypeDefEvent(
        type_def_event_type=Type.UPDATED_TYPEDEF_EVENT,
        type_def_patch=patch_of(known, **changes),
    )


def deleted(guid: str | None, name: str | None, *, is_attribute: bool = False) -> Any:
    event_type = Type.DELETED_TYPEDEF_EVENT
    if is_attribute:
        event_type = Type.DELETED_ATTRIBUTE_TYPEDEF_EVENT
    return TypeDefEvent(
        type_def_event_type=event_type, type_def_guid=guid, type_def_name=name
    )


def re_identified(before: Any, after: Any) -> TypeDefEvent:
    if isinstance(before, EntityDef):
        return TypeDefEvent(
            type_def_event_type=Type.RE_IDENTIFIED_TYPEDEF_EVENT,
            original_type_def_summary=before.summary,
            type_def=after,
        )
    return TypeDefEvent(
        type_def_event_type=Type.RE_IDENTIFIED_ATTRIBUTE_TYPEDEF_EVENT,
        original_attribute_type_def=before,
        attribute_type_def=after,
    )


async def hear(here: Member, event: TypeDefEvent, step: Step | None = None) -> Received:
    return await here.collection.receive_type_def_event(REMOTE.id, step, event)


def stored(here: Member) -> dict[str | None, Any]:
    return {known.name: known for known in here.repository.types()}


def error_of(received: Received) -> EventError:
    assert received.outcome is Outcome.REFUSED
    assert received.report is not None
    section = received.report.section
    assert not isinstance(section, InstanceEvent)
    assert section.type_def_event_type is Type.TYPEDEF_ERROR_EVENT
    error = received.report.error
    assert error.target_metadata_collection_id == REMOTE.id
    assert error.other_metadata_collection_id == here_id
    assert error.error_message == received.reason
    return error


here_id = "local-id"


@pytest.mark.parametrize("told", [BOOK, COLOUR], ids=["type", "attribute type"])
async def test_an_unknown_type_is_added_without_an_echo(
    here: Member, told: Any
) -> None:
    assert (await hear(here, new(told))).outcome is Outcome.SAVED
    assert (await hear(here, new(told))).outcome is Outcome.IGNORED
    assert stored(here) == {told.name: told}
    assert told in (
        here.types.type_def("Book"),
        here.types.attribute_type_def("Colour"),
    )
    assert await here.told() == []


async def test_types_have_their_places_too(here: Member) -> None:
    step = Step("life", 4, 5)
    assert (await hear(here, new(BOOK), step)).outcome is Outcome.GAP
    assert here.types.type_def("Book") is None
    await here.repository.change(lambda tx: tx.move_to(REMOTE.id, Position("life", 4)))
    assert (await hear(here, new(BOOK), step)).outcome is Outcome.SAVED
    assert here.position(REMOTE.id) == Position("life", 5)
    gone = deleted(BOOK.guid, "Book")
    assert (await hear(here, gone, step)).outcome is Outcome.DUPLICATE
    assert here.types.type_def("Book") == BOOK


async def test_another_type_of_the_name_is_reported(here: Member) -> None:
    await hear(here, new(BOOK))
    await hear(here, new(COLOUR))
    error = error_of(await hear(here, new(replace(BOOK, guid="other"))))
    assert error.error_code is Code.CONFLICTING_TYPEDEFS
    assert error.target_type_def_summary is not None
    assert error.target_type_def_summary.guid == "other"
    assert error.other_type_def == BOOK
    error = error_of(await hear(here, new(replace(COLOUR, element_defs=None))))
    assert error.error_code is Code.CONFLICTING_ATTRIBUTE_TYPEDEFS
    assert error.other_attribute_type_def == COLOUR
    assert stored(here) == {"Book": BOOK, "Colour": COLOUR}


@pytest.mark.parametrize(
    "event",
    [
        TypeDefEvent(type_def_event_type=Type.NEW_TYPEDEF_EVENT),
        new(replace(BOOK, guid=None)),
        new(replace(BOOK, name="")),
        new(replace(BOOK, super_type=link(BOOK))),
    ],
)
async def test_a_broken_type_is_refused(here: Member, event: TypeDefEvent) -> None:
    received = await hear(here, event)
    assert received.outcome is Outcome.REFUSED
    assert received.report is None
    assert stored(here) == {}


async def test_a_patch_leads_from_its_version_to_the_next(here: Member) -> None:
    await hear(here, new(BOOK))
    event = updated(property_definitions=(attribute("isbn"),))
    assert (await hear(here, event)).outcome is Outcome.SAVED
    assert (await hear(here, event)).outcome is Outcome.IGNORED
    known = here.types.type_def("Book")
    assert known is not None
    assert known.version == 2
    assert set(here.types.attributes("Book")) == {"title", "isbn"}
    assert stored(here) == {"Book": known}
    assert await here.told() == []


async def test_shipped_types_are_patched_too(here: Member) -> None:
    known = here.types.type_def("Referenceable")
    event = updated(known=known, property_definitions=(attribute("mark"),))
    assert (await hear(here, event)).outcome is Outcome.SAVED
    assert "mark" in here.types.attributes("GlossaryTerm")


async def test_a_patch_for_a_later_version_does_not_fit(here: Member) -> None:
    await hear(here, new(BOOK))
    event = updated(apply_to_version=5, update_to_version=6)
    error = error_of(await hear(here, event))
    assert error.error_code is Code.TYPEDEF_PATCH_MISMATCH
    assert error.target_type_def_summary is not None
    assert error.target_type_def_summary.version == 5
    assert error.other_type_def == BOOK
    assert stored(here) == {"Book": BOOK}


@pytest.mark.parametrize(
    "changes",
    [
        {"property_definitions": (attribute("title", INT),)},
        {"updated_by": None},
        {"super_type": link(BOOK)},
    ],
    ids=["another kind of property", "incomplete", "unsound"],
)
async def test_a_patch_that_contradicts_is_reported(
    here: Member, changes: dict[str, Any]
) -> None:
    await hear(here, new(BOOK))
    error = error_of(await hear(here, updated(**changes)))
    assert error.error_code is Code.CONFLICTING_TYPEDEFS
    assert here.types.type_def("Book") == BOOK


@pytest.mark.parametrize(
    "event",
    [
        updated(),
        updated(known=replace(BOOK, name="GlossaryTerm")),
        TypeDefEvent(type_def_event_type=Type.UPDATED_TYPEDEF_EVENT),
        TypeDefEvent(type_def_event_type=Type.TYPEDEF_ERROR_EVENT),
        deleted(BOOK.guid, "Book"),
        deleted(REFERENCEABLE, "Referenceable"),
    ],
    ids=["unknown", "another guid", "no patch", "error", "deleted", "shipped"],
)
async def test_events_that_change_nothing(here: Member, event: TypeDefEvent) -> None:
    before = here.types.type_defs
    assert (await hear(here, event)).outcome is Outcome.IGNORED
    assert here.types.type_defs == before
    assert stored(here) == {}


async def test_a_type_goes_when_nothing_uses_it(here: Member) -> None:
    for told in (BOOK, NOVEL, COLOUR):
        await hear(here, new(told))
    made = await here.collection.add_entity(
        USER, NOVEL.guid, properties(title="x"), None, None
    )
    for name in ("Book", "Novel"):
        received = await hear(here, deleted(f"guid-{name}", name))
        assert received.outcome is Outcome.IGNORED
        assert here.types.type_def(name) is not None
    guid = str(made.value.guid)
    await here.collection.delete_entity(USER, NOVEL.guid, "Novel", guid)
    await here.collection.purge_entity(USER, NOVEL.guid, "Novel", guid)
    for event in (
        deleted(NOVEL.guid, "Novel"),
        deleted(BOOK.guid, "Book"),
        deleted(COLOUR.guid, "Colour", is_attribute=True),
    ):
        assert (await hear(here, event)).outcome is Outcome.SAVED
    assert stored(here) == {}
    assert here.types.type_def("Book") is None
    assert here.types.attribute_type_def("Colour") is None


@pytest.mark.parametrize("before", [BOOK, COLOUR], ids=["type", "attribute type"])
async def test_a_re_identified_type_takes_the_others_place(
    here: Member, before: Any
) -> None:
    after = replace(before, guid="new", name="New", version=2)
    await hear(here, new(before))
    assert (await hear(here, re_identified(before, after))).outcome is Outcome.SAVED
    assert stored(here) == {"New": after}
    assert here.types.type_def("Book") is None
    assert here.types.attribute_type_def("Colour") is None
    # Where the former wasn't known it is a new one.
    assert (await hear(here, re_identified(before, after))).outcome is Outcome.IGNORED


async def test_a_type_in_use_is_not_re_identified(here: Member) -> None:
    await hear(here, new(BOOK))
    await hear(here, new(NOVEL))
    after = replace(BOOK, guid="new", name="New")
    assert (await hear(here, re_identified(BOOK, after))).outcome is Outcome.IGNORED
    taken = replace(NOVEL, guid="x", name="GlossaryTerm")
    error_of(await hear(here, re_identified(NOVEL, taken)))
    await here.collection.add_entity(USER, NOVEL.guid, None, None, None)
    moved = replace(NOVEL, guid="new", name="New")
    assert (await hear(here, re_identified(NOVEL, moved))).outcome is Outcome.IGNORED
    assert stored(here) == {"Book": BOOK, "Novel": NOVEL}
    assert here.types.type_def("Novel") == NOVEL


async def test_types_that_were_fetched_are_added_and_brought_up_to_date(
    here: Member,
) -> None:
    await hear(here, new(BOOK))
    told = replace(
        BOOK,
        version=4,
        version_name="4.0",
        updated_by="ann",
        update_time=1_700_000_000_000,
        properties_definition=(attribute("title"), attribute("isbn")),
    )
    merged = await here.collection.adopt_type_defs([COLOUR], [told, NOVEL])
    assert merged.refused == ()
    assert here.types.type_def("Book") == told
    assert stored(here) == {"Book": told, "Novel": NOVEL, "Colour": COLOUR}
    bare = replace(NOVEL, version=3, version_name=None)
    merged = await here.collection.adopt_type_defs([], [bare])
    assert merged.refused == ()
    known = here.types.type_def("Novel")
    assert known is not None
    assert known.version == 3
    merged = await here.collection.adopt_type_defs(
        [], [BOOK, replace(NOVEL, guid="other")]
    )
    assert len(merged.refused) == 1
    assert here.types.type_def("Book") == told
    assert await here.told() == []


async def test_types_that_inherit_from_each_other_are_refused(here: Member) -> None:
    one = entity_def("One", super_type=link(entity_def("Two")))
    two = entity_def("Two", super_type=link(one))
    assert (await hear(here, new(one))).outcome is Outcome.SAVED
    received = await hear(here, new(two))
    assert received.outcome is Outcome.REFUSED
    assert received.reason == "it inherits from itself"
    assert here.types.type_def("Two") is None


async def test_types_of_others_are_bounded(here: Member) -> None:
    known = len(here.types.type_defs) + len(here.types.attribute_type_defs)
    here.types.put(*(entity_def(f"More{each}") for each in range(MAX_TYPES - known)))
    received = await hear(here, new(BOOK))
    assert received.outcome is Outcome.REFUSED
    assert received.reason == "there are too many types"
    assert stored(here) == {}


async def test_types_of_others_are_bounded_together(here: Member) -> None:
    description = "x" * (MAX_TYPE_BYTES * 9 // 10)
    outcomes = [
        await hear(here, new(entity_def(f"Large{number}", description=description)))
        for number in range(2 * MAX_TYPES_BYTES // MAX_TYPE_BYTES)
    ]
    saved = sum(each.outcome is Outcome.SAVED for each in outcomes)
    assert MAX_TYPES_BYTES < saved * MAX_TYPE_BYTES < 1.2 * MAX_TYPES_BYTES
    assert {each.reason for each in outcomes[saved:]} == {
        "the types of others are too large together"
    }
    assert len(stored(here)) == saved
    assert here.types.type_def(f"Large{saved}") is None
    assert (await hear(here, new(BOOK))).outcome is Outcome.SAVED, (
        "there is room for it"
    )


async def test_a_type_does_not_grow_without_bound(here: Member) -> None:
    half = "x" * (MAX_TYPE_BYTES // 2)
    one, two = (attribute(name, default_value=half) for name in ("one", "two"))
    await hear(here, new(BOOK))
    received = await hear(here, updated(property_definitions=(one,)))
    assert received.outcome is Outcome.SAVED
    known = here.types.type_def("Book")
    assert known is not None
    received = await hear(here, updated(known=known, property_definitions=(two,)))
    assert received.outcome is Outcome.REFUSED
    assert received.reason == "a type definition that is too large"
    # What was to take the place of a type leaves that where it is.
    after = replace(known, guid="other", description=half)
    received = await hear(here, re_identified(known, after))
    assert received.outcome is Outcome.REFUSED
    assert here.types.type_def("Book") == known
    assert stored(here) == {"Book": known}


# Types of other releases


OLDER, NEWER = load_release_types(SERVED), load_release_types(EGERIA_6_1)


def of_start(types: TypeRegistry) -> list[TypeDefEvent]:
    """What a member with a type set sends when it starts."""
    attribute_types = [new(known) for known in types.attribute_type_defs]
    type_defs = [
        TypeDefEvent(type_def_event_type=Type.NEW_TYPEDEF_EVENT, type_def=known)
        for known in types.type_defs
    ]
    return [*attribute_types, *type_defs]


async def test_a_member_of_another_release_adds_what_fits(here: Member) -> None:
    ends = Counter([(await hear(here, event)).outcome for event in of_start(NEWER)])
    assert ends[Outcome.SAVED] > 100
    known = here.types.type_def("InformationSupplyChain")
    assert known is not None
    conflicts = here.collection.type_conflicts
    assert len(conflicts) == ends[Outcome.REFUSED]
    assert {each.member for each in conflicts} == {REMOTE.id}
    named = {each.type_name: each for each in conflicts}
    # An enumeration that has other values, and a type that has another GUID.
    assert named["ActivityType"].code is Code.CONFLICTING_ATTRIBUTE_TYPEDEFS
    assert named["WorkflowEngine"].code is Code.CONFLICTING_TYPEDEFS
    assert "string" not in named
    for each in OLDER.type_defs:
        kept = here.types.type_def(each.name)
        assert kept is not None
        assert (kept.guid, kept.version) == (each.guid, each.version)
    here.collection.forget_type_conflicts(REMOTE.id)
    assert here.collection.type_conflicts == ()


async def test_what_both_releases_have_still_flows(here: Member) -> None:
    for event in of_start(NEWER):
        await hear(here, event)
    term = NEWER.type_def("GlossaryTerm")
    assert term is not None
    told = remote_entity(type=lifecycle.instance_type(term))
    assert (await here.hear(REMOTE.id, outbound.created(told))).outcome is Outcome.SAVED
    strange = NEWER.type_def("WorkflowEngine")
    assert strange is not None
    other = remote_entity("other", type=lifecycle.instance_type(strange))
    created = outbound.created(other)
    received = await here.hear(REMOTE.id, created, last_try=True)
    assert received.outcome is Outcome.REFUSED
    assert received.code is Code.INVALID_INSTANCE_EVENT


async def test_a_conflict_ends_when_the_member_tells_what_fits(here: Member) -> None:
    await hear(here, new(BOOK))
    await hear(here, new(replace(BOOK, guid="other")))
    (conflict,) = here.collection.type_conflicts
    assert (conflict.type_guid, conflict.type_name) == ("other", "Book")
    await hear(here, new(BOOK))
    assert here.collection.type_conflicts == ()


async def test_a_type_that_is_behind_is_asked_for(here: Member) -> None:
    await hear(here, new(BOOK))
    patch = updated(apply_to_version=5, update_to_version=6)
    received = await hear(here, patch)
    assert received.unknown_types == ("Book",)
    assert received.code is Code.TYPEDEF_PATCH_MISMATCH
    (conflict,) = here.collection.type_conflicts
    assert conflict.code is Code.TYPEDEF_PATCH_MISMATCH
    await here.collection.adopt_type_defs([], [replace(BOOK, version=6)])
    assert here.collection.type_conflicts == ()
    assert (await hear(here, patch)).outcome is Outcome.IGNORED


async def test_conflicts_that_are_remembered_are_bounded(here: Member) -> None:
    await hear(here, new(BOOK))
    for number in range(MAX_TYPE_CONFLICTS + 1):
        await here.collection.receive_type_def_event(
            f"member-{number}", None, new(replace(BOOK, guid="other"))
        )
    members = [each.member for each in here.collection.type_conflicts]
    assert len(members) == MAX_TYPE_CONFLICTS
    assert "member-0" not in members


async def test_what_a_new_type_lacks_is_named(here: Member) -> None:
    hue = replace(COLOUR, guid="hue", name="Hue")
    told = replace(NOVEL, properties_definition=(attribute("cover", hue),))
    received = await hear(here, new(told))
    assert received.outcome is Outcome.SAVED
    assert received.unknown_types == ("Book", "Hue")
    for missing in (hue, BOOK):
        assert (await hear(here, new(missing))).unknown_types == ()
    assert set(here.types.attributes("Novel")) == {"title", "cover"}


# Descriptions


async def test_descriptions_are_taken_over_once(here: Member) -> None:
    known = here.types.type_def("GlossaryTerm")
    assert known is not None
    first, *_ = known.properties_definition or ()
    told = replace(
        known,
        version=1,
        description="Words and what they mean.",
        properties_definition=(replace(first, attribute_description="Ours."),),
    )
    event = TypeDefEvent(type_def_event_type=Type.NEW_TYPEDEF_EVENT, type_def=told)
    assert (await hear(here, event)).outcome is Outcome.SAVED
    assert (await hear(here, event)).outcome is Outcome.IGNORED
    described = here.types.type_def("GlossaryTerm")
    assert described is not None
    assert described.version == known.version
    assert described.description == "Words and what they mean."
    assert stored(here) == {"GlossaryTerm": described}
    assert here.collection.is_of_release(described)
    last = (known.properties_definition or ())[-1]
    patch = updated(
        known=known,
        apply_to_version=1,
        update_to_version=2,
        property_definitions=(replace(last, attribute_description="Theirs."),),
    )
    assert (await hear(here, patch)).outcome is Outcome.SAVED
    assert (await hear(here, patch)).outcome is Outcome.IGNORED
    described = here.types.type_def("GlossaryTerm")
    assert described is not None
    attributes = described.properties_definition or ()
    assert attributes[0].attribute_description == "Ours."
    assert attributes[-1].attribute_description == "Theirs."


async def test_known_types_take_no_place_in_the_store(here: Member) -> None:
    before = here.repository.statistics().changes
    for event in of_start(OLDER):
        assert (await hear(here, event)).outcome is Outcome.IGNORED
    assert here.repository.statistics().changes == before
