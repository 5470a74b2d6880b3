"""Conversations with nodes that don't answer, or won't."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

import pytest

from edgenode.cohort.contacts import Addresses, Contacts
from edgenode.errors import PeerRefusedError, PeerUnavailableError
from edgenode.limits import (
    CONTACTS_AT_ONCE,
    MAX_NODES,
    MAX_WAITING_STRANGERS,
    STRANGERS_AT_ONCE,
)

THERE = [("host", 1)]
TURNS = 10


@dataclass
class TarPit:
    """Nodes that say nothing until they are let go, beside one that answers at once."""

    answers: str = "real"
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    met: list[str] = field(default_factory=list)

    async def meet(self, node_id: str | None, addresses: Addresses) -> None:
        assert node_id is not None
        self.met.append(node_id)
        if node_id != self.answers:
            self.held[node_id] = asyncio.Event()
            await self.held[node_id].wait()
            del self.held[node_id]
            raise PeerUnavailableError(node_id, "no answer in time")

    async def let_go(self) -> None:
        """Those that are waited for have had their time."""
        for each in self.held.values():
            each.set()
        await turns()


async def turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


@asynccontextmanager
async def running(pit: TarPit) -> AsyncIterator[Contacts]:
    contacts = Contacts(pit.meet, Random(1))  # noqa: S311
    task = asyncio.create_task(contacts.run())
    try:
        yield contacts
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_who_was_met_is_spoken_with_whatever_strangers_do() -> None:
    pit = TarPit()
    async with running(pit) as contacts:
        for number in range(10 * MAX_WAITING_STRANGERS):
            contacts.want(f"fake {number}", THERE, is_met=False)
        await turns()
        assert len(pit.held) == STRANGERS_AT_ONCE < CONTACTS_AT_ONCE
        contacts.want("real", THERE, is_met=True)
        await turns()
        assert pit.met[-1] == "real"
        contacts.want("gone", THERE, is_met=True)
        contacts.want("away", THERE, is_met=True)
        await turns()
        assert len(pit.held) == CONTACTS_AT_ONCE


async def test_who_was_met_comes_before_strangers() -> None:
    pit = TarPit()
    async with running(pit) as contacts:
        for number in range(CONTACTS_AT_ONCE):
            contacts.want(f"gone {number}", THERE, is_met=True)
        await turns()
        contacts.want("fake", THERE, is_met=False)
        contacts.want("real", THERE, is_met=False)
        contacts.want("real", THERE, is_met=True)
        contacts.want("real", [("elsewhere", 1)], is_met=False)
        await pit.let_go()
        assert pit.met[CONTACTS_AT_ONCE:] == ["real", "fake"]


async def test_nobody_who_was_met_is_dropped() -> None:
    pit = TarPit()
    everybody = [f"node {number}" for number in range(2 * MAX_WAITING_STRANGERS)]
    async with running(pit) as contacts:
        for name in everybody:
            contacts.want(name, THERE, is_met=True)
        await turns()
        while pit.held:
            await pit.let_go()
        assert pit.met == everybody
        assert not contacts.is_busy


async def test_a_newcomer_has_its_chance_among_any_number_of_strangers() -> None:
    pit = TarPit()
    fakes = iter(range(1_000_000))
    async with running(pit) as contacts:
        for _ in range(200):
            contacts.want("real", THERE, is_met=False)
            for _ in range(MAX_WAITING_STRANGERS // 4):
                contacts.want(f"fake {next(fakes)}", THERE, is_met=False)
            await pit.let_go()
        assert "real" in pit.met
        while pit.held:
            await pit.let_go()
        assert len(pit.met) <= 201 * STRANGERS_AT_ONCE + MAX_WAITING_STRANGERS


async def test_a_refusal_is_told_once_until_it_changes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outcomes: list[Exception | None] = [
        PeerUnavailableError("x", "hung up"),
        PeerRefusedError("x", "removed"),
        PeerRefusedError("x", "removed"),
        PeerRefusedError("x", "busy"),
        None,
        PeerRefusedError("x", "busy"),
    ]
    met = asyncio.Event()

    async def meet(node_id: str | None, addresses: Addresses) -> None:
        met.set()
        if (outcome := outcomes.pop(0)) is not None:
            raise outcome

    contacts = Contacts(meet, Random(1))  # noqa: S311
    task = asyncio.create_task(contacts.run())
    while outcomes:
        met.clear()
        contacts.want("x", THERE, is_met=True)
        await met.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert contacts.failures == 5
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 3
    assert told[0] == "no conversation with node x: removed"
    assert ["removed" in each for each in told] == [True, False, False]
    assert [error.reason for error in contacts.refusals.values()] == ["busy"]
    contacts.spoken("x")
    assert not contacts.refusals


async def test_strangers_that_refuse_do_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def meet(node_id: str | None, addresses: Addresses) -> None:
        raise PeerRefusedError(str(node_id), "unknown ca")

    contacts = Contacts(meet, Random(1))  # noqa: S311
    task = asyncio.create_task(contacts.run())
    for number in range(2 * MAX_NODES):
        contacts.want(f"fake {number}", THERE, is_met=False)
        await turns()
    contacts.want("real", THERE, is_met=True)
    await turns()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    warnings = [each for each in caplog.records if each.levelname == "WARNING"]
    assert len(warnings) == MAX_NODES + 1
    assert "real" in warnings[-1].getMessage()
    assert len(contacts.refusals) == MAX_NODES


async def test_what_nobody_thought_of_ends_no_other_conversation(
    caplog: pytest.LogCaptureFixture,
) -> None:
    met = asyncio.Event()

    async def meet(node_id: str | None, addresses: Addresses) -> None:
        if node_id == "x":
            raise IndexError("out of range")
        met.set()

    contacts = Contacts(meet, Random(1))  # noqa: S311
    task = asyncio.create_task(contacts.run())
    for node_id in ("x", "y"):
        contacts.want(node_id, THERE, is_met=True)
    await met.wait()
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert contacts.failures == 1
    assert "with x" in caplog.text
