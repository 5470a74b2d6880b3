"""What a node does for the commands on its own machine: archives and backups.

Egeria's API has no operation for them. They take and give whole files as streams and
tell line by line, each a JSON object, how far something long has come: ``done`` and
``total``, at last its outcome or the ``error``. The paths begin with
``/edgenode/servers/{serverName}``:

- ``POST /archive`` loads the archive that is its body,
- ``GET /archive`` gives out what the server holds as an archive,
- ``POST /backups`` copies the server's file into the directory of its backups, where
  ``?keep=7`` leaves so many, and ``?ifChanged=true`` makes none that is like the newest,
- ``POST /backups/download`` gives such a copy out, and keeps none.

A caller never names a file of this machine. They are for programs on it alone: what is
given out here is everything, and what is taken in fills the disk.
"""

import asyncio
import re
import shutil
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiohttp import hdrs, web

from edgenode.archives.loader import LoadReport, Progress, Tally, load_archive
from edgenode.archives.model import (
    OpenMetadataArchiveProperties,
    OpenMetadataArchiveType,
)
from edgenode.archives.writer import ArchiveText
from edgenode.clock import Clock
from edgenode.codec.json import dumps
from edgenode.errors import ArchiveError, EdgeNodeError, OMRSError
from edgenode.limits import (
    ARCHIVE_CHUNK_BYTES,
    LOW_DISK_BYTES,
    MAX_ARCHIVE_BYTES,
    MAX_KEPT_BACKUPS,
)
from edgenode.repository.backup import Backup, FailedBackupError, save_backup
from edgenode.repository.retention import BackupRules, save_among_backups
from edgenode.rest.hosting import Holdings, Platform, Server
from edgenode.rest.refusals import RefusalError
from edgenode.rest.streams import Answer, StreamOperation, received, write

_BASE = "/edgenode/servers/{serverName}"
_LINES = {hdrs.CONTENT_TYPE: "application/x-ndjson"}
_ROOM = "free some disk space; 'edgenode doctor' says how much there is"
_ARCHIVE_TYPES = {
    "backup": OpenMetadataArchiveType.REPOSITORY_BACKUP,
    "export": OpenMetadataArchiveType.METADATA_EXPORT,
}

Report = Callable[[int, int], None]
"""Told how much is done, and of how much."""


def stream_operations(platform: Platform, clock: Clock) -> Iterator[StreamOperation]:
    """The operations on the servers of a platform."""
    services = _NodeServices(platform, clock)
    archive, backups = f"{_BASE}/archive", f"{_BASE}/backups"
    yield StreamOperation("POST", archive, "loadArchive", services.load_archive)
    yield StreamOperation("GET", archive, "exportArchive", services.export_archive)
    yield StreamOperation("POST", backups, "backUp", services.back_up)
    yield StreamOperation(
        "POST", f"{backups}/download", "downloadBackup", services.download_backup
    )


