"""Speaks with other nodes: who is met, who is overdue, who doesn't answer.

A node that is seen for the first time, or whose connection came up, is spoken with at
once; beyond that one node at random every while, so that what a node has to say and hear
doesn't grow with the cohort.

Nodes that were met come first. Of the others anybody on the local network can make up as
many as it likes, none of which answers; so they wait in a queue of their own, and hold up
some of the workers only.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from edgenode.errors import EdgeNodeError, PeerRefusedError, PeerUnavailableError
from edgenode.limits import (
    CONTACTS_AT_ONCE,
    MAX_NODES,
    MAX_WAITING_CONTACTS,
    MAX_WAITING_STRANGERS,
    STRANGERS_AT_ONCE,
)

logger = logging.getLogger(__name__)

Addresses = Sequence[tuple[str, int]]
Meet = Callable[[str | None, Addresses], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Contact:
    """A conversation that is to be held."""

    name: str
    node_id: str | None
    addresses: Addresses
    is_met: bool


@dataclass(slots=True)
class _Queue:
    """Contacts that wait, by name; when it is full, one at random makes room."""

    room: int
    random: Random
    waiting: dict[str, _Contact] = field(default_factory=dict)

    def put(self, contact: _Contact) -> None:
        if contact.name not in self.waiting and len(self.waiting) >= self.room:
            del self.waiting[self.random.choice(list(self.waiting))]
        self.waiting[contact.name] = contact


class Contacts:
    """Runs conversations, each node's one at a time, few at once."""

    def __init__(self, meet: Meet, random: Random) -> None:
        """Nobody is spoken with before ``run``.

        Args:
            meet: The conversation itself; its errors mean that the node isn't there.
            random: Chooses among nodes that were never met.
        """
        self._meet = meet
        self._random = random
        self._met = _Queue(MAX_WAITING_CONTACTS, random)
        self._strangers = _Queue(MAX_WAITING_STRANGERS, random)
        self._under_way: dict[str, _Contact] = {}
        self._refused_by: dict[str, PeerRefusedError] = {}
        self._arrived = asyncio.Event()
        self.failures = 0

    @property
    def is_busy(self) -> bool:
        """Whether somebody is spoken with, or about to be."""
        return bool(self._has_waiting or self._under_way)

    @property
    def _has_waiting(self) -> bool:
        return bool(self._met.waiting or self._strangers.waiting)

    @property
    def refusals(self) -> Mapping[str, PeerRefusedError]:
        """Who would not speak with this node when last asked, and why."""
        return self._refused_by

    def spoken(self, node_id: str, addresses: Addresses = ()) -> None:
        """A node speaks with this one, whatever it said before."""
        for name in (node_id, *map(_name, addresses)):
            self._refused_by.pop(name, None)

    def want(self, node_id: str | None, addresses: Addresses, *, is_met: bool) -> None:
        """Speak with a node soon; once is enough, however often it is wanted.

        Args:
            node_id: The node; None for whoever is at the addresses.
            addresses: Where, best first.
            is_met: Whether it was spoken with before, so that it is known to exist.
        """
        if not addresses:
            return
        name = node_id or _name(addresses[0])
        contact = _Contact(name, node_id, tuple(addresses), is_met)
        if is_met:
            self._strangers.waiting.pop(name, None)
            self._met.put(contact)
        elif name not in self._met.waiting:
            self._strangers.put(contact)
        self._arrived.set()

    async def run(self) -> None:
        """Hold conversations until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(CONTACTS_AT_ONCE):
                tasks.create_task(self._work(), name=f"cohort contacts {number}")

    def _next(self) -> _Contact | None:
        """Whom to speak with now, if anybody."""
        met = self._met.waiting
        name = next((name for name in met if name not in self._under_way), None)
        if name is not None:
            return met.pop(name)
        held_up = sum(not contact.is_met for contact in self._under_way.values())
        strangers = self._strangers.waiting
        names = [name for name in strangers if name not in self._under_way]
        if not names or held_up >= STRANGERS_AT_ONCE:
            return None
        # However many others keep coming, each has its chance.
        return strangers.pop(self._random.choice(names))

    async def _work(self) -> None:
        while True:
            contact = self._next()
            if contact is None:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            name = contact.name
            self._under_way[name] = contact
            try:
                await self._meet(contact.node_id, contact.addresses)
                self._refused_by.pop(name, None)
            except PeerUnavailableError as error:
                self.failures += 1
                logger.debug("no conversation with %s: %s", name, error.reason)
            except PeerRefusedError as error:
                self.failures += 1
                self._tell(contact, error)
            except EdgeNodeError as error:
                self.failures += 1
                logger.debug("no conversation with %s: %s", name, error)
            except Exception:
                # Nobody's answer, nor a disk that is full, ends the other conversations.
                self.failures += 1
                logger.exception("the conversation with %s broke down", name)
            finally:
                del self._under_way[name]
                if self._has_waiting:
                    self._arrived.set()

    def _tell(self, contact: _Contact, error: PeerRefusedError) -> None:
        """Say why a node won't speak with this one, once until that changes."""
        known = self._refused_by.pop(contact.name, None)
        is_full = len(self._refused_by) >= MAX_NODES
        if is_full:
            del self._refused_by[next(iter(self._refused_by))]
        self._refused_by[contact.name] = error
        if known is None or known.reason != error.reason:
            # So many strangers are made up by somebody, to fill the log.
            level = logging.DEBUG if is_full and not contact.is_met else logging.WARNING
            told = "no conversation with node %s: %s"
            logger.log(level, told, contact.name, error.reason)


def _name(address: tuple[str, int]) -> str:
    """What a node at an address is called whose id isn't known."""
    host, port = address
    return f"at {host} port {port}"
