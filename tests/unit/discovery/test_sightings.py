"""Sightings are bounded, and their consumer is told exactly what changed."""

from dataclasses import replace
from ipaddress import ip_interface

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edgenode.discovery.records import Announcement
from edgenode.discovery.sightings import Gone, Place, Reach, Sighting, Sightings, tell
from edgenode.limits import (
    MAX_SIGHTED_ADDRESSES,
    MAX_SIGHTED_NODES,
    SIGHTING_SECONDS,
)

TAG = "fedcba9876543210"
OWN = Announcement("0" * 32, TAG, "own", 9444, 1883)
PEER = Announcement("1" * 32, TAG, "peer", 9444, 1883)

FOUR = Place("10.0.0.2", "eth0")
OTHER_FOUR = Place("10.0.0.3", "eth0")
SIX = Place("fd00::2", "eth0")
LINK = Place("fe80::2%eth0", "eth0")
OTHER_LINK = Place("fe80::2%eth1", "eth1")
ROUTED = Place("192.0.2.2", "")


def node(number: int) -> Announcement:
    return replace(PEER, node_id=f"{number:032x}")


def test_the_nearest_addresses_come_first() -> None:
    sightings = Sightings(OWN)
    (told,) = sightings.saw(PEER, [ROUTED, LINK, SIX, FOUR], 1.0)
    assert told == Sighting(PEER, (SIX.host, FOUR.host, LINK.host, ROUTED.host))
    assert [place.reach for place in (FOUR, SIX, LINK, ROUTED)] == [
        Reach.SUBNET,
        Reach.SUBNET,
        Reach.LINK_LOCAL,
        Reach.ROUTED,
    ]


def test_of_those_alike_the_one_seen_last_comes_first() -> None:
    sightings = Sightings(OWN)
    sightings.saw(PEER, [Place("10.0.0.2", "eth0")], 1.0)
    (told,) = sightings.saw(PEER, [Place("10.1.0.2", "eth1")], 2.0)
    assert told == Sighting(PEER, ("10.1.0.2", "10.0.0.2"))


def test_nodes_with_the_key_before_are_seen_while_a_rotation_lasts() -> None:
    behind = replace(PEER, tag="0" * 16)
    assert Sightings(OWN).saw(behind, [FOUR], 1.0) == []
    both = Sightings(OWN, [TAG, behind.tag])
    assert both.saw(behind, [FOUR], 1.0) == [Sighting(behind, (FOUR.host,))]
    assert both.saw(replace(PEER, node_id="2" * 32), [SIX], 1.0)
    assert both.saw(replace(behind, tag="1" * 16), [SIX], 1.0) == []
    assert both.other_cohorts == 1


def test_nothing_new_is_not_told() -> None:
    sightings = Sightings(OWN)
    assert sightings.saw(PEER, [FOUR], 1.0)
    assert sightings.saw(PEER, [FOUR], 2.0) == []


def test_what_was_told_is_told_again_when_asked_for() -> None:
    sightings = Sightings(OWN)
    assert sightings.told() == []
    first = sightings.saw(PEER, [FOUR], 1.0)
    second = sightings.saw(node(2), [SIX], 1.0)
    assert sightings.told() == [*first, *second]
    sightings.left(PEER.node_id)
    assert sightings.told() == second


def test_an_address_takes_the_place_of_one_of_its_kind_only() -> None:
    sightings = Sightings(OWN)
    sightings.saw(PEER, [FOUR, LINK, OTHER_LINK], 1.0)
    (told,) = sightings.saw(PEER, [OTHER_FOUR], 2.0)
    assert told == Sighting(PEER, (OTHER_FOUR.host, LINK.host, OTHER_LINK.host))
    newer = Place("fe80::3%eth0", "eth0")
    (told,) = sightings.saw(PEER, [newer], 3.0)
    assert told == Sighting(PEER, (OTHER_FOUR.host, newer.host, OTHER_LINK.host))


def test_other_ports_are_told() -> None:
    sightings = Sightings(OWN)
    sightings.saw(PEER, [FOUR], 1.0)
    moved = replace(PEER, rest_port=1)
    assert sightings.saw(moved, [FOUR], 2.0) == [Sighting(moved, (FOUR.host,))]


def test_a_goodbye_takes_nothing_away_but_the_return_is_told() -> None:
    sightings = Sightings(OWN)
    sightings.saw(PEER, [FOUR], 1.0)
    sightings.left(PEER.node_id)
    sightings.left("2" * 32)
    assert len(sightings) == 1
    assert sightings.saw(PEER, [FOUR], 2.0) == [Sighting(PEER, (FOUR.host,))]


