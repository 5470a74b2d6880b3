"""Pictures of a report, as SVG, for the machine that has matplotlib."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from bench.harness import BenchError
from bench.pi.conditions import throttling
from bench.pi.report import Report, Series

WIDE, HIGH = 9.0, 5.0  # inches
COLOURS = 10
"""After so many lines matplotlib begins anew with the first colour."""

STYLES = ("-", "--", ":")
INSTALL: Final = (
    "matplotlib isn't installed: 'make plots' installs it, on any machine that has the "
    "report"
)


def drawn(report: Report, directory: Path) -> list[Path]:
    """Draw everything that the report has something for; the files.

    Raises:
        BenchError: There is no matplotlib.
    """
    library = _library()
    made = []
    for name, draw in PICTURES.items():
        figure, axes = library.subplots(figsize=(WIDE, HIGH), layout="constrained")
        if draw(report, axes):
            path = directory / f"{name}.svg"
            # Neither a date nor a version: the same report gives the same file.
            metadata = {"Date": None, "Creator": None}
            figure.savefig(path, format="svg", metadata=metadata)
            made.append(path)
        library.close(figure)
    return made


def _library() -> ModuleType:
    try:
        import matplotlib
        from matplotlib import pyplot
    except ImportError as error:
        raise BenchError(INSTALL) from error
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "edgenode"
    matplotlib.rcParams["svg.fonttype"] = "none"
    found: ModuleType = pyplot
    return found


def title(report: Report, what: str) -> str:
    """What stands above a picture."""
    said = f"{what}\n{report.machine.label}"
    return said if report.no_performance is None else f"{said}\n{report.no_performance}"


def _all_series(report: Report) -> list[Series]:
    return [each for stage in report.stages for each in stage.measured.series]


def times(report: Report, axes: Any) -> bool:
    """Of each kind of request, which share was answered after how long."""
    found = [each for each in _all_series(report) if each.values]
    for number, each in enumerate(found):
        ranked = sorted(each.values)
        shares = [100 * (at + 1) / len(ranked) for at in range(len(ranked))]
        style = STYLES[number // COLOURS % len(STYLES)]
        axes.step(ranked, shares, style, where="post", label=each.name)
    axes.set_xscale("log")
    axes.set_xlabel("milliseconds")
    axes.set_ylabel("% done by then")
    axes.set_title(title(report, "How long it takes"))
    axes.grid(visible=True, alpha=0.3)
    if found:
        beside = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}
        axes.legend(fontsize="small", **beside)
    return bool(found)


def syncs(report: Report, axes: Any) -> bool:
    """Each sync of the disk, one after the other."""
    found = [each for each in _all_series(report) if each.name == "sync"]
    for each in found:
        axes.plot(each.values, marker=".", linestyle="none")
    axes.set_yscale("log")
    axes.set_xlabel("sync")
    axes.set_ylabel("milliseconds")
    axes.set_title(title(report, f"Syncs of the disk: {report.machine.disk}"))
    axes.grid(visible=True, alpha=0.3)
    return bool(found)


def conditions(report: Report, axes: Any) -> bool:
    """Temperature, how busy the processors were, and throttling, over the run."""
    told = [each for each in report.samples if each.busy is not None]
    axes.plot(
        [each.second for each in told],
        [100 * (each.busy or 0.0) for each in told],
        color="tab:blue",
        label="processors busy, %",
    )
    warm = [each for each in report.samples if each.temperature is not None]
    if warm:
        axes.plot(
            [each.second for each in warm],
            [each.temperature for each in warm],
            color="tab:red",
            label="temperature, °C",
        )
    for before, now in zip(report.samples, report.samples[1:], strict=False):
        if before.stage != now.stage:
            axes.axvline(now.second, color="grey", linewidth=0.5)
            axes.annotate(
                now.stage,
                (now.second, 1),
                xycoords=("data", "axes fraction"),
                rotation=90,
                verticalalignment="top",
                fontsize="x-small",
            )
        flags = [each.flags for each in (before, now) if each.flags is not None]
        if throttling(flags):
            axes.axvspan(
                before.second, now.second, color="tab:orange", alpha=0.4, linewidth=0
            )
    axes.set_ylim(0, 105)
    axes.set_xlabel("seconds; orange where the firmware tells of throttling")
    axes.set_title(title(report, "The machine meanwhile"))
    axes.legend(fontsize="small")
    return bool(told or warm)


PICTURES: Final[dict[str, Callable[[Report, Any], bool]]] = {
    "times": times,
    "syncs": syncs,
    "conditions": conditions,
}
