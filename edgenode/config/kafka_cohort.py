"""Reads the table ``[kafka_cohort]``."""

import re
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from edgenode.config.addresses import address
from edgenode.config.model import (
    DEFAULT_KAFKA_PORT,
    KAFKA_TOPICS,
    SECURITY_PROTOCOLS,
    TRANSPORTS,
    EventRule,
    HostPort,
    KafkaCohortConfig,
)
from edgenode.config.rules import read_rule
from edgenode.config.source import Source

_TABLE = "kafka_cohort"
_NAME = re.compile(r"[A-Za-z0-9._-]{1,63}")
_TLS = ("certificate_file", "key_file", "ca_file")


def read_kafka_cohort(source: Source) -> KafkaCohortConfig | None:
    """The table, with what is wrong in it taken down; None where there is none."""
    if not source.has(_TABLE):
        return None
    reader = _Reader(source)
    default = KafkaCohortConfig(name="", brokers=(), admit=())
    config = KafkaCohortConfig(
        name=reader.name("name", None),
        brokers=reader.brokers(),
        admit=reader.admit(),
        topic_root=reader.name("topic_root", default.topic_root),
        topics=reader.choice("topics", KAFKA_TOPICS, default.topics),
        security_protocol=reader.choice(
            "security_protocol", SECURITY_PROTOCOLS, default.security_protocol
        ),
        broker_user=reader.text("broker_user"),
        broker_password_file=reader.file("broker_password_file"),
        broker_ca_file=reader.file("broker_ca_file"),
        transport=reader.choice("transport", TRANSPORTS, default.transport),
        certificate_file=reader.file("certificate_file"),
        key_file=reader.file("key_file"),
        ca_file=reader.file("ca_file"),
        listen=reader.listen(default.listen),
        address=reader.address(default.transport),
        user=reader.text("user"),
        password_file=reader.file("password_file"),
        events_to_send=reader.rule("events_to_send"),
        events_to_save=reader.rule("events_to_save"),
        events_to_process=reader.rule("events_to_process"),
    )
    reader.check_kafka(config.security_protocol)
    reader.check_tls(config.transport)
    reader.check_pair("user", "password_file")
    return config


