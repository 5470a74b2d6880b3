"""One configuration as it was written, and what was found wrong with it."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeGuard

from edgenode.config.addresses import address
from edgenode.config.lines import lines_of_keys
from edgenode.config.model import (
    ENVIRONMENT,
    SETTINGS,
    ConfigError,
    HostPort,
    Mistake,
)

Table = Mapping[str, object]

_HEADS = {
    "node": "[node]",
    "server": "[[server]]",
    "cohort": "[cohort]",
    "kafka_cohort": "[kafka_cohort]",
}


class Source:
    """The tables of a file with the environment's values in them; collects mistakes."""

    def __init__(
        self, path: Path | None, text: str, environment: Mapping[str, str]
    ) -> None:
        self.path = path
        self.environment = environment
        self._text = text
        self._mistakes: list[Mistake] = []
        self._tables = self._parse(text)

    def check(self) -> None:
        """End the reading.

        Raises:
            ConfigError: Something is wrong.
        """
        if self._mistakes:
            raise ConfigError(tuple(self._mistakes))

    def has(self, name: str) -> bool:
        """Whether the file has a table."""
        return name in self._tables

    def table(self, name: str) -> Table:
        """A table that stands there once at most."""
        table = self._tables.get(name, {})
        if not isinstance(table, dict):
            self.wrong(
                name, None, f"{name} is no table", f"write [{name}] above its keys"
            )
            return {}
        overruled = {
            key: self.environment[variable]
            for variable, (of, key) in ENVIRONMENT.items()
            if of == name and self.environment.get(variable)
        }
        return table | overruled

    def tables(self, name: str) -> list[dict[str, object]]:
        """A table that may stand there several times, and does at least once."""
        tables = self._tables.get(name, [{}])
        if tables and _is_list_of_tables(tables):
            return tables
        self.wrong(
            name,
            None,
            f"{name} is no list of tables",
            f"write [[{name}]] above the keys of each {name}",
        )
        return []

    def overruling(self, table: str, key: str) -> str | None:
        """The environment variable that overrules a setting, if one does."""
        for variable, place in ENVIRONMENT.items():
            if place == (table, key) and self.environment.get(variable):
                return variable
        return None

    def choice(
        self, name: str, table: Table, key: str, choices: tuple[str, ...], default: str
    ) -> str:
        """A value in a table that is one of a few."""
        value = table.get(key, default)
        if isinstance(value, str) and value in choices:
            return value
        self.wrong(name, key, f"{value!r} is no {key}", f"use {' or '.join(choices)}")
        return default

    def place(self, name: str, table: Table, key: str, default: HostPort) -> HostPort:
        """A value in a table that is an address to listen on."""
        value = table.get(key, str(default))
        found = address(value)
        if found is None:
            self.wrong(
                name,
                key,
                f"{value!r} is no address and port",
                f"write them like {default} or 192.168.1.7:{default.port}",
            )
        return found or default

    def file(
        self, name: str, table: Table, key: str, example: str = "/etc/edgenode/ca.pem"
    ) -> Path | None:
        """A value in a table that names a file; None where there is none."""
        value = table.get(key)
        if value is None:
            return None
        # A NUL can stand in a TOML text, but in no path.
        if isinstance(value, str) and "\0" not in value and Path(value).is_absolute():
            return Path(value)
        self.wrong(
            name,
            key,
            f"{value!r} is no absolute path",
            f"name the file from the root on, such as {example}",
        )
        return None

    def text(self, name: str, table: Table, key: str) -> str | None:
        """A value in a table that is a text with something in it; None for none."""
        value = table.get(key)
        if value is None or (isinstance(value, str) and value):
            return value
        self.wrong(name, key, f"{value!r} is no {key}", f'write {key} = "..."')
        return None

    def wrong(
        self, table: str, key: str | None, what: str, mend: str, position: int = 0
    ) -> None:
        """Take down a mistake."""
        self._mistakes.append(Mistake(self._where(table, key, position), what, mend))

    def check_names(self) -> None:
        """Take down tables and keys that aren't known."""
        for table, content in self._tables.items():
            if table not in SETTINGS:
                self._unknown_table(table, content)
                continue
            entries = content if isinstance(content, list) else [content]
            for position, entry in enumerate(entries):
                keys = entry if isinstance(entry, dict) else {}
                for key in sorted(keys.keys() - SETTINGS[table]):
                    self.wrong(
                        table,
                        key,
                        f"{key} isn't known",
                        _nearest(key, SETTINGS[table], f"the keys of {table} are"),
                        position,
                    )

    def _parse(self, text: str) -> dict[str, object]:
        try:
            return tomllib.loads(text)
        except (ValueError, RecursionError) as error:  # also: too long, nested too deep
            found = re.search(r"at line (\d+)", str(error))
            line = found[1] if found else text.rstrip("\n").count("\n") + 1
            mistake = Mistake(
                f"{self.path}:{line}",
                f"isn't TOML ({error})",
                "write it as edgenode.example.toml does; texts stand in quotes",
            )
            raise ConfigError((mistake,)) from error

    def _unknown_table(self, name: str, content: object) -> None:
        homes = [table for table, keys in SETTINGS.items() if name in keys]
        if homes and not isinstance(content, dict | list):
            mend = f"write it below {_HEADS[homes[0]]}"
        else:
            mend = _nearest(name, SETTINGS, "the tables are")
        self.wrong(name, None, f"{name} isn't known here", mend)

    def _where(self, table: str, key: str | None, position: int) -> str:
        variable = None if key is None else self.overruling(table, key)
        if variable is not None and position == 0:
            return variable
        lines = lines_of_keys(self._text)
        line = lines.get((table, position, key)) or lines.get((table, position, None))
        return f"{self.path}:{line}" if line else str(self.path or "defaults")


def _is_list_of_tables(value: object) -> TypeGuard[list[dict[str, object]]]:
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)


def _nearest(name: str, known: Iterable[str], otherwise: str) -> str:
    """What may have been meant."""
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), known, n=1)
    return f"write {near[0]}" if near else f"{otherwise} {', '.join(sorted(known))}"
