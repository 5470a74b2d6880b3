"""States that differ are put right, and nothing of anybody else's is touched."""

from dataclasses import replace
from pathlib import Path

import pytest

from edgenode.collection.base import ClassificationSource
from edgenode.collection.mending import Mended
from edgenode.events import outbound
from edgenode.events.frames import StateFrame
from edgenode.events.model import OMRSInstanceEventType as Event
from edgenode.instances import lifecycle
from edgenode.instances.lifecycle import Edit, classification_of
from edgenode.instances.model import (
    EntityDetail,
    EntityProxy,
    InstanceProvenanceType,
    Relationship,
)
from edgenode.instances.provenance import Home
from edgenode.typedefs.status import InstanceStatus
from tests.model.house import (
    CODEC,
    REMOTE,
    START,
    USER,
    instance_type,
    properties,
    remote_classification,
    remote_entity,
    remote_proxy,
    type_guid,
)
from tests.unit.collection.members import THIRD, Member, cohort
from tests.unit.collection.test_replicas import (
    ARCHIVE,
    RELATIONSHIP,
    entity,
    holds,
    own_term,
    relationship,
)

LATER = Edit("remote user", START + 10)
PACKED = InstanceProvenanceType.CONTENT_PACK


def frame(state: EntityDetail | EntityProxy | Relationship) -> StateFrame:
    return StateFrame(str(state.guid), type(state).__name__, CODEC.encode(state))


async def adopt(
    member: Member,
    *states: EntityDetail | EntityProxy | Relationship | str,
    owner: Home = REMOTE,
    teller: Home | None = None,
) -> Mended:
    """Adopt states; a GUID alone is of something that the owner has not."""
    frames = [
        StateFrame(state) if isinstance(state, str) else frame(state)
        for state in states
    ]
    return await member.collection.adopt_states((teller or owner).id, owner.id, frames)


# What the owner holds


@pytest.mark.parametrize("version", [2, 3, 4])
async def test_the_owners_state_holds_whatever_its_version(
    here: Member, version: int
) -> None:
    await here.hear(REMOTE.id, outbound.created(remote_entity()))
    await here.hear(REMOTE.id, outbound.created(RELATIONSHIP))
    told = remote_entity(version=version, properties=properties(qualifiedName="back"))
    related = replace(RELATIONSHIP, version=0, properties=properties(description="x"))
    assert await adopt(here, told, related) == Mended(2, 0)
    assert entity(here) == told
    assert relationship(here) == related
    assert await adopt(here, told, related) == Mended(0, 0)
    assert await here.told() == []


async def test_what_others_gave_is_kept(here: Member) -> None:
    await here.hear(REMOTE.id, outbound.created(remote_entity()))
    third = remote_classification("Retention", metadata_collection_id=THIRD.id)
    await here.hear(THIRD.id, outbound.classified(remote_entity(), third))
    await here.collection.classify_entity(
        USER, "remote-1", "Criticality", ClassificationSource(), None
    )
    old = remote_classification("Impact")
    await here.hear(REMOTE.id, outbound.classified(remote_entity(), old))
    hearsay = remote_classification("Ownership", metadata_collection_id=THIRD.id)
    new = remote_classification()
    await adopt(here, remote_entity(classifications=(new, hearsay)))
    names = {given.name for given in entity(here).classifications or ()}
    assert names == {"Retention", "Criticality", "Confidentiality"}


async def test_an_unknown_entity_comes_with_what_it_carries(here: Member) -> None:
    third = remote_classification("Retention", metadata_collection_id=THIRD.id)
    told = remote_entity(classifications=(remote_classification(), third))
    await adopt(here, told)
    assert entity(here) == told


async def test_what_the_owner_has_no_more_is_purged(here: Member) -> None:
    ours = await own_term(here)
    for event in (outbound.created(remote_entity()), outbound.created(RELATIONSHIP)):
        await here.hear(REMOTE.id, event)
    await here.hear(THIRD.id, outbound.created(remote_entity("t1", home=THIRD)))
    gone = ("remote-1", "remote-r", "t1", str(ours.guid), "unknown", "term")
    assert await adopt(here, *gone) == Mended(0, 2)
    assert [holds(here, guid) for guid in gone] == [
        False, False, True, True, False, True
    ]  # fmt: skip


