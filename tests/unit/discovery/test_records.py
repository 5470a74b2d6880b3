"""What is announced is read back; nothing else is read as an announcement."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.cohort.model import PEER_PROTOCOL
from edgenode.discovery.records import (
    PROTOCOL,
    SERVICE_TYPE,
    Announcement,
    AnnouncementError,
    instance_name,
    node_id_of,
    read_announcement,
    txt_record,
)
from edgenode.limits import MAX_ANNOUNCED_NAME, MAX_TXT_BYTES

NODE_ID = "0123456789abcdef0123456789abcdef"
TAG = "fedcba9876543210"
PORT = 9444

HEXADECIMAL = "0123456789abcdef"

ANNOUNCEMENTS = st.builds(
    Announcement,
    st.text(HEXADECIMAL, min_size=32, max_size=32),
    st.text(HEXADECIMAL, min_size=16, max_size=16),
    st.text(max_size=2 * MAX_ANNOUNCED_NAME),
    st.integers(1, 65_535),
    st.integers(0, 65_535),
)


def strings(*values: bytes) -> bytes:
    return b"".join(bytes([len(value)]) + value for value in values)


def read(*values: bytes) -> Announcement:
    return read_announcement(instance_name(NODE_ID), PORT, strings(*values))


@given(ANNOUNCEMENTS)
def test_an_announcement_is_read_as_it_was_made_but_for_its_name(
    made: Announcement,
) -> None:
    txt = txt_record(made)
    assert len(txt) <= MAX_TXT_BYTES
    back = read_announcement(instance_name(made.node_id), made.rest_port, txt)
    assert txt_record(back) == txt
    assert (back.node_id, back.tag) == (made.node_id, made.tag)
    assert (back.rest_port, back.bus_port) == (made.rest_port, made.bus_port)
    assert len(back.name) <= MAX_ANNOUNCED_NAME
    assert back.name in "".join(c for c in made.name if c.isprintable())


def test_the_protocol_is_the_one_that_nodes_speak() -> None:
    assert PROTOCOL == PEER_PROTOCOL


def test_a_record_is_made_of_short_keys() -> None:
    made = Announcement(NODE_ID, TAG, "Küche", PORT, 1883)
    assert txt_record(made) == strings(
        b"v=1", b"c=" + TAG.encode(), "n=Küche".encode(), b"b=1883"
    )


def test_unknown_keys_are_passed_over_and_of_equal_ones_the_first_counts() -> None:
    tag = TAG.encode()
    found = read(b"v=1", b"x=y", b"flag", b"", b"c=" + tag, b"c=0", b"n=a=b")
    assert found == Announcement(NODE_ID, TAG, "a=b", PORT, 0)


def test_of_another_protocol_only_what_identifies_it_is_read() -> None:
    found = read(b"v=2", b"c=" + TAG.encode(), b"n=\x1b[31m", b"b=many")
    assert found == Announcement(NODE_ID, TAG, "", PORT, 0, protocol=2)


VALID = (b"v=1", b"c=" + TAG.encode())


@pytest.mark.parametrize(
    "values",
    [
        (),
        (b"v=1",),
        (b"c=" + TAG.encode(),),
        (b"v=", VALID[1]),
        (b"v=0", VALID[1]),
        (b"v=-1", VALID[1]),
        (b"v=999999", VALID[1]),
        ("v=\N{ARABIC-INDIC DIGIT ONE}".encode(), VALID[1]),
        (b"v=1\n", VALID[1]),
        (b"v=1", b"c=" + TAG.encode().upper()),
        (b"v=1", b"c=" + TAG.encode() + b"\n"),
        (*VALID, b"n=two\nlines"),
        (*VALID, "n=\u202eright to left".encode()),
        (*VALID, b"n= "),
        (*VALID, b"n=" + b"x" * (MAX_ANNOUNCED_NAME + 1)),
        (*VALID, b"n=\xff"),
        (*VALID, b"b=0"),
        (*VALID, b"b=65536"),
        (*VALID, b"b"),
        (*VALID, *[b"x" * 200] * 10),
    ],
)
def test_what_no_node_writes_is_refused(values: tuple[bytes, ...]) -> None:
    with pytest.raises(AnnouncementError):
        read(*values)


def test_a_record_that_is_cut_off_is_refused() -> None:
    txt = txt_record(Announcement(NODE_ID, TAG, "node", PORT, 1883))
    with pytest.raises(AnnouncementError, match="cut off"):
        read_announcement(instance_name(NODE_ID), PORT, txt[:-1])


@pytest.mark.parametrize("port", [-1, 0, 65_536])
def test_a_node_has_a_port(port: int) -> None:
    txt = txt_record(Announcement(NODE_ID, TAG, "", PORT))
    with pytest.raises(AnnouncementError, match="port"):
        read_announcement(instance_name(NODE_ID), port, txt)


@pytest.mark.parametrize(
    "instance",
    [
        NODE_ID,
        f"{NODE_ID[:-1]}.{SERVICE_TYPE}",
        f"{NODE_ID.upper()}.{SERVICE_TYPE}",
        f"{NODE_ID}\n.{SERVICE_TYPE}",
        f"x.{NODE_ID}.{SERVICE_TYPE}",
        f"{NODE_ID}._http._tcp.local.",
        SERVICE_TYPE,
    ],
)
def test_names_of_others_are_no_node_ids(instance: str) -> None:
    assert node_id_of(instance) is None


@given(st.text(max_size=80), st.integers(), st.binary(max_size=2_000))
def test_whatever_is_received_is_read_or_refused(
    instance: str, port: int, txt: bytes
) -> None:
    for name in (instance, instance_name(NODE_ID)):
        with pytest.raises(AnnouncementError):
            read_announcement(name, port, txt)


@given(st.data())
def test_a_record_damaged_anywhere_is_read_or_refused(data: st.DataObject) -> None:
    txt = bytearray(txt_record(Announcement(NODE_ID, TAG, "node", PORT, 1883)))
    at = data.draw(st.integers(0, len(txt) - 1))
    txt[at] = data.draw(st.integers(0, 255))
    try:
        found = read_announcement(instance_name(NODE_ID), PORT, bytes(txt))
    except AnnouncementError:
        return
    assert found.name.isprintable()
    assert 0 <= found.bus_port <= 65_535
