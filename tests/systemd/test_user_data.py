"""The sample for cloud-init, done on a machine as cloud-init would do it."""

import json
import re
from pathlib import Path

import yaml

from edgenode.security.keys import CohortKey
from tests.conftest import ROOT
from tests.systemd.machine import Machine, Memory, machine
from tests.systemd.test_service import SERVICE

USER_DATA = ROOT / "deploy/raspberrypi/user-data"
BOOT = "/boot/firmware"


def test_a_prepared_card_makes_a_member_of_its_cohort(
    bundle: Path, machines: Memory
) -> None:
    key = CohortKey("plant", bytes(range(32)))
    with machine(machines) as card:
        prepare(card, bundle, key.token)
        start(card)
        members = card.does("edgenode", "cohort", "members")
    assert key.tag in members


def test_after_a_mistake_it_is_no_member_of_another_one(
    bundle: Path, machines: Memory
) -> None:
    key = CohortKey("plant", bytes(range(32)))
    with machine(machines) as card:
        prepare(card, bundle, "no token")
        start(card)
        mistakes = card.root / BOOT[1:] / "edgenode-mistakes.txt"
        assert "join_token" in mistakes.read_text()
        assert card.shows(SERVICE, "ActiveState") == "inactive"
        assert card.run("systemctl", "is-enabled", SERVICE).out == "disabled\n"
        put_token(card, key.token)
        card.does("sh", "-c", going_on())
        members = card.does("edgenode", "cohort", "members")
        assert card.does("systemctl", "is-enabled", SERVICE) == "enabled\n"
    assert key.tag in members


def prepare(card: Machine, bundle: Path, token: str) -> None:
    """Put on a boot partition what a person puts there."""
    card.does("mkdir", "-p", BOOT)
    card.does("cp", "-r", str(bundle), f"{BOOT}/edgenode")
    put_token(card, token)


def put_token(card: Machine, token: str) -> None:
    boot = card.root / BOOT[1:]
    (boot / "machine.toml").write_text(f"join_token = {json.dumps(token)}\n")


def start(card: Machine) -> None:
    """Do what cloud-init does: one command after the other, whatever became of the last."""
    for command in yaml.safe_load(USER_DATA.read_text("utf-8"))["runcmd"]:
        words = ["sh", "-c", command] if isinstance(command, str) else command
        card.run(*words)


def going_on() -> str:
    """The command that is to be typed when mistakes were mended."""
    found = re.search(r'^#   sudo sh -c "(.+)"$', USER_DATA.read_text("utf-8"), re.M)
    assert found
    return found[1]
