"""The topics of a cohort on Kafka are there where their library is."""

import sys
from types import ModuleType

import pytest

from edgenode.bus.opening import (
    KafkaMissingError,
    kafka_cohort_topics,
    require_kafka,
)
from edgenode.bus.topics import KafkaBroker, topic_names
from edgenode.clock import SystemClock
from tests.egeria.reader import Reader


@pytest.fixture
def not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """What needs the library is imported anew."""
    ours = ("aiokafka", "edgenode.bus.cohort_topics", "edgenode.bus.kafka")
    for name in [each for each in sys.modules if each.startswith(ours)]:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.parametrize("package", ["aiokafka", "cramjam"])
@pytest.mark.usefixtures("not_imported")
async def test_without_the_library_it_is_said_what_helps(
    monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    names = topic_names("egeria", "cohort", dedicated=True)
    with pytest.raises(KafkaMissingError, match=f"{package}, which isn't installed"):
        kafka_cohort_topics(
            KafkaBroker(addresses=()), names, "one", (), Reader(names), SystemClock()
        )


@pytest.mark.usefixtures("not_imported")
def test_another_release_of_the_library_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = ModuleType("aiokafka")
    other.__path__ = []
    monkeypatch.setitem(sys.modules, "aiokafka", other)
    with pytest.raises(KafkaMissingError, match="another release of aiokafka"):
        require_kafka()


@pytest.mark.parametrize("dedicated", [True, False])
def test_topics_are_named_as_platforms_name_them(dedicated: bool) -> None:
    names = topic_names("egeria", "coco", dedicated=dedicated)
    single = "egeria.openmetadata.repositoryservices.cohort.coco.OMRSTopic"
    assert {str(kind): name for kind, name in names.items()} == {
        kind: f"{single}.{kind}" if dedicated else single
        for kind in ("registration", "types", "instances")
    }
