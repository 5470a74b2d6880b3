"""The registration protocol of genuine members, as decisions: news goes in, effects out.

A member registers once and says so again after each start, with the time of its first
registration; then it asks all others to do the same. Whoever is asked answers, and
nothing else is ever answered. What is heard of a member replaces what was known.

A bridge speaks for members of another cohort, too: it registers them, answers for them
and has them leave, as they would themselves. Whom another one has registered already is
left to it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from edgenode.clock import EpochMillis
from edgenode.errors import BadRequestError
from edgenode.events.model import (
    EventError,
    OMRSEventV1,
    OMRSRegistryEventType,
)
from edgenode.events.registration import MemberRegistration, is_relayed
from edgenode.events.wrapping import EventBuilder, originator_of
from edgenode.limits import CLAIM_ANSWER_SECONDS, MAX_MEMBERS


@dataclass(frozen=True, slots=True)
class Send:
    """Put an event on the topic for registrations.

    Attributes:
        event: The event.
        registers_at: Of this member's first registration, the time that is to be
            remembered once the event is out.
    """

    event: OMRSEventV1
    registers_at: EpochMillis | None = None


@dataclass(frozen=True, slots=True)
class ForgetRegistration:
    """Remember that this member is registered no more."""


@dataclass(frozen=True, slots=True)
class SaveRemote:
    """Remember another member."""

    member: MemberRegistration
    is_new: bool


@dataclass(frozen=True, slots=True)
class NoteReturn:
    """Another member says what is known of it already: it may have been started again."""

    collection_id: str


@dataclass(frozen=True, slots=True)
class RemoveRemote:
    """Forget another member."""

    collection_id: str


@dataclass(frozen=True, slots=True)
class ReportClaim:
    """Somebody else registers with this member's collection id."""

    member: MemberRegistration


@dataclass(frozen=True, slots=True)
class ReportComplaint:
    """Another member complains of this member's registration."""

    sender: str
    error: EventError


@dataclass(frozen=True, slots=True)
class ReportFull:
    """There is no room for another member."""

    member: MemberRegistration


Effect = (
    Send
    | ForgetRegistration
    | SaveRemote
    | NoteReturn
    | RemoveRemote
    | ReportClaim
    | ReportComplaint
    | ReportFull
)

_Kind = OMRSRegistryEventType