async def test_our_relationship_at_what_the_owner_has_no_more_goes_with_an_event(
    here: Member,
) -> None:
    ours = await own_term(here)
    await here.hear(REMOTE.id, outbound.created(remote_entity()))
    made = await here.collection.add_relationship(
        USER, type_guid("RelatedTerm"), None, ours.guid, "remote-1", None
    )
    await adopt(here, lifecycle.deleted(remote_entity(), LATER))
    gone = relationship(here, str(made.value.guid))
    assert gone.status is InstanceStatus.DELETED
    assert (await here.instance_events())[-1] == outbound.deleted(gone)
    await adopt(here, "remote-1")
    assert not holds(here, str(made.value.guid))
    assert (await here.instance_events())[-1] == outbound.purged(gone)


async def test_what_is_at_home_here_is_not_adopted(here: Member) -> None:
    ours = await own_term(here)
    told = remote_entity(str(ours.guid), version=1)
    for version in (0, 1, 2**31 - 1):
        mended = await adopt(here, replace(told, version=version))
        assert mended.refused == ((ours.guid, "it is at home here"),)
        (report,) = mended.reports
        assert report.error.target_metadata_collection_id == REMOTE.id
    assert entity(here, str(ours.guid)) == ours


async def test_one_complaint_is_made_for_all_that_differs(here: Member) -> None:
    claims = [remote_entity(str((await own_term(here)).guid)) for _ in range(3)]
    mended = await adopt(here, *claims)
    assert len(mended.refused) == 3
    assert len(mended.reports) == 1


FIRST = Home("a-id", "first of all by its id")


async def test_ours_gives_way_to_a_member_that_comes_first(here: Member) -> None:
    ours, other = await own_term(here), await own_term(here)
    made = await here.collection.add_relationship(
        USER, type_guid("RelatedTerm"), None, ours.guid, other.guid, None
    )
    count = len(await here.told())
    guids = [str(ours.guid), str(made.value.guid)]
    theirs = remote_entity(guids[0], home=FIRST)
    related = replace(
        RELATIONSHIP, guid=guids[1], metadata_collection_id=FIRST.id, version=0
    )
    # Nobody gives way to who isn't in the cohort.
    mended = await adopt(here, theirs, related, owner=FIRST)
    assert mended.moved == ()
    assert [guid for guid, _ in mended.refused] == guids
    assert len(await here.told()) == count
    here.known_collections.add(FIRST.id)
    # Nor by the word of somebody else.
    mended = await adopt(here, theirs, related, owner=FIRST, teller=REMOTE)
    assert mended.moved == ()
    mended = await adopt(here, theirs, related, owner=FIRST)
    assert mended.saved == 2
    assert entity(here, guids[0]) == theirs
    assert relationship(here, guids[1]) == related
    events = (await here.instance_events())[count:]
    assert [event.event_type for event in events] == [
        Event.RE_IDENTIFIED_ENTITY_EVENT,
        Event.PURGED_ENTITY_EVENT,
        Event.RE_IDENTIFIED_RELATIONSHIP_EVENT,
        Event.PURGED_RELATIONSHIP_EVENT,
    ]
    moved, last = events[0].entity, events[2].relationship
    assert moved is not None
    assert last is not None
    assert mended.moved == ((guids[0], moved.guid), (guids[1], last.guid))
    assert entity(here, str(moved.guid)) == moved
    assert last.entity_one_proxy is not None
    assert last.entity_one_proxy.guid == moved.guid


@pytest.mark.parametrize("version", [1, 2**31 - 1])
async def test_what_a_member_claimed_goes_when_it_has_left(
    here: Member, version: int
) -> None:
    here.known_collections.add(FIRST.id)
    theirs, claimed = remote_entity(), remote_entity(home=FIRST, version=version)
    await adopt(here, theirs)
    await adopt(here, claimed, owner=FIRST)
    assert entity(here) == claimed
    await remove(here, FIRST)
    assert await adopt(here, theirs) == Mended(1, 0)
    assert entity(here) == theirs
    # And doesn't come back, not as what an archive brought either.
    packed = replace(claimed, instance_provenance_type=PACKED, version=2**31 - 1)
    for forged in (claimed, packed):
        await adopt(here, forged, owner=FIRST, teller=THIRD)
    elsewhere = replace(packed, metadata_collection_id=ARCHIVE.id)
    await adopt(here, elsewhere, owner=ARCHIVE, teller=THIRD)
    assert entity(here) == theirs


