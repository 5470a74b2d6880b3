"""The other members of the cohort as those that can be asked, and how each of them is."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from edgenode.clock import Clock
from edgenode.collection.base import (
    Answer,
    InstanceOperations,
    QueryOperations,
    answered,
)
from edgenode.errors import MemberUnavailableError, OMRSError
from edgenode.events.registration import MemberRegistration
from edgenode.federation.breaker import Breaker, BreakerState
from edgenode.limits import CALLS_OF_A_MEMBER, FAIR_SECONDS, LATENCY_SAMPLES

T = TypeVar("T")


class AskedCollection(QueryOperations, InstanceOperations, Protocol):
    """What the collections of this member and of the others can be asked alike."""

    def get_metadata_collection_id(self, user_id: str) -> Answer[str]:
        """The id of the collection, as it says itself."""
        ...


Connect = Callable[[MemberRegistration], AskedCollection | None]
"""Makes the collection of a registered member; None for one that isn't to be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberStatistics:
    """How a member does.

    Attributes:
        collection_id: Its metadata collection.
        name: The name of that.
        state: Whether it is asked.
        answered: How many questions it answered, those with an error, too.
        failed: How many it didn't answer.
        in_flight: How many it is being asked.
        median_seconds: How long its last answers took; 0 before the first.
        reason: Why the last question failed that did; empty if the one after it didn't.
    """

    collection_id: str
    name: str
    state: BreakerState
    answered: int
    failed: int
    in_flight: int
    median_seconds: float
    reason: str


class FederationMember:
    """One member: asked no more than it can take, and not at all while it is off."""

    def __init__(
        self,
        registration: MemberRegistration,
        collection: AskedCollection,
        clock: Clock,
        unanswered: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.registration = registration
        self.id = str(registration.metadata_collection_id)
        self._collection = collection
        self._clock = clock
        self._tell_unanswered = unanswered
        self._breaker = Breaker()
        self._turns = asyncio.Semaphore(CALLS_OF_A_MEMBER)
        self._is_identified = False
        self._answered = 0
        self._failed = 0
        self._in_flight = 0
        self._seconds: deque[float] = deque(maxlen=LATENCY_SAMPLES)
        self._reason = ""

    async def ask(
        self,
        user_id: str,
        question: Callable[[AskedCollection], Awaitable[T]],
        seconds: float,
    ) -> T:
        """The member's answer to a question.

        Raises:
            MemberUnavailableError: It doesn't answer in this time, or isn't asked.
            OMRSError: It answers with an error.
        """
        if not self._breaker.admits(self._clock.monotonic()):
            raise self._unavailable(f"isn't asked for now: {self._reason}")
        self._in_flight += 1
        started: float | None = None
        try:
            async with asyncio.timeout(seconds), self._turns:
                started = self._clock.monotonic()
                await self._identify(user_id)
                answer = await question(self._collection)
        except TimeoutError as error:
            late = self._unavailable(f"doesn't answer within {seconds:g} s")
            if started is None or seconds < FAIR_SECONDS:
                self._breaker.gave_up(self._clock.monotonic())
            else:
                self._note_failure(late)
            raise late from error
        except MemberUnavailableError as error:
            self._note_failure(error)
            raise
        except OMRSError:
            self._note_answer(started)
            raise
        except BaseException:
            self._breaker.gave_up(self._clock.monotonic())
            raise
        finally:
            self._in_flight -= 1
        self._note_answer(started)
        return answer

    def returned(self) -> None:
        """Its node was lost, and is there again: what failed before says nothing now."""
        self._breaker.returned()
        self._reason = ""

    def statistics(self) -> MemberStatistics:
        """How it does."""
        return MemberStatistics(
            collection_id=self.id,
            name=str(self.registration.metadata_collection_name or ""),
            state=self._breaker.state,
            answered=self._answered,
            failed=self._failed,
            in_flight=self._in_flight,
            median_seconds=_median(self._seconds),
            reason=self._reason,
        )

    async def _identify(self, user_id: str) -> None:
        """Make sure that it is the one that is registered.

        At that address there may be another one by now; what that one says would be
        taken for the word of this one's instances.
        """
        if self._is_identified:
            return
        try:
            told = await answered(self._collection.get_metadata_collection_id(user_id))
        except OMRSError as error:
            raise self._unavailable(f"doesn't tell who it is: {error}") from error
        if told != self.id:
            raise self._unavailable(f"is another one: {told or 'nameless'}")
        self._is_identified = True

    def _note_answer(self, started: float | None) -> None:
        self._breaker.succeeded()
        self._answered += 1
        self._reason = ""
        if started is not None:
            self._seconds.append(self._clock.monotonic() - started)

    def _note_failure(self, error: MemberUnavailableError) -> None:
        self._breaker.failed(self._clock.monotonic())
        self._failed += 1
        self._reason = error.reason
        self._tell_unanswered(self.id)
        self._is_identified = False

    def _unavailable(self, reason: str) -> MemberUnavailableError:
        return MemberUnavailableError(self.id, reason)


class FederationMembers:
    """Everybody who is registered and can be asked, by metadata collection.

    Attributes:
        alone: Why there is nobody to be asked, where the server takes no part in its
            cohorts; else empty.
        absent: Members of a cohort that it takes no part in while it does in another one,
            by metadata collection, and why.
    """

    def __init__(
        self,
        connect: Connect,
        clock: Clock,
        unanswered: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Start with nobody.

        Args:
            connect: Makes the collections to be asked.
            clock: Times answers and pauses.
            unanswered: Told of each member that leaves a question unanswered.
        """
        self._connect = connect
        self._unanswered = unanswered
        self._clock = clock
        self._members: dict[str, FederationMember] = {}
        self.alone = ""
        self.absent: Mapping[str, str] = {}

    def update(
        self,
        registrations: Iterable[MemberRegistration],
        *,
        alone: str = "",
        absent: Mapping[str, str] | None = None,
    ) -> None:
        """Take over who is registered; what is known of those that stay is kept."""
        self.alone = alone
        self.absent = {} if alone or absent is None else absent
        members: dict[str, FederationMember] = {}
        for registration in registrations:
            collection_id = str(registration.metadata_collection_id)
            known = self._members.get(collection_id)
            if known is not None and known.registration == registration:
                members[collection_id] = known
                continue
            collection = self._connect(registration)
            if collection is not None:
                members[collection_id] = FederationMember(
                    registration, collection, self._clock, self._unanswered
                )
        self._members = members

    def returned(self, collection_id: str) -> None:
        """A member's node was lost, and is there again."""
        member = self._members.get(collection_id)
        if member is not None:
            member.returned()

    def all(self) -> tuple[FederationMember, ...]:
        """Every member."""
        return tuple(self._members.values())

    def member(self, collection_id: str | None) -> FederationMember | None:
        """The member with a metadata collection; None where nobody has it."""
        return self._members.get(collection_id or "")

    def statistics(self) -> tuple[MemberStatistics, ...]:
        """How each of them does."""
        return tuple(member.statistics() for member in self._members.values())


def _median(values: Iterable[float]) -> float:
    """The upper one of the two in the middle; 0 of none.

    Python's own loads rational numbers, a quarter of a megabyte that stays.
    """
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if ordered else 0.0
