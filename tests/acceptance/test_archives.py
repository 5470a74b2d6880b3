"""Published archives go into a real store and come out again."""

import asyncio
import json
import random
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import pytest

from edgenode.archives import loader
from edgenode.archives.loader import LoadReport, Progress, load_archive
from edgenode.archives.model import (
    OpenMetadataArchiveProperties,
    OpenMetadataArchiveType,
    Section,
)
from edgenode.archives.reader import ArchiveReader
from edgenode.archives.stamping import (
    stamped_entity,
    stamped_extension,
    stamped_relationship,
)
from edgenode.archives.writer import write_archive
from edgenode.clock import SystemClock
from edgenode.codec.codec import Codec
from edgenode.collection.local import LocalMetadataCollection
from edgenode.collection.local_base import LocalCollectionParts
from edgenode.errors import ArchiveError
from edgenode.instances.conditions import AnyText, InstanceQuery
from edgenode.instances.model import (
    Classification,
    ClassificationEntityExtension,
    EntityDetail,
    Relationship,
)
from edgenode.instances.patterns import parse_pattern
from edgenode.instances.provenance import Home
from edgenode.releases import EGERIA_4_2, EGERIA_6_1, Release
from edgenode.releases.shipped_types import load_release_types
from edgenode.repository.sqlite import SqliteRepository
from edgenode.typedefs.attributes import AttributeTypeDef
from edgenode.typedefs.model import TypeDef
from tests.conftest import SHARED

T = TypeVar("T")

USER = "librarian"
HERE, ELSEWHERE = "here-id", "elsewhere-id"
BACKUP = OpenMetadataArchiveProperties(
    archive_guid="backup-guid",
    archive_name="backup",
    archive_type=OpenMetadataArchiveType.REPOSITORY_BACKUP,
)
ARCHIVES_4_2 = sorted((SHARED / "data" / "4.2").glob("*.json"))
ARCHIVES_6_1 = sorted((SHARED / "data" / "6.1").glob("*.omarchive"))


def archives(paths: list[Path]) -> pytest.MarkDecorator:
    """Runs a test with each archive; skips it where the reference data is absent."""
    absent = pytest.param(
        None, marks=pytest.mark.skip(reason="no reference data in ../shared/data")
    )
    return pytest.mark.parametrize(
        "path", paths or [absent], ids=[path.stem for path in paths] or None
    )


@dataclass
class Node:
    """A store of one server and the collection in it."""

    codec: Codec
    repository: SqliteRepository
    collection: LocalMetadataCollection

    async def load(self, path: Path) -> LoadReport:
        return await load_archive(path, self.collection, self.codec, USER)

    async def export(self, path: Path) -> bytes:
        await write_archive(path, BACKUP, self.collection, self.codec)
        return await asyncio.to_thread(path.read_bytes)


@asynccontextmanager
async def node(
    directory: Path, home_id: str = HERE, release: Release = EGERIA_4_2
) -> AsyncIterator[Node]:
    """A server's store below a directory; what is there is opened again."""
    codec, clock = Codec(release), SystemClock()
    types = await asyncio.to_thread(load_release_types, release)
    async with SqliteRepository.opened(
        directory / "metadata.db", codec, clock, name="node"
    ) as repository:
        parts = LocalCollectionParts(
            home=Home(home_id, "node"),
            repository=repository,
            types=types,
            codec=codec,
            release=release,
            clock=clock,
            random_uuid=lambda: str(uuid4()),
            is_known_collection=lambda known: known == home_id,
        )
        yield Node(codec, repository, LocalMetadataCollection(parts))


@dataclass
class Content:
    """What an archive says, apart from how it says it."""

    types: dict[str | None, TypeDef | AttributeTypeDef] = field(default_factory=dict)
    entities: dict[str | None, EntityDetail] = field(default_factory=dict)
    classifications: dict[tuple[str | None, str | None], Classification] = field(
        default_factory=dict
    )
    relationships: dict[str | None, tuple[Relationship, list[str | None]]] = field(
        default_factory=dict
    )


def content(path: Path, codec: Codec, local_id: str) -> Content:
    """What is in an archive, as a server with this id would store it."""
    found = Content()
    with ArchiveReader.open(path, codec) as opened:
        archive = opened.properties

        def told(section: Section, bean: type[T]) -> Iterator[T]:
            for element in opened.elements(section):
                yield codec.from_object(bean, element.value)

        for attribute_type in told(Section.ATTRIBUTE_TYPE_DEFS, AttributeTypeDef):
            found.types[attribute_type.name] = attribute_type
        for type_def in told(Section.NEW_TYPE_DEFS, TypeDef):
            found.types[type_def.name] = type_def
        for entity in told(Section.ENTITIES, EntityDetail):
            stored = stamped_entity(entity, archive, local_id)
            found.entities[entity.guid] = replace(stored, classifications=None)
            for given in stored.classifications or ():
                found.classifications[entity.guid, given.name] = given
        for extension in told(Section.CLASSIFICATIONS, ClassificationEntityExtension):
            apart = stamped_extension(extension, archive, local_id)
            assert apart.classification is not None
            assert apart.entity_to_classify is not None
            key = (apart.entity_to_classify.guid, apart.classification.name)
            found.classifications[key] = apart.classification
        for told_one in told(Section.RELATIONSHIPS, Relationship):
            relationship = stamped_relationship(told_one, archive, local_id)
            proxies = (relationship.entity_one_proxy, relationship.entity_two_proxy)
            ends = [None if proxy is None else proxy.guid for proxy in proxies]
            bare = replace(relationship, entity_one_proxy=None, entity_two_proxy=None)
            found.relationships[relationship.guid] = (bare, ends)
    return found


