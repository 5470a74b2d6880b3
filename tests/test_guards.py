"""The guards of conftest.py hold: each catches what it is there for."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.conftest import ROOT, is_local

OFFENCES = {
    "thread": (
        """
        import threading

        def test_offence():
            threading.Thread(target=threading.Event().wait, daemon=True).start()
        """,
        "threads left running",
    ),
    "task": (
        """
        import asyncio

        KEPT = []

        async def test_offence():
            KEPT.append(asyncio.create_task(asyncio.Event().wait(), name="stray"))
        """,
        "tasks left running: ['stray']",
    ),
    "task, from a property test": (
        """
        import asyncio
        from hypothesis import given, settings, strategies

        KEPT = []

        @settings(max_examples=1, database=None)
        @given(strategies.none())
        async def test_offence(nothing):
            KEPT.append(asyncio.create_task(asyncio.Event().wait(), name="stray"))
        """,
        "tasks left running: ['stray']",
    ),
    "socket": (
        """
        import socket

        def test_offence():
            try:
                socket.create_connection(("192.0.2.1", 9), timeout=1)
            except OSError:
                pass
        """,
        "sockets off the loopback interface",
    ),
    "listening socket": (
        """
        import socket

        def test_offence():
            with socket.socket() as listener:
                try:
                    listener.bind(("", 0))
                except OSError:
                    pass
        """,
        "sockets off the loopback interface",
    ),
    "blocking call": (
        """
        import time
        from edgenode import pause

        async def test_offence():
            pause.pause()
        """,
        "Blocking call to time.sleep",
    ),
}


@pytest.mark.parametrize("offence", OFFENCES)
def test_an_offence_fails_its_test(offence: str, tmp_path: Path) -> None:
    source, message = OFFENCES[offence]
    result = run_under_the_guards(source, tmp_path)
    assert result.returncode == 1, result.stdout
    assert message in result.stdout


def test_clean_tests_pass(tmp_path: Path) -> None:
    """Threads and tasks that end, loopback sockets and SQLite in the loop are fine."""
    source = """
        import asyncio
        import threading
        from edgenode import pause

        def test_thread():
            thread = threading.Thread(target=int)
            thread.start()

        async def test_executor():
            assert await asyncio.to_thread(pause.pause) is None

        def answer(reader, writer):
            writer.close()

        async def test_server():
            server = await asyncio.start_server(answer, "127.0.0.1", 0)
            async with server:
                host, port = server.sockets[0].getsockname()
                _, writer = await asyncio.open_connection(host, port)
                writer.close()
                await writer.wait_closed()

        async def test_point_read():
            assert pause.read() == (1,)
        """
    result = run_under_the_guards(source, tmp_path)
    assert result.returncode == 0, result.stdout
    assert "4 passed" in result.stdout


@pytest.mark.parametrize(
    ("address", "local"),
    [
        (("127.0.0.1", 80), True),
        (("127.9.9.9", 80), True),
        (("::1", 80, 0, 0), True),
        ("/run/systemd/notify", True),
        (b"/run/systemd/notify", True),
        ("\0journal", True),
        ("localhost", True),
        (None, True),
        (("192.168.1.10", 80), False),
        (("::", 80, 0, 0), False),
        ("example.org", False),
    ],
)
def test_is_local(address: object, local: bool) -> None:
    assert is_local(address) is local


def run_under_the_guards(
    source: str, directory: Path
) -> subprocess.CompletedProcess[str]:
    """Run a test file with this project's conftest and a stand-in edgenode package.

    The stand-in blocks: code under test that did so would be a fault.
    """
    package = directory / "edgenode"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "pause.py").write_text(
        "import sqlite3, time\n"
        "def pause():\n    time.sleep(0.001)\n"
        "def read():\n"
        "    connection = sqlite3.connect(':memory:')\n"
        "    row = connection.execute('SELECT 1').fetchone()\n"
        "    connection.close()\n"
        "    return row\n"
    )
    (directory / "test_offence.py").write_text(textwrap.dedent(source))
    (directory / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (directory / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\nfilterwarnings = error\n"
        "asyncio_default_fixture_loop_scope = function\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(directory)}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
