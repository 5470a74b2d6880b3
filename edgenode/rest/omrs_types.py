"""Operations on types."""

from edgenode.codec.requests import (
    TypeDefDeleteRequest,
    TypeDefProperties,
    TypeDefReIdentifyRequest,
)
from edgenode.rest.operations import Call, Fields, Operation, Query
from edgenode.typedefs.attributes import AttributeTypeDef, AttributeTypeDefCategory
from edgenode.typedefs.model import (
    TypeDef,
    TypeDefCategory,
    TypeDefGallery,
    TypeDefPatch,
)


def get_metadata_collection_id(call: Call) -> Fields:
    return {
        "metadataCollectionId": call.collection.get_metadata_collection_id(call.user_id)
    }


def _gallery(gallery: TypeDefGallery) -> Fields:
    return {
        "attributeTypeDefs": gallery.attribute_type_defs,
        "typeDefs": gallery.type_defs,
    }


def get_all_types(call: Call) -> Fields:
    return _gallery(call.collection.get_all_types(call.user_id))


def find_types_by_name(call: Call) -> Fields:
    return _gallery(
        call.collection.find_types_by_name(call.user_id, call.query["name"])
    )


def find_type_defs_by_category(call: Call) -> Fields:
    found = call.collection.find_type_defs_by_category(call.user_id, call.body)
    return {"typeDefs": found}


def find_attribute_type_defs_by_category(call: Call) -> Fields:
    found = call.collection.find_attribute_type_defs_by_category(
        call.user_id, call.body
    )
    return {"attributeTypeDefs": found}


def find_type_defs_by_property(call: Call) -> Fields:
    properties = call.body.type_def_properties if call.body else None
    found = call.collection.find_type_defs_by_property(call.user_id, properties)
    return {"typeDefs": found}


def find_types_by_external_id(call: Call) -> Fields:
    found = call.collection.find_types_by_external_id(
        call.user_id,
        call.query.get("standard"),
        call.query.get("organization"),
        call.query.get("identifier"),
    )
    return {"typeDefs": found}


def search_for_type_defs(call: Call) -> Fields:
    found = call.collection.search_for_type_defs(
        call.user_id, call.query["searchCriteria"]
    )
    return {"typeDefs": found}


def get_type_def_by_guid(call: Call) -> Fields:
    guid = call.path["guid"]
    return {"typeDef": call.collection.get_type_def_by_guid(call.user_id, guid)}


def get_attribute_type_def_by_guid(call: Call) -> Fields:
    found = call.collection.get_attribute_type_def_by_guid(
        call.user_id, call.path["guid"]
    )
    return {"attributeTypeDef": found}


def get_type_def_by_name(call: Call) -> Fields:
    name = call.path["name"]
    return {"typeDef": call.collection.get_type_def_by_name(call.user_id, name)}


def get_attribute_type_def_by_name(call: Call) -> Fields:
    found = call.collection.get_attribute_type_def_by_name(
        call.user_id, call.path["name"]
    )
    return {"attributeTypeDef": found}


async def add_type_def_gallery(call: Call) -> Fields:
    await call.collection.add_type_def_gallery(call.user_id, call.body)
    return {}


async def add_type_def(call: Call) -> Fields:
    await call.collection.add_type_def(call.user_id, call.body)
    return {}


async def add_attribute_type_def(call: Call) -> Fields:
    await call.collection.add_attribute_type_def(call.user_id, call.body)
    return {}


def verify_type_def(call: Call) -> Fields:
    return {"flag": call.collection.verify_type_def(call.user_id, call.body)}


def verify_attribute_type_def(call: Call) -> Fields:
    return {"flag": call.collection.verify_attribute_type_def(call.user_id, call.body)}


async def update_type_def(call: Call) -> Fields:
    return {"typeDef": await call.collection.update_type_def(call.user_id, call.body)}


def _obsolete_name(call: Call) -> str | None:
    # Servers take the name from the query, genuine clients send it in the body.
    in_query = call.query.get("name")
    if in_query is not None or call.body is None:
        return in_query
    name: str | None = call.body.obsolete_type_def_name
    return name


async def delete_type_def(call: Call) -> Fields:
    await call.collection.delete_type_def(
        call.user_id, call.path["guid"], _obsolete_name(call)
    )
    return {}


async def delete_attribute_type_def(call: Call) -> Fields:
    await call.collection.delete_attribute_type_def(
        call.user_id, call.path["guid"], _obsolete_name(call)
    )
    return {}


async def re_identify_type_def(call: Call) -> Fields:
    request: TypeDefReIdentifyRequest = call.body
    changed = await call.collection.re_identify_type_def(
        call.user_id,
        call.path["originalTypeDefGUID"],
        request.original_type_def_name,
        request.new_type_def_guid,
        request.new_type_def_name,
    )
    return {"typeDef": changed}


