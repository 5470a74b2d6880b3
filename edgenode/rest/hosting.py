"""The servers of this process, as the API sees them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

from edgenode.archives.loader import ArchiveTarget
from edgenode.archives.writer import ArchiveSource
from edgenode.clock import EpochMillis
from edgenode.codec.codec import Codec
from edgenode.collection.base import MetadataCollection
from edgenode.connectors.connection import Connection
from edgenode.events.registration import MemberRegistration
from edgenode.observability.audit_log import AuditLog
from edgenode.observability.health import Health
from edgenode.observability.metrics import Metric, OperationMetrics


class ArchivedCollection(ArchiveTarget, ArchiveSource, Protocol):
    """A collection that archives are loaded into and written from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What a server stores, as its archives and backups see it.

    Attributes:
        collection: Takes archives in and gives them out.
        store: The file of the server's metadata.
        transfers: The directory for files on their way in or out.
        count: How many current instances there are.
    """

    collection: ArchivedCollection
    store: Path
    transfers: Path
    count: Callable[[], int]


class CohortConnectionStatus(Enum):
    """How a server stands with a cohort of its."""

    NOT_INITIALIZED = 0
    INITIALIZING = 1
    NEW = 2
    CONFIGURATION_ERROR = 3
    CONNECTED = 4
    DISCONNECTING = 5
    DISCONNECTED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortDescription:
    """A cohort of a server.

    Attributes:
        cohort_name: Its name.
        connection_status: How the server stands with it.
        topic_connection: Where its events go.
        single_topic_connection: The same, where there is one topic for all.
        registration_topic_connection: Where it goes who is in the cohort.
        types_topic_connection: Where events about types go.
        instances_topic_connection: Where events about instances go.
    """

    cohort_name: str
    connection_status: CohortConnectionStatus
    topic_connection: Connection | None = None
    single_topic_connection: Connection | None = None
    registration_topic_connection: Connection | None = None
    types_topic_connection: Connection | None = None
    instances_topic_connection: Connection | None = None


class Highway(Protocol):
    """The cohorts of a server, and who else is in them."""

    def cohorts(self) -> Sequence[CohortDescription]:
        """Each cohort of the server."""
        ...

    def local_member(self) -> MemberRegistration:
        """The server as its cohorts know it; when it registered isn't asked for."""
        ...

    def local_registration(self, cohort_name: str) -> MemberRegistration | None:
        """The server as a cohort knows it; None where it isn't registered there."""
        ...

    def remote_members(self, cohort_name: str) -> Sequence[MemberRegistration]:
        """The others that are registered; nobody in a cohort that it isn't in."""
        ...

    async def connect(self, cohort_name: str) -> bool:
        """Take part in a cohort again; False where it isn't configured."""
        ...

    async def disconnect(self, cohort_name: str) -> bool:
        """Take no part for now; the others keep what they know."""
        ...

    async def unregister(self, cohort_name: str) -> bool:
        """Leave a cohort; the others forget the server."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server of the platform and the parts that answer for it.

    ``enterprise`` answers for the whole cohort; it is None while the server is in none.
    So is ``highway``. Without ``holdings`` it offers neither archives nor backups.
    ``is_away`` tells whether it was disconnected from its cohort of nodes, whom it then
    answers nothing.
    """

    name: str
    server_type: str
    organization_name: str | None
    started_at: EpochMillis
    codec: Codec
    collection: MetadataCollection
    enterprise: MetadataCollection | None
    audit_log: AuditLog
    health: Callable[[], Health]
    metrics: Callable[[], tuple[Metric, ...]]
    holdings: Holdings | None = None
    highway: Highway | None = None
    is_away: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class Platform:
    """The process: its servers by name, and what it measures of itself.

    ``guest`` finds a member of another cohort for which a server answers, by its
    collection id; None where there is none.
    ``cohort`` tells how it stands in its cohort of nodes, in short, and ``kafka_cohort`` how
    in the one of platforms; None while it is in none.
    """

    origin: str
    codec: Codec
    servers: Mapping[str, Server]
    operation_metrics: OperationMetrics
    cohort: Callable[[], Mapping[str, Any]] | None = None
    kafka_cohort: Callable[[], Mapping[str, Any]] | None = None
    guest: Callable[[str], Server | None] = lambda _: None
