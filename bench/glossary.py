"""A glossary of any size, the same for the same seed, and how it is loaded over REST.

One Glossary; GlossaryCategories, one for 40 terms; GlossaryTerms with the usual
properties, three in ten with a Confidentiality classification and one in twenty with a
Retention; one ToDo for twenty terms (they have the integer and date properties that
terms lack); one relationship for a term: a TermCategorization under a category (some
categories are much fuller than others), or for one in ten a SemanticAssignment from an
earlier term. One term in twenty is updated once after the load, so that there is a past
to ask for.
"""

import itertools
import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import quote

from bench.harness import BenchError, Connection, Json, Progress, RefusedError

USER = "bench"
TERMS_A_CATEGORY = 40
TERMS_A_TODO = 20
UPDATED_EVERY = 20
DAY = 86_400_000  # milliseconds
START_OF_2026 = 1_767_225_600_000


@dataclass(frozen=True, slots=True)
class Type:
    """What a request must say about a type of release 4.2."""

    name: str
    guid: str
    version: int
    category: str

    def instance_type(self) -> Json:
        """As an instance header names it."""
        return {
            "class": "InstanceType",
            "typeDefCategory": self.category,
            "typeDefGUID": self.guid,
            "typeDefName": self.name,
            "typeDefVersion": self.version,
        }

    def summary(self) -> Json:
        """As a request to change the type names it."""
        return {
            "class": "TypeDefSummary",
            "guid": self.guid,
            "name": self.name,
            "category": self.category,
            "version": self.version,
            "versionName": "1.0",
        }

    def validation(self) -> Json:
        """As a request to delete or purge an instance of it must name it."""
        return {
            "class": "TypeDefValidationForRequest",
            "typeDefGUID": self.guid,
            "typeDefName": self.name,
        }


def _entity(name: str, guid: str, version: int) -> Type:
    return Type(name, guid, version, "ENTITY_DEF")


def _relationship(name: str, guid: str) -> Type:
    return Type(name, guid, 1, "RELATIONSHIP_DEF")


def _classification(name: str, guid: str, version: int) -> Type:
    return Type(name, guid, version, "CLASSIFICATION_DEF")


ROOT: Final = _entity("Glossary", "36f66863-9726-4b41-97ee-714fd0dc6fe4", 1)
CATEGORY: Final = _entity("GlossaryCategory", "e507485b-9b5a-44c9-8a28-6967f7ff3672", 1)
TERM: Final = _entity("GlossaryTerm", "0db3e6ec-f5ef-4d75-ae38-b7ee6fd6ec0a", 2)
CONTROLLED_TERM: Final = _entity(
    "ControlledGlossaryTerm", "c04e29b2-2d66-48fc-a20d-e59895de6040", 2
)
TODO: Final = _entity("ToDo", "93dbc58d-c826-4bc2-b36f-195148d46f86", 2)
REFERENCEABLE: Final = _entity(
    "Referenceable", "a32316b8-dc8c-48c5-b12b-71c1b2a080bf", 2
)
CATEGORIZATION: Final = _relationship(
    "TermCategorization", "696a81f5-ac60-46c7-b9fd-6979a1e7ad27"
)
ASSIGNMENT: Final = _relationship(
    "SemanticAssignment", "e6670973-645f-441a-bec7-6f5570345b92"
)
CONFIDENTIALITY: Final = _classification(
    "Confidentiality", "742ddb7d-9a4a-4eb5-8ac2-1d69953bd2b6", 3
)
RETENTION: Final = _classification(
    "Retention", "83dbcdf2-9445-45d7-bb24-9fa661726553", 3
)
CONFIDENCE: Final = _classification(
    "Confidence", "25d8f8d5-2998-4983-b9ef-265f58732965", 3
)
SPINE_OBJECT: Final = _classification(
    "SpineObject", "a41ee152-de1e-4533-8535-2f8b37897cac", 1
)


# Values, in the full form: genuine equality compares the type names and guids too


def _primitive(name: str, guid: str, value: object) -> Json:
    return {
        "class": "PrimitivePropertyValue",
        "instancePropertyCategory": "PRIMITIVE",
        "typeGUID": guid,
        "typeName": name,
        "primitiveDefCategory": f"OM_PRIMITIVE_TYPE_{name.upper()}",
        "primitiveValue": value,
    }


def text(value: str) -> Json:
    """A string value."""
    return _primitive("string", "b34a64b9-554a-42b1-8f8a-7d5c2339f9c4", value)


def integer(value: int) -> Json:
    """An int value."""
    return _primitive("int", "7fc49104-fd3a-46c8-b6bf-f16b6074cd35", value)


def date(value: int) -> Json:
    """A date value, from milliseconds since 1970."""
    return _primitive("date", "1bef35ca-d4f9-48db-87c2-afce4649362d", value)


