"""The settings, their names, and how a mistake in one is told."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from edgenode.errors import EdgeNodeError
from edgenode.events.exchange import OpenMetadataExchangeRule
from edgenode.hosts import is_loopback

DEFAULT_PORT = 9443
DEFAULT_HOST = "127.0.0.1"
DEFAULT_COHORT_PORT = 9444
DEFAULT_BUS_PORT = 8883
DEFAULT_COHORT_NAME = "cohort"
DEFAULT_KAFKA_PORT = 9092
DEFAULT_PLATFORMS_PORT = 9446
SERVERS = "servers"
"""The directory of the data directory in which each server has one, by its name."""
EVERYWHERE = "::"
_ALL_OF_IPV4 = "0.0.0.0"  # noqa: S104 - it is compared, not listened on
LOG_FORMATS = ("text", "json")
LOG_LEVELS = ("debug", "info", "warning", "error")
COHORT_MODES = ("keyed", "open", "none")
KAFKA_TOPICS = ("dedicated", "single")
SECURITY_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
TRANSPORTS = ("https", "http")


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


@dataclass(frozen=True, slots=True)
class HostPort:
    """An address, or a host's name, and a port; without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def overlaps(self, other: "HostPort") -> bool:
        """Whether the two can't both be listened on; port 0 is another one each time."""
        hosts = {self.host, other.host}
        if self.port != other.port or self.port == 0:
            return False
        if len(hosts) == 1 or EVERYWHERE in hosts:
            return True
        return _ALL_OF_IPV4 in hosts and not any(":" in host for host in hosts)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedBroker:
    """A broker that all nodes of a cohort use, in place of those that they embed.

    Attributes:
        address: Where it is.
        is_encrypted: Whether it is spoken to by TLS.
        user: The name to log in with; None to log in without.
        password_file: The file whose first line is the password.
        ca_file: Whose certificates to take, in PEM; None for those the system trusts.
    """

    address: HostPort
    is_encrypted: bool
    user: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class EventRule:
    """Which events are exchanged; ``types`` has names where the rule is about types."""

    rule: OpenMetadataExchangeRule = OpenMetadataExchangeRule.ALL
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortConfig:
    """How the node takes part in a cohort.

    Attributes:
        mode: ``keyed``, ``open`` (whoever knows the name is let in) or ``none``.
        name: What a cohort is called that the node makes at its first start, or the
            one in open mode. A cohort that was joined has its own.
        listen: Where other nodes reach it by mutual TLS.
        bus: The broker that all share; None where each node embeds one.
        bus_listen: Where other nodes reach the broker that it embeds.
        peers: Where to look for other nodes where multicast doesn't get through.
        discovery: Whether nodes are looked for by multicast DNS.
        interfaces: The interfaces to do so on; all of them if it is empty.
        events_to_send: The rule for events that go out.
        events_to_save: The rule for what is kept of other members.
        events_to_process: The rule for events that come in.
        join_file: A file with a join token for the first start; wiped when it is used.
    """

    mode: str = "keyed"
    name: str = DEFAULT_COHORT_NAME
    listen: HostPort = HostPort(EVERYWHERE, DEFAULT_COHORT_PORT)
    bus: SharedBroker | None = None
    bus_listen: HostPort = HostPort(EVERYWHERE, DEFAULT_BUS_PORT)
    peers: tuple[HostPort, ...] = ()
    discovery: bool = True
    interfaces: tuple[str, ...] = ()
    events_to_send: EventRule = EventRule()
    events_to_save: EventRule = EventRule()
    events_to_process: EventRule = EventRule()
    join_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaCohortConfig:
    """How the node takes part in a cohort of Egeria's own platforms.

    Attributes:
        name: The cohort's, as its platforms are configured.
        brokers: Where Kafka is asked first.
        admit: Where platforms may be: nobody else is let in, and nobody elsewhere asked.
        topic_root: What the names of the cohort's topics begin with.
        topics: ``dedicated`` (one each for registrations, types and instances) or
            ``single``.
        security_protocol: How Kafka is spoken to, in its own terms.
        broker_user: The name to log in to Kafka with; None to log in without.
        broker_password_file: The file whose first line is that name's password.
        broker_ca_file: Whose certificates brokers may have, in PEM; None for those the
            system trusts.
        transport: ``https`` or ``http``, both ways between platforms and this node.
        certificate_file: What this node shows platforms, in PEM; None with ``http``.
        key_file: The key of that, in PEM.
        ca_file: Whose certificates platforms may have, in PEM; None for those the system
            trusts.
        listen: Where platforms ask this node.
        address: What the cohort is told of that, a URL without a path; None where it is
            made from this host's name.
        user: The name that platforms log in with; None to let them in without.
        password_file: The file whose first line is that name's password.
        events_to_send: The rule for events that go out.
        events_to_save: The rule for what is kept of other members.
        events_to_process: The rule for events that come in.
    """

    name: str
    brokers: tuple[HostPort, ...]
    admit: tuple[IPv4Network | IPv6Network, ...]
    topic_root: str = "egeria"
    topics: str = "dedicated"
    security_protocol: str = "PLAINTEXT"
    broker_user: str | None = None
    broker_password_file: Path | None = None
    broker_ca_file: Path | None = None
    transport: str = "https"
    certificate_file: Path | None = None
    key_file: Path | None = None
    ca_file: Path | None = None
    listen: HostPort = HostPort(EVERYWHERE, DEFAULT_PLATFORMS_PORT)
    address: str | None = None
    user: str | None = None
    password_file: Path | None = None
    events_to_send: EventRule = EventRule()
    events_to_save: EventRule = EventRule()
    events_to_process: EventRule = EventRule()

    def told_address(self, port: int) -> str:
        """The URL of this node for platforms, without a path.

        Args:
            port: Where it listens in the end, for the setting may have been 0.
        """
        host = socket.gethostname()
        return self.address or f"{self.transport}://{HostPort(host, port)}"


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
        cohort: How it takes part in a cohort of nodes.
        kafka_cohort: How it takes part in one of Egeria's platforms, if it does.
    """

    source: Path | None
    host: str
    port: int
    data_directory: Path
    log_format: str
    log_level: str
    servers: tuple[ServerConfig, ...]
    cohort: CohortConfig = CohortConfig()
    kafka_cohort: KafkaCohortConfig | None = None

    @property
    def is_local(self) -> bool:
        """Whether programs on this machine alone can reach the node."""
        return is_loopback(self.host)


SETTINGS: Mapping[str, frozenset[str]] = {
    "node": frozenset({"listen", "data_directory", "log_format", "log_level"}),
    "server": frozenset(
        {"name", "release", "organization_name", "metadata_collection_name"}
    ),
    "cohort": frozenset(
        {
            "mode",
            "name",
            "join_file",
            "listen",
            "peers",
            "discovery",
            "interfaces",
            "bus",
            "bus_listen",
            "bus_user",
            "bus_password_file",
            "bus_ca_file",
            "events_to_send",
            "events_to_send_types",
            "events_to_save",
            "events_to_save_types",
            "events_to_process",
            "events_to_process_types",
        }
    ),
    "kafka_cohort": frozenset(
        {
            "name",
            "brokers",
            "topic_root",
            "topics",
            "security_protocol",
            "broker_user",
            "broker_password_file",
            "broker_ca_file",
            "transport",
            "certificate_file",
            "key_file",
            "ca_file",
            "listen",
            "address",
            "admit",
            "user",
            "password_file",
            "events_to_send",
            "events_to_send_types",
            "events_to_save",
            "events_to_save_types",
            "events_to_process",
            "events_to_process_types",
        }
    ),
}
"""The tables of the file and their keys."""

ENVIRONMENT: Mapping[str, tuple[str, str]] = {
    "EDGENODE_LISTEN": ("node", "listen"),
    "EDGENODE_DATA_DIRECTORY": ("node", "data_directory"),
    "EDGENODE_LOG_FORMAT": ("node", "log_format"),
    "EDGENODE_LOG_LEVEL": ("node", "log_level"),
    "EDGENODE_SERVER_NAME": ("server", "name"),
    "EDGENODE_COHORT_MODE": ("cohort", "mode"),
    "EDGENODE_COHORT_JOIN_FILE": ("cohort", "join_file"),
    "EDGENODE_COHORT_LISTEN": ("cohort", "listen"),
    "EDGENODE_COHORT_BUS_LISTEN": ("cohort", "bus_listen"),
    "EDGENODE_COHORT_PEERS": ("cohort", "peers"),
}
"""Environment variables that overrule the file; EDGENODE_CONFIG names the file."""
