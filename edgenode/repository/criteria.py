"""Search conditions as SQL over the index.

A condition becomes an expression about the instance in the row ``i``. It looks at rows
of ``property`` only: those in force at the time that the search asks about.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

from edgenode.clock import EpochMillis
from edgenode.codec.beans import iso_time
from edgenode.errors import SearchTooLargeError
from edgenode.instances.conditions import (
    AnyText,
    Classified,
    Combined,
    Compares,
    Condition,
    Contains,
    Equals,
    Header,
    HeaderField,
    MatchCriteria,
    Matches,
    OneOf,
    Present,
    Property,
    PropertyComparisonOperator,
    ValueTest,
)
from edgenode.instances.matching import in_code_units
from edgenode.instances.patterns import (
    PatternKind,
    TextPattern,
    fold_ascii,
    matches,
    parse_pattern,
)
from edgenode.instances.properties import InstancePropertyValue
from edgenode.limits import MAX_SEARCH_SIZE, SEARCH_TEXT_SECONDS
from edgenode.repository.index import (
    CLASSIFICATION_KEY,
    HEADER_SCOPE,
    OWN_SCOPE,
    Field,
)
from edgenode.repository.values import (
    HEAD_CHARACTERS,
    Content,
    Scalar,
    holds,
    indexed_value,
    nested_content,
    split_text,
    strings_within,
)

NEVER = "0"
ALWAYS = "1"

IS_TEXT = f"p.shape_id & 7 IN ({Content.TEXT:d}, {Content.ENUM:d})"
IS_COLLECTION = f"p.shape_id & 7 >= {Content.MAP:d}"
TEXT = "CASE WHEN p.tail IS NULL THEN p.head ELSE p.head || p.tail END"

_OPERATORS = {
    PropertyComparisonOperator.LT: "<",
    PropertyComparisonOperator.LTE: "<=",
    PropertyComparisonOperator.GT: ">",
    PropertyComparisonOperator.GTE: ">=",
}
_ORIGIN_COLUMNS = {
    HeaderField.METADATA_COLLECTION_ID: "metadata_collection_id",
    HeaderField.METADATA_COLLECTION_NAME: "metadata_collection_name",
    HeaderField.TYPE_NAME: "type_name",
    HeaderField.TYPE_GUID: "type_guid",
    HeaderField.CREATED_BY: "created_by",
    HeaderField.UPDATED_BY: "updated_by",
}
_TIME_FIELDS = {
    HeaderField.CREATE_TIME: Field.CREATE_TIME,
    HeaderField.UPDATE_TIME: Field.UPDATE_TIME,
    HeaderField.EFFECTIVE_FROM: Field.EFFECTIVE_FROM,
    HeaderField.EFFECTIVE_TO: Field.EFFECTIVE_TO,
}

_CLASSIFICATION_FIELDS = {
    HeaderField.METADATA_COLLECTION_ID: "$.metadataCollectionId",
    HeaderField.METADATA_COLLECTION_NAME: "$.metadataCollectionName",
    HeaderField.TYPE_NAME: "$.type.typeDefName",
    HeaderField.TYPE_GUID: "$.type.typeDefGUID",
    HeaderField.CREATED_BY: "$.createdBy",
    HeaderField.UPDATED_BY: "$.updatedBy",
    HeaderField.CREATE_TIME: "$.createTime",
    HeaderField.UPDATE_TIME: "$.updateTime",
    HeaderField.EFFECTIVE_FROM: "$.properties.effectiveFromTime",
    HeaderField.EFFECTIVE_TO: "$.properties.effectiveToTime",
}


def prepare(connection: sqlite3.Connection) -> None:
    """Give a connection the functions that the conditions call."""

    def stopping(function: Callable[[str, str], bool]) -> Callable[[str, str], int]:
        def call(pattern: str, text: str) -> int:
            try:
                return function(pattern, text)
            except TimeoutError:
                connection.interrupt()  # the whole search
                return 0

        return call

    add = connection.create_function
    add("text_matches", 2, stopping(_text_matches), deterministic=True)
    add("text_within_matches", 2, stopping(_text_within_matches), deterministic=True)
    add("holds", 2, _holds, deterministic=True)
    add("in_code_units", 1, in_code_units, deterministic=True)


_parsed = lru_cache(maxsize=16)(
    parse_pattern
)  # the few patterns of the searches under way


def _text_matches(source: str, text: str) -> bool:
    return matches(_parsed(source), text, SEARCH_TEXT_SECONDS)


def _text_within_matches(source: str, tail: str) -> bool:
    pattern = _parsed(source)
    return any(
        matches(pattern, text, SEARCH_TEXT_SECONDS)
        for text in strings_within(json.loads(tail), typed=True)
    )


def _holds(whole: str, part: str) -> bool:
    return holds(json.loads(whole), json.loads(part))


def all_of(tests: Iterable[str]) -> str:
    """All of these expressions hold."""
    return _joined(" AND ", ALWAYS, tests)


def any_of(tests: Iterable[str]) -> str:
    """One of these expressions holds."""
    return _joined(" OR ", NEVER, tests)


def _joined(operator: str, empty: str, tests: Iterable[str]) -> str:
    """A balanced tree: SQLite limits how deep an expression is."""
    parts = list(tests)
    if not parts:
        return empty
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    sides = (_joined(operator, empty, side) for side in (parts[:half], parts[half:]))
    return f"({operator.join(sides)})"


def _combined(criteria: MatchCriteria, tests: Iterable[str]) -> str:
    match criteria:
        case MatchCriteria.ALL:
            return all_of(tests)
        case MatchCriteria.ANY:
            return any_of(tests)
        case MatchCriteria.NONE:
            return f"NOT {any_of(tests)}"


def after_prefix(prefix: str) -> str | None:
    """The least text that is more than all that start with the prefix, if there is one."""
    for last in range(len(prefix) - 1, -1, -1):
        following = ord(prefix[last]) + 1
        if following == 0xD800:  # these are no characters
            following = 0xE000
        if following <= 0x10FFFF:
            return prefix[:last] + chr(following)
    return None


class Criteria:
    """Compiles the conditions of one search.

    Attributes:
        parameters: The values of the parameters in all the SQL that it made.
    """

    def __init__(
        self, id_of: Callable[[str], int | None], as_of_time: EpochMillis | None
    ) -> None:
        self.parameters: dict[str, Scalar] = {}
        self._bound: dict[tuple[type, Scalar], str] = {}
        self._size = 0
        self._id_of = id_of
        self.is_past = as_of_time is not None
        if as_of_time is not None:
            self.parameters["time"] = as_of_time

    def bind(self, value: Scalar) -> str:
        """A parameter with this value.

        Raises:
            SearchTooLargeError: The search has too many values and conditions.
        """
        # 1, 1.0 and True are equal as keys, but not the same to SQLite.
        name = self._bound.get((type(value), value))
        if name is None:
            self._grow()
            name = f"p{len(self.parameters)}"
            self.parameters[name] = value
            self._bound[type(value), value] = name
        return f":{name}"

    def _grow(self) -> None:
        self._size += 1
        if self._size > MAX_SEARCH_SIZE:
            raise SearchTooLargeError(MAX_SEARCH_SIZE)

    # conditions

    def holds(self, condition: Condition, scope: int = OWN_SCOPE) -> str:
        """The condition holds for ``i``, or for its classification ``scope``."""
        match condition:
            case Property(name, test):
                key = self._id_of(name)
                return NEVER if key is None else self._has(scope, key, test)
            case AnyText(pattern):
                return self._row_exists(scope, "p.key_id > 0", self._any_text(pattern))
            case Header(field, wanted):
                if scope != OWN_SCOPE:
                    return self._classification_has(scope, field, wanted)
                return self._has_header(field, wanted)
            case Classified(name, inner):
                name_id = self._id_of(name)
                if name_id is None or scope != OWN_SCOPE:
                    return NEVER
                return self._is_classified(name_id, inner)
            case Combined(criteria, conditions):
                tests = (self.holds(each, scope) for each in conditions)
                return _combined(criteria, tests)

    def _has(self, scope: int, key: int, test: ValueTest) -> str:
        return self._row_exists(scope, f"p.key_id = {key}", self.passes(key, test))

    def _has_header(self, field: HeaderField, wanted: TextPattern | EpochMillis) -> str:
        key, test = self.header_test(field, wanted)
        return self._row_exists(HEADER_SCOPE, f"p.key_id = {key:d}", test)

    def _classification_has(
        self, scope: int, field: HeaderField, wanted: TextPattern | EpochMillis
    ) -> str:
        """A header field of a classification, which stands in documents alone.

        So this is for few instances: those that have the classification.
        """
        self._grow()
        value = f"json_extract(c.value, '{_CLASSIFICATION_FIELDS[field]}')"
        if isinstance(wanted, TextPattern):
            if field in _TIME_FIELDS:
                return NEVER
            test = self._matches(wanted, value)
        elif field in _TIME_FIELDS:
            test = f"{value} = {self.bind(iso_time(wanted))}"
        else:
            return NEVER
        return (
            "EXISTS (SELECT 1 FROM version d,"
            " json_each(CAST(d.document AS TEXT), '$.classifications') c"
            " WHERE d.seq = i.seq AND json_extract(c.value, '$.name')"
            f" = (SELECT text FROM name WHERE id = {scope:d}) AND {test})"
        )

    def _is_classified(self, name_id: int, inner: Condition | None) -> str:
        carried = self._row_exists(name_id, f"p.key_id = {CLASSIFICATION_KEY}", ALWAYS)
        if inner is None:
            return carried
        return all_of((carried, self.holds(inner, name_id)))

    def _row_exists(self, scope: int, key: str, test: str) -> str:
        """There is such a row of ``i`` in force."""
        self._grow()
        if test == NEVER:
            return NEVER
        return any_of(
            "EXISTS (SELECT 1 FROM property p WHERE p.instance_id = i.id"
            f" AND {span} AND p.scope_id = {scope:d} AND {key} AND ({test}))"
            for span in self.spans()
        )

    def spans(self) -> Sequence[str]:
        """The conditions of which a row in force passes exactly one."""
        if not self.is_past:
            return ("p.until = 0",)
        return (
            "p.until = 0 AND p.from_time <= :time",
            "p.until > :time AND p.from_time <= :time",
        )

    # tests of one row

    def header_test(
        self, field: HeaderField, wanted: TextPattern | EpochMillis
    ) -> tuple[Field, str]:
        """The key of a header field, and that the row ``p`` has what is wanted."""
        column = _ORIGIN_COLUMNS.get(field)
        if column is None:
            if isinstance(wanted, TextPattern):
                return _TIME_FIELDS[field], NEVER
            return _TIME_FIELDS[field], f"p.head = {self.bind(wanted)}"
        if not isinstance(wanted, TextPattern):
            return Field.ORIGIN, NEVER
        test = self._matches(wanted, column)
        return Field.ORIGIN, f"p.head IN (SELECT id FROM origin WHERE {test})"

    def passes(self, key: int, test: ValueTest) -> str:
        """The value in the row ``p`` passes the test."""
        match test:
            case Present():
                return ALWAYS
            case Equals(value):
                return self._equals(key, value)
            case OneOf(values):
                return any_of(self.alternatives(key, values))
            case Compares(operator, bound):
                compared = f"p.head {_OPERATORS[operator]} {self._number(bound)}"
                return f"p.shape_id & 7 = {Content.NUMBER:d} AND {compared}"
            case Matches(pattern):
                return f"{IS_TEXT} AND {self.text_matches(pattern)}"
            case Contains(value):
                content = indexed_value(value).shape.content
                if content < Content.MAP:
                    return NEVER
                part = self.bind(json.dumps(nested_content(value)))
                return f"p.shape_id & 7 = {content:d} AND holds(p.tail, {part})"

    def alternatives(
        self, key: int, values: Sequence[InstancePropertyValue]
    ) -> Iterator[str]:
        """The tests of which the row ``p`` passes one if it has one of these values.

        Short texts and whole numbers of one kind are a single list, because SQLite
        looks for each parameter among all others.
        """
        listed: dict[str, list[Scalar]] = {}
        for value in values:
            shape, head, digest, tail = indexed_value(value)
            if digest or tail is not None or not _is_same_in_json(head):
                yield self._equals(key, value)
            else:
                listed.setdefault(shape.identity, []).append(head)
        for identity, heads in listed.items():
            content = f"p.head IN (SELECT value FROM json_each({self._list(heads)}))"
            yield f"{self._has_shape(key, identity)} AND {content} AND p.digest = 0"

    def _list(self, values: Sequence[Scalar]) -> str:
        return self.bind(json.dumps(values))

    def text_matches(self, pattern: TextPattern) -> str:
        """The text in the row ``p`` matches; the index can find those that may."""
        literal = pattern.literal
        if pattern.ignore_case:
            return self._matches(pattern, TEXT)
        if pattern.kind is PatternKind.EXACT:
            return self._is_text(literal)
        if pattern.kind is PatternKind.STARTS_WITH and literal:
            start = f"p.head >= {self.bind(literal[:HEAD_CHARACTERS])}"
            end = after_prefix(literal[:HEAD_CHARACTERS])
            if end is not None:
                start = f"{start} AND p.head < {self.bind(end)}"
            return f"{start} AND text_matches({self.bind(pattern.source)}, {TEXT})"
        return self._matches(pattern, TEXT)

    def _any_text(self, pattern: TextPattern) -> str:
        within = f"text_within_matches({self.bind(pattern.source)}, p.tail)"
        return any_of(
            (
                f"{IS_TEXT} AND {self.text_matches(pattern)}",
                f"{IS_COLLECTION} AND {within}",
            )
        )

    def _equals(self, key: int, value: InstancePropertyValue) -> str:
        shape, head, digest, tail = indexed_value(value)
        content = self._content_is(head, digest, tail)
        return f"{self._has_shape(key, shape.identity)} AND {content}"

    def _has_shape(self, key: int, identity: str) -> str:
        return (
            f"p.shape_id = (SELECT id FROM shape WHERE key_id = {key}"
            f" AND identity = {self.bind(identity)})"
        )

    def _is_text(self, text: str) -> str:
        return self._content_is(*split_text(text))

    def _content_is(self, head: Scalar, digest: int, tail: str | None) -> str:
        test = f"p.head IS {self.bind(head)} AND p.digest = {self.bind(digest)}"
        return test if tail is None else f"{test} AND p.tail = {self.bind(tail)}"

    def _number(self, bound: float) -> str:
        try:
            return self.bind(bound) if abs(bound) < 2**63 else self.bind(float(bound))
        except OverflowError:
            return self.bind(float("inf") if bound > 0 else float("-inf"))

    def _matches(self, pattern: TextPattern, text: str) -> str:
        """A text matches; what SQLite can tell alone doesn't call Python."""
        call = f"text_matches({self.bind(pattern.source)}, {text})"
        subject = f"lower({text})" if pattern.ignore_case else text
        if pattern.kind is PatternKind.EXACT:
            literal = self.bind(_folded(pattern, pattern.literal))
            return f"{subject} = {literal}"
        found = [
            f"instr({subject}, {self.bind(_folded(pattern, literal))}) > 0"
            for literal in needed_literals(pattern)
        ]
        return " AND ".join((*found, f"{text} IS NOT NULL", call))


def _is_same_in_json(scalar: Scalar) -> bool:
    """Whether SQLite reads it from JSON just as it is."""
    return isinstance(scalar, int) or (isinstance(scalar, str) and "\0" not in scalar)


def needed_literals(pattern: TextPattern) -> Iterator[str]:
    """Texts that whatever matches contains, in either case if the pattern says so."""
    literals = (
        pattern.required if pattern.kind is PatternKind.REGEX else (pattern.literal,)
    )
    return (literal for literal in literals if literal)


def _folded(pattern: TextPattern, literal: str) -> str:
    return fold_ascii(literal) if pattern.ignore_case else literal
