"""What has to be known of an instance to merge it with others, read from its JSON.

Decoding a page of a thousand entities takes tens of milliseconds. These few fields stand
at the beginning of the text in a fixed order, and a quote inside a value has a backslash
before it, so that they can be picked out by a pattern.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from edgenode.clock import EpochMillis
from edgenode.codec.beans import UnboundError, parse_time
from edgenode.codec.json import loads
from edgenode.errors import BadRequestError
from edgenode.instances.document import Document

T = TypeVar("T")

_EXTERNAL = "EXTERNAL_SOURCE"


class Header(NamedTuple):
    """An instance without its content.

    Attributes:
        guid: Its GUID.
        version: Its version.
        owner: The member that answers for it: its home, or for one of an external
            source the member that replicates it.
    """

    guid: str
    version: int
    owner: str


class ListedDocument(Document[T], Generic[T]):
    """A document whose header is known, because it came with it."""

    __slots__ = ("header",)

    def __init__(
        self, json: bytes, decode: Callable[[bytes], T], header: Header
    ) -> None:
        super().__init__(json, decode)
        self.header = header


_TEXT = rb'"([^"\\]*)"'
_START = re.compile(
    rb'\{"class":"[A-Za-z]+","headerVersion":\d+,"type":\{[^{}]*\},'
    rb'"instanceProvenanceType":"([A-Z_]+)","metadataCollectionId":' + _TEXT + rb","
    rb'(?:"(?:metadataCollectionName|instanceLicense|createdBy|updatedBy'
    rb'|createTime|updateTime)":"[^"\\]*(?:\\.[^"\\]*)*",|"replicatedBy":'
    + _TEXT
    + rb","
    rb'|"maintainedBy":\[(?:[^"\\\]]|"(?:[^"\\]|\\.)*")*\],)*'
    rb'"version":(\d+),(?:"statusOnDelete":"[A-Z_]+",)?"guid":' + _TEXT
)
"""The beginning of an instance as servers write it; one that has more to it, which is
rare, is parsed."""


def header_of(document: Document[Any]) -> Header:
    """The header of an instance.

    Raises:
        BadRequestError: The text isn't an instance's.
    """
    if isinstance(document, ListedDocument):
        return document.header
    found = _START.match(document.json)
    if found is None:
        return header_of_object(loads(document.json))
    provenance, home, replicator, version, guid = found.groups()
    owner = replicator if provenance == b"EXTERNAL_SOURCE" else home
    return Header(guid.decode(), int(version), (owner or b"").decode())


class Dates(NamedTuple):
    """When an instance came to be, and was changed last, as instances have it."""

    create_time: EpochMillis | None
    update_time: EpochMillis | None


def dates_of(document: Document[Any]) -> Dates | None:
    """The dates in the header of an instance; None where it has to be parsed for them."""
    found = _START.match(document.json)
    if found is None:
        return None
    create_time = _CREATED.search(document.json, found.end(1), found.end())
    update_time = _UPDATED.search(document.json, found.end(1), found.end())
    try:
        return Dates(
            create_time and parse_time(create_time[1].decode()),
            update_time and parse_time(update_time[1].decode()),
        )
    except UnboundError:
        return None


# A quote that stands in a value has a backslash before it, so these are fields.
_CREATED = re.compile(rb'"createTime":"([^"\\]*)"')
_UPDATED = re.compile(rb'"updateTime":"([^"\\]*)"')


def header_of_object(fields: Mapping[str, Any]) -> Header:
    """The header of an instance that is parsed already.

    Raises:
        BadRequestError: It isn't an instance's.
    """
    if not isinstance(fields, dict):
        raise BadRequestError("no object", "instance")
    guid, version = fields.get("guid"), fields.get("version")
    if not isinstance(guid, str) or not isinstance(version, int):
        raise BadRequestError("no GUID or version", "instance")
    is_external = fields.get("instanceProvenanceType") == _EXTERNAL
    owner = fields.get("replicatedBy" if is_external else "metadataCollectionId")
    return Header(guid, version, str(owner or ""))
