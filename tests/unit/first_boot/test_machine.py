"""What a machine is told is read as it was meant, or refused with the line and the mend."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edgenode.config import ConfigError, Mistake
from edgenode.first_boot import MachineConfig, read_machine
from edgenode.first_boot.wifi import wpa_supplicant
from tests.unit.security.samples import KEY

PrivateKey = ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
FILE = Path("/boot/machine.toml")
SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43 + " erin@desk"
WHOLE = f"""\
host_name = "cellar"
join_token = "{KEY.token}"
wifi_country = "DE"
wifi_network = "Wärme"
wifi_password = "only for the plant"
ssh_key = ["{SSH_KEY}", "{SSH_KEY}"]
"""


def mistakes(text: str) -> tuple[Mistake, ...]:
    with pytest.raises(ConfigError) as raised:
        read_machine(FILE, text)
    return raised.value.mistakes


def test_everything_is_read() -> None:
    assert read_machine(FILE, WHOLE) == MachineConfig(
        host_name="cellar",
        join_token=KEY.token,
        wifi_country="DE",
        wifi_network="Wärme",
        wifi_password="only for the plant",  # noqa: S106
        ssh_keys=(SSH_KEY, SSH_KEY),
    )


def test_nothing_has_to_be_there() -> None:
    assert read_machine(FILE, "# nothing yet\n") == MachineConfig()


def test_one_key_needs_no_list() -> None:
    assert read_machine(FILE, f'ssh_key = "{SSH_KEY}"').ssh_keys == (SSH_KEY,)


@pytest.mark.parametrize(
    ("line", "mend"),
    [
        ('host_name = "Cellar"', "small letters"),
        ('host_name = "-a"', "small letters"),
        ('host_name = ""', "small letters"),
        (f'host_name = "{"a" * 64}"', "63 at most"),
        ("host_name = 7", "small letters"),
        ('host_name = "localhost"', "every machine"),
        ('join_token = "edge"', "edgenode cohort token"),
        (f'join_token = "{KEY.token[:-2]}"', "edgenode cohort token"),
        ('wifi_country = "Germany"', "two capital letters"),
        ('wifi_country = "UK"', '"GB"'),
        (f'wifi_country = "DE"\nwifi_network = "{"ä" * 17}"', "32 bytes at most"),
        ('wifi_network = "plant"', 'wifi_country = "DE"'),
        ('wifi_password = "12345678"', "the name of the network"),
        ('wifi_network = ""\nwifi_password = "12345678"', "the name of the network"),
        (
            'wifi_country = "DE"\nwifi_network = "a"\nwifi_password = "short"',
            "8 to 63",
        ),
        (
            f'wifi_country = "DE"\nwifi_network = "a"\nwifi_password = "{"a" * 64}"',
            "8 to 63",
        ),
        (
            'wifi_country = "DE"\nwifi_network = "a"\nwifi_password = "Schlüssel"',
            "8 to 63",
        ),
        ('ssh_key = "AAAA"', "id_ed25519.pub"),
        (f'ssh_key = ["{SSH_KEY}", 7]', "id_ed25519.pub"),
        (f'ssh_key = "command=\\"reboot\\" {SSH_KEY}"', "id_ed25519.pub"),
        (f'ssh_key = "{SSH_KEY}\\n{SSH_KEY}"', "id_ed25519.pub"),
        (f'ssh_key = "{SSH_KEY}\\u0000"', "id_ed25519.pub"),
        (f'ssh_key = "{SSH_KEY[:60]}"', "id_ed25519.pub"),
        (f'ssh_key = "{SSH_KEY[:39]}"', "id_ed25519.pub"),
        (f'ssh_key = "ssh-ed25519 {"A" * 68}"', "id_ed25519.pub"),
        (f'ssh_key = "{SSH_KEY.replace("ssh-ed25519", "ssh-rsa", 1)}"', "id_ed"),
        (f'ssh_key = "{SSH_KEY.replace("ssh-ed25519", "ssh-dss", 1)}"', "id_ed"),
        ('wifi_country = "DE"\nwifi_network = "a\\u001b[2J"', "the network's name"),
        ('hostname = "cellar"', "write host_name"),
        ("xyz = 1", "host_name, join_token"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_its_mend(line: str, mend: str) -> None:
    (found,) = mistakes(f"# first\n{line}\n")
    assert found.where == f"machine.toml:{1 + len(line.splitlines())}"
    assert mend in found.mend


def test_all_mistakes_are_told_at_once() -> None:
    found = mistakes('host_name = "A"\nwifi_country = "de"\nssh_key = 1\n')
    assert [each.where for each in found] == [
        f"machine.toml:{line}" for line in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    "key",
    [
        ed25519.Ed25519PrivateKey.generate(),
        rsa.generate_private_key(65_537, 2_048),
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP521R1()),
    ],
    ids=["ed25519", "rsa", "nistp256", "nistp384", "nistp521"],
)
def test_whole_keys_of_each_kind_are_taken(key: PrivateKey) -> None:
    made = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    line = f"{made.decode()} erin at desk"
    assert read_machine(FILE, f'ssh_key = "{line}"').ssh_keys == (line,)


@pytest.mark.parametrize("value", ["[" * 5_000, "1" * 5_000], ids=["deep", "long"])
def test_what_no_reader_takes_is_a_mistake(value: str) -> None:
    (found,) = mistakes(f"host_name = {value}\n")
    assert "isn't TOML" in found.what


def test_what_is_no_toml_is_told_with_its_line() -> None:
    (found,) = mistakes("host_name = cellar\n")
    assert found.where == "machine.toml:1"
    (found,) = mistakes('host_name = "cellar')
    assert found.where == "machine.toml:1"
    assert "quotes" in found.mend


def test_secrets_are_not_repeated() -> None:
    text = 'join_token = "Xy12-secret"\nwifi_password = "Xy12-schlüssel"\n'
    told = " ".join(map(str, mistakes(text) + mistakes('join_token = "Xy12')))
    assert "join_token" in told
    assert "Xy12" not in told


def test_the_key_of_a_network_is_that_of_the_standard() -> None:
    """The first test vector of IEEE 802.11i, annex H.4."""
    machine = MachineConfig(
        wifi_country="US",
        wifi_network="IEEE",
        wifi_password="password",  # noqa: S106
    )
    text = wpa_supplicant(machine).decode()
    assert "ssid=49454545" in text
    assert (
        "psk=f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e" in text
    )
    assert "password" not in text
    assert text.startswith("country=US\n")


def test_an_open_network_has_no_key() -> None:
    text = wpa_supplicant(
        MachineConfig(wifi_country="US", wifi_network="guests")
    ).decode()
    assert "key_mgmt=NONE" in text
    assert "psk" not in text


def test_a_country_alone_changes_no_network() -> None:
    machine = MachineConfig(wifi_country="US")
    assert wpa_supplicant(machine) == b"country=US\n"
    before = wpa_supplicant(MachineConfig(wifi_country="DE", wifi_network="guests"))
    after = before.replace(b"country=DE", b"country=US")
    assert wpa_supplicant(machine, before) == after
    # As somebody may have written it who has logged in.
    before = b'# f\xfcr alle\nnetwork={\n  ssid="guests"\n}\ncountry=DE\n'
    after = b'country=US\n# f\xfcr alle\nnetwork={\n  ssid="guests"\n}\n'
    assert wpa_supplicant(machine, before) == after


def test_that_nobody_may_log_in_is_more_than_nothing() -> None:
    assert read_machine(FILE, "ssh_key = []").ssh_keys == ()
    assert read_machine(FILE, "").ssh_keys is None
