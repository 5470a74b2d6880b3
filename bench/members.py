"""Nodes of a cohort as processes of their own, each on a machine of a local network.

A machine is a host in network namespaces (``bench.namespaces``), or this machine itself.
A node's REST API is on its machine's loopback, where nobody else gets; so a small program
there, the relay, passes on what comes in at a Unix socket, which is a file that all see.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar
from urllib.parse import quote

from bench.harness import ROOT, Json

USER = "somebody"
REST_PORT = 9443
ANSWER_SECONDS = 30.0
END_SECONDS = 15.0
POLL_SECONDS = 0.02

_RELAY = """
import socket, sys, threading

def pass_on(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

def serve(asker):
    with asker, socket.socket() as node:
        try:
            node.connect(("127.0.0.1", int(sys.argv[2])))
        except OSError:
            return
        back = threading.Thread(target=pass_on, args=(node, asker), daemon=True)
        back.start()
        pass_on(asker, node)
        back.join()

listening = socket.socket(socket.AF_UNIX)
listening.bind(sys.argv[1])
listening.listen(64)
print("listening", flush=True)
while True:
    asker, _ = listening.accept()
    threading.Thread(target=serve, args=(asker,), daemon=True).start()
"""

Found = TypeVar("Found")


class MemberError(Exception):
    """A node didn't do what it should; the text says what."""


class Machine(Protocol):
    """Where programs run."""

    def popen(
        self,
        *command: str,
        environment: Mapping[str, str] | None = None,
        stdin: int | None = subprocess.DEVNULL,
        stdout: int | IO[bytes] | None = None,
        stderr: int | IO[bytes] | None = None,
    ) -> "subprocess.Popen[bytes]":
        """Start a program."""
        ...


class ThisMachine:
    """The machine that this program runs on."""

    def popen(
        self,
        *command: str,
        environment: Mapping[str, str] | None = None,
        stdin: int | None = subprocess.DEVNULL,
        stdout: int | IO[bytes] | None = None,
        stderr: int | IO[bytes] | None = None,
    ) -> "subprocess.Popen[bytes]":
        """Start a program."""
        return subprocess.Popen(
            command,
            env=None if environment is None else dict(environment),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What a node answered.

    Attributes:
        status: HTTP's.
        headers: By name in lower case.
        text: The body.
    """

    status: int
    headers: Mapping[str, str]
    text: bytes

    @property
    def json(self) -> Json:
        """The body, which must be a good answer of the API.

        Raises:
            MemberError: It is an error.
        """
        told: Json = json.loads(self.text)
        if told.get("relatedHTTPCode", self.status) != 200:
            raise MemberError(str(told.get("exceptionErrorMessage", told))[:500])
        return told

    @property
    def missing(self) -> frozenset[str]:
        """The members without part in it, by the ids of their collections."""
        named = self.headers.get("edgenode-missing-members", "")
        return frozenset(filter(None, (each.strip() for each in named.split(","))))


class Calls:
    """A connection to a node's REST API; it isn't made anew after it broke."""

    def __init__(self, place: Path, server: str) -> None:
        self._connection = _UnixConnection(place)
        self._base = (
            f"/servers/{quote(server)}/open-metadata/repository-services/users/{USER}"
        )

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask anything.

        Raises:
            OSError: Nobody answers, or not to the end.
        """
        text = None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **(headers or {})}
        try:
            self._connection.request(method, path, text, sent)
            response = self._connection.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, told, response.read())
        except HTTPException as error:
            raise ConnectionError(f"{method} {path}: {error!r}") from error

    def repository(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask the repository services of the node's server."""
        return self.call(method, self._base + path, body, headers)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class MemberNode:
    """One node with one server: its data, its configuration, its process.

    Attributes:
        machine: Where it runs.
        name: The server's.
        directory: Of its data, configuration and log.
        process: The process that was started last.
        started: When that was, by the clock of ``time.perf_counter``.
    """

    process: "subprocess.Popen[bytes]"
    started: float

    def __init__(
        self,
        machine: Machine,
        directory: Path,
        name: str,
        *,
        port: int = REST_PORT,
        cohort: Mapping[str, object] | None = None,
        log_level: str = "info",
    ) -> None:
        """Write the configuration; nothing is started yet.

        Args:
            machine: Where it is to run.
            directory: A new one is made here.
            name: What the server is called.
            port: Of its REST API.
            cohort: Settings of the cohort; numbers, texts, truths and lists of texts.
            log_level: The least serious lines of its log.
        """
        self.machine = machine
        self.name = name
        self.directory = directory
        self._port = port
        self._relay: subprocess.Popen[bytes] | None = None
        self._collection_id = ""
        directory.mkdir(parents=True)
        lines = [
            "[node]",
            f'listen = "127.0.0.1:{port}"',
            f"data_directory = {json.dumps(str(self.data))}",
            'log_format = "json"',
            f'log_level = "{log_level}"',
            "[[server]]",
            f'name = "{name}"',
            "[cohort]",
            # What JSON writes of these is TOML, too.
            *(f"{key} = {json.dumps(value)}" for key, value in (cohort or {}).items()),
        ]
        self.configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")

    @property
    def data(self) -> Path:
        """Its data directory."""
        return self.directory / "data"

    @property
    def configuration(self) -> Path:
        """Its configuration file."""
        return self.directory / "edgenode.toml"

    @property
    def _socket(self) -> Path:
        return self.directory / "rest"

    # the process

    def command(self, *arguments: str) -> list[str]:
        """The project's command with this node's configuration.

        Args:
            arguments: The command and what belongs to it.
        """
        return [sys.executable, "-m", "edgenode", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        """With it, commands are about this node."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("EDGENODE_")}
        return kept | {
            "EDGENODE_CONFIG": str(self.configuration),
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "110",
        }

    def start(self, *wrapper: str) -> None:
        """Start the process; ``wrapper`` is a command that runs others."""
        with self._log_path.open("ab") as log:
            self.started = time.perf_counter()
            self.process = self.machine.popen(
                *wrapper,
                *self.command("run"),
                environment=self.environment,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        if self._relay is None:
            self._relay = self._relaying()

    def _relaying(self) -> "subprocess.Popen[bytes]":
        relay = self.machine.popen(
            *(sys.executable, "-S", "-E", "-c", _RELAY),
            *(str(self._socket), str(self._port)),
            stdout=subprocess.PIPE,
        )
        if relay.stdout is None or not relay.stdout.readline():
            raise MemberError(f"there is no way to {self.name}: its relay ended")
        return relay

    def run(self, *arguments: str) -> str:
        """Run a command of the project beside the node; what it printed.

        Raises:
            MemberError: It failed.
        """
        return self.said(*arguments)[0]

    def said(self, *arguments: str) -> tuple[str, str]:
        """The same, and what the command remarked on standard error.

        Raises:
            MemberError: It failed.
        """
        ran = self.machine.popen(
            *self.command(*arguments),
            environment=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        out, err = ran.communicate(timeout=ANSWER_SECONDS)
        if ran.returncode:
            said = (err + out).decode(errors="replace").strip()
            raise MemberError(f"edgenode {' '.join(arguments)}: {said}")
        return out.decode(), err.decode()

    def kill(self) -> None:
        """End it as a lack of power would."""
        self.process.kill()
        self.process.wait(END_SECONDS)

    def stop(self) -> int:
        """Have it end properly; its exit code."""
        self.process.terminate()
        return self.process.wait(END_SECONDS)

    def close(self) -> None:
        """End everything that was started for it, however it does."""
        for process in (getattr(self, "process", None), self._relay):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait(END_SECONDS)
        if self._relay is not None and self._relay.stdout is not None:
            self._relay.stdout.close()

    # what it says

    @property
    def _log_path(self) -> Path:
        return self.directory / "log"

    def log(self) -> list[Json]:
        """The lines of its log so far, each an object."""
        if not self._log_path.exists():
            return []
        lines = self._log_path.read_text(encoding="utf-8", errors="replace")
        return [_log_line(line) for line in lines.splitlines()]

    @contextmanager
    def calls(self) -> Iterator[Calls]:
        """A connection for several calls, until the end of the block."""
        with closing(Calls(self._socket, self.name)) as calls:
            yield calls

    def repository(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask the repository services, once."""
        with self.calls() as calls:
            return calls.repository(method, path, body, headers)

    def get(self, path: str) -> Answer:
        """Ask for something else, once."""
        with self.calls() as calls:
            return calls.call("GET", path)

    def is_up(self) -> bool:
        """Whether it answers.

        Raises:
            MemberError: Its process ended.
        """
        if self.process.poll() is not None:
            said = "\n".join(str(line) for line in self.log()[-20:])
            code = self.process.returncode
            raise MemberError(f"{self.name} ended with code {code}:\n{said}")
        try:
            return self.get("/health/live").status == 200
        except OSError:
            return False

    @property
    def collection_id(self) -> str:
        """The id of its server's metadata collection."""
        if not self._collection_id:
            told = self.repository("GET", "/metadata-collection-id").json
            self._collection_id = str(told["metadataCollectionId"])
        return self._collection_id

    def members(self, cohort: str) -> dict[str, Json]:
        """The other members that its server knows, by the ids of their collections."""
        told = self.get(
            f"/servers/{quote(self.name)}/open-metadata/repository-services"
            f"/users/{USER}/metadata-highway/cohorts/{quote(cohort)}/remote-members"
        ).json
        named = told.get("cohortMembers") or ()
        return {each["metadataCollectionId"]: each for each in named}

    def figure(self, name: str, **labels: str) -> float:
        """A figure of its measurements: the sum of those with these labels; 0 if none."""
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return sum(
            float(line.rpartition(" ")[2])
            for line in self.get("/metrics").text.decode().splitlines()
            if line.startswith((f"{name} ", f"{name}{{"))
            and all(label in line for label in wanted)
        )


def until(
    holds: Callable[[], Found], what: str, seconds: float, *, of: object = ""
) -> Found:
    """Ask again and again until something is so, and give what was found.

    Nobody answering counts as not yet.

    Args:
        holds: Gives something true once it is so.
        what: What is waited for.
        seconds: How long at most.
        of: Whatever belongs into the complaint.

    Raises:
        MemberError: It took too long.
    """
    deadline = time.monotonic() + seconds
    while True:
        last: object = None
        try:
            last = found = holds()
            if found:
                return found
        except OSError as error:
            last = error
        if time.monotonic() >= deadline:
            raise MemberError(f"not after {seconds:g} s: {what} {of} (last: {last!r})")
        time.sleep(POLL_SECONDS)


class _UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, place: Path) -> None:
        super().__init__("localhost", timeout=ANSWER_SECONDS)
        self._place = place

    def connect(self) -> None:
        """Connect to the socket instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._place))


def _log_line(line: str) -> Json:
    try:
        told: Any = json.loads(line)
    except ValueError:
        told = None
    return told if isinstance(told, dict) else {"message": line}
