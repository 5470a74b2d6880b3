"""Reads an archive of any size in little memory.

The whole file is surveyed first: every element is found and parsed, and where the lists
stand is noted. So a damaged file is refused before anything of it is loaded, its parts
may come in any order, and how much there is to load is known beforehand.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from edgenode.archives.model import (
    ARCHIVE_CLASS,
    PROPERTIES_KEY,
    STORES,
    OpenMetadataArchiveProperties,
    Section,
)
from edgenode.archives.scanner import JsonScanner
from edgenode.codec.codec import Codec
from edgenode.errors import ArchiveError, BadRequestError

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LIST_PLACE = "{}[{}]"


@dataclass(frozen=True, slots=True)
class Element:
    """One element of an archive.

    Attributes:
        where: Its place, such as ``entities[17]``.
        offset: How many bytes into the file it begins.
        value: The element, parsed; None for a null.
        size: Its length in bytes.
    """

    where: str
    offset: int
    value: object
    size: int


@dataclass(frozen=True, slots=True)
class _Place:
    offset: int
    count: int


class ArchiveReader:
    """An archive that was surveyed and found sound.

    Attributes:
        properties: The archive's description of itself.
    """

    def __init__(self, file: BinaryIO, codec: Codec) -> None:
        """Survey a seekable file.

        Raises:
            ArchiveError: It is no archive, or is damaged; the error says where.
        """
        self._file = file
        survey = _Survey(file)
        self._places = survey.places
        self.properties = _properties(survey.properties, codec)

    @classmethod
    def open(cls, path: Path, codec: Codec) -> "ArchiveReader":
        """Open and survey a file; this takes as long as reading all of it.

        Raises:
            ArchiveError: It can't be read, is no archive, or is damaged.
        """
        try:
            file = path.open("rb")
        except OSError as error:
            raise ArchiveError(str(path), None, str(error.strerror)) from error
        try:
            return cls(file, codec)
        except BaseException:
            file.close()
            raise

    def __enter__(self) -> "ArchiveReader":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def counts(self) -> Mapping[Section, int]:
        """How many elements each list has; lists that aren't there are left out."""
        return {section: place.count for section, place in self._places.items()}

    def elements(self, section: Section) -> Iterator[Element]:
        """The elements of a list, one after the other.

        Raises:
            ArchiveError: The file has changed since the survey.
        """
        place = self._places.get(section)
        if place is not None:
            yield from _elements(JsonScanner(self._file, place.offset), section)


class _Survey:
    """One pass over a file, which notes where everything is."""

    def __init__(self, file: BinaryIO) -> None:
        self.properties: object = None
        self.places: dict[Section, _Place] = {}
        self._seen: set[str] = set()
        is_marked = file.read(len(_BYTE_ORDER_MARK)) == _BYTE_ORDER_MARK
        self._scanner = JsonScanner(file, len(_BYTE_ORDER_MARK) if is_marked else 0)
        if self._scanner.peek() != b"{":
            raise self._scanner.error("this is no open metadata archive")
        class_name = self._archive()
        self._scanner.where = "archive"
        if self._scanner.peek():
            raise self._scanner.error("there is something behind its end")
        if class_name != ARCHIVE_CLASS or self.properties is None:
            missing = "archiveProperties" if class_name == ARCHIVE_CLASS else "class"
            raise ArchiveError(
                "archive", None, f"this is no open metadata archive: no {missing}"
            )

    def _archive(self) -> object:
        class_name = None
        for key in self._scanner.members():
            self._scanner.where = key
            if key == "class":
                class_name = self._scanner.parsed()
            elif key == PROPERTIES_KEY:
                self._once(key)
                self.properties = self._scanner.parsed()
            elif key in STORES and self._scanner.peek() == b"{":
                self._store(STORES[key][1])
            else:
                self._scanner.parsed()
            self._scanner.where = "archive"
        return class_name

    def _store(self, sections: tuple[Section, ...]) -> None:
        wanted = {section.value: section for section in sections}
        for key in self._scanner.members():
            section = wanted.get(key)
            self._scanner.where = key
            if section is None or self._scanner.peek() != b"[":
                self._scanner.parsed()
                continue
            self._once(key)
            offset = self._scanner.offset
            count = sum(1 for _ in _elements(self._scanner, section))
            self.places[section] = _Place(offset, count)
            self._scanner.where = key

    def _once(self, key: str) -> None:
        if key in self._seen:
            raise self._scanner.error("it is there twice")
        self._seen.add(key)


def _elements(scanner: JsonScanner, section: Section) -> Iterator[Element]:
    for index in scanner.items():
        scanner.where = _LIST_PLACE.format(section.value, index)
        scanner.peek()
        offset = scanner.offset
        value = scanner.parsed()
        yield Element(scanner.where, offset, value, scanner.offset - offset)
        scanner.where = f"after {scanner.where}"


def _properties(value: object, codec: Codec) -> OpenMetadataArchiveProperties:
    try:
        properties = codec.from_object(
            OpenMetadataArchiveProperties, value, PROPERTIES_KEY
        )
    except BadRequestError as error:
        raise ArchiveError(error.where, None, error.reason) from error
    if properties.archive_guid is None:
        raise ArchiveError(PROPERTIES_KEY, None, "archiveGUID is missing")
    return properties
