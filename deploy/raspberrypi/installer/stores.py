"""What a newer version does to the stores, and how that is undone for an older one.

A newer edgenode copies a store before it changes its schema, as ``metadata.db.version-N``
beside it. An older one doesn't read what the newer one has changed; so whoever goes back to
it needs the copy in the store's place. That is right only as long as nothing was stored since.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

_STORE = "metadata.db"
_MARKS = (
    "SELECT max(seq), count(*) FROM version",
    "SELECT count(*) FROM instance",
    "SELECT count(*) FROM type_definition",
)
"""What no change leaves as it was: each stores or purges a state, or a type."""


class ChangedSinceError(Exception):
    """A store has changes that an older version can't read."""


def bring_back(state: Path, schema: int) -> None:
    """See to it that a version can read all stores of a node that doesn't run.

    What is replaced is kept beside it, as ``metadata.db.version-N``. A power cut leaves each
    store in its place, as it was or as it is to be.

    Args:
        state: The node's data.
        schema: The newest schema that the version knows.

    Raises:
        ChangedSinceError: Something would be lost; nothing was changed.
    """
    newer = tuple(_newer(state, schema))
    for path, copy, _ in newer:
        if not copy.is_file():
            raise ChangedSinceError(
                f"{path} was made, or changed twice, by newer versions"
            )
        if _marks(copy) != _marks(path):
            raise ChangedSinceError(
                f"{path} has changes that were stored since its schema was changed"
            )
    for path, copy, version in newer:
        for suffix in ("-wal", "-shm"):  # which the look at it has emptied
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        kept = path.with_name(f"{path.name}.version-{version}")
        kept.unlink(missing_ok=True)
        os.link(path, kept)
        copy.replace(path)  # in one step: a node that finds no store makes an empty one


def _newer(state: Path, schema: int) -> Iterator[tuple[Path, Path, int]]:
    """Stores that a version can't read, the copies that it can, and their schemas."""
    for path in sorted((state / "servers").glob(f"*/{_STORE}")):
        version = _version(path)
        if version > schema:
            yield path, path.with_name(f"{path.name}.version-{schema}"), version


def _version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _marks(path: Path) -> list[object]:
    # Not read-only: what a kill has left in the write-ahead log is a part of the store,
    # and goes into the file when it is closed.
    with closing(sqlite3.connect(path)) as connection:
        return [connection.execute(each).fetchone() for each in _MARKS]
