"""What the tests have members do with glossary terms, and how they wait for the others."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

from tests.egeria.harness.errors import EgeriaError
from tests.egeria.harness.member import Member

WAIT_SECONDS = 60.0
POLL_SECONDS = 0.1

TERM = "0db3e6ec-f5ef-4d75-ae38-b7ee6fd6ec0a", "GlossaryTerm"
CONTROLLED_TERM = "c04e29b2-2d66-48fc-a20d-e59895de6040", "ControlledGlossaryTerm"
RELATED_TERM = "b1161696-e563-4cf9-9fd9-c0c76e47d063", "RelatedTerm"
STRING = "b34a64b9-554a-42b1-8f8a-7d5c2339f9c4", "string"
INTEGER = "7fc49104-fd3a-46c8-b6bf-f16b6074cd35", "int"

Json = dict[str, Any]
Found = TypeVar("Found")


def until(look: Callable[[], Found], what: str = "") -> Found:
    """The first thing that is found and not empty, 0, None or False.

    What isn't there yet may be refused.
    """
    end = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            found, refusal = look(), None
        except (EgeriaError, OSError) as error:
            refusal = error
        else:
            if found:
                return found
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain {what}") from refusal
        time.sleep(POLL_SECONDS)


def fresh_name(kind: str) -> str:
    """A name that nothing else has."""
    return f"{kind}-{uuid4().hex[:8]}"


def value(of: str | int) -> Json:
    """A property's value on the wire."""
    kind = INTEGER if isinstance(of, int) else STRING
    return {
        "class": "PrimitivePropertyValue",
        "instancePropertyCategory": "PRIMITIVE",
        "typeGUID": kind[0],
        "typeName": kind[1],
        "primitiveDefCategory": f"OM_PRIMITIVE_TYPE_{kind[1].upper()}",
        "primitiveValue": of,
    }


def properties(**values: str | int) -> Json:
    """Properties on the wire."""
    return {
        "class": "InstanceProperties",
        "instanceProperties": {name: value(of) for name, of in values.items()},
    }


def plain(instance: Json) -> dict[str, Any]:
    """The plain values of an instance's or classification's properties."""
    found = (instance.get("properties") or {}).get("instanceProperties") or {}
    return {name: each.get("primitiveValue") for name, each in found.items()}


def classifications(entity: Json) -> dict[str, Json]:
    """An entity's classifications by their names."""
    return {each["name"]: each for each in entity.get("classifications") or ()}


