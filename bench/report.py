"""A question's answer: figures, what is required of them, tables, remarks."""

import argparse
import json
import platform
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.harness import Json, Table, facts

PI = ("aarch64", "armv7l", "armv6l")


@dataclass(frozen=True, slots=True)
class Requirement:
    """What is required of a figure: at most ``limit``.

    Attributes:
        what: Of which.
        found: The figure; None where it could not be measured.
        limit: The most that it may be.
        unit: Of both.
    """

    what: str
    found: float | None
    limit: float
    unit: str

    @property
    def met(self) -> bool:
        """Whether the figure was measured and is within the limit."""
        return self.found is not None and self.found <= self.limit

    def row(self) -> tuple[str, ...]:
        """The requirement in a table."""
        found = "not measured" if self.found is None else f"{self.found:.3g}"
        said = "met" if self.met else "MISSED"
        return self.what, f"{self.limit:g} {self.unit}", f"{found} {self.unit}", said

    def json(self) -> Json:
        """The requirement as JSON."""
        return {
            "what": self.what,
            "unit": self.unit,
            "found": self.found,
            "limit": self.limit,
            "met": self.met,
        }


@dataclass(slots=True)
class Answer:
    """What one question found.

    Attributes:
        question: Its name.
        title: What people call it.
        before: What the figures depend on, at the start.
        figures: Everything that was measured.
        requirements: What is required of it.
        tables: It, as people read it.
        notes: What must be known to read it.
        wrong: Answers that servers gave and shouldn't: then no figure counts.
    """

    question: str
    title: str
    before: Json = field(default_factory=facts)
    figures: Json = field(default_factory=dict)
    requirements: list[Requirement] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def json(self) -> Json:
        """The answer as it is printed and kept."""
        return {
            "question": self.question,
            "title": self.title,
            **self.before,
            "load average at the end": facts()["machine"]["load average"],
            **self.figures,
            "requirements": [requirement.json() for requirement in self.requirements],
            "tables": [
                {"title": table.title, "columns": table.columns, "rows": table.rows}
                for table in self._all_tables()
            ],
            "notes": [f"measured on {where()}", *self.notes],
            "wrong": self.wrong,
        }

    def _all_tables(self) -> list[Table]:
        if not self.requirements:
            return self.tables
        rows = tuple(requirement.row() for requirement in self.requirements)
        return [Table("Required", ("what", "at most", "found", ""), rows), *self.tables]

    def give(self, markdown: Path | None) -> int:
        """Print it as JSON, write it as a document if asked to; the exit code."""
        made = self.json()
        json.dump(made, sys.stdout, indent=1, ensure_ascii=False)
        print()
        if markdown is not None:
            markdown.write_text(document(made), encoding="utf-8")
        return 1 if self.wrong else 0


def where() -> str:
    """What kind of machine this is, so that no figure is taken for another's."""
    machine = platform.machine()
    if machine in PI:
        return machine
    return f"{machine}, not on a Raspberry Pi"


def tables_of(made: Json) -> list[Table]:
    """The tables of an answer that was kept as JSON."""
    return [
        Table(
            table["title"],
            tuple(table["columns"]),
            tuple(tuple(row) for row in table["rows"]),
        )
        for table in made["tables"]
    ]


def remarks_of(made: Json) -> list[str]:
    """The notes of a kept answer, and what was wrong."""
    return [*made["notes"], *(f"WRONG: {text}" for text in made["wrong"])]


def document(made: Json) -> str:
    """A kept answer as a part of a document."""
    machine: Mapping[str, object] = made["machine"]
    start, end = machine["load average"], made["load average at the end"]
    lines = [
        f"## {made['title']}",
        "",
        f"{made['date']}, commit {made['commit']}, Python {made['python']}, "
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory']}, "
        f"{machine['system']}; load average {_loads(start)} at the start, "
        f"{_loads(end)} at the end.",
        "",
        *(f"{table.markdown()}\n" for table in tables_of(made)),
        *(f"- {text}" for text in remarks_of(made)),
    ]
    return "\n".join(lines) + "\n"


def _loads(loads: object) -> str:
    return " ".join(map(str, loads)) if isinstance(loads, Iterable) else "unknown"


def parser_of(question: str, about: str | None) -> argparse.ArgumentParser:
    """A command line with the options that every question has."""
    parser = argparse.ArgumentParser(
        prog=f"python -m bench.{question}",
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="so little that the figures mean nothing: it shows that all works",
    )
    parser.add_argument("--markdown", metavar="PATH", type=Path)
    parser.add_argument(
        "--directory",
        metavar="PATH",
        type=Path,
        help="where data is kept meanwhile, on the disk to be measured; without it "
        "under bench/results",
    )
    return parser
