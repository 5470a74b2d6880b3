"""Small files for this user's eyes, there whole or not at all, also after a power loss."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Owner:
    """A user and a group of the system, by their numbers."""

    user_id: int
    group_id: int


def make_private_directory(directory: Path) -> None:
    """Make a directory, and those above it, which nobody else may look into."""
    missing = [each for each in directory.parents if not each.exists()]
    for each in (*reversed(missing), directory):  # the mode isn't for parents otherwise
        each.mkdir(mode=0o700, exist_ok=True)


def write_private(
    path: Path,
    content: bytes,
    *,
    owner: Owner | None = None,
    mode: int | None = None,
) -> None:
    """Write a file, or replace it as a whole.

    Args:
        path: The file.
        content: What stands in it then.
        owner: Whose it is; None for whoever runs this.
        mode: Who may read and write it; None for its owner alone, also where files have no
            modes.

    Raises:
        OSError: It can't be written; what was there before is there still.
    """
    unfinished = path.with_name(f"{path.name}.part")
    try:
        unfinished.unlink(missing_ok=True)
        with open(unfinished, "xb", opener=_for_owner) as file:
            file.write(content)
            file.flush()
            # Not by its name, which whoever owns the directory can make a link's.
            if owner is not None:
                os.fchown(file.fileno(), owner.user_id, owner.group_id)
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def read_bounded(path: Path, limit: int) -> bytes | None:
    """The content of a file; None where there is none.

    Raises:
        OSError: It can't be read, or is larger than that.
    """
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except FileNotFoundError:
        return None
    if len(content) > limit:
        raise OSError(f"{path} is larger than {limit} bytes")
    return content


def wipe(path: Path) -> None:
    """Overwrite a file and remove it.

    A disk that writes elsewhere each time, as SD cards do, may still have the old
    content somewhere; what could be done was done.

    Raises:
        OSError: It can't be overwritten or removed.
    """
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Wait until a directory's entries are on the disk."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
