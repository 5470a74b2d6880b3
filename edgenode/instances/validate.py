"""What an instance may hold: a request against the types, with the error for each fault.

What the types say about cardinality and uniqueness is not enforced, and neither is
what a collection or enum value holds; members of a cohort rely on neither.
"""

from collections.abc import Iterable, Sequence

from edgenode.errors import (
    BadCategoryForTypeError,
    BadInstanceStatusError,
    BadPropertyForTypeError,
    BadPropertyTypeError,
    ClassificationNameMissingError,
    DeletedStatusError,
    InstanceStatusMissingError,
    InstanceTypeMissingError,
    InstanceTypeNotActiveError,
    InvalidClassificationForEntityError,
    InvalidRelationshipEndsError,
    NewPropertiesMissingError,
    PropertyTypeMissingError,
    PropertyValueMissingError,
    TypeDefIdMissingError,
    TypeDefMissingError,
    TypeDefNameMissingError,
    TypeIdNotKnownError,
    TypeMismatchError,
    TypeNotKnownError,
    UnknownClassificationError,
)
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntityProxy,
    InstanceHeader,
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
from edgenode.typedefs.attributes import (
    AttributeTypeDef,
    CollectionDef,
    EnumDef,
    PrimitiveDef,
)
from edgenode.typedefs.model import (
    ClassificationDef,
    RelationshipDef,
    TypeDef,
    TypeDefCategory,
    TypeDefSummary,
)
from edgenode.typedefs.registry import TypeRegistry
from edgenode.typedefs.status import InstanceStatus

_GIVEN_KINDS: tuple[tuple[type[InstancePropertyValue], str], ...] = (
    (PrimitivePropertyValue, "Primitive"),
    (EnumPropertyValue, "Enum"),
    (MapPropertyValue, "Map"),
    (ArrayPropertyValue, "Array"),
    (StructPropertyValue, "Struct"),
)
_EXPECTED_KINDS: tuple[
    tuple[type[AttributeTypeDef], tuple[type[InstancePropertyValue], ...], str],
    ...,
] = (
    (PrimitiveDef, (PrimitivePropertyValue,), "Primitive"),
    (EnumDef, (EnumPropertyValue,), "EnumDef"),
    (
        CollectionDef,
        (MapPropertyValue, ArrayPropertyValue, StructPropertyValue),
        "Collection",
    ),
)


