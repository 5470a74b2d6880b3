"""What stages work with: a directory on the disk, a pace, a loaded store."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.glossary import GLOSSARY, TERM
from bench.harness import BenchError, Figures
from bench.loading import exchanged
from bench.method import Make
from bench.node import Node
from bench.pi.report import Better, Figure, Series
from bench.target import Target, add_entity, moved

LANES: Final = 16
"""Callers at once, where there is more than one."""

CHUNK: Final = 200
"""Changes between two looks at whether somebody wants to end it."""

QUIET: Final = {"EDGENODE_LOG_LEVEL": "error"}
"""Warnings would stand in the middle of the progress bar."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often each thing is done.

    Attributes:
        syncs: Of a page to the disk.
        starts: Of a node, on an empty store and on the loaded one.
        settling_seconds: Between a start and the idle time.
        idle_seconds: How long a node is watched doing nothing.
        terms: Entities in the loaded store.
        alone: Changes by one caller.
        together: Changes by all callers.
        reads: Of an entity.
        searches: Of each kind.
        changes: Of each kind whose bytes are counted.
        events: Changes that another node is to see.
        questions: To two nodes.
    """

    syncs: int
    starts: int
    settling_seconds: float
    idle_seconds: float
    terms: int
    alone: int
    together: int
    reads: int
    searches: int
    changes: int
    events: int
    questions: int


FULL: Final = Pace(200, 5, 5.0, 30.0, 4_000, 200, 1_600, 1_000, 200, 200, 50, 100)
QUICK: Final = Pace(5, 1, 0.0, 0.1, 40, 3, 16, 5, 2, 4, 2, 2)


@dataclass(slots=True)
class Rig:
    """A place for data, and what is told while it is filled.

    Attributes:
        directory: On the disk that is measured; empty at first, and removed at the end.
        pace: How often each thing is done.
        tell: To be called with the share of a stage that is done.
        content: What is in the loaded store; None until it is loaded.
    """

    directory: Path
    pace: Pace
    tell: Callable[[float], None] = lambda _: None
    content: Target | None = None

    @property
    def store(self) -> Path:
        """The data directory of the loaded store."""
        return self.directory / "store"

    def loaded(self) -> Target:
        """What is in the loaded store.

        Raises:
            BenchError: Loading it failed.
        """
        if self.content is None:
            raise BenchError("there is no loaded store, for loading it failed")
        return self.content

    def node(self) -> Node:
        """A node on the loaded store."""
        return Node(self.store, settings=QUIET)

    def asked(self, node: Node) -> Target:
        """The node with the loaded store as a server that is asked."""
        return moved(self.loaded(), node.url)


def fill(target: Target, rig: Rig) -> float:
    """Add terms until there are as many as the pace has; the seconds that took.

    Raises:
        BenchError: The node refused one.
    """
    seconds = 0.0
    for first in range(0, rig.pace.terms, CHUNK):
        numbers = range(first, min(first + CHUNK, rig.pace.terms))
        requests = [
            add_entity(TERM, GLOSSARY.term(n), GLOSSARY.term_classifications(n))
            for n in numbers
        ]
        taken, answers = exchanged(target, requests, LANES)
        target.terms += [answer["entity"]["guid"] for answer in answers]
        seconds += taken
        rig.tell(numbers.stop / rig.pace.terms)
    return seconds


def asked(target: Target, make: Make, count: int, rig: Rig) -> list[int]:
    """Ask so many times, one after the other; the nanoseconds that each took.

    Raises:
        RefusedError: The node refused one.
    """
    times = []
    for number in range(count):
        times.append(target.measure(make(target, number))[0])
        rig.tell((number + 1) / count)
    return times


# Figures


def of_times(name: str, nanoseconds: Sequence[int]) -> tuple[Figure, ...]:
    """The median and the 99th percentile."""
    figures = Figures.of(nanoseconds)
    return (
        Figure(f"{name}, median", figures.median, "ms"),
        Figure(f"{name}, 99th percentile", figures.p99, "ms"),
    )


def series(name: str, nanoseconds: Sequence[int]) -> Series:
    """The times themselves."""
    return Series(name, tuple(round(each / 1e6, 4) for each in nanoseconds))


def rate(name: str, count: int, seconds: float) -> Figure:
    """How many there were a second."""
    return Figure(name, round(count / seconds, 2), "a second", Better.MORE)
