"""Takes in what other members send: the applying half of following."""

from collections import Counter
from collections.abc import Callable, Sequence

from edgenode.codec.codec import Codec
from edgenode.cohort.follower import Outcome
from edgenode.cohort.peer import CohortPeer
from edgenode.collection.local import LocalMetadataCollection
from edgenode.collection.received import Outcome as Reception
from edgenode.collection.received import Received, move_past, out_of_place
from edgenode.errors import BadRequestError
from edgenode.events.checks import fault_of_event
from edgenode.events.exchange import ExchangeRules
from edgenode.events.frames import StateFrame
from edgenode.events.model import (
    OMRSEventCategory,
    OMRSEventErrorCode,
    OMRSEventV1,
    TypeDefEvent,
)
from edgenode.events.streams import Position, Step
from edgenode.limits import MAX_TYPE_BYTES, MAX_TYPES
from edgenode.repository.base import Transaction
from edgenode.repository.sqlite import SqliteRepository
from edgenode.typedefs.attributes import AttributeTypeDef
from edgenode.typedefs.model import TypeDef
from edgenode.typedefs.registry import TypeRegistry

_TOO_LARGE = "a type definition that is too large"
_OUTCOMES = {
    Reception.GAP: Outcome.GAP,
    Reception.UNKNOWN_TYPE: Outcome.UNKNOWN_TYPE,
}


