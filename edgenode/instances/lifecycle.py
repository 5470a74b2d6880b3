"""How instances change: the next state of one, from its stored state and a request.

Theory of operation. An instance is a chain of states. A state differs from the one
before in its content, in a version that is one higher, and in who changed it when;
nothing here ever goes back in time, so a state begins after the one before it even when
the clock went back. A classification is such a chain of its own,
kept inside its entity: its changes leave the entity's version and times alone.
Deleting is a state too, and only purging, which is the repository's, ends a chain.

Every function takes states, the user and the time and returns new states; who may ask
for them is in ``provenance`` and what they may hold is in ``validate``.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import TypeVar

from edgenode.clock import EpochMillis
from edgenode.instances.model import (
    Classification,
    ClassificationOrigin,
    EntityDetail,
    EntityProxy,
    EntitySummary,
    InstanceAuditHeader,
    InstanceHeader,
    InstanceType,
    Relationship,
)
from edgenode.instances.properties import InstanceProperties
from edgenode.instances.provenance import Provenance
from edgenode.typedefs.model import TypeDef
from edgenode.typedefs.status import InstanceStatus

A = TypeVar("A", bound=InstanceAuditHeader)
H = TypeVar("H", bound=InstanceHeader)
E = TypeVar("E", bound=EntitySummary)
Instance = TypeVar("Instance", EntityDetail, Relationship)

MAX_VERSION = 2**63 - 1
"""The highest version the wire can tell; it is not left again. Who sends a copy, or a
classification with a new entity, chooses its version."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Who makes a new state, and from when on it is in force."""

    user_id: str
    time: EpochMillis


def next_time(began: EpochMillis | None, now: EpochMillis) -> EpochMillis:
    """When an instance's next state begins: now, but after the one before it.

    Args:
        began: When its current state came into force here, None where there is none.
            What its header says may be another member's clock, or anybody's word.
        now: The time.
    """
    return now if began is None else max(now, began + 1)


def last_change(header: InstanceAuditHeader) -> EpochMillis:
    """When its home last changed an instance, by its home's clock; 0 if it doesn't say."""
    return header.update_time or header.create_time or 0


def copy_time(copy: InstanceHeader, now: EpochMillis) -> EpochMillis:
    """When a copy's state began at its home, which may lie in the past but not ahead."""
    return min(max(copy.create_time or 0, copy.update_time or 0) or now, now)


# Creating


def instance_type(type_def: TypeDef) -> InstanceType:
    """The type as an instance that is written now records it."""
    return InstanceType(
        type_def_category=type_def.category,
        type_def_guid=type_def.guid,
        type_def_name=type_def.name,
        type_def_version=type_def.version,
    )


def _content(properties: InstanceProperties | None) -> InstanceProperties | None:
    """Properties, or None where they say nothing."""
    if properties is None or properties.instance_properties:
        return properties
    effective = (properties.effective_from_time, properties.effective_to_time)
    return properties if any(time is not None for time in effective) else None


def new_entity(
    type_def: TypeDef,
    guid: str,
    provenance: Provenance,
    edit: Edit,
    *,
    properties: InstanceProperties | None = None,
    classifications: Iterable[Classification] = (),
    status: InstanceStatus | None = None,
) -> EntityDetail:
    """The first state of an entity."""
    return EntityDetail(
        type=instance_type(type_def),
        instance_provenance_type=provenance.type,
        metadata_collection_id=provenance.home.id,
        metadata_collection_name=provenance.home.name,
        replicated_by=provenance.replicated_by,
        created_by=edit.user_id,
        create_time=edit.time,
        version=1,
        status=status or type_def.initial_status,
        guid=guid,
        classifications=tuple(classifications) or None,
        properties=_content(properties),
    )


def new_relationship(
    type_def: TypeDef,
    guid: str,
    provenance: Provenance,
    edit: Edit,
    ends: tuple[EntityProxy, EntityProxy],
    *,
    properties: InstanceProperties | None = None,
    status: InstanceStatus | None = None,
) -> Relationship:
    """The first state of a relationship."""
    return Relationship(
        type=instance_type(type_def),
        instance_provenance_type=provenance.type,
        metadata_collection_id=provenance.home.id,
        metadata_collection_name=provenance.home.name,
        replicated_by=provenance.replicated_by,
        created_by=edit.user_id,
        create_time=edit.time,
        version=1,
        status=status or type_def.initial_status,
        guid=guid,
        entity_one_proxy=ends[0],
        entity_two_proxy=ends[1],
        properties=_content(properties),
    )


def new_classification(
    type_def: TypeDef,
    provenance: Provenance,
    edit: Edit,
    *,
    origin: ClassificationOrigin = ClassificationOrigin.ASSIGNED,
    origin_guid: str | None = None,
    properties: InstanceProperties | None = None,
) -> Classification:
    """The first state of a classification."""
    return Classification(
        type=instance_type(type_def),
        instance_provenance_type=provenance.type,
        metadata_collection_id=provenance.home.id,
        metadata_collection_name=provenance.home.name,
        replicated_by=provenance.replicated_by,
        created_by=edit.user_id,
        create_time=edit.time,
        version=1,
        status=type_def.initial_status,
        name=type_def.name,
        classification_origin=origin,
        classification_origin_guid=origin_guid,
        properties=_content(properties),
    )


