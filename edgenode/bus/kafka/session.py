"""A session with the brokers of Kafka: their requests and answers, by aiokafka.

A session lasts until something in it fails; then it is of no more use, and another one is
opened. So nothing is repeated here, and nothing goes on in the background.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiokafka import errors
from aiokafka.conn import AIOKafkaConnection, ScramAuthenticator
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2
from aiokafka.protocol.admin import CreateTopicsRequest
from aiokafka.protocol.commit import OffsetCommitRequest, OffsetFetchRequest
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.transaction import InitProducerIdRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from edgenode.bus.base import Address
from edgenode.bus.kafka.metadata import MetadataRequest, id_and_partitions
from edgenode.bus.kafka.records import Fetched, unpacked
from edgenode.bus.topics import BusUnavailableError, KafkaBroker, Partition
from edgenode.limits import (
    CONNECT_SECONDS,
    KAFKA_ANSWER_BYTES,
    KAFKA_ANSWER_SECONDS,
    KAFKA_FETCH_BYTES,
    KAFKA_FETCH_SECONDS,
    KAFKA_ITERATIONS,
)

EARLIEST = -2
LATEST = -1
"""Times that stand for the first offset of a partition, and for the one after the last."""

_READ_UNCOMMITTED = 0
_ALL_REPLICAS = -1
_MILLIS = 1000
_NO_TRANSACTION: Any = None


class NotNowError(BusUnavailableError):
    """A broker answers that it can't do something now; the session is still of use."""


class EventRefusedError(Exception):
    """The brokers won't ever take an event, being too large or for another reason."""


class SequenceError(Exception):
    """The brokers don't know the producer any more, or have missed something of it."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as the brokers tell of it.

    Attributes:
        topic_id: Which topic of the name it is; empty where a broker is too old.
        leaders: The broker that each of its partitions is read from and written to.
    """

    topic_id: str
    leaders: Mapping[int, int]

    def partition_of(self, key: bytes) -> int:
        """Where records of a key belong, as other members' clients say it, too."""
        numbers = sorted(self.leaders)
        hashed: int = murmur2(key)  # type: ignore[no-untyped-call]
        return numbers[(hashed & 0x7FFFFFFF) % len(numbers)]


@dataclass(slots=True)
class Producer:
    """Who sends, for brokers to know a batch that comes a second time.

    Attributes:
        producer_id: Given by a broker.
        epoch: The same.
        sequences: The number of the next event, by partition.
    """

    producer_id: int
    epoch: int
    sequences: defaultdict[Partition, int] = field(
        default_factory=lambda: defaultdict(int)
    )


@contextmanager
def _told() -> Iterator[None]:
    """Raise whatever a connection fails with as the one error that callers know."""
    try:
        yield
    except TimeoutError as error:
        raise BusUnavailableError("no answer in time") from error
    except (OSError, KafkaError, ValueError, NotImplementedError) as error:
        # Values: what isn't a broker may answer anything. And of a broker that is too old
        # or too new, no version of a request may be known.
        raise BusUnavailableError(str(error) or type(error).__name__) from error


def _check(code: int, doing: str) -> None:
    """Raise what a code in an answer says.

    Raises:
        NotNowError: It is an error, but brokers and topics are where they were.
        BusUnavailableError: It is another error.
    """
    if code:
        error = errors.for_code(code)
        is_moved = error.invalid_metadata
        raise (BusUnavailableError if is_moved else NotNowError)(
            f"{doing}: {error.message}"
        )


def _bounded(
    read: Callable[[int], Awaitable[bytes]],
) -> Callable[..., Awaitable[bytes]]:
    """What reads no more at once than brokers have reason to answer."""

    async def read_bounded(size: int) -> bytes:
        if size > KAFKA_ANSWER_BYTES:
            raise ValueError(f"an answer of {size} bytes")
        return await read(size)

    return read_bounded


class Scram(ScramAuthenticator):
    """Logs in without showing the password, as long as the broker asks for no less."""

    def create_salted_password(self, salt: bytes, iterations: int) -> None:
        """Hash the password as the broker says.

        Raises:
            ValueError: That would be too little, or go on for too long.
        """
        if iterations not in KAFKA_ITERATIONS:
            raise ValueError(f"it asks for {iterations} iterations of SCRAM")
        super().create_salted_password(salt, iterations)  # type: ignore[no-untyped-call]


