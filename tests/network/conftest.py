"""Networks of hosts for tests, with real processes on them."""

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from bench.namespaces import Host, NamespacesError, Network
from tests.conftest import ROOT

PATIENCE = 20.0
"""Seconds until something that should happen is said to have failed."""


class Program:
    """A script of this directory on a host, of which each line is a JSON object."""

    def __init__(self, host: Host, script: str, *arguments: str) -> None:
        self.heard: list[dict[str, Any]] = []
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.process = host.popen(
            sys.executable,
            str(ROOT / "tests" / "network" / script),
            *arguments,
            environment=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def wait_for(self, wanted: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The next line that is wanted; those before it count as heard."""
        deadline = time.monotonic() + PATIENCE
        while True:
            rest = max(deadline - time.monotonic(), 0)
            try:
                line: dict[str, Any] = json.loads(self._lines.get(timeout=rest))
            except queue.Empty:
                raise AssertionError(f"only this was heard: {self.heard}") from None
            self.heard.append(line)
            if wanted(line):
                return line

    def crash(self) -> None:
        """End it as a lack of power would."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def close(self) -> None:
        """End it, if it hasn't ended."""
        if self.process.poll() is None:
            self.crash()
        self._reader.join()


class Discoverer(Program):
    """A node that only looks for others."""

    def __init__(self, host: Host, letter: str, *options: str) -> None:
        self.node_id = letter * 32
        super().__init__(host, "discoverer.py", self.node_id, *options)

    @property
    def seen(self) -> dict[str, list[str]]:
        """The addresses of nodes as they were told last."""
        return {
            line["seen"]: line["addresses"] for line in self.heard if "seen" in line
        }

    def sees(self, other: "Discoverer", *addresses: str) -> list[str]:
        """Wait until it knows another at these addresses; all addresses it knows."""
        while (found := self.seen.get(other.node_id)) is None or (
            not set(addresses) <= set(found)
        ):
            self.wait_for(lambda line: line.get("seen") == other.node_id)
        return found

    def stop(self) -> dict[str, int]:
        """Have it stop properly; how many announcements of which kinds it passed over."""
        self.process.terminate()
        told = self.wait_for(lambda line: "stopped" in line)
        assert self.process.wait(PATIENCE) == 0
        return told


Start = Callable[..., Discoverer]
Run = Callable[..., Program]


@contextmanager
def entered_network() -> Iterator[Network]:
    """The hub of a network; the test is skipped where there can be none."""
    with ExitStack() as opened:
        try:
            entered = opened.enter_context(Network())
        except NamespacesError as error:
            pytest.skip(str(error))
        yield entered


@pytest.fixture
def network() -> Iterator[Network]:
    """The hub of a network; the test is skipped where there can be none."""
    with entered_network() as entered:
        yield entered


@pytest.fixture
def programs(network: Network) -> Iterator[ExitStack]:
    """Ends programs after the test."""
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def start(programs: ExitStack) -> Start:
    """Starts discoverers on hosts."""

    def start_one(host: Host, letter: str, *options: str) -> Discoverer:
        started = Discoverer(host, letter, *options)
        programs.callback(started.close)
        started.wait_for(lambda line: "started" in line)
        return started

    return start_one


@pytest.fixture
def run(programs: ExitStack) -> Run:
    """Starts scripts on hosts."""

    def run_one(host: Host, script: str, *arguments: str) -> Program:
        started = Program(host, script, *arguments)
        programs.callback(started.close)
        started.wait_for(lambda line: "started" in line)
        return started

    return run_one


@pytest.fixture
def run_avahi(tmp_path: Path) -> Callable[[Host], None]:
    """Starts avahi-daemon on a host, without D-Bus, and waits until it runs."""
    program = shutil.which("avahi-daemon", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if program is None:
        pytest.skip("avahi-daemon is not installed")
    configuration = tmp_path / "avahi.conf"
    configuration.write_text("[server]\nenable-dbus=no\nuse-ipv4=yes\nuse-ipv6=yes\n")
    command = f"{program} --no-rlimits --no-drop-root --no-chroot -f {configuration}"

    def run(host: Host) -> None:
        process = host.popen(*command.split(), stderr=subprocess.PIPE)
        assert process.stderr is not None
        lines = list(iter_until(process.stderr, b"startup complete"))
        assert b"startup complete" in lines[-1], lines

    return run


def iter_until(lines: Iterable[bytes], wanted: bytes) -> Iterator[bytes]:
    for line in lines:
        yield line
        if wanted in line:
            return
