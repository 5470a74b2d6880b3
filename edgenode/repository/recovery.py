"""Opens a repository's file: checks it, sets it aside when it is damaged, migrates it."""

import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from edgenode.clock import Clock
from edgenode.codec.codec import Codec
from edgenode.limits import BRIEF_CHECK_SECONDS, CHECK_SECONDS, COUNTING_CACHE_KIB
from edgenode.repository.backup import (
    back_up,
    copy_aside,
    finish_restore,
    is_restoring,
    kept_aside,
    move_aside,
    newest_usable,
    time_stamp,
)
from edgenode.repository.connections import (
    Connect,
    Connection,
    connect_to_look,
    is_damage,
    is_full,
    primary_code,
    set_up_writer,
    store_error,
)
from edgenode.repository.durable import make_directory, sync
from edgenode.repository.migrations import migrate, newest_version, stored_version
from edgenode.repository.names import Names
from edgenode.repository.outbox import end_life
from edgenode.repository.statements import load
from edgenode.repository.wal import commits_behind, frames_read, is_garbage
from edgenode.typedefs.status import InstanceStatus

logger = logging.getLogger(__name__)

_SQL = load("instances")
_WHY = "corrupt"
"""What the names of damaged files say."""

_INTERRUPT_SECONDS = 0.01
"""How often a check whose time is up is told so: before it has begun it doesn't hear it."""


class FileCheck(Enum):
    """What came of looking through the file at the start."""

    NOT_NEEDED = "not needed"
    """It is new."""
    PASSED = "passed"
    UNFINISHED = "unfinished"
    """No fault was found in the time there is for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenReport:
    """How a file was found and what was done to it.

    Attributes:
        path: The file.
        is_new: There was none, or what there was has been set aside as a whole.
        was_closed: The last process that used it closed it; otherwise it was killed or
            the power failed.
        check: What came of looking through it.
        migrated_from: The schema version it had, None if that was the newest.
        copy_before: Where it was copied before its schema was changed.
        set_aside: Where the damaged file, or its log, is kept; None without damage.
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
    path: Path,
    connect: Connect,
    clock: Clock,
    repository: str,
    codec: Codec,
    first_read: Callable[[Connection], None],
) -> ReadyFile:
    """Make a file fit for use; a damaged one is set aside for an empty one.

    So is a write-ahead log that can't be read to its end, for what can be read.

    The file is looked through, but not for ever: briefly when it was closed properly,
    longer when it was not (its write-ahead log is still there), and to its end only when
    a sign of damage was met the last time. What else is damaged is found when it is read.

    Args:
        path: The file.
        connect: Opens connections.
        clock: Dates what is set aside.
        repository: The name that errors show.
        codec: Reads what is stored, where a migration must.
        first_read: Called with the file, up to date, for what must be read of it at once;
            and once more, with the other one, if that is damaged.

    Raises:
        NewerStoreError: A newer edgenode has written it; it is left as it is.
        ForeignStoreError: It is another program's; it is left as it is.
        StoreUnavailableError: The disk refuses to read or write it.
    """
    make_directory(path.parent)
    if is_restoring(path):
        finish_restore(path)
    try:
        try:
            return _opened(path, connect, clock, codec, first_read)
        except _DamagedError as error:
            found = error
        ready = _opened(path, connect, clock, codec, first_read)
    except sqlite3.Error as error:
        raise store_error(error, "open", repository) from error
    backup = newest_usable(path)
    logger.error(
        "%s is damaged (%s); what is damaged was set aside as %s; %s",
        path,
        found.damage,
        found.aside,
        f"the newest backup is {backup}" if backup else "there is no backup",
    )
    report = replace(
        ready.report, set_aside=found.aside, damage=found.damage, newest_backup=backup
    )
    return ReadyFile(report, ready.counts)


def damage_in(path: Path) -> str | None:
    """What is wrong with a file, in use or not; None if nothing is found in some seconds.

    Raises:
        StoreUnavailableError: It can't be read.
    """
    try:
        with closing(connect_to_look(path)) as connection:
            _checked(connection, CHECK_SECONDS)
    except sqlite3.Error as error:
        if is_damage(error):
            return str(error)
        raise store_error(error, "check", str(path)) from error
    return None


def set_aside(path: Path) -> list[Path]:
    """The damaged files and logs that were set aside and are still there."""
    return kept_aside(path, _WHY)


def is_suspect(path: Path) -> bool:
    """Whether signs of damage were met, so that the next start checks the whole file."""
    return _suspicion(path).exists()


def mark_suspect(path: Path) -> None:
    """Have the file looked through to its end when it is opened the next time."""
    with suppress(OSError):  # the disk may be the reason
        _suspicion(path).touch()


def _suspicion(path: Path) -> Path:
    return path.with_name(path.name + ".suspect")


def _put_back(path: Path) -> Path:
    """Is there until the file knows that it is back at an earlier state."""
    return path.with_name(path.name + ".put-back")


def _mark_put_back(path: Path) -> None:
    _put_back(path).touch()
    sync(path.parent)


