"""Whatever the bus does, in the end a follower holds what the origin holds."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenode.cohort import comparison, inbox
from edgenode.cohort.follower import Follower
from edgenode.cohort.inbox import InboxRoom
from edgenode.events.streams import Position, Step, Sum
from edgenode.limits import (
    FIRST_RETRY_SECONDS,
    LONGEST_RETRY_SECONDS,
    MAX_COMPARED_OWNERS,
    MAX_PASSED_NUMBERS,
)
from tests.unit.cohort.clocks import FakeClock
from tests.unit.cohort.origins import Member, Origin


@asynccontextmanager
async def following(
    origin: Origin,
    member: Member,
    clock: FakeClock | None = None,
    mended: Callable[[int], None] = lambda count: None,
    copied: Callable[[int], None] = lambda count: None,
    room: InboxRoom | None = None,
) -> AsyncIterator[Follower]:
    follower = Follower(
        "o", member, member, lambda: origin, clock or FakeClock(), mended, copied, room
    )
    task = asyncio.create_task(follower.run())
    try:
        yield follower
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def turns(count: int = 200) -> None:
    """Let everything happen that can."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_events_are_applied_as_they_come() -> None:
    origin, member = Origin(), Member()
    async with following(origin, member) as follower:
        await turns()
        for name in "abca":
            follower.offer(*origin.change(name))
        await turns()
    assert member.applied == [b"a=1", b"b=1", b"c=1", b"a=2"]
    assert follower.figures.fetched_events == 0


async def test_what_is_missing_is_fetched_in_order() -> None:
    origin, member = Origin(), Member()
    async with following(origin, member) as follower:
        await turns()
        follower.offer(*origin.change("a"))
        origin.change("b")
        origin.change("a")
        follower.offer(*origin.change("c"))
        await turns()
    assert member.applied == [b"a=1", b"b=1", b"a=2", b"c=1"]
    assert follower.figures.gaps == 1


async def test_a_mark_alone_is_enough() -> None:
    origin, member = Origin(), Member()
    async with following(origin, member) as follower:
        await turns()
        origin.change("a")
        follower.mark(Position("i", 1))
        assert follower.lag == 1
        await turns()
        assert follower.lag == 0
    assert member.applied == [b"a=1"]


@pytest.mark.parametrize("ahead", [1, MAX_PASSED_NUMBERS, 2**62])
async def test_the_origins_own_place_holds(ahead: int) -> None:
    origin, member = Origin(), Member()
    async with following(origin, member) as follower:
        await turns()
        origin.change("a")
        member.holds = {"forged": 1}
        member.positions["o"] = Position("i", 1 + ahead)
        follower.mark(Position("i", 1))
        await turns()
        assert member.holds == {"forged": 1}, "others may know less"
        follower.mark(Position("i", 1), is_own=True)
        await turns()
        follower.offer(*origin.change("b"))
        await turns()
        assert (follower.lag, follower.known) == (0, Position("i", 2))
    assert member.holds == {"a": 1, "b": 1}
    assert member.positions["o"] == Position("i", 2)


async def test_the_origins_word_may_be_older_than_its_events() -> None:
    origin, member = Origin(), Member()
    async with following(origin, member) as follower:
        await turns()
        for name in "abc":
            follower.offer(*origin.change(name))
        await turns()
        compared = follower.figures.comparisons
        follower.mark(Position("i", 1), is_own=True)
        await turns()
        assert follower.figures.comparisons == compared
        assert not follower.is_busy
    assert member.positions["o"] == Position("i", 3)


async def test_an_event_that_is_far_ahead_is_asked_for() -> None:
    origin, member, clock = Origin(), Member(), FakeClock()
    async with following(origin, member, clock) as follower:
        await turns()
        origin.is_reachable = False
        follower.offer(Step("i", 0, 2**62), b"forged=1")
        await turns()
        assert member.holds == {}
        assert follower.lag == 0
        origin.is_reachable = True
        # Of so many a rule left out all but the last.
        origin.sequence = MAX_PASSED_NUMBERS
        step, event = origin.change("a")
        follower.offer(Step("i", 0, step.sequence), event)
        follower.reachable()
        await turns()
        assert follower.lag == 0
    assert member.holds == {"a": 1}
    assert member.positions["o"] == Position("i", MAX_PASSED_NUMBERS + 1)


