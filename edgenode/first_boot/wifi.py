"""The configuration of wpa_supplicant for one network."""

import hashlib

from edgenode.first_boot.machine import MachineConfig

_ROUNDS = 4_096
_KEY_BYTES = 32


def wpa_supplicant(machine: MachineConfig) -> str:
    """What wpa_supplicant.conf(5) says of a machine's Wi-Fi.

    The name stands in it as hexadecimal digits, as nothing has to be quoted then; and in
    the passphrase's place what is made of it and of the name (IEEE 802.11i, annex H.4), as
    people use one passphrase in several places.
    """
    lines = [f"country={machine.wifi_country}"]
    if machine.wifi_network is not None:
        name = machine.wifi_network.encode()
        lines += ["network={", f"    ssid={name.hex()}", "    scan_ssid=1"]
        if machine.wifi_password is None:
            lines.append("    key_mgmt=NONE")
        else:
            key = hashlib.pbkdf2_hmac(
                "sha1", machine.wifi_password.encode(), name, _ROUNDS, _KEY_BYTES
            )
            lines.append(f"    psk={key.hex()}")
        lines.append("}")
    return "\n".join(lines) + "\n"