@dataclass(frozen=True, slots=True)
class Metadata:
    """The metadata that one member answers for.

    Attributes:
        member: Who is asked.
        scope: Empty for its own repository; ``enterprise/`` for the whole cohort's.
    """

    member: Member
    scope: str = ""

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask; ``path`` is below ``instances/``."""
        return self.member.omrs(method, f"{self.scope}instances/{path}", body)

    # entities

    def add(self, kind: tuple[str, str] = TERM, /, **values: str | int) -> Json:
        """A new entity."""
        body = {
            "class": "EntityCreateRequest",
            "entityTypeGUID": kind[0],
            "initialProperties": properties(**values),
        }
        return _dict(self.ask("POST", "entity", body)["entity"])

    def add_external(self, source: str, **values: str | int) -> Json:
        """A new term that belongs to a source outside of the cohort."""
        body = {
            "class": "EntityCreateRequest",
            "entityTypeGUID": TERM[0],
            "metadataCollectionId": source,
            "metadataCollectionName": "outside",
            "initialProperties": properties(**values),
        }
        return _dict(self.ask("POST", "entity/external", body)["entity"])

    def entity(self, guid: str) -> Json | None:
        """An entity; None where there is none."""
        try:
            return _dict(self.ask("GET", f"entity/{guid}")["entity"])
        except EgeriaError as error:
            if error.code in {400, 404}:
                return None
            raise

    def known(self, guid: str) -> Json | None:
        """An entity, deleted or not."""
        found: Json | None = self.ask("GET", f"entity/{guid}/existence").get("entity")
        return found

    def named(self, name: str, kind: tuple[str, str] = TERM) -> dict[str, Json]:
        """The entities with a qualified name, an expression, by their ids."""
        body = {
            "class": "EntityPropertyFindRequest",
            "typeGUID": kind[0],
            "matchProperties": properties(qualifiedName=name),
            "matchCriteria": "ALL",
            "offset": 0,
            "pageSize": 0,
        }
        found = self.ask("POST", "entities/by-property", body).get("entities")
        return {each["guid"]: each for each in found or ()}

    def change(self, guid: str, **values: str | int) -> Json:
        """Other properties for an entity."""
        body = {
            "class": "InstancePropertiesRequest",
            "instanceProperties": properties(**values),
        }
        path = f"entity/{guid}/properties"
        return _dict(self.ask("POST", path, body)["entity"])

    def undo(self, guid: str) -> Json:
        """Take back an entity's last change."""
        return _dict(self.ask("GET", f"entity/{guid}/previous")["entity"])

    def delete(self, guid: str, kind: tuple[str, str] = TERM) -> Json:
        """Delete an entity."""
        path = f"entity/{guid}/delete"
        return _dict(self.ask("POST", path, _of_type(kind))["entity"])

    def restore(self, guid: str) -> Json:
        """Bring a deleted entity back."""
        return _dict(self.ask("GET", f"entity/{guid}/restore")["entity"])

    def purge(self, guid: str, kind: tuple[str, str] = TERM) -> None:
        """Remove a deleted entity for good."""
        self.ask("POST", f"entity/{guid}/purge", _of_type(kind))

    def re_identify(self, guid: str, new_guid: str) -> Json:
        """Another id for an entity."""
        path = f"entity/{guid}/identity?newEntityGUID={new_guid}"
        return _dict(self.ask("POST", path, _of_type(TERM))["entity"])

    def re_type(self, guid: str, old: tuple[str, str], new: tuple[str, str]) -> Json:
        """Another type for an entity."""
        body = {
            "class": "TypeDefChangeRequest",
            "currentTypeDef": self._type(old),
            "newTypeDef": self._type(new),
        }
        return _dict(self.ask("POST", f"entity/{guid}/type", body)["entity"])

    def re_home(self, entity: Json) -> Json:
        """Make this member an entity's home."""
        path = (
            f"entity/{entity['guid']}/home/{entity['metadataCollectionId']}"
            f"?newHomeMetadataCollectionId={self.member.collection_id}"
            f"&newHomeMetadataCollectionName={self.member.name}"
        )
        return _dict(self.ask("POST", path, _of_type(TERM))["entity"])

    def _type(self, kind: tuple[str, str]) -> Json:
        answer = self.member.omrs("GET", f"types/typedef/name/{kind[1]}")["typeDef"]
        names = ("guid", "name", "category", "version", "versionName")
        return {"class": "TypeDefSummary", **{name: answer[name] for name in names}}

    # classifications

    def classify(self, guid: str, name: str, **values: str | int) -> Json:
        """A new classification of an entity."""
        body = {
            "class": "InstancePropertiesRequest",
            "instanceProperties": properties(**values),
        }
        path = f"entity/{guid}/classification/{name}"
        return _dict(self.ask("POST", path, body)["entity"])

    def classify_by_proxy(self, entity: Json, name: str, **values: str | int) -> Json:
        """A new classification of an entity that needn't be known."""
        kept = ("type", "metadataCollectionId", "metadataCollectionName", "guid")
        proxy = {
            "class": "EntityProxy",
            "instanceProvenanceType": "LOCAL_COHORT",
            **{field: entity[field] for field in kept},
            "createTime": entity["createTime"],
            "version": entity["version"],
            "status": entity["status"],
        }
        body = {
            "class": "ProxyClassificationRequest",
            "entityProxy": proxy,
            "instanceProperties": properties(**values),
        }
        answer = self.ask("POST", f"entity/classification/{name}", body)
        return _dict(answer["classification"])

    def reclassify(self, guid: str, name: str, **values: str | int) -> Json:
        """Other properties for a classification."""
        body = {
            "class": "InstancePropertiesRequest",
            "instanceProperties": properties(**values),
        }
        path = f"entity/{guid}/classification/{name}/properties"
        return _dict(self.ask("POST", path, body)["entity"])

    def declassify(self, guid: str, name: str) -> Json:
        """Take a classification away."""
        body = {"class": "OMRSAPIRequest"}
        path = f"entity/{guid}/classification/{name}/delete"
        return _dict(self.ask("POST", path, body)["entity"])

    # relationships

    def relate(self, one: str, two: str, **values: str | int) -> Json:
        """A new relationship of two terms."""
        body = {
            "class": "RelationshipCreateRequest",
            "relationshipTypeGUID": RELATED_TERM[0],
            "initialProperties": properties(**values),
            "entityOneGUID": one,
            "entityTwoGUID": two,
        }
        return _dict(self.ask("POST", "relationship", body)["relationship"])

    def relationship(self, guid: str) -> Json | None:
        """A relationship; None where there is none."""
        try:
            return _dict(self.ask("GET", f"relationship/{guid}")["relationship"])
        except EgeriaError as error:
            if error.code in {400, 404}:
                return None
            raise

    def known_relationship(self, guid: str) -> Json | None:
        """A relationship, deleted or not."""
        answer = self.ask("GET", f"relationship/{guid}/existence")
        found: Json | None = answer.get("relationship")
        return found

    def relationships(self, guid: str) -> dict[str, Json]:
        """An entity's relationships, by their ids."""
        body = {"class": "TypeLimitedFindRequest", "offset": 0, "pageSize": 0}
        answer = self.ask("POST", f"entity/{guid}/relationships", body)
        return {each["guid"]: each for each in answer.get("relationships") or ()}

    def change_relationship(self, guid: str, **values: str | int) -> Json:
        """Other properties for a relationship."""
        body = {
            "class": "InstancePropertiesRequest",
            "instanceProperties": properties(**values),
        }
        path = f"relationship/{guid}/properties"
        return _dict(self.ask("POST", path, body)["relationship"])

    def undo_relationship(self, guid: str) -> Json:
        """Take back a relationship's last change."""
        return _dict(self.ask("GET", f"relationship/{guid}/previous")["relationship"])

    def delete_relationship(self, guid: str) -> Json:
        """Delete a relationship."""
        path = f"relationship/{guid}/delete"
        return _dict(self.ask("POST", path, _of_type(RELATED_TERM))["relationship"])

    def restore_relationship(self, guid: str) -> Json:
        """Bring a deleted relationship back."""
        return _dict(self.ask("GET", f"relationship/{guid}/restore")["relationship"])

    def purge_relationship(self, guid: str) -> None:
        """Remove a deleted relationship for good."""
        self.ask("POST", f"relationship/{guid}/purge", _of_type(RELATED_TERM))

    def re_identify_relationship(self, guid: str, new_guid: str) -> Json:
        """Another id for a relationship."""
        path = f"relationship/{guid}/identity?newRelationshipGUID={new_guid}"
        return _dict(self.ask("POST", path, _of_type(RELATED_TERM))["relationship"])

    def re_home_relationship(self, relationship: Json) -> Json:
        """Make this member a relationship's home."""
        path = (
            f"relationship/{relationship['guid']}"
            f"/home/{relationship['metadataCollectionId']}"
            f"?newHomeMetadataCollectionId={self.member.collection_id}"
            f"&newHomeMetadataCollectionName={self.member.name}"
        )
        return _dict(self.ask("POST", path, _of_type(RELATED_TERM))["relationship"])


def _of_type(kind: tuple[str, str]) -> Json:
    return {
        "class": "TypeDefValidationForRequest",
        "typeDefGUID": kind[0],
        "typeDefName": kind[1],
    }


def _dict(found: Any) -> Json:
    assert isinstance(found, dict)
    return found
