"""What a node says itself holds; what others tell of it ends where it can be asked."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from edgenode.bus.base import Message
from edgenode.codec.json import dumps
from edgenode.cohort.envelope import Header, TopicKind, wrap
from edgenode.cohort.model import Exchange, Known, Mark, MemberRecord, NodeInfo
from edgenode.cohort.peers import Peer
from edgenode.events.registration import MemberRegistration
from edgenode.events.streams import Step
from edgenode.events.wrapping import EventBuilder, originator_of
from edgenode.limits import (
    FORGOTTEN_AFTER_SECONDS,
    FULL_MESH_NODES,
    LONGEST_RETRY_SECONDS,
)
from tests.cohort.simulation import BUS_KEY, CODEC, TOPICS, SimulatedNode, World
from tests.cohort.test_simulated import add_term

LIAR = "f" * 32
HIGHEST = 2**62
NOTHING = dumps({"class": "OMRSEventV1"})


@dataclass
class Scene:
    """Two nodes that know each other, and what somebody tells one of them."""

    world: World
    one: SimulatedNode
    other: SimulatedNode

    async def tell(self, **told: Any) -> Exchange:
        """Somebody who has the key, but no broker, tells the other one."""
        sender = NodeInfo(node_id=LIAR, run_id="x", revision=1, addresses=("nowhere",))
        half = Exchange(sender=sender, time=self.world.clock.now(), **told)
        answer = await self.other.service.exchange(LIAR, half)
        await self.world.settle()
        return answer

    @property
    def peer(self) -> Peer:
        peer = self.other.cohort.peers.get("a")
        assert peer is not None
        return peer

    @property
    def record(self) -> MemberRecord:
        return self.other.member.records()[self.one.id]

    def lies(self, revision: int) -> dict[str, Any]:
        moved = replace(self.peer.info, revision=revision, rest_port=1, name="not a")
        gone = replace(self.record, revision=revision, is_registered=False)
        return {"nodes": (moved,), "members": (gone,)}


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    world = World(tmp_path, Random(7))  # noqa: S311
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(world.node("a"))
        other = await stack.enter_async_context(world.node("b", peers=["a"]))
        await world.settle()
        yield Scene(world, one, other)


async def test_gossip_does_not_overrule_who_is_there(scene: Scene) -> None:
    record, info = scene.record, scene.peer.info
    await scene.tell(**scene.lies(HIGHEST))
    assert scene.record == record
    assert scene.peer.info == info
    # It is asked, and what it says is what was known.
    await scene.world.pass_time(60)
    assert scene.record == record
    assert scene.peer.info == info


@pytest.mark.parametrize("revision", [HIGHEST, HIGHEST + 1])
async def test_gossip_ends_when_a_node_is_spoken_with(
    scene: Scene, revision: int
) -> None:
    world, info = scene.world, scene.peer.info
    world.network.part(["a"], ["b"])
    await world.settle()
    await scene.tell(**scene.lies(revision))
    # Of who is gone others may tell; what can't be a revision is passed over.
    assert scene.record.is_registered is (revision > HIGHEST)
    world.network.join_all()
    await world.pass_time(60)
    assert scene.record.is_registered
    assert scene.peer.info == info
    term = await add_term(scene.one, "t")
    await world.settle()
    assert scene.other.repository.entity(str(term.guid)) is not None


async def test_who_is_told_of_in_its_own_name_can_always_say_more(
    scene: Scene,
) -> None:
    """It outdoes what others know of it, but not without end."""
    await scene.tell(
        known_nodes=(Known(id="b", revision=HIGHEST),),
        members=(
            replace(scene.other.member.records()[scene.other.id], revision=HIGHEST),
        ),
    )
    assert scene.other.cohort.info.revision < HIGHEST
    local = scene.other.member.records()[scene.other.id]
    assert local.revision < HIGHEST
    scene.other.cohort.moved(["10.0.0.9"])
    await scene.world.pass_time(60)
    known = scene.one.cohort.peers.get("b")
    assert known is not None
    assert known.info.addresses == ("10.0.0.9",)


def made_up(count: int) -> dict[str, Any]:
    nodes = [f"{number:032x}" for number in range(count)]
    return {
        "nodes": tuple(
            NodeInfo(node_id=each, run_id="r", revision=1, addresses=("nowhere",))
            for each in nodes
        ),
        "members": tuple(
            MemberRecord(
                node_id=each,
                revision=1,
                registration=MemberRegistration(
                    metadata_collection_id=f"m{each}", server_name=each
                ),
            )
            for each in nodes
        ),
    }


async def test_nodes_that_are_made_up_end_with_who_hears_of_them(scene: Scene) -> None:
    world, count = scene.world, 3 * FULL_MESH_NODES
    await scene.tell(**made_up(count))
    # They can't be met, so that nobody wants a connection to their brokers.
    assert scene.other.cohort.peers.alive(world.clock.monotonic()) == ("a", LIAR)
    assert len(scene.other.member.records()) == count + 2
    async with world.node("c", peers=["b"]) as third:
        await world.pass_time(100, step=10)
        for node in (scene.one, third):
            assert set(node.member.records()) == {
                each.id for each in (scene.one, scene.other, third)
            }
            told = {peer.info.node_id for peer in node.cohort.peers.all()}
            assert told | {node.name} == {"a", "b", "c", LIAR}
        await world.pass_time(FORGOTTEN_AFTER_SECONDS, step=600)
        assert len(scene.other.cohort.peers) == 3
        assert len(scene.other.member.records()) == 3


async def test_members_that_are_made_up_are_not_kept(scene: Scene) -> None:
    await scene.tell(**made_up(5))
    assert [row.node_id for row in scene.other.repository.members()] == ["a"]


async def test_who_is_only_told_of_is_met(scene: Scene) -> None:
    async with scene.world.node("c", peers=["a"]) as third:
        await scene.world.settle()
        for node in (scene.one, scene.other, third):
            assert all(peer.is_met for peer in node.cohort.peers.all())
            assert node.member.is_first_hand(third.id) or node is third


async def test_who_is_lost_is_asked_once_for_all_its_members(scene: Scene) -> None:
    world, ids = scene.world, [f"m{number}" for number in range(20)]
    await scene.tell(
        known_members=tuple(Known(id=each, revision=1) for each in ids),
        members=tuple(
            MemberRecord(
                node_id=LIAR,
                revision=1,
                registration=MemberRegistration(metadata_collection_id=each),
            )
            for each in ids
        ),
    )

    def failures() -> list[int]:
        followers = scene.other.member.followers()
        return [followers[each].figures.failures for each in ids]

    await world.pass_time(100)
    assert scene.other.cohort.is_lost(LIAR)
    before = failures()
    assert min(before) > 0
    await world.pass_time(600)
    assert sum(failures()) - sum(before) <= 600 / LONGEST_RETRY_SECONDS + 1
    # When it is there again, all ask.
    before = failures()
    scene.other.cohort.linked(LIAR)
    await world.settle()
    assert all(now > then for now, then in zip(failures(), before, strict=True))


async def test_what_exceeds_the_room_is_told_in_turns_and_once(scene: Scene) -> None:
    """Whom one node alone has met the other has by hearsay, and is told of no more."""
    world, count = scene.world, 300
    records = tuple(
        MemberRecord(
            node_id=LIAR,
            revision=1,
            registration=MemberRegistration(
                metadata_collection_id=f"fat{number}", server_name="x" * 7_500
            ),
        )
        for number in range(count)
    )
    for end in (count // 2, count):
        ids = (f"fat{number}" for number in range(end))
        known = tuple(Known(id=each, revision=1) for each in ids)
        await scene.tell(members=records[end - count // 2 : end], known_members=known)
    assert len(scene.other.member.met_records()) == count + 2
    await world.pass_time(60)
    assert len(scene.one.member.records()) == count + 2
    assert len(scene.one.member.met_records()) == 2
    one, other = (node.cohort.conversations for node in (scene.one, scene.other))
    said = one._half("b")
    assert {each.id for each in said.known_members} == {scene.one.id, scene.other.id}
    assert other._half("a", said).members == ()


async def test_only_an_origin_tells_how_far_its_events_go(scene: Scene) -> None:
    await add_term(scene.one, "t")
    await scene.world.settle()
    incarnation = scene.one.repository.incarnation()
    absurd = Mark(
        metadata_collection_id=scene.one.id,
        incarnation=incarnation,
        sequence=10**12,
    )
    answer = await scene.tell(marks=(absurd,))
    follower = scene.other.member.followers()[scene.one.id]
    assert follower.lag == 0
    last = scene.one.repository.last_sequence()
    told = {mark.metadata_collection_id: mark.sequence for mark in answer.marks}
    assert told[scene.one.id] == last
    assert follower.known.sequence == last


@pytest.mark.parametrize("ahead", [1, 500, HIGHEST])
async def test_a_place_that_others_made_up_ends_where_its_origin_is_asked(
    scene: Scene, ahead: int
) -> None:
    """Else everything that it tells from then on would be passed over."""
    world, repository = scene.world, scene.one.repository
    await add_term(scene.one, "t")
    await world.settle()
    real = scene.other.repository.positions()[scene.one.id]
    world.network.part(["a"], ["b"])
    scene.other.cohort._speech.linked.discard("a")
    step = Step(real.incarnation, real.sequence, real.sequence + ahead)
    topic = TOPICS.name(TopicKind.INSTANCES, scene.one.id)
    payload = wrap(BUS_KEY, topic, Header(node="a", run="run", step=step), NOTHING)
    scene.other.cohort.received(Message(topic, payload), LIAR)
    await world.settle()
    follower = scene.other.member.followers()[scene.one.id]
    reached = scene.other.repository.positions()[scene.one.id].sequence
    assert reached == real.sequence + (ahead if ahead < HIGHEST else 0)
    assert follower.lag == 0
    # What somebody else has got to says nothing of the origin.
    less = Mark(
        metadata_collection_id=scene.one.id,
        incarnation=real.incarnation,
        sequence=real.sequence,
    )
    await scene.tell(marks=(less,))
    assert scene.other.repository.positions()[scene.one.id].sequence == reached
    world.network.join_all()
    await world.pass_time(60)
    assert scene.other.repository.positions()[scene.one.id] == real
    compared = follower.figures.comparisons
    term = await add_term(scene.one, "u")
    await world.settle()
    assert scene.other.repository.entity(str(term.guid)) is not None
    last = repository.last_sequence()
    assert (follower.lag, follower.known.sequence) == (0, last)
    assert follower.figures.comparisons == compared


async def test_a_registration_over_others_is_asked_for(scene: Scene) -> None:
    """Whoever has the key can say on the bus that another one's member left."""
    scene.other.cohort.unlinked("a")
    await scene.world.settle()
    known = scene.record
    build = EventBuilder(originator_of(known.registration))
    event = CODEC.encode_event(build.unregistered(known.registration, 0))
    topic = TOPICS.name(TopicKind.REGISTRATION, scene.one.id)
    header = Header(node="a", run="run", revision=known.revision + 1)
    payload = wrap(BUS_KEY, topic, header, event)
    asked = scene.world.questions
    scene.other.cohort._speech.linked.discard("a")
    scene.other.cohort.received(Message(topic, payload), LIAR)
    await scene.world.pass_time(2)
    assert scene.record == known
    assert scene.world.questions > asked


