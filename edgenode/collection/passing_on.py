"""What of one cohort the members of another are told.

They don't compare: so of what became of a copy when stores were compared they are told, too,
as its owner would.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeGuard

from edgenode.collection.received import Outcome, Received
from edgenode.events import outbound
from edgenode.events.model import InstanceEvent
from edgenode.events.model import OMRSInstanceEventType as Type
from edgenode.events.streams import Step
from edgenode.instances.digests import owner_of
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntityProxy,
    Relationship,
)
from edgenode.typedefs.status import InstanceStatus

_GONE = frozenset(
    {
        Type.PURGED_ENTITY_EVENT,
        Type.DELETE_PURGED_ENTITY_EVENT,
        Type.PURGED_RELATIONSHIP_EVENT,
        Type.DELETE_PURGED_RELATIONSHIP_EVENT,
        Type.DECLASSIFIED_ENTITY_EVENT,
    }
)

State = EntityDetail | EntityProxy | Relationship


def is_passed_on(received: Received, step: Step | None, event: InstanceEvent) -> bool:
    """Whether an event of a member may be news to members of the other cohort.

    They hear others in another order. So what was in order here they are told, although it
    changed nothing here, and that something is gone they are told in any case.
    """
    if received.outcome is not Outcome.IGNORED:
        return received.outcome is Outcome.SAVED
    return step is not None or event.event_type in _GONE


def differences(
    before: State | None, after: State | None, owner: str
) -> Iterator[InstanceEvent]:
    """What an owner has to tell whoever holds a copy as it was.

    Args:
        before: The copy; None where there was none.
        after: What it became; None where it is gone.
        owner: Who answers for what is told; what others do isn't told.
    """
    if after is None:
        if _is_instance_of(before, owner):
            yield outbound.purged(before)
        return
    if _is_instance_of(after, owner) and _bare(before) != _bare(after):
        if after.status is InstanceStatus.DELETED:
            yield outbound.deleted(after)
        else:
            yield outbound.refreshed(after)
    elif not isinstance(after, Relationship):
        given, now = _given_by(owner, before), _given_by(owner, after)
        for name, classification in now.items():
            if given.get(name) != classification:
                yield outbound.classified(after, classification)
        for name in given.keys() - now.keys():
            yield outbound.declassified(after, given[name])


def _is_instance_of(
    state: State | None, owner: str
) -> TypeGuard[EntityDetail | Relationship]:
    return isinstance(state, EntityDetail | Relationship) and owner_of(state) == owner


def _bare(state: State | None) -> State | None:
    if state is None or isinstance(state, Relationship):
        return state
    return replace(state, classifications=None)


def _given_by(owner: str, state: State | None) -> dict[str, Classification]:
    if state is None or isinstance(state, Relationship):
        return {}
    return {
        str(given.name): given
        for given in state.classifications or ()
        if owner_of(given) == owner
    }
