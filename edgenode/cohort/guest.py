"""A member of another cohort, for which a server of this node speaks in this one.

It is a member as the server itself is: it is announced, its events have places, and it is
compared with. What it tells is what the server has heard of it, in the other cohort. It
hears nothing here: that is for the server, which hears it anyway.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from functools import partial

from edgenode.cohort.envelope import Header, TopicKind
from edgenode.cohort.history import history
from edgenode.cohort.member import CohortMember, MemberLink, MemberParts
from edgenode.cohort.model import Mark, MemberRecord, Standing
from edgenode.cohort.publisher import Publisher
from edgenode.cohort.registry import CohortRegistry, Effect, Send
from edgenode.cohort.wording import Wording
from edgenode.events.frames import HistoryFrame
from edgenode.events.model import TypeDefEvent
from edgenode.events.registration import MemberRegistration
from edgenode.events.streams import Position, Step, Sum
from edgenode.repository.base import StoredDocument
from edgenode.repository.outbox import QueuedEvent
from edgenode.repository.sqlite import SqliteRepository


class GuestHoldings:
    """What a server holds of a guest's own, for whoever compares."""

    def __init__(self, repository: SqliteRepository, collection_id: str) -> None:
        self._repository = repository
        self._id = collection_id

    async def owners(self) -> Collection[str]:
        """The guest: of others it tells nothing."""
        return {self._id}

    async def group_sums(self, owner: str) -> Mapping[str, Sum]:
        """Sums by group."""
        return await self._repository.group_sums(owner) if owner == self._id else {}

    async def bucket_sums(self, owner: str, group: str) -> Mapping[int, Sum]:
        """Sums by bucket."""
        if owner != self._id:
            return {}
        return await self._repository.bucket_sums(owner, group)

    async def bucket_items(
        self, owner: str, group: str, buckets: Sequence[int]
    ) -> Mapping[str, int]:
        """Digests by GUID."""
        if owner != self._id:
            return {}
        return await self._repository.bucket_items(owner, group, buckets)

    async def documents(self, guids: Sequence[str]) -> list[StoredDocument]:
        """Instances as they are now."""
        return await self._repository.documents(guids)


class Guest:
    """One of them; see the module.

    Attributes:
        collection_id: Its metadata collection's.
        registration: How it registers.
        holdings: What is stored of it.
    """

    def __init__(
        self,
        parts: MemberParts,
        host: CohortMember,
        record: MemberRecord,
        link: MemberLink,
    ) -> None:
        """Nothing happens before ``join``.

        Args:
            parts: What the server brought into the cohort.
            host: The server.
            record: How the guest is registered: elsewhere, and long ago.
            link: The node.
        """
        registration = record.registration
        self.collection_id = str(registration.metadata_collection_id)
        self.registration = registration
        self.holdings = GuestHoldings(parts.repository, self.collection_id)
        self._repository = parts.repository
        self._clock = parts.clock
        self._codec = parts.codec
        self._host = host
        self._link = link
        self._words = partial(
            Wording, parts.codec, parts.rules, origin=self.collection_id
        )
        self._wording = self._words(registration)
        self._publisher = Publisher(parts.repository, self._publish, parts.clock)
        self._registry = CohortRegistry(parts.node_id, registration, record)

    # being a member

    @property
    def standing(self) -> Standing:
        """Whether it takes part: it doesn't while the server takes no part."""
        return self._host.standing

    @property
    def record(self) -> MemberRecord:
        """How it is registered, or that it has left."""
        record = self._registry.local
        if record is None:
            raise RuntimeError("a guest is registered somewhere")
        return record

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way that needn't wait for others."""
        return self._publisher.is_busy

    def mark(self) -> Mark | None:
        """How far its events go, as far as others are to know."""
        if self.standing.is_away:
            return None
        return Mark(
            metadata_collection_id=self.collection_id,
            incarnation=self._repository.incarnation(),
            sequence=self._repository.last_sequence(),
        )

    def join(self) -> None:
        """Be a member."""
        self._perform(self._registry.connect(self._clock.now()))

    def renew(self, registration: MemberRegistration) -> None:
        """It registers otherwise by now."""
        if registration == self.registration:
            return
        self.registration = registration
        self._wording = self._words(registration)
        self._perform(self._registry.renew(registration, self._clock.now()))

    def leave(self) -> None:
        """Be no member any more."""
        self._perform(self._registry.unregister(self._clock.now()))

    def announce(self) -> None:
        """Say on a bus that is new that it is registered."""
        self._perform(self._registry.announce(self._clock.now()))

    def hear_record(self, record: MemberRecord, *, first_hand: bool) -> None:
        """A node told of this member."""
        now = self._clock.now()
        self._perform(self._registry.learn(record, now, first_hand=first_hand))

    def hear_registry(
        self, collection_id: str, header: Header, event: bytes, *, first_hand: bool
    ) -> None:
        """A registry event arrived: of this member, or a request.

        Raises:
            BadRequestError: It can't be read.
        """
        effects = self._registry.receive(
            collection_id,
            header.node,
            header.revision,
            self._codec.decode_event(event),
            self._clock.now(),
            first_hand=first_hand,
        )
        self._perform(effects)

    def _perform(self, effects: Sequence[Effect]) -> None:
        """Say what is to be said of it; all else is for the server to do, and to ask."""
        for effect in effects:
            if isinstance(effect, Send) and effect.revision is not None:
                text = self._codec.encode_event(effect.event)
                revision = effect.revision
                self._link.publish_registration(self.collection_id, revision, text)

    # its events

    async def run(self) -> None:
        """Send its events until cancelled."""
        await self._publisher.run()

    def wake(self) -> None:
        """There are new events in the outbox."""
        self._publisher.wake()

    def repeat_newest(self) -> None:
        """Show whoever missed something that there was something."""
        self._publisher.repeat_newest()

    def _publish(self, step: Step, queued: QueuedEvent) -> bool:
        text = self._wording.text(queued)
        if text is None:
            return False
        if not self.standing.is_away:
            is_type_event = isinstance(queued.event, TypeDefEvent)
            kind = TopicKind.TYPES if is_type_event else TopicKind.INSTANCES
            self._link.publish_event(kind, self.collection_id, step, text)
        return True

    # what other nodes ask

    def history(self, after: Position) -> AsyncIterator[HistoryFrame]:
        """The events behind a place."""
        return history(self._repository, after, self._wording.text)

    def holdings_of(self, owner: str) -> GuestHoldings:
        """What is stored of it."""
        return self.holdings

    def is_sent(self, group: str) -> bool:
        """Whether the cohort is told of a group of instances at all."""
        return self._host.is_sent(group)

    def type_versions(self) -> Mapping[str, int]:
        """The version of each type definition, by GUID: the server's, which has its."""
        return self._host.type_versions()

    def type_texts(self, guids: Sequence[str]) -> list[bytes]:
        """Definitions, as the sections of the events that announce them."""
        return self._host.type_texts(guids)
