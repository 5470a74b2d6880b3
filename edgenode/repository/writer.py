"""The one thread that writes.

Changes wait in a queue; whatever waits when the thread turns to it becomes a group that
is committed, and put on the disk, once. Inside the group each change has a savepoint, so
that one that fails is undone alone. What came of them goes back to the event loop in one
call. Between groups the thread runs errands (writing index rows, closing) and, after
a quiet while, tidies up; when nothing is left to tidy it sleeps until the next change.
"""

import asyncio
import logging
import queue
import sqlite3
import threading
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from edgenode.clock import Clock
from edgenode.errors import StoreUnavailableError
from edgenode.limits import (
    MAX_GROUP_CHANGES,
    MAX_GROUP_SECONDS,
    MAX_INDEX_BACKLOG,
    QUIET_INDEX_BACKLOG,
    QUIET_SECONDS,
)
from edgenode.memory import give_back
from edgenode.repository.checkpoints import Checkpoints
from edgenode.repository.connections import (
    Connect,
    Connection,
    Faults,
    is_fault,
    is_full,
    loses_connection,
    set_up_writer,
)
from edgenode.repository.outbox import QueuedEvent
from edgenode.repository.statements import load
from edgenode.repository.transaction import SqliteTransaction
from edgenode.repository.writing import Writing

logger = logging.getLogger(__name__)

T = TypeVar("T")

_IS_COMPLETE = load("backlog")["is_complete"]

Events = Sequence[tuple[QueuedEvent, int]]
"""Events in their order, with the bytes that each has as text."""

Committed = Callable[[Counter[str], Events], None]
"""Called in the event loop with what a commit was, before any of its changes is
acknowledged: by type name how many instances there are more or fewer, and its events."""

COMMIT_SECONDS = (0.001, 0.005, 0.025, 0.1, 0.5, 2.5)
"""The upper bounds of the classes in which commit times are counted."""


@dataclass(slots=True, eq=False)
class _Change:
    """A change that waits; afterwards, what came of it."""

    work: Callable[[SqliteTransaction], Any]
    future: asyncio.Future[Any]
    transaction: SqliteTransaction | None = None
    result: Any = None
    error: Exception | None = None


@dataclass(slots=True, eq=False)
class _Errand:
    """Something else to be done in the thread, outside any transaction."""

    work: Callable[[], Any]
    future: asyncio.Future[Any]


@dataclass(slots=True)
class WriterFigures:
    """What the writer counts; written by its thread, read by any."""

    changes: int = 0
    failed_changes: int = 0
    commits: int = 0
    failed_commits: int = 0
    last_commit_failed: bool = False
    largest_group: int = 0
    commit_seconds: float = 0.0
    slowest_commit_seconds: float = 0.0
    commit_classes: list[int] = field(
        default_factory=lambda: [0] * (len(COMMIT_SECONDS) + 1)
    )
    index_flushes: int = 0
    indexed_changes: int = 0
    wal_bytes: int = 0


