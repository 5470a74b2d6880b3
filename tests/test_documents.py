"""The documents say what is true: tables, examples, paths and links."""

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import pytest

from edgenode.cli.main import parser
from edgenode.cli.outcome import ExitCode
from edgenode.config import ENVIRONMENT, SETTINGS, KafkaCohortConfig, load_config
from edgenode.observability import audit_messages
from edgenode.observability.audit_log import AuditMessage
from tests.acceptance.commands import SERVER, RunningNode, environment, running
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "edgenode.example.toml"
UNIT = ROOT / "systemd" / "edgenode.service"
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *(ROOT / "systemd" / name for name in ("README.md", "edgenode.service")),
    ROOT / "deploy" / "raspberrypi" / "README.md",
    *(ROOT / "docs" / name for name in ("bridge.md", "egeria.md")),
    EXAMPLE,
    ROOT / "Makefile",
]
HOME = {"HOME": "/home/pi"}


def _relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def table(text: str, head: str) -> list[list[str]]:
    """The rows of the table whose first cell in the head is this."""
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith(f"| {head} |"):
            break
    else:
        raise AssertionError(f"there is no table of {head}")
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def quoted(cell: str) -> str:
    """What stands in a cell in backquotes; the first of them."""
    found = re.search("`([^`]+)`", cell)
    return found[1] if found else ""


# Commands


def commands(parser: argparse.ArgumentParser, name: str) -> Iterator[str]:
    """The commands of a parser and of those below it, in full."""
    below = [
        action
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
    ]
    if not below:
        yield name
    for action in below:
        for word, each in action.choices.items():
            yield from commands(each, f"{name} {word}")


COMMANDS = set(commands(parser(), "edgenode"))


def test_the_table_has_every_command() -> None:
    assert [quoted(row[0]) for row in table(README, "Command")] == list(
        dict.fromkeys(commands(parser(), "edgenode"))
    )


@pytest.mark.parametrize("path", DOCUMENTS, ids=_relative)
def test_commands_in_texts_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    used = re.findall(
        r"(?:[`(]|\$ |bin/)edgenode ((?:archive |cohort )?[a-z][a-z-]*)", text
    )
    groups = {command.rpartition(" ")[0] for command in COMMANDS}
    assert {f"edgenode {each}" for each in used} <= COMMANDS | groups


def test_the_table_has_every_exit_code() -> None:
    rows = table(README, "Code")
    assert [int(row[0]) for row in rows] == [int(code) for code in ExitCode]
    assert all(row[1] for row in rows)


# Settings


def test_the_example_holds_the_defaults() -> None:
    defaults = load_config(None, HOME)
    assert load_config(EXAMPLE, HOME) == replace(defaults, source=EXAMPLE)


def test_the_example_has_every_setting(tmp_path: Path) -> None:
    """Those without a fixed default stand there as comments, with an example."""
    text = EXAMPLE.read_text(encoding="utf-8")
    keys = "|".join(key for table_keys in SETTINGS.values() for key in table_keys)
    every = tmp_path / "every.toml"
    text = re.sub(rf"(?m)^# (?=(?:{keys}) = |\[)", "", text)
    # Some are of use only where another setting isn't at its default.
    text = text.replace('bus = "embedded"', 'bus = "mqtts://broker"')
    text = text.replace('= "ALL"', '= "SELECTED_TYPES"')
    every.write_text(text, encoding="utf-8")
    config = load_config(every, HOME)
    assert config.data_directory.name == "edgenode"
    (server,) = config.servers
    assert (server.name, server.organization_name) == ("pi", "The bakery on the corner")
    assert server.metadata_collection_name == "Sensors in the cellar"
    cohort = config.cohort
    assert cohort.join_file == Path("/boot/firmware/edgenode.token")
    assert cohort.bus is not None
    assert cohort.bus.user == "edgenode"
    rules = (cohort.events_to_send, cohort.events_to_save, cohort.events_to_process)
    assert {rule.types for rule in rules} == {("GlossaryTerm",)}
    kafka = config.kafka_cohort
    assert kafka is not None
    assert kafka.address == "https://pi:9446"
    written = {
        (head, key)
        for head, body in _sections(every.read_text(encoding="utf-8"))
        for key in re.findall(r"(?m)^(\w+) = ", body)
    }
    assert written == {(head, key) for head in SETTINGS for key in SETTINGS[head]}


def _sections(text: str) -> Iterator[tuple[str, str]]:
    parts = re.split(r"(?m)^(?:# )?\[+(\w+)\]+$", text)
    return zip(parts[1::2], parts[2::2], strict=True)


def test_the_example_names_every_variable() -> None:
    """Each stands in the comment above its setting."""
    sections = dict(_sections(EXAMPLE.read_text(encoding="utf-8")))
    for variable, (head, key) in ENVIRONMENT.items():
        (comment,) = re.findall(rf"(?m)((?:^# .*\n)+)^(?:# )?{key} = ", sections[head])
        assert variable in comment.partition(" = ")[0]