async def test_others_instances_are_not_adopted(here: Member) -> None:
    theirs = remote_entity(home=THIRD)
    await here.hear(THIRD.id, outbound.created(theirs))
    assert await adopt(here, replace(theirs, version=9)) == Mended(0, 0)
    assert entity(here) == theirs
    related = replace(RELATIONSHIP, metadata_collection_id=THIRD.id)
    mended = await adopt(here, related)
    assert mended.refused == (("remote-r", f"{THIRD.id} answers for it"),)


async def test_of_two_owners_all_keep_the_same(here: Member) -> None:
    states = [
        remote_entity(home=home, version=v) for home in (REMOTE, THIRD) for v in (3, 4)
    ]
    for first in states:
        for second in states:
            for state in (first, second):
                home = Home(str(state.metadata_collection_id), "")
                await adopt(here, state, owner=home)
            kept = max(
                (first, second),
                key=lambda s: s.metadata_collection_id == REMOTE.id,
            )
            same_home = first.metadata_collection_id == second.metadata_collection_id
            assert entity(here) == (second if same_home else kept)
            await here.repository.change(lambda tx: tx.purge_entity("remote-1"))


async def test_an_owner_says_that_it_gave_an_instance_away(here: Member) -> None:
    await here.hear(REMOTE.id, outbound.created(remote_entity()))
    moved = remote_entity(home=THIRD, version=4)
    await adopt(here, moved)
    assert entity(here) == moved


# What an owner gave to entities of others


async def test_classifications_of_an_owner_are_put_right(here: Member) -> None:
    theirs = remote_entity(home=THIRD)
    await here.hear(THIRD.id, outbound.created(theirs))
    old = remote_classification("Impact")
    await here.hear(REMOTE.id, outbound.classified(theirs, old))
    new = remote_classification(version=0)
    held = replace(theirs, version=1, classifications=(new,))
    assert await adopt(here, held) == Mended(1, 0)
    assert entity(here) == replace(theirs, classifications=(new,))
    assert await adopt(here, held) == Mended(0, 0)
    assert await adopt(here, "remote-1") == Mended(0, 1)
    assert entity(here) == theirs
    assert await adopt(here, "remote-1") == Mended(0, 0)


async def test_classifications_of_an_unknown_entity_wait_at_a_proxy(
    here: Member,
) -> None:
    given = remote_classification()
    await adopt(here, remote_entity(home=THIRD, classifications=(given,)))
    stored = here.repository.entity("remote-1")
    assert stored is not None
    assert stored.is_proxy
    await here.hear(THIRD.id, outbound.created(remote_entity(home=THIRD)))
    assert classification_of(entity(here), "Confidentiality") == given
    await adopt(here, remote_proxy("p", metadata_collection_id=THIRD.id))
    assert not holds(here, "p")


async def test_our_entities_get_what_others_gave_them(here: Member) -> None:
    ours = await own_term(here)
    given = remote_classification()
    held = replace(ours, version=9, classifications=(given,))
    await adopt(here, held)
    assert entity(here, str(ours.guid)) == replace(ours, classifications=(given,))
    await adopt(here, str(ours.guid))
    assert entity(here, str(ours.guid)) == ours


async def test_what_the_home_of_an_entity_gave_holds_against_others(
    here: Member,
) -> None:
    ours = await own_term(here)
    guid = str(ours.guid)
    await here.collection.classify_entity(
        USER, guid, "Confidentiality", ClassificationSource(), None
    )
    classified = entity(here, guid)
    forged = remote_classification(create_time=1, version=9)
    held = replace(ours, version=9, classifications=(forged,))
    assert await adopt(here, held) == Mended(0, 0)
    assert entity(here, guid) == classified


