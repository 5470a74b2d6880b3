"""Asks the same of several servers in turn, so that what disturbs one disturbs all.

Each method is warmed up first. Medians and 99th percentiles are of at least 60
requests, or 15 where one takes more than 100 ms; the 99th percentile of fewer than 100
is the slowest one.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.glossary import Target
from bench.harness import Figures, Json, RefusedError
from bench.method import Method

ROUNDS = 10
WARM_UP_SECONDS = 0.7
WARM_UP_REQUESTS = (5, 200)  # at least, at most
SLOW = 0.1  # seconds
REQUESTS_IF_SLOW = 15
REQUESTS = (60, 300)  # at least, at most
SECONDS_A_METHOD = 1.0
CHANGES = (100, 200)  # requests to warm up, requests that count


@dataclass(slots=True)
class Outcome:
    """What one method gave at one size; the lists are by target label."""

    method: Method
    times: dict[str, list[int]] = field(default_factory=dict)
    results: dict[str, list[int]] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)

    def remarks(self) -> list[str]:
        """What is wrong with the answers; nothing when all is well."""
        wrong = [f"{label}: {text}" for label, text in self.refusals.items()]
        wrong += [
            f"{label}: none of the requests found anything"
            for label, counts in self.results.items()
            if counts and not any(counts) and not self.method.changes
        ]
        if len(self.results) == 2:
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


def settle(target: Target, outcome: Outcome) -> float:
    """Ask until the times have settled; the seconds that a request takes then.

    Raises:
        RefusedError: the server answered with an error.
    """
    least, most = WARM_UP_REQUESTS
    started = time.perf_counter()
    times: list[int] = []
    while len(times) < least or (
        len(times) < most and time.perf_counter() - started < WARM_UP_SECONDS
    ):
        times.append(ask(target, outcome, 1_000_000 + len(times))[0])
    return Figures.of(times[-20:]).median / 1000


def warm_up(targets: Sequence[Target], outcome: Outcome) -> range:
    """Warm the method up; the numbers of the requests that count."""
    unused, requests = CHANGES
    slowest = 0.0
    for target in targets:
        try:
            if outcome.method.changes:
                for number in range(unused):
                    ask(target, outcome, number)
            else:
                slowest = max(slowest, settle(target, outcome))
        except RefusedError as error:
            outcome.refusals[target.label] = str(error)
    if outcome.method.changes:
        return range(unused, unused + requests)
    return range(requests_for(slowest))


def measure(targets: Sequence[Target], method: Method) -> Outcome:
    """Measure one method on the targets in alternate rounds."""
    outcome = Outcome(method)
    numbers = warm_up(targets, outcome)
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


def requests_for(seconds: float) -> int:
    """How many requests to measure, when one takes this long."""
    if seconds > SLOW:
        return REQUESTS_IF_SLOW
    least, most = REQUESTS
    return max(least, min(most, int(SECONDS_A_METHOD / max(seconds, 1e-6))))
