"""A call of every operation that there is: the least that binds."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any
from urllib.parse import quote

from edgenode.codec.codec import Codec
from edgenode.observability.metrics import OperationMetrics
from edgenode.rest.hosting import Platform
from edgenode.rest.mounts import Mounted, mounted_operations
from edgenode.rest.operations import Operation
from edgenode.typedefs.attributes import AttributeTypeDef, PrimitiveDef
from edgenode.typedefs.model import EntityDef, TypeDef
from tests.model.house import CODEC
from tests.wire.serving import SERVER

_CONCRETE: Mapping[type, type] = {TypeDef: EntityDef, AttributeTypeDef: PrimitiveDef}


def operations(codec: Codec = CODEC) -> list[Mounted]:
    """Everything that a platform offers."""
    return list(mounted_operations(Platform("", codec, {}, OperationMetrics())))


@dataclass(frozen=True)
class Example:
    """One call that binds."""

    operation: Operation[Any]
    path: str
    body: Any

    @property
    def method(self) -> str:
        return self.operation.method

    @property
    def takes_a_bean(self) -> bool:
        """Whether the body is an object, not a bare symbol."""
        return isinstance(self.body, dict)

    @property
    def fields(self) -> frozenset[str]:
        """The names of what may stand in the body."""
        cls = self.operation.body
        if cls is None or not is_dataclass(cls):
            return frozenset()
        return frozenset(field.name for field in fields(cls))


def example(
    mounted: Mounted, *, server: str = SERVER, at: str = "x", query: str = "1"
) -> Example:
    """A call of an operation.

    Args:
        mounted: The operation at its place.
        server: The server that is asked.
        at: What stands for the other parameters of the path.
        query: What stands for the parameters of the query.
    """
    operation = mounted.operation
    segments = (
        segment if segment[:1] != "{" else server if "serverName" in segment else at
        for segment in mounted.template.split("/")
    )
    path = "/".join(segment and quote(segment, safe="") for segment in segments)
    if operation.query:
        path += "?" + "&".join(f"{each.name}={query}" for each in operation.query)
    return Example(operation, path, _body(operation.body))


def _body(cls: type | None) -> Any:
    if cls is None:
        return None
    if issubclass(cls, Enum):
        return next(iter(cls)).name
    return {"class": _CONCRETE.get(cls, cls).__name__}
