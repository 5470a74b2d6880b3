"""What every test is held to, and what tests share.

No test blocks the event loop, leaves a task or a thread behind, or opens a socket off
the loopback interface. These guards apply by themselves; no test names them.
"""

import asyncio
import ipaddress
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx
from hypothesis import settings

# How fast a machine is says nothing of what is tested; speed is measured in bench/.
settings.register_profile("edgenode", deadline=None)
settings.load_profile("edgenode")

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"

# How long a thread or a task that is already ending may take to end, on a machine that does
# other things, too. Nothing waits where none is left.
END_SECONDS = 5.0

LOCAL_NAMES = {"", "localhost", "localhost.localdomain", "ip6-localhost"}
SOCKET_EVENTS = {
    "socket.bind",
    "socket.connect",
    "socket.sendto",
    "socket.sendmsg",
    "socket.getaddrinfo",
    "socket.gethostbyname",
}

_off_loopback: list[str] = []


def is_local(address: object) -> bool:
    """Whether a socket address or host stays on this machine's loopback."""
    if isinstance(address, tuple):
        address = address[0]
    if isinstance(address, bytes):
        address = os.fsdecode(address)
    if address is None or address in LOCAL_NAMES:
        return True
    if not isinstance(address, str):
        return False
    if address.startswith(("/", "\0")):  # a Unix socket
        return True
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


def is_of_the_kernel(asked: object) -> bool:
    """Whether it is a socket that leads to the kernel and nowhere else."""
    return isinstance(asked, socket.socket) and asked.family == socket.AF_NETLINK


def _watch_sockets(event: str, args: tuple[object, ...]) -> None:
    if event not in SOCKET_EVENTS or is_of_the_kernel(args[0]):
        return
    if event.startswith("socket.gethost") or event == "socket.getaddrinfo":
        address = args[0]
    else:
        address = args[1]
    if event == "socket.bind" and isinstance(address, tuple) and address[0] == "":
        address = ("0.0.0.0",)  # noqa: S104 - what binding to "" means
    if event == "socket.sendmsg" and address is None:  # already connected
        return
    if not is_local(address):
        _off_loopback.append(f"{event} {address!r}")
        message = f"a test may use the loopback interface only: {event} {address!r}"
        raise PermissionError(message)


# Audit hooks see the sockets of C code too; one can't be removed, so it is added once.
sys.addaudithook(_watch_sockets)


@pytest.fixture(autouse=True)
def no_socket_off_loopback() -> Iterator[None]:
    """Fail a test that reached for the network, also where its code hid the error."""
    _off_loopback.clear()
    yield
    assert not _off_loopback, f"sockets off the loopback interface: {_off_loopback}"


@pytest.fixture(autouse=True)
def no_leaked_thread() -> Iterator[None]:
    """Fail a test after which a thread that it started goes on."""
    before = set(threading.enumerate())
    yield
    started = [thread for thread in threading.enumerate() if thread not in before]
    for thread in started:
        thread.join(END_SECONDS)
    left = [thread.name for thread in started if thread.is_alive()]
    assert not left, f"threads left running: {left}"


@pytest.fixture(autouse=True)
def no_leaked_task(request: pytest.FixtureRequest, no_leaked_thread: None) -> None:
    """Fail a coroutine test after which a task that it started goes on."""
    if request.node.get_closest_marker("asyncio") is not None:
        request.getfixturevalue("watched_tasks")


@pytest.fixture
async def watched_tasks() -> AsyncIterator[None]:
    """The tasks of the test's loop, compared after all its other fixtures closed."""
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    if left:
        _, left = await asyncio.wait(left, timeout=END_SECONDS)
    if left:
        names = [task.get_name() for task in left]
        pytest.fail(f"tasks left running: {names}")


@pytest.fixture(autouse=True)
def no_blocking_call() -> Iterator[None]:
    """Raise from a call of ours that blocks the event loop.

    One exception, and it is deliberate: SQLite. Point reads run in the loop, because
    one takes tens of microseconds from the page cache and handing it to a thread costs
    more than that; everything longer goes through aiosqlite.
    """
    with blockbuster_ctx("edgenode") as blockbuster:
        for name, function in blockbuster.functions.items():
            if name.startswith("sqlite3."):
                function.deactivate()
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The directory of reference facts, captures and data beside the repository."""
    if not SHARED.is_dir():
        pytest.skip(
            "reference data is absent: there is no ../shared beside the project"
        )
    return SHARED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was compared by tests that can't do it in part unnoticed.

    And what was measured on the way, where it is of interest.
    """
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "compared":
                terminalreporter.write_line(f"{report.nodeid}: {value} compared")
            elif name == "measured":
                terminalreporter.write_line(f"{report.nodeid}: {value}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("a small file system can be mounted by root only")
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(  # noqa: S603
        [mount, "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)],
        check=False,
        capture_output=True,
        text=True,
    )
    if made.returncode:
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)  # noqa: S603, S607


def fill(directory: Path) -> Path:
    """Leave no room on a small disk until the file that this gives is removed."""
    filler = directory / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4_096))
        except OSError:
            return filler
