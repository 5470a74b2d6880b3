"""The breaker: never asks who is off more often than it should, and never forgets them."""

from hypothesis import given
from hypothesis import strategies as st

from edgenode.federation.breaker import Breaker, BreakerState
from edgenode.limits import (
    FIRST_MEMBER_PAUSE_SECONDS,
    LONGEST_MEMBER_PAUSE_SECONDS,
    TOLERATED_MEMBER_FAILURES,
)


def opened(now: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(TOLERATED_MEMBER_FAILURES):
        assert breaker.admits(now)
        breaker.failed(now)
    return breaker


def test_a_few_failures_are_tolerated() -> None:
    breaker = Breaker()
    for _ in range(10):
        for _ in range(TOLERATED_MEMBER_FAILURES - 1):
            breaker.failed(0)
        assert breaker.admits(0)
        breaker.succeeded()


def test_more_open_it_for_a_pause() -> None:
    breaker = opened()
    assert breaker.state is BreakerState.OPEN
    assert not breaker.admits(FIRST_MEMBER_PAUSE_SECONDS - 0.01)
    assert breaker.admits(FIRST_MEMBER_PAUSE_SECONDS)


def test_one_question_tries_whether_it_is_back() -> None:
    breaker = opened()
    assert breaker.admits(100)
    assert breaker.state is BreakerState.HALF_OPEN
    assert not breaker.admits(100)
    breaker.succeeded()
    assert breaker == Breaker(until=breaker.until)
    assert breaker.admits(100)


def test_pauses_double_up_to_a_bound() -> None:
    breaker, now, pauses = opened(), 0.0, []
    for _ in range(50):
        pauses.append(breaker.until - now)
        now = breaker.until
        assert breaker.admits(now)
        breaker.failed(now)
    assert pauses[:3] == [FIRST_MEMBER_PAUSE_SECONDS * factor for factor in (1, 2, 4)]
    assert pauses[-1] == LONGEST_MEMBER_PAUSE_SECONDS
    assert pauses == sorted(pauses)


def test_failures_that_were_under_way_do_not_prolong_the_pause() -> None:
    breaker = opened()
    until = breaker.until
    for _ in range(20):
        breaker.failed(0.5)
    assert breaker.until == until


def test_a_try_that_was_given_up_is_made_again() -> None:
    breaker = opened()
    assert breaker.admits(100)
    breaker.gave_up(100)
    assert breaker.admits(100)
    breaker.succeeded()
    breaker.gave_up(100)
    assert breaker.state is BreakerState.CLOSED


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["asked", "succeeded", "failed", "gave_up"]),
        st.floats(0, 100, allow_nan=False),
    ),
    max_size=60,
)


@given(STEPS)
def test_it_always_asks_again_in_the_end(steps: list[tuple[str, float]]) -> None:
    breaker, now, under_way = Breaker(), 0.0, 0
    for step, seconds in steps:
        now += seconds
        if step == "asked":
            under_way += breaker.admits(now)
        elif under_way:
            under_way -= 1
            if step == "succeeded":
                breaker.succeeded()
            else:
                getattr(breaker, step)(now)
        assert breaker.until <= now + LONGEST_MEMBER_PAUSE_SECONDS
    for _ in range(under_way):
        breaker.gave_up(now)
    assert breaker.admits(now + LONGEST_MEMBER_PAUSE_SECONDS)


def test_who_is_there_again_is_asked_and_trusted_once() -> None:
    breaker = Breaker()
    for _ in range(TOLERATED_MEMBER_FAILURES):
        breaker.failed(0)
    assert not breaker.admits(0)
    breaker.returned()
    assert breaker.admits(0)
    breaker.failed(0)
    assert not breaker.admits(0)
