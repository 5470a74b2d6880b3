"""Two machines as their users see them: joined by a token, asked together, one lost."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from edgenode.cli.outcome import ExitCode
from tests.acceptance.commands import (
    STOP_SECONDS,
    Ended,
    environment,
    run,
    started,
    until,
)
from tests.acceptance.test_commands import Edgenode, in_process
from tests.bus.mosquitto import free_port

SECONDS = 15.0
CONFIG = """
[[server]]
name = "{name}"
[cohort]
mode = "{mode}"
name = "house"
listen = "127.0.0.1:{port}"
bus_listen = "127.0.0.1:0"
peers = {peers}
discovery = false
"""


class Commands:
    """Runs commands on one machine or another, in this process."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def on(self, machine: "Machine") -> Edgenode:
        return in_process(machine.environment, self._monkeypatch, self._capsys)


@dataclass
class Machine:
    """One machine; ``url`` is empty while no node runs on it."""

    name: str
    path: Path
    port: int
    url: str = ""
    node_id: str = ""

    @property
    def environment(self) -> dict[str, str]:
        listen = self.url.removeprefix("http://") or "127.0.0.1:0"
        environ = environment(self.path / "data", listen)
        del environ["EDGENODE_COHORT_MODE"]
        return environ | {
            "EDGENODE_CONFIG": str(self.path / "edgenode.toml"),
            "EDGENODE_SERVER_NAME": self.name,
        }

    def set_up(self, peers: list[int], mode: str = "keyed") -> None:
        self.path.mkdir(exist_ok=True)
        places = [f"127.0.0.1:{port}" for port in peers]
        text = CONFIG.format(name=self.name, mode=mode, port=self.port, peers=places)
        (self.path / "edgenode.toml").write_text(text, encoding="utf-8")

    def command(self, *arguments: str) -> Ended:
        """A command in a process of its own."""
        ended = run(list(arguments), self.environment)
        assert ended.code == ExitCode.OK, ended.err
        return ended

    @contextmanager
    def running(self) -> Iterator[Callable[[], None]]:
        """Run a node until the end of the block; gives what kills it before."""
        with (
            (self.path / "log").open("ab") as log,
            started(["run", "--json"], self.environment, log.fileno()) as process,
        ):
            try:
                text = until(process, b"}\n")
                assert text, self.log
                told = json.loads(text)
                self.url, self.node_id = told["url"], told["node"]
                yield process.kill
            finally:
                process.terminate()
                process.communicate(timeout=STOP_SECONDS)

    @property
    def log(self) -> str:
        """The log of the nodes that ran here."""
        return (self.path / "log").read_text(encoding="utf-8")

    def recorded(self, number: int) -> int:
        """How many records with a message id the server's audit log had."""
        return self.log.count(f"EDGENODE-AUDIT-{number:04}")


@dataclass(frozen=True)
class Pair:
    """Two machines of one cohort."""

    hall: Machine
    attic: Machine
    kill_attic: Callable[[], None]


@contextmanager
def paired(path: Path) -> Iterator[Pair]:
    hall = Machine("hall", path / "hall", free_port())
    attic = Machine("attic", path / "attic", free_port())
    hall.set_up([])
    attic.set_up([hall.port])
    hall.command("cohort", "create")
    token = hall.command("cohort", "token").out.strip()
    attic.command("cohort", "join", token)
    with ExitStack() as stack:
        stack.enter_context(hall.running())
        kill = stack.enter_context(attic.running())
        pair = Pair(hall, attic, kill)
        eventually(lambda: state_of(pair.attic, "hall") == "alive")
        eventually(lambda: state_of(pair.hall, "attic") == "alive")
        yield pair


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with paired(tmp_path_factory.mktemp("pair")) as made:
        yield made


@pytest.fixture
def commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Commands:
    return Commands(monkeypatch, capsys)


def eventually(condition: Callable[[], object]) -> None:
    """Wait for something that nobody tells of."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def asked(machine: Machine, path: str, body: object = None) -> Any:
    """What a node answers."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = Request(machine.url + path, data, headers)  # noqa: S310 - our own node
    with urlopen(request) as answer:  # noqa: S310 - our own node
        return json.loads(answer.read())


def state_of(machine: Machine, member: str) -> str:
    """How a member is, as a machine sees it; empty where it isn't one."""
    members = asked(machine, "/edgenode/cohort/admin/members")["members"]
    return next((each["state"] for each in members if each["name"] == member), "")