class KafkaRegistry:
    """Decides what to send and what to remember; the caller performs it, in order.

    Attributes:
        is_connected: Whether this member takes part.
    """

    def __init__(
        self,
        configured: MemberRegistration,
        registration_time: EpochMillis | None,
        remote: Iterable[MemberRegistration] = (),
    ) -> None:
        """Begin with what is configured and what is stored.

        Args:
            configured: This member as it registers; without a time.
            registration_time: When it did so first; None before that.
            remote: The other members that are known.
        """
        self.is_connected = False
        self._began: EpochMillis = 0
        self._configured = configured
        self._since = registration_time
        self._build = EventBuilder(originator_of(configured))
        self._remote = {_id(member): member for member in remote}
        self._spoken_for: dict[str, MemberRegistration] = {}
        self._wanted: dict[str, MemberRegistration] = {}
        self._claimed: set[str] = set()
        self._answered_at: EpochMillis | None = None

    @property
    def local(self) -> MemberRegistration:
        """This member; without a time where it isn't registered."""
        return replace(self._configured, registration_time=self._since)

    @property
    def remote(self) -> Mapping[str, MemberRegistration]:
        """The other members, by collection id."""
        return self._remote

    @property
    def spoken_for(self) -> Mapping[str, MemberRegistration]:
        """The members of another cohort that this one has registered."""
        return self._spoken_for

    @property
    def wanted(self) -> Collection[str]:
        """The collection ids of these, and of those whom others have registered."""
        return self._wanted.keys()

    # what this member does

    def connect(self, now: EpochMillis) -> list[Effect]:
        """Register, or say again that one is registered; ask all others for the same."""
        self.is_connected = True
        self._began = now
        is_first = self._since is None
        if is_first:
            self._since = now
        event = self._build.registered(self.local, now, again=not is_first)
        return [
            Send(event, now if is_first else None),
            *self._answers_for_others(now),
            Send(self._build.refresh_requested(now)),
        ]

    def disconnect(self) -> list[Effect]:
        """Go, to come back later; nobody is told."""
        self.is_connected = False
        return []

    def unregister(self, now: EpochMillis) -> list[Effect]:
        """Leave the cohort, and with it those that this member speaks for."""
        if self._since is None:
            return []
        gone = [*self._spoken_for.values(), self.local]
        effects: list[Effect] = [Send(_left(member, now)) for member in gone]
        effects.append(ForgetRegistration())
        effects += map(RemoveRemote, self._remote)
        self.is_connected = False
        self._since = None
        self._remote.clear()
        self._spoken_for.clear()
        return effects

    def speak_for(
        self, members: Iterable[MemberRegistration], now: EpochMillis
    ) -> list[Effect]:
        """The members of another cohort that are to be members here, from now on.

        Args:
            members: All of them, as they are to register, with the times at which they
                registered there.
            now: The time.
        """
        self._wanted = {_id(member): member for member in members}
        return self._adjust(now)

    def _adjust(self, now: EpochMillis) -> list[Effect]:
        """Register whom nobody else has registered, have those leave that are gone."""
        if not self.is_connected:
            return []
        wanted = {
            key: member
            for key, member in self._wanted.items()
            if key not in self._remote
        }
        effects: list[Effect] = []
        for key in self._spoken_for.keys() - wanted.keys():
            gone = self._spoken_for.pop(key)
            if key not in self._remote:
                effects.append(Send(_left(gone, now)))
        for key, member in wanted.items():
            known = self._spoken_for.get(key)
            if known != member:
                self._spoken_for[key] = member
                is_again = known is not None
                effects.append(Send(_registered(member, now, again=is_again)))
        return effects

    def forget(self, collection_id: str, now: EpochMillis) -> list[Effect]:
        """Forget a member that is gone for good, and can't say so itself any more.

        The others aren't told: each forgets whom it wants to. When it says that it is
        there, it is a member again.
        """
        if self._remote.pop(collection_id, None) is None:
            return []
        return [RemoveRemote(collection_id), *self._adjust(now)]

    def _answers_for_others(self, now: EpochMillis) -> list[Effect]:
        said_again: list[Effect] = [
            Send(_registered(member, now, again=True))
            for member in self._spoken_for.values()
        ]
        return said_again + self._adjust(now)

    # what this member hears

    def receive(self, event: OMRSEventV1, now: EpochMillis) -> list[Effect]:
        """Apply a registry event.

        Raises:
            BadRequestError: It says too little.
        """
        section = event.registry_event_section
        if section is None:
            raise BadRequestError("is missing", "event.registryEventSection")
        if not self.is_connected:
            return []
        match section.registry_event_type:
            case _Kind.REGISTRATION_EVENT | _Kind.RE_REGISTRATION_EVENT:
                if self._is_of_former_life(event):
                    return []
                return self._registered(_member(event), now)
            case _Kind.UN_REGISTRATION_EVENT:
                if self._is_of_former_life(event):
                    return []
                return self._left(_id(_member(event)), now)
            case _Kind.REFRESH_REGISTRATION_REQUEST:
                return self._asked(now)
            case _Kind.REGISTRATION_ERROR_EVENT:
                return self._complained_of(event)
            case _Kind.UNKNOWN_REGISTRY_EVENT:
                return []

    def _is_of_former_life(self, event: OMRSEventV1) -> bool:
        """Whether this member said it, before its store was put back.

        Somebody else who has its collection id says so again when it is asked.
        """
        member = _member(event)
        if _id(member) == self._configured.metadata_collection_id:
            return (event.timestamp or 0) < self._began
        return self._spoken_for.get(_id(member)) == member

    def _registered(self, member: MemberRegistration, now: EpochMillis) -> list[Effect]:
        key = _id(member)
        if key == self._configured.metadata_collection_id:
            return self._claimed_by(member, now)
        if key not in self._remote and len(self._remote) >= MAX_MEMBERS:
            return [ReportFull(member)]
        if self._remote.get(key) == member:
            return [NoteReturn(key)]
        own = self._spoken_for.get(key)
        if own is not None and _keeps(own, member):
            return [Send(_registered(own, now, again=True))]
        is_new = key not in self._remote
        self._remote[key] = member
        # Whoever registers a member that this one speaks for does so from now on.
        self._spoken_for.pop(key, None)
        return [SaveRemote(member, is_new)]

    def _claimed_by(self, member: MemberRegistration, now: EpochMillis) -> list[Effect]:
        """Somebody else has this member's collection id; told once for each address."""
        # Genuine members took it for a new address, and now know the right one again.
        again = Send(self._build.registered(self.local, now, again=True))
        connection = member.repository_connection
        where = _address(member)
        if where in self._claimed or len(self._claimed) >= MAX_MEMBERS:
            return [again] if self._may_answer(now) else []
        self._claimed.add(where)
        self._answered_at = now
        complaint = self._build.conflicting_collection_id(
            _id(member),
            connection,
            f"the metadata collection is that of {self._configured.server_name}",
            now,
        )
        return [Send(complaint), again, ReportClaim(member)]

    def _may_answer(self, now: EpochMillis) -> bool:
        """Whether a claim is answered that is known; two members would never end."""
        before = self._answered_at
        if before is not None and 0 <= now - before < CLAIM_ANSWER_SECONDS * 1000:
            return False
        self._answered_at = now
        return True

    def _left(self, key: str, now: EpochMillis) -> list[Effect]:
        is_own = key == self._configured.metadata_collection_id
        own = self.local if is_own else self._spoken_for.get(key)
        if own is not None:
            # Somebody else said so, and the others have forgotten it.
            return [Send(_registered(own, now, again=True))]
        return self.forget(key, now)

    def _asked(self, now: EpochMillis) -> list[Effect]:
        """Somebody asks who is there.

        Each is answered: who asks later may have begun to listen after the last answer.
        """
        if self._since is None:
            return []
        answer = self._build.registered(self.local, now, again=True)
        return [Send(answer), *self._answers_for_others(now)]

    def _complained_of(self, event: OMRSEventV1) -> list[Effect]:
        error, sender = event.error_section, event.originator
        own = self._configured.metadata_collection_id
        if error is None or error.target_metadata_collection_id != own:
            return []
        name = None if sender is None else sender.metadata_collection_id
        return [ReportComplaint(name or "", error)]

    def unreachable(
        self, collection_id: str, reason: str, now: EpochMillis
    ) -> list[Effect]:
        """A member's connection can't be made use of."""
        member = self._remote.get(collection_id)
        if member is None or not self.is_connected:
            return []
        connection = member.repository_connection
        complaint = self._build.bad_remote_connection
        return [Send(complaint(collection_id, connection, reason, now))]