def test_this_node_and_other_cohorts_are_passed_over() -> None:
    sightings = Sightings(OWN)
    assert sightings.saw(replace(OWN, name="x"), [FOUR], 1.0) == []
    assert sightings.saw(replace(PEER, tag="0" * 16), [FOUR], 1.0) == []
    assert sightings.saw(replace(PEER, protocol=2), [FOUR], 1.0) == []
    assert sightings.saw(PEER, [], 1.0) == []
    assert len(sightings) == 0
    assert (sightings.other_cohorts, sightings.other_protocols) == (1, 1)


def test_what_is_very_old_is_forgotten() -> None:
    sightings = Sightings(OWN)
    sightings.saw(PEER, [FOUR], 0.0)
    sightings.saw(PEER, [LINK], 10.0)
    assert sightings.forget_old(SIGHTING_SECONDS) == []
    assert sightings.forget_old(SIGHTING_SECONDS + 5) == [Sighting(PEER, (LINK.host,))]
    assert sightings.forget_old(SIGHTING_SECONDS + 11) == [Gone(PEER.node_id)]
    assert len(sightings) == 0


def test_when_there_are_too_many_nodes_the_oldest_makes_room() -> None:
    sightings = Sightings(OWN)
    for number in range(1, MAX_SIGHTED_NODES + 1):
        sightings.saw(node(number), [FOUR], float(number))
    sightings.saw(node(1), [FOUR], float(MAX_SIGHTED_NODES + 1))
    newest = node(MAX_SIGHTED_NODES + 1)
    changes = sightings.saw(newest, [FOUR], float(MAX_SIGHTED_NODES + 2))
    assert changes == [Gone(node(2).node_id), Sighting(newest, (FOUR.host,))]
    assert len(sightings) == MAX_SIGHTED_NODES


def test_when_there_are_too_many_addresses_the_nearest_stay() -> None:
    sightings = Sightings(OWN)
    far = [Place(f"192.0.2.{number}", "") for number in range(100)]
    (told,) = sightings.saw(PEER, [*far, FOUR], 1.0)
    assert isinstance(told, Sighting)
    assert len(told.addresses) == MAX_SIGHTED_ADDRESSES
    assert told.addresses[0] == FOUR.host


class Heard:
    """A consumer that keeps what it is told."""

    def __init__(self) -> None:
        self.known: dict[str, Sighting] = {}

    def seen(self, sighting: Sighting) -> None:
        self.known[sighting.node_id] = sighting

    def gone(self, node_id: str) -> None:
        del self.known[node_id]


HOSTS = st.sampled_from(
    [
        Place(str(ip_interface(f"10.0.{net}.{host}").ip), f"eth{net}")
        for net in range(2)
        for host in range(1, 4)
    ]
    + [LINK, OTHER_LINK, SIX, ROUTED]
)


class SightingsMachine(RuleBasedStateMachine):
    """Whatever is seen in whatever order, the consumer knows what the sightings say."""

    def __init__(self) -> None:
        super().__init__()
        self.sightings = Sightings(OWN)
        self.heard = Heard()
        self.now = 0.0
        self.seen: dict[tuple[str, str], float] = {}

    @rule(
        number=st.integers(0, 5),
        places=st.lists(HOSTS, max_size=5, unique=True),
        port=st.sampled_from([1, 2]),
    )
    def saw(self, number: int, places: list[Place], port: int) -> None:
        said = replace(node(number), rest_port=port)
        for change in self.sightings.saw(said, places, self.now):
            tell(self.heard, change)
        if number and places:
            for place in places:
                self.seen[said.node_id, place.host] = self.now
            told = self.heard.known[said.node_id]
            assert told.announcement == said
            assert {place.host for place in places} <= set(told.addresses)

    @rule(number=st.integers(0, 5))
    def left(self, number: int) -> None:
        self.sightings.left(node(number).node_id)

    @rule(seconds=st.floats(0, SIGHTING_SECONDS))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        for change in self.sightings.forget_old(self.now):
            tell(self.heard, change)

    @invariant()
    def only_what_was_seen_lately_is_known(self) -> None:
        assert len(self.heard.known) == len(self.sightings)
        for node_id, sighting in self.heard.known.items():
            assert sighting.addresses
            assert len(set(sighting.addresses)) == len(sighting.addresses)
            for host in sighting.addresses:
                assert self.now - self.seen[node_id, host] <= SIGHTING_SECONDS


TestSightings = SightingsMachine.TestCase
TestSightings.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None
)


@pytest.mark.parametrize("change", [Sighting(PEER, ("10.0.0.2",)), Gone("1" * 32)])
def test_changes_are_told_to_their_method(change: Sighting | Gone) -> None:
    heard = Heard()
    heard.known["1" * 32] = Sighting(PEER, ())
    tell(heard, change)
    assert heard.known == ({} if isinstance(change, Gone) else {"1" * 32: change})
