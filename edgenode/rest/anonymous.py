"""The operations without a user in their path; of old clients, and all but useless.

Genuine members call the first once for each connection. The reads pass no user on,
which the collection refuses, as it does on the genuine side.
"""

from edgenode.rest.omrs_find import get_entity_detail, get_relationship
from edgenode.rest.operations import Call, Fields, Operation


def get_metadata_collection_id(call: Call) -> Fields:
    # Asked by members before they know a user: the server asks for itself.
    collection_id = call.collection.get_metadata_collection_id(call.server.name)
    return {"metadataCollectionId": collection_id}


OPERATIONS = (
    Operation("GET", "/metadata-collection-id", "getMetadataCollectionId",
              get_metadata_collection_id, "MetadataCollectionIdResponse"),
    Operation("GET", "/instances/entity/{guid}", "getEntityDetail",
              get_entity_detail, "EntityDetailResponse"),
    Operation("GET", "/instances/relationship/{guid}", "getRelationship",
              get_relationship, "RelationshipResponse"),
)  # fmt: skip
