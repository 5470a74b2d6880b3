"""What the writer's thread knows of the file from one transaction to the next."""

from collections.abc import Sequence

from edgenode.clock import Clock
from edgenode.codec.codec import Codec
from edgenode.limits import MAX_OUTBOX_EVENTS
from edgenode.repository import outbox
from edgenode.repository.backlog import IndexBacklog, Indexed, Removed
from edgenode.repository.connections import Connection
from edgenode.repository.index import IndexWriter
from edgenode.repository.instances import SQL
from edgenode.repository.names import Names

_OUTBOX_SLACK = 1_000
"""Surplus events are removed so many at a time."""


class Writing:
    """Numbers and names what changes write, and follows their commits in memory.

    Numbers are given out in memory and only ever rise: a transaction that is undone
    leaves a gap, and no purged state's number is given again.
    """

    def __init__(self, codec: Codec, clock: Clock, *, keep_events: bool) -> None:
        self.codec = codec
        self.clock = clock
        self.names = Names()
        self.index = IndexWriter(self.names)
        self.backlog = IndexBacklog(self.index, codec)
        self._keep_events = keep_events
        self._last_id = 0
        self._last_seq = 0
        self._first_sequence = 0
        self._last_sequence = 0

    def opened(self, connection: Connection) -> None:
        """Continue the numbering of a file that was just opened."""
        self._last_id = connection.execute(SQL["last_id"]).fetchone()[0]
        self._last_seq = connection.execute(SQL["last_seq"]).fetchone()[0]
        self._first_sequence, self._last_sequence = outbox.first_and_last_sequence(
            connection
        )
        self.backlog.opened(connection)

    @property
    def has_events(self) -> bool:
        """Whether the outbox may hold anything."""
        return self._last_sequence > 0

    def next_id(self) -> int:
        """The id of a new row of ``instance``."""
        self._last_id += 1
        return self._last_id

    def next_seq(self) -> int:
        """The number of a new state."""
        self._last_seq += 1
        return self._last_seq

    def next_sequence(self, connection: Connection) -> int | None:
        """The number of a new event, None where events aren't kept.

        The oldest ones make room when there are too many.
        """
        if not self._keep_events:
            return None
        self._last_sequence += 1
        surplus = self._last_sequence - self._first_sequence - MAX_OUTBOX_EVENTS
        if surplus > _OUTBOX_SLACK:
            self._first_sequence = self._last_sequence - MAX_OUTBOX_EVENTS
            outbox.forget_events_before(connection, self._first_sequence)
        return self._last_sequence

    def rolled_back(self) -> None:
        """Forget what was learnt from rows that are gone."""
        self.names.rolled_back()
        self.backlog.rolled_back()

    def committed(self, effects: Sequence[Indexed | Removed]) -> None:
        """Remember what the index must follow, of changes that are committed."""
        self.names.committed()
        self.backlog.committed(effects)

    def flush(self, connection: Connection) -> int:
        """Write the index rows that wait; returns of how many changes."""
        count = self.backlog.flush(connection)
        self.names.committed()
        return count
