"""Writes down all that SQLite and the repository do to the files below a directory.

SQLite is watched through a layer of its own below it, everything else at the calls of
the operating system. Files are told by number, because they are renamed.
"""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import pytest

SIDE_FILES = ("-wal", "-journal")


@dataclass(frozen=True, slots=True)
class Written:
    """Bytes were written, and are on the disk once their file is synced."""

    file: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncated:
    """A file was cut off."""

    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Linked:
    """A file was made; its name is on the disk once the directory is synced."""

    name: str
    file: int


@dataclass(frozen=True, slots=True)
class Renamed:
    """A file got another name in the same directory, perhaps in the place of another."""

    name: str
    target: str


@dataclass(frozen=True, slots=True)
class Unlinked:
    """A file was removed."""

    name: str


@dataclass(frozen=True, slots=True)
class Made:
    """A directory was made."""

    name: str


@dataclass(frozen=True, slots=True)
class Synced:
    """What was done to a file before a step is on the disk."""

    file: int
    before: int


@dataclass(frozen=True, slots=True)
class DirectorySynced:
    """What was done to the names in a directory before a step is on the disk."""

    name: str
    before: int


@dataclass(frozen=True, slots=True)
class Noted:
    """The workload begins something, or is told that it is done for good."""

    begins: bool
    subject: str
    version: int
    """0 is the purge."""


Content = Written | Truncated
Naming = Linked | Renamed | Unlinked | Made
Sync = Synced | DirectorySynced
Step = Content | Naming | Sync | Noted


class Recording:
    """Everything in the order in which it happened, from all threads.

    Attributes:
        steps: What happened.
        names: The files that are there now.
        start: The files that were there when the recording began, and what was in them.
        directories: The directories that were there then; "." is the one recorded.
    """

    def __init__(self, root: Path) -> None:
        self.steps: list[Step] = []
        self.names: dict[str, int] = {}
        self.start: dict[str, bytes] = {}
        self.directories = {"."}
        self._root = root
        self._lock = threading.RLock()
        for path in sorted(root.rglob("*")):
            name = str(path.relative_to(root))
            if path.is_dir():
                self.directories.add(name)
            elif not name.endswith("-shm"):
                self.names[name] = len(self.names)
                self.start[name] = path.read_bytes()
        self._files = len(self.names)

    def add(self, step: Step) -> None:
        with self._lock:
            self.steps.append(step)

    def name_of(self, path: object) -> str | None:
        """The name of an absolute path below the directory, None if it isn't there."""
        whole = Path(str(path))
        if not whole.is_relative_to(self._root):
            return None
        return str(whole.relative_to(self._root))

    def opened(self, name: str) -> int:
        """The number of a file, which is a new one if there was none of the name."""
        with self._lock:
            if name not in self.names:
                self.names[name] = self._files
                self.steps.append(Linked(name, self._files))
                self._files += 1
            return self.names[name]

    def unlinked(self, name: str) -> None:
        with self._lock:
            del self.names[name]
            self.steps.append(Unlinked(name))

    def renamed(self, name: str, target: str) -> None:
        with self._lock:
            self.names[target] = self.names.pop(name)
            self.steps.append(Renamed(name, target))

    @contextmanager
    def syncing(self, file: int | None = None, directory: str = "") -> Iterator[None]:
        """Only what happened before it began is on the disk when it ends."""
        before = len(self.steps)
        yield
        if file is None:
            self.add(DirectorySynced(directory, before))
        else:
            self.add(Synced(file, before))

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        """Record what is done without SQLite."""
        patch.setattr(os, "fsync", self._recorded_sync(os.fsync))
        patch.setattr(os, "mkdir", self._recorded_mkdir(os.mkdir))
        patch.setattr(os, "unlink", self._recorded_unlink(os.unlink))
        patch.setattr(os, "rename", self._recorded_rename(os.rename))
        patch.setattr(os, "replace", self._recorded_rename(os.replace))
        patch.setattr(shutil, "copyfile", self._recorded_copy(shutil.copyfile))

    def _recorded_sync(self, fsync: Callable[[int], None]) -> Callable[[int], None]:
        def recorded(handle: int) -> None:
            path = Path(f"/proc/self/fd/{handle}").readlink()
            name = self.name_of(path)
            if name is None:
                fsync(handle)
            elif path.is_dir():
                with self.syncing(directory=name):
                    fsync(handle)
            else:
                with self.syncing(self.opened(name)):
                    fsync(handle)

        return recorded

    def _recorded_mkdir(self, mkdir: Callable[..., None]) -> Callable[..., None]:
        def recorded(path: Any, *rest: Any, **named: Any) -> None:
            mkdir(path, *rest, **named)
            if (name := self.name_of(path)) is not None:
                self.add(Made(name))

        return recorded

    def _recorded_unlink(self, unlink: Callable[..., None]) -> Callable[..., None]:
        def recorded(path: Any, **named: Any) -> None:
            unlink(path, **named)
            if (name := self.name_of(path)) in self.names:
                self.unlinked(str(name))

        return recorded

    def _recorded_rename(self, rename: Callable[..., None]) -> Callable[..., None]:
        def recorded(path: Any, target: Any, **named: Any) -> None:
            rename(path, target, **named)
            if (name := self.name_of(path)) in self.names:
                self.renamed(str(name), str(self.name_of(target)))

        return recorded

    def _recorded_copy(self, copyfile: Callable[..., Any]) -> Callable[..., Any]:
        def recorded(source: Path, target: Path) -> None:
            copyfile(source, target)
            file = self.opened(str(self.name_of(target)))
            self.add(Truncated(file, 0))
            self.add(Written(file, 0, target.read_bytes()))

        return recorded


class _File(apsw.VFSFile):
    def __init__(self, recording: Recording, name: Any, flags: list[int]) -> None:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        super().__init__("", name, flags)
        self._recording = recording
        known = recording.name_of(path)
        assert known is not None, f"{path} is not recorded"
        self._name = known
        self._file = recording.opened(known)
        self._syncs_directory = known.endswith(SIDE_FILES)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        super().xWrite(data, offset)
        self._recording.add(Written(self._file, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite's name
        super().xTruncate(newsize)
        self._recording.add(Truncated(self._file, newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        with self._recording.syncing(self._file):
            super().xSync(flags)
        if self._syncs_directory:
            self._syncs_directory = False
            with self._recording.syncing(directory=str(Path(self._name).parent)):
                pass


class RecordingVFS(apsw.VFS):
    """The system's own files, with every change recorded."""

    def __init__(self, name: str, recording: Recording) -> None:
        self._recording = recording
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> _File:  # noqa: N802
        return _File(self._recording, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        name = str(self._recording.name_of(filename))
        super().xDelete(filename, syncdir)
        self._recording.unlinked(name)
        if syncdir:
            with self._recording.syncing(directory=str(Path(name).parent)):
                pass
