"""Who tells something in an event, and why it isn't taken."""

from dataclasses import dataclass
from typing import TypeVar

from edgenode.clock import EpochMillis
from edgenode.collection.received import Outcome, Received, Report
from edgenode.events.exchange import ExchangeRules
from edgenode.events.model import OMRSEventErrorCode
from edgenode.instances import lifecycle
from edgenode.instances.model import InstanceHeader
from edgenode.repository.base import Transaction

T = TypeVar("T")

SAVED = Received(outcome=Outcome.SAVED)
NOT_WANTED = Received(outcome=Outcome.NOT_WANTED)


class RefusedError(Exception):
    """An event is not applied; raised before anything of it is written."""

    def __init__(self, reason: str, report: Report | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.report = report

    @property
    def code(self) -> OMRSEventErrorCode:
        """What the protocol calls the reason."""
        code = None if self.report is None else self.report.error.error_code
        return code or OMRSEventErrorCode.INVALID_INSTANCE_EVENT


class EarlyClaimError(RefusedError):
    """A member tells another one's as its own, as if it had told that it is the home."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who tells something, in which change, and what of it is taken.

    Attributes:
        last_try: Unknown types won't become known.
        is_placed: What is told comes in the order in which it happened.
        at: When it is told, by the sender's clock.
        is_hearsay: What is told may be others'.
    """

    tx: Transaction
    origin: str
    rules: ExchangeRules
    last_try: bool = False
    is_placed: bool = False
    at: EpochMillis | None = None
    is_hearsay: bool = False

    def told_at(self, told: InstanceHeader) -> EpochMillis | None:
        """When a state was told, where what happened since may be known already."""
        if self.is_placed:
            return None
        return lifecycle.last_change(told) if self.at is None else self.at


def ignored(reason: str = "") -> Received:
    """Nothing follows from an event."""
    return Received(outcome=Outcome.IGNORED, reason=reason)


def required(part: T | None) -> T:
    """A part of an event, which is refused without it."""
    if part is None:
        raise RefusedError("it lacks what its type says it has")
    return part
