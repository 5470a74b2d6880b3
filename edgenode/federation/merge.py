"""Several members' answers to one question, as one answer: pure functions.

Every instance and every classification has an owner, the member that answers for it.
Everybody else holds copies, which may be late. So where the owner has answered, its word
holds, also when it is that there is no such thing (any more); copies stand in for owners
that haven't answered, the highest version of them. Classifications are merged by the same
rule one by one, for they are owned independently of their entity.

**Pages.** For each page every member is asked for all that comes before its end (offset 0,
page size = offset + page size), the answers are put in one order, and the page is cut out
of that. The pages of a result then join without gap or repetition, as long as nobody
joins, leaves or changes anything between them, because

- all members sort alike: by what is asked for, then by GUID (``member_paging``);
- an instance that its owner left out for want of room comes after as many that it didn't
  leave out, so that it isn't in the page either, whoever else has told of a copy;
- a member whose list is full, but ends before the page does, is asked for as many more as
  come after that in the page (``more_room``): late copies took up its room, or it has
  more of a long page than the share that everybody is asked for at first
  (``first_share``).

Genuine servers of release 4.2 ask everybody for the same offset and page size, and neither
sort nor cut what comes together: a page of ten of three members has up to thirty entries,
and the second one lacks most of what is second ten in order. Nobody can go through pages
of that without missing some.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Generic, NamedTuple, TypeVar, cast

from edgenode.codec.codec import Codec
from edgenode.codec.headers import Header, header_of
from edgenode.federation.ordering import put_in_order
from edgenode.instances.conditions import Paging, SequencingOrder
from edgenode.instances.document import Document
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntitySummary,
    InstanceAuditHeader,
    InstanceProvenanceType,
    Relationship,
)
from edgenode.limits import SHARE_ALLOWANCE
from edgenode.repository.base import Graph

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
E = TypeVar("E", bound=EntitySummary)


class MemberAnswer(NamedTuple, Generic[T_co]):
    """What one member answered, by the id of its metadata collection."""

    member: str
    answer: T_co


class _Copy(NamedTuple):
    """An instance as one member has it."""

    member: str
    header: Header
    document: Document[Any]

    @property
    def version(self) -> int:
        return self.header.version

    @property
    def is_owners(self) -> bool:
        return self.header.owner == self.member

    @property
    def origin(self) -> tuple[object, object]:
        """What an instance keeps when it gets another home."""
        instance = self.document.value
        return instance.create_time, instance.created_by

    def holds(self, deciding: Collection[str]) -> bool:
        """Whether it is the owner's, or no owner decides that there is no such thing."""
        return self.is_owners or self.header.owner not in deciding

    @property
    def has_own_part(self) -> bool:
        """Whether the member answers for a classification of the entity."""
        text = self.document.json
        # Most copies have none; the text tells so without being decoded.
        if _CLASSIFIED not in text or self.member.encode() not in text:
            return False
        classifications = self.document.value.classifications or ()
        return any(owner_of(each) == self.member for each in classifications)


def owner_of(header: InstanceAuditHeader) -> str | None:
    """The member that answers for an instance or classification."""
    is_external = (
        header.instance_provenance_type is InstanceProvenanceType.EXTERNAL_SOURCE
    )
    return header.replicated_by if is_external else header.metadata_collection_id


# Lists


def member_paging(paging: Paging) -> Paging:
    """What each member is asked for, so that the page can be cut out of all answers."""
    if paging.page_size == 0 and paging.offset == 0:
        return paging
    order = paging.sequencing_order
    return replace(
        paging,
        offset=0,
        page_size=paging.page_size and paging.offset + paging.page_size,
        # Members agree on no order of their own, and pages need one.
        sequencing_order=SequencingOrder.GUID
        if order is SequencingOrder.ANY
        else order,
    )


def first_share(end: int, members: int) -> int:
    """How many instances to ask each member for at first.

    Of a page of many members each mostly has a small part. Half as many again and a few
    more are seldom too few where everybody has their own; where each has copies of the
    others' the second question is for as much as the page could take.

    Args:
        end: Where the page ends; 0 for all there is.
        members: How many are asked.
    """
    share = 3 * end // (2 * members) + SHARE_ALLOWANCE
    return share if 2 * share <= end else end


