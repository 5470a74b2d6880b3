"""Which events of the outbox nobody needs any more, and how they go.

An event is needless when later ones that are kept make up for it, whatever a receiver
has: each carries a whole state, so that, as long as nothing else happened to the instance
in between,

- a state is made needless by a later state of the same instance,
- the gift or change of a classification by a later one of the same classification, and
  that and its removal by a later removal,
- all these and a soft deletion by the purge of the instance.

Nothing else is left out. Types, requests, purges, re-identifications, changes of home or
type, and soft deletions that no purge follows stay, in their order; and a state before
one of the latter four stays, for receivers may need it to make sense of what follows.
States make no events about classifications needless, nor the other way round: whoever
classifies another member's entity sends no states of it. A purge also takes away the
relationships at the instance, and a soft deletion deletes them; none of what is left out
could have saved one from that, for nothing but an event about itself brings it back, and
that is kept or made up for by another one.

Whoever follows one origin is sent its events alone: only events of the same origin make
up for each other.

What receivers must do for this to be true: take a state whatever they had of the
instance before, unless theirs is newer; and at a purge remove the relationships at the
instance even if they know it only as their end. ``outbox`` says what all this means for
numbers; the proof by example stands in the tests.
"""

from collections.abc import Iterable
from typing import Any

from edgenode.limits import (
    MAX_OUTBOX_BYTES,
    MAX_OUTBOX_EVENTS,
    OUTBOX_PART_LEFT,
    OUTBOX_SLICE,
)
from edgenode.repository.connections import Connection
from edgenode.repository.statements import load

_SQL = load("outbox")

_KINDS = ("ENTITY", "RELATIONSHIP")
_STATES = frozenset(
    f"{verb}_{kind}_EVENT"
    for verb in ("NEW", "UPDATED", "UNDONE", "RESTORED", "REFRESHED")
    for kind in _KINDS
)
_DELETED = frozenset(f"DELETED_{kind}_EVENT" for kind in _KINDS)
_PURGED = frozenset(f"PURGED_{kind}_EVENT" for kind in _KINDS)
_CLASSIFIED = frozenset({"CLASSIFIED_ENTITY_EVENT", "RECLASSIFIED_ENTITY_EVENT"})
_DECLASSIFIED = "DECLASSIFIED_ENTITY_EVENT"

_STATE = "state"
_PURGE = "purge"
_NOTHING: frozenset[str] = frozenset()


class Later:
    """What later events make up for, by instance; asked about the newest event first."""

    def __init__(self) -> None:
        self._later: dict[tuple[str | None, str], frozenset[str]] = {}
        # Nearly all sets are equal to some other, and there may be very many.
        self._shared: dict[frozenset[str], frozenset[str]] = {}

    def needs(
        self,
        event_type: str | None,
        guid: str | None,
        original_guid: str | None,
        classification: str | None,
        origin: str | None = None,
    ) -> bool:
        """Whether an event is needed beside those asked about before, which are later.

        Args:
            event_type: Its type as on the wire; None for a type event.
            guid: The instance that it is about.
            original_guid: The GUID that the instance had before.
            classification: The classification that it is about.
            origin: Whose event it is; None for one of this member's own.
        """
        if guid is None or event_type is None:
            return True
        about = (origin, guid)
        given, removed = f"+{classification}", f"-{classification}"
        if event_type in _STATES:
            return self._adds(about, _STATE, {_STATE, _PURGE})
        if event_type in _CLASSIFIED:
            return self._adds(about, given, {given, removed, _PURGE})
        if event_type == _DECLASSIFIED:
            return self._adds(about, removed, {removed, _PURGE})
        if event_type in _DELETED and _PURGE in self._later.get(about, _NOTHING):
            return False
        self._later.pop(about, None)
        if original_guid is not None:
            self._later.pop((origin, original_guid), None)
        if event_type in _PURGED:
            self._adds(about, _PURGE, set())
        return True

    def _adds(
        self, about: tuple[str | None, str], what: str, made_up_for_by: set[str]
    ) -> bool:
        later = self._later.get(about, _NOTHING)
        if later & made_up_for_by:
            return False
        more = later | {what}
        self._later[about] = self._shared.setdefault(more, more)
        return True


class Compaction:
    """Goes through the outbox once, from the newest event back, a slice at a time.

    Changes may come between two slices: what is needless stays so, whatever follows.
    """

    def __init__(self, last_sequence: int, forgotten_through: int) -> None:
        """Begin.

        Args:
            last_sequence: The newest event.
            forgotten_through: Whatever is left up to here is needless anyway.
        """
        self.last_sequence = last_sequence
        self.kept = 0
        self.forgotten_through = forgotten_through
        self._next = last_sequence
        self._bytes = 0
        self._later = Later()
        self._is_at_oldest = False

    def step(self, connection: Connection) -> bool:
        """Do a slice, in a transaction of its own; returns whether more are left."""
        connection.execute("BEGIN IMMEDIATE")
        if self._is_at_oldest:
            goes_on = self._forget(connection)
        else:
            goes_on = self._look_at(
                connection.execute(_SQL["told"], (self._next, OUTBOX_SLICE)).fetchall(),
                connection,
            )
        if not goes_on:
            connection.execute(_SQL["settled"], (self.last_sequence, self.kept))
        connection.execute("COMMIT")
        return goes_on

    def _look_at(
        self,
        rows: Iterable[Any],
        connection: Connection,
    ) -> bool:
        needless = []
        is_any = False
        for sequence, *about, size in rows:
            is_any = True
            if self._is_full() or sequence <= self.forgotten_through:
                self.forgotten_through = max(sequence, self.forgotten_through)
                self._is_at_oldest = True
                break
            if self._later.needs(*about):
                self.kept += 1
                self._bytes += size
            else:
                needless.append((sequence,))
            self._next = sequence - 1
        connection.executemany(_SQL["leave_out"], needless)
        return is_any

    def _is_full(self) -> bool:
        return (
            self.kept >= MAX_OUTBOX_EVENTS * OUTBOX_PART_LEFT
            or self._bytes >= MAX_OUTBOX_BYTES * OUTBOX_PART_LEFT
        )

    def _forget(self, connection: Connection) -> bool:
        connection.execute(_SQL["forgotten"], (self.forgotten_through,))
        connection.execute(_SQL["forget"], (self.forgotten_through, OUTBOX_SLICE))
        left = connection.execute(_SQL["is_left"], (self.forgotten_through,)).fetchone()
        return bool(left[0])
