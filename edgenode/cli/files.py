"""Files that commands read, and files they write: there whole, or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from edgenode.cli.outcome import CommandError, ExitCode


def opened(path: Path) -> BinaryIO:
    """A file to read.

    Raises:
        CommandError: It can't be read.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise CommandError(
            ExitCode.REFUSED,
            f"{path} can't be read ({error.strerror})",
            "name a file that is there and that you may read",
        ) from error


@contextmanager
def arriving(target: Path) -> Iterator[BinaryIO]:
    """A file to write, for its owner's eyes; it bears its name once it is on the disk.

    Raises:
        CommandError: It can't be written.
    """
    unfinished = target.with_name(f"{target.name}.part")
    try:
        unfinished.unlink(missing_ok=True)
        with open(unfinished, "wb", opener=_for_owner) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
        _sync_directory(target.parent)
    except OSError as error:
        raise CommandError(
            ExitCode.REFUSED,
            f"{target} can't be written ({error.strerror})",
            "name another file, or make room and let yourself write there",
        ) from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def _for_owner(path: str, flags: int) -> int:
    # Only a new file: in a shared directory somebody else's link may stand there.
    return os.open(path, flags | os.O_EXCL, 0o600)


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
