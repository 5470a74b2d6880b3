"""What an open metadata archive consists of."""

from dataclasses import dataclass
from enum import Enum

from edgenode.clock import EpochMillis


class OpenMetadataArchiveType(Enum):
    """What an archive's instances are to a server that loads it."""

    CONTENT_PACK = 1
    METADATA_EXPORT = 2
    REPOSITORY_BACKUP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenMetadataArchiveProperties:
    """An archive's own description, which stands in its head."""

    archive_guid: str | None = None
    archive_name: str | None = None
    archive_description: str | None = None
    archive_type: OpenMetadataArchiveType | None = None
    archive_version: str | None = None
    originator_name: str | None = None
    originator_organization: str | None = None
    originator_license: str | None = None
    creation_date: EpochMillis | None = None
    depends_on_archives: tuple[str, ...] | None = None


class Section(Enum):
    """The lists of an archive, in the order of loading; the value is the wire's name."""

    ATTRIBUTE_TYPE_DEFS = "attributeTypeDefs"
    NEW_TYPE_DEFS = "newTypeDefs"
    TYPE_DEF_PATCHES = "typeDefPatches"
    ENTITIES = "entities"
    RELATIONSHIPS = "relationships"
    CLASSIFICATIONS = "classifications"


TYPE_SECTIONS = (
    Section.ATTRIBUTE_TYPE_DEFS,
    Section.NEW_TYPE_DEFS,
    Section.TYPE_DEF_PATCHES,
)
INSTANCE_SECTIONS = (
    Section.ENTITIES,
    Section.RELATIONSHIPS,
    Section.CLASSIFICATIONS,
)

ARCHIVE_CLASS = "OpenMetadataArchive"
PROPERTIES_KEY = "archiveProperties"
STORES = {
    "archiveTypeStore": ("OpenMetadataArchiveTypeStore", TYPE_SECTIONS),
    "archiveInstanceStore": ("OpenMetadataArchiveInstanceStore", INSTANCE_SECTIONS),
}
"""The two stores of an archive: their class tags and their lists."""
