"""What the machine itself is told: its name, its Wi-Fi, who may log in, which cohort."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from edgenode.config import ConfigError, Mistake
from edgenode.config.lines import lines_of_keys
from edgenode.first_boot.ssh import is_public_key
from edgenode.security.keys import CohortKey, InvalidTokenError

_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""A label of RFC 1123, in small letters: the name is told by mDNS, too."""

_COUNTRY = re.compile(r"[A-Z]{2}")

_MAX_NETWORK_BYTES = 32
"""The longest name of a network (IEEE 802.11, service set identifier)."""

_PASSWORD_LENGTHS = range(8, 64)
"""Of a WPA passphrase (IEEE 802.11i, annex H.4)."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineConfig:
    """What a machine is told.

    Attributes:
        host_name: Its name.
        join_token: Of the cohort that it joins at its first start.
        wifi_country: Where it is, by ISO 3166: which channels it may use.
        wifi_network: The network's name; None for what is known already, empty for none.
        wifi_password: The network's passphrase; None for one without.
        ssh_keys: Who may log in, by their public keys; nobody where it is empty, and None
            for whoever may already.
    """

    host_name: str | None = None
    join_token: str | None = None
    wifi_country: str | None = None
    wifi_network: str | None = None
    wifi_password: str | None = None
    ssh_keys: tuple[str, ...] | None = None


class _Reader:
    """The keys of a file, and what is wrong with them."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        try:
            self._keys: Mapping[str, object] = tomllib.loads(text)
        except (ValueError, RecursionError) as error:  # also: too long, nested too deep
            found = re.search(r"at line (\d+)", str(error))
            where = f"{path.name}:{found[1] if found else text.count(chr(10)) + 1}"
            mend = 'write each setting like host_name = "cellar"; texts stand in quotes'
            mistake = Mistake(where, f"isn't TOML ({error})", mend)
            raise ConfigError((mistake,)) from error
        self._lines = lines_of_keys(text)
        self.mistakes: list[Mistake] = []

    def has(self, key: str) -> bool:
        return key in self._keys

    def wrong(self, key: str, what: str, mend: str) -> None:
        line = self._lines.get((key, 0, None))
        where = f"{self._path.name}:{line}" if line else self._path.name
        self.mistakes.append(Mistake(where, what, mend))

    def check_names(self, known: frozenset[str]) -> None:
        for key in self._keys:
            if key not in known:
                near = get_close_matches(key.lower(), known, n=1)
                mend = f"write {near[0]}" if near else f"there are {_list(known)}"
                self.wrong(key, f"{key} isn't known", mend)

    def text(self, key: str, is_good: Callable[[str], object], mend: str) -> str | None:
        """A text; mistakes don't repeat it, for it may be a secret."""
        value = self._keys.get(key)
        if value is None:
            return None
        if isinstance(value, str) and is_good(value):
            return value
        self.wrong(key, f"{key} can't be used", mend)
        return None

    def texts(
        self, key: str, is_good: Callable[[str], object], mend: str
    ) -> tuple[str, ...] | None:
        """Texts, of which one needs no list; None where there is nothing."""
        value = self._keys.get(key)
        if value is None:
            return None
        values = [value] if isinstance(value, str) else value
        if isinstance(values, list) and all(
            isinstance(each, str) and is_good(each) for each in values
        ):
            return tuple(values)
        self.wrong(key, f"{key} can't be used", mend)
        return None


_KEYS = frozenset(MachineConfig.__dataclass_fields__) - {"ssh_keys"} | {"ssh_key"}


def read_machine(path: Path, text: str) -> MachineConfig:
    """Read and check what a machine is told.

    Args:
        path: The file, which mistakes name.
        text: What stands in it.

    Raises:
        ConfigError: Something in it can't be used; secrets aren't repeated in it.
    """
    reader = _Reader(path, text)
    reader.check_names(_KEYS)
    machine = MachineConfig(
        host_name=reader.text(
            "host_name",
            lambda name: _HOST_NAME.fullmatch(name) and name != "localhost",
            "use small letters, digits and hyphens, 63 at most; localhost is every machine",
        ),
        join_token=_join_token(reader),
        wifi_country=reader.text(
            "wifi_country",
            lambda code: _COUNTRY.fullmatch(code) and code != "UK",
            'write the two capital letters that ISO 3166 has for the country, such as "DE"; '
            'the United Kingdom\'s are "GB"',
        ),
        wifi_network=reader.text(
            "wifi_network",
            lambda name: (
                len(name.encode()) <= _MAX_NETWORK_BYTES and name.isprintable()
            ),
            f"write the network's name, {_MAX_NETWORK_BYTES} bytes at most",
        ),
        wifi_password=reader.text(
            "wifi_password",
            lambda text: (
                len(text) in _PASSWORD_LENGTHS and text.isascii() and text.isprintable()
            ),
            "it has 8 to 63 letters, digits and signs, as people type it; "
            "for a network without one, leave it out",
        ),
        ssh_keys=reader.texts(
            "ssh_key",
            is_public_key,
            "copy the whole line of a file such as id_ed25519.pub",
        ),
    )
    if machine.wifi_network and not reader.has("wifi_country"):
        reader.wrong(
            "wifi_network",
            "wifi_network needs wifi_country",
            'add wifi_country = "DE" for Germany; it says which channels are allowed',
        )
    if reader.has("wifi_password") and not (
        reader.has("wifi_network") and machine.wifi_network != ""
    ):
        reader.wrong(
            "wifi_password",
            "wifi_password needs wifi_network",
            "add the name of the network",
        )
    if reader.mistakes:
        raise ConfigError(tuple(reader.mistakes))
    return machine


def _join_token(reader: _Reader) -> str | None:
    why = []

    def is_token(text: str) -> bool:
        try:
            CohortKey.from_token(text)
        except InvalidTokenError as error:
            why.append(str(error))
        return not why

    mend = "copy what 'edgenode cohort token' shows on a machine of the cohort"
    return reader.text("join_token", is_token, mend)


def _list(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))
