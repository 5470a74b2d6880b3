"""Genuine programs for the tests, which are skipped where none can run."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import pytest

from tests.egeria.harness.broker import KAFKA, Broker, broker
from tests.egeria.harness.errors import HarnessError
from tests.egeria.harness.node import Node, kafka_node
from tests.egeria.harness.platform import EGERIA, Platform, platform
from tests.egeria.harness.server import Server, metadata_server, started
from tests.egeria.harness.tools import missing
from tests.egeria.metadata import Metadata, fresh_name, until


@pytest.fixture(scope="session")
def genuine() -> None:
    """Both programs are built, or the test is skipped with what is missing."""
    if (reason := missing()) is not None:
        pytest.skip(reason)
    try:
        KAFKA.class_path()
        EGERIA.class_path()
    except HarnessError as error:
        pytest.skip(f"the genuine Egeria can't be built: {error}")


@pytest.fixture(scope="session")
def kafka(genuine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A Kafka broker; a cohort of a test has topics of its own."""
    with broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture(scope="session")
def egeria(
    genuine: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    """A genuine platform; servers are named and stopped by those who start them."""
    with platform(tmp_path_factory.mktemp("egeria")) as running:
        yield running


@dataclass(frozen=True, slots=True)
class Pair:
    """A genuine server and a node that are in one cohort, and know each other."""

    genuine: Server
    node: Node


@pytest.fixture(scope="session")
def pair(
    kafka: Broker, egeria: Platform, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    """They go through all tests that need no others; each makes its own metadata."""
    cohort = fresh_name("pair")
    genuine = metadata_server(egeria, fresh_name("hub"), cohort, kafka.address)
    directory = tmp_path_factory.mktemp("node")
    with (
        started(genuine),
        kafka_node(directory, fresh_name("edge"), cohort, kafka.address) as node,
    ):
        until(lambda: node.name in genuine.cohort_members(cohort))
        until(lambda: genuine.name in node.cohort_members(cohort))
        yield Pair(genuine, node)


class Sides(NamedTuple):
    """Whose the metadata is, and who has copies of it."""

    home: Metadata
    other: Metadata


@pytest.fixture(params=["genuine", "node"])
def sides(request: pytest.FixtureRequest, pair: Pair) -> Sides:
    """Both ways round: the metadata is made on one, and on the other."""
    both = Sides(Metadata(pair.genuine), Metadata(pair.node))
    return both if request.param == "genuine" else Sides(both.other, both.home)
