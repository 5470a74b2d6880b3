"""Reports are kept, told, compared and drawn; those of emulated machines as what they are."""

import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bench.harness import BenchError
from bench.pi.__main__ import main
from bench.pi.compare import comparison
from bench.pi.conditions import Sample
from bench.pi.disk import Disk
from bench.pi.document import document, glance, said
from bench.pi.machine import Kind, Machine
from bench.pi.plots import PICTURES
from bench.pi.report import (
    Better,
    Figure,
    Measured,
    Report,
    Series,
    StageReport,
    read,
    written,
)
from tests.conftest import ROOT

CARD = Disk("SD card", "SC32G", "0x000003", "08/2023", 31_914_983_424, "ext4")
PI = Machine(
    model="Raspberry Pi 4 Model B Rev 1.4",
    kind=Kind.PI,
    signs=(),
    system="Debian GNU/Linux 12 (bookworm)",
    kernel="6.12.25+rpt-rpi-v8",
    architecture="aarch64",
    processor="ARM Cortex-A72",
    cores=4,
    is_virtual=False,
    memory=3_977_216_000,
    disk=CARD,
)
NOT_AN_SD_CARD = replace(PI, model="A board", kind=Kind.OTHER)
EMULATED = replace(PI, kind=Kind.EMULATED, signs=("the card is QEMU!",))


def stage(name: str, *figures: Figure, failure: str | None = None) -> StageReport:
    times = (Series(name, (5.0, 7.5, 40.25)),)
    measured = Measured(figures, times, (f"about {name}",))
    return StageReport(name, f"The {name}", 1.5, measured, failure)


REPORT = Report(
    version="0.1.0",
    commit="0123456789ab",
    python="3.11.2",
    date="2026-11-21T10:00:00+00:00",
    quick=False,
    load=0.03,
    machine=PI,
    stages=(
        stage("sync", Figure("sync, median", 7.5, "ms")),
        stage("commits", Figure("changes", 100.0, "a second", Better.MORE)),
    ),
    samples=(
        Sample(0.0, "", 41.5, None, 0x10000),
        Sample(1.0, "sync", 45.0, 0.25, 0x10000),
        Sample(2.0, "commits", 79.5, 1.0, 0x50004),
    ),
)


def with_figures(sync: float, changes: float, report: Report = REPORT) -> Report:
    stages = (
        stage("sync", Figure("sync, median", sync, "ms")),
        stage("commits", Figure("changes", changes, "a second", Better.MORE)),
    )
    return replace(report, stages=stages)


def row_of(text: str, first: str) -> list[str]:
    """The cells of the row of a document that begins with this one."""
    (line,) = [each for each in text.splitlines() if each.startswith(f"| {first} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def headings(text: str) -> list[str]:
    return re.findall(r"(?m)^#+ (.+)$", text)


# Kept


def test_a_report_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    failed = stage("cohort", failure="no way to the other one")
    report = replace(REPORT, stages=(*REPORT.stages, failed))
    written(report, tmp_path / "report.json")
    assert read(tmp_path / "report.json") == report
    assert json.loads((tmp_path / "report.json").read_text())["schema"] == 1


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda _: "no JSON", "is no report"),
        (lambda text: text.replace('"schema": 1', '"schema": 99'), "schema 99"),
        (lambda text: text.replace('"schema"', '"other"'), "is no report"),
        (lambda text: text.replace('"memory"', '"oblivion"'), "is damaged"),
        (lambda text: text.replace('"Raspberry Pi"', '"Piano"'), "is damaged"),
        (lambda _: '{"schema": 1, "version": []}', "is damaged"),
        (lambda _: "[" * 100_000, "is no report"),
        (lambda text: text.replace(str(PI.memory), "1e999"), "is damaged"),
        (lambda text: text.replace(str(PI.memory), "NaN"), "is damaged"),
        (lambda text: text.replace(str(PI.memory), "9" * 400), "is damaged"),
        (lambda text: text.replace('"SC32G"', '"SC\\n# 32G"'), "is damaged"),
        (lambda text: text.replace('"SC32G"', "32"), "is damaged"),
        (
            lambda text: text.replace('"no performance": null', '"no performance": ""'),
            "performance differ",
        ),
    ],
)
def test_what_is_no_report_is_refused(
    spoil: Callable[[str], str], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "report.json"
    written(REPORT, path)
    path.write_text(spoil(path.read_text()))
    with pytest.raises(BenchError, match=said):
        read(path)


def test_a_report_that_is_not_there_is_said_to_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "none.json")
    assert main(["compare", path, path]) == 2
    assert "none.json can't be read" in capsys.readouterr().err


# Told


