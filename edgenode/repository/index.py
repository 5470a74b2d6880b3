"""Which rows of the index a change of an instance adds and ends.

What changed is found when the change is made, from the instance before and after it;
the rows are written later, with those of many other changes. A value that stays the
same writes nothing. Soft-deleted instances stay in the index: searches may ask for them.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from edgenode.clock import EpochMillis
from edgenode.instances.model import Classification, EntityDetail, Relationship
from edgenode.instances.properties import InstanceProperties
from edgenode.repository.connections import Connection
from edgenode.repository.names import Names
from edgenode.repository.statements import load
from edgenode.repository.values import (
    Content,
    IndexedValue,
    Scalar,
    Shape,
    indexed_value,
    texts_of,
)

_SQL = load("index")

Instance = EntityDetail | Relationship

OWN_SCOPE = 0
HEADER_SCOPE = -1
CLASSIFICATION_KEY = 0
"""The key of the row that stands for a classification itself."""


class Field(IntEnum):
    """The keys of header fields; what headers share is together in one origin."""

    ORIGIN = 1
    CREATE_TIME = 2
    UPDATE_TIME = 3
    EFFECTIVE_FROM = 4
    EFFECTIVE_TO = 5


class Origin(NamedTuple):
    """What a header has in common with many others."""

    type_name: str | None
    type_guid: str | None
    metadata_collection_id: str | None
    metadata_collection_name: str | None
    created_by: str | None
    updated_by: str | None


Place = tuple[str | int, str | int]
"""The scope and key of a value; each is a name, or a number with a fixed meaning."""


@dataclass(frozen=True, slots=True)
class IndexChange:
    """What a new state changes: values that end with it, and values that begin.

    ``new_type`` is the type that it has and the state before it hadn't.
    """

    instance_id: int
    from_time: EpochMillis
    new_type: str | None
    ended: list[Place]
    begun: list[tuple[Place, IndexedValue | Origin]]


EDGE = "\x1f\x1f"
"""Between edges even the first and last letters of a text make three."""


def edged(texts: Iterable[str]) -> str:
    """Texts as ``property_text`` has them."""
    return EDGE + EDGE.join(map(plain_text, texts)) + EDGE


def plain_text(text: str) -> str:
    """The text as SQLite's tokenizer can read it, which would stop at a NUL."""
    return text.replace("\0", "\x1f")


