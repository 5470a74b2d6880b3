"""The state that each capture presupposes, made from what the captures themselves tell.

A seed is an instance as some capture shows it, or that with what is known to have
been different before. They are stored in order, each in force from its own time.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from edgenode.clock import EpochMillis
from edgenode.instances.model import (
    EntityDetail,
    EntityProxy,
    InstanceProvenanceType,
    Relationship,
)
from edgenode.repository.base import Repository, Transaction
from edgenode.typedefs.status import InstanceStatus
from tests.model.house import CODEC
from tests.wire.captures import Capture

Instance = EntityDetail | EntityProxy | Relationship
Captures = Mapping[str, Capture]


class Past:
    """The instances of the captures' story, by the number of the capture."""

    def __init__(self, captures: Captures) -> None:
        self._captures = {
            name.partition("-")[0]: each for name, each in captures.items()
        }
        self._captures |= captures

    def answer(self, number: str) -> Mapping[str, Any]:
        return self._captures[number].answer

    def entity(
        self, number: str, at: int | None = None, **changes: Any
    ) -> EntityDetail:
        """The entity of an answer, or the one at a place of its list."""
        answer = self.answer(number)
        listed = answer.get("entities") or answer.get("entityElementList") or ()
        found = answer["entity"] if at is None else listed[at]
        return replace(CODEC.from_object(EntityDetail, found), **changes)

    def relationship(self, number: str, **changes: Any) -> Relationship:
        """The relationship of an answer."""
        found = CODEC.from_object(Relationship, self.answer(number)["relationship"])
        return replace(found, **changes)

    def sent_entity(self, number: str) -> EntityDetail:
        """The entity of a request."""
        return CODEC.from_object(EntityDetail, self._captures[number].body)

    def sent_proxy(self, number: str) -> EntityProxy:
        """The proxy of a request."""
        return CODEC.from_object(EntityProxy, self._captures[number].body)

    # The main characters, at the times the captures need them

    @property
    def category(self) -> EntityDetail:
        return self.entity("26", 1)

    @property
    def new_term(self) -> EntityDetail:
        return self.entity("13")

    @property
    def classified_term(self) -> tuple[EntityDetail, ...]:
        """The term's states up to its second classification."""
        return (self.new_term, *map(self.entity, ("19", "20", "21")))

    @property
    def last_term(self) -> EntityDetail:
        return self.entity("45", 0)

    @property
    def linked(self) -> tuple[Instance, ...]:
        """Term and category with the relationship, and the term's later states."""
        first, *later = self.classified_term
        return (self.category, first, self.relationship("17"), *later)

    @property
    def changed_term(self) -> tuple[EntityDetail, ...]:
        """The states of the term that its history shows."""
        return (
            self.new_term,
            self.entity("19"),
            self.entity("20"),
            self.entity("21"),
            self.entity("22"),
            self.entity("42"),
            self.entity("41"),
            self.last_term,
        )

    @property
    def short_lived(self) -> EntityDetail:
        """The term that is deleted, as it was made."""
        return as_created(self.entity("49"))

    @property
    def terms_to_find(self) -> tuple[EntityDetail, ...]:
        return (
            self.entity("70", 0),
            self.entity("77", 0),
            self.entity("77", 1),
            self.entity("71", 1),
        )


def as_created(entity: EntityDetail, **changes: Any) -> EntityDetail:
    """An entity without the traces of any change."""
    values: dict[str, Any] = {
        "version": 1,
        "status": InstanceStatus.ACTIVE,
        "status_on_delete": None,
        "updated_by": None,
        "update_time": None,
        "maintained_by": None,
    }
    return replace(entity, **values | changes)


def _before_undo(past: Past) -> Iterable[Instance]:
    third = past.entity("37")
    fourth = replace(
        third,
        version=4,
        update_time=(past.entity("41").update_time or 0) - 1,
        properties=past.last_term.properties,
    )
    return (past.new_term, past.entity("42"), third, fourth)


def _before_deletion(past: Past) -> Iterable[Instance]:
    deleted = past.relationship("55")
    before = replace(
        deleted,
        version=4,
        status=InstanceStatus.ACTIVE,
        status_on_delete=None,
        update_time=(deleted.update_time or 0) - 1,
    )
    return (past.category, past.last_term, before)


def _before_re_identification(past: Past) -> Iterable[Instance]:
    renamed = past.entity("56")
    return (
        as_created(
            renamed, guid=renamed.re_identified_from_guid, re_identified_from_guid=None
        ),
    )


def _before_external_classification(past: Past) -> Iterable[Instance]:
    return (past.category, past.last_term)


def _a_classified_one_to_find(past: Past) -> Iterable[Instance]:
    first, *others = past.terms_to_find
    return (replace(first, classifications=past.new_term.classifications), *others)


