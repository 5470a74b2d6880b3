"""How common groups of three letters are, told from the texts of some instances.

A search for a text looks up a few such groups; which of them are rare decides whether
that takes one millisecond or ten. A guess is enough.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

import aiosqlite

from edgenode.limits import (
    MAX_SEARCH_TRIGRAMS,
    RAREST_TRIGRAMS,
    SAMPLED_INSTANCES,
    SAMPLED_LETTERS,
    WORTH_SAMPLING,
)
from edgenode.repository.index import edged
from edgenode.repository.statements import load
from edgenode.repository.values import Content, texts_of

_SQL = load("sampling")

_LETTERS = 3


def trigrams(text: str) -> list[str]:
    """All groups of three letters in a text, each once."""
    pieces = (text[at : at + _LETTERS] for at in range(len(text) - _LETTERS + 1))
    return list(dict.fromkeys(pieces))


class TextSample:
    """Knows the common ones once a store is big enough for that to matter."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._size = WORTH_SAMPLING / 2

    async def refresh(self, reader: aiosqlite.Connection, size: int) -> None:
        """Look at a store of this many instances, if it has doubled since."""
        if size < 2 * self._size:
            return
        self._size = size
        step = size / SAMPLED_INSTANCES
        ids = [int(number * step) + 1 for number in range(SAMPLED_INSTANCES)]
        rows = await reader.execute_fetchall(_SQL["contents"], (json.dumps(ids),))
        self._seen = await asyncio.to_thread(_counted, rows)

    def rarest(self, pieces: list[str]) -> list[str]:
        """The groups of letters that are worth a look."""
        if self._seen:
            ranked = sorted(pieces, key=lambda piece: self._seen[piece.lower()])
            return ranked[:RAREST_TRIGRAMS]
        # Neighbours say much the same, so take them from all over the text.
        count = min(len(pieces), MAX_SEARCH_TRIGRAMS)
        return [pieces[at * len(pieces) // count] for at in range(count)]


def _counted(rows: Iterable[Any]) -> Counter[str]:
    """In how many texts each group of letters is, of those that are in several."""
    seen: Counter[str] = Counter()
    for content, head, tail in rows:
        text = edged(texts_of(Content(content), head, tail))[:SAMPLED_LETTERS]
        seen.update(trigrams(text.lower()))
    return Counter({piece: count for piece, count in seen.items() if count > 1})
