"""Answers as people read them."""

import subprocess
import sys

import pytest

from edgenode.cli.output import Output, harmless, name_of, shown


def text(value: object) -> dict[str, object]:
    return {"primitiveDefCategory": "OM_PRIMITIVE_TYPE_STRING", "primitiveValue": value}


def date(millis: int) -> dict[str, object]:
    return {
        "primitiveDefCategory": "OM_PRIMITIVE_TYPE_DATE",
        "primitiveValue": millis,
    }


def properties(**values: object) -> dict[str, object]:
    return {"instanceProperties": values}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        (text("a"), "a"),
        (text(None), ""),
        (text(True), "true"),
        (text(7), "7"),
        (date(0), "1970-01-01T00:00:00.000+00:00"),
        ({"symbolicName": "Big", "ordinal": 9}, "Big"),
        ({"mapValues": properties(a=text("1"), b=text("2"))}, "{a: 1, b: 2}"),
        (
            {"arrayValues": properties(**{str(n): text(n) for n in (10, 9, 0)})},
            "[0, 9, 10]",
        ),
        ({"attributes": properties(a={"mapValues": properties(b=text(1))})}, "{a: {b: 1}}"),
    ],
)  # fmt: skip
def test_values(value: dict[str, object] | None, expected: str) -> None:
    assert shown(value) == expected


def test_names() -> None:
    one = {"properties": properties(qualifiedName=text("q"), displayName=text("d"))}
    two = {"guid": "g", "uniqueProperties": properties(qualifiedName=text("u"))}
    assert name_of(one) == "d"
    assert name_of(two) == "u"
    assert name_of({"properties": properties(other=text("x"))}) == ""
    assert name_of({"entityOneProxy": one, "entityTwoProxy": {"guid": "g"}}) == "d - g"


@pytest.mark.parametrize(
    ("said", "harm"),
    [
        ("plain \u00e9 \u4e2d\nline\ttab", "plain \u00e9 \u4e2d\nline\ttab"),
        ("\x1b[31m", "\ufffd[31m"),
        ("\x9b31m", "\ufffd31m"),
        ("a\rb\bc\x7f", "a\ufffdb\ufffdc\ufffd"),
    ],
)
def test_control_characters_are_replaced(said: str, harm: str) -> None:
    assert harmless(said) == harm


def test_a_table_for_programs_is_never_folded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    Output(as_json=False).table(("a", "b"), [("x" * 50, "[bold]y" * 9)], title="t")
    title, head, row = capsys.readouterr().out.splitlines()
    assert (title, head.split()) == ("t", ["a", "b"])
    assert row.split() == ["x" * 50, "[bold]y" * 9]


def test_no_bars_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with Output(as_json=False).progress() as progress:
        progress.stage("loading", int)(1, 2)
    assert capsys.readouterr() == ("", "")


def test_a_cell_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).table(("a", "b"), [("x\ny\tz", "\x1b")])
    _, row = capsys.readouterr().out.splitlines()
    assert row.split() == ["x\\ny\\tz", "\ufffd"]


def test_a_node_that_tells_a_line_has_no_tables_in_memory() -> None:
    told = (
        "import sys; from edgenode.cli.output import Output; "
        "Output(as_json=False).line('told'); print('rich' in sys.modules)"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", told], capture_output=True, text=True, check=True
    )
    assert done.stdout == "told\nFalse\n"
