"""Archives for tests, made element by element."""

import io
import json
from pathlib import Path
from typing import Any

from edgenode.archives.model import Section
from edgenode.archives.reader import ArchiveReader
from tests.model.house import CODEC, type_guid

PACK = "pack-guid"
CREATED = 1_600_000_000_000
STRING_GUID = "b34a64b9-554a-42b1-8f8a-7d5c2339f9c4"


def head(archive_type: str | None = "CONTENT_PACK", **more: Any) -> dict[str, Any]:
    properties = {
        "class": "OpenMetadataArchiveProperties",
        "archiveGUID": PACK,
        "archiveName": "Pack",
        "archiveType": archive_type,
        "originatorName": "author",
        "originatorLicense": "free",
        "creationDate": CREATED,
    }
    return properties | more


def text(value: str) -> dict[str, Any]:
    return {
        "class": "PrimitivePropertyValue",
        "headerVersion": 1,
        "instancePropertyCategory": "PRIMITIVE",
        "typeGUID": STRING_GUID,
        "typeName": "string",
        "primitiveDefCategory": "OM_PRIMITIVE_TYPE_STRING",
        "primitiveValue": value,
    }


def instance_type(name: str, category: str) -> dict[str, Any]:
    return {
        "class": "InstanceType",
        "typeDefCategory": category,
        "typeDefGUID": type_guid(name),
        "typeDefName": name,
        "typeDefVersion": 1,
    }


def header(name: str, category: str, /, **more: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "type": instance_type(name, category),
        "instanceProvenanceType": "CONTENT_PACK",
        "metadataCollectionId": PACK,
        "metadataCollectionName": "Pack",
        "createdBy": "author",
        "createTime": CREATED,
        "version": 1,
        "status": "ACTIVE",
    }
    return fields | more


def entity(guid: str, **more: Any) -> dict[str, Any]:
    return {
        "class": "EntityDetail",
        **header("GlossaryTerm", "ENTITY_DEF"),
        "guid": guid,
        "properties": {
            "class": "InstanceProperties",
            "instanceProperties": {"qualifiedName": text(guid)},
        },
        **more,
    }


def proxy(guid: str, **more: Any) -> dict[str, Any]:
    return {
        "class": "EntityProxy",
        **header("GlossaryTerm", "ENTITY_DEF"),
        "guid": guid,
        **more,
    }


def relationship(guid: str, one: str, two: str, **more: Any) -> dict[str, Any]:
    return {
        "class": "Relationship",
        **header("RelatedTerm", "RELATIONSHIP_DEF"),
        "guid": guid,
        "entityOneProxy": proxy(one),
        "entityTwoProxy": proxy(two),
        **more,
    }


def classification(name: str, /, **more: Any) -> dict[str, Any]:
    return {
        "class": "Classification",
        **header(name, "CLASSIFICATION_DEF"),
        "name": name,
        "classificationOrigin": "ASSIGNED",
        **more,
    }


def extension(guid: str, name: str, /, **more: Any) -> dict[str, Any]:
    return {
        "class": "ClassificationEntityExtension",
        "classification": classification(name, **more),
        "entityToClassify": proxy(guid),
    }


def archive(
    properties: dict[str, Any] | None = None, **lists: list[Any]
) -> dict[str, Any]:
    """An archive with these lists in its two stores."""
    types = {k: v for k, v in lists.items() if k.endswith(("Defs", "Patches"))}
    instances = {k: v for k, v in lists.items() if k not in types}
    made: dict[str, Any] = {
        "class": "OpenMetadataArchive",
        "archiveProperties": head() if properties is None else properties,
    }
    if types:
        made["archiveTypeStore"] = {"class": "OpenMetadataArchiveTypeStore", **types}
    if instances:
        made["archiveInstanceStore"] = {
            "class": "OpenMetadataArchiveInstanceStore",
            **instances,
        }
    return made


def reader(content: object) -> ArchiveReader:
    """A reader of an archive, given as JSON text or as what it says."""
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return ArchiveReader(io.BytesIO(text), CODEC)


def file(directory: Path, content: object) -> Path:
    """A file with an archive."""
    path = directory / "some.omarchive"
    path.write_text(json.dumps(content))
    return path


def values(opened: ArchiveReader, section: Section) -> list[object]:
    return [element.value for element in opened.elements(section)]
