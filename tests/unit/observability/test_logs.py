"""What a line of the log looks like, and how often the same is said."""

import io
import json
import logging
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from edgenode.limits import REPEATED_COMPLAINTS, REPETITION_SECONDS
from edgenode.observability.logs import (
    JsonFormatter,
    RepetitionFilter,
    TextFormatter,
    formatter,
    is_journal,
)
from tests.conftest import ROOT


def record(
    text: str = "it broke",
    *args: object,
    level: int = logging.ERROR,
    at: float = 1_800_000_000.5,
    line: int = 1,
    **details: str,
) -> logging.LogRecord:
    made = logging.LogRecord("edgenode.part", level, "part.py", line, text, args, None)
    made.created = at
    made.__dict__.update(details)
    return made


def failed() -> logging.LogRecord:
    made = record("it broke")
    try:
        int("x")
    except ValueError:
        made.exc_info = sys.exc_info()
    return made


def test_a_line_for_people_has_the_time_and_the_level() -> None:
    line = TextFormatter(journal=False).format(record("%s broke", "it"))
    time, level, text = line.split(maxsplit=2)
    assert (level, text) == ("ERROR", "it broke")
    assert "T" in time
    assert ".500" in time


@pytest.mark.parametrize(
    ("level", "priority"),
    [
        (logging.CRITICAL, "<3>"),
        (logging.ERROR, "<3>"),
        (logging.WARNING, "<4>"),
        (logging.INFO, "<6>"),
        (logging.DEBUG, "<7>"),
        (1, "<7>"),
    ],
)
def test_a_line_for_the_journal_has_its_priority(level: int, priority: str) -> None:
    line = TextFormatter(journal=True).format(record("it is so", level=level))
    assert line == priority + "it is so"


def test_each_line_of_a_traceback_has_the_priority() -> None:
    lines = TextFormatter(journal=True).format(failed()).split("\n")
    assert len(lines) > 3
    assert {line[:3] for line in lines} == {"<3>"}


@pytest.mark.parametrize("journal", [True, False])
def test_what_a_caller_chose_can_not_begin_a_line(journal: bool) -> None:
    text = record("user %s was refused", "me\n<0>all is well\x1b[2J\u2028é")
    line = TextFormatter(journal=journal).format(text)
    assert line.endswith("user me\\n<0>all is well\\x1b[2J\\u2028é was refused")
    assert len(line.splitlines()) == 1


def test_a_line_for_programs_is_json() -> None:
    line = JsonFormatter().format(
        record("%s started", "mds\n", level=logging.INFO, server="mds", component="c")
    )
    content = json.loads(line)
    assert datetime.fromisoformat(content.pop("time")).timestamp() == 1_800_000_000.5
    assert content == {
        "level": "info",
        "logger": "edgenode.part",
        "message": "mds\n started",
        "server": "mds",
        "component": "c",
    }
    assert "\n" not in line


def test_a_line_for_programs_holds_the_traceback() -> None:
    content = json.loads(JsonFormatter().format(failed()))
    assert content["exception"].startswith("Traceback")
    assert content["exception"].endswith("'x'")


def test_a_lasting_fault_is_told_a_few_times_and_then_counted() -> None:
    repetition = RepetitionFilter()
    passed = [repetition.filter(record("disk: %s", n)) for n in range(20)]
    assert passed == [True] * REPEATED_COMPLAINTS + [False] * (20 - REPEATED_COMPLAINTS)
    later = record("disk: %s", 20, at=1_800_000_000.5 + REPETITION_SECONDS)
    assert repetition.filter(later)
    left_out = 20 - REPEATED_COMPLAINTS
    assert later.getMessage() == f"disk: 20 (and {left_out} more like it)"


def test_one_complaint_does_not_hide_another() -> None:
    repetition = RepetitionFilter()
    for _ in range(20):
        repetition.filter(record("disk", line=1))
        repetition.filter(record("audit", line=3, message_id="A"))
    assert repetition.filter(record("network", line=2))
    assert repetition.filter(record("audit", line=3, message_id="B"))


def test_what_is_no_complaint_is_not_counted() -> None:
    repetition = RepetitionFilter()
    passed = [
        repetition.filter(record("a change", level=logging.INFO)) for _ in range(50)
    ]
    assert all(passed)


def test_a_stream_is_the_journal_if_systemd_says_so(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w", encoding="utf-8") as stream:
        status = os.fstat(stream.fileno())
        told = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        assert is_journal(stream, told)
        assert not is_journal(stream, {})
        assert not is_journal(stream, {"JOURNAL_STREAM": "1:2"})
        assert not is_journal(io.StringIO(), told)
        assert formatter("text", stream, told).format(record()).startswith("<3>")
        assert formatter("json", stream, told).format(record()).startswith("{")


@pytest.mark.parametrize(
    ("log_format", "level", "lines"),
    [("text", "info", 2), ("json", "info", 2), ("text", "error", 0)],
)
def test_the_log_goes_to_standard_error(
    log_format: str, level: str, lines: int
) -> None:
    program = f"""
import logging, warnings
from edgenode.observability.logs import logging_to_stderr
logging_to_stderr({log_format!r}, {level!r})
logging.getLogger("edgenode.x").info("hello %s", "there")
warnings.warn("old")
logging.getLogger("edgenode.x").debug("not shown")
"""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
    shown = [
        line for line in done.stderr.splitlines() if "hello" in line or "old" in line
    ]
    assert len(shown) == lines
