"""Instance events of other members: what of them is kept here, and what is refused.

Theory of operation. An event tells a state, or that something is gone. Who tells it must
answer for it; a state is kept if its version is higher than that of what is stored, so
repeated and late events change nothing. Events of our own kind of members have a place
in the history of their origin and are applied in its order without a gap; then what is
stored of the origin's here is what the origin has, which digests can verify.

Events without a place, from a bus that numbers nothing, may overtake each other and come
again. Then, too, everything ends as it is at home: versions tell which state is newer, and
times tell what happened to relationships and classifications that have none of the
entity's. What leaves nothing to compare with (purges, GUIDs and classifications given up,
deletions that were taken back) is remembered for a while, see ``endings``. What can't be
known: that something ended whose event was lost, or came so early that it isn't remembered
any more; and the order of what one home did in the same millisecond. The next state that a
home tells of an entity, or its answer to a request to refresh, puts its properties and
classifications right all the same.

Genuine members accept more than this does: states of instances at home here, of third
members', and purges that leave a copy behind. Each place says why it differs.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from edgenode.clock import EpochMillis
from edgenode.collection.local_base import full_document
from edgenode.collection.passing_on import is_passed_on
from edgenode.collection.received import (
    Outcome,
    Received,
    move_past,
    out_of_place,
)
from edgenode.collection.replica_base import Entity, ends_of
from edgenode.collection.replica_classifications import ReplicaClassificationOperations
from edgenode.collection.telling import (
    NOT_WANTED,
    SAVED,
    EarlyClaimError,
    RefusedError,
    Sender,
    ignored,
    required,
)
from edgenode.events import outbound
from edgenode.events.exchange import ExchangeRules
from edgenode.events.model import EventError, InstanceEvent, OMRSEventErrorCode
from edgenode.events.model import OMRSInstanceEventType as Type
from edgenode.events.streams import Step
from edgenode.instances import lifecycle
from edgenode.instances.digests import owner_of
from edgenode.instances.model import (
    EntityDetail,
    InstanceHeader,
    InstanceType,
    Relationship,
)
from edgenode.instances.provenance import (
    CopyVerdict,
    is_archived,
    is_at_home,
    judge_event,
)
from edgenode.instances.validate import type_name
from edgenode.repository.base import Transaction
from edgenode.typedefs.model import TypeDefCategory
from edgenode.typedefs.status import InstanceStatus

Instance = TypeVar("Instance", EntityDetail, Relationship)
Known = TypeVar("Known", Entity | None, Relationship | None)

_ENTITY_STATES = frozenset(
    {
        Type.NEW_ENTITY_EVENT,
        Type.UPDATED_ENTITY_EVENT,
        Type.UNDONE_ENTITY_EVENT,
        Type.DELETED_ENTITY_EVENT,
        Type.RESTORED_ENTITY_EVENT,
        Type.RE_IDENTIFIED_ENTITY_EVENT,
        Type.RETYPED_ENTITY_EVENT,
        Type.RE_HOMED_ENTITY_EVENT,
        Type.REFRESHED_ENTITY_EVENT,
    }
)
_RELATIONSHIP_STATES = frozenset(
    {
        Type.NEW_RELATIONSHIP_EVENT,
        Type.UPDATED_RELATIONSHIP_EVENT,
        Type.UNDONE_RELATIONSHIP_EVENT,
        Type.DELETED_RELATIONSHIP_EVENT,
        Type.RESTORED_RELATIONSHIP_EVENT,
        Type.RE_IDENTIFIED_RELATIONSHIP_EVENT,
        Type.RETYPED_RELATIONSHIP_EVENT,
        Type.RE_HOMED_RELATIONSHIP_EVENT,
        Type.REFRESHED_RELATIONSHIP_EVENT,
    }
)
_REFRESHED = frozenset({Type.REFRESHED_ENTITY_EVENT, Type.REFRESHED_RELATIONSHIP_EVENT})
_UNDONE = frozenset({Type.UNDONE_ENTITY_EVENT, Type.UNDONE_RELATIONSHIP_EVENT})
_RE_HOMED = frozenset({Type.RE_HOMED_ENTITY_EVENT, Type.RE_HOMED_RELATIONSHIP_EVENT})
_RE_IDENTIFIED = frozenset(
    {Type.RE_IDENTIFIED_ENTITY_EVENT, Type.RE_IDENTIFIED_RELATIONSHIP_EVENT}
)
_PURGED = {
    Type.PURGED_ENTITY_EVENT: EntityDetail,
    Type.DELETE_PURGED_ENTITY_EVENT: EntityDetail,
    Type.PURGED_RELATIONSHIP_EVENT: Relationship,
    Type.DELETE_PURGED_RELATIONSHIP_EVENT: Relationship,
}


class LocalReplicaOperations(ReplicaClassificationOperations):
    """Taking in instance events of other members."""

    async def receive_instance_event(
        self,
        origin: str,
        step: Step | None,
        event: InstanceEvent,
        rules: ExchangeRules,
        *,
        error: EventError | None = None,
        last_try: bool = False,
        at: EpochMillis | None = None,
    ) -> Received:
        """Apply an event and move the position of its origin, in one change.

        Args:
            origin: The metadata collection that sent it, which was verified.
            step: Its place in the origin's history; None where the bus tells none.
            event: The instance section.
            rules: What is looked at and kept.
            error: The error section, of an error event.
            last_try: Pass over an event whose types are unknown.
            at: When it was sent, by its sender's clock, if that is told.
        """
        processed = rules.processed(event)

        def work(tx: Transaction) -> Received:
            elsewhere = out_of_place(tx, origin, step)
            if elsewhere is not None:
                return elsewhere
            sender = Sender(tx, origin, rules, last_try, step is not None, at)
            try:
                received = (
                    NOT_WANTED
                    if processed is None
                    else self._outcome(sender, processed, error)
                )
            except RefusedError as refusal:
                received = Received(
                    outcome=Outcome.REFUSED,
                    reason=refusal.reason,
                    code=refusal.code,
                    report=refusal.report,
                )
            if received.outcome is not Outcome.UNKNOWN_TYPE:
                move_past(tx, origin, step)
            if self._parts.passes_on and is_passed_on(received, step, event):
                tx.queue_event(event, origin)
            return received

        return await self._change(work)

    def _outcome(
        self, sender: Sender, event: InstanceEvent, error: EventError | None
    ) -> Received:
        event_type = event.event_type
        if event_type is Type.BATCH_INSTANCES_EVENT:
            return self._batch(sender, event)
        if event_type is Type.INSTANCE_ERROR_EVENT:
            return self._complaint(sender, error)
        unknown = self._unknown_types(event)
        if unknown:
            return self._of_unknown_type(sender, unknown)
        return self._instance_told(sender, event)

    def _instance_told(self, sender: Sender, event: InstanceEvent) -> Received:
        event_type = event.event_type
        if event_type in _ENTITY_STATES:
            return self._entity_told(sender, required(event.entity), event)
        if event_type in _RELATIONSHIP_STATES:
            return self._relationship_told(sender, required(event.relationship), event)
        if event_type in _PURGED:
            return self._purged(sender, event)
        match event_type:
            case Type.CLASSIFIED_ENTITY_EVENT | Type.RECLASSIFIED_ENTITY_EVENT:
                return self._classification_told(sender, event)
            case Type.DECLASSIFIED_ENTITY_EVENT:
                return self._classification_gone(sender, event)
            case Type.REFRESH_ENTITY_REQUEST | Type.REFRESH_RELATIONSHIP_REQUEST:
                return self._refresh(sender, event)
            case _:
                return ignored("its type is unknown")

    # Types

    def _unknown_types(self, event: InstanceEvent) -> tuple[str, ...]:
        """The types without which an event says nothing here."""
        missing: dict[str, None] = {}
        for recorded in _types_told(event):
            if recorded is None or recorded.type_def_name is None:
                raise RefusedError("an instance without a type")
            known = self._parts.types.type_def(recorded.type_def_name)
            if known is None or known.guid != recorded.type_def_guid:
                missing[recorded.type_def_name] = None
        for given in (event.classification,):
            if given is not None and self._parts.types.type_def(given.name) is None:
                missing[given.name or ""] = None
        return tuple(missing)

    def _of_unknown_type(self, sender: Sender, unknown: tuple[str, ...]) -> Received:
        outcome = Outcome.REFUSED if sender.last_try else Outcome.UNKNOWN_TYPE
        reason = f"types that are not known: {', '.join(unknown)}"
        code = OMRSEventErrorCode.INVALID_INSTANCE_EVENT if sender.last_try else None
        return Received(
            outcome=outcome, reason=reason, code=code, unknown_types=unknown
        )

    # What may be told

    def _check_told(
        self, sender: Sender, told: InstanceHeader, category: TypeDefCategory
    ) -> None:
        """Check that a state is whole, and told by who answers for it."""
        if not told.guid or told.metadata_collection_id is None:
            raise RefusedError("an instance without a GUID or home")
        if told.create_time is None and not sender.is_placed:
            # Nothing tells it from another one under its GUID.
            raise RefusedError("an instance without a time of creation")
        known = self._parts.types.type_def(type_name(told))
        if known is None or known.category is not category:
            raise RefusedError("an instance of another category than its type")
        self._check_speaker(sender, told)
        other: InstanceHeader | None
        if category is TypeDefCategory.RELATIONSHIP_DEF:
            other = self._known(sender.tx, told.guid)
        else:
            other = self._known_copy(sender.tx, Relationship, told.guid)
        if other is not None:
            raise self._conflict(sender, told, other)

    def _check_speaker(self, sender: Sender, told: InstanceHeader) -> None:
        # Genuine members take everything from everybody. Then any member could, by a
        # high version, put anything in the place of what is at home here or elsewhere.
        if is_at_home(told, self._local_id):
            raise self._conflict(sender, told, told)
        # Where hearsay is wrong, comparing with its owner puts that right.
        is_hearsay = sender.is_hearsay and self._parts.is_known_collection(
            owner_of(told)
        )
        if not is_hearsay and not self._may_tell(sender, told):
            raise RefusedError(f"{owner_of(told)} answers for it")

    def _check_verdict(
        self,
        sender: Sender,
        verdict: CopyVerdict,
        told: InstanceHeader,
        known: InstanceHeader | None,
    ) -> None:
        if known is None or verdict in {CopyVerdict.SAVE, CopyVerdict.IGNORE}:
            return
        code = OMRSEventErrorCode.CONFLICTING_INSTANCES
        if verdict is CopyVerdict.OLDER_TYPE:
            code = OMRSEventErrorCode.CONFLICTING_TYPE
        raise self._conflict(sender, told, known, code)

    def _is_wanted(
        self, sender: Sender, told: InstanceHeader, known: InstanceHeader | None
    ) -> bool:
        """Whether a state is kept; what is kept follows its home when that deletes it."""
        if known is not None and told.status is InstanceStatus.DELETED:
            return True
        return sender.rules.saves(told)

    # States

    def _entity_told(
        self, sender: Sender, told: EntityDetail, event: InstanceEvent
    ) -> Received:
        self._check_told(sender, told, TypeDefCategory.ENTITY_DEF)
        tx, as_told = sender.tx, told
        if not sender.is_placed:
            told = self._as_since(told)
        known = self._known(tx, str(told.guid))
        full = known if isinstance(known, EntityDetail) else None
        verdict = self._verdict(sender, full, told, event)
        left = self._left_behind(sender, told, event)
        is_wanted = self._is_wanted(sender, told, full)
        is_news = False
        if not (sender.is_placed or sender.is_hearsay):
            is_news = self._remember_end(tx, as_told, event)
        if is_wanted and verdict is CopyVerdict.SAVE:
            known = self._making_room(sender, known, told)
            at = sender.told_at(told)
            is_news |= self._put_entity(tx, sender.origin, told, known, at)
            if as_told.status is not told.status:
                self._follow_end(tx, str(told.guid), as_told)
            elif told.status is InstanceStatus.DELETED and (
                full is None or full.status is not InstanceStatus.DELETED
            ):
                self._deleted_here(sender, told)
        if is_wanted and left is not None:
            is_news = True
            self._moved(sender, left, told)
        if is_news:
            return SAVED
        if is_wanted or (verdict is CopyVerdict.IGNORE and left is None):
            return ignored()
        return NOT_WANTED

    def _moved(self, sender: Sender, left: EntityDetail, moved: EntityDetail) -> None:
        """Have an entity's relationships follow it, and leave a deleted one behind."""
        tx, old_guid = sender.tx, str(left.guid)
        if sender.is_placed:
            self._point_relationships(tx, old_guid, moved)
        else:
            self._follow_end(tx, old_guid, moved)
        self._put_entity(tx, sender.origin, left, self._known(tx, old_guid))

    def _deleted_here(self, sender: Sender, entity: EntityDetail) -> None:
        """Delete what an entity's deletion takes with it."""
        if sender.is_placed:
            self._delete_with(sender.tx, entity)
        else:
            self._delete_until(sender.tx, entity)
            self._delete_own_at(sender.tx, entity)

    def _relationship_told(
        self, sender: Sender, told: Relationship, event: InstanceEvent
    ) -> Received:
        self._check_told(sender, told, TypeDefCategory.RELATIONSHIP_DEF)
        tx = sender.tx
        self._check_ends(sender, told)
        if not sender.is_placed:
            told = self._with_moved_ends(tx, told)
            if self._is_end_purged(told):
                return ignored("an end is no more")
        stored = tx.relationship(str(told.guid))
        known = None if stored is None else stored.document.value
        told = self._deleted_with_end(tx, told)
        verdict = self._verdict(sender, known, told, event)
        if known is not None and _is_earlier_deletion(told, known):
            verdict = CopyVerdict.SAVE
        left = self._left_behind(sender, told, event)
        if verdict is CopyVerdict.IGNORE and left is None:
            return ignored()
        if not self._is_wanted(sender, told, known):
            return NOT_WANTED
        is_news = left is not None
        if verdict is CopyVerdict.SAVE:
            known = self._making_room(sender, known, told)
            is_news |= self._put_relationship(tx, told, known)
        if left is not None:
            self._put_relationship(tx, left)
        return SAVED if is_news else ignored()

    def _check_ends(self, sender: Sender, told: Relationship) -> None:
        ends = ends_of(told)
        if len(ends) < 2 or not all(end.guid for end in ends):
            raise RefusedError("a relationship without both ends")
        for end in ends:
            other = self._known_copy(sender.tx, Relationship, str(end.guid))
            if other is not None or end.guid == told.guid:
                raise RefusedError("an end that is a relationship")

    def _verdict(
        self,
        sender: Sender,
        known: InstanceHeader | None,
        told: InstanceHeader,
        event: InstanceEvent,
    ) -> CopyVerdict:
        if sender.is_hearsay and known is not None and not self._may_tell(sender, told):
            # Others' instances are taken from anybody only while nothing better is known.
            return CopyVerdict.IGNORE
        if not sender.is_placed and self._endings.is_purged(told):
            return CopyVerdict.IGNORE
        if known is not None and owner_of(told) == sender.origin:
            if self._is_another(sender, known, told):
                # Whose both are has the one that was created later.
                is_late = (told.create_time or 0) < (known.create_time or 0)
                return CopyVerdict.IGNORE if is_late else CopyVerdict.SAVE
            if self._rank(sender.tx, told) < self._rank(
                sender.tx, known
            ) and self._is_left_behind(sender.tx, known):
                # Nobody has that any more who could say what it is.
                known = None
        is_new_home = event.event_type in _RE_HOMED and owner_of(told) == sender.origin
        verdict = judge_event(known, told, self._local_id, re_homed=is_new_home)
        if known is not None and self._is_owners_word(
            sender, verdict, told, known, event
        ):
            return CopyVerdict.SAVE
        if (
            known is not None
            and not sender.is_placed
            and self._is_early_claim(sender.origin, verdict, told, known)
        ):
            raise EarlyClaimError(f"{owner_of(known)} has it, as far as is known")
        self._check_verdict(sender, verdict, told, known)
        if is_new_home and not sender.is_placed:
            self._ask_for_claimed(sender.tx, sender.origin, told)
        return verdict

    def _is_another(
        self, sender: Sender, known: InstanceHeader, told: InstanceHeader
    ) -> bool:
        """Whether a member tells another instance of its own than it did before."""
        return (
            owner_of(known) == owner_of(told) == sender.origin
            and not (is_archived(known) or is_archived(told))
            and None not in (known.create_time, told.create_time)
            and known.create_time != told.create_time
        )

    def _making_room(
        self, sender: Sender, known: Known, told: InstanceHeader
    ) -> Known | None:
        """What stays known of an instance when its owner tells it."""
        if known is None or not self._is_another(sender, known, told):
            return known
        self._purge(sender.tx, type(known), str(known.guid))
        return None

    def _is_owners_word(
        self,
        sender: Sender,
        verdict: CopyVerdict,
        told: InstanceHeader,
        known: InstanceHeader,
        event: InstanceEvent,
    ) -> bool:
        """Whether a state holds that versions speak against.

        Genuine members pass over the answer to a request to refresh if they have that
        version, whatever they have made of it, and over an undoing that brings an older
        version of the type back. A genuine repository in memory tells that a type was
        changed, keeps the former one, and gives its next change the same version again.
        """
        if verdict is CopyVerdict.OLDER_TYPE:
            return event.event_type in _UNDONE
        if (
            verdict is not CopyVerdict.IGNORE
            or told.version != known.version
            or not owner_of(told) == owner_of(known) == sender.origin
        ):
            return False
        told_at, known_at = map(lifecycle.last_change, (told, known))
        is_later = not sender.is_placed and told_at > known_at
        return is_later or event.event_type in _REFRESHED

    def _left_behind(
        self, sender: Sender, told: Instance, event: InstanceEvent
    ) -> Instance | None:
        """The state to keep under the GUID that a re-identified instance had.

        Genuine members go on with the copy under the old GUID as if nothing had happened.
        """
        old_guid = event.original_instance_guid or told.re_identified_from_guid
        if event.event_type not in _RE_IDENTIFIED or old_guid in (None, told.guid):
            return None
        left = lifecycle.left_behind(told, str(old_guid))
        known: InstanceHeader | None = self._known(sender.tx, str(old_guid))
        relationship = self._known_copy(sender.tx, Relationship, str(old_guid))
        if isinstance(told, Relationship):
            if known is not None:
                return None
            known = relationship
        elif relationship is not None:
            return None
        elif not isinstance(known, EntityDetail):
            known = None
        if not sender.is_placed and self._endings.is_purged(left):
            return None
        verdict = judge_event(known, left, self._local_id)
        return left if verdict is CopyVerdict.SAVE else None

    # The end of an instance

    def _purged(self, sender: Sender, event: InstanceEvent) -> Received:
        kind = _PURGED[event.event_type]
        told: InstanceHeader | None = event.entity
        if kind is Relationship:
            told = event.relationship
        guid = (event.instance_guid if told is None else told.guid) or ""
        until = self._purged_until(sender, told)
        known = self._known_copy(sender.tx, kind, guid)
        if known is None:
            if not sender.is_placed:
                self._endings.purged(guid, until, sender.origin)
            return ignored("it is not known")
        if sender.is_placed:
            is_another = told is not None and told.create_time != known.create_time
        else:
            is_another = until < (known.create_time or 0)
        if is_another:
            return ignored("it is another one that is known")
        if is_at_home(known, self._local_id):
            raise self._conflict(sender, told or known, known)
        if owner_of(known) != sender.origin or is_archived(known):
            raise RefusedError(f"{owner_of(known)} answers for it")
        if (
            told is not None
            and told.create_time == known.create_time
            and told.version < known.version
        ):
            return ignored("what is known is newer")
        # Genuine members keep it if it was told as deleted before, which it always was.
        self._purge(sender.tx, kind, guid)
        if not sender.is_placed:
            self._endings.purged(guid, until)
        return SAVED

    def _purged_until(self, sender: Sender, told: InstanceHeader | None) -> EpochMillis:
        """When the newest instance was created that a purge can be about."""
        if told is not None and told.create_time is not None:
            return told.create_time
        return self._parts.clock.now() if sender.at is None else sender.at

    # Requests, batches, complaints

    def _refresh(self, sender: Sender, event: InstanceEvent) -> Received:
        """Send again what is at home here and somebody asks for."""
        guid, tx = event.instance_guid or "", sender.tx
        entity, relationship = tx.entity(guid), tx.relationship(guid)
        asked: EntityDetail | Relationship | None = None
        if event.event_type is Type.REFRESH_RELATIONSHIP_REQUEST:
            if relationship is not None:
                asked = self._with_current_ends(tx, relationship.document)
        elif entity is not None and not entity.is_proxy:
            asked = full_document(entity).value
        if asked is None:
            return ignored("it is not known")
        origin = None
        if not is_at_home(asked, self._local_id):
            origin = owner_of(asked)
            # Its home may be a member of the other cohort, which doesn't hear this.
            if not self._parts.passes_on or origin == sender.origin:
                return ignored("it is not at home here")
        tx.queue_event(outbound.refreshed(asked), origin)
        return Received(outcome=Outcome.ANSWERED)

    def _batch(self, sender: Sender, event: InstanceEvent) -> Received:
        """Take what can be taken of a batch, whose instances may be anybody's.

        Genuine members save whatever it has. Here an instance of a member that speaks
        for itself is taken from others only while it isn't known at all; of one that left
        nothing is.
        """
        batch = required(event.instance_batch)
        instances: tuple[EntityDetail | Relationship, ...] = (
            *(batch.entities or ()),
            *(batch.relationships or ()),
        )
        hearing = replace(sender, is_hearsay=True)
        unknown = {
            name: None for one in instances for name in self._unknown_types(_told(one))
        }
        if unknown and not sender.last_try:
            return self._of_unknown_type(sender, tuple(unknown))
        saved, complaint = False, None
        for one in instances:
            if self._unknown_types(_told(one)):
                continue
            try:
                saved |= self._one_of_batch(hearing, one).outcome is Outcome.SAVED
            except RefusedError as refusal:
                complaint = complaint or refusal
        outcome = Outcome.SAVED if saved else Outcome.IGNORED
        if complaint is None:
            return Received(outcome=outcome)
        if not saved:
            outcome = Outcome.REFUSED
        return Received(
            outcome=outcome,
            reason=complaint.reason,
            code=complaint.code,
            report=complaint.report,
        )

    def _one_of_batch(
        self, sender: Sender, one: EntityDetail | Relationship
    ) -> Received:
        if isinstance(one, EntityDetail):
            return self._entity_told(sender, one, _told(one))
        return self._relationship_told(sender, one, _told(one))

    def _complaint(self, sender: Sender, error: EventError | None) -> Received:
        """Have another member asked that is said to have the GUID of an instance of ours.

        Genuine members give way, or purge a copy of somebody else's, on anybody's word.
        """
        if error is None or not error.target_instance_guid:
            return ignored("it names no instance")
        copies = (
            self._known_copy(sender.tx, kind, error.target_instance_guid)
            for kind in (EntityDetail, Relationship)
        )
        is_ours = any(
            known is not None and owner_of(known) == self._local_id for known in copies
        )
        other = error.other_metadata_collection_id or ""
        if (
            error.error_code is not OMRSEventErrorCode.CONFLICTING_INSTANCES
            or error.target_metadata_collection_id != self._local_id
            or other == self._local_id
            or not is_ours
        ):
            other = ""
        return Received(
            outcome=Outcome.IGNORED,
            reason=error.error_message or "",
            compare_with=other,
        )


def _told(instance: EntityDetail | Relationship) -> InstanceEvent:
    """One instance of a batch, as an event of its own."""
    if isinstance(instance, EntityDetail):
        return InstanceEvent(event_type=Type.NEW_ENTITY_EVENT, entity=instance)
    return InstanceEvent(event_type=Type.NEW_RELATIONSHIP_EVENT, relationship=instance)


def _types_told(event: InstanceEvent) -> Iterator[InstanceType | None]:
    """The types of an event's instances and their ends."""
    for instance in (event.entity, event.entity_proxy, event.relationship):
        if instance is not None:
            yield instance.type
        if isinstance(instance, Relationship):
            yield from (end.type for end in ends_of(instance))


def _is_earlier_deletion(told: Relationship, known: Relationship) -> bool:
    """Whether a deletion was told by its home of which only that of an end was known."""
    return (
        told.status is InstanceStatus.DELETED
        and known.status is InstanceStatus.DELETED
        and told.version == known.version
        and owner_of(told) == owner_of(known)
        and lifecycle.last_change(told) < lifecycle.last_change(known)
    )
