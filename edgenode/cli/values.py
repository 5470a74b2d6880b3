"""Property values from what people type, by the attributes of a type."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from edgenode.cli.client import NodeClient, segment
from edgenode.cli.outcome import CommandError, ExitCode
from edgenode.codec.json import loads
from edgenode.errors import BadRequestError
from edgenode.typedefs.attributes import PrimitiveDefCategory

JsonObject = dict[str, Any]


def attributes_of(client: NodeClient, type_name: str) -> Mapping[str, JsonObject]:
    """The attributes of a type by name, its own and the inherited ones.

    Raises:
        CommandError: The type isn't known, or the node can't be reached.
    """
    found: dict[str, JsonObject] = {}
    name: str | None = type_name
    while name:
        type_def = type_named(client, name)
        for attribute in type_def.get("propertiesDefinition", ()):
            found.setdefault(attribute["attributeName"], attribute)
        name = type_def.get("superType", {}).get("name")
    return found


def type_named(client: NodeClient, name: str) -> JsonObject:
    """A type definition.

    Raises:
        CommandError: The type isn't known, or the node can't be reached.
    """
    answer = client.repository("GET", f"/types/typedef/name/{segment(name)}")
    type_def: JsonObject = answer["typeDef"]
    return type_def


def instance_properties(
    attributes: Mapping[str, JsonObject], assignments: Iterable[str]
) -> JsonObject | None:
    """An InstanceProperties bean from ``name=value`` texts; None from none.

    A map is written ``name.key=value`` for each entry, an array with commas.

    Raises:
        CommandError: A name isn't an attribute, or a value doesn't fit its type.
    """
    values: JsonObject = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        name, _, key = name.partition(".")
        if not equals or name not in attributes:
            raise CommandError(
                ExitCode.USAGE,
                f"{assignment!r} sets no property of the type",
                f"write name=value; the names are {', '.join(sorted(attributes))}",
            )
        attribute_type = attributes[name]["attributeType"]
        if key:
            _add_to_map(values, name, key, text, attribute_type)
        else:
            values[name] = _value(name, text, attribute_type)
    if not values:
        return None
    return {"class": "InstanceProperties", "instanceProperties": values}


def _typed(kind: str, category: str, attribute_type: JsonObject) -> JsonObject:
    return {
        "class": kind,
        "instancePropertyCategory": category,
        "typeGUID": attribute_type["guid"],
        "typeName": attribute_type["name"],
    }


def _value(name: str, text: str, attribute_type: JsonObject) -> JsonObject:
    kind = attribute_type["class"]
    if kind == "PrimitiveDef":
        return primitive(name, text, attribute_type["primitiveDefCategory"])
    if kind == "EnumDef":
        return _enum(name, text, attribute_type)
    if attribute_type.get("collectionDefCategory") == "OM_COLLECTION_ARRAY":
        parts = text.split(",") if text else []
        items = {
            str(position): primitive(name, part, attribute_type["argumentTypes"][0])
            for position, part in enumerate(parts)
        }
        return _typed("ArrayPropertyValue", "ARRAY", attribute_type) | {
            "arrayCount": len(items),
            "arrayValues": {"class": "InstanceProperties", "instanceProperties": items},
        }
    raise CommandError(
        ExitCode.USAGE,
        f"{name} is a {attribute_type['name']}",
        f"write {name}.key=value for each entry",
    )


def _add_to_map(
    values: JsonObject, name: str, key: str, text: str, attribute_type: JsonObject
) -> None:
    if attribute_type.get("collectionDefCategory") != "OM_COLLECTION_MAP":
        raise CommandError(
            ExitCode.USAGE,
            f"{name} is a {attribute_type['name']}, not a map",
            f"write {name}=value",
        )
    empty = {"class": "InstanceProperties", "instanceProperties": {}}
    value = values.setdefault(
        name, _typed("MapPropertyValue", "MAP", attribute_type) | {"mapValues": empty}
    )
    value["mapValues"]["instanceProperties"][key] = primitive(
        f"{name}.{key}", text, attribute_type["argumentTypes"][1]
    )


def _enum(name: str, text: str, attribute_type: JsonObject) -> JsonObject:
    elements = attribute_type.get("elementDefs", [])
    for element in elements:
        if element["value"].lower() == text.lower():
            return _typed("EnumPropertyValue", "ENUM", attribute_type) | {
                "ordinal": element["ordinal"],
                "symbolicName": element["value"],
            }
    raise CommandError(
        ExitCode.USAGE,
        f"{text!r} is no value of {name}",
        f"use one of {', '.join(element['value'] for element in elements)}",
    )


def primitive(name: str, text: str, category: str) -> JsonObject:
    """A primitive value of a category from text.

    Raises:
        CommandError: The text doesn't fit.
    """
    short = category.removeprefix("OM_PRIMITIVE_TYPE_").lower()
    try:
        value = _PARSERS.get(short, _whole)(text)
    except (ValueError, BadRequestError) as error:
        raise CommandError(
            ExitCode.USAGE,
            f"{text!r} is no {short} for {name}",
            _MENDS.get(short, "write a whole number of at most 64 bits"),
        ) from error
    return {
        "class": "PrimitivePropertyValue",
        "instancePropertyCategory": "PRIMITIVE",
        "typeName": "object" if short == "unknown" else short,
        "typeGUID": PrimitiveDefCategory[category].type_guid,
        "primitiveDefCategory": category,
        "primitiveValue": value,
    }


def _whole(text: str) -> int:
    value = int(text)
    if not -(2**63) <= value < 2**63:
        raise ValueError(text)
    return value


def _real(text: str) -> float:
    value = float(text)
    if not isfinite(value):  # JSON has no such numbers
        raise ValueError(text)
    return value


def _boolean(text: str) -> bool:
    if text.lower() in {"true", "yes"}:
        return True
    if text.lower() in {"false", "no"}:
        return False
    raise ValueError(text)


def date_millis(text: str) -> int:
    """Epoch milliseconds from an ISO date or time; without an offset it is local time."""
    moment = datetime.fromisoformat(text)
    return int(moment.astimezone(UTC).timestamp() * 1000)


_PARSERS: Mapping[str, Any] = {
    "string": str,
    "char": str,
    "boolean": _boolean,
    "float": _real,
    "double": _real,
    "date": date_millis,
    "unknown": loads,
}
_MENDS = {
    "date": "write it like 2026-11-21 or 2026-11-21T14:30",
    "boolean": "write true or false",
    "float": "write a number like 1.5 or 1e3",
    "double": "write a number like 1.5 or 1e3",
    "unknown": "write it as JSON",
}
