"""What systemd is told, by a socket as it makes them."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from edgenode.node.service_manager import ServiceManager
from tests.unit.cohort.clocks import FakeClock

PROCESS = 4711
WATCHDOG = {"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(PROCESS)}


@contextmanager
def systemd(name: str) -> Iterator[Callable[[], list[str]]]:
    """A socket by that name; what was told there since it was last asked."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(name)
        heard.setblocking(False)

        def told() -> list[str]:
            messages = []
            while True:
                try:
                    messages.append(heard.recv(4096).decode())
                except BlockingIOError:
                    return messages

        yield told


@asynccontextmanager
async def at_work(
    environ: Mapping[str, str], clock: FakeClock, can_work: asyncio.Event
) -> AsyncIterator[None]:
    """A node that works whenever it can."""

    async def works() -> None:
        await can_work.wait()

    manager = ServiceManager.named_by(environ, PROCESS)
    async with manager.told_of_work(works, clock):
        yield


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def can_work() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


async def test_it_is_told_of_readiness_of_life_and_of_the_end(
    tmp_path: Path, can_work: asyncio.Event
) -> None:
    clock, name = FakeClock(), str(tmp_path / "notify")
    with systemd(name) as told:
        async with at_work({"NOTIFY_SOCKET": name} | WATCHDOG, clock, can_work):
            await turns()
            assert told() == ["READY=1", "WATCHDOG=1"]
            clock.advance(19.0)
            await turns()
            assert told() == []
            clock.advance(1.0)
            await turns()
            assert told() == ["WATCHDOG=1"]
        assert told() == ["STOPPING=1"]


async def test_who_does_not_work_is_not_told_of_as_alive(
    tmp_path: Path, can_work: asyncio.Event
) -> None:
    clock, name = FakeClock(), str(tmp_path / "notify")
    with systemd(name) as told:
        async with at_work({"NOTIFY_SOCKET": name} | WATCHDOG, clock, can_work):
            await turns()
            can_work.clear()
            told()
            for _ in range(9):
                clock.advance(20.0)
                await turns()
            assert told() == []
            can_work.set()
            await turns()
            assert told() == ["WATCHDOG=1"]


async def test_an_abstract_socket_is_told_as_well(can_work: asyncio.Event) -> None:
    with systemd("\0edgenode-test-notify") as told:
        environ = {"NOTIFY_SOCKET": "@edgenode-test-notify"}
        async with at_work(environ, FakeClock(), can_work):
            await turns()
        assert told() == ["READY=1", "STOPPING=1"]


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "0"},
        WATCHDOG | {"WATCHDOG_PID": "1"},
    ],
    ids=["none", "no number", "never", "another process's"],
)
async def test_without_a_watchdog_of_its_own_life_is_not_told(
    environ: Mapping[str, str], tmp_path: Path, can_work: asyncio.Event
) -> None:
    clock, name = FakeClock(), str(tmp_path / "notify")
    with systemd(name) as told:
        async with at_work({"NOTIFY_SOCKET": name, **environ}, clock, can_work):
            await turns()
            assert not clock.is_waited_for
        assert told() == ["READY=1", "STOPPING=1"]


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}])
async def test_in_a_terminal_nobody_is_told(
    environ: Mapping[str, str],
    can_work: asyncio.Event,
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = FakeClock()
    async with at_work({**WATCHDOG, **environ}, clock, can_work):
        await turns()
    assert not clock.is_waited_for
    assert not caplog.records


async def test_a_node_works_on_where_systemd_does_not_listen(
    tmp_path: Path, can_work: asyncio.Event, caplog: pytest.LogCaptureFixture
) -> None:
    name = str(tmp_path / "nobody")
    async with at_work({"NOTIFY_SOCKET": name}, FakeClock(), can_work):
        await turns()
    assert "systemd can't be told READY=1" in caplog.text
