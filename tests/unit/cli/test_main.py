"""Starting a command takes little, and nothing ends in a traceback."""

import json
import subprocess
import sys
from argparse import ArgumentParser
from importlib import import_module
from pathlib import Path

import pytest

from edgenode.cli import run
from edgenode.cli.main import COMMANDS, main
from edgenode.cli.outcome import CommandError, ExitCode
from tests.conftest import ROOT

LATE = ("aiohttp", "asyncio", "http.client", "regex", "rich", "sqlite3", "ssl")
"""What takes long to load, and most commands don't need, or only when they call."""


SPARED = (
    "cryptography",
    "difflib",
    "edgenode.cli.client",
    "edgenode.kafka_cohort",
    "rich",
    "statistics",
)
"""What a node that only runs would have in memory for nothing."""


@pytest.mark.parametrize(
    ("loaded", "names"),
    [
        ("from edgenode.cli.main import parser; parser()", LATE),
        (
            "from edgenode.cli.main import parser; parser('run')\n"
            "import edgenode.node, edgenode.bus.broker, edgenode.discovery.mdns",
            SPARED,
        ),
    ],
)
def test_only_what_is_needed_is_loaded(loaded: str, names: tuple[str, ...]) -> None:
    source = (
        f"import sys\n{loaded}\n"
        f"print([name for name in {names} if name in sys.modules])"
    )
    ended = subprocess.run(  # noqa: S603 - our own Python and source
        [sys.executable, "-c", source],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == "[]\n"


@pytest.mark.parametrize("module", COMMANDS)
def test_each_command_is_found_in_its_module(module: str) -> None:
    commands = ArgumentParser().add_subparsers()
    common = ArgumentParser(add_help=False)
    import_module(f"edgenode.cli.{module}").add_commands(commands, common)
    assert tuple(commands.choices) == COMMANDS[module]


def test_where_the_command_is_not_known_all_are_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for words in (["no-command"], ["--json"], []):
        with pytest.raises(SystemExit):
            main(words)
    with pytest.raises(SystemExit):
        main(["--help"])
    helped = capsys.readouterr().out
    assert all(name in helped for names in COMMANDS.values() for name in names)


def test_check_config_doubts_names_of_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "edgenode.toml"
    file.write_text(
        '[cohort]\ninterfaces = ["lo", "eht0"]\nevents_to_save = "SELECTED_TYPES"\n'
        'events_to_save_types = ["GlossaryTerm", "GlosaryTerm"]\n'
    )
    assert main(["check-config", "--config", str(file)]) == 0
    told = capsys.readouterr().out
    assert "warning: cohort.interfaces: there is no interface eht0 now" in told
    assert "has no type GlosaryTerm" in told
    assert told.count("warning: ") == 2
    assert "the configuration is good" not in told


def test_check_config_shows_the_kafka_cohort(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "edgenode.toml"
    file.write_text(
        '[kafka_cohort]\nname = "coco"\nbrokers = ["kafka"]\nadmit = ["10.1.2.0/24"]\n'
        'transport = "http"\nuser = "platform"\npassword_file = "/e/secret"\n'
    )
    assert main(["check-config", "--json", "--config", str(file)]) == 0
    told = json.loads(capsys.readouterr().out)["settings"]
    assert told["kafka_cohort.brokers"] == "kafka:9092"
    assert told["kafka_cohort.admit"] == "10.1.2.0/24"
    assert told["kafka_cohort.user"] == "platform"


@pytest.mark.parametrize(
    ("admit", "doubted"),
    [
        ("10.1.2.0/24", ["listen", "address"]),
        ("0.0.0.0/0", []),
        ("127.0.0.1", []),
    ],
)
def test_check_config_doubts_places_that_platforms_cannot_ask_at(
    admit: str,
    doubted: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "edgenode.toml"
    file.write_text(
        f'[kafka_cohort]\nname = "coco"\nbrokers = ["kafka"]\nadmit = ["{admit}"]\n'
        'transport = "http"\nlisten = "127.0.0.1:9446"\n'
        'address = "http://localhost:9446"\n'
    )
    assert main(["check-config", "--json", "--config", str(file)]) == 0
    warnings = json.loads(capsys.readouterr().out)["warnings"]
    assert [each.split(" ")[0] for each in warnings] == [
        f"kafka_cohort.{each}" for each in doubted
    ]


def test_a_join_file_without_a_token_is_no_matter_of_the_disk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token, file = tmp_path / "token", tmp_path / "edgenode.toml"
    token.write_text("nonsense")
    file.write_text(
        f'[node]\nlisten = "127.0.0.1:0"\ndata_directory = "{tmp_path}/data"\n'
        f'[cohort]\njoin_file = "{token}"\n'
    )
    assert main(["run", "--config", str(file)]) == ExitCode.REFUSED
    told = capsys.readouterr().err
    assert f"{token} can't be used" in told
    assert "mend: write a join token into it" in told
    assert "doctor" not in told


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (CommandError(ExitCode.UNWELL, "no", "yes"), 5, "edgenode: no\n  mend: yes\n"),
        (CommandError(ExitCode.REFUSED, "no"), 1, "edgenode: no\n"),
        (CommandError(ExitCode.REFUSED, "\x9b2J\x07"), 1, "edgenode: \ufffd2J\ufffd\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_errors_become_exit_codes(
    error: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(run, "load_config", fail)
    assert main(["check-config"]) == code
    assert capsys.readouterr() == ("", said)