async def test_a_history_that_is_gone_is_compared() -> None:
    origin, member = Origin(), Member()
    for name in "abc":
        origin.change(name)
    origin.forget()
    member.holds = {"a": 1, "b": 7, "z": 1}
    member.positions["o"] = Position("i", 1)
    async with following(origin, member) as follower:
        follower.mark(Position("i", 3))
        await turns()
    assert member.holds == {"a": 1, "b": 1, "c": 1}
    assert member.positions["o"] == Position("i", 3)
    assert follower.figures.mended == 3  # not what was equal


async def test_another_incarnation_is_compared() -> None:
    origin, member = Origin(incarnation="new"), Member()
    origin.change("a")
    member.holds = {"a": 5}
    member.positions["o"] = Position("old", 9)
    async with following(origin, member) as follower:
        follower.offer(*origin.change("a"))
        await turns()
    assert member.holds == {"a": 2}
    assert member.positions["o"] == Position("new", 2)


async def test_a_damaged_copy_is_mended_when_it_is_compared() -> None:
    origin, member = Origin(), Member()
    told: list[int] = []
    async with following(origin, member, mended=told.append) as follower:
        await turns()
        follower.offer(*origin.change("a"))
        await turns()
        follower.compare()
        await turns()
        assert told == [], "nothing was wrong"
        member.holds["a"] = 99
        follower.compare()
        assert follower.is_comparing
        await turns()
    assert member.holds == {"a": 1}
    assert told == [1]
    assert not follower.is_comparing


async def test_what_is_taken_over_from_a_new_origin_is_no_mend() -> None:
    origin, member, clock = Origin(), Member(), FakeClock()
    for name in "abc":
        origin.change(name)
    mended: list[int] = []
    copied: list[int] = []
    async with following(
        origin, member, clock, mended.append, copied.append
    ) as follower:
        await turns()
        assert (copied, mended) == ([3], [])
        assert (follower.figures.copied, follower.figures.mended) == (3, 0)
        member.holds["a"] = 99
        follower.compare()
        await turns()
        assert (copied, mended) == ([3], [1])
        assert (follower.figures.copied, follower.figures.mended) == (3, 1)


async def test_types_are_learnt_before_their_instances() -> None:
    origin, member = Origin(), Member()
    async with following(origin, member) as follower:
        await turns()
        member.knows_types = False
        for name in "ab":
            follower.offer(*origin.change(name))
        await turns()
    assert member.applied == [b"a=1", b"b=1"]


async def test_tries_are_further_and_further_apart_until_it_is_back() -> None:
    clock = FakeClock()
    origin, member = Origin(is_reachable=False), Member()
    async with following(origin, member, clock) as follower:
        await turns()
        wait = FIRST_RETRY_SECONDS
        while wait < LONGEST_RETRY_SECONDS:
            failures = follower.figures.failures
            clock.advance(wait - 0.01)
            follower.tick(clock.monotonic())
            await turns(5)
            assert follower.figures.failures == failures
            clock.advance(0.01)
            follower.tick(clock.monotonic())
            await turns(5)
            assert follower.figures.failures == failures + 1
            assert "cut off" in follower.trouble
            wait *= 2
        origin.is_reachable = True
        origin.change("a")
        follower.reachable()
        await turns()
        assert follower.trouble == ""
    assert member.holds == {"a": 1}


async def test_a_stream_that_breaks_off_goes_on_where_it_was() -> None:
    clock = FakeClock()
    origin, member = Origin(), Member()
    async with following(origin, member, clock) as follower:
        await turns()
        for number in range(200):
            origin.change(str(number % 7))
        origin.breaks_after = 150
        follower.mark(Position("i", 200))
        await turns(2000)
        applied = len(member.applied)
        assert 0 < applied < 200
        origin.breaks_after = None
        follower.reachable()
        await turns(2000)
    assert len(member.applied) == 200
    assert follower.figures.fetched_events < 200 + 150


