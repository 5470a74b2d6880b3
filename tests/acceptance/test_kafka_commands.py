"""A cohort of platforms as operators see it, where no platform is needed for that."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from edgenode.cli.outcome import ExitCode
from tests.acceptance.commands import SERVER, environment, run, running
from tests.acceptance.test_cohort_commands import eventually
from tests.acceptance.test_commands import Edgenode, in_process
from tests.bus.mosquitto import free_port
from tests.test_documents import README, quoted, table

NOT_INSTALLED = 'raise ModuleNotFoundError("No module", name="aiokafka")\n'
CONFIG = """
[kafka_cohort]
name = "cocoCohort"
brokers = ["127.0.0.1:{broker}"]
admit = ["127.0.0.0/8"]
transport = "http"
listen = "127.0.0.1:0"
{more}
"""


def configured(path: Path, more: str = "") -> dict[str, str]:
    """The environment of commands of a node whose Kafka is away."""
    config = path / "edgenode.toml"
    config.write_text(CONFIG.format(broker=free_port(), more=more), encoding="utf-8")
    environ = environment(path / "data", "127.0.0.1:0")
    return environ | {"EDGENODE_CONFIG": str(config)}


# what ends a start


def test_without_the_client_of_kafka_a_start_says_what_to_install(
    tmp_path: Path,
) -> None:
    (tmp_path / "aiokafka.py").write_text(NOT_INSTALLED, encoding="utf-8")
    environ = configured(tmp_path)
    environ["PYTHONPATH"] = f"{tmp_path}:{environ['PYTHONPATH']}"
    ended = run(["run"], environ)
    assert (ended.code, ended.out) == (ExitCode.CONFIGURATION, "")
    assert "isn't installed\n  mend: make kafka" in ended.err
    found = run(["doctor", "--json"], environ)
    checks = {each["check"]: each for each in found.json["checks"]}
    assert checks["kafka client"]["verdict"] == "fail"
    assert "make kafka" in checks["kafka client"]["mend"]


@pytest.mark.parametrize(
    ("protocol", "setting"),
    [
        ("SSL", 'broker_ca_file = "{0}"'),
        ("SASL_PLAINTEXT", 'broker_user = "edge"\nbroker_password_file = "{0}"'),
        ("PLAINTEXT", 'user = "platform"\npassword_file = "{0}"'),
    ],
)
def test_a_file_that_is_not_there_ends_the_start(
    tmp_path: Path, protocol: str, setting: str
) -> None:
    missing = tmp_path / "missing"
    more = f'security_protocol = "{protocol}"\n{setting.format(missing)}'
    ended = run(["run"], configured(tmp_path, more))
    assert (ended.code, ended.out) == (ExitCode.CONFIGURATION, "")
    assert f"{missing} can't be used (No such file or directory)" in ended.err
    assert "[kafka_cohort]" in ended.err


def test_two_cohorts_of_one_name_are_refused(tmp_path: Path) -> None:
    environ = configured(tmp_path) | {"EDGENODE_COHORT_MODE": "keyed"}
    assert run(["cohort", "create", "cocoCohort"], environ).code == ExitCode.OK
    environ |= {
        "EDGENODE_COHORT_LISTEN": "127.0.0.1:0",
        "EDGENODE_COHORT_BUS_LISTEN": "127.0.0.1:0",
    }
    ended = run(["run"], environ)
    assert (ended.code, ended.out) == (ExitCode.CONFIGURATION, "")
    assert "both cohorts of this node are called cocoCohort" in ended.err
    assert "edgenode cohort create NAME --replace" in ended.err


# while Kafka is away


@pytest.fixture(scope="module")
def away(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of commands for a node that runs without its Kafka."""
    path = tmp_path_factory.mktemp("away")
    more = {"EDGENODE_CONFIG": configured(path)["EDGENODE_CONFIG"]}
    with running(path / "data", more) as node:
        yield node.environment | more


@pytest.fixture
def edgenode(
    away: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Edgenode:
    return in_process(away, monkeypatch, capsys)


def test_a_kafka_that_is_away_is_told_and_no_fault(
    edgenode: Edgenode, away: dict[str, str]
) -> None:
    reason = "no connection to Kafka at 127.0.0.1:"
    eventually(lambda: reason in edgenode("status").out)
    status = edgenode("status")
    assert status.code == ExitCode.OK
    assert "cohort cocoCohort of platforms: 0 other members" in status.out
    assert "\n  mend: see that Kafka runs there" in status.out
    platforms = edgenode("cohort", "platforms")
    assert platforms.code == ExitCode.OK
    assert f"cohort cocoCohort of platforms, as {SERVER} sees it" in platforms.out
    assert reason in platforms.out
    assert "is registered since" not in platforms.out
    told = edgenode("cohort", "platforms", "--json").json
    assert (told["members"], told["spokenFor"]) == ([], [])
    assert told["typeConflicts"] == []
    assert told["topics"]["connectedSince"] is None
    assert "Connect call failed" in told["topics"]["lastError"]
    unknown = edgenode("cohort", "forget", "coco")
    assert unknown.code == ExitCode.REFUSED
    assert "no member coco is known here\n  mend: 'edgenode cohort pl" in unknown.err
    checks = edgenode("doctor", "--json").json["checks"]
    (found,) = [each for each in checks if each["check"] == "platforms"]
    assert (found["verdict"], reason in found["found"]) == ("warn", True)
    with urlopen(f"http://{away['EDGENODE_LISTEN']}/metrics") as answer:
        metrics = answer.read().decode()
    assert f'edgenode_kafka_connected{{server="{SERVER}"}} 0' in metrics
    kinds = dict(
        re.findall(r"(?m)^# TYPE (edgenode_(?:kafka|platform)_\w+) (\w+)$", metrics)
    )
    rows = table(README, "Metric of a cohort of platforms")
    assert {quoted(row[0]): row[1] for row in rows} == kinds


def test_a_server_that_is_away_from_platforms_says_so(
    edgenode: Edgenode, away: dict[str, str]
) -> None:
    user = f"/servers/{SERVER}/open-metadata/repository-services/users/erin"
    path = f"{user}/metadata-highway/cohorts/cocoCohort/disconnect"
    with urlopen(f"http://{away['EDGENODE_LISTEN']}{path}"):
        pass
    gone = "this server is disconnected from cohort cocoCohort"
    mend = f"'edgenode cohort connect --server {SERVER} --cohort cocoCohort'"
    for shown in (edgenode("status").out, edgenode("cohort", "platforms").out):
        assert gone in shown
        assert mend in shown
    found = edgenode("find", "Glossary", "--cohort")
    assert found.code == ExitCode.OK
    assert f"from this server alone: {gone}" in found.err
    wrong = edgenode("cohort", "connect", "--cohort", "nope")
    assert wrong.code == ExitCode.REFUSED
    assert (
        f"server {SERVER} is in no cohort nope\n  mend: name one of coco" in wrong.err
    )
    back = edgenode("cohort", "connect", "--cohort", "cocoCohort")
    assert back.out == f"server {SERVER} takes part in cohort cocoCohort\n"
    assert gone not in edgenode("status").out


def test_a_node_in_no_cohort_of_platforms_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(tmp_path) as node:
        edgenode = in_process(node.environment, monkeypatch, capsys)
        ended = edgenode("cohort", "platforms")
    assert (ended.code, ended.out) == (ExitCode.REFUSED, "")
    assert "is in no cohort of platforms" in ended.err
    assert "[kafka_cohort]" in ended.err
