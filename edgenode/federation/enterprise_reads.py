"""Operations that read single instances of the whole cohort.

Whoever owns the instance decides what is told of it; copies stand in while the owner
doesn't answer.
"""

from edgenode.clock import EpochMillis
from edgenode.collection.base import answered
from edgenode.errors import (
    EntityNotKnownError,
    EntityProxyOnlyError,
    EntitySoftDeletedError,
    OMRSError,
    RelationshipNotKnownError,
    RelationshipSoftDeletedError,
)
from edgenode.federation.enterprise_base import (
    REPOSITORY,
    EnterpriseOperations,
    Question,
    Told,
    readable,
)
from edgenode.federation.failures import is_not_known
from edgenode.federation.merge import (
    E,
    MemberAnswer,
    OneEntity,
    merged_entity,
    merged_relationship,
)
from edgenode.instances.document import Document
from edgenode.instances.model import EntityDetail, EntitySummary, Relationship
from edgenode.instances.validate import type_name
from edgenode.typedefs.status import InstanceStatus


class EnterpriseReadOperations(EnterpriseOperations):
    """Instances by GUID, now and then."""

    async def is_entity_known(
        self, user_id: str, guid: str
    ) -> Document[EntityDetail] | None:
        return await self._entity("isEntityKnown", user_id, guid)

    async def get_entity_summary(
        self, user_id: str, guid: str
    ) -> Document[EntitySummary]:
        operation = "getEntitySummary"
        return await self._one_entity(
            operation,
            user_id,
            guid,
            lambda collection: collection.get_entity_summary(user_id, guid),
        )

    async def get_entity_detail(
        self, user_id: str, guid: str, as_of_time: EpochMillis | None = None
    ) -> Document[EntityDetail]:
        operation = "getEntityDetail"
        if as_of_time is not None:
            return await self._one_entity(
                operation,
                user_id,
                guid,
                lambda asked: asked.get_entity_detail(user_id, guid, as_of_time),
            )
        entity = await self._entity(operation, user_id, guid)
        if entity is None:
            raise await self._unknown_entity(operation, user_id, guid)
        if entity.value.status is InstanceStatus.DELETED:
            raise EntitySoftDeletedError(
                type_name(entity.value), guid, operation, REPOSITORY
            )
        self._parts.was_read(entity.value)
        return entity

    async def _unknown_entity(
        self, operation: str, user_id: str, guid: str
    ) -> OMRSError:
        """What to say of an entity that nobody knows in full."""
        try:
            await answered(self._local.get_entity_detail(user_id, guid))
        except OMRSError as error:
            if error.exception_class_name == EntityProxyOnlyError.exception_class_name:
                return EntityProxyOnlyError(guid, REPOSITORY, "guid", operation)
        return EntityNotKnownError(guid, operation, REPOSITORY)

    async def _one_entity(
        self, operation: str, user_id: str, guid: str, question: Question[Document[E]]
    ) -> Document[E]:
        """An entity that members answer with an error if they haven't got it."""
        told = await self._ask_all(operation, user_id, question)
        without = _without_it(told)
        entity = told.merged(
            lambda answers: readable(
                merged_entity(
                    [
                        *(MemberAnswer(each, OneEntity(one)) for each, one in answers),
                        *(MemberAnswer(each, OneEntity(None)) for each in without),
                    ],
                    self._parts.codec,
                )
            )
        )
        if entity is None:
            unknown = EntityNotKnownError(guid, operation, REPOSITORY)
            raise told.failure(unknown)
        told.rests_on([entity])
        return entity

    async def is_relationship_known(
        self, user_id: str, guid: str
    ) -> Document[Relationship] | None:
        return await self._relationship("isRelationshipKnown", user_id, guid)

    async def get_relationship(
        self, user_id: str, guid: str, as_of_time: EpochMillis | None = None
    ) -> Document[Relationship]:
        operation = "getRelationship"
        if as_of_time is not None:
            return await self._relationship_at(operation, user_id, guid, as_of_time)
        relationship = await self._relationship(operation, user_id, guid)
        if relationship is None:
            raise RelationshipNotKnownError(guid, operation, REPOSITORY)
        if relationship.value.status is InstanceStatus.DELETED:
            raise RelationshipSoftDeletedError(
                type_name(relationship.value), guid, operation, REPOSITORY
            )
        self._parts.was_read(relationship.value)
        return relationship

    async def _relationship_at(
        self, operation: str, user_id: str, guid: str, as_of_time: EpochMillis
    ) -> Document[Relationship]:
        told = await self._ask_all(
            operation,
            user_id,
            lambda asked: asked.get_relationship(user_id, guid, as_of_time),
        )
        without = _without_it(told)
        found = told.merged(
            lambda answers: readable(
                merged_relationship(
                    [*answers, *(MemberAnswer(each, None) for each in without)]
                )
            )
        )
        if found is None:
            unknown = RelationshipNotKnownError(guid, operation, REPOSITORY)
            raise told.failure(unknown)
        told.rests_on([found])
        return found


def _without_it(told: Told[Document[E]] | Told[Document[Relationship]]) -> list[str]:
    """The members that said that they haven't got it."""
    return [member for member, error in told.errors.items() if is_not_known(error)]
