"""What is seen while the benchmark runs: a bar on a terminal, elsewhere lines."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

WIDTH = 30
REDRAW_SECONDS = 0.1


@dataclass(slots=True)
class Progress:
    """One bar for all stages, or a line for each that has ended.

    Attributes:
        stream: Where it is shown.
        stages: How many there are.
        monotonic: The clock.
    """

    stream: TextIO
    stages: int
    monotonic: Callable[[], float] = time.monotonic
    _done: int = 0
    _title: str = ""
    _started: float = 0.0
    _drawn: float = field(default=float("-inf"))

    def start(self, title: str) -> None:
        """A stage begins."""
        self._title, self._started = title, self.monotonic()
        self._drawn = float("-inf")
        self.at(0.0)

    def at(self, share: float) -> None:
        """So much of the stage is done, of 1."""
        now = self.monotonic()
        if not self.stream.isatty() or now - self._drawn < REDRAW_SECONDS:
            return
        self._drawn = now
        filled = "#" * int(WIDTH * (self._done + min(share, 1.0)) / self.stages)
        text = f"[{filled:<{WIDTH}}] {self._done + 1}/{self.stages} {self._title}"
        self._show(f"\r{text:<79.79}")

    def end(self, failure: str | None) -> None:
        """The stage is over; why it failed, or None."""
        self._done += 1
        seconds = self.monotonic() - self._started
        said = f"FAILED: {failure}" if failure else f"{seconds:.1f} s"
        line = f"{self._done}/{self.stages} {self._title}: {said}"
        if not self.stream.isatty():
            self._show(f"{line}\n")
        elif failure:
            self._show(f"\r{line:<79}\n")
        elif self._done == self.stages:
            self._show(f"\r{'':<79}\r")

    def _show(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()
