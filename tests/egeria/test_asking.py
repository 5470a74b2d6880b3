"""A genuine member's collection, asked as any other: its answers are made good."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from edgenode.clock import SystemClock
from edgenode.collection.base import ClassificationSource
from edgenode.collection.participation import Participation, current
from edgenode.connectors.connection import Connection, Endpoint
from edgenode.errors import EntityAlreadyClassifiedError, EntityNotKnownError
from edgenode.events.registration import MemberRegistration
from edgenode.federation.platform import (
    PlatformMetadataCollection,
    platform_collection,
)
from edgenode.federation.platform_http import platform_http
from edgenode.instances.conditions import (
    ClassificationCondition,
    Paging,
    PropertyComparisonOperator,
    PropertyCondition,
    SearchClassifications,
    SearchProperties,
    SequencingOrder,
)
from edgenode.instances.document import Document
from edgenode.instances.matching import sequenced
from edgenode.instances.model import EntityDetail
from edgenode.instances.properties import PrimitivePropertyValue
from edgenode.instances.provenance import Home
from edgenode.repository.base import HistoryRange
from edgenode.typedefs.attributes import PrimitiveDefCategory
from tests.contract.cohorts import enterprise_of, member
from tests.egeria.harness.broker import Broker
from tests.egeria.harness.platform import Platform
from tests.egeria.harness.server import Server, metadata_server
from tests.model.house import (
    CODEC,
    USER,
    properties,
    remote_proxy,
    text,
    type_guid,
    types,
)
from tests.wire.platforms import kafka_cohort

LOCAL = Home("alder-id", "alder")
TERM, FILE, RELATED = map(type_guid, ("GlossaryTerm", "DataFile", "RelatedTerm"))
ASSIGNED = ClassificationSource()


@pytest.fixture(scope="module")
def server(kafka: Broker, egeria: Platform) -> Iterator[Server]:
    made = metadata_server(egeria, "asked", "asking", kafka.address)
    made.start()
    yield made
    made.stop()


@pytest.fixture
async def collection(server: Server) -> AsyncIterator[PlatformMetadataCollection]:
    """The server's, as its registration would have it asked."""

    def asked(collection_id: str) -> PlatformMetadataCollection:
        registration = MemberRegistration(
            metadata_collection_id=collection_id,
            server_name=server.name,
            repository_connection=Connection(endpoint=Endpoint(address=server.url)),
        )
        made = platform_collection(registration, http, CODEC, types())
        assert made is not None
        return made

    async with platform_http(kafka_cohort()) as http:
        yield asked(await asked("unknown").get_metadata_collection_id(USER))


async def add(
    collection: PlatformMetadataCollection, name: str, **more: PrimitivePropertyValue
) -> EntityDetail:
    held = properties(qualifiedName=name, **more)
    return (await collection.add_entity(USER, TERM, held, None, None)).value


def named(name: str) -> SearchProperties:
    """Those whose names begin like this."""
    like = PropertyComparisonOperator.LIKE
    condition = PropertyCondition(
        property="qualifiedName", operator=like, value=text(f"{name}.*")
    )
    return SearchProperties(conditions=(condition,))


def guids(found: list[Document[EntityDetail]]) -> list[str]:
    return [str(each.value.guid) for each in found]


@pytest.mark.parametrize("order", list(SequencingOrder)[1:])
async def test_pages_join_in_every_order(
    collection: PlatformMetadataCollection, order: SequencingOrder
) -> None:
    name = f"pages-{uuid4()}"
    made = [
        await add(collection, f"{name}-{n}", displayName=text(f"{n * 5 % 3}"))
        for n in range(9)
    ]
    for entity in made[2:4]:
        await collection.update_entity_properties(
            USER, str(entity.guid), entity.properties
        )

    async def page(offset: int, size: int) -> list[Document[EntityDetail]]:
        paging = Paging(
            offset=offset,
            page_size=size,
            sequencing_order=order,
            sequencing_property="displayName",
        )
        return await collection.find_entities(
            USER, TERM, None, named(name), None, None, None, paging
        )

    everything = [each.value for each in await page(0, 0)]
    expected = [str(each.guid) for each in sequenced(everything, order, "displayName")]
    assert len(expected) == len(made)
    assert [str(each.guid) for each in everything] == expected
    pages = [guids(await page(offset, 4)) for offset in (0, 4, 8, 12)]
    assert [guid for each in pages for guid in each] == expected
    assert guids(await page(5, 0)) == expected[5:]


async def test_numbers_are_put_in_order(collection: PlatformMetadataCollection) -> None:
    name, size = f"numbers-{uuid4()}", PrimitiveDefCategory.OM_PRIMITIVE_TYPE_INT
    metric = type_guid("GovernanceMetric")
    made = {}
    for number in (7, 30, 100):
        held = properties(
            qualifiedName=f"{name}-{number}",
            domainIdentifier=PrimitivePropertyValue(
                type_guid=size.type_guid,
                type_name=size.type_name,
                primitive_def_category=size,
                primitive_value=number,
            ),
        )
        added = await collection.add_entity(USER, metric, held, None, None)
        made[str(added.value.guid)] = number
    paging = Paging(
        page_size=2,
        sequencing_order=SequencingOrder.PROPERTY_DESCENDING,
        sequencing_property="domainIdentifier",
    )
    found = await collection.find_entities(
        USER, metric, None, named(name), None, None, None, paging
    )
    assert [made[guid] for guid in guids(found)] == [100, 30]


