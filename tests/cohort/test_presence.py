"""Whether a node lives, as the others see it."""

from pathlib import Path
from random import Random

import pytest

from edgenode.bus.base import Message
from edgenode.codec.json import dumps
from edgenode.cohort.envelope import Header, TopicKind, unwrap, wrap
from edgenode.cohort.peers import PeerState
from edgenode.limits import MAX_SKEW_TRIP_SECONDS
from tests.cohort.simulation import BUS_KEY, TOPICS, SimulatedNode, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, Random(11))  # noqa: S311


def state(seen_by: SimulatedNode, node: SimulatedNode) -> PeerState:
    peer = seen_by.cohort.peers.get(node.name)
    assert peer is not None
    return peer.state


async def test_who_stops_is_lost_though_its_services_still_answer(world: World) -> None:
    async with world.node("a") as one, world.node("b", peers=["a"]) as other:
        await world.settle()
        assert state(one, other) is PeerState.ALIVE
        other.cohort.leave()
        bus = other.tasks.pop()
        bus.cancel()
        await world.settle()
        assert bus.cancelled()
        assert state(one, other) is PeerState.LOST


async def test_a_goodbye_is_passed_on_and_a_will_isnt(world: World) -> None:
    """Who is linked with the node knows better than a will; those beyond it don't."""
    async with world.node("a") as one, world.node("b", peers=["a"]):
        await world.settle()
        topic = TOPICS.name(TopicKind.LOST, "b")
        header = Header(node="b", run="run")
        for body, is_passed_on in (
            ({"lost": "b", "leaves": True}, True),
            ({"lost": "b"}, False),
        ):
            envelope = unwrap(BUS_KEY, topic, wrap(BUS_KEY, topic, header, dumps(body)))
            heeded = one.cohort.heed(TopicKind.LOST, "b", envelope, first_hand=True)
            assert heeded is is_passed_on


async def test_a_goodbye_is_heard_where_there_is_no_link(world: World) -> None:
    async with world.node("a") as one, world.node("b", peers=["a"]) as other:
        await world.settle()
        other.cohort.leave()
        (goodbye,) = [each.message for each in world.network.pending if each.message]
        one.cohort.unlinked("b")
        one.cohort.peers.heard("b", one.clock.monotonic())
        assert isinstance(goodbye, Message)
        one.cohort.received(goodbye, None)
        assert state(one, other) is PeerState.LOST
        await world.settle()
        assert state(one, other) is PeerState.LOST


async def test_who_leaves_a_question_unanswered_is_silent_until_heard(
    world: World,
) -> None:
    async with world.node("a") as one, world.node("b", peers=["a"]) as other:
        await world.settle()
        one.cohort.unanswered("b")
        assert state(one, other) is PeerState.SILENT
        await world.settle()  # it is asked, and answers
        assert state(one, other) is PeerState.ALIVE


async def test_slow_exchanges_say_nothing_of_the_clocks(world: World) -> None:
    async with world.node("a") as one, world.node("b", peers=["a"], skew=5.0):
        await world.settle()
        known = one.cohort.peers.get("b")
        assert known is not None
        assert known.skew == pytest.approx(5.0)
        world.delay = MAX_SKEW_TRIP_SECONDS + 0.1
        one.cohort.conversations.speak_with_all()
        await world.settle()
        later = one.cohort.peers.get("b")
        assert later is not None
        assert later.heard != known.heard
        assert later.skew == known.skew


async def test_members_are_told_to_be_there_again_once_their_node_is(
    world: World,
) -> None:
    async with world.node("a") as one, world.node("b", peers=["a"]) as other:
        await world.settle()
        told: list[str] = []
        one.member.on_return(told.append)
        one.cohort.conversations.speak_with_all()
        await world.settle()
        assert told == []  # it never was away
        one.cohort.peers.lost("b", one.clock.monotonic())
        one.cohort.conversations.speak_with_all()
        await world.settle()
        assert told == [other.id]
