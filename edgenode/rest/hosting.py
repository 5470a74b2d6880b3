"""The servers of this process, as the API sees them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edgenode.archives.loader import ArchiveTarget
from edgenode.archives.writer import ArchiveSource
from edgenode.clock import EpochMillis
from edgenode.codec.codec import Codec
from edgenode.collection.base import MetadataCollection
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server of the platform and the parts that answer for it.

    ``enterprise`` answers for the whole cohort; it is None while the server is in none.
    Without ``holdings`` it offers neither archives nor backups.
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


@dataclass(frozen=True, slots=True)
class Platform:
    """The process: its servers by name, and what it measures of itself."""

    origin: str
    codec: Codec
    servers: Mapping[str, Server]
    operation_metrics: OperationMetrics
