"""A node with one decision about its schema taken otherwise, to be compared with.

python -m bench.variants NAME run ...

A variant changes the project's code in this process, before anything is opened. What it
stores only the same variant can read.
"""
# ruff: noqa: SLF001 - a variant is made inside what it varies

import re
import sqlite3
import sys
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, cast

from edgenode.repository import connections, migrations, statements


def page_size(size: int) -> None:
    """Pages of another size, in bytes."""
    connections.PAGE_SIZE = size


def rowid_tables() -> None:
    """The tables that are sorted by their keys are rowid tables with an index instead."""
    steps = migrations.steps

    def changed() -> dict[int, str]:
        return {
            number: script.replace(", WITHOUT ROWID", "")
            for number, script in steps().items()
        }

    migrations.steps = changed


def index_at_once() -> None:
    """Index rows are written in the transaction of the change that they are for."""
    from edgenode.repository.backlog import IndexBacklog, Indexed
    from edgenode.repository.writer import Writer

    set_mark = statements.load("backlog")["set_mark"]
    run_changes, committed = Writer._run_changes, IndexBacklog.committed

    def run_and_index(self: Any, connection: Any, group: list[Any]) -> None:
        run_changes(self, connection, group)
        done = [change.transaction for change in group if change.transaction]
        states = [
            effect
            for transaction in done
            for effect in transaction.effects
            if isinstance(effect, Indexed)
        ]
        if states:
            backlog = self._writing.backlog
            found = [backlog._found(state).change for state in states]
            backlog._index.apply(connection, [each for each in found if each])
            connection.execute(set_mark, (states[-1].seq,))

    def others_wait(self: Any, effects: Any) -> None:
        committed(self, [each for each in effects if not isinstance(each, Indexed)])

    Writer._run_changes = run_and_index  # type: ignore[method-assign]
    IndexBacklog.committed = others_wait  # type: ignore[method-assign]


def compressed_documents() -> None:
    """Documents are compressed one by one."""
    queries = files("edgenode.repository").joinpath("queries")
    for file in queries.iterdir():
        found = cast("dict[str, str]", statements.load(file.name.removesuffix(".sql")))
        for name, sql in found.items():
            found[name] = re.sub(
                r"\b([vwd])\.document\b", r"unpacked(\1.document)", sql
            )
    backlog = cast("dict[str, str]", statements.load("backlog"))
    backlog["behind_mark"] = backlog["behind_mark"].replace(
        ", document", ", unpacked(document)"
    )
    instances = cast("dict[str, str]", statements.load("instances"))
    instances["add_version"] = re.sub(r"\?\)$", "packed(?))", instances["add_version"])
    connect = connections.connect

    def connect_with_functions(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        for name, function in (("packed", packed), ("unpacked", unpacked)):
            connection.create_function(name, 1, function, deterministic=True)
        return connection

    connections.connect = connect_with_functions


def packed(document: bytes) -> bytes:
    """The document as it is stored."""
    return zlib.compress(document, 6)


def unpacked(stored: bytes | None) -> bytes | None:
    """The document that is stored; None where there is none."""
    return None if stored is None else zlib.decompress(stored)


VARIANTS: Final[Mapping[str, Callable[[], None]]] = {
    "as it is": lambda: None,
    "page size 1024": partial(page_size, 1024),
    "page size 4096": partial(page_size, 4096),
    "page size 8192": partial(page_size, 8192),
    "index at once": index_at_once,
    "rowid tables": rowid_tables,
    "compressed documents": compressed_documents,
}
"""By name; each is what the project does but for one thing."""


if __name__ == "__main__":
    VARIANTS[sys.argv[1]]()
    # Only now: what is imported takes hold of what the variant changes.
    from edgenode.cli.main import main

    sys.exit(main(sys.argv[2:]))
