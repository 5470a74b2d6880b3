"""What genuine members do otherwise than they are asked, and what is made of it.

That what is made of it keeps the contract is tested with the contract.
"""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edgenode.clock import SystemClock
from edgenode.collection.base import ClassificationSource
from edgenode.connectors.connection import Connection, Endpoint
from edgenode.errors import EntityNotKnownError, UnpagedAnswerError
from edgenode.events.registration import MemberRegistration
from edgenode.federation import platform
from edgenode.federation.platform import (
    PlatformMetadataCollection,
    platform_collection,
)
from edgenode.federation.platform_http import platform_http
from edgenode.instances.conditions import (
    HistorySequencingOrder,
    Paging,
    SequencingOrder,
)
from edgenode.instances.document import Document
from edgenode.instances.model import EntityDetail
from edgenode.limits import PAGE_ALLOWANCE
from edgenode.repository.base import HistoryRange
from edgenode.typedefs.status import InstanceStatus
from tests.contract.cohorts import HOMES, GenuineCaller, Member, member, served
from tests.model.house import (
    CODEC,
    USER,
    SetClock,
    properties,
    remote_classification,
    remote_entity,
    remote_proxy,
    type_guid,
    types,
)
from tests.wire.platforms import kafka_cohort

ALDER, BIRCH, _ = HOMES
TERM, RELATED = type_guid("GlossaryTerm"), type_guid("RelatedTerm")


