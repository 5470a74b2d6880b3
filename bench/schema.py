"""What would another schema write, and what would it take to read?

The schema was chosen for the bytes that a change writes as well as for speed. This holds
it against the other choices, one at a time: other page sizes, index rows written with
each change instead of many changes later, rowid tables with an index instead of tables
sorted by their keys, documents compressed one by one. Each variant is a node of its own
with the same content and the same changes; the reads are asked of all of them in turn.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from bench.bytes_written import KINDS, QUICK_KINDS, Store, Written, every_kind, filled
from bench.harness import BenchError, Figures, Json, Table
from bench.node import data_directory, file_system, stored_bytes
from bench.report import Answer, parser_of
from bench.rounds import FULL, QUICK, Outcome, Pace, measure
from bench.scale import CASES, Case, not_found
from bench.target import Target, moved
from bench.variants import VARIANTS

QUICK_VARIANTS = ("as it is", "compressed documents")
QUESTIONS = (
    "getEntityDetail",
    "findEntitiesByProperty, exact",
    "findEntitiesByProperty, contains",
    "findEntitiesByProperty, contains, common",
    "findEntities, all of the type, by name",
    "getEntityNeighborhood, category, level 1",
)


def bytes_table(found: dict[str, list[Written]], mode: str, stored: Json) -> Table:
    """The bytes of a mode's changes, a row each variant."""
    kinds = [each.kind for each in next(iter(found.values())) if each.mode == mode]
    columns = ["variant", *(f"{kind}, KB" for kind in kinds), "bytes a term stored"]
    rows = []
    for name, all_written in found.items():
        cells = [name]
        for each in all_written:
            if each.mode == mode:
                group = "" if mode == "alone" else f" ({each.group:.0f} a commit)"
                cells.append(f"{each.disk / 1000:.1f}{group}")
        rows.append((*cells, f"{stored[name]:,.0f}"))
    return Table(f"Written by a change, {mode}", tuple(columns), tuple(rows))


def reads_table(outcomes: Sequence[Outcome], terms: int) -> Table:
    """The times of the reads, a row each variant."""
    columns = ["variant", *(f"{outcome.method.name}" for outcome in outcomes)]
    rows = []
    for name in outcomes[0].times:
        times = [outcome.times.get(name) for outcome in outcomes]
        cells = [str(Figures.of(each)) if each else "refused" for each in times]
        rows.append((name, *cells))
    title = f"Median / p99 ms of reads from memory, {terms:,} terms and more"
    return Table(title, tuple(columns), tuple(rows))


def cases() -> list[Case]:
    """The reads, as they are asked elsewhere."""
    return [case for case in CASES if case.method.name in QUESTIONS]


def read(
    stores: dict[str, Store], answer: Answer, stack: ExitStack, pace: Pace
) -> list[Outcome]:
    """Ask the reads of all variants in turn."""
    targets: list[Target] = []
    for store in stores.values():
        node = stack.enter_context(store.node())
        targets.append(moved(store.content, node.url))
        stack.callback(targets[-1].close)
    outcomes = []
    for case in cases():
        answer.wrong += not_found(targets, case)
        outcome = measure(targets, case.method, pace)
        remarks = outcome.remarks(same_content=False, must_find=pace is FULL)
        answer.wrong += [f"{case.method.name}: {text}" for text in remarks]
        outcomes.append(outcome)
    return outcomes


def read_figures(outcomes: Sequence[Outcome]) -> Json:
    """The times of the reads as JSON."""
    return {
        outcome.method.name: {
            name: {"n": f.n, "median ms": f.median, "p99 ms": f.p99}
            for name, times in outcome.times.items()
            for f in (Figures.of(times),)
        }
        for outcome in outcomes
    }


def answered(options: argparse.Namespace) -> Answer:
    """Load, change and read every variant.

    Raises:
        BenchError: A node refused something.
    """
    answer = Answer("schema", "The choice of the schema")
    terms, changes = (60, 12) if options.quick else (10_000, 1_500)
    kinds = QUICK_KINDS if options.quick else tuple(KINDS)
    names = QUICK_VARIANTS if options.quick else tuple(VARIANTS)
    found: dict[str, list[Written]] = {}
    stores: dict[str, Store] = {}
    per_term: Json = {}
    with (
        data_directory(options.directory, may_be_memory=options.quick) as directory,
        ExitStack() as stack,
    ):
        answer.notes.append(f"data on {file_system(directory)}")
        for number, name in enumerate(names):
            where, launch = directory / str(number), ("-m", "bench.variants", name)
            stores[name] = filled(where, terms, name, launch)
            per_term[name] = stored_bytes(where) / terms
            found[name] = every_kind(stores[name], changes, kinds)
        outcomes = read(stores, answer, stack, QUICK if options.quick else FULL)
    answer.tables = [
        bytes_table(found, "alone", per_term),
        bytes_table(found, "in groups", per_term),
        reads_table(outcomes, terms),
    ]
    answer.figures = {
        "terms": terms,
        "bytes a term": per_term,
        "written": {
            name: [each.json() for each in kinds] for name, kinds in found.items()
        },
        "reads": read_figures(outcomes),
    }
    answer.notes += [
        f"{changes:,} changes of each kind, alone and in groups, {terms:,} terms stored",
        "the reads find everything in the system's memory: what a card takes to read "
        "is not in them",
    ]
    return answer


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 1 when an answer was wrong, 2 on failure."""
    options = parser_of("schema", __doc__).parse_args(arguments)
    try:
        answer = answered(options)
    except BenchError as error:
        print(f"schema: {error}", file=sys.stderr)
        return 2
    return answer.give(options.markdown)


if __name__ == "__main__":
    sys.exit(main())
