"""Loads an archive into a server: its types together, its instances in small changes.

Loading may stop anywhere, by a fault or a power cut, and be done again from the start:
what is stored already is found unchanged. Instances come in the order entities,
relationships, classifications, so that ends are there before what joins them.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from edgenode.archives.model import (
    INSTANCE_SECTIONS,
    TYPE_SECTIONS,
    OpenMetadataArchiveProperties,
    Section,
)
from edgenode.archives.reader import ArchiveReader, Element
from edgenode.archives.stamping import (
    stamped_entity,
    stamped_extension,
    stamped_relationship,
)
from edgenode.codec.codec import Codec
from edgenode.collection.archive_instances import ArchiveOutcome
from edgenode.errors import ArchiveError, BadRequestError, OMRSError
from edgenode.instances.model import (
    ClassificationEntityExtension,
    EntityDetail,
    Relationship,
)
from edgenode.limits import (
    ARCHIVE_BATCH_BYTES,
    ARCHIVE_BATCH_ELEMENTS,
    MAX_ARCHIVE_REFUSALS,
    MAX_ARCHIVE_TYPES,
)
from edgenode.typedefs.attributes import AttributeTypeDef
from edgenode.typedefs.merge import MergedTypes
from edgenode.typedefs.model import TypeDef, TypeDefPatch

_BEANS: dict[Section, type] = {
    Section.ATTRIBUTE_TYPE_DEFS: AttributeTypeDef,
    Section.NEW_TYPE_DEFS: TypeDef,
    Section.TYPE_DEF_PATCHES: TypeDefPatch,
    Section.ENTITIES: EntityDetail,
    Section.RELATIONSHIPS: Relationship,
    Section.CLASSIFICATIONS: ClassificationEntityExtension,
}
_STAMPS: dict[Section, Callable[[Any, OpenMetadataArchiveProperties, str], Any]] = {
    Section.ENTITIES: stamped_entity,
    Section.RELATIONSHIPS: stamped_relationship,
    Section.CLASSIFICATIONS: stamped_extension,
}


class ArchiveTarget(Protocol):
    """What loading needs of a metadata collection."""

    def get_metadata_collection_id(self, user_id: str) -> str:
        """The id under which this member is known."""
        ...

    async def merge_types(
        self,
        attribute_type_defs: Sequence[AttributeTypeDef],
        type_defs: Sequence[TypeDef],
        patches: Sequence[TypeDefPatch],
    ) -> MergedTypes:
        """Take over a store of types, as far as it agrees with what is known."""
        ...

    async def save_archive_instances(
        self,
        user_id: str,
        entities: Sequence[EntityDetail] = (),
        relationships: Sequence[Relationship] = (),
        classifications: Sequence[ClassificationEntityExtension] = (),
    ) -> ArchiveOutcome:
        """Save part of an archive as one change; what can't be stored is left out."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a load has come: elements dealt with, of all there are."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """An element that was not loaded, and why."""

    where: str
    reason: OMRSError | BadRequestError


@dataclass(slots=True)
class Tally:
    """What became of the elements of one kind.

    Attributes:
        saved: How many are stored now.
        unchanged: How many were there already, as they are or newer.
        refused: How many could not be taken over.
    """

    saved: int = 0
    unchanged: int = 0
    refused: int = 0


@dataclass(slots=True)
class LoadReport:
    """What became of an archive; grows while it is loaded.

    Attributes:
        archive: What the archive says of itself.
        types: Attribute types, types and patches: those saved were unknown.
        types_changed: Type definitions that are new, at a later version, or said more
            fully than before.
        instances: Entities, relationships and classifications told apart from theirs.
        refusals: Why elements could not be taken over, for the first of them.
    """

    archive: OpenMetadataArchiveProperties
    types: Tally = field(default_factory=Tally)
    types_changed: int = 0
    instances: dict[Section, Tally] = field(
        default_factory=lambda: {section: Tally() for section in INSTANCE_SECTIONS}
    )
    refusals: list[Refusal] = field(default_factory=list)

    @property
    def saved(self) -> int:
        """How many instances and classifications are stored now."""
        return sum(tally.saved for tally in self.instances.values())

    @property
    def unchanged(self) -> int:
        """How many instances and classifications were there already, or newer."""
        return sum(tally.unchanged for tally in self.instances.values())

    @property
    def refused(self) -> int:
        """How many elements could not be taken over."""
        instances = sum(tally.refused for tally in self.instances.values())
        return self.types.refused + instances

    @property
    def depends_on(self) -> tuple[str, ...]:
        """The GUIDs of the archives that should be loaded as well, each once."""
        return tuple(dict.fromkeys(self.archive.depends_on_archives or ()))

    def refuse(
        self, tally: Tally, where: str, reason: OMRSError | BadRequestError
    ) -> None:
        """Take note of an element that can't be taken over."""
        tally.refused += 1
        if len(self.refusals) < MAX_ARCHIVE_REFUSALS:
            self.refusals.append(Refusal(where, reason))


