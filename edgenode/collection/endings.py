"""What ended lately, for what is told of it after its end.

Where events come in the order in which they were sent, nobody has to remember what is
gone. Where they may overtake each other, a state from before can arrive when nothing is
left to compare it with. So the newest ends are kept, in memory only: events overtake each
other within seconds, and who starts anew hears those again whose end wasn't applied.

Each end is its owner's: in another one's name nothing ends. Used by the changes of the
repository, which run one after the other.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from edgenode.clock import EpochMillis
from edgenode.instances.digests import owner_of
from edgenode.instances.ids import is_id
from edgenode.instances.lifecycle import last_change
from edgenode.instances.model import Classification, EntityDetail, InstanceHeader
from edgenode.limits import MAX_ENDINGS

V = TypeVar("V")

_Key = tuple[str, ...]


class _Newest(Generic[V]):
    """The newest entries of a table; the oldest make room."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[_Key, V] = OrderedDict()

    def get(self, *key: str) -> V | None:
        return self._entries.get(key)

    def put(self, value: V, *key: str) -> None:
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._limit:
            self._entries.popitem(last=False)

    def pop(self, *key: str) -> V | None:
        return self._entries.pop(key, None)


@dataclass(frozen=True, slots=True)
class _Move:
    new_guid: str
    time: EpochMillis


@dataclass(frozen=True, slots=True)
class _Claim:
    version: int
    since: EpochMillis


class Endings:
    """The newest ends of instances, GUIDs and classifications."""

    def __init__(self, limit: int = MAX_ENDINGS) -> None:
        """Begin with nothing; ``limit`` is how many of each kind are kept."""
        self._purges: _Newest[EpochMillis] = _Newest(limit)
        self._deletions: _Newest[EntityDetail] = _Newest(limit)
        self._moves: _Newest[_Move] = _Newest(limit)
        self._declassified: _Newest[tuple[int, int]] = _Newest(limit)
        self._claims: _Newest[_Claim] = _Newest(limit)

    # instances that are gone for good

    def purged(self, guid: str, until: EpochMillis, owner: str = "") -> None:
        """What was created under a GUID until a time is gone.

        Args:
            guid: The GUID.
            until: When the newest of it was created.
            owner: Whose alone is gone; anybody's if it is known that it was of who says so.
        """
        before = self._purges.get(guid, owner)
        self._purges.put(until if before is None else max(before, until), guid, owner)

    def is_purged(self, told: InstanceHeader) -> bool:
        """Whether an instance is told that is gone."""
        created = told.create_time or 0
        return any(
            (until := self._purges.get(told.guid or "", owner)) is not None
            and created <= until
            for owner in ("", owner_of(told))
        )

    # entities that were deleted, and restored perhaps

    def deleted(self, entity: EntityDetail) -> None:
        """An entity was deleted, by the time of its last change."""
        before = self.deletion_of(entity)
        if before is None or last_change(before) < last_change(entity):
            self._deletions.put(_brief(entity), owner_of(entity), entity.guid or "")

    def deletion_of(self, entity: InstanceHeader) -> EntityDetail | None:
        """The newest deletion of an entity: whose it is, by whom and when it was."""
        return self._deletions.get(owner_of(entity), entity.guid or "")

    # GUIDs that were given up

    def re_identified(self, old_guid: str, moved: EntityDetail) -> None:
        """An entity has another GUID since its last change."""
        move = _Move(moved.guid or "", last_change(moved))
        self._moves.put(move, owner_of(moved), old_guid)

    def new_guid(self, entity: InstanceHeader, time: EpochMillis) -> str:
        """The GUID that an entity has which was named by its GUID at a time."""
        guid, owner = entity.guid or "", owner_of(entity)
        while (move := self._moves.get(owner, guid)) is not None and time <= move.time:
            guid, time = move.new_guid, move.time + 1
        return guid

    # classifications that were taken away

    def declassified(self, guid: str, gone: Classification) -> None:
        """An entity has a classification no more."""
        key = (guid, owner_of(gone), gone.name or "")
        before = self._declassified.get(*key)
        age = _age(gone)
        self._declassified.put(age if before is None else max(before, age), *key)

    def is_declassified(self, guid: str, told: Classification) -> bool:
        """Whether a classification is told that the entity has no more."""
        gone = self._declassified.get(guid, owner_of(told), told.name or "")
        return gone is not None and _age(told) <= gone

    # instances that were told by a new home before it told that it is

    def claimed(
        self, claimant: str, told: InstanceHeader, now: EpochMillis
    ) -> EpochMillis:
        """Remember that a member tells another one's instance as its own.

        Returns:
            When it did so first.
        """
        key = (claimant, told.guid or "")
        claim = self._claims.get(*key) or _Claim(told.version, now)
        version = max(claim.version, told.version)
        self._claims.put(replace(claim, version=version), *key)
        return claim.since

    def claim_of(self, claimant: str, guid: str) -> int:
        """The newest version that a member claimed, which is forgotten; 0 if it didn't."""
        claim = self._claims.pop(claimant, guid)
        return 0 if claim is None else claim.version


def _brief(entity: EntityDetail) -> EntityDetail:
    """What is needed of a deletion; the rest may be as large as a message."""
    return EntityDetail(
        guid=entity.guid,
        instance_provenance_type=entity.instance_provenance_type,
        metadata_collection_id=entity.metadata_collection_id,
        replicated_by=entity.replicated_by,
        updated_by=entity.updated_by if is_id(entity.updated_by) else None,
        create_time=entity.create_time,
        update_time=entity.update_time,
    )


def _age(given: Classification) -> tuple[int, int]:
    """Which of two namesakes of one owner is the newer one.

    Genuine members keep no time for those that came with their entity.
    """
    return given.create_time or 0, given.version
