"""The configuration: defaults, file, environment, and mistakes that say where they are."""

import json
import re
import socket
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenode.config import (
    ENVIRONMENT,
    SETTINGS,
    CohortConfig,
    ConfigError,
    EventRule,
    HostPort,
    KafkaCohortConfig,
    Mistake,
    NodeConfig,
    ServerConfig,
    SharedBroker,
    default_data_directory,
    default_server_name,
    load_config,
)
from edgenode.config.addresses import address
from edgenode.config.cohort import read_cohort
from edgenode.config.lines import lines_of_keys
from edgenode.config.source import Source
from edgenode.events.exchange import OpenMetadataExchangeRule as Rule
from edgenode.releases import RELEASES, SERVED
from edgenode.security.keys import is_cohort_name

HOME = {"HOME": "/home/pi"}
DEFAULTS = NodeConfig(
    source=None,
    host="127.0.0.1",
    port=9443,
    data_directory=Path("/home/pi/.local/state/edgenode"),
    log_format="text",
    log_level="info",
    servers=(
        ServerConfig(name=default_server_name(Path("/nowhere")), release=SERVED.name),
    ),
)
NOT_SERVED = next(name for name in RELEASES if name != SERVED.name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "edgenode.toml"


def loaded(
    file: Path, text: str, environment: Mapping[str, str] | None = None
) -> NodeConfig:
    file.write_text(text, encoding="utf-8")
    return load_config(file, HOME | dict(environment or {}))


def mistakes(
    file: Path, text: str, environment: Mapping[str, str] | None = None
) -> tuple[Mistake, ...]:
    with pytest.raises(ConfigError) as caught:
        loaded(file, text, environment)
    return caught.value.mistakes


def mistake(
    file: Path, text: str, environment: Mapping[str, str] | None = None
) -> Mistake:
    (only,) = mistakes(file, text, environment)
    return only


# What holds


def test_without_a_file_the_defaults_hold() -> None:
    assert load_config(None, HOME) == DEFAULTS


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n", "[node]\n"])
def test_an_empty_file_changes_nothing(file: Path, text: str) -> None:
    assert loaded(file, text) == replace(DEFAULTS, source=file)


def test_every_setting_is_read(file: Path) -> None:
    text = f"""
        [node]
        listen = "0.0.0.0:80"
        data_directory = "/srv/metadata"
        log_format = "json"
        log_level = "debug"

        [[server]]
        name = "cellar"
        release = "{SERVED.name}"
        organization_name = "Home"
        metadata_collection_name = "Cellar sensors"

        [[server]]
        name = "attic"

        [cohort]
        mode = "open"
        name = "bench"
        join_file = "/boot/firmware/edgenode.token"
        listen = "[fd00::7]:1"
        peers = ["pi.local", "192.168.1.7:2", "[fe80::1%eth0]:3", "[fd00::8]"]
        discovery = false
        interfaces = ["eth0", "wlan0"]
        bus = "mqtts://broker"
        bus_listen = "127.0.0.1:4"
        bus_user = "edgenode"
        bus_password_file = "/etc/edgenode/password"
        bus_ca_file = "/etc/edgenode/ca.pem"
        events_to_send = "SELECTED_TYPES"
        events_to_send_types = ["GlossaryTerm", "Asset"]
        events_to_save = "LEARNED_TYPES"
        events_to_process = "DESELECTED_TYPES"
        events_to_process_types = ["ToDo"]
        """
    assert loaded(file, text) == NodeConfig(
        source=file,
        host="0.0.0.0",  # noqa: S104 - nothing listens
        port=80,
        data_directory=Path("/srv/metadata"),
        log_format="json",
        log_level="debug",
        servers=(
            ServerConfig(
                name="cellar",
                release=SERVED.name,
                organization_name="Home",
                metadata_collection_name="Cellar sensors",
            ),
            ServerConfig(name="attic", release=SERVED.name),
        ),
        cohort=CohortConfig(
            mode="open",
            name="bench",
            join_file=Path("/boot/firmware/edgenode.token"),
            listen=HostPort("fd00::7", 1),
            peers=(
                HostPort("pi.local", 9444),
                HostPort("192.168.1.7", 2),
                HostPort("fe80::1%eth0", 3),
                HostPort("fd00::8", 9444),
            ),
            discovery=False,
            interfaces=("eth0", "wlan0"),
            bus=SharedBroker(
                address=HostPort("broker", 8883),
                is_encrypted=True,
                user="edgenode",
                password_file=Path("/etc/edgenode/password"),
                ca_file=Path("/etc/edgenode/ca.pem"),
            ),
            bus_listen=HostPort("127.0.0.1", 4),
            events_to_send=EventRule(Rule.SELECTED_TYPES, ("GlossaryTerm", "Asset")),
            events_to_save=EventRule(Rule.LEARNED_TYPES),
            events_to_process=EventRule(Rule.DESELECTED_TYPES, ("ToDo",)),
        ),
    )
    read = tomllib.loads(text)
    nothing = {"events_to_save_types"}  # it has no use beside that rule
    assert read["cohort"].keys() | nothing == SETTINGS["cohort"]
    assert read["node"].keys() == SETTINGS["node"]
    assert read["server"][0].keys() == SETTINGS["server"]


KAFKA = """
[kafka_cohort]
name = "cocoCohort"
brokers = ["kafka.plant"]
admit = ["10.1.2.0/24"]
"""
CERTIFICATE = 'certificate_file = "/e/c.pem"\nkey_file = "/e/k.pem"\n'


def test_every_setting_of_a_kafka_cohort_is_read(file: Path) -> None:
    text = """
        [kafka_cohort]
        name = "cocoCohort"
        brokers = ["kafka.plant", "10.1.2.7:1", "[fd00::7]:2"]
        topic_root = "plant.1"
        topics = "single"
        security_protocol = "SASL_SSL"
        broker_user = "edge"
        broker_password_file = "/e/broker"
        broker_ca_file = "/e/kafka.pem"
        transport = "https"
        certificate_file = "/e/certificate.pem"
        key_file = "/e/key.pem"
        ca_file = "/e/ca.pem"
        listen = "10.1.2.3:4"
        address = "https://pi.plant:5/"
        admit = ["10.1.2.0/24", "10.1.3.7", "fd00:1::/64"]
        user = "platform"
        password_file = "/e/password"
        events_to_send = "SELECTED_TYPES"
        events_to_send_types = ["GlossaryTerm", "Asset"]
        events_to_save = "LEARNED_TYPES"
        events_to_process = "DESELECTED_TYPES"
        events_to_process_types = ["ToDo"]
    """
    assert loaded(file, text).kafka_cohort == KafkaCohortConfig(
        name="cocoCohort",
        brokers=(
            HostPort("kafka.plant", 9092),
            HostPort("10.1.2.7", 1),
            HostPort("fd00::7", 2),
        ),
        topic_root="plant.1",
        topics="single",
        security_protocol="SASL_SSL",
        broker_user="edge",
        broker_password_file=Path("/e/broker"),
        broker_ca_file=Path("/e/kafka.pem"),
        transport="https",
        certificate_file=Path("/e/certificate.pem"),
        key_file=Path("/e/key.pem"),
        ca_file=Path("/e/ca.pem"),
        listen=HostPort("10.1.2.3", 4),
        address="https://pi.plant:5",
        admit=(
            ip_network("10.1.2.0/24"),
            ip_network("10.1.3.7/32"),
            ip_network("fd00:1::/64"),
        ),
        user="platform",
        password_file=Path("/e/password"),
        events_to_send=EventRule(Rule.SELECTED_TYPES, ("GlossaryTerm", "Asset")),
        events_to_save=EventRule(Rule.LEARNED_TYPES),
        events_to_process=EventRule(Rule.DESELECTED_TYPES, ("ToDo",)),
    )
    read = tomllib.loads(text)["kafka_cohort"].keys()
    assert read | {"events_to_save_types"} == SETTINGS["kafka_cohort"]


def test_a_kafka_cohort_needs_little(file: Path) -> None:
    assert loaded(file, "").kafka_cohort is None
    found = loaded(file, KAFKA + 'transport = "http"').kafka_cohort
    assert found == KafkaCohortConfig(
        name="cocoCohort",
        brokers=(HostPort("kafka.plant", 9092),),
        admit=(ip_network("10.1.2.0/24"),),
        transport="http",
    )
    assert found.told_address(7) == f"http://{socket.gethostname()}:7"
    with_one = KAFKA + CERTIFICATE + 'address = "https://pi.plant"'
    found = loaded(file, with_one).kafka_cohort
    assert found is not None
    assert found.told_address(7) == "https://pi.plant"


@pytest.mark.parametrize(
    ("key", "value", "what", "mend"),
    [
        ("name", '"a b"', "'a b'", "letters, digits"),
        ("topic_root", '"a/b"', "'a/b'", "letters, digits"),
        ("topics", '"both"', "'both'", "dedicated or single"),
        ("brokers", '"kafka"', "no list", 'brokers = ["kafka"]'),
        ("brokers", '["kafka:0"]', "'kafka:0'", "10.1.2.7:9092"),
        ("brokers", "[]", "brokers is missing", "kafka.plant:9092"),
        ("security_protocol", '"TLS"', "'TLS'", "SASL_SSL"),
        ("broker_user", '"u"', "broker_user", "SASL_SSL"),
        ("broker_ca_file", '"/e/ca"', "broker_ca_file", '"SSL"'),
        ("transport", '"tls"', "'tls'", "https or http"),
        ("certificate_file", '"c.pem"', "'c.pem'", "from the root"),
        ("listen", '"9446"', "'9446'", "[::]:9446"),
        ("listen", '"[::]:9444"', "taken by cohort.listen", "a port of its own"),
        ("address", '"http://pi"', "'http://pi'", "https://pi.plant:9446"),
        ("address", '"https://pi/servers"', "/servers", "without a path"),
        ("address", '"pi.plant"', "'pi.plant'", "https://pi.plant:9446"),
        ("admit", '"10.1.2.0/24"', "no list", 'admit = ["10.1.2.0/24"]'),
        ("admit", "[]", "admit is missing", "10.1.2.0/24"),
        ("admit", '["10.1.2.3/24"]', "'10.1.2.3/24'", 'write "10.1.2.0/24"'),
        ("admit", '["pi.plant"]', "'pi.plant'", "names of hosts"),
        ("admit", "[7]", "7 is no range", "10.1.2.7"),
        ("user", '"platform"', "without password_file", "name both"),
        ("password_file", '"/e/p"', "without user", "name both"),
        ("events_to_send", '"SOME"', "'SOME'", "JUST_TYPEDEFS"),
        ("name", '"cohort"', "the cohort of nodes is called cohort", "cohort.name"),
        ("zookeeper", '"pi"', "zookeeper isn't known", "the keys of kafka_cohort"),
    ],
)
def test_a_mistake_in_a_kafka_cohort(
    file: Path, key: str, value: str, what: str, mend: str
) -> None:
    lines = (KAFKA + CERTIFICATE).splitlines()
    kept = [line for line in lines if not line.startswith(f"{key} =")]
    found = mistake(file, "\n".join([*kept, f"{key} = {value}"]))
    assert found.where == f"{file}:{len(kept) + 1}"
    assert what in found.what
    assert mend in found.mend


def test_what_is_missing_of_a_kafka_cohort_is_told(file: Path) -> None:
    found = mistakes(file, '\n[kafka_cohort]\nsecurity_protocol = "SASL_SSL"')
    assert {each.where for each in found} == {f"{file}:2"}
    assert [each.what for each in found] == [
        f"{key} is missing"
        for key in (
            "name",
            "brokers",
            "admit",
            "broker_user",
            "broker_password_file",
            "certificate_file",
            "key_file",
        )
    ]


@pytest.mark.parametrize("user", ["a:b", "Jürgen", "\\u0007"])
def test_a_user_is_one_that_basic_authentication_can_tell(
    file: Path, user: str
) -> None:
    text = f'{KAFKA}{CERTIFICATE}password_file = "/e/p"\nuser = "{user}"'
    found = mistake(file, text)
    assert found.where == f"{file}:9"
    assert "colon" in found.mend


def test_files_of_tls_are_not_for_http(file: Path) -> None:
    found = mistakes(file, KAFKA + 'transport = "http"\n' + CERTIFICATE)
    assert [each.where for each in found] == [f"{file}:7", f"{file}:8"]
    assert all('transport = "https"' in each.mend for each in found)


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [
        ("127.0.0.1:0", "127.0.0.1", 0),
        ("[::1]:9443", "::1", 9443),
        ("[fe80::1%eth0]:9443", "fe80::1%eth0", 9443),
        ("pi-cellar.local:65535", "pi-cellar.local", 65535),
    ],
)
def test_addresses(file: Path, listen: str, host: str, port: int) -> None:
    config = loaded(file, f'[node]\nlisten = "{listen}"')
    assert (config.host, config.port) == (host, port)