def _log(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _opened(
    path: Path,
    connect: Connect,
    clock: Clock,
    codec: Codec,
    first_read: Callable[[Connection], None],
) -> ReadyFile:
    log = _log(path)
    was_closed = not log.exists() or log.stat().st_size == 0
    is_new = not path.exists()
    if not was_closed and is_garbage(log):
        _mark_put_back(path)
        raise _set_aside(log, "its write-ahead log is unreadable", clock)
    if is_new:
        if not was_closed:
            raise _set_aside(path, "only its write-ahead log is there", clock)
        _make(path, connect, codec)
    elif path.stat().st_size == 0:
        raise _set_aside(path, "it is empty", clock)
    connection = connect(path)
    try:
        version = stored_version(connection, path)
        check = FileCheck.NOT_NEEDED
        if not is_new:
            check = _checked(connection, _check_seconds(path, was_closed=was_closed))
        if not was_closed:
            _read_whole(connection, path, clock)
        copy = None
        if 0 < version < newest_version():
            copy = path.with_name(f"{path.name}.version-{version}")
            back_up(path, copy)
        _update(connection, path, codec)
        counts = _counts(connection)
        first_read(connection)
    except sqlite3.Error as error:
        if is_damage(error):
            # Before the connection is closed, for that would do away with the log.
            raise _set_aside(path, str(error), clock) from error
        raise
    finally:
        connection.close()
    _suspicion(path).unlink(missing_ok=True)
    _put_back(path).unlink(missing_ok=True)
    report = OpenReport(
        path=path,
        is_new=is_new,
        was_closed=was_closed,
        check=check,
        migrated_from=None if copy is None else version,
        copy_before=copy,
    )
    return ReadyFile(report, counts)


def _update(connection: Connection, path: Path, codec: Codec) -> None:
    """Bring the schema up to date, and let the file know if it was put back."""
    set_up_writer(connection)
    migrate(connection, path, codec)
    if _put_back(path).exists():
        end_life(connection)


def _read_whole(connection: Connection, path: Path, clock: Clock) -> None:
    """Make sure that a log could be read up to its end; what is left of it is kept aside.

    Behind its end there is one commit at most, which the power or a kill cut short and
    nobody was told of: the next one is only written when that is on the disk.
    """
    log = _log(path)
    try:
        _, frames, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    except sqlite3.Error as error:
        if not is_full(error):
            raise
        # It stays where it is, and is looked through all the same.
        frames = frames_read(path.with_name(path.name + "-shm"))
    lost = commits_behind(log, frames)
    if lost > 1:
        aside = copy_aside(log, _label(clock))
        _mark_put_back(path)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        raise _DamagedError(f"{lost} commits in its log are unreadable", aside)


def _make(path: Path, connect: Connect, codec: Codec) -> None:
    """Make the file; it bears its name only when it is whole and on the disk."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    connection = connect(new)
    try:
        set_up_writer(connection)
        migrate(connection, new, codec)
    finally:
        connection.close()
    new.chmod(0o600)
    sync(new)
    new.replace(path)
    sync(path.parent)


def _set_aside(path: Path, damage: str, clock: Clock) -> _DamagedError:
    return _DamagedError(damage, move_aside(path, _label(clock)))


def _label(clock: Clock) -> str:
    return f"{_WHY}-{time_stamp(clock.now())}"


def _check_seconds(path: Path, *, was_closed: bool) -> float | None:
    if is_suspect(path):
        return None
    return BRIEF_CHECK_SECONDS if was_closed else CHECK_SECONDS


def _checked(connection: Connection, seconds: float | None) -> FileCheck:
    with _stopped_after(connection, seconds) as is_over:
        try:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.Error as error:
            if primary_code(error) == sqlite3.SQLITE_INTERRUPT:
                return FileCheck.UNFINISHED
            raise
    if found != "ok":
        if is_over.is_set():  # what it found may be that it was stopped
            return FileCheck.UNFINISHED
        damage = sqlite3.DatabaseError(str(found).splitlines()[-1])
        damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damage
    return FileCheck.PASSED


@contextmanager
def _stopped_after(
    connection: Connection, seconds: float | None
) -> Iterator[threading.Event]:
    """Stop what runs on a connection when the time is up, and tell that it is.

    A progress handler would not do: the older SQLite walks through a tree without it.
    """
    is_done, is_over = threading.Event(), threading.Event()

    def watch() -> None:
        if not is_done.wait(seconds):
            is_over.set()
            while not is_done.wait(_INTERRUPT_SECONDS):
                connection.interrupt()

    thread = threading.Thread(target=watch, name="time of the check")
    thread.start()
    try:
        yield is_over
    finally:
        is_done.set()
        thread.join()


def _counts(connection: Connection) -> dict[str, int]:
    """How many instances there are by type, deleted ones apart."""
    # All rows are read once, so the pages needn't be kept.
    connection.execute(f"PRAGMA cache_size = {-COUNTING_CACHE_KIB}")
    rows = connection.execute(_SQL["counted"], (InstanceStatus.DELETED.value,))
    counts = Counter(type_id for (type_id,) in rows)
    names = Names()
    return {names.text_of(connection, key): count for key, count in counts.items()}
