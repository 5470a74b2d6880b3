"""How fast is a cohort, and what does it cost?

Nodes with all defaults (TLS with certificates on both sides, embedded brokers, discovery
by multicast) run on machines of a virtual network that has no delay of its own. They
share this machine's processor with each other and with whoever asks them.

A change is visible at a peer when an answer of the peer's REST API shows it. That is
found out by looking at one entity at the peer all the time, on its own machine: every
fourth change is one of that entity. All are sent at a steady rate, whether or not the
node keeps up, so nothing that is slow makes fewer changes. The check of this is a pause
of the peer's process, which has to show.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from bench.cohort_asking import CHANGE_LANES, POLL_SECONDS
from bench.cohort_idle import IdleCohort, idle_cohort
from bench.cohort_machines import (
    COHORT,
    PATIENCE_SECONDS,
    Machine,
    Rig,
    pause,
    quiet,
    together,
)
from bench.finding import containing
from bench.glossary import TERM
from bench.harness import BenchError, Figures, Json, Progress, Table, milliseconds
from bench.members import MemberError, until
from bench.namespaces import NamespacesError
from bench.node import data_directory, file_system
from bench.report import Answer, Requirement, parser_of

MIB = 1024 * 1024
RATE = 200
SLOW_RATE = 50
MOST_VISIBLE = 50.0  # milliseconds
MOST_TIMES = 1.3
MOST_BESIDES = 25.0  # milliseconds
MOST_NEW = 2.0  # seconds
MOST_HEALING = 30.0  # seconds
MOST_MESSAGES = 60.0
"""Messages a minute that a node of an idle cohort may send: one a second."""

LANES = 16
PAUSE_SECONDS = 0.3
PAUSE_SEEN = 0.8
"""How much of a pause has to show in the slowest change: it may begin between two."""

NEW_PAUSE_SECONDS = 0.02
"""Between two questions whether a new member's entity is there: each asks everybody."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How much is measured.

    Attributes:
        alone: Changes of a node that is alone in its cohort, and of one in none.
        settle: Seconds after which a node that was started counts as idle.
        idle: Seconds for which idle nodes are watched.
        slow: Seconds of 50 changes a second.
        fast: Seconds of 200 changes a second.
        new: New members.
        split: Changes on each side of a split.
        members: Members that are searched.
        held: Entities of each of them.
        rounds: How often each search is made.
        cohorts: How large the simulated cohorts are.
        minutes: How long they are watched.
    """

    alone: int
    settle: float
    idle: float
    slow: float
    fast: float
    new: int
    split: int
    members: int
    held: int
    rounds: int
    cohorts: tuple[int, ...]
    minutes: int


FULL: Final = Pace(
    alone=1_000,
    settle=10.0,
    idle=20.0,
    slow=20.0,
    fast=30.0,
    new=5,
    split=5_000,
    members=10,
    held=1_000,
    rounds=30,
    cohorts=(10, 25, 50, 100),
    minutes=10,
)
QUICK: Final = Pace(
    alone=20,
    settle=0.5,
    idle=0.5,
    slow=1.0,
    fast=1.0,
    new=1,
    split=50,
    members=3,
    held=20,
    rounds=3,
    cohorts=(3, 10),
    minutes=2,
)


# A node alone


@dataclass(frozen=True, slots=True)
class Alone:
    """What a node costs that has no peers.

    Attributes:
        memory: Resident when idle, in bytes.
        written: Bytes to the disk by each change.
        given: Bytes given to the system by each change.
        adding: The times of adding an entity.
    """

    memory: int
    written: float
    given: float
    adding: Figures


def alone(rig: Rig, pace: Pace, answer: Answer) -> None:
    """A node that is alone in its cohort, beside one in none, in turn."""
    machines = {
        "mode none": rig.machine("none", joins=False, mode="none"),
        "alone in its cohort": rig.machine("alone", joins=False),
    }
    for machine in machines.values():
        machine.start()
    time.sleep(pace.settle)
    memory = {what: each.counted.memory().resident for what, each in machines.items()}
    times: dict[str, list[int]] = {what: [] for what in machines}
    portion = pace.alone // 10
    for number in range(10):
        for what, machine in machines.items():
            added = machine.asker.call(
                "add", first=number * portion, count=portion, lanes=1
            )
            times[what] += added["times"]
    found: dict[str, Alone] = {}
    for what, machine in machines.items():
        changed = machine.stop()
        machine.start()
        life = changed - machine.stop()
        count = len(times[what])
        found[what] = Alone(
            memory[what], life.disk / count, life.given / count, Figures.of(times[what])
        )
    answer.figures["alone"] = {
        what: {
            "memory": each.memory,
            "bytes a change to the disk": round(each.written),
            "bytes a change given to the system": round(each.given),
            "adding ms": {"median": each.adding.median, "p99": each.adding.p99},
        }
        for what, each in found.items()
    }
    rows = tuple(
        (
            what,
            f"{each.memory / MIB:.1f}",
            f"{each.written / 1000:.1f}",
            f"{each.given / 1000:.1f}",
            str(each.adding),
        )
        for what, each in found.items()
    )
    columns = (
        "a node",
        "idle memory MiB",
        "KB a change to the disk",
        "KB a change given to the system",
        "adding an entity, median / p99 ms",
    )
    title = f"Without peers, {pace.alone:,} changes one after the other"
    answer.tables.append(Table(title, columns, rows))


# Three nodes


@dataclass(frozen=True, slots=True)
class Cost:
    """What a node took over a while: the processor's seconds a second, and memory."""

    cpu: float
    memory: int


