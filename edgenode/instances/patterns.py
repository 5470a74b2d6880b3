"""The search patterns of the API: Java regular expressions that match a text in full."""

from dataclasses import dataclass
from enum import Enum


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

    Attributes:
        source: The pattern as the caller sent it.
        kind: What it amounts to.
        literal: The text of a plain kind, empty for REGEX.
        ignore_case: Whether ``(?i)`` was in front.
        required: Texts that every match of a REGEX must contain, longest first.
    """

    source: str
    kind: PatternKind
    literal: str = ""
    ignore_case: bool = False
    required: tuple[str, ...] = ()
