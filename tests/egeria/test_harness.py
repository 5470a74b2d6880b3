"""The harness runs the genuine programs, and leaves none of them behind."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.egeria.conformance.lab import Counts, Lab
from tests.egeria.conformance.report import REPOSITORY_WORKBENCH, results_of
from tests.egeria.harness.broker import Broker
from tests.egeria.harness.errors import HarnessError
from tests.egeria.harness.platform import Platform
from tests.egeria.harness.server import (
    conformance_server,
    metadata_server,
    repository_workbench,
    started,
)
from tests.egeria.metadata import fresh_name

COHORT = "harness"
END_SECONDS = 60.0
STARTER = """
import sys
from pathlib import Path
from tests.egeria.harness.broker import Broker

broker = Broker(Path(sys.argv[1]))
broker.start()
print(broker._process.pid, flush=True)
sys.stdin.read()
"""


def test_two_genuine_servers_find_each_other(kafka: Broker, egeria: Platform) -> None:
    first = metadata_server(egeria, "first", COHORT, kafka.address)
    second = metadata_server(egeria, "second", COHORT, kafka.address)
    first.start()
    second.start()
    _wait_until(lambda: set(first.cohort_members(COHORT)) == {"second"})
    _wait_until(lambda: set(second.cohort_members(COHORT)) == {"first"})
    assert first.omrs("GET", "enterprise/types/all")["typeDefs"]
    first.stop()
    second.stop()


def _wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + END_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_killed_broker_starts_again_elsewhere(genuine: None, tmp_path: Path) -> None:
    first = Broker(tmp_path)
    moved = Broker(tmp_path)
    assert moved.port != first.port
    try:
        first.start()
        first.kill()
        moved.start()
        assert (first.running, moved.running) == (False, True)
    finally:
        moved.stop()
    assert not moved.running


def test_what_a_killed_starter_started_ends(genuine: None, tmp_path: Path) -> None:
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", STARTER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        starter.kill()
    _wait_until(lambda: not Path(f"/proc/{pid}").exists())


def test_the_types_archive_has_every_type(egeria: Platform) -> None:
    archive = egeria.types_archive()
    assert archive["archiveTypeStore"]["newTypeDefs"]


def test_a_port_in_use_is_told(genuine: None, tmp_path: Path) -> None:
    with socket.socket() as used:
        used.bind(("127.0.0.1", 0))
        used.listen()
        port = used.getsockname()[1]
        for taken in (Broker(tmp_path, port), Platform(tmp_path, port)):
            with pytest.raises(HarnessError, match=f"port {port} of .* is in use"):
                taken.start()


def test_the_suite_is_asked_seldom_how_far_it_is(
    kafka: Broker, egeria: Platform
) -> None:
    suite = conformance_server(
        egeria, fresh_name("suite"), fresh_name("cohort"), kafka.address
    )
    path = "conformance-suite-workbenches/repository-workbench/repositories"
    suite.admin("POST", path, repository_workbench("nobody"))
    lab = Lab(egeria, suite.name, REPOSITORY_WORKBENCH)
    assert not lab.is_complete()
    assert lab.counts(now=True) is None, "it isn't running"
    with started(suite):
        assert not lab.is_complete(), "nobody has registered"
        assert lab.counts(now=True) == Counts(0, 0)
        assert lab.counts(now=False) is None
        report = lab.report()
        assert results_of(report, {}).cases == 0
        assert report["profileResults"]
