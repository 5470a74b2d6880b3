"""Digests are the same everywhere: values worked out by hand, and who owns what."""

from dataclasses import replace
from hashlib import blake2b

import pytest

from edgenode.instances.digests import DIGEST_MODULUS, bucket_of, held, owner_of
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntityProxy,
    InstanceProvenanceType,
    InstanceType,
    Relationship,
)
from edgenode.typedefs.status import InstanceStatus

GUID = "00000000-0000-4000-8000-000000000001"
TERM = EntityDetail(
    guid=GUID,
    type=InstanceType(type_def_name="GlossaryTerm"),
    instance_provenance_type=InstanceProvenanceType.LOCAL_COHORT,
    metadata_collection_id="home",
    version=3,
    create_time=1_000,
    update_time=2_000,
    status=InstanceStatus.ACTIVE,
)
RETENTION = Classification(
    name="Retention",
    instance_provenance_type=InstanceProvenanceType.LOCAL_COHORT,
    metadata_collection_id="home",
    version=1,
    create_time=1_500,
    status=InstanceStatus.ACTIVE,
)


def of(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=5).digest(), "big")


def test_an_instance_has_the_digest_that_the_protocol_says() -> None:
    what = held(TERM)
    assert what.digest == of(f"{GUID}\0GlossaryTerm\0{3}\0{2000}\0{15}\0")
    assert what.digest == 967714415985
    assert (what.owner, what.others) == ("home", {})
    assert what.bucket == bucket_of(GUID) == blake2b(GUID.encode()).digest()[0] == 197


@pytest.mark.parametrize(
    "other",
    [
        replace(TERM, guid=GUID.replace("1", "2")),
        replace(TERM, type=InstanceType(type_def_name="Glossary")),
        replace(TERM, version=4),
        replace(TERM, update_time=2_001),
        replace(TERM, update_time=None),
        replace(TERM, status=InstanceStatus.DELETED),
    ],
)
def test_each_part_of_a_header_tells_instances_apart(other: EntityDetail) -> None:
    assert held(other).digest != held(TERM).digest


def test_what_is_missing_counts_as_nothing() -> None:
    assert held(Relationship(guid=GUID)).digest == of(f"{GUID}\0\0000\0000\0000\0")


def test_classifications_of_the_same_owner_count_into_the_entity() -> None:
    what = held(replace(TERM, classifications=(RETENTION,)))
    alone = of(f"{GUID}\0Retention\0{1}\0{1500}\0{15}\0")
    assert what.digest == ((held(TERM).digest or 0) + alone) % DIGEST_MODULUS
    assert what.others == {}


def test_classifications_of_others_stand_for_themselves() -> None:
    foreign = replace(RETENTION, metadata_collection_id="other")
    what = held(replace(TERM, classifications=(RETENTION, foreign)))
    assert what.others == {
        ("other", "Retention"): of(f"{GUID}\0Retention\0{1}\0{1500}\0{15}\0")
    }
    assert what.digest == held(replace(TERM, classifications=(RETENTION,))).digest


def test_of_a_proxy_only_classifications_of_others_count() -> None:
    foreign = replace(RETENTION, metadata_collection_id="other")
    proxy = EntityProxy(
        guid=GUID, metadata_collection_id="home", classifications=(RETENTION, foreign)
    )
    what = held(proxy)
    assert what.digest is None
    assert list(what.others) == [("other", "Retention")]


@pytest.mark.parametrize(
    ("provenance", "replicated_by", "owner"),
    [
        (InstanceProvenanceType.LOCAL_COHORT, "member", "home"),
        (InstanceProvenanceType.EXTERNAL_SOURCE, "member", "member"),
        (InstanceProvenanceType.EXTERNAL_SOURCE, None, "home"),
        (InstanceProvenanceType.CONTENT_PACK, "member", "home"),
        (None, None, "home"),
    ],
)
def test_who_answers_for_an_instance(
    provenance: InstanceProvenanceType | None, replicated_by: str | None, owner: str
) -> None:
    header = replace(
        TERM, instance_provenance_type=provenance, replicated_by=replicated_by
    )
    assert owner_of(header) == owner


def test_without_any_home_nobody_does() -> None:
    assert owner_of(Relationship(guid=GUID)) == ""
