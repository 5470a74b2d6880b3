"""What the self-check says of the cohort's files, certificate and ports, and of time."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from edgenode.cli.cohort_checks import (
    CERTIFICATE_SLACK_MILLIS,
    FLOOR_SLACK_MILLIS,
    certificate,
    clock_floor,
    cohort_files,
    cohort_findings,
    cohort_port,
    kafka_files,
)
from edgenode.cli.findings import Finding, Verdict
from edgenode.config import (
    CohortConfig,
    HostPort,
    KafkaCohortConfig,
    NodeConfig,
    load_config,
)
from edgenode.repository.lock import locked
from edgenode.security.clock_floor import CLOCK_FILE
from edgenode.security.directory import CohortDirectory
from edgenode.security.identity import CERTIFICATE_LIFE_MILLIS, make_identity
from tests.unit.security.samples import COHORT, NOW

OK, WARN, FAIL = Verdict.OK, Verdict.WARN, Verdict.FAIL
ANYWHERE = HostPort("127.0.0.1", 0)


@pytest.fixture
def config(tmp_path: Path) -> NodeConfig:
    return replace(
        load_config(None, {"EDGENODE_SERVER_NAME": "pi"}),
        data_directory=tmp_path / "data",
        cohort=CohortConfig(listen=ANYWHERE, bus_listen=ANYWHERE),
    )


@pytest.fixture
def taken() -> Iterator[HostPort]:
    """A place where another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield HostPort("127.0.0.1", listener.getsockname()[1])


def by_check(config: NodeConfig) -> dict[str, Finding]:
    return {each.check: each for each in cohort_findings(config, NOW)}


def test_before_the_first_start_all_is_well_and_nothing_is_made(
    config: NodeConfig,
) -> None:
    found = by_check(config)
    assert set(found) == {
        "clock floor",
        "cohort",
        "certificate",
        "members' port",
        "bus port",
    }
    assert {each.verdict for each in found.values()} == {OK}
    assert not config.data_directory.exists()


def test_a_node_in_no_cohort_needs_none_of_it(config: NodeConfig) -> None:
    alone = replace(config, cohort=CohortConfig(mode="none"))
    assert set(by_check(alone)) == {"clock floor"}


def test_an_open_cohort_is_warned_of(config: NodeConfig) -> None:
    opened = replace(config, cohort=replace(config.cohort, mode="open"))
    finding = by_check(opened)["cohort"]
    assert finding.verdict is WARN
    assert "anybody on the network" in finding.found
    assert "keyed" in finding.mend


def test_files_are_for_this_user_alone(tmp_path: Path) -> None:
    directory = CohortDirectory(tmp_path)
    directory.save(COHORT)
    finding = cohort_files(tmp_path)
    assert finding.verdict is OK
    assert COHORT.key.name in finding.found
    assert COHORT.key.token not in finding.found
    for path, mode in ((directory.cohort_path, 0o640), (directory.path, 0o701)):
        before = path.stat().st_mode
        path.chmod(mode)
        finding = cohort_files(tmp_path)
        assert finding.verdict is FAIL
        assert str(path) in finding.found
        assert "rotate --overlap 0" in finding.mend
        path.chmod(before)
    directory.cohort_path.write_text("{}")
    finding = cohort_files(tmp_path)
    assert finding.verdict is FAIL
    assert "join again" in finding.mend


def test_the_certificates_end(tmp_path: Path) -> None:
    assert certificate(tmp_path, NOW).verdict is OK
    identity = make_identity(CohortDirectory(tmp_path).path, COHORT, NOW)
    end = NOW + CERTIFICATE_LIFE_MILLIS
    found = {
        now: certificate(tmp_path, now).verdict
        for now in (NOW, end - CERTIFICATE_SLACK_MILLIS + 2_000, end)
    }
    assert list(found.values()) == [OK, WARN, FAIL]
    assert identity.node_id in certificate(tmp_path, NOW).found


def test_a_port_is_free_or_the_nodes_own(taken: HostPort) -> None:
    def verdict(place: HostPort, *, is_running: bool) -> Verdict:
        finding = cohort_port("port", "cohort.listen", place, is_running=is_running)
        assert bool(finding.mend) == (finding.verdict is not OK)
        assert finding.verdict is OK or "cohort.listen" in finding.mend
        return finding.verdict

    assert verdict(ANYWHERE, is_running=False) is OK
    assert verdict(taken, is_running=False) is FAIL
    assert verdict(taken, is_running=True) is OK
    assert verdict(HostPort("fe80::1%nowhere", 1), is_running=True) is FAIL


def test_a_port_of_the_node_that_runs_is_well(
    config: NodeConfig, taken: HostPort
) -> None:
    busy = replace(config, cohort=replace(config.cohort, listen=taken))
    assert by_check(busy)["members' port"].verdict is FAIL
    with locked(config.data_directory):
        assert by_check(busy)["members' port"].verdict is OK
    assert by_check(busy)["members' port"].verdict is FAIL


def test_time_that_was_reached(tmp_path: Path) -> None:
    assert clock_floor(tmp_path, NOW).verdict is OK
    path = tmp_path / CLOCK_FILE
    path.write_text(f"{NOW + FLOOR_SLACK_MILLIS}\n")
    finding = clock_floor(tmp_path, NOW)
    assert finding.verdict is OK
    assert "no time before 2026-11-18" in finding.found
    path.write_text(f"{NOW + FLOOR_SLACK_MILLIS + 1}\n")
    finding = clock_floor(tmp_path, NOW)
    assert finding.verdict is WARN
    assert str(path) in finding.mend


# The cohort of platforms


def test_a_kafka_cohorts_files_have_to_be_there(
    config: NodeConfig, tmp_path: Path
) -> None:
    password = tmp_path / "password"
    kafka = KafkaCohortConfig(
        name="cocoCohort",
        brokers=(),
        admit=(ip_network("10.1.2.0/24"),),
        user="platform",
        password_file=password,
        listen=ANYWHERE,
    )
    alone = replace(config, cohort=CohortConfig(mode="none"), kafka_cohort=kafka)
    finding = by_check(alone)["kafka cohort"]
    assert finding.verdict is FAIL
    assert str(password) in finding.found
    assert "kafka_cohort.password_file" in finding.mend
    password.write_text("\n")
    assert "there is no password in it" in by_check(alone)["kafka cohort"].found
    password.write_text("secret\n")
    found = by_check(alone)
    assert set(found) == {
        "clock floor",
        "kafka client",
        "kafka cohort",
        "platforms' port",
    }
    assert {each.verdict for each in found.values()} == {OK}


def test_whoever_admits_anybody_is_warned() -> None:
    kafka = KafkaCohortConfig(
        name="cocoCohort", brokers=(), admit=(ip_network("0.0.0.0/0"),)
    )
    finding = kafka_files(kafka)
    assert finding.verdict is WARN
    assert "kafka_cohort.admit" in finding.mend
    assert kafka_files(replace(kafka, user="platform")).verdict is OK
