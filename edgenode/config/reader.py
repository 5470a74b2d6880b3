"""Reads the configuration as a whole."""

import os
import re
import socket
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

from edgenode.config.addresses import address
from edgenode.config.cohort import read_cohort
from edgenode.config.kafka_cohort import read_kafka_cohort
from edgenode.config.model import (
    DEFAULT_HOST,
    DEFAULT_PORT,
    LOG_FORMATS,
    LOG_LEVELS,
    SERVERS,
    ConfigError,
    HostPort,
    Mistake,
    NodeConfig,
    ServerConfig,
)
from edgenode.config.source import Source, Table
from edgenode.releases import RELEASES, SERVED

_SERVER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def default_server_name(data_directory: Path) -> str:
    """The name of a node's only server, where nobody has given it one.

    It is that of the only server with data, however the host is called by now, else the
    host's short name, as far as it can be a server's name.

    Args:
        data_directory: Where the servers' files are; whoever may not look into it gets the
            host's name.
    """
    try:
        servers = (data_directory / SERVERS).iterdir()
        there = [each.name for each in servers if _SERVER_NAME.fullmatch(each.name)]
    except OSError:
        there = []
    return there[0] if len(there) == 1 else _host_name()


def _host_name() -> str:
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
    source = Source(path, _text(path, where), environment)
    source.check_names()
    node = source.table("node")
    listen = _listen(source, node)
    directory = _data_directory(source, node)
    config = NodeConfig(
        source=path,
        host=listen.host,
        port=listen.port,
        data_directory=directory,
        log_format=source.choice("node", node, "log_format", LOG_FORMATS, "text"),
        log_level=source.choice("node", node, "log_level", LOG_LEVELS, "info"),
        servers=tuple(_servers(source, directory)),
        cohort=read_cohort(source),
        kafka_cohort=read_kafka_cohort(source),
    )
    _check_places(source, config)
    _check_cohorts(source, config)
    source.check()
    return config


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


def _listen(source: Source, node: Table) -> HostPort:
    default = HostPort(DEFAULT_HOST, DEFAULT_PORT)
    value = node.get("listen", str(default))
    found = address(value)
    if found is None:
        source.wrong(
            "node",
            "listen",
            f"{value!r} is no address and port",
            f"write them like {default} or [::1]:{DEFAULT_PORT}",
        )
    return found or default


def _check_places(source: Source, config: NodeConfig) -> None:
    """Take down settings that would have the node listen twice at one place."""
    cohort = config.cohort
    places = [("node", "listen", HostPort(config.host, config.port))]
    if cohort.mode != "none":
        places.append(("cohort", "listen", cohort.listen))
        if cohort.bus is None:
            places.append(("cohort", "bus_listen", cohort.bus_listen))
    if config.kafka_cohort is not None:
        places.append(("kafka_cohort", "listen", config.kafka_cohort.listen))
    for (table, key, place), (other_table, other_key, other) in combinations(places, 2):
        if place.overlaps(other):
            source.wrong(
                other_table,
                other_key,
                f"{other_table}.{other_key} = {other} is taken by {table}.{key} = {place}",
                "give each a port of its own",
            )


def _check_cohorts(source: Source, config: NodeConfig) -> None:
    """Take down that a node would be in two cohorts of one name."""
    cohort, kafka = config.cohort, config.kafka_cohort
    if kafka is None or cohort.mode == "none" or cohort.name != kafka.name:
        return
    source.wrong(
        "kafka_cohort",
        "name",
        f"the cohort of nodes is called {kafka.name}, too",
        "give that one another name in cohort.name: this one is its platforms'",
    )


def _data_directory(source: Source, node: Table) -> Path:
    value = node.get("data_directory")
    try:
        if value is None:
            return default_data_directory(source.environment)
        # A NUL can stand in a TOML text, but in no path.
        if isinstance(value, str) and "\0" not in value:
            path = Path(value).expanduser()
            if path.is_absolute():
                return path
    except RuntimeError:  # "~" without a home, or of nobody
        value = "~" if value is None else value
    source.wrong(
        "node",
        "data_directory",
        f"{value!r} is no absolute path",
        "name a directory from the root on, such as /var/lib/edgenode",
    )
    return Path()


def _servers(source: Source, directory: Path) -> Iterator[ServerConfig]:
    names: set[str] = set()
    tables = list(source.tables("server"))
    for position, table in enumerate(tables):
        name = _server_name(source, table, position)
        if name is None:
            is_only = len(tables) == 1
            name = default_server_name(directory) if is_only else _host_name()
        if name in names:
            source.wrong(
                "server",
                "name",
                f"{name!r} is there twice",
                "give each server a name of its own",
                position,
            )
        names.add(name)
        yield ServerConfig(
            name=name,
            release=_release(source, table, position),
            organization_name=_server_text(
                source, table, "organization_name", position
            ),
            metadata_collection_name=_server_text(
                source, table, "metadata_collection_name", position
            ),
        )


def _server_name(source: Source, table: Table, position: int) -> str | None:
    """The name that a server was given; None where it was given none."""
    name = table.get("name")
    overruling = source.environment.get("EDGENODE_SERVER_NAME")
    if overruling and position == 0:
        name = overruling
    if name is None or (isinstance(name, str) and _SERVER_NAME.fullmatch(name)):
        return name
    source.wrong(
        "server",
        "name",
        f"{name!r} is no server name",
        "use letters, digits, dot, underscore and hyphen, 63 at most",
        position,
    )
    return f"server {position}"


def _release(source: Source, table: Table, position: int) -> str:
    release = table.get("release", SERVED.name)
    if release == SERVED.name:
        return SERVED.name
    known = isinstance(release, str) and release in RELEASES
    source.wrong(
        "server",
        "release",
        f"release {release!r} isn't served" + (" yet" if known else ""),
        f'write release = "{SERVED.name}"',
        position,
    )
    return SERVED.name


def _server_text(source: Source, table: Table, key: str, position: int) -> str | None:
    value = table.get(key)
    if value is None or isinstance(value, str):
        return value
    source.wrong("server", key, f"{key} is no text", f'write {key} = "..."', position)
    return None
