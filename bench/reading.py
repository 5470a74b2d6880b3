"""The methods that read types, or instances by guid."""

from collections.abc import Callable
from typing import Final

from bench.glossary import (
    ASSIGNMENT,
    CATEGORIZATION,
    CATEGORY,
    REFERENCEABLE,
    RETENTION,
    TERM,
    UPDATED_EVERY,
)
from bench.method import Make, Method, a_category, a_relationship, a_term, one_of
from bench.target import Request, Target

NAMES: Final = (
    "GlossaryTerm",
    "Asset",
    "Referenceable",
    "SemanticAssignment",
    "Retention",
)
TYPES: Final = (TERM, CATEGORY, REFERENCEABLE, ASSIGNMENT, RETENTION)
ENUM: Final = "42282652-7d60-435e-ad3e-7cfe5291bcc7"  # TermRelationshipStatus
TERM_DEFINITION: Final = {
    "class": "EntityDef",
    "guid": TERM.guid,
    "name": TERM.name,
    "version": TERM.version,
    "versionName": "1.0",
    "category": "ENTITY_DEF",
}


def get(path: str) -> Make:
    """The same GET every time."""
    return lambda _target, _number: Request("GET", path)


def post(path: str, body: object) -> Make:
    """The same POST every time."""
    return lambda _target, _number: Request("POST", path, body)


def an_updated_term(target: Target, number: int) -> str:
    """The guid of some term that has two versions."""
    return one_of(target.terms[7::UPDATED_EVERY], number)


def of_guid(choose: Callable[[Target, int], str], path: str) -> Make:
    """A GET of a path that has a guid in it."""
    return lambda target, number: Request(
        "GET", path.format(guid=choose(target, number))
    )


def ask(
    choose: Callable[[Target, int], str],
    path: str,
    kind: str,
    *,
    past: bool = False,
    **fields: object,
) -> Make:
    """A POST of a request bean to a path that has a guid in it."""

    def make(target: Target, number: int) -> Request:
        body: dict[str, object] = {"class": kind, **fields}
        if past:
            body["asOfTime"] = target.before_updates
        return Request("POST", path.format(guid=choose(target, number)), body)

    return make


def type_methods() -> list[Method]:
    """The methods about types."""
    return [
        Method("getMetadataCollectionId", get("/metadata-collection-id")),
        Method("getAllTypes", get("/types/all")),
        Method(
            "getTypeDefByName",
            lambda _, n: Request("GET", f"/types/typedef/name/{NAMES[n % 5]}"),
        ),
        Method(
            "getTypeDefByGUID",
            lambda _, n: Request("GET", f"/types/typedef/{TYPES[n % 5].guid}"),
        ),
        Method(
            "getAttributeTypeDefByName",
            get("/types/attribute-typedef/name/TermRelationshipStatus"),
        ),
        Method("getAttributeTypeDefByGUID", get(f"/types/attribute-typedef/{ENUM}")),
        Method(
            "findTypesByName",
            lambda _, n: Request("GET", f"/types/by-name?name={NAMES[n % 5]}"),
        ),
        Method(
            "findTypeDefsByCategory",
            post("/types/typedefs/by-category", "CLASSIFICATION_DEF"),
        ),
        Method(
            "findAttributeTypeDefsByCategory",
            post("/types/attribute-typedefs/by-category", "ENUM_DEF"),
        ),
        Method(
            "searchForTypeDefs",
            get("/types/typedefs/by-property-value?searchCriteria=.*Glossary.*"),
        ),
        Method("verifyTypeDef", post("/types/typedef/compatibility", TERM_DEFINITION)),
    ]


def instance_methods() -> list[Method]:
    """The methods that read instances by their guids."""
    entity = "/instances/entity/{guid}"
    relationship = "/instances/relationship/{guid}"
    links = "/instances/entity/{guid}/relationships"
    near = "/instances/entities/from-entity/{guid}/by-neighborhood"
    history, every = "HistoryRequest", "HistoryRangeRequest"
    linked, linked_past = "TypeLimitedFindRequest", "TypeLimitedHistoricalFindRequest"
    around = "EntityNeighborhoodFindRequest"
    around_past = "EntityNeighborhoodHistoricalFindRequest"
    return [
        Method("isEntityKnown", of_guid(a_term, f"{entity}/existence")),
        Method("getEntitySummary", of_guid(a_term, f"{entity}/summary")),
        Method("getEntityDetail", of_guid(a_term, entity)),
        Method(
            "getEntityDetail asOfTime",
            ask(an_updated_term, f"{entity}/history", history, past=True),
        ),
        Method(
            "getEntityDetailHistory",
            ask(an_updated_term, f"{entity}/history/all", every, pageSize=20),
        ),
        Method(
            "getRelationshipsForEntity, term",
            ask(a_term, links, linked, pageSize=20),
        ),
        Method(
            "getRelationshipsForEntity, category, page 20",
            ask(a_category, links, linked, pageSize=20),
        ),
        Method(
            "getRelationshipsForEntity, category, page 500",
            ask(a_category, links, linked, pageSize=500),
        ),
        Method(
            "getRelationshipsForEntity, one type, by property",
            ask(
                a_category,
                links,
                linked,
                typeGUID=CATEGORIZATION.guid,
                pageSize=20,
                sequencingOrder="PROPERTY_ASCENDING",
                sequencingProperty="description",
            ),
        ),
        Method(
            "getRelationshipsForEntity asOfTime",
            ask(a_category, f"{links}/history", linked_past, past=True, pageSize=20),
        ),
        Method(
            "isRelationshipKnown", of_guid(a_relationship, f"{relationship}/existence")
        ),
        Method("getRelationship", of_guid(a_relationship, relationship)),
        Method(
            "getRelationship asOfTime",
            ask(a_relationship, f"{relationship}/history", history, past=True),
        ),
        Method(
            "getRelationshipHistory",
            ask(a_relationship, f"{relationship}/history/all", every, pageSize=20),
        ),
        Method(
            "getEntityNeighborhood, category, level 1",
            ask(a_category, f"{near}?level=1", around),
        ),
        Method(
            "getEntityNeighborhood, term, level 1",
            ask(a_term, f"{near}?level=1", around),
        ),
        Method(
            "getEntityNeighborhood, term, level 2",
            ask(a_term, f"{near}?level=2", around),
        ),
        Method(
            "getEntityNeighborhood, term, level 1, asOfTime",
            ask(a_term, f"{near}/history?level=1", around_past, past=True),
        ),
        Method(
            "getEntityNeighborhood, term, level 2, asOfTime",
            ask(a_term, f"{near}/history?level=2", around_past, past=True),
        ),
    ]


READING: Final = (*type_methods(), *instance_methods())
