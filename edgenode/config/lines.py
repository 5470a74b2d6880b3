"""Where in a file a key stands."""

import tomllib
from collections import Counter
from collections.abc import Mapping


def lines_of_keys(text: str) -> Mapping[tuple[str, int, str | None], int]:
    """The line of each key by table and position, and of each table with key None.

    A file is a sequence of statements of a line or more, each of which is TOML by
    itself: so the parser tells where one ends.
    """
    found: dict[tuple[str, int, str | None], int] = {}
    tables: Counter[str] = Counter()
    inside: tuple[str, int] | None = None
    deeper = False
    waiting: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        waiting.append(line)
        try:
            statement = tomllib.loads("\n".join(waiting))
        except tomllib.TOMLDecodeError:
            continue
        first, is_head = number - len(waiting) + 1, waiting[0].lstrip().startswith("[")
        waiting.clear()
        if inside is not None and not is_head:
            if not deeper:
                for key in statement:
                    found.setdefault((*inside, key), first)
            continue
        for table, content in statement.items():
            entries = content if content and isinstance(content, list) else [content]
            if is_head:
                tables[table] += isinstance(content, list)
                inside = (table, max(tables[table] - 1, 0))
                deeper = bool(entries[0])
            for position, entry in enumerate(entries):
                place = inside if inside is not None else (table, position)
                found.setdefault((*place, None), first)
                for key in entry if isinstance(entry, dict) else ():
                    found.setdefault((*place, key), first)
    return found
