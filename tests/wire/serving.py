"""A platform with one server for tests, on a port of its own."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from edgenode.clock import Clock
from edgenode.collection.base import MetadataCollection
from edgenode.observability.audit_log import AuditLog
from edgenode.observability.health import Check, Health
from edgenode.observability.metrics import Metric, OperationMetrics
from edgenode.rest.adapter import Adapter
from edgenode.rest.hosting import Platform, Server
from edgenode.rest.server import listening
from tests.model.house import CODEC, START
from tests.wire.http import Client

SERVER = "mds"


def hosted(
    collection: MetadataCollection,
    clock: Clock,
    *,
    name: str = SERVER,
    audit_log: AuditLog | None = None,
) -> Server:
    """A server around a collection."""
    return Server(
        name=name,
        server_type="Metadata Access Store",
        organization_name=None,
        started_at=START,
        codec=CODEC,
        collection=collection,
        enterprise=None,
        audit_log=audit_log or AuditLog(name, clock),
        health=lambda: Health((Check("writes", ok=True, detail="3 commits"),)),
        metrics=lambda: (Metric("edgenode_example", "gauge", "One.", (({}, 1.0),)),),
    )


@asynccontextmanager
async def serving(clock: Clock, servers: Mapping[str, Server]) -> AsyncIterator[Client]:
    """Serve until the end of the block."""
    platform = Platform("edgenode for tests\n", CODEC, servers, OperationMetrics())
    async with listening(Adapter(platform, clock), "127.0.0.1", 0) as port:
        yield Client(port)
