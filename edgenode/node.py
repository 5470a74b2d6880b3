"""The composition root: opens every part top down and closes them in reverse."""

import asyncio
import logging
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from uuid import uuid4

from edgenode import __version__
from edgenode.clock import Clock, SystemClock
from edgenode.codec.codec import Codec
from edgenode.collection.local import LocalMetadataCollection
from edgenode.collection.local_base import LocalCollectionParts
from edgenode.config import NodeConfig, ServerConfig
from edgenode.instances.provenance import Home
from edgenode.observability.audit_log import AuditLog, OMRSAuditingComponent
from edgenode.observability.audit_messages import (
    SERVER_STARTED,
    SERVER_STOPPED,
    STORE_SET_ASIDE,
)
from edgenode.observability.logs import logging_to_stderr
from edgenode.observability.metrics import OperationMetrics
from edgenode.releases import RELEASES, SERVED
from edgenode.releases.shipped_types import load_release_types
from edgenode.repository.health import store_health, store_metrics
from edgenode.repository.lock import locked
from edgenode.repository.sqlite import SqliteRepository
from edgenode.rest.adapter import Adapter
from edgenode.rest.hosting import Holdings, Platform, Server
from edgenode.rest.server import listening

logger = logging.getLogger(__name__)

SERVER_TYPE = "Metadata Access Store"
STORE_FILE = "metadata.db"
TRANSFERS = "transfers"


def store_path(data_directory: Path, server_name: str) -> Path:
    """The file of a server's metadata."""
    return data_directory / "servers" / server_name / STORE_FILE


def _emptied(directory: Path) -> Path:
    """A directory for passing files, without what an earlier process left there."""
    shutil.rmtree(directory, ignore_errors=True)
    return directory


@asynccontextmanager
async def running_node(
    config: NodeConfig, clock: Clock | None = None
) -> AsyncIterator[int]:
    """Run the servers of a configuration; gives the port that is listened on.

    Raises:
        DirectoryInUseError: Another process uses the data directory.
        OSError: The address can't be listened on, or the directory not be written.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        await asyncio.to_thread(stack.enter_context, locked(config.data_directory))
        servers = {
            server.name: await stack.enter_async_context(
                _running_server(config, server, clock)
            )
            for server in config.servers
        }
        platform = Platform(
            SERVED.platform_origin, Codec(SERVED), servers, OperationMetrics()
        )
        adapter = Adapter(platform, clock)
        port = await stack.enter_async_context(
            listening(adapter, config.host, config.port)
        )
        for server in servers.values():
            stack.enter_context(_recorded_as_running(server))
        yield port


@contextmanager
def _recorded_as_running(server: Server) -> Iterator[None]:
    component = OMRSAuditingComponent.OPERATIONAL_SERVICES
    collection_id = server.collection.get_metadata_collection_id(server.name)
    server.audit_log.record(
        component, SERVER_STARTED, server.name, __version__, collection_id
    )
    yield
    server.audit_log.record(component, SERVER_STOPPED, server.name)


@asynccontextmanager
async def _running_server(
    config: NodeConfig, server: ServerConfig, clock: Clock
) -> AsyncIterator[Server]:
    release = RELEASES[server.release]
    codec = Codec(release)
    path = store_path(config.data_directory, server.name)
    audit_log = AuditLog(server.name, clock)
    async with SqliteRepository.opened(
        path, codec, clock, name=server.name
    ) as repository:
        report = repository.report
        if report.set_aside is not None:
            audit_log.record(
                OMRSAuditingComponent.LOCAL_REPOSITORY,
                STORE_SET_ASIDE,
                report.path,
                report.damage,
                report.set_aside,
                report.newest_backup or "none",
            )
        collection_id = await repository.metadata_collection_id(str(uuid4()))
        name = server.metadata_collection_name or server.name
        collection = LocalMetadataCollection(
            LocalCollectionParts(
                home=Home(collection_id, name),
                repository=repository,
                types=await asyncio.to_thread(load_release_types, release),
                codec=codec,
                release=release,
                clock=clock,
                random_uuid=lambda: str(uuid4()),
                # In no cohort nobody else is known.
                is_known_collection=lambda known: known == collection_id,
            )
        )
        yield Server(
            name=server.name,
            server_type=SERVER_TYPE,
            organization_name=server.organization_name,
            started_at=clock.now(),
            codec=codec,
            collection=collection,
            enterprise=None,
            audit_log=audit_log,
            health=lambda: store_health(repository, path),
            metrics=lambda: store_metrics(server.name, repository),
            holdings=Holdings(
                collection=collection,
                store=path,
                transfers=await asyncio.to_thread(_emptied, path.parent / TRANSFERS),
                count=lambda: sum(repository.counts().values()),
            ),
        )


async def run_node(config: NodeConfig, ready: Callable[[int], None]) -> None:
    """Run until the process is asked to stop by SIGTERM or SIGINT.

    Args:
        config: What to run.
        ready: Called with the port once requests are answered.

    Raises:
        DirectoryInUseError: Another process uses the data directory.
        OSError: The address can't be listened on, or the directory not be written.
    """
    logging_to_stderr(config.log_format, config.log_level)
    if not config.is_local:
        logger.warning(
            "%s can be reached from other machines, and there is no authentication: "
            "whoever reaches it may read and change everything, in plain HTTP. "
            "Unless something in front of it sees to that, set listen to 127.0.0.1:%d",
            config.host,
            config.port,
        )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running_node(config) as port:
        ready(port)
        await stop.wait()
        logger.info("stopping")
