"""What the groups of operations on the whole cohort's collection share: asking everybody.

A question goes to this member and to all others at once; who doesn't answer in time is
left out and named in the ``Participation``. A member that fails never fails the
question: an error comes up only if nobody has an answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from edgenode.codec.codec import Codec
from edgenode.collection.base import (
    Answer,
    TypeOperations,
    answered,
)
from edgenode.collection.participation import Participation, current
from edgenode.errors import (
    EntityNotKnownError,
    MemberUnavailableError,
    NegativePageSizeError,
    NoHomeForInstanceError,
    OMRSError,
    UserIdMissingError,
)
from edgenode.federation.failures import gravest, is_about_question, is_not_known
from edgenode.federation.members import (
    AskedCollection,
    FederationMembers,
)
from edgenode.federation.merge import (
    MemberAnswer,
    OneEntity,
    copies_in,
    merged_entity,
    merged_relationship,
)
from edgenode.instances.conditions import Paging
from edgenode.instances.document import Document
from edgenode.instances.model import EntityDetail, InstanceHeader, Relationship
from edgenode.limits import FEDERATED_SEARCHES, FEDERATION_SECONDS
from edgenode.typedefs.registry import TypeRegistry

T = TypeVar("T")
R = TypeVar("R")

REPOSITORY = "Enterprise"
"""What genuine servers call the whole cohort's repository in errors."""


