"""Index rows that are still to be written, and rows of purged instances to be removed.

A change is durable as soon as its states are; the rows that make it searchable are
written later, many changes at a time, because each of them would touch pages all over
the file. ``store.indexed_through`` says how far they are: whatever was lost from memory
is made again from the stored documents behind that mark. What a purge leaves is listed in
the table ``purged``, and goes in the next quiet moment at the latest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgenode.clock import EpochMillis
from edgenode.codec.codec import Codec
from edgenode.instances.document import Document
from edgenode.limits import MAX_INDEX_BACKLOG, MAX_LOST_BACKLOG
from edgenode.repository import outbox
from edgenode.repository.connections import Connection
from edgenode.repository.index import IndexChange, IndexWriter, Instance
from edgenode.repository.instances import BEANS, Kind
from edgenode.repository.statements import load

_SQL = load("backlog")


@dataclass(frozen=True, slots=True)
class Indexed:
    """A committed state whose index rows are to be written.

    What they are is found after those who wait for the change have their answer.

    Attributes:
        seq: The state's number.
        instance_id: Whose state it is.
        from_time: When it came into force.
        previous: The state before it, None where there is none.
        current: The state itself, None for a proxy, which has no rows.
    """

    seq: int
    instance_id: int
    from_time: EpochMillis
    previous: Document[Instance] | None
    current: Document[Instance] | None


@dataclass(frozen=True, slots=True)
class Removed:
    """An instance that was purged, whose states and index rows are to be removed."""

    instance_id: int


@dataclass(frozen=True, slots=True)
class _Prepared:
    """The same, with what is to be written; None for a proxy, which has no rows."""

    seq: int
    instance_id: int
    change: IndexChange | None


class IndexBacklog:
    """The changes since the mark, in the order of their commits."""

    def __init__(self, index: IndexWriter, codec: Codec) -> None:
        self._index = index
        self._codec = codec
        self._count = 0
        self._has_purged = False
        self._prepared: list[_Prepared] = []
        self._waiting: list[Indexed] = []
        """What was committed behind that."""
        self._is_complete = True
        """Whether the two have everything that was committed behind the mark."""

    def opened(self, connection: Connection) -> None:
        """Find out how many index rows the file that was just opened lacks."""
        missing, purged = connection.execute(_SQL["count"]).fetchone()
        self._count = missing + purged
        self._has_purged = purged > 0
        self._is_complete = missing == 0

    def __len__(self) -> int:
        return self._count

    @property
    def has_purged(self) -> bool:
        """Whether anything of what was purged is still in the file."""
        return self._has_purged

    def remove(self, connection: Connection, instance_id: int, seq: int) -> None:
        """Note, inside the change that purges an instance, that its rows must go.

        Args:
            connection: The writer's.
            instance_id: Whose rows.
            seq: Its last state.
        """
        connection.execute(_SQL["purge"], (instance_id, seq))

    def committed(self, effects: Sequence[Indexed | Removed]) -> None:
        """Remember what a commit has changed."""
        self._count += len(effects)
        for effect in effects:
            if isinstance(effect, Indexed):
                self._waiting.append(effect)
            else:
                self._has_purged = True
                purged = effect.instance_id
                self._prepared = [
                    each for each in self._prepared if each.instance_id != purged
                ]
                self._waiting = [
                    each for each in self._waiting if each.instance_id != purged
                ]
        if len(self._prepared) + len(self._waiting) > MAX_LOST_BACKLOG:
            self._is_complete = False
        if not self._is_complete:
            self._prepared, self._waiting = [], []

    def prepare(self) -> None:
        """Find the rows of what was committed, a little each time rather than all at once.

        Until then the states are held, of which the rows are a small part.
        """
        self._prepared += [self._found(each) for each in self._waiting]
        self._waiting = []

    def rolled_back(self) -> None:
        """What was written since the last commit is gone."""
        self._index.rolled_back()

    def flush(self, connection: Connection) -> int:
        """Write all rows that wait, in transactions of their own.

        Returns:
            How many changes were written.
        """
        count = 0
        while not self._is_complete:
            batch = self._made_again(connection)
            self._write(connection, list(map(self._found, batch)))
            count += len(batch)
            self._is_complete = not batch
        self.prepare()
        self._write(connection, self._prepared)
        count += len(self._prepared)
        self._prepared = []
        if self._has_purged:
            count += self._remove_purged(connection)
            self._has_purged = False
        self._count = 0
        return count

    def show(self, connection: Connection) -> None:
        """Write the same rows into a transaction that is open and will be undone.

        So they can be searched while the disk has no room for them. Nothing counts as
        written; what was purged is found nowhere as it is.
        """
        if not self._is_complete:
            while batch := self._made_again(connection):
                self._show(connection, list(map(self._found, batch)))
        self.prepare()
        self._show(connection, self._prepared)

    def _show(self, connection: Connection, batch: Sequence[_Prepared]) -> None:
        try:
            self._apply(connection, batch)
        finally:
            self._index.rolled_back()

    def _remove_purged(self, connection: Connection) -> int:
        connection.execute("BEGIN IMMEDIATE")
        purged = connection.execute(_SQL["purged"]).fetchall()
        outbox.embed_purged(connection, self._codec)
        for (instance_id,) in purged:
            self._index.remove(connection, instance_id)
        for each in ("remove_states", "remove_superseded", "forget_purged"):
            connection.execute(_SQL[each])
        connection.execute("COMMIT")
        return len(purged)

    def _write(self, connection: Connection, batch: Sequence[_Prepared]) -> None:
        if batch:
            connection.execute("BEGIN IMMEDIATE")
            self._apply(connection, batch)
            connection.execute("COMMIT")

    def _apply(self, connection: Connection, batch: Sequence[_Prepared]) -> None:
        if batch:
            changes = [each.change for each in batch if each.change is not None]
            self._index.apply(connection, changes)
            connection.execute(_SQL["set_mark"], (batch[-1].seq,))

    def _found(self, state: Indexed) -> _Prepared:
        change = None
        if state.current is not None:
            change = self._index.changes_of(
                state.instance_id,
                state.from_time,
                None if state.previous is None else state.previous.value,
                state.current.value,
            )
        return _Prepared(state.seq, state.instance_id, change)

    def _made_again(self, connection: Connection) -> list[Indexed]:
        rows = connection.execute(_SQL["behind_mark"], (MAX_INDEX_BACKLOG,)).fetchall()
        return [self._made(connection, *row) for row in rows]

    def _made(
        self,
        connection: Connection,
        seq: int,
        instance_id: int,
        kind: int,
        from_time: EpochMillis,
        text: bytes,
    ) -> Indexed:
        if kind == Kind.PROXY:
            return Indexed(seq, instance_id, from_time, None, None)
        cls: type[Any] = BEANS[Kind(kind)]
        before = connection.execute(_SQL["before"], (instance_id, seq, kind)).fetchone()
        document = self._codec.stored_document
        previous = None if before is None else document(cls, before[0])
        return Indexed(seq, instance_id, from_time, previous, document(cls, text))
