"""What nodes ask each other over HTTPS, as both sides read and write it.

Questions and short answers are JSON. Numbers that stand for digests are plain numbers
below 2^63, sums are pairs of a count and a digest.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from edgenode.codec.json import dumps, loads, raw
from edgenode.errors import BadRequestError
from edgenode.events.streams import Sum
from edgenode.security.cohorts import ToldKey

BASE = "/edgenode/cohort"
MEMBER = BASE + "/members/{collectionId}"

BUCKETS = range(256)
"""The buckets that a group is divided into."""

FRAMES_TYPE = "application/msgpack"
JSON_TYPE = "application/json"
DEFLATE = "deflate"

_DIGESTS = range(2**63)


def guids_text(guids: Sequence[str]) -> bytes:
    """The body of a question for some things."""
    return dumps({"guids": list(guids)})


def read_guids(body: Any, most: int) -> tuple[str, ...]:
    """The GUIDs in such a body.

    Raises:
        BadRequestError: There are none, or too many.
    """
    guids = _field(body, "guids", list)
    if len(guids) > most:
        raise BadRequestError(f"more than {most}", "guids")
    if not all(isinstance(guid, str) for guid in guids):
        raise BadRequestError("texts expected", "guids")
    return tuple(guids)


def buckets_text(buckets: Sequence[int]) -> bytes:
    """The body of a question for the things in some buckets."""
    return dumps({"buckets": list(buckets)})


def read_buckets(body: Any) -> tuple[int, ...]:
    """The buckets in such a body.

    Raises:
        BadRequestError: There are none, or others than there can be.
    """
    buckets = _field(body, "buckets", list)
    if len(buckets) > len(BUCKETS):
        raise BadRequestError(f"more than {len(BUCKETS)}", "buckets")
    if not all(_is_number(bucket, BUCKETS) for bucket in buckets):
        raise BadRequestError(f"numbers below {BUCKETS.stop} expected", "buckets")
    return tuple(buckets)


def digests_text(digests: Mapping[str, int]) -> bytes:
    """An answer of digests."""
    return dumps({"digests": dict(digests)})


def read_digests(text: bytes) -> dict[str, int]:
    """The digests in such an answer.

    Raises:
        BadRequestError: It is none.
    """
    digests: dict[str, int] = _field(loads(text), "digests", dict)
    if not all(_is_number(digest, _DIGESTS) for digest in digests.values()):
        raise BadRequestError("numbers expected", "digests")
    return digests


def sums_text(sums: Mapping[str, Sum] | Mapping[int, Sum]) -> bytes:
    """An answer of sums."""
    pairs = {str(name): [held.count, held.digest] for name, held in sums.items()}
    return dumps({"sums": pairs})


def read_sums(text: bytes) -> dict[str, Sum]:
    """The sums in such an answer.

    Raises:
        BadRequestError: It is none.
    """
    sums: dict[str, Any] = _field(loads(text), "sums", dict)
    return {name: _sum(pair) for name, pair in sums.items()}


def read_bucket_sums(text: bytes) -> dict[int, Sum]:
    """The sums by bucket in such an answer.

    Raises:
        BadRequestError: It is none.
    """
    sums = read_sums(text)
    known = {str(bucket): bucket for bucket in BUCKETS}
    if not sums.keys() <= known.keys():
        raise BadRequestError(f"numbers below {BUCKETS.stop} expected", "sums")
    return {known[name]: held for name, held in sums.items()}


def owners_text(owners: Collection[str]) -> bytes:
    """An answer of owners."""
    return dumps({"owners": sorted(owners)})


def read_owners(text: bytes) -> list[str]:
    """The owners in such an answer.

    Raises:
        BadRequestError: It is none.
    """
    owners: list[Any] = _field(loads(text), "owners", list)
    if not all(isinstance(owner, str) for owner in owners):
        raise BadRequestError("texts expected", "owners")
    return owners


def definitions_text(definitions: Sequence[bytes]) -> bytes:
    """An answer of type definitions, which are JSON already."""
    return dumps({"typeDefs": [raw(definition) for definition in definitions]})


def read_definitions(text: bytes) -> list[bytes]:
    """The type definitions in such an answer, each as JSON.

    Raises:
        BadRequestError: It is none.
    """
    return [dumps(each) for each in _field(loads(text), "typeDefs", list)]


def key_text(told: ToldKey) -> bytes:
    """An answer with the cohort's key."""
    return dumps(
        {
            "token": told.token,
            "number": told.number,
            "overlapEnds": told.overlap_ends,
        }
    )


def read_key(text: bytes) -> ToldKey:
    """The key in such an answer.

    Raises:
        BadRequestError: There is none.
    """
    told = loads(text)
    token: str = _field(told, "token", str)
    numbers = [_field(told, name, int) for name in ("number", "overlapEnds")]
    if not all(_is_number(number, _DIGESTS) for number in numbers):
        raise BadRequestError("numbers expected", "number")
    return ToldKey(token, *numbers)


def _field(body: Any, name: str, kind: type) -> Any:
    value = body.get(name) if isinstance(body, dict) else None
    if not isinstance(value, kind):
        raise BadRequestError("missing", name)
    return value


def _sum(pair: Any) -> Sum:
    if not isinstance(pair, list) or len(pair) != len(("count", "digest")):
        raise BadRequestError("pairs expected", "sums")
    if not all(_is_number(number, _DIGESTS) for number in pair):
        raise BadRequestError("numbers expected", "sums")
    return Sum(*pair)


def _is_number(value: Any, numbers: range) -> bool:
    return type(value) is int and value in numbers
