"""A cohort of platforms as operators see it, where no platform is needed for that."""

from pathlib import Path

import pytest

from edgenode.cli.outcome import ExitCode
from tests.acceptance.commands import environment, run
from tests.bus.mosquitto import free_port

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
