"""A layer below SQLite that fails when it is told to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

RESULTS: dict[tuple[type[apsw.Error], str], int] = {
    (apsw.FullError, "grow"): apsw.SQLITE_FULL,
    (apsw.FullError, "write"): apsw.SQLITE_FULL,
    (apsw.FullError, "sync"): apsw.SQLITE_FULL,
    (apsw.ReadOnlyError, "write"): apsw.SQLITE_READONLY,
    (apsw.CantOpenError, "open"): apsw.SQLITE_CANTOPEN,
    (apsw.IOError, "read"): apsw.SQLITE_IOERR_READ,
    (apsw.IOError, "write"): apsw.SQLITE_IOERR_WRITE,
    (apsw.IOError, "sync"): apsw.SQLITE_IOERR_FSYNC,
}


@dataclass(slots=True)
class Fault:
    """What fails: an operation on files with an ending.

    Operations are ``write``, ``grow`` (to write behind the end), ``sync``, ``read`` and
    ``open``.
    """

    operation: str = ""
    ending: str = ""
    error: type[apsw.Error] = apsw.IOError
    hits: int = 0

    def begins(
        self, operation: str, error: type[apsw.Error] = apsw.IOError, ending: str = ""
    ) -> None:
        """Let something fail from now on."""
        self.operation, self.error, self.ending = operation, error, ending
        self.hits = 0

    def passes(self) -> None:
        """Nothing fails any more."""
        self.operation = ""

    def hit(self, operation: str, name: str) -> None:
        """Fail if this is what fails."""
        if operation == self.operation and name.endswith(self.ending):
            self.hits += 1
            error = self.error(f"{operation} of {name} fails")
            # The layer above asks the exception for SQLite's own code.
            vars(error)["extendedresult"] = RESULTS[self.error, operation]
            raise error


class _File(apsw.VFSFile):
    def __init__(self, fault: Fault, name: Any, flags: list[int]) -> None:
        self._fault = fault
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._name = Path(str(path)).name
        fault.hit("open", self._name)
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        self._fault.hit("write", self._name)
        if offset + len(data) > super().xFileSize():
            self._fault.hit("grow", self._name)
        super().xWrite(data, offset)

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 - SQLite's name
        self._fault.hit("read", self._name)
        return super().xRead(amount, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        self._fault.hit("sync", self._name)
        super().xSync(flags)


class FaultyVFS(apsw.VFS):
    """The system's own files, which fail as the fault says."""

    def __init__(self, name: str, fault: Fault) -> None:
        self._fault = fault
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> _File:  # noqa: N802
        return _File(self._fault, name, flags)
