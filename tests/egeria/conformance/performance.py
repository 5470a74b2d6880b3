"""What the performance workbench found, read from its report.

It notes the elapsed time of each call, in whole milliseconds, with the profile that the
call was made for.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, median
from typing import Any

from tests.egeria.conformance.report import failures_in

PERFORMANCE_WORKBENCH = "performance-workbench"
GRAPH_PROFILES = ("Graph queries", "Graph history queries")
PURGE_PROFILES = ("Relationship purge", "Entity purge")
GRAPH_INSTANCES = 5
OTHER_PROFILES = frozenset(
    {
        "Entity search",
        "Relationship search",
        "Entity classification",
        "Classification search",
        "Entity update",
        "Relationship update",
        "Classification update",
        "Entity undo",
        "Relationship undo",
        "Entity retrieval",
        "Entity history retrieval",
        "Relationship retrieval",
        "Relationship history retrieval",
        "Entity history search",
        "Relationship history search",
        "Entity re-home",
        "Relationship re-home",
        "Entity declassify",
        "Entity retype",
        "Relationship retype",
        "Entity re-identify",
        "Relationship re-identify",
        "Relationship delete",
        "Entity delete",
        "Entity restore",
        "Relationship restore",
    }
)

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


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the workbench's profiles, run with so many instances of each type.

    Attributes:
        name: Tells its servers from those of other parts; "" for the first.
        instances: Of each type.
        skipped: The names of the profiles that are left out.
        counts: Whether the times of a profile are those to be told: those of the other
            profiles only make what it needs.
    """

    name: str
    instances: int
    skipped: tuple[str, ...]
    counts: Callable[[str], bool]


def parts(instances: int) -> tuple[Part, ...]:
    """The workbench in parts: purges and graphs apart, the latter with fewer instances.

    Where all entities were deleted before, the workbench may find none of the copies that it
    purges, and ends there. With 50 instances of each type it asks 90,000 neighbourhoods,
    each of which takes the in-memory repository 0.13 seconds, and in some of which that one
    ends with an error.
    """
    others = tuple(sorted(OTHER_PROFILES))
    apart = (*GRAPH_PROFILES, *PURGE_PROFILES)
    return (
        Part("", instances, apart, lambda name: name not in apart),
        Part(
            "-purges",
            instances,
            (*GRAPH_PROFILES, *others),
            lambda name: name in PURGE_PROFILES,
        ),
        Part(
            "-graphs",
            min(instances, GRAPH_INSTANCES),
            (*PURGE_PROFILES, *others),
            lambda name: name in GRAPH_PROFILES,
        ),
    )


def timings_of(reports: Sequence[tuple[Part, Json]], facts: Json) -> Timings:
    """The timings in the reports of all parts."""
    times: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    failures: Counter[str] = Counter()
    for part, report in reports:
        failures.update(failures_in(report))
        for profile in report.get("profileResults") or []:
            if part.counts(profile["name"]):
                _note_times(profile, times)
    together: defaultdict[str, list[int]] = defaultdict(list)
    for (_, method), elapsed in times.items():
        together[method].extend(elapsed)
    return Timings(
        facts=facts,
        passed=sum(report.get("testPassCount", 0) for _, report in reports),
        failed=sum(report.get("testFailedCount", 0) for _, report in reports),
        failures=dict(failures.most_common()),
        by_profile=tuple(
            _timing(profile, method, elapsed)
            for (profile, method), elapsed in times.items()
        ),
        by_method=tuple(
            _timing("", method, elapsed) for method, elapsed in sorted(together.items())
        ),
    )


def _note_times(profile: Json, times: dict[tuple[str, str], list[int]]) -> None:
    for requirement in profile.get("requirementResults") or []:
        for evidence in requirement.get("positiveTestEvidence") or []:
            if (elapsed := evidence.get("elapsedTime")) is not None:
                times[profile["name"], evidence["methodName"]].append(elapsed)


def _timing(profile: str, method: str, elapsed: list[int]) -> Timing:
    return Timing(
        profile, method, len(elapsed), median(elapsed), round(fmean(elapsed), 2)
    )


def kept_timings(kept: Json) -> Timings:
    """Timings that were kept as JSON."""
    by_profile = tuple(Timing(**each) for each in kept["by_profile"])
    by_method = tuple(Timing(**each) for each in kept["by_method"])
    return Timings(**{**kept, "by_profile": by_profile, "by_method": by_method})
