"""Prints answers: tables for people, the API's own JSON for machines."""

import re
import sys
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import contextmanager
from functools import cached_property
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

from edgenode.codec.beans import iso_time
from edgenode.codec.json import dumps_pretty

if TYPE_CHECKING:  # rich takes longer to load than most commands to run
    from rich.console import Console
    from rich.progress import Progress

JsonObject = Mapping[str, Any]
Count = Callable[[int, int], None]
"""Told how much is done, and of how much."""

_UNFOLDED_COLUMNS = 10_000
"""Lines that no terminal shows are for programs such as grep: they stay whole."""


_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def harmless(text: str) -> str:
    """A text without what a terminal obeys: names come from other people's servers."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def in_a_cell(text: str) -> str:
    """A text as a table shows it: in one line, so that no name looks like two rows."""
    return harmless(text.replace("\n", "\\n").replace("\t", "\\t"))


def warn(text: str) -> None:
    """Say something on standard error that isn't part of the answer."""
    sys.stdout.flush()
    sys.stderr.write(f"edgenode: {harmless(text)}\n")


def _show_what_can_be_shown() -> None:
    """What a terminal can't show isn't worth failing for."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


class Output:
    """Where a command prints; ``as_json`` says for whom."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    @cached_property
    def console(self) -> "Console":
        """The terminal, or the file that stands for it."""
        from rich.console import Console

        _show_what_can_be_shown()
        width = None if sys.stdout.isatty() else _UNFOLDED_COLUMNS
        return Console(highlight=False, width=width)

    @contextmanager
    def progress(self) -> Iterator["Stages"]:
        """Bars on a terminal while something long goes on; none for machines.

        They go to where errors go, so that answers can be piped.
        """
        if self.as_json or not sys.stderr.isatty():
            yield Stages(None)
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[come]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        ) as bars:
            yield Stages(bars)

    def json(self, answer: object) -> None:
        """The API's own answer."""
        sys.stdout.flush()
        # JSON is UTF-8, whatever the terminal is.
        sys.stdout.buffer.write(dumps_pretty(answer) + b"\n")
        sys.stdout.buffer.flush()

    def line(self, text: str) -> None:
        """One line of text, by itself: a node prints some, and has no use for rich."""
        _show_what_can_be_shown()
        sys.stdout.write(f"{harmless(text)}\n")
        sys.stdout.flush()

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[str]],
        title: str | None = None,
    ) -> None:
        """A table; long cells are folded, never cut. Columns may all be nameless."""
        from rich.table import Table
        from rich.text import Text

        if title:
            self.line(title)
        table = Table(box=None, pad_edge=False, show_header=any(columns))
        for column in columns:
            table.add_column(column, overflow="fold", no_wrap=column == "guid")
        for row in rows:
            table.add_row(*(Text(in_a_cell(cell)) for cell in row))
        self.console.print(table)

    def instances(
        self,
        found: Sequence[JsonObject],
        more: str = "",
        copies: Collection[str] = (),
    ) -> None:
        """A list of entities or relationships, one row each.

        Args:
            found: What to list.
            more: What to say behind it.
            copies: The GUIDs of those that are marked as copies of something absent.
        """
        if not found:
            self.line("nothing found")
            return
        self.table(("guid", "type", "name", "status", "version", "home"),
                   (_row(instance, copies) for instance in found))  # fmt: skip
        if more:
            self.line(more)

    def instance(self, instance: JsonObject) -> None:
        """One entity or relationship in full."""
        self.table(("", ""), _header_rows(instance))
        self._properties("properties", instance.get("properties"))
        for classification in instance.get("classifications", ()):
            self._properties(
                f"classification {classification.get('name')}",
                classification.get("properties"),
            )

    def _properties(self, title: str, properties: JsonObject | None) -> None:
        values = (properties or {}).get("instanceProperties", {})
        self.line("")
        if not values:
            self.line(f"{title}: none")
            return
        self.table(
            ("name", "value"),
            ((name, shown(value)) for name, value in sorted(values.items())),
            title=title,
        )


