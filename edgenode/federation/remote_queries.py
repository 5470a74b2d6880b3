"""Operations that read and search the collection of another member."""

from collections.abc import Sequence
from typing import Any

from edgenode.clock import EpochMillis
from edgenode.codec.requests import (
    EntityFindRequest,
    EntityHistoricalFindRequest,
    EntityNeighborhoodFindRequest,
    EntityNeighborhoodHistoricalFindRequest,
    EntityPropertyFindRequest,
    EntityPropertyHistoricalFindRequest,
    HistoryRangeRequest,
    HistoryRequest,
    InstanceFindRequest,
    InstanceHistoricalFindRequest,
    OMRSAPIFindRequest,
    OMRSAPIHistoricalFindRequest,
    PropertyMatchFindRequest,
    PropertyMatchHistoricalFindRequest,
    RelatedEntitiesFindRequest,
    RelatedEntitiesHistoricalFindRequest,
    TypeLimitedFindRequest,
    TypeLimitedHistoricalFindRequest,
)
from edgenode.collection.base import Guids, Statuses
from edgenode.federation.remote_base import RemoteOperations, asking, at
from edgenode.instances.conditions import (
    MatchCriteria,
    Paging,
    SearchClassifications,
    SearchProperties,
)
from edgenode.instances.document import Document
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntitySummary,
    Relationship,
)
from edgenode.instances.properties import InstanceProperties
from edgenode.repository.base import Graph, HistoryRange

_ENTITIES = "/instances/entities"
_RELATIONSHIPS = "/instances/relationships"


def _when(path: str, as_of_time: EpochMillis | None) -> str:
    """Where a question is sent, which depends on whether it is about the past."""
    return path if as_of_time is None else path + "/history"


def _page(paging: Paging) -> dict[str, Any]:
    return {
        "offset": paging.offset,
        "page_size": paging.page_size,
        "sequencing_order": paging.sequencing_order,
        "sequencing_property": paging.sequencing_property,
    }


def _listed(wanted: Sequence[Any] | None) -> tuple[Any, ...] | None:
    return None if wanted is None else tuple(wanted)


def _request(
    now: type, then: type, as_of_time: EpochMillis | None, **fields: Any
) -> object:
    """The body of a question about now or the past."""
    if as_of_time is None:
        return now(**fields)
    return then(as_of_time=as_of_time, **fields)


def _span(span: HistoryRange) -> HistoryRangeRequest:
    return HistoryRangeRequest(
        from_time=span.from_time,
        to_time=span.to_time,
        offset=span.offset,
        page_size=span.page_size,
        sequencing_order=span.order,
    )


