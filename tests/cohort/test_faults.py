"""What fails unexpectedly ends one turn of what a node does, and not the node."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from random import Random

import apsw
import pytest

from edgenode.limits import EXCHANGE_SECONDS, LOSS_TOLD_SECONDS
from edgenode.observability.audit_messages import NODE_BACK, NODE_LOST
from edgenode.repository.backup import back_up, restore
from tests.cohort.simulation import World
from tests.cohort.test_simulated import add_term
from tests.crash.apsw_driver import connect_over
from tests.crash.faulty import Fault, FaultyVFS


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, Random(13))  # noqa: S311


@pytest.fixture
def fault() -> Iterator[Fault]:
    made = Fault()
    vfs = FaultyVFS("faulty cohort", made)
    yield made
    vfs.unregister()


FAULTY = connect_over("faulty cohort")


async def put_back(world: World, copy: Path) -> None:
    store = world.directory / "a" / "metadata.db"
    await asyncio.to_thread(restore, copy, store, world.clock.now())


async def becomes(world: World, is_so: Callable[[], Awaitable[bool]]) -> bool:
    """Let time pass until something is so; whether it is within ten minutes.

    A store's threads are slower than the time that is made up.
    """
    for _ in range(600):
        if await is_so():
            return True
        await world.pass_time(1)
    return False


async def test_what_is_lacking_is_taken_back_once_there_is_room(
    world: World, fault: Fault
) -> None:
    copy = world.directory / "copy.db"
    async with world.node("b") as other:
        async with world.node("a", peers=["b"]) as one:
            await add_term(one, "old")
            await world.settle()
            await asyncio.to_thread(
                back_up, world.directory / "a" / "metadata.db", copy
            )
            await add_term(one, "young")
            await world.settle()
            before = await other.holdings()
        await put_back(world, copy)
        async with world.node("a", peers=["b"], connect=FAULTY) as one:
            fault.begins("write", apsw.FullError, "-wal")
            await world.pass_time(10)
            assert len(await one.holdings()) == 1
            fault.passes()

            async def is_complete() -> bool:
                return await one.holdings() == before

            assert await becomes(world, is_complete)
            await add_term(one, "after that")


async def test_that_nothing_is_lacking_is_noted_once_there_is_room(
    world: World, fault: Fault
) -> None:
    copy = world.directory / "copy.db"
    async with world.node("a") as one:
        await world.settle()
        await asyncio.to_thread(back_up, world.directory / "a" / "metadata.db", copy)
    await put_back(world, copy)
    async with world.node("a", connect=FAULTY) as one:
        fault.begins("write", apsw.FullError, "-wal")
        await world.pass_time(10)
        fault.passes()

        async def is_noted() -> bool:
            noted = one.repository.positions()[one.id]
            return noted.incarnation == one.repository.incarnation()

        assert await becomes(world, is_noted)


@pytest.fixture
def failing_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A log that can't be written when it is about a node that is lost."""
    caplog.set_level(logging.INFO, "edgenode.audit")
    log = logging.getLogger("edgenode.audit")

    def refused(record: logging.LogRecord) -> bool:
        if getattr(record, "message_id", None) == NODE_LOST.message_id:
            raise OSError("no room")
        return True

    log.addFilter(refused)
    yield
    log.removeFilter(refused)


@pytest.mark.usefixtures("failing_log")
async def test_the_ticker_goes_on_after_a_turn_that_failed(world: World) -> None:
    async with world.node("a") as one:
        async with world.node("b", peers=["a"]):
            await world.settle()
        await world.pass_time(LOSS_TOLD_SECONDS + 5, step=5)
        async with world.node("b"):
            await world.pass_time(2 * EXCHANGE_SECONDS, step=5)
        told = [record.message_id for record in one.audit_log.records()]
        assert told[-1] == NODE_BACK.message_id
