"""Where instances belong: who may change one, and which copies may replace which.

An instance has one home, the metadata collection that ``metadata_collection_id``
names. Its home changes it; everybody else holds copies. An instance of an external
source is changed only by the member that replicates it. A copy never replaces what is
at home here: that is decided in this module and nowhere else.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeVar

from edgenode.clock import EpochMillis
from edgenode.instances.digests import owner_of
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntityProxy,
    EntitySummary,
    InstanceAuditHeader,
    InstanceHeader,
    InstanceProvenanceType,
    Relationship,
)

A = TypeVar("A", bound=InstanceAuditHeader)
E = TypeVar("E", bound=EntitySummary)


@dataclass(frozen=True, slots=True)
class Home:
    """A metadata collection, as headers name it."""

    id: str
    name: str | None


@dataclass(frozen=True, slots=True)
class Provenance:
    """The header fields that say where an instance belongs."""

    type: InstanceProvenanceType
    home: Home
    replicated_by: str | None = None


def local_provenance(local: Home) -> Provenance:
    """What is created here and belongs here."""
    return Provenance(InstanceProvenanceType.LOCAL_COHORT, local)


def external_provenance(source: Home, local: Home) -> Provenance:
    """What is created here on behalf of a source outside the cohort."""
    return Provenance(InstanceProvenanceType.EXTERNAL_SOURCE, source, local.id)


def may_update(header: InstanceAuditHeader, local_id: str) -> bool:
    """Whether the member may change the instance; classifying it is free to all."""
    match header.instance_provenance_type:
        case InstanceProvenanceType.LOCAL_COHORT:
            return header.metadata_collection_id == local_id
        case InstanceProvenanceType.EXTERNAL_SOURCE:
            return header.replicated_by == local_id
        case _:
            return False


def is_at_home(header: InstanceAuditHeader, local_id: str) -> bool:
    """Whether this member answers for the instance, so that no copy may replace it."""
    return header.metadata_collection_id == local_id or may_update(header, local_id)


def is_archived(header: InstanceAuditHeader) -> bool:
    """Whether an archive answers for the instance, and no member does."""
    return header.instance_provenance_type in {
        InstanceProvenanceType.CONTENT_PACK,
        InstanceProvenanceType.EXPORT_ARCHIVE,
    }


class CopyVerdict(Enum):
    """What to do with a copy that another member's instance arrived as."""

    SAVE = 0
    IGNORE = 1
    AT_HOME = 2
    CONFLICT = 3
    OLDER_TYPE = 4


def judge_copy(
    stored: InstanceHeader | None,
    incoming: InstanceHeader,
    local_id: str,
    *,
    from_archive: bool = False,
) -> CopyVerdict:
    """Decide about a copy, given the state that is stored under its GUID.

    The higher version wins and an equal one replaces. Another create time or another
    home means two instances under one GUID; an older version of the type means that
    the sender does not know the type as the stored copy's author did. What is at home here
    comes back only from an archive, and only where it is missing or older.
    """
    ours = is_at_home(incoming, local_id)
    if ours and not from_archive:
        return CopyVerdict.AT_HOME
    if stored is None:
        return CopyVerdict.SAVE
    if is_at_home(stored, local_id) and not ours:
        return CopyVerdict.AT_HOME
    if _differ(stored.create_time, incoming.create_time):
        return CopyVerdict.CONFLICT
    if incoming.version < stored.version + ours:
        return CopyVerdict.IGNORE
    if _has_older_type(incoming, stored):
        return CopyVerdict.CONFLICT
    if incoming.metadata_collection_id != stored.metadata_collection_id:
        return CopyVerdict.CONFLICT
    return CopyVerdict.SAVE


def may_tell(
    teller: str, told: InstanceAuditHeader, was_member: Callable[[str], bool]
) -> bool:
    """Whether a member may say what an instance or classification is.

    Owners speak for their own. What no member ever answered for was brought by an archive,
    which may say of it what it likes (backups of servers elsewhere are archives, too): it is
    told by whoever has it.

    Args:
        teller: The member that says it.
        told: What it says.
        was_member: Whether a metadata collection is, or ever was, this one or a member's.
    """
    owner = owner_of(told)
    return owner == teller or not was_member(owner)


def judge_event(
    stored: InstanceHeader | None,
    told: InstanceHeader,
    local_id: str,
    *,
    re_homed: bool = False,
) -> CopyVerdict:
    """Decide about the state of an instance that an event of another member tells.

    Only a higher version replaces: events may be repeated and come in any order. A
    member that took over an instance (``re_homed``) becomes its home for everybody, the
    former home included.
    """
    if is_at_home(told, local_id):
        return CopyVerdict.AT_HOME
    if stored is None:
        return CopyVerdict.SAVE
    if _differ(stored.create_time, told.create_time):
        return CopyVerdict.CONFLICT
    if told.version <= stored.version:
        return CopyVerdict.IGNORE
    if is_at_home(stored, local_id) and not re_homed:
        return CopyVerdict.AT_HOME
    if _has_older_type(told, stored):
        return CopyVerdict.OLDER_TYPE
    if not re_homed and (
        told.metadata_collection_id != stored.metadata_collection_id
        or owner_of(told) != owner_of(stored)
    ):
        return CopyVerdict.CONFLICT
    return CopyVerdict.SAVE


def _differ(one: EpochMillis | None, other: EpochMillis | None) -> bool:
    return one is not None and other is not None and one != other