class IndexWriter:
    """Keeps the index in step; all but ``changes_of`` run in the writer's thread."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._ids: dict[tuple[object, ...], int] = {}
        self._uncommitted: list[tuple[object, ...]] = []

    def changes_of(
        self,
        instance_id: int,
        from_time: EpochMillis,
        previous: Instance | None,
        current: Instance,
    ) -> IndexChange:
        """What a new state, in force from ``from_time``, changes."""
        before = {} if previous is None else _values(previous)
        after = _values(current)
        type_name = _type_name(current)
        is_new = previous is None or _type_name(previous) != type_name
        return IndexChange(
            instance_id,
            from_time,
            type_name if is_new else None,
            [place for place, value in before.items() if after.get(place) != value],
            [item for item in after.items() if before.get(item[0]) != item[1]],
        )

    def name(self, connection: Connection, instance: Instance) -> None:
        """Store the names that an instance's rows need, together with its state.

        Searches look for names among those on the disk, and it may become full before
        the rows are written.
        """
        for name in _names(instance):
            self._names.id_of(connection, name)

    def apply(self, connection: Connection, changes: Iterable[IndexChange]) -> None:
        """Write the rows of changes, given in the order of their commits."""
        self._uncommitted.clear()
        batch = _Batch()
        for change in changes:
            self._collect(connection, batch, change)
        connection.executemany(_SQL["void"], batch.ends)
        connection.executemany(_SQL["end"], batch.ends)
        connection.executemany(_SQL["add"], sorted(batch.rows()))
        connection.executemany(_SQL["add_member"], sorted(batch.members))
        connection.executemany(_SQL["add_text"], batch.texts())

    def remove(self, connection: Connection, instance_id: int) -> None:
        """Remove all rows of an instance, of its past too."""
        contents = connection.execute(_SQL["contents"], (instance_id,)).fetchall()
        texts = {
            text
            for content, head, tail in contents
            for text in texts_of(Content(content), head, tail)
        }
        if texts:
            connection.execute(_SQL["remove_text"], (instance_id, edged(texts)))
        connection.execute(_SQL["remove_members"], {"id": instance_id})
        connection.execute(_SQL["remove"], (instance_id,))

    def rolled_back(self) -> None:
        """Forget the ids of rows that are gone."""
        for key in self._uncommitted:
            del self._ids[key]
        self._uncommitted.clear()

    def is_classification_used(self, connection: Connection, name: str) -> bool:
        """Whether an entity, deleted or not, has the classification now."""
        name_id = self._names.id_of(connection, name)
        row = connection.execute(_SQL["is_classification_used"], (name_id,)).fetchone()
        return bool(row[0])

    # how

    def _collect(
        self, connection: Connection, batch: "_Batch", change: IndexChange
    ) -> None:
        instance_id, from_time = change.instance_id, change.from_time
        if change.new_type is not None:
            batch.members.add((self._name_id(connection, change.new_type), instance_id))
        for scope, key in change.ended:
            scope_id = self._name_id(connection, scope)
            key_id = self._name_id(connection, key)
            batch.end((instance_id, scope_id, key_id), from_time)
        for (scope, key), value in change.begun:
            scope_id = self._name_id(connection, scope)
            key_id = self._name_id(connection, key)
            if isinstance(value, Origin):
                origin_id = self._origin_id(connection, value)
                row = _Begun(from_time, 0, origin_id, 0, None, [])
            else:
                shape, head, digest, tail = value
                shape_id = self._shape_id(connection, key_id, shape)
                texts = texts_of(shape.content, head, tail)
                row = _Begun(from_time, shape_id, head, digest, tail, texts)
            batch.begun[instance_id, scope_id, key_id] = row

    def _name_id(self, connection: Connection, name: str | int) -> int:
        if isinstance(name, int):
            return name
        return self._names.id_of(connection, name)

    def _shape_id(self, connection: Connection, key_id: int, shape: Shape) -> int:
        if shape.content is Content.NONE:
            return 0
        known = self._ids.get((key_id, shape))
        if known is None:
            identity = shape.identity
            known = self._interned(
                connection,
                "shape",
                (key_id, identity),
                (int(shape.content), key_id, identity, shape.ordinal),
            )
            self._learn((key_id, shape), known)
        return known

    def _origin_id(self, connection: Connection, origin: Origin) -> int:
        known = self._ids.get(origin)
        if known is None:
            identity = json.dumps(origin)
            known = self._interned(
                connection, "origin", (identity,), (identity, *origin)
            )
            self._learn(origin, known)
        return known

    def _interned(
        self,
        connection: Connection,
        table: str,
        identity: tuple[object, ...],
        columns: tuple[object, ...],
    ) -> int:
        """The id of a row that never changes, which is added if it isn't there."""
        row = connection.execute(_SQL[table], identity).fetchone()
        if row is None:
            connection.execute(_SQL[f"add_{table}"], columns)
            row = connection.execute(_SQL[table], identity).fetchone()
        return int(row[0])

    def _learn(self, key: tuple[object, ...], known: int) -> None:
        self._ids[key] = known
        self._uncommitted.append(key)


class _Begun(NamedTuple):
    """A new row of ``property`` without its place, and the texts in it."""

    from_time: EpochMillis
    shape_id: int
    head: Scalar
    digest: int
    tail: str | None
    texts: list[str]


