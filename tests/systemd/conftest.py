"""Machines with the service installed, from a bundle that is made once."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systemd.machine import Machine, Memory, machine, memory, missing
from tests.systemd.versions import make_bundle

INSTALL = "deploy/raspberrypi/install"
WATCHED = ("--watch", "3")


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that is installed, for this system's own Python."""
    if (reason := missing()) is not None:
        pytest.skip(reason)
    if not _has_venv():
        pytest.skip("the system's Python makes no environments (Debian's python3-venv)")
    directory = tmp_path_factory.mktemp("bundle") / "edgenode"
    make_bundle(directory, *_python())
    return directory


@pytest.fixture(scope="session")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    """Where machines are made."""
    if (reason := missing()) is not None:
        pytest.skip(reason)
    with memory(tmp_path_factory.mktemp("machines") / "memory") as held:
        yield held


@pytest.fixture(scope="session")
def installation(bundle: Path, machines: Memory) -> str:
    """What installing the node changes on a machine."""
    with machine(machines, keep=True) as running:
        running.does(str(bundle / INSTALL), *WATCHED)
        running.does("systemctl", "stop", "edgenode.service")
    return running.name


@pytest.fixture(scope="module")
def installed(installation: str, machines: Memory) -> Iterator[Machine]:
    """A machine on which the node was installed."""
    with machine(machines, below=installation) as running:
        running.does("systemctl", "start", "edgenode.service")
        yield running


def _has_venv() -> bool:
    """Whether the system's Python can make an environment."""
    found = subprocess.run(["/usr/bin/python3", "-c", "import ensurepip"], check=False)
    return found.returncode == 0


def _python() -> list[str]:
    """The system's Python may be another one than that of the tests."""
    shown = subprocess.run(
        ["/usr/bin/python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=True,
    )
    return ["--python", shown.stdout.strip()]