@pytest.mark.parametrize(
    ("bus", "broker"),
    [
        ("embedded", None),
        ("mqtt://pi", SharedBroker(address=HostPort("pi", 1883), is_encrypted=False)),
        (
            "mqtt://127.0.0.1:1/",
            SharedBroker(address=HostPort("127.0.0.1", 1), is_encrypted=False),
        ),
        (
            "mqtts://[fd00::7]",
            SharedBroker(address=HostPort("fd00::7", 8883), is_encrypted=True),
        ),
    ],
)
def test_buses(file: Path, bus: str, broker: SharedBroker | None) -> None:
    assert loaded(file, f'[cohort]\nbus = "{bus}"').cohort.bus == broker


def test_addresses_are_written_as_they_are_read() -> None:
    for text in ("127.0.0.1:1", "[::]:9444", "pi.local:0", "[fe80::1%eth0]:65535"):
        assert str(address(text)) == text


@given(
    st.text(st.sampled_from("aZ0._-/# ä"), max_size=4)
    | st.text(st.characters(max_codepoint=0xD7FF), max_size=70)
)
def test_a_cohorts_name_is_one_that_a_key_can_have(name: str) -> None:
    source = Source(None, f"[cohort]\nname = {json.dumps(name)}", {})
    read_cohort(source)
    if is_cohort_name(name):
        source.check()
    else:
        with pytest.raises(ConfigError):
            source.check()