def test_a_report_tells_machine_figures_and_conditions() -> None:
    text = document(REPORT)
    assert headings(text)[0] == "edgenode on Raspberry Pi 4 Model B Rev 1.4"
    assert row_of(text, "disk")[1] == str(CARD)
    assert row_of(text, "sync, median") == ["sync, median", "7.5 ms"]
    assert "- about sync" in text
    assert row_of(text, "The sync")[1:] == ["1.5 s", "45.0 to 45.0 °C", "25%", "none"]
    assert row_of(text, "The commits")[1:4] == ["1.5 s", "79.5 to 79.5 °C", "100%"]
    # What had been before the run isn't what happened during it.
    assert row_of(text, "all")[2:] == ["41.5 to 79.5 °C", "62%", "throttled"]
    assert "told of 0x10000 before the run" in text
    assert "wanted to run" not in text


def test_a_busy_machine_is_said_to_be() -> None:
    assert "1.50 processes of others" in document(replace(REPORT, load=1.5))


def test_a_failure_is_told_at_the_beginning_and_in_its_place() -> None:
    failed = stage("sync", failure="the disk is full")
    report = replace(REPORT, stages=(failed, REPORT.stages[1]))
    text = document(report)
    assert text.count("the disk is full") == 2
    assert text.index("**FAILED: The sync.**") < text.index("### Machine")
    ((_, _, sync, *_),) = glance(report).rows
    assert sync == "failed"


def test_a_machine_that_tells_nothing_gets_no_figure_for_it() -> None:
    unknown = replace(CARD, kind="unknown", name="unknown")
    report = replace(
        REPORT,
        samples=(Sample(1.0, "sync", None, None, None),),
        machine=replace(PI, disk=unknown),
    )
    assert row_of(document(report), "all")[2:] == ["not told"] * 3
    assert glance(report).rows[0][1] == "not told"


@pytest.mark.parametrize(
    ("report", "label"),
    [
        (replace(REPORT, machine=EMULATED), "EMULATED: no measure of performance"),
        (replace(REPORT, quick=True), "QUICK RUN: no measure of performance"),
    ],
)
def test_no_table_of_an_emulated_machine_is_without_its_label(
    report: Report, label: str
) -> None:
    found = headings(document(report))
    assert len(found) > 4
    assert [each for each in found if label not in each] == ["Machine"]
    assert label in glance(report).rows[0][0]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.03125, "0.0312 ms"), (12.34, "12.3 ms"), (54_456.4, "54,456 ms"), (0, "0 ms")],
)
def test_values_have_as_many_digits_as_they_bear(value: float, shown: str) -> None:
    assert said(value, "ms") == shown


# Compared


def test_ratios_say_which_one_is_worse() -> None:
    text = comparison(REPORT, with_figures(15.0, 200.0))
    assert row_of(text, "sync: sync, median")[1:] == [
        "7.5 ms",
        "15 ms",
        "2.00",
        "**worse**",
    ]
    assert row_of(text, "commits: changes")[3:] == ["2.00", "better"]
    assert "Warning" not in text
    text = comparison(REPORT, with_figures(3.0, 50.0))
    assert row_of(text, "sync: sync, median")[3:] == ["0.40", "better"]
    assert row_of(text, "commits: changes")[3:] == ["0.50", "**worse**"]


def test_what_differs_hardly_is_neither_better_nor_worse() -> None:
    text = comparison(REPORT, with_figures(7.9, 95.0))
    assert row_of(text, "sync: sync, median")[3:] == ["1.05", ""]
    assert row_of(text, "commits: changes")[3:] == ["0.95", ""]


def test_names_keep_to_their_cells() -> None:
    other = replace(REPORT, machine=replace(PI, model="a | b"))
    (head,) = re.findall(r"(?m)^\| figure .+$", comparison(REPORT, other))
    assert "a \\| b" in head


def test_what_one_of_them_lacks_has_no_ratio() -> None:
    lacking = replace(REPORT, stages=(REPORT.stages[0],))
    for pair in ((REPORT, lacking), (lacking, REPORT)):
        cells = row_of(comparison(*pair), "commits: changes")
        assert "missing" in cells
        assert cells[3:] == ["none", ""]
    text = comparison(REPORT, with_figures(0.0, 100.0))
    assert row_of(text, "sync: sync, median")[3:] == ["none", ""]


@pytest.mark.parametrize("emulated", [0, 1])
def test_no_ratio_is_made_of_an_emulated_machine(emulated: int) -> None:
    pair = [REPORT, with_figures(1.0, 9_000.0)]
    pair[emulated] = replace(pair[emulated], machine=EMULATED)
    text = comparison(pair[0], pair[1])
    assert row_of(text, "sync: sync, median")[1:] == ["7.5 ms", "1 ms", "none", ""]
    assert row_of(text, "commits: changes")[3:] == ["none", ""]
    which = ("first", "second")[emulated]
    assert f"**Warning:** the {which} report: EMULATED" in text
    assert "kinds of machine differ" in text
    assert "EMULATED" in row_of(text, "figure")[1 + emulated]


