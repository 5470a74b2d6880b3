"""The servers of this process, as the API sees them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edgenode.clock import EpochMillis
from edgenode.codec.codec import Codec
from edgenode.collection.base import MetadataCollection
from edgenode.observability.audit_log import AuditLog
from edgenode.observability.health import Health
from edgenode.observability.metrics import Metric, OperationMetrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server of the platform and the parts that answer for it.

    ``enterprise`` answers for the whole cohort; it is None while the server is in none.
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


@dataclass(frozen=True, slots=True)
class Platform:
    """The process: its servers by name, and what it measures of itself."""

    origin: str
    codec: Codec
    servers: Mapping[str, Server]
    operation_metrics: OperationMetrics