class RemoteReadOperations(RemoteOperations):
    """Instances by GUID, now and then."""

    async def is_entity_known(
        self, user_id: str, guid: str
    ) -> Document[EntityDetail] | None:
        path = at("instances", "entity", guid, "existence")
        told = await self._get(user_id, path)
        return self._optional(told.get("entity"), EntityDetail)

    async def get_entity_summary(
        self, user_id: str, guid: str
    ) -> Document[EntitySummary]:
        told = await self._get(user_id, at("instances", "entity", guid, "summary"))
        return self._document(told.get("entity"), EntitySummary)

    async def get_entity_detail(
        self, user_id: str, guid: str, as_of_time: EpochMillis | None = None
    ) -> Document[EntityDetail]:
        path = at("instances", "entity", guid)
        if as_of_time is None:
            told = await self._get(user_id, path)
        else:
            request = HistoryRequest(as_of_time=as_of_time)
            told = await self._post(user_id, path + "/history", request)
        return self._document(told.get("entity"), EntityDetail)

    async def get_entity_detail_history(
        self, user_id: str, guid: str, span: HistoryRange
    ) -> list[Document[EntityDetail]]:
        path = at("instances", "entity", guid, "history", "all")
        return await self._list(user_id, path, _span(span), EntityDetail)

    async def is_relationship_known(
        self, user_id: str, guid: str
    ) -> Document[Relationship] | None:
        path = at("instances", "relationship", guid, "existence")
        told = await self._get(user_id, path)
        return self._optional(told.get("relationship"), Relationship)

    async def get_relationship(
        self, user_id: str, guid: str, as_of_time: EpochMillis | None = None
    ) -> Document[Relationship]:
        path = at("instances", "relationship", guid)
        if as_of_time is None:
            told = await self._get(user_id, path)
        else:
            request = HistoryRequest(as_of_time=as_of_time)
            told = await self._post(user_id, path + "/history", request)
        return self._document(told.get("relationship"), Relationship)

    async def get_relationship_history(
        self, user_id: str, guid: str, span: HistoryRange
    ) -> list[Document[Relationship]]:
        path = at("instances", "relationship", guid, "history", "all")
        return await self._list(user_id, path, _span(span), Relationship)

    async def get_home_classifications(
        self, user_id: str, entity_guid: str, as_of_time: EpochMillis | None = None
    ) -> tuple[Classification, ...]:
        path = at("instances", "entity", entity_guid, "home-classifications")
        if as_of_time is None:
            told = await self._get(user_id, path)
        else:
            request = HistoryRequest(as_of_time=as_of_time)
            told = await self._post(user_id, path + "/history", request)
        listed = told.get("classifications")
        if not isinstance(listed, list):
            return ()
        return tuple(self._bean(each, Classification) for each in listed)


class RemoteSearchOperations(RemoteOperations):
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
        request = _request(
            EntityFindRequest,
            EntityHistoricalFindRequest,
            as_of_time,
            type_guid=entity_type_guid,
            subtype_guids=_listed(entity_subtype_guids),
            match_properties=match_properties,
            limit_results_by_status=_listed(limit_results_by_status),
            match_classifications=match_classifications,
            **_page(paging),
        )
        path = _when(_ENTITIES, as_of_time)
        return await self._list(user_id, path, request, EntityDetail)

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
        request = _request(
            EntityPropertyFindRequest,
            EntityPropertyHistoricalFindRequest,
            as_of_time,
            type_guid=entity_type_guid,
            match_properties=match_properties,
            match_criteria=match_criteria,
            limit_results_by_status=_listed(limit_results_by_status),
            limit_results_by_classification=_listed(limit_results_by_classification),
            **_page(paging),
        )
        path = _when(_ENTITIES + "/by-property", as_of_time)
        return await self._list(user_id, path, request, EntityDetail)

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
        request = _request(
            PropertyMatchFindRequest,
            PropertyMatchHistoricalFindRequest,
            as_of_time,
            type_guid=entity_type_guid,
            match_properties=match_properties,
            match_criteria=match_criteria,
            limit_results_by_status=_listed(limit_results_by_status),
            **_page(paging),
        )
        path = f"{_ENTITIES}/by-classification{at(classification_name)}"
        path = _when(path, as_of_time)
        return await self._list(user_id, path, request, EntityDetail)

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
        request = _request(
            EntityPropertyFindRequest,
            EntityPropertyHistoricalFindRequest,
            as_of_time,
            type_guid=entity_type_guid,
            limit_results_by_status=_listed(limit_results_by_status),
            limit_results_by_classification=_listed(limit_results_by_classification),
            **_page(paging),
        )
        path = _when(_ENTITIES + "/by-property-value", as_of_time)
        path += asking(searchCriteria=search_criteria)
        return await self._list(user_id, path, request, EntityDetail)

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
        request = _request(
            InstanceFindRequest,
            InstanceHistoricalFindRequest,
            as_of_time,
            type_guid=relationship_type_guid,
            subtype_guids=_listed(relationship_subtype_guids),
            match_properties=match_properties,
            limit_results_by_status=_listed(limit_results_by_status),
            **_page(paging),
        )
        path = _when(_RELATIONSHIPS, as_of_time)
        return await self._list(user_id, path, request, Relationship)

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
        request = _request(
            PropertyMatchFindRequest,
            PropertyMatchHistoricalFindRequest,
            as_of_time,
            type_guid=relationship_type_guid,
            match_properties=match_properties,
            match_criteria=match_criteria,
            limit_results_by_status=_listed(limit_results_by_status),
            **_page(paging),
        )
        path = _when(_RELATIONSHIPS + "/by-property", as_of_time)
        return await self._list(user_id, path, request, Relationship)

    async def find_relationships_by_property_value(
        self,
        user_id: str,
        relationship_type_guid: str | None,
        search_criteria: str | None,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[Relationship]]:
        request = _request(
            TypeLimitedFindRequest,
            TypeLimitedHistoricalFindRequest,
            as_of_time,
            type_guid=relationship_type_guid,
            limit_results_by_status=_listed(limit_results_by_status),
            **_page(paging),
        )
        path = _when(_RELATIONSHIPS + "/by-property-value", as_of_time)
        path += asking(searchCriteria=search_criteria)
        return await self._list(user_id, path, request, Relationship)


