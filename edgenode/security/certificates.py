"""Reads what a node must know of a certificate, by walking its DER.

A handshake has shown before that the certificate is good and that the peer has its key.
What is read here may come from anybody all the same, so that each length is checked.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from edgenode.clock import EpochMillis
from edgenode.errors import EdgeNodeError

NODE_ID_LENGTH = 32

_SEQUENCE, _SET, _INTEGER, _OBJECT_ID = 0x30, 0x31, 0x02, 0x06
_VERSION = 0xA0
_TEXTS = (0x0C, 0x13)  # UTF8String, PrintableString
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_COMMON_NAME = b"\x55\x04\x03"
_NODE_ID = re.compile(r"[0-9a-f]{32}")


class InvalidCertificateError(EdgeNodeError):
    """What should be a certificate isn't one, or is none that nodes make."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a node must know of a certificate.

    Attributes:
        node_id: Tells its public key, and so the node that has the private one.
        issuer: The common name of who issued it.
        not_after: When it ends.
    """

    node_id: str
    issuer: str
    not_after: EpochMillis


def is_node_id(text: str) -> bool:
    """Whether a text can be the id of a node."""
    return _NODE_ID.fullmatch(text) is not None


def node_id_of(der: bytes) -> str:
    """The id of the node whose certificate this is.

    Raises:
        InvalidCertificateError: It is no certificate.
    """
    return read_certificate(der).node_id


def not_after(der: bytes) -> EpochMillis:
    """When a certificate ends.

    Raises:
        InvalidCertificateError: It is no certificate.
    """
    return read_certificate(der).not_after


def node_id_of_public_key(subject_public_key_info: bytes) -> str:
    """The id of the node with this public key, which is in DER."""
    return sha256(subject_public_key_info).hexdigest()[:NODE_ID_LENGTH]


def read_certificate(der: bytes) -> Certificate:
    """Read a certificate in DER.

    Raises:
        InvalidCertificateError: It is no certificate.
    """
    outer = _Walk(der)
    certificate = outer.enter(_SEQUENCE)
    outer.end()
    signed = certificate.enter(_SEQUENCE)
    if signed.next_tag() == _VERSION:
        signed.content(_VERSION)
    signed.content(_INTEGER)
    signed.content(_SEQUENCE)  # the algorithm of the signature
    issuer = _common_name(signed.enter(_SEQUENCE))
    validity = signed.enter(_SEQUENCE)
    _time(validity)
    ends = _time(validity)
    signed.content(_SEQUENCE)  # the subject
    public_key = signed.whole(_SEQUENCE)
    return Certificate(node_id_of_public_key(public_key), issuer, ends)


class _Walk:
    """A place within DER that goes forward element by element."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def next_tag(self) -> int:
        if self._at >= len(self._data):
            raise InvalidCertificateError("the certificate is cut off")
        return self._data[self._at]

    def content(self, tag: int) -> bytes:
        """The content of the next element, which has to have this tag."""
        start, end = self._next(tag)
        self._at = end
        return self._data[start:end]

    def whole(self, tag: int) -> bytes:
        """The same with its tag and length."""
        begin = self._at
        _, end = self._next(tag)
        self._at = end
        return self._data[begin:end]

    def enter(self, tag: int) -> "_Walk":
        """A walk through the content of the next element."""
        return _Walk(self.content(tag))

    def is_at_end(self) -> bool:
        return self._at == len(self._data)

    def end(self) -> None:
        if not self.is_at_end():
            raise InvalidCertificateError("something stands behind the certificate")

    def _next(self, tag: int) -> tuple[int, int]:
        """Where the content of the next element begins and ends."""
        if self.next_tag() != tag:
            raise InvalidCertificateError(
                f"the certificate has tag {self.next_tag():#x} in place of {tag:#x}"
            )
        start, length = self._length(self._at + 1)
        if length > len(self._data) - start:
            raise InvalidCertificateError("the certificate is cut off")
        return start, start + length

    def _length(self, at: int) -> tuple[int, int]:
        """Where a length ends, and the length; only its shortest form is DER."""
        first = self._data[at : at + 1]
        if not first:
            raise InvalidCertificateError("the certificate is cut off")
        if first[0] < 0x80:
            return at + 1, first[0]
        digits = self._data[at + 1 : at + 1 + (first[0] & 0x7F)]
        length = int.from_bytes(digits, "big")
        shortest = (length.bit_length() + 7) // 8
        if len(digits) != first[0] & 0x7F or len(digits) != shortest or length < 0x80:
            raise InvalidCertificateError("the certificate has a length that isn't DER")
        return at + 1 + len(digits), length


def _common_name(name: _Walk) -> str:
    while not name.is_at_end():
        parts = name.enter(_SET)
        while not parts.is_at_end():
            part = parts.enter(_SEQUENCE)
            if part.content(_OBJECT_ID) == _COMMON_NAME and part.next_tag() in _TEXTS:
                return _text(part.content(part.next_tag()))
    return ""


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise InvalidCertificateError(
            "the certificate has a name that isn't UTF-8"
        ) from error


def _time(walk: _Walk) -> EpochMillis:
    tag = walk.next_tag()
    if tag not in (_UTC_TIME, _GENERALIZED_TIME):
        raise InvalidCertificateError(f"the certificate has tag {tag:#x} for a time")
    text = walk.content(tag)
    if tag == _UTC_TIME:  # two digits of the year, from 1950 on
        text = (b"19" if text[:1] >= b"5" else b"20") + text
    if not re.fullmatch(rb"[0-9]{14}Z", text):
        raise InvalidCertificateError("the certificate has a time that is none")
    try:
        moment = datetime.strptime(text.decode(), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise InvalidCertificateError(
            "the certificate has a time that is none"
        ) from error
    return int(moment.timestamp()) * 1000
