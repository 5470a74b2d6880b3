"""Takes in what the other members of a cohort over Kafka say.

Records come in the order of their topics, which says little: genuine members hand theirs
over side by side, and types and instances are on topics of their own. What was applied
counts as read only afterwards, so that after a crash some is applied once more, which
changes nothing.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from edgenode.bus.topics import Batch, CohortTopics, Position, Record
from edgenode.clock import Clock
from edgenode.codec.codec import Codec
from edgenode.collection.local import LocalMetadataCollection
from edgenode.collection.received import Outcome, Received
from edgenode.errors import (
    BadRequestError,
    StoreFullError,
    StoreUnavailableError,
)
from edgenode.events import outbound
from edgenode.events.checks import fault_of_event
from edgenode.events.exchange import ExchangeRules
from edgenode.events.model import (
    OMRSEventErrorCode,
    OMRSEventV1,
)
from edgenode.limits import (
    ASKED_TYPE_SECONDS,
    FIRST_RETRY_SECONDS,
    KAFKA_SENT_SAVED_EVENTS,
    KAFKA_SENT_SAVED_SECONDS,
    LONGEST_RETRY_SECONDS,
    MAX_MEMBERS,
    MAX_MESSAGE_BYTES,
    MAX_REGISTRATION_BYTES,
    MAX_TYPE_BYTES,
    MAX_TYPES,
    MAX_TYPES_SECONDS,
    SLOW_TYPES_PAUSE,
    SLOW_TYPES_SECONDS,
)
from edgenode.repository.kafka_cohort import KafkaCohortStore, TopicPlace
from edgenode.typedefs.model import TypeDef

logger = logging.getLogger(__name__)

AskTypes = Callable[[str, Sequence[str]], Awaitable[Sequence[TypeDef]]]
"""Asks a member, by collection id, for the definitions of types by their names."""


class Receiver:
    """Applies records to one server; see the module.

    Attributes:
        outcomes: How often what came of an event.
        rules: What is looked at and kept.
    """

    def __init__(
        self,
        collection: LocalMetadataCollection,
        store: KafkaCohortStore,
        codec: Codec,
        rules: ExchangeRules,
        clock: Clock,
        *,
        speaks_for: Callable[[str], bool],
        heard: Callable[[OMRSEventV1], Awaitable[None]],
        refused: Callable[[str, Received], None],
        ask_types: AskTypes,
    ) -> None:
        """Take what the server has.

        Args:
            collection: Takes in instances and types.
            store: Remembers how far the topics are applied.
            codec: Reads events.
            rules: What is looked at and kept.
            clock: Times how often that is remembered.
            speaks_for: Whether a metadata collection is the server's, or that of a member
                of another cohort for which the server speaks in this one.
            heard: Takes in registry events.
            refused: Told of what was refused, with who sent it.
            ask_types: Asks for types that aren't known here.
        """
        self.outcomes: Counter[Outcome] = Counter()
        self.rules = rules
        self._collection = collection
        self._store = store
        self._codec = codec
        self._clock = clock
        self._speaks_for = speaks_for
        self._heard = heard
        self._refused = refused
        self._ask_types = ask_types
        self._places: dict[tuple[str, int], TopicPlace] = {}
        self._applied: list[Position] = []
        self._asked: dict[tuple[str, str], float] = {}
        self._unasked_until: dict[str, float] = {}
        self._unsaved = 0
        self._saved_at = clock.monotonic()
        self._began = clock.now()
        self.is_busy = False

    async def run(self, topics: CohortTopics) -> None:
        """Take in what comes until cancelled."""
        async for batch in topics.records():
            self.is_busy = True
            try:
                for record in batch.records:
                    await self._take_in_for_good(record)
                    # What is refused waits for nothing, and there may be a million.
                    await asyncio.sleep(0)
                await self._went_past(topics, batch)
            finally:
                self.is_busy = False

    async def close(self) -> None:
        """Remember how far it got."""
        if self._places:
            await self._store.save_places(list(self._places.values()))
            self._places.clear()
            self._unsaved = 0

    async def _went_past(self, topics: CohortTopics, batch: Batch) -> None:
        for at in batch.positions:
            partition = at.partition
            self._places[partition.topic, partition.number] = TopicPlace(
                partition.topic, partition.number, at.offset, at.topic_id
            )
        self._applied += batch.positions
        self._unsaved += len(batch.records)
        now = self._clock.monotonic()
        if (
            self._unsaved >= KAFKA_SENT_SAVED_EVENTS
            or now >= self._saved_at + KAFKA_SENT_SAVED_SECONDS
        ):
            self._saved_at = now
            await self.close()
            topics.applied(self._applied)
            self._applied = []

    async def _take_in_for_good(self, record: Record) -> None:
        """Take in a record, however long the disk refuses to store what it says."""
        wait = FIRST_RETRY_SECONDS
        while True:
            try:
                return await self._take_in(record)
            except (StoreFullError, StoreUnavailableError) as error:
                logger.warning("an event waits until it can be stored: %s", error)
            await self._clock.sleep(wait)
            wait = min(2 * wait, LONGEST_RETRY_SECONDS)

    async def _take_in(self, record: Record) -> None:
        try:
            event = self._codec.decode_event(record.value)
        except BadRequestError as error:
            self._refuse(
                "", f"{error} (at {record.offset} of {record.partition.topic})"
            )
            return
        sender = event.originator
        origin = "" if sender is None else sender.metadata_collection_id or ""
        fault = fault_of_event(event)
        if fault is not None:
            self._refuse(origin, fault.reason, fault.code)
            return
        if len(record.value) > _most_bytes(event):
            self._refuse(origin, "it says too much")
            return
        try:
            if event.registry_event_section is not None:
                await self._heard(event)
            elif self._speaks_for(origin) and (event.timestamp or 0) < self._began:
                # It said so itself, before its store was put back.
                self.outcomes[Outcome.IGNORED] += 1
            elif self._speaks_for(origin):
                self._refuse(origin, "somebody else speaks for this collection")
            else:
                await self._apply(origin, event)
        except BadRequestError as error:
            self._refuse(origin, str(error))
        except (StoreFullError, StoreUnavailableError):
            raise
        except Exception:
            # Nothing that was said ends the member.
            logger.exception(
                "an event of %s couldn't be taken in", origin or "somebody"
            )

    async def _apply(self, origin: str, event: OMRSEventV1) -> None:
        received = await self._received(origin, event, last_try=False)
        if received.unknown_types:
            await self._learn(origin, received.unknown_types)
        if received.outcome is Outcome.UNKNOWN_TYPE:
            received = await self._received(origin, event, last_try=True)
        self.outcomes[received.outcome] += 1
        if received.outcome is Outcome.REFUSED:
            self._refused(origin, received)

    async def _received(
        self, origin: str, event: OMRSEventV1, *, last_try: bool
    ) -> Received:
        if event.type_def_event_section is not None:
            if not self.rules.processes_types():
                return Received(outcome=Outcome.NOT_WANTED)
            return await self._collection.receive_type_def_event(
                origin, None, event.type_def_event_section
            )
        if event.instance_event_section is None:
            return Received(outcome=Outcome.REFUSED, reason="it has no section")
        return await self._collection.receive_instance_event(
            origin,
            None,
            event.instance_event_section,
            self.rules,
            error=event.error_section,
            last_try=last_try,
            at=event.timestamp,
        )

    async def _learn(self, origin: str, names: Sequence[str]) -> None:
        """Ask a member for types that it uses, and for those that they are built on.

        All other events wait meanwhile, so one that is slow to tell nothing has a pause.
        """
        began = self._clock.monotonic()
        if began < self._unasked_until.get(origin, began):
            return
        is_any, took = False, 0.0
        while took < MAX_TYPES_SECONDS and (
            wanted := self._not_asked_lately(origin, names)
        ):
            missing: dict[str, None] = {}
            for definition in await self._ask_types(origin, wanted):
                received = await self._learn_one(origin, definition)
                is_any |= received.outcome is Outcome.SAVED
                missing |= dict.fromkeys(received.unknown_types)
            names, took = list(missing), self._clock.monotonic() - began
        if took > SLOW_TYPES_SECONDS and not is_any:
            if len(self._unasked_until) >= MAX_MEMBERS:
                self._unasked_until.clear()
            self._unasked_until[origin] = began + took + SLOW_TYPES_PAUSE * took

    def _not_asked_lately(self, origin: str, names: Sequence[str]) -> list[str]:
        """What to ask a member for: what it hasn't told by now it won't soon."""
        now = self._clock.monotonic()
        if len(self._asked) > MAX_TYPES:
            self._asked.clear()
        wanted = []
        for name in names:
            asked_at = self._asked.get((origin, name))
            if asked_at is None or now >= asked_at + ASKED_TYPE_SECONDS:
                self._asked[origin, name] = now
                wanted.append(name)
        return wanted

    async def _learn_one(self, origin: str, definition: TypeDef) -> Received:
        """Take a type over."""
        if len(self._codec.encode(definition)) > MAX_TYPE_BYTES:
            return Received(outcome=Outcome.REFUSED)
        section = outbound.new_type(definition)
        received = await self._collection.receive_type_def_event(origin, None, section)
        if received.outcome is Outcome.IGNORED:  # it is known, maybe as it was before
            merged = await self._collection.adopt_type_defs((), (definition,), origin)
            if merged.changed:
                return Received(outcome=Outcome.SAVED)
        return received

    def _refuse(
        self,
        origin: str,
        reason: str,
        code: OMRSEventErrorCode = OMRSEventErrorCode.INVALID_EVENT_FORMAT,
    ) -> None:
        self.outcomes[Outcome.REFUSED] += 1
        self._refused(
            origin, Received(outcome=Outcome.REFUSED, reason=reason, code=code)
        )


def _most_bytes(event: OMRSEventV1) -> int:
    """How much an event may say; of members and types much is remembered."""
    if event.registry_event_section is not None:
        return MAX_REGISTRATION_BYTES
    if event.type_def_event_section is not None:
        return MAX_TYPE_BYTES
    return MAX_MESSAGE_BYTES
