"""A message is heeded once, whichever ways it comes."""

from edgenode.cohort.passing import Heard
from edgenode.limits import MAX_REMEMBERED_MESSAGES, REMEMBERED_SECONDS


def test_a_message_is_new_once() -> None:
    heard = Heard()
    assert heard.is_new(b"one")
    assert heard.remember(b"one", 0)
    assert not heard.is_new(b"one")
    assert heard.is_new(b"two")


def test_the_oldest_are_forgotten_when_they_have_arrived_everywhere() -> None:
    heard = Heard()
    for number in range(MAX_REMEMBERED_MESSAGES):
        assert heard.remember(b"%d" % number, number / 1000)
    assert not heard.remember(b"x", REMEMBERED_SECONDS - 1)
    assert heard.is_new(b"x")
    assert not heard.is_new(b"0")
    assert heard.remember(b"x", REMEMBERED_SECONDS)
    assert not heard.is_new(b"x")
    assert heard.is_new(b"0")
    assert not heard.is_new(b"1")
