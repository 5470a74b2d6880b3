"""What the whole cohort's collection makes of what several members have."""

from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgenode.clock import SystemClock
from edgenode.collection.base import ClassificationSource
from edgenode.collection.participation import Participation, current
from edgenode.errors import (
    EntityNotKnownError,
    EntitySoftDeletedError,
    FunctionNotSupportedError,
    NegativePageSizeError,
    NoHomeForInstanceError,
    OMRSError,
    RelationshipNotKnownError,
)
from edgenode.federation import enterprise_queries
from edgenode.instances.conditions import MatchCriteria, Paging, SequencingOrder
from edgenode.instances.lifecycle import entity_proxy
from edgenode.instances.model import EntityDetail
from edgenode.instances.provenance import Home
from edgenode.repository.base import HistoryRange
from tests.contract.cohorts import Cohort, Member, enterprise_of, member
from tests.model.house import USER, properties, remote_entity, type_guid

TERM = type_guid("GlossaryTerm")
RELATED = type_guid("RelatedTerm")


async def add(member: Member, name: str) -> EntityDetail:
    made = await member.collection.add_entity(
        USER, TERM, properties(qualifiedName=name), None, None
    )
    return made.value


async def found(three: Cohort, paging: Paging | None = None) -> list[EntityDetail]:
    page = await three.enterprise.find_entities_by_property(
        USER,
        TERM,
        properties(qualifiedName=".*"),
        MatchCriteria.ALL,
        None,
        None,
        None,
        paging or Paging(),
    )
    return [each.value for each in page]


def noted() -> Participation:
    """What is noted of the calls from here on."""
    participation = Participation()
    current.set(participation)
    return participation


async def test_an_entity_of_another_member_is_read(three: Cohort) -> None:
    made = await add(three.birch, "theirs")
    note = noted()
    seen = await three.enterprise.get_entity_detail(USER, str(made.guid))
    assert seen.value == made
    assert note.answered == {"alder-id", "birch-id", "cedar-id"}
    assert note.is_complete
    assert note.copies == {}


async def test_a_change_goes_home_and_is_seen_at_once(three: Cohort) -> None:
    made = await add(three.birch, "theirs")
    await three.alder.has(made)
    changed = await three.enterprise.update_entity_properties(
        USER, str(made.guid), properties(qualifiedName="changed")
    )
    assert changed.value.metadata_collection_id == "birch-id"
    here = three.alder.collection.get_entity_detail(USER, str(made.guid))
    assert here.value == made, "the copy is late as yet"
    seen = await three.enterprise.get_entity_detail(USER, str(made.guid))
    assert seen.value == changed.value
    assert await found(three) == [changed.value]


async def test_what_is_purged_at_home_is_gone(three: Cohort) -> None:
    made = await add(three.birch, "theirs")
    await three.alder.has(made)
    await three.cedar.has(made)
    for change in (three.enterprise.delete_entity, three.enterprise.purge_entity):
        await change(USER, TERM, "GlossaryTerm", str(made.guid))
    with pytest.raises(EntityNotKnownError):
        await three.enterprise.get_entity_detail(USER, str(made.guid))
    assert await three.enterprise.is_entity_known(USER, str(made.guid)) is None
    assert await found(three) == []


async def test_what_is_deleted_at_home_is_deleted_and_comes_back(three: Cohort) -> None:
    made = await add(three.birch, "theirs")
    await three.alder.has(made)
    guid = str(made.guid)
    await three.birch.collection.delete_entity(USER, TERM, "GlossaryTerm", guid)
    with pytest.raises(EntitySoftDeletedError):
        await three.enterprise.get_entity_detail(USER, guid)
    with pytest.raises(EntitySoftDeletedError):
        await three.enterprise.get_entity_summary(USER, guid)
    deleted = three.birch.collection.is_entity_known(USER, guid)
    assert deleted is not None
    with pytest.raises(EntitySoftDeletedError):
        await three.enterprise.get_entity_detail(USER, guid, deleted.value.update_time)
    restored = await three.enterprise.restore_entity(USER, guid)
    assert restored.value.version == 3


async def test_entities_of_different_members_are_related(three: Cohort) -> None:
    one, two = await add(three.birch, "one"), await add(three.cedar, "two")
    made = await three.enterprise.add_relationship(
        USER, RELATED, None, str(one.guid), str(two.guid), None
    )
    assert made.value.metadata_collection_id == "alder-id"
    graph = await three.enterprise.get_entity_neighborhood(
        USER, str(one.guid), None, None, None, None, None, 1
    )
    assert [each.value.guid for each in graph.relationships] == [made.value.guid]
    # Nobody has more of the other end than a proxy but its home, which is asked for it.
    assert {each.value.guid for each in graph.entities} == {one.guid, two.guid}
    changed = await three.enterprise.update_relationship_properties(
        USER, str(made.value.guid), properties(description="near")
    )
    assert changed.value.version == 2


