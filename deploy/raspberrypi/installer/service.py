"""The service of systemd, and how well it is."""

import json
import shlex
import subprocess
import time
import urllib.error
import urllib.request
from typing import Protocol

from .layout import SERVICE, TIMER, TRIAL, USER, Layout
from .releases import UNITS_DIRECTORY

WELL_SECONDS = 30.0
"""How long a new version has to be well before it stays."""

EVERYWHERE = (("0.0.0.0", "127.0.0.1"), ("[::]", "[::1]"))  # noqa: S104
"""Addresses to listen on, and those that reach them."""

_LOOK_SECONDS = 1.0


class FailedServiceError(Exception):
    """The service doesn't start, or isn't well."""


class Service(Protocol):
    """What an upgrade does with a service."""

    def is_running(self) -> bool:
        """Whether it runs, or is being started."""
        ...

    def stop(self) -> None:
        """Stop it; returns when it is gone."""
        ...

    def is_ready(self) -> bool:
        """Whether it can do all its work.

        Raises:
            FailedServiceError: Its settings, which say where to ask, can't be used.
        """
        ...

    def place(self) -> None:
        """Have systemd know the units of the version that is to run."""
        ...

    def start(self) -> None:
        """Start it; returns when it answers.

        Raises:
            FailedServiceError: It doesn't start.
        """
        ...

    def watch(self, *, ready: bool) -> None:
        """Watch it for a while after its start.

        Args:
            ready: Whether it has to be ready after that, and not only to answer: a disk
                that is nearly full is no fault of a version's.

        Raises:
            FailedServiceError: It doesn't stay well.
        """
        ...


class SystemdService:
    """The service as systemd runs it."""

    def __init__(self, layout: Layout, well_seconds: float) -> None:
        self._layout = layout
        self._well_seconds = well_seconds

    def is_running(self) -> bool:
        """Whether it runs, or is being started."""
        state = _systemctl("show", "--property=ActiveState", "--value", SERVICE)
        return state.stdout.strip() in ("active", "activating", "reloading")

    def stop(self) -> None:
        """Stop it; returns when it is gone."""
        _systemctl("stop", SERVICE)

    def is_ready(self) -> bool:
        """Whether it can do all its work.

        Raises:
            FailedServiceError: Its settings, which say where to ask, can't be used.
        """
        return not self._unwell("ready")

    def start(self) -> None:
        """Start it; returns when it answers.

        Raises:
            FailedServiceError: It doesn't start.
        """
        self.place()
        _systemctl("reset-failed", SERVICE)
        started = _systemctl("start", SERVICE)
        if started.returncode:
            raise FailedServiceError(self._why("it doesn't start"))

    def watch(self, *, ready: bool) -> None:
        """Watch it for a while after its start.

        Args:
            ready: Whether it has to be ready after that, and not only to answer.

        Raises:
            FailedServiceError: It doesn't stay well.
        """
        starts = self._starts()
        end = time.monotonic() + self._well_seconds
        why = ""
        while time.monotonic() < end:
            if self._starts() != starts:
                raise FailedServiceError(self._why("it was started again by systemd"))
            why = self._unwell("ready" if ready else "live")
            time.sleep(_LOOK_SECONDS)
        if why:
            raise FailedServiceError(self._why(why))

    def place(self) -> None:
        """Have systemd know the units of the version that is to run."""
        for unit in (self._layout.current / UNITS_DIRECTORY).iterdir():
            place = self._layout.units / unit.name
            place.write_bytes(unit.read_bytes())
            place.chmod(0o644)
        self.reload()
        _systemctl("enable", "--quiet", "--now", TIMER)
        _systemctl("enable", "--quiet", SERVICE, TRIAL)

    def reload(self) -> None:
        """Have systemd read the units again."""
        _systemctl("daemon-reload")

    def disable(self) -> None:
        """Stop it, and have it started no more."""
        _systemctl("disable", "--quiet", "--now", SERVICE, TIMER, TRIAL)

    def _starts(self) -> str:
        shown = _systemctl("show", "--property=NRestarts,MainPID", SERVICE)
        return shown.stdout

    def _unwell(self, what: str) -> str:
        """Why it isn't ready, or live; empty if it is."""
        url = f"http://{self._address()}/health/{what}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                answer.read()
        except urllib.error.HTTPError as error:
            return f"it isn't {what}: {error.read(2_000).decode(errors='replace')}"
        except OSError as error:
            return f"it doesn't answer at {url}: {error}"
        return ""

    def _address(self) -> str:
        """Where it answers, as its own command tells.

        Raises:
            FailedServiceError: It doesn't: the settings can't be used.
        """
        done = as_user(self._layout, "check-config", "--json")
        if done.returncode:
            raise FailedServiceError(
                f"its settings can't be used\n{done.stderr}".rstrip()
            )
        address = json.loads(done.stdout)["settings"]["listen"]
        for everywhere, here in EVERYWHERE:
            address = address.replace(everywhere, here)
        return str(address)

    def _why(self, what: str) -> str:
        log = subprocess.run(
            ["journalctl", "--unit", SERVICE, "--lines=10", "--output=cat"],
            capture_output=True,
            text=True,
            check=False,
        )
        return f"{what}\n{log.stdout}".rstrip()


def as_user(layout: Layout, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the node's command as its user, with the service's settings."""
    environ = [f"STATE_DIRECTORY={layout.state}", *_settings(layout)]
    command = ["runuser", "-u", USER, "--", "env", *environ]
    return subprocess.run(
        [*command, str(layout.current / "bin/edgenode"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def _settings(layout: Layout) -> list[str]:
    """The variables of the service's environment files, as ``NAME=value``."""
    lines = [
        line.strip()
        for path in layout.environments
        if path.is_file()
        for line in path.read_text("utf-8").splitlines()
    ]
    pairs = [line.partition("=") for line in lines if line and line[0] not in "#;"]
    return [f"{name.rstrip()}={_value(text)}" for name, equals, text in pairs if equals]


def _value(text: str) -> str:
    """What systemd takes a variable's text for, as far as that is on one line.

    Raises:
        FailedServiceError: A quotation mark is missing.
    """
    text = text.strip()
    if not text.startswith(("'", '"')):
        return text  # quotation marks within it are a part of it
    try:
        return "".join(shlex.split(text))
    except ValueError as error:
        raise FailedServiceError(
            f"its settings can't be used: {text} has no closing quotation mark"
        ) from error


def _systemctl(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemctl", *arguments], capture_output=True, text=True, check=False
    )
