"""Searches: which requests are refused, and that the others find what they ask for."""

from typing import Any

import pytest

from edgenode.collection.base import ClassificationSource
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
from edgenode.instances.properties import InstanceProperties
from edgenode.typedefs.status import InstanceStatus
from tests.model.house import (
    START,
    USER,
    House,
    properties,
    remote_proxy,
    text,
    type_guid,
)
from tests.unit.collection.conftest import Glossary
from tests.unit.collection.refusals import refusal

FUTURE = 4_070_908_800_000
FUTURE_TEXT = "Thu Jan 01 00:00:00 UTC 2099"
TERM = type_guid("GlossaryTerm")
CATEGORY = type_guid("GlossaryCategory")
TYPE = type_guid("TermCategorization")

ALL = Paging(sequencing_order=SequencingOrder.GUID)
NEGATIVE = Paging(page_size=-1)
LT = SearchProperties(
    conditions=(
        PropertyCondition(
            property="qualifiedName",
            operator=PropertyComparisonOperator.LT,
            value=text("a"),
        ),
    )
)


class Finds:
    """The searches with the arguments that most tests leave as they are."""

    def __init__(self, house: House) -> None:
        self.collection = house.collection

    def entities(self, **given: Any) -> Any:
        return self.collection.find_entities(
            USER,
            given.get("type"),
            given.get("subtypes"),
            given.get("match"),
            given.get("statuses"),
            given.get("classified"),
            given.get("time"),
            given.get("paging", ALL),
        )

    def by_property(self, **given: Any) -> Any:
        return self.collection.find_entities_by_property(
            USER,
            given.get("type"),
            given.get("match"),
            given.get("criteria"),
            given.get("statuses"),
            given.get("classifications"),
            given.get("time"),
            given.get("paging", ALL),
        )

    def by_classification(self, **given: Any) -> Any:
        return self.collection.find_entities_by_classification(
            USER,
            given.get("type"),
            given.get("name", "Confidentiality"),
            given.get("match"),
            given.get("criteria"),
            given.get("statuses"),
            given.get("time"),
            given.get("paging", ALL),
        )

    def by_value(self, **given: Any) -> Any:
        return self.collection.find_entities_by_property_value(
            USER,
            given.get("type"),
            given.get("value", "a"),
            given.get("statuses"),
            given.get("classifications"),
            given.get("time"),
            given.get("paging", ALL),
        )

    def relationships(self, **given: Any) -> Any:
        return self.collection.find_relationships(
            USER,
            given.get("type"),
            given.get("subtypes"),
            given.get("match"),
            given.get("statuses"),
            given.get("time"),
            given.get("paging", ALL),
        )

    def relationships_by_property(self, **given: Any) -> Any:
        return self.collection.find_relationships_by_property(
            USER,
            given.get("type"),
            given.get("match"),
            given.get("criteria"),
            given.get("statuses"),
            given.get("time"),
            given.get("paging", ALL),
        )

    def relationships_by_value(self, **given: Any) -> Any:
        return self.collection.find_relationships_by_property_value(
            USER,
            given.get("type"),
            given.get("value", "a"),
            given.get("statuses"),
            given.get("time"),
            given.get("paging", ALL),
        )

    def at_entity(self, **given: Any) -> Any:
        return self.collection.get_relationships_for_entity(
            USER,
            given.get("guid", "nope"),
            given.get("type"),
            given.get("statuses"),
            given.get("time"),
            given.get("paging", ALL),
        )

    def neighborhood(self, **given: Any) -> Any:
        return self.collection.get_entity_neighborhood(
            USER,
            given.get("guid", "nope"),
            given.get("types"),
            given.get("relationship_types"),
            given.get("statuses"),
            given.get("classifications"),
            given.get("time"),
            given.get("level", 1),
        )

    def linking(self, **given: Any) -> Any:
        return self.collection.get_linking_entities(
            USER,
            given.get("guid", "nope"),
            given.get("end", "nope"),
            given.get("statuses"),
            given.get("time"),
        )

    def related(self, **given: Any) -> Any:
        return self.collection.get_related_entities(
            USER,
            given.get("guid", "nope"),
            given.get("types"),
            given.get("statuses"),
            given.get("classifications"),
            given.get("time"),
            given.get("paging", ALL),
        )


