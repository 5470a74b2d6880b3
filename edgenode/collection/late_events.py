"""What follows from events that came after others that were sent later.

For buses that keep no order; ``endings`` has what is remembered for it.
"""

from dataclasses import replace

from edgenode.collection.replica_base import ReplicaOperations, ends_of
from edgenode.events import outbound
from edgenode.events.model import InstanceEvent
from edgenode.events.model import OMRSInstanceEventType as Type
from edgenode.instances import lifecycle
from edgenode.instances.digests import owner_of
from edgenode.instances.model import (
    EntityDetail,
    EntitySummary,
    InstanceHeader,
    Relationship,
)
from edgenode.instances.provenance import CopyVerdict
from edgenode.limits import CLAIM_SECONDS
from edgenode.repository.base import Transaction
from edgenode.typedefs.status import InstanceStatus


class LateEventOperations(ReplicaOperations):
    """What the order of events would tell, where there is none."""

    def _is_early_claim(
        self,
        origin: str,
        verdict: CopyVerdict,
        told: InstanceHeader,
        known: InstanceHeader,
    ) -> bool:
        """Whether a member may have taken over what it tells, and that is yet to come.

        It isn't complained of at once: a genuine member would give the instance another
        GUID. When it goes on it is.
        """
        if (
            verdict not in {CopyVerdict.CONFLICT, CopyVerdict.AT_HOME}
            or owner_of(told) != origin
            or owner_of(known) == origin
            or (told.create_time, told.created_by)
            != (known.create_time, known.created_by)
        ):
            return False
        now = self._parts.clock.now()
        since = self._endings.claimed(origin, told, now)
        return now - since < CLAIM_SECONDS * 1000

    def _ask_for_claimed(
        self, tx: Transaction, origin: str, told: InstanceHeader
    ) -> None:
        """Have a new home send again what it told before it told that it is the home."""
        if self._endings.claim_of(origin, str(told.guid)) <= told.version:
            return
        recorded = told.type
        if recorded is not None:
            ask = (
                outbound.refresh_relationship_requested
                if isinstance(told, Relationship)
                else outbound.refresh_entity_requested
            )
            tx.queue_event(
                ask(
                    str(told.guid),
                    str(recorded.type_def_guid),
                    str(recorded.type_def_name),
                    origin,
                )
            )

    def _as_since(self, told: EntityDetail) -> EntityDetail:
        """A state without what it has lost since, which may be its GUID."""
        kept = tuple(
            given
            for given in told.classifications or ()
            if not self._endings.is_declassified(str(told.guid), given)
        )
        told = replace(told, classifications=kept or None)
        if self._new_guid_of_end(told, told) != told.guid:
            told = lifecycle.left_behind(told, str(told.guid))
        return told

    def _new_guid_of_end(self, end: EntitySummary, told: InstanceHeader) -> str:
        """The GUID that an entity has now which something names."""
        return self._endings.new_guid(end, lifecycle.last_change(told))

    def _remember_end(
        self, tx: Transaction, told: EntityDetail, event: InstanceEvent
    ) -> bool:
        """Remember that an entity was deleted, or its GUID given up.

        Returns:
            Whether relationships are gone that the entity's owner deleted with it, though
            it may live again.
        """
        if self._endings.is_purged(told):
            return False
        old_guid = event.original_instance_guid or told.re_identified_from_guid
        if event.event_type is Type.RE_IDENTIFIED_ENTITY_EVENT and old_guid:
            self._endings.re_identified(old_guid, told)
        if told.status is not InstanceStatus.DELETED:
            return False
        self._endings.deleted(told)
        return self._delete_until(tx, told)

    def _is_end_purged(self, told: Relationship) -> bool:
        """Whether a relationship is told that its owner purged with an end."""
        return any(
            owner_of(end) == owner_of(told) and self._endings.is_purged(end)
            for end in ends_of(told)
        )

    def _follow_end(self, tx: Transaction, old_guid: str, moved: EntityDetail) -> None:
        """Have an entity's relationships follow it to its new GUID."""
        new_guid = self._new_guid_of_end(moved, moved)
        moved = replace(moved, guid=new_guid)
        if self._endings.is_purged(moved):
            self._purge_with(tx, old_guid, owner_of(moved))
            return
        known = self._known(tx, new_guid)
        end = known if isinstance(known, EntityDetail) else moved
        self._point_relationships(tx, old_guid, end)
        deletion = self._endings.deletion_of(moved)
        if deletion is not None:
            self._delete_until(tx, deletion)

    def _purge_with(self, tx: Transaction, guid: str, owner: str) -> None:
        for stored in list(tx.relationships_of(guid)):
            relationship = stored.document.value
            if owner_of(relationship) == owner:
                tx.purge_relationship(str(relationship.guid))

    def _with_moved_ends(self, tx: Transaction, told: Relationship) -> Relationship:
        """A relationship with its ends by the GUIDs that they were given since."""
        for end in ends_of(told):
            new_guid = self._new_guid_of_end(end, told)
            if new_guid != end.guid:
                known = self._known(tx, new_guid)
                proxy = replace(end, guid=new_guid)
                if known is not None:
                    proxy = self._proxy_of(known)
                told = lifecycle.with_end(told, str(end.guid), proxy)
        return told
