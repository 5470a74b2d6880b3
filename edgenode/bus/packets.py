"""MQTT 3.1.1 packets as a broker's clients send them, and the few it answers with.

Bytes in, data out; who may say what is decided elsewhere. All of a packet is checked
before anything of it is used.
"""

from dataclasses import dataclass
from enum import IntEnum

from edgenode.errors import EdgeNodeError

MAX_REMAINING = 268_435_455
"""The largest number that the four bytes of a packet's length can say."""

PING_RESPONSE = b"\xd0\x00"
DISCONNECT = b"\xe0\x00"
REFUSED_FILTER = 0x80
"""What a subscription is answered with that isn't granted."""

_PROTOCOL = b"\x00\x04MQTT"
_LEVEL = 4


class PacketType(IntEnum):
    """The upper half of a packet's first byte."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    DISCONNECT = 14


class Refusal(IntEnum):
    """Why a connection isn't accepted, as the CONNACK packet has it."""

    PROTOCOL_VERSION = 1
    IDENTIFIER = 2
    UNAVAILABLE = 3
    NOT_AUTHORIZED = 5


class PacketError(EdgeNodeError):
    """What arrived is not MQTT 3.1.1, or nothing that a client may send then."""


class RefusedConnectError(PacketError):
    """A client's CONNECT is understood and refused."""

    def __init__(self, refusal: Refusal, reason: str) -> None:
        super().__init__(reason)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Will:
    """What a broker publishes for a client whose connection breaks."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Connect:
    """How a client introduces itself; keepalive in seconds, 0 for none."""

    client_id: str
    keepalive: int = 0
    will: Will | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A SUBSCRIBE or UNSUBSCRIBE: its number, and the filters it names."""

    packet_id: int
    filters: tuple[str, ...]


