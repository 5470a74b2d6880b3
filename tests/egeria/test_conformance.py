"""What is read from the suite's reports, kept, told and written; no Java is needed."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.egeria.conformance.__main__ import main
from tests.egeria.conformance.document import Kept, document, kept, timing_tables
from tests.egeria.conformance.lab import Done
from tests.egeria.conformance.performance import (
    Part,
    Timing,
    kept_timings,
    parts,
    timings_of,
)
from tests.egeria.conformance.report import (
    Requirement,
    failures_of,
    kept_results,
    results_of,
)
from tests.egeria.conformance.state import Phase, Place, State, begun, duration

FACTS: dict[str, Any] = {
    "date": "2026-01-02T03:04:05+00:00",
    "commit": "abc",
    "python": "3.11.2",
    "machine": {"processor": "Any", "cores": 2, "memory": "4 GB"},
    "seconds": 5_400.0,
    "page_size": 50,
    "instances": 20,
}


def evidence(case: str, kind: str = "SUCCESSFUL_ASSERTION", **more: Any) -> Any:
    return {"testCaseId": case, "testEvidenceType": kind, **more}


REPOSITORY = {
    "testPassCount": 3,
    "testFailedCount": 1,
    "testSkippedCount": 2,
    "profileResults": [
        {
            "name": "Undo an update",
            "conformanceStatus": "NOT_CONFORMANT",
            "requirementResults": [
                {
                    "name": "Return previous version",
                    "conformanceStatus": "NOT_CONFORMANT",
                    "positiveTestEvidence": [
                        evidence("undo-Asset"),
                        evidence("undo-Asset", "DISCOVERED_PROPERTY"),
                        evidence("undo-File"),
                        evidence("undo-Port"),
                        evidence("undo-Port", "NOT_SUPPORTED_FUNCTION"),
                    ],
                    "negativeTestEvidence": [
                        evidence("undo-File", "UNSUCCESSFUL_ASSERTION")
                    ],
                }
            ],
        },
        {"name": "Dynamic types", "conformanceStatus": "UNKNOWN_STATUS"},
    ],
    "failedTestCases": [
        {
            "testCaseId": "undo-File",
            "testCaseName": "Undo",
            "unsuccessfulAssertions": ["undo-04: File is as before.", "undo-04: again"],
        }
    ],
}
PERFORMANCE = {
    "testPassCount": 2,
    "testFailedCount": 1,
    "failedTestCases": [{"unsuccessfulAssertions": ["slow-01: Time is there."]}],
    "profileResults": [
        {
            "name": profile,
            "requirementResults": [
                {
                    "positiveTestEvidence": [
                        evidence("c", methodName="getEntityDetail", elapsedTime=each)
                        for each in elapsed
                    ]
                    + [evidence("c", "DISCOVERED_PROPERTY", propertyName="p")]
                }
            ],
        }
        for profile, elapsed in (("Retrieval", (1, 2, 9)), ("History", (4, 5)))
    ],
}


# The repository workbench


def test_a_case_counts_once_for_a_requirement_and_by_its_worst() -> None:
    results = results_of(REPOSITORY, FACTS)
    undo, dynamic = results.profiles
    assert undo.requirements == (
        Requirement("Return previous version", "NOT_CONFORMANT", 1, 1, 1),
    )
    assert dynamic.requirements == ()
    assert (results.cases, results.failures) == (6, {"undo-04": 2})


def test_results_are_kept_whole() -> None:
    results = results_of(REPOSITORY, FACTS)
    assert kept_results(json.loads(json.dumps(results.json()))) == results


def test_a_case_that_broke_off_says_why() -> None:
    case = {
        "testCaseName": "Entity search",
        "unsuccessfulAssertions": [],
        "conformanceException": {"exceptionClassName": "java.lang.Exception"},
    }
    assert failures_of(case) == ["Entity search: Exception"]


# The performance workbench

EVERYTHING = Part("", 50, (), lambda name: True)


def test_times_are_taken_by_method_and_by_profile() -> None:
    timings = timings_of([(EVERYTHING, PERFORMANCE)], FACTS)
    assert timings.by_profile == (
        Timing("Retrieval", "getEntityDetail", 3, 2, 4),
        Timing("History", "getEntityDetail", 2, 4.5, 4.5),
    )
    assert timings.by_method == (Timing("", "getEntityDetail", 5, 4, 4.2),)
    assert kept_timings(json.loads(json.dumps(timings.json()))) == timings


# The document


def test_both_members_stand_side_by_side() -> None:
    theirs = results_of(REPOSITORY, FACTS)
    ours = replace(
        theirs,
        failed=0,
        failures={},
        profiles=tuple(
            replace(
                each,
                status="CONFORMANT_FULL_SUPPORT",
                requirements=tuple(
                    replace(one, status="CONFORMANT_FULL_SUPPORT", failed=0, passed=2)
                    for one in each.requirements
                ),
            )
            for each in theirs.profiles
        ),
    )
    text = document(Kept(node=ours, genuine=theirs), "## Notes\n")
    assert (
        "| Return previous version | conformant | 2 | 0 | 1 | not conformant | 1 | 1 | 1 |"
        in text
    )
    assert "| **Undo an update** | conformant | | | | not conformant | | | |" in text
    assert "1 h 30 min" in text
    assert text.count("1 failed, 2 skipped; pages of 50, ") == 1
    assert text.count("`undo-04`: 2 times") == 1
    assert text.endswith("## Notes\n")


def test_what_was_not_tested_is_left_empty() -> None:
    text = document(Kept(genuine=results_of(REPOSITORY, FACTS)))
    assert "| Return previous version | | | | | not conformant | 1 | 1 | 1 |" in text
    assert "Performance workbench" not in text


def test_graphs_and_purges_are_measured_apart_graphs_with_fewer_instances() -> None:
    most, purges, graphs = every = parts(50)
    assert [each.instances for each in every] == [50, 50, 5]
    assert [each.instances for each in parts(2)] == [2, 2, 2]
    assert len({each.name for each in every}) == 3
    for profile, part in (
        ("Entity search", most),
        ("Relationship purge", purges),
        ("Graph queries", graphs),
    ):
        assert [each for each in every if profile not in each.skipped] == [part]
        assert [each for each in every if each.counts(profile)] == [part]
    assert not any("Entity creation" in each.skipped for each in every)


def test_a_profile_counts_in_the_part_that_measures_it() -> None:
    most, _, graphs = parts(50)
    once = timings_of([(most, PERFORMANCE)], FACTS)
    both = timings_of([(most, PERFORMANCE), (graphs, PERFORMANCE)], FACTS)
    assert both.by_profile == once.by_profile
    assert timings_of([(graphs, PERFORMANCE)], FACTS).by_profile == ()
    assert (both.passed, both.failed) == (2 * once.passed, 2 * once.failed)
    assert both.failures == {"slow-01": 2}


def test_a_slower_median_stands_out() -> None:
    theirs = timings_of([(EVERYTHING, PERFORMANCE)], FACTS)
    (method,) = theirs.by_method
    ours = replace(theirs, by_method=(replace(method, median=6.0),))
    found = Kept(node_timings=ours, genuine_timings=theirs)
    by_method, by_profile = timing_tables(found)
    row = ("getEntityDetail", "5", "4", "**6**", "1.50", "4.2", "4.2")
    assert by_method.rows == (row,)
    row = ("Retrieval: getEntityDetail", "3", "2", "2", "1.00", "4", "4")
    assert by_profile.rows[0] == row
    text = document(found)
    assert "- node: 2 test cases passed, 1 failed; 20 instances of each type, " in text
    assert text.count("`slow-01`: 1 times") == 2


def test_the_document_in_the_project_is_made_of_what_is_kept() -> None:
    path = ROOT / "docs" / "conformance.md"
    notes = ROOT / "tests" / "egeria" / "conformance" / "notes.md"
    assert path.read_text() == document(kept(), notes.read_text())


# Where a run stands


def test_a_run_says_how_far_it_is() -> None:
    state = replace(
        begun("repository"),
        phase=Phase.TESTING,
        seconds=4_000.0,
        passed=3_100,
        failed=29,
        expected=6_258,
    )
    assert "3129 of 6258 test cases, 29 failed" in state.text()
    assert f"[{'#' * 20}{'-' * 20}]" in state.text()
    assert "1 h 7 min: testing" in state.text()
    assert duration(59.0) == "1 min"


def test_a_finished_run_shows_no_bar() -> None:
    assert "[" not in replace(begun("repository"), phase=Phase.FINISHED).text()


COMPLETED = """\
Sun Nov 22 04:12:25 UTC 2026 suite Information CONFORMANCE-SUITE-0013 The Open Metadata \
Conformance Test Case repository-entity-property-search-Actor has completed with 4 successful
Sun Nov 22 04:23:19 UTC 2026 suite Information CONFORMANCE-SUITE-0014 The Open Metadata \
Conformance Test Case repository-entity-property-search-{name} has completed with 2471
"""


def test_what_was_done_last_is_read_as_the_log_grows(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.touch()
    done = Done(log)
    assert done.text() == ""
    first, second = (COMPLETED.format(name=name) for name in ("Actor", "APICall"))
    log.write_text(first + second[:-9])
    assert done.text() == ", repository-entity-property-search of 1 types done"
    assert done.text() == ", repository-entity-property-search of 1 types done"
    log.write_text(first + second)
    assert done.text() == ", repository-entity-property-search of 2 types done"


HOLDER = """
import sys
from pathlib import Path
from tests.egeria.conformance.state import Place, begun

