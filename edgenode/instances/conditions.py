"""What a search asks of an instance, as one small algebra.

Every find operation of the API, of whichever release, becomes one ``Condition``.
The repository compiles it to SQL (``repository/search.py``); ``instances/matching.py``
evaluates it on a decoded instance and is the reference that the SQL is tested against.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from edgenode.clock import EpochMillis
from edgenode.instances.patterns import TextPattern
from edgenode.instances.properties import InstancePropertyValue
from edgenode.typedefs.status import InstanceStatus


class MatchCriteria(Enum):
    """How the conditions of one level combine."""

    ALL = 0
    ANY = 1
    NONE = 2


class PropertyComparisonOperator(Enum):
    """The comparison of one property condition."""

    EQ = 0
    NEQ = 1
    LT = 2
    LTE = 3
    GT = 4
    GTE = 5
    IN = 6
    IS_NULL = 7
    NOT_NULL = 8
    LIKE = 9


class SequencingOrder(Enum):
    """The order of a list of results."""

    ANY = 0
    GUID = 1
    CREATION_DATE_RECENT = 2
    CREATION_DATE_OLDEST = 3
    LAST_UPDATE_RECENT = 4
    LAST_UPDATE_OLDEST = 5
    PROPERTY_ASCENDING = 6
    PROPERTY_DESCENDING = 7


class HistorySequencingOrder(Enum):
    """The order of an instance's versions; BACKWARDS is newest first."""

    FORWARDS = 0
    BACKWARDS = 1


class HeaderField(Enum):
    """The header fields that by-property searches accept beside properties."""

    METADATA_COLLECTION_ID = "metadataCollectionId"
    METADATA_COLLECTION_NAME = "metadataCollectionName"
    TYPE_NAME = "typeName"
    TYPE_GUID = "typeGUID"
    CREATED_BY = "createdBy"
    UPDATED_BY = "updatedBy"
    CREATE_TIME = "createTime"
    UPDATE_TIME = "updateTime"
    EFFECTIVE_FROM = "effectiveFrom"
    EFFECTIVE_TO = "effectiveTo"


@dataclass(frozen=True, slots=True)
class Equals:
    """The value object is equal: class, type GUID and name, primitive category and value."""

    value: InstancePropertyValue


@dataclass(frozen=True, slots=True)
class OneOf:
    """The value object equals one of these."""

    values: tuple[InstancePropertyValue, ...]


@dataclass(frozen=True, slots=True)
class Compares:
    """A number or date is less, or more, than this; the operator is LT, LTE, GT or GTE."""

    operator: PropertyComparisonOperator
    value: int | float


@dataclass(frozen=True, slots=True)
class Matches:
    """A string, or an enum's symbolic name, matches in full."""

    pattern: TextPattern


@dataclass(frozen=True, slots=True)
class Contains:
    """A map, array or struct holds every entry of this one."""

    value: InstancePropertyValue


@dataclass(frozen=True, slots=True)
class Present:
    """There is a value."""


ValueTest = Equals | OneOf | Compares | Matches | Contains | Present


@dataclass(frozen=True, slots=True)
class Property:
    """The named property exists and its value passes the test."""

    name: str
    test: ValueTest


@dataclass(frozen=True, slots=True)
class AnyText:
    """Some string property, enum symbol, or string inside a map, array or struct matches."""

    pattern: TextPattern


@dataclass(frozen=True, slots=True)
class Header:
    """A header field matches the pattern, or is exactly this time in epoch milliseconds."""

    field: HeaderField
    test: TextPattern | EpochMillis


@dataclass(frozen=True, slots=True)
class Classified:
    """The entity carries the classification, whose properties pass the condition if given."""

    name: str
    condition: "Condition | None" = None


@dataclass(frozen=True, slots=True)
class Combined:
    """ALL, ANY or NONE of the conditions hold; of nothing ALL and NONE do, ANY doesn't."""

    criteria: MatchCriteria
    conditions: tuple["Condition", ...]


Condition = Property | AnyText | Header | Classified | Combined


def negated(condition: "Condition") -> Combined:
    """The opposite of a condition."""
    return Combined(MatchCriteria.NONE, (condition,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """Which part of the results, in what order; ``page_size`` 0 means all of the rest."""

    offset: int = 0
    page_size: int = 0
    sequencing_order: SequencingOrder = SequencingOrder.ANY
    sequencing_property: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceQuery:
    """A search for entities or for relationships.

    Attributes:
        type_names: The types to search, subtypes already included; None means all.
        statuses: The states wanted; None means every state but DELETED.
        condition: What must hold; None means nothing.
        as_of_time: The moment asked about; None means now.
    """

    type_names: frozenset[str] | None = None
    statuses: frozenset[InstanceStatus] | None = None
    condition: Condition | None = None
    as_of_time: EpochMillis | None = None
    paging: Paging = Paging()


# The API's own shape of a condition, as callers send it.


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyCondition:
    """One condition: a property, operator and value, or nested conditions."""

    property: str | None = None
    operator: PropertyComparisonOperator | None = None
    value: InstancePropertyValue | None = None
    nested_conditions: "SearchProperties | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchProperties:
    """Conditions on properties."""

    conditions: tuple[PropertyCondition, ...] | None = None
    match_criteria: MatchCriteria = MatchCriteria.ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationCondition:
    """One condition: a classification, and conditions on its properties."""

    name: str | None = None
    match_properties: SearchProperties | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchClassifications:
    """Conditions on classifications."""

    conditions: tuple[ClassificationCondition, ...] | None = None
    match_criteria: MatchCriteria = MatchCriteria.ALL


HEADER_FIELDS: Mapping[str, HeaderField] = {f.value: f for f in HeaderField}
