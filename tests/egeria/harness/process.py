"""A Java program that ends with whoever started it."""

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.egeria.harness.chassis import Chassis
from tests.egeria.harness.errors import HarnessError

START_SECONDS = 180.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.1
LINES_TOLD = 20


@dataclass
class JavaProcess:
    """One, started and stopped as often as needed.

    Its standard input is a pipe that this process holds, and its end is the program's:
    so nothing is left behind by a test that is killed.

    Attributes:
        chassis: What is started.
        heap: The most memory for its objects, as Java's -Xmx has it.
        directory: Where it works; its output goes to ``log`` in it.
    """

    chassis: Chassis
    heap: str
    directory: Path
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def log(self) -> Path:
        """What it printed since it started last."""
        return self.directory / "log"

    def start(self, arguments: Sequence[str], ready: Callable[[], bool]) -> None:
        """Start it and wait until it is ready.

        Raises:
            HarnessError: it can't be built, ended at once or isn't ready in time.
        """
        java = ("java", f"-Xmx{self.heap}", "-cp", self.chassis.class_path())
        self.directory.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [*java, self.chassis.main, *arguments],
                cwd=self.directory,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl+C is for the starter, which stops it
            )
        try:
            self._wait_until(ready)
        except BaseException:
            self.kill()
            raise

    def _wait_until(self, ready: Callable[[], bool]) -> None:
        end = time.monotonic() + START_SECONDS
        while not ready():
            if not self.running:
                raise HarnessError(f"{self.chassis.main} ended:\n{self._last_lines()}")
            if time.monotonic() > end:
                raise HarnessError(
                    f"{self.chassis.main} isn't ready after {START_SECONDS:.0f} s:\n"
                    f"{self._last_lines()}"
                )
            time.sleep(POLL_SECONDS)

    def _last_lines(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-LINES_TOLD:])

    @property
    def running(self) -> bool:
        """Whether it was started and hasn't ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id.

        Raises:
            HarnessError: it isn't running.
        """
        if self._process is None:
            raise HarnessError(f"{self.chassis.main} isn't running")
        return self._process.pid

    def stop(self) -> None:
        """Have it end in order; does nothing when it isn't running."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._ended()

    def kill(self) -> None:
        """End it as a power cut would; does nothing when it isn't running."""
        if self._process is not None:
            self._process.kill()
            self._ended()

    def _ended(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.wait()
        self._process.stdin.close()
        self._process = None
