"""What does a node cost that nobody asks anything: its start, its memory, its writes?

A node is loaded over REST with 100,000 terms and as many relationships. Then it does
nothing, and is started anew again and again, in turn with a node that holds nothing.
The start is timed from the process's beginning to the end of the answer to a first
request, for a type; Python's own compiled files are there, as after any first start.
Memory is the resident set that the system counts, shared libraries included.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.glossary import GLOSSARY
from bench.harness import BenchError, Connection, Figures, Json, Table
from bench.loading import load
from bench.node import SERVER, Node, data_directory, file_system, stored_bytes
from bench.report import Answer, Requirement, parser_of
from bench.scale import CASES
from bench.target import moved, update_entity

LANES = 16
MIB = 1024 * 1024
MOST_SECONDS = 1.0  # from the start to the first answer
MOST_MEMORY = 64.0  # MiB
MOST_WRITTEN = 1.0  # KB a minute
QUESTIONS = 20
"""Requests of each kind before a node's memory after questions is looked at."""

LAST_CHANGES = 200
"""Changes whose index rows a node that is killed has not written yet."""

FIRST = (
    f"/servers/{SERVER}/open-metadata/repository-services/users/bench"
    "/types/typedef/name/GlossaryTerm"
)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long it takes.

    Attributes:
        terms: How many are loaded.
        starts: How often each node is started.
        settling_seconds: Between the last request and the idle time.
        idle_seconds: How long it is watched doing nothing.
    """

    terms: int
    starts: int
    settling_seconds: float
    idle_seconds: float


FULL = Pace(100_000, 15, 20.0, 150.0)
QUICK = Pace(60, 1, 0.0, 0.2)


@dataclass(frozen=True, slots=True)
class Idle:
    """A node in a time in which it is asked nothing; bytes a minute, CPU ms a second."""

    memory: float
    private: float
    written: float
    given: float
    cpu: float

    def cells(self) -> tuple[str, ...]:
        """It in a table."""
        return (
            f"{self.memory / MIB:.1f}",
            f"{self.private / MIB:.1f}",
            f"{self.written / 1000:.2f}",
            f"{self.given / 1000:.2f}",
            f"{self.cpu:.2f}",
        )

    def json(self) -> Json:
        """It as JSON."""
        return {
            "resident MiB": round(self.memory / MIB, 2),
            "private MiB": round(self.private / MIB, 2),
            "KB a minute": round(self.written / 1000, 3),
            "KB a minute given to the system": round(self.given / 1000, 3),
            "CPU ms a second": round(self.cpu, 3),
        }


@dataclass(frozen=True, slots=True)
class Start:
    """What a start took until the end of the first answer.

    Attributes:
        nanoseconds: By the clock.
        cpu: The process's own seconds, which other work on the machine hardly changes.
    """

    nanoseconds: int
    cpu: float


def started(directory: Path, into: list[Start]) -> Node:
    """Start a node, and note what that took."""
    node = Node(directory)
    connection = Connection(node.url)
    connection.exchange(connection.message("GET", FIRST))
    taken = time.perf_counter() - node.started
    into.append(Start(round(taken * 1e9), node.cpu_seconds()))
    connection.close()
    return node


def watched(node: Node, pace: Pace) -> Idle:
    """Let a node settle, and then look at it doing nothing."""
    time.sleep(pace.settling_seconds)
    before, cpu, clock = node.io(), node.cpu_seconds(), time.monotonic()
    time.sleep(pace.idle_seconds)
    written = node.io() - before
    seconds = time.monotonic() - clock
    memory = node.memory()
    return Idle(
        memory.resident,
        memory.private,
        written.disk * 60 / seconds,
        written.given * 60 / seconds,
        (node.cpu_seconds() - cpu) * 1000 / seconds,
    )


def starts(full: Path, empty: Path, pace: Pace) -> dict[str, list[Start]]:
    """The times of both nodes' starts, in turn."""
    times: dict[str, list[Start]] = {"nothing stored": [], stored(pace): []}
    for _ in range(pace.starts):
        for directory, into in zip((empty, full), times.values(), strict=True):
            with started(directory, into) as node:
                node.stop()
    return times


