"""The node under test, with the release's types."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.egeria.harness.node import kafka_node


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
        types: The release's type archive, which is loaded first: the suite compares
            each definition with its own, descriptions included.

    Raises:
        HarnessError: it doesn't start, or the types can't be loaded.
    """
    with kafka_node(directory, name, cohort, brokers) as running:
        running.command("archive", "load", "--server", name, str(types))
        yield
