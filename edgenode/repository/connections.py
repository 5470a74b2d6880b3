"""Connections to the file: how they are opened and set up, and what their errors mean.

Everything else asks a connection for very little (``Connection``), so that the crash
suite can run the same code over another driver of SQLite.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

from edgenode.errors import OMRSError, StoreFullError, StoreUnavailableError
from edgenode.limits import (
    BUSY_MILLISECONDS,
    POINT_READ_CACHE_KIB,
    READER_CACHE_KIB,
    WAL_KEPT_BYTES,
    WRITER_CACHE_KIB,
)

PAGE_SIZE = 2048
"""Bytes. Measured (bench/schema.py): with 4096 a change alone writes 8 to 26 % more, one of
a group 5 to 13 % more; 1024 writes no less, and what is stored takes more room."""


class Cursor(Protocol):
    """What is asked of a running statement."""

    def fetchone(self) -> Any:
        """The next row, or None."""
        ...

    def fetchall(self) -> list[Any]:
        """All rows that are left."""
        ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """What is asked of a connection; transactions are begun and ended in SQL."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        ...

    def execute(self, sql: str, parameters: Any = (), /) -> Cursor:
        """Run one statement."""
        ...

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Cursor:
        """Run one statement for each of the parameters."""
        ...

    def interrupt(self) -> None:
        """Stop what another thread runs on it."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


Connect = Callable[[Path], Connection]
"""Opens a connection without any set-up; raises only ``sqlite3.Error``."""


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, which is made when it isn't there, for use by one thread at a time."""
    return sqlite3.connect(
        path,
        timeout=BUSY_MILLISECONDS / 1000,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )


def connect_to_look(path: Path) -> sqlite3.Connection:
    """Open the file for reading only: neither it nor its log is changed, not even by closing."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        timeout=BUSY_MILLISECONDS / 1000,
        isolation_level=None,
        uri=True,
    )


def set_up_writer(connection: Connection) -> None:
    """Make a connection the one that writes: durable at every commit.

    Pages freed by purges are used again and never given back to the file system:
    keeping track of them would cost a single change 11 % more bytes.
    """
    connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_KEPT_BYTES}").fetchall()
    # The undo log of a savepoint would go to the disk otherwise.
    connection.execute("PRAGMA temp_store = MEMORY")
    _set_up(connection, WRITER_CACHE_KIB)


def set_up_point_reader(connection: Connection) -> None:
    """Make a connection the event loop's own: it reads single rows and never waits."""
    _set_up(connection, POINT_READ_CACHE_KIB)
    connection.execute("PRAGMA query_only = ON")


def set_up_reader(connection: Connection) -> None:
    """Make a connection one for long reads."""
    _set_up(connection, READER_CACHE_KIB)
    connection.execute("PRAGMA query_only = ON")


def let_write(connection: Connection, *, may_write: bool) -> None:
    """Let one for long reads write into its memory, and never to the disk, or no more."""
    connection.execute(
        f"PRAGMA cache_spill = {'OFF' if may_write else 'ON'}"
    ).fetchall()
    connection.execute(f"PRAGMA query_only = {'OFF' if may_write else 'ON'}")


def is_full(error: Exception) -> bool:
    """Whether the disk had no room, also for the index of the write-ahead log."""
    return isinstance(error, sqlite3.Error) and (
        primary_code(error) == sqlite3.SQLITE_FULL
        or getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_IOERR_SHMSIZE
    )


def _set_up(connection: Connection, cache_kib: int) -> None:
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}").fetchall()
    connection.execute(f"PRAGMA cache_size = {-cache_kib}")
    connection.execute("PRAGMA mmap_size = 0").fetchall()
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA wal_autocheckpoint = 0").fetchall()


_FAULTS = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
_PASSING = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_LOCKED})
_DAMAGES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def primary_code(error: sqlite3.Error) -> int | None:
    """SQLite's primary result code, None where the error isn't SQLite's."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def is_fault(error: sqlite3.Error) -> bool:
    """Whether disk or file failed, and not one statement for a reason of its own."""
    return primary_code(error) in _FAULTS


def loses_connection(error: sqlite3.Error) -> bool:
    """Whether the connection should be opened anew after this fault."""
    return primary_code(error) in _FAULTS - _PASSING


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file isn't a sound database."""
    return primary_code(error) in _DAMAGES


class Faults:
    """Puts the faults of one file into words, and remembers whether it is damaged.

    Attributes:
        repository: The name that errors show.
        damage: The last sign of damage that was met, None as long as there was none.
    """

    def __init__(self, repository: str) -> None:
        self.repository = repository
        self.damage: str | None = None

    def note(self, error: Exception) -> None:
        """Remember an error if it is a sign of damage."""
        if isinstance(error, sqlite3.Error) and is_damage(error):
            self.damage = str(error)

    def told(self, error: sqlite3.Error, operation: str) -> OMRSError:
        """What callers are told of a fault."""
        self.note(error)
        return store_error(error, operation, self.repository)


def store_error(error: sqlite3.Error, operation: str, repository: str) -> OMRSError:
    """What callers are told of a fault."""
    reason = f"{error} ({getattr(error, 'sqlite_errorname', 'no code')})"
    if is_full(error):
        return StoreFullError(operation, repository, reason)
    return StoreUnavailableError(operation, repository, reason)