async def test_a_description_over_others_is_asked_for(scene: Scene) -> None:
    scene.other.cohort._speech.linked.discard("a")
    info = scene.peer.info
    body = dumps(
        {"info": CODEC.event_object(replace(info, revision=HIGHEST, name="x"))}
    )
    topic = TOPICS.name(TopicKind.NODE, "a")
    header = Header(node="a", run="run", revision=HIGHEST)
    asked = scene.world.questions
    scene.other.cohort.received(
        Message(topic, wrap(BUS_KEY, topic, header, body)), LIAR
    )
    await scene.world.pass_time(2)
    assert scene.peer.info == info
    assert scene.world.questions > asked


async def test_who_is_said_to_be_lost_is_asked_once_a_second_at_most(
    scene: Scene,
) -> None:
    scene.other.cohort._speech.linked.discard("a")
    topic = TOPICS.name(TopicKind.LOST, "a")
    before = scene.world.questions
    for number in range(20):
        scene.other.cohort.peers.linked("a", scene.world.clock.monotonic())
        header = Header(node=LIAR, run=f"r{number}")
        body = dumps({"lost": "a"})
        payload = wrap(BUS_KEY, topic, header, body)
        scene.other.cohort.received(Message(topic, payload), LIAR)
        await scene.world.settle()
    assert scene.world.questions == before
    assert scene.peer.lost is not None
    await scene.world.pass_time(2)
    assert scene.peer.lost is None
    assert scene.world.questions - before <= 3