class RemoteGraphOperations(RemoteOperations):
    """What is around an entity."""

    async def get_relationships_for_entity(
        self,
        user_id: str,
        entity_guid: str,
        relationship_type_guid: str | None,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
        paging: Paging,
    ) -> list[Document[Relationship]]:
        request = _request(
            TypeLimitedFindRequest,
            TypeLimitedHistoricalFindRequest,
            as_of_time,
            type_guid=relationship_type_guid,
            limit_results_by_status=_listed(limit_results_by_status),
            **_page(paging),
        )
        path = at("instances", "entity", entity_guid, "relationships")
        path = _when(path, as_of_time)
        return await self._list(user_id, path, request, Relationship)

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
        request = _request(
            RelatedEntitiesFindRequest,
            RelatedEntitiesHistoricalFindRequest,
            as_of_time,
            entity_type_guids=_listed(entity_type_guids),
            limit_results_by_status=_listed(limit_results_by_status),
            limit_results_by_classification=_listed(limit_results_by_classification),
            **_page(paging),
        )
        path = _when(_from(start_entity_guid, "by-relationship"), as_of_time)
        return await self._list(user_id, path, request, EntityDetail)

    async def get_linking_entities(
        self,
        user_id: str,
        start_entity_guid: str,
        end_entity_guid: str,
        limit_results_by_status: Statuses,
        as_of_time: EpochMillis | None,
    ) -> Graph:
        request = _request(
            OMRSAPIFindRequest,
            OMRSAPIHistoricalFindRequest,
            as_of_time,
            limit_results_by_status=_listed(limit_results_by_status),
        )
        path = _when(_from(start_entity_guid, "by-linkage"), as_of_time)
        path += asking(endEntityGUID=end_entity_guid)
        return await self._graph(user_id, path, request)

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
        request = _request(
            EntityNeighborhoodFindRequest,
            EntityNeighborhoodHistoricalFindRequest,
            as_of_time,
            entity_type_guids=_listed(entity_type_guids),
            relationship_type_guids=_listed(relationship_type_guids),
            limit_results_by_status=_listed(limit_results_by_status),
            limit_results_by_classification=_listed(limit_results_by_classification),
        )
        path = _when(_from(entity_guid, "by-neighborhood"), as_of_time)
        path += asking(level=str(level))
        return await self._graph(user_id, path, request)

    async def _graph(self, user_id: str, path: str, request: object) -> Graph:
        told = await self._post(user_id, path, request)
        return Graph(
            await self._documents(told.get("entityElementList"), EntityDetail),
            await self._documents(told.get("relationshipElementList"), Relationship),
        )


def _from(guid: str, way: str) -> str:
    return at("instances", "entities", "from-entity", guid, way)
