"""Brings a file's schema up to date, one numbered step after the other.

``schema/NNN_name.sql`` leads from version NNN-1 to NNN, which the file carries as its
``user_version``. What SQL can't do for a step, Python does behind its script, in the same
transaction. A file of a newer edgenode is refused: what it holds can't be known.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path

from edgenode.codec.codec import Codec
from edgenode.errors import EdgeNodeError
from edgenode.repository import digests
from edgenode.repository.connections import Connection

APPLICATION_ID = 0x4F4D5253
"""What the file's header says it is: ``OMRS`` in ASCII."""


_COMPLETED: Mapping[int, Callable[[Connection, Codec], None]] = {3: digests.fill}
"""What Python does for a step."""


class NewerStoreError(EdgeNodeError):
    """A newer edgenode has written the file."""

    def __init__(self, path: Path, found: int, known: int) -> None:
        super().__init__(path, found, known)
        self.path = path
        self.found = found
        self.known = known

    def __str__(self) -> str:
        return (
            f"{self.path} has schema version {self.found}, and this edgenode knows "
            f"{self.known} at most: install the newer edgenode that wrote it, "
            "or restore a backup from before it"
        )


class ForeignStoreError(EdgeNodeError):
    """The file is a database of some other program."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"{self.path} is no repository of edgenode: name another file"


def steps() -> dict[int, str]:
    """The SQL that leads to each version, in order."""
    folder = files("edgenode.repository").joinpath("schema")
    found = sorted((file.name, file) for file in folder.iterdir())
    return {
        int(name[:3]): file.read_text() for name, file in found if name.endswith(".sql")
    }


def newest_version() -> int:
    """The version that this edgenode writes."""
    return max(steps())


def stored_version(connection: Connection, path: Path) -> int:
    """The file's version, 0 when it is new.

    Raises:
        NewerStoreError: The file's version isn't known yet.
        ForeignStoreError: The file is something else.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if owner != APPLICATION_ID and (owner or version or tables):
        raise ForeignStoreError(path)
    if version > newest_version():
        raise NewerStoreError(path, version, newest_version())
    return version


def migrate(connection: Connection, path: Path, codec: Codec) -> None:
    """Bring the schema up to date; each step happens as a whole or not at all.

    Args:
        connection: The writer's.
        path: The file, for errors.
        codec: Reads the documents that are stored.
    """
    version = stored_version(connection, path)
    for number, script in steps().items():
        if number <= version:
            continue
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in _statements(script):
                connection.execute(statement)
            if number in _COMPLETED:
                _COMPLETED[number](connection, codec)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
