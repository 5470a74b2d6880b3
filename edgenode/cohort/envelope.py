"""The header that a message on the bus bears, its code, and the topics.

A message is an event's JSON with one field put before all others, so that a reader who
only knows events passes over it::

    {"edgenode":{"node":"<id>","run":"<id>",...,"mac":"<code>"},"class":"OMRSEventV1",...}

The code covers the topic, the header's text without the code, and the rest of the payload,
byte for byte. So nothing is parsed before the code is right, and nobody has to write JSON
exactly as somebody else does. Where the cohort has no key, there is no code.
"""

import hmac
import re
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

from edgenode.codec.json import dumps, loads
from edgenode.errors import BadRequestError, EdgeNodeError
from edgenode.events.streams import Step
from edgenode.limits import (
    MAX_ENVELOPE_HEADER_BYTES,
    MAX_MESSAGE_BYTES,
    MAX_TOPIC_ID_LENGTH,
)


class EnvelopeFault(Enum):
    """What is wrong with a message; the value is for counters and logs."""

    BAD_TOPIC = "bad topic"
    TOO_LARGE = "too large"
    NO_HEADER = "no header"
    BAD_HEADER = "bad header"
    NO_CODE = "no code"
    WRONG_CODE = "wrong code"


class EnvelopeError(EdgeNodeError):
    """A message that isn't looked into any further."""

    def __init__(self, reason: EnvelopeFault) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Who sends a message, and its place among others.

    Attributes:
        node: The node's id.
        run: Another one each time that the node starts.
        revision: Where the message replaces what was said before: the higher one holds.
        step: Where the message is an event of the outbox: its place among them.
    """

    node: str
    run: str
    revision: int | None = None
    step: Step | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message taken apart.

    Attributes:
        header: Who sent it.
        body: The JSON object of the event, not looked at.
        code: What tells the message from all others; empty where there is no key.
    """

    header: Header
    body: bytes
    code: bytes = b""


# The header stands first, and holds neither objects nor text with braces.
_PAYLOAD = re.compile(
    rb'\{"edgenode":(\{[^{}]{1,%d}?)(?:,"mac":"([0-9a-f]{32})")?\}(?=,)'
    % MAX_ENVELOPE_HEADER_BYTES
)
_CODE_LENGTH = 16
_ID = re.compile(rf"[A-Za-z0-9._-]{{1,{MAX_TOPIC_ID_LENGTH}}}")
_NUMBERS = range(2**63)


def wrap(key: bytes | None, topic: str, header: Header, body: bytes) -> bytes:
    """The payload of a message.

    Args:
        key: The cohort's key for the bus; None where it has none.
        topic: Where the message is sent; it can't be moved to another topic.
        header: Who sends it.
        body: A JSON object with one field at least.

    Raises:
        EnvelopeError: The message would be larger than receivers take.
    """
    if not body.startswith(b"{") or body.startswith(b"{}"):
        raise ValueError("the body is no object, or an empty one")
    told, rest = _told(header), b"," + body[1:]
    mac = b"" if key is None else b',"mac":"%s"' % _code(key, topic, told, rest)
    payload = b'{"edgenode":' + told[:-1] + mac + b"}" + rest
    if len(payload) > MAX_MESSAGE_BYTES:
        raise EnvelopeError(EnvelopeFault.TOO_LARGE)
    return payload


def unwrap(key: bytes | None, topic: str, payload: bytes) -> Envelope:
    """Check a message and take it apart.

    Args:
        key: The cohort's key for the bus; None where it has none.
        topic: Where the message arrived.
        payload: What arrived.

    Raises:
        EnvelopeError: The message is none, or not by somebody who has the key.
    """
    if len(payload) > MAX_MESSAGE_BYTES:
        raise EnvelopeError(EnvelopeFault.TOO_LARGE)
    found = _PAYLOAD.match(payload)
    if found is None:
        raise EnvelopeError(EnvelopeFault.NO_HEADER)
    told, code, rest = found[1] + b"}", found[2], payload[found.end() :]
    if key is None:
        if code is not None:  # there is nothing to check it with
            raise EnvelopeError(EnvelopeFault.WRONG_CODE)
    elif code is None:
        raise EnvelopeError(EnvelopeFault.NO_CODE)
    elif not hmac.compare_digest(code, _code(key, topic, told, rest)):
        raise EnvelopeError(EnvelopeFault.WRONG_CODE)
    return Envelope(_header(told), b"{" + rest[1:], code or b"")


def _code(key: bytes, topic: str, told: bytes, rest: bytes) -> bytes:
    text = b"\0".join((topic.encode(), told, rest))
    return hmac.digest(key, text, "sha256")[:_CODE_LENGTH].hex().encode()


def _told(header: Header) -> bytes:
    fields: dict[str, Any] = {"node": header.node, "run": header.run}
    if header.revision is not None:
        fields["revision"] = header.revision
    if header.step is not None:
        fields["incarnation"] = header.step.incarnation
        fields["after"] = header.step.after
        fields["sequence"] = header.step.sequence
    return dumps(fields)


def _header(told: bytes) -> Header:
    try:
        fields = loads(told)
    except BadRequestError as error:
        raise EnvelopeError(EnvelopeFault.BAD_HEADER) from error
    revision = None if "revision" not in fields else _number(fields, "revision")
    step = None
    if "sequence" in fields:
        incarnation = _id(fields, "incarnation")
        after, sequence = _number(fields, "after"), _number(fields, "sequence")
        if after >= sequence:
            raise EnvelopeError(EnvelopeFault.BAD_HEADER)
        step = Step(incarnation, after, sequence)
    return Header(
        node=_id(fields, "node"),
        run=_id(fields, "run"),
        revision=revision,
        step=step,
    )


def _id(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if isinstance(value, str) and _ID.fullmatch(value):
        return value
    raise EnvelopeError(EnvelopeFault.BAD_HEADER)


def _number(fields: dict[str, Any], name: str) -> int:
    value = fields.get(name)
    if type(value) is int and value in _NUMBERS:
        return value
    raise EnvelopeError(EnvelopeFault.BAD_HEADER)


# Topics


class TopicKind(StrEnum):
    """What is sent on a topic, as it stands in its name."""

    REGISTRATION = "registration"
    REQUESTS = "requests"
    TYPES = "types"
    INSTANCES = "instances"
    NODE = "node"
    LOST = "lost"


_KINDS = {kind.value: kind for kind in TopicKind}


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of a cohort; all begin with ``prefix``, which ends with a slash."""

    prefix: str

    @property
    def all(self) -> str:
        """What to subscribe to."""
        return f"{self.prefix}#"

    def name(self, kind: TopicKind, about: str) -> str:
        """The topic on which something is said by or of a member or node.

        Raises:
            ValueError: The id can't stand in a topic.
        """
        if not is_topic_id(about):
            raise ValueError(f"{about!r} can't stand in a topic")
        return f"{self.prefix}{kind}/{about}"

    def parse(self, name: str) -> tuple[TopicKind, str]:
        """What is sent on a topic, and the member or node by or of which.

        Raises:
            EnvelopeError: It is none of these topics.
        """
        if name.startswith(self.prefix):
            kind, _, about = name[len(self.prefix) :].partition("/")
            if kind in _KINDS and is_topic_id(about):
                return _KINDS[kind], about
        raise EnvelopeError(EnvelopeFault.BAD_TOPIC)


def is_topic_id(text: str) -> bool:
    """Whether an id can stand in a topic; GUIDs and node ids can."""
    return _ID.fullmatch(text) is not None
