"""Speaks with other nodes: who is met, who is overdue, who doesn't answer.

A node that is seen for the first time, or whose connection came up, is spoken with at
once; beyond that one node at random every while, so that what a node has to say and hear
doesn't grow with the cohort.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from edgenode.errors import EdgeNodeError, PeerRefusedError, PeerUnavailableError
from edgenode.limits import CONTACTS_AT_ONCE, MAX_NODES, MAX_WAITING_CONTACTS

logger = logging.getLogger(__name__)

Addresses = Sequence[tuple[str, int]]
Meet = Callable[[str | None, Addresses], Awaitable[None]]


class Contacts:
    """Runs conversations, each node's one at a time, few at once."""

    def __init__(self, meet: Meet) -> None:
        """Take the conversation itself; its errors mean that the node isn't there."""
        self._meet = meet
        self._waiting: dict[str, tuple[str | None, tuple[tuple[str, int], ...]]] = {}
        self._under_way: set[str] = set()
        self._refused_by: dict[str, PeerRefusedError] = {}
        self._arrived = asyncio.Event()
        self.failures = 0

    @property
    def is_busy(self) -> bool:
        """Whether somebody is spoken with, or about to be."""
        return bool(self._waiting or self._under_way)

    @property
    def refusals(self) -> Mapping[str, PeerRefusedError]:
        """Who would not speak with this node when last asked, and why."""
        return self._refused_by

    def spoken(self, node_id: str, addresses: Addresses = ()) -> None:
        """A node speaks with this one, whatever it said before."""
        for name in (node_id, *map(_name, addresses)):
            self._refused_by.pop(name, None)

    def want(self, node_id: str | None, addresses: Addresses) -> None:
        """Speak with a node soon; once is enough, however often it is wanted.

        Args:
            node_id: The node; None for whoever is at the addresses.
            addresses: Where, best first.
        """
        if not addresses or len(self._waiting) >= MAX_WAITING_CONTACTS:
            return
        name = node_id or _name(addresses[0])
        self._waiting[name] = (node_id, tuple(addresses))
        self._arrived.set()

    async def run(self) -> None:
        """Hold conversations until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(CONTACTS_AT_ONCE):
                tasks.create_task(self._work(), name=f"cohort contacts {number}")

    async def _work(self) -> None:
        while True:
            name = next((n for n in self._waiting if n not in self._under_way), None)
            if name is None:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            node_id, addresses = self._waiting.pop(name)
            self._under_way.add(name)
            try:
                await self._meet(node_id, addresses)
                self._refused_by.pop(name, None)
            except PeerUnavailableError as error:
                self.failures += 1
                logger.debug("no conversation with %s: %s", name, error.reason)
            except PeerRefusedError as error:
                self.failures += 1
                self._tell(name, error)
            except EdgeNodeError as error:
                self.failures += 1
                logger.debug("no conversation with %s: %s", name, error)
            except Exception:
                # Nobody's answer, nor a disk that is full, ends the other conversations.
                self.failures += 1
                logger.exception("the conversation with %s broke down", name)
            finally:
                self._under_way.discard(name)
                if self._waiting:
                    self._arrived.set()

    def _tell(self, name: str, error: PeerRefusedError) -> None:
        """Say why a node won't speak with this one, once until that changes."""
        known = self._refused_by.get(name)
        if known is None or known.reason != error.reason:
            logger.warning("no conversation with node %s: %s", name, error.reason)
        if len(self._refused_by) >= MAX_NODES:
            self._refused_by.clear()
        self._refused_by[name] = error


def _name(address: tuple[str, int]) -> str:
    """What a node at an address is called whose id isn't known."""
    host, port = address
    return f"at {host} port {port}"
