"""Operations that classify entities of the local collection.

A classification has its own home, the member that gave it, whoever the entity belongs
to; so these ask nobody's leave, and they work on a proxy where no more is known.
"""

from edgenode.collection.base import ClassificationSource
from edgenode.collection.local_base import LocalOperations, full_document
from edgenode.errors import (
    EntityAlreadyClassifiedError,
    EntityCanNotBeUpdatedError,
    EntityNotClassifiedError,
    EntityNotKnownError,
    EntityProxyMissingError,
    HomeIdMissingError,
)
from edgenode.events import outbound
from edgenode.instances import lifecycle
from edgenode.instances.digests import owner_of
from edgenode.instances.document import Document
from edgenode.instances.lifecycle import Edit
from edgenode.instances.model import Classification, EntityDetail, EntityProxy
from edgenode.instances.properties import InstanceProperties
from edgenode.instances.provenance import (
    Home,
    Provenance,
    as_seen,
    external_provenance,
    is_at_home,
    local_provenance,
)
from edgenode.instances.validate import type_name
from edgenode.repository.base import Transaction
from edgenode.typedefs.model import TypeDef

_BY_PROXY = " (EntityProxy)"
"""What genuine servers add to the operation in the errors of its proxy form."""

Entity = EntityDetail | EntityProxy


