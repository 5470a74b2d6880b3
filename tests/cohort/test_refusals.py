"""What is said on the bus by those who may not say it has no effect, and is counted."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest

from edgenode.bus.base import Message
from edgenode.codec.json import dumps
from edgenode.cohort.envelope import Header, TopicKind, wrap
from edgenode.cohort.model import Exchange, MemberRecord, NodeInfo
from edgenode.collection.received import Outcome as Reception
from edgenode.errors import BadRequestError
from edgenode.events import outbound
from edgenode.events.model import OMRSTypeDefEventType, TypeDefEvent
from edgenode.events.streams import Step
from edgenode.events.wrapping import EventBuilder, originator_of
from edgenode.instances.model import EntityDetail
from edgenode.limits import (
    MAX_ADDRESSES,
    MAX_TOLD_RECORD_BYTES,
    MAX_TYPE_BYTES,
    MAX_WAITING_ERRORS,
)
from edgenode.security.trust import Refusal, Removal
from tests.cohort.simulation import BUS_KEY, CODEC, TOPICS, SimulatedNode, World
from tests.cohort.test_simulated import add_term
from tests.unit.cohort.origins import Origin
from tests.unit.typedefs.samples import entity_def

MALLORY = "f" * 32


@dataclass
class Scene:
    """Two members that know each other, and somebody who pretends."""

    world: World
    one: SimulatedNode
    other: SimulatedNode
    term: EntityDetail

    def event(self, version: int = 9) -> bytes:
        """An event of one's, about an instance of its."""
        entity = replace(self.term, version=version)
        section = outbound.updated(entity, entity)
        build = EventBuilder(originator_of(self.one.member.registration))
        return CODEC.encode_event(build.event(section, self.world.clock.now()))

    def say(
        self,
        body: bytes,
        *,
        sender: str,
        key: bytes | None = BUS_KEY,
        kind: TopicKind = TopicKind.INSTANCES,
        about: str = "",
        link: str | None = None,
        step: Step | None = None,
        revision: int | None = None,
    ) -> bytes:
        """Put something on the other's side of the bus."""
        topic = TOPICS.name(kind, about or self.one.id)
        header = Header(node=sender, run="run", revision=revision, step=step)
        payload = wrap(key, topic, header, body)
        self.other.cohort.received(Message(topic, payload), link)
        return payload

    def refusals(self, reason: Refusal) -> int:
        told = self.other.cohort._trust.refusals()
        return sum(count for (why, _), count in told.items() if why is reason)

    async def version(self) -> int:
        await self.world.settle()
        stored = self.other.repository.entity(str(self.term.guid))
        assert stored is not None
        return stored.document.value.version

    @property
    def next_step(self) -> Step:
        last = self.one.repository.last_sequence()
        return Step(self.one.repository.incarnation(), last, last + 1)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    world = World(tmp_path, Random(7))  # noqa: S311
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(world.node("a"))
        other = await stack.enter_async_context(world.node("b", peers=["a"]))
        await world.settle()
        term = await add_term(one, "t")
        await world.settle()
        yield Scene(world, one, other, term)


async def test_the_home_is_heard(scene: Scene) -> None:
    """Else the following tests would prove nothing."""
    scene.say(scene.event(), sender="a", link="a", step=scene.next_step)
    assert await scene.version() == 9


@pytest.mark.parametrize("key", [b"x" * 32, None])
async def test_whoever_has_not_the_key_is_not_heard(
    scene: Scene, key: bytes | None
) -> None:
    scene.say(scene.event(), sender="a", key=key, link="a", step=scene.next_step)
    assert await scene.version() == 1
    assert scene.refusals(Refusal.CODE) == 1


async def test_nobody_speaks_for_anothers_member(scene: Scene) -> None:
    scene.say(scene.event(), sender=MALLORY, link=MALLORY, step=scene.next_step)
    assert await scene.version() == 1
    assert scene.refusals(Refusal.SPEAKER) == 1


async def test_who_is_linked_is_heard_over_its_link_only(scene: Scene) -> None:
    scene.say(scene.event(), sender="a", link=MALLORY, step=scene.next_step)
    assert await scene.version() == 1


async def test_what_was_said_before_is_not_heard_again(scene: Scene) -> None:
    first = scene.next_step
    scene.say(scene.event(5), sender="a", link="a", step=first)
    assert await scene.version() == 5
    later = Step(first.incarnation, first.sequence, first.sequence + 1)
    scene.say(scene.event(7), sender="a", link="a", step=later)
    scene.say(scene.event(8), sender="a", link="a", step=first)
    assert await scene.version() == 7


async def test_an_event_names_its_own_origin(scene: Scene) -> None:
    build = EventBuilder(originator_of(scene.other.member.registration))
    section = outbound.updated(scene.term, replace(scene.term, version=9))
    text = CODEC.encode_event(build.event(section, 0))
    scene.say(text, sender="a", link="a", step=scene.next_step)
    assert await scene.version() == 1
    assert any(
        record.message_id == "EDGENODE-AUDIT-0012"
        for record in scene.other.audit_log.records()
    )


