"""Operations that read and search instances."""

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
    OMRSAPIPagedFindRequest,
    PropertyMatchFindRequest,
    PropertyMatchHistoricalFindRequest,
    RelatedEntitiesFindRequest,
    RelatedEntitiesHistoricalFindRequest,
    TypeLimitedFindRequest,
    TypeLimitedHistoricalFindRequest,
)
from edgenode.collection.base import answered
from edgenode.instances.conditions import Paging, SequencingOrder
from edgenode.repository.base import Graph, HistoryRange
from edgenode.rest.operations import Call, Fields, Operation, Query


def _paging(request: OMRSAPIPagedFindRequest) -> Paging:
    return Paging(
        offset=request.offset,
        page_size=request.page_size,
        sequencing_order=request.sequencing_order or SequencingOrder.ANY,
        sequencing_property=request.sequencing_property,
    )


def _as_of_time(call: Call) -> int | None:
    time: int | None = getattr(call.body, "as_of_time", None)
    return time


def _span(request: HistoryRangeRequest) -> HistoryRange:
    return HistoryRange(
        request.from_time,
        request.to_time,
        request.offset,
        request.page_size,
        request.sequencing_order,
    )


def _graph(graph: Graph) -> Fields:
    return {
        "entityElementList": graph.entities,
        "relationshipElementList": graph.relationships,
    }


async def is_entity_known(call: Call) -> Fields:
    found = call.collection.is_entity_known(call.user_id, call.path["guid"])
    return {"entity": await answered(found)}


async def get_entity_summary(call: Call) -> Fields:
    summary = call.collection.get_entity_summary(call.user_id, call.path["guid"])
    return {"entity": await answered(summary)}


async def get_entity_detail(call: Call) -> Fields:
    entity = call.collection.get_entity_detail(
        call.user_id, call.path["guid"], _as_of_time(call)
    )
    return {"entity": await answered(entity)}


async def get_entity_detail_history(call: Call) -> Fields:
    entities = await call.collection.get_entity_detail_history(
        call.user_id, call.path["guid"], _span(call.body)
    )
    return {"entities": entities}


async def get_relationships_for_entity(call: Call) -> Fields:
    request: TypeLimitedFindRequest = call.body
    relationships = await call.collection.get_relationships_for_entity(
        call.user_id,
        call.path["entityGUID"],
        request.type_guid,
        request.limit_results_by_status,
        _as_of_time(call),
        _paging(request),
    )
    return {"relationships": relationships}


async def find_entities(call: Call) -> Fields:
    request: EntityFindRequest = call.body
    entities = await call.collection.find_entities(
        call.user_id,
        request.type_guid,
        request.subtype_guids,
        request.match_properties,
        request.limit_results_by_status,
        request.match_classifications,
        _as_of_time(call),
        _paging(request),
    )
    return {"entities": entities}


async def find_entities_by_property(call: Call) -> Fields:
    request: EntityPropertyFindRequest = call.body
    entities = await call.collection.find_entities_by_property(
        call.user_id,
        request.type_guid,
        request.match_properties,
        request.match_criteria,
        request.limit_results_by_status,
        request.limit_results_by_classification,
        _as_of_time(call),
        _paging(request),
    )
    return {"entities": entities}


async def find_entities_by_classification(call: Call) -> Fields:
    request: PropertyMatchFindRequest = call.body
    entities = await call.collection.find_entities_by_classification(
        call.user_id,
        request.type_guid,
        call.path["classificationName"],
        request.match_properties,
        request.match_criteria,
        request.limit_results_by_status,
        _as_of_time(call),
        _paging(request),
    )
    return {"entities": entities}


async def find_entities_by_property_value(call: Call) -> Fields:
    request: EntityPropertyFindRequest = call.body
    entities = await call.collection.find_entities_by_property_value(
        call.user_id,
        request.type_guid,
        call.query["searchCriteria"],
        request.limit_results_by_status,
        request.limit_results_by_classification,
        _as_of_time(call),
        _paging(request),
    )
    return {"entities": entities}


async def is_relationship_known(call: Call) -> Fields:
    found = call.collection.is_relationship_known(call.user_id, call.path["guid"])
    return {"relationship": await answered(found)}


async def get_relationship(call: Call) -> Fields:
    relationship = call.collection.get_relationship(
        call.user_id, call.path["guid"], _as_of_time(call)
    )
    return {"relationship": await answered(relationship)}


async def get_relationship_history(call: Call) -> Fields:
    relationships = await call.collection.get_relationship_history(
        call.user_id, call.path["guid"], _span(call.body)
    )
    return {"relationships": relationships}