def _has_older_type(incoming: InstanceHeader, stored: InstanceHeader) -> bool:
    one, other = incoming.type, stored.type
    return (
        one is not None
        and other is not None
        and one.type_def_guid == other.type_def_guid
        and one.type_def_version < other.type_def_version
    )


def with_home_classifications(
    incoming: E, stored: EntitySummary | None, local_id: str
) -> E:
    """A copy with the classifications that members here gave to the stored one.

    A classification has a home of its own, so a new copy of the entity does not
    take away those that are at home here.
    """
    if stored is None or not stored.classifications:
        return incoming
    kept = {c.name: c for c in stored.classifications if is_at_home(c, local_id)}
    if not kept:
        return incoming
    others = [c for c in incoming.classifications or () if c.name not in kept]
    return replace(incoming, classifications=(*others, *kept.values()))


def is_newer(
    one: Classification,
    other: Classification,
    entity: InstanceHeader,
    is_known: Callable[[str], bool],
) -> bool:
    """Whether the one of two namesakes at an entity holds against the other.

    Of one owner the one that was given later does, then the higher version. Where two
    gave it, neither knowing of the other, everybody keeps the same one: a registered
    member's, then that of the entity's own home, then the one that was given first, and
    the ids decide where that was at the same time.

    Args:
        one: The one.
        other: The other.
        entity: What both were given to.
        is_known: Whether a metadata collection is this one or a registered member's.
    """
    if owner_of(one) == owner_of(other):
        one_time, other_time = one.create_time or 0, other.create_time or 0
        return (one_time, one.version) > (other_time, other.version)

    def rank(given: Classification) -> tuple[bool, bool, int, str]:
        owner = owner_of(given)
        # Before there was the entity nobody can have given it anything.
        since = max(given.create_time or 0, entity.create_time or 0)
        return not is_known(owner), owner != owner_of(entity), since, owner

    return rank(one) < rank(other)


def with_told_classifications(
    told: E,
    stored: EntitySummary | None,
    origin: str,
    local_id: str,
    is_known: Callable[[str], bool],
    *,
    told_at: EpochMillis | None = None,
) -> E:
    """The state of an entity as told, each classification as its own owner told it.

    Who tells an entity's state says for good which classifications of its own the entity
    has. What it says of others' is hearsay: taken where nothing was known of the entity,
    but neither taken back nor brought back later, for they tell it themselves.

    Args:
        told: The state.
        stored: What is known of the entity.
        origin: Who tells it.
        local_id: This collection, which nobody tells what it gave.
        is_known: Whether a metadata collection is this one or a registered member's.
        told_at: When it was told, by the teller's clock, where what was given since may
            be known already; None where it can't.
    """
    owners = {origin, owner_of(told)}
    before = (stored and stored.classifications) or ()
    named: dict[str | None, Classification] = {}
    for given in told.classifications or ():
        is_news = owner_of(given) in owners or not isinstance(stored, EntityDetail)
        if is_news and not is_at_home(given, local_id):
            named[given.name] = given
    for kept in before:
        given_now = named.get(kept.name)
        if given_now is None:
            is_since = told_at is not None and (kept.create_time or 0) >= told_at
            stays = (
                is_since or is_at_home(kept, local_id) or owner_of(kept) not in owners
            )
        else:
            stays = is_newer(kept, given_now, told, is_known)
        if stays:
            named[kept.name] = kept
    return replace(told, classifications=tuple(named.values()) or None)


def with_added_classifications(incoming: E, stored: EntitySummary) -> E:
    """An archive's entity with the classifications that the stored one got since.

    An archive tells some classifications apart from their entities. When it is loaded
    again they are still there, as long as it has no newer version of the entity.
    """
    if stored.version != incoming.version or not stored.classifications:
        return incoming
    named = {c.name: c for c in incoming.classifications or ()}
    for known in stored.classifications:
        told = named.get(known.name)
        if told is None or told.version < known.version:
            named[known.name] = known
    return replace(incoming, classifications=tuple(named.values()))


def as_seen(header: A, is_known: Callable[[str], bool]) -> A:
    """The header as readers see it: a home that nobody knows any more is deregistered.

    Args:
        header: The instance or classification as stored, which never says so itself.
        is_known: Whether a metadata collection is this one or a registered member's.
    """
    if (
        header.instance_provenance_type is not InstanceProvenanceType.LOCAL_COHORT
        or header.metadata_collection_id is None
        or is_known(header.metadata_collection_id)
    ):
        return header
    deregistered = InstanceProvenanceType.DEREGISTERED_REPOSITORY
    return replace(header, instance_provenance_type=deregistered)


def entity_as_seen(entity: E, is_known: Callable[[str], bool]) -> E:
    """An entity in any form, with its classifications, as readers see it."""
    seen = as_seen(entity, is_known)
    if not seen.classifications:
        return seen
    classifications: tuple[Classification, ...] = tuple(
        as_seen(classification, is_known) for classification in seen.classifications
    )
    return replace(seen, classifications=classifications)


def relationship_as_seen(
    relationship: Relationship, is_known: Callable[[str], bool]
) -> Relationship:
    """A relationship with its ends, as readers see it."""

    def end(proxy: EntityProxy | None) -> EntityProxy | None:
        return proxy and entity_as_seen(proxy, is_known)

    return replace(
        as_seen(relationship, is_known),
        entity_one_proxy=end(relationship.entity_one_proxy),
        entity_two_proxy=end(relationship.entity_two_proxy),
    )
