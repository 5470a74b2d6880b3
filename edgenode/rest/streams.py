"""Bodies that come and go piece by piece, at the pace of whoever is at the other end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from edgenode.limits import ANSWER_PIECE_BYTES, PEER_SECONDS
from edgenode.rest.browsers import Handler
from edgenode.rest.callers import Audience
from edgenode.rest.refusals import RefusalError

Answer = tuple[web.StreamResponse, bool]
"""The response, which may be sent already, and whether the operation failed."""

_UNWAITED_BYTES = 32 * 1024
"""An answer up to this size isn't waited for where none before it still waits: asyncio
takes 64 KiB before whoever writes has to wait."""


@dataclass(frozen=True, slots=True)
class StreamOperation:
    """An operation that reads its request and writes its response itself.

    Attributes:
        method: The HTTP method.
        template: Its whole path; ``{name}`` segments are parameters.
        name: The name that its calls are counted under.
        handler: Performs it, given the request and the path's parameters.
        audience: Whom it is for.
    """

    method: str
    template: str
    name: str
    handler: Callable[[web.BaseRequest, dict[str, str]], Awaitable[Answer]]
    audience: Audience = Audience.OWN_MACHINE


async def write(
    request: web.BaseRequest, response: web.StreamResponse, text: bytes
) -> None:
    """Send a piece of an answer.

    Raises:
        ConnectionError: The caller has hung up, or doesn't read.
    """
    await _taken(request, response.write(text))


async def finish(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Send an answer, unless it can be sent without waiting for the caller.

    Raises:
        ConnectionError: The caller has hung up, or doesn't read.
    """
    transport = request.transport
    none_waits = transport is None or transport.get_write_buffer_size() == 0
    if none_waits and (response.content_length or 0) <= _UNWAITED_BYTES:
        return

    async def send() -> None:
        await response.prepare(request)
        await response.write_eof()

    await _taken(request, send())


def finishing(handler: Handler) -> Handler:
    """A handler that leaves nothing to be sent, so that nobody who doesn't read stays."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        response = await handler(request)
        with suppress(ConnectionError):
            await finish(request, response)
        return response

    return handle


async def _taken(request: web.BaseRequest, sending: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(PEER_SECONDS):
            await sending
    except TimeoutError:
        # Nobody reads. Whoever does after all learns of it by the lost connection.
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError from None


async def received(request: web.BaseRequest) -> AsyncIterator[bytes]:
    """The body of a request, in pieces as they arrive.

    Raises:
        RefusalError: It breaks off, or doesn't arrive.
    """
    while True:
        try:
            async with asyncio.timeout(PEER_SECONDS):
                piece = await request.content.read(ANSWER_PIECE_BYTES)
        except TimeoutError as error:
            raise RefusalError(HTTPStatus.REQUEST_TIMEOUT) from error
        except web.RequestPayloadError as error:
            raise RefusalError(HTTPStatus.BAD_REQUEST, "the body is broken") from error
        if not piece:
            return
        yield piece
