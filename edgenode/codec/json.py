"""JSON text to plain Python values and back; the only importer of orjson."""

from typing import Any

import orjson

from edgenode.errors import BadRequestError

JsonObject = dict[str, Any]


def loads(text: bytes | str) -> Any:
    """Parse JSON.

    Raises:
        BadRequestError: The text isn't JSON, or nests deeper than the parser allows.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRequestError(str(error), "body") from error


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
