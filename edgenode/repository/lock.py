"""One process to a data directory.

SQLite allows several, but each would have its own idea of what is indexed, queued and
counted.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edgenode.errors import EdgeNodeError
from edgenode.repository.durable import make_directory

LOCK_FILE = "edgenode.lock"


class DirectoryInUseError(EdgeNodeError):
    """Another process uses the data directory; ``process_id`` is None where unknown."""

    def __init__(self, directory: Path, process_id: int | None) -> None:
        super().__init__(directory, process_id)
        self.directory = directory
        self.process_id = process_id

    def __str__(self) -> str:
        holder = f"process {self.process_id}" if self.process_id else "another process"
        return (
            f"{self.directory} is in use by {holder}: stop it, "
            "or give this one a data directory of its own"
        )


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Keep a data directory, which is made if need be, for this process.

    The lock goes with the process, however that ends.

    Raises:
        DirectoryInUseError: Another process has it.
        OSError: The directory can't be made or written to.
    """
    make_directory(directory)
    handle = os.open(
        directory / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
    )
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            written = os.read(handle, 32).strip()
            holder = int(written) if written.isdigit() else None
            raise DirectoryInUseError(directory, holder) from None
        os.ftruncate(handle, 0)
        with suppress(OSError):  # on a full disk nobody is told which process it is
            os.write(handle, f"{os.getpid()}\n".encode())
        yield
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)
