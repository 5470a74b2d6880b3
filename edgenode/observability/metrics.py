"""Counts and times of the API's operations, and the Prometheus text that shows them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
"""Upper bounds in seconds: half a millisecond is a point read, seconds are trouble."""


@dataclass(slots=True)
class Timing:
    """How often something happened, how often it failed, how long it took."""

    count: int = 0
    failures: int = 0
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * len(BUCKETS))

    def add(self, seconds: float, *, failed: bool) -> None:
        """Count one more."""
        self.count += 1
        self.failures += failed
        self.seconds += seconds
        for at, bound in enumerate(BUCKETS):
            if seconds <= bound:
                self.buckets[at] += 1
                break


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


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric family: its samples are (labels, value)."""

    name: str
    kind: str
    help: str
    samples: tuple[tuple[Mapping[str, str], float], ...]


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
    """Metrics in Prometheus's text format, version 0.0.4."""
    lines = []
    for metric in metrics:
        lines.append(f"# HELP {metric.name} {metric.help}")
        lines.append(f"# TYPE {metric.name} {metric.kind}")
        # A histogram's samples carry their suffix in the pseudo label "__suffix__".
        for labels, value in metric.samples:
            shown = {k: v for k, v in labels.items() if k != "__suffix__"}
            name = metric.name + labels.get("__suffix__", "")
            lines.append(f"{name}{_labels(shown)} {_number(value)}")
    return "\n".join(lines) + "\n"


def operation_metrics(timings: Mapping[str, Timing]) -> tuple[Metric, ...]:
    """The metric families of the API's operations."""
    requests: list[tuple[Mapping[str, str], float]] = []
    failures: list[tuple[Mapping[str, str], float]] = []
    seconds: list[tuple[Mapping[str, str], float]] = []
    for name, timing in sorted(timings.items()):
        label = {"operation": name}
        requests.append((label, timing.count))
        failures.append((label, timing.failures))
        reached = 0
        for bound, count in zip(BUCKETS, timing.buckets, strict=True):
            reached += count
            seconds.append(
                (label | {"le": _number(bound), "__suffix__": "_bucket"}, reached)
            )
        seconds.append((label | {"le": "+Inf", "__suffix__": "_bucket"}, timing.count))
        seconds.append((label | {"__suffix__": "_sum"}, timing.seconds))
        seconds.append((label | {"__suffix__": "_count"}, timing.count))
    return (
        Metric(
            "edgenode_requests_total",
            "counter",
            "Calls of API operations.",
            tuple(requests),
        ),
        Metric(
            "edgenode_request_failures_total",
            "counter",
            "Calls of API operations that were answered with an error.",
            tuple(failures),
        ),
        Metric(
            "edgenode_request_seconds",
            "histogram",
            "Time to answer calls of API operations.",
            tuple(seconds),
        ),
    )