async def re_identify_attribute_type_def(call: Call) -> Fields:
    request: TypeDefReIdentifyRequest = call.body
    changed = await call.collection.re_identify_attribute_type_def(
        call.user_id,
        call.path["originalAttributeTypeDefGUID"],
        request.original_type_def_name,
        request.new_type_def_guid,
        request.new_type_def_name,
    )
    return {"attributeTypeDef": changed}


_NAME = (Query(name="name"),)
_OBSOLETE_NAME = (Query(name="name", required=False),)
_EXTERNAL_ID = tuple(
    Query(name=name, required=False)
    for name in ("standard", "organization", "identifier")
)

OPERATIONS = (
    Operation("GET", "/metadata-collection-id", "getMetadataCollectionId",
              get_metadata_collection_id, "MetadataCollectionIdResponse"),
    Operation("GET", "/types/all", "getAllTypes",
              get_all_types, "TypeDefGalleryResponse"),
    Operation("GET", "/types/by-name", "findTypesByName",
              find_types_by_name, "TypeDefGalleryResponse", query=_NAME),
    Operation("POST", "/types/typedefs/by-category", "findTypeDefsByCategory",
              find_type_defs_by_category, "TypeDefListResponse", TypeDefCategory),
    Operation("POST", "/types/attribute-typedefs/by-category",
              "findAttributeTypeDefsByCategory", find_attribute_type_defs_by_category,
              "AttributeTypeDefListResponse", AttributeTypeDefCategory),
    Operation("GET", "/types/typedefs/by-property", "findTypeDefsByProperty",
              find_type_defs_by_property, "TypeDefListResponse", TypeDefProperties,
              body_required=False),
    Operation("GET", "/types/typedefs/by-external-id", "findTypesByExternalID",
              find_types_by_external_id, "TypeDefListResponse", query=_EXTERNAL_ID),
    Operation("GET", "/types/typedefs/by-property-value", "searchForTypeDefs",
              search_for_type_defs, "TypeDefListResponse",
              query=(Query(name="searchCriteria"),)),
    Operation("GET", "/types/typedef/{guid}", "getTypeDefByGUID",
              get_type_def_by_guid, "TypeDefResponse"),
    Operation("GET", "/types/attribute-typedef/{guid}", "getAttributeTypeDefByGUID",
              get_attribute_type_def_by_guid, "AttributeTypeDefResponse"),
    Operation("GET", "/types/typedef/name/{name}", "getTypeDefByName",
              get_type_def_by_name, "TypeDefResponse"),
    Operation("GET", "/types/attribute-typedef/name/{name}", "getAttributeTypeDefByName",
              get_attribute_type_def_by_name, "AttributeTypeDefResponse"),
    Operation("POST", "/types", "addTypeDefGallery",
              add_type_def_gallery, "VoidResponse", TypeDefGallery, enterprise=False),
    Operation("POST", "/types/typedef", "addTypeDef",
              add_type_def, "VoidResponse", TypeDef, enterprise=False),
    Operation("POST", "/types/attribute-typedef", "addAttributeTypeDef",
              add_attribute_type_def, "VoidResponse", AttributeTypeDef,
              enterprise=False),
    Operation("POST", "/types/typedef/compatibility", "verifyTypeDef",
              verify_type_def, "BooleanResponse", TypeDef),
    Operation("POST", "/types/attribute-typedef/compatibility",
              "verifyAttributeTypeDef", verify_attribute_type_def, "BooleanResponse",
              AttributeTypeDef),
    Operation("POST", "/types/typedef/update", "updateTypeDef",
              update_type_def, "TypeDefResponse", TypeDefPatch, enterprise=False),
    Operation("POST", "/types/typedef/{guid}/delete", "deleteTypeDef",
              delete_type_def, "VoidResponse", TypeDefDeleteRequest,
              body_required=False, query=_OBSOLETE_NAME, enterprise=False),
    Operation("POST", "/types/attribute-typedef/{guid}/delete",
              "deleteAttributeTypeDef", delete_attribute_type_def, "VoidResponse",
              TypeDefDeleteRequest, body_required=False, query=_OBSOLETE_NAME,
              enterprise=False),
    Operation("POST", "/types/typedef/{originalTypeDefGUID}/identifier",
              "reIdentifyTypeDef", re_identify_type_def, "TypeDefResponse",
              TypeDefReIdentifyRequest, enterprise=False),
    Operation("POST",
              "/types/attribute-typedef/{originalAttributeTypeDefGUID}/identifier",
              "reIdentifyAttributeTypeDef", re_identify_attribute_type_def,
              "AttributeTypeDefResponse", TypeDefReIdentifyRequest, enterprise=False),
)  # fmt: skip
