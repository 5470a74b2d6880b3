"""Messages on the bus: what was sent comes out, and whatever was changed doesn't."""

import hmac
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edgenode.codec.codec import Codec
from edgenode.codec.json import dumps, loads
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
from edgenode.events.model import OMRSEventV1
from edgenode.events.streams import Step
from edgenode.limits import MAX_MESSAGE_BYTES
from edgenode.releases import SERVED

KEY = bytes(range(32))
TOPIC = "edgenode/home/0011223344556677/instances/m"
NODE = "0123456789abcdef0123456789abcdef"
HEADER = Header(node=NODE, run="r1", revision=1_795_226_772_501, step=Step("i", 11, 12))
BODY = b'{"class":"OMRSEventV1","timestamp":1}'

NUMBERS = st.integers(0, 2**62)
IDS = st.from_regex(r"[A-Za-z0-9._-]{1,40}", fullmatch=True)
STEPS = st.builds(
    lambda incarnation, after, more: Step(incarnation, after, after + more),
    IDS,
    NUMBERS,
    st.integers(1, 2**20),
)
HEADERS = st.builds(
    Header,
    node=IDS,
    run=IDS,
    revision=st.none() | NUMBERS,
    step=st.none() | STEPS,
)
BODIES = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.none() | st.integers(0, 99) | st.lists(st.integers(0, 9), max_size=3),
    min_size=1,
    max_size=4,
).map(dumps)
KEYS = st.none() | st.binary(min_size=32, max_size=32)
TOPICS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def fault(key: bytes | None, topic: str, payload: bytes) -> EnvelopeFault:
    with pytest.raises(EnvelopeError) as refused:
        unwrap(key, topic, payload)
    return refused.value.reason


@given(key=KEYS, topic=TOPICS, header=HEADERS, body=BODIES)
def test_what_is_wrapped_comes_out(
    key: bytes | None, topic: str, header: Header, body: bytes
) -> None:
    payload = wrap(key, topic, header, body)
    told = loads(payload)
    code = told["edgenode"].get("mac", "").encode()
    assert bool(code) is (key is not None)
    assert unwrap(key, topic, payload) == Envelope(header, body, code)
    assert next(iter(told)) == "edgenode"
    del told["edgenode"]
    expected = loads(body)
    expected.pop("edgenode", None)
    assert told == expected


def test_a_message_is_as_the_protocol_says() -> None:
    told = (
        f'{{"node":"{NODE}","run":"r1","revision":1795226772501,'
        '"incarnation":"i","after":11,"sequence":12}'
    ).encode()
    rest = b',"class":"OMRSEventV1","timestamp":1}'
    signed = TOPIC.encode() + b"\0" + told + b"\0" + rest
    mac = hmac.new(KEY, signed, sha256).hexdigest()[:32].encode()
    expected = b'{"edgenode":' + told[:-1] + b',"mac":"' + mac + b'"}' + rest
    assert wrap(KEY, TOPIC, HEADER, BODY) == expected
    plain = replace(HEADER, revision=None, step=None)
    assert wrap(None, TOPIC, plain, BODY) == (
        f'{{"edgenode":{{"node":"{NODE}","run":"r1"}}'.encode() + rest
    )


def test_a_reader_of_events_passes_over_the_header() -> None:
    codec = Codec(SERVED)
    event = OMRSEventV1(timestamp=1)
    payload = wrap(KEY, TOPIC, HEADER, codec.encode_event(event))
    assert codec.decode_event(payload) == event


@given(header=HEADERS, body=BODIES, data=st.data())
def test_a_changed_byte_is_refused(
    header: Header, body: bytes, data: st.DataObject
) -> None:
    payload = bytearray(wrap(KEY, TOPIC, header, body))
    place = data.draw(st.integers(0, len(payload) - 1))
    byte = data.draw(st.integers(0, 255))
    assume(payload[place] != byte)
    payload[place] = byte
    fault(KEY, TOPIC, bytes(payload))


@given(header=HEADERS, body=BODIES, data=st.data())
def test_anything_left_out_or_put_in_is_refused(
    header: Header, body: bytes, data: st.DataObject
) -> None:
    payload = wrap(KEY, TOPIC, header, body)
    start = data.draw(st.integers(0, len(payload)))
    end = data.draw(st.integers(start, len(payload)))
    changed = payload[:start] + data.draw(st.binary(max_size=8)) + payload[end:]
    assume(changed != payload)
    fault(KEY, TOPIC, changed)


@given(header=HEADERS, body=BODIES, topic=TOPICS, key=st.binary(min_size=1))
def test_another_topic_or_key_is_refused(
    header: Header, body: bytes, topic: str, key: bytes
) -> None:
    payload = wrap(KEY, TOPIC, header, body)
    if topic != TOPIC:
        assert fault(KEY, topic, payload) is EnvelopeFault.WRONG_CODE
    if key.rstrip(b"\0") != KEY:  # keys are filled up with NULs
        assert fault(key, TOPIC, payload) is EnvelopeFault.WRONG_CODE


@given(one=HEADERS, other=HEADERS, body=BODIES)
def test_a_header_has_its_own_code(one: Header, other: Header, body: bytes) -> None:
    assume(one != other)
    payload, with_other = wrap(KEY, TOPIC, one, body), wrap(KEY, TOPIC, other, body)
    code = loads(payload)["edgenode"]["mac"].encode()
    other_code = loads(with_other)["edgenode"]["mac"].encode()
    stolen = with_other.replace(other_code, code)
    assert fault(KEY, TOPIC, stolen) is EnvelopeFault.WRONG_CODE


@given(payload=st.binary(max_size=100))
def test_garbage_is_refused(payload: bytes) -> None:
    fault(KEY, TOPIC, payload)


