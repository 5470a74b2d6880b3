"""Puts on the topics what a server has to say, in order, and remembers how far it got.

Nothing counts as said before the brokers have it durably. Where they are away it waits
in the outbox, for as long as that is kept. What was forgotten there meanwhile, and what
was before the server joined, is said as the states that are stored by then. So is what is
stored of a member of another cohort when the server begins to speak for it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace

from edgenode.bus.topics import BusUnavailableError, CohortTopics, OmrsTopic
from edgenode.clock import Clock
from edgenode.events.model import OMRSEventV1, TypeDefEvent
from edgenode.events.streams import Position
from edgenode.limits import (
    FIRST_RETRY_SECONDS,
    KAFKA_SENT_SAVED_EVENTS,
    KAFKA_SENT_SAVED_SECONDS,
    KAFKA_TYPES_LEAD_SECONDS,
    LONGEST_RETRY_SECONDS,
    MAX_KAFKA_WAITING,
    MAX_SINGLE_EVENTS,
)
from edgenode.repository.outbox import QueuedEvent
from edgenode.repository.sqlite import SqliteRepository

logger = logging.getLogger(__name__)

Wording = Callable[[QueuedEvent], bytes | None]
States = Callable[[Collection[str] | None], AsyncIterator[Sequence[bytes]]]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Something that isn't in the outbox.

    Attributes:
        topic: Where it goes.
        event: The event, which takes far less memory than its JSON.
        sent: What is to be done once the brokers have it.
    """

    topic: OmrsTopic
    event: OMRSEventV1
    sent: Callable[[], Awaitable[None]] | None = None


