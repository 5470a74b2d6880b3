"""How a command ends: its exit codes, and the error that carries one."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from edgenode.errors import EdgeNodeError, is_disk_full


class ExitCode(IntEnum):
    """The exit codes of every command; the README's table says the same."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    CONFIGURATION = 3
    UNREACHABLE = 4
    UNWELL = 5
    ALREADY_RUNNING = 6
    INTERRUPTED = 130
    """What shells expect of a command that SIGINT ended."""


class CommandError(EdgeNodeError):
    """A command that can't do what was asked; ``mend`` says what would help."""

    def __init__(
        self,
        code: ExitCode,
        message: str,
        mend: str = "",
        answer: Mapping[str, Any] | None = None,
    ) -> None:
        """Take what to say, and the server's whole answer if it was one that refused."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.mend = mend
        self.answer = answer or {}


FREE_SPACE = "free space on the disk of the data directory"


def mend_of(error: OSError) -> str:
    """What helps a command that can't use a file of the node's."""
    if is_disk_full(error):
        return FREE_SPACE
    return "run it as the user who runs the node, on a disk that can be written"
