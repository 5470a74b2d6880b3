"""The keys of those who may log in."""

import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

_LINE = re.compile(
    r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|"
    r"sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) \S+( [^\x00-\x1f\x7f]*)?"
)
"""A public key as ssh-keygen writes it, without options before it."""


def is_public_key(line: str) -> bool:
    """Whether a line is a public key as a whole: half a key lets nobody in."""
    if _LINE.fullmatch(line) is None:
        return False
    try:
        load_ssh_public_key(line.encode())
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True
