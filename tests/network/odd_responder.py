"""What else may be said on a network: rubbish, and announcements that are odd.

odd_responder.py <address> <node id that is announced in two halves>

It says everything again and again until it is killed.
"""

import asyncio
import os
import random
import socket
import sys

from zeroconf import DNSOutgoing  # type: ignore[attr-defined]
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from edgenode.discovery.records import (
    SERVICE_TYPE,
    Announcement,
    txt_record,
)

TAG = "0123456789abcdef"
GROUP = ("224.0.0.251", 5353)
RESPONSE = 0x8400
SECONDS_BETWEEN = 0.2


def service(name: str, txt: bytes, address: str) -> AsyncServiceInfo:
    return AsyncServiceInfo(
        SERVICE_TYPE,
        f"{name}.{SERVICE_TYPE}",
        port=9444,
        properties=txt,
        server=f"{name}.local.",
        parsed_addresses=[address],
    )


def rubbish() -> bytes:
    """Random bytes, some of which begin as an answer does."""
    noise = os.urandom(random.randrange(200))  # noqa: S311
    return random.choice([b"", bytes([0, 0, 0x84, 0, 0, 0, 0, 3, 0, 0, 0, 0])]) + noise  # noqa: S311


async def say(address: str, halved: str) -> None:
    good = txt_record(Announcement("0" * 32, TAG, "", 9444))
    strange = [
        service("1" * 32, good[:-1], address),
        service("2" * 32, b"", address),
        service("3" * 32, good.replace(b"v=1", b"v=2"), address),
        service("not a node", good, address),
        service("4" * 32, os.urandom(300), address),
    ]
    split = service(halved, good, address)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noisy:
        noisy.setsockopt(
            socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address)
        )
        async with AsyncZeroconf(interfaces=[address]) as responder:
            zeroconf = responder.zeroconf
            await zeroconf.async_wait_for_start()
            # Asked for the node it answers, but asked for all nodes it doesn't.
            zeroconf.registry.async_add(split)
            zeroconf.registry.types.clear()
            print('{"started": true}', flush=True)  # noqa: T201
            while True:
                for info in strange:
                    zeroconf.async_send(zeroconf.generate_service_broadcast(info, None))
                half = DNSOutgoing(RESPONSE)
                half.add_answer_at_time(split.dns_pointer(), 0)
                for number in range(50):  # nodes that nobody can say more of
                    nobody = service(f"{number:032x}", good, address)
                    half.add_answer_at_time(nobody.dns_pointer(), 0)
                zeroconf.async_send(half)
                for _ in range(20):
                    noisy.sendto(rubbish(), GROUP)
                await asyncio.sleep(SECONDS_BETWEEN)


if __name__ == "__main__":
    asyncio.run(say(*sys.argv[1:3]))