class _Body:
    """Reads a packet's fields one after the other."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._body):
            raise PacketError("a packet is shorter than what it holds")
        piece = self._body[self._at : end]
        self._at = end
        return piece

    def number(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def binary(self) -> bytes:
        return self.take(self.number())

    def text(self) -> str:
        try:
            text = self.binary().decode("utf-8")
        except UnicodeDecodeError as error:
            raise PacketError("a text is not UTF-8") from error
        if "\0" in text:
            raise PacketError("a text has a NUL")
        return text

    def has_more(self) -> bool:
        return self._at < len(self._body)

    def end(self) -> None:
        if self.has_more():
            raise PacketError("a packet is longer than what it holds")


def parse_connect(flags: int, body: bytes) -> Connect:
    """What a CONNECT says; passwords aren't asked for and passed over.

    Raises:
        RefusedConnectError: It is of another version of MQTT.
        PacketError: It is no CONNECT.
    """
    fields = _Body(body)
    if flags or fields.binary() not in {b"MQTT", b"MQIsdp"}:
        raise PacketError("not a CONNECT")
    if fields.take(1)[0] != _LEVEL:
        raise RefusedConnectError(Refusal.PROTOCOL_VERSION, "not MQTT 3.1.1")
    options = fields.take(1)[0]
    has_will, will_options = bool(options & 0x04), options & 0x38
    has_user, has_password = bool(options & 0x80), bool(options & 0x40)
    if options & 0x01 or (options & 0x18) == 0x18:
        raise PacketError("a CONNECT has flags that there are not")
    if (will_options and not has_will) or (has_password and not has_user):
        raise PacketError("a CONNECT has flags that contradict each other")
    keepalive = fields.number()
    client_id = fields.text()
    will = Will(fields.text(), fields.binary()) if has_will else None
    if has_user:
        fields.text()
    if has_password:
        fields.binary()
    fields.end()
    if not client_id and not options & 0x02:
        raise RefusedConnectError(Refusal.IDENTIFIER, "a lasting session needs a name")
    return Connect(client_id, keepalive, will)


def parse_subscribe(flags: int, body: bytes) -> Request:
    """What a SUBSCRIBE asks for, whatever the quality of service."""
    fields = _request(flags, body)
    packet_id = fields.number()
    filters: list[str] = []
    while not filters or fields.has_more():
        filters.append(fields.text())
        if fields.take(1)[0] > 2:
            raise PacketError("a quality of service that there is not")
    return _numbered(packet_id, filters)


def parse_unsubscribe(flags: int, body: bytes) -> Request:
    """What an UNSUBSCRIBE no longer wants."""
    fields = _request(flags, body)
    packet_id = fields.number()
    filters: list[str] = []
    while not filters or fields.has_more():
        filters.append(fields.text())
    return _numbered(packet_id, filters)


def _request(flags: int, body: bytes) -> _Body:
    if flags != 0x02:
        raise PacketError("a request has flags that there are not")
    return _Body(body)


def _numbered(packet_id: int, filters: list[str]) -> Request:
    if not packet_id:
        raise PacketError("a request has no number")
    if not all(filters):
        raise PacketError("a filter is empty")
    return Request(packet_id, tuple(filters))


def parse_empty(flags: int, body: bytes) -> None:
    """Check a packet that is its type alone."""
    if flags or body:
        raise PacketError("a packet holds more than its type")


def connect_packet(connect: Connect) -> bytes:
    """A CONNECT with a clean session; a will is neither retained nor repeated."""
    will = connect.will
    options = 0x02 if will is None else 0x06
    body = _PROTOCOL + bytes((_LEVEL, options)) + connect.keepalive.to_bytes(2, "big")
    body += _text(connect.client_id)
    if will is not None:
        body += _text(will.topic) + _binary(will.payload)
    return _packet(PacketType.CONNECT, 0, body)


def connack_packet(refusal: Refusal) -> bytes:
    """Refuse a connection."""
    return _packet(PacketType.CONNACK, 0, bytes((0, refusal)))


def subscribe_packet(request: Request) -> bytes:
    """Subscribe with quality of service 0."""
    filters = b"".join(_text(each) + b"\0" for each in request.filters)
    return _packet(PacketType.SUBSCRIBE, 2, _number(request.packet_id) + filters)


def suback_packet(packet_id: int, codes: bytes) -> bytes:
    """Answer a SUBSCRIBE, a byte for each filter."""
    return _packet(PacketType.SUBACK, 0, _number(packet_id) + codes)


def unsuback_packet(packet_id: int) -> bytes:
    """Answer an UNSUBSCRIBE."""
    return _packet(PacketType.UNSUBACK, 0, _number(packet_id))


def publish_packet(topic: str, payload: bytes, *, retained: bool) -> bytes:
    """A message with quality of service 0."""
    return _packet(PacketType.PUBLISH, int(retained), _text(topic) + payload)


def published_topic(packet: bytes) -> str:
    """The topic in a PUBLISH that is known to be whole."""
    at = 1
    while packet[at] & 0x80:
        at += 1
    size = int.from_bytes(packet[at + 1 : at + 3], "big")
    return packet[at + 3 : at + 3 + size].decode("utf-8")


def _packet(packet_type: PacketType, flags: int, body: bytes) -> bytes:
    return bytes((packet_type << 4 | flags,)) + _length(len(body)) + body


def _length(size: int) -> bytes:
    digits = bytearray()
    while True:
        size, digit = divmod(size, 128)
        digits.append(digit | 0x80 if size else digit)
        if not size:
            return bytes(digits)


def _number(number: int) -> bytes:
    return number.to_bytes(2, "big")


def _text(text: str) -> bytes:
    return _binary(text.encode("utf-8"))


def _binary(value: bytes) -> bytes:
    return _number(len(value)) + value


def is_filter(text: str) -> bool:
    """Whether a topic filter's wildcards stand where they may."""
    *former, last = text.split("/")
    return all(_is_level(level) for level in former) and (
        last == "#" or _is_level(last)
    )


def _is_level(level: str) -> bool:
    return level == "+" or not ("+" in level or "#" in level)


def matches(topic: str, topic_filter: str) -> bool:
    """Whether a filter that is one takes in a topic."""
    if topic.startswith("$") and topic_filter[0] in "+#":
        return False
    levels, wanted = topic.split("/"), topic_filter.split("/")
    if wanted[-1] == "#":
        wanted.pop()
        if len(levels) < len(wanted):
            return False
        levels = levels[: len(wanted)]
    return len(levels) == len(wanted) and all(
        want in ("+", level) for level, want in zip(levels, wanted, strict=True)
    )
