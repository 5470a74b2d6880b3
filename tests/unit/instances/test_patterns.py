"""Patterns are read and matched as Java does.

The tables hold what ``String.matches`` of Java 17 says.
"""

import subprocess
import sys

import pytest

from edgenode.instances.patterns import (
    PatternKind,
    PatternSyntaxError,
    TextPattern,
    fold_ascii,
    matches,
    parse_pattern,
)
from edgenode.limits import MAX_PATTERN_LENGTH

TIMEOUT = 5.0

# Each with texts that it matches and texts that it doesn't.
AS_JAVA_MATCHES = [
    (r"\QA.b\E", ("A.b",), ("Axb", "a.b", "A.b\n")),
    (r"(?i)\QA.b É\E", ("a.B É",), ("A.b é",)),
    (
        r"\Qab\E.*",
        ("ab", "abc", "ab\x0b", "ab\x1c"),
        ("xab", "ab\n", "ab\u2028", "ab\x85"),
    ),
    (r".*\Qab\E", ("ab", "cab"), ("abc", "\nab", "x\rab")),
    (r".*\Qab\E.*", ("xaby", "ab"), ("a b", "x\nab", "ab\ny", "AB")),
    (".*\\Qa\nb\\E.*", ("xa\nby",), ("a\nb\n", "\na\nb", "a\nba\nb")),
    (r"(?i).*\QKß\E.*", ("xkßx",), ("\u212a\xdf", "kSS")),
    (r"\Qa\E\\E\Qb\E", ("a\\Eb",), ("aEb",)),
    (r"\Qa", ("a",), ("aa",)),
    ("abc", ("abc",), ("xabc",)),
    (r"a\.c", ("a.c",), ("abc",)),
    ("a.*", ("a", "abc"), ("a\n",)),
    (".*", ("", "x"), ("x\n", "\n")),
    ("", ("",), ("a",)),
    (r"\Qab\E*", ("a", "abbb"), ("abab",)),
    (".", ("a", "\x0b", "\U0001f600"), ("\n", "\r", "\x85", "\u2028", "")),
    ("(?s).", ("\n", "\u2029"), ()),
    ("(?d).", ("\r", "\x85"), ("\n",)),
    ("a|bc", ("a", "bc"), ("abc",)),
    ("(?i)k|s", ("K", "S"), ("\u212a", "\u017f")),
    (
        "(?iu)k|s|i|ß",
        ("K", "S", "\u212a", "\u017f", "\u0130", "\u0131"),
        ("\u1e9e", "ss"),
    ),
    ("(?iu)[r-t]", ("\u017f", "S"), ("u",)),
    ("(?i)[^a-c]", ("d", "É"), ("B",)),
    ("(?i)é|É+", ("é", "É"), ("éÉ",)),
    ("(?i:a)b", ("Ab",), ("AB",)),
    ("a(?i)b|c", ("aB", "C"), ("Ab",)),
    ("(?i-i:x)", ("x",), ("X",)),
    ("(?x) a b # no more\n c", ("abc",), ("a b c",)),
    (r"(?x)a\ b", ("a b",), ("ab",)),
    (r"\d\w\s", ("1_ ", "1a\x0b"), ("\u0663_ ", "1é ")),
    (r"(?U)\d\w\s", ("\u0663\xe9\xa0", "1a "), ()),
    (r"\h+", (" \t\xa0\u3000",), ("\n",)),
    (r"\v+", ("\n\x0b\r\u2028",), (" ",)),
    (r"\R", ("\n", "\r\n", "\x85"), ("\n\n",)),
    (r"\R\n", ("\r\n", "\n\n"), ()),
    (r"\R*\n", ("\r\n\n",), ("\r\n",)),
    (r"\X", ("e\u0301", "\r\n"), ("ab",)),
    (r"a\Z\n?", ("a", "a\n"), ()),
    (r"a\z", ("a",), ("a\n",)),
    ("a$\n?", ("a\n", "a"), ()),
    ("a$\r\n", ("a\r\n",), ()),
    ("a\r$\n", (), ("a\r\n",)),
    ("(?m)^a$\n^b$", ("a\nb",), ("a\n\nb",)),
    ("(?m)a\n^", (), ("a\n",)),
    ("(?md)a$\r", (), ("a\r",)),
    (r"\Ga\Ab?", (), ("a", "ab")),
    (r"\bab\b", ("ab",), ()),
    (r"a\b.*", ("a b", "a-"), ("ab", "aé", "a\u0301", "a_")),
    (r"a\B.*", ("ab",), ("a b",)),
    (r"\u0061\x62\x{63}\0144\e\cA", ("abcd\x1b\x01",), ()),
    (r"\uD83D\uDE00", ("\U0001f600",), ()),
    (r"\N{LATIN SMALL LETTER A}", ("a",), ("A",)),
    ("[a-z&&[^m-p]]+", ("az",), ("am",)),
    ("[a-z&&[def]g]", ("d", "g"), ("a",)),
    ("[a[bc]d]+", ("abcd",), ("e",)),
    ("[^a[b]]", ("c",), ("a", "b")),
    ("[]a]", ("]", "a"), ()),
    ("[^]a]", ("b",), ("]",)),
    ("[a-]", ("a", "-"), ("b",)),
    ("[a-[b]]", ("-", "b"), ("c",)),
    (r"[\w&&[^\d_]]", ("a",), ("1", "_")),
    (r"[\Q]-[\E]+", ("]-[",), ("a",)),
    ("[&&a]", ("a",), ("&",)),
    ("[a&b]", ("&", "a"), ()),
    (r"\p{Alpha}\p{Lower}\p{Upper}\p{Punct}", ("aaA!",), ("éaA!",)),
    (r"(?i)\p{Lower}", ("A",), ("É",)),
    (r"\p{Lu}\pL\P{L}", ("Éé1",), ("éé1",)),
    (r"(?i)\p{Lu}", ("é",), ("1",)),
    (
        r"\p{IsLatin}\p{InGreek}\p{sc=Greek}",
        ("\xe9\u03c3\u03c2",),
        ("\u03c3\u03c3\u03c3",),
    ),
    (r"\p{IsAlphabetic}\p{javaLowerCase}", ("Éé",), ("éÉ",)),
    ("a*+a", (), ("a", "aa")),
    ("a++b", ("aab",), ()),
    ("a{2,3}?", ("aa", "aaa"), ("a", "aaaa")),
    ("a{2}{3}", ("aa",), ("aaaaaa",)),
    ("(?>a|ab)c", ("ac",), ("abc",)),
    (r"(a|b)\1", ("aa",), ("ab",)),
    (r"(?i)(a|b)\1", ("aA",), ("aB",)),
    (r"(?<first>a)\k<first>", ("aa",), ("a",)),
    (r"(a)\11", ("aa1",), ("aaa",)),
    (r"\1(a)", (), ("a", "aa")),
    (r"(a)?\1b", ("aab",), ("b",)),
    (r"(?=ab)\w+", ("abc",), ("bac",)),
    (r"(?!ab)\w+", ("bac",), ("abc",)),
    (r"\w+(?<=c)", ("abc",), ("abd",)),
    (r"\w+(?<!c)", ("abd",), ("abc",)),
    ("[^s]|[^b]", ("s", "b", "x"), ()),
    ("[[^s][^b]]", ("s", "b"), ()),
    ("(?:a|ab){2}+", ("aa",), ("aab", "abab")),
    ("(?iu:\xdf|\u1fb3)", ("\u1fbc", "ß"), ("\u1e9e",)),
]

