"""One file: who writes it, who reads it, and its figures.

The writer has a thread, each connection for long reads has one, and the event loop has
a connection of its own for reading single rows, which takes some ten microseconds.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from edgenode.clock import Clock
from edgenode.errors import StoreUnavailableError
from edgenode.limits import MAX_WAITING_CHANGES
from edgenode.repository.connections import (
    Connect,
    Connection,
    Faults,
    is_fault,
    set_up_point_reader,
)
from edgenode.repository.readers import Readers
from edgenode.repository.transaction import SqliteTransaction
from edgenode.repository.writer import COMMIT_SECONDS, Committed, Writer
from edgenode.repository.writing import Writing

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseStatistics:
    """The figures of one file since it was opened.

    Attributes:
        queue_depth: Changes that wait for the writer.
        changes: Changes run, failed ones included.
        failed_changes: Changes that were undone, for whatever reason.
        commits: Commits that are on the disk.
        failed_commits: Groups the disk refused.
        last_commit_failed: Whether the newest group is one of them.
        largest_group: Most changes in one commit.
        commit_seconds: Time spent in commits.
        slowest_commit_seconds: The longest of them.
        commit_classes: Commits by time: up to each of ``COMMIT_SECONDS``, and longer.
        checkpoints: Copies of the write-ahead log into the file.
        wal_bytes: Size of the write-ahead log after the last commit.
        index_backlog: Changes whose index rows are still to be written.
        index_flushes: How often such rows were written.
        indexed_changes: Of how many changes.
        damage: The last sign that the file is damaged, None if there was none.
    """

    queue_depth: int
    changes: int
    failed_changes: int
    commits: int
    failed_commits: int
    last_commit_failed: bool
    largest_group: int
    commit_seconds: float
    slowest_commit_seconds: float
    commit_classes: tuple[tuple[float, int], ...]
    checkpoints: int
    wal_bytes: int
    index_backlog: int
    index_flushes: int
    indexed_changes: int
    damage: str | None


class Database:
    """Access to one file whose schema is up to date."""

    def __init__(
        self, point: Connection, writer: Writer, readers: Readers, faults: Faults
    ) -> None:
        self._point = point
        self._writer = writer
        self._readers = readers
        self._faults = faults
        self._slots = asyncio.Semaphore(MAX_WAITING_CHANGES)
        self._is_closed = False

    @classmethod
    @asynccontextmanager
    async def opened(
        cls,
        path: Path,
        connect: Connect,
        writing: Writing,
        clock: Clock,
        *,
        faults: Faults,
        prepare: Callable[[sqlite3.Connection], None],
        committed: Committed,
    ) -> AsyncIterator["Database"]:
        """Open all connections; leaving closes them and empties the write-ahead log.

        Args:
            path: The file.
            connect: Opens connections.
            writing: Begins changes and follows commits; it knows the file already.
            clock: Measures.
            faults: Tells of them.
            prepare: Called with each connection for long reads, to add functions.
            committed: Told of each commit.

        Raises:
            StoreUnavailableError: The disk refuses to read it.
        """
        try:
            point = connect(path)
            set_up_point_reader(point)
        except sqlite3.Error as error:
            raise faults.told(error, "open") from error
        writer = Writer(path, connect, writing, clock, faults, committed)
        try:
            readers = await Readers.open(path, connect, prepare, writer, faults)
            database = cls(point, writer, readers, faults)
            try:
                yield database
            finally:
                database._is_closed = True
                await readers.close()
        finally:
            with suppress(sqlite3.Error):
                point.close()
            await writer.close()

    async def change(self, work: Callable[[SqliteTransaction], T]) -> T:
        """Run a change in the writer's thread; returns once it is on the disk.

        Raises:
            StoreFullError: The disk is full.
            StoreUnavailableError: The disk refuses writes, or the file is closed.
        """
        async with self._slots:
            return await self._writer.change(work)

    @property
    def point(self) -> Connection:
        """The event loop's connection."""
        return self._point

    def row(self, sql: str, parameters: Any) -> Any:
        """The first row of a quick question, or None.

        Raises:
            StoreUnavailableError: The disk refuses reads, or the file is closed.
        """
        try:
            return self._point.execute(sql, parameters).fetchone()
        except sqlite3.Error as error:
            raise self._told(error) from error

    def rows(self, sql: str, parameters: Any) -> list[Any]:
        """All rows of a quick question.

        Raises:
            StoreUnavailableError: The disk refuses reads, or the file is closed.
        """
        return self.quick(lambda point: point.execute(sql, parameters).fetchall())

    def quick(self, ask: Callable[[Connection], T]) -> T:
        """What is found out by a few quick questions.

        Raises:
            StoreUnavailableError: The disk refuses reads, or the file is closed.
        """
        try:
            return ask(self._point)
        except sqlite3.Error as error:
            raise self._told(error) from error

    def _told(self, error: sqlite3.Error) -> Exception:
        """What callers are told of an error."""
        if is_fault(error):
            return self._faults.told(error, "read")
        if self._is_closed:
            return StoreUnavailableError(
                "read", self._faults.repository, "it is closed"
            )
        return error

    @asynccontextmanager
    async def reading(
        self, *, indexed: bool = True
    ) -> AsyncIterator[aiosqlite.Connection]:
        """A connection for long reads, with a snapshot; see ``Readers``."""
        async with self._readers.reading(indexed=indexed) as reader:
            yield reader

    async def flush(self) -> None:
        """Write the index rows that wait."""
        await self._writer.flush(lambda: None)

    async def drain(self) -> None:
        """Wait until the writer's thread has done all that was sent to it."""
        await self._writer.drain()

    def statistics(self) -> DatabaseStatistics:
        """The figures since the file was opened."""
        figures = self._writer.figures
        bounds = (*COMMIT_SECONDS, float("inf"))
        return DatabaseStatistics(
            queue_depth=self._writer.queue_depth,
            changes=figures.changes,
            failed_changes=figures.failed_changes,
            commits=figures.commits,
            failed_commits=figures.failed_commits,
            last_commit_failed=figures.last_commit_failed,
            largest_group=figures.largest_group,
            commit_seconds=figures.commit_seconds,
            slowest_commit_seconds=figures.slowest_commit_seconds,
            commit_classes=tuple(zip(bounds, figures.commit_classes, strict=True)),
            checkpoints=self._writer.checkpoints,
            wal_bytes=figures.wal_bytes,
            index_backlog=self._writer.index_backlog,
            index_flushes=figures.index_flushes,
            indexed_changes=figures.indexed_changes,
            damage=self._faults.damage,
        )
