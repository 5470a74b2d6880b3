"""Copies the write-ahead log into the file.

In the background, so that no change waits for it; only when a non-stop writer outruns
that does the writer itself stop and empty the log. Each page is copied once however
often the log has it, so that few checkpoints mean few bytes written.
"""

import logging
import queue
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

from edgenode.limits import (
    BUSY_MILLISECONDS,
    WAL_CHECKPOINT_BYTES,
    WAL_TRUNCATE_BYTES,
)
from edgenode.repository.connections import Connect, Connection, set_up_writer

logger = logging.getLogger(__name__)


class Checkpoints:
    """Runs checkpoints; everything but the thread's own work is called by the writer."""

    def __init__(self, path: Path, connect: Connect) -> None:
        self.count = 0
        self._path = path
        self._connect = connect
        self._done_at = 0
        self._requests: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def watch(self, connection: Connection, size: int) -> None:
        """Do what the log, now of this size, asks for; call it after each commit."""
        if size - self._done_at < WAL_CHECKPOINT_BYTES:
            return
        self._done_at = size
        if size >= WAL_TRUNCATE_BYTES:
            self.truncate(connection)
            return
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, name=f"checkpoints of {self._path.name}", daemon=True
            )
            self._thread.start()
        self._requests.put(True)

    def truncate(self, connection: Connection) -> None:
        """Copy everything and empty the log, unless a long reader still needs it."""
        try:
            # Without this the writer would wait for the readers of the log's end.
            connection.execute("PRAGMA busy_timeout = 0").fetchall()
            row = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}").fetchall()
        except sqlite3.Error as error:
            logger.warning("%s could not be brought up to date: %s", self._path, error)
            return
        is_busy = bool(row[0])
        if not is_busy:
            self._done_at = 0
        self.count += 1

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
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()
