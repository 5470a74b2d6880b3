"""Making, joining and leaving a cohort from the command line."""

import io
import json
import os
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from edgenode.cli.main import main
from edgenode.cli.outcome import ExitCode
from edgenode.clock import BUILD_TIME
from edgenode.limits import MAX_OVERLAP_DAYS
from edgenode.repository.lock import locked
from edgenode.security.cohorts import Cohort
from edgenode.security.directory import CohortDirectory
from edgenode.security.identity import make_identity
from edgenode.security.keys import CohortKey
from tests.unit.security.samples import COHORT, DAY, KEY, NEXT_KEY, NOW

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "data"
    monkeypatch.setenv("EDGENODE_DATA_DIRECTORY", str(directory))
    monkeypatch.delenv("EDGENODE_CONFIG", raising=False)
    return directory


@pytest.fixture
def directory(data: Path) -> CohortDirectory:
    return CohortDirectory(data)


@pytest.fixture
def command(data: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs ``edgenode cohort``; gives its exit code and what it printed."""

    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            code = main(["cohort", *arguments])
        except SystemExit as ended:  # the command line is wrong
            code = int(ended.code or 0)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def answer(command: Command, *arguments: str) -> Any:
    code, out, err = command(*arguments, "--json")
    assert (code, err) == (ExitCode.OK, "")
    return json.loads(out)


def refused(command: Command, *arguments: str) -> str:
    """The complaint of a command that changes nothing."""
    code, out, err = command(*arguments)
    assert (code, out) == (ExitCode.REFUSED, "")
    assert "\n  mend: " in err
    return err


# create


def test_a_cohort_is_made_and_the_next_machine_joins_it(
    command: Command,
    directory: CohortDirectory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, out, _ = command("create", "home")
    assert code == ExitCode.OK
    made = directory.load()
    assert made is not None
    assert (made.key.name, made.number) == ("home", 1)
    (line,) = [each for each in out.splitlines() if "cohort join" in each]
    assert "start it again" not in out
    monkeypatch.setenv("EDGENODE_DATA_DIRECTORY", str(tmp_path / "next"))
    code, out, _ = command(*line.split()[2:])
    assert code == ExitCode.OK
    assert "joined cohort home" in out
    assert made.key.token not in out
    joined = CohortDirectory(tmp_path / "next").load()
    assert joined == Cohort(key=made.key, number=0)


def test_the_name_is_the_configurations_otherwise(command: Command) -> None:
    assert answer(command, "create")["name"] == "cohort"


def test_a_cohort_is_not_replaced_unasked(
    command: Command, directory: CohortDirectory
) -> None:
    directory.save(COHORT)
    assert "--replace" in refused(command, "create", "other")
    assert directory.load() == COHORT
    made = answer(command, "create", "other", "--replace")
    found = directory.load()
    assert found is not None
    assert made == {
        "name": "other",
        "tag": found.key.tag,
        "keyNumber": 1,
        "token": found.key.token,
        "restartNeeded": False,
    }


def test_a_name_that_is_none(command: Command, directory: CohortDirectory) -> None:
    code, _, err = command("create", "a/b")
    assert code == ExitCode.USAGE
    assert "letters, digits" in err
    assert directory.load() is None


# join


def test_a_token_comes_from_the_input_or_a_file(
    command: Command,
    directory: CohortDirectory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{KEY.token}\n"))
    assert answer(command, "join", "-")["isNew"]
    assert directory.load() == Cohort(key=KEY, number=0)
    file = tmp_path / "token"
    file.write_text(NEXT_KEY.token)
    assert answer(command, "join", "--file", str(file)) == {
        "name": "home",
        "tag": NEXT_KEY.tag,
        "isNew": True,
        "left": {"name": "home", "tag": KEY.tag, "othersTold": None},
        "restartNeeded": False,
    }
    assert directory.load() == Cohort(key=NEXT_KEY, number=0)


def test_joining_once_more_changes_nothing(
    command: Command, directory: CohortDirectory
) -> None:
    rotated = COHORT.rotated(NEXT_KEY, NOW, 7)
    directory.save(rotated)
    assert not answer(command, "join", NEXT_KEY.token)["isNew"]
    assert "old token" in refused(command, "join", KEY.token)
    assert directory.load() == rotated


def test_joining_says_what_is_left(
    command: Command, directory: CohortDirectory
) -> None:
    directory.save(COHORT)
    _, out, _ = command("join", CohortKey("work", bytes(32)).token)
    assert f"left cohort home ({KEY.tag})\njoined cohort work" in out


@pytest.mark.parametrize("token", ["", "edgenode-AQAB", KEY.token[:-1], "\u00e4"])
def test_no_token(command: Command, directory: CohortDirectory, token: str) -> None:
    complaint = refused(command, "join", token)
    assert "can't be used" in complaint
    assert not token or token not in complaint
    assert directory.load() is None


@pytest.mark.parametrize(
    "arguments", [[], [KEY.token, "--file", "x"], ["a", "b"], ["--file"]]
)
def test_one_token_is_wanted(command: Command, arguments: list[str]) -> None:
    code, _, err = command("join", *arguments)
    assert code == ExitCode.USAGE
    assert KEY.token not in err


def test_files_that_have_none(command: Command, tmp_path: Path) -> None:
    assert "there is no" in refused(command, "join", "--file", str(tmp_path / "none"))
    assert "can't be read" in refused(command, "join", "--file", str(tmp_path))
    (tmp_path / "bytes").write_bytes(b"\xff")
    assert "isn't text" in refused(command, "join", "--file", str(tmp_path / "bytes"))


# token, leave, show


def test_the_token_stands_alone(command: Command, directory: CohortDirectory) -> None:
    directory.save(COHORT)
    assert command("token") == (ExitCode.OK, f"{KEY.token}\n", "")
    assert answer(command, "token")["token"] == KEY.token


def test_leaving(command: Command, directory: CohortDirectory) -> None:
    directory.save(COHORT)
    _, out, _ = command("leave")
    assert f"left cohort home ({KEY.tag})" in out
    assert "makes a cohort of its own" in out
    assert directory.load() is None


def test_the_cohort_is_shown(command: Command, directory: CohortDirectory) -> None:
    directory.save(COHORT)
    shown = answer(command, "show")
    assert shown == {
        "name": "home",
        "tag": KEY.tag,
        "nodeId": None,
        "keyNumber": 1,
        "overlapEnds": None,
    }
    identity = make_identity(directory.path, COHORT, NOW)
    assert answer(command, "show")["nodeId"] == identity.node_id
    _, out, _ = command("show")
    assert [identity.node_id, KEY.tag] == [
        line.split()[-1]
        for head in ("node id", "tag")
        for line in out.splitlines()
        if line.startswith(head)
    ]
    assert KEY.token not in out


# rotate


def test_a_rotation(command: Command, directory: CohortDirectory) -> None:
    directory.save(COHORT)
    answered = answer(command, "rotate", "--overlap", "0.5")
    rotated = directory.load()
    assert rotated is not None
    assert (rotated.previous, rotated.number) == (KEY, 2)
    assert (answered["token"], answered["keyNumber"]) == (rotated.key.token, 2)
    assert answer(command, "show")["overlapEnds"] is not None
    assert "overlap goes on" in refused(command, "rotate")
    assert directory.load() == rotated
    _, out, _ = command("rotate", "--overlap", "0")
    assert "has to join again" in out
    again = directory.load()
    assert again is not None
    assert (again.previous, again.number) == (None, 3)


def test_a_key_that_was_rotated_away_for_good_is_not_joined_again(
    command: Command, directory: CohortDirectory
) -> None:
    directory.save(COHORT)
    command("rotate", "--overlap", "0")
    rotated = directory.load()
    complaint = refused(command, "join", KEY.token)
    assert "rotated away" in complaint
    assert "on each other machine" in complaint
    assert directory.load() == rotated
    command("join", NEXT_KEY.token)
    assert "rotated away" in refused(command, "join", KEY.token), "nor later"
    command("leave")
    assert command("join", KEY.token)[0] == ExitCode.OK, "who insists leaves first"


def test_the_overlap_is_a_week_by_the_nodes_clock(
    command: Command, data: Path, directory: CohortDirectory
) -> None:
    directory.save(COHORT)
    floor = BUILD_TIME + 50 * 365 * DAY
    (data / "clock").write_text(str(floor))
    _, out, _ = command("rotate")
    assert "learn it by themselves" in out
    rotated = directory.load()
    assert rotated is not None
    assert 0 <= rotated.overlap_ends - floor - 7 * DAY < DAY


def test_a_rotation_by_who_never_met_the_cohort(
    command: Command, directory: CohortDirectory
) -> None:
    directory.save(Cohort(key=KEY, number=0))
    assert "--overlap 0" in refused(command, "rotate")


@pytest.mark.parametrize("days", ["-1", "nan", "x", str(MAX_OVERLAP_DAYS + 1)])
def test_no_overlap(command: Command, directory: CohortDirectory, days: str) -> None:
    directory.save(COHORT)
    assert command("rotate", "--overlap", days)[0] == ExitCode.USAGE
    assert directory.load() == COHORT


# All of them


@pytest.mark.parametrize("action", ["token", "leave", "rotate", "show"])
def test_without_a_cohort(command: Command, data: Path, action: str) -> None:
    assert "in no cohort" in refused(command, action)
    assert not data.exists()


def test_damage_is_mended_by_joining(
    command: Command, directory: CohortDirectory
) -> None:
    directory.save(COHORT)
    for mend in (["join", KEY.token], ["create", "--replace"], ["leave"]):
        directory.cohort_path.write_text("{")
        for action in ("token", "rotate", "show", "create"):
            complaint = refused(command, action)
            assert "isn't JSON" in complaint
            assert "cohort join" in complaint
        assert directory.cohort_path.read_text() == "{"
        assert command(*mend)[0] == ExitCode.OK
    assert directory.load() is None


@pytest.mark.parametrize(
    "arguments",
    [["create", "x", "--replace"], ["join", NEXT_KEY.token], ["leave"], ["rotate"]],
)
def test_a_running_node_has_to_start_again(
    command: Command, data: Path, directory: CohortDirectory, arguments: list[str]
) -> None:
    directory.save(COHORT)
    with locked(data):
        code, out, _ = command(*arguments)
        assert code == ExitCode.OK
        assert "start it again" in out
        directory.save(COHORT)
        assert answer(command, *arguments)["restartNeeded"]


def test_the_cohort_of_the_running_node_is_told_where_it_is_another(
    command: Command,
    data: Path,
    directory: CohortDirectory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running = {"mode": "keyed", "cohort": "old", "tag": KEY.tag}

    class Running(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(running).encode())

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    with HTTPServer(("127.0.0.1", 0), Running) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("EDGENODE_LISTEN", f"127.0.0.1:{server.server_port}")
        directory.save(COHORT)
        with locked(data):
            for arguments in (["show"], ["token"]):
                assert command(*arguments)[2] == ""
            directory.save(Cohort(key=NEXT_KEY))
            for arguments in (["show"], ["token"]):
                code, _, err = command(*arguments)
                assert code == ExitCode.OK
                assert f"is in cohort old ({KEY.tag}) until it is started again" in err
            directory.leave()
            assert "by its files it is in none" in refused(command, "show")
        server.shutdown()


@pytest.mark.parametrize("mode", ["none", "open"])
def test_a_mode_without_a_key_is_told(
    command: Command,
    directory: CohortDirectory,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
) -> None:
    monkeypatch.setenv("EDGENODE_COHORT_MODE", mode)
    complaint = refused(command, "join", KEY.token)
    assert f"cohort.mode = {mode}" in complaint
    assert 'set cohort.mode = "keyed"' in complaint
    assert directory.load() is None
    _, out, _ = command("create")
    assert f"cohort.mode = {mode}" in out


@pytest.mark.parametrize("action", ["token", "rotate", "show"])
def test_an_open_cohort_is_called_open(
    command: Command, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    monkeypatch.setenv("EDGENODE_COHORT_MODE", "open")
    assert "cohort cohort is open: it has no key" in refused(command, action)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_files_stay_the_nodes_own(command: Command, data: Path) -> None:
    data.mkdir()
    os.chown(data, 12_345, 12_345)
    complaint = refused(command, "create")
    assert "belongs to user #12345" in complaint
    assert list(data.iterdir()) == []


def test_a_disk_that_takes_nothing(command: Command, data: Path) -> None:
    data.write_bytes(b"")
    for arguments in (["create"], ["join", KEY.token]):
        assert str(data) in refused(command, *arguments)


def test_a_wrong_configuration(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGENODE_COHORT_MODE", "shut")
    code, _, err = command("show")
    assert code == ExitCode.CONFIGURATION
    assert "EDGENODE_COHORT_MODE" in err
