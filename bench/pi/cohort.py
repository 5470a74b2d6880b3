"""Two nodes on this machine in one cohort: how soon does one see what the other did?"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from bench.cohort_asking import POLL_SECONDS, Asking
from bench.finding import by_property, has_unique_name
from bench.glossary import GLOSSARY, TERM
from bench.harness import ROOT, BenchError, Json
from bench.members import until
from bench.method import Make
from bench.node import LAUNCH, Node, environment
from bench.pi.report import Measured
from bench.pi.rig import QUIET, Rig, of_times, series
from bench.target import Request, Target, add_entity, attach

NAMES: Final = ("first", "second")
PATIENCE_SECONDS: Final = 120.0
"""For the two to find each other; emulated ones take their time."""

question: Final = by_property("exact", has_unique_name).request
"""For an entity, by its unique name; to be answered by one node alone."""


def cohort(rig: Rig) -> Measured:
    """Have one node change something, and the other one look; then ask both at once."""
    with two_nodes(rig.directory / "cohort") as (first, second):
        with (
            closing(attach(NAMES[0], first.url, NAMES[0])) as changing,
            closing(attach(NAMES[1], second.url, NAMES[1])) as asking,
            closing(Asking(second.url, NAMES[1])) as looking,
        ):
            delays = event_delays(changing, looking, rig)
            asking.terms = changing.terms
            alone = answered(asking, question, rig)
            until(
                lambda: _is_whole(asking.call(federated_question(asking, 0))),
                "both nodes take part in an answer",
                PATIENCE_SECONDS,
            )
            both = answered(asking, federated_question, rig)
        second.stop()
        first.stop()
    found = {
        "event delay": delays,
        "query to one node": alone,
        "federated query to both nodes": both,
    }
    return Measured(
        tuple(
            figure for name, times in found.items() for figure in of_times(name, times)
        ),
        tuple(series(name, times) for name, times in found.items()),
        (
            f"two processes on this machine, joined by a token; {len(delays)} entities "
            "added on one, each looked for on the other from its acknowledgement on, "
            f"every {POLL_SECONDS * 1000:g} ms",
            f"{len(both)} queries of each kind, by property value, by one caller",
        ),
    )


@contextmanager
def two_nodes(directory: Path) -> Iterator[tuple[Node, Node]]:
    """Two nodes that know each other.

    Raises:
        BenchError: One couldn't be started, or let in.
        MemberError: They don't find each other.
    """
    directory.mkdir()
    configuration = directory / "edgenode.toml"
    # Nobody else on the network is to take part.
    configuration.write_text("[cohort]\ndiscovery = false\n", encoding="utf-8")
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]
    shared = {
        **QUIET,
        "EDGENODE_CONFIG": str(configuration),
        "EDGENODE_COHORT_MODE": "keyed",
        "EDGENODE_COHORT_BUS_LISTEN": "127.0.0.1:0",
    }
    places = [directory / name for name in NAMES]
    own = (
        {"EDGENODE_COHORT_LISTEN": f"127.0.0.1:{port}"},
        {
            "EDGENODE_COHORT_LISTEN": "127.0.0.1:0",
            "EDGENODE_COHORT_PEERS": f"127.0.0.1:{port}",
        },
    )
    settings = [
        {**shared, "EDGENODE_SERVER_NAME": name, **each}
        for name, each in zip(NAMES, own, strict=True)
    ]
    with Node(places[0], settings=settings[0]) as first:
        token = json.loads(_said(places[0], settings[0], "token", "--json"))["token"]
        _said(places[1], settings[1], "join", token)
        with Node(places[1], settings=settings[1]) as second:
            for node, name in zip((first, second), NAMES, strict=True):
                with closing(attach(name, node.url, name)) as target:
                    _wait_for_other(target)
            yield first, second


def _said(directory: Path, settings: Mapping[str, str], *arguments: str) -> str:
    """What a command about the cohort prints.

    Raises:
        BenchError: It failed.
    """
    done = subprocess.run(
        [sys.executable, *LAUNCH, "cohort", *arguments],
        cwd=ROOT,
        env=environment(directory, settings),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchError(f"edgenode cohort {arguments[0]}: {done.stderr.strip()}")
    return done.stdout


def _wait_for_other(target: Target) -> None:
    request = Request("GET", "/metadata-highway/cohorts/cohort/remote-members")
    until(
        lambda: target.call(request).get("cohortMembers"),
        f"the node named {target.label} knows the other one",
        PATIENCE_SECONDS,
    )


def event_delays(changing: Target, looking: Asking, rig: Rig) -> list[int]:
    """Nanoseconds from the acknowledgement of a change to where it is seen elsewhere.

    Raises:
        BenchError: It is never seen.
    """
    delays = []
    for number in range(rig.pace.events):
        answer = changing.call(add_entity(TERM, GLOSSARY.term(number)))
        acknowledged = time.monotonic_ns()
        guid = answer["entity"]["guid"]
        changing.terms.append(guid)
        seen = looking.wait_for(f"/instances/entity/{guid}", POLL_SECONDS)
        delays.append(seen - acknowledged)
        rig.tell((number + 1) / rig.pace.events)
    return delays


def federated_question(target: Target, number: int) -> Request:
    """The same question to the whole cohort."""
    request = question(target, number)
    return replace(request, path=f"/enterprise{request.path}")


def answered(target: Target, make: Make, rig: Rig) -> list[int]:
    """Ask questions one after the other; the nanoseconds that each took.

    Raises:
        BenchError: An answer lacks the entity, or one of the nodes.
    """
    times = []
    for number in range(rig.pace.questions):
        nanoseconds, answer, _ = target.measure(make(target, number))
        if not _is_whole(answer):
            raise BenchError(f"{target.label}: an answer without all that there is")
        times.append(nanoseconds)
        rig.tell((number + 1) / rig.pace.questions)
    return times


def _is_whole(answer: Json) -> bool:
    """Whether it has an entity, and all nodes had a part in it."""
    lacking = answer.get("edgenode", {}).get("missingMembers")
    return bool(answer.get("entities")) and not lacking