class LocalCollection(TypeOperations, AskedCollection, Protocol):
    """This member's collection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterpriseParts:
    """What the collection of the whole cohort works with.

    Attributes:
        local: This member's own collection.
        local_id: Its id.
        members: The others.
        types: The types that this member knows.
        codec: The wire form of instances.
        was_read: Told of each single instance that was read as it is now.
        searches: Lets some questions of lists through at a time.
    """

    local: LocalCollection
    local_id: str
    members: FederationMembers
    types: TypeRegistry
    codec: Codec
    was_read: Callable[[InstanceHeader], None] = lambda header: None
    searches: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(FEDERATED_SEARCHES)
    )


Question = Callable[[AskedCollection], Answer[T]]


@dataclass(frozen=True, slots=True)
class Told(Generic[T]):
    """What everybody said.

    Attributes:
        answers: By member.
        errors: What those say that can't answer, by member.
        participation: Who took part.
    """

    answers: list[MemberAnswer[T]]
    errors: dict[str, OMRSError]
    participation: Participation

    def require_answer(self) -> None:
        """Raise the gravest error where nobody has an answer."""
        if not self.answers:
            raise self.failure()

    def failure(self, *more: OMRSError) -> OMRSError:
        """The gravest error, to be told instead of an answer.

        Who found fault with the question had a part in that. Beside an answer it has
        none: a clock or a type that differs there doesn't show that it has nothing.
        """
        for member, error in self.errors.items():
            if is_about_question(error):
                self.participation.missing.pop(member, None)
                self.participation.answered.add(member)
        return gravest([*self.errors.values(), *more])

    def merged(self, merge: Callable[[Sequence[MemberAnswer[T]]], R]) -> R:
        """One answer of all, without those whose answers turn out to be unreadable."""
        while True:
            try:
                return merge(self.answers)
            except MemberUnavailableError as error:
                unreadable = error.collection_id
                left = [each for each in self.answers if each.member != unreadable]
                if len(left) == len(self.answers):
                    raise
                self.answers[:] = left
                self.is_missing(unreadable, error.reason)

    def is_missing(self, member: str, reason: str) -> None:
        """Note that a member's answer can't be counted on."""
        self.participation.missing[member] = reason
        self.participation.answered.discard(member)

    def rests_on(self, documents: Iterable[Document[Any]]) -> None:
        """Note which of the instances in the answer are copies for want of better."""
        participation = self.participation
        participation.copies |= copies_in(documents, participation.missing)


class EnterpriseOperations:
    """Base of the groups of operations."""

    def __init__(self, parts: EnterpriseParts) -> None:
        self._parts = parts
        self._local = parts.local
        self._local_id = parts.local_id
        self._members = parts.members

    # Parameters

    def _check_user(self, user_id: str | None, operation: str) -> None:
        if user_id is None or not user_id.strip():
            raise UserIdMissingError("userId", operation, REPOSITORY)

    def _check_paging(self, paging: Paging, operation: str) -> None:
        for value, parameter in (
            (paging.page_size, "pageSize"),
            (paging.offset, "offset"),
        ):
            if value < 0:
                raise NegativePageSizeError(value, parameter, operation, REPOSITORY)

    # Asking everybody

    async def _ask_all(
        self, operation: str, user_id: str, question: Question[T]
    ) -> Told[T]:
        self._check_user(user_id, operation)
        told: Told[T] = Told([], {}, current.get() or Participation())
        seconds = _seconds(told.participation)
        members = self._members.all()
        told.participation.alone = self._members.alone
        told.participation.missing |= self._members.absent
        if seconds <= 0:
            told.participation.missing |= {each.id: "wasn't asked" for each in members}
            members = ()
        everybody = [self._local_id, *(member.id for member in members)]
        asked = dict.fromkeys(everybody, question)
        await self._ask_some(told, user_id, asked, seconds)
        return told

    async def _ask_some(
        self,
        told: Told[T],
        user_id: str,
        questions: Mapping[str, Question[T]],
        seconds: float,
    ) -> None:
        """Let some members answer, for the first time or anew, each its question."""
        told.answers[:] = [
            each for each in told.answers if each.member not in questions
        ]
        async with asyncio.TaskGroup() as group:
            for member in self._members.all():
                if member.id in questions:
                    question = partial(answered_by, question=questions[member.id])
                    asking = member.ask(user_id, question, seconds)
                    group.create_task(
                        self._note(told, member.id, asking), name=f"ask {member.id}"
                    )
            if self._local_id in questions:
                local = answered_by(self._local, questions[self._local_id])
                await self._note(told, self._local_id, local)

    async def _note(self, told: Told[T], member: str, answer: Awaitable[T]) -> None:
        participation = told.participation
        try:
            told.answers.append(MemberAnswer(member, await answer))
        except MemberUnavailableError as error:
            told.is_missing(member, error.reason)
        except OMRSError as error:
            told.errors[member] = error
            if is_not_known(error):
                participation.answered.add(member)
            else:
                told.is_missing(member, error.message)
        else:
            participation.answered.add(member)

    async def _entity(
        self, operation: str, user_id: str, guid: str
    ) -> Document[EntityDetail] | None:
        """An entity as the cohort knows it in full, deleted or not."""

        async def known(collection: AskedCollection) -> OneEntity[EntityDetail]:
            document = await answered(collection.is_entity_known(user_id, guid))
            if document is not None:
                return OneEntity(document)
            given = collection.get_home_classifications(user_id, guid)
            return OneEntity(None, await answered(given))

        told: Told[OneEntity[EntityDetail]] = await self._ask_all(
            operation, user_id, known
        )
        told.require_answer()
        entity = told.merged(
            lambda answers: readable(merged_entity(answers, self._parts.codec))
        )
        told.rests_on([entity] if entity else [])
        return entity

    async def _relationship(
        self, operation: str, user_id: str, guid: str
    ) -> Document[Relationship] | None:
        """A relationship as the cohort knows it, deleted or not."""
        told = await self._ask_all(
            operation,
            user_id,
            lambda collection: collection.is_relationship_known(user_id, guid),
        )
        told.require_answer()
        relationship = told.merged(
            lambda answers: readable(merged_relationship(answers))
        )
        told.rests_on([relationship] if relationship else [])
        return relationship

    # Asking one

    async def _ask_one(self, member_id: str, user_id: str, question: Question[T]) -> T:
        """What one member says.

        Raises:
            MemberUnavailableError: It can't be reached, or nobody has this id.
            OMRSError: It answers with an error.
        """
        participation = current.get() or Participation()
        if member_id == self._local_id:
            answer = await answered_by(self._local, question)
        else:
            member = self._members.member(member_id)
            if member is None:
                participation.alone = self._members.alone
                reason = self._members.absent.get(member_id, "")
                if reason:
                    participation.missing[member_id] = reason
                reason = reason or self._members.alone or "isn't registered"
                raise MemberUnavailableError(member_id, reason)
            try:
                answer = await member.ask(
                    user_id,
                    lambda collection: answered_by(collection, question),
                    FEDERATION_SECONDS,
                )
            except MemberUnavailableError as error:
                participation.missing[member_id] = error.reason
                raise
        participation.answered.add(member_id)
        return answer

    async def _ask_owner(
        self,
        operation: str,
        user_id: str,
        what: str,
        owner: str | None,
        question: Question[T],
    ) -> T:
        """What the member says that answers for something.

        Raises:
            NoHomeForInstanceError: It can't be reached.
        """
        try:
            return await self._ask_one(str(owner), user_id, question)
        except MemberUnavailableError as error:
            raise NoHomeForInstanceError(operation, what, owner) from error

    async def _known_entity(
        self, operation: str, user_id: str, guid: str
    ) -> Document[EntityDetail]:
        """An entity to be changed, as this member knows it if it does."""
        self._check_user(user_id, operation)
        known = await answered(self._local.is_entity_known(user_id, guid))
        if known is None:
            known = await self._entity(operation, user_id, guid)
        if known is None:
            raise EntityNotKnownError(guid, operation, REPOSITORY)
        return known


def readable(document: Document[T] | None) -> Document[T] | None:
    """A document that was looked into: what a member tells may turn out to be none.

    Raises:
        MemberUnavailableError: It does.
    """
    if document is not None:
        _ = document.value
    return document


async def answered_by(collection: AskedCollection, question: Question[T]) -> T:
    """What a collection says."""
    return await answered(question(collection))


def _seconds(participation: Participation) -> float:
    wanted = participation.seconds
    return FEDERATION_SECONDS if wanted is None else min(wanted, FEDERATION_SECONDS)