def initial_classification(
    sent: Classification, provenance: Provenance
) -> Classification:
    """A classification that comes with a new entity: as sent, where it belongs filled in."""
    home_id = sent.metadata_collection_id
    home_name = sent.metadata_collection_name
    if home_id is None:
        home_id, home_name = provenance.home.id, home_name or provenance.home.name
    return replace(
        sent,
        instance_provenance_type=sent.instance_provenance_type or provenance.type,
        metadata_collection_id=home_id,
        metadata_collection_name=home_name,
    )


# Updating


def _edited(header: A, edit: Edit) -> A:
    maintainers = header.maintained_by or ()
    if edit.user_id not in maintainers:
        maintainers = (*maintainers, edit.user_id)
    return replace(
        header,
        # A classification that came with its entity may have been sent without one.
        version=min(max(header.version, 1) + 1, MAX_VERSION),
        updated_by=edit.user_id,
        update_time=edit.time,
        maintained_by=maintainers,
    )


def with_properties(
    instance: Instance, properties: InstanceProperties, edit: Edit
) -> Instance:
    """The state with all properties replaced."""
    return replace(_edited(instance, edit), properties=_content(properties))


def with_status(instance: H, status: InstanceStatus, edit: Edit) -> H:
    """The state with another status."""
    return replace(_edited(instance, edit), status=status)


def undone(current: Instance, previous: Instance, edit: Edit) -> Instance:
    """The state with the content of an earlier one; classifications stay as they are."""
    return replace(
        _edited(current, edit),
        type=previous.type,
        status=previous.status,
        status_on_delete=previous.status_on_delete,
        properties=previous.properties,
    )


def deleted(instance: H, edit: Edit) -> H:
    """The state that can be restored but no longer found."""
    return replace(
        _edited(instance, edit),
        status=InstanceStatus.DELETED,
        status_on_delete=instance.status,
    )


def deletion_with_end(
    relationship: Relationship, entity: EntitySummary, user_id: str
) -> Edit:
    """How a relationship is deleted with an entity of the same home.

    It follows from the two states alone: there is no event of it, and whoever has copies
    of both comes to the same.
    """
    time = max(last_change(entity), last_change(relationship) + 1)
    return Edit(user_id, time)


def restored(instance: H, edit: Edit) -> H:
    """The state as before it was deleted."""
    return replace(
        _edited(instance, edit),
        status=instance.status_on_delete or InstanceStatus.ACTIVE,
        status_on_delete=None,
    )


def re_identified(instance: H, new_guid: str, edit: Edit) -> H:
    """The first state under another GUID."""
    return replace(
        _edited(instance, edit), guid=new_guid, re_identified_from_guid=instance.guid
    )


def left_behind(moved: H, old_guid: str) -> H:
    """What stays under the GUID that a re-identified instance had: a deleted state."""
    return replace(
        moved,
        guid=old_guid,
        re_identified_from_guid=None,
        status=InstanceStatus.DELETED,
        status_on_delete=moved.status,
    )


def re_typed(instance: H, type_def: TypeDef, edit: Edit) -> H:
    """The state with another type."""
    return replace(_edited(instance, edit), type=instance_type(type_def))


def re_homed(instance: H, provenance: Provenance, edit: Edit) -> H:
    """The state that belongs to another metadata collection."""
    return replace(
        _edited(instance, edit),
        instance_provenance_type=provenance.type,
        metadata_collection_id=provenance.home.id,
        metadata_collection_name=provenance.home.name,
        replicated_by=provenance.replicated_by,
    )


# Classifications


def re_classified(
    classification: Classification, properties: InstanceProperties | None, edit: Edit
) -> Classification:
    """The classification's state with all properties replaced."""
    return replace(_edited(classification, edit), properties=_content(properties))


def classification_of(entity: EntitySummary, name: str) -> Classification | None:
    """The entity's classification of this name."""
    for classification in entity.classifications or ():
        if classification.name == name:
            return classification
    return None


def with_classification(entity: E, classification: Classification) -> E:
    """The entity with a classification added, or put in the place of its namesake."""
    named = {c.name: c for c in entity.classifications or ()}
    named[classification.name] = classification
    return replace(entity, classifications=tuple(named.values()))


def without_classification(entity: E, name: str) -> E:
    """The entity without a classification."""
    kept = tuple(c for c in entity.classifications or () if c.name != name)
    return replace(entity, classifications=kept or None)


def same_content(
    one: InstanceProperties | None, other: InstanceProperties | None
) -> bool:
    """Whether two sets of properties say the same."""
    return _content(one) == _content(other)


# Proxies


def entity_proxy(
    entity: EntityDetail | EntityProxy, unique_attributes: frozenset[str]
) -> EntityProxy:
    """What relationships carry of an entity.

    Args:
        entity: The entity, or what is known of it if that is a proxy already.
        unique_attributes: The attributes of its type that identify it.
    """
    if isinstance(entity, EntityProxy):
        return entity
    unique = entity.properties
    if unique is not None:
        identifying = {
            name: value
            for name, value in unique.instance_properties.items()
            if name in unique_attributes
        }
        unique = _content(replace(unique, instance_properties=identifying))
    header = {
        field.name: getattr(entity, field.name) for field in fields(EntitySummary)
    }
    return EntityProxy(**header, unique_properties=unique)


def with_end(relationship: Relationship, guid: str, proxy: EntityProxy) -> Relationship:
    """The relationship with the proxy in the place of the end, or ends, of this GUID."""
    one, two = relationship.entity_one_proxy, relationship.entity_two_proxy
    return replace(
        relationship,
        entity_one_proxy=proxy if one is not None and one.guid == guid else one,
        entity_two_proxy=proxy if two is not None and two.guid == guid else two,
    )
