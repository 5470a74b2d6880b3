"""What an operator decides: one TOML file, then environment variables, checked once.

Every setting has a default that is safe on a machine nobody prepared. A mistake is
reported with the line it stands on and what to write instead.
"""

import os
import re
import socket
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from edgenode.errors import EdgeNodeError
from edgenode.releases import RELEASES, SERVED

DEFAULT_PORT = 9443
DEFAULT_HOST = "127.0.0.1"
LOG_FORMATS = ("text", "json")
LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong in the configuration.

    Attributes:
        where: File and line, or the environment variable.
        what: What is wrong.
        mend: What to write instead.
    """

    where: str
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. Mend: {self.mend}."


class ConfigError(EdgeNodeError):
    """The configuration can't be used; ``mistakes`` has them all."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """One server of the platform; its file stands under the data directory."""

    name: str
    release: str
    organization_name: str | None = None
    metadata_collection_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    """The whole configuration.

    Attributes:
        source: The file it came from, None where there is none.
        host: The address to listen on.
        port: The port to listen on; 0 lets the system choose.
        data_directory: Where the servers' files are.
        log_format: ``text`` for people and the journal, ``json`` for machines.
        log_level: The least serious level that is logged.
        servers: The servers, at least one.
    """

    source: Path | None
    host: str
    port: int
    data_directory: Path
    log_format: str
    log_level: str
    servers: tuple[ServerConfig, ...]


SETTINGS: Mapping[str, frozenset[str]] = {
    "node": frozenset({"listen", "data_directory", "log_format", "log_level"}),
    "server": frozenset(
        {"name", "release", "organization_name", "metadata_collection_name"}
    ),
}
"""The tables of the file and their keys."""

ENVIRONMENT: Mapping[str, tuple[str, str]] = {
    "EDGENODE_LISTEN": ("node", "listen"),
    "EDGENODE_DATA_DIRECTORY": ("node", "data_directory"),
    "EDGENODE_LOG_FORMAT": ("node", "log_format"),
    "EDGENODE_LOG_LEVEL": ("node", "log_level"),
    "EDGENODE_SERVER_NAME": ("server", "name"),
}
"""Environment variables that overrule the file; EDGENODE_CONFIG names the file."""

_SERVER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def default_server_name() -> str:
    """The host's short name, as far as it can be a server's name."""
    host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname().split(".")[0])
    return host if _SERVER_NAME.fullmatch(host) else "edgenode"


def default_data_directory(environment: Mapping[str, str]) -> Path:
    """The state directory that systemd gives if there is one, else the user's."""
    given = environment.get("STATE_DIRECTORY")
    if given:
        return Path(given.split(":")[0])
    state = environment.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "edgenode"


def load_config(
    path: Path | None = None, environment: Mapping[str, str] | None = None
) -> NodeConfig:
    """Read and check the configuration.

    Args:
        path: The file; without one EDGENODE_CONFIG names it, and without that there
            is none and the defaults hold.
        environment: The environment variables; the process's own by default.

    Raises:
        ConfigError: Something in it can't be used.
    """
    environment = os.environ if environment is None else environment
    if path is None and environment.get("EDGENODE_CONFIG"):
        path = Path(environment["EDGENODE_CONFIG"])
    text = ""
    if path is not None:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                (
                    Mistake(
                        str(path),
                        f"can't be read ({error})",
                        "name a readable file, or leave --config out",
                    ),
                )
            ) from error
    return _Reader(path, text, environment).config()


