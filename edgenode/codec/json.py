"""JSON text to plain Python values and back; the only importer of orjson."""

from typing import Any

import orjson

from edgenode.errors import BadRequestError
from edgenode.limits import MAX_JSON_DEPTH

JsonObject = dict[str, Any]


def loads(text: bytes | str) -> Any:
    """Parse JSON.

    Raises:
        BadRequestError: The text isn't JSON, or nests too deeply.
    """
    value = loads_stored(text)
    # Most texts can't nest too deeply for want of brackets.
    if _opening_brackets(text) > MAX_JSON_DEPTH and _is_too_deep(value):
        raise BadRequestError("nested too deeply", "body")
    return value


def loads_stored(text: bytes | str) -> Any:
    """Parse JSON that this program has written itself: how deep it nests was looked at.

    Raises:
        BadRequestError: The text isn't JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRequestError(str(error), "body") from error


def _opening_brackets(text: bytes | str) -> int:
    if isinstance(text, str):
        return text.count("{") + text.count("[")
    return text.count(b"{") + text.count(b"[")


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_JSON_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def dumps(value: object) -> bytes:
    """Serialise plain values; a fragment made by ``raw`` is spliced in as it is."""
    return orjson.dumps(value)


def dumps_sorted(value: object) -> bytes:
    """Serialise with sorted keys, so that equal values give equal bytes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def dumps_pretty(value: object) -> bytes:
    """Serialise for people: two spaces of indentation."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2)


def raw(text: bytes) -> orjson.Fragment:
    """Mark JSON text that ``dumps`` shall splice in without parsing it."""
    return orjson.Fragment(text)
