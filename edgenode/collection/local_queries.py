"""Operations that search the local collection and walk over its graph."""

from collections.abc import Sequence

from edgenode.clock import EpochMillis
from edgenode.collection.base import Guids, Statuses
from edgenode.collection.local_base import LocalOperations
from edgenode.collection.search_requests import (
    SearchReader,
    all_of,
    any_classification,
    any_text,
    by_properties,
)
from edgenode.errors import (
    EntityNotKnownError,
    MatchCriteriaMissingError,
    SearchCriteriaMissingError,
    TypeNotSubtypeError,
)
from edgenode.instances.conditions import (
    Classified,
    Condition,
    InstanceQuery,
    MatchCriteria,
    Paging,
    SearchClassifications,
    SearchProperties,
)
from edgenode.instances.document import Document
from edgenode.instances.model import EntityDetail, Relationship
from edgenode.instances.properties import InstanceProperties
from edgenode.repository.base import Graph, GraphQuery
from edgenode.typedefs.status import InstanceStatus

_ENTITY_TYPE, _RELATIONSHIP_TYPE = "entityTypeGUID", "relationshipTypeGUID"


class LocalQueryOperations(LocalOperations):
    """Searches for entities and relationships."""

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
        operation = "findEntities"
        self._check_user(user_id, operation)
        types = self._type_names(entity_type_guid, _ENTITY_TYPE, operation)
        types = self._subtype_names(
            types,
            entity_type_guid,
            entity_subtype_guids,
            "entitySubtypeGUIDs",
            operation,
        )
        self._check_time(as_of_time, "asOfTime", operation)
        self._check_paging(paging, operation)
        reader = SearchReader(operation)
        condition = all_of(
            (
                reader.properties(match_properties),
                reader.classifications(match_classifications),
            )
        )
        return await self._entities(
            types, limit_results_by_status, condition, as_of_time, paging
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
        operation = "findEntitiesByProperty"
        self._check_user(user_id, operation)
        types = self._type_names(entity_type_guid, _ENTITY_TYPE, operation)
        self._check_time(as_of_time, "asOfTime", operation)
        self._check_match(match_properties, match_criteria, operation)
        self._check_paging(paging, operation)
        condition = all_of(
            (
                by_properties(match_properties, match_criteria),
                any_classification(limit_results_by_classification),
            )
        )
        return await self._entities(
            types, limit_results_by_status, condition, as_of_time, paging
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
        operation = "findEntitiesByClassification"
        self._check_user(user_id, operation)
        types = self._type_names(entity_type_guid, _ENTITY_TYPE, operation)
        self._check_time(as_of_time, "asOfTime", operation)
        self._check_match(match_properties, match_criteria, operation)
        self._check_paging(paging, operation)
        type_def = self._parts.types.type_def_by_guid(entity_type_guid)
        known = self._parts.types.type_def(classification_name)
        if type_def is not None and known is not None:
            self._validate.classifies(known, str(type_def.name), operation)
        condition = Classified(
            classification_name,
            by_properties(match_properties, match_criteria),
        )
        return await self._entities(
            types, limit_results_by_status, condition, as_of_time, paging
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
        operation = "findEntitiesByPropertyValue"
        self._check_user(user_id, operation)
        types = self._type_names(entity_type_guid, _ENTITY_TYPE, operation)
        criteria = self._criteria(search_criteria, operation)
        self._check_time(as_of_time, "asOfTime", operation)
        self._check_paging(paging, operation)
        condition = all_of(
            (
                any_text(criteria, operation, self._name),
                any_classification(limit_results_by_classification),
            )
        )
        return await self._entities(
            types, limit_results_by_status, condition, as_of_time, paging
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
        operation = "findRelationships"
        self._check_user(user_id, operation)
        types = self._type_names(relationship_type_guid, _RELATIONSHIP_TYPE, operation)
        types = self._subtype_names(
            types,
            relationship_type_guid,
            relationship_subtype_guids,
            "relationshipSubtypeGUIDs",
            operation,
        )
        self._check_time(as_of_time, "asOfTime", operation)
        self._check_paging(paging, operation)
        condition = SearchReader(operation).properties(match_properties)
        return await self._relationships(
            types, limit_results_by_status, condition, as_of_time, paging
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
        operation = "findRelationshipsByProperty"
        self._check_user(user_id, operation)
        types = self._type_names(relationship_type_guid, _RELATIONSHIP_TYPE, operation)
        self._check_time(as_of_time, "asOfTime", operation)
        self._check_match(match_properties, match_criteria, operation)
        self._check_paging(paging, operation)
        condition = by_properties(match_properties, match_criteria)
        return await self._relationships(
            types, limit_results_by_status, condition, as_of_time, paging
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
        operation = "findRelationshipsByPropertyValue"
        self._check_user(user_id, operation)
        types = self._type_names(relationship_type_guid, _RELATIONSHIP_TYPE, operation)
        criteria = self._criteria(search_criteria, operation)
        self._check_time(as_of_time, "asOfTime", operation)
        self._check_paging(paging, operation)
        condition = any_text(criteria, operation, self._name)
        return await self._relationships(
            types, limit_results_by_status, condition, as_of_time, paging
        )

    # Parts of the above

    def _subtype_names(
        self,
        types: frozenset[str] | None,
        type_guid: str | None,
        subtype_guids: Guids,
        parameter: str,
        operation: str,
    ) -> frozenset[str] | None:
        """The types among those of ``types`` that the subtypes leave."""
        if not subtype_guids:
            return types
        wanted = self._many_type_names(subtype_guids, parameter, operation)
        strangers = [
            guid
            for guid in subtype_guids
            if types is not None
            and self._validate.type_by_guid(guid, parameter, operation).name
            not in types
        ]
        if strangers:
            listed = ", ".join(strangers)
            raise TypeNotSubtypeError(
                f"[{listed}]", type_guid, reporting_operation=operation
            )
        return wanted

    def _check_match(
        self,
        properties: InstanceProperties | None,
        criteria: MatchCriteria | None,
        operation: str,
    ) -> None:
        """Check that there are properties to match and criteria, or neither."""
        if properties is not None and criteria is None:
            raise MatchCriteriaMissingError("matchCriteria", operation, self._name)
        if properties is None and criteria is not None:
            raise MatchCriteriaMissingError("matchProperties", operation, self._name)

    def _criteria(self, criteria: str | None, operation: str) -> str:
        if not criteria:
            raise SearchCriteriaMissingError("searchCriteria", operation, self._name)
        return criteria

    async def _entities(
        self,
        types: frozenset[str] | None,
        statuses: Statuses,
        condition: Condition | None,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[EntityDetail]]:
        query = InstanceQuery(
            type_names=types,
            statuses=_limit(statuses),
            condition=condition,
            as_of_time=as_of_time,
            paging=paging,
        )
        found = await self._repository.find_entities(query)
        return [self._entity_seen(entity) for entity in found]

    async def _relationships(
        self,
        types: frozenset[str] | None,
        statuses: Statuses,
        condition: Condition | None,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[Relationship]]:
        query = InstanceQuery(
            type_names=types,
            statuses=_limit(statuses),
            condition=condition,
            as_of_time=as_of_time,
            paging=paging,
        )
        found = await self._repository.find_relationships(query)
        return self._relationships_seen(found)


class LocalGraphOperations(LocalOperations):
    """Walks from an entity over relationships."""

    async def get_relationships_for_entity(
        self,
        user_id: str,
        entity_guid: str,
        relationship_type_guid: str | None,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[Relationship]]:
        operation = "getRelationshipsForEntity"
        self._check_user(user_id, operation)
        types = self._type_names(relationship_type_guid, _RELATIONSHIP_TYPE, operation)
        self._check_time(as_of_time, "asOfTime", operation)
        self._check_paging(paging, operation)
        if as_of_time is None:
            self._known_entity(self._repository, entity_guid, "getEntitySummary")
        elif self._repository.entity(entity_guid) is None:
            # One that was not there yet, or is no longer, had no relationships then.
            raise EntityNotKnownError(entity_guid, "getEntitySummary", self._name)
        query = GraphQuery(
            relationship_type_names=types,
            statuses=_limit(limit_results_by_status),
            as_of_time=as_of_time,
        )
        found = await self._repository.relationships_for_entity(
            entity_guid, query, paging
        )
        return self._relationships_seen(found)

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
        operation = "getEntityNeighborhood"
        self._check_user(user_id, operation)
        self._check_time(as_of_time, "asOfTime", operation)
        query = GraphQuery(
            entity_type_names=self._many_type_names(
                entity_type_guids, "entityTypeGUIDs", operation
            ),
            relationship_type_names=self._many_type_names(
                relationship_type_guids, "relationshipTypeGUIDs", operation
            ),
            statuses=_limit(limit_results_by_status),
            classification_names=self._classification_names(
                limit_results_by_classification, operation
            ),
            as_of_time=as_of_time,
        )
        self._check_root(entity_guid, as_of_time, operation)
        graph = await self._repository.neighborhood(entity_guid, query, max(level, 0))
        return self._graph_seen(graph)

    async def get_linking_entities(
        self,
        user_id: str,
        start_entity_guid: str,
        end_entity_guid: str,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
    ) -> Graph:
        operation = "getLinkingEntities"
        self._check_user(user_id, operation)
        self._check_time(as_of_time, "asOfTime", operation)
        query = GraphQuery(
            statuses=_limit(limit_results_by_status), as_of_time=as_of_time
        )
        self._check_root(start_entity_guid, as_of_time, operation)
        self._check_root(end_entity_guid, as_of_time, operation)
        graph = await self._repository.linking_entities(
            start_entity_guid, end_entity_guid, query
        )
        return self._graph_seen(graph)

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
        operation = "getRelatedEntities"
        self._check_user(user_id, operation)
        self._check_time(as_of_time, "asOfTime", operation)
        query = GraphQuery(
            entity_type_names=self._many_type_names(
                entity_type_guids, "entityTypeGUIDs", operation
            ),
            statuses=_limit(limit_results_by_status),
            classification_names=self._classification_names(
                limit_results_by_classification, operation
            ),
            as_of_time=as_of_time,
        )
        self._check_paging(paging, operation)
        self._check_root(start_entity_guid, as_of_time, operation)
        found = await self._repository.related_entities(
            start_entity_guid, query, paging
        )
        return [self._entity_seen(entity) for entity in found]

    # Parts of the above

    def _check_root(
        self, guid: str, as_of_time: EpochMillis | None, operation: str
    ) -> None:
        """Check that an entity to walk from is, or was then, there."""
        stored = self._repository.entity(guid)
        if as_of_time is not None:
            stored = self._repository.entity_as_of(guid, as_of_time)
        self._check_known(stored, guid, operation)

    def _classification_names(
        self, names: Sequence[str] | None, operation: str
    ) -> frozenset[str] | None:
        for name in names or ():
            self._validate.classification_type(
                name, operation, "limitResultsByClassification"
            )
        return frozenset(names) if names else None

    def _graph_seen(self, graph: Graph) -> Graph:
        return Graph(
            [self._entity_seen(entity) for entity in graph.entities],
            self._relationships_seen(graph.relationships),
        )


def _limit(statuses: Statuses) -> frozenset[InstanceStatus] | None:
    """The states asked for; an empty list asks for the usual ones, as none does."""
    return frozenset(statuses) if statuses else None