@pytest.fixture
def finds(house: House) -> Finds:
    return Finds(house)


def guids(documents: list[Document[Any]]) -> list[str]:
    return [document.value.guid for document in documents]


SEARCHES = {
    "entities": ("findEntities", "entityTypeGUID"),
    "by_property": ("findEntitiesByProperty", "entityTypeGUID"),
    "by_classification": ("findEntitiesByClassification", "entityTypeGUID"),
    "by_value": ("findEntitiesByPropertyValue", "entityTypeGUID"),
    "relationships": ("findRelationships", "relationshipTypeGUID"),
    "relationships_by_property": (
        "findRelationshipsByProperty",
        "relationshipTypeGUID",
    ),
    "relationships_by_value": (
        "findRelationshipsByPropertyValue",
        "relationshipTypeGUID",
    ),
    "at_entity": ("getRelationshipsForEntity", "relationshipTypeGUID"),
}


@pytest.mark.parametrize("search", SEARCHES)
async def test_type_then_time_then_page(finds: Finds, search: str) -> None:
    find = getattr(finds, search)
    operation, parameter = SEARCHES[search]
    assert await refusal(find(type="x", time=FUTURE, paging=NEGATIVE)) == (
        "REPOSITORY-404-007", "TypeErrorException", operation,
        ("x", parameter, operation, "node"), None,
    )  # fmt: skip
    assert await refusal(find(time=FUTURE, paging=NEGATIVE)) == (
        "REPOSITORY-400-038", "InvalidParameterException", operation,
        (FUTURE_TEXT, "asOfTime", operation, "node"), "asOfTime",
    )  # fmt: skip
    assert await refusal(find(paging=NEGATIVE)) == (
        "REPOSITORY-400-050", "PagingErrorException", operation,
        ("-1", "pageSize", operation, "node"), None,
    )  # fmt: skip
    assert (await refusal(find(paging=Paging(offset=-3))))[3] == (
        "-3", "offset", operation, "node",
    )  # fmt: skip


@pytest.mark.parametrize(
    "search", ["by_property", "by_classification", "relationships_by_property"]
)
@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"match": properties(qualifiedName="a")}, "matchCriteria"),
        ({"criteria": MatchCriteria.ALL}, "matchProperties"),
    ],
)
async def test_properties_and_criteria_come_together(
    finds: Finds, search: str, given: dict[str, Any], missing: str
) -> None:
    operation = SEARCHES[search][0]
    assert await refusal(getattr(finds, search)(**given, paging=NEGATIVE)) == (
        "REPOSITORY-400-011", "InvalidParameterException", operation,
        (missing, operation, "node"), missing,
    )  # fmt: skip


@pytest.mark.parametrize("search", ["by_value", "relationships_by_value"])
@pytest.mark.parametrize("value", [None, ""])
async def test_a_value_to_search_for(finds: Finds, search: str, value: Any) -> None:
    operation = SEARCHES[search][0]
    assert await refusal(getattr(finds, search)(value=value, time=FUTURE)) == (
        "REPOSITORY-400-013", "InvalidParameterException", operation,
        ("searchCriteria", operation, "node"), "searchCriteria",
    )  # fmt: skip


@pytest.mark.parametrize("search", ["by_value", "relationships_by_value"])
async def test_an_invalid_value_to_search_for(finds: Finds, search: str) -> None:
    operation = SEARCHES[search][0]
    found = await refusal(getattr(finds, search)(value="[u"))
    assert found[:3] == ("REPOSITORY-400-040", "RepositoryErrorException", operation)
    assert found[3][:4] == (
        "java.util.regex.PatternSyntaxException", "[u", operation, "node",
    )  # fmt: skip