async def a_chain(three: Cohort) -> list[str]:
    """Entities of three members, each of whom knows the next one by a proxy alone."""
    members = (three.alder, three.birch, three.cedar)
    entities = [await add(each, str(each.home.name)) for each in members]
    for at, one, two in zip(members, entities, entities[1:], strict=False):
        await at.collection.add_entity_proxy(USER, entity_proxy(two, frozenset()))
        await at.collection.add_relationship(
            USER, RELATED, None, str(one.guid), str(two.guid), None
        )
    return [str(each.guid) for each in entities]


async def around(three: Cohort, guid: str, level: int) -> tuple[set[str | None], int]:
    """The entities in a neighbourhood, and how many relationships there are."""
    graph = await three.enterprise.get_entity_neighborhood(
        USER, guid, None, None, None, None, None, level
    )
    return {each.value.guid for each in graph.entities}, len(graph.relationships)


async def test_a_neighbourhood_goes_on_where_the_next_home_knows_the_way(
    three: Cohort,
) -> None:
    one, two, last = await a_chain(three)
    note = noted()
    assert await around(three, one, 0) == ({one}, 0)
    assert await around(three, one, 1) == ({one, two}, 1)
    assert await around(three, one, 2) == ({one, two, last}, 2)
    assert await around(three, two, 1) == ({one, two, last}, 2)
    assert await around(three, last, 1) == ({two, last}, 1)
    assert note.is_complete


async def test_a_walk_that_is_too_long_says_who_knows_more(
    three: Cohort, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enterprise_queries, "MAX_WALK_QUESTIONS", 4)
    one, two, _ = await a_chain(three)
    note = noted()
    found, _ = await around(three, one, 2)
    assert found == {one, two}
    assert list(note.missing) == [three.cedar.home.id]
    assert "more is around it" in note.missing[three.cedar.home.id]


async def test_a_relationship_of_others_is_changed_at_home(three: Cohort) -> None:
    one, two = await add(three.birch, "one"), await add(three.birch, "two")
    made = await three.birch.collection.add_relationship(
        USER, RELATED, None, str(one.guid), str(two.guid), None
    )
    guid = str(made.value.guid)
    changed = await three.enterprise.update_relationship_properties(
        USER, guid, properties(description="near")
    )
    seen = await three.enterprise.get_relationship(USER, guid)
    assert seen.value == changed.value
    around = await three.enterprise.get_relationships_for_entity(
        USER, str(one.guid), None, None, None, Paging(page_size=5)
    )
    assert [each.value for each in around] == [changed.value]


async def test_classifications_belong_to_who_gave_them(three: Cohort) -> None:
    made = await add(three.birch, "theirs")
    await three.cedar.has(made)
    guid = str(made.guid)
    given = await three.enterprise.classify_entity(
        USER,
        guid,
        "Confidentiality",
        ClassificationSource(),
        properties(notes="by home"),
    )
    (first,) = given.value.classifications or ()
    assert first.metadata_collection_id == "birch-id"
    await three.cedar.collection.classify_entity(
        USER, guid, "Confidence", ClassificationSource(), properties(notes="by cedar")
    )
    seen = await three.enterprise.get_entity_detail(USER, guid)
    assert {
        each.name: each.metadata_collection_id
        for each in seen.value.classifications or ()
    } == {"Confidentiality": "birch-id", "Confidence": "cedar-id"}
    by_name = await three.enterprise.find_entities_by_classification(
        USER, TERM, "Confidence", None, None, None, None, Paging(page_size=5)
    )
    assert [each.value.guid for each in by_name] == [guid]

    await three.enterprise.update_entity_classification(
        USER, guid, "Confidence", properties(notes="again")
    )
    await three.enterprise.declassify_entity(USER, guid, "Confidentiality")
    seen = await three.enterprise.get_entity_detail(USER, guid)
    (left,) = seen.value.classifications or ()
    assert (left.name, left.version) == ("Confidence", 2)
    summary = await three.enterprise.get_entity_summary(USER, guid)
    assert summary.value.classifications == (left,)


async def test_nobody_changes_what_belongs_to_nobody(three: Cohort) -> None:
    orphan = remote_entity("orphan")
    await three.alder.has(orphan)
    seen = await three.enterprise.get_entity_detail(USER, "orphan")
    assert seen.value.guid == "orphan"
    with pytest.raises(NoHomeForInstanceError) as raised:
        await three.enterprise.update_entity_properties(USER, "orphan", properties())
    assert raised.value.parameters == (
        "updateEntityProperties",
        "orphan",
        str(orphan.metadata_collection_id),
    )


