"""Networks of hosts for tests, with real processes on them."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from bench.namespaces import Host, NamespacesError, Network
from tests.conftest import ROOT

PATIENCE = 20.0
"""Seconds until something that should happen is said to have failed."""


class Discoverer:
    """A process of discoverer.py on a host."""

    def __init__(self, host: Host, letter: str, *options: str) -> None:
        self.host = host
        self.node_id = letter * 32
        self.heard: list[dict[str, Any]] = []
        self.seen: dict[str, list[str]] = {}
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.process = host.popen(
            sys.executable,
            str(ROOT / "tests" / "network" / "discoverer.py"),
            self.node_id,
            *options,
            environment=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.wait_for(lambda line: "started" in line)

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
            if "seen" in line:
                self.seen[line["seen"]] = line["addresses"]
            if wanted(line):
                return line

    def sees(self, other: "Discoverer", *addresses: str) -> list[str]:
        """Wait until it knows another at these addresses; all addresses it knows."""
        node_id = other.node_id
        while node_id not in self.seen or not set(addresses) <= {*self.seen[node_id]}:
            self.wait_for(lambda line: line.get("seen") == other.node_id)
        return self.seen[other.node_id]

    def stop(self) -> dict[str, int]:
        """Have it stop properly; how many announcements of which kinds it passed over."""
        self.process.terminate()
        told = self.wait_for(lambda line: "stopped" in line)
        assert self.process.wait(PATIENCE) == 0
        return told

    def crash(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)

    def close(self) -> None:
        if self.process.poll() is None:
            self.crash()
        self._reader.join()


Start = Callable[..., Discoverer]


@pytest.fixture
def network() -> Iterator[Network]:
    """The hub of a network; the test is skipped where there can be none."""
    with ExitStack() as opened:
        try:
            entered = opened.enter_context(Network())
        except NamespacesError as error:
            pytest.skip(str(error))
        yield entered


@pytest.fixture
def start(network: Network) -> Iterator[Start]:
    """Starts discoverers on hosts."""
    started: list[Discoverer] = []

    def start_one(host: Host, letter: str, *options: str) -> Discoverer:
        started.append(Discoverer(host, letter, *options))
        return started[-1]

    yield start_one
    for discoverer in started:
        discoverer.close()
