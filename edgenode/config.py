"""What an operator decides: one TOML file, then environment variables, checked once.

Every setting has a default that is safe on a machine nobody prepared. A mistake is
reported with the line it stands on and what to write instead.
"""

import os
import re
import socket
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TypeGuard

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

    @property
    def is_local(self) -> bool:
        """Whether programs on this machine alone can reach the node."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


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
_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9._-]{1,253}")
_LISTEN = re.compile(
    r"(?:\[(?P<six>[^\[\]]+)\]|(?P<host>[^:\[\]]+)):(?P<port>[0-9]{1,5})"
)


def default_server_name() -> str:
    """The host's short name, as far as it can be a server's name."""
    host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname().split(".")[0])
    return host if _SERVER_NAME.fullmatch(host) else "edgenode"


def default_data_directory(environment: Mapping[str, str]) -> Path:
    """The state directory that systemd gives if there is one, else the user's.

    Raises:
        RuntimeError: There is neither, nor a home directory.
    """
    given = environment.get("STATE_DIRECTORY")
    if given:
        return Path(given.split(":")[0])
    state = Path(environment.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():  # the XDG specification has such ones ignored
        home = environment.get("HOME")
        state = (Path(home) if home else Path.home()) / ".local" / "state"
    return state / "edgenode"


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
    where = str(path)
    if path is None and environment.get("EDGENODE_CONFIG"):
        path = Path(environment["EDGENODE_CONFIG"])
        where = f"EDGENODE_CONFIG: {path}"
    return _Reader(path, _text(path, where), environment).config()


def _text(path: Path | None, where: str) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        what, mend = "isn't UTF-8", "save the file as UTF-8"
        raise ConfigError((Mistake(where, what, mend),)) from error
    except OSError as error:
        what = f"can't be read ({error.strerror})"
        mend = "name a file that this user may read, or none"
        raise ConfigError((Mistake(where, what, mend),)) from error


class _Reader:
    """Reads one configuration and collects what is wrong with it."""

    def __init__(
        self, path: Path | None, text: str, environment: Mapping[str, str]
    ) -> None:
        self._path = path
        self._source = text
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
            line = found[1] if found else text.rstrip("\n").count("\n") + 1
            mistake = Mistake(
                f"{self._path}:{line}",
                f"isn't TOML ({error})",
                "write it as edgenode.example.toml does; texts stand in quotes",
            )
            raise ConfigError((mistake,)) from error

    def _table(self, name: str) -> dict[str, object]:
        table = self._tables.get(name, {})
        if not isinstance(table, dict):
            self._wrong(
                name, None, f"{name} is no table", f"write [{name}] above its keys"
            )
            return {}
        overruled = {
            key: self._environment[variable]
            for variable, (of, key) in ENVIRONMENT.items()
            if of == name and self._environment.get(variable)
        }
        return table | overruled

    def _servers(self) -> Iterator[ServerConfig]:
        tables = self._tables.get("server", [{}])
        if not tables or not _is_list_of_tables(tables):
            self._wrong(
                "server",
                None,
                "server is no list of tables",
                "write [[server]] above the keys of each server",
            )
            return
        names: set[str] = set()
        for position, table in enumerate(tables):
            name = self._server_name(table, position)
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

    def _server_name(self, table: dict[str, object], position: int) -> str:
        name = table.get("name", default_server_name())
        overruling = self._environment.get("EDGENODE_SERVER_NAME")
        if overruling and position == 0:
            name = overruling
        if isinstance(name, str) and _SERVER_NAME.fullmatch(name):
            return name
        self._wrong(
            "server",
            "name",
            f"{name!r} is no server name",
            "use letters, digits, dot, underscore and hyphen, 63 at most",
            position,
        )
        return f"server {position}"

    def _release(self, table: dict[str, object], position: int) -> str:
        release = table.get("release", SERVED.name)
        if release == SERVED.name:
            return SERVED.name
        known = isinstance(release, str) and release in RELEASES
        self._wrong(
            "server",
            "release",
            f"release {release!r} isn't served" + (" yet" if known else ""),
            f'write release = "{SERVED.name}"',
            position,
        )
        return SERVED.name

    def _text(self, table: dict[str, object], key: str, position: int) -> str | None:
        value = table.get(key)
        if value is None or isinstance(value, str):
            return value
        self._wrong(
            "server", key, f"{key} is no text", f'write {key} = "..."', position
        )
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
            "node", key, f"{value!r} is no {key}", f"use {' or '.join(choices)}"
        )
        return default

    def _data_directory(self, node: dict[str, object]) -> Path:
        value = node.get("data_directory")
        try:
            if value is None:
                return default_data_directory(self._environment)
            # A NUL can stand in a TOML text, but in no path.
            if isinstance(value, str) and "\0" not in value:
                path = Path(value).expanduser()
                if path.is_absolute():
                    return path
        except RuntimeError:  # "~" without a home, or of nobody
            value = "~" if value is None else value
        self._wrong(
            "node",
            "data_directory",
            f"{value!r} is no absolute path",
            "name a directory from the root on, such as /var/lib/edgenode",
        )
        return Path()

    def _listen(self, node: dict[str, object]) -> tuple[str, int]:
        value = node.get("listen", f"{DEFAULT_HOST}:{DEFAULT_PORT}")
        found = _LISTEN.fullmatch(value) if isinstance(value, str) else None
        if found and int(found["port"]) < 65536:
            host = found["six"] or found["host"]
            if _is_host(host, in_brackets=found["six"] is not None):
                return host, int(found["port"])
        self._wrong(
            "node",
            "listen",
            f"{value!r} is no address and port",
            f"write them like {DEFAULT_HOST}:{DEFAULT_PORT} or [::1]:{DEFAULT_PORT}",
        )
        return DEFAULT_HOST, DEFAULT_PORT

    def _check_names(self) -> None:
        for table, content in self._tables.items():
            if table not in SETTINGS:
                self._unknown_table(table, content)
                continue
            entries = content if isinstance(content, list) else [content]
            for position, entry in enumerate(entries):
                keys = entry if isinstance(entry, dict) else {}
                for key in sorted(keys.keys() - SETTINGS[table]):
                    self._wrong(
                        table,
                        key,
                        f"{key} isn't known",
                        _nearest(key, SETTINGS[table], f"the keys of {table} are"),
                        position,
                    )

    def _unknown_table(self, name: str, content: object) -> None:
        homes = [table for table, keys in SETTINGS.items() if name in keys]
        if homes and not isinstance(content, dict | list):
            mend = f"write it below {_HEADS[homes[0]]}"
        else:
            mend = _nearest(name, SETTINGS, "the tables are")
        self._wrong(name, None, f"{name} isn't known here", mend)

    def _wrong(
        self, table: str, key: str | None, what: str, mend: str, position: int = 0
    ) -> None:
        self._mistakes.append(Mistake(self._where(table, key, position), what, mend))

    def _where(self, table: str, key: str | None, position: int) -> str:
        for variable, place in ENVIRONMENT.items():
            overruled = place == (table, key) and position == 0
            if overruled and self._environment.get(variable):
                return variable
        lines = _lines(self._source)
        line = lines.get((table, position, key)) or lines.get((table, position, None))
        return f"{self._path}:{line}" if line else str(self._path or "defaults")


_HEADS = {"node": "[node]", "server": "[[server]]"}


def _is_list_of_tables(value: object) -> TypeGuard[list[dict[str, object]]]:
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)


def _is_host(host: str, *, in_brackets: bool) -> bool:
    """Whether a text is an address, or can be a host's name."""
    try:
        if in_brackets:
            IPv6Address(host)
        elif not host.strip("0123456789."):
            IPv4Address(host)
        else:
            return _HOST_NAME.fullmatch(host) is not None
    except AddressValueError:
        return False
    return True


def _nearest(name: str, known: Iterable[str], otherwise: str) -> str:
    """What may have been meant."""
    near = get_close_matches(name.lower(), known, n=1)
    return f"write {near[0]}" if near else f"{otherwise} {', '.join(sorted(known))}"


def _lines(text: str) -> Mapping[tuple[str, int, str | None], int]:
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