async def test_what_a_member_gave_that_left_gives_way_to_what_others_hold(
    here: Member,
) -> None:
    forged = remote_classification(create_time=1, metadata_collection_id=FIRST.id)
    here.known_collections.add(FIRST.id)
    theirs = remote_entity(home=THIRD)
    await adopt(here, theirs, owner=THIRD)
    await adopt(here, replace(theirs, classifications=(forged,)), owner=FIRST)
    given = remote_classification()
    held = replace(theirs, classifications=(given,))
    assert await adopt(here, held) == Mended(0, 0)
    await remove(here, FIRST)
    assert await adopt(here, held) == Mended(1, 0)
    assert entity(here) == held


# Archives, of which no store is the owner


@pytest.mark.parametrize(
    "pack",
    [
        remote_entity(home=ARCHIVE, instance_provenance_type=PACKED),
        remote_entity(home=ARCHIVE, replicated_by=REMOTE.id),
    ],
    ids=["content pack", "export"],
)
async def test_of_an_archive_the_newer_holds_and_nothing_goes(
    here: Member, pack: EntityDetail
) -> None:
    for version, kept in ((3, 3), (2, 3), (4, 4), (3, 4)):
        told = replace(pack, version=version)
        await adopt(here, told, owner=ARCHIVE, teller=THIRD)
        assert entity(here).version == kept
    assert await adopt(here, "remote-1", owner=ARCHIVE, teller=THIRD) == Mended(0, 0)
    assert holds(here)


# What can't be stored


@pytest.mark.parametrize(
    "broken",
    [
        StateFrame("remote-1", "Classification", b"{}"),
        StateFrame("remote-1", "EntityDetail", b"{"),
        StateFrame("remote-1", "Relationship", CODEC.encode(remote_entity())),
        replace(frame(remote_entity()), guid="another"),
        frame(remote_entity(metadata_collection_id=None)),
        frame(remote_entity(type=None)),
        frame(remote_entity(type=replace(instance_type("GlossaryTerm"), type_def_guid="x"))),
        frame(remote_entity(type=instance_type("TermCategorization"))),
        frame(remote_entity("remote-r")),
        frame(replace(RELATIONSHIP, guid="r2", entity_one_proxy=None)),
        frame(replace(RELATIONSHIP, guid="r2", entity_one_proxy=remote_proxy("remote-r"))),
        frame(replace(RELATIONSHIP, guid="known")),
    ],
)  # fmt: skip
async def test_what_can_not_be_stored_is_left_out(
    here: Member, broken: StateFrame
) -> None:
    await here.hear(REMOTE.id, outbound.created(RELATIONSHIP))
    await here.hear(REMOTE.id, outbound.created(remote_entity("known")))
    frames = [broken, frame(remote_entity("good"))]
    mended = await here.collection.adopt_states(REMOTE.id, REMOTE.id, frames)
    assert [guid for guid, _ in mended.refused] == [broken.guid]
    assert mended.saved == 1
    assert holds(here, "good")
    assert not holds(here, "remote-1")


# A store that was put back


async def test_ours_comes_back_from_those_who_hold_it(tmp_path: Path) -> None:
    async with cohort(tmp_path, "a", "b") as (ours, other):
        one, two = await own_term(ours), await own_term(ours)
        made = await ours.collection.add_relationship(
            USER, type_guid("RelatedTerm"), None, one.guid, two.guid, None
        )
        for guid in (one.guid, two.guid):
            await ours.collection.update_entity_properties(
                USER, str(guid), properties(qualifiedName="newer")
            )
        await ours.collection.classify_entity(
            USER, str(one.guid), "Retention", ClassificationSource(), None
        )
        theirs = await own_term(other)
        await ours.follow(other)
        await ours.collection.classify_entity(
            USER, str(theirs.guid), "Retention", ClassificationSource(), None
        )
        await other.follow(ours)
        before = await ours.holdings()

        def put_back(tx: object) -> None:
            tx.save_entity(one, START)  # type: ignore[attr-defined]
            tx.purge_entity(str(two.guid))  # type: ignore[attr-defined]
            tx.save_entity(theirs, START)  # type: ignore[attr-defined]

        await ours.repository.change(put_back)
        assert await ours.holdings() != before
        count = len(await ours.told())
        guids = [str(known.guid) for known in (one, two, made.value, theirs)]
        frames = [*await other.frames(guids), StateFrame("unknown")]
        mended = await ours.collection.take_back_states(frames)
        assert mended == Mended(4, 0)
        assert await ours.holdings() == before
        assert len(await ours.told()) == count
        assert await ours.collection.take_back_states(frames) == Mended(0, 0)


