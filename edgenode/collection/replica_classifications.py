"""Classification events of other members, each about what its sender gave.

The entity comes along, in full or as a proxy, as the sender has it: that may be older or
newer than what is known here, and is another member's in most cases.
"""

from abc import abstractmethod
from dataclasses import replace

from edgenode.collection.late_events import LateEventOperations
from edgenode.collection.received import Received
from edgenode.collection.replica_base import Entity
from edgenode.collection.telling import (
    NOT_WANTED,
    SAVED,
    EarlyClaimError,
    RefusedError,
    Sender,
    ignored,
    required,
)
from edgenode.events.model import InstanceEvent, OMRSEventErrorCode
from edgenode.instances import lifecycle
from edgenode.instances.digests import owner_of
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    InstanceHeader,
    Relationship,
)
from edgenode.instances.provenance import is_at_home


class ReplicaClassificationOperations(LateEventOperations):
    """Taking in classifications."""

    @abstractmethod
    def _entity_told(
        self, sender: Sender, told: EntityDetail, event: InstanceEvent
    ) -> Received: ...

    def _may_tell(self, sender: Sender, told: InstanceHeader | Classification) -> bool:
        return self._may_be_told(sender.tx, sender.origin, told)

    def _conflict(
        self,
        sender: Sender,
        told: InstanceHeader,
        known: InstanceHeader,
        code: OMRSEventErrorCode = OMRSEventErrorCode.CONFLICTING_INSTANCES,
    ) -> RefusedError:
        """A refusal that the cohort hears of: who told it has to find out."""
        report = self._conflict_report(sender.origin, told, known, code)
        reason = report.error.error_message or ""
        # Nobody is to look after what is of a member that left.
        is_kept = self._parts.is_known_collection(owner_of(known))
        return RefusedError(reason, report if is_kept else None)

    def _classification_told(self, sender: Sender, event: InstanceEvent) -> Received:
        entity = _classified_entity(event)
        given = required(event.classification)
        self._check_classification(sender, entity, given)
        known = self._known(sender.tx, str(entity.guid))
        self._check_same(sender, entity, known)
        if not sender.is_placed and (
            self._endings.is_purged(entity)
            or self._endings.is_declassified(str(entity.guid), given)
        ):
            return ignored("it is no more")
        if known is None and not sender.rules.saves(entity):
            return NOT_WANTED
        if known is None and is_at_home(entity, self._local_id):
            return ignored("the entity is no more")
        if self._is_outdated(sender, entity, known):
            return ignored()
        received = ignored()
        if isinstance(entity, EntityDetail) and self._is_better(sender, entity, known):
            received = self._classified_told(sender, entity, event)
            known = self._known(sender.tx, str(entity.guid))
        if known is None:
            known = replace(self._proxy_of(entity), classifications=None)
        present = lifecycle.classification_of(known, str(given.name))
        if present is not None and not self._is_newer(given, present, known):
            return received
        new = lifecycle.with_classification(known, given)
        self._save_known(sender.tx, new)
        self._tell_yielded(sender.tx, known, new)
        return SAVED

    def _classification_gone(self, sender: Sender, event: InstanceEvent) -> Received:
        entity = _classified_entity(event)
        gone = required(event.original_classification or event.classification)
        self._check_classification(sender, entity, gone)
        known = self._known(sender.tx, str(entity.guid))
        self._check_same(sender, entity, known)
        if not sender.is_placed:
            self._endings.declassified(str(entity.guid), gone)
        if self._is_outdated(sender, entity, known):
            return ignored()
        received = ignored()
        if isinstance(entity, EntityDetail) and self._is_better(sender, entity, known):
            received = self._classified_told(sender, entity, event)
            known = self._known(sender.tx, str(entity.guid))
        if known is None:
            return received
        present = lifecycle.classification_of(known, str(gone.name))
        if (
            present is None
            or is_at_home(present, self._local_id)
            or owner_of(present) != owner_of(gone)
            or self._is_newer(present, gone, known)
        ):
            return received
        rest = lifecycle.without_classification(known, str(gone.name))
        self._save_known(sender.tx, rest)
        return SAVED

    def _classified_told(
        self, sender: Sender, entity: EntityDetail, event: InstanceEvent
    ) -> Received:
        """Take in the entity of a classification, which holds whosever the entity is."""
        try:
            return self._entity_told(sender, entity, event)
        except EarlyClaimError:
            return ignored()

    def _check_classification(
        self, sender: Sender, entity: Entity, told: Classification
    ) -> None:
        """Check that who tells a classification gave it; the entity may be anybody's."""
        if not entity.guid or entity.metadata_collection_id is None:
            raise RefusedError("an entity without a GUID or home")
        if not told.name:
            raise RefusedError("a classification without a name")
        # Genuine members don't look whose it is.
        if is_at_home(told, self._local_id) or not self._may_tell(sender, told):
            raise RefusedError(f"{owner_of(told)} answers for the classification")
        other = self._known_copy(sender.tx, Relationship, entity.guid)
        if other is not None:
            raise self._conflict(sender, entity, other)

    def _check_same(self, sender: Sender, entity: Entity, known: Entity | None) -> None:
        """Check that a classified entity isn't another one than that of its GUID here."""
        if known is None or known.create_time is None or entity.create_time is None:
            return
        if known.create_time != entity.create_time:
            raise self._conflict(sender, entity, known)

    def _is_outdated(
        self, sender: Sender, entity: Entity, known: Entity | None
    ) -> bool:
        """Whether the entity's own home has told a later state with all it gave since."""
        return (
            isinstance(entity, EntityDetail)
            and isinstance(known, EntityDetail)
            and owner_of(entity) == owner_of(known) == sender.origin
            and known.version > entity.version
        )

    def _is_better(
        self, sender: Sender, entity: EntityDetail, known: Entity | None
    ) -> bool:
        """Whether a state that comes with a classification is news."""
        # A member's own word on it comes by itself; what another one still holds may be
        # gone at home.
        if is_at_home(entity, self._local_id) or not self._may_tell(sender, entity):
            return False
        return not isinstance(known, EntityDetail) or entity.version > known.version


def _classified_entity(event: InstanceEvent) -> Entity:
    return event.entity or required(event.entity_proxy)
