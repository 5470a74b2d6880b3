"""What people type becomes the values that a type's attributes take."""

from datetime import UTC, datetime
from typing import Any

import pytest

from edgenode.cli.outcome import CommandError, ExitCode
from edgenode.cli.values import date_millis, instance_properties, primitive

STRING = {
    "class": "PrimitiveDef",
    "guid": "b34a64b9-554a-42b1-8f8a-7d5c2339f9c4",
    "name": "string",
    "primitiveDefCategory": "OM_PRIMITIVE_TYPE_STRING",
}
MAP = {
    "class": "CollectionDef",
    "guid": "map-guid",
    "name": "map<string,string>",
    "collectionDefCategory": "OM_COLLECTION_MAP",
    "argumentTypes": ["OM_PRIMITIVE_TYPE_STRING", "OM_PRIMITIVE_TYPE_STRING"],
}
ARRAY = {
    "class": "CollectionDef",
    "guid": "array-guid",
    "name": "array<int>",
    "collectionDefCategory": "OM_COLLECTION_ARRAY",
    "argumentTypes": ["OM_PRIMITIVE_TYPE_INT"],
}
ENUM = {
    "class": "EnumDef",
    "guid": "enum-guid",
    "name": "Size",
    "elementDefs": [{"ordinal": 0, "value": "Small"}, {"ordinal": 9, "value": "Big"}],
}
ATTRIBUTES = {
    name: {"attributeName": name, "attributeType": kind}
    for name, kind in {"text": STRING, "map": MAP, "list": ARRAY, "size": ENUM}.items()
}


def values(*assignments: str) -> dict[str, Any]:
    bean = instance_properties(ATTRIBUTES, assignments)
    assert bean is not None
    assert bean["class"] == "InstanceProperties"
    found: dict[str, Any] = bean["instanceProperties"]
    return found


def inner(bean: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value["primitiveValue"]
        for name, value in bean["instanceProperties"].items()
    }


def test_nothing_is_no_bean() -> None:
    assert instance_properties(ATTRIBUTES, []) is None


def test_text_may_hold_anything() -> None:
    (value,) = values("text=a=b.c, d ").values()
    assert value["primitiveValue"] == "a=b.c, d "
    assert value["typeGUID"] == STRING["guid"]


def test_a_map_is_gathered_from_its_entries() -> None:
    (value,) = values("map.one=1", "map.two words=2").values()
    assert value["instancePropertyCategory"] == "MAP"
    assert inner(value["mapValues"]) == {"one": "1", "two words": "2"}


@pytest.mark.parametrize(
    ("text", "items"), [("3,1,2", {"0": 3, "1": 1, "2": 2}), ("", {})]
)
def test_an_array_is_written_with_commas(text: str, items: dict[str, int]) -> None:
    (value,) = values(f"list={text}").values()
    assert value["arrayCount"] == len(items)
    assert inner(value["arrayValues"]) == items


def test_an_enum_is_named_in_any_case() -> None:
    (value,) = values("size=bIG").values()
    assert (value["ordinal"], value["symbolicName"]) == (9, "Big")


@pytest.mark.parametrize(
    ("category", "text", "value"),
    [
        ("STRING", "7", "7"),
        ("CHAR", "x", "x"),
        ("BOOLEAN", "Yes", True),
        ("BOOLEAN", "false", False),
        ("INT", "-7", -7),
        ("LONG", "9000000000", 9_000_000_000),
        ("BIGINTEGER", "9" * 18, int("9" * 18)),
        ("SHORT", "7", 7),
        ("BYTE", "7", 7),
        ("FLOAT", "1.5", 1.5),
        ("DOUBLE", "1e3", 1000.0),
        ("DATE", "1970-01-02T00:00:00+00:00", 86_400_000),
        ("UNKNOWN", "[1]", [1]),
    ],
)
def test_primitives(category: str, text: str, value: object) -> None:
    bean = primitive("p", text, f"OM_PRIMITIVE_TYPE_{category}")
    assert bean["primitiveValue"] == value
    assert type(bean["primitiveValue"]) is type(value)


def test_a_time_without_an_offset_is_local() -> None:
    local = datetime(2026, 11, 21, 14, 30).astimezone(UTC)
    assert date_millis("2026-11-21T14:30") == int(local.timestamp() * 1000)


@pytest.mark.parametrize(
    ("assignment", "what", "mend"),
    [
        ("nope=1", "'nope=1' sets no property", "list, map, size, text"),
        ("text", "'text' sets no property", "name=value"),
        ("map=1", "map is a map<string,string>", "map.key=value"),
        ("text.key=1", "text is a string, not a map", "text=value"),
        ("size=huge", "'huge' is no value of size", "Small, Big"),
        ("list=1,x", "'x' is no int for list", ""),
        (f"list={2**63}", "is no int for list", ""),
    ],
)
def test_what_does_not_fit_is_told(assignment: str, what: str, mend: str) -> None:
    with pytest.raises(CommandError) as caught:
        instance_properties(ATTRIBUTES, [assignment])
    assert caught.value.code is ExitCode.USAGE
    assert what in caught.value.message
    assert mend in caught.value.mend


@pytest.mark.parametrize(
    ("category", "text", "mend"),
    [
        ("BOOLEAN", "maybe", "true or false"),
        ("DATE", "soon", "2026-11-21"),
        ("INT", "1.5", ""),
        ("DOUBLE", "x", ""),
        ("UNKNOWN", "{", ""),
    ],
)
def test_a_primitive_that_does_not_fit(category: str, text: str, mend: str) -> None:
    with pytest.raises(CommandError) as caught:
        primitive("p", text, f"OM_PRIMITIVE_TYPE_{category}")
    assert f"{text!r} is no {category.lower()} for p" in caught.value.message
    assert mend in caught.value.mend