def added(edgenode: Edgenode, *arguments: str) -> str:
    ended = edgenode(*arguments)
    assert ended.code == ExitCode.OK, ended.err
    return ended.out.strip()


def rows(ended: Ended) -> list[list[str]]:
    """A table's rows, without its head."""
    assert (ended.code, ended.err) == (ExitCode.OK, "")
    return ended.words[1:]


# while all are there


def test_each_sees_the_other(pair: Pair, commands: Commands) -> None:
    edgenode = commands.on(pair.attic)
    ended = edgenode("cohort", "members")
    title, head, *table = ended.words
    assert title[:2] == ["cohort", "house"]
    assert head == [
        "name",
        "node",
        "state",
        "lag",
        "skew",
        "version",
        "last",
        "seen",
        "trouble",
    ]
    states = {words[0]: " ".join(words[3:5]) for words in table}
    assert states["attic"] == "this node"
    assert states["hall"].split() == ["alive", "0"]
    told = edgenode("cohort", "members", "--json").json
    hall = next(each for each in told["members"] if each["name"] == "hall")
    assert hall["nodeId"] == pair.hall.node_id
    assert abs(hall["skew"]) < 1
    assert (hall["lag"], hall["trouble"], hall["isComparing"]) == (0, "", False)
    assert hall["queries"]["state"] == "is asked"
    assert hall["addresses"] == ["127.0.0.1"]
    assert told["removed"] == []


def test_the_whole_cohort_is_asked(pair: Pair, commands: Commands) -> None:
    hall = commands.on(pair.hall)
    glossary = added(hall, "add", "Glossary", "qualifiedName=g", "displayName=Words")
    attic = commands.on(pair.attic)
    term = added(attic, "add", "GlossaryTerm", "qualifiedName=t", "displayName=Word")
    (row,) = rows(attic("find", "Glossary", "--cohort"))
    assert (row[0], row[-1]) == (glossary, "hall")
    eventually(lambda: attic("get", glossary).code == ExitCode.OK)
    added(attic, "link", "TermAnchor", glossary, term)
    (row,) = rows(attic("related", glossary, "--cohort"))
    assert row[0] == term
    near = attic("related", glossary, "--levels", "1", "--cohort", "--json").json
    assert {e["guid"] for e in near["entityElementList"]} == {glossary, term}
    assert len(near["relationshipElementList"]) == 1
    assert "TermAnchor" in attic("related", glossary, "--link", "TermAnchor").out
    assert rows(attic("related", glossary, "--link", "SemanticAssignment")) == []
    assert "Word" in attic("get", term, "--cohort").out
    hall = commands.on(pair.hall)
    (version,) = rows(hall("history", term, "--cohort"))
    assert (version[0], version[-1]) == ("1", "Word")
    wrong = hall("related", glossary, "--levels", "1", "--offset", "5")
    assert wrong.code == ExitCode.USAGE
    wrong = hall("related", glossary, "--type", "TermAnchor")
    assert wrong.code == ExitCode.USAGE


@pytest.mark.parametrize("how", ["disconnect", "unregister"])
def test_a_server_that_is_away_says_so(
    pair: Pair, commands: Commands, how: str
) -> None:
    user = "/servers/hall/open-metadata/repository-services/users/erin"
    edgenode = commands.on(pair.hall)
    added(edgenode, "add", "Glossary", f"qualifiedName={how}")
    asked(pair.hall, f"{user}/metadata-highway/cohorts/house/{how}")
    away = f"this server is {how}ed"
    mend = "'edgenode cohort connect --server hall' brings it back"
    eventually(lambda: away in edgenode("status").out)
    assert mend in edgenode("status").out
    members = edgenode("cohort", "members").out
    assert f"{away}: {mend}" in members
    assert f"{away}; {mend}" in members, "it is in the table itself"
    # Others are asked until it is on the disk that the server is away.
    alone = f"edgenode: from this server alone: {away}; {mend}\n"
    eventually(lambda: edgenode("find", "Glossary", "--cohort").err == alone)
    assert edgenode("find", "Glossary", "--cohort").code == ExitCode.OK
    if how == "disconnect":
        other = commands.on(pair.attic)("find", "Glossary", "--cohort")
        assert "takes no part in the cohort" in other.err
        edgenode = commands.on(pair.hall)
    back = edgenode("cohort", "connect")
    assert back.out == "server hall takes part in cohort house\n"
    eventually(lambda: state_of(pair.attic, "hall") == "alive")
    eventually(lambda: state_of(pair.hall, "attic") == "alive")
    eventually(lambda: edgenode("find", "Glossary", "--cohort").err == "")
    assert "brings it back" not in edgenode("status").out


