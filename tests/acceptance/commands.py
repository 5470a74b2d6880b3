"""Runs the command line, and nodes for it to talk to."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from tests.conftest import ROOT

SERVER = "pi"
STOP_SECONDS = 30
COLUMNS = "200"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, which is one JSON value."""
        return json.loads(self.out)

    @property
    def words(self) -> list[list[str]]:
        """What it printed: the words of each line."""
        return [line.split() for line in self.out.splitlines()]


def environment(data: Path, listen: str) -> dict[str, str]:
    """The environment of a command, with nothing configured but this."""
    kept = {name: value for name, value in os.environ.items() if "EDGENODE" not in name}
    return kept | {
        "EDGENODE_DATA_DIRECTORY": str(data),
        "EDGENODE_COHORT_MODE": "none",
        "EDGENODE_LISTEN": listen,
        "EDGENODE_SERVER_NAME": SERVER,
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "COLUMNS": COLUMNS,
    }


UNIGNORED = ("/usr/bin/env", "--default-signal=INT")


def started(
    arguments: list[str],
    environ: Mapping[str, str],
    err: int = subprocess.PIPE,
    out: int = subprocess.PIPE,
) -> subprocess.Popen[bytes]:
    """A command in a process of its own; ``err`` is where its complaints go."""
    return subprocess.Popen(  # noqa: S603 - the project's own command
        # Whoever started the tests may ignore interrupts, which children inherit.
        [*UNIGNORED, sys.executable, "-m", "edgenode", *arguments],
        env=environ,
        stdout=out,
        stderr=err,
    )


def run(arguments: list[str], environ: Mapping[str, str]) -> Ended:
    """Run a command to its end, as a process."""
    with started(arguments, environ) as process:
        out, err = process.communicate()
    return Ended(process.returncode, out.decode(), err.decode())


@dataclass(frozen=True)
class RunningNode:
    """A node in a process of its own."""

    url: str
    data: Path
    process: subprocess.Popen[bytes]

    @property
    def environment(self) -> dict[str, str]:
        """The environment with which commands find it."""
        return environment(self.data, self.url.removeprefix("http://"))

    @property
    def store(self) -> Path:
        """The file of its server."""
        return self.data / "servers" / SERVER / "metadata.db"


@contextmanager
def running(data: Path, more: dict[str, str] | None = None) -> Iterator[RunningNode]:
    """Run a node until the end of the block; ``more`` configures what is otherwise not."""
    environ = environment(data, "127.0.0.1:0") | (more or {})
    with (
        TemporaryFile() as log,  # a pipe that nobody reads would fill up
        started(["run", "--json"], environ, log.fileno()) as process,
    ):
        try:
            text = until(process, b"}\n")
            if not text:
                log.seek(0)
                raise AssertionError(log.read().decode())
            yield RunningNode(json.loads(text)["url"], data, process)
        finally:
            process.terminate()
            process.communicate(timeout=STOP_SECONDS)


def until(process: subprocess.Popen[bytes], last: bytes) -> bytes:
    """What a process prints until this line; nothing where it ends before."""
    assert process.stdout is not None
    text = b""
    for line in process.stdout:
        text += line
        if line == last:
            return text
    return b""
