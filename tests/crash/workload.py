"""Changes of every kind from several clients, and what must be true afterwards.

Each client has instances and types of its own, and notes what it begins and what was
acknowledged. Each change has one event, which says what it changed to which version; so
the events that a crash leaves tell which changes there are, and everything else that is
stored must be just what these changes led to: so must the places that changes move to.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from edgenode.clock import EpochMillis
from edgenode.events.model import (
    InstanceEvent,
    OMRSInstanceEventType,
    OMRSTypeDefEventType,
    TypeDefEvent,
)
from edgenode.events.streams import Position
from edgenode.repository.base import Transaction
from edgenode.repository.sqlite import SqliteRepository
from edgenode.typedefs.model import EntityDef
from tests.crash.recording import Noted
from tests.unit.repository.samples import START, entity, guid, relationship

Work = Callable[[Transaction], None]

LASTING = 6
"""How many entities a client has that are never purged; relationships are between them."""
PASSING = 6
"""How many entities a client has that are purged now and then."""
FIRST_RELATIONSHIP = 100
RELATIONSHIPS = 6
FIRST_TYPE = 200
TYPES = 2
NUMBERS = 1_000
"""Each client has so many numbers for what it changes."""


def saving(number: int, version: int, at: EpochMillis) -> Work:
    def work(change: Transaction) -> None:
        bean = entity(number, version=version)
        change.save_entity(bean, at)
        change.queue_event(
            InstanceEvent(
                event_type=OMRSInstanceEventType.UPDATED_ENTITY_EVENT,
                instance_guid=bean.guid,
                type_def_name=str(version),
                entity=bean,
            )
        )

    return work


def purging(number: int) -> Work:
    def work(change: Transaction) -> None:
        change.purge_entity(guid(number))
        change.queue_event(
            InstanceEvent(
                event_type=OMRSInstanceEventType.PURGED_ENTITY_EVENT,
                instance_guid=guid(number),
                type_def_name="0",
            )
        )

    return work


def linking(
    number: int, one: int, two: int, version: int, at: EpochMillis = START
) -> Work:
    def work(change: Transaction) -> None:
        bean = relationship(number, one, two, version=version)
        change.save_relationship(bean, at)
        change.queue_event(
            InstanceEvent(
                event_type=OMRSInstanceEventType.UPDATED_RELATIONSHIP_EVENT,
                instance_guid=bean.guid,
                type_def_name=str(version),
                relationship=bean,
            )
        )

    return work


def defining(number: int, version: int) -> Work:
    def work(change: Transaction) -> None:
        definition = EntityDef(guid=guid(number), name=f"T{number}", version=version)
        change.save_type(definition)
        change.queue_event(
            TypeDefEvent(
                type_def_event_type=OMRSTypeDefEventType.UPDATED_TYPEDEF_EVENT,
                type_def_guid=definition.guid,
                type_def_name=str(version),
                type_def=definition,
            )
        )

    return work


def moving(inner: Work, subject: str, place: Position) -> Work:
    """A change that also says how many there were of the same subject."""

    def work(change: Transaction) -> None:
        inner(change)
        change.move_to(subject, place)

    return work


class Client:
    """Makes one change after the other."""

    def __init__(self, name: int, seed: int) -> None:
        self._first = NUMBERS * name
        self._random = Random(seed + name)  # noqa: S311 - repeatable, not secret
        self._versions: dict[int, int] = {}
        self._changes: Counter[str] = Counter()

    def next(self, at: EpochMillis) -> tuple[str, int, Work]:
        """What is changed, to which version, and how."""
        random = self._random
        kind = random.random()
        if kind < 0.05:
            number = self._first + FIRST_TYPE + random.randrange(TYPES)
        elif kind < 0.3:
            number = self._first + FIRST_RELATIONSHIP + random.randrange(RELATIONSHIPS)
        else:
            number = self._first + random.randrange(LASTING + PASSING)
        version = self._versions.get(number, 0) + 1
        is_purged = kind > 0.85 and version > 1 and number >= self._first + LASTING
        if is_purged:
            version = 0
        self._versions[number] = version
        subject = guid(number)
        self._changes[subject] += 1
        place = Position("life", self._changes[subject])
        return subject, version, moving(self._work(number, version, at), subject, place)

    def _work(self, number: int, version: int, at: EpochMillis) -> Work:
        own = number - self._first
        if own >= FIRST_TYPE:
            return defining(number, version)
        if own >= FIRST_RELATIONSHIP:
            # Now and then another version has other ends.
            one = self._first + (own + version // 2) % LASTING
            two = self._first + (own + 1) % LASTING
            return linking(number, one, two, version, at)
        return saving(number, version, at) if version else purging(number)


async def run(
    repository: SqliteRepository,
    note: Callable[[Noted], None],
    *,
    clients: Iterable[Client],
    rounds: int,
) -> None:
    """Let clients make changes at the same time, and index rows be written between."""

    async def go(client: Client) -> None:
        for count in range(rounds):
            subject, version, work = client.next(START + count)
            note(Noted(True, subject, version))
            await repository.change(work)
            note(Noted(False, subject, version))
            if count % 10 == 9:
                await repository.flush()

    async with asyncio.TaskGroup() as tasks:
        for client in clients:
            tasks.create_task(go(client))


@dataclass(slots=True)
class Expected:
    """What must be there of one thing."""

    acknowledged: list[int] = field(default_factory=list)
    """The versions that it was changed to, one after the other."""
    following: list[int] = field(default_factory=list)
    """The versions that it may have been changed to since."""

    def allows(self, versions: list[int]) -> bool:
        """Whether it may have had just these versions."""
        must, may = self.acknowledged, [*self.acknowledged, *self.following]
        return len(versions) >= len(must) and versions == may[: len(versions)]


def expected(
    notes: Iterable[Noted], since: Iterable[Noted] = ()
) -> dict[str, Expected]:
    """What must be there after what was noted, and may be there of what was since."""
    found: dict[str, Expected] = {}
    for note in notes:
        thing = found.setdefault(note.subject, Expected())
        if note.begins:
            thing.following = [note.version]
        else:
            thing.acknowledged.append(note.version)
            thing.following = []
    for note in since:
        if note.begins:
            found.setdefault(note.subject, Expected()).following.append(note.version)
    return found
