"""The members of another cohort that are members of this one by way of this node.

A member belongs to the node that first announced it. So whom another node has announced
is left to that one, until it leaves there or the node is removed. Where two nodes announce
one at once, the one with the lower id keeps it.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from random import Random

from edgenode.cohort.guest import Guest
from edgenode.cohort.member import CohortMember, MemberLink, MemberParts
from edgenode.cohort.model import MemberRecord, Standing
from edgenode.cohort.told import LAST_REVISION, is_sound_member
from edgenode.events.registration import MemberRegistration, is_relayed
from edgenode.limits import GUEST_SECONDS

logger = logging.getLogger(__name__)


class Guests(Mapping[str, Guest]):
    """Those for whom one server of this node speaks, by collection id."""

    def __init__(self, parts: MemberParts, host: CohortMember, random: Random) -> None:
        """Begin with nobody.

        Args:
            parts: What the server brought into the cohort.
            host: The server.
            random: Puts off announcements, so that two nodes seldom make one at once.
        """
        self._parts = parts
        self._host = host
        self._random = random
        self._link: MemberLink | None = None
        self._wanted: dict[str, MemberRegistration] = {}
        self._given: dict[str, MemberRegistration] = {}
        self._due: dict[str, float] = {}
        self._revisions: dict[str, int] = {}
        self._guests: dict[str, Guest] = {}
        self._group: asyncio.TaskGroup | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._standing = Standing.STARTING

    def __getitem__(self, collection_id: str) -> Guest:
        return self._guests[collection_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._guests)

    def __len__(self) -> int:
        return len(self._guests)

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way that needn't wait for others."""
        return any(guest.is_busy for guest in self.values())

    def attach(self, link: MemberLink) -> None:
        """Make the node known; to be called once, before ``run``."""
        self._link = link
        self._host.on_change(self._settle)

    def want(self, members: Mapping[str, MemberRegistration], *, known: bool) -> None:
        """The members of the other cohort, by collection id, from now on.

        Args:
            members: All of them, as they are to register here.
            known: They were there before this node was started, and aren't waited with:
                else others would take them to have left.
        """
        now, wanted = self._parts.clock.monotonic(), dict(self._sound(members))
        for key in wanted.keys() - self._wanted.keys():
            wait = 0.0 if known else GUEST_SECONDS * self._random.random()
            self._due[key] = now + wait
        for key in self._wanted.keys() - wanted.keys():
            self._due.pop(key, None)
        self._wanted, self._given = wanted, dict(members)
        self._settle()

    def _sound(
        self, members: Mapping[str, MemberRegistration]
    ) -> Iterator[tuple[str, MemberRegistration]]:
        """Those that other nodes would heed, as they last registered so that these do."""
        for key, registration in members.items():
            if registration != self._given.get(key):
                record = MemberRecord(
                    node_id=self._parts.node_id,
                    revision=LAST_REVISION,
                    registration=registration,
                )
                if is_sound_member(record, self._parts.codec):
                    yield key, registration
                    continue
                logger.warning("%s can't be a member of the cohort of nodes", key[:40])
            if key in self._wanted:
                yield key, self._wanted[key]

    def tick(self) -> None:
        """Time has passed."""
        if len(self._guests) < len(self._wanted):
            self._settle()

    def wake(self) -> None:
        """There are new events in the outbox."""
        for guest in self.values():
            guest.wake()

    async def run(self) -> None:
        """Send their events until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._group = tasks
            for key in self:
                self._start(key)
            await asyncio.Event().wait()

    # who is one

    def _settle(self) -> None:
        """Have those join and leave who are to."""
        if self._link is None:
            return
        before, self._standing = self._standing, self._host.standing
        for key in [key for key in self if not self._is_to_stay(key)]:
            self._part_from(key)
        if before is Standing.DISCONNECTED and not self._standing.is_away:
            for guest in self.values():
                guest.repeat_newest()
        if self._standing is not Standing.UNREGISTERED:
            for key, registration in self._wanted.items():
                self._take_in(key, registration, self._link)

    def _is_to_stay(self, key: str) -> bool:
        other = self._elsewhere(key)
        return (
            key in self._wanted
            and self._standing is not Standing.UNREGISTERED
            and (other is None or self._gives_way(other))
        )

    def _gives_way(self, other: MemberRecord) -> bool:
        """Whether another node has only brought in a member as this one has, and leaves."""
        own_id = self._parts.node_id
        return is_relayed(other.registration) and other.node_id > own_id

    def _take_in(
        self, key: str, registration: MemberRegistration, link: MemberLink
    ) -> None:
        guest, now = self._guests.get(key), self._parts.clock.monotonic()
        if guest is not None:
            guest.renew(registration)
        elif now >= self._due[key] and self._elsewhere(key) is None:
            self._welcome(key, registration, link)

    def _elsewhere(self, collection_id: str) -> MemberRecord | None:
        """How another node announces one."""
        record = self._host.met_records().get(collection_id)
        if record is None or not record.is_registered:
            return None
        return None if record.node_id == self._parts.node_id else record

    def _welcome(
        self, key: str, registration: MemberRegistration, link: MemberLink
    ) -> None:
        record = MemberRecord(
            node_id=self._parts.node_id,
            revision=self._revisions.get(key, 0),
            registration=registration,
        )
        guest = self._guests[key] = Guest(self._parts, self._host, record, link)
        guest.join()
        self._start(key)

    def _start(self, key: str) -> None:
        if self._group is not None:
            run = self[key].run()
            self._tasks[key] = self._group.create_task(run, name=f"guest {key}")

    def _part_from(self, key: str) -> None:
        guest = self._guests.pop(key)
        guest.leave()
        self._revisions[key] = guest.record.revision
        task = self._tasks.pop(key, None)
        if task is not None:
            task.cancel()
