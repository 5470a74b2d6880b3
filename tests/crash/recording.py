"""A layer below SQLite that writes down all that SQLite does to its files."""

import threading
from dataclasses import dataclass
from pathlib import Path

import apsw


@dataclass(frozen=True, slots=True)
class Written:
    """Bytes were written, and are on the disk once their file is synced."""

    file: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncated:
    """A file was cut off."""

    file: str
    size: int


@dataclass(frozen=True, slots=True)
class Deleted:
    """A file was removed."""

    file: str


@dataclass(frozen=True, slots=True)
class Synced:
    """What was done to a file before this is on the disk."""

    file: str


@dataclass(frozen=True, slots=True)
class Noted:
    """The workload begins something, or is told that it is durable."""

    begins: bool
    guid: str
    version: int
    """0 is the purge."""


Step = Written | Truncated | Deleted | Synced | Noted


class Recording:
    """Everything in the order in which it happened, from all threads."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._lock = threading.Lock()

    def add(self, step: Step) -> None:
        with self._lock:
            self.steps.append(step)


class _File(apsw.VFSFile):
    def __init__(self, recording: Recording, name: object, flags: list[int]) -> None:
        self._recording = recording
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._name = Path(str(path)).name
        super().__init__("", name, flags)  # type: ignore[arg-type]

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        super().xWrite(data, offset)
        self._recording.add(Written(self._name, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite's name
        super().xTruncate(newsize)
        self._recording.add(Truncated(self._name, newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        super().xSync(flags)
        self._recording.add(Synced(self._name))


class RecordingVFS(apsw.VFS):
    """The system's own files, with every change recorded."""

    def __init__(self, name: str, recording: Recording) -> None:
        self._recording = recording
        super().__init__(name, "")

    def xOpen(self, name: object, flags: list[int]) -> _File:  # noqa: N802
        return _File(self._recording, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        super().xDelete(filename, syncdir)
        self._recording.add(Deleted(Path(filename).name))
