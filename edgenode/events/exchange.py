"""Which events a member sends, looks at and keeps: the exchange rules of Egeria.

Types are matched by their exact GUID; subtypes don't follow. An event that doesn't name
its type passes no rule, not even the one that lets all pass. Events about members
themselves are always exchanged.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeVar

from edgenode.events.model import InstanceEvent, OMRSInstanceEventType
from edgenode.instances.model import InstanceGraph, InstanceHeader

H = TypeVar("H", bound=InstanceHeader)


class OpenMetadataExchangeRule(Enum):
    """What is exchanged, beside who is in the cohort."""

    REGISTRATION_ONLY = 0
    JUST_TYPEDEFS = 1
    SELECTED_TYPES = 2
    LEARNED_TYPES = 3
    DESELECTED_TYPES = 4
    ALL = 99


_Rule = OpenMetadataExchangeRule


@dataclass(frozen=True, slots=True)
class ExchangeRule:
    """A rule and its types.

    Attributes:
        rule: The rule.
        type_guids: The types that are selected, deselected or learned.
    """

    rule: OpenMetadataExchangeRule = OpenMetadataExchangeRule.ALL
    type_guids: frozenset[str] = frozenset()

    def lets_types_pass(self) -> bool:
        """Whether events about types pass."""
        return self.rule is not _Rule.REGISTRATION_ONLY

    def lets_pass(self, type_guid: str | None, type_name: str | None) -> bool:
        """Whether events about instances of a type pass."""
        if type_guid is None or type_name is None:
            return False
        match self.rule:
            case _Rule.REGISTRATION_ONLY | _Rule.JUST_TYPEDEFS:
                return False
            case _Rule.SELECTED_TYPES | _Rule.LEARNED_TYPES:
                return type_guid in self.type_guids
            case _Rule.DESELECTED_TYPES:
                return type_guid not in self.type_guids
            case _Rule.ALL:
                return True

    def lets_instance_pass(self, header: InstanceHeader) -> bool:
        """Whether an instance passes, by its own type."""
        known = header.type
        return known is not None and self.lets_pass(
            known.type_def_guid, known.type_def_name
        )

    def learned(self, type_guid: str) -> "ExchangeRule":
        """The rule after an instance of a type was read from another member.

        Only the rule that learns changes. It is for the caller to see that the type is
        one that is active here, so that what is learned is bounded.
        """
        if self.rule is not _Rule.LEARNED_TYPES or type_guid in self.type_guids:
            return self
        return replace(self, type_guids=self.type_guids | {type_guid})


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRules:
    """The three rules of a member.

    Attributes:
        send: For events that go out.
        process: For events that come in, before anything is done with them.
        save: For instances of others that are kept as reference copies.
    """

    send: ExchangeRule = ExchangeRule()
    process: ExchangeRule = ExchangeRule()
    save: ExchangeRule = ExchangeRule()

    def sends_types(self) -> bool:
        """Whether events about types go out."""
        return self.send.lets_types_pass()

    def processes_types(self) -> bool:
        """Whether events about types of others are looked at."""
        return self.process.lets_types_pass()

    def saves(self, header: InstanceHeader) -> bool:
        """Whether an instance of another member is kept."""
        return self.save.lets_instance_pass(header)

    def sent(self, event: InstanceEvent) -> InstanceEvent | None:
        """What of an event goes out."""
        return _passing(event, self.send)

    def processed(self, event: InstanceEvent) -> InstanceEvent | None:
        """What of another member's event is looked at."""
        return _passing(event, self.process)


def _passing(event: InstanceEvent, rule: ExchangeRule) -> InstanceEvent | None:
    """The event, where it is a batch with what passes of it, or nothing."""
    batch = event.instance_batch
    if event.event_type is not OMRSInstanceEventType.BATCH_INSTANCES_EVENT:
        is_let_pass = rule.lets_pass(event.type_def_guid, event.type_def_name)
        return event if is_let_pass else None
    if batch is None:
        return None
    passing = InstanceGraph(
        header_version=batch.header_version,
        entities=_filtered(batch.entities, rule.lets_instance_pass),
        relationships=_filtered(batch.relationships, rule.lets_instance_pass),
    )
    if not (passing.entities or passing.relationships):
        return None
    return replace(event, instance_batch=passing)


def _filtered(
    instances: tuple[H, ...] | None, passes: Callable[[InstanceHeader], bool]
) -> tuple[H, ...] | None:
    return tuple(filter(passes, instances or ())) or None