def test_status_tells_of_the_cohort(pair: Pair, commands: Commands) -> None:
    edgenode = commands.on(pair.hall)
    ended = edgenode("status")
    assert ended.code == ExitCode.OK
    assert "cohort house: other members: 1 alive; at most 0 events behind" in ended.out
    told = edgenode("status", "--json").json["ready"]["cohort"]
    assert told["members"] == {"alive": 1, "lost": 0, "silent": 0, "unknown": 0}
    assert (told["mode"], told["nodeId"]) == ("keyed", pair.hall.node_id)
    settings = edgenode("check-config", "--json").json["settings"]
    assert settings["cohort.mode"] == "keyed"
    assert settings["cohort.listen"] == f"127.0.0.1:{pair.hall.port}"
    checks = {
        each["check"]: each for each in edgenode("doctor", "--json").json["checks"]
    }
    assert pair.hall.node_id in checks["certificate"]["found"]
    assert checks["members' port"]["verdict"] == "ok"


def test_what_makes_no_sense_is_refused(pair: Pair, commands: Commands) -> None:
    edgenode = commands.on(pair.hall)
    for arguments, why in (
        (("remove", "nobody"), "none of the nodes"),
        (("remove", "hall"), "this node itself"),
        (("readmit", pair.attic.node_id), "none of the removed nodes"),
        (("members", "--server", "cellar"), "no server cellar"),
    ):
        ended = edgenode("cohort", *arguments)
        assert (ended.code, ended.out) == (ExitCode.REFUSED, "")
        assert why in ended.err
        assert "\n  mend: " in ended.err
    common = _shared_start(pair.hall.node_id, pair.attic.node_id)
    ended = edgenode("cohort", "remove", common or pair.hall.node_id)
    assert ended.code == ExitCode.REFUSED
    assert edgenode("cohort", "members", "--json").json["removed"] == []


def _shared_start(one: str, other: str) -> str:
    return next((one[:n] for n in range(len(one), 0, -1) if one[:n] == other[:n]), "")


# when one is lost


def test_a_lost_node_is_told_of_and_removed(tmp_path: Path, commands: Commands) -> None:
    with paired(tmp_path) as pair:
        attic = commands.on(pair.attic)
        term = added(attic, "add", "GlossaryTerm", "qualifiedName=t", "displayName=W")
        hall = commands.on(pair.hall)
        eventually(lambda: hall("get", term).code == ExitCode.OK)
        pair.kill_attic()
        eventually(lambda: state_of(pair.hall, "attic") == "lost")
        found = hall("find", "GlossaryTerm", "--cohort")
        assert found.code == ExitCode.OK
        assert found.words[1][-2:] == ["attic", "(copy)"]
        assert "edgenode: without attic (" in found.err
        assert "1 instance is a copy of what was known of attic (" in found.err
        as_json = hall("find", "GlossaryTerm", "--cohort", "--json")
        note = as_json.json["edgenode"]
        assert [each["guid"] for each in note["copies"]] == [term]
        assert "without attic" in as_json.err
        for arguments in (("get", term), ("history", term)):
            ended = hall(*arguments, "--cohort")
            assert ended.code == ExitCode.OK
            assert "edgenode: without attic (" in ended.err
        unknown = hall("get", "nothing", "--cohort")
        assert unknown.code == ExitCode.REFUSED
        assert "without attic" in unknown.err
        status = hall("status")
        assert status.code == ExitCode.OK, "a lost peer is no fault of this node"
        assert "1 lost" in status.out
        eventually(lambda: pair.hall.recorded(17) == 1)

        start = pair.attic.node_id[:12]
        removed = hall("cohort", "remove", start)
        assert removed.code == ExitCode.OK
        assert "attic" in removed.out
        assert "rotate --overlap 0" in removed.out
        assert "no other node but that one" in removed.out
        eventually(lambda: state_of(pair.hall, "attic") == "")
        assert pair.attic.node_id in hall("cohort", "members").out
        found = hall("find", "GlossaryTerm", "--cohort")
        assert (found.code, found.err) == (ExitCode.OK, "")
        assert found.words[1][-1] == "attic"

        with pair.attic.running():  # it knocks, and nobody opens
            eventually(lambda: _refused(pair.hall))
            assert pair.hall.recorded(21) > 0
            assert state_of(pair.hall, "attic") == ""
            commands.on(pair.attic)
            eventually(lambda: attic("status").code == ExitCode.UNWELL)
        hall = commands.on(pair.hall)
        assert hall("cohort", "readmit", start).code == ExitCode.OK
        with pair.attic.running():
            eventually(lambda: state_of(pair.hall, "attic") == "alive")
        assert pair.hall.recorded(19) == pair.hall.recorded(20) == 1
        told = hall("cohort", "remove", "c" * 32).out
        assert f"no node {'c' * 32} is known here; it will not be let in" in told


