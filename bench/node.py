"""This project's node as a process of its own, and what the system counts of it.

The system's figures are those of Linux: ``/proc/PID`` for the process, ``/sys`` for the
disk. ``write_bytes`` counts what the process makes the system write to the disk, in
whole blocks of 4096 bytes, each as often as it is synced; what a file system adds for
itself (its journal) is only in the disk's figures, with everybody else's writes.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.harness import ROOT, BenchError, Connection
from bench.target import Target, attach

SERVER = "bench"
LAUNCH = ("-m", "edgenode")
READY_SECONDS = 120.0
STOP_SECONDS = 60.0
DATA = ROOT / "bench" / "results" / "data"
"""Where data is kept by default: a working tree is on a disk, ``/tmp`` often isn't."""

NO_DISKS = frozenset({"tmpfs", "ramfs"})
SECTOR = 512  # bytes, whatever the disk's own are


@dataclass(frozen=True, slots=True)
class Io:
    """What a process has had written: to the disk, and given to the system; in bytes."""

    disk: int
    given: int

    def __sub__(self, other: "Io") -> "Io":
        return Io(self.disk - other.disk, self.given - other.given)


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of a process, and the part that no file backs; in bytes."""

    resident: int
    private: int


class Counted:
    """What the system counts of a process, as long as nobody took note of its end."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def io(self) -> Io:
        """What it has written since its start."""
        counted = self._status("io")
        return Io(int(counted["write_bytes"]), int(counted["wchar"]))

    def memory(self) -> Memory:
        """What it holds in memory now."""
        held = self._status("status")
        return Memory(
            int(held["VmRSS"].split()[0]) * 1024,
            int(held["RssAnon"].split()[0]) * 1024,
        )

    def cpu_seconds(self) -> float:
        """The processor's time that it has had since its start."""
        stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii")
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def _status(self, file: str) -> dict[str, str]:
        lines = Path(f"/proc/{self.pid}/{file}").read_text(encoding="ascii")
        pairs = (line.partition(":") for line in lines.splitlines())
        return {name: value.strip() for name, _, value in pairs}


class Node(Counted):
    """A node on a data directory, from its start to its end.

    Attributes:
        url: Where it listens.
        said_seconds: How long it took from the start until it said so.
    """

    def __init__(
        self,
        directory: Path,
        launch: Sequence[str] = LAUNCH,
        options: Sequence[str] = (),
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Start it.

        Args:
            directory: Its data directory, which is made where it isn't there.
            launch: What Python is to run, before the command line of ``edgenode``.
            options: Further options of ``edgenode run``.
            settings: Variables of its environment, instead of those of ``environment``.

        Raises:
            BenchError: It ended, or said nothing for too long.
        """
        self._command = [sys.executable, *launch, "run", "--json", *options]
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=environment(directory, settings or {}),
            stdout=subprocess.PIPE,
            text=True,
        )
        super().__init__(self._process.pid)
        try:
            self.url = self._said_url()
        except BaseException:
            self.kill()
            raise
        self.said_seconds = time.perf_counter() - self.started

    def _said_url(self) -> str:
        output = self._process.stdout
        assert output is not None  # it is a pipe  # noqa: S101
        impatience = _timer(READY_SECONDS, self._process)
        lines = []
        try:
            impatience.start()
            for line in output:
                lines.append(line)
                if line.rstrip() == "}":
                    break
        finally:
            impatience.cancel()
        try:
            url: str = json.loads("".join(lines))["url"]
        except ValueError as error:
            command = " ".join(self._command)
            raise BenchError(f"{command}: did not start; why is above") from error
        return url

    def target(self, label: str = "edgenode") -> Target:
        """The node as a server that is asked, with a connection of its own."""
        return attach(label, self.url, SERVER)

    def metric(self, name: str) -> float:
        """A figure of ``/metrics``, the sum over its labels."""
        connection = Connection(self.url)
        _, body = connection.exchange(connection.message("GET", "/metrics"))
        connection.close()
        lines = body.decode().splitlines()
        found = [line for line in lines if line.startswith((f"{name} ", f"{name}{{"))]
        if not found:
            raise BenchError(f"/metrics has no {name}")
        return sum(float(line.rpartition(" ")[2]) for line in found)

    # its end

    def stop(self) -> Io:
        """Have it end as a service manager does; all that it ever wrote.

        Raises:
            BenchError: It did not end, or not well.
        """
        process = self._process
        if process.poll() is not None:
            raise BenchError(f"the node had ended, with code {process.returncode}")
        process.send_signal(signal.SIGTERM)
        impatience = _timer(STOP_SECONDS, process)
        try:
            impatience.start()
            # The counters stay until its end is taken note of.
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        finally:
            impatience.cancel()
        written = self.io()
        self._end()
        if process.returncode:
            raise BenchError(f"the node ended with code {process.returncode}")
        return written

    def kill(self) -> None:
        """End it without giving it time for anything."""
        self._process.kill()
        self._end()

    def _end(self) -> None:
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> "Node":
        return self

    def __exit__(self, *error: object) -> None:
        if self._process.poll() is None:
            self.kill()
        else:
            self._end()


def _timer(seconds: float, process: "subprocess.Popen[str]") -> threading.Timer:
    """What kills a process after a while; no program waits for it at its end."""
    timer = threading.Timer(seconds, process.kill)
    timer.daemon = True
    return timer


def environment(directory: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a node on a data directory, and of commands about it."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("EDGENODE_")}
    return {
        **kept,
        "EDGENODE_LISTEN": "127.0.0.1:0",
        "EDGENODE_DATA_DIRECTORY": str(directory.resolve()),
        "EDGENODE_COHORT_MODE": "none",
        "EDGENODE_SERVER_NAME": SERVER,
        "EDGENODE_LOG_LEVEL": "warning",
        **settings,
    }


# Where data is kept


@contextmanager
def data_directory(parent: Path | None, *, may_be_memory: bool) -> Iterator[Path]:
    """A directory for data that is gone afterwards.

    Raises:
        BenchError: It would be in memory, and mustn't.
    """
    parent = parent or DATA
    parent.mkdir(parents=True, exist_ok=True)
    kind = file_system(parent)
    if kind in NO_DISKS and not may_be_memory:
        raise BenchError(f"{parent} is on {kind}: name a --directory on a disk")
    directory = Path(tempfile.mkdtemp(prefix="edgenode-", dir=parent))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


def file_system(path: Path) -> str:
    """The kind of file system that a directory is on."""
    path = path.resolve()
    kind, length = "unknown", -1
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, mounted, found, *_ = line.split()
        where = Path(mounted.replace("\\040", " "))
        if path.is_relative_to(where) and len(where.parts) >= length:
            kind, length = found, len(where.parts)
    return kind


def disk_written(path: Path) -> int | None:
    """Bytes that everybody has had written to the disk of a directory; None if unknown."""
    device = path.stat().st_dev
    numbers = f"{os.major(device)}:{os.minor(device)}"
    try:
        stat = Path(f"/sys/dev/block/{numbers}/stat").read_text(encoding="ascii")
    except OSError:
        return None
    return int(stat.split()[6]) * SECTOR


def stored_bytes(directory: Path) -> int:
    """The size of all files under a directory."""
    return sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())
