"""What do the OMRS REST methods cost, at 4,000 and at 20,000 terms?

The same glossary is loaded over REST into each server named, with as many relationships
as terms; then every method is asked of the servers in turn, a round on one and a round
on the other, over one keep-alive connection each. A genuine Egeria 4.2 keeps everything
in memory; the figures of this node include its disk.

Each method is warmed up first, and before anything counts the whole list runs once on a
small glossary, because a Java machine starts slowly. The figures are medians and 99th
percentiles of at least 60 requests, or 15 where one takes more than 100 ms; the 99th
percentile of fewer than 100 is the slowest one.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from bench import genuine
from bench.changing import CHANGING
from bench.finding import FINDING
from bench.harness import (
    BenchError,
    Connection,
    Figures,
    Json,
    Progress,
    Table,
    client_cost,
    milliseconds,
)
from bench.loading import load
from bench.method import Method
from bench.node import Node, data_directory
from bench.reading import READING
from bench.report import Answer, Requirement, parser_of
from bench.rounds import FULL, QUICK, Outcome, Pace, measure
from bench.target import Target, connect

METHODS = (*READING, *FINDING, *CHANGING)
PRACTICE_SIZE = 500


def measure_all(
    targets: Sequence[Target], size: int, methods: Sequence[Method], pace: Pace
) -> list[Outcome]:
    """Load the targets up to ``size`` and measure the methods there."""
    for target in targets:
        load(target, size)
    outcomes = []
    progress = Progress(f"{size} terms: methods", len(methods))
    for done, method in enumerate(methods, 1):
        outcomes.append(measure(targets, method, pace))
        progress.at(done)
    return [outcome for outcome in outcomes if outcome.method.measured]


# The report


def row(outcome: Outcome) -> Json:
    """The figures of one method as JSON."""
    made: Json = {"method": outcome.method.name}
    for label, times in outcome.times.items():
        figures = Figures.of(times)
        counts = outcome.results[label]
        made[label] = {
            "n": figures.n,
            "median ms": figures.median,
            "p99 ms": figures.p99,
            "results": round(sum(counts) / len(counts), 1),
            "largest answer": outcome.bytes[label],
        }
    if ratio := ratio_of(outcome):
        made["ratio"] = round(ratio, 4)
    return made


def ratio_of(outcome: Outcome) -> float | None:
    """The node's median by the genuine one; None unless both were measured."""
    if not {"genuine", "edgenode"} <= outcome.times.keys():
        return None
    genuine_median = Figures.of(outcome.times["genuine"]).median
    return Figures.of(outcome.times["edgenode"]).median / genuine_median


def table(size: int, labels: Sequence[str], outcomes: Sequence[Outcome]) -> Table:
    """The figures of one size as a table."""
    columns = ["method", "n"]
    columns += [f"{label} median / p99 ms" for label in labels]
    columns += ["ratio"] if len(labels) == 2 else ["results"]
    rows = []
    for outcome in outcomes:
        counted = [len(times) for times in outcome.times.values()]
        cells = [outcome.method.name, str(max(counted, default=0))]
        for label in labels:
            times = outcome.times.get(label)
            cells.append(str(Figures.of(times)) if times else "refused")
        if len(labels) == 2:
            ratio = ratio_of(outcome)
            cells.append("" if ratio is None else milliseconds(ratio))
        else:
            counts = outcome.results.get(labels[0], [])
            cells.append(f"{sum(counts) / len(counts):.1f}" if counts else "")
        rows.append(tuple(cells))
    return Table(f"{size:,} terms, {size:,} relationships", tuple(columns), tuple(rows))


def requirement(size: int, outcomes: Sequence[Outcome]) -> Requirement:
    """No method is slower at the median than the genuine one."""
    ratios = [ratio_of(outcome) for outcome in outcomes]
    slowest = None if None in ratios else max(filter(None, ratios), default=None)
    what = f"the slowest method's ratio to genuine Egeria, {size:,} terms"
    return Requirement(what, slowest, 1.0, "times")


