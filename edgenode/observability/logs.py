"""Where the log goes and what a line of it looks like.

Text is for people and for the journal, which reads a line's priority from its first
characters; JSON is for programs, one object a line. The same complaint again and again
is written a few times and then counted, so that a fault that lasts neither fills the
disk nor hides the others.

Log lines tell what happened to which server, never what callers sent: nothing in the
house logs a body, and names that callers choose can't begin a line of their own.
"""

import json
import logging
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

from edgenode.limits import (
    MAX_COUNTED_COMPLAINTS,
    REPEATED_COMPLAINTS,
    REPETITION_SECONDS,
)

# Syslog's priorities, as sd-daemon(3) has them in front of a line.
_PRIORITIES = (
    (logging.ERROR, "<3>"),
    (logging.WARNING, "<4>"),
    (logging.INFO, "<6>"),
    (logging.DEBUG, "<7>"),
)

_DETAILS = ("server", "component", "message_id")
"""What records may tell beside their message; of use to programs."""


def logging_to_stderr(log_format: str, log_level: str) -> None:
    """Send the log of the whole process to standard error.

    Args:
        log_format: ``text`` or ``json``.
        log_level: The least serious level that is logged, in lower case.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(log_format, sys.stderr, os.environ))
    handler.addFilter(RepetitionFilter())
    logging.basicConfig(
        handlers=[handler], level=logging.getLevelNamesMapping()[log_level.upper()]
    )
    logging.captureWarnings(True)


def formatter(
    log_format: str, stream: TextIO, environment: Mapping[str, str]
) -> logging.Formatter:
    """The formatter for a format that a configuration names, and for where it goes."""
    if log_format == "json":
        return JsonFormatter()
    return TextFormatter(journal=is_journal(stream, environment))


def is_journal(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether systemd has connected the stream to its journal."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # it is no file of the system's
        return False
    return environment.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


class TextFormatter(logging.Formatter):
    """Lines for people; for the journal with a priority and without the time it adds."""

    def __init__(self, *, journal: bool) -> None:
        start = "" if journal else "%(time)s %(levelname)-7s "
        super().__init__(start + "%(message)s")
        self._journal = journal

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """The first line; a traceback is all that may follow it."""
        record.message = _one_line(record.message)
        record.time = _time(record)
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        """The record's lines."""
        text = super().format(record)
        if not self._journal:
            return text
        priority = next(
            (mark for level, mark in _PRIORITIES if record.levelno >= level), "<7>"
        )
        return "\n".join(priority + line for line in text.splitlines())


class JsonFormatter(logging.Formatter):
    """Lines for programs."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one JSON object."""
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_details(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class RepetitionFilter(logging.Filter):
    """Lets a complaint pass a few times in a while, then says how many were left out.

    Complaints are warnings and worse; two are the same if the same place of the code
    writes them, or they are audit records of one message id, whatever the details.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, int, str], _Repetition] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written; a count may be added to it."""
        if record.levelno < logging.WARNING:
            return True
        place = (record.pathname, record.lineno, getattr(record, "message_id", ""))
        seen = self._seen.get(place)
        if seen is None or record.created - seen.since >= REPETITION_SECONDS:
            if seen is not None and seen.left_out:
                record.msg = f"{record.getMessage()} (and {seen.left_out} more like it)"
                record.args = None
            if len(self._seen) >= MAX_COUNTED_COMPLAINTS:
                self._seen.clear()
            self._seen[place] = _Repetition(record.created)
            return True
        seen.count += 1
        if seen.count <= REPEATED_COMPLAINTS:
            return True
        seen.left_out += 1
        return False


class _Repetition:
    """How often one complaint came in a while; ``since`` is the record's own time."""

    __slots__ = ("count", "left_out", "since")

    def __init__(self, since: float) -> None:
        self.since = since
        self.count = 1
        self.left_out = 0


def _time(record: logging.LogRecord) -> str:
    """Local time, which people compare with their clock, with its offset."""
    moment = datetime.fromtimestamp(record.created, UTC).astimezone()
    return moment.isoformat(timespec="milliseconds")


def _details(record: logging.LogRecord) -> dict[str, str]:
    return {
        name: str(getattr(record, name)) for name in _DETAILS if hasattr(record, name)
    }


def _one_line(text: str) -> str:
    """Text in which a line break, or what else steers a terminal, is shown as written."""
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1]
        for character in text
    )
