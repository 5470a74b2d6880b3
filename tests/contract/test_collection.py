"""What every metadata collection does, whether it is here, elsewhere or everywhere."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from edgenode.collection.base import (
    ClassificationSource,
    ExternalSource,
    answered,
)
from edgenode.errors import (
    EntityAlreadyClassifiedError,
    EntityNotClassifiedError,
    EntityNotDeletedError,
    EntityNotKnownError,
    EntityProxyOnlyError,
    EntitySoftDeletedError,
    InvalidSearchPatternError,
    NegativePageSizeError,
    OMRSError,
    RelationshipNotKnownError,
    RelationshipSoftDeletedError,
    TypeIdNotKnownError,
    TypeMismatchError,
    UserIdMissingError,
)
from edgenode.federation.members import AskedCollection
from edgenode.instances.conditions import (
    ClassificationCondition,
    MatchCriteria,
    Paging,
    PropertyComparisonOperator,
    PropertyCondition,
    SearchClassifications,
    SearchProperties,
    SequencingOrder,
)
from edgenode.instances.document import Document
from edgenode.instances.model import EntityDetail, Relationship
from edgenode.instances.properties import InstanceProperties, PrimitivePropertyValue
from edgenode.typedefs.status import InstanceStatus
from tests.model.house import (
    USER,
    instance_type,
    properties,
    remote_proxy,
    text,
    type_guid,
)

TERM, CATEGORY = type_guid("GlossaryTerm"), type_guid("GlossaryCategory")
PLACED, RELATED = type_guid("TermCategorization"), type_guid("RelatedTerm")
BY_NAME = Paging(
    sequencing_order=SequencingOrder.PROPERTY_ASCENDING,
    sequencing_property="qualifiedName",
)


async def add(
    collection: AskedCollection, name: str, type_of: str = TERM
) -> EntityDetail:
    added = await collection.add_entity(
        USER, type_of, properties(qualifiedName=name), None, None
    )
    return added.value


async def relate(
    collection: AskedCollection, one: EntityDetail, two: EntityDetail
) -> Relationship:
    related = await collection.add_relationship(
        USER, RELATED, None, str(one.guid), str(two.guid), None
    )
    return related.value


def name_of(found: EntityDetail) -> str:
    held: InstanceProperties | None = found.properties
    assert held is not None
    value = held.instance_properties["qualifiedName"]
    assert isinstance(value, PrimitivePropertyValue)
    return str(value.primitive_value)


def names(found: list[Document[EntityDetail]]) -> list[str]:
    return [name_of(each.value) for each in found]


def guids(found: list[Document[Relationship]]) -> set[str | None]:
    return {each.value.guid for each in found}


async def test_an_entity_is_made_read_changed_and_removed(
    collection: AskedCollection,
) -> None:
    made = await add(collection, "one")
    guid = str(made.guid)
    assert (await answered(collection.get_entity_detail(USER, guid))).value == made
    known = await answered(collection.is_entity_known(USER, guid))
    assert known is not None
    assert known.value == made
    summary = await answered(collection.get_entity_summary(USER, guid))
    assert (summary.value.guid, summary.value.version) == (guid, 1)

    changed = await collection.update_entity_properties(
        USER, guid, properties(qualifiedName="other")
    )
    assert (name_of(changed.value), changed.value.version) == ("other", 2)
    undone = await collection.undo_entity_update(USER, guid)
    assert undone is not None
    assert (name_of(undone.value), undone.value.version) == ("one", 3)
    past = collection.get_entity_detail(USER, guid, changed.value.update_time)
    assert (await answered(past)).value.version in {2, 3}

    deleted = await collection.delete_entity(USER, TERM, "GlossaryTerm", guid)
    assert deleted.value.status is InstanceStatus.DELETED
    with pytest.raises(EntitySoftDeletedError):
        await answered(collection.get_entity_detail(USER, guid))
    restored = await collection.restore_entity(USER, guid)
    assert restored.value.status is InstanceStatus.ACTIVE
    await collection.delete_entity(USER, TERM, "GlossaryTerm", guid)
    await collection.purge_entity(USER, TERM, "GlossaryTerm", guid)
    assert await answered(collection.is_entity_known(USER, guid)) is None


async def test_a_status_is_changed(collection: AskedCollection) -> None:
    made = await collection.add_entity(
        USER,
        type_guid("ControlledGlossaryTerm"),
        properties(qualifiedName="draft"),
        None,
        InstanceStatus.DRAFT,
    )
    changed = await collection.update_entity_status(
        USER, str(made.value.guid), InstanceStatus.PREPARED
    )
    assert changed.value.status is InstanceStatus.PREPARED


async def test_an_external_entity_has_its_source_as_home(
    collection: AskedCollection,
) -> None:
    made = await collection.add_entity(
        USER,
        TERM,
        properties(qualifiedName="outside"),
        None,
        None,
        ExternalSource("outside-id", "outside"),
    )
    assert made.value.metadata_collection_id == "outside-id"
    changed = await collection.update_entity_properties(
        USER, str(made.value.guid), properties(qualifiedName="changed")
    )
    assert changed.value.version == 2


async def test_a_relationship_is_made_read_changed_and_removed(
    collection: AskedCollection,
) -> None:
    one, two = await add(collection, "one"), await add(collection, "two")
    made = await relate(collection, one, two)
    guid = str(made.guid)
    found = await answered(collection.get_relationship(USER, guid))
    assert found.value == made
    assert await answered(collection.is_relationship_known(USER, guid)) is not None
    changed = await collection.update_relationship_properties(
        USER, guid, properties(description="near")
    )
    assert changed.value.version == 2
    undone = await collection.undo_relationship_update(USER, guid)
    assert undone is not None
    assert undone.value.version == 3
    past = collection.get_relationship(USER, guid, changed.value.update_time)
    assert (await answered(past)).value.version in {2, 3}
    await collection.delete_relationship(USER, RELATED, "RelatedTerm", guid)
    with pytest.raises(RelationshipSoftDeletedError):
        await answered(collection.get_relationship(USER, guid))
    restored = await collection.restore_relationship(USER, guid)
    assert restored.value.status is InstanceStatus.ACTIVE
    await collection.delete_relationship(USER, RELATED, "RelatedTerm", guid)
    await collection.purge_relationship(USER, RELATED, "RelatedTerm", guid)
    assert await answered(collection.is_relationship_known(USER, guid)) is None


async def test_an_entity_is_classified_and_declassified(
    collection: AskedCollection,
) -> None:
    guid = str((await add(collection, "one")).guid)
    given = await collection.classify_entity(
        USER,
        guid,
        "Confidentiality",
        ClassificationSource(origin_guid="where from"),
        properties(notes="first"),
    )
    (classification,) = given.value.classifications or ()
    assert classification.classification_origin_guid == "where from"
    with pytest.raises(EntityAlreadyClassifiedError):
        await collection.classify_entity(
            USER, guid, "Confidentiality", ClassificationSource(), properties()
        )
    changed = await collection.update_entity_classification(
        USER, guid, "Confidentiality", properties(notes="second")
    )
    (classification,) = changed.value.classifications or ()
    assert classification.version == 2
    bare = await collection.declassify_entity(USER, guid, "Confidentiality")
    assert not bare.value.classifications
    with pytest.raises(EntityNotClassifiedError):
        await collection.declassify_entity(USER, guid, "Confidentiality")


async def test_an_entity_is_classified_by_a_proxy(collection: AskedCollection) -> None:
    made = await add(collection, "one")
    proxy = remote_proxy(
        str(made.guid),
        metadata_collection_id=made.metadata_collection_id,
        metadata_collection_name=made.metadata_collection_name,
        type=instance_type("GlossaryTerm"),
        create_time=made.create_time,
    )
    given = await collection.classify_entity_by_proxy(
        USER, proxy, "Confidentiality", ClassificationSource(), properties(notes="a")
    )
    assert (given.name, given.version) == ("Confidentiality", 1)
    changed = await collection.update_entity_classification_by_proxy(
        USER, proxy, "Confidentiality", properties(notes="b")
    )
    assert changed.version == 2
    gone = await collection.declassify_entity_by_proxy(USER, proxy, "Confidentiality")
    assert gone.name == "Confidentiality"


async def test_a_proxy_is_known_by_its_header(collection: AskedCollection) -> None:
    await collection.add_entity_proxy(USER, remote_proxy("far"))
    assert await answered(collection.is_entity_known(USER, "far")) is None
    summary = await answered(collection.get_entity_summary(USER, "far"))
    assert summary.value.guid == "far"
    with pytest.raises(EntityProxyOnlyError):
        await answered(collection.get_entity_detail(USER, "far"))
    here = await add(collection, "here")
    made = await collection.add_relationship(
        USER, RELATED, None, "far", str(here.guid), None
    )
    around = await collection.get_relationships_for_entity(
        USER, "far", None, None, None, Paging()
    )
    assert guids(around) == {made.value.guid}


SEARCHES: dict[str, Callable[[AskedCollection, int | None], Awaitable[Any]]] = {
    "by conditions": lambda asked, at: asked.find_entities(
        USER,
        TERM,
        None,
        SearchProperties(
            conditions=(
                PropertyCondition(
                    property="qualifiedName",
                    operator=PropertyComparisonOperator.LIKE,
                    value=text("b.*"),
                ),
            )
        ),
        None,
        SearchClassifications(
            conditions=(ClassificationCondition(name="Confidentiality"),)
        ),
        at,
        BY_NAME,
    ),
    "by property": lambda asked, at: asked.find_entities_by_property(
        USER,
        TERM,
        properties(qualifiedName="b.*"),
        MatchCriteria.ALL,
        [InstanceStatus.ACTIVE],
        ["Confidentiality"],
        at,
        BY_NAME,
    ),
    "by classification": lambda asked, at: asked.find_entities_by_classification(
        USER,
        TERM,
        "Confidentiality",
        properties(notes="secret"),
        MatchCriteria.ANY,
        None,
        at,
        BY_NAME,
    ),
    "by text": lambda asked, at: asked.find_entities_by_property_value(
        USER, TERM, r"\Qb\E.*", None, ["Confidentiality"], at, BY_NAME
    ),
}


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
async def test_entities_are_found(
    search: Callable[[AskedCollection, int | None], Awaitable[Any]],
    collection: AskedCollection,
) -> None:
    last = 0
    for name in ("b2", "a", "b1"):
        made = await add(collection, name)
        if name != "a":
            given = await collection.classify_entity(
                USER,
                str(made.guid),
                "Confidentiality",
                ClassificationSource(),
                properties(notes="secret"),
            )
            last = (given.value.classifications or ())[0].create_time or 0
    assert names(await search(collection, None)) == ["b1", "b2"]
    assert names(await search(collection, last)) == ["b1", "b2"]
    assert await search(collection, 1_000) == []


async def test_relationships_are_found(collection: AskedCollection) -> None:
    one, two = await add(collection, "one"), await add(collection, "two")
    made = await collection.add_relationship(
        USER, RELATED, properties(steward="erin"), str(one.guid), str(two.guid), None
    )
    await relate(collection, two, one)
    time = made.value.create_time
    by_conditions = SearchProperties(
        conditions=(
            PropertyCondition(
                property="steward",
                operator=PropertyComparisonOperator.EQ,
                value=text("erin"),
            ),
        )
    )
    for at in (None, time):
        found = [
            await collection.find_relationships(
                USER, RELATED, None, by_conditions, None, at, Paging()
            ),
            await collection.find_relationships_by_property(
                USER,
                RELATED,
                properties(steward="er.*"),
                MatchCriteria.ALL,
                None,
                at,
                Paging(),
            ),
            await collection.find_relationships_by_property_value(
                USER, RELATED, "erin", None, at, Paging()
            ),
        ]
        assert [guids(each) for each in found] == [{made.value.guid}] * 3


async def test_what_is_around_an_entity_is_found(collection: AskedCollection) -> None:
    one, two, three = [await add(collection, name) for name in ("1", "2", "3")]
    first, second = (
        await relate(collection, one, two),
        await relate(collection, two, three),
    )
    start, end = str(one.guid), str(three.guid)
    for at in (None, second.create_time):
        near = await collection.get_entity_neighborhood(
            USER, start, [TERM], [RELATED], None, None, at, 1
        )
        assert sorted(names(near.entities)) == ["1", "2"]
        assert guids(near.relationships) == {first.guid}
        path = await collection.get_linking_entities(USER, start, end, None, at)
        assert guids(path.relationships) == {first.guid, second.guid}
        reached = await collection.get_related_entities(
            USER, start, [TERM], None, None, at, BY_NAME
        )
        assert names(reached) == ["1", "2", "3"]
        around = await collection.get_relationships_for_entity(
            USER, str(two.guid), RELATED, None, at, Paging()
        )
        assert guids(around) == {first.guid, second.guid}


@pytest.mark.parametrize(
    "order",
    [
        SequencingOrder.ANY,
        SequencingOrder.GUID,
        SequencingOrder.CREATION_DATE_RECENT,
        SequencingOrder.LAST_UPDATE_OLDEST,
        SequencingOrder.PROPERTY_ASCENDING,
        SequencingOrder.PROPERTY_DESCENDING,
    ],
)
async def test_pages_join(order: SequencingOrder, collection: AskedCollection) -> None:
    wanted = sorted(f"t{number % 4}" for number in range(7))
    for name in wanted:
        await add(collection, name)

    async def page(offset: int, size: int) -> list[str]:
        found = await collection.find_entities(
            USER,
            TERM,
            None,
            None,
            None,
            None,
            None,
            Paging(
                offset=offset,
                page_size=size,
                sequencing_order=order,
                sequencing_property="qualifiedName",
            ),
        )
        return [str(each.value.guid) for each in found]

    pages = [guid for offset in range(0, 9, 3) for guid in await page(offset, 3)]
    assert len(set(pages)) == 7
    assert await page(0, 7) == pages
    assert await page(2, 0) == pages[2:]
    assert await page(7, 3) == []


FAILURES: dict[
    str, tuple[type[OMRSError], Callable[[AskedCollection], Awaitable[Any]]]
] = {
    "unknown entity": (
        EntityNotKnownError,
        lambda asked: answered(asked.get_entity_detail(USER, "nobody")),
    ),
    "unknown entity's summary": (
        EntityNotKnownError,
        lambda asked: answered(asked.get_entity_summary(USER, "nobody")),
    ),
    "unknown entity to change": (
        EntityNotKnownError,
        lambda asked: asked.update_entity_properties(USER, "nobody", properties()),
    ),
    "unknown entity to classify": (
        EntityNotKnownError,
        lambda asked: asked.classify_entity(
            USER, "nobody", "Confidentiality", ClassificationSource(), None
        ),
    ),
    "unknown end": (
        EntityNotKnownError,
        lambda asked: asked.add_relationship(
            USER, RELATED, None, "nobody", "no one", None
        ),
    ),
    "unknown start": (
        EntityNotKnownError,
        lambda asked: asked.get_entity_neighborhood(
            USER, "nobody", None, None, None, None, None, 1
        ),
    ),
    "unknown relationship": (
        RelationshipNotKnownError,
        lambda asked: answered(asked.get_relationship(USER, "nothing")),
    ),
    "unknown relationship to change": (
        RelationshipNotKnownError,
        lambda asked: asked.delete_relationship(
            USER, RELATED, "RelatedTerm", "nothing"
        ),
    ),
    "unknown type": (
        TypeIdNotKnownError,
        lambda asked: asked.add_entity(USER, "no type", None, None, None),
    ),
    "search of an unknown type": (
        TypeIdNotKnownError,
        lambda asked: asked.find_entities(
            USER, "no type", None, None, None, None, None, Paging()
        ),
    ),
    "invalid pattern": (
        InvalidSearchPatternError,
        lambda asked: asked.find_entities_by_property(
            USER,
            TERM,
            properties(qualifiedName="[unclosed"),
            MatchCriteria.ALL,
            None,
            None,
            None,
            Paging(),
        ),
    ),
    "negative page": (
        NegativePageSizeError,
        lambda asked: asked.find_relationships(
            USER, None, None, None, None, None, Paging(page_size=-1)
        ),
    ),
    "blank user": (
        UserIdMissingError,
        lambda asked: asked.find_entities(
            " ", TERM, None, None, None, None, None, Paging()
        ),
    ),
}


async def test_failures_are_told_alike(collection: AskedCollection) -> None:
    told: dict[str, type[Exception] | None] = dict.fromkeys(FAILURES)
    for name, (_, call) in FAILURES.items():
        try:
            await call(collection)
        except OMRSError as error:
            told[name] = type(error)
    assert told == {name: expected for name, (expected, _) in FAILURES.items()}


async def test_a_wrong_change_is_refused_alike(collection: AskedCollection) -> None:
    guid = str((await add(collection, "one")).guid)
    with pytest.raises(TypeMismatchError):
        await collection.delete_entity(USER, CATEGORY, "GlossaryCategory", guid)
    with pytest.raises(EntityNotDeletedError):
        await collection.purge_entity(USER, TERM, "GlossaryTerm", guid)
