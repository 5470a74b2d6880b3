"""Conditions hold for an instance as genuine 4.2 servers answer searches."""

from collections.abc import Mapping

import pytest

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
    negated,
)
from edgenode.instances.matching import (
    matches_instance,
    matches_query,
    same_value,
    sequenced,
    texts_within,
    value_matches,
)
from edgenode.instances.model import Classification, EntityDetail, InstanceType
from edgenode.instances.patterns import parse_pattern
from edgenode.instances.properties import (
    ArrayPropertyValue,
    EnumPropertyValue,
    InstanceProperties,
    InstancePropertyValue,
    JsonScalar,
    MapPropertyValue,
    PrimitivePropertyValue,
    StructPropertyValue,
)
from edgenode.typedefs.attributes import PrimitiveDefCategory
from edgenode.typedefs.status import InstanceStatus

TIMEOUT = 5.0
STRING = PrimitiveDefCategory.OM_PRIMITIVE_TYPE_STRING
INT = PrimitiveDefCategory.OM_PRIMITIVE_TYPE_INT
DATE = PrimitiveDefCategory.OM_PRIMITIVE_TYPE_DATE
CHAR = PrimitiveDefCategory.OM_PRIMITIVE_TYPE_CHAR
DOUBLE = PrimitiveDefCategory.OM_PRIMITIVE_TYPE_DOUBLE
BOOLEAN = PrimitiveDefCategory.OM_PRIMITIVE_TYPE_BOOLEAN


def primitive(
    value: JsonScalar, category: PrimitiveDefCategory = STRING
) -> PrimitivePropertyValue:
    return PrimitivePropertyValue(
        type_guid=category.type_guid,
        type_name=category.type_name,
        primitive_def_category=category,
        primitive_value=value,
    )


def enum(ordinal: int, symbol: str) -> EnumPropertyValue:
    return EnumPropertyValue(
        type_guid="e-1", type_name="Level", ordinal=ordinal, symbolic_name=symbol
    )


def properties(values: Mapping[str, InstancePropertyValue]) -> InstanceProperties:
    return InstanceProperties(instance_properties=values)


def array(*values: InstancePropertyValue) -> ArrayPropertyValue:
    held = {str(index): value for index, value in enumerate(values)}
    return ArrayPropertyValue(
        array_count=len(values), array_values=properties(held), type_name="array"
    )


def mapping(**values: InstancePropertyValue) -> MapPropertyValue:
    return MapPropertyValue(map_values=properties(values), type_name="map")


def struct(**values: InstancePropertyValue) -> StructPropertyValue:
    return StructPropertyValue(attributes=properties(values))


TERM = EntityDetail(
    guid="term-1",
    type=InstanceType(type_def_name="GlossaryTerm", type_def_guid="type-1"),
    metadata_collection_id="home-1",
    metadata_collection_name="Home One",
    created_by="ann",
    create_time=1_000,
    update_time=2_000,
    status=InstanceStatus.ACTIVE,
    classifications=(
        Classification(
            name="Confidentiality",
            properties=properties({"levelIdentifier": primitive(3, INT)}),
        ),
        Classification(name="Anchors"),
    ),
    properties=InstanceProperties(
        effective_from_time=500,
        instance_properties={
            "displayName": primitive("Alpha One"),
            "position": primitive(7, INT),
            "due": primitive(1_600, DATE),
            "letter": primitive("x", CHAR),
            "level": enum(2, "Open"),
            "tags": array(primitive("red"), array(primitive("deep\nred"))),
            "extra": mapping(colour=primitive("green"), size=primitive(4, INT)),
            "place": struct(city=primitive("Ulm")),
        },
    ),
)


def pattern(source: str) -> Matches:
    return Matches(parse_pattern(source))


LT, LTE = PropertyComparisonOperator.LT, PropertyComparisonOperator.LTE
GT, GTE = PropertyComparisonOperator.GT, PropertyComparisonOperator.GTE


