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
