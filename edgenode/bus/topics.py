"""What a member of a cohort needs of a bus that keeps what is sent for a while.

Such a bus has topics, each in one partition or several. In a partition all members read
the same records in the same order, each record at an offset; who was away reads on from
where it was. The cohorts of Egeria's platforms meet on topics of Kafka.
"""

import ssl
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from edgenode.bus.base import Address
from edgenode.clock import EpochMillis


class BusUnavailableError(Exception):
    """The bus can't be used now; the same may succeed later."""


class OmrsTopic(StrEnum):
    """What a topic of a cohort is for."""

    REGISTRATION = "registration"
    TYPES = "types"
    INSTANCES = "instances"


def topic_names(root: str, cohort: str, *, dedicated: bool) -> dict[OmrsTopic, str]:
    """The names of a cohort's topics: three dedicated ones, or the one of older style.

    Args:
        root: What the names of the topics begin with.
        cohort: The cohort's name.
        dedicated: Whether there is a topic each for registrations, types and instances.
    """
    single = f"{root}.openmetadata.repositoryservices.cohort.{cohort}.OMRSTopic"
    return {kind: f"{single}.{kind}" if dedicated else single for kind in OmrsTopic}


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaBroker:
    """Where the brokers are, and how to be let in.

    Attributes:
        addresses: The brokers that are asked first; each tells of the others.
        tls: Gives the context for the next connection, None for none.
        username: Who it is, where brokers ask for that.
        password: And the proof.
        mechanisms: How that is said, by its names in SASL: as the first one that a
            broker knows.
    """

    addresses: tuple[Address, ...]
    tls: Callable[[], ssl.SSLContext | None] = lambda: None
    username: str | None = None
    password: str | None = None
    mechanisms: tuple[str, ...] = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition of a topic."""

    topic: str
    number: int


@dataclass(frozen=True, slots=True)
class Position:
    """Where a member goes on reading.

    Attributes:
        partition: The partition.
        offset: The offset of the first record that isn't dealt with.
        topic_id: Which topic of the name it is, for one that is deleted and created anew
            begins again at 0; empty where the broker is too old to tell.
    """

    partition: Partition
    offset: int
    topic_id: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """What another member sent.

    Attributes:
        partition: Where it was read.
        offset: And at which offset.
        key: The sender's id on the bus; None where it gave none.
        value: The event, whatever it is.
    """

    partition: Partition
    offset: int
    key: bytes | None
    value: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Records to be dealt with together, those of a partition in their order.

    Attributes:
        records: The records. There may be none, as of those that are passed over, and now
            and then while something is yet to be dealt with for good.
        positions: Where to go on once all of them are dealt with, of the partitions that
            changed. To be kept together with what came of the records.
    """

    records: Sequence[Record]
    positions: Sequence[Position]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicsStatistics:
    """How a member's connection to its topics is, and what went over it so far.

    Attributes:
        connected_since: Since when records are read without a break; None while they
            aren't.
        last_error: Why they weren't, the last time; None where that never happened.
        received: Records that were handed on, and how many bytes they had.
        sent: Events that the bus has, and how many bytes they had.
        echoes: Records passed over because they have the member's own key.
        dropped: Records that could not be handed on.
        expired: Records that were gone before they were read.
        refused: Events that the bus would not take.
        lag: Records of the topics that haven't been handed on yet.
        reconnects: How often the bus was connected to once more.
    """

    connected_since: EpochMillis | None = None
    last_error: str | None = None
    received: int = 0
    received_bytes: int = 0
    sent: int = 0
    sent_bytes: int = 0
    echoes: int = 0
    dropped: int = 0
    expired: int = 0
    refused: int = 0
    lag: int = 0
    reconnects: int = 0


class TopicsListener(Protocol):
    """Hears what happens to topics; called in the event loop, returns at once."""

    def connected(self) -> None:
        """Records are read from now on."""
        ...

    def disconnected(self, reason: str) -> None:
        """They can't be read, for another reason than before."""
        ...

    def dropped(self, partition: Partition, offset: int, count: int, why: str) -> None:
        """Records from an offset on can't be handed on."""
        ...

    def expired(self, partition: Partition, count: int) -> None:
        """Records were removed from the topic before they were read."""
        ...

    def recreated(self, partition: Partition) -> None:
        """The topic is another one than before, and is read from its beginning."""
        ...

    def refused(self, topic: str, event: bytes, why: str) -> None:
        """The bus won't ever take an event, which is not sent."""
        ...


class CohortTopics(Protocol):
    """A member's part in the topics of one cohort."""

    @property
    def kinds(self) -> Mapping[str, OmrsTopic | None]:
        """What each topic is for, by its name; None for one that is for all."""
        ...

    def records(self) -> AsyncGenerator[Batch, None]:
        """What other members send, without end; to be iterated once.

        The first batch has no records and comes when reading begins: whatever is sent
        after it, is read. So does another one where reading goes on elsewhere.
        Connections that break are made anew.
        """
        ...

    def applied(self, positions: Sequence[Position]) -> None:
        """Records up to these positions are dealt with for good."""
        ...

    async def send(self, topic: OmrsTopic, events: Sequence[bytes]) -> None:
        """Send events in their order; returns when the bus keeps all of them.

        Only while records are read: what others answer isn't missed.

        Raises:
            BusUnavailableError: Not all of them could be sent, and some may have been.
        """
        ...

    def statistics(self) -> TopicsStatistics:
        """How it is, and what it did so far."""
        ...