def test_a_lost_machines_backup_goes_on_on_another_one(
    tmp_path: Path, commands: Commands
) -> None:
    copy = tmp_path / "attic.db"
    with paired(tmp_path) as pair:
        attic = commands.on(pair.attic)
        term = added(attic, "add", "GlossaryTerm", "qualifiedName=t")
        assert attic("backup", str(copy)).code == ExitCode.OK
        after = added(attic, "add", "GlossaryTerm", "qualifiedName=u")
        hall = commands.on(pair.hall)
        eventually(lambda: hall("get", after).code == ExitCode.OK)
        pair.kill_attic()
        eventually(lambda: state_of(pair.hall, "attic") == "lost")

        loft = Machine("loft", tmp_path / "loft", free_port())
        loft.set_up([pair.hall.port])
        token = hall("cohort", "token").out.strip()
        assert commands.on(loft)("cohort", "join", token).code == ExitCode.OK
        with loft.running():  # as a new card starts: with an empty server of its own
            eventually(lambda: state_of(pair.hall, "loft") == "alive")
        loft.url = ""
        hall = commands.on(pair.hall)
        assert hall("cohort", "remove", "attic").code == ExitCode.OK
        assert commands.on(loft)("restore", str(copy)).code == ExitCode.OK
        with loft.running():
            eventually(lambda: state_of(pair.hall, "loft") == "alive")
            eventually(lambda: state_of(loft, "hall") == "alive")
            assert names_of(pair.hall) == names_of(loft) == {"hall", "loft"}
            edgenode = commands.on(loft)
            eventually(lambda: edgenode("get", after).code == ExitCode.OK)
            classified = edgenode("classify", term, "Confidentiality")
            assert classified.code == ExitCode.OK, classified.err
            later = added(edgenode, "add", "GlossaryTerm", "qualifiedName=v")
            hall = commands.on(pair.hall)
            eventually(lambda: "Confidentiality" in hall("get", term).out)
            eventually(lambda: hall("get", later).code == ExitCode.OK)
            found = hall("find", "GlossaryTerm", "--cohort")
            # An instance keeps the name that its home had when it was made.
            assert {row[0]: row[-1] for row in rows(found)} == {
                term: "attic",
                after: "attic",
                later: "loft",
            }


def _refused(machine: Machine) -> bool:
    with urlopen(f"{machine.url}/metrics") as answer:  # noqa: S310 - our own node
        return 'edgenode_refusals_total{reason="removed"}' in answer.read().decode()


# when it comes into another cohort


def members_of(machine: Machine) -> dict[str, Any]:
    """What a machine tells of its cohort."""
    return dict(asked(machine, "/edgenode/cohort/admin/members"))


def names_of(machine: Machine) -> set[str]:
    """The members, as a machine sees them."""
    return {each["name"] for each in members_of(machine)["members"]}


def test_nothing_of_a_keyed_cohort_goes_to_an_open_one_nor_back(
    tmp_path: Path, commands: Commands
) -> None:
    with paired(tmp_path) as pair:
        hall, attic = pair.hall, pair.attic
        gone = "0" * len(attic.node_id)
        assert commands.on(hall)("cohort", "remove", gone).code == ExitCode.OK
    stranger = Machine("stranger", tmp_path / "stranger", free_port())
    stranger.set_up([hall.port], "open")
    hall.set_up([], "open")
    with hall.running(), attic.running(), stranger.running():
        eventually(lambda: state_of(hall, "stranger") == "alive")
        eventually(lambda: state_of(stranger, "hall") == "alive")
        for machine in (hall, stranger):
            assert names_of(machine) == {"hall", "stranger"}
            assert members_of(machine)["removed"] == []
        assert attic.node_id not in json.dumps(members_of(stranger))
        mean = commands.on(stranger)
        assert mean("cohort", "remove", attic.node_id).code == ExitCode.OK
        eventually(lambda: members_of(hall)["removed"])
    hall.set_up([attic.port])
    with hall.running(), attic.running(), stranger.running():
        eventually(lambda: state_of(hall, "attic") == "alive")
        eventually(lambda: state_of(attic, "hall") == "alive")
        for machine in (hall, attic):
            assert names_of(machine) == {"hall", "attic"}
        # What this one knows of its own cohort is there again.
        (removed,) = members_of(hall)["removed"]
        assert removed["nodeId"] == gone