def text_map(values: Mapping[str, str]) -> Json:
    """A map<string,string> value."""
    return {
        "class": "MapPropertyValue",
        "instancePropertyCategory": "MAP",
        "typeGUID": "005c7c14-ac84-4136-beed-959401b041f8",
        "typeName": "map<string,string>",
        "mapValues": properties({key: text(value) for key, value in values.items()}),
    }


def relationship_status(ordinal: int) -> Json:
    """A TermRelationshipStatus value, from its ordinal, 0 to 3."""
    return {
        "class": "EnumPropertyValue",
        "instancePropertyCategory": "ENUM",
        "typeGUID": "42282652-7d60-435e-ad3e-7cfe5291bcc7",
        "typeName": "TermRelationshipStatus",
        "ordinal": ordinal,
        "symbolicName": ("Draft", "Active", "Deprecated", "Obsolete")[ordinal],
    }


def properties(values: Mapping[str, Json]) -> Json:
    """An InstanceProperties bean."""
    return {"class": "InstanceProperties", "instanceProperties": dict(values)}


def classification(kind: Type, values: Mapping[str, Json]) -> Json:
    """A Classification bean, as a request to create an entity takes it."""
    return {
        "class": "Classification",
        "name": kind.name,
        "type": kind.instance_type(),
        "properties": properties(values),
    }


class Glossary:
    """The content, each element from the seed and its index alone."""

    def __init__(self, seed: str = "edgenode") -> None:
        self._seed = seed
        syllables = [c + v for c in "bdfgklmnprstv" for v in "aeiou"]
        words = ["".join(three) for three in itertools.product(syllables, repeat=3)]
        self.words = random.Random(seed).sample(words, 2000)
        # As in natural text, the nth word is n times rarer than the first.
        self._weights = list(itertools.accumulate(1 / n for n in range(1, 2001)))

    def chance(self, *what: object) -> random.Random:
        """A source of chance for this element alone."""
        return random.Random(":".join(map(str, (self._seed, *what))))

    def phrase(self, chance: random.Random, count: int) -> str:
        """A text of this many words, the first one capitalised."""
        words = chance.choices(self.words, cum_weights=self._weights, k=count)
        return " ".join(words).capitalize()

    def rare_word(self, index: int) -> str:
        """A word that one term in some hundreds has in a text."""
        return self.words[200 + index * 7 % 300]

    def term_name(self, index: int) -> str:
        """The display name of a term: two to four words, some names more than once."""
        chance = self.chance("term name", index)
        return self.phrase(chance, chance.randint(2, 4))

    def term(self, index: int, edition: int = 1) -> dict[str, Json]:
        """The properties of a term; a later edition has another description."""
        chance = self.chance("term", index)
        details = {
            "owner": f"{self.phrase(chance, 2)}",
            "source system": chance.choice(("crm", "billing", "ledger", "warehouse")),
            "reviewed": f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
        }
        summary = self.phrase(chance, chance.randint(8, 15))
        usage = self.phrase(chance, chance.randint(10, 20))
        name = self.term_name(index)
        chance = self.chance("description", index, edition)
        return {
            "qualifiedName": text(term_qualified_name(index)),
            "displayName": text(name),
            "summary": text(summary),
            "description": text(self.phrase(chance, chance.randint(30, 60))),
            "abbreviation": text("".join(w[0] for w in name.split()).upper()),
            "usage": text(usage),
            "additionalProperties": text_map(details),
        }

    def term_classifications(self, index: int) -> list[Json]:
        """The classifications that a term is created with."""
        chance = self.chance("classification", index)
        made = []
        if chance.random() < 0.3:
            level = chance.choices((1, 2, 3, 4), (50, 30, 15, 5))[0]
            values = {"levelIdentifier": integer(level), "confidence": integer(100)}
            made.append(classification(CONFIDENTIALITY, values))
        if chance.random() < 0.05:
            values = {"archiveAfter": date(START_OF_2026 + chance.randrange(900) * DAY)}
            made.append(classification(RETENTION, values))
        return made

    def category(self, index: int) -> dict[str, Json]:
        """The properties of a category."""
        chance = self.chance("category", index)
        return {
            "qualifiedName": text(f"GlossaryCategory::bench::{index:06}"),
            "displayName": text(self.phrase(chance, 2)),
            "description": text(self.phrase(chance, 20)),
        }

    def category_classifications(self, index: int) -> list[Json]:
        """Every category has a Confidentiality."""
        return [
            classification(CONFIDENTIALITY, {"levelIdentifier": integer(index % 5)})
        ]

    def todo(self, index: int) -> dict[str, Json]:
        """The properties of a ToDo: it has a date and an integer, unlike a term."""
        chance = self.chance("todo", index)
        created = START_OF_2026 + chance.randrange(300) * DAY
        return {
            "qualifiedName": text(f"ToDo::bench::{index:06}"),
            "name": text(self.phrase(chance, 3)),
            "description": text(self.phrase(chance, 20)),
            "creationTime": date(created),
            "dueTime": date(created + chance.randrange(1, 60) * DAY),
            "priority": integer(chance.randrange(100)),
        }

    def categorization(self, index: int) -> dict[str, Json]:
        """The properties of the TermCategorization of a term."""
        chance = self.chance("categorization", index)
        return {
            "description": text(self.phrase(chance, 8)),
            "status": relationship_status(chance.choices(range(4), (10, 80, 7, 3))[0]),
        }

    def assignment(self, index: int) -> dict[str, Json]:
        """The properties of the SemanticAssignment to a term."""
        chance = self.chance("assignment", index)
        return {
            "description": text(self.phrase(chance, 8)),
            "expression": text(f"= {self.phrase(chance, 2)}"),
            "confidence": integer(chance.randrange(101)),
            "steward": text(chance.choice(self.words[:50])),
        }


