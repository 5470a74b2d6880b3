"""What callers ask a search for, as the conditions that the repository understands."""

from collections.abc import Iterable
from dataclasses import dataclass

from edgenode.errors import (
    InvalidClassificationSearchError,
    InvalidLikeConditionError,
    InvalidListConditionError,
    InvalidNumericConditionError,
    InvalidPropertyForSearchError,
    InvalidPropertySearchError,
    InvalidSearchPatternError,
)
from edgenode.instances.conditions import (
    HEADER_FIELDS,
    AnyText,
    Classified,
    Combined,
    Compares,
    Condition,
    Contains,
    Equals,
    Header,
    HeaderField,
    MatchCriteria,
    Matches,
    OneOf,
    Present,
    Property,
    PropertyComparisonOperator,
    PropertyCondition,
    SearchClassifications,
    SearchProperties,
    ValueTest,
    negated,
)
from edgenode.instances.patterns import PatternSyntaxError, TextPattern, parse_pattern
from edgenode.instances.properties import (
    ArrayPropertyValue,
    EnumPropertyValue,
    InstanceProperties,
    InstancePropertyValue,
    PrimitivePropertyValue,
)
from edgenode.typedefs.attributes import PrimitiveDefCategory as Primitive

_JAVA_PATTERN_ERROR = "java.util.regex.PatternSyntaxException"
_NEVER = Combined(MatchCriteria.ANY, ())

_TIMES = frozenset(
    {
        HeaderField.CREATE_TIME,
        HeaderField.UPDATE_TIME,
        HeaderField.EFFECTIVE_FROM,
        HeaderField.EFFECTIVE_TO,
    }
)
_ORDERED = frozenset(
    {
        Primitive.OM_PRIMITIVE_TYPE_BYTE,
        Primitive.OM_PRIMITIVE_TYPE_SHORT,
        Primitive.OM_PRIMITIVE_TYPE_INT,
        Primitive.OM_PRIMITIVE_TYPE_LONG,
        Primitive.OM_PRIMITIVE_TYPE_FLOAT,
        Primitive.OM_PRIMITIVE_TYPE_DOUBLE,
        Primitive.OM_PRIMITIVE_TYPE_BIGINTEGER,
        Primitive.OM_PRIMITIVE_TYPE_BIGDECIMAL,
        Primitive.OM_PRIMITIVE_TYPE_DATE,
    }
)
_COMPARISONS = {
    PropertyComparisonOperator.LT: "Less than",
    PropertyComparisonOperator.LTE: "Less than or equal",
    PropertyComparisonOperator.GT: "Greater than",
    PropertyComparisonOperator.GTE: "Greater than or equal",
}
"""The names that errors show of these operators."""


def all_of(conditions: Iterable[Condition | None]) -> Condition | None:
    """All conditions that there are, or None where there are none."""
    given = tuple(condition for condition in conditions if condition is not None)
    if len(given) > 1:
        return Combined(MatchCriteria.ALL, given)
    return given[0] if given else None


def any_classification(names: Iterable[str] | None) -> Condition | None:
    """At least one of these classifications; no names make no condition."""
    wanted = tuple(Classified(name) for name in names or ())
    return Combined(MatchCriteria.ANY, wanted) if wanted else None


def any_text(criteria: str, operation: str, repository: str) -> Condition:
    """Some text of the instance matches.

    Raises:
        InvalidPropertyForSearchError: The pattern is invalid.
    """
    try:
        return AnyText(parse_pattern(criteria))
    except PatternSyntaxError as error:
        raise InvalidPropertyForSearchError(
            _JAVA_PATTERN_ERROR, criteria, operation, repository, error
        ) from error


# By example properties


def by_properties(
    properties: InstanceProperties | None,
    criteria: MatchCriteria | None,
) -> Condition | None:
    """Properties like these; a header field's name also means that field.

    Of a classification the fields are those of its own header.

    Args:
        properties: The examples; a text is a pattern, a map, array or struct is part
            of what is wanted, anything else is exact.
        criteria: How they combine.

    Raises:
        InvalidSearchPatternError: A pattern is invalid.
    """
    if properties is None or criteria is None:
        return None
    return Combined(
        criteria,
        tuple(
            _like_example(name, value)
            for name, value in properties.instance_properties.items()
        ),
    )


def _like_example(name: str, value: InstancePropertyValue | None) -> Condition:
    test = _example_test(value)
    condition: Condition = _NEVER if test is None else Property(name, test)
    header = HEADER_FIELDS.get(name)
    if header is None:
        return condition
    wanted: TextPattern | int | None = None
    if header in _TIMES:
        if isinstance(value, PrimitivePropertyValue):
            time = value.primitive_value
            if isinstance(time, int) and not isinstance(time, bool):
                wanted = time
    elif isinstance(test, Matches):
        wanted = test.pattern
    if wanted is None:
        return condition
    return Combined(MatchCriteria.ANY, (condition, Header(header, wanted)))


