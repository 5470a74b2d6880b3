"""The sample for cloud-init, done on a machine as cloud-init would do it."""

import json
from pathlib import Path

import yaml

from edgenode.security.keys import CohortKey
from tests.conftest import ROOT
from tests.systemd.machine import Machine, Memory, machine

USER_DATA = ROOT / "deploy/raspberrypi/user-data"
BOOT = "/boot/firmware"


def test_a_prepared_card_makes_a_member_of_its_cohort(
    bundle: Path, machines: Memory
) -> None:
    key = CohortKey("plant", bytes(range(32)))
    told = yaml.safe_load(USER_DATA.read_text("utf-8"))
    with machine(machines) as card:
        prepare(card, bundle, key)
        for command in told["runcmd"]:
            card.does(*command)
        members = card.does("edgenode", "cohort", "members")
    assert key.tag in members


def prepare(card: Machine, bundle: Path, key: CohortKey) -> None:
    """Put on a boot partition what a person puts there."""
    card.does("mkdir", "-p", BOOT)
    card.does("cp", "-r", str(bundle), f"{BOOT}/edgenode")
    boot = card.root / BOOT[1:]
    (boot / "machine.toml").write_text(f"join_token = {json.dumps(key.token)}\n")