@pytest.mark.parametrize(
    ("name", "test", "expected"),
    [
        ("displayName", Equals(primitive("Alpha One")), True),
        ("displayName", Equals(primitive("Alpha")), False),
        ("displayName", pattern("Alpha"), False),
        ("displayName", pattern("Alpha.*"), True),
        ("displayName", pattern("(?i)alpha [nop].+"), True),
        ("absent", pattern(".*"), False),
        ("absent", Present(), False),
        ("displayName", Present(), True),
        ("level", pattern("Op.*"), True),
        ("level", Equals(enum(2, "Open")), True),
        ("level", Equals(enum(3, "Open")), False),
        ("letter", pattern("x"), False),
        ("position", pattern("7"), False),
        ("position", Equals(primitive(7, INT)), True),
        ("position", OneOf((primitive(6, INT), primitive(7, INT))), True),
        ("position", OneOf(()), False),
        ("position", Compares(LT, 7), False),
        ("position", Compares(LTE, 7), True),
        ("position", Compares(GT, 6.5), True),
        ("position", Compares(GTE, 8), False),
        ("due", Compares(GT, 1_599), True),
        ("displayName", Compares(GT, 0), False),
        ("level", Compares(GT, 0), False),
        ("extra", Contains(mapping(colour=primitive("green"))), True),
        ("extra", Contains(mapping(colour=primitive("red"))), False),
        ("extra", Contains(mapping(other=primitive("green"))), False),
        ("extra", Contains(struct(colour=primitive("green"))), False),
        ("tags", Contains(array(array(primitive("deep\nred")))), True),
        ("tags", Contains(array(primitive("deep\nred"))), False),
        ("tags", Contains(array()), True),
    ],
)
def test_a_property_passes_its_test(name: str, test: ValueTest, expected: bool) -> None:
    assert matches_instance(Property(name, test), TERM, TIMEOUT) is expected


def test_equality_wants_the_same_type_as_well_as_the_same_value() -> None:
    stored = primitive("a")
    lean = PrimitivePropertyValue(primitive_def_category=STRING, primitive_value="a")
    assert [
        same_value(stored, primitive("a")),
        same_value(stored, lean),
        same_value(primitive("a", CHAR), stored),
        same_value(primitive(1, INT), primitive(True, BOOLEAN)),
        same_value(
            PrimitivePropertyValue(primitive_value=1),
            PrimitivePropertyValue(primitive_value=True),
        ),
        same_value(mapping(a=stored), mapping(a=primitive("a"))),
        same_value(mapping(a=stored), mapping(a=lean)),
        same_value(mapping(a=stored), mapping(a=stored, b=stored)),
        same_value(array(stored), array(primitive("b"))),
        same_value(enum(1, "A"), stored),
    ] == [True, False, False, False, False, True, False, False, False, False]


def test_containment_looks_at_values_and_not_at_their_types() -> None:
    wanted = MapPropertyValue(
        map_values=properties({"size": PrimitivePropertyValue(primitive_value=4)})
    )
    assert TERM.properties is not None
    extra = TERM.properties.instance_properties["extra"]
    assert value_matches(Contains(wanted), extra, TIMEOUT)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Alpha One", True),
        ("Open", True),
        ("green", True),
        ("Ulm", True),
        ("deep\nred", True),
        ("deep.*", False),  # the dot stops at the end of a line
        ("x", False),
        ("7", False),
        ("ann", False),
        ("GlossaryTerm", False),
        ("Confidentiality", False),
    ],
)
def test_any_text_is_sought_in_strings_symbols_and_nested_values(
    source: str, expected: bool
) -> None:
    condition = AnyText(parse_pattern(source))
    assert matches_instance(condition, TERM, TIMEOUT) is expected


def test_texts_within_a_value_are_listed_in_order() -> None:
    assert TERM.properties is not None
    tags = TERM.properties.instance_properties["tags"]
    assert list(texts_within(tags)) == ["red", "deep\nred"]


@pytest.mark.parametrize(
    ("field", "test", "expected"),
    [
        (HeaderField.METADATA_COLLECTION_ID, "home-.", True),
        (HeaderField.METADATA_COLLECTION_NAME, "Home", False),
        (HeaderField.TYPE_NAME, "Glossary.*", True),
        (HeaderField.TYPE_GUID, "type-1", True),
        (HeaderField.CREATED_BY, "(?i)ANN", True),
        (HeaderField.UPDATED_BY, ".*", False),
        (HeaderField.CREATE_TIME, 1_000, True),
        (HeaderField.CREATE_TIME, "1000", False),
        (HeaderField.UPDATE_TIME, 1_999, False),
        (HeaderField.EFFECTIVE_FROM, 500, True),
        (HeaderField.EFFECTIVE_TO, 500, False),
    ],
)
def test_header_fields_match_texts_and_exact_times(
    field: HeaderField, test: str | int, expected: bool
) -> None:
    wanted = parse_pattern(test) if isinstance(test, str) else test
    assert matches_instance(Header(field, wanted), TERM, TIMEOUT) is expected


def test_a_header_without_type_or_properties_matches_nothing() -> None:
    bare = EntityDetail(guid="bare")
    found = [
        field
        for field in HeaderField
        if matches_instance(Header(field, parse_pattern(".*")), bare, TIMEOUT)
        or matches_instance(Header(field, 0), bare, TIMEOUT)
    ]
    assert found == []


