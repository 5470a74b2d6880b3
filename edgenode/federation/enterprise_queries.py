"""Searches of the whole cohort, and walks over its graph."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from edgenode.clock import EpochMillis
from edgenode.collection.base import Guids, Statuses
from edgenode.errors import MemberUnavailableError, OMRSError
from edgenode.federation.enterprise_base import (
    EnterpriseOperations,
    Question,
    Told,
    answered_by,
)
from edgenode.federation.failures import is_not_known
from edgenode.federation.members import AskedCollection
from edgenode.federation.merge import (
    MemberAnswer,
    first_share,
    member_paging,
    merged_entities,
    merged_graphs,
    merged_relationships,
    more_room,
)
from edgenode.federation.walks import Onward, Walk, onward
from edgenode.instances.conditions import (
    MatchCriteria,
    Paging,
    SearchClassifications,
    SearchProperties,
)
from edgenode.instances.document import Document
from edgenode.instances.model import EntityDetail, Relationship
from edgenode.instances.properties import InstanceProperties
from edgenode.limits import (
    FEDERATION_SECONDS,
    MAX_WALK_QUESTIONS,
    MERGED_IN_THE_LOOP,
)
from edgenode.repository.base import Graph

T = TypeVar("T")
Entities = list[Document[EntityDetail]]
Relationships = list[Document[Relationship]]
Lists = Sequence[MemberAnswer[list[Document[T]]]]


class _EnterpriseLists(EnterpriseOperations):
    """Asks everybody for a list, and makes one of all."""

    async def _entities(
        self,
        operation: str,
        user_id: str,
        paging: Paging,
        question: Callable[[AskedCollection, Paging], Awaitable[Entities]],
        *,
        of_reach: bool = False,
    ) -> Entities:
        codec = self._parts.codec
        return await self._list(
            operation,
            user_id,
            paging,
            question,
            lambda lists: merged_entities(lists, paging, codec, of_reach=of_reach),
        )

    async def _relationships(
        self,
        operation: str,
        user_id: str,
        paging: Paging,
        question: Callable[[AskedCollection, Paging], Awaitable[Relationships]],
    ) -> Relationships:
        codec = self._parts.codec
        return await self._list(
            operation,
            user_id,
            paging,
            question,
            lambda lists: merged_relationships(lists, paging, codec),
        )

    async def _list(
        self,
        operation: str,
        user_id: str,
        paging: Paging,
        question: Callable[[AskedCollection, Paging], Awaitable[list[Document[T]]]],
        merge: Callable[[Lists[T]], list[Document[T]]],
    ) -> list[Document[T]]:
        """One page of what everybody finds.

        Args:
            operation: Its name.
            user_id: Who asks.
            paging: The page.
            question: Asks one member for its part.
            merge: Makes the page of all parts.
        """
        self._check_paging(paging, operation)
        time = asyncio.get_running_loop().time
        ends = time() + FEDERATION_SECONDS
        whole = member_paging(paging)
        share = first_share(whole.page_size, 1 + len(self._members.all()))

        def ask(size: int) -> Question[list[Document[T]]]:
            asked = replace(whole, page_size=size)
            return lambda collection: question(collection, asked)

        async with self._parts.searches:
            told: Told[list[Document[T]]] = await self._ask_all(
                operation, user_id, ask(share)
            )
            told.require_answer()
            room = dict.fromkeys((each.member for each in told.answers), share)
            page = await _merged(told, merge)
            while more := more_room(
                told.answers, room, page, paging, self._parts.codec
            ):
                if time() >= ends:
                    for member in more:
                        told.is_missing(member, "not all of its answer in time")
                    break
                anew = {member: ask(size) for member, size in more.items()}
                await self._ask_some(told, user_id, anew, ends - time())
                room |= more
                page = await _merged(told, merge)
        told.rests_on(page)
        return page


async def _merged(
    told: Told[list[Document[T]]],
    merge: Callable[[Lists[T]], list[Document[T]]],
) -> list[Document[T]]:
    """Merge lists without holding others up."""
    if sum(len(each.answer) for each in told.answers) <= MERGED_IN_THE_LOOP:
        return told.merged(merge)
    return await asyncio.to_thread(told.merged, merge)


class EnterpriseSearchOperations(_EnterpriseLists):
    """Searches."""

    async def find_entities(
        self,
        user_id: str,
        entity_type_guid: str | None,
        entity_subtype_guids: Guids,
        match_properties: SearchProperties | None,
        limit_results_by_status: Statuses,
        match_classifications: SearchClassifications | None,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[EntityDetail]]:
        return await self._entities(
            "findEntities",
            user_id,
            paging,
            lambda asked, page: asked.find_entities(
                user_id,
                entity_type_guid,
                entity_subtype_guids,
                match_properties,
                limit_results_by_status,
                match_classifications,
                as_of_time,
                page,
            ),
        )

    async def find_entities_by_property(
        self,
        user_id: str,
        entity_type_guid: str | None,
        match_properties: InstanceProperties | None,
        match_criteria: MatchCriteria | None,
        limit_results_by_status: Statuses,
        limit_results_by_classification: Guids,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[EntityDetail]]:
        return await self._entities(
            "findEntitiesByProperty",
            user_id,
            paging,
            lambda asked, page: asked.find_entities_by_property(
                user_id,
                entity_type_guid,
                match_properties,
                match_criteria,
                limit_results_by_status,
                limit_results_by_classification,
                as_of_time,
                page,
            ),
        )

    async def find_entities_by_classification(
        self,
        user_id: str,
        entity_type_guid: str | None,
        classification_name: str,
        match_properties: InstanceProperties | None,
        match_criteria: MatchCriteria | None,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[EntityDetail]]:
        return await self._entities(
            "findEntitiesByClassification",
            user_id,
            paging,
            lambda asked, page: asked.find_entities_by_classification(
                user_id,
                entity_type_guid,
                classification_name,
                match_properties,
                match_criteria,
                limit_results_by_status,
                as_of_time,
                page,
            ),
        )

    async def find_entities_by_property_value(
        self,
        user_id: str,
        entity_type_guid: str | None,
        search_criteria: str | None,
        limit_results_by_status: Statuses,
        limit_results_by_classification: Guids,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[EntityDetail]]:
        return await self._entities(
            "findEntitiesByPropertyValue",
            user_id,
            paging,
            lambda asked, page: asked.find_entities_by_property_value(
                user_id,
                entity_type_guid,
                search_criteria,
                limit_results_by_status,
                limit_results_by_classification,
                as_of_time,
                page,
            ),
        )

    async def find_relationships(
        self,
        user_id: str,
        relationship_type_guid: str | None,
        relationship_subtype_guids: Guids,
        match_properties: SearchProperties | None,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[Relationship]]:
        return await self._relationships(
            "findRelationships",
            user_id,
            paging,
            lambda asked, page: asked.find_relationships(
                user_id,
                relationship_type_guid,
                relationship_subtype_guids,
                match_properties,
                limit_results_by_status,
                as_of_time,
                page,
            ),
        )

    async def find_relationships_by_property(
        self,
        user_id: str,
        relationship_type_guid: str | None,
        match_properties: InstanceProperties | None,
        match_criteria: MatchCriteria | None,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[Relationship]]:
        return await self._relationships(
            "findRelationshipsByProperty",
            user_id,
            paging,
            lambda asked, page: asked.find_relationships_by_property(
                user_id,
                relationship_type_guid,
                match_properties,
                match_criteria,
                limit_results_by_status,
                as_of_time,
                page,
            ),
        )

    async def find_relationships_by_property_value(
        self,
        user_id: str,
        relationship_type_guid: str | None,
        search_criteria: str | None,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[Relationship]]:
        return await self._relationships(
            "findRelationshipsByPropertyValue",
            user_id,
            paging,
            lambda asked, page: asked.find_relationships_by_property_value(
                user_id,
                relationship_type_guid,
                search_criteria,
                limit_results_by_status,
                as_of_time,
                page,
            ),
        )


class EnterpriseGraphOperations(_EnterpriseLists):
    """What is around an entity.

    Each member walks over what it knows, and what they find is put together. In a
    neighbourhood the homes of entities that others got to go on from there.
    """

    async def get_relationships_for_entity(
        self,
        user_id: str,
        entity_guid: str,
        relationship_type_guid: str | None,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[Relationship]]:
        return await self._relationships(
            "getRelationshipsForEntity",
            user_id,
            paging,
            lambda asked, page: asked.get_relationships_for_entity(
                user_id,
                entity_guid,
                relationship_type_guid,
                limit_results_by_status,
                as_of_time,
                page,
            ),
        )

    async def get_related_entities(
        self,
        user_id: str,
        start_entity_guid: str,
        entity_type_guids: Guids,
        limit_results_by_status: Statuses,
        limit_results_by_classification: Guids,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[EntityDetail]]:
        return await self._entities(
            "getRelatedEntities",
            user_id,
            paging,
            lambda asked, page: asked.get_related_entities(
                user_id,
                start_entity_guid,
                entity_type_guids,
                limit_results_by_status,
                limit_results_by_classification,
                as_of_time,
                page,
            ),
            of_reach=True,
        )

    async def get_linking_entities(
        self,
        user_id: str,
        start_entity_guid: str,
        end_entity_guid: str,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
    ) -> Graph:
        return await self._graph(
            "getLinkingEntities",
            user_id,
            lambda asked: asked.get_linking_entities(
                user_id,
                start_entity_guid,
                end_entity_guid,
                limit_results_by_status,
                as_of_time,
            ),
        )

    async def get_entity_neighborhood(
        self,
        user_id: str,
        entity_guid: str,
        entity_type_guids: Guids,
        relationship_type_guids: Guids,
        limit_results_by_status: Statuses,
        limit_results_by_classification: Guids,
        as_of_time: EpochMillis | None,
        level: int,
    ) -> Graph:
        def around(guid: str, levels: int) -> Question[Graph]:
            return lambda asked: asked.get_entity_neighborhood(
                user_id,
                guid,
                entity_type_guids,
                relationship_type_guids,
                limit_results_by_status,
                limit_results_by_classification,
                as_of_time,
                levels,
            )

        time = asyncio.get_running_loop().time
        ends = time() + FEDERATION_SECONDS
        async with self._parts.searches:
            told: Told[Graph] = await self._ask_all(
                "getEntityNeighborhood", user_id, around(entity_guid, level)
            )
            told.require_answer()
            walks = [Walk(who, entity_guid, 0, found) for who, found in told.answers]
            asked = {(who, entity_guid) for who in told.participation.answered}
            while time() < ends:
                more = self._onward(told, walks, asked, entity_guid, level)
                if not more:
                    break
                asked |= {(each.owner, each.guid) for each in more}
                found = await asyncio.gather(
                    *(
                        self._walk_on(
                            told,
                            user_id,
                            each,
                            around(each.guid, level - each.distance),
                            ends - time(),
                        )
                        for each in more
                    )
                )
                walks += [walk for walk in found if walk is not None]
            graph = told.merged(lambda graphs: merged_graphs(graphs, self._parts.codec))
        told.rests_on([*graph.entities, *graph.relationships])
        return graph

    def _onward(
        self,
        told: Told[Graph],
        walks: Sequence[Walk],
        asked: Collection[tuple[str, str]],
        root: str,
        levels: int,
    ) -> list[Onward]:
        """From where members that answer are to go on."""
        answering = told.participation.answered - told.participation.missing.keys()

        def found(answers: Sequence[MemberAnswer[Graph]]) -> list[Onward]:
            readable = {each.member for each in answers}
            these = [each for each in walks if each.member in readable]
            return onward(these, root, levels, answering)

        more = [
            each for each in told.merged(found) if (each.owner, each.guid) not in asked
        ]
        room = max(MAX_WALK_QUESTIONS - len(asked), 0)
        for each in more[room:]:
            told.is_missing(each.owner, "more is around it than it is asked for")
        return more[:room]

    async def _walk_on(
        self,
        told: Told[Graph],
        user_id: str,
        place: Onward,
        question: Question[Graph],
        seconds: float,
    ) -> Walk | None:
        """What an entity's home finds around it; None where it doesn't tell."""
        try:
            if place.owner == self._local_id:
                graph = await answered_by(self._local, question)
            else:
                member = self._members.member(place.owner)
                if member is None:
                    return None
                ask = partial(answered_by, question=question)
                graph = await member.ask(user_id, ask, seconds)
        except MemberUnavailableError as error:
            told.is_missing(place.owner, error.reason)
            return None
        except OMRSError as error:
            if not is_not_known(error):
                told.is_missing(place.owner, error.message)
            return None
        told.answers.append(MemberAnswer(place.owner, graph))
        return Walk(place.owner, place.guid, place.distance, graph)

    async def _graph(
        self, operation: str, user_id: str, question: Question[Graph]
    ) -> Graph:
        async with self._parts.searches:
            told = await self._ask_all(operation, user_id, question)
            told.require_answer()
            graph = told.merged(lambda graphs: merged_graphs(graphs, self._parts.codec))
        told.rests_on([*graph.entities, *graph.relationships])
        return graph
