"""Does a question cost more with 100,000 entities than with 1,000?

Two nodes are loaded over REST, one with 1,000 terms and one with 100,000, each with as
many relationships, and every question is asked of both in turn. Required is of the
questions whose answers are equally large on both that the large node takes at most twice
as long; the others, marked with a star, also find more where more is.

What is looked for is spread over all that is loaded. Before a question is measured, what
it must find is looked for in its answers.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.finding import (
    FINDING,
    by_property,
    by_value,
    condition,
    containing,
    find_entities,
    find_relationships,
    has,
    has_unique_name,
    quoted,
    search,
    unique_name_is,
    value_start,
)
from bench.glossary import GLOSSARY, text
from bench.harness import BenchError, Figures, Json, Table, milliseconds
from bench.loading import Stage, load
from bench.method import Method, a_category, a_term
from bench.node import Node, data_directory, file_system, stored_bytes
from bench.reading import READING
from bench.report import Answer, Requirement, parser_of
from bench.rounds import FULL, QUICK, Outcome, measure
from bench.target import Target, moved

LIMIT = 2.0  # times
LANES = 16
CHECKED = 20
"""Of so many requests a question's answers are looked at."""

Found = Callable[[Target, int], str]


@dataclass(frozen=True, slots=True)
class Case:
    """One question that is asked at both sizes.

    Attributes:
        method: How it is asked.
        finds: The guid that the answer to the request of a number must contain.
        required: Whether its time is limited.
        is_larger: Whether the answer is larger where more is stored.
    """

    method: Method
    finds: Found | None = None
    required: bool = False
    is_larger: bool = False


# What is looked for, of the term with a number's index


def index_of(target: Target, number: int) -> int:
    """The index of some term, as everywhere far from that of the number before."""
    return number * 7919 % len(target.terms)


RANK = {word: rank for rank, word in enumerate(GLOSSARY.words)}


def phrase(words: str) -> str:
    """The three words of a text that hardly occur together in another one."""
    split = words.split()[1:]  # the first one has a capital
    triples = [split[at : at + 3] for at in range(len(split) - 2)]
    return " ".join(max(triples, key=lambda three: sum(map(RANK.__getitem__, three))))


def summary_phrase(target: Target, number: int) -> str:
    """Three words of the summary of some term."""
    summary = GLOSSARY.term(index_of(target, number))["summary"]
    return phrase(summary["primitiveValue"])


def linked_index(target: Target, number: int) -> int:
    """The index of some relationship that is a TermCategorization."""
    index = index_of(target, number)
    return index - 1 if index % 10 == 9 else index


def summary_has_phrase(target: Target, number: int) -> Json:
    """By property: the summary contains the phrase."""
    return has("ALL", {"summary": text(containing(summary_phrase(target, number)))})


def summary_like_phrase(target: Target, number: int) -> Json:
    """By condition: the summary contains the phrase."""
    value = text(containing(summary_phrase(target, number)))
    return search(condition("summary", "LIKE", value))


def value_has_phrase(target: Target, number: int) -> str:
    """Any text contains the phrase."""
    return containing(summary_phrase(target, number))


def value_is_unique_name(target: Target, number: int) -> str:
    """Any text is the unique name."""
    name = GLOSSARY.term(index_of(target, number))["qualifiedName"]
    return quoted(name["primitiveValue"])


def summary_matches(target: Target, number: int) -> Json:
    """The summary matches an expression of words and parts of words."""
    one, two, three = summary_phrase(target, number).split()
    expression = rf".*\b{one}\s{two[:3]}\w+ [{three[0]}]\w*{three[-1]}\b.*"
    return has("ALL", {"summary": text(f"(?i){expression}")})


def link_has_phrase(target: Target, number: int) -> Json:
    """The description of the relationship contains a phrase of it."""
    made = GLOSSARY.categorization(linked_index(target, number))["description"]
    value = text(containing(phrase(made["primitiveValue"])))
    return search(condition("description", "LIKE", value))


def that_term(target: Target, number: int) -> str:
    """The guid of the term that is looked for."""
    return a_term(target, number)


def that_link(target: Target, number: int) -> str:
    """The guid of the relationship that is looked for."""
    return target.relationships[linked_index(target, number)]


def an_updated_term(target: Target, number: int) -> str:
    """The guid of a term that has a past."""
    updated = target.terms[7::20]
    return updated[number * 7919 % len(updated)]


def named(name: str, methods: Sequence[Method] = (*READING, *FINDING)) -> Method:
    """A method of the list that the REST methods are measured with."""
    (found,) = [method for method in methods if method.name == name]
    return found


CASES = (
    Case(by_property("exact", has_unique_name), that_term, required=True),
    Case(find_entities("EQ", unique_name_is), that_term, required=True),
    Case(by_value("exact", value_is_unique_name), that_term, required=True),
    Case(by_property("contains", summary_has_phrase), that_term, required=True),
    Case(find_entities("contains", summary_like_phrase), that_term, required=True),
    Case(by_value("contains", value_has_phrase), that_term, required=True),
    Case(named("findEntitiesByProperty, contains, common"), required=True),
    Case(named("findEntitiesByProperty, contains, rare"), is_larger=True),
    Case(named("findEntitiesByProperty, exact name"), is_larger=True),
    Case(
        find_relationships("contains", link_has_phrase),
        that_link,
        required=True,
    ),
    Case(
        named("getEntityNeighborhood, term, level 1"),
        that_term,
        required=True,
    ),
    Case(named("getEntityNeighborhood, category, level 1"), a_category, is_larger=True),
    Case(by_value("starts with", value_start)),
    Case(named("findEntitiesByProperty, starts with"), is_larger=True),
    Case(by_property("regex with literals", summary_matches), that_term),
    Case(named("findEntitiesByProperty, regex without a literal"), is_larger=True),
    Case(by_property("exact", has_unique_name, past=True), that_term),
    Case(by_property("contains", summary_has_phrase, past=True), that_term),
    Case(
        named("getEntityNeighborhood, term, level 1, asOfTime"),
        that_term,
    ),
    Case(named("getEntityDetail asOfTime"), an_updated_term),
    Case(named("getEntityDetail"), that_term),
    Case(named("findEntities, all of the type")),
    Case(named("findEntities, all of the type, by name")),
)