class _Reader:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._table = source.table(_TABLE)

    def name(self, key: str, default: str | None) -> str:
        """A part of the topics' names; one without a default has to be there."""
        value = self._table.get(key, default)
        if isinstance(value, str) and _NAME.fullmatch(value):
            return value
        if value is None:
            self._missing(key, '"cocoCohort"', "as its platforms have it")
        else:
            self._wrong(
                key,
                f"{value!r} can't stand in the name of a topic",
                "use letters, digits, dot, underscore and hyphen, 63 at most",
            )
        return default or ""

    def brokers(self) -> tuple[HostPort, ...]:
        found = []
        for each in self._list("brokers", '["kafka.plant:9092"]', "where Kafka is"):
            place = address(each, DEFAULT_KAFKA_PORT)
            if place is not None and place.port:
                found.append(place)
                continue
            self._wrong(
                "brokers",
                f"{each!r} is no host, with a port or without",
                f"write it like kafka.plant, 10.1.2.7:{DEFAULT_KAFKA_PORT} or [fd00::7]",
            )
        return tuple(found)

    def admit(self) -> tuple[IPv4Network | IPv6Network, ...]:
        why = "the addresses of its platforms: nobody else is let in"
        found = []
        for each in self._list("admit", '["10.1.2.0/24"]', why):
            try:
                # A number would be taken for an address.
                found.append(ip_network(each if isinstance(each, str) else ""))
            except ValueError:
                self._wrong(
                    "admit",
                    f"{each!r} is no range of addresses",
                    _whole_range(each)
                    or "write it like 10.1.2.0/24, 10.1.2.7 or "
                    "fd00:1::/64; names of hosts can't stand here",
                )
        return tuple(found)

    def choice(self, key: str, choices: tuple[str, ...], default: str) -> str:
        return self._source.choice(_TABLE, self._table, key, choices, default)

    def listen(self, default: HostPort) -> HostPort:
        return self._source.place(_TABLE, self._table, "listen", default)

    def text(self, key: str) -> str | None:
        return self._source.text(_TABLE, self._table, key)

    def file(self, key: str) -> Path | None:
        return self._source.file(_TABLE, self._table, key)

    def rule(self, key: str) -> EventRule:
        return read_rule(self._source, _TABLE, self._table, key)

    def address(self, transport: str) -> str | None:
        transport = str(self._table.get("transport", transport))
        value = self._table.get("address")
        if value is None or (isinstance(value, str) and _is_root(value, transport)):
            return None if value is None else str(value).removesuffix("/")
        self._wrong(
            "address",
            f"{value!r} is no place where platforms can ask",
            f'write it like "{transport}://pi.plant:9446", without a path; '
            "the scheme is the transport's",
        )
        return None

    def check_kafka(self, protocol: str) -> None:
        """Whether what stands there of Kafka's security goes with its protocol."""
        if protocol.startswith("SASL_"):
            for key in ("broker_user", "broker_password_file"):
                if key not in self._table:
                    self._missing(key, '"..."', f"{protocol} is a log-in")
        else:
            self._idle(("broker_user", "broker_password_file"), "SASL_SSL")
        if not protocol.endswith("SSL"):
            self._idle(("broker_ca_file",), "SSL")

    def check_tls(self, transport: str) -> None:
        """Whether the files of TLS are there for https, and for it alone."""
        for key in _TLS:
            if transport == "http" and key in self._table:
                self._wrong(
                    key,
                    f"{key} is for TLS, which http doesn't use",
                    'write transport = "https", or leave it out',
                )
            if transport == "https" and key not in self._table and key != "ca_file":
                self._missing(
                    key,
                    f'"/etc/edgenode/{key.removesuffix("_file")}.pem"',
                    'what this node shows platforms, or transport = "http"',
                )

    def check_pair(self, user: str, password: str) -> None:
        """Whether a user and a password stand there together, or neither."""
        for key, other in ((user, password), (password, user)):
            if key in self._table and other not in self._table:
                self._wrong(
                    key,
                    f"{key} stands without {other}",
                    "name both, or leave both out",
                )
        name = str(self._table.get(user, ""))
        if ":" in name or not name.isascii() or not name.isprintable():
            self._wrong(
                user,
                f"{name!r} can't be told by basic authentication",
                "use ASCII, without a colon",
            )

    def _list(self, key: str, example: str, why: str) -> Iterator[object]:
        """What a list holds that has to be there."""
        value = self._table.get(key, [])
        if value == []:
            self._missing(key, example, why)
        elif isinstance(value, list):
            yield from value
        else:
            self._wrong(key, f"{key} is no list", f'write {key} = ["{value}"]')

    def _idle(self, keys: tuple[str, ...], protocol: str) -> None:
        for key in keys:
            if key in self._table:
                self._wrong(
                    key,
                    f"{key} is for a security_protocol that this isn't",
                    f'write security_protocol = "{protocol}", or leave it out',
                )

    def _missing(self, key: str, example: str, why: str) -> None:
        self._wrong(key, f"{key} is missing", f"write {key} = {example}: {why}")

    def _wrong(self, key: str, what: str, mend: str) -> None:
        self._source.wrong(_TABLE, key, what, mend)


def _whole_range(value: object) -> str | None:
    """What may have been meant by an address inside of a range."""
    try:
        return f'write "{ip_network(str(value), strict=False)}"'
    except ValueError:
        return None


def _is_root(text: str, transport: str) -> bool:
    """Whether a text is a URL of that scheme with a host, and nothing behind it."""
    scheme, mark, rest = text.partition("://")
    where = address(rest.removesuffix("/"), {"http": 80, "https": 443}.get(scheme))
    return bool(mark) and scheme == transport and where is not None and where.port > 0
