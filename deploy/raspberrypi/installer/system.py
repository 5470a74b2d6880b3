"""The file system that a version is written to."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OVERLAID = Path("/run/edgenode-card")
"""Is there where the image was started with an overlay: the card itself."""

_ROOT = "/"


@contextmanager
def writable_root() -> Iterator[None]:
    """Have a root that is read-only, as the image has it, take what is written meanwhile."""
    if not os.statvfs(_ROOT).f_flag & os.ST_RDONLY:
        yield
        return
    _remount("rw")
    try:
        yield
    finally:
        os.sync()
        _remount("ro")


def _remount(how: str) -> None:
    # Of this place alone: the same file system is written to in others all the time.
    # With a source named, nobody looks into fstab.
    command = ["mount", "-o", f"remount,bind,{how}", _ROOT, _ROOT]
    subprocess.run(command, check=True)
