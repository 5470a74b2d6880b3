"""Connections for long reads, each with a thread of its own and a deadline.

A long read gets a snapshot of the file in which the index rows are complete: it never
sees a state that the index doesn't know, nor the other way round.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import aiosqlite

from edgenode.errors import SearchTimeoutError, StoreUnavailableError
from edgenode.limits import LONG_READ_SECONDS, LONG_READERS
from edgenode.repository.connections import (
    Connect,
    Faults,
    is_fault,
    let_write,
    primary_code,
    set_up_reader,
)
from edgenode.repository.statements import load
from edgenode.repository.writer import Writer

_IS_COMPLETE = load("backlog")["is_complete"]

_STEPS_BETWEEN_LOOKS = 10_000
"""Steps of SQLite's machine, about a millisecond, between looks at whether to stop."""


class _Reader:
    """One connection: ``connection`` is for the event loop, ``raw`` is what it drives."""

    def __init__(self, connection: aiosqlite.Connection, raw: sqlite3.Connection):
        self.connection = connection
        self._raw = raw
        self._beginning: asyncio.Future[None] | None = None
        self._is_stopped = False
        self._was_begun_for = False
        """Whether the writer began the snapshot, with rows it perhaps couldn't store."""
        raw.set_progress_handler(lambda: self._is_stopped, _STEPS_BETWEEN_LOOKS)

    @asynccontextmanager
    async def snapshot(self, writer: Writer | None) -> AsyncIterator[None]:
        """Keep a snapshot; with a writer, one whose index rows are complete."""
        try:
            await self._begin(writer)
            yield
        except BaseException:
            self._is_stopped = True  # something may still be running
            raise
        finally:
            await self._settle()
            if self._raw.in_transaction:
                self._raw.execute("ROLLBACK")
            if self._was_begun_for:
                let_write(self._raw, may_write=False)
                self._was_begun_for = False

    async def _begin(self, writer: Writer | None) -> None:
        if writer is None:
            self._raw.execute("BEGIN")
        elif not _begin_complete(self._raw):
            # Another change might come between writing the rows and the snapshot, so
            # the writer takes it. It does so even when nobody waits for it any more.
            self._was_begun_for = True
            self._beginning = writer.begin_complete(self._raw)
            await asyncio.wait({self._beginning})
            self._beginning.result()

    async def _settle(self) -> None:
        """Wait until nothing runs on the connection."""
        if self._is_stopped:
            if self._beginning is not None:
                await asyncio.wait({self._beginning})
                self._beginning.exception()
            # Its thread takes one statement after the other; the stopped one is first.
            await self.connection.execute_fetchall("SELECT 1")
        self._beginning = None
        self._is_stopped = False


def _begin_complete(raw: sqlite3.Connection) -> bool:
    """Take a snapshot if the index rows in it are complete."""
    raw.execute("BEGIN")
    if raw.execute(_IS_COMPLETE).fetchone()[0]:
        return True
    raw.execute("ROLLBACK")
    return False


class Readers:
    """A few connections that long reads take turns with."""

    def __init__(self, readers: list[_Reader], writer: Writer, faults: Faults) -> None:
        self._idle = readers
        self._writer = writer
        self._faults = faults
        self._slots = asyncio.Semaphore(len(readers))
        self._is_closed = False

    @classmethod
    async def open(
        cls,
        path: Path,
        connect: Connect,
        prepare: Callable[[sqlite3.Connection], None],
        writer: Writer,
        faults: Faults,
    ) -> "Readers":
        """Open the connections.

        Args:
            path: The file.
            connect: Opens connections.
            prepare: Called with each connection, in its thread, to add functions.
            writer: Completes the index rows before a read that needs them.
            faults: Tells of them.
        """
        raws: list[sqlite3.Connection] = []

        def open_raw() -> sqlite3.Connection:
            raw = cast("sqlite3.Connection", connect(path))
            set_up_reader(raw)
            prepare(raw)
            raws.append(raw)
            return raw

        readers: list[_Reader] = []
        try:
            while len(readers) < LONG_READERS:
                connection = aiosqlite.Connection(open_raw, iter_chunk_size=64)
                readers.append(_Reader(await connection, raws[-1]))
        except sqlite3.Error as error:
            for reader in readers:
                await reader.connection.close()
            raise faults.told(error, "open") from error
        return cls(readers, writer, faults)

    @asynccontextmanager
    async def reading(
        self, *, indexed: bool = True
    ) -> AsyncIterator[aiosqlite.Connection]:
        """A connection with a snapshot, for statements that only read.

        Args:
            indexed: Whether the snapshot's index rows must be complete.

        Raises:
            SearchTimeoutError: It took too long.
            StoreUnavailableError: The disk refuses reads, or this is closed.
        """
        try:
            async with asyncio.timeout(LONG_READ_SECONDS), self._slots:
                if self._is_closed:
                    raise StoreUnavailableError(
                        "read", self._faults.repository, "it is closed"
                    )
                reader = self._idle.pop()
                try:
                    async with reader.snapshot(self._writer if indexed else None):
                        yield reader.connection
                finally:
                    self._idle.append(reader)
        except TimeoutError:
            raise self._took_too_long() from None
        except sqlite3.Error as error:
            if primary_code(error) == sqlite3.SQLITE_INTERRUPT:
                raise self._took_too_long() from None
            if not is_fault(error):
                raise
            raise self._faults.told(error, "read") from error

    def _took_too_long(self) -> SearchTimeoutError:
        return SearchTimeoutError("read", LONG_READ_SECONDS, self._faults.repository)

    async def close(self) -> None:
        """Wait for the reads under way and close all connections."""
        self._is_closed = True
        for _ in range(LONG_READERS):
            await self._slots.acquire()
        for reader in self._idle:
            await reader.connection.close()
        self._idle.clear()
        for _ in range(LONG_READERS):
            self._slots.release()
