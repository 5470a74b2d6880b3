"""Keys, what is derived from them, and tokens, damaged ones too."""

import hashlib
import hmac
import os
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.security.keys import (
    CohortKey,
    InvalidTokenError,
    hkdf_sha256,
    is_cohort_name,
)

KEY = CohortKey("home", bytes(range(32)))
TOKEN = "edgenode-AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4faG9tZXsxsUg"  # noqa: S105
NAMES = st.text(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
    min_size=1,
    max_size=63,
)
KEYS = st.builds(CohortKey, NAMES, st.binary(min_size=32, max_size=32))


def token_of(content: bytes) -> str:
    check = hashlib.sha256(content).digest()[:4]
    return "edgenode-" + urlsafe_b64encode(content + check).decode().rstrip("=")


# RFC 5869, appendix A


@pytest.mark.parametrize(
    ("secret", "salt", "info", "length", "derived"),
    [
        (
            "0b" * 22,
            "000102030405060708090a0b0c",
            "f0f1f2f3f4f5f6f7f8f9",
            42,
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
            "34007208d5b887185865",
        ),
        (
            bytes(range(0x50)).hex(),
            bytes(range(0x60, 0xB0)).hex(),
            bytes(range(0xB0, 0x100)).hex(),
            82,
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
            "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
            "cc30c58179ec3e87c14c01d5c1f3434f1d87",
        ),
        (
            "0b" * 22,
            "",
            "",
            42,
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
            "9d201395faa4b61a96c8",
        ),
    ],
)
def test_the_derivation_is_that_of_the_rfc(
    secret: str, salt: str, info: str, length: int, derived: str
) -> None:
    of = bytes.fromhex
    assert hkdf_sha256(of(secret), of(info), length, of(salt)).hex() == derived


# Vectors of our own: whoever writes another node has to come to the same.


def test_what_is_derived_from_a_key() -> None:
    assert KEY.token == TOKEN
    assert KEY.tag == "f7b976289a146a5d"
    assert KEY.bus_key.hex() == (
        "2120e9d1af8730171d0d5154b451a8f85c4185b1c7ea36d7ed8acd487b1338b3"
    )
    assert KEY.authority_number == int(
        "a9ec82b086563b32f8fdd8de8b0d03c570f4be27383d193a4528044f1826ae0a", 16
    )


def test_the_open_cohorts_key_follows_from_its_name() -> None:
    assert CohortKey.open("bench").tag == "a68f1825153cb15d"
    assert CohortKey.open("bench") != CohortKey.open("bench2")


def test_a_new_key_is_random() -> None:
    key = CohortKey.create("home", os.urandom)
    assert key.name == "home"
    assert key != CohortKey.create("home", os.urandom)


@given(KEYS)
def test_what_is_derived_tells_nothing_of_the_key(key: CohortKey) -> None:
    secrets = {key.secret.hex(), repr(key.secret), key.token, key.bus_key.hex()}
    assert not any(each in f"{key!r} {key} {key.tag}" for each in secrets)
    assert 0 < key.authority_number < 2**256


# Tokens


@given(KEYS, st.sampled_from(["", " ", "\n", "\r\n\t"]))
def test_a_token_brings_the_key_over(key: CohortKey, space: str) -> None:
    assert CohortKey.from_token(space + key.token + space) == key


@given(st.data())
def test_a_damaged_token_is_told(data: st.DataObject) -> None:
    at = data.draw(st.integers(len("edgenode-"), len(TOKEN) - 1))
    other = data.draw(st.characters(codec="utf-8"))
    damaged = TOKEN[:at] + other + TOKEN[at + 1 :]
    if damaged != TOKEN:
        with pytest.raises(InvalidTokenError):
            CohortKey.from_token(damaged + ".")
    with pytest.raises(InvalidTokenError):
        CohortKey.from_token(TOKEN[:at])


@given(st.text() | st.text().map("edgenode-".__add__) | st.binary().map(token_of))
def test_anything_else_is_no_token(text: str) -> None:
    with pytest.raises(InvalidTokenError) as caught:
        CohortKey.from_token(text)
    assert caught.value.why


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("", "doesn't begin"),
        ("EDGENODE-AQAB", "doesn't begin"),
        ("edgenode-", "cut off"),
        ("edgenode-AQ==", "cut off"),
        ("edgenode-" + "A" * 201, "cut off"),
        (TOKEN.replace("AQABAg", "AQABAh"), "damaged"),
        (TOKEN[:-1] + "h", "damaged"),  # another text for the same bytes
        (token_of(bytes([2]) + KEY.secret + b"home"), "format, 2"),
        (token_of(bytes([1]) + KEY.secret[:31]), "whole key"),
        (token_of(bytes([1]) + KEY.secret), "name"),
        (token_of(bytes([1]) + KEY.secret + b"a b"), "name"),
        (token_of(bytes([1]) + KEY.secret + b"\xff"), "name"),
        (token_of(bytes([1]) + KEY.secret + b"x" * 64), "name"),
    ],
)
def test_what_is_wrong_with_a_token(token: str, why: str) -> None:
    with pytest.raises(InvalidTokenError, match=why) as caught:
        CohortKey.from_token(token)
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "#", "+", "ä", "x" * 64, "a\n"])
def test_names(name: str) -> None:
    assert not is_cohort_name(name)
    with pytest.raises(ValueError, match="no name"):
        CohortKey(name, KEY.secret)


def test_a_secret_has_its_length() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        CohortKey("home", bytes(31))
    assert hmac.compare_digest(CohortKey("home", bytes(32)).secret, bytes(32))
