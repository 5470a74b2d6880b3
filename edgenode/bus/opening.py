"""The topics of a cohort on Kafka, where what they need is installed."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager

from edgenode.bus.topics import (
    CohortTopics,
    KafkaBroker,
    OmrsTopic,
    Position,
    TopicsListener,
)
from edgenode.clock import Clock
from edgenode.errors import EdgeNodeError

INSTALL_KAFKA = "make kafka, or pip install 'edgenode[kafka]'"
"""What helps where they aren't."""


_PACKAGES = frozenset({"aiokafka", "cramjam"})


class KafkaMissingError(EdgeNodeError):
    """The optional packages for Kafka aren't installed, or not as they are needed."""


def require_kafka() -> None:
    """Check that what a cohort on Kafka needs is installed.

    Raises:
        KafkaMissingError: It isn't.
    """
    try:
        # Imported here: few nodes need it, and it takes 4 MB.
        import edgenode.bus.cohort_topics  # noqa: F401
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _PACKAGES:
            raise
        why = f"a cohort on Kafka needs another release of {package} ({error})"
        if isinstance(error, ModuleNotFoundError) and error.name == package:
            why = f"a cohort on Kafka needs {package}, which isn't installed"
        raise KafkaMissingError(why) from error


def kafka_cohort_topics(
    broker: KafkaBroker,
    names: Mapping[OmrsTopic, str],
    local_server_id: str,
    positions: Iterable[Position],
    listener: TopicsListener,
    clock: Clock,
) -> AbstractAsyncContextManager[CohortTopics]:
    """A member's part in the topics of a cohort.

    Args:
        broker: The brokers.
        names: The cohort's topics.
        local_server_id: This member's own id on the bus: the key of what it sends, and
            the name of its consumer group.
        positions: Where to go on, as it was kept with what came of the records.
        listener: Hears what happens.
        clock: The time.

    Raises:
        KafkaMissingError: The library isn't installed.
    """
    require_kafka()
    from edgenode.bus.cohort_topics import KafkaCohortTopics

    return KafkaCohortTopics(broker, names, local_server_id, positions, listener, clock)