def merged_entities(
    answers: Iterable[MemberAnswer[Sequence[Document[EntityDetail]]]],
    paging: Paging,
    codec: Codec,
    *,
    of_reach: bool = False,
) -> list[Document[EntityDetail]]:
    """The page of a search for entities.

    Args:
        answers: What the members found, each asked with ``member_paging``.
        paging: The page that is wanted.
        codec: Writes entities that have parts of several members.
        of_reach: Whether a member only finds what it can reach over relationships that
            it knows, so that what its own entities are missing from tells nothing.
    """
    told = list(answers)
    deciding = frozenset() if of_reach else _members(told)
    found = (
        _merged_entity(copies, codec, deciding) for copies in _by_guid(told).values()
    )
    return _page([each for each in found if each is not None], paging, codec)


def merged_relationships(
    answers: Iterable[MemberAnswer[Sequence[Document[Relationship]]]],
    paging: Paging,
    codec: Codec,
) -> list[Document[Relationship]]:
    """The page of a search for relationships, as for entities."""
    told = list(answers)
    deciding = _members(told)
    best = (_best(copies) for copies in _by_guid(told).values())
    return _page(
        [each.document for each in best if each.holds(deciding)], paging, codec
    )


def merged_graphs(answers: Iterable[MemberAnswer[Graph]], codec: Codec) -> Graph:
    """Everything that some member found."""
    graphs = list(answers)
    entities = [MemberAnswer(member, graph.entities) for member, graph in graphs]
    relationships = _by_guid(
        [MemberAnswer(member, graph.relationships) for member, graph in graphs]
    )
    return Graph(
        merged_entities(entities, Paging(), codec, of_reach=True),
        [_best(each).document for each in relationships.values()],
    )


def more_room(
    answers: Iterable[MemberAnswer[Sequence[Document[T]]]],
    room: Mapping[str, int],
    page: Sequence[Document[T]],
    paging: Paging,
    codec: Codec,
) -> dict[str, int]:
    """How much to ask those for that may have more of a page than they had room for.

    Args:
        answers: What they found.
        room: How much they were asked for, by member.
        page: The page as it is so far.
        paging: What it is the page of.
        codec: Reads what the order is by.
    """
    if paging.page_size == 0:
        return {}
    end = paging.offset + paging.page_size
    more: dict[str, int] = {}
    for member, documents in answers:
        if len(documents) < room[member]:
            continue
        before = _no_later_than(documents[-1], page, paging, codec)
        if before < paging.page_size:
            # How much of the room lies before the page is known only from within it.
            needed = room[member] + paging.page_size - before if before else end
            # What more it has may be late copies again.
            more[member] = max(needed, 2 * room[member])
    return more


def _members(answers: Iterable[MemberAnswer[Any]]) -> frozenset[str]:
    return frozenset(each.member for each in answers)


def _by_guid(
    answers: Iterable[MemberAnswer[Sequence[Document[Any]]]],
) -> dict[str, list[_Copy]]:
    """The copies of each instance, in the same order whoever asks."""
    found: dict[str, list[_Copy]] = {}
    for member, documents in sorted(answers, key=lambda each: each.member):
        for document in documents:
            header = header_of(document)
            copy = _Copy(member, header, document)
            known = found.get(header.guid)
            if known is None:
                found[header.guid] = [copy]
            else:
                known.append(copy)
    return found


def _page(
    documents: list[Document[T]], paging: Paging, codec: Codec
) -> list[Document[T]]:
    _sort(documents, paging, codec)
    end = paging.offset + paging.page_size if paging.page_size else None
    return documents[paging.offset : end]


def _sort(documents: list[Document[T]], paging: Paging, codec: Codec) -> None:
    """Put instances in order, if they are to be in one."""
    put_in_order(documents, member_paging(paging), codec)


def _no_later_than(
    one: Document[T], page: Sequence[Document[T]], paging: Paging, codec: Codec
) -> int:
    """How many of a page come before an instance, or are in its place."""
    return bisect_left(
        page, True, key=lambda each: _comes_before(one, each, paging, codec)
    )


def _comes_before(
    one: Document[T], other: Document[T], paging: Paging, codec: Codec
) -> bool:
    # A late copy may have another place than what it is a copy of.
    pair = [other, one]
    _sort(pair, paging, codec)
    return one is not other and pair[0] is one


# One instance


class OneEntity(NamedTuple, Generic[E]):
    """What one member knows of an entity.

    Attributes:
        document: Its copy; None where it has none.
        classifications: Where it has none, those that it gave to the entity.
    """

    document: Document[E] | None
    classifications: Sequence[Classification] = ()


