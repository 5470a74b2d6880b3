"""Which JSON value fits which primitive type; a value that doesn't refuses the request.

The rules are those of genuine 4.2 readers, found by trying
(no leniency between text and numbers, a decimal point for floating point).
"""

from edgenode.errors import BadRequestError
from edgenode.instances.properties import PrimitivePropertyValue
from edgenode.typedefs.attributes import PrimitiveDefCategory as Primitive

_INT = range(-(2**31), 2**31)
_RANGES = {
    Primitive.OM_PRIMITIVE_TYPE_INT: _INT,
    Primitive.OM_PRIMITIVE_TYPE_BYTE: range(-(2**7), 2**7),
    Primitive.OM_PRIMITIVE_TYPE_SHORT: range(-(2**15), 2**15),
    Primitive.OM_PRIMITIVE_TYPE_LONG: range(-(2**63), 2**63),
    Primitive.OM_PRIMITIVE_TYPE_DATE: range(-(2**63), 2**63),
    Primitive.OM_PRIMITIVE_TYPE_BIGDECIMAL: _INT,
}
_FLOATS = (
    Primitive.OM_PRIMITIVE_TYPE_FLOAT,
    Primitive.OM_PRIMITIVE_TYPE_DOUBLE,
)
_TEXTS = (
    Primitive.OM_PRIMITIVE_TYPE_STRING,
    Primitive.OM_PRIMITIVE_TYPE_CHAR,
)


def _fits(category: Primitive, value: object) -> bool:
    if category in _TEXTS:
        return isinstance(value, str)
    if category is Primitive.OM_PRIMITIVE_TYPE_BOOLEAN:
        return isinstance(value, bool)
    if category in _FLOATS:
        return isinstance(value, float)
    if category is Primitive.OM_PRIMITIVE_TYPE_UNKNOWN:
        return not isinstance(value, list | dict)
    if isinstance(value, bool) or not isinstance(value, int):
        return False
    if category is Primitive.OM_PRIMITIVE_TYPE_BIGINTEGER:
        return value not in _INT
    return value in _RANGES[category]


def checked_primitive(
    value: PrimitivePropertyValue, where: str
) -> PrimitivePropertyValue:
    """The value, if its JSON type fits its primitive category.

    Without a category anything passes; the type check of the instance decides.

    Raises:
        BadRequestError: It doesn't fit.
    """
    category = value.primitive_def_category
    if category is None or value.primitive_value is None:
        return value
    if not _fits(category, value.primitive_value):
        raise BadRequestError(
            f"{value.primitive_value!r} is no {category.type_name}", where
        )
    return value
