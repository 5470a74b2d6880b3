"""Keeps a clock's floor from one start to the next."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from edgenode.clock import FOLLOWED_SECONDS, Clock, EpochMillis, FlooredClock
from edgenode.security.private_files import (
    make_private_directory,
    read_bounded,
    write_private,
)

logger = logging.getLogger(__name__)

CLOCK_FILE = "clock"

_LATEST: EpochMillis = 253_402_300_799_999  # the end of year 9999


@asynccontextmanager
async def floored(clock: Clock, path: Path) -> AsyncIterator[FlooredClock]:
    """A clock whose floor is kept in a file, every ten minutes and at the end.

    Where the file is missing, damaged or can't be written, the node runs all the same.
    """
    kept = await asyncio.to_thread(kept_floor, path)
    with_floor = FlooredClock(clock, kept)
    keeping = asyncio.create_task(_keep(with_floor, path), name="clock floor")
    try:
        yield with_floor
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        with_floor.follow()
        await asyncio.to_thread(_write, path, with_floor.floor())


async def _keep(clock: FlooredClock, path: Path) -> None:
    while True:
        await clock.sleep(FOLLOWED_SECONDS)
        clock.follow()
        await asyncio.to_thread(_write, path, clock.floor())


def kept_floor(path: Path) -> EpochMillis:
    """The floor that was kept last; 0 where there is none."""
    try:
        text = (read_bounded(path, 32) or b"").strip()
    except OSError as error:
        logger.warning("%s can't be read: %s", path, error)
        return 0
    kept = int(text) if re.fullmatch(rb"[0-9]{1,16}", text) else 0
    return kept if kept <= _LATEST else 0


def _write(path: Path, floor: EpochMillis) -> None:
    try:
        make_private_directory(path.parent)
        write_private(path, b"%d\n" % floor)
    except OSError as error:
        logger.warning("the time can't be kept in %s (%s)", path, error.strerror)