def costs(
    machines: Sequence[Machine], meanwhile: Callable[[], object]
) -> dict[str, Cost]:
    """What nodes take while something happens, by name."""
    before = [machine.counted.cpu_seconds() for machine in machines]
    started = time.monotonic()
    meanwhile()
    seconds = time.monotonic() - started
    return {
        machine.name: Cost(
            (machine.counted.cpu_seconds() - cpu) / seconds,
            machine.counted.memory().resident,
        )
        for machine, cpu in zip(machines, before, strict=True)
    }


@dataclass(frozen=True, slots=True)
class Visible:
    """How long changes took to be visible at a peer.

    Attributes:
        acknowledged: From when the node had answered.
        sent: From when the request was sent.
        due: From when the request was to be sent.
        look: How long one look took, and how many there were.
        latest: How late the latest request was sent, in nanoseconds.
    """

    acknowledged: Figures
    sent: Figures
    due: Figures
    look: Figures
    latest: int

    def json(self) -> Json:
        """The figures as JSON."""
        return {
            "changes looked for": self.acknowledged.n,
            "from the answer ms": [self.acknowledged.median, self.acknowledged.p99],
            "from the request ms": [self.sent.median, self.sent.p99],
            "from when it was due ms": [self.due.median, self.due.p99],
            "looks": self.look.n,
            "a look ms": [self.look.median, self.look.p99],
            "latest request ms": self.latest / 1e6,
        }


def beacon_of(writer: Machine, peer: Machine) -> tuple[str, list[str]]:
    """Add an entity for the peer to be looked at, and some others to be changed."""
    made = writer.asker.call("add", first=1_000_000, count=64, lanes=4)["guids"]
    path = f"/instances/entity/{made[0]}"
    peer.asker.call("wait_for", path=path, pause=0.05)
    quiet([peer])
    return made[0], made[1:]


def visible(
    writer: Machine,
    peer: Machine,
    entities: tuple[str, list[str]],
    rate: int,
    seconds: float,
) -> Visible:
    """Change things at one node, and see when a peer shows it.

    Args:
        writer: The node.
        peer: The peer.
        entities: The one that is looked at, and others.
        rate: How many changes there are in a second.
        seconds: How long.
    """
    beacon, others = entities
    count = round(rate * seconds)
    peer.asker.send("watch", beacon=beacon, last=1 + len(range(0, count, 4)))
    changed = writer.asker.call(
        "change", beacon=beacon, others=others, rate=rate, count=count
    )
    watched = peer.asker.receive()
    seen = iter(watched["seen"])
    version, moment = next(seen)
    found: list[tuple[int, int, int]] = []
    for wanted, due, sent, acknowledged in changed["beacons"]:
        while version < wanted:
            version, moment = next(seen, (wanted, 0))
        if not moment:
            raise BenchError(f"{peer.name} never showed version {wanted}")
        found.append((moment - acknowledged, moment - sent, moment - due))
    from_answer, from_request, from_due = zip(*found, strict=True)
    return Visible(
        # What shows before the answer has arrived took no time at all.
        Figures.of([max(0, each) for each in from_answer]),
        Figures.of(from_request),
        Figures.of(from_due),
        Figures.of(watched["times"]),
        changed["latest"],
    )


