"""From a request to an operation and back: the one place that knows HTTP's part.

An operation that could be bound answers HTTP 200, its outcome in the body; a request
that can't be bound is answered with a bare HTTP status, as Spring does for a genuine
server. Where this is more lenient than a genuine one it does no harm: any ``Accept`` is
answered with JSON, and ``%2F`` may stand in a name. Where it is stricter: nothing may
follow a body's JSON value.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from aiohttp import hdrs, web

from edgenode.clock import Clock
from edgenode.codec.codec import Codec
from edgenode.codec.packed import PACKED_TYPE
from edgenode.collection import participation
from edgenode.collection.participation import Participation
from edgenode.errors import AwayFromCohortError, OMRSError, UnexpectedError
from edgenode.limits import (
    ANSWER_PIECE_BYTES,
)
from edgenode.observability.audit_log import AuditMessage, OMRSAuditingComponent
from edgenode.observability.audit_messages import CALL_FAILED, USER_REFUSED
from edgenode.observability.metrics import OperationMetrics
from edgenode.rest.answers import Answers, failure, missing_members
from edgenode.rest.bodies import Bodies
from edgenode.rest.callers import CALLER, Audience, check_audience
from edgenode.rest.hosting import Platform, Server
from edgenode.rest.mounts import (
    FindServer,
    Mounted,
    member_operations,
    mounted_operations,
)
from edgenode.rest.node_services import stream_operations
from edgenode.rest.operations import Operation
from edgenode.rest.probes import PROBES_FOR_NODES, Probe, probes
from edgenode.rest.refusals import RefusalError, bare_status
from edgenode.rest.routes import Routes
from edgenode.rest.streams import StreamOperation, write

logger = logging.getLogger(__name__)

_JSON = {hdrs.CONTENT_TYPE: "application/json"}
_PACKED = {hdrs.CONTENT_TYPE: PACKED_TYPE}
_TEXT = {hdrs.CONTENT_TYPE: "text/plain;charset=UTF-8"}
_COHORT_SECONDS = "Edgenode-Cohort-Seconds"
"""The header that says how long other members may take; 0 asks none of them."""
_SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
_INT = range(-(2**31), 2**31)
_UNBOUND = "unbound"
"""The name that requests are counted under which reach no operation."""

Target = Mounted | StreamOperation
Targets = Mapping[str, tuple[Target, dict[str, str]]]
"""What is mounted at a path, by method, with the path's parameters."""


