"""The configuration of wpa_supplicant."""

import hashlib

from edgenode.first_boot.machine import MachineConfig

_ROUNDS = 4_096
_KEY_BYTES = 32


def wpa_supplicant(machine: MachineConfig, before: bytes = b"") -> bytes:
    """What wpa_supplicant.conf(5) says of a machine's Wi-Fi.

    The name stands in it as hexadecimal digits, as nothing has to be quoted then; and in
    the passphrase's place what is made of it and of the name (IEEE 802.11i, annex H.4), as
    people use one passphrase in several places.

    Args:
        machine: What the machine is told, its country at least.
        before: What it was until now; where no network is told, those in it stay.
    """
    country = f"country={machine.wifi_country}\n".encode()
    if machine.wifi_network is None:
        lines = before.splitlines(keepends=True)
        return country + b"".join(
            line for line in lines if not line.startswith(b"country=")
        )
    name = machine.wifi_network.encode()
    if machine.wifi_password is None:
        key = "key_mgmt=NONE"
    else:
        made = hashlib.pbkdf2_hmac(
            "sha1", machine.wifi_password.encode(), name, _ROUNDS, _KEY_BYTES
        )
        key = f"psk={made.hex()}"
    settings = (f"ssid={name.hex()}", "scan_ssid=1", key)
    inside = "".join(f"    {setting}\n" for setting in settings)
    return country + f"network={{\n{inside}}}\n".encode()


def has_network(configuration: bytes) -> bool:
    """Whether a wpa_supplicant.conf(5) names a network."""
    return b"network={" in configuration
