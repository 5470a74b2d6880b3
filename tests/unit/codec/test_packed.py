"""Streams of frames and lists of documents: whole, in pieces, damaged and hostile."""

import zlib
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.codec.packed import (
    Deflater,
    FrameReader,
    Inflater,
    PackedDocument,
    PackedError,
    pack,
    pack_documents,
    read_documents,
)
from edgenode.events.frames import EndFrame, EventFrame, Frame, ResetFrame, StateFrame
from edgenode.limits import INFLATED_PIECE_BYTES, MAX_FRAME_BYTES, MAX_FRAME_TEXT_BYTES

NUMBERS = st.integers(0, 2**63 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
FRAMES: st.SearchStrategy[Frame] = st.one_of(
    st.builds(EventFrame, NUMBERS, NUMBERS, st.binary(max_size=300)),
    st.builds(EndFrame, NUMBERS),
    st.builds(ResetFrame, TEXTS, NUMBERS),
    st.builds(StateFrame, TEXTS, TEXTS, st.binary(max_size=300)),
)
DOCUMENTS = st.builds(
    PackedDocument, TEXTS, NUMBERS, st.none() | TEXTS, st.binary(max_size=300)
)


def read(pieces: Iterable[bytes]) -> list[Frame]:
    reader = FrameReader()
    frames = [frame for piece in pieces for frame in reader.feed(piece)]
    reader.close()
    return frames


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    ends = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(ends)]


@given(frames=st.lists(FRAMES, max_size=5), places=st.lists(st.integers(0), max_size=6))
def test_frames_come_back_from_pieces_of_any_size(
    frames: list[Frame], places: list[int]
) -> None:
    assert read(cut(b"".join(map(pack, frames)), places)) == frames


def test_a_frame_is_given_as_soon_as_it_is_there() -> None:
    reader = FrameReader()
    first, second = pack(EndFrame(1)), pack(EndFrame(2))
    assert list(reader.feed(first + second[:2])) == [EndFrame(1)]
    assert list(reader.feed(second[2:])) == [EndFrame(2)]


def test_the_names_of_the_frames_are_those_of_the_protocol() -> None:
    frames: list[Frame] = [
        EventFrame(1, 2, b"{}"),
        EndFrame(2),
        ResetFrame("i", 3),
        StateFrame("g", "EntityDetail", b"{}"),
        StateFrame("h"),
    ]
    assert [msgpack.unpackb(pack(frame)) for frame in frames] == [
        ["event", 1, 2, b"{}"],
        ["end", 2],
        ["reset", "i", 3],
        ["state", "g", "EntityDetail", b"{}"],
        ["state", "h", "", b""],
    ]


@given(frame=FRAMES, data=st.data())
def test_a_stream_that_breaks_off_is_noticed(frame: Frame, data: st.DataObject) -> None:
    text = pack(frame)
    end = data.draw(st.integers(1, len(text) - 1))
    with pytest.raises(PackedError):
        read([text[:end]])


@pytest.mark.parametrize(
    "value",
    [
        0,
        "end",
        [],
        [0],
        [["end"], 1],
        [None, 1],
        ["other", 1],
        ["end"],
        ["end", 1, 2],
        ["end", "1"],
        ["end", True],
        ["end", 1.0],
        ["end", -1],
        ["end", 2**63],
        ["event", 1, 2, "text"],
        ["state", "guid", "kind", None],
        ["reset", b"bytes", 1],
    ],
)
def test_what_is_no_frame_is_refused(value: Any) -> None:
    with pytest.raises(PackedError):
        read([msgpack.packb(value)])


@pytest.mark.parametrize(
    "data",
    [
        b"\xc1",
        b"\xdd\x7f\xff\xff\xff",
        b"\x95" + b"\x01" * 5,
        b"\x91" * 5_000,
        b"\x81\x01\x01",
        b"\xa1\xff",
        b"\xd4\x05\x05",
        b"\xd6\xff\x00\x00\x00\x00",
        msgpack.packb(["reset", "x" * (MAX_FRAME_TEXT_BYTES + 1), 1]),
    ],
    ids=lambda data: data[:8].hex(),
)
def test_what_is_out_of_bounds_is_refused(data: bytes) -> None:
    with pytest.raises(PackedError):
        list(FrameReader().feed(data))


@given(data=st.binary(max_size=200))
def test_garbage_is_refused_or_is_frames(data: bytes) -> None:
    try:
        frames = read([data])
    except PackedError:
        return
    assert read([b"".join(map(pack, frames))]) == frames


@given(frames=st.lists(FRAMES, min_size=1, max_size=3), data=st.data())
def test_a_damaged_stream_is_refused_or_is_frames(
    frames: list[Frame], data: st.DataObject
) -> None:
    text = bytearray(b"".join(map(pack, frames)))
    text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    try:
        damaged = read([bytes(text)])
    except PackedError:
        return
    assert read([b"".join(map(pack, damaged))]) == damaged


