"""Who is a member on a platform: addresses, files of TLS, log-ins."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from edgenode.limits import MAX_PASSWORD_FILE_BYTES
from edgenode.security.platforms import (
    Admission,
    Login,
    UnusableFileError,
    client_context,
    read_login,
    server_context,
)
from tests.wire.platforms import certified


@pytest.mark.parametrize(
    ("address", "is_admitted"),
    [
        ("10.1.2.3", True),
        ("10.1.3.3", False),
        ("::ffff:10.1.2.3", True),
        ("::ffff:10.1.3.3", False),
        ("fd00:1::7", True),
        ("fd00:1::7%eth0", True),
        ("fd00:2::7", False),
        ("192.168.1.7", True),
        ("192.168.1.8", False),
        ("pi.plant", False),
        ("", False),
    ],
)
def test_addresses_are_admitted_by_range(address: str, is_admitted: bool) -> None:
    ranges = map(ip_network, ("10.1.2.0/24", "fd00:1::/64", "192.168.1.7"))
    assert Admission(ranges).admits(address) is is_admitted


def test_a_login_is_the_header_it_is_told_by() -> None:
    # The example of RFC 7617.
    login = Login("Aladdin", "open sesame")
    assert login.header == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert login.is_in(login.header)
    assert login.is_in("basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
    assert not Login("Aladdin", "open").is_in(login.header)
    assert "sesame" not in repr(login)


@pytest.mark.parametrize(
    "content",
    [b"", b"\nsecond line", b"\xff", b"x" * (MAX_PASSWORD_FILE_BYTES + 1)],
)
def test_a_file_without_a_password_can_not_be_used(
    tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "password"
    with pytest.raises(UnusableFileError, match="password"):
        read_login("user", file)
    file.write_bytes(content)
    with pytest.raises(UnusableFileError, match="can't be used"):
        read_login("user", file)


def test_files_of_tls_that_can_not_be_used_are_named(tmp_path: Path) -> None:
    files, others = (certified(tmp_path / name, "pi") for name in ("a", "b"))
    server_context(files.certificate, files.key)
    assert client_context(files.ca).check_hostname
    assert client_context(None).check_hostname
    for certificate, key in (
        (files.certificate, others.key),
        (tmp_path / "none", files.key),
        (files.certificate, files.ca),
    ):
        with pytest.raises(UnusableFileError, match=str(key)):
            server_context(certificate, key)
    for ca in (tmp_path / "none", files.key):
        with pytest.raises(UnusableFileError, match=str(ca)):
            client_context(ca)
