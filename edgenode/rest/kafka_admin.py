"""What the commands on the node's own machine ask of its cohort of platforms.

``GET /edgenode/kafka-cohort/admin/platforms`` tells as JSON how one server stands in it: the
one that the query parameter ``server`` names, or the first.
"""

from collections.abc import Iterator
from typing import Protocol

from aiohttp import web

from edgenode.rest.callers import Audience
from edgenode.rest.cohort_admin import AdminRefusedError, Told, json_answer, refusal
from edgenode.rest.streams import Answer, StreamOperation

_PATH = "/edgenode/kafka-cohort/admin/platforms"


class KafkaCohortAdmin(Protocol):
    """What is asked."""

    def platforms(self, server: str | None) -> Told:
        """The cohort and its members, as a server sees them.

        Raises:
            AdminRefusedError: There is no such server.
        """
        ...


def kafka_admin_operations(admin: KafkaCohortAdmin) -> Iterator[StreamOperation]:
    """The services, each at its path."""

    async def platforms(request: web.BaseRequest, path: dict[str, str]) -> Answer:
        try:
            return json_answer(admin.platforms(request.rel_url.query.get("server")))
        except AdminRefusedError as error:
            raise refusal(error) from error

    own = Audience.OWN_MACHINE
    yield StreamOperation("GET", _PATH, "getKafkaCohort", platforms, own)
