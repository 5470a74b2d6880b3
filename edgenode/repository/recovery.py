"""Opens a repository's file: checks it, sets it aside when it is damaged, migrates it."""

import logging
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from edgenode.clock import Clock
from edgenode.instances.status import InstanceStatus
from edgenode.limits import CHECK_SECONDS
from edgenode.repository.backup import (
    back_up,
    move_aside,
    newest_usable,
    sync,
)
from edgenode.repository.connections import (
    Connect,
    Connection,
    is_damage,
    primary_code,
    set_up_writer,
    store_error,
)
from edgenode.repository.migrations import migrate, newest_version, stored_version
from edgenode.repository.statements import load

logger = logging.getLogger(__name__)

_SQL = load("instances")
_STEPS_BETWEEN_LOOKS = 100_000


class FileCheck(Enum):
    """What came of looking through the file at the start."""

    NOT_NEEDED = "not needed"
    """It was closed properly."""
    PASSED = "passed"
    UNFINISHED = "unfinished"
    """No fault was found in the time there is for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenReport:
    """How a file was found and what was done to it.

    Attributes:
        path: The file.
        is_new: There was none, or what there was has been set aside.
        was_closed: The last process that used it closed it; otherwise it was killed or
            the power failed.
        check: What came of looking through it.
        migrated_from: The schema version it had, None if that was the newest.
        copy_before: Where it was copied before its schema was changed.
        set_aside: Where the damaged file is kept, None if there was no damage.
        damage: What is wrong with it.
        newest_backup: The backup to restore from in that case, None if there is none.
    """

    path: Path
    is_new: bool
    was_closed: bool
    check: FileCheck = FileCheck.NOT_NEEDED
    migrated_from: int | None = None
    copy_before: Path | None = None
    set_aside: Path | None = None
    damage: str | None = None
    newest_backup: Path | None = None


@dataclass(frozen=True, slots=True)
class ReadyFile:
    """A file that is ready for use, and what is in it."""

    report: OpenReport
    counts: Mapping[str, int]


class _DamagedError(Exception):
    """The file is no sound database, and was set aside."""

    def __init__(self, damage: str, aside: Path | None) -> None:
        super().__init__(damage, aside)
        self.damage = damage
        self.aside = aside


def make_ready(
    path: Path, connect: Connect, clock: Clock, repository: str
) -> ReadyFile:
    """Make a file fit for use; a damaged one is set aside for an empty one.

    The whole file is only looked through when it was not closed properly (its write-ahead
    log is still there), and then not for ever: what else could damage it is found when
    it is read.

    Raises:
        NewerStoreError: A newer edgenode has written it; it is left as it is.
        ForeignStoreError: It is another program's; it is left as it is.
        StoreUnavailableError: The disk refuses to read or write it.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        try:
            return _opened(path, connect, clock)
        except _DamagedError as error:
            found = error
        ready = _opened(path, connect, clock)
    except sqlite3.Error as error:
        raise store_error(error, "open", repository) from error
    backup = newest_usable(path)
    logger.error(
        "%s is damaged (%s) and was set aside as %s; %s",
        path,
        found.damage,
        found.aside,
        f"the newest backup is {backup}" if backup else "there is no backup",
    )
    report = replace(
        ready.report, set_aside=found.aside, damage=found.damage, newest_backup=backup
    )
    return ReadyFile(report, ready.counts)


def _opened(path: Path, connect: Connect, clock: Clock) -> ReadyFile:
    log = path.with_name(path.name + "-wal")
    was_closed = not log.exists() or log.stat().st_size == 0
    is_new = not path.exists() or path.stat().st_size == 0
    connection = connect(path)
    try:
        version = stored_version(connection, path)
        check = FileCheck.NOT_NEEDED
        if not was_closed and not is_new:
            check = _checked(connection, clock)
        copy = None
        if 0 < version < newest_version():
            copy = path.with_name(f"{path.name}.version-{version}")
            back_up(path, copy)
        set_up_writer(connection)
        migrate(connection, path)
        counts = _counts(connection)
    except sqlite3.Error as error:
        if is_damage(error):
            # Before the connection is closed, for that would do away with the log.
            aside = move_aside(path, "corrupt", clock.now())
            raise _DamagedError(str(error), aside) from error
        raise
    finally:
        connection.close()
    if is_new:
        path.chmod(0o600)
        sync(path.parent)
    report = OpenReport(
        path=path,
        is_new=is_new,
        was_closed=was_closed,
        check=check,
        migrated_from=None if copy is None else version,
        copy_before=copy,
    )
    return ReadyFile(report, counts)


def _checked(connection: Connection, clock: Clock) -> FileCheck:
    deadline = clock.monotonic() + CHECK_SECONDS
    connection.set_progress_handler(
        lambda: clock.monotonic() > deadline, _STEPS_BETWEEN_LOOKS
    )
    try:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        if primary_code(error) == sqlite3.SQLITE_INTERRUPT:
            return FileCheck.UNFINISHED
        raise
    finally:
        connection.set_progress_handler(None, 0)
    if found != "ok":
        damage = sqlite3.DatabaseError(str(found))
        damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damage
    return FileCheck.PASSED


def _counts(connection: Connection) -> dict[str, int]:
    rows = connection.execute(
        _SQL["counts"], {"deleted": InstanceStatus.DELETED.value}
    ).fetchall()
    return dict(rows)
