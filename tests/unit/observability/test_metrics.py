"""What is counted, and the text that monitoring reads."""

from math import inf

from edgenode.observability.metrics import (
    BUCKETS,
    Metric,
    OperationMetrics,
    histogram_samples,
    operation_metrics,
    process_metrics,
    prometheus_text,
)


def test_calls_are_counted_by_operation() -> None:
    metrics = OperationMetrics()
    metrics.add("addEntity", 0.0005, failed=False)
    metrics.add("addEntity", 0.2, failed=True)
    metrics.add("addEntity", 60.0, failed=True)
    metrics.add("getEntityDetail", 0.0001, failed=False)
    timing = metrics.statistics()["addEntity"]
    assert (timing.count, timing.failures) == (3, 2)
    assert timing.seconds == 60.2005
    filled = {bound: count for bound, count in timing.classes() if count}
    assert filled == {0.0005: 1, 0.25: 1, inf: 1}
    assert [bound for bound, _ in timing.classes()] == [*BUCKETS, inf]


def test_the_text_has_help_type_and_labels() -> None:
    metrics = OperationMetrics()
    metrics.add("addEntity", 0.003, failed=True)
    lines = prometheus_text(operation_metrics(metrics.statistics())).splitlines()
    assert "# TYPE edgenode_requests_total counter" in lines
    assert 'edgenode_requests_total{operation="addEntity"} 1' in lines
    assert 'edgenode_request_failures_total{operation="addEntity"} 1' in lines
    assert "# TYPE edgenode_request_seconds histogram" in lines
    buckets = [line for line in lines if "_bucket" in line]
    assert buckets[2] == (
        'edgenode_request_seconds_bucket{operation="addEntity",le="0.0025"} 0'
    )
    assert buckets[3] == (
        'edgenode_request_seconds_bucket{operation="addEntity",le="0.005"} 1'
    )
    assert buckets[-1] == (
        'edgenode_request_seconds_bucket{operation="addEntity",le="+Inf"} 1'
    )
    assert 'edgenode_request_seconds_sum{operation="addEntity"} 0.003' in lines
    assert 'edgenode_request_seconds_count{operation="addEntity"} 1' in lines


def test_a_label_is_escaped() -> None:
    metric = Metric("m", "gauge", "M.", (({"a": 'x"y\\z\n'}, 1.5),))
    assert prometheus_text([metric]).splitlines()[-1] == 'm{a="x\\"y\\\\z\\n"} 1.5'


def test_a_family_of_several_servers_is_written_once() -> None:
    first = Metric("m", "gauge", "M.", (({"server": "a"}, 1),))
    second = Metric("m", "gauge", "M.", (({"server": "b"}, 2),))
    other = Metric("n", "gauge", "N.", (({}, 3),))
    assert prometheus_text([first, other, second]) == (
        "# HELP m M.\n# TYPE m gauge\n"
        'm{server="a"} 1\nm{server="b"} 2\n'
        "# HELP n N.\n# TYPE n gauge\nn 3\n"
    )


def test_a_histogram_adds_up() -> None:
    samples = histogram_samples({"s": "x"}, [(0.1, 2), (1.0, 0), (inf, 3)], 12.5)
    assert samples == (
        ({"s": "x", "le": "0.1", "__suffix__": "_bucket"}, 2),
        ({"s": "x", "le": "1", "__suffix__": "_bucket"}, 2),
        ({"s": "x", "le": "+Inf", "__suffix__": "_bucket"}, 5),
        ({"s": "x", "__suffix__": "_sum"}, 12.5),
        ({"s": "x", "__suffix__": "_count"}, 5),
    )


def test_the_process_tells_what_it_used() -> None:
    used = {metric.name: metric.samples[0][1] for metric in process_metrics()}
    assert used["edgenode_process_cpu_seconds_total"] > 0
    assert used["edgenode_process_peak_memory_bytes"] > 10_000_000
    assert used["edgenode_process_written_bytes_total"] >= 0
