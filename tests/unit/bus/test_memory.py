"""The bus in memory: what is told when, and that nothing happens by itself."""

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.bus.base import BusStatistics, Message
from edgenode.bus.memory import MemoryBus, MemoryNetwork


@dataclass
class Notes:
    """Writes down what is told."""

    heard: list[tuple[str, object]] = field(default_factory=list)

    def received(self, message: Message, link: str | None) -> None:
        self.heard.append((link or "", message.payload))

    def linked(self, node_id: str) -> None:
        self.heard.append((node_id, True))

    def unlinked(self, node_id: str) -> None:
        self.heard.append((node_id, False))

    def taken(self) -> list[tuple[str, object]]:
        heard, self.heard = self.heard, []
        return heard


class Nodes:
    """Some nodes that are all linked to each other."""

    def __init__(self, names: str) -> None:
        self.network = MemoryNetwork()
        self.notes = {name: Notes() for name in names}
        self.buses: dict[str, MemoryBus] = {}
        for name in names:
            self.start(name)

    def start(self, name: str) -> None:
        bus = self.network.bus(name, Message(f"lost/{name}", b"lost " + name.encode()))
        self.buses[name] = bus
        bus.link(dict.fromkeys(self.notes, ()))
        bus.start(self.notes[name])

    def quiet(self) -> "Nodes":
        self.network.deliver_all()
        for notes in self.notes.values():
            notes.taken()
        return self


def test_nothing_is_heard_before_it_is_let_happen() -> None:
    nodes = Nodes("ab")
    nodes.buses["a"].publish(Message("t", b"1"))
    assert nodes.notes["b"].heard == []
    nodes.network.deliver_all()
    assert nodes.notes["b"].heard == [("a", True), ("a", b"1")]
    assert nodes.notes["a"].heard == [("b", True)]


def test_what_is_retained_is_given_to_who_comes_later() -> None:
    nodes = Nodes("ab").quiet()
    nodes.buses["a"].publish(Message("t", b"1", retained=True))
    nodes.buses["a"].publish(Message("t", b"2", retained=True))
    nodes.buses["a"].publish(Message("u", b"3", retained=True))
    nodes.buses["a"].publish(Message("u", b"", retained=True))
    nodes.quiet()
    nodes.start("b")
    nodes.network.deliver_all()
    assert nodes.notes["b"].heard == [("a", True), ("a", b"2")]


def test_parted_nodes_hear_of_it_and_lose_what_was_under_way() -> None:
    nodes = Nodes("ab").quiet()
    nodes.buses["a"].publish(Message("t", b"1"))
    nodes.network.part("a", "b")
    assert not nodes.network.is_reachable("b", "a")
    nodes.network.deliver_all()
    nodes.buses["a"].publish(Message("t", b"2"))
    nodes.network.deliver_all()
    assert nodes.notes["b"].taken() == [("a", False), ("a", False)]
    nodes.network.join("b", "a")
    nodes.buses["a"].publish(Message("t", b"3"))
    nodes.network.deliver_all()
    assert nodes.notes["b"].taken() == [("a", True), ("a", b"3")]


def test_the_last_will_of_a_node_that_stops_is_published_by_its_neighbours() -> None:
    nodes = Nodes("abc").quiet()
    nodes.buses["c"].stop()
    nodes.network.deliver_all()
    assert ("b", b"lost c") in nodes.notes["a"].heard
    assert ("a", b"lost c") in nodes.notes["b"].heard
    assert nodes.notes["c"].heard == []


def test_who_is_no_neighbour_any_more_leaves_without_a_will() -> None:
    nodes = Nodes("abc").quiet()
    nodes.buses["c"].link({})
    nodes.network.deliver_all()
    # b and c stay linked to a's and c's brokers; c's own links are gone.
    assert all(what is False for _, what in nodes.notes["a"].heard)


def test_a_paused_node_hears_later_what_happened_meanwhile() -> None:
    nodes = Nodes("ab").quiet()
    nodes.network.pause("b")
    nodes.buses["a"].publish(Message("t", b"1"))
    nodes.buses["b"].publish(Message("t", b"2"))
    assert nodes.network.deliver_all() == 0
    nodes.network.resume("b")
    nodes.network.deliver_all()
    assert nodes.notes["b"].heard == [("a", b"1")]
    assert nodes.notes["a"].heard == [("b", b"2")]


def test_messages_can_be_lost_repeated_and_come_in_another_order() -> None:
    nodes = Nodes("ab").quiet()
    for payload in (b"1", b"2", b"3"):
        nodes.buses["a"].publish(Message("t", payload))
    nodes.network.repeat(0)
    nodes.network.lose(1)
    nodes.network.deliver(1)
    nodes.network.deliver_all()
    assert [what for _, what in nodes.notes["b"].heard] == [b"3", b"1", b"1"]


@given(st.lists(st.tuples(st.sampled_from("plj"), st.integers(0, 20)), max_size=30))
def test_changes_of_a_connection_are_never_lost_and_come_in_order(
    steps: list[tuple[str, int]],
) -> None:
    nodes = Nodes("ab")
    for step, number in steps:
        if step == "p":
            nodes.network.part("a", "b")
        elif step == "j":
            nodes.network.join_all()
        elif nodes.network.pending:
            index = number % len(nodes.network.pending)
            nodes.network.lose(index)
            nodes.network.deliver(index)
    nodes.network.join_all()
    nodes.network.deliver_all()
    for name, other in ("ab", "ba"):
        told = [what for who, what in nodes.notes[name].heard if who == other]
        ups = [what for what in told if what is True]
        assert told[0] is True
        assert told[-1] is True
        # Both directions between them break together.
        assert told.count(False) == 2 * (len(ups) - 1)


def test_who_never_comes_to_rest_is_found() -> None:
    nodes = Nodes("ab").quiet()

    class Echo(Notes):
        def received(self, message: Message, link: str | None) -> None:
            nodes.buses["b"].publish(message)

    nodes.buses["a"].start(nodes.notes["a"])
    echoing = nodes.network.bus("b")
    nodes.buses["b"] = echoing
    echoing.link({"a": ()})
    echoing.start(Echo())
    again = nodes.network.bus("a")
    nodes.buses["a"] = again
    again.link({"b": ()})

    class Answer(Notes):
        def received(self, message: Message, link: str | None) -> None:
            again.publish(message)

    again.start(Answer())
    nodes.network.deliver_all()
    again.publish(Message("t", b"1"))
    with pytest.raises(RuntimeError, match="more than 50"):
        nodes.network.deliver_all(50)


async def test_it_runs_until_cancelled_and_counts() -> None:
    nodes = Nodes("ab").quiet()
    bus = nodes.network.bus("c")
    bus.link({"a": ()})
    notes = Notes()
    running = asyncio.create_task(bus.run(notes))
    await asyncio.sleep(0)
    nodes.buses["a"].publish(Message("t", b"12"))
    nodes.network.deliver_all()
    assert notes.heard == [("a", True), ("a", b"12")]
    assert bus.statistics() == BusStatistics(received=1, received_bytes=2, links=1)
    assert nodes.buses["a"].statistics().peers == 2
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert not bus.is_running
    assert nodes.buses["a"].statistics().peers == 1
