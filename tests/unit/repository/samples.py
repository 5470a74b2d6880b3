"""Instances and repositories for the repository's tests."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from edgenode.clock import EpochMillis
from edgenode.codec.codec import Codec
from edgenode.instances.model import (
    Classification,
    EntityDetail,
    EntityProxy,
    InstanceProvenanceType,
    InstanceType,
    Relationship,
)
from edgenode.instances.properties import InstanceProperties, PrimitivePropertyValue
from edgenode.releases import SERVED
from edgenode.repository.base import Transaction
from edgenode.typedefs.attributes import PrimitiveDefCategory
from edgenode.typedefs.model import TypeDefCategory
from edgenode.typedefs.status import InstanceStatus

HOME = "11111111-1111-4111-8111-111111111111"
CODEC = Codec(SERVED)
START: EpochMillis = 1_790_000_000_000


class SetClock:
    """A clock that stands where it was set."""

    def __init__(self, time: EpochMillis = START) -> None:
        self.time = time
        self.seconds = 0.0

    def now(self) -> EpochMillis:
        return self.time

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def guid(number: int) -> str:
    return str(UUID(int=(number * 0x9E3779B97F4A7C15F39CC0605CEDC835) % 2**128))


def text(value: str) -> PrimitivePropertyValue:
    category = PrimitiveDefCategory.OM_PRIMITIVE_TYPE_STRING
    return PrimitivePropertyValue(
        primitive_def_category=category,
        type_guid=category.type_guid,
        type_name=category.type_name,
        primitive_value=value,
    )


def properties(**values: str) -> InstanceProperties:
    return InstanceProperties(
        instance_properties={name: text(value) for name, value in values.items()}
    )


def instance_type(name: str, category: TypeDefCategory) -> InstanceType:
    return InstanceType(
        type_def_category=category,
        type_def_guid=f"guid-of-{name}",
        type_def_name=name,
        type_def_version=1,
    )


def entity(
    number: int = 1,
    *,
    version: int = 1,
    type_name: str = "GlossaryTerm",
    status: InstanceStatus = InstanceStatus.ACTIVE,
    name: str | None = None,
    home: str = HOME,
) -> EntityDetail:
    """An entity of some 1,000 bytes, whose name says what it is."""
    label = name or f"term {number} at version {version}"
    return EntityDetail(
        guid=guid(number),
        type=instance_type(type_name, TypeDefCategory.ENTITY_DEF),
        instance_provenance_type=InstanceProvenanceType.LOCAL_COHORT,
        metadata_collection_id=home,
        metadata_collection_name="the home",
        created_by="erinoverview",
        create_time=START,
        version=version,
        status=status,
        properties=properties(
            qualifiedName=f"GlossaryTerm.{number}", displayName=label
        ),
    )


def classified(bean: EntityDetail, *names: str) -> EntityDetail:
    classifications = tuple(
        Classification(
            name=name,
            type=instance_type(name, TypeDefCategory.CLASSIFICATION_DEF),
            metadata_collection_id=HOME,
            version=1,
            status=InstanceStatus.ACTIVE,
        )
        for name in names
    )
    return replace(bean, classifications=classifications)


def proxy(number: int, *, version: int = 1) -> EntityProxy:
    return EntityProxy(
        guid=guid(number),
        type=instance_type("GlossaryTerm", TypeDefCategory.ENTITY_DEF),
        metadata_collection_id=HOME,
        version=version,
        status=InstanceStatus.ACTIVE,
        unique_properties=properties(qualifiedName=f"GlossaryTerm.{number}"),
    )


def relationship(
    number: int,
    one: int,
    two: int,
    *,
    version: int = 1,
    status: InstanceStatus = InstanceStatus.ACTIVE,
) -> Relationship:
    return Relationship(
        guid=guid(number),
        type=instance_type("Synonym", TypeDefCategory.RELATIONSHIP_DEF),
        metadata_collection_id=HOME,
        version=version,
        status=status,
        entity_one_proxy=proxy(one),
        entity_two_proxy=proxy(two),
        properties=properties(expression=f"version {version}"),
    )


def saving(number: int) -> Callable[[Transaction], int]:
    """A change that saves an entity."""

    def work(change: Transaction) -> int:
        change.save_entity(entity(number), START)
        return number

    return work


def files(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def content(path: Path) -> bytes:
    return path.read_bytes()


async def until(condition: Callable[[], bool]) -> None:
    """Let other threads go on until the condition holds."""
    while not condition():  # noqa: ASYNC110 - no event tells of another thread's work
        await asyncio.sleep(0)


def copy_as_after_a_crash(path: Path, directory: Path) -> Path:
    """What the disk has of an open repository, as a process finds it that starts anew."""
    directory.mkdir()
    for suffix in ("", "-wal"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            shutil.copyfile(part, directory / part.name)
    return directory / path.name