class Intake:
    """Applies events and states of others to one member; see ``follower.Applier``.

    Attributes:
        outcomes: How often what came of an event.
        rules: What is looked at and kept.
    """

    def __init__(
        self,
        collection: LocalMetadataCollection,
        repository: SqliteRepository,
        types: TypeRegistry,
        codec: Codec,
        rules: ExchangeRules,
        report: Callable[[str, Received], None],
        is_member: Callable[[str], bool],
        compare_with: Callable[[str], None],
        moved: Callable[[str, str, str], None],
    ) -> None:
        """Take what the member has.

        Args:
            collection: Takes in instances and types.
            repository: Has the positions.
            types: What is known of types.
            codec: Reads events.
            rules: What is looked at and kept.
            report: Told of what was refused, with its origin.
            is_member: Whether a metadata collection is, or ever was, a member's.
            compare_with: Told of a member that may hold something otherwise.
            moved: Told of an instance that gave way to another member's: whose, the
                GUID, and the new one.
        """
        self.outcomes: Counter[Reception] = Counter()
        self._collection = collection
        self._repository = repository
        self._types = types
        self._codec = codec
        self.rules = rules
        self._report = report
        self._is_member = is_member
        self._compare_with = compare_with
        self._tell_moved = moved
        self._positions = dict(repository.positions())

    def position(self, origin: str) -> Position | None:
        """How far an origin was followed."""
        return self._positions.get(origin)

    def forget(self, origin: str) -> None:
        """The store has forgotten how far an origin was followed."""
        self._positions.pop(origin, None)

    async def move_to(self, origin: str, position: Position) -> None:
        """Everything up to there has been applied, or compared."""
        if self._positions.get(origin) != position:
            await self._repository.change(lambda tx: tx.move_to(origin, position))
            self._positions[origin] = position

    async def apply(
        self, origin: str, step: Step | None, event: bytes, *, last_try: bool = False
    ) -> Outcome:
        """Apply an event if it fits behind the position, and move that."""
        known = self._positions.get(origin)
        if (
            step is not None
            and known is not None
            and known.incarnation == step.incarnation
            and step.sequence <= known.sequence
        ):
            return Outcome.APPLIED
        received = await self._receive(origin, step, event, last_try=last_try)
        self.outcomes[received.outcome] += 1
        if received.outcome is Reception.REFUSED:
            self._report(origin, received)
        if received.compare_with:
            self._compare_with(received.compare_with)
        outcome = _OUTCOMES.get(received.outcome, Outcome.APPLIED)
        if step is not None and outcome is Outcome.APPLIED:
            self._moved(origin, Position(step.incarnation, step.sequence))
        return outcome

    def _moved(self, origin: str, position: Position) -> None:
        """Follow what the store knows; answers may come in another order than commits."""
        known = self._positions.get(origin)
        if (
            known is None
            or known.incarnation != position.incarnation
            or known.sequence < position.sequence
        ):
            self._positions[origin] = position

    async def _receive(
        self, origin: str, step: Step | None, text: bytes, *, last_try: bool
    ) -> Received:
        try:
            event = self._codec.decode_event(text)
            _check_originator(event, origin)
        except BadRequestError as error:
            return await self._pass_over(origin, step, str(error))
        fault = fault_of_event(event)
        if fault is not None:
            return await self._pass_over(origin, step, fault.reason, fault.code)
        if event.type_def_event_section is not None:
            if not self.rules.processes_types():
                return await self._pass_over(origin, step, "")
            if len(text) > MAX_TYPE_BYTES:
                return await self._pass_over(origin, step, _TOO_LARGE)
            return await self._collection.receive_type_def_event(
                origin, step, event.type_def_event_section
            )
        if event.instance_event_section is not None:
            return await self._collection.receive_instance_event(
                origin,
                step,
                event.instance_event_section,
                self.rules,
                error=event.error_section,
                last_try=last_try,
            )
        return await self._pass_over(origin, step, "it has no section")

    async def _pass_over(
        self,
        origin: str,
        step: Step | None,
        reason: str,
        code: OMRSEventErrorCode = OMRSEventErrorCode.INVALID_EVENT_FORMAT,
    ) -> Received:
        """Go on behind an event that nothing can be done with."""

        def work(tx: Transaction) -> Received:
            elsewhere = out_of_place(tx, origin, step)
            if elsewhere is not None:
                return elsewhere
            move_past(tx, origin, step)
            if reason:
                return Received(outcome=Reception.REFUSED, reason=reason, code=code)
            return Received(outcome=Reception.NOT_WANTED)

        return await self._repository.change(work)

    # comparing

    async def learn_types(self, origin: str, peer: CohortPeer) -> None:
        """Take over the types that the origin has and we lack."""
        if not self.rules.processes_types():
            return
        theirs = await peer.type_digest(origin)
        wanted = [
            guid
            for guid, version in theirs.items()
            if (known := self._type(guid)) is None or known.version < version
        ]
        if not wanted:
            return
        grown = []
        for text in await peer.type_defs(origin, wanted[:MAX_TYPES]):
            if len(text) > MAX_TYPE_BYTES:
                refused = Received(outcome=Reception.REFUSED, reason=_TOO_LARGE)
                self._report(origin, refused)
                continue
            section = self._codec.decode(TypeDefEvent, text)
            told = section.type_def
            if told is not None and self._types.type_def_by_guid(told.guid) is not None:
                grown.append(told)
                continue
            received = await self._collection.receive_type_def_event(
                origin, None, section
            )
            if received.outcome is Reception.REFUSED:
                self._report(origin, received)
        merged = await self._collection.adopt_type_defs((), grown, origin)
        for error in merged.refused:
            self._report(
                origin, Received(outcome=Reception.REFUSED, reason=error.message)
            )

    def _type(self, guid: str) -> TypeDef | AttributeTypeDef | None:
        known = self._types.type_def_by_guid(guid)
        return known or self._types.attribute_type_def_by_guid(guid)

    async def adopt(
        self, origin: str, owner: str, states: Sequence[StateFrame]
    ) -> None:
        """Hold what an origin holds of an owner's, which is itself or an archive."""
        mended = await self._collection.adopt_states(origin, owner, states)
        for guid, new_guid in mended.moved:
            self._tell_moved(origin, guid, new_guid)
        for guid, reason in mended.refused:
            self._report(
                origin, Received(outcome=Reception.REFUSED, reason=f"{guid}: {reason}")
            )
        for report in mended.reports:
            self._report(
                origin,
                Received(
                    outcome=Reception.REFUSED,
                    reason=str(report.error.error_message),
                    report=report,
                ),
            )

    def is_member(self, owner: str) -> bool:
        """Whether an owner is or was a member of the cohort."""
        return self._is_member(owner)

    def is_wanted(self, group: str) -> bool:
        """Whether a group of instances is kept here at all."""
        name = group.removeprefix("#")
        known = self._types.type_def(name)
        return known is not None and all(
            rule.lets_pass(known.guid, name)
            for rule in (self.rules.process, self.rules.save)
        )


def _check_originator(event: OMRSEventV1, origin: str) -> None:
    sender = event.originator
    if sender is None or sender.metadata_collection_id != origin:
        raise BadRequestError("the originator isn't the sender", "originator")
    if event.event_category not in (
        OMRSEventCategory.TYPEDEF,
        OMRSEventCategory.INSTANCE,
    ):
        raise BadRequestError("neither of types nor of instances", "eventCategory")
