"""Whether a file that a crash left is sound, and has what was acknowledged."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from edgenode.repository.index import Field
from edgenode.repository.instances import Kind
from edgenode.repository.migrations import newest_version
from edgenode.repository.sqlite import SqliteRepository
from tests.crash.workload import Expected
from tests.unit.repository.samples import CODEC, SetClock

EVENTS = """
SELECT o.detail, o.is_type_event, v.document
  FROM outbox o LEFT JOIN version v ON v.seq = o.seq
 ORDER BY o.sequence
"""
STATES = """
SELECT i.guid, i.id, i.kind, i.version, i.seq, v.document, one.guid, two.guid
  FROM instance i LEFT JOIN version v ON v.seq = i.seq
                  LEFT JOIN instance one ON one.id = i.end1_id
                  LEFT JOIN instance two ON two.id = i.end2_id
 WHERE i.kind <> 0
"""
HISTORY = """
SELECT instance_id, version, seq FROM version
 WHERE instance_id NOT IN (SELECT instance_id FROM purged)
 ORDER BY seq
"""
SUPERSEDED = """
SELECT instance_id, seq FROM superseded
 WHERE instance_id NOT IN (SELECT instance_id FROM purged)
"""
LINKS = """
SELECT l.relationship_id, one.guid, l.position, other.guid, l.until
  FROM link l JOIN instance one ON one.id = l.entity_id
              JOIN instance other ON other.id = l.other_id
"""
PLACES = "SELECT origin, sequence FROM position"
TYPES = "SELECT guid, document FROM type_definition"

PROPERTIES = """
SELECT p.instance_id, p.scope_id, p.key_id, p.from_time, p.until, s.identity, p.digest,
       p.tail, CASE WHEN o.id IS NULL THEN p.head ELSE o.identity END
  FROM property p LEFT JOIN shape s ON s.id = p.shape_id
                  LEFT JOIN origin o ON p.scope_id = -1 AND p.key_id = :origin
                                    AND o.id = p.head
