"""A Kafka broker of one's own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.egeria.harness.chassis import Chassis
from tests.egeria.harness.ports import HOST, free_port, listens, require_free
from tests.egeria.harness.process import JavaProcess

KAFKA = Chassis("kafka", "interop.Broker")
CLUSTER = "MkU3OEVBNTcwNTJENDM2Qk"
"""Any id will do: what can't be reached can't be mistaken for another cluster."""
META = f"version=1\ncluster.id={CLUSTER}\nnode.id=1\n"
# One replica and few partitions start fast; the buffer is taken from the heap at once.
# A broker that was killed comes back when its last session has ended.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
log.cleaner.dedupe.buffer.size=4194304
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
group.initial.rebalance.delay.ms=0
"""


class Broker:
    """A broker that keeps its topics in its directory from one start to the next.

    Another one with the same directory and another port is the same broker, moved.
    """

    def __init__(
        self,
        directory: Path,
        port: int = 0,
        heap: str = "256m",
        properties: Sequence[str] = (),
    ) -> None:
        """Nothing is started; port 0 takes a free one.

        Args:
            directory: Where it keeps everything.
            port: Where it listens.
            heap: Its memory.
            properties: Settings that come after those of all, and win.
        """
        self.port = port or free_port()
        self._directory = directory
        self._properties = PROPERTIES + "".join(f"{line}\n" for line in properties)
        self._process = JavaProcess(KAFKA, heap, directory)

    @property
    def address(self) -> str:
        """Where it is reached, as in ``bootstrap.servers``."""
        return f"{HOST}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether it was started and hasn't ended."""
        return self._process.running

    def start(self) -> None:
        """Start it and wait until it listens.

        Raises:
            HarnessError: it can't be built, its port is in use, or it doesn't start.
        """
        require_free(self.port)
        data = self._directory / "data"
        data.mkdir(parents=True, exist_ok=True)
        meta = data / "meta.properties"
        if not meta.exists():  # it gives the directory an id there, and needs it again
            meta.write_text(META)
        properties = self._directory / "server.properties"
        properties.write_text(
            self._properties.format(
                host=HOST, port=self.port, controller=free_port(), data=data
            )
        )
        self._process.start([str(properties)], lambda: listens(self.port))

    def stop(self) -> None:
        """Have it end in order."""
        self._process.stop()

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()


@contextmanager
def broker(directory: Path, port: int = 0, heap: str = "256m") -> Iterator[Broker]:
    """A broker that runs until the end of the block."""
    made = Broker(directory, port, heap)
    try:
        made.start()
        yield made
    finally:
        made.stop()
