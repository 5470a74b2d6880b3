"""A model of genuine members: what they have, and the events that they send of it.

It does what a 4.2 server does, mistakes included: a purge has the version of the deletion
before it, or ids alone; classifications leave the version of their entity as it is, and
those that came with their entity have neither a time nor a status; relationships that go
with an entity, or follow it, go without an event; a member that takes an entity over names
itself as the original home; and what one member sends, others may hear in another order.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from hypothesis import strategies as st

from edgenode.events.model import (
    InstanceEvent,
    OMRSEventCategory,
    OMRSEventOriginator,
    OMRSEventV1,
)
from edgenode.events.model import OMRSInstanceEventType as Type
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntityProxy,
    Relationship,
)
from edgenode.instances.provenance import Home
from edgenode.typedefs.model import TypeDefSummary
from edgenode.typedefs.status import InstanceStatus
from tests.model.house import (
    START,
    instance_type,
    properties,
    remote_classification,
    remote_entity,
    remote_proxy,
    remote_relationship,
)

E = TypeVar("E", EntityDetail, Relationship)

TERM, SUBTERM, RELATED = "GlossaryTerm", "ControlledGlossaryTerm", "RelatedTerm"
DELETED = InstanceStatus.DELETED

CHANGES = (
    "add",
    "add",
    "update",
    "undo",
    "re_type",
    "delete",
    "restore",
    "purge",
    "re_identify",
    "re_home",
    "refresh",
    "classify",
    "classify",
    "re_classify",
    "declassify",
    "relate",
    "relate",
    "update_relationship",
    "delete_relationship",
    "restore_relationship",
    "purge_relationship",
)


@dataclass(frozen=True)
class Sent:
    """An event on its topic."""

    origin: str
    event: OMRSEventV1


class GenuineCohort:
    """Some genuine members, and what each instance is at its home.

    Attributes:
        sent: Their events, as they sent them.
        entities: All that aren't purged, without classifications.
        given: The classifications of each, whoever gave them.
        relationships: All that aren't purged.
        re_identified: The GUIDs that entities got.
    """

    def __init__(self, draw: Callable[..., Any], homes: dict[str, tuple[str, ...]]):
        """Begin with nothing; each home has names of classifications that it gives."""
        self._draw = draw
        self._homes = [Home(f"{name}-id", name) for name in homes]
        self._names = {f"{name}-id": given for name, given in homes.items()}
        self._count = 0
        self.time = START - 1_000_000
        self.sent: list[Sent] = []
        self.entities: dict[str, EntityDetail] = {}
        self.given: dict[str, dict[str, Classification]] = {}
        self.relationships: dict[str, Relationship] = {}
        self.re_identified: set[str] = set()
        self._by_proxy: set[tuple[str, str]] = set()

    def does(self, name: str) -> None:
        """Something happens, if it can."""
        self.time += self._draw(st.integers(1, 3))
        try:
            getattr(self, name)()
        except NothingToDoError:
            return

    # entities

    def add(self) -> None:
        home = self._draw(st.sampled_from(self._homes))
        told = remote_entity(
            self._new("e"),
            version=1,
            home=home,
            create_time=self.time,
            properties=self._properties(),
        )
        self.given[str(told.guid)] = {}
        if self._draw(st.booleans()):
            first = remote_classification(
                self._names[home.id][0],
                metadata_collection_id=home.id,
                metadata_collection_name=home.name,
                created_by=None,
                create_time=None,
                version=0,
                status=None,
            )
            self.given[str(told.guid)][str(first.name)] = first
        self._tell_entity(Type.NEW_ENTITY_EVENT, told)

    def update(self) -> None:
        known = self._entity(is_live)
        self.touch(known)

    def touch(self, known: EntityDetail) -> None:
        new = replace(self._next(known), properties=self._properties())
        self._tell_entity(Type.UPDATED_ENTITY_EVENT, new)

    def undo(self) -> None:
        self._tell_entity(Type.UNDONE_ENTITY_EVENT, self._next(self._entity(is_live)))

    def re_type(self) -> None:
        known = self._entity(is_live)
        before = known.type
        assert before is not None
        name = SUBTERM if before.type_def_name == TERM else TERM
        new = replace(self._next(known), type=instance_type(name))
        summary = TypeDefSummary(
            guid=before.type_def_guid, name=before.type_def_name, version=2
        )
        self._tell_entity(
            Type.RETYPED_ENTITY_EVENT, new, original_type_def_summary=summary
        )

    def delete(self) -> None:
        known = self._entity(is_live)
        gone = replace(self._next(known), status=DELETED, status_on_delete=known.status)
        for relationship in self._at(str(known.guid)):
            if is_live(relationship):
                self.relationships[str(relationship.guid)] = self._deleted(relationship)
        self._tell_entity(Type.DELETED_ENTITY_EVENT, gone)

    def restore(self) -> None:
        known = self._entity(is_deleted)
        back = replace(
            self._next(known), status=InstanceStatus.ACTIVE, status_on_delete=None
        )
        self._tell_entity(Type.RESTORED_ENTITY_EVENT, back)

    def purge(self) -> None:
        known = self._entity(is_deleted)
        guid = str(known.guid)
        told = self._seen(known)
        del self.entities[guid], self.given[guid]
        for relationship in self._at(guid):
            del self.relationships[str(relationship.guid)]
        has_ids_only = self._draw(st.booleans())
        self._tell(
            home_of(known),
            Type.PURGED_ENTITY_EVENT,
            told,
            **({} if has_ids_only else {"entity": told}),
        )

    def re_identify(self) -> None:
        known = self._entity(is_live)
        old = str(known.guid)
        new = replace(
            self._next(known), guid=self._new("m"), re_identified_from_guid=old
        )
        guid = str(new.guid)
        self.re_identified.add(guid)
        del self.entities[old]
        given = self.given.pop(old)
        self.given[guid] = {
            name: each for name, each in given.items() if home_of(each) == home_of(new)
        }
        for relationship in self._at(old):
            ends = {
                name: replace(end, guid=guid)
                for name in ("entity_one_proxy", "entity_two_proxy")
                if (end := getattr(relationship, name)).guid == old
            }
            moved = replace(relationship, **ends)
            self.relationships[str(relationship.guid)] = moved
        self._tell_entity(
            Type.RE_IDENTIFIED_ENTITY_EVENT, new, original_instance_guid=old
        )

    def re_home(self) -> None:
        known = self._entity(is_live)
        if self._at(str(known.guid)):
            raise NothingToDoError
        others = [home for home in self._homes if home.id != home_of(known)]
        home = self._draw(st.sampled_from(others))
        new = replace(
            self._next(known),
            metadata_collection_id=home.id,
            metadata_collection_name=home.name,
        )
        self._by_proxy -= {
            (str(new.guid), name)
            for name, each in self.given[str(new.guid)].items()
            if home_of(each) == home.id
        }
        self._tell_entity(
            Type.RE_HOMED_ENTITY_EVENT,
            new,
            original_home_metadata_collection_id=home.id,
        )

    def refresh(self) -> None:
        """Somebody asked for it."""
        self.refreshed(self._entity(is_live))

    def refreshed(self, known: EntityDetail) -> None:
        self._tell(
            home_of(known),
            Type.REFRESHED_ENTITY_EVENT,
            known,
            entity=self._seen(known),
        )

    # classifications

    def classify(self) -> None:
        known = self._entity(is_live)
        home = self._draw(st.sampled_from(self._homes))
        name = self._draw(st.sampled_from(self._names[home.id]))
        given = self.given[str(known.guid)]
        if name in given:
            raise NothingToDoError
        given[name] = remote_classification(
            name,
            metadata_collection_id=home.id,
            metadata_collection_name=home.name,
            create_time=self.time,
        )
        self._tell_given(
            Type.CLASSIFIED_ENTITY_EVENT, known, classification=given[name]
        )

    def re_classify(self) -> None:
        known, before = self._given()
        after = replace(
            before,
            version=before.version + 1,
            update_time=self.time,
            updated_by="carl",
        )
        self.given[str(known.guid)][str(before.name)] = after
        self._tell_given(
            Type.RECLASSIFIED_ENTITY_EVENT,
            known,
            original_classification=before,
            classification=after,
        )

    def declassify(self) -> None:
        known, gone = self._given()
        del self.given[str(known.guid)][str(gone.name)]
        self._tell_given(
            Type.DECLASSIFIED_ENTITY_EVENT, known, original_classification=gone
        )

    def _given(self) -> tuple[EntityDetail, Classification]:
        every = [
            (known, each)
            for guid, known in self.entities.items()
            for each in self.given[guid].values()
            if is_live(known)
        ]
        return self._one(every)  # type: ignore[no-any-return]

    # relationships

    def relate(self) -> None:
        one = self._entity(is_live)
        two = self._entity(lambda end: is_live(end) and home_of(end) == home_of(one))
        told = remote_relationship(
            self._proxy(one),
            self._proxy(two),
            guid=self._new("r"),
            type=instance_type(RELATED),
            metadata_collection_id=home_of(one),
            create_time=self.time,
        )
        self._tell_relationship(Type.NEW_RELATIONSHIP_EVENT, told)

    def update_relationship(self) -> None:
        self.touch_relationship(self._relationship(is_live))

    def touch_relationship(self, known: Relationship) -> None:
        new = replace(self._next(known), properties=properties(description="other"))
        self._tell_relationship(Type.UPDATED_RELATIONSHIP_EVENT, new)

    def delete_relationship(self) -> None:
        gone = self._deleted(self._relationship(is_live))
        self._tell_relationship(Type.DELETED_RELATIONSHIP_EVENT, gone)

    def restore_relationship(self) -> None:
        known = self._relationship(is_deleted)
        back = replace(
            self._next(known), status=InstanceStatus.ACTIVE, status_on_delete=None
        )
        self._tell_relationship(Type.RESTORED_RELATIONSHIP_EVENT, back)

    def purge_relationship(self) -> None:
        known = self._relationship(is_deleted)
        del self.relationships[str(known.guid)]
        told = {} if self._draw(st.booleans()) else {"relationship": known}
        self._tell(home_of(known), Type.PURGED_RELATIONSHIP_EVENT, known, **told)

    # what is told

    def _tell_entity(self, event_type: Type, new: EntityDetail, **more: Any) -> None:
        self.entities[str(new.guid)] = new
        self._tell(home_of(new), event_type, new, entity=self._seen(new), **more)

    def _tell_given(self, event_type: Type, known: EntityDetail, **more: Any) -> None:
        """By entity or by proxy, as whoever gives it names the entity."""
        given = more.get("classification") or more["original_classification"]
        teller, key = home_of(given), (str(known.guid), str(given.name))
        if event_type is Type.CLASSIFIED_ENTITY_EVENT:
            self._by_proxy.discard(key)
            if teller != home_of(known) and self._draw(st.booleans()):
                self._by_proxy.add(key)
        form: dict[str, Any] = {"entity_proxy": self._proxy(known)}
        if key not in self._by_proxy:
            # Others may have an older copy.
            age = 0 if teller == home_of(known) else self._draw(st.integers(0, 1))
            form = {"entity": replace(self._seen(known), version=known.version - age)}
        self._tell(teller, event_type, known, **form, **more)

    def _tell_relationship(self, event_type: Type, new: Relationship) -> None:
        self.relationships[str(new.guid)] = new
        self._tell(home_of(new), event_type, new, relationship=new)

    def _tell(
        self,
        origin: str,
        event_type: Type,
        about: EntityDetail | Relationship,
        **payload: Any,
    ) -> None:
        assert about.type is not None
        section = InstanceEvent(
            event_type=event_type,
            type_def_guid=about.type.type_def_guid,
            type_def_name=about.type.type_def_name,
            instance_guid=about.guid,
            **payload,
        )
        event = OMRSEventV1(
            timestamp=self.time,
            originator=OMRSEventOriginator(metadata_collection_id=origin),
            event_category=OMRSEventCategory.INSTANCE,
            instance_event_section=section,
        )
        self.sent.append(Sent(origin, event))

    # parts

    def _new(self, kind: str) -> str:
        self._count += 1
        return f"{kind}{self._count}"

    def _properties(self) -> Any:
        self._count += 1
        return properties(qualifiedName=f"q{self._count}")

    def _next(self, known: E) -> E:
        return replace(
            known,
            version=known.version + 1,
            updated_by="carl",
            update_time=self.time,
        )

    def _deleted(self, known: Relationship) -> Relationship:
        return replace(self._next(known), status=DELETED, status_on_delete=known.status)

    def _seen(self, known: EntityDetail) -> EntityDetail:
        """An entity as its home has it: what others gave by proxy stays away from it."""
        guid = str(known.guid)
        given = tuple(
            each
            for name, each in self.given[guid].items()
            if (guid, name) not in self._by_proxy
        )
        return replace(known, classifications=given or None)

    def _proxy(self, known: EntityDetail) -> EntityProxy:
        return remote_proxy(
            str(known.guid),
            type=known.type,
            metadata_collection_id=home_of(known),
            create_time=known.create_time,
            update_time=known.update_time,
            version=known.version,
        )

    def _at(self, guid: str) -> list[Relationship]:
        return [each for each in self.relationships.values() if guid in ends_of(each)]

    def _entity(self, fits: Callable[[EntityDetail], bool]) -> EntityDetail:
        return self._one(list(filter(fits, self.entities.values())))  # type: ignore[no-any-return]

    def _relationship(self, fits: Callable[[Relationship], bool]) -> Relationship:
        return self._one(list(filter(fits, self.relationships.values())))  # type: ignore[no-any-return]

    def _one(self, fitting: list[Any]) -> Any:
        if not fitting:
            raise NothingToDoError
        return self._draw(st.sampled_from(fitting))


class NothingToDoError(Exception):
    """There is nothing to do this with."""


def is_live(known: EntityDetail | Relationship) -> bool:
    return known.status is not DELETED


def is_deleted(known: EntityDetail | Relationship) -> bool:
    return known.status is DELETED


def home_of(known: EntityDetail | Relationship | Classification) -> str:
    return str(known.metadata_collection_id)


def ends_of(known: Relationship) -> tuple[str, str]:
    one, two = known.entity_one_proxy, known.entity_two_proxy
    assert one is not None
    assert two is not None
    return str(one.guid), str(two.guid)
