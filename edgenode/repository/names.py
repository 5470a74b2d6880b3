"""Interned texts: type names, property names, collection ids.

Names are never removed, so whatever is committed may be remembered for good.
"""

from edgenode.repository.connections import Connection
from edgenode.repository.statements import load

_SQL = load("names")


class Names:
    """The writer's view: names are added as they are needed."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._texts: dict[int, str] = {}
        self._uncommitted: list[str] = []

    def id_of(self, connection: Connection, text: str) -> int:
        """The id of a name, given to it now if it is new."""
        known = self._ids.get(text)
        if known is None:
            row = connection.execute(_SQL["id"], (text,)).fetchone()
            if row is None:
                connection.execute(_SQL["add"], (text,))
                row = connection.execute(_SQL["id"], (text,)).fetchone()
            known = int(row[0])
            self._ids[text] = known
            self._texts[known] = text
            self._uncommitted.append(text)
        return known

    def text_of(self, connection: Connection, name_id: int) -> str:
        """The name with this id."""
        known = self._texts.get(name_id)
        if known is None:
            known = str(connection.execute(_SQL["text"], (name_id,)).fetchone()[0])
            self._ids[known] = name_id
            self._texts[name_id] = known
            self._uncommitted.append(known)
        return known

    def committed(self) -> None:
        """What was learnt since the last commit is on the disk."""
        self._uncommitted.clear()

    def rolled_back(self) -> None:
        """What was learnt since the last commit may be gone."""
        for text in self._uncommitted:
            del self._texts[self._ids.pop(text)]
        self._uncommitted.clear()


class NameReader:
    """The event loop's view: what is committed, without adding to it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ids: dict[str, int] = {}
        self._texts: dict[int, str] = {}

    def id_of(self, text: str) -> int | None:
        """The id of a name, None where nothing stored has it."""
        known = self._ids.get(text)
        if known is None:
            row = self._connection.execute(_SQL["id"], (text,)).fetchone()
            if row is None:
                return None
            known = int(row[0])
            self._ids[text] = known
        return known

    def text_of(self, name_id: int) -> str:
        """The name with this id."""
        known = self._texts.get(name_id)
        if known is None:
            row = self._connection.execute(_SQL["text"], (name_id,)).fetchone()
            known = str(row[0])
            self._texts[name_id] = known
        return known
