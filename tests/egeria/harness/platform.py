"""A genuine Egeria platform of one's own: repository services and conformance suite."""

import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.egeria.harness.calls import CALL_SECONDS, USER, call
from tests.egeria.harness.chassis import Chassis
from tests.egeria.harness.ports import HOST, free_port, require_free
from tests.egeria.harness.process import JavaProcess

EGERIA = Chassis("platform", "interop.Platform")
ORIGIN = f"/open-metadata/platform-services/users/{USER}/server-platform/origin"


class Platform:
    """A platform that keeps its servers' configurations in its directory.

    Servers have to be started anew after it was.
    """

    def __init__(
        self,
        directory: Path,
        port: int = 0,
        heap: str = "512m",
        options: Sequence[str] = (),
        scheme: str = "http",
    ) -> None:
        """Nothing is started; port 0 takes a free one, options are Spring's."""
        self.port = port or free_port()
        self._scheme = scheme
        self._options = tuple(options)
        self._process = JavaProcess(EGERIA, heap, directory)

    @property
    def url(self) -> str:
        """Its root."""
        return f"{self._scheme}://{HOST}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether it was started and hasn't ended."""
        return self._process.running

    @property
    def log(self) -> Path:
        """What it printed since it started last, audit logs included."""
        return self._process.log

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            HarnessError: it can't be built, its port is in use, or it doesn't start.
        """
        require_free(self.port)
        own = [f"--server.port={self.port}", f"--server.address={HOST}"]
        self._process.start([*own, *self._options], self._answers)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url + ORIGIN, timeout=1):  # noqa: S310
                return True
        except OSError:
            return False

    def stop(self) -> None:
        """Have it end in order, and its servers with it."""
        self._process.stop()

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        timeout: float = CALL_SECONDS,
    ) -> Any:
        """What it answers to a request, decoded; blocks until then.

        Raises:
            EgeriaError: it refused.
        """
        return call(method, self.url + path, body, timeout)

    def types_archive(self) -> Any:
        """The release's own types, as an open metadata archive."""
        return self.call("GET", "/interop/open-metadata-types-archive", timeout=300)


@contextmanager
def platform(
    directory: Path, port: int = 0, heap: str = "512m", options: Sequence[str] = ()
) -> Iterator[Platform]:
    """A platform that runs until the end of the block."""
    made = Platform(directory, port, heap, options)
    try:
        made.start()
        yield made
    finally:
        made.stop()
