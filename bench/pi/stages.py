"""The stages: each asks one thing of real nodes, which it starts and ends itself."""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Final

from bench import footprint
from bench.bytes_written import Store, written
from bench.cohort_asking import Asking
from bench.finding import by_property, by_value, has_unique_name
from bench.footprint import MIB, Start, started, watched
from bench.harness import BenchError
from bench.method import a_term
from bench.node import LAUNCH, SERVER, Node, stored_bytes
from bench.pi.cohort import cohort
from bench.pi.report import Figure, Measured
from bench.pi.rig import LANES, Rig, asked, fill, of_times, rate, series
from bench.reading import of_guid
from bench.scale import Case, not_found, summary_has_phrase, that_term, value_has_phrase
from bench.target import Target

PAGE = b"\0" * 4096
FIRST_ALONE, FIRST_TOGETHER = 1_000_000, 2_000_000
"""The numbers of the first terms that are added, beyond those that are loaded."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One thing that is measured.

    Attributes:
        name: For programs.
        title: For people.
        measure: Does it.
    """

    name: str
    title: str
    measure: Callable[[Rig], Measured]


def sync(rig: Rig) -> Measured:
    """How long the disk takes to have a page for sure."""
    times = []
    with TemporaryFile(dir=rig.directory, buffering=0) as file:
        file.write(PAGE * rig.pace.syncs)
        os.fsync(file.fileno())
        for number in range(rig.pace.syncs):
            began = time.perf_counter_ns()
            os.pwrite(file.fileno(), PAGE, number * len(PAGE))
            os.fdatasync(file.fileno())
            times.append(time.perf_counter_ns() - began)
            rig.tell((number + 1) / rig.pace.syncs)
    return Measured(
        of_times("sync", times),
        (series("sync", times),),
        (
            f"a page of {len(PAGE)} bytes, {len(times)} times, each followed by fdatasync",
        ),
    )


def loading(rig: Rig) -> Measured:
    """Fill the store that later stages work with."""
    with _ended(rig.node()) as node:
        target = node.target()
        with closing(target):
            seconds = fill(target, rig)
        rig.content = target
    terms = rig.pace.terms
    per_entity = stored_bytes(rig.store) / terms
    return Measured(
        (
            rate("entities added", terms, seconds),
            Figure("on the disk", round(per_entity), "bytes an entity"),
        ),
        notes=(f"{terms:,} entities, by {LANES} callers at once",),
    )


def start(rig: Rig) -> Measured:
    """How long a process takes from its start to its first answer."""
    rig.loaded()
    empty = rig.directory / "empty"
    first: list[Start] = []
    started(empty, first).stop()
    times: dict[str, list[Start]] = {"empty store": [], "loaded store": []}
    for number in range(rig.pace.starts):
        for directory, into in zip((empty, rig.store), times.values(), strict=True):
            with started(directory, into) as node:
                node.stop()
        rig.tell((number + 1) / rig.pace.starts)
    figures = [_seconds("very first start, which makes the store", first)]
    for what, taken in times.items():
        figures.append(_seconds(f"start, {what}, median", taken))
        cpu = statistics.median(each.cpu for each in taken)
        figures.append(Figure(f"processor's time, {what}", round(cpu, 3), "s"))
    return Measured(
        tuple(figures),
        tuple(
            series(f"start, {what}", [each.nanoseconds for each in taken])
            for what, taken in times.items()
        ),
        (
            f"{rig.pace.starts} new processes each, from the start to the end of the "
            "first answer; Python's files are in the system's memory by then",
        ),
    )


def _seconds(name: str, taken: list[Start]) -> Figure:
    median = statistics.median(each.nanoseconds for each in taken)
    return Figure(name, round(median / 1e9, 3), "s")


def idle(rig: Rig) -> Measured:
    """What a node costs that nobody asks anything."""
    rig.loaded()
    pace = footprint.Pace(0, 0, rig.pace.settling_seconds, rig.pace.idle_seconds)
    with _ended(rig.node()) as node:
        seen = watched(node, pace)
    return Measured(
        (
            Figure("memory", round(seen.memory / MIB, 1), "MiB"),
            Figure("memory that no file backs", round(seen.private / MIB, 1), "MiB"),
            Figure("share of one processor", round(seen.cpu / 10, 3), "%"),
            Figure("written to the disk", round(seen.written / 1000, 2), "KB a minute"),
        ),
        notes=(
            f"{rig.pace.terms:,} entities stored; watched for "
            f"{rig.pace.idle_seconds:g} s",
        ),
    )


