"""Ports of the loopback interface that nobody uses."""

import socket

from tests.egeria.harness.errors import HarnessError

HOST = "127.0.0.1"


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def require_free(port: int) -> None:
    """Make sure that what answers there later is what is started now.

    Raises:
        HarnessError: somebody answers there already.
    """
    if listens(port):
        raise HarnessError(f"port {port} of {HOST} is in use")


def listens(port: int) -> bool:
    """Whether somebody answers there."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
