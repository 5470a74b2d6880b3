"""Events of one other member that wait to be applied, as many as there is memory for.

Whatever is dropped here is fetched from its origin when its turn would have come.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from edgenode.events.streams import Step
from edgenode.limits import (
    APPLIED_TOGETHER,
    MAX_ALL_WAITING_EVENT_BYTES,
    MAX_WAITING_EVENT_BYTES,
    MAX_WAITING_EVENTS,
)


class InboxRoom:
    """The memory that the inboxes of a node share.

    Attributes:
        used: How many bytes of it are taken.
    """

    def __init__(self) -> None:
        self.used = 0


class Inbox:
    """What came of one origin; see the module.

    Args:
        room: Shared with the other inboxes of the node.
    """

    def __init__(self, room: InboxRoom) -> None:
        self._room = room
        self._waiting: deque[tuple[Step, bytes]] = deque()
        self._used = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, step: Step, event: bytes) -> int:
        """Add an event; the number of those that are dropped for want of room."""
        dropped = 0
        if not self._has_room(event):
            # Behind a gap the rest would be fetched, too.
            dropped = self.clear()
        if not self._has_room(event):
            return dropped + 1
        self._waiting.append((step, event))
        self._take(len(event))
        return dropped

    @contextmanager
    def portion(self) -> Iterator[Sequence[tuple[Step, bytes]]]:
        """The next events, which take their room until they are applied."""
        count = min(len(self._waiting), APPLIED_TOGETHER)
        events = [self._waiting.popleft() for _ in range(count)]
        try:
            yield events
        finally:
            self._take(-_size(events))

    def clear(self) -> int:
        """Drop all that waits; how much that was."""
        dropped = len(self._waiting)
        self._take(-_size(self._waiting))
        self._waiting.clear()
        return dropped

    def _has_room(self, event: bytes) -> bool:
        return (
            len(self._waiting) < MAX_WAITING_EVENTS
            and self._used + len(event) <= MAX_WAITING_EVENT_BYTES
            and self._room.used + len(event) <= MAX_ALL_WAITING_EVENT_BYTES
        )

    def _take(self, size: int) -> None:
        self._used += size
        self._room.used += size


def _size(events: Sequence[tuple[Step, bytes]]) -> int:
    return sum(len(event) for _, event in events)
