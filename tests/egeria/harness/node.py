"""A node with one server, run as a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.egeria.harness.errors import HarnessError
from tests.egeria.harness.member import Member
from tests.egeria.harness.ports import HOST, free_port

ROOT = Path(__file__).parents[3]
STOP_SECONDS = 60.0
CONFIGURATION = """\
[node]
data_directory = "{data}"
listen = "{host}:{port}"

[[server]]
name = "{name}"

"""
NO_COHORT = """\
[cohort]
mode = "none"

"""
KAFKA_COHORT = """\
[kafka_cohort]
name = "{cohort}"
brokers = {brokers}
transport = "{transport}"
listen = "{host}:{port}"
address = "{transport}://{host}:{port}"
admit = ["127.0.0.0/8"]
"""

NODE_COHORT = """\
[cohort]
mode = "open"
name = "{cohort}"
listen = "{host}:{port}"
bus_listen = "{host}:{bus_port}"
peers = {peers}
discovery = false

"""


def node_cohort(cohort: str, port: int, peers: Sequence[int]) -> str:
    """The part of a configuration that makes a node one of a cohort of nodes.

    Args:
        cohort: Its name.
        port: Where other nodes find this one.
        peers: Where they are found.
    """
    return NODE_COHORT.format(
        cohort=cohort,
        host=HOST,
        port=port,
        bus_port=free_port(),
        peers=json.dumps([f"{HOST}:{peer}" for peer in peers]),
    )


def kafka_cohort(cohort: str, brokers: str, transport: str = "http") -> str:
    """The part of a configuration that makes the node's server a member of a cohort."""
    return KAFKA_COHORT.format(
        cohort=cohort,
        brokers=json.dumps(brokers.split(",")),
        transport=transport,
        host=HOST,
        port=free_port(),
    )


class Node(Member):
    """A node that keeps its data in its directory, and its ports, from start to start.

    Attributes:
        name: Of its server.
    """

    def __init__(self, directory: Path, name: str, cohorts: Sequence[str]) -> None:
        """Nothing is started.

        Args:
            directory: Where everything of it is.
            name: Of its server.
            cohorts: Parts of its configuration that say which cohorts it is in.
        """
        self.name = name
        self._port = free_port()
        self._cohorts = "".join(cohorts)
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def root(self) -> str:
        """Its URL."""
        return f"http://{HOST}:{self._port}"

    @property
    def log(self) -> str:
        """What it has told in all its lives."""
        return self._log.read_text(errors="replace")

    @property
    def _log(self) -> Path:
        return self._directory / "log"

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            HarnessError: It doesn't start.
        """
        configuration = str(self._configured())
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                _command("run", "--config", configuration, "--json"),
                env=_environment(),
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl+C is for the starter, which stops it
            )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line == b"}\n":
                return
        raise HarnessError(f"the node doesn't start:\n{self.log}")

    def _configured(self) -> Path:
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / "edgenode.toml"
        path.write_text(
            CONFIGURATION.format(
                data=self._directory / "data",
                host=HOST,
                port=self._port,
                name=self.name,
            )
            + self._cohorts
        )
        return path

    def command(self, *arguments: str) -> str:
        """What a command about it prints.

        Raises:
            HarnessError: The command failed.
        """
        done = subprocess.run(  # noqa: S603
            _command(*arguments, "--url", self.root),
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise HarnessError(f"{arguments} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def stop(self) -> None:
        """Have it end in order; does nothing when it isn't running."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End it as a power cut would; does nothing when it isn't running."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "edgenode", *arguments]


def _environment() -> dict[str, str]:
    """With nothing configured but by the file."""
    kept = {name: value for name, value in os.environ.items() if "EDGENODE" not in name}
    return kept | {"PYTHONPATH": str(ROOT)}


@contextmanager
def running(node: Node) -> Iterator[Node]:
    """A node that runs until the end of the block."""
    try:
        node.start()
        yield node
    finally:
        node.stop()


@contextmanager
def kafka_node(directory: Path, name: str, cohort: str, brokers: str) -> Iterator[Node]:
    """A node in a cohort over Kafka, which runs until the end of the block."""
    made = Node(directory, name, [NO_COHORT, kafka_cohort(cohort, brokers)])
    with running(made):
        yield made
