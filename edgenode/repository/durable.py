"""What has to be done so that files and directories outlast a failure of the power."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Wait until a file, or a directory's entries, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_directory(directory: Path) -> None:
    """Make a directory for us alone, and those above it, where they aren't there."""
    missing = [each for each in (directory, *directory.parents) if not each.exists()]
    for made in reversed(missing):  # one by one: the mode isn't for parents otherwise
        made.mkdir(mode=0o700, exist_ok=True)
        sync(made.parent)
    directory.mkdir(mode=0o700, exist_ok=True)  # complains where it is no directory