@pytest.mark.parametrize(
    ("listen", "local"),
    [
        ("127.0.0.1:1", True),
        ("127.3.2.1:1", True),
        ("[::1]:1", True),
        ("localhost:1", True),
        ("0.0.0.0:1", False),
        ("[::]:1", False),
        ("192.168.1.7:1", False),
        ("pi.local:1", False),
    ],
)
def test_is_local(file: Path, listen: str, local: bool) -> None:
    assert loaded(file, f'[node]\nlisten = "{listen}"').is_local is local


def test_a_home_is_put_in_for_the_tilde(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/pi")
    config = loaded(file, '[node]\ndata_directory = "~/metadata"')
    assert config.data_directory == Path("/home/pi/metadata")


def test_files_from_other_systems_are_read(file: Path) -> None:
    file.write_bytes(b'\xef\xbb\xbf[node]\r\nlog_level = "error"\r\n')
    assert load_config(file, HOME).log_level == "error"


# The environment

OVERRULING: dict[str, tuple[str, dict[str, Any]]] = {
    "EDGENODE_LISTEN": ("0.0.0.0:1234", {"host": "0.0.0.0", "port": 1234}),  # noqa: S104
    "EDGENODE_DATA_DIRECTORY": ("/data", {"data_directory": Path("/data")}),
    "EDGENODE_LOG_FORMAT": ("json", {"log_format": "json"}),
    "EDGENODE_LOG_LEVEL": ("warning", {"log_level": "warning"}),
    "EDGENODE_SERVER_NAME": (
        "attic",
        {"servers": (replace(DEFAULTS.servers[0], name="attic"),)},
    ),
    "EDGENODE_COHORT_MODE": ("none", {"cohort": CohortConfig(mode="none")}),
    "EDGENODE_COHORT_JOIN_FILE": (
        "/boot/token",
        {"cohort": CohortConfig(join_file=Path("/boot/token"))},
    ),
    "EDGENODE_COHORT_LISTEN": (
        "127.0.0.1:7",
        {"cohort": CohortConfig(listen=HostPort("127.0.0.1", 7))},
    ),
    "EDGENODE_COHORT_BUS_LISTEN": (
        "[::1]:8",
        {"cohort": CohortConfig(bus_listen=HostPort("::1", 8))},
    ),
    "EDGENODE_COHORT_PEERS": (
        "pi.local, [fd00::7]:1",
        {
            "cohort": CohortConfig(
                peers=(HostPort("pi.local", 9444), HostPort("fd00::7", 1))
            )
        },
    ),
}
FILE = """
[node]
listen = "127.0.0.1:1"
data_directory = "/file"
log_format = "text"
log_level = "debug"
[[server]]
name = "file"
"""
COHORT_FILE = """
[cohort]
mode = "keyed"
listen = "127.0.0.1:2"
bus_listen = "127.0.0.1:3"
peers = ["file"]
"""


def test_every_variable_is_tried() -> None:
    assert OVERRULING.keys() == ENVIRONMENT.keys()


@pytest.mark.parametrize("variable", OVERRULING)
def test_the_environment_overrules(file: Path, variable: str) -> None:
    value, changes = OVERRULING[variable]
    environment = {variable: value}
    assert load_config(None, HOME | environment) == replace(DEFAULTS, **changes)
    by_file = loaded(file, FILE)
    assert loaded(file, FILE, environment) == replace(by_file, **changes)


@pytest.mark.parametrize("variable", [each for each in OVERRULING if "COHORT" in each])
def test_the_environment_overrules_the_table_of_the_cohort(
    file: Path, variable: str
) -> None:
    value, changes = OVERRULING[variable]
    key = ENVIRONMENT[variable][1]
    by_file = loaded(file, COHORT_FILE).cohort
    changed: dict[str, Any] = {key: getattr(changes["cohort"], key)}
    assert getattr(by_file, key) != changed[key]
    overruled = loaded(file, COHORT_FILE, {variable: value}).cohort
    assert overruled == replace(by_file, **changed)


@pytest.mark.parametrize("variable", OVERRULING)
def test_an_empty_variable_says_nothing(file: Path, variable: str) -> None:
    assert loaded(file, FILE, {variable: ""}) == loaded(file, FILE)


def test_the_environment_mends_what_the_file_has_wrong(file: Path) -> None:
    text = '[node]\nlisten = "nowhere"'
    assert loaded(file, text, {"EDGENODE_LISTEN": "127.0.0.1:5"}).port == 5


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("EDGENODE_LISTEN", "9443"),
        ("EDGENODE_DATA_DIRECTORY", "here"),
        ("EDGENODE_LOG_FORMAT", "xml"),
        ("EDGENODE_LOG_LEVEL", "loud"),
        ("EDGENODE_SERVER_NAME", "a/b"),
        ("EDGENODE_COHORT_MODE", "closed"),
        ("EDGENODE_COHORT_JOIN_FILE", "token"),
        ("EDGENODE_COHORT_LISTEN", "9444"),
        ("EDGENODE_COHORT_BUS_LISTEN", "pi"),
        ("EDGENODE_COHORT_PEERS", "a b"),
    ],
)
def test_a_wrong_variable_is_named(file: Path, variable: str, value: str) -> None:
    found = mistake(file, FILE, {variable: value})
    assert found.where == variable
    assert value in found.what
    assert found.mend


