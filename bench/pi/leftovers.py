"""Ends what an interruption has left running.

It may come at any moment, even between the start of a process and the line that takes
note of it. So processes are looked for in the system's own list.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path


def end(directory: Path) -> None:
    """End the processes that this one has started on data below a directory."""
    for process in list(started(directory)):
        try:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
        except (ProcessLookupError, ChildProcessError):
            continue  # it has ended, and somebody took note of that


def started(directory: Path) -> Iterator[int]:
    """The ids of the processes that this one has started on data below a directory."""
    place = os.fsencode(directory.resolve())
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(
                status.read_text(errors="replace").rpartition(")")[2].split()[1]
            )
            if parent != os.getpid():
                continue
            environment = (status.parent / "environ").read_bytes()
        except OSError:
            continue  # it has ended, or is somebody else's
        if b"EDGENODE_DATA_DIRECTORY=" + place in environment:
            yield int(status.parent.name)
