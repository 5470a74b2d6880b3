"""A node as a service of systemd, which here is the socket that the node talks to."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.commands import running

WATCHDOG_USEC = 600_000
SECONDS = 30.0


class Systemd:
    """What is heard of a service."""

    def __init__(self, heard: socket.socket) -> None:
        self._heard = heard

    def hears(self) -> str:
        """The next message."""
        return self._heard.recv(4096).decode()

    def hears_after_life(self) -> str:
        """The next message that isn't about life."""
        while (message := self.hears()) == "WATCHDOG=1":
            pass
        return message

    def hears_nothing_for(self, seconds: float) -> bool:
        """Whether it is silent for so long."""
        self._heard.settimeout(seconds)
        try:
            return not self._heard.recv(4096)
        except TimeoutError:
            return True
        finally:
            self._heard.settimeout(SECONDS)

    def has_heard(self) -> None:
        """Forget what was said until now."""
        while not self.hears_nothing_for(0.001):
            pass


@pytest.fixture
def name(tmp_path: Path) -> str:
    return str(tmp_path / "notify")


@pytest.fixture
def systemd(name: str) -> Iterator[Systemd]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(name)
        heard.settimeout(SECONDS)
        yield Systemd(heard)


def test_a_service_says_when_it_is_ready_that_it_lives_and_that_it_stops(
    systemd: Systemd, name: str, tmp_path: Path
) -> None:
    environ = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": str(WATCHDOG_USEC)}
    with running(tmp_path / "data", environ) as node:
        assert systemd.hears() == "READY=1"
        assert [systemd.hears() for _ in range(3)] == ["WATCHDOG=1"] * 3
        node.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, node.process.pid, os.WSTOPPED)
        systemd.has_heard()
        assert systemd.hears_nothing_for(WATCHDOG_USEC / 1e6)
        node.process.send_signal(signal.SIGCONT)
        assert systemd.hears() == "WATCHDOG=1"
        node.process.send_signal(signal.SIGTERM)
        assert systemd.hears_after_life() == "STOPPING=1"
        assert node.process.wait(SECONDS) == 0