def test_a_variable_names_the_file(file: Path) -> None:
    file.write_text('[node]\nlog_level = "error"')
    environment = HOME | {"EDGENODE_CONFIG": str(file)}
    config = load_config(None, environment)
    assert (config.source, config.log_level) == (file, "error")


def test_the_file_that_is_given_comes_before_the_variables(file: Path) -> None:
    environment = {"EDGENODE_CONFIG": "/nowhere/at/all.toml"}
    assert loaded(file, "", environment).source == file


def test_the_name_in_the_environment_is_the_first_servers(file: Path) -> None:
    text = '[[server]]\nname = "one"\n[[server]]\nname = "two"'
    named = loaded(file, text, {"EDGENODE_SERVER_NAME": "zero"})
    assert [server.name for server in named.servers] == ["zero", "two"]


def test_the_process_has_an_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGENODE_LISTEN", "127.0.0.1:4321")
    assert load_config().port == 4321


# Defaults that depend on the machine


@pytest.mark.parametrize(
    ("environment", "directory"),
    [
        (HOME, "/home/pi/.local/state/edgenode"),
        (HOME | {"XDG_STATE_HOME": "/state"}, "/state/edgenode"),
        (HOME | {"XDG_STATE_HOME": "state"}, "/home/pi/.local/state/edgenode"),
        (HOME | {"STATE_DIRECTORY": "/var/lib/edgenode"}, "/var/lib/edgenode"),
        (
            HOME | {"STATE_DIRECTORY": "/var/lib/a:/var/lib/b", "XDG_STATE_HOME": "/s"},
            "/var/lib/a",
        ),
    ],
)
def test_default_data_directory(environment: dict[str, str], directory: str) -> None:
    assert default_data_directory(environment) == Path(directory)
    assert load_config(None, environment).data_directory == Path(directory)