"""
MEMBERS = "SELECT instance_id, type_id FROM type_member"
TEXTS = "SELECT doc, term FROM temp.letters"
NO_INDEX = (
    "INSERT INTO property_text (property_text) VALUES ('delete-all')",
    "DELETE FROM property",
    "DELETE FROM type_member",
    "DELETE FROM shape",
    "DELETE FROM origin",
    "UPDATE store SET indexed_through = 0",
)


def faults(
    path: Path,
    wanted: Mapping[str, Expected],
    versions: Container[int] = (newest_version(),),
) -> list[str]:
    """What is wrong with a file.

    Args:
        path: The file.
        wanted: What must be there.
        versions: Those that the schema may have.
    """
    if not path.exists():
        lost = [subject for subject, thing in wanted.items() if thing.acknowledged]
        return [f"{len(lost)} things are lost with the file"] if lost else []
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchall()
        if found != [("ok",)]:
            return [f"integrity_check: {found}"]
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version not in versions:
            return [f"the schema has version {version}"]
        try:
            return list(_differences(connection, wanted))
        except sqlite3.Error as error:
            return [f"it can't be read: {error}"]


def _differences(
    connection: sqlite3.Connection, wanted: Mapping[str, Expected]
) -> Iterator[str]:
    changes, wrong = _changes(connection)
    yield from wrong
    for subject in changes.keys() | wanted.keys():
        versions = changes.get(subject, [])
        if subject not in wanted:
            yield f"{subject} was never begun"
        elif not wanted[subject].allows(versions):
            yield (
                f"{subject} has the events {versions}; acknowledged was "
                f"{wanted[subject].acknowledged}, begun {wanted[subject].following}"
            )
    places = dict(connection.execute(PLACES).fetchall())
    for subject in changes.keys() | places.keys():
        count = len(changes.get(subject, []))
        if places.get(subject, 0) != count:
            yield f"{subject} has {count} events, its place is {places.get(subject)}"
    yield from _state_faults(connection, changes)
    yield from _link_faults(connection)


def _changes(
    connection: sqlite3.Connection,
) -> tuple[dict[str, list[int]], list[str]]:
    """The versions that each thing was changed to, as the events tell; faults in them."""
    changes: dict[str, list[int]] = defaultdict(list)
    wrong = []
    for detail, is_type_event, document in connection.execute(EVENTS):
        event = json.loads(detail)
        subject = event["typeDefGUID"] if is_type_event else event["instanceGUID"]
        version = int(event["typeDefName"])
        changes[subject].append(version)
        carried = (
            event.get("typeDef")
            or event.get("entity")
            or json.loads(document or "null")
        )
        carried = carried or event.get("relationship")
        if version and (carried is None or carried["version"] != version):
            wrong.append(f"the event of {subject} at version {version} lacks its state")
    return changes, wrong


def _state_faults(
    connection: sqlite3.Connection, changes: dict[str, list[int]]
) -> Iterator[str]:
    left = dict(changes)
    history: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for instance_id, version, seq in connection.execute(HISTORY):
        history[instance_id].append((version, seq))
    past: dict[int, set[int]] = defaultdict(set)
    for instance_id, seq in connection.execute(SUPERSEDED):
        past[instance_id].add(seq)
    for guid, number, kind, version, seq, document, *ends in connection.execute(STATES):
        since_purge = _since_purge(left.pop(guid, []))
        states = history.pop(number, [])
        if [each for each, _ in states] != since_purge:
            yield f"{guid} has the states {states}, its events say {since_purge}"
        elif (version, seq) != states[-1]:
            yield f"{guid} is at {version}, its last state is {states[-1]}"
        elif past.pop(number, set()) != {each for _, each in states[:-1]}:
            yield f"the past of {guid} isn't its former states"
        else:
            yield from _document_faults(guid, kind, version, document, ends)
    yield from _type_faults(connection, left)
    if history or past:
        yield f"states without instance: {dict(history)}, {dict(past)}"


def _type_faults(
    connection: sqlite3.Connection, left: dict[str, list[int]]
) -> Iterator[str]:
    """Compare the stored types with the changes that no instance accounts for."""
    for guid, document in connection.execute(TYPES):
        versions = left.pop(guid, [0])
        if json.loads(document)["version"] != versions[-1]:
            yield f"the type {guid} isn't at version {versions[-1]}"
    for guid, versions in left.items():
        if versions[-1]:
            yield f"{guid} is missing; its events say {versions}"


def _since_purge(versions: list[int]) -> list[int]:
    last = max((n for n, version in enumerate(versions) if not version), default=-1)
    return versions[last + 1 :]


def _document_faults(
    guid: str, kind: int, version: int, document: bytes, ends: list[str | None]
) -> Iterator[str]:
    bean = json.loads(document)
    said = (bean["guid"], bean["version"])
    if said != (guid, version):
        yield f"the document of {guid} at {version} is {said}"
    values = bean["properties"]["instanceProperties"].values()
    if not any(
        each["primitiveValue"].endswith(f"version {version}") for each in values
    ):
        yield f"the properties of {guid} aren't those of version {version}"
    if kind == Kind.RELATIONSHIP:
        told = [bean[end]["guid"] for end in ("entityOneProxy", "entityTwoProxy")]
        if told != ends:
            yield f"{guid} is between {told}, its row says {ends}"


def _link_faults(connection: sqlite3.Connection) -> Iterator[str]:
    links: dict[int, set[tuple[str, int, str]]] = defaultdict(set)
    for number, one, position, other, until in connection.execute(LINKS):
        rows = links[number]  # one that ended needs its relationship, too
        if until is None:
            rows.add((one, position, other))
    for guid, number, kind, *_, one, two in connection.execute(STATES):
        if kind == Kind.RELATIONSHIP:
            found = links.pop(number, set())
            if found != {(one, 1, two), (two, 2, one)}:
                yield f"{guid} has the links {found}, its ends are {one}, {two}"
    if links:
        yield f"links without relationship: {dict(links)}"


async def index_faults(path: Path) -> list[str]:
    """What is wrong with the index after it caught up: it must be as if made anew."""
    if wrong := await _opened(path):
        return wrong
    rows, texts = _index(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in NO_INDEX:
            connection.execute(statement)
    if wrong := await _opened(path):
        return wrong
    rows_anew, texts_anew = _index(path)
    if rows != rows_anew:
        wrong.append(
            f"too many index rows: {rows - rows_anew}, missing: {rows_anew - rows}"
        )
    if missing := texts_anew - texts:  # it may have more: it only narrows down
        wrong.append(f"missing in the index of texts: {missing}")
    return wrong


async def _opened(path: Path) -> list[str]:
    async with SqliteRepository.opened(
        path, CODEC, SetClock(), name="again", keep_events=True
    ) as repository:
        await repository.flush()
        if repository.report.set_aside:
            return [f"{path} was set aside: {repository.report.damage}"]
        if repository.statistics().index_backlog:
            return ["the index has not caught up"]
        events = await repository.events_after(0, 100_000)
        numbers = [event.sequence for event in events]
        if numbers != sorted(set(numbers)):
            return [f"events out of order: {numbers}"]
        return []


def _index(path: Path) -> tuple[set[Any], set[Any]]:
    """The rows of the index, and what it has of texts."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE VIRTUAL TABLE temp.letters "
            "USING fts5vocab('main', 'property_text', 'instance')"
        )
        rows = connection.execute(PROPERTIES, {"origin": int(Field.ORIGIN)})
        return {*rows, *connection.execute(MEMBERS)}, set(connection.execute(TEXTS))
