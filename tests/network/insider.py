"""Somebody who has the cohort's key, and says whatever could harm the other nodes.

insider.py <directory> <token> <own address> <collection id of a member> <address> ...

It has the others subscribe to its broker as any node does, and publishes there; it sends
them bodies over HTTPS, and packets to their brokers. Then it says so, and waits.
"""

import asyncio
import http.client
import json
import ssl
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from edgenode.bus.base import Address, Message, Trust
from edgenode.bus.mesh import MeshBus
from edgenode.clock import SystemClock
from edgenode.codec.codec import Codec
from edgenode.codec.json import dumps
from edgenode.cohort.envelope import Header, Topics, wrap
from edgenode.cohort.model import Exchange, NodeInfo
from edgenode.events.streams import Step
from edgenode.releases import SERVED
from edgenode.security.cohorts import Cohort
from edgenode.security.identity import NodeIdentity, make_identity
from edgenode.security.keys import CohortKey
from edgenode.security.tls import Credentials, peer_node_id
from tests.bus.client import HungUpError, Listener, RawClient

REST_PORT = 9444
SUBSCRIBE_SECONDS = 15
BUS_PORT = 8883
DEEP = b"[" * 100_000 + b"]" * 100_000
LARGE = 6 * 1024 * 1024
EXCHANGE = "/edgenode/cohort/exchange"
JSON_TYPE = {"Content-Type": "application/json"}


def say(line: dict[str, object]) -> None:
    """Tell the test something."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def bodies() -> Iterator[tuple[dict[str, str], bytes]]:
    """What no exchange is."""
    yield {}, b""
    yield {}, b"\xff\x00 rubbish"
    yield {}, b"[]"
    yield {}, b'{"sender": 5}'
    yield {}, b'{"sender": {"nodeId": "x"}, "time": 1e400}'
    yield {}, b'{"sender": ' + DEEP + b"}"
    yield {}, b'{"knownNodes": "' + b"x" * LARGE + b'"}'
    yield {"Content-Encoding": "gzip"}, b"\x1f\x8b rubbish"


def post(
    address: str, context: ssl.SSLContext, headers: dict[str, str], body: bytes
) -> int:
    """The status of an answer; 0 where there was none."""
    connection = http.client.HTTPSConnection(
        address, REST_PORT, timeout=10, context=context
    )
    try:
        connection.request("POST", EXCHANGE, body, JSON_TYPE | headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def messages(key: CohortKey, node_id: str, collection_id: str) -> Iterator[Message]:
    """What no node says, as far as a broker takes it."""
    prefix = Topics(f"edgenode/{key.name}/{key.tag}/").prefix
    own = Header(node=node_id, run="run")
    newer = Header(node=node_id, run="run", revision=2**62)
    other = Header(node="0" * 32, run="run", revision=2**62)
    first = Header(node=node_id, run="run", step=Step("life", 0, 2**62))

    def sealed(topic: str, header: Header, body: bytes) -> Message:
        return Message(prefix + topic, wrap(key.bus_key, prefix + topic, header, body))

    deep = b'{"class":' + DEEP + b"}"
    for payload in (b"rubbish", b"{}", DEEP, b'{"edgenode":{"node":"x"},' + DEEP):
        yield Message(f"{prefix}instances/{collection_id}", payload)
    for kind in ("registration", "requests", "types", "instances"):
        for body in (deep, b'{"class":5}', b'{"class":"OMRSEventV1"}', b'{"x":\xff}'):
            yield sealed(f"{kind}/{collection_id}", newer, body)
            yield sealed(f"{kind}/{collection_id}", first, body)
    for body in (deep, b'{"info":5}', b'{"info":{"nodeId":"x"}}'):
        yield sealed(f"node/{node_id}", newer, body)
        yield sealed(f"node/{'0' * 32}", other, body)
    yield sealed(f"lost/{'0' * 32}", own, b'{"lost":5}')
    moved = sealed(f"requests/{collection_id}", own, b'{"class":"OMRSEventV1"}')
    yield Message(f"{prefix}types/{collection_id}", moved.payload)
    yield Message(f"{prefix}unheard/of", b"x")
    yield Message(f"{prefix}instances/{collection_id}", b"x" * LARGE)


def packets(prefix: str) -> Iterator[bytes]:
    """What no client says to a broker, after CONNECT."""
    topic = f"{prefix}instances/x".encode()
    publish = len(topic).to_bytes(2, "big") + topic + b"event"
    yield bytes((0x30, len(publish))) + publish
    yield b"\x30\xff\xff\xff\x7f" + b"x" * 100_000
    yield b"\xf0\x00"
    yield b"\x82\x05\x00\x01\x00\x01#"
    yield b"\x00" * 1000


async def knock(
    address: str, context: ssl.SSLContext, node_id: str, prefix: str
) -> None:
    """Send a broker what it can't like, and hear it hang up."""
    for packet in packets(prefix):
        client = await RawClient.open(Address(address, BUS_PORT), context)
        with suppress(HungUpError, OSError):
            await client.connect(node_id)
            client.send(packet)
            await client.hung_up()
        client.writer.transport.abort()


async def main(
    directory: Path, token: str, own: str, collection_id: str, addresses: list[str]
) -> None:
    """Do all of it."""
    key = CohortKey.from_token(token)
    now = SystemClock().now()
    identity: NodeIdentity = await asyncio.to_thread(
        make_identity, directory, Cohort(key=key), now
    )
    credentials = await Credentials.opened(identity.files, lambda _: False)
    context = credentials.client_context()
    prefix = f"edgenode/{key.name}/{key.tag}/"
    bus = MeshBus(
        identity.node_id,
        prefix,
        Message(f"{prefix}lost/x", b"rubbish"),
        Trust(
            server=credentials.server_context,
            client=credentials.client_context,
            identify=peer_node_id,
            refused=lambda *_: None,
        ),
    )
    bus.listen(["0.0.0.0"], BUS_PORT)  # noqa: S104 - a host of its own
    running = asyncio.create_task(bus.run(Listener()))
    info = NodeInfo(
        node_id=identity.node_id,
        run_id="run",
        revision=now,
        addresses=(own,),
        rest_port=REST_PORT,
        bus_port=BUS_PORT,
    )
    half = dumps(Codec(SERVED).event_object(Exchange(sender=info, time=now)))
    for address in addresses:
        status = await asyncio.to_thread(post, address, context, {}, half)
        say({"status": status})
    async with asyncio.timeout(SUBSCRIBE_SECONDS):
        while bus.statistics().peers < len(addresses):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)
    say({"subscribed": bus.statistics().peers})
    for message in messages(key, identity.node_id, collection_id):
        bus.publish(message)
        await asyncio.sleep(0)
    for address in addresses:
        statuses = [
            await asyncio.to_thread(post, address, context, *each) for each in bodies()
        ]
        say({"refused": statuses})
        await knock(address, context, identity.node_id, prefix)
    say({"done": bus.statistics().sent})
    await running


if __name__ == "__main__":
    where, given, here, member, *others = sys.argv[1:]
    asyncio.run(main(Path(where), given, here, member, others))
