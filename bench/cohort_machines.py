"""A cohort to be measured: nodes on machines of a virtual network, and who asks them."""

import os
import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.cohort_asking import Asker
from bench.harness import BenchError
from bench.members import REST_PORT, MemberError, MemberNode, until
from bench.namespaces import Host, Network
from bench.node import Counted, Io

COHORT = "bench"
PATIENCE_SECONDS = 60.0
URL = f"http://127.0.0.1:{REST_PORT}"


class Machine:
    """A machine with a node on it.

    Attributes:
        name: The node's server's.
        host: The machine in its network.
        node: The node.
    """

    def __init__(self, host: Host, node: MemberNode) -> None:
        self.name = node.name
        self.host = host
        self.node = node
        self._asker: Asker | None = None

    @property
    def counted(self) -> Counted:
        """What the system counts of the node's process."""
        return Counted(self.node.process.pid)

    @property
    def asker(self) -> Asker:
        """Who asks the node on its own machine; the node must be up the first time."""
        if self._asker is None:
            self._asker = Asker(self.host, URL, self.name)
        return self._asker

    def start(self) -> None:
        """Start the node, and wait until it answers."""
        self.node.start()
        until(self.node.is_up, f"{self.name} answers", PATIENCE_SECONDS)

    def stop(self) -> Io:
        """Have the node end properly; all that it has had written in this life."""
        process = self.node.process
        process.send_signal(signal.SIGTERM)
        # The counters stay until its end is taken note of.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        written = self.counted.io()
        if process.wait():
            raise BenchError(f"{self.name} ended with code {process.returncode}")
        return written

    def close(self) -> None:
        """End everything on it."""
        if self._asker is not None:
            self._asker.close()
        self.node.close()

    def network_bytes(self) -> int:
        """Bytes that the machine has sent, frames' heads included."""
        for line in self.host.run("cat", "/proc/net/dev").splitlines():
            name, _, figures = line.partition(":")
            if name.strip() == "eth0":
                return int(figures.split()[8])
        raise BenchError(f"{self.name} has no network")


class Rig:
    """A local network, and machines on it; to be entered with ``with``."""

    def __init__(self, directory: Path) -> None:
        """Make nothing yet; data will be below ``directory``."""
        self._directory = directory
        self._closing = ExitStack()
        self._token = ""
        self._machines = 0

    def __enter__(self) -> Self:
        self.network = self._closing.enter_context(Network())
        self.lan = self.network.lan()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.close()

    def machine(self, name: str, *, joins: bool = True, **settings: object) -> Machine:
        """A machine with a node that isn't started yet.

        Args:
            name: Of the node's server.
            joins: Whether it is in the cohort already.
            settings: Of the cohort, where they aren't the defaults.
        """
        host = self.network.host(self.lan)
        node = MemberNode(
            host,
            self._directory / f"{self._machines}",
            name,
            cohort=settings,
            log_level="warning",
        )
        self._machines += 1
        machine = Machine(host, node)
        self._closing.callback(machine.close)
        if joins:
            self.join(machine)
        return machine

    def join(self, machine: Machine) -> None:
        """Let a node be in the cohort, which the first one makes."""
        if self._token:
            machine.node.run("cohort", "join", self._token)
        else:
            machine.node.run("cohort", "create", COHORT)
            self._token = machine.node.run("cohort", "token").strip()


def together(machines: Sequence[Machine]) -> None:
    """Start nodes, and wait until all know all.

    Raises:
        MemberError: They don't find each other.
    """
    for machine in machines:
        machine.node.start()
    for machine in machines:
        until(machine.node.is_up, f"{machine.name} answers", PATIENCE_SECONDS)
    for machine in machines:
        until(
            lambda machine=machine: _knows(machine, len(machines) - 1),  # type: ignore[misc]
            f"{machine.name} knows the others",
            PATIENCE_SECONDS,
        )


def _knows(machine: Machine, count: int) -> bool:
    """Whether a node knows so many others, and is connected to them."""
    try:
        return len(machine.node.members(COHORT)) >= count
    except MemberError:
        return False


def quiet(machines: Sequence[Machine]) -> None:
    """Wait until nobody has anything more to take in."""
    for machine in machines:
        until(
            lambda machine=machine: machine.node.figure("edgenode_cohort_lag") == 0,  # type: ignore[misc]
            f"{machine.name} is up to date",
            PATIENCE_SECONDS,
        )


def pause(machine: Machine, seconds: float) -> None:
    """Keep a node's process from running for a while."""
    os.kill(machine.counted.pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(machine.counted.pid, signal.SIGCONT)
