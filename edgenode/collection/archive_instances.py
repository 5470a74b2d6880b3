"""Taking instances in from open metadata archives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from edgenode.collection.references import CopyOperations
from edgenode.errors import (
    EntityNotKnownError,
    OMRSError,
    ReferenceInstanceMissingError,
)
from edgenode.events import outbound
from edgenode.instances.lifecycle import classification_of, with_classification
from edgenode.instances.model import (
    Classification,
    ClassificationEntityExtension,
    EntityDetail,
    EntityProxy,
    Relationship,
)
from edgenode.instances.provenance import is_at_home, with_added_classifications
from edgenode.repository.base import Transaction

_OPERATION = "saveArchiveInstances"


@dataclass(frozen=True, slots=True)
class ArchiveOutcome:
    """What became of a part of an archive.

    Attributes:
        saved: How many instances and classifications are stored now.
        unchanged: How many were there already, as they are or newer.
        refused: The positions of the others in what was given, and why they can't be
            stored.
    """

    saved: int
    unchanged: int
    refused: tuple[tuple[int, OMRSError], ...] = ()


class LocalArchiveOperations(CopyOperations):
    """Saving what an archive holds, already stamped with where it belongs.

    What is at home here comes back where it is missing or older. What no other member
    ever answered for is announced to the cohort, of which nobody else would tell; genuine
    members announce what they replicate.
    """

    async def save_archive_instances(
        self,
        user_id: str,
        entities: Sequence[EntityDetail] = (),
        relationships: Sequence[Relationship] = (),
        classifications: Sequence[ClassificationEntityExtension] = (),
    ) -> ArchiveOutcome:
        """Save part of an archive as one change; what can't be stored is left out."""
        self._check_user(user_id, _OPERATION)

        def work(tx: Transaction) -> ArchiveOutcome:
            saves: list[Callable[[], bool]] = [
                *(
                    partial(self._archived_entity, tx, entity, user_id)
                    for entity in entities
                ),
                *(
                    partial(self._archived_relationship, tx, one)
                    for one in relationships
                ),
                *(
                    partial(self._archived_classification, tx, one)
                    for one in classifications
                ),
            ]
            counts = [0, 0]
            refused = []
            for position, save in enumerate(saves):
                try:
                    counts[save()] += 1
                except OMRSError as error:
                    refused.append((position, error))
            return ArchiveOutcome(counts[True], counts[False], tuple(refused))

        return await self._change(work)

    def _archived_entity(
        self, tx: Transaction, entity: EntityDetail, user_id: str
    ) -> bool:
        self._check_copy(entity, "entity", _OPERATION)
        stored = tx.entity(str(entity.guid))
        if stored is not None:
            entity = with_added_classifications(entity, stored.document.value)
        saved = self._save_entity_copy(
            tx, entity, user_id, _OPERATION, from_archive=True
        )
        if saved and self._may_be_told(tx, self._local_id, entity):
            tx.queue_event(outbound.created(entity))
        return saved

    def _archived_relationship(
        self, tx: Transaction, relationship: Relationship
    ) -> bool:
        self._check_relationship(relationship, _OPERATION)
        saved = self._save_relationship_copy(
            tx, relationship, _OPERATION, from_archive=True
        )
        if saved and self._may_be_told(tx, self._local_id, relationship):
            tx.queue_event(outbound.created(relationship))
        return saved

    def _archived_classification(
        self, tx: Transaction, extension: ClassificationEntityExtension
    ) -> bool:
        entity, classification = extension.entity_to_classify, extension.classification
        if entity is None or classification is None:
            parameter = "classification" if classification is None else "entity"
            raise ReferenceInstanceMissingError(self._name, _OPERATION, parameter)
        self._check_copy(entity, "entity", _OPERATION)
        self._validate.classification_type(
            classification.name, _OPERATION, "classification"
        )
        if is_at_home(classification, self._local_id):
            saved = self._own_classification(tx, entity, classification)
        else:
            saved = self._save_classification_copy(
                tx, entity, classification, _OPERATION
            )
        if saved and self._may_be_told(tx, self._local_id, classification):
            tx.queue_event(outbound.classified(entity, classification))
        return saved

    def _own_classification(
        self, tx: Transaction, entity: EntityProxy, classification: Classification
    ) -> bool:
        guid = str(entity.guid)
        stored = tx.entity(guid)
        if stored is None and is_at_home(entity, self._local_id):
            raise EntityNotKnownError(guid, _OPERATION, self._name)
        known = entity if stored is None else stored.document.value
        present = classification_of(known, str(classification.name))
        if present is not None and present.version >= classification.version:
            return False
        self._save_known(tx, with_classification(known, classification))
        return True
