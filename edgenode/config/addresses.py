"""Addresses as operators write them."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from edgenode.config.model import HostPort

_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9._-]{1,253}")
_ADDRESS = re.compile(
    r"(?:\[(?P<six>[^\[\]]+)\]|(?P<host>[^:\[\]]+))(?::(?P<port>[0-9]{1,5}))?"
)


def address(text: object, default_port: int | None = None) -> HostPort | None:
    """The address that a text is; None if it is none.

    Args:
        text: Host and port; an IPv6 address stands in brackets.
        default_port: The port where there is none; without it there has to be one.
    """
    found = _ADDRESS.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    port = default_port if found["port"] is None else int(found["port"])
    host = found["six"] or found["host"]
    if port is None or port > 65535:
        return None
    if not _is_host(host, in_brackets=found["six"] is not None):
        return None
    return HostPort(host, port)


def _is_host(host: str, *, in_brackets: bool) -> bool:
    """Whether a text is an address, or can be a host's name."""
    try:
        if in_brackets:
            IPv6Address(host)
        elif not host.strip("0123456789."):
            IPv4Address(host)
        else:
            return _HOST_NAME.fullmatch(host) is not None
    except AddressValueError:
        return False
    return True
