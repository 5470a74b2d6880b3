"""Nodes form a cohort on real networks, and lose nothing, whatever happens to them.

All are whole nodes in processes of their own, started as a person or systemd would.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Thread

import pytest

from bench.members import MemberNode
from bench.namespaces import Host, Lan, Network
from edgenode.clock import SystemClock
from edgenode.limits import (
    BUS_CHECK_SECONDS,
    BUS_KEEPALIVE_SECONDS,
    EXCHANGE_SECONDS,
    FEDERATION_SECONDS,
)
from edgenode.security import cohorts
from edgenode.security.identity import make_identity
from edgenode.security.keys import CohortKey
from tests.bus.mosquitto import BINARY
from tests.network.cohort import (
    NAME,
    Cohort,
    add_term,
    ask_all,
    guids,
    has_refused,
    holdings,
    is_complete,
)
from tests.network.conftest import Program, entered_network

Note = Callable[[str, object], None]
NAMES = ("kitchen", "cellar", "attic")
CHANGES = 2000
SENDERS = 8
SLACK = 10.0
"""Seconds that a busy machine may take longer."""

# Knocks at all ports, with a certificate and its key or without, and hears nothing.
PROBES = """
import socket, ssl, sys

def said(connection, question):
    heard = b""
    try:
        connection.sendall(question)
        connection.settimeout(5)
        while piece := connection.recv(4096):
            heard += piece
    except OSError as error:
        if isinstance(error, TimeoutError):
            raise
    return heard

def secured(connection):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(certificate, key)
    return context.wrap_socket(connection)

certificate, key, *addresses = sys.argv[1:]
http = b"GET /edgenode/cohort/key HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n"
mqtt = bytes([0x10, 13]) + b"\\x00\\x04MQTT\\x04\\x02\\x00\\x3c\\x00\\x01x"
for address in addresses:
    for port, question in ((9444, http), (8883, mqtt)):
        for question_of_it in (question, b"rubbish" * 1000):
            with socket.create_connection((address, port), 5) as plain:
                # An alert of TLS is all that anybody may hear.
                heard = said(plain, question_of_it)
                assert heard[:1] in (b"", b"\\x15") and len(heard) <= 7, heard
        with socket.create_connection((address, port), 5) as plain:
            try:
                secure = secured(plain)
            except OSError:
                continue
            with secure:
                heard = said(secure, question)
                assert heard == b"", heard
    for port in (9443, 1883):
        try:
            socket.create_connection((address, port), 5)
        except OSError:
            continue
        raise AssertionError(f"somebody answers at port {port}")
