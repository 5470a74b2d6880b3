"""The benchmark for Raspberry Pis is run: one command, real nodes, a report."""

import io
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.node import Node
from bench.pi import __main__ as command
from bench.pi import leftovers
from bench.pi.conditions import Watcher
from bench.pi.document import GLANCE
from bench.pi.progress import Progress
from bench.pi.report import Figure, Measured, Report, read
from bench.pi.rig import QUICK, Rig
from bench.pi.running import ran
from bench.pi.stages import STAGES, Stage
from tests.conftest import ROOT


class Terminal(io.StringIO):
    """A stream that says that it is one."""

    def isatty(self) -> bool:
        return True


def fails(rig: Rig) -> Measured:
    raise OSError(f"{rig.directory}/store on {socket.gethostname()} is full")


def works(_: Rig) -> Measured:
    return Measured((Figure("answer", 42, "ms"),))


TWO = (Stage("one", "The first", fails), Stage("other", "The second", works))


def report_of(directory: Path, stages: tuple[Stage, ...]) -> tuple[Report, str]:
    lines = io.StringIO()
    progress = Progress(lines, len(stages))
    return ran(Rig(directory, QUICK), stages, progress, Watcher()), lines.getvalue()


def test_a_run_measures_everything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "report"
    assert command.main(["run", "--quick", "--output", str(output)]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [str(output / "report.md")]
    assert len(said.err.splitlines()) == len(STAGES)
    assert {path.name for path in output.iterdir()} == {"report.json", "report.md"}
    report = read(output / "report.json")
    assert report.quick
    assert [each.failure for each in report.stages] == [None] * len(STAGES)
    assert {each.stage for each in report.samples} >= {each.name for each in STAGES}
    for heading, stage, name in GLANCE:
        figure = report.figure(stage, name)
        assert figure is not None, heading
        assert figure.value > 0, heading
    for each in report.stages:
        for series in each.measured.series:
            assert min(series.values) > 0, series.name
    assert command.main(["run", "--quick", "--output", str(output)]) == 2
    assert "report.json is there already" in capsys.readouterr().err
    assert read(output / "report.json") == report
    for path in output.iterdir():
        text = path.read_text()
        for secret in (str(tmp_path), str(ROOT), str(Path.home()) + "/"):
            assert secret not in text


def test_a_stage_that_fails_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    report, lines = report_of(tmp_path, TWO)
    first, second = report.stages
    assert first.failure == "DATA/store on HOST is full"
    assert report.failures == (first,)
    assert second.measured.figures == (Figure("answer", 42, "ms"),)
    assert "1/2 The first: FAILED: DATA/store on HOST is full" in lines
    assert "2/2 The second: " in lines


def test_the_exit_code_tells_of_a_failure(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command, "STAGES", TWO)
    assert command.main(["run", "--quick", "--output", str(tmp_path)]) == 1
    assert "**FAILED: The first.**" in (tmp_path / "report.md").read_text()
    assert capsys.readouterr().out == f"{tmp_path / 'report.md'}\n"


def test_without_a_loaded_store_stages_fail_that_need_it(tmp_path: Path) -> None:
    by_name = {stage.name: stage for stage in STAGES}
    report, _ = report_of(tmp_path, (by_name["idle"], by_name["sync"]))
    assert [each.name for each in report.failures] == ["idle"]
    assert "no loaded store" in str(report.stages[0].failure)


@pytest.fixture
def running(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A run in a process group of its own, past its first stage."""
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "bench.pi", "run", "--quick", "--output", tmp_path],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith("1/")
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_who_interrupts_it_finds_nothing_left(
    way: signal.Signals, running: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    running.send_signal(way)
    running.send_signal(way)  # an impatient person
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert out == ""
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.killpg(running.pid, 0)


def test_a_process_that_nobody_took_note_of_is_ended(tmp_path: Path) -> None:
    other = tmp_path / "other"
    with Node(tmp_path / "one") as lost, Node(other / "two") as kept:
        leftovers.end(tmp_path / "one")
        with pytest.raises(ProcessLookupError):
            os.kill(lost.pid, 0)
        assert list(leftovers.started(other)) == [kept.pid]
        leftovers.end(tmp_path / "one")  # there is nothing left to do
        kept.stop()


def test_ctrl_c_reaches_the_nodes_too(
    running: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    os.killpg(running.pid, signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert list(tmp_path.iterdir()) == []


def test_a_terminal_gets_one_bar_and_lines_of_failures_only() -> None:
    terminal, now = Terminal(), 0.0
    progress = Progress(terminal, 2, lambda: now)
    progress.start("One thing")
    now = 1.0
    progress.at(0.5)
    progress.at(0.6)  # too soon after that to be drawn
    progress.end("it broke")
    progress.start("Another")
    progress.at(1.0)
    progress.end(None)
    drawn = [text.rstrip() for text in terminal.getvalue().split("\r")]
    assert drawn == [
        "",
        f"[{' ' * 30}] 1/2 One thing",
        f"[{'#' * 7:<30}] 1/2 One thing",
        "1/2 One thing: FAILED: it broke",
        f"[{'#' * 15:<30}] 2/2 Another",
        "",
        "",
    ]


def test_settings_of_a_node_overrule_those_of_the_benchmark(tmp_path: Path) -> None:
    with Node(tmp_path, settings={"EDGENODE_SERVER_NAME": "another"}) as node:
        node.stop()
    assert (tmp_path / "servers" / "another" / "metadata.db").exists()
