"""A full disk, as the user of a machine meets it."""

import shutil
from pathlib import Path

import pytest

from edgenode.cli.outcome import ExitCode
from tests.acceptance.commands import environment, run, running
from tests.acceptance.test_cohort_commands import (
    Commands,
    eventually,
    members_of,
    paired,
    state_of,
)
from tests.acceptance.test_cohort_commands import commands as commands  # a fixture
from tests.acceptance.test_commands import told
from tests.bus.mosquitto import free_port
from tests.conftest import fill

FREE_SPACE = "free space on the disk of the "


def test_what_was_never_indexed_is_found(small_disk: Path) -> None:
    add = ["add", "GlossaryTerm", "qualifiedName=demo"]
    find = ["find", "GlossaryTerm", "--where", "qualifiedName=demo"]
    data = small_disk / "data"
    with running(data) as node:
        assert run(add, node.environment).code == ExitCode.OK
        fill(small_disk)
        assert "GlossaryTerm" in run(find, node.environment).out
        told(run(add, node.environment), ExitCode.REFUSED, "507", "Free disk space")
    with running(data) as node:
        assert "GlossaryTerm" in run(find, node.environment).out


@pytest.mark.parametrize("mode", ["none", "keyed"])
def test_the_first_start_asks_for_room(small_disk: Path, mode: str) -> None:
    fill(small_disk)
    environ = environment(small_disk / "data", f"127.0.0.1:{free_port()}")
    ended = run(["run"], environ | {"EDGENODE_COHORT_MODE": mode})
    assert ended.code == ExitCode.REFUSED
    assert "listen" not in ended.err
    assert f"mend: {FREE_SPACE}" in ended.err


def test_keys_ask_for_room(small_disk: Path) -> None:
    data = small_disk / "data"
    keyed = {"EDGENODE_COHORT_MODE": "keyed"}
    environ = environment(data, "127.0.0.1:0") | keyed
    assert run(["cohort", "create"], environ).code == ExitCode.OK
    token = run(["cohort", "token"], environ).out.strip()
    fill(small_disk)
    rotate = run(["cohort", "rotate", "--overlap", "0"], environ)
    told(rotate, ExitCode.REFUSED, "No space left", FREE_SPACE)
    shutil.rmtree(data)
    fill(small_disk)
    join = run(["cohort", "join", token], environ)
    told(join, ExitCode.REFUSED, "No space left", FREE_SPACE)


def test_a_removal_holds(small_disk: Path, tmp_path: Path, commands: Commands) -> None:
    (tmp_path / "hall").mkdir()
    (tmp_path / "hall" / "data").symlink_to(small_disk)
    with paired(tmp_path) as pair:
        on_hall = commands.on(pair.hall)
        filler = fill(small_disk)
        remove = "cohort", "remove", pair.attic.node_id
        told(on_hall(*remove), ExitCode.REFUSED, "the others are told", FREE_SPACE)
        (removed,) = members_of(pair.hall)["removed"]
        assert removed["nodeId"] == pair.attic.node_id
        assert state_of(pair.hall, "attic") != "alive"
        filler.unlink()
        assert on_hall(*remove).code == ExitCode.OK
        assert pair.hall.log.count("can't be kept in") == 1
        assert on_hall("cohort", "readmit", pair.attic.node_id).code == ExitCode.OK
        eventually(lambda: state_of(pair.hall, "attic") == "alive")
        fill(small_disk)
    with pair.hall.running(), pair.attic.running():
        eventually(lambda: state_of(pair.hall, "attic") == "alive")
    assert "Traceback" not in pair.hall.log
