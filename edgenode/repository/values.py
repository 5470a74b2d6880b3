"""How the index keeps the values of properties.

A value is kept as what it is (its shape: class, type, category; few for each property)
and its content. Contents compare in SQL as the wire's values do: texts by code unit,
numbers and dates as numbers, nothing lowest. An enum's content is its symbol.
"""

import json
from enum import IntEnum
from hashlib import blake2b
from typing import NamedTuple

from edgenode.instances.matching import entries_within
from edgenode.instances.properties import (
    ArrayPropertyValue,
    EnumPropertyValue,
    InstancePropertyValue,
    MapPropertyValue,
    PrimitivePropertyValue,
    StructPropertyValue,
)
from edgenode.typedefs.attributes import PrimitiveDefCategory

HEAD_CHARACTERS = 48
"""Texts up to this length stand in the index as they are."""

_MAX_INTEGER = 2**63 - 1
_STRING = PrimitiveDefCategory.OM_PRIMITIVE_TYPE_STRING

Scalar = str | int | float | None


class Content(IntEnum):
    """How a content is kept; the lowest three bits of a shape's id."""

    NONE = 0
    """There is none: a header field, or a classification itself."""
    TEXT = 1
    ENUM = 2
    NUMBER = 3
    """Numbers and dates."""
    OTHER = 4
    """Truth values, nulls and texts that aren't of type string."""
    MAP = 5
    ARRAY = 6
    STRUCT = 7


class Shape(NamedTuple):
    """What equal values have in common apart from their content."""

    content: Content
    types: tuple[object, ...]
    ordinal: int | None = None

    @property
    def identity(self) -> str:
        """What tells it from the other shapes of a property."""
        return json.dumps((int(self.content), *self.types))


class IndexedValue(NamedTuple):
    """A value as the index keeps it; the last three are columns of ``property``."""

    shape: Shape
    head: Scalar
    digest: int = 0
    tail: str | None = None


_COLLECTIONS: dict[type[InstancePropertyValue], Content] = {
    MapPropertyValue: Content.MAP,
    ArrayPropertyValue: Content.ARRAY,
    StructPropertyValue: Content.STRUCT,
}


def indexed_value(value: InstancePropertyValue) -> IndexedValue:
    """The index's form of a value."""
    if isinstance(value, PrimitivePropertyValue):
        return _primitive(value)
    if isinstance(value, EnumPropertyValue):
        types = (value.type_guid, value.type_name, value.ordinal, value.description)
        shape = Shape(Content.ENUM, types, value.ordinal)
        return IndexedValue(shape, *_scalar(value.symbolic_name))
    content = _COLLECTIONS.get(type(value), Content.OTHER)
    shape = Shape(content, (value.type_guid, value.type_name))
    tail = json.dumps(nested_content(value), ensure_ascii=False, separators=(",", ":"))
    # Its types count for equality but aren't in the tail, only in the digest.
    return IndexedValue(shape, None, _digest(repr(_identity(value))), tail)


def content_of(value: InstancePropertyValue) -> Content:
    """How the content of such a value is kept."""
    return indexed_value(value).shape.content


def texts_of(content: Content, head: Scalar, tail: str | None) -> list[str]:
    """The texts in a value that searches may ask for."""
    if content in (Content.TEXT, Content.ENUM):
        text = full_text(head, tail)
        return [] if text is None else [text]
    if content >= Content.MAP and tail is not None:
        return strings_within(json.loads(tail))
    return []


def full_text(head: Scalar, tail: str | None) -> str | None:
    """The text that is kept in these columns."""
    if not isinstance(head, str):
        return None
    return head if tail is None else head + tail


def split_text(text: str) -> tuple[str, int, str | None]:
    """A text as head, digest and tail."""
    if len(text) <= HEAD_CHARACTERS:
        return text, 0, None
    return text[:HEAD_CHARACTERS], _digest(text), text[HEAD_CHARACTERS:]


def nested_content(value: InstancePropertyValue) -> object:
    """The content of a value as JSON.

    A map or struct is an object, an array a list that begins with "a". A text is
    itself, and a text that is not of type string is in a list that begins with "v".
    """
    match value:
        case PrimitivePropertyValue(primitive_value=scalar):
            if isinstance(scalar, str) and value.primitive_def_category is not _STRING:
                return ["v", scalar]
            return scalar
        case EnumPropertyValue(symbolic_name=symbol):
            return symbol
        case ArrayPropertyValue():
            return ["a", *map(nested_content, entries_within(value).values())]
        case _:
            inside = entries_within(value)
            return {key: nested_content(inner) for key, inner in inside.items()}


def strings_within(content: object, *, typed: bool = False) -> list[str]:
    """All strings in a nested content; ``typed``: only those of type string."""
    if isinstance(content, str):
        return [content]
    if isinstance(content, dict):
        inner = list(content.values())
    elif isinstance(content, list):
        if content[0] == "v":
            return [] if typed else [content[1]]
        inner = content[1:]
    else:
        return []
    return [text for each in inner for text in strings_within(each, typed=typed)]


def holds(whole: object, part: object) -> bool:
    """Whether a nested content holds every entry of another one, as ``matching`` says."""
    whole, part = _plain(whole), _plain(part)
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(
            key in whole and holds(whole[key], inner) for key, inner in part.items()
        )
    if isinstance(part, list) and isinstance(whole, list):
        return all(
            any(holds(entry, inner) for entry in whole[1:]) for inner in part[1:]
        )
    return type(whole) is type(part) and whole == part


def _plain(content: object) -> object:
    if isinstance(content, list) and content[0] == "v":
        return content[1]
    return content


def _primitive(value: PrimitivePropertyValue) -> IndexedValue:
    scalar = value.primitive_value
    category = value.primitive_def_category
    if isinstance(scalar, str):
        content = Content.TEXT if category is _STRING else Content.OTHER
        kind = "s"
    elif scalar is None or isinstance(scalar, bool):
        content, kind = Content.OTHER, "n" if scalar is None else "b"
    else:
        content, kind = Content.NUMBER, "i" if isinstance(scalar, int) else "f"
    types = (value.type_guid, value.type_name, category and category.name, kind)
    return IndexedValue(Shape(content, types), *_scalar(scalar))


def _scalar(scalar: Scalar) -> tuple[Scalar, int, str | None]:
    if isinstance(scalar, str):
        return split_text(scalar)
    if isinstance(scalar, int) and not -_MAX_INTEGER <= scalar <= _MAX_INTEGER:
        # More than SQLite's integers hold.
        text = str(scalar)
        return float(text), _digest(text), text
    return (int(scalar) if isinstance(scalar, bool) else scalar), 0, None


def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=6).digest())


def _identity(value: InstancePropertyValue) -> object:
    """What is equal exactly for equal values, at any depth."""
    inside = entries_within(value)
    if type(value) in _COLLECTIONS:
        content: object = sorted((key, _identity(v)) for key, v in inside.items())
        return (type(value).__name__, value.type_guid, value.type_name, content)
    indexed = indexed_value(value)
    return (indexed.shape, indexed.head, indexed.digest, indexed.tail)
