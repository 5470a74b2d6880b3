"""Changes of every kind from several clients, and what must be true afterwards.

Each client has instances of its own. It notes what it begins and what was acknowledged;
so whatever a crash leaves can be judged: nothing acknowledged is missing, nothing is
there that was not begun, and each state stands with its event.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from edgenode.events.model import InstanceEvent, OMRSInstanceEventType
from edgenode.repository.base import Transaction
from edgenode.repository.sqlite import SqliteRepository
from tests.crash.recording import Noted
from tests.unit.repository.samples import START, entity, guid, relationship

INSTANCES = 12
"""How many entities a client has; relationships stand between them."""


def saving(number: int, version: int, at: int) -> Callable[[Transaction], None]:
    def work(change: Transaction) -> None:
        bean = entity(number, version=version)
        change.save_entity(bean, at)
        change.queue_event(
            InstanceEvent(
                event_type=OMRSInstanceEventType.UPDATED_ENTITY_EVENT,
                instance_guid=bean.guid,
                entity=bean,
            )
        )

    return work


def linking(number: int, other: int, version: int) -> Callable[[Transaction], None]:
    def work(change: Transaction) -> None:
        change.save_relationship(
            relationship(number, other, other + 1, version=version), START
        )

    return work


def purging(number: int) -> Callable[[Transaction], None]:
    return lambda change: change.purge_entity(guid(number))


async def run(
    repository: SqliteRepository,
    note: Callable[[Noted], None],
    *,
    clients: int,
    rounds: int,
    seed: int,
) -> None:
    """Let clients make changes at the same time, and search between them."""

    async def client(name: int) -> None:
        random = Random(seed + name)  # noqa: S311 - repeatable, not secret
        versions: dict[int, int] = {}
        first = 1_000 * name
        for count in range(rounds):
            number = first + random.randrange(INSTANCES)
            if random.random() < 0.2:
                number += 500  # a relationship
            version = versions.get(number, 0) + 1
            versions[number] = version
            work = saving(number, version, START + count)
            if number % 1_000 >= 500:
                work = linking(number, first + 700 + number % INSTANCES, version)
            elif version > 1 and random.random() < 0.15:
                work, version, versions[number] = purging(number), 0, 0
            note(Noted(True, guid(number), version))
            await repository.change(work)
            note(Noted(False, guid(number), version))
            if random.random() < 0.1:
                await repository.flush()

    async with asyncio.TaskGroup() as tasks:
        for name in range(clients):
            tasks.create_task(client(name), name=f"client {name}")


@dataclass(slots=True)
class Expected:
    """What may be there of one instance."""

    acknowledged: int = 0
    """The version that was acknowledged last; 0 is none, or its purge."""
    begun: set[int] = field(default_factory=set)
    """What was begun since."""

    def allows(self, version: int) -> bool:
        return version == self.acknowledged or version in self.begun


def expected(notes: Iterable[Noted]) -> dict[str, Expected]:
    found: dict[str, Expected] = {}
    for note in notes:
        instance = found.setdefault(note.guid, Expected())
        if note.begins:
            instance.begun = {note.version}
        else:
            instance.acknowledged = note.version
            instance.begun = set()
    return found