def _example_test(value: InstancePropertyValue | None) -> ValueTest | None:
    if isinstance(value, PrimitivePropertyValue):
        if value.primitive_def_category is not Primitive.OM_PRIMITIVE_TYPE_STRING:
            return Equals(value)
        if not isinstance(value.primitive_value, str):
            return None
        # The operation that genuine servers report is the one inside.
        return _matches(value.primitive_value, "countMatchingPropertyValues")
    if isinstance(value, EnumPropertyValue):
        return Equals(value)
    return None if value is None else Contains(value)


def _matches(pattern: str, operation: str) -> Matches:
    try:
        return Matches(parse_pattern(pattern))
    except PatternSyntaxError as error:
        # Genuine servers also say the first value they tried it on; here it is
        # refused before any is looked at.
        raise InvalidSearchPatternError(
            _JAVA_PATTERN_ERROR, pattern, "", error, operation
        ) from error


# By conditions


@dataclass(frozen=True, slots=True)
class SearchReader:
    """Reads the conditions of one operation's request."""

    operation: str

    def properties(self, search: SearchProperties | None) -> Condition | None:
        """Conditions on properties.

        Raises:
            InvalidPropertySearchError: A condition is neither complete nor nested.
            InvalidListConditionError: What IN compares with is no array.
            InvalidLikeConditionError: What LIKE compares with is no text.
            InvalidNumericConditionError: There is no order among such values.
            InvalidSearchPatternError: A pattern is invalid.
        """
        if search is None or search.conditions is None:
            return None
        return Combined(
            search.match_criteria,
            tuple(map(self._property, search.conditions)),
        )

    def classifications(self, search: SearchClassifications | None) -> Condition | None:
        """Conditions on classifications.

        Raises:
            InvalidClassificationSearchError: A condition names no classification.
            InvalidPropertySearchError: As for properties, and so the others.
        """
        if search is None or search.conditions is None:
            return None
        wanted = []
        for condition in search.conditions:
            if condition.name is None:
                raise InvalidClassificationSearchError(
                    reporting_operation=self.operation
                )
            wanted.append(
                Classified(condition.name, self.properties(condition.match_properties))
            )
        return Combined(search.match_criteria, tuple(wanted))

    def _property(self, condition: PropertyCondition) -> Condition:
        name, operator = condition.property, condition.operator
        value, nested = condition.value, condition.nested_conditions
        if nested is not None:
            if (name, operator, value) != (None, None, None):
                raise self._incomplete()
            return self.properties(nested) or Combined(MatchCriteria.ALL, ())
        if name is None or operator is None:
            raise self._incomplete()
        if operator is PropertyComparisonOperator.NOT_NULL:
            return Property(name, Present())
        if operator is PropertyComparisonOperator.IS_NULL:
            return negated(Property(name, Present()))
        if value is None:
            raise self._incomplete()
        if operator is PropertyComparisonOperator.NEQ:
            return negated(Property(name, Equals(value)))
        return Property(name, self._test(operator, value))

    def _incomplete(self) -> InvalidPropertySearchError:
        return InvalidPropertySearchError(reporting_operation=self.operation)

    def _test(
        self, operator: PropertyComparisonOperator, value: InstancePropertyValue
    ) -> ValueTest:
        if operator is PropertyComparisonOperator.EQ:
            return Equals(value)
        if operator is PropertyComparisonOperator.IN:
            if not isinstance(value, ArrayPropertyValue):
                raise InvalidListConditionError(reporting_operation=self.operation)
            entries = value.array_values
            given = {} if entries is None else entries.instance_properties
            return OneOf(tuple(entry for entry in given.values() if entry is not None))
        if operator is PropertyComparisonOperator.LIKE:
            text = _primitive(value, frozenset({Primitive.OM_PRIMITIVE_TYPE_STRING}))
            if not isinstance(text, str):
                raise InvalidLikeConditionError(reporting_operation=self.operation)
            return _matches(text, self.operation)
        number = _primitive(value, _ORDERED)
        if not isinstance(number, int | float):
            raise InvalidNumericConditionError(
                _COMPARISONS[operator], reporting_operation=self.operation
            )
        return Compares(operator, number)


def _primitive(
    value: InstancePropertyValue, categories: frozenset[Primitive]
) -> object:
    """The plain value, if it is of one of the primitive types."""
    if (
        isinstance(value, PrimitivePropertyValue)
        and value.primitive_def_category in categories
    ):
        return value.primitive_value
    return None
