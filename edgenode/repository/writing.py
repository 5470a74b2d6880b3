"""What the writer's thread knows of the file from one transaction to the next."""

from collections.abc import Sequence

from edgenode.clock import Clock
from edgenode.codec.codec import Codec
from edgenode.limits import MAX_OUTBOX_BYTES, MAX_OUTBOX_EVENTS, OUTBOX_SURPLUS
from edgenode.repository import outbox
from edgenode.repository.backlog import IndexBacklog, Indexed, Removed
from edgenode.repository.compaction import Compaction
from edgenode.repository.connections import Connection, let_write
from edgenode.repository.index import IndexWriter
from edgenode.repository.instances import SQL
from edgenode.repository.names import Names
from edgenode.repository.statements import load

_LAST_NAME = load("backlog")["last_name"]


class Writing:
    """Numbers and names what changes write, and follows their commits in memory.

    Numbers are given out in memory and only ever rise: a transaction that is undone
    leaves a gap, and no purged state's number is given again.

    Attributes:
        keeps_events: Whether changes leave events.
        incarnation: The life of the store; empty where events aren't kept.
        last_sequence: The number of the newest event that is committed.
    """

    def __init__(self, codec: Codec, clock: Clock, *, keep_events: bool) -> None:
        self.codec = codec
        self.clock = clock
        self.names = Names()
        self.index = IndexWriter(self.names)
        self.backlog = IndexBacklog(self.index, codec)
        self.keeps_events = keep_events
        self.incarnation = ""
        self.last_sequence = 0
        self._last_id = 0
        self._last_seq = 0
        self._given_sequence = 0
        self._forgotten_through = 0
        self._settled_through = 0
        self._settled_count = 0
        self._event_bytes = 0
        self._compaction: Compaction | None = None

    def opened(self, connection: Connection) -> None:
        """Continue the numbering of a file that was just opened."""
        self._last_id = connection.execute(SQL["last_id"]).fetchone()[0]
        self._last_seq = connection.execute(SQL["last_seq"]).fetchone()[0]
        self._open_outbox(connection)
        self.backlog.opened(connection)

    def _open_outbox(self, connection: Connection) -> None:
        mark = outbox.mark(connection)
        if self.keeps_events and mark.incarnation is None:
            outbox.begin_life(connection)
            mark = outbox.mark(connection)
        elif not self.keeps_events and mark.incarnation is not None:
            outbox.end_life(connection)
        self.incarnation = mark.incarnation or "" if self.keeps_events else ""
        self.last_sequence = self._given_sequence = mark.last_sequence
        self._forgotten_through = mark.forgotten_through
        self._settled_through = mark.settled_through
        self._settled_count = mark.settled_count
        self._event_bytes = 0
        self._compaction = None

    def next_id(self) -> int:
        """The id of a new row of ``instance``."""
        self._last_id += 1
        return self._last_id

    def next_seq(self) -> int:
        """The number of a new state."""
        self._last_seq += 1
        return self._last_seq

    def next_sequence(self) -> int:
        """The number of a new event."""
        self._given_sequence += 1
        return self._given_sequence

    @property
    def has_surplus_events(self) -> bool:
        """Whether the outbox is larger than it should be."""
        return self._is_surplus(1.0)

    @property
    def has_too_many_events(self) -> bool:
        """Whether that can't wait for a quiet moment any more."""
        return self._compaction is not None or self._is_surplus(OUTBOX_SURPLUS)

    def _is_surplus(self, part: float) -> bool:
        count = self._settled_count + self.last_sequence - self._settled_through
        return (
            count > part * MAX_OUTBOX_EVENTS
            or self._event_bytes > part * MAX_OUTBOX_BYTES
        )

    def compact(self, connection: Connection) -> bool:
        """Leave out some events that nobody needs; returns whether there is more to do."""
        if self._compaction is None:
            self._compaction = Compaction(self.last_sequence, self._forgotten_through)
            self._event_bytes = 0
        compaction = self._compaction
        self._compaction = None  # should it fail, another begins anew
        goes_on = compaction.step(connection)
        self._forgotten_through = compaction.forgotten_through
        if goes_on:
            self._compaction = compaction
        else:
            self._settled_through = compaction.last_sequence
            self._settled_count = compaction.kept
        return goes_on

    def rolled_back(self) -> None:
        """Forget what was learnt from rows that are gone."""
        self.names.rolled_back()
        self.backlog.rolled_back()

    def committed(
        self,
        effects: Sequence[Indexed | Removed],
        newest_event: int,
        event_bytes: int,
    ) -> None:
        """Remember what the index must follow, of changes that are committed.

        Args:
            effects: What the index must follow.
            newest_event: The number of their newest event, 0 without any.
            event_bytes: How much their events took.
        """
        self.last_sequence = max(self.last_sequence, newest_event)
        self._event_bytes += event_bytes
        self.names.committed()
        self.backlog.committed(effects)

    def flush(self, connection: Connection) -> int:
        """Write the index rows that wait; returns of how many changes."""
        count = self.backlog.flush(connection)
        self.names.committed()
        return count

    def show(self, connection: Connection) -> bool:
        """Begin a transaction in which the index rows that wait are there for searches.

        It is a reader's, stays in memory and must be undone, as must ``let_write``.

        Returns:
            Whether it will do: searches look for names among those on the disk, so the
            rows must not need a new one.
        """
        let_write(connection, may_write=True)
        connection.execute("BEGIN IMMEDIATE")
        last = connection.execute(_LAST_NAME).fetchone()
        try:
            self.backlog.show(connection)
        finally:
            self.names.rolled_back()
        return bool(connection.execute(_LAST_NAME).fetchone() == last)
