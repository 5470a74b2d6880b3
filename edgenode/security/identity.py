"""A node's own key and certificates: made where they are missing, renewed in time."""

import asyncio
import re
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from edgenode.clock import EpochMillis
from edgenode.errors import EdgeNodeError
from edgenode.limits import ISSUING_SECONDS, MAX_COHORT_FILE_BYTES
from edgenode.security.certificates import (
    Certificate,
    InvalidCertificateError,
    read_certificate,
)
from edgenode.security.cohorts import Cohort
from edgenode.security.keys import CohortKey
from edgenode.security.private_files import make_private_directory, read_bounded

CERTIFICATE_LIFE_MILLIS = 10 * 365 * 86_400_000
"""How long a certificate holds from when it was made."""

_RENEWED_MILLIS = CERTIFICATE_LIFE_MILLIS // 3
_PEM = re.compile(
    "-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\\s]+-----END CERTIFICATE-----"
)


class IssuingError(EdgeNodeError):
    """The node's key or certificates can't be made or used."""

    def __init__(self, directory: Path, why: str) -> None:
        super().__init__(directory, why)
        self.directory = directory
        self.why = why

    def __str__(self) -> str:
        return (
            f"{self.directory} has no usable key and certificate ({self.why}). "
            f"Mend: see that the node may write there; if "
            f"{IdentityFiles(self.directory).key.name} is damaged, bring it back from "
            "a copy, or remove it: the node gets another id then"
        )


@dataclass(frozen=True, slots=True)
class IdentityFiles:
    """Where a node's key and certificates are, in PEM."""

    directory: Path

    @property
    def key(self) -> Path:
        """The node's private key."""
        return self.directory / "node.key"

    @property
    def certificate(self) -> Path:
        """The node's certificate, and what leads from it to the authority before."""
        return self.directory / "node.pem"

    @property
    def authorities(self) -> Path:
        """The certificates of the authorities that are trusted."""
        return self.directory / "authorities.pem"


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """Who this node is, and what it shows to others.

    Attributes:
        node_id: Tells its public key.
        files: Where key and certificates are.
        not_after: When its certificate ends.
    """

    node_id: str
    files: IdentityFiles
    not_after: EpochMillis


def authority_name(key: CohortKey) -> str:
    """What the certificate authority of a key is called in certificates."""
    return f"edgenode cohort {key.tag}"


async def ensure_identity(
    directory: Path, cohort: Cohort, now: EpochMillis
) -> NodeIdentity:
    """The node's identity, with certificates for what the cohort trusts now.

    They are made if they are missing, of other keys, or near their end. Who calls this
    once a day, and after each change of the cohort, always has good ones.

    Args:
        directory: Where they are; see ``CohortDirectory``.
        cohort: The cohort as it is now.
        now: The time, from a clock that has a floor.

    Raises:
        IssuingError: They can't be made.
    """
    return await asyncio.to_thread(make_identity, directory, cohort, now)


def make_identity(directory: Path, cohort: Cohort, now: EpochMillis) -> NodeIdentity:
    """The same for whoever may wait."""
    files = IdentityFiles(directory)
    keys = cohort.trusted(now)
    try:
        make_private_directory(directory)
        if not _are_good(files, keys, now):
            _issue(directory, keys, now)
        found = read_identity(directory)
    except OSError as error:
        raise IssuingError(directory, str(error)) from error
    if found is None:
        raise IssuingError(directory, "no certificate was made")
    return found


def read_identity(directory: Path) -> NodeIdentity | None:
    """The identity as it stands there, if there is one.

    Raises:
        OSError: It can't be read.
    """
    files = IdentityFiles(directory)
    certificates = _certificates(files.certificate)
    if not certificates:
        return None
    return NodeIdentity(certificates[0].node_id, files, certificates[0].not_after)


def _are_good(
    files: IdentityFiles, keys: tuple[CohortKey, ...], now: EpochMillis
) -> bool:
    own, names = _certificates(files.certificate), [authority_name(k) for k in keys]
    authorities = _certificates(files.authorities)
    return (
        # Its own by the current authority, that one's by the authority before it.
        [each.issuer for each in own] == names
        and [each.issuer for each in authorities] == names
        and own[0].not_after - now >= _RENEWED_MILLIS
        and _fit_together(files)
    )


def _certificates(path: Path) -> list[Certificate]:
    """What stands in a file, nothing if any of it is damaged."""
    content = read_bounded(path, MAX_COHORT_FILE_BYTES) or b""
    try:
        return [
            read_certificate(ssl.PEM_cert_to_DER_cert(pem))
            for pem in _PEM.findall(content.decode())
        ]
    except (ValueError, InvalidCertificateError):
        return []


def _fit_together(files: IdentityFiles) -> bool:
    """Whether the certificate is that of the key, and both are whole."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            files.certificate, files.key, password=""
        )
    except (OSError, ValueError):  # a SSLError is an OSError
        return False
    return True


def _issue(directory: Path, keys: tuple[CohortKey, ...], now: EpochMillis) -> None:
    wanted = "\n".join([str(now), *(key.token for key in keys)])
    try:
        ended = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "edgenode.security.issuing", str(directory)],
            input=wanted,
            capture_output=True,
            text=True,
            check=False,
            timeout=ISSUING_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise IssuingError(directory, f"not made in {ISSUING_SECONDS:.0f} s") from error
    if ended.returncode != 0:
        complaint = ended.stderr.strip().rpartition("\n")[2]
        raise IssuingError(directory, complaint or f"exit code {ended.returncode}")