def term_qualified_name(index: int) -> str:
    """The unique name of a term."""
    return f"GlossaryTerm::bench::{index:06}"


GLOSSARY: Final = Glossary()


# A server with the glossary on it


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

    def measure(self, request: Request) -> tuple[int, Json, int]:
        """The nanoseconds that a request takes, its answer, and the answer's bytes.

        Raises:
            RefusedError: the server answered with an error.
        """
        elapsed, body = self.connection.exchange(self.message(request))
        answer: Json = json.loads(body)
        code = answer.get("relatedHTTPCode")
        if code != 200:
            text = f"{code} {answer.get('exceptionErrorMessage', answer)}"
            raise RefusedError(text[:300])
        return elapsed, answer, len(body)

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


def connect(label: str, url: str, server: str) -> Target:
    """A target that is there and holds no term yet.

    Raises:
        BenchError: there is none, or it has terms: figures need a known content.
    """
    target = Target(label, url.rstrip("/"), server, Connection(url))
    answer = target.call(Request("GET", "/metadata-collection-id"))
    target.collection_id = answer["metadataCollectionId"]
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


def load(target: Target, size: int) -> None:
    """Bring a target up to ``size`` terms and as many relationships.

    Raises:
        BenchError: the server refused something.
    """
    first = len(target.terms)
    if first == 0:
        values = {
            "qualifiedName": text("Glossary::bench"),
            "displayName": text("Bench"),
        }
        target.call(add_entity(ROOT, values))
    categories = max(size // TERMS_A_CATEGORY, 1)
    _add(target, target.categories, categories, "categories", _category)
    _add(target, target.terms, size, "terms", _term)
    _add(target, target.todos, size // TERMS_A_TODO, "to-dos", _todo)
    _add(target, target.relationships, size, "relationships", _link)
    target.before_updates = _a_moment_later(target)
    progress = Progress(f"{target.label}: updates", size)
    for index in range(first, size):
        if updated(index):
            values = GLOSSARY.term(index, edition=2)
            target.call(update_entity(target.terms[index], values))
        progress.at(index + 1)


def _add(
    target: Target,
    guids: list[str],
    count: int,
    what: str,
    request: Callable[[Target, int], Request],
) -> None:
    progress = Progress(f"{target.label}: {what}", count)
    for index in range(len(guids), count):
        answer = target.call(request(target, index))
        guids.append((answer.get("entity") or answer["relationship"])["guid"])
        progress.at(index + 1)


def _category(_: Target, index: int) -> Request:
    classifications = GLOSSARY.category_classifications(index)
    return add_entity(CATEGORY, GLOSSARY.category(index), classifications)


def _term(_: Target, index: int) -> Request:
    classifications = GLOSSARY.term_classifications(index)
    return add_entity(TERM, GLOSSARY.term(index), classifications)


def _todo(_: Target, index: int) -> Request:
    return add_entity(TODO, GLOSSARY.todo(index))


def _link(target: Target, index: int) -> Request:
    end2 = target.terms[index]
    if index % 10 == 9:
        end1 = target.terms[GLOSSARY.chance("assigned", index).randrange(index)]
        return add_relationship(ASSIGNMENT, end1, end2, GLOSSARY.assignment(index))
    share = GLOSSARY.chance("category of", index).random() ** 1.5
    end1 = target.categories[int(share * len(target.categories))]
    return add_relationship(CATEGORIZATION, end1, end2, GLOSSARY.categorization(index))


def updated(index: int) -> bool:
    """Whether the term has a second version."""
    return index % UPDATED_EVERY == 7


def _a_moment_later(target: Target) -> int:
    """A time of the server's clock after all that it stored, and before what comes."""
    request = Request("GET", f"/instances/relationship/{target.relationships[-1]}")
    created: str = target.call(request)["relationship"]["createTime"]
    last = round(datetime.fromisoformat(created).timestamp() * 1000)
    time.sleep(0.01)
    return last + 2
