"""Keeps web pages out, which a browser on this machine would let in.

There are no pages of ours, and some operations change things by a mere GET. A page from
elsewhere gives itself away: browsers say that a request comes from another site, and one
whose name was made to point here (DNS rebinding) is still asked for by that name.
Sources: W3C Fetch Metadata Request Headers, RFC 9110 section 7.2.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from ipaddress import ip_address

from aiohttp import hdrs, web

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_FETCH_SITE = "Sec-Fetch-Site"
_OWN_SITES = frozenset({"none", "same-origin"})


def without_browsers(handler: Handler, host: str) -> Handler:
    """A handler that refuses what pages from elsewhere send.

    Args:
        handler: Answers all else.
        host: The address that is listened on; on one of loopback, requests must be
            addressed to this machine itself.
    """
    is_local = _is_this_machine(host)

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        name = _host_name(request.headers.get(hdrs.HOST, ""))
        if is_local and not _is_this_machine(name):
            return web.Response(
                status=HTTPStatus.MISDIRECTED_REQUEST,
                text="this node answers as localhost only\n",
            )
        return await handler(request)

    return without_pages(handle)


def without_pages(handler: Handler) -> Handler:
    """A handler that refuses what pages from elsewhere send, by whatever name."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get(_FETCH_SITE, "none") not in _OWN_SITES:
            return web.Response(status=HTTPStatus.FORBIDDEN, text="not for web pages\n")
        return await handler(request)

    return handle


def _host_name(host: str) -> str:
    """The name in a Host header, without the port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_this_machine(name: str) -> bool:
    with suppress(ValueError):
        return ip_address(name).is_loopback
    # Without a name it is no browser that asks.
    return name.lower().rstrip(".") in {"", "localhost"}
