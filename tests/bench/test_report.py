"""Answers say what they depend on, what was required, and what was wrong."""

import json
import platform
from pathlib import Path

import pytest

from bench.__main__ import write
from bench.harness import Table
from bench.report import Answer, Requirement, document, remarks_of, tables_of, where


def test_a_requirement_is_met_at_its_limit_and_never_without_a_figure() -> None:
    assert Requirement("start", 1.0, 1.0, "s").met
    assert not Requirement("start", 1.01, 1.0, "s").met
    missing = Requirement("start", None, 1.0, "s")
    assert not missing.met
    assert missing.row()[2:] == ("not measured s", "MISSED")


def made() -> Answer:
    """An answer with a table, a note and a requirement."""
    answer = Answer("start", "Starts")
    answer.tables = [Table("Times", ("what", "ms"), (("a | b", "1.5"),))]
    answer.requirements = [Requirement("first answer", 2.0, 1.0, "s")]
    answer.notes = ["data on ext4"]
    return answer


def test_an_answer_says_what_it_depends_on(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert made().give(tmp_path / "made.md") == 0
    kept = json.loads(capsys.readouterr().out)
    assert kept["commit"]
    assert kept["machine"]["architecture"] == platform.machine()
    assert kept["machine"]["cores"] >= 1
    assert kept["requirements"] == [
        {
            "what": "first answer",
            "unit": "s",
            "found": 2.0,
            "limit": 1.0,
            "met": False,
        }
    ]
    text = (tmp_path / "made.md").read_text()
    assert text == document(kept)
    for part in ("## Starts", "| first answer | 1 s | 2 s | MISSED |", "a \\| b"):
        assert part in text
    assert platform.machine() in text
    assert [table.title for table in tables_of(kept)] == ["Required", "Times"]


def test_a_wrong_answer_is_told_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    answer = made()
    answer.wrong = ["find: nothing found"]
    assert answer.give(None) == 1
    kept = json.loads(capsys.readouterr().out)
    assert "WRONG: find: nothing found" in remarks_of(kept)
    assert "WRONG: find: nothing found" in document(kept)


def test_another_machine_is_never_taken_for_a_raspberry_pi(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    assert where() == "x86_64, not on a Raspberry Pi"


def test_kept_answers_become_one_document(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made().give(None)
    (tmp_path / "footprint.json").write_text(capsys.readouterr().out)
    monkeypatch.setattr("bench.__main__.RESULTS", tmp_path)
    write(tmp_path / "RESULTS.md")
    text = (tmp_path / "RESULTS.md").read_text()
    assert text.startswith("# Measurements\n\n## What is required and missed\n")
    assert "\n## Starts\n" in text
