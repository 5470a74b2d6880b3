"""How a cohort's key changes on one node, and on many that tell each other."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.limits import MAX_FORMER_KEYS, MAX_KEY_NUMBER
from edgenode.security.cohorts import Cohort, RotationError
from edgenode.security.keys import CohortKey
from tests.unit.security.samples import (
    COHORT,
    DAY,
    FOREIGN_KEY,
    KEY,
    NEXT_KEY,
    NOW,
)

OTHER = CohortKey("home", bytes(32))


def test_a_new_key_is_trusted_beside_the_old_one_for_a_while() -> None:
    rotated = COHORT.rotated(NEXT_KEY, NOW, 7)
    assert (rotated.key, rotated.number, rotated.previous) == (NEXT_KEY, 2, KEY)
    assert rotated.trusted(NOW) == (NEXT_KEY, KEY)
    assert rotated.trusted(NOW + 7 * DAY - 1) == (NEXT_KEY, KEY)
    assert rotated.trusted(NOW + 7 * DAY) == (NEXT_KEY,)


def test_without_an_overlap_the_old_key_counts_no_more() -> None:
    rotated = COHORT.rotated(OTHER, NOW, 7).rotated(NEXT_KEY, NOW, 0)
    assert (rotated.number, rotated.trusted(NOW)) == (3, (NEXT_KEY,))


def test_the_keys_that_were_rotated_away_without_an_overlap_are_remembered() -> None:
    rotated = COHORT.rotated(OTHER, NOW, 7)
    assert rotated.former == ()
    assert not rotated.was_rotated_lately(NOW)
    again = rotated.rotated(NEXT_KEY, NOW, 0)
    assert again.former == (KEY.tag, OTHER.tag)
    assert again.was_rotated_lately(NOW + 29 * DAY)
    assert not again.was_rotated_lately(NOW + 30 * DAY)
    elsewhere = again.joined(FOREIGN_KEY)
    assert (elsewhere.key, elsewhere.number) == (FOREIGN_KEY, 0)
    assert elsewhere.former == again.former
    assert not elsewhere.was_rotated_lately(NOW), "not this key"
    for _ in range(MAX_FORMER_KEYS):
        again = again.rotated(NEXT_KEY, NOW, 0)
    assert len(again.former) == MAX_FORMER_KEYS


def test_nobody_loses_touch_by_a_rotation() -> None:
    with pytest.raises(RotationError, match="overlap goes on"):
        COHORT.rotated(NEXT_KEY, NOW, 7).rotated(OTHER, NOW + DAY, 7)
    with pytest.raises(RotationError, match="not met"):
        Cohort(key=KEY, number=0).rotated(NEXT_KEY, NOW, 7)
    again = COHORT.rotated(NEXT_KEY, NOW, 7).rotated(OTHER, NOW + 7 * DAY, 7)
    assert again.trusted(NOW + 7 * DAY) == (OTHER, NEXT_KEY)


def test_the_numbers_come_to_an_end() -> None:
    last = Cohort(key=KEY, number=MAX_KEY_NUMBER)
    for days in (0, 7):
        with pytest.raises(RotationError, match="new cohort"):
            last.rotated(NEXT_KEY, NOW, days)


def test_a_member_teaches_the_new_key() -> None:
    rotated = COHORT.rotated(NEXT_KEY, NOW, 7)
    assert COHORT.taught(NEXT_KEY, 2, rotated.overlap_ends) == rotated
    assert rotated.taught(KEY, 1, 0) == rotated
    joined = Cohort(key=NEXT_KEY, number=0)
    assert joined.taught(NEXT_KEY, 2, NOW) == Cohort(key=NEXT_KEY, number=2)


def test_of_two_keys_made_at_once_neither_is_the_one_before() -> None:
    """Those that took the other one still speak with those who know of neither."""
    keys = sorted((NEXT_KEY, OTHER), key=lambda key: key.tag)
    lower, higher = (COHORT.rotated(key, NOW, 7) for key in keys)
    assert lower.taught(higher.key, 2, higher.overlap_ends).trusted(NOW) == (
        higher.key,
        KEY,
    )
    assert higher.taught(lower.key, 2, lower.overlap_ends) == higher


def test_another_cohorts_key_is_not_learnt() -> None:
    assert COHORT.taught(CohortKey("work", bytes(32)), 9, NOW) == COHORT


@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(0, 3).map(lambda i: bytes([i] * 32))),
        max_size=4,
    )
)
def test_all_settle_for_the_same_key(told: list[tuple[int, bytes]]) -> None:
    keys = [(number, CohortKey("home", secret)) for number, secret in told]
    ends = set()
    for order in permutations(keys):
        cohort = COHORT
        for number, key in order:
            cohort = cohort.taught(key, number, NOW)
        ends.add((cohort.number, cohort.key))
    assert len(ends) == 1
