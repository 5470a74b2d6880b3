"""Reading an instance teaches its type, and has its home asked for it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from edgenode.events.exchange import (
    ExchangeRule,
    ExchangeRules,
    OpenMetadataExchangeRule,
)
from edgenode.events.model import OMRSInstanceEventType
from edgenode.instances.model import InstanceType
from edgenode.kafka_cohort.reading import Reading
from edgenode.limits import ASKED_INSTANCE_SECONDS, MAX_ASKED_INSTANCES
from tests.model.house import REMOTE, remote_entity, remote_proxy, remote_relationship
from tests.unit.collection.members import ALL, Member, cohort

Kind = OMRSInstanceEventType
NOTHING = ExchangeRules(
    save=ExchangeRule(OpenMetadataExchangeRule.LEARNED_TYPES),
)


@pytest.fixture
async def member(tmp_path: Path) -> AsyncIterator[Member]:
    async with cohort(tmp_path, "pi") as (pi,):
        yield pi


def reading(member: Member) -> Reading:
    return Reading(member.repository, member.types, member.clock)


async def test_its_home_is_asked_for_what_is_not_stored(member: Member) -> None:
    read = reading(member)
    entity, relationship = (
        remote_entity("one"),
        remote_relationship(remote_proxy(), remote_proxy()),
    )
    asked = read.request(ALL, entity)
    assert asked is not None
    assert asked.event_type is Kind.REFRESH_ENTITY_REQUEST
    assert asked.instance_guid == "one"
    assert entity.type is not None
    assert asked.type_def_guid == entity.type.type_def_guid
    assert asked.home_metadata_collection_id == REMOTE.id
    asked = read.request(ALL, relationship)
    assert asked is not None
    assert asked.event_type is Kind.REFRESH_RELATIONSHIP_REQUEST


async def test_it_is_not_asked_for_what_is_stored_or_not_kept(member: Member) -> None:
    entity = remote_entity("one")
    assert reading(member).request(NOTHING, entity) is None
    await member.collection.save_entity_reference_copy("erin", entity)
    assert reading(member).request(ALL, entity) is None


async def test_it_is_asked_for_what_is_only_known_by_a_proxy(member: Member) -> None:
    """As the end of a relationship is that was told after the entity was made."""
    link = remote_relationship(remote_proxy("one"), remote_proxy("two"))
    await member.collection.save_relationship_reference_copy("erin", link)
    asked = reading(member).request(ALL, remote_entity("one"))
    assert asked is not None
    assert asked.instance_guid == "one"


async def test_it_is_not_asked_again_soon(member: Member) -> None:
    read, entity = reading(member), remote_entity("one")
    assert read.request(ALL, entity) is not None
    await member.clock.sleep(ASKED_INSTANCE_SECONDS - 1)
    assert read.request(ALL, entity) is None
    await member.clock.sleep(1)
    assert read.request(ALL, entity) is not None


async def test_what_was_asked_for_is_remembered_up_to_a_bound(member: Member) -> None:
    read = reading(member)
    for number in range(MAX_ASKED_INSTANCES):
        assert read.request(ALL, remote_entity(str(number))) is not None
    assert read.request(ALL, remote_entity("0")) is None
    assert read.request(ALL, remote_entity("one more")) is not None
    assert read.request(ALL, remote_entity("0")) is not None


async def test_a_type_is_learned_where_types_are_learned(member: Member) -> None:
    read, entity = reading(member), remote_entity("one")
    assert read.learned(ALL, entity) == ALL
    learned = read.learned(NOTHING, entity)
    assert learned.saves(entity)
    assert read.request(learned, entity) is not None
    assert read.learned(learned, entity) == learned


async def test_types_that_are_unknown_here_are_not_learned(member: Member) -> None:
    strange = InstanceType(type_def_guid="strange", type_def_name="Strange")
    entity = replace(remote_entity("one"), type=strange)
    assert reading(member).learned(NOTHING, entity) == NOTHING
    assert reading(member).learned(NOTHING, replace(entity, type=None)) == NOTHING
    assert reading(member).request(ALL, replace(entity, type=None)) is None