@archives(ARCHIVES_4_2)
async def test_an_archive_loads_twice_and_exports_to_the_same_content(
    path: Path, tmp_path: Path
) -> None:
    export, again = tmp_path / "export", tmp_path / "again"
    async with node(tmp_path / "first") as first:
        report = await first.load(path)
        assert report.refusals == []
        stored = await first.repository.newest_state()
        second_report = await first.load(path)
        assert (second_report.types_changed, second_report.saved) == (0, 0)
        assert second_report.unchanged == report.saved
        assert await first.repository.newest_state() == stored
        written = await first.export(export)
        told, kept = await asyncio.to_thread(
            lambda: (content(path, first.codec, HERE), content(export, first.codec, ""))
        )
    assert kept.types == told.types
    assert kept.entities == told.entities
    assert kept.relationships == told.relationships
    # Beside those told there are those of entities that other archives have.
    assert told.classifications.items() <= kept.classifications.items()
    assert {
        guid for guid, _ in kept.classifications.keys() - told.classifications.keys()
    }.isdisjoint(told.entities)
    async with node(tmp_path / "second", ELSEWHERE) as other:
        loaded = await other.load(export)
        assert loaded.refusals == []
        assert await other.export(again) == written


async def test_all_archives_live_together(tmp_path: Path, shared: Path) -> None:
    async with node(tmp_path) as one:
        reports = [await one.load(path) for path in ARCHIVES_4_2]
        assert [report.refusals for report in reports] == [[]] * len(ARCHIVES_4_2)
        stored = await one.repository.newest_state()
        again = [await one.load(path) for path in reversed(ARCHIVES_4_2)]
        assert [report.saved for report in again] == [0] * len(ARCHIVES_4_2)
        assert await one.repository.newest_state() == stored
        # The link to a column that another archive describes.
        found = await one.repository.find_entities(
            InstanceQuery(condition=AnyText(parse_pattern(".*BRANCH.*")))
        )
        assert found
        written = await one.export(tmp_path / "export")
    async with node(tmp_path / "other", ELSEWHERE) as other:
        await other.load(tmp_path / "export")
        assert await other.export(tmp_path / "again") == written


@archives(ARCHIVES_6_1)
async def test_archives_of_the_other_release_load_under_its_types(
    path: Path, tmp_path: Path
) -> None:
    async with node(tmp_path, release=EGERIA_6_1) as one:
        first, second = await one.load(path), await one.load(path)
        assert first.refusals == second.refusals == []
        assert (second.types_changed, second.saved) == (0, 0)


@pytest.mark.parametrize("seed", range(4))
async def test_a_load_goes_on_where_it_was_stopped(
    seed: int, tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shared / "data" / "4.2" / "CocoBusinessSystemsArchive.json"
    async with node(tmp_path / "undisturbed") as undisturbed:
        await undisturbed.load(path)
        expected = await undisturbed.export(tmp_path / "expected")
    chance = random.Random(seed)  # noqa: S311
    monkeypatch.setattr(loader, "ARCHIVE_BATCH_ELEMENTS", chance.randint(1, 7))
    for stop in sorted(chance.sample(range(1, 120), 3)):
        # Closed and opened between the attempts, as after a restart.
        async with node(tmp_path / "disturbed") as disturbed:
            loading = asyncio.create_task(
                load_archive(
                    path,
                    disturbed.collection,
                    disturbed.codec,
                    USER,
                    partial(stop_at, stop),
                )
            )
            with pytest.raises(asyncio.CancelledError):
                await loading
    async with node(tmp_path / "disturbed") as disturbed:
        await disturbed.load(path)
        assert await disturbed.export(tmp_path / "export") == expected


def stop_at(stop: int, progress: Progress) -> None:
    """Cancel the task that loads, once it has come so far."""
    task = asyncio.current_task()
    if task is not None and progress.done >= stop:
        task.cancel()


async def test_a_truncated_archive_leaves_the_store_as_it_was(
    tmp_path: Path, shared: Path
) -> None:
    whole = (shared / "data" / "4.2" / "SimpleDataCatalog.json").read_bytes()
    path = tmp_path / "truncated"
    async with node(tmp_path) as one:
        for part in (0.3, 0.6, 0.9, 0.999):
            cut = whole[: int(len(whole) * part)]
            await asyncio.to_thread(path.write_bytes, cut)
            with pytest.raises(ArchiveError, match="ends"):
                await one.load(path)
        assert await one.repository.newest_state() == 0


def large_archive(path: Path, source: Path, entities: int) -> None:
    """An archive of this many entities, like the first of a published one."""
    told = json.loads(source.read_text())
    model = json.dumps(told["archiveInstanceStore"]["entities"][0])
    guid = told["archiveInstanceStore"]["entities"][0]["guid"]
    head = json.dumps(told["archiveProperties"])
    with path.open("w") as out:
        out.write(f'{{"class":"OpenMetadataArchive","archiveProperties":{head},')
        out.write('"archiveInstanceStore":{"entities":[')
        for number in range(entities):
            out.write(("," if number else "") + model.replace(guid, f"guid-{number}"))
        out.write("]}}")


async def test_memory_does_not_grow_with_the_archive(
    tmp_path: Path, shared: Path
) -> None:
    source = shared / "data" / "4.2" / "SimpleDataCatalog.json"
    peaks = []
    for entities in (1_000, 4_000):
        path = tmp_path / f"{entities}.omarchive"
        await asyncio.to_thread(large_archive, path, source, entities)
        async with node(tmp_path / str(entities)) as one:
            tracemalloc.start()
            try:
                report = await one.load(path)
                await one.export(tmp_path / "export")
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
        assert report.saved == entities
        peaks.append(peak)
    assert peaks[1] < peaks[0] + 4_000_000
