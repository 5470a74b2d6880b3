"""docs/conformance.md, written from the results that are kept."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.harness import ROOT, Table
from tests.egeria.conformance.performance import Timing, Timings, kept_timings
from tests.egeria.conformance.report import Profile, Requirement, Results, kept_results
from tests.egeria.conformance.state import duration

KEPT = Path(__file__).parent / "results"
DOCUMENT = ROOT / "docs" / "conformance.md"
NOTES = Path(__file__).parent / "notes.md"
NODE = "node"
GENUINE = "genuine"
VERDICTS = {
    "CONFORMANT_FULL_SUPPORT": "conformant",
    "CONFORMANT_PARTIAL_SUPPORT": "conformant in part",
    "CONFORMANT_NO_SUPPORT": "not supported",
    "NOT_CONFORMANT": "not conformant",
    "UNKNOWN_STATUS": "not tested",
}
HEAD = """\
# Conformance

What Egeria's own conformance suite, release 4.2, says of an edge node, beside what it says
of the genuine platform's in-memory repository. Both are members of a cohort over Kafka, the
node with the type archive of the release loaded; the suite asks both over REST.

```console
$ make conformance
$ make conformance-performance
```

Each needs Java 17 and Maven (`sudo apt-get install openjdk-17-jdk-headless maven`) and 6 GB of
memory, works in the background, says where it stands when it is called again, and writes its
part of this document when it is done. `ARGS=--stop` stops it, `ARGS=--again` begins anew. The
repository workbench tests the node alone, beside the results of the in-memory repository that
are kept in `tests/egeria/conformance/results`; `ARGS="--again --member genuine"` makes those
anew.
"""
REPOSITORY = """\
## Repository workbench

A profile is a set of requirements; one test case is mostly about one type. A test case counts
for each requirement that it says something about. *Not tested* is what the suite has no test
case for. Of each type the suite makes some more instances than go on a page of a search; how
many that are (`ARGS="--page-size 10"`) changes how long the searches take, and none of the cases.
"""
PERFORMANCE = """\
## Performance workbench

The medians of the elapsed times that the suite notes for each call, in milliseconds; it notes
whole ones, so the means stand beside them. First the in-memory repository was under test, then
the node, on the same machine in the same run. A median of the node's that is higher is in bold.
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was found of both; None for what hasn't been tested yet."""

    node: Results | None = None
    genuine: Results | None = None
    node_timings: Timings | None = None
    genuine_timings: Timings | None = None


def kept(directory: Path = KEPT) -> Kept:
    """What stands in the directory of results."""

    def read(workbench: str, member: str) -> Any:
        try:
            return json.loads((directory / f"{workbench}-{member}.json").read_bytes())
        except FileNotFoundError:
            return None

    node, genuine = read("repository", NODE), read("repository", GENUINE)
    fast, reference = read("performance", NODE), read("performance", GENUINE)
    return Kept(
        node and kept_results(node),
        genuine and kept_results(genuine),
        fast and kept_timings(fast),
        reference and kept_timings(reference),
    )


def keep(workbench: str, member: str, found: Results | Timings) -> None:
    """Keep what a run found."""
    KEPT.mkdir(exist_ok=True)
    path = KEPT / f"{workbench}-{member}.json"
    path.write_text(json.dumps(found.json(), indent=1) + "\n", encoding="utf-8")


def document(found: Kept, notes: str = "") -> str:
    """The whole document; ``notes`` is what people wrote about it."""
    parts = [HEAD]
    if found.node or found.genuine:
        parts.append(REPOSITORY)
        parts.extend(_repository(found))
    if found.node_timings or found.genuine_timings:
        parts.append(PERFORMANCE)
        parts.extend(_performance(found))
    if notes:
        parts.append(notes)
    return "\n".join(parts)


def write() -> None:
    """Write the document from what is kept."""
    notes = NOTES.read_text(encoding="utf-8") if NOTES.exists() else ""
    DOCUMENT.write_text(document(kept(), notes), encoding="utf-8")


def _repository(found: Kept) -> Iterator[str]:
    runs = {"node": found.node, "in-memory repository": found.genuine}
    for name, results in runs.items():
        if results is not None:
            told = f"pages of {results.facts['page_size']}, {_told(results.facts)}"
            yield f"- {name}: {_counts(results)}; {told}"
    yield ""
    yield _profiles(found)
    yield ""
    for name, results in runs.items():
        if results is not None and results.failures:
            yield _failures(name, results)
            yield ""


