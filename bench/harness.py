"""What the questions share: machine facts, a light HTTP client, figures, tables."""

import json
import multiprocessing
import os
import platform
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT = 600.0  # seconds; a slow answer is a figure, not an error
STALE_SECONDS = 5.0  # servers close connections that are idle for longer

Json = dict[str, Any]


class BenchError(Exception):
    """The measurement can't be made; the text says why and what would mend it."""


class RefusedError(BenchError):
    """A server answered a request with an error; the text is its message."""


# Facts


def facts() -> Json:
    """What a figure depends on: machine, Python, commit, date, load at this moment."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "python": platform.python_version(),
        "machine": {
            "system": platform.platform(),
            "architecture": platform.machine(),
            "processor": _first_value("/proc/cpuinfo", "model name"),
            "cores": os.cpu_count(),
            "memory": _first_value("/proc/meminfo", "MemTotal"),
            "load average": [round(load, 2) for load in os.getloadavg()],
        },
    }


def _commit() -> str:
    """The commit of the working tree, with a mark where the tree differs from it."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def _first_value(path: str, name: str) -> str:
    """The value of the first ``name: value`` line; "unknown" where there is none."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown"
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"


# Figures


@dataclass(frozen=True, slots=True)
class Figures:
    """Median and 99th percentile (nearest rank) of ``n`` times, in milliseconds."""

    n: int
    median: float
    p99: float

    @classmethod
    def of(cls, nanoseconds: Sequence[int]) -> "Figures":
        """The figures of at least one time."""
        ranked = sorted(nanoseconds)
        rank = -(-99 * len(ranked) // 100)  # rounded up
        return cls(
            n=len(ranked),
            median=round(statistics.median(ranked) / 1e6, 4),
            p99=round(ranked[rank - 1] / 1e6, 4),
        )

    def __str__(self) -> str:
        return f"{milliseconds(self.median)} / {milliseconds(self.p99)}"


def milliseconds(value: float) -> str:
    """Three significant digits are all that a time of this kind can bear."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


# HTTP


class Connection:
    """One keep-alive HTTP/1.1 connection to a server, for requests one after another.

    It does no more than a measurement needs, so that its own cost is small and the
    same for every server: while the clock runs it sends, receives into one buffer and
    recognises the end of the answer; chunks are joined after the clock has stopped.
    Where the server closes the connection (Tomcat does every 100 requests), or may
    have done so because nothing was sent for a while, the next one is opened outside
    the measured time.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise BenchError(f"{url}: an http:// address is needed")
        self._address = (parts.hostname, parts.port or 80)
        self._socket = self._connect()
        self._used = time.monotonic()

    def _connect(self) -> socket.socket:
        try:
            connected = socket.create_connection(self._address, TIMEOUT)
        except OSError as error:
            host, port = self._address
            message = f"nothing answers at http://{host}:{port}: {error}"
            raise BenchError(message) from error
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected

    def message(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """The request's bytes, to be made before the clock starts."""
        host, port = self._address
        head = f"{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\n"
        if body is None:
            return f"{head}\r\n".encode()
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    def exchange(self, message: bytes) -> tuple[int, bytes]:
        """Send a request; the nanoseconds to the answer's last byte, and its body.

        Raises:
            RefusedError: the answer is not HTTP 200.
            BenchError: the answer breaks off.
        """
        if time.monotonic() - self._used > STALE_SECONDS:
            self._open_anew()
        start = time.perf_counter_ns()
        self._socket.sendall(message)
        received, body_start = self._receive()
        elapsed = time.perf_counter_ns() - start
        self._used = time.monotonic()
        head = bytes(received[:body_start]).lower()
        body = bytes(received[body_start:])
        if b"\r\ntransfer-encoding: chunked" in head:
            body = _joined(body)
        if b"\r\nconnection: close" in head:
            self._open_anew()
        if head.split(b" ", 2)[1] != b"200":
            status = head.partition(b"\r\n")[0].decode()
            raise RefusedError(f"{status}: {body[:300].decode(errors='replace')}")
        return elapsed, body

    def _open_anew(self) -> None:
        self._socket.close()
        self._socket = self._connect()

    def _receive(self) -> tuple[bytearray, int]:
        received = bytearray()
        while (end := received.find(b"\r\n\r\n")) < 0:
            self._more(received)
        body_start = end + 4
        length = _content_length(received[:body_start])
        if length is None:  # chunked: JSON has no bare line ends, so this is the last
            while not received.endswith(b"\r\n0\r\n\r\n"):
                self._more(received)
        else:
            while len(received) < body_start + length:
                self._more(received)
        return received, body_start

    def _more(self, received: bytearray) -> None:
        piece = self._socket.recv(1 << 18)
        if not piece:
            raise BenchError("the server closed the connection within an answer")
        received += piece

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