def test_the_table_has_every_setting() -> None:
    rows = table(README, "Setting")
    settings = {f"{head}.{key}" for head in SETTINGS for key in SETTINGS[head]}
    assert {quoted(row[0]) for row in rows} == settings
    variables = {quoted(row[0]): quoted(row[1]) for row in rows if row[1]}
    assert variables == {
        f"{head}.{key}": variable for variable, (head, key) in ENVIRONMENT.items()
    }


def test_the_table_has_the_defaults() -> None:
    defaults = load_config(None, HOME)
    (server,) = defaults.servers
    kafka = KafkaCohortConfig(name="", brokers=(), admit=())
    told = {quoted(row[0]): row[2] for row in table(README, "Setting")}
    told["node.data_directory"] = told["node.data_directory"].replace("~", HOME["HOME"])
    assert {setting: quoted(cell) for setting, cell in told.items() if "`" in cell} == {
        "node.listen": f"{defaults.host}:{defaults.port}",
        "node.data_directory": str(defaults.data_directory),
        "node.log_format": defaults.log_format,
        "node.log_level": defaults.log_level,
        "server.release": server.release,
        "cohort.mode": defaults.cohort.mode,
        "cohort.name": defaults.cohort.name,
        "cohort.listen": str(defaults.cohort.listen),
        "cohort.discovery": str(defaults.cohort.discovery).lower(),
        "cohort.bus": "embedded",
        "cohort.bus_listen": str(defaults.cohort.bus_listen),
        "cohort.events_to_send": defaults.cohort.events_to_send.rule.name,
        "cohort.events_to_save": defaults.cohort.events_to_save.rule.name,
        "cohort.events_to_process": defaults.cohort.events_to_process.rule.name,
        "kafka_cohort.topic_root": kafka.topic_root,
        "kafka_cohort.topics": kafka.topics,
        "kafka_cohort.security_protocol": kafka.security_protocol,
        "kafka_cohort.transport": kafka.transport,
        "kafka_cohort.listen": str(kafka.listen),
        "kafka_cohort.events_to_send": kafka.events_to_send.rule.name,
        "kafka_cohort.events_to_save": kafka.events_to_save.rule.name,
        "kafka_cohort.events_to_process": kafka.events_to_process.rule.name,
    }
    assert defaults.kafka_cohort is None
    assert defaults.cohort.bus is None


# Paths, links and words


def test_what_the_map_names_exists() -> None:
    named = {
        path
        for path in re.findall(r"`([\w/.]+)`", CONTRIBUTING)
        if "/" in path or path.endswith(".py")
    }
    assert len(named) > 50
    missing = [
        path
        for path in named
        if not any((base / path).exists() for base in (ROOT, ROOT / "edgenode"))
    ]
    assert missing == []