REFUSED_BY_JAVA = [
    "x{}",
    "a**",
    "(a",
    "a)",
    "[a",
    r"\q",
    "*a",
    "a{2,1}",
    r"\k<n>",
    "(?<n>a)(?<n>b)",
    "[z-a]",
    r"\p{Nope}",
    "a\\",
    r"\x1",
    r"\u12",
    r"\08",
    "(?y)a",
    "a{99999999999}",
    r"[a-\d]",
    r"\x{110000}",
    r"\E",
    "(?<1>a)",
]


@pytest.mark.parametrize(("source", "matched", "other"), AS_JAVA_MATCHES)
def test_a_pattern_matches_what_java_matches(
    source: str, matched: tuple[str, ...], other: tuple[str, ...]
) -> None:
    pattern = parse_pattern(source)
    answers = {text: matches(pattern, text, TIMEOUT) for text in matched + other}
    assert answers == dict.fromkeys(matched, True) | dict.fromkeys(other, False)


@pytest.mark.parametrize(("source", "matched", "other"), AS_JAVA_MATCHES)
def test_every_match_contains_the_required_texts(
    source: str, matched: tuple[str, ...], other: tuple[str, ...]
) -> None:
    pattern = parse_pattern(source)
    fold = fold_ascii if pattern.ignore_case else str
    missing = [
        (text, part)
        for text in matched
        for part in pattern.required
        if fold(part) not in fold(text)
    ]
    assert missing == []