@dataclass(slots=True)
class _Batch:
    """The rows of many changes, before any is written.

    Attributes:
        begun: Rows of values that last, by instance, scope and key.
        past: Rows of values that ended again, with that time.
        ends: Until when, and which, values last that were written earlier. Its items
            suit the statements ``end`` and ``void``.
        members: Types and instances.
    """

    begun: dict[tuple[int, int, int], _Begun] = field(default_factory=dict)
    past: list[tuple[tuple[int, int, int], EpochMillis, _Begun]] = field(
        default_factory=list
    )
    ends: list[tuple[EpochMillis, int, int, int]] = field(default_factory=list)
    members: set[tuple[int, int]] = field(default_factory=set)

    def end(self, place: tuple[int, int, int], until: EpochMillis) -> None:
        """End the value in a place."""
        begun = self.begun.pop(place, None)
        if begun is None:
            self.ends.append((until, *place))
        elif begun.from_time < until:
            self.past.append((place, until, begun))

    def rows(self) -> Iterable[tuple[object, ...]]:
        """All rows to be added."""
        for (instance_id, *rest), until, row in self.past:
            yield (instance_id, until, *rest, *row[:-1])
        for (instance_id, *rest), row in self.begun.items():
            yield (instance_id, 0, *rest, *row[:-1])

    def texts(self) -> list[tuple[int, str]]:
        """The new texts of each instance, in the order that suits the text index."""
        found: dict[int, list[str]] = {}
        for place, _, row in self.past:
            found.setdefault(place[0], []).extend(row.texts)
        for place, row in self.begun.items():
            found.setdefault(place[0], []).extend(row.texts)
        return [(key, edged(texts)) for key, texts in sorted(found.items()) if texts]


def _names(instance: Instance) -> Iterator[str]:
    """The names in the places of an instance's values."""
    carriers: list[Instance | Classification] = [instance]
    if isinstance(instance, EntityDetail):
        carriers += instance.classifications or ()
    for carrier in carriers:
        if isinstance(carrier, Classification) and carrier.name is not None:
            yield carrier.name
        if carrier.properties is not None:
            yield from carrier.properties.instance_properties


def _values(instance: Instance) -> dict[Place, IndexedValue | Origin]:
    """Everything that the index has of an instance."""
    kind = instance.type
    origin = Origin(
        kind.type_def_name if kind else None,
        kind.type_def_guid if kind else None,
        instance.metadata_collection_id,
        instance.metadata_collection_name,
        instance.created_by,
        instance.updated_by,
    )
    found: dict[Place, IndexedValue | Origin] = {
        (HEADER_SCOPE, Field.ORIGIN): origin,
        # Also where there is none: an order by time then has a row for each instance.
        (HEADER_SCOPE, Field.CREATE_TIME): _plain(instance.create_time),
        (HEADER_SCOPE, Field.UPDATE_TIME): _plain(instance.update_time),
    }
    properties = instance.properties
    if properties is not None:
        for key, time in (
            (Field.EFFECTIVE_FROM, properties.effective_from_time),
            (Field.EFFECTIVE_TO, properties.effective_to_time),
        ):
            if time is not None:
                found[HEADER_SCOPE, key] = _plain(time)
        _add_properties(found, OWN_SCOPE, properties)
    if isinstance(instance, EntityDetail):
        for classification in instance.classifications or ():
            name = classification.name
            if name is not None:
                found[name, CLASSIFICATION_KEY] = _plain(None)
                _add_properties(found, name, classification.properties)
    return found


def _add_properties(
    found: dict[Place, IndexedValue | Origin],
    scope: str | int,
    properties: InstanceProperties | None,
) -> None:
    if properties is None:
        return
    for name, value in properties.instance_properties.items():
        if value is not None:
            found[scope, name] = indexed_value(value)


def _plain(content: EpochMillis | None) -> IndexedValue:
    """A content of which nothing else is known."""
    return IndexedValue(_NO_SHAPE, content)


_NO_SHAPE = Shape(Content.NONE, ())


def _type_name(instance: Instance) -> str:
    return (instance.type and instance.type.type_def_name) or ""