@pytest.mark.parametrize(
    "order",
    [
        SequencingOrder.ANY,
        SequencingOrder.CREATION_DATE_OLDEST,
        SequencingOrder.PROPERTY_DESCENDING,
    ],
)
async def test_pages_of_several_members_join(
    three: Cohort, order: SequencingOrder
) -> None:
    made = [
        await add(member, f"{number % 3}")
        for number in range(4)
        for member in (three.alder, three.birch, three.cedar)
    ]
    late = [replace(each, properties=properties(qualifiedName="5")) for each in made]
    gone = [remote_entity(f"0{number}") for number in range(3)]
    gone = [replace(each, metadata_collection_id="birch-id") for each in gone]
    for holder, own in ((three.alder, 0), (three.birch, 1), (three.cedar, 2)):
        await holder.has(*(each for at, each in enumerate(late) if at % 3 != own))
    await three.cedar.has(*gone)

    async def page(offset: int, size: int) -> list[EntityDetail]:
        return await found(
            three,
            Paging(
                offset=offset,
                page_size=size,
                sequencing_order=order,
                sequencing_property="qualifiedName",
            ),
        )

    whole = await page(0, 0)
    pages = [each for offset in range(0, 14, 2) for each in await page(offset, 2)]
    assert sorted(map(guid_of, pages)) == sorted(map(guid_of, made))
    assert {guid_of(each): each for each in whole} == {guid_of(e): e for e in made}
    if order is not SequencingOrder.ANY:
        assert pages == whole


async def test_a_long_page_is_whole_although_one_member_has_most_of_it(
    tmp_path: Path,
) -> None:
    homes = [Home(f"{number}-id", f"{number}") for number in range(6)]
    async with AsyncExitStack() as stack:
        first, *others = [
            await stack.enter_async_context(
                member(home, tmp_path / f"{home.name}.db", SystemClock(), homes)
            )
            for home in homes
        ]
        asked: list[tuple[str, int]] = []
        collections = {
            each.home: Asked(each, asked, each.collection) for each in others
        }
        enterprise, _ = enterprise_of(first, collections, SystemClock())
        made = [await add(others[0], f"{number:03}") for number in range(100)]
        made += [await add(others[1], "1000")]
        paging = Paging(
            page_size=100,
            sequencing_order=SequencingOrder.PROPERTY_ASCENDING,
            sequencing_property="qualifiedName",
        )
        page = await enterprise.find_entities_by_property(
            USER, TERM, None, None, None, None, None, paging
        )
    assert [each.value for each in page] == made[:100]
    shares = [(str(each.home.name), 45) for each in others]
    assert asked == [*shares, ("1", 100)], "only who may have more is asked again"


class Asked:
    """Passes searches on, and notes how much they ask for."""

    def __init__(
        self, member: Member, asked: list[tuple[str, int]], collection: Any
    ) -> None:
        self._name = str(member.home.name)
        self._asked = asked
        self._collection = collection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)

    def find_entities_by_property(self, *arguments: Any) -> Any:
        self._asked.append((self._name, arguments[-1].page_size))
        return self._collection.find_entities_by_property(*arguments)


def guid_of(entity: EntityDetail) -> str:
    return str(entity.guid)


async def test_this_member_alone_is_asked_if_there_is_no_time(three: Cohort) -> None:
    theirs, ours = await add(three.birch, "theirs"), await add(three.alder, "ours")
    await three.alder.has(theirs)
    current.set(note := Participation(seconds=0))
    assert sorted(map(guid_of, await found(three))) == sorted(
        map(guid_of, [theirs, ours])
    )
    assert note.answered == {"alder-id"}
    assert set(note.missing) == {"birch-id", "cedar-id"}
    assert note.copies == {guid_of(theirs): "birch-id"}


async def test_why_this_member_alone_answers_is_told(three: Cohort) -> None:
    theirs = await add(three.birch, "theirs")
    three.members.update((), alone="it is away")
    note = noted()
    assert await found(three) == []
    assert (note.alone, note.answered) == ("it is away", {"alder-id"})
    with pytest.raises(EntityNotKnownError):
        await three.enterprise.update_entity_properties(
            USER, str(theirs.guid), properties(qualifiedName="changed")
        )


async def test_who_finds_fault_with_the_question_took_part(three: Cohort) -> None:
    ask = three.enterprise.find_entities_by_property
    broken = properties(qualifiedName="[")
    for asked_type, wanted in (("no-such-type", None), (TERM, broken)):
        note = noted()
        with pytest.raises(OMRSError):
            await ask(
                USER, asked_type, wanted, MatchCriteria.ALL, None, None, None, Paging()
            )
        assert note.answered == {"alder-id", "birch-id", "cedar-id"}
        assert note.is_complete, "it is the question that is wrong"


