"""The events of a member for whoever missed some."""

from collections.abc import AsyncIterator, Callable

from edgenode.cohort.publisher import Outbox, Steps
from edgenode.events.frames import EndFrame, EventFrame, HistoryFrame, ResetFrame
from edgenode.events.streams import Position
from edgenode.limits import HISTORY_PAGE_EVENTS
from edgenode.repository.outbox import QueuedEvent


async def history(
    outbox: Outbox,
    after: Position,
    event_text: Callable[[QueuedEvent], bytes | None],
) -> AsyncIterator[HistoryFrame]:
    """The events behind a place, as far as they are kept.

    Args:
        outbox: The member's.
        after: The place.
        event_text: An event as it is published; None for one that the cohort isn't sent.
    """
    incarnation, last = outbox.incarnation(), outbox.last_sequence()
    if after.incarnation != incarnation or after.sequence > last:
        yield ResetFrame(incarnation, last)
        return
    steps, read = Steps(incarnation), after.sequence
    while events := await outbox.events_after(read, HISTORY_PAGE_EVENTS):
        if events[0].after > read:  # what came between is forgotten
            if read == after.sequence:
                yield ResetFrame(incarnation, last)
                return
            break  # it was forgotten just now: whoever asks again is told to compare
        for event in events:
            read = event.sequence
            step, text = steps.step(event), event_text(event)
            steps.passed(text is not None)
            if text is not None:
                yield EventFrame(step.after, step.sequence, text)
    yield EndFrame(read)
