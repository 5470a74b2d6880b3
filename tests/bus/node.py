"""A node of a mesh as a process of its own; it publishes numbers until it is killed.

Usage: python -m tests.bus.node NODE PORT AUTHORITY CERTIFICATE NEIGHBOUR NEIGHBOURS_PORT
"""

import asyncio
import sys
from pathlib import Path

from edgenode.bus.base import Address, Message, Trust
from edgenode.bus.mesh import MeshBus
from tests.bus.certificates import (
    Refusals,
    client_context,
    common_name,
    server_context,
)
from tests.bus.client import Listener

PREFIX = "edgenode/cohort/tag/"


async def main(
    node_id: str, port: int, authority: Path, own: Path, neighbour: str, other: int
) -> None:
    server, client = server_context(authority, own), client_context(authority, own)
    trust = Trust(
        server=lambda: server,
        client=lambda: client,
        identify=common_name,
        refused=Refusals(),
    )
    will = Message(f"{PREFIX}lost/{node_id}", b"lost")
    bus = MeshBus(node_id, PREFIX, will, trust, first_retry_seconds=0.05)
    bus.listen(["127.0.0.1"], port)
    bus.link({neighbour: (Address("127.0.0.1", other),)})
    running = asyncio.create_task(bus.run(Listener()))
    number = 0
    while not running.done():
        bus.publish(Message(f"{PREFIX}instances/m", b"%d" % number))
        number += 1
        await asyncio.sleep(0.005)


if __name__ == "__main__":
    name, port, authority, own, neighbour, other = sys.argv[1:]
    asyncio.run(
        main(name, int(port), Path(authority), Path(own), neighbour, int(other))
    )
