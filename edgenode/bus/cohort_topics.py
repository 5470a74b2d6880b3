"""A member's part in the topics of a cohort on Kafka.

It is the only one in its consumer group, and reads all partitions. Where it goes on is
kept by whoever deals with the records, together with what came of them; the offsets that
are committed to the brokers stand in for it where nothing is kept.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import count
from types import TracebackType
from typing import Self

from edgenode.bus.kafka.records import Fetched, RawRecord
from edgenode.bus.kafka.session import (
    EARLIEST,
    LATEST,
    EventRefusedError,
    KafkaSession,
    NotNowError,
    Producer,
    SequenceError,
)
from edgenode.bus.topics import (
    Batch,
    BusUnavailableError,
    KafkaBroker,
    OmrsTopic,
    Partition,
    Position,
    Record,
    TopicsListener,
    TopicsStatistics,
)
from edgenode.clock import Clock
from edgenode.limits import (
    BUS_GOODBYE_SECONDS,
    FIRST_RECONNECT_SECONDS,
    KAFKA_BATCH_BYTES,
    KAFKA_COMMIT_SECONDS,
    KAFKA_METADATA_SECONDS,
    KAFKA_PASSED_OVER,
    KAFKA_PRODUCERS,
    KAFKA_READY_SECONDS,
    KAFKA_SEND_SECONDS,
    LONGEST_READY_SECONDS,
    LONGEST_RECONNECT_SECONDS,
    MAX_MESSAGE_BYTES,
    STEADY_LINK_SECONDS,
)

logger = logging.getLogger(__name__)

_NO_VALUE = "it has no value"
_TOO_LARGE = "it is too large"


@dataclass(frozen=True, slots=True)
class Resumption:
    """Where reading goes on.

    Attributes:
        offset: There.
        expired: How many records before it were removed without having been read.
        is_recreated: Whether the topic is another one than before.
    """

    offset: int
    expired: int = 0
    is_recreated: bool = False


def resumption(
    known: Sequence[Position], topic_id: str, earliest: int, latest: int
) -> Resumption | None:
    """Where to go on in a partition; None where nothing is known of it.

    Args:
        known: Where it was read to; the first one that is of this topic wins.
        topic_id: Which topic it is now.
        earliest: The first offset that it has.
        latest: The one after its last.
    """
    if not known:
        return None
    same = [each.offset for each in known if _is_of(each, topic_id)]
    if not same or same[0] > latest:
        return Resumption(earliest, is_recreated=True)
    # What only another one has seen was read, too.
    return Resumption(max(same[0], earliest), max(earliest - max(same), 0))


def _is_of(position: Position, topic_id: str) -> bool:
    """Whether a position may be one in this topic."""
    return position.topic_id in ("", topic_id) or not topic_id


@dataclass(slots=True)
class _Counts:
    """What went over the topics so far."""

    received: int = 0
    received_bytes: int = 0
    sent: int = 0
    sent_bytes: int = 0
    echoes: int = 0
    dropped: int = 0
    expired: int = 0
    refused: int = 0
    connections: int = 0


class KafkaCohortTopics:
    """Reads and writes the topics of a cohort; to be entered before and left after.

    Args:
        broker: The brokers.
        names: The cohort's topics.
        local_server_id: This member's own id on the bus: the key of what it sends, and
            the name of its consumer group.
        positions: Where to go on, as it was kept with what came of the records.
        listener: Hears what happens.
        clock: The time.
        first_retry_seconds: The shortest pause before brokers are tried again.
    """

    def __init__(
        self,
        broker: KafkaBroker,
        names: Mapping[OmrsTopic, str],
        local_server_id: str,
        positions: Iterable[Position],
        listener: TopicsListener,
        clock: Clock,
        *,
        first_retry_seconds: float = FIRST_RECONNECT_SECONDS,
    ) -> None:
        self._broker = broker
        self._names = dict(names)
        self._group = local_server_id
        self._key = local_server_id.encode()
        self._listener = listener
        self._clock = clock
        self._first_retry_seconds = first_retry_seconds
        self._began = clock.now()
        self._kept = {each.partition: each for each in positions}
        self._places: dict[Partition, Position] = {}
        self._high_watermarks: dict[Partition, int] = {}
        self._handed_on: dict[Partition, Position] = {}
        self._to_commit: dict[Partition, Position] = {}
        self._committed_at = 0.0
        self._session: KafkaSession | None = None
        self._changed = asyncio.Event()
        self._sending = asyncio.Lock()
        self._producer: Producer | None = None
        self._producer_ids: deque[int] = deque(maxlen=KAFKA_PRODUCERS)
        self._heard_itself: set[Partition] = set()
        self._counts = _Counts()
        self._stream = self._batches()
        self._connected_since: int | None = None
        self._last_error: str | None = None
        self._addresses = broker.addresses
        self._fault: str | None = None
        self._told = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stream.aclose()

    @property
    def kinds(self) -> Mapping[str, OmrsTopic | None]:
        """What each topic is for, by its name; None for one that is for all."""
        names = set(self._names.values())
        if len(names) == 1:
            return dict.fromkeys(names)
        return {name: kind for kind, name in self._names.items()}

    def applied(self, positions: Sequence[Position]) -> None:
        """Records up to these positions are dealt with for good."""
        for each in positions:
            self._to_commit[each.partition] = each
            if self._handed_on.get(each.partition) == each:
                del self._handed_on[each.partition]

    def statistics(self) -> TopicsStatistics:
        """How it is, and what it did so far."""
        counts = self._counts
        return TopicsStatistics(
            connected_since=self._connected_since,
            last_error=self._last_error,
            received=counts.received,
            received_bytes=counts.received_bytes,
            sent=counts.sent,
            sent_bytes=counts.sent_bytes,
            echoes=counts.echoes,
            dropped=counts.dropped,
            expired=counts.expired,
            refused=counts.refused,
            lag=sum(
                max(end - self._places[partition].offset, 0)
                for partition, end in self._high_watermarks.items()
            ),
            reconnects=max(counts.connections - 1, 0),
        )

    def records(self) -> AsyncGenerator[Batch, None]:
        """What other members send, without end; to be iterated once."""
        return self._stream

    async def _batches(self) -> AsyncGenerator[Batch, None]:
        tries, was_reached = 0, False
        told_from = self._clock.monotonic() + KAFKA_READY_SECONDS
        while True:
            start = self._clock.monotonic()
            session = KafkaSession(self._broker, self._group)
            try:
                async with aclosing(self._until_broken(session)) as batches:
                    async for batch in batches:
                        yield batch
            except BusUnavailableError as error:
                # Brokers and topics that are new need a moment.
                is_new = bool(session.addresses) and not self._counts.connections
                is_told = not is_new or self._clock.monotonic() >= told_from
                self._broken(self._fault or str(error), is_told=is_told)
            except (LookupError, TypeError, ValueError):
                # No broker of Kafka answers so, and who does must not end the member.
                logger.exception("an answer of a broker is not understood")
                self._broken("an answer is not understood")
            is_reached = bool(session.addresses)
            is_steady = self._clock.monotonic() - start > STEADY_LINK_SECONDS
            tries = 0 if is_steady or is_reached > was_reached else tries + 1
            was_reached = is_reached
            await self._pause(
                tries,
                LONGEST_READY_SECONDS if is_reached else LONGEST_RECONNECT_SECONDS,
            )

    async def _pause(self, tries: int, longest: float) -> None:
        """Wait longer each time, and not all at once."""
        wait = min(self._first_retry_seconds * 2 ** min(tries, 16), longest)
        await asyncio.sleep(wait * random.uniform(0.5, 1))  # noqa: S311

    def _broken(self, reason: str, *, is_told: bool = True) -> None:
        self._connected_since = None
        self._fault = None
        self._last_error = reason
        if is_told and reason != self._told:  # once until it changes
            logger.info("no connection to Kafka: %s", reason)
            self._listener.disconnected(reason)
            self._told = reason

    async def _until_broken(self, session: KafkaSession) -> AsyncGenerator[Batch, None]:
        try:
            await session.open(self._addresses)
            moved = await self._take_places(session)
            self._connected(session)
            if moved or self._counts.connections == 1:
                yield Batch((), moved)
            async with aclosing(self._read(session)) as batches:
                async for batch in batches:
                    yield batch
        finally:
            await self._leave(session)

    async def _leave(self, session: KafkaSession) -> None:
        """End a session, with what can still be said in it."""
        try:
            if self._session is session:
                async with asyncio.timeout(BUS_GOODBYE_SECONDS):
                    await self._commit(session)
        except (BusUnavailableError, TimeoutError):
            logger.debug("offsets could not be committed at the end")
        finally:
            self._session = None
            await session.close()

    def _connected(self, session: KafkaSession) -> None:
        self._session = session
        self._addresses = session.addresses
        self._connected_since = self._clock.now()
        self._counts.connections += 1
        self._changed.set()
        self._told = ""
        logger.info("connected to Kafka")
        self._listener.connected()

    async def _take_places(self, session: KafkaSession) -> list[Position]:
        """Find out where to read; returns the positions that aren't kept so."""
        partitions = await self._look_up(session)
        earliest = await session.offsets(dict.fromkeys(partitions, EARLIEST))
        latest = await session.offsets(dict.fromkeys(partitions, LATEST))
        committed = await session.committed(self._group, partitions)
        former = {**self._kept, **self._places}
        places: dict[Partition, Position] = {}
        unknown: list[Partition] = []
        for each in partitions:
            topic_id = session.topics[each.topic].topic_id
            known = [former[each]] if each in former else []
            if each not in self._places and each in committed:
                known.append(Position(each, *committed[each]))
            found = resumption(known, topic_id, earliest[each], latest[each])
            if found is None:
                unknown.append(each)
            else:
                self._tell(each, found)
                places[each] = Position(each, found.offset, topic_id)
        topics = {each.topic for each in [*former, *committed]}
        new = [each for each in unknown if each.topic not in topics]
        # A new member reads what was sent since it began; a partition that is new, is
        # read from its beginning.
        since = await session.offsets(dict.fromkeys(new, self._began)) if new else {}
        for each in unknown:
            offset = since.get(each, earliest[each])
            topic_id = session.topics[each.topic].topic_id
            places[each] = Position(
                each, offset if offset >= 0 else latest[each], topic_id
            )
        moved = [each for each in places.values() if former.get(each.partition) != each]
        self._places = places
        self._kept = dict(places)
        self._high_watermarks = {each: latest[each] for each in partitions}
        return moved

    async def _look_up(self, session: KafkaSession) -> list[Partition]:
        """All partitions of the topics, which are created where there are none."""
        names = set(self._names.values())
        await session.look_up(names)
        if missing := names - session.topics.keys():
            await session.create(missing)
            await session.look_up(names)
        if names - session.topics.keys():
            raise BusUnavailableError("topics are being created")
        return session.partitions()

    def _tell(self, partition: Partition, found: Resumption) -> None:
        if found.is_recreated:
            logger.warning("topic %s is another one than before", partition.topic)
            self._heard_itself.discard(partition)
            self._listener.recreated(partition)
        if found.expired:
            logger.warning(
                "%d records of %s were removed before they were read",
                found.expired,
                partition.topic,
            )
            self._counts.expired += found.expired
            self._listener.expired(partition, found.expired)

    async def _read(self, session: KafkaSession) -> AsyncGenerator[Batch, None]:
        """Read from all brokers at once, each answer followed by the next question."""
        looked_up_at = self._clock.monotonic()
        reading: dict[int, asyncio.Task[dict[Partition, Fetched]]] = {}
        try:
            while True:
                if self._clock.monotonic() - looked_up_at > KAFKA_METADATA_SECONDS:
                    await self._look_again(session)
                    looked_up_at = self._clock.monotonic()
                for leader, partitions in session.leaders(self._places).items():
                    if leader not in reading:
                        offsets = {
                            each: self._places[each].offset for each in partitions
                        }
                        reading[leader] = asyncio.create_task(
                            session.fetch(leader, offsets)
                        )
                await self._commit_now_and_then(session)
                await asyncio.wait(
                    reading.values(), return_when=asyncio.FIRST_COMPLETED
                )
                for leader in [each for each in reading if reading[each].done()]:
                    batch = self._taken(reading.pop(leader).result())
                    # Who has yet to deal with something for good sees that time passes,
                    # though nothing comes.
                    if batch.positions or self._handed_on:
                        yield batch
        finally:
            for task in reading.values():
                task.cancel()
            await asyncio.gather(*reading.values(), return_exceptions=True)

    async def _look_again(self, session: KafkaSession) -> None:
        """See that the topics are still the same, of the same partitions.

        Raises:
            BusUnavailableError: They aren't; places are to be taken anew.
        """
        await session.look_up(set(self._names.values()))
        now = {
            each: session.topics[each.topic].topic_id for each in session.partitions()
        }
        if now != {each.partition: each.topic_id for each in self._places.values()}:
            raise BusUnavailableError("the topics have changed")

    async def _commit_now_and_then(self, session: KafkaSession) -> None:
        now = self._clock.monotonic()
        if now - self._committed_at > KAFKA_COMMIT_SECONDS:
            self._committed_at = now
            try:
                await self._commit(session)
            except NotNowError as error:
                logger.debug("offsets could not be committed: %s", error)

    async def _commit(self, session: KafkaSession) -> None:
        due = {
            each.partition: each
            for each in self._to_commit.values()
            if each.partition in self._places
        }
        if due:
            offsets = {each: (at.offset, at.topic_id) for each, at in due.items()}
            await session.commit(self._group, offsets)
        for each, at in due.items():
            if self._to_commit.get(each) == at:
                del self._to_commit[each]

    def _taken(self, fetched: Mapping[Partition, Fetched]) -> Batch:
        """What is to be dealt with; the places move on."""
        records: list[Record] = []
        positions: list[Position] = []
        for partition, found in fetched.items():
            place = self._places[partition]
            if found.offset != place.offset:
                continue  # it moved, and another broker was asked meanwhile
            self._high_watermarks[partition] = found.high_watermark
            for damage in found.damaged:
                self._dropped(partition, *damage)
            of_others = len(records)
            left_out: dict[str, tuple[int, int]] = {}
            for raw in found.records:
                if self._is_own(partition, raw):
                    self._counts.echoes += 1
                elif raw.value is None or len(raw.value) > MAX_MESSAGE_BYTES:
                    why = _NO_VALUE if raw.value is None else _TOO_LARGE
                    first, so_far = left_out.get(why, (raw.offset, 0))
                    left_out[why] = first, so_far + 1
                else:
                    records.append(Record(partition, raw.offset, raw.key, raw.value))
            for why, (first, so_far) in left_out.items():
                self._dropped(partition, first, so_far, why)
            place = Position(partition, found.next_offset, place.topic_id)
            self._places[partition] = place
            if len(records) > of_others or self._is_far_from_kept(place):
                positions.append(place)
                self._handed_on[partition] = place
                self._kept[partition] = place
            elif partition not in self._handed_on:
                self._to_commit[partition] = place
        self._counts.received += len(records)
        self._counts.received_bytes += sum(len(each.value) for each in records)
        return Batch(tuple(records), tuple(positions))

    def _is_own(self, partition: Partition, raw: RawRecord) -> bool:
        """Whether this member sent a record, now or in a former life.

        What has its key and comes from another producer after its own first word is of
        somebody who runs with a copy of its data.
        """
        if raw.key != self._key:
            return False
        if raw.producer_id in self._producer_ids:
            self._heard_itself.add(partition)
            return True
        return partition not in self._heard_itself

    def _is_far_from_kept(self, place: Position) -> bool:
        """Whether much would be passed over once more after a restart."""
        kept = self._kept.get(place.partition)
        return kept is None or place.offset - kept.offset >= KAFKA_PASSED_OVER

    def _dropped(self, partition: Partition, offset: int, count: int, why: str) -> None:
        logger.warning(
            "%d records of %s from offset %d are left out: %s",
            count,
            partition.topic,
            offset,
            why,
        )
        self._counts.dropped += count
        self._listener.dropped(partition, offset, count, why)

    async def send(self, topic: OmrsTopic, events: Sequence[bytes]) -> None:
        """Send events in their order; returns when the brokers keep all of them.

        Raises:
            BusUnavailableError: Not all of them could be sent, and some may have been.
        """
        async with self._sending:
            try:
                async with asyncio.timeout(KAFKA_SEND_SECONDS):
                    for batch in _batches(events):
                        await self._send(self._names[topic], batch)
            except BaseException as error:
                # What comes next must not be taken for a repetition of this.
                self._producer = None
                if isinstance(error, TimeoutError):
                    reason = self._last_error or "no answer in time"
                    raise BusUnavailableError(reason) from None
                raise

    async def _send(self, topic: str, events: Sequence[bytes]) -> None:
        """Send a batch, as often as it takes."""
        for tries in count():
            session = await self._connection()
            try:
                if self._producer is None:
                    self._producer = await session.producer()
                    self._producer_ids.append(self._producer.producer_id)
                await session.produce(
                    self._producer, topic, self._key, events, self._clock.now()
                )
            except SequenceError:
                self._producer = None
            except EventRefusedError as error:
                await self._send_one_by_one(topic, events, error)
                return
            except NotNowError as error:
                self._last_error = str(error)
                await self._pause(tries, LONGEST_READY_SECONDS)
            except BusUnavailableError as error:
                # Whether they are kept, will be known when they are sent once more.
                self._fault = str(error)
                await session.close()
            else:
                self._counts.sent += len(events)
                self._counts.sent_bytes += sum(map(len, events))
                return

    async def _send_one_by_one(
        self, topic: str, events: Sequence[bytes], refusal: EventRefusedError
    ) -> None:
        """Leave out what brokers refuse of a batch that they refused."""
        if len(events) > 1:
            for event in events:
                await self._send(topic, [event])
            return
        logger.warning("an event is not sent to %s: %s", topic, refusal)
        self._counts.refused += 1
        self._listener.refused(topic, events[0], str(refusal))

    async def _connection(self) -> KafkaSession:
        """The session, once there is one."""
        while self._session is None or self._session.is_closed:
            self._changed.clear()
            await self._changed.wait()
        return self._session


def _batches(events: Sequence[bytes]) -> Iterable[Sequence[bytes]]:
    """Events in batches that brokers take, each of one event at least."""
    batch: list[bytes] = []
    size = 0
    for event in events:
        if batch and size + len(event) > KAFKA_BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += len(event)
    if batch:
        yield batch
