"""Copies of a repository's file, made while it is in use, and their way back.

A backup is one file without a write-ahead log, checked after it was written; it bears
its name only when it is complete and on the disk.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from errno import EIO
from pathlib import Path
from urllib.parse import quote

from edgenode.clock import EpochMillis
from edgenode.errors import EdgeNodeError
from edgenode.limits import LOW_DISK_BYTES
from edgenode.repository.connections import Connection, connect
from edgenode.repository.durable import make_directory, sync
from edgenode.repository.kafka_cohort import forget_server_id
from edgenode.repository.members import (
    awaits_others,
    forget_cohort,
    forget_members,
)
from edgenode.repository.migrations import stored_version
from edgenode.repository.outbox import end_life

SIDE_FILES = ("", "-wal", "-shm")
"""What belongs to a database beside the file itself."""

_ENDINGS = [suffix for suffix in SIDE_FILES if suffix]

_RESTORING = ".restoring-"

_PAGES_AT_A_TIME = 1_024

_FIRST_WITH_LIVES = 3
"""The schema version from which on a store has an incarnation; older ones get one."""

_FIRST_WITH_COHORT = 4
"""From which on it has the cohort of its members."""

_FIRST_WITH_KAFKA = 5
"""From which on it has the id by which topics know its server."""


class UnusableBackupError(EdgeNodeError):
    """A file can't be restored from."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path} is no usable backup: {self.reason}"


class UncleanStoreError(EdgeNodeError):
    """A node that used the file was killed, or lost its power."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"the node that used {self.path} didn't come to its end"


class FailedBackupError(EdgeNodeError):
    """A backup could not be made; nothing bears its name."""

    def __init__(self, target: Path, reason: str) -> None:
        super().__init__(target, reason)
        self.target = target
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.target} could not be written: {self.reason}"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was checked; ``is_new`` unless an earlier one does."""

    path: Path
    size: int
    schema_version: int
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did; ``set_aside`` is where the replaced file is kept."""

    path: Path
    set_aside: Path | None


def time_stamp(now: EpochMillis) -> str:
    """A time in UTC as file names have it: ``20261121T071503Z``."""
    return f"{datetime.fromtimestamp(now / 1000, UTC):%Y%m%dT%H%M%SZ}"


def default_target(path: Path, now: EpochMillis) -> Path:
    """Where a backup of a file goes if nobody says otherwise."""
    return path.parent / "backups" / f"{path.stem}-{time_stamp(now)}{path.suffix}"


def back_up(
    path: Path, target: Path, progress: Callable[[int, int], None] | None = None
) -> Backup:
    """Copy a repository's file as it is at this moment; it may be in use.

    Args:
        path: The file.
        target: The copy, replaced if it is there.
        progress: Told, from time to time, of the pages copied and of all.

    Raises:
        UnusableBackupError: What was written doesn't pass the check; it is removed.
        sqlite3.Error, OSError: Reading or writing failed; nothing bears the name.
    """
    make_directory(target.parent)
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    try:
        with closing(connect(path)) as source, closing(connect(partial)) as copy:
            # One snapshot for all steps; without it each change would start the copy anew.
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            source.backup(
                copy,
                pages=_PAGES_AT_A_TIME,
                progress=lambda _, left, total: (
                    progress(total - left, total) if progress else None
                ),
            )
            copy.execute("PRAGMA journal_mode = DELETE").fetchall()
            _end_life(copy, target)
        version = check(partial)
        os.chmod(partial, 0o600)  # noqa: PTH101 - as the file itself
        sync(partial)
        partial.replace(target)
        sync(target.parent)
    finally:
        partial.unlink(missing_ok=True)
    return Backup(target, target.stat().st_size, version)


def save_backup(
    path: Path, target: Path, progress: Callable[[int, int], None] | None = None
) -> Backup:
    """Back up for somebody who asks for it; sees to it that the disk keeps some room.

    Raises:
        FailedBackupError: There is no such file, no room, or the disk fails.
        UnusableBackupError: What was written doesn't pass the check; it is removed.
    """
    try:
        size = sum(
            part.stat().st_size
            for part in (path, path.with_name(path.name + "-wal"))
            if part is path or part.exists()
        )
        make_directory(target.parent)
        room = shutil.disk_usage(target.parent).free - LOW_DISK_BYTES
        if size > room:
            raise FailedBackupError(
                target, f"it takes {size} bytes, and there is room for {max(room, 0)}"
            )
        return back_up(path, target, progress)
    except OSError as error:
        raise FailedBackupError(target, str(error.strerror or error)) from error
    except sqlite3.Error as error:
        raise FailedBackupError(target, str(error)) from error


def check(path: Path) -> int:
    """Check a backup from the first page to the last.

    Returns:
        Its schema version.

    Raises:
        UnusableBackupError: It isn't sound, or not a repository.
        NewerStoreError: A newer edgenode has written it.
        ForeignStoreError: It is the database of some other program.
    """
    if not path.is_file():
        raise UnusableBackupError(path, "there is no such file")
    try:
        with _only_reading(path) as connection:
            version = stored_version(connection, path)
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise UnusableBackupError(path, str(error)) from error
    if version == 0:
        raise UnusableBackupError(path, "it is empty")
    if found != "ok":
        raise UnusableBackupError(path, str(found))
    return version


def newest_usable(path: Path) -> Path | None:
    """The newest backup of a file that passes the check."""
    candidates = (path.parent / "backups").glob(f"{path.stem}-*{path.suffix}")
    for candidate in sorted(candidates, reverse=True):
        try:
            check(candidate)
        except EdgeNodeError:
            continue
        return candidate
    return None


def restore(
    backup: Path, path: Path, now: EpochMillis, *, alone: bool = False
) -> Restored:
    """Put a backup in the place of a repository's file, which is kept aside.

    Whoever restores has the data directory for itself (``lock.locked``).

    Args:
        backup: The backup.
        path: The repository's file.
        now: The time.
        alone: Whether the members that the backup knows are forgotten, so that nobody
            is waited for who may hold newer states.

    Raises:
        UnusableBackupError: The backup isn't sound; nothing was changed.
        OSError: It can't be copied.
    """
    check(backup)
    make_directory(path.parent)
    if is_restoring(path):
        finish_restore(path)
    partial = path.with_name(path.name + ".partial")
    try:
        shutil.copyfile(backup, partial)
        _end_life_of(partial, alone=alone)
        os.chmod(partial, 0o600)  # noqa: PTH101 - as the file itself
        sync(partial)
        partial.replace(path.with_name(path.name + _RESTORING + time_stamp(now)))
    finally:
        partial.unlink(missing_ok=True)
    sync(path.parent)
    return finish_restore(path)


def go_on_alone(path: Path) -> bool:
    """Have a repository's file that was put back wait for nobody; nothing is restored.

    Whoever calls this has the data directory for itself.

    Returns:
        Whether it waited; if not, nothing was changed.

    Raises:
        UncleanStoreError: What a node left behind has to be looked through first.
        OSError: It can't be read or written.
    """
    if is_restoring(path):
        finish_restore(path)
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        # To close it here would do away with what recovery keeps of a damaged log.
        raise UncleanStoreError(path)
    try:
        with closing(connect(path)) as connection:
            if stored_version(connection, path) < _FIRST_WITH_LIVES:
                return False
            if not awaits_others(connection):
                return False
            forget_members(connection)
    except sqlite3.Error as error:
        raise OSError(EIO, str(error)) from error
    return True


def _end_life_of(path: Path, *, alone: bool = False) -> None:
    try:
        with closing(connect(path)) as copy:
            _end_life(copy, path)
            if alone and stored_version(copy, path) >= _FIRST_WITH_LIVES:
                forget_members(copy)
    except sqlite3.Error as error:
        raise OSError(EIO, str(error)) from error


def _end_life(connection: Connection, path: Path) -> None:
    """Let a copy know that it is one: who puts it back puts back an earlier state.

    What comes after that are other events by the numbers of those that the cohort knows.
    It may be put back on another machine, which has another id for the cohort.
    """
    version = stored_version(connection, path)
    if version >= _FIRST_WITH_LIVES:
        end_life(connection)
    if version >= _FIRST_WITH_COHORT:
        forget_cohort(connection)
    if version >= _FIRST_WITH_KAFKA:
        forget_server_id(connection)


def is_restoring(path: Path) -> bool:
    """Whether a restore of a file was cut short after the backup was there as a whole."""
    return bool(_waiting(path))


def finish_restore(path: Path) -> Restored:
    """Put what was restored in the place of a file; may be done again if cut short."""
    (restored,) = _waiting(path)
    # The time of the restore, so that file and log get one name even in two goes.
    stamp = restored.name.removeprefix(path.name + _RESTORING)
    set_aside = move_aside(path, f"replaced-{stamp}")
    sync(path.parent)  # the former log must be gone before the other file is there
    restored.replace(path)
    sync(path.parent)
    return Restored(path, set_aside)


def _waiting(path: Path) -> list[Path]:
    """Whole copies of backups before they take the file's place: one at most."""
    return list(path.parent.glob(f"{path.name}{_RESTORING}*"))


