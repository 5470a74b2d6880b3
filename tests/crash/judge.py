"""Whether a file that a crash left is sound, and has what was acknowledged."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from tests.crash.recording import Noted
from tests.crash.workload import expected

CURRENT = "SELECT guid, version FROM instance WHERE kind <> 0"
# Each state of an entity that still is one has its event, in the order of the states.
UNMATCHED = """
SELECT (SELECT count(*) FROM version v
         WHERE v.kind = 1 AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.seq = v.seq)),
       (SELECT count(*) FROM outbox o
         WHERE o.seq IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM version v WHERE v.seq = o.seq))
"""
ORDERED = "SELECT seq FROM outbox WHERE seq IS NOT NULL ORDER BY sequence"
DANGLING = """
SELECT count(*) FROM instance i
 WHERE i.seq <> 0 AND NOT EXISTS (SELECT 1 FROM version v WHERE v.seq = i.seq)
"""


def faults(path: Path, notes: Iterable[Noted]) -> list[str]:
    """What is wrong with a file, given what the workload had noted."""
    if not path.exists():
        return [f"{note} is lost with the file" for note in notes if not note.begins]
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchall()
        if found != [("ok",)]:
            return [f"integrity_check: {found}"]
        has_schema = connection.execute("PRAGMA user_version").fetchone()[0] > 0
        if not has_schema:
            return [f"{note} is lost" for note in notes if not note.begins]
        return [*_missing(connection, notes), *_unmatched(connection)]


def _missing(connection: sqlite3.Connection, notes: Iterable[Noted]) -> Iterable[str]:
    current = dict(connection.execute(CURRENT).fetchall())
    wanted = expected(notes)
    for guid, instance in wanted.items():
        version = current.get(guid, 0)
        if not instance.allows(version):
            yield (
                f"{guid} is at version {version}; {instance.acknowledged} was "
                f"acknowledged and {instance.begun} begun"
            )
    for guid in current.keys() - wanted.keys():
        yield f"{guid} was never begun"


def _unmatched(connection: sqlite3.Connection) -> Iterable[str]:
    states, events = connection.execute(UNMATCHED).fetchone()
    if states or events:
        yield f"{states} states without event, {events} events without state"
    order = [seq for (seq,) in connection.execute(ORDERED).fetchall()]
    if order != sorted(order):
        yield f"the outbox is out of order: {order}"
    (dangling,) = connection.execute(DANGLING).fetchone()
    if dangling:
        yield f"{dangling} instances without their state"
