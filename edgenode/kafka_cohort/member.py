"""One server in a cohort over Kafka: who else is in it, what it says and hears."""

import asyncio
import logging
from collections import deque
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice

from edgenode.bus.topics import (
    CohortTopics,
    OmrsTopic,
    TopicsListener,
    TopicsStatistics,
)
from edgenode.bus.topics import Partition as TopicPartition
from edgenode.bus.topics import Position as TopicPosition
from edgenode.clock import Clock, EpochMillis
from edgenode.codec.codec import Codec
from edgenode.cohort.model import Standing as CohortStanding
from edgenode.cohort.wording import Wording
from edgenode.collection.local import LocalMetadataCollection
from edgenode.collection.received import Outcome, Received, TypeConflict
from edgenode.errors import EdgeNodeError, StoreFullError, StoreUnavailableError
from edgenode.events import outbound
from edgenode.events.exchange import ExchangeRules
from edgenode.events.model import (
    InstanceEvent,
    OMRSEventV1,
    TypeDefEvent,
)
from edgenode.events.registration import MemberRegistration
from edgenode.events.wrapping import EventBuilder, originator_of
from edgenode.instances.model import InstanceHeader
from edgenode.kafka_cohort.audit import KafkaAudit
from edgenode.kafka_cohort.reading import Reading
from edgenode.kafka_cohort.receiver import AskTypes, Receiver
from edgenode.kafka_cohort.registry import (
    Effect,
    ForgetRegistration,
    KafkaRegistry,
    NoteReturn,
    RemoveRemote,
    ReportClaim,
    ReportComplaint,
    ReportFull,
    SaveRemote,
    Send,
)
from edgenode.kafka_cohort.sender import Outgoing, Sender
from edgenode.kafka_cohort.states import stored_events
from edgenode.limits import (
    KAFKA_LEAVE_SECONDS,
    KAFKA_PAUSE_SECONDS,
    LONGEST_RETRY_SECONDS,
    MAX_TOLD_PATCHES,
)
from edgenode.observability.audit_log import AuditLog
from edgenode.repository.kafka_cohort import Standing
from edgenode.repository.outbox import QueuedEvent
from edgenode.repository.sqlite import SqliteRepository
from edgenode.typedefs.attributes import AttributeTypeDef
from edgenode.typedefs.model import TypeDef
from edgenode.typedefs.registry import TypeRegistry

logger = logging.getLogger(__name__)

OpenTopics = Callable[
    [str, Sequence[TopicPosition], TopicsListener],
    AbstractAsyncContextManager[CohortTopics],
]
"""Opens the topics of the cohort: with the id by which they know the server, how far they
are applied, and who is told of them."""


FaultOf = Callable[[MemberRegistration], str]
"""Why a member can't be asked by the connection that it has registered; empty if it can."""

Report = ReportClaim | ReportComplaint | ReportFull


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaMemberParts:
    """What a server brings into the cohort.

    Attributes:
        cohort_name: The cohort's.
        standing: What is remembered of it.
        registration: How the server registers; without a time.
        collection: Its metadata.
        repository: Where that is stored.
        types: What it knows of types.
        codec: The form of events.
        rules: What it sends, looks at and keeps.
        audit_log: Told of joins and refusals.
        clock: The time.
        open_topics: Opens the cohort's topics.
        ask_types: Asks members for types.
        fault_of: What is wrong with the connection of a member.
        pause_seconds: How long it waits after sending.
    """

    cohort_name: str
    standing: Standing
    registration: MemberRegistration
    collection: LocalMetadataCollection
    repository: SqliteRepository
    types: TypeRegistry
    codec: Codec
    rules: ExchangeRules
    audit_log: AuditLog
    clock: Clock
    open_topics: OpenTopics
    ask_types: AskTypes
    fault_of: FaultOf
    pause_seconds: float = KAFKA_PAUSE_SECONDS


