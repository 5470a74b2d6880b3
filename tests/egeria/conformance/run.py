"""A run of a workbench, from its first program started to its results kept."""

import json
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import (
    AbstractContextManager,
    contextmanager,
    nullcontext,
)
from dataclasses import dataclass, replace
from typing import Any

from bench.harness import facts
from tests.egeria.conformance import document
from tests.egeria.conformance.document import GENUINE, NODE
from tests.egeria.conformance.lab import Lab
from tests.egeria.conformance.node import node
from tests.egeria.conformance.performance import (
    PERFORMANCE_WORKBENCH,
    Timings,
    parts,
    timings_of,
)
from tests.egeria.conformance.report import REPOSITORY_WORKBENCH, Results, results_of
from tests.egeria.conformance.state import Phase, Place, begun
from tests.egeria.harness.broker import Broker, broker
from tests.egeria.harness.errors import HarnessError
from tests.egeria.harness.platform import Platform, platform
from tests.egeria.harness.server import (
    MAX_SEARCH_RESULTS,
    conformance_server,
    metadata_server,
    performance_workbench,
    repository_workbench,
)

REPOSITORY_CASES = {GENUINE: 6_260, NODE: 5_964}
"""Of the release; a node tells no patches to the types of the release, each of which is one."""

POLL_SECONDS = 5.0
WORKBENCHES = "conformance-suite-workbenches/repository-workbench"
KAFKA_HEAP = "512m"
PLATFORM_HEAP = "4g"
"""The suite keeps a million pieces of evidence, nearly 2 GB, and what the in-memory repository
under test has comes on top."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be tested, and how.

    Attributes:
        workbench: "repository" or "performance".
        members: NODE, GENUINE or both, one after another.
        under_test: The server's name of a member that somebody else starts, in place of
            those; "" for none.
        cohort: Its cohort.
        kafka_port: Of the broker; 0 for a free one.
        platform_port: Of the platform; 0 for a free one.
        instances: How many instances of each type the performance workbench makes.
        page_size: The most that a search of the repository workbench is to find.
    """

    workbench: str
    members: tuple[str, ...]
    under_test: str = ""
    cohort: str = ""
    kafka_port: int = 0
    platform_port: int = 0
    instances: int = 50
    page_size: int = MAX_SEARCH_RESULTS


