"""The registration protocol of one member, as decisions: news goes in, effects come out.

A member announces itself when it joins and after each start, with the time of its first
registration, and asks all others to announce themselves again. Whoever is asked answers;
nothing else is ever answered. What is heard of a member replaces what was known, if its
revision is higher. So messages may be lost, repeated and reordered: whoever hears of a
member's newest announcement in any way knows what there is to know.

What the member's node says itself is first hand: it replaces what others told, whatever
their revision. Members that only others have told of are remembered for a while, but
neither stored nor told on: anybody can make them up.

A member belongs to the node that first announced it. Another node's announcement is
refused and reported, until the member has left, by its own node's word, or its node was
removed.

Two kinds of news of a member reach itself. Where its store was put back to an earlier
state, the cohort knows a higher revision than the member does: it announces itself with
one beyond that. Where somebody answers that, again and again, there is a twin: a copy of
the store, or of the whole card, that runs, too. So does another node's announcement.

A server without a repository has no collection id. It only listens.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from edgenode.clock import EpochMillis
from edgenode.cohort.model import MemberRecord, Standing
from edgenode.cohort.told import LAST_OUTDONE
from edgenode.errors import BadRequestError, EdgeNodeError
from edgenode.events.model import (
    EventError,
    OMRSEventErrorCode,
    OMRSEventV1,
    OMRSRegistryEventType,
)
from edgenode.events.registration import MemberRegistration
from edgenode.events.wrapping import EventBuilder, originator_of
from edgenode.limits import (
    FORGOTTEN_AFTER_SECONDS,
    MAX_MEMBERS,
    MAX_OVERTAKINGS,
    REFRESH_ANSWER_MILLIS,
)


class CollectionIdChangedError(EdgeNodeError):
    """The server is registered by another collection id than it is configured with."""

    def __init__(self, registered: str, configured: str) -> None:
        super().__init__(registered, configured)
        self.registered = registered
        self.configured = configured

    def __str__(self) -> str:
        return (
            f"registered as {self.registered}, configured as {self.configured}; "
            "unregister the one, or configure it again"
        )


# What is to be done, in the order in which it is given.


@dataclass(frozen=True, slots=True)
class Send:
    """Put an event on the bus.

    Attributes:
        event: The event.
        revision: Of an announcement, which is retained on the member's topic for
            registrations; None for what goes to the topic for requests.
    """

    event: OMRSEventV1
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class SaveLocal:
    """Remember how this member is registered; None forgets it."""

    record: MemberRecord | None


@dataclass(frozen=True, slots=True)
class SaveRemote:
    """Remember another member, or that it has left."""

    record: MemberRecord


@dataclass(frozen=True, slots=True)
class RemoveRemote:
    """Forget another member."""

    collection_id: str


@dataclass(frozen=True, slots=True)
class NoteRemote:
    """Others told of a member, or that it has left; there is nothing to be stored."""

    record: MemberRecord


@dataclass(frozen=True, slots=True)
class ReportConflict:
    """Another node speaks for a member; what it says is refused."""

    known: MemberRecord
    refused: MemberRecord


@dataclass(frozen=True, slots=True)
class ReportClone:
    """Somebody else speaks for this member, and goes on."""

    record: MemberRecord


@dataclass(frozen=True, slots=True)
class ReportComplaint:
    """Another member complains of a registration."""

    sender: str
    error: EventError


@dataclass(frozen=True, slots=True)
class ReportFull:
    """There is no room for another member."""

    record: MemberRecord


Effect = (
    Send
    | SaveLocal
    | SaveRemote
    | RemoveRemote
    | NoteRemote
    | ReportConflict
    | ReportClone
    | ReportComplaint
    | ReportFull
)


class CohortRegistry:
    """Decides what to send and what to remember; the caller performs it, in order."""

    def __init__(
        self,
        node_id: str,
        configured: MemberRegistration,
        stored: MemberRecord | None = None,
        remote: Iterable[MemberRecord] = (),
    ) -> None:
        """Begin with what is configured and what is stored.

        Args:
            node_id: The node that this member belongs to.
            configured: The member as it would register now; without a time.
            stored: How it is registered already.
            remote: The other members that are known.
        """
        self._node_id = node_id
        self._configured = configured
        self._build = EventBuilder(originator_of(configured))
        self._local = stored
        self._remote = {_id(record): record for record in remote}
        # Of whom the node didn't say last itself what is known; what is stored may be old.
        self._hearsay = set(self._remote)
        # Of whom the node said itself that they left: others may have them by now.
        self._departed = {
            key for key, record in self._remote.items() if not record.is_registered
        }
        # Who was never heard of first hand, and when it was told.
        self._told: dict[str, tuple[MemberRecord, EpochMillis]] = {}
        # The node and revision with which a member left before it came to another node.
        self._former: dict[str, tuple[str, int]] = {}
        self._complained: set[tuple[str, str]] = set()
        self._standing = Standing.STARTING
        self._answered: EpochMillis | None = None
        self._overtakings = 0

    @property
    def local(self) -> MemberRecord | None:
        """How this member is registered, or that it has left."""
        return self._local

    @property
    def remote(self) -> Mapping[str, MemberRecord]:
        """The other members by collection id, those that have left included."""
        return self._remote

    @property
    def told(self) -> Mapping[str, MemberRecord]:
        """Members that only others have told of, by collection id."""
        return {key: record for key, (record, _) in self._told.items()}

    def is_first_hand(self, collection_id: str) -> bool:
        """Whether what is known of another member is what its node said last itself."""
        return collection_id in self._remote and collection_id not in self._hearsay

    @property
    def standing(self) -> Standing:
        """Whether this member takes part, and if not, how it went."""
        return self._standing

    @property
    def is_connected(self) -> bool:
        """Whether this member takes part."""
        return self._standing is Standing.CONNECTED

    # what this member does

    def connect(self, now: EpochMillis) -> list[Effect]:
        """Join the cohort, or come back to it after a restart.

        Raises:
            CollectionIdChangedError: The member is registered by another collection id.
        """
        local, configured = self._local, self._configured
        if local is not None and _id(local) != configured.metadata_collection_id:
            if configured.metadata_collection_id is None:
                return self._without_repository(local, now)
            if local.is_registered:
                raise CollectionIdChangedError(
                    _id(local), configured.metadata_collection_id
                )
            local = None
        self._standing = Standing.CONNECTED
        if configured.metadata_collection_id is None:
            return []
        since, is_first = now, True
        if local is not None and local.is_registered:
            since, is_first = local.registration.registration_time or now, False
        registration = replace(configured, registration_time=since)
        revision = now if local is None else max(now, local.revision + 1)
        announced = self._announce(registration, revision, now, again=not is_first)
        return [*announced, Send(self._build.refresh_requested(now))]

    def _without_repository(
        self, local: MemberRecord, now: EpochMillis
    ) -> list[Effect]:
        """The server had a repository once: the collection leaves the cohort."""
        self._standing = Standing.CONNECTED
        self._local = None
        if not local.is_registered:
            return [SaveLocal(None)]
        build = EventBuilder(originator_of(local.registration))
        left = build.unregistered(local.registration, now)
        return [Send(left, max(now, local.revision + 1)), SaveLocal(None)]

    def renew(self, configured: MemberRegistration, now: EpochMillis) -> list[Effect]:
        """Announce the member anew where it can be reached otherwise than before."""
        if configured == self._configured:
            return []
        self._configured = configured
        self._build = EventBuilder(originator_of(configured))
        local = self._registered
        if local is None:
            return []
        since = local.registration.registration_time
        registration = replace(configured, registration_time=since)
        revision = max(now, local.revision + 1)
        return self._announce(registration, revision, now, again=True)

    def announce(self, now: EpochMillis) -> list[Effect]:
        """Say once more who this member is, on a bus that hasn't heard it.

        It is the same announcement: whoever has heard it has nothing to do.
        """
        local = self._registered
        if local is None:
            return []
        event = self._build.registered(local.registration, now, again=True)
        return [Send(event, local.revision)]

    def disconnect(self) -> list[Effect]:
        """Go, to come back later; nobody is told."""
        if self._standing is not Standing.UNREGISTERED:
            self._standing = Standing.DISCONNECTED
        return []

    def unregister(self, now: EpochMillis) -> list[Effect]:
        """Leave the cohort, be it that this member takes part now or not."""
        local = self._local
        if local is None or not local.is_registered:
            return []
        revision = max(now, local.revision + 1)
        # It is remembered, so that a later registration has a higher revision.
        self._local = _left(local, revision)
        self._standing = Standing.UNREGISTERED
        forgotten = list(map(RemoveRemote, self._remote))
        self._remote.clear()
        self._hearsay.clear()
        self._departed.clear()
        self._told.clear()
        self._former.clear()
        left = self._build.unregistered(self._local.registration, now)
        return [Send(left, revision), SaveLocal(self._local), *forgotten]

    def unreachable(
        self, collection_id: str, reason: str, now: EpochMillis
    ) -> list[Effect]:
        """A member's connection can't be made use of."""
        known = self._remote.get(collection_id)
        if known is None or self._registered is None:
            return []
        connection = known.registration.repository_connection
        complaint = self._build.bad_remote_connection
        return [Send(complaint(collection_id, connection, reason, now))]

    @property
    def _registered(self) -> MemberRecord | None:
        """How this member is registered, while it takes part."""
        if self.is_connected and self._local is not None:
            return self._local if self._local.is_registered else None
        return None

    def _announce(
        self,
        registration: MemberRegistration,
        revision: int,
        now: EpochMillis,
        *,
        again: bool,
    ) -> list[Effect]:
        self._local = MemberRecord(
            node_id=self._node_id, revision=revision, registration=registration
        )
        event = self._build.registered(registration, now, again=again)
        # Sent first: it is remembered only once it is out.
        return [Send(event, revision), SaveLocal(self._local)]

    # what this member hears

    def receive(
        self,
        collection_id: str,
        node_id: str,
        revision: int | None,
        event: OMRSEventV1,
        now: EpochMillis,
        *,
        first_hand: bool,
    ) -> list[Effect]:
        """Apply a registry event.

        Args:
            collection_id: The member on whose topic it arrived.
            node_id: The node that sent it.
            revision: Of an announcement.
            event: What arrived.
            now: The time.
            first_hand: Whether it came from that node itself, and over no other one.

        Raises:
            BadRequestError: The event says too little, or speaks for somebody else.
        """
        section = event.registry_event_section
        if section is None:
            raise BadRequestError("is missing", "event.registryEventSection")
        kinds = OMRSRegistryEventType
        match section.registry_event_type:
            case kinds.REGISTRATION_EVENT | kinds.RE_REGISTRATION_EVENT:
                record = _record(collection_id, node_id, revision, event)
                return self.learn(record, now, first_hand=first_hand)
            case kinds.UN_REGISTRATION_EVENT:
                record = _record(collection_id, node_id, revision, event)
                record = replace(record, is_registered=False)
                return self.learn(record, now, first_hand=first_hand)
            case kinds.REFRESH_REGISTRATION_REQUEST:
                return self._asked(collection_id, now)
            case kinds.REGISTRATION_ERROR_EVENT:
                return self._complained_of(collection_id, event.error_section)
            case kinds.UNKNOWN_REGISTRY_EVENT:
                return []

    def learn(
        self, record: MemberRecord, now: EpochMillis, *, first_hand: bool
    ) -> list[Effect]:
        """Take in what is said of a member.

        Args:
            record: What is said.
            now: The time.
            first_hand: Whether the member's node says it, and over no other one.
        """
        collection_id = record.registration.metadata_collection_id
        if not self.is_connected or collection_id is None:
            return []
        if collection_id == self._configured.metadata_collection_id:
            return self._heard_of_itself(record, now)
        known = self._remote.get(collection_id)
        if known is None:
            return self._add(record) if first_hand else self._note(record, now)
        if known.node_id == record.node_id:
            return self._renewed(known, record, first_hand=first_hand)
        if not known.is_registered and collection_id in self._departed:
            if record.revision <= known.revision:
                return []  # it announces itself anew when it hears of the known one
            self._former[collection_id] = (known.node_id, known.revision)
            return self._save(record, first_hand=first_hand)
        if not record.is_registered:
            return []
        former, until = self._former.get(collection_id, ("", 0))
        if former == record.node_id and record.revision <= until:
            return []  # from before it left
        return self._refuse(known, record, now)

    def node_has(self, node_id: str, collection_ids: Collection[str]) -> list[Effect]:
        """A node said which members it has: others that it had are gone.

        So a member whose store was lost leaves, though nobody is there to say so for it.
        """
        gone = [
            _left(record, record.revision + 1)
            for key, record in self._remote.items()
            if record.node_id == node_id
            and record.is_registered
            and key not in collection_ids
        ]
        effects = []
        for record in gone:
            effects += self._save(record, first_hand=True)
            # If it comes back, with whatever revision, its own word holds.
            self._hearsay.add(_id(record))
        return effects

    def forget_told(self, now: EpochMillis) -> bool:
        """Forget members that others told of long ago; whether there were any."""
        age = FORGOTTEN_AFTER_SECONDS * 1000
        old = [key for key, (_, at) in self._told.items() if now - at >= age]
        for key in old:
            del self._told[key]
        return bool(old)

    def node_removed(self, node_id: str) -> list[Effect]:
        """A node was removed from the cohort, and its members with it.

        What removed nodes say is not to be handed in.
        """
        gone = [
            key for key, record in self._remote.items() if record.node_id == node_id
        ]
        for collection_id in gone:
            self._forget(collection_id)
        for collection_id, record in self.told.items():
            if record.node_id == node_id:
                del self._told[collection_id]
        return list(map(RemoveRemote, gone))

    def _asked(self, collection_id: str, now: EpochMillis) -> list[Effect]:
        local = self._registered
        if local is None or collection_id == _id(local):
            return []
        if self._answered is not None and (
            0 <= now - self._answered < REFRESH_ANSWER_MILLIS
        ):
            return []
        self._answered = now
        # It is the same announcement: whoever has heard it has nothing to do.
        event = self._build.registered(local.registration, now, again=True)
        return [Send(event, local.revision)]

    def _complained_of(
        self, collection_id: str, error: EventError | None
    ) -> list[Effect]:
        own = self._configured.metadata_collection_id
        if error is None or collection_id == own:
            return []
        is_bad = error.error_code is OMRSEventErrorCode.BAD_REMOTE_CONNECTION
        if is_bad and error.target_metadata_collection_id != own:
            return []  # who is reached by whom differs from network to network
        return [ReportComplaint(collection_id, error)]

    def _heard_of_itself(self, record: MemberRecord, now: EpochMillis) -> list[Effect]:
        local = self._registered
        if local is None:
            return []
        if record.is_registered and record.node_id != self._node_id:
            return [ReportClone(record)]
        if record.revision < local.revision or record == local:
            return []  # an echo, or from an earlier run
        if self._overtakings == MAX_OVERTAKINGS or record.revision >= LAST_OUTDONE:
            return [ReportClone(record)]
        self._overtakings += 1
        revision = max(now, record.revision + 1)
        return self._announce(local.registration, revision, now, again=True)

    # the other members

    def _renewed(
        self, known: MemberRecord, record: MemberRecord, *, first_hand: bool
    ) -> list[Effect]:
        """What the node of a known member, or somebody else, says of it by now."""
        if record.revision > known.revision:
            return self._save(record, first_hand=first_hand)
        if not first_hand or _id(record) not in self._hearsay:
            return []
        self._hearsay.discard(_id(record))
        return [] if record == known else self._save(record, first_hand=True)

    def _note(self, record: MemberRecord, now: EpochMillis) -> list[Effect]:
        """Remember for a while what others told of a member."""
        known, at = self._told.pop(_id(record), (None, now))
        if not record.is_registered:
            return [] if known is None else [NoteRemote(record)]
        room = MAX_MEMBERS - len(self._remote)
        while self._told and len(self._told) >= room:
            del self._told[next(iter(self._told))]
        if room > 0:
            self._told[_id(record)] = (record, at)
        return [] if record == known else [NoteRemote(record)]

    def _add(self, record: MemberRecord) -> list[Effect]:
        self._told.pop(_id(record), None)
        if len(self._remote) < MAX_MEMBERS:
            return self._save(record, first_hand=True)
        if not record.is_registered:
            return []
        left = [each for each in self._remote.values() if not each.is_registered]
        if not left:
            return [ReportFull(record)]
        oldest = _id(min(left, key=lambda each: each.revision))
        self._forget(oldest)
        return [RemoveRemote(oldest), *self._save(record, first_hand=True)]

    def _save(self, record: MemberRecord, *, first_hand: bool) -> list[Effect]:
        collection_id = _id(record)
        self._remote[collection_id] = record
        self._hearsay.add(collection_id)
        self._departed.discard(collection_id)
        if first_hand:
            self._hearsay.discard(collection_id)
            if not record.is_registered:
                self._departed.add(collection_id)
        return [SaveRemote(record)]

    def _forget(self, collection_id: str) -> None:
        del self._remote[collection_id]
        self._hearsay.discard(collection_id)
        self._departed.discard(collection_id)
        self._former.pop(collection_id, None)

    def _refuse(
        self, known: MemberRecord, record: MemberRecord, now: EpochMillis
    ) -> list[Effect]:
        report = ReportConflict(known, record)
        case = (_id(record), record.node_id)
        if case in self._complained or self._registered is None:
            return [report]
        if len(self._complained) >= MAX_MEMBERS:
            self._complained.clear()
        self._complained.add(case)
        complaint = self._build.conflicting_collection_id(
            _id(record),
            record.registration.repository_connection,
            f"announced by node {record.node_id}, belongs to node {known.node_id}",
            now,
        )
        return [report, Send(complaint)]


def _id(record: MemberRecord) -> str:
    return str(record.registration.metadata_collection_id)


def _left(record: MemberRecord, revision: int) -> MemberRecord:
    """That a member has left: no more than its event says, by whatever way it is heard."""
    registration = replace(
        record.registration, registration_time=None, repository_connection=None
    )
    return replace(
        record, revision=revision, registration=registration, is_registered=False
    )


def _record(
    collection_id: str, node_id: str, revision: int | None, event: OMRSEventV1
) -> MemberRecord:
    """The member that an event announces, or says to have left."""
    originator, section = event.originator, event.registry_event_section
    if originator is None or originator.metadata_collection_id != collection_id:
        raise BadRequestError(
            "is not the topic's member", "event.originator.metadataCollectionId"
        )
    if revision is None or section is None:
        raise BadRequestError("has no revision", "event")
    return MemberRecord(
        node_id=node_id,
        revision=revision,
        registration=MemberRegistration(
            metadata_collection_id=collection_id,
            metadata_collection_name=section.metadata_collection_name,
            server_name=originator.server_name,
            server_type=originator.server_type,
            organization_name=originator.organization_name,
            registration_time=section.registration_timestamp,
            repository_connection=section.remote_connection,
        ),
    )
