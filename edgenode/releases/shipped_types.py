"""The type sets that ship with the releases.

A set is a JSON file of facts: an object with the ``origin`` and ``versionName`` of all
its types and lists of ``attributeTypes``, ``entities``, ``relationships`` and
``classifications``. Each entry has the wire's field names, except that other types
are referred to by name, times are epoch milliseconds, and a field with its usual value
(``TYPE``, ``ATTRIBUTE``) is left out. There are no descriptions; those come with the
release's own archive.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from sys import intern
from typing import Any

from edgenode.releases.release import Release
from edgenode.typedefs.attributes import (
    AttributeTypeDef,
    CollectionDef,
    CollectionDefCategory,
    EnumDef,
    EnumElementDef,
    PrimitiveDef,
    PrimitiveDefCategory,
)
from edgenode.typedefs.model import (
    AttributeCardinality,
    ClassificationDef,
    ClassificationPropagationRule,
    EntityDef,
    RelationshipDef,
    RelationshipEndCardinality,
    RelationshipEndDef,
    TypeDefAttribute,
    TypeDefAttributeStatus,
    TypeDefLink,
    TypeDefStatus,
)
from edgenode.typedefs.registry import TypeRegistry
from edgenode.typedefs.status import InstanceStatus

Row = dict[str, Any]

TYPE: Row = {
    "status": "ACTIVE_TYPEDEF",
    "version": 1,
    "createdBy": "ODPi Egeria",
    "validInstanceStatusList": ["ACTIVE", "DELETED"],
    "initialStatus": "ACTIVE",
    "propagationRule": "NONE",
    "multiLink": False,
    "propagatable": False,
}
"""The usual values of a type's fields."""

ATTRIBUTE: Row = {
    "attributeStatus": "ACTIVE_ATTRIBUTE",
    "valuesMinCount": 0,
    "valuesMaxCount": 1,
    "unique": False,
    "attributeCardinality": "AT_MOST_ONE",
    "indexable": True,
}
"""The usual values of an attribute's fields."""


def type_set_file(release: Release) -> Path:
    """Where a release's type set is."""
    return Path(__file__).with_name("data") / release.types_resource


def load_release_types(release: Release) -> TypeRegistry:
    """A new registry that holds the type set of a release and nothing else."""
    return _TypeSet(json.loads(type_set_file(release).read_bytes())).registry()


class _TypeSet:
    """Builds the definitions of one set; what repeats is one object."""

    def __init__(self, facts: Row) -> None:
        self._facts = facts
        self._usual_type = TYPE | {"versionName": facts["versionName"]}
        self._origin: str = facts["origin"]
        self._attribute_types: dict[str, AttributeTypeDef] = {}
        self._attributes: dict[tuple[Any, ...], TypeDefAttribute] = {}
        self._statuses: dict[tuple[str, ...], tuple[InstanceStatus, ...]] = {}
        # A link says what its author knew: the type was active when it was written.
        self._links = {
            row["name"]: TypeDefLink(
                guid=row["guid"],
                name=row["name"],
                status=TypeDefStatus.ACTIVE_TYPEDEF,
            )
            for kind in ("entities", "relationships", "classifications")
            for row in facts[kind]
        }

    def registry(self) -> TypeRegistry:
        for row in self._facts["attributeTypes"]:
            self._attribute_types[row["name"]] = self._attribute_type(row)
        return TypeRegistry(
            [
                *self._attribute_types.values(),
                *map(self._entity, self._facts["entities"]),
                *map(self._relationship, self._facts["relationships"]),
                *map(self._classification, self._facts["classifications"]),
            ]
        )

    def _attribute_type(self, row: Row) -> AttributeTypeDef:
        row = self._usual_type | row
        shared = {
            "guid": row["guid"],
            "name": row["name"],
            "version": row["version"],
            "version_name": row["versionName"],
        }
        if row["class"] == "PrimitiveDef":
            category = PrimitiveDefCategory[row["primitiveDefCategory"]]
            return PrimitiveDef(**shared, primitive_def_category=category)
        if row["class"] == "CollectionDef":
            return CollectionDef(
                **shared,
                collection_def_category=CollectionDefCategory[
                    row["collectionDefCategory"]
                ],
                argument_count=row["argumentCount"],
                argument_types=tuple(
                    PrimitiveDefCategory[name] for name in row["argumentTypes"]
                ),
            )
        default = row.get("defaultValue")
        return EnumDef(
            **shared,
            element_defs=tuple(EnumElementDef(**entry) for entry in row["elementDefs"]),
            default_value=None if default is None else EnumElementDef(**default),
        )

    def _attribute(self, row: Row) -> TypeDefAttribute:
        key = tuple(row.items())
        known = self._attributes.get(key)
        if known is None:
            row = ATTRIBUTE | row
            known = self._attributes[key] = TypeDefAttribute(
                attribute_name=intern(row["attributeName"]),
                attribute_type=self._attribute_types[row["attributeType"]],
                attribute_status=TypeDefAttributeStatus[row["attributeStatus"]],
                replaced_by_attribute=row.get("replacedByAttribute"),
                values_min_count=row["valuesMinCount"],
                values_max_count=row["valuesMaxCount"],
                unique=row["unique"],
                attribute_cardinality=AttributeCardinality[row["attributeCardinality"]],
                indexable=row["indexable"],
            )
        return known

    def _end(self, row: Row) -> RelationshipEndDef:
        return RelationshipEndDef(
            entity_type=self._links[row["entityType"]],
            attribute_name=intern(row["attributeName"]),
            attribute_cardinality=RelationshipEndCardinality[
                row["attributeCardinality"]
            ],
        )

    def _shared(self, row: Row) -> Mapping[str, Any]:
        attributes = row.get("propertiesDefinition")
        created_by, updated_by = row["createdBy"], row.get("updatedBy")
        return {
            "guid": row["guid"],
            "name": intern(row["name"]),
            "status": TypeDefStatus[row["status"]],
            "version": row["version"],
            "version_name": row["versionName"],
            "super_type": self._links[row["superType"]] if "superType" in row else None,
            "origin": self._origin,
            "created_by": intern(created_by),
            "updated_by": updated_by and intern(updated_by),
            "create_time": row["createTime"],
            "update_time": row.get("updateTime"),
            "valid_instance_status_list": self._status_list(
                row["validInstanceStatusList"]
            ),
            "initial_status": InstanceStatus[row["initialStatus"]],
            "properties_definition": attributes
            and tuple(map(self._attribute, attributes)),
        }

    def _status_list(self, names: list[str]) -> tuple[InstanceStatus, ...]:
        key = tuple(names)
        known = self._statuses.get(key)
        if known is None:
            known = self._statuses[key] = tuple(InstanceStatus[name] for name in names)
        return known

    def _entity(self, row: Row) -> EntityDef:
        return EntityDef(**self._shared(self._usual_type | row))

    def _relationship(self, row: Row) -> RelationshipDef:
        row = self._usual_type | row
        return RelationshipDef(
            **self._shared(row),
            propagation_rule=ClassificationPropagationRule[row["propagationRule"]],
            end_def1=self._end(row["endDef1"]),
            end_def2=self._end(row["endDef2"]),
            multi_link=row["multiLink"],
        )

    def _classification(self, row: Row) -> ClassificationDef:
        row = self._usual_type | row
        return ClassificationDef(
            **self._shared(row),
            valid_entity_defs=tuple(
                self._links[name] for name in row["validEntityDefs"]
            ),
            propagatable=row["propagatable"],
        )
