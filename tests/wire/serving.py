"""A platform with one server for tests, on a port of its own."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from edgenode.clock import Clock
from edgenode.collection.base import MetadataCollection
from edgenode.collection.local import LocalMetadataCollection
from edgenode.collection.local_base import LocalCollectionParts
from edgenode.observability.audit_log import AuditLog
from edgenode.observability.health import Check, Health
from edgenode.observability.metrics import Metric, OperationMetrics
from edgenode.releases import SERVED
from edgenode.releases.shipped_types import load_release_types
from edgenode.repository.connections import Connect, connect
from edgenode.repository.health import store_health, store_metrics
from edgenode.repository.sqlite import SqliteRepository
from edgenode.rest.adapter import node_adapter
from edgenode.rest.hosting import Platform, Server
from edgenode.rest.server import listening
from edgenode.rest.streams import StreamOperation
from tests.model.house import CODEC, LOCAL, START
from tests.wire.http import Client

SERVER = "mds"
BASE = f"/servers/{SERVER}/open-metadata/repository-services/users/me"


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
async def stored(
    path: Path, clock: Clock, *, connect: Connect = connect
) -> AsyncIterator[Server]:
    """A server whose metadata is in a file, with all its parts as they are in use."""
    async with SqliteRepository.opened(
        path, CODEC, clock, name=SERVER, connect=connect
    ) as repository:
        collection = LocalMetadataCollection(
            LocalCollectionParts(
                home=LOCAL,
                repository=repository,
                types=await asyncio.to_thread(load_release_types, SERVED),
                codec=CODEC,
                release=SERVED,
                clock=clock,
                random_uuid=lambda: str(uuid4()),
                is_known_collection=lambda known: known == LOCAL.id,
            )
        )
        yield replace(
            hosted(collection, clock),
            health=lambda: store_health(repository, path),
            metrics=lambda: store_metrics(SERVER, repository),
        )


@asynccontextmanager
async def serving(
    clock: Clock,
    servers: Mapping[str, Server],
    services: Iterable[StreamOperation] = (),
) -> AsyncIterator[Client]:
    """Serve until the end of the block."""
    platform = Platform("edgenode for tests\n", CODEC, servers, OperationMetrics())
    async with listening(
        node_adapter(platform, clock, services), "127.0.0.1", 0
    ) as port:
        yield Client(port)
