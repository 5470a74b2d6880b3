"""What a host is: a numeric address, perhaps with a scope, or a name."""

import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

SocketAddress = tuple[str, int] | tuple[str, int, int, int]

_NAME = re.compile(r"(?!-)(?=.{1,253}\Z)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
_SCOPE = re.compile(r"[A-Za-z0-9._@:-]{1,15}")


def is_host(text: str) -> bool:
    """Whether a text is an address, perhaps with a scope, or a name that can be asked for."""
    if ":" in text or not text.strip("0123456789."):
        return is_numeric(text)
    return _NAME.fullmatch(text) is not None


def is_numeric(host: str) -> bool:
    """Whether a host is an address, perhaps with a scope, and no name."""
    try:
        _parts(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether programs on this machine alone can reach a host."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def socket_address(host: str, port: int) -> tuple[socket.AddressFamily, SocketAddress]:
    """Where the socket of a numeric host is, its scope kept.

    Raises:
        ValueError: The host isn't numeric.
        OSError: There is no such interface.
    """
    address, scope = _parts(host)
    if address.version == 4:
        return socket.AF_INET, (str(address), port)
    index = int(scope) if scope.isdigit() else 0
    if scope and not scope.isdigit():
        index = socket.if_nametoindex(scope)
    return socket.AF_INET6, (str(address), port, 0, index)


def _parts(host: str) -> tuple[IPv4Address | IPv6Address, str]:
    """The address of a numeric host, and its scope; empty where there is none."""
    bare, percent, scope = host.partition("%")
    address = ip_address(bare)
    if percent and (address.version == 4 or not _SCOPE.fullmatch(scope)):
        raise ValueError(f"{scope[:20]!r} is no scope of {address}")
    return address, scope
