"""Addresses of this machine and of others: what is announced, and what is tried."""

import os
import socket
from ipaddress import ip_interface

from edgenode.discovery.links import Link, messages, usable_links
from edgenode.discovery.mdns import announced_addresses, places, socket_addresses
from edgenode.discovery.sightings import Place
from edgenode.limits import MAX_ANNOUNCED_ADDRESSES


def link(index: int, *addresses: str) -> Link:
    return Link(index, f"eth{index}", tuple(map(ip_interface, addresses)))


FIRST = link(0, "10.0.0.1/24", "fd00::1/64", "fe80::1/64")
SECOND = link(1, "10.1.0.1/24", "fe80::1:1/64")


def test_of_each_family_one_address_is_sent_from_the_link_local_one() -> None:
    assert socket_addresses(FIRST) == ["10.0.0.1", "fe80::1"]
    assert socket_addresses(link(0, "fd00::1/64")) == ["fd00::1"]


def test_all_addresses_are_announced() -> None:
    assert set(announced_addresses([FIRST, SECOND])) == {
        "10.0.0.1",
        "fd00::1",
        "fe80::1",
        "10.1.0.1",
        "fe80::1:1",
    }


def test_where_they_are_too_many_each_interface_keeps_some() -> None:
    many = link(0, *(f"10.0.0.{number}/24" for number in range(1, 100)))
    announced = announced_addresses([many, SECOND])
    assert len(announced) == MAX_ANNOUNCED_ADDRESSES
    assert {"10.0.0.1", "10.1.0.1", "fe80::1:1"} <= set(announced)


def test_addresses_are_placed_on_the_interface_that_leads_there() -> None:
    hosts = ["10.0.0.2", "10.1.0.2", "fd00::2", "192.0.2.1", "169.254.1.1"]
    assert set(places(hosts, [FIRST, SECOND])) == {
        Place("10.0.0.2", "eth0"),
        Place("10.1.0.2", "eth1"),
        Place("fd00::2", "eth0"),
        Place("192.0.2.1", ""),
        Place("169.254.1.1", ""),
    }


def test_a_link_local_address_is_placed_first_where_it_was_heard() -> None:
    assert places(["fe80::2%1"], [FIRST, SECOND]) == [
        Place("fe80::2%eth1", "eth1"),
        Place("fe80::2%eth0", "eth0"),
    ]
    assert places(["fe80::2"], [FIRST]) == [Place("fe80::2%eth0", "eth0")]
    assert places(["fe80::2%9"], []) == []


def test_addresses_that_lead_nowhere_are_left_out() -> None:
    nowhere = ["127.0.0.1", "::1", "0.0.0.0", "::", "224.0.0.1", "ff02::1"]  # noqa: S104
    nowhere += ["255.255.255.255", "::ffff:10.0.0.2", "ff02::1%1"]
    own = ["10.0.0.1", "10.1.0.1", "fe80::1%0", "fe80::1%1"]
    assert places([*nowhere, *own], [FIRST, SECOND]) == []


def test_the_kernel_tells_of_interfaces_but_not_of_the_loopback_one() -> None:
    names = {name for _, name in socket.if_nameindex()}
    for found in usable_links():
        assert found.name in names - {"lo"}
        assert socket.if_nametoindex(found.name) == found.index
        assert not any(address.ip.is_loopback for address in found.addresses)
    assert usable_links(["no such interface"]) == ()


def test_messages_of_the_kernel_end_where_they_say_and_never_go_on_for_ever() -> None:
    for size in range(64):
        assert len(list(messages(bytes(size)))) <= size // 16
        list(messages(os.urandom(size)))
