"""Counts and times of the API's operations, and the Prometheus text that shows them."""

import resource
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import inf, isinf

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
"""Upper bounds in seconds: half a millisecond is a point read, seconds are trouble."""


@dataclass(slots=True)
class Timing:
    """How often something happened, how often it failed, how long it took."""

    count: int = 0
    failures: int = 0
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))

    def add(self, seconds: float, *, failed: bool) -> None:
        """Count one more."""
        self.count += 1
        self.failures += failed
        self.seconds += seconds
        self.buckets[bisect_left(BUCKETS, seconds)] += 1

    def classes(self) -> Iterable[tuple[float, int]]:
        """The buckets with their upper bounds, the last of which is infinite."""
        return zip((*BUCKETS, inf), self.buckets, strict=True)


class OperationMetrics:
    """The timings of every operation that has been called, by its name.

    Names come from the operation tables alone, so callers can't grow this.
    """

    def __init__(self) -> None:
        self._timings: dict[str, Timing] = {}

    def add(self, operation: str, seconds: float, *, failed: bool) -> None:
        """Count one call."""
        timing = self._timings.get(operation)
        if timing is None:
            timing = self._timings[operation] = Timing()
        timing.add(seconds, failed=failed)

    def statistics(self) -> Mapping[str, Timing]:
        """The timings by operation."""
        return dict(self._timings)


Samples = tuple[tuple[Mapping[str, str], float], ...]
"""Labels and values."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric family."""

    name: str
    kind: str
    help: str
    samples: Samples


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    escaped = (
        (name, value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"))
        for name, value in labels.items()
    )
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped) + "}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def prometheus_text(metrics: Iterable[Metric]) -> str:
    """Metrics in Prometheus's text format, version 0.0.4.

    A family that comes several times, once from each server, is written as one.
    """
    families: dict[str, Metric] = {}
    for metric in metrics:
        known = families.get(metric.name)
        families[metric.name] = (
            metric
            if known is None
            else replace(known, samples=known.samples + metric.samples)
        )
    lines = []
    for metric in families.values():
        lines.append(f"# HELP {metric.name} {metric.help}")
        lines.append(f"# TYPE {metric.name} {metric.kind}")
        # A histogram's samples carry their suffix in the pseudo label "__suffix__".
        for labels, value in metric.samples:
            shown = {k: v for k, v in labels.items() if k != "__suffix__"}
            name = metric.name + labels.get("__suffix__", "")
            lines.append(f"{name}{_labels(shown)} {_number(value)}")
    return "\n".join(lines) + "\n"


def histogram_samples(
    label: dict[str, str],
    classes: Iterable[tuple[float, int]],
    seconds: float,
) -> Samples:
    """The samples of one histogram.

    Args:
        label: The labels of all of them.
        classes: How many values are in each class, with the class's upper bound; the
            last bound is infinite.
        seconds: The sum of all values.
    """
    samples: list[tuple[Mapping[str, str], float]] = []
    reached = 0
    for bound, count in classes:
        reached += count
        shown = "+Inf" if isinf(bound) else _number(bound)
        samples.append((label | {"le": shown, "__suffix__": "_bucket"}, reached))
    samples.append((label | {"__suffix__": "_sum"}, seconds))
    samples.append((label | {"__suffix__": "_count"}, reached))
    return tuple(samples)


def operation_metrics(timings: Mapping[str, Timing]) -> tuple[Metric, ...]:
    """The metric families of the API's operations."""
    labelled = [({"operation": name}, timings[name]) for name in sorted(timings)]
    return (
        Metric(
            "edgenode_requests_total",
            "counter",
            "Calls of API operations.",
            tuple((label, timing.count) for label, timing in labelled),
        ),
        Metric(
            "edgenode_request_failures_total",
            "counter",
            "Calls of API operations that were answered with an error.",
            tuple((label, timing.failures) for label, timing in labelled),
        ),
        Metric(
            "edgenode_request_seconds",
            "histogram",
            "Time to answer calls of API operations.",
            tuple(
                sample
                for label, timing in labelled
                for sample in histogram_samples(label, timing.classes(), timing.seconds)
            ),
        ),
    )


def process_metrics() -> tuple[Metric, ...]:
    """What the process has used of the machine."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    families = (
        (
            "written_bytes_total",
            "counter",
            "Bytes written to disks.",
            usage.ru_oublock * 512,
        ),
        (
            "cpu_seconds_total",
            "counter",
            "Time on the processor.",
            usage.ru_utime + usage.ru_stime,
        ),
        (
            "peak_memory_bytes",
            "gauge",
            "The most memory held at any time.",
            usage.ru_maxrss * 1024,
        ),
    )
    return tuple(
        Metric(f"edgenode_process_{name}", kind, text, (({}, value),))
        for name, kind, text, value in families
    )
