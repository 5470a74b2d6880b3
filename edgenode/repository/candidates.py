"""Which instances may pass a condition, as far as an index lists them.

A list may hold instances that don't pass; it lacks none that do, and has none twice.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from edgenode.instances.conditions import (
    AnyText,
    Classified,
    Combined,
    Compares,
    Condition,
    Equals,
    MatchCriteria,
    Matches,
    OneOf,
    Property,
    ValueTest,
)
from edgenode.instances.patterns import PatternKind, TextPattern
from edgenode.repository.criteria import Criteria, needed_literals
from edgenode.repository.index import CLASSIFICATION_KEY, EDGE, OWN_SCOPE, plain_text
from edgenode.repository.names import NameReader
from edgenode.repository.sampling import TextSample, trigrams
from edgenode.repository.statements import load

_SQL = load("candidates")


class Candidates(NamedTuple):
    """A statement that lists ids of instances.

    Attributes:
        sql: The statement, with the one column ``id``.
        is_ordered: Whether ids come in their order, without the whole list being made
            first.
    """

    sql: str
    is_ordered: bool


class CandidateFinder:
    """Finds the lists for the conditions of one search."""

    def __init__(
        self, criteria: Criteria, names: NameReader, sample: TextSample
    ) -> None:
        self._criteria = criteria
        self._names = names
        self._sample = sample

    def lists(self, condition: Condition | None) -> list[Candidates]:
        """The lists of which each alone holds whatever passes; the likely best first."""
        found = list(self._lists(condition, OWN_SCOPE))
        # An index on contents knows exactly; one on three letters is a good guess.
        return sorted(found, key=lambda each: not each.is_ordered)

    def of_types(self, type_names: Collection[str]) -> Candidates | None:
        """The instances that are, or once were, of these types."""
        ids = [self._names.id_of(name) for name in sorted(type_names)]
        known = [str(each) for each in ids if each is not None]
        if not known:
            return None
        is_one = len(known) == 1
        sql = _SQL["of_type" if is_one else "of_types"].format(types=", ".join(known))
        return Candidates(sql, is_one)

    def _lists(self, condition: Condition | None, scope: int) -> Iterator[Candidates]:
        match condition:
            case Property(name, test):
                key = self._names.id_of(name)
                if key is not None:
                    yield from self._with_value(scope, key, test)
            case AnyText(pattern):
                yield from self._with_text(pattern)
            case Classified(name, inner):
                name_id = self._names.id_of(name)
                if name_id is not None and scope == OWN_SCOPE:
                    yield from self._lists(inner, name_id)
                    yield self._with_row(name_id, CLASSIFICATION_KEY, _IS_THERE, True)
            case Combined(MatchCriteria.ALL, conditions):
                for each in conditions:
                    yield from self._lists(each, scope)
            case Combined(MatchCriteria.ANY, conditions):
                first = [next(self._lists(each, scope), None) for each in conditions]
                yield from _united(first)
            case _:  # no index has what doesn't hold, nor header fields
                pass

    def _with_value(
        self, scope: int, key: int, test: ValueTest
    ) -> Iterator[Candidates]:
        match test:
            case Equals():
                yield self._passing(scope, key, test, is_ordered=True)
            case OneOf(values):
                yield from _united(
                    [
                        self._with_row(scope, key, one, is_ordered=False)
                        for one in self._criteria.alternatives(key, values)
                    ]
                )
            case Compares():
                yield self._passing(scope, key, test, is_ordered=False)
            case Matches(pattern):
                if pattern.kind is PatternKind.EXACT and not pattern.ignore_case:
                    yield self._passing(scope, key, test, is_ordered=True)
                    return
                yield from self._with_text(pattern)
                if pattern.kind is PatternKind.STARTS_WITH and not pattern.ignore_case:
                    yield self._passing(scope, key, test, is_ordered=False)
            case _:  # that a value is there, or within one, doesn't narrow enough
                pass

    def _passing(
        self, scope: int, key: int, test: ValueTest, *, is_ordered: bool
    ) -> Candidates:
        return self._with_row(scope, key, self._criteria.passes(key, test), is_ordered)

    def _with_row(
        self, scope: int, key: int, test: str, is_ordered: bool
    ) -> Candidates:
        criteria = self._criteria
        sql = _SQL["with_value_then" if criteria.is_past else "with_value"].format(
            scope=scope, key=key, test=test
        )
        return Candidates(sql, is_ordered and not criteria.is_past)

    def _with_text(self, pattern: TextPattern) -> Iterator[Candidates]:
        found = [piece for text in _texts(pattern) for piece in trigrams(text)]
        if found:
            wanted = self._sample.rarest(list(dict.fromkeys(found)))
            quoted = (f'"{each.replace(chr(34), chr(34) * 2)}"' for each in wanted)
            query = self._criteria.bind(" AND ".join(quoted))
            yield Candidates(_SQL["with_text"].format(query=query), True)


_IS_THERE = "p.head IS NULL AND p.digest = 0"


def _united(each: Sequence[Candidates | None]) -> Iterator[Candidates]:
    """What is in one of the lists, if all are there."""
    lists = [candidates for candidates in each if candidates is not None]
    if not lists or len(lists) < len(each) or len(lists) > _MAX_UNITED:
        return
    if len(lists) == 1:
        yield lists[0]
    else:
        yield Candidates(
            " UNION ".join(f"SELECT id FROM ({one.sql})" for one in lists), False
        )


_MAX_UNITED = 400
"""SQLite takes 500 parts in a union."""


def _texts(pattern: TextPattern) -> Iterable[str]:
    """What every text which matches has in it, edges included."""
    if pattern.kind is PatternKind.REGEX:
        return map(plain_text, needed_literals(pattern))
    before = (
        EDGE if pattern.kind in (PatternKind.EXACT, PatternKind.STARTS_WITH) else ""
    )
    after = EDGE if pattern.kind in (PatternKind.EXACT, PatternKind.ENDS_WITH) else ""
    return (f"{before}{plain_text(pattern.literal)}{after}",)
