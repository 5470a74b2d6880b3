"""Copies the write-ahead log into the file.

In the background, so that no change waits for it; only when a non-stop writer outruns
that does the writer itself stop and copy it. Each page is copied once however often the
log has it, so that few checkpoints mean few bytes written. When the background is done the
writer copies the little that came meanwhile, and the log is begun again in the same file.

The background never starts on a log that is copied whole: SQLite before 3.51.3 may then
forget pages if the writer begins the log again at that moment (sqlite.org/wal.html, "The
WAL-Reset Bug"; Debian 12 has 3.40). So there is one copying at a time, the writer ends it,
and the next one waits for commits that came after that.
"""

import logging
import queue
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

from edgenode.limits import (
    BUSY_MILLISECONDS,
    CHECKPOINT_COMMITS,
    WAL_CHECKPOINT_BYTES,
    WAL_STOP_BYTES,
)
from edgenode.repository.connections import Connect, Connection, set_up_writer

logger = logging.getLogger(__name__)


class Checkpoints:
    """Runs checkpoints; everything but the thread's own work is called by the writer."""

    def __init__(self, path: Path, connect: Connect) -> None:
        self.count = 0
        self._path = path
        self._connect = connect
        self._commits = 0
        self._size = 0
        self._is_copying = False
        """From the request until the writer has ended it."""
        self._is_nearly_copied = False
        self._requests: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def watch(self, connection: Connection, size: int) -> None:
        """Do what the log asks for, whose file has this size now; call it after each commit."""
        if self._is_nearly_copied:
            self._is_nearly_copied = self._is_copying = False
            self._finish(connection)
            self._commits, self._size = 0, size
            return
        self._commits += 1
        self._size = min(self._size, size)  # the file is shorter since it began again
        has_grown = size - self._size >= WAL_CHECKPOINT_BYTES
        if has_grown and size >= WAL_STOP_BYTES and not self._is_copying:
            self._finish(connection)
            self._commits, self._size = 0, size
            self.count += 1
        elif has_grown or self._commits >= CHECKPOINT_COMMITS:
            self._copy()

    def tidy(self) -> None:
        """Use a quiet moment, if it is worth it."""
        if self._commits >= CHECKPOINT_COMMITS // 4:
            self._copy()

    def _copy(self) -> None:
        if self._is_copying:
            return
        self._is_copying = True
        self._commits = 0
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, name=f"checkpoints of {self._path.name}", daemon=True
            )
            self._thread.start()
        self._requests.put(True)

    def _finish(self, connection: Connection) -> None:
        """Copy what is left, so that the log begins again unless a long reader needs it."""
        try:
            # Without this the writer would wait for the readers of the log's end.
            connection.execute("PRAGMA busy_timeout = 0").fetchall()
            connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
            connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}").fetchall()
        except sqlite3.Error as error:
            logger.warning("%s could not be brought up to date: %s", self._path, error)

    def close(self) -> None:
        """End the thread."""
        if self._thread is not None:
            self._requests.put(False)
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        connection: Connection | None = None
        while self._requests.get():
            try:
                if connection is None:
                    connection = self._connect(self._path)
                    set_up_writer(connection)
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                self.count += 1
            except sqlite3.Error as error:
                logger.warning("%s could not be copied into: %s", self._path, error)
            self._is_nearly_copied = True
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()
