"""Genuine members for tests: certificates with names, and a listener that lets them in."""

import asyncio
import datetime
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edgenode.clock import SystemClock
from edgenode.config import HostPort, KafkaCohortConfig
from edgenode.observability.metrics import OperationMetrics
from edgenode.rest.adapter import member_adapter
from edgenode.rest.hosting import Server
from edgenode.rest.platforms import listening_for_platforms, platform_door
from edgenode.security.listening import Refused, bound
from tests.model.house import CODEC

EPOCH = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
FAR = datetime.datetime(2126, 1, 1, tzinfo=datetime.UTC)
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Files:
    """A certificate, its key, and the authority's certificate."""

    certificate: Path
    key: Path
    ca: Path


def certified(path: Path, *names: str) -> Files:
    """A certificate for hosts, of an authority made for it.

    Args:
        path: Where the files are written.
        names: Names and addresses of hosts.
    """
    path.mkdir(parents=True, exist_ok=True)
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"CA {path.name}")])
    authority, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    hosts = x509.SubjectAlternativeName([_general(name) for name in names])
    certificates = {
        "ca.pem": _signed(issuer, authority, issuer, authority, None),
        "certificate.pem": _signed(issuer, authority, subject, key, hosts),
    }
    for name, certificate in certificates.items():
        (path / name).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (path / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return Files(path / "certificate.pem", path / "key.pem", path / "ca.pem")


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _signed(
    issuer: x509.Name,
    authority: ec.EllipticCurvePrivateKey,
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    hosts: x509.SubjectAlternativeName | None,
) -> x509.Certificate:
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(EPOCH)
        .not_valid_after(FAR)
        .add_extension(x509.BasicConstraints(hosts is None, None), critical=True)
    )
    if hosts is not None:
        built = built.add_extension(hosts, critical=False)
    return built.sign(authority, hashes.SHA256())


def kafka_cohort(
    admit: Sequence[str] = ("127.0.0.0/8",), **changed: Any
) -> KafkaCohortConfig:
    """A configuration, with plain HTTP unless it says otherwise."""
    return KafkaCohortConfig(
        name="cocoCohort",
        brokers=(HostPort(LOOPBACK, 9092),),
        admit=tuple(map(ip_network, admit)),
        **{"transport": "http"} | changed,
    )


@asynccontextmanager
async def platform_listener(
    config: KafkaCohortConfig,
    servers: Mapping[str, Server],
    refused: Refused = lambda reason, address, detail: None,
) -> AsyncIterator[int]:
    """A listener for genuine members; gives its port."""
    clock = SystemClock()
    adapter = member_adapter(servers.get, CODEC, OperationMetrics(), clock)
    door = await asyncio.to_thread(platform_door, config, refused)
    listener = bound(LOOPBACK, 0)
    async with listening_for_platforms(adapter, listener, door, clock):
        yield listener.getsockname()[1]