class _Reader:
    """Reads one configuration and collects what is wrong with it."""

    def __init__(
        self, path: Path | None, text: str, environment: Mapping[str, str]
    ) -> None:
        self._path = path
        self._lines = text.splitlines()
        self._environment = environment
        self._mistakes: list[Mistake] = []
        self._tables = self._parse(text)

    def config(self) -> NodeConfig:
        self._check_names()
        node = self._table("node")
        host, port = self._listen(node)
        config = NodeConfig(
            source=self._path,
            host=host,
            port=port,
            data_directory=self._data_directory(node),
            log_format=self._choice(node, "log_format", LOG_FORMATS, "text"),
            log_level=self._choice(node, "log_level", LOG_LEVELS, "info"),
            servers=tuple(self._servers()),
        )
        if self._mistakes:
            raise ConfigError(tuple(self._mistakes))
        return config

    def _parse(self, text: str) -> dict[str, object]:
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"at line (\d+)", str(error))
            where = f"{self._path}:{found[1] if found else len(self._lines)}"
            mistake = Mistake(
                where, f"isn't TOML ({error})", "see the commented example file"
            )
            raise ConfigError((mistake,)) from error

    def _table(self, name: str) -> dict[str, object]:
        table = self._tables.get(name, {})
        if not isinstance(table, dict):
            self._wrong(name, None, "is no table", f"write [{name}] above its keys")
            return {}
        overruled = {
            key: self._environment[variable]
            for variable, (of, key) in ENVIRONMENT.items()
            if of == name and self._environment.get(variable)
        }
        return table | overruled

    def _servers(self) -> Iterator[ServerConfig]:
        tables = self._tables.get("server", [{}])
        if not isinstance(tables, list):
            self._wrong("server", None, "is no list of tables", "write [[server]]")
            return
        overruling = self._environment.get("EDGENODE_SERVER_NAME")
        names: set[str] = set()
        for position, table in enumerate(tables):
            name = table.get("name", default_server_name())
            if overruling and position == 0:
                name = overruling
            if not isinstance(name, str) or not _SERVER_NAME.fullmatch(name):
                self._wrong(
                    "server",
                    "name",
                    f"{name!r} is no server name",
                    "use letters, digits, dot, underscore and hyphen, 63 at most",
                    position,
                )
                continue
            if name in names:
                self._wrong(
                    "server",
                    "name",
                    f"{name!r} is there twice",
                    "give each server a name of its own",
                    position,
                )
            names.add(name)
            yield ServerConfig(
                name=name,
                release=self._release(table, position),
                organization_name=self._text(table, "organization_name", position),
                metadata_collection_name=self._text(
                    table, "metadata_collection_name", position
                ),
            )

    def _release(self, table: dict[str, object], position: int) -> str:
        release = table.get("release", SERVED.name)
        if release == SERVED.name:
            return SERVED.name
        known = ", not served yet" if release in RELEASES else ""
        self._wrong(
            "server",
            "release",
            f"{release!r} is no release that is served here{known}",
            f'write release = "{SERVED.name}"',
            position,
        )
        return SERVED.name

    def _text(self, table: dict[str, object], key: str, position: int) -> str | None:
        value = table.get(key)
        if value is None or isinstance(value, str):
            return value
        self._wrong("server", key, "must be text", f'write {key} = "..."', position)
        return None

    def _choice(
        self,
        table: dict[str, object],
        key: str,
        choices: tuple[str, ...],
        default: str,
    ) -> str:
        value = table.get(key, default)
        if isinstance(value, str) and value in choices:
            return value
        self._wrong(
            "node", key, f"{value!r} isn't possible", f"use {' or '.join(choices)}"
        )
        return default

    def _data_directory(self, node: dict[str, object]) -> Path:
        value = node.get("data_directory")
        if value is None:
            return default_data_directory(self._environment)
        if isinstance(value, str) and Path(value).expanduser().is_absolute():
            return Path(value).expanduser()
        self._wrong(
            "node",
            "data_directory",
            f"{value!r} is no absolute path",
            'write data_directory = "/var/lib/edgenode"',
        )
        return Path()

    def _listen(self, node: dict[str, object]) -> tuple[str, int]:
        value = node.get("listen", f"{DEFAULT_HOST}:{DEFAULT_PORT}")
        found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+):(\d{1,5})", str(value))
        if found and isinstance(value, str) and int(found[2]) < 65536:
            return found[1].strip("[]"), int(found[2])
        self._wrong(
            "node",
            "listen",
            f"{value!r} is no address and port",
            f'write listen = "{DEFAULT_HOST}:{DEFAULT_PORT}"',
        )
        return DEFAULT_HOST, DEFAULT_PORT

    def _check_names(self) -> None:
        for table, content in self._tables.items():
            if table not in SETTINGS:
                self._wrong(
                    table,
                    None,
                    f"[{table}] isn't known",
                    f"the tables are {', '.join(SETTINGS)}",
                )
                continue
            entries = content if isinstance(content, list) else [content]
            for position, entry in enumerate(entries):
                unknown = (
                    set(entry) - SETTINGS[table] if isinstance(entry, dict) else ()
                )
                for key in sorted(unknown):
                    self._wrong(
                        table,
                        key,
                        f"{key} isn't known",
                        f"the keys of {table} are {', '.join(sorted(SETTINGS[table]))}",
                        position,
                    )

    def _wrong(
        self, table: str, key: str | None, what: str, mend: str, position: int = 0
    ) -> None:
        self._mistakes.append(Mistake(self._where(table, key, position), what, mend))

    def _where(self, table: str, key: str | None, position: int) -> str:
        for variable, place in ENVIRONMENT.items():
            if place == (table, key) and self._environment.get(variable):
                return variable
        line = self._line_of(table, key, position)
        return f"{self._path}:{line}" if line else str(self._path or "defaults")

    def _line_of(self, table: str, key: str | None, position: int) -> int | None:
        """The line of a key, or of its table's head where the key isn't written."""
        head, seen = None, -1
        for number, line in enumerate(self._lines, 1):
            opened = re.match(r"\s*\[\[?\s*([\w.-]+)\s*\]\]?", line)
            if opened:
                inside = opened[1] == table
                seen += inside
                if inside and seen == position:
                    head = number
                elif head is not None:
                    break
            elif head is not None and key is not None and _sets(key, line):
                return number
        return head


def _sets(key: str, line: str) -> bool:
    return re.match(rf'\s*"?{re.escape(key)}"?\s*=', line) is not None
