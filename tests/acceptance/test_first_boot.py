"""A card's boot partition is taken over by a command, and the node starts with it."""

from pathlib import Path

import pytest

from edgenode.cli.outcome import ExitCode
from tests.acceptance.commands import Ended, environment, run, running
from tests.unit.security.samples import FOREIGN_KEY, KEY

NODE = '[[server]]\nname = "press-4"\n'
MACHINE = f'host_name = "cellar"\njoin_token = "{KEY.token}"\n'


@pytest.fixture
def boot(tmp_path: Path) -> Path:
    made = tmp_path / "boot"
    made.mkdir()
    return made


def first_boot(tmp_path: Path, *more: str) -> Ended:
    options = [
        each
        for name in ("boot", "settings", "state")
        for each in (f"--{name}", str(tmp_path / name))
    ]
    environ = environment(tmp_path / "state", "127.0.0.1:1")
    return run(["first-boot", *options, *more], environ)


def test_a_node_is_what_its_card_says(tmp_path: Path, boot: Path) -> None:
    (boot / "edgenode.toml").write_text(NODE)
    (boot / "machine.toml").write_text(MACHINE)
    ended = first_boot(tmp_path)
    assert (ended.code, ended.err) == (ExitCode.OK, "")
    assert ended.out.splitlines()[0] == "The machine's name is cellar."
    assert ended.out.endswith(f"{boot / 'edgenode-report.txt'}, too.\n")
    assert first_boot(tmp_path, "--json").json == {"taken": []}
    lines = (tmp_path / "settings" / "environment").read_text().splitlines()
    environ = dict(line.split("=", 1) for line in lines) | {
        "EDGENODE_COHORT_MODE": "keyed",
        "EDGENODE_COHORT_LISTEN": "127.0.0.1:0",
        "EDGENODE_COHORT_BUS_LISTEN": "127.0.0.1:0",
        "EDGENODE_SERVER_NAME": "",
    }
    with running(tmp_path / "state", environ) as node:
        shown = run(["cohort", "token"], node.environment | environ)
        assert shown.out.strip() == KEY.token
        assert "press-4" in run(["status"], node.environment | environ).out
    token = tmp_path / "state" / "join-token"
    assert not token.exists()
    (boot / "machine.toml").write_text(MACHINE)
    assert "The node is in cohort 'home' already." in first_boot(tmp_path).out
    (boot / "machine.toml").write_text(MACHINE.replace(KEY.token, FOREIGN_KEY.token))
    ended = first_boot(tmp_path)
    assert ended.code == ExitCode.CONFIGURATION
    assert "machine.toml:2: join_token isn't a key of the cohort" in ended.err
    assert "edgenode cohort join" in (boot / "edgenode-mistakes.txt").read_text()
    assert not token.exists()


def test_mistakes_end_it_and_stand_on_the_card(tmp_path: Path, boot: Path) -> None:
    (boot / "machine.toml").write_text('host_name = "The cellar"\n')
    ended = first_boot(tmp_path)
    assert ended.code == ExitCode.CONFIGURATION
    assert "machine.toml:1: host_name can't be used" in ended.err
    assert "machine.toml:1" in (boot / "edgenode-mistakes.txt").read_text()


def test_who_is_nobody_owns_nothing(tmp_path: Path, boot: Path) -> None:
    ended = first_boot(tmp_path, "--owner", "nobody-of-that-name")
    assert ended.code == ExitCode.USAGE
    assert "adduser" in ended.err


def test_what_the_system_refuses_ends_it_and_stands_on_the_card(
    tmp_path: Path, boot: Path
) -> None:
    (tmp_path / "settings").write_text("no directory")
    (boot / "machine.toml").write_text(MACHINE)
    ended = first_boot(tmp_path)
    assert ended.code == ExitCode.REFUSED
    assert "settings can't be used" in ended.err
    assert "put that right, or try another card" in ended.err
    assert "settings: can't be used" in (boot / "edgenode-mistakes.txt").read_text()