def test_no_home_is_a_mistake_with_a_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(ConfigError, match="a directory from the root"):
        load_config(None, {})
    given = {"EDGENODE_DATA_DIRECTORY": "/data"}
    assert load_config(None, given).data_directory == Path("/data")


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("pi-cellar", "pi-cellar"),
        ("pi.example.org", "pi"),
        ("küche", "k-che"),
        ("-", "edgenode"),
        ("", "edgenode"),
        ("x" * 64, "edgenode"),
    ],
)
def test_the_server_is_named_after_the_host(
    monkeypatch: pytest.MonkeyPatch, host: str, name: str
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: host)
    assert default_server_name(Path("/nowhere")) == name
    assert load_config(None, HOME).servers[0].name == name


def test_the_only_server_keeps_its_name_when_the_host_changes_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "attic")
    environment = {"STATE_DIRECTORY": str(tmp_path)}
    (tmp_path / "servers" / "no server").mkdir(parents=True)
    (tmp_path / "servers" / "cellar").mkdir()
    assert load_config(None, environment).servers[0].name == "cellar"
    file = tmp_path / "edgenode.toml"
    file.write_text('[[server]]\nname = "cellar"\n[[server]]\n')
    both = load_config(file, environment).servers
    assert [each.name for each in both] == ["cellar", "attic"]
    (tmp_path / "servers" / "barn").mkdir()
    assert load_config(None, environment).servers[0].name == "attic"


# Mistakes


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    with pytest.raises(ConfigError) as caught:
        load_config(missing, HOME)
    assert str(caught.value).startswith(f"{missing}: can't be read (No such file")
    with pytest.raises(ConfigError) as caught:
        load_config(None, HOME | {"EDGENODE_CONFIG": str(missing)})
    assert str(caught.value).startswith(f"EDGENODE_CONFIG: {missing}: can't be read")


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read"):
        load_config(tmp_path, HOME)


def test_a_file_that_is_not_utf_8(file: Path) -> None:
    file.write_bytes('[node]\nlog_level = "info"'.encode("utf-16"))
    with pytest.raises(ConfigError, match="save the file as UTF-8"):
        load_config(file, HOME)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[node]\nlisten = 127.0.0.1:9443\n", 2),
        ("[node]\n\n[node]\n", 3),
        ('[node]\nlisten = """\n\n', 2),
        ("[node", 1),
        ("\x00", 1),
    ],
)
def test_what_is_no_toml_is_told_by_its_line(file: Path, text: str, line: int) -> None:
    found = mistake(file, text)
    assert found.where == f"{file}:{line}"
    assert "edgenode.example.toml" in found.mend