class LocalClassificationOperations(LocalOperations):
    """Classifying, reclassifying and declassifying, by GUID and by proxy."""

    async def classify_entity(
        self,
        user_id: str,
        entity_guid: str,
        classification_name: str | None,
        source: ClassificationSource,
        properties: InstanceProperties | None,
    ) -> Document[EntityDetail]:
        operation = "classifyEntity"
        known = self._classification_def(
            user_id, classification_name, properties, operation
        )

        def work(tx: Transaction) -> Document[EntityDetail]:
            stored = self._known_entity(tx, entity_guid, "getEntitySummary")
            entity = stored.document.value
            if isinstance(entity, EntityProxy):
                raise EntityNotKnownError(entity_guid, operation, self._name)
            edit = self._edit(tx, user_id, entity)
            new = self._classified(entity, known, source, properties, operation, edit)
            if new is None:
                return self._entity_seen(full_document(stored))
            entity = lifecycle.with_classification(entity, new)
            document = tx.save_entity(entity, edit.time)
            tx.queue_event(outbound.classified(entity, new))
            return self._entity_seen(document)

        return await self._change_own(work)

    async def classify_entity_by_proxy(
        self,
        user_id: str,
        entity_proxy: EntityProxy | None,
        classification_name: str | None,
        source: ClassificationSource,
        properties: InstanceProperties | None,
    ) -> Classification:
        operation = "classifyEntity"
        proxy = self._proxy(user_id, entity_proxy, operation)
        known = self._classification_def(
            user_id, classification_name, properties, operation
        )
        operation += _BY_PROXY

        def work(tx: Transaction) -> Classification:
            entity = self._entity_of(tx, proxy, operation)
            edit = self._edit(tx, user_id, entity)
            new = self._classified(entity, known, source, properties, operation, edit)
            if new is None:
                return self._present(entity, str(known.name), operation)
            _save(tx, lifecycle.with_classification(entity, new), edit)
            tx.queue_event(outbound.classified(self._proxy_of(entity), new))
            return new

        return self._classification_seen(await self._change_own(work))

    async def update_entity_classification(
        self,
        user_id: str,
        entity_guid: str,
        classification_name: str | None,
        properties: InstanceProperties | None,
    ) -> Document[EntityDetail]:
        operation = "updateEntityClassification"
        known = self._classification_def(
            user_id, classification_name, properties, operation
        )

        def work(tx: Transaction) -> Document[EntityDetail]:
            stored = self._known_entity(tx, entity_guid, "getEntitySummary")
            entity = stored.document.value
            old = self._own(entity, str(known.name), operation)
            if isinstance(entity, EntityProxy):
                raise EntityNotKnownError(entity_guid, operation, self._name)
            edit = self._edit(tx, user_id, entity)
            new = lifecycle.re_classified(old, properties, edit)
            entity = lifecycle.with_classification(entity, new)
            document = tx.save_entity(entity, edit.time)
            tx.queue_event(outbound.re_classified(entity, old, new))
            return self._entity_seen(document)

        return await self._change_own(work)

    async def update_entity_classification_by_proxy(
        self,
        user_id: str,
        entity_proxy: EntityProxy | None,
        classification_name: str | None,
        properties: InstanceProperties | None,
    ) -> Classification:
        operation = "updateEntityClassification"
        proxy = self._proxy(user_id, entity_proxy, operation)
        known = self._classification_def(
            user_id, classification_name, properties, operation
        )
        operation += _BY_PROXY

        def work(tx: Transaction) -> Classification:
            entity = self._entity_of(tx, proxy, operation)
            old = self._own(entity, str(known.name), operation)
            edit = self._edit(tx, user_id, entity)
            new = lifecycle.re_classified(old, properties, edit)
            _save(tx, lifecycle.with_classification(entity, new), edit)
            tx.queue_event(outbound.re_classified(self._proxy_of(entity), old, new))
            return new

        return self._classification_seen(await self._change_own(work))

    async def declassify_entity(
        self, user_id: str, entity_guid: str, classification_name: str | None
    ) -> Document[EntityDetail]:
        operation = "declassifyEntity"
        known = self._classification_def(user_id, classification_name, None, operation)

        def work(tx: Transaction) -> Document[EntityDetail]:
            stored = self._known_entity(tx, entity_guid, "getEntitySummary")
            entity = stored.document.value
            old = self._own(entity, str(known.name), operation)
            if isinstance(entity, EntityProxy):
                raise EntityNotKnownError(entity_guid, operation, self._name)
            edit = self._edit(tx, user_id, entity)
            entity = lifecycle.without_classification(entity, str(known.name))
            document = tx.save_entity(entity, edit.time)
            tx.queue_event(outbound.declassified(entity, old))
            return self._entity_seen(document)

        return await self._change_own(work)

    async def declassify_entity_by_proxy(
        self,
        user_id: str,
        entity_proxy: EntityProxy | None,
        classification_name: str | None,
    ) -> Classification:
        operation = "declassifyEntity"
        proxy = self._proxy(user_id, entity_proxy, operation)
        known = self._classification_def(user_id, classification_name, None, operation)
        operation += _BY_PROXY

        def work(tx: Transaction) -> Classification:
            entity = self._entity_of(tx, proxy, operation)
            old = self._own(entity, str(known.name), operation)
            edit = self._edit(tx, user_id, entity)
            _save(tx, lifecycle.without_classification(entity, str(known.name)), edit)
            tx.queue_event(outbound.declassified(self._proxy_of(entity), old))
            return old

        return self._classification_seen(await self._change_own(work))

    # Parts of the above

    def _classification_def(
        self,
        user_id: str,
        name: str | None,
        properties: InstanceProperties | None,
        operation: str,
    ) -> TypeDef:
        self._check_user(user_id, operation)
        known = self._validate.classification_type(name, operation)
        self._validate.properties(
            known, properties, "classificationProperties", operation
        )
        return known

    def _proxy(
        self, user_id: str, proxy: EntityProxy | None, operation: str
    ) -> EntityProxy:
        self._check_user(user_id, operation)
        if proxy is None:
            raise EntityProxyMissingError(self._name, "entityProxy", operation)
        self._given(proxy.guid, "entityProxy", operation)
        if proxy.metadata_collection_id is None:
            raise HomeIdMissingError("entityProxy", operation, self._name)
        self._validate.recorded_type(proxy)
        return proxy

    def _entity_of(self, tx: Transaction, proxy: EntityProxy, operation: str) -> Entity:
        """What is known here of the entity that a proxy names; the proxy, if nothing."""
        if tx.entity(str(proxy.guid)) is None and not is_at_home(proxy, self._local_id):
            return proxy
        return self._known_entity(tx, str(proxy.guid), operation).document.value

    def _present(self, entity: Entity, name: str, operation: str) -> Classification:
        classification = lifecycle.classification_of(entity, name)
        if classification is None:
            raise EntityNotClassifiedError(operation, self._name, name, entity.guid)
        return classification

    def _own(self, entity: Entity, name: str, operation: str) -> Classification:
        """A classification that may be changed here: not one that another member gave.

        Genuine members change those of others, too; the next word of its home undoes
        that. What nobody in the cohort answers for is anybody's.
        """
        classification = self._present(entity, name, operation)
        if not is_at_home(classification, self._local_id) and (
            self._parts.is_known_collection(owner_of(classification))
        ):
            raise EntityCanNotBeUpdatedError(self._name, entity.guid, operation)
        return classification

    def _classified(
        self,
        entity: Entity,
        known: TypeDef,
        source: ClassificationSource,
        properties: InstanceProperties | None,
        operation: str,
        edit: Edit,
    ) -> Classification | None:
        """A new classification for an entity; None if it carries the same already."""
        self._validate.classifies(known, type_name(entity), operation)
        name = str(known.name)
        existing = lifecycle.classification_of(entity, name)
        if existing is None:
            return lifecycle.new_classification(
                known,
                self._provenance(source),
                edit,
                origin=source.origin,
                origin_guid=source.origin_guid,
                properties=properties,
            )
        if lifecycle.same_content(existing.properties, properties):
            return None
        raise EntityAlreadyClassifiedError(operation, self._name, name, entity.guid)

    def _provenance(self, source: ClassificationSource) -> Provenance:
        external = source.external
        if external is None or external.metadata_collection_id is None:
            return local_provenance(self._parts.home)
        home = Home(external.metadata_collection_id, external.metadata_collection_name)
        return external_provenance(home, self._parts.home)

    def _classification_seen(self, classification: Classification) -> Classification:
        return as_seen(classification, self._parts.is_known_collection)


def _save(tx: Transaction, entity: Entity, edit: Edit) -> None:
    if isinstance(entity, EntityProxy):
        tx.save_proxy(entity, edit.time)
    else:
        tx.save_entity(entity, edit.time)
