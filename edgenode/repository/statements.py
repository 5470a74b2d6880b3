"""Named SQL statements, one file for each noun under ``queries/``."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

_HEADING = re.compile(r"^-- (\w+) --$", re.MULTILINE)


@cache
def load(noun: str) -> Mapping[str, str]:
    """The statements of ``queries/<noun>.sql``, by the names in their headings."""
    text = files("edgenode.repository").joinpath("queries", f"{noun}.sql").read_text()
    parts = _HEADING.split(text)[1:]
    return {
        name: body.strip().rstrip(";")
        for name, body in zip(parts[::2], parts[1::2], strict=True)
    }