class Adapter:
    """Answers every request that comes in by a listener."""

    def __init__(
        self,
        codec: Codec,
        metrics: OperationMetrics,
        clock: Clock,
        targets: Iterable[Target],
        probes: Mapping[str, Probe] | None = None,
    ) -> None:
        """Make an adapter.

        Args:
            codec: The wire form where no server has its own.
            metrics: Counts the calls.
            clock: The time.
            targets: All that can be called.
            probes: What monitoring asks, by path.
        """
        self._clock = clock
        self._codec = codec
        self._metrics = metrics
        self._probes = probes or {}
        self._answers = Answers()
        self._bodies = Bodies()
        self._routes: Routes[Target] = Routes(map(_placed, targets))

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        raw_path = request.rel_url.raw_path
        probe = self._probes.get(raw_path)
        if probe is not None and request.method in {"GET", "HEAD"}:
            if CALLER in request and raw_path not in PROBES_FOR_NODES:
                return web.Response(status=HTTPStatus.FORBIDDEN)
            return await probe()
        started = self._clock.monotonic()
        response: web.StreamResponse
        name, failed = _UNBOUND, True
        try:
            targets = self._targets(raw_path)
            if CALLER not in request:
                targets = _of_users(targets)
            if request.method == "OPTIONS":
                response, failed = _options(targets), False
            else:
                target, path = _target(targets, request.method)
                name = target.name
                check_audience(request, target.audience)
                if isinstance(target, StreamOperation):
                    response, failed = await _streamed(request, target, path)
                else:
                    response, failed = await self._answer(request, target, path)
        except RefusalError as refusal:
            response = bare_status(raw_path, refusal, self._clock.now())
        except ConnectionError:
            response = web.Response()  # nobody is there to read it
        self._metrics.add(name, self._clock.monotonic() - started, failed=failed)
        return response

    def _targets(self, raw_path: str) -> Targets:
        targets = self._routes.find(_segments(raw_path))
        if not targets:
            raise RefusalError(HTTPStatus.NOT_FOUND)
        return targets

    async def _answer(
        self, request: web.BaseRequest, mounted: Mounted, path: dict[str, str]
    ) -> tuple[web.StreamResponse, bool]:
        operation = mounted.operation
        server = mounted.server(path)
        codec = self._codec if server is None else server.codec
        query = _bound_query(operation, request) if operation.query else {}
        body = None
        cohort = Participation(seconds=_cohort_seconds(request))
        participation.current.set(cohort)
        try:
            if CALLER in request and server is not None:
                _check_taking_part(server, operation)
            if operation.body is not None:
                body = await self._bodies.bound(request, operation, codec)
            result = mounted.perform(path, query, body)
            fields = result if isinstance(result, dict) else await result
            if not operation.response:
                plain = "".join(fields.values()).encode()
                return web.Response(body=plain, headers=_TEXT), False
            accept = request.headers.get(hdrs.ACCEPT, "")
            headers = _PACKED
            pieces = self._answers.packed(operation, fields, accept)
            if pieces is None:
                headers = _JSON
                pieces = self._answers.success(codec, operation, fields, body, cohort)
        except (RefusalError, ConnectionError):
            raise
        except OMRSError as error:
            if server is not None and error.user_id is not None:
                _record(server, USER_REFUSED, error.user_id, operation.name)
            return _failed(operation, error, cohort), True
        except Exception as error:  # the last line of defence
            logger.exception("%s failed unexpectedly", operation.name)
            if server is not None:
                _record(server, CALL_FAILED, operation.name, type(error).__name__)
            return _failed(operation, UnexpectedError(), cohort), True
        return await _sent(request, pieces, headers | missing_members(cohort)), False


def node_adapter(
    platform: Platform, clock: Clock, services: Iterable[StreamOperation] = ()
) -> Adapter:
    """What answers users and other nodes.

    Args:
        platform: What is served.
        clock: The time.
        services: What the process offers beside its servers.
    """
    targets: list[Target] = [
        *mounted_operations(platform),
        *stream_operations(platform, clock),
        *services,
    ]
    metrics = platform.operation_metrics
    return Adapter(platform.codec, metrics, clock, targets, probes(platform))


def member_adapter(
    find: FindServer, codec: Codec, metrics: OperationMetrics, clock: Clock
) -> Adapter:
    """What answers genuine members: the repositories of servers, and nothing else.

    Args:
        find: Finds the server that a request is for, at each request.
        codec: The wire form where no server has its own.
        metrics: Counts the calls.
        clock: The time.
    """
    return Adapter(codec, metrics, clock, member_operations(find))


def _placed(target: Target) -> tuple[str, str, Target]:
    if isinstance(target, StreamOperation):
        return target.method, target.template, target
    return target.operation.method, target.template, target


def _check_taking_part(server: Server, operation: Operation[Any]) -> None:
    """Answer other nodes, unless the server was disconnected from their cohort.

    Who it is it says all the same: whoever doesn't hear that takes it for lost.

    Raises:
        AwayFromCohortError: It was.
    """
    if server.is_away() and operation.name != "getMetadataCollectionId":
        raise AwayFromCohortError(server.name, reporting_operation=operation.name)


def _of_users(targets: Targets) -> Targets:
    """What of it others than nodes may know of."""
    known = {
        method: found
        for method, found in targets.items()
        if found[0].audience is not Audience.NODES
    }
    if not known:
        raise RefusalError(HTTPStatus.NOT_FOUND)
    return known


