"""Shows how three machines become a cohort: ``make demo-cohort``.

The machines are network namespaces where those can be made, and otherwise three sets of
ports on this machine. Each has metadata of its own: an asset that is added there, and a
sample archive of Egeria's where those stand beside the project. All that is printed was
seen; the exit code is 0 only if all of it was as it should be.
"""

import json
import re
import socket
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.harness import ROOT
from bench.members import Machine, MemberError, MemberNode, ThisMachine, until
from bench.namespaces import NamespacesError, Network

COHORT = "cohort"  # as a node calls the one that it makes for itself
SECONDS = 30.0
ARCHIVES = ROOT.parent / "shared" / "data" / "4.2"


@dataclass(frozen=True, slots=True)
class Part:
    """One of the machines.

    Attributes:
        name: The machine's and its server's.
        kind: The type of asset that it has.
        archive: An archive with more of that kind.
    """

    name: str
    kind: str
    archive: str

    @property
    def asset(self) -> str:
        """What its own asset is called."""
        return f"{self.kind} of the {self.name}"


PARTS = (
    Part("kitchen", "DeployedAPI", "SimpleAPICatalog.json"),
    Part("cellar", "Database", "SimpleDataCatalog.json"),
    Part("attic", "KafkaTopic", "SimpleEventCatalog.json"),
)


class Transcript:
    """What is printed, with the time since the beginning."""

    def __init__(self) -> None:
        self._started = time.perf_counter()

    def say(self, text: str) -> None:
        """Print what happened."""
        seconds = time.perf_counter() - self._started
        print(f"[{seconds:5.1f} s] {text}", flush=True)

    def run(self, node: MemberNode, *arguments: str) -> str:
        """Run a command on a node's machine; print it, and what it printed."""
        shown = (Path(word).name if "/" in word else word for word in arguments)
        said = "".join(node.said(*arguments))
        print(f"\n          {node.name}$ edgenode {' '.join(shown)}")
        print(textwrap.indent(said.rstrip(), " " * 10) + "\n", flush=True)
        return said


@contextmanager
def machines(directory: Path, transcript: Transcript) -> Iterator[list[MemberNode]]:
    """The nodes, each on a machine of its own if that can be; none is started."""
    with ExitStack() as stack:
        try:
            network = stack.enter_context(Network())
            lan = network.lan()
            hosts = [network.host(lan, name=part.name) for part in PARTS]
        except NamespacesError as error:
            transcript.say(
                f"{error}: so it is three ports of this machine, without discovery"
            )
            nodes = _on_ports(directory)
        else:
            transcript.say("three machines on a local network, made of namespaces")
            nodes = [
                MemberNode(host, directory / part.name, part.name)
                for part, host in zip(PARTS, hosts, strict=True)
            ]
        for node in nodes:
            stack.callback(node.close)
        yield nodes


def _on_ports(directory: Path) -> list[MemberNode]:
    here: Machine = ThisMachine()
    ports = _free_ports(3 * len(PARTS))
    peers = [f"127.0.0.1:{port}" for port in ports[1::3]]
    return [
        MemberNode(
            here,
            directory / part.name,
            part.name,
            port=ports[3 * number],
            cohort={
                "listen": f"127.0.0.1:{ports[3 * number + 1]}",
                "bus_listen": f"127.0.0.1:{ports[3 * number + 2]}",
                "peers": peers,
                "discovery": False,
            },
        )
        for number, part in enumerate(PARTS)
    ]


def _free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in taken:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in taken]


def check(holds: object, what: str) -> None:
    """Have the demo fail where something is not as it should be.

    Raises:
        MemberError: It isn't.
    """
    if not holds:
        raise MemberError(f"it should be so, but is not: {what}")


# The acts


def join(nodes: Sequence[MemberNode], transcript: Transcript) -> None:
    """The first makes a cohort, the others join it with its token."""
    first, *others = nodes
    first.start()
    until(first.is_up, f"{first.name} answers", SECONDS)
    transcript.say(f"{first.name} runs: it was in no cohort and has made one")
    token = str(json.loads(first.run("cohort", "token", "--json"))["token"])
    for node in others:
        node.run("cohort", "join", token)
        transcript.say(f"{node.name} joins it: edgenode cohort join {token[:16]}...")
        node.start()
    names = {node.name for node in nodes}
    for node in nodes:
        until(node.is_up, f"{node.name} answers", SECONDS)
    for node in nodes:
        wanted = names - {node.name}
        until(
            lambda node=node, wanted=wanted: known_to(node) == wanted,  # type: ignore[misc]
            f"{node.name} knows {' and '.join(sorted(wanted))}",
            SECONDS,
        )
        seconds = time.perf_counter() - node.started
        transcript.say(
            f"{node.name} knows {' and '.join(sorted(wanted))}, "
            f"{seconds:.1f} s after its start"
        )


