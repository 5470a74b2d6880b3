"""Addresses as operators write them."""

import re

from edgenode.config.model import HostPort
from edgenode.hosts import is_host

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
    if port is None or port > 65535 or not is_host(host):
        return None
    if found["six"] is not None and ":" not in host:
        return None
    return HostPort(host, port)