async def find_relationships(call: Call) -> Fields:
    request: InstanceFindRequest = call.body
    relationships = await call.collection.find_relationships(
        call.user_id,
        request.type_guid,
        request.subtype_guids,
        request.match_properties,
        request.limit_results_by_status,
        _as_of_time(call),
        _paging(request),
    )
    return {"relationships": relationships}


async def find_relationships_by_property(call: Call) -> Fields:
    request: PropertyMatchFindRequest = call.body
    relationships = await call.collection.find_relationships_by_property(
        call.user_id,
        request.type_guid,
        request.match_properties,
        request.match_criteria,
        request.limit_results_by_status,
        _as_of_time(call),
        _paging(request),
    )
    return {"relationships": relationships}


async def find_relationships_by_property_value(call: Call) -> Fields:
    request: TypeLimitedFindRequest = call.body
    relationships = await call.collection.find_relationships_by_property_value(
        call.user_id,
        request.type_guid,
        call.query["searchCriteria"],
        request.limit_results_by_status,
        _as_of_time(call),
        _paging(request),
    )
    return {"relationships": relationships}


async def get_linking_entities(call: Call) -> Fields:
    graph = await call.collection.get_linking_entities(
        call.user_id,
        call.path["startEntityGUID"],
        call.query["endEntityGUID"],
        call.body.limit_results_by_status,
        _as_of_time(call),
    )
    return _graph(graph)


async def get_entity_neighborhood(call: Call) -> Fields:
    request: EntityNeighborhoodFindRequest = call.body
    graph = await call.collection.get_entity_neighborhood(
        call.user_id,
        call.path["entityGUID"],
        request.entity_type_guids,
        request.relationship_type_guids,
        request.limit_results_by_status,
        request.limit_results_by_classification,
        _as_of_time(call),
        int(call.query["level"]),
    )
    return _graph(graph)


async def get_related_entities(call: Call) -> Fields:
    request: RelatedEntitiesFindRequest = call.body
    entities = await call.collection.get_related_entities(
        call.user_id,
        call.path["startEntityGUID"],
        request.entity_type_guids,
        request.limit_results_by_status,
        request.limit_results_by_classification,
        _as_of_time(call),
        _paging(request),
    )
    return {"entities": entities}


async def get_home_classifications(call: Call) -> Fields:
    found = call.collection.get_home_classifications(
        call.user_id, call.path["entityGUID"], _as_of_time(call)
    )
    return {"classifications": await answered(found)}


_CRITERIA = (Query(name="searchCriteria"),)
_LEVEL = (Query(name="level", number=True),)
_END = (Query(name="endEntityGUID"),)
_FROM = "/instances/entities/from-entity"

