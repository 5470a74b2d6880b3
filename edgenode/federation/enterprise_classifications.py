"""Operations that classify entities of the whole cohort.

A classification is given by the entity's home, or, where that can't be reached, by this
member or another one, which is then the classification's home. It is changed and taken
away by its own home alone: what others did to their copies of it wouldn't last.
"""

from collections.abc import Iterator

from edgenode.collection.base import ClassificationSource
from edgenode.errors import (
    MemberUnavailableError,
    NoHomeForInstanceError,
    OMRSError,
)
from edgenode.federation.enterprise_base import EnterpriseOperations, Question, T
from edgenode.federation.failures import gravest, is_not_known
from edgenode.federation.merge import owner_of
from edgenode.instances.document import Document
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntityProxy,
    EntitySummary,
)
from edgenode.instances.properties import InstanceProperties

_CAN_NOT = frozenset({"RepositoryErrorException", "FunctionNotSupportedException"})
"""The Java classes of errors that say more of the member than of what it was asked."""


class EnterpriseClassificationOperations(EnterpriseOperations):
    """Classifications."""

    async def classify_entity(
        self,
        user_id: str,
        entity_guid: str,
        classification_name: str,
        source: ClassificationSource,
        properties: InstanceProperties | None,
    ) -> Document[EntityDetail]:
        operation = "classifyEntity"
        entity = await self._known_entity(operation, user_id, entity_guid)
        return await self._classify(
            operation,
            user_id,
            entity.value,
            lambda asked: asked.classify_entity(
                user_id, entity_guid, classification_name, source, properties
            ),
        )

    async def classify_entity_by_proxy(
        self,
        user_id: str,
        entity_proxy: EntityProxy | None,
        classification_name: str,
        source: ClassificationSource,
        properties: InstanceProperties | None,
    ) -> Classification:
        operation = "classifyEntity"
        self._check_user(user_id, operation)
        return await self._classify(
            operation,
            user_id,
            entity_proxy,
            lambda asked: asked.classify_entity_by_proxy(
                user_id, entity_proxy, classification_name, source, properties
            ),
        )

    async def declassify_entity(
        self, user_id: str, entity_guid: str, classification_name: str
    ) -> Document[EntityDetail]:
        return await self._reclassify(
            "declassifyEntity",
            user_id,
            entity_guid,
            classification_name,
            lambda asked: asked.declassify_entity(
                user_id, entity_guid, classification_name
            ),
        )

    async def declassify_entity_by_proxy(
        self, user_id: str, entity_proxy: EntityProxy | None, classification_name: str
    ) -> Classification:
        return await self._reclassify_by_proxy(
            "declassifyEntity",
            user_id,
            entity_proxy,
            classification_name,
            lambda asked: asked.declassify_entity_by_proxy(
                user_id, entity_proxy, classification_name
            ),
        )

    async def update_entity_classification(
        self,
        user_id: str,
        entity_guid: str,
        classification_name: str,
        properties: InstanceProperties | None,
    ) -> Document[EntityDetail]:
        return await self._reclassify(
            "updateEntityClassification",
            user_id,
            entity_guid,
            classification_name,
            lambda asked: asked.update_entity_classification(
                user_id, entity_guid, classification_name, properties
            ),
        )

    async def update_entity_classification_by_proxy(
        self,
        user_id: str,
        entity_proxy: EntityProxy | None,
        classification_name: str,
        properties: InstanceProperties | None,
    ) -> Classification:
        return await self._reclassify_by_proxy(
            "updateEntityClassification",
            user_id,
            entity_proxy,
            classification_name,
            lambda asked: asked.update_entity_classification_by_proxy(
                user_id, entity_proxy, classification_name, properties
            ),
        )

    # Who is asked

    async def _classify(
        self,
        operation: str,
        user_id: str,
        entity: EntitySummary | None,
        question: Question[T],
    ) -> T:
        """Let the entity's home classify it, or else whoever can."""
        home = None if entity is None else owner_of(entity)
        errors: list[OMRSError] = []
        for member in self._in_turn(home):
            try:
                return await self._ask_one(member, user_id, question)
            except MemberUnavailableError:
                continue
            except OMRSError as error:
                knows_nothing = member != home and is_not_known(error)
                if not (knows_nothing or error.exception_class_name in _CAN_NOT):
                    raise
                errors.append(error)
        if errors:
            raise gravest(errors)
        guid = None if entity is None else entity.guid
        raise NoHomeForInstanceError(operation, guid, home)

    def _in_turn(self, home: str | None) -> Iterator[str]:
        others = [member.id for member in self._members.all()]
        if home in others:
            yield str(home)
        yield self._local_id
        yield from (member for member in others if member != home)

    async def _reclassify(
        self,
        operation: str,
        user_id: str,
        guid: str,
        name: str,
        question: Question[T],
    ) -> T:
        """Let the classification's home change it."""
        self._check_user(user_id, operation)
        entity = await self._entity(operation, user_id, guid)
        owner = self._local_id if entity is None else _owner(entity.value, name)
        return await self._ask_owner(operation, user_id, name, owner, question)

    async def _reclassify_by_proxy(
        self,
        operation: str,
        user_id: str,
        proxy: EntityProxy | None,
        name: str,
        question: Question[T],
    ) -> T:
        self._check_user(user_id, operation)
        known: Document[EntityDetail] | None = None
        if proxy is not None and proxy.guid is not None:
            known = await self._entity(operation, user_id, proxy.guid)
        entity = proxy if known is None else known.value
        owner = self._local_id if entity is None else _owner(entity, name)
        return await self._ask_owner(operation, user_id, name, owner, question)


def _owner(entity: EntitySummary, name: str) -> str | None:
    """Who answers for a classification; for one that isn't there the entity's home."""
    for classification in entity.classifications or ():
        if classification.name == name:
            return owner_of(classification)
    return owner_of(entity)