def _registered(
    member: MemberRegistration, now: EpochMillis, *, again: bool
) -> OMRSEventV1:
    return EventBuilder(originator_of(member)).registered(member, now, again=again)


def _left(member: MemberRegistration, now: EpochMillis) -> OMRSEventV1:
    return EventBuilder(originator_of(member)).unregistered(member, now)


def _keeps(own: MemberRegistration, told: MemberRegistration) -> bool:
    """Whether a bridge goes on to speak for a member that another one registers, too.

    Neither had heard of the other when it did. Both come to the same: the lower address
    keeps it, and is said once more, because members know the one that was said last.
    """
    return is_relayed(told) and _address(own) < _address(told)


def _address(member: MemberRegistration) -> str:
    connection = member.repository_connection
    endpoint = None if connection is None else connection.endpoint
    return (endpoint and endpoint.address) or ""


def _id(member: MemberRegistration) -> str:
    return str(member.metadata_collection_id)


def _member(event: OMRSEventV1) -> MemberRegistration:
    """Who registers or leaves.

    Raises:
        BadRequestError: The event doesn't say whose metadata collection it is.
    """
    section, sender = event.registry_event_section, event.originator
    if section is None or sender is None or not sender.metadata_collection_id:
        raise BadRequestError("is missing", "originator.metadataCollectionId")
    return MemberRegistration(
        metadata_collection_id=sender.metadata_collection_id,
        metadata_collection_name=section.metadata_collection_name,
        server_name=sender.server_name,
        server_type=sender.server_type,
        organization_name=sender.organization_name,
        registration_time=section.registration_timestamp,
        repository_connection=section.remote_connection,
    )
