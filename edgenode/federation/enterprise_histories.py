"""All versions of an instance, which only its home has.

Genuine servers offer this for a member alone. Here the member is asked whose the instance
is; while it doesn't answer, what has reached this one stands in.
"""

from edgenode.codec.headers import header_of
from edgenode.collection.participation import Participation, current
from edgenode.errors import (
    EntityNotKnownError,
    MemberUnavailableError,
    RelationshipNotKnownError,
)
from edgenode.federation.enterprise_base import (
    REPOSITORY,
    EnterpriseOperations,
    Question,
    T,
    answered_by,
)
from edgenode.instances.document import Document
from edgenode.instances.model import (
    EntityDetail,
    InstanceProvenanceType,
    Relationship,
)
from edgenode.repository.base import HistoryRange

_ARCHIVED = InstanceProvenanceType.CONTENT_PACK


class EnterpriseHistoryOperations(EnterpriseOperations):
    """The versions of an instance, as its home tells them."""

    async def get_entity_detail_history(
        self, user_id: str, guid: str, span: HistoryRange
    ) -> list[Document[EntityDetail]]:
        operation = "getEntityDetailHistory"
        known = await self._entity(operation, user_id, guid)
        if known is None:
            raise EntityNotKnownError(guid, operation, REPOSITORY)
        return await self._at_home(
            user_id,
            known,
            lambda asked: asked.get_entity_detail_history(user_id, guid, span),
        )

    async def get_relationship_history(
        self, user_id: str, guid: str, span: HistoryRange
    ) -> list[Document[Relationship]]:
        operation = "getRelationshipHistory"
        known = await self._relationship(operation, user_id, guid)
        if known is None:
            raise RelationshipNotKnownError(guid, operation, REPOSITORY)
        return await self._at_home(
            user_id,
            known,
            lambda asked: asked.get_relationship_history(user_id, guid, span),
        )

    async def _at_home(
        self,
        user_id: str,
        known: Document[EntityDetail] | Document[Relationship],
        question: Question[T],
    ) -> T:
        header = header_of(known)
        if known.value.instance_provenance_type is _ARCHIVED:
            return await answered_by(self._local, question)  # an archive has no member
        try:
            return await self._ask_one(str(header.owner), user_id, question)
        except MemberUnavailableError as error:
            participation = current.get() or Participation()
            participation.missing[str(header.owner)] = error.reason
            participation.copies[header.guid] = str(header.owner)
            return await answered_by(self._local, question)
