"""A message is heeded once, whichever ways it comes."""

from edgenode.cohort.passing import Heard
from edgenode.limits import MAX_REMEMBERED_MESSAGES


def test_a_message_is_new_once() -> None:
    heard = Heard()
    assert heard.is_new(b"one")
    assert heard.is_new(b"two")
    assert not heard.is_new(b"one")


def test_the_oldest_are_forgotten() -> None:
    heard = Heard()
    for number in range(MAX_REMEMBERED_MESSAGES + 1):
        heard.is_new(b"%d" % number)
    assert heard.is_new(b"0")
    assert not heard.is_new(b"%d" % MAX_REMEMBERED_MESSAGES)
