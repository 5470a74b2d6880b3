"""Requests to search become conditions, or are refused."""

from typing import Any

import pytest

from edgenode.collection.search_requests import (
    SearchReader,
    all_of,
    any_classification,
    by_properties,
)
from edgenode.instances.conditions import (
    ClassificationCondition,
    Classified,
    Combined,
    Compares,
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
    negated,
)
from edgenode.instances.patterns import parse_pattern
from edgenode.instances.properties import (
    ArrayPropertyValue,
    EnumPropertyValue,
    InstanceProperties,
    InstancePropertyValue,
    MapPropertyValue,
    PrimitivePropertyValue,
)
from edgenode.typedefs.attributes import PrimitiveDefCategory
from tests.model.house import number, primitive, properties, text
from tests.unit.collection.refusals import refusal_of

Operator = PropertyComparisonOperator
ALL, ANY, NONE = MatchCriteria.ALL, MatchCriteria.ANY, MatchCriteria.NONE
NEVER = Combined(ANY, ())
STATUS = EnumPropertyValue(ordinal=1, symbolic_name="Active")
TAGS = MapPropertyValue(map_values=properties(a="b"))
READER = SearchReader("findEntities")


def matching(pattern: str) -> Matches:
    return Matches(parse_pattern(pattern))


def date(value: int) -> PrimitivePropertyValue:
    return primitive(PrimitiveDefCategory.OM_PRIMITIVE_TYPE_DATE, value)


@pytest.mark.parametrize(
    ("value", "condition"),
    [
        (text("a.*"), Property("name", matching("a.*"))),
        (number(3), Property("name", Equals(number(3)))),
        (STATUS, Property("name", Equals(STATUS))),
        (TAGS, Property("name", Contains(TAGS))),
        (PrimitivePropertyValue(), Property("name", Equals(PrimitivePropertyValue()))),
    ],
)
def test_an_example_property(value: InstancePropertyValue, condition: Any) -> None:
    assert by_properties(properties(name=value), ANY) == Combined(ANY, (condition,))


def test_an_example_without_a_value_matches_nothing() -> None:
    null: Any = None
    empty = primitive(PrimitiveDefCategory.OM_PRIMITIVE_TYPE_STRING, None)
    example = InstanceProperties(instance_properties={"a": null, "b": empty})
    assert by_properties(example, ALL) == Combined(ALL, (NEVER, NEVER))


def test_no_examples_ask_nothing() -> None:
    assert by_properties(None, None) is None
    assert by_properties(properties(), NONE) == Combined(NONE, ())


@pytest.mark.parametrize(
    ("name", "value", "header"),
    [
        (
            "createdBy",
            text("e.*"),
            Header(HeaderField.CREATED_BY, parse_pattern("e.*")),
        ),
        ("typeName", text("T"), Header(HeaderField.TYPE_NAME, parse_pattern("T"))),
        ("createTime", date(5), Header(HeaderField.CREATE_TIME, 5)),
        ("effectiveTo", date(7), Header(HeaderField.EFFECTIVE_TO, 7)),
    ],
)
def test_a_header_fields_name_means_the_field_too(
    name: str, value: PrimitivePropertyValue, header: Header
) -> None:
    [condition] = conditions(by_properties(properties(**{name: value}), ALL))
    assert isinstance(condition, Combined)
    assert condition.criteria is ANY
    of_property, of_header = condition.conditions
    assert isinstance(of_property, Property)
    assert of_property.name == name
    assert of_header == header


@pytest.mark.parametrize(
    ("name", "value"),
    [("createTime", text("5")), ("createdBy", number(5)), ("updateTime", STATUS)],
)
def test_a_header_field_of_another_kind_is_no_field(
    name: str, value: InstancePropertyValue
) -> None:
    [condition] = conditions(by_properties(properties(**{name: value}), ALL))
    assert isinstance(condition, Property)


def conditions(condition: Any) -> tuple[Any, ...]:
    assert isinstance(condition, Combined)
    return condition.conditions


def test_an_invalid_pattern_is_refused() -> None:
    found = refusal_of(lambda: by_properties(properties(name="[u"), ALL))
    assert found[:3] == (
        "PROPERTIES-400-006",
        "InvalidParameterException",
        "countMatchingPropertyValues",
    )
    assert found[3][:3] == ("java.util.regex.PatternSyntaxException", "[u", "")
    assert found[4] == "instanceProperties"


# Conditions


def read(
    operator: Operator | None = None,
    value: InstancePropertyValue | None = None,
    name: str | None = "name",
    nested: SearchProperties | None = None,
) -> Any:
    condition = PropertyCondition(
        property=name, operator=operator, value=value, nested_conditions=nested
    )
    search = SearchProperties(conditions=(condition,), match_criteria=ANY)
    return conditions(READER.properties(search))[0]