async def test_conditions_on_classifications_hold(
    collection: PlatformMetadataCollection,
) -> None:
    name = f"classified-{uuid4()}"
    _, secret = [await add(collection, f"{name}-{n}") for n in range(2)]
    await collection.classify_entity(
        USER, str(secret.guid), "Confidentiality", ASSIGNED, None
    )
    wanted = SearchClassifications(
        conditions=(ClassificationCondition(name="Confidentiality"),)
    )
    found = await collection.find_entities(
        USER, TERM, None, named(name), None, wanted, None, Paging(page_size=5)
    )
    assert guids(found) == [secret.guid]


async def test_what_is_around_an_entity_is_found(
    collection: PlatformMetadataCollection,
) -> None:
    name = f"around-{uuid4()}"
    made = [await add(collection, f"{name}-{n}") for n in range(4)]
    one, two, three, aside = [str(each.guid) for each in made]
    links = [
        (await collection.add_relationship(USER, RELATED, None, *ends, None)).value.guid
        for ends in ((one, two), (two, three), (two, aside))
    ]
    related = await collection.get_related_entities(
        USER, one, (TERM,), None, None, None, Paging()
    )
    assert set(guids(related)) == {one, two, three, aside}
    of_files = await collection.get_related_entities(
        USER, one, (FILE,), None, None, None, Paging()
    )
    assert of_files == []
    ways = await collection.get_linking_entities(USER, one, three, None, None)
    assert set(guids(list(ways.entities))) == {one, two, three}
    assert {each.value.guid for each in ways.relationships} == set(links[:2])
    with pytest.raises(EntityNotKnownError):
        await collection.get_entity_neighborhood(
            USER, "nobody", None, None, None, None, None, 1
        )


async def test_versions_and_classifications_are_told_as_they_are(
    collection: PlatformMetadataCollection,
) -> None:
    entity = await add(collection, f"versions-{uuid4()}")
    guid = str(entity.guid)
    first = properties(notes="first")
    for name, held in (("Confidentiality", first), ("Criticality", None)):
        await collection.classify_entity(USER, guid, name, ASSIGNED, held)
    await collection.update_entity_properties(USER, guid, entity.properties)
    told = await collection.get_entity_detail_history(USER, guid, HistoryRange())
    assert [each.value.version for each in told] == [2, 1]
    assert {each.name for each in told[1].value.classifications or ()} == {
        "Confidentiality",
        "Criticality",
    }
    await collection.classify_entity(USER, guid, "Confidentiality", ASSIGNED, first)
    with pytest.raises(EntityAlreadyClassifiedError):
        await collection.classify_entity(USER, guid, "Confidentiality", ASSIGNED, None)


async def test_classifications_of_others_entities_are_seen(
    collection: PlatformMetadataCollection,
) -> None:
    proxy = remote_proxy(f"theirs-{uuid4()}")
    guid = str(proxy.guid)
    await collection.classify_entity_by_proxy(
        USER, proxy, "Confidentiality", ASSIGNED, None
    )
    assert await collection.is_entity_known(USER, guid) is None
    (given,) = await collection.get_home_classifications(USER, guid)
    assert given.metadata_collection_id == collection.collection_id


async def test_the_whole_cohort_is_one_collection(
    collection: PlatformMetadataCollection, tmp_path: Path
) -> None:
    name, clock = f"cohort-{uuid4()}", SystemClock()
    genuine = Home(collection.collection_id, "asked")
    async with member(LOCAL, tmp_path / "alder.db", clock) as alder:
        enterprise, members = enterprise_of(alder, {genuine: collection}, clock)
        current.set(note := Participation())
        theirs = await add(collection, f"{name}-theirs")
        held = properties(qualifiedName=f"{name}-ours")
        ours = (await enterprise.add_entity(USER, TERM, held, None, None)).value
        guid = str(theirs.guid)
        changed = await enterprise.update_entity_properties(
            USER, guid, properties(qualifiedName=f"{name}-changed")
        )
        assert changed.value.metadata_collection_id == genuine.id
        assert (await enterprise.get_entity_detail(USER, guid)).value == changed.value
        paging = Paging(
            page_size=1,
            sequencing_order=SequencingOrder.PROPERTY_ASCENDING,
            sequencing_property="qualifiedName",
        )
        pages = [
            guids(
                await enterprise.find_entities(
                    USER, TERM, None, named(name), None, None, None, each
                )
            )
            for each in (paging, replace(paging, offset=1))
        ]
        assert pages == [[guid], [ours.guid]]
        link = await enterprise.add_relationship(
            USER, RELATED, None, str(ours.guid), guid, None
        )
        await enterprise.classify_entity(USER, guid, "Confidentiality", ASSIGNED, None)
        around = await enterprise.get_entity_neighborhood(
            USER, str(ours.guid), None, None, None, None, None, 1
        )
        assert {each.value.guid for each in around.relationships} == {link.value.guid}
        seen = await enterprise.get_entity_detail(USER, guid)
        (given,) = seen.value.classifications or ()
        assert given.metadata_collection_id == genuine.id
        with pytest.raises(EntityNotKnownError):
            await enterprise.get_entity_detail(USER, "nobody")
        (statistics,) = members.statistics()
    assert note.is_complete
    assert statistics.failed == 0
