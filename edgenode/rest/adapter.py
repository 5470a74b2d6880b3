"""From a request to an operation and back: the one place that knows HTTP's part.

An operation that could be bound answers HTTP 200, its outcome in the body; a request
that can't be bound is answered with a bare HTTP status, as Spring does for a genuine
server.
"""

import asyncio
import inspect
import logging
from collections.abc import Mapping
from dataclasses import is_dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from edgenode.clock import Clock, EpochMillis
from edgenode.codec.beans import iso_time
from edgenode.codec.codec import Codec
from edgenode.codec.json import dumps, raw
from edgenode.errors import BadRequestError, OMRSError, UnexpectedError
from edgenode.instances.document import Document
from edgenode.limits import LARGE_BODY_BYTES, MAX_BODY_BYTES
from edgenode.rest.hosting import Platform
from edgenode.rest.mounts import Mounted, mounted_operations
from edgenode.rest.operations import Fields, Operation
from edgenode.rest.probes import probes
from edgenode.rest.routes import Routes

logger = logging.getLogger(__name__)


class RefusalError(Exception):
    """A request that can't be bound to an operation; answered with a bare status."""

    def __init__(
        self, status: HTTPStatus, reason: str = "", allow: tuple[str, ...] = ()
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.allow = allow


class Adapter:
    """Answers every request of the platform."""

    def __init__(self, platform: Platform, clock: Clock) -> None:
        self._clock = clock
        self._metrics = platform.operation_metrics
        self._probes = probes(platform)
        self._routes: Routes[Mounted] = Routes(
            (mounted.operation.method, mounted.template, mounted)
            for mounted in mounted_operations(platform)
        )

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        probe = self._probes.get(request.rel_url.raw_path)
        if probe is not None and request.method == "GET":
            return probe()
        started = self._clock.monotonic()
        name, failed = "unbound", True
        try:
            mounted, path = self._find(request)
            name = mounted.operation.name
            response, failed = await self._answer(request, mounted, path)
        except RefusalError as refusal:
            response = _bare_status(request, refusal, self._clock.now())
        self._metrics.add(name, self._clock.monotonic() - started, failed=failed)
        return response

    def _find(self, request: web.BaseRequest) -> tuple[Mounted, dict[str, str]]:
        raw_path = request.rel_url.raw_path
        segments = [unquote(segment) for segment in raw_path[1:].split("/")]
        targets = self._routes.find(segments)
        if not targets:
            raise RefusalError(HTTPStatus.NOT_FOUND)
        target = targets.get(request.method)
        if target is None:
            raise RefusalError(
                HTTPStatus.METHOD_NOT_ALLOWED, allow=tuple(sorted(targets))
            )
        return target

    async def _answer(
        self, request: web.BaseRequest, mounted: Mounted, path: dict[str, str]
    ) -> tuple[web.StreamResponse, bool]:
        operation = mounted.operation
        codec = mounted.codec(path)
        query = _bound_query(operation, request.rel_url.query)
        body = await self._bound_body(request, operation, codec)
        try:
            result = mounted.perform(path, query, body)
            fields: Fields = await result if inspect.isawaitable(result) else result
        except OMRSError as error:
            return _json(_failure(operation, error)), True
        except Exception:  # the last line of defence
            logger.exception("%s failed unexpectedly", operation.name)
            return _json(_failure(operation, UnexpectedError())), True
        if not operation.response:
            return web.Response(text="".join(fields.values())), False
        return _json(_success(codec, operation, fields, body)), False

    async def _bound_body(
        self, request: web.BaseRequest, operation: Operation[Any], codec: Codec
    ) -> Any:
        if operation.body is None:
            return None
        text = await _read_bounded(request)
        if not text:
            if operation.body_required:
                raise RefusalError(HTTPStatus.BAD_REQUEST, "a body is needed")
            return None
        if not _is_json(request.content_type):
            raise RefusalError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        try:
            if len(text) < LARGE_BODY_BYTES:
                return codec.decode(operation.body, text)
            return await asyncio.to_thread(codec.decode, operation.body, text)
        except BadRequestError as error:
            raise RefusalError(HTTPStatus.BAD_REQUEST, str(error)) from error


async def _read_bounded(request: web.BaseRequest) -> bytes:
    chunks, size = [], 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise RefusalError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        chunks.append(chunk)
    return b"".join(chunks)


def _is_json(content_type: str) -> bool:
    return content_type == "application/json" or (
        content_type.startswith("application/") and content_type.endswith("+json")
    )


def _bound_query(operation: Operation[Any], query: Mapping[str, str]) -> dict[str, str]:
    bound = {}
    for parameter in operation.query:
        value = query.get(parameter.name)
        if value is None:
            if parameter.required:
                raise RefusalError(
                    HTTPStatus.BAD_REQUEST, f"{parameter.name} is needed"
                )
            continue
        if parameter.number and not _is_whole(value):
            raise RefusalError(
                HTTPStatus.BAD_REQUEST, f"{parameter.name} must be a whole number"
            )
        bound[parameter.name] = value
    return bound


def _is_whole(value: str) -> bool:
    digits = value[1:] if value[:1] in {"-", "+"} else value
    return digits.isascii() and digits.isdigit() and len(digits) < 10  # a Java int


def _json(content: object) -> web.Response:
    return web.Response(body=dumps(content), content_type="application/json")


def _encoded(codec: Codec, value: Any) -> Any:
    if isinstance(value, Document):
        return raw(value.json)
    if isinstance(value, list | tuple):
        return [_encoded(codec, item) for item in value]
    if is_dataclass(value):
        return codec.to_object(value)
    return value


def _success(
    codec: Codec, operation: Operation[Any], fields: Fields, body: Any
) -> dict[str, Any]:
    answer: dict[str, Any] = {"class": operation.response, "relatedHTTPCode": 200}
    payload = {
        name: _encoded(codec, value)
        for name, value in fields.items()
        if value is not None and value != [] and value != ()
    }
    if operation.paged:
        # History isn't paged on the wire: its answers never echo the request.
        paged = payload and not operation.path.endswith("/history/all")
        answer["offset"] = getattr(body, "offset", 0) if paged else 0
        answer["pageSize"] = getattr(body, "page_size", 0) if paged else 0
    return answer | payload


def _failure(operation: Operation[Any], error: OMRSError) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "class": operation.response,
        "relatedHTTPCode": error.related_http_code,
    }
    if error.reporting_operation:
        answer["actionDescription"] = error.reporting_operation
    answer["exceptionClassName"] = error.java_class
    if error.caused_by:
        answer["exceptionCausedBy"] = error.caused_by
    answer["exceptionErrorMessage"] = error.message
    answer["exceptionErrorMessageId"] = error.message_id
    if error.parameters:
        answer["exceptionErrorMessageParameters"] = list(error.parameters)
    answer["exceptionSystemAction"] = error.system_action
    answer["exceptionUserAction"] = error.user_action
    if error.properties:
        answer["exceptionProperties"] = dict(error.properties)
    if operation.paged:
        answer |= {"offset": 0, "pageSize": 0}
    if operation.response == "BooleanResponse":
        answer["flag"] = False
    return answer


def _bare_status(
    request: web.BaseRequest, refusal: RefusalError, now: EpochMillis
) -> web.Response:
    content = {
        "timestamp": iso_time(now),
        "status": refusal.status.value,
        "error": refusal.status.phrase,
        "path": request.rel_url.path,
    }
    if refusal.reason:
        content["message"] = refusal.reason
    headers = {"Allow": ",".join(refusal.allow)} if refusal.allow else None
    return web.Response(
        status=refusal.status,
        body=dumps(content),
        content_type="application/json",
        headers=headers,
    )
