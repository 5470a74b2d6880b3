"""What became of an event of another member, and what its sender is told."""

from dataclasses import dataclass
from enum import Enum

from edgenode.events.model import (
    EventError,
    InstanceEvent,
    OMRSEventErrorCode,
    TypeDefEvent,
)
from edgenode.events.streams import Position, Step
from edgenode.repository.base import Transaction


class Outcome(Enum):
    """What became of an event.

    ``GAP`` and ``UNKNOWN_TYPE`` leave the position where it is, so that the event can
    come again; all others move it past the event.
    """

    SAVED = 0
    IGNORED = 1
    NOT_WANTED = 2
    DUPLICATE = 3
    GAP = 4
    UNKNOWN_TYPE = 5
    REFUSED = 6
    ANSWERED = 7


@dataclass(frozen=True, slots=True)
class Report:
    """An error event for the cohort: its section, which names the type, and the error."""

    section: InstanceEvent | TypeDefEvent
    error: EventError


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """The outcome of one event.

    Attributes:
        reason: Why it was not saved, for the audit log.
        code: What the protocol calls that, where it was refused.
        report: What the cohort is to be told of it.
        unknown_types: The names of types that must be known first; of a type event, those
            that it names and that aren't known, or not at the version it is for.
        compare_with: A member that is said to hold something otherwise; or empty.
    """

    outcome: Outcome
    reason: str = ""
    code: OMRSEventErrorCode | None = None
    report: Report | None = None
    unknown_types: tuple[str, ...] = ()
    compare_with: str = ""

    @property
    def why(self) -> str:
        """The reason as the audit log tells it, with the protocol's code."""
        return self.reason if self.code is None else f"{self.code.name}: {self.reason}"


@dataclass(frozen=True, slots=True)
class TypeConflict:
    """A type that another member has otherwise than this one.

    Attributes:
        member: The member's metadata collection.
        type_guid: The type as the member tells it.
        type_name: Its name.
        code: What the protocol calls the conflict.
        reason: What differs.
    """

    member: str
    type_guid: str
    type_name: str
    code: OMRSEventErrorCode
    reason: str


def out_of_place(tx: Transaction, origin: str, step: Step | None) -> Received | None:
    """Why an event can't be applied at the place reached with its origin; None if it can.

    An event without a place, from a bus that numbers nothing, always can.
    """
    if step is None:
        return None
    position = tx.position(origin)
    if position is None or position.incarnation != step.incarnation:
        return Received(outcome=Outcome.GAP)
    if step.sequence <= position.sequence:
        return Received(outcome=Outcome.DUPLICATE)
    if position.sequence < step.after:
        return Received(outcome=Outcome.GAP)
    return None


def move_past(tx: Transaction, origin: str, step: Step | None) -> None:
    """Remember that an event was dealt with."""
    if step is not None:
        tx.move_to(origin, Position(step.incarnation, step.sequence))