async def test_events_that_wait_have_so_many_bytes_and_the_rest_is_fetched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inbox, "MAX_WAITING_EVENT_BYTES", 9)
    origin, member, room = Origin(), Member(), InboxRoom()
    async with following(origin, member, room=room) as follower:
        await turns()
        for name in ("a", "b", "c", "d", "e", "too long for it"):
            follower.offer(*origin.change(name))
            assert room.used <= 9
        assert follower.figures.dropped == 6
        await turns()
        assert room.used == 0
        assert follower.lag == 0
    assert member.holds == origin.holds


async def test_origins_that_wait_share_the_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inbox, "MAX_ALL_WAITING_EVENT_BYTES", 7)
    hanging, origin, member, room = Origin(), Origin(), Member(), InboxRoom()
    hanging.is_reachable = False
    async with (
        following(hanging, Member(), room=room) as hung,
        following(origin, member, room=room) as follower,
    ):
        await turns()
        for _ in range(5):
            hung.offer(*hanging.change("a"))
            follower.offer(*origin.change("b"))
            assert 0 < room.used <= 7
        await turns()
        assert member.holds == {"b": 5}
        hung.close()
        assert room.used == 0


async def test_what_is_fetched_is_stored_in_portions_of_so_many_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(comparison, "MAX_WAITING_EVENT_BYTES", 2)
    origin = Origin(holds=dict.fromkeys("abcde", 1))
    guids = list(origin.holds)
    portions = [len(each) async for each in comparison.fetched(origin, "o", guids)]
    assert portions == [2, 2, 1]


async def test_owners_without_end_are_not_asked_about() -> None:
    asked: list[str] = []

    class Inventive(Origin):
        async def group_sums(self, collection_id: str, owner: str) -> Mapping[str, Sum]:
            asked.append(owner)
            return {}

    names = [f"archive {number}" for number in range(MAX_COMPARED_OWNERS + 10)]
    origin, member = Inventive(others=("o", "x", "x", *names)), Member()
    async with following(origin, member) as follower:
        follower.compare()
        await turns(4 * MAX_COMPARED_OWNERS)
        assert not follower.is_comparing
    assert asked[:3] == ["o", "x", "archive 0"]
    assert len(set(asked)) == 1 + MAX_COMPARED_OWNERS


changes = st.lists(
    st.tuples(
        st.sampled_from("abc"), st.sampled_from(["send", "lose", "twice", "late"])
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(changes, st.randoms(use_true_random=False), st.integers(0, 40))
def test_loss_repetition_and_disorder_do_not_matter(
    plan: list[tuple[str, str]], random: object, forget_at: int
) -> None:
    async def run() -> None:
        origin, member = Origin(), Member()
        late: list[tuple[Step, bytes]] = []
        async with following(origin, member) as follower:
            for number, (name, fate) in enumerate(plan):
                if number == forget_at:
                    origin.forget()
                message = origin.change(name)
                if fate == "late":
                    late.append(message)
                for _ in range({"send": 1, "twice": 2}.get(fate, 0)):
                    follower.offer(*message)
                await turns(number % 5)
            random.shuffle(late)  # type: ignore[attr-defined]
            for message in late:
                follower.offer(*message)
            follower.mark(Position("i", origin.sequence))
            await turns(3000)
            assert follower.lag == 0
        assert member.holds == origin.holds
        for name in member.holds:  # nothing was applied twice or went back
            versions = [v for n, v in map(_parts, member.applied) if n == name]
            assert versions == sorted(set(versions))

    asyncio.run(run())


def _parts(event: bytes) -> tuple[str, int]:
    name, version = event.decode().split("=")
    return name, int(version)


async def test_what_nobody_thought_of_is_tried_again() -> None:
    """Such as a disk that is full."""

    class Full(Member):
        async def move_to(self, origin: str, position: Position) -> None:
            raise OSError("no space left")

    origin, member, clock = Origin(), Full(), FakeClock()
    async with following(origin, member, clock) as follower:
        await turns()
        assert follower.trouble == "no space left"
        assert follower.figures.failures == 1
        clock.advance(FIRST_RETRY_SECONDS)
        follower.tick(clock.monotonic())
        await turns()
        assert follower.figures.failures == 2
