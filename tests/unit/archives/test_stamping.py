"""Where an archive's instances belong once they are loaded."""

from dataclasses import replace

import pytest

from edgenode.archives.model import (
    OpenMetadataArchiveProperties,
    OpenMetadataArchiveType,
)
from edgenode.archives.stamping import (
    stamped_entity,
    stamped_extension,
    stamped_relationship,
)
from edgenode.instances.model import (
    Classification,
    ClassificationEntityExtension,
    EntityDetail,
    EntityProxy,
    InstanceProvenanceType,
    Relationship,
)

LOCAL_ID = "loader-id"
ARCHIVE = OpenMetadataArchiveProperties(
    archive_guid="pack-id",
    archive_name="Pack",
    originator_name="author",
    originator_license="free",
    creation_date=5_000,
)
CONTENT_PACK = replace(ARCHIVE, archive_type=OpenMetadataArchiveType.CONTENT_PACK)
EXPORT = replace(ARCHIVE, archive_type=OpenMetadataArchiveType.METADATA_EXPORT)
BACKUP = replace(ARCHIVE, archive_type=OpenMetadataArchiveType.REPOSITORY_BACKUP)

BARE = EntityDetail(guid="e")
FULL = EntityDetail(
    guid="e",
    instance_provenance_type=InstanceProvenanceType.LOCAL_COHORT,
    metadata_collection_id="home-id",
    metadata_collection_name="Home",
    replicated_by="replicator-id",
    instance_license="paid",
    created_by="ann",
    create_time=1_000,
    version=7,
)
PACKED = EntityDetail(
    guid="e",
    instance_provenance_type=InstanceProvenanceType.CONTENT_PACK,
    metadata_collection_id="pack-id",
    metadata_collection_name="Pack",
    replicated_by=LOCAL_ID,
    instance_license="free",
    created_by="author",
    create_time=5_000,
    version=1,
)


@pytest.mark.parametrize(
    ("archive", "entity", "expected"),
    [
        (CONTENT_PACK, BARE, PACKED),
        (CONTENT_PACK, FULL, replace(PACKED, version=7)),
        (
            EXPORT,
            BARE,
            replace(
                PACKED, instance_provenance_type=InstanceProvenanceType.EXPORT_ARCHIVE
            ),
        ),
        (EXPORT, FULL, FULL),
        (
            EXPORT,
            replace(FULL, replicated_by=None, create_time=0),
            replace(FULL, replicated_by=LOCAL_ID, create_time=0),
        ),
        (BACKUP, BARE, replace(BARE, version=1)),
        (BACKUP, FULL, FULL),
        (ARCHIVE, FULL, FULL),
    ],
)
def test_the_kind_of_archive_decides_what_is_stamped(
    archive: OpenMetadataArchiveProperties,
    entity: EntityDetail,
    expected: EntityDetail,
) -> None:
    assert stamped_entity(entity, archive, LOCAL_ID) == expected


def test_relationships_are_stamped_and_their_proxies_are_not() -> None:
    end = EntityProxy(guid="one", metadata_collection_id="home-id")
    relationship = Relationship(
        guid="r", entity_one_proxy=end, metadata_collection_id="home-id"
    )
    stamped = stamped_relationship(relationship, CONTENT_PACK, LOCAL_ID)
    assert stamped.metadata_collection_id == "pack-id"
    assert stamped.entity_one_proxy == end


def test_a_classification_told_apart_is_stamped_and_its_entity_is_not() -> None:
    end = EntityProxy(guid="one", metadata_collection_id="home-id")
    extension = ClassificationEntityExtension(
        classification=Classification(name="Anchors"), entity_to_classify=end
    )
    stamped = stamped_extension(extension, CONTENT_PACK, LOCAL_ID)
    assert stamped.classification == Classification(
        name="Anchors",
        instance_provenance_type=InstanceProvenanceType.CONTENT_PACK,
        metadata_collection_id="pack-id",
        metadata_collection_name="Pack",
        replicated_by=LOCAL_ID,
        instance_license="free",
        created_by="author",
        create_time=5_000,
        version=1,
    )
    assert stamped.entity_to_classify == end


def test_an_extension_without_classification_stays_as_it_is() -> None:
    extension = ClassificationEntityExtension()
    assert stamped_extension(extension, CONTENT_PACK, LOCAL_ID) is extension


def test_a_classification_without_home_belongs_where_its_entity_does() -> None:
    own = Classification(name="Anchors")
    foreign = Classification(
        name="Ownership", metadata_collection_id="other", version=3
    )
    stamped = stamped_entity(
        replace(FULL, classifications=(own, foreign)), BACKUP, LOCAL_ID
    )
    assert [
        (c.metadata_collection_id, c.version) for c in stamped.classifications or ()
    ] == [("home-id", 1), ("other", 3)]


def test_a_classification_told_twice_is_kept_once() -> None:
    lean = Classification(name="Anchors", version=2)
    full = replace(lean, created_by="ann")
    older = replace(lean, version=1)
    stamped = stamped_entity(
        replace(BARE, classifications=(lean, full, older)), BACKUP, LOCAL_ID
    )
    assert stamped.classifications == (full,)
