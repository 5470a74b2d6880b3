"""A process that changes a repository without end and prints what is durable.

Usage: python -m tests.crash.under_load FILE FIRST. Each line is a GUID and the version
of it that was acknowledged; entities are numbered from FIRST on.
"""

import asyncio
import itertools
import os
import sys
from pathlib import Path

from edgenode.clock import SystemClock
from edgenode.codec.codec import Codec
from edgenode.releases import SERVED
from edgenode.repository.sqlite import SqliteRepository
from tests.crash.workload import linking, saving
from tests.unit.repository.samples import guid

CLIENTS = 16
VERSIONS = 3
FIRST_LINK = 1_000_000_000


def acknowledge(number: int, version: int) -> None:
    os.write(1, f"{guid(number)} {version}\n".encode())


async def main(path: Path, first: int) -> None:
    clock = SystemClock()
    numbers = itertools.count(first)
    async with SqliteRepository.opened(
        path, Codec(SERVED), clock, name="loaded", keep_events=True
    ) as repository:

        async def client() -> None:
            for number in numbers:
                for version in range(1, VERSIONS + 1):
                    await repository.change(saving(number, version, clock.now()))
                    acknowledge(number, version)
                link = FIRST_LINK + number
                await repository.change(
                    linking(link, number, number + 1, 1, clock.now())
                )
                acknowledge(link, 1)

        async with asyncio.TaskGroup() as tasks:
            for name in range(CLIENTS):
                tasks.create_task(client(), name=f"client {name}")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