def _content_length(head: bytearray) -> int | None:
    name = b"\r\ncontent-length:"
    at = head.lower().find(name)
    if at < 0:
        return None
    return int(head[at + len(name) : head.index(b"\r\n", at + 2)])


def _joined(chunked: bytes) -> bytes:
    parts: list[bytes] = []
    at = 0
    while True:
        end = chunked.index(b"\r\n", at)
        size = int(chunked[at:end], 16)
        if size == 0:
            return b"".join(parts)
        parts.append(chunked[end + 2 : end + 2 + size])
        at = end + 2 + size + 2


def call(url: str, method: str, path: str, body: Json | None = None) -> Json:
    """One request on its own connection, for what is not measured."""
    connection = Connection(url)
    try:
        data = None if body is None else json.dumps(body).encode()
        _, answer = connection.exchange(connection.message(method, path, data))
    finally:
        connection.close()
    decoded = json.loads(answer or b"{}")
    return decoded if isinstance(decoded, dict) else {}


def _answer_bytes(listener: socket.socket, size: int) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b" " * size
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while connection.recv(1 << 18):
        connection.sendall(answer)


def client_cost(sizes: Sequence[int] = (1_000, 1_000_000)) -> Json:
    """What client and loopback alone take, against a server that does nothing.

    Where the system places the two processes decides much of it, so each size is
    measured against several servers: the lowest and the highest of their medians.
    """
    cost = {}
    for size in sizes:
        medians = [Figures.of(_exchanges(size, 300)).median for _ in range(7)]
        cost[f"{size} bytes"] = {"lowest ms": min(medians), "highest ms": max(medians)}
    return cost


def _exchanges(size: int, count: int) -> list[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = multiprocessing.get_context("fork").Process(
            target=_answer_bytes, args=(listener, size), daemon=True
        )
        server.start()
        connection = Connection(f"http://127.0.0.1:{listener.getsockname()[1]}")
        message = connection.message("POST", "/", b" " * 500)
        times = [connection.exchange(message)[0] for _ in range(count)]
        connection.close()
        server.join()
    return times[count // 3 :]


# Servers


def answers(url: str, path: str = "/") -> bool:
    """Whether an HTTP server at ``url`` answers ``path`` with 200."""
    try:
        connection = Connection(url)
    except BenchError:
        return False
    try:
        connection.exchange(connection.message("GET", path))
    except (BenchError, OSError):
        return False
    finally:
        connection.close()
    return True


# Output


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table of text, as a report shows it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def text(self) -> str:
        """The table for a terminal: the first column left, the others right."""
        lines = (self.columns, *self.rows)
        widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
        shown = [
            "  ".join(
                cell.ljust(width) if at == 0 else cell.rjust(width)
                for at, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            for line in lines
        ]
        return "\n".join([self.title, "", shown[0], "-" * len(shown[0]), *shown[1:]])

    def markdown(self) -> str:
        """The table for a document."""
        align = "|".join(("---", *("---:" for _ in self.columns[1:])))
        lines = ["| " + " | ".join(_escaped(row)) + " |" for row in self.rows]
        head = "| " + " | ".join(_escaped(self.columns)) + " |"
        return "\n".join([f"### {self.title}", "", head, f"|{align}|", *lines])


def _escaped(cells: Sequence[str]) -> list[str]:
    return [cell.replace("|", "\\|") for cell in cells]


class Progress:
    """A progress bar on stderr; silent where stderr is no terminal but for the end."""

    def __init__(self, label: str, total: int) -> None:
        self._label = label
        self._total = total
        self._start = time.monotonic()
        self._shown = 0.0

    def at(self, done: int) -> None:
        """Show that ``done`` of the total are done."""
        now = time.monotonic()
        last = done >= self._total
        if not last and (not sys.stderr.isatty() or now - self._shown < 0.1):
            return
        self._shown = now
        filled = "#" * (30 * done // max(self._total, 1))
        line = f"{self._label:<46.46} [{filled:<30}] {done}/{self._total}"
        start = "\r" if sys.stderr.isatty() else ""
        end = f" {now - self._start:.1f} s\n" if last else ""
        print(f"{start}{line}{end}", end="", file=sys.stderr, flush=True)
