"""The floor of the clock outlasts the process."""

import asyncio
from pathlib import Path

import pytest

from edgenode.clock import BUILD_TIME, FOLLOWED_SECONDS
from edgenode.security.clock_floor import floored

TRUE = BUILD_TIME + 100 * 86_400_000


class SteppedClock:
    """A clock that goes on when it is waited for, after leave was given."""

    def __init__(self, time: int) -> None:
        self.time = time
        self.seconds = 0.0
        self.leave = asyncio.Semaphore(0)
        self.waits = 0
        self.waiting = asyncio.Condition()

    def now(self) -> int:
        return self.time

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        async with self.waiting:
            self.waits += 1
            self.waiting.notify_all()
        await self.leave.acquire()
        self.time += int(seconds * 1000)
        self.seconds += seconds

    async def waited(self, times: int) -> None:
        async with self.waiting:
            await self.waiting.wait_for(lambda: self.waits >= times)


async def text(path: Path) -> str:
    return await asyncio.to_thread(path.read_text)


async def test_it_is_kept_now_and_then_and_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "not yet" / "clock"
    machine = SteppedClock(TRUE)
    async with floored(machine, path) as clock:
        assert clock.now() == TRUE
        await machine.waited(1)
        assert not await asyncio.to_thread(path.exists)
        machine.leave.release()
        await machine.waited(2)
        assert int(await text(path)) == machine.time
        machine.time += 500
        machine.seconds += 0.5
    assert int(await text(path)) == TRUE + FOLLOWED_SECONDS * 1000 + 500
    async with floored(SteppedClock(0), path) as clock:
        assert clock.now() == TRUE + FOLLOWED_SECONDS * 1000 + 500


@pytest.mark.parametrize(
    "content", [b"", b"-5", b"soon", b"1" * 17, b"9" * 16, b"0" * 100, b"\xff"]
)
async def test_a_damaged_file_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clock"
    await asyncio.to_thread(path.write_bytes, content)
    async with floored(SteppedClock(0), path) as clock:
        assert clock.now() == BUILD_TIME
    assert int(await text(path)) == BUILD_TIME


async def test_a_disk_that_takes_nothing_stops_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "clock"
    await asyncio.to_thread(path.mkdir)
    async with floored(SteppedClock(TRUE), path) as clock:
        assert clock.now() == TRUE
    assert "can't be read" in caplog.text
    assert "can't be kept" in caplog.text