def move_aside(path: Path, label: str) -> Path | None:
    """Rename a file and what belongs to it, so that its name ends with a label.

    Returns:
        Its new name, or its log's where that is all there was; None if nothing was.
    """
    there = [end for end in SIDE_FILES if path.with_name(path.name + end).exists()]
    aside = _free_name(path, label, there)
    found: Path | None = None
    for suffix in there:
        part = path.with_name(path.name + suffix)
        renamed = part.rename(aside.with_name(aside.name + suffix))
        found = found or renamed
    return found


def copy_aside(path: Path, label: str) -> Path:
    """Copy a file to where it would be moved aside."""
    aside = _free_name(path, label, [""])
    shutil.copyfile(path, aside)
    os.chmod(aside, 0o600)  # noqa: PTH101 - as the file itself
    sync(aside)
    sync(aside.parent)
    return aside


def _free_name(path: Path, label: str, suffixes: list[str]) -> Path:
    aside = path.with_name(f"{path.name}.{label}")
    number = 1
    while any(aside.with_name(aside.name + suffix).exists() for suffix in suffixes):
        number += 1
        aside = path.with_name(f"{path.name}.{label}-{number}")
    return aside


def kept_aside(path: Path, why: str) -> list[Path]:
    """What was moved aside of a file and its log for a reason, the oldest first."""
    found = sorted(path.parent.glob(f"{path.name}*.{why}-*"))
    return [
        each
        for each in found
        if not any(each.name == f"{one.name}{end}" for one in found for end in _ENDINGS)
    ]


@contextmanager
def _only_reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that leaves no trace beside the file."""
    address = f"file:{quote(str(path))}?mode=ro&immutable=1"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        yield connection
