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
        if path.exists() and not path.is_file():
            raise _refused(path, "is no file", "save it as a file first")
        return path.open("rb")
    except OSError as error:
        raise CommandError(
            ExitCode.REFUSED,
            f"{path} can't be read ({error.strerror})",
            "name a file that is there and that you may read",
        ) from error


def writable(target: Path) -> Path:
    """Where a file that somebody names is to be written: what a link points to.

    Raises:
        CommandError: Something is there that must not be replaced.
    """
    if target == Path("-"):
        raise _refused(target, "is no name of a file", "name a file, or write ./-")
    place = target.resolve()
    if place.exists() and not place.is_file():
        raise _refused(target, "is no file", "name a file, there already or not")
    own = [name for name in _NODES_OWN if (place.parent / name).exists()]
    if own:
        raise _refused(
            target,
            f"would stand beside the node's own {own[0]}",
            "name a file in another directory",
        )
    return place


_NODES_OWN = ("metadata.db", "edgenode.lock")
"""What tells a directory in which a node's files are replaced by nobody else."""


def _refused(path: Path, why: str, mend: str) -> CommandError:
    return CommandError(ExitCode.REFUSED, f"{path} {why}", mend)


@contextmanager
def arriving(name: Path) -> Iterator[BinaryIO]:
    """A file to write, for its owner's eyes; it bears its name once it is on the disk.

    Raises:
        CommandError: It can't be written.
    """
    target = writable(name)
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
