"""What the self-check finds."""

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """How well something is; only what fails makes the command fail."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; ``mend`` says what to do where it isn't well."""

    check: str
    verdict: Verdict
    found: str
    mend: str = ""
