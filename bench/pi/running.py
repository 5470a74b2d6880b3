"""A run: all stages in order, each whatever became of the one before."""

import os
import platform
import socket
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.harness import ROOT, facts
from bench.pi.conditions import Watcher
from bench.pi.machine import machine
from bench.pi.progress import Progress
from bench.pi.report import Measured, Report, StageReport
from bench.pi.rig import QUICK, Rig
from bench.pi.stages import Stage
from edgenode import __version__


def ran(
    rig: Rig, stages: Sequence[Stage], progress: Progress, watcher: Watcher
) -> Report:
    """Measure, and report it.

    Args:
        rig: What stages work with.
        stages: What to measure.
        progress: Where it is seen how far that is.
        watcher: Who looks at the machine meanwhile.
    """
    date = datetime.now(UTC).isoformat(timespec="seconds")
    load = os.getloadavg()[0]
    rig.tell = progress.at
    with watcher:
        reports = tuple(_ran(rig, stage, progress, watcher) for stage in stages)
    return Report(
        version=__version__,
        commit=str(facts()["commit"]),
        python=platform.python_version(),
        date=date,
        quick=rig.pace == QUICK,
        load=round(load, 2),
        machine=machine(rig.directory),
        stages=reports,
        samples=tuple(watcher.samples),
    )


def _ran(rig: Rig, stage: Stage, progress: Progress, watcher: Watcher) -> StageReport:
    watcher.stage = stage.name
    watcher.look()
    progress.start(stage.title)
    started = time.monotonic()
    measured, failure = Measured(), None
    try:
        measured = stage.measure(rig)
    except Exception as error:  # noqa: BLE001 - the others are worth having all the same
        failure = nameless(f"{error}" or repr(error), names(rig))
    seconds = round(time.monotonic() - started, 1)
    watcher.look()
    progress.end(failure)
    return StageReport(stage.name, stage.title, seconds, measured, failure)


def names(rig: Rig) -> Mapping[str, str]:
    """What would tell whose machine this is, and what is said instead."""
    return {
        str(rig.directory.resolve()): "DATA",
        str(rig.directory): "DATA",
        str(ROOT): "EDGENODE",
        str(Path.home()): "HOME",
        socket.gethostname(): "HOST",
    }


def nameless(text: str, named: Mapping[str, str]) -> str:
    """A text without these names."""
    for name, instead in named.items():
        text = text.replace(name, instead)
    return text
