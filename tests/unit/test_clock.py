"""The clock with a floor: what it tells while the machine's own goes astray."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.clock import (
    BUILD_TIME,
    FOLLOWED_SECONDS,
    GIVEN_UP_SECONDS,
    EpochMillis,
    FlooredClock,
    SystemClock,
)

DAY = 86_400_000
YEAR = 365 * DAY
TRUE = BUILD_TIME + 100 * DAY


class MachineClock:
    """A machine's clock, which runs, and which somebody may set."""

    def __init__(self, time: EpochMillis) -> None:
        self.time = time
        self.seconds = 1_000.0

    def now(self) -> EpochMillis:
        return self.time

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.run(seconds)

    def run(self, seconds: float) -> None:
        self.time += int(seconds * 1000)
        self.seconds += seconds


def run(clock: FlooredClock, machine: MachineClock, seconds: float) -> None:
    """Let time pass, with a look at the clock as often as a node has one."""
    for _ in range(round(seconds / FOLLOWED_SECONDS)):
        machine.run(FOLLOWED_SECONDS)
        clock.follow()


def test_a_right_clock_is_told() -> None:
    machine = MachineClock(TRUE)
    clock = FlooredClock(machine, TRUE - DAY)
    assert (clock.now(), clock.monotonic()) == (TRUE, 1_000.0)
    machine.run(5)
    assert (clock.now(), clock.monotonic()) == (TRUE + 5_000, 1_005.0)


@pytest.mark.parametrize("start", [0, BUILD_TIME - 1])
def test_no_time_before_the_build_is_told(start: EpochMillis) -> None:
    machine = MachineClock(start)
    clock = FlooredClock(machine)
    assert clock.now() == BUILD_TIME
    machine.run(60)
    assert clock.now() == BUILD_TIME + 60_000


def test_a_machine_without_a_clock_goes_on_where_it_was() -> None:
    machine = MachineClock(0)
    clock = FlooredClock(machine, TRUE)
    run(clock, machine, 10 * FOLLOWED_SECONDS)
    assert clock.now() == clock.floor() == TRUE + int(10_000 * FOLLOWED_SECONDS)
    machine.time = TRUE + DAY  # somebody told it
    assert clock.now() == TRUE + DAY


def test_the_floor_follows_what_lasted() -> None:
    machine = MachineClock(0)
    clock = FlooredClock(machine, TRUE)
    machine.time = TRUE + DAY
    clock.follow()
    assert clock.floor() == TRUE
    machine.run(FOLLOWED_SECONDS - 1)
    clock.follow()
    assert clock.floor() < TRUE + DAY
    machine.run(1)
    clock.follow()
    assert clock.floor() == machine.time


def test_a_clock_that_is_set_back_doesnt_take_the_time_along() -> None:
    machine = MachineClock(TRUE)
    clock = FlooredClock(machine)
    run(clock, machine, FOLLOWED_SECONDS)
    told = clock.now()
    machine.time -= 30 * DAY
    assert clock.now() == told
    run(clock, machine, 2 * GIVEN_UP_SECONDS)
    assert clock.now() == told + int(2_000 * GIVEN_UP_SECONDS)


def test_a_moment_in_the_future_leaves_no_trace() -> None:
    machine = MachineClock(TRUE)
    clock = FlooredClock(machine, TRUE)
    run(clock, machine, FOLLOWED_SECONDS)
    machine.time += 30 * YEAR
    machine.run(FOLLOWED_SECONDS - 1)
    clock.follow()
    machine.time -= 30 * YEAR
    machine.run(FOLLOWED_SECONDS)
    clock.follow()
    assert clock.now() == machine.time


def test_a_floor_that_is_decades_off_is_given_up() -> None:
    machine = MachineClock(TRUE + 30 * YEAR)
    clock = FlooredClock(machine, TRUE)
    run(clock, machine, FOLLOWED_SECONDS)
    assert clock.floor() > TRUE + 30 * YEAR
    machine.time -= 30 * YEAR
    again = FlooredClock(machine, clock.floor())
    run(again, machine, GIVEN_UP_SECONDS - FOLLOWED_SECONDS)
    assert again.now() > TRUE + 30 * YEAR
    run(again, machine, FOLLOWED_SECONDS)
    assert again.now() == again.floor() == machine.time


def test_a_clock_that_never_was_set_is_no_reason_to_give_up() -> None:
    machine = MachineClock(0)
    clock = FlooredClock(machine, TRUE + 30 * YEAR)
    run(clock, machine, 2 * GIVEN_UP_SECONDS)
    assert clock.now() > TRUE + 30 * YEAR


@given(
    st.lists(
        st.tuples(st.integers(0, 5_000), st.integers(-YEAR // 2, YEAR // 2)),
        max_size=12,
    )
)
def test_the_floor_only_rises_whatever_the_clock_does_within_a_year(
    steps: list[tuple[int, int]],
) -> None:
    machine = MachineClock(TRUE)
    clock = FlooredClock(machine, TRUE)
    for seconds, jump in steps:
        before = clock.floor()
        # Never further off than half a year, however often it jumps.
        machine.time = TRUE + int(machine.seconds * 1000) + jump
        machine.run(seconds)
        clock.follow()
        assert clock.floor() >= before + seconds * 1000
        assert clock.now() >= clock.floor()


async def test_the_machines_own_clock() -> None:
    clock = FlooredClock(SystemClock())
    before = time.monotonic()
    await clock.sleep(0.01)
    assert clock.monotonic() >= before + 0.009
    assert abs(SystemClock().now() - time.time() * 1000) < 60_000


async def test_a_sleep_can_be_broken_off() -> None:
    task = asyncio.create_task(FlooredClock(SystemClock()).sleep(3_600))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