def starts_after_kill(full: Path, terms: Sequence[str], pace: Pace) -> list[Start]:
    """The times of starts after a kill amid changes: the file is checked then."""
    times: list[Start] = []
    for number in range(-(-pace.starts // 3)):
        with Node(full) as node:
            target = node.target()
            for at in range(LAST_CHANGES):
                index = (number * LAST_CHANGES + at) * 7919 % len(terms)
                values = GLOSSARY.term(index, edition=3 + number)
                target.call(update_entity(terms[index], values))
            target.close()
            node.kill()
        with started(full, times) as node:
            node.stop()
    return times


def stored(pace: Pace) -> str:
    """What the full node is called."""
    return f"{pace.terms:,} terms stored"


def median_seconds(taken: Sequence[Start]) -> float:
    """The median time by the clock."""
    return statistics.median(start.nanoseconds for start in taken) / 1e9


def start_figures(taken: Sequence[Start]) -> Json:
    """The figures of a node's starts as JSON."""
    figures = Figures.of([start.nanoseconds for start in taken])
    return {
        "n": figures.n,
        "median ms": figures.median,
        "p99 ms": figures.p99,
        "CPU median s": statistics.median(start.cpu for start in taken),
    }


def start_table(times: dict[str, list[Start]]) -> Table:
    """The times of starts as a table."""
    columns = ("start of a node", "starts", "median s", "slowest s", "CPU median s")
    rows = tuple(
        (
            what,
            str(len(taken)),
            f"{median_seconds(taken):.3f}",
            f"{max(start.nanoseconds for start in taken) / 1e9:.3f}",
            f"{statistics.median(start.cpu for start in taken):.2f}",
        )
        for what, taken in times.items()
    )
    return Table("From the start to the first answer", columns, rows)


def answered(options: argparse.Namespace) -> Answer:
    """Load a node, watch it idle, start it again and again.

    Raises:
        BenchError: A server refused something, or did not start.
    """
    pace = QUICK if options.quick else FULL
    answer = Answer("footprint", "A node at rest: start, memory, writes")
    with data_directory(options.directory, may_be_memory=options.quick) as directory:
        answer.notes.append(f"data on {file_system(directory)}")
        full, empty = directory / "full", directory / "empty"
        idle: dict[str, Idle] = {}
        times: dict[str, list[Start]] = {"nothing stored, makes its file": []}
        with started(empty, times["nothing stored, makes its file"]) as node:
            idle["nothing stored"] = watched(node, pace)
            node.stop()
        with Node(full) as node:
            target = node.target()
            load(target, pace.terms, LANES)
            target.close()
            idle[f"{stored(pace)}, after loading them"] = watched(node, pace)
            node.stop()
        answer.notes.append(f"{stored(pace)}: {stored_bytes(full) / 1e6:.1f} MB")
        times |= starts(full, empty, pace)
        with started(full, []) as node:
            idle[f"{stored(pace)}, after a start"] = watched(node, pace)
            asked = moved(target, node.url)
            for case in CASES:
                for number in range(QUESTIONS):
                    asked.call(case.method.request(asked, number))
            asked.close()
            idle[f"{stored(pace)}, after a start and questions"] = watched(node, pace)
            node.stop()
        killed = f"{stored(pace)}, killed amid changes"
        times[killed] = starts_after_kill(full, target.terms, pace)
    answer.tables = [start_table(times), idle_table(idle)]
    answer.figures = {
        "starts": {what: start_figures(taken) for what, taken in times.items()},
        "idle": {what: seen.json() for what, seen in idle.items()},
    }
    answer.requirements = requirements(times, idle, pace)
    return answer


def idle_table(idle: dict[str, Idle]) -> Table:
    """The idle times as a table."""
    columns = (
        "idle node",
        "memory MiB",
        "of it private MiB",
        "KB a minute to the disk",
        "KB a minute given to the system",
        "CPU ms a second",
    )
    rows = tuple((what, *seen.cells()) for what, seen in idle.items())
    return Table("Idle", columns, rows)


def requirements(
    times: dict[str, list[Start]], idle: dict[str, Idle], pace: Pace
) -> list[Requirement]:
    """What is required of these figures."""
    first = "start to first answer"
    made = [
        Requirement(f"{first}, {what}", median_seconds(times[what]), MOST_SECONDS, "s")
        for what in ("nothing stored", stored(pace))
    ]
    for what, seen in idle.items():
        if what != "nothing stored":
            made.append(
                Requirement(f"memory, {what}", seen.memory / MIB, MOST_MEMORY, "MiB")
            )
    made += [
        Requirement(
            f"written, {what}", seen.written / 1000, MOST_WRITTEN, "KB a minute"
        )
        for what, seen in idle.items()
    ]
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 2 on failure."""
    options = parser_of("footprint", __doc__).parse_args(arguments)
    try:
        answer = answered(options)
    except BenchError as error:
        print(f"footprint: {error}", file=sys.stderr)
        return 2
    return answer.give(options.markdown)


if __name__ == "__main__":
    sys.exit(main())
