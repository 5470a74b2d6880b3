"""States that were found to differ from what another member holds, put right.

What an owner holds of its own is what everybody is to hold, whatever versions say: a
store that was put back to an earlier state goes on from there. Nothing follows from such
a state for others: they are compared by themselves. The other way round, a store that
was put back gets its own instances from those who still hold what they became.

Where two owners have one GUID, everybody keeps the instance of the same one of them, and
the other one gives way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from edgenode.collection.passing_on import State, differences
from edgenode.collection.received import Report
from edgenode.collection.replica_base import Entity, ReplicaOperations, ends_of
from edgenode.errors import BadRequestError
from edgenode.events.frames import StateFrame
from edgenode.instances import lifecycle
from edgenode.instances.digests import owner_of
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntityProxy,
    EntitySummary,
    InstanceAuditHeader,
    InstanceHeader,
    Relationship,
)
from edgenode.instances.provenance import (
    is_archived,
    is_at_home,
)
from edgenode.repository.base import Transaction
from edgenode.typedefs.model import TypeDefCategory
from edgenode.typedefs.status import InstanceStatus

_KINDS: dict[str, type[EntityDetail | EntityProxy | Relationship]] = {
    kind.__name__: kind for kind in (EntityDetail, EntityProxy, Relationship)
}

E = TypeVar("E", bound=EntitySummary)


@dataclass(frozen=True, slots=True)
class _Word:
    """Whose states are adopted, and by whose word.

    Attributes:
        owner: Who answers for them.
        teller: The member that tells them; empty where it may be any.
    """

    owner: str
    teller: str

    @property
    def is_owners(self) -> bool:
        """Whether it says for good what the owner has, and what it hasn't."""
        return self.owner == self.teller


@dataclass(frozen=True, slots=True)
class Mended:
    """What became of states.

    Attributes:
        saved: How many are stored now.
        purged: How many copies were removed, whose owner has none.
        refused: The GUIDs of the others that differ, and why they stay.
        reports: What the cohort is to be told of them.
        moved: The GUIDs that were left to another member, and the new ones of ours.
    """

    saved: int
    purged: int
    refused: tuple[tuple[str, str], ...] = ()
    reports: tuple[Report, ...] = ()
    moved: tuple[tuple[str, str], ...] = ()


