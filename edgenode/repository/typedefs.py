"""Stored type definitions: those added to, or changed from, the shipped set."""

from collections.abc import Iterator

from edgenode.codec.codec import Codec
from edgenode.repository.connections import Connection
from edgenode.repository.statements import load
from edgenode.typedefs.attributes import AttributeTypeDef
from edgenode.typedefs.model import TypeDef

_SQL = load("typedefs")


def save_type(
    connection: Connection, codec: Codec, type_def: TypeDef | AttributeTypeDef
) -> None:
    """Store a definition, in place of the one with its GUID."""
    is_attribute_type = isinstance(type_def, AttributeTypeDef)
    connection.execute(
        _SQL["save"], (type_def.guid, is_attribute_type, codec.encode(type_def))
    )


def remove_type(connection: Connection, guid: str) -> None:
    """Forget a definition."""
    connection.execute(_SQL["remove"], (guid,))


def types_bytes(connection: Connection) -> int:
    """The JSON of all stored definitions, in bytes."""
    size: int = connection.execute(_SQL["bytes"]).fetchone()[0]
    return size


def stored_types(
    connection: Connection, codec: Codec
) -> Iterator[TypeDef | AttributeTypeDef]:
    """All stored definitions, in the order in which they were first stored."""
    for is_attribute_type, text in connection.execute(_SQL["all"]).fetchall():
        if is_attribute_type:
            yield codec.decode(AttributeTypeDef, text)
        else:
            yield codec.decode(TypeDef, text)
