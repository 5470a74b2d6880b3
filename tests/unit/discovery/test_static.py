"""Peers from the configuration, by address or by name."""

import asyncio
import socket

from edgenode.bus.base import Address
from edgenode.discovery.static import resolved


async def addresses(*peers: Address) -> list[Address]:
    return [address async for address in resolved(peers)]


async def test_numeric_addresses_are_taken_as_they_are_and_come_first() -> None:
    link_local = Address("fe80::1%eth0", 2)
    four = Address("192.0.2.1", 1)
    found = await addresses(Address("localhost", 3), link_local, four)
    assert found[:2] == [link_local, four]
    assert set(found[2:]) <= {Address("127.0.0.1", 3), Address("::1", 3)}
    assert found[2:]


async def test_each_address_is_told_once() -> None:
    one = Address("127.0.0.1", 3)
    assert (await addresses(one, Address("localhost", 3), one)).count(one) == 1


async def test_a_name_that_is_none_leaves_the_others() -> None:
    one = Address("192.0.2.1", 1)
    for name in ("", "a" * 64 + ".example", "a..b", "\ud800"):
        found = await addresses(Address(name, 1), one)
        assert one in found


async def test_a_name_is_looked_up_off_the_loop_and_anew_each_time() -> None:
    loop = asyncio.get_running_loop()
    asked: list[str] = []
    inner = loop.getaddrinfo

    async def counted(host: str, port: int, **options: int) -> object:
        asked.append(host)
        return await inner(host, port, **options)

    loop.getaddrinfo = counted  # type: ignore[method-assign, assignment]
    for _ in range(2):
        assert await addresses(Address("localhost", 3))
    assert asked == ["localhost", "localhost"]


async def test_the_scope_of_what_was_looked_up_is_kept() -> None:
    loop = asyncio.get_running_loop()
    name = socket.if_nameindex()[0][1]
    place = ("fe80::1", 3, 0, socket.if_nametoindex(name))

    async def found(*_: object, **__: object) -> object:
        return [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", place)]

    loop.getaddrinfo = found  # type: ignore[method-assign, assignment]
    assert await addresses(Address("peer.local", 3)) == [Address(f"fe80::1%{name}", 3)]
