"""What the commands on the node's own machine ask of its cohort, and have done in it.

The paths begin with ``/edgenode/cohort/admin``; bodies and answers are JSON:

- ``GET /members`` tells of the members as one server sees them: the one that the query
  parameter ``server`` names, or the first;
- ``POST /remove`` and ``POST /readmit`` take ``{"node": ..., "by": ...}``: a node by its
  id, by the beginning of that, or by a name, and who wants it;
- ``POST /reload`` takes up the cohort's key as it is kept by now;
- ``POST /leave`` takes ``{"cohort": ...}``: the id of the cohort whose members are told that
  the node's servers leave it.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Protocol

from aiohttp import hdrs, web

from edgenode.codec.json import dumps, loads
from edgenode.errors import EdgeNodeError
from edgenode.rest.bodies import Bodies
from edgenode.rest.callers import Audience
from edgenode.rest.refusals import RefusalError
from edgenode.rest.streams import Answer, StreamOperation

_BASE = "/edgenode/cohort/admin"

Told = Mapping[str, Any]


class AdminRefusedError(EdgeNodeError):
    """It can't be done; ``mend`` says what would help."""

    def __init__(self, message: str, mend: str) -> None:
        super().__init__(message)
        self.mend = mend


class CohortAdmin(Protocol):
    """What is asked; each raises AdminRefusedError for what can't be done."""

    def members(self, server: str | None) -> Told:
        """The members, as a server sees them."""
        ...

    async def remove(self, node: str, by: str) -> Told:
        """Let a node in no more."""
        ...

    async def readmit(self, node: str, by: str) -> Told:
        """Let a node in again."""
        ...

    async def reload(self) -> Told:
        """Use the cohort's key as it is kept by now."""
        ...

    def leave(self, cohort_id: str) -> Told:
        """Have the node's servers leave the cohort, and the others told."""
        ...


def admin_operations(admin: CohortAdmin) -> Iterator[StreamOperation]:
    """The services, each at its path."""
    services = _AdminServices(admin)
    own = Audience.OWN_MACHINE
    yield StreamOperation(
        "GET", f"{_BASE}/members", "getCohortMembers", services.members, own
    )
    yield StreamOperation("POST", f"{_BASE}/remove", "removeNode", services.remove, own)
    yield StreamOperation(
        "POST", f"{_BASE}/readmit", "readmitNode", services.readmit, own
    )
    yield StreamOperation(
        "POST", f"{_BASE}/reload", "reloadCohort", services.reload, own
    )
    yield StreamOperation("POST", f"{_BASE}/leave", "leaveCohort", services.leave, own)


class _AdminServices:
    def __init__(self, admin: CohortAdmin) -> None:
        self._admin = admin
        self._bodies = Bodies()

    async def members(self, request: web.BaseRequest, path: dict[str, str]) -> Answer:
        try:
            return json_answer(self._admin.members(request.rel_url.query.get("server")))
        except AdminRefusedError as error:
            raise refusal(error) from error

    async def remove(self, request: web.BaseRequest, path: dict[str, str]) -> Answer:
        return await self._decided(request, self._admin.remove)

    async def readmit(self, request: web.BaseRequest, path: dict[str, str]) -> Answer:
        return await self._decided(request, self._admin.readmit)

    async def reload(self, request: web.BaseRequest, path: dict[str, str]) -> Answer:
        try:
            return json_answer(await self._admin.reload())
        except AdminRefusedError as error:
            raise refusal(error) from error

    async def leave(self, request: web.BaseRequest, path: dict[str, str]) -> Answer:
        told = await self._bodies.read(request, loads)
        try:
            return json_answer(self._admin.leave(needed_text(told, "cohort")))
        except AdminRefusedError as error:
            raise refusal(error) from error

    async def _decided(
        self, request: web.BaseRequest, decide: Callable[[str, str], Awaitable[Told]]
    ) -> Answer:
        told = await self._bodies.read(request, loads)
        node, by = needed_text(told, "node"), needed_text(told, "by")
        try:
            return json_answer(await decide(node, by))
        except AdminRefusedError as error:
            raise refusal(error) from error


def needed_text(told: object, name: str) -> str:
    """What a caller's body says of a name.

    Raises:
        RefusalError: It says nothing of it, or nothing that people can read.
    """
    value = told.get(name) if isinstance(told, dict) else None
    if not isinstance(value, str) or not value or not value.isprintable():
        raise RefusalError(HTTPStatus.BAD_REQUEST, f"{name} is needed, as text")
    return value


def refusal(error: AdminRefusedError) -> RefusalError:
    """What the caller is answered who asked for what can't be done."""
    return RefusalError(HTTPStatus.CONFLICT, str(error), mend=error.mend)


def json_answer(told: Told) -> Answer:
    """What was asked for, as JSON."""
    headers = {hdrs.CONTENT_TYPE: "application/json"}
    return web.Response(body=dumps(told), headers=headers), False