place = Place(Path(sys.argv[1]))
with place.held():
    place.keep(begun("repository"))
    print(flush=True)
    sys.stdin.read()
"""


def test_a_run_that_was_killed_is_told_as_failed(tmp_path: Path) -> None:
    place = Place(tmp_path)
    assert (place.state(), place.is_running()) == (None, False)
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert place.is_running()
        assert _phase(place.state()) is Phase.STARTING
        with pytest.raises(BlockingIOError), place.held():
            pass
        holder.send_signal(signal.SIGKILL)
    assert not place.is_running()
    assert _phase(place.state()) is Phase.FAILED


STOPPABLE = """
import signal
import sys
from dataclasses import replace
from pathlib import Path
from tests.egeria.conformance.state import Phase, Place, begun

place = Place(Path(sys.argv[1]))
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
with place.held():
    place.keep(state := begun("repository"))
    print(flush=True)
    signal.sigwait({signal.SIGTERM})
    place.keep(replace(state, phase=Phase.STOPPED))
"""


def test_who_has_a_run_stopped_is_told_of_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tests.egeria.conformance.__main__.RUNS", tmp_path)
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", STOPPABLE, str(tmp_path / "repository")],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as run:
        assert run.stdout is not None
        run.stdout.readline()
        assert main(["repository", "--stop"]) == 0
    assert ": stopped\n" in capsys.readouterr().out
    assert main(["repository", "--stop"]) == 1


def test_after_its_end_a_run_is_told_with_how_to_begin_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tests.egeria.conformance.__main__.RUNS", tmp_path)
    failed = replace(begun("repository"), phase=Phase.FAILED, doing="mvn failed")
    Place(tmp_path / "repository").keep(failed)
    assert main(["repository"]) == 1
    assert capsys.readouterr().out.endswith("mvn failed\nARGS=--again begins anew\n")


@pytest.mark.parametrize("half", ["--tut", "--cohort"])
def test_who_is_tested_and_where_go_together(
    half: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["repository", half, "name"])
    assert "--tut and --cohort go together" in capsys.readouterr().err


def _phase(state: State | None) -> Phase:
    assert state is not None
    return state.phase