class InstanceValidator:
    """Checks of one repository's instances, whose name the errors carry."""

    __slots__ = ("_repository", "_types")

    def __init__(self, types: TypeRegistry, repository_name: str) -> None:
        self._types = types
        self._repository = repository_name

    # Types

    def type_by_guid(self, guid: str | None, parameter: str, operation: str) -> TypeDef:
        """The type with this GUID.

        Raises:
            TypeDefIdMissingError: There is none given.
            TypeIdNotKnownError: There is no such type.
        """
        if guid is None:
            raise TypeDefIdMissingError(parameter, operation, self._repository)
        known = self._types.type_def_by_guid(guid)
        if known is None:
            raise TypeIdNotKnownError(guid, parameter, operation, self._repository)
        return known

    def category(
        self, type_def: TypeDef, category: TypeDefCategory, operation: str
    ) -> None:
        """Check that a type is of the kind of instance asked for.

        Raises:
            BadCategoryForTypeError: It is not.
        """
        if type_def.category is not category:
            raise BadCategoryForTypeError(
                self._repository,
                type_def.name,
                category.display_name,
                reporting_operation=operation,
            )

    def type_names(
        self, guid: str | None, name: str | None, operation: str
    ) -> tuple[str, str]:
        """Both identifiers that a caller must give of an instance's type.

        Raises:
            TypeDefIdMissingError: The GUID is missing.
            TypeDefNameMissingError: The name is missing.
        """
        if guid is None:
            raise TypeDefIdMissingError("typeDefGUID", operation, self._repository)
        if name is None:
            raise TypeDefNameMissingError("typeDefName", operation, self._repository)
        return guid, name

    def type_of(
        self, header: InstanceHeader, guid: str, name: str, operation: str
    ) -> None:
        """Check that an instance is of the type that a caller names, or inherits from it.

        Raises:
            TypeMismatchError: It is not, or the two name no type.
        """
        known = self._types.type_def(name)
        if known is None:
            fault = "typeDefName"
        elif known.guid != guid:
            fault = "typeDefGUID"
        elif not self._types.is_a(type_name(header), name):
            fault = "type"
        else:
            return
        raise TypeMismatchError(
            name,
            guid,
            operation,
            header.guid,
            self._repository,
            parameter_name=fault,
        )

    def type_summary(
        self, summary: TypeDefSummary | None, parameter: str, operation: str
    ) -> TypeDef:
        """The type that a summary names by both GUID and name.

        Raises:
            TypeDefMissingError: There is no summary.
            TypeNotKnownError: There is no type of this GUID and name.
        """
        if summary is None:
            raise TypeDefMissingError(parameter, operation, self._repository)
        known = self._types.type_def(summary.name)
        if known is None or known.guid != summary.guid:
            raise TypeNotKnownError(
                summary.name, summary.guid, parameter, operation, self._repository
            )
        return known

    def recorded_type(self, header: InstanceHeader) -> TypeDef:
        """The type that an instance of another member says it has.

        Raises:
            InstanceTypeMissingError: It says nothing.
            InstanceTypeNotActiveError: There is no such type here.
        """
        operation = "validateInstanceType"
        recorded = header.type
        if recorded is None or recorded.type_def_name is None:
            raise InstanceTypeMissingError(operation, self._repository)
        known = self._types.type_def(recorded.type_def_name)
        if known is None or known.guid != recorded.type_def_guid:
            raise InstanceTypeNotActiveError(
                operation,
                self._repository,
                header.guid,
                recorded.type_def_name,
                recorded.type_def_guid,
            )
        return known

    # Properties

    def properties(
        self,
        type_def: TypeDef,
        properties: InstanceProperties | None,
        parameter: str,
        operation: str,
    ) -> None:
        """Check properties against a type and its supertypes.

        Raises:
            PropertyValueMissingError: A property has no value object.
            BadPropertyForTypeError: The type has no such property.
            BadPropertyTypeError: The value is of another kind or primitive type.
            PropertyTypeMissingError: A primitive value doesn't say its type.
        """
        if properties is None:
            return
        attributes = self._types.attributes(str(type_def.name))
        for name, value in properties.instance_properties.items():
            attribute = attributes.get(name)
            if attribute is None:
                raise BadPropertyForTypeError(
                    name,
                    type_def.category.display_name,
                    type_def.name,
                    self._repository,
                    reporting_operation=operation,
                )
            if value is None:
                raise PropertyValueMissingError(parameter, operation, self._repository)
            if attribute.attribute_type is not None:
                self._value(
                    type_def,
                    name,
                    value,
                    attribute.attribute_type,
                    parameter,
                    operation,
                )

    def new_properties(
        self,
        type_def: TypeDef,
        properties: InstanceProperties | None,
        operation: str,
    ) -> InstanceProperties:
        """Check the properties of an update, which there must be.

        Raises:
            NewPropertiesMissingError: There are none.
            PropertyErrorException's classes: As for ``properties``.
        """
        if properties is None:
            raise NewPropertiesMissingError("properties", operation, self._repository)
        self.properties(type_def, properties, "properties", operation)
        return properties

    def _value(
        self,
        type_def: TypeDef,
        name: str,
        value: InstancePropertyValue,
        expected: AttributeTypeDef,
        parameter: str,
        operation: str,
    ) -> None:
        given = next(kind for cls, kind in _GIVEN_KINDS if isinstance(value, cls))
        wanted = ""
        for cls, values, kind in _EXPECTED_KINDS:
            if isinstance(expected, cls) and not isinstance(value, values):
                wanted = kind
        if isinstance(value, PrimitivePropertyValue) and isinstance(
            expected, PrimitiveDef
        ):
            category = value.primitive_def_category
            if category is None:
                raise PropertyTypeMissingError(parameter, operation, self._repository)
            if category is not expected.primitive_def_category:
                given, wanted = category.type_name, str(expected.name)
        if wanted:
            raise BadPropertyTypeError(
                name,
                given,
                type_def.category.display_name,
                type_def.name,
                wanted,
                self._repository,
                reporting_operation=operation,
            )

    # Status

    def initial_status(
        self, type_def: TypeDef, status: InstanceStatus | None, operation: str
    ) -> None:
        """Check the status that a new instance shall have, if one is asked for.

        Raises:
            DeletedStatusError: It is DELETED.
            BadInstanceStatusError: The type doesn't allow it.
        """
        if status is not None:
            self._status(type_def, status, "initialStatus", operation)

    def new_status(
        self, type_def: TypeDef, status: InstanceStatus | None, operation: str
    ) -> InstanceStatus:
        """Check the status of an update, which there must be.

        Raises:
            InstanceStatusMissingError: There is none.
            DeletedStatusError: It is DELETED.
            BadInstanceStatusError: The type doesn't allow it.
        """
        if status is None:
            raise InstanceStatusMissingError("newStatus", operation, self._repository)
        self._status(type_def, status, "newStatus", operation)
        return status

    def _status(
        self, type_def: TypeDef, status: InstanceStatus, parameter: str, operation: str
    ) -> None:
        if status is InstanceStatus.DELETED:
            raise DeletedStatusError(
                status.display_name, parameter, operation, self._repository
            )
        if status not in (type_def.valid_instance_status_list or ()):
            raise BadInstanceStatusError(
                status.display_name,
                parameter,
                operation,
                self._repository,
                type_def.name,
            )

    # Classifications

    def classification_type(
        self, name: str | None, operation: str, parameter: str = "classificationName"
    ) -> TypeDef:
        """The type of a classification.

        Raises:
            ClassificationNameMissingError: There is no name given.
            UnknownClassificationError: There is no type of this name.
        """
        if name is None:
            raise ClassificationNameMissingError(parameter, operation, self._repository)
        known = self._types.type_def(name)
        if known is None:
            raise UnknownClassificationError(
                name,
                self._repository,
                reporting_operation=operation,
                parameter_name=parameter,
            )
        return known

    def classifies(
        self, classification: TypeDef, entity_type: str, operation: str
    ) -> None:
        """Check that a classification is for entities of a type.

        Raises:
            InvalidClassificationForEntityError: It isn't.
        """
        if not isinstance(classification, ClassificationDef) or (
            classification.name not in self._types.classifications_of(entity_type)
        ):
            raise InvalidClassificationForEntityError(
                self._repository,
                classification.name,
                entity_type,
                reporting_operation=operation,
            )

    def initial_classifications(
        self,
        type_def: TypeDef,
        classifications: Sequence[Classification | None],
        operation: str,
    ) -> Iterable[Classification]:
        """The classifications that come with a new entity, checked.

        Raises:
            ClassificationNameMissingError: One has no name.
            UnknownClassificationError: There is no type of its name.
            InvalidClassificationForEntityError: It isn't for this type.
            PropertyErrorException's classes: As for ``properties``.
        """
        checked = {}
        parameter = "initialClassifications"
        for classification in classifications:
            name = None if classification is None else classification.name
            known = self.classification_type(name, operation, parameter)
            self.classifies(known, str(type_def.name), operation)
            if classification is not None:
                self.properties(known, classification.properties, parameter, operation)
                checked[name] = classification
        return checked.values()

    # Relationships

    def ends(
        self,
        type_def: RelationshipDef,
        one: EntityDetail | EntityProxy,
        two: EntityDetail | EntityProxy,
        operation: str,
    ) -> None:
        """Check that the ends are of the types that the relationship joins, in order.

        Raises:
            InvalidRelationshipEndsError: They aren't.
        """
        wanted = [
            "" if end is None or end.entity_type is None else str(end.entity_type.name)
            for end in (type_def.end_def1, type_def.end_def2)
        ]
        given = [type_name(one), type_name(two)]
        if all(map(self._types.is_a, given, wanted)):
            return
        raise InvalidRelationshipEndsError(
            operation,
            self._repository,
            type_def.name,
            one.guid,
            given[0],
            wanted[0],
            two.guid,
            given[1],
            wanted[1],
        )


def type_name(header: InstanceHeader) -> str:
    """The name of an instance's type."""
    return "" if header.type is None else header.type.type_def_name or ""
