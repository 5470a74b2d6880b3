"""A report: the machine, what each stage measured, and how the machine fared meanwhile.

It is kept as JSON. Nothing in it names the machine, its users or a place on it, so that
it can be sent to anybody.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from bench.harness import BenchError, Json
from bench.pi.conditions import Sample
from bench.pi.disk import Disk
from bench.pi.machine import Kind, Machine

SCHEMA = 1
"""Of the JSON; another number for whatever this program couldn't read."""


class Better(StrEnum):
    """Which of two values of a figure is the better one."""

    LESS = "less"
    MORE = "more"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured."""

    name: str
    value: float
    unit: str
    better: Better = Better.LESS


@dataclass(frozen=True, slots=True)
class Series:
    """All times, in milliseconds and in their order, that figures were made of."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a stage found.

    Attributes:
        figures: The figures.
        series: What they were made of.
        notes: What must be known to read them.
    """

    figures: tuple[Figure, ...] = ()
    series: tuple[Series, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StageReport:
    """How a stage went.

    Attributes:
        name: What the stage is called.
        title: What people read.
        seconds: How long it took.
        measured: What it found; nothing where it failed.
        failure: Why it failed; None where it didn't.
    """

    name: str
    title: str
    seconds: float
    measured: Measured
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a run found.

    Attributes:
        version: Of edgenode.
        commit: Of the working tree.
        python: Its version.
        date: When the run began, in UTC.
        quick: Whether so little was done that figures mean nothing.
        load: How many processes wanted to run, on average, in the minute before.
        machine: What it ran on.
        stages: In their order.
        samples: How the machine was, every second.
    """

    version: str
    commit: str
    python: str
    date: str
    quick: bool
    load: float
    machine: Machine
    stages: tuple[StageReport, ...]
    samples: tuple[Sample, ...]

    @property
    def no_performance(self) -> str | None:
        """Why figures say nothing of a machine's performance; None where they do."""
        if self.machine.kind is Kind.EMULATED:
            return "EMULATED: no measure of performance"
        if self.quick:
            return "QUICK RUN: no measure of performance"
        return None

    @property
    def failures(self) -> tuple[StageReport, ...]:
        """The stages that failed."""
        return tuple(stage for stage in self.stages if stage.failure is not None)

    def figure(self, stage: str, name: str) -> Figure | None:
        """A figure of a stage; None where there is none."""
        for each in self.stages:
            if each.name == stage:
                for figure in each.measured.figures:
                    if figure.name == name:
                        return figure
        return None

    def labelled(self, title: str) -> str:
        """A title with what must be said of the figures below it."""
        said = self.no_performance
        return title if said is None else f"{title} ({said})"

    def json(self) -> Json:
        """It as it is kept."""
        return {"schema": SCHEMA, "no performance": self.no_performance, **asdict(self)}


def written(report: Report, path: Path) -> None:
    """Keep a report."""
    text = json.dumps(report.json(), indent=1, ensure_ascii=False)
    path.write_text(f"{text}\n", encoding="utf-8")


def read(path: Path) -> Report:
    """A report that was kept.

    Raises:
        BenchError: There is none at this path, or it isn't one that can be read.
    """
    try:
        made: Any = json.loads(path.read_text(encoding="utf-8"))
        schema = made["schema"]
    except OSError as error:
        raise BenchError(f"{path} can't be read ({error.strerror})") from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BenchError(f"{path} is no report of this benchmark") from error
    if schema != SCHEMA:
        raise BenchError(
            f"{path} has schema {schema}, and this program reads {SCHEMA}: "
            "use the version of edgenode that wrote it"
        )
    try:
        return _report(made)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise BenchError(f"{path} is damaged: {error!r}") from error


def _report(made: Mapping[str, Any]) -> Report:
    report = Report(
        version=_line(made["version"]),
        commit=_line(made["commit"]),
        python=_line(made["python"]),
        date=_line(made["date"]),
        quick=bool(made["quick"]),
        load=_number(made["load"]),
        machine=_machine(made["machine"]),
        stages=tuple(_stage(each) for each in made["stages"]),
        samples=tuple(_sample(each) for each in made["samples"]),
    )
    if made["no performance"] != report.no_performance:
        raise ValueError("its machine and what it says of performance differ")
    return report


def _machine(made: Mapping[str, Any]) -> Machine:
    disk = made["disk"]
    return Machine(
        model=_line(made["model"]),
        kind=Kind(made["kind"]),
        signs=tuple(map(_line, made["signs"])),
        system=_line(made["system"]),
        kernel=_line(made["kernel"]),
        architecture=_line(made["architecture"]),
        processor=_line(made["processor"]),
        cores=int(_number(made["cores"])),
        is_virtual=bool(made["is_virtual"]),
        memory=int(_number(made["memory"])),
        disk=Disk(
            kind=_line(disk["kind"]),
            name=_line(disk["name"]),
            manufacturer=_line(disk["manufacturer"]),
            made=_line(disk["made"]),
            size=int(_number(disk["size"])),
            file_system=_line(disk["file_system"]),
        ),
    )


def _stage(made: Mapping[str, Any]) -> StageReport:
    found = made["measured"]
    return StageReport(
        name=_line(made["name"]),
        title=_line(made["title"]),
        seconds=_number(made["seconds"]),
        measured=Measured(
            figures=tuple(
                Figure(
                    _line(each["name"]),
                    _number(each["value"]),
                    _line(each["unit"]),
                    Better(each["better"]),
                )
                for each in found["figures"]
            ),
            series=tuple(
                Series(_line(each["name"]), tuple(map(_number, each["values"])))
                for each in found["series"]
            ),
            notes=tuple(map(str, found["notes"])),
        ),
        failure=None if made["failure"] is None else str(made["failure"]),
    )


def _sample(made: Mapping[str, Any]) -> Sample:
    return Sample(
        second=_number(made["second"]),
        stage=_line(made["stage"]),
        temperature=_number_if_any(made["temperature"]),
        busy=_number_if_any(made["busy"]),
        flags=None if made["flags"] is None else int(made["flags"]),
    )


def _line(value: Any) -> str:
    """A text that can stand in a heading or a table, whoever has sent the report."""
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError(f"{value!r} is no line of text")
    return value


def _number(value: Any) -> float:
    made = float(value)
    if not math.isfinite(made):
        raise ValueError(f"{value!r} is no number")
    return made


def _number_if_any(value: Any) -> float | None:
    return None if value is None else _number(value)
