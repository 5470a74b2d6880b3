"""The methods that change something.

They form chains: each makes, changes or removes the instances of its own numbers, and
at the end all of them are gone again.
"""

import uuid
from typing import Final

from bench.glossary import (
    CATEGORIZATION,
    CONFIDENCE,
    CONFIDENTIALITY,
    CONTROLLED_TERM,
    GLOSSARY,
    RETENTION,
    SPINE_OBJECT,
    START_OF_2026,
    TERM,
    Type,
    classification,
    integer,
    properties,
    term_qualified_name,
    text,
)
from bench.harness import Json, RefusedError
from bench.method import Make, Method, a_category
from bench.target import (
    Request,
    Target,
    add_entity,
    add_relationship,
    new_values,
    update_entity,
)

ELSEWHERE: Final = "5f0f2a52-31c1-4b5c-9f39-0d6d1a5a7c11"  # a home that is not here
SOURCE: Final = "c4b1c9c4-0f3a-4b61-8f0e-6b1d3c7c9a22"  # an external source


def change(name: str, request: Make, keep: str | None = None) -> Method:
    """A measured method that changes something."""
    return Method(name, request, changes=True, keep=keep)


def step(name: str, request: Make, keep: str | None = None) -> Method:
    """A change that the next methods need, not measured itself."""
    return Method(name, request, changes=True, keep=keep, measured=False)


def made(target: Target, name: str, number: int) -> Json:
    """The instance that an earlier request of this number answered with.

    Raises:
        RefusedError: that request was refused.
    """
    answer = target.made.get((name, number))
    if answer is None:
        raise RefusedError(f"the {name} that it needs could not be made")
    instance: Json = answer.get("entity") or answer["relationship"]
    return instance


def on(name: str, path: str, body: object) -> Make:
    """A POST about the instance of this number."""
    return lambda target, number: Request(
        "POST", _about(target, name, number, path), body
    )


def on_by_get(name: str, path: str) -> Make:
    """A GET that changes the instance of this number."""
    return lambda target, number: Request("GET", _about(target, name, number, path))


def _about(target: Target, name: str, number: int, path: str) -> str:
    kind = "relationship" if name == "link" else "entity"
    return f"/instances/{kind}/{made(target, name, number)['guid']}/{path}"


def proxy(entity: Json) -> Json:
    """The EntityProxy of an entity."""
    header = (
        "type",
        "instanceProvenanceType",
        "metadataCollectionId",
        "guid",
        "status",
    )
    name = entity["properties"]["instanceProperties"]["qualifiedName"]
    return {
        "class": "EntityProxy",
        **{key: entity[key] for key in (*header, "version", "createdBy", "createTime")},
        "uniqueProperties": properties({"qualifiedName": name}),
    }


# A term and its relationship, from birth to end


def add(_: Target, number: int) -> Request:
    """A new term with a classification."""
    level = classification(CONFIDENTIALITY, {"levelIdentifier": integer(2)})
    return add_entity(TERM, GLOSSARY.term(1_000_000 + number), [level])


def add_controlled(_: Target, number: int) -> Request:
    """A new term of a type that has many statuses."""
    return add_entity(CONTROLLED_TERM, GLOSSARY.term(5_000_000 + number))


def add_external(_: Target, number: int) -> Request:
    """A new term from an external source."""
    body = {
        "class": "EntityCreateRequest",
        "entityTypeGUID": TERM.guid,
        "metadataCollectionId": SOURCE,
        "metadataCollectionName": "bench source",
        "initialProperties": properties(GLOSSARY.term(2_000_000 + number)),
    }
    return Request("POST", "/instances/entity/external", body)


def link(target: Target, number: int) -> Request:
    """A relationship between a category and the new term."""
    end2 = made(target, "term", number)["guid"]
    values = GLOSSARY.categorization(number)
    return add_relationship(CATEGORIZATION, a_category(target, number), end2, values)


def update(target: Target, number: int) -> Request:
    """Another description for the term."""
    values = GLOSSARY.term(1_000_000 + number, edition=2)
    return update_entity(made(target, "term", number)["guid"], values)


def classify_by_proxy(target: Target, number: int) -> Request:
    """A classification for the term, which a proxy names."""
    body = {
        "class": "ProxyClassificationRequest",
        "entityProxy": proxy(made(target, "term", number)),
    }
    path = f"/instances/entity/classification/{SPINE_OBJECT.name}"
    return Request("POST", path, body)


