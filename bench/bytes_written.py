"""How many bytes does one change write to the disk?

The target's disk is an SD card, so this is asked of each kind of change, made alone (one
connection, each change waits for the one before) and in groups (many connections). The
count is the system's for the whole life of a node's process, less that of a life without
changes: it has everything that a change causes, its index rows and the copying of the
write-ahead log included. What the file system writes for itself is only in the count of
the disk, where everybody else's writes are too.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.glossary import ASSIGNMENT, CONFIDENCE, GLOSSARY, TERM, integer
from bench.harness import BenchError, Json, Progress, Table
from bench.loading import exchanged, load
from bench.method import Make
from bench.node import (
    LAUNCH,
    Io,
    Node,
    data_directory,
    disk_written,
    file_system,
    stored_bytes,
)
from bench.report import Answer, parser_of
from bench.target import (
    Request,
    Target,
    add_entity,
    add_relationship,
    moved,
    new_values,
    update_entity,
)

COMMITS = "edgenode_store_commits_total"
LOADING_LANES = 16
LANES = 32
"""Connections for changes in groups."""


@dataclass(frozen=True, slots=True)
class Written:
    """What changes of a kind have written, each.

    Attributes:
        kind: What kind.
        mode: How they were made.
        changes: How many.
        group: How many there were in a commit, on average.
        seconds: How long all of them took.
        disk: Bytes that the system wrote for the process.
        given: Bytes that the process gave to the system.
        device: Bytes written to the disk by everybody; None where it isn't counted.
    """

    kind: str
    mode: str
    changes: int
    group: float
    seconds: float
    disk: float
    given: float
    device: float | None

    def cells(self) -> tuple[str, ...]:
        """It in a table."""
        device = "unknown" if self.device is None else f"{self.device / 1000:.1f}"
        return (
            f"{self.kind}, {self.mode}",
            f"{self.group:.1f}",
            f"{self.disk / 1000:.1f}",
            f"{self.given / 1000:.1f}",
            device,
            f"{self.changes / self.seconds:,.0f}",
        )

    def json(self) -> Json:
        """It as JSON."""
        return {
            "kind": self.kind,
            "mode": self.mode,
            "changes": self.changes,
            "changes a commit": round(self.group, 1),
            "seconds": round(self.seconds, 3),
            "bytes a change": round(self.disk),
            "bytes a change given to the system": round(self.given),
            "bytes a change of the whole disk": (
                None if self.device is None else round(self.device)
            ),
        }


# The changes, of entities all over what is loaded, each of them once


def index_of(target: Target, number: int) -> int:
    """The index of a term, of another one for each number below the number of terms."""
    return number * 7919 % len(target.terms)


def an_entity(_: Target, number: int) -> Request:
    """A new term."""
    return add_entity(TERM, GLOSSARY.term(3_000_000 + number))


def an_update(target: Target, number: int) -> Request:
    """Another description of a term."""
    index = index_of(target, number)
    return update_entity(target.terms[index], GLOSSARY.term(index, edition=3))


def a_classification(target: Target, number: int) -> Request:
    """A classification that no term has yet."""
    guid = target.terms[index_of(target, number)]
    path = f"/instances/entity/{guid}/classification/{CONFIDENCE.name}"
    return Request("POST", path, new_values({"confidence": integer(number % 100)}))


def a_relationship(target: Target, number: int) -> Request:
    """A relationship between two terms."""
    one = target.terms[index_of(target, number)]
    other = target.terms[index_of(target, number * 31 + 7)]
    return add_relationship(ASSIGNMENT, one, other, GLOSSARY.assignment(number))


KINDS: Final[Mapping[str, Make]] = {
    "add an entity": an_entity,
    "update an entity": an_update,
    "classify an entity": a_classification,
    "add a relationship": a_relationship,
}
QUICK_KINDS: Final = ("add an entity",)


# Measuring


@dataclass(frozen=True, slots=True)
class Store:
    """A data directory with a loaded glossary in it.

    Attributes:
        directory: Where it is.
        content: What was loaded.
        launch: What runs on it.
        at_rest: What a life without any change writes.
    """

    directory: Path
    content: Target
    launch: Sequence[str]
    at_rest: Io

    def node(self) -> Node:
        """A node on it."""
        return Node(self.directory, self.launch)


def filled(
    directory: Path, terms: int, label: str, launch: Sequence[str] = LAUNCH
) -> Store:
    """Load a store.

    Raises:
        BenchError: The node refused something.
    """
    with Node(directory, launch) as node:
        content = node.target(label)
        load(content, terms, LOADING_LANES)
        content.close()
        node.stop()
    with Node(directory, launch) as node:
        at_rest = node.stop()
    return Store(directory, content, launch, at_rest)


def written(store: Store, kind: str, numbers: Sequence[int], lanes: int) -> Written:
    """Make the changes of these numbers, in a life of their own.

    Raises:
        BenchError: The node refused one.
    """
    before = disk_written(store.directory)
    with store.node() as node:
        target = moved(store.content, node.url)
        requests = [KINDS[kind](target, number) for number in numbers]
        commits = node.metric(COMMITS)
        seconds, _ = exchanged(target, requests, lanes)
        commits = node.metric(COMMITS) - commits
        target.close()
        counted = node.stop() - store.at_rest
    after = disk_written(store.directory)
    count = len(numbers)
    return Written(
        kind=kind,
        mode="alone" if lanes == 1 else "in groups",
        changes=count,
        group=count / commits,
        seconds=seconds,
        disk=counted.disk / count,
        given=counted.given / count,
        device=None if before is None or after is None else (after - before) / count,
    )


def every_kind(store: Store, changes: int, kinds: Sequence[str]) -> list[Written]:
    """Make so many changes of each of the kinds alone, and as many in groups."""
    modes = ((range(changes), 1), (range(changes, 2 * changes), LANES))
    progress = Progress(f"{store.content.label}: changes", 2 * len(kinds))
    found = []
    for numbers, lanes in modes:
        for kind in kinds:
            found.append(written(store, kind, numbers, lanes))
            progress.at(len(found))
    return found


COLUMNS = (
    "change",
    "changes a commit",
    "KB a change to the disk",
    "KB a change given to the system",
    "KB a change of the whole disk",
    "changes a second",
)


def answered(options: argparse.Namespace) -> Answer:
    """Load a store and change it in every way.

    Raises:
        BenchError: The node refused something.
    """
    answer = Answer("bytes_written", "Bytes written by a change")
    terms, changes = (60, 12) if options.quick else (20_000, 3_000)
    kinds = QUICK_KINDS if options.quick else tuple(KINDS)
    with data_directory(options.directory, may_be_memory=options.quick) as directory:
        answer.notes.append(f"data on {file_system(directory)}")
        store = filled(directory / "store", terms, "edgenode")
        per_entity = stored_bytes(directory) / terms
        found = every_kind(store, changes, kinds)
    title = f"{changes:,} changes of each kind, {terms:,} terms stored"
    answer.tables = [Table(title, COLUMNS, tuple(each.cells() for each in found))]
    answer.figures = {"terms": terms, "changes": [each.json() for each in found]}
    sizes = [len(json.dumps(KINDS[kind](store.content, 0).body)) for kind in KINDS]
    requests = (f"{kind}: {size:,}" for kind, size in zip(KINDS, sizes, strict=True))
    answer.notes += [
        f"bytes of a request's body: {', '.join(requests)}",
        f"on the disk, with one relationship each: {per_entity:,.0f} bytes a term",
        "the whole disk's bytes are those of all programs, so they are an upper bound",
    ]
    return answer


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 2 on failure."""
    options = parser_of("bytes_written", __doc__).parse_args(arguments)
    try:
        answer = answered(options)
    except BenchError as error:
        print(f"bytes_written: {error}", file=sys.stderr)
        return 2
    return answer.give(options.markdown)


if __name__ == "__main__":
    sys.exit(main())
