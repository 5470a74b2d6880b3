"""Any bean of the model, made from its type hints.

Beans are made as reading them gives them: no empty lists, nothing the release lacks,
and no null where a default takes its place.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from edgenode.codec.beans import wire_name
from edgenode.connectors.connection import Connection, Referenceable
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntityProxy,
    Relationship,
)
from edgenode.instances.properties import (
    InstanceProperties,
    InstancePropertyValue,
    PrimitivePropertyValue,
)
from edgenode.releases import SERVED
from edgenode.typedefs.attributes import AttributeTypeDef
from edgenode.typedefs.attributes import PrimitiveDefCategory as Primitive
from edgenode.typedefs.model import TypeDef
from edgenode.typedefs.status import InstanceStatus

DEPTH = 3
"""How many beans stand in each other; deeper ones are left out."""

ABSTRACT = (TypeDef, AttributeTypeDef, InstancePropertyValue, Referenceable)
POLYMORPHIC = (*ABSTRACT, Connection)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
LONGS = st.integers(-(2**63), 2**63 - 1)
INTS = st.integers(-(2**31), 2**31 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
DATES = st.integers(-62_135_596_800_000, 253_402_300_799_999)
SCALARS = TEXTS | LONGS | FLOATS | st.booleans()
FREE_SCALARS = TEXTS | LONGS | st.floats(-(2**62), 2**62) | st.booleans()
"""Without a category to tell them from whole numbers, floats are no larger than those."""
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
    ),
    max_leaves=8,
)
PRIMITIVES: Mapping[Primitive | None, st.SearchStrategy[Any]] = {
    None: FREE_SCALARS,
    Primitive.OM_PRIMITIVE_TYPE_UNKNOWN: FREE_SCALARS,
    Primitive.OM_PRIMITIVE_TYPE_BOOLEAN: st.booleans(),
    Primitive.OM_PRIMITIVE_TYPE_BYTE: st.integers(-(2**7), 2**7 - 1),
    Primitive.OM_PRIMITIVE_TYPE_CHAR: TEXTS.filter(bool).map(lambda text: text[0]),
    Primitive.OM_PRIMITIVE_TYPE_SHORT: st.integers(-(2**15), 2**15 - 1),
    Primitive.OM_PRIMITIVE_TYPE_INT: INTS,
    Primitive.OM_PRIMITIVE_TYPE_LONG: LONGS,
    Primitive.OM_PRIMITIVE_TYPE_FLOAT: FLOATS,
    Primitive.OM_PRIMITIVE_TYPE_DOUBLE: FLOATS,
    Primitive.OM_PRIMITIVE_TYPE_BIGINTEGER: st.integers(2**31, 2**63 - 1),
    Primitive.OM_PRIMITIVE_TYPE_BIGDECIMAL: INTS,
    Primitive.OM_PRIMITIVE_TYPE_STRING: TEXTS,
    Primitive.OM_PRIMITIVE_TYPE_DATE: LONGS,
}


def beans(cls: type, depth: int = DEPTH) -> st.SearchStrategy[Any]:
    """Beans of a class and, where it is polymorphic, of those that inherit from it."""
    members = [cls] if cls not in POLYMORPHIC else list(_concrete(cls))
    return st.one_of([_beans(member, depth) for member in members])


def _concrete(cls: type) -> Iterator[type]:
    if cls not in ABSTRACT:
        yield cls
    subclasses: list[type] = cls.__subclasses__()
    for subclass in subclasses:
        # A slotted dataclass takes the place of the class it was made from, which
        # stays among the subclasses until the garbage collector comes by.
        if vars(sys.modules[subclass.__module__]).get(subclass.__name__) is subclass:
            yield from _concrete(subclass)


def _beans(cls: type, depth: int) -> st.SearchStrategy[Any]:
    if cls is PrimitivePropertyValue:
        return _primitive_values()
    hints = get_type_hints(cls)
    absent = frozenset[str]().union(
        *(SERVED.absent_fields.get(base.__name__, ()) for base in cls.__mro__)
    )
    made = st.builds(
        cls,
        **{
            field.name: _values(field, hints[field.name], depth)
            for field in fields(cls)
            if field.name not in ("category", "instance_property_category")
            and wire_name(field.name) not in absent
        },
    )
    if cls is InstanceProperties:
        return made
    return made.filter(_has_no_empty_properties)


def _has_no_empty_properties(bean: Any) -> bool:
    if isinstance(bean, EntityProxy):
        held = bean.unique_properties
    elif isinstance(bean, EntityDetail | Relationship | Classification):
        held = bean.properties
    else:
        return True
    return held != InstanceProperties(header_version=getattr(held, "header_version", 1))


def _primitive_values() -> st.SearchStrategy[Any]:
    def of(category: Primitive | None) -> st.SearchStrategy[Any]:
        return st.builds(
            PrimitivePropertyValue,
            header_version=LONGS,
            type_guid=st.none() | TEXTS,
            type_name=st.none() | TEXTS,
            primitive_def_category=st.just(category),
            primitive_value=st.none() | PRIMITIVES[category],
        )

    return st.sampled_from(list(PRIMITIVES)).flatmap(of)


def _values(field: Field[Any], hint: Any, depth: int) -> st.SearchStrategy[Any]:
    bare, optional = _without_none(hint)
    default = None if field.default is MISSING else field.default
    made = _whole_numbers(field.name) if bare is int else _of_hint(bare, depth)
    return st.none() | made if optional and default is None else made


def _whole_numbers(name: str) -> st.SearchStrategy[int]:
    if name.endswith(("_time", "timestamp")):
        return DATES
    return LONGS if name.endswith("version") else INTS


def _of_hint(hint: Any, depth: int) -> st.SearchStrategy[Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple:
        items = _of_hint(arguments[0], depth)
        lists = st.lists(items, min_size=1, max_size=2).map(tuple)
        return st.none() if _is_too_deep(arguments[0], depth) else lists
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if _is_too_deep(arguments[1], depth):
            return st.just({})
        entries = _of_hint(arguments[1], depth)
        return st.dictionaries(TEXTS, entries, min_size=1, max_size=2)
    if hint is InstanceStatus:
        return st.sampled_from(sorted(SERVED.statuses, key=lambda known: known.value))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    if hint is str:
        return TEXTS
    if hint is int:
        return INTS
    if hint is bool:
        return st.booleans()
    if hint is object:
        return JSON
    return st.none() if depth == 0 else beans(hint, depth - 1)


def _is_too_deep(hint: Any, depth: int) -> bool:
    is_bean = isinstance(hint, type) and hasattr(hint, "__dataclass_fields__")
    return is_bean and depth == 0


def _without_none(hint: Any) -> tuple[Any, bool]:
    if get_origin(hint) not in (Union, UnionType):
        return hint, False
    rest = [of for of in get_args(hint) if of is not type(None)]
    return (rest[0] if len(rest) == 1 else object), len(rest) < len(get_args(hint))
