"""MQTT packets, as bytes and as what they say."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.bus.packets import (
    Connect,
    PacketError,
    Refusal,
    RefusedConnectError,
    Request,
    Will,
    connect_packet,
    is_filter,
    matches,
    parse_connect,
    parse_empty,
    parse_subscribe,
    parse_unsubscribe,
    publish_packet,
    published_topic,
    subscribe_packet,
)

TEXTS = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40
)
NAMES = TEXTS.filter(bool)
LEVELS = st.sampled_from(["a", "b", "$a", "", "+", "#", "a+", "#b"])
TOPICS = st.lists(st.sampled_from(["a", "b", "$a", ""]), min_size=1, max_size=4).map(
    "/".join
)
FILTERS = st.lists(LEVELS, min_size=1, max_size=4).map("/".join).filter(bool)


def body_of(packet: bytes) -> tuple[int, bytes]:
    """The flags and what follows the length, which has one or two bytes here."""
    return packet[0] & 0x0F, packet[3 if packet[1] & 0x80 else 2 :]


@given(
    st.builds(
        Connect,
        client_id=TEXTS,
        keepalive=st.integers(0, 65535),
        will=st.none() | st.builds(Will, TEXTS, st.binary(max_size=40)),
    )
)
def test_a_connect_says_what_was_put_into_it(connect: Connect) -> None:
    assert parse_connect(*body_of(connect_packet(connect))) == connect


@given(st.integers(1, 65535), st.lists(NAMES, min_size=1, max_size=5).map(tuple))
def test_a_subscribe_says_what_was_put_into_it(
    number: int, filters: tuple[str, ...]
) -> None:
    request = Request(number, filters)
    assert parse_subscribe(*body_of(subscribe_packet(request))) == request


@given(NAMES, st.binary(max_size=300), st.booleans())
def test_the_topic_of_a_publish_is_found(
    topic: str, payload: bytes, retained: bool
) -> None:
    packet = publish_packet(topic, payload, retained=retained)
    assert published_topic(packet) == topic
    assert packet.endswith(payload)
    assert packet[0] == 0x31 if retained else 0x30


@pytest.mark.parametrize(
    "parse", [parse_connect, parse_subscribe, parse_unsubscribe, parse_empty]
)
@given(flags=st.sampled_from([0, 2]), body=st.binary(max_size=60))
def test_nothing_but_a_packet_error_comes_of_any_bytes(
    parse: object, flags: int, body: bytes
) -> None:
    assert callable(parse)
    with contextlib.suppress(PacketError):
        parse(flags, body)


@given(
    st.builds(Connect, client_id=NAMES, will=st.builds(Will, NAMES, st.binary())),
    st.data(),
)
def test_a_connect_that_is_cut_or_goes_on_is_none(
    connect: Connect, data: st.DataObject
) -> None:
    flags, body = body_of(connect_packet(connect))
    cut = data.draw(st.integers(0, len(body) - 1))
    with pytest.raises(PacketError):
        parse_connect(flags, body[:cut])
    with pytest.raises(PacketError):
        parse_connect(flags, body + b"x")


CONNECT = b"\x00\x04MQTT\x04"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (CONNECT + b"\x03\0\0\0\x01a", "flags that there are not"),
        (CONNECT + b"\x1e\0\0\0\x01a\0\x01t\0\0", "flags that there are not"),
        (CONNECT + b"\x22\0\0\0\x01a", "contradict"),
        (CONNECT + b"\x42\0\0\0\x01a\0\x01p", "contradict"),
        (CONNECT + b"\x02\0\0\0\x01\xff", "UTF-8"),
        (CONNECT + b"\x02\0\0\0\x03\xed\xa0\x80", "UTF-8"),
        (CONNECT + b"\x02\0\0\0\x01\0", "NUL"),
        (b"\0\x04HTTP\x04\x02\0\0\0\x01a", "not a CONNECT"),
    ],
)
def test_what_a_connect_may_not_say(body: bytes, reason: str) -> None:
    with pytest.raises(PacketError, match=reason):
        parse_connect(0, body)


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"\0\x04MQTT\x05\x02\0\0\0\0\x01a", Refusal.PROTOCOL_VERSION),
        (b"\0\x06MQIsdp\x03\x02\0\0\0\x01a", Refusal.PROTOCOL_VERSION),
        (CONNECT + b"\0\0\0\0\0", Refusal.IDENTIFIER),
    ],
)
def test_a_connect_that_is_understood_and_refused(
    body: bytes, refusal: Refusal
) -> None:
    with pytest.raises(RefusedConnectError) as caught:
        parse_connect(0, body)
    assert caught.value.refusal is refusal


def test_users_and_passwords_are_passed_over() -> None:
    body = CONNECT + b"\xc2\0\x3c\0\x01a\0\x01u\0\x02\xff\xff"
    assert parse_connect(0, body) == Connect("a", 60)


@pytest.mark.parametrize(
    ("flags", "body"),
    [
        (0, b"\0\x01\0\x01a\0"),
        (2, b"\0\0\0\x01a\0"),
        (2, b"\0\x01"),
        (2, b"\0\x01\0\x01a\x03"),
        (2, b"\0\x01\0\0\0"),
    ],
)
def test_what_a_subscribe_may_not_say(flags: int, body: bytes) -> None:
    with pytest.raises(PacketError):
        parse_subscribe(flags, body)


def slow_match(levels: list[str], wanted: list[str]) -> bool:
    """What a filter means, level by level."""
    if not wanted:
        return not levels
    if wanted[0] == "#":
        return True
    return (
        bool(levels)
        and wanted[0] in ("+", levels[0])
        and slow_match(levels[1:], wanted[1:])
    )


@given(TOPICS, FILTERS)
def test_filters_match_as_the_standard_says(topic: str, topic_filter: str) -> None:
    levels = topic_filter.split("/")
    fine = all(
        (level in "+#" or not set(level) & {"+", "#"})
        and (level != "#" or place == len(levels) - 1)
        for place, level in enumerate(levels)
    )
    assert is_filter(topic_filter) == fine
    if fine:
        hidden = topic.startswith("$") and levels[0] in ("+", "#")
        expected = not hidden and slow_match(topic.split("/"), levels)
        assert matches(topic, topic_filter) == expected


@pytest.mark.parametrize(
    ("topic", "topic_filter", "is_match"),
    [
        ("sport", "sport/#", True),
        ("sport/", "sport/+", True),
        ("sport", "sport/+", False),
        ("/finance", "+/+", True),
        ("/finance", "+", False),
        ("$SYS/x", "#", False),
        ("$SYS/x", "+/x", False),
        ("$SYS/x", "$SYS/#", True),
    ],
)
def test_the_examples_of_the_standard(
    topic: str, topic_filter: str, is_match: bool
) -> None:
    assert matches(topic, topic_filter) is is_match