def declassify_by_proxy(target: Target, number: int) -> Request:
    """The same classification away."""
    path = f"/instances/entity/classification/{SPINE_OBJECT.name}/delete"
    return Request("POST", path, proxy(made(target, "term", number)))


def re_identify(target: Target, number: int) -> Request:
    """Another guid for the term."""
    guid = made(target, "term", number)["guid"]
    new = uuid.uuid5(uuid.NAMESPACE_URL, guid)
    path = f"/instances/entity/{guid}/identity?newEntityGUID={new}"
    return Request("POST", path, TERM.validation())


def re_identify_link(target: Target, number: int) -> Request:
    """Another guid for the relationship."""
    guid = made(target, "link", number)["guid"]
    new = uuid.uuid5(uuid.NAMESPACE_URL, guid)
    path = f"/instances/relationship/{guid}/identity?newRelationshipGUID={new}"
    return Request("POST", path, CATEGORIZATION.validation())


LIVES: Final = (
    change("addEntity", add, keep="term"),
    change("addRelationship", link, keep="link"),
    change("updateEntityProperties", update),
    change("undoEntityUpdate", on_by_get("term", "previous")),
    change(
        "classifyEntity",
        on(
            "term",
            f"classification/{CONFIDENCE.name}",
            new_values({"confidence": integer(10)}),
        ),
    ),
    change(
        "classifyEntity, detailed",
        on(
            "term",
            f"classification/{RETENTION.name}/detailed",
            {
                "class": "ClassificationRequest",
                "classificationOrigin": "ASSIGNED",
                "classificationProperties": properties({"basisIdentifier": integer(2)}),
            },
        ),
    ),
    change("classifyEntity, by proxy", classify_by_proxy),
    change(
        "updateEntityClassification",
        on(
            "term",
            f"classification/{CONFIDENCE.name}/properties",
            new_values({"confidence": integer(90)}),
        ),
    ),
    change(
        "declassifyEntity",
        on("term", f"classification/{CONFIDENCE.name}/delete", None),
    ),
    change("declassifyEntity, by proxy", declassify_by_proxy),
    change(
        "updateRelationshipProperties",
        on("link", "properties", new_values({"description": text("Changed")})),
    ),
    change("undoRelationshipUpdate", on_by_get("link", "previous")),
    change("updateRelationshipStatus", on("link", "status", "ACTIVE")),
    change("reIdentifyRelationship", re_identify_link, keep="link"),
    change("deleteRelationship", on("link", "delete", CATEGORIZATION.validation())),
    change("restoreRelationship", on_by_get("link", "restore")),
    step("deleteRelationship again", on("link", "delete", CATEGORIZATION.validation())),
    change("purgeRelationship", on("link", "purge", CATEGORIZATION.validation())),
    change("reIdentifyEntity", re_identify, keep="term"),
    # Genuine Egeria answers with the new type and keeps the old one: what follows
    # names the type that is right for both.
    change(
        "reTypeEntity",
        on(
            "term",
            "type",
            {
                "class": "TypeDefChangeRequest",
                "currentTypeDef": TERM.summary(),
                "newTypeDef": CONTROLLED_TERM.summary(),
            },
        ),
    ),
    change("deleteEntity", on("term", "delete", TERM.validation())),
    change("restoreEntity", on_by_get("term", "restore")),
    step("deleteEntity again", on("term", "delete", TERM.validation())),
    change("purgeEntity", on("term", "purge", TERM.validation())),
    step("addEntity controlled", add_controlled, keep="controlled"),
    change("updateEntityStatus", on("controlled", "status", "APPROVED")),
    step("deleteEntity controlled", on("controlled", "delete", TERM.validation())),
    step("purgeEntity controlled", on("controlled", "purge", TERM.validation())),
    change("addExternalEntity", add_external, keep="external"),
    step("deleteEntity external", on("external", "delete", TERM.validation())),
    step("purgeEntity external", on("external", "purge", TERM.validation())),
)


# What other members of a cohort would send


def _guid(target: Target, what: str, number: int) -> str:
    """A guid that no server gives; another one for each size."""
    return str(uuid.uuid5(uuid.UUID(ELSEWHERE), f"{what} {len(target.terms)} {number}"))