async def test_who_finds_fault_with_it_alone_has_no_part_in_the_answer(
    three: Cohort,
) -> None:
    refuser: Any = Refuser(
        three.birch.collection, NegativePageSizeError(-1, "pageSize", "find", "x")
    )
    enterprise, _ = enterprise_of(
        three.alder,
        {three.birch.home: refuser, three.cedar.home: three.cedar.collection},
        SystemClock(),
    )
    made = await add(three.cedar, "theirs")
    note = noted()
    assert await found(replace(three, enterprise=enterprise)) == [made]
    assert note.missing.keys() == {"birch-id"}


class Refuser:
    """A member that finds fault with whatever it is asked to find."""

    def __init__(self, collection: Any, error: OMRSError) -> None:
        self._collection = collection
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)

    def find_entities_by_property(self, *_: Any) -> Any:
        raise self._error


async def test_types_are_the_members_own(three: Cohort) -> None:
    local, enterprise = three.alder.collection, three.enterprise
    assert enterprise.get_all_types(USER) == local.get_all_types(USER)
    assert enterprise.get_type_def_by_name(USER, "GlossaryTerm").guid == TERM
    assert enterprise.get_metadata_collection_id(USER) == "alder-id"


async def test_the_home_tells_all_versions(three: Cohort) -> None:
    made = await add(three.birch, "first")
    guid = guid_of(made)
    await three.alder.has(made)
    await three.birch.collection.update_entity_properties(
        USER, guid, properties(qualifiedName="second")
    )
    await three.birch.collection.delete_entity(USER, TERM, "GlossaryTerm", guid)
    note = noted()
    told = await three.enterprise.get_entity_detail_history(USER, guid, HistoryRange())
    assert [each.value.version for each in told] == [3, 2, 1]
    assert (note.missing, note.copies) == ({}, {})
    one, two = await add(three.cedar, "one"), await add(three.cedar, "two")
    linked = await three.enterprise.add_relationship(
        USER, RELATED, None, guid_of(one), guid_of(two), None
    )
    versions = await three.enterprise.get_relationship_history(
        USER, str(linked.value.guid), HistoryRange()
    )
    assert [each.value for each in versions] == [linked.value]


async def test_what_came_here_stands_in_for_the_history_of_a_home_that_is_gone(
    three: Cohort,
) -> None:
    made = await add(three.birch, "first")
    guid = guid_of(made)
    await three.alder.has(made)
    three.members.update([])
    note = noted()
    told = await three.enterprise.get_entity_detail_history(USER, guid, HistoryRange())
    assert [each.value for each in told] == [made]
    assert note.missing == {"birch-id": "isn't registered"}
    assert note.copies == {guid: "birch-id"}
    with pytest.raises(EntityNotKnownError):
        await three.enterprise.get_entity_detail_history(USER, "x", HistoryRange())
    with pytest.raises(RelationshipNotKnownError):
        await three.enterprise.get_relationship_history(USER, "x", HistoryRange())


async def test_members_of_a_cohort_that_was_left_are_named(three: Cohort) -> None:
    made = await add(three.birch, "first")
    guid = guid_of(made)
    await three.alder.has(made)
    three.members.update([], absent={"birch-id": "is in a cohort that was left"})
    for reading in (
        three.enterprise.get_entity_detail(USER, guid),
        three.enterprise.get_entity_detail_history(USER, guid, HistoryRange()),
    ):
        note = noted()
        await reading
        assert note.missing == {"birch-id": "is in a cohort that was left"}
        assert note.copies == {guid: "birch-id"}


async def test_one_members_business_is_not_the_cohorts(three: Cohort) -> None:
    asked: Any = three.enterprise
    for call in (
        asked.get_home_classifications(USER, "g"),
        asked.re_identify_entity(USER, None, None, "g", "h"),
        asked.save_entity_reference_copy(USER, None),
        asked.add_type_def(USER, None),
    ):
        with pytest.raises(FunctionNotSupportedError):
            await call


async def test_an_entity_that_moved_is_changed_at_its_new_home(three: Cohort) -> None:
    made = await add(three.birch, "theirs")
    await three.cedar.has(made)
    guid = guid_of(made)
    moved = await three.cedar.collection.re_home_entity(
        USER, guid, TERM, "GlossaryTerm", "birch-id", "cedar-id", "cedar"
    )
    seen = await three.enterprise.get_entity_detail(USER, guid)
    assert seen.value == moved.value
    changed = await three.enterprise.update_entity_properties(
        USER, guid, properties(qualifiedName="moved")
    )
    assert changed.value.metadata_collection_id == "cedar-id"
