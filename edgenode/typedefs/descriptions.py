"""One definition told twice: do the two agree, and what does one add to the other.

The shipped types carry no descriptions, so a definition from an archive or from another
member says more than the one known here without contradicting it.
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from operator import attrgetter, is_
from typing import Any, TypeVar

from edgenode.typedefs.attributes import EnumElementDef
from edgenode.typedefs.model import TypeDefAttribute, TypeDefLink

T = TypeVar("T")

_DESCRIPTIVE = frozenset(
    {
        "description",
        "description_guid",
        "description_wiki",
        "attribute_description",
        "attribute_description_guid",
    }
)
_LABELS = _DESCRIPTIVE | {"version_name"}
"""What says nothing of what a definition is; releases give all their types new names of
versions."""

_KEYS: dict[type, Callable[[Any], object]] = {
    TypeDefAttribute: attrgetter("attribute_name"),
    EnumElementDef: attrgetter("ordinal", "value"),  # some ordinals stand twice
    TypeDefLink: attrgetter("guid"),
}
"""What the entries of a list are matched by; the order of the known list stays."""


class ContradictionError(ValueError):
    """Two statements of one definition differ in what both of them say."""


def completed(known: T, other: T) -> T:
    """The known definition with all that it leaves open taken from another statement.

    Raises:
        ContradictionError: Something that both say differs.
    """
    if known == other or other is None:
        return known
    if known is None:
        return other
    if type(known) is not type(other):
        raise ContradictionError(f"{known!r} is not {other!r}")
    if isinstance(known, tuple) and isinstance(other, tuple):
        return _completed_list(known, other)  # type: ignore[return-value]
    if isinstance(known, type) or not is_dataclass(known):
        raise ContradictionError(f"{known!r} is not {other!r}")
    changes = {}
    for name in _names(known):
        mine = getattr(known, name)
        added = completed(mine, getattr(other, name))
        if added is not mine:
            changes[name] = added
    return replace(known, **changes) if changes else known  # type: ignore[type-var]


def _completed_list(known: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
    key = _KEYS.get(type(known[0])) if known else None
    if key is None:
        raise ContradictionError(f"{known!r} is not {other!r}")
    told = {key(entry): entry for entry in other}
    if {key(entry) for entry in known} != told.keys():
        raise ContradictionError(f"not the same list of {type(known[0]).__name__}")
    entries = tuple(completed(entry, told[key(entry)]) for entry in known)
    return known if all(map(is_, entries, known)) else entries


def described(known: T, other: object) -> T:
    """The known definition with the descriptions that it lacks.

    They are taken from another statement of it, of whatever version, as far as the two
    name the same things. Types of attributes are described where they are defined.
    """
    if type(known) is not type(other) or known == other:
        return known
    if isinstance(known, tuple) and isinstance(other, tuple):
        return _described_list(known, other)  # type: ignore[return-value]
    if isinstance(known, type) or not is_dataclass(known):
        return known
    changes = {}
    for name in _names(known):
        mine, theirs = getattr(known, name), getattr(other, name)
        if name in _DESCRIPTIVE:
            if theirs and not mine:
                changes[name] = theirs
        elif name != "attribute_type":
            added = described(mine, theirs)
            if added is not mine:
                changes[name] = added
    return replace(known, **changes) if changes else known  # type: ignore[type-var]


def _described_list(known: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
    key = _KEYS.get(type(known[0])) if known else None
    if key is None:
        return known
    told = {key(entry): entry for entry in other if type(entry) is type(known[0])}
    entries = tuple(described(entry, told.get(key(entry))) for entry in known)
    return known if all(map(is_, entries, known)) else entries


def same_apart_from_descriptions(one: object, other: object) -> bool:
    """Whether two definitions differ in nothing but descriptions and names of versions."""
    if type(one) is not type(other):
        return False
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(
            map(same_apart_from_descriptions, one, other)
        )
    if not is_dataclass(one):
        return one == other
    return one is other or all(
        same_apart_from_descriptions(getattr(one, name), getattr(other, name))
        for name in _names(one)
        if name not in _LABELS
    )


def _names(definition: object) -> list[str]:
    """A definition's fields; the version of its written form isn't part of it."""
    return [
        field.name
        for field in fields(definition)  # type: ignore[arg-type]
        if field.name != "header_version"
    ]
