"""Archives are read in little memory, whatever their order, and only when sound."""

import json
import random
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from edgenode.archives.model import OpenMetadataArchiveType, Section
from edgenode.archives.reader import ArchiveReader
from edgenode.errors import ArchiveError
from tests.model.house import CODEC
from tests.unit.archives.samples import (
    CREATED,
    PACK,
    archive,
    entity,
    extension,
    file,
    head,
    reader,
    relationship,
    values,
)

WHOLE = archive(
    entities=[entity("a"), entity("b", status="DRAFT")],
    relationships=[relationship("r", "a", "b")],
    classifications=[extension("a", "SpineObject")],
    newTypeDefs=[{"class": "EntityDef", "guid": "t", "name": "T"}],
)


def test_an_archive_tells_what_it_is_and_how_much_it_holds() -> None:
    opened = reader(WHOLE)
    properties = opened.properties
    assert (
        properties.archive_guid,
        properties.archive_type,
        properties.creation_date,
        properties.depends_on_archives,
    ) == (PACK, OpenMetadataArchiveType.CONTENT_PACK, CREATED, None)
    assert opened.counts == {
        Section.NEW_TYPE_DEFS: 1,
        Section.ENTITIES: 2,
        Section.RELATIONSHIPS: 1,
        Section.CLASSIFICATIONS: 1,
    }


@pytest.mark.parametrize("seed", range(8))
def test_the_parts_may_come_in_any_order(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311

    def shuffled(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        keys = chance.sample(sorted(value), len(value))
        return {key: shuffled(value[key]) for key in keys}

    opened = reader(shuffled(WHOLE))
    assert values(opened, Section.ENTITIES) == WHOLE["archiveInstanceStore"]["entities"]
    assert opened.counts == reader(WHOLE).counts
    assert opened.properties == reader(WHOLE).properties


def test_elements_say_where_they_stood() -> None:
    text = json.dumps(WHOLE).encode()
    elements = list(reader(text).elements(Section.ENTITIES))
    assert [element.where for element in elements] == ["entities[0]", "entities[1]"]
    assert [
        json.loads(text[element.offset : element.offset + element.size])
        for element in elements
    ] == WHOLE["archiveInstanceStore"]["entities"]


@pytest.mark.parametrize(
    "content",
    [
        archive(),
        archive() | {"archiveInstanceStore": None, "archiveTypeStore": None},
        archive(entities=[]) | {"extra": {"entities": [1]}},
        {**archive(), "archiveInstanceStore": {"class": "x", "entities": None}},
    ],
)
def test_an_archive_may_hold_nothing(content: dict[str, Any]) -> None:
    opened = reader(content)
    assert [values(opened, section) for section in Section] == [[]] * len(Section)


def test_a_byte_order_mark_and_blanks_are_passed_over() -> None:
    text = b"\xef\xbb\xbf \n" + json.dumps(WHOLE, indent=3).encode() + b"\n\n"
    assert len(values(reader(text), Section.ENTITIES)) == 2


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "no open metadata archive"),
        (b"[]", "no open metadata archive"),
        (b"PK\x03\x04", "no open metadata archive"),
        ({"class": "EntityDetail"}, "no open metadata archive: no class"),
        ({"archiveProperties": head()}, "no class"),
        ({"class": "OpenMetadataArchive"}, "no archiveProperties"),
        (archive(head(archiveGUID=None)), "archiveGUID is missing"),
        (archive(head("ODD")), "'ODD' is none of"),
        (archive(head(creationDate="soon")), "creationDate: 'soon' is not a date"),
        (json.dumps(WHOLE).encode() + b"}", "something behind its end"),
        (
            b'{"archiveProperties":{},"archiveProperties":{}}',
            "archiveProperties, at byte 44: it is there twice",
        ),
        (
            b'{"archiveInstanceStore":{"entities":[],"entities":[]}}',
            "entities, at byte 50: it is there twice",
        ),
    ],
)
def test_what_is_no_archive_is_refused(content: Any, complaint: str) -> None:
    with pytest.raises(ArchiveError) as caught:
        reader(content)
    assert complaint in str(caught.value)


def test_wherever_a_file_ends_too_early_it_is_refused() -> None:
    text = json.dumps(WHOLE).encode()
    accepted = []
    for end in range(len(text)):
        try:
            reader(text[:end])
        except ArchiveError:
            continue
        accepted.append(end)
    assert accepted == []


def test_a_file_that_ends_within_an_element_names_it() -> None:
    text = json.dumps(WHOLE).encode()
    end = text.index(b'"DRAFT"')
    with pytest.raises(ArchiveError) as caught:
        reader(text[:end])
    assert caught.value.where == "entities[1]"
    assert "ends" in caught.value.reason


@pytest.mark.parametrize(
    ("damage", "where"),
    [
        ((b'"DRAFT"', b"DRAFT"), "entities[1]"),
        ((b'"DRAFT"', b'"DRA\x00T"'), "entities[1]"),
        ((b'"DRAFT",', b'"DRAFT"'), "entities[1]"),
        ((b'"guid": "r",', b'"guid": "r",,'), "relationships[0]"),
        ((b'"SpineObject",', b'"Spine\xffObject",'), "classifications[0]"),
    ],
)
def test_a_damaged_element_is_named_before_anything_is_read(
    damage: tuple[bytes, bytes], where: str
) -> None:
    text = json.dumps(WHOLE).encode()
    assert damage[0] in text
    with pytest.raises(ArchiveError) as caught:
        reader(text.replace(*damage, 1))
    assert caught.value.where == where


def test_a_missing_file_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"none\.omarchive.*No such file"):
        ArchiveReader.open(tmp_path / "none.omarchive", CODEC)


def test_an_open_file_is_closed_behind_the_reader(tmp_path: Path) -> None:
    with ArchiveReader.open(file(tmp_path, WHOLE), CODEC) as opened:
        assert values(opened, Section.ENTITIES)
    with pytest.raises(ValueError, match="closed file"):
        values(opened, Section.ENTITIES)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "large.omarchive"
    elements = 6_000
    body = json.dumps(entity("x", description="d" * 4_000))
    with path.open("w") as out:
        properties = json.dumps(head())
        out.write('{"class":"OpenMetadataArchive","archiveInstanceStore":{"entities":[')
        out.writelines(f"{body},\n" for _ in range(elements - 1))
        out.write(f'{body}]}},"archiveProperties":{properties}}}')
    assert path.stat().st_size > 24_000_000
    tracemalloc.start()
    try:
        with ArchiveReader.open(path, CODEC) as opened:
            read = sum(1 for _ in opened.elements(Section.ENTITIES))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read == elements
    assert peak < 2_000_000
