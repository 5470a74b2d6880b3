"""What the repository workbench found, read from its report.

A report is many megabytes: each assertion about each type. What is kept of it is how many
test cases passed, failed or weren't supported for each requirement, and what failed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

REPOSITORY_WORKBENCH = "repository-workbench"
FAILURES = frozenset({"UNSUCCESSFUL_ASSERTION", "UNEXPECTED_EXCEPTION"})
UNSUPPORTED = "NOT_SUPPORTED_FUNCTION"

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement of a profile.

    Attributes:
        name: As the suite has it.
        status: The suite's verdict, by its own name.
        passed: Test cases all of whose assertions about it held.
        failed: Those with one that didn't.
        unsupported: Those that found it to be not supported.
    """

    name: str
    status: str
    passed: int
    failed: int
    unsupported: int


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile: requirements that belong together."""

    name: str
    status: str
    requirements: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """A whole run on one member of a cohort.

    Attributes:
        facts: When, where and how long; as JSON.
        passed: Test cases.
        failed: Test cases.
        skipped: Test cases; while a run lasts, those that are still to come as well.
        profiles: In the suite's order.
        failures: How often which assertion failed, the case's types left out.
    """

    facts: Json
    passed: int
    failed: int
    skipped: int
    profiles: tuple[Profile, ...]
    failures: Mapping[str, int]

    @property
    def cases(self) -> int:
        """All test cases."""
        return self.passed + self.failed + self.skipped

    def json(self) -> dict[str, Any]:
        """The results as they are kept."""
        return asdict(self)


def results_of(report: Json, facts: Json) -> Results:
    """The results in a report."""
    return Results(
        facts=facts,
        passed=report.get("testPassCount", 0),
        failed=report.get("testFailedCount", 0),
        skipped=report.get("testSkippedCount", 0),
        profiles=tuple(_profile(each) for each in report.get("profileResults") or []),
        failures=failures_in(report),
    )


def kept_results(kept: Json) -> Results:
    """Results that were kept as JSON."""
    profiles = tuple(
        Profile(
            name=profile["name"],
            status=profile["status"],
            requirements=tuple(
                Requirement(**requirement) for requirement in profile["requirements"]
            ),
        )
        for profile in kept["profiles"]
    )
    return Results(**{**kept, "profiles": profiles})


def _profile(found: Json) -> Profile:
    requirements = found.get("requirementResults") or []
    return Profile(
        name=found["name"],
        status=found["conformanceStatus"],
        requirements=tuple(_requirement(each) for each in requirements),
    )


def _requirement(found: Json) -> Requirement:
    evidence = [
        *(found.get("positiveTestEvidence") or []),
        *(found.get("negativeTestEvidence") or []),
    ]
    cases = _cases(evidence)
    failed = _cases(each for each in evidence if each["testEvidenceType"] in FAILURES)
    unsupported = _cases(
        each for each in evidence if each["testEvidenceType"] == UNSUPPORTED
    )
    return Requirement(
        name=found["name"],
        status=found["conformanceStatus"],
        passed=len(cases - failed - unsupported),
        failed=len(failed),
        unsupported=len(unsupported - failed),
    )


def _cases(evidence: Iterable[Json]) -> set[str]:
    return {each["testCaseId"] for each in evidence}


def failures_in(report: Json) -> dict[str, int]:
    """How often which assertion failed, the most frequent first."""
    cases = report.get("failedTestCases") or []
    counted = Counter(text for case in cases for text in failures_of(case))
    return dict(counted.most_common())


def failures_of(case: Json) -> list[str]:
    """The assertions that failed in a test case, or why it broke off."""
    assertions = [
        text.partition(":")[0] for text in case.get("unsuccessfulAssertions") or []
    ]
    if assertions:
        return assertions
    exception = case.get("conformanceException") or {}
    kind = exception.get("exceptionClassName", "no assertion").rpartition(".")[2]
    return [f"{case['testCaseName']}: {kind}"]