async def test_nobody_registers_anothers_collection(scene: Scene) -> None:
    known = scene.other.member.records()[scene.one.id]
    build = EventBuilder(originator_of(known.registration))
    event = build.registered(known.registration, 0, again=True)
    scene.say(
        CODEC.encode_event(event),
        sender=MALLORY,
        kind=TopicKind.REGISTRATION,
        link=MALLORY,
        revision=known.revision + 1,
    )
    await scene.world.settle()
    assert scene.other.member.records()[scene.one.id] == known
    assert any(
        record.message_id == "EDGENODE-AUDIT-0013"
        for record in scene.other.audit_log.records()
    )


async def test_an_old_registration_is_not_heard_again(scene: Scene) -> None:
    known = scene.other.member.records()[scene.one.id]
    renamed = replace(known.registration, server_name="old")
    build = EventBuilder(originator_of(renamed))
    event = build.registered(renamed, 0, again=True)
    scene.say(
        CODEC.encode_event(event),
        sender="a",
        kind=TopicKind.REGISTRATION,
        link="a",
        revision=known.revision - 1,
    )
    await scene.world.settle()
    assert scene.other.member.records()[scene.one.id] == known


async def test_nobody_describes_another_node(scene: Scene) -> None:
    before = scene.other.cohort.peers.get("a")
    assert before is not None
    info = replace(before.info, revision=before.info.revision + 1, rest_port=1)
    body = dumps({"info": CODEC.event_object(info)})
    scene.say(body, sender=MALLORY, kind=TopicKind.NODE, about="a", link=MALLORY)
    assert scene.other.cohort.peers.get("a") == before
    assert scene.refusals(Refusal.SPEAKER) == 1


async def test_nobody_exchanges_in_anothers_name(scene: Scene) -> None:
    half = Exchange(sender=NodeInfo(node_id="a", run_id="x", revision=9), time=0)
    with pytest.raises(BadRequestError):
        await scene.other.service.exchange(MALLORY, half)


async def test_a_removed_node_is_not_heard(scene: Scene) -> None:
    removal = Removal(node_id="0" * 32, at=scene.world.clock.now())
    await scene.other.cohort._trust.merge([removal], removal.at)
    scene.say(scene.event(), sender="0" * 32, link="0" * 32, step=scene.next_step)
    assert await scene.version() == 1
    assert scene.refusals(Refusal.REMOVED) == 1


async def test_gossip_does_not_move_a_member(scene: Scene) -> None:
    known = scene.other.member.records()[scene.one.id]
    forged = MemberRecord(
        node_id=MALLORY,
        revision=known.revision + 1,
        registration=known.registration,
    )
    half = Exchange(
        sender=NodeInfo(node_id=MALLORY, run_id="x", revision=1),
        time=scene.world.clock.now(),
        members=(forged,),
    )
    await scene.other.service.exchange(MALLORY, half)
    await scene.world.settle()
    assert scene.other.member.records()[scene.one.id] == known


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"edgenode":' + b'{"a":' * 50_000,
        b"x" * (4 * 1024 * 1024 + 1),
        b'{"edgenode":{"node":"a","run":"r","mac":"' + b"0" * 32 + b'"},"class":"x"}',
    ],
    ids=["empty", "no header", "no text", "deep", "deeper", "large", "forged"],
)
async def test_rubbish_does_nothing(scene: Scene, payload: bytes) -> None:
    topic = TOPICS.name(TopicKind.INSTANCES, scene.one.id)
    scene.other.cohort.received(Message(topic, payload), "a")
    scene.other.cohort.received(Message("elsewhere", payload), "a")
    assert await scene.version() == 1


async def test_a_body_that_nests_deeply_is_passed_over(scene: Scene) -> None:
    body = b'{"class":"OMRSEventV1","x":' + b"[" * 5000 + b"]" * 5000 + b"}"
    step = scene.next_step
    scene.say(body, sender="a", link="a", step=step)
    assert await scene.version() == 1
    later = Step(step.incarnation, step.sequence, step.sequence + 1)
    scene.say(scene.event(), sender="a", link="a", step=later)
    assert await scene.version() == 9


NO_NODES: list[dict[str, object]] = [
    {"rest_port": 70_000},
    {"rest_port": -1},
    {"addresses": ("a..b",)},
    {"addresses": ("a\0b",)},
    {"addresses": ("h",) * (MAX_ADDRESSES + 1)},
    {"name": "x" * 3_500_000},
]


