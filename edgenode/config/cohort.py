"""Reads the table ``[cohort]``."""

import re
from pathlib import Path

from edgenode.config.addresses import address
from edgenode.config.model import (
    COHORT_MODES,
    DEFAULT_COHORT_PORT,
    CohortConfig,
    EventRule,
    HostPort,
    SharedBroker,
)
from edgenode.config.rules import read_rule
from edgenode.config.source import Source

_TABLE = "cohort"
_NAME = re.compile(r"[A-Za-z0-9._-]{1,63}")
_INTERFACE = re.compile(r"[^\s/\x00-\x1f]{1,15}")
_EMBEDDED = "embedded"
_BROKER_PORTS = {"mqtt": 1883, "mqtts": 8883}
_LOGIN = ("bus_user", "bus_password_file", "bus_ca_file")


def read_cohort(source: Source) -> CohortConfig:
    """The table, with what is wrong in it taken down."""
    reader = _Reader(source)
    default = CohortConfig()
    return CohortConfig(
        mode=reader.mode(default.mode),
        name=reader.name(default.name),
        join_file=reader.path("join_file"),
        listen=reader.listen("listen", default.listen),
        peers=reader.peers(),
        discovery=reader.discovery(default=default.discovery),
        interfaces=reader.interfaces(),
        bus=reader.bus(),
        bus_listen=reader.listen("bus_listen", default.bus_listen),
        events_to_send=reader.rule("events_to_send"),
        events_to_save=reader.rule("events_to_save"),
        events_to_process=reader.rule("events_to_process"),
    )


class _Reader:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._table = source.table(_TABLE)

    def mode(self, default: str) -> str:
        return self._source.choice(_TABLE, self._table, "mode", COHORT_MODES, default)

    def name(self, default: str) -> str:
        value = self._table.get("name", default)
        if isinstance(value, str) and _NAME.fullmatch(value):
            return value
        self._wrong(
            "name",
            f"{value!r} is no name of a cohort",
            "use letters, digits, dot, underscore and hyphen, 63 at most",
        )
        return default

    def listen(self, key: str, default: HostPort) -> HostPort:
        return self._source.place(_TABLE, self._table, key, default)

    def peers(self) -> tuple[HostPort, ...]:
        value = self._table.get("peers", [])
        if isinstance(value, str) and self._source.overruling(_TABLE, "peers"):
            value = [each.strip() for each in value.split(",")]
        if not isinstance(value, list):
            self._wrong("peers", "peers is no list", f'write peers = ["{value}"]')
            return ()
        found = [address(each, DEFAULT_COHORT_PORT) for each in value]
        for each, place in zip(value, found, strict=True):
            if place is None or place.port == 0:
                self._wrong(
                    "peers",
                    f"{each!r} is no host, with a port or without",
                    f"write it like pi.local, 192.168.1.7:{DEFAULT_COHORT_PORT} "
                    "or [fd00::7]",
                )
        return tuple(place for place in found if place is not None)

    def discovery(self, *, default: bool) -> bool:
        value = self._table.get("discovery", default)
        if isinstance(value, bool):
            return value
        self._wrong("discovery", f"{value!r} is neither", "write true or false")
        return default

    def interfaces(self) -> tuple[str, ...]:
        value = self._table.get("interfaces", [])
        if isinstance(value, list) and all(
            isinstance(each, str) and _INTERFACE.fullmatch(each) for each in value
        ):
            return tuple(value)
        self._wrong(
            "interfaces",
            f"{value!r} is no list of interfaces",
            'write interfaces = ["eth0"]; "ip link" shows their names',
        )
        return ()

    def bus(self) -> SharedBroker | None:
        value = self._table.get("bus", _EMBEDDED)
        if value == _EMBEDDED:
            for key in _LOGIN:
                if key in self._table:
                    self._wrong(
                        key,
                        f"{key} is for a broker that is shared",
                        'name that: bus = "mqtts://HOST"',
                    )
            return None
        broker = _broker(value)
        if broker is None:
            self._wrong(
                "bus",
                f"{value!r} is no bus",
                f'write "{_EMBEDDED}", "mqtts://HOST" or "mqtt://HOST:PORT"; '
                "the user stands in bus_user",
            )
            return None
        where, is_encrypted = broker
        user = self._source.text(_TABLE, self._table, "bus_user")
        password = self.path("bus_password_file")
        if password is not None and user is None:
            self._wrong(
                "bus_password_file",
                "bus_password_file stands without bus_user",
                "name the user, or leave both out",
            )
        if "bus_ca_file" in self._table and not is_encrypted:
            self._wrong(
                "bus_ca_file",
                "bus_ca_file is for TLS, which mqtt:// doesn't use",
                f'write bus = "mqtts://{where.host}"',
            )
        return SharedBroker(
            address=where,
            is_encrypted=is_encrypted,
            user=user,
            password_file=password,
            ca_file=self.path("bus_ca_file"),
        )

    def rule(self, key: str) -> EventRule:
        return read_rule(self._source, _TABLE, self._table, key)

    def path(self, key: str) -> Path | None:
        example = "/boot/firmware/edgenode.token"
        return self._source.file(_TABLE, self._table, key, example)

    def _wrong(self, key: str, what: str, mend: str) -> None:
        self._source.wrong(_TABLE, key, what, mend)


def _broker(value: object) -> tuple[HostPort, bool] | None:
    """The address in a broker's URL, and whether it is for TLS."""
    if not isinstance(value, str):
        return None
    scheme, mark, rest = value.partition("://")
    if not mark or scheme not in _BROKER_PORTS:
        return None
    found = address(rest.removesuffix("/"), _BROKER_PORTS[scheme])
    return None if found is None or found.port == 0 else (found, scheme == "mqtts")