class LocalMendingOperations(ReplicaOperations):
    """Taking over states after stores were compared."""

    async def adopt_states(
        self, teller: str, owner: str, frames: Sequence[StateFrame]
    ) -> Mended:
        """Hold what an owner holds, in one change.

        Args:
            teller: The member whose states these are.
            owner: Who answers for what is compared: the teller, or an archive.
            frames: The states as they are in the teller's store.
        """
        word = _Word(owner, teller)
        return await self._change(lambda tx: self._mend(tx, frames, word))

    async def take_back_states(self, frames: Sequence[StateFrame]) -> Mended:
        """Take back what other members hold of this one, in one change.

        Instances, and classifications given here, come back where they are missing or
        older. Nobody is told: those who have them have them already.
        """
        word = _Word(self._local_id, teller="")
        return await self._change(lambda tx: self._mend(tx, frames, word))

    def _mend(
        self, tx: Transaction, frames: Sequence[StateFrame], word: _Word
    ) -> Mended:
        saved = purged = 0
        refused = []
        reports: list[Report] = []
        moved = []
        for frame in frames:
            try:
                if frame.document:
                    state = self._state(tx, frame)
                    new_guid = self._made_way(tx, state, word)
                    if new_guid:
                        moved.append((frame.guid, new_guid))
                    before = self._held(tx, frame.guid)
                    saved += self._adopt(tx, state, word)
                else:
                    before = self._held(tx, frame.guid)
                    purged += self._let_go(tx, frame.guid, word)
                self._pass_on(tx, frame.guid, before, word)
            except _UnusableError as error:
                refused.append((frame.guid, str(error)))
                if error.report is not None and not reports:
                    # Who hears one compares with this member, and finds the others.
                    reports.append(error.report)
        return Mended(saved, purged, tuple(refused), tuple(reports), tuple(moved))

    # What members of another cohort are told

    def _held(self, tx: Transaction, guid: str) -> State | None:
        if not self._parts.passes_on:
            return None
        stored = tx.relationship(guid)
        return self._known(tx, guid) if stored is None else stored.document.value

    def _pass_on(
        self, tx: Transaction, guid: str, before: State | None, word: _Word
    ) -> None:
        if self._parts.passes_on and word.teller:
            for event in differences(before, self._held(tx, guid), word.owner):
                tx.queue_event(event, word.teller)

    # What a frame holds

    def _state(self, tx: Transaction, frame: StateFrame) -> State:
        """The state in a frame, checked as far as what is stored has to be sound."""
        kind = _KINDS.get(frame.kind)
        if kind is None:
            raise _UnusableError(f"a {frame.kind} is no instance")
        try:
            state = self._parts.codec.decode(kind, frame.document)
        except BadRequestError as error:
            raise _UnusableError(str(error)) from error
        if state.guid != frame.guid or state.metadata_collection_id is None:
            raise _UnusableError("it has another GUID, or no home")
        is_relationship = isinstance(state, Relationship)
        of_other_kind = EntityDetail if is_relationship else Relationship
        if self._known_copy(tx, of_other_kind, frame.guid) is not None:
            raise _UnusableError("its GUID is another kind of instance's here")
        instances: tuple[State, ...] = (state,)
        if isinstance(state, Relationship):
            instances = (state, *self._checked_ends(tx, state))
        for instance in instances:
            self._check_type(instance)
        return state

    def _checked_ends(
        self, tx: Transaction, state: Relationship
    ) -> tuple[EntityProxy, ...]:
        ends = ends_of(state)
        if len(ends) < 2 or not all(end.guid for end in ends):
            raise _UnusableError("it has no two ends")
        for end in ends:
            if self._known_copy(tx, Relationship, str(end.guid)) is not None:
                raise _UnusableError("an end is a relationship here")
        return ends

    def _check_type(self, instance: InstanceHeader) -> None:
        recorded = instance.type
        if recorded is None:
            raise _UnusableError("it has no type")
        known = self._parts.types.type_def(recorded.type_def_name)
        if (
            known is None
            or known.guid != recorded.type_def_guid
            or (known.category is TypeDefCategory.RELATIONSHIP_DEF)
            != isinstance(instance, Relationship)
        ):
            raise _UnusableError("its type is not known")

    # Taking it over

    def _made_way(self, tx: Transaction, state: State, word: _Word) -> str | None:
        """Leave a GUID to another member that has it as its own, if it is that one's.

        Nobody's word is enough for that but the other's: it is asked itself. What it says
        is taken while it is registered only.

        Returns:
            The GUID that ours has now.
        """
        if isinstance(state, EntityProxy) or not word.is_owners:
            return None
        guid = str(state.guid)
        known = self._known_copy(tx, type(state), guid)
        if (
            known is None
            or not is_at_home(known, self._local_id)
            or owner_of(state) != word.owner
            or self._rank(tx, known) <= self._rank(tx, state)
        ):
            return None
        return self._give_way(tx, type(state), guid)

    def _adopt(self, tx: Transaction, state: State, word: _Word) -> bool:
        if isinstance(state, Relationship):
            return self._adopt_relationship(tx, state, word)
        known = self._known(tx, str(state.guid))
        full = known if isinstance(known, EntityDetail) else None
        if (
            isinstance(state, EntityDetail)
            and self._speaks_for(tx, word, state, full)
            and self._holds(tx, state, full, word)
        ):
            return self._adopt_entity(tx, state, word, known)
        return self._adopt_classifications(tx, state, word, known)

    def _adopt_relationship(
        self, tx: Transaction, state: Relationship, word: _Word
    ) -> bool:
        stored = tx.relationship(str(state.guid))
        known = None if stored is None else stored.document.value
        if not self._speaks_for(tx, word, state, known):
            raise _UnusableError(f"{owner_of(state)} answers for it")
        is_same = known is not None and self._with_known_ends(
            tx, state
        ) == self._with_known_ends(tx, known)
        if is_same or not self._holds(tx, state, known, word):
            return False
        self._put_relationship(tx, state)
        return True

    def _adopt_entity(
        self, tx: Transaction, state: EntityDetail, word: _Word, known: Entity | None
    ) -> bool:
        state = self._without_made_up(tx, state, word.teller, word.owner)
        told = state.classifications or ()
        if isinstance(known, EntityDetail):
            # What others gave is told by them.
            told = tuple(given for given in told if owner_of(given) == word.owner)
        new = self._with_classifications(
            replace(state, classifications=None), told, known, word
        )
        if new == known:
            return False
        tx.save_entity(new, lifecycle.copy_time(new, self._parts.clock.now()))
        if new.status is InstanceStatus.DELETED and word.owner != self._local_id:
            self._delete_own_at(tx, new)
        return True

    def _adopt_classifications(
        self, tx: Transaction, state: Entity, word: _Word, known: Entity | None
    ) -> bool:
        """Take over what an owner gave to an entity of somebody else's."""
        told = tuple(
            given
            for given in state.classifications or ()
            if owner_of(given) == word.owner and self._is_heard(tx, word, given)
        )
        if known is None:
            if not told or is_at_home(state, self._local_id):
                return False
            # What the entity itself is, its own home tells.
            known = replace(self._proxy_of(state), classifications=None)
        new = self._with_classifications(known, told, known, word)
        if new == known:
            return False
        self._save_known(tx, new)
        return True

    def _with_classifications(
        self,
        entity: E,
        told: Sequence[Classification],
        known: Entity | None,
        word: _Word,
    ) -> E:
        """An entity with what an owner gave, and what others gave it.

        What the owner gave goes by its own word only; else everything stays that isn't
        told as newer.
        """
        named = {given.name: given for given in told}
        for kept in (known and known.classifications) or ():
            given_now = named.get(kept.name)
            is_owners = owner_of(kept) == word.owner and word.is_owners
            if given_now is None:
                if not is_owners:
                    named[kept.name] = kept
            elif (
                owner_of(given_now) != owner_of(kept) or not is_owners
            ) and self._is_newer(kept, given_now, entity):
                named[kept.name] = kept
        return replace(entity, classifications=tuple(named.values()) or None)

    def _speaks_for(
        self,
        tx: Transaction,
        word: _Word,
        state: InstanceHeader,
        known: InstanceHeader | None,
    ) -> bool:
        """Whether a state is the owner's own, or was until it gave it away."""
        if owner_of(state) == word.owner:
            return self._is_heard(tx, word, state) and (
                known is None
                or owner_of(known) != word.owner
                or (
                    self._is_heard(tx, word, known)
                    # A member's doesn't become an archive's, nor the other way.
                    and is_archived(known) is is_archived(state)
                )
            )
        return (
            known is not None
            and owner_of(known) == word.owner
            and word.is_owners
            and not is_at_home(state, self._local_id)
            and self._parts.is_known_collection(owner_of(state))
            and state.version > known.version
        )

    def _is_heard(
        self, tx: Transaction, word: _Word, told: InstanceAuditHeader
    ) -> bool:
        """Whether what an owner answers for is told by who may tell it."""
        return word.owner == self._local_id or self._may_be_told(tx, word.teller, told)

    def _holds(
        self,
        tx: Transaction,
        state: InstanceHeader,
        known: InstanceHeader | None,
        word: _Word,
    ) -> bool:
        """Whether a state takes the place of what is known; else nothing changes.

        Raises:
            _UnusableError: Two instances have one GUID.
        """
        if known is None:
            return True
        owner = word.owner
        if owner_of(known) != owner:
            # Two say it is theirs: everybody keeps the same one of them, and the other's
            # home gives way.
            if is_at_home(known, self._local_id):
                report = self._conflict_report(owner, state, known)
                raise _UnusableError(
                    "it is at home here", report if word.is_owners else None
                )
            if owner == self._local_id:
                is_ours_first = (known.version, owner_of(known)) > (
                    state.version,
                    owner,
                )
            else:
                is_ours_first = self._rank(tx, known) < self._rank(tx, state)
            if is_ours_first:
                raise _UnusableError(f"{owner_of(known)} answers for it")
            if owner != self._local_id:
                return True
        if owner == self._local_id:
            return state.version > known.version
        if is_archived(state) or not word.is_owners:
            # No store is the archive's own: the newer state holds.
            return _age(state) > _age(known)
        return True

    def _let_go(self, tx: Transaction, guid: str, word: _Word) -> bool:
        """Remove what an owner has no more: its instance, or what it gave to another's."""
        if not word.is_owners:
            return False
        for kind in (EntityDetail, Relationship):
            known = self._known_copy(tx, kind, guid)
            if isinstance(known, EntityDetail | Relationship) and (
                owner_of(known) == word.owner
            ):
                if is_archived(known):
                    return False
                self._purge(tx, kind, guid)
                return True
        entity = self._known(tx, guid)
        if entity is None:
            return False
        new = self._with_classifications(entity, (), entity, word)
        if new == entity:
            return False
        self._save_known(tx, new)
        return True


class _UnusableError(Exception):
    """A state can't be stored; the message says why."""

    def __init__(self, reason: str, report: Report | None = None) -> None:
        super().__init__(reason)
        self.report = report


def _age(header: InstanceHeader) -> tuple[int, int]:
    return header.version, lifecycle.last_change(header)
