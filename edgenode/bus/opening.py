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


class KafkaMissingError(Exception):
    """The optional packages for Kafka aren't installed."""


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
    try:
        # Imported here: few nodes need it, and it takes 4 MB.
        from edgenode.bus.cohort_topics import KafkaCohortTopics
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "aiokafka":
            raise
        raise KafkaMissingError(
            "a cohort on Kafka needs a package that isn't installed: "
            "make kafka, or pip install 'edgenode[kafka]'"
        ) from error
    return KafkaCohortTopics(broker, names, local_server_id, positions, listener, clock)
