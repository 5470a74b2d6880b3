"""Merging, against what one store of everything would answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.federation.merge import (
    MemberAnswer,
    OneEntity,
    copies_in,
    first_share,
    member_paging,
    merged_classifications,
    merged_entities,
    merged_entity,
    merged_graphs,
    merged_relationship,
    merged_relationships,
    more_room,
)
from edgenode.instances.conditions import Paging, SequencingOrder
from edgenode.instances.document import Document
from edgenode.instances.matching import sequenced
from edgenode.instances.model import (
    EntityDetail,
    InstanceProvenanceType,
    Relationship,
)
from edgenode.instances.provenance import Home
from edgenode.repository.base import Graph
from tests.model.house import (
    CODEC,
    START,
    properties,
    remote_classification,
    remote_entity,
    remote_proxy,
    remote_relationship,
)

MEMBERS = ("a", "b", "c")
UNPAGED = Paging()


def entity(
    guid: str, owner: str, version: int = 1, *, named: str = "x", **changes: Any
) -> EntityDetail:
    return remote_entity(
        guid,
        version=version,
        home=Home(owner, owner),
        properties=properties(qualifiedName=named),
        **changes,
    )


def classification(owner: str, version: int = 1, name: str = "Confidentiality") -> Any:
    return remote_classification(
        name,
        version=version,
        metadata_collection_id=owner,
        metadata_collection_name=owner,
    )


def documents(beans: Sequence[Any]) -> list[Document[Any]]:
    """Instances as they come from a store or over the wire: nobody has decoded them."""
    return [CODEC.stored_document(type(bean), CODEC.encode(bean)) for bean in beans]


def answers(lists: Mapping[str, Sequence[Any]]) -> list[MemberAnswer[Any]]:
    return [MemberAnswer(member, documents(beans)) for member, beans in lists.items()]


def merged(lists: Mapping[str, Sequence[Any]], paging: Paging = UNPAGED) -> list[Any]:
    return [each.value for each in merged_entities(answers(lists), paging, CODEC)]


# Whole and parts


@dataclass(frozen=True)
class Split:
    """Instances at their owners, and late copies of them elsewhere."""

    whole: list[EntityDetail]
    lists: dict[str, list[EntityDetail]]


@st.composite
def splits(draw: st.DrawFn) -> Split:
    whole: list[EntityDetail] = []
    lists: dict[str, list[EntityDetail]] = {member: [] for member in MEMBERS}
    for number in range(draw(st.integers(0, 8))):
        owner = draw(st.sampled_from(MEMBERS))
        name, time = st.sampled_from("pqrs"), st.integers(START, START + 2)
        version = draw(st.integers(1, 3))
        truth = entity(
            f"g{draw(st.integers(0, 999)):03}-{number}",
            owner,
            version,
            named=draw(name),
            create_time=draw(time),
            update_time=draw(st.none() | time),
        )
        whole.append(truth)
        lists[owner].append(truth)
        for member in set(MEMBERS) - {owner}:
            if draw(st.booleans()):
                late = replace(
                    truth,
                    version=draw(st.integers(1, version)),
                    update_time=draw(st.none() | time),
                    properties=properties(qualifiedName=draw(name)),
                )
                lists[member].append(late)
    gone = draw(st.integers(0, 3))
    for number in range(gone):  # purged at home, and some haven't heard of it
        owner, holder = draw(st.permutations(MEMBERS))[:2]
        lists[holder].append(entity(f"g{number}-gone", owner))
    for held in lists.values():
        held.sort(key=lambda each: draw(st.integers(0, 9)))
    return Split(whole, lists)


def asked(held: Sequence[EntityDetail], paging: Paging) -> list[EntityDetail]:
    """What a member answers that holds these."""
    ordered = sequenced(held, paging.sequencing_order, paging.sequencing_property)
    end = paging.offset + paging.page_size if paging.page_size else None
    return ordered[paging.offset : end]


def page_of(split: Split, paging: Paging, share: int) -> list[EntityDetail]:
    """One page, as it is asked for; at first for so much of everybody."""
    whole = member_paging(paging)
    wanted = replace(whole, page_size=min(share, whole.page_size))
    lists = answers({who: asked(held, wanted) for who, held in split.lists.items()})
    room = dict.fromkeys(MEMBERS, wanted.page_size)
    page = merged_entities(lists, paging, CODEC)
    while more := more_room(lists, room, page, paging, CODEC):
        anew = {
            who: asked(split.lists[who], replace(whole, page_size=size))
            for who, size in more.items()
        }
        lists = [each for each in lists if each.member not in more] + answers(anew)
        room |= more
        page = merged_entities(lists, paging, CODEC)
    return [each.value for each in page]


@given(split=splits(), order=st.sampled_from(SequencingOrder))
def test_the_parts_make_the_whole(split: Split, order: SequencingOrder) -> None:
    paging = Paging(sequencing_order=order, sequencing_property="qualifiedName")
    found = page_of(split, paging, 0)
    if order is SequencingOrder.ANY:
        assert sorted(found, key=lambda each: str(each.guid)) == sorted(
            split.whole, key=lambda each: str(each.guid)
        )
    else:
        assert found == sequenced(split.whole, order, "qualifiedName")


@given(
    split=splits(),
    order=st.sampled_from(SequencingOrder),
    size=st.integers(1, 5),
    share=st.integers(1, 10),
)
def test_the_pages_make_the_whole(
    split: Split, order: SequencingOrder, size: int, share: int
) -> None:
    def page(offset: int, page_size: int) -> list[EntityDetail]:
        paging = Paging(
            offset=offset,
            page_size=page_size,
            sequencing_order=order,
            sequencing_property="qualifiedName",
        )
        return page_of(split, paging, share)

    in_order = order if order is not SequencingOrder.ANY else SequencingOrder.GUID
    whole = sequenced(split.whole, in_order, "qualifiedName")
    pages = [page(offset, size) for offset in range(0, len(whole) + size, size)]
    assert [each for some in pages for each in some] == whole
    assert all(len(some) <= size for some in pages)
    assert page(size, 0) == whole[size:]


@given(split=splits(), missing=st.sampled_from(MEMBERS))
def test_copies_stand_in_for_who_is_missing(split: Split, missing: str) -> None:
    present = {who: held for who, held in split.lists.items() if who != missing}
    found = {str(each.guid): each for each in merged(present)}
    for truth in split.whole:
        if truth.metadata_collection_id != missing:
            assert found.pop(str(truth.guid)) == truth
    for guid, copy in found.items():
        held = [each for some in present.values() for each in some if each.guid == guid]
        assert copy.metadata_collection_id == missing
        assert copy.version == max(each.version for each in held)


# Classifications


@st.composite
def classified(draw: st.DrawFn) -> tuple[EntityDetail, dict[str, EntityDetail]]:
    """An entity with classifications of several members, and what each has of it."""
    owner = draw(st.sampled_from(MEMBERS))
    names = ("Confidentiality", "Confidence", "Criticality")
    truths = [
        classification(draw(st.sampled_from(MEMBERS)), draw(st.integers(1, 3)), name)
        for name in names
        if draw(st.booleans())
    ]
    gone = [
        classification(draw(st.sampled_from(MEMBERS)), 5, name)
        for name in names
        if name not in {each.name for each in truths}
    ]
    whole = entity("g", owner, 3, classifications=tuple(truths))
    held = {}
    for member in MEMBERS:
        known = [
            each
            if each.metadata_collection_id == member
            else replace(each, version=draw(st.integers(1, each.version)))
            for each in truths
            if each.metadata_collection_id == member or draw(st.booleans())
        ]
        known += [
            each
            for each in gone
            if each.metadata_collection_id != member and draw(st.booleans())
        ]
        version = 3 if member == owner else draw(st.integers(1, 3))
        held[member] = replace(
            whole, version=version, classifications=tuple(known) or None
        )
    return whole, held


def in_order(found: EntityDetail) -> EntityDetail:
    names = sorted(found.classifications or (), key=lambda each: str(each.name))
    return replace(found, classifications=tuple(names) or None)


@given(classified())
def test_classifications_are_those_of_their_owners(
    drawn: tuple[EntityDetail, dict[str, EntityDetail]],
) -> None:
    whole, held = drawn
    one = merged_entity(
        [
            MemberAnswer(member, OneEntity(documents([bean])[0]))
            for member, bean in held.items()
        ],
        CODEC,
    )
    assert one is not None
    (listed,) = merged({member: [bean] for member, bean in held.items()})
    for found in (one.value, listed):
        known = {each.name: each for each in found.classifications or ()}
        for truth in whole.classifications or ():
            assert known[truth.name] == truth
        assert (found.guid, found.version) == (whole.guid, whole.version)
    assert in_order(one.value) == in_order(whole)


def test_a_classification_given_to_somebody_elses_entity_is_not_lost() -> None:
    given_by_b = classification("b")
    copy = entity("g", "a", classifications=(given_by_b,))
    (found,) = merged({"a": [entity("g", "a", 2)], "b": [copy]})
    assert (found.version, found.classifications) == (2, (given_by_b,))
    # What its owner doesn't find by its classification yet, the classification's does.
    assert merged({"a": [], "b": [copy]}) == [copy]
    assert merged({"a": [], "c": [copy]}) == []


def test_of_two_classifications_the_owners_counts_then_the_higher_version() -> None:
    late, newer = classification("x", 1), classification("x", 2)
    told = [MemberAnswer("a", (late,)), MemberAnswer("b", (newer,))]
    assert merged_classifications(told) == (newer,)
    own = classification("a", 1)
    told = [MemberAnswer("b", (newer,)), MemberAnswer("a", (own,))]
    assert merged_classifications(told) == (own,)


# One instance


def one(**held: EntityDetail | None) -> EntityDetail | None:
    told = [
        MemberAnswer(member, OneEntity(documents([bean])[0] if bean else None))
        for member, bean in held.items()
    ]
    found = merged_entity(told, CODEC)
    return None if found is None else found.value


def test_the_owner_decides_whether_there_is_an_entity() -> None:
    copy = entity("g", "a", 7)
    assert one(b=copy, c=None) == copy
    assert one(a=None, b=copy) is None
    assert one(a=entity("g", "a", 5), b=copy) == entity("g", "a", 5)
    assert one(a=None) is None


def test_an_entity_that_got_another_home_is_the_new_homes() -> None:
    moved, left = entity("g", "c", 4), entity("g", "a", 3)
    assert one(a=moved, b=left, c=moved) == moved
    assert one(a=moved, b=left) == moved  # the new home is missing
    assert one(a=left, c=moved) == moved  # the old home hasn't heard of it


def test_of_two_entities_with_one_guid_the_lower_ids_holds() -> None:
    first, other = entity("g", "a", 1), entity("g", "b", 9, created_by="somebody")
    assert one(b=other, a=first) == first
    assert one(b=other, a=first, c=other) == first
    assert merged({"a": [first], "b": [other], "c": [other]}) == [first]
    later = entity("g", "c", 9, create_time=START + 1)
    assert one(c=later, b=other) == other


def test_what_an_archive_brought_is_nobodys_and_the_newest_counts() -> None:
    provenance = InstanceProvenanceType.CONTENT_PACK
    old, new = (
        entity("g", "archive", version, instance_provenance_type=provenance)
        for version in (1, 2)
    )
    assert one(a=old, b=new) == new
    assert merged({"a": [new], "b": [old]}) == [new]


def test_an_external_entity_belongs_to_who_replicates_it() -> None:
    external: dict[str, Any] = {
        "instance_provenance_type": InstanceProvenanceType.EXTERNAL_SOURCE,
        "replicated_by": "b",
    }
    truth, late = entity("g", "s", 1, **external), entity("g", "s", 3, **external)
    assert one(a=late, b=truth) == truth
    assert merged({"a": [late], "b": []}) == []


def test_classifications_of_members_without_the_entity_count() -> None:
    told = [
        MemberAnswer("a", OneEntity(documents([entity("g", "a")])[0])),
        MemberAnswer("b", OneEntity(None, (classification("b"),))),
    ]
    found = merged_entity(told, CODEC)
    assert found is not None
    assert found.value.classifications == (classification("b"),)


def test_what_one_member_alone_has_is_passed_on_as_it_is() -> None:
    told = answers({"a": [entity("g1", "a")], "b": [entity("g2", "b")]})
    found = merged_entities(told, UNPAGED, CODEC)
    assert [id(each) for each in found] == [id(each.answer[0]) for each in told]


# Relationships and graphs


def relation(guid: str, owner: str, version: int = 1) -> Relationship:
    return remote_relationship(
        remote_proxy("g1"),
        remote_proxy("g2"),
        guid,
        version=version,
        metadata_collection_id=owner,
    )


def test_relationships_merge_by_the_same_rule() -> None:
    lists = {
        "a": [relation("r1", "a", 2), relation("r2", "x", 1)],
        "b": [relation("r1", "a", 3), relation("r2", "x", 2), relation("r3", "a")],
    }
    found = merged_relationships(answers(lists), Paging(page_size=5), CODEC)
    assert [each.value for each in found] == [
        relation("r1", "a", 2),
        relation("r2", "x", 2),
    ]
    told = [MemberAnswer("b", documents([relation("r", "a")])[0])]
    known = merged_relationship(told)
    assert known is not None
    assert known.value == relation("r", "a")
    assert merged_relationship([*told, MemberAnswer("a", None)]) is None
    assert merged_relationship([]) is None


def test_graphs_are_united() -> None:
    graphs = [
        MemberAnswer(
            "a",
            Graph(documents([entity("g1", "a", 2)]), documents([relation("r", "b")])),
        ),
        MemberAnswer(
            "b",
            Graph(
                documents([entity("g1", "a", 3), entity("g2", "a")]),
                documents([relation("r", "b", 2)]),
            ),
        ),
    ]
    graph = merged_graphs(graphs, CODEC)
    # How far one member gets says nothing of what there is further on.
    assert [each.value for each in graph.entities] == [
        entity("g1", "a", 2),
        entity("g2", "a"),
    ]
    assert [each.value for each in graph.relationships] == [relation("r", "b", 2)]


# Pages and what they rest on


@pytest.mark.parametrize(
    ("wanted", "size", "order"),
    [
        (Paging(), 0, SequencingOrder.ANY),
        (Paging(page_size=10), 10, SequencingOrder.GUID),
        (Paging(offset=20, page_size=10), 30, SequencingOrder.GUID),
        (Paging(offset=5), 0, SequencingOrder.GUID),
        (
            Paging(offset=5, sequencing_order=SequencingOrder.LAST_UPDATE_RECENT),
            0,
            SequencingOrder.LAST_UPDATE_RECENT,
        ),
    ],
)
def test_members_are_asked_for_all_up_to_the_end_of_the_page(
    wanted: Paging, size: int, order: SequencingOrder
) -> None:
    asked_for = member_paging(wanted)
    assert (asked_for.offset, asked_for.page_size) == (0, size)
    assert asked_for.sequencing_order is order


@pytest.mark.parametrize(
    ("end", "members", "share"),
    [(0, 10, 0), (20, 10, 20), (500, 1, 500), (500, 2, 500), (500, 10, 95)],
)
def test_of_long_pages_members_are_asked_for_a_share(
    end: int, members: int, share: int
) -> None:
    assert first_share(end, members) == share


@pytest.mark.parametrize(
    ("paging", "more"),
    [
        (Paging(), {}),
        (Paging(page_size=24), {"a": 24, "b": 20}),
        (Paging(page_size=40), {"a": 40, "b": 30, "c": 20}),
        (Paging(offset=5, page_size=7), {"a": 20}),
        (Paging(offset=15, page_size=10), {"a": 25, "b": 20}),
        (Paging(offset=40, page_size=10), {"a": 50, "b": 50, "c": 50}),
    ],
)
def test_members_are_asked_for_as_many_more_as_may_be_in_the_page(
    paging: Paging, more: dict[str, int]
) -> None:
    held = {
        member: [entity(f"{member}{number}", member) for number in range(10)]
        for member in MEMBERS
    }
    lists = answers(held)
    page = merged_entities(lists, paging, CODEC)
    assert more_room(lists, dict.fromkeys(held, 10), page, paging, CODEC) == more
    assert more_room(lists, dict.fromkeys(held, 11), page, paging, CODEC) == {}


def test_copies_of_the_missing_are_named() -> None:
    found = documents([entity("g1", "a"), entity("g2", "b")])
    assert copies_in(found, {"b": "is off"}) == {"g2": "b"}
    assert copies_in(found, {}) == {}
