"""A cohort is measured: its parts, one by one, with as little as possible."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import cohort
from bench.cohort_asking import Asker
from bench.cohort_idle import idle_cohort
from bench.harness import BenchError
from bench.members import ThisMachine
from bench.node import SERVER, Node


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("asked")) as started:
        yield started
        started.stop()


@pytest.fixture
def asker(node: Node) -> Iterator[Asker]:
    with Asker(ThisMachine(), node.url, SERVER) as asking:
        yield asking


def test_every_version_of_a_beacon_is_seen_after_it_was_sent(
    node: Node, asker: Asker
) -> None:
    beacon, *others = asker.call("add", first=0, count=5, lanes=2)["guids"]
    with Asker(ThisMachine(), node.url, SERVER) as looking:
        looking.send("watch", beacon=beacon, last=6)
        changed = asker.call("change", beacon=beacon, others=others, rate=100, count=20)
        watched = looking.receive()
    versions = [version for version, *_ in changed["beacons"]]
    assert versions == [2, 3, 4, 5, 6]
    seen = dict(watched["seen"])
    assert max(seen) == 6
    for version, due, sent, acknowledged in changed["beacons"]:
        assert due <= sent < acknowledged
        assert min(at for known, at in seen.items() if known >= version) > sent
    # The others: of each four three, every second of them an addition.
    assert asker.call("holdings")["count"] == 5 + len([n for n in range(20) if n % 2])


def test_what_is_refused_is_told_to_whoever_asked(asker: Asker) -> None:
    with pytest.raises(BenchError, match="OMRS-REPOSITORY-404"):
        asker.call("change", beacon="nothing", others=["nothing"], rate=1, count=1)
    with pytest.raises(BenchError, match="nobody knows how to dance"):
        asker.call("dance")


def test_an_idle_cohort_speaks_little_and_hardly_more_when_it_is_larger() -> None:
    small, large = idle_cohort(3, 2), idle_cohort(12, 2)
    assert (small.links, large.links) == (2, 4)
    # An exchange in twenty seconds, begun by each; nothing else happens.
    for each in (small, large):
        assert each.bus == 0
        assert 4 <= each.questions <= 8


def test_a_split_of_real_nodes_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--quick", "--only", "split", "--directory", str(tmp_path)]
    assert cohort.main(options) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["wrong"] == []
    assert made["split"]["changes"] == 2 * cohort.QUICK.split
    assert min(made["split"]["bytes sent"]) > 1_000
    assert list(tmp_path.iterdir()) == []
