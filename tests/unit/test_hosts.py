"""What is a host, and which hosts are numeric."""

import socket

import pytest

from edgenode.hosts import is_host, is_numeric, socket_address

NUMERIC = ["192.0.2.1", "::", "::1", "fe80::1%eth0", "fe80::1%br-a.1", "fe80::1%7"]
NAMES = ["a", "a_b.local", "a.b.", "7.local", "4a", "a" * 63]
NONE = [
    "", ".", "-", "a" * 300, "a" * 64, "a..b", ".a", "-a", "a\0b", "a b", "a\n",
    "\u2488com", "300.1.1.1", "1.2", "1.2.3.4%eth0", "1.2.3.4.", "fe80::1%", "a%eth0",
    "fe80::1%a\0", "fe80::1%a/b", "fe80::1%a%b", "fe80::1%" + "9" * 20, "a:b", "[::1]",
]  # fmt: skip


@pytest.mark.parametrize("host", NUMERIC)
def test_addresses(host: str) -> None:
    assert is_host(host)
    assert is_numeric(host)


@pytest.mark.parametrize("host", NAMES)
def test_names(host: str) -> None:
    assert is_host(host)
    assert not is_numeric(host)


@pytest.mark.parametrize("host", NONE)
def test_what_is_no_host(host: str) -> None:
    assert not is_host(host)
    assert not is_numeric(host)


def test_a_scope_is_kept() -> None:
    index = socket.if_nametoindex("lo")
    six = socket.AF_INET6
    assert socket_address("fe80::1%lo", 5) == (six, ("fe80::1", 5, 0, index))
    assert socket_address("fe80::1%7", 5) == (six, ("fe80::1", 5, 0, 7))
    assert socket_address("::1", 5) == (six, ("::1", 5, 0, 0))
    assert socket_address("127.0.0.1", 5) == (socket.AF_INET, ("127.0.0.1", 5))
    with pytest.raises(OSError, match="interface"):
        socket_address("fe80::1%nowhere", 5)
    with pytest.raises(ValueError, match=r"node\.local"):
        socket_address("node.local", 5)
