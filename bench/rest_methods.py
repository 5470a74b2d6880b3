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
from pathlib import Path

from bench import genuine
from bench.changing import CHANGING
from bench.finding import FINDING
from bench.glossary import Target, connect, load
from bench.harness import (
    BenchError,
    Connection,
    Figures,
    Json,
    Progress,
    Table,
    answers,
    client_cost,
    facts,
    milliseconds,
    serving,
    write_report,
)
from bench.method import Method
from bench.reading import READING
from bench.rounds import Outcome, measure

METHODS = (*READING, *FINDING, *CHANGING)
PRACTICE_SIZE = 500


def measure_all(
    targets: Sequence[Target], size: int, methods: Sequence[Method]
) -> list[Outcome]:
    """Load the targets up to ``size`` and measure the methods there."""
    for target in targets:
        load(target, size)
    outcomes = []
    progress = Progress(f"{size} terms: methods", len(methods))
    for done, method in enumerate(methods, 1):
        outcomes.append(measure(targets, method))
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
    if remarks := outcome.remarks():
        made["remarks"] = remarks
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


def report(
    targets: Sequence[Target], sizes: Sequence[int], methods: Sequence[Method]
) -> tuple[Json, list[Table]]:
    """Measure at every size; the answer as JSON and as tables."""
    origins = {target.label: origin(target.url) for target in targets}
    labels = [target.label for target in targets]
    before = facts()
    cost = client_cost()
    measure_all(targets, PRACTICE_SIZE, methods)
    rows: Json = {}
    tables, notes = [], []
    for size in sizes:
        outcomes = measure_all(targets, size, methods)
        rows[str(size)] = [row(outcome) for outcome in outcomes]
        tables.append(table(size, labels, outcomes))
        for outcome in outcomes:
            text = "; ".join(outcome.remarks())
            if text:
                notes.append(f"{size:,}: {outcome.method.name}: {text}")
    for length, times in cost.items():
        notes.append(
            f"client and loopback alone, for an answer of {length}: "
            f"{times['lowest ms']:.3f} to {times['highest ms']:.3f} ms"
        )
    made = {
        "question": "rest_methods",
        **before,
        "load average at the end": facts()["machine"]["load average"],
        "versions": origins,
        "client cost": cost,
        "sizes": rows,
        "tables": [
            {"title": t.title, "columns": t.columns, "rows": t.rows} for t in tables
        ],
        "notes": notes,
    }
    return made, tables


def origin(url: str) -> str:
    """What a platform says it is."""
    connection = Connection(url)
    message = connection.message("GET", genuine.ORIGIN)
    _, body = connection.exchange(message)
    connection.close()
    return body.decode().strip()


def markdown(made: Json, tables: Sequence[Table]) -> str:
    """The report as a document."""
    machine = made["machine"]
    versions = ", ".join(f"{key}: {text}" for key, text in made["versions"].items())
    lines = [
        "## REST methods",
        "",
        f"{made['date']}, commit {made['commit']}, Python {made['python']}, "
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory']}, "
        f"{machine['system']}. {versions}.",
        "",
        *(f"{table.markdown()}\n" for table in tables),
        *(f"- {note}" for note in made["notes"]),
    ]
    return "\n".join(lines) + "\n"


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line's options."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.rest_methods",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, what in (
        ("--genuine", "a genuine Egeria platform"),
        ("--edgenode", "a platform of this project"),
    ):
        parser.add_argument(name, nargs=2, metavar=("URL", "SERVER"), help=what)
    parser.add_argument(
        "--configure-genuine",
        action="store_true",
        help="start a genuine platform there unless one answers, and configure SERVER "
        "anew with an empty in-memory repository",
    )
    parser.add_argument(
        "--edgenode-command",
        metavar="COMMAND",
        help="the command line that starts the edgenode server, in the foreground",
    )
    parser.add_argument("--sizes", default="4000,20000", help="numbers of terms")
    parser.add_argument(
        "--only",
        metavar="REGEX",
        help="the methods to measure (changes need addEntity)",
    )
    parser.add_argument("--markdown", metavar="PATH", type=Path)
    options = parser.parse_args(arguments)
    if not (options.genuine or options.edgenode):
        parser.error("nothing to measure: give --genuine or --edgenode, or both")
    return options


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line says; 1 when an answer was wrong, 2 on failure."""
    options = parsed(arguments)
    sizes = [int(size) for size in options.sizes.split(",")]
    try:
        methods = chosen(options.only)
        with ExitStack() as stack:
            targets = []
            if options.genuine:
                url, server = options.genuine
                if options.configure_genuine:
                    stack.enter_context(genuine.platform(url))
                    genuine.configure(url, server)
                targets.append(connect("genuine", url, server))
            if options.edgenode:
                url, server = options.edgenode
                if options.edgenode_command:
                    path = genuine.ORIGIN
                    stack.enter_context(
                        serving(options.edgenode_command, lambda: answers(url, path))
                    )
                targets.append(connect("edgenode", url, server))
            made, tables = report(targets, sizes, methods)
    except BenchError as error:
        print(f"rest_methods: {error}", file=sys.stderr)
        return 2
    write_report(made)
    if options.markdown:
        options.markdown.write_text(markdown(made, tables), encoding="utf-8")
    wrong = [row for rows in made["sizes"].values() for row in rows if "remarks" in row]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
