"""The newest events as they were written, for those who send them at once.

Reading an event back takes longer than anything else that is done to send it: its states
are found, and their documents read.
"""

from collections import deque
from collections.abc import Iterable
from itertools import islice

from edgenode.limits import MAX_RECENT_EVENT_BYTES
from edgenode.repository.outbox import QueuedEvent


class RecentEvents:
    """The events of the last commits, without a gap between them.

    Attributes:
        last_sequence: The number of the newest event that is committed; 0 before the first.
    """

    def __init__(self, last_sequence: int) -> None:
        self.last_sequence = last_sequence
        self._kept: deque[tuple[QueuedEvent, int]] = deque()
        self._size = 0

    def add(self, written: Iterable[tuple[QueuedEvent, int]]) -> None:
        """Keep the events of a commit, each with the bytes that it has as text."""
        for event, size in written:
            after = self.last_sequence
            chained = QueuedEvent(
                event.sequence, event.at, event.event, after, event.origin
            )
            self._kept.append((chained, size))
            self._size += size
            self.last_sequence = event.sequence
        while self._size > MAX_RECENT_EVENT_BYTES:
            self._size -= self._kept.popleft()[1]

    def after(self, sequence: int, limit: int) -> list[QueuedEvent] | None:
        """The events behind a number, at most so many; None where some aren't kept."""
        if sequence >= self.last_sequence:
            return []
        if not self._kept or self._kept[0][0].after > sequence:
            return None
        behind = (event for event, _ in self._kept if event.sequence > sequence)
        return list(islice(behind, limit))