@pytest.mark.parametrize("search", ["entities", "relationships"])
async def test_subtypes_are_of_the_type(finds: Finds, search: str) -> None:
    operation = SEARCHES[search][0]
    of, stranger = (TERM, TYPE) if search == "entities" else (TYPE, TERM)
    kind = search.removesuffix("s").replace("entitie", "entity")
    parameter = f"{kind}SubtypeGUIDs"
    find = getattr(finds, search)
    assert await refusal(find(type=of, subtypes=[stranger, CATEGORY])) == (
        "REPOSITORY-400-079", "TypeErrorException", operation,
        (f"[{stranger}, {CATEGORY}]", of), None,
    )  # fmt: skip
    assert await refusal(find(subtypes=["x"])) == (
        "REPOSITORY-404-007", "TypeErrorException", operation,
        ("x", parameter, operation, "node"), None,
    )  # fmt: skip


async def test_conditions_are_read_after_all_else(finds: Finds) -> None:
    assert (await refusal(finds.entities(match=LT, paging=NEGATIVE)))[0] == (
        "REPOSITORY-400-050"
    )
    nameless = SearchClassifications(conditions=(ClassificationCondition(),))
    assert await refusal(finds.entities(match=LT, classified=nameless)) == (
        "REPOSITORY-400-078", "InvalidParameterException", "findEntities",
        ("Less than",), "matchProperties",
    )  # fmt: skip
    assert await refusal(finds.entities(classified=nameless)) == (
        "REPOSITORY-400-075", "InvalidParameterException", "findEntities", (),
        "matchClassifications",
    )  # fmt: skip
    assert (await refusal(finds.relationships(match=LT)))[2:4] == (
        "findRelationships", ("Less than",),
    )  # fmt: skip


async def test_a_classification_is_for_the_type(finds: Finds) -> None:
    found = await refusal(
        finds.by_classification(type=TERM, name="CanonicalVocabulary")
    )
    assert found == (
        "REPOSITORY-400-006", "ClassificationErrorException",
        "findEntitiesByClassification",
        ("node", "CanonicalVocabulary", "GlossaryTerm"), None,
    )  # fmt: skip
    assert await finds.by_classification(type=TERM, name="Nope") == []


@pytest.mark.parametrize(("home", "is_found"), [("local-id", True), ("hub", False)])
async def test_classifications_are_found_by_their_own_header(
    finds: Finds, house: House, glossary: Glossary, home: str, is_found: bool
) -> None:
    await house.collection.classify_entity(
        USER, glossary.term, "Confidentiality", ClassificationSource(), None
    )
    found = await finds.by_classification(
        match=properties(metadataCollectionId=home), criteria=MatchCriteria.ALL
    )
    assert guids(found) == ([glossary.term] if is_found else [])


async def test_finds(finds: Finds, house: House, glossary: Glossary) -> None:
    both = sorted([glossary.term, glossary.other_term])
    await house.collection.classify_entity(
        USER,
        glossary.term,
        "Confidentiality",
        ClassificationSource(),
        properties(steward="ann"),
    )
    example = properties(qualifiedName="te.*")
    assert guids(await finds.entities(type=TERM)) == both
    assert guids(await finds.entities(type=type_guid("Referenceable"))) == sorted(
        [*both, glossary.category]
    )
    assert guids(
        await finds.entities(type=type_guid("Referenceable"), subtypes=[CATEGORY])
    ) == [glossary.category]
    found = await finds.by_property(match=example, criteria=MatchCriteria.ALL)
    assert guids(found) == [glossary.term]
    found = await finds.by_property(
        match=example, criteria=MatchCriteria.NONE, type=TERM
    )
    assert guids(found) == [glossary.other_term]
    found = await finds.by_property(
        type=TERM, classifications=["Nope", "Confidentiality"]
    )
    assert guids(found) == [glossary.term]
    assert guids(await finds.by_property(type=TERM, classifications=[])) == both
    assert guids(await finds.by_classification()) == [glossary.term]
    found = await finds.by_classification(
        match=properties(steward="bob"), criteria=MatchCriteria.ALL
    )
    assert found == []
    assert guids(await finds.by_value(value="other")) == [glossary.other_term]
    found = await finds.by_value(value=".*e.*", classifications=["Confidentiality"])
    assert guids(found) == [glossary.term]
    assert guids(await finds.relationships(type=TYPE)) == [glossary.placed]
    assert guids(await finds.relationships_by_value(value="placed")) == [
        glossary.placed
    ]
    found = await finds.relationships_by_property(
        match=properties(description="no"), criteria=MatchCriteria.ANY
    )
    assert found == []


