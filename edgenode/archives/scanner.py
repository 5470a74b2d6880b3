"""Finds the values of a JSON text in a stream of bytes, without parsing them.

A value ends where its brackets balance. One regular expression passes over everything
between two brackets, strings with their escapes included, so that the work is done in C;
bytes of characters beyond ASCII never look like brackets or quotes. Whether a value is
well-formed inside is for its parser to say.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from edgenode.codec.json import loads
from edgenode.errors import ArchiveError, BadRequestError
from edgenode.limits import ARCHIVE_CHUNK_BYTES, MAX_ARCHIVE_ELEMENT_BYTES

_STRING = rb'"(?:[^"\\]++|\\.)*+"'
_TO_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|' + _STRING + rb")*+[{}\[\]]", re.DOTALL)
_WHOLE_STRING = re.compile(_STRING, re.DOTALL)
_BLANK = re.compile(rb"[ \t\n\r]*+")
_SCALAR = re.compile(rb"[^ \t\n\r,\]}]*+(?=[ \t\n\r,\]}])")
_OPENING = b"{["


class JsonScanner:
    """Walks through one JSON text; only the value at hand is in memory.

    Attributes:
        where: What is being read, for errors; the caller keeps it up to date.
    """

    def __init__(self, file: BinaryIO, offset: int = 0) -> None:
        """Begin at ``offset`` bytes into a seekable file."""
        file.seek(offset)
        self._file = file
        self._buffer = b""
        self._at = 0
        self._start = offset
        self.where = "archive"

    @property
    def offset(self) -> int:
        """How many bytes into the file the next value, or what is next, stands."""
        return self._start + self._at

    def peek(self) -> bytes:
        """The next byte that isn't blank; empty at the end of the file."""
        while True:
            blank = _BLANK.match(self._buffer, self._at)
            self._at = self._at if blank is None else blank.end()
            if self._at < len(self._buffer):
                return self._buffer[self._at : self._at + 1]
            if not self._read_more(self._at):
                return b""

    def take(self, byte: bytes) -> bool:
        """Pass over this byte if it is next."""
        found = self.peek() == byte
        self._at += found
        return found

    def expect(self, byte: bytes) -> None:
        """Pass over this byte.

        Raises:
            ArchiveError: Another one is there, or the file ends.
        """
        if not self.take(byte):
            raise self.error(f"{byte.decode()} expected")

    def value(self) -> bytes:
        """The text of the value that is next, and pass over it.

        Raises:
            ArchiveError: It doesn't end, or not within ``MAX_ARCHIVE_ELEMENT_BYTES``.
        """
        first = self.peek()
        if not first:
            raise self.error("a value expected")
        end = self._end_of_value(first)
        text = self._buffer[self._at : end]
        self._at = end
        return text

    def parsed(self) -> object:
        """The value that is next, parsed.

        Raises:
            ArchiveError: It isn't JSON.
        """
        self.peek()
        offset = self.offset
        text = self.value()
        try:
            return loads(text)
        except BadRequestError as error:
            raise ArchiveError(self.where, offset, error.reason) from error

    def members(self) -> Iterator[str]:
        """The keys of the object that is next; the caller takes the value after each."""
        self.expect(b"{")
        if self.take(b"}"):
            return
        while True:
            key = self.parsed()
            if not isinstance(key, str):
                raise self.error("a key expected")
            self.expect(b":")
            yield key
            if not self.take(b","):
                self.expect(b"}")
                return

    def items(self) -> Iterator[int]:
        """The positions in the list that is next; the caller takes the value at each."""
        self.expect(b"[")
        if self.take(b"]"):
            return
        index = 0
        while True:
            yield index
            if not self.take(b","):
                self.expect(b"]")
                return
            index += 1

    def error(self, reason: str) -> ArchiveError:
        """What is wrong at this place."""
        if not self.peek():
            reason = f"the file ends here; {reason}"
        return ArchiveError(self.where, self.offset, reason)

    def _end_of_value(self, first: bytes) -> int:
        if first in _OPENING:
            return self._end_of_brackets()
        expression = _WHOLE_STRING if first == b'"' else _SCALAR
        while True:
            found = expression.match(self._buffer, self._at)
            if found is not None:
                return found.end()
            self._need_more()

    def _end_of_brackets(self) -> int:
        depth = 0
        at = self._at
        while True:
            found = _TO_BRACKET.match(self._buffer, at)
            if found is None:
                at -= self._at
                self._need_more()
                at += self._at
                continue
            at = found.end()
            depth += 1 if self._buffer[at - 1] in _OPENING else -1
            if depth == 0:
                return at

    def _need_more(self) -> None:
        """Read on, keeping all of the value that is being read."""
        held = len(self._buffer) - self._at
        if held > MAX_ARCHIVE_ELEMENT_BYTES:
            reason = f"longer than {MAX_ARCHIVE_ELEMENT_BYTES} bytes"
            raise ArchiveError(self.where, self.offset, reason)
        if not self._read_more(self._at):
            raise ArchiveError(self.where, self.offset, "the file ends within it")

    def _read_more(self, keep_from: int) -> bool:
        # As much again as is held, so that a long value is not gone over many times.
        kept = self._buffer[keep_from:]
        try:
            chunk = self._file.read(max(ARCHIVE_CHUNK_BYTES, len(kept)))
        except OSError as error:
            reason = f"reading failed: {error.strerror}"
            raise ArchiveError(self.where, self.offset, reason) from error
        self._start += keep_from
        self._at -= keep_from
        self._buffer = kept + chunk
        return bool(chunk)