LEVEL_3 = Property("levelIdentifier", Equals(primitive(3, INT)))
LEVEL_4 = Property("levelIdentifier", Equals(primitive(4, INT)))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Classified("Anchors"), True),
        (Classified("Retention"), False),
        (Classified("Confidentiality", LEVEL_3), True),
        (Classified("Confidentiality", LEVEL_4), False),
        (Classified("Anchors", negated(LEVEL_3)), True),
        (LEVEL_3, False),
    ],
)
def test_classifications_are_looked_into(condition: Condition, expected: bool) -> None:
    assert matches_instance(condition, TERM, TIMEOUT) is expected


YES: Condition = Property("displayName", Present())
NO: Condition = Property("absent", Present())


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ((), (True, False, True)),
        ((YES,), (True, True, False)),
        ((NO,), (False, False, True)),
        ((YES, NO), (False, True, False)),
        ((YES, YES), (True, True, False)),
        ((Combined(MatchCriteria.NONE, (NO,)),), (True, True, False)),
    ],
)
def test_conditions_combine_as_all_any_none(
    conditions: tuple[Condition, ...], expected: tuple[bool, bool, bool]
) -> None:
    answers = tuple(
        matches_instance(Combined(criteria, conditions), TERM, TIMEOUT)
        for criteria in MatchCriteria
    )
    assert answers == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (InstanceQuery(), True),
        (InstanceQuery(type_names=frozenset({"GlossaryTerm", "Asset"})), True),
        (InstanceQuery(type_names=frozenset({"Asset"})), False),
        (InstanceQuery(statuses=frozenset({InstanceStatus.ACTIVE})), True),
        (InstanceQuery(statuses=frozenset({InstanceStatus.DRAFT})), False),
        (InstanceQuery(condition=YES), True),
        (InstanceQuery(condition=NO), False),
    ],
)
def test_a_query_limits_type_and_status_too(
    query: InstanceQuery, expected: bool
) -> None:
    assert matches_query(query, TERM, TIMEOUT) is expected


def test_deleted_instances_are_found_only_by_status() -> None:
    deleted = EntityDetail(guid="gone", status=InstanceStatus.DELETED)
    wanted = InstanceQuery(statuses=frozenset({InstanceStatus.DELETED}))
    assert [
        matches_query(InstanceQuery(), deleted, TIMEOUT),
        matches_query(wanted, deleted, TIMEOUT),
    ] == [False, True]


def entity(
    guid: str, value: InstancePropertyValue | None = None, created: int | None = None
) -> EntityDetail:
    held = None if value is None else properties({"p": value})
    return EntityDetail(
        guid=guid, create_time=created, update_time=created, properties=held
    )


ORDERED = [
    entity("c", primitive("b"), 30),
    entity("a", None, None),
    entity("d", primitive("B"), 10),
    entity("b", primitive(5, INT), 30),
    entity("f", enum(9, "A"), 20),
    entity("e", mapping(), 20),
]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (SequencingOrder.ANY, "cadbfe"),
        (SequencingOrder.GUID, "abcdef"),
        (SequencingOrder.CREATION_DATE_OLDEST, "adefbc"),
        (SequencingOrder.CREATION_DATE_RECENT, "bcefda"),
        (SequencingOrder.LAST_UPDATE_OLDEST, "adefbc"),
        (SequencingOrder.LAST_UPDATE_RECENT, "bcefda"),
        (SequencingOrder.PROPERTY_ASCENDING, "aebfdc"),
        (SequencingOrder.PROPERTY_DESCENDING, "cdfbae"),
    ],
)
def test_instances_are_put_in_order(order: SequencingOrder, expected: str) -> None:
    ordered = sequenced(ORDERED, order, "p")
    assert "".join(each.guid or "" for each in ordered) == expected


def test_texts_are_put_in_the_order_of_their_code_units() -> None:
    texts = ["a\ue000", "a\U0001f600", "a\ud7ff", "a", "a\U0001f600b", "a\uffff"]
    given = [entity(text, primitive(text), None) for text in texts]
    ordered = sequenced(given, SequencingOrder.PROPERTY_ASCENDING, "p")
    assert [each.guid for each in ordered] == sorted(
        texts, key=lambda text: text.encode("utf-16-be")
    )


def test_ordering_by_no_property_leaves_the_order_of_guids() -> None:
    ordered = sequenced(ORDERED, SequencingOrder.PROPERTY_DESCENDING)
    assert [each.guid for each in ordered] == list("abcdef")


def test_doubles_and_whole_numbers_compare() -> None:
    value = primitive(2.5, DOUBLE)
    assert value_matches(Compares(GT, 2), value, TIMEOUT)
