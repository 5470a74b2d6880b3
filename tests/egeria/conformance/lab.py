"""What a server of the suite says of its workbench, and how seldom it is to be asked."""

import re
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tests.egeria.harness.errors import EgeriaError
from tests.egeria.harness.platform import Platform

REPORT_SECONDS = 1_200.0
COUNT_PAUSES = 50
"""How many times as long as a count took nobody counts again: the workbench waits for its
end, and in a long run it takes seconds. So it takes a fiftieth of the time at most."""

_COMPLETED = re.compile(
    rb"CONFORMANCE-SUITE-0014 The Open Metadata Conformance Test Case "
    rb"([a-z-]+)-([A-Z]\w*) has completed"
)


class Counts(NamedTuple):
    """How many test cases came out how."""

    passed: int
    failed: int


@dataclass(slots=True)
class Done:
    """The cases that a platform's log says are done, read as it grows.

    The suite's own counts stand still for an hour, while it searches.
    """

    log: Path
    _offset: int = 0
    _last: str = ""
    _types: Counter[str] = field(default_factory=Counter)

    def text(self) -> str:
        """Which kind of case was done last, and for how many types; empty at first."""
        with self.log.open("rb") as file:
            file.seek(self._offset)
            said = file.read()
        whole, _, rest = said.rpartition(b"\n")
        self._offset += len(said) - len(rest)
        for found in _COMPLETED.finditer(whole):
            self._last = found[1].decode()
            self._types[self._last] += 1
        if not self._last:
            return ""
        return f", {self._last} of {self._types[self._last]} types done"


class Lab:
    """A server of the suite, asked about its workbench.

    Attributes:
        egeria: Where it is.
    """

    def __init__(self, egeria: Platform, server: str, workbench: str) -> None:
        """Ask nothing yet."""
        self.egeria = egeria
        self._server = server
        self._workbench = workbench
        self._done = Done(egeria.log)
        self._count_from = 0.0

    def is_complete(self) -> bool:
        """Whether all has been tested; not while it can't say."""
        told = self._told("complete")
        return told is not None and bool(told["complete"])

    def counts(self, *, now: bool) -> Counts | None:
        """How many cases came out how; None where it can't say, or was asked lately.

        Args:
            now: Whether to ask all the same.
        """
        began = time.monotonic()
        if not now and began < self._count_from:
            return None
        told = self._told("counts")
        ended = time.monotonic()
        self._count_from = ended + COUNT_PAUSES * (ended - began)
        return None if told is None else Counts(told["passed"], told["failed"])

    def last_done(self) -> str:
        """Which cases were done last."""
        return self._done.text()

    def report(self) -> Any:
        """The whole report; ``report`` and ``performance`` say what is read of it."""
        return self._ask("report")

    def _told(self, what: str) -> Any:
        """An answer; None where it fails, as it does at times while tests go on."""
        try:
            return self._ask(what)
        except (EgeriaError, OSError):
            return None

    def _ask(self, what: str) -> Any:
        return self.egeria.call(
            "GET",
            f"/interop/{self._server}/workbenches/{self._workbench}/{what}",
            timeout=REPORT_SECONDS,
        )
