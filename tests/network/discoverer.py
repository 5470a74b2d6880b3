"""A node that only looks for others, and prints what it sees as JSON lines.

discoverer.py <node id> [--tag TAG] [--poll SECONDS] [--announce SECONDS]
              [--goodbye SECONDS] [--interface NAME ...]

It listens on its REST port, so that addresses can be tried, and stops at SIGTERM.
"""

import argparse
import asyncio
import gc
import json
import signal
import socket
import sys

from edgenode.discovery import mdns
from edgenode.discovery.mdns import MdnsDiscovery
from edgenode.discovery.records import Announcement
from edgenode.discovery.sightings import Sighting
from edgenode.limits import GOODBYE_SECONDS

REST_PORT = 9444
BUS_PORT = 1883


class Printer:
    """Prints what it hears."""

    def seen(self, sighting: Sighting) -> None:
        said = sighting.announcement
        tell(
            seen=said.node_id,
            name=said.name,
            addresses=sighting.addresses,
            ports=[said.rest_port, said.bus_port],
        )

    def gone(self, node_id: str) -> None:
        tell(gone=node_id)


def tell(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


def open_sockets() -> int:
    """How many sockets of multicast DNS are open."""
    return sum(
        isinstance(each, socket.socket)
        and each.type == socket.SOCK_DGRAM
        and each.fileno() != -1
        for each in gc.get_objects()
    )


async def discover(discovery: MdnsDiscovery) -> None:
    server = await asyncio.start_server(greet, port=REST_PORT)
    running = asyncio.create_task(discovery.run(Printer()))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    tell(started=True)
    async with server:
        await asyncio.gather(running, return_exceptions=True)
    tell(
        stopped=True,
        other_cohorts=discovery.sightings.other_cohorts,
        other_protocols=discovery.sightings.other_protocols,
        malformed=discovery.malformed,
        open_sockets=open_sockets(),
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("node_id")
    parser.add_argument("--tag", default="0123456789abcdef")
    parser.add_argument("--poll", type=float, default=1.0)
    parser.add_argument("--announce", type=float, default=300.0)
    parser.add_argument("--goodbye", type=float, default=GOODBYE_SECONDS)
    parser.add_argument("--interface", action="append", default=[])
    given = parser.parse_args()
    mdns.GOODBYE_SECONDS = given.goodbye  # type: ignore[attr-defined]
    announcement = Announcement(
        given.node_id, given.tag, f"node {given.node_id[:4]}", REST_PORT, BUS_PORT
    )
    discovery = MdnsDiscovery(
        announcement,
        interfaces=given.interface,
        poll_seconds=given.poll,
        announce_seconds=given.announce,
    )
    asyncio.run(discover(discovery))


if __name__ == "__main__":
    main()