class Stages:
    """The stages of something long, each with a bar of its own."""

    def __init__(self, bars: "Progress | None") -> None:
        self._bars = bars

    def stage(self, what: str, unit: type[int] | type[bytes]) -> Count:
        """Begin a stage that counts elements or bytes; gives what to call with them."""
        bars = self._bars
        if bars is None:
            return lambda done, total: None
        show = _megabytes if unit is bytes else str
        task = bars.add_task(what, total=None, come="")

        def count(done: int, total: int) -> None:
            come = f"{show(done)} of {show(total)}"
            bars.update(task, completed=done, total=total, come=come)

        return count


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"


def shown(value: JsonObject | None) -> str:
    """A property value as people read it."""
    if value is None:
        return ""
    if "symbolicName" in value:
        return str(value["symbolicName"])
    for held in ("mapValues", "attributes", "arrayValues"):
        if held in value:
            entries = value[held].get("instanceProperties", {})
            if held == "arrayValues":
                ordered = sorted(entries.items(), key=lambda entry: int(entry[0]))
                return "[" + ", ".join(shown(entry) for _, entry in ordered) + "]"
            return (
                "{"
                + ", ".join(f"{key}: {shown(entry)}" for key, entry in entries.items())
                + "}"
            )
    raw = value.get("primitiveValue")
    if (
        value.get("primitiveDefCategory") == "OM_PRIMITIVE_TYPE_DATE"
        and raw is not None
    ):
        return iso_time(raw)
    if isinstance(raw, bool):
        return str(raw).lower()
    return "" if raw is None else str(raw)


def name_of(instance: JsonObject) -> str:
    """What people call an instance: its display name, else a name that is unique."""
    properties = instance.get("properties") or instance.get("uniqueProperties") or {}
    values = properties.get("instanceProperties", {})
    for property_name in ("displayName", "name", "qualifiedName", "title"):
        if property_name in values:
            return shown(values[property_name])
    if "entityOneProxy" in instance:
        ends = (instance["entityOneProxy"], instance["entityTwoProxy"])
        return " - ".join(name_of(end) or str(end.get("guid")) for end in ends)
    return ""


def _row(instance: JsonObject, copies: Collection[str]) -> tuple[str, ...]:
    guid = str(instance.get("guid", ""))
    home = str(instance.get("metadataCollectionName", ""))
    return (
        guid,
        str(instance.get("type", {}).get("typeDefName", "")),
        name_of(instance),
        str(instance.get("status", "")),
        str(instance.get("version", "")),
        f"{home} (copy)" if guid in copies else home,
    )


def _header_rows(instance: JsonObject) -> Iterable[tuple[str, str]]:
    kind = instance.get("type", {})
    yield "guid", str(instance.get("guid", ""))
    yield "type", f"{kind.get('typeDefName')} (version {kind.get('typeDefVersion')})"
    yield "status", str(instance.get("status", ""))
    yield "version", str(instance.get("version", ""))
    home = instance.get("metadataCollectionName") or ""
    yield "home", f"{home} ({instance.get('metadataCollectionId')})"
    yield "provenance", str(instance.get("instanceProvenanceType", ""))
    created = instance.get("createTime", "")
    yield "created", f"{created} by {instance.get('createdBy', '')}"
    if instance.get("updateTime"):
        yield "updated", f"{instance['updateTime']} by {instance.get('updatedBy', '')}"
    for end in ("entityOneProxy", "entityTwoProxy"):
        if end in instance:
            proxy = instance[end]
            label = "end 1" if end == "entityOneProxy" else "end 2"
            type_name = proxy.get("type", {}).get("typeDefName")
            yield label, f"{type_name} {name_of(proxy)} ({proxy.get('guid')})"
