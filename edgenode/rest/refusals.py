"""Requests that reach no operation, and the bare HTTP status they are answered with."""

from http import HTTPStatus

from aiohttp import hdrs, web

from edgenode.clock import EpochMillis
from edgenode.codec.beans import iso_time
from edgenode.codec.json import dumps
from edgenode.limits import MAX_REASON_LENGTH


class RefusalError(Exception):
    """A request that can't be bound to an operation; answered with a bare status."""

    def __init__(
        self,
        status: HTTPStatus,
        reason: str = "",
        allow: tuple[str, ...] = (),
        mend: str = "",
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.allow = allow
        self.mend = mend


_PHRASES = {HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Request Entity Too Large"}
"""Where Python's differ from one of its releases to the next."""


def bare_status(path: str, refusal: RefusalError, now: EpochMillis) -> web.Response:
    """The answer to a refused request."""
    content = {
        "timestamp": iso_time(now),
        "status": refusal.status.value,
        "error": _PHRASES.get(refusal.status, refusal.status.phrase),
        "path": path,
    }
    if refusal.reason:
        content["message"] = refusal.reason[:MAX_REASON_LENGTH]
    if refusal.mend:
        content["mend"] = refusal.mend
    headers = {hdrs.CONTENT_TYPE: "application/json"}
    if refusal.allow:
        headers[hdrs.ALLOW] = ",".join(refusal.allow)
    return web.Response(status=refusal.status, body=dumps(content), headers=headers)
