"""Values are found in a stream of bytes wherever its pieces end."""

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.archives import scanner
from edgenode.archives.scanner import JsonScanner
from edgenode.errors import ArchiveError

texts = st.text(alphabet='ab"\\{}[]:,\n é😀\x00', max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4)
    ),
    max_leaves=20,
)


def listed(data: bytes) -> list[Any]:
    found = JsonScanner(io.BytesIO(data))
    return [found.parsed() for _ in found.items()]


@given(
    content=st.lists(json_values, max_size=6),
    piece=st.integers(1, 9),
    indent=st.sampled_from([None, 1]),
    is_ascii=st.booleans(),
)
def test_elements_are_those_of_a_parser_of_the_whole(
    content: list[Any], piece: int, indent: int | None, is_ascii: bool
) -> None:
    data = json.dumps(content, indent=indent, ensure_ascii=is_ascii).encode() + b"\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanner, "ARCHIVE_CHUNK_BYTES", piece)
        assert listed(data) == content


@given(content=json_values, cut=st.integers(0, 40), piece=st.integers(1, 9))
def test_no_part_of_a_list_passes_for_a_whole_one(
    content: Any, cut: int, piece: int
) -> None:
    data = json.dumps([content, "end"]).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanner, "ARCHIVE_CHUNK_BYTES", piece)
        with pytest.raises(ArchiveError):
            listed(data[: max(0, len(data) - 1 - cut)])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[1 2]",
        b"[1,]",
        b"[,1]",
        b"[nul]",
        b'["\xff"]',
        b'["a\nb"]',
        b"[{]}]",
        b'[{"a":1,}]',
        b"[[}]",
        b"[1",
    ],
)
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(ArchiveError):
        listed(data)


@pytest.mark.parametrize("data", [b'{"a" 1}', b"{1:2}", b'{"a":1,}', b'{"a":1'])
def test_an_object_needs_keys_and_colons(data: bytes) -> None:
    found = JsonScanner(io.BytesIO(data))
    with pytest.raises(ArchiveError):
        [found.parsed() for _ in found.members()]


def test_offsets_are_those_of_the_file() -> None:
    found = JsonScanner(io.BytesIO(b'xx[ 1,\n {"a": []} ]'), offset=2)
    offsets = []
    for _ in found.items():
        found.peek()
        offsets.append(found.offset)
        found.parsed()
    assert offsets == [4, 8]


def test_a_value_beyond_the_limit_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scanner, "MAX_ARCHIVE_ELEMENT_BYTES", 50)
    monkeypatch.setattr(scanner, "ARCHIVE_CHUNK_BYTES", 10)
    with pytest.raises(ArchiveError, match="longer than 50 bytes"):
        listed(json.dumps(["a" * 200]).encode())


def test_an_error_says_what_was_read_where_and_why() -> None:
    found = JsonScanner(io.BytesIO(b"[1, tru, 3]"))
    found.where = "things"
    with pytest.raises(ArchiveError) as caught:
        [found.parsed() for _ in found.items()]
    error = caught.value
    assert (error.where, error.offset) == ("things", 4)
    assert str(error).startswith("things, at byte 4: ")


def test_a_failing_disk_is_an_error_of_the_archive() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(ArchiveError, match="Input/output error"):
        listed_from(Failing())


def listed_from(stream: io.BytesIO) -> None:
    JsonScanner(stream).parsed()
