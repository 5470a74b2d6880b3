"""What an operation of the API is, and what a call of one carries."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from edgenode.collection.base import MetadataCollection
from edgenode.rest.hosting import Platform, Server

Fields = dict[str, Any]
"""The payload of an answer by wire name: documents, model objects, lists of them, text."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, bound to its operation.

    ``collection`` is the one that the mount chose: local, or enterprise. ``body`` is
    an instance of the operation's body class, a tuple of enum and bean kinds apart.
    """

    server: Server
    collection: MetadataCollection
    user_id: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any = None


@dataclass(frozen=True, slots=True)
class PlatformCall:
    """One request to the platform itself."""

    platform: Platform
    user_id: str
    path: Mapping[str, str]


C = TypeVar("C")
Handler = Callable[[C], Fields | Awaitable[Fields]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query parameter; ``number`` ones are bound as whole numbers, as Java does."""

    name: str
    required: bool = True
    number: bool = False


@dataclass(frozen=True, slots=True)
class Operation(Generic[C]):
    """One operation: where it is mounted, what it takes, who performs it.

    Attributes:
        method: The HTTP method.
        path: Path after the mount's base; ``{name}`` segments are parameters.
        name: The Java operation's name, for metrics and unknown-server errors.
        handler: Performs the call and returns the answer's payload.
        response: The ``class`` of the answer; empty for one in plain text.
        body: The class of the body, None where there is none.
        body_required: Whether a missing body is refused.
        query: The query parameters.
        enterprise: Whether the enterprise mount has it too.
    """

    method: str
    path: str
    name: str
    handler: Handler[C]
    response: str
    body: type | None = None
    body_required: bool = True
    query: tuple[Query, ...] = ()
    enterprise: bool = True

    @property
    def paged(self) -> bool:
        """Whether the answer carries ``offset`` and ``pageSize``, as its class says."""
        return self.response in _PAGED


_PAGED = frozenset(
    {
        "EntityListResponse",
        "RelationshipListResponse",
        "ClassificationListResponse",
        "CohortListResponse",
        "CohortMembershipListResponse",
    }
)
