"""Nodes of a cohort for tests: certificates, listeners for members, and askers."""

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edgenode.clock import SystemClock
from edgenode.federation.http import Address, PeerHttp, peer_http
from edgenode.observability.metrics import OperationMetrics
from edgenode.rest.adapter import node_adapter
from edgenode.rest.hosting import Platform, Server
from edgenode.rest.members import Door, MemberServer, listening_for_members
from edgenode.rest.streams import StreamOperation
from edgenode.security.listening import bound
from edgenode.security.trust import Refusal
from tests.model.house import CODEC

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
FAR = datetime.datetime(2126, 1, 1, tzinfo=datetime.UTC)
PAST = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """A cohort's certificate authority."""

    def __init__(self, name: str) -> None:
        self._name = _name(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._signed(
            self._name, self._key.public_key(), FAR, ca=True
        )

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        ends: datetime.datetime,
        *,
        ca: bool = False,
    ) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(EPOCH)
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    def node(self, path: Path, *, ends: datetime.datetime = FAR) -> "Identity":
        """A new node with a certificate of this authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed(_name("node"), key.public_key(), ends)
        path.mkdir(parents=True, exist_ok=True)
        node_id = _node_id(key.public_key())
        file = path / f"{node_id}.pem"
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        trusted = path / f"{node_id}.ca.pem"
        trusted.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        return Identity(node_id, file, trusted)


def _node_id(key: ec.EllipticCurvePublicKey) -> str:
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return sha256(der).hexdigest()[:32]


@dataclass(frozen=True)
class Identity:
    """A node with its key, its certificate and whom it trusts."""

    node_id: str
    file: Path
    trusted: Path

    def server(self) -> ssl.SSLContext:
        """TLS at the listener."""
        return self._filled(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))

    def client(self, *, certificate: bool = True) -> ssl.SSLContext:
        """TLS at the asker."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        return self._filled(context, certificate=certificate)

    def _filled(
        self, context: ssl.SSLContext, *, certificate: bool = True
    ) -> ssl.SSLContext:
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(self.trusted)
        if certificate:
            context.load_cert_chain(self.file)
        return context


def peer_id(ssl_object: ssl.SSLObject) -> str:
    """The id of the node at the other end."""
    der = ssl_object.getpeercert(binary_form=True)
    assert der is not None
    key = x509.load_der_x509_certificate(der).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return _node_id(key)


@dataclass
class Gate:
    """Decides who is let in, and keeps what was refused."""

    removed: set[str] = field(default_factory=set)
    refusals: list[tuple[Refusal, str]] = field(default_factory=list)
    server: MemberServer | None = None
    _told: asyncio.Event = field(default_factory=asyncio.Event)

    def identify(self, ssl_object: ssl.SSLObject) -> str | None:
        """The node at the other end, unless it was removed."""
        node_id = peer_id(ssl_object)
        return None if node_id in self.removed else node_id

    def refused(self, reason: Refusal, address: str, detail: str) -> None:
        """Keep a refusal."""
        self.refusals.append((reason, address))
        self._told.set()

    async def told(self, count: int) -> list[Refusal]:
        """The reasons of all refusals, once there are so many; all came from here."""
        while len(self.refusals) < count:
            self._told.clear()
            await self._told.wait()
        assert {address for _, address in self.refusals} == {"127.0.0.1"}
        return [reason for reason, _ in self.refusals]

    def door(self, context: ssl.SSLContext | None) -> Door:
        """The door of a listener."""
        return Door(
            context=lambda: context, identify=self.identify, refused=self.refused
        )


@asynccontextmanager
async def member_listener(
    context: ssl.SSLContext | None,
    gate: Gate,
    *,
    servers: Mapping[str, Server] | None = None,
    services: Iterable[StreamOperation] = (),
    host: str = "127.0.0.1",
) -> AsyncIterator[int]:
    """A listener for members; gives its port."""
    platform = Platform(
        "edgenode for tests\n", CODEC, servers or {}, OperationMetrics()
    )
    adapter = node_adapter(platform, SystemClock(), services)
    listener = bound(host, 0)
    door = gate.door(context)
    async with listening_for_members(adapter, listener, door) as gate.server:
        yield listener.getsockname()[1]


@asynccontextmanager
async def asker(
    context: ssl.SSLContext | None,
    find: Callable[[str], list[Address]] = lambda node_id: [],
    identify: Callable[[ssl.SSLObject], str | None] = peer_id,
) -> AsyncIterator[PeerHttp]:
    """Asks other nodes."""
    async with peer_http(lambda: context, identify, find) as http:
        yield http
