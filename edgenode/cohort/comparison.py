"""Finds what two members hold differently, and mends it, however it came about.

Sums of groups are compared first, then of buckets within a group that differs, then the
things in buckets that differ; only what differs itself is fetched. What an owner says of
its own holds.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Protocol, TypeVar

from edgenode.cohort.model import StateFrame
from edgenode.cohort.peer import CohortPeer
from edgenode.events.streams import Sum
from edgenode.limits import (
    COMPARED_BUCKETS,
    FETCHED_STATES,
    MAX_WAITING_EVENT_BYTES,
)

K = TypeVar("K")


class Holdings(Protocol):
    """What a member holds, as sums; the repository's part."""

    async def group_sums(self, owner: str) -> Mapping[str, Sum]:
        """By group: a type's name, or ``#`` and a classification's."""
        ...

    async def bucket_sums(self, owner: str, group: str) -> Mapping[int, Sum]:
        """By bucket."""
        ...

    async def bucket_items(
        self, owner: str, group: str, buckets: Sequence[int]
    ) -> Mapping[str, int]:
        """By GUID: the digest itself."""
        ...


async def differences(
    ours: Holdings,
    peer: CohortPeer,
    collection_id: str,
    owner: str,
    is_wanted: Callable[[str], bool],
) -> list[str]:
    """The GUIDs of instances of one owner that a member holds otherwise than we do.

    Args:
        ours: What we hold.
        peer: The node of the other member.
        collection_id: The other member.
        owner: Whose instances are compared.
        is_wanted: Whether a group is kept here at all, by its name.

    Raises:
        PeerUnavailableError: The node can't be reached.
        PeerRefusedError: It doesn't answer such questions.
    """
    found: dict[str, None] = {}
    theirs_by_group = await peer.group_sums(collection_id, owner)
    ours_by_group = await ours.group_sums(owner)
    for group in _unequal(ours_by_group, theirs_by_group):
        if not is_wanted(group):
            continue
        theirs = await peer.bucket_sums(collection_id, owner, group)
        buckets = _unequal(await ours.bucket_sums(owner, group), theirs)
        for some in _portions(buckets, COMPARED_BUCKETS):
            their_items = await peer.bucket_items(collection_id, owner, group, some)
            our_items = await ours.bucket_items(owner, group, some)
            found |= dict.fromkeys(_unequal(our_items, their_items))
    return list(found)


async def fetched(
    peer: CohortPeer, collection_id: str, guids: Sequence[str]
) -> AsyncIterator[list[StateFrame]]:
    """What a member has under some GUIDs, in portions that fit a change."""
    for some in _portions(guids, FETCHED_STATES):
        portion: list[StateFrame] = []
        size = 0
        async for frame in peer.states(collection_id, some):
            portion.append(frame)
            size += len(frame.document)
            if size >= MAX_WAITING_EVENT_BYTES:
                yield portion
                portion, size = [], 0
        yield portion


def _unequal(ours: Mapping[K, object], theirs: Mapping[K, object]) -> list[K]:
    keys = dict.fromkeys((*theirs, *ours))
    return [key for key in keys if ours.get(key) != theirs.get(key)]


def _portions(items: Iterable[K], size: int) -> Iterable[list[K]]:
    rest = iter(items)
    while portion := list(islice(rest, size)):
        yield portion
