"""What the commands on the node's own machine ask of its cohort of platforms.

The paths begin with ``/edgenode/kafka-cohort/admin``; bodies and answers are JSON:

- ``GET /platforms`` tells how one server stands in it: the one that the query parameter
  ``server`` names, or the first;
- ``POST /forget`` takes ``{"member": ...}``: a member by its metadata collection id, by the
  beginning of that, or by the name of its server.
"""

from collections.abc import Iterator
from typing import Protocol

from aiohttp import web

from edgenode.codec.json import loads
from edgenode.rest.bodies import Bodies
from edgenode.rest.callers import Audience
from edgenode.rest.cohort_admin import (
    AdminRefusedError,
    Told,
    json_answer,
    needed_text,
    refusal,
)
from edgenode.rest.streams import Answer, StreamOperation

_BASE = "/edgenode/kafka-cohort/admin"


class KafkaCohortAdmin(Protocol):
    """What is asked; each raises AdminRefusedError for what can't be done."""

    def platforms(self, server: str | None) -> Told:
        """The cohort and its members, as a server sees them."""
        ...

    async def forget(self, member: str) -> Told:
        """Forget a member that is gone for good."""
        ...


def kafka_admin_operations(admin: KafkaCohortAdmin) -> Iterator[StreamOperation]:
    """The services, each at its path."""
    bodies = Bodies()

    async def platforms(request: web.BaseRequest, path: dict[str, str]) -> Answer:
        try:
            return json_answer(admin.platforms(request.rel_url.query.get("server")))
        except AdminRefusedError as error:
            raise refusal(error) from error

    async def forget(request: web.BaseRequest, path: dict[str, str]) -> Answer:
        told = await bodies.read(request, loads)
        try:
            return json_answer(await admin.forget(needed_text(told, "member")))
        except AdminRefusedError as error:
            raise refusal(error) from error

    own = Audience.OWN_MACHINE
    yield StreamOperation("GET", f"{_BASE}/platforms", "getKafkaCohort", platforms, own)
    yield StreamOperation("POST", f"{_BASE}/forget", "forgetMember", forget, own)
