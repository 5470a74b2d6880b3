"""Every question can be asked, from a clean clone and with nothing else running."""

import json
from importlib import import_module
from pathlib import Path

import pytest

from bench.__main__ import QUESTIONS
from bench.glossary import GLOSSARY
from bench.scale import RANK, phrase


# That of the cohort starts some twenty nodes: its parts have tests of their own.
@pytest.mark.parametrize("question", sorted({*QUESTIONS} - {"cohort"}))
def test_a_question_is_answered(
    question: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = import_module(f"bench.{question}")
    assert asked.main(["--quick", "--directory", str(tmp_path)]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["question"] == question
    assert made["wrong"] == []
    assert made["tables"]
    for table in made["tables"]:
        assert table["rows"]
        assert all(len(row) == len(table["columns"]) for row in table["rows"])
    assert list(tmp_path.iterdir()) == []


def test_without_a_genuine_egeria_it_is_said_that_nothing_was_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = import_module("bench.rest_methods")
    options = ["--quick", "--only", "isEntityKnown", "--directory", str(tmp_path)]
    assert asked.main(options) == 0
    made = json.loads(capsys.readouterr().out)
    assert any("nothing was compared" in note for note in made["notes"])
    assert made["requirements"] == []


def test_a_phrase_is_in_its_text_and_hardly_in_another() -> None:
    texts = [GLOSSARY.term(n)["summary"]["primitiveValue"] for n in range(300)]
    for text in texts[:50]:
        words = phrase(text)
        assert all(word in RANK for word in words.split())
        assert [other for other in texts if words in other] == [text]