class _Connection(AIOKafkaConnection):
    """A connection that ends at once: brokers don't hear goodbyes while they wait."""

    def _create_reader_task(self) -> asyncio.Task[None]:
        reader: Any = self._reader
        reader.readexactly = _bounded(reader.readexactly)
        task: asyncio.Task[None] = super()._create_reader_task()  # type: ignore[no-untyped-call]
        return task

    def authenticator_scram(self) -> Scram:
        """What logs in where a broker knows SCRAM."""
        return Scram(  # type: ignore[no-untyped-call]
            loop=self._loop,
            sasl_plain_password=self._sasl_plain_password,
            sasl_plain_username=self._sasl_plain_username,
            sasl_mechanism=self._sasl_mechanism,
        )

    def close(
        self, reason: Any = None, exc: BaseException | None = None
    ) -> asyncio.Future[None] | None:
        """Close it; what is returned is done when it is closed."""
        writer: asyncio.StreamWriter | None = self._writer
        closed: asyncio.Future[None] | None = super().close(reason, exc)  # type: ignore[no-untyped-call]
        if writer is not None:
            writer.transport.abort()
        return closed


class KafkaSession:
    """Connections to the brokers, one each to read with and one for the rest."""

    def __init__(self, broker: KafkaBroker, client_id: str) -> None:
        self.topics: dict[str, Topic] = {}
        """The topics that there are, of those that were asked for last."""
        self._broker = broker
        self._client_id = client_id
        self._addresses: dict[int, Address] = {}
        self._first: _Connection | None = None
        self._connections: dict[tuple[int, bool], _Connection] = {}
        self._connecting = asyncio.Lock()
        self._controller = 0
        _quieten()

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Where the brokers said they are."""
        return tuple(self._addresses.values())

    async def open(self, others: Sequence[Address] = ()) -> None:
        """Connect to the first broker that answers.

        Args:
            others: Where brokers were, for those that are given may have moved.

        Raises:
            BusUnavailableError: None does.
        """
        faults: dict[str, None] = {}
        for address in dict.fromkeys([*self._broker.addresses, *others]):
            try:
                self._first = await self._connected(address)
            except BusUnavailableError as error:
                faults[f"{address.host}:{address.port}: {error}"] = None
            else:
                return
        raise BusUnavailableError("; ".join(faults))

    @property
    def is_closed(self) -> bool:
        """Whether it is of no more use."""
        return self._first is None

    async def close(self) -> None:
        """End all connections; what is asked on them fails."""
        connections = [*self._connections.values()]
        if self._first is not None:
            connections.append(self._first)
        self._connections.clear()
        self._first = None
        for each in connections:
            if (closed := each.close()) is not None:
                await closed

    async def look_up(self, names: Iterable[str]) -> None:
        """Learn where topics are; brokers that are set to create them, do.

        Raises:
            BusUnavailableError: No answer, or one of a broker that isn't ready.
        """
        answer = await self._ask_any(MetadataRequest(tuple(names)))
        self._addresses = {
            node: Address(host, port) for node, host, port, *_ in answer.brokers
        }
        self._controller = answer.controller_id
        topics: dict[str, Topic] = {}
        for code, name, *rest in answer.topics:
            topic_id, partitions = id_and_partitions(rest)
            if code == errors.UnknownTopicOrPartitionError.errno:
                continue
            _check(code, f"topic {name}")
            leaders = {number: leader for _, number, leader, *_ in partitions}
            for partition_code, number, *_ in partitions:
                _check(partition_code, f"partition {number} of {name}")
            topics[name] = Topic(topic_id, leaders)
        self.topics = topics

    async def create(self, names: Iterable[str]) -> None:
        """Create topics of one partition, with as many replicas as brokers like.

        Raises:
            BusUnavailableError: It can't be done.
        """
        wanted: list[Any] = [(name, 1, -1, [], []) for name in names]
        request = CreateTopicsRequest(wanted, int(CONNECT_SECONDS * _MILLIS), False)
        answer = await self._ask(self._controller, request)
        for name, code, *_ in answer.topic_errors:
            if code != errors.TopicAlreadyExistsError.errno:
                _check(code, f"creating topic {name}")

    async def offsets(self, times: Mapping[Partition, int]) -> dict[Partition, int]:
        """The first offset from a time on in each partition; -1 where there is none.

        Args:
            times: In milliseconds since 1970, or ``EARLIEST`` or ``LATEST``.

        Raises:
            BusUnavailableError: It isn't told.
        """
        found: dict[Partition, int] = {}
        for leader, partitions in self._by_leader(times).items():
            wanted = _by_topic(
                (each, (each.number, times[each])) for each in partitions
            )
            request = OffsetRequest(-1, _READ_UNCOMMITTED, wanted)
            answer = await self._ask(leader, request)
            for topic, parts in answer.topics:
                for number, code, _, offset in parts:
                    _check(code, f"offsets of partition {number} of {topic}")
                    found[Partition(topic, number)] = offset
        return found

    async def committed(
        self, group: str, partitions: Iterable[Partition]
    ) -> dict[Partition, tuple[int, str]]:
        """What a group has committed: an offset and what is written beside it.

        Raises:
            BusUnavailableError: It isn't told.
        """
        wanted = _by_topic((each, each.number) for each in partitions)
        answer = await self._ask_coordinator(group, OffsetFetchRequest(group, wanted))
        _check(getattr(answer, "error_code", 0), "committed offsets")
        found: dict[Partition, tuple[int, str]] = {}
        for topic, parts in answer.topics:
            for number, offset, note, code in parts:
                _check(code, f"committed offset of partition {number} of {topic}")
                if offset >= 0:
                    found[Partition(topic, number)] = (offset, note or "")
        return found

    async def commit(
        self, group: str, offsets: Mapping[Partition, tuple[int, str]]
    ) -> None:
        """Commit offsets for a group that has no consumers which share partitions.

        Raises:
            BusUnavailableError: It can't be done.
        """
        wanted = _by_topic(
            (each, (each.number, offset, note))
            for each, (offset, note) in offsets.items()
        )
        request = OffsetCommitRequest(group, -1, "", -1, wanted)
        answer = await self._ask_coordinator(group, request)
        for topic, parts in answer.topics:
            for number, code in parts:
                _check(code, f"committing partition {number} of {topic}")

    def partitions(self) -> list[Partition]:
        """All partitions of the topics that were asked for last."""
        return [
            Partition(name, number)
            for name, topic in self.topics.items()
            for number in topic.leaders
        ]

    def leaders(self, partitions: Iterable[Partition]) -> dict[int, list[Partition]]:
        """Which partitions are read from which broker."""
        return dict(self._by_leader(partitions))

    async def fetch(
        self, leader: int, offsets: Mapping[Partition, int]
    ) -> dict[Partition, Fetched]:
        """Read on in partitions; waits for a while where there is nothing to read.

        Raises:
            BusUnavailableError: They can't be read, or not from these offsets.
        """
        wanted = _by_topic(
            (each, (each.number, offset, KAFKA_FETCH_BYTES))
            for each, offset in offsets.items()
        )
        request = FetchRequest(
            int(KAFKA_FETCH_SECONDS * _MILLIS),
            1,
            KAFKA_FETCH_BYTES,
            _READ_UNCOMMITTED,
            wanted,
        )
        answer = await self._ask(leader, request, reading=True)
        _check(getattr(answer, "error_code", 0), "reading")
        found: dict[Partition, Fetched] = {}
        for topic, parts in answer.topics:
            for number, code, high_watermark, *_, data in parts:
                _check(code, f"reading partition {number} of {topic}")
                partition = Partition(topic, number)
                # What is packed can take a while to be taken apart.
                found[partition] = await asyncio.to_thread(
                    unpacked, data, high_watermark, offsets[partition]
                )
        return found

    async def producer(self) -> Producer:
        """A new producer.

        Raises:
            BusUnavailableError: None is given.
        """
        answer = await self._ask_any(InitProducerIdRequest(_NO_TRANSACTION, 0))
        _check(answer.error_code, "asking for a producer's number")
        return Producer(answer.producer_id, answer.producer_epoch)

    async def produce(
        self,
        producer: Producer,
        topic: str,
        key: bytes,
        events: Sequence[bytes],
        millis: int,
    ) -> None:
        """Send events of a key; returns when all replicas that count have them.

        The same with the same producer may be tried again when it failed.

        Raises:
            BusUnavailableError: It isn't known whether they are kept.
            EventRefusedError: They are refused.
            SequenceError: Another producer is needed.
        """
        if topic not in self.topics:
            raise BusUnavailableError(f"there is no topic {topic}")
        number = self.topics[topic].partition_of(key)
        partition = Partition(topic, number)
        builder = DefaultRecordBatchBuilder(
            magic=2,
            compression_type=0,
            is_transactional=0,
            producer_id=producer.producer_id,
            producer_epoch=producer.epoch,
            base_sequence=producer.sequences[partition],
            batch_size=1 << 30,
        )
        for offset, event in enumerate(events):
            builder.append(offset, millis, key, event, [])
        data = bytes(builder.build())
        request = ProduceRequest(
            None,
            _ALL_REPLICAS,
            int(CONNECT_SECONDS * _MILLIS),
            [(topic, [(number, data)])],
        )
        answer = await self._ask(self.topics[topic].leaders[number], request)
        with _told():
            ((_, ((_, code, *_),)),) = answer.topics
        _check_produced(code, f"sending to partition {number} of {topic}")
        producer.sequences[partition] = (
            producer.sequences[partition] + len(events)
        ) % 2**31

    def _by_leader(
        self, partitions: Iterable[Partition]
    ) -> defaultdict[int, list[Partition]]:
        found: defaultdict[int, list[Partition]] = defaultdict(list)
        for each in partitions:
            found[self.topics[each.topic].leaders[each.number]].append(each)
        return found

    async def _ask_coordinator(self, group: str, request: Any) -> Any:
        answer = await self._ask_any(FindCoordinatorRequest(group, 0))
        _check(answer.error_code, "asking who keeps committed offsets")
        node = answer.coordinator_id
        self._addresses[node] = Address(answer.host, answer.port)
        return await self._ask(node, request)

    async def _ask_any(self, request: Any) -> Any:
        if self._first is None:
            raise BusUnavailableError("the connection is closed")
        return await self._answer(self._first, request)

    async def _ask(self, node: int, request: Any, *, reading: bool = False) -> Any:
        async with self._connecting:
            connection = self._connections.get((node, reading))
            # Brokers hang up on those that were silent for some minutes.
            if connection is None or not _is_up(connection):
                if node not in self._addresses or self._first is None:
                    raise BusUnavailableError("a broker is away")
                connection = await self._connected_as_told(self._addresses[node])
                self._connections[node, reading] = connection
        return await self._answer(connection, request)

    async def _connected_as_told(self, address: Address) -> _Connection:
        """Connect to where the brokers say that one of them is."""
        try:
            return await self._connected(address)
        except BusUnavailableError as error:
            raise BusUnavailableError(
                f"the brokers' advertised.listeners lead to {address.host}:{address.port}, "
                f"and there: {error}"
            ) from error

    async def _answer(self, connection: _Connection, request: Any) -> Any:
        with _told():
            return await connection.send(request)  # type: ignore[no-untyped-call]

    async def _connected(self, address: Address) -> _Connection:
        mechanisms = self._broker.mechanisms
        with _told():
            async with asyncio.timeout(CONNECT_SECONDS):
                for mechanism in mechanisms:
                    with suppress(errors.UnsupportedSaslMechanismError):
                        return await self._connected_by(mechanism, address)
        raise BusUnavailableError(f"it knows none of {', '.join(mechanisms)}")

    async def _connected_by(self, mechanism: str, address: Address) -> _Connection:
        broker = self._broker
        tls = broker.tls()
        protocol = "PLAINTEXT" if tls is None else "SSL"
        if broker.username is not None:
            protocol = "SASL_PLAINTEXT" if tls is None else "SASL_SSL"
        connection = _Connection(  # type: ignore[no-untyped-call]
            address.host,
            address.port,
            client_id=self._client_id,
            request_timeout_ms=int(KAFKA_ANSWER_SECONDS * _MILLIS),
            ssl_context=tls,
            security_protocol=protocol,
            sasl_mechanism=mechanism,
            sasl_plain_username=broker.username,
            sasl_plain_password=broker.password,
        )
        await connection.connect()  # type: ignore[no-untyped-call]
        return connection


def _quieten() -> None:
    """Keep aiokafka from telling what this module and its callers tell."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def _is_up(connection: _Connection) -> bool:
    return bool(connection.connected())  # type: ignore[no-untyped-call]


def _by_topic(pairs: Iterable[tuple[Partition, Any]]) -> list[tuple[str, list[Any]]]:
    """What is asked of partitions, as requests have it."""
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for partition, asked in pairs:
        found[partition.topic].append(asked)
    return list(found.items())


def _check_produced(code: int, doing: str) -> None:
    if code in _REFUSED:
        raise EventRefusedError(errors.for_code(code).message)
    if code in _OUT_OF_SEQUENCE:
        raise SequenceError
    if code != errors.DuplicateSequenceNumber.errno:
        _check(code, doing)


_REFUSED = {
    errors.CorruptRecordException.errno,
    errors.MessageSizeTooLargeError.errno,
    errors.RecordListTooLargeError.errno,
    87,  # INVALID_RECORD, which aiokafka has no name for
}
_OUT_OF_SEQUENCE = {
    errors.OutOfOrderSequenceNumber.errno,
    errors.InvalidProducerEpoch.errno,
    errors.UnknownProducerId.errno,
}