def _counts(results: Results) -> str:
    return (
        f"{results.cases} test cases, {results.passed} passed, "
        f"{results.failed} failed, {results.skipped} skipped"
    )


def _told(facts: Mapping[str, Any]) -> str:
    machine = facts["machine"]
    return (
        f"{facts['date']}, commit {facts['commit']}, Python {facts['python']}, "
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory']}, "
        f"{duration(facts['seconds'])}"
    )


def _profiles(found: Kept) -> str:
    lines = [
        "| profile, requirement | node | passed | failed | not supported "
        "| in-memory repository | passed | failed | not supported |",
        "|---|---|--:|--:|--:|---|--:|--:|--:|",
    ]
    ours = _by_name(found.node)
    theirs = _by_name(found.genuine)
    for name in ours or theirs:
        mine, other = ours.get(name), theirs.get(name)
        lines.append(
            f"| **{name}** | {_verdict(mine)} | | | | {_verdict(other)} | | | |"
        )
        mines = {each.name: each for each in mine.requirements} if mine else {}
        others = {each.name: each for each in other.requirements} if other else {}
        lines.extend(
            f"| {each} | {_cells(mines.get(each))} | {_cells(others.get(each))} |"
            for each in mines or others
        )
    return "\n".join(lines)


def _by_name(results: Results | None) -> dict[str, Profile]:
    return {each.name: each for each in results.profiles} if results else {}


def _verdict(judged: Profile | Requirement | None) -> str:
    return VERDICTS[judged.status] if judged else ""


def _cells(found: Requirement | None) -> str:
    if found is None:
        return "| | |"
    counts = (found.passed, found.failed, found.unsupported)
    return " | ".join([_verdict(found), *map(str, counts)])


def _failures(name: str, results: Results | Timings) -> str:
    lines = [f"Assertions that failed, {name}:", ""]
    lines.extend(
        f"- `{text}`: {count} times" for text, count in results.failures.items()
    )
    return "\n".join(lines)


def _performance(found: Kept) -> Iterator[str]:
    runs = {"in-memory repository": found.genuine_timings, "node": found.node_timings}
    for name, timings in runs.items():
        if timings is not None:
            yield (
                f"- {name}: {timings.passed} test cases passed, {timings.failed} failed; "
                f"{timings.facts['instances']} instances of each type, "
                f"{_told(timings.facts)}"
            )
    yield ""
    for table in timing_tables(found):
        yield table.markdown()
        yield ""
    for name, timings in runs.items():
        if timings is not None and timings.failures:
            yield _failures(name, timings)
            yield ""


COLUMNS = (
    "calls",
    "in-memory repository",
    "node",
    "ratio",
    "mean of the in-memory repository",
    "mean of the node",
)


def timing_tables(found: Kept) -> list[Table]:
    """The medians of each method, and of each method in each profile."""
    node, genuine = found.node_timings, found.genuine_timings
    return [
        Table(
            "Median of each method, ms",
            ("method", *COLUMNS),
            tuple(
                (method, *cells)
                for (_, method), cells in _compared(
                    node.by_method if node else (), genuine.by_method if genuine else ()
                )
            ),
        ),
        Table(
            "Median of each method in each profile, ms",
            ("profile and method", *COLUMNS),
            tuple(
                (f"{profile}: {method}", *cells)
                for (profile, method), cells in _compared(
                    node.by_profile if node else (),
                    genuine.by_profile if genuine else (),
                )
            ),
        ),
    ]


def _compared(
    node: tuple[Timing, ...], genuine: tuple[Timing, ...]
) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    """What was called, with calls, both medians and the node's as multiple."""
    ours = {(each.profile, each.method): each for each in node}
    theirs = {(each.profile, each.method): each for each in genuine}
    for key in ours | theirs:
        mine, other = ours.get(key), theirs.get(key)
        calls = mine.calls if mine else other.calls if other else 0
        slower = mine is not None and other is not None and mine.median > other.median
        told = f"{mine.median:g}" if mine else "-"
        yield (
            key,
            (
                str(calls),
                f"{other.median:g}" if other else "-",
                f"**{told}**" if slower else told,
                _ratio(mine, other),
                f"{other.mean:g}" if other else "-",
                f"{mine.mean:g}" if mine else "-",
            ),
        )


def _ratio(mine: Timing | None, other: Timing | None) -> str:
    if mine is None or other is None or not other.median:
        return "-"
    return f"{mine.median / other.median:.2f}"