ARRAY = ArrayPropertyValue(
    array_count=2,
    array_values=InstanceProperties(
        instance_properties={"0": text("a"), "1": text("b")}
    ),
)


@pytest.mark.parametrize(
    ("operator", "value", "condition"),
    [
        (Operator.EQ, text("a"), Property("name", Equals(text("a")))),
        (Operator.NEQ, text("a"), negated(Property("name", Equals(text("a"))))),
        (Operator.LT, number(3), Property("name", Compares(Operator.LT, 3))),
        (Operator.GTE, date(9), Property("name", Compares(Operator.GTE, 9))),
        (Operator.IN, ARRAY, Property("name", OneOf((text("a"), text("b"))))),
        (Operator.IN, ArrayPropertyValue(), Property("name", OneOf(()))),
        (Operator.LIKE, text("a.*"), Property("name", matching("a.*"))),
        (Operator.IS_NULL, None, negated(Property("name", Present()))),
        (Operator.IS_NULL, text("a"), negated(Property("name", Present()))),
        (Operator.NOT_NULL, None, Property("name", Present())),
    ],
)
def test_an_operator(operator: Operator, value: Any, condition: Any) -> None:
    assert read(operator, value) == condition


def test_conditions_nest() -> None:
    inner = PropertyCondition(property="a", operator=Operator.NOT_NULL)
    nested = SearchProperties(conditions=(inner, inner), match_criteria=NONE)
    present = Property("a", Present())
    assert read(name=None, nested=nested) == Combined(NONE, (present, present))
    assert read(name=None, nested=SearchProperties()) == Combined(ALL, ())


def test_no_conditions_ask_nothing() -> None:
    assert READER.properties(None) is None
    assert READER.properties(SearchProperties()) is None
    assert READER.properties(SearchProperties(conditions=())) == Combined(ALL, ())
    assert READER.classifications(SearchClassifications()) is None


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"value": text("a")},
        {"operator": Operator.EQ},
        {"operator": Operator.EQ, "value": text("a"), "name": None},
        {"nested": SearchProperties()},
        {"name": None, "operator": Operator.EQ, "nested": SearchProperties()},
    ],
)
def test_half_a_condition_is_refused(parts: dict[str, Any]) -> None:
    assert refusal_of(lambda: read(**parts)) == (
        "REPOSITORY-400-074", "InvalidParameterException", "findEntities", (),
        "matchProperties",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("operator", "value", "message_id", "parameters"),
    [
        (Operator.LTE, text("a"), "400-078", ("Less than or equal",)),
        (Operator.GT, STATUS, "400-078", ("Greater than",)),
        (Operator.GTE, primitive(PrimitiveDefCategory.OM_PRIMITIVE_TYPE_BOOLEAN, True),
         "400-078", ("Greater than or equal",)),
        (Operator.IN, text("a"), "400-076", ()),
        (Operator.LIKE, number(3), "400-077", ()),
        (Operator.LIKE, STATUS, "400-077", ()),
    ],
)  # fmt: skip
def test_a_value_that_the_operator_cannot_take(
    operator: Operator, value: Any, message_id: str, parameters: tuple[str, ...]
) -> None:
    assert refusal_of(lambda: read(operator, value)) == (
        f"REPOSITORY-{message_id}", "InvalidParameterException", "findEntities",
        parameters, "matchProperties",
    )  # fmt: skip


def test_a_bad_pattern_in_a_condition() -> None:
    found = refusal_of(lambda: read(Operator.LIKE, text("[u")))
    assert (found[0], found[2]) == ("PROPERTIES-400-006", "findEntities")


def test_classifications_with_conditions_of_their_own() -> None:
    inner = PropertyCondition(property="level", operator=Operator.EQ, value=number(3))
    search = SearchClassifications(
        conditions=(
            ClassificationCondition(name="Confidentiality"),
            ClassificationCondition(
                name="Retention",
                match_properties=SearchProperties(conditions=(inner,)),
            ),
        ),
        match_criteria=NONE,
    )
    level = Combined(ALL, (Property("level", Equals(number(3))),))
    assert READER.classifications(search) == Combined(
        NONE, (Classified("Confidentiality"), Classified("Retention", level))
    )


def test_conditions_join() -> None:
    one, two = Classified("a"), Classified("b")
    assert all_of((None, None)) is None
    assert all_of((None, one)) is one
    assert all_of((one, two)) == Combined(ALL, (one, two))
    assert any_classification(None) is None
    assert any_classification([]) is None
    assert any_classification(["a", "b"]) == Combined(ANY, (one, two))
