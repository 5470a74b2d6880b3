"""Two reports side by side.

Figures that are no measure of performance are shown, and no ratio is made of them.
"""

from collections.abc import Iterator

from bench.harness import Table
from bench.pi.document import said
from bench.pi.report import Better, Figure, Report

NOTICEABLE = 1.1
"""Two runs on one machine differ by less, most of the time."""

NONE = "none"


def comparison(one: Report, other: Report) -> str:
    """The second report beside the first one, in Markdown."""
    lines = [
        f"# {one.machine.label} and {other.machine.label}",
        "",
        *(f"**Warning:** {text}\n" for text in warnings(one, other)),
        *(f"{table(one, other).markdown()}\n",),
    ]
    if is_comparable(one, other):
        lines.append(
            "- the ratio is the second value by the first one; worse and better are said "
            f"of the second one, from a factor of {NOTICEABLE:g} on"
        )
    return "\n".join(lines).rstrip() + "\n"


def is_comparable(one: Report, other: Report) -> bool:
    """Whether ratios of their figures mean something."""
    return one.no_performance is None and other.no_performance is None


def warnings(one: Report, other: Report) -> Iterator[str]:
    """What keeps the two from being compared, or makes it less sure."""
    for which, report in (("first", one), ("second", other)):
        if report.no_performance is not None:
            yield f"the {which} report: {report.no_performance}; no ratio is made of it"
    if one.machine.kind is not other.machine.kind:
        yield (
            f"the kinds of machine differ: {one.machine.kind} and {other.machine.kind}"
        )
    if one.version != other.version:
        yield f"the versions of edgenode differ: {one.version} and {other.version}"
    for which, report in (("first", one), ("second", other)):
        for stage in report.failures:
            yield f"the {which} report: {stage.title} failed"


def table(one: Report, other: Report) -> Table:
    """All figures that one of them has."""
    columns = (
        "figure",
        *(report.labelled(report.machine.label) for report in (one, other)),
        "ratio",
        "second is",
    )
    comparable = is_comparable(one, other)
    rows = []
    for stage, name in _names(one, other):
        pair = one.figure(stage, name), other.figure(stage, name)
        cells = ["missing" if f is None else said(f.value, f.unit) for f in pair]
        rows.append(
            (f"{stage}: {name}", *cells, *_judged(*pair, comparable=comparable))
        )
    return Table("Figures", columns, tuple(rows))


def _names(one: Report, other: Report) -> list[tuple[str, str]]:
    """The stages and names of all figures, those of the first one first."""
    return list(
        dict.fromkeys(
            (stage.name, figure.name)
            for report in (one, other)
            for stage in report.stages
            for figure in stage.measured.figures
        )
    )


def _judged(
    one: Figure | None, other: Figure | None, *, comparable: bool
) -> tuple[str, str]:
    if not comparable or one is None or other is None:
        return NONE, ""
    if one.unit != other.unit or one.value <= 0 or other.value <= 0:
        return NONE, ""
    ratio = other.value / one.value
    return f"{ratio:.2f}", _verdict(ratio, one.better)


def _verdict(ratio: float, better: Better) -> str:
    if 1 / NOTICEABLE < ratio < NOTICEABLE:
        return ""
    is_better = (ratio < 1) is (better is Better.LESS)
    return "better" if is_better else "**worse**"
