"""Bodies of requests, from the wire to the bean that the operation takes."""

import asyncio
from codecs import BOM_UTF8
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from aiohttp import hdrs, web

from edgenode.codec.codec import Codec
from edgenode.errors import BadRequestError
from edgenode.limits import (
    LARGE_BODIES,
    LARGE_BODY_BYTES,
    MAX_BODY_BYTES,
    MAX_DISCARDED_BYTES,
    PEER_SECONDS,
)
from edgenode.rest.operations import Operation
from edgenode.rest.refusals import RefusalError

T = TypeVar("T")

_LATIN = "iso-8859-1"


class Bodies:
    """Takes in the bodies of all requests, few large ones at a time."""

    def __init__(self, large: int = LARGE_BODIES) -> None:
        self._room = asyncio.Semaphore(large)
        # One large body is decoded at a time: the interpreter does no two at once
        # anyway, and its objects take some ten times the memory of its text.
        self._decoding = asyncio.Semaphore(1)

    async def bound(
        self, request: web.BaseRequest, operation: Operation[Any], codec: Codec
    ) -> Any:
        """The bean in a request's body; None where there may be none and is none.

        Raises:
            RefusalError: It isn't JSON or not the operation's, is too large, doesn't
                arrive, or there is no room for it.
            ConnectionError: The caller has hung up.
        """
        cls = operation.body

        def decode(text: bytes) -> Any:
            if cls is None:
                return None
            if not operation.body_required and not _says_something(text):
                return None
            return codec.decode(cls, text)

        return await self.read(request, decode)

    async def read(self, request: web.BaseRequest, decode: Callable[[bytes], T]) -> T:
        """What is made of a request's body, by a function that may run in a thread.

        Raises:
            RefusalError: It isn't JSON or not the operation's, is too large, doesn't
                arrive, or there is no room for it.
            ConnectionError: The caller has hung up.
        """
        if not _may_be_large(request):
            return await self._read(request, decode)
        try:
            async with asyncio.timeout(PEER_SECONDS):
                await self._room.acquire()
        except TimeoutError as error:
            raise RefusalError(
                HTTPStatus.SERVICE_UNAVAILABLE, "too many large bodies at a time"
            ) from error
        try:
            return await self._read(request, decode)
        finally:
            self._room.release()

    async def _read(self, request: web.BaseRequest, decode: Callable[[bytes], T]) -> T:
        text = await _body_text(request)
        try:
            if len(text) < LARGE_BODY_BYTES:
                return decode(text)
            async with self._decoding:
                return await asyncio.to_thread(decode, text)
        except BadRequestError as error:
            raise RefusalError(HTTPStatus.BAD_REQUEST, str(error)) from error


def _may_be_large(request: web.BaseRequest) -> bool:
    """Whether it is, or only shows when it has arrived."""
    headers = request.headers
    is_untold = hdrs.TRANSFER_ENCODING in headers or hdrs.CONTENT_ENCODING in headers
    return is_untold or (request.content_length or 0) >= LARGE_BODY_BYTES


async def _body_text(request: web.BaseRequest) -> bytes:
    """The request's JSON in UTF-8; empty where there is no body.

    Raises:
        RefusalError: It isn't JSON, is too large, or doesn't arrive.
        ConnectionError: The caller has hung up.
    """
    charset = _json_charset(request)
    try:
        async with asyncio.timeout(PEER_SECONDS):
            text = await _read_bounded(request)
    except TimeoutError as error:
        raise RefusalError(HTTPStatus.REQUEST_TIMEOUT) from error
    except web.RequestPayloadError as error:
        raise RefusalError(HTTPStatus.BAD_REQUEST, "the body is broken") from error
    if charset is None and (text or hdrs.CONTENT_TYPE in request.headers):
        raise RefusalError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    if charset == _LATIN:
        return text.decode(_LATIN).encode()
    return text.removeprefix(BOM_UTF8)


async def _read_bounded(request: web.BaseRequest) -> bytes:
    announced = request.content_length or 0
    if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
        if announced > MAX_BODY_BYTES:
            raise RefusalError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer proper hasn't begun
    chunks: list[bytes] = []
    size = 0
    try:
        while chunk := await request.content.readany():
            size += len(chunk)
            if max(size, announced) <= MAX_BODY_BYTES:
                chunks.append(chunk)
            else:
                # Most callers look for the answer only when they have sent everything.
                chunks.clear()
                if size > MAX_DISCARDED_BYTES:
                    break
        if max(size, announced) > MAX_BODY_BYTES:
            raise RefusalError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return b"".join(chunks)
    finally:
        # The error of a connection that broke keeps this call's variables for long.
        chunks.clear()


def _says_something(text: bytes) -> bool:
    return text.strip() not in {b"", b"null"}


def _json_charset(request: web.BaseRequest) -> str | None:
    """The charset of a JSON body; None where it isn't JSON or can't be read.

    Unicode is told by the text itself; the parser takes UTF-8 alone.
    """
    content_type = request.content_type
    if content_type != "application/json" and not (
        content_type.startswith("application/") and content_type.endswith("+json")
    ):
        return None
    charset = (request.charset or "utf-8").lower()
    if charset.startswith("utf") or charset == "us-ascii":
        return "utf-8"
    return charset if charset == _LATIN else None
