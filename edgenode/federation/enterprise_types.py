"""Operations on the types of the whole cohort.

Every member is sent every type, so this one has them all: nobody else is asked. What it
can't take over, because it contradicts what it knows, it couldn't answer with either.
"""

from edgenode.federation.enterprise_base import EnterpriseOperations, EnterpriseParts


class EnterpriseTypeOperations(EnterpriseOperations):
    """The types, as this member has them."""

    def __init__(self, parts: EnterpriseParts) -> None:
        super().__init__(parts)
        local = parts.local
        self.get_metadata_collection_id = local.get_metadata_collection_id
        self.get_all_types = local.get_all_types
        self.find_types_by_name = local.find_types_by_name
        self.find_type_defs_by_category = local.find_type_defs_by_category
        self.find_attribute_type_defs_by_category = (
            local.find_attribute_type_defs_by_category
        )
        self.find_type_defs_by_property = local.find_type_defs_by_property
        self.find_types_by_external_id = local.find_types_by_external_id
        self.search_for_type_defs = local.search_for_type_defs
        self.get_type_def_by_guid = local.get_type_def_by_guid
        self.get_attribute_type_def_by_guid = local.get_attribute_type_def_by_guid
        self.get_type_def_by_name = local.get_type_def_by_name
        self.get_attribute_type_def_by_name = local.get_attribute_type_def_by_name
        self.verify_type_def = local.verify_type_def
        self.verify_attribute_type_def = local.verify_attribute_type_def
