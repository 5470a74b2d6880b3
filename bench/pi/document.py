"""A report as people read it, in Markdown."""

from collections.abc import Sequence
from pathlib import Path

from bench.harness import Table
from bench.pi.conditions import Conditions, conditions
from bench.pi.disk import UNKNOWN
from bench.pi.report import Figure, Report, StageReport

UNTOLD = "not told"
BUSY = 0.5
"""From this load on, before anything was measured, other programs were in the way."""

GLANCE = (
    ("sync", "sync", "sync, median"),
    ("start", "start", "start, loaded store, median"),
    ("memory at rest", "idle", "memory"),
    ("changes, one caller", "commits", "changes, one caller"),
    ("changes, 16 callers", "commits", "changes, 16 callers"),
    ("read", "reads", "read by guid, median"),
    ("search", "searches", "search by text within a property, median"),
    ("bytes a change", "bytes", "add an entity, one caller"),
    ("event delay", "cohort", "event delay, median"),
    ("federated query", "cohort", "federated query to both nodes, median"),
)
"""The figures of the table of all reports: heading, stage and name."""


def document(report: Report, plots: Sequence[Path] = ()) -> str:
    """The report.

    Args:
        report: What to tell.
        plots: Pictures of it, beside the document.
    """
    lines = [
        f"# {report.labelled(f'edgenode on {report.machine.label}')}",
        "",
        *_warnings(report),
        _facts(report).markdown(),
        "",
        glance(report).markdown(),
        "",
        *(f"![{report.labelled(plot.stem)}]({plot.name})" for plot in plots),
        *([""] if plots else []),
    ]
    for stage in report.stages:
        lines += [*_of_stage(report, stage), ""]
    lines += [_conditions(report).markdown(), "", *_told(report)]
    return "\n".join(lines).rstrip() + "\n"


def said(value: float, unit: str) -> str:
    """A value with its unit, in as many digits as it can bear."""
    size = abs(value)
    if size >= 100 or value == int(value):
        return f"{value:,.0f} {unit}"
    return f"{value:.1f} {unit}" if size >= 10 else f"{value:.3g} {unit}"


def _warnings(report: Report) -> list[str]:
    lines = []
    if report.no_performance is not None:
        lines.append(
            f"**{report.no_performance}.** This shows that everything works, and no more."
        )
        lines += [f"- {sign}" for sign in report.machine.signs]
    for stage in report.failures:
        lines.append(f"**FAILED: {stage.title}.** {stage.failure}")
    return [text for line in lines for text in (line, "")]


def _facts(report: Report) -> Table:
    machine = report.machine
    rows = (
        ("model", machine.model),
        ("kind", str(machine.kind)),
        ("system", machine.system),
        ("kernel", f"{machine.kernel}, {machine.architecture}"),
        ("processor", f"{machine.processor}, {machine.processors}"),
        ("memory", f"{machine.memory / 2**20:,.0f} MiB"),
        ("disk", str(machine.disk)),
        ("edgenode", f"{report.version}, commit {report.commit}"),
        ("Python", report.python),
        ("date", report.date),
        ("load before the run", f"{report.load:.2f}"),
    )
    return Table("Machine", ("what", "which"), rows)


def glance(report: Report) -> Table:
    """The row of a report in the table of all of them."""
    columns = ("machine", "disk", *(heading for heading, _, _ in GLANCE))
    cells = (
        report.labelled(report.machine.label),
        _disk(report),
        *(_cell(report.figure(stage, name)) for _, stage, name in GLANCE),
    )
    return Table(report.labelled("At a glance"), columns, (cells,))


def _disk(report: Report) -> str:
    disk = report.machine.disk
    return UNTOLD if disk.kind == UNKNOWN else f"{disk.kind} {disk.name}"


def _cell(figure: Figure | None) -> str:
    return "failed" if figure is None else said(figure.value, figure.unit)


def _of_stage(report: Report, stage: StageReport) -> list[str]:
    if stage.failure is not None:
        return [f"### {stage.title}", "", f"**FAILED:** {stage.failure}"]
    rows = tuple(
        (figure.name, said(figure.value, figure.unit))
        for figure in stage.measured.figures
    )
    table = Table(report.labelled(stage.title), ("what", "value"), rows)
    return [table.markdown(), "", *(f"- {note}" for note in stage.measured.notes)]


def _conditions(report: Report) -> Table:
    rows = [
        (stage.title, f"{stage.seconds:.1f} s", *_cells(_while(report, stage)))
        for stage in report.stages
    ]
    seconds = sum(stage.seconds for stage in report.stages)
    rows.append(("all", f"{seconds:.1f} s", *_cells(conditions(report.samples))))
    columns = ("stage", "took", "temperature", "processors busy", "throttling")
    return Table(report.labelled("The machine meanwhile"), columns, tuple(rows))


def _while(report: Report, stage: StageReport) -> Conditions:
    return conditions([each for each in report.samples if each.stage == stage.name])


def _cells(found: Conditions) -> tuple[str, str, str]:
    heat, happened = UNTOLD, UNTOLD
    if found.lowest is not None and found.highest is not None:
        heat = f"{found.lowest:.1f} to {found.highest:.1f} °C"
    if found.throttling is not None:
        happened = ", ".join(found.throttling) or "none"
    busy = UNTOLD if found.busy is None else f"{found.busy:.0%}"
    return heat, busy, happened


def _told(report: Report) -> list[str]:
    told = []
    if report.load > BUSY:
        told.append(
            f"- {report.load:.2f} processes of others wanted to run, on average of the "
            "minute before: where they went on, figures are worse than without them"
        )
    flags = [sample.flags for sample in report.samples if sample.flags is not None]
    if flags and flags[0]:
        told.append(f"- the firmware told of {flags[0]:#x} before the run")
    return told
