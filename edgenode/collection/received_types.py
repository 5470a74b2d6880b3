"""Type events of other members, and types taken over from them.

Types are everybody's: whoever hears of an unknown one adds it, and one patch leads from
one version of a type to the next wherever it is applied. No event of one's own is sent
of what was received, or members would tell each other the same types for ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edgenode.collection.local_base import LocalCollectionParts
from edgenode.collection.local_types import LocalTypeOperations
from edgenode.collection.received import (
    Outcome,
    Received,
    Report,
    TypeConflict,
    move_past,
    out_of_place,
)
from edgenode.errors import OMRSError
from edgenode.events import outbound
from edgenode.events.model import (
    EventError,
    OMRSEventErrorCode,
    TypeDefEvent,
)
from edgenode.events.model import OMRSTypeDefEventType as Type
from edgenode.events.streams import Step
from edgenode.limits import (
    MAX_TYPE_BYTES,
    MAX_TYPE_CONFLICTS,
    MAX_TYPES,
    MAX_TYPES_BYTES,
)
from edgenode.repository.base import Transaction
from edgenode.typedefs.attributes import AttributeTypeDef
from edgenode.typedefs.descriptions import described
from edgenode.typedefs.merge import MergedTypes, merge_types
from edgenode.typedefs.model import RelationshipDef, TypeDef, TypeDefPatch
from edgenode.typedefs.patch import apply_patch, check_patch, patch_between
from edgenode.typedefs.registry import Definition, TypeRegistry
from edgenode.typedefs.verify import (
    Verdict,
    fault_of,
    verify_attribute_type_def,
    verify_type_def,
)

_OPERATION = "updateTypeDef"
_SAVED = Received(outcome=Outcome.SAVED)


@dataclass(frozen=True, slots=True)
class _Change:
    """What a type event comes to: definitions to put in place, and one to remove."""

    received: Received
    put: Definition | None = None
    remove: Definition | None = None


class LocalReceivedTypeOperations(LocalTypeOperations):
    """Taking in types of other members."""

    def __init__(self, parts: LocalCollectionParts) -> None:
        super().__init__(parts)
        self._conflicts: dict[tuple[str, str], TypeConflict] = {}

    async def receive_type_def_event(
        self, origin: str, step: Step | None, event: TypeDefEvent
    ) -> Received:
        """Apply a type event and move the position of its origin, in one change.

        Args:
            origin: The metadata collection that sent it, which was verified.
            step: Its place in the origin's history; None where the bus tells none.
            event: The type section.
        """
        async with self._changing:
            change = self._change_by(origin, event)
            self._remember_conflict(origin, event, change)
            if step is None and change.put is None and change.remove is None:
                return change.received

            def work(tx: Transaction) -> Received:
                elsewhere = out_of_place(tx, origin, step)
                if elsewhere is not None:
                    return elsewhere
                move_past(tx, origin, step)
                received = self._changed(tx, change)
                if received.outcome is Outcome.SAVED and self._parts.passes_on:
                    tx.queue_event(event, origin)
                return received

            # As for a removal of our own: no instance of it may be created meanwhile.
            if change.remove is not None:
                self._registry.remove(str(change.remove.guid))
            received = Received(outcome=Outcome.IGNORED)
            try:
                received = await self._repository.change(work)
            finally:
                if received.outcome is Outcome.SAVED:
                    if change.put is not None:
                        self._registry.put(change.put)
                elif change.remove is not None:
                    self._registry.put(change.remove)
            return received

    async def adopt_type_defs(
        self,
        attribute_type_defs: Sequence[AttributeTypeDef],
        type_defs: Sequence[TypeDef],
        origin: str | None = None,
    ) -> MergedTypes:
        """Take over types that another member has, as far as they agree with those here.

        Unknown ones are added, and older ones brought to the version told.

        Args:
            attribute_type_defs: What its attributes may be of.
            type_defs: Its types.
            origin: The member, whose patches members of another cohort are told of.
        """

        def work(tx: Transaction) -> MergedTypes:
            patches = [
                patch_between(known, told)
                for told in type_defs
                if (known := self._registry.type_def(told.name)) is not None
                and told.version > known.version
            ]
            merged = merge_types(
                self._registry, attribute_type_defs, type_defs, patches, self._name
            )
            for definition in merged.changed:
                tx.save_type(definition)
            if origin is not None and self._parts.passes_on:
                changed = {known.name for known in merged.changed}
                for patch in patches:
                    if patch.type_def_name in changed:
                        tx.queue_event(outbound.updated_type(patch), origin)
            return merged

        async with self._changing:
            merged = await self._repository.change(work)
            self._registry.put(*merged.changed)
            self._forget_mismatches({known.name for known in merged.changed})
        return merged

    def _changed(self, tx: Transaction, change: _Change) -> Received:
        if isinstance(change.remove, TypeDef) and tx.is_type_used(
            str(change.remove.name)
        ):
            return _ignored("it is used here").received
        if change.put is not None and self._is_too_much(tx, change.put):
            return _refused("the types of others are too large together").received
        if change.remove is not None:
            tx.remove_type(str(change.remove.guid))
        if change.put is not None:
            tx.save_type(change.put)
        return change.received

    # What an event comes to

    def _change_by(self, origin: str, event: TypeDefEvent) -> _Change:
        match event.type_def_event_type:
            case Type.NEW_TYPEDEF_EVENT:
                return self._new_type(origin, event.type_def)
            case Type.NEW_ATTRIBUTE_TYPEDEF_EVENT:
                return self._new_type(origin, event.attribute_type_def)
            case Type.UPDATED_TYPEDEF_EVENT:
                return self._patched_type(origin, event.type_def_patch)
            case Type.DELETED_TYPEDEF_EVENT | Type.DELETED_ATTRIBUTE_TYPEDEF_EVENT:
                return self._deleted_type(event)
            case Type.RE_IDENTIFIED_TYPEDEF_EVENT:
                original = event.original_type_def_summary
                guid = None if original is None else original.guid
                known = self._registry.type_def_by_guid(guid)
                return self._re_identified_type(origin, known, event.type_def)
            case Type.RE_IDENTIFIED_ATTRIBUTE_TYPEDEF_EVENT:
                attribute = event.original_attribute_type_def
                guid = None if attribute is None else attribute.guid
                return self._re_identified_type(
                    origin,
                    self._registry.attribute_type_def_by_guid(guid),
                    event.attribute_type_def,
                )
            case _:
                return _ignored("nothing follows from it")

    def _new_type(self, origin: str, told: Definition | None) -> _Change:
        if told is None or not told.guid or not told.name:
            return _refused("a type without a GUID or name")
        verdict = _verdict(self._registry, told)
        if verdict is Verdict.KNOWN:
            return self._described_type(told.guid, told)
        if verdict is Verdict.CONFLICT:
            return self._type_conflict(origin, told)
        fault = fault_of(self._registry, told) if isinstance(told, TypeDef) else None
        if fault is not None:
            return _refused(fault)
        if self._has_many_types():
            return _refused("there are too many types")
        return self._put(told)

    def _put(self, new: Definition) -> _Change:
        """A definition is new, and perhaps what it names unknown."""
        if len(self._parts.codec.encode(new)) > MAX_TYPE_BYTES:  # patches add to it
            return _refused("a type definition that is too large")
        missing = self._registry.unknown_names(new)
        return _Change(Received(outcome=Outcome.SAVED, unknown_types=missing), put=new)

    def _described_type(self, guid: str | None, told: object) -> _Change:
        """A known type with the descriptions that it lacks."""
        known: Definition | None = self._registry.type_def_by_guid(guid)
        known = known or self._registry.attribute_type_def_by_guid(guid)
        complete = described(known, told)
        if complete is None or complete is known:
            return _ignored("it is known")
        return _Change(_SAVED, put=complete)

    def _is_too_much(self, tx: Transaction, new: Definition) -> bool:
        size = len(self._parts.codec.encode(new))
        return tx.types_bytes() + size > MAX_TYPES_BYTES

    def _has_many_types(self) -> bool:
        registry = self._registry
        known = len(registry.type_defs) + len(registry.attribute_type_defs)
        return known >= MAX_TYPES

    def _patched_type(self, origin: str, patch: TypeDefPatch | None) -> _Change:
        """The type after a patch, if it is at the version that the patch is for."""
        known = None if patch is None else self._registry.type_def(patch.type_def_name)
        if (
            patch is None
            or known is None
            or patch.type_def_guid not in (None, known.guid)
        ):
            return _ignored("the type is not known")
        try:
            check_patch(patch, _OPERATION, self._name)
            if known.version < patch.apply_to_version:
                return self._patch_mismatch(origin, known, patch)
            inherited = self._registry.attributes(str(known.name))
            patched = apply_patch(known, patch, inherited, self._name)
        except OMRSError as error:
            told = replace(known, version=patch.update_to_version)
            return self._type_conflict(origin, told, str(error))
        if patched is known:
            return self._described_type(known.guid, _stated_by(known, patch))
        fault = fault_of(self._registry, patched)
        if fault is not None:
            return self._type_conflict(origin, patched, fault)
        return self._put(patched)

    def _deleted_type(self, event: TypeDefEvent) -> _Change:
        guid, name = event.type_def_guid, event.type_def_name
        known: Definition | None = self._registry.type_def_by_guid(guid)
        if event.type_def_event_type is Type.DELETED_ATTRIBUTE_TYPEDEF_EVENT:
            known = self._registry.attribute_type_def_by_guid(guid)
        if known is None or known.name != name:
            return _ignored("it is not known")
        if self._is_built_on(known):
            return _ignored("it is used here")
        return _Change(_SAVED, remove=known)

    def _re_identified_type(
        self, origin: str, known: Definition | None, told: Definition | None
    ) -> _Change:
        """A type under its new GUID and name, where nothing uses the old ones.

        Genuine members do nothing about it.
        """
        if known is None or told is None:
            return self._new_type(origin, told)
        if self._is_built_on(known):
            return _ignored("it is used here")
        others = self._registry.copy()
        others.remove(str(known.guid))
        if _verdict(others, told) is not Verdict.UNKNOWN:
            return self._type_conflict(origin, told)
        fault = fault_of(others, told) if isinstance(told, TypeDef) else None
        if fault is not None or not told.guid or not told.name:
            return _refused(fault or "a type without a GUID or name")
        change = self._put(told)
        return change if change.put is None else replace(change, remove=known)

    def _is_built_on(self, known: Definition) -> bool:
        """Whether the release, or another type, needs a type; instances may, too."""
        return known.guid in self._shipped or self._registry.is_referred_to(known)

    # What is otherwise elsewhere

    @property
    def type_conflicts(self) -> tuple[TypeConflict, ...]:
        """The types that other members have otherwise, as far as they said so last."""
        return tuple(self._conflicts.values())

    def forget_type_conflicts(self, origin: str) -> None:
        """A member has left."""
        for key in [key for key in self._conflicts if key[0] == origin]:
            del self._conflicts[key]

    def _forget_mismatches(self, names: set[str | None]) -> None:
        """Types are at the version now that patches were for."""
        mismatch = OMRSEventErrorCode.TYPEDEF_PATCH_MISMATCH
        for key, conflict in list(self._conflicts.items()):
            if conflict.type_name in names and conflict.code is mismatch:
                del self._conflicts[key]

    def _remember_conflict(
        self, origin: str, event: TypeDefEvent, change: _Change
    ) -> None:
        received, about = change.received, event.type_def or event.attribute_type_def
        patch = event.type_def_patch
        guid, name = (
            (about.guid, about.name)
            if about is not None
            else (patch and patch.type_def_guid, patch and patch.type_def_name)
        )
        key = origin, name or ""
        if received.outcome is Outcome.REFUSED:
            self._conflicts[key] = TypeConflict(
                origin,
                guid or "",
                name or "",
                received.code or OMRSEventErrorCode.INVALID_TYPEDEF_EVENT,
                received.reason,
            )
            if len(self._conflicts) > MAX_TYPE_CONFLICTS:
                del self._conflicts[next(iter(self._conflicts))]
        elif about is not None:  # a patch says nothing of the rest of its type
            self._conflicts.pop(key, None)

    # What the cohort is told

    def _type_conflict(
        self, origin: str, told: Definition, reason: str = ""
    ) -> _Change:
        reason = reason or f"{told.name} is another type in {self._name}"
        error = EventError(
            error_message=reason,
            target_metadata_collection_id=origin,
            other_metadata_collection_id=self._local_id,
        )
        if isinstance(told, TypeDef):
            known = self._registry.type_def(told.name)
            known = known or self._registry.type_def_by_guid(told.guid)
            error = replace(
                error,
                error_code=OMRSEventErrorCode.CONFLICTING_TYPEDEFS,
                target_type_def_summary=told.summary,
                other_type_def_summary=None if known is None else known.summary,
                other_type_def=known,
            )
        else:
            attribute = self._registry.attribute_type_def(told.name)
            error = replace(
                error,
                error_code=OMRSEventErrorCode.CONFLICTING_ATTRIBUTE_TYPEDEFS,
                target_attribute_type_def=told,
                other_attribute_type_def=attribute
                or self._registry.attribute_type_def_by_guid(told.guid),
            )
        return _reported(told.guid, told.name, error)

    def _patch_mismatch(
        self, origin: str, known: TypeDef, patch: TypeDefPatch
    ) -> _Change:
        error = EventError(
            error_code=OMRSEventErrorCode.TYPEDEF_PATCH_MISMATCH,
            error_message=(
                f"{known.name} is at version {known.version} in {self._name}, the"
                f" patch is for version {patch.apply_to_version}"
            ),
            target_metadata_collection_id=origin,
            target_type_def_summary=replace(
                known.summary, version=patch.apply_to_version, version_name=None
            ),
            other_metadata_collection_id=self._local_id,
            other_type_def_summary=known.summary,
            other_type_def=known,
        )
        change = _reported(known.guid, known.name, error)
        # Who is asked for it tells it at the version that it has come to.
        missing = replace(change.received, unknown_types=(str(known.name),))
        return replace(change, received=missing)


def _stated_by(known: TypeDef, patch: TypeDefPatch) -> TypeDef:
    """A type as a patch that is in it states it."""
    stated = replace(
        known,
        description=patch.description,
        description_guid=patch.description_guid,
        description_wiki=patch.description_wiki,
        properties_definition=patch.property_definitions,
    )
    if isinstance(stated, RelationshipDef):
        stated = replace(stated, end_def1=patch.end_def1, end_def2=patch.end_def2)
    return stated


def _verdict(registry: TypeRegistry, told: Definition) -> Verdict:
    if isinstance(told, TypeDef):
        return verify_type_def(registry, told)
    return verify_attribute_type_def(registry, told)


def _ignored(reason: str) -> _Change:
    return _Change(Received(outcome=Outcome.IGNORED, reason=reason))


def _refused(reason: str) -> _Change:
    code = OMRSEventErrorCode.INVALID_TYPEDEF_EVENT
    return _Change(Received(outcome=Outcome.REFUSED, reason=reason, code=code))


def _reported(guid: str | None, name: str | None, error: EventError) -> _Change:
    section = TypeDefEvent(
        type_def_event_type=Type.TYPEDEF_ERROR_EVENT,
        type_def_guid=guid,
        type_def_name=name,
    )
    return _Change(
        Received(
            outcome=Outcome.REFUSED,
            reason=error.error_message or "",
            code=error.error_code,
            report=Report(section, error),
        )
    )
