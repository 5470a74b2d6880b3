"""The topics of a cohort without a broker: records in lists, and faults at will.

It does what ``bus.topics`` says and ``test_hub`` holds it and a real broker to.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from edgenode.bus.topics import (
    Batch,
    BusUnavailableError,
    CohortTopics,
    OmrsTopic,
    Partition,
    Position,
    Record,
    TopicsListener,
    TopicsStatistics,
)


@dataclass
class Hub:
    """The brokers: each topic in one partition.

    Attributes:
        records: What was sent, by topic: the sender's id, and the event.
        is_away: Whether nobody reaches them.
    """

    records: dict[OmrsTopic, list[tuple[str, bytes]]] = field(
        default_factory=lambda: {kind: [] for kind in OmrsTopic}
    )
    is_away: bool = False
    _members: "list[HubTopics]" = field(default_factory=list)

    def put(self, topic: OmrsTopic, event: bytes, sender: str = "somebody") -> None:
        """Send as any program may."""
        self.records[topic].append((sender, event))
        self.wake()

    def wake(self) -> None:
        """Have everybody look again."""
        for member in self._members:
            member.news.set()

    @asynccontextmanager
    async def opened(
        self,
        local_server_id: str,
        positions: Sequence[Position],
        listener: TopicsListener,
    ) -> AsyncIterator[CohortTopics]:
        """A member's part in the topics; the signature is ``OpenTopics``."""
        member = HubTopics(self, local_server_id, positions, listener)
        self._members.append(member)
        try:
            yield member
        finally:
            self._members.remove(member)


class HubTopics:
    """One member's part."""

    def __init__(
        self,
        hub: Hub,
        local_server_id: str,
        positions: Sequence[Position],
        listener: TopicsListener,
    ) -> None:
        self.news = asyncio.Event()
        self._hub = hub
        self._id = local_server_id
        self._listener = listener
        known = {each.partition.topic: each.offset for each in positions}
        self._is_new = not known
        self._next = {
            kind: known.get(kind.value, 0 if known else len(hub.records[kind]))
            for kind in OmrsTopic
        }
        self._received = self._sent = self._echoes = 0

    @property
    def kinds(self) -> Mapping[str, OmrsTopic | None]:
        """What each topic is for, by its name."""
        return {kind.value: kind for kind in OmrsTopic}

    async def records(self) -> AsyncGenerator[Batch, None]:
        """What other members send, without end."""
        self._listener.connected()
        if self._is_new:
            yield Batch([], self._positions())
        self.news.set()
        while True:
            await self.news.wait()
            self.news.clear()
            for kind in () if self._hub.is_away else OmrsTopic:
                batch = self._read(kind)
                if batch is not None:
                    yield batch

    def _read(self, kind: OmrsTopic) -> Batch | None:
        partition, first = Partition(kind.value, 0), self._next[kind]
        told = self._hub.records[kind][first:]
        self._next[kind] += len(told)
        records = [
            Record(partition, offset, sender.encode(), event)
            for offset, (sender, event) in enumerate(told, start=first)
            if sender != self._id
        ]
        self._echoes += len(told) - len(records)
        self._received += len(records)
        if not told:
            return None
        return Batch(records, [Position(partition, self._next[kind])])

    def _positions(self) -> list[Position]:
        return [
            Position(Partition(kind.value, 0), offset)
            for kind, offset in self._next.items()
        ]

    def applied(self, positions: Sequence[Position]) -> None:
        """Records up to these positions are dealt with; who reads keeps them itself."""

    async def send(self, topic: OmrsTopic, events: Sequence[bytes]) -> None:
        """Send events in their order."""
        if self._hub.is_away:
            raise BusUnavailableError("the brokers are away")
        await asyncio.sleep(0)
        for event in events:
            self._hub.put(topic, event, self._id)
        self._sent += len(events)

    def statistics(self) -> TopicsStatistics:
        """How it is, and what it did so far."""
        return TopicsStatistics(
            received=self._received, sent=self._sent, echoes=self._echoes
        )
