"""Makes a node's key and its certificates, in a process of its own that ends at once.

``python -m edgenode.security.issuing DIRECTORY`` reads from its standard input the time
in epoch milliseconds and the tokens of the keys to trust, the current one first, a line
each. The library that it needs takes more memory than a node has to spare, and the
authority's private key is gone with the process.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from edgenode.clock import EpochMillis
from edgenode.errors import EdgeNodeError
from edgenode.security.certificates import node_id_of_public_key
from edgenode.security.identity import (
    CERTIFICATE_LIFE_MILLIS,
    IdentityFiles,
    authority_name,
)
from edgenode.security.keys import CohortKey
from edgenode.security.private_files import write_private

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FOR_EVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def issue(directory: Path, now: EpochMillis, keys: list[CohortKey]) -> None:
    """Write the node's key, if there is none, its certificate and the authorities'.

    While a rotation lasts, the new authority's certificate by the one before stands
    behind the node's: nodes that haven't heard of the new key take it by that.

    Raises:
        OSError: A file can't be read or written.
        ValueError: The node's key is damaged.
    """
    files = IdentityFiles(directory)
    node_key = _node_key(files.key)
    current, *previous = (_Authority(key) for key in keys)
    write_private(
        files.authorities,
        b"".join(_pem(each.certificate(each)) for each in (current, *previous)),
    )
    write_private(
        files.certificate,
        _pem(_node_certificate(node_key, now, current))
        + b"".join(_pem(current.certificate(each)) for each in previous),
    )


def _node_key(path: Path) -> ec.EllipticCurvePrivateKey:
    if path.exists():
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("it is no key on P-256")
        return key
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_private(path, pem)
    return key


class _Authority:
    """The certificate authority of a key."""

    def __init__(self, key: CohortKey) -> None:
        self.private = ec.derive_private_key(key.authority_number, ec.SECP256R1())
        self.public = self.private.public_key()
        self.name = _name(authority_name(key))

    def certificate(self, issuer: "_Authority") -> x509.Certificate:
        """Its certificate, by itself or by the authority before it."""
        below = 1 if issuer is self else 0  # authorities that may come after it
        return (
            _builder(self.name, issuer, self.public, _FOR_EVER)
            .add_extension(
                x509.BasicConstraints(ca=True, path_length=below), critical=True
            )
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .sign(issuer.private, hashes.SHA256())
        )


def _node_certificate(
    node_key: ec.EllipticCurvePrivateKey, now: EpochMillis, authority: _Authority
) -> x509.Certificate:
    public = node_key.public_key()
    node_id = node_id_of_public_key(
        public.public_bytes(
            serialization.Encoding.DER,
            serialization.PublicFormat.SubjectPublicKeyInfo,
        )
    )
    most = _FOR_EVER - _EPOCH
    life = timedelta(milliseconds=now) + timedelta(milliseconds=CERTIFICATE_LIFE_MILLIS)
    ends = _EPOCH + min(life, most)
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    return (
        _builder(_name(node_id), authority, public, ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .sign(authority.private, hashes.SHA256())
    )


def _builder(
    subject: x509.Name,
    issuer: _Authority,
    public: ec.EllipticCurvePublicKey,
    ends: datetime,
) -> x509.CertificateBuilder:
    own_id = x509.SubjectKeyIdentifier.from_public_key(public)
    issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_EPOCH)
        .not_valid_after(ends)
        .add_extension(own_id, critical=False)
        .add_extension(issuer_id, critical=False)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def main() -> int:
    """Issue what standard input asks for; a failure is one line on standard error."""
    now, *tokens = sys.stdin.read().split()
    try:
        issue(
            Path(sys.argv[1]), int(now), [CohortKey.from_token(each) for each in tokens]
        )
    except (OSError, ValueError, OverflowError, EdgeNodeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
