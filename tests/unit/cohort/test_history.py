"""Whoever missed events gets exactly those, or learns that it has to compare."""

from hypothesis import given
from hypothesis import strategies as st

from edgenode.cohort.history import history
from edgenode.events.frames import EndFrame, EventFrame, HistoryFrame, ResetFrame
from edgenode.events.model import InstanceEvent, OMRSInstanceEventType
from edgenode.events.streams import Position
from edgenode.repository.outbox import QueuedEvent

EVENT = InstanceEvent(event_type=OMRSInstanceEventType.NEW_ENTITY_EVENT)


class Outbox:
    """Events in memory, of which the oldest may be forgotten."""

    def __init__(self, sequences: list[int], forgotten: int = 0) -> None:
        kept = [sequence for sequence in sequences if sequence > forgotten]
        self._last = sequences[-1] if sequences else 0
        before = [forgotten, *kept]
        self._events = [
            QueuedEvent(sequence, 0, EVENT, after)
            for after, sequence in zip(before, kept, strict=False)
        ]

    def incarnation(self) -> str:
        return "i"

    def last_sequence(self) -> int:
        return self._last

    async def events_after(self, sequence: int, limit: int) -> list[QueuedEvent]:
        return [each for each in self._events if each.sequence > sequence][:3]


async def told(
    outbox: Outbox, after: Position, unsent: frozenset[int] = frozenset()
) -> list[HistoryFrame]:
    def text(event: QueuedEvent) -> bytes | None:
        return None if event.sequence in unsent else b"%d" % event.sequence

    return [frame async for frame in history(outbox, after, text)]


sequences = st.lists(st.integers(1, 40), unique=True, max_size=15).map(sorted)


@given(sequences, st.integers(0, 40), st.frozensets(st.integers(1, 40)))
async def test_each_event_fits_behind_the_one_before(
    numbers: list[int], place: int, unsent: frozenset[int]
) -> None:
    last = numbers[-1] if numbers else 0
    frames = await told(Outbox(numbers), Position("i", place), unsent)
    if place > last:
        assert frames == [ResetFrame("i", last)]
        return
    *events, end = frames
    assert end == EndFrame(max([place, *numbers]) if events or numbers else place)
    reached = place
    for frame in events:
        assert isinstance(frame, EventFrame)
        assert frame.after <= reached < frame.sequence
        reached = frame.sequence
    wanted = [n for n in numbers if n > place and n not in unsent]
    assert [b"%d" % n for n in wanted] == [
        frame.event for frame in events if isinstance(frame, EventFrame)
    ]


async def test_what_is_forgotten_has_to_be_compared() -> None:
    outbox = Outbox([1, 2, 5, 6], forgotten=2)
    assert await told(outbox, Position("i", 1)) == [ResetFrame("i", 6)]
    assert len(await told(outbox, Position("i", 2))) == 3


async def test_another_life_has_to_be_compared() -> None:
    outbox = Outbox([1, 2])
    assert await told(outbox, Position("", 0)) == [ResetFrame("i", 2)]
    assert await told(outbox, Position("former", 1)) == [ResetFrame("i", 2)]