def test_modes_do_not_mix() -> None:
    closed, opened = wrap(KEY, TOPIC, HEADER, BODY), wrap(None, TOPIC, HEADER, BODY)
    assert fault(KEY, TOPIC, opened) is EnvelopeFault.NO_CODE
    assert fault(None, TOPIC, closed) is EnvelopeFault.WRONG_CODE


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", EnvelopeFault.NO_HEADER),
        (BODY, EnvelopeFault.NO_HEADER),
        (b'{"edgenode":{}' + b"x" * 9, EnvelopeFault.NO_HEADER),
        (b'{"edgenode":{},"class":1}', EnvelopeFault.NO_HEADER),
        (b'{"edgenode":{"node":"n","run":"r"}}', EnvelopeFault.NO_HEADER),
        (b'{"edgenode":{"node":{"a":1}},"class":1}', EnvelopeFault.NO_HEADER),
        (
            b'{"edgenode":{"x":"' + b"x" * 2_000 + b'"},"class":1}',
            EnvelopeFault.NO_HEADER,
        ),
        (b'{"edgenode":{x},"class":1}', EnvelopeFault.BAD_HEADER),
        (b'{"edgenode":{"node":"n"},"class":1}', EnvelopeFault.BAD_HEADER),
        (b'{"edgenode":{"run":"r"},"class":1}', EnvelopeFault.BAD_HEADER),
        (bytes(MAX_MESSAGE_BYTES + 1), EnvelopeFault.TOO_LARGE),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_message_is_refused(payload: bytes, reason: EnvelopeFault) -> None:
    assert fault(None, TOPIC, payload) is reason


STEP = {"incarnation": "i", "after": 1, "sequence": 2}


@pytest.mark.parametrize(
    "fields",
    [
        {"node": ""},
        {"node": 1},
        {"node": "a/b"},
        {"node": "x" * 129},
        {"run": None},
        {"run": "line\nbreak"},
        {"revision": -1},
        {"revision": 2**63},
        {"revision": 1.5},
        {"revision": True},
        {"revision": None},
        {"sequence": 2},
        STEP | {"incarnation": "+"},
        STEP | {"after": 2},
        STEP | {"after": None},
        STEP | {"sequence": "2"},
    ],
    ids=str,
)
def test_a_header_with_odd_fields_is_refused(fields: dict[str, Any]) -> None:
    told = dumps({"node": "n", "run": "r"} | fields)
    payload = b'{"edgenode":' + told + b',"class":1}'
    assert fault(None, TOPIC, payload) is EnvelopeFault.BAD_HEADER


def test_later_fields_of_a_header_are_passed_over() -> None:
    payload = b'{"edgenode":{"node":"n","run":"r","later":[1]},"class":1}'
    envelope = unwrap(None, TOPIC, payload)
    assert envelope == Envelope(Header(node="n", run="r"), b'{"class":1}')


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"1"])
def test_a_body_is_an_object_with_fields(body: bytes) -> None:
    with pytest.raises(ValueError, match="body"):
        wrap(KEY, TOPIC, HEADER, body)


def test_a_message_that_nobody_takes_is_not_made() -> None:
    size = MAX_MESSAGE_BYTES - len(wrap(KEY, TOPIC, HEADER, b'{"x":""}'))
    largest = wrap(KEY, TOPIC, HEADER, b'{"x":"' + b"x" * size + b'"}')
    assert len(largest) == MAX_MESSAGE_BYTES
    assert unwrap(KEY, TOPIC, largest).header == HEADER
    with pytest.raises(EnvelopeError):
        wrap(KEY, TOPIC, HEADER, b'{"x":"x' + b"x" * size + b'"}')


# Topics

NAMES = Topics("edgenode/home/0011223344556677/")


@given(kind=st.sampled_from(TopicKind), about=IDS)
def test_a_topic_is_read_as_it_was_named(kind: TopicKind, about: str) -> None:
    name = NAMES.name(kind, about)
    assert name == f"edgenode/home/0011223344556677/{kind.value}/{about}"
    assert NAMES.parse(name) == (kind, about)
    with pytest.raises(EnvelopeError):
        Topics("edgenode/other/0011223344556677/").parse(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "instances/m",
        NAMES.prefix,
        NAMES.prefix + "instances",
        NAMES.prefix + "instances/",
        NAMES.prefix + "instances/m/",
        NAMES.prefix + "instances/m/n",
        NAMES.prefix + "instances/m\n",
        NAMES.prefix + "instances/+",
        NAMES.prefix + "instances/#",
        NAMES.prefix + "instances/\N{LATIN SMALL LETTER E WITH ACUTE}",
        NAMES.prefix + "instances/" + "x" * 129,
        NAMES.prefix + "news/m",
        NAMES.prefix + "/m",
        NAMES.prefix + "Instances/m",
        "x" + NAMES.prefix + "instances/m",
    ],
)
def test_an_odd_topic_is_refused(name: str) -> None:
    with pytest.raises(EnvelopeError) as refused:
        NAMES.parse(name)
    assert refused.value.reason is EnvelopeFault.BAD_TOPIC


@given(name=st.text(max_size=30))
def test_any_name_is_read_or_refused(name: str) -> None:
    try:
        kind, about = NAMES.parse(NAMES.prefix + name)
    except EnvelopeError:
        return
    assert NAMES.name(kind, about) == NAMES.prefix + name


@pytest.mark.parametrize("about", ["", "a/b", "+", "#", "a b", "\0", "x" * 129])
def test_an_odd_id_gets_no_topic(about: str) -> None:
    with pytest.raises(ValueError, match="topic"):
        NAMES.name(TopicKind.TYPES, about)


def test_all_topics_are_subscribed_to_at_once() -> None:
    assert NAMES.all == "edgenode/home/0011223344556677/#"
