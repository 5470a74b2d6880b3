"""Backups that are made again and again beside a file: when, and how many stay.

A backup that was made here bears the time of the last change that it has as the time of
its own last change, so that it can be told, without reading either file, that nothing
happened since: a daily copy of a store that nobody changes would wear a card for nothing.
"""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edgenode.clock import EpochMillis
from edgenode.errors import EdgeNodeError
from edgenode.repository.backup import Backup, check, default_target, save_backup


class OldBackupStaysError(EdgeNodeError):
    """A backup was made, but one before it can't be removed."""

    def __init__(self, made: Path, old: Path, reason: str) -> None:
        super().__init__(made, old, reason)
        self.made = made
        self.old = old
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.made} is made, but {self.old} can't be removed: {self.reason}"


@dataclass(frozen=True, slots=True)
class BackupRules:
    """How backups follow one another.

    Attributes:
        keep: How many of a file stay, the new one among them; None for all.
        if_changed: Whether none is made where nothing has changed since the newest.
    """

    keep: int | None = None
    if_changed: bool = False


def save_among_backups(
    path: Path,
    now: EpochMillis,
    rules: BackupRules,
    progress: Callable[[int, int], None] | None = None,
) -> Backup:
    """Back a file up beside it, and remove what is too old.

    Returns:
        The new backup, or the newest one where nothing has changed since.

    Raises:
        FailedBackupError: There is no such file, no room, or the disk fails.
        UnusableBackupError: What was written doesn't pass the check; it is removed.
        OldBackupStaysError: The backup is made, but an old one can't be removed.
    """
    if rules.if_changed and (newest := _as_good_as_new(path)) is not None:
        return newest
    changed = _last_change(path)
    made = save_backup(path, default_target(path, now), progress)
    if changed is not None and _last_change(path) == changed:
        os.utime(made.path, ns=(changed, changed))
    if rules.keep is not None:
        # By the clock that made it the newest isn't always the last by name.
        old = [each for each in _backups(path) if each != made.path]
        for each in old[rules.keep - 1 :]:
            try:
                each.unlink()
            except OSError as error:
                reason = str(error.strerror or error)
                raise OldBackupStaysError(made.path, each, reason) from error
    return made


def _as_good_as_new(path: Path) -> Backup | None:
    """The newest backup, if it is sound and nothing has changed since."""
    for newest in _backups(path)[:1]:
        status = newest.stat()
        if status.st_mtime_ns == _last_change(path):
            with suppress(EdgeNodeError):
                return Backup(newest, status.st_size, check(newest), is_new=False)
    return None


def _last_change(path: Path) -> int | None:
    """When a file or its write-ahead log was changed last; None where it isn't there."""
    parts = (path, path.with_name(path.name + "-wal"))
    times = [part.stat() for part in parts if part.exists()]
    return max((each.st_mtime_ns for each in times if each.st_size), default=None)


def _backups(path: Path) -> list[Path]:
    """The backups of a file that were given no other place or name, newest first."""
    directory = default_target(path, 0).parent
    name = rf"{re.escape(path.stem)}-\d{{8}}T\d{{6}}Z{re.escape(path.suffix)}"
    if not directory.is_dir():
        return []
    found = (each for each in directory.iterdir() if re.fullmatch(name, each.name))
    return sorted(found, reverse=True)
