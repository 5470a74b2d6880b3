"""What an instance may hold, kind by kind."""

from typing import Any

import pytest

from edgenode.errors import (
    BadPropertyForTypeError,
    BadPropertyTypeError,
    OMRSError,
    PropertyTypeMissingError,
)
from edgenode.instances.properties import (
    ArrayPropertyValue,
    EnumPropertyValue,
    InstanceProperties,
    InstancePropertyValue,
    MapPropertyValue,
    PrimitivePropertyValue,
    StructPropertyValue,
)
from edgenode.instances.validate import InstanceValidator
from edgenode.typedefs.attributes import PrimitiveDefCategory
from edgenode.typedefs.model import RelationshipDef, TypeDef
from edgenode.typedefs.status import InstanceStatus
from tests.model.house import (
    number,
    primitive,
    properties,
    remote_entity,
    remote_proxy,
    text,
    types,
)

VALIDATOR = InstanceValidator(types(), "node")


def known(name: str) -> TypeDef:
    found = types().type_def(name)
    assert found is not None
    return found


def check(type_name: str, values: InstanceProperties | None) -> None:
    VALIDATOR.properties(known(type_name), values, "properties", "op")


@pytest.mark.parametrize(
    ("type_name", "values"),
    [
        ("GlossaryTerm", None),
        ("GlossaryTerm", properties()),
        ("GlossaryTerm", properties(qualifiedName="inherited", summary="own")),
        ("GlossaryTerm", properties(additionalProperties=MapPropertyValue())),
        ("GlossaryTerm", properties(additionalProperties=ArrayPropertyValue())),
        ("GlossaryTerm", properties(additionalProperties=StructPropertyValue())),
        ("TermCategorization", properties(status=EnumPropertyValue(ordinal=99))),
        ("TermCategorization", properties(status=EnumPropertyValue(type_name="x"))),
        ("Confidentiality", properties(levelIdentifier=number(3))),
        (
            "GlossaryTerm",
            properties(
                qualifiedName=primitive(
                    PrimitiveDefCategory.OM_PRIMITIVE_TYPE_STRING, None
                )
            ),
        ),
    ],
)
def test_what_a_type_allows(type_name: str, values: Any) -> None:
    check(type_name, values)
    assert values is None or set(values.instance_properties) <= set(
        types().attributes(type_name)
    )


@pytest.mark.parametrize(
    ("type_name", "name", "value", "given", "wanted"),
    [
        ("GlossaryTerm", "qualifiedName", number(1), "int", "string"),
        ("GlossaryTerm", "qualifiedName", EnumPropertyValue(), "Enum", "Primitive"),
        ("GlossaryTerm", "qualifiedName", MapPropertyValue(), "Map", "Primitive"),
        ("GlossaryTerm", "qualifiedName", ArrayPropertyValue(), "Array", "Primitive"),
        ("GlossaryTerm", "qualifiedName", StructPropertyValue(), "Struct", "Primitive"),
        ("GlossaryTerm", "additionalProperties", text("x"), "Primitive", "Collection"),
        (
            "GlossaryTerm",
            "additionalProperties",
            EnumPropertyValue(),
            "Enum",
            "Collection",
        ),
        ("TermCategorization", "status", text("x"), "Primitive", "EnumDef"),
        ("TermCategorization", "status", MapPropertyValue(), "Map", "EnumDef"),
    ],
)
def test_a_value_of_another_kind(
    type_name: str, name: str, value: InstancePropertyValue, given: str, wanted: str
) -> None:
    with pytest.raises(BadPropertyTypeError) as refused:
        check(type_name, properties(**{name: value}))
    category = known(type_name).category.display_name
    assert refused.value.parameters == (
        name,
        given,
        category,
        type_name,
        wanted,
        "node",
    )
    assert refused.value.reporting_operation == "op"


def test_a_value_without_its_type() -> None:
    with pytest.raises(PropertyTypeMissingError):
        check("GlossaryTerm", properties(qualifiedName=PrimitivePropertyValue()))


@pytest.mark.parametrize("type_name", ["OpenMetadataRoot", "SpineObject", "TermAnchor"])
def test_a_type_without_properties_has_none(type_name: str) -> None:
    with pytest.raises(BadPropertyForTypeError):
        check(type_name, properties(qualifiedName="x"))


@pytest.mark.parametrize("status", InstanceStatus)
def test_a_type_has_its_own_states(status: InstanceStatus) -> None:
    type_def = known("ControlledGlossaryTerm")
    try:
        VALIDATOR.initial_status(type_def, status, "op")
        accepted = True
    except OMRSError:
        accepted = False
    allowed = type_def.valid_instance_status_list or ()
    wanted = status in allowed and status is not InstanceStatus.DELETED
    assert accepted is wanted


def test_a_relationship_joins_subtypes_too() -> None:
    relationship_def = known("SemanticAssignment")
    assert isinstance(relationship_def, RelationshipDef)
    ends = remote_entity(), remote_proxy()
    VALIDATOR.ends(relationship_def, *ends, "op")
    assert relationship_def.end_def1 is not None
    assert relationship_def.end_def1.entity_type is not None
    assert relationship_def.end_def1.entity_type.name == "Referenceable"
