"""Events that wait to be sent, written in the transaction of the change they tell of.

An event mostly carries a stored state, or two; its row refers to them and holds only the
rest. Where the states are purged while the event still waits, it gets its own copies.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import aiosqlite

from edgenode.clock import EpochMillis
from edgenode.codec.codec import Codec
from edgenode.codec.json import dumps
from edgenode.events.model import InstanceEvent, TypeDefEvent
from edgenode.repository.connections import Connection
from edgenode.repository.instances import BEANS, Instance, Kind
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
    """An event in the outbox; sequence numbers rise and are never given twice."""

    sequence: int
    at: EpochMillis
    event: InstanceEvent | TypeDefEvent


def queue(
    connection: Connection,
    codec: Codec,
    sequence: int,
    at: EpochMillis,
    event: InstanceEvent | TypeDefEvent,
    seq_of: Callable[[Instance], int | None],
) -> None:
    """Write an event.

    Args:
        connection: The writer's, inside the transaction of the change.
        codec: Writes what isn't stored otherwise.
        sequence: The event's number, higher than any before.
        at: The time of the event.
        event: What happened.
        seq_of: Finds the stored state that is equal to an instance.
    """
    is_type_event = isinstance(event, TypeDefEvent)
    seq, event = _taken_out(event, _CURRENT, seq_of)
    original_seq, event = _taken_out(event, _ORIGINAL, seq_of)
    connection.execute(
        _SQL["add"],
        (
            sequence,
            at,
            is_type_event,
            seq,
            original_seq,
            dumps(codec.event_object(event)),
        ),
    )


def _taken_out(
    event: InstanceEvent | TypeDefEvent,
    names: Mapping[Kind, str],
    seq_of: Callable[[Instance], int | None],
) -> tuple[int | None, InstanceEvent | TypeDefEvent]:
    """The stored state that an event carries, and the event without it."""
    if isinstance(event, InstanceEvent):
        for name in names.values():
            instance = getattr(event, name)
            seq = None if instance is None else seq_of(instance)
            if seq is not None:
                without: dict[str, Any] = {name: None}
                return seq, replace(event, **without)
    return None, event


async def events_after(
    reader: aiosqlite.Connection, codec: Codec, sequence: int, limit: int
) -> list[QueuedEvent]:
    """The events behind a sequence number, oldest first, at most so many."""
    rows = await reader.execute_fetchall(_SQL["after"], (sequence, limit))
    return [_read(codec, *row) for row in rows]


def forget_events_before(connection: Connection, sequence: int) -> None:
    """Remove the events with lower numbers; the newest of all stays in any case."""
    connection.execute(_SQL["forget"], (sequence,))


def first_and_last_sequence(connection: Connection) -> tuple[int, int]:
    """The numbers of the oldest and of the newest event, 0 where there is none."""
    first, last = connection.execute(_SQL["span"]).fetchone()
    return first or 0, last or 0


def embed_states(connection: Connection, codec: Codec, seqs: Sequence[int]) -> None:
    """Give the events that refer to these states their own copies of them."""
    referring = connection.execute(
        _SQL["referring"], {"seqs": dumps(list(seqs)).decode()}
    ).fetchall()
    for (sequence,) in referring:
        row = connection.execute(_SQL["one"], (sequence,)).fetchone()
        event = _read(codec, *row).event
        detail = dumps(codec.event_object(event))
        connection.execute(_SQL["embed"], (detail, sequence))


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
) -> QueuedEvent:
    if is_type_event:
        return QueuedEvent(sequence, at, codec.decode(TypeDefEvent, detail))
    states: dict[str, Any] = {}
    if kind is not None and text is not None:
        states[_CURRENT[Kind(kind)]] = codec.decode(BEANS[Kind(kind)], text)
    if original_kind is not None and original_text is not None:
        name = _ORIGINAL[Kind(original_kind)]
        states[name] = codec.decode(BEANS[Kind(original_kind)], original_text)
    event = replace(codec.decode(InstanceEvent, detail), **states)
    return QueuedEvent(sequence, at, event)