class _NodeServices:
    def __init__(self, platform: Platform, clock: Clock) -> None:
        self._platform = platform
        self._clock = clock
        self._busy: set[tuple[str, str]] = set()

    async def load_archive(
        self, request: web.BaseRequest, path: dict[str, str]
    ) -> Answer:
        server, holdings = self._server(path)
        user_id = request.rel_url.query.get("userId", "")

        async def work(archive: Path, report: Report) -> dict[str, Any]:
            def progress(come: Progress) -> None:
                report(come.done, come.total)

            loaded = await load_archive(
                archive, holdings.collection, server.codec, user_id, progress
            )
            return {"report": _told(loaded)}

        with self._alone(server, "archive is being loaded"):
            async with _file(holdings.transfers) as archive:
                await _receive(request, archive)
                response, outcome = await _followed(request, partial(work, archive))
        return await _ended(request, response, outcome)

    async def export_archive(
        self, request: web.BaseRequest, path: dict[str, str]
    ) -> Answer:
        server, holdings = self._server(path)
        query = request.rel_url.query
        kind = _ARCHIVE_TYPES.get(query.get("kind", "backup"))
        if kind is None:
            raise RefusalError(
                HTTPStatus.BAD_REQUEST, f"kind is {' or '.join(_ARCHIVE_TYPES)}"
            )
        properties = OpenMetadataArchiveProperties(
            archive_guid=str(uuid4()),
            archive_name=query.get("name", server.name),
            archive_type=kind,
            originator_name=query.get("userId"),
            originator_organization=server.organization_name,
            creation_date=self._clock.now(),
        )
        text = ArchiveText(properties, holdings.collection, server.codec)
        response = web.StreamResponse(
            headers={
                hdrs.CONTENT_TYPE: "application/json",
                "Edgenode-Instances": str(holdings.count()),
            }
        )
        await response.prepare(request)
        async for piece in text.pieces():
            if piece:
                await write(request, response, piece)
        return response, False

    async def back_up(self, request: web.BaseRequest, path: dict[str, str]) -> Answer:
        server, holdings = self._server(path)
        save = partial(
            save_among_backups,
            holdings.store,
            self._clock.now(),
            _backup_rules(request.rel_url.query),
        )

        async def work(report: Report) -> dict[str, Any]:
            made = await _backed_up(holdings.store, save, report)
            told = {"file": str(made.path), "bytes": made.size, "isNew": made.is_new}
            return {"backup": told | {"schemaVersion": made.schema_version}}

        with self._alone(server, "backup is being made"):
            response, outcome = await _followed(request, work)
        return await _ended(request, response, outcome)

    async def download_backup(
        self, request: web.BaseRequest, path: dict[str, str]
    ) -> Answer:
        server, holdings = self._server(path)
        async with _file(holdings.transfers) as copy:
            try:
                with self._alone(server, "backup is being made"):
                    save = partial(save_backup, holdings.store, copy)
                    made = await _backed_up(copy, save, _ignored)
            except EdgeNodeError as error:
                raise RefusalError(
                    HTTPStatus.INSUFFICIENT_STORAGE, str(error), mend=_ROOM
                ) from error
            return await _sent_file(request, copy, made.size), False

    def _server(self, path: dict[str, str]) -> tuple[Server, Holdings]:
        server = self._platform.servers.get(path["serverName"])
        if server is None or server.holdings is None:
            names = ", ".join(self._platform.servers)
            raise RefusalError(
                HTTPStatus.NOT_FOUND,
                f"there is no server {path['serverName']} here",
                mend=f"name one of {names}",
            )
        return server, server.holdings

    def _alone(self, server: Server, what: str) -> "_Alone":
        return _Alone(self._busy, (server.name, what))


class _Alone:
    """Lets only one of a kind go on at a time: each takes its room on the disk."""

    def __init__(self, busy: set[tuple[str, str]], key: tuple[str, str]) -> None:
        self._busy = busy
        self._key = key

    def __enter__(self) -> None:
        if self._key in self._busy:
            raise RefusalError(
                HTTPStatus.CONFLICT,
                f"another {self._key[1]} on {self._key[0]}",
                mend="wait for it to end, then try again",
            )
        self._busy.add(self._key)

    def __exit__(self, *_: object) -> None:
        self._busy.discard(self._key)


@asynccontextmanager
async def _file(directory: Path) -> AsyncIterator[Path]:
    """A name for a file that is gone afterwards."""
    await asyncio.to_thread(directory.mkdir, mode=0o700, parents=True, exist_ok=True)
    path = directory / str(uuid4())
    try:
        yield path
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)


async def _receive(request: web.BaseRequest, path: Path) -> None:
    """Write a request's body to a file."""
    free = (await asyncio.to_thread(shutil.disk_usage, path.parent)).free
    room = max(free - LOW_DISK_BYTES, 0)
    _check_size(request.content_length or 0, room)
    size = 0
    try:
        with await asyncio.to_thread(path.open, "xb") as file:
            async for piece in received(request):
                size += len(piece)
                _check_size(size, room)
                await asyncio.to_thread(file.write, piece)
    except OSError as error:
        if isinstance(error, ConnectionError):
            raise
        raise RefusalError(
            HTTPStatus.INSUFFICIENT_STORAGE, str(error.strerror), mend=_ROOM
        ) from error


def _check_size(size: int, room: int) -> None:
    if size > MAX_ARCHIVE_BYTES:
        raise RefusalError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"an archive has at most {MAX_ARCHIVE_BYTES} bytes",
            mend="split it",
        )
    if size > room:
        raise RefusalError(
            HTTPStatus.INSUFFICIENT_STORAGE,
            f"there is room for {room} bytes on the node's disk",
            mend=_ROOM,
        )


