"""Search conditions evaluated on decoded instances: the reference for the SQL search.

The rules are those of section 9 of the OMRS behaviour as genuine 4.2 shows it.
A pattern that takes longer than ``timeout`` seconds on one text raises TimeoutError.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from edgenode.clock import EpochMillis
from edgenode.instances.conditions import (
    AnyText,
    Classified,
    Combined,
    Compares,
    Condition,
    Contains,
    Equals,
    Header,
    HeaderField,
    InstanceQuery,
    MatchCriteria,
    Matches,
    OneOf,
    Present,
    Property,
    PropertyComparisonOperator,
    SequencingOrder,
    ValueTest,
)
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntitySummary,
    Relationship,
)
from edgenode.instances.patterns import TextPattern, matches
from edgenode.instances.properties import (
    ArrayPropertyValue,
    EnumPropertyValue,
    InstanceProperties,
    InstancePropertyValue,
    MapPropertyValue,
    PrimitivePropertyValue,
    StructPropertyValue,
)
from edgenode.typedefs.attributes import PrimitiveDefCategory
from edgenode.typedefs.status import InstanceStatus

Instance = EntityDetail | Relationship | Classification
InstanceT = TypeVar("InstanceT", EntityDetail, Relationship)

DESCENDING = frozenset(
    {
        SequencingOrder.CREATION_DATE_RECENT,
        SequencingOrder.LAST_UPDATE_RECENT,
        SequencingOrder.PROPERTY_DESCENDING,
    }
)
"""The orders in which what compares higher comes first."""


def matches_query(
    query: InstanceQuery, instance: EntityDetail | Relationship, timeout: float
) -> bool:
    """Whether a search finds this state of an instance."""
    type_name = instance.type.type_def_name if instance.type else None
    if query.type_names is not None and type_name not in query.type_names:
        return False
    if query.statuses is None:
        if instance.status is InstanceStatus.DELETED:
            return False
    elif instance.status not in query.statuses:
        return False
    return query.condition is None or matches_instance(
        query.condition, instance, timeout
    )


def matches_instance(condition: Condition, instance: Instance, timeout: float) -> bool:
    """Whether the condition holds for an instance, or for a classification alone."""
    match condition:
        case Property(name, test):
            value = _entries(instance.properties).get(name)
            return value is not None and value_matches(test, value, timeout)
        case AnyText(pattern):
            return any(
                matches(pattern, text, timeout)
                for value in _entries(instance.properties).values()
                for text in texts_within(value)
            )
        case Header(header_field, test):
            return _header_matches(header_field, test, instance, timeout)
        case Classified(name, inner):
            return _is_classified(name, inner, instance, timeout)
        case Combined(criteria, conditions):
            held = (matches_instance(each, instance, timeout) for each in conditions)
            match criteria:
                case MatchCriteria.ALL:
                    return all(held)
                case MatchCriteria.ANY:
                    return any(held)
                case MatchCriteria.NONE:
                    return not any(held)


def value_matches(
    test: ValueTest, value: InstancePropertyValue, timeout: float
) -> bool:
    """Whether a property's value passes a test."""
    match test:
        case Present():
            return True
        case Equals(wanted):
            return same_value(value, wanted)
        case OneOf(wanted_values):
            return any(same_value(value, wanted) for wanted in wanted_values)
        case Compares(operator, bound):
            number = _number(value)
            return number is not None and _compares(operator, number, bound)
        case Matches(pattern):
            text = text_of(value)
            return text is not None and matches(pattern, text, timeout)
        case Contains(part):
            return type(value) is type(part) and _holds(_content(value), _content(part))


def same_value(value: InstancePropertyValue, other: InstancePropertyValue) -> bool:
    """Equality of value objects: class, type GUID and name, category and value."""
    if (
        type(value) is not type(other)
        or value.type_guid != other.type_guid
        or value.type_name != other.type_name
    ):
        return False
    match value, other:
        case PrimitivePropertyValue(), PrimitivePropertyValue():
            return (
                value.primitive_def_category is other.primitive_def_category
                and type(value.primitive_value) is type(other.primitive_value)
                and value.primitive_value == other.primitive_value
            )
        case EnumPropertyValue(), EnumPropertyValue():
            return (
                value.ordinal == other.ordinal
                and value.symbolic_name == other.symbolic_name
                and value.description == other.description
            )
        case _:
            inner, wanted = entries_within(value), entries_within(other)
            return inner.keys() == wanted.keys() and all(
                same_value(inner[key], wanted[key]) for key in inner
            )


def text_of(value: InstancePropertyValue) -> str | None:
    """The text that patterns look at: a string, or an enum's symbolic name."""
    if isinstance(value, EnumPropertyValue):
        return value.symbolic_name
    if (
        isinstance(value, PrimitivePropertyValue)
        and value.primitive_def_category
        is PrimitiveDefCategory.OM_PRIMITIVE_TYPE_STRING
        and isinstance(value.primitive_value, str)
    ):
        return value.primitive_value
    return None


def texts_within(value: InstancePropertyValue) -> Iterator[str]:
    """The texts of a value and of everything nested in it."""
    text = text_of(value)
    if text is not None:
        yield text
    for inner in entries_within(value).values():
        yield from texts_within(inner)


def entries_within(value: InstancePropertyValue) -> dict[str, InstancePropertyValue]:
    """The values directly inside a map, array or struct, by key; else none."""
    match value:
        case MapPropertyValue():
            return _entries(value.map_values)
        case ArrayPropertyValue():
            return _entries(value.array_values)
        case StructPropertyValue():
            return _entries(value.attributes)
        case _:
            return {}