def measured(
    targets: Sequence[Target],
    sizes: Sequence[int],
    methods: Sequence[Method],
    pace: Pace = FULL,
) -> Answer:
    """Measure at every size."""
    answer = Answer("rest_methods", "REST methods")
    versions = {target.label: origin(target.url) for target in targets}
    labels = [target.label for target in targets]
    cost = client_cost()
    if pace is FULL:
        measure_all(targets, PRACTICE_SIZE, methods, pace)
    rows: Json = {}
    for size in sizes:
        outcomes = measure_all(targets, size, methods, pace)
        rows[str(size)] = [row(outcome) for outcome in outcomes]
        answer.tables.append(table(size, labels, outcomes))
        answer.wrong += [
            f"{size:,}: {outcome.method.name}: {remark}"
            for outcome in outcomes
            for remark in outcome.remarks(must_find=pace is FULL)
        ]
        if "genuine" in labels:
            answer.requirements.append(requirement(size, outcomes))
    answer.figures = {"versions": versions, "client cost": cost, "sizes": rows}
    answer.notes += [f"{label}: {version}" for label, version in versions.items()]
    answer.notes += [
        f"client and loopback alone, for an answer of {length}: "
        f"{times['lowest ms']:.3f} to {times['highest ms']:.3f} ms"
        for length, times in cost.items()
    ]
    if "genuine" not in labels:
        answer.notes.append(
            f"nothing was compared with a genuine Egeria: {genuine.how_to_compare()}"
        )
    return answer


def origin(url: str) -> str:
    """What a platform says it is."""
    connection = Connection(url)
    message = connection.message("GET", genuine.ORIGIN)
    _, body = connection.exchange(message)
    connection.close()
    return body.decode().strip()


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line's options."""
    parser = parser_of("rest_methods", __doc__)
    server = ("URL", "SERVER")
    parser.add_argument(
        "--genuine", nargs=2, metavar=server, help="a genuine platform to compare with"
    )
    parser.add_argument(
        "--configure-genuine",
        action="store_true",
        help="start a genuine platform there unless one answers, and configure SERVER "
        "anew with an empty in-memory repository",
    )
    parser.add_argument(
        "--edgenode",
        nargs=2,
        metavar=server,
        help="a node that runs already, empty; without it one is started",
    )
    parser.add_argument("--sizes", help="numbers of terms, 4000,20000 by default")
    parser.add_argument(
        "--only",
        metavar="REGEX",
        help="the methods to measure (changes need addEntity)",
    )
    return parser.parse_args(arguments)


def chosen(only: str | None) -> list[Method]:
    """The methods whose names match, and the changes that those build on, unmeasured.

    Raises:
        BenchError: none matches.
    """
    if only is None:
        return list(METHODS)
    matching = [method for method in METHODS if re.search(only, method.name)]
    if not matching:
        raise BenchError(f"no method's name matches {only}")
    if not any(method.changes for method in matching):
        return matching
    steps = [
        method if method in matching else replace(method, measured=False)
        for method in CHANGING
    ]
    return [method for method in matching if not method.changes] + steps


def targets_of(options: argparse.Namespace, stack: ExitStack) -> list[Target]:
    """The servers that the options name, or one of this project of its own."""
    targets = []
    if options.genuine:
        url, server = options.genuine
        if options.configure_genuine:
            stack.enter_context(genuine.platform(url))
            genuine.configure(url, server)
        targets.append(connect("genuine", url, server))
    if options.edgenode:
        targets.append(connect("edgenode", *options.edgenode))
    else:
        directory = stack.enter_context(
            data_directory(options.directory, may_be_memory=options.quick)
        )
        node = stack.enter_context(Node(directory))
        targets.append(node.target())
    for target in targets:
        stack.callback(target.close)
    return targets


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line says; 1 when an answer was wrong, 2 on failure."""
    options = parsed(arguments)
    sizes = options.sizes or ("60" if options.quick else "4000,20000")
    try:
        methods = chosen(options.only)
        with ExitStack() as stack:
            targets = targets_of(options, stack)
            answer = measured(
                targets,
                [int(size) for size in sizes.split(",")],
                methods,
                QUICK if options.quick else FULL,
            )
    except BenchError as error:
        print(f"rest_methods: {error}", file=sys.stderr)
        return 2
    return answer.give(options.markdown)


if __name__ == "__main__":
    sys.exit(main())
