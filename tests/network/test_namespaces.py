"""The networks that tests are run on are what they say, and nothing of them stays."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.namespaces import Host, NamespacesError, Network
from tests.conftest import ROOT
from tests.network.conftest import PATIENCE

SEND = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
with socket.socket(family, socket.SOCK_DGRAM) as sent:
    sent.sendto(sys.argv[2].encode(), (sys.argv[1], 99))
"""
RUNS_ON = """
import sys
from bench.namespaces import Network
with Network() as network:
    host = network.host(network.lan())
    program = host.popen("sleep", "1000")
    print(network.hub.pid, host.pid, program.pid, flush=True)
    sys.stdin.read()
"""


def reaches(host: Host, address: str) -> bool:
    """Whether a host has a neighbour at an address; one packet makes it look."""
    for _ in range(50):
        host.run(sys.executable, "-c", SEND, address, "x")
        said = host.run("ip", "neigh", "show", "to", address)
        if "REACHABLE" in said or "STALE" in said or "DELAY" in said:
            return True
        if "FAILED" in said:
            return False
    return False


def test_hosts_have_the_addresses_of_their_networks(network: Network) -> None:
    dual, four = network.lan(), network.lan(six=False)
    link_local = network.lan(four=False, routed_six=False)
    host = network.host(dual, four, link_local)

    def shown(interface: str) -> str:
        return host.run("ip", "-o", "addr", "show", interface)

    assert host.address(dual) in shown("eth0")
    assert host.address(dual, six=True) in shown("eth0")
    assert "fe80::" in shown("eth0")
    assert host.address(four) in shown("eth1")
    assert "inet6" not in shown("eth1")
    assert "inet " not in shown("eth2")
    assert shown("eth2").count("inet6") == 1


def test_networks_are_apart_and_can_be_cut_and_healed(network: Network) -> None:
    lan, other_lan = network.lan(), network.lan()
    one, other, third = network.host(lan), network.host(lan), network.host(lan)
    foreign = network.host(other_lan)
    assert reaches(one, other.address(lan))
    assert reaches(one, other.address(lan, six=True))
    network.cut(lan, [one, third])
    for host in (one, other, third):
        host.run("ip", "neigh", "flush", "all")
    assert reaches(one, third.address(lan))
    assert not reaches(one, other.address(lan))
    network.heal(lan, [one, third])
    one.run("ip", "neigh", "flush", "all")
    assert reaches(one, other.address(lan))
    with pytest.raises(NamespacesError, match="unreachable"):
        foreign.run(sys.executable, "-c", SEND, one.address(lan), "x")


def test_a_command_that_fails_says_why(network: Network) -> None:
    host = network.host()
    with pytest.raises(NamespacesError, match="no such thing"):
        host.run("sh", "-c", "echo no such thing >&2; exit 3")


@pytest.mark.usefixtures("network")  # skips where there are no namespaces
def test_nothing_is_left_of_a_network_whose_program_was_killed() -> None:
    program = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", RUNS_ON],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with program:
        assert program.stdout is not None
        left = [int(pid) for pid in program.stdout.readline().split()]
        assert len(left) == 3
        program.kill()
    deadline = time.monotonic() + PATIENCE
    while any(is_running(pid) for pid in left):
        assert time.monotonic() < deadline


def is_running(pid: int) -> bool:
    """Whether a process goes on; one that only waits to be collected doesn't."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
