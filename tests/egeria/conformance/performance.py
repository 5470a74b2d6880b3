"""What the performance workbench found, read from its report.

It notes the elapsed time of each call, in whole milliseconds, with the profile that the
call was made for.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import fmean, median
from typing import Any

from tests.egeria.conformance.report import failures_in

PERFORMANCE_WORKBENCH = "performance-workbench"

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Timing:
    """The calls of one method.

    Attributes:
        profile: What they were made for; "" for all profiles together.
        method: As the suite calls it.
        calls: How many.
        median: Of their elapsed times, in milliseconds.
        mean: Of the same, which tells of less than one.
    """

    profile: str
    method: str
    calls: int
    median: float
    mean: float


@dataclass(frozen=True, slots=True)
class Timings:
    """A whole run on one member of a cohort.

    Attributes:
        facts: When, where and how long; as JSON.
        passed: Test cases.
        failed: Test cases.
        failures: How often which assertion failed.
        by_profile: Each method in each profile, in the suite's order.
        by_method: Each method in all profiles, by name.
    """

    facts: Json
    passed: int
    failed: int
    failures: Mapping[str, int]
    by_profile: tuple[Timing, ...]
    by_method: tuple[Timing, ...]

    def json(self) -> dict[str, Any]:
        """The timings as they are kept."""
        return asdict(self)


def timings_of(report: Json, facts: Json) -> Timings:
    """The timings in the ``workbenchResults`` of a report."""
    times: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for profile in report.get("profileResults") or []:
        for requirement in profile.get("requirementResults") or []:
            for evidence in requirement.get("positiveTestEvidence") or []:
                if (elapsed := evidence.get("elapsedTime")) is not None:
                    method = evidence["methodName"]
                    times[profile["name"], method].append(elapsed)
    together: defaultdict[str, list[int]] = defaultdict(list)
    for (_, method), elapsed in times.items():
        together[method].extend(elapsed)
    return Timings(
        facts=facts,
        passed=report.get("testPassCount", 0),
        failed=report.get("testFailedCount", 0),
        failures=failures_in(report),
        by_profile=tuple(
            _timing(profile, method, elapsed)
            for (profile, method), elapsed in times.items()
        ),
        by_method=tuple(
            _timing("", method, elapsed) for method, elapsed in sorted(together.items())
        ),
    )


def _timing(profile: str, method: str, elapsed: list[int]) -> Timing:
    return Timing(
        profile, method, len(elapsed), median(elapsed), round(fmean(elapsed), 2)
    )


def kept_timings(kept: Json) -> Timings:
    """Timings that were kept as JSON."""
    by_profile = tuple(Timing(**each) for each in kept["by_profile"])
    by_method = tuple(Timing(**each) for each in kept["by_method"])
    return Timings(**{**kept, "by_profile": by_profile, "by_method": by_method})