@pytest.mark.parametrize(
    ("text", "line", "what", "mend"),
    [
        # Values
        ('[node]\nlisten = "9443"', 2, "'9443'", "127.0.0.1:9443"),
        ("[node]\nlisten = 9443", 2, "9443", "127.0.0.1:9443"),
        ('[node]\nlisten = "::1:9443"', 2, "'::1:9443'", "[::1]:9443"),
        ('[node]\nlisten = "[::g]:9443"', 2, "'[::g]:9443'", "[::1]:9443"),
        ('[node]\nlisten = "[127.0.0.1]:1"', 2, "'[127.0.0.1]:1'", "[::1]"),
        ('[node]\nlisten = "300.0.0.1:1"', 2, "'300.0.0.1:1'", "127.0.0.1"),
        ('[node]\nlisten = "pi:65536"', 2, "'pi:65536'", "127.0.0.1:9443"),
        ('[node]\nlisten = "pi:٣"', 2, "'pi:٣'", "127.0.0.1:9443"),
        ('[node]\nlisten = "http://pi:1"', 2, "'http://pi:1'", "127.0.0.1"),
        ('[node]\nlisten = "a b:1"', 2, "'a b:1'", "127.0.0.1"),
        ('[node]\nlisten = "a..b:1"', 2, "'a..b:1'", "127.0.0.1"),
        ('[node]\ndata_directory = "data"', 2, "'data'", "/var/lib/edgenode"),
        ("[node]\ndata_directory = true", 2, "True", "/var/lib/edgenode"),
        ('[node]\ndata_directory = ""', 2, "''", "/var/lib/edgenode"),
        ('[node]\ndata_directory = "/a\\u0000"', 2, "x00", "/var/lib/edgenode"),
        ('[node]\ndata_directory = "~nobody-here/x"', 2, "nobody-here", "/var/lib"),
        ('[node]\n\nlog_format = "xml"', 3, "'xml'", "text or json"),
        ("[node]\nlog_level = 3", 2, "3", "debug or info or warning or error"),
        ('[node]\nlog_level = ["info"]', 2, "['info']", "debug or info"),
        ('[[server]]\nname = ""', 2, "''", "letters, digits"),
        ('[[server]]\nname = "../x"', 2, "'../x'", "letters, digits"),
        ('[[server]]\nname = "a b"', 2, "'a b'", "letters, digits"),
        (f'[[server]]\nname = "{"x" * 64}"', 2, "xxx", "63 at most"),
        ("[[server]]\nname = 7", 2, "7", "letters, digits"),
        ('[[server]]\norganization_name = ["a"]', 2, "organization_name", '"..."'),
        ("[[server]]\nmetadata_collection_name = 1", 2, "no text", '"..."'),
        ('[[server]]\nrelease = "1.0"', 2, "'1.0' isn't served", SERVED.name),
        (
            f'[[server]]\nrelease = "{NOT_SERVED}"',
            2,
            f"{NOT_SERVED!r} isn't served yet",
            SERVED.name,
        ),
        ('[[server]]\nrelease = ["x"]', 2, "['x'] isn't served", SERVED.name),
        # The cohort
        ('[cohort]\nmode = "shut"', 2, "'shut'", "keyed or open or none"),
        ('[cohort]\nname = "a b"', 2, "'a b'", "letters, digits"),
        (f'[cohort]\nname = "{"x" * 64}"', 2, "xxx", "63 at most"),
        ("[cohort]\nname = 1", 2, "1", "letters, digits"),
        ('[cohort]\njoin_file = "token"', 2, "'token'", "from the root"),
        ('[cohort]\nlisten = "9444"', 2, "'9444'", "[::]:9444"),
        ('[cohort]\nlisten = "pi"', 2, "'pi'", "[::]:9444"),
        ("[cohort]\nbus_listen = 8883", 2, "8883", "[::]:8883"),
        ('[cohort]\npeers = "pi"', 2, "no list", 'peers = ["pi"]'),
        ('[cohort]\npeers = ["a b"]', 2, "'a b'", "pi.local"),
        ("[cohort]\npeers = [7]", 2, "7", "pi.local"),
        ('[cohort]\npeers = ["fd00::7"]', 2, "fd00::7", "[fd00::7]"),
        ('[cohort]\npeers = ["pi:0"]', 2, "'pi:0'", "pi.local"),
        ("[cohort]\ndiscovery = 1", 2, "1 is neither", "true or false"),
        ('[cohort]\ninterfaces = "eth0"', 2, "'eth0'", '["eth0"]'),
        ('[cohort]\ninterfaces = ["a/b"]', 2, "a/b", '["eth0"]'),
        ('[cohort]\nbus = "mosquitto"', 2, "'mosquitto'", "mqtts://HOST"),
        ("[cohort]\nbus = 1", 2, "1 is no bus", "embedded"),
        ('[cohort]\nbus = "mqtt://u:p@pi"', 2, "u:p@pi", "bus_user"),
        ('[cohort]\nbus = "http://pi"', 2, "http", "mqtts://HOST"),
        ('[cohort]\nbus = "mqtt://pi:0"', 2, "pi:0", "mqtts://HOST"),
        ('[cohort]\nbus_user = "u"', 2, "bus_user", 'bus = "mqtts://HOST"'),
        ('[cohort]\nbus = "mqtt://pi"\nbus_user = ""', 3, "''", 'bus_user = "..."'),
        (
            '[cohort]\nbus = "mqtt://pi"\nbus_password_file = "/p"',
            3,
            "without bus_user",
            "name the user",
        ),
        (
            '[cohort]\nbus = "mqtt://pi"\nbus_ca_file = "/p"',
            3,
            "bus_ca_file",
            "mqtts://pi",
        ),
        ('[cohort]\nevents_to_send = "SOME"', 2, "'SOME'", "JUST_TYPEDEFS"),
        ("[cohort]\nevents_to_process = 99", 2, "99", "REGISTRATION_ONLY"),
        (
            '[cohort]\nevents_to_send = "LEARNED_TYPES"',
            2,
            "LEARNED_TYPES",
            "SELECTED_TYPES or DESELECTED_TYPES or ALL",
        ),
        (
            '[cohort]\nevents_to_save = "SELECTED_TYPES"',
            2,
            "names no types",
            "events_to_save_types",
        ),
        (
            '[cohort]\nevents_to_save_types = ["Asset"]',
            2,
            "nothing for ALL",
            "SELECTED_TYPES",
        ),
        (
            '[cohort]\nlisten = "[::]:7000"\nbus_listen = "127.0.0.1:7000"',
            3,
            "cohort.bus_listen = 127.0.0.1:7000 is taken by cohort.listen = [::]:7000",
            "a port of its own",
        ),
        (
            '[node]\nlisten = "127.0.0.1:7000"\n[cohort]\nlisten = "0.0.0.0:7000"',
            4,
            "cohort.listen = 0.0.0.0:7000 is taken by node.listen = 127.0.0.1:7000",
            "a port of its own",
        ),
        # Servers
        (
            '[[server]]\nname = "a"\n[[server]]\nname = "b"\n[[server]]\nname = "a"',
            6,
            "'a' is there twice",
            "a name of its own",
        ),
        ("[[server]]\n\n[[server]]\n", 3, "is there twice", "a name of its own"),
        # Tables
        ("[server]\n", 1, "server is no list of tables", "[[server]]"),
        ("\nserver = []", 2, "server is no list of tables", "[[server]]"),
        ("server = [{}, 1]", 1, "server is no list of tables", "[[server]]"),
        ("server = 1", 1, "server is no list of tables", "[[server]]"),
        ("[[node]]", 1, "node is no table", "[node]"),
        ('node = "x"', 1, "node is no table", "[node]"),
        # Names
        ("[node]\nlisten_on = 1", 2, "listen_on isn't known", "write listen"),
        ("[node]\nLog_Level = 1", 2, "Log_Level isn't known", "write log_level"),
        ("[node]\ndatadirectory = 1", 2, "isn't known", "write data_directory"),
        ("[[server]]\norganisation_name = 1", 2, "known", "write organization_name"),
        (
            "[node]\nqqqq = 1",
            2,
            "qqqq isn't known",
            "the keys of node are data_directory, listen, log_format, log_level",
        ),
        ("\n[nodes]", 2, "nodes isn't known", "write node"),
        ("[[servers]]\nx = 1", 1, "servers isn't known", "write server"),
        ("[zzzz]", 1, "zzzz isn't known", "the tables are cohort, kafka_cohort"),
        ('listen = "127.0.0.1:1"', 1, "listen isn't known", "below [node]"),
        ('name = "attic"', 1, "name isn't known", "below [[server]]"),
        ("log-level = 1", 1, "isn't known", "the tables are cohort, kafka_cohort"),
    ],
)
def test_a_mistake_names_its_line_and_its_mend(
    file: Path, text: str, line: int, what: str, mend: str
) -> None:
    found = mistake(file, text)
    assert found.where == f"{file}:{line}"
    assert what in found.what
    assert mend in found.mend
    assert str(found) == f"{found.where}: {found.what}. Mend: {found.mend}."


