"""The node under test, with the release's types."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.egeria.harness.node import NO_COHORT, Node, kafka_node, running


@contextmanager
def node(
    directory: Path, name: str, cohort: str, brokers: str, types: Path
) -> Iterator[None]:
    """A node that is a member of a cohort over Kafka until the end of the block.

    Args:
        directory: Where everything of it is.
        name: Of its server.
        cohort: The cohort's name.
        brokers: Kafka's address.
        types: The release's type archive, which is loaded before the node joins: the
            suite compares each definition with its own, descriptions included.

    Raises:
        HarnessError: it doesn't start, or the types can't be loaded.
    """
    with running(Node(directory, name, [NO_COHORT])) as alone:
        alone.command("archive", "load", "--server", name, str(types))
    with kafka_node(directory, name, cohort, brokers):
        yield