async def test_an_empty_list_of_statuses_is_no_list(
    finds: Finds, house: House, glossary: Glossary
) -> None:
    await house.collection.delete_entity(USER, TERM, "GlossaryTerm", glossary.term)
    assert guids(await finds.entities(type=TERM, statuses=[])) == [glossary.other_term]
    deleted = [InstanceStatus.DELETED]
    assert guids(await finds.entities(type=TERM, statuses=deleted)) == [glossary.term]


async def test_deleted_relationships_are_found_by_their_status(
    finds: Finds, house: House, glossary: Glossary
) -> None:
    await house.collection.delete_relationship(
        USER, TYPE, "TermCategorization", glossary.placed
    )
    assert await finds.relationships(type=TYPE) == []
    deleted = [InstanceStatus.DELETED]
    assert guids(await finds.relationships(type=TYPE, statuses=deleted)) == [
        glossary.placed
    ]


async def test_no_search_looks_at_the_time_that_properties_are_meant_for(
    finds: Finds, house: House
) -> None:
    over = InstanceProperties(
        effective_from_time=1,
        effective_to_time=2,
        instance_properties=properties(summary="over").instance_properties,
    )
    document = await house.collection.add_entity(USER, TERM, over, None, None)
    assert guids(await finds.by_value(value="over")) == [document.value.guid]


async def test_conditions_know_no_header_fields(
    finds: Finds, house: House, glossary: Glossary
) -> None:
    def asked(operator: PropertyComparisonOperator) -> SearchProperties:
        created = PropertyCondition(
            property="createdBy", operator=operator, value=text(USER)
        )
        return SearchProperties(conditions=(created,))

    found = await finds.entities(match=asked(PropertyComparisonOperator.EQ))
    assert found == []
    found = await finds.entities(
        type=CATEGORY, match=asked(PropertyComparisonOperator.NEQ)
    )
    assert guids(found) == [glossary.category]
    example = properties(createdBy=USER)
    found = await finds.by_property(
        type=CATEGORY, match=example, criteria=MatchCriteria.ALL
    )
    assert guids(found) == [glossary.category]


async def test_a_value_is_sought_in_properties_of_the_instance_alone(
    finds: Finds, house: House, glossary: Glossary
) -> None:
    await house.collection.classify_entity(
        USER,
        glossary.term,
        "Confidentiality",
        ClassificationSource(),
        properties(notes="hidden"),
    )
    assert await finds.by_value(value="hidden") == []
    assert await finds.by_value(value=USER) == []
    assert guids(await finds.by_value(value="term")) == [glossary.term]
    assert await finds.by_value(value="ter") == []


async def test_finds_as_of_a_time(
    finds: Finds, house: House, glossary: Glossary
) -> None:
    house.clock.time += 10
    await house.collection.delete_entity(USER, TERM, "GlossaryTerm", glossary.term)
    assert glossary.term not in guids(await finds.entities(type=TERM))
    assert glossary.term in guids(await finds.entities(type=TERM, time=START + 5))
    assert await finds.entities(type=TERM, time=START - 1) == []


# Walks


@pytest.mark.parametrize("walk", ["at_entity", "neighborhood", "linking", "related"])
async def test_a_walk_starts_somewhere(
    finds: Finds, house: House, glossary: Glossary, walk: str
) -> None:
    operations = {
        "at_entity": "getEntitySummary",
        "neighborhood": "getEntityNeighborhood",
        "linking": "getLinkingEntities",
        "related": "getRelatedEntities",
    }
    operation = operations[walk]
    go = getattr(finds, walk)
    assert (await refusal(go(time=FUTURE)))[0] == "REPOSITORY-400-038"
    assert await refusal(go()) == (
        "REPOSITORY-404-002", "EntityNotKnownException", operation,
        ("nope", operation, "node"), None,
    )  # fmt: skip
    await house.collection.delete_entity(USER, TERM, "GlossaryTerm", glossary.term)
    assert (await refusal(go(guid=glossary.term)))[0] == "REPOSITORY-404-013"


