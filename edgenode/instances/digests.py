"""Digests of what a member holds, by which two members find out where they differ.

Every instance and every classification has one, of 40 bits: BLAKE2b with 5 bytes, big
end first, over GUID, name of the type (a classification's is its own name), version,
time of the last change (0 where none is known) and number of the status, each as UTF-8
text and ended by NUL. Classifications that have the owner of their entity count into the
entity's digest; the others stand for themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from edgenode.instances.model import (
    Classification,
    EntityProxy,
    EntitySummary,
    InstanceAuditHeader,
    InstanceHeader,
    InstanceProvenanceType,
)
from edgenode.typedefs.status import InstanceStatus

DIGEST_BYTES = 5
DIGEST_MODULUS = 2 ** (8 * DIGEST_BYTES)
SUM_MODULUS = 2**62
"""Sums of digests are kept below this, so that they fit everybody's integers."""
BUCKETS = 256


@dataclass(frozen=True, slots=True)
class Held:
    """What an instance counts for when members compare what they hold.

    Attributes:
        owner: Who answers for it.
        digest: Its own, with those of its owner's classifications; None for a proxy,
            which counts for nothing itself.
        bucket: The bucket of its GUID.
        others: The digests of classifications that others answer for, by owner and name.
    """

    owner: str
    digest: int | None
    bucket: int
    others: Mapping[tuple[str, str], int]


def owner_of(header: InstanceAuditHeader) -> str:
    """Who answers for an instance or classification: a member's id, or an archive's."""
    owner = header.metadata_collection_id
    if header.instance_provenance_type is InstanceProvenanceType.EXTERNAL_SOURCE:
        owner = header.replicated_by or owner
    return owner or ""


def bucket_of(guid: str) -> int:
    """The bucket of a GUID: the first byte of its BLAKE2b (of the usual 64 bytes)."""
    return blake2b(guid.encode()).digest()[0]


def held(instance: InstanceHeader) -> Held:
    """What an instance counts for."""
    guid = instance.guid or ""
    owner = owner_of(instance)
    type_name = (instance.type and instance.type.type_def_name) or ""
    digest = _digest(guid, type_name, instance)
    others: dict[tuple[str, str], int] = {}
    for classification in _classifications(instance):
        name = classification.name or ""
        of_classification = _digest(guid, name, classification)
        its_owner = owner_of(classification)
        if its_owner == owner:
            digest += of_classification
        else:
            others[its_owner, name] = (
                others.get((its_owner, name), 0) + of_classification
            )
    is_proxy = isinstance(instance, EntityProxy)
    return Held(
        owner,
        None if is_proxy else digest % DIGEST_MODULUS,
        bucket_of(guid),
        {key: value % DIGEST_MODULUS for key, value in others.items()},
    )


def _classifications(instance: InstanceHeader) -> tuple[Classification, ...]:
    if isinstance(instance, EntitySummary):
        return instance.classifications or ()
    return ()


def _digest(guid: str, type_name: str, header: InstanceAuditHeader) -> int:
    status = header.status or InstanceStatus.UNKNOWN
    changed = header.update_time or header.create_time or 0
    text = f"{guid}\0{type_name}\0{header.version}\0{changed}\0{status.value}\0"
    digest = blake2b(text.encode(), digest_size=DIGEST_BYTES)
    return int.from_bytes(digest.digest(), "big")
