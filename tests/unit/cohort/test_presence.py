"""What is told of nodes that come and go."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edgenode.cohort.model import NodeInfo
from edgenode.cohort.peers import Peer
from edgenode.cohort.presence import Presence
from edgenode.limits import LOSS_PAUSE_SECONDS, LOSS_TOLD_SECONDS

PEER = Peer(info=NodeInfo(node_id="n", run_id="r", revision=1), heard=0.0)


def alive(now: float) -> Peer:
    return replace(PEER, heard=now)


def lost(now: float) -> Peer:
    return replace(PEER, lost=now)


def test_a_node_that_is_started_anew_is_no_loss() -> None:
    presence = Presence()
    assert presence.changes([lost(0)], 0) == []
    assert presence.changes([lost(0)], LOSS_TOLD_SECONDS - 0.1) == []
    assert presence.changes([alive(5)], LOSS_TOLD_SECONDS) == []
    # What counts is how long it is gone by now, not since it was the first time.
    assert presence.changes([lost(6)], LOSS_TOLD_SECONDS + 1) == []


def test_a_loss_that_lasts_is_told_once_and_so_is_the_return() -> None:
    presence = Presence()
    told = []
    for second in range(100):
        peer = lost(1) if 1 <= second < 50 else alive(second)
        told += [(second, c.is_lost) for c in presence.changes([peer], second)]
    assert told == [(1 + LOSS_TOLD_SECONDS, True), (50, False)]


@given(
    st.lists(
        st.tuples(st.integers(1, 3 * int(LOSS_TOLD_SECONDS)), st.booleans()),
        max_size=50,
    )
)
def test_however_often_it_goes_little_is_told(spans: list[tuple[int, bool]]) -> None:
    presence = Presence()
    now = 0
    told = []
    for seconds, is_there in spans:
        for _ in range(seconds):
            now += 1
            peer = alive(now) if is_there else lost(now)
            told += [(now, c.is_lost) for c in presence.changes([peer], now)]
    assert [is_lost for _, is_lost in told] == [n % 2 == 0 for n in range(len(told))]
    losses = [at for at, is_lost in told if is_lost]
    pauses = [b - a for a, b in pairwise(losses)]
    assert all(pause >= LOSS_PAUSE_SECONDS for pause in pauses)


def test_nothing_is_kept_of_nodes_that_nobody_knows() -> None:
    presence = Presence()
    presence.changes([lost(0)], 0)
    assert presence.changes([lost(0)], 10)
    assert presence.changes([], 11) == []
    presence.changes([lost(12)], 12)
    assert presence.changes([lost(12)], 12 + LOSS_TOLD_SECONDS)
