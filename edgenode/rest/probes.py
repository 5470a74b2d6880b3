"""What monitoring asks: is the process alive, can it work, how is it doing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web

from edgenode.codec.json import dumps
from edgenode.observability.metrics import (
    operation_metrics,
    process_metrics,
    prometheus_text,
)
from edgenode.rest.hosting import Platform

PROBES_FOR_NODES = frozenset({"/health/live"})

Probe = Callable[[], Awaitable[web.Response]]


class _Probes:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def live(self) -> web.Response:
        """The event loop turns: it has just answered."""
        return _json(HTTPStatus.OK, {"status": "live"})

    async def ready(self) -> web.Response:
        """Every server can do its work, with the reason and mend where one can't."""
        # A disk that hangs, of all things, must not hold up who asks about it.
        servers = {
            name: await asyncio.to_thread(server.health)
            for name, server in self._platform.servers.items()
        }
        ok = all(health.ok for health in servers.values())
        content: dict[str, Any] = {
            "status": "ready" if ok else "not ready",
            "servers": {
                name: [
                    {
                        "check": check.name,
                        "ok": check.ok,
                        "detail": check.detail,
                        "mend": check.mend,
                    }
                    for check in health.checks
                ]
                for name, health in servers.items()
            },
        }
        if self._platform.cohort is not None:
            content["cohort"] = self._platform.cohort()
        if self._platform.kafka_cohort is not None:
            content["kafkaCohort"] = self._platform.kafka_cohort()
        return _json(HTTPStatus.OK if ok else HTTPStatus.SERVICE_UNAVAILABLE, content)

    async def metrics(self) -> web.Response:
        """Everything that is counted, as Prometheus reads it."""
        families = operation_metrics(self._platform.operation_metrics.statistics())
        families += process_metrics()
        for server in self._platform.servers.values():
            families += server.metrics()
        return web.Response(
            body=prometheus_text(families).encode(),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )


def _json(status: HTTPStatus, content: object) -> web.Response:
    return web.Response(
        status=status, body=dumps(content), content_type="application/json"
    )


def probes(platform: Platform) -> Mapping[str, Probe]:
    """The probes by path."""
    of = _Probes(platform)
    return {"/health/live": of.live, "/health/ready": of.ready, "/metrics": of.metrics}