async def _sent_file(
    request: web.BaseRequest, path: Path, size: int
) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={hdrs.CONTENT_TYPE: "application/octet-stream"}
    )
    response.content_length = size
    await response.prepare(request)
    with await asyncio.to_thread(path.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, ARCHIVE_CHUNK_BYTES):
            await write(request, response, piece)
    return response


async def _followed(
    request: web.BaseRequest, work: Callable[[Report], Awaitable[dict[str, Any]]]
) -> tuple[web.StreamResponse, dict[str, Any]]:
    """Do something long, and tell of it line by line; it stops if nobody listens.

    Returns:
        The response on its way, and the outcome, which is still to be told.
    """
    response = web.StreamResponse(headers=_LINES)
    await response.prepare(request)
    come: list[dict[str, Any]] = []
    news = asyncio.Event()

    def report(done: int, total: int) -> None:
        come[:] = [{"done": done, "total": total}]
        news.set()

    async with asyncio.TaskGroup() as group:
        doing = group.create_task(_outcome(work(report)), name="node service")
        doing.add_done_callback(lambda _: news.set())
        try:
            while not doing.done():
                await news.wait()
                news.clear()
                while come:
                    await write(request, response, dumps(come.pop()) + b"\n")
        except ConnectionError:
            doing.cancel()
    if doing.cancelled():
        raise ConnectionResetError
    return response, doing.result()


async def _ended(
    request: web.BaseRequest, response: web.StreamResponse, outcome: dict[str, Any]
) -> Answer:
    """Tell the outcome, once the next may begin."""
    await write(request, response, dumps(outcome) + b"\n")
    return response, "error" in outcome


async def _outcome(work: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    """What came of it, as the last line says it."""
    try:
        return await work
    except OMRSError as error:
        told = {"message": error.message, "mend": error.user_action}
    except ArchiveError as error:
        told = {"message": str(error), "mend": "check the archive"}
    except EdgeNodeError as error:
        told = {"message": str(error), "mend": _ROOM}
    return {"error": told}


def _backup_rules(query: Mapping[str, str]) -> BackupRules:
    keep, if_changed = query.get("keep"), query.get("ifChanged", "false")
    if keep is not None and not (
        re.fullmatch("[0-9]{1,9}", keep) and 1 <= int(keep) <= MAX_KEPT_BACKUPS
    ):
        raise RefusalError(
            HTTPStatus.BAD_REQUEST, f"keep is a number from 1 to {MAX_KEPT_BACKUPS}"
        )
    if if_changed not in ("true", "false"):
        raise RefusalError(HTTPStatus.BAD_REQUEST, "ifChanged is true or false")
    return BackupRules(None if keep is None else int(keep), if_changed == "true")


async def _backed_up(
    path: Path, save: Callable[[Report], Backup], report: Report
) -> Backup:
    loop = asyncio.get_running_loop()
    gone = threading.Event()

    def step(done: int, total: int) -> None:
        if gone.is_set():
            raise FailedBackupError(path, "nobody waits for it any more")
        loop.call_soon_threadsafe(report, done, total)

    try:
        return await asyncio.to_thread(save, step)
    finally:
        gone.set()


def _ignored(done: int, total: int) -> None:
    """Progress that nobody follows."""


def _told(report: LoadReport) -> dict[str, Any]:
    archive, types = report.archive, report.types
    told: dict[str, Any] = {
        "archiveGUID": archive.archive_guid,
        "archiveName": archive.archive_name,
        "archiveVersion": archive.archive_version,
        "dependsOnArchives": list(report.depends_on),
        "types": {
            "added": types.saved,
            "changed": report.types_changed - types.saved,
            "unchanged": types.unchanged,
            "refused": types.refused,
        },
    }
    told |= {
        section.value: _counts(tally) for section, tally in report.instances.items()
    }
    return told | {
        "refused": report.refused,
        "refusals": [
            {"where": refusal.where, "reason": _reason(refusal.reason)}
            for refusal in report.refusals
        ],
    }


def _counts(tally: Tally) -> dict[str, int]:
    return {
        "saved": tally.saved,
        "unchanged": tally.unchanged,
        "refused": tally.refused,
    }


def _reason(error: EdgeNodeError) -> str:
    return error.message if isinstance(error, OMRSError) else str(error)