class Sender:
    """Sends for one server; see the module.

    Attributes:
        all_said: Set while nothing waits that isn't in the outbox.
        events: How many events were sent.
    """

    def __init__(
        self,
        repository: SqliteRepository,
        sent: Position | None,
        encode: Callable[[OMRSEventV1], bytes],
        wording: Wording,
        states: States,
        clock: Clock,
        pause_seconds: float,
    ) -> None:
        """Begin behind what is sent already.

        Args:
            repository: Has the outbox.
            sent: Up to which place it is sent; None before the server ever joined.
            encode: Makes the JSON of an event.
            wording: An event of the outbox as it is sent; None for one that isn't.
            states: The instances of some members that the server speaks for, or of all
                and the server itself, as events, some at a time.
            clock: Times retries.
            pause_seconds: How long to wait after sending, for more to be sent together.
        """
        self._repository = repository
        self._store = repository.kafka_cohort
        self._encode = encode
        self._wording = wording
        self._states = states
        self._clock = clock
        self._pause_seconds = pause_seconds
        self._sent = sent
        self._unsaved = 0
        self._saved_at = clock.monotonic()
        self._waiting: deque[Outgoing] = deque()
        self._to_be_said: dict[str, OMRSEventV1] = {}
        self._woken = asyncio.Event()
        self._is_sending = False
        self._types_sent_at = -KAFKA_TYPES_LEAD_SECONDS
        self._is_pausing = False
        self._told = set(self._store.told)
        self._spoken_for: frozenset[str] = frozenset()
        self.all_said = asyncio.Event()
        self.all_said.set()
        self.events = 0

    @property
    def is_busy(self) -> bool:
        """Whether there is something to send that needn't wait for the brokers."""
        is_due = self._woken.is_set() and not self._is_pausing
        return self._is_sending or is_due

    @property
    def backlog(self) -> int:
        """How many events of the outbox aren't sent, at most."""
        sent = self._sent
        if sent is None or sent.incarnation != self._repository.incarnation():
            return self._repository.last_sequence()
        return self._repository.last_sequence() - sent.sequence

    def wake(self) -> None:
        """There is something new in the outbox."""
        self._woken.set()

    def say(self, outgoing: Outgoing) -> bool:
        """Send something that isn't in the outbox, before what is; False if too much waits.

        Of a member nothing is said twice in a row as long as it still waits: anybody may
        ask as often as it likes who is there.
        """
        about, said = (
            _member_of(outgoing.event),
            replace(outgoing.event, timestamp=None),
        )
        if outgoing.sent is None and self._to_be_said.get(about) == said:
            return True
        if len(self._waiting) >= MAX_KAFKA_WAITING:
            return False
        if about:
            self._to_be_said[about] = said
        self._waiting.append(outgoing)
        self.all_said.clear()
        self._woken.set()
        return True

    async def speak_for(
        self, members: Collection[str], *, wanted: Collection[str]
    ) -> None:
        """Tell what is stored of members, too, once.

        Args:
            members: Those of another cohort that the server speaks for.
            wanted: These, and those that another server speaks for.
        """
        self._spoken_for = frozenset(members)
        gone = self._told - set(wanted)
        if gone:
            await self._store.save_told(untold=gone)
            self._told -= gone
        if self._spoken_for - self._told:
            self._woken.set()

    async def run(self, topics: CohortTopics) -> None:
        """Send what is there, and then whatever comes, until cancelled."""
        wait = FIRST_RETRY_SECONDS
        self._is_pausing = False
        self._woken.set()
        while True:
            await self._until_woken()
            self._woken.clear()
            try:
                await self._send(topics)
            except BusUnavailableError as error:
                logger.debug("events wait for the brokers: %s", error)
            except Exception:
                # Neither a disk that fails nor what is wrong with one event ends the rest.
                logger.exception("events couldn't be sent")
            else:
                wait = FIRST_RETRY_SECONDS
                if self._pause_seconds:
                    await self._clock.sleep(self._pause_seconds)
                continue
            self._is_pausing = True
            await self._clock.sleep(wait)
            self._is_pausing = False
            wait = min(2 * wait, LONGEST_RETRY_SECONDS)
            self._woken.set()

    async def close(self) -> None:
        """Remember how far it got."""
        if self._unsaved and self._sent is not None:
            await self._store.save_sent(self._sent)
            self._unsaved = 0

    async def _until_woken(self) -> None:
        """Wait for something to send; what is sent is remembered when it gets quiet."""
        if self._unsaved and not self._woken.is_set():
            try:
                async with asyncio.timeout(KAFKA_SENT_SAVED_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                await self.close()
        await self._woken.wait()

    async def _send(self, topics: CohortTopics) -> None:
        self._is_sending = True
        try:
            await self._send_waiting(topics)
            await self._send_outbox(topics)
        finally:
            self._is_sending = False

    async def _send_waiting(self, topics: CohortTopics) -> None:
        """What isn't in the outbox, neighbours for one topic together."""
        while self._waiting:
            topic = self._waiting[0].topic
            portion: list[Outgoing] = []
            for each in self._waiting:
                if each.topic is not topic or len(portion) == MAX_SINGLE_EVENTS:
                    break
                portion.append(each)
                self._to_be_said.pop(_member_of(each.event), None)
            await self._put(
                topics, topic, [self._encode(each.event) for each in portion]
            )
            for each in portion:
                self._waiting.popleft()
                if each.sent is not None:
                    await each.sent()
        self.all_said.set()

    async def _send_outbox(self, topics: CohortTopics) -> None:
        incarnation = self._repository.incarnation()
        sent = self._sent
        if sent is None or sent.incarnation != incarnation:
            sent = await self._send_states(topics)
        while new := self._spoken_for - self._told:
            await self._send_states_of(topics, new)
        through = self._repository.last_sequence()  # what comes meanwhile waits a while
        while sent.sequence < through:
            await self._send_waiting(topics)
            events = await self._repository.events_after(
                sent.sequence, MAX_SINGLE_EVENTS
            )
            if not events:
                return
            if events[0].after > sent.sequence:  # what came between is forgotten
                logger.warning(
                    "%d events were forgotten before the brokers had them; all that is "
                    "stored is sent instead",
                    events[0].after - sent.sequence,
                )
                sent = await self._send_states(topics)
                continue
            await self._send_events(topics, events)
            sent = Position(incarnation, events[-1].sequence)
            await self._reached(sent, len(events))

    async def _send_events(
        self, topics: CohortTopics, events: Sequence[QueuedEvent]
    ) -> None:
        """Events of the outbox: runs of one kind together, so that the order holds."""
        run: list[bytes] = []
        topic = OmrsTopic.INSTANCES
        for event in events:
            text = self._wording(event)
            if text is None:
                continue
            if _topic(event) is not topic:
                await self._put(topics, topic, run)
                run, topic = [], _topic(event)
            run.append(text)
        await self._put(topics, topic, run)

    async def _send_states(self, topics: CohortTopics) -> Position:
        """Everything that the server speaks for; the place behind it."""
        place = Position(
            self._repository.incarnation(), self._repository.last_sequence()
        )
        await self._send_states_of(topics, None)
        await self._reached(place, KAFKA_SENT_SAVED_EVENTS)
        return place

    async def _send_states_of(
        self, topics: CohortTopics, members: frozenset[str] | None
    ) -> None:
        """All that is stored of members, or of all whom the server speaks for."""
        told = self._spoken_for if members is None else members
        async for states in self._states(members):
            await self._send_waiting(topics)
            await self._put(topics, OmrsTopic.INSTANCES, states)
        told &= self._spoken_for
        self._told |= told
        await self._store.save_told(told)

    async def _put(
        self, topics: CohortTopics, topic: OmrsTopic, events: Sequence[bytes]
    ) -> None:
        if not events:
            return
        if topic is OmrsTopic.INSTANCES:
            await self._until_types_are_read()
        await topics.send(topic, events)
        self.events += len(events)
        if topic is OmrsTopic.TYPES:
            self._types_sent_at = self._clock.monotonic()

    async def _until_types_are_read(self) -> None:
        """Give others time to read new types before instances that may be of them."""
        passed = self._clock.monotonic() - self._types_sent_at
        if passed < KAFKA_TYPES_LEAD_SECONDS:
            await self._clock.sleep(KAFKA_TYPES_LEAD_SECONDS - passed)

    async def _reached(self, place: Position, count: int) -> None:
        """Events up to a place are sent; that is remembered now and then.

        After a crash some are sent again, which changes nothing for whoever has them.
        """
        self._sent = place
        self._unsaved += count
        now = self._clock.monotonic()
        if (
            self._unsaved >= KAFKA_SENT_SAVED_EVENTS
            or now >= self._saved_at + KAFKA_SENT_SAVED_SECONDS
        ):
            self._saved_at = now
            await self.close()


def _topic(queued: QueuedEvent) -> OmrsTopic:
    is_of_types = isinstance(queued.event, TypeDefEvent)
    return OmrsTopic.TYPES if is_of_types else OmrsTopic.INSTANCES


def _member_of(event: OMRSEventV1) -> str:
    """Whose membership an event is of; empty for what else there is."""
    sender = event.originator
    if sender is None or event.registry_event_section is None:
        return ""
    return sender.metadata_collection_id or ""