async def load_archive(
    path: Path,
    target: ArchiveTarget,
    codec: Codec,
    user_id: str,
    progress: Callable[[Progress], None] = lambda _: None,
) -> LoadReport:
    """Load an archive, or what of it isn't there yet.

    Args:
        path: The archive's file.
        target: Where to load it.
        codec: Reads the archive's elements.
        user_id: Who loads it.
        progress: Called with how far it has come, after each change.

    Raises:
        ArchiveError: The file is no archive or is damaged, and nothing was loaded;
            or it was changed meanwhile.
        StoreFullError: The disk is full; what was loaded so far stays.
        StoreUnavailableError: The disk refuses writes; what was loaded so far stays.
    """
    with await asyncio.to_thread(ArchiveReader.open, path, codec) as archive:
        return await _Load(archive, target, codec, user_id, progress).run()


@dataclass(slots=True)
class _Batch:
    """Elements that are taken over together, with where they stood."""

    beans: list[Any] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    unbound: list[tuple[str, BadRequestError]] = field(default_factory=list)
    elements: int = 0
    size: int = 0

    @property
    def is_full(self) -> bool:
        return (
            self.elements >= ARCHIVE_BATCH_ELEMENTS or self.size >= ARCHIVE_BATCH_BYTES
        )


class _Load:
    """One load on its way."""

    def __init__(
        self,
        archive: ArchiveReader,
        target: ArchiveTarget,
        codec: Codec,
        user_id: str,
        progress: Callable[[Progress], None],
    ) -> None:
        self._archive = archive
        self._target = target
        self._codec = codec
        self._user_id = user_id
        self._local_id = target.get_metadata_collection_id(user_id)
        self._progress = progress
        self._done = 0
        self._total = sum(archive.counts.values())
        self._report = LoadReport(archive.properties)

    async def run(self) -> LoadReport:
        await self._types()
        for section in INSTANCE_SECTIONS:
            batches = self._batches(section)
            # In a thread: reading waits for the disk, and decoding takes its time.
            while batch := await asyncio.to_thread(next, batches, None):
                await self._instances(section, batch)
        return self._report

    async def _types(self) -> None:
        counts = self._archive.counts
        count = sum(counts.get(section, 0) for section in TYPE_SECTIONS)
        if count > MAX_ARCHIVE_TYPES:
            reason = f"more than {MAX_ARCHIVE_TYPES} types and patches"
            raise ArchiveError("archiveTypeStore", None, reason)
        if not count:
            return
        read = [await asyncio.to_thread(self._all, each) for each in TYPE_SECTIONS]
        tally = self._report.types
        for batch in read:
            self._refuse_unbound(batch, tally)
        merged = await self._target.merge_types(*(batch.beans for batch in read))
        self._report.types_changed = len(merged.changed)
        tally.saved = len(merged.added)
        for error in merged.refused:
            self._report.refuse(tally, "archiveTypeStore", error)
        attribute_type_defs, type_defs, _ = read
        told = {bean.guid for bean in attribute_type_defs.beans + type_defs.beans}
        changed = {definition.guid for definition in merged.changed}
        refused = {name for error in merged.refused for name in error.parameters}
        tally.unchanged = len(told - changed - refused)
        self._advance(count)

    async def _instances(self, section: Section, batch: _Batch) -> None:
        tally = self._report.instances[section]
        self._refuse_unbound(batch, tally)
        outcome = await self._target.save_archive_instances(
            self._user_id, **{section.value: batch.beans}
        )
        tally.saved += outcome.saved
        tally.unchanged += outcome.unchanged
        for position, error in outcome.refused:
            self._report.refuse(tally, batch.places[position], error)
        self._advance(batch.elements)

    def _refuse_unbound(self, batch: _Batch, tally: Tally) -> None:
        for where, error in batch.unbound:
            self._report.refuse(tally, where, error)

    def _advance(self, elements: int) -> None:
        self._done += elements
        self._progress(Progress(self._done, self._total))

    # In a thread

    def _all(self, section: Section) -> _Batch:
        batch = _Batch()
        for element in self._archive.elements(section):
            self._put(batch, section, element)
        return batch

    def _batches(self, section: Section) -> Iterator[_Batch]:
        batch = _Batch()
        for element in self._archive.elements(section):
            self._put(batch, section, element)
            if batch.is_full:
                yield batch
                batch = _Batch()
        if batch.elements:
            yield batch

    def _put(self, batch: _Batch, section: Section, element: Element) -> None:
        batch.elements += 1
        batch.size += element.size
        if element.value is None:  # genuine servers pass over nulls too
            return
        try:
            bean: Any = self._codec.from_object(
                _BEANS[section], element.value, element.where
            )
        except BadRequestError as error:
            batch.unbound.append((element.where, error))
            return
        stamp = _STAMPS.get(section)
        if stamp is not None:
            bean = stamp(bean, self._archive.properties, self._local_id)
        batch.beans.append(bean)
        batch.places.append(element.where)
