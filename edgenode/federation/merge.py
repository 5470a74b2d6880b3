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
  leave out, so that it isn't in the page either, whoever else has told of a copy.

Genuine servers of release 4.2 ask everybody for the same offset and page size, and neither
sort nor cut what comes together: a page of ten of three members has up to thirty entries,
and the second one lacks most of what is second ten in order. Nobody can go through pages
of that without missing some.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any, Generic, NamedTuple, TypeVar, cast

from edgenode.codec.codec import Codec
from edgenode.codec.headers import Header, header_of
from edgenode.instances.conditions import Paging, SequencingOrder
from edgenode.instances.document import Document
from edgenode.instances.matching import DESCENDING, sort_key
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntitySummary,
    InstanceAuditHeader,
    InstanceProvenanceType,
    Relationship,
)
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
    def rank(self) -> tuple[bool, int]:
        """What decides between copies: the owner's wins, then the highest version."""
        return self.header.owner == self.member, self.header.version


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
    copies = _by_guid(answers, None if of_reach else holds_part_of)
    merged = [_merged_entity(each, codec) for each in copies.values()]
    return _page(merged, paging)


def merged_relationships(
    answers: Iterable[MemberAnswer[Sequence[Document[Relationship]]]], paging: Paging
) -> list[Document[Relationship]]:
    """The page of a search for relationships, as for entities."""
    copies = _by_guid(answers, _holds_nothing)
    return _page([_best(each).document for each in copies.values()], paging)


def merged_graphs(answers: Iterable[MemberAnswer[Graph]], codec: Codec) -> Graph:
    """Everything that some member found."""
    graphs = list(answers)
    entities = [MemberAnswer(member, graph.entities) for member, graph in graphs]
    relationships = _by_guid(
        [MemberAnswer(member, graph.relationships) for member, graph in graphs], None
    )
    return Graph(
        merged_entities(entities, Paging(), codec, of_reach=True),
        [_best(each).document for each in relationships.values()],
    )


def _by_guid(
    answers: Iterable[MemberAnswer[Sequence[Document[Any]]]],
    counts: Callable[[str, Document[Any]], bool] | None,
) -> dict[str, list[_Copy]]:
    """The copies of each instance that count.

    Args:
        answers: What the members found.
        counts: Whether a copy counts that its owner, who was asked, doesn't tell of;
            None where all do.
    """
    in_order = sorted(answers, key=lambda each: each.member)
    answered = {each.member for each in in_order}
    found: dict[str, list[_Copy]] = {}
    for member, documents in in_order:
        for document in documents:
            header = header_of(document)
            owner = header.owner
            if (
                owner != member
                and counts is not None
                and owner in answered
                and not counts(member, document)
            ):
                continue
            copy = _Copy(member, header, document)
            known = found.get(header.guid)
            if known is None:
                found[header.guid] = [copy]
            else:
                known.append(copy)
    return found


def _holds_nothing(member: str, document: Document[Any]) -> bool:
    return False


def holds_part_of(member: str, document: Document[Any]) -> bool:
    """Whether a member answers for a classification of an entity that isn't its own."""
    # Most copies carry none; the text tells so without being decoded.
    text = document.json
    if b'"classifications"' not in text or member.encode() not in text:
        return False
    entity: EntitySummary = document.value
    return any(owner_of(each) == member for each in entity.classifications or ())


def _page(documents: list[Document[T]], paging: Paging) -> list[Document[T]]:
    is_paged = member_paging(paging) is not paging
    order = paging.sequencing_order
    if is_paged or order is not SequencingOrder.ANY:
        documents.sort(key=lambda document: header_of(document).guid)
    if order not in {SequencingOrder.ANY, SequencingOrder.GUID}:
        documents.sort(
            key=lambda document: sort_key(
                cast("Any", document.value), order, paging.sequencing_property
            ),
            reverse=order in DESCENDING,
        )
    end = paging.offset + paging.page_size if paging.page_size else None
    return documents[paging.offset : end]


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
    copies = _by_guid(
        [
            MemberAnswer(member, [] if one.document is None else [one.document])
            for member, one in told
        ],
        holds_part_of,
    )
    given = [
        MemberAnswer(member, tuple(one.classifications))
        for member, one in told
        if one.classifications
    ]
    if not copies:
        return None
    (known,) = copies.values()
    best = _best(known)
    if best.header.owner != best.member and best.header.owner in dict(told):
        return None  # its owner knows nothing of it, whatever others have given to it
    return _merged_entity(known, codec, given)


def merged_relationship(
    answers: Iterable[MemberAnswer[Document[Relationship] | None]],
) -> Document[Relationship] | None:
    """A relationship from the copies of the members; None where it isn't any more."""
    copies = _by_guid(
        [
            MemberAnswer(member, [] if document is None else [document])
            for member, document in answers
        ],
        _holds_nothing,
    )
    if not copies:
        return None
    (known,) = copies.values()
    return cast("Document[Relationship]", _best(known).document)


def _best(copies: Sequence[_Copy]) -> _Copy:
    """The copy that holds; of equal ones the first."""
    return copies[0] if len(copies) == 1 else max(copies, key=lambda copy: copy.rank)


def _merged_entity(
    copies: Sequence[_Copy],
    codec: Codec,
    given: Sequence[MemberAnswer[tuple[Classification, ...]]] = (),
) -> Document[Any]:
    best = _best(copies)
    if len(copies) == 1 and not given:
        return best.document
    if not given and not any(
        b'"classifications"' in each.document.json for each in copies
    ):
        return best.document
    entity = best.document.value
    sets = [
        MemberAnswer(copy.member, tuple(copy.document.value.classifications or ()))
        for copy in (best, *(each for each in copies if each is not best))
    ]
    merged = merged_classifications([*sets, *given])
    if merged == (entity.classifications or ()):
        return best.document
    return codec.document(replace(entity, classifications=merged or None))


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
