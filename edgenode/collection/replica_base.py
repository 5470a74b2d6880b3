"""How states of other members' instances are put in place of what is stored of them.

What happens to an instance at its home without an event of its own happens to its copies
in the same way: the relationships of a deleted entity's own home are deleted with it,
those of a re-identified one follow it, and those of a purged one go. Relationships that
are at home here are changed by nobody else: they are deleted or purged with their end,
too, but with events of their own.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from edgenode.clock import EpochMillis
from edgenode.collection.endings import Endings
from edgenode.collection.local_base import LocalCollectionParts
from edgenode.collection.received import Report
from edgenode.collection.references import CopyOperations
from edgenode.events import outbound
from edgenode.events.model import (
    EventError,
    InstanceEvent,
    OMRSEventErrorCode,
    OMRSInstanceEventType,
)
from edgenode.instances import lifecycle
from edgenode.instances.digests import owner_of
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntityProxy,
    EntitySummary,
    InstanceHeader,
    Relationship,
)
from edgenode.instances.provenance import (
    is_at_home,
    is_newer,
    may_update,
    with_told_classifications,
)
from edgenode.instances.validate import type_name
from edgenode.repository.base import Transaction
from edgenode.typedefs.model import TypeDefSummary
from edgenode.typedefs.status import InstanceStatus

Entity = EntityDetail | EntityProxy

E = TypeVar("E", bound=EntitySummary)


class ReplicaOperations(CopyOperations):
    """What receiving events and mending share."""

    def __init__(self, parts: LocalCollectionParts) -> None:
        super().__init__(parts)
        self._endings = Endings()

    # What is stored

    def _known(self, tx: Transaction, guid: str) -> Entity | None:
        """What is known of an entity."""
        stored = tx.entity(guid)
        return None if stored is None else stored.document.value

    def _known_copy(
        self, tx: Transaction, kind: type[InstanceHeader], guid: str
    ) -> InstanceHeader | None:
        """What is known of an entity or relationship."""
        if kind is not Relationship:
            return self._known(tx, guid)
        stored = tx.relationship(guid)
        return None if stored is None else stored.document.value

    # Putting states in place

    def _put_entity(
        self,
        tx: Transaction,
        origin: str,
        told: EntityDetail,
        known: Entity | None,
        told_at: EpochMillis | None = None,
    ) -> bool:
        """Store an entity as its owner tells it, with the classifications of others.

        Args:
            tx: The change.
            origin: Who tells it.
            told: The entity.
            known: What is known of it.
            told_at: As for ``with_told_classifications``.

        Returns:
            Whether it was any news.
        """
        told = self._without_made_up(tx, told, origin, owner_of(told))
        new = with_told_classifications(
            told,
            known,
            origin,
            self._local_id,
            self._parts.is_known_collection,
            told_at=told_at,
        )
        if new == known:
            return False
        tx.save_entity(new, lifecycle.copy_time(new, self._parts.clock.now()))
        self._tell_yielded(tx, known, new)
        return True

    def _without_made_up(self, tx: Transaction, told: E, *speakers: str) -> E:
        """What is told of an entity, without what may be made up and stay so.

        Classifications of third members are hearsay. While those are in the cohort,
        comparing with them puts right what is wrong; in the name of one that left nobody
        tells any.

        Args:
            tx: The change.
            told: The entity, which may be a proxy.
            speakers: Whose classifications are told for certain.
        """
        heard = tuple(
            given
            for given in told.classifications or ()
            if self._parts.is_known_collection(owner_of(given))
            or any(self._may_be_told(tx, speaker, given) for speaker in speakers)
        )
        return replace(told, classifications=heard or None)

    def _is_newer(
        self, one: Classification, other: Classification, entity: InstanceHeader
    ) -> bool:
        """Whether the one of two namesakes at an entity holds against the other."""
        return is_newer(one, other, entity, self._parts.is_known_collection)

    def _tell_yielded(self, tx: Transaction, known: Entity | None, new: Entity) -> None:
        """Tell of classifications given here that yield to those of other members."""
        kept = new.classifications or ()
        for ours in (known and known.classifications) or ():
            if is_at_home(ours, self._local_id) and ours not in kept:
                tx.queue_event(outbound.declassified(new, ours))

    def _put_relationship(
        self, tx: Transaction, told: Relationship, known: Relationship | None = None
    ) -> bool:
        """Store a relationship, with proxies of ends of which nothing is known yet.

        Returns:
            Whether it was any news, beside what is known.
        """
        now = self._parts.clock.now()
        for end in ends_of(told):
            if tx.entity(str(end.guid)) is None and not is_at_home(end, self._local_id):
                heard = self._without_made_up(tx, end, owner_of(told))
                tx.save_proxy(heard, lifecycle.copy_time(end, now))
        new = self._with_known_ends(tx, told)
        if new == known:
            return False
        tx.save_relationship(new, lifecycle.copy_time(new, now))
        return True

    # What follows without an event

    def _delete_with(self, tx: Transaction, entity: EntityDetail) -> None:
        """Delete the relationships of an entity that its owner deleted.

        Those of third members are left to them.
        """
        for stored in list(tx.relationships_of(str(entity.guid))):
            if stored.status is InstanceStatus.DELETED:
                continue
            relationship = self._with_current_ends(tx, stored.document)
            if owner_of(relationship) == owner_of(entity):
                self._delete_at_end(tx, relationship, entity)
            else:
                self._delete_own(tx, relationship, entity.updated_by or "")

    def _delete_until(self, tx: Transaction, entity: EntityDetail) -> bool:
        """Delete the relationships that an owner deleted with an entity some time ago.

        Returns:
            Whether there were any. Those that it changed since live on.
        """
        is_any = False
        for stored in list(tx.relationships_of(str(entity.guid))):
            relationship = self._with_current_ends(tx, stored.document)
            if (
                stored.status is not InstanceStatus.DELETED
                and owner_of(relationship) == owner_of(entity)
                and lifecycle.last_change(relationship) <= lifecycle.last_change(entity)
            ):
                self._delete_at_end(tx, relationship, entity)
                is_any = True
        return is_any

    def _delete_at_end(
        self, tx: Transaction, relationship: Relationship, end: EntityDetail
    ) -> None:
        """Delete a relationship as its owner did with an end of it."""
        self._put_relationship(tx, _deleted_with(relationship, end))

    def _delete_own_at(self, tx: Transaction, entity: EntityDetail) -> None:
        """Delete the relationships of ours at an entity that its owner deleted."""
        for stored in list(tx.relationships_of(str(entity.guid))):
            if stored.status is not InstanceStatus.DELETED:
                relationship = self._with_current_ends(tx, stored.document)
                self._delete_own(tx, relationship, entity.updated_by or "")

    def _delete_own(
        self, tx: Transaction, relationship: Relationship, user: str
    ) -> None:
        if may_update(relationship, self._local_id):
            edit = self._edit(tx, user, relationship)
            gone = lifecycle.deleted(relationship, edit)
            tx.save_relationship(gone, edit.time)
            tx.queue_event(outbound.deleted(gone))

    def _deleted_with_end(self, tx: Transaction, told: Relationship) -> Relationship:
        """A relationship's state as its home has it, which may have deleted an end since.

        It had when both have one home and what is told was before that; only a
        relationship that was restored later lives on without its end.
        """
        if told.status is InstanceStatus.DELETED:
            return told
        for proxy in ends_of(told):
            for end in self._deletions_of(tx, proxy):
                if owner_of(end) == owner_of(told) and (
                    lifecycle.last_change(told) <= lifecycle.last_change(end)
                ):
                    return _deleted_with(told, end)
        return told

    def _deletions_of(
        self, tx: Transaction, proxy: EntityProxy
    ) -> Iterator[EntityDetail]:
        """An entity as it was deleted, and as it was before it was restored."""
        known = self._known(tx, str(proxy.guid))
        if isinstance(known, EntityDetail) and known.status is InstanceStatus.DELETED:
            yield known
        before = self._endings.deletion_of(proxy)
        if before is not None:
            yield before

    def _purge(self, tx: Transaction, kind: type[InstanceHeader], guid: str) -> None:
        """Remove a copy; of an entity, its relationships go with it."""
        if kind is Relationship:
            tx.purge_relationship(guid)
            return
        for stored in list(tx.relationships_of(guid)):
            relationship = stored.document.value
            if may_update(relationship, self._local_id):
                tx.queue_event(outbound.purged(relationship))
        tx.purge_entity(guid)

    # Two instances with one GUID

    def _rank(self, tx: Transaction, claimed: InstanceHeader) -> tuple[int, str]:
        """Whose a GUID is that several answer for: the lowest has it.

        Nothing in it can be made up for the occasion, as a version or a time can. What
        registered members claim comes first, what members did that left comes next, and
        then what an archive brought. The ids decide the rest, so that all come to the same.
        """
        owner = owner_of(claimed)
        if self._parts.is_known_collection(owner):
            return 0, owner
        return 1 if tx.was_member(owner) else 2, owner

    def _is_left_behind(self, tx: Transaction, known: InstanceHeader) -> bool:
        """Whether it is of a member that isn't in the cohort any more."""
        return self._rank(tx, known)[0] == 1

    def _conflict_report(
        self,
        target: str,
        told: InstanceHeader,
        known: InstanceHeader,
        code: OMRSEventErrorCode = OMRSEventErrorCode.CONFLICTING_INSTANCES,
    ) -> Report:
        """What the cohort hears of a state that contradicts what is known.

        Args:
            target: Who tells it and is to find out.
            told: The state.
            known: What is stored under its GUID.
            code: What is wrong.
        """
        error = EventError(
            error_code=code,
            error_message=f"{told.guid} is something else in {self._name}",
            target_metadata_collection_id=target,
            target_type_def_summary=_type_summary(told),
            target_instance_guid=told.guid,
            other_origin=known.instance_provenance_type,
            other_metadata_collection_id=owner_of(known),
            other_type_def_summary=_type_summary(known),
            other_instance_guid=known.guid,
        )
        section = InstanceEvent(
            event_type=OMRSInstanceEventType.INSTANCE_ERROR_EVENT,
            # Receivers drop events that don't name the type, these as well.
            type_def_guid=None if told.type is None else told.type.type_def_guid,
            type_def_name=type_name(told),
            instance_guid=told.guid,
        )
        return Report(section, error)

    def _give_way(
        self, tx: Transaction, kind: type[InstanceHeader], guid: str
    ) -> str | None:
        """Move an instance of ours to another GUID and leave the old one to others.

        Returns:
            The new GUID.
        """
        if kind is Relationship:
            return self._relationship_gives_way(tx, guid)
        return self._entity_gives_way(tx, guid)

    def _entity_gives_way(self, tx: Transaction, guid: str) -> str | None:
        known = self._known(tx, guid)
        if not isinstance(known, EntityDetail):
            return None
        edit = self._edit(tx, self._name, known)
        moved = lifecycle.re_identified(known, self._new_guid_of(known), edit)
        tx.save_entity(moved, edit.time)
        self._point_relationships(tx, guid, moved)
        tx.queue_event(outbound.re_identified(moved, guid))
        tx.queue_event(outbound.purged(lifecycle.deleted(known, edit)))
        tx.purge_entity(guid)
        return moved.guid

    def _relationship_gives_way(self, tx: Transaction, guid: str) -> str | None:
        stored = tx.relationship(guid)
        if stored is None:
            return None
        known = self._with_current_ends(tx, stored.document)
        edit = self._edit(tx, self._name, known)
        moved = lifecycle.re_identified(known, self._new_guid_of(known), edit)
        tx.save_relationship(moved, edit.time)
        tx.queue_event(outbound.re_identified(moved, guid))
        tx.queue_event(outbound.purged(lifecycle.deleted(known, edit)))
        tx.purge_relationship(guid)
        return moved.guid

    def _new_guid_of(self, instance: InstanceHeader) -> str:
        return self._new_guid(type_name(instance))


def ends_of(relationship: Relationship) -> tuple[EntityProxy, ...]:
    """The ends that a relationship names."""
    ends = (relationship.entity_one_proxy, relationship.entity_two_proxy)
    return tuple(end for end in ends if end is not None)


def _deleted_with(relationship: Relationship, end: EntityDetail) -> Relationship:
    edit = lifecycle.deletion_with_end(relationship, end, end.updated_by or "")
    return lifecycle.deleted(relationship, edit)


def _type_summary(header: InstanceHeader) -> TypeDefSummary | None:
    recorded = header.type
    if recorded is None:
        return None
    return TypeDefSummary(
        guid=recorded.type_def_guid,
        name=recorded.type_def_name,
        version=recorded.type_def_version,
        category=recorded.type_def_category,
    )
