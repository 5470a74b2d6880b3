"""The interfaces of this machine that lead to a local network, and their addresses.

They are asked of the kernel over netlink (rtnetlink(7)), which also says when something
changed, and which addresses can't be used yet or not for long. Linux only.
"""

import asyncio
import os
import socket
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from typing import Self

Interface = IPv4Interface | IPv6Interface

_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_LINK = struct.Struct("=BxHiII")  # family, hardware, index, flags, change
_ADDRESS = struct.Struct("=BBBBI")  # family, prefix, flags, scope, index
_ATTRIBUTE = struct.Struct("=HH")  # length, type

_ERROR, _DONE = 2, 3
_NEW_LINK, _GET_LINK, _NEW_ADDRESS, _GET_ADDRESS = 16, 18, 20, 22
_REQUEST_DUMP = 0x301
_LINK_NAME, _ADDRESS_OF_PEER, _ADDRESS_LOCAL, _ADDRESS_FLAGS = 3, 1, 2, 8

_UP, _LOOPBACK, _RUNNING, _MULTICAST = 0x1, 0x8, 0x40, 0x1000
# Temporary, failed as a duplicate, deprecated, not yet checked for duplicates.
_UNSTEADY = 0x01 | 0x08 | 0x20 | 0x40

_GROUPS = 0x1 | 0x10 | 0x100  # links, IPv4 addresses, IPv6 addresses
_LARGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Link:
    """One interface that is up, can multicast, and has addresses.

    Attributes:
        index: The kernel's number for it, another one when it was plugged in again.
        name: Its name.
        addresses: Its addresses with their networks, as the kernel orders them.
    """

    index: int
    name: str
    addresses: tuple[Interface, ...]


class LinkWatch:
    """Tells when something about the machine's interfaces has changed."""

    def __init__(self) -> None:
        self._socket = _netlink(_GROUPS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    async def changed(self) -> None:
        """Wait for the next change."""
        try:
            await asyncio.get_running_loop().sock_recv(self._socket, _LARGEST)
        except OSError:  # too many changes at a time: some weren't told
            return

    def forget(self) -> None:
        """Let go of the changes so far."""
        try:
            while self._socket.recv(_LARGEST):
                pass
        except OSError:  # nothing is left
            return


def missing_interfaces(names: Iterable[str]) -> tuple[str, ...]:
    """Those of some names that no interface of this machine has now."""
    present = {name for _, name in socket.if_nameindex()}
    return tuple(name for name in names if name not in present)


def usable_links(only: Iterable[str] = ()) -> tuple[Link, ...]:
    """The interfaces that are usable now.

    Args:
        only: The names of those to be used; all where there are none.

    Raises:
        OSError: The kernel doesn't answer.
    """
    names = frozenset(only)
    links = {
        index: name
        for index, name, flags in map(_read_link, _dump(_GET_LINK, _NEW_LINK))
        if _is_usable(flags) and (not names or name in names)
    }
    addresses: dict[int, list[Interface]] = {index: [] for index in links}
    for index, flags, address in map(_read_address, _dump(_GET_ADDRESS, _NEW_ADDRESS)):
        if index in addresses and address is not None and not flags & _UNSTEADY:
            addresses[index].append(address)
    return tuple(
        Link(index, name, tuple(addresses[index]))
        for index, name in sorted(links.items())
        if addresses[index]
    )


def _is_usable(flags: int) -> bool:
    wanted = _UP | _RUNNING | _MULTICAST
    return flags & (wanted | _LOOPBACK) == wanted


def _netlink(groups: int) -> socket.socket:
    kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    made = socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE)
    try:
        made.bind((0, groups))
    except OSError:
        made.close()
        raise
    return made


def _dump(question: int, answer: int) -> Iterator[bytes]:
    """The kernel's answers to a question; they are there at once."""
    request = _HEADER.pack(_HEADER.size + 8, question, _REQUEST_DUMP, 1, 0) + bytes(8)
    with _netlink(0) as asked:
        asked.send(request)
        while True:
            for kind, body in messages(asked.recv(_LARGEST)):
                if kind == answer:
                    yield body
                elif kind == _ERROR:
                    number = -struct.unpack_from("=i", body)[0]
                    raise OSError(number, os.strerror(number))
                elif kind == _DONE:
                    return


def messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The netlink messages in a packet: type and body of each."""
    while len(data) >= _HEADER.size:
        length, kind, *_ = _HEADER.unpack_from(data)
        yield kind, data[_HEADER.size : length]
        data = data[max(_aligned(length), _HEADER.size) :]


def _attributes(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        found[kind] = data[_ATTRIBUTE.size : length]
        data = data[max(_aligned(length), _ATTRIBUTE.size) :]
    return found


def _aligned(length: int) -> int:
    return (length + 3) & ~3


def _read_link(body: bytes) -> tuple[int, str, int]:
    """Index, name and flags of an interface."""
    _, _, index, flags, _ = _LINK.unpack_from(body)
    name = _attributes(body[_LINK.size :])[_LINK_NAME]
    return index, os.fsdecode(name.rstrip(b"\0")), flags


def _read_address(body: bytes) -> tuple[int, int, Interface | None]:
    """Index of its interface, flags, and the address with its network."""
    _, prefix, flags, _, index = _ADDRESS.unpack_from(body)
    found = _attributes(body[_ADDRESS.size :])
    if _ADDRESS_FLAGS in found:
        (flags,) = struct.unpack("=I", found[_ADDRESS_FLAGS])
    # Where both are there, the local one is this machine's.
    packed = found.get(_ADDRESS_LOCAL) or found.get(_ADDRESS_OF_PEER)
    return index, flags, ip_interface((packed, prefix)) if packed else None