Seed = Callable[[Past], Iterable[Instance]]

SEEDS: Mapping[str, Seed] = {
    "12": lambda past: (past.category, past.new_term),
    "13": lambda past: (past.new_term,),
    "14": lambda past: (past.new_term,),
    "17": lambda past: (past.category, past.new_term, past.relationship("17")),
    "19": lambda past: (past.new_term,),
    "20": lambda past: (past.new_term, past.entity("19")),
    "21": lambda past: (past.new_term, past.entity("19"), past.entity("20")),
    "22": lambda past: past.classified_term,
    "23": lambda past: (*past.classified_term, past.entity("22")),
    "24": lambda past: (past.entity("22"),),
    "25": lambda past: past.linked,
    "26": lambda past: past.linked,
    "27": lambda past: past.linked,
    "28": lambda past: past.linked,
    "36": lambda past: (past.entity("42"),),
    "37": lambda past: (past.entity("42"),),
    "39": lambda past: (past.category, past.new_term),
    "40": lambda past: (past.category,),
    "41": _before_undo,
    "42": lambda past: past.changed_term,
    "43": lambda past: past.changed_term,
    "44": lambda past: past.changed_term,
    "45": lambda past: past.changed_term,
    "46": lambda past: past.changed_term,
    "47": lambda past: (past.short_lived,),
    "48": lambda past: (past.short_lived,),
    "49": lambda past: (past.short_lived,),
    "50": lambda past: (past.short_lived, past.entity("49")),
    "51": lambda past: (past.short_lived, past.entity("49")),
    "52": lambda past: (past.short_lived, past.entity("49")),
    "53": lambda past: (past.short_lived, past.entity("49"), past.entity("52")),
    "54": lambda past: (past.short_lived, past.entity("49")),
    "55": _before_deletion,
    "56": _before_re_identification,
    "57": lambda past: (past.entity("56"),),
    "58": lambda past: (past.entity("57"),),
    "60": lambda past: (past.last_term,),
    "61": lambda past: (past.entity("59"),),
    "62": lambda past: (past.last_term,),
    "63": lambda past: (past.last_term,),
    "70": lambda past: past.terms_to_find,
    "71": lambda past: past.terms_to_find,
    "72": lambda past: past.terms_to_find,
    "73": lambda past: past.terms_to_find,
    "74": lambda past: past.terms_to_find,
    "75": lambda past: past.terms_to_find,
    "76": lambda past: past.terms_to_find,
    "77": lambda past: past.terms_to_find,
    "78": _a_classified_one_to_find,
    "79": lambda past: past.terms_to_find,
    "80": lambda past: (*past.terms_to_find, past.entity("80", 0)),
    "81": _before_deletion,
    "91": lambda past: (past.entity("57"),),
    "92": lambda past: (past.last_term,),
    "93": lambda past: (past.last_term,),
    "94": lambda past: (past.last_term,),
    "96": lambda past: (past.sent_entity("96"),),
    "97": lambda past: (past.last_term,),
    "A3": lambda past: (past.sent_proxy("A2"),),
    "A4": lambda past: (past.sent_proxy("A2"),),
    "A5": lambda past: (past.sent_proxy("A2"),),
    "A6": lambda past: (past.category, past.sent_proxy("A2")),
    "A7": _before_external_classification,
    "A8": lambda past: (past.entity("A8"),),
    "A9": lambda past: (past.last_term,),
}
"""What is stored before a capture is replayed, by its number; nothing for the others."""


def time_of(instance: Instance) -> EpochMillis:
    """When the newest part of an instance came into being."""
    times = [instance.update_time, instance.create_time]
    for classification in getattr(instance, "classifications", None) or ():
        times += [classification.update_time, classification.create_time]
    return max(time for time in times if time is not None)


async def plant(repository: Repository, instances: Iterable[Instance]) -> None:
    """Store instances as their homes would have sent them."""

    def work(transaction: Transaction) -> None:
        last = 0
        for instance in instances:
            last = max(last, time_of(instance))
            stored = _as_stored(instance)
            if isinstance(stored, EntityDetail):
                transaction.save_entity(stored, last)
            elif isinstance(stored, EntityProxy):
                transaction.save_proxy(stored, last)
            else:
                transaction.save_relationship(stored, last)

    await repository.change(work)


def _as_stored(instance: Instance) -> Instance:
    """What is worked out for each reader isn't stored."""
    if (
        instance.instance_provenance_type
        is InstanceProvenanceType.DEREGISTERED_REPOSITORY
    ):
        return replace(
            instance, instance_provenance_type=InstanceProvenanceType.LOCAL_COHORT
        )
    return instance