def test_the_largest_frame_passes_and_no_larger_one() -> None:
    room = MAX_FRAME_BYTES - len(pack(EventFrame(0, 1, b""))) - 3
    largest = EventFrame(0, 1, bytes(room))
    assert len(pack(largest)) == MAX_FRAME_BYTES
    small = EndFrame(1)
    # Behind a small one, for the buffer to begin somewhere within.
    stream = pack(small) + pack(largest) + pack(small)
    assert read([stream]) == [small, largest, small]
    with pytest.raises(PackedError):
        pack(EventFrame(0, 1, bytes(room + 1)))
    with pytest.raises(PackedError):
        read([msgpack.packb(["event", 0, 1, bytes(MAX_FRAME_BYTES + 1)])])


# Lists of documents


@given(documents=st.lists(DOCUMENTS, max_size=5))
def test_documents_come_back(documents: list[PackedDocument]) -> None:
    assert list(read_documents(pack_documents(documents))) == documents


def test_documents_are_arrays_within_an_array() -> None:
    data = pack_documents([PackedDocument("g", 1, "h", b"{}")])
    assert msgpack.unpackb(data) == [["g", 1, "h", b"{}"]]


def test_more_elements_are_passed_over() -> None:
    data = msgpack.packb([["g", 1, None, b"{}", "kind", 7, [b"later"]]])
    assert list(read_documents(data)) == [PackedDocument("g", 1, None, b"{}")]


@given(documents=st.lists(DOCUMENTS, min_size=1, max_size=3), data=st.data())
def test_documents_that_break_off_are_noticed(
    documents: list[PackedDocument], data: st.DataObject
) -> None:
    text = pack_documents(documents)
    end = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(PackedError):
        list(read_documents(text[:end]))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"\xdd\xff\xff\xff\xff",
        b"\x91" * 5_000,
        pack_documents([]) + b"\x00",
        *map(
            msgpack.packb,
            [
                {},
                [1],
                [["g", 1, "h"]],
                [["g", True, "h", b""]],
                [["g", -1, "h", b""]],
                [["g", 1, 2, b""]],
                [["g", 1, "h", "text"]],
                [[b"g", 1, "h", b""]],
                [["g", 1, "h", b"", *range(20)]],
            ],
        ),
    ],
    ids=lambda data: data[:12].hex(),
)
def test_what_is_no_list_of_documents_is_refused(data: bytes) -> None:
    with pytest.raises(PackedError):
        list(read_documents(data))


@given(data=st.binary(max_size=200))
def test_garbage_is_refused_or_is_documents(data: bytes) -> None:
    try:
        documents = list(read_documents(data))
    except PackedError:
        return
    assert list(read_documents(pack_documents(documents))) == documents


# Compression


def inflated(pieces: Iterable[bytes], max_bytes: int = 10**9) -> bytes:
    inflater = Inflater(max_bytes)
    data = b"".join(part for piece in pieces for part in inflater.feed(piece))
    inflater.close()
    return data


@given(
    data=st.lists(st.binary(max_size=200), max_size=4),
    places=st.lists(st.integers(0), max_size=6),
)
def test_a_compressed_stream_comes_back(data: list[bytes], places: list[int]) -> None:
    deflater = Deflater()
    text = b"".join(map(deflater.feed, data)) + deflater.close()
    assert inflated(cut(text, places)) == b"".join(data)
    assert zlib.decompress(text) == b"".join(data)


def test_what_was_flushed_can_be_read() -> None:
    deflater, inflater = Deflater(), Inflater()
    for word in (b"one", b"two"):
        piece = deflater.feed(word) + deflater.flush()
        assert b"".join(inflater.feed(piece)) == word
    with pytest.raises(PackedError):
        inflater.close()


def test_a_small_piece_never_takes_much_memory() -> None:
    bomb = zlib.compress(bytes(50 * INFLATED_PIECE_BYTES))
    parts = list(Inflater().feed(bomb))
    assert max(map(len, parts)) <= INFLATED_PIECE_BYTES
    assert sum(map(len, parts)) == 50 * INFLATED_PIECE_BYTES


def test_a_stream_may_be_as_long_as_is_said_and_no_longer() -> None:
    text = zlib.compress(bytes(1_000))
    assert len(inflated([text], 1_000)) == 1_000
    with pytest.raises(PackedError):
        inflated([text], 999)


@pytest.mark.parametrize(
    "data",
    [
        b"no zlib",
        zlib.compress(b"x")[:-1],
        zlib.compress(b"x") + b"x",
        zlib.compress(b"x" * 100)[:-1] + b"\x00",
    ],
)
def test_a_damaged_compressed_stream_is_refused(data: bytes) -> None:
    with pytest.raises(PackedError):
        inflated([data])


@given(data=st.binary(max_size=100))
def test_garbage_is_not_inflated_to_anything_else(data: bytes) -> None:
    try:
        found = inflated([data])
    except PackedError:
        return
    assert zlib.decompress(data) == found
