"""Sockets: which address is connected to, and which is listened on."""

import asyncio
import gc
import select
import socket
import ssl
import struct

import pytest

from edgenode.bus.base import Address
from edgenode.bus.sockets import connected, listening_sockets, secured


def test_all_addresses_are_listened_on_at_one_port() -> None:
    listeners = listening_sockets(["127.0.0.1", "::1", "127.0.0.2"], 0)
    ports = {each.getsockname()[1] for each in listeners}
    try:
        assert len(listeners) == 3
        assert len(ports) == 1
        assert [each.getsockname()[0] for each in listeners] == [
            "127.0.0.1",
            "::1",
            "127.0.0.2",
        ]
    finally:
        for each in listeners:
            each.close()


def test_everything_is_both_kinds_of_addresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[object, ...]] = []

    def create_server(
        address: object, *, family: int, backlog: int, dualstack_ipv6: bool
    ) -> socket.socket:
        asked.append((address, family, dualstack_ipv6))
        return socket.socket()

    # Tests may not listen to the world, so it is seen what would be asked for.
    monkeypatch.setattr(socket, "create_server", create_server)
    for has_ipv6 in (True, False):
        monkeypatch.setattr(
            "edgenode.security.listening._has_ipv6", lambda it=has_ipv6: it
        )
        (listener,) = listening_sockets(["::"], 7)
        listener.close()
    assert asked == [
        (("::", 7, 0, 0), socket.AF_INET6, True),
        (("0.0.0.0", 7), socket.AF_INET, False),  # noqa: S104
    ]


async def test_the_address_that_answers_is_taken() -> None:
    (listener,) = listening_sockets(["127.0.0.1"], 0)
    (closed,) = listening_sockets(["127.0.0.1"], 0)
    port, nobody = (each.getsockname()[1] for each in (listener, closed))
    closed.close()
    good = Address("127.0.0.1", port)
    dead = (Address("127.0.0.1", nobody), Address("::1", port))
    with listener:
        connection, address = await connected((*dead, good))
        with connection:
            assert address == good
            assert connection.getpeername() == ("127.0.0.1", port)
            assert not connection.getblocking()


async def test_the_first_address_is_tried_first_of_whichever_family() -> None:
    (four,), (six,) = (listening_sockets([host], 0) for host in ("127.0.0.1", "::1"))
    with four, six:
        both = [Address(*each.getsockname()[:2]) for each in (four, six)]
        for addresses in (both, both[::-1]):
            connection, address = await connected(addresses)
            connection.close()
            assert address == addresses[0]


async def test_an_address_that_does_not_answer_holds_up_only_for_a_moment() -> None:
    # A listener whose queue is full answers nobody.
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for each in (first, second):
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        (listener,) = listening_sockets(["127.0.0.1"], 0)
        silent = Address(*full.getsockname())
        good = Address("127.0.0.1", listener.getsockname()[1])
        with listener:
            async with asyncio.timeout(5):
                connection, address = await connected((silent, good))
            connection.close()
            assert address == good


async def test_where_nobody_answers_the_reasons_are_told() -> None:
    (closed,) = listening_sockets(["127.0.0.1"], 0)
    port = closed.getsockname()[1]
    closed.close()
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await connected((Address("127.0.0.1", port),))
    with pytest.raises(OSError, match="no address is known"):
        await connected(())
    with pytest.raises(OSError, match="interface"):
        await connected((Address("fe80::1%nowhere", port),))


@pytest.mark.parametrize(
    "address",
    [
        Address("127.0.0.1", 0),
        Address("127.0.0.1", 65_536),
        Address("127.0.0.1", -1),
        Address("a" * 300, 1),
        Address("", 0),
    ],
)
async def test_what_is_no_address_is_an_error_like_others(address: Address) -> None:
    with pytest.raises(OSError, match=r"."):
        await connected((address,))


async def test_a_name_is_looked_up() -> None:
    (listener,) = listening_sockets(["127.0.0.1"], 0)
    with listener:
        port = listener.getsockname()[1]
        connection, address = await connected((Address("localhost", port),))
        connection.close()
        assert address == Address("localhost", port)


async def test_who_hangs_up_before_tls_leaves_no_socket_behind() -> None:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        connection, _ = await connected([Address(*listener.getsockname())])
        accepted, _ = await loop.sock_accept(listener)
        # It is reset, not ended.
        linger = struct.pack("ii", 1, 0)
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        accepted.close()
        poller = select.poll()
        poller.register(connection, select.POLLHUP)
        assert await asyncio.to_thread(poller.poll, 5_000)
        with pytest.raises(OSError, match="not connected"):
            await secured(connection, ssl.create_default_context(), "127.0.0.1")
        assert connection.fileno() == -1
        gc.collect()
