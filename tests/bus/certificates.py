"""A cohort's authority and the certificates of its nodes, for tests."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edgenode.bus.base import Trust
from edgenode.security.trust import Refusal

_PEM = serialization.Encoding.PEM


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass
class Authority:
    """Issues certificates into a directory."""

    directory: Path
    name: str = "authority"

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._issued(
            _name(self.name), self.key, timedelta(days=1), is_authority=True
        )
        self.path = self.directory / f"{self.name}.pem"
        self.path.write_bytes(self.certificate.public_bytes(_PEM))

    def _issued(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        valid_for: timedelta,
        *,
        is_authority: bool = False,
    ) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(_name(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime(1970, 1, 1, tzinfo=UTC))
            .not_valid_after(datetime.now(UTC) + valid_for)
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    def issue(self, node_id: str, valid_for: timedelta = timedelta(days=1)) -> Path:
        """A file with a node's key and certificate."""
        path = self.directory / f"{self.name}-{node_id}.pem"
        if not path.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            certificate = self._issued(_name(node_id), key, valid_for)
            path.write_bytes(
                key.private_bytes(
                    _PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
                + certificate.public_bytes(_PEM)
            )
        return path


def client_context(authority: Path, own: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    return _completed(context, authority, own)


def server_context(authority: Path, own: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    return _completed(context, authority, own)


def _completed(
    context: ssl.SSLContext, authority: Path, own: Path | None
) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(authority)
    if own is not None:
        context.load_cert_chain(own)
    return context


def common_name(connection: ssl.SSLObject | ssl.SSLSocket) -> str | None:
    """The node in a certificate; those of nodes that are not let in begin with x."""
    certificate = connection.getpeercert()
    assert certificate is not None
    parts = dict(part[0] for part in certificate["subject"])  # type: ignore[misc]
    name = str(parts["commonName"])
    return None if name.startswith("x") else name


class Refusals(list[tuple[str, str]]):
    """Keeps what is told of connections that were cut: where they came from, and why."""

    def __call__(self, reason: Refusal, address: str, detail: str) -> None:
        self.append((address, detail or reason))

    def last_says(self, text: str) -> bool:
        return text in "".join(self.reasons[-1:])

    @property
    def reasons(self) -> list[str]:
        return [reason for _, reason in self]


def trust_of(authority: Authority, node_id: str, refused: Refusals) -> Trust:
    own = authority.issue(node_id)
    server = server_context(authority.path, own)
    client = client_context(authority.path, own)
    return Trust(
        server=lambda: server,
        client=lambda: client,
        identify=common_name,
        refused=refused,
    )


def no_trust(refused: Refusals) -> Trust:
    """An open cohort's."""
    return Trust(
        server=lambda: None, client=lambda: None, identify=common_name, refused=refused
    )