async def test_what_became_of_ours_since_stays(here: Member) -> None:
    ours = await own_term(here)
    newer = await here.collection.update_entity_properties(
        USER, str(ours.guid), properties(qualifiedName="newer")
    )
    frames = [frame(ours), frame(replace(newer.value, properties=None))]
    assert await here.collection.take_back_states(frames) == Mended(0, 0)
    missing = [StateFrame(str(ours.guid))]
    assert await here.collection.take_back_states(missing) == Mended(0, 0)
    assert entity(here, str(ours.guid)) == newer.value


async def test_what_was_moved_here_comes_back_as_ours(here: Member) -> None:
    await here.hear(REMOTE.id, outbound.created(remote_entity()))
    ours = remote_entity(home=here.home, version=4)
    assert await here.collection.take_back_states([frame(ours)]) == Mended(1, 0)
    assert entity(here) == ours


async def remove(member: Member, other: Home) -> None:
    """Have a member forget another one."""
    member.known_collections.discard(other.id)
    await member.repository.remove_member(other.id)


async def test_who_is_no_member_any_more_is_no_archive(here: Member) -> None:
    told = remote_entity()
    await adopt(here, told)
    await remove(here, REMOTE)
    await adopt(here, replace(told, version=9), teller=THIRD)
    packed = replace(told, instance_provenance_type=PACKED)
    loaded = replace(told, replicated_by=THIRD.id)
    for forged in (replace(packed, version=9), replace(loaded, version=9)):
        await adopt(here, forged, teller=THIRD)
    assert entity(here) == told
    for forged in (packed, loaded):
        await adopt(here, replace(forged, guid="new"), teller=THIRD)
    assert not holds(here, "new")


async def test_what_is_known_as_a_members_is_no_archives(here: Member) -> None:
    """Even where it isn't remembered that there was such a member."""
    told = remote_entity()
    await adopt(here, told)
    here.known_collections.discard(REMOTE.id)
    forged = replace(told, version=9, instance_provenance_type=PACKED)
    await adopt(here, forged, teller=THIRD)
    assert entity(here) == told


async def test_nobody_classifies_in_the_name_of_who_left(here: Member) -> None:
    theirs = remote_entity(home=THIRD)
    given = remote_classification("Impact")
    await adopt(here, theirs, owner=THIRD)
    await adopt(here, replace(theirs, classifications=(given,)))
    known = entity(here)
    assert known.classifications == (given,)
    await remove(here, REMOTE)
    forged = (
        remote_classification(),
        remote_classification("Retention", instance_provenance_type=PACKED),
        replace(given, version=99),
    )
    new, related = replace(theirs, guid="new"), replace(RELATIONSHIP, guid="r")
    related = replace(
        related,
        metadata_collection_id=THIRD.id,
        entity_one_proxy=remote_proxy("end", classifications=forged),
    )
    for owner in (REMOTE, THIRD):
        for told in (theirs, new, related):
            if isinstance(told, EntityDetail):
                told = replace(told, classifications=forged)
            await adopt(here, told, owner=owner, teller=THIRD)
        await adopt(here, theirs, owner=owner, teller=THIRD)
    assert entity(here) == known
    assert entity(here, "new") == new
    end = here.repository.entity("end")
    assert end is not None
    assert end.document.value.classifications is None


async def test_nothing_is_given_to_who_left(here: Member) -> None:
    theirs = remote_entity(home=THIRD)
    await adopt(here, remote_entity("r"))
    await adopt(here, theirs, owner=THIRD)
    await remove(here, REMOTE)
    await adopt(here, remote_entity(version=9), owner=THIRD)
    assert entity(here) == theirs