def _header(kind: Type) -> Json:
    return {
        "type": kind.instance_type(),
        "instanceProvenanceType": "LOCAL_COHORT",
        "metadataCollectionId": ELSEWHERE,
        "metadataCollectionName": "elsewhere",
        "createdBy": "bench",
        "createTime": START_OF_2026,
        "version": 1,
        "status": "ACTIVE",
    }


def foreign_term(target: Target, number: int) -> Json:
    """A term whose home is elsewhere."""
    return {
        "class": "EntityDetail",
        **_header(TERM),
        "guid": _guid(target, "term", number),
        "properties": properties(GLOSSARY.term(3_000_000 + number)),
    }


def foreign_link(target: Target, number: int) -> Request:
    """A relationship whose home is elsewhere, from a category here to such a term."""
    category = target.call(
        Request("GET", f"/instances/entity/{a_category(target, number)}")
    )
    body = {
        "class": "Relationship",
        **_header(CATEGORIZATION),
        "guid": _guid(target, "link", number),
        "entityOneProxy": proxy(category["entity"]),
        "entityTwoProxy": proxy(foreign_term(target, number)),
        "properties": properties(GLOSSARY.categorization(3_000_000 + number)),
    }
    return Request("POST", "/instances/relationships/reference-copy", body)


def foreign_proxy(target: Target, number: int) -> Request:
    """A proxy of a term that nobody here has."""
    name = text(term_qualified_name(4_000_000 + number))
    body = {
        "class": "EntityProxy",
        **_header(TERM),
        "guid": _guid(target, "proxy", number),
        "uniqueProperties": properties({"qualifiedName": name}),
    }
    return Request("POST", "/instances/entity-proxy", body)


def with_foreign_term(path: str) -> Make:
    """A POST of a term whose home is elsewhere."""
    return lambda target, number: Request(
        "POST", f"/instances/entities/{path}", foreign_term(target, number)
    )


def with_foreign_classification(path: str) -> Make:
    """A POST of a classification of such a term."""

    def make(target: Target, number: int) -> Request:
        body = {
            "class": "ClassificationWithEntityRequest",
            "classification": {
                **classification(CONFIDENCE, {"confidence": integer(50)}),
                **_header(CONFIDENCE),
            },
            "entity": foreign_term(target, number),
        }
        return Request("POST", f"/instances/entities/classifications/{path}", body)

    return make


def on_foreign(what: str, path: str, kind: Type) -> Make:
    """A POST about an instance whose home is elsewhere."""

    def make(target: Target, number: int) -> Request:
        filled = path.format(
            guid=_guid(target, what, number), here=target.collection_id
        )
        return Request("POST", f"/instances/{filled}", kind.validation())

    return make


PURGE: Final = f"reference-copy/{{guid}}/purge?homeMetadataCollectionId={ELSEWHERE}"
RE_HOME: Final = (
    f"entity/{{guid}}/home/{ELSEWHERE}?newHomeMetadataCollectionId={{here}}"
)

COPIES: Final = (
    change("addEntityProxy", foreign_proxy),
    step("purge of the proxy", on_foreign("proxy", f"entities/{PURGE}", TERM)),
    change("saveEntityReferenceCopy", with_foreign_term("reference-copy")),
    change(
        "saveClassificationReferenceCopy",
        with_foreign_classification("reference-copy"),
    ),
    change(
        "purgeClassificationReferenceCopy",
        with_foreign_classification("reference-copy/purge"),
    ),
    change("saveRelationshipReferenceCopy", foreign_link),
    change(
        "purgeRelationshipReferenceCopy",
        on_foreign("link", f"relationships/{PURGE}", CATEGORIZATION),
    ),
    change("purgeEntityReferenceCopy", on_foreign("term", f"entities/{PURGE}", TERM)),
    step("saveEntityReferenceCopy again", with_foreign_term("reference-copy")),
    change("deleteEntityReferenceCopy", with_foreign_term("reference-copy/delete")),
    step("saveEntityReferenceCopy to re-home", with_foreign_term("reference-copy")),
    change("reHomeEntity", on_foreign("term", RE_HOME, TERM)),
    step("deleteEntity re-homed", on_foreign("term", "entity/{guid}/delete", TERM)),
    step("purgeEntity re-homed", on_foreign("term", "entity/{guid}/purge", TERM)),
)

CHANGING: Final = (*LIVES, *COPIES)
