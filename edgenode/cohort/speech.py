"""What a node says on the bus, and what of all that is said there is heard at all.

A message is heard once, from whoever has the cohort's key and wasn't removed; of a node
whose broker is subscribed to, only what comes from there. Where not everybody hears
everybody, what is news is passed on.
"""

import logging
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Protocol

from edgenode.bus.base import BusStatistics, EventBus, Message
from edgenode.clock import Clock
from edgenode.cohort.envelope import (
    Envelope,
    EnvelopeError,
    EnvelopeFault,
    Header,
    TopicKind,
    Topics,
    unwrap,
    wrap,
)
from edgenode.cohort.overlay import is_partial
from edgenode.cohort.passing import Heard
from edgenode.errors import BadRequestError
from edgenode.security.trust import Refusal, Trust

logger = logging.getLogger(__name__)

_RETAINED = frozenset({TopicKind.REGISTRATION, TopicKind.NODE})
_REFUSALS = {
    EnvelopeFault.NO_CODE: Refusal.CODE,
    EnvelopeFault.WRONG_CODE: Refusal.CODE,
}


@dataclass(frozen=True, slots=True)
class Session:
    """How nodes speak with each other on the bus, until the cohort's key changes.

    Attributes:
        bus: Where events go and come from.
        topics: The cohort's topics.
        key: Authenticates messages; None in an open cohort.
    """

    bus: EventBus
    topics: Topics
    key: bytes | None


class Listener(Protocol):
    """Who does what messages say."""

    def heed(
        self, kind: TopicKind, about: str, envelope: Envelope, *, first_hand: bool
    ) -> bool:
        """Do what a message says; False when it may not say so, or is of no use.

        Args:
            kind: What is said.
            about: By or of which member or node.
            envelope: The message.
            first_hand: Whether it comes from the broker of the node that says it.

        Raises:
            BadRequestError: It can't be read.
        """
        ...

    def heed_itself(self, kind: TopicKind, about: str, envelope: Envelope) -> None:
        """Hear a message of this node's own.

        Raises:
            BadRequestError: It can't be read.
        """
        ...

    def count_nodes(self) -> int:
        """How many nodes there are in the cohort, as far as is known."""
        ...


class Speech:
    """This node's part on the bus, whichever that is for now.

    Attributes:
        linked: The nodes whose brokers are subscribed to.
        oversized: Messages that were too large for the bus.
        indirect: Messages that came by another way than their node's own broker.
    """

    def __init__(
        self, node_id: str, trust: Trust, listener: Listener, clock: Clock
    ) -> None:
        self.linked: set[str] = set()
        self.oversized = 0
        self.indirect = 0
        self.session: Session | None = None
        self._node_id = node_id
        self._trust = trust
        self._listener = listener
        self._clock = clock
        self._heard = Heard()

    @property
    def bus(self) -> EventBus | None:
        """The bus, while there is one."""
        return None if self.session is None else self.session.bus

    def statistics(self) -> BusStatistics | None:
        """What the bus did; None while there is none."""
        return None if self.session is None else self.session.bus.statistics()

    def say(self, kind: TopicKind, about: str, header: Header, body: bytes) -> None:
        """Put something on the bus; it may get lost."""
        session = self.session
        if session is None:
            return  # whoever misses it sees the gap, or is told in an exchange
        topic = session.topics.name(kind, about)
        try:
            payload = wrap(session.key, topic, header, body)
        except EnvelopeError:
            # Too large for the bus: whoever sees the gap fetches it from here.
            self.oversized += 1
            return
        session.bus.publish(Message(topic, payload, kind in _RETAINED))

    def received(self, message: Message, link: str | None) -> None:
        """A message arrived; ``link`` is the node whose broker it came from."""
        session = self.session
        if session is None or not message.payload:
            return
        try:
            kind, about = session.topics.parse(message.topic)
            envelope = unwrap(session.key, message.topic, message.payload)
        except EnvelopeError as error:
            self.refuse(_REFUSALS.get(error.reason, Refusal.MALFORMED), link)
            return
        sender = envelope.header.node
        try:
            if sender == self._node_id:
                self._listener.heed_itself(kind, about, envelope)
            elif self._trust.is_removed(sender):
                self.refuse(Refusal.REMOVED, sender)
            elif link is not None and sender != link and sender in self.linked:
                self.indirect += 1  # it comes from its own broker, too
            elif self._heard.is_new(code := envelope.code or _code_of(message.payload)):
                is_remembered = self._heard.remember(code, self._clock.monotonic())
                is_news = self._listener.heed(
                    kind, about, envelope, first_hand=sender == link
                )
                if is_news and is_remembered and link is not None:
                    self._pass_on(session, message)
        except BadRequestError as error:
            self.refuse(Refusal.MALFORMED, sender)
            logger.debug("message on %s: %s", message.topic, error)

    def refuse(self, reason: Refusal, who: str | None) -> None:
        """Count somebody who may not say what was said."""
        self._trust.refused(reason, who or "the bus")

    def _pass_on(self, session: Session, message: Message) -> None:
        if is_partial(self._listener.count_nodes()):
            # Not retained, or what is made up would stay: who links later exchanges.
            session.bus.publish(replace(message, retained=False))


def _code_of(payload: bytes) -> bytes:
    """What an open cohort's messages are known by."""
    return blake2b(payload, digest_size=16).digest()
