"""A server that is measured, and the requests that make its content."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from bench.glossary import TERM, Type, properties
from bench.harness import BenchError, Connection, Json, RefusedError

USER = "bench"


@dataclass(frozen=True, slots=True)
class Request:
    """An OMRS request; the path is the part after ``/users/{userId}``."""

    method: str
    path: str
    body: object = None


@dataclass(slots=True)
class Target:
    """One server that is measured, and the guids it gave to what was loaded.

    Attributes:
        label: What the report calls it.
        before_updates: A moment after the load and before the updates, in ms since
            1970, by the server's clock.
        made: The answers to changing requests that later requests build on, by name
            and index.
    """

    label: str
    url: str
    server: str
    connection: Connection
    collection_id: str = ""
    categories: list[str] = field(default_factory=list)
    terms: list[str] = field(default_factory=list)
    todos: list[str] = field(default_factory=list)
    relationships: list[str] = field(default_factory=list)
    before_updates: int = 0
    made: dict[tuple[str, int], Json] = field(default_factory=dict)

    def message(self, request: Request) -> bytes:
        """The bytes of a request to this server."""
        base = f"/servers/{quote(self.server)}/open-metadata/repository-services"
        path = f"{base}/users/{USER}{request.path}"
        body = None if request.body is None else json.dumps(request.body).encode()
        return self.connection.message(request.method, path, body)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def measure(self, request: Request) -> tuple[int, Json, int]:
        """The nanoseconds that a request takes, its answer, and the answer's bytes.

        Raises:
            RefusedError: the server answered with an error.
        """
        elapsed, body = self.connection.exchange(self.message(request))
        return elapsed, answered(body), len(body)

    def call(self, request: Request) -> Json:
        """The answer of a request that must not fail.

        Raises:
            BenchError: it did.
        """
        try:
            return self.measure(request)[1]
        except RefusedError as error:
            message = f"{self.label}: {request.method} {request.path}: {error}"
            raise BenchError(message) from error


def answered(body: bytes) -> Json:
    """The answer in a body.

    Raises:
        RefusedError: It is an error.
    """
    answer: Json = json.loads(body)
    code = answer.get("relatedHTTPCode")
    if code != 200:
        text = f"{code} {answer.get('exceptionErrorMessage', answer)}"
        raise RefusedError(text[:300])
    return answer


def attach(label: str, url: str, server: str) -> Target:
    """A server that is there.

    Raises:
        BenchError: There is none.
    """
    target = Target(label, url.rstrip("/"), server, Connection(url))
    answer = target.call(Request("GET", "/metadata-collection-id"))
    target.collection_id = answer["metadataCollectionId"]
    return target


def moved(target: Target, url: str) -> Target:
    """What is known of a server, at the address where its data is now."""
    found = attach(target.label, url, target.server)
    found.categories, found.terms = target.categories, target.terms
    found.todos, found.relationships = target.todos, target.relationships
    found.before_updates = target.before_updates
    return found


def connect(label: str, url: str, server: str) -> Target:
    """A server that is there and holds no term yet.

    Raises:
        BenchError: There is none, or it has terms: figures need a known content.
    """
    target = attach(label, url, server)
    body = {"class": "EntityFindRequest", "typeGUID": TERM.guid, "pageSize": 1}
    if target.call(Request("POST", "/instances/entities", body)).get("entities"):
        raise BenchError(f"{label}: {server} has terms already; give an empty server")
    return target


def add_entity(
    kind: Type, values: Mapping[str, Json], classifications: list[Json] | None = None
) -> Request:
    """The request that creates an entity."""
    body: Json = {
        "class": "EntityCreateRequest",
        "entityTypeGUID": kind.guid,
        "initialProperties": properties(values),
        "initialStatus": "ACTIVE",
    }
    if classifications:
        body["initialClassifications"] = classifications
    return Request("POST", "/instances/entity", body)


def add_relationship(
    kind: Type, end1: str, end2: str, values: Mapping[str, Json]
) -> Request:
    """The request that creates a relationship between two entities, by their guids."""
    body = {
        "class": "RelationshipCreateRequest",
        "relationshipTypeGUID": kind.guid,
        "entityOneGUID": end1,
        "entityTwoGUID": end2,
        "initialProperties": properties(values),
        "initialStatus": "ACTIVE",
    }
    return Request("POST", "/instances/relationship", body)


def new_values(values: Mapping[str, Json]) -> Json:
    """The body that gives an instance or classification these properties."""
    return {
        "class": "InstancePropertiesRequest",
        "instanceProperties": properties(values),
    }


def update_entity(guid: str, values: Mapping[str, Json]) -> Request:
    """The request that replaces the properties of an entity."""
    return Request("POST", f"/instances/entity/{guid}/properties", new_values(values))