@dataclass(frozen=True)
class Asked(GenuineCaller):
    """Keeps how much a genuine member is asked for at a time."""

    sizes: list[int] = field(default_factory=list)

    async def request(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        asked = json.loads(body or b"null")
        if isinstance(asked, dict) and "pageSize" in asked:
            self.sizes.append(asked["pageSize"])
        return await super().request(method, path, body, headers)


@dataclass(frozen=True)
class Stage:
    """A genuine member, and its collection as it is asked."""

    member: Member
    clock: SetClock
    caller: Asked
    collection: PlatformMetadataCollection

    async def add(self, name: str) -> str:
        """A term of the member's; gives its GUID."""
        added = await self.member.collection.add_entity(
            USER, TERM, properties(qualifiedName=name), None, None
        )
        return str(added.value.guid)

    async def found(
        self, order: SequencingOrder, by: str | None = None, size: int = 3
    ) -> list[str]:
        """The GUIDs of a page of terms."""
        paging = Paging(page_size=size, sequencing_order=order, sequencing_property=by)
        return guids(
            await self.collection.find_entities(
                USER, TERM, None, None, None, None, None, paging
            )
        )


def guids(found: list[Document[EntityDetail]]) -> list[str]:
    return [str(each.value.guid) for each in found]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    clock = SetClock()
    async with (
        member(BIRCH, tmp_path / "birch.db", clock) as birch,
        served([birch], clock) as client,
    ):
        caller = Asked(client)
        prefix = f"/servers/{BIRCH.name}"
        collection = PlatformMetadataCollection(
            BIRCH.id, caller, prefix, CODEC, types()
        )
        yield Stage(birch, clock, caller, collection)


async def test_a_page_in_order_is_taken_as_it_comes(stage: Stage) -> None:
    made = sorted([await stage.add(str(n)) for n in range(PAGE_ALLOWANCE + 9)])
    assert await stage.found(SequencingOrder.GUID) == made[:3]
    assert stage.caller.sizes == [3 + PAGE_ALLOWANCE]


async def test_what_has_the_same_place_is_asked_for_as_a_whole(stage: Stage) -> None:
    """Else another page would begin with another choice of them."""
    newest = await stage.add("first")
    stage.clock.time -= 1_000
    made = sorted([await stage.add(str(n)) for n in range(60)])
    found = await stage.found(SequencingOrder.CREATION_DATE_RECENT)
    assert found == [newest, *made[:2]]
    assert stage.caller.sizes == [23, 46, 92]


async def test_orders_that_members_pass_over_are_made_here(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "PAGE_ALLOWANCE", 0)
    made = {name: await stage.add(name) for name in "dbcae"}
    by_name = SequencingOrder.PROPERTY_ASCENDING
    found = await stage.found(by_name, "qualifiedName")
    assert found == [made[name] for name in "abc"]
    assert stage.caller.sizes == [3, 5_001]


async def test_what_can_not_be_put_in_order_here_is_said(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "PAGE_ALLOWANCE", 0)
    monkeypatch.setattr(platform, "MAX_UNPAGED_INSTANCES", 5)
    everything = Paging(page_size=6)
    monkeypatch.setattr(platform, "_EVERYTHING", everything)
    for name in "dbcae":
        await stage.add(name)
    by_name = SequencingOrder.PROPERTY_ASCENDING
    assert len(await stage.found(by_name, "qualifiedName")) == 3
    await stage.add("f")
    with pytest.raises(UnpagedAnswerError, match="more than 5"):
        await stage.found(by_name, "qualifiedName")


async def test_versions_are_told_once(stage: Stage) -> None:
    guid = await stage.add("one")
    for name in ("two", "three"):
        stage.clock.time += 1_000
        await stage.member.collection.update_entity_properties(
            USER, guid, properties(qualifiedName=name)
        )

    async def versions(span: HistoryRange) -> list[int]:
        told = await stage.collection.get_entity_detail_history(USER, guid, span)
        return [each.value.version for each in told]

    forwards = HistorySequencingOrder.FORWARDS
    assert await versions(HistoryRange()) == [3, 2, 1]
    assert await versions(HistoryRange(order=forwards)) == [1, 2, 3]
    assert await versions(HistoryRange(offset=1, page_size=1)) == [2]
    assert await versions(HistoryRange(offset=2, order=forwards)) == [3]


async def test_relationships_are_limited_by_status_here(stage: Stage) -> None:
    one, two = [await stage.add(name) for name in ("one", "two")]
    await stage.member.collection.add_relationship(USER, RELATED, None, one, two, None)

    async def found(*statuses: InstanceStatus) -> int:
        paging = Paging(page_size=5, sequencing_order=SequencingOrder.GUID)
        return len(
            await stage.collection.get_relationships_for_entity(
                USER, one, None, statuses or None, None, paging
            )
        )

    assert await found() == 1
    assert await found(InstanceStatus.ACTIVE) == 1
    assert await found(InstanceStatus.DRAFT) == 0


async def test_nothing_around_an_entity_means_that_it_is_not_known(
    stage: Stage,
) -> None:
    with pytest.raises(EntityNotKnownError):
        await stage.collection.get_entity_neighborhood(
            USER, "nobody", None, None, None, None, None, 1
        )
    with pytest.raises(EntityNotKnownError):
        await stage.collection.get_related_entities(
            USER, "nobody", None, None, None, None, Paging()
        )
    alone = await stage.add("alone")
    graph = await stage.collection.get_entity_neighborhood(
        USER, alone, None, None, None, None, None, 1
    )
    assert guids(list(graph.entities)) == [alone]


async def test_a_classification_of_anothers_entity_is_told_by_its_summary(
    stage: Stage,
) -> None:
    proxy = remote_proxy("theirs")
    source = ClassificationSource()
    await stage.member.collection.classify_entity_by_proxy(
        USER, proxy, "Confidentiality", source, None
    )
    collection = stage.collection
    assert await collection.is_entity_known(USER, "theirs") is None
    (given,) = await collection.get_home_classifications(USER, "theirs")
    assert (given.name, given.metadata_collection_id) == ("Confidentiality", BIRCH.id)
    assert await collection.get_home_classifications(USER, "nobody") == ()
    theirs = remote_classification(metadata_collection_id=ALDER.id)
    copied = remote_entity("copied", home=ALDER, classifications=(theirs,))
    await stage.member.has(copied)
    assert await collection.get_home_classifications(USER, "copied") == ()


# Who is asked at all


async def test_a_member_without_a_connection_is_not_asked() -> None:
    async with platform_http(kafka_cohort()) as http:
        listed = MemberRegistration(metadata_collection_id="mds")
        assert platform_collection(listed, http, CODEC, types()) is None
        nameless = MemberRegistration(
            repository_connection=Connection(endpoint=Endpoint(address="http://mds"))
        )
        assert platform_collection(nameless, http, CODEC, types()) is None


async def test_a_registered_member_is_asked_by_its_connection(tmp_path: Path) -> None:
    clock = SystemClock()
    async with (
        member(BIRCH, tmp_path / "birch.db", clock) as birch,
        served([birch], clock) as client,
        platform_http(kafka_cohort()) as http,
    ):
        address = f"http://127.0.0.1:{client.port}/servers/{BIRCH.name}"
        registration = MemberRegistration(
            metadata_collection_id=BIRCH.id,
            server_name=BIRCH.name,
            repository_connection=Connection(endpoint=Endpoint(address=address)),
        )
        collection = platform_collection(registration, http, CODEC, types())
        assert collection is not None
        assert await collection.get_metadata_collection_id(USER) == BIRCH.id
