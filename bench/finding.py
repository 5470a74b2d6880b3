"""The methods that find instances: by conditions, property, value, classification."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from bench.glossary import (
    ASSIGNMENT,
    CATEGORIZATION,
    CATEGORY,
    CONFIDENTIALITY,
    DAY,
    GLOSSARY,
    START_OF_2026,
    TERM,
    TODO,
    Type,
    date,
    integer,
    properties,
    relationship_status,
    term_qualified_name,
    text,
)
from bench.harness import Json
from bench.method import Method
from bench.target import Request, Target

Match = Callable[[Target, int], Json]
Criteria = Callable[[Target, int], str]

PAGE_500: Final = {"pageSize": 500}
FROM_200: Final = {"offset": 200}
BY_NAME: Final = {
    "sequencingOrder": "PROPERTY_ASCENDING",
    "sequencingProperty": "displayName",
}
BY_DESCRIPTION: Final = {**BY_NAME, "sequencingProperty": "description"}
BY_UPDATE: Final = {"sequencingOrder": "LAST_UPDATE_RECENT"}
CLASSIFIED: Final = {"limitResultsByClassification": [CONFIDENTIALITY.name]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """One way to ask a find operation, for 20 results unless the fields differ.

    Attributes:
        operation: Its name.
        what: What is special about the request.
        path: The path after ``/instances/``.
        kind: The request's class.
        of: The type of which it finds instances; None for all types.
        match: The part of the body that differs from number to number.
        criteria: The query parameter of the same name.
        fields: Further members of the body.
        past: Whether it asks for the time before the updates.
    """

    operation: str
    what: str
    path: str
    kind: str
    of: Type | None
    match: Match | None = None
    criteria: Criteria | None = None
    fields: Mapping[str, object] = field(default_factory=dict)
    past: bool = False

    def request(self, target: Target, number: int) -> Request:
        """The request of a number."""
        body: Json = {"class": self.kind, "pageSize": 20, **self.fields}
        path = f"/instances/{self.path}"
        if self.of is not None:
            body["typeGUID"] = self.of.guid
        if self.match is not None:
            body |= self.match(target, number)
        if self.past:
            body["class"] = self.kind.replace("Find", "HistoricalFind")
            body["asOfTime"] = target.before_updates
            path += "/history"
        if self.criteria is not None:
            path += f"?searchCriteria={quote(self.criteria(target, number), safe='')}"
        return Request("POST", path, body)

    def method(self) -> Method:
        """The row of the report."""
        when = ", asOfTime" if self.past else ""
        return Method(f"{self.operation}, {self.what}{when}", self.request)


# What is looked for: texts that some terms have


def quoted(literal: str) -> str:
    """The regular expression that matches a text literally, as callers write it."""
    return f"\\Q{literal}\\E"


def containing(literal: str) -> str:
    """The regular expression that matches what contains a text."""
    return f".*{quoted(literal)}.*"


def a_name(target: Target, number: int) -> str:
    """The display name of some term."""
    return GLOSSARY.term_name(number * 7919 % len(target.terms))


def a_qualified_name(target: Target, number: int) -> str:
    """The qualified name of some term."""
    return term_qualified_name(number * 7919 % len(target.terms))


def a_rare_word(number: int) -> str:
    """What contains a word that some terms in a thousand have in a text."""
    return containing(GLOSSARY.rare_word(number))


def a_common_word(number: int) -> str:
    """What contains a word that most terms have in a description."""
    return containing(GLOSSARY.words[3 + number % 10])


def a_word_start(number: int) -> str:
    """A general expression with a literal of four letters, the start of some words."""
    return rf".*\b{GLOSSARY.rare_word(number)[:4]}\w+ \w+"


# findEntities and findRelationships: SearchProperties


def condition(name: str, operator: str, value: Json | None = None) -> Json:
    """A PropertyCondition."""
    made: Json = {"class": "PropertyCondition", "property": name, "operator": operator}
    return made if value is None else made | {"value": value}


def conditions(criteria: str, *parts: Json) -> Json:
    """A SearchProperties."""
    return {
        "class": "SearchProperties",
        "conditions": list(parts),
        "matchCriteria": criteria,
    }


def search(*parts: Json) -> Json:
    """The part of a body that asks for all of these conditions."""
    return {"matchProperties": conditions("ALL", *parts)}


def name_is(target: Target, number: int) -> Json:
    """The display name equals."""
    return search(condition("displayName", "EQ", text(a_name(target, number))))


def unique_name_is(target: Target, number: int) -> Json:
    """The qualified name equals."""
    name = text(a_qualified_name(target, number))
    return search(condition("qualifiedName", "EQ", name))


def summary_like(_: Target, number: int) -> Json:
    """The summary contains a rare word."""
    return search(condition("summary", "LIKE", text(a_rare_word(number))))


def description_like(_: Target, number: int) -> Json:
    """The description contains a common word."""
    return search(condition("description", "LIKE", text(a_common_word(number))))


def link_description_like(_: Target, number: int) -> Json:
    """The description of the relationship contains a rare word."""
    return search(condition("description", "LIKE", text(a_rare_word(number))))


def nested(_: Target, number: int) -> Json:
    """The qualified name starts with, and summary or usage contain a rare word."""
    either = conditions(
        "ANY",
        condition("summary", "LIKE", text(a_rare_word(number))),
        condition("usage", "LIKE", text(a_rare_word(number + 1))),
    )
    start = text(f"{quoted('GlossaryTerm::bench::')}.*")
    return search(
        condition("qualifiedName", "LIKE", start),
        {"class": "PropertyCondition", "nestedConditions": either},
    )


def without_examples(_: Target, number: int) -> Json:
    """No examples, and the usage contains a rare word."""
    return search(
        condition("examples", "IS_NULL"),
        condition("usage", "LIKE", text(a_rare_word(number))),
    )


def priority_above(_: Target, number: int) -> Json:
    """The integer is greater than."""
    return search(condition("priority", "GT", integer(80 + number % 15)))


def due_after(_: Target, number: int) -> Json:
    """The date is later than."""
    day = date(START_OF_2026 + (200 + number % 100) * DAY)
    return search(condition("dueTime", "GT", day))


def confidence_above(_: Target, number: int) -> Json:
    """The integer of the relationship is greater than."""
    return search(condition("confidence", "GT", integer(70 + number % 25)))


def status_is(_: Target, number: int) -> Json:
    """The enum of the relationship equals."""
    return search(condition("status", "EQ", relationship_status(number % 4)))


def confidential(_: Target, number: int) -> Json:
    """A property of a classification equals."""
    level = condition("levelIdentifier", "EQ", integer(number % 5))
    wanted = {
        "class": "ClassificationCondition",
        "name": CONFIDENTIALITY.name,
        "matchProperties": conditions("ALL", level),
    }
    return {
        "matchClassifications": {
            "class": "SearchClassifications",
            "matchCriteria": "ALL",
            "conditions": [wanted],
        }
    }


def find_entities(
    what: str,
    match: Match | None = None,
    fields: Mapping[str, object] | None = None,
    *,
    of: Type = TERM,
    past: bool = False,
) -> Method:
    """A findEntities."""
    return Find(
        operation="findEntities",
        what=what,
        path="entities",
        kind="EntityFindRequest",
        of=of,
        match=match,
        fields=fields or {},
        past=past,
    ).method()


def find_relationships(
    what: str,
    match: Match,
    fields: Mapping[str, object] | None = None,
    *,
    of: Type = CATEGORIZATION,
    past: bool = False,
) -> Method:
    """A findRelationships."""
    return Find(
        operation="findRelationships",
        what=what,
        path="relationships",
        kind="InstanceFindRequest",
        of=of,
        match=match,
        fields=fields or {},
        past=past,
    ).method()


# By property: InstanceProperties and a match criterion


def has(criteria: str, values: Mapping[str, Json]) -> Json:
    """The part of a body that asks for these properties."""
    return {"matchProperties": properties(values), "matchCriteria": criteria}


def has_unique_name(target: Target, number: int) -> Json:
    """Exactly this qualified name."""
    name = text(quoted(a_qualified_name(target, number)))
    return has("ALL", {"qualifiedName": name})


def has_name(target: Target, number: int) -> Json:
    """Exactly this display name."""
    return has("ALL", {"displayName": text(quoted(a_name(target, number)))})


def has_name_start(target: Target, number: int) -> Json:
    """A display name that starts like this."""
    start = quoted(a_name(target, number)[:9])
    return has("ALL", {"displayName": text(f"{start}.*")})


def has_rare_word(_: Target, number: int) -> Json:
    """A rare word in the description."""
    return has("ALL", {"description": text(a_rare_word(number))})


def has_rare_word_any_case(_: Target, number: int) -> Json:
    """A rare word in the description, asked for in capitals, in any case."""
    word = containing(GLOSSARY.rare_word(number).upper())
    return has("ALL", {"description": text(f"(?i){word}")})


def has_common_word(_: Target, number: int) -> Json:
    """A common word in the description."""
    return has("ALL", {"description": text(a_common_word(number))})


def has_word_start(_: Target, number: int) -> Json:
    """A summary that matches an expression with a literal part."""
    return has("ALL", {"summary": text(a_word_start(number))})


def has_shape(_: Target, number: int) -> Json:
    """A display name that matches an expression without a literal part."""
    letter = "bdfgklmnprst"[number % 12]
    return has("ALL", {"displayName": text(rf"[A-M]\w+ {letter}[aeiou]\w+")})


def has_either(_: Target, number: int) -> Json:
    """A rare word in the summary or in the usage."""
    word = text(a_rare_word(number))
    return has("ANY", {"summary": word, "usage": word})


def has_neither(_: Target, number: int) -> Json:
    """A common word neither in the summary nor in the usage."""
    word = text(a_common_word(number))
    return has("NONE", {"summary": word, "usage": word})


def has_level(_: Target, number: int) -> Json:
    """A property of the classification."""
    return has("ALL", {"levelIdentifier": integer(1 + number % 4)})


def has_status(_: Target, number: int) -> Json:
    """An enum of the relationship."""
    return has("ALL", {"status": relationship_status(number % 4)})


def by_property(
    what: str,
    match: Match,
    fields: Mapping[str, object] | None = None,
    *,
    past: bool = False,
) -> Method:
    """A findEntitiesByProperty."""
    return Find(
        operation="findEntitiesByProperty",
        what=what,
        path="entities/by-property",
        kind="EntityPropertyFindRequest",
        of=TERM,
        match=match,
        fields=fields or {},
        past=past,
    ).method()


def relationships_by_property(
    what: str,
    match: Match,
    fields: Mapping[str, object] | None = None,
    *,
    past: bool = False,
) -> Method:
    """A findRelationshipsByProperty."""
    return Find(
        operation="findRelationshipsByProperty",
        what=what,
        path="relationships/by-property",
        kind="PropertyMatchFindRequest",
        of=CATEGORIZATION,
        match=match,
        fields=fields or {},
        past=past,
    ).method()


def by_classification(
    what: str,
    match: Match | None = None,
    fields: Mapping[str, object] | None = None,
    *,
    past: bool = False,
) -> Method:
    """A findEntitiesByClassification."""
    return Find(
        operation="findEntitiesByClassification",
        what=what,
        path=f"entities/by-classification/{CONFIDENTIALITY.name}",
        kind="PropertyMatchFindRequest",
        of=TERM,
        match=match,
        fields=fields or {},
        past=past,
    ).method()


# By property value: a searchCriteria parameter


def value_is(target: Target, number: int) -> str:
    """Exactly the display name of some term."""
    return quoted(a_name(target, number))


def value_start(target: Target, number: int) -> str:
    """What ten qualified names start with."""
    return f"{quoted(a_qualified_name(target, number)[:-1])}.*"


def value_has_rare_word(_: Target, number: int) -> str:
    """What contains a rare word."""
    return a_rare_word(number)


def value_has_common_word(_: Target, number: int) -> str:
    """What contains a common word."""
    return a_common_word(number)


def value_has_word_start(_: Target, number: int) -> str:
    """What matches an expression with a literal part."""
    return a_word_start(number)


def by_value(
    what: str,
    criteria: Criteria,
    fields: Mapping[str, object] | None = None,
    *,
    of: Type | None = TERM,
    past: bool = False,
) -> Method:
    """A findEntitiesByPropertyValue."""
    return Find(
        operation="findEntitiesByPropertyValue",
        what=what,
        path="entities/by-property-value",
        kind="EntityPropertyFindRequest",
        of=of,
        criteria=criteria,
        fields=fields or {},
        past=past,
    ).method()


def relationships_by_value(
    what: str, criteria: Criteria, *, past: bool = False
) -> Method:
    """A findRelationshipsByPropertyValue."""
    return Find(
        operation="findRelationshipsByPropertyValue",
        what=what,
        path="relationships/by-property-value",
        kind="TypeLimitedFindRequest",
        of=CATEGORIZATION,
        criteria=criteria,
        past=past,
    ).method()


FINDING: Final = (
    find_entities("EQ unique name", unique_name_is),
    find_entities("EQ name", name_is),
    find_entities("LIKE contains, rare", summary_like),
    find_entities("LIKE contains, common", description_like),
    find_entities("LIKE contains, common, page 500", description_like, PAGE_500),
    find_entities("LIKE contains, common, from 200", description_like, FROM_200),
    find_entities("LIKE contains, common, by name", description_like, BY_NAME),
    find_entities("LIKE contains, common, by update", description_like, BY_UPDATE),
    find_entities("nested ANY in ALL", nested),
    find_entities("IS_NULL and LIKE contains", without_examples),
    find_entities("GT int", priority_above, of=TODO),
    find_entities("GT date", due_after, of=TODO),
    # Genuine Egeria fails where a candidate has no classification: categories all have.
    find_entities("classification condition", confidential, of=CATEGORY),
    find_entities("all of the type"),
    find_entities("all of the type, page 500", None, PAGE_500),
    find_entities("all of the type, by name", None, BY_NAME),
    find_entities("all of the type, by update", None, BY_UPDATE),
    find_entities("EQ unique name", unique_name_is, past=True),
    find_entities("LIKE contains, rare", summary_like, past=True),
    find_entities("nested ANY in ALL", nested, past=True),
    by_property("exact unique name", has_unique_name),
    by_property("exact name", has_name),
    by_property("starts with", has_name_start),
    by_property("contains, rare", has_rare_word),
    by_property("contains, rare, any case", has_rare_word_any_case),
    by_property("contains, common", has_common_word),
    by_property("contains, common, page 500", has_common_word, PAGE_500),
    by_property("contains, common, by name", has_common_word, BY_NAME),
    by_property("contains, common, by update", has_common_word, BY_UPDATE),
    by_property("contains, common, classified", has_common_word, CLASSIFIED),
    by_property("regex with a literal", has_word_start),
    by_property("regex without a literal", has_shape),
    by_property("ANY of two, contains", has_either),
    by_property("NONE of two, contains", has_neither),
    by_property("exact unique name", has_unique_name, past=True),
    by_property("contains, rare", has_rare_word, past=True),
    by_property("contains, common, by name", has_common_word, BY_NAME, past=True),
    by_value("exact", value_is),
    by_value("starts with", value_start),
    by_value("contains, rare", value_has_rare_word),
    by_value("contains, common", value_has_common_word),
    by_value("contains, common, page 500", value_has_common_word, PAGE_500),
    by_value("contains, common, by name", value_has_common_word, BY_NAME),
    by_value("contains, common, by update", value_has_common_word, BY_UPDATE),
    by_value("regex with a literal", value_has_word_start),
    by_value("exact", value_is, past=True),
    by_value("contains, rare", value_has_rare_word, past=True),
    by_value("any type, exact", value_is, of=None),
    by_value("any type, contains, rare", value_has_rare_word, of=None),
    by_classification("page 20"),
    by_classification("page 500", None, PAGE_500),
    by_classification("by property of it", has_level),
    by_classification("by name", None, BY_NAME),
    by_classification("by update", None, BY_UPDATE),
    by_classification("page 20", past=True),
    find_relationships("EQ enum", status_is),
    find_relationships("EQ enum, page 500", status_is, PAGE_500),
    find_relationships("EQ enum, by description", status_is, BY_DESCRIPTION),
    find_relationships("EQ enum, by update", status_is, BY_UPDATE),
    find_relationships("LIKE contains", link_description_like),
    find_relationships("GT int", confidence_above, of=ASSIGNMENT),
    find_relationships("LIKE contains", link_description_like, past=True),
    relationships_by_property("contains", has_rare_word),
    relationships_by_property("enum", has_status),
    relationships_by_property("enum, page 500", has_status, PAGE_500),
    relationships_by_property("contains", has_rare_word, past=True),
    relationships_by_value("contains", value_has_rare_word),
    relationships_by_value("contains", value_has_rare_word, past=True),
)
