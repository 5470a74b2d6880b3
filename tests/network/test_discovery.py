"""Nodes find each other by multicast DNS, as real processes on several hosts."""

import sys
import time
from collections.abc import Callable

import pytest

from bench.namespaces import Host, Network
from tests.network.conftest import PATIENCE, Run, Start

CONNECT = """
import asyncio, sys
async def connect():
    _, writer = await asyncio.open_connection(sys.argv[1], 9444)
    writer.close()
asyncio.run(connect())
"""


def connect(host: Host, address: str) -> None:
    """Fail if nobody answers at an address."""
    host.run(sys.executable, "-c", CONNECT, address)


def wait_until(holds: Callable[[], bool]) -> None:
    """Look again and again, which takes its time, until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline


def test_two_nodes_find_each_other_at_all_their_addresses(
    network: Network, start: Start
) -> None:
    lan = network.lan()
    one_host, other_host = network.host(lan), network.host(lan)
    one, other = start(one_host, "a"), start(other_host, "b")
    four, six = other_host.address(lan), other_host.address(lan, six=True)
    addresses = one.sees(other, four, six)
    assert len(addresses) == 3
    assert addresses[2].startswith("fe80::")
    other.sees(one, one_host.address(lan))
    for address in addresses:
        connect(one_host, address)


def test_a_sighting_says_name_and_ports(network: Network, start: Start) -> None:
    lan = network.lan(six=False)
    one, other = start(network.host(lan), "a"), start(network.host(lan), "b")
    line = one.wait_for(lambda line: line.get("seen") == other.node_id)
    assert line["name"] == "node bbbb"
    assert line["ports"] == [9444, 1883]


def test_with_link_local_addresses_alone_the_scope_makes_them_usable(
    network: Network, start: Start
) -> None:
    lan = network.lan(four=False, routed_six=False)
    one_host = network.host(lan)
    one, other = start(one_host, "a"), start(network.host(lan), "b")
    (address,) = one.sees(other)
    assert address.startswith("fe80::")
    assert address.endswith("%eth0")
    connect(one_host, address)


def test_a_node_on_two_networks_finds_and_is_found_on_both(
    network: Network, start: Start
) -> None:
    left, right = network.lan(), network.lan(six=False)
    middle_host = network.host(left, right)
    left_host, right_host = network.host(left), network.host(right)
    middle = start(middle_host, "a")
    on_left, on_right = start(left_host, "b"), start(right_host, "c")
    middle.sees(on_left, left_host.address(left))
    middle.sees(on_right, right_host.address(right))
    # Its addresses on the other network are known, but come last.
    assert on_right.sees(middle, middle_host.address(right))[0] == middle_host.address(
        right
    )
    first = on_left.sees(middle, middle_host.address(left))[:2]
    assert set(first) == {
        middle_host.address(left),
        middle_host.address(left, six=True),
    }


def test_a_link_local_address_of_a_node_on_two_networks_is_tried_on_each(
    network: Network, start: Start
) -> None:
    left, right = (network.lan(four=False, routed_six=False) for _ in range(2))
    one_host = network.host(left, right)
    one, other = start(one_host, "a"), start(network.host(left, right), "b")
    addresses = one.wait_for(lambda line: len(line.get("addresses", ())) == 4)
    scopes = {address.partition("%")[2] for address in addresses["addresses"]}
    assert scopes == {"eth0", "eth1"}
    assert addresses["seen"] == other.node_id


def test_a_node_starts_without_a_network_and_finds_one_later(
    network: Network, start: Start
) -> None:
    lan = network.lan()
    late_host, host = network.host(), network.host(lan)
    late, node = start(late_host, "a"), start(host, "b")
    late_host.plug(lan)
    late.sees(node, host.address(lan))
    node.sees(late, late_host.address(lan))


def test_a_second_interface_is_used_when_it_comes(
    network: Network, start: Start
) -> None:
    left, right = network.lan(), network.lan()
    host, left_host, right_host = (
        network.host(left),
        network.host(left),
        network.host(right),
    )
    node, on_left, on_right = (
        start(host, "a"),
        start(left_host, "b"),
        start(right_host, "c"),
    )
    node.sees(on_left, left_host.address(left))
    host.plug(right)
    node.sees(on_right, right_host.address(right))
    on_right.sees(node, host.address(right))
    # Who knew the node before hears of its new address, too.
    on_left.sees(node, host.address(left), host.address(right))


def test_an_interface_that_is_plugged_in_again_is_used_again(
    network: Network, start: Start
) -> None:
    lan = network.lan(six=False)
    host, other_host = network.host(lan), network.host(lan)
    node, other = start(host, "a"), start(other_host, "b")
    node.sees(other)
    before = host.run("ip", "-o", "link", "show", "eth0")
    host.unplug()
    host.plug(lan, 0)
    after = host.run("ip", "-o", "link", "show", "eth0")
    assert before.partition(":")[0] != after.partition(":")[0]  # the kernel's numbers
    third = start(network.host(lan), "c")
    node.sees(third)
    third.sees(node, host.address(lan))


@pytest.mark.parametrize("six", [False, True], ids=["IPv4", "link-local IPv6"])
def test_after_its_cable_was_out_a_node_finds_who_came_meanwhile(
    network: Network, start: Start, six: bool
) -> None:
    lan = network.lan(four=not six, six=six, routed_six=False)
    host = network.host(lan)
    node, other = start(host, "a"), start(network.host(lan), "b")
    node.sees(other)
    host.down()
    newcomer = start(network.host(lan), "c")
    newcomer.sees(other)
    host.up()
    node.sees(newcomer)
    newcomer.sees(node)


def test_a_node_that_is_on_a_network_again_asks_for_the_others(
    network: Network, start: Start, run: Run
) -> None:
    lan = network.lan(six=False)
    host, listening_host = network.host(lan), network.host(lan)
    listening = run(listening_host, "eavesdropper.py", listening_host.address(lan))
    start(host, "a")
    listening.wait_for(lambda line: line.get("directly"))  # so begin only the first
    host.down()
    wait_until(lambda: host.address(lan) not in host.run("ss", "-Hlun"))
    host.up()
    listening.wait_for(lambda line: line.get("directly"))


def test_a_node_announces_itself_again_and_again(
    network: Network, start: Start, run: Run
) -> None:
    lan = network.lan(six=False)
    listening_host = network.host(lan)
    listening = run(listening_host, "eavesdropper.py", listening_host.address(lan))
    start(network.host(lan), "a", "--announce", "0.5")
    for _ in range(6):  # three of them are those of the start
        listening.wait_for(lambda line: line.get("answers"))


def test_a_node_that_is_there_is_told_again_and_again(
    network: Network, start: Start
) -> None:
    lan = network.lan()
    hosts = [network.host(lan) for _ in range(2)]
    one, other = start(hosts[0], "a", "--announce", "0.5"), start(hosts[1], "b")
    for _ in range(5):
        one.sees(other, hosts[1].address(lan))
        one.heard.clear()


def test_nodes_that_a_switch_kept_apart_find_each_other_without_a_change_of_links(
    network: Network, start: Start
) -> None:
    lan = network.lan()
    hosts = [network.host(lan) for _ in range(2)]
    network.cut(lan, hosts[:1])
    one, other = start(hosts[0], "a", "--announce", "1"), start(hosts[1], "b")
    network.heal(lan, hosts[:1])
    other.sees(one, hosts[0].address(lan))


def test_a_node_that_comes_back_is_told_again(network: Network, start: Start) -> None:
    lan = network.lan()
    hosts = [network.host(lan) for _ in range(2)]
    one, other = start(hosts[0], "a"), start(hosts[1], "b")
    known = one.sees(other, hosts[1].address(lan), hosts[1].address(lan, six=True))
    other.stop()
    one.heard.clear()
    again = start(hosts[1], "b")
    assert sorted(one.sees(again)) == sorted(known)


def test_a_crash_or_goodbye_makes_no_node_gone(network: Network, start: Start) -> None:
    lan = network.lan()
    watching = start(network.host(lan), "a")
    leaving, crashing = start(network.host(lan), "b"), start(network.host(lan), "c")
    watching.sees(leaving)
    watching.sees(crashing)
    leaving.stop()
    crashing.crash()
    start(network.host(lan), "d")
    line = watching.wait_for(
        lambda line: line.get("seen") == "d" * 32 or "gone" in line
    )
    assert "gone" not in line


def test_nodes_of_other_cohorts_are_counted_and_nothing_else(
    network: Network, start: Start
) -> None:
    lan = network.lan()
    one = start(network.host(lan), "a")
    stranger = start(network.host(lan), "b", "--tag", "fedcba9876543210")
    friend = start(network.host(lan), "c")
    line = one.wait_for(lambda line: "seen" in line)
    assert line["seen"] == friend.node_id
    friend.sees(one)
    assert stranger.stop()["other_cohorts"] > 0
    assert one.stop()["other_cohorts"] > 0


def test_rubbish_and_odd_announcements_keep_no_nodes_from_finding_each_other(
    network: Network, start: Start, run: Run
) -> None:
    lan = network.lan()
    odd_host, friend_host = network.host(lan), network.host(lan)
    run(odd_host, "odd_responder.py", odd_host.address(lan), "e" * 32)
    one = start(network.host(lan), "a")
    # Of this one only the name was announced; one had to ask for the rest.
    line = one.wait_for(lambda line: "seen" in line)
    assert line["seen"] == "e" * 32
    friend = start(friend_host, "b")
    one.sees(friend, friend_host.address(lan))
    friend.sees(one)
    told = one.stop()
    assert told["malformed"] > 0
    assert told["other_protocols"] > 0
    assert set(one.seen) == {"e" * 32, friend.node_id}


def test_interfaces_that_are_not_to_be_used_stay_silent(
    network: Network, start: Start
) -> None:
    left, right = network.lan(), network.lan()
    host = network.host(left, right)
    left_host, right_host = network.host(left), network.host(right)
    node = start(host, "a", "--interface", "eth1")
    on_left, on_right = start(left_host, "b"), start(right_host, "c")
    addresses = on_right.sees(node)
    assert host.address(left) not in addresses
    node.sees(on_right)
    left_watch = start(network.host(left), "d")
    line = left_watch.wait_for(lambda line: "seen" in line)
    assert line["seen"] == on_left.node_id


def test_beside_an_avahi_that_was_there_first(
    network: Network, start: Start, run_avahi: Callable[[Host], None]
) -> None:
    lan = network.lan()
    hosts = [network.host(lan) for _ in range(2)]
    for host in hosts:
        run_avahi(host)
    one, other = start(hosts[0], "a"), start(hosts[1], "b")
    one.sees(other, hosts[1].address(lan))
    other.sees(one, hosts[0].address(lan))


def test_beside_an_avahi_that_comes_later(
    network: Network, start: Start, run_avahi: Callable[[Host], None]
) -> None:
    lan = network.lan()
    hosts = [network.host(lan) for _ in range(2)]
    one = start(hosts[0], "a")
    run_avahi(hosts[0])
    other = start(hosts[1], "b")
    one.sees(other, hosts[1].address(lan))
    other.sees(one, hosts[0].address(lan))


def test_where_multicast_is_blocked_nodes_are_not_found_but_reached(
    network: Network, start: Start
) -> None:
    lan = network.lan(six=False)
    one_host, other_host, third_host = (network.host(lan) for _ in range(3))
    one_host.block_multicast()
    other_host.block_multicast()
    third = start(third_host, "c")  # hears them, and answers each directly
    one, other = start(one_host, "a"), start(other_host, "b")
    third.sees(one)
    third.sees(other)
    connect(one_host, other_host.address(lan))
    one.stop()
    assert {line.get("seen") for line in one.heard} <= {None, third.node_id}


def test_no_socket_stays_open_where_there_is_no_time_for_a_goodbye(
    network: Network, start: Start
) -> None:
    lan = network.lan()
    one = start(network.host(lan), "a", "--goodbye", "0")
    one.sees(start(network.host(lan), "b"))
    assert one.stop()["open_sockets"] == 0
