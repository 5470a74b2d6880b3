"""The servers of a node: each its store, its collection and what answers for them."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from edgenode import __version__
from edgenode.clock import Clock, EpochMillis
from edgenode.codec.codec import Codec
from edgenode.collection.local import LocalMetadataCollection
from edgenode.collection.local_base import LocalCollectionParts
from edgenode.config import SERVERS, ServerConfig
from edgenode.instances.provenance import Home
from edgenode.observability.audit_log import AuditLog, OMRSAuditingComponent
from edgenode.observability.audit_messages import (
    SERVER_STARTED,
    SERVER_STOPPED,
    STORE_SET_ASIDE,
)
from edgenode.releases import RELEASES
from edgenode.releases.shipped_types import load_release_types
from edgenode.repository.recovery import OpenReport
from edgenode.repository.sqlite import SqliteRepository
from edgenode.rest.hosting import Server
from edgenode.typedefs.registry import TypeRegistry

SERVER_TYPE = "Metadata Access Store"
STORE_FILE = "metadata.db"
TRANSFERS = "transfers"


def store_path(data_directory: Path, server_name: str) -> Path:
    """The file of a server's metadata."""
    return data_directory / SERVERS / server_name / STORE_FILE


class Membership(Protocol):
    """A server as a member of a cohort, as far as the server has to do with it."""

    @property
    def is_put_back(self) -> bool:
        """Whether its store was put back, and nobody was asked yet for what it lacks."""
        ...

    def is_known(self, collection_id: str) -> bool:
        """Whether a metadata collection is the server's or a registered member's."""
        ...

    def wake(self) -> None:
        """There are new events in the outbox."""
        ...


@dataclass(slots=True, kw_only=True)
class OpenServer:
    """One server with its store open.

    Attributes:
        config: As it is configured.
        path: The file of its metadata.
        codec: Its release's wire form.
        types: The types that it knows.
        repository: Where its metadata is stored.
        collection: Its metadata.
        audit_log: What is worth telling of it.
        transfers: The directory for archives on their way.
        started_at: When it was opened.
        members: It as a member of each cohort that it is in.
    """

    config: ServerConfig
    path: Path
    codec: Codec
    types: TypeRegistry
    repository: SqliteRepository
    collection: LocalMetadataCollection
    audit_log: AuditLog
    transfers: Path
    started_at: EpochMillis
    members: list[Membership] = field(default_factory=list)

    @property
    def collection_id(self) -> str:
        """The id of its metadata collection."""
        return self.collection.get_metadata_collection_id(self.config.name)


@asynccontextmanager
async def open_server(
    data_directory: Path,
    config: ServerConfig,
    clock: Clock,
    *,
    keep_events: bool,
    passes_on: bool = False,
) -> AsyncIterator[OpenServer]:
    """Open a server's store until the end of the block.

    Args:
        data_directory: Where the servers' files are.
        config: The server.
        clock: The time.
        keep_events: Whether changes leave events for a cohort.
        passes_on: Whether what members of cohorts tell leaves events, too.

    Raises:
        EdgeNodeError: The store can't be used.
    """
    release = RELEASES[config.release]
    codec = Codec(release)
    path = store_path(data_directory, config.name)
    audit_log = AuditLog(config.name, clock)
    members: list[Membership] = []
    async with SqliteRepository.opened(
        path,
        codec,
        clock,
        name=config.name,
        keep_events=keep_events,
        events_queued=lambda _: _wake(members),
    ) as repository:
        _tell_of_damage(audit_log, repository.report)
        collection_id = await repository.metadata_collection_id(str(uuid4()))
        types = await asyncio.to_thread(load_release_types, release)
        collection = LocalMetadataCollection(
            LocalCollectionParts(
                home=Home(
                    collection_id, config.metadata_collection_name or config.name
                ),
                repository=repository,
                types=types,
                codec=codec,
                release=release,
                clock=clock,
                random_uuid=lambda: str(uuid4()),
                is_known_collection=_known(collection_id, members),
                is_put_back=lambda: any(member.is_put_back for member in members),
                passes_on=passes_on,
            )
        )
        yield OpenServer(
            config=config,
            path=path,
            codec=codec,
            types=types,
            repository=repository,
            collection=collection,
            audit_log=audit_log,
            transfers=await asyncio.to_thread(_emptied, path.parent / TRANSFERS),
            started_at=clock.now(),
            members=members,
        )


def _wake(members: list[Membership]) -> None:
    for member in members:
        member.wake()


def _known(collection_id: str, members: list[Membership]) -> Callable[[str], bool]:
    def is_known(known: str) -> bool:
        # In no cohort nobody else is known.
        return known == collection_id or any(m.is_known(known) for m in members)

    return is_known


def _tell_of_damage(audit_log: AuditLog, report: OpenReport) -> None:
    if report.set_aside is not None:
        audit_log.record(
            OMRSAuditingComponent.LOCAL_REPOSITORY,
            STORE_SET_ASIDE,
            report.path,
            report.damage,
            report.set_aside,
            report.newest_backup or "none",
        )


def _emptied(directory: Path) -> Path:
    """A directory for passing files, without what an earlier process left there."""
    shutil.rmtree(directory, ignore_errors=True)
    return directory


@contextmanager
def recorded_as_running(server: Server) -> Iterator[None]:
    """Tell of the server's start and stop."""
    component = OMRSAuditingComponent.OPERATIONAL_SERVICES
    collection_id = server.collection.get_metadata_collection_id(server.name)
    server.audit_log.record(
        component, SERVER_STARTED, server.name, __version__, collection_id
    )
    yield
    server.audit_log.record(component, SERVER_STOPPED, server.name)
