"""Frames of streams and lists of documents as msgpack; the only importer of msgpack.

What arrives is another node's word: every size is checked before memory is taken for it,
and what doesn't have exactly the shape of a frame is refused.
"""

import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, NamedTuple

import msgpack  # type: ignore[import-untyped]

from edgenode.errors import EdgeNodeError
from edgenode.events.frames import EndFrame, EventFrame, Frame, ResetFrame, StateFrame
from edgenode.limits import (
    INFLATED_PIECE_BYTES,
    MAX_FRAME_BYTES,
    MAX_FRAME_TEXT_BYTES,
    MAX_STREAM_BYTES,
)


class PackedError(EdgeNodeError):
    """What should be packed frames or documents isn't."""


# What msgpack raises for bytes that it can't unpack, or not within the bounds.
_REFUSALS = (msgpack.UnpackException, ValueError)


@contextmanager
def _clean_errors() -> Iterator[None]:
    try:
        yield
    except _REFUSALS as error:
        raise PackedError(str(error) or type(error).__name__) from error


def _unpacker(*, longest_list: int, size: int) -> msgpack.Unpacker:
    return msgpack.Unpacker(
        max_buffer_size=size,
        read_size=min(size, INFLATED_PIECE_BYTES),
        max_bin_len=MAX_FRAME_BYTES,
        max_str_len=MAX_FRAME_TEXT_BYTES,
        # A list's place is taken before its elements are there.
        max_array_len=longest_list,
        max_map_len=0,
        max_ext_len=0,
    )


# Frames

_CLASSES: dict[str, type[Frame]] = {
    "event": EventFrame,
    "end": EndFrame,
    "reset": ResetFrame,
    "state": StateFrame,
}
_NAMES = {cls: name for name, cls in _CLASSES.items()}
_ATTRIBUTES = {cls: [field.name for field in fields(cls)] for cls in _NAMES}
_TYPES = {cls: [field.type for field in fields(cls)] for cls in _NAMES}
_LONGEST = 1 + max(map(len, _TYPES.values()))
_NUMBERS = range(2**63)


def pack(frame: Frame) -> bytes:
    """The bytes of a frame.

    Raises:
        PackedError: It is larger than readers take.
    """
    cls = type(frame)
    packed: bytes = msgpack.packb(
        [_NAMES[cls], *(getattr(frame, name) for name in _ATTRIBUTES[cls])]
    )
    if len(packed) > MAX_FRAME_BYTES:
        raise PackedError(f"a frame of {len(packed)} bytes")
    return packed


class FrameReader:
    """Makes frames of a stream that arrives in pieces of any size.

    After an error it is of no more use.
    """

    def __init__(self) -> None:
        # The buffer has to take a frame, not whatever a piece holds.
        size = MAX_FRAME_BYTES + INFLATED_PIECE_BYTES
        self._unpacker = _unpacker(longest_list=_LONGEST, size=size)
        self._fed = 0
        self._complete = 0

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """The frames that a piece completes, one by one; all have to be taken.

        Raises:
            PackedError: The stream holds something else, or something too large.
        """
        for start in range(0, len(piece), INFLATED_PIECE_BYTES):
            part = piece[start : start + INFLATED_PIECE_BYTES]
            self._fed += len(part)
            with _clean_errors():
                self._unpacker.feed(part)
            yield from self._frames()

    def close(self) -> None:
        """Make sure that the stream didn't break off within a frame.

        Raises:
            PackedError: It did.
        """
        if self._fed != self._complete:
            raise PackedError("the stream breaks off within a frame")

    def _frames(self) -> Iterator[Frame]:
        while True:
            with _clean_errors():
                try:
                    value = self._unpacker.unpack()
                except msgpack.OutOfData:
                    return
            self._complete = self._unpacker.tell()
            yield _frame(value)


def _frame(value: Any) -> Frame:
    if not isinstance(value, list) or not value or not isinstance(value[0], str):
        raise PackedError("no frame")
    name, *values = value
    cls = _CLASSES.get(name)
    if cls is None or [type(each) for each in values] != _TYPES[cls]:
        raise PackedError(f"no {name} frame" if cls else "an unknown frame")
    if any(isinstance(each, int) and each not in _NUMBERS for each in values):
        raise PackedError("a number out of range")
    return cls(*values)


# Lists of documents

PACKED_TYPE = "application/msgpack"
"""The media type that members ask each other for lists of instances in."""


class PackedDocument(NamedTuple):
    """One instance in an answer, with what tells it apart without decoding it.

    Attributes:
        guid: The instance's.
        version: Its version.
        home_id: The id of its home.
        document: Its JSON.
    """

    guid: str
    version: int
    home_id: str | None
    document: bytes


_LONGEST_ROW = 16
"""Four elements are known; readers pass over what later versions put behind them."""


def pack_documents(documents: Iterable[PackedDocument]) -> bytes:
    """The bytes of a list of documents: arrays within an array."""
    packed: bytes = msgpack.packb(list(documents))  # tuples are arrays
    return packed


def read_documents(data: bytes) -> Iterator[PackedDocument]:
    """The documents of a list, one by one.

    Raises:
        PackedError: The bytes are something else; it may be after some documents.
    """
    unpacker = _unpacker(longest_list=_LONGEST_ROW, size=max(len(data), 1))
    with _clean_errors():
        unpacker.feed(data)
        for _ in range(unpacker.read_array_header()):
            yield _document(unpacker.unpack())
    if unpacker.tell() != len(data):
        raise PackedError("something follows the documents")


def _document(row: Any) -> PackedDocument:
    # There are thousands of them in an answer: a pattern would take three times as long.
    if type(row) is list and [type(each) for each in row[:4]] in _ROWS:
        document = PackedDocument(*row[:4])
        if document.version in _NUMBERS:
            return document
    raise PackedError("no document")


_ROWS = ([str, int, str, bytes], [str, int, type(None), bytes])


# Compression


class Deflater:
    """Compresses a stream, as HTTP calls ``deflate``."""

    def __init__(self) -> None:
        # Level 1 takes a quarter of the time of 6; the names of JSON's fields, which
        # are most of it, go in any case.
        self._deflate = zlib.compressobj(1)

    def feed(self, data: bytes) -> bytes:
        """Compress more; what comes out may be nothing as yet."""
        return self._deflate.compress(data)

    def flush(self) -> bytes:
        """What is needed for the other side to read all that was fed."""
        return self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def close(self) -> bytes:
        """The end of the stream."""
        return self._deflate.flush()


class Inflater:
    """Takes a compressed stream apart, never much of it at a time.

    Args:
        max_bytes: How long the stream may be when it is taken apart.
    """

    def __init__(self, max_bytes: int = MAX_STREAM_BYTES) -> None:
        self._inflate = zlib.decompressobj()
        self._left = max_bytes

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """What a piece holds, bit by bit; all has to be taken.

        Raises:
            PackedError: It isn't compressed, goes on behind its end or is too long.
        """
        while piece:
            if self._inflate.eof:
                raise PackedError("something follows the compressed stream")
            try:
                data = self._inflate.decompress(piece, INFLATED_PIECE_BYTES)
            except zlib.error as error:
                raise PackedError(f"not compressed: {error}") from error
            self._left -= len(data)
            if self._left < 0:
                raise PackedError("the compressed stream is too long")
            if data:
                yield data
            piece = self._inflate.unconsumed_tail or self._inflate.unused_data

    def close(self) -> None:
        """Make sure that the stream has come to its end.

        Raises:
            PackedError: It hasn't.
        """
        if not self._inflate.eof:
            raise PackedError("the compressed stream breaks off")