def test_who_left_is_none_of_them_and_keeps_nothing_of_them(
    tmp_path: Path, commands: Commands
) -> None:
    with paired(tmp_path) as pair:
        hall, attic = pair.hall, pair.attic
        term = added(commands.on(hall), "add", "GlossaryTerm", "qualifiedName=t")
        eventually(lambda: commands.on(attic)("get", term).code == ExitCode.OK)
        ended = commands.on(attic)("cohort", "leave")
        assert ended.code == ExitCode.OK
        assert "the others are told" in ended.out
        eventually(lambda: names_of(hall) == {"hall"})
    attic.set_up([])
    with hall.running(), attic.running():
        assert names_of(attic) == {"attic"}
        assert members_of(attic)["tag"] != members_of(hall)["tag"]
        assert commands.on(attic)("get", term).code == ExitCode.OK
        doctor = commands.on(attic)("doctor", "--json").json["checks"]
        verdicts = {each["verdict"] for each in doctor if "member" in each["check"]}
        assert verdicts == {"ok"}
        # Who joins the one that left hears nothing of those that it left.
        third = Machine("third", tmp_path / "third", free_port())
        third.set_up([attic.port])
        token = commands.on(attic)("cohort", "token").out.strip()
        assert commands.on(third)("cohort", "join", token).code == ExitCode.OK
        with third.running():
            eventually(lambda: state_of(third, "attic") == "alive")
            assert names_of(third) == {"attic", "third"}
            assert hall.node_id not in json.dumps(members_of(third))
        assert names_of(hall) == {"hall"}
    token = commands.on(hall)("cohort", "token").out.strip()
    attic.set_up([hall.port])
    ended = commands.on(attic)("cohort", "join", token)
    assert "nobody was told" in ended.out
    assert f"edgenode cohort remove {attic.node_id}" in ended.out
    with hall.running(), attic.running():
        eventually(lambda: state_of(attic, "hall") == "alive")
        eventually(lambda: state_of(hall, "attic") == "alive")
        assert names_of(hall) == names_of(attic) == {"hall", "attic"}


# how it is told at the start


@pytest.mark.parametrize("mode", ["keyed", "open"])
def test_a_start_tells_how_others_join_and_never_the_token(
    mode: str, tmp_path: Path
) -> None:
    machine = Machine("hall", tmp_path / "hall", free_port())
    machine.set_up([], mode)
    printed = []
    for _ in range(2):
        with started(["run"], machine.environment) as process:
            try:
                text = until(process, b"Stop it with Ctrl-C.\n").decode()
            finally:
                process.terminate()
                _, log = process.communicate(timeout=STOP_SECONDS)
        assert "edgenode-" not in text + log.decode()
        assert ("is OPEN" in log.decode()) is (mode == "open")
        (line,) = [line for line in text.splitlines() if "cohort 'house'" in line]
        printed.append(line)
    if mode == "open":
        assert all("anybody on the network may join it" in line for line in printed)
    else:
        assert "has made cohort 'house'" in printed[0]
        assert "cohort join TOKEN" in printed[0]
        assert "is in cohort 'house'" in printed[1]


@pytest.mark.parametrize("setting", ["listen", "bus_listen"])
def test_a_port_that_is_taken_is_named(setting: str, tmp_path: Path) -> None:
    machine = Machine("hall", tmp_path / "hall", free_port())
    machine.set_up([])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        variable = f"EDGENODE_COHORT_{setting.upper()}"
        ended = run(["run"], machine.environment | {variable: place})
    assert ended.code == ExitCode.REFUSED
    assert f"can't listen on {place} (Address already in use" in ended.err
    assert f"or set cohort.{setting}" in ended.err