def merged_entity(
    answers: Iterable[MemberAnswer[OneEntity[E]]], codec: Codec
) -> Document[E] | None:
    """An entity from all that the members know of it; None where it isn't any more."""
    told = list(answers)
    copies = [
        _Copy(member, header_of(one.document), one.document)
        for member, one in told
        if one.document is not None
    ]
    if not copies or not _best(copies).holds(_members(told)):
        return None
    given = [
        MemberAnswer(member, tuple(one.classifications))
        for member, one in told
        if one.classifications
    ]
    return _with_classifications(_best(copies), copies, codec, given)


def merged_relationship(
    answers: Iterable[MemberAnswer[Document[Relationship] | None]],
) -> Document[Relationship] | None:
    """A relationship from the copies of the members; None where it isn't any more."""
    told = list(answers)
    copies = [
        _Copy(member, header_of(document), document)
        for member, document in told
        if document is not None
    ]
    if not copies or not _best(copies).holds(_members(told)):
        return None
    return cast("Document[Relationship]", _best(copies).document)


def _best(copies: Sequence[_Copy]) -> _Copy:
    """The copy that counts: the owner's, else the highest version, of equal ones the first.

    Two are owners where one hasn't heard yet that the other has become the home: then the
    higher version counts. Of two instances with one GUID the lowest id has it, as where
    they are stored: whoever tells versions chooses them.
    """
    if len(copies) == 1:
        return copies[0]
    owners = [copy for copy in copies if copy.is_owners]
    if len(owners) > 1:
        first = min(owners, key=lambda copy: copy.member)
        owners = [copy for copy in owners if copy.origin == first.origin]
    return max(owners or copies, key=lambda copy: copy.version)


def _merged_entity(
    copies: Sequence[_Copy], codec: Codec, deciding: frozenset[str]
) -> Document[Any] | None:
    """An entity of a list; None where its owner should have found it and didn't."""
    best = _best(copies)
    if not best.holds(deciding):
        # By a classification that only its giver knows of as yet it may be found.
        copies = [copy for copy in copies if copy.has_own_part]
        if not copies:
            return None
        best = _best(copies)
    return _with_classifications(best, copies, codec)


def _with_classifications(
    best: _Copy,
    copies: Sequence[_Copy],
    codec: Codec,
    given: Sequence[MemberAnswer[tuple[Classification, ...]]] = (),
) -> Document[Any]:
    """The copy that counts with everybody's classifications.

    Args:
        best: That copy.
        copies: All of them.
        codec: Writes the entity if it isn't as in that copy.
        given: Classifications of members without a copy.
    """
    text = best.document.json
    # Copies are mostly alike, and then nothing needs to be decoded.
    if not given and all(copy.document.json == text for copy in copies):
        return best.document
    if not given and not any(_CLASSIFIED in copy.document.json for copy in copies):
        return best.document
    entity = best.document.value
    others = (copy for copy in copies if copy is not best)
    told = [
        MemberAnswer(
            copy.member,
            (
                entity if copy.document.json == text else copy.document.value
            ).classifications
            or (),
        )
        for copy in (best, *others)
    ]
    merged = merged_classifications([*told, *given])
    if merged == (entity.classifications or ()):
        return best.document
    return codec.document(replace(entity, classifications=merged or None))


_CLASSIFIED = b'"classifications":'


def merged_classifications(
    answers: Sequence[MemberAnswer[tuple[Classification, ...]]],
) -> tuple[Classification, ...]:
    """The classifications of one entity, from what members say of it.

    A member's own are those that it tells of, and no others; for those of members that
    say nothing of the entity the highest version counts.
    """
    telling = {member for member, _ in answers}
    named: dict[str, tuple[tuple[bool, int], Classification]] = {}
    for member, classifications in answers:
        for each in classifications:
            owner = owner_of(each)
            if owner != member and owner in telling:
                continue
            rank = (owner == member, each.version)
            known = named.get(str(each.name))
            if known is None or rank > known[0]:
                named[str(each.name)] = (rank, each)
    return tuple(classification for _, classification in named.values())


# What an answer rests on


def copies_in(
    documents: Iterable[Document[Any]], missing: Collection[str]
) -> dict[str, str]:
    """The instances whose owner is among those missing: GUID and owner."""
    if not missing:
        return {}
    headers = map(header_of, documents)
    return {each.guid: each.owner for each in headers if each.owner in missing}
