"""A glossary of any size, the same for the same seed.

One Glossary; GlossaryCategories, one for 40 terms; GlossaryTerms with the usual
properties, three in ten with a Confidentiality classification and one in twenty with a
Retention; one ToDo for twenty terms (they have the integer and date properties that
terms lack); one relationship for a term: a TermCategorization under a category (some
categories are much fuller than others), or for one in ten a SemanticAssignment from an
earlier term. One term in twenty is updated once after the load, so that there is a past
to ask for.
"""

import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bench.harness import Json

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


def updated(index: int) -> bool:
    """Whether the term has a second version."""
    return index % UPDATED_EVERY == 7


GLOSSARY: Final = Glossary()
