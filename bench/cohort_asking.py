"""Asks one node on behalf of the measurement of a cohort, from the node's own machine.

It is started there, as a process of its own, so that neither another network nor the
interpreter of the measurement stands in between. What to do comes in line by line as
JSON, ``[name, arguments]``, and what came of it goes out the same way. All moments are
nanoseconds of the system's monotonic clock, which processes of one system share.
"""

import itertools
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from hashlib import sha256
from typing import Any, Final, Protocol

from bench.glossary import GLOSSARY, TERM
from bench.harness import BenchError, Json, RefusedError
from bench.target import (
    Request,
    Target,
    add_entity,
    answered,
    attach,
    update_entity,
)

POLL_SECONDS = 0.004
"""Between the beginnings of two looks: 250 point reads a second, and an error upwards of
at most so much and the time of one look."""

CHANGE_LANES = 8
LEAD_SECONDS = 0.2
"""For connections to be made before the first change is due."""

PATIENCE_SECONDS = 60.0
PAGE = 1_000


def _until(moment: int) -> None:
    """Wait for a moment, if it is still to come."""
    rest = moment - time.monotonic_ns()
    if rest > 0:
        time.sleep(rest / 1e9)


class Asking:
    """What can be asked; each method is one kind of line."""

    def __init__(self, url: str, server: str) -> None:
        self._target = attach(server, url, server)

    def close(self) -> None:
        """Close the connection."""
        self._target.close()

    def collection_id(self) -> str:
        """The id of the server's metadata collection."""
        return self._target.collection_id

    def add(self, first: int, count: int, lanes: int) -> Json:
        """Add terms; their GUIDs, how long all took, and each, in nanoseconds."""
        requests = [
            add_entity(TERM, GLOSSARY.term(first + number)) for number in range(count)
        ]
        times = [0] * count
        guids = [""] * count
        numbers = itertools.count()

        def work(target: Target) -> None:
            while (number := next(numbers)) < count:
                elapsed, answer, _ = target.measure(requests[number])
                times[number] = elapsed
                guids[number] = answer["entity"]["guid"]

        started = time.monotonic_ns()
        self._at_once([work] * lanes)
        return {
            "guids": guids,
            "nanoseconds": time.monotonic_ns() - started,
            "times": times,
        }

    def _at_once(self, works: Sequence[Callable[[Target], None]]) -> None:
        """Do all of it at once, each over a connection of its own."""
        failures: list[Exception] = []

        def run(work: Callable[[Target], None]) -> None:
            target = self._another()
            try:
                work(target)
            except (BenchError, OSError) as error:
                failures.append(error)
            finally:
                target.close()

        threads = [threading.Thread(target=run, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise BenchError(str(failures[0])) from failures[0]

    def _another(self) -> Target:
        target = self._target
        return attach(target.label, target.url, target.server)

    def change(self, beacon: str, others: Sequence[str], rate: int, count: int) -> Json:
        """Make changes at a steady rate, whether or not the node keeps up.

        Every fourth is of one entity, the beacon, whose version tells how far a peer is;
        the others add terms and update some, in turn.

        Args:
            beacon: The GUID of an entity that nobody else changes.
            others: GUIDs of what may be updated.
            rate: How many a second.
            count: How many.

        Returns:
            For each change of the beacon the version it got, when it was to be sent, was
            sent and was acknowledged; and how late the latest of all was sent.
        """
        beacons: list[tuple[int, int, int, int]] = []
        late = [0]
        # Made before, for the machine has other things to do then.
        messages = [
            self._target.message(
                _other(others, number)
                if number % 4
                else update_entity(beacon, GLOSSARY.term(1, edition=2 + number % 7))
            )
            for number in range(count)
        ]
        first = time.monotonic_ns() + int(LEAD_SECONDS * 1e9)
        numbers = itertools.count()

        def make_others(target: Target) -> None:
            # Counting is one step of the interpreter, so no number comes twice.
            while (number := _without_beacons(next(numbers))) < count:
                due = first + number * 1_000_000_000 // rate
                _until(due)
                late.append(time.monotonic_ns() - due)
                _version(target.connection.exchange(messages[number])[1])

        def move_beacon(target: Target) -> None:
            for number in range(0, count, 4):
                due = first + number * 1_000_000_000 // rate
                _until(due)
                sent = time.monotonic_ns()
                _, body = target.connection.exchange(messages[number])
                acknowledged = time.monotonic_ns()
                beacons.append((_version(body), due, sent, acknowledged))

        self._at_once([move_beacon, *[make_others] * (CHANGE_LANES - 1)])
        return {"beacons": beacons, "latest": max(late)}

    def watch(self, beacon: str, last: int) -> Json:
        """Look at an entity until it has a version.

        Returns:
            For each version seen, when an answer that shows it was complete; how long
            one look takes, and how many there were.
        """
        target = self._target
        message = target.message(Request("GET", f"/instances/entity/{beacon}"))
        seen: list[tuple[int, int]] = []
        version, times = 0, []
        due = time.monotonic_ns()
        end = due + int(PATIENCE_SECONDS * 1e9)
        while version < last and due < end:
            elapsed, body = target.connection.exchange(message)
            now = time.monotonic_ns()
            times.append(elapsed)
            found = _version(body)
            if found != version:
                version = found
                seen.append((version, now))
            due = max(due + int(POLL_SECONDS * 1e9), now)
            _until(due)
        return {"seen": seen, "times": times}

    def wait_for(self, path: str, pause: float) -> int:
        """The moment at which a question for an entity was first answered with one.

        Args:
            path: The question.
            pause: Seconds between an answer and the next try.

        Raises:
            BenchError: It never was.
        """
        message = self._target.message(Request("GET", path))
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            try:
                _, body = self._target.connection.exchange(message)
                answer = answered(body)
            except RefusedError:
                answer = {}
            if "entity" in answer:
                return time.monotonic_ns()
            time.sleep(pause)
        raise BenchError(f"{self._target.label}: {path}: not answered in time")

    def ask(self, path: str, body: Json, starts: Sequence[int]) -> Json:
        """Ask for instances at some moments; the times, and how many were answered.

        Args:
            path: Where.
            body: What.
            starts: When; at once where the moment is past.
        """
        message = self._target.message(Request("POST", path, body))
        times, found = [], 0
        for start in starts:
            _until(start)
            elapsed, answer = self._target.connection.exchange(message)
            times.append(elapsed)
            found = len(answered(answer).get("entities", ()))
        return {"times": times, "found": found}

    def holdings(self) -> Json:
        """How many terms there are, and a digest of their GUIDs and versions."""
        known: list[str] = []
        while True:
            body = {
                "class": "EntityFindRequest",
                "typeGUID": TERM.guid,
                "offset": len(known),
                "pageSize": PAGE,
                "sequencingOrder": "GUID",
            }
            answer = self._target.call(Request("POST", "/instances/entities", body))
            page = answer.get("entities", ())
            known += [f"{each['guid']} {each['version']}" for each in page]
            if len(page) < PAGE:
                digest = sha256("\n".join(known).encode()).hexdigest()
                return {"count": len(known), "digest": digest}


def _without_beacons(number: int) -> int:
    """The number of a change, counted without every fourth, which is a beacon's."""
    return number // 3 * 4 + number % 3 + 1


_VERSION = re.compile(rb'"version":(\d+)')


def _version(answer: bytes) -> int:
    """The version of the entity in an answer; all else would take longer to read.

    Raises:
        RefusedError: There is none.
    """
    found = _VERSION.search(answer)
    if found is None:
        answered(answer)
        raise RefusedError("an answer without an entity")
    return int(found[1])


def _other(others: Sequence[str], number: int) -> Request:
    if number % 2:
        return add_entity(TERM, GLOSSARY.term(2_000_000 + number))
    guid = others[number * 7919 % len(others)]
    return update_entity(guid, GLOSSARY.term(number, edition=3))


# The other end


class _Host(Protocol):
    """Where it runs."""

    def popen(
        self,
        *command: str,
        stdin: int | None = None,
        stdout: int | None = None,
    ) -> "subprocess.Popen[bytes]":
        """Start a program."""
        ...


class Asker:
    """An ``Asking`` on another machine; to be closed, or used with ``with``."""

    def __init__(self, host: _Host, url: str, server: str) -> None:
        """Start it on the host of the node that listens at ``url``."""
        self._label = server
        self._process = host.popen(
            *(sys.executable, "-m", "bench.cohort_asking", url, server),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def send(self, name: str, **arguments: object) -> None:
        """Have something asked; what comes of it is to be taken with ``receive``."""
        pipe = self._process.stdin
        assert pipe is not None  # it is a pipe  # noqa: S101
        pipe.write(json.dumps([name, arguments]).encode() + b"\n")
        pipe.flush()

    def receive(self) -> Any:
        """What came of what was sent first.

        Raises:
            BenchError: It failed.
        """
        pipe = self._process.stdout
        assert pipe is not None  # it is a pipe  # noqa: S101
        line = pipe.readline()
        if not line:
            raise BenchError(f"{self._label}: whoever asks it ended")
        told = json.loads(line)
        if "error" in told:
            raise BenchError(f"{self._label}: {told['error']}")
        return told["found"]

    def call(self, name: str, **arguments: object) -> Any:
        """Have something asked, and wait for what comes of it."""
        self.send(name, **arguments)
        return self.receive()

    def close(self) -> None:
        """End it."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()

    def __enter__(self) -> "Asker":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


_KINDS: Final = frozenset(
    {"collection_id", "add", "change", "watch", "wait_for", "ask", "holdings"}
)


def main(arguments: Sequence[str]) -> None:
    """Do what the lines say, until there are no more."""
    url, server = arguments
    with closing(Asking(url, server)) as asking:
        for line in sys.stdin:
            name, values = json.loads(line)
            print(json.dumps(_answer(asking, name, values)), flush=True)


def _answer(asking: Asking, name: str, values: Mapping[str, object]) -> Json:
    if name not in _KINDS:
        return {"error": f"nobody knows how to {name}"}
    try:
        return {"found": getattr(asking, name)(**values)}
    except (BenchError, OSError) as error:
        return {"error": f"{name}: {error}"}


if __name__ == "__main__":
    main(sys.argv[1:])
