"""The captured requests and answers of a genuine server, and what of them is compared."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SAMPLES = Path("facts") / "omrs" / "samples"

PROSE = frozenset(
    {"exceptionErrorMessage", "exceptionSystemAction", "exceptionUserAction"}
)
"""Fields for people, whose texts are our own."""

TYPE_PROSE = frozenset(
    {
        "attributeDescription",
        "createTime",
        "createdBy",
        "description",
        "origin",
        "updateTime",
        "updatedBy",
    }
)
"""What type definitions have only once the release's type archive is loaded."""


@dataclass(frozen=True)
class Capture:
    """One request and its answer."""

    name: str
    method: str
    path: str
    body: Any
    status: int
    answer: Mapping[str, Any]

    @property
    def server(self) -> str:
        """The name of the server that was asked."""
        return self.path.split("/")[2]


def load_capture(path: Path) -> Capture:
    """Read one file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    request, response = content["request"], content["response"]
    url = urlsplit(request["url"])
    return Capture(
        path.stem,
        request["method"],
        url.path + (f"?{url.query}" if url.query else ""),
        request.get("body"),
        response["httpStatus"],
        response["body"],
    )


def load_captures(shared: Path, *, leaving_out: Iterable[str]) -> dict[str, Capture]:
    """The captures by the name of their file, but for those that match a pattern."""
    patterns = tuple(leaving_out)
    return {
        path.stem: load_capture(path)
        for path in sorted((shared / SAMPLES).glob("*.json"))
        if not any(fnmatch(path.stem, pattern) for pattern in patterns)
    }


def without(value: Any, names: frozenset[str]) -> Any:
    """A JSON value without some fields, wherever in it they are."""
    if isinstance(value, dict):
        return {
            name: without(entry, names)
            for name, entry in value.items()
            if name not in names
        }
    if isinstance(value, list):
        return [without(entry, names) for entry in value]
    return value