"""


@pytest.fixture
def cohort(network: Network, tmp_path: Path) -> Iterator[Cohort]:
    """A cohort without nodes yet."""
    made = Cohort(network, tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cohort, Lan]]:
    """Three nodes on one network that several tests use in turn; all leave them equal."""
    with entered_network() as network:
        made = Cohort(network, tmp_path_factory.mktemp("lasting"))
        lan = network.lan()
        try:
            made.add_all(lan, *NAMES)
            yield made, lan
        finally:
            made.close()


@pytest.fixture
def three(lasting: tuple[Cohort, Lan]) -> Iterator[Cohort]:
    """Those three, all there and with nothing to catch up with."""
    made, _ = lasting
    made.know_each_other()
    yield made
    made.are_equal()


def test_three_nodes_with_nothing_but_a_token_are_a_cohort_in_seconds(
    cohort: Cohort, record_property: Note
) -> None:
    lan = cohort.network.lan()
    hosts = [cohort.network.host(lan) for _ in NAMES]
    two = [cohort.add(name, host) for name, host in zip(NAMES, hosts[:2], strict=False)]
    cohort.know_each_other()
    shared = cohort.add_terms(two[0], 2)
    # The third comes to a cohort that is there.
    third = cohort.add(NAMES[2], hosts[2])
    cohort.until(
        lambda: all(third_is_known(node, third) for node in two), "the third is known"
    )
    third_term = cohort.add_terms(third, 1)
    cohort.until(
        lambda: all(set(third_term) <= guids(ask_all(node)) for node in two),
        "the third is asked",
    )
    seconds = time.perf_counter() - third.started
    record_property("measured", f"known and queryable after {seconds:.2f} s")
    cohort.know_each_other()
    cohort.hold([*shared, *third_term])
    for node in cohort.nodes:
        answer = ask_all(node)
        assert not answer.missing
        assert guids(answer) == {*shared, *third_term}
    # Each knows the others as what they are.
    for node in cohort.nodes:
        told = {each["serverName"] for each in node.members(NAME).values()}
        assert told == set(NAMES) - {node.name}


def third_is_known(node: MemberNode, third: MemberNode) -> bool:
    return third.name in {each["serverName"] for each in node.members(NAME).values()}


def test_a_node_without_the_key_is_seen_by_nobody_and_gets_nothing(
    three: Cohort, lasting: tuple[Cohort, Lan]
) -> None:
    _, lan = lasting
    held = three.add_terms(three.nodes[0], 1)
    host = three.network.host(lan)
    addresses = [three.host_of(node).address(lan) for node in three.nodes]
    # It knows the cohort's name, and asks each node at its address.
    other = CohortKey.create(NAME, os.urandom)
    stranger = three.add(
        "stranger", host, is_known=False, key=other, settings={"peers": addresses}
    )
    try:
        three.are_up([stranger])
        for node in three.nodes:
            three.until(
                partial(has_refused, node, host.address(lan), "key"),
                f"{node.name} refuses the stranger",
            )
        # Somebody may show the certificate who doesn't look at that of others.
        shown = (stranger.data / "cohort" / name for name in ("node.pem", "node.key"))
        host.run(sys.executable, "-c", PROBES, *map(str, shown), *addresses)
        for node in three.nodes:
            three.until(
                partial(has_refused, node, host.address(lan), "certificate"),
                f"{node.name} refuses the certificate",
            )
        own = three.add_terms(stranger, 1)
        three.hold(held)
        assert stranger.members(NAME) == {}
        assert guids(ask_all(stranger)) == holdings(stranger).keys() == set(own)
        for node in three.nodes:
            assert len(node.members(NAME)) == 2
            assert not set(own) & guids(ask_all(node))
    finally:
        stranger.close()


def test_whoever_has_no_certificate_hears_nothing_at_the_ports_of_the_network(
    three: Cohort, lasting: tuple[Cohort, Lan]
) -> None:
    _, lan = lasting
    host = three.network.host(lan)
    addresses = [three.host_of(node).address(lan) for node in three.nodes]
    host.run(sys.executable, "-c", PROBES, "", "", *addresses)
    for node in three.nodes:
        three.until(
            partial(has_refused, node, host.address(lan), "certificate"),
            f"{node.name} refuses who has no certificate",
        )
    three.know_each_other()


def test_an_insider_who_says_what_it_likes_is_refused_counted_and_survived(
    three: Cohort, lasting: tuple[Cohort, Lan]
) -> None:
    _, lan = lasting
    host = three.network.host(lan)
    pids = [node.process.pid for node in three.nodes]
    insider = Program(
        host,
        "insider.py",
        str(three.directory / "insider"),
        three.key.token,
        host.address(lan),
        three.nodes[0].collection_id,
        *(three.host_of(node).address(lan) for node in three.nodes),
    )
    try:
        insider.wait_for(lambda line: "done" in line)
        told = insider.heard
        assert [line["status"] for line in told if "status" in line] == [200] * 3
        assert [line["subscribed"] for line in told if "subscribed" in line] == [3]
        for line in told:
            assert all(
                status in (0, 400, 413, 415) for status in line.get("refused", ())
            )
        for node in three.nodes:
            for reason in ("code", "malformed", "speaker"):
                three.until(
                    partial(node.figure, "edgenode_refusals_total", reason=reason),
                    f"{node.name} counts what is refused as {reason}",
                )
    finally:
        insider.close()
    added = [guid for node in three.nodes for guid in three.add_terms(node, 2)]
    three.know_each_other()
    three.hold(added)
    assert [node.process.pid for node in three.nodes] == pids
    for node in three.nodes:
        wrong = [line for line in node.log() if line.get("level") == "error"]
        assert not wrong, wrong[:3]


def test_after_a_kill_in_the_middle_of_sending_others_hold_what_the_node_holds(
    three: Cohort, record_property: Note
) -> None:
    sender, *others = three.nodes
    acknowledged: list[str] = []
    numbers = iter(range(CHANGES))

    def send() -> None:
        with sender.calls() as calls, suppress(OSError):
            for number in numbers:
                guid = add_term(calls, f"change {number}")
                acknowledged.append(guid)

    def sending() -> list[Thread]:
        threads = [Thread(target=send) for _ in range(SENDERS)]
        for thread in threads:
            thread.start()
        return threads

    before = len(holdings(others[0]))
    threads = sending()
    three.until(lambda: len(acknowledged) > CHANGES // 4, "a quarter is sent")
    three.until(lambda: len(holdings(others[0])) > before, "some arrived")
    sender.kill()
    for thread in threads:
        thread.join()
    killed_after = len(acknowledged)
    assert killed_after < CHANGES - SENDERS
    for other in others:
        three.until(
            lambda other=other: sender.collection_id in ask_all(other).missing,  # type: ignore[misc]
            "the killed node is named",
        )
    sender.start()
    three.are_up()
    for thread in sending():
        thread.join()
    # What each sender had asked for when the node died may be there or not.
    assert len(acknowledged) >= CHANGES - SENDERS
    sent = time.monotonic()
    held = three.are_equal()
    assert set(acknowledged) <= held.keys()
    assert len(held) - before <= CHANGES
    seconds = time.monotonic() - sent
    record_property(
        "measured",
        f"killed after {killed_after} of {CHANGES} changes, equal {seconds:.1f} s after "
        "the last",
    )


def test_a_pulled_cable_loses_nothing_and_who_is_missing_is_named(
    three: Cohort, record_property: Note
) -> None:
    apart, one, other = three.nodes
    three.host_of(apart).down()
    try:
        added = [*three.add_terms(apart, 20), *three.add_terms(one, 20)]
        asked = time.monotonic()
        answer = ask_all(one, seconds=2)
        seconds = time.monotonic() - asked
        assert answer.missing == {apart.collection_id}
        assert seconds < 4
        assert set(added[20:]) <= guids(answer)
        # The node that is alone names all others, and serves what it has.
        answer = ask_all(apart, seconds=2)
        assert answer.missing == {one.collection_id, other.collection_id}
        assert set(added[:20]) <= guids(answer)
    finally:
        three.host_of(apart).up()
    healed = time.monotonic()
    held = three.are_equal()
    assert set(added) <= held.keys()
    seconds = time.monotonic() - healed
    record_property("measured", f"equal {seconds:.1f} s after the cable was back")


def test_who_is_gone_without_a_word_is_lost_though_nobody_asks(
    cohort: Cohort, record_property: Note
) -> None:
    nodes = cohort.add_all(cohort.network.lan(), *NAMES[:2])
    # The other end of its connections hears neither of an end nor of a fault.
    cohort.host_of(nodes[0]).down()
    pulled = time.monotonic()
    for node in nodes:
        cohort.until(
            lambda node=node: node.figure("edgenode_cohort_nodes", state="lost") == 1,  # type: ignore[misc]
            f"{node.name} has lost the other",
            2 * (BUS_KEEPALIVE_SECONDS + BUS_CHECK_SECONDS) + SLACK,
        )
    seconds = time.monotonic() - pulled
    record_property("measured", f"lost {seconds:.1f} s after the cable was pulled")


def test_a_network_that_was_cut_in_two_comes_to_hold_the_same(
    cohort: Cohort, record_property: Note
) -> None:
    lan = cohort.network.lan()
    nodes = cohort.add_all(lan, *NAMES, "garage")
    first = cohort.add_terms(nodes[0], 5)
    cohort.hold(first)
    halves = nodes[:2], nodes[2:]
    cut_off = [cohort.host_of(node) for node in halves[0]]
    cohort.network.cut(lan, cut_off)
    added = [guid for node in nodes for guid in cohort.add_terms(node, 10)]
    for half in halves:
        cohort.are_equal(half)
        assert len(holdings(half[0])) == 25
    missing = ask_all(nodes[0], seconds=2).missing
    assert missing == {node.collection_id for node in halves[1]}
    cohort.network.heal(lan, cut_off)
    healed = time.monotonic()
    held = cohort.are_equal()
    assert held.keys() == {*first, *added}
    seconds = time.monotonic() - healed
    record_property("measured", f"equal {seconds:.1f} s after the halves were joined")
    cohort.know_each_other()


def test_link_local_addresses_are_enough(cohort: Cohort) -> None:
    lan = cohort.network.lan(four=False, routed_six=False)
    one, other = cohort.add_all(lan, *NAMES[:2])
    added = [*cohort.add_terms(one, 3), *cohort.add_terms(other, 3)]
    cohort.hold(added)
    assert guids(ask_all(one)) == set(added)


def test_members_on_networks_that_one_node_joins_hear_of_each_other_by_it(
    cohort: Cohort, record_property: Note
) -> None:
    left, right = cohort.network.lan(), cohort.network.lan()
    middle = cohort.add("middle", cohort.network.host(left, right))
    on_left = cohort.add("left", cohort.network.host(left))
    on_right = cohort.add("right", cohort.network.host(right))
    cohort.know_each_other([middle, on_left])
    cohort.know_each_other([middle, on_right])
    for node, far in ((on_left, on_right), (on_right, on_left)):
        cohort.until(
            lambda node=node, far=far: far.collection_id in node.members(NAME),  # type: ignore[misc]
            f"{node.name} hears of the other side",
        )
    added = {node.name: cohort.add_terms(node, 3) for node in cohort.nodes}
    assert guids(ask_all(middle)) == {guid for some in added.values() for guid in some}
    assert is_complete(middle)
    # No way leads to the other side: that is said, and soon.
    asked = time.monotonic()
    answer = ask_all(on_left)
    seconds = time.monotonic() - asked
    assert answer.missing == {on_right.collection_id}
    assert guids(answer) >= {*added["left"], *added["middle"]}
    assert seconds < FEDERATION_SECONDS
    record_property("measured", f"an unreachable member is named in {seconds:.2f} s")


def test_without_multicast_one_static_peer_makes_all_known(cohort: Cohort) -> None:
    lan = cohort.network.lan(six=False)
    hosts = [cohort.network.host(lan) for _ in NAMES]
    for host in hosts:
        host.block_multicast()
    cohort.add(NAMES[0], hosts[0])
    peers = [hosts[0].address(lan)]
    for name, host in zip(NAMES[1:], hosts[1:], strict=True):
        cohort.add(name, host, settings={"peers": peers})
    cohort.know_each_other()
    added = [guid for node in cohort.nodes for guid in cohort.add_terms(node, 2)]
    cohort.hold(added)


def test_beside_avahi_and_with_an_interface_that_comes_later(
    cohort: Cohort, run_avahi: Callable[[Host], None], record_property: Note
) -> None:
    lan = cohort.network.lan()
    beside, late = cohort.network.host(lan), cohort.network.host()
    run_avahi(beside)
    first = cohort.add("first", beside)
    second = cohort.add("second", late)
    cohort.are_up()
    own = cohort.add_terms(second, 1)
    assert not first.members(NAME)
    late.plug(lan)
    plugged = time.monotonic()
    cohort.know_each_other()
    seconds = time.monotonic() - plugged
    record_property("measured", f"known {seconds:.1f} s after the interface came")
    cohort.hold([*own, *cohort.add_terms(first, 1)])


def test_a_broker_of_all_that_is_killed_and_comes_back_loses_nothing(
    cohort: Cohort, record_property: Note
) -> None:
    if BINARY is None:
        pytest.skip("mosquitto is not installed")
    lan = cohort.network.lan()
    host = cohort.network.host(lan)
    configuration = cohort.directory / "mosquitto.conf"
    configuration.write_text("listener 1883 0.0.0.0\nallow_anonymous true\nuser root\n")
    command = (BINARY, "-c", str(configuration))
    broker = host.popen(*command, stderr=subprocess.DEVNULL)
    nodes = cohort.add_all(lan, *NAMES, settings={"bus": f"mqtt://{host.address(lan)}"})
    for node in nodes:
        cohort.until(
            lambda node=node: node.figure("edgenode_bus_links") == 1,  # type: ignore[misc]
            f"{node.name} is at the broker",
        )
    added = cohort.add_terms(nodes[0], 10)
    cohort.hold(added)
    for node in nodes:
        assert node.figure("edgenode_bus_received_total") > 0
    broker.kill()
    broker.wait()
    for node in nodes:
        added += cohort.add_terms(node, 10)
    host.popen(*command, stderr=subprocess.DEVNULL)
    started = time.monotonic()
    for node in nodes:
        cohort.until(
            lambda node=node: node.figure("edgenode_bus_links") == 1,  # type: ignore[misc]
            f"{node.name} is at the broker again",
        )
    held = cohort.are_equal()
    assert held.keys() == set(added)
    seconds = time.monotonic() - started
    assert seconds < EXCHANGE_SECONDS / 2  # not only by what nodes say now and then
    record_property("measured", f"equal {seconds:.1f} s after the broker was back")


def test_a_node_whose_clock_stands_at_1970_joins_and_shares(cohort: Cohort) -> None:
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not libraries:
        pytest.skip("faketime is not installed")
    lan = cohort.network.lan()
    cohort.add("clock", cohort.network.host(lan))
    without = cohort.make("none", cohort.network.host(lan))
    # Not under faketime, because programs that it runs at times don't start others.
    identity = without.data / "cohort"
    keyed = cohorts.Cohort(key=cohort.key)
    make_identity(identity, keyed, SystemClock().now())
    without.start(
        "env",
        f"LD_PRELOAD={libraries[0]}",
        "FAKETIME=@1970-01-01 00:00:10",
        "FAKETIME_DONT_FAKE_MONOTONIC=1",
    )
    cohort.know_each_other()
    added = [guid for node in cohort.nodes for guid in cohort.add_terms(node, 3)]
    cohort.hold(added)
    assert without.log()[0]["time"].startswith("1970")
