"""What the groups of operations on another member's collection share."""

import asyncio
from collections.abc import Mapping
from enum import Enum
from functools import partial
from http import HTTPStatus
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, urlencode

from edgenode.codec.codec import Codec
from edgenode.codec.headers import Header, ListedDocument, header_of_object
from edgenode.codec.json import dumps, loads
from edgenode.codec.packed import (
    PACKED_TYPE,
    PackedDocument,
    PackedError,
    read_documents,
)
from edgenode.errors import (
    BadRequestError,
    MemberUnavailableError,
    NodeRemovedError,
    PeerRefusedError,
    PeerUnavailableError,
    UnknownServerError,
)
from edgenode.federation.failures import relayed
from edgenode.instances.document import Document
from edgenode.instances.model import EntityDetail, Relationship
from edgenode.limits import LARGE_BODY_BYTES

T = TypeVar("T")
InstanceT = TypeVar("InstanceT", EntityDetail, Relationship)

_JSON_TYPE = "application/json"
_LIST_TYPES = f"{PACKED_TYPE}, {_JSON_TYPE};q=0.9"
"""Genuine servers answer such requests with JSON."""

_SERVICES = "/open-metadata/repository-services"


class Caller(Protocol):
    """Sends requests to the node of a member."""

    async def request(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        """The status, headers and body of the answer.

        Raises:
            PeerUnavailableError: The node can't be reached, or breaks off.
            PeerRefusedError: It lets nobody in, or says too much.
        """
        ...


class RemoteOperations:
    """Base of the groups of operations.

    Every operation raises MemberUnavailableError where the member can't be reached or
    doesn't speak as a server does.
    """

    def __init__(
        self, collection_id: str, caller: Caller, prefix: str, codec: Codec
    ) -> None:
        """Make the collection of a member.

        Args:
            collection_id: The id that it is registered with.
            caller: Sends the requests.
            prefix: The path of its server: ``/servers/<name>``.
            codec: The wire form of what is asked and answered.
        """
        self.collection_id = collection_id
        self._caller = caller
        self._prefix = prefix.rstrip("/") + _SERVICES
        self._codec = codec

    async def get_metadata_collection_id(self, user_id: str) -> str:
        """The id that the member itself says it has."""
        told = await self._get(user_id, "/metadata-collection-id")
        return str(told.get("metadataCollectionId") or "")

    async def _get(self, user_id: str, path: str) -> Mapping[str, Any]:
        return await self._answer("GET", user_id, path, None)

    async def _post(self, user_id: str, path: str, body: object) -> Mapping[str, Any]:
        text = dumps(body.name) if isinstance(body, Enum) else self._codec.encode(body)
        return await self._answer("POST", user_id, path, text)

    async def _answer(
        self, method: str, user_id: str, path: str, body: bytes | None
    ) -> Mapping[str, Any]:
        _, data = await self._response(method, user_id, path, body, _JSON_TYPE)
        return await self._read(data)

    async def _list(
        self, user_id: str, path: str, body: object, cls: type[InstanceT]
    ) -> list[Document[InstanceT]]:
        """The instances of an answer, undecoded."""
        content_type, data = await self._response(
            "POST", user_id, path, self._codec.encode(body), _LIST_TYPES
        )
        if content_type == PACKED_TYPE:
            if len(data) < LARGE_BODY_BYTES:
                return self._unpacked(data, cls)
            return await asyncio.to_thread(self._unpacked, data, cls)
        answer = await self._read(data)
        name = "entities" if cls is EntityDetail else "relationships"
        return await self._documents(answer.get(name), cls)

    async def _response(
        self, method: str, user_id: str, path: str, body: bytes | None, accept: str
    ) -> tuple[str, bytes]:
        """The media type and the body of a successful response."""
        headers = {"Accept": accept}
        if body is not None:
            headers["Content-Type"] = _JSON_TYPE
        target = f"{self._prefix}/users/{quote(user_id, safe='')}{path}"
        try:
            status, told, data = await self._caller.request(
                method, target, body, headers
            )
        except (PeerUnavailableError, PeerRefusedError) as error:
            raise self._unavailable(error.reason) from error
        except OSError as error:
            raise self._unavailable(str(error) or type(error).__name__) from error
        if status == HTTPStatus.FORBIDDEN and NodeRemovedError.REASON.encode() in data:
            raise self._unavailable(f"says that {NodeRemovedError.REASON}")
        if status != HTTPStatus.OK:
            raise self._unavailable(f"answers with status {status}")
        named = {name.lower(): value for name, value in told.items()}
        return named.get("content-type", "").partition(";")[0].strip().lower(), data

    async def _read(self, data: bytes) -> Mapping[str, Any]:
        """The fields of an answer.

        Raises:
            OMRSError: It tells of a failure.
        """
        try:
            if len(data) < LARGE_BODY_BYTES:
                answer = loads(data)
            else:
                answer = await asyncio.to_thread(loads, data)
        except BadRequestError as error:
            raise self._unavailable(f"answers with something else: {error}") from error
        if not isinstance(answer, dict) or "relatedHTTPCode" not in answer:
            raise self._unavailable("answers with something else")
        if answer["relatedHTTPCode"] != 200:
            failure = relayed(answer)
            if isinstance(failure, UnknownServerError):
                raise self._unavailable("doesn't run now")
            raise failure
        return answer

    def _unpacked(self, data: bytes, cls: type[InstanceT]) -> list[Document[InstanceT]]:
        decode = partial(self._decode, cls)
        try:
            return [
                ListedDocument(row.document, decode, _checked_header(row, cls))
                for row in read_documents(data)
            ]
        except PackedError as error:
            raise self._unavailable(f"answers with something else: {error}") from error
        except BadRequestError as error:
            raise self._unavailable(f"tells of something else: {error}") from error

    async def _documents(
        self, told: Any, cls: type[InstanceT]
    ) -> list[Document[InstanceT]]:
        """The instances of a list in an answer."""
        listed = told if isinstance(told, list) else []
        if len(listed) < _FEW:
            return [self._document(each, cls) for each in listed]
        return await asyncio.to_thread(
            lambda: [self._document(each, cls) for each in listed]
        )

    def _document(self, told: Any, cls: type[T]) -> Document[T]:
        """An instance in an answer."""
        try:
            header = header_of_object(told)
        except BadRequestError as error:
            raise self._unavailable(f"tells of something else: {error}") from error
        return ListedDocument(dumps(told), partial(self._decode, cls), header)

    def _optional(self, told: Any, cls: type[T]) -> Document[T] | None:
        return None if told is None else self._document(told, cls)

    def _bean(self, told: Any, cls: type[T]) -> T:
        """A bean in an answer that is no instance."""
        try:
            return self._codec.from_object(cls, told)
        except BadRequestError as error:
            raise self._unavailable(f"tells of something else: {error}") from error

    def _decode(self, cls: type[T], text: bytes) -> T:
        try:
            return self._codec.decode(cls, text)
        except BadRequestError as error:
            raise self._unavailable(f"tells of something else: {error}") from error

    def _unavailable(self, reason: str) -> MemberUnavailableError:
        return MemberUnavailableError(self.collection_id, reason)


def _checked_header(row: PackedDocument, cls: type) -> Header:
    """The header of a packed instance.

    Its text goes into answers as it is, which nobody but its sender has looked at: what
    isn't the JSON of just that instance would change what the answer says of others. A
    thousand typical entities take some 10 ms.

    Raises:
        BadRequestError: The text is something else.
    """
    told = loads(row.document)
    header = header_of_object(told)
    if told.get("class") != cls.__name__ or header != (
        row.guid,
        row.version,
        row.home_id or "",
    ):
        raise BadRequestError("another instance than the one named", "instance")
    return header


_FEW = 50
"""Instances whose JSON is written in the event loop, some 0.2 ms."""


def at(*segments: str) -> str:
    """A path; segments may hold any characters."""
    return "".join(f"/{quote(segment, safe='')}" for segment in segments)


def asking(**parameters: str | None) -> str:
    """The query of a path, without what isn't given."""
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"?{urlencode(given)}" if given else ""