def not_found(targets: Sequence[Target], case: Case) -> list[str]:
    """What is missing in the answers to a case."""
    if case.finds is None:
        return []
    missing = []
    for target in targets:
        lacking = sum(
            case.finds(target, number)
            not in json.dumps(target.call(case.method.request(target, number)))
            for number in range(CHECKED)
        )
        if lacking:
            missing.append(
                f"{case.method.name}, {target.label}: {lacking} of {CHECKED} answers "
                "lack what they were asked for"
            )
    return missing


# The report


def ratio_of(outcome: Outcome) -> float | None:
    """The large node's median by the small one's."""
    medians = [Figures.of(times).median for times in outcome.times.values()]
    return medians[1] / medians[0] if len(medians) == 2 else None


def row(case: Case, outcome: Outcome) -> tuple[str, ...]:
    """A case in the table."""
    cells = [f"{case.method.name}{' *' if case.is_larger else ''}"]
    for label, times in outcome.times.items():
        cells += [str(Figures.of(times)), f"{mean(outcome.results[label]):.1f}"]
    ratio = ratio_of(outcome)
    return (*cells, "" if ratio is None else milliseconds(ratio))


def mean(counts: Sequence[int]) -> float:
    """The mean, rounded to a tenth."""
    return round(statistics.fmean(counts), 1)


def figures_of(case: Case, outcome: Outcome) -> Json:
    """A case as JSON."""
    made: Json = {"method": case.method.name, "ratio": ratio_of(outcome)}
    for label, times in outcome.times.items():
        figures = Figures.of(times)
        made[label] = {
            "n": figures.n,
            "median ms": figures.median,
            "p99 ms": figures.p99,
            "results": mean(outcome.results[label]),
        }
    return made


def loading_table(label: str, stages: Sequence[Stage]) -> Table:
    """How fast loading was."""
    columns = ("what", "count", "seconds", "a second", "a second at the end")
    rows = tuple(
        (
            stage.what,
            f"{stage.count:,}",
            f"{stage.seconds:.1f}",
            f"{stage.per_second:,.0f}",
            f"{stage.last_per_second:,.0f}",
        )
        for stage in stages
    )
    title = f"Loading {label} terms over REST, {LANES} connections"
    return Table(title, columns, rows)


def loaded(
    answer: Answer, directory: Path, sizes: Sequence[int], stack: ExitStack
) -> list[Target]:
    """A node for each size, loaded and started anew."""
    targets = []
    for size in sizes:
        label = f"{size:,}"
        with Node(directory / str(size)) as node:
            target = node.target(label)
            stages = load(target, size, LANES)
            target.close()
            node.stop()
        answer.tables.append(loading_table(label, stages))
        answer.figures.setdefault("loading", {})[label] = [
            {"what": s.what, "count": s.count, "seconds": round(s.seconds, 3)}
            for s in stages
        ]
        stored = stored_bytes(directory / str(size))
        answer.notes.append(f"{label} terms: {stored / 1e6:.1f} MB on the disk")
        again = stack.enter_context(Node(directory / str(size)))
        targets.append(moved(target, again.url))
        stack.callback(targets[-1].close)
    return targets


def answered(options: argparse.Namespace) -> Answer:
    """Measure every case at both sizes.

    Raises:
        BenchError: A server refused something.
    """
    answer = Answer("scale", "Growth: the same questions with more content")
    sizes = options.sizes or ("60,200" if options.quick else "1000,100000")
    small, large = (int(size) for size in sizes.split(","))
    pace = QUICK if options.quick else FULL
    with ExitStack() as stack:
        directory = stack.enter_context(
            data_directory(options.directory, may_be_memory=True)
        )
        answer.notes.append(f"data on {file_system(directory)}")
        targets = loaded(answer, directory, (small, large), stack)
        rows, figures = [], []
        for case in CASES:
            answer.wrong += not_found(targets, case)
            outcome = measure(targets, case.method, pace)
            remarks = outcome.remarks(same_content=False, must_find=pace is FULL)
            answer.wrong += [f"{case.method.name}: {text}" for text in remarks]
            rows.append(row(case, outcome))
            figures.append(figures_of(case, outcome))
            if case.required:
                ratio = ratio_of(outcome)
                what = f"{case.method.name}: {large:,} against {small:,}"
                answer.requirements.append(Requirement(what, ratio, LIMIT, "times"))
    columns = ["question"]
    for size in (small, large):
        columns += [f"{size:,}: median / p99 ms", "results"]
    title = f"{small:,} and {large:,} terms, and as many relationships"
    answer.tables.insert(0, Table(title, (*columns, "ratio"), tuple(rows)))
    answer.figures["questions"] = figures
    answer.notes.append("*: finds more where more is stored, so it is not required")
    return answer


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 1 when an answer was wrong, 2 on failure."""
    parser = parser_of("scale", __doc__)
    parser.add_argument("--sizes", help="numbers of terms, 1000,100000 by default")
    options = parser.parse_args(arguments)
    try:
        answer = answered(options)
    except BenchError as error:
        print(f"scale: {error}", file=sys.stderr)
        return 2
    return answer.give(options.markdown)


if __name__ == "__main__":
    sys.exit(main())
