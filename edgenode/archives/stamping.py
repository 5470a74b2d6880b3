"""Where an archive's instances belong once they are loaded.

A content pack owns what is in it, an export is attributed to itself where it says
nothing else, and a backup comes back as it was. Sources: the archive manager of genuine
4.2 servers, which stamps entities, relationships and the classifications that an archive
tells apart from their entities, but neither proxies nor an entity's own classifications.
"""

from dataclasses import replace
from typing import TypeVar

from edgenode.archives.model import (
    OpenMetadataArchiveProperties,
    OpenMetadataArchiveType,
)
from edgenode.instances.model import (
    Classification,
    ClassificationEntityExtension,
    EntityDetail,
    InstanceAuditHeader,
    InstanceProvenanceType,
    Relationship,
)

A = TypeVar("A", bound=InstanceAuditHeader)


def stamped(header: A, archive: OpenMetadataArchiveProperties, local_id: str) -> A:
    """An instance or classification as it is stored when it comes from an archive.

    Args:
        header: The instance as the archive has it.
        archive: What the archive says of itself; what it leaves open stays as it is.
        local_id: The collection that loads it.
    """
    version = max(header.version, 1)
    match archive.archive_type:
        case OpenMetadataArchiveType.CONTENT_PACK:
            return replace(
                header,
                version=version,
                metadata_collection_id=archive.archive_guid,
                metadata_collection_name=archive.archive_name,
                created_by=archive.originator_name or header.created_by,
                create_time=archive.creation_date or header.create_time,
                instance_provenance_type=InstanceProvenanceType.CONTENT_PACK,
                instance_license=archive.originator_license or header.instance_license,
                replicated_by=local_id,
            )
        case OpenMetadataArchiveType.METADATA_EXPORT:
            create_time = header.create_time
            if create_time is None:
                create_time = archive.creation_date
            return replace(
                header,
                version=version,
                metadata_collection_id=(
                    header.metadata_collection_id or archive.archive_guid
                ),
                metadata_collection_name=(
                    header.metadata_collection_name or archive.archive_name
                ),
                created_by=header.created_by or archive.originator_name,
                create_time=create_time,
                instance_provenance_type=(
                    header.instance_provenance_type
                    or InstanceProvenanceType.EXPORT_ARCHIVE
                ),
                instance_license=header.instance_license or archive.originator_license,
                replicated_by=header.replicated_by or local_id,
            )
        case _:
            return replace(header, version=version)


def stamped_entity(
    entity: EntityDetail, archive: OpenMetadataArchiveProperties, local_id: str
) -> EntityDetail:
    """An archive's entity as it is stored.

    Classifications without a home get the entity's. An entity carries each only once;
    published archives tell some twice, and the later, fuller one is kept.
    """
    new = stamped(entity, archive, local_id)
    if not new.classifications:
        return new
    named: dict[str | None, Classification] = {}
    for classification in new.classifications:
        known = named.get(classification.name)
        if known is None or classification.version >= known.version:
            named[classification.name] = _placed(classification, new)
    return replace(new, classifications=tuple(named.values()))


def _placed(classification: Classification, entity: EntityDetail) -> Classification:
    """A classification of an entity, with a home and a version."""
    return replace(
        classification,
        version=max(classification.version, 1),
        metadata_collection_id=(
            classification.metadata_collection_id or entity.metadata_collection_id
        ),
        metadata_collection_name=(
            classification.metadata_collection_name or entity.metadata_collection_name
        ),
        instance_provenance_type=(
            classification.instance_provenance_type or entity.instance_provenance_type
        ),
    )


def stamped_relationship(
    relationship: Relationship, archive: OpenMetadataArchiveProperties, local_id: str
) -> Relationship:
    """An archive's relationship as it is stored."""
    return stamped(relationship, archive, local_id)


def stamped_extension(
    extension: ClassificationEntityExtension,
    archive: OpenMetadataArchiveProperties,
    local_id: str,
) -> ClassificationEntityExtension:
    """A classification told apart from its entity as it is stored."""
    if extension.classification is None:
        return extension
    return replace(
        extension,
        classification=stamped(extension.classification, archive, local_id),
    )
