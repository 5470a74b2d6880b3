"""Conversations with nodes that don't answer, or won't."""

import asyncio

import pytest

from edgenode.cohort.contacts import Addresses, Contacts
from edgenode.errors import PeerRefusedError, PeerUnavailableError


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

    contacts = Contacts(meet)
    task = asyncio.create_task(contacts.run())
    while outcomes:
        met.clear()
        contacts.want("x", [("host", 1)])
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


async def test_what_nobody_thought_of_ends_no_other_conversation(
    caplog: pytest.LogCaptureFixture,
) -> None:
    met = asyncio.Event()

    async def meet(node_id: str | None, addresses: Addresses) -> None:
        if node_id == "x":
            raise IndexError("out of range")
        met.set()

    contacts = Contacts(meet)
    task = asyncio.create_task(contacts.run())
    for node_id in ("x", "y"):
        contacts.want(node_id, [("host", 1)])
    await met.wait()
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert contacts.failures == 1
    assert "with x" in caplog.text