OPERATIONS = (
    Operation("GET", "/instances/entity/{guid}/existence", "isEntityKnown",
              is_entity_known, "EntityDetailResponse"),
    Operation("GET", "/instances/entity/{guid}/summary", "getEntitySummary",
              get_entity_summary, "EntitySummaryResponse"),
    Operation("GET", "/instances/entity/{guid}", "getEntityDetail",
              get_entity_detail, "EntityDetailResponse"),
    Operation("POST", "/instances/entity/{guid}/history", "getEntityDetail",
              get_entity_detail, "EntityDetailResponse", HistoryRequest),
    Operation("POST", "/instances/entity/{guid}/history/all", "getEntityDetailHistory",
              get_entity_detail_history, "EntityListResponse", HistoryRangeRequest,
              enterprise=False),
    Operation("POST", "/instances/entity/{entityGUID}/relationships",
              "getRelationshipsForEntity", get_relationships_for_entity,
              "RelationshipListResponse", TypeLimitedFindRequest),
    Operation("POST", "/instances/entity/{entityGUID}/relationships/history",
              "getRelationshipsForEntityHistory", get_relationships_for_entity,
              "RelationshipListResponse", TypeLimitedHistoricalFindRequest),
    Operation("POST", "/instances/entities", "findEntities",
              find_entities, "EntityListResponse", EntityFindRequest),
    Operation("POST", "/instances/entities/history", "findEntitiesByHistory",
              find_entities, "EntityListResponse", EntityHistoricalFindRequest),
    Operation("POST", "/instances/entities/by-property", "findEntitiesByProperty",
              find_entities_by_property, "EntityListResponse",
              EntityPropertyFindRequest),
    Operation("POST", "/instances/entities/by-property/history",
              "findEntitiesByPropertyHistory", find_entities_by_property,
              "EntityListResponse", EntityPropertyHistoricalFindRequest),
    Operation("POST", "/instances/entities/by-classification/{classificationName}",
              "findEntitiesByClassification", find_entities_by_classification,
              "EntityListResponse", PropertyMatchFindRequest),
    Operation("POST",
              "/instances/entities/by-classification/{classificationName}/history",
              "findEntitiesByClassificationHistory", find_entities_by_classification,
              "EntityListResponse", PropertyMatchHistoricalFindRequest),
    Operation("POST", "/instances/entities/by-property-value",
              "findEntitiesByPropertyValue", find_entities_by_property_value,
              "EntityListResponse", EntityPropertyFindRequest, query=_CRITERIA),
    Operation("POST", "/instances/entities/by-property-value/history",
              "findEntitiesByPropertyValueHistory", find_entities_by_property_value,
              "EntityListResponse", EntityPropertyHistoricalFindRequest,
              query=_CRITERIA),
    Operation("GET", "/instances/relationship/{guid}/existence", "isRelationshipKnown",
              is_relationship_known, "RelationshipResponse"),
    Operation("GET", "/instances/relationship/{guid}", "getRelationship",
              get_relationship, "RelationshipResponse"),
    Operation("POST", "/instances/relationship/{guid}/history", "getRelationship",
              get_relationship, "RelationshipResponse", HistoryRequest),
    Operation("POST", "/instances/relationship/{guid}/history/all",
              "getRelationshipHistory", get_relationship_history,
              "RelationshipListResponse", HistoryRangeRequest, enterprise=False),
    Operation("POST", "/instances/relationships", "findRelationships",
              find_relationships, "RelationshipListResponse", InstanceFindRequest),
    Operation("POST", "/instances/relationships/history", "findRelationshipsByHistory",
              find_relationships, "RelationshipListResponse",
              InstanceHistoricalFindRequest),
    Operation("POST", "/instances/relationships/by-property",
              "findRelationshipsByProperty", find_relationships_by_property,
              "RelationshipListResponse", PropertyMatchFindRequest),
    Operation("POST", "/instances/relationships/by-property/history",
              "findRelationshipsByPropertyHistory", find_relationships_by_property,
              "RelationshipListResponse", PropertyMatchHistoricalFindRequest),
    Operation("POST", "/instances/relationships/by-property-value",
              "findRelationshipsByPropertyValue", find_relationships_by_property_value,
              "RelationshipListResponse", TypeLimitedFindRequest, query=_CRITERIA),
    Operation("POST", "/instances/relationships/by-property-value/history",
              "findRelationshipsByPropertyValueHistory",
              find_relationships_by_property_value, "RelationshipListResponse",
              TypeLimitedHistoricalFindRequest, query=_CRITERIA),
    Operation("POST", _FROM + "/{startEntityGUID}/by-linkage", "getLinkingEntities",
              get_linking_entities, "InstanceGraphResponse", OMRSAPIFindRequest,
              query=_END),
    Operation("POST", _FROM + "/{startEntityGUID}/by-linkage/history",
              "getLinkingEntitiesHistory", get_linking_entities,
              "InstanceGraphResponse", OMRSAPIHistoricalFindRequest, query=_END),
    Operation("POST", _FROM + "/{entityGUID}/by-neighborhood",
              "getEntityNeighborhood", get_entity_neighborhood,
              "InstanceGraphResponse", EntityNeighborhoodFindRequest, query=_LEVEL),
    Operation("POST", _FROM + "/{entityGUID}/by-neighborhood/history",
              "getEntityNeighborhoodHistory", get_entity_neighborhood,
              "InstanceGraphResponse", EntityNeighborhoodHistoricalFindRequest,
              query=_LEVEL),
    # Genuine clients send the historical body to the plain path, so both take it.
    Operation("POST", _FROM + "/{startEntityGUID}/by-relationship",
              "getRelatedEntities", get_related_entities, "EntityListResponse",
              RelatedEntitiesFindRequest),
    Operation("POST", _FROM + "/{startEntityGUID}/by-relationship/history",
              "getRelatedEntitiesHistory", get_related_entities, "EntityListResponse",
              RelatedEntitiesHistoricalFindRequest),
    Operation("GET", "/instances/entity/{entityGUID}/home-classifications",
              "getHomeClassifications", get_home_classifications,
              "ClassificationListResponse", enterprise=False),
    Operation("POST", "/instances/entity/{entityGUID}/home-classifications/history",
              "getHomeClassifications", get_home_classifications,
              "ClassificationListResponse", HistoryRequest, enterprise=False),
)  # fmt: skip
