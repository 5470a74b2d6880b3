"""Finds the operation of a request by walking its path's segments."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Branch(Generic[T]):
    fixed: "dict[str, _Branch[T]]" = field(default_factory=dict)
    wild: "_Branch[T] | None" = None
    leaves: "dict[str, tuple[T, tuple[str, ...]]]" = field(default_factory=dict)


class Routes(Generic[T]):
    """A table of path templates; fixed segments win over parameters at each step."""

    def __init__(self, routes: Iterable[tuple[str, str, T]]) -> None:
        self._root: _Branch[T] = _Branch()
        for method, template, target in routes:
            self._add(method, template, target)

    def _add(self, method: str, template: str, target: T) -> None:
        branch, names = self._root, []
        for segment in template.strip("/").split("/"):
            if segment.startswith("{"):
                names.append(segment[1:-1])
                branch.wild = branch.wild or _Branch()
                branch = branch.wild
            else:
                branch = branch.fixed.setdefault(segment, _Branch())
        if method in branch.leaves:
            raise ValueError(f"{method} {template} is there twice")
        branch.leaves[method] = (target, tuple(names))

    def find(self, segments: list[str]) -> dict[str, tuple[T, dict[str, str]]]:
        """The targets at a path by method, with their parameters; empty when unknown."""
        values: list[str] = []
        branch = self._walk(self._root, segments, 0, values)
        if branch is None:
            return {}
        return {
            method: (target, dict(zip(names, values, strict=True)))
            for method, (target, names) in branch.leaves.items()
        }

    def _walk(
        self, branch: _Branch[T], segments: list[str], at: int, values: list[str]
    ) -> _Branch[T] | None:
        if at == len(segments):
            return branch if branch.leaves else None
        fixed = branch.fixed.get(segments[at])
        if fixed is not None:
            found = self._walk(fixed, segments, at + 1, values)
            if found is not None:
                return found
        if branch.wild is None or not segments[at]:
            return None
        values.append(segments[at])
        found = self._walk(branch.wild, segments, at + 1, values)
        if found is None:
            values.pop()
        return found