@pytest.mark.parametrize("source", REFUSED_BY_JAVA)
def test_what_java_refuses_is_refused_with_reason_and_position(source: str) -> None:
    with pytest.raises(PatternSyntaxError) as caught:
        parse_pattern(source)
    assert caught.value.reason
    assert 0 <= caught.value.position <= len(source)
    assert str(caught.value.position) in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        "(" * 60,
        "[" * 60,
        "a{100000}",
        "(((a{50}){50}){50}){50}",
        r"\b" * 1000,
        "x" * MAX_PATTERN_LENGTH + "+",
        "(?i)[" + "a-z" * 1000 + "]",
        r"(a\1)",
        r"\b{g}",
    ],
)
def test_what_would_cost_too_much_or_is_not_translated_is_refused(source: str) -> None:
    with pytest.raises(PatternSyntaxError):
        parse_pattern(source)


@pytest.mark.parametrize(
    ("source", "kind", "literal", "ignore_case"),
    [
        (r"\Qa.b\E", PatternKind.EXACT, "a.b", False),
        (r"\Qa.b\E.*", PatternKind.STARTS_WITH, "a.b", False),
        (r".*\Qa.b\E", PatternKind.ENDS_WITH, "a.b", False),
        (r".*\Qa.b\E.*", PatternKind.CONTAINS, "a.b", False),
        (r"(?i)\Qa.b\E", PatternKind.EXACT, "a.b", True),
        (r"(?i)\Qa.b\E.*", PatternKind.STARTS_WITH, "a.b", True),
        (r"(?i).*\Qa.b\E", PatternKind.ENDS_WITH, "a.b", True),
        (r"(?i).*\Qa.b\E.*", PatternKind.CONTAINS, "a.b", True),
        (r".*\Qa\E\\E\Qb\E.*", PatternKind.CONTAINS, r"a\Eb", False),
        (r"\Q\E.*", PatternKind.STARTS_WITH, "", False),
        ("plain text", PatternKind.EXACT, "plain text", False),
        ("plain.*", PatternKind.STARTS_WITH, "plain", False),
        (".*plain", PatternKind.ENDS_WITH, "plain", False),
        (".*plain.*", PatternKind.CONTAINS, "plain", False),
        (r"a\.b\\c", PatternKind.EXACT, r"a.b\c", False),
        (".*", PatternKind.STARTS_WITH, "", False),
        (".*.*", PatternKind.CONTAINS, "", False),
        ("", PatternKind.EXACT, "", False),
    ],
)
def test_quoted_and_plain_forms_are_no_regular_expressions(
    source: str, kind: PatternKind, literal: str, ignore_case: bool
) -> None:
    assert parse_pattern(source) == TextPattern(source, kind, literal, ignore_case)


@pytest.mark.parametrize(
    ("source", "ignore_case", "required"),
    [
        ("term.+", False, ("term",)),
        (r"\QDB.x\E|y", False, ()),
        ("ab+c", False, ("ab", "bc")),
        ("a?bc*d", False, ("b", "d")),
        (r"\Qname:\E\d+\Q.csv\E", False, ("name:", ".csv")),
        ("(?i)Name.+", True, ("Name",)),
        ("(?iu)name9.+", True, ("9",)),
        ("(abc)+(?:de|f)(?=gh)", False, ("abc",)),
        ("(abc)*", False, ()),
        ("(?:x{0})y", False, ("y",)),
    ],
)
def test_required_texts_are_found_where_they_are_certain(
    source: str, ignore_case: bool, required: tuple[str, ...]
) -> None:
    assert parse_pattern(source) == TextPattern(
        source, PatternKind.REGEX, "", ignore_case, required
    )


def test_a_runaway_expression_is_stopped() -> None:
    pattern = parse_pattern("(a|a)+b" + "(x+x+)+y")
    with pytest.raises(TimeoutError):
        matches(pattern, "a" * 60 + "b" + "x" * 60, 0.01)


def test_a_very_long_quoted_text_is_plain() -> None:
    text = "long " * 10_000
    pattern = parse_pattern(rf".*\Q{text}\E.*")
    assert (pattern.kind, matches(pattern, f"x{text}y", TIMEOUT)) == (
        PatternKind.CONTAINS,
        True,
    )


def test_only_regular_expressions_load_their_engine() -> None:
    script = (
        "import sys; from edgenode.instances.patterns import *;"
        "matches(parse_pattern(r'(?i).*\\Qa\\E.*'), 'xAy', 1.0);"
        "before = 'regex' in sys.modules;"
        "parse_pattern('a+');"
        "print(before, 'regex' in sys.modules)"
    )
    answer = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == ["False", "True"]