def known_to(node: MemberNode) -> set[str]:
    """The names of the members that a node knows."""
    return {str(each["serverName"]) for each in node.members(COHORT).values()}


def fill(nodes: Sequence[MemberNode], transcript: Transcript) -> None:
    """Give each metadata of its own."""
    for node, part in zip(nodes, PARTS, strict=True):
        node.run("add", part.kind, f"qualifiedName={part.asset}", f"name={part.asset}")
        transcript.say(f"{node.name} gets an asset of its own: {part.asset}")
        archive = ARCHIVES / part.archive
        if archive.exists():
            node.run("archive", "load", str(archive))
            transcript.say(f"{node.name} loads an archive: {archive.name}")


def ask(nodes: Sequence[MemberNode], transcript: Transcript) -> set[str]:
    """Have one node answer for all; the GUIDs of what there is."""
    asked = nodes[0]
    until(lambda: not missing_at(asked), "all members answer", SECONDS)
    said = transcript.run(asked, "find", "Asset", "--cohort")
    for part in PARTS:
        check(part.asset in said, f"the answer has the {part.asset}")
    transcript.say(f"asked at {asked.name}, answered by all three")
    return guids_in(said)


def guids_in(said: str) -> set[str]:
    """What a table begins its lines with."""
    return set(re.findall(r"^\s*([0-9a-f]{8}-[0-9a-f-]{27})\b", said, re.MULTILINE))


def missing_at(node: MemberNode) -> frozenset[str]:
    """Who has no part in an answer."""
    body = {"class": "EntityFindRequest", "pageSize": 1}
    answer = node.repository("POST", "/enterprise/instances/entities", body)
    check(answer.json, "the whole cohort can be asked")
    return answer.missing


def kill_and_return(
    nodes: Sequence[MemberNode], assets: set[str], transcript: Transcript
) -> None:
    """One dies, is missed, and comes back to what it has missed."""
    first, second, third = nodes
    lost = third.collection_id
    until(
        lambda: guids_in(first.run("find", "Asset")) >= assets,
        f"{first.name} has copies of all",
        SECONDS,
    )
    third.kill()
    transcript.say(f"{third.name} has lost power")
    until(lambda: missing_at(first) == {lost}, f"{third.name} is missing", SECONDS)
    transcript.say(f"{first.name} names it as missing, and shows copies of what it had")
    said = transcript.run(first, "find", "Asset", "--cohort")
    check(guids_in(said) == assets, f"there are copies of all that {third.name} had")
    added = ("add", "GlossaryTerm", "qualifiedName=while you were away", "--json")
    guid = json.loads(second.run(*added))["entity"]["guid"]
    transcript.say(f"{second.name} gets a new term in the meantime")
    third.start()
    until(third.is_up, f"{third.name} answers", SECONDS)

    def has_term() -> bool:
        with third.calls() as calls:
            told = calls.repository("GET", f"/instances/entity/{guid}/existence").json
        return bool(told.get("entity"))

    until(has_term, f"{third.name} has what it missed", SECONDS)
    seconds = time.perf_counter() - third.started
    transcript.say(
        f"{third.name} is back, and has the term {seconds:.1f} s after its start"
    )
    until(lambda: not missing_at(first), "nobody is missing", SECONDS)
    said = transcript.run(first, "cohort", "members")
    for node in nodes:
        check(node.name in said, f"{node.name} is among the members")


def main() -> int:
    """Show it; the exit code."""
    transcript = Transcript()
    try:
        with (
            TemporaryDirectory(prefix="edgenode-demo-") as directory,
            machines(Path(directory), transcript) as nodes,
        ):
            join(nodes, transcript)
            fill(nodes, transcript)
            assets = ask(nodes, transcript)
            kill_and_return(nodes, assets, transcript)
    except (MemberError, NamespacesError, OSError, KeyError, ValueError) as error:
        transcript.say(f"this did not work: {error}")
        return 1
    transcript.say("all of it was as it should be, and nothing of it is left")
    return 0


if __name__ == "__main__":
    sys.exit(main())
