"""A genuine platform and a node that ask each other by https."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import (
    serialize_key_and_certificates,
)

from tests.egeria.harness.broker import Broker
from tests.egeria.harness.node import NO_COHORT, Node, kafka_cohort, running
from tests.egeria.harness.platform import Platform
from tests.egeria.harness.ports import HOST
from tests.egeria.harness.server import metadata_server, started
from tests.egeria.metadata import Metadata, fresh_name, until
from tests.wire.platforms import Files, certified

PASSWORD = "changeit"  # noqa: S105 - of a file that a test makes
HTTPS = """\
certificate_file = "{files.certificate}"
key_file = "{files.key}"
ca_file = "{ca}"
"""


def key_store(files: Files) -> Path:
    """A file with a key and its certificate, as Java takes them."""
    key = load_pem_private_key(files.key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    made = files.key.with_name("key.p12")
    encryption = BestAvailableEncryption(PASSWORD.encode())
    made.write_bytes(
        serialize_key_and_certificates(b"hub", key, certificate, None, encryption)
    )
    return made


def trust_store(ca: Path) -> Path:
    """A file in which Java finds whom to trust."""
    made = ca.with_name("trust.p12")
    subprocess.run(  # noqa: S603
        ["keytool", "-importcert", "-noprompt", "-alias", "edge",  # noqa: S607
         "-file", str(ca), "-keystore", str(made), "-storetype", "PKCS12",
         "-storepass", PASSWORD],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return made


@pytest.fixture
def hub(genuine: None, tmp_path: Path) -> Files:
    return certified(tmp_path / "hub", HOST)


@pytest.fixture
def edge(tmp_path: Path) -> Files:
    return certified(tmp_path / "edge", HOST)


@pytest.fixture
def egeria(
    hub: Files, edge: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Platform]:
    """A platform that trusts the node's authority, and that this test trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(hub.ca))
    monkeypatch.setenv(
        "JAVA_TOOL_OPTIONS",
        f"-Djavax.net.ssl.trustStore={trust_store(edge.ca)} "
        f"-Djavax.net.ssl.trustStorePassword={PASSWORD}",
    )
    options = (
        f"--server.ssl.key-store={key_store(hub)}",
        "--server.ssl.key-store-type=PKCS12",
        f"--server.ssl.key-store-password={PASSWORD}",
    )
    platform = Platform(tmp_path / "platform", options=options, scheme="https")
    try:
        platform.start()
        yield platform
    finally:
        platform.stop()


def test_each_changes_what_the_other_has(
    kafka: Broker, egeria: Platform, hub: Files, edge: Files, tmp_path: Path
) -> None:
    cohort = fresh_name("https")
    genuine = metadata_server(egeria, fresh_name("hub"), cohort, kafka.address)
    part = kafka_cohort(cohort, kafka.address, "https")
    part += HTTPS.format(files=edge, ca=hub.ca)
    node = Node(tmp_path / "node", fresh_name("edge"), [NO_COHORT, part])
    with started(genuine), running(node):
        until(lambda: node.name in genuine.cohort_members(cohort))
        until(lambda: genuine.name in node.cohort_members(cohort))
        for member, other in ((genuine, node), (node, genuine)):
            entity = Metadata(member).add(qualifiedName=fresh_name("term"))
            # It is passed on to the home, for which a copy wouldn't do.
            whole = Metadata(other, "enterprise/")
            changed = whole.change(entity["guid"], summary="changed")
            assert Metadata(member).entity(entity["guid"]) == changed
            assert changed["version"] == 2