async def test_a_walk_goes_back_in_time(
    finds: Finds, house: House, glossary: Glossary
) -> None:
    house.clock.time += 10
    await house.collection.delete_entity(USER, TERM, "GlossaryTerm", glossary.term)
    then = START + 5
    found = await finds.at_entity(guid=glossary.term, time=then)
    assert guids(found) == [glossary.placed]
    assert await finds.at_entity(guid=glossary.term, time=START - 1) == []
    assert (await refusal(finds.at_entity(time=then)))[0] == "REPOSITORY-404-002"
    graph = await finds.neighborhood(guid=glossary.term, time=then)
    assert guids(graph.relationships) == [glossary.placed]
    early = finds.neighborhood(guid=glossary.term, time=START - 1)
    assert (await refusal(early))[0] == "REPOSITORY-404-002"
    late = finds.neighborhood(guid=glossary.term, time=START + 10)
    assert (await refusal(late))[0] == "REPOSITORY-404-013"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"types": ["x"]},
            ("REPOSITORY-404-007", "TypeErrorException", "getEntityNeighborhood",
             ("x", "entityTypeGUIDs", "getEntityNeighborhood", "node"), None),
        ),
        (
            {"relationship_types": ["x"]},
            ("REPOSITORY-404-007", "TypeErrorException", "getEntityNeighborhood",
             ("x", "relationshipTypeGUIDs", "getEntityNeighborhood", "node"), None),
        ),
        (
            {"classifications": ["Nope"]},
            ("REPOSITORY-400-005", "InvalidParameterException",
             "getEntityNeighborhood", ("Nope", "node"),
             "limitResultsByClassification"),
        ),
    ],
)  # fmt: skip
async def test_a_walk_is_limited_by_known_types(
    finds: Finds, given: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    assert await refusal(finds.neighborhood(**given)) == expected


async def test_walks(finds: Finds, house: House, glossary: Glossary) -> None:
    await house.collection.add_entity_proxy(USER, remote_proxy("far"))
    document = await house.collection.add_relationship(
        USER, TYPE, None, glossary.category, "far", None
    )
    to_far = str(document.value.guid)
    found = await finds.at_entity(guid=glossary.category, type=TYPE)
    assert guids(found) == sorted([glossary.placed, to_far])
    assert guids(await finds.at_entity(guid="far")) == [to_far]
    graph = await finds.neighborhood(guid=glossary.term, level=-1)
    assert (guids(graph.entities), graph.relationships) == ([glossary.term], [])
    graph = await finds.neighborhood(guid=glossary.term, level=2)
    assert sorted(guids(graph.entities)) == sorted([glossary.term, glossary.category])
    assert sorted(guids(graph.relationships)) == sorted([glossary.placed, to_far])
    graph = await finds.linking(guid=glossary.term, end=glossary.category)
    assert guids(graph.relationships) == [glossary.placed]
    assert set(guids(await finds.related(guid=glossary.term))) == {
        glossary.term,
        glossary.category,
    }
    own_type = await finds.related(guid=glossary.term, types=[TERM])
    assert guids(own_type) == [glossary.term]


async def test_relationships_found_show_their_ends_as_they_are_now(
    finds: Finds, house: House, glossary: Glossary
) -> None:
    update = house.collection.update_entity_properties
    await update(USER, glossary.term, properties(qualifiedName="renamed"))
    graph = await finds.neighborhood(guid=glossary.term)
    for [found] in (
        await finds.relationships(),
        await finds.relationships_by_value(value="placed"),
        await finds.at_entity(guid=glossary.term),
        graph.relationships,
    ):
        proxy = found.value.entity_two_proxy
        assert proxy.unique_properties == properties(qualifiedName="renamed")
        assert b'"renamed"' in found.json
