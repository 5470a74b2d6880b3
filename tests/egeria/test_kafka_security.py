"""Members on a Kafka that asks for TLS and a password."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.bus.base import Address
from edgenode.bus.topics import KafkaBroker, OmrsTopic
from tests.bus.certificates import Authority, client_context
from tests.egeria.harness.broker import Broker
from tests.egeria.harness.ports import HOST
from tests.egeria.reader import Reader, fresh_names
from tests.egeria.test_kafka_standing import BASE, add_term, node
from tests.wire.platforms import Files, certified

LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return certified(tmp_path_factory.mktemp("authority"), HOST)


@pytest.fixture(scope="module")
def secure(
    genuine: None, authority: Files, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Broker]:
    """A broker that lets in the user edge with the password right."""
    own = authority.key.with_name("broker.pem")
    own.write_bytes(authority.key.read_bytes() + authority.certificate.read_bytes())
    broker = Broker(
        tmp_path_factory.mktemp("kafka"),
        properties=(
            "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:SASL_SSL",
            "ssl.keystore.type=PEM",
            f"ssl.keystore.location={own}",
            "ssl.truststore.type=PEM",
            f"ssl.truststore.location={authority.ca}",
            "sasl.enabled.mechanisms=PLAIN",
            "sasl.mechanism.inter.broker.protocol=PLAIN",
            f"listener.name.plaintext.plain.sasl.jaas.config={LOGIN} "
            'username="broker" password="own" user_broker="own" user_edge="right";',
        ),
    )
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()


def login(port: int, authority: Path, password: str) -> KafkaBroker:
    context = client_context(authority, None)
    return KafkaBroker(
        addresses=(Address(HOST, port),),
        tls=lambda: context,
        username="edge",
        password=password,
    )


async def test_with_its_password_a_member_reads_and_sends(
    secure: Broker, authority: Files
) -> None:
    names = fresh_names()
    one, other = Reader(names), Reader(names)
    broker = login(secure.port, authority.ca, "right")
    async with one.reading(broker=broker), other.reading(broker=broker):
        await one.topics.send(OmrsTopic.TYPES, [b"event"])
        await other.until_read(b"event")


async def test_with_another_password_it_is_told_why_not(
    secure: Broker, authority: Files, caplog: pytest.LogCaptureFixture
) -> None:
    one = Reader(fresh_names())
    broker = login(secure.port, authority.ca, "wrong")
    async with one.reading(broker=broker, waits=False):
        await one.until(lambda: one.heard)
        assert "Authentication failed" in str(one.topics.statistics().last_error)
    assert "wrong" not in caplog.text


async def test_a_broker_with_another_certificate_is_not_trusted(
    secure: Broker, tmp_path: Path
) -> None:
    one = Reader(fresh_names())
    broker = login(secure.port, Authority(tmp_path).path, "right")
    async with one.reading(broker=broker, waits=False):
        await one.until(lambda: one.heard)
        assert "certificate verify failed" in str(one.topics.statistics().last_error)


async def test_without_a_login_it_is_told_that_none_will_do(secure: Broker) -> None:
    one = Reader(fresh_names())
    async with one.reading(secure.address, waits=False):
        await one.until(lambda: one.heard)
    assert one.heard[0][0] == "disconnected"


@pytest.mark.parametrize(
    ("password", "certificates", "reason"),
    [
        ("wrong", "authority", "Authentication failed"),
        ("right", "another", "certificate verify failed"),
        ("right", "authority", ""),
    ],
)
async def test_a_node_that_is_not_let_in_works_on_and_says_why(
    secure: Broker,
    authority: Files,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    password: str,
    certificates: str,
    reason: str,
) -> None:
    file = tmp_path / "password"
    file.write_text(password)
    ca = authority.ca
    if certificates == "another":
        ca = certified(tmp_path / "another", HOST).ca
    more = "\n".join(
        (
            'security_protocol = "SASL_SSL"',
            'broker_user = "edge"',
            f'broker_password_file = "{file}"',
            f'broker_ca_file = "{ca}"',
        )
    )
    onlooker = Reader(fresh_names())
    async with node(tmp_path, "safe", secure.address, more) as (client, member):
        await onlooker.until(
            lambda: (
                member.statistics().last_error
                if reason
                else member.statistics().connected_since
            )
        )
        await add_term(client, "t")
        told = (await client.get("/edgenode/kafka-cohort/admin/platforms")).body
        assert (reason in told["trouble"]["reason"]) if reason else not told["trouble"]
        assert (await client.get("/health/ready")).status == 200
        described = await client.get(f"{BASE}/metadata-highway/cohort-descriptions")
        assert f'"{password}"'.encode() not in described.text
    assert caplog.text.count("EDGENODE-AUDIT-0031") == bool(reason)
    assert reason in caplog.text