class KafkaCohortMember:
    """A server in its cohort over Kafka; see the module.

    Attributes:
        name: The server's.
        cohort_name: The cohort's.
        collection_id: The server's metadata collection's.
        registration: How it registers, without a time.
        trouble: What has ended its part in the cohort last, while it lasts; else empty.
    """

    def __init__(self, parts: KafkaMemberParts) -> None:
        registration, store = parts.registration, parts.repository.kafka_cohort
        self.name = str(registration.server_name)
        self.cohort_name = parts.cohort_name
        self.collection_id = str(registration.metadata_collection_id)
        self.registration = registration
        self.trouble = ""
        self._parts = parts
        self._store = store
        self._audit = KafkaAudit(parts.audit_log, self.name, parts.cohort_name)
        self._build = EventBuilder(originator_of(registration))
        self._registry = KafkaRegistry(
            registration,
            parts.standing.registration_time,
            [
                parts.codec.decode(MemberRegistration, text)
                for text in store.members.values()
            ],
        )
        self._deciding = asyncio.Lock()
        self._due: deque[Effect] = deque()
        self._speaking_for: frozenset[str] = frozenset()
        self._told_of_changes: list[Callable[[], None]] = []
        self._told_of_returns: list[Callable[[str], None]] = []
        self._topics: CohortTopics | None = None
        self._session: asyncio.Task[None] | None = None
        self._returned = asyncio.Event()
        self._returned.set()
        self._is_in = asyncio.Event()
        self._sender = Sender(
            parts.repository,
            parts.standing.sent,
            parts.codec.encode_event,
            self._event_text,
            self._states,
            parts.clock,
            parts.pause_seconds,
        )
        self._reading = Reading(parts.repository, parts.types, parts.clock)
        self._receiver = Receiver(
            parts.collection,
            store,
            parts.codec,
            parts.rules,
            parts.clock,
            speaks_for=self._speaks_for,
            heard=self._hear_registry,
            refused=self._report_refused,
            ask_types=parts.ask_types,
        )

    def on_change(self, told: Callable[[], None]) -> None:
        """Have somebody told when others came, left or changed, and now."""
        self._told_of_changes.append(told)
        told()

    def on_return(self, told: Callable[[str], None]) -> None:
        """Have somebody told of each member that may have been started again."""
        self._told_of_returns.append(told)

    async def run(self) -> None:
        """Take part until cancelled."""
        while True:
            async with asyncio.TaskGroup() as tasks:
                name = f"{self.name} in {self.cohort_name}"
                self._session = tasks.create_task(self._try_to_take_part(), name=name)
            await self._returned.wait()

    async def _try_to_take_part(self) -> None:
        """Take part, and tell what keeps the server from it; that ends no node."""
        try:
            await self._take_part()
        except Exception as error:
            logger.exception("%s takes no part in %s", self.name, self.cohort_name)
            reason = _reason(error)
            if reason != self.trouble:  # once until it changes
                self._audit.disconnected(reason)
            self.trouble = reason
            await self._parts.clock.sleep(LONGEST_RETRY_SECONDS)

    async def _take_part(self) -> None:
        """Read and send until the server goes."""
        parts, audit = self._parts, self._audit
        audit.is_connected.clear()
        positions = [
            TopicPosition(TopicPartition(topic, partition), offset, topic_id)
            for topic, partition, offset, topic_id in self._store.places
        ]
        try:
            async with (
                parts.open_topics(
                    parts.standing.server_id, positions, audit
                ) as self._topics,
                asyncio.TaskGroup() as tasks,
            ):
                # What others said meanwhile is heard, so it takes part before it reads;
                # what they answer isn't missed, so it reads before it sends.
                await self._connect()
                tasks.create_task(self._receiver.run(self._topics))
                await audit.is_connected.wait()
                self._is_in.set()
                self.trouble = ""
                tasks.create_task(self._sender.run(self._topics))
        finally:
            self._is_in.clear()
            self._topics = None
            for part in (self._receiver, self._sender):
                try:
                    await part.close()
                except EdgeNodeError as error:  # it is said or applied once more
                    logger.warning("how far it got can't be kept: %s", error)

    def wake(self) -> None:
        """There are new events in the outbox."""
        self._sender.wake()

    # who is in the cohort

    @property
    def local(self) -> MemberRegistration:
        """This server as it is registered; without a time where it isn't."""
        return self._registry.local

    @property
    def registered_since(self) -> EpochMillis | None:
        """Since when the cohort has this server's registration; None where it hasn't."""
        standing = self._store.standing
        return None if standing is None else standing.registration_time

    @property
    def remote(self) -> Mapping[str, MemberRegistration]:
        """The other members, by collection id."""
        return self._registry.remote

    @property
    def server_id(self) -> str:
        """By which the topics know it."""
        return self._parts.standing.server_id

    @property
    def standing(self) -> CohortStanding:
        """How it stands with the cohort; it has to be told to come back if it went."""
        if not self._returned.is_set():
            is_registered = self.local.registration_time is not None
            gone = CohortStanding.DISCONNECTED
            return gone if is_registered else CohortStanding.UNREGISTERED
        if self._registry.is_connected:
            return CohortStanding.CONNECTED
        return CohortStanding.STARTING

    @property
    def is_put_back(self) -> bool:
        """Genuine members can't be asked for what a store lacks that was put back."""
        return False

    def is_known(self, collection_id: str) -> bool:
        """Whether a metadata collection is this one's or a member's."""
        return (
            collection_id == self.collection_id
            or collection_id in self._registry.remote
        )

    def fault_of(self, member: MemberRegistration) -> str:
        """Why a member can't be asked as it has registered; empty where it can."""
        return self._parts.fault_of(member)

    @property
    def outcomes(self) -> Mapping[Outcome, int]:
        """How often what came of the events of others."""
        return self._receiver.outcomes

    @property
    def type_conflicts(self) -> Sequence[TypeConflict]:
        """The types that other members have otherwise."""
        return self._parts.collection.type_conflicts

    @property
    def backlog(self) -> int:
        """How many of its events wait for the brokers, at most."""
        return self._sender.backlog

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way that needn't wait for others."""
        return self._sender.is_busy or self._receiver.is_busy

    def statistics(self) -> TopicsStatistics:
        """How the connection to the topics is."""
        return TopicsStatistics() if self._topics is None else self._topics.statistics()

    def was_read(self, header: InstanceHeader) -> None:
        """An instance was read from the cohort; see ``reading``."""
        if header.metadata_collection_id not in self._registry.remote:
            return
        rules = self._reading.learned(self._receiver.rules, header)
        self._receiver.rules = rules
        if not self._is_in.is_set():  # nobody would hear it
            return
        request = self._reading.request(rules, header)
        if request is not None and rules.sent(request) is not None:
            event = self._build.event(request, self._now())
            self._say(OmrsTopic.INSTANCES, event)

    async def speak_for(self, members: Iterable[MemberRegistration]) -> None:
        """The members of another cohort that are to be members of this one."""
        wanted, now = list(members), self._parts.clock.now()
        await self._decide(lambda registry: registry.speak_for(wanted, now))

    async def forget(self, collection_id: str) -> None:
        """Forget a member that is gone for good, until it says that it is there."""
        now = self._parts.clock.now()
        await self._decide(lambda registry: registry.forget(collection_id, now))

    @property
    def spoken_for(self) -> Mapping[str, MemberRegistration]:
        """The members of another cohort that it has registered, by collection id."""
        return self._registry.spoken_for

    async def connect(self) -> None:
        """Take part again."""
        if self._returned.is_set():
            return
        self._returned.set()
        self._audit.took_part_again()

    async def disconnect(self) -> None:
        """Take no part for now: say and hear nothing, and keep what is known."""
        if not self._returned.is_set():
            return
        await self._decide(lambda registry: registry.disconnect())
        self._go()
        self._audit.went()

    async def unregister(self) -> None:
        """Leave the cohort; who was disconnected comes back to say so."""
        if self.standing is CohortStanding.UNREGISTERED:
            return
        self._returned.set()
        with suppress(TimeoutError):  # nobody hears it while the brokers are away
            async with asyncio.timeout(KAFKA_LEAVE_SECONDS):
                await self._is_in.wait()
        now = self._parts.clock.now()
        await self._decide(lambda registry: registry.unregister(now))
        with suppress(TimeoutError):
            async with asyncio.timeout(KAFKA_LEAVE_SECONDS):
                await self._sender.all_said.wait()
        self._go()
        self._audit.unregistered()

    def _go(self) -> None:
        self._returned.clear()
        self._is_in.clear()
        if self._session is not None:
            self._session.cancel()
        self._changed()

    async def _connect(self) -> None:
        now = self._parts.clock.now()
        await self._decide(lambda registry: registry.connect(now))
        self._changed()

    # performing what the registry decides

    async def _hear_registry(self, event: OMRSEventV1) -> None:
        now = self._parts.clock.now()
        await self._decide(lambda registry: registry.receive(event, now))

    async def _decide(self, news: Callable[[KafkaRegistry], list[Effect]]) -> None:
        """Have the registry decide, and do what it says before it decides again.

        What the disk has no room for is done first the next time: the registry has taken
        note already, and doesn't decide it anew.
        """
        async with self._deciding:
            self._due += news(self._registry)
            while self._due:
                effect = self._due.popleft()
                try:
                    await self._perform(effect)
                except (StoreFullError, StoreUnavailableError):
                    self._due.appendleft(effect)
                    raise
            spoken_for = frozenset(self._registry.spoken_for)
            if spoken_for != self._speaking_for:
                await self._sender.speak_for(spoken_for, wanted=self._registry.wanted)
                self._speaking_for = spoken_for

    async def _perform(self, effect: Effect) -> None:
        match effect:
            case Send(event, None):
                self._say(OmrsTopic.REGISTRATION, event)
            case Send(event, time):
                remembered = partial(self._store.save_registration_time, time)
                self._say(OmrsTopic.REGISTRATION, event, remembered)
            case ForgetRegistration():
                await self._store.save_registration_time(None)
            case SaveRemote(member, is_new):
                await self._save(member, is_new=is_new)
            case NoteReturn(collection_id):
                for told in self._told_of_returns:
                    told(collection_id)
            case RemoveRemote(collection_id):
                await self._store.remove_member(collection_id)
                if self._registry.is_connected:  # else it is this server that left
                    self._audit.left(collection_id)
                self._parts.collection.forget_type_conflicts(collection_id)
                self._changed()
            case _:
                self._report(effect)

    def _report(self, report: Report) -> None:
        match report:
            case ReportClaim(member):
                self._audit.claimed(member)
            case ReportComplaint(sender, error):
                self._audit.complaint(sender, error)
            case ReportFull(member):
                self._audit.full(member)

    async def _save(self, member: MemberRegistration, *, is_new: bool) -> None:
        key = str(member.metadata_collection_id)
        await self._store.save_member(key, self._parts.codec.encode(member))
        if is_new:
            self._audit.joined(member)
            self._announce_types(self._own_types())
        if reason := self._parts.fault_of(member):
            self._audit.unusable(member, reason)
            for effect in self._registry.unreachable(key, reason, self._now()):
                await self._perform(effect)
        self._changed()

    def _changed(self) -> None:
        for told in self._told_of_changes:
            told()

    # what it sends

    def _say(
        self,
        topic: OmrsTopic,
        event: OMRSEventV1,
        sent: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._sender.say(Outgoing(topic, event, sent))

    def _announce_types(
        self, definitions: Sequence[TypeDef | AttributeTypeDef]
    ) -> None:
        """Say which types are known here, and what was changed of the release's."""
        if not self._receiver.rules.sends_types():
            return
        now = self._parts.clock.now()
        patches = self._parts.collection.patches_beyond_release(definitions)
        for section in (
            *map(outbound.new_type, definitions),
            *map(outbound.updated_type, islice(patches, MAX_TOLD_PATCHES)),
        ):
            self._say(OmrsTopic.TYPES, self._build.event(section, now))

    def _own_types(self) -> list[TypeDef | AttributeTypeDef]:
        """Those that others can't know by their release; each new member is told them.

        Genuine members tell nobody who comes later.
        """
        is_of_release = self._parts.collection.is_of_release
        return [
            each for each in self._parts.types.definitions if not is_of_release(each)
        ]

    def _event_text(self, queued: QueuedEvent) -> bytes | None:
        """An event of the outbox as it is sent; None for one that isn't."""
        sender: MemberRegistration | None = self.registration
        if queued.origin is not None:
            sender = self._registry.spoken_for.get(queued.origin)
        if sender is None:  # nobody that this server speaks for
            return None
        rules = self._receiver.rules
        return Wording(self._parts.codec, rules, sender, queued.origin).text(queued)

    async def _states(
        self, owners: Collection[str] | None
    ) -> AsyncIterator[Sequence[bytes]]:
        """The instances of some owners, or of all it speaks for, as events.

        What an archive brought is always among them: whoever has it tells it. With all of
        them all types are told, as genuine members do whenever they start: others may be of
        another release, and of the outbox some may not have been sent.
        """
        if owners is None:
            self._announce_types(self._parts.types.definitions)
        tellers: dict[str, str | None] = {}
        async for events in stored_events(self._parts.repository):
            texts: list[bytes] = []
            for owner, event in events:
                if owner not in tellers:
                    tellers[owner] = self._teller(owner, owners)
                teller = tellers[owner]
                text = None if teller is None else self._state_text(teller, event)
                if text is not None:
                    texts.append(text)
            yield texts

    def _teller(self, owner: str, owners: Collection[str] | None) -> str | None:
        """In whose name something is told that an owner answers for; None if it isn't."""
        if (
            self.is_known(owner)
            or owner in self._registry.spoken_for
            or self._parts.repository.was_member(owner)
        ):
            return owner if owners is None or owner in owners else None
        return self.collection_id

    def _state_text(self, teller: str, event: InstanceEvent) -> bytes | None:
        origin = None if teller == self.collection_id else teller
        return self._event_text(QueuedEvent(0, self._now(), event, origin=origin))

    def _speaks_for(self, collection_id: str) -> bool:
        is_own = collection_id == self.collection_id
        return is_own or collection_id in self._registry.spoken_for

    def _now(self) -> EpochMillis:
        return self._parts.clock.now()

    # what is told to people, and to the cohort

    def _report_refused(self, origin: str, received: Received) -> None:
        self._audit.event_refused(origin, received.why)
        report = received.report
        if report is None:
            return
        event = self._build.event(report.section, self._now(), report.error)
        rules = self._receiver.rules
        if isinstance(report.section, TypeDefEvent):
            if rules.sends_types():
                self._say(OmrsTopic.TYPES, event)
        elif rules.sent(report.section) is not None:
            self._say(OmrsTopic.INSTANCES, event)


def _reason(error: Exception) -> str:
    """What failed, of all that failed with it."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__