async def _streamed(
    request: web.BaseRequest, operation: StreamOperation, path: dict[str, str]
) -> tuple[web.StreamResponse, bool]:
    try:
        return await operation.handler(request, path)
    except (RefusalError, ConnectionError):
        raise
    except Exception:  # the last line of defence
        logger.exception("%s failed unexpectedly", operation.name)
        if request.writer.output_size:  # what was sent can't be taken back
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError from None
        raise RefusalError(HTTPStatus.INTERNAL_SERVER_ERROR) from None


def _segments(raw_path: str) -> list[str]:
    """The path's segments; each is decoded by itself, so that it may hold a slash."""
    segments = raw_path[1:].split("/")
    if "%" not in raw_path:
        return segments
    try:
        decoded = [unquote(segment, errors="strict") for segment in segments]
    except UnicodeDecodeError as error:
        raise RefusalError(HTTPStatus.BAD_REQUEST, "the path isn't UTF-8") from error
    if any("\0" in segment for segment in decoded):
        raise RefusalError(HTTPStatus.BAD_REQUEST, "the path holds a NUL character")
    return decoded


def _target(targets: Targets, method: str) -> tuple[Target, dict[str, str]]:
    target = targets.get("GET" if method == "HEAD" else method)
    if target is None:
        raise RefusalError(HTTPStatus.METHOD_NOT_ALLOWED, allow=tuple(sorted(targets)))
    return target


def _options(targets: Targets) -> web.Response:
    methods = {*targets, *({"HEAD"} if "GET" in targets else ())}
    return web.Response(headers={hdrs.ALLOW: ",".join([*sorted(methods), "OPTIONS"])})


def _bound_query(operation: Operation[Any], request: web.BaseRequest) -> dict[str, str]:
    query = request.rel_url.query
    bound = {}
    for parameter in operation.query:
        value = query.get(parameter.name)
        if value is None:
            if parameter.required:
                raise RefusalError(
                    HTTPStatus.BAD_REQUEST, f"{parameter.name} is needed"
                )
            continue
        if parameter.number and not _is_int(value):
            raise RefusalError(
                HTTPStatus.BAD_REQUEST, f"{parameter.name} must be a whole number"
            )
        bound[parameter.name] = value
    return bound


def _is_int(value: str) -> bool:
    digits = value[1:] if value[:1] in {"-", "+"} else value
    # Ten digits at most: Python would parse thousands.
    return (
        digits.isascii()
        and digits.isdigit()
        and len(digits) <= len(str(_INT.stop))
        and int(value) in _INT
    )


def _cohort_seconds(request: web.BaseRequest) -> float | None:
    """How long other members may take, where the caller says so."""
    text = request.headers.get(_COHORT_SECONDS)
    if text is None:
        return None
    if _SECONDS.fullmatch(text) is None:
        reason = f"{_COHORT_SECONDS} must be a number of seconds"
        raise RefusalError(HTTPStatus.BAD_REQUEST, reason)
    return float(text)


async def _sent(
    request: web.BaseRequest, pieces: list[bytes], headers: Mapping[str, str]
) -> web.StreamResponse:
    """The response to a success; a long one is sent here, piece by piece."""
    size = sum(map(len, pieces))
    if size <= ANSWER_PIECE_BYTES:
        return web.Response(body=b"".join(pieces), headers=headers)
    response = web.StreamResponse(headers=headers)
    response.content_length = size
    await response.prepare(request)
    waiting, length = [], 0
    for piece in pieces:
        waiting.append(piece)
        length += len(piece)
        if length >= ANSWER_PIECE_BYTES:
            await write(request, response, b"".join(waiting))
            waiting, length = [], 0
    await write(request, response, b"".join(waiting))
    return response


def _record(server: Server, message: AuditMessage, *parameters: str) -> None:
    server.audit_log.record(OMRSAuditingComponent.REST_SERVICES, message, *parameters)


def _failed(
    operation: Operation[Any], error: OMRSError, cohort: Participation
) -> web.Response:
    headers = _JSON | missing_members(cohort)
    return web.Response(body=failure(operation, error, cohort), headers=headers)