def test_the_map_has_every_part() -> None:
    parts = {
        f"edgenode/{path.name}" + ("/" if path.is_dir() else "")
        for path in (ROOT / "edgenode").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    rest = {"edgenode/__init__.py", "edgenode/__main__.py"}
    missing = {part for part in parts - rest if f"`{part}`" not in CONTRIBUTING}
    assert missing == set()


def test_the_audit_records_of_a_kafka_cohort_are_there() -> None:
    text = (ROOT / "docs" / "egeria.md").read_text(encoding="utf-8")
    known = {
        each.message_id
        for each in vars(audit_messages).values()
        if isinstance(each, AuditMessage)
    }
    named = set(re.findall(r"EDGENODE-AUDIT-\d{4}", text))
    assert len(named) > 10
    assert named <= known


def anchors(path: Path) -> set[str]:
    """The anchors of a document's headings."""
    heads = re.findall(r"(?m)^#+ (.+)$", path.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize(
    "path", [p for p in DOCUMENTS if p.suffix == ".md"], ids=_relative
)
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        other = (path.parent / file) if file else path
        assert other.exists(), target
        assert not anchor or anchor in anchors(other), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=_relative)
def test_documents_name_no_place_of_one_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    places = re.findall(r"/(?:root|tmp|work|builds?|workspace)(?![\w-])/?\S*", text)
    assert places == []
    hosts = set(re.findall(r"https?://([\w.-]+)", text))
    made_up = {"HOST", "pi", "pi.plant", "hub.plant"}
    assert hosts <= {"127.0.0.1", "egeria-project.org", "semver.org"} | made_up
    assert not re.search(r"\b(?:TODO|FIXME|TBD|XXX)\b", text)


# The unit


def test_the_unit_gives_up_on_what_does_not_mend_itself() -> None:
    unit = UNIT.read_text(encoding="utf-8")
    (codes,) = re.findall(r"(?m)^RestartPreventExitStatus=(.+)$", unit)
    assert {int(code) for code in codes.split()} == {
        ExitCode.USAGE,
        ExitCode.CONFIGURATION,
    }


def test_the_unit_promises_no_more_than_the_node_does() -> None:
    """Readiness and a watchdog need a node that speaks to systemd."""
    unit = UNIT.read_text(encoding="utf-8")
    sources = (ROOT / "edgenode").rglob("*.py")
    speaks = any(
        "NOTIFY_SOCKET" in each.read_text(encoding="utf-8") for each in sources
    )
    assert ("\nType=notify" in unit) is speaks
    assert speaks or "\nWatchdogSec=" not in unit


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)
def test_the_unit_is_hardened() -> None:
    """At most 2.0 of 10, where less is better."""
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20"]
    ended = subprocess.run(  # noqa: S603 - a file of ours
        [*command, str(UNIT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


# A node, as the README starts one


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """In a cohort of its own, as it is by default, but seen by nobody."""
    directory = tmp_path_factory.mktemp("node")
    configured = directory / "edgenode.toml"
    configured.write_text("[cohort]\ndiscovery = false\n", encoding="utf-8")
    cohort = {
        "EDGENODE_CONFIG": str(configured),
        "EDGENODE_COHORT_MODE": "keyed",
        "EDGENODE_COHORT_LISTEN": "127.0.0.1:0",
        "EDGENODE_COHORT_BUS_LISTEN": "127.0.0.1:0",
    }
    with running(directory / "data", cohort) as running_node:
        yield running_node


def transcript(section: str) -> list[tuple[str, str]]:
    """The commands of a section's examples, each with what it prints."""
    start = README.index(f"## {section}\n")
    text = README[start : README.index("\n## ", start)]
    blocks = "".join(re.findall(r"(?ms)^```console\n(.*?)^```", text))
    steps = re.split(r"(?m)^\$ ", blocks)[1:]
    return [
        (command, printed.rstrip("\n"))
        for command, _, printed in (step.partition("\n") for step in steps)
        if not command.startswith("make ")
    ]


def comparable(text: str) -> str:
    """Printed text without what is different each time."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "GUID", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+\+\d\d:\d\d", "TIME", text)
    return "\n".join(line.rstrip() for line in text.rstrip().split("\n"))


@pytest.mark.skipif(
    any(shutil.which(program) is None for program in ("bash", "curl")),
    reason="bash and curl are needed to do what the README says",
)
def test_the_first_five_minutes(node: RunningNode, tmp_path: Path) -> None:
    """Each command prints what stands below it."""
    steps = transcript("Five minutes to the first useful answer")
    assert len(steps) > 12
    mark = "-- next --"
    script = f"\necho; echo '{mark}'\n".join(
        command.replace("127.0.0.1:9443", node.url.removeprefix("http://")).replace(
            "$(hostname -s)", SERVER
        )
        for command, _ in steps
    )
    program = tmp_path / ".venv" / "bin" / "edgenode"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m edgenode "$@"\n')
    program.chmod(0o755)
    listen = node.url.removeprefix("http://")
    ended = subprocess.run(  # noqa: S603 - the commands of our README
        ["bash", "-c", script],  # noqa: S607 - wherever it is installed
        cwd=tmp_path,
        env=environment(node.data, listen) | {"LOGNAME": SERVER},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == ""
    printed = ended.stdout.split(mark)
    for (command, wanted), found in zip(steps, printed, strict=True):
        assert comparable(found.strip("\n")) == comparable(wanted), command


def test_the_table_has_every_metric(node: RunningNode) -> None:
    with urlopen(f"{node.url}/metrics") as answer:  # noqa: S310 - our own node
        text = answer.read().decode()
    kinds = dict(re.findall(r"(?m)^# TYPE (\w+) (\w+)$", text))
    told = {quoted(row[0]): row[1] for row in table(README, "Metric")}
    assert told == kinds


@pytest.mark.parametrize("path", [quoted(row[0]) for row in table(README, "Path")])
def test_the_table_has_the_paths_of_monitoring(node: RunningNode, path: str) -> None:
    with urlopen(f"{node.url}{path}") as answer:  # noqa: S310 - our own node
        assert answer.status == 200


def test_the_files_are_where_the_table_says(node: RunningNode) -> None:
    files = {quoted(row[0]).replace("NAME", SERVER) for row in table(README, "File")}
    made = {
        str(path.relative_to(node.data)) + ("/" if path.is_dir() else "")
        for path in node.store.parent.iterdir()
        if not path.name.endswith(("-wal", "-shm"))
    }
    assert f"servers/{SERVER}/metadata.db" in made
    assert made <= files
    beside = {
        path.name + ("/" if path.is_dir() else "") for path in node.data.iterdir()
    }
    assert beside >= {"cohort/", "edgenode.lock"}
    assert beside <= files | {"servers/"}
