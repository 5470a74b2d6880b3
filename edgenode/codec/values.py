"""Which JSON value fits which primitive type; a value that doesn't refuses the request.

The rules are those of genuine 4.2 readers, found by trying (no leniency between text and
numbers, a decimal point for floating point). Two are ours: a value is a scalar, and a
whole number has at most 64 bits.
"""

from collections.abc import Callable
from dataclasses import replace

from edgenode.codec.beans import UnboundError
from edgenode.instances.properties import PrimitivePropertyValue
from edgenode.typedefs.attributes import PrimitiveDefCategory as Primitive

_INT = range(-(2**31), 2**31)
_LONG = range(-(2**63), 2**63)
_RANGES = {
    Primitive.OM_PRIMITIVE_TYPE_INT: _INT,
    Primitive.OM_PRIMITIVE_TYPE_BYTE: range(-(2**7), 2**7),
    Primitive.OM_PRIMITIVE_TYPE_SHORT: range(-(2**15), 2**15),
    Primitive.OM_PRIMITIVE_TYPE_LONG: _LONG,
    Primitive.OM_PRIMITIVE_TYPE_DATE: _LONG,
    Primitive.OM_PRIMITIVE_TYPE_BIGDECIMAL: _INT,
}
_TEXT = Primitive.OM_PRIMITIVE_TYPE_STRING
_CHAR = Primitive.OM_PRIMITIVE_TYPE_CHAR
_ANY = Primitive.OM_PRIMITIVE_TYPE_UNKNOWN
_SCALAR = "scalar of at most 64 bits"


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in _LONG


def _is_scalar(value: object) -> bool:
    if isinstance(value, float):
        # The parser makes floats of whole numbers that are longer, and loses digits.
        return abs(value) < _LONG.stop
    return isinstance(value, str | bool) or _is_whole(value)


_FITS: dict[Primitive, Callable[[object], bool]] = {
    _TEXT: lambda value: isinstance(value, str),
    _CHAR: lambda value: isinstance(value, str) and value != "",
    Primitive.OM_PRIMITIVE_TYPE_BOOLEAN: lambda value: isinstance(value, bool),
    Primitive.OM_PRIMITIVE_TYPE_FLOAT: lambda value: isinstance(value, float),
    Primitive.OM_PRIMITIVE_TYPE_DOUBLE: lambda value: isinstance(value, float),
    Primitive.OM_PRIMITIVE_TYPE_BIGINTEGER: (
        lambda value: _is_whole(value) and value not in _INT
    ),
    _ANY: _is_scalar,
}


def checked_primitive(value: PrimitivePropertyValue) -> PrimitivePropertyValue:
    """The value, if its JSON type fits its primitive category.

    Without a category any scalar passes; the type check of the instance decides. Of a
    text that is to be a char the first character is taken.

    Raises:
        UnboundError: It doesn't fit.
    """
    category, content = value.primitive_def_category, value.primitive_value
    if content is None or (category is _TEXT and type(content) is str):
        return value
    if category is None:
        fits, expected = _is_scalar(content), _SCALAR
    else:
        expected = _SCALAR if category is _ANY else category.type_name
        fits = (
            _FITS[category](content)
            if category in _FITS
            else _is_whole(content) and content in _RANGES[category]
        )
    if not fits:
        raise UnboundError(f"{content!r} is no {expected}")
    if category is _CHAR and isinstance(content, str):
        return replace(value, primitive_value=content[0])
    return value
