"""Genuine programs for the tests of a module, which are skipped where none can run."""

from collections.abc import Iterator

import pytest

from tests.egeria.harness.broker import KAFKA, Broker, broker
from tests.egeria.harness.errors import HarnessError
from tests.egeria.harness.platform import EGERIA, Platform, platform
from tests.egeria.harness.tools import missing


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


@pytest.fixture(scope="module")
def kafka(genuine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A Kafka broker."""
    with broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture(scope="module")
def egeria(
    genuine: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    """A genuine platform without any server yet."""
    with platform(tmp_path_factory.mktemp("egeria")) as running:
        yield running