@pytest.mark.parametrize("fields", NO_NODES)
async def test_what_can_be_no_node_is_not_taken_in(
    scene: Scene, fields: dict[str, object]
) -> None:
    """Neither of a node itself, nor of another one, by whichever way it comes."""
    cohort = scene.other.cohort
    known = cohort.peers.all()
    fake = NodeInfo(node_id=MALLORY, run_id="x", revision=1, rest_port=9)
    bad = replace(fake, **fields)  # type: ignore[arg-type]
    with pytest.raises(BadRequestError):
        await cohort.conversations.exchange(MALLORY, Exchange(sender=bad, time=0))
    cohort.conversations.remember([bad])
    body = dumps({"info": CODEC.event_object(bad)})
    scene.say(body, sender=MALLORY, kind=TopicKind.NODE, about=MALLORY)
    sender = NodeInfo(node_id="a", run_id="x", revision=9)
    half = Exchange(sender=sender, time=0, nodes=(bad,))
    await cohort.conversations.exchange("a", half)
    await scene.world.settle()
    assert [peer.info.node_id for peer in cohort.peers.all()] == [
        peer.info.node_id for peer in known
    ]


async def test_a_node_with_many_addresses_names_the_first_ones(scene: Scene) -> None:
    many = [f"192.0.2.{number}" for number in range(MAX_ADDRESSES + 1)]
    scene.one.cohort.moved(many)
    await scene.world.settle()
    peer = scene.other.cohort.peers.get("a")
    assert peer is not None
    assert peer.info.addresses == tuple(many[:MAX_ADDRESSES])


@pytest.mark.parametrize("too_much", [0, MAX_TOLD_RECORD_BYTES])
@pytest.mark.parametrize(
    "kind", [TopicKind.NODE, TopicKind.LOST, TopicKind.REGISTRATION]
)
async def test_what_says_too_much_is_refused(
    scene: Scene, kind: TopicKind, too_much: int
) -> None:
    info = CODEC.event_object(scene.one.cohort.info)
    said = {"info": info, "lost": "a", "leaves": True, "more": "x" * too_much}
    scene.say(dumps(said), sender="a", kind=kind, about="a")
    assert scene.refusals(Refusal.MALFORMED) == (1 if too_much else 0)


@pytest.mark.parametrize(("name", "revision"), [("x" * 70_000, 1), ("x", 2**62 + 1)])
async def test_a_registration_is_no_larger_than_registrations_are(
    scene: Scene, name: str, revision: int
) -> None:
    registration = replace(
        scene.one.member.registration,
        metadata_collection_id="c",
        metadata_collection_name=name,
    )
    build = EventBuilder(originator_of(registration))
    scene.say(
        CODEC.encode_event(build.registered(registration, 0, again=False)),
        sender=MALLORY,
        kind=TopicKind.REGISTRATION,
        about="c",
        revision=revision,
    )
    await scene.world.settle()
    assert "c" not in scene.other.member.records()
    assert scene.refusals(Refusal.MALFORMED) == 1


@pytest.mark.parametrize("size", [10, MAX_TYPE_BYTES])
async def test_types_are_taken_up_to_a_size(scene: Scene, size: int) -> None:
    book = entity_def("Book", description="x" * size)
    section = TypeDefEvent(
        type_def_event_type=OMRSTypeDefEventType.NEW_TYPEDEF_EVENT, type_def=book
    )
    build = EventBuilder(originator_of(scene.one.member.registration))
    event = CODEC.encode_event(build.event(section, scene.world.clock.now()))
    step = scene.next_step
    scene.say(event, sender="a", kind=TopicKind.TYPES, link="a", step=step)
    await scene.world.settle()
    known = {each.name for each in scene.other.repository.types()}
    assert ("Book" in known) == (size == 10)
    assert scene.other.repository.positions()[scene.one.id].sequence == step.sequence


@pytest.mark.parametrize("size", [10, MAX_TYPE_BYTES])
async def test_types_are_learnt_up_to_a_size(scene: Scene, size: int) -> None:
    book = entity_def("Book", description="x" * size)
    section = TypeDefEvent(
        type_def_event_type=OMRSTypeDefEventType.NEW_TYPEDEF_EVENT, type_def=book
    )

    class Teacher(Origin):
        async def type_digest(self, collection_id: str) -> Mapping[str, int]:
            return {"guid-Book": 1}

        async def type_defs(
            self, collection_id: str, guids: Sequence[str]
        ) -> list[bytes]:
            return [dumps(CODEC.event_object(section))]

    await scene.other.member._intake.learn_types(scene.one.id, Teacher())
    known = {each.name for each in scene.other.repository.types()}
    assert ("Book" in known) == (size == 10)


async def test_error_events_wait_for_their_turn_within_bounds(scene: Scene) -> None:
    """They have no place among the others, and nobody fetches them."""
    refused = scene.other.member.outcomes[Reception.REFUSED]
    for number in range(5 * MAX_WAITING_ERRORS):
        scene.say(b'{"n":%d}' % number, sender="a", link="a")
    await scene.world.settle()
    taken = scene.other.member.outcomes[Reception.REFUSED] - refused
    assert taken == MAX_WAITING_ERRORS
    scene.say(scene.event(5), sender="a", link="a", step=scene.next_step)
    assert await scene.version() == 5