def three(rig: Rig, pace: Pace, answer: Answer) -> None:
    """Three nodes: idle, at 50 and at 200 changes a second."""
    machines = [rig.machine(f"three{number}") for number in range(3)]
    together(machines)
    writer, peer, _ = machines
    time.sleep(pace.settle)
    taken = {"idle": costs(machines, lambda: time.sleep(pace.idle))}
    seen: dict[str, Visible] = {}

    def measure(rate: int, seconds: float) -> Visible:
        entities = beacon_of(writer, peer)
        what = f"{rate} changes a second"

        def change() -> None:
            seen[what] = visible(writer, peer, entities, rate, seconds)
            quiet(machines)

        taken[what] = costs(machines, change)
        return seen[what]

    measure(SLOW_RATE, pace.slow)
    fast = measure(RATE, pace.fast)
    answer.requirements.append(
        Requirement(
            f"visible at a peer, {RATE} changes a second, p99 from the answer",
            fast.acknowledged.p99,
            MOST_VISIBLE,
            "ms",
        )
    )
    check_pause(writer, peer, answer)
    compare_holdings(machines, answer)
    for machine in machines:
        machine.stop()
    answer.figures["three nodes"] = {
        what: {
            name: {"CPU": round(cost.cpu, 4), "memory": cost.memory}
            for name, cost in each.items()
        }
        for what, each in taken.items()
    }
    answer.figures["visible"] = {what: each.json() for what, each in seen.items()}
    answer.tables += [visible_table(seen), cost_table(machines, taken)]


