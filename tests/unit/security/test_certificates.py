"""What is read of certificates, and that nothing else is taken for one."""

import ssl
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from edgenode.security.certificates import (
    InvalidCertificateError,
    is_node_id,
    node_id_of,
    not_after,
    read_certificate,
)
from edgenode.security.identity import CERTIFICATE_LIFE_MILLIS
from tests.unit.security.samples import KEY, NOW, issued


@cache
def own() -> bytes:
    return ssl.PEM_cert_to_DER_cert(issued("one").files.certificate.read_text())


def test_the_nodes_own_certificate() -> None:
    parsed = x509.load_der_x509_certificate(own())
    public = parsed.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    digest = hashes.Hash(hashes.SHA256())
    digest.update(public)
    node_id = digest.finalize().hex()[:32]
    assert node_id_of(own()) == node_id == issued("one").node_id
    assert is_node_id(node_id)
    assert parsed.subject.rfc4514_string() == f"CN={node_id}"
    assert parsed.issuer.rfc4514_string() == f"CN=edgenode cohort {KEY.tag}"
    assert read_certificate(own()).issuer == f"edgenode cohort {KEY.tag}"
    assert not_after(own()) == (NOW + CERTIFICATE_LIFE_MILLIS) // 1000 * 1000


@pytest.mark.parametrize("kind", ["ec", "ed25519", "rsa"])
@pytest.mark.parametrize("year", [1971, 2049, 2050, 9999])
def test_any_certificate_is_read(kind: str, year: int) -> None:
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
    if kind == "ec":
        key = ec.generate_private_key(ec.SECP384R1())
    elif kind == "ed25519":
        key = ed25519.Ed25519PrivateKey.generate()
    else:
        key = rsa.generate_private_key(65537, 2048)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.COMMON_NAME, "Bäckerei"),
        ]
    )
    ends = datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(2**100)
        .not_valid_before(datetime(1970, 1, 1, tzinfo=UTC))
        .not_valid_after(ends)
        .sign(key, None if kind == "ed25519" else hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )
    found = read_certificate(certificate)
    since = ends - datetime(1970, 1, 1, tzinfo=UTC)
    assert (found.issuer, found.not_after) == (
        "Bäckerei",
        since // timedelta(milliseconds=1),
    )


# Whatever comes


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidCertificateError):
        read_certificate(data)


@given(st.data())
def test_a_changed_certificate_is_refused_or_read(data: st.DataObject) -> None:
    """Nothing but the one error ever comes out of it."""
    changed = bytearray(own())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(changed) - 1))
        changed[at] = data.draw(st.integers(0, 255))
    try:
        found = read_certificate(bytes(changed))
    except InvalidCertificateError:
        return
    assert is_node_id(found.node_id)


@given(st.integers(0, 500))
def test_a_cut_off_certificate_is_refused(end: int) -> None:
    with pytest.raises(InvalidCertificateError):
        read_certificate(own()[: min(end, len(own()) - 1)])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x80\x00\x00",  # without a length of its own
        b"\x30\x81\x01\x00",  # a length longer than it need be
        b"\x30\x82\x00\x80" + bytes(128),
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\xff" + b"\xff" * 127,
        b"\x31\x00",
        b"\x30\x00",
        b"\x30\x02\x30\x00",
    ],
)
def test_what_is_not_der_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidCertificateError):
        read_certificate(data)


def test_nothing_may_stand_behind_a_certificate() -> None:
    with pytest.raises(InvalidCertificateError, match="behind"):
        read_certificate(own() + b"\x00")


@pytest.mark.parametrize("ends", [b"991332000000Z", b"9912312359590", b"9912312359Z  "])
def test_a_time_that_is_none(ends: bytes) -> None:
    (at,) = [i for i in range(len(own())) if own()[i : i + 2] == b"\x17\x0d"][1:]
    with pytest.raises(InvalidCertificateError, match="time"):
        read_certificate(own()[: at + 2] + ends + own()[at + 15 :])


@pytest.mark.parametrize("text", ["", "0" * 31, "0" * 33, "G" * 32, "A" * 32])
def test_no_node_ids(text: str) -> None:
    assert not is_node_id(text)