@pytest.mark.parametrize(
    "cohort",
    [
        'mode = "none"\nlisten = "127.0.0.1:9443"',
        'listen = "127.0.0.2:9443"',
        'listen = "[::1]:9443"',
        'listen = "[::]:0"\nbus_listen = "[::]:0"',
        'bus = "mqtts://pi"\nbus_listen = "[::]:9444"',
    ],
)
def test_places_that_do_not_meet_may_have_equal_ports(file: Path, cohort: str) -> None:
    assert loaded(file, f"[cohort]\n{cohort}").port == 9443


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('node.log_level = "loud"', 1),
        ('\nnode = { log_level = "loud" }', 2),
        ('"node".\'log_level\' = "loud"', 1),
        ('# [node]\n# log_level = "loud"\n[ node ] # here\n"log_level" = "loud"', 4),
        ('[node]\nlisten = """127.0.0.1\\\n:1"""\nlog_level = "loud"', 4),
        ('[node]\nlisten = "[::1]:1"\nlog_level = """\nloud"""', 3),
        (
            '[[server]]\norganization_name = """\nlog_level = 1"""\n[node]\nlog_level = "loud"',
            5,
        ),
    ],
)
def test_lines_are_right_however_the_file_is_written(
    file: Path, text: str, line: int
) -> None:
    found = mistake(file, text)
    assert found.where == f"{file}:{line}"
    assert "loud" in found.what


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[[server]]\nname = "a"\n[[server]]\nname = "b"\nrelease = "0"', 5),
        ('server = [{ name = "a" }, { name = "b", release = "0" }]', 1),
        ('[[server]]\nname = "a"\n[node]\n[[server]]\nname = "b"\nrelease = "0"', 6),
    ],
)
def test_lines_are_those_of_the_right_server(file: Path, text: str, line: int) -> None:
    found = mistake(file, text)
    assert found.where == f"{file}:{line}"


