"""Writes what a server holds as an archive, one element at a time.

Elements come in the order of their GUIDs, types in that of their names, each on a line
of its own: two exports of the same content differ in the head alone. An entity's history
is not part of an archive.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from edgenode.archives.model import (
    ARCHIVE_CLASS,
    PROPERTIES_KEY,
    STORES,
    OpenMetadataArchiveProperties,
    OpenMetadataArchiveType,
    Section,
)
from edgenode.codec.codec import Codec
from edgenode.codec.json import dumps
from edgenode.collection.archive_exports import ExportedTypes
from edgenode.errors import ArchiveError
from edgenode.instances.document import Document
from edgenode.instances.model import (
    ClassificationEntityExtension,
    EntityDetail,
    EntityProxy,
    Relationship,
)
from edgenode.typedefs.status import InstanceStatus


class ArchiveSource(Protocol):
    """What writing needs of a metadata collection."""

    async def exported_types(self) -> ExportedTypes:
        """The types that a server of this release doesn't have by itself."""
        ...

    async def export_mark(self) -> int:
        """A mark for what is stored now."""
        ...

    def exported_entities(
        self, mark: int
    ) -> AsyncIterator[list[Document[EntityDetail]]]:
        """The entities known in full, deleted ones too, in pages by GUID."""
        ...

    def exported_proxies(self, mark: int) -> AsyncIterator[list[Document[EntityProxy]]]:
        """The entities known by a proxy only, in pages by GUID."""
        ...

    def exported_relationships(
        self, mark: int
    ) -> AsyncIterator[list[Document[Relationship]]]:
        """The relationships, deleted ones too, in pages by GUID."""
        ...


async def write_archive(
    path: Path,
    properties: OpenMetadataArchiveProperties,
    source: ArchiveSource,
    codec: Codec,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Write everything to a file, which is there whole or, after a fault, not at all.

    A backup holds deleted instances too, other archives don't.

    Args:
        path: The file; one of this name is replaced.
        properties: The archive's head.
        source: What to write.
        codec: Writes the elements.
        progress: Called with how many elements are written, now and then.

    Returns:
        How many elements were written.

    Raises:
        ArchiveError: The file can't be written.
    """
    unfinished = path.with_name(f"{path.name}.part")
    writing = ArchiveText(properties, source, codec)
    try:
        with await asyncio.to_thread(unfinished.open, "wb") as file:
            async for piece in writing.pieces():
                await asyncio.to_thread(file.write, piece)
                progress(writing.count)
            await asyncio.to_thread(_sync, file)
        await asyncio.to_thread(unfinished.replace, path)
    except OSError as error:
        raise ArchiveError(str(path), None, str(error.strerror)) from error
    finally:
        with suppress(OSError):
            await asyncio.to_thread(unfinished.unlink, missing_ok=True)
    return writing.count


class ArchiveText:
    """The text of one archive, made while it is read.

    Attributes:
        count: How many elements there were so far.
    """

    def __init__(
        self,
        properties: OpenMetadataArchiveProperties,
        source: ArchiveSource,
        codec: Codec,
    ) -> None:
        self._properties = properties
        self._source = source
        self._codec = codec
        self._with_deleted = (
            properties.archive_type is OpenMetadataArchiveType.REPOSITORY_BACKUP
        )
        self._section: Section | None = None
        self._store: str | None = None
        self.count = 0

    async def pieces(self) -> AsyncIterator[bytes]:
        """The whole text, in pieces of a page of elements at most; to be read once."""
        source = self._source
        mark = await source.export_mark()
        head = {"class": f"{ARCHIVE_CLASS}Properties"}
        head |= self._codec.event_object(self._properties)
        yield b'{"class":%b,"%b":%b' % (
            dumps(ARCHIVE_CLASS),
            PROPERTIES_KEY.encode(),
            dumps(head),
        )
        types = await source.exported_types()
        yield await self._text(Section.ATTRIBUTE_TYPE_DEFS, types.attribute_type_defs)
        yield await self._text(Section.NEW_TYPE_DEFS, types.type_defs)
        yield await self._text(Section.TYPE_DEF_PATCHES, types.patches)
        async for entities in source.exported_entities(mark):
            yield await self._text(Section.ENTITIES, self._kept(entities))
        async for relationships in source.exported_relationships(mark):
            yield await self._text(Section.RELATIONSHIPS, self._kept(relationships))
        async for proxies in source.exported_proxies(mark):
            yield await self._text(Section.CLASSIFICATIONS, _extensions(proxies))
        yield self._closing() + b"}\n"

    def _kept(
        self, page: Sequence[Document[EntityDetail]] | Sequence[Document[Relationship]]
    ) -> Iterable[object]:
        return (
            document.value
            for document in page
            if self._with_deleted or document.value.status is not InstanceStatus.DELETED
        )

    async def _text(self, section: Section, beans: Iterable[object]) -> bytes:
        # In a thread: encoding takes its time.
        return await asyncio.to_thread(self._encoded, section, beans)

    def _encoded(self, section: Section, beans: Iterable[object]) -> bytes:
        text = bytearray()
        for bean in beans:
            text += self._separator(section)
            text += dumps(self._codec.event_object(bean))
            self.count += 1
        return bytes(text)

    def _separator(self, section: Section) -> bytes:
        """What stands before an element: a comma, or the opening of its list."""
        if section is self._section:
            return b",\n"
        store, class_name = next(
            (key, class_name)
            for key, (class_name, sections) in STORES.items()
            if section in sections
        )
        if store == self._store:
            opening = b"\n],"
        else:
            opening = self._closing() + b',"%b":{"class":"%b",' % (
                store.encode(),
                class_name.encode(),
            )
        self._store, self._section = store, section
        return opening + b'"%b":[\n' % section.value.encode()

    def _closing(self) -> bytes:
        return b"" if self._store is None else b"\n]}"


def _extensions(
    page: Iterable[Document[EntityProxy]],
) -> Iterable[ClassificationEntityExtension]:
    """The classifications of entities that live elsewhere, each with its entity."""
    for document in page:
        proxy: Any = document.value
        for classification in proxy.classifications or ():
            yield ClassificationEntityExtension(
                classification=classification,
                entity_to_classify=replace(proxy, classifications=None),
            )


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
