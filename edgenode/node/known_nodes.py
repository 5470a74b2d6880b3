"""Keeps where other nodes are from one start to the next.

So a node finds the others again where there is no multicast, and the one whose address
stands in its configuration is off.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

from edgenode.clock import Clock
from edgenode.codec.codec import Codec
from edgenode.codec.json import dumps, loads
from edgenode.cohort.model import NodeInfo
from edgenode.cohort.node import CohortNode
from edgenode.cohort.peers import Peer
from edgenode.cohort.told import portion
from edgenode.errors import BadRequestError
from edgenode.limits import KEPT_NODES_SECONDS, MAX_ADDRESSES, MAX_KEPT_NODES_BYTES
from edgenode.security.private_files import read_bounded, write_private

logger = logging.getLogger(__name__)


@asynccontextmanager
async def remembering(
    path: Path, node: CohortNode, codec: Codec, clock: Clock
) -> AsyncIterator[None]:
    """Tell a node of the others that were known, and keep those it knows.

    A file that is missing, damaged or can't be written costs only time.
    """
    node.conversations.remember(await asyncio.to_thread(_read, path, codec))
    kept = _Kept(path, node, codec)
    keeping = asyncio.create_task(_keep(kept, clock), name="known nodes")
    try:
        yield
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        await kept.write()


class _Kept:
    """What the file has, so that it is written only when that changes."""

    def __init__(self, path: Path, node: CohortNode, codec: Codec) -> None:
        self._path = path
        self._node = node
        self._codec = codec
        self._text = b""

    async def write(self) -> None:
        known = [_placed(peer) for peer in self._node.peers.all() if peer.is_met]
        # A file that is too large isn't read again. It has a comma for each, too.
        room = MAX_KEPT_NODES_BYTES - len(known) - len("[]")
        kept = portion(tuple(known), self._codec, room)
        text = dumps([self._codec.event_object(info) for info in kept])
        if text != self._text:
            self._text = text
            await asyncio.to_thread(_write, self._path, text)


def _placed(peer: Peer) -> NodeInfo:
    """A node with where it may be found; where it was seen may be made up."""
    addresses = dict.fromkeys((*peer.proven_at, *peer.info.addresses))
    return replace(peer.info, addresses=tuple(addresses)[:MAX_ADDRESSES])


async def _keep(kept: _Kept, clock: Clock) -> None:
    while True:
        await clock.sleep(KEPT_NODES_SECONDS)
        await kept.write()


def _read(path: Path, codec: Codec) -> list[NodeInfo]:
    try:
        text = read_bounded(path, MAX_KEPT_NODES_BYTES)
        content = [] if text is None else loads(text)
    except (OSError, BadRequestError) as error:
        logger.warning("%s can't be read: %s", path, error)
        return []
    if not isinstance(content, list):
        logger.warning("%s has no list of nodes", path)
        return []
    found = []
    for each in content:
        try:
            found.append(codec.from_object(NodeInfo, each))
        except BadRequestError as error:
            logger.warning("%s: a node is passed over: %s", path, error)
    return found


def _write(path: Path, text: bytes) -> None:
    try:
        write_private(path, text)
    except OSError as error:
        logger.warning("%s can't be written: %s", path, error)
