"""Whether what others say of nodes and members is sound; nothing else is let in.

Pure. Whoever says it may be of the cohort and lie all the same. What is let in is told
on and kept, so it is looked at on every way in: exchanges, the bus and what is stored.
"""

import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from random import Random
from typing import TypeVar

from edgenode.codec.codec import Codec
from edgenode.cohort.envelope import is_topic_id
from edgenode.cohort.model import Exchange, Mark, MemberRecord, NodeInfo
from edgenode.errors import BadRequestError
from edgenode.hosts import is_host
from edgenode.limits import (
    MAX_ADDRESSES,
    MAX_COPY_RUNS,
    MAX_RETOLD_NODES,
    MAX_TOLD_BYTES,
    MAX_TOLD_RECORD_BYTES,
    MAX_TOLD_RECORDS,
    MAX_TOLD_TEXT_LENGTH,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")
Record = TypeVar("Record", NodeInfo, MemberRecord)

LAST_REVISION = 2**62
"""Beyond any that a clock gives; what is counted on from it still fits a store."""

LAST_OUTDONE = 2**61
"""Beyond any that a clock gives, too: who is spoken of by a higher one doesn't take part in
that, so that it always has room above its own."""

_REVISIONS = range(LAST_REVISION + 1)
_PORTS = range(2**16)


def is_sound_node(info: NodeInfo) -> bool:
    """Whether a node can be what it is described as."""
    texts = (info.run_id, info.name, info.version)
    return (
        is_topic_id(info.node_id)
        and info.revision in _REVISIONS
        and info.rest_port in _PORTS
        and info.bus_port in _PORTS
        and all(len(text) <= MAX_TOLD_TEXT_LENGTH for text in texts)
        and len(info.addresses) <= MAX_ADDRESSES
        and all(is_host(address) for address in info.addresses)
    )


def is_sound_member(record: MemberRecord, codec: Codec) -> bool:
    """Whether a member can be what it is said to be."""
    return (
        is_topic_id(record.node_id)
        and is_topic_id(record.registration.metadata_collection_id or "")
        and record.revision in _REVISIONS
        and len(codec.encode(record)) <= MAX_TOLD_RECORD_BYTES
    )


def is_sound_mark(mark: Mark) -> bool:
    """Whether a member's events can go so far."""
    return (
        is_topic_id(mark.metadata_collection_id)
        and len(mark.incarnation) <= MAX_TOLD_TEXT_LENGTH
        and mark.sequence in _REVISIONS
    )


def sound(half: Exchange, codec: Codec) -> Exchange:
    """What of an exchange is sound.

    Raises:
        BadRequestError: The sender isn't.
    """
    if not is_sound_node(half.sender):
        raise BadRequestError("can't be a node", "sender")
    return replace(
        half,
        nodes=only(half.nodes, is_sound_node),
        copies=only(half.copies[:MAX_COPY_RUNS], is_sound_node),
        members=only(half.members, lambda record: is_sound_member(record, codec)),
        marks=only(half.marks, is_sound_mark),
    )


def only(said: Iterable[T], is_sound: Callable[[T], bool]) -> tuple[T, ...]:
    """The sound ones."""
    kept = []
    for each in said:
        if is_sound(each):
            kept.append(each)
        else:
            logger.debug("passed over: %.300r", each)
    return tuple(kept)


def portion(
    told: tuple[T, ...], codec: Codec, room: int = MAX_TOLD_BYTES
) -> tuple[T, ...]:
    """As many of what is to be told, from the first on, as there is room for."""
    if len(told) * MAX_TOLD_RECORD_BYTES <= room:
        return told
    for count, each in enumerate(told):
        room -= len(codec.encode(each))
        if room < 0:
            return told[:count]
    return told


def in_turns(
    told: tuple[Record, ...], own_id: str, codec: Codec, random: Random
) -> tuple[Record, ...]:
    """What of nodes or members one half of an exchange tells.

    Where there is no room for all of them, those of the node that tells come first, and of
    the others some at random: so each has its turn, whatever comes of what was told.
    """
    kept = portion(told[:MAX_TOLD_RECORDS], codec)
    if len(kept) == len(told):
        return told
    mixed = random.sample(told, len(told))
    mixed.sort(key=lambda each: each.node_id != own_id)
    return portion(tuple(mixed[:MAX_TOLD_RECORDS]), codec)


def retold(
    nodes: tuple[NodeInfo, ...], known: Collection[str], random: Random
) -> tuple[NodeInfo, ...]:
    """Nodes that the other is told of: all that are new to it, and some of the others.

    Args:
        nodes: Those that it hasn't met, or not so.
        known: Those that it was told of already. Maybe somebody lied: so all that tell of
            one have their turn.
        random: Chooses.
    """
    again = [node for node in nodes if node.node_id in known]
    some = random.sample(again, min(len(again), MAX_RETOLD_NODES))
    return (*(node for node in nodes if node.node_id not in known), *some)