async def test_a_member_is_not_taken_over_while_its_node_is_away(
    scene: Scene,
) -> None:
    world = scene.world
    world.network.part(["a"], ["b"])
    await world.settle()
    await scene.tell(**scene.lies(2**60))
    stolen = replace(scene.record, node_id=LIAR, revision=2**60 + 1, is_registered=True)
    await scene.tell(members=(stolen,))
    assert scene.record.node_id == "a"
    world.network.join_all()
    await world.pass_time(60)
    assert scene.record.node_id == "a"
    assert scene.record.is_registered


async def test_a_member_whose_store_was_lost_leaves(tmp_path: Path) -> None:
    world = World(tmp_path, Random(7))  # noqa: S311
    async with world.node("b") as other:
        async with world.node("a", peers=["b"]) as before:
            await world.settle()
            term = await add_term(before, "t")
            await world.settle()
        for file in (tmp_path / "a").glob("metadata.db*"):
            file.unlink()
        async with world.node("a", peers=["b"]) as after:
            await world.pass_time(60)
            assert after.id != before.id
            registered = {
                each
                for each, record in other.member.records().items()
                if record.is_registered
            }
            assert registered == {after.id, other.id}
            assert not after.member.is_known(before.id)
            # What it had told is kept.
            assert other.repository.entity(str(term.guid)) is not None
