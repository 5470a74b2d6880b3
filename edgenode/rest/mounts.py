"""Where the operation tables are mounted, and what each mount calls."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edgenode.collection.base import MetadataCollection
from edgenode.errors import NoEnterpriseRepositoryError, UnknownServerError
from edgenode.rest import (
    anonymous,
    audit,
    highway,
    omrs_find,
    omrs_instances,
    omrs_references,
    omrs_types,
    platform_services,
)
from edgenode.rest.callers import Audience
from edgenode.rest.hosting import Platform, Server
from edgenode.rest.operations import Call, Fields, Operation, PlatformCall

_SERVER = "/servers/{serverName}/open-metadata/repository-services"
_USER = _SERVER + "/users/{userId}"
_COHORT = "/edgenode/servers/{serverName}/users/{userId}/cohort"
_PLATFORM = "/open-metadata/platform-services/users/{userId}/server-platform"

_REPOSITORY_OPERATIONS = (
    *omrs_types.OPERATIONS,
    *omrs_find.OPERATIONS,
    *omrs_instances.OPERATIONS,
    *omrs_references.OPERATIONS,
)

_HISTORIES = tuple(
    operation
    for operation in omrs_find.OPERATIONS
    if operation.name in ("getEntityDetailHistory", "getRelationshipHistory")
)
"""What genuine servers don't offer for the whole cohort, and ``_COHORT`` does."""

_FOR_NODES = frozenset({"getServerPlatformOrigin", "getMetadataCollectionId"})
"""What genuine members ask beside the repository services."""

FindServer = Callable[[str], Server | None]
"""Finds a server by its name; None where there is none."""

Path = Mapping[str, str]
Perform = Callable[[Path, Path, Any], Fields | Awaitable[Fields]]


@dataclass(frozen=True, slots=True)
class Mounted:
    """An operation at its place.

    Attributes:
        operation: The operation.
        template: Its whole path; ``{name}`` segments are parameters.
        perform: Calls it with path parameters, query parameters and body.
        server: Which server it is about, by the path parameters; None where there
            is no such server, or where it is about the platform.
        audience: Whom it is for.
    """

    operation: Operation[Any]
    template: str
    perform: Perform
    server: Callable[[Path], Server | None]
    audience: Audience = Audience.EVERYBODY

    @property
    def name(self) -> str:
        """The name that its calls are counted under."""
        return self.operation.name


def mounted_operations(platform: Platform) -> Iterator[Mounted]:
    """Every operation of the platform and of its servers."""
    servers = _ServerMounts(platform.servers.get)
    guests = _ServerMounts(
        lambda name: platform.servers.get(name) or platform.guest(name)
    )
    for operation in _REPOSITORY_OPERATIONS:
        yield guests.mount(operation, _USER, _local)
        if operation.enterprise:
            yield servers.mount(operation, _USER + "/enterprise", _enterprise)
    for operation in _HISTORIES:
        yield servers.mount(operation, _COHORT, _enterprise, Audience.USERS)
    highway_base = _USER + "/metadata-highway"
    for operation in highway.READS:
        yield servers.mount(operation, highway_base, _local)
    for operation in highway.CHANGES:
        yield servers.mount(operation, highway_base, _local, Audience.OWN_MACHINE)
    for operation in audit.OPERATIONS:
        yield servers.mount(operation, _USER + "/audit-log", _local, Audience.USERS)
    for operation in anonymous.OPERATIONS:
        mounts = guests if operation.name in _FOR_NODES else servers
        yield mounts.mount(operation, _SERVER, _local, _audience(operation))
    for platform_operation in platform_services.OPERATIONS:
        yield _on_platform(platform, platform_operation)


def member_operations(find: FindServer) -> Iterator[Mounted]:
    """What genuine members ask of other members: their repositories, and nothing else.

    Args:
        find: Finds the server that a call is for, at each call.
    """
    servers = _ServerMounts(find)
    for operation in _REPOSITORY_OPERATIONS:
        yield servers.mount(operation, _USER, _local)
    for operation in anonymous.OPERATIONS:
        if operation.name in _FOR_NODES:
            yield servers.mount(operation, _SERVER, _local)


def _audience(operation: Operation[Any]) -> Audience:
    is_for_nodes = operation.name in _FOR_NODES
    return Audience.EVERYBODY if is_for_nodes else Audience.USERS


def _on_platform(platform: Platform, operation: Operation[PlatformCall]) -> Mounted:
    def perform(path: Path, query: Path, body: Any) -> Fields | Awaitable[Fields]:
        return operation.handler(PlatformCall(platform, path["userId"], path))

    return Mounted(
        operation,
        _PLATFORM + operation.path,
        perform,
        lambda path: None,
        _audience(operation),
    )


def _local(server: Server, operation: Operation[Call]) -> MetadataCollection:
    return server.collection


def _enterprise(server: Server, operation: Operation[Call]) -> MetadataCollection:
    if server.enterprise is None:
        raise NoEnterpriseRepositoryError(
            operation.name, reporting_operation=operation.name
        )
    return server.enterprise


class _ServerMounts:
    """Mounts operations under servers, which are found by name at each call."""

    def __init__(self, find: FindServer) -> None:
        self._find = find

    def mount(
        self,
        operation: Operation[Call],
        base: str,
        choose: Callable[[Server, Operation[Call]], MetadataCollection],
        audience: Audience = Audience.EVERYBODY,
    ) -> Mounted:
        def perform(path: Path, query: Path, body: Any) -> Fields | Awaitable[Fields]:
            server = self._known_server(operation, path)
            collection = choose(server, operation)
            call = Call(server, collection, path.get("userId", ""), path, query, body)
            return operation.handler(call)

        return Mounted(
            operation, base + operation.path, perform, self._server, audience
        )

    def _server(self, path: Path) -> Server | None:
        return self._find(path["serverName"])

    def _known_server(self, operation: Operation[Call], path: Path) -> Server:
        server = self._server(path)
        if server is None:
            raise UnknownServerError(
                path["serverName"],
                path.get("userId", ""),
                reporting_operation=operation.name,
                parameter_name="serverName",
            )
        return server