def sequenced(
    instances: Iterable[InstanceT],
    order: SequencingOrder,
    property_name: str | None = None,
) -> list[InstanceT]:
    """The instances in an order; those that it doesn't tell apart by GUID.

    Without an order they stay as they come.
    """
    if order is SequencingOrder.ANY:
        return list(instances)
    return sorted(
        sorted(instances, key=lambda instance: str(instance.guid)),
        key=lambda instance: sort_key(instance, order, property_name),
        reverse=order in DESCENDING,
    )


def sort_key(
    instance: EntityDetail | Relationship,
    order: SequencingOrder,
    property_name: str | None = None,
) -> tuple[int, int | float | str]:
    """What an order compares: nothing known comes lowest, then numbers, then texts.

    Dates compare as numbers, enums by ordinal, texts by code unit; a map, array or
    struct counts as nothing.
    """
    match order:
        case SequencingOrder.ANY:
            return _rank(None)
        case SequencingOrder.GUID:
            return _rank(instance.guid)
        case (
            SequencingOrder.CREATION_DATE_RECENT | SequencingOrder.CREATION_DATE_OLDEST
        ):
            return _rank(instance.create_time)
        case SequencingOrder.LAST_UPDATE_RECENT | SequencingOrder.LAST_UPDATE_OLDEST:
            return _rank(instance.update_time)
        case SequencingOrder.PROPERTY_ASCENDING | SequencingOrder.PROPERTY_DESCENDING:
            value = _entries(instance.properties).get(property_name or "")
            match value:
                case PrimitivePropertyValue(primitive_value=str(text)):
                    return _rank(in_code_units(text))
                case PrimitivePropertyValue():
                    return _rank(value.primitive_value)
                case EnumPropertyValue():
                    return _rank(value.ordinal)
                case _:
                    return _rank(None)


def in_code_units(text: str) -> str:
    """A text whose order by code points is the order of the given one by UTF-16 code units.

    They differ only in that what takes two code units comes before U+E000 and all above.
    """
    return _ABOVE_SURROGATES.sub(lambda found: "\U0010ffff" + found[0], text)


_ABOVE_SURROGATES = re.compile("[\ue000-\uffff]")


def _rank(value: str | float | None) -> tuple[int, int | float | str]:
    if value is None:
        return (0, 0)
    return (2, value) if isinstance(value, str) else (1, value)


def _entries(properties: InstanceProperties | None) -> dict[str, InstancePropertyValue]:
    if properties is None:
        return {}
    return {
        name: value
        for name, value in properties.instance_properties.items()
        if value is not None
    }


def _number(value: InstancePropertyValue) -> int | float | None:
    if isinstance(value, PrimitivePropertyValue):
        number = value.primitive_value
        if isinstance(number, int | float) and not isinstance(number, bool):
            return number
    return None


def _compares(
    operator: PropertyComparisonOperator, number: float, bound: float
) -> bool:
    match operator:
        case PropertyComparisonOperator.LT:
            return number < bound
        case PropertyComparisonOperator.LTE:
            return number <= bound
        case PropertyComparisonOperator.GT:
            return number > bound
        case PropertyComparisonOperator.GTE:
            return number >= bound
        case _:
            raise ValueError(operator)


def _content(value: InstancePropertyValue) -> object:
    """A value without its types: scalars, enum symbols, dicts and lists."""
    match value:
        case PrimitivePropertyValue():
            return value.primitive_value
        case EnumPropertyValue():
            return value.symbolic_name
        case ArrayPropertyValue():
            return [_content(inner) for inner in entries_within(value).values()]
        case _:
            inside = entries_within(value)
            return {key: _content(inner) for key, inner in inside.items()}


def _holds(whole: object, part: object) -> bool:
    """Whether every entry of ``part`` is in ``whole``, at whatever place in a list."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(
            key in whole and _holds(whole[key], inner) for key, inner in part.items()
        )
    if isinstance(part, list) and isinstance(whole, list):
        return all(any(_holds(entry, inner) for entry in whole) for inner in part)
    return type(whole) is type(part) and whole == part


def _is_classified(
    name: str, condition: Condition | None, instance: Instance, timeout: float
) -> bool:
    if not isinstance(instance, EntitySummary):
        return False
    return any(
        classification.name == name
        and (condition is None or matches_instance(condition, classification, timeout))
        for classification in instance.classifications or ()
    )


def _header_matches(
    header_field: HeaderField,
    test: TextPattern | EpochMillis,
    instance: Instance,
    timeout: float,
) -> bool:
    value = _HEADER_VALUES[header_field](instance)
    if value is None:
        return False
    if isinstance(test, TextPattern):
        return isinstance(value, str) and matches(test, value, timeout)
    return value == test


_HEADER_VALUES: Mapping[HeaderField, Callable[[Instance], str | int | None]] = {
    HeaderField.METADATA_COLLECTION_ID: lambda of: of.metadata_collection_id,
    HeaderField.METADATA_COLLECTION_NAME: lambda of: of.metadata_collection_name,
    HeaderField.TYPE_NAME: lambda of: of.type.type_def_name if of.type else None,
    HeaderField.TYPE_GUID: lambda of: of.type.type_def_guid if of.type else None,
    HeaderField.CREATED_BY: lambda of: of.created_by,
    HeaderField.UPDATED_BY: lambda of: of.updated_by,
    HeaderField.CREATE_TIME: lambda of: of.create_time,
    HeaderField.UPDATE_TIME: lambda of: of.update_time,
    HeaderField.EFFECTIVE_FROM: lambda of: (
        of.properties.effective_from_time if of.properties else None
    ),
    HeaderField.EFFECTIVE_TO: lambda of: (
        of.properties.effective_to_time if of.properties else None
    ),
}