def commits(rig: Rig) -> Measured:
    """How fast changes are acknowledged, which is when they are on the disk."""
    rig.loaded()
    figures: list[Figure] = []
    found = []
    modes = (
        ("one caller", FIRST_ALONE, rig.pace.alone, 1),
        (f"{LANES} callers", FIRST_TOGETHER, rig.pace.together, LANES),
    )
    with _ended(rig.node()) as node:
        for name, first, count, lanes in modes:
            with closing(Asking(node.url, SERVER)) as asking:
                made = asking.add(first, count, lanes)
            figures.append(rate(f"changes, {name}", count, made["nanoseconds"] / 1e9))
            figures += of_times(f"change, {name}", made["times"])
            found.append(series(f"change, {name}", made["times"]))
            rig.tell(len(found) / len(modes))
    return Measured(
        tuple(figures),
        tuple(found),
        (
            f"entities added: {rig.pace.alone:,} one after the other, then "
            f"{rig.pace.together:,} by {LANES} callers at once, which share commits",
        ),
    )


def reads(rig: Rig) -> Measured:
    """How long it takes to read an entity by its guid."""
    with _ended(rig.node()) as node, closing(rig.asked(node)) as target:
        read = of_guid(a_term, "/instances/entity/{guid}")
        times = asked(target, read, rig.pace.reads, rig)
    return Measured(
        of_times("read by guid", times),
        (series("read by guid", times),),
        (f"{len(times):,} reads by one caller; {rig.pace.terms:,} entities loaded",),
    )


SEARCHES: Final = {
    "by property value": Case(by_property("exact", has_unique_name), that_term),
    "by text within a property": Case(
        by_property("contains", summary_has_phrase), that_term
    ),
    "by text within any property": Case(
        by_value("contains", value_has_phrase), that_term
    ),
}


def searches(rig: Rig) -> Measured:
    """How long it takes to find an entity among thousands."""
    figures: list[Figure] = []
    found = []
    with _ended(rig.node()) as node, closing(rig.asked(node)) as target:
        for name, case in SEARCHES.items():
            _check(target, case)
            times = asked(target, case.method.request, rig.pace.searches, rig)
            figures += of_times(f"search {name}", times)
            found.append(series(f"search {name}", times))
    return Measured(
        tuple(figures),
        tuple(found),
        (
            f"{rig.pace.searches} searches each by one caller; {rig.pace.terms:,} "
            "entities loaded, of which each finds one or a few",
        ),
    )


def _check(target: Target, case: Case) -> None:
    if missing := not_found([target], case):
        raise BenchError("; ".join(missing))


KINDS: Final = ("add an entity", "update an entity")


def bytes_written(rig: Rig) -> Measured:
    """How many bytes a change writes to the disk."""
    content = rig.loaded()
    with rig.node() as node:
        at_rest = node.stop()
    store = Store(rig.store, content, LAUNCH, at_rest)
    modes = {"one caller": (0, 1), f"{LANES} callers": (rig.pace.changes, LANES)}
    figures = []
    for mode, (first, lanes) in modes.items():
        for kind in KINDS:
            numbers = range(first, first + rig.pace.changes)
            found = written(store, kind, numbers, lanes)
            name = f"{kind}, {mode}"
            figures.append(Figure(name, round(found.disk), "bytes a change"))
            rig.tell(len(figures) / (len(modes) * len(KINDS)))
    return Measured(
        tuple(figures),
        notes=(
            f"a burst of {rig.pace.changes} changes each, without pauses, in a life of "
            "the process from its start to its end, less what a life without changes "
            "writes",
            "counted by the system for the process, in whole blocks; what the file "
            "system and the card write for themselves is not in it",
        ),
    )


@contextmanager
def _ended(node: Node) -> Iterator[Node]:
    """A node that is ended as a service manager does, if all goes well."""
    with node:
        yield node
        node.stop()


STAGES: Final = (
    Stage("sync", "Sync time of the disk", sync),
    Stage("loading", "Loading a store", loading),
    Stage("start", "Start", start),
    Stage("idle", "A node at rest", idle),
    Stage("commits", "Changes", commits),
    Stage("reads", "Reads by guid", reads),
    Stage("searches", "Searches", searches),
    Stage("bytes", "Bytes written by a change", bytes_written),
    Stage("cohort", "Two nodes in a cohort", cohort),
)
