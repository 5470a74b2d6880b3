"""The events of an outbox as the cohort is sent them, in the name of one origin."""

from edgenode.codec.codec import Codec
from edgenode.events.exchange import ExchangeRules
from edgenode.events.model import InstanceEvent, TypeDefEvent
from edgenode.events.registration import MemberRegistration
from edgenode.events.wrapping import EventBuilder, originator_of
from edgenode.repository.outbox import QueuedEvent


class Wording:
    """Words the events of one origin; those of others are no part of what it says."""

    def __init__(
        self,
        codec: Codec,
        rules: ExchangeRules,
        registration: MemberRegistration,
        origin: str | None = None,
    ) -> None:
        """Take whose events they are.

        Args:
            codec: The form of events.
            rules: What is sent.
            registration: Who sends them.
            origin: Which events of the outbox these are; None for the server's own.
        """
        self._codec = codec
        self._rules = rules
        self._build = EventBuilder(originator_of(registration))
        self._origin = origin

    def text(self, queued: QueuedEvent) -> bytes | None:
        """An event as it is sent; None for one that isn't."""
        if queued.origin != self._origin:
            return None
        event: InstanceEvent | TypeDefEvent | None = queued.event
        if isinstance(event, InstanceEvent):
            event = self._rules.sent(event)
        elif not self._rules.sends_types():
            event = None
        if event is None:
            return None
        return self._codec.encode_event(self._build.event(event, queued.at))
