"""Who is a member on a platform of Egeria's: known by its address, TLS and a log-in.

Platforms have no certificate of a cohort of nodes. The operator names the addresses where
they may be, whose certificates they have, and what they log in with.
"""

import os
import ssl
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from errno import ENOENT
from hmac import compare_digest
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from pathlib import Path

from edgenode.errors import EdgeNodeError
from edgenode.limits import MAX_PASSWORD_FILE_BYTES
from edgenode.security.private_files import read_bounded

_BASIC = "basic"


class UnusableFileError(EdgeNodeError):
    """A file that the configuration names can't be used."""

    def __init__(self, path: Path | str, why: str) -> None:
        super().__init__(path, why)
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"{self.path} can't be used ({self.why})"


class Admission:
    """The addresses where platforms may be."""

    def __init__(self, networks: Iterable[IPv4Network | IPv6Network]) -> None:
        self._networks = tuple(networks)

    def admits(self, address: str) -> bool:
        """Whether a numeric address is one of them; False for what is none."""
        try:
            parsed = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        return any(parsed in network for network in self._networks)


@dataclass(frozen=True, slots=True)
class Login:
    """A name and a password, for basic authentication (RFC 7617)."""

    user: str
    password: str = field(repr=False)

    @property
    def header(self) -> str:
        """What the header Authorization says."""
        return f"Basic {b64encode(self._pair).decode()}"

    def is_in(self, header: str) -> bool:
        """Whether a header Authorization says this, in a time that doesn't tell how nearly."""
        scheme, _, told = header.partition(" ")
        try:
            pair = b64decode(told.strip(), validate=True)
        except ValueError:
            return False
        return compare_digest(pair, self._pair) and scheme.lower() == _BASIC

    @property
    def _pair(self) -> bytes:
        return f"{self.user}:{self.password}".encode()


def read_login(user: str, password_file: Path) -> Login:
    """The log-in of a user whose password is the first line of a file.

    Raises:
        UnusableFileError: There is no password in it.
    """
    try:
        text = read_bounded(password_file, MAX_PASSWORD_FILE_BYTES)
    except OSError as error:
        raise UnusableFileError(password_file, _why(error)) from error
    if text is None:
        raise UnusableFileError(password_file, os.strerror(ENOENT))
    try:
        lines = text.decode().splitlines()
    except UnicodeDecodeError as error:
        raise UnusableFileError(password_file, _why(error)) from error
    if not lines or not lines[0]:
        raise UnusableFileError(password_file, "there is no password in it")
    return Login(user, lines[0])


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """TLS where platforms ask; they show no certificates.

    Raises:
        UnusableFileError: One of the files can't be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # Without a password for the key nobody is asked for one.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        raise UnusableFileError(f"{certificate} with {key}", _why(error)) from error
    return context


def client_context(ca_file: Path | None) -> ssl.SSLContext:
    """TLS with platforms that are asked, with their names checked.

    Args:
        ca_file: Whose certificates to take; None for those the system trusts.

    Raises:
        UnusableFileError: The file can't be used.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        raise UnusableFileError(str(ca_file), _why(error)) from error


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None)
    return str(reason or error)
