"""Archives load into a collection, again and again, and from wherever they stopped."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from edgenode.archives import loader
from edgenode.archives.loader import LoadReport, Progress, load_archive
from edgenode.errors import ArchiveError
from edgenode.events.model import InstanceEvent, OMRSInstanceEventType
from edgenode.instances.model import EntityDetail, InstanceProvenanceType
from edgenode.typedefs.status import InstanceStatus
from tests.model.house import CODEC, LOCAL, USER, House, type_guid, types
from tests.model.memory import MemoryRepository
from tests.unit.archives.samples import (
    PACK,
    archive,
    classification,
    entity,
    extension,
    file,
    head,
    relationship,
)

WHOLE = archive(
    attributeTypeDefs=[],
    newTypeDefs=[
        {
            "class": "EntityDef",
            "category": "ENTITY_DEF",
            "guid": "robot-guid",
            "name": "Robot",
            "version": 1,
            "versionName": "1",
            "superType": {"guid": type_guid("Asset"), "name": "Asset"},
        }
    ],
    typeDefPatches=[],
    entities=[
        entity("a", classifications=[classification("SpineObject")]),
        entity("b"),
        None,
        entity("c"),
    ],
    relationships=[relationship("ab", "a", "b"), relationship("bx", "b", "x")],
    classifications=[extension("b", "SpineObject"), extension("x", "SpineObject")],
)


class Memory:
    """A collection in memory, and what is in it."""

    def __init__(self) -> None:
        self.repository = MemoryRepository(CODEC)
        self.collection = House(self.repository, types=types().copy()).collection

    async def load(self, path: Path) -> LoadReport:
        return await load_archive(path, self.collection, CODEC, USER)

    def entity(self, guid: str) -> EntityDetail:
        return self.collection.get_entity_detail(USER, guid).value

    async def contents(self) -> list[object]:
        mark = await self.repository.newest_state()
        exported = await self.collection.exported_types()
        found: list[object] = [*exported.type_defs]
        async for entities in self.collection.exported_entities(mark):
            found += [document.value for document in entities]
        async for proxies in self.collection.exported_proxies(mark):
            found += [document.value for document in proxies]
        async for relationships in self.collection.exported_relationships(mark):
            found += [document.value for document in relationships]
        return found


async def test_everything_is_loaded_and_stamped(tmp_path: Path) -> None:
    memory = Memory()
    report = await memory.load(file(tmp_path, WHOLE))
    assert (report.types_changed, report.saved, report.unchanged, report.refusals) == (
        1,
        7,
        0,
        [],
    )
    assert memory.collection.get_type_def_by_name(USER, "Robot").guid == "robot-guid"
    loaded = memory.entity("b")
    assert (
        loaded.instance_provenance_type,
        loaded.metadata_collection_id,
        loaded.replicated_by,
        [c.name for c in loaded.classifications or ()],
    ) == (InstanceProvenanceType.CONTENT_PACK, PACK, LOCAL.id, ["SpineObject"])
    # Told of an entity that is in another archive.
    summary = memory.collection.get_entity_summary(USER, "x").value
    assert [c.name for c in summary.classifications or ()] == ["SpineObject"]


async def test_what_nobody_else_answers_for_is_announced_once(tmp_path: Path) -> None:
    memory = Memory()
    path = file(tmp_path, archive(entities=[entity("a")]))
    await memory.load(path)
    await memory.load(path)
    assert [
        (event.event_type, event.instance_guid)
        for event in memory.repository.events
        if isinstance(event, InstanceEvent)
    ] == [(OMRSInstanceEventType.NEW_ENTITY_EVENT, "a")]


async def test_a_backup_comes_as_it_was(tmp_path: Path) -> None:
    memory = Memory()
    told = entity("a", version=0, instanceProvenanceType="LOCAL_COHORT")
    await memory.load(
        file(tmp_path, archive(head("REPOSITORY_BACKUP"), entities=[told]))
    )
    loaded = memory.entity("a")
    assert (loaded.version, loaded.replicated_by) == (1, None)


async def test_loading_again_changes_nothing(tmp_path: Path) -> None:
    memory = Memory()
    path = file(tmp_path, WHOLE)
    await memory.load(path)
    before = (await memory.contents(), await memory.repository.newest_state())
    report = await memory.load(path)
    assert (report.types_changed, report.saved, report.unchanged, report.refused) == (
        0,
        0,
        7,
        0,
    )
    assert (await memory.contents(), await memory.repository.newest_state()) == before


class Interruption(Exception):  # noqa: N818
    """Ends a load where a test wants it to end."""


@pytest.mark.parametrize("seed", range(12))
async def test_a_load_may_stop_behind_any_element(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)  # noqa: S311
    monkeypatch.setattr(loader, "ARCHIVE_BATCH_ELEMENTS", chance.choice([1, 2, 3]))
    path = file(tmp_path, WHOLE)
    undisturbed = Memory()
    await undisturbed.load(path)
    disturbed = Memory()
    stops = sorted(chance.sample(range(1, 9), 3))
    reached = []
    for stop in stops:

        def interrupt(progress: Progress, stop: int = stop) -> None:
            reached.append(progress.done)
            if progress.done >= stop:
                raise Interruption

        with pytest.raises(Interruption):
            await load_archive(path, disturbed.collection, CODEC, USER, interrupt)
    await disturbed.load(path)
    assert reached
    assert await disturbed.contents() == await undisturbed.contents()


async def test_progress_is_told_up_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "ARCHIVE_BATCH_ELEMENTS", 3)
    told: list[Progress] = []
    await load_archive(
        file(tmp_path, WHOLE), Memory().collection, CODEC, USER, told.append
    )
    assert told == [Progress(done, 9) for done in (1, 4, 5, 7, 9)]


async def test_big_elements_make_small_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "ARCHIVE_BATCH_BYTES", 100)
    told: list[Progress] = []
    await load_archive(
        file(tmp_path, WHOLE), Memory().collection, CODEC, USER, told.append
    )
    assert [progress.done for progress in told] == [1, 2, 3, 5, 6, 7, 8, 9]


async def test_refused_elements_are_named_and_the_others_loaded(tmp_path: Path) -> None:
    memory = Memory()
    report = await memory.load(
        file(
            tmp_path,
            archive(
                newTypeDefs=[{"class": "PrimitiveDef", "guid": "g", "name": "n"}],
                typeDefPatches=[{"typeDefName": "Unheard", "applyToVersion": 1}],
                entities=[
                    entity("a"),
                    {"class": "Relationship"},
                    entity("b", version="two"),
                    entity("c", type=None),
                ],
                relationships=[{**relationship("r", "a", "a"), "entityOneProxy": None}],
                classifications=[
                    extension("a", "SpineObject", name="Unheard"),
                    extension("a", "SpineObject"),
                ],
            ),
        )
    )
    assert [refusal.where for refusal in report.refusals] == [
        "newTypeDefs[0]",
        "archiveTypeStore",
        "entities[1]",
        "entities[2]",
        "entities[3]",
        "relationships[0]",
        "classifications[0]",
    ]
    assert (report.refused, report.saved) == (7, 2)
    assert all(str(refusal.reason) for refusal in report.refusals)
    assert memory.entity("a").classifications


async def test_only_the_first_refusals_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "MAX_ARCHIVE_REFUSALS", 2)
    report = await Memory().load(
        file(tmp_path, archive(entities=[{"class": "Nothing"}] * 5))
    )
    assert (report.refused, len(report.refusals)) == (5, 2)


async def test_too_many_types_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "MAX_ARCHIVE_TYPES", 1)
    path = file(tmp_path, archive(newTypeDefs=[None, None], entities=[entity("a")]))
    memory = Memory()
    with pytest.raises(ArchiveError, match="more than 1 types"):
        await memory.load(path)
    assert await memory.contents() == []


async def test_a_damaged_file_changes_nothing(tmp_path: Path) -> None:
    path = file(tmp_path, WHOLE)
    text = path.read_text()
    memory = Memory()
    for damaged in (text[:-20], text.replace('"guid": "x"', '"guid" "x"')):
        path.write_text(damaged)
        with pytest.raises(ArchiveError, match=r"\w+\[\d\]"):
            await memory.load(path)
    assert await memory.contents() == []


async def test_the_archives_it_depends_on_are_told_once(tmp_path: Path) -> None:
    properties = head(dependsOnArchives=["one", "two", "one"])
    report = await Memory().load(file(tmp_path, archive(properties)))
    assert report.depends_on == ("one", "two")
    assert report.archive.archive_name == "Pack"


async def test_a_newer_archive_replaces_and_an_older_one_does_not(
    tmp_path: Path,
) -> None:
    memory = Memory()
    for version, status in ((2, "DRAFT"), (1, "ACTIVE"), (3, "APPROVED")):
        told = entity("a", version=version, status=status)
        await memory.load(file(tmp_path, archive(entities=[told])))
    loaded = memory.entity("a")
    assert (loaded.version, loaded.status) == (3, InstanceStatus.APPROVED)


async def test_a_newer_version_takes_away_what_it_no_longer_says(
    tmp_path: Path,
) -> None:
    memory = Memory()
    await memory.load(file(tmp_path, WHOLE))
    await memory.load(file(tmp_path, archive(entities=[entity("a", version=2)])))
    assert memory.entity("a").classifications is None


async def test_what_others_classified_stays_when_a_pack_is_loaded_again(
    tmp_path: Path,
) -> None:
    memory = Memory()
    path = file(tmp_path, archive(entities=[entity("a")]))
    await memory.load(path)
    added = classification("SpineObject", metadataCollectionId="hub-id")
    hub = archive(
        head("REPOSITORY_BACKUP"),
        classifications=[{**extension("a", "SpineObject"), "classification": added}],
    )
    await memory.load(file(tmp_path, hub))
    await memory.load(file(tmp_path, json.loads(path.read_text())))
    await memory.load(file(tmp_path, archive(entities=[entity("a")])))
    assert [
        c.metadata_collection_id for c in memory.entity("a").classifications or ()
    ] == ["hub-id"]


async def test_an_instance_of_another_home_is_not_taken_over(tmp_path: Path) -> None:
    memory = Memory()
    await memory.load(file(tmp_path, archive(entities=[entity("a")])))
    other: dict[str, Any] = archive(head(archiveGUID="other"), entities=[entity("a")])
    report = await memory.load(file(tmp_path, other))
    assert [refusal.where for refusal in report.refusals] == ["entities[0]"]
    assert memory.entity("a").metadata_collection_id == PACK
