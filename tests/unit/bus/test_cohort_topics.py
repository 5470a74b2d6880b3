"""Where a member goes on in a topic."""

import pytest

from edgenode.bus.cohort_topics import Resumption, resumption
from edgenode.bus.topics import Partition, Position

HERE = Partition("topic", 0)


def position(offset: int, topic_id: str = "a") -> Position:
    return Position(HERE, offset, topic_id)


@pytest.mark.parametrize(
    ("known", "goes_on"),
    [
        ((), None),
        ((position(15),), Resumption(15)),
        ((position(20),), Resumption(20)),
        # What is kept counts, though the brokers were told more before a restoration.
        ((position(12), position(15)), Resumption(12)),
        # It may have been off for longer than the topic keeps anything.
        ((position(7),), Resumption(10, expired=3)),
        ((position(7), position(9)), Resumption(10, expired=1)),
        ((position(7), position(15)), Resumption(10)),
        # A topic that ends sooner, or is another one, is a new one.
        ((position(21),), Resumption(10, is_recreated=True)),
        ((position(15, "b"),), Resumption(10, is_recreated=True)),
        ((position(15, "b"), position(12)), Resumption(12)),
        # Old brokers don't tell which it is.
        ((position(15, ""),), Resumption(15)),
    ],
)
def test_reading_goes_on(
    known: tuple[Position, ...], goes_on: Resumption | None
) -> None:
    assert resumption(known, "a", 10, 20) == goes_on


def test_a_broker_that_does_not_tell_the_topic_is_believed() -> None:
    assert resumption([position(15)], "", 10, 20) == Resumption(15)