def test_the_second_servers_mistakes_are_not_the_variables(file: Path) -> None:
    text = '[[server]]\nname = "a"\n[[server]]\nname = "b/c"'
    found = mistake(file, text, {"EDGENODE_SERVER_NAME": "ok"})
    assert found.where == f"{file}:4"


def test_tables_within_tables_are_unknown_keys(file: Path) -> None:
    text = '[[server]]\nname = "a"\n[server.release]\nname = 1\n[[server]]\nname = "b"'
    found = mistake(file, text)
    assert found.where == f"{file}:3"
    assert "isn't served" in found.what


def test_all_mistakes_are_told_at_once(file: Path) -> None:
    text = """[node]
listen = "x"
log_level = "loud"
volume = 11
[[server]]
name = "a/b"
release = "0"
[choir]
[cohort]
mode = "loud"
"""
    found = mistakes(file, text, {"EDGENODE_LOG_FORMAT": "xml"})
    assert {each.where for each in found} == {
        "EDGENODE_LOG_FORMAT",
        *(f"{file}:{line}" for line in (2, 3, 4, 6, 7, 8, 10)),
    }
    with pytest.raises(ConfigError) as caught:
        loaded(file, text)
    assert len(str(caught.value).splitlines()) == 7


# Whatever stands in it

VALUES = st.recursive(
    st.sampled_from(
        ["true", "7", "1.5", "inf", '""', '"x"', "1979-05-27", '"127.0.0.1:80"']
    )
    | st.text(
        st.characters(exclude_characters='"\\', exclude_categories=("Cc", "Cs"))
    ).map(lambda text: f'"{text}"'),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda all_: f"[{', '.join(all_)}]")
        | inner.map(lambda value: f"{{ name = {value} }}")
    ),
    max_leaves=4,
)
KEYS = st.sampled_from(
    [*SETTINGS, *(key for keys in SETTINGS.values() for key in sorted(keys)), "other"]
)
STATEMENTS = st.one_of(
    st.sampled_from(
        [
            "",
            "# [node]",
            "[node]",
            "[[server]]",
            "[server]",
            "[cohort]",
            "[kafka_cohort]",
            "[[other]]",
        ]
    ),
    st.builds("{} = {}".format, KEYS, VALUES),
    st.builds("{}.{} = {}".format, KEYS, KEYS, VALUES),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STATEMENTS, max_size=8))
def test_any_file_is_used_or_its_mistakes_are_told(
    tmp_path_factory: pytest.TempPathFactory, statements: list[str]
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.toml"
    text = "\n".join(statements)
    file.write_text(text, encoding="utf-8")
    try:
        config = load_config(file, HOME)
    except ConfigError as error:
        for found in error.mistakes:
            line = re.fullmatch(rf"{re.escape(str(file))}:(\d+)", found.where)
            assert line, found
            assert 1 <= int(line[1]) <= max(len(statements), 1)
            assert found.what
            assert found.mend
    else:
        assert config.servers
        assert config.data_directory.is_absolute()


@settings(max_examples=100, deadline=None)
@given(st.lists(STATEMENTS, max_size=8))
def test_every_key_of_a_file_has_its_line(statements: list[str]) -> None:
    """The line is the one where the key first comes into being."""
    text = "\n".join(statements)
    try:
        whole = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    found = lines_of_keys(text)
    for table, content in whole.items():
        for position, entry in enumerate(
            content if isinstance(content, list) else [content]
        ):
            for key in entry if isinstance(entry, dict) else ():
                line = found[table, position, key]
                before = tomllib.loads("\n".join(statements[: line - 1]))
                until = tomllib.loads("\n".join(statements[:line]))
                assert not _has(before, table, position, key)
                assert _has(until, table, position, key)


def _has(tables: dict[str, object], table: str, position: int, key: str) -> bool:
    content = tables.get(table)
    entries = content if isinstance(content, list) else [content]
    entry = entries[position] if position < len(entries) else None
    return isinstance(entry, dict) and key in entry
