"""What a server says beside what is in its outbox."""

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field
from pathlib import Path

from edgenode.bus.topics import Batch, OmrsTopic, Position, TopicsStatistics
from edgenode.events.model import OMRSEventV1
from edgenode.events.registration import MemberRegistration
from edgenode.events.streams import Position as OutboxPosition
from edgenode.events.wrapping import EventBuilder, originator_of
from edgenode.kafka_cohort.sender import Outgoing, Sender
from tests.model.house import CODEC, USER, type_guid
from tests.unit.cohort.clocks import FakeClock
from tests.unit.collection.members import cohort

MEMBER = MemberRegistration(metadata_collection_id="pi-id", server_name="pi")
PI = EventBuilder(originator_of(MEMBER))


@dataclass
class Sent:
    """Topics that keep what is sent."""

    events: list[bytes] = field(default_factory=list)

    @property
    def kinds(self) -> Mapping[str, OmrsTopic | None]:
        return {}

    def records(self) -> AsyncGenerator[Batch, None]:
        raise NotImplementedError

    def applied(self, positions: Sequence[Position]) -> None:
        raise NotImplementedError

    async def send(self, topic: OmrsTopic, events: Sequence[bytes]) -> None:
        self.events += events

    def statistics(self) -> TopicsStatistics:
        return TopicsStatistics()


async def no_states(_: Collection[str] | None) -> AsyncIterator[Sequence[bytes]]:
    nothing: Sequence[Sequence[bytes]] = ()
    for each in nothing:
        yield each


def outgoing(event: OMRSEventV1) -> Outgoing:
    return Outgoing(OmrsTopic.REGISTRATION, event)


async def test_what_still_waits_to_be_said_is_not_said_again(tmp_path: Path) -> None:
    """Whoever asks all the time who is there doesn't keep the rest from being sent."""
    async with cohort(tmp_path, "local") as (here,):
        repository, topics = here.repository, Sent()
        place = OutboxPosition(repository.incarnation(), repository.last_sequence())
        sender = Sender(
            repository,
            place,
            CODEC.encode_event,
            lambda _: None,
            no_states,
            here.clock,
            pause_seconds=0,
        )
        for now in range(10_000):
            answer = PI.registered(MEMBER, now, again=True)
            assert sender.say(outgoing(answer))
        assert sender.say(outgoing(PI.unregistered(MEMBER, 1)))
        back = outgoing(PI.registered(MEMBER, 2, again=True))
        assert sender.say(back)
        for other in ("attic", "cellar"):
            wrong = PI.bad_remote_connection(other, None, "it is nowhere", 3)
            assert sender.say(outgoing(wrong))
        running = asyncio.create_task(sender.run(topics))
        await sender.all_said.wait()
        assert [_kind(each) for each in topics.events] == [
            "RE_REGISTRATION_EVENT",
            "UN_REGISTRATION_EVENT",
            "RE_REGISTRATION_EVENT",
            "REGISTRATION_ERROR_EVENT",
            "REGISTRATION_ERROR_EVENT",
        ]
        # Who asks after that may have missed it.
        assert sender.say(back)
        await sender.all_said.wait()
        running.cancel()
        assert len(topics.events) == 6


@dataclass
class Busy(Sent):
    """Topics that change something while something is sent to them."""

    change: Callable[[], Awaitable[object]] = field(kw_only=True)
    batches: list[int] = field(default_factory=list)

    async def send(self, topic: OmrsTopic, events: Sequence[bytes]) -> None:
        self.batches.append(len(events))
        if len(self.batches) == 1:
            for _ in range(3):
                await self.change()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_what_comes_while_something_is_sent_goes_together(tmp_path: Path) -> None:
    clock = FakeClock()
    async with cohort(tmp_path, "local") as (here,):
        repository = here.repository

        async def change() -> None:
            await here.collection.add_entity(
                USER, type_guid("GlossaryTerm"), None, None, None
            )
            sender.wake()

        topics = Busy(change=change)
        sender = Sender(
            repository,
            OutboxPosition(repository.incarnation(), repository.last_sequence()),
            CODEC.encode_event,
            lambda queued: str(queued.sequence).encode(),
            no_states,
            clock,
            pause_seconds=1.0,
        )
        await change()
        running = asyncio.create_task(sender.run(topics))
        await until(lambda: clock.is_waited_for)
        assert topics.batches == [1]
        clock.advance(1.0)
        await until(lambda: not sender.backlog)
        running.cancel()
        assert topics.batches == [1, 3]


def _kind(text: bytes) -> str:
    section = CODEC.decode_event(text).registry_event_section
    assert section is not None
    return section.registry_event_type.name
