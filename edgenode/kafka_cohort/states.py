"""What a server stores, as the events that tell it to whoever hasn't heard of it."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TypeVar

from edgenode.events import outbound
from edgenode.events.model import InstanceEvent
from edgenode.instances.digests import owner_of
from edgenode.instances.model import EntityDetail, Relationship
from edgenode.limits import KAFKA_STATES_PAGE
from edgenode.repository.base import Repository
from edgenode.typedefs.status import InstanceStatus

Instance = TypeVar("Instance", EntityDetail, Relationship)

Told = tuple[str, InstanceEvent]
"""An event, and the metadata collection that answers for what it tells."""


async def stored_events(repository: Repository) -> AsyncIterator[Sequence[Told]]:
    """All instances and classifications that are stored now, some at a time.

    Entities come before relationships. Events of others than those a server speaks for
    are for the caller to leave out.
    """
    newest = await repository.newest_state()
    async for entities in _pages(repository, EntityDetail, newest):
        yield [event for entity in entities for event in _of_entity(entity)]
    async for relationships in _pages(repository, Relationship, newest):
        yield [(owner_of(each), _state(each)) for each in relationships]


async def _pages(
    repository: Repository, kind: type[Instance], newest: int
) -> AsyncIterator[list[Instance]]:
    after = ""
    while True:
        found = await repository.states_until(kind, newest, after, KAFKA_STATES_PAGE)
        if not found:
            return
        page = [document.value for document in found]
        yield page
        after = str(page[-1].guid)


def _of_entity(entity: EntityDetail) -> Iterator[Told]:
    owner = owner_of(entity)
    yield owner, _state(entity)
    for given in entity.classifications or ():
        if owner_of(given) != owner:
            yield owner_of(given), outbound.classified(entity, given)


def _state(instance: EntityDetail | Relationship) -> InstanceEvent:
    if instance.status is InstanceStatus.DELETED:
        return outbound.deleted(instance)
    return outbound.refreshed(instance)