def check_pause(writer: Machine, peer: Machine, answer: Answer) -> None:
    """Hold up the peer once, and see that the measurement notices."""
    beacon, others = beacon_of(writer, peer)
    count = 200
    peer.asker.send("watch", beacon=beacon, last=1 + count // 4)
    writer.asker.send("change", beacon=beacon, others=others, rate=RATE, count=count)
    time.sleep(0.8)
    pause(peer, PAUSE_SECONDS)
    changed = writer.asker.receive()
    seen = dict(peer.asker.receive()["seen"])
    slowest = max(
        min(moment for version, moment in seen.items() if version >= wanted) - sent
        for wanted, _, sent, _ in changed["beacons"]
    )
    answer.figures["pause"] = {
        "the peer's process held up ms": PAUSE_SECONDS * 1000,
        "slowest change ms": slowest / 1e6,
    }
    answer.notes.append(
        f"the check: with the peer's process held up for {PAUSE_SECONDS * 1000:.0f} ms "
        f"the slowest change took {slowest / 1e6:.0f} ms"
    )
    if slowest < PAUSE_SECONDS * PAUSE_SEEN * 1e9:
        answer.wrong.append(
            "a pause of the peer doesn't show in the time to be visible"
        )


def compare_holdings(machines: Sequence[Machine], answer: Answer) -> Json:
    """Make sure that all hold the same; what one of them holds."""
    quiet(machines)
    found = [machine.asker.call("holdings") for machine in machines]
    if any(each != found[0] for each in found):
        told = ", ".join(
            f"{machine.name} {each['count']}"
            for machine, each in zip(machines, found, strict=True)
        )
        answer.wrong.append(f"the nodes don't hold the same: {told}")
    first: Json = found[0]
    return first


def visible_table(seen: Mapping[str, Visible]) -> Table:
    """How long changes took to be visible, as a table."""
    columns = (
        "made at one node, seen at another",
        "changes looked for",
        "from the answer, median / p99 ms",
        "from the request ms",
        "from when it was due ms",
        "one look ms",
    )
    rows = tuple(
        (
            what,
            f"{each.acknowledged.n:,}",
            str(each.acknowledged),
            str(each.sent),
            str(each.due),
            str(each.look),
        )
        for what, each in seen.items()
    )
    title = (
        f"A change visible at a peer ({CHANGE_LANES} connections to the node, a look "
        f"at the peer every {POLL_SECONDS * 1000:.0f} ms)"
    )
    return Table(title, columns, rows)


def cost_table(
    machines: Sequence[Machine], taken: Mapping[str, Mapping[str, Cost]]
) -> Table:
    """What the nodes took, as a table."""
    roles = ("changed", "looked at", "neither")
    rows = tuple(
        (
            f"{what}, {role}",
            f"{each[machine.name].cpu * 100:.1f}",
            f"{each[machine.name].memory / MIB:.1f}",
        )
        for what, each in taken.items()
        for machine, role in zip(machines, roles, strict=True)
    )
    columns = ("three nodes", "% of a core", "memory MiB")
    return Table("What nodes take, questions to them included", columns, rows)


# A new member


def new(rig: Rig, pace: Pace, answer: Answer) -> None:
    """Start members that nobody knows yet, in a cohort of three."""
    machines = [rig.machine(f"old{number}") for number in range(3)]
    together(machines)
    known: list[float] = []
    found: list[float] = []
    progress = Progress("cohort: new members", pace.new)
    for number in range(pace.new):
        newcomer = rig.machine(f"new{number}", joins=False, mode="none")
        newcomer.start()
        guid = newcomer.asker.call("add", first=number, count=1, lanes=1)["guids"][0]
        collection_id = newcomer.node.collection_id
        newcomer.stop()
        configuration = newcomer.node.configuration
        text = configuration.read_text(encoding="utf-8")
        configuration.write_text(text.replace('"none"', '"keyed"'), encoding="utf-8")
        rig.join(newcomer)
        path = f"/enterprise/instances/entity/{guid}"
        oldest = machines[0]
        oldest.asker.send("wait_for", path=path, pause=NEW_PAUSE_SECONDS)
        newcomer.node.start()
        started = newcomer.node.started
        until(
            lambda: collection_id in oldest.node.members(COHORT),  # noqa: B023
            "the new member is known",
            PATIENCE_SECONDS,
        )
        known.append(time.perf_counter() - started)
        found.append(oldest.asker.receive() / 1e9 - started)
        newcomer.stop()
        progress.at(number + 1)
    for machine in machines:
        machine.stop()
    answer.requirements.append(
        Requirement(
            "a new member known and queryable, slowest, from its start",
            max(*known, *found),
            MOST_NEW,
            "s",
        )
    )
    answer.figures["new members"] = {"known s": known, "queryable s": found}
    columns = ("from the start of its process", "members", "median s", "slowest s")
    rows = tuple(
        (
            what,
            str(len(times)),
            f"{statistics.median(times):.2f}",
            f"{max(times):.2f}",
        )
        for what, times in (
            ("known to another member", known),
            ("an entity of its own found by another one's federated question", found),
        )
    )
    answer.tables.append(Table("A new member in a cohort of three", columns, rows))


# A split


def split(rig: Rig, pace: Pace, answer: Answer) -> None:
    """Cut one of three nodes off, change things on both sides, and join them again."""
    machines = [rig.machine(f"split{number}") for number in range(3)]
    together(machines)
    near, _, far = machines
    rig.network.cut(rig.lan, [far.host])
    portion = max(pace.split // 10, 1)
    progress = Progress("cohort: changes while split", 2 * pace.split)
    last: dict[str, str] = {}
    for first in range(0, pace.split, portion):
        for side, machine in enumerate((near, far)):
            made = machine.asker.call(
                "add",
                first=(3 + side) * 1_000_000 + first,
                count=portion,
                lanes=LANES,
            )
            last[machine.name] = made["guids"][-1]
            progress.at(2 * first + (side + 1) * portion)
    for number, machine in enumerate((near, far)):
        # Of one made alone it is certain that it is the last.
        made = machine.asker.call("add", first=5_000_000 + number, count=1, lanes=1)
        last[machine.name] = made["guids"][0]
    sent = [machine.network_bytes() for machine in machines]
    cpu = [machine.counted.cpu_seconds() for machine in machines]
    started = time.monotonic_ns()
    rig.network.heal(rig.lan, [far.host])
    for machine in machines:
        other = near if machine is far else far
        path = f"/instances/entity/{last[other.name]}"
        machine.asker.send("wait_for", path=path, pause=0.05)
    healed = [(machine.asker.receive() - started) / 1e9 for machine in machines]
    sent = [
        machine.network_bytes() - before
        for machine, before in zip(machines, sent, strict=True)
    ]
    cpu = [
        machine.counted.cpu_seconds() - before
        for machine, before in zip(machines, cpu, strict=True)
    ]
    held = compare_holdings(machines, answer)
    if held["count"] != 2 * pace.split + 2:
        answer.wrong.append(f"after the split there are {held['count']} terms")
    for machine in machines:
        machine.stop()
    answer.requirements.append(
        Requirement(
            f"healing {2 * pace.split:,} changes after a split",
            max(healed),
            MOST_HEALING,
            "s",
        )
    )
    answer.figures["split"] = {
        "changes": 2 * pace.split,
        "healed s": healed,
        "bytes sent": sent,
        "CPU s": cpu,
    }
    columns = ("node", "up to date after s", "MB sent", "CPU s")
    names = ("one side", "one side, changed nothing", "other side")
    rows = tuple(
        (what, f"{seconds:.1f}", f"{count / 1e6:.2f}", f"{busy:.1f}")
        for what, seconds, count, busy in zip(names, healed, sent, cpu, strict=True)
    )
    title = f"After a split with {pace.split:,} changes on either side"
    answer.tables.append(Table(title, columns, rows))


# Searching all


def _question(**fields: object) -> Json:
    return {
        "class": "EntityFindRequest",
        "typeGUID": TERM.guid,
        "pageSize": 0,
        "sequencingOrder": "GUID",
        **fields,
    }


SEARCHES: Final[Mapping[str, tuple[str, Json]]] = {
    "20 terms by GUID": ("", _question(pageSize=20)),
    "terms whose name contains 055": (
        f"/by-property-value?searchCriteria={quote(containing('055'), safe='')}",
        _question() | {"class": "EntityPropertyFindRequest"},
    ),
    "500 terms, newest first": (
        "",
        _question(pageSize=500, sequencingOrder="CREATION_DATE_RECENT"),
    ),
    "all terms": ("", _question()),
}


def search(rig: Rig, pace: Pace, answer: Answer) -> None:
    """Ask one node what all hold, and compare with what single ones take."""
    machines = [
        rig.machine(f"find{number}", events_to_send="JUST_TYPEDEFS")
        for number in range(pace.members)
    ]
    together(machines)
    progress = Progress("cohort: terms of members", len(machines))
    for number, machine in enumerate(machines):
        machine.asker.call(
            "add", first=number * 10_000, count=pace.held, lanes=CHANGE_LANES
        )
        progress.at(number + 1)
    time.sleep(pace.settle)
    found: dict[str, dict[str, float]] = {}
    progress = Progress("cohort: searches", len(SEARCHES))
    for number, (what, (path, body)) in enumerate(SEARCHES.items()):
        found[what] = _compared(machines, path, body, pace, answer)
        progress.at(number + 1)
    for machine in machines:
        machine.stop()
    for what, each in found.items():
        answer.requirements.append(
            Requirement(
                f"federated find of {what} over {pace.members} members, median "
                f"(at most {MOST_TIMES:g} times {milliseconds(each['together'])} ms and "
                f"{MOST_BESIDES:g})",
                each["federated"],
                round(MOST_TIMES * each["together"] + MOST_BESIDES, 1),
                "ms",
            )
        )
    answer.figures["searches"] = found
    columns = (
        f"{pace.members} members with {pace.held:,} terms each",
        "found",
        "federated, median ms",
        "p99 ms",
        "slowest member, all asked at once, ms",
        "slowest member, asked alone, ms",
    )
    rows = tuple(
        (
            what,
            f"{each['found']:,.0f}",
            milliseconds(each["federated"]),
            milliseconds(each["federated p99"]),
            milliseconds(each["together"]),
            milliseconds(each["alone"]),
        )
        for what, each in found.items()
    )
    answer.tables.append(Table("A federated search", columns, rows))
    answer.notes.append(
        "a federated search is compared with the slowest of its members when all are "
        "asked the same directly at once (median over the rounds): on this machine they "
        "share the cores in both cases, which members of a real cohort don't"
    )


def _compared(
    machines: Sequence[Machine], path: str, body: Json, pace: Pace, answer: Answer
) -> dict[str, float]:
    """One search in all three ways, in milliseconds."""
    asked = f"/instances/entities{path}"
    alone = [
        statistics.median(
            machine.asker.call("ask", path=asked, body=body, starts=[0] * 5)["times"]
        )
        for machine in machines
    ]
    federated: list[int] = []
    slowest: list[int] = []
    count = 0
    for _ in range(pace.rounds):
        told = machines[0].asker.call(
            "ask", path=f"/enterprise{asked}", body=body, starts=[0]
        )
        federated += told["times"]
        start = time.monotonic_ns() + 20_000_000
        for machine in machines:
            machine.asker.send("ask", path=asked, body=body, starts=[start])
        parts = [machine.asker.receive() for machine in machines]
        slowest.append(max(part["times"][0] for part in parts))
        count, there = told["found"], sum(part["found"] for part in parts)
        if count != min(there, body["pageSize"] or there):
            answer.wrong.append(f"of {there} a federated search found {count}")
    figures = Figures.of(federated)
    return {
        "found": count,
        "federated": figures.median,
        "federated p99": figures.p99,
        "together": statistics.median(slowest) / 1e6,
        "alone": max(alone) / 1e6,
    }


# Large cohorts


def idle(rig: Rig, pace: Pace, answer: Answer) -> None:
    """Simulated cohorts in which nothing happens."""
    found: list[IdleCohort] = []
    progress = Progress("cohort: simulated", len(pace.cohorts))
    for number, count in enumerate(pace.cohorts):
        found.append(idle_cohort(count, pace.minutes))
        progress.at(number + 1)
    smallest, largest = found[0], found[-1]
    grown = largest.nodes / smallest.nodes
    answer.requirements += [
        Requirement(
            f"messages a minute a node, {largest.nodes} nodes idle",
            largest.messages,
            MOST_MESSAGES,
            "",
        ),
        Requirement(
            f"the cohort's messages, {largest.nodes} nodes against {smallest.nodes}: "
            f"times {grown:g} is linear, times {grown**2:g} square",
            largest.messages * largest.nodes / (smallest.messages * smallest.nodes),
            grown * 2,
            "times",
        ),
    ]
    answer.figures["idle cohorts"] = [each.json() for each in found]
    columns = (
        "nodes",
        "links a node",
        "bus messages",
        "questions and answers",
        "MQTT keepalive",
        "together",
        "KB of questions and answers",
    )
    rows = tuple(each.cells() for each in found)
    title = f"Sent a minute by a node of an idle cohort, simulated, {pace.minutes} min"
    answer.tables.append(Table(title, columns, rows))
    answer.notes.append(
        "of an idle cohort it counts what all nodes send; a question and its answer are "
        "two messages; discovery comes on top: two packets in five minutes, to all at once"
    )


# All of it

Part = Callable[[Rig, Pace, Answer], None]
PARTS: Final[Mapping[str, Part]] = {
    "alone": alone,
    "three": three,
    "new": new,
    "split": split,
    "search": search,
    "idle": idle,
}


def answered(options: argparse.Namespace) -> Answer:
    """Measure all parts that are wanted, each on a network of its own.

    Raises:
        BenchError: A server refused something.
        MemberError: A node didn't do what it should.
        NamespacesError: There can be no networks here.
    """
    pace = QUICK if options.quick else FULL
    answer = Answer("cohort", "A cohort: changes, questions, members, splits, rest")
    with data_directory(options.directory, may_be_memory=options.quick) as directory:
        answer.notes.append(f"data on {file_system(directory)}")
        for name in options.only or PARTS:
            started = time.monotonic()
            with Rig(directory / name) as rig:
                PARTS[name](rig, pace, answer)
            seconds = time.monotonic() - started
            print(f"cohort: {name}: {seconds:.0f} s", file=sys.stderr)
    answer.requirements.sort(key=lambda each: each.what)
    return answer


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 2 on failure."""
    parser = parser_of("cohort", __doc__)
    parser.add_argument("--only", nargs="+", choices=tuple(PARTS), metavar="PART")
    options = parser.parse_args(arguments)
    try:
        answer = answered(options)
    except (BenchError, MemberError, NamespacesError) as error:
        print(f"cohort: {error}", file=sys.stderr)
        return 2
    return answer.give(options.markdown)


if __name__ == "__main__":
    sys.exit(main())