def test_other_kinds_of_machine_versions_and_failures_are_warned_of() -> None:
    other = replace(with_figures(15.0, 100.0), machine=NOT_AN_SD_CARD, version="0.2.0")
    other = replace(other, stages=(*other.stages, stage("cohort", failure="alone")))
    text = comparison(REPORT, other)
    assert "kinds of machine differ: Raspberry Pi and not a Raspberry Pi" in text
    assert "versions of edgenode differ: 0.1.0 and 0.2.0" in text
    assert "the second report: The cohort failed" in text
    assert row_of(text, "sync: sync, median")[3] == "2.00"


def test_the_command_compares_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    for path, report in zip(paths, (REPORT, with_figures(15.0, 100.0)), strict=True):
        written(report, path)
    assert main(["compare", *map(str, paths)]) == 0
    assert row_of(capsys.readouterr().out, "sync: sync, median")[3] == "2.00"


# Drawn


def test_without_matplotlib_it_is_said_how_to_get_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    path = tmp_path / "report.json"
    written(REPORT, path)
    assert main(["draw", str(path)]) == 2
    assert "'make plots' installs it" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("machine", [PI, EMULATED], ids=["a Pi", "an emulated one"])
def test_plots_are_drawn_beside_the_report(machine: Machine, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib isn't there: make plots")
    path = tmp_path / "report.json"
    written(replace(REPORT, machine=machine), path)
    assert main(["draw", str(path)]) == 0
    names = {"times.svg", "syncs.svg", "conditions.svg"}
    pictures = {each.name: each for each in tmp_path.glob("*.svg")}
    assert pictures.keys() == names
    text = (tmp_path / "report.md").read_text()
    for name, picture in pictures.items():
        drawn = picture.read_text()
        assert f"]({name})" in text
        assert "Raspberry Pi 4 Model B Rev 1.4" in drawn
        is_labelled = "EMULATED: no measure of performance" in drawn
        assert is_labelled is (machine is EMULATED)
    assert "commits" in pictures["times.svg"].read_text()
    assert "temperature" in pictures["conditions.svg"].read_text()
    before = {name: picture.read_bytes() for name, picture in pictures.items()}
    assert main(["draw", str(path)]) == 0
    assert {n: p.read_bytes() for n, p in pictures.items()} == before


def test_importing_the_benchmark_needs_no_matplotlib() -> None:
    assert "bench.pi.plots" in sys.modules
    source = Path(str(sys.modules["bench.pi.plots"].__file__)).read_text()
    assert not re.search(r"(?m)^(?:import|from) matplotlib", source)


# Those that are kept

KEPT = sorted((ROOT / "bench" / "pi" / "reports").glob("*/report.json"))
DEPLOY = ROOT / "deploy" / "raspberrypi"
PLACE = re.compile(r"/(?:home|root|tmp|work|builds?|workspace)/")


def table_of_reports() -> list[list[str]]:
    """The head and the rows of the table of reports, without the line between."""
    text = (DEPLOY / "README.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]
    start = next(at for at, row in enumerate(rows) if row[-1] == "report")
    return [rows[start], *rows[start + 2 :]]


def test_the_table_has_the_columns_of_a_report() -> None:
    head, *rows = table_of_reports()
    assert tuple(head) == (*glance(REPORT).columns, "report")
    links = [re.search(r"\]\((.+)\)", row[-1]) for row in rows]
    linked = {(DEPLOY / link[1]).resolve() for link in links if link}
    assert linked == {path.with_name("report.md") for path in KEPT}


def test_a_machine_without_a_report_has_no_figures() -> None:
    _, *rows = table_of_reports()
    for row in rows:
        if row[-1] == "nobody has sent one yet":
            assert set(row[1:-1]) == {""}
            assert row[0].startswith("Raspberry Pi ")


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.parent.name)
def test_a_kept_report_is_in_the_table_as_it_is(path: Path) -> None:
    report = read(path)
    assert report.no_performance is None
    assert report.failures == ()
    link = f"bench/pi/reports/{path.parent.name}/report.md"
    (row,) = [each for each in table_of_reports() if link in each[-1]]
    ((_, *cells),) = glance(report).rows
    assert row[1:-1] == cells
    is_pi = report.machine.kind is Kind.PI
    assert is_pi is ("not a Raspberry Pi" not in row[0])
    plots = sorted(path.parent.glob("*.svg"))
    order = {name: at for at, name in enumerate(PICTURES)}
    plots.sort(key=lambda plot: order[plot.stem])
    assert path.with_name("report.md").read_text() == document(report, plots)
    for file in path.parent.iterdir():
        assert not PLACE.search(file.read_text(encoding="utf-8")), file.name
