"""The events of this member, written in the transaction of the change they tell of.

An event mostly carries a stored state, or two; its row refers to them and holds only the
rest. Where the states are purged and removed, the events get copies of their own.

Numbers rise and are never given twice in one life of the store, its incarnation; they
have gaps where changes were undone and where events were left out (``compaction``). An
event comes with the number of the one before it that there is, and whoever has followed
the events up to a number p may apply the event (after, sequence) if and only if
after <= p < sequence:

- No event stands between the two numbers when it is sent. What once did was left out
  because later events make it needless, and those are behind ``sequence``, for they are
  still to be found. So nothing that p needs is passed over, now or later.
- What was forgotten only because it was old is made needless by nothing. ``after`` is
  never less than the highest number of those (``store.forgotten_through``), so whoever
  is behind that finds a gap wherever it looks, and has to compare digests.
- To leave out an event only widens the room between ``after`` and ``sequence`` of the one
  behind it; messages that are under way with a narrower one stay as true as they were.

A life ends when the file is put back to an earlier state, or changes without leaving
events; the next one has another id, and places of the former mean nothing in it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from uuid import uuid4

import aiosqlite

from edgenode.clock import EpochMillis
from edgenode.codec.codec import Codec
from edgenode.codec.json import dumps
from edgenode.events.model import InstanceEvent, TypeDefEvent
from edgenode.limits import MAX_OUTBOX_PAGE_BYTES
from edgenode.repository.connections import Connection
from edgenode.repository.instances import BEANS, Instance, Kind, State
from edgenode.repository.statements import load

_SQL = load("outbox")

_CURRENT = {
    Kind.ENTITY: "entity",
    Kind.PROXY: "entity_proxy",
    Kind.RELATIONSHIP: "relationship",
}
_ORIGINAL = {
    Kind.ENTITY: "original_entity",
    Kind.RELATIONSHIP: "original_relationship",
}


@dataclass(frozen=True, slots=True)
class QueuedEvent:
    """An event in the outbox, at the time ``at``; see the module for its numbers.

    ``origin`` is the member whose event is passed on; None for one of this member's own.
    """

    sequence: int
    at: EpochMillis
    event: InstanceEvent | TypeDefEvent
    after: int = 0
    origin: str | None = None


class Size(NamedTuple):
    """How large an event is, in bytes.

    Attributes:
        own: What its row takes.
        referred: What the stored states have that it refers to.
    """

    own: int
    referred: int


class Mark(NamedTuple):
    """What the outbox of a file is like.

    Attributes:
        incarnation: The life of the store, None where none has begun.
        forgotten_through: The highest number of an event that was forgotten.
        settled_through: Up to which number it was gone through the last time.
        settled_count: How many events were there then.
        last_sequence: The highest number given.
    """

    incarnation: str | None
    forgotten_through: int
    settled_through: int
    settled_count: int
    last_sequence: int


def mark(connection: Connection) -> Mark:
    """What the outbox is like."""
    found = Mark(*connection.execute(_SQL["mark"]).fetchone())
    last = max(found.last_sequence, found.forgotten_through)
    return found._replace(last_sequence=last)


def begin_life(connection: Connection) -> None:
    """Begin a life of the store, from which on every change leaves its events."""
    connection.execute(_SQL["begin_life"], (str(uuid4()),))


def end_life(connection: Connection) -> None:
    """Let nobody go on from where they followed this store."""
    connection.execute(_SQL["end_life"])


def queue(
    connection: Connection,
    codec: Codec,
    queued: QueuedEvent,
    stored: Callable[[Instance], State | None],
) -> Size:
    """Write an event; returns how large it is.

    Args:
        connection: The writer's, inside the transaction of the change.
        codec: Writes what isn't stored otherwise.
        queued: The event, with a number higher than any before.
        stored: Finds the stored state that is equal to an instance.
    """
    is_type_event = isinstance(queued.event, TypeDefEvent)
    state, event = _taken_out(queued.event, _CURRENT, stored)
    original, event = _taken_out(event, _ORIGINAL, stored)
    detail = dumps(codec.event_object(event))
    referred = [each for each in (state, original) if each is not None]
    connection.execute(
        _SQL["add"],
        (
            queued.sequence,
            queued.at,
            is_type_event,
            None if state is None else state.seq,
            None if original is None else original.seq,
            detail,
            queued.origin,
        ),
    )
    return Size(len(detail), sum(len(each.document.json) for each in referred))


def _taken_out(
    event: InstanceEvent | TypeDefEvent,
    names: Mapping[Kind, str],
    stored: Callable[[Instance], State | None],
) -> tuple[State | None, InstanceEvent | TypeDefEvent]:
    """The stored state that an event carries, and the event without it."""
    if isinstance(event, InstanceEvent):
        for name in names.values():
            instance = getattr(event, name)
            state = None if instance is None else stored(instance)
            if state is not None:
                without: dict[str, Any] = {name: None}
                return state, replace(event, **without)
    return None, event


async def events_after(
    reader: aiosqlite.Connection, codec: Codec, sequence: int, limit: int
) -> list[QueuedEvent]:
    """The events behind a number, oldest first: at most so many, of some size together.

    If the first one's ``after`` is higher than the number, some in between are forgotten.
    """
    behind = {"sequence": sequence, "limit": limit, "bytes": MAX_OUTBOX_PAGE_BYTES}
    rows = list(await reader.execute_fetchall(_SQL["after"], behind))
    if not rows:
        return []
    ((after,),) = await reader.execute_fetchall(_SQL["before"], (rows[0][0],))
    return _chained(codec, after, rows)


def _chained(codec: Codec, after: int, rows: Iterable[Any]) -> list[QueuedEvent]:
    """The events of rows, each with the number of the one before it."""
    found = []
    for row in rows:
        found.append(replace(_read(codec, *row), after=after))
        after = row[0]
    return found


def embed_purged(connection: Connection, codec: Codec) -> int:
    """Give events that refer to states of what was purged their own copies of them.

    Returns:
        How many bytes that took.
    """
    added = 0
    for (sequence,) in connection.execute(_SQL["referring"]).fetchall():
        row = connection.execute(_SQL["one"], (sequence,)).fetchone()
        event = _read(codec, *row).event
        detail = dumps(codec.event_object(event))
        connection.execute(_SQL["embed"], (detail, sequence))
        added += len(detail)
    return added


def _read(
    codec: Codec,
    sequence: int,
    at: EpochMillis,
    is_type_event: int,
    kind: int | None,
    text: bytes | None,
    original_kind: int | None,
    original_text: bytes | None,
    detail: bytes,
    origin: str | None,
) -> QueuedEvent:
    if is_type_event:
        told = codec.decode(TypeDefEvent, detail)
        return QueuedEvent(sequence, at, told, origin=origin)
    states: dict[str, Any] = {}
    if kind is not None and text is not None:
        states[_CURRENT[Kind(kind)]] = codec.decode(BEANS[Kind(kind)], text)
    if original_kind is not None and original_text is not None:
        name = _ORIGINAL[Kind(original_kind)]
        states[name] = codec.decode(BEANS[Kind(original_kind)], original_text)
    event = replace(codec.decode(InstanceEvent, detail), **states)
    return QueuedEvent(sequence, at, event, origin=origin)
