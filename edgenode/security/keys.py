"""A cohort's key, all that is derived from it, and the token that hands it on."""

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field

from edgenode.errors import EdgeNodeError

SECRET_BYTES = 32

_NAME = re.compile(r"[A-Za-z0-9._-]{1,63}")
_PREFIX = "edgenode-"
_FORMAT = 1
_CHECK_BYTES = 4
_ENCODED = re.compile(r"[A-Za-z0-9_-]{7,200}")
_HASH_BYTES = 32
# The order of the group of P-256, as FIPS 186 has it.
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class InvalidTokenError(EdgeNodeError):
    """A join token can't be used; the message says why, without the token."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"this join token can't be used: {self.why}"


@dataclass(frozen=True, slots=True)
class CohortKey:
    """What lets a node into a cohort; whoever has it can let others in.

    Attributes:
        name: The cohort's, for people and in topics.
        secret: 256 bits that never stand in a message or a log.
    """

    name: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not is_cohort_name(self.name):
            raise ValueError(f"{self.name!r} is no name of a cohort")
        if len(self.secret) != SECRET_BYTES:
            raise ValueError(f"a cohort's secret has {SECRET_BYTES} bytes")

    @classmethod
    def create(cls, name: str, random_bytes: Callable[[int], bytes]) -> "CohortKey":
        """A new key.

        Args:
            name: The cohort's; see ``is_cohort_name``.
            random_bytes: A source that nobody can foretell, such as os.urandom.
        """
        return cls(name, random_bytes(SECRET_BYTES))

    @classmethod
    def open(cls, name: str) -> "CohortKey":
        """The key of a cohort in open mode: whoever knows its name knows the key."""
        return cls(
            name, hashlib.sha256(b"edgenode open cohort\0" + name.encode()).digest()
        )

    @classmethod
    def from_token(cls, token: str) -> "CohortKey":
        """Read a join token, with white space around it or not.

        Raises:
            InvalidTokenError: It is none, or damaged.
        """
        data = _decoded(token.strip())
        content, check = data[:-_CHECK_BYTES], data[-_CHECK_BYTES:]
        if not hmac.compare_digest(_check(content), check):
            raise InvalidTokenError("it is damaged; copy all of it once more")
        if content[0] != _FORMAT:
            raise InvalidTokenError(
                f"its format, {content[0]}, isn't known; update edgenode"
            )
        if len(content) < 1 + SECRET_BYTES:
            raise InvalidTokenError("it has no whole key in it")
        try:
            return cls(
                content[1 + SECRET_BYTES :].decode(), content[1 : 1 + SECRET_BYTES]
            )
        except ValueError as error:
            raise InvalidTokenError("it has no cohort's name in it") from error

    @property
    def token(self) -> str:
        """What another machine joins with; as secret as the key, which is in it."""
        content = bytes([_FORMAT]) + self.secret + self.name.encode()
        encoded = urlsafe_b64encode(content + _check(content)).decode()
        return _PREFIX + encoded.rstrip("=")

    @property
    def tag(self) -> str:
        """Tells cohorts apart in the open, and nothing of the key."""
        return hkdf_sha256(self.secret, b"edgenode cohort tag", 8).hex()

    @property
    def bus_key(self) -> bytes:
        """Authenticates messages on the bus; derived at each call."""
        return hkdf_sha256(self.secret, b"edgenode cohort bus", 32)

    @property
    def authority_number(self) -> int:
        """The private key of the certificate authority, a number on P-256."""
        derived = hkdf_sha256(self.secret, b"edgenode cohort authority", 48)
        return int.from_bytes(derived, "big") % (_P256_ORDER - 1) + 1


def is_cohort_name(name: str) -> bool:
    """Whether it is 1 to 63 letters, digits, dots, underscores and hyphens."""
    return _NAME.fullmatch(name) is not None


def hkdf_sha256(secret: bytes, info: bytes, length: int, salt: bytes = b"") -> bytes:
    """Derive a key by RFC 5869."""
    pseudorandom = hmac.digest(salt or bytes(_HASH_BYTES), secret, "sha256")
    derived, block = b"", b""
    for count in range(1, -(-length // _HASH_BYTES) + 1):
        block = hmac.digest(pseudorandom, block + info + bytes([count]), "sha256")
        derived += block
    return derived[:length]


def _decoded(token: str) -> bytes:
    encoded = token.removeprefix(_PREFIX)
    if encoded == token:
        raise InvalidTokenError(f"it doesn't begin with {_PREFIX}")
    if not _ENCODED.fullmatch(encoded):
        raise InvalidTokenError("it is cut off, or isn't a token alone")
    try:
        data = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except ValueError as error:
        raise InvalidTokenError("it is damaged; copy all of it once more") from error
    if urlsafe_b64encode(data).decode().rstrip("=") != encoded:
        raise InvalidTokenError("it is damaged; copy all of it once more")
    return data


def _check(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()[:_CHECK_BYTES]
