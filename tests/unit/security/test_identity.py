"""A node's key and certificates: made once, renewed in time, never silently another's."""

import asyncio
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509

from edgenode.security.cohorts import Cohort
from edgenode.security.identity import (
    CERTIFICATE_LIFE_MILLIS,
    IdentityFiles,
    IssuingError,
    authority_name,
    ensure_identity,
    make_identity,
    read_identity,
)
from edgenode.security.keys import CohortKey
from tests.conftest import ROOT
from tests.unit.security.samples import COHORT, DAY, KEY, NEXT_KEY, NOW, issued


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A node's directory, with the key and certificates that are issued already."""
    target = tmp_path / "cohort"
    target.mkdir(mode=0o700)
    for path in issued("one").files.directory.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return target


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def authorities(directory: Path) -> list[str]:
    found = x509.load_pem_x509_certificates(
        IdentityFiles(directory).authorities.read_bytes()
    )
    return [each.subject.rfc4514_string().removeprefix("CN=") for each in found]


def test_an_identity_is_made_from_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "not" / "there" / "yet"
    assert not directory.exists()
    identity = asyncio.run(ensure_identity(directory, COHORT, NOW))
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()
    } == {
        "node.key": 0o600,
        "node.pem": 0o600,
        "authorities.pem": 0o600,
    }
    assert read_identity(directory) == identity
    assert identity.node_id != issued("one").node_id


def test_the_library_is_loaded_by_the_other_process_alone() -> None:
    source = (
        "import sys\n"
        "import edgenode.security.directory, edgenode.security.listening\n"
        "import edgenode.security.identity, edgenode.security.trust\n"
        "print('cryptography' in sys.modules, 'edgenode.security.issuing' in sys.modules)"
    )
    ended = subprocess.run(  # noqa: S603 - our own Python and source
        [sys.executable, "-c", source],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == "False False\n"


def test_the_certificates_are_as_said() -> None:
    files = issued("one").files
    (authority,) = x509.load_pem_x509_certificates(files.authorities.read_bytes())
    own = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    own.verify_directly_issued_by(authority)
    for each in (authority, own):
        assert each.not_valid_before_utc.timestamp() == 0
    constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.value.ca, constraints.critical) == (True, True)
    usage = authority.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.key_cert_sign
    assert not usage.digital_signature
    assert not own.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    purposes = own.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert {each.dotted_string for each in purposes} == {
        "1.3.6.1.5.5.7.3.1",
        "1.3.6.1.5.5.7.3.2",
    }
    key_of_issuer = own.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    key = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    assert key_of_issuer.value.key_identifier == key.value.digest


def test_all_nodes_derive_the_same_authority() -> None:
    one, two = (
        x509.load_pem_x509_certificate(issued(name).files.authorities.read_bytes())
        for name in ("one", "two")
    )
    assert one.public_key() == two.public_key()
    assert one.subject == two.subject


@pytest.mark.parametrize("later", [0, CERTIFICATE_LIFE_MILLIS * 2 // 3 - DAY])
def test_what_is_good_stays(directory: Path, later: int) -> None:
    before = contents(directory)
    identity = make_identity(directory, COHORT, NOW + later)
    assert contents(directory) == before
    assert identity.node_id == issued("one").node_id


def test_the_certificate_is_renewed_before_its_end(directory: Path) -> None:
    later = NOW + CERTIFICATE_LIFE_MILLIS * 2 // 3 + DAY
    renewed = make_identity(directory, COHORT, later)
    assert renewed.node_id == issued("one").node_id
    assert renewed.not_after == (later + CERTIFICATE_LIFE_MILLIS) // 1000 * 1000


def test_a_clock_that_is_far_off_still_gives_a_certificate(directory: Path) -> None:
    make_identity(directory, Cohort(key=NEXT_KEY), 253_402_300_799_000)
    assert read_identity(directory) is not None


def test_a_rotation_brings_new_certificates(directory: Path) -> None:
    rotated = COHORT.rotated(NEXT_KEY, NOW, 7)
    during = make_identity(directory, rotated, NOW)
    assert during.node_id == issued("one").node_id
    assert authorities(directory) == [authority_name(NEXT_KEY), authority_name(KEY)]
    own, between = x509.load_pem_x509_certificates(
        during.files.certificate.read_bytes()
    )
    new, old = x509.load_pem_x509_certificates(during.files.authorities.read_bytes())
    own.verify_directly_issued_by(new)
    own.verify_directly_issued_by(between)
    between.verify_directly_issued_by(old)
    before = contents(directory)
    make_identity(directory, rotated, NOW + DAY)
    assert contents(directory) == before
    make_identity(directory, rotated, NOW + 7 * DAY)
    assert authorities(directory) == [authority_name(NEXT_KEY)]


def _swap(directory: Path) -> None:
    other = issued("two").files.certificate
    (directory / "node.pem").write_bytes(other.read_bytes())


@pytest.mark.parametrize(
    "harm",
    [
        lambda directory: (directory / "node.pem").unlink(),
        lambda directory: (directory / "node.pem").write_bytes(b"\xff"),
        lambda directory: (directory / "authorities.pem").unlink(),
        lambda directory: (directory / "authorities.pem").write_text("nothing"),
        _swap,
    ],
)
def test_damaged_certificates_are_made_again(
    directory: Path, harm: Callable[[Path], None]
) -> None:
    harm(directory)
    assert make_identity(directory, COHORT, NOW).node_id == issued("one").node_id
    assert authorities(directory) == [authority_name(KEY)]


@pytest.mark.parametrize("content", [b"", b"nothing", b"-----BEGIN PRIVATE KEY-----\n"])
def test_a_damaged_key_is_told_and_left(directory: Path, content: bytes) -> None:
    (directory / "node.key").write_bytes(content)
    with pytest.raises(IssuingError, match=r"(?s)node\.key is damaged") as caught:
        make_identity(directory, COHORT, NOW)
    assert caught.value.why
    assert (directory / "node.key").read_bytes() == content


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "cohort").write_bytes(b"")
    with pytest.raises(IssuingError):
        make_identity(tmp_path / "cohort", COHORT, NOW)


def test_no_secret_stands_in_the_command_line_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python"
    program.write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/told\nenv >> {tmp_path}/told\n'
    )
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    key = CohortKey("secretive", bytes(range(100, 132)))
    with pytest.raises(IssuingError, match="no certificate"):
        make_identity(tmp_path / "cohort", Cohort(key=key), NOW)
    text = (tmp_path / "told").read_text()
    secrets = [key.token, key.secret.hex(), f"{key.authority_number:x}"]
    assert "edgenode.security.issuing" in text
    assert not any(each in text for each in secrets)
