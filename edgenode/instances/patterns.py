"""The search patterns of the API: Java regular expressions that match a text in full.

Callers mostly quote a text and put ``.*`` before or after it; such patterns are plain
comparisons. The rest are matched by the ``regex`` package, imported when the first of
them comes, in bounded time.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from edgenode.instances.java_regex import PatternSyntaxError, translate
from edgenode.limits import (
    MAX_COMPILED_PATTERNS,
    MAX_PATTERN_LENGTH,
)

__all__ = [
    "PatternKind",
    "PatternSyntaxError",
    "TextPattern",
    "fold_ascii",
    "matches",
    "parse_pattern",
]


class PatternKind(Enum):
    """What a pattern amounts to; all but REGEX are plain text comparisons."""

    EXACT = 0
    STARTS_WITH = 1
    ENDS_WITH = 2
    CONTAINS = 3
    REGEX = 4


@dataclass(frozen=True, slots=True)
class TextPattern:
    """A parsed pattern.

    What a plain kind leaves open on either side is text without line terminators.

    Attributes:
        source: The pattern as the caller sent it.
        kind: What it amounts to.
        literal: The text of a plain kind, empty for REGEX.
        ignore_case: Whether the ASCII letters of ``literal``, or of ``required``, may
            stand in either case (``(?i)`` does so to no other letters).
        required: Texts that every match of a REGEX must contain, longest first.
    """

    source: str
    kind: PatternKind
    literal: str = ""
    ignore_case: bool = False
    required: tuple[str, ...] = ()


LINE_TERMINATORS = "\n\r\x85\u2028\u2029"
"""What Java's dot doesn't match."""

_PIECE = r"\\Q(?:(?!\\E).)*+(?:\\E)?|\\[^A-Za-z0-9]|[^\\\[\](){}|*+?^$.]"
_PLAIN = re.compile(
    rf"(?P<fold>\(\?i\))?(?P<before>\.\*(?=.))?(?P<text>(?:{_PIECE})*+)(?P<after>\.\*)?",
    re.DOTALL,
)
_PIECES = re.compile(_PIECE, re.DOTALL)
_TERMINATOR = re.compile(f"[{LINE_TERMINATORS}]")
_KINDS = {
    (False, False): PatternKind.EXACT,
    (False, True): PatternKind.STARTS_WITH,
    (True, False): PatternKind.ENDS_WITH,
    (True, True): PatternKind.CONTAINS,
}
_ASCII_FOLD = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def parse_pattern(source: str) -> TextPattern:
    """Say what a pattern asks.

    Raises:
        PatternSyntaxError: It is no valid Java regular expression, or too long.
    """
    if len(source) > MAX_PATTERN_LENGTH:
        raise PatternSyntaxError("pattern too long", MAX_PATTERN_LENGTH)
    plain = _PLAIN.fullmatch(source)
    if plain is None:
        return _regex_pattern(source)
    sides = (plain["before"] is not None, plain["after"] is not None)
    return TextPattern(
        source,
        _KINDS[sides],
        _PIECES.sub(_unquoted, plain["text"]),
        plain["fold"] is not None,
    )


def fold_ascii(text: str) -> str:
    """The text with ASCII capitals made small and all else as it is."""
    return text.lower() if text.isascii() else text.translate(_ASCII_FOLD)


def matches(pattern: TextPattern, text: str, timeout: float) -> bool:
    """Whether the text matches in full, as Java says.

    Raises:
        TimeoutError: A REGEX has not come to an answer within ``timeout`` seconds.
    """
    if pattern.kind is PatternKind.REGEX:
        fullmatch = _compiled(pattern.source)
        return fullmatch(text, timeout=timeout, concurrent=True) is not None
    literal = pattern.literal
    if pattern.ignore_case:
        literal, text = fold_ascii(literal), fold_ascii(text)
    size = len(literal)
    match pattern.kind:
        case PatternKind.EXACT:
            return text == literal
        case PatternKind.STARTS_WITH:
            return text.startswith(literal) and _is_line(text[size:])
        case PatternKind.ENDS_WITH:
            return text.endswith(literal) and _is_line(text[: len(text) - size])
        case PatternKind.CONTAINS:
            return _contains(text, literal)


def _contains(text: str, literal: str) -> bool:
    """Whether the text holds the literal, with no line terminator before or after it."""
    if literal not in text:
        return False
    terminators = [found.start() for found in _TERMINATOR.finditer(text)]
    if not terminators:
        return True
    earliest = max(0, terminators[-1] + 1 - len(literal))
    return text.find(literal, earliest, terminators[0] + len(literal)) >= 0


def _is_line(text: str) -> bool:
    return _TERMINATOR.search(text) is None


def _unquoted(piece: re.Match[str]) -> str:
    text = piece[0]
    if text.startswith(r"\Q"):
        return text[2:].removesuffix(r"\E")
    return text[-1]


def _regex_pattern(source: str) -> TextPattern:
    translation = translate(source)
    _compiled(source)
    return TextPattern(
        source,
        PatternKind.REGEX,
        ignore_case=translation.ignore_case,
        required=translation.required,
    )


@lru_cache(maxsize=MAX_COMPILED_PATTERNS)
def _compiled(source: str) -> Callable[..., object]:
    # Here and not above: 5 MB that a node without such patterns doesn't need.
    import regex  # type: ignore[import-untyped]

    try:
        compiled = regex.compile(translate(source).expression, regex.VERSION1)
    except regex.error as error:
        raise PatternSyntaxError(str(error), 0) from error
    fullmatch: Callable[..., object] = compiled.fullmatch
    return fullmatch
