"""A local metadata collection for tests, on parts whose answers the test decides."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import Any

from edgenode.clock import EpochMillis
from edgenode.codec.codec import Codec
from edgenode.collection.local import LocalMetadataCollection
from edgenode.collection.local_base import LocalCollectionParts
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntityProxy,
    InstanceProvenanceType,
    InstanceType,
    Relationship,
)
from edgenode.instances.properties import (
    InstanceProperties,
    InstancePropertyValue,
    PrimitivePropertyValue,
)
from edgenode.instances.provenance import Home
from edgenode.releases import SERVED
from edgenode.releases.shipped_types import load_release_types
from edgenode.repository.base import Repository
from edgenode.typedefs.attributes import PrimitiveDefCategory
from edgenode.typedefs.registry import TypeRegistry
from edgenode.typedefs.status import InstanceStatus

LOCAL = Home("local-id", "node")
REMOTE = Home("remote-id", "hub")
START: EpochMillis = 1_800_000_000_000
USER = "erin"

CODEC = Codec(SERVED)


class SetClock:
    """A clock that a test sets."""

    def __init__(self, time: EpochMillis = START) -> None:
        self.time = time

    def now(self) -> EpochMillis:
        return self.time

    def monotonic(self) -> float:
        return self.time / 1000

    async def sleep(self, seconds: float) -> None:
        self.time += int(seconds * 1000)


@dataclass
class House:
    """A collection and what it stands on."""

    repository: Repository
    clock: SetClock = field(default_factory=SetClock)
    known_collections: set[str] = field(default_factory=lambda: {LOCAL.id})
    types: TypeRegistry = field(default_factory=lambda: load_release_types(SERVED))
    uuids: Iterator[int] = field(default_factory=count)
    collection: LocalMetadataCollection = field(init=False)

    def __post_init__(self) -> None:
        self.collection = LocalMetadataCollection(
            LocalCollectionParts(
                home=LOCAL,
                repository=self.repository,
                types=self.types,
                codec=CODEC,
                release=SERVED,
                clock=self.clock,
                random_uuid=lambda: f"guid-{next(self.uuids)}",
                is_known_collection=self.known_collections.__contains__,
            )
        )


@cache
def types() -> TypeRegistry:
    """The shipped types, for what only looks things up."""
    return load_release_types(SERVED)


def type_guid(name: str) -> str:
    known = types().type_def(name)
    assert known is not None
    return str(known.guid)


def instance_type(name: str) -> InstanceType:
    known = types().type_def(name)
    assert known is not None
    return InstanceType(
        type_def_category=known.category,
        type_def_guid=known.guid,
        type_def_name=name,
        type_def_version=known.version,
    )


def text(value: str) -> PrimitivePropertyValue:
    return primitive(PrimitiveDefCategory.OM_PRIMITIVE_TYPE_STRING, value)


def number(value: int) -> PrimitivePropertyValue:
    return primitive(PrimitiveDefCategory.OM_PRIMITIVE_TYPE_INT, value)


def primitive(category: PrimitiveDefCategory, value: Any) -> PrimitivePropertyValue:
    return PrimitivePropertyValue(
        type_guid=category.type_guid,
        type_name=category.type_name,
        primitive_def_category=category,
        primitive_value=value,
    )


def properties(**values: InstancePropertyValue | str) -> InstanceProperties:
    return InstanceProperties(
        instance_properties={
            name: text(value) if isinstance(value, str) else value
            for name, value in values.items()
        }
    )


def remote_entity(
    guid: str = "remote-1", *, version: int = 3, home: Home = REMOTE, **changes: Any
) -> EntityDetail:
    """A glossary term as another member would send it."""
    values: dict[str, Any] = {
        "type": instance_type("GlossaryTerm"),
        "instance_provenance_type": InstanceProvenanceType.LOCAL_COHORT,
        "metadata_collection_id": home.id,
        "metadata_collection_name": home.name,
        "created_by": "remote user",
        "create_time": START - 5_000,
        "version": version,
        "status": InstanceStatus.ACTIVE,
        "guid": guid,
        "properties": properties(qualifiedName=f"term {version}"),
    }
    return EntityDetail(**values | changes)


def remote_proxy(guid: str = "remote-1", **changes: Any) -> EntityProxy:
    """A proxy of a glossary term of another member."""
    values: dict[str, Any] = {
        "type": instance_type("GlossaryTerm"),
        "instance_provenance_type": InstanceProvenanceType.LOCAL_COHORT,
        "metadata_collection_id": REMOTE.id,
        "metadata_collection_name": REMOTE.name,
        "created_by": "remote user",
        "create_time": START - 5_000,
        "version": 1,
        "status": InstanceStatus.ACTIVE,
        "guid": guid,
        "unique_properties": properties(qualifiedName="term"),
    }
    return EntityProxy(**values | changes)


def remote_relationship(
    one: EntityProxy, two: EntityProxy, guid: str = "remote-r", **changes: Any
) -> Relationship:
    """A term's place in a category, as another member would send it."""
    values: dict[str, Any] = {
        "type": instance_type("TermCategorization"),
        "instance_provenance_type": InstanceProvenanceType.LOCAL_COHORT,
        "metadata_collection_id": REMOTE.id,
        "metadata_collection_name": REMOTE.name,
        "created_by": "remote user",
        "create_time": START - 4_000,
        "version": 1,
        "status": InstanceStatus.ACTIVE,
        "guid": guid,
        "entity_one_proxy": one,
        "entity_two_proxy": two,
    }
    return Relationship(**values | changes)


def remote_classification(
    name: str = "Confidentiality", **changes: Any
) -> Classification:
    """A classification that another member gave."""
    values: dict[str, Any] = {
        "type": instance_type(name),
        "instance_provenance_type": InstanceProvenanceType.LOCAL_COHORT,
        "metadata_collection_id": REMOTE.id,
        "metadata_collection_name": REMOTE.name,
        "created_by": "remote user",
        "create_time": START - 3_000,
        "version": 1,
        "status": InstanceStatus.ACTIVE,
        "name": name,
    }
    return Classification(**values | changes)
