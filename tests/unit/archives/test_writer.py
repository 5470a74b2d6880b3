"""What is written can be loaded, and comes out the same again."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgenode.archives.loader import load_archive
from edgenode.archives.model import (
    OpenMetadataArchiveProperties,
    OpenMetadataArchiveType,
)
from edgenode.archives.reader import ArchiveReader
from edgenode.archives.writer import write_archive
from edgenode.collection import archive_exports
from edgenode.collection.base import ClassificationSource, ExternalSource
from edgenode.collection.local import LocalMetadataCollection
from edgenode.errors import ArchiveError
from edgenode.typedefs.attributes import PrimitiveDef, PrimitiveDefCategory
from edgenode.typedefs.model import (
    EntityDef,
    TypeDefAttribute,
    TypeDefLink,
    TypeDefPatch,
)
from tests.model.house import (
    CODEC,
    USER,
    House,
    properties,
    remote_classification,
    remote_entity,
    remote_proxy,
    type_guid,
    types,
)
from tests.model.memory import MemoryRepository
from tests.unit.archives.samples import file

PROPERTIES = OpenMetadataArchiveProperties(
    archive_guid="export-guid",
    archive_name="everything",
    archive_type=OpenMetadataArchiveType.REPOSITORY_BACKUP,
    creation_date=1_700_000_000_123,
    depends_on_archives=("one",),
)


def collection() -> LocalMetadataCollection:
    return House(MemoryRepository(CODEC), types=types().copy()).collection


async def filled() -> LocalMetadataCollection:
    """A collection with something of everything."""
    made = collection()
    term, related = type_guid("GlossaryTerm"), type_guid("RelatedTerm")
    source = ExternalSource("tool-id", "tool")
    guids = []
    for name in ("one", "two", "gone"):
        named = properties(qualifiedName=name)
        added = await made.add_entity(USER, term, named, None, None)
        guids.append(str(added.value.guid))
    one, two, gone = guids
    await made.add_relationship(USER, related, None, one, two, None)
    await made.add_relationship(USER, related, None, one, two, None, source)
    await made.classify_entity(USER, one, "SpineObject", ClassificationSource(), None)
    await made.update_entity_properties(USER, one, properties(qualifiedName="again"))
    await made.delete_entity(USER, term, "GlossaryTerm", gone)
    await made.save_entity_reference_copy(USER, remote_entity("copy"))
    far = remote_proxy("far", classifications=(remote_classification(),))
    await made.add_entity_proxy(USER, far)
    await made.classify_entity_by_proxy(
        USER, far, "SpineObject", ClassificationSource(), None
    )
    await made.add_relationship(USER, related, None, one, "far", None)
    return made


async def exported(
    made: LocalMetadataCollection,
    path: Path,
    properties: OpenMetadataArchiveProperties = PROPERTIES,
) -> bytes:
    await write_archive(path, properties, made, CODEC)
    return await asyncio.to_thread(path.read_bytes)


def counted(path: Path) -> dict[str, int]:
    with ArchiveReader.open(path, CODEC) as opened:
        return {section.value: count for section, count in opened.counts.items()}


async def test_an_export_loads_elsewhere_and_comes_out_the_same(
    tmp_path: Path,
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    written = await exported(await filled(), first)
    other = collection()
    report = await load_archive(first, other, CODEC, USER)
    assert report.refusals == []
    assert await exported(other, second) == written
    assert await load_counts(first) == {
        "entities": 4,
        "relationships": 3,
        "classifications": 2,
    }


async def load_counts(path: Path) -> dict[str, int]:
    return await asyncio.to_thread(counted, path)


async def test_an_export_comes_back_to_its_own_home(tmp_path: Path) -> None:
    made = await filled()
    path = tmp_path / "backup"
    written = await exported(made, path)
    before = await load_archive(path, made, CODEC, USER)
    assert (before.saved, before.refusals) == (0, [])
    # An empty repository of the same collection, as after the loss of the disk.
    restored = collection()
    report = await load_archive(path, restored, CODEC, USER)
    assert report.refusals == []
    assert await exported(restored, path) == written
    again = await load_archive(path, restored, CODEC, USER)
    assert (again.saved, again.refusals) == (0, [])


async def test_only_a_backup_holds_what_is_deleted(tmp_path: Path) -> None:
    export = replace(PROPERTIES, archive_type=OpenMetadataArchiveType.METADATA_EXPORT)
    path = tmp_path / "export"
    text = await exported(await filled(), path, export)
    assert b"DELETED" not in text.replace(b'"statusOnDelete"', b"")
    assert (await load_counts(path))["entities"] == 3


async def test_the_head_is_written_as_given(tmp_path: Path) -> None:
    path = tmp_path / "head"
    text = await exported(collection(), path)
    assert json.loads(text) == {
        "class": "OpenMetadataArchive",
        "archiveProperties": {
            "class": "OpenMetadataArchiveProperties",
            "archiveGUID": "export-guid",
            "archiveName": "everything",
            "archiveType": "REPOSITORY_BACKUP",
            "creationDate": 1_700_000_000_123,
            "dependsOnArchives": ["one"],
        },
    }
    opened = await asyncio.to_thread(ArchiveReader.open, path, CODEC)
    with opened:
        assert opened.properties == PROPERTIES


async def test_dates_are_epoch_milliseconds_and_elements_stand_on_lines(
    tmp_path: Path,
) -> None:
    text = await exported(await filled(), tmp_path / "lines")
    whole = json.loads(text)
    entities: list[dict[str, Any]] = whole["archiveInstanceStore"]["entities"]
    assert all(isinstance(told["createTime"], int) for told in entities)
    lines = [json.loads(line.rstrip(b",")) for line in text.splitlines()[1:5]]
    assert lines == entities
    assert sorted(told["guid"] for told in entities) == [
        told["guid"] for told in entities
    ]


@pytest.mark.parametrize("page", [1, 2, 3, 100])
async def test_the_size_of_pages_makes_no_difference(
    page: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await filled()
    written = await exported(made, tmp_path / "usual")
    monkeypatch.setattr(archive_exports, "EXPORT_PAGE", page)
    assert await exported(made, tmp_path / "paged") == written


async def test_what_is_stored_meanwhile_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_exports, "EXPORT_PAGE", 1)
    made = await filled()
    mark = await made.export_mark()
    pages = made.exported_entities(mark)
    found = [document.value async for page in pages for document in page]
    named = properties(qualifiedName="changed")
    await made.update_entity_properties(USER, str(found[1].guid), named)
    await made.add_entity(USER, type_guid("GlossaryTerm"), named, None, None)
    after = made.exported_entities(mark)
    assert [document.value async for page in after for document in page] == found


async def test_types_beyond_the_release_travel_with_their_versions(
    tmp_path: Path,
) -> None:
    made = collection()
    string = made.get_attribute_type_def_by_name(USER, "string")
    sound = TypeDefAttribute(attribute_name="sound", attribute_type=string)
    term = made.get_type_def_by_name(USER, "GlossaryTerm")
    await made.update_type_def(
        USER,
        TypeDefPatch(
            type_def_guid=term.guid,
            type_def_name=term.name,
            apply_to_version=term.version,
            update_to_version=term.version + 2,
            new_version_name="later",
            updated_by=USER,
            update_time=5,
            description="Words, and how they sound.",
            property_definitions=(sound,),
        ),
    )
    await made.add_attribute_type_def(
        USER,
        PrimitiveDef(
            guid="tone-guid",
            name="tone",
            version=1,
            primitive_def_category=PrimitiveDefCategory.OM_PRIMITIVE_TYPE_STRING,
        ),
    )
    await made.add_type_def(
        USER, EntityDef(guid="robot-guid", name="Robot", version=1, version_name="1")
    )
    path = tmp_path / "types"
    written = await exported(made, path)
    assert await load_counts(path) == {
        "attributeTypeDefs": 1,
        "newTypeDefs": 2,
        "typeDefPatches": 1,
    }
    other = collection()
    report = await load_archive(path, other, CODEC, USER)
    assert report.refusals == []
    for name in ("GlossaryTerm", "Robot"):
        assert other.get_type_def_by_name(USER, name) == made.get_type_def_by_name(
            USER, name
        )
    assert await exported(other, path) == written


async def test_patches_of_relationship_and_classification_types_travel(
    tmp_path: Path,
) -> None:
    made = collection()
    asset = made.get_type_def_by_name(USER, "Asset")
    link = TypeDefLink(guid=asset.guid, name=asset.name)
    changes: dict[str, dict[str, Any]] = {
        "RelatedTerm": {"update_multi_link": True, "multi_link": True},
        "SpineObject": {"valid_entity_defs": (link,)},
    }
    for name, change in changes.items():
        known = made.get_type_def_by_name(USER, name)
        await made.update_type_def(
            USER,
            TypeDefPatch(
                type_def_guid=known.guid,
                type_def_name=name,
                apply_to_version=known.version,
                update_to_version=known.version + 1,
                new_version_name="later",
                updated_by=USER,
                update_time=5,
                **change,
            ),
        )
    path = tmp_path / "types"
    await exported(made, path)
    other = collection()
    await load_archive(path, other, CODEC, USER)
    for name in changes:
        patched = other.get_type_def_by_name(USER, name)
        assert patched == made.get_type_def_by_name(USER, name)
        assert patched.version_name == "later"


async def test_progress_is_the_number_of_elements(tmp_path: Path) -> None:
    told: list[int] = []
    written = await write_archive(
        tmp_path / "some", PROPERTIES, await filled(), CODEC, told.append
    )
    assert written == 9
    assert told == sorted(told)
    assert told[-1] == 9


async def test_a_file_is_replaced_only_by_a_whole_one(tmp_path: Path) -> None:
    path = file(tmp_path, "as before")

    def fail(count: int) -> None:
        raise RuntimeError(count)

    with pytest.raises(RuntimeError):
        await write_archive(path, PROPERTIES, await filled(), CODEC, fail)
    left = await asyncio.to_thread(lambda: list(tmp_path.iterdir()))
    assert left == [path]
    assert json.loads(await asyncio.to_thread(path.read_text)) == "as before"


async def test_a_place_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "file"
    with pytest.raises(ArchiveError, match=r"missing/file: No such file"):
        await write_archive(path, PROPERTIES, collection(), CODEC)
