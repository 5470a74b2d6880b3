"""Where a run stands: written by the run, read by whoever asks."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

BAR = 40


class Phase(StrEnum):
    """What a run is doing."""

    STARTING = "starting"
    TESTING = "testing"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class State:
    """Where a run stands.

    Attributes:
        pid: The process that runs it.
        workbench: Which.
        began: When, in ISO 8601.
        phase: What it is doing.
        doing: The same in words.
        seconds: How long it has been at it.
        passed: Test cases of the member that is under test now.
        failed: Test cases of the same.
        expected: How many test cases it will be; 0 where nobody knows.
    """

    pid: int
    workbench: str
    began: str
    phase: Phase = Phase.STARTING
    doing: str = "starting Kafka and the platform"
    seconds: float = 0.0
    passed: int = 0
    failed: int = 0
    expected: int = 0

    def text(self) -> str:
        """It, as people read it."""
        lines = [
            f"{self.workbench} workbench, begun {self.began}, {duration(self.seconds)}: "
            f"{self.phase}",
            self.doing,
        ]
        if self.phase is Phase.TESTING:
            lines.append(self._bar())
        return "\n".join(lines)

    def _bar(self) -> str:
        done = self.passed + self.failed
        if not self.expected:
            return f"{done} test cases, {self.failed} failed"
        full = min(BAR, BAR * done // self.expected)
        return (
            f"[{'#' * full}{'-' * (BAR - full)}] "
            f"{done} of {self.expected} test cases, {self.failed} failed"
        )


def begun(workbench: str) -> State:
    """The state of a run that this process begins now."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return State(pid=os.getpid(), workbench=workbench, began=now)


def duration(seconds: float) -> str:
    """A duration in hours and minutes."""
    minutes = round(seconds / 60)
    return (
        f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
    )


class Place:
    """The directory of a workbench's runs, of which one at most is under way."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.log = directory / "log"
        self._state = directory / "state.json"
        self._lock = directory / "lock"

    def state(self) -> State | None:
        """Where the last run stands; None where there was none.

        One that was killed before its end is told as failed.
        """
        try:
            kept = json.loads(self._state.read_bytes())
        except FileNotFoundError:
            return None
        kept["phase"] = Phase(kept["phase"])
        if kept["phase"] in {Phase.STARTING, Phase.TESTING} and not self.is_running():
            kept |= {"phase": Phase.FAILED, "doing": f"it was killed; see {self.log}"}
        return State(**kept)

    def keep(self, state: State) -> None:
        """Write where it stands, as a whole."""
        part = self._state.with_suffix(".part")
        part.write_text(json.dumps(asdict(state)), encoding="utf-8")
        part.replace(self._state)

    def is_running(self) -> bool:
        """Whether a run is under way: it holds the lock as long as it lives."""
        with self._lock.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock during the block.

        Raises:
            BlockingIOError: another run holds it.
        """
        with self._lock.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
