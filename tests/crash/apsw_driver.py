"""The repository's connections over apsw, whose file system layer can be replaced.

The code under test is the repository's own, from its connection factory on; only the
driver and the layer below SQLite are other ones.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import apsw

from edgenode.limits import BUSY_MILLISECONDS
from edgenode.repository.connections import Connect, Connection


def translated(error: apsw.Error) -> sqlite3.Error:
    """The error that the standard library's driver would raise."""
    made: sqlite3.Error = sqlite3.OperationalError(str(error))
    if isinstance(error, apsw.ConstraintError):
        made = sqlite3.IntegrityError(str(error))
    made.sqlite_errorcode = getattr(error, "extendedresult", apsw.SQLITE_ERROR)
    made.sqlite_errorname = type(error).__name__
    return made


class Rows:
    """All rows of a statement that has run to its end."""

    def __init__(self, rows: list[Any]) -> None:
        self._rows = iter(rows)

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchall(self) -> list[Any]:
        return list(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return self._rows


class ApswConnection:
    """What the repository asks of a connection, over apsw."""

    def __init__(self, path: Path, vfs: str) -> None:
        try:
            self._raw = apsw.Connection(str(path), vfs=vfs)
        except apsw.Error as error:
            raise translated(error) from error
        self._raw.set_busy_timeout(BUSY_MILLISECONDS)

    @property
    def in_transaction(self) -> bool:
        return self._raw.in_transaction

    def execute(self, sql: str, parameters: Any = (), /) -> Rows:
        try:
            return Rows(self._raw.execute(sql, parameters or None).fetchall())
        except apsw.Error as error:
            raise translated(error) from error

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Rows:
        try:
            return Rows(self._raw.executemany(sql, parameters).fetchall())
        except apsw.Error as error:
            raise translated(error) from error

    def set_progress_handler(
        self, progress_handler: Callable[[], int | None] | None, n: int
    ) -> None:
        handler = None
        if progress_handler is not None:
            asked = progress_handler

            def handler() -> bool:
                return bool(asked())

        self._raw.set_progress_handler(handler, max(n, 1))

    def create_function(
        self,
        name: str,
        narg: int,
        func: Callable[..., Any] | None,
        *,
        deterministic: bool = False,
    ) -> None:
        self._raw.create_scalar_function(name, func, narg, deterministic=deterministic)

    def backup(
        self,
        target: "ApswConnection",
        *,
        pages: int,
        progress: Callable[[int, int, int], None],
    ) -> None:
        try:
            with target._raw.backup("main", self._raw, "main") as backup:
                while not backup.done:
                    backup.step(pages)
                    progress(0, backup.remaining, backup.page_count)
        except apsw.Error as error:
            raise translated(error) from error

    def interrupt(self) -> None:
        self._raw.interrupt()

    def close(self) -> None:
        try:
            self._raw.close()
        except apsw.Error as error:
            raise translated(error) from error


def connect_over(vfs: str) -> Connect:
    """Opens the repository's connections over a layer registered under this name."""

    def connect(path: Path) -> Connection:
        return ApswConnection(path, vfs)

    return connect
