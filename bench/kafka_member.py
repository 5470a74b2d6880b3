"""What does it cost a node to be a member of a cohort on Kafka?

Two nodes are members of one cohort over a real broker, a third is in none. Entities are
added to both members, so that each sends events and keeps copies of the other's; the third
gets as many as each of them holds in the end. Then memory is looked at, with nothing under
way, and the processor's time while nothing happens. Kafka's broker needs Java and Maven.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.footprint import Idle, Pace, idle_table, watched
from bench.glossary import GLOSSARY, TERM
from bench.harness import BenchError, Progress
from bench.node import Node, data_directory, file_system
from bench.report import Answer, Requirement, parser_of
from bench.target import add_entity
from tests.egeria.harness.broker import broker
from tests.egeria.harness.errors import HarnessError
from tests.egeria.harness.ports import free_port
from tests.egeria.harness.tools import missing

MIB = 1024 * 1024
MOST_ADDED = 15.0  # MiB
COPIED_SECONDS = 120.0
COHORT = "benchCohort"


@dataclass(frozen=True, slots=True)
class Load:
    """How much is done.

    Attributes:
        entities: Added to each member.
        pace: How long nodes are watched doing nothing.
    """

    entities: int
    pace: Pace


FULL = Load(5_000, Pace(0, 0, 20.0, 60.0))
QUICK = Load(20, Pace(0, 0, 0.0, 0.2))


def configuration(directory: Path, brokers: str) -> Path:
    """The file of a node that is a member of the cohort."""
    path = directory.with_suffix(".toml")
    path.write_text(
        f"""[kafka_cohort]
name = "{COHORT}"
brokers = ["{brokers}"]
transport = "http"
listen = "127.0.0.1:{free_port()}"
admit = ["127.0.0.0/8"]
""",
        encoding="utf-8",
    )
    return path


def member(directory: Path, brokers: str) -> Node:
    """Start a node that is in the cohort."""
    path = configuration(directory, brokers)
    return Node(directory, options=("--config", str(path)))


def stored(node: Node) -> int:
    """How many instances a node holds, its own and copies."""
    return round(node.metric("edgenode_instances"))


def add_terms(node: Node, first: int, count: int) -> None:
    """Add terms to a node."""
    target = node.target()
    progress = Progress("terms", count)
    for number in range(first, first + count):
        target.call(add_entity(TERM, GLOSSARY.term(number)))
        progress.at(number - first + 1)
    target.close()


def wait_for(nodes: Sequence[Node], count: int) -> None:
    """Wait until each node holds so many instances.

    Raises:
        BenchError: That takes too long.
    """
    deadline = time.monotonic() + COPIED_SECONDS
    while any(stored(node) < count for node in nodes):
        if time.monotonic() > deadline:
            raise BenchError(f"not all copies arrived in {COPIED_SECONDS:g} s")
        time.sleep(0.2)


def answered(options: argparse.Namespace) -> Answer:
    """Run the nodes and look at them.

    Raises:
        BenchError: Something refused to work.
        HarnessError: The broker did.
    """
    load = QUICK if options.quick else FULL
    answer = Answer("kafka_member", "A member of a cohort on Kafka: memory")
    idle: dict[str, Idle] = {}
    with (
        data_directory(options.directory, may_be_memory=options.quick) as directory,
        broker(directory / "kafka") as kafka,
        ExitStack() as nodes,
    ):
        answer.notes.append(f"data on {file_system(directory)}")
        alone = nodes.enter_context(Node(directory / "alone"))
        members = [
            nodes.enter_context(member(directory / name, kafka.address))
            for name in ("one", "two")
        ]
        every = (alone, *members)
        for node, what in zip(every, ("in no cohort", "a member"), strict=False):
            idle[f"nothing stored, {what}"] = watched(node, load.pace)
        for number, node in enumerate(members):
            add_terms(node, number * load.entities, load.entities)
        add_terms(alone, 0, 2 * load.entities)
        wait_for(every, 2 * load.entities)
        told = f"{2 * load.entities:,} terms stored"
        for node, what in zip(every, ("in no cohort", "a member"), strict=False):
            idle[f"{told}, {what}"] = watched(node, load.pace)
        for node in every:
            node.stop()
    pairs = list(idle.values())
    answer.tables = [idle_table(idle)]
    answer.figures = {"idle": {what: seen.json() for what, seen in idle.items()}}
    answer.requirements = [
        Requirement(
            f"memory that membership adds, {what}",
            (seen.memory - without.memory) / MIB,
            MOST_ADDED,
            "MiB",
        )
        for what, without, seen in (
            ("nothing stored", pairs[0], pairs[1]),
            (told, pairs[2], pairs[3]),
        )
    ]
    return answer


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 2 on failure."""
    options = parser_of("kafka_member", __doc__).parse_args(arguments)
    if (reason := missing()) is not None:
        print(f"kafka_member: {reason}", file=sys.stderr)
        return 2
    try:
        answer = answered(options)
    except (BenchError, HarnessError) as error:
        print(f"kafka_member: {error}", file=sys.stderr)
        return 2
    return answer.give(options.markdown)


if __name__ == "__main__":
    sys.exit(main())