class Writer:
    """Runs changes in groups; see the module."""

    def __init__(
        self,
        path: Path,
        connect: Connect,
        writing: Writing,
        clock: Clock,
        faults: Faults,
        committed: Committed,
    ) -> None:
        """Start the thread.

        Args:
            path: The file, whose schema is up to date.
            connect: Opens connections.
            writing: Begins changes and follows commits.
            clock: Measures.
            faults: Tells of them.
            committed: Told of each.
        """
        self.figures = WriterFigures()
        self._path = path
        self._wal = path.with_name(path.name + "-wal")
        self._connect = connect
        self._writing = writing
        self._clock = clock
        self._faults = faults
        self._committed = committed
        self._loop = asyncio.get_running_loop()
        self._arrivals: queue.SimpleQueue[_Change | _Errand] = queue.SimpleQueue()
        self._waiting: deque[_Change | _Errand] = deque()
        self._connection: Connection | None = None
        self._checkpoints = Checkpoints(path, connect)
        self._is_tidy = not (writing.backlog or writing.has_surplus_events)
        self._is_closed = False
        self._is_ended = False
        self._is_full = False
        self._thread = threading.Thread(
            target=self._run, name=f"writer of {path.name}", daemon=True
        )
        self._thread.start()

    # called in the event loop

    @property
    def queue_depth(self) -> int:
        """How many changes and errands wait."""
        return self._arrivals.qsize() + len(self._waiting)

    @property
    def index_backlog(self) -> int:
        """How many committed changes have no index rows yet."""
        return len(self._writing.backlog)

    @property
    def checkpoints(self) -> int:
        """How often the write-ahead log was copied into the file."""
        return self._checkpoints.count

    async def change(self, work: Callable[[SqliteTransaction], T]) -> T:
        """Run a change; it happens even if the caller stops waiting.

        Raises:
            StoreFullError: The disk is full.
            StoreUnavailableError: The disk refuses writes, or the writer is closed.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        self._put(_Change(work, future))
        return await future

    def flush(self, then: Callable[[], T]) -> asyncio.Future[T]:
        """Write all index rows that wait, and do something before the next change."""
        future: asyncio.Future[T] = self._loop.create_future()

        def work() -> T:
            self._flush()
            return then()

        self._put(_Errand(work, future))
        return future

    def drain(self) -> asyncio.Future[None]:
        """Wait until all that was sent before is done, whether or not the disk took it."""
        future: asyncio.Future[None] = self._loop.create_future()
        self._put(_Errand(lambda: None, future))
        return future

    def begin_complete(self, reader: Connection) -> asyncio.Future[None]:
        """Begin a reader's transaction with complete index rows.

        On a full disk it has those that wait in its memory; no change gets in between
        until it is undone.
        """
        future: asyncio.Future[None] = self._loop.create_future()

        def work() -> None:
            try:
                self._flush()
            except sqlite3.Error as error:
                if not (is_full(error) and self._writing.show(reader)):
                    raise
            else:
                reader.execute("BEGIN")
                reader.execute(_IS_COMPLETE).fetchone()  # the first read is its time

        self._put(_Errand(work, future))
        return future

    async def close(self) -> None:
        """Write what waits, empty the write-ahead log and end the thread."""
        if self._is_closed:
            return
        future: asyncio.Future[None] = self._loop.create_future()
        self._put(_Errand(self._end, future))
        self._is_closed = True
        await future
        await asyncio.to_thread(self._thread.join)

    def _put(self, item: _Change | _Errand) -> None:
        if self._is_closed:
            raise StoreUnavailableError(
                "change", self._faults.repository, "it is closed"
            )
        self._arrivals.put(item)

    def _deliver(
        self, group: list[_Change], counts: Counter[str], events: Events
    ) -> None:
        self._committed(counts, events)
        for change in group:
            if not change.future.done():
                if change.error is not None:
                    change.future.set_exception(change.error)
                else:
                    change.future.set_result(change.result)

    def _deliver_errand(
        self, errand: _Errand, result: object, error: Exception | None
    ) -> None:
        if not errand.future.done():
            if error is not None:
                errand.future.set_exception(error)
            else:
                errand.future.set_result(result)

    # run in the thread

    def _run(self) -> None:
        while not self._is_ended:
            self._take()
            if not self._waiting:
                self._tidy()
            elif isinstance(self._waiting[0], _Errand):
                self._run_errand(self._waiting[0])
                self._waiting.popleft()
            else:
                self._run_group()

    def _take(self) -> None:
        """Take what has arrived; wait for something if nothing has."""
        if not self._waiting:
            try:
                timeout = None if self._is_tidy else QUIET_SECONDS
                self._waiting.append(self._arrivals.get(timeout=timeout))
            except queue.Empty:
                return
        try:
            while len(self._waiting) < MAX_GROUP_CHANGES:
                self._waiting.append(self._arrivals.get_nowait())
        except queue.Empty:
            return

    def _run_errand(self, errand: _Errand) -> None:
        result: object = None
        error: Exception | None = None
        try:
            result = errand.work()
        except Exception as raised:  # noqa: BLE001 - whoever sent it is told
            error = self._told(raised)
        self._loop.call_soon_threadsafe(self._deliver_errand, errand, result, error)

    def _run_group(self) -> None:
        group = self._group()
        counts: Counter[str] = Counter()
        events: Events = []
        self._is_tidy = False
        commits = self.figures.commits
        try:
            connection = self._opened()
            connection.execute("BEGIN IMMEDIATE")
            self._run_changes(connection, group)
            if connection.in_transaction:
                self._commit(connection)
            done = [change.transaction for change in group if change.transaction]
            events = [event for one in done for event in one.events]
            self._writing.committed(
                [effect for one in done for effect in one.effects],
                events[-1][0].sequence if events else 0,
                sum(one.event_bytes for one in done),
            )
            for one in done:
                counts.update(one.counts)
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            self.figures.failed_commits += 1
            self.figures.last_commit_failed = True
            self._abandon(error)
            for change in group:
                change.error = change.error or self._told(error)
        self.figures.changes += len(group)
        self.figures.failed_changes += sum(c.error is not None for c in group)
        self.figures.largest_group = max(self.figures.largest_group, len(group))
        self._loop.call_soon_threadsafe(self._deliver, group, counts, events)
        if len(self._writing.backlog) >= MAX_INDEX_BACKLOG:
            self._flush_or_log()
        else:
            self._prepare_or_log()
        if self._writing.has_too_many_events:
            self._compact_or_log()
        if self.figures.commits > commits:
            self._watch_wal()

    def _group(self) -> list[_Change]:
        """The changes that wait, up to the first errand."""
        group: list[_Change] = []
        while self._waiting:
            change = self._waiting[0]
            if isinstance(change, _Errand):
                break
            group.append(change)
            self._waiting.popleft()
        return group

    def _run_changes(self, connection: Connection, group: list[_Change]) -> None:
        """Run changes one after the other; those there is no time for wait on."""
        deadline = self._clock.monotonic() + MAX_GROUP_SECONDS
        is_alone = len(group) == 1
        for count, change in enumerate(group, start=1):
            self._run_change(connection, change, is_alone=is_alone)
            if count < len(group) and self._clock.monotonic() > deadline:
                self._waiting.extendleft(reversed(group[count:]))
                del group[count:]
                return

    def _run_change(
        self, connection: Connection, change: _Change, *, is_alone: bool
    ) -> None:
        """Run one change and undo it if it raises.

        Raises:
            sqlite3.Error: The disk fails, and with it the whole group.
        """
        if not is_alone:
            connection.execute("SAVEPOINT change")
        transaction = SqliteTransaction(connection, self._writing)
        try:
            change.result = change.work(transaction)
        except Exception as error:
            if not connection.in_transaction or (
                isinstance(error, sqlite3.Error) and is_fault(error)
            ):
                raise
            change.error = error
            if is_alone:
                connection.execute("ROLLBACK")
            else:
                connection.execute("ROLLBACK TO change")
            self._writing.rolled_back()
        else:
            change.transaction = transaction
        if not is_alone:
            connection.execute("RELEASE change")

    def _commit(self, connection: Connection) -> None:
        started = self._clock.monotonic()
        connection.execute("COMMIT")
        seconds = self._clock.monotonic() - started
        figures = self.figures
        figures.commits += 1
        figures.last_commit_failed = False
        self._has_room()
        figures.commit_seconds += seconds
        figures.slowest_commit_seconds = max(figures.slowest_commit_seconds, seconds)
        figures.commit_classes[bisect_left(COMMIT_SECONDS, seconds)] += 1

    def _opened(self) -> Connection:
        """The connection, opened anew if the disk failed it."""
        if self._connection is None:
            connection = self._connect(self._path)
            try:
                set_up_writer(connection)
            except sqlite3.Error:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _abandon(self, error: Exception) -> None:
        """Undo what is open, and drop a connection that can't be trusted any more.

        After a failed sync the system may think pages clean that never got to the disk;
        a new connection reads what is there.
        """
        self._faults.note(error)
        if is_full(error) and not self._is_full:
            self._is_full = True
            logger.warning(
                "%s: the disk is full; changes are refused until there is room, searches "
                "go on",
                self._path,
            )
        connection = self._connection
        is_broken = isinstance(error, sqlite3.Error) and loses_connection(error)
        if connection is not None:
            try:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            except sqlite3.Error:
                is_broken = True
            if is_broken:
                self._connection = None
                with suppress(sqlite3.Error):
                    connection.close()
        self._writing.rolled_back()

    def _has_room(self) -> None:
        """Something was written."""
        if self._is_full:
            self._is_full = False
            logger.info("%s: the disk has room again", self._path)

    def _told(self, error: Exception) -> Exception:
        """What the caller is told of an error."""
        if isinstance(error, sqlite3.Error) and is_fault(error):
            return self._faults.told(error, "change")
        return error

    def _flush(self) -> None:
        if not self._writing.backlog:
            return
        try:
            self.figures.indexed_changes += self._writing.flush(self._opened())
        except Exception as error:
            self._abandon(error)
            raise
        self.figures.index_flushes += 1
        self._has_room()

    def _flush_or_log(self) -> None:
        """Write index rows; if that fails, the next search tries again and says why."""
        try:
            self._flush()
        except Exception as error:
            if is_full(error):
                return  # it is logged already
            if isinstance(error, sqlite3.Error) and is_fault(error):
                logger.warning("%s can't be indexed yet: %s", self._path, error)
            else:
                logger.exception("%s could not be indexed", self._path)

    def _prepare_or_log(self) -> None:
        """Find index rows; if that fails, writing them fails as well."""
        try:
            self._writing.backlog.prepare()
        except Exception:
            logger.exception("%s could not be indexed", self._path)

    def _compact_or_log(self) -> bool:
        """Leave out some events; returns whether there is more to do at once."""
        try:
            return self._writing.compact(self._opened())
        except Exception as error:  # noqa: BLE001 - it is tried again
            self._abandon(error)
            if not is_full(error):  # that is logged already
                logger.warning("%s: old events stay for now: %s", self._path, error)
            return False

    def _watch_wal(self) -> None:
        """Keep the write-ahead log from growing for ever."""
        try:
            self.figures.wal_bytes = self._wal.stat().st_size
        except FileNotFoundError:
            self.figures.wal_bytes = 0
        if self._connection is not None:
            self._checkpoints.watch(self._connection, self.figures.wal_bytes)

    def _tidy(self) -> None:
        """Use a quiet moment: what is left to do afterwards can wait for any time."""
        if self._writing.has_surplus_events or self._writing.has_too_many_events:
            while self._compact_or_log():
                if not self._arrivals.empty():
                    return
            self._watch_wal()
        backlog = self._writing.backlog
        if len(backlog) >= QUIET_INDEX_BACKLOG or backlog.has_purged:
            self._flush_or_log()
            self._watch_wal()
        self._checkpoints.tidy()
        if self._connection is not None:
            self._connection.execute("PRAGMA shrink_memory").fetchall()
        give_back()
        self._is_tidy = True

    def _end(self) -> None:
        self._is_ended = True
        self._flush_or_log()
        self._checkpoints.close()
        if self._connection is not None:
            # The last one, so the log goes into the file; if it can't, it stays.
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
