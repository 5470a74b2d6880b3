"""Asks the same of several servers in turn, so that what disturbs one disturbs all.

Each method is warmed up first. Medians and 99th percentiles are of at least 60
requests, or 15 where one takes more than 100 ms; the 99th percentile of fewer than 100
is the slowest one.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.harness import Figures, Json, RefusedError
from bench.method import Method
from bench.target import Target

ROUNDS = 10
SLOW = 0.1  # seconds
REQUESTS_IF_SLOW = 15
SECONDS_A_METHOD = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a method is asked.

    Attributes:
        warm_up_seconds: How long it is warmed up, within the next bounds.
        warm_up: Requests to warm up, at least and at most.
        requests: Requests that count, at least and at most.
        changes: For a method that changes something: to warm up, and that count.
    """

    warm_up_seconds: float
    warm_up: tuple[int, int]
    requests: tuple[int, int]
    changes: tuple[int, int]


FULL: Final = Pace(0.7, (5, 200), (60, 300), (100, 200))
QUICK: Final = Pace(0.0, (1, 1), (3, 3), (2, 3))


@dataclass(slots=True)
class Outcome:
    """What one method gave at one size; the lists are by target label."""

    method: Method
    times: dict[str, list[int]] = field(default_factory=dict)
    results: dict[str, list[int]] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)

    def remarks(
        self, *, same_content: bool = True, must_find: bool = True
    ) -> list[str]:
        """What is wrong with the answers; nothing when all is well.

        Args:
            same_content: Whether all targets hold the same, and so must find as much.
            must_find: Whether there is so much that some request finds something.
        """
        wrong = [f"{label}: {text}" for label, text in self.refusals.items()]
        wrong += [
            f"{label}: none of the requests found anything"
            for label, counts in self.results.items()
            if must_find and counts and not any(counts) and not self.method.changes
        ]
        if same_content and len(self.results) == 2:
            one, other = self.results.values()
            pairs = list(zip(one, other, strict=False))
            if differing := [pair for pair in pairs if pair[0] != pair[1]]:
                labels = " and ".join(self.results)
                few = ", ".join(f"{a} and {b}" for a, b in differing[:3])
                wrong.append(
                    f"{labels} differ in the number of results of {len(differing)} "
                    f"of {len(pairs)} requests ({few})"
                )
        return wrong


def ask(target: Target, outcome: Outcome, number: int) -> tuple[int, int]:
    """Send the request of a number; the nanoseconds and the number of results.

    Raises:
        RefusedError: the server answered with an error.
    """
    method = outcome.method
    elapsed, answer, size = target.measure(method.request(target, number))
    if method.keep is not None:
        target.made[method.keep, number] = answer
    outcome.bytes[target.label] = max(outcome.bytes.get(target.label, 0), size)
    return elapsed, results(answer)


ENVELOPE = {"class", "relatedHTTPCode", "offset", "pageSize"}


def results(answer: Json) -> int:
    """How many elements an answer holds, in its lists and single members."""
    return sum(
        len(value) if isinstance(value, list) else 1
        for name, value in answer.items()
        if name not in ENVELOPE
    )


def settle(target: Target, outcome: Outcome, pace: Pace) -> float:
    """Ask until the times have settled; the seconds that a request takes then.

    Raises:
        RefusedError: the server answered with an error.
    """
    least, most = pace.warm_up
    started = time.perf_counter()
    times: list[int] = []
    while len(times) < least or (
        len(times) < most and time.perf_counter() - started < pace.warm_up_seconds
    ):
        times.append(ask(target, outcome, 1_000_000 + len(times))[0])
    return Figures.of(times[-20:]).median / 1000


def warm_up(targets: Sequence[Target], outcome: Outcome, pace: Pace) -> range:
    """Warm the method up; the numbers of the requests that count."""
    unused, requests = pace.changes
    slowest = 0.0
    for target in targets:
        try:
            if outcome.method.changes:
                for number in range(unused):
                    ask(target, outcome, number)
            else:
                slowest = max(slowest, settle(target, outcome, pace))
        except RefusedError as error:
            outcome.refusals[target.label] = str(error)
    if outcome.method.changes:
        return range(unused, unused + requests)
    return range(requests_for(slowest, pace))


def measure(targets: Sequence[Target], method: Method, pace: Pace = FULL) -> Outcome:
    """Measure one method on the targets in alternate rounds."""
    outcome = Outcome(method)
    numbers = warm_up(targets, outcome, pace)
    size = -(-len(numbers) // ROUNDS)
    for first in range(0, len(numbers), size):
        for target in targets:
            if target.label in outcome.refusals:
                continue
            try:
                for number in numbers[first : first + size]:
                    elapsed, found = ask(target, outcome, number)
                    outcome.times.setdefault(target.label, []).append(elapsed)
                    outcome.results.setdefault(target.label, []).append(found)
            except RefusedError as error:
                outcome.refusals[target.label] = str(error)
    return outcome


def requests_for(seconds: float, pace: Pace = FULL) -> int:
    """How many requests to measure, when one takes this long."""
    least, most = pace.requests
    if seconds > SLOW:
        return min(least, REQUESTS_IF_SLOW)
    return max(least, min(most, int(SECONDS_A_METHOD / max(seconds, 1e-6))))
