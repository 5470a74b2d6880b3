"""A server that is disconnected or unregistered takes no part until it is connected."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from edgenode.cohort.model import Standing
from edgenode.errors import PeerUnavailableError
from edgenode.events.streams import Position
from edgenode.limits import LONGEST_RETRY_SECONDS
from edgenode.observability.audit_messages import (
    MEMBER_JOINED,
    MEMBER_LEFT,
    SERVER_CONNECTED,
    SERVER_DISCONNECTED,
    SERVER_UNREGISTERED,
)
from tests.cohort.simulation import SimulatedNode, World
from tests.cohort.test_simulated import add_term, recorded


@dataclass
class Pair:
    """Two nodes that know each other and have a term each."""

    world: World
    one: SimulatedNode
    other: SimulatedNode

    async def is_one(self) -> bool:
        return await self.one.holdings() == await self.other.holdings()


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    world = World(tmp_path, Random(7))  # noqa: S311
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(world.node("a"))
        other = await stack.enter_async_context(world.node("b", peers=["a"]))
        await add_term(one, "from one")
        await add_term(other, "from the other")
        await world.pass_time(3)
        yield Pair(world, one, other)


def count(node: SimulatedNode, message_id: str) -> int:
    return recorded(node).count(message_id)


async def test_a_disconnected_server_sends_and_applies_nothing(pair: Pair) -> None:
    assert await pair.is_one()
    pair.one.member.disconnect()
    await pair.world.settle()
    await add_term(pair.one, "mine")
    await add_term(pair.other, "theirs")
    await pair.world.pass_time(60, step=5)
    for node in (pair.one, pair.other):
        assert len(await node.holdings()) == 3
        assert set(node.member.records()) == {pair.one.id, pair.other.id}
        assert count(node, MEMBER_LEFT.message_id) == 0
    (asked,) = pair.other.member.followers().values()
    assert (asked.lag, asked.trouble) == (0, "")
    assert pair.one.member.was_member(pair.other.id)


async def test_a_disconnected_server_is_asked_nothing(pair: Pair) -> None:
    pair.one.member.disconnect()
    await pair.world.settle()
    with pytest.raises(PeerUnavailableError):
        await pair.one.service.owners("b", pair.one.id)
    with pytest.raises(PeerUnavailableError):
        async for _ in pair.one.service.events("b", pair.one.id, Position("", 0)):
            pass


async def test_a_server_that_is_connected_again_catches_up(pair: Pair) -> None:
    joined = count(pair.one, MEMBER_JOINED.message_id)
    pair.one.member.disconnect()
    await pair.world.settle()
    assert pair.one.member.standing is Standing.DISCONNECTED
    await add_term(pair.one, "mine")
    await add_term(pair.other, "theirs")
    await pair.world.settle()
    pair.one.member.connect()
    await pair.world.settle()
    assert len(await pair.one.holdings()) == 4
    assert await pair.is_one()
    assert count(pair.one, SERVER_DISCONNECTED.message_id) == 1
    assert count(pair.one, SERVER_CONNECTED.message_id) == 1
    assert count(pair.one, MEMBER_JOINED.message_id) == joined, "it knew them"
    await add_term(pair.one, "next")
    await pair.world.settle()
    assert await pair.is_one()


async def test_who_left_meanwhile_is_known_to_have_left(pair: Pair) -> None:
    pair.one.member.disconnect()
    await pair.world.settle()
    pair.other.member.unregister()
    await pair.world.settle()
    pair.one.member.connect()
    await pair.world.pass_time(60, step=5)
    assert count(pair.one, MEMBER_LEFT.message_id) == 1
    assert not pair.one.member.is_known(pair.other.id)


@pytest.mark.parametrize("is_connected", [True, False])
async def test_a_server_leaves_and_comes_back(pair: Pair, is_connected: bool) -> None:
    joined = count(pair.one, MEMBER_JOINED.message_id)
    if not is_connected:
        pair.one.member.disconnect()
        await pair.world.settle()
    pair.one.member.unregister()
    await pair.world.settle()
    assert not pair.other.member.records()[pair.one.id].is_registered
    assert count(pair.other, MEMBER_LEFT.message_id) == 1
    assert count(pair.one, SERVER_UNREGISTERED.message_id) == 1
    assert count(pair.one, MEMBER_LEFT.message_id) == 0, "the others have not"
    assert not pair.one.member.is_known(pair.other.id)
    await add_term(pair.one, "mine")
    await add_term(pair.other, "theirs")
    await pair.world.pass_time(60, step=5)
    assert len(await pair.one.holdings()) == len(await pair.other.holdings()) == 3
    pair.one.member.connect()
    await pair.world.pass_time(2 * LONGEST_RETRY_SECONDS, step=10)
    assert len(await pair.one.holdings()) == 4
    assert await pair.is_one()
    assert count(pair.one, MEMBER_JOINED.message_id) == joined + 1