class StoppedError(Exception):
    """Somebody wants the run to stop."""


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Have SIGTERM and SIGINT end the block in order."""

    def stop(number: int, frame: object) -> None:
        raise StoppedError

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, stop)
    yield


class Run:
    """One run, whose state is kept in a place as it goes."""

    def __init__(self, place: Place, wanted: Wanted) -> None:
        self._place = place
        self._wanted = wanted
        self._started = time.monotonic()
        self._state = begun(wanted.workbench)

    def perform(self) -> None:
        """Run to the end, and tell how it ended; raises what made it fail."""
        with self._place.held():
            self._tell()
            try:
                with _stopped_by_signals():
                    self._perform()
            except StoppedError:
                self._tell(phase=Phase.STOPPED, doing="stopped before its end")
            except BaseException as error:
                self._tell(phase=Phase.FAILED, doing=f"{type(error).__name__}: {error}")
                raise
            else:
                self._tell(phase=Phase.FINISHED, doing=self._ended())

    def _ended(self) -> str:
        if self._wanted.under_test:
            return f"the report is in {self._place.directory}"
        return f"{document.DOCUMENT} is written"

    def _tell(self, **changes: Any) -> None:
        seconds = time.monotonic() - self._started
        self._state = replace(self._state, seconds=seconds, **changes)
        self._place.keep(self._state)

    def _perform(self) -> None:
        directory = self._place.directory
        for each in ("kafka", "node"):
            shutil.rmtree(directory / each, ignore_errors=True)
        wanted = self._wanted
        with broker(directory / "kafka", wanted.kafka_port, KAFKA_HEAP) as kafka:
            if wanted.under_test:
                with self._platform() as egeria:
                    self._test_another(egeria, kafka)
                return
            for member in wanted.members:
                # Some cases of a later suite on the same platform ask the member of the first.
                with self._platform() as egeria:
                    self._test(egeria, kafka, member)
        document.write()

    def _platform(self) -> AbstractContextManager[Platform]:
        directory = self._place.directory / "platform"
        shutil.rmtree(directory, ignore_errors=True)
        return platform(directory, self._wanted.platform_port, PLATFORM_HEAP)

    def _test_another(self, egeria: Platform, kafka: Broker) -> None:
        """Test a member that somebody else starts, by the first part of the workbench."""
        wanted = self._wanted
        workbench, *_ = self._workbenches(wanted.under_test)
        doing = (
            f"{wanted.under_test} is tested as soon as it registers in cohort "
            f"{wanted.cohort} at Kafka's {kafka.address}; the suite is a server of "
            f"{egeria.url}"
        )
        print(doing, flush=True)
        elsewhere = nullcontext()
        self._tested(egeria, kafka, wanted.cohort, workbench, elsewhere, doing)

    def _test(self, egeria: Platform, kafka: Broker, member: str) -> None:
        """Start a member in a cohort of its own, test it, keep what was found."""
        began = time.monotonic()
        reports = []
        for workbench in self._workbenches(member):
            doing = f"testing the {member}{workbench.told}"
            name = workbench.under_test
            cohort = f"{name}Cohort"
            self._tell(phase=Phase.STARTING, doing=f"starting the {member} under test")
            under_test = self._member(egeria, kafka, member, name, cohort)
            report = self._tested(egeria, kafka, cohort, workbench, under_test, doing)
            reports.append(report)
        told = facts() | {"seconds": time.monotonic() - began}
        found: Results | Timings
        if self._wanted.workbench == "repository":
            told["page_size"] = self._wanted.page_size
            found = results_of(reports[0], told)
        else:
            instances = told["instances"] = self._wanted.instances
            found = timings_of(list(zip(parts(instances), reports, strict=True)), told)
        document.keep(self._wanted.workbench, member, found)

    def _workbenches(self, under_test: str) -> list["_Workbench"]:
        """What a member is tested with, one after another."""
        if self._wanted.workbench == "repository":
            return [
                _Workbench(
                    under_test,
                    "repositories",
                    REPOSITORY_WORKBENCH,
                    repository_workbench(under_test, self._wanted.page_size),
                    REPOSITORY_CASES.get(under_test, 0),
                )
            ]
        return [
            _Workbench(
                under_test + part.name,
                "performance",
                PERFORMANCE_WORKBENCH,
                performance_workbench(
                    under_test + part.name, part.instances, part.skipped
                ),
                told=f" with {part.instances} instances of each type",
            )
            for part in parts(self._wanted.instances)
        ]

    @contextmanager
    def _member(
        self, egeria: Platform, kafka: Broker, member: str, name: str, cohort: str
    ) -> Iterator[None]:
        if member == GENUINE:
            server = metadata_server(egeria, name, cohort, kafka.address)
            server.start()
            yield
            server.stop()
            return
        directory = self._place.directory / "node"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        types = directory / "types.omarchive"
        types.write_text(json.dumps(egeria.types_archive()), encoding="utf-8")
        with node(directory, name, cohort, kafka.address, types):
            yield

    def _tested(
        self,
        egeria: Platform,
        kafka: Broker,
        cohort: str,
        workbench: "_Workbench",
        member: AbstractContextManager[None],
        doing: str,
    ) -> Any:
        """The report of a workbench on a member, which joins the cohort after the suite.

        Of the types that a member tells when it joins the suite has cases of their own.
        """
        under_test = workbench.under_test
        suite = conformance_server(egeria, f"suite-{under_test}", cohort, kafka.address)
        suite.admin("POST", f"{WORKBENCHES}/{workbench.kind}", workbench.config)
        lab = Lab(egeria, suite.name, workbench.name)
        suite.start()
        with member:
            self._tell(phase=Phase.TESTING, expected=workbench.expected, doing=doing)
            while not self._follow(lab, doing):
                # Now and then a workbench takes itself for stopped before it has begun.
                suite.stop()
                suite.start()
            report = lab.report()
        kept = self._place.directory / f"report-{under_test}.json"
        kept.write_text(json.dumps(report), encoding="utf-8")
        suite.stop()
        return report

    def _follow(self, lab: Lab, doing: str) -> bool:
        """Wait for the end of a workbench; whether it tested anything."""
        while True:
            is_complete = lab.is_complete()
            counts = lab.counts(now=is_complete)
            self._tell(doing=f"{doing}{lab.last_done()}")
            if counts is not None:
                self._tell(passed=counts.passed, failed=counts.failed)
                if is_complete:
                    return bool(counts.passed or counts.failed)
            if not lab.egeria.running:
                raise HarnessError(f"the platform ended: see {lab.egeria.log}")
            time.sleep(POLL_SECONDS)


@dataclass(frozen=True, slots=True)
class _Workbench:
    """What a member is tested with.

    Attributes:
        under_test: The member's name of a server.
        kind: What the suite calls it when it is configured.
        name: What it is called in questions about it.
        config: Its configuration.
        expected: How many test cases it has; 0 where nobody knows.
        told: What tells it from other parts of the same, for people.
    """

    under_test: str
    kind: str
    name: str
    config: dict[str, Any]
    expected: int = 0
    told: str = ""
