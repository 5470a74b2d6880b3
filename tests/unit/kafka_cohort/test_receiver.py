"""What becomes of the records on the topics, and which types are asked for."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgenode.bus.topics import (
    Batch,
    OmrsTopic,
    Partition,
    Position,
    Record,
    TopicsStatistics,
)
from edgenode.collection.received import Outcome, Received
from edgenode.events import outbound
from edgenode.events.model import (
    InstanceEvent,
    OMRSEventErrorCode,
    OMRSEventOriginator,
    OMRSEventV1,
    OMRSTypeDefEventType,
    TypeDefEvent,
)
from edgenode.events.registration import MemberRegistration
from edgenode.events.wrapping import EventBuilder, originator_of
from edgenode.instances import lifecycle
from edgenode.kafka_cohort.receiver import Receiver
from edgenode.limits import (
    ASKED_TYPE_SECONDS,
    KAFKA_SENT_SAVED_SECONDS,
    MAX_REGISTRATION_BYTES,
    MAX_TYPE_BYTES,
    MAX_TYPES_SECONDS,
    SLOW_TYPES_PAUSE,
)
from edgenode.typedefs.model import TypeDef
from tests.model.house import CODEC, REMOTE, START, SetClock, remote_entity
from tests.unit.collection.members import ALL, Member, cohort
from tests.unit.typedefs.samples import entity_def, patch_of

Code = OMRSEventErrorCode

BOOK = entity_def("Book")
NOVEL = entity_def("Novel", BOOK)


@dataclass
class Texts:
    """Topics on which there are some records, and no more come."""

    texts: Sequence[bytes]
    kinds: Mapping[str, OmrsTopic | None]

    async def records(self) -> AsyncGenerator[Batch, None]:
        at = Partition("instances", 0)
        for offset, text in enumerate(self.texts):
            record = Record(at, offset, b"hub", text)
            yield Batch((record,), (Position(at, offset + 1),))

    def applied(self, positions: Sequence[Position]) -> None:
        pass

    async def send(self, topic: OmrsTopic, events: Sequence[bytes]) -> None:
        raise NotImplementedError

    def statistics(self) -> TopicsStatistics:
        return TopicsStatistics()


@dataclass
class ThenQuiet(Texts):
    """Topics on which nothing more comes for some time after the records."""

    clock: SetClock
    done: list[Position] = field(default_factory=list)

    async def records(self) -> AsyncGenerator[Batch, None]:
        async for batch in Texts.records(self):
            yield batch
        assert self.done == []
        self.clock.time += int(KAFKA_SENT_SAVED_SECONDS * 1_000)
        yield Batch((), ())

    def applied(self, positions: Sequence[Position]) -> None:
        self.done += positions


class Reading:
    """A receiver, and what it refused and asked for."""

    def __init__(self, here: Member, types: Sequence[TypeDef] = ()) -> None:
        self.refused: list[Received] = []
        self.asked: list[str] = []
        self.seconds = 0.0
        self._clock = here.clock
        self._types = {each.name: each for each in types}
        self.receiver = Receiver(
            here.collection,
            here.repository.kafka_cohort,
            CODEC,
            ALL,
            here.clock,
            speaks_for=lambda origin: origin == here.id,
            heard=self._heard,
            refused=lambda _, received: self.refused.append(received),
            ask_types=self._told_types,
        )

    async def _heard(self, event: OMRSEventV1) -> None:
        raise NotImplementedError

    async def _told_types(self, _: str, names: Sequence[str]) -> list[TypeDef]:
        self.asked += names
        self._clock.time += int(self.seconds * 1_000)
        return [self._types[name] for name in names if name in self._types]

    async def hear(self, *events: OMRSEventV1 | bytes) -> None:
        texts = [
            each if isinstance(each, bytes) else CODEC.encode_event(each)
            for each in events
        ]
        await self.receiver.run(Texts(texts, {}))


def told(section: InstanceEvent | TypeDefEvent) -> OMRSEventV1:
    sender = OMRSEventOriginator(metadata_collection_id=REMOTE.id)
    return EventBuilder(sender).event(section, START)


def of(type_def: TypeDef, guid: str = "remote-1") -> OMRSEventV1:
    made = remote_entity(guid, type=lifecycle.instance_type(type_def))
    return told(outbound.created(made))


async def test_what_came_last_is_remembered_though_nothing_follows(
    tmp_path: Path,
) -> None:
    async with cohort(tmp_path, "local") as (here,):
        topics = ThenQuiet([b"{}"], {}, here.clock)
        await Reading(here).receiver.run(topics)
        (at,) = topics.done
        assert at == Position(Partition("instances", 0), 1)
        (kept,) = here.repository.kafka_cohort.places
        assert kept.next_offset == 1


async def test_types_are_asked_for_with_those_that_they_are_built_on(
    tmp_path: Path,
) -> None:
    async with cohort(tmp_path, "local") as (here,):
        here.known_collections.add(REMOTE.id)
        reading = Reading(here, [BOOK, NOVEL])
        await reading.hear(of(NOVEL))
        assert reading.asked == ["Novel", "Book"]
        assert reading.receiver.outcomes == {Outcome.SAVED: 1}
        assert here.types.lineage("Novel") == ("Novel", "Book")
        # A patch that others before it are missing of.
        reading = Reading(here, [replace(BOOK, version=6)])
        patch = patch_of(BOOK, apply_to_version=5, update_to_version=6)
        event = TypeDefEvent(
            type_def_event_type=OMRSTypeDefEventType.UPDATED_TYPEDEF_EVENT,
            type_def_patch=patch,
        )
        await reading.hear(told(event))
        (refused,) = reading.refused
        assert refused.code is Code.TYPEDEF_PATCH_MISMATCH
        known = here.types.type_def("Book")
        assert known is not None
        assert known.version == 6


async def test_what_a_member_does_not_tell_is_not_asked_for_each_time(
    tmp_path: Path,
) -> None:
    async with cohort(tmp_path, "local") as (here,):
        here.known_collections.add(REMOTE.id)
        reading = Reading(here)
        await reading.hear(*(of(NOVEL, f"e{number}") for number in range(5)))
        assert reading.asked == ["Novel"]
        assert reading.receiver.outcomes == {Outcome.REFUSED: 5}
        here.clock.time += int(ASKED_TYPE_SECONDS * 1000)
        await reading.hear(of(NOVEL))
        assert reading.asked == ["Novel", "Novel"]


async def test_what_the_server_said_before_it_was_put_back_is_passed_over(
    tmp_path: Path,
) -> None:
    async with cohort(tmp_path, "local") as (here,):
        reading = Reading(here)
        sender = OMRSEventOriginator(metadata_collection_id=here.id)
        section = outbound.created(remote_entity("own-1"))
        for at in (here.clock.now() - 1, here.clock.now()):
            await reading.hear(EventBuilder(sender).event(section, at))
        # From now on it is somebody else who says so.
        assert reading.receiver.outcomes == {Outcome.IGNORED: 1, Outcome.REFUSED: 1}
        (refused,) = reading.refused
        assert refused.reason == "somebody else speaks for this collection"


async def test_what_is_no_event_of_the_protocol_is_refused_by_its_code(
    tmp_path: Path,
) -> None:
    async with cohort(tmp_path, "local") as (here,):
        here.known_collections.add(REMOTE.id)
        reading = Reading(here)
        event = told(outbound.created(remote_entity()))
        await reading.hear(
            b"{",
            replace(event, protocol_version_id="OMRS V2.0"),
            replace(event, originator=None),
            replace(event, instance_event_section=None),
            told(outbound.created(remote_entity(create_time=None))),
        )
        assert [each.code for each in reading.refused] == [
            Code.INVALID_EVENT_FORMAT,
            Code.INVALID_EVENT_FORMAT,
            Code.INVALID_EVENT_FORMAT,
            Code.INVALID_INSTANCE_EVENT,
            Code.INVALID_INSTANCE_EVENT,
        ]
        assert all(each.why.startswith("INVALID_") for each in reading.refused)
        assert await here.holdings() == {}


async def test_others_have_a_turn_between_events_that_are_refused(
    tmp_path: Path,
) -> None:
    async with cohort(tmp_path, "local") as (here,):
        reading, turns = Reading(here), 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(others())
        await reading.hear(*[b"{}"] * 100)
        task.cancel()
        assert turns >= 100


async def test_of_members_and_types_no_more_is_taken_than_can_be_remembered(
    tmp_path: Path,
) -> None:
    async with cohort(tmp_path, "local") as (here,):
        here.known_collections.add(REMOTE.id)
        large = replace(BOOK, description="x" * MAX_TYPE_BYTES)
        reading = Reading(here, [large])
        member = MemberRegistration(
            metadata_collection_id=REMOTE.id,
            server_name="x" * MAX_REGISTRATION_BYTES,
        )
        await reading.hear(
            told(outbound.new_type(large)),
            EventBuilder(originator_of(member)).registered(member, START, again=False),
            of(BOOK),
        )
        assert reading.asked == ["Book"]
        assert [each.reason for each in reading.refused] == [
            "it says too much",
            "it says too much",
            "types that are not known: Book",
        ]
        assert here.types.type_def("Book") is None


async def test_whoever_is_slow_to_tell_no_type_has_a_pause(tmp_path: Path) -> None:
    async with cohort(tmp_path, "local") as (here,):
        here.known_collections.add(REMOTE.id)
        reading = Reading(here, [BOOK])
        reading.seconds = 3.0
        await reading.hear(*(of(entity_def(f"T{n}"), f"e{n}") for n in range(9)))
        assert reading.asked == ["T0"]
        here.clock.time += int(3.0 * SLOW_TYPES_PAUSE * 1_000)
        await reading.hear(of(BOOK), of(NOVEL))
        assert reading.asked == ["T0", "Book", "Novel"]
        assert reading.receiver.outcomes == {Outcome.REFUSED: 10, Outcome.SAVED: 1}


async def test_types_are_not_asked_for_without_end(tmp_path: Path) -> None:
    async with cohort(tmp_path, "local") as (here,):
        here.known_collections.add(REMOTE.id)
        chain = [entity_def("T0")]
        for number in range(1, 50):
            chain.append(entity_def(f"T{number}", chain[-1]))
        reading = Reading(here, chain)
        reading.seconds = 1.0
        await reading.hear(of(chain[-1]))
        assert len(reading.asked) == int(MAX_TYPES_SECONDS)
